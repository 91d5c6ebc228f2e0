/* row_bytes.c: rows as bytes, to be kept in a checkpoint and made again: the change's kind, then each column as core/key.h has it.
 * Memory: the caller's. */
#include "core/key.h"
#include "executor/internal.h"

void wr_rowbytes_put(struct wr_buf *out, const struct wr_batch *b)
{
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t r = wr_batch_row(b, k);
        wr_buf_u8(out, (uint8_t)wr_batch_op(b, r));
        for (int c = 0; c < b->n_col; c++)
            wr_key_put(out, &b->col[c], r, false, true);
    }
}

bool wr_rowbytes_take(struct wr_str *in, struct wr_builder *bl, struct wr_arena *scratch)
{
    uint8_t kind = 0;
    if (!wr_take_u8(in, &kind))
        return false;
    uint32_t r = wr_builder_row(bl, (enum wr_rowop)(kind & 3));
    bool ok = true;
    wr_arena_reset(scratch);
    for (int c = 0; c < bl->schema->n && ok; c++) {
        struct wr_value v;
        ok = wr_key_take(in, bl->schema->field[c].type, false, true, scratch, &v);
        if (ok)
            wr_builder_set(bl, c, r, &v);
    }
    return ok;
}

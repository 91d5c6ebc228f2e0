/* op_sort.c: ORDER BY (with LIMIT, OFFSET) over bounded input: holds the content of the result until END, then emits it in order.
 *
 * A row is bytes: its sort columns, then all its columns (core/key.h, order-preserving), in one ordered map that counts equal rows; so rows can
 * be taken back, and the order is total: ties follow the other columns, whatever the arrival, the batches or the tasks were.
 * Rules:  nothing comes out before END. With LIMIT over additions only, rows past limit + offset are forgotten on the way.
 * Memory: an entry a distinct row. */
#include <stdlib.h>

#include "core/key.h"
#include "core/omap.h"
#include "executor/internal.h"

struct sort {
    const struct wr_plan_sort *p;
    struct wr_omap rows;
    struct wr_buf key;
    struct wr_arena scratch;
    struct wr_builder out;
    bool done;                 /* the rows were emitted */
    uint64_t keep;             /* rows worth keeping: limit + offset; UINT64_MAX: all */
};

static wr_status sort_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    struct sort *s = wr_calloc(1, sizeof *s);
    op->ctx = s;
    s->p = &op->plan->u.sort;
    s->out.schema = op->plan->out;
    bool trim = s->p->limit >= 0 && !op->plan->in[0]->updating;
    s->keep = trim ? (uint64_t)s->p->limit + (uint64_t)(s->p->offset > 0 ? s->p->offset : 0) : UINT64_MAX;
    return WR_OK;
}

static void encode(struct sort *s, const struct wr_batch *b, uint32_t r)
{
    wr_buf_reset(&s->key);
    for (int i = 0; i < s->p->n; i++)
        wr_key_put(&s->key, &b->col[s->p->col[i]], r, s->p->desc[i], s->p->nulls_first[i]);
    for (int c = 0; c < b->n_col; c++)
        wr_key_put(&s->key, &b->col[c], r, false, true);
}

static wr_status sort_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err WR_UNUSED)
{
    struct sort *s = op->ctx;
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t r = wr_batch_row(b, k);
        encode(s, b, r);
        wr_omap_add(&s->rows, wr_buf_get(&s->key), wr_op_is_retract(wr_batch_op(b, r)) ? -1 : 1);
        op->n.held++;
        if ((uint64_t)s->rows.total > s->keep) {
            struct wr_omap_it last = wr_omap_last(&s->rows);
            wr_buf_reset(&s->key);
            wr_buf_str(&s->key, wr_omap_key(last));
            wr_omap_add(&s->rows, wr_buf_get(&s->key), -1);
            op->n.held--;
            op->n.filtered++;
        }
    }
    wr_op_weigh(op, s->rows.heap);
    wr_batch_unref(b);
    return WR_OK;
}

static wr_status sort_watermark(struct wr_op *op WR_UNUSED, int64_t w, int64_t *fwd, struct wr_error *err WR_UNUSED)
{
    *fwd = w == WR_WM_END ? w : WR_WM_NONE;
    return WR_OK;
}

/* Reads one entry back into a row of the output. */
static wr_status emit_row(struct wr_op *op, struct wr_str key, struct wr_error *err)
{
    struct sort *s = op->ctx;
    const struct wr_schema *out = op->plan->out;
    struct wr_value v;
    wr_arena_reset(&s->scratch);
    for (int i = 0; i < s->p->n; i++)
        if (!wr_key_take(&key, out->field[s->p->col[i]].type, s->p->desc[i], s->p->nulls_first[i], &s->scratch, &v))
            WR_BUG("sort: an entry cannot be read back");
    if (wr_builder_full(&s->out))
        WR_TRY(wr_emit(op, wr_builder_take(&s->out), err));
    uint32_t r = wr_builder_row(&s->out, WR_OP_INSERT);
    for (int c = 0; c < out->n; c++) {
        if (!wr_key_take(&key, out->field[c].type, false, true, &s->scratch, &v))
            WR_BUG("sort: an entry cannot be read back");
        wr_builder_set(&s->out, c, r, &v);
    }
    return WR_OK;
}

static wr_status sort_finish(struct wr_op *op, struct wr_error *err)
{
    struct sort *s = op->ctx;
    int64_t skip = s->p->offset > 0 ? s->p->offset : 0, left = s->done ? 0 : s->p->limit < 0 ? INT64_MAX : s->p->limit;
    s->done = true;
    for (struct wr_omap_it it = wr_omap_first(&s->rows); wr_omap_valid(it) && left > 0; wr_omap_next(&it))
        for (int64_t n = wr_omap_num(it); n > 0 && left > 0; n--) {
            if (skip > 0) {
                skip--;
                continue;
            }
            WR_TRY(emit_row(op, wr_omap_key(it), err));
            left--;
        }
    op->n.passed += op->n.held;
    op->n.held = 0;
    return wr_emit(op, wr_builder_take(&s->out), err);
}

static void sort_close(struct wr_op *op)
{
    struct sort *s = op->ctx;
    wr_omap_clear(&s->rows);
    wr_buf_clear(&s->key);
    wr_arena_clear(&s->scratch);
    wr_batch_unref(wr_builder_take(&s->out));
    free(s);
    op->ctx = NULL;
}

/* Bounded input ends soon: the content is written whole. */
static wr_status sort_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct sort *s = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64), value = WR_BUF_INIT(UINT32_MAX);
    wr_op_key(&key, op, 's');
    wr_buf_u8(&value, s->done);
    wr_omap_save(&s->rows, &value);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    wr_buf_clear(&key);
    wr_buf_clear(&value);
    return WR_OK;
}

static wr_status sort_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct sort *s = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str value;
    uint8_t done = 0;
    wr_op_key(&key, op, 's');
    bool ok = true;
    if (wr_store_get(r, wr_buf_get(&key), &value))
        ok = wr_take_u8(&value, &done) && wr_omap_load(&s->rows, &value);
    wr_buf_clear(&key);
    s->done = done;
    op->n.held = op->n.in = (uint64_t)s->rows.total;
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the checkpoint's state of ORDER BY is damaged");
}

const struct wr_op_vt wr_op_sort = {
    .name = "sort", .open = sort_open, .process = sort_process, .watermark = sort_watermark, .tick = wr_op_no_tick, .flush = wr_op_no_flush,
    .finish = sort_finish, .checkpoint = sort_checkpoint, .restore = sort_restore, .close = sort_close,
};

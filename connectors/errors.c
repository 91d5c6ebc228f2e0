/* errors.c: what is put aside as rows: the columns of source$errors, of dead-letter topics and of dead-letter tables.
 * Memory: text is copied into the builder's batch. */
#include "connectors/connector.h"

const struct wr_schema *wr_errors_schema(void)
{
    static struct wr_field field[] = {
        {.name = {"raw", 3}, .type = {.id = WR_T_BYTES}, .nullable = true},
        {.name = {"topic", 5}, .type = {.id = WR_T_TEXT}, .nullable = true},
        {.name = {"partition", 9}, .type = {.id = WR_T_INT}, .nullable = true},
        {.name = {"offset", 6}, .type = {.id = WR_T_BIGINT}, .nullable = true},
        {.name = {"timestamp", 9}, .type = {.id = WR_T_TIMESTAMP}, .nullable = true},
        {.name = {"reason", 6}, .type = {.id = WR_T_TEXT}},
        {.name = {"column", 6}, .type = {.id = WR_T_TEXT}, .nullable = true},
        {.name = {"message", 7}, .type = {.id = WR_T_TEXT}, .nullable = true},
    };
    static const struct wr_schema schema = {.n = sizeof(field) / sizeof(field[0]), .field = field};
    return &schema;
}

static void put_text(struct wr_batch *b, int col, uint32_t row, struct wr_str s)
{
    WR_VEC_STR(&b->col[col])[row] = wr_arena_str(&b->mem, s);
}

void wr_errors_add(struct wr_builder *bl, const struct wr_bad *bad)
{
    const struct wr_origin *o = &bad->from;
    uint32_t r = wr_builder_row(bl, WR_OP_INSERT);
    struct wr_batch *b = bl->b;
    for (int c = 0; c < b->n_col; c++)
        wr_builder_null(bl, c, r);
    int c = 0;
#define SET(cond, stmt)                       \
    do {                                      \
        if (cond) {                           \
            stmt;                             \
            b->col[c].nulls[r] = 0;           \
        }                                     \
        c++;                                  \
    } while (0)
    SET(o->raw.p != NULL, put_text(b, c, r, o->raw));
    SET(o->topic.n > 0, put_text(b, c, r, o->topic));
    SET(o->part >= 0, WR_VEC_I64(&b->col[c])[r] = o->part);
    SET(o->offset >= 0, WR_VEC_I64(&b->col[c])[r] = o->offset);
    SET(o->ts_us != INT64_MIN, WR_VEC_I64(&b->col[c])[r] = o->ts_us);
    SET(true, put_text(b, c, r, wr_str_c(wr_reason_name(bad->reason))));
    SET(bad->column.n > 0, put_text(b, c, r, bad->column));
    SET(true, put_text(b, c, r, wr_str_c(bad->msg[0] ? bad->msg : wr_reason_help(bad->reason))));
#undef SET
}

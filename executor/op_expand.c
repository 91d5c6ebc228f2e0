/* op_expand.c: GROUPING SETS: hands each batch on once for each set, with the keys that are not in the set NULL and the set's number behind.
 * Rules:  no state; changes stay changes; row numbers stay, so bad rows above are still traced to their origin.
 * Memory: views that hold the input; a key that is not in the set is one NULL for all rows. */
#include "executor/internal.h"

static void one_for_all(struct wr_batch *out, int col, struct wr_type type, bool null, int64_t v)
{
    struct wr_vec *to = &out->col[col];
    *to = (struct wr_vec){.type = type, .constant = true, .data = wr_arena_zero(&out->mem, 16)};
    if (null)
        *wr_vec_nulls(to, 1, &out->mem) = 1;
    else
        WR_VEC_I64(to)[0] = v;
}

static struct wr_batch *copy_for(const struct wr_plan *plan, struct wr_batch *b, int64_t set)
{
    const struct wr_plan_expand *p = &plan->u.expand;
    struct wr_batch *out = wr_batch_view(b, b->n_col + 1);
    memcpy(out->col, b->col, sizeof b->col[0] * (size_t)b->n_col);
    for (int k = 0; k < p->n_key; k++)
        if (set >> k & 1)
            one_for_all(out, p->key[k], b->col[p->key[k]].type, true, 0);
    one_for_all(out, b->n_col, WR_TYPE_OF(BIGINT), false, set);
    return out;
}

static wr_status expand_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_expand *p = &op->plan->u.expand;
    wr_status st = WR_OK;
    op->n.passed += b->n_live;
    for (int s = 0; s < p->n_set && st == WR_OK; s++)
        st = wr_emit(op, copy_for(op->plan, b, p->set[s]), err);
    wr_batch_unref(b);
    return st;
}

const struct wr_op_vt wr_op_expand = {
    .name = "expand", .open = wr_op_no_open, .process = expand_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

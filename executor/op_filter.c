/* op_filter.c: keeps the rows for which a predicate is true.
 * Rules:  NULL counts as false; order is kept; watermarks pass; no state. Rows are not copied, the selection shrinks.
 *         An update of which one half passes becomes an addition or a deletion (pairs.c).
 * Memory: the evaluation's vectors live in `scratch`, reset for each batch; `pred` lives in the plan. */
#include "executor/op.h"
#include "executor/internal.h"

#include <stdlib.h>

struct filter {
    struct wr_arena scratch;
};

static wr_status filter_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    op->ctx = wr_calloc(1, sizeof(struct filter));
    return WR_OK;
}

static wr_status filter_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct filter *f = op->ctx;
    wr_arena_reset(&f->scratch);
    wr_eval_begin(&op->ev, b, &f->scratch);
    op->ev.now_us = op->task->now_us;
    uint32_t *pick = wr_arena_alloc(&f->scratch, sizeof(uint32_t) * b->n_live);
    uint32_t kept = 0, n_bad;
    wr_eval_pick(&op->ev, op->plan->u.filter.pred, b, b->sel, b->n_live, pick, &kept);
    n_bad = op->ev.n_bad;
    wr_status st = wr_op_take_bad(op, b, pick, &kept, err);
    op->n.filtered += b->n_live - kept - n_bad;
    op->n.passed += kept;
    if (st || kept == 0) {
        wr_batch_unref(b);
        return st;
    }
    if (kept < b->n_live || b->op)
        b = wr_batch_select(b, pick, kept);
    wr_pairs_mend(b);
    return wr_emit(op, b, err);
}

static void filter_close(struct wr_op *op)
{
    struct filter *f = op->ctx;
    wr_arena_clear(&f->scratch);
    free(f);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_filter = {
    .name = "filter", .open = filter_open, .process = filter_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = filter_close,
};

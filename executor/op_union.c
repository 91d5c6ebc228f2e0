/* op_union.c: UNION ALL: all inputs' rows as they come.
 * Rules:  the columns were made equal by the planner; the watermark is the inputs' minimum, which op.c keeps; no state. */
#include "executor/op.h"

static wr_status union_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    op->n.passed += b->n_live;
    return wr_emit(op, b, err);
}

const struct wr_op_vt wr_op_union = {
    .name = "union", .open = wr_op_no_open, .process = union_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

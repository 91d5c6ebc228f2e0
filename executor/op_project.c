/* op_project.c: computes the output columns, one expression each.
 * Rules:  a plain column reference shares the input's vector; rows, order, ops and row numbers stay; a row that fails is bad and leaves.
 * Memory: the output is a view that holds the input; results live in the view's arena. */
#include "executor/op.h"
#include "executor/internal.h"

static wr_status project_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_project *p = &op->plan->u.project;
    struct wr_batch *out = wr_batch_view(b, p->n);
    wr_eval_begin(&op->ev, b, &out->mem);
    op->ev.now_us = op->task->now_us;
    for (int c = 0; c < p->n; c++) {
        wr_eval(&op->ev, p->expr[c], b, b->sel, b->n_live, &out->col[c]);
        out->col[c].type = op->plan->out->field[c].type;
    }
    if (op->ev.n_bad) {
        uint32_t *sel = wr_live_rows(b, &out->mem), n = b->n_live;
        wr_status st = wr_op_take_bad(op, b, sel, &n, err);
        if (st) {
            wr_batch_unref(out);
            wr_batch_unref(b);
            return st;
        }
        out = wr_batch_select(out, sel, n);
        wr_pairs_mend(out);
    }
    wr_batch_unref(b); /* the view holds it */
    op->n.passed += out->n_live;
    return wr_emit(op, out, err);
}

const struct wr_op_vt wr_op_project = {
    .name = "project", .open = wr_op_no_open, .process = project_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

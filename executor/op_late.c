/* op_late.c: takes out rows that are late: all windows they belong to have closed (W >= end + lateness, W just before the row).
 * Rules:  the decision is made here, below any exchange, where the watermark of each row is exact. No state.
 *         A row whose window cannot be computed (its time is NULL) is bad. */
#include "executor/internal.h"
#include "executor/window.h"

static inline int64_t end_of(const struct wr_plan_late *p, const struct wr_vec *time, uint32_t r)
{
    int64_t t = WR_VEC_I64(time)[wr_vec_at(time, r)];
    return p->win.kind == WR_WIN_ATTACHED ? t : wr_window_last_end(&p->win, t);
}

static wr_status late_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_late *p = &op->plan->u.late;
    const struct wr_vec *time = &b->col[p->win.kind == WR_WIN_ATTACHED ? p->win.end_col : p->win.time_col];
    if (!b->wm && !time->nulls && p->win.kind != WR_WIN_ATTACHED) {
        op->n.passed += b->n_live; /* the watermark operator has seen that no row can be late */
        return wr_emit(op, b, err);
    }
    struct wr_arena scratch = {0};
    uint32_t *keep = wr_arena_alloc(&scratch, sizeof *keep * b->n_live), n_keep = 0;
    uint32_t *late = wr_arena_alloc(&scratch, sizeof *late * b->n_live), n_late = 0;
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++) {
        uint32_t r = wr_batch_row(b, k);
        if (wr_vec_null(time, r))
            st = wr_op_bad(op, b, r, WR_R_TS_NULL, (struct wr_str){0}, (struct wr_str){0}, err);
        else if (wr_window_is_late(end_of(p, time, r), p->lateness, wr_batch_wm(b, r)))
            late[n_late++] = r;
        else
            keep[n_keep++] = r;
    }
    if (st == WR_OK && n_late)
        st = wr_op_late(op, b, late, n_late, err);
    op->n.passed += n_keep;
    if (st || n_keep == 0)
        wr_batch_unref(b);
    else
        st = wr_emit(op, n_keep == b->n_live ? b : wr_batch_select(b, keep, n_keep), err);
    wr_arena_clear(&scratch);
    return st;
}

const struct wr_op_vt wr_op_late_filter = {
    .name = "late", .open = wr_op_no_open, .process = late_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

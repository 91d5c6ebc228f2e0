/* op_union.c: UNION ALL: all inputs' rows as they come.
 * Rules:  the columns were made equal by the planner. The watermark is the inputs' minimum, which op.c keeps; a row comes with the one of its own
 *         source, so it is stamped anew with what the union as a whole had just before it. No state. */
#include "core/time.h"
#include "executor/op.h"

/* The least watermark of the inputs beside `in` that still count. */
static int64_t others(const struct wr_op *op, int in)
{
    int64_t least = WR_WM_END;
    for (int i = 0; i < op->n_in; i++)
        for (int u = 0; i != in && u < op->input[i].n_up; u++)
            if (!op->input[i].ended[u] && !op->input[i].idle[u] && op->input[i].wm[u] < least)
                least = op->input[i].wm[u];
    return least;
}

/* A row's watermark: its own source's, held back by the other inputs, but never back behind the union's. */
static int64_t stamp(int64_t own, int64_t cap, int64_t floor)
{
    int64_t w = own < cap ? own : cap;
    return w > floor ? w : floor;
}

static wr_status union_process(struct wr_op *op, int in, struct wr_batch *b, struct wr_error *err)
{
    int64_t floor = op->wm, cap = op->input[in].n_up > 1 ? floor : others(op, in);
    op->n.passed += b->n_live;
    bool same = b->wm ? cap == WR_WM_END && floor == WR_WM_NONE : stamp(b->wm0, cap, floor) == b->wm0;
    if (same)
        return wr_emit(op, b, err);
    struct wr_batch *out = wr_batch_view(b, b->n_col);
    memcpy(out->col, b->col, sizeof b->col[0] * (size_t)b->n_col);
    int64_t *wm = wr_arena_alloc(&out->mem, sizeof *wm * (b->len ? b->len : 1));
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t r = wr_batch_row(b, k);
        wm[r] = stamp(wr_batch_wm(b, r), cap, floor);
    }
    out->wm0 = stamp(b->wm0, cap, floor);
    out->wm = b->wm || out->wm0 > b->wm0 ? wm : NULL; /* held back, rows that could not be late still cannot */
    wr_batch_unref(b);
    return wr_emit(op, out, err);
}

const struct wr_op_vt wr_op_union = {
    .name = "union", .open = wr_op_no_open, .process = union_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

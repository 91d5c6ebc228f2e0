/* op_window.c: adds window_start, window_end, window_time to each row: TUMBLE, HOP, CUMULATE without a grouping right above them.
 * Rules:  one row out for each window of the row, oldest window first; a row without a time is bad. No state, nothing is late here.
 * Memory: TUMBLE shares the input's columns; the others gather copies of the values (text stays borrowed from the held input). */
#include "executor/internal.h"
#include "executor/window.h"

static void set_window(struct wr_batch *out, int first, uint32_t row, int64_t start, int64_t end)
{
    WR_VEC_I64(&out->col[first])[row] = start;
    WR_VEC_I64(&out->col[first + 1])[row] = end;
    WR_VEC_I64(&out->col[first + 2])[row] = end - 1;
}

static void new_columns(struct wr_batch *out, int first, uint32_t rows)
{
    for (int i = 0; i < 3; i++)
        wr_vec_init(&out->col[first + i], WR_TYPE_OF(TIMESTAMP), rows ? rows : 1, &out->mem);
}

/* One window a row: a view with three more columns. */
static struct wr_batch *assign_one(const struct wr_plan_window *p, struct wr_batch *b, const uint32_t *row, uint32_t n)
{
    struct wr_batch *out = wr_batch_view(b, b->n_col + 3);
    memcpy(out->col, b->col, sizeof b->col[0] * (size_t)b->n_col);
    new_columns(out, b->n_col, b->len);
    const struct wr_vec *time = &b->col[p->win.time_col];
    for (uint32_t k = 0; k < n; k++) {
        int64_t start = wr_window_start(WR_VEC_I64(time)[wr_vec_at(time, row[k])], p->win.size, p->win.offset);
        set_window(out, b->n_col, row[k], start, start + p->win.size);
    }
    return wr_batch_select(out, row, n);
}

/* Several: rows are remade, so row numbers are new and origins are lost. */
static struct wr_batch *assign_many(struct wr_op *op, struct wr_batch *b, const uint32_t *row, uint32_t n, struct wr_arena *scratch)
{
    const struct wr_plan_window *p = &op->plan->u.window;
    int max = wr_window_count_max(&p->win);
    const struct wr_vec *time = &b->col[p->win.time_col];
    size_t most = (size_t)n * (size_t)max;
    uint32_t *from = wr_arena_alloc(scratch, sizeof *from * (most ? most : 1)), at = 0;
    int64_t *start = wr_arena_alloc(scratch, sizeof *start * (most ? most : 1));
    int64_t *end = wr_arena_alloc(scratch, sizeof *end * (most ? most : 1));
    for (uint32_t k = 0; k < n; k++) {
        int got = wr_window_list(&p->win, WR_VEC_I64(time)[wr_vec_at(time, row[k])], start + at, end + at, max);
        for (int i = 0; i < got; i++)
            from[at++] = row[k];
    }
    struct wr_batch *out = wr_batch_new(op->plan->out, at ? at : 1);
    wr_batch_hold(out, (void (*)(void *))wr_batch_unref, wr_batch_ref(b));
    out->len = out->n_live = at;
    for (int c = 0; c < b->n_col; c++)
        wr_vec_gather(&out->col[c], &b->col[c], from, at, &out->mem, false);
    int64_t *wm = wr_arena_alloc(&out->mem, sizeof *wm * (at ? at : 1));
    int8_t *ops = b->op ? wr_arena_alloc(&out->mem, at ? at : 1) : NULL;
    for (uint32_t i = 0; i < at; i++) {
        set_window(out, b->n_col, i, start[i], end[i]);
        wm[i] = wr_batch_wm(b, from[i]);
        if (ops)
            ops[i] = b->op[from[i]];
    }
    out->wm = wm;
    out->wm0 = b->wm0;
    out->op = ops;
    return out;
}

static wr_status window_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_window *p = &op->plan->u.window;
    struct wr_arena scratch = {0};
    uint32_t *row = wr_arena_alloc(&scratch, sizeof *row * b->n_live), n = 0;
    const struct wr_vec *time = &b->col[p->win.time_col];
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++) {
        uint32_t r = wr_batch_row(b, k);
        if (wr_vec_null(time, r))
            st = wr_op_bad(op, b, r, WR_R_TS_NULL, (struct wr_str){0}, (struct wr_str){0}, err);
        else
            row[n++] = r;
    }
    op->n.passed += n;
    if (st == WR_OK)
        st = wr_emit(op, p->win.kind == WR_WIN_TUMBLE ? assign_one(p, b, row, n) : assign_many(op, b, row, n, &scratch), err);
    wr_batch_unref(b);
    wr_arena_clear(&scratch);
    return st;
}

const struct wr_op_vt wr_op_window = {
    .name = "window", .open = wr_op_no_open, .process = window_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

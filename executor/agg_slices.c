/* agg_slices.c: HOP and CUMULATE out of slices.
 *
 * A row is added to one slice, of width gcd(size, slide) (CUMULATE: step). A window's result for a key is the merge of that key's states over
 * the window's slices, in time order. Window panes are made when results are due:
 *   CHANGES:  at a flush, for each key touched in a slice, in each open window over that slice;
 *   FINAL:    when no late row can reach the window any more, once.
 * Rules:  a window with end + lateness <= W is never touched again, also when a late row still feeds other windows through a shared slice:
 *         windows close before such a row is added (op_agg.c, add_batch).
 * Memory: panes as in op_agg.c; input rows are counted in slices only. */
#include "executor/agg.h"

/* Least window end > t. Ends are aligned: offset + size + k * slide; CUMULATE: offset + k * step. */
static int64_t end_after(const struct wr_window *w, int64_t t)
{
    if (w->kind == WR_WIN_CUMULATE)
        return wr_window_start(t, w->slide, w->offset) + w->slide;
    return wr_window_start(t - w->size, w->slide, w->offset) + w->slide + w->size;
}

static int64_t start_of(const struct wr_window *w, int64_t end)
{
    return w->kind == WR_WIN_CUMULATE ? wr_window_start(end - 1, w->size, w->offset) : end - w->size;
}

/* Windows up to this end are out of reach at watermark w. */
static int64_t drop_limit(const struct wr_agg_op *a, int64_t w) { return w == WR_WM_NONE || w == WR_WM_END ? w : w - a->p->lateness; }

/* First slice with end > t. */
static int slice_from(const struct wr_agg_op *a, int64_t t)
{
    int lo = 0, hi = a->input.n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (a->input.pane[mid]->end <= t)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void merge_into(const struct wr_group_layout *l, struct wr_group *x, struct wr_group *slice_group)
{
    x->flags &= (uint8_t)~WR_GROUP_SAME;
    x->rows += slice_group->rows;
    for (int k = 0; k < l->n_agg; k++)
        wr_aggcall_merge(&l->agg[k], wr_group_state(l, x, k), wr_group_state(l, slice_group, k));
}

/* Makes the group's states in window w anew from the slices. */
static void recompute(struct wr_agg_op *a, struct wr_pane *w, struct wr_group *x)
{
    wr_group_reset(&a->layout, x);
    for (int i = slice_from(a, w->start); i < a->input.n && a->input.pane[i]->start < w->end; i++) {
        struct wr_group *s = wr_groups_like(&a->input.pane[i]->groups, x, false);
        if (s)
            merge_into(&a->layout, x, s);
    }
    wr_groups_weigh(&w->groups, x);
}

static void touch_window(struct wr_agg_op *a, struct wr_pane *w, struct wr_group *x)
{
    wr_pane_touch(a, w, x);
    if (a->track)
        wr_pane_changed(w, x);
}

/* Marks what the touched keys of a slice change. */
static void spread(struct wr_agg_op *a, struct wr_pane *slice)
{
    int max = wr_window_count_max(&a->p->win) + 1;
    int64_t *start = wr_arena_alloc(&a->scratch, sizeof *start * (size_t)max), *end = wr_arena_alloc(&a->scratch, sizeof *end * (size_t)max);
    int n = wr_window_list(&a->p->win, slice->start, start, end, max);
    int64_t limit = drop_limit(a, a->closed);
    for (int i = 0; i < n; i++) {
        if (limit != WR_WM_NONE && end[i] <= limit)
            continue;
        struct wr_pane *w = wr_pane_at(a, &a->window, start[i], end[i]);
        for (uint32_t k = 0; k < slice->n_dirty; k++)
            touch_window(a, w, wr_groups_like(&w->groups, slice->dirty[k].group, true));
    }
    for (uint32_t k = 0; k < slice->n_dirty; k++)
        slice->dirty[k].group->flags &= (uint8_t)~WR_GROUP_DIRTY;
    wr_pane_paid(a, slice);
    slice->n_dirty = 0;
}

static void spread_all(struct wr_agg_op *a)
{
    for (int i = 0; i < a->input.n; i++)
        if (a->input.pane[i]->n_dirty > 0)
            spread(a, a->input.pane[i]);
}

/* Emits changes of the windows with end <= upto. */
static wr_status flush_windows(struct wr_op *op, int64_t upto, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    for (int i = 0; i < a->window.n && a->window.pane[i]->end <= upto; i++) {
        struct wr_pane *w = a->window.pane[i];
        for (uint32_t k = 0; k < w->n_dirty; k++)
            recompute(a, w, w->dirty[k].group);
        WR_TRY(wr_pane_flush(op, w, err));
    }
    return WR_OK;
}

wr_status wr_slices_flush(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    spread_all(a);
    return flush_windows(op, WR_WM_END, err);
}

/* Adds a slice's group to its window's. */
struct into { struct wr_op *op; struct wr_pane *window; uint32_t n; };
static wr_status add_slice_group(void *ctx, struct wr_group *s, enum wr_each *then WR_UNUSED, struct wr_error *err)
{
    struct into *t = ctx;
    struct wr_agg_op *a = t->op->ctx;
    struct wr_group *x = wr_groups_like(&t->window->groups, s, true);
    merge_into(&a->layout, x, s);
    wr_groups_weigh(&t->window->groups, x);
    if (a->track)
        wr_pane_changed(t->window, x);
    return ++t->n % WR_BATCH_ROWS == 0 ? wr_agg_limit(t->op, err) : WR_OK;
}

/* EMIT FINAL: all keys of all slices of the window that ends at `end`. */
static wr_status fire(struct wr_op *op, int64_t end, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_pane *w = wr_pane_at(a, &a->window, start_of(&a->p->win, end), end);
    struct into t = {.op = op, .window = w};
    for (int i = slice_from(a, w->start); i < a->input.n && a->input.pane[i]->start < w->end; i++)
        WR_TRY(wr_pane_each(a, a->input.pane[i], add_slice_group, &t, err));
    return wr_pane_fire(op, w, err);
}

/* EMIT FINAL: emits the windows with end <= w that were not emitted, in order of their ends, passing over stretches without rows. */
static wr_status fire_upto(struct wr_op *op, int64_t w, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    const struct wr_window *win = &a->p->win;
    int64_t end = a->input.n ? end_after(win, a->input.pane[0]->start) : WR_WM_END;
    if (a->fired_to != WR_WM_NONE && end <= a->fired_to)
        end = end_after(win, a->fired_to);
    while (a->input.n && end <= w) {
        int i = slice_from(a, start_of(win, end));
        if (i == a->input.n)
            break;
        if (a->input.pane[i]->start >= end) {
            end = end_after(win, a->input.pane[i]->start);
            continue;
        }
        WR_TRY(fire(op, end, err));
        if (w != WR_WM_END)
            a->fired_to = end; /* END is not kept: the input may grow */
        end = end_after(win, end);
    }
    if (w != WR_WM_END && (a->fired_to == WR_WM_NONE || a->fired_to < w))
        a->fired_to = w; /* windows up to w are over, with rows or without */
    return WR_OK;
}

wr_status wr_slices_close(struct wr_op *op, int64_t w, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    if (w == WR_WM_NONE || w <= a->closed)
        return WR_OK;
    /* Rows added so far belong to the windows as they were before w. */
    int64_t limit = drop_limit(a, w);
    if (a->final) {
        WR_TRY(fire_upto(op, limit, err));
    } else {
        spread_all(a);
        WR_TRY(flush_windows(op, w, err));
    }
    WR_TRY(wr_agg_emit(op, err));
    a->closed = w;
    while (a->window.n > 0 && a->window.pane[0]->end <= limit)
        wr_pane_drop(op, &a->window, 0);
    while (a->input.n > 0 && wr_window_last_end(&a->p->win, a->input.pane[0]->start) <= limit)
        wr_pane_drop(op, &a->input, 0);
    if (w == WR_WM_END)
        return WR_OK;
    int64_t fires = end_after(&a->p->win, w), drops = end_after(&a->p->win, limit) + a->p->lateness;
    a->next_event = fires < drops ? fires : drops;
    return WR_OK;
}

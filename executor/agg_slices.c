/* agg_slices.c: HOP and CUMULATE out of slices.
 *
 * A row is added to one slice, of width gcd(size, slide) (CUMULATE: step). A window's result for a key is the merge of that key's states over
 * the window's slices, in time order; slices are merged ahead (agg_sums.c). Window panes are made when results are due:
 *   CHANGES:  at a flush, for each key touched in a slice, in each open window over that slice; when windows close, for those alone;
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

void wr_group_merge(const struct wr_group_layout *l, struct wr_group *x, struct wr_group *y)
{
    x->flags &= (uint8_t)~WR_GROUP_SAME;
    x->rows += y->rows;
    for (int k = 0; k < l->n_agg; k++)
        wr_aggcall_merge(&l->agg[k], wr_group_state(l, x, k), wr_group_state(l, y, k));
}

/* Makes the group's states in window w anew from the slices. */
static wr_status recompute(struct wr_agg_op *a, struct wr_pane *w, struct wr_group *x, struct wr_error *err)
{
    wr_group_reset(&a->layout, x);
    if (!a->sums.off) {
        WR_TRY(wr_sums_key(a, w->start, w->end, x, err));
    } else {
        for (int i = slice_from(a, w->start); i < a->input.n && a->input.pane[i]->start < w->end; i++) {
            struct wr_group *s = wr_groups_like(&a->input.pane[i]->groups, x, false);
            if (s)
                wr_group_merge(&a->layout, x, s);
        }
    }
    wr_groups_weigh(&w->groups, x);
    return WR_OK;
}

/* Adds a group of slices to its window's. */
struct into { struct wr_op *op; struct wr_pane *window; uint32_t n; };
static wr_status add_slice_group(void *ctx, struct wr_group *s, enum wr_each *then WR_UNUSED, struct wr_error *err)
{
    struct into *t = ctx;
    struct wr_agg_op *a = t->op->ctx;
    struct wr_group *x = wr_groups_like(&t->window->groups, s, true);
    wr_pane_touch(a, t->window, x);
    wr_group_merge(&a->layout, x, s);
    wr_groups_weigh(&t->window->groups, x);
    if (a->track)
        wr_pane_changed(t->window, x);
    return ++t->n % WR_BATCH_ROWS == 0 && a->final ? wr_agg_limit(t->op, err) : WR_OK;
}

/* A new window's groups out of all its slices. */
static wr_status fill(struct wr_op *op, struct wr_pane *w, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct into t = {.op = op, .window = w};
    if (!a->sums.off)
        return wr_sums_each(a, w->start, w->end, add_slice_group, &t, err);
    for (int i = slice_from(a, w->start); i < a->input.n && a->input.pane[i]->start < w->end; i++)
        WR_TRY(wr_pane_each(a, a->input.pane[i], add_slice_group, &t, err));
    return WR_OK;
}

/* ---- CHANGES ---- */

/* The window's results as they are now. One that was not shown yet is made whole; else what its slices had changes for is computed anew. */
static wr_status show(struct wr_op *op, int64_t end, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    int64_t start = start_of(&a->p->win, end);
    struct wr_pane *w = wr_pane_find(&a->window, start, end);
    if (!w) {
        w = wr_pane_at(a, &a->window, start, end);
        WR_TRY(fill(op, w, err));
        return wr_pane_flush(op, w, err);
    }
    for (int i = slice_from(a, start); i < a->input.n && a->input.pane[i]->start < end; i++) {
        struct wr_pane *slice = a->input.pane[i];
        for (uint32_t k = 0; k < slice->n_dirty; k++) {
            struct wr_group *x = wr_groups_like(&w->groups, slice->dirty[k].group, true);
            wr_pane_touch(a, w, x);
            if (a->track)
                wr_pane_changed(w, x);
        }
    }
    for (uint32_t k = 0; k < w->n_dirty; k++)
        WR_TRY(recompute(a, w, w->dirty[k].group, err));
    return wr_pane_flush(op, w, err);
}

/* First slice from i on with changes; a->input.n: there is none. */
static int dirty_from(const struct wr_agg_op *a, int i)
{
    while (i < a->input.n && a->input.pane[i]->n_dirty == 0)
        i++;
    return i;
}

/* Shows the windows with end <= upto that have changes, in order of their ends. */
static wr_status show_upto(struct wr_op *op, int64_t upto, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    const struct wr_window *win = &a->p->win;
    int64_t limit = a->late_rows ? drop_limit(a, a->closed) : a->closed, end = WR_WM_NONE; /* up to `closed` all was shown, but for late rows */
    a->late_rows = false;
    for (int i = dirty_from(a, 0); i < a->input.n; i = dirty_from(a, i)) {
        const struct wr_pane *slice = a->input.pane[i];
        int64_t first = end_after(win, slice->start), last = wr_window_last_end(win, slice->start);
        if (limit != WR_WM_NONE && first <= limit)
            first = end_after(win, limit);
        if (end != WR_WM_NONE && first <= end)
            first = end_after(win, end);
        if (first > upto)
            break; /* later slices have later windows */
        if (first > last) {
            i++; /* its windows were shown for a slice before it, or are dropped; or it lies in a gap */
            continue;
        }
        end = first;
        WR_TRY(show(op, end, err));
    }
    return WR_OK;
}

wr_status wr_slices_flush(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    WR_TRY(show_upto(op, WR_WM_END, err));
    for (int i = dirty_from(a, 0); i < a->input.n; i = dirty_from(a, i)) {
        struct wr_pane *slice = a->input.pane[i];
        for (uint32_t k = 0; k < slice->n_dirty; k++)
            slice->dirty[k].group->flags &= (uint8_t)~WR_GROUP_DIRTY;
        wr_pane_paid(a, slice);
        slice->n_dirty = 0;
    }
    return WR_OK;
}

/* ---- FINAL ---- */

static wr_status fire(struct wr_op *op, int64_t end, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_pane *w = wr_pane_at(a, &a->window, start_of(&a->p->win, end), end);
    WR_TRY(fill(op, w, err));
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
        WR_TRY(show_upto(op, w, err));
    }
    WR_TRY(wr_agg_emit(op, err));
    a->closed = w;
    while (a->window.n > 0 && a->window.pane[0]->end <= limit)
        wr_pane_drop(op, &a->window, 0);
    while (a->input.n > 0 && wr_window_last_end(&a->p->win, a->input.pane[0]->start) <= limit)
        wr_pane_drop(op, &a->input, 0);
    if (w == WR_WM_END)
        return WR_OK;
    wr_sums_drop(a, start_of(&a->p->win, end_after(&a->p->win, limit)));
    int64_t fires = end_after(&a->p->win, w), drops = end_after(&a->p->win, limit) + a->p->lateness;
    a->next_event = fires < drops ? fires : drops;
    return WR_OK;
}

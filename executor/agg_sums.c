/* agg_sums.c: slices of HOP and CUMULATE merged ahead of time, so that a window is not merged from all its slices anew.
 *
 * Slices are numbered by time. A sum of level L holds the merged groups of 2^L slices that begin at a multiple of 2^L; it is made out of the two
 * sums below it when a window first needs it. A window is at most two sums of each level: 10 minutes by 1 second takes 9 merges a group, not 600.
 *
 * Rules:  which slices are merged with which depends on event time alone, and always in time order: results do not depend on when sums were made;
 *         - a row that comes for a slice drops the sums over it;
 *         - where merging saves little (most groups are in one slice only) no sum is kept: it is "split", and its halves are used in its place. So all
 *           sums together hold at most twice as many groups as the slices;
 *         - sums are never saved, and they are the first to go when memory is short: from then on windows are merged from slices alone.
 * Memory: each sum owns its table of groups. */
#include "executor/agg.h"

#include <stdlib.h>

static struct wr_sum **sum_place(struct wr_sum_level *l, int64_t at, bool *found)
{
    int lo = 0, hi = l->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (l->sum[mid]->at < at)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < l->n && l->sum[lo]->at == at;
    return l->sum + lo;
}

static void remove_at(struct wr_sum_level *l, struct wr_sum **where)
{
    wr_groups_clear(&(*where)->groups);
    free(*where);
    memmove(where, where + 1, sizeof *where * (size_t)(l->sum + l->n - where - 1));
    l->n--;
}

static int64_t slice_width(const struct wr_agg_op *a) { return wr_window_slice(&a->p->win); }

/* Number of the slice that begins at t. */
static int64_t number_of(const struct wr_agg_op *a, int64_t t)
{
    int64_t width = slice_width(a);
    return (wr_window_start(t, width, a->p->win.offset) - a->p->win.offset) / width;
}

static struct wr_pane *slice_at(const struct wr_agg_op *a, int64_t number)
{
    int64_t start = a->p->win.offset + number * slice_width(a);
    int lo = 0, hi = a->input.n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (a->input.pane[mid]->start < start)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < a->input.n && a->input.pane[lo]->start == start ? a->input.pane[lo] : NULL;
}

/* ---- walking ---- */

struct visit {
    wr_each_fn fn;
    void *ctx;
};

static wr_status sum_get(struct wr_agg_op *a, int level, int64_t at, struct wr_sum **out, struct wr_error *err);

/* Calls fn for the groups of 2^level slices; *n: how many there were. */
static wr_status visit(struct wr_agg_op *a, int level, int64_t at, const struct visit *v, uint64_t *n, struct wr_error *err)
{
    struct wr_sum *sum;
    if (level == 0) {
        struct wr_pane *p = slice_at(a, at);
        if (!p)
            return WR_OK;
        *n += p->groups.n + p->n_out;
        return wr_pane_each(a, p, v->fn, v->ctx, err);
    }
    WR_TRY(sum_get(a, level, at, &sum, err));
    if (sum->split) {
        WR_TRY(visit(a, level - 1, at * 2, v, n, err));
        return visit(a, level - 1, at * 2 + 1, v, n, err);
    }
    struct wr_group_walk walk = {0};
    enum wr_each then;
    *n += sum->groups.n;
    for (struct wr_group *x; (x = wr_groups_next(&sum->groups, &walk));)
        WR_TRY(v->fn(v->ctx, x, &then, err));
    return WR_OK;
}

struct into_sum { struct wr_agg_op *a; struct wr_sum *sum; };
static wr_status add_to_sum(void *ctx, struct wr_group *x, enum wr_each *then WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    const struct into_sum *t = ctx;
    struct wr_group *y = wr_groups_like(&t->sum->groups, x, true);
    wr_group_merge(&t->a->layout, y, x);
    wr_groups_weigh(&t->sum->groups, y);
    return WR_OK;
}

/* The sum, made if it is not there. */
static wr_status sum_get(struct wr_agg_op *a, int level, int64_t at, struct wr_sum **out, struct wr_error *err)
{
    struct wr_sum_level *l = &a->sums.level[level];
    bool found;
    struct wr_sum **where = sum_place(l, at, &found);
    if (found) {
        *out = *where;
        return WR_OK;
    }
    struct wr_sum *sum = *out = wr_calloc(1, sizeof *sum);
    sum->at = at;
    wr_groups_init(&sum->groups, &a->layout);
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 16;
        l->sum = wr_realloc(l->sum, sizeof(struct wr_sum *) * (size_t)l->cap);
        where = sum_place(l, at, &found);
    }
    memmove(where + 1, where, sizeof *where * (size_t)(l->sum + l->n - where));
    *where = sum;
    l->n++;
    struct into_sum t = {a, sum};
    const struct visit v = {add_to_sum, &t};
    uint64_t n = 0;
    int64_t end = a->p->win.offset + (at + 1) * ((int64_t)1 << level) * slice_width(a);
    WR_TRY(visit(a, level - 1, at * 2, &v, &n, err));
    WR_TRY(visit(a, level - 1, at * 2 + 1, &v, &n, err));
    a->sums.upto = a->sums.upto > end ? a->sums.upto : end;
    if (sum->groups.n > n / 8 * 5 + 4) {
        sum->split = true;
        wr_groups_clear(&sum->groups);
        wr_groups_init(&sum->groups, &a->layout);
    }
    return WR_OK;
}

/* Level of the largest sum that begins with slice `at` and ends with slice `end` or before. */
static int level_at(int64_t at, int64_t end)
{
    int level = 0;
    while (level + 1 < WR_SUM_LEVELS && (at & (((int64_t)2 << level) - 1)) == 0 && at + ((int64_t)2 << level) <= end)
        level++;
    return level;
}

wr_status wr_sums_each(struct wr_agg_op *a, int64_t start, int64_t end, wr_each_fn fn, void *ctx, struct wr_error *err)
{
    const struct visit v = {fn, ctx};
    wr_status st = WR_OK;
    uint64_t n = 0;
    a->sums.busy++;
    for (int64_t at = number_of(a, start), to = number_of(a, end); at < to && st == WR_OK;) {
        int level = a->sums.off ? 0 : level_at(at, to);
        st = visit(a, level, at >> level, &v, &n, err);
        at += (int64_t)1 << level;
    }
    a->sums.busy--;
    if (a->sums.off)
        wr_sums_clear(a);
    return st;
}

/* One key's share of 2^level slices, added to x. */
static wr_status merge_key(struct wr_agg_op *a, int level, int64_t at, struct wr_group *x, struct wr_error *err)
{
    struct wr_groups *from = NULL;
    if (level == 0) {
        struct wr_pane *p = slice_at(a, at);
        from = p ? &p->groups : NULL;
    } else {
        struct wr_sum *sum;
        WR_TRY(sum_get(a, level, at, &sum, err));
        if (sum->split) {
            WR_TRY(merge_key(a, level - 1, at * 2, x, err));
            return merge_key(a, level - 1, at * 2 + 1, x, err);
        }
        from = &sum->groups;
    }
    struct wr_group *y = from ? wr_groups_like(from, x, false) : NULL;
    if (y)
        wr_group_merge(&a->layout, x, y);
    return WR_OK;
}

wr_status wr_sums_key(struct wr_agg_op *a, int64_t start, int64_t end, struct wr_group *x, struct wr_error *err)
{
    for (int64_t at = number_of(a, start), to = number_of(a, end); at < to;) {
        int level = level_at(at, to);
        WR_TRY(merge_key(a, level, at >> level, x, err));
        at += (int64_t)1 << level;
    }
    return WR_OK;
}

/* ---- keeping ---- */

void wr_sums_touch(struct wr_agg_op *a, const struct wr_pane *slice)
{
    int64_t at = number_of(a, slice->start);
    for (int level = 1; level < WR_SUM_LEVELS; level++) {
        bool found;
        struct wr_sum **where = sum_place(&a->sums.level[level], at >> level, &found);
        if (found)
            remove_at(&a->sums.level[level], where);
    }
}

void wr_sums_drop(struct wr_agg_op *a, int64_t before)
{
    int64_t at = number_of(a, before);
    for (int level = 1; level < WR_SUM_LEVELS; level++) {
        struct wr_sum_level *l = &a->sums.level[level];
        while (l->n > 0 && l->sum[0]->at * ((int64_t)1 << level) < at)
            remove_at(l, l->sum);
    }
}

uint64_t wr_sums_bytes(const struct wr_agg_op *a)
{
    uint64_t n = 0;
    for (int level = 1; level < WR_SUM_LEVELS; level++)
        for (int i = 0; i < a->sums.level[level].n; i++)
            n += sizeof(struct wr_sum) + wr_groups_bytes(&a->sums.level[level].sum[i]->groups);
    return n;
}

void wr_sums_clear(struct wr_agg_op *a)
{
    if (a->sums.busy > 0)
        return;
    for (int level = 1; level < WR_SUM_LEVELS; level++) {
        struct wr_sum_level *l = &a->sums.level[level];
        while (l->n > 0)
            remove_at(l, l->sum + l->n - 1);
        free(l->sum);
        *l = (struct wr_sum_level){0};
    }
    a->sums.upto = WR_WM_NONE;
}

bool wr_sums_stop(struct wr_agg_op *a)
{
    bool was_on = !a->sums.off;
    a->sums.off = true;
    wr_sums_clear(a);
    return was_on;
}

/* op_agg.c: GROUP BY with and without windows, DISTINCT, global aggregates.
 *
 *   process:    find each row's pane and group; remember the emitted result of groups touched for the first time since the last flush; add.
 *   flush:      for each touched group: +I, or -U and +U when the result differs, or -D when no row is left.
 *   watermark:  panes with end <= W are flushed; with end + lateness <= W they are dropped (EMIT FINAL: emitted, once, and dropped).
 *   finish:     what is left is final.
 *
 * Rules:  output follows the order in which groups were first touched, never hash order. A result that cannot be computed (overflow) is a bad
 *         row and its group shows no result. Without keys and windows there is exactly one result, also over no rows.
 * Memory: panes own their groups; a closed pane is one free. `before` rows live until the flush. */
#include "executor/agg.h"

#include <stdlib.h>

#include "core/key.h"

/* ---- panes ---- */

static int pane_index(const struct wr_panes *l, int64_t start, int64_t end, bool *found)
{
    int lo = 0, hi = l->n;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        const struct wr_pane *p = l->pane[mid];
        if (p->end < end || (p->end == end && p->start < start))
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < l->n && l->pane[lo]->end == end && l->pane[lo]->start == start;
    return lo;
}

struct wr_pane *wr_pane_find(const struct wr_panes *l, int64_t start, int64_t end)
{
    bool found;
    int i = pane_index(l, start, end, &found);
    return found ? l->pane[i] : NULL;
}

struct wr_pane *wr_pane_at(struct wr_agg_op *a, struct wr_panes *l, int64_t start, int64_t end)
{
    bool found;
    int i = pane_index(l, start, end, &found);
    if (found)
        return l->pane[i];
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->pane = wr_realloc(l->pane, sizeof *l->pane * (size_t)l->cap);
    }
    memmove(&l->pane[i + 1], &l->pane[i], sizeof *l->pane * (size_t)(l->n - i));
    l->n++;
    struct wr_pane *p = wr_calloc(1, sizeof *p);
    p->start = start;
    p->end = end;
    p->op = a->op;
    p->kind = l == &a->input ? 'g' : 'w';
    wr_groups_init(&p->groups, &a->layout);
    l->pane[i] = p;
    return p;
}

static void pane_free(struct wr_pane *p)
{
    wr_groups_clear(&p->groups);
    wr_filter_clear(&p->out);
    free(p->dirty);
    free(p->changed);
    free(p);
}

void wr_pane_drop(struct wr_op *op, struct wr_panes *l, int i)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_pane *p = l->pane[i];
    op->n.passed += p->rows;
    op->n.held -= p->rows;
    if (a->last == p)
        a->last = NULL;
    wr_pane_forget(a, p);
    pane_free(p);
    memmove(&l->pane[i], &l->pane[i + 1], sizeof *l->pane * (size_t)(l->n - i - 1));
    l->n--;
}

/* ---- results ---- */

/* Writes the group's result into row r of b. false: a result left its range. */
static bool write_result(struct wr_agg_op *a, const struct wr_pane *pane, struct wr_group *x, struct wr_batch *b, uint32_t r)
{
    const struct wr_group_layout *l = &a->layout;
    for (int c = 0; c < l->n_key; c++) {
        if (wr_group_null(l, x, c))
            wr_vec_nulls(&b->col[c], b->cap, &b->mem);
        wr_group_key_out(l, x, c, &b->col[c], r, &b->mem);
    }
    if (a->first_agg > l->n_key) {
        WR_VEC_I64(&b->col[l->n_key])[r] = pane->start;
        WR_VEC_I64(&b->col[l->n_key + 1])[r] = pane->end;
    }
    bool ok = true;
    for (int i = 0; i < l->n_agg; i++) {
        struct wr_vec *v = &b->col[a->first_agg + i];
        wr_vec_nulls(v, b->cap, &b->mem);
        v->nulls[r] = 0;
        ok &= wr_aggcall_result(&l->agg[i], wr_group_state(l, x, i), v, r, &b->mem);
    }
    return ok;
}

static void unwrite(struct wr_batch *b)
{
    b->len--;
    b->n_live--;
}

static bool same_result(const struct wr_agg_op *a, const struct wr_batch *x, uint32_t i, const struct wr_batch *y, uint32_t j)
{
    for (int k = 0; k < a->layout.n_agg; k++) {
        const struct wr_vec *v = &x->col[a->first_agg + k], *w = &y->col[a->first_agg + k];
        bool null = wr_vec_null(v, i);
        if (null != wr_vec_null(w, j) || (!null && wr_vec_cmp(v, i, w, j) != 0))
            return false;
    }
    return true;
}

wr_status wr_agg_emit(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_batch *b = wr_builder_take(&a->out);
    if (!b)
        return WR_OK;
    b->wm0 = op->wm_out;
    return wr_emit(op, b, err);
}

/* Room for a pair of rows, so that -U and +U stay in one batch. */
static wr_status two_rows(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    if (a->out.b && a->out.b->len + 2 > a->out.b->cap)
        return wr_agg_emit(op, err);
    return WR_OK;
}

static wr_status result_bad(struct wr_op *op, struct wr_error *err)
{
    struct wr_bad bad = {.reason = WR_R_OVERFLOW, .from = {.part = -1, .offset = -1, .ts_us = INT64_MIN}};
    bad.column = op->plan->out->field[((struct wr_agg_op *)op->ctx)->first_agg].name;
    return wr_job_bad(op, NULL, &bad, err);
}

/* ---- before rows ---- */

struct wr_batch *wr_agg_before_row(struct wr_agg_op *a, uint32_t *place, uint32_t *row)
{
    uint32_t at = a->n_before / WR_BATCH_ROWS;
    if (at >= a->cap_before) {
        uint32_t cap = a->cap_before ? a->cap_before * 2 : 4;
        a->before = wr_realloc(a->before, sizeof(struct wr_batch *) * cap);
        memset(a->before + a->cap_before, 0, sizeof(struct wr_batch *) * (cap - a->cap_before));
        a->cap_before = cap;
    }
    if (!a->before[at])
        a->before[at] = wr_batch_new(a->out.schema, WR_BATCH_ROWS);
    *row = a->n_before % WR_BATCH_ROWS;
    a->before[at]->len = a->before[at]->n_live = *row + 1;
    *place = a->n_before++;
    return a->before[at];
}

/* Keeps the group's result as it is now; returns its place. */
static uint32_t keep_before(struct wr_agg_op *a, const struct wr_pane *pane, struct wr_group *x)
{
    uint32_t at, row;
    struct wr_batch *b = wr_agg_before_row(a, &at, &row);
    (void)write_result(a, pane, x, b, row); /* it was emitted, so it was in range */
    return at;
}

void wr_agg_forget_before(struct wr_agg_op *a)
{
    for (uint32_t i = 0; i < a->cap_before && a->before[i]; i++) {
        wr_batch_unref(a->before[i]);
        a->before[i] = NULL;
    }
    a->n_before = 0;
}

void wr_pane_list(struct wr_pane *pane, struct wr_dirty d)
{
    if (pane->n_dirty == pane->cap_dirty) {
        pane->cap_dirty = pane->cap_dirty ? pane->cap_dirty * 2 : 64;
        pane->dirty = wr_realloc(pane->dirty, sizeof *pane->dirty * pane->cap_dirty);
    }
    pane->dirty[pane->n_dirty++] = d;
}

void wr_pane_touch(struct wr_agg_op *a, struct wr_pane *pane, struct wr_group *x)
{
    if ((x->flags & WR_GROUP_DIRTY) || a->final)
        return;
    x->flags = (uint8_t)((x->flags & ~WR_GROUP_SAME) | WR_GROUP_DIRTY);
    wr_pane_list(pane, (struct wr_dirty){x, x->flags & WR_GROUP_EMITTED ? keep_before(a, pane, x) : 0});
}

static void copy_before(struct wr_agg_op *a, const struct wr_dirty *d, enum wr_rowop kind)
{
    const struct wr_batch *from = a->before[d->before / WR_BATCH_ROWS];
    uint32_t i = d->before % WR_BATCH_ROWS;
    uint32_t r = wr_builder_row(&a->out, kind);
    for (int c = 0; c < from->n_col; c++)
        wr_builder_copy(&a->out, c, r, &from->col[c], i);
}

/* ---- flush ---- */

static wr_status flush_group(struct wr_op *op, struct wr_pane *pane, const struct wr_dirty *d, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_group *x = d->group;
    bool was = x->flags & WR_GROUP_EMITTED;
    bool global = a->layout.n_key == 0 && a->p->win.kind == WR_WIN_NONE;
    bool now = x->rows > 0 || global;
    x->flags &= (uint8_t)~WR_GROUP_DIRTY;
    if (a->track && a->p->emit == WR_EMIT_EVERY)
        wr_pane_changed(pane, x); /* a checkpoint may have it as not shown */
    WR_TRY(two_rows(op, err));
    if (now) {
        if (was)
            copy_before(a, d, WR_OP_UPDATE_BEFORE);
        uint32_t r = wr_builder_row(&a->out, was ? WR_OP_UPDATE_AFTER : WR_OP_INSERT);
        if (!write_result(a, pane, x, a->out.b, r)) {
            unwrite(a->out.b);
            if (was)
                a->out.op[r - 1] = WR_OP_DELETE;
            x->flags &= (uint8_t)~WR_GROUP_EMITTED;
            return result_bad(op, err);
        }
        if (was && same_result(a, a->out.b, r - 1, a->out.b, r)) {
            unwrite(a->out.b);
            unwrite(a->out.b);
        }
        x->flags |= WR_GROUP_EMITTED;
        return WR_OK;
    }
    if (was)
        copy_before(a, d, WR_OP_DELETE);
    x->flags &= (uint8_t)~WR_GROUP_EMITTED;
    if (x->rows == 0)
        wr_pane_remove(a, pane, x);
    return WR_OK;
}

wr_status wr_pane_flush(struct wr_op *op, struct wr_pane *pane, struct wr_error *err)
{
    wr_pane_paid(op->ctx, pane);
    for (uint32_t i = 0; i < pane->n_dirty; i++)
        WR_TRY(flush_group(op, pane, &pane->dirty[i], err));
    pane->n_dirty = 0;
    return WR_OK;
}

struct firing { struct wr_op *op; struct wr_pane *pane; bool again; };

static wr_status fire_group(void *ctx, struct wr_group *x, enum wr_each *then, struct wr_error *err)
{
    const struct firing *f = ctx;
    struct wr_agg_op *a = f->op->ctx;
    bool none = x->rows <= 0 && !(a->layout.n_key == 0 && a->p->win.kind == WR_WIN_NONE), fresh = x->flags & WR_GROUP_FRESH;
    x->flags &= (uint8_t)~WR_GROUP_DIRTY;
    if (f->again && (x->flags & WR_GROUP_EMITTED))
        return WR_OK;
    if (a->track && none != fresh) { /* the pane's `fired` says that its groups were emitted; FRESH are those that were not */
        x->flags ^= WR_GROUP_FRESH;
        wr_pane_changed(f->pane, x);
        *then = WR_EACH_STAYS;
    }
    if (none)
        return WR_OK;
    WR_TRY(two_rows(f->op, err));
    uint32_t r = wr_builder_row(&a->out, WR_OP_INSERT);
    if (!write_result(a, f->pane, x, a->out.b, r)) {
        unwrite(a->out.b);
        return result_bad(f->op, err);
    }
    x->flags = (uint8_t)((x->flags & ~WR_GROUP_SAME) | WR_GROUP_EMITTED);
    return WR_OK;
}

wr_status wr_pane_fire(struct wr_op *op, struct wr_pane *pane, struct wr_error *err)
{
    struct firing f = {op, pane, pane->fired}; /* again: a finished job that was started once more */
    pane->fired = true;
    pane->n_dirty = 0;
    return wr_pane_each(op->ctx, pane, fire_group, &f, err);
}

static wr_status flush_all(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    if (a->sliced)
        WR_TRY(wr_slices_flush(op, err));
    else
        for (int i = 0; i < a->input.n; i++)
            WR_TRY(wr_pane_flush(op, a->input.pane[i], err));
    WR_TRY(wr_agg_emit(op, err));
    wr_agg_forget_before(a);
    return wr_agg_limit(op, err);
}

static wr_status agg_flush(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    if (a->final)
        return wr_agg_emit(op, err);
    if (a->p->emit == WR_EMIT_EVERY && !a->due && !op->task->halting)
        return wr_agg_emit(op, err);
    a->due = false;
    return flush_all(op, err);
}

/* What state.ttl is measured in: event time where the input has it, else monotonic time. */
static int64_t ttl_now(const struct wr_op *op) { return op->wm != WR_WM_NONE && op->wm != WR_WM_END ? op->wm : op->task->mono_us; }

static int64_t *touched_at(const struct wr_agg_op *a, struct wr_group *x) { return (int64_t *)(void *)((char *)x + a->layout.extra_offset); }

struct expiry { struct wr_op *op; struct wr_pane *pane; int64_t before; };

static wr_status expire_group(void *ctx, struct wr_group *x, enum wr_each *then, struct wr_error *err WR_UNUSED)
{
    const struct expiry *e = ctx;
    struct wr_agg_op *a = e->op->ctx;
    if ((x->flags & WR_GROUP_DIRTY) || *touched_at(a, x) > e->before)
        return WR_OK;
    uint64_t rows = x->rows > 0 ? (uint64_t)x->rows : 0;
    e->pane->rows -= rows;
    e->op->n.passed += rows;
    e->op->n.held -= rows;
    wr_pane_remove(a, e->pane, x);
    *then = WR_EACH_REMOVED;
    return WR_OK;
}

/* state.ttl: groups untouched for that long are forgotten; what was emitted of them stays with the consumers. */
static wr_status expire(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    int64_t now = ttl_now(op);
    if (a->input.n == 0 || now < a->next_sweep)
        return WR_OK;
    a->next_sweep = now + a->p->ttl / 8 + 1;
    struct expiry e = {op, a->input.pane[0], now - a->p->ttl};
    return wr_pane_each(a, e.pane, expire_group, &e, err);
}

static void measure(struct wr_op *op, int64_t mono_us)
{
    struct wr_agg_op *a = op->ctx;
    if (mono_us < a->next_measure)
        return;
    a->next_measure = mono_us + 100000;
    wr_op_weigh(op, wr_agg_bytes(a));
}

static wr_status agg_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    measure(op, mono_us);
    if (a->layout.extra)
        WR_TRY(expire(op, err));
    if (a->p->emit != WR_EMIT_EVERY)
        return WR_OK;
    if (a->next_due == 0)
        a->next_due = mono_us + a->p->every;
    if (mono_us >= a->next_due) {
        a->due = true;
        a->next_due += ((mono_us - a->next_due) / a->p->every + 1) * a->p->every;
        op->task->dirty = true;
    }
    return WR_OK;
}

/* ---- closing ---- */

static wr_status close_panes(struct wr_op *op, int64_t w, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    if (a->p->win.kind == WR_WIN_NONE)
        return WR_OK;
    int n_drop = 0;
    for (int i = 0; i < a->input.n && a->input.pane[i]->end <= w; i++) {
        struct wr_pane *p = a->input.pane[i];
        bool over = w == WR_WM_END || p->end <= w - a->p->lateness;
        if (!a->final)
            WR_TRY(wr_pane_flush(op, p, err));
        else if (over)
            WR_TRY(wr_pane_fire(op, p, err));
        if (over)
            n_drop = i + 1;
    }
    WR_TRY(wr_agg_emit(op, err));
    while (n_drop-- > 0)
        wr_pane_drop(op, &a->input, 0);
    return WR_OK;
}

static wr_status agg_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    *fwd = w == WR_WM_END || w == WR_WM_NONE ? w : w - a->p->lateness;
    WR_TRY(a->sliced ? wr_slices_close(op, w, err) : close_panes(op, w, err));
    return WR_OK;
}

static wr_status agg_finish(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    if (a->p->win.kind != WR_WIN_NONE)
        return WR_OK; /* the watermark has closed everything */
    struct wr_pane *p = wr_pane_at(a, &a->input, INT64_MIN, INT64_MAX);
    if (a->layout.n_key == 0) {
        struct wr_group *x = wr_groups_only(&p->groups);
        wr_pane_touch(a, p, x);
        if (a->track)
            wr_pane_changed(p, x); /* the result over no rows is given once, also by a job that is started again */
    }
    WR_TRY(a->final ? wr_pane_fire(op, p, err) : wr_pane_flush(op, p, err));
    WR_TRY(wr_agg_emit(op, err));
    op->n.passed += p->rows;
    op->n.held -= p->rows;
    p->rows = 0;
    return WR_OK;
}

/* ---- input ---- */

/* The pane of one row; NULL: its time is NULL. */
static struct wr_pane *pane_of(struct wr_agg_op *a, const struct wr_batch *b, uint32_t r)
{
    const struct wr_window *w = &a->p->win;
    if (w->kind == WR_WIN_NONE)
        return a->last ? a->last : (a->last = wr_pane_at(a, &a->input, INT64_MIN, INT64_MAX));
    const struct wr_vec *time = &b->col[w->kind == WR_WIN_ATTACHED ? w->end_col : w->time_col];
    if (wr_vec_null(time, r))
        return NULL;
    int64_t t = WR_VEC_I64(time)[wr_vec_at(time, r)];
    if (w->kind == WR_WIN_ATTACHED)
        return a->last && a->last->end == t ? a->last : (a->last = wr_pane_at(a, &a->input, 0, t));
    if (a->last && t >= a->last->start && t < a->last->end)
        return a->last;
    int64_t slice = wr_window_slice(w), start = wr_window_start(t, slice, w->offset);
    return a->last = wr_pane_at(a, &a->input, start, start + slice);
}

/* Rows whose FILTER is true, with their groups. */
static void add_filtered(const struct wr_aggcall *c, struct wr_group **group, const struct wr_batch *b, const uint32_t *row, uint32_t n,
                         struct wr_arena *mem)
{
    const struct wr_vec *f = &b->col[c->filter];
    uint32_t *sub = wr_arena_alloc(mem, sizeof *sub * n), m = 0;
    char **to = wr_arena_alloc(mem, sizeof *to * n);
    for (uint32_t k = 0; k < n; k++)
        if (!wr_vec_null(f, row[k]) && WR_VEC_I8(f)[wr_vec_at(f, row[k])]) {
            sub[m] = row[k];
            to[m++] = (char *)group[k];
        }
    if (m)
        wr_aggcall_add(c, to, b, sub, m);
}

static void add_rows(struct wr_agg_op *a, struct wr_group **group, const struct wr_batch *b, const uint32_t *row, uint32_t n)
{
    if (b->op)
        for (uint32_t k = 0; k < n; k++)
            group[k]->rows += wr_op_is_retract(b->op[row[k]]) ? -1 : 1;
    else
        for (uint32_t k = 0; k < n; k++)
            group[k]->rows++;
    for (int i = 0; i < a->layout.n_agg; i++) {
        const struct wr_aggcall *c = &a->layout.agg[i];
        if (c->filter >= 0)
            add_filtered(c, group, b, row, n, &a->scratch);
        else
            wr_aggcall_add(c, (char *const *)(void *)group, b, row, n);
    }
}

/* Rows of one pane: groups found in bulk. */
static void add_run(struct wr_op *op, struct wr_pane *p, const struct wr_batch *b, const uint32_t *row, uint32_t n, const uint64_t *hash)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_group **group = wr_arena_alloc(&a->scratch, sizeof *group * n);
    if (a->sliced && p->start < a->sums.upto)
        wr_sums_touch(a, p);
    a->late_rows |= a->sliced && p->start < a->closed;
    if (a->layout.n_key > 0) {
        wr_groups_find(&p->groups, b, row, n, hash, group);
        for (uint32_t k = 0; k < n; k++)
            if (!(group[k]->flags & WR_GROUP_DIRTY) && !a->final)
                wr_pane_touch(a, p, group[k]);
        if (a->track)
            for (uint32_t k = 0; k < n; k++)
                wr_pane_changed(p, group[k]);
        if (a->layout.extra)
            for (uint32_t k = 0; k < n; k++)
                *touched_at(a, group[k]) = ttl_now(op);
        if (a->limited)
            for (uint32_t k = 0; k < n; k++) {
                group[k]->used = 1;
                group[k]->flags &= (uint8_t)~WR_GROUP_SAME;
            }
    } else {
        struct wr_group *x = wr_groups_only(&p->groups);
        wr_pane_touch(a, p, x);
        if (a->track)
            wr_pane_changed(p, x);
        for (uint32_t k = 0; k < n; k++)
            group[k] = x;
    }
    add_rows(a, group, b, row, n);
    if (a->layout.weighed)
        for (uint32_t k = 0; k < n; k++)
            if (k == 0 || group[k] != group[k - 1]) /* all have their rows by now */
                wr_groups_weigh(&p->groups, group[k]);
    p->rows += n;
    op->n.held += n;
}

/* Splits the rows into runs of one pane. Sliced windows close before a row that sees them closed is added. */
static wr_status add_batch(struct wr_op *op, const struct wr_batch *b, const uint32_t *row, uint32_t n, const uint64_t *hash, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    bool watch = a->sliced && b->wm != NULL;
    uint32_t from = 0;
    struct wr_pane *p = NULL;
    for (uint32_t k = 0; k < n; k++) {
        if (watch && b->wm[row[k]] != WR_WM_NONE && b->wm[row[k]] >= a->next_event) {
            if (k > from)
                add_run(op, p, b, row + from, k - from, hash + from);
            from = k;
            p = NULL;
            WR_TRY(wr_slices_close(op, b->wm[row[k]], err));
        }
        struct wr_pane *q = pane_of(a, b, row[k]);
        if (q == p)
            continue;
        if (k > from && p)
            add_run(op, p, b, row + from, k - from, hash + from);
        from = k;
        p = q;
    }
    if (n > from && p)
        add_run(op, p, b, row + from, n - from, hash + from);
    return WR_OK;
}

static wr_status drop_timeless(struct wr_op *op, const struct wr_batch *b, uint32_t *row, uint32_t *n, struct wr_error *err)
{
    const struct wr_window *w = &((struct wr_agg_op *)op->ctx)->p->win;
    int col = w->kind == WR_WIN_NONE ? -1 : w->kind == WR_WIN_ATTACHED ? w->end_col : w->time_col;
    if (col < 0 || !b->col[col].nulls)
        return WR_OK;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < *n; k++) {
        if (wr_vec_null(&b->col[col], row[k]))
            WR_TRY(wr_op_bad(op, b, row[k], WR_R_TS_NULL, op->plan->in[0]->out->field[col].name, (struct wr_str){0}, err));
        else
            row[kept++] = row[k];
    }
    *n = kept;
    return WR_OK;
}

static wr_status agg_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    wr_arena_reset(&a->scratch);
    uint32_t *row = wr_live_rows(b, &a->scratch), n = b->n_live;
    wr_status st = drop_timeless(op, b, row, &n, err);
    if (st == WR_OK && n > 0) {
        uint64_t *hash = wr_arena_alloc(&a->scratch, sizeof *hash * n);
        if (a->layout.n_key > 0)
            wr_hash_rows(b, a->layout.key, a->layout.n_key, row, n, a->layout.seed, hash);
        st = add_batch(op, b, row, n, hash, err);
    }
    wr_batch_unref(b);
    return st == WR_OK ? wr_agg_limit(op, err) : st;
}

/* ---- life ---- */

static wr_status agg_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_agg *p = &op->plan->u.agg;
    struct wr_agg_op *a = wr_calloc(1, sizeof *a);
    op->ctx = a;
    a->p = p;
    a->op = op;
    a->track = op->task->job->store != NULL;
    a->limited = op->task->job->plan->max_state > 0 || op->task->job->opts.spill_each;
    a->epoch = 1;
    wr_spill_init(&a->spill, op);
    a->sliced = p->win.kind == WR_WIN_HOP || p->win.kind == WR_WIN_CUMULATE;
    a->final = p->emit == WR_EMIT_FINAL;
    a->out.schema = op->plan->out;
    a->closed = a->fired_to = a->next_event = a->sums.upto = WR_WM_NONE;
    a->first_agg = p->n_key + (p->win.kind == WR_WIN_NONE || p->win.kind == WR_WIN_ATTACHED ? 0 : 2);
    wr_group_layout_init(&a->layout, p->n_key, p->key, op->plan->in[0]->out, p->n_agg, p->agg,
                         p->ttl > 0 && p->win.kind == WR_WIN_NONE ? sizeof(int64_t) : 0, &a->arena);
    return WR_OK;
}

static void agg_close(struct wr_op *op)
{
    struct wr_agg_op *a = op->ctx;
    for (int i = 0; i < a->input.n; i++)
        pane_free(a->input.pane[i]);
    for (int i = 0; i < a->window.n; i++)
        pane_free(a->window.pane[i]);
    free(a->input.pane);
    free(a->window.pane);
    wr_sums_clear(a);
    wr_batch_unref(wr_builder_take(&a->out));
    wr_agg_forget_before(a);
    free(a->before);
    wr_buf_clear(&a->gone);
    wr_omap_clear(&a->gone_keys);
    wr_store_reader_free(a->reader);
    wr_spill_clear(&a->spill);
    wr_arena_clear(&a->scratch);
    wr_arena_clear(&a->arena);
    free(a);
    op->ctx = NULL;
}

static uint64_t agg_windows(const struct wr_op *op, struct wr_window_stats *out, int max)
{
    const struct wr_agg_op *a = op->ctx;
    if (a->p->win.kind == WR_WIN_NONE)
        return 0;
    const struct wr_panes *list = a->sliced && !a->final ? &a->window : &a->input;
    for (int i = 0; i < list->n && i < max; i++) {
        const struct wr_pane *p = list->pane[i];
        out[i] = (struct wr_window_stats){p->start, p->end, p->rows, p->groups.n + p->n_out};
    }
    return (uint64_t)list->n;
}

const struct wr_op_vt wr_op_agg = {
    .name = "aggregate", .spills = true, .open = agg_open, .process = agg_process, .watermark = agg_watermark, .tick = agg_tick, .flush = agg_flush,
    .finish = agg_finish, .checkpoint = wr_agg_checkpoint, .restore = wr_agg_restore, .close = agg_close, .windows = agg_windows,
};

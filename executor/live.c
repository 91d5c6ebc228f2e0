/* live.c: see live.h.
 * Memory: lists live in arenas that are reset at the flush; a batch with computed columns belongs to its list. */
#include "executor/live.h"

#include <stdlib.h>

#include "core/key.h"

/* ---- emitting ---- */

static wr_status emit(struct wr_live *v, struct wr_error *err)
{
    struct wr_batch *b = wr_builder_take(&v->out);
    if (!b)
        return WR_OK;
    b->wm0 = v->op->wm_out;
    return wr_emit(v->op, b, err);
}

/* Room for a pair of rows, so that -U and +U stay in one batch. */
static wr_status two_rows(struct wr_live *v, struct wr_error *err)
{
    return v->out.b && v->out.b->len + 2 > v->out.b->cap ? emit(v, err) : WR_OK;
}

static void put_row(struct wr_live *v, const struct wr_group *x, const struct wr_list *l, uint32_t i, enum wr_rowop kind)
{
    uint32_t r = wr_builder_row(&v->out, kind);
    const struct wr_list_row *row = &l->row[i];
    wr_parts_decode(&v->parts, x, row->entry, v->out.b, r);
    if (l->extra)
        for (int c = 0; c < v->n_extra; c++)
            wr_builder_copy(&v->out, v->first_extra + c, r, &l->extra->col[c], (uint32_t)row->number);
    else if (v->n_extra)
        WR_VEC_I64(&v->out.b->col[v->first_extra])[r] = row->number;
}

/* Are the computed parts of two rows the same? */
static bool same_extra(const struct wr_live *v, const struct wr_list *a, uint32_t i, const struct wr_list *b, uint32_t k)
{
    if (v->n_extra == 0)
        return true;
    if (!a->extra)
        return a->row[i].number == b->row[k].number;
    for (int c = 0; c < v->n_extra; c++) {
        const struct wr_vec *x = &a->extra->col[c], *y = &b->extra->col[c];
        uint32_t p = (uint32_t)a->row[i].number, q = (uint32_t)b->row[k].number;
        bool null = wr_vec_null(x, p);
        if (null != wr_vec_null(y, q) || (!null && wr_vec_cmp(x, p, y, q) != 0))
            return false;
    }
    return true;
}

static wr_status give(struct wr_live *v, const struct wr_group *x, const struct wr_list *l, uint32_t i, enum wr_rowop kind, struct wr_error *err)
{
    WR_TRY(two_rows(v, err));
    put_row(v, x, l, i, kind);
    return WR_OK;
}

/* One row of the result became another (or the same): either may be bad, then it is not shown. */
static wr_status give_pair(struct wr_live *v, const struct wr_group *x, const struct wr_list *a, uint32_t i, const struct wr_list *b, uint32_t k,
                           struct wr_error *err)
{
    bool was = !a->row[i].bad, is = !b->row[k].bad;
    if (was && is && wr_str_eq(a->row[i].entry, b->row[k].entry) && same_extra(v, a, i, b, k))
        return WR_OK;
    if (was)
        WR_TRY(give(v, x, a, i, is ? WR_OP_UPDATE_BEFORE : WR_OP_DELETE, err));
    if (is && was)
        put_row(v, x, b, k, WR_OP_UPDATE_AFTER); /* there is room: two_rows() was asked */
    else if (is)
        WR_TRY(give(v, x, b, k, WR_OP_INSERT, err));
    return WR_OK;
}

static wr_status differ_by_place(struct wr_live *v, const struct wr_group *x, const struct wr_list *a, const struct wr_list *b, struct wr_error *err)
{
    for (uint32_t i = b->n; i < a->n; i++)
        if (!a->row[i].bad)
            WR_TRY(give(v, x, a, i, WR_OP_DELETE, err));
    for (uint32_t i = 0; i < a->n && i < b->n; i++)
        WR_TRY(give_pair(v, x, a, i, b, i, err));
    for (uint32_t i = a->n; i < b->n; i++)
        if (!b->row[i].bad)
            WR_TRY(give(v, x, b, i, WR_OP_INSERT, err));
    return WR_OK;
}

/* Both lists are in the order of their entries: a merge. going: rows that are no more; else the others. */
static wr_status differ_by_row(struct wr_live *v, const struct wr_group *x, const struct wr_list *a, const struct wr_list *b, bool going,
                               struct wr_error *err)
{
    uint32_t i = 0, k = 0;
    while (i < a->n || k < b->n) {
        int c = i == a->n ? 1 : k == b->n ? -1 : wr_str_cmp(a->row[i].entry, b->row[k].entry);
        if (c < 0) {
            if (going && !a->row[i].bad)
                WR_TRY(give(v, x, a, i, WR_OP_DELETE, err));
            i++;
        } else if (c > 0) {
            if (!going && !b->row[k].bad)
                WR_TRY(give(v, x, b, k, WR_OP_INSERT, err));
            k++;
        } else {
            if (!going)
                WR_TRY(give_pair(v, x, a, i, b, k, err));
            i++;
            k++;
        }
    }
    return WR_OK;
}

/* ---- bad results ---- */

/* Rows of b that are bad now and were not, or were not there, in a. */
static wr_status report_bad(struct wr_live *v, const struct wr_list *a, const struct wr_list *b, struct wr_error *err)
{
    uint32_t i = 0;
    for (uint32_t k = 0; k < b->n; k++) {
        if (!b->row[k].bad)
            continue;
        while (i < a->n && wr_str_cmp(a->row[i].entry, b->row[k].entry) < 0)
            i++;
        if (i < a->n && a->row[i].bad && wr_str_eq(a->row[i].entry, b->row[k].entry))
            continue;
        struct wr_bad bad = {.reason = WR_R_OVERFLOW, .from = {.part = -1, .offset = -1, .ts_us = INT64_MIN}};
        bad.column = v->op->plan->out->field[v->first_extra].name;
        WR_TRY(wr_job_bad(v->op, NULL, &bad, err));
    }
    return WR_OK;
}

/* ---- flush ---- */

static void drop_list(struct wr_list *l)
{
    wr_batch_unref(l->extra);
    *l = (struct wr_list){0};
}

static wr_status flush_one(struct wr_live *v, struct wr_live_change *d, struct wr_error *err)
{
    struct wr_list now = {0};
    wr_arena_reset(&v->now);
    v->list(v, d->group, false, &v->now, &now);
    wr_status st = report_bad(v, &d->before, &now, err);
    if (st == WR_OK && v->by_place)
        st = differ_by_place(v, d->group, &d->before, &now, err);
    else if (st == WR_OK) {
        st = differ_by_row(v, d->group, &d->before, &now, true, err);
        if (st == WR_OK)
            st = differ_by_row(v, d->group, &d->before, &now, false, err);
    }
    drop_list(&now);
    return st;
}

/* Gives what changed in a pane (NULL: in all). */
static wr_status flush_changes(struct wr_live *v, const struct wr_part_pane *only, struct wr_error *err)
{
    uint32_t kept = 0;
    wr_status st = WR_OK;
    for (uint32_t i = 0; i < v->n_change; i++) {
        struct wr_live_change *d = &v->change[i];
        struct wr_partition *q = wr_partition_of(&v->parts, d->group);
        if (st || (only && d->pane != only)) {
            v->change[kept++] = *d;
            q->listed = kept;
            continue;
        }
        st = flush_one(v, d, err);
        drop_list(&d->before);
        if (d->owed)
            wr_live_paid(v, d);
        q->listed = 0;
        if (q->rows.n_key == 0)
            wr_parts_drop(&v->parts, d->pane, d->group);
    }
    v->n_change = kept;
    if (kept == 0)
        wr_arena_reset(&v->old);
    return st;
}

struct wr_live_change *wr_live_list(struct wr_live *v, struct wr_part_pane *p, struct wr_group *x)
{
    if (v->n_change == v->cap_change) {
        v->cap_change = v->cap_change ? v->cap_change * 2 : 64;
        v->change = wr_realloc(v->change, sizeof *v->change * v->cap_change);
    }
    struct wr_live_change *d = &v->change[v->n_change++];
    *d = (struct wr_live_change){.pane = p, .group = x};
    wr_partition_of(&v->parts, x)->listed = v->n_change;
    return d;
}

/* The partition is about to change. */
static void touch(struct wr_live *v, struct wr_part_pane *p, struct wr_group *x)
{
    if (wr_partition_of(&v->parts, x)->listed || v->final)
        return;
    struct wr_live_change *d = wr_live_list(v, p, x);
    d->place = v->next_place++;
    v->list(v, x, true, &v->old, &d->before);
}

struct firing { struct wr_live *v; struct wr_part_pane *p; };

static enum wr_each fire_one(void *ctx, struct wr_group *x, wr_status *st, struct wr_error *err)
{
    struct firing *f = ctx;
    struct wr_live_change d = {.pane = f->p, .group = x};
    *st = flush_one(f->v, &d, err);
    return WR_EACH_NEXT;
}

/* All results of a pane, as rows that come. */
static wr_status fire(struct wr_live *v, struct wr_part_pane *p, struct wr_error *err)
{
    if (p->fired)
        return WR_OK; /* a finished job that was started once more */
    p->fired = p->moved = true;
    struct firing f = {v, p};
    return wr_parts_each(p, INT64_MAX, fire_one, &f, err);
}

static wr_status limit(struct wr_live *v, struct wr_error *err)
{
    WR_TRY(wr_parts_limit(&v->parts, v->cap_change * sizeof *v->change, err));
    if (v->op->task->job->plan->max_state > 0 && v->n_change > 0 && wr_op_excess(v->op) > 0)
        v->due = v->op->task->dirty = true; /* EMIT EVERY waits no longer: what is listed cannot go to disk */
    return WR_OK;
}

wr_status wr_live_flush(struct wr_op *op, struct wr_error *err)
{
    struct wr_live *v = op->ctx;
    if (v->parts.by->emit == WR_EMIT_EVERY && !v->due && !op->task->halting)
        return emit(v, err);
    v->due = false;
    WR_TRY(flush_changes(v, NULL, err));
    WR_TRY(emit(v, err));
    return limit(v, err); /* what was listed may go now */
}

static bool is_listed(struct wr_op *op, struct wr_group *x)
{
    return wr_partition_of(&((struct wr_live *)op->ctx)->parts, x)->listed != 0;
}

wr_status wr_live_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err)
{
    struct wr_live *v = op->ctx;
    const struct wr_partby *by = v->parts.by;
    WR_TRY(wr_parts_expire(&v->parts, is_listed, err));
    if (by->emit != WR_EMIT_EVERY)
        return WR_OK;
    if (v->next_due == 0)
        v->next_due = mono_us + by->every;
    if (mono_us >= v->next_due) {
        v->due = true;
        v->next_due += ((mono_us - v->next_due) / by->every + 1) * by->every;
        op->task->dirty = true;
    }
    return WR_OK;
}

/* ---- closing ---- */

wr_status wr_live_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct wr_live *v = op->ctx;
    const struct wr_partby *by = v->parts.by;
    *fwd = w;
    if (by->win.kind == WR_WIN_NONE)
        return WR_OK;
    if (w != WR_WM_END && w != WR_WM_NONE)
        *fwd = w - by->lateness;
    int n_drop = 0;
    for (int i = 0; i < v->parts.n_pane && v->parts.pane[i]->end <= w; i++) {
        struct wr_part_pane *p = v->parts.pane[i];
        bool over = w == WR_WM_END || p->end <= w - by->lateness;
        if (!v->final)
            WR_TRY(flush_changes(v, p, err));
        else if (over)
            WR_TRY(fire(v, p, err));
        if (over)
            n_drop = i + 1;
    }
    WR_TRY(emit(v, err));
    while (n_drop-- > 0)
        wr_parts_drop_pane(&v->parts, 0);
    return limit(v, err);
}

wr_status wr_live_finish(struct wr_op *op, struct wr_error *err)
{
    struct wr_live *v = op->ctx;
    if (v->parts.by->win.kind == WR_WIN_NONE && v->parts.n_pane > 0) {
        struct wr_part_pane *p = v->parts.pane[0];
        WR_TRY(v->final ? fire(v, p, err) : flush_changes(v, NULL, err));
        op->n.passed += p->held;
        op->n.held -= p->held;
        p->held = 0;
        p->moved = true;
    }
    return emit(v, err);
}

/* ---- input ---- */

static void take_out(struct wr_live *v, struct wr_part_pane *p, struct wr_group *x, const struct wr_batch *b, uint32_t r)
{
    struct wr_op *op = v->op;
    wr_parts_encode_rest(&v->parts, b, r);
    struct wr_str entry = wr_buf_get(&v->parts.entry);
    if (wr_omap_get(&wr_partition_of(&v->parts, x)->rows, entry) <= 0) {
        op->n.filtered++; /* forgotten by state.ttl */
        if (wr_partition_of(&v->parts, x)->rows.n_key == 0 && !wr_partition_of(&v->parts, x)->listed)
            wr_parts_drop(&v->parts, p, x);
        return;
    }
    touch(v, p, x);
    wr_parts_add(&v->parts, p, x, entry, -1);
    op->n.passed += 2; /* the row that leaves, and the one that takes it away */
    op->n.held--;
    p->held--;
}

static void put_in(struct wr_live *v, struct wr_part_pane *p, struct wr_group *x, const struct wr_batch *b, uint32_t r)
{
    struct wr_op *op = v->op;
    if (v->admit && !v->admit(v, x, b, r)) {
        op->n.filtered++;
        return;
    }
    if (!v->admit)
        wr_parts_encode_rest(&v->parts, b, r);
    touch(v, p, x);
    wr_parts_add(&v->parts, p, x, wr_buf_get(&v->parts.entry), 1);
    uint64_t out = v->trim ? v->trim(v, p, x) : 0;
    op->n.filtered += out;
    op->n.held += 1 - out;
    p->held += 1 - out;
}

static void one_row(struct wr_live *v, const struct wr_batch *b, uint32_t r, uint64_t hash)
{
    struct wr_parts *t = &v->parts;
    int64_t end = INT64_MAX;
    if (t->by->win.kind != WR_WIN_NONE) {
        const struct wr_vec *e = &b->col[t->by->win.end_col];
        end = WR_VEC_I64(e)[wr_vec_at(e, r)];
    }
    struct wr_part_pane *p = wr_parts_pane(t, end);
    struct wr_group *x = wr_parts_at(t, p, b, r, hash);
    wr_partition_of(t, x)->touched = wr_op_now(v->op);
    p->moved = true;
    wr_parts_encode_order(t, b, r);
    if (wr_op_is_retract(wr_batch_op(b, r)))
        take_out(v, p, x, b, r);
    else
        put_in(v, p, x, b, r);
}

wr_status wr_live_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct wr_live *v = op->ctx;
    const struct wr_partby *by = v->parts.by;
    wr_arena_reset(&v->scratch);
    uint32_t *row = wr_live_rows(b, &v->scratch), n = 0;
    const struct wr_vec *end = by->win.kind == WR_WIN_NONE ? NULL : &b->col[by->win.end_col];
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++) {
        if (end && wr_vec_null(end, row[k]))
            st = wr_op_bad(op, b, row[k], WR_R_TS_NULL, op->plan->in[0]->out->field[by->win.end_col].name, (struct wr_str){0}, err);
        else
            row[n++] = row[k];
    }
    if (st == WR_OK && n > 0) {
        uint64_t *hash = wr_arena_alloc(&v->scratch, sizeof *hash * n);
        wr_hash_rows(b, by->part, by->n_part, row, n, v->parts.layout.seed, hash);
        for (uint32_t k = 0; k < n; k++)
            one_row(v, b, row[k], hash[k]);
    }
    wr_batch_unref(b);
    return st == WR_OK ? limit(v, err) : st;
}

/* ---- life ---- */

void wr_live_open(struct wr_live *v, struct wr_op *op, const struct wr_partby *by, uint32_t own)
{
    wr_parts_init(&v->parts, op, by, 0, NULL, own);
    wr_parts_spills(&v->parts, NULL, NULL);
    v->op = op;
    v->final = by->emit == WR_EMIT_FINAL;
    v->out.schema = op->plan->out;
    v->first_extra = op->plan->in[0]->out->n;
    v->n_extra = op->plan->out->n - v->first_extra;
    op->ctx = v;
}

void wr_live_close(struct wr_live *v)
{
    for (uint32_t i = 0; i < v->n_change; i++)
        drop_list(&v->change[i].before);
    free(v->change);
    wr_batch_unref(wr_builder_take(&v->out));
    wr_arena_clear(&v->old);
    wr_arena_clear(&v->now);
    wr_arena_clear(&v->scratch);
    wr_parts_clear(&v->parts);
    v->op->ctx = NULL;
    free(v);
}

wr_status wr_live_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct wr_live *v = op->ctx;
    wr_parts_checkpoint(&v->parts, delta);
    if (v->parts.by->emit == WR_EMIT_EVERY) {
        wr_op_keep_times(op, 'm', &v->next_due, 1, delta);
        wr_live_owes(v, delta);
    }
    return WR_OK;
}

wr_status wr_live_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_live *v = op->ctx;
    WR_TRY(wr_parts_restore(&v->parts, r, err));
    if (!wr_op_restore_times(op, r, 'm', &v->next_due, 1))
        return wr_fail(err, WR_EIO, "the checkpoint's state of OVER is damaged");
    return wr_live_restore_owed(v, r, err);
}

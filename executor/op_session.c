/* op_session.c: session windows: rows of a key at most `gap` apart share a session, [first row, last row + gap).
 *
 *   process:    a row joins the sessions it touches (they become one), or opens one, or is late: its own [ts, ts + gap) has closed and no
 *               session that is still open takes it in.
 *   flush:      CHANGES: each changed session: -U +U, or -D +I when its bounds moved (the bounds are part of the key).
 *   watermark:  a session with end + lateness <= W is dropped (EMIT FINAL: emitted, once).
 *
 * Rules:  as op_agg.c. Sessions close before a row that sees them closed is added, so that the cut into batches changes nothing.
 *         Input that takes rows back is refused by the planner: a session cannot be split.
 * Memory: a session is one malloc'd block (header and states), owned by its key's list until dropped, then by the heap until popped. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/session.h"
#include "executor/window.h"

static int64_t end_of(const struct wr_session_op *a, const struct wr_session *s) { return s->last + a->gap; }

/* The sessions of a key have changed since the last checkpoint. */
static void changed(struct wr_op *op, struct wr_group *key)
{
    struct wr_session_op *a = op->ctx;
    if (!op->task->job->store || (key->flags & WR_GROUP_CHANGED))
        return;
    key->flags |= WR_GROUP_CHANGED;
    if (a->n_changed == a->cap_changed) {
        a->cap_changed = a->cap_changed ? a->cap_changed * 2 : 64;
        a->changed = wr_realloc(a->changed, sizeof(struct wr_group *) * a->cap_changed);
    }
    a->changed[a->n_changed++] = key;
}

static void remove_key(struct wr_op *op, struct wr_group *key)
{
    struct wr_session_op *a = op->ctx;
    if (key->flags & WR_GROUP_STORED) {
        struct wr_buf k = WR_BUF_INIT(0);
        wr_session_key(&k, op, key);
        wr_delta_delete(&a->gone, wr_buf_get(&k));
        wr_buf_clear(&k);
    }
    wr_groups_remove(&a->groups, key);
}

/* ---- heap ---- */

void wr_session_wait(struct wr_session_op *a, struct wr_session *s, int64_t due)
{
    s->due = due;
    if (a->n_heap == a->cap_heap) {
        a->cap_heap = a->cap_heap ? a->cap_heap * 2 : 64;
        a->heap = wr_realloc(a->heap, sizeof(struct wr_session *) * a->cap_heap);
    }
    uint32_t i = a->n_heap++;
    while (i > 0 && a->heap[(i - 1) / 2]->due > due) {
        a->heap[i] = a->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    a->heap[i] = s;
}

static void sink(struct wr_session_op *a, uint32_t i, struct wr_session *x)
{
    for (uint32_t c; (c = 2 * i + 1) < a->n_heap; i = c) {
        if (c + 1 < a->n_heap && a->heap[c + 1]->due < a->heap[c]->due)
            c++;
        if (a->heap[c]->due >= x->due)
            break;
        a->heap[i] = a->heap[c];
    }
    a->heap[i] = x;
}

static struct wr_session *heap_pop(struct wr_session_op *a)
{
    struct wr_session *top = a->heap[0], *x = a->heap[--a->n_heap];
    if (a->n_heap)
        sink(a, 0, x);
    return top;
}

void wr_session_order_heap(struct wr_session_op *a)
{
    for (uint32_t i = a->n_heap / 2; i-- > 0;)
        sink(a, i, a->heap[i]);
}

/* ---- sessions ---- */

static void drop_states(struct wr_session_op *a, struct wr_session *s)
{
    for (int i = 0; i < a->p->n_agg; i++)
        wr_aggcall_drop(&a->agg[i], s->state + a->agg[i].offset);
}

void wr_session_free(struct wr_session_op *a, struct wr_session *s)
{
    drop_states(a, s);
    free(s);
}

static struct wr_session *make_session(struct wr_session_op *a, struct wr_group *key, int64_t ts)
{
    struct wr_session *s = wr_malloc(sizeof *s + a->state_size);
    memset(s, 0, sizeof *s);
    s->start = s->last = ts;
    s->key = key;
    for (int i = 0; i < a->p->n_agg; i++)
        wr_aggcall_init(&a->agg[i], s->state + a->agg[i].offset);
    return s;
}

struct wr_session *wr_session_dead(struct wr_session_op *a, struct wr_group *key, int64_t due)
{
    struct wr_session *s = make_session(a, key, due - a->gap);
    s->dead = true;
    wr_session_wait(a, s, due);
    return s;
}

struct wr_session *wr_session_new(struct wr_session_op *a, struct wr_group *key, int64_t ts)
{
    struct wr_session *s = make_session(a, key, ts);
    struct wr_session_list *l = wr_session_list_of(a, key);
    if (l->n == l->cap) {
        l->cap = l->cap ? l->cap * 2 : 2;
        l->at = wr_realloc(l->at, sizeof(struct wr_session *) * (size_t)l->cap);
    }
    int i = l->n++;
    for (; i > 0 && l->at[i - 1]->start > ts; i--)
        l->at[i] = l->at[i - 1];
    l->at[i] = s;
    return s;
}

static void unlist(struct wr_op *op, struct wr_session *s)
{
    struct wr_session_op *a = op->ctx;
    changed(op, s->key);
    struct wr_session_list *l = wr_session_list_of(a, s->key);
    int i = 0;
    while (l->at[i] != s)
        i++;
    memmove(&l->at[i], &l->at[i + 1], sizeof(struct wr_session *) * (size_t)(l->n - i - 1));
    if (--l->n == 0) {
        free(l->at);
        *l = (struct wr_session_list){0};
        remove_key(op, s->key);
    }
}

static bool write_result(struct wr_session_op *a, struct wr_session *s, struct wr_batch *b, uint32_t r)
{
    int n_key = a->keys.n_key;
    for (int c = 0; c < n_key; c++) {
        if (wr_group_null(&a->keys, s->key, c))
            wr_vec_nulls(&b->col[c], b->cap, &b->mem);
        wr_group_key_out(&a->keys, s->key, c, &b->col[c], r, &b->mem);
    }
    WR_VEC_I64(&b->col[n_key])[r] = s->start;
    WR_VEC_I64(&b->col[n_key + 1])[r] = end_of(a, s);
    bool ok = true;
    for (int i = 0; i < a->p->n_agg; i++) {
        struct wr_vec *v = &b->col[n_key + 2 + i];
        wr_vec_nulls(v, b->cap, &b->mem)[r] = 0;
        ok &= wr_aggcall_result(&a->agg[i], s->state + a->agg[i].offset, v, r, &b->mem);
    }
    return ok;
}

uint32_t wr_session_before(struct wr_session_op *a, struct wr_session *s)
{
    if (wr_builder_full(&a->before)) {
        a->old = wr_realloc(a->old, sizeof(struct wr_batch *) * (a->n_old + 1));
        a->old[a->n_old++] = wr_builder_take(&a->before);
    }
    uint32_t r = wr_builder_row(&a->before, WR_OP_INSERT);
    s->before = a->n_old * WR_BATCH_ROWS + r;
    return r;
}

void wr_session_dirty(struct wr_session_op *a, struct wr_session *s)
{
    s->dirty = true;
    if (a->n_dirty == a->cap_dirty) {
        a->cap_dirty = a->cap_dirty ? a->cap_dirty * 2 : 64;
        a->dirty = wr_realloc(a->dirty, sizeof(struct wr_session *) * a->cap_dirty);
    }
    a->dirty[a->n_dirty++] = s;
}

/* The emitted result, kept before the first change after it. */
static void touch(struct wr_session_op *a, struct wr_session *s)
{
    if (s->dirty || a->p->emit == WR_EMIT_FINAL)
        return; /* shown once, as a whole: no change is owed */
    if (s->shown) {
        uint32_t r = wr_session_before(a, s);
        (void)write_result(a, s, a->before.b, r);
    }
    s->place = a->next_place++;
    wr_session_dirty(a, s);
}

static wr_status emit_out(struct wr_op *op, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    struct wr_batch *b = wr_builder_take(&a->out);
    if (!b)
        return WR_OK;
    b->wm0 = op->wm_out;
    return wr_emit(op, b, err);
}

static void copy_before(struct wr_session_op *a, const struct wr_session *s, enum wr_rowop kind)
{
    uint32_t i = s->before % WR_BATCH_ROWS, k = s->before / WR_BATCH_ROWS;
    const struct wr_batch *from = k < a->n_old ? a->old[k] : a->before.b;
    uint32_t r = wr_builder_row(&a->out, kind);
    for (int c = 0; c < from->n_col; c++)
        wr_builder_copy(&a->out, c, r, &from->col[c], i);
}

static wr_status show(struct wr_op *op, struct wr_session *s, enum wr_rowop kind, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    uint32_t r = wr_builder_row(&a->out, kind);
    if (write_result(a, s, a->out.b, r)) {
        s->shown = true;
        s->shown_start = s->start;
        s->shown_end = end_of(a, s);
        return WR_OK;
    }
    a->out.b->len--;
    a->out.b->n_live--;
    if (kind == WR_OP_UPDATE_AFTER)
        a->out.op[r - 1] = WR_OP_DELETE; /* the -U just written has no +U */
    s->shown = false;
    struct wr_bad bad = {.reason = WR_R_OVERFLOW, .from = {.part = -1, .offset = -1, .ts_us = INT64_MIN}};
    return wr_job_bad(op, NULL, &bad, err);
}

/* Emits the change of one session: what was shown goes, what is now comes (unless it is dead or not due yet). */
static wr_status flush_session(struct wr_op *op, struct wr_session *s, bool now, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    if (a->out.b && a->out.b->len + 2 > a->out.b->cap)
        WR_TRY(emit_out(op, err));
    bool was = s->shown, same = was && now && s->shown_start == s->start && s->shown_end == end_of(a, s);
    if (was)
        copy_before(a, s, same ? WR_OP_UPDATE_BEFORE : WR_OP_DELETE);
    s->shown = s->dirty = false;
    if (s->owed)
        wr_session_paid(op, s);
    changed(op, s->key); /* a checkpoint may have it as not shown */
    return now ? show(op, s, same ? WR_OP_UPDATE_AFTER : WR_OP_INSERT, err) : WR_OK;
}

static wr_status flush_dirty(struct wr_op *op, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    /* What is taken back first: a merged session's row must not outlive the one that took it in. */
    for (uint32_t i = 0; i < a->n_dirty; i++) {
        struct wr_session *s = a->dirty[i];
        if (!s->dead)
            continue;
        WR_TRY(flush_session(op, s, false, err));
    }
    for (uint32_t i = 0; i < a->n_dirty; i++) {
        struct wr_session *s = a->dirty[i];
        if (!s->dead && s->dirty)
            WR_TRY(flush_session(op, s, true, err));
    }
    a->n_dirty = 0;
    wr_batch_unref(wr_builder_take(&a->before));
    while (a->n_old > 0)
        wr_batch_unref(a->old[--a->n_old]);
    return emit_out(op, err);
}

/* b's rows become a's; b is dead and leaves through the heap. */
static void merge_sessions(struct wr_session_op *a, struct wr_session *into, struct wr_session *from)
{
    touch(a, into);
    touch(a, from);
    for (int i = 0; i < a->p->n_agg; i++)
        wr_aggcall_merge(&a->agg[i], into->state + a->agg[i].offset, from->state + a->agg[i].offset);
    into->start = from->start < into->start ? from->start : into->start;
    into->last = from->last > into->last ? from->last : into->last;
    into->rows += from->rows;
    from->rows = 0;
    from->dead = true;
    struct wr_session_list *l = wr_session_list_of(a, into->key);
    int i = 0;
    while (l->at[i] != from)
        i++;
    memmove(&l->at[i], &l->at[i + 1], sizeof(struct wr_session *) * (size_t)(l->n - i - 1));
    l->n--;
}

/* The session that takes the row in; NULL: the row is late. */
static struct wr_session *place(struct wr_session_op *a, struct wr_group *key, int64_t ts, int64_t wm)
{
    struct wr_session_list *l = wr_session_list_of(a, key);
    struct wr_session *home = NULL;
    for (int i = 0; i < l->n; i++) {
        struct wr_session *s = l->at[i];
        if (ts < s->start - a->gap || ts > end_of(a, s))
            continue;
        if (!home) {
            home = s;
            continue;
        }
        merge_sessions(a, home, s);
        i--;
    }
    if (home) {
        touch(a, home);
        home->start = ts < home->start ? ts : home->start;
        home->last = ts > home->last ? ts : home->last;
        return home;
    }
    if (wr_window_is_late(ts + a->gap, a->p->lateness, wm))
        return NULL;
    home = wr_session_new(a, key, ts);
    wr_session_wait(a, home, ts + a->gap);
    touch(a, home);
    return home;
}

/* ---- closing ---- */

/* Ends, or puts back into the heap with its new time, a session whose time has come. */
static wr_status close_one(struct wr_op *op, struct wr_session *s, int64_t w, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    if (s->dead) {
        wr_session_free(a, s);
        return WR_OK;
    }
    int64_t end = end_of(a, s);
    if (end > w) {
        wr_session_wait(a, s, end);
        return WR_OK;
    }
    if (w != WR_WM_END && end + a->p->lateness > w) {
        wr_session_wait(a, s, end + a->p->lateness); /* a late row may still amend it */
        return WR_OK;
    }
    if (a->p->emit == WR_EMIT_FINAL && !s->shown) {
        if (wr_builder_full(&a->out))
            WR_TRY(emit_out(op, err));
        WR_TRY(show(op, s, WR_OP_INSERT, err));
    }
    op->n.passed += s->rows;
    op->n.held -= s->rows;
    unlist(op, s);
    wr_session_free(a, s);
    return WR_OK;
}

/* Ends what W has passed; nothing is dirty while it does. Sessions that grew since they were put into the heap go back with their new time. */
static wr_status close_upto(struct wr_op *op, int64_t w, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    int64_t before = w == INT64_MAX ? w : w + 1, upto;
    if (w <= a->closed)
        return WR_OK;
    if ((a->n_heap == 0 || a->heap[0]->due > w) && a->far.first >= before) {
        a->closed = w;
        return WR_OK;
    }
    if (a->p->emit != WR_EMIT_FINAL)
        WR_TRY(flush_dirty(op, err)); /* changes up to here, as they were before w */
    a->closed = w;
    do {
        upto = wr_session_bring(op, before);
        while (a->n_heap > 0 && (a->heap[0]->due < upto || upto == INT64_MAX))
            WR_TRY(close_one(op, heap_pop(a), w, err));
        if (upto < before)
            WR_TRY(wr_session_limit(op, err));
    } while (upto < before);
    return emit_out(op, err);
}

/* ---- input ---- */

static wr_status add_row(struct wr_op *op, const struct wr_batch *b, uint32_t r, uint64_t hash, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    const struct wr_vec *time = &b->col[a->p->win.time_col];
    int64_t wm = wr_batch_wm(b, r), ts = WR_VEC_I64(time)[wr_vec_at(time, r)];
    if (wm != WR_WM_NONE && wm > a->closed)
        WR_TRY(close_upto(op, wm, err));
    struct wr_group *key = a->keys.n_key ? wr_groups_at(&a->groups, b, r, hash) : wr_groups_only(&a->groups);
    key->used = 1;
    struct wr_session *s = place(a, key, ts, wm);
    if (!s) {
        if (wr_session_list_of(a, key)->n == 0)
            remove_key(op, key);
        return wr_op_late(op, b, &r, 1, err);
    }
    changed(op, key);
    s->rows++;
    op->n.held++;
    for (int i = 0; i < a->p->n_agg; i++) {
        const struct wr_aggcall *c = &a->agg[i];
        const struct wr_vec *f = c->filter >= 0 ? &b->col[c->filter] : NULL;
        if (!f || (!wr_vec_null(f, r) && WR_VEC_I8(f)[wr_vec_at(f, r)]))
            wr_aggcall_add_run(c, s->state + c->offset, b, &r, 1);
    }
    return WR_OK;
}

static wr_status session_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    wr_arena_reset(&a->scratch);
    uint64_t *hash = wr_arena_alloc(&a->scratch, sizeof *hash * b->n_live);
    if (a->keys.n_key)
        wr_hash_rows(b, a->keys.key, a->keys.n_key, b->sel, b->n_live, a->keys.seed, hash);
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++) {
        uint32_t r = wr_batch_row(b, k);
        if (wr_vec_null(&b->col[a->p->win.time_col], r))
            st = wr_op_bad(op, b, r, WR_R_TS_NULL, op->plan->in[0]->out->field[a->p->win.time_col].name, (struct wr_str){0}, err);
        else
            st = add_row(op, b, r, hash[k], err);
    }
    wr_batch_unref(b);
    return st == WR_OK ? wr_session_limit(op, err) : st;
}

static wr_status session_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    *fwd = w == WR_WM_END || w == WR_WM_NONE ? w : w - a->p->lateness;
    WR_TRY(close_upto(op, w, err));
    return wr_session_limit(op, err);
}

static wr_status session_flush(struct wr_op *op, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    if (a->p->emit == WR_EMIT_FINAL)
        return WR_OK;
    if (a->p->emit == WR_EMIT_EVERY && !a->due && !op->task->halting)
        return WR_OK;
    a->due = false;
    WR_TRY(flush_dirty(op, err));
    return wr_session_limit(op, err); /* what was dirty may go now */
}

static wr_status session_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err WR_UNUSED)
{
    struct wr_session_op *a = op->ctx;
    if (mono_us >= a->next_measure) { /* a walk over all sessions, where aggregates own something */
        a->next_measure = mono_us + (a->weighed ? 1000000 : 100000);
        wr_session_measure(op);
    }
    if (a->p->emit != WR_EMIT_EVERY)
        return WR_OK;
    if (a->next_due == 0)
        a->next_due = mono_us + a->p->every;
    if (mono_us >= a->next_due) {
        a->due = op->task->dirty = true;
        a->next_due += ((mono_us - a->next_due) / a->p->every + 1) * a->p->every;
    }
    return WR_OK;
}

static wr_status session_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_agg *p = &op->plan->u.agg;
    struct wr_session_op *a = wr_calloc(1, sizeof *a);
    op->ctx = a;
    a->p = p;
    a->gap = p->win.size;
    a->closed = WR_WM_NONE;
    a->out.schema = a->before.schema = op->plan->out;
    wr_group_layout_init(&a->keys, p->n_key, p->key, op->plan->in[0]->out, 0, NULL, sizeof(struct wr_session_list), &a->arena);
    wr_groups_init(&a->groups, &a->keys);
    a->limited = wr_spill_wanted(op);
    wr_spill_init(&a->spill, op);
    wr_far_init(&a->far, &a->spill, 'f', 0);
    a->agg = WR_NEW_N(&a->arena, struct wr_aggcall, p->n_agg + 1);
    for (int i = 0; i < p->n_agg; i++) {
        a->agg[i] = p->agg[i];
        a->agg[i].offset = a->state_size;
        a->weighed |= a->agg[i].distinct || a->agg[i].fn->heap;
        a->state_size += (p->agg[i].size + 15) & ~15u;
    }
    return WR_OK;
}

static void session_close(struct wr_op *op)
{
    struct wr_session_op *a = op->ctx;
    for (uint32_t i = 0; i < a->n_heap; i++) /* every session is in the heap exactly once */
        wr_session_free(a, a->heap[i]);
    struct wr_group_walk at = {0};
    for (struct wr_group *x; a->groups.n > 0 && (x = wr_groups_next(&a->groups, &at));)
        free(wr_session_list_of(a, x)->at);
    wr_groups_clear(&a->groups);
    free(a->heap);
    free(a->changed);
    wr_buf_clear(&a->gone);
    free(a->dirty);
    wr_batch_unref(wr_builder_take(&a->out));
    wr_batch_unref(wr_builder_take(&a->before));
    while (a->n_old > 0)
        wr_batch_unref(a->old[--a->n_old]);
    free(a->old);
    wr_far_clear(&a->far);
    wr_spill_clear(&a->spill);
    wr_filter_clear(&a->out_keys);
    wr_arena_clear(&a->scratch);
    wr_arena_clear(&a->arena);
    free(a);
    op->ctx = NULL;
}

/* The heap is in order only at its top, so the one that is due first is shown, and sessions merged away are counted until they are popped. */
static uint64_t session_windows(const struct wr_op *op, struct wr_window_stats *out, int max)
{
    const struct wr_session_op *a = op->ctx;
    for (int i = 0; i < max; i++)
        out[i] = (struct wr_window_stats){INT64_MAX, INT64_MAX, 0, 0};
    if (a->n_heap > 0 && max > 0)
        out[0] = (struct wr_window_stats){a->heap[0]->start, end_of(a, a->heap[0]), a->heap[0]->rows, 1};
    return a->n_heap + a->n_away;
}

const struct wr_op_vt wr_op_session = {
    .name = "session", .spills = true, .open = session_open, .process = session_process, .watermark = session_watermark, .tick = session_tick, .flush = session_flush,
    .finish = wr_op_no_finish, .checkpoint = wr_session_checkpoint, .restore = wr_session_restore, .close = session_close, .windows = session_windows,
};

/* op_join.c: joins: see join.h. Here: a row comes in.
 *
 * Rules:  a row with a NULL key, or one that ON excludes, matches nothing and is not kept. A row to be taken back that is not there (forgotten by
 *         state.ttl) is filtered out. A pair for which the condition cannot be computed does not match and is counted as bad.
 * Memory: rows are kept in tables by key; `dead` rows live until the results that speak of them are out. */
#include "executor/join.h"

#include <stdlib.h>

#include "core/key.h"

enum { TRY_AT_ONCE = 4096 }; /* pairs tried against the condition together */

/* ---- panes ---- */

struct wr_join_pane *wr_join_pane_at(struct wr_op *op, int64_t end)
{
    struct wr_join_op *j = op->ctx;
    int lo = 0, hi = j->n_pane;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (j->pane[mid]->end < end)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < j->n_pane && j->pane[lo]->end == end)
        return j->pane[lo];
    if (j->n_pane == j->cap_pane) {
        j->cap_pane = j->cap_pane ? j->cap_pane * 2 : 8;
        j->pane = wr_realloc(j->pane, sizeof *j->pane * (size_t)j->cap_pane);
    }
    memmove(&j->pane[lo + 1], &j->pane[lo], sizeof *j->pane * (size_t)(j->n_pane - lo));
    j->n_pane++;
    struct wr_join_pane *p = wr_calloc(1, sizeof *p);
    p->end = end;
    for (int s = 0; s < 2; s++)
        wr_rows_init(&p->rows[s], &j->side[s].layout);
    wr_join_track(op, p);
    for (int s = 0; s < 2 && j->timed; s++)
        p->rows[s].came = wr_join_came;
    j->pane[lo] = p;
    return p;
}

static void pane_free(struct wr_join_pane *p)
{
    for (int s = 0; s < 2; s++)
        wr_rows_clear(&p->rows[s]);
    free(p);
}

void wr_join_pane_drop(struct wr_op *op, int i)
{
    struct wr_join_op *j = op->ctx;
    struct wr_join_pane *p = j->pane[i];
    uint64_t held = (uint64_t)(p->rows[0].total + p->rows[1].total);
    op->n.passed += held;
    op->n.held -= held;
    wr_join_pane_forget(op, p);
    for (int s = 0; s < 2; s++)
        wr_rows_forget_disk(&p->rows[s]);
    pane_free(p);
    memmove(&j->pane[i], &j->pane[i + 1], sizeof *j->pane * (size_t)(j->n_pane - i - 1));
    j->n_pane--;
}

/* ---- one row ---- */

struct incoming {
    int s;                     /* which input */
    struct wr_batch *b;
    uint32_t row;
    uint64_t hash;
    bool minus;                /* it is taken back */
    struct wr_join_pane *pane; /* NULL: it matches nothing */
};

/* Mate m, a row of the other side, has got its first match, or lost its last. */
static wr_status turn(struct wr_op *op, const struct incoming *x, struct wr_row *m, bool matched, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    const struct wr_join_side *other = &j->side[!x->s];
    if (other->shows && !j->final)
        WR_TRY(wr_join_give(op, x->s, x->b, WR_NO_ROW, m, matched ? WR_OP_DELETE : WR_OP_INSERT, m->n, err));
    else if (j->semi && x->s == 1)
        WR_TRY(wr_join_give(op, x->s, x->b, WR_NO_ROW, m, matched ? WR_OP_INSERT : WR_OP_DELETE, m->n, err));
    if (!matched || !j->once || x->s == 0)
        return WR_OK;
    op->n.held -= (uint64_t)m->n;
    op->n.passed += (uint64_t)m->n;
    if (j->p->free == WR_JFREE_INTERVAL) {
        wr_join_leave_early(j, 0, m);
        return WR_OK;
    }
    wr_rows_take_out(&x->pane->rows[0], m);
    wr_join_bury(j, m);
    return WR_OK;
}

/* The row's effect on the rows it matches. *found: how many there are. */
static wr_status meet_mates(struct wr_op *op, const struct incoming *x, struct wr_row **mate, uint32_t n, int64_t *found, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_rows *mine = &x->pane->rows[x->s], *others = &x->pane->rows[!x->s];
    bool turns = j->side[!x->s].shows || (!j->pairs && x->s == 1);
    int64_t had = 0; /* rows of this key so far: without a condition they all match */
    if (turns && !j->marks) {
        const struct wr_bucket *k = wr_rows_find(mine, x->b, j->side[x->s].key, x->row, x->hash);
        had = k ? k->total : 0;
        turns = x->minus ? had == 1 : had == 0;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct wr_row *m = mate[i];
        if (m->flags & WR_ROW_OUT)
            continue; /* let go by a row before this one */
        bool turned = turns;
        *found += m->n;
        if (j->marks) {
            int64_t before = m->mark;
            m->mark += x->minus ? -1 : 1;
            wr_rows_changed(others, m);
            turned = turns && (before > 0) != (m->mark > 0);
        }
        if (turned && !x->minus)
            WR_TRY(turn(op, x, m, true, err));
        if (j->pairs)
            WR_TRY(wr_join_give(op, x->s, x->b, x->row, m, x->minus ? WR_OP_DELETE : WR_OP_INSERT, m->n, err));
        if (turned && x->minus)
            WR_TRY(turn(op, x, m, false, err));
    }
    return WR_OK;
}

/* Shows the row itself, where it is shown by itself. */
static wr_status show_own(struct wr_op *op, const struct incoming *x, bool matched, bool leaves, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    bool show = matched ? j->semi && x->s == 0 : j->side[x->s].shows && (!j->final || leaves);
    if (!show)
        return WR_OK;
    return wr_join_give(op, x->s, x->b, x->row, NULL, x->minus ? WR_OP_DELETE : WR_OP_INSERT, 1, err);
}

/* False: no row still to come can match it. */
static bool is_needed(struct wr_op *op, const struct incoming *x, bool matched)
{
    struct wr_join_op *j = op->ctx;
    if (!j->side[x->s].kept || (j->once && x->s == 0 && matched))
        return false;
    if (j->p->free != WR_JFREE_INTERVAL)
        return true;
    const struct wr_vec *time = &x->b->col[j->side[x->s].time], *until = &x->b->col[j->side[x->s].until];
    int64_t t = WR_VEC_I64(time)[wr_vec_at(time, x->row)], u = wr_vec_null(until, x->row) ? t : WR_VEC_I64(until)[wr_vec_at(until, x->row)];
    return op->wm == WR_WM_NONE || op->wm <= wr_join_leaves(j, x->s, t, u);
}

static void touch(struct wr_op *op, struct wr_rows *t, const struct incoming *x)
{
    struct wr_join_op *j = op->ctx;
    struct wr_bucket *k = j->p->ttl ? wr_rows_find(t, x->b, j->side[x->s].key, x->row, x->hash) : NULL;
    if (k) {
        k->touched = wr_op_now(op);
        k->same = false;
    }
}

static wr_status take_back(struct wr_op *op, const struct incoming *x, struct wr_row *own, bool matched, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    WR_TRY(show_own(op, x, matched, false, err));
    op->n.passed++;
    if (!own)
        return WR_OK; /* it was not kept */
    op->n.passed++;
    op->n.held--;
    if (j->p->free == WR_JFREE_INTERVAL && own->n == 1)
        wr_join_leave_early(j, x->s, own);
    else
        wr_rows_drop(&x->pane->rows[x->s], own, 1);
    return WR_OK;
}

static wr_status meet(struct wr_op *op, const struct incoming *x, struct wr_row **mate, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_rows *mine = &x->pane->rows[x->s];
    struct wr_row *own = NULL;
    int64_t found = 0;
    if (x->minus && j->side[x->s].kept) {
        own = wr_rows_get(mine, x->b, x->row, x->hash);
        if (!own) {
            op->n.filtered++;
            return WR_OK;
        }
    }
    WR_TRY(meet_mates(op, x, mate, n, &found, err));
    if (j->p->ttl)
        touch(op, &x->pane->rows[!x->s], x);
    if (x->minus)
        return take_back(op, x, own, found > 0, err);
    bool needed = is_needed(op, x, found > 0);
    WR_TRY(show_own(op, x, found > 0, !needed, err));
    if (!needed) {
        op->n.passed++;
        return WR_OK;
    }
    own = wr_rows_add(mine, x->b, x->row, x->hash, 1);
    own->mark = found;
    op->n.held++;
    if (j->p->free == WR_JFREE_INTERVAL && own->n == 1)
        wr_join_due(j, x->s, own);
    if (j->p->ttl)
        touch(op, mine, x);
    return WR_OK;
}

/* A row that matches nothing, whatever comes. */
static wr_status meet_nothing(struct wr_op *op, const struct incoming *x, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    if (!j->side[x->s].shows) {
        op->n.filtered++;
        return WR_OK;
    }
    op->n.passed++;
    return wr_join_give(op, x->s, x->b, x->row, NULL, x->minus ? WR_OP_DELETE : WR_OP_INSERT, 1, err);
}

/* ---- candidates ---- */

static void room_for_cand(struct wr_join_op *j, uint32_t n)
{
    if (j->n_cand + n <= j->cap_cand)
        return;
    while (j->cap_cand < j->n_cand + n)
        j->cap_cand = j->cap_cand ? j->cap_cand * 2 : 1024;
    j->cand = wr_realloc(j->cand, sizeof(struct wr_row *) * j->cap_cand);
    j->cand_row = wr_realloc(j->cand_row, sizeof(uint32_t) * j->cap_cand);
}

/* The rows of the other side with the same key (and a time that fits) behind those there are. */
static uint32_t find_mates(struct wr_op *op, const struct incoming *x)
{
    struct wr_join_op *j = op->ctx;
    const struct wr_join_side *me = &j->side[x->s];
    struct wr_rows *others = &x->pane->rows[!x->s];
    if (!j->pairs && x->s == 1 && !j->marks) { /* SEMI, ANTI: only the first and the last row of a key change anything */
        const struct wr_bucket *mine = wr_rows_find(&x->pane->rows[1], x->b, me->key, x->row, x->hash);
        if ((mine ? mine->total : 0) != (x->minus ? 1 : 0))
            return 0;
    }
    const struct wr_bucket *k = wr_rows_find(others, x->b, me->key, x->row, x->hash);
    if (!k)
        return 0;
    uint32_t from = 0, to = k->n;
    if (j->p->free == WR_JFREE_INTERVAL) {
        const struct wr_vec *time = &x->b->col[me->time];
        int64_t t = WR_VEC_I64(time)[wr_vec_at(time, x->row)];
        wr_bucket_range(others, k, me->lo == INT64_MIN ? INT64_MIN : t + me->lo, me->hi == INT64_MAX ? INT64_MAX : t + me->hi, &from, &to);
    }
    room_for_cand(j, to - from);
    for (uint32_t i = from; i < to; i++) {
        j->cand[j->n_cand] = wr_bucket_row(k, i);
        j->cand_row[j->n_cand++] = x->row;
    }
    return to - from;
}

static wr_status bad_pair(struct wr_op *op, const struct wr_batch *b, uint32_t row, const struct wr_bad_row *why, struct wr_error *err)
{
    struct wr_bad bad = {.reason = why->reason};
    uint32_t n = why->msg.n < sizeof bad.msg - 1 ? why->msg.n : (uint32_t)sizeof bad.msg - 1;
    if (n)
        memcpy(bad.msg, why->msg.p, n);
    wr_batch_origin(b, row, &bad.from);
    return wr_job_bad(op, b->scan, &bad, err); /* the row itself is counted as what becomes of it */
}

wr_status wr_join_try(struct wr_op *op, int s, struct wr_batch *b, uint8_t *fits, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    uint32_t n = j->n_cand, kept = 0;
    memset(fits, 0, n ? n : 1);
    if (n == 0)
        return WR_OK;
    struct wr_batch *both = wr_join_columns(op, &j->cond_schema, j->cond_col, s, b, j->cand_row, j->cand, n, false);
    uint32_t *pick = wr_arena_alloc(&j->scratch, sizeof *pick * n);
    wr_eval_begin(&op->ev, both, &j->scratch);
    op->ev.now_us = op->task->now_us;
    wr_eval_pick(&op->ev, j->cond, both, NULL, n, pick, &kept);
    wr_status st = WR_OK;
    for (uint32_t i = 0; i < kept; i++)
        fits[pick[i]] = !(op->ev.n_bad && op->ev.bad[pick[i]]);
    for (uint32_t i = 0; i < op->ev.n_bad && st == WR_OK; i++)
        st = bad_pair(op, b, j->cand_row[op->ev.list[i].row], &op->ev.list[i], err);
    op->ev.n_bad = 0;
    wr_batch_unref(both);
    return st;
}

/* ---- a batch ---- */

struct item { struct incoming x; uint32_t from, n; }; /* its candidates */

static wr_status meet_tried(struct wr_op *op, int s, struct wr_batch *b, struct item *item, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    uint8_t *fits = wr_arena_alloc(&j->scratch, j->n_cand + 1);
    WR_TRY(wr_join_try(op, s, b, fits, err));
    for (uint32_t i = 0; i < n; i++) {
        struct item *it = &item[i];
        if (!it->x.pane) {
            WR_TRY(meet_nothing(op, &it->x, err));
            continue;
        }
        uint32_t kept = 0;
        for (uint32_t c = it->from; c < it->from + it->n; c++)
            if (fits[c])
                j->cand[it->from + kept++] = j->cand[c];
        WR_TRY(meet(op, &it->x, j->cand + it->from, kept, err));
    }
    j->n_cand = 0;
    return WR_OK;
}

/* With a condition: pairs are tried many at a time, and the rows then met in order. */
static wr_status meet_with_cond(struct wr_op *op, int s, struct wr_batch *b, struct incoming *x, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct item *item = wr_arena_alloc(&j->scratch, sizeof *item * (n ? n : 1));
    uint32_t first = 0;
    j->n_cand = 0;
    for (uint32_t k = 0; k < n; k++) {
        item[k] = (struct item){.x = x[k], .from = j->n_cand};
        item[k].n = x[k].pane ? find_mates(op, &x[k]) : 0;
        if (j->n_cand < TRY_AT_ONCE)
            continue;
        WR_TRY(meet_tried(op, s, b, item + first, k + 1 - first, err));
        first = k + 1;
    }
    return meet_tried(op, s, b, item + first, n - first, err);
}

static wr_status meet_all(struct wr_op *op, int s, struct wr_batch *b, struct incoming *x, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    if (j->cond)
        return meet_with_cond(op, s, b, x, n, err);
    for (uint32_t k = 0; k < n; k++) {
        if (!x[k].pane) {
            WR_TRY(meet_nothing(op, &x[k], err));
            continue;
        }
        j->n_cand = 0;
        uint32_t mates = find_mates(op, &x[k]);
        WR_TRY(meet(op, &x[k], j->cand, mates, err));
    }
    return WR_OK;
}

/* may[r]: ON does not exclude row r. Rows for which that cannot be computed are bad and leave row[]. */
static wr_status may_match(struct wr_op *op, int s, const struct wr_batch *b, uint32_t *row, uint32_t *n, uint8_t **may, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    *may = NULL;
    if (!j->side[s].only || *n == 0)
        return WR_OK;
    uint32_t *pick = wr_arena_alloc(&j->scratch, sizeof *pick * *n), kept = 0;
    wr_eval_begin(&op->ev, b, &j->scratch);
    op->ev.now_us = op->task->now_us;
    wr_eval_pick(&op->ev, j->side[s].only, b, row, *n, pick, &kept);
    *may = wr_arena_zero(&j->scratch, b->len);
    for (uint32_t i = 0; i < kept; i++)
        (*may)[pick[i]] = 1;
    return wr_op_take_bad(op, b, row, n, err);
}

/* Rows whose time is behind the operator's watermark: their matches may be gone. Only an input that was idle can bring such. */
static wr_status drop_late(struct wr_op *op, int s, const struct wr_batch *b, uint32_t *row, uint32_t *n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    if (j->p->free == WR_JFREE_TTL || op->wm == WR_WM_NONE)
        return WR_OK;
    bool window = j->p->free == WR_JFREE_WINDOW;
    const struct wr_vec *time = &b->col[window ? j->p->end[s] : j->p->time[s]];
    uint32_t *late = wr_arena_alloc(&j->scratch, sizeof *late * (*n ? *n : 1)), n_late = 0, kept = 0;
    for (uint32_t k = 0; k < *n; k++) {
        int64_t t = WR_VEC_I64(time)[wr_vec_at(time, row[k])];
        bool is = !wr_vec_null(time, row[k]) && (window ? t <= op->wm - j->p->lateness : t < op->wm - j->p->lateness);
        if (is)
            late[n_late++] = row[k];
        else
            row[kept++] = row[k];
    }
    *n = kept;
    return n_late ? wr_op_late(op, b, late, n_late, err) : WR_OK;
}

static bool by_time(const struct wr_plan_join *p) { return p->free == WR_JFREE_INTERVAL || p->free == WR_JFREE_VERSION; }

static bool has_null_key(const struct wr_join_op *j, int s, const struct wr_batch *b, uint32_t row)
{
    for (int i = 0; i < j->p->n_key; i++)
        if (!j->p->null_safe[i] && wr_vec_null(&b->col[j->side[s].key[i]], row))
            return true;
    return by_time(j->p) && wr_vec_null(&b->col[j->side[s].time], row);
}

static struct wr_join_pane *pane_of(struct wr_op *op, int s, const struct wr_batch *b, uint32_t row)
{
    struct wr_join_op *j = op->ctx;
    if (j->p->free != WR_JFREE_WINDOW)
        return j->pane[0];
    const struct wr_vec *end = &b->col[j->p->end[s]];
    return wr_join_pane_at(op, WR_VEC_I64(end)[wr_vec_at(end, row)]);
}

static wr_status join_rows(struct wr_op *op, int s, struct wr_batch *b, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    uint32_t *row = wr_live_rows(b, &j->scratch), n = b->n_live;
    uint8_t *may;
    WR_TRY(drop_late(op, s, b, row, &n, err));
    WR_TRY(may_match(op, s, b, row, &n, &may, err));
    uint64_t *hash = wr_arena_alloc(&j->scratch, sizeof *hash * (n ? n : 1));
    struct incoming *x = wr_arena_alloc(&j->scratch, sizeof *x * (n ? n : 1));
    wr_hash_rows(b, j->side[s].key, j->p->n_key, row, n, wr_hash_seed(), hash);
    if (j->p->free == WR_JFREE_VERSION) {
        uint8_t *lone = wr_arena_zero(&j->scratch, n ? n : 1);
        for (uint32_t k = 0; k < n; k++)
            lone[k] = (may && !may[row[k]]) || has_null_key(j, s, b, row[k]);
        return wr_version_rows(op, s, b, row, hash, lone, n, err);
    }
    for (uint32_t k = 0; k < n; k++) {
        uint32_t r = row[k];
        bool alone = (may && !may[r]) || has_null_key(j, s, b, r);
        x[k] = (struct incoming){.s = s, .b = b, .row = r, .hash = hash[k], .minus = wr_op_is_retract(wr_batch_op(b, r)), .pane = alone ? NULL : pane_of(op, s, b, r)};
    }
    WR_TRY(meet_all(op, s, b, x, n, err));
    return wr_join_emit(op, s, b, err);
}

static wr_status join_process(struct wr_op *op, int in, struct wr_batch *b, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    wr_arena_reset(&j->scratch);
    wr_status st = join_rows(op, in, b, err);
    wr_batch_unref(b);
    return st == WR_OK ? wr_join_limit(op, err) : st;
}

static wr_status join_finish(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    op->n.passed += op->n.held;
    op->n.held = 0;
    return WR_OK;
}

/* ---- life ---- */

struct used { int *map; int n; };
static void use_col(void *ctx, int col)
{
    struct used *u = ctx;
    if (u->map[col] < 0)
        u->map[col] = u->n++;
}

/* The condition over just the columns it looks at. */
static void make_cond(struct wr_op *op)
{
    struct wr_join_op *j = op->ctx;
    const struct wr_schema *in[2] = {op->plan->in[0]->out, op->plan->in[1]->out};
    int n = in[0]->n + in[1]->n;
    struct used u = {WR_NEW_N(&j->arena, int, n + 1), 0};
    for (int i = 0; i < n; i++)
        u.map[i] = -1;
    wr_expr_columns(j->p->cond, use_col, &u);
    j->cond = wr_expr_remap(&j->arena, j->p->cond, u.map);
    j->cond_schema = (struct wr_schema){u.n, WR_NEW_N(&j->arena, struct wr_field, u.n + 1)};
    j->cond_col = WR_NEW_N(&j->arena, int, u.n + 1);
    for (int i = 0; i < n; i++) {
        if (u.map[i] < 0)
            continue;
        j->cond_col[u.map[i]] = i;
        j->cond_schema.field[u.map[i]] = i < in[0]->n ? in[0]->field[i] : in[1]->field[i - in[0]->n];
    }
}

static bool shows(enum wr_jkind kind, int s)
{
    return kind == WR_J_FULL || (s == 0 ? kind == WR_J_LEFT || kind == WR_J_ANTI : kind == WR_J_RIGHT);
}

static int64_t less(int64_t bound) { return bound == INT64_MIN ? INT64_MAX : bound == INT64_MAX ? INT64_MIN : -bound; }

static wr_status join_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_join *p = &op->plan->u.join;
    struct wr_plan *const *in = op->plan->in;
    struct wr_join_op *j = wr_calloc(1, sizeof *j);
    bool adds = !in[0]->updating && !in[1]->updating;
    op->ctx = j;
    j->p = p;
    j->op = op;
    j->pairs = p->kind != WR_J_SEMI && p->kind != WR_J_ANTI;
    j->semi = p->kind == WR_J_SEMI;
    j->final = p->free != WR_JFREE_TTL && adds;
    j->marks = p->cond || p->free == WR_JFREE_INTERVAL;
    j->once = !j->pairs && adds;
    for (int s = 0; s < 2; s++) {
        struct wr_join_side *d = &j->side[s];
        bool counted = in[s]->updating || (!j->pairs && s == 1 && p->free != WR_JFREE_INTERVAL);
        d->key = p->key[s];
        d->only = p->only[s];
        d->shows = shows(p->kind, s);
        d->kept = true;
        d->time = p->time[s];
        d->lo = s == 0 ? less(p->hi) : p->lo;
        d->hi = s == 0 ? less(p->lo) : p->hi;
        d->until = p->free == WR_JFREE_INTERVAL ? p->until[s] : p->time[s];
        d->off = p->free == WR_JFREE_INTERVAL ? p->until_off[s] : 0;
        d->updating = in[s]->updating;
        wr_rowlayout_init(&d->layout, in[s]->out, p->key[s], p->n_key, counted, by_time(p) ? p->time[s] : -1, &j->arena);
    }
    if (p->cond)
        make_cond(op);
    j->timed = by_time(p);
    wr_join_spill_open(op);
    if (p->free != WR_JFREE_WINDOW)
        (void)wr_join_pane_at(op, INT64_MAX);
    return WR_OK;
}

static void join_close(struct wr_op *op)
{
    struct wr_join_op *j = op->ctx;
    for (int s = 0; s < 2; s++)
        wr_join_queue_clear(&j->side[s].queue);
    for (int i = 0; i < j->n_pane; i++)
        pane_free(j->pane[i]);
    free(j->pane);
    for (uint32_t i = 0; i < j->n_dead; i++)
        wr_row_free(j->dead[i]);
    free(j->dead);
    free(j->cand);
    free(j->cand_row);
    free(j->out);
    wr_buf_clear(&j->gone);
    wr_join_spill_close(j);
    wr_arena_clear(&j->scratch);
    wr_arena_clear(&j->arena);
    free(j);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_join = {
    .name = "join", .spills = true, .open = join_open, .process = join_process, .watermark = wr_join_watermark, .tick = wr_join_tick, .flush = wr_op_no_flush,
    .finish = join_finish, .checkpoint = wr_join_checkpoint, .restore = wr_join_restore, .close = join_close,
};

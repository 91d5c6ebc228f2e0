/* bind_join_free.c: how each join frees what it keeps: bounds on event times make it an interval join, equal windows a window join.
 * Rules:  settled once, after WHERE was read. What would compare every row with every row for ever is refused. Windows of the same kind and size that
 *         start together end together, so either bound will do.
 *         Event times are those of rows that are only added, and the ends of windows: what a window's aggregate adds and takes back comes before W
 *         reaches its end. The start of a window is its end less its size. A row may leave when W has passed what bounds the other input's event time for
 *         it from above: most often its own event time and a length (b.ts <= a.ts + 1 min), but any of its columns will do (b.ts <= a.expires). */
#include "planner/bind.h"

/* ---- bounds on time ---- */

#define MOST_SPAN INT64_C(31557600000000000) /* 1000 years */

/* x = event time of one input + off. */
struct term { int side, col; int64_t off; };

static bool interval_of(const struct wr_expr *x, int64_t *us)
{
    if (x->kind != WR_X_CONST || x->type.id != WR_T_INTERVAL || x->u.val.null || x->u.val.as.iv.months)
        return false;
    return !__builtin_mul_overflow((int64_t)x->u.val.as.iv.days, INT64_C(86400000000), us) && !__builtin_add_overflow(*us, x->u.val.as.iv.us, us);
}

static bool term_of(const struct wr_expr *x, int n_left, struct term *t)
{
    int64_t us;
    if (x->kind == WR_X_COL) {
        *t = (struct term){x->u.col >= n_left, x->u.col >= n_left ? x->u.col - n_left : x->u.col, 0};
        return wr_type_is_time(x->type);
    }
    if (x->kind == WR_X_CALL && x->u.call.n == 1 && (x->u.call.fn->flags & WR_F_RELABEL))
        return term_of(x->u.call.arg[0], n_left, t); /* TIMESTAMP as TIMESTAMPTZ */
    if (x->kind != WR_X_CALL || x->u.call.n != 2)
        return false;
    bool plus = strcmp(x->u.call.fn->name, "+") == 0, minus = strcmp(x->u.call.fn->name, "-") == 0;
    const struct wr_expr *l = x->u.call.arg[0], *r = x->u.call.arg[1];
    if (plus && l->type.id == WR_T_INTERVAL) {
        const struct wr_expr *swap = l;
        l = r;
        r = swap;
    }
    if ((!plus && !minus) || !interval_of(r, &us) || us < -MOST_SPAN || us > MOST_SPAN || !term_of(l, n_left, t))
        return false;
    return !__builtin_add_overflow(t->off, plus ? us : -us, &t->off) && t->off > -MOST_SPAN && t->off < MOST_SPAN;
}

struct bound {
    int col[2];        /* the times compared */
    bool has_lo, has_hi;
    int64_t lo, hi;    /* of left - right */
};

/* left - right of a condition: l OP r, where a difference may stand on one side and a length on the other. */
static bool bound_of(const struct wr_expr *x, int n_left, struct bound *out)
{
    static const struct { const char *name; bool less, equal; } ops[] = {{"<", true, false}, {"<=", true, true}, {">", false, false}, {">=", false, true}};
    struct term a, c;
    int op = -1;
    int64_t d;
    if (x->kind != WR_X_CALL || x->u.call.n != 2)
        return false;
    for (int i = 0; i < 4; i++)
        if (strcmp(x->u.call.fn->name, ops[i].name) == 0)
            op = i;
    if (op < 0)
        return false;
    const struct wr_expr *l = x->u.call.arg[0], *r = x->u.call.arg[1];
    bool less = ops[op].less;
    if (interval_of(l, &d)) { /* length OP difference */
        const struct wr_expr *swap = l;
        l = r;
        r = swap;
        less = !less;
    }
    if (interval_of(r, &d)) {
        if (l->kind != WR_X_CALL || l->u.call.n != 2 || strcmp(l->u.call.fn->name, "-") != 0 || !term_of(l->u.call.arg[0], n_left, &a)
            || !term_of(l->u.call.arg[1], n_left, &c) || d < -MOST_SPAN || d > MOST_SPAN)
            return false;
        c.off += d;
    } else if (!term_of(l, n_left, &a) || !term_of(r, n_left, &c)) {
        return false;
    }
    if (a.side == c.side)
        return false;
    /* a + a.off OP c + c.off  ->  a - c OP c.off - a.off */
    d = c.off - a.off;
    if (a.side == 1) { /* right - left OP d  ->  left - right, the other way round, -d */
        d = -d;
        less = !less;
    }
    *out = (struct bound){.col = {a.side ? c.col : a.col, a.side ? a.col : c.col}};
    if (less) {
        out->has_hi = true;
        out->hi = ops[op].equal ? d : d - 1;
    } else {
        out->has_lo = true;
        out->lo = ops[op].equal ? d : d + 1;
    }
    return true;
}

/* Is column col of the input its event time? WITH WATERMARK may make it so. */
static bool is_event_time(struct binder *b, struct wr_plan *in, int col, const struct env *env)
{
    if (in->time_col < 0 && env->cl.wm && wr_type_is_time(in->out->field[col].type))
        wr_watermark_apply(b, in, env->cl.wm, col, false);
    return in->time_col == col && wr_node_has_watermark(in);
}

static void meet(struct bound *all, const struct bound *one)
{
    if (one->has_lo && (!all->has_lo || one->lo > all->lo))
        all->lo = one->lo;
    if (one->has_hi && (!all->has_hi || one->hi < all->hi))
        all->hi = one->hi;
    all->has_lo |= one->has_lo;
    all->has_hi |= one->has_hi;
}

static bool same_pair(const struct bound *x, const struct bound *y)
{
    return x->col[0] == y->col[0] && x->col[1] == y->col[1];
}

/* The window that column col of p is a bound of; false: it cannot be said. */
static bool window_of(struct wr_plan *p, int col, struct wr_window *out)
{
    struct wr_plan *at = p;
    for (;;) {
        int c;
        wr_node_trace(at, col, &at, &c);
        if (at->kind == WR_PLAN_AGG && at->u.agg.win.kind == WR_WIN_ATTACHED && c < at->u.agg.n_key) {
            col = at->u.agg.key[c];
            at = at->in[0];
            continue;
        }
        *out = at->kind == WR_PLAN_WINDOW ? at->u.window.win : at->kind == WR_PLAN_AGG ? at->u.agg.win : (struct wr_window){0};
        return out->kind == WR_WIN_TUMBLE || out->kind == WR_WIN_HOP;
    }
}

static bool same_size(struct wr_plan *const *in, struct wr_window *out)
{
    struct wr_window r;
    return window_of(in[0], in[0]->win_start, out) && window_of(in[1], in[1]->win_start, &r) && out->kind == r.kind && out->size == r.size
        && out->slide == r.slide && out->offset == r.offset;
}

/* The bounds among a join's conditions: of each the left column less the right one. */
struct bounds {
    struct conj c;
    struct bound *one;   /* by condition, then by key: equal event times */
    bool *is;
    int n;
    int end[2];          /* column of each input that is a window's end; -1: none */
    int64_t size[2];     /* of that window, where the input has its start, too; else 0 */
};

/* A window's start is spoken of as its end less its size. */
static void by_end(const struct wr_plan *p, const struct bounds *q, struct bound *x)
{
    for (int s = 0; s < 2; s++) {
        if (q->end[s] < 0 || q->size[s] == 0 || x->col[s] != p->in[s]->win_start)
            continue;
        x->col[s] = q->end[s];
        x->lo += s ? -q->size[s] : q->size[s];
        x->hi += s ? -q->size[s] : q->size[s];
    }
}

static void read_bounds(struct binder *b, struct wr_plan *p, struct bounds *q)
{
    struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n;
    q->c = (struct conj){0};
    if (j->cond)
        wr_conj_add(b, &q->c, wr_expr_copy(b->a, j->cond));
    q->n = q->c.n + j->n_key;
    q->one = WR_NEW_N(b->a, struct bound, q->n + 1);
    q->is = WR_NEW_N(b->a, bool, q->n + 1);
    for (int i = 0; i < q->c.n; i++) {
        q->is[i] = bound_of(q->c.x[i], n_left, &q->one[i]);
        by_end(p, q, &q->one[i]);
    }
    for (int i = 0; i < j->n_key; i++) { /* equal event times */
        q->is[q->c.n + i] = j->key[0][i] == p->in[0]->time_col && j->key[1][i] == p->in[1]->time_col;
        q->one[q->c.n + i] = (struct bound){.col = {j->key[0][i], j->key[1][i]}, .has_lo = true, .has_hi = true};
    }
}

/* The ends of the inputs' windows; where a condition asks for a start and the input has no end, it gets one. */
static void find_ends(struct binder *b, struct wr_plan *p, struct bounds *q)
{
    for (int s = 0; s < 2; s++) {
        struct wr_plan *in = p->in[s];
        struct wr_window win;
        q->end[s] = wr_node_has_watermark(in) ? in->win_end : -1;
        q->size[s] = wr_node_has_watermark(in) && in->win_start >= 0 && window_of(in, in->win_start, &win) ? win.size : 0;
    }
    read_bounds(b, p, q);
    for (int s = 0; s < 2; s++) {
        struct wr_plan *in = p->in[s];
        bool asked = false;
        for (int i = 0; i < q->c.n; i++)
            asked |= q->is[i] && q->one[i].col[s] == in->win_start;
        if (!asked || q->end[s] >= 0 || q->size[s] == 0)
            continue;
        struct wr_expr *arg[2] = {wr_col_of(b->a, in->out, in->win_start, -1),
                                  wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(INTERVAL), .as.iv.us = q->size[s]}, -1)}, *x;
        if (wr_bind_fn(b, "+", arg, 2, -1, &x) == WR_OK)
            q->end[s] = wr_join_append(b, p, s, x);
    }
    read_bounds(b, p, q);
}

/* apply: WITH WATERMARK may make the column event time. */
static bool is_time(struct binder *b, const struct wr_plan *p, const struct bounds *q, int s, int col, const struct env *env, bool apply)
{
    struct wr_plan *in = p->in[s];
    if (q->end[s] >= 0 && col == q->end[s])
        return true;
    if (in->updating)
        return false;
    return apply ? is_event_time(b, in, col, env) : in->time_col == col && wr_node_has_watermark(in);
}

/* What all conditions about this pair of columns say together. */
static struct bound all_of(const struct bounds *q, const int col[2])
{
    struct bound all = {.col = {col[0], col[1]}};
    for (int k = 0; k < q->n; k++)
        if (q->is[k] && same_pair(&all, &q->one[k]))
            meet(&all, &q->one[k]);
    return all;
}

/* A pair of event times whose difference is bounded on both sides. */
static bool both_bounded(struct binder *b, const struct wr_plan *p, const struct bounds *q, const struct env *env, struct wr_plan_join *j)
{
    for (int i = 0; i < q->n; i++) {
        struct bound all = all_of(q, q->one[i].col);
        if (!q->is[i] || !all.has_lo || !all.has_hi || !is_time(b, p, q, 0, all.col[0], env, true) || !is_time(b, p, q, 1, all.col[1], env, true))
            continue;
        for (int s = 0; s < 2; s++)
            j->time[s] = j->until[s] = all.col[s];
        j->until_off[0] = -all.lo;
        j->until_off[1] = all.hi;
        return true;
    }
    return false;
}

/* For each input a column that bounds the other one's event time from above. */
static bool each_bounded(struct binder *b, const struct wr_plan *p, const struct bounds *q, const struct env *env, struct wr_plan_join *j)
{
    bool has[2] = {false, false};
    for (int i = 0; i < q->n; i++) {
        const struct bound *x = &q->one[i];
        for (int s = 0; s < 2; s++) { /* left - right >= lo: right <= left - lo; left - right <= hi: left <= right + hi */
            if (!q->is[i] || has[s] || !(s == 0 ? x->has_lo : x->has_hi) || !is_time(b, p, q, !s, x->col[!s], env, false))
                continue;
            j->until[s] = x->col[s];
            j->until_off[s] = s == 0 ? -x->lo : x->hi;
            j->time[!s] = x->col[!s];
            has[s] = true;
        }
    }
    return has[0] && has[1];
}

/* The conditions that the bounds on event times do not say become `rest`. */
static bool find_interval(struct binder *b, struct wr_plan *p, const struct env *env, struct conj *rest)
{
    struct wr_plan_join *j = &p->u.join;
    struct bounds q;
    find_ends(b, p, &q);
    if (!both_bounded(b, p, &q, env, j) && !each_bounded(b, p, &q, env, j))
        return false;
    struct bound all = all_of(&q, j->time);
    j->lo = all.has_lo ? all.lo : INT64_MIN;
    j->hi = all.has_hi ? all.hi : INT64_MAX;
    for (int k = 0; k < q.c.n; k++)
        if (!q.is[k] || !same_pair(&all, &q.one[k]))
            wr_conj_add(b, rest, q.c.x[k]);
    for (int s = 0; s < 2; s++) {
        j->by_end[s] = j->time[s] == q.end[s];
        if (p->in[s]->updating && j->until[s] == j->time[s] && j->until_off[s] < 0)
            j->until_off[s] = 0; /* it may be taken back as long */
    }
    return true;
}

/* ---- settling ---- */

static struct wr_plan *late_rows(struct binder *b, struct wr_plan *in, struct wr_window win, int64_t lateness)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_LATE, in);
    p->u.late.win = win;
    p->u.late.lateness = lateness;
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

static int64_t lateness_of(struct binder *b, const struct env *env)
{
    return env->cl.wm && env->cl.wm->lateness >= 0 ? env->cl.wm->lateness : wr_setting_int(b->cat, WR_SET_LATENESS);
}

static void see_lateness(void *ctx, struct wr_plan *p)
{
    int64_t late = p->kind == WR_PLAN_AGG || p->kind == WR_PLAN_SESSION ? p->u.agg.lateness : p->kind == WR_PLAN_JOIN ? p->u.join.lateness : 0;
    if (late > *(int64_t *)ctx)
        *(int64_t *)ctx = late;
}

/* Which input's event time the results can be given: W is held back by as much as they may be older. */
static int time_side(const struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    if (j->kind == WR_J_FULL || p->in[0]->updating || p->in[1]->updating)
        return -1;
    int first = j->kind == WR_J_RIGHT;
    for (int i = 0; i < 2; i++) {
        int s = i ? !first : first;
        if (i && j->kind != WR_J_INNER)
            break;
        if (wr_join_time_holds(j, s))
            return s;
    }
    return -1;
}

static bool settle_interval(struct binder *b, struct wr_plan *p, const struct env *env)
{
    struct wr_plan_join *j = &p->u.join;
    struct conj rest = {0};
    if (!find_interval(b, p, env, &rest))
        return false;
    j->free = WR_JFREE_INTERVAL;
    j->lateness = lateness_of(b, env);
    wr_node_walk(p, see_lateness, &j->lateness); /* results of windows below may be amended for as long */
    j->cond = wr_conj_all(b, &rest);
    j->time_side = time_side(p);
    for (int s = 0; s < 2; s++) {
        /* a window of one µs: late is what is behind W */
        struct wr_window instant = {.kind = WR_WIN_TUMBLE, .size = 1, .slide = 1, .time_col = j->time[s], .start_col = -1, .end_col = -1};
        struct wr_window window = {.kind = WR_WIN_ATTACHED, .time_col = -1, .start_col = -1, .end_col = j->time[s]};
        p->in[s] = late_rows(b, p->in[s], j->by_end[s] ? window : instant, j->lateness);
    }
    return true;
}

static bool is_key(const struct wr_plan_join *j, int left, int right)
{
    for (int i = 0; i < j->n_key; i++)
        if (left >= 0 && right >= 0 && j->key[0][i] == left && j->key[1][i] == right)
            return true;
    return false;
}

/* Columns that hold the windows' ends, when the keys say that the windows are the same. */
static bool equal_windows(struct binder *b, struct wr_plan *p, int end[2])
{
    const struct wr_plan_join *j = &p->u.join;
    struct wr_window win;
    for (int s = 0; s < 2; s++)
        end[s] = p->in[s]->win_end;
    if (is_key(j, end[0], end[1]))
        return true;
    if (!is_key(j, p->in[0]->win_start, p->in[1]->win_start) || !same_size(p->in, &win))
        return false;
    for (int s = 0; s < 2; s++) {
        if (end[s] >= 0)
            continue;
        struct wr_expr *arg[2] = {wr_col_of(b->a, p->in[s]->out, p->in[s]->win_start, -1),
                                  wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(INTERVAL), .as.iv.us = win.size}, -1)}, *x;
        if (wr_bind_fn(b, "+", arg, 2, -1, &x))
            return false;
        end[s] = wr_join_append(b, p, s, x);
    }
    return true;
}

static bool settle_window(struct binder *b, struct wr_plan *p, const struct env *env)
{
    struct wr_plan_join *j = &p->u.join;
    int end[2];
    if (!wr_node_has_watermark(p->in[0]) || !wr_node_has_watermark(p->in[1]) || !equal_windows(b, p, end))
        return false;
    j->free = WR_JFREE_WINDOW;
    j->lateness = lateness_of(b, env);
    wr_node_walk(p, see_lateness, &j->lateness); /* results of windows below may be amended for as long */
    for (int s = 0; s < 2; s++) {
        j->end[s] = end[s];
        struct wr_window win = {.kind = WR_WIN_ATTACHED, .time_col = -1, .start_col = -1, .end_col = end[s]};
        p->in[s] = late_rows(b, p->in[s], win, j->lateness);
    }
    return true;
}

static wr_status check_keyless(struct binder *b, const struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    if (j->n_key || j->free != WR_JFREE_TTL || p->in[0]->bounded || p->in[1]->bounded || p->in[0]->n_ukey == 0 || p->in[1]->n_ukey == 0)
        return WR_OK;
    if ((j->kind == WR_J_SEMI || j->kind == WR_J_ANTI) && !j->cond)
        return WR_OK; /* one row or none decides for all */
    wr_fail_at(b->err, WR_ESQL, j->off, "this join has no equality between its inputs, and neither of them ends: it would keep and compare all rows for ever");
    wr_hint(b->err, "add ON a.x = b.y, or bound the event times: a.ts BETWEEN b.ts - INTERVAL '5' MINUTE AND b.ts");
    return WR_ESQL;
}

/* A key made comparable: column c is column `of` under another type. */
static bool is_cast_of(const struct wr_plan *p, int c, int of)
{
    const struct wr_expr *x = p->kind == WR_PLAN_PROJECT ? p->u.project.expr[c] : NULL;
    return x && x->kind == WR_X_CALL && x->u.call.n == 1 && x->u.call.arg[0]->kind == WR_X_COL && x->u.call.arg[0]->u.col == of
        && x->u.call.fn == wr_func_cast(x->u.call.arg[0]->type, x->type);
}

static wr_status settle_versions(struct binder *b, struct wr_plan *p, const struct env *env)
{
    struct wr_plan_join *j = &p->u.join;
    for (int i = 0; i < j->n_pk; i++) {
        bool there = false;
        for (int k = 0; k < j->n_key; k++)
            there |= j->key[1][k] == j->pk[i] || is_cast_of(p->in[1], j->key[1][k], j->pk[i]);
        if (there)
            continue;
        struct wr_str name = p->in[1]->out->field[j->pk[i]].name;
        wr_fail_at(b->err, WR_ESQL, j->off, "FOR SYSTEM_TIME AS OF: the join does not compare \"%.*s\", which is in the PRIMARY KEY", WR_FMT(name));
        wr_hint(b->err, "ON left.column = right.%.*s for each column of the key", WR_FMT(name));
        return WR_ESQL;
    }
    for (int s = 0; s < 2; s++) {
        if (p->in[s]->updating)
            return wr_fail_at(b->err, WR_ESQL, j->off, "FOR SYSTEM_TIME AS OF over rows that are taken back: both inputs must only add rows");
        if (is_event_time(b, p->in[s], j->time[s], env))
            continue;
        wr_fail_at(b->err, WR_ESQL, j->off, "FOR SYSTEM_TIME AS OF needs the event time of the %s input, and \"%.*s\" is not", s ? "right" : "left",
                   WR_FMT(p->in[s]->out->field[j->time[s]].name));
        wr_hint(b->err, "declare it: WATERMARK FOR %.*s AS %.*s - INTERVAL '1' MINUTE", WR_FMT(p->in[s]->out->field[j->time[s]].name),
                WR_FMT(p->in[s]->out->field[j->time[s]].name));
        return WR_ESQL;
    }
    for (int s = 0; s < 2; s++) {
        struct wr_window instant = {.kind = WR_WIN_TUMBLE, .size = 1, .slide = 1, .time_col = j->time[s], .start_col = -1, .end_col = -1};
        p->in[s] = late_rows(b, p->in[s], instant, 0);
    }
    j->free = WR_JFREE_VERSION;
    j->time_side = 0;
    wr_node_props(b->a, p);
    return WR_OK;
}

wr_status wr_join_settle_one(struct binder *b, struct wr_plan *p, const struct env *env)
{
    struct wr_plan_join *j = &p->u.join;
    j->settled = true;
    if (j->as_of)
        return settle_versions(b, p, env);
    j->time_side = -1;
    if (!settle_window(b, p, env) && !settle_interval(b, p, env)) {
        j->free = WR_JFREE_TTL;
        j->ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL);
    }
    wr_node_props(b->a, p);
    return check_keyless(b, p);
}

/* Joins of this FROM clause, inputs first; those of subqueries are settled. */
static wr_status settle(struct binder *b, struct wr_plan *p, const struct env *env)
{
    if (p->kind == WR_PLAN_JOIN && !p->u.join.settled) {
        WR_TRY(settle(b, p->in[0], env));
        WR_TRY(settle(b, p->in[1], env));
        return wr_join_settle_one(b, p, env);
    }
    if (p->kind == WR_PLAN_PROJECT || p->kind == WR_PLAN_FILTER || p->kind == WR_PLAN_UNNEST || p->kind == WR_PLAN_LOOKUP) {
        WR_TRY(settle(b, p->in[0], env));
        wr_node_props(b->a, p);
    }
    return WR_OK;
}

wr_status wr_join_settle(struct binder *b, struct rel *from, const struct env *env)
{
    return settle(b, from->plan, env);
}

bool wr_join_time_is(struct binder *b, struct wr_plan *p, int col)
{
    if (p->kind == WR_PLAN_JOIN && p->u.join.free == WR_JFREE_INTERVAL && p->u.join.kind == WR_J_INNER) {
        struct wr_plan_join *j = &p->u.join;
        int side, c = wr_join_trace(p, col, &side);
        if (c != j->time[side] || p->updating || !wr_join_time_holds(j, side))
            return false;
        j->time_side = side;
        wr_node_props(b->a, p);
        return true;
    }
    bool plain = p->kind == WR_PLAN_PROJECT && p->u.project.expr[col]->kind == WR_X_COL;
    if (!plain && p->kind != WR_PLAN_FILTER)
        return false;
    if (!wr_join_time_is(b, p->in[0], plain ? p->u.project.expr[col]->u.col : col))
        return false;
    wr_node_props(b->a, p);
    return p->time_col == col;
}

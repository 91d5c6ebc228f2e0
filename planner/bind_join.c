/* bind_join.c: joins in FROM: the conditions of ON, USING and WHERE sorted to where they belong, and how each join frees what it keeps.
 *
 *   FROM            a JOIN node for each join, with ON's conditions
 *   WHERE           each conjunct goes as far down as its meaning allows: into a join's condition, or below a join, or it stays a filter above
 *   then settled    equalities are keys; bounds on the difference of event times make it an interval join, equal window ends a window join
 *
 * Rules:  a comma is a join like any other, so it does not matter whether a condition stands in ON or in WHERE. A join is not settled before WHERE was
 *         read, and is not changed afterwards. What would compare every row with every row for ever is refused.
 *         The conditions of an outer join's ON that look at the kept side only do not filter it: they decide which of its rows may match. */
#include "planner/bind.h"

#include <stdlib.h>

/* ---- conjuncts ---- */

struct conj {
    struct wr_expr **x;
    int n, cap;
};

static void conj_add(struct binder *b, struct conj *c, struct wr_expr *x)
{
    if (x->kind == WR_X_AND) {
        for (int i = 0; i < x->u.call.n; i++)
            conj_add(b, c, x->u.call.arg[i]);
        return;
    }
    if (c->n == c->cap) {
        struct wr_expr **old = c->x;
        c->cap = c->cap ? 2 * c->cap : 8;
        c->x = WR_NEW_N(b->a, struct wr_expr *, c->cap);
        if (c->n)
            memcpy(c->x, old, sizeof(*old) * (size_t)c->n);
    }
    c->x[c->n++] = x;
}

/* The conjuncts as one expression; NULL: there are none. */
static struct wr_expr *conj_all(struct binder *b, const struct conj *c)
{
    if (c->n <= 1)
        return c->n ? c->x[0] : NULL;
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = (struct wr_expr){.kind = WR_X_AND, .type = WR_TYPE_OF(BOOL), .off = c->x[0]->off};
    y->u.call.n = c->n;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, c->n);
    for (int i = 0; i < c->n; i++) {
        y->u.call.arg[i] = c->x[i];
        y->nullable |= c->x[i]->nullable;
    }
    return y;
}

static void add_to(struct binder *b, const struct wr_expr **cond, struct wr_expr *x)
{
    struct conj c = {0};
    if (*cond)
        conj_add(b, &c, wr_expr_copy(b->a, *cond));
    conj_add(b, &c, x);
    *cond = conj_all(b, &c);
}

struct sides { int n_left, mask; };
static void see_side(void *ctx, int col)
{
    struct sides *s = ctx;
    s->mask |= col < s->n_left ? 1 : 2;
}

/* Which inputs x looks at: bit 0 left, bit 1 right. */
static int sides_of(const struct wr_expr *x, int n_left)
{
    struct sides s = {n_left, 0};
    wr_expr_columns(x, see_side, &s);
    return s.mask;
}

static bool is_volatile(const struct wr_expr *x)
{
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return false;
    if (x->kind == WR_X_CALL && (x->u.call.fn->flags & WR_F_VOLATILE))
        return true;
    for (int i = 0; i < x->u.call.n; i++)
        if (is_volatile(x->u.call.arg[i]))
            return true;
    return false;
}

/* x over both inputs' columns -> over the columns of one. */
static struct wr_expr *to_side(struct binder *b, const struct wr_plan *p, int side, const struct wr_expr *x)
{
    int n_left = p->in[0]->out->n, n = n_left + p->in[1]->out->n, *map = WR_NEW_N(b->a, int, n + 1);
    for (int i = 0; i < n; i++)
        map[i] = side ? i - n_left : i < n_left ? i : -1;
    return wr_expr_remap(b->a, x, map);
}

/* ---- keys ---- */

static int *longer(struct binder *b, const int *v, int n, int x)
{
    int *w = WR_NEW_N(b->a, int, n + 1);
    if (n)
        memcpy(w, v, sizeof(int) * (size_t)n);
    w[n] = x;
    return w;
}

/* The input's columns and x behind them. */
static int append_column(struct binder *b, struct wr_plan *p, int side, struct wr_expr *x)
{
    struct wr_plan *in = p->in[side];
    int n = in->out->n, n_left = p->in[0]->out->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, in->out, i, -1);
        name[i] = in->out->field[i].name;
    }
    struct wr_buf text = WR_BUF_INIT(4096);
    wr_expr_print(&text, x, in->out);
    expr[n] = x;
    name[n] = wr_arena_str(b->a, wr_buf_get(&text));
    wr_buf_clear(&text);
    p->in[side] = wr_bind_made(b, wr_node_project(b->a, in, n + 1, expr, name));
    if (side == 1)
        return n;
    /* the right columns have moved */
    struct wr_plan_join *j = &p->u.join;
    int total = n_left + p->in[1]->out->n, *map = WR_NEW_N(b->a, int, total + 1), *col = WR_NEW_N(b->a, int, j->n_col + 1);
    for (int i = 0; i < total; i++)
        map[i] = i < n_left ? i : i + 1;
    for (int i = 0; i < j->n_col; i++)
        col[i] = map[j->col[i]];
    j->col = col;
    if (j->cond)
        j->cond = wr_expr_remap(b->a, j->cond, map);
    return n;
}

static int column_for(struct binder *b, struct wr_plan *p, int side, struct wr_expr *x)
{
    return x->kind == WR_X_COL ? x->u.col : append_column(b, p, side, x);
}

/* left = right, or left IS NOT DISTINCT FROM right: a key. */
static bool take_key(struct binder *b, struct wr_plan *p, struct wr_expr *x)
{
    struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n;
    if (x->kind != WR_X_CALL || x->u.call.n != 2)
        return false;
    bool safe = strcmp(x->u.call.fn->name, "is_not_distinct") == 0;
    if (!safe && strcmp(x->u.call.fn->name, "=") != 0)
        return false;
    struct wr_expr *arg[2] = {x->u.call.arg[0], x->u.call.arg[1]};
    if (sides_of(arg[0], n_left) == 2) {
        arg[0] = x->u.call.arg[1];
        arg[1] = x->u.call.arg[0];
    }
    if (sides_of(arg[0], n_left) != 1 || sides_of(arg[1], n_left) != 2 || !wr_type_eq(arg[0]->type, arg[1]->type) || is_volatile(x))
        return false;
    struct wr_expr *own[2] = {to_side(b, p, 0, arg[0]), to_side(b, p, 1, arg[1])};
    int col[2];
    for (int s = 0; s < 2; s++)
        col[s] = column_for(b, p, s, own[s]);
    for (int i = 0; i < j->n_key; i++)
        if (j->key[0][i] == col[0] && j->key[1][i] == col[1])
            return true;
    bool *null_safe = WR_NEW_N(b->a, bool, j->n_key + 1);
    if (j->n_key)
        memcpy(null_safe, j->null_safe, sizeof(bool) * (size_t)j->n_key);
    null_safe[j->n_key] = safe;
    j->null_safe = null_safe;
    for (int s = 0; s < 2; s++)
        j->key[s] = longer(b, j->key[s], j->n_key, col[s]);
    j->n_key++;
    return true;
}

/* ---- where a condition goes ---- */

static bool join_take(struct binder *b, struct wr_plan *p, struct wr_expr *x, bool where);

struct plain { const struct wr_plan *project; bool all; };
static void see_plain(void *ctx, int col)
{
    struct plain *p = ctx;
    p->all &= p->project->u.project.expr[col]->kind == WR_X_COL;
}

/* x over a projection -> over its input; NULL: it looks at something computed there. */
static struct wr_expr *through_columns(struct binder *b, const struct wr_plan *project, const struct wr_expr *x)
{
    struct plain see = {project, true};
    wr_expr_columns(x, see_plain, &see);
    if (!see.all)
        return NULL;
    int *map = WR_NEW_N(b->a, int, project->u.project.n + 1);
    for (int i = 0; i < project->u.project.n; i++)
        map[i] = project->u.project.expr[i]->kind == WR_X_COL ? project->u.project.expr[i]->u.col : -1;
    return wr_expr_remap(b->a, x, map);
}

/* x over p's output: as far down as it can go. */
static void push(struct binder *b, struct wr_plan **p, struct wr_expr *x)
{
    struct wr_plan *q = *p;
    if (q->kind == WR_PLAN_JOIN && !q->u.join.settled && join_take(b, q, wr_expr_remap(b->a, x, q->u.join.col), true))
        return;
    if (q->kind == WR_PLAN_PROJECT && q->in[0]->kind == WR_PLAN_JOIN && !q->in[0]->u.join.settled) {
        struct wr_expr *low = through_columns(b, q, x); /* the projection was made for a computed key */
        if (low) {
            push(b, &q->in[0], low);
            wr_node_props(b->a, q);
            return;
        }
    }
    *p = wr_bind_made(b, wr_node_filter(b->a, q, x));
}

/* x over both inputs of join p; where: it stands above the join, not in its ON. false: it has to stay above. */
static bool join_take(struct binder *b, struct wr_plan *p, struct wr_expr *x, bool where)
{
    struct wr_plan_join *j = &p->u.join;
    int mask = sides_of(x, p->in[0]->out->n), side = mask == 2;
    bool inner = j->kind == WR_J_INNER || j->kind == WR_J_SEMI, kept = wr_join_shows(j->kind, side);
    if (is_volatile(x)) {
        if (where && !inner)
            return false;
        add_to(b, &j->cond, x);
        return true;
    }
    if (mask == 3) {
        if (where && !inner)
            return false;
        if (!take_key(b, p, x))
            add_to(b, &j->cond, x);
    } else if (where && !inner && (!kept || j->kind == WR_J_FULL)) {
        return false;
    } else if (!where && kept) {
        add_to(b, &j->only[side], to_side(b, p, side, x));
    } else {
        push(b, &p->in[side], to_side(b, p, side, x));
    }
    wr_node_props(b->a, p);
    return true;
}

void wr_join_add(struct binder *b, struct wr_plan *p, struct wr_expr *cond, int n_left)
{
    struct conj c = {0};
    conj_add(b, &c, cond);
    for (int i = 0; i < c.n; i++) {
        /* computed keys stand behind the left columns: those of the right have moved */
        int grown = p->in[0]->out->n - n_left, n = n_left + p->in[1]->out->n, *map = WR_NEW_N(b->a, int, n + 1);
        for (int k = 0; k < n; k++)
            map[k] = k < n_left ? k : k + grown;
        (void)join_take(b, p, wr_expr_remap(b->a, c.x[i], map), false);
    }
    wr_node_props(b->a, p);
}

struct highest { int n; bool fits; };
static void see_highest(void *ctx, int col)
{
    struct highest *h = ctx;
    h->fits &= col < h->n;
}

/* WHERE over rows made by UNNEST: what does not look at these goes to the joins below. x over the columns of *p. */
static void where_below(struct binder *b, struct wr_plan **p, struct wr_expr *x)
{
    struct wr_plan *q = *p;
    struct highest h = {q->n_in ? q->in[0]->out->n : 0, true};
    wr_expr_columns(x, see_highest, &h);
    bool through = q->kind == WR_PLAN_UNNEST || (q->kind == WR_PLAN_FILTER && q->in[0]->kind == WR_PLAN_UNNEST);
    if (through && h.fits && !is_volatile(x)) {
        where_below(b, &q->in[0], x);
        wr_node_props(b->a, q);
        return;
    }
    push(b, p, x);
}

void wr_join_where(struct binder *b, struct rel *from, struct wr_expr *pred)
{
    struct wr_plan *top = from->plan;
    if (top->kind == WR_PLAN_UNNEST || (top->kind == WR_PLAN_FILTER && top->in[0]->kind == WR_PLAN_UNNEST)) {
        struct conj each = {0};
        conj_add(b, &each, pred);
        for (int i = 0; i < each.n; i++)
            where_below(b, &from->plan, each.x[i]);
        return;
    }
    if (from->plan->kind != WR_PLAN_JOIN) {
        from->plan = wr_bind_made(b, wr_node_filter(b->a, from->plan, pred));
        return;
    }
    struct conj c = {0}, rest = {0};
    conj_add(b, &c, pred);
    for (int i = 0; i < c.n; i++)
        if (!join_take(b, from->plan, wr_expr_remap(b->a, c.x[i], from->plan->u.join.col), true))
            conj_add(b, &rest, c.x[i]);
    if (rest.n)
        from->plan = wr_bind_made(b, wr_node_filter(b->a, from->plan, conj_all(b, &rest)));
}

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

/* A pair of event times whose difference is bounded on both sides; the other conditions become `rest`. */
static bool find_interval(struct binder *b, struct wr_plan *p, const struct env *env, struct bound *all, struct conj *rest)
{
    struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n;
    struct conj c = {0};
    if (p->in[0]->updating || p->in[1]->updating)
        return false;
    if (j->cond)
        conj_add(b, &c, wr_expr_copy(b->a, j->cond));
    struct bound *one = WR_NEW_N(b->a, struct bound, c.n + j->n_key + 1);
    bool *is = WR_NEW_N(b->a, bool, c.n + j->n_key + 1);
    for (int i = 0; i < c.n; i++)
        is[i] = bound_of(c.x[i], n_left, &one[i]);
    for (int i = 0; i < j->n_key; i++) { /* equal event times */
        is[c.n + i] = j->key[0][i] == p->in[0]->time_col && j->key[1][i] == p->in[1]->time_col;
        one[c.n + i] = (struct bound){.col = {j->key[0][i], j->key[1][i]}, .has_lo = true, .has_hi = true};
    }
    for (int i = 0; i < c.n + j->n_key; i++) {
        if (!is[i])
            continue;
        *all = one[i];
        for (int k = 0; k < c.n + j->n_key; k++)
            if (is[k] && same_pair(all, &one[k]))
                meet(all, &one[k]);
        if (!all->has_lo || !all->has_hi || !is_event_time(b, p->in[0], all->col[0], env) || !is_event_time(b, p->in[1], all->col[1], env))
            continue;
        for (int k = 0; k < c.n; k++)
            if (!is[k] || !same_pair(all, &one[k]))
                conj_add(b, rest, c.x[k]);
        return true;
    }
    return false;
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

static bool settle_interval(struct binder *b, struct wr_plan *p, const struct env *env)
{
    struct wr_plan_join *j = &p->u.join;
    struct bound all;
    struct conj rest = {0};
    if (!find_interval(b, p, env, &all, &rest))
        return false;
    j->free = WR_JFREE_INTERVAL;
    j->lateness = lateness_of(b, env);
    j->lo = all.lo;
    j->hi = all.hi;
    j->cond = conj_all(b, &rest);
    j->time_side = j->kind == WR_J_FULL ? -1 : j->kind == WR_J_RIGHT;
    for (int s = 0; s < 2; s++) {
        j->time[s] = all.col[s];
        /* a window of one µs: late is what is behind W */
        struct wr_window instant = {.kind = WR_WIN_TUMBLE, .size = 1, .slide = 1, .time_col = all.col[s], .start_col = -1, .end_col = -1};
        p->in[s] = late_rows(b, p->in[s], instant, j->lateness);
    }
    return true;
}

static bool settle_window(struct binder *b, struct wr_plan *p)
{
    struct wr_plan_join *j = &p->u.join;
    const struct wr_plan *l = p->in[0], *r = p->in[1];
    if (l->win_end < 0 || r->win_end < 0 || !wr_node_has_watermark(l) || !wr_node_has_watermark(r))
        return false;
    for (int i = 0; i < j->n_key; i++) {
        if (j->key[0][i] != l->win_end || j->key[1][i] != r->win_end)
            continue;
        j->free = WR_JFREE_WINDOW;
        for (int s = 0; s < 2; s++) {
            j->end[s] = p->in[s]->win_end;
            struct wr_window win = {.kind = WR_WIN_ATTACHED, .time_col = -1, .start_col = -1, .end_col = j->end[s]};
            p->in[s] = late_rows(b, p->in[s], win, 0);
        }
        return true;
    }
    return false;
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

wr_status wr_join_settle_one(struct binder *b, struct wr_plan *p, const struct env *env)
{
    struct wr_plan_join *j = &p->u.join;
    j->settled = true;
    j->time_side = -1;
    if (!settle_window(b, p) && !settle_interval(b, p, env)) {
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
    if (p->kind == WR_PLAN_PROJECT || p->kind == WR_PLAN_FILTER || p->kind == WR_PLAN_UNNEST) {
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
        if (c != j->time[side])
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

/* ---- FROM ---- */

static enum wr_jkind kind_of(enum wr_ast_join k)
{
    switch (k) {
    case WR_JOIN_INNER:
    case WR_JOIN_CROSS: return WR_J_INNER;
    case WR_JOIN_LEFT: return WR_J_LEFT;
    case WR_JOIN_RIGHT: return WR_J_RIGHT;
    case WR_JOIN_FULL: return WR_J_FULL;
    }
    return WR_J_INNER;
}

struct wr_plan *wr_join_node(struct binder *b, enum wr_jkind kind, struct wr_plan *left, struct wr_plan *right, int32_t off)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_JOIN, NULL);
    struct wr_plan_join *j = &p->u.join;
    p->n_in = 2;
    p->in = WR_NEW_N(b->a, struct wr_plan *, 2);
    p->in[0] = left;
    p->in[1] = right;
    int n = left->out->n + (kind == WR_J_SEMI || kind == WR_J_ANTI ? 0 : right->out->n), *col = WR_NEW_N(b->a, int, n + 1);
    for (int i = 0; i < n; i++)
        col[i] = i;
    *j = (struct wr_plan_join){.kind = kind, .n_col = n, .col = col, .off = off, .time_side = -1};
    j->key[0] = j->key[1] = WR_NEW(b->a, int);
    j->null_safe = WR_NEW(b->a, bool);
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

static wr_status same_name(struct binder *b, const struct rel *l, const struct rel *r, int32_t off)
{
    struct wr_str last = {0};
    for (int k = 0; k < r->n; k++) {
        struct wr_str q = r->col[k].qual;
        if (q.n == 0 || wr_str_eq(q, last))
            continue;
        last = q;
        for (int i = 0; i < l->n; i++) {
            if (!wr_str_eq(l->col[i].qual, q))
                continue;
            wr_fail_at(b->err, WR_ESQL, off, "table \"%.*s\" is named twice in FROM", WR_FMT(q));
            wr_hint(b->err, "give each an alias: %.*s AS a JOIN %.*s AS b", WR_FMT(q), WR_FMT(q));
            return WR_ESQL;
        }
    }
    return WR_OK;
}

/* Columns merged by USING or NATURAL: left and right column of each. */
struct merged { int n, *l, *r; };

static wr_status using_columns(struct binder *b, const struct wr_ast_table *t, const struct rel *l, const struct rel *r, struct merged *m)
{
    m->l = WR_NEW_N(b->a, int, l->n + 1);
    m->r = WR_NEW_N(b->a, int, l->n + 1);
    for (const struct wr_ast_name *n = t->using_cols; n; n = n->next) {
        int i = wr_rel_find(b, l, (struct wr_str){0}, n->text, n->off, true), k = i < 0 ? -1 : wr_rel_find(b, r, (struct wr_str){0}, n->text, n->off, true);
        if (i < 0 || k < 0)
            return WR_ESQL;
        for (int d = 0; d < m->n; d++)
            if (m->l[d] == i)
                return wr_fail_at(b->err, WR_ESQL, n->off, "column \"%.*s\" is named twice in USING", WR_FMT(n->text));
        m->l[m->n] = i;
        m->r[m->n++] = k;
    }
    for (int i = 0; t->natural && i < l->n; i++) {
        if (l->col[i].hidden || l->col[i].name.n == 0)
            continue;
        int k = wr_rel_find(b, r, (struct wr_str){0}, l->col[i].name, t->off, false);
        if (k == -2)
            return WR_ESQL;
        if (k < 0)
            continue;
        if (wr_rel_find(b, l, (struct wr_str){0}, l->col[i].name, t->off, false) < 0)
            return WR_ESQL;
        m->l[m->n] = i;
        m->r[m->n++] = k;
    }
    if (t->natural && m->n == 0)
        return wr_fail_at(b->err, WR_ESQL, t->off, "NATURAL JOIN of tables that have no column name in common");
    return WR_OK;
}

static wr_status using_conditions(struct binder *b, struct wr_plan *p, const struct merged *m, const struct rel *l)
{
    int n_left = l->plan->out->n;
    for (int i = 0; i < m->n; i++) {
        struct wr_expr *arg[2] = {wr_col_of(b->a, p->in[0]->out, m->l[i], p->u.join.off), wr_col_of(b->a, p->in[1]->out, m->r[i], p->u.join.off)}, *eq;
        arg[1] = wr_expr_col(b->a, n_left + m->r[i], arg[1]->type, arg[1]->nullable, arg[1]->off);
        WR_TRY(wr_bind_fn(b, "=", arg, 2, p->u.join.off, &eq));
        wr_join_add(b, p, eq, n_left);
    }
    return WR_OK;
}

static bool among(const int *v, int n, int x)
{
    for (int i = 0; i < n; i++)
        if (v[i] == x)
            return true;
    return false;
}

/* Merged columns first, once; the other side's stay readable by their table's name. */
static wr_status merge_columns(struct binder *b, struct rel *r, int n_left, const struct merged *m)
{
    struct wr_plan_join *j = &r->plan->u.join;
    int *col = WR_NEW_N(b->a, int, j->n_col + 1), k = 0;
    struct relcol *name = WR_NEW_N(b->a, struct relcol, j->n_col + m->n + 1);
    bool right = j->kind == WR_J_RIGHT, full = j->kind == WR_J_FULL;
    int *from = WR_NEW_N(b->a, int, j->n_col + 1);
    for (int pass = 0; pass < 3; pass++) /* the merged, the others, the hidden */
        for (int i = 0; i < (pass ? r->n : m->n); i++) {
            int c = pass ? i : right ? n_left + m->r[i] : m->l[i];
            bool of_left = among(m->l, m->n, c), of_right = c >= n_left && among(m->r, m->n, c - n_left), main = right ? of_right : of_left;
            if (pass == 1 ? of_left || of_right : pass == 2 ? !(main ? false : of_left || of_right) : false)
                continue;
            from[k] = c;
            name[k] = r->col[c];
            name[k].hidden |= pass == 2 || full;
            if (full && pass == 1 && !r->col[c].hidden)
                name[k].hidden = false;
            col[k++] = j->col[c];
        }
    WR_ASSERT(k == j->n_col);
    j->col = col;
    r->col = name;
    wr_node_props(b->a, r->plan);
    if (!full)
        return WR_OK;
    /* FULL: whichever side has it */
    int n = m->n + j->n_col;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *out = WR_NEW_N(b->a, struct wr_str, n + 1);
    struct relcol *all = WR_NEW_N(b->a, struct relcol, n + 1);
    for (int i = 0; i < j->n_col; i++) {
        expr[m->n + i] = wr_col_of(b->a, r->plan->out, i, -1);
        out[m->n + i] = r->plan->out->field[i].name;
        all[m->n + i] = name[i];
    }
    for (int i = 0; i < m->n; i++) {
        struct wr_expr *arg[2] = {wr_expr_copy(b->a, expr[m->n + i]), NULL};
        for (int d = 0; d < j->n_col; d++)
            if (from[d] == n_left + m->r[i])
                arg[1] = wr_expr_copy(b->a, expr[m->n + d]);
        struct wr_type type;
        WR_TRY(wr_expr_unify(b->a, arg, 2, "USING", &type, b->err));
        expr[i] = WR_NEW(b->a, struct wr_expr);
        *expr[i] = (struct wr_expr){.kind = WR_X_COALESCE, .type = type, .nullable = true, .off = -1};
        expr[i]->u.call.n = 2;
        expr[i]->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 2);
        memcpy(expr[i]->u.call.arg, arg, sizeof arg);
        out[i] = name[i].name;
        all[i] = (struct relcol){.name = name[i].name};
    }
    r->plan = wr_bind_made(b, wr_node_project(b->a, r->plan, n, expr, out));
    r->col = all;
    r->n = n;
    return WR_OK;
}

wr_status wr_bind_join(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    struct rel l, r;
    struct merged m = {0};
    WR_TRY(wr_bind_from(b, t->left, env, &l));
    if (wr_is_unnest(t->right))
        return wr_bind_unnest(b, t->right, t, env, &l, out);
    WR_TRY(wr_bind_from(b, t->right, env, &r));
    WR_TRY(same_name(b, &l, &r, t->right->off));
    WR_TRY(using_columns(b, t, &l, &r, &m));
    struct wr_plan *p = wr_join_node(b, kind_of(t->join), l.plan, r.plan, t->right->off);
    *out = (struct rel){.plan = p, .n = l.n + r.n, .col = WR_NEW_N(b->a, struct relcol, l.n + r.n + 1)};
    WR_ASSERT(l.n == l.plan->out->n && r.n == r.plan->out->n);
    memcpy(out->col, l.col, sizeof(*l.col) * (size_t)l.n);
    if (r.n)
        memcpy(out->col + l.n, r.col, sizeof(*r.col) * (size_t)r.n);
    if (t->on) {
        struct xctx x = {.b = b, .rel = out, .clause = "ON", .env = env};
        struct wr_expr *on;
        WR_TRY(wr_bind_bool(&x, t->on, &on));
        wr_join_add(b, p, on, l.n);
    }
    WR_TRY(using_conditions(b, p, &m, &l));
    return m.n ? merge_columns(b, out, l.n, &m) : WR_OK;
}

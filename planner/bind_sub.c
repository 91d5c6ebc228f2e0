/* bind_sub.c: subqueries in expressions: what they are over, which columns of the query around they name. See sub.h.
 * Rules:  a condition of WHERE that names columns of the query directly around leaves the subquery. One that aggregates, or is asked for its value, can be
 *         tied by equalities only: other conditions, and names in other places, are made such by bind_domain.c. What does not decorrelate is refused.
 * Memory: the jobplan's arena. */
#include "planner/sub.h"

/* ---- which expressions have subqueries ---- */

bool wr_ast_has_sub(const struct wr_ast_expr *e)
{
    if (!e)
        return false;
    if (e->select || wr_ast_has_sub(e->a) || wr_ast_has_sub(e->b) || wr_ast_has_sub(e->c))
        return true;
    for (const struct wr_ast_expr *a = e->args; a; a = a->next)
        if (wr_ast_has_sub(a))
            return true;
    return false;
}

bool wr_sub_is_in(const struct wr_ast_expr *e, bool *negated)
{
    *negated = e->negated;
    if (e->kind == WR_E_IN_QUERY)
        return true;
    if (e->kind != WR_E_QUANTIFIED || !e->select)
        return false;
    *negated = e->flag;
    return e->flag ? wr_str_eq_c(e->text, "<>") || wr_str_eq_c(e->text, "!=") : wr_str_eq_c(e->text, "=");
}

/* ---- names of the query around ---- */

static const char *not_here(const struct xctx *x)
{
    return x->in_agg || strcmp(x->clause, "WHERE") != 0 ? x->clause : NULL;
}

/* Column *col of the query `level` further out than the one directly around, made a column of that one. */
static wr_status nearer(struct xctx *x, int level, int *col, int32_t off)
{
    struct outer *between[MAX_DEPTH];
    struct outer *o = x->env->outer;
    for (int i = 0; i <= level; i++, o = o->up)
        between[i] = o;
    for (int i = level - 1; i >= 0; i--) { /* FROM of the query at i gets it from its own query around, i + 1 */
        if (!between[i]->grow)
            return wr_bind_refuse(x->b, off, "a column of a query further out than the one around this subquery, unless both stand in WHERE", "join the tables in FROM instead");
        WR_TRY(wr_outer_domain(x->b, between[i + 1], between[i]->grow, *col, off, x->env, col));
    }
    return WR_OK;
}

wr_status wr_bind_outer_name(struct xctx *x, struct wr_str qual, struct wr_str name, int32_t off, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct outer *o = x->env ? x->env->outer : NULL;
    *out = NULL;
    for (int level = 0; o; o = o->up, level++) {
        int col = wr_rel_find(b, o->rel, qual, name, off, false);
        if (col == -2)
            return WR_ESQL;
        if (col < 0)
            continue;
        if (level > 0)
            WR_TRY(nearer(x, level, &col, off));
        if (not_here(x)) {
            wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is a column of the query around: a subquery cannot name it in %s", WR_FMT(name), not_here(x));
            wr_hint(b->err, "tie the subquery to it with inner_column = outer_column in WHERE");
            return WR_ESQL;
        }
        o = x->env->outer;
        *out = wr_col_of(b->a, o->rel->plan->out, col, off);
        (*out)->u.col += COL_OUTER;
        return WR_OK;
    }
    return WR_OK;
}

enum { LOOKS_IN = 1, LOOKS_OUT = 2 };
static void see(void *ctx, int col)
{
    *(int *)ctx |= col >= COL_OUTER ? LOOKS_OUT : LOOKS_IN;
}

static int looks(const struct wr_expr *x)
{
    int seen = 0;
    wr_expr_columns(x, see, &seen);
    return seen;
}

bool wr_looks_out(const struct wr_expr *x) { return looks(x) & LOOKS_OUT; }

static void *grown(struct binder *b, void *old, int n, int *cap, size_t size)
{
    if (n < *cap)
        return old;
    *cap = *cap ? 2 * *cap : 8;
    char *p = wr_arena_zero(b->a, size * (size_t)*cap);
    if (n)
        memcpy(p, old, size * (size_t)n);
    return p;
}

/* A conjunct of WHERE: true if it looks at the query around and was taken out. */
static bool take(struct binder *b, struct outer *o, struct wr_expr *x)
{
    if (!(looks(x) & LOOKS_OUT))
        return false;
    o->cond = grown(b, o->cond, o->n_cond, &o->cap_cond, sizeof *o->cond);
    o->cond[o->n_cond++] = x;
    return true;
}

struct wr_expr *wr_outer_take(struct binder *b, struct outer *o, struct wr_expr *pred)
{
    if (pred->kind != WR_X_AND)
        return take(b, o, pred) ? NULL : pred;
    int n = 0;
    struct wr_expr **left = WR_NEW_N(b->a, struct wr_expr *, pred->u.call.n + 1);
    for (int i = 0; i < pred->u.call.n; i++) {
        left[n] = wr_outer_take(b, o, pred->u.call.arg[i]);
        n += left[n] != NULL;
    }
    if (n <= 1)
        return n ? left[0] : NULL;
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *pred;
    y->u.call.n = n;
    y->u.call.arg = left;
    return y;
}

/* ---- columns for the conditions ---- */

static int extra_for(struct binder *b, struct outer *o, struct wr_expr *x)
{
    for (int i = 0; i < o->n_extra; i++)
        if (wr_expr_eq(o->extra[i], x))
            return i;
    o->extra = grown(b, o->extra, o->n_extra, &o->cap_extra, sizeof *o->extra);
    o->extra[o->n_extra] = x;
    return o->n_extra++;
}

/* x with each column of FROM as an extra column. */
static struct wr_expr *over_extra(struct binder *b, struct outer *o, const struct rel *from, const struct wr_expr *x)
{
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL && x->u.col < COL_OUTER)
        y->u.col = extra_for(b, o, wr_col_of(b->a, from->plan->out, x->u.col, x->off));
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = over_extra(b, o, from, x->u.call.arg[i]);
    return y;
}

/* inside = outside */
static bool is_equality(const struct wr_expr *x)
{
    if (x->kind != WR_X_CALL || x->u.call.n != 2 || (strcmp(x->u.call.fn->name, "=") != 0 && strcmp(x->u.call.fn->name, "is_not_distinct") != 0))
        return false;
    int l = looks(x->u.call.arg[0]), r = looks(x->u.call.arg[1]);
    return (l == LOOKS_IN && r == LOOKS_OUT) || (l == LOOKS_OUT && r == LOOKS_IN);
}

/* The inside is one extra column. */
static bool equality(struct binder *b, struct outer *o, struct wr_expr *x, struct wr_expr **out)
{
    if (!is_equality(x))
        return false;
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 2);
    for (int i = 0; i < 2; i++) {
        struct wr_expr *a = x->u.call.arg[i];
        y->u.call.arg[i] = looks(a) == LOOKS_OUT ? a : wr_expr_col(b->a, extra_for(b, o, a), a->type, a->nullable, a->off);
    }
    *out = y;
    return true;
}

wr_status wr_outer_settle(struct binder *b, const struct wr_ast_select *s, bool grouped, const struct env *env, struct rel *from)
{
    struct outer *o = env->outer;
    int32_t off = -1;
    WR_TRY(wr_outer_import(b, s, env, from));
    for (int i = 0; i < o->n_cond && off < 0; i++)
        if (looks(o->cond[i]) == (LOOKS_IN | LOOKS_OUT) && !is_equality(o->cond[i]))
            off = o->cond[i]->off;
    return off >= 0 && (grouped || !o->any || s->limit || s->offset) ? wr_outer_domain(b, o, from, -1, off, env, NULL) : WR_OK;
}

void wr_outer_columns(struct binder *b, struct outer *o, const struct rel *from)
{
    for (int i = 0; i < o->n_cond; i++) {
        struct wr_expr *x = o->cond[i];
        if (equality(b, o, x, &o->cond[i]))
            continue;
        o->cond[i] = over_extra(b, o, from, x);
    }
    o->name = WR_NEW_N(b->a, struct wr_str, o->n_extra + 1);
    for (int i = 0; i < o->n_extra; i++)
        o->name[i] = o->extra[i]->kind == WR_X_COL ? from->plan->out->field[o->extra[i]->u.col].name : WR_STR("key");
}

/* ---- aggregates inside ---- */

wr_status wr_outer_group(struct binder *b, struct outer *o, const struct wr_ast_select *s, struct grouping *g)
{
    o->one = !s->group;
    if (o->n_cond && o->one && s->having) {
        wr_fail_at(b->err, WR_ESQL, s->having->off, "HAVING without GROUP BY in a subquery that names columns of the query around");
        wr_hint(b->err, "compare the subquery's result in the query around instead");
        return WR_ESQL;
    }
    if (o->n_cond && g->n_set > 1)
        return wr_bind_refuse(b, s->group->off, "GROUPING SETS in a subquery that names columns of the query around", NULL);
    struct wr_expr **key = WR_NEW_N(b->a, struct wr_expr *, g->n_key + o->n_extra + 2);
    if (g->n_key)
        memcpy(key, g->key, sizeof *key * (size_t)g->n_key);
    g->key = key;
    for (int i = 0; i < o->n_extra; i++) {
        bool there = false;
        for (int k = 0; k < g->n_key; k++)
            there |= wr_expr_eq(g->key[k], o->extra[i]);
        if (!there)
            g->key[g->n_key++] = o->extra[i];
    }
    return WR_OK;
}

/* x where there are no rows: count is 0, other aggregates are NULL. */
static struct wr_expr *over_nothing(struct binder *b, const struct grouping *g, const struct wr_expr *x)
{
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL) {
        const char *fn = x->u.col >= COL_AGG && x->u.col - COL_AGG < g->n_agg ? g->agg[x->u.col - COL_AGG].call.fn->name : "";
        bool counts = strcmp(fn, "count") == 0 || strcmp(fn, "approx_count_distinct") == 0;
        return wr_expr_const(b->a, (struct wr_value){.type = x->type, .null = !counts}, x->off);
    }
    if (x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = over_nothing(b, g, x->u.call.arg[i]);
    return y;
}

void wr_outer_empty(struct binder *b, struct outer *o, const struct wr_ast_select *s, const struct grouping *g, struct wr_expr *const *x, int n)
{
    if (!o->one || s->having || s->limit || s->offset || s->qualify || n == 0)
        return;
    o->empties = WR_NEW_N(b->a, struct wr_expr *, n);
    for (int i = 0; i < n; i++)
        o->empties[i] = wr_expr_fold(b->a, over_nothing(b, g, x[i]));
    o->empty = o->empties[0];
}

/* ---- binding ---- */

static wr_status check_shape(struct binder *b, const struct wr_ast_select *s, const struct subquery *q)
{
    const struct outer *o = &q->outer;
    if (o->n_cond == 0)
        return WR_OK;
    if (s->qualify)
        return wr_bind_refuse(b, s->qualify->off, "QUALIFY in a subquery that names columns of the query around", NULL);
    return WR_OK;
}

wr_status wr_sub_bind(struct xctx *x, const struct wr_ast_select *s, bool values, bool any, struct subquery *q)
{
    struct binder *b = x->b;
    struct rel r;
    *q = (struct subquery){.off = s->off, .outer = {.rel = x->rel, .grow = x->from, .values = values, .any = any}};
    struct env env = {.cl = x->env->cl, .ctes = x->env->ctes, .outer = &q->outer};
    q->outer.up = x->env->outer;
    env.cl.outermost = false;
    if (!x->rel) { /* VALUES ((SELECT ...)): nothing around */
        static const struct rel nothing = {0};
        q->outer.rel = &nothing;
    }
    WR_TRY(wr_bind_query(b, s, &env, &r));
    WR_TRY(check_shape(b, s, q));
    q->plan = r.plan;
    q->n_val = r.n - q->outer.n_extra;
    return WR_OK;
}

/* Column col of the subquery made one of type `to`. */
static wr_status convert(struct binder *b, struct subquery *q, int col, struct wr_expr *as)
{
    int n = q->plan->out->n;
    if (as->kind == WR_X_COL)
        return WR_OK;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = i == col ? as : wr_col_of(b->a, q->plan->out, i, -1);
        name[i] = q->plan->out->field[i].name;
    }
    q->plan = wr_bind_made(b, wr_node_project(b->a, q->plan, n, expr, name));
    return WR_OK;
}

static wr_status in_types(struct binder *b, struct sub *s, struct subquery *q, int32_t off)
{
    for (int i = 0; i < s->n_left; i++) {
        struct rel r = wr_rel_of(b, q->plan, (struct wr_str){0});
        struct wr_expr *arg[2] = {s->left[i], wr_rel_expr(b, &r, i)};
        struct wr_type type;
        if (arg[1]->off < 0)
            arg[1]->off = q->off;
        WR_TRY(wr_expr_unify(b->a, arg, 2, "IN", &type, b->err));
        if (type.id == WR_T_NULL)
            return wr_fail_at(b->err, WR_ESQL, off, "IN of nothing but NULL");
        s->left[i] = arg[0];
        WR_TRY(convert(b, q, i, arg[1]));
    }
    return WR_OK;
}

wr_status wr_sub_bind_in(struct xctx *x, const struct wr_ast_expr *e, bool direct, bool again, struct sub *s)
{
    struct binder *b = x->b;
    *s = (struct sub){.kind = SUB_IN};
    bool row = e->a->kind == WR_E_ROW;
    s->n_left = row ? wr_ast_len(e->a->args) : 1;
    s->left = WR_NEW_N(b->a, struct wr_expr *, s->n_left + 1);
    const struct wr_ast_expr *a = row ? e->a->args : e->a;
    for (int i = 0; i < s->n_left; i++, a = a->next)
        WR_TRY(wr_bind_expr(x, a, &s->left[i]));
    WR_TRY(wr_sub_bind(x, e->select, true, direct, &s->q));
    if (s->q.n_val != s->n_left)
        return wr_fail_at(b->err, WR_ESQL, e->select->off, "the subquery of IN has %d columns, and %d %s compared with it", s->q.n_val, s->n_left,
                          s->n_left == 1 ? "value is" : "values are");
    if (s->q.outer.one && s->q.outer.n_cond) {
        wr_fail_at(b->err, WR_ESQL, e->off, "IN of a subquery that gives one value");
        wr_hint(b->err, "compare with = or <>");
        return WR_ESQL;
    }
    WR_TRY(in_types(b, s, &s->q, e->off));
    if (!again)
        return WR_OK;
    bool nulls = false;
    for (int i = 0; i < s->n_left; i++)
        nulls |= s->left[i]->nullable || s->q.plan->out->field[i].nullable;
    if (!nulls)
        return WR_OK;
    WR_TRY(wr_sub_bind(x, e->select, true, false, &s->again));
    return in_types(b, s, &s->again, e->off);
}

static wr_status sub_add(struct xctx *x, struct sub *s, struct wr_type type, int32_t off, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct subs *all = x->subs;
    struct sub *own = WR_NEW(b->a, struct sub);
    *own = *s;
    all->of = grown(b, all->of, all->n, &all->cap, sizeof(struct sub *));
    all->of[all->n] = own;
    *out = wr_expr_col(b->a, COL_SUB + all->n++, type, true, off);
    return WR_OK;
}

wr_status wr_bind_subquery(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct sub s = {0};
    bool negated;
    if (!x->subs || !x->env) {
        wr_fail_at(b->err, WR_ESQL, e->off, "a subquery cannot stand in %s", x->clause);
        wr_hint(b->err, "join it in FROM, or compute it in a query below");
        return WR_ESQL;
    }
    if (e->kind == WR_E_SUBQUERY) {
        WR_TRY(wr_sub_bind(x, e->select, true, false, &s.q));
        if (s.q.n_val != 1)
            return wr_fail_at(b->err, WR_ESQL, e->off, "a subquery in an expression must have one column, this has %d", s.q.n_val);
        return sub_add(x, &s, s.q.plan->out->field[0].type, e->off, out);
    }
    if (e->kind == WR_E_EXISTS) {
        s.kind = SUB_EXISTS;
        WR_TRY(wr_sub_bind(x, e->select, false, false, &s.q));
        return sub_add(x, &s, WR_TYPE_OF(BOOL), e->off, out);
    }
    if (!wr_sub_is_in(e, &negated)) {
        const char *agg = e->flag == (e->text.n && e->text.p[0] == '<') ? "min" : "max";
        wr_fail_at(b->err, WR_ESQL, e->off, "%.*s %s (SELECT ...) inside another expression is not supported", WR_FMT(e->text), e->flag ? "ALL" : "ANY");
        wr_hint(b->err, "compare with (SELECT %s(...) ...)", agg);
        return WR_ESQL;
    }
    WR_TRY(wr_sub_bind_in(x, e, false, true, &s));
    WR_TRY(sub_add(x, &s, WR_TYPE_OF(BOOL), e->off, out));
    return negated ? wr_bind_fn(b, "not", out, 1, e->off, out) : WR_OK;
}

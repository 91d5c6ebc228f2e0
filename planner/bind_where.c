/* bind_where.c: WHERE and HAVING: conditions with subqueries become joins, the others filter as ever.
 * Rules:  conditions without subqueries filter first, then [NOT] EXISTS and [NOT] IN, then what holds subqueries in other places. */
#include "planner/sub.h"

static bool is_word(const struct wr_ast_expr *e, enum wr_ast_ekind kind, const char *op)
{
    return e->kind == kind && wr_str_eq_c(e->text, op);
}

static int count_parts(const struct wr_ast_expr *e)
{
    int n = 1;
    for (; is_word(e, WR_E_BINARY, "and"); e = e->a)
        n += is_word(e->b, WR_E_BINARY, "and") ? count_parts(e->b) : 1;
    return n;
}

static int parts(const struct wr_ast_expr *e, const struct wr_ast_expr **out, int n)
{
    if (!is_word(e, WR_E_BINARY, "and")) {
        out[n++] = e;
        return n;
    }
    return parts(e->b, out, parts(e->a, out, n));
}

static struct wr_expr *and_also(struct binder *b, struct wr_expr *x, struct wr_expr *y)
{
    if (!x)
        return y;
    struct wr_expr *z = WR_NEW(b->a, struct wr_expr);
    *z = (struct wr_expr){.kind = WR_X_AND, .type = WR_TYPE_OF(BOOL), .nullable = x->nullable || y->nullable, .off = x->off};
    z->u.call.n = 2;
    z->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 2);
    z->u.call.arg[0] = x;
    z->u.call.arg[1] = y;
    return z;
}

/* x > ANY (SELECT ...): a row with which the comparison is true; ALL: none with which it is anything else. */
static wr_status bind_compared(struct xctx *x, const struct wr_ast_expr *e, bool negated, struct direct *d)
{
    static const char *const truth[2][2] = {{"is_true", "is_not_false"}, {"is_not_true", "is_false"}}; /* ANY, ALL; then NOT of it */
    struct binder *b = x->b;
    struct sub *s = &d->s;
    *s = (struct sub){.kind = SUB_COMPARED, .n_left = 1, .left = WR_NEW(b->a, struct wr_expr *), .truth = truth[e->flag][negated]};
    s->op = wr_str_eq_c(e->text, "!=") ? "<>" : wr_arena_printf(b->a, "%.*s", WR_FMT(e->text)).p;
    d->anti = e->flag != negated;
    WR_TRY(wr_bind_expr(x, e->a, &s->left[0]));
    WR_TRY(wr_sub_bind(x, e->select, true, true, &s->q));
    if (s->q.n_val != 1)
        return wr_fail_at(b->err, WR_ESQL, e->select->off, "the subquery of %s has %d columns, not one", e->flag ? "ALL" : "ANY", s->q.n_val);
    if (s->q.outer.one && s->q.outer.n_cond) {
        wr_fail_at(b->err, WR_ESQL, e->off, "%s of a subquery that gives one value", e->flag ? "ALL" : "ANY");
        wr_hint(b->err, "compare with the subquery itself");
        return WR_ESQL;
    }
    return x->from ? wr_outer_inline(x, s->left[0], &s->left[0]) : WR_OK;
}

/* [NOT] EXISTS, [NOT] IN, > ANY, > ALL. */
static wr_status bind_direct(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c, bool *is)
{
    bool anti = false, negated = false;
    for (; is_word(e, WR_E_UNARY, "not"); e = e->a)
        anti = !anti;
    bool in = wr_sub_is_in(e, &negated) && !wr_ast_has_sub(e->a);
    bool compared = !in && e->kind == WR_E_QUANTIFIED && e->select && !wr_ast_has_sub(e->a);
    *is = in || compared || e->kind == WR_E_EXISTS;
    if (!*is)
        return WR_OK;
    struct direct *d = &c->direct[c->n_direct++];
    if (compared)
        return bind_compared(x, e, anti, d);
    d->anti = anti != negated;
    if (in) {
        WR_TRY(wr_sub_bind_in(x, e, true, d->anti, &d->s));
        for (int i = 0; i < d->s.n_left; i++)
            if (x->from)
                WR_TRY(wr_outer_inline(x, d->s.left[i], &d->s.left[i]));
        return WR_OK;
    }
    d->s = (struct sub){.kind = SUB_EXISTS};
    return wr_sub_bind(x, e->select, false, true, &d->s.q);
}

/* Is x NULL whenever column col is? */
static bool is_strict(const struct wr_expr *x, int col)
{
    if (x->kind == WR_X_COL)
        return x->u.col == col;
    if (x->kind != WR_X_CALL || x->u.call.fn->flags & WR_F_NULLS)
        return false;
    for (int i = 0; i < x->u.call.n; i++)
        if (is_strict(x->u.call.arg[i], col))
            return true;
    return false;
}

static wr_status bind_mixed(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c)
{
    int first = c->subs.n;
    struct wr_expr *y;
    x->subs = &c->subs;
    WR_TRY(wr_bind_bool(x, e, &y));
    x->subs = NULL;
    if (x->from)
        WR_TRY(wr_outer_inline(x, y, &y));
    for (int i = first; i < c->subs.n; i++)
        c->subs.of[i]->strict = is_strict(y, COL_SUB + i);
    c->mixed[c->n_mixed++] = y;
    return WR_OK;
}

wr_status wr_conditions_plain(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c)
{
    *c = (struct conditions){.has_sub = wr_ast_has_sub(e)};
    if (!c->has_sub)
        return wr_bind_bool(x, e, &c->plain);
    int n = count_parts(e);
    const struct wr_ast_expr **part = WR_NEW_N(x->b->a, const struct wr_ast_expr *, n + 1);
    (void)parts(e, part, 0);
    for (int i = 0; i < n; i++) {
        struct wr_expr *y;
        if (wr_ast_has_sub(part[i]))
            continue;
        WR_TRY(wr_bind_bool(x, part[i], &y));
        c->plain = and_also(x->b, c->plain, y);
    }
    return WR_OK;
}

wr_status wr_conditions_subs(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c)
{
    int n = count_parts(e);
    const struct wr_ast_expr **part = WR_NEW_N(x->b->a, const struct wr_ast_expr *, n + 1);
    c->direct = WR_NEW_N(x->b->a, struct direct, n + 1);
    c->mixed = WR_NEW_N(x->b->a, struct wr_expr *, n + 1);
    (void)parts(e, part, 0);
    for (int i = 0; i < n; i++) {
        bool is = false;
        if (!wr_ast_has_sub(part[i]))
            continue;
        WR_TRY(bind_direct(x, part[i], c, &is));
        if (!is)
            WR_TRY(bind_mixed(x, part[i], c));
    }
    return WR_OK;
}

wr_status wr_conditions_bind(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c)
{
    WR_TRY(wr_conditions_plain(x, e, c));
    return c->has_sub ? wr_conditions_subs(x, e, c) : WR_OK;
}

static wr_status apply_direct(struct binder *b, struct direct *d, const struct lift *l, const struct env *env, struct wr_plan **p)
{
    if (d->s.kind == SUB_EXISTS && d->s.q.outer.empty) { /* aggregates without GROUP BY: there is always a row */
        struct wr_value v = {.type = WR_TYPE_OF(BOOL), .as.b = !d->anti};
        *p = wr_bind_made(b, wr_node_filter(b->a, *p, wr_expr_const(b->a, v, -1)));
        return WR_OK;
    }
    if (d->anti && d->s.kind == SUB_IN)
        return wr_sub_not_in(b, l, &d->s, env, p);
    return wr_sub_semi(b, l, &d->s, d->anti, env, p);
}

static wr_status settle_last(struct binder *b, const struct env *env, struct wr_plan *p)
{
    return p->kind == WR_PLAN_JOIN && !p->u.join.settled ? wr_join_settle_one(b, p, env) : WR_OK;
}

static wr_status apply_mixed(struct binder *b, struct conditions *c, const struct lift *l, const struct env *env, struct wr_plan **p)
{
    int n = (*p)->out->n;
    WR_TRY(wr_subs_join(b, l, &c->subs, env, p));
    struct wr_plan *join = *p;
    struct rel top = {.plan = join};
    for (int i = 0; i < c->n_mixed; i++) {
        struct wr_expr *y;
        WR_TRY(wr_sub_lift(b, l, c->mixed[i], &y));
        y = wr_subs_place(b, &c->subs, y);
        if (top.plan == join && join->kind == WR_PLAN_JOIN && !join->u.join.settled)
            wr_join_where(b, &top, y);
        else
            top.plan = wr_bind_made(b, wr_node_filter(b->a, top.plan, y));
    }
    WR_TRY(settle_last(b, env, join));
    wr_node_props_deep(b->a, top.plan);
    *p = wr_first_columns(b, top.plan, n);
    return WR_OK;
}

wr_status wr_conditions_apply(struct binder *b, struct conditions *c, const struct lift *l, const struct env *env, struct wr_plan **p)
{
    for (int i = 0; i < c->n_direct; i++)
        WR_TRY(apply_direct(b, &c->direct[i], l, env, p));
    return c->n_mixed ? apply_mixed(b, c, l, env, p) : WR_OK;
}

wr_status wr_subs_finish(struct binder *b, struct subs *subs, const struct lift *l, const struct env *env, struct wr_plan **p)
{
    if (subs->n == 0)
        return WR_OK;
    WR_TRY(wr_subs_join(b, l, subs, env, p));
    return settle_last(b, env, *p);
}

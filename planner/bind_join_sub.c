/* bind_join_sub.c: subqueries in joins: LATERAL (SELECT ...), and in ON.
 *
 *   JOIN LATERAL (SELECT ...)   the subquery tied to the left input as any is (sub.h): a join with conditions, or with the domain of the left input
 *   ON, inner join              conditions with subqueries are conditions of WHERE just above the join
 *   ON, outer join              they may look at the side only that can be missing, and filter it below the join
 *
 * Memory: the jobplan's arena. */
#include "planner/sub.h"

/* ---- LATERAL ---- */

/* Joins of FROM that have their keys can be settled before WHERE was read: what WHERE says of them then filters above. */
static bool all_keyed(const struct wr_plan *p)
{
    if (p->kind == WR_PLAN_JOIN && !p->u.join.settled)
        return p->u.join.n_key > 0 && all_keyed(p->in[0]) && all_keyed(p->in[1]);
    if (p->kind == WR_PLAN_PROJECT || p->kind == WR_PLAN_FILTER || p->kind == WR_PLAN_UNNEST || p->kind == WR_PLAN_LOOKUP)
        return all_keyed(p->in[0]);
    return true;
}

/* The subquery's rows with a column behind them that says that there is one. */
static struct wr_plan *with_mark(struct binder *b, struct wr_plan *p)
{
    int n = p->out->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, p->out, i, -1);
        name[i] = p->out->field[i].name;
    }
    expr[n] = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = true}, -1);
    name[n] = WR_STR("row");
    return wr_bind_made(b, wr_node_project(b->a, p, n + 1, expr, name));
}

/* Aggregates without GROUP BY: where the join found nothing their values over nothing stand. */
static wr_status fill_empty(struct binder *b, const struct subquery *q, int n_left, struct wr_plan **p)
{
    int n = (*p)->out->n, mark = n_left + q->plan->out->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, (*p)->out, i, -1);
        name[i] = (*p)->out->field[i].name;
        const struct wr_expr *empty = i >= n_left && i < n_left + q->n_val ? q->outer.empties[i - n_left] : NULL;
        if (!empty || (empty->kind == WR_X_CONST && empty->u.val.null))
            continue;
        struct wr_expr *there = wr_col_of(b->a, (*p)->out, mark, -1), *part[3] = {NULL, expr[i], NULL};
        WR_TRY(wr_bind_fn(b, "is_not_null", &there, 1, -1, &part[0]));
        WR_TRY(wr_expr_cast(b->a, wr_expr_copy(b->a, empty), expr[i]->type, true, &part[2], b->err));
        struct wr_type type = expr[i]->type;
        expr[i] = WR_NEW(b->a, struct wr_expr);
        *expr[i] = (struct wr_expr){.kind = WR_X_CASE, .type = type, .nullable = true, .off = -1};
        expr[i]->u.call.n = 3;
        expr[i]->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 3);
        memcpy(expr[i]->u.call.arg, part, sizeof part);
    }
    *p = wr_bind_made(b, wr_node_project(b->a, *p, n, expr, name));
    return WR_OK;
}

/* Left columns, the subquery's, and those nobody can name. */
static wr_status lateral_names(struct binder *b, const struct wr_ast_table *t, const struct rel *l, const struct subquery *q, struct wr_plan *p, struct rel *out)
{
    struct rel r = wr_rel_of(b, q->plan, t->alias ? t->alias->text : (struct wr_str){0});
    r.n = q->n_val;
    WR_TRY(wr_rel_rename(b, t->columns, "the table", &r));
    *out = (struct rel){.plan = p, .n = p->out->n, .col = WR_NEW_N(b->a, struct relcol, p->out->n + 1)};
    for (int i = 0; i < out->n; i++)
        out->col[i] = i < l->n ? l->col[i] : i < l->n + r.n ? r.col[i - l->n] : (struct relcol){.hidden = true, .outer = true};
    return WR_OK;
}

wr_status wr_bind_lateral(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *l, struct rel *out)
{
    struct xctx x = {.b = b, .rel = l, .clause = "FROM", .env = env};
    struct lift same = {0};
    struct subquery q;
    struct wr_plan *j;
    bool left = t->join == WR_JOIN_LEFT;
    if (t->join == WR_JOIN_RIGHT || t->join == WR_JOIN_FULL)
        return wr_bind_refuse(b, t->right->off, "LATERAL in a RIGHT or FULL JOIN", "write JOIN LATERAL or LEFT JOIN LATERAL");
    if (t->using_cols || t->natural)
        return wr_bind_refuse(b, t->right->off, "USING with LATERAL", "write the conditions into the subquery, and ON TRUE");
    if (all_keyed(l->plan))
        WR_TRY(wr_join_settle(b, l, env));
    WR_TRY(wr_sub_bind(&x, t->right->select, true, true, &q));
    bool one = q.outer.one && q.outer.n_cond > 0;
    if (one && !q.outer.empties)
        return wr_bind_refuse(b, t->right->off, "this LATERAL subquery of aggregates without GROUP BY", "leave out its LIMIT or QUALIFY");
    if (one && left && t->on && t->on->kind != WR_E_TRUE)
        return wr_bind_refuse(b, t->on->off, "a condition on a LATERAL subquery of aggregates in a LEFT JOIN", "write ON TRUE");
    struct wr_plan *right = one ? with_mark(b, q.plan) : q.plan;
    WR_TRY(wr_sub_tie(b, &same, left || one ? WR_J_LEFT : WR_J_INNER, &q, right, q.n_val, l->plan, &j));
    struct wr_plan *p = j;
    if (one) {
        WR_TRY(wr_join_settle_one(b, j, env));
        WR_TRY(fill_empty(b, &q, l->n, &p));
    }
    WR_TRY(lateral_names(b, t->right, l, &q, p, out));
    if (!t->on)
        return WR_OK;
    x.rel = out;
    x.clause = "ON";
    struct wr_expr *on;
    WR_TRY(wr_bind_bool(&x, t->on, &on));
    if (one)
        wr_join_where(b, out, on);
    else
        wr_join_add(b, j, on, l->n);
    return WR_OK;
}

/* ---- ON ---- */

static wr_status on_outer(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *side, int which, struct conditions *c, struct wr_plan *p)
{
    struct xctx x = {.b = b, .rel = side, .clause = "ON", .env = env};
    struct lift same = {0};
    struct wr_error *err = b->err, inner = WR_ERROR_INIT;
    b->err = &inner;
    wr_status st = wr_join_settle(b, side, env);
    if (!st)
        st = wr_conditions_subs(&x, t->on, c);
    b->err = err;
    if (st) {
        wr_fail_at(b->err, st, inner.sql_off, "a subquery in ON of an outer join can look at the table only that may be missing: %s", inner.msg);
        wr_hint(b->err, "put it into WHERE, or into a query in FROM");
        return st;
    }
    struct wr_plan *in = p->in[which];
    WR_TRY(wr_conditions_apply(b, c, &same, env, &in));
    p->in[which] = in;
    wr_node_props(b->a, p);
    return WR_OK;
}

wr_status wr_join_on_subs(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *l, struct rel *r, struct rel *out)
{
    struct xctx x = {.b = b, .rel = out, .clause = "ON", .env = env};
    struct lift same = {0};
    struct conditions c;
    struct wr_plan *p = out->plan;
    if (t->join == WR_JOIN_FULL || t->right->as_of)
        return wr_bind_refuse(b, t->on->off, t->right->as_of ? "a subquery in ON of a join AS OF" : "a subquery in ON of a FULL JOIN", "put it into WHERE, or into a query in FROM");
    WR_TRY(wr_conditions_plain(&x, t->on, &c));
    if (t->join == WR_JOIN_LEFT || t->join == WR_JOIN_RIGHT) {
        bool left = t->join == WR_JOIN_LEFT;
        WR_TRY(on_outer(b, t, env, left ? r : l, left, &c, p));
        if (c.plain)
            wr_join_add(b, p, c.plain, l->n);
        return WR_OK;
    }
    if (c.plain)
        wr_join_add(b, p, c.plain, l->n);
    WR_TRY(wr_join_settle(b, out, env));
    WR_TRY(wr_conditions_subs(&x, t->on, &c));
    return wr_conditions_apply(b, &c, &same, env, &out->plan);
}

/* bind_domain.c: what a subquery says of the query around it, where equalities are not enough: its rows are joined with the distinct values that the
 * query around has (their domain), and then tied to it by these.
 *
 *   (SELECT max(v) FROM r WHERE r.at <= l.at)   ->   (SELECT max(v), d.at FROM r JOIN (SELECT DISTINCT at FROM l) d ON r.at <= d.at GROUP BY d.at),
 *                                                    tied by d.at IS NOT DISTINCT FROM l.at
 *
 * The same makes columns of the query around columns of the subquery's own FROM: for its select list, and for queries inside it.
 * Rules:  the domain is read from a copy of the query around as it is when the subquery is met: FROM and the conditions of WHERE without subqueries. It may
 *         have more values than are asked for, never fewer. Joins of it must be settled. A domain without any equality is a join of all with all: refused
 *         as every such join is, unless an input ends.
 * Memory: the jobplan's arena. */
#include "planner/sub.h"

#include <stdlib.h>

/* ---- a copy of the query around ---- */

static bool all_settled(const struct wr_plan *p)
{
    bool yes = p->kind != WR_PLAN_JOIN || p->u.join.settled;
    for (int i = 0; yes && i < p->n_in; i++)
        yes = all_settled(p->in[i]);
    return yes;
}

/* Nodes anew, what they hold shared: nothing changes that in place. Scans stay one. */
static struct wr_plan *copy_tree(struct binder *b, struct wr_plan *p)
{
    if (p->n_in == 0)
        return p;
    struct wr_plan *q = WR_NEW(b->a, struct wr_plan);
    *q = *p;
    q->in = WR_NEW_N(b->a, struct wr_plan *, p->n_in);
    for (int i = 0; i < p->n_in; i++)
        q->in[i] = copy_tree(b, p->in[i]);
    return wr_bind_made(b, q);
}

/* ---- which of its columns ---- */

struct seen { int n, *place; /* of each column of the query around: -1, or where it is in the domain */ };

static void see(void *ctx, int col)
{
    struct seen *s = ctx;
    if (col >= COL_OUTER && s->place[col - COL_OUTER] < 0)
        s->place[col - COL_OUTER] = s->n++;
}

static wr_status distinct_of(struct binder *b, const struct outer *o, const struct seen *s, const struct env *env, struct wr_plan **out)
{
    struct wr_plan *p = copy_tree(b, o->rel->plan);
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, s->n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, s->n + 1);
    for (int c = 0; c < o->rel->n; c++) {
        if (s->place[c] < 0)
            continue;
        expr[s->place[c]] = wr_col_of(b->a, p->out, c, -1);
        name[s->place[c]] = o->rel->col[c].name;
    }
    struct rel r = wr_rel_of(b, wr_bind_made(b, wr_node_project(b->a, p, s->n, expr, name)), (struct wr_str){0});
    struct clauses cl = env->cl;
    cl.outermost = false;
    return wr_distinct_build(b, &r, &cl, out);
}

/* x over FROM and COL_OUTER -> over FROM and the domain behind it. */
static struct wr_expr *over_domain(struct binder *b, const struct wr_expr *x, int n_from, const struct seen *s)
{
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL && x->u.col >= COL_OUTER)
        y->u.col = n_from + s->place[x->u.col - COL_OUTER];
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = over_domain(b, x->u.call.arg[i], n_from, s);
    return y;
}

/* FROM has the domain's columns now, under their names in the query around; the subquery is tied to it by them alone. */
static wr_status tie_by_domain(struct binder *b, struct outer *o, struct rel *from, struct wr_plan *join, const struct seen *s, int32_t off)
{
    int n_from = from->n;
    struct relcol *col = WR_NEW_N(b->a, struct relcol, n_from + s->n + 1);
    if (n_from)
        memcpy(col, from->col, sizeof *col * (size_t)n_from);
    from->plan = join;
    from->n = n_from + s->n;
    from->col = col;
    o->n_cond = 0;
    o->cond = WR_NEW_N(b->a, struct wr_expr *, s->n + 1);
    o->cap_cond = s->n + 1;
    for (int c = 0; c < o->rel->n; c++) {
        if (s->place[c] < 0)
            continue;
        int at = n_from + s->place[c];
        col[at] = o->rel->col[c];
        col[at].outer = true;
        struct wr_expr *arg[2] = {wr_col_of(b->a, join->out, at, off), wr_col_of(b->a, o->rel->plan->out, c, off)};
        arg[1]->u.col += COL_OUTER;
        WR_TRY(wr_bind_fn(b, "is_not_distinct", arg, 2, off, &o->cond[o->n_cond++]));
    }
    return WR_OK;
}

wr_status wr_outer_domain(struct binder *b, struct outer *o, struct rel *from, int want, int32_t off, const struct env *env, int *at)
{
    struct seen s = {.place = WR_NEW_N(b->a, int, o->rel->n + 1)};
    for (int c = 0; c < o->rel->n; c++)
        s.place[c] = -1;
    if (want >= 0)
        see(&s, COL_OUTER + want);
    for (int i = 0; i < o->n_cond; i++)
        wr_expr_columns(o->cond[i], see, &s);
    if (!all_settled(o->rel->plan) || !all_settled(from->plan)) {
        wr_fail_at(b->err, WR_ESQL, off, "a subquery among tables that WHERE joins can be tied to them by equalities only");
        wr_hint(b->err, "join the tables with JOIN ... ON in a subquery of FROM");
        return WR_ESQL;
    }
    struct wr_plan *d, *j;
    int n_from = from->n;
    WR_TRY(distinct_of(b, o, &s, env, &d));
    j = wr_join_node(b, WR_J_INNER, from->plan, d, off);
    for (int i = 0; i < o->n_cond; i++)
        wr_join_add(b, j, over_domain(b, o->cond[i], n_from, &s), n_from);
    WR_TRY(wr_join_settle_one(b, j, env));
    if (at)
        *at = n_from + s.place[want];
    return tie_by_domain(b, o, from, j, &s, off);
}

/* ---- names of the query around outside of WHERE ---- */

static wr_status import_name(struct xctx *x, struct rel *from, const struct wr_ast_expr *e)
{
    struct binder *b = x->b;
    const struct wr_ast_name *first = e->name, *second = first->next;
    struct wr_str qual = second ? first->text : (struct wr_str){0}, name = second ? second->text : first->text, none = {0};
    struct outer *o = x->env->outer;
    if (wr_rel_find(b, from, qual, name, e->off, false) != -1 || (second && wr_rel_find(b, from, none, first->text, e->off, false) != -1))
        return b->err->code;
    int col = wr_rel_find(b, o->rel, qual, name, e->off, false);
    if (col == -1 && second)
        col = wr_rel_find(b, o->rel, none, first->text, e->off, false); /* a member of a row */
    if (col == -2)
        return WR_ESQL;
    return col < 0 ? WR_OK : wr_outer_domain(b, o, from, col, e->off, x->env, NULL);
}

static wr_status import_all(struct xctx *x, struct rel *from, const struct wr_ast_expr *e);

static wr_status import_list(struct xctx *x, struct rel *from, const struct wr_ast_expr *list)
{
    for (; list; list = list->next)
        WR_TRY(import_all(x, from, list));
    return WR_OK;
}

static wr_status import_order(struct xctx *x, struct rel *from, const struct wr_ast_order *o)
{
    for (; o; o = o->next)
        WR_TRY(import_all(x, from, o->expr));
    return WR_OK;
}

static wr_status import_all(struct xctx *x, struct rel *from, const struct wr_ast_expr *e)
{
    if (!e)
        return WR_OK;
    if (e->kind == WR_E_NAME)
        return import_name(x, from, e);
    WR_TRY(import_all(x, from, e->a));
    WR_TRY(import_all(x, from, e->b));
    WR_TRY(import_all(x, from, e->c));
    WR_TRY(import_all(x, from, e->filter));
    WR_TRY(import_list(x, from, e->args));
    WR_TRY(import_order(x, from, e->order));
    if (!e->over)
        return WR_OK;
    WR_TRY(import_list(x, from, e->over->partition));
    return import_order(x, from, e->over->order);
}

/* Aliases of the select list and positions stand for other things. */
static bool is_alias(const struct wr_ast_select *s, const struct wr_ast_expr *e)
{
    if (e->kind != WR_E_NAME || e->name->next)
        return false;
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        if (it->alias && wr_str_eq(it->alias->text, e->name->text))
            return true;
    return false;
}

wr_status wr_outer_import(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *from)
{
    struct xctx x = {.b = b, .env = env, .clause = "SELECT"};
    for (const struct wr_ast_item *it = env->outer->values ? s->items : NULL; it; it = it->next)
        WR_TRY(import_all(&x, from, it->expr));
    for (const struct wr_ast_group *g = s->group; g; g = g->next)
        if (g->expr && !is_alias(s, g->expr))
            WR_TRY(import_all(&x, from, g->expr));
    WR_TRY(import_all(&x, from, s->having));
    for (const struct wr_ast_order *o = s->order; o; o = o->next)
        if (!is_alias(s, o->expr))
            WR_TRY(import_all(&x, from, o->expr));
    return WR_OK;
}

/* ---- queries inside the subquery ---- */

wr_status wr_outer_inline(struct xctx *x, struct wr_expr *e, struct wr_expr **out)
{
    *out = e;
    if (e->kind == WR_X_CONST)
        return WR_OK;
    if (e->kind == WR_X_COL) {
        int at;
        if (e->u.col < COL_OUTER)
            return WR_OK;
        WR_TRY(wr_outer_domain(x->b, x->env->outer, x->from, e->u.col - COL_OUTER, e->off, x->env, &at));
        *out = wr_col_of(x->b->a, x->from->plan->out, at, e->off);
        return WR_OK;
    }
    struct wr_expr *y = WR_NEW(x->b->a, struct wr_expr);
    *y = *e;
    y->u.call.arg = WR_NEW_N(x->b->a, struct wr_expr *, e->u.call.n + 1);
    for (int i = 0; i < e->u.call.n; i++)
        WR_TRY(wr_outer_inline(x, e->u.call.arg[i], &y->u.call.arg[i]));
    *out = y;
    return WR_OK;
}

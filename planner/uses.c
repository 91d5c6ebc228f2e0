/* uses.c: walks over the AST: every expression below a query, an expression; who calls a function.
 * Memory: none of its own. */
#include "planner/bind.h"

typedef void (*seen_fn)(void *ctx, const struct wr_ast_expr *e);

static void walk_select(const struct wr_ast_select *s, seen_fn fn, void *ctx);
static void walk_list(const struct wr_ast_expr *e, seen_fn fn, void *ctx);

static void walk_order(const struct wr_ast_order *o, seen_fn fn, void *ctx)
{
    for (; o; o = o->next)
        wr_ast_walk_expr(o->expr, fn, ctx);
}

static void walk_over(const struct wr_ast_over *o, seen_fn fn, void *ctx)
{
    if (!o)
        return;
    walk_list(o->partition, fn, ctx);
    walk_order(o->order, fn, ctx);
    wr_ast_walk_expr(o->from_n, fn, ctx);
    wr_ast_walk_expr(o->to_n, fn, ctx);
}

void wr_ast_walk_expr(const struct wr_ast_expr *e, seen_fn fn, void *ctx)
{
    if (!e)
        return;
    fn(ctx, e);
    wr_ast_walk_expr(e->a, fn, ctx);
    wr_ast_walk_expr(e->b, fn, ctx);
    wr_ast_walk_expr(e->c, fn, ctx);
    walk_list(e->args, fn, ctx);
    walk_select(e->select, fn, ctx);
    walk_order(e->order, fn, ctx);
    wr_ast_walk_expr(e->filter, fn, ctx);
    walk_over(e->over, fn, ctx);
}

static void walk_list(const struct wr_ast_expr *e, seen_fn fn, void *ctx)
{
    for (; e; e = e->next)
        wr_ast_walk_expr(e, fn, ctx);
}

static void walk_table(const struct wr_ast_table *t, seen_fn fn, void *ctx)
{
    if (!t)
        return;
    walk_select(t->select, fn, ctx);
    wr_ast_walk_expr(t->call, fn, ctx);
    wr_ast_walk_expr(t->as_of, fn, ctx);
    wr_ast_walk_expr(t->on, fn, ctx);
    walk_table(t->left, fn, ctx);
    walk_table(t->right, fn, ctx);
    for (const struct wr_ast_named_expr *m = t->match ? t->match->measures : NULL; m; m = m->next)
        wr_ast_walk_expr(m->expr, fn, ctx);
    for (const struct wr_ast_named_expr *m = t->match ? t->match->define : NULL; m; m = m->next)
        wr_ast_walk_expr(m->expr, fn, ctx);
}

static void walk_group(const struct wr_ast_group *g, seen_fn fn, void *ctx)
{
    for (; g; g = g->next) {
        wr_ast_walk_expr(g->expr, fn, ctx);
        walk_list(g->args, fn, ctx);
        walk_group(g->sets, fn, ctx);
    }
}

static void walk_select(const struct wr_ast_select *s, seen_fn fn, void *ctx)
{
    if (!s)
        return;
    for (const struct wr_ast_cte *c = s->with; c; c = c->next)
        walk_select(c->select, fn, ctx);
    walk_select(s->left, fn, ctx);
    walk_select(s->right, fn, ctx);
    for (const struct wr_ast_row *r = s->values; r; r = r->next)
        walk_list(r->cells, fn, ctx);
    walk_list(s->distinct_on, fn, ctx);
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        wr_ast_walk_expr(it->expr, fn, ctx);
    walk_table(s->from, fn, ctx);
    wr_ast_walk_expr(s->where, fn, ctx);
    walk_group(s->group, fn, ctx);
    wr_ast_walk_expr(s->having, fn, ctx);
    wr_ast_walk_expr(s->qualify, fn, ctx);
    for (const struct wr_ast_window_def *w = s->windows; w; w = w->next)
        walk_over(w->over, fn, ctx);
    walk_order(s->order, fn, ctx);
}

/* ---- who calls a function ---- */

void wr_call_seen(void *ctx, const struct wr_ast_expr *e)
{
    struct wr_call_of *c = ctx;
    c->found |= e->kind == WR_E_CALL && !e->name->next && wr_str_ieq(e->name->text, c->name);
}

bool wr_function_user(const struct wr_catalog *c, struct wr_str name, struct wr_str *kind, struct wr_str *user)
{
    struct wr_call_of call = {name, false};
    for (int i = 0; i < c->n_obj; i++) {
        const struct wr_object *o = c->obj[i];
        walk_select(o->stmt->select, wr_call_seen, &call);
        for (int k = 0; k < o->n_col; k++)
            wr_ast_walk_expr(o->col[k].computed, wr_call_seen, &call);
        if (call.found) {
            *kind = wr_str_c(wr_objkind_name(o->kind));
            *user = o->name;
            return true;
        }
    }
    for (const struct wr_function *f = c->functions; f; f = f->next) {
        wr_ast_walk_expr(f->body, wr_call_seen, &call);
        if (call.found) {
            *kind = WR_STR("function");
            *user = f->name;
            return true;
        }
    }
    return false;
}

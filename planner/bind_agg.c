/* bind_agg.c: what GROUP BY and aggregate calls say. bind_group.c makes nodes of it.
 * Rules:  an expression of the select list that equals a GROUP BY item is that group's column, whatever its depth; a column left over is an error.
 *         Equal aggregates are computed once. GROUP BY names mean columns of FROM first, then aliases of the select list, numbers its positions. */
#include "planner/bind.h"
#include "core/time.h"

/* ---- finding aggregates ---- */

bool wr_is_aggregate_call(const struct wr_ast_expr *e)
{
    return e->kind == WR_E_CALL && !e->over && !e->name->next && wr_agg_find(e->name->text) != NULL;
}

bool wr_has_aggregate(const struct wr_ast_expr *e)
{
    if (!e)
        return false;
    if (wr_is_aggregate_call(e) || wr_has_aggregate(e->a) || wr_has_aggregate(e->b) || wr_has_aggregate(e->c))
        return true;
    for (const struct wr_ast_expr *a = e->args; a; a = a->next)
        if (wr_has_aggregate(a))
            return true;
    for (const struct wr_ast_expr *a = e->over ? e->over->partition : NULL; a; a = a->next)
        if (wr_has_aggregate(a))
            return true;
    for (const struct wr_ast_order *o = e->over ? e->over->order : NULL; o; o = o->next)
        if (wr_has_aggregate(o->expr))
            return true;
    return false;
}

/* ---- one aggregate call ---- */

static wr_status constant_param(struct xctx *x, const struct wr_ast_expr *e, struct wr_aggcall *c)
{
    struct binder *b = x->b;
    struct wr_expr *y;
    struct wr_value v;
    struct wr_error ignored = WR_ERROR_INIT;
    WR_TRY(wr_bind_expr(x, e, &y));
    bool text = c->fn->constant == WR_AGG_CONST_SEP;
    WR_TRY(wr_expr_cast(b->a, y, text ? WR_TYPE_OF(TEXT) : WR_TYPE_OF(DOUBLE), false, &y, b->err));
    y = wr_expr_fold(b->a, y);
    if (!wr_expr_is_const(y) || !wr_eval_const(y, b->a, &v, &ignored) || v.null)
        return wr_fail_at(b->err, WR_ESQL, e->off, "the %s of \"%s\" must be a constant", text ? "separator" : "parameter", c->fn->name);
    c->has_param = true;
    if (text)
        c->sep = wr_arena_str(b->a, v.as.s);
    else
        c->param = v.as.d;
    return WR_OK;
}

static wr_status bind_order_inside(struct xctx *x, const struct wr_ast_expr *e, struct aggref *r)
{
    struct binder *b = x->b;
    for (const struct wr_ast_order *o = e->order; o; o = o->next) {
        if (r->call.n_order == 2)
            return wr_bind_refuse(b, o->expr->off, "ORDER BY over more than two expressions inside an aggregate", NULL);
        if (o->nulls && (o->nulls == 1) != o->desc)
            return wr_bind_refuse(b, o->expr->off, "this place of NULLs inside an aggregate", "ASC puts NULLs last, DESC first");
        WR_TRY(wr_bind_expr(x, o->expr, &r->order[r->call.n_order]));
        r->call.order_desc[r->call.n_order++] = o->desc;
    }
    return WR_OK;
}

/* percentile_cont(0.5) WITHIN GROUP (ORDER BY x) takes its argument from ORDER BY. For string_agg and its like it is the ORDER BY inside, written behind. */
static bool is_ordered_set(const struct wr_ast_expr *e, const struct wr_agg *fn) { return e->within_group && (fn->within_group || !fn->ordered); }

static wr_status bind_arguments(struct xctx *x, const struct wr_ast_expr *e, struct aggref *r)
{
    struct binder *b = x->b;
    struct wr_aggcall *c = &r->call;
    const struct wr_ast_expr *a = e->args;
    int n = wr_ast_len(a);
    if (a && a->kind == WR_E_STAR) {
        if (strcmp(c->fn->name, "count") != 0 || a->name || a->next || e->flag)
            return wr_fail_at(b->err, WR_ESQL, a->off, "\"*\" is no argument of \"%s\"", c->fn->name);
        return WR_OK;
    }
    if (n == 0 && c->fn->min_arg == 0 && !e->within_group) {
        wr_fail_at(b->err, WR_ESQL, e->off, "\"%s\" without an argument", c->fn->name);
        wr_hint(b->err, "write %s(*)", c->fn->name);
        return WR_ESQL;
    }
    if (is_ordered_set(e, c->fn)) {
        if (!c->fn->within_group || n > 1 || !e->order || e->order->next) {
            wr_fail_at(b->err, WR_ESQL, e->off, "\"%s\" cannot be written with WITHIN GROUP like this", c->fn->name);
            wr_hint(b->err, "%s", c->fn->help);
            return WR_ESQL;
        }
        if (a)
            WR_TRY(constant_param(x, a, c));
        c->n_arg = 1;
        r->arg[0] = r->order[0];
        return WR_OK;
    }
    bool has_const = c->fn->constant != WR_AGG_CONST_NONE && (n > c->fn->max_arg || (n > c->fn->min_arg && c->fn->constant != WR_AGG_CONST_SEP));
    for (int i = 0; a; a = a->next, i++) {
        if (has_const && i == n - 1) {
            WR_TRY(constant_param(x, a, c));
        } else if (i < 4) {
            WR_TRY(wr_bind_expr(x, a, &r->arg[i]));
            c->n_arg = i + 1;
        } else {
            return wr_fail_at(b->err, WR_ESQL, a->off, "too many arguments for \"%s\"", c->fn->name);
        }
    }
    return WR_OK;
}

static bool same_expr(const struct wr_expr *a, const struct wr_expr *b)
{
    return (!a && !b) || (a && b && wr_expr_eq(a, b));
}

/* Types settled by the aggregate; arguments converted where it asks for it. An order by the argument stays one. */
static wr_status settle(struct xctx *x, const struct wr_ast_expr *e, struct aggref *r)
{
    struct binder *b = x->b;
    struct wr_aggcall *c = &r->call;
    for (int i = 0; i < c->n_arg; i++) {
        if (wr_expr_is_unknown(r->arg[i]) && r->arg[i]->type.id == WR_T_NULL)
            WR_TRY(wr_expr_cast(b->a, r->arg[i], WR_TYPE_OF(TEXT), false, &r->arg[i], b->err));
        c->arg_type[i] = r->arg[i]->type;
        c->arg[i] = i;
    }
    for (int i = 0; i < c->n_order; i++)
        c->order[i] = is_ordered_set(e, c->fn) || same_expr(r->order[i], r->arg[0]) ? 0 : 4 + i;
    if (wr_aggcall_bind(c, b->err)) {
        if (b->err->sql_off < 0)
            b->err->sql_off = e->off;
        return b->err->code;
    }
    for (int i = 0; i < c->n_arg; i++)
        if (!wr_type_eq(c->arg_type[i], r->arg[i]->type))
            WR_TRY(wr_expr_cast(b->a, r->arg[i], c->arg_type[i], true, &r->arg[i], b->err));
    for (int i = 0; i < c->n_order; i++)
        if (c->order[i] == 0)
            r->order[i] = r->arg[0];
    return WR_OK;
}

bool wr_aggref_same(const struct aggref *a, const struct aggref *b)
{
    const struct wr_aggcall *c = &a->call, *d = &b->call;
    if (c->fn != d->fn || c->n_arg != d->n_arg || c->distinct != d->distinct || c->has_param != d->has_param || c->n_order != d->n_order
        || memcmp(&c->param, &d->param, sizeof c->param) != 0 || !wr_str_eq(c->sep, d->sep) || !same_expr(a->filter, b->filter))
        return false;
    for (int i = 0; i < c->n_arg; i++)
        if (!same_expr(a->arg[i], b->arg[i]))
            return false;
    for (int i = 0; i < c->n_order; i++)
        if (!same_expr(a->order[i], b->order[i]) || c->order_desc[i] != d->order_desc[i])
            return false;
    return true;
}

static int add_aggregate(struct binder *b, struct grouping *g, const struct aggref *r)
{
    for (int i = 0; i < g->n_agg; i++)
        if (wr_aggref_same(&g->agg[i], r))
            return i;
    if (g->n_agg == g->cap_agg) {
        struct aggref *old = g->agg;
        g->cap_agg = g->cap_agg ? 2 * g->cap_agg : 8;
        g->agg = WR_NEW_N(b->a, struct aggref, g->cap_agg);
        if (g->n_agg)
            memcpy(g->agg, old, sizeof(*old) * (size_t)g->n_agg);
    }
    g->agg[g->n_agg] = *r;
    return g->n_agg++;
}

wr_status wr_bind_aggcall(struct xctx *x, const struct wr_ast_expr *e, bool retract, struct aggref *r)
{
    const char *clause = x->clause;
    if (e->nulls == 2)
        return wr_bind_refuse(x->b, e->off, "RESPECT NULLS", "aggregates pass NULLs over");
    *r = (struct aggref){.call = {.fn = wr_agg_find(e->name->text), .filter = -1, .distinct = e->flag, .retract = retract, .mem = x->b->a, .off = e->off}};
    WR_TRY(bind_order_inside(x, e, r));
    WR_TRY(bind_arguments(x, e, r));
    if (e->filter) {
        x->clause = "FILTER";
        WR_TRY(wr_bind_bool(x, e->filter, &r->filter));
        x->clause = clause;
    }
    return settle(x, e, r);
}

wr_status wr_bind_aggregate(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    const struct wr_agg *fn = wr_agg_find(e->name->text);
    if (x->in_agg)
        return wr_fail_at(b->err, WR_ESQL, e->off, "aggregate \"%s\" inside an aggregate", fn->name);
    if (!x->group) {
        wr_fail_at(b->err, WR_ESQL, e->off, "aggregate \"%s\" is not allowed in %s", fn->name, x->clause);
        if (wr_str_eq_c(wr_str_c(x->clause), "WHERE"))
            wr_hint(b->err, "conditions on aggregates go into HAVING");
        return WR_ESQL;
    }
    struct xctx in = {.b = b, .rel = x->group->from, .group = x->group, .clause = "an aggregate", .in_agg = true, .env = x->env};
    struct aggref r;
    WR_TRY(wr_bind_aggcall(&in, e, x->group->from->plan->updating, &r));
    if (x->group->n_agg >= MAX_COLUMNS)
        return wr_fail_at(b->err, WR_ELIMIT, e->off, "more than %d aggregates", MAX_COLUMNS);
    int i = add_aggregate(b, x->group, &r);
    bool never_null = strcmp(r.call.fn->name, "count") == 0;
    *out = wr_expr_col(b->a, COL_AGG + i, r.call.ret, !never_null, e->off);
    return WR_OK;
}

/* ---- GROUP BY ---- */

/* What a GROUP BY item stands for: a position or an alias of the select list, else itself. */
static wr_status item_meant(struct xctx *x, const struct wr_ast_select *s, const struct wr_ast_expr *e, const struct wr_ast_expr **out)
{
    struct binder *b = x->b;
    *out = e;
    if (e->kind == WR_E_INT) {
        int64_t want, n = 0;
        WR_TRY(wr_bind_count(b, e, "a position in GROUP BY", &want));
        for (const struct wr_ast_item *it = s->items; it; it = it->next)
            if (++n == want && it->expr->kind != WR_E_STAR) {
                *out = it->expr;
                return WR_OK;
            }
        return wr_fail_at(b->err, WR_ESQL, e->off, "GROUP BY position %lld is not in the select list", (long long)want);
    }
    if (e->kind != WR_E_NAME || e->name->next)
        return WR_OK;
    int col = wr_rel_find(b, x->rel, (struct wr_str){0}, e->name->text, e->off, false);
    if (col == -2)
        return WR_ESQL;
    if (col >= 0)
        return WR_OK;
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        if (it->alias && wr_str_eq(it->alias->text, e->name->text)) {
            *out = it->expr;
            return WR_OK;
        }
    return WR_OK;
}

static wr_status add_key(struct xctx *x, struct grouping *g, const struct wr_ast_expr *e, uint64_t *keys)
{
    struct binder *b = x->b;
    if (wr_has_aggregate(e))
        return wr_fail_at(b->err, WR_ESQL, e->off, "aggregates are not allowed in GROUP BY");
    struct wr_expr *y;
    WR_TRY(wr_bind_expr(x, e, &y));
    if (y->type.id == WR_T_NULL)
        WR_TRY(wr_expr_cast(b->a, y, WR_TYPE_OF(TEXT), false, &y, b->err));
    for (int i = 0; i < g->n_key; i++)
        if (wr_expr_eq(g->key[i], y)) {
            *keys |= i < 64 ? UINT64_C(1) << i : 0;
            return WR_OK;
        }
    *keys |= g->n_key < 64 ? UINT64_C(1) << g->n_key : 0;
    g->key[g->n_key++] = y;
    return WR_OK;
}

/* window_start, window_end, window_time beside a window in GROUP BY: they are the window's, and say nothing new. */
static bool is_bound_of_window(struct xctx *x, const struct wr_ast_select *s, const struct wr_ast_expr *e)
{
    if (e->kind != WR_E_NAME || e->name->next)
        return false;
    struct wr_str n = e->name->text;
    if (!wr_str_eq_c(n, "window_start") && !wr_str_eq_c(n, "window_end") && !wr_str_eq_c(n, "window_time"))
        return false;
    bool window = false;
    for (const struct wr_ast_group *i = s->group; i; i = i->next)
        window |= i->expr && i->expr->kind == WR_E_CALL && !i->expr->name->next && wr_is_window_name(i->expr->name->text);
    return window && wr_rel_find(x->b, x->rel, (struct wr_str){0}, n, e->off, false) == -1;
}

wr_status wr_bind_group_item(struct xctx *x, const struct wr_ast_select *s, struct grouping *g, const struct wr_ast_expr *written, uint64_t *keys)
{
    struct binder *b = x->b;
    const struct wr_ast_expr *e;
    WR_TRY(item_meant(x, s, written, &e));
    if (e->kind == WR_E_ROW) {
        for (const struct wr_ast_expr *a = e->args; a; a = a->next)
            WR_TRY(wr_bind_group_item(x, s, g, a, keys));
        return WR_OK;
    }
    if (is_bound_of_window(x, s, e))
        return WR_OK;
    if (e->kind != WR_E_CALL || e->name->next || !wr_is_window_name(e->name->text))
        return g->n_key >= MAX_COLUMNS ? wr_fail_at(b->err, WR_ELIMIT, e->off, "more than %d columns in GROUP BY", MAX_COLUMNS) : add_key(x, g, e, keys);
    if (g->has_win) {
        bool same;
        x->group = g;
        (void)wr_is_group_window(x, e, &same);
        x->group = NULL;
        if (same)
            return WR_OK;
        return b->err->code ? WR_ESQL : wr_bind_refuse(b, e->off, "more than one window in GROUP BY", "group the result of the first by window_time in an outer query");
    }
    WR_TRY(wr_bind_window_call(x, e, &g->win, &g->time));
    g->has_win = true;
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        if (it->expr == e && it->alias)
            g->win_name = it->alias->text;
    return WR_OK;
}

/* Grouping by the bounds of windows assigned below? */
static wr_status find_attached(struct binder *b, struct grouping *g)
{
    struct wr_plan *p = g->from->plan;
    g->start_key = g->end_key = -1;
    if (g->has_win || p->win_end < 0)
        return WR_OK;
    for (int i = 0; i < g->n_key; i++) {
        if (g->key[i]->kind != WR_X_COL)
            continue;
        if (g->key[i]->u.col == p->win_start)
            g->start_key = i;
        if (g->key[i]->u.col == p->win_end)
            g->end_key = i;
    }
    if (g->start_key >= 0 && g->end_key < 0) {
        if (p->win_kind == WR_WIN_CUMULATE) {
            wr_fail_at(b->err, WR_ESQL, g->key[g->start_key]->off, "windows of CUMULATE that begin together do not end together");
            wr_hint(b->err, "add window_end to GROUP BY");
            return WR_ESQL;
        }
        g->end_key = g->n_key;
        wr_sets_add_key(g, g->n_key);
        g->key[g->n_key++] = wr_col_of(b->a, p->out, p->win_end, g->key[g->start_key]->off);
    }
    g->attached = g->end_key >= 0;
    /* the time of a window is no key of its own */
    for (int i = 0; g->attached && i < g->n_key; i++) {
        if (g->key[i]->kind != WR_X_COL || !wr_is_window_time(p, g->key[i]->u.col))
            continue;
        memmove(g->key + i, g->key + i + 1, sizeof(*g->key) * (size_t)(g->n_key - i - 1));
        wr_sets_drop_key(g, i);
        g->n_key--;
        g->start_key -= g->start_key > i;
        g->end_key -= g->end_key > i;
        i--;
    }
    return WR_OK;
}

/* Most keys an item can add: rows of expressions may stand in rows. */
static int count_args(const struct wr_ast_expr *e);
static int count_args_of(const struct wr_ast_expr *list)
{
    int n = 0;
    for (; list; list = list->next)
        n += count_args(list);
    return n;
}

static int count_args(const struct wr_ast_expr *e) { return e->kind == WR_E_ROW ? count_args_of(e->args) : 1; }

static int count_items(const struct wr_ast_group *item)
{
    int n = 0;
    for (; item; item = item->next)
        n += 1 + (item->expr ? count_args(item->expr) : 0) + count_args_of(item->args) + count_items(item->sets);
    return n;
}

wr_status wr_bind_group_by(struct xctx *x, const struct wr_ast_select *s, struct grouping *g)
{
    int n = count_items(s->group);
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        n += it->expr->kind == WR_E_ROW ? wr_ast_len(it->expr->args) : 0;
    g->key = WR_NEW_N(x->b->a, struct wr_expr *, n + 2);
    WR_TRY(wr_bind_sets(x, s, g));
    WR_TRY(find_attached(x->b, g));
    return wr_sets_check(x->b, g);
}

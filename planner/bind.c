/* bind.c: queries: SELECT, VALUES, UNION, WITH, ORDER BY, LIMIT, and the clauses WITH WATERMARK and EMIT around them.
 * Rules:  in the order SQL gives them a meaning: FROM, WHERE, GROUP BY, HAVING, SELECT, DISTINCT, UNION, ORDER BY, LIMIT.
 *         WITH WATERMARK and EMIT hold for everything below that has no clause of its own. */
#include "planner/sub.h"

/* ---- the select list ---- */

/* Result columns being collected; the first n_out are the result, the others only for ORDER BY. */
struct list {
    struct wr_expr **expr;
    struct wr_str *name;
    int n, n_out, cap;
};

static wr_status list_add(struct binder *b, struct list *l, struct wr_expr *x, struct wr_str name, int32_t off)
{
    if (l->n >= MAX_COLUMNS)
        return wr_fail_at(b->err, WR_ELIMIT, off, "more than %d columns", MAX_COLUMNS);
    if (l->n == l->cap) {
        struct list old = *l;
        l->cap = l->cap ? 2 * l->cap : 16;
        l->expr = WR_NEW_N(b->a, struct wr_expr *, l->cap);
        l->name = WR_NEW_N(b->a, struct wr_str, l->cap);
        if (old.n) {
            memcpy(l->expr, old.expr, sizeof(*old.expr) * (size_t)old.n);
            memcpy(l->name, old.name, sizeof(*old.name) * (size_t)old.n);
        }
    }
    l->expr[l->n] = x;
    l->name[l->n++] = wr_arena_str(b->a, name);
    return WR_OK;
}

static wr_status add_star(struct xctx *x, const struct wr_ast_expr *e, struct list *l)
{
    struct binder *b = x->b;
    struct wr_str qual = e->name ? e->name->text : (struct wr_str){0};
    if (!x->rel)
        return wr_fail_at(b->err, WR_ESQL, e->off, "\"*\" needs a FROM clause");
    int n = 0;
    for (int i = 0; i < x->rel->n; i++) {
        if (x->rel->col[i].outer || (qual.n ? !wr_str_eq(x->rel->col[i].qual, qual) : x->rel->col[i].hidden))
            continue;
        WR_TRY(list_add(b, l, wr_col_of(b->a, x->rel->plan->out, i, e->off), x->rel->col[i].name, e->off));
        n++;
    }
    if (n == 0 && qual.n)
        return wr_fail_at(b->err, WR_ESQL, e->off, "there is no table \"%.*s\" in FROM", WR_FMT(qual));
    return WR_OK;
}

/* The group's window as a whole, window(ts, '1 min') [AS w] or just window: two columns, w_start and w_end. */
static wr_status add_window(struct xctx *x, const struct wr_ast_item *it, struct list *l, bool *taken)
{
    struct binder *b = x->b;
    const struct wr_ast_expr *e = it->expr;
    *taken = false;
    if (!x->group || !x->group->has_win)
        return WR_OK;
    if (e->kind == WR_E_NAME && !e->name->next) {
        struct wr_str n = e->name->text;
        bool named = wr_str_eq_c(n, "window") || (n.n && wr_str_eq(n, x->group->win_name));
        if (!named || wr_rel_find(b, x->rel, (struct wr_str){0}, n, e->off, false) != -1)
            return WR_OK;
    } else if (e->kind == WR_E_CALL) {
        bool same;
        if (!wr_is_group_window(x, e, &same))
            return WR_OK;
        if (!same)
            return b->err->code ? WR_ESQL : wr_fail_at(b->err, WR_ESQL, e->off, "this is not the window in GROUP BY");
    } else {
        return WR_OK;
    }
    struct wr_str stem = it->alias ? it->alias->text : WR_STR("window");
    *taken = true;
    WR_TRY(list_add(b, l, wr_expr_col(b->a, COL_WIN_START, WR_TYPE_OF(TIMESTAMP), false, e->off), wr_arena_printf(b->a, "%.*s_start", WR_FMT(stem)), e->off));
    return list_add(b, l, wr_expr_col(b->a, COL_WIN_END, WR_TYPE_OF(TIMESTAMP), false, e->off), wr_arena_printf(b->a, "%.*s_end", WR_FMT(stem)), e->off);
}

static wr_status bind_items(struct xctx *x, const struct wr_ast_item *it, struct list *l)
{
    for (; it; it = it->next) {
        bool taken;
        if (it->expr->kind == WR_E_STAR) {
            WR_TRY(add_star(x, it->expr, l));
            continue;
        }
        WR_TRY(add_window(x, it, l, &taken));
        if (taken)
            continue;
        struct wr_expr *y;
        WR_TRY(wr_bind_expr(x, it->expr, &y));
        WR_TRY(list_add(x->b, l, y, it->alias ? it->alias->text : wr_name_of_expr(it->expr), it->expr->off));
    }
    l->n_out = l->n;
    return WR_OK;
}

static bool name_taken(const struct list *l, int n, struct wr_str name)
{
    for (int i = 0; i < n; i++)
        if (wr_str_eq(l->name[i], name))
            return true;
    return false;
}

/* a, a -> a, a_2: sinks and outer queries need names of their own. */
static void make_unique(struct binder *b, struct list *l)
{
    struct wr_str *base = WR_NEW_N(b->a, struct wr_str, l->n_out + 1);
    for (int i = 0; i < l->n_out; i++) {
        int again = 1; /* which one of this name */
        base[i] = l->name[i];
        for (int k = 0; k < i; k++)
            again += wr_str_eq(base[k], base[i]);
        while (name_taken(l, i, l->name[i]))
            l->name[i] = wr_arena_printf(b->a, "%.*s_%d", WR_FMT(base[i]), again++);
    }
}

/* ---- ORDER BY, LIMIT ---- */

struct sortkey { int col; bool desc, nulls_first; };
struct sorting {
    int n;
    struct sortkey *key;
};

static void sort_add(struct sorting *s, const struct wr_ast_order *o, int col)
{
    /* as PostgreSQL: NULLs are greater than everything */
    s->key[s->n++] = (struct sortkey){col, o->desc, o->nulls ? o->nulls == 1 : o->desc};
}

static int count_order(const struct wr_ast_order *o)
{
    int n = 0;
    for (; o; o = o->next)
        n++;
    return n;
}

/* A result column that an ORDER BY expression names: a position, or a name of the result. -1: neither. */
static wr_status order_output(struct binder *b, const struct wr_ast_expr *e, const struct list *l, int *col)
{
    *col = -1;
    if (e->kind == WR_E_INT) {
        int64_t n;
        WR_TRY(wr_bind_count(b, e, "a position in ORDER BY", &n));
        if (n < 1 || n > l->n_out)
            return wr_fail_at(b->err, WR_ESQL, e->off, "ORDER BY position %lld is not in the select list", (long long)n);
        *col = (int)n - 1;
    } else if (e->kind == WR_E_NAME && !e->name->next) {
        for (int i = 0; i < l->n_out && *col < 0; i++)
            if (wr_str_eq(l->name[i], e->name->text))
                *col = i;
    }
    return WR_OK;
}

static wr_status bind_order(struct xctx *x, const struct wr_ast_select *s, struct list *l, struct sorting *sort)
{
    struct binder *b = x->b;
    sort->key = WR_NEW_N(b->a, struct sortkey, count_order(s->order) + 1);
    for (const struct wr_ast_order *o = s->order; o; o = o->next) {
        int col;
        struct wr_expr *y;
        WR_TRY(order_output(b, o->expr, l, &col));
        if (col < 0) {
            WR_TRY(wr_bind_expr(x, o->expr, &y));
            for (int i = 0; i < l->n && col < 0; i++)
                if (wr_expr_eq(l->expr[i], y))
                    col = i;
            if (col < 0 && s->distinct)
                return wr_fail_at(b->err, WR_ESQL, o->expr->off, "with SELECT DISTINCT, ORDER BY expressions must appear in the select list");
            if (col < 0) {
                col = l->n;
                WR_TRY(list_add(b, l, y, WR_STR("order"), o->expr->off));
            }
        }
        sort_add(sort, o, col);
    }
    return WR_OK;
}

static wr_status read_limit(struct binder *b, const struct wr_ast_select *s, int64_t *limit, int64_t *offset)
{
    *limit = -1;
    *offset = 0;
    if (s->limit && s->limit->kind != WR_E_NULL)
        WR_TRY(wr_bind_count(b, s->limit, "LIMIT", limit));
    return s->offset ? wr_bind_count(b, s->offset, "OFFSET", offset) : WR_OK;
}

static wr_status unbounded_order(struct binder *b, const struct wr_ast_select *s)
{
    int32_t off = s->order ? s->order->expr->off : s->limit ? s->limit->off : s->offset->off;
    if (s->order) {
        wr_fail_at(b->err, WR_ESQL, off, "ORDER BY over input that does not end: there is no last row to wait for");
        wr_hint(b->err, "leave it out, or read up to the present end with --until-end");
        return WR_ESQL;
    }
    wr_fail_at(b->err, WR_ESQL, off, "LIMIT over results that are still updated");
    wr_hint(b->err, "use EMIT FINAL, or read up to the present end with --until-end");
    return WR_ESQL;
}

/* n_part columns from first_part on: of each group that they make. */
static wr_status order_and_limit(struct binder *b, const struct wr_ast_select *s, const struct sorting *sort, const struct clauses *cl, int first_part, int n_part,
                                 struct wr_plan **p)
{
    int64_t limit, offset;
    WR_TRY(read_limit(b, s, &limit, &offset));
    bool all = limit < 0 && offset == 0;
    if (all && (sort->n == 0 || n_part)) /* the order of a subquery's rows says nothing */
        return WR_OK;
    if (sort->n == 0 && !(*p)->updating && !n_part) {
        struct wr_plan *l = wr_node_new(b->a, WR_PLAN_LIMIT, *p);
        l->u.limit.limit = limit;
        l->u.limit.offset = offset;
        wr_node_props(b->a, l);
        *p = wr_bind_made(b, l);
        return WR_OK;
    }
    if (!(*p)->bounded && s->distinct_on && all)
        return WR_OK; /* ORDER BY has said which rows: the result is kept up to date, not sorted */
    if (!(*p)->bounded && (sort->n == 0 || limit < 0) && !n_part)
        return unbounded_order(b, s);
    int *col = WR_NEW_N(b->a, int, sort->n + 1);
    bool *desc = WR_NEW_N(b->a, bool, sort->n + 1), *nulls = WR_NEW_N(b->a, bool, sort->n + 1);
    for (int i = 0; i < sort->n; i++) {
        col[i] = sort->key[i].col;
        desc[i] = sort->key[i].desc;
        nulls[i] = sort->key[i].nulls_first;
    }
    struct wr_plan_sort by = {.n = sort->n, .col = col, .desc = desc, .nulls_first = nulls, .limit = limit, .offset = offset};
    int *part = WR_NEW_N(b->a, int, n_part + 1);
    for (int i = 0; i < n_part; i++)
        part[i] = first_part + i;
    if (!(*p)->bounded || n_part)
        return wr_bind_limit_n(b, cl, &by, part, n_part, p);
    struct wr_plan *o = wr_node_new(b->a, WR_PLAN_SORT, *p);
    o->u.sort = by;
    wr_node_props(b->a, o);
    *p = wr_bind_made(b, o);
    return WR_OK;
}

/* ---- SELECT ---- */

static bool is_grouped(const struct wr_ast_select *s)
{
    if (s->group || s->group_all || s->having)
        return true;
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        if (wr_has_aggregate(it->expr))
            return true;
    for (const struct wr_ast_order *o = s->order; o; o = o->next)
        if (wr_has_aggregate(o->expr))
            return true;
    return false;
}

struct wr_plan *wr_bind_one_row(struct binder *b)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_VALUES, NULL);
    p->u.values.n_row = 1;
    p->u.values.cell = WR_NEW(b->a, struct wr_expr *);
    p->out = wr_schema_new(b->a, 0);
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

static wr_status bind_where(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *from)
{
    if (!s->where)
        return WR_OK;
    struct xctx x = {.b = b, .rel = from, .clause = "WHERE", .env = env};
    struct conditions c;
    struct lift same = {0};
    WR_TRY(wr_conditions_plain(&x, s->where, &c));
    if (env->outer && c.plain)
        c.plain = wr_outer_take(b, env->outer, c.plain);
    if (c.plain) {
        wr_join_where(b, from, c.plain);
        wr_bind_top_n(b, &from->plan, &env->cl);
    }
    if (!c.has_sub)
        return WR_OK;
    WR_TRY(wr_join_settle(b, from, env));
    x.from = env->outer ? from : NULL;
    WR_TRY(wr_conditions_subs(&x, s->where, &c));
    return wr_conditions_apply(b, &c, &same, env, &from->plan);
}

/* The watermark of this query's windows. */
static wr_status settle_watermark(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *from, struct grouping *g)
{
    int col = g && g->has_win && g->time->kind == WR_X_COL ? g->time->u.col : -1;
    if (env->cl.wm && (col >= 0 || s->watermark))
        wr_watermark_apply(b, from->plan, env->cl.wm, col, s->watermark != NULL);
    if (!g || !g->has_win)
        return WR_OK;
    bool bound = col >= 0 && (col == from->plan->win_start || col == from->plan->win_end); /* window_time is meant */
    bool other = col >= 0 ? !wr_event_time_is(b, from, col) : wr_node_has_watermark(from->plan);
    g->loose = from->plan->updating && !bound && (g->win.kind == WR_WIN_SESSION || other);
    if (g->loose)
        return WR_OK;
    if (col >= 0)
        return wr_event_time_check(b, from, col, g->time->off);
    if (!wr_node_has_watermark(from->plan) && !env->cl.wm)
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, g->time->off, "a window closes by the watermark of a column, and this is an expression");
    wr_hint(b->err, "add it to the source as a computed column: name AS expression");
    return WR_ESQL;
}

/* Grouped: the aggregate, and the lists moved on top of it. */
static wr_status finish_grouped(struct binder *b, struct grouping *g, const struct env *env, struct conditions *having, struct list *l, struct lift *lift,
                                struct wr_plan **p)
{
    struct wr_plan *agg;
    WR_TRY(wr_agg_build(b, g, &env->cl, &agg));
    for (int i = 0; i < l->n; i++)
        WR_TRY(wr_regroup(b, g, agg, l->expr[i], &l->expr[i]));
    *p = agg;
    *lift = (struct lift){g, agg};
    if (having->plain) {
        WR_TRY(wr_regroup(b, g, agg, having->plain, &having->plain));
        *p = wr_bind_made(b, wr_node_filter(b->a, agg, having->plain));
    }
    return wr_conditions_apply(b, having, lift, env, p);
}

/* Window functions, and QUALIFY over them; the lists moved on top. */
static wr_status finish_over(struct binder *b, struct overs *over, const struct grouping *g, const struct env *env, struct wr_expr *qualify, struct list *l,
                             struct wr_plan **p)
{
    WR_TRY(wr_over_build(b, over, g, &env->cl, p));
    for (int i = 0; i < l->n; i++)
        l->expr[i] = wr_over_place(b, over, *p, l->expr[i]);
    if (!qualify)
        return WR_OK;
    *p = wr_bind_made(b, wr_node_filter(b->a, *p, wr_over_place(b, over, *p, qualify)));
    wr_bind_top_n(b, p, &env->cl);
    return WR_OK;
}

/* Drops the columns that were only for ORDER BY. */
static struct wr_plan *cut(struct binder *b, struct wr_plan *p, int n)
{
    if (p->out->n == n)
        return p;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, p->out, i, -1);
        name[i] = p->out->field[i].name;
    }
    return wr_bind_made(b, wr_node_project(b->a, p, n, expr, name));
}

/* A subquery's columns for the conditions that tie it to the query around; EXISTS looks at no others. */
static wr_status add_outer(struct binder *b, struct outer *o, const struct wr_ast_select *s, const struct grouping *g, struct list *l)
{
    wr_outer_empty(b, o, s, g, l->expr, l->n);
    for (int i = 0; i < o->n_extra; i++)
        WR_TRY(list_add(b, l, o->extra[i], o->name[i], -1));
    l->n_out = l->n;
    return WR_OK;
}

static wr_status bind_select(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out)
{
    struct wr_ast_select first;
    if (s->distinct_on) {
        WR_TRY(wr_distinct_on(b, s, &first));
        s = &first;
    }
    bool grouped = is_grouped(s);
    struct env below = *env;
    struct rel from = {0};
    struct grouping g = {.from = &from, .start_key = -1, .end_key = -1};
    struct list l = {0};
    struct sorting sort = {0};
    struct wr_expr *qualify = NULL;
    struct conditions having = {0};
    struct subs subs = {0};
    struct lift lift = {0};
    below.outer = NULL;
    below.cl.outermost &= !grouped && !s->distinct && !wr_select_has_over(s);
    if (s->from)
        WR_TRY(wr_bind_from(b, s->from, &below, &from));
    else
        from = wr_rel_of(b, wr_bind_one_row(b), (struct wr_str){0});
    WR_TRY(bind_where(b, s, env, &from));
    WR_TRY(wr_join_settle(b, &from, env));
    if (env->outer)
        WR_TRY(wr_outer_settle(b, s, grouped, env, &from));
    struct xctx x = {.b = b, .rel = &from, .clause = "GROUP BY", .env = env};
    if (grouped)
        WR_TRY(wr_bind_group_by(&x, s, &g));
    if (env->outer)
        wr_outer_columns(b, env->outer, &from);
    if (env->outer && grouped)
        WR_TRY(wr_outer_group(b, env->outer, s, &g));
    WR_TRY(settle_watermark(b, s, env, &from, grouped ? &g : NULL));
    x.group = grouped ? &g : NULL;
    x.over = wr_select_has_over(s) ? wr_overs_new(b, s) : NULL;
    x.subs = &subs;
    x.clause = "SELECT";
    WR_TRY(bind_items(&x, s->items, &l));
    make_unique(b, &l);
    if (env->outer)
        WR_TRY(add_outer(b, env->outer, s, &g, &l));
    x.clause = "ORDER BY";
    WR_TRY(bind_order(&x, s, &l, &sort));
    struct overs *over = x.over;
    x.subs = NULL;
    x.clause = "QUALIFY";
    x.aliases = s->items;
    if (s->qualify)
        WR_TRY(wr_bind_bool(&x, s->qualify, &qualify));
    x.aliases = NULL;
    x.over = NULL;
    x.clause = "HAVING";
    if (s->having)
        WR_TRY(wr_conditions_bind(&x, s->having, &having));
    if (over && env->cl.wm && !grouped)
        wr_over_watermark(b, over, env->cl.wm, from.plan);
    struct wr_plan *p = from.plan;
    if (grouped)
        WR_TRY(finish_grouped(b, &g, env, &having, &l, &lift, &p));
    WR_TRY(wr_subs_finish(b, &subs, &lift, env, &p));
    for (int i = 0; subs.n && i < l.n; i++)
        l.expr[i] = wr_subs_place(b, &subs, l.expr[i]);
    if (grouped && qualify)
        WR_TRY(wr_regroup(b, &g, p, qualify, &qualify));
    if (over)
        WR_TRY(finish_over(b, over, grouped ? &g : NULL, env, qualify, &l, &p));
    p = wr_bind_made(b, wr_node_project(b->a, p, l.n, l.expr, l.name));
    if (s->distinct) {
        struct rel r = wr_rel_of(b, p, (struct wr_str){0});
        WR_TRY(wr_distinct_build(b, &r, &env->cl, &p));
    }
    int n_extra = env->outer ? env->outer->n_extra : 0;
    if (!n_extra || env->outer->values || s->offset || !s->limit || wr_str_eq_c(s->limit->text, "0")) /* EXISTS (... LIMIT 1) is EXISTS */
        WR_TRY(order_and_limit(b, s, &sort, &env->cl, l.n_out - n_extra, n_extra, &p));
    *out = wr_rel_of(b, cut(b, p, l.n_out), (struct wr_str){0});
    return WR_OK;
}

/* ---- VALUES ---- */

static wr_status bind_values(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out)
{
    int n_col = wr_ast_len(s->values->cells), n_row = 0, k = 0;
    for (const struct wr_ast_row *r = s->values; r; r = r->next, n_row++)
        if (wr_ast_len(r->cells) != n_col)
            return wr_fail_at(b->err, WR_ESQL, r->off, "VALUES rows must all have %d columns", n_col);
    struct wr_expr **cell = WR_NEW_N(b->a, struct wr_expr *, n_row * n_col + 1), **one = WR_NEW_N(b->a, struct wr_expr *, n_row + 1);
    struct xctx x = {.b = b, .clause = "VALUES", .env = env};
    for (const struct wr_ast_row *r = s->values; r; r = r->next)
        for (const struct wr_ast_expr *e = r->cells; e; e = e->next)
            WR_TRY(wr_bind_expr(&x, e, &cell[k++]));
    struct wr_schema *sch = wr_schema_new(b->a, n_col);
    for (int c = 0; c < n_col; c++) {
        struct wr_type type;
        bool nullable = false;
        for (int i = 0; i < n_row; i++)
            one[i] = cell[i * n_col + c];
        WR_TRY(wr_expr_unify(b->a, one, n_row, "VALUES", &type, b->err));
        if (type.id == WR_T_NULL)
            type = WR_TYPE_OF(TEXT);
        for (int i = 0; i < n_row; i++) {
            WR_TRY(wr_expr_cast(b->a, one[i], type, false, &one[i], b->err));
            cell[i * n_col + c] = one[i];
            nullable |= one[i]->nullable;
        }
        sch->field[c] = (struct wr_field){.name = wr_arena_printf(b->a, "column%d", c + 1), .type = type, .nullable = nullable};
    }
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_VALUES, NULL);
    p->u.values.n_row = n_row;
    p->u.values.cell = cell;
    p->out = sch;
    wr_node_props(b->a, p);
    *out = wr_rel_of(b, wr_bind_made(b, p), (struct wr_str){0});
    return WR_OK;
}

/* ---- UNION, INTERSECT, EXCEPT ---- */

static wr_status bind_body(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out);

/* One side, its columns converted to the common types. */
static struct wr_plan *union_side(struct binder *b, const struct rel *r, struct wr_expr **expr, const struct wr_str *name)
{
    bool same = true;
    for (int i = 0; i < r->n; i++)
        same &= expr[i]->kind == WR_X_COL && expr[i]->u.col == i;
    return same ? r->plan : wr_bind_made(b, wr_node_project(b->a, r->plan, r->n, expr, name));
}

static const char *setop_name(const struct wr_ast_select *s)
{
    return s->op == WR_SET_OP_UNION ? "UNION" : s->op == WR_SET_OP_INTERSECT ? "INTERSECT" : "EXCEPT";
}

static wr_status unite(struct binder *b, const struct wr_ast_select *s, const struct rel *l, const struct rel *r, struct rel *out)
{
    int n = l->n;
    if (l->n != r->n)
        return wr_fail_at(b->err, WR_ESQL, s->right->off, "each %s query must have the same number of columns: %d and %d", setop_name(s), l->n, r->n);
    struct wr_expr **le = WR_NEW_N(b->a, struct wr_expr *, n + 1), **re = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    struct wr_schema *sch = wr_schema_new(b->a, n);
    for (int i = 0; i < n; i++) {
        struct wr_expr *arg[2] = {wr_rel_expr(b, l, i), wr_rel_expr(b, r, i)};
        struct wr_type type;
        if (arg[0]->off < 0)
            arg[0]->off = s->left->off;
        if (arg[1]->off < 0)
            arg[1]->off = s->right->off;
        WR_TRY(wr_expr_unify(b->a, arg, 2, setop_name(s), &type, b->err));
        le[i] = arg[0]->kind == WR_X_CONST && wr_type_eq(arg[0]->type, l->plan->out->field[i].type) ? wr_col_of(b->a, l->plan->out, i, -1) : arg[0];
        re[i] = arg[1]->kind == WR_X_CONST && wr_type_eq(arg[1]->type, r->plan->out->field[i].type) ? wr_col_of(b->a, r->plan->out, i, -1) : arg[1];
        name[i] = l->col[i].name;
        sch->field[i] = (struct wr_field){.name = name[i], .type = type, .nullable = arg[0]->nullable || arg[1]->nullable};
    }
    struct wr_plan *lp = union_side(b, l, le, name), *rp = union_side(b, r, re, name);
    bool flat = lp == l->plan && lp->kind == WR_PLAN_UNION && s->op == WR_SET_OP_UNION;
    struct wr_plan *u = wr_node_new(b->a, s->op == WR_SET_OP_UNION ? WR_PLAN_UNION : WR_PLAN_SETOP, NULL);
    if (s->op != WR_SET_OP_UNION)
        u->u.setop = (struct wr_plan_setop){.except = s->op == WR_SET_OP_EXCEPT, .all = s->all, .ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL)};
    u->n_in = flat ? lp->n_in + 1 : 2;
    u->in = WR_NEW_N(b->a, struct wr_plan *, u->n_in);
    if (flat)
        memcpy(u->in, lp->in, sizeof(*lp->in) * (size_t)lp->n_in);
    else
        u->in[0] = lp;
    u->in[u->n_in - 1] = rp;
    u->out = sch;
    wr_node_props(b->a, u);
    *out = wr_rel_of(b, wr_bind_made(b, u), (struct wr_str){0});
    return WR_OK;
}

static wr_status bind_setop(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out)
{
    struct rel l, r;
    struct env below = *env;
    below.cl.outermost &= s->all;
    below.outer = NULL;
    WR_TRY(bind_body(b, s->left, &below, &l));
    WR_TRY(bind_body(b, s->right, &below, &r));
    WR_TRY(unite(b, s, &l, &r, out));
    if (!s->all && s->op == WR_SET_OP_UNION)
        WR_TRY(wr_distinct_build(b, out, &env->cl, &out->plan));
    if (s->watermark)
        wr_watermark_apply(b, out->plan, env->cl.wm, -1, true);
    struct list names = {.n = out->n, .n_out = out->n, .name = WR_NEW_N(b->a, struct wr_str, out->n + 1)};
    for (int i = 0; i < out->n; i++)
        names.name[i] = out->col[i].name;
    struct sorting sort = {.key = WR_NEW_N(b->a, struct sortkey, count_order(s->order) + 1)};
    for (const struct wr_ast_order *o = s->order; o; o = o->next) {
        int col;
        WR_TRY(order_output(b, o->expr, &names, &col));
        if (col < 0) {
            wr_fail_at(b->err, WR_ESQL, o->expr->off, "ORDER BY over %s takes names or positions of its columns", setop_name(s));
            return WR_ESQL;
        }
        sort_add(&sort, o, col);
    }
    return order_and_limit(b, s, &sort, &env->cl, 0, 0, &out->plan);
}

/* ---- a whole query ---- */

static const struct cte *open_ctes(struct binder *b, const struct wr_ast_select *s, const struct cte *outer)
{
    for (const struct wr_ast_cte *c = s->with; c; c = c->next) {
        struct cte *n = WR_NEW(b->a, struct cte);
        *n = (struct cte){.name = c->name->text, .columns = c->columns, .select = c->select, .scope = outer, .next = outer};
        outer = n;
    }
    return outer;
}

static wr_status read_emit(struct binder *b, const struct wr_ast_emit *e, struct clauses *cl)
{
    if (e->delay)
        return wr_bind_refuse(b, e->delay->off, "WITH DELAY", "write LATENESS '...' in the WITH WATERMARK clause");
    cl->emit_given = true;
    cl->emit_off = e->off;
    cl->emit = e->kind == WR_AST_EMIT_FINAL ? WR_EMIT_FINAL : WR_EMIT_CHANGES;
    cl->every = 0;
    return e->every ? wr_bind_duration(b, e->every, "the interval of EMIT", 1, &cl->every) : WR_OK;
}

static wr_status bind_clauses(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out)
{
    struct env own = *env;
    struct wmclause wm;
    bool used = false;
    own.ctes = open_ctes(b, s, env->ctes);
    if (s->watermark) {
        WR_TRY(wr_bind_wmclause(b, s->watermark, &wm));
        wm.used = &used;
        own.cl.wm = &wm;
    }
    if (s->emit)
        WR_TRY(read_emit(b, s->emit, &own.cl));
    if (s->op != WR_SET_OP_NONE)
        WR_TRY(bind_setop(b, s, &own, out));
    else if (s->values)
        WR_TRY(bind_values(b, s, &own, out));
    else
        WR_TRY(bind_select(b, s, &own, out));
    if (s->watermark && !used) {
        wr_fail_at(b->err, WR_ESQL, s->watermark->off, "WITH WATERMARK does not know which column is the event time");
        wr_hint(b->err, "group by window(column, ...), or declare WATERMARK FOR column in the source");
        return WR_ESQL;
    }
    if (s->emit && own.cl.emit == WR_EMIT_FINAL && !b->final && out->plan->updating && out->plan->bounded) {
        out->plan = wr_bind_held(b, out->plan);
    } else if (s->emit && own.cl.emit == WR_EMIT_FINAL && !b->final && out->plan->updating) {
        wr_fail_at(b->err, WR_ESQL, s->emit->off, "EMIT FINAL, but the result is still updated");
        wr_hint(b->err, "a view below has its own EMIT CHANGES");
        return WR_ESQL;
    }
    return WR_OK;
}

static wr_status bind_body(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out)
{
    if (b->bodies >= MAX_BODIES)
        return wr_fail_at(b->err, WR_ELIMIT, s->off, "more than %d queries within each other", MAX_BODIES);
    b->bodies++;
    wr_status st = bind_clauses(b, s, env, out);
    b->bodies--;
    return st;
}

/* A column that is only NULL has no type yet: TEXT. */
static wr_status settle_nulls(struct binder *b, struct rel *r)
{
    bool any = false;
    for (int i = 0; i < r->n; i++)
        any |= r->plan->out->field[i].type.id == WR_T_NULL;
    if (!any)
        return WR_OK;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, r->n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, r->n + 1);
    for (int i = 0; i < r->n; i++) {
        name[i] = r->col[i].name;
        expr[i] = wr_col_of(b->a, r->plan->out, i, -1);
        if (expr[i]->type.id == WR_T_NULL)
            expr[i] = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(TEXT), .null = true}, -1);
    }
    r->plan = wr_bind_made(b, wr_node_project(b->a, r->plan, r->n, expr, name));
    return WR_OK;
}

wr_status wr_bind_query(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out)
{
    if (b->depth >= MAX_DEPTH)
        return wr_fail_at(b->err, WR_ELIMIT, s->off, "queries are nested deeper than %d, those of views included", MAX_DEPTH);
    b->depth++;
    wr_status st = bind_body(b, s, env, out);
    b->depth--;
    return st ? st : settle_nulls(b, out);
}

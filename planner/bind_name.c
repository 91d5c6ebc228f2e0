/* bind_name.c: names in expressions, to columns and what else they may stand for; and the names that expressions give their results.
 * Rules:  a name is looked for as a column, then as an alias where aliases count, then in the queries around; what follows it are members of a ROW.
 *         In a query grouped by a window, window_start, window_end and window_time are the group's.
 *         Results are named as PostgreSQL names them. */
#include "planner/sub.h"

#include <stdlib.h>

/* ---- names ---- */

enum { LIST_MAX = 90 }; /* bytes of a list of names */

static void hint_list(struct binder *b, const struct wr_str *name, int n, struct wr_str text)
{
    struct wr_buf all = WR_BUF_INIT(4096);
    for (int i = 0; i < n && all.n < LIST_MAX; i++)
        if (i == 0 || !wr_str_eq(name[i], name[i - 1]))
            wr_buf_printf(&all, "%s%.*s", i ? ", " : "", WR_FMT(name[i]));
    const char *more = all.n >= LIST_MAX ? ", ..." : "";
    if (n && text.n && text.n < 20)
        wr_hint(b->err, "there is %.*s%s; text stands in single quotes: '%.*s'", WR_FMT(wr_buf_get(&all)), more, WR_FMT(text));
    else if (n)
        wr_hint(b->err, "there is %.*s%s", WR_FMT(wr_buf_get(&all)), more);
    wr_buf_clear(&all);
}

static bool is_bound(struct wr_str name)
{
    return wr_str_eq_c(name, "window_start") || wr_str_eq_c(name, "window_end") || wr_str_eq_c(name, "window_time");
}

static wr_status no_column(struct binder *b, const struct rel *r, struct wr_str qual, struct wr_str name, int32_t off)
{
    struct wr_str *cand = wr_malloc(sizeof(*cand) * (size_t)(r->n + 1));
    int n = 0;
    bool table = false;
    for (int i = 0; i < r->n; i++) {
        table |= wr_str_eq(r->col[i].qual, qual);
        if (qual.n == 0 || wr_str_eq(r->col[i].qual, qual))
            cand[n++] = r->col[i].name;
    }
    struct wr_str near = wr_str_nearest(name, cand, n);
    if (qual.n && !table) {
        n = 0;
        for (int i = 0; i < r->n; i++)
            if (r->col[i].qual.n)
                cand[n++] = r->col[i].qual;
        near = wr_str_nearest(qual, cand, n);
        wr_fail_at(b->err, WR_ESQL, off, "there is no table \"%.*s\" in FROM", WR_FMT(qual));
    } else {
        wr_fail_at(b->err, WR_ESQL, off, "column \"%.*s%s%.*s\" does not exist", WR_FMT(qual), qual.n ? "." : "", WR_FMT(name));
    }
    if (near.n)
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    else if (r->n == 0)
        wr_hint(b->err, "there is no FROM clause with columns");
    else if (is_bound(name) && (!qual.n || table))
        wr_hint(b->err, "windows have it: GROUP BY window(time, '1 min'), or FROM TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '1' MINUTE)");
    else
        hint_list(b, cand, n, qual.n ? (struct wr_str){0} : name);
    free(cand);
    return WR_ESQL;
}

static int find_column(struct binder *b, const struct rel *r, struct wr_str qual, struct wr_str name, int32_t off, bool outer)
{
    int found = -1;
    for (int i = 0; i < r->n; i++) {
        if (r->col[i].outer != outer || !wr_str_eq(r->col[i].name, name) || (qual.n ? !wr_str_eq(r->col[i].qual, qual) : r->col[i].hidden))
            continue;
        if (found >= 0 && outer) /* imported twice: the values are the same */
            continue;
        if (found >= 0) {
            struct wr_str q1 = r->col[found].qual, q2 = r->col[i].qual;
            wr_fail_at(b->err, WR_ESQL, off, "column \"%.*s\" is ambiguous", WR_FMT(name));
            if (q1.n && q2.n && !wr_str_eq(q1, q2))
                wr_hint(b->err, "write \"%.*s.%.*s\" or \"%.*s.%.*s\"", WR_FMT(q1), WR_FMT(name), WR_FMT(q2), WR_FMT(name));
            return -2;
        }
        found = i;
    }
    return found;
}

int wr_rel_find(struct binder *b, const struct rel *r, struct wr_str qual, struct wr_str name, int32_t off, bool must)
{
    int found = find_column(b, r, qual, name, off, false);
    if (found == -1)
        found = find_column(b, r, qual, name, off, true);
    if (found == -1 && must)
        (void)no_column(b, r, qual, name, off);
    return found;
}

struct wr_expr *wr_group_bound(struct xctx *x, struct wr_str name, int32_t off)
{
    bool start = wr_str_eq_c(name, "window_start") || wr_str_eq_c(name, "start");
    return wr_expr_col(x->b->a, start ? COL_WIN_START : COL_WIN_END, WR_TYPE_OF(TIMESTAMP), false, off);
}

/* bound - 1 µs */
static wr_status window_time(struct binder *b, struct wr_expr *end, struct wr_expr **out)
{
    struct wr_expr *arg[2] = {end, wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(INTERVAL), .as.iv.us = 1}, -1)};
    return wr_bind_fn(b, "-", arg, 2, end->off, out);
}

wr_status wr_group_time(struct xctx *x, int32_t off, struct wr_expr **out)
{
    return window_time(x->b, wr_group_bound(x, WR_STR("end"), off), out);
}

/* Names that mean the group's window. *out NULL: not one of them. */
static wr_status window_name(struct xctx *x, struct wr_str qual, struct wr_str name, int32_t off, struct wr_expr **out)
{
    *out = NULL;
    if (!x->group || !x->group->has_win || x->in_agg)
        return WR_OK;
    bool of_window = wr_str_eq_c(qual, "window") || (qual.n && wr_str_eq(qual, x->group->win_name))
                     || (x->group->win.kind == WR_WIN_SESSION && (wr_str_eq_c(qual, "session_window") || wr_str_eq_c(qual, "session")));
    if (of_window && (wr_str_eq_c(name, "start") || wr_str_eq_c(name, "end")))
        *out = wr_group_bound(x, name, off);
    else if ((qual.n == 0 || of_window) && (wr_str_eq_c(name, "window_start") || wr_str_eq_c(name, "window_end")))
        *out = wr_group_bound(x, name, off);
    else if (qual.n == 0 && wr_str_eq_c(name, "window_time"))
        return wr_group_time(x, off, out);
    return WR_OK;
}

wr_status wr_bind_member(struct binder *b, struct wr_expr *row, struct wr_str name, int32_t off, struct wr_expr **out)
{
    if (row->type.id != WR_T_ROW) {
        struct wr_str t = wr_type_name(b->a, row->type);
        wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is asked of a %.*s, which has no members", WR_FMT(name), WR_FMT(t));
        if (row->type.id == WR_T_JSON)
            wr_hint(b->err, "write -> '%.*s' or ->> '%.*s'", WR_FMT(name), WR_FMT(name));
        return WR_ESQL;
    }
    int i = wr_schema_find(row->type.sub, name);
    if (i < 0)
        return wr_fail_at(b->err, WR_ESQL, off, "the row has no member \"%.*s\"", WR_FMT(name));
    struct wr_expr *arg[2] = {row, wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(INT), .as.i = i}, off)};
    return wr_bind_fn(b, "field", arg, 2, off, out);
}

wr_status wr_bind_column_name(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    static const struct rel nothing = {0};
    const struct rel *r = x->rel ? x->rel : &nothing;
    const struct wr_ast_name *first = e->name, *second = first->next, *rest = second;
    struct wr_str none = {0};
    if (x->match)
        return wr_match_name(x, e, out);
    if (x->params)
        return wr_param_name(x, e, out);
    WR_TRY(window_name(x, second ? first->text : none, second ? second->text : first->text, e->off, out));
    if (*out)
        return second && second->next ? wr_bind_refuse(x->b, e->off, "a member of a window bound", NULL) : WR_OK;
    int col = -1;
    if (second) {
        col = wr_rel_find(x->b, r, first->text, second->text, e->off, false);
        if (col >= 0)
            rest = second->next;
    }
    if (col == -1)
        col = wr_rel_find(x->b, r, none, first->text, e->off, false);
    for (const struct wr_ast_item *it = second ? NULL : x->aliases; it && col == -1; it = it->next)
        if (it->alias && wr_str_eq(it->alias->text, first->text)) {
            struct xctx own = *x;
            own.aliases = NULL;
            return wr_bind_expr(&own, it->expr, out);
        }
    if (col == -1) {
        WR_TRY(wr_bind_outer_name(x, second ? first->text : none, second ? second->text : first->text, e->off, out));
        if (!*out)
            return no_column(x->b, r, second ? first->text : none, second ? second->text : first->text, e->off);
        rest = second ? second->next : NULL;
    } else if (col < 0) {
        return WR_ESQL;
    } else {
        *out = wr_col_of(x->b->a, r->plan->out, col, e->off);
    }
    for (; rest; rest = rest->next)
        WR_TRY(wr_bind_member(x->b, *out, rest->text, rest->off, out));
    return WR_OK;
}

/* ---- names of results ---- */

static struct wr_str last_name(const struct wr_ast_name *n)
{
    while (n && n->next)
        n = n->next;
    return n ? n->text : (struct wr_str){0};
}

/* weak: one that an expression around it with a name of its own does not take over. */
static struct wr_str name_of(const struct wr_ast_expr *e, bool *weak)
{
    struct wr_str name;
    *weak = false;
    switch (e->kind) {
    case WR_E_NAME:
    case WR_E_FIELD:
    case WR_E_CALL: return last_name(e->name);
    case WR_E_INDEX: return name_of(e->a, weak);
    case WR_E_CAST:
        name = name_of(e->a, weak);
        return *weak ? wr_type_result_name(e->type) : name;
    case WR_E_CASE:
        *weak = true;
        name = e->b ? name_of(e->b, weak) : (struct wr_str){0};
        return *weak ? WR_STR("case") : name;
    case WR_E_ARRAY: return WR_STR("array");
    case WR_E_ROW: return WR_STR("row");
    case WR_E_EXISTS: return WR_STR("exists");
    case WR_E_SUBQUERY:
        if (e->select->items)
            return e->select->items->alias ? e->select->items->alias->text : name_of(e->select->items->expr, weak);
        break;
    case WR_E_TRUE: case WR_E_FALSE: *weak = true; return WR_STR("bool");
    case WR_E_INTERVAL: *weak = true; return WR_STR("interval");
    case WR_E_TYPED: *weak = true; return wr_type_result_name(e->type);
    case WR_E_BINARY:
        if (wr_str_eq_c(e->text, "at time zone"))
            return WR_STR("timezone");
        break;
    case WR_E_NULL: case WR_E_INT: case WR_E_NUM: case WR_E_STRING: case WR_E_BYTES: case WR_E_STAR: case WR_E_UNARY:
    case WR_E_IS: case WR_E_DISTINCT: case WR_E_LIKE: case WR_E_BETWEEN: case WR_E_IN_LIST: case WR_E_IN_QUERY:
    case WR_E_QUANTIFIED: case WR_E_DESCRIPTOR: case WR_E_TABLE: case WR_E_NAMED: break;
    }
    *weak = true;
    return WR_STR("?column?");
}

struct wr_str wr_name_of_expr(const struct wr_ast_expr *e)
{
    bool weak;
    return name_of(e, &weak);
}

/* bind_expr.c: expressions: names to columns, operators and special forms to the functions of core.
 * Rules:  BETWEEN, simple CASE, NULLIF and the like become the kinds of core/expr.h here; core sees only those.
 *         In a grouped query aggregates and window bounds become columns numbered from COL_AGG; regroup() (bind_agg.c) settles them. */
#include "planner/over.h"
#include "planner/sub.h"
#include "core/func.h"

#include <stdlib.h>
#include <stdio.h>

wr_status wr_bind_refuse(struct binder *b, int32_t off, const char *what, const char *hint)
{
    wr_fail_at(b->err, WR_ESQL, off, "%s is not supported", what);
    if (hint)
        wr_hint(b->err, "%s", hint);
    return WR_ESQL;
}

int wr_ast_len(const struct wr_ast_expr *e)
{
    int n = 0;
    for (; e; e = e->next)
        n++;
    return n;
}

wr_status wr_bind_fn(struct binder *b, const char *name, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out)
{
    return wr_expr_call(b->a, wr_str_c(name), arg, n, off, out, b->err);
}

/* ---- operators ---- */

static wr_status both(struct xctx *x, const struct wr_ast_expr *a, const struct wr_ast_expr *b, struct wr_expr *arg[2])
{
    WR_TRY(wr_bind_expr(x, a, &arg[0]));
    return wr_bind_expr(x, b, &arg[1]);
}

static struct wr_expr *node(struct binder *b, enum wr_xkind kind, struct wr_type type, struct wr_expr *const *arg, int n, int32_t off)
{
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = (struct wr_expr){.kind = kind, .type = type, .nullable = true, .off = off};
    y->u.call.n = n;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    memcpy(y->u.call.arg, arg, sizeof(*arg) * (size_t)n);
    return y;
}

static struct wr_expr *logic(struct binder *b, enum wr_xkind kind, struct wr_expr *l, struct wr_expr *r, int32_t off)
{
    struct wr_expr *arg[2] = {l, r}, *y = node(b, kind, WR_TYPE_OF(BOOL), arg, 2, off);
    y->nullable = l->nullable || r->nullable;
    return y;
}

static wr_status to_bool(struct xctx *x, struct wr_expr *y, const char *what, struct wr_expr **out)
{
    struct binder *b = x->b;
    if (y->type.id == WR_T_BOOL || wr_expr_is_unknown(y))
        return wr_expr_cast(b->a, y, WR_TYPE_OF(BOOL), false, out, b->err);
    struct wr_str t = wr_type_name(b->a, y->type);
    return wr_fail_at(b->err, WR_ESQL, y->off, "%s must be BOOLEAN, not %.*s", what, WR_FMT(t));
}

wr_status wr_bind_bool(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_expr *y;
    WR_TRY(wr_bind_expr(x, e, &y));
    return to_bool(x, y, x->clause, out);
}

/* a AND b AND c ...: one node, without deep recursion for long chains. */
static wr_status bind_logic(struct xctx *x, const struct wr_ast_expr *e, enum wr_xkind kind, struct wr_expr **out)
{
    const char *op = kind == WR_X_AND ? "and" : "or", *what = kind == WR_X_AND ? "an argument of AND" : "an argument of OR";
    int n = 1;
    const struct wr_ast_expr *l = e;
    for (; l->kind == WR_E_BINARY && wr_str_eq_c(l->text, op); l = l->a)
        n++;
    struct wr_expr **arg = WR_NEW_N(x->b->a, struct wr_expr *, n), *y;
    int i = n;
    for (l = e; i > 0; l = l->a) {
        const struct wr_ast_expr *part = i > 1 ? l->b : l;
        WR_TRY(wr_bind_expr(x, part, &y));
        WR_TRY(to_bool(x, y, what, &arg[--i]));
    }
    *out = node(x->b, kind, WR_TYPE_OF(BOOL), arg, n, e->off);
    (*out)->nullable = false;
    for (i = 0; i < n; i++)
        (*out)->nullable |= arg[i]->nullable;
    return WR_OK;
}

static wr_status negate(struct xctx *x, struct wr_expr *y, int32_t off, struct wr_expr **out)
{
    WR_TRY(to_bool(x, y, "the argument of NOT", &y));
    return wr_bind_fn(x->b, "not", &y, 1, off, out);
}

static wr_status maybe_not(struct xctx *x, bool negated, struct wr_expr *y, int32_t off, struct wr_expr **out)
{
    *out = y;
    return negated ? negate(x, y, off, out) : WR_OK;
}

static wr_status bind_unary(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    bool minus = wr_str_eq_c(e->text, "-");
    if (minus && (e->a->kind == WR_E_INT || e->a->kind == WR_E_NUM))
        return wr_bind_literal(x->b, e->a, true, out);
    struct wr_expr *y;
    WR_TRY(wr_bind_expr(x, e->a, &y));
    if (wr_str_eq_c(e->text, "not"))
        return negate(x, y, e->off, out);
    if (wr_str_eq_c(e->text, "+")) {
        if (!wr_type_is_number(y->type) && y->type.id != WR_T_INTERVAL)
            return wr_fail_at(x->b->err, WR_ESQL, e->off, "\"+\" needs a number");
        *out = y;
        return WR_OK;
    }
    return wr_expr_call(x->b->a, e->text, &y, 1, e->off, out, x->b->err);
}

static wr_status bind_binary(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_expr *arg[2];
    if (wr_str_eq_c(e->text, "and"))
        return bind_logic(x, e, WR_X_AND, out);
    if (wr_str_eq_c(e->text, "or"))
        return bind_logic(x, e, WR_X_OR, out);
    WR_TRY(both(x, e->a, e->b, arg));
    if (wr_str_eq_c(e->text, "at time zone")) {
        struct wr_expr *swapped[2] = {arg[1], arg[0]};
        return wr_bind_fn(x->b, "timezone", swapped, 2, e->off, out);
    }
    struct wr_str op = e->text;
    if (wr_str_eq_c(op, "!="))
        op = WR_STR("<>");
    else if (wr_str_eq_c(op, "=="))
        op = WR_STR("=");
    return wr_expr_call(x->b->a, op, arg, 2, e->off, out, x->b->err);
}

static wr_status bind_is(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_expr *y;
    WR_TRY(wr_bind_expr(x, e->a, &y));
    char name[32];
    snprintf(name, sizeof name, "is_%s%.*s", e->negated ? "not_" : "", WR_FMT(e->text));
    if (!wr_str_eq_c(e->text, "null"))
        WR_TRY(to_bool(x, y, "what stands before IS TRUE, IS FALSE, IS UNKNOWN", &y));
    return wr_bind_fn(x->b, name, &y, 1, e->off, out);
}

static wr_status bind_like(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_expr *arg[3], *y;
    int n = 2;
    WR_TRY(both(x, e->a, e->b, arg));
    if (e->c) {
        WR_TRY(wr_bind_expr(x, e->c, &arg[2]));
        n = 3;
    }
    const char *name = wr_str_eq_c(e->text, "like") ? "like" : wr_str_eq_c(e->text, "ilike") ? "ilike" : "similar";
    WR_TRY(wr_bind_fn(x->b, name, arg, n, e->off, &y));
    return maybe_not(x, e->negated, y, e->off, out);
}

static wr_status in_range(struct xctx *x, struct wr_expr *v, struct wr_expr *lo, struct wr_expr *hi, int32_t off, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct wr_expr *ge[2] = {v, lo}, *le[2] = {wr_expr_copy(b->a, v), hi}, *l, *r;
    WR_TRY(wr_bind_fn(b, ">=", ge, 2, off, &l));
    WR_TRY(wr_bind_fn(b, "<=", le, 2, off, &r));
    *out = logic(b, WR_X_AND, l, r, off);
    return WR_OK;
}

static wr_status bind_between(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct wr_expr *v, *lo, *hi, *y, *z;
    WR_TRY(wr_bind_expr(x, e->a, &v));
    WR_TRY(wr_bind_expr(x, e->b, &lo));
    WR_TRY(wr_bind_expr(x, e->c, &hi));
    WR_TRY(in_range(x, v, lo, hi, e->off, &y));
    if (e->flag) {
        WR_TRY(in_range(x, wr_expr_copy(b->a, v), wr_expr_copy(b->a, hi), wr_expr_copy(b->a, lo), e->off, &z));
        y = logic(b, WR_X_OR, y, z, e->off);
    }
    return maybe_not(x, e->negated, y, e->off, out);
}

static wr_status bind_list(struct xctx *x, const struct wr_ast_expr *list, struct wr_expr **arg)
{
    for (int i = 0; list; list = list->next)
        WR_TRY(wr_bind_expr(x, list, &arg[i++]));
    return WR_OK;
}

static wr_status bind_in_list(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    int n = wr_ast_len(e->args) + 1;
    struct wr_expr **arg = WR_NEW_N(b->a, struct wr_expr *, n), *y;
    struct wr_type type;
    WR_TRY(wr_bind_expr(x, e->a, &arg[0]));
    WR_TRY(bind_list(x, e->args, arg + 1));
    WR_TRY(wr_expr_unify(b->a, arg, n, "IN", &type, b->err));
    WR_TRY(wr_bind_fn(b, "in", arg, n, e->off, &y));
    return maybe_not(x, e->negated, y, e->off, out);
}

static wr_status make_case(struct binder *b, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out)
{
    struct wr_expr **result = WR_NEW_N(b->a, struct wr_expr *, n / 2 + 2);
    struct wr_type type;
    int m = 0;
    for (int i = 1; i < n; i += 2)
        result[m++] = arg[i];
    if (n % 2)
        result[m++] = arg[n - 1];
    WR_TRY(wr_expr_unify(b->a, result, m, "CASE", &type, b->err));
    m = 0;
    bool nullable = n % 2 == 0;
    for (int i = 1; i < n; i += 2)
        arg[i] = result[m++];
    if (n % 2)
        arg[n - 1] = result[m++];
    for (int i = 0; i < m; i++)
        nullable |= result[i]->nullable;
    *out = node(b, WR_X_CASE, type, arg, n, off);
    (*out)->nullable = nullable;
    return WR_OK;
}

static wr_status bind_case(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    int n = wr_ast_len(e->args) + (e->b ? 1 : 0), i = 0;
    struct wr_expr **arg = WR_NEW_N(b->a, struct wr_expr *, n + 1), *operand = NULL;
    if (e->a)
        WR_TRY(wr_bind_expr(x, e->a, &operand));
    for (const struct wr_ast_expr *w = e->args; w; w = w->next, i++) {
        WR_TRY(wr_bind_expr(x, w, &arg[i]));
        if (i % 2)
            continue;
        if (operand) {
            struct wr_expr *eq[2] = {wr_expr_copy(b->a, operand), arg[i]};
            WR_TRY(wr_bind_fn(b, "=", eq, 2, w->off, &arg[i]));
        } else {
            WR_TRY(to_bool(x, arg[i], "what stands behind WHEN", &arg[i]));
        }
    }
    if (e->b)
        WR_TRY(wr_bind_expr(x, e->b, &arg[i++]));
    return make_case(b, arg, i, e->off, out);
}

static wr_status bind_cast(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_type type;
    struct wr_expr *y;
    WR_TRY(wr_bind_type(x->b, e->type, &type));
    WR_TRY(wr_bind_expr(x, e->a, &y));
    WR_TRY(wr_expr_cast(x->b->a, y, type, true, &y, x->b->err));
    if (e->flag)
        y = node(x->b, WR_X_TRY, type, &y, 1, e->off);
    *out = y;
    return WR_OK;
}

/* ---- calls ---- */

static wr_status make_coalesce(struct xctx *x, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out)
{
    struct wr_type type;
    if (n == 0)
        return wr_fail_at(x->b->err, WR_ESQL, off, "COALESCE needs an argument");
    WR_TRY(wr_expr_unify(x->b->a, arg, n, "COALESCE", &type, x->b->err));
    *out = node(x->b, WR_X_COALESCE, type, arg, n, off);
    (*out)->nullable = true;
    for (int i = 0; i < n; i++)
        if (!arg[i]->nullable)
            (*out)->nullable = false;
    return WR_OK;
}

static wr_status make_nullif(struct xctx *x, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out)
{
    struct binder *b = x->b;
    if (n != 2)
        return wr_fail_at(b->err, WR_ESQL, off, "NULLIF takes two arguments");
    struct wr_expr *eq[2] = {arg[0], arg[1]}, *part[3];
    WR_TRY(wr_bind_fn(b, "=", eq, 2, off, &part[0]));
    part[1] = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(NULL), .null = true}, off);
    part[2] = wr_expr_copy(b->a, arg[0]);
    return make_case(b, part, 3, off, out);
}

static wr_status make_if(struct xctx *x, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out)
{
    if (n != 2 && n != 3)
        return wr_fail_at(x->b->err, WR_ESQL, off, "IF takes a condition and one or two results");
    WR_TRY(to_bool(x, arg[0], "the condition of IF", &arg[0]));
    return make_case(x->b, arg, n, off, out);
}

static const struct {
    const char *name;
    wr_status (*make)(struct xctx *x, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out);
} special[] = {
    {"coalesce", make_coalesce}, {"ifnull", make_coalesce}, {"nvl", make_coalesce}, {"nullif", make_nullif}, {"if", make_if}, {"iff", make_if},
};

static wr_status check_plain_call(struct xctx *x, const struct wr_ast_expr *e, struct wr_str name)
{
    struct binder *b = x->b;
    if (e->flag || e->filter || e->order || e->within_group) {
        wr_fail_at(b->err, WR_ESQL, e->off, "\"%.*s\" is not an aggregate: DISTINCT, FILTER and ORDER BY cannot stand here", WR_FMT(name));
        return WR_ESQL;
    }
    if (e->nulls)
        return wr_bind_refuse(b, e->off, "IGNORE NULLS outside of a window function", NULL);
    if (wr_is_window_name(name)) {
        wr_fail_at(b->err, WR_ESQL, e->off, "window function \"%.*s\" can only stand in GROUP BY or FROM", WR_FMT(name));
        wr_hint(b->err, "in the select list write window_start, window_end");
        return WR_ESQL;
    }
    if (wr_is_unnest_name(name)) {
        wr_fail_at(b->err, WR_ESQL, e->off, "\"%.*s\" makes rows and can only stand in FROM", WR_FMT(name));
        wr_hint(b->err, "FROM t CROSS JOIN %.*s(...) AS x", WR_FMT(name));
        return WR_ESQL;
    }
    if (wr_is_over_name(name)) {
        wr_fail_at(b->err, WR_ESQL, e->off, "\"%.*s\" needs OVER", WR_FMT(name));
        wr_hint(b->err, "%.*s(...) OVER (PARTITION BY ... ORDER BY ...)", WR_FMT(name));
        return WR_ESQL;
    }
    for (const struct wr_ast_expr *a = e->args; a; a = a->next)
        if (a->kind == WR_E_STAR && wr_func_exists(name))
            return wr_fail_at(b->err, WR_ESQL, a->off, "\"*\" is no argument of \"%.*s\"", WR_FMT(name));
        else if (a->kind == WR_E_STAR)
            return wr_func_unknown(name, e->off, b->err);
    return WR_OK;
}

/* timestampdiff(SECOND, a, b): the unit is a bare word there. */
static wr_status bind_args(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **arg)
{
    struct wr_str name = e->name->text;
    const struct wr_ast_expr *unit = e->args;
    bool takes = wr_str_ieq_c(name, "timestampdiff") || wr_str_ieq_c(name, "timestampadd");
    if (!takes || !unit || unit->kind != WR_E_NAME || unit->name->next || unit->name->quoted)
        return bind_list(x, e->args, arg);
    arg[0] = wr_expr_const(x->b->a, (struct wr_value){.type = WR_TYPE_OF(TEXT), .as.s = wr_arena_str(x->b->a, unit->name->text)}, unit->off);
    return bind_list(x, unit->next, arg + 1);
}

static wr_status bind_call(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct wr_str name = e->name->text;
    if (e->name->next)
        return wr_bind_refuse(b, e->off, "a function with a qualified name", NULL);
    if (x->match) {
        bool taken;
        WR_TRY(wr_match_call(x, e, out, &taken));
        if (taken)
            return WR_OK;
    }
    if (e->over)
        return wr_bind_over(x, e, out);
    if (wr_is_grouping(name))
        return wr_bind_grouping(x, e, out);
    if (wr_is_aggregate_call(e))
        return wr_bind_aggregate(x, e, out);
    bool part;
    WR_TRY(wr_bind_window_part(x, e, out, &part));
    if (part)
        return WR_OK;
    WR_TRY(check_plain_call(x, e, name));
    int n = wr_ast_len(e->args);
    struct wr_expr **arg = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    WR_TRY(bind_args(x, e, arg));
    for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++)
        if (wr_str_ieq_c(name, special[i].name))
            return special[i].make(x, arg, n, e->off, out);
    const struct wr_function *own = wr_function_find(b->cat, name);
    if (own && !e->type)
        return wr_bind_user_call(b, own, arg, n, e->off, out);
    WR_TRY(wr_expr_call(b->a, name, arg, n, e->off, out, b->err));
    if (!e->type)
        return WR_OK;
    struct wr_type type;
    WR_TRY(wr_bind_type(b, e->type, &type));
    return wr_expr_cast(b->a, *out, type, true, out, b->err);
}

static wr_status bind_function_of_list(struct xctx *x, const char *name, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    int n = wr_ast_len(e->args);
    struct wr_expr **arg = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_type type;
    WR_TRY(bind_list(x, e->args, arg));
    if (e->kind == WR_E_ARRAY && n)
        WR_TRY(wr_expr_unify(b->a, arg, n, "ARRAY", &type, b->err));
    return wr_bind_fn(b, name, arg, n, e->off, out);
}

static wr_status bind_index(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_expr *arg[2];
    WR_TRY(both(x, e->a, e->b, arg));
    if (arg[0]->type.id == WR_T_JSON)
        return wr_bind_fn(x->b, "->", arg, 2, e->off, out);
    return wr_bind_fn(x->b, "subscript", arg, 2, e->off, out);
}

/* (a).name; window(ts, '1 min').start */
static wr_status bind_field(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_str name = e->name->text;
    bool same = false;
    if (x->group && e->a->kind == WR_E_CALL && wr_is_group_window(x, e->a, &same)) {
        if (!same)
            return x->b->err->code ? WR_ESQL : wr_fail_at(x->b->err, WR_ESQL, e->off, "this is not the window in GROUP BY");
        if (wr_str_eq_c(name, "start") || wr_str_eq_c(name, "end")) {
            *out = wr_group_bound(x, name, e->off);
            return WR_OK;
        }
    }
    struct wr_expr *row;
    WR_TRY(wr_bind_expr(x, e->a, &row));
    return wr_bind_member(x->b, row, name, e->name->off, out);
}

static wr_status stray(struct xctx *x, const struct wr_ast_expr *e)
{
    struct binder *b = x->b;
    switch (e->kind) {
    case WR_E_STAR: return wr_fail_at(b->err, WR_ESQL, e->off, "\"*\" cannot stand here");
    case WR_E_DESCRIPTOR:
    case WR_E_TABLE: return wr_fail_at(b->err, WR_ESQL, e->off, "%s belongs into a window table function", e->kind == WR_E_TABLE ? "TABLE" : "DESCRIPTOR");
    case WR_E_NAMED: return wr_bind_refuse(b, e->off, "a named argument of a scalar function", NULL);
    case WR_E_NULL: case WR_E_TRUE: case WR_E_FALSE: case WR_E_INT: case WR_E_NUM: case WR_E_STRING: case WR_E_BYTES: case WR_E_INTERVAL:
    case WR_E_TYPED: case WR_E_NAME: case WR_E_UNARY: case WR_E_BINARY: case WR_E_IS: case WR_E_DISTINCT: case WR_E_LIKE: case WR_E_BETWEEN:
    case WR_E_IN_LIST: case WR_E_CASE: case WR_E_CAST: case WR_E_CALL: case WR_E_ARRAY: case WR_E_ROW: case WR_E_INDEX: case WR_E_FIELD:
    case WR_E_SUBQUERY: case WR_E_EXISTS: case WR_E_IN_QUERY: case WR_E_QUANTIFIED: break;
    }
    WR_BUG("not a stray expression");
}

wr_status wr_bind_expr(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct wr_expr *arg[2];
    const struct wr_ast_expr *members = wr_row_comparison(x->b, e);
    if (members)
        return wr_bind_expr(x, members, out);
    switch (e->kind) {
    case WR_E_NULL: case WR_E_TRUE: case WR_E_FALSE: case WR_E_INT: case WR_E_NUM: case WR_E_STRING: case WR_E_BYTES: case WR_E_INTERVAL:
    case WR_E_TYPED: return wr_bind_literal(x->b, e, false, out);
    case WR_E_NAME: return wr_bind_column_name(x, e, out);
    case WR_E_UNARY: return bind_unary(x, e, out);
    case WR_E_BINARY: return bind_binary(x, e, out);
    case WR_E_IS: return bind_is(x, e, out);
    case WR_E_DISTINCT:
        WR_TRY(both(x, e->a, e->b, arg));
        return wr_bind_fn(x->b, e->negated ? "is_not_distinct" : "is_distinct", arg, 2, e->off, out);
    case WR_E_LIKE: return bind_like(x, e, out);
    case WR_E_BETWEEN: return bind_between(x, e, out);
    case WR_E_IN_LIST: return bind_in_list(x, e, out);
    case WR_E_CASE: return bind_case(x, e, out);
    case WR_E_CAST: return bind_cast(x, e, out);
    case WR_E_CALL: return bind_call(x, e, out);
    case WR_E_ARRAY: return bind_function_of_list(x, "array", e, out);
    case WR_E_ROW: return bind_function_of_list(x, "row", e, out);
    case WR_E_INDEX: return bind_index(x, e, out);
    case WR_E_FIELD: return bind_field(x, e, out);
    case WR_E_SUBQUERY: case WR_E_EXISTS: case WR_E_IN_QUERY: return wr_bind_subquery(x, e, out);
    case WR_E_QUANTIFIED: return e->select ? wr_bind_subquery(x, e, out) : wr_bind_quantified(x, e, out);
    case WR_E_STAR: case WR_E_DESCRIPTOR: case WR_E_TABLE: case WR_E_NAMED: break;
    }
    return stray(x, e);
}

/* bind_first.c: SELECT DISTINCT ON (a, b) ... ORDER BY a, b, x: the first row of each group.
 *
 *   ->  SELECT ... QUALIFY row_number() OVER (PARTITION BY a, b ORDER BY a, b, x) = 1
 *
 * Rules:  names and positions mean the select list where they name something of it, as in ORDER BY. ORDER BY is required: it says which row. Over input that
 *         does not end the result is kept up to date and not sorted.
 * Memory: new nodes in the jobplan's arena; they borrow from the statement. */
#include "planner/bind.h"

#include <stdio.h>

/* What an item of ON or ORDER BY stands for: a position or an alias of the select list, else itself. */
static const struct wr_ast_expr *meant(const struct wr_ast_select *s, const struct wr_ast_expr *e)
{
    int at = 0;
    for (const struct wr_ast_item *it = s->items; it; it = it->next) {
        char place[16];
        snprintf(place, sizeof place, "%d", ++at);
        if (it->expr->kind == WR_E_STAR)
            return e; /* positions are not known here */
        if (e->kind == WR_E_INT ? wr_str_eq_c(e->text, place) : e->kind == WR_E_NAME && !e->name->next && it->alias && wr_str_eq(it->alias->text, e->name->text))
            return it->expr;
    }
    return e;
}

static struct wr_ast_expr *copy_of(struct binder *b, const struct wr_ast_expr *e)
{
    struct wr_ast_expr *c = WR_NEW(b->a, struct wr_ast_expr);
    *c = *e;
    c->next = NULL;
    return c;
}

static struct wr_ast_over *over_of(struct binder *b, const struct wr_ast_select *s)
{
    struct wr_ast_over *over = WR_NEW(b->a, struct wr_ast_over);
    struct wr_ast_expr **part = &over->partition;
    struct wr_ast_order **order = &over->order;
    over->off = s->distinct_on->off;
    over->end = s->distinct_on->end;
    for (const struct wr_ast_expr *e = s->distinct_on; e; e = e->next, part = &(*part)->next)
        *part = copy_of(b, meant(s, e));
    for (const struct wr_ast_order *o = s->order; o; o = o->next, order = &(*order)->next) {
        *order = WR_NEW(b->a, struct wr_ast_order);
        **order = (struct wr_ast_order){.expr = copy_of(b, meant(s, o->expr)), .desc = o->desc, .nulls = o->nulls};
    }
    return over;
}

wr_status wr_distinct_on(struct binder *b, const struct wr_ast_select *s, struct wr_ast_select *out)
{
    int32_t off = s->distinct_on->off, end = s->distinct_on->end;
    if (!s->order) {
        wr_fail_at(b->err, WR_ESQL, off, "DISTINCT ON needs ORDER BY: it says which row of each group is kept");
        wr_hint(b->err, "SELECT DISTINCT ON (k) ... ORDER BY k, at DESC keeps the newest");
        return WR_ESQL;
    }
    if (s->qualify)
        return wr_bind_refuse(b, s->qualify->off, "QUALIFY beside DISTINCT ON", "put the DISTINCT ON into a subquery");
    struct wr_ast_name *name = WR_NEW(b->a, struct wr_ast_name);
    struct wr_ast_expr *call = WR_NEW(b->a, struct wr_ast_expr), *one = WR_NEW(b->a, struct wr_ast_expr), *eq = WR_NEW(b->a, struct wr_ast_expr);
    *name = (struct wr_ast_name){.text = WR_STR("row_number"), .off = off, .end = end};
    *call = (struct wr_ast_expr){.kind = WR_E_CALL, .off = off, .end = end, .name = name, .over = over_of(b, s)};
    *one = (struct wr_ast_expr){.kind = WR_E_INT, .off = off, .end = end, .text = WR_STR("1")};
    *eq = (struct wr_ast_expr){.kind = WR_E_BINARY, .off = off, .end = end, .text = WR_STR("="), .a = call, .b = one};
    *out = *s;
    out->qualify = eq;
    return WR_OK;
}

/* bind_row.c: comparisons of rows written out, (a, b) = (c, d), (a, b) IN ((1, 2), (3, 4)): spelled anew as comparisons of their members.
 * Rules:  NULLs are then those of the members, as SQL has it: (NULL, 1) = (2, 2) is false, (NULL, 1) = (2, 1) unknown; members of different types are
 *         compared as they are by themselves, and an equality of rows makes keys of a join. */
#include "planner/bind.h"

static struct wr_ast_expr *two(struct binder *b, const char *op, const struct wr_ast_expr *at, struct wr_ast_expr *l, struct wr_ast_expr *r)
{
    struct wr_ast_expr *e = WR_NEW(b->a, struct wr_ast_expr);
    *e = (struct wr_ast_expr){.kind = WR_E_BINARY, .off = at->off, .end = at->end, .text = wr_str_c(op), .a = l, .b = r};
    return e;
}

static struct wr_ast_expr *joined(struct binder *b, const char *op, const struct wr_ast_expr *at, struct wr_ast_expr *so_far, struct wr_ast_expr *more)
{
    return so_far ? two(b, op, at, so_far, more) : more;
}

/* Both are rows of as many members. */
static bool are_rows(const struct wr_ast_expr *l, const struct wr_ast_expr *r)
{
    return l->kind == WR_E_ROW && r->kind == WR_E_ROW && l->args && wr_ast_len(l->args) == wr_ast_len(r->args);
}

/* Each pair by op, linked by word: l.1 op r.1 word l.2 op r.2 ... */
static struct wr_ast_expr *pairs(struct binder *b, const struct wr_ast_expr *at, const char *op, const char *word, const struct wr_ast_expr *l, const struct wr_ast_expr *r)
{
    struct wr_ast_expr *all = NULL, *y = r->args;
    for (struct wr_ast_expr *x = l->args; x; x = x->next, y = y->next)
        all = joined(b, word, at, all, two(b, op, at, x, y));
    return all;
}

/* The first members decide, the others where they are equal: l.1 < r.1 OR l.1 = r.1 AND (...). */
static struct wr_ast_expr *in_order(struct binder *b, const struct wr_ast_expr *at, const char *op, struct wr_ast_expr *l, struct wr_ast_expr *r)
{
    char strict[2] = {op[0], 0};
    if (!l->next)
        return two(b, op, at, l, r);
    struct wr_ast_expr *rest = two(b, "and", at, two(b, "=", at, l, r), in_order(b, at, op, l->next, r->next));
    return two(b, "or", at, two(b, strict[0] == '<' ? "<" : ">", at, l, r), rest);
}

static struct wr_ast_expr *distinct(struct binder *b, const struct wr_ast_expr *e)
{
    struct wr_ast_expr *all = NULL, *y = e->b->args;
    for (struct wr_ast_expr *x = e->a->args; x; x = x->next, y = y->next) {
        struct wr_ast_expr *one = WR_NEW(b->a, struct wr_ast_expr);
        *one = (struct wr_ast_expr){.kind = WR_E_DISTINCT, .off = e->off, .end = e->end, .negated = e->negated, .a = x, .b = y};
        all = joined(b, e->negated ? "and" : "or", e, all, one);
    }
    return all;
}

static struct wr_ast_expr *in_list(struct binder *b, const struct wr_ast_expr *e)
{
    struct wr_ast_expr *any = NULL;
    for (const struct wr_ast_expr *y = e->args; y; y = y->next) {
        if (!are_rows(e->a, y))
            return NULL;
        any = joined(b, "or", e, any, pairs(b, e, "=", "and", e->a, y));
    }
    if (!e->negated)
        return any;
    struct wr_ast_expr *none = WR_NEW(b->a, struct wr_ast_expr);
    *none = (struct wr_ast_expr){.kind = WR_E_UNARY, .off = e->off, .end = e->end, .text = WR_STR("not"), .a = any};
    return none;
}

const struct wr_ast_expr *wr_row_comparison(struct binder *b, const struct wr_ast_expr *e)
{
    if (e->kind == WR_E_IN_LIST && e->a->kind == WR_E_ROW)
        return in_list(b, e);
    if ((e->kind != WR_E_BINARY && e->kind != WR_E_DISTINCT) || !are_rows(e->a, e->b))
        return NULL;
    if (e->kind == WR_E_DISTINCT)
        return distinct(b, e);
    static const char *const ordered[] = {"<", "<=", ">", ">="};
    for (int i = 0; i < 4; i++)
        if (wr_str_eq_c(e->text, ordered[i]))
            return in_order(b, e, ordered[i], e->a->args, e->b->args);
    if (wr_str_eq_c(e->text, "=") || wr_str_eq_c(e->text, "=="))
        return pairs(b, e, "=", "and", e->a, e->b);
    return wr_str_eq_c(e->text, "<>") || wr_str_eq_c(e->text, "!=") ? pairs(b, e, "<>", "or", e->a, e->b) : NULL;
}

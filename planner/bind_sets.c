/* bind_sets.c: GROUPING SETS, ROLLUP, CUBE and GROUPING().
 *
 *   GROUP BY a, ROLLUP (b, c)   ->   sets (a, b, c), (a, b), (a)
 *   Project keys, arguments -> Expand: each row once for each set, keys that are not in it NULL -> Aggregate by the keys and the set
 *
 * Rules:  several items of GROUP BY multiply: each set of one with each set of the other. A set that is written twice gives its rows twice.
 *         A window function in GROUP BY is in every set. Over no rows there are no results, not even of the empty set. */
#include "planner/bind.h"

enum { MAX_SETS = 4096, MAX_SET_KEYS = 40 };

struct sets { int n, cap; uint64_t *set; };

static wr_status add(struct binder *b, struct sets *s, uint64_t keys, int32_t off)
{
    if (s->n >= MAX_SETS)
        return wr_fail_at(b->err, WR_ELIMIT, off, "more than %d grouping sets", MAX_SETS);
    if (s->n == s->cap) {
        struct sets old = *s;
        s->cap = s->cap ? 2 * s->cap : 8;
        s->set = WR_NEW_N(b->a, uint64_t, s->cap);
        if (old.n)
            memcpy(s->set, old.set, sizeof(*old.set) * (size_t)old.n);
    }
    s->set[s->n++] = keys;
    return WR_OK;
}

/* The keys of one element: an expression, or several in parentheses. */
static wr_status element(struct xctx *x, const struct wr_ast_select *s, struct grouping *g, const struct wr_ast_expr *e, uint64_t *keys)
{
    bool had = g->has_win;
    *keys = 0;
    WR_TRY(wr_bind_group_item(x, s, g, e, keys));
    if (g->has_win == had)
        return WR_OK;
    wr_fail_at(x->b->err, WR_ESQL, e->off, "a window cannot be part of a grouping set");
    wr_hint(x->b->err, "write it beside them: GROUP BY window(...), ROLLUP (...)");
    return WR_ESQL;
}

static wr_status rollup(struct xctx *x, const struct wr_ast_select *s, struct grouping *g, const struct wr_ast_group *item, struct sets *out)
{
    struct binder *b = x->b;
    int n = wr_ast_len(item->args), i = 0;
    uint64_t *part = WR_NEW_N(b->a, uint64_t, n + 1), all = 0;
    for (const struct wr_ast_expr *e = item->args; e; e = e->next) {
        WR_TRY(element(x, s, g, e, &part[i]));
        all |= part[i++];
    }
    for (; i >= 0; i--) {
        all = 0;
        for (int k = 0; k < i; k++)
            all |= part[k];
        WR_TRY(add(b, out, all, item->off));
    }
    return WR_OK;
}

static wr_status cube(struct xctx *x, const struct wr_ast_select *s, struct grouping *g, const struct wr_ast_group *item, struct sets *out)
{
    struct binder *b = x->b;
    int n = wr_ast_len(item->args), i = 0;
    uint64_t *part = WR_NEW_N(b->a, uint64_t, n + 1);
    if (n > 12) {
        wr_fail_at(b->err, WR_ELIMIT, item->off, "CUBE over more than 12 elements");
        wr_hint(b->err, "name the sets that are needed: GROUPING SETS (...)");
        return WR_ELIMIT;
    }
    for (const struct wr_ast_expr *e = item->args; e; e = e->next)
        WR_TRY(element(x, s, g, e, &part[i++]));
    for (int m = (1 << n) - 1; m >= 0; m--) {
        uint64_t all = 0;
        for (int k = 0; k < n; k++)
            all |= m >> (n - 1 - k) & 1 ? part[k] : 0;
        WR_TRY(add(b, out, all, item->off));
    }
    return WR_OK;
}

/* The sets one item stands for. */
static wr_status sets_of(struct xctx *x, const struct wr_ast_select *s, struct grouping *g, const struct wr_ast_group *item, struct sets *out)
{
    uint64_t keys = 0;
    switch (item->kind) {
    case WR_G_EXPR:
        WR_TRY(element(x, s, g, item->expr, &keys));
        return add(x->b, out, keys, item->off);
    case WR_G_ROLLUP: return rollup(x, s, g, item, out);
    case WR_G_CUBE: return cube(x, s, g, item, out);
    case WR_G_SETS:
        for (const struct wr_ast_group *m = item->sets; m; m = m->next)
            WR_TRY(sets_of(x, s, g, m, out));
        return WR_OK;
    }
    return WR_OK;
}

wr_status wr_bind_sets(struct xctx *x, const struct wr_ast_select *s, struct grouping *g)
{
    struct binder *b = x->b;
    struct sets all = {0};
    bool any = false;
    WR_TRY(add(b, &all, 0, -1));
    for (const struct wr_ast_group *item = s->group; item; item = item->next) {
        struct sets own = {0}, product = {0};
        uint64_t keys = 0;
        any |= item->kind != WR_G_EXPR;
        if (item->kind == WR_G_EXPR) {
            WR_TRY(wr_bind_group_item(x, s, g, item->expr, &keys));
            WR_TRY(add(b, &own, keys, item->off));
        } else {
            WR_TRY(sets_of(x, s, g, item, &own));
        }
        for (int i = 0; i < all.n; i++)
            for (int k = 0; k < own.n; k++)
                WR_TRY(add(b, &product, all.set[i] | own.set[k], item->off));
        all = product;
    }
    if (!any)
        return WR_OK;
    if (g->n_key > MAX_SET_KEYS)
        return wr_fail_at(b->err, WR_ELIMIT, s->group->off, "more than %d columns in grouping sets", MAX_SET_KEYS);
    g->n_set = all.n;
    g->set = all.set;
    return WR_OK;
}

/* ---- keys that come and go ---- */

void wr_sets_drop_key(struct grouping *g, int k)
{
    uint64_t below = (UINT64_C(1) << k) - 1;
    for (int i = 0; i < g->n_set; i++)
        g->set[i] = (g->set[i] & below) | (g->set[i] >> 1 & ~below);
}

void wr_sets_add_key(struct grouping *g, int k)
{
    for (int i = 0; i < g->n_set; i++)
        g->set[i] |= UINT64_C(1) << k;
}

wr_status wr_sets_check(struct binder *b, const struct grouping *g)
{
    for (int i = 0; i < g->n_set; i++) {
        int key[2] = {g->start_key, g->end_key};
        for (int k = 0; k < 2; k++) {
            if (key[k] < 0 || (g->set[i] >> key[k] & 1))
                continue;
            wr_fail_at(b->err, WR_ESQL, g->key[key[k]]->off, "the bounds of a window must be in every grouping set");
            wr_hint(b->err, "write them beside the sets: GROUP BY window_start, window_end, ROLLUP (...)");
            return WR_ESQL;
        }
    }
    return WR_OK;
}

/* ---- building ---- */

struct wr_plan *wr_sets_expand(struct binder *b, const struct grouping *g, struct wr_plan *in)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_EXPAND, in);
    int *key = WR_NEW_N(b->a, int, g->n_key + 1);
    int64_t *set = WR_NEW_N(b->a, int64_t, g->n_set + 1);
    uint64_t every = (UINT64_C(1) << g->n_key) - 1;
    for (int k = 0; k < g->n_key; k++)
        key[k] = k;
    for (int i = 0; i < g->n_set; i++) {
        int64_t again = 0; /* equal sets before it */
        for (int k = 0; k < i; k++)
            again += g->set[k] == g->set[i];
        set[i] = (int64_t)(~g->set[i] & every) | again << g->n_key;
    }
    p->u.expand = (struct wr_plan_expand){.n_key = g->n_key, .key = key, .n_set = g->n_set, .set = set};
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

/* ---- GROUPING() ---- */

bool wr_is_grouping(struct wr_str name) { return wr_str_ieq_c(name, "grouping") || wr_str_ieq_c(name, "grouping_id"); }

static wr_status int_call(struct binder *b, const char *op, struct wr_expr *x, int64_t n, int32_t off, struct wr_expr **out)
{
    struct wr_expr *arg[2] = {x, wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(BIGINT), .as.i = n}, off)};
    return wr_bind_fn(b, op, arg, 2, off, out);
}

/* 1 where the key is not in the row's set. */
static wr_status bit_of_key(struct binder *b, int key, int32_t off, struct wr_expr **out)
{
    *out = wr_expr_col(b->a, COL_SET, WR_TYPE_OF(BIGINT), false, off);
    WR_TRY(int_call(b, "/", *out, INT64_C(1) << key, off, out));
    return int_call(b, "%", *out, 2, off, out);
}

wr_status wr_bind_grouping(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct grouping *g = x->group;
    if (!g || x->in_agg)
        return wr_fail_at(b->err, WR_ESQL, e->off, "GROUPING is not allowed in %s", x->clause);
    int n = wr_ast_len(e->args);
    if (n < 1 || n > MAX_SET_KEYS)
        return wr_fail_at(b->err, WR_ESQL, e->off, "GROUPING takes 1 to %d GROUP BY expressions", MAX_SET_KEYS);
    *out = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(BIGINT)}, e->off);
    for (const struct wr_ast_expr *a = e->args; a; a = a->next) {
        struct wr_expr *key, *bit, *sum[2];
        int k = 0;
        x->group = NULL;
        wr_status st = wr_bind_expr(x, a, &key);
        x->group = g;
        WR_TRY(st);
        while (k < g->n_key && !wr_expr_eq(g->key[k], key))
            k++;
        if (k == g->n_key)
            return wr_fail_at(b->err, WR_ESQL, a->off, "the arguments of GROUPING must be GROUP BY expressions");
        if (g->n_set <= 1)
            continue;
        WR_TRY(bit_of_key(b, k, a->off, &bit));
        WR_TRY(int_call(b, "*", *out, 2, e->off, &sum[0]));
        sum[1] = bit;
        WR_TRY(wr_bind_fn(b, "+", sum, 2, e->off, out));
    }
    return WR_OK;
}

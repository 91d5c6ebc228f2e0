/* bind_join.c: joins in FROM: the conditions of ON, USING and WHERE sorted to where they belong.
 *
 *   FROM            a JOIN node for each join, with ON's conditions
 *   WHERE           each conjunct goes as far down as its meaning allows: into a join's condition, or below a join, or it stays a filter above
 *   then settled    how it frees what it keeps: bind_join_free.c
 *
 * Rules:  a comma is a join like any other, so it does not matter whether a condition stands in ON or in WHERE. A join is not settled before WHERE was
 *         read, and is not changed afterwards. What would compare every row with every row for ever is refused.
 *         The conditions of an outer join's ON that look at the kept side only do not filter it: they decide which of its rows may match. */
#include "planner/bind.h"

#include <stdlib.h>

/* ---- conjuncts ---- */

void wr_conj_add(struct binder *b, struct conj *c, struct wr_expr *x)
{
    if (x->kind == WR_X_AND) {
        for (int i = 0; i < x->u.call.n; i++)
            wr_conj_add(b, c, x->u.call.arg[i]);
        return;
    }
    if (c->n == c->cap) {
        struct wr_expr **old = c->x;
        c->cap = c->cap ? 2 * c->cap : 8;
        c->x = WR_NEW_N(b->a, struct wr_expr *, c->cap);
        if (c->n)
            memcpy(c->x, old, sizeof(*old) * (size_t)c->n);
    }
    c->x[c->n++] = x;
}

/* The conjuncts as one expression; NULL: there are none. */
struct wr_expr *wr_conj_all(struct binder *b, const struct conj *c)
{
    if (c->n <= 1)
        return c->n ? c->x[0] : NULL;
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = (struct wr_expr){.kind = WR_X_AND, .type = WR_TYPE_OF(BOOL), .off = c->x[0]->off};
    y->u.call.n = c->n;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, c->n);
    for (int i = 0; i < c->n; i++) {
        y->u.call.arg[i] = c->x[i];
        y->nullable |= c->x[i]->nullable;
    }
    return y;
}

static void add_to(struct binder *b, const struct wr_expr **cond, struct wr_expr *x)
{
    struct conj c = {0};
    if (*cond)
        wr_conj_add(b, &c, wr_expr_copy(b->a, *cond));
    wr_conj_add(b, &c, x);
    *cond = wr_conj_all(b, &c);
}

struct sides { int n_left, mask; };
static void see_side(void *ctx, int col)
{
    struct sides *s = ctx;
    s->mask |= col < s->n_left ? 1 : 2;
}

/* Which inputs x looks at: bit 0 left, bit 1 right. */
static int sides_of(const struct wr_expr *x, int n_left)
{
    struct sides s = {n_left, 0};
    wr_expr_columns(x, see_side, &s);
    return s.mask;
}

static bool is_volatile(const struct wr_expr *x)
{
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return false;
    if (x->kind == WR_X_CALL && (x->u.call.fn->flags & WR_F_VOLATILE))
        return true;
    for (int i = 0; i < x->u.call.n; i++)
        if (is_volatile(x->u.call.arg[i]))
            return true;
    return false;
}

/* x over both inputs' columns -> over the columns of one. */
static struct wr_expr *to_side(struct binder *b, const struct wr_plan *p, int side, const struct wr_expr *x)
{
    int n_left = p->in[0]->out->n, n = n_left + p->in[1]->out->n, *map = WR_NEW_N(b->a, int, n + 1);
    for (int i = 0; i < n; i++)
        map[i] = side ? i - n_left : i < n_left ? i : -1;
    return wr_expr_remap(b->a, x, map);
}

/* ---- keys ---- */

static int *longer(struct binder *b, const int *v, int n, int x)
{
    int *w = WR_NEW_N(b->a, int, n + 1);
    if (n)
        memcpy(w, v, sizeof(int) * (size_t)n);
    w[n] = x;
    return w;
}

/* The input's columns and x behind them. */
int wr_join_append(struct binder *b, struct wr_plan *p, int side, struct wr_expr *x)
{
    struct wr_plan *in = p->in[side];
    int n = in->out->n, n_left = p->in[0]->out->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, in->out, i, -1);
        name[i] = in->out->field[i].name;
    }
    struct wr_buf text = WR_BUF_INIT(4096);
    wr_expr_print(&text, x, in->out);
    expr[n] = x;
    name[n] = wr_arena_str(b->a, wr_buf_get(&text));
    wr_buf_clear(&text);
    p->in[side] = wr_bind_made(b, wr_node_project(b->a, in, n + 1, expr, name));
    if (side == 1)
        return n;
    /* the right columns have moved */
    struct wr_plan_join *j = &p->u.join;
    int total = n_left + p->in[1]->out->n, *map = WR_NEW_N(b->a, int, total + 1), *col = WR_NEW_N(b->a, int, j->n_col + 1);
    for (int i = 0; i < total; i++)
        map[i] = i < n_left ? i : i + 1;
    for (int i = 0; i < j->n_col; i++)
        col[i] = map[j->col[i]];
    j->col = col;
    if (j->cond)
        j->cond = wr_expr_remap(b->a, j->cond, map);
    return n;
}

static int column_for(struct binder *b, struct wr_plan *p, int side, struct wr_expr *x)
{
    return x->kind == WR_X_COL ? x->u.col : wr_join_append(b, p, side, x);
}

/* left = right, or left IS NOT DISTINCT FROM right: a key. */
static bool take_key(struct binder *b, struct wr_plan *p, struct wr_expr *x)
{
    struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n;
    if (x->kind != WR_X_CALL || x->u.call.n != 2)
        return false;
    bool safe = strcmp(x->u.call.fn->name, "is_not_distinct") == 0;
    if (!safe && strcmp(x->u.call.fn->name, "=") != 0)
        return false;
    struct wr_expr *arg[2] = {x->u.call.arg[0], x->u.call.arg[1]};
    if (sides_of(arg[0], n_left) == 2) {
        arg[0] = x->u.call.arg[1];
        arg[1] = x->u.call.arg[0];
    }
    if (sides_of(arg[0], n_left) != 1 || sides_of(arg[1], n_left) != 2 || !wr_type_eq(arg[0]->type, arg[1]->type) || is_volatile(x))
        return false;
    struct wr_expr *own[2] = {to_side(b, p, 0, arg[0]), to_side(b, p, 1, arg[1])};
    int col[2];
    for (int s = 0; s < 2; s++)
        col[s] = column_for(b, p, s, own[s]);
    bool *null_safe = WR_NEW_N(b->a, bool, j->n_key + 1);
    if (j->n_key)
        memcpy(null_safe, j->null_safe, sizeof(bool) * (size_t)j->n_key);
    j->null_safe = null_safe;
    for (int i = 0; i < j->n_key; i++)
        if (j->key[0][i] == col[0] && j->key[1][i] == col[1]) {
            null_safe[i] &= safe; /* a = b says more than a IS NOT DISTINCT FROM b */
            return true;
        }
    null_safe[j->n_key] = safe;
    for (int s = 0; s < 2; s++)
        j->key[s] = longer(b, j->key[s], j->n_key, col[s]);
    j->n_key++;
    return true;
}

/* ---- where a condition goes ---- */

static bool join_take(struct binder *b, struct wr_plan *p, struct wr_expr *x, bool where);

struct plain { const struct wr_plan *project; bool all; };
static void see_plain(void *ctx, int col)
{
    struct plain *p = ctx;
    p->all &= p->project->u.project.expr[col]->kind == WR_X_COL;
}

/* x over a projection -> over its input; NULL: it looks at something computed there. */
static struct wr_expr *through_columns(struct binder *b, const struct wr_plan *project, const struct wr_expr *x)
{
    struct plain see = {project, true};
    wr_expr_columns(x, see_plain, &see);
    if (!see.all)
        return NULL;
    int *map = WR_NEW_N(b->a, int, project->u.project.n + 1);
    for (int i = 0; i < project->u.project.n; i++)
        map[i] = project->u.project.expr[i]->kind == WR_X_COL ? project->u.project.expr[i]->u.col : -1;
    return wr_expr_remap(b->a, x, map);
}

/* x over p's output: as far down as it can go. */
static void push(struct binder *b, struct wr_plan **p, struct wr_expr *x)
{
    struct wr_plan *q = *p;
    if (q->kind == WR_PLAN_JOIN && !q->u.join.settled && join_take(b, q, wr_expr_remap(b->a, x, q->u.join.col), true))
        return;
    if (q->kind == WR_PLAN_PROJECT && q->in[0]->kind == WR_PLAN_JOIN && !q->in[0]->u.join.settled) {
        struct wr_expr *low = through_columns(b, q, x); /* the projection was made for a computed key */
        if (low) {
            push(b, &q->in[0], low);
            wr_node_props(b->a, q);
            return;
        }
    }
    *p = wr_bind_made(b, wr_node_filter(b->a, q, x));
}

/* x over both inputs of join p; where: it stands above the join, not in its ON. false: it has to stay above. */
static bool join_take(struct binder *b, struct wr_plan *p, struct wr_expr *x, bool where)
{
    struct wr_plan_join *j = &p->u.join;
    int mask = sides_of(x, p->in[0]->out->n), side = mask == 2;
    bool inner = j->kind == WR_J_INNER || j->kind == WR_J_SEMI, kept = wr_join_shows(j->kind, side);
    if (is_volatile(x)) {
        if (where && !inner)
            return false;
        add_to(b, &j->cond, x);
        return true;
    }
    if (mask == 3 || (mask == 2 && j->as_of)) { /* which version is the latest does not depend on what is asked of it */
        if (where && !inner)
            return false;
        if (!take_key(b, p, x))
            add_to(b, &j->cond, x);
    } else if (where && !inner && (!kept || j->kind == WR_J_FULL)) {
        return false;
    } else if (!where && kept) {
        add_to(b, &j->only[side], to_side(b, p, side, x));
    } else {
        push(b, &p->in[side], to_side(b, p, side, x));
    }
    wr_node_props(b->a, p);
    return true;
}

void wr_join_add(struct binder *b, struct wr_plan *p, struct wr_expr *cond, int n_left)
{
    struct conj c = {0};
    wr_conj_add(b, &c, cond);
    for (int i = 0; i < c.n; i++) {
        /* computed keys stand behind the left columns: those of the right have moved */
        int grown = p->in[0]->out->n - n_left, n = n_left + p->in[1]->out->n, *map = WR_NEW_N(b->a, int, n + 1);
        for (int k = 0; k < n; k++)
            map[k] = k < n_left ? k : k + grown;
        (void)join_take(b, p, wr_expr_remap(b->a, c.x[i], map), false);
    }
    wr_node_props(b->a, p);
}

struct highest { int n; bool fits; };
static void see_highest(void *ctx, int col)
{
    struct highest *h = ctx;
    h->fits &= col < h->n;
}

/* WHERE over rows made by UNNEST: what does not look at these goes to the joins below. x over the columns of *p. */
static void where_below(struct binder *b, struct wr_plan **p, struct wr_expr *x)
{
    struct wr_plan *q = *p;
    struct highest h = {q->n_in ? q->in[0]->out->n : 0, true};
    wr_expr_columns(x, see_highest, &h);
    bool through = q->kind == WR_PLAN_UNNEST || (q->kind == WR_PLAN_FILTER && q->in[0]->kind == WR_PLAN_UNNEST);
    if (through && h.fits && !is_volatile(x)) {
        where_below(b, &q->in[0], x);
        wr_node_props(b->a, q);
        return;
    }
    push(b, p, x);
}

void wr_join_where(struct binder *b, struct rel *from, struct wr_expr *pred)
{
    struct wr_plan *top = from->plan;
    if (top->kind == WR_PLAN_UNNEST || (top->kind == WR_PLAN_FILTER && top->in[0]->kind == WR_PLAN_UNNEST)) {
        struct conj each = {0};
        wr_conj_add(b, &each, pred);
        for (int i = 0; i < each.n; i++)
            where_below(b, &from->plan, each.x[i]);
        return;
    }
    if (from->plan->kind != WR_PLAN_JOIN || from->plan->u.join.settled) {
        from->plan = wr_bind_made(b, wr_node_filter(b->a, from->plan, pred));
        return;
    }
    struct conj c = {0}, rest = {0};
    wr_conj_add(b, &c, pred);
    for (int i = 0; i < c.n; i++)
        if (!join_take(b, from->plan, wr_expr_remap(b->a, c.x[i], from->plan->u.join.col), true))
            wr_conj_add(b, &rest, c.x[i]);
    if (rest.n)
        from->plan = wr_bind_made(b, wr_node_filter(b->a, from->plan, wr_conj_all(b, &rest)));
}

/* ---- FROM ---- */

static enum wr_jkind kind_of(enum wr_ast_join k)
{
    switch (k) {
    case WR_JOIN_INNER:
    case WR_JOIN_CROSS: return WR_J_INNER;
    case WR_JOIN_LEFT: return WR_J_LEFT;
    case WR_JOIN_RIGHT: return WR_J_RIGHT;
    case WR_JOIN_FULL: return WR_J_FULL;
    }
    return WR_J_INNER;
}

struct wr_plan *wr_join_node(struct binder *b, enum wr_jkind kind, struct wr_plan *left, struct wr_plan *right, int32_t off)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_JOIN, NULL);
    struct wr_plan_join *j = &p->u.join;
    p->n_in = 2;
    p->in = WR_NEW_N(b->a, struct wr_plan *, 2);
    p->in[0] = left;
    p->in[1] = right;
    int n = left->out->n + (kind == WR_J_SEMI || kind == WR_J_ANTI ? 0 : right->out->n), *col = WR_NEW_N(b->a, int, n + 1);
    for (int i = 0; i < n; i++)
        col[i] = i;
    *j = (struct wr_plan_join){.kind = kind, .n_col = n, .col = col, .off = off, .time_side = -1};
    j->key[0] = j->key[1] = WR_NEW(b->a, int);
    j->null_safe = WR_NEW(b->a, bool);
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

static wr_status same_name(struct binder *b, const struct rel *l, const struct rel *r, int32_t off)
{
    struct wr_str last = {0};
    for (int k = 0; k < r->n; k++) {
        struct wr_str q = r->col[k].qual;
        if (q.n == 0 || wr_str_eq(q, last))
            continue;
        last = q;
        for (int i = 0; i < l->n; i++) {
            if (!wr_str_eq(l->col[i].qual, q))
                continue;
            wr_fail_at(b->err, WR_ESQL, off, "table \"%.*s\" is named twice in FROM", WR_FMT(q));
            wr_hint(b->err, "give each an alias: %.*s AS a JOIN %.*s AS b", WR_FMT(q), WR_FMT(q));
            return WR_ESQL;
        }
    }
    return WR_OK;
}

/* Columns merged by USING or NATURAL: left and right column of each. */
struct merged { int n, *l, *r; };

static wr_status using_columns(struct binder *b, const struct wr_ast_table *t, const struct rel *l, const struct rel *r, struct merged *m)
{
    m->l = WR_NEW_N(b->a, int, l->n + 1);
    m->r = WR_NEW_N(b->a, int, l->n + 1);
    for (const struct wr_ast_name *n = t->using_cols; n; n = n->next) {
        int i = wr_rel_find(b, l, (struct wr_str){0}, n->text, n->off, true), k = i < 0 ? -1 : wr_rel_find(b, r, (struct wr_str){0}, n->text, n->off, true);
        if (i < 0 || k < 0)
            return WR_ESQL;
        for (int d = 0; d < m->n; d++)
            if (m->l[d] == i)
                return wr_fail_at(b->err, WR_ESQL, n->off, "column \"%.*s\" is named twice in USING", WR_FMT(n->text));
        m->l[m->n] = i;
        m->r[m->n++] = k;
    }
    for (int i = 0; t->natural && i < l->n; i++) {
        if (l->col[i].hidden || l->col[i].name.n == 0)
            continue;
        int k = wr_rel_find(b, r, (struct wr_str){0}, l->col[i].name, t->off, false);
        if (k == -2)
            return WR_ESQL;
        if (k < 0)
            continue;
        if (wr_rel_find(b, l, (struct wr_str){0}, l->col[i].name, t->off, false) < 0)
            return WR_ESQL;
        m->l[m->n] = i;
        m->r[m->n++] = k;
    }
    if (t->natural && m->n == 0)
        return wr_fail_at(b->err, WR_ESQL, t->off, "NATURAL JOIN of tables that have no column name in common");
    return WR_OK;
}

static wr_status using_conditions(struct binder *b, struct wr_plan *p, const struct merged *m, const struct rel *l)
{
    int n_left = l->plan->out->n;
    for (int i = 0; i < m->n; i++) {
        struct wr_expr *arg[2] = {wr_col_of(b->a, p->in[0]->out, m->l[i], p->u.join.off), wr_col_of(b->a, p->in[1]->out, m->r[i], p->u.join.off)}, *eq;
        arg[1] = wr_expr_col(b->a, n_left + m->r[i], arg[1]->type, arg[1]->nullable, arg[1]->off);
        WR_TRY(wr_bind_fn(b, "=", arg, 2, p->u.join.off, &eq));
        wr_join_add(b, p, eq, n_left);
    }
    return WR_OK;
}

static bool among(const int *v, int n, int x)
{
    for (int i = 0; i < n; i++)
        if (v[i] == x)
            return true;
    return false;
}

/* Merged columns first, once; the other side's stay readable by their table's name. */
static wr_status merge_columns(struct binder *b, struct rel *r, int n_left, const struct merged *m)
{
    struct wr_plan_join *j = &r->plan->u.join;
    int *col = WR_NEW_N(b->a, int, j->n_col + 1), k = 0;
    struct relcol *name = WR_NEW_N(b->a, struct relcol, j->n_col + m->n + 1);
    bool right = j->kind == WR_J_RIGHT, full = j->kind == WR_J_FULL;
    int *from = WR_NEW_N(b->a, int, j->n_col + 1);
    for (int pass = 0; pass < 3; pass++) /* the merged, the others, the hidden */
        for (int i = 0; i < (pass ? r->n : m->n); i++) {
            int c = pass ? i : right ? n_left + m->r[i] : m->l[i];
            bool of_left = among(m->l, m->n, c), of_right = c >= n_left && among(m->r, m->n, c - n_left), main = right ? of_right : of_left;
            if (pass == 1 ? of_left || of_right : pass == 2 ? !(main ? false : of_left || of_right) : false)
                continue;
            from[k] = c;
            name[k] = r->col[c];
            name[k].hidden |= pass == 2 || full;
            if (full && pass == 1 && !r->col[c].hidden)
                name[k].hidden = false;
            col[k++] = j->col[c];
        }
    WR_ASSERT(k == j->n_col);
    j->col = col;
    r->col = name;
    wr_node_props(b->a, r->plan);
    if (!full)
        return WR_OK;
    /* FULL: whichever side has it */
    int n = m->n + j->n_col;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *out = WR_NEW_N(b->a, struct wr_str, n + 1);
    struct relcol *all = WR_NEW_N(b->a, struct relcol, n + 1);
    for (int i = 0; i < j->n_col; i++) {
        expr[m->n + i] = wr_col_of(b->a, r->plan->out, i, -1);
        out[m->n + i] = r->plan->out->field[i].name;
        all[m->n + i] = name[i];
    }
    for (int i = 0; i < m->n; i++) {
        struct wr_expr *arg[2] = {wr_expr_copy(b->a, expr[m->n + i]), NULL};
        for (int d = 0; d < j->n_col; d++)
            if (from[d] == n_left + m->r[i])
                arg[1] = wr_expr_copy(b->a, expr[m->n + d]);
        struct wr_type type;
        WR_TRY(wr_expr_unify(b->a, arg, 2, "USING", &type, b->err));
        expr[i] = WR_NEW(b->a, struct wr_expr);
        *expr[i] = (struct wr_expr){.kind = WR_X_COALESCE, .type = type, .nullable = true, .off = -1};
        expr[i]->u.call.n = 2;
        expr[i]->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 2);
        memcpy(expr[i]->u.call.arg, arg, sizeof arg);
        out[i] = name[i].name;
        all[i] = (struct relcol){.name = name[i].name};
    }
    r->plan = wr_bind_made(b, wr_node_project(b->a, r->plan, n, expr, out));
    r->col = all;
    r->n = n;
    return WR_OK;
}

wr_status wr_bind_join(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    struct rel l, r;
    struct merged m = {0};
    WR_TRY(wr_bind_from(b, t->left, env, &l));
    if (wr_is_unnest(t->right))
        return wr_bind_unnest(b, t->right, t, env, &l, out);
    if (t->right->lateral && t->right->kind == WR_F_SELECT)
        return wr_bind_lateral(b, t, env, &l, out);
    bool outside = false;
    WR_TRY(wr_bind_lookup(b, t, env, &l, out, &outside));
    if (outside)
        return WR_OK;
    if (t->right->as_of)
        WR_TRY(wr_bind_versions(b, t->right, env, &r));
    else
        WR_TRY(wr_bind_from(b, t->right, env, &r));
    WR_TRY(same_name(b, &l, &r, t->right->off));
    WR_TRY(using_columns(b, t, &l, &r, &m));
    struct wr_plan *p = wr_join_node(b, kind_of(t->join), l.plan, r.plan, t->right->off);
    if (t->right->as_of)
        WR_TRY(wr_bind_as_of(b, t, env, &l, &r, p));
    *out = (struct rel){.plan = p, .n = l.n + r.n, .col = WR_NEW_N(b->a, struct relcol, l.n + r.n + 1)};
    WR_ASSERT(l.n == l.plan->out->n && r.n == r.plan->out->n);
    memcpy(out->col, l.col, sizeof(*l.col) * (size_t)l.n);
    if (r.n)
        memcpy(out->col + l.n, r.col, sizeof(*r.col) * (size_t)r.n);
    if (t->on && wr_ast_has_sub(t->on))
        return wr_join_on_subs(b, t, env, &l, &r, out);
    if (t->on) {
        struct xctx x = {.b = b, .rel = out, .clause = "ON", .env = env};
        struct wr_expr *on;
        WR_TRY(wr_bind_bool(&x, t->on, &on));
        wr_join_add(b, p, on, l.n);
    }
    WR_TRY(using_conditions(b, p, &m, &l));
    return m.n ? merge_columns(b, out, l.n, &m) : WR_OK;
}

/* rewrite.c: rules that make a tree cheaper without changing its result. Each rule is one function; `rules` lists them.
 * Rules:  a rule looks at one node over inputs that are done; it returns the node to stand there, the same one if it has nothing to do.
 *         Rules run before anything is shared, so they may change nodes in place (but never a SCAN or a SIDE).
 *         A filter never moves below a watermark, a late filter or an aggregate: event time and counts are those of all rows.
 *         An expression that gives another value each time (random()) is neither copied nor moved.
 * Memory: the job's arena. */
#include "planner/internal.h"

typedef struct wr_plan *(*rule)(struct wr_arena *a, struct wr_plan *p);

/* ---- expressions in terms of what is below ---- */

/* x over a projection's output -> over its input. */
static struct wr_expr *through(struct wr_arena *a, const struct wr_expr *x, struct wr_expr *const *below)
{
    if (x->kind == WR_X_COL) {
        struct wr_expr *y = WR_NEW(a, struct wr_expr);
        *y = *below[x->u.col];
        return y;
    }
    struct wr_expr *y = WR_NEW(a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = through(a, x->u.call.arg[i], below);
    return y;
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

static bool is_plain(const struct wr_expr *x)
{
    return x->kind == WR_X_COL || x->kind == WR_X_CONST;
}

struct uses { int *of; };
static void count_use(void *ctx, int col)
{
    ((struct uses *)ctx)->of[col]++;
}

/* ---- constant folding ---- */

static struct wr_plan *fold(struct wr_arena *a, struct wr_plan *p)
{
    if (p->kind == WR_PLAN_FILTER) {
        struct wr_expr *copy = wr_expr_copy(a, p->u.filter.pred);
        p->u.filter.pred = wr_expr_fold(a, copy);
    } else if (p->kind == WR_PLAN_PROJECT) {
        for (int i = 0; i < p->u.project.n; i++)
            p->u.project.expr[i] = wr_expr_fold(a, p->u.project.expr[i]);
    } else if (p->kind == WR_PLAN_JOIN) {
        const struct wr_expr **x[3] = {&p->u.join.cond, &p->u.join.only[0], &p->u.join.only[1]};
        for (int i = 0; i < 3; i++)
            if (*x[i])
                *x[i] = wr_expr_fold(a, wr_expr_copy(a, *x[i]));
    }
    return p;
}

/* A source whose event time nobody asked for. */
static struct wr_plan *drop_watermark(struct wr_arena *a WR_UNUSED, struct wr_plan *p)
{
    return p->kind == WR_PLAN_WATERMARK && p->u.watermark.time_col < 0 ? p->in[0] : p;
}

/* WHERE TRUE */
static struct wr_plan *drop_true(struct wr_arena *a WR_UNUSED, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_FILTER)
        return p;
    const struct wr_expr *x = p->u.filter.pred;
    bool yes = x->kind == WR_X_CONST && !x->u.val.null && x->type.id == WR_T_BOOL && x->u.val.as.b;
    return yes ? p->in[0] : p;
}

/* ---- filters ---- */

static struct wr_plan *merge_filters(struct wr_arena *a, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_FILTER || p->in[0]->kind != WR_PLAN_FILTER)
        return p;
    const struct wr_plan *low = p->in[0];
    struct wr_expr *both = WR_NEW(a, struct wr_expr);
    *both = (struct wr_expr){.kind = WR_X_AND, .type = WR_TYPE_OF(BOOL), .nullable = true, .off = p->u.filter.pred->off};
    const struct wr_expr *part[2] = {low->u.filter.pred, p->u.filter.pred};
    both->u.call.arg = WR_NEW_N(a, struct wr_expr *, 32);
    for (int i = 0; i < 2; i++) {
        bool flat = part[i]->kind == WR_X_AND && part[i]->u.call.n <= 15;
        for (int k = 0; flat && k < part[i]->u.call.n; k++)
            both->u.call.arg[both->u.call.n++] = wr_expr_copy(a, part[i]->u.call.arg[k]);
        if (!flat)
            both->u.call.arg[both->u.call.n++] = wr_expr_copy(a, part[i]);
    }
    return wr_node_filter(a, low->in[0], both);
}

/* Filter over projection -> projection over filter, if that computes nothing twice that costs or varies. */
static struct wr_plan *filter_below_project(struct wr_arena *a, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_FILTER || p->in[0]->kind != WR_PLAN_PROJECT)
        return p;
    struct wr_plan *low = p->in[0];
    struct wr_arena tmp = {0};
    struct uses u = {WR_NEW_N(&tmp, int, low->u.project.n + 1)};
    wr_expr_columns(p->u.filter.pred, count_use, &u);
    bool fine = true;
    for (int i = 0; i < low->u.project.n; i++)
        if (u.of[i] && (!is_plain(low->u.project.expr[i]) || is_volatile(low->u.project.expr[i])))
            fine = false;
    wr_arena_clear(&tmp);
    if (!fine)
        return p;
    struct wr_expr *pred = wr_expr_fold(a, through(a, p->u.filter.pred, low->u.project.expr));
    low->in[0] = wr_node_filter(a, low->in[0], pred);
    wr_node_props(a, low);
    return low;
}

static struct wr_plan *filter_below_union(struct wr_arena *a, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_FILTER || p->in[0]->kind != WR_PLAN_UNION || is_volatile(p->u.filter.pred))
        return p;
    struct wr_plan *u = p->in[0];
    for (int i = 0; i < u->n_in; i++)
        u->in[i] = wr_node_filter(a, u->in[i], wr_expr_copy(a, p->u.filter.pred));
    return u;
}

/* A filter that does not look at the window goes below its assignment. */
static struct wr_plan *filter_below_window(struct wr_arena *a, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_FILTER || p->in[0]->kind != WR_PLAN_WINDOW)
        return p;
    struct wr_plan *w = p->in[0];
    struct wr_arena tmp = {0};
    struct uses u = {WR_NEW_N(&tmp, int, w->out->n + 1)};
    wr_expr_columns(p->u.filter.pred, count_use, &u);
    int n = w->in[0]->out->n;
    bool looks = u.of[n] || u.of[n + 1] || u.of[n + 2];
    wr_arena_clear(&tmp);
    if (looks || is_volatile(p->u.filter.pred))
        return p;
    w->in[0] = wr_node_filter(a, w->in[0], p->u.filter.pred);
    wr_node_props(a, w);
    return w;
}

/* ---- projections ---- */

static struct wr_plan *merge_projects(struct wr_arena *a, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_PROJECT || p->in[0]->kind != WR_PLAN_PROJECT)
        return p;
    struct wr_plan *low = p->in[0];
    struct wr_arena tmp = {0};
    struct uses u = {WR_NEW_N(&tmp, int, low->u.project.n + 1)};
    for (int i = 0; i < p->u.project.n; i++)
        wr_expr_columns(p->u.project.expr[i], count_use, &u);
    bool fine = true;
    for (int i = 0; i < low->u.project.n; i++)
        if (!is_plain(low->u.project.expr[i]) && u.of[i] > 1)
            fine = false;
    wr_arena_clear(&tmp);
    if (!fine)
        return p;
    struct wr_expr **expr = WR_NEW_N(a, struct wr_expr *, p->u.project.n + 1);
    struct wr_str *name = WR_NEW_N(a, struct wr_str, p->u.project.n + 1);
    for (int i = 0; i < p->u.project.n; i++) {
        expr[i] = through(a, p->u.project.expr[i], low->u.project.expr);
        name[i] = p->out->field[i].name;
    }
    return wr_node_project(a, low->in[0], p->u.project.n, expr, name);
}

/* A projection that gives back its input, names and all. */
static struct wr_plan *drop_identity(struct wr_arena *a WR_UNUSED, struct wr_plan *p)
{
    if (p->kind != WR_PLAN_PROJECT || p->u.project.n != p->in[0]->out->n)
        return p;
    for (int i = 0; i < p->u.project.n; i++) {
        const struct wr_expr *x = p->u.project.expr[i];
        if (x->kind != WR_X_COL || x->u.col != i || !wr_str_eq(p->out->field[i].name, p->in[0]->out->field[i].name)
            || !wr_type_eq(x->type, p->in[0]->out->field[i].type))
            return p;
    }
    return p->in[0];
}

/* ---- a windowing table function under its own aggregate ---- */

/* What a column below an aggregate has to do with the window. */
enum role { ROLE_NONE, ROLE_START, ROLE_END, ROLE_MADE /* window_time, or computed from a bound */ };

/* What lies between the aggregate and the WINDOW node: node[0] is the aggregate's input, node[n - 1] the WINDOW. */
struct below {
    int n;
    struct wr_plan **node;
    enum role **role;        /* by node, by output column */
    struct wr_plan *window;
    struct wr_plan *late;    /* attached; NULL: none */
};

struct seek { const enum role *in; bool any; };
static void seek_bound(void *ctx, int col)
{
    struct seek *s = ctx;
    s->any |= s->in[col] != ROLE_NONE;
}

/* True if x, over columns of these roles, looks at a bound. */
static bool looks(const struct wr_expr *x, const enum role *in)
{
    struct seek s = {in, false};
    wr_expr_columns(x, seek_bound, &s);
    return s.any;
}

static enum role *roles_of(struct wr_arena *a, const struct wr_plan *p, enum role *in)
{
    if (p->kind == WR_PLAN_FILTER || p->kind == WR_PLAN_LATE)
        return in;
    enum role *out = WR_NEW_N(a, enum role, p->out->n + 1);
    if (p->kind == WR_PLAN_WINDOW) {
        for (int i = 0; i < 3; i++)
            out[p->in[0]->out->n + i] = (enum role)(ROLE_START + i);
        return out;
    }
    for (int i = 0; i < p->u.project.n; i++) {
        const struct wr_expr *x = p->u.project.expr[i];
        out[i] = x->kind == WR_X_COL ? in[x->u.col] : looks(x, in) ? ROLE_MADE : ROLE_NONE;
    }
    return out;
}

static bool find_window(struct wr_arena *a, struct wr_plan *agg, struct below *b)
{
    struct wr_plan *p = agg->in[0];
    for (b->n = 1; p->kind != WR_PLAN_WINDOW; b->n++, p = p->in[0]) {
        if (p->kind == WR_PLAN_LATE)
            b->late = p;
        else if (p->kind != WR_PLAN_PROJECT && p->kind != WR_PLAN_FILTER)
            return false;
    }
    b->window = p;
    b->node = WR_NEW_N(a, struct wr_plan *, b->n);
    b->role = WR_NEW_N(a, enum role *, b->n);
    p = agg->in[0];
    for (int i = 0; i < b->n; i++, p = p->in[0])
        b->node[i] = p;
    for (int i = b->n - 1; i >= 0; i--)
        b->role[i] = roles_of(a, b->node[i], i + 1 < b->n ? b->role[i + 1] : NULL);
    return true;
}

/* True if nothing but the group keys looks at the window's bounds. */
static bool only_keys_look(const struct wr_plan *agg, const struct below *b)
{
    const struct wr_plan_agg *g = &agg->u.agg;
    const enum role *top = b->role[0];
    for (int i = 0; i < b->n; i++)
        if (b->node[i]->kind == WR_PLAN_FILTER && looks(b->node[i]->u.filter.pred, b->role[i]))
            return false;
    for (int i = 0; i < g->n_agg; i++) {
        const struct wr_aggcall *c = &g->agg[i];
        for (int k = 0; k < c->n_arg; k++)
            if (top[c->arg[k]])
                return false;
        for (int k = 0; k < c->n_order; k++)
            if (top[c->order[k]])
                return false;
        if (c->filter >= 0 && top[c->filter])
            return false;
    }
    for (int i = 0; i < g->n_key; i++)
        if (top[g->key[i]] == ROLE_MADE)
            return false;
    return true;
}

/* The WINDOW's input column that column col of node[0] is; -1: none. */
static int column_below(const struct below *b, int col)
{
    for (int i = 0; i < b->n - 1; i++) {
        if (b->node[i]->kind != WR_PLAN_PROJECT)
            continue;
        if (b->node[i]->u.project.expr[col]->kind != WR_X_COL)
            return -1;
        col = b->node[i]->u.project.expr[col]->u.col;
    }
    return col;
}

/* SESSION: the partition columns must be the other group keys, else the sessions would be others. */
static bool same_partition(const struct wr_plan *agg, const struct below *b)
{
    const struct wr_plan_window *w = &b->window->u.window;
    const struct wr_plan_agg *g = &agg->u.agg;
    int n_plain = 0;
    if (w->win.kind != WR_WIN_SESSION)
        return true;
    for (int i = 0; i < g->n_key; i++) {
        if (b->role[0][g->key[i]])
            continue;
        int col = column_below(b, g->key[i]);
        bool found = false;
        for (int k = 0; k < w->n_part; k++)
            found |= w->part[k] == col;
        if (!found)
            return false;
        n_plain++;
    }
    return n_plain >= w->n_part;
}

/* Carries the event-time column (and drops the bounds) up from below the WINDOW node; rebuilds each node between. Sets *time_col to where the
 * event time is at the top, map[] to where each old column went (-1: it was a bound). */
static struct wr_plan *without_window(struct wr_arena *a, const struct below *b, int level, int *time_col, int **map)
{
    struct wr_plan *p = b->node[level];
    int n = p->out->n, *m = WR_NEW_N(a, int, n + 1);
    *map = m;
    if (p == b->window) {
        for (int i = 0; i < n; i++)
            m[i] = i < p->in[0]->out->n ? i : -1;
        *time_col = p->u.window.win.time_col;
        if (!b->late || p->u.window.win.kind == WR_WIN_SESSION)
            return p->in[0]; /* sessions judge lateness themselves */
        struct wr_plan *late = wr_node_new(a, WR_PLAN_LATE, p->in[0]);
        late->u.late = b->late->u.late;
        late->u.late.win = p->u.window.win;
        wr_node_props(a, late);
        return late;
    }
    int *low;
    struct wr_plan *in = without_window(a, b, level + 1, time_col, &low);
    if (p->kind == WR_PLAN_LATE) {
        memcpy(m, low, sizeof(int) * (size_t)n);
        return in;
    }
    if (p->kind == WR_PLAN_FILTER) {
        memcpy(m, low, sizeof(int) * (size_t)n);
        return wr_node_filter(a, in, wr_expr_remap(a, p->u.filter.pred, low));
    }
    struct wr_expr **expr = WR_NEW_N(a, struct wr_expr *, n + 2);
    struct wr_str *name = WR_NEW_N(a, struct wr_str, n + 2);
    int k = 0, time = -1;
    for (int i = 0; i < n; i++) {
        m[i] = -1;
        if (b->role[level][i])
            continue;
        expr[k] = wr_expr_remap(a, p->u.project.expr[i], low);
        if (expr[k]->kind == WR_X_COL && expr[k]->u.col == *time_col)
            time = k;
        name[k] = p->out->field[i].name;
        m[i] = k++;
    }
    if (time < 0) {
        time = k;
        name[k] = in->out->field[*time_col].name;
        expr[k++] = wr_col_of(a, in->out, *time_col, -1);
    }
    *time_col = time;
    return wr_node_project(a, in, k, expr, name);
}

/* GROUP BY window_start, window_end, k over TUMBLE(...): the aggregate assigns the windows itself, and no row is multiplied. */
static struct wr_plan *fuse_window(struct wr_arena *a, struct wr_plan *p)
{
    struct below b = {0};
    if (p->kind != WR_PLAN_AGG || p->u.agg.win.kind != WR_WIN_ATTACHED || !find_window(a, p, &b))
        return p;
    if (!only_keys_look(p, &b) || !same_partition(p, &b))
        return p;
    const struct wr_plan_agg *old = &p->u.agg;
    int *map, time_col;
    struct wr_plan *in = without_window(a, &b, 0, &time_col, &map);
    bool session = b.window->u.window.win.kind == WR_WIN_SESSION;
    struct wr_plan *agg = wr_node_new(a, session ? WR_PLAN_SESSION : WR_PLAN_AGG, in);
    struct wr_plan_agg *g = &agg->u.agg;
    *g = *old;
    g->win = b.window->u.window.win;
    g->win.time_col = time_col;
    g->agg = WR_NEW_N(a, struct wr_aggcall, old->n_agg + 1);
    for (int i = 0; i < old->n_agg; i++) {
        struct wr_aggcall *c = &g->agg[i];
        *c = old->agg[i];
        for (int k = 0; k < c->n_arg; k++)
            c->arg[k] = map[c->arg[k]];
        for (int k = 0; k < c->n_order; k++)
            c->order[k] = map[c->order[k]];
        if (c->filter >= 0)
            c->filter = map[c->filter];
    }
    int *key = WR_NEW_N(a, int, old->n_key + 1), *where = WR_NEW_N(a, int, old->n_key + 1);
    g->n_key = 0;
    for (int i = 0; i < old->n_key; i++) {
        int role = (int)b.role[0][old->key[i]];
        where[i] = role ? -role : g->n_key;
        if (!role)
            key[g->n_key++] = map[old->key[i]];
    }
    g->key = key;
    wr_node_props(a, agg);
    /* the old order of columns, for whoever is above */
    int n = p->out->n;
    struct wr_expr **expr = WR_NEW_N(a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        int col = i >= old->n_key ? g->n_key + 2 + i - old->n_key : where[i] >= 0 ? where[i] : g->n_key - where[i] - 1;
        expr[i] = wr_col_of(a, agg->out, col, -1);
        name[i] = p->out->field[i].name;
    }
    return wr_node_project(a, agg, n, expr, name);
}

/* ---- the list ---- */

static const rule rules[] = {
    drop_watermark, fold, drop_true, merge_filters, filter_below_project, filter_below_union, filter_below_window, fuse_window, merge_projects, drop_identity,
};
enum { N_RULES = sizeof(rules) / sizeof(rules[0]), MAX_ROUNDS = 20 };

static struct wr_plan *apply(struct wr_arena *a, struct wr_plan *p, bool *changed)
{
    for (int i = 0; i < p->n_in; i++)
        p->in[i] = apply(a, p->in[i], changed);
    wr_node_props(a, p);
    for (int i = 0; i < N_RULES; i++) {
        struct wr_plan *q = rules[i](a, p);
        if (q == p)
            continue;
        *changed = true;
        p = q;
    }
    return p;
}

static wr_status no_sessions(const struct wr_plan *p, struct wr_error *err)
{
    for (int i = 0; i < p->n_in; i++)
        WR_TRY(no_sessions(p->in[i], err));
    if (p->kind != WR_PLAN_WINDOW || p->u.window.win.kind != WR_WIN_SESSION)
        return WR_OK;
    wr_fail_at(err, WR_ESQL, p->u.window.off, "a SESSION table function must be grouped by its window and its PARTITION BY columns");
    wr_hint(err, "add GROUP BY window_start, window_end and the PARTITION BY columns, no others");
    return WR_ESQL;
}

wr_status wr_rewrite(struct wr_arena *a, struct wr_plan **root, struct wr_error *err)
{
    bool changed = true;
    for (int i = 0; i < MAX_ROUNDS && changed; i++) {
        changed = false;
        *root = apply(a, *root, &changed);
    }
    return no_sessions(*root, err);
}

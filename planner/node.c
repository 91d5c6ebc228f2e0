/* node.c: making plan nodes, and the properties that follow from a node's inputs: schema, changelog, event time, windows, unique key.
 * Rules:  properties are functions of the inputs and the node's arguments only, so any rule may rebuild a node and ask again.
 * Memory: the arena given. */
#include "planner/over.h"

int *wr_ints(struct wr_arena *a, const int *v, int n)
{
    int *c = WR_NEW_N(a, int, n + 1);
    if (n)
        memcpy(c, v, sizeof(int) * (size_t)n);
    return c;
}

struct wr_type wr_type_copy(struct wr_arena *a, struct wr_type t)
{
    if (!t.sub)
        return t;
    struct wr_schema *s = wr_schema_new(a, t.sub->n);
    for (int i = 0; i < t.sub->n; i++) {
        s->field[i] = t.sub->field[i];
        s->field[i].name = wr_arena_str(a, s->field[i].name);
        s->field[i].type = wr_type_copy(a, s->field[i].type);
    }
    t.sub = s;
    return t;
}

struct wr_plan *wr_node_new(struct wr_arena *a, enum wr_pkind kind, struct wr_plan *in)
{
    struct wr_plan *p = WR_NEW(a, struct wr_plan);
    p->kind = kind;
    p->id = -1;
    p->time_col = p->win_start = p->win_end = p->n_ukey = -1;
    if (in) {
        p->n_in = 1;
        p->in = WR_NEW(a, struct wr_plan *);
        p->in[0] = in;
    }
    return p;
}

struct wr_expr *wr_col_of(struct wr_arena *a, const struct wr_schema *s, int col, int32_t off)
{
    WR_ASSERT(col >= 0 && col < s->n);
    return wr_expr_col(a, col, s->field[col].type, s->field[col].nullable, off);
}

struct wr_expr *wr_expr_copy(struct wr_arena *a, const struct wr_expr *x)
{
    struct wr_expr *y = WR_NEW(a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = wr_expr_copy(a, x->u.call.arg[i]);
    return y;
}

struct wr_plan *wr_node_filter(struct wr_arena *a, struct wr_plan *in, const struct wr_expr *pred)
{
    struct wr_plan *p = wr_node_new(a, WR_PLAN_FILTER, in);
    p->u.filter.pred = pred;
    wr_node_props(a, p);
    return p;
}

struct wr_plan *wr_node_project(struct wr_arena *a, struct wr_plan *in, int n, struct wr_expr **expr, const struct wr_str *name)
{
    struct wr_plan *p = wr_node_new(a, WR_PLAN_PROJECT, in);
    struct wr_schema *s = wr_schema_new(a, n);
    for (int i = 0; i < n; i++)
        s->field[i] = (struct wr_field){.name = name[i], .type = expr[i]->type, .nullable = expr[i]->nullable};
    p->u.project.n = n;
    p->u.project.expr = expr;
    p->out = s;
    wr_node_props(a, p);
    return p;
}

static bool makes_bounds(const struct wr_plan *p)
{
    return p->u.agg.win.kind != WR_WIN_NONE && p->u.agg.win.kind != WR_WIN_ATTACHED;
}

static struct wr_str agg_name(struct wr_arena *a, const struct wr_aggcall *c, const struct wr_schema *in)
{
    struct wr_buf b = WR_BUF_INIT(4096);
    wr_aggcall_print(&b, c, in);
    struct wr_str s = wr_arena_str(a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return s;
}

struct wr_schema *wr_agg_schema(struct wr_arena *a, const struct wr_plan *agg)
{
    const struct wr_plan_agg *g = &agg->u.agg;
    const struct wr_schema *in = agg->in[0]->out;
    int extra = makes_bounds(agg) ? 2 : 0, k = 0;
    struct wr_schema *s = wr_schema_new(a, g->n_key + extra + g->n_agg);
    for (; k < g->n_key; k++)
        s->field[k] = in->field[g->key[k]];
    if (extra) {
        s->field[k++] = (struct wr_field){.name = WR_STR("window_start"), .type = WR_TYPE_OF(TIMESTAMP)};
        s->field[k++] = (struct wr_field){.name = WR_STR("window_end"), .type = WR_TYPE_OF(TIMESTAMP)};
    }
    for (int i = 0; i < g->n_agg; i++)
        s->field[k++] = (struct wr_field){.name = agg_name(a, &g->agg[i], in), .type = g->agg[i].ret,
                                          .nullable = strcmp(g->agg[i].fn->name, "count") != 0};
    return s;
}

/* ---- properties ---- */

static void pass_on(struct wr_plan *p)
{
    const struct wr_plan *in = p->in[0];
    p->out = in->out;
    p->updating = in->updating;
    p->bounded = in->bounded;
    p->time_col = in->time_col;
    p->win_start = in->win_start;
    p->win_end = in->win_end;
    p->win_kind = in->win_kind;
    p->n_ukey = in->n_ukey;
    p->ukey = in->ukey;
    p->late = in->late;
}

bool wr_expr_is_window_time(const struct wr_expr *x, int end_col)
{
    if (end_col < 0 || x->kind != WR_X_CALL || x->u.call.n != 2 || strcmp(x->u.call.fn->name, "-") != 0)
        return false;
    const struct wr_expr *l = x->u.call.arg[0], *r = x->u.call.arg[1];
    return l->kind == WR_X_COL && l->u.col == end_col && r->kind == WR_X_CONST && r->type.id == WR_T_INTERVAL && !r->u.val.null
        && r->u.val.as.iv.us == 1 && r->u.val.as.iv.days == 0 && r->u.val.as.iv.months == 0;
}

/* The first output column that is plainly input column col; -1: none. */
static int kept_as(const struct wr_plan *project, int col)
{
    if (col < 0)
        return -1;
    for (int i = 0; i < project->u.project.n; i++) {
        const struct wr_expr *x = project->u.project.expr[i];
        if (x->kind == WR_X_COL && x->u.col == col)
            return i;
    }
    return -1;
}

static void project_ukey(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan *in = p->in[0];
    p->n_ukey = -1;
    if (in->n_ukey < 0)
        return;
    int *key = WR_NEW_N(a, int, in->n_ukey + 1);
    for (int i = 0; i < in->n_ukey; i++) {
        int c = kept_as(p, in->ukey[i]);
        /* either bound of a window says which one it is */
        if (c < 0 && in->ukey[i] == in->win_start && in->win_kind != WR_WIN_CUMULATE)
            c = kept_as(p, in->win_end);
        if (c < 0)
            return;
        key[i] = c;
    }
    p->n_ukey = in->n_ukey;
    p->ukey = key;
}

static void project_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan *in = p->in[0];
    const struct wr_schema *out = p->out;
    pass_on(p);
    p->out = out;
    p->win_start = kept_as(p, in->win_start);
    p->win_end = kept_as(p, in->win_end);
    p->time_col = kept_as(p, in->time_col);
    for (int i = 0; i < p->u.project.n && p->time_col < 0; i++)
        if (wr_expr_is_window_time(p->u.project.expr[i], in->win_end) && wr_node_has_watermark(in))
            p->time_col = i;
    project_ukey(a, p);
}

static void window_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_schema *in = p->in[0]->out;
    pass_on(p);
    struct wr_schema *s = wr_schema_new(a, in->n + 3);
    static const char *const name[3] = {"window_start", "window_end", "window_time"};
    for (int i = 0; i < in->n; i++)
        s->field[i] = in->field[i];
    for (int i = 0; i < 3; i++)
        s->field[in->n + i] = (struct wr_field){.name = wr_str_c(name[i]), .type = WR_TYPE_OF(TIMESTAMP)};
    p->out = s;
    enum wr_winkind kind = p->u.window.win.kind;
    p->win_start = p->u.window.loose ? -1 : in->n;
    p->win_end = p->u.window.loose ? -1 : in->n + 1;
    p->win_kind = kind;
    if (p->in[0]->n_ukey >= 0 && kind != WR_WIN_TUMBLE) {
        int n = p->in[0]->n_ukey, *key = WR_NEW_N(a, int, n + 1);
        memcpy(key, p->in[0]->ukey, sizeof(int) * (size_t)n);
        key[n] = kind == WR_WIN_CUMULATE ? in->n + 1 : in->n;
        p->ukey = key;
        p->n_ukey = n + 1;
    }
}

static void agg_ukey(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_agg *g = &p->u.agg;
    int *key = WR_NEW_N(a, int, g->n_key + 1), n = 0;
    for (int i = 0; i < g->n_key; i++) {
        if (i == p->win_end && p->win_start >= 0 && p->win_kind != WR_WIN_CUMULATE)
            continue; /* the start says it already */
        if (i == p->win_start && p->win_end >= 0 && p->win_kind == WR_WIN_CUMULATE)
            continue;
        key[n++] = i;
    }
    if (makes_bounds(p))
        key[n++] = p->win_kind == WR_WIN_CUMULATE ? p->win_end : p->win_start;
    p->ukey = key;
    p->n_ukey = n;
}

static void agg_props(struct wr_arena *a, struct wr_plan *p)
{
    struct wr_plan_agg *g = &p->u.agg;
    const struct wr_plan *in = p->in[0];
    g->input_updating = in->updating;
    for (int i = 0; i < g->n_agg; i++)
        if (g->agg[i].retract != in->updating) {
            struct wr_error ignored = WR_ERROR_INIT; /* the binder has asked before, with the same input */
            g->agg[i].retract = in->updating;
            WR_ASSERT(wr_aggcall_bind(&g->agg[i], &ignored) == WR_OK);
        }
    p->out = wr_agg_schema(a, p);
    p->bounded = in->bounded;
    p->time_col = p->win_start = p->win_end = -1;
    if (makes_bounds(p)) {
        p->win_start = g->n_key;
        p->win_end = g->n_key + 1;
        p->win_kind = g->win.kind;
    } else if (g->win.kind == WR_WIN_ATTACHED) {
        for (int i = 0; i < g->n_key; i++) {
            if (g->key[i] == g->win.start_col)
                p->win_start = i;
            if (g->key[i] == g->win.end_col)
                p->win_end = i;
        }
        p->win_kind = in->win_kind;
    }
    /* without aggregates a row appears once and, if nothing is taken back, stays */
    p->updating = g->emit != WR_EMIT_FINAL && (g->n_agg > 0 || in->updating || p->kind == WR_PLAN_SESSION);
    agg_ukey(a, p);
}

static void lookup_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_schema *in = p->in[0]->out, *more = p->u.lookup.spec.schema;
    struct wr_schema *s = wr_schema_new(a, in->n + more->n);
    for (int i = 0; i < s->n; i++) {
        s->field[i] = i < in->n ? in->field[i] : more->field[i - in->n];
        s->field[i].nullable |= i >= in->n && p->u.lookup.left;
    }
    p->out = s;
    if (!p->u.lookup.unique)
        p->n_ukey = -1;
}

/* What comes out is among the left rows; of INTERSECT among the right ones, too. */
static void setop_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan *l = p->in[0], *r = p->in[1];
    p->updating = p->u.setop.except || l->updating || r->updating;
    p->bounded = l->bounded && r->bounded;
    p->time_col = p->win_start = p->win_end = -1;
    p->n_ukey = l->n_ukey;
    p->ukey = l->ukey;
    if (p->n_ukey >= 0 || p->u.setop.all)
        return;
    int *key = WR_NEW_N(a, int, p->out->n + 1);
    for (int i = 0; i < p->out->n; i++)
        key[i] = i;
    p->n_ukey = p->out->n;
    p->ukey = key;
}

static void union_props(struct wr_plan *p)
{
    p->updating = false;
    p->bounded = true;
    p->time_col = p->in[0]->time_col;
    p->win_start = p->in[0]->win_start;
    p->win_end = p->in[0]->win_end;
    p->win_kind = p->in[0]->win_kind;
    p->n_ukey = -1;
    for (int i = 0; i < p->n_in; i++) {
        const struct wr_plan *in = p->in[i];
        p->updating |= in->updating;
        p->bounded &= in->bounded;
        if (in->time_col != p->time_col)
            p->time_col = -1;
        if (in->win_end != p->win_end || in->win_kind != p->win_kind)
            p->win_start = p->win_end = -1;
        if (in->win_start != p->win_start)
            p->win_start = -1;
    }
}

void wr_node_props(struct wr_arena *a, struct wr_plan *p)
{
    switch (p->kind) {
    case WR_PLAN_SCAN: break; /* all set by who made it */
    case WR_PLAN_VALUES: p->bounded = true; break;
    case WR_PLAN_SIDE: p->bounded = p->u.side.scan->bounded; break;
    case WR_PLAN_WATERMARK:
        pass_on(p);
        p->time_col = p->u.watermark.time_col;
        break;
    case WR_PLAN_FILTER:
    case WR_PLAN_LATE:
    case WR_PLAN_EXCHANGE: pass_on(p); break;
    case WR_PLAN_PROJECT: project_props(a, p); break;
    case WR_PLAN_WINDOW: window_props(a, p); break;
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: agg_props(a, p); break;
    case WR_PLAN_UNION: union_props(p); break;
    case WR_PLAN_SETOP: setop_props(a, p); break;
    case WR_PLAN_LOOKUP:
        pass_on(p);
        lookup_props(a, p);
        break;
    case WR_PLAN_JOIN: wr_join_props(a, p); break;
    case WR_PLAN_SORT:
        pass_on(p);
        p->updating = false; /* it gives the final content once */
        break;
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME:
    case WR_PLAN_EXPAND: wr_over_props(a, p); break;
    case WR_PLAN_UNNEST:
        pass_on(p);
        wr_unnest_props(a, p);
        break;
    case WR_PLAN_MATCH:
        pass_on(p);
        wr_match_props(a, p);
        break;
    case WR_PLAN_LIMIT: pass_on(p); break;
    case WR_PLAN_SINK: pass_on(p); break;
    case WR_PLAN_COUNT: WR_BUG("no such node");
    }
}

void wr_node_props_deep(struct wr_arena *a, struct wr_plan *p)
{
    for (int i = 0; i < p->n_in; i++)
        wr_node_props_deep(a, p->in[i]);
    wr_node_props(a, p);
}

void wr_node_walk(struct wr_plan *p, void (*fn)(void *ctx, struct wr_plan *), void *ctx)
{
    for (int i = 0; i < p->n_in; i++)
        wr_node_walk(p->in[i], fn, ctx);
    fn(ctx, p);
}

bool wr_node_has_watermark(const struct wr_plan *p)
{
    if (p->kind == WR_PLAN_WATERMARK && p->u.watermark.time_col >= 0)
        return true;
    for (int i = 0; i < p->n_in; i++)
        if (wr_node_has_watermark(p->in[i]))
            return true;
    return false;
}

void wr_node_trace(struct wr_plan *p, int col, struct wr_plan **at, int *at_col)
{
    for (;;) {
        *at = p;
        *at_col = col;
        switch (p->kind) {
        case WR_PLAN_PROJECT:
            if (p->u.project.expr[col]->kind != WR_X_COL)
                return;
            col = p->u.project.expr[col]->u.col;
            break;
        case WR_PLAN_WINDOW:
            if (col >= p->in[0]->out->n)
                return;
            break;
        case WR_PLAN_TOP_N:
        case WR_PLAN_OVER:
        case WR_PLAN_OVER_TIME:
        case WR_PLAN_UNNEST:
        case WR_PLAN_LOOKUP:
            if (col >= p->in[0]->out->n)
                return;
            break;
        case WR_PLAN_JOIN: {
            int side, c = wr_join_trace(p, col, &side);
            if (c < 0)
                return;
            col = c;
            p = p->in[side];
            continue;
        }
        case WR_PLAN_WATERMARK:
        case WR_PLAN_FILTER:
        case WR_PLAN_LATE:
        case WR_PLAN_SORT:
        case WR_PLAN_LIMIT:
        case WR_PLAN_EXCHANGE: break;
        case WR_PLAN_AGG:
        case WR_PLAN_SESSION:
        case WR_PLAN_SCAN:
        case WR_PLAN_VALUES:
        case WR_PLAN_SIDE:
        case WR_PLAN_UNION:
        case WR_PLAN_MATCH:
        case WR_PLAN_SETOP:
        case WR_PLAN_EXPAND: /* may make its columns NULL */
        case WR_PLAN_SINK:
        case WR_PLAN_COUNT: return;
        }
        p = p->in[0];
    }
}

static bool among(const int *v, int n, int x)
{
    for (int i = 0; i < n; i++)
        if (v[i] == x)
            return true;
    return false;
}

bool wr_node_unique(const struct wr_plan *p, const int *col, int n)
{
    if (p->n_ukey < 0)
        return false;
    for (int i = 0; i < p->n_ukey; i++) {
        int c = p->ukey[i];
        bool by_end = c == p->win_start && p->win_end >= 0 && p->win_kind != WR_WIN_CUMULATE && among(col, n, p->win_end);
        if (!among(col, n, c) && !by_end)
            return false;
    }
    return true;
}

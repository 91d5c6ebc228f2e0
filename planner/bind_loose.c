/* bind_loose.c: windows over rows that may be taken back, when no watermark speaks about their times: after a Top-N, a join, an aggregate.
 *
 *   tumble, hop, cumulate   Window (each row once for each of its windows), then groups by start and end
 *   session                 Over lag(time) -> where a session begins; Over max(that) -> the beginning of each row's session; groups by it, the end is max(time) + gap
 *
 * Rules:  they are groups like others: rows of any time amend them, nothing is late, they never close, and state.ttl lets go of them. EMIT FINAL therefore
 *         needs input that ends. The result has the columns of a windowed aggregate.
 * Memory: the jobplan's arena. */
#include "planner/bind.h"

/* ---- columns ---- */

/* p with x as a column behind the others; *col: which. */
static struct wr_plan *with_column(struct binder *b, struct wr_plan *p, struct wr_expr *x, const char *name, int *col)
{
    int n = p->out->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *names = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, p->out, i, -1);
        names[i] = p->out->field[i].name;
    }
    *col = n;
    expr[n] = x;
    names[n] = wr_str_c(name);
    return wr_bind_made(b, wr_node_project(b->a, p, n + 1, expr, names));
}

static struct wr_plan *column_of(struct binder *b, struct wr_plan *p, struct wr_expr *x, const char *name, int *col)
{
    *col = x->kind == WR_X_COL ? x->u.col : -1;
    return *col >= 0 ? p : with_column(b, p, x, name, col);
}

/* ---- tumble, hop, cumulate ---- */

static wr_status fixed(struct binder *b, const struct grouping *g, struct wr_plan **p, struct loose *l)
{
    int time;
    struct wr_plan *in = column_of(b, *p, g->time, "time", &time), *w = wr_node_new(b->a, WR_PLAN_WINDOW, in);
    w->u.window.win = g->win;
    w->u.window.win.time_col = time;
    w->u.window.loose = true;
    w->u.window.off = -1;
    wr_node_props(b->a, w);
    l->start = in->out->n;
    l->end = in->out->n + 1;
    *p = wr_bind_made(b, w);
    return WR_OK;
}

/* ---- session ---- */

static struct wr_partby by_keys(struct binder *b, const struct clauses *cl, const int *part, int n_part, const int *time)
{
    struct wr_plan_agg g = wr_agg_start(b, cl);
    return (struct wr_partby){.n_part = n_part, .part = part, .n_order = 1, .order = time, .desc = WR_NEW(b->a, bool), .nulls_first = WR_NEW(b->a, bool),
                              .win = {.time_col = -1, .start_col = -1, .end_col = -1}, .emit = g.emit == WR_EMIT_FINAL ? g.emit : WR_EMIT_CHANGES,
                              .ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL)};
}

static struct wr_plan *over(struct binder *b, struct wr_plan *in, struct wr_partby by, const struct wr_overfn *fn, int n_frame, const struct wr_frame *frame)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_OVER, in);
    struct wr_overfn *own = WR_NEW(b->a, struct wr_overfn);
    *own = *fn;
    p->u.over = (struct wr_plan_over){.by = by, .n_frame = n_frame, .frame = frame, .n_fn = 1, .fn = own};
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

/* The time of a row that begins a session, else NULL: column `before` is the time of the row before it. */
static wr_status begins(struct binder *b, const struct wr_plan *p, int time, int before, int64_t gap, struct wr_expr **out)
{
    struct wr_expr *prev = wr_col_of(b->a, p->out, before, -1), *at = wr_col_of(b->a, p->out, time, -1), *arg[2], *near, *far, *part[2];
    arg[0] = prev;
    arg[1] = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(INTERVAL), .as.iv.us = gap}, -1);
    WR_TRY(wr_bind_fn(b, "+", arg, 2, -1, &near));
    arg[0] = at;
    arg[1] = near;
    WR_TRY(wr_bind_fn(b, "<=", arg, 2, -1, &far));
    WR_TRY(wr_bind_fn(b, "is_not_true", &far, 1, -1, &part[0])); /* further than the gap, or the first */
    part[1] = wr_col_of(b->a, p->out, time, -1);
    struct wr_expr *x = WR_NEW(b->a, struct wr_expr);
    *x = (struct wr_expr){.kind = WR_X_CASE, .type = part[1]->type, .nullable = true, .off = -1};
    x->u.call.n = 2;
    x->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 2);
    memcpy(x->u.call.arg, part, sizeof part);
    *out = x;
    return WR_OK;
}

static wr_status sessions(struct binder *b, const struct grouping *g, const struct clauses *cl, struct wr_plan **p, struct loose *l)
{
    struct wr_plan *in = *p;
    int *part = WR_NEW_N(b->a, int, g->n_key + 1), *time = WR_NEW(b->a, int), before, start;
    struct wr_expr *there, *x;
    in = column_of(b, in, g->time, "time", time);
    for (int i = 0; i < g->n_key; i++)
        in = column_of(b, in, g->key[i], "key", &part[i]);
    struct wr_expr *at = wr_col_of(b->a, in->out, *time, -1);
    WR_TRY(wr_bind_fn(b, "is_not_null", &at, 1, -1, &there));
    if (at->nullable)
        in = wr_bind_made(b, wr_node_filter(b->a, in, there));
    struct wr_partby by = by_keys(b, cl, part, g->n_key, time);
    struct wr_overfn lag = {.kind = WR_OVER_LAG, .ret = at->type, .nullable = true, .arg = *time, .def = -1, .n = 1, .frame = -1};
    in = over(b, in, by, &lag, 0, NULL);
    WR_TRY(begins(b, in, *time, in->out->n - 1, g->win.size, &x));
    in = with_column(b, in, x, "begins", &before);
    struct wr_overfn first = {.kind = WR_OVER_AGG, .ret = x->type, .nullable = true, .arg = -1, .def = -1, .frame = 0};
    first.agg = (struct wr_aggcall){.fn = wr_agg_find(WR_STR("max")), .filter = -1, .n_arg = 1, .arg_type = {x->type}, .arg = {before}, .mem = b->a, .off = -1};
    WR_TRY(wr_aggcall_bind(&first.agg, b->err));
    struct wr_frame *frame = WR_NEW(b->a, struct wr_frame);
    *frame = (struct wr_frame){.from = WR_AT_START, .to = WR_AT_CURRENT};
    in = over(b, in, by, &first, 1, frame);
    x = wr_col_of(b->a, in->out, in->out->n - 1, -1);
    WR_TRY(wr_expr_cast(b->a, x, WR_TYPE_OF(TIMESTAMP), true, &x, b->err));
    x->nullable = false;
    *p = with_column(b, in, x, "window_start", &start);
    *l = (struct loose){.start = start, .end = -1, .time = *time};
    return WR_OK;
}

/* ---- the two ---- */

wr_status wr_loose_rows(struct binder *b, const struct grouping *g, const struct clauses *cl, struct wr_plan **p, struct loose *l)
{
    if (cl->emit_given && cl->emit == WR_EMIT_FINAL && !(*p)->bounded) {
        wr_fail_at(b->err, WR_ESQL, cl->emit_off, "EMIT FINAL over windows of rows that can be taken back: the watermark does not close them");
        wr_hint(b->err, "use EMIT CHANGES, or keep the first row of each key instead of the last: ORDER BY the event time, ascending");
        return WR_ESQL;
    }
    if (g->win.kind == WR_WIN_SESSION && g->n_set > 1)
        return wr_bind_refuse(b, g->time->off, "GROUPING SETS with sessions of rows that can be taken back", NULL);
    return g->win.kind == WR_WIN_SESSION ? sessions(b, g, cl, p, l) : fixed(b, g, p, l);
}

wr_status wr_loose_ends(struct binder *b, const struct grouping *g, int end, struct wr_plan **p)
{
    int n = (*p)->out->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, (*p)->out, i, -1);
        name[i] = (*p)->out->field[i].name;
    }
    struct wr_value gap = {.type = WR_TYPE_OF(INTERVAL), .as.iv.us = g->win.size};
    struct wr_expr *arg[2] = {expr[end], wr_expr_const(b->a, gap, -1)};
    WR_TRY(wr_bind_fn(b, "+", arg, 2, -1, &expr[end]));
    WR_TRY(wr_expr_cast(b->a, expr[end], WR_TYPE_OF(TIMESTAMP), true, &expr[end], b->err));
    expr[end]->nullable = false;
    name[end] = WR_STR("window_end");
    *p = wr_bind_made(b, wr_node_project(b->a, *p, n, expr, name));
    return WR_OK;
}

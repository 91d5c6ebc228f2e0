/* bind_group.c: groups: from the rows below to the aggregate's output and back up to the select list.
 *
 *   FROM, WHERE -> [late filter] -> projection of keys and arguments -> aggregate -> (HAVING, select list: over the aggregate's output)
 *
 * Rules:  an expression of the select list that equals a GROUP BY item is that group's column, whatever its depth; a column left over is an error. */
#include "planner/bind.h"
#include "core/time.h"

bool wr_is_window_time(struct wr_plan *p, int col)
{
    struct wr_plan *at, *end_at;
    int c, end_c;
    if (p->win_end < 0)
        return false;
    wr_node_trace(p, col, &at, &c);
    wr_node_trace(p, p->win_end, &end_at, &end_c);
    if (at->kind == WR_PLAN_WINDOW)
        return at == end_at && c == at->in[0]->out->n + 2;
    if (at->kind != WR_PLAN_PROJECT || !wr_expr_is_window_time(at->u.project.expr[c], at->in[0]->win_end))
        return false;
    wr_node_trace(at->in[0], at->in[0]->win_end, &at, &c);
    return at == end_at && c == end_c;
}

/* ---- building ---- */

/* The projection below the aggregate. */
struct pre { struct wr_expr **expr; struct wr_str *name; int n, own; /* the first `own` columns are not for others: GROUPING SETS make them NULL */ };

static struct wr_str text_of(struct binder *b, const struct wr_expr *x, const struct wr_plan *from)
{
    struct wr_buf t = WR_BUF_INIT(4096);
    wr_expr_print(&t, x, from->out);
    if (t.n > 60)
        t.n = wr_utf8_prefix(wr_buf_get(&t), 57);
    struct wr_str s = wr_arena_printf(b->a, "%.*s%s", (int)t.n, t.p, t.n > 56 ? "..." : "");
    wr_buf_clear(&t);
    return s;
}

static int pre_add(struct binder *b, struct pre *p, struct wr_expr *x, const struct wr_plan *from)
{
    for (int i = p->own; i < p->n; i++)
        if (wr_expr_eq(p->expr[i], x))
            return i;
    p->name[p->n] = x->kind == WR_X_COL ? from->out->field[x->u.col].name : text_of(b, x, from);
    p->expr[p->n] = x;
    return p->n++;
}

struct wr_plan_agg wr_agg_start(struct binder *b, const struct clauses *cl)
{
    struct wr_plan_agg a = {.emit = WR_EMIT_CHANGES, .win = {.time_col = -1, .start_col = -1, .end_col = -1}};
    int64_t late = cl->wm ? cl->wm->lateness : -1;
    a.lateness = late >= 0 ? late : wr_setting_int(b->cat, WR_SET_LATENESS);
    if (b->final || cl->emit == WR_EMIT_FINAL) {
        a.emit = WR_EMIT_FINAL;
    } else if (cl->every && cl->outermost) {
        a.emit = WR_EMIT_EVERY;
        a.every = cl->every;
    }
    return a;
}

static wr_status check_final(struct binder *b, const struct wr_plan *in, const struct wr_plan_agg *g, const struct clauses *cl)
{
    if (g->emit != WR_EMIT_FINAL || b->final || in->bounded)
        return WR_OK;
    if (g->win.kind == WR_WIN_NONE) {
        wr_fail_at(b->err, WR_ESQL, cl->emit_off, "EMIT FINAL over groups that never close: they are not groups of a window, and the input does not end");
        wr_hint(b->err, "add window(...) to GROUP BY, or use EMIT CHANGES");
        return WR_ESQL;
    }
    if (wr_node_has_watermark(in))
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, cl->emit_off, "EMIT FINAL over windows that nothing closes: the source has no watermark");
    wr_hint(b->err, "add WITH WATERMARK '1 min' to the query, or WATERMARK FOR to the source");
    return WR_ESQL;
}

struct wr_plan *wr_late_filter(struct binder *b, struct wr_plan *in, const struct wr_window *win, int64_t lateness)
{
    if (win->kind == WR_WIN_NONE || win->kind == WR_WIN_SESSION || !wr_node_has_watermark(in))
        return in;
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_LATE, in);
    p->u.late.win = *win;
    p->u.late.lateness = lateness;
    wr_node_props(b->a, p);
    return wr_bind_made(b, p);
}

/* Aggregate over `in`, whose arguments are settled; DISTINCT has none. */
static wr_status finish_agg(struct binder *b, struct wr_plan *in, struct wr_plan_agg *g, const struct clauses *cl, struct wr_plan **out)
{
    WR_TRY(check_final(b, in, g, cl));
    if (g->n_agg == 0 && g->win.kind == WR_WIN_NONE && !in->updating && !b->final)
        g->emit = WR_EMIT_CHANGES; /* a new row is final at once */
    if (g->win.kind == WR_WIN_NONE)
        g->ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL);
    if (g->win.kind == WR_WIN_NONE)
        g->lateness = 0;
    struct wr_plan *p = wr_node_new(b->a, g->win.kind == WR_WIN_SESSION ? WR_PLAN_SESSION : WR_PLAN_AGG, in);
    p->u.agg = *g;
    wr_node_props(b->a, p);
    *out = wr_bind_made(b, p);
    return WR_OK;
}

static void set_columns(struct binder *b, struct aggref *r, struct pre *pre, const struct wr_plan *from, struct wr_aggcall *c)
{
    *c = r->call;
    for (int i = 0; i < c->n_arg; i++)
        c->arg[i] = pre_add(b, pre, r->arg[i], from);
    for (int i = 0; i < c->n_order; i++)
        c->order[i] = pre_add(b, pre, r->order[i], from);
    if (r->filter)
        c->filter = pre_add(b, pre, r->filter, from);
}

static wr_status rebind(struct binder *b, struct wr_plan_agg *g)
{
    for (int i = 0; i < g->n_agg; i++)
        WR_TRY(wr_aggcall_bind(&g->agg[i], b->err));
    return WR_OK;
}

wr_status wr_agg_build(struct binder *b, struct grouping *g, const struct clauses *cl, struct wr_plan **out)
{
    struct wr_plan *in = g->from->plan;
    struct wr_plan_agg a = wr_agg_start(b, cl);
    struct loose loose = {.start = -1, .end = -1};
    if (g->loose)
        WR_TRY(wr_loose_rows(b, g, cl, &in, &loose));
    int room = g->n_key + 6 + 7 * g->n_agg, bound[2] = {loose.start, loose.end}, n_bound = 0;
    struct pre pre = {WR_NEW_N(b->a, struct wr_expr *, room), WR_NEW_N(b->a, struct wr_str, room), 0, 0};
    struct wr_window low = g->win; /* over FROM's columns: for the late filter */
    int *key = WR_NEW_N(b->a, int, g->n_key + 4);
    for (int i = 0; i < g->n_key; i++)
        key[i] = pre_add(b, &pre, g->key[i], in);
    pre.own = g->n_set > 1 ? g->n_key : 0;
    a.key = key;
    a.n_key = g->n_key;
    if (g->loose) {
        for (; n_bound < 2 && bound[n_bound] >= 0; n_bound++)
            bound[n_bound] = pre_add(b, &pre, wr_col_of(b->a, in->out, bound[n_bound], -1), in);
    } else if (g->has_win) {
        a.win = g->win;
        a.win.time_col = pre_add(b, &pre, g->time, in);
        low.time_col = g->time->kind == WR_X_COL ? g->time->u.col : -1;
    } else if (g->attached) {
        a.win.kind = low.kind = WR_WIN_ATTACHED;
        a.win.end_col = key[g->end_key];
        a.win.start_col = g->start_key >= 0 ? key[g->start_key] : -1;
        low.time_col = -1;
        low.end_col = in->win_end;
        low.start_col = g->start_key >= 0 ? in->win_start : -1;
    }
    a.agg = WR_NEW_N(b->a, struct wr_aggcall, g->n_agg + 2);
    if (n_bound == 1) { /* a session's end is known from its rows */
        struct wr_expr *time = wr_col_of(b->a, in->out, loose.time, -1);
        a.agg[a.n_agg++] = (struct wr_aggcall){.fn = wr_agg_find(WR_STR("max")), .filter = -1, .n_arg = 1, .arg_type = {time->type},
                                               .arg = {pre_add(b, &pre, time, in)}, .retract = in->updating, .mem = b->a, .off = -1};
    }
    for (int i = 0; i < g->n_agg; i++)
        set_columns(b, &g->agg[i], &pre, in, &a.agg[a.n_agg++]);
    WR_TRY(rebind(b, &a));
    if (!g->loose && (g->has_win || g->attached))
        in = wr_late_filter(b, in, &low, a.lateness);
    in = wr_bind_made(b, wr_node_project(b->a, in, pre.n, pre.expr, pre.name));
    if (g->n_set > 1) {
        key[a.n_key++] = pre.n;
        in = wr_sets_expand(b, g, in);
    }
    for (int i = 0; i < n_bound; i++)
        key[a.n_key++] = bound[i];
    WR_TRY(finish_agg(b, in, &a, cl, out));
    return n_bound == 1 ? wr_loose_ends(b, g, a.n_key, out) : WR_OK;
}

wr_status wr_distinct_build(struct binder *b, const struct rel *r, const struct clauses *cl, struct wr_plan **out)
{
    struct wr_plan *in = r->plan;
    struct wr_plan_agg a = wr_agg_start(b, cl);
    int *key = WR_NEW_N(b->a, int, r->n + 1);
    for (int i = 0; i < r->n; i++)
        key[i] = i;
    a.key = key;
    a.n_key = r->n;
    if (in->win_end >= 0) {
        a.win = (struct wr_window){.kind = WR_WIN_ATTACHED, .time_col = -1, .start_col = in->win_start, .end_col = in->win_end};
        in = wr_late_filter(b, in, &a.win, a.lateness);
    }
    return finish_agg(b, in, &a, cl, out);
}

/* ---- above the aggregate ---- */

static wr_status not_grouped(struct binder *b, const struct grouping *g, const struct wr_expr *x)
{
    struct wr_str name = g->from->col[x->u.col].name, qual = g->from->col[x->u.col].qual;
    wr_fail_at(b->err, WR_ESQL, x->off, "column \"%.*s%s%.*s\" must appear in the GROUP BY clause or be used in an aggregate function", WR_FMT(qual),
               qual.n ? "." : "", WR_FMT(name));
    wr_hint(b->err, "add it to GROUP BY, or write min(%.*s), max(%.*s), any_value(%.*s)", WR_FMT(name), WR_FMT(name), WR_FMT(name));
    return WR_ESQL;
}

static bool is_key(const struct grouping *g, const struct wr_expr *x, int *at)
{
    for (int i = 0; i < g->n_key; i++)
        if (wr_expr_eq(g->key[i], x)) {
            *at = i;
            return true;
        }
    return false;
}

static struct wr_expr *agg_col(struct binder *b, const struct wr_plan *agg, int col, int32_t off)
{
    return wr_col_of(b->a, agg->out, col, off);
}

wr_status wr_regroup(struct binder *b, const struct grouping *g, const struct wr_plan *agg, struct wr_expr *x, struct wr_expr **out)
{
    int at, bounds = g->has_win ? 2 : 0;
    if (x->kind == WR_X_COL && x->u.col >= COL_OVER) {
        *out = x; /* a window function: settled on top of the aggregate */
        return WR_OK;
    }
    if (x->kind == WR_X_COL && x->u.col >= COL_AGG) {
        int n_key = g->n_key + (g->n_set > 1);
        int col = x->u.col == COL_SET ? g->n_key : x->u.col == COL_WIN_START ? n_key : x->u.col == COL_WIN_END ? n_key + 1 : n_key + bounds + x->u.col - COL_AGG;
        *out = agg_col(b, agg, col, x->off);
        return WR_OK;
    }
    if (x->kind == WR_X_CONST) {
        *out = x;
        return WR_OK;
    }
    if (is_key(g, x, &at)) {
        *out = agg_col(b, agg, at, x->off);
        return WR_OK;
    }
    if (x->kind == WR_X_COL) {
        if (!g->attached || !wr_is_window_time(g->from->plan, x->u.col))
            return not_grouped(b, g, x);
        struct wr_value us = {.type = WR_TYPE_OF(INTERVAL), .as.iv.us = 1};
        struct wr_expr *arg[2] = {agg_col(b, agg, g->end_key, x->off), wr_expr_const(b->a, us, -1)};
        return wr_bind_fn(b, "-", arg, 2, x->off, out);
    }
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        WR_TRY(wr_regroup(b, g, agg, x->u.call.arg[i], &y->u.call.arg[i]));
    *out = y;
    return WR_OK;
}

/* bind_window.c: windows, in GROUP BY and as table functions, and which watermark they close by.
 *
 *   GROUP BY      window(ts, size[, slide[, offset]])  tumble(ts, size[, offset])  hop(ts, slide, size[, offset])
 *                 cumulate(ts, step, max[, offset])  session(ts, gap)  session_window(ts, gap); without ts: the source's event time
 *   FROM          TUMBLE HOP CUMULATE SESSION (TABLE t [PARTITION BY k], DESCRIPTOR(ts), the same durations), also (t, ts, ...) and by name
 *
 * Rules:  the time column is traced down to the source that has it; WITH WATERMARK then sets that source's event time and delay for this query.
 *         A window over anything else than the event time is refused where there is a watermark: it would never close rightly. */
#include "planner/bind.h"
#include "core/time.h"

/* ---- the calls ---- */

enum part { P_SIZE, P_SLIDE, P_OFFSET, N_PARTS, P_END = N_PARTS };
static const char *const part_name[N_PARTS] = {"the window's size", "the window's slide", "the window's offset"};

struct form {
    const char *name;
    enum wr_winkind kind;
    enum part order[4];   /* the durations in the order written; P_END behind the last */
    int least;            /* durations at least */
    const char *usage;    /* in GROUP BY */
    bool table;           /* a table function too */
};
static const struct form forms[] = {
    {"window", WR_WIN_HOP, {P_SIZE, P_SLIDE, P_OFFSET, P_END}, 1, "window(time, size[, slide[, offset]])", false},
    {"tumble", WR_WIN_TUMBLE, {P_SIZE, P_OFFSET, P_END}, 1, "tumble(time, size[, offset])", true},
    {"hop", WR_WIN_HOP, {P_SLIDE, P_SIZE, P_OFFSET, P_END}, 2, "hop(time, slide, size[, offset])", true},
    {"cumulate", WR_WIN_CUMULATE, {P_SLIDE, P_SIZE, P_OFFSET, P_END}, 2, "cumulate(time, step, max size[, offset])", true},
    {"session", WR_WIN_SESSION, {P_SIZE, P_END}, 1, "session(time, gap)", true},
    {"session_window", WR_WIN_SESSION, {P_SIZE, P_END}, 1, "session_window(time, gap)", false},
};

static const struct form *form_of(struct wr_str name)
{
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (wr_str_ieq_c(name, forms[i].name))
            return &forms[i];
    return NULL;
}

bool wr_is_window_name(struct wr_str name)
{
    return form_of(name) != NULL;
}

/* What a call was given. */
struct given {
    const struct wr_ast_expr *data, *time, *dur[N_PARTS];
};

static wr_status usage(struct binder *b, const struct form *f, const struct wr_ast_expr *call, bool table)
{
    wr_fail_at(b->err, WR_ESQL, call->off, "wrong arguments for window function \"%s\"", f->name);
    if (!table)
        wr_hint(b->err, "write %s", f->usage);
    else
        wr_hint(b->err, "write %.*s(TABLE t, DESCRIPTOR(time)%s", WR_FMT(call->name->text), strchr(f->usage, ','));
    return WR_ESQL;
}

static wr_status take_named(struct binder *b, const struct form *f, const struct wr_ast_expr *call, const struct wr_ast_expr *a, struct given *g)
{
    static const struct { const char *name; enum part part; } names[] = {
        {"size", P_SIZE}, {"gap", P_SIZE}, {"slide", P_SLIDE}, {"step", P_SLIDE}, {"offset", P_OFFSET},
    };
    struct wr_str name = a->name->text;
    if (wr_str_ieq_c(name, "data")) {
        g->data = a->a;
        return WR_OK;
    }
    if (wr_str_ieq_c(name, "timecol")) {
        g->time = a->a;
        return WR_OK;
    }
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        bool fits = false;
        for (int k = 0; f->order[k] != P_END; k++)
            fits |= f->order[k] == names[i].part;
        if (fits && wr_str_ieq_c(name, names[i].name)) {
            g->dur[names[i].part] = a->a;
            return WR_OK;
        }
    }
    wr_fail_at(b->err, WR_ESQL, a->off, "\"%.*s\" has no argument \"%.*s\"", WR_FMT(call->name->text), WR_FMT(name));
    wr_hint(b->err, "there is DATA, TIMECOL, SIZE, SLIDE, STEP, GAP, OFFSET");
    return WR_ESQL;
}

static bool is_duration(const struct wr_ast_expr *e)
{
    return e->kind == WR_E_STRING || e->kind == WR_E_INTERVAL;
}

static wr_status take_args(struct binder *b, const struct form *f, const struct wr_ast_expr *call, bool table, struct given *g)
{
    int n_dur = 0, k = 0;
    bool named = false;
    for (const struct wr_ast_expr *a = call->args; a; a = a->next, k++) {
        if (a->kind == WR_E_NAMED) {
            named = true;
            WR_TRY(take_named(b, f, call, a, g));
        } else if (named) {
            return usage(b, f, call, table);
        } else if (table && !g->data) {
            g->data = a;
        } else if (!g->time && (table || !is_duration(a)) && n_dur == 0) {
            g->time = a;
        } else {
            if (n_dur >= N_PARTS || f->order[n_dur] == P_END)
                return usage(b, f, call, table);
            g->dur[f->order[n_dur++]] = a;
        }
    }
    for (int i = 0; i < f->least; i++)
        if (!g->dur[f->order[i]])
            return usage(b, f, call, table);
    return table && (!g->data || !g->time) ? usage(b, f, call, table) : WR_OK;
}

static void spell(struct wr_buf *out, const char *what, int64_t us)
{
    wr_buf_puts(out, what);
    wr_duration_print(out, us);
}

static wr_status slide_too_long(struct binder *b, const struct form *f, const struct wr_ast_expr *call, const struct wr_window *w, bool table)
{
    struct wr_buf text = WR_BUF_INIT(200);
    spell(&text, w->kind == WR_WIN_CUMULATE ? "the step, " : "the slide, ", w->slide);
    spell(&text, w->kind == WR_WIN_CUMULATE ? ", is longer than the greatest size, " : ", is longer than the size, ", w->size);
    wr_fail_at(b->err, WR_ESQL, call->off, "%s: %.*s", f->name, WR_FMT(wr_buf_get(&text)));
    if (table)
        wr_hint(b->err, "the order is %.*s(TABLE t, DESCRIPTOR(time), %s", WR_FMT(call->name->text), strchr(f->usage, ',') + 2);
    else
        wr_hint(b->err, "the order is %s", f->usage);
    wr_buf_clear(&text);
    return WR_ESQL;
}

static wr_status read_durations(struct binder *b, const struct form *f, const struct wr_ast_expr *call, const struct given *g, bool table,
                                struct wr_window *w)
{
    int64_t v[N_PARTS] = {0};
    for (int i = 0; i < N_PARTS; i++)
        if (g->dur[i])
            WR_TRY(wr_bind_duration(b, g->dur[i], part_name[i], i == P_OFFSET ? -1 : 1, &v[i]));
    *w = (struct wr_window){.kind = f->kind, .size = v[P_SIZE], .slide = v[P_SLIDE] ? v[P_SLIDE] : v[P_SIZE], .time_col = -1, .start_col = -1,
                            .end_col = -1};
    if (w->slide > w->size)
        return slide_too_long(b, f, call, w, table);
    if (w->kind == WR_WIN_CUMULATE && w->size % w->slide) {
        wr_fail_at(b->err, WR_ESQL, call->off, "cumulate: the greatest size must be a multiple of the step");
        return WR_ESQL;
    }
    if (w->size / w->slide > MAX_WINDOWS)
        return wr_fail_at(b->err, WR_ESQL, call->off, "a row would belong to %lld windows, more than %d", (long long)(w->size / w->slide), MAX_WINDOWS);
    if (w->kind == WR_WIN_HOP && w->slide == w->size)
        w->kind = WR_WIN_TUMBLE;
    int64_t round = w->kind == WR_WIN_CUMULATE ? w->size : w->slide;
    w->offset = (v[P_OFFSET] % round + round) % round;
    return WR_OK;
}

static wr_status check_time_type(struct binder *b, const struct wr_expr *time, const char *fn)
{
    if (wr_type_is_time(time->type))
        return WR_OK;
    struct wr_str t = wr_type_name(b->a, time->type);
    wr_fail_at(b->err, WR_ESQL, time->off, "the time column of \"%s\" must be a TIMESTAMP, not %.*s", fn, WR_FMT(t));
    wr_hint(b->err, "declare it as TIMESTAMP in the source, or add a computed column there");
    return WR_ESQL;
}

static wr_status no_event_time(struct binder *b, int32_t off)
{
    wr_fail_at(b->err, WR_ESQL, off, "it is not known which column is the event time");
    wr_hint(b->err, "name it as the first argument, or declare WATERMARK FOR column AS column - INTERVAL '1' MINUTE in the source");
    return WR_ESQL;
}

wr_status wr_bind_window_call(struct xctx *x, const struct wr_ast_expr *call, struct wr_window *win, struct wr_expr **time)
{
    struct binder *b = x->b;
    const struct form *f = form_of(call->name->text);
    struct given g = {0};
    WR_TRY(take_args(b, f, call, false, &g));
    WR_TRY(read_durations(b, f, call, &g, false, win));
    if (call->flag || call->filter || call->order || call->over)
        return usage(b, f, call, false);
    if (!x->rel)
        return wr_fail_at(b->err, WR_ESQL, call->off, "a window needs a FROM clause");
    if (!g.time) {
        if (x->rel->plan->time_col < 0)
            return no_event_time(b, call->off);
        *time = wr_col_of(b->a, x->rel->plan->out, x->rel->plan->time_col, call->off);
        return WR_OK;
    }
    const struct wr_ast_expr *t = g.time;
    struct wr_ast_expr name;
    if (t->kind == WR_E_DESCRIPTOR) {
        name = *t;
        name.kind = WR_E_NAME;
        t = &name;
    }
    struct grouping *group = x->group;
    x->group = NULL;
    wr_status st = wr_bind_expr(x, t, time);
    x->group = group;
    WR_TRY(st);
    return check_time_type(b, *time, f->name);
}

bool wr_is_group_window(struct xctx *x, const struct wr_ast_expr *call, bool *same)
{
    struct wr_window w;
    struct wr_expr *time;
    *same = false;
    if (!x->group || !x->group->has_win || call->name->next || !form_of(call->name->text))
        return false;
    if (wr_bind_window_call(x, call, &w, &time))
        return true;
    const struct wr_window *own = &x->group->win;
    *same = w.kind == own->kind && w.size == own->size && w.slide == own->slide && w.offset == own->offset && wr_expr_eq(time, x->group->time);
    return true;
}

wr_status wr_bind_window_part(struct xctx *x, const struct wr_ast_expr *call, struct wr_expr **out, bool *is)
{
    static const char *const parts[] = {"_start", "_end", "_rowtime", "_proctime"};
    struct binder *b = x->b;
    struct wr_str name = call->name->text, part = {0};
    for (int i = 0; i < 4 && !part.n; i++) {
        uint32_t n = (uint32_t)strlen(parts[i]);
        if (name.n > n && memcmp(name.p + name.n - n, parts[i], n) == 0)
            part = (struct wr_str){name.p + name.n - n + 1, n - 1};
    }
    struct wr_str stem = {name.p, part.n ? name.n - part.n - 1 : 0};
    *is = part.n && form_of(stem) != NULL && !wr_str_eq_c(part, "proctime");
    if (!*is)
        return WR_OK;
    struct wr_ast_expr window = *call;
    struct wr_ast_name own = *call->name;
    bool same = false;
    own.text = stem;
    window.name = &own;
    if (!x->group || !x->group->has_win) {
        wr_fail_at(b->err, WR_ESQL, call->off, "\"%.*s\" is asked of a query that is not grouped by a window", WR_FMT(name));
        wr_hint(b->err, "GROUP BY %.*s(time, ...) gives window_start and window_end", WR_FMT(stem));
        return WR_ESQL;
    }
    (void)wr_is_group_window(x, &window, &same);
    if (!same)
        return b->err->code ? WR_ESQL : wr_fail_at(b->err, WR_ESQL, call->off, "this is not the window in GROUP BY");
    if (wr_str_eq_c(part, "rowtime"))
        return wr_group_time(x, call->off, out);
    *out = wr_group_bound(x, part, call->off);
    return WR_OK;
}

/* ---- as table functions ---- */

static wr_status window_input(struct binder *b, const struct form *f, const struct wr_ast_expr *call, const struct wr_ast_expr *data,
                              const struct env *env, struct rel *in)
{
    if (data->kind == WR_E_TABLE || data->kind == WR_E_NAME) {
        if (data->order)
            return wr_bind_refuse(b, data->order->expr->off, "ORDER BY in the argument of a window", NULL);
        if (data->args && f->kind != WR_WIN_SESSION) {
            wr_fail_at(b->err, WR_ESQL, data->args->off, "PARTITION BY has no meaning for %.*s windows", WR_FMT(call->name->text));
            wr_hint(b->err, "only SESSION takes it; group by the columns instead");
            return WR_ESQL;
        }
        return wr_bind_table_name(b, data->name, env, in);
    }
    if (data->kind != WR_E_SUBQUERY)
        return usage(b, f, call, true);
    return wr_bind_query(b, data->select, env, in);
}

static wr_status partition_columns(struct xctx *x, const struct wr_ast_expr *list, struct wr_plan_window *w)
{
    int n = wr_ast_len(list), *col = WR_NEW_N(x->b->a, int, n + 1);
    for (int i = 0; list; list = list->next, i++) {
        struct wr_expr *y;
        WR_TRY(wr_bind_expr(x, list, &y));
        if (y->kind != WR_X_COL)
            return wr_fail_at(x->b->err, WR_ESQL, list->off, "PARTITION BY takes columns, not expressions");
        col[i] = y->u.col;
    }
    w->part = col;
    w->n_part = n;
    return WR_OK;
}

wr_status wr_bind_window_table(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    const struct wr_ast_expr *call = t->call;
    const struct form *f = form_of(call->name->text);
    struct given g = {0};
    struct wr_window win;
    struct rel in;
    if (!f || !f->table || call->name->next) {
        wr_fail_at(b->err, WR_ESQL, call->off, "there is no table function \"%.*s\"", WR_FMT(call->name->text));
        wr_hint(b->err, "there is TUMBLE, HOP, CUMULATE, SESSION");
        return WR_ESQL;
    }
    WR_TRY(take_args(b, f, call, true, &g));
    WR_TRY(read_durations(b, f, call, &g, true, &win));
    WR_TRY(window_input(b, f, call, g.data, env, &in));
    if (!g.time->name || (g.time->kind != WR_E_DESCRIPTOR && g.time->kind != WR_E_NAME))
        return usage(b, f, call, true);
    const struct wr_ast_name *name = g.time->name;
    int col = wr_rel_find(b, &in, name->next ? name->text : (struct wr_str){0}, name->next ? name->next->text : name->text, g.time->off, true);
    if (col < 0)
        return WR_ESQL;
    WR_TRY(check_time_type(b, wr_col_of(b->a, in.plan->out, col, g.time->off), f->name));
    if (env->cl.wm)
        wr_watermark_apply(b, in.plan, env->cl.wm, col, false);
    bool bound = col == in.plan->win_start || col == in.plan->win_end; /* window_time is meant */
    bool loose = in.plan->updating && !bound && (win.kind == WR_WIN_SESSION || !wr_event_time_is(b, &in, col));
    if (loose && win.kind == WR_WIN_SESSION)
        return wr_bind_refuse(b, call->off, "SESSION as a table function over rows that may be taken back", "write GROUP BY k, session(time, gap)");
    if (!loose)
        WR_TRY(wr_event_time_check(b, &in, col, g.time->off));
    for (int i = 0; i < in.n; i++)
        if (wr_str_eq_c(in.col[i].name, "window_start") || wr_str_eq_c(in.col[i].name, "window_end") || wr_str_eq_c(in.col[i].name, "window_time")) {
            wr_fail_at(b->err, WR_ESQL, call->off, "the rows have a column \"%.*s\" already", WR_FMT(in.col[i].name));
            wr_hint(b->err, "rename it in a subquery: (SELECT %.*s AS first_%.*s, ... FROM ...)", WR_FMT(in.col[i].name), WR_FMT(in.col[i].name));
            return WR_ESQL;
        }
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_WINDOW, in.plan);
    win.time_col = col;
    p->u.window.win = win;
    p->u.window.loose = loose;
    p->u.window.off = b->view_off >= 0 ? b->view_off : call->off;
    struct xctx x = {.b = b, .rel = &in, .clause = "PARTITION BY", .env = env};
    WR_TRY(partition_columns(&x, g.data->kind == WR_E_TABLE ? g.data->args : NULL, &p->u.window));
    wr_node_props(b->a, p);
    *out = wr_rel_of(b, wr_bind_made(b, p), in.n ? in.col[0].qual : (struct wr_str){0});
    for (int i = 0; i < in.n; i++)
        out->col[i] = in.col[i];
    return WR_OK;
}

/* ---- watermarks ---- */

wr_status wr_bind_wmclause(struct binder *b, const struct wr_ast_watermark *w, struct wmclause *out)
{
    out->off = w->off;
    out->idle = out->lateness = -1;
    out->delay = 0;
    if (w->delay)
        WR_TRY(wr_bind_duration(b, w->delay, "the watermark's delay", 0, &out->delay));
    if (w->idle)
        WR_TRY(wr_bind_duration(b, w->idle, "the idle timeout", 0, &out->idle));
    if (w->lateness)
        WR_TRY(wr_bind_duration(b, w->lateness, "the lateness", 0, &out->lateness));
    return WR_OK;
}

static void set_clause(struct wr_plan *p, const struct wmclause *wm, int col)
{
    struct wr_plan_watermark *w = &p->u.watermark;
    w->time_col = col;
    w->delay = wm->delay;
    if (wm->idle >= 0)
        w->idle = wm->idle;
    w->from_query = true;
    *wm->used = true;
}

/* Follows column col of p down to the watermark over its source. */
static void set_time(struct wr_plan *p, const struct wmclause *wm, int col)
{
    switch (p->kind) {
    case WR_PLAN_WATERMARK:
        if (!p->u.watermark.from_query && wr_type_is_time(p->out->field[col].type))
            set_clause(p, wm, col);
        return;
    case WR_PLAN_PROJECT:
        if (p->u.project.expr[col]->kind == WR_X_COL)
            set_time(p->in[0], wm, p->u.project.expr[col]->u.col);
        return;
    case WR_PLAN_WINDOW:
        if (col < p->in[0]->out->n)
            set_time(p->in[0], wm, col);
        return;
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME:
    case WR_PLAN_UNNEST:
    case WR_PLAN_LOOKUP:
        if (col < p->in[0]->out->n)
            set_time(p->in[0], wm, col);
        return;
    case WR_PLAN_UNION:
    case WR_PLAN_SETOP:
        for (int i = 0; i < p->n_in; i++)
            set_time(p->in[i], wm, col);
        return;
    case WR_PLAN_JOIN: {
        int side, c = wr_join_trace(p, col, &side);
        if (c >= 0)
            set_time(p->in[side], wm, c);
        return;
    }
    case WR_PLAN_FILTER:
    case WR_PLAN_LATE:
    case WR_PLAN_SORT:
    case WR_PLAN_LIMIT:
    case WR_PLAN_EXCHANGE: set_time(p->in[0], wm, col); return;
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION:
    case WR_PLAN_EXPAND:
    case WR_PLAN_MATCH:
    case WR_PLAN_SCAN:
    case WR_PLAN_VALUES:
    case WR_PLAN_SIDE:
    case WR_PLAN_SINK:
    case WR_PLAN_COUNT: return;
    }
}

static void set_declared(void *ctx, struct wr_plan *p)
{
    const struct wmclause *wm = ctx;
    if (p->kind != WR_PLAN_WATERMARK || p->u.watermark.time_col < 0)
        return;
    if (!p->u.watermark.from_query)
        set_clause(p, wm, p->u.watermark.time_col);
    else
        *wm->used = true;
}

void wr_watermark_apply(struct binder *b, struct wr_plan *p, const struct wmclause *wm, int col, bool all)
{
    struct wmclause copy = *wm;
    if (col >= 0)
        set_time(p, wm, col);
    if (all)
        wr_node_walk(p, set_declared, &copy);
    wr_node_props_deep(b->a, p);
}

bool wr_event_time_is(struct binder *b, const struct rel *r, int col)
{
    return r->plan->time_col == col || !wr_node_has_watermark(r->plan) || wr_join_time_is(b, r->plan, col);
}

wr_status wr_event_time_check(struct binder *b, const struct rel *r, int col, int32_t off)
{
    const struct wr_plan *p = r->plan;
    if (wr_event_time_is(b, r, col))
        return WR_OK;
    struct wr_str name = r->col[col].name;
    wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is not the event time: the watermark would not close these windows rightly", WR_FMT(name));
    if (col == p->win_end || col == p->win_start)
        wr_hint(b->err, "use window_time, the last moment of the window below");
    else if (p->time_col >= 0)
        wr_hint(b->err, "the watermark is about \"%.*s\"; WITH WATERMARK on this query makes it about \"%.*s\"", WR_FMT(r->col[p->time_col].name), WR_FMT(name));
    else
        wr_hint(b->err, "a window needs the source's own column, not one made of it: add a computed column to the source");
    return WR_ESQL;
}

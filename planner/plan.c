/* plan.c: names of nodes, and the plan as EXPLAIN prints it.
 * Rules:  one line a node, inputs indented below; what a node does on the first line, what it keeps and when it lets go on the next.
 *         Names are those of the input's columns. Nothing printed depends on addresses, so plans can be compared as text. */
#include "planner/over.h"

#include <stdlib.h>
#include "core/time.h"

const char *wr_plan_name(enum wr_pkind k)
{
    static const char *const name[] = {
#define WR_PLAN(id, text, member) text,
#include "planner/plan.def"
#undef WR_PLAN
    };
    WR_ASSERT(k < WR_PLAN_COUNT);
    return name[k];
}

/* ---- EXPLAIN ---- */

struct printer {
    struct wr_buf *out;
    void (*note)(void *ctx, const struct wr_plan *, struct wr_buf *);
    void *ctx;
    const struct wr_plan **seen; /* printed already, with what is below them; malloc'd */
    int n_seen, cap_seen;
    bool state;                  /* as checkpoints know it: without exchanges, and the same whether the input ends or not */
};

static void put_name(struct wr_buf *out, struct wr_str s)
{
    wr_buf_str(out, s);
}

static struct wr_str col_name(const struct wr_schema *s, int col)
{
    return col >= 0 && col < s->n ? s->field[col].name : WR_STR("?");
}

static void put_cols(struct wr_buf *out, const struct wr_schema *s, const int *col, int n)
{
    for (int i = 0; i < n; i++) {
        wr_buf_puts(out, i ? ", " : "");
        put_name(out, col_name(s, col[i]));
    }
}

static void put_duration(struct wr_buf *out, const char *before, int64_t us)
{
    wr_buf_puts(out, before);
    wr_duration_print(out, us);
}

static void put_window(struct wr_buf *out, const struct wr_window *w, const struct wr_schema *in)
{
    static const char *const name[] = {"", "tumble", "hop", "cumulate", "session", ""};
    if (w->kind == WR_WIN_ATTACHED) {
        wr_buf_printf(out, "windows ending at %.*s", WR_FMT(col_name(in, w->end_col)));
        return;
    }
    wr_buf_printf(out, "%s(%.*s", name[w->kind], WR_FMT(col_name(in, w->time_col)));
    put_duration(out, w->kind == WR_WIN_SESSION ? ", gap " : ", ", w->size);
    if (w->kind == WR_WIN_HOP)
        put_duration(out, ", every ", w->slide);
    if (w->kind == WR_WIN_CUMULATE)
        put_duration(out, ", step ", w->slide);
    if (w->offset)
        put_duration(out, ", offset ", w->offset);
    wr_buf_putc(out, ')');
}

void wr_aggcall_print(struct wr_buf *out, const struct wr_aggcall *c, const struct wr_schema *in)
{
    wr_buf_printf(out, "%s(%s", c->fn->name, c->distinct ? "DISTINCT " : "");
    if (c->n_arg == 0)
        wr_buf_putc(out, '*');
    put_cols(out, in, c->arg, c->n_arg);
    if (c->has_param && c->fn->constant == WR_AGG_CONST_SEP)
        wr_buf_printf(out, ", '%.*s'", WR_FMT(c->sep));
    else if (c->has_param)
        wr_buf_printf(out, ", %g", c->param);
    for (int i = 0; i < c->n_order; i++) {
        wr_buf_puts(out, i ? ", " : " ORDER BY ");
        put_name(out, col_name(in, c->order[i]));
        wr_buf_puts(out, c->order_desc[i] ? " DESC" : "");
    }
    wr_buf_putc(out, ')');
    if (c->filter >= 0)
        wr_buf_printf(out, " FILTER (WHERE %.*s)", WR_FMT(col_name(in, c->filter)));
}

/* "one entry per (categoria, window)" and when it goes. */
static void put_agg_state(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_agg *g = &p->u.agg;
    const struct wr_schema *in = p->in[0]->out;
    bool closes = g->win.kind != WR_WIN_NONE, own = closes && g->win.kind != WR_WIN_ATTACHED;
    wr_buf_puts(out, "state: ");
    if (g->n_key == 0 && !closes) {
        wr_buf_puts(out, "one entry");
        return;
    }
    wr_buf_puts(out, "one entry per (");
    put_cols(out, in, g->key, g->n_key);
    if (own)
        wr_buf_printf(out, "%s%s", g->n_key ? ", " : "", g->win.kind == WR_WIN_SESSION ? "session" : "window");
    wr_buf_putc(out, ')');
    if (closes && !wr_node_has_watermark(p)) {
        wr_buf_puts(out, p->bounded ? ", freed at the end of the input" : ", grows for ever: no watermark, set WITH WATERMARK");
    } else if (closes) {
        wr_buf_puts(out, ", freed when W passes window end");
        if (g->lateness)
            put_duration(out, " + ", g->lateness);
    } else if (g->ttl) {
        put_duration(out, ", freed when untouched for ", g->ttl);
    } else {
        wr_buf_puts(out, p->bounded ? ", kept to the end of the input" : ", grows for ever: set state.ttl");
    }
}

static bool agg_grows(const struct wr_plan *p)
{
    const struct wr_plan_agg *g = &p->u.agg;
    bool closes = g->win.kind != WR_WIN_NONE;
    if (p->bounded || (g->n_key == 0 && !closes))
        return false;
    return closes ? !wr_node_has_watermark(p) : !g->ttl;
}

static void put_emit(struct wr_buf *out, const struct wr_plan_agg *g)
{
    switch (g->emit) {
    case WR_EMIT_CHANGES: wr_buf_puts(out, "emits changes; "); break;
    case WR_EMIT_EVERY: put_duration(out, "emits changes every ", g->every); wr_buf_puts(out, "; "); break;
    case WR_EMIT_FINAL: wr_buf_puts(out, "emits final results; "); break;
    }
}

static void put_agg(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_agg *g = &p->u.agg;
    const struct wr_schema *in = p->in[0]->out;
    if (g->n_key || g->win.kind != WR_WIN_NONE)
        wr_buf_puts(out, " by ");
    put_cols(out, in, g->key, g->n_key);
    if (g->win.kind != WR_WIN_NONE) {
        wr_buf_puts(out, g->n_key ? ", " : "");
        put_window(out, &g->win, in);
    }
    for (int i = 0; i < g->n_agg; i++) {
        wr_buf_puts(out, i ? ", " : ": ");
        wr_aggcall_print(out, &g->agg[i], in);
    }
}

static void put_exprs(struct wr_buf *out, const struct wr_plan *p)
{
    struct wr_buf text = WR_BUF_INIT(4096);
    for (int i = 0; i < p->u.project.n; i++) {
        wr_buf_reset(&text);
        wr_expr_print(&text, p->u.project.expr[i], p->in[0]->out);
        wr_buf_puts(out, i ? ", " : " ");
        wr_buf_str(out, wr_buf_get(&text));
        struct wr_str name = p->out->field[i].name;
        if (!wr_str_eq(name, wr_buf_get(&text)))
            wr_buf_printf(out, " AS %.*s", WR_FMT(name));
    }
    wr_buf_clear(&text);
}

static void put_scan(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_scan *s = &p->u.scan;
    wr_buf_printf(out, " %.*s (%s%s%s)", WR_FMT(s->spec.name), s->connector->name, s->spec.format ? ", " : "",
                  s->spec.format ? s->spec.format->name : "");
    for (int i = 0; i < p->out->n; i++) {
        wr_buf_puts(out, i ? ", " : ": ");
        put_name(out, p->out->field[i].name);
    }
    wr_buf_puts(out, p->bounded ? "; ends by itself" : "");
}

static void put_sort(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_sort *s = &p->u.sort;
    for (int i = 0; i < s->n; i++) {
        wr_buf_puts(out, i ? ", " : " by ");
        put_name(out, col_name(p->out, s->col[i]));
        wr_buf_puts(out, s->desc[i] ? " DESC" : "");
        if (s->nulls_first[i] != s->desc[i])
            wr_buf_puts(out, s->nulls_first[i] ? " NULLS FIRST" : " NULLS LAST");
    }
    if (s->limit >= 0)
        wr_buf_printf(out, "%s limit %lld", s->n ? "," : "", (long long)s->limit);
    if (s->offset)
        wr_buf_printf(out, " offset %lld", (long long)s->offset);
    wr_buf_puts(out, "; at the end of the input");
}

static void put_sink(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_sink *s = &p->u.sink;
    wr_buf_printf(out, " %.*s (%s%s%s)", WR_FMT(s->spec.name), s->connector->name, s->spec.format ? ", " : "",
                  s->spec.format ? s->spec.format->name : "");
    if (s->spec.n_key) {
        wr_buf_puts(out, s->spec.updating ? ": upsert by " : ": key ");
        put_cols(out, s->spec.schema, s->spec.key, s->spec.n_key);
    } else {
        wr_buf_puts(out, s->spec.updating ? ": every change" : ": append");
    }
    const struct wr_sink_vt *vt = s->connector->sink;
    if (vt && vt->promise) {
        wr_buf_puts(out, "; ");
        vt->promise(&s->spec, out);
    }
}

static void put_watermark(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_watermark *w = &p->u.watermark;
    wr_buf_putc(out, ' ');
    put_name(out, col_name(p->out, w->time_col));
    put_duration(out, " - ", w->delay);
    if (w->idle)
        put_duration(out, ", idle after ", w->idle);
    else
        wr_buf_puts(out, ", never idle");
}

static void put_head(struct wr_buf *out, const struct wr_plan *p)
{
    wr_buf_puts(out, wr_plan_name(p->kind));
    switch (p->kind) {
    case WR_PLAN_SCAN: put_scan(out, p); break;
    case WR_PLAN_VALUES: wr_buf_printf(out, " %d row%s", p->u.values.n_row, p->u.values.n_row == 1 ? "" : "s"); break;
    case WR_PLAN_SIDE:
        wr_buf_printf(out, " %.*s$%s", WR_FMT(p->u.side.scan->u.scan.spec.name), p->u.side.which == WR_SIDE_LATE ? "late" : "errors");
        break;
    case WR_PLAN_WATERMARK: put_watermark(out, p); break;
    case WR_PLAN_FILTER:
        wr_buf_putc(out, ' ');
        wr_expr_print(out, p->u.filter.pred, p->in[0]->out);
        break;
    case WR_PLAN_PROJECT: put_exprs(out, p); break;
    case WR_PLAN_WINDOW:
        wr_buf_putc(out, ' ');
        put_window(out, &p->u.window.win, p->in[0]->out);
        break;
    case WR_PLAN_LATE:
        wr_buf_putc(out, ' ');
        put_window(out, &p->u.late.win, p->in[0]->out);
        if (p->u.late.lateness)
            put_duration(out, ", lateness ", p->u.late.lateness);
        break;
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: put_agg(out, p); break;
    case WR_PLAN_UNION: break;
    case WR_PLAN_LOOKUP:
        wr_buf_printf(out, " %s %.*s (%s) on", p->u.lookup.left ? "left" : "inner", WR_FMT(p->u.lookup.spec.name), p->u.lookup.connector->name);
        for (int i = 0; i < p->u.lookup.spec.n_key; i++)
            wr_buf_printf(out, "%s %.*s = %.*s", i ? "," : "", WR_FMT(col_name(p->in[0]->out, p->u.lookup.key[i])),
                          WR_FMT(p->u.lookup.spec.schema->field[p->u.lookup.spec.key[i]].name));
        wr_buf_printf(out, "; remembers %lld keys", (long long)p->u.lookup.cache_rows);
        put_duration(out, " for ", p->u.lookup.cache_ttl);
        break;
    case WR_PLAN_SETOP: wr_buf_printf(out, " %s%s", p->u.setop.except ? "except" : "intersect", p->u.setop.all ? " all" : ""); break;
    case WR_PLAN_JOIN: wr_join_print(out, p); break;
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME:
    case WR_PLAN_EXPAND: wr_over_print(out, p); break;
    case WR_PLAN_UNNEST: wr_unnest_print(out, p); break;
    case WR_PLAN_MATCH: wr_match_print(out, p); break;
    case WR_PLAN_SORT: put_sort(out, p); break;
    case WR_PLAN_LIMIT:
        wr_buf_printf(out, " %lld", (long long)p->u.limit.limit);
        if (p->u.limit.offset)
            wr_buf_printf(out, " offset %lld", (long long)p->u.limit.offset);
        break;
    case WR_PLAN_EXCHANGE:
        wr_buf_puts(out, p->u.exchange.n_key ? " by hash of " : " into one task");
        put_cols(out, p->out, p->u.exchange.key, p->u.exchange.n_key);
        break;
    case WR_PLAN_SINK: put_sink(out, p); break;
    case WR_PLAN_COUNT: break;
    }
}

static void indent(struct wr_buf *out, int depth)
{
    for (int i = 0; i < depth; i++)
        wr_buf_puts(out, "  ");
}

/* True if the node was printed before and has anything below it; remembers it else. */
static bool seen_before(struct printer *pr, const struct wr_plan *p)
{
    for (int i = 0; i < pr->n_seen; i++)
        if (pr->seen[i] == p)
            return true;
    if (pr->n_seen == pr->cap_seen) {
        pr->cap_seen = pr->cap_seen ? 2 * pr->cap_seen : 64;
        pr->seen = wr_realloc(pr->seen, sizeof(*pr->seen) * (size_t)pr->cap_seen);
    }
    pr->seen[pr->n_seen++] = p;
    return false;
}

/* A node as it is over input that never ends: how a job is run is no part of what it keeps. */
struct endless { struct wr_plan node, in[2], *ins[2]; };

static const struct wr_plan *endless(const struct wr_plan *p, struct endless *e)
{
    e->node = *p;
    e->node.bounded = false;
    if (p->kind != WR_PLAN_JOIN)
        return &e->node;
    for (int i = 0; i < 2; i++) {
        e->in[i] = *p->in[i];
        e->in[i].bounded = false;
        e->ins[i] = &e->in[i];
    }
    e->node.in = e->ins;
    return &e->node;
}

static void print_node(struct printer *pr, const struct wr_plan *p, int depth)
{
    if (pr->state && p->kind == WR_PLAN_EXCHANGE) {
        print_node(pr, p->in[0], depth);
        return;
    }
    bool again = seen_before(pr, p);
    struct wr_plan *const *in = p->in;
    struct endless e;
    if (pr->state)
        p = endless(p, &e);
    indent(pr->out, depth);
    if (depth)
        wr_buf_puts(pr->out, "-> ");
    put_head(pr->out, p);
    if (again && p->n_in) {
        wr_buf_puts(pr->out, " (shared: shown above)\n");
        return;
    }
    if (pr->note)
        pr->note(pr->ctx, p, pr->out);
    wr_buf_putc(pr->out, '\n');
    if (p->kind == WR_PLAN_AGG || p->kind == WR_PLAN_SESSION) {
        indent(pr->out, depth + 2);
        put_emit(pr->out, &p->u.agg);
        put_agg_state(pr->out, p);
        wr_buf_putc(pr->out, '\n');
    }
    if (p->kind == WR_PLAN_TOP_N || p->kind == WR_PLAN_OVER || p->kind == WR_PLAN_OVER_TIME) {
        indent(pr->out, depth + 2);
        wr_over_print_state(pr->out, p);
        wr_buf_putc(pr->out, '\n');
    }
    if (p->kind == WR_PLAN_MATCH) {
        indent(pr->out, depth + 2);
        wr_match_print_state(pr->out, p);
        wr_buf_putc(pr->out, '\n');
    }
    if (p->kind == WR_PLAN_JOIN) {
        indent(pr->out, depth + 2);
        wr_join_print_state(pr->out, p);
        wr_buf_putc(pr->out, '\n');
    }
    if (p->kind == WR_PLAN_SETOP) {
        indent(pr->out, depth + 2);
        wr_buf_puts(pr->out, "state: one entry per different row");
        if (p->u.setop.ttl)
            put_duration(pr->out, ", freed when untouched for ", p->u.setop.ttl);
        else
            wr_buf_puts(pr->out, p->bounded ? ", kept to the end of the input" : ", grows for ever: set state.ttl");
        wr_buf_putc(pr->out, '\n');
    }
    for (int i = 0; i < p->n_in; i++)
        print_node(pr, in[i], depth + 1);
}

void wr_plan_print_state(struct wr_buf *out, const struct wr_plan *p)
{
    struct printer pr = {.out = out, .state = true};
    print_node(&pr, p, 0);
    free(pr.seen);
}

void wr_plan_print(struct wr_buf *out, const struct wr_plan *sink, void (*note)(void *ctx, const struct wr_plan *, struct wr_buf *), void *ctx)
{
    struct printer pr = {.out = out, .note = note, .ctx = ctx};
    print_node(&pr, sink, 0);
    free(pr.seen);
}

void wr_jobplan_print_state(struct wr_buf *out, const struct wr_jobplan *j)
{
    struct printer pr = {.out = out, .state = true};
    for (int i = 0; i < j->n_sink; i++)
        print_node(&pr, j->sink[i], 0);
    free(pr.seen);
}

void wr_jobplan_print(struct wr_buf *out, const struct wr_jobplan *j)
{
    struct printer pr = {.out = out}; /* one for all: what several sinks share is shown once */
    for (int i = 0; i < j->n_sink; i++)
        print_node(&pr, j->sink[i], 0);
    free(pr.seen);
}

static bool grows(const struct wr_plan *p)
{
    switch (p->kind) {
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: return agg_grows(p);
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME: return wr_over_grows(p);
    case WR_PLAN_JOIN: return wr_join_grows(p);
    case WR_PLAN_SETOP: return !p->bounded && !p->u.setop.ttl;
    case WR_PLAN_SCAN: case WR_PLAN_VALUES: case WR_PLAN_SIDE: case WR_PLAN_WATERMARK: case WR_PLAN_FILTER: case WR_PLAN_PROJECT: case WR_PLAN_WINDOW:
    case WR_PLAN_LATE: case WR_PLAN_UNION: case WR_PLAN_EXPAND: case WR_PLAN_UNNEST: case WR_PLAN_MATCH: case WR_PLAN_LOOKUP: case WR_PLAN_SORT: case WR_PLAN_LIMIT: case WR_PLAN_EXCHANGE:
    case WR_PLAN_SINK: case WR_PLAN_COUNT: break;
    }
    return false;
}

bool wr_plan_growing(const struct wr_jobplan *j, struct wr_buf *out)
{
    int n = 0;
    for (int i = 0; i < j->n_node; i++) {
        if (!grows(j->node[i]))
            continue;
        wr_buf_puts(out, n++ ? "; " : "");
        put_head(out, j->node[i]);
    }
    return n > 0;
}

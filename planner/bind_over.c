/* bind_over.c: window functions: fn(...) [FILTER] OVER (PARTITION BY .. ORDER BY .. ROWS|RANGE ..), OVER w, the WINDOW clause.
 *
 *   FROM, WHERE [, aggregate, HAVING] -> projection of what they need -> Over | OverTime, one for each partitioning and order -> QUALIFY, select list
 *
 * Rules:  while the select list is bound a window function is the column COL_OVER + its number; wr_over_place() makes it a column of the node.
 *         Input that only adds rows, in order of the event time its watermark speaks about, is appended to (OverTime); all else is computed anew
 *         where it changed (Over). A function that bounds nothing stays here; bind_rank.c makes a Top-N of one that a filter bounds. */
#include "planner/bind.h"
#include "planner/over.h"

struct overkey { struct wr_expr *x; bool desc, nulls_first; };
struct overspec {                 /* partitioning and order */
    int n_part, n_order;
    struct wr_expr **part;
    struct overkey *order;
};
struct overref {                  /* a window function */
    int spec;
    struct wr_overfn fn;          /* columns not yet set */
    struct aggref agg;
    struct wr_expr *arg, *def;
    bool framed;
    struct wr_frame frame;
    int col;                      /* after wr_over_build: column of the node */
    int32_t off;
};
struct overs {
    const struct wr_ast_window_def *defs;
    int n_spec, cap_spec, n, cap;
    struct overspec *spec;
    struct overref *ref;
};

enum { MAX_REFS = 32 };           /* windows that refer to windows */

/* ---- finding ---- */

bool wr_has_over(const struct wr_ast_expr *e)
{
    if (!e)
        return false;
    if ((e->kind == WR_E_CALL && e->over) || wr_has_over(e->a) || wr_has_over(e->b) || wr_has_over(e->c))
        return true;
    for (const struct wr_ast_expr *a = e->args; a; a = a->next)
        if (wr_has_over(a))
            return true;
    return false;
}

bool wr_select_has_over(const struct wr_ast_select *s)
{
    if (s->qualify)
        return true;
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        if (wr_has_over(it->expr))
            return true;
    for (const struct wr_ast_order *o = s->order; o; o = o->next)
        if (wr_has_over(o->expr))
            return true;
    return false;
}

struct overs *wr_overs_new(struct binder *b, const struct wr_ast_select *s)
{
    struct overs *o = WR_NEW(b->a, struct overs);
    o->defs = s->windows;
    return o;
}

/* ---- the window: OVER (...) ---- */

/* What OVER says, names followed: the parts may come from different places. */
struct said {
    const struct wr_ast_expr *partition;
    const struct wr_ast_order *order;
    const struct wr_ast_over *frame; /* that has a frame; NULL: none */
};

static wr_status follow(struct binder *b, const struct overs *o, const struct wr_ast_over *w, int depth, struct said *out)
{
    if (w->ref) {
        const struct wr_ast_window_def *d = o->defs;
        while (d && !wr_str_eq(d->name->text, w->ref->text))
            d = d->next;
        if (!d) {
            wr_fail_at(b->err, WR_ESQL, w->ref->off, "there is no window \"%.*s\"", WR_FMT(w->ref->text));
            wr_hint(b->err, "declare it behind HAVING: WINDOW %.*s AS (PARTITION BY ... ORDER BY ...)", WR_FMT(w->ref->text));
            return WR_ESQL;
        }
        if (depth >= MAX_REFS)
            return wr_fail_at(b->err, WR_ESQL, w->ref->off, "window \"%.*s\" refers to itself", WR_FMT(w->ref->text));
        WR_TRY(follow(b, o, d->over, depth + 1, out));
        if (w->partition)
            return wr_fail_at(b->err, WR_ESQL, w->partition->off, "PARTITION BY cannot be added to window \"%.*s\"", WR_FMT(w->ref->text));
        if (w->order && out->order)
            return wr_fail_at(b->err, WR_ESQL, w->order->expr->off, "window \"%.*s\" has an ORDER BY already", WR_FMT(w->ref->text));
    }
    if (w->partition)
        out->partition = w->partition;
    if (w->order)
        out->order = w->order;
    if (w->unit != WR_FRAME_NONE)
        out->frame = w;
    return WR_OK;
}

static bool same_spec(const struct overspec *a, const struct overspec *b)
{
    if (a->n_part != b->n_part || a->n_order != b->n_order)
        return false;
    for (int i = 0; i < a->n_part; i++)
        if (!wr_expr_eq(a->part[i], b->part[i]))
            return false;
    for (int i = 0; i < a->n_order; i++)
        if (!wr_expr_eq(a->order[i].x, b->order[i].x) || a->order[i].desc != b->order[i].desc || a->order[i].nulls_first != b->order[i].nulls_first)
            return false;
    return true;
}

static wr_status settle_null(struct binder *b, struct wr_expr **x)
{
    return (*x)->type.id == WR_T_NULL ? wr_expr_cast(b->a, *x, WR_TYPE_OF(TEXT), false, x, b->err) : WR_OK;
}

/* A key that is the same for all rows changes nothing. */
static bool is_fixed(struct binder *b, const struct wr_expr *x) { return wr_expr_is_const(wr_expr_fold(b->a, wr_expr_copy(b->a, x))); }

static wr_status bind_spec(struct xctx *x, struct overs *o, const struct said *w, int *spec)
{
    struct binder *b = x->b;
    struct overspec s = {0};
    int n = 0;
    for (const struct wr_ast_order *k = w->order; k; k = k->next)
        n++;
    s.part = WR_NEW_N(b->a, struct wr_expr *, wr_ast_len(w->partition) + 1);
    s.order = WR_NEW_N(b->a, struct overkey, n + 1);
    for (const struct wr_ast_expr *e = w->partition; e; e = e->next) {
        struct wr_expr *y;
        WR_TRY(wr_bind_expr(x, e, &y));
        WR_TRY(settle_null(b, &y));
        bool there = is_fixed(b, y);
        for (int i = 0; i < s.n_part; i++)
            there |= wr_expr_eq(s.part[i], y);
        if (!there)
            s.part[s.n_part++] = y;
    }
    for (const struct wr_ast_order *k = w->order; k; k = k->next) {
        struct overkey key = {.desc = k->desc, .nulls_first = k->nulls ? k->nulls == 1 : k->desc};
        WR_TRY(wr_bind_expr(x, k->expr, &key.x));
        WR_TRY(settle_null(b, &key.x));
        if (!is_fixed(b, key.x))
            s.order[s.n_order++] = key;
    }
    if (s.n_part > 64)
        return wr_fail_at(b->err, WR_ELIMIT, w->partition->off, "more than 64 columns in PARTITION BY");
    for (*spec = 0; *spec < o->n_spec; ++*spec)
        if (same_spec(&o->spec[*spec], &s))
            return WR_OK;
    if (o->n_spec == o->cap_spec) {
        struct overspec *old = o->spec;
        o->cap_spec = o->cap_spec ? 2 * o->cap_spec : 4;
        o->spec = WR_NEW_N(b->a, struct overspec, o->cap_spec);
        if (o->n_spec)
            memcpy(o->spec, old, sizeof(*old) * (size_t)o->n_spec);
    }
    o->spec[o->n_spec++] = s;
    return WR_OK;
}

/* ---- the frame ---- */

static enum wr_edge_kind edge_of(enum wr_ast_bound b)
{
    switch (b) {
    case WR_BOUND_UNBOUNDED_PRECEDING: return WR_AT_START;
    case WR_BOUND_PRECEDING: return WR_AT_PRECEDING;
    case WR_BOUND_CURRENT: return WR_AT_CURRENT;
    case WR_BOUND_FOLLOWING: return WR_AT_FOLLOWING;
    case WR_BOUND_UNBOUNDED_FOLLOWING: return WR_AT_END;
    }
    return WR_AT_CURRENT;
}

static wr_status range_type(struct binder *b, const struct overspec *s, const struct wr_ast_expr *n, bool *time)
{
    if (s->n_order != 1) {
        wr_fail_at(b->err, WR_ESQL, n->off, "RANGE with a distance needs one ORDER BY expression");
        wr_hint(b->err, "with ROWS the distance is a number of rows");
        return WR_ESQL;
    }
    struct wr_type t = s->order[0].x->type;
    *time = wr_type_is_time(t);
    if (*time || t.id == WR_T_INT || t.id == WR_T_BIGINT)
        return WR_OK;
    struct wr_str name = wr_type_name(b->a, t);
    wr_fail_at(b->err, WR_ESQL, n->off, "RANGE with a distance over ORDER BY of type %.*s is not supported", WR_FMT(name));
    wr_hint(b->err, "order by a TIMESTAMP, an INTEGER or a BIGINT, or use ROWS");
    return WR_ESQL;
}

static wr_status frame_distance(struct binder *b, const struct overspec *s, bool rows, const struct wr_ast_expr *n, int64_t *out)
{
    bool time = false;
    if (!n)
        return WR_OK;
    if (rows && (n->kind == WR_E_INTERVAL || n->kind == WR_E_STRING)) {
        wr_fail_at(b->err, WR_ESQL, n->off, "ROWS takes a number of rows, not a time");
        wr_hint(b->err, "write RANGE BETWEEN INTERVAL ... PRECEDING AND CURRENT ROW");
        return WR_ESQL;
    }
    if (!rows)
        WR_TRY(range_type(b, s, n, &time));
    return time ? wr_bind_duration(b, n, "the frame's distance", 0, out) : wr_bind_count(b, n, "the frame's distance", out);
}

static wr_status bind_frame(struct binder *b, const struct overspec *s, const struct wr_ast_over *w, struct wr_frame *f)
{
    *f = (struct wr_frame){.rows = false, .from = WR_AT_START, .to = s->n_order ? WR_AT_CURRENT : WR_AT_END};
    if (!w)
        return WR_OK;
    if (w->unit == WR_FRAME_GROUPS)
        return wr_bind_refuse(b, w->off, "a frame in GROUPS", "write ROWS or RANGE");
    f->rows = w->unit == WR_FRAME_ROWS;
    f->from = edge_of(w->from);
    f->to = edge_of(w->to);
    WR_TRY(frame_distance(b, s, f->rows, w->from_n, &f->from_n));
    WR_TRY(frame_distance(b, s, f->rows, w->to_n, &f->to_n));
    bool crossed = f->from > f->to || f->from == WR_AT_END || f->to == WR_AT_START;
    if (f->from == f->to)
        crossed |= f->from == WR_AT_PRECEDING ? f->from_n < f->to_n : f->from == WR_AT_FOLLOWING && f->from_n > f->to_n;
    if (crossed)
        return wr_fail_at(b->err, WR_ESQL, w->off, "the frame begins behind its end");
    if (!f->rows && !s->n_order)
        *f = (struct wr_frame){.from = WR_AT_START, .to = WR_AT_END}; /* all rows are equal */
    return WR_OK;
}

/* ---- functions ---- */

static const struct form {
    const char *name;
    enum wr_overkind kind;
    int min, max;
    bool framed;
    const char *usage;
} forms[] = {
    {"row_number", WR_OVER_ROW_NUMBER, 0, 0, false, "row_number() OVER (...)"},
    {"rank", WR_OVER_RANK, 0, 0, false, "rank() OVER (...)"},
    {"dense_rank", WR_OVER_DENSE_RANK, 0, 0, false, "dense_rank() OVER (...)"},
    {"percent_rank", WR_OVER_PERCENT_RANK, 0, 0, false, "percent_rank() OVER (...)"},
    {"cume_dist", WR_OVER_CUME_DIST, 0, 0, false, "cume_dist() OVER (...)"},
    {"ntile", WR_OVER_NTILE, 1, 1, false, "ntile(4) OVER (...)"},
    {"lag", WR_OVER_LAG, 1, 3, false, "lag(x [, rows [, default]]) OVER (...)"},
    {"lead", WR_OVER_LEAD, 1, 3, false, "lead(x [, rows [, default]]) OVER (...)"},
    {"first_value", WR_OVER_FIRST, 1, 1, true, "first_value(x) OVER (...)"},
    {"last_value", WR_OVER_LAST, 1, 1, true, "last_value(x) OVER (...)"},
    {"nth_value", WR_OVER_NTH, 2, 2, true, "nth_value(x, n) OVER (...)"},
};
enum { N_FORMS = sizeof(forms) / sizeof(forms[0]) };

static const struct form *form_of(struct wr_str name)
{
    for (int i = 0; i < N_FORMS; i++)
        if (wr_str_ieq_c(name, forms[i].name))
            return &forms[i];
    return NULL;
}

bool wr_is_over_name(struct wr_str name)
{
    return form_of(name) != NULL;
}

static wr_status no_function(struct binder *b, const struct wr_ast_expr *e)
{
    struct wr_str cand[N_FORMS];
    for (int i = 0; i < N_FORMS; i++)
        cand[i] = wr_str_c(forms[i].name);
    struct wr_str near = wr_str_nearest(e->name->text, cand, N_FORMS);
    wr_fail_at(b->err, WR_ESQL, e->off, "\"%.*s\" is neither a window function nor an aggregate", WR_FMT(e->name->text));
    if (near.n)
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(b->err, "only these can have OVER: row_number, rank, dense_rank, lag, lead, first_value, last_value, nth_value, ... and every aggregate");
    return WR_ESQL;
}

/* A positive whole number written out. */
static wr_status positive(struct binder *b, const struct wr_ast_expr *e, const char *what, int64_t least, int64_t *n)
{
    WR_TRY(wr_bind_count(b, e, what, n));
    return *n < least ? wr_fail_at(b->err, WR_ESQL, e->off, "%s must be at least %lld", what, (long long)least) : WR_OK;
}

static wr_status bind_shift(struct xctx *x, const struct wr_ast_expr *e, struct overref *r)
{
    struct binder *b = x->b;
    const struct wr_ast_expr *n = e->args->next, *def = n ? n->next : NULL;
    r->fn.n = 1;
    if (n)
        WR_TRY(positive(b, n, "the distance", 0, &r->fn.n));
    if (!def)
        return WR_OK;
    struct wr_expr *arg[2] = {r->arg};
    struct wr_type type;
    WR_TRY(wr_bind_expr(x, def, &arg[1]));
    WR_TRY(wr_expr_unify(b->a, arg, 2, e->name->text.n == 3 ? "LAG" : "LEAD", &type, b->err));
    r->arg = arg[0];
    r->def = arg[1];
    return WR_OK;
}

static wr_status bind_plain(struct xctx *x, const struct wr_ast_expr *e, const struct form *f, struct overref *r)
{
    struct binder *b = x->b;
    int n = wr_ast_len(e->args);
    bool star = n && e->args->kind == WR_E_STAR;
    if (n < f->min || n > f->max || star || e->within_group || e->order) {
        wr_fail_at(b->err, WR_ESQL, e->off, "wrong arguments for window function \"%s\"", f->name);
        wr_hint(b->err, "write %s", f->usage);
        return WR_ESQL;
    }
    if (e->flag || e->filter)
        return wr_fail_at(b->err, WR_ESQL, e->off, "\"%s\" is not an aggregate: DISTINCT and FILTER cannot stand here", f->name);
    r->fn.kind = f->kind;
    r->framed = f->framed;
    r->fn.ret = f->kind == WR_OVER_PERCENT_RANK || f->kind == WR_OVER_CUME_DIST ? WR_TYPE_OF(DOUBLE) : WR_TYPE_OF(BIGINT);
    if (f->kind == WR_OVER_NTILE)
        return positive(b, e->args, "the number of buckets", 1, &r->fn.n);
    if (n == 0)
        return WR_OK;
    WR_TRY(wr_bind_expr(x, e->args, &r->arg));
    WR_TRY(settle_null(b, &r->arg));
    if (f->kind == WR_OVER_LAG || f->kind == WR_OVER_LEAD)
        WR_TRY(bind_shift(x, e, r));
    if (f->kind == WR_OVER_NTH)
        WR_TRY(positive(b, e->args->next, "the row's number", 1, &r->fn.n));
    r->fn.ret = r->arg->type;
    r->fn.nullable = true;
    return WR_OK;
}

static wr_status bind_function(struct xctx *x, const struct wr_ast_expr *e, struct overref *r)
{
    struct binder *b = x->b;
    const struct form *f = form_of(e->name->text);
    bool skip = e->nulls == 1 && f && (f->kind == WR_OVER_FIRST || f->kind == WR_OVER_LAST); /* the aggregates of that name pass NULLs over */
    if (f && !skip) {
        if (e->nulls == 1)
            return wr_bind_refuse(b, e->off, "IGNORE NULLS here", "FIRST_VALUE and LAST_VALUE can");
        return bind_plain(x, e, f, r);
    }
    if (!wr_agg_find(e->name->text))
        return no_function(b, e);
    WR_TRY(wr_bind_aggcall(x, e, false, &r->agg));
    r->fn.kind = WR_OVER_AGG;
    r->fn.ret = r->agg.call.ret;
    r->fn.nullable = strcmp(r->agg.call.fn->name, "count") != 0;
    r->framed = true;
    return WR_OK;
}

static bool same_frame(const struct wr_frame *a, const struct wr_frame *b)
{
    return a->rows == b->rows && a->from == b->from && a->to == b->to && a->from_n == b->from_n && a->to_n == b->to_n;
}

static bool same_expr(const struct wr_expr *a, const struct wr_expr *b) { return (!a && !b) || (a && b && wr_expr_eq(a, b)); }

static bool same_ref(const struct overref *a, const struct overref *b)
{
    const struct wr_overfn *f = &a->fn, *g = &b->fn;
    if (a->spec != b->spec || f->kind != g->kind || f->n != g->n || a->framed != b->framed || (a->framed && !same_frame(&a->frame, &b->frame)))
        return false;
    return f->kind == WR_OVER_AGG ? wr_aggref_same(&a->agg, &b->agg) : same_expr(a->arg, b->arg) && same_expr(a->def, b->def);
}

/* Its number; equal functions are one. */
static int add_ref(struct binder *b, struct overs *o, const struct overref *r)
{
    for (int i = 0; i < o->n; i++)
        if (same_ref(&o->ref[i], r))
            return i;
    if (o->n == o->cap) {
        struct overref *old = o->ref;
        o->cap = o->cap ? 2 * o->cap : 8;
        o->ref = WR_NEW_N(b->a, struct overref, o->cap);
        if (o->n)
            memcpy(o->ref, old, sizeof(*old) * (size_t)o->n);
    }
    o->ref[o->n] = *r;
    return o->n++;
}

wr_status wr_bind_over(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct overs *o = x->over;
    if (!o) {
        wr_fail_at(b->err, WR_ESQL, e->off, "a window function is not allowed in %s", x->clause);
        if (wr_str_eq_c(wr_str_c(x->clause), "WHERE"))
            wr_hint(b->err, "conditions on window functions go into QUALIFY, or into WHERE of a query around this one");
        return WR_ESQL;
    }
    if (o->n >= MAX_COLUMNS)
        return wr_fail_at(b->err, WR_ELIMIT, e->off, "more than %d window functions", MAX_COLUMNS);
    struct xctx in = *x;
    struct said said = {0};
    struct overref r = {.off = e->off, .fn = {.arg = -1, .def = -1, .frame = -1}};
    in.over = NULL;
    in.subs = NULL;
    in.clause = "OVER";
    WR_TRY(follow(b, o, e->over, 0, &said));
    WR_TRY(bind_spec(&in, o, &said, &r.spec));
    in.clause = "a window function";
    WR_TRY(bind_function(&in, e, &r));
    WR_TRY(bind_frame(b, &o->spec[r.spec], said.frame, &r.frame));
    *out = wr_expr_col(b->a, COL_OVER + add_ref(b, o, &r), r.fn.ret, r.fn.nullable, e->off);
    return WR_OK;
}

/* ---- event time ---- */

void wr_over_watermark(struct binder *b, const struct overs *o, const struct wmclause *wm, struct wr_plan *from)
{
    for (int i = 0; i < o->n_spec; i++) {
        const struct overspec *s = &o->spec[i];
        if (s->n_order && s->order[0].x->kind == WR_X_COL && s->order[0].x->u.col < COL_AGG && wr_type_is_time(s->order[0].x->type))
            wr_watermark_apply(b, from, wm, s->order[0].x->u.col, false);
    }
}

/* ---- building ---- */

/* The projection below a node: all columns of the input, and what is computed. */
struct pre { struct wr_plan *in; struct wr_expr **expr; struct wr_str *name; int n; };

static int pre_add(struct binder *b, struct pre *p, struct wr_expr *x)
{
    for (int i = 0; i < p->n; i++)
        if (wr_expr_eq(p->expr[i], x))
            return i;
    struct wr_buf t = WR_BUF_INIT(4096);
    wr_expr_print(&t, x, p->in->out);
    if (t.n > 60)
        t.n = 60;
    p->name[p->n] = wr_arena_str(b->a, wr_buf_get(&t));
    wr_buf_clear(&t);
    p->expr[p->n] = x;
    return p->n++;
}

static struct pre pre_start(struct binder *b, struct wr_plan *in, int room)
{
    struct pre p = {in, WR_NEW_N(b->a, struct wr_expr *, in->out->n + room), WR_NEW_N(b->a, struct wr_str, in->out->n + room), in->out->n};
    for (int i = 0; i < p.n; i++) {
        p.expr[i] = wr_col_of(b->a, in->out, i, -1);
        p.name[i] = in->out->field[i].name;
    }
    return p;
}

static struct wr_plan *pre_plan(struct binder *b, const struct pre *p)
{
    return p->n == p->in->out->n ? p->in : wr_bind_made(b, wr_node_project(b->a, p->in, p->n, p->expr, p->name));
}

/* Rows of such an aggregate's frame cannot be taken back one by one: which of equal ones left would matter. */
static bool is_ordered(const struct wr_aggcall *c)
{
    const char *n = c->fn->name;
    return (c->fn->ordered && !c->fn->within_group) || strcmp(n, "any_value") == 0 || strcmp(n, "min_by") == 0 || strcmp(n, "max_by") == 0;
}

static wr_status set_aggregate(struct binder *b, struct overref *r, struct pre *pre, struct wr_overfn *f)
{
    struct wr_aggcall *c = &f->agg;
    *c = r->agg.call;
    for (int i = 0; i < c->n_arg; i++)
        c->arg[i] = pre_add(b, pre, r->agg.arg[i]);
    for (int i = 0; i < c->n_order; i++)
        c->order[i] = pre_add(b, pre, r->agg.order[i]);
    if (r->agg.filter)
        c->filter = pre_add(b, pre, r->agg.filter);
    bool moves = r->frame.from != WR_AT_START;
    struct wr_aggcall back = *c;
    struct wr_error ignored = WR_ERROR_INIT;
    back.retract = true;
    f->recompute = moves && (is_ordered(c) || wr_aggcall_bind(&back, &ignored));
    c->retract = moves && !f->recompute;
    return wr_aggcall_bind(c, b->err);
}

static int add_frame(struct wr_frame *frame, int *n, const struct wr_frame *f)
{
    for (int i = 0; i < *n; i++)
        if (same_frame(&frame[i], f))
            return i;
    frame[*n] = *f;
    return (*n)++;
}

static wr_status set_functions(struct binder *b, struct overs *o, int spec, struct pre *pre, struct wr_plan_over *p)
{
    struct wr_frame *frame = WR_NEW_N(b->a, struct wr_frame, o->n + 1);
    p->fn = WR_NEW_N(b->a, struct wr_overfn, o->n + 1);
    for (int i = 0; i < o->n; i++) {
        struct overref *r = &o->ref[i];
        if (r->spec != spec)
            continue;
        struct wr_overfn *f = &p->fn[p->n_fn];
        *f = r->fn;
        if (r->arg)
            f->arg = pre_add(b, pre, r->arg);
        if (r->def)
            f->def = pre_add(b, pre, r->def);
        if (r->framed)
            f->frame = add_frame(frame, &p->n_frame, &r->frame);
        if (f->kind == WR_OVER_AGG)
            WR_TRY(set_aggregate(b, r, pre, f));
        r->col = p->n_fn++; /* behind the input's columns, once it is known how many */
    }
    p->frame = frame;
    return WR_OK;
}

static void set_by(struct binder *b, const struct overspec *s, struct pre *pre, struct wr_partby *by)
{
    int *part = WR_NEW_N(b->a, int, s->n_part + 1), *order = WR_NEW_N(b->a, int, s->n_order + 1);
    bool *desc = WR_NEW_N(b->a, bool, s->n_order + 1), *nulls = WR_NEW_N(b->a, bool, s->n_order + 1);
    for (int i = 0; i < s->n_part; i++)
        part[i] = pre_add(b, pre, s->part[i]);
    for (int i = 0; i < s->n_order; i++) {
        order[i] = pre_add(b, pre, s->order[i].x);
        desc[i] = s->order[i].desc;
        nulls[i] = s->order[i].nulls_first;
    }
    *by = (struct wr_partby){.n_part = s->n_part, .part = part, .n_order = s->n_order, .order = order, .desc = desc, .nulls_first = nulls,
                             .win = {.time_col = -1, .start_col = -1, .end_col = -1}};
}

/* Can it be appended to as the watermark passes? */
static bool appends(const struct wr_plan *in, const struct wr_plan_over *o)
{
    const struct wr_partby *by = &o->by;
    if (in->updating || by->n_order == 0 || by->order[0] != in->time_col || by->desc[0] || !wr_node_has_watermark(in))
        return false;
    for (int i = 0; i < o->n_frame; i++)
        if (o->frame[i].to == WR_AT_END)
            return false;
    for (int i = 0; i < o->n_fn; i++)
        if (o->fn[i].kind == WR_OVER_NTILE || o->fn[i].kind == WR_OVER_PERCENT_RANK || o->fn[i].kind == WR_OVER_CUME_DIST)
            return false;
    return true;
}

/* Partitions of windows: their bounds are among the columns. */
static bool of_windows(const struct wr_plan *in, const struct wr_partby *by)
{
    for (int i = 0; in->win_end >= 0 && i < by->n_part; i++)
        if (by->part[i] == in->win_end || (by->part[i] == in->win_start && in->win_kind != WR_WIN_CUMULATE))
            return true;
    return false;
}

static wr_status check_final(struct binder *b, const struct wr_plan *in, const struct wr_partby *by, const struct clauses *cl, int32_t off)
{
    if (by->emit != WR_EMIT_FINAL || b->final || in->bounded || (by->win.kind != WR_WIN_NONE && wr_node_has_watermark(in)))
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, off >= 0 ? off : cl->emit_off, "EMIT FINAL over partitions that never close");
    wr_hint(b->err, "order by the event time with WITH WATERMARK, partition by window_start and window_end, or use EMIT CHANGES");
    return WR_ESQL;
}

static void set_emit(struct binder *b, const struct clauses *cl, const struct wr_plan *in, bool late, struct wr_partby *by)
{
    struct wr_plan_agg g = wr_agg_start(b, cl);
    by->emit = g.emit;
    by->every = g.every;
    if (of_windows(in, by))
        by->win = (struct wr_window){.kind = WR_WIN_ATTACHED, .time_col = -1, .start_col = in->win_start, .end_col = in->win_end};
    else
        by->ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL);
    if (late || by->win.kind != WR_WIN_NONE)
        by->lateness = g.lateness;
}

wr_status wr_over_build(struct binder *b, struct overs *o, const struct grouping *g, const struct clauses *cl, struct wr_plan **p)
{
    for (int i = 0; g && i < o->n_spec; i++) {
        for (int k = 0; k < o->spec[i].n_part; k++)
            WR_TRY(wr_regroup(b, g, *p, o->spec[i].part[k], &o->spec[i].part[k]));
        for (int k = 0; k < o->spec[i].n_order; k++)
            WR_TRY(wr_regroup(b, g, *p, o->spec[i].order[k].x, &o->spec[i].order[k].x));
    }
    for (int i = 0; g && i < o->n; i++) {
        struct overref *r = &o->ref[i];
        struct wr_expr **x[] = {&r->arg, &r->def, &r->agg.filter, &r->agg.arg[0], &r->agg.arg[1], &r->agg.arg[2], &r->agg.arg[3], &r->agg.order[0],
                                &r->agg.order[1]};
        for (size_t k = 0; k < sizeof(x) / sizeof(x[0]); k++)
            if (*x[k])
                WR_TRY(wr_regroup(b, g, *p, *x[k], x[k]));
    }
    for (int s = 0; s < o->n_spec; s++) {
        struct pre pre = pre_start(b, *p, o->spec[s].n_part + o->spec[s].n_order + 9 * o->n);
        struct wr_plan_over over = {0};
        set_by(b, &o->spec[s], &pre, &over.by);
        WR_TRY(set_functions(b, o, s, &pre, &over));
        struct wr_plan *in = pre_plan(b, &pre);
        bool time = appends(in, &over);
        set_emit(b, cl, in, time, &over.by);
        int32_t off = -1;
        for (int i = 0; i < o->n; i++)
            if (o->ref[i].spec == s) {
                o->ref[i].col += in->out->n;
                off = off < 0 ? o->ref[i].off : off;
            }
        if (!time) {
            WR_TRY(check_final(b, in, &over.by, cl, cl->emit_given ? -1 : off));
            if (over.by.win.kind != WR_WIN_NONE)
                in = wr_late_filter(b, in, &over.by.win, over.by.lateness);
        }
        struct wr_plan *n = wr_node_new(b->a, time ? WR_PLAN_OVER_TIME : WR_PLAN_OVER, in);
        n->u.over = over;
        wr_node_props(b->a, n);
        *p = wr_bind_made(b, n);
    }
    return WR_OK;
}

struct wr_expr *wr_over_place(struct binder *b, const struct overs *o, const struct wr_plan *p, const struct wr_expr *x)
{
    if (x->kind == WR_X_COL && x->u.col >= COL_OVER && x->u.col < COL_SUB)
        return wr_col_of(b->a, p->out, o->ref[x->u.col - COL_OVER].col, x->off);
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = wr_over_place(b, o, p, x->u.call.arg[i]);
    return y;
}

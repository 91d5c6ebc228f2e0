/* bind_from.c: what FROM names: declared sources, their side streams, views, CTEs, subqueries, VALUES.
 *
 *   a source:  SCAN (one a jobplan) -> [computed columns] -> WATERMARK, whose column may still be unknown (-1)
 *
 * Rules:  views and CTEs are bound anew at each mention, so that each mention is its own tree; equal trees become one again in wr_plan_finish. */
#include "planner/bind.h"

struct wr_plan *wr_bind_made(struct binder *b, struct wr_plan *p)
{
    b->job->n_made++;
    return p;
}

struct rel wr_rel_of(struct binder *b, struct wr_plan *plan, struct wr_str qual)
{
    struct rel r = {.plan = plan, .n = plan->out->n};
    struct wr_str q = wr_arena_str(b->a, qual);
    r.col = WR_NEW_N(b->a, struct relcol, r.n + 1);
    for (int i = 0; i < r.n; i++)
        r.col[i] = (struct relcol){.qual = q, .name = plan->out->field[i].name};
    return r;
}

struct wr_expr *wr_rel_expr(struct binder *b, const struct rel *r, int col)
{
    if (r->plan->kind == WR_PLAN_PROJECT && r->plan->u.project.expr[col]->kind == WR_X_CONST)
        return r->plan->u.project.expr[col];
    return wr_col_of(b->a, r->plan->out, col, -1);
}

static void set_qual(struct binder *b, struct rel *r, struct wr_str qual)
{
    struct wr_str q = wr_arena_str(b->a, qual);
    for (int i = 0; i < r->n; i++) {
        r->col[i].qual = q;
        if (r->col[i].hidden)
            r->col[i].name = (struct wr_str){0};
    }
}

wr_status wr_rel_rename(struct binder *b, const struct wr_ast_name *names, const char *what, struct rel *r)
{
    int i = 0;
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, r->n + 1);
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, r->n + 1);
    for (const struct wr_ast_name *n = names; n; n = n->next, i++) {
        if (i >= r->n)
            return wr_fail_at(b->err, WR_ESQL, n->off, "%s has %d columns, but more names are given", what, r->n);
        for (int k = 0; k < i; k++)
            if (wr_str_eq(name[k], n->text))
                return wr_fail_at(b->err, WR_ESQL, n->off, "column \"%.*s\" is named twice", WR_FMT(n->text));
        name[i] = wr_arena_str(b->a, n->text);
    }
    if (i == 0)
        return WR_OK;
    for (; i < r->n; i++)
        name[i] = r->col[i].name;
    for (int k = 0; k < r->n; k++) {
        expr[k] = wr_col_of(b->a, r->plan->out, k, -1);
        r->col[k].name = name[k];
    }
    r->plan = wr_bind_made(b, wr_node_project(b->a, r->plan, r->n, expr, name));
    return WR_OK;
}

static wr_status too_many(struct binder *b, int32_t off)
{
    if (b->job->n_made <= MAX_NODES)
        return WR_OK;
    wr_fail_at(b->err, WR_ELIMIT, off, "the statement becomes too large: more than %d operators", MAX_NODES);
    wr_hint(b->err, "views that use other views several times multiply");
    return WR_ELIMIT;
}

/* ---- sources ---- */

const struct wr_opts *wr_opts_copy(struct wr_arena *a, const struct wr_opts *o)
{
    struct wr_opts *c = WR_NEW(a, struct wr_opts);
    struct wr_opt *opt = WR_NEW_N(a, struct wr_opt, o->n + 1);
    for (int i = 0; i < o->n; i++)
        opt[i] = (struct wr_opt){wr_arena_str(a, o->opt[i].key), wr_arena_str(a, o->opt[i].value), o->opt[i].off};
    c->n = o->n;
    c->opt = opt;
    return c;
}

wr_status wr_object_opts_role(const struct wr_object *o, enum wr_role role, int32_t off, struct wr_error *err)
{
    const struct wr_opts *got = role == WR_AS_SOURCE ? &o->as_source : &o->as_sink;
    const struct wr_optdesc *list[2] = {o->connector->opts, o->format ? o->format->opts : NULL};
    for (int i = 0; i < 2; i++)
        for (const struct wr_optdesc *d = list[i]; d && d->name; d++) {
            struct wr_str v;
            if (!d->required || !(d->roles & (int)role) || wr_opt_text(got, d->name, &v))
                continue;
            wr_fail_at(err, WR_ESQL, off, "\"%.*s\" cannot be used as a %s without the option \"%s\"", WR_FMT(o->name),
                       role == WR_AS_SOURCE ? "source" : "sink", d->name);
            wr_hint(err, "%s: %s", d->name, d->help);
            return WR_ESQL;
        }
    return WR_OK;
}

static struct wr_plan *make_scan(struct binder *b, const struct wr_object *o)
{
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_SCAN, NULL);
    struct wr_source_spec *spec = &p->u.scan.spec;
    int n = 0;
    for (int i = 0; i < o->n_col; i++)
        n += o->col[i].computed == NULL;
    struct wr_coldef *col = WR_NEW_N(b->a, struct wr_coldef, n + 1);
    struct wr_schema *s = wr_schema_new(b->a, n);
    n = 0;
    for (int i = 0; i < o->n_col; i++) {
        if (o->col[i].computed)
            continue;
        col[n] = o->col[i].def;
        col[n].name = wr_arena_str(b->a, col[n].name);
        col[n].path = wr_arena_str(b->a, col[n].path);
        col[n].type = wr_type_copy(b->a, col[n].type);
        s->field[n] = (struct wr_field){.name = col[n].name, .type = col[n].type, .nullable = !col[n].not_null};
        n++;
    }
    p->u.scan.connector = b->o->source ? b->o->source : o->connector;
    spec->name = wr_arena_str(b->a, o->name);
    spec->opts = wr_opts_copy(b->a, &o->as_source);
    spec->n_col = n;
    spec->col = col;
    spec->schema = s;
    spec->format = o->format;
    spec->until_end = b->o->until_end;
    spec->batch_rows = (uint32_t)wr_setting_int(b->cat, WR_SET_BATCH_ROWS);
    p->u.scan.max_future_skew = wr_opt_duration(&o->as_source, "max_future_skew", wr_setting_int(b->cat, WR_SET_MAX_FUTURE_SKEW));
    p->u.scan.on_error_fail = wr_str_eq_c(wr_opt_text_or(&o->as_source, "on_error", "skip"), "fail");
    p->out = s;
    const struct wr_source_vt *vt = p->u.scan.connector->source;
    p->bounded = vt->bounded ? vt->bounded(spec->opts, b->o->until_end) : b->o->until_end;
    return wr_bind_made(b, p);
}

wr_status wr_job_scan(struct binder *b, const struct wr_object *o, struct wr_plan **out)
{
    struct job *j = b->job;
    for (int i = 0; i < j->n_scan; i++)
        if (j->scan[i].version == o->version) {
            *out = j->scan[i].scan;
            return WR_OK;
        }
    if (j->n_scan == j->cap_scan) {
        j->cap_scan = j->cap_scan ? 2 * j->cap_scan : 8;
        j->scan = wr_realloc(j->scan, sizeof(*j->scan) * (size_t)j->cap_scan);
    }
    *out = make_scan(b, o);
    j->scan[j->n_scan++] = (struct jobscan){.version = o->version, .scan = *out, .dlq_open = wr_str_eq_c(wr_opt_text_or(&o->as_source, "on_error", "skip"), "dlq")};
    return WR_OK;
}

/* Computed columns: declared order over what `in` (the physical columns in order) has. */
static wr_status compute_columns(struct binder *b, const struct wr_object *o, struct wr_plan **p)
{
    bool any = false;
    for (int i = 0; i < o->n_col; i++)
        any |= o->col[i].computed != NULL;
    if (!any)
        return WR_OK;
    struct rel in = wr_rel_of(b, *p, o->name);
    struct xctx x = {.b = b, .rel = &in, .clause = "a computed column"};
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, o->n_col + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, o->n_col + 1);
    int k = 0;
    for (int i = 0; i < o->n_col; i++) {
        name[i] = wr_arena_str(b->a, o->col[i].def.name);
        if (!o->col[i].computed) {
            expr[i] = wr_col_of(b->a, (*p)->out, k++, -1);
            continue;
        }
        WR_TRY(wr_bind_expr(&x, o->col[i].computed, &expr[i]));
        WR_TRY(wr_expr_cast(b->a, expr[i], wr_type_copy(b->a, o->col[i].type), true, &expr[i], b->err));
    }
    *p = wr_bind_made(b, wr_node_project(b->a, *p, o->n_col, expr, name));
    return WR_OK;
}

static wr_status bind_source(struct binder *b, const struct wr_object *o, int32_t off, struct rel *out)
{
    if (!o->reads) {
        wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is a sink and cannot be read", WR_FMT(o->name));
        wr_hint(b->err, "declare a source over the same place: CREATE SOURCE ... WITH (connector = '%s', ...)", o->connector->name);
        return WR_ESQL;
    }
    WR_TRY(wr_object_opts_role(o, WR_AS_SOURCE, off, b->err));
    struct wr_plan *scan, *p;
    WR_TRY(wr_job_scan(b, o, &scan));
    p = scan;
    WR_TRY(compute_columns(b, o, &p));
    struct wr_plan *w = wr_node_new(b->a, WR_PLAN_WATERMARK, p);
    w->u.watermark = (struct wr_plan_watermark){
        .time_col = o->time_col, .delay = o->delay, .scan = scan, .max_future_skew = scan->u.scan.max_future_skew,
        .idle = wr_opt_duration(&o->as_source, "idle_timeout", wr_setting_int(b->cat, WR_SET_IDLE_TIMEOUT)),
    };
    wr_node_props(b->a, w);
    *out = wr_rel_of(b, wr_bind_made(b, w), o->name);
    return WR_OK;
}

static bool is_key(const struct wr_object *o, int col)
{
    bool is = false;
    for (int i = 0; i < o->n_key; i++)
        is |= o->key[i] == col;
    return is;
}

/* A source with PRIMARY KEY is a table: of each key the record with the greatest event time, of several the first in order of the other columns. These
 * are named, so that it is the same record whichever of them a query asks for. */
static void latest_only(struct binder *b, const struct wr_object *o, struct rel *r)
{
    int n_col = r->plan->out->n, n_order = 0;
    int *order = WR_NEW_N(b->a, int, n_col + 1);
    bool *desc = WR_NEW_N(b->a, bool, n_col + 1), *nulls = WR_NEW_N(b->a, bool, n_col + 1);
    desc[0] = true;
    order[n_order++] = o->time_col;
    for (int c = 0; c < n_col; c++)
        if (c != o->time_col && !is_key(o, c))
            order[n_order++] = c;
    struct wr_plan *n = wr_node_new(b->a, WR_PLAN_TOP_N, r->plan);
    n->u.rank = (struct wr_plan_rank){
        .by = {.n_part = o->n_key, .part = wr_ints(b->a, o->key, o->n_key), .n_order = n_order, .order = order, .desc = desc, .nulls_first = nulls,
               .emit = WR_EMIT_CHANGES, .ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL), .win = {.time_col = -1, .start_col = -1, .end_col = -1}},
        .fn = WR_OVER_ROW_NUMBER, .lo = 1, .hi = 1};
    wr_node_props(b->a, n);
    r->plan = wr_bind_made(b, n);
}

static wr_status bind_side(struct binder *b, const struct wr_object *o, enum wr_side which, int32_t off, struct rel *out)
{
    if (!o->reads)
        return wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is a sink: only sources put rows aside", WR_FMT(o->name));
    struct wr_plan *scan, *p = wr_node_new(b->a, WR_PLAN_SIDE, NULL);
    WR_TRY(wr_job_scan(b, o, &scan));
    p->u.side.which = which;
    p->u.side.scan = scan;
    if (which == WR_SIDE_ERRORS) {
        p->out = wr_errors_schema();
    } else {
        int *col = WR_NEW_N(b->a, int, scan->out->n + 1);
        for (int i = 0; i < scan->out->n; i++)
            col[i] = i;
        p->u.side.n_col = scan->out->n;
        p->u.side.col = col;
        p->out = scan->out;
    }
    wr_node_props(b->a, p);
    (void)wr_bind_made(b, p);
    if (which == WR_SIDE_LATE)
        WR_TRY(compute_columns(b, o, &p));
    struct wr_str name = wr_arena_printf(b->a, "%.*s$%s", WR_FMT(o->name), which == WR_SIDE_LATE ? "late" : "errors");
    *out = wr_rel_of(b, p, name);
    return WR_OK;
}

/* ---- views, CTEs ---- */

/* An error inside a view is told at the place that named the view: its own offsets are of another text. */
static wr_status in_view(struct binder *b, const struct wr_object *o, int32_t off, wr_status st)
{
    if (!st)
        return st;
    struct wr_error inner = *b->err;
    wr_error_clear(b->err);
    b->err->retriable = inner.retriable;
    wr_fail_at(b->err, inner.code, off, "in view \"%.*s\": %s", WR_FMT(o->name), inner.msg);
    if (inner.hint[0])
        wr_hint(b->err, "%s", inner.hint);
    return st;
}

static wr_status bind_view(struct binder *b, const struct wr_object *o, const struct env *env, int32_t off, struct rel *out)
{
    struct env own = {.cl = env->cl};
    struct wr_error *outer = b->err, inner = WR_ERROR_INIT;
    int32_t around = b->view_off;
    b->err = &inner;
    b->view_off = around >= 0 ? around : off;
    wr_status st = wr_bind_query(b, o->stmt->select, &own, out);
    if (!st)
        st = wr_rel_rename(b, o->stmt->names, "the view", out);
    b->err = outer;
    b->view_off = around;
    if (st) {
        *b->err = inner;
        return in_view(b, o, off, st);
    }
    set_qual(b, out, o->name);
    return WR_OK;
}

static wr_status no_table(struct binder *b, struct wr_str name, const struct env *env, int32_t off)
{
    struct wr_str near = wr_object_nearest(b->cat, name, WR_OBJ_SOURCE | WR_OBJ_TABLE | WR_OBJ_VIEW);
    wr_fail_at(b->err, WR_ESQL, off, "there is no source or view \"%.*s\"", WR_FMT(name));
    for (const struct cte *c = env->ctes; c && !near.n; c = c->next)
        near = wr_str_nearest(name, &c->name, 1);
    if (near.n)
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    else if (b->cat->n_obj == 0)
        wr_hint(b->err, "declare it with CREATE SOURCE");
    else
        wr_hint(b->err, "SHOW SOURCES and SHOW VIEWS list what there is");
    return WR_ESQL;
}

/* source$late, source$errors */
static bool side_of(const struct wr_catalog *c, struct wr_str name, const struct wr_object **o, enum wr_side *which)
{
    static const struct { const char *suffix; enum wr_side which; } sides[] = {{"$late", WR_SIDE_LATE}, {"$errors", WR_SIDE_ERRORS}};
    for (int i = 0; i < 2; i++) {
        uint32_t n = (uint32_t)strlen(sides[i].suffix);
        if (name.n <= n || memcmp(name.p + name.n - n, sides[i].suffix, n) != 0)
            continue;
        *o = wr_object_find(c, (struct wr_str){name.p, name.n - n});
        *which = sides[i].which;
        return *o && (*o)->kind != WR_OBJ_VIEW;
    }
    return false;
}

const struct wr_object *wr_bind_object(struct binder *b, const struct wr_ast_table *t, const struct env *env)
{
    if (t->kind != WR_F_NAME || t->name->next)
        return NULL;
    for (const struct cte *c = env->ctes; c; c = c->next)
        if (wr_str_eq(c->name, t->name->text))
            return NULL;
    const struct wr_object *o = wr_object_find(b->cat, t->name->text);
    return o && o->kind != WR_OBJ_VIEW ? o : NULL;
}

wr_status wr_bind_table_name(struct binder *b, const struct wr_ast_name *n, const struct env *env, struct rel *out)
{
    WR_TRY(too_many(b, n->off));
    if (n->next) {
        if (wr_str_eq_c(n->text, "weir")) { /* the server declares its tables under their whole name */
            struct wr_str full = wr_arena_printf(b->a, "weir.%.*s", WR_FMT(n->next->text));
            const struct wr_object *table = n->next->next ? NULL : wr_object_find(b->cat, full);
            if (table && table->kind != WR_OBJ_VIEW)
                return bind_source(b, table, n->off, out);
            wr_fail_at(b->err, WR_ESQL, n->off, "there is no system table \"%.*s\" here", WR_FMT(full));
            wr_hint(b->err, "a server has weir.jobs, partitions, operators, windows, checkpoints, errors, late");
            return WR_ESQL;
        }
        return wr_fail_at(b->err, WR_ESQL, n->off, "there are no schemas: \"%.*s.%.*s\" names nothing", WR_FMT(n->text), WR_FMT(n->next->text));
    }
    for (const struct cte *c = env->ctes; c; c = c->next) {
        if (!wr_str_eq(c->name, n->text))
            continue;
        struct env own = {.ctes = c->scope, .cl = env->cl};
        WR_TRY(wr_bind_query(b, c->select, &own, out));
        WR_TRY(wr_rel_rename(b, c->columns, "the query", out));
        set_qual(b, out, c->name);
        return WR_OK;
    }
    const struct wr_object *o = wr_object_find(b->cat, n->text);
    enum wr_side which;
    if (o && o->kind == WR_OBJ_VIEW)
        return bind_view(b, o, env, n->off, out);
    if (o) {
        WR_TRY(bind_source(b, o, n->off, out));
        if (o->kind == WR_OBJ_SOURCE && o->n_key && !env->versions)
            latest_only(b, o, out);
        return WR_OK;
    }
    if (side_of(b->cat, n->text, &o, &which))
        return bind_side(b, o, which, n->off, out);
    if (b->cat->missing)
        b->cat->missing(b->cat->missing_ctx, b->cat, n->text);
    o = wr_object_find(b->cat, n->text);
    if (o && o->kind != WR_OBJ_VIEW)
        return bind_source(b, o, n->off, out);
    return no_table(b, n->text, env, n->off);
}

/* ---- FROM ---- */

/* Spark's FROM t WATERMARK ts DELAY OF d. */
static wr_status bind_spark_watermark(struct binder *b, const struct wr_ast_watermark *w, struct rel *r)
{
    struct wmclause wm;
    bool used = false;
    WR_TRY(wr_bind_wmclause(b, w, &wm));
    wm.used = &used;
    int col = -1;
    if (w->column) {
        const struct wr_ast_name *n = w->column->name;
        if (w->column->kind != WR_E_NAME || n->next)
            return wr_fail_at(b->err, WR_ESQL, w->column->off, "WATERMARK takes the name of a column");
        col = wr_rel_find(b, r, (struct wr_str){0}, n->text, w->column->off, true);
        if (col < 0)
            return WR_ESQL;
        if (!wr_type_is_time(r->plan->out->field[col].type))
            return wr_fail_at(b->err, WR_ESQL, w->column->off, "the event time must be a TIMESTAMP");
    }
    wr_watermark_apply(b, r->plan, &wm, col, col < 0);
    if (used)
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, w->off, "the watermark finds no source that has this column as it is");
    wr_hint(b->err, "put it on the source itself, or add a computed column to the source");
    return WR_ESQL;
}

static wr_status bind_item(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    switch (t->kind) {
    case WR_F_NAME: return wr_bind_table_name(b, t->name, env, out);
    case WR_F_SELECT: {
        WR_TRY(wr_bind_query(b, t->select, env, out));
        set_qual(b, out, (struct wr_str){0});
        return WR_OK;
    }
    case WR_F_FUNCTION: return wr_bind_window_table(b, t, env, out); /* UNNEST: wr_bind_from() */
    case WR_F_VALUES: return wr_bind_query(b, t->select, env, out);
    case WR_F_JOIN: return wr_bind_join(b, t, env, out);
    case WR_F_MATCH: return wr_bind_match(b, t, env, out);
    }
    return WR_ESQL;
}

wr_status wr_bind_from(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    WR_TRY(too_many(b, t->off));
    if (wr_is_unnest(t))
        return wr_bind_unnest(b, t, NULL, env, NULL, out);
    if (t->lateral)
        return wr_bind_refuse(b, t->off, "LATERAL here", "it goes with UNNEST(array), or with a subquery behind another table: FROM t, LATERAL (SELECT ...)");
    if (t->ordinality)
        return wr_bind_refuse(b, t->off, "WITH ORDINALITY here", "it goes with UNNEST(array)");
    if (t->as_of)
        return wr_bind_refuse(b, t->as_of->off, "FOR SYSTEM_TIME AS OF here", "it goes with the right table of a JOIN");
    WR_TRY(bind_item(b, t, env, out));
    if (t->alias)
        set_qual(b, out, t->alias->text);
    WR_TRY(wr_rel_rename(b, t->columns, "the table", out));
    return t->watermark ? bind_spark_watermark(b, t->watermark, out) : WR_OK;
}

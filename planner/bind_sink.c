/* bind_sink.c: where rows go: INSERT into a declared sink, a bare SELECT to the console, bad rows to a dead-letter topic.
 * Rules:  columns meet by position, or by name where INSERT lists them. A conversion that may be wrong for some value (BIGINT to INTEGER) is made
 *         as SQL assigns: the row is bad if it does not fit; one that makes no sense (TEXT to INTEGER) is refused and names both columns.
 *         What a sink cannot express (updates without a key) is refused here, before anything runs. */
#include "planner/bind.h"

void wr_job_add_sink(struct job *j, struct wr_plan *sink)
{
    if (j->pub.n_sink == j->cap_sink) {
        struct wr_plan **old = j->pub.sink;
        j->cap_sink = j->cap_sink ? 2 * j->cap_sink : 8;
        j->pub.sink = WR_NEW_N(&j->mem, struct wr_plan *, j->cap_sink);
        if (j->pub.n_sink)
            memcpy(j->pub.sink, old, sizeof(*old) * (size_t)j->pub.n_sink);
    }
    j->pub.sink[j->pub.n_sink++] = sink;
}

/* ---- columns ---- */

static bool assignable(const struct wr_expr *x, struct wr_type to)
{
    if (to.id == WR_T_TEXT || x->type.id == to.id)
        return true;
    if (wr_type_is_number(x->type) && wr_type_is_number(to))
        return true;
    bool from_time = wr_type_is_time(x->type) || x->type.id == WR_T_DATE, to_time = wr_type_is_time(to) || to.id == WR_T_DATE;
    return from_time && to_time;
}

/* x as the sink's column wants it. */
static wr_status assign(struct binder *b, struct wr_expr *x, const struct wr_field *to, const struct wr_object *o, struct wr_str from, int32_t off,
                        struct wr_expr **out)
{
    struct wr_error why = WR_ERROR_INIT;
    if (!wr_expr_cast(b->a, x, to->type, false, out, &why))
        return WR_OK;
    if (wr_expr_is_unknown(x) && x->off >= 0) {
        *b->err = why; /* a text constant that does not read as the type */
        return why.code;
    }
    wr_error_clear(&why);
    if (assignable(x, to->type) && !wr_expr_cast(b->a, x, to->type, true, out, &why))
        return WR_OK;
    struct wr_str t1 = wr_type_name(b->a, to->type), t2 = wr_type_name(b->a, x->type);
    wr_fail_at(b->err, WR_ESQL, off, "column \"%.*s\" of sink \"%.*s\" is %.*s, but the query's column \"%.*s\" is %.*s", WR_FMT(to->name),
               WR_FMT(o->name), WR_FMT(t1), WR_FMT(from), WR_FMT(t2));
    wr_hint(b->err, "write CAST(%.*s AS %.*s)", WR_FMT(from), WR_FMT(t1));
    return WR_ESQL;
}

static int name_index(const struct wr_schema *s, struct wr_str name)
{
    return wr_schema_find(s, name);
}

static wr_status no_sink_column(struct binder *b, const struct wr_object *o, const struct wr_schema *s, struct wr_str name, const char *what, int32_t off)
{
    struct wr_str *cand = WR_NEW_N(b->a, struct wr_str, s->n + 1);
    for (int i = 0; i < s->n; i++)
        cand[i] = s->field[i].name;
    struct wr_str near = wr_str_nearest(name, cand, s->n);
    wr_fail_at(b->err, WR_ESQL, off, "%s \"%.*s\" is not a column of sink \"%.*s\"", what, WR_FMT(name), WR_FMT(o->name));
    if (near.n) {
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
        return WR_ESQL;
    }
    struct wr_buf all = WR_BUF_INIT(200);
    for (int i = 0; i < s->n; i++)
        wr_buf_printf(&all, "%s%.*s", i ? ", " : "", WR_FMT(s->field[i].name));
    wr_hint(b->err, "its columns are %.*s", WR_FMT(wr_buf_get(&all)));
    wr_buf_clear(&all);
    return WR_ESQL;
}

/* The columns a sink without declared ones gets: the query's, under the names INSERT lists. */
static wr_status undeclared(struct binder *b, const struct wr_object *o, const struct wr_ast_name *columns, const struct rel *rows, int32_t off,
                            struct wr_schema **out)
{
    struct wr_schema *s = wr_schema_new(b->a, rows->n);
    const struct wr_ast_name *n = columns;
    for (int i = 0; i < rows->n; i++) {
        s->field[i] = rows->plan->out->field[i];
        s->field[i].name = rows->col[i].name;
        if (columns && !n)
            return wr_fail_at(b->err, WR_ESQL, off, "the query gives %d columns for \"%.*s\", but fewer names are listed", rows->n, WR_FMT(o->name));
        if (n) {
            s->field[i].name = wr_arena_str(b->a, n->text);
            n = n->next;
        }
    }
    if (n)
        return wr_fail_at(b->err, WR_ESQL, n->off, "the query gives only %d columns for \"%.*s\"", rows->n, WR_FMT(o->name));
    *out = s;
    return WR_OK;
}

static wr_status arity(struct binder *b, const struct wr_object *o, int have, int want, int32_t off)
{
    struct wr_buf all = WR_BUF_INIT(200);
    for (int i = 0; i < o->in->n; i++)
        wr_buf_printf(&all, "%s%.*s", i ? ", " : "", WR_FMT(o->in->field[i].name));
    wr_fail_at(b->err, WR_ESQL, off, "the query gives %d column%s, but sink \"%.*s\" takes %d", have, have == 1 ? "" : "s", WR_FMT(o->name), want);
    wr_hint(b->err, "its columns are %.*s", WR_FMT(wr_buf_get(&all)));
    wr_buf_clear(&all);
    return WR_ESQL;
}

/* from[i]: which column of the query goes into the sink's column i; -1: none, NULL. */
static wr_status match_columns(struct binder *b, const struct wr_object *o, const struct wr_ast_name *columns, const struct rel *rows, int32_t off, int *from)
{
    const struct wr_schema *s = o->in;
    int k = 0;
    for (int i = 0; i < s->n; i++)
        from[i] = columns ? -1 : i;
    if (!columns && rows->n != s->n)
        return arity(b, o, rows->n, s->n, off);
    for (const struct wr_ast_name *n = columns; n; n = n->next, k++) {
        int i = name_index(s, n->text);
        if (i < 0)
            return no_sink_column(b, o, s, n->text, "listed name", n->off);
        if (from[i] >= 0)
            return wr_fail_at(b->err, WR_ESQL, n->off, "column \"%.*s\" is listed twice", WR_FMT(n->text));
        from[i] = k;
    }
    if (columns && k != rows->n)
        return wr_fail_at(b->err, WR_ESQL, off, "the query gives %d column%s, but %d are listed", rows->n, rows->n == 1 ? "" : "s", k);
    for (int i = 0; i < s->n; i++)
        if (from[i] < 0 && !s->field[i].nullable)
            return wr_fail_at(b->err, WR_ESQL, off, "column \"%.*s\" of sink \"%.*s\" is NOT NULL, but the list leaves it out", WR_FMT(s->field[i].name),
                              WR_FMT(o->name));
    return WR_OK;
}

/* The query's rows as the sink's columns. */
static wr_status shape(struct binder *b, const struct wr_object *o, const struct wr_ast_name *columns, const struct rel *rows, int32_t off,
                       struct wr_schema **schema, struct wr_plan **p)
{
    struct wr_schema *s = NULL;
    int *from = WR_NEW_N(b->a, int, rows->n + (o->in ? o->in->n : 0) + 1);
    if (o->in) {
        WR_TRY(match_columns(b, o, columns, rows, off, from));
        s = wr_schema_new(b->a, o->in->n);
        for (int i = 0; i < s->n; i++) {
            s->field[i] = o->in->field[i];
            s->field[i].name = wr_arena_str(b->a, s->field[i].name);
            s->field[i].type = wr_type_copy(b->a, s->field[i].type);
        }
    } else {
        WR_TRY(undeclared(b, o, columns, rows, off, &s));
        for (int i = 0; i < s->n; i++)
            from[i] = i;
    }
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, s->n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, s->n + 1);
    for (int i = 0; i < s->n; i++) {
        name[i] = s->field[i].name;
        if (from[i] < 0) {
            expr[i] = wr_expr_const(b->a, (struct wr_value){.type = s->field[i].type, .null = true}, -1);
            continue;
        }
        WR_TRY(assign(b, wr_rel_expr(b, rows, from[i]), &s->field[i], o, rows->col[from[i]].name, off, &expr[i]));
    }
    *schema = s;
    *p = wr_bind_made(b, wr_node_project(b->a, rows->plan, s->n, expr, name));
    return WR_OK;
}

/* ---- keys ---- */

static bool has_option(const struct wr_connector *c, const char *name)
{
    for (const struct wr_optdesc *d = c->opts; d && d->name; d++)
        if (strcmp(d->name, name) == 0)
            return true;
    return false;
}

static const struct wr_opt *find_option(const struct wr_opts *o, const char *name)
{
    for (int i = 0; i < o->n; i++)
        if (wr_str_eq_c(o->opt[i].key, name))
            return &o->opt[i];
    return NULL;
}

/* "a, b" -> columns. */
static wr_status key_from_list(struct binder *b, const struct wr_object *o, const struct wr_opt *opt, struct wr_sink_spec *spec)
{
    struct wr_str rest = opt->value;
    int *key = WR_NEW_N(b->a, int, opt->value.n + 1), n = 0;
    for (bool more = true; more;) {
        const char *comma = rest.n ? memchr(rest.p, ',', rest.n) : NULL;
        struct wr_str one = wr_str_trim((struct wr_str){rest.p, comma ? (uint32_t)(comma - rest.p) : rest.n});
        more = comma != NULL;
        if (more)
            rest = (struct wr_str){comma + 1, rest.n - (uint32_t)(comma + 1 - rest.p)};
        if (one.n >= 2 && one.p[0] == '"' && one.p[one.n - 1] == '"')
            one = (struct wr_str){one.p + 1, one.n - 2};
        int i = name_index(spec->schema, one);
        if (i < 0)
            return no_sink_column(b, o, spec->schema, one, wr_str_eq_c(opt->key, "key") ? "key" : "primary key", opt->off);
        for (int k = 0; k < n; k++)
            if (key[k] == i)
                return wr_fail_at(b->err, WR_ESQL, opt->off, "column \"%.*s\" is twice in \"%.*s\"", WR_FMT(one), WR_FMT(opt->key));
        key[n++] = i;
    }
    spec->key = key;
    spec->n_key = n;
    return WR_OK;
}

static wr_status settle_key(struct binder *b, const struct wr_object *o, const struct wr_plan *p, struct wr_sink_spec *spec)
{
    const struct wr_opt *opt = find_option(spec->opts, "primary_key");
    if (o->n_key) {
        int *key = WR_NEW_N(b->a, int, o->n_key);
        for (int i = 0; i < o->n_key; i++)
            key[i] = name_index(spec->schema, o->col[o->key[i]].def.name);
        spec->key = key;
        spec->n_key = o->n_key;
        return WR_OK;
    }
    if (!opt)
        opt = find_option(spec->opts, "key");
    if (opt)
        return key_from_list(b, o, opt, spec);
    if (has_option(o->connector, "key") && p->n_ukey > 0) {
        spec->key = wr_ints(b->a, p->ukey, p->n_ukey);
        spec->n_key = p->n_ukey;
    }
    return WR_OK;
}

static wr_status check_accepts(struct binder *b, const struct wr_object *o, const struct wr_plan *p, const struct wr_sink_spec *spec, int32_t off)
{
    enum wr_accepts accepts = o->connector->sink->accepts ? o->connector->sink->accepts(spec) : WR_ACCEPT_APPEND;
    if (!p->updating || accepts == WR_ACCEPT_CHANGES || (accepts == WR_ACCEPT_UPSERT && spec->n_key))
        return WR_OK;
    bool keyed = has_option(o->connector, "primary_key") || has_option(o->connector, "key");
    wr_fail_at(b->err, WR_ESQL, off, "sink \"%.*s\" only takes additions, but this query updates its results", WR_FMT(o->name));
    if (keyed && p->n_ukey > 0) {
        struct wr_buf names = WR_BUF_INIT(200);
        for (int i = 0; i < p->n_ukey; i++)
            wr_buf_printf(&names, "%s%.*s", i ? ", " : "", WR_FMT(p->out->field[p->ukey[i]].name));
        wr_hint(b->err, "add EMIT FINAL to the query, or primary_key = '%.*s' to the sink", WR_FMT(wr_buf_get(&names)));
        wr_buf_clear(&names);
    } else {
        wr_hint(b->err, keyed ? "add EMIT FINAL, or a primary key" : "add EMIT FINAL");
    }
    return WR_ESQL;
}

static void set_key_schema(struct binder *b, struct wr_sink_spec *spec)
{
    struct wr_schema *s = wr_schema_new(b->a, spec->n_key);
    for (int i = 0; i < spec->n_key; i++)
        s->field[i] = spec->schema->field[spec->key[i]];
    spec->key_schema = s;
}

static wr_status must_end(struct binder *b, const struct wr_plan *p, int32_t off)
{
    if (b->o->final != WR_FINAL_YES || p->bounded)
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, off, "--final needs input that ends");
    wr_hint(b->err, "add --until-end: sources then stop at their present end");
    return WR_ESQL;
}

/* The SINK node; o: the declared sink (or what stands for the console). */
static wr_status add_sink(struct binder *b, const struct wr_object *o, struct wr_plan *p, const struct wr_schema *schema, int32_t off)
{
    struct wr_plan *sink = wr_node_new(b->a, WR_PLAN_SINK, p);
    struct wr_sink_spec *spec = &sink->u.sink.spec;
    WR_TRY(must_end(b, p, off));
    spec->name = wr_arena_str(b->a, o->name);
    spec->opts = wr_opts_copy(b->a, &o->as_sink);
    spec->schema = schema;
    spec->format = o->format;
    spec->updating = p->updating;
    spec->exactly_once = b->o->exactly_once && !wr_str_eq_c(wr_opt_text_or(spec->opts, "delivery", ""), "at-least-once");
    WR_TRY(settle_key(b, o, p, spec));
    set_key_schema(b, spec);
    spec->key_is_unique = spec->n_key && wr_node_unique(p, spec->key, spec->n_key);
    WR_TRY(check_accepts(b, o, p, spec, off));
    sink->u.sink.connector = b->o->sink ? b->o->sink : o->connector;
    wr_node_props(b->a, sink);
    wr_job_add_sink(b->job, wr_bind_made(b, sink));
    return WR_OK;
}

static int64_t every_of(const struct wr_plan *p)
{
    if ((p->kind == WR_PLAN_AGG || p->kind == WR_PLAN_SESSION) && p->u.agg.emit == WR_EMIT_EVERY)
        return p->u.agg.every;
    for (int i = 0; i < p->n_in; i++) {
        int64_t every = every_of(p->in[i]);
        if (every)
            return every;
    }
    return 0;
}

struct wr_plan *wr_bind_held(struct binder *b, struct wr_plan *p)
{
    struct wr_plan *s = wr_node_new(b->a, WR_PLAN_SORT, p);
    s->u.sort.limit = -1;
    wr_node_props(b->a, s);
    return wr_bind_made(b, s);
}

wr_status wr_bind_insert(struct binder *b, const struct wr_object *o, const struct wr_ast_name *columns, const struct rel *rows, int32_t off)
{
    struct wr_schema *schema;
    struct wr_plan *p;
    if (!o->writes) {
        wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is a %s and cannot be written", WR_FMT(o->name), wr_objkind_name(o->kind));
        wr_hint(b->err, "declare a sink: CREATE SINK ... WITH (connector = ...)");
        return WR_ESQL;
    }
    WR_TRY(wr_object_opts_role(o, WR_AS_SINK, off, b->err));
    WR_TRY(shape(b, o, columns, rows, off, &schema, &p));
    if (b->final && p->updating && p->bounded)
        p = wr_bind_held(b, p);
    WR_TRY(add_sink(b, o, p, schema, off));
    b->job->pub.sink[b->job->pub.n_sink - 1]->u.sink.emit_every = every_of(p);
    return WR_OK;
}

/* ---- the console ---- */

wr_status wr_bind_console(struct binder *b, const struct rel *rows, int32_t off)
{
    struct wr_object o = {.kind = WR_OBJ_SINK, .name = WR_STR("console"), .writes = true, .time_col = -1};
    o.connector = wr_connector_find(WR_STR("console"));
    if (!o.connector)
        return wr_connector_unknown(WR_STR("console"), off, b->err);
    if (b->o->console) {
        o.as_sink = *b->o->console;
    } else {
        struct wr_opt opt[3] = {{WR_STR("connector"), WR_STR("console"), -1}, {WR_STR("format"), wr_setting_text(b->cat, WR_SET_OUTPUT), -1},
                                {WR_STR("null"), wr_setting_text(b->cat, WR_SET_NULL_TEXT), -1}};
        struct wr_opts raw = {3, opt};
        WR_TRY(wr_opts_check(o.connector, NULL, WR_AS_SINK, &raw, b->a, &o.as_sink, b->err));
    }
    return wr_bind_insert(b, &o, NULL, rows, off);
}

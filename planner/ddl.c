/* ddl.c: CREATE SOURCE, TABLE, SINK, VIEW and DROP.
 * Rules:  everything that can be known is checked when an object is declared: connector, format, options, types, computed columns, the watermark,
 *         a view's query. The object is put into the catalog only when all of it is right.
 * Memory: an object's own arena (catalog.h); the jobplan given to the binder is only scratch. */
#include "planner/bind.h"

#include <stdio.h>
#include "parser/parse.h"

/* ---- a new object ---- */

static wr_status keep_text(struct wr_object *o, const struct wr_stmt *stmt, struct wr_str sql, struct wr_error *err)
{
    struct wr_stmt *copy;
    WR_ASSERT(stmt->off >= 0 && stmt->end <= (int32_t)sql.n && stmt->off <= stmt->end);
    o->text = wr_arena_str(&o->mem, (struct wr_str){sql.p + stmt->off, (uint32_t)(stmt->end - stmt->off)});
    WR_TRY(wr_parse(o->text, &o->mem, &copy, NULL, NULL, err));
    WR_ASSERT(copy && !copy->next && copy->kind == stmt->kind);
    o->stmt = copy;
    return WR_OK;
}

static struct wr_object *new_object(const struct wr_stmt *stmt, enum wr_objkind kind)
{
    struct wr_object *o = wr_calloc(1, sizeof *o);
    o->kind = kind;
    o->name = wr_arena_str(&o->mem, stmt->name->text);
    o->time_col = -1;
    return o;
}

/* ---- options ---- */

static wr_status read_options(struct binder *b, struct wr_object *o, const struct wr_stmt *stmt)
{
    int n = 0;
    for (const struct wr_ast_option *p = stmt->options; p; p = p->next)
        n++;
    struct wr_opt *opt = WR_NEW_N(&o->mem, struct wr_opt, n + 1);
    n = 0;
    for (const struct wr_ast_option *p = stmt->options; p; p = p->next, n++) {
        opt[n].key = wr_arena_str(&o->mem, p->key);
        opt[n].off = p->off;
        WR_TRY(wr_vars_replace(b->cat, p->value, p->off, &o->mem, &opt[n].value, b->err));
        opt[n].value = wr_arena_str(&o->mem, opt[n].value);
    }
    o->raw = (struct wr_opts){n, opt};
    return WR_OK;
}

static wr_status no_connector(struct binder *b, const struct wr_stmt *stmt)
{
    struct wr_buf all = WR_BUF_INIT(200);
    for (int i = 0; i < wr_connector_count(); i++)
        wr_buf_printf(&all, "%s%s", i ? ", " : "", wr_connector_get(i)->name);
    wr_fail_at(b->err, WR_ESQL, stmt->name->off, "\"%.*s\" needs the option \"connector\"", WR_FMT(stmt->name->text));
    wr_hint(b->err, "add WITH (connector = '...'); there is %.*s", WR_FMT(wr_buf_get(&all)));
    wr_buf_clear(&all);
    return WR_ESQL;
}

static wr_status check_options(struct binder *b, struct wr_object *o, const struct wr_stmt *stmt)
{
    WR_TRY(read_options(b, o, stmt));
    const struct wr_opt *conn = NULL;
    for (int i = 0; i < o->raw.n; i++)
        if (wr_str_ieq_c(o->raw.opt[i].key, "connector"))
            conn = &o->raw.opt[i];
    if (!conn)
        return no_connector(b, stmt);
    o->connector = wr_connector_find(conn->value);
    if (!o->connector)
        return wr_connector_unknown(conn->value, conn->off, b->err);
    WR_TRY(wr_format_choose(o->connector, &o->raw, &o->format, b->err));
    enum wr_role role = o->kind == WR_OBJ_SOURCE ? WR_AS_SOURCE : o->kind == WR_OBJ_SINK ? WR_AS_SINK : (enum wr_role)(WR_AS_SOURCE | WR_AS_SINK);
    struct wr_opts opts;
    WR_TRY(wr_opts_check(o->connector, o->format, role, &o->raw, &o->mem, &opts, b->err));
    o->reads = (role & WR_AS_SOURCE) && o->connector->source;
    o->writes = (role & WR_AS_SINK) && o->connector->sink;
    o->as_source = o->as_sink = opts;
    return o->reads ? wr_bind_dlq_check(b, o) : wr_bind_dlq_check_sink(b, o);
}

/* ---- columns ---- */

static const struct { const char *key; enum wr_tid type[3]; } metas[] = {
    {"key", {WR_T_TEXT, WR_T_BYTES, WR_T_TEXT}},
    {"partition", {WR_T_INT, WR_T_BIGINT, WR_T_INT}},
    {"offset", {WR_T_BIGINT, WR_T_BIGINT, WR_T_BIGINT}},
    {"timestamp", {WR_T_TIMESTAMP, WR_T_TIMESTAMPTZ, WR_T_TIMESTAMP}},
    {"headers", {WR_T_JSON, WR_T_TEXT, WR_T_JSON}},
    {"topic", {WR_T_TEXT, WR_T_TEXT, WR_T_TEXT}},
};

static wr_status meta_column(struct binder *b, const struct wr_ast_column *c, struct wr_coldef *def)
{
    struct wr_str key = c->meta.p ? c->meta : c->name->text, cand[6];
    for (int i = 0; i < 6; i++) {
        cand[i] = wr_str_c(metas[i].key);
        if (!wr_str_ieq(key, cand[i]))
            continue;
        def->from = WR_COL_META;
        def->path = cand[i];
        for (int k = 0; k < 3; k++)
            if (def->type.id == metas[i].type[k])
                return WR_OK;
        struct wr_str t1 = wr_type_name(b->a, (struct wr_type){.id = (uint8_t)metas[i].type[0]}), t2 = wr_type_name(b->a, def->type);
        return wr_fail_at(b->err, WR_ESQL, c->type ? c->type->off : c->off, "metadata \"%s\" is %.*s, not %.*s", metas[i].key, WR_FMT(t1), WR_FMT(t2));
    }
    struct wr_str near = wr_str_nearest(key, cand, 6);
    wr_fail_at(b->err, WR_ESQL, c->off, "there is no metadata \"%.*s\"", WR_FMT(key));
    if (near.n)
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(b->err, "there is key, partition, offset, timestamp, headers, topic");
    return WR_ESQL;
}

static wr_status one_column(struct binder *b, struct wr_object *o, const struct wr_ast_column *c, const struct wr_ast_column *stored, int n, int *field)
{
    struct wr_objcol *col = &o->col[n];
    if (c->def)
        return wr_bind_refuse(b, c->def->off, "DEFAULT", o->kind == WR_OBJ_SINK ? NULL : "write coalesce(column, value) in the query");
    col->def = (struct wr_coldef){.name = wr_arena_str(&o->mem, c->name->text), .off = c->off, .not_null = c->not_null};
    for (int i = 0; i < n; i++)
        if (wr_str_eq(o->col[i].def.name, col->def.name))
            return wr_fail_at(b->err, WR_ESQL, c->off, "column \"%.*s\" is declared twice", WR_FMT(col->def.name));
    if (c->type && wr_bind_type(b, c->type, &col->def.type)) {
        if (wr_str_eq_c(c->name->text, "watermark")) {
            b->err->hint[0] = 0; /* types are not the point */
            wr_hint(b->err, "the event time is declared as WATERMARK FOR column AS column - INTERVAL '1' MINUTE");
        }
        return b->err->code;
    }
    if (o->kind == WR_OBJ_SINK && c->kind != WR_C_PLAIN)
        return wr_bind_refuse(b, c->off, c->kind == WR_C_COMPUTED ? "a computed column of a sink" : "a METADATA column of a sink", "compute it in the query");
    if (c->kind == WR_C_COMPUTED) {
        if (c->not_null || c->path.p)
            return wr_fail_at(b->err, WR_ESQL, c->off, "a computed column has neither NOT NULL nor PATH");
        col->computed = stored->expr;
    } else if (c->kind == WR_C_METADATA) {
        WR_TRY(meta_column(b, c, &col->def));
    } else {
        if (c->path.p && o->kind == WR_OBJ_SINK)
            return wr_bind_refuse(b, c->off, "PATH in a sink", NULL);
        col->def.path = wr_arena_str(&o->mem, c->path);
        col->def.pos = (*field)++;
    }
    col->type = col->def.type;
    col->nullable = !c->not_null;
    return WR_OK;
}

/* Columns the connector knows by itself. */
static wr_status known_columns(struct binder *b, struct wr_object *o, const struct wr_stmt *stmt, int room)
{
    struct wr_coldef *def = NULL;
    int n = 0;
    if (!o->connector->columns || !o->reads) {
        wr_fail_at(b->err, WR_ESQL, stmt->name->off, "source \"%.*s\" needs its columns", WR_FMT(o->name));
        wr_hint(b->err, "write CREATE SOURCE %.*s (name TYPE, ...) WITH (...)", WR_FMT(o->name));
        return WR_ESQL;
    }
    struct wr_opts *opts = &o->as_source;
    WR_TRY(o->connector->columns(opts, &o->mem, &def, &n, b->err));
    if (n == 0) {
        wr_fail_at(b->err, WR_ESQL, stmt->name->off, "source \"%.*s\" needs its columns", WR_FMT(o->name));
        wr_hint(b->err, "write CREATE SOURCE %.*s (name TYPE, ...) WITH (...)", WR_FMT(o->name));
        return WR_ESQL;
    }
    o->col = WR_NEW_N(&o->mem, struct wr_objcol, n + room + 1);
    for (int i = 0; i < n; i++)
        o->col[i] = (struct wr_objcol){.def = def[i], .type = def[i].type, .nullable = !def[i].not_null};
    o->n_col = n;
    return WR_OK;
}

static wr_status read_columns(struct binder *b, struct wr_object *o, const struct wr_stmt *stmt)
{
    const struct wr_ast_column *list = stmt->relation ? stmt->relation->columns : NULL;
    const struct wr_ast_column *stored = o->stmt->relation ? o->stmt->relation->columns : NULL;
    int n = 0, physical = 0, field = 0;
    for (const struct wr_ast_column *c = list; c; c = c->next, n++)
        physical += c->kind != WR_C_COMPUTED;
    if (o->kind == WR_OBJ_SINK && n == 0)
        return WR_OK;
    if (o->kind == WR_OBJ_TABLE && n == 0 && !o->reads)
        return WR_OK;
    if (physical == 0)
        WR_TRY(known_columns(b, o, stmt, n));
    else
        o->col = WR_NEW_N(&o->mem, struct wr_objcol, n + 1);
    for (const struct wr_ast_column *c = list; c; c = c->next, stored = stored->next) {
        if (o->n_col >= MAX_COLUMNS)
            return wr_fail_at(b->err, WR_ELIMIT, c->off, "more than %d columns", MAX_COLUMNS);
        WR_TRY(one_column(b, o, c, stored, o->n_col, &field));
        o->n_col++;
    }
    return WR_OK;
}

/* Types of the computed columns, from the physical ones. */
static wr_status type_computed(struct binder *b, struct wr_object *o, const struct wr_ast_column *list)
{
    struct wr_schema *s = wr_schema_new(b->a, o->n_col);
    s->n = 0;
    for (int i = 0; i < o->n_col; i++)
        if (!o->col[i].computed)
            s->field[s->n++] = (struct wr_field){.name = o->col[i].def.name, .type = o->col[i].type, .nullable = o->col[i].nullable};
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_VALUES, NULL);
    p->out = s;
    struct rel r = wr_rel_of(b, p, o->name);
    struct xctx x = {.b = b, .rel = &r, .clause = "a computed column"};
    for (const struct wr_ast_column *c = list; c; c = c->next) {
        struct wr_expr *y;
        if (c->kind != WR_C_COMPUTED)
            continue;
        WR_TRY(wr_bind_expr(&x, c->expr, &y));
        for (int i = 0; i < o->n_col; i++) {
            if (!wr_str_eq(o->col[i].def.name, c->name->text))
                continue;
            if (c->type)
                WR_TRY(wr_expr_cast(b->a, y, o->col[i].def.type, true, &y, b->err));
            else if (y->type.id == WR_T_NULL)
                y->type = WR_TYPE_OF(TEXT);
            o->col[i].type = wr_type_copy(&o->mem, c->type ? o->col[i].def.type : y->type);
            o->col[i].nullable = y->nullable;
        }
    }
    return WR_OK;
}

static int column_index(const struct wr_object *o, struct wr_str name)
{
    for (int i = 0; i < o->n_col; i++)
        if (wr_str_eq(o->col[i].def.name, name))
            return i;
    return -1;
}

static wr_status no_own_column(struct binder *b, const struct wr_object *o, struct wr_str name, int32_t off)
{
    struct wr_str *cand = WR_NEW_N(b->a, struct wr_str, o->n_col + 1);
    for (int i = 0; i < o->n_col; i++)
        cand[i] = o->col[i].def.name;
    struct wr_str near = wr_str_nearest(name, cand, o->n_col);
    wr_fail_at(b->err, WR_ESQL, off, "column \"%.*s\" does not exist", WR_FMT(name));
    if (near.n)
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    return WR_ESQL;
}

static bool names_column(const struct wr_ast_expr *e, struct wr_str name)
{
    return e->kind == WR_E_NAME && !e->name->next && wr_str_eq(e->name->text, name);
}

static wr_status read_watermark(struct binder *b, struct wr_object *o, const struct wr_ast_relation *r)
{
    if (!r || !r->watermark_col)
        return WR_OK;
    struct wr_str name = r->watermark_col->text;
    const struct wr_ast_expr *e = r->watermark;
    if (o->kind == WR_OBJ_SINK)
        return wr_fail_at(b->err, WR_ESQL, r->watermark_off, "a sink has no watermark");
    int i = column_index(o, name);
    if (i < 0)
        return no_own_column(b, o, name, r->watermark_col->off);
    if (!wr_type_is_time(o->col[i].type)) {
        struct wr_str t = wr_type_name(b->a, o->col[i].type);
        wr_fail_at(b->err, WR_ESQL, r->watermark_col->off, "the event time must be a TIMESTAMP, but \"%.*s\" is %.*s", WR_FMT(name), WR_FMT(t));
        wr_hint(b->err, "declare it as TIMESTAMP, or add a computed column");
        return WR_ESQL;
    }
    o->time_col = i;
    if (!e || names_column(e, name))
        return WR_OK;
    if (e->kind == WR_E_BINARY && wr_str_eq_c(e->text, "-") && names_column(e->a, name))
        return wr_bind_duration(b, e->b, "the watermark's delay", 0, &o->delay);
    wr_fail_at(b->err, WR_ESQL, e->off, "a watermark is the column, or the column minus an interval");
    wr_hint(b->err, "write WATERMARK FOR %.*s AS %.*s - INTERVAL '1' MINUTE", WR_FMT(name), WR_FMT(name));
    return WR_ESQL;
}

static wr_status add_key(struct binder *b, struct wr_object *o, struct wr_str name, int32_t off)
{
    int i = column_index(o, name);
    if (i < 0)
        return no_own_column(b, o, name, off);
    if (o->col[i].computed || o->col[i].def.from == WR_COL_META)
        return wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" cannot be in the primary key: it is not stored", WR_FMT(name));
    for (int k = 0; k < o->n_key; k++)
        if (o->key[k] == i)
            return wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" is twice in the primary key", WR_FMT(name));
    o->key[o->n_key++] = i;
    return WR_OK;
}

static wr_status read_key(struct binder *b, struct wr_object *o, const struct wr_ast_relation *r)
{
    if (!r)
        return WR_OK;
    o->key = WR_NEW_N(&o->mem, int, o->n_col + 1);
    for (const struct wr_ast_column *c = r->columns; c; c = c->next)
        if (c->primary_key)
            WR_TRY(add_key(b, o, c->name->text, c->off));
    if (o->n_key && r->primary_key)
        return wr_fail_at(b->err, WR_ESQL, r->primary_key->off, "there is more than one primary key");
    for (const struct wr_ast_name *n = r->primary_key; n; n = n->next)
        WR_TRY(add_key(b, o, n->text, n->off));
    if (o->n_key && o->kind == WR_OBJ_SOURCE && o->time_col < 0) {
        wr_fail_at(b->err, WR_ESQL, r->primary_key ? r->primary_key->off : r->columns->off, "PRIMARY KEY on a source without event time: which record of a key is its latest?");
        wr_hint(b->err, "add WATERMARK FOR column, or leave it out: each record is a row of its own");
        return WR_ESQL;
    }
    return WR_OK;
}

/* The columns users see, and those that can be written. */
static void set_schema(struct wr_object *o)
{
    if (o->n_col == 0)
        return;
    struct wr_schema *out = wr_schema_new(&o->mem, o->n_col), *in = wr_schema_new(&o->mem, o->n_col);
    in->n = 0;
    for (int i = 0; i < o->n_col; i++) {
        out->field[i] = (struct wr_field){.name = o->col[i].def.name, .type = o->col[i].type, .nullable = o->col[i].nullable};
        if (!o->col[i].computed && o->col[i].def.from == WR_COL_FIELD)
            in->field[in->n++] = out->field[i];
    }
    o->out = out;
    o->in = in;
}

static wr_status build_relation(struct binder *b, struct wr_object *o, const struct wr_stmt *stmt, struct wr_str sql)
{
    WR_TRY(keep_text(o, stmt, sql, b->err));
    WR_TRY(check_options(b, o, stmt));
    struct wr_arena *job = b->a;
    b->a = &o->mem; /* types live as long as the object */
    wr_status st = read_columns(b, o, stmt);
    b->a = job;
    WR_TRY(st);
    WR_TRY(type_computed(b, o, stmt->relation ? stmt->relation->columns : NULL));
    WR_TRY(read_watermark(b, o, stmt->relation));
    WR_TRY(read_key(b, o, stmt->relation));
    set_schema(o);
    return WR_OK;
}

/* ---- views ---- */

/* Calls fn for each table name below a query. */
typedef void (*table_fn)(void *ctx, struct wr_str name);
static void select_tables(const struct wr_ast_select *s, table_fn fn, void *ctx);

static void expr_tables(const struct wr_ast_expr *e, table_fn fn, void *ctx)
{
    for (; e; e = e->next) {
        if (e->kind == WR_E_TABLE)
            fn(ctx, e->name->text);
        if (e->select)
            select_tables(e->select, fn, ctx);
        expr_tables(e->a, fn, ctx);
        expr_tables(e->b, fn, ctx);
        expr_tables(e->c, fn, ctx);
        expr_tables(e->args, fn, ctx);
    }
}

static void from_tables(const struct wr_ast_table *t, table_fn fn, void *ctx)
{
    if (!t)
        return;
    if (t->kind == WR_F_NAME)
        fn(ctx, t->name->text);
    if (t->select)
        select_tables(t->select, fn, ctx);
    if (t->call) {
        const struct wr_ast_expr *first = t->call->args;
        if (first && first->kind == WR_E_NAME)
            fn(ctx, first->name->text); /* TUMBLE(t, ts, ...) */
        expr_tables(t->call->args, fn, ctx);
    }
    expr_tables(t->on, fn, ctx);
    from_tables(t->left, fn, ctx);
    from_tables(t->right, fn, ctx);
}

static void select_tables(const struct wr_ast_select *s, table_fn fn, void *ctx)
{
    for (const struct wr_ast_cte *c = s->with; c; c = c->next)
        select_tables(c->select, fn, ctx);
    if (s->left)
        select_tables(s->left, fn, ctx);
    if (s->right)
        select_tables(s->right, fn, ctx);
    from_tables(s->from, fn, ctx);
    for (const struct wr_ast_item *it = s->items; it; it = it->next)
        expr_tables(it->expr, fn, ctx);
    expr_tables(s->where, fn, ctx);
    expr_tables(s->having, fn, ctx);
    expr_tables(s->qualify, fn, ctx);
}

struct search { const struct wr_catalog *cat; struct wr_str name; bool found, deep; int depth; };

static void look(void *ctx, struct wr_str table)
{
    struct search *s = ctx;
    const char *dollar = table.n ? memchr(table.p, '$', table.n) : NULL;
    struct wr_str base = dollar ? (struct wr_str){table.p, (uint32_t)(dollar - table.p)} : table;
    if (wr_str_eq(table, s->name) || wr_str_eq(base, s->name))
        s->found = true;
    const struct wr_object *o = wr_object_find(s->cat, table);
    if (!s->deep || s->found || !o || o->kind != WR_OBJ_VIEW || s->depth > MAX_DEPTH)
        return;
    s->depth++;
    select_tables(o->stmt->select, look, s);
    s->depth--;
}

static wr_status build_view(struct binder *b, struct wr_object *o, const struct wr_stmt *stmt, struct wr_str sql)
{
    struct rel r;
    struct env env = {.cl = {.outermost = true}};
    WR_TRY(keep_text(o, stmt, sql, b->err));
    struct search s = {.cat = b->cat, .name = o->name, .deep = true};
    if (wr_object_find(b->cat, o->name)) {
        select_tables(stmt->select, look, &s);
        if (s.found)
            return wr_fail_at(b->err, WR_ESQL, stmt->name->off, "view \"%.*s\" would depend on itself", WR_FMT(o->name));
    }
    WR_TRY(wr_bind_query(b, stmt->select, &env, &r));
    WR_TRY(wr_rel_rename(b, stmt->names, "the view", &r));
    struct wr_schema *out = wr_schema_new(&o->mem, r.n);
    for (int i = 0; i < r.n; i++) {
        for (int k = 0; k < i; k++)
            if (wr_str_eq(out->field[k].name, r.col[i].name))
                return wr_fail_at(b->err, WR_ESQL, stmt->name->off, "view \"%.*s\" has two columns \"%.*s\"", WR_FMT(o->name), WR_FMT(r.col[i].name));
        out->field[i] = r.plan->out->field[i];
        out->field[i].name = wr_arena_str(&o->mem, r.col[i].name);
        out->field[i].type = wr_type_copy(&o->mem, out->field[i].type);
    }
    o->out = out;
    return WR_OK;
}

/* ---- CREATE ---- */

static enum wr_objkind kind_of(const struct wr_stmt *stmt)
{
    if (stmt->kind == WR_S_CREATE_VIEW)
        return WR_OBJ_VIEW;
    if (stmt->kind == WR_S_CREATE_SINK)
        return WR_OBJ_SINK;
    return stmt->kind == WR_S_CREATE_TABLE ? WR_OBJ_TABLE : WR_OBJ_SOURCE;
}

static wr_status check_name(struct binder *b, const struct wr_stmt *stmt, enum wr_objkind kind, const struct wr_object *old)
{
    if (stmt->name->next)
        return wr_bind_refuse(b, stmt->name->off, "a qualified name", "there are no schemas: write the last part only");
    if (memchr(stmt->name->text.p, '$', stmt->name->text.n))
        return wr_fail_at(b->err, WR_ESQL, stmt->name->off, "a name cannot contain \"$\": source$late and source$errors use it");
    if (stmt->materialized)
        return wr_bind_refuse(b, stmt->off, "a materialized view", "CREATE VIEW, and INSERT INTO a sink SELECT * FROM it");
    if (stmt->kind == WR_S_CREATE_TABLE && stmt->select)
        return wr_bind_refuse(b, stmt->off, "CREATE TABLE AS", "CREATE SINK ... WITH (...) AS SELECT does it");
    if (stmt->kind == WR_S_CREATE_SOURCE && stmt->select)
        return wr_bind_refuse(b, stmt->off, "CREATE STREAM AS", "CREATE VIEW ... AS SELECT, or CREATE SINK ... WITH (...) AS SELECT");
    if (!old || (stmt->or_replace && old->kind == kind))
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, stmt->name->off, "\"%.*s\" exists already: it is a %s", WR_FMT(old->name), wr_objkind_name(old->kind));
    wr_hint(b->err, old->kind == kind ? "write CREATE OR REPLACE, or DROP it first" : "names are shared by sources, sinks, tables and views");
    return WR_ESQL;
}

wr_status wr_ddl_create(struct binder *b, const struct wr_stmt *stmt, struct wr_str sql, struct wr_str *said)
{
    enum wr_objkind kind = kind_of(stmt);
    static const char *const word[] = {"SOURCE", "SINK", "TABLE", "VIEW"};
    const char *what = word[kind == WR_OBJ_SOURCE ? 0 : kind == WR_OBJ_SINK ? 1 : kind == WR_OBJ_TABLE ? 2 : 3];
    struct wr_object *old = wr_object_find(b->cat, stmt->name->text);
    if (old && stmt->if_not_exists) {
        *said = wr_arena_printf(b->a, "%s \"%.*s\" exists already, nothing done", wr_objkind_name(old->kind), WR_FMT(old->name));
        return WR_OK;
    }
    WR_TRY(check_name(b, stmt, kind, old));
    struct wr_object *o = new_object(stmt, kind);
    wr_status st = kind == WR_OBJ_VIEW ? build_view(b, o, stmt, sql) : build_relation(b, o, stmt, sql);
    if (st) {
        wr_object_free(o);
        return st;
    }
    if (old)
        wr_object_drop(b->cat, old);
    wr_object_add(b->cat, o);
    *said = wr_arena_printf(b->a, "CREATE %s", what);
    return WR_OK;
}

/* ---- DROP ---- */

wr_status wr_no_object(const struct wr_catalog *c, struct wr_str name, int kinds, const char *what, int32_t off, struct wr_error *err)
{
    struct wr_str near = wr_object_nearest(c, name, kinds);
    wr_fail_at(err, WR_ESQL, off, "there is no %s \"%.*s\"", what, WR_FMT(name));
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else if (kinds == (WR_OBJ_SINK | WR_OBJ_TABLE))
        wr_hint(err, "declare it: CREATE SINK %.*s WITH (connector = '...', ...)", WR_FMT(name));
    return WR_ESQL;
}

static const struct wr_object *dependent(const struct wr_catalog *c, const struct wr_object *o)
{
    for (int i = 0; i < c->n_obj; i++) {
        struct search s = {.cat = c, .name = o->name};
        if (c->obj[i] == o || c->obj[i]->kind != WR_OBJ_VIEW)
            continue;
        select_tables(c->obj[i]->stmt->select, look, &s);
        if (s.found)
            return c->obj[i];
    }
    return NULL;
}

static void drop_cascade(struct wr_catalog *c, struct wr_object *o)
{
    struct wr_str name = o->name;
    for (const struct wr_object *d = dependent(c, o); d; d = dependent(c, o))
        drop_cascade(c, wr_object_find(c, d->name));
    wr_object_drop(c, wr_object_find(c, name));
}

static wr_status drop_one(struct wr_catalog *c, const struct wr_stmt *stmt, const struct wr_ast_name *n, struct wr_error *err)
{
    struct wr_object *o = wr_object_find(c, n->text);
    char what[16];
    snprintf(what, sizeof what, "%.*s", WR_FMT(stmt->what));
    if (!o && stmt->if_exists)
        return WR_OK;
    if (!o)
        return wr_no_object(c, n->text, WR_OBJ_SOURCE | WR_OBJ_SINK | WR_OBJ_TABLE | WR_OBJ_VIEW, what, n->off, err);
    if (!wr_str_eq_c(stmt->what, wr_objkind_name(o->kind)) && !(o->kind == WR_OBJ_SOURCE && wr_str_eq_c(stmt->what, "stream"))) {
        wr_fail_at(err, WR_ESQL, n->off, "\"%.*s\" is a %s, not a %s", WR_FMT(n->text), wr_objkind_name(o->kind), what);
        return WR_ESQL;
    }
    const struct wr_object *user = dependent(c, o);
    if (user && !stmt->cascade) {
        wr_fail_at(err, WR_ESQL, n->off, "%s \"%.*s\" is used by view \"%.*s\"", wr_objkind_name(o->kind), WR_FMT(o->name), WR_FMT(user->name));
        wr_hint(err, "drop that first, or write CASCADE");
        return WR_ESQL;
    }
    drop_cascade(c, o);
    return WR_OK;
}

wr_status wr_ddl_drop(struct binder *b, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_str *said)
{
    bool function = wr_str_eq_c(stmt->what, "function");
    if (function)
        WR_TRY(wr_function_drop(b, stmt));
    for (const struct wr_ast_name *n = stmt->names; n && !function; n = n->next)
        WR_TRY(drop_one(b->cat, stmt, n, b->err));
    struct wr_str what = wr_arena_str(a, stmt->what);
    char *w = wr_arena_bytes(a, what.n + 1);
    for (uint32_t i = 0; i < what.n; i++)
        w[i] = what.p[i] >= 'a' && what.p[i] <= 'z' ? (char)(what.p[i] - 32) : what.p[i];
    *said = wr_arena_printf(a, "DROP %.*s", (int)what.n, w);
    return WR_OK;
}

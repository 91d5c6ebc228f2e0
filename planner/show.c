/* show.c: SHOW, SHOW CREATE, DESCRIBE: what is declared and what there is, as rows or text.
 * Rules:  a secret is never printed: its value is ***. SHOW CREATE prints options as written, so ${NAME} stays ${NAME}.
 * Memory: rows and texts in the answer's arena. */
#include "planner/bind.h"
#include "parser/parse.h"

/* ---- rows ---- */

struct table {
    struct wr_arena *a;
    struct wr_rows rows;
    int cap;
};

static void table_start(struct table *t, struct wr_arena *a, int n_col, const char *const *name)
{
    *t = (struct table){.a = a, .rows = {.n_col = n_col}};
    t->rows.name = WR_NEW_N(a, struct wr_str, n_col);
    for (int i = 0; i < n_col; i++)
        t->rows.name[i] = wr_str_c(name[i]);
}

/* A new row's cells, empty. */
static struct wr_str *table_row(struct table *t)
{
    struct wr_rows *r = &t->rows;
    if (r->n_row == t->cap) {
        struct wr_str *old = r->cell;
        t->cap = t->cap ? 2 * t->cap : 16;
        r->cell = WR_NEW_N(t->a, struct wr_str, t->cap * r->n_col);
        if (r->n_row)
            memcpy(r->cell, old, sizeof(*old) * (size_t)(r->n_row * r->n_col));
    }
    return r->cell + r->n_row++ * r->n_col;
}

static void answer_rows(struct wr_answer *out, const struct table *t)
{
    out->kind = WR_ANSWER_ROWS;
    out->rows = t->rows;
}

/* ---- SHOW ---- */

static void show_objects(struct wr_catalog *c, int kinds, struct wr_arena *a, struct wr_answer *out)
{
    static const char *const name[] = {"name", "kind", "connector", "format", "columns"};
    struct table t;
    table_start(&t, a, 5, name);
    for (int i = 0; i < c->n_obj; i++) {
        const struct wr_object *o = c->obj[i];
        if (!((int)o->kind & kinds))
            continue;
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_arena_str(a, o->name);
        cell[1] = wr_str_c(wr_objkind_name(o->kind));
        cell[2] = wr_str_c(o->connector ? o->connector->name : "");
        cell[3] = wr_str_c(o->format ? o->format->name : "");
        cell[4] = o->out ? wr_arena_printf(a, "%d", o->out->n) : (struct wr_str){0};
    }
    answer_rows(out, &t);
}

static void show_functions(const struct wr_catalog *c, struct wr_arena *a, struct wr_answer *out)
{
    static const char *const name[] = {"name", "kind", "description"};
    struct table t;
    table_start(&t, a, 3, name);
    for (const struct wr_function *f = c->functions; f; f = f->next) {
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_arena_str(a, f->name);
        cell[1] = f->native ? WR_STR("user function in C") : WR_STR("user function");
        cell[2] = wr_function_head(a, f);
    }
    for (int i = 0; i < wr_func_count(); i++) {
        const struct wr_func *f = wr_func_get(i);
        if ((f->flags & WR_F_HIDDEN) || !f->help || (i > 0 && strcmp(f->name, wr_func_get(i - 1)->name) == 0))
            continue;
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_str_c(f->name);
        cell[1] = WR_STR("function");
        cell[2] = wr_str_c(f->help);
    }
    for (int i = 0; i < wr_agg_count(); i++) {
        const struct wr_agg *g = wr_agg_get(i);
        if (i > 0 && strcmp(g->name, wr_agg_get(i - 1)->name) == 0)
            continue;
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_str_c(g->name);
        cell[1] = WR_STR("aggregate");
        cell[2] = wr_str_c(g->help);
    }
    answer_rows(out, &t);
}

static void show_connectors(struct wr_arena *a, struct wr_answer *out)
{
    static const char *const name[] = {"name", "use", "formats", "description"};
    struct table t;
    table_start(&t, a, 4, name);
    for (int i = 0; i < wr_connector_count(); i++) {
        const struct wr_connector *c = wr_connector_get(i);
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_str_c(c->name);
        cell[1] = wr_str_c(c->source && c->sink ? "source, sink" : c->source ? "source" : "sink");
        cell[2] = wr_str_c(c->formats);
        cell[3] = wr_str_c(c->help);
    }
    answer_rows(out, &t);
}

static void show_settings(struct wr_catalog *c, struct wr_arena *a, struct wr_answer *out)
{
    static const char *const name[] = {"name", "value", "set", "description"};
    struct table t;
    table_start(&t, a, 4, name);
    for (int i = 0; i < WR_SET_COUNT; i++) {
        enum wr_setting s = (enum wr_setting)i;
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_str_c(wr_setting_name(s));
        cell[1] = wr_arena_str(a, wr_setting_text(c, s));
        cell[2] = wr_str_c(wr_setting_given(c, s) ? "yes" : "");
        cell[3] = wr_str_c(wr_setting_help(s));
    }
    answer_rows(out, &t);
}

static wr_status show_setting(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err)
{
    enum wr_setting s;
    if (!wr_setting_find(stmt->what, &s)) {
        static const char *const words[] = {"sources", "sinks", "views", "tables", "jobs", "functions", "connectors", "settings", "all"};
        struct wr_str cand[9 + WR_SET_COUNT];
        for (int i = 0; i < 9; i++)
            cand[i] = wr_str_c(words[i]);
        for (int i = 0; i < WR_SET_COUNT; i++)
            cand[9 + i] = wr_str_c(wr_setting_name((enum wr_setting)i));
        struct wr_str near = wr_str_nearest(stmt->what, cand, 9 + WR_SET_COUNT);
        wr_fail_at(err, WR_ESQL, stmt->text_off > stmt->off ? stmt->text_off : stmt->off, "nothing to show is named \"%.*s\"", WR_FMT(stmt->what));
        if (near.n)
            wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
        else
            wr_hint(err, "SHOW SOURCES, SINKS, VIEWS, TABLES, JOBS, FUNCTIONS, CONNECTORS, ALL, or a setting's name");
        return WR_ESQL;
    }
    const char *name = wr_setting_name(s);
    struct table t;
    table_start(&t, a, 1, &name);
    *table_row(&t) = wr_arena_str(a, wr_setting_text(c, s));
    answer_rows(out, &t);
    return WR_OK;
}

wr_status wr_show(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err)
{
    struct wr_str what = stmt->what;
    if (wr_str_eq_c(what, "jobs"))
        out->kind = WR_ANSWER_SHELL;
    else if (wr_str_eq_c(what, "sources") || wr_str_eq_c(what, "streams"))
        show_objects(c, WR_OBJ_SOURCE, a, out);
    else if (wr_str_eq_c(what, "sinks"))
        show_objects(c, WR_OBJ_SINK, a, out);
    else if (wr_str_eq_c(what, "views"))
        show_objects(c, WR_OBJ_VIEW, a, out);
    else if (wr_str_eq_c(what, "tables"))
        show_objects(c, WR_OBJ_SOURCE | WR_OBJ_SINK | WR_OBJ_TABLE | WR_OBJ_VIEW, a, out);
    else if (wr_str_eq_c(what, "functions"))
        show_functions(c, a, out);
    else if (wr_str_eq_c(what, "connectors"))
        show_connectors(a, out);
    else if (wr_str_eq_c(what, "all") || wr_str_eq_c(what, "settings"))
        show_settings(c, a, out);
    else
        return show_setting(c, stmt, a, out, err);
    return WR_OK;
}

/* ---- one object ---- */

static wr_status find_object(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_object **o, struct wr_error *err)
{
    *o = stmt->name->next ? NULL : wr_object_find(c, stmt->name->text);
    if (*o)
        return WR_OK;
    return wr_no_object(c, stmt->name->text, WR_OBJ_SOURCE | WR_OBJ_SINK | WR_OBJ_TABLE | WR_OBJ_VIEW, "source, sink or view", stmt->name->off, err);
}

wr_status wr_show_create(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err)
{
    struct wr_object *o;
    const struct wr_function *f = wr_function_find(c, stmt->name->text);
    if (f && !stmt->name->next && (wr_str_eq_c(stmt->what, "function") || (!stmt->what.n && !wr_object_find(c, f->name)))) {
        out->kind = WR_ANSWER_TEXT;
        out->text = wr_arena_printf(a, "%.*s;\n", WR_FMT(f->text));
        return WR_OK;
    }
    WR_TRY(find_object(c, stmt, &o, err));
    if (stmt->what.n && !wr_str_eq_c(stmt->what, wr_objkind_name(o->kind)))
        return wr_fail_at(err, WR_ESQL, stmt->name->off, "\"%.*s\" is a %s", WR_FMT(o->name), wr_objkind_name(o->kind));
    struct wr_stmt copy = *o->stmt;
    struct wr_ast_option **tail = &copy.options;
    for (const struct wr_ast_option *p = o->stmt->options; p; p = p->next) {
        struct wr_ast_option *n = WR_NEW(a, struct wr_ast_option);
        *n = *p;
        if (wr_opt_is_secret(o->connector, p->key))
            n->value = WR_STR("***");
        *tail = n;
        tail = &n->next;
    }
    copy.next = NULL;
    struct wr_buf text = WR_BUF_INIT(4 << 20);
    wr_unparse_stmt(&text, &copy);
    wr_buf_puts(&text, ";\n");
    out->kind = WR_ANSWER_TEXT;
    out->text = wr_arena_str(a, wr_buf_get(&text));
    wr_buf_clear(&text);
    return WR_OK;
}

/* Where a column comes from: "", "$.a.b", "metadata offset", "upper(x)". */
static struct wr_str column_from(const struct wr_objcol *col, struct wr_arena *a)
{
    if (col->def.from == WR_COL_META)
        return wr_arena_printf(a, "metadata %.*s", WR_FMT(col->def.path));
    if (!col->computed)
        return wr_arena_str(a, col->def.path);
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_unparse_expr(&text, col->computed);
    struct wr_str s = wr_arena_str(a, wr_buf_get(&text));
    wr_buf_clear(&text);
    return s;
}

static struct wr_str column_note(const struct wr_object *o, int i, struct wr_arena *a)
{
    struct wr_buf text = WR_BUF_INIT(400);
    for (int k = 0; k < o->n_key; k++)
        if (o->key[k] == i)
            wr_buf_puts(&text, "primary key");
    if (o->time_col == i) {
        wr_buf_puts(&text, "event time, watermark ");
        wr_duration_print(&text, o->delay);
        wr_buf_puts(&text, " behind");
    }
    struct wr_str s = wr_arena_str(a, wr_buf_get(&text));
    wr_buf_clear(&text);
    return s;
}

wr_status wr_describe(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err)
{
    static const char *const name[] = {"column", "type", "null", "from", "note"};
    struct wr_object *o;
    struct table t;
    WR_TRY(find_object(c, stmt, &o, err));
    table_start(&t, a, 5, name);
    for (int i = 0; o->out && i < o->out->n; i++) {
        struct wr_str *cell = table_row(&t);
        cell[0] = wr_arena_str(a, o->out->field[i].name);
        cell[1] = wr_type_name(a, o->out->field[i].type);
        cell[2] = o->out->field[i].nullable ? WR_STR("") : WR_STR("not null");
        if (o->kind == WR_OBJ_VIEW)
            continue;
        cell[3] = column_from(&o->col[i], a);
        cell[4] = column_note(o, i, a);
    }
    answer_rows(out, &t);
    return WR_OK;
}

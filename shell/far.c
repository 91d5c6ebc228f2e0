/* far.c: see far.h.
 * Rules:  the text is parsed here first, so that mistakes show at once and each statement is sent by itself; what it means is the server's to say.
 *         SELECT and PRINT are streams (POST /query): their rows go the way of local ones, into the live table or the console connector.
 *         Display settings (output, null) are the shell's own; other settings belong to a job's text and are refused.
 * Memory: one arena a text; a stream's rows in batches of what came with one read. */
#include "shell/far.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/time.h"
#include "parser/parse.h"
#include "planner/catalog.h"
#include "server/peek.h"
#include "shell/live.h"
#include "shell/print.h"

static const int64_t LOOK_US = 100000;

struct far {
    struct wr_session *s;
    const char *file;
    struct wr_str sql;
    struct wr_arena a;
    wr_status worst;
};

static char *body_of(struct wr_str sql)
{
    json_t *v = json_pack("{s:o}", "sql", json_stringn(sql.p, sql.n));
    char *text = v ? json_dumps(v, JSON_COMPACT) : NULL;
    json_decref(v);
    return text;
}

static void report(struct far *f, const struct wr_error *err)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_parse_print_error(&text, f->file, f->sql, err);
    fflush(stdout);
    fwrite(text.p, 1, text.n, stderr);
    wr_buf_clear(&text);
    if (f->worst == WR_OK)
        f->worst = err->sql_off >= 0 ? WR_ESQL : err->code;
}

static void on_parse_error(void *ctx, const struct wr_error *err) { report(ctx, err); }

static enum wr_output output_of(const struct wr_session *s)
{
    if (s->output != WR_OUT_AUTO)
        return s->output;
    struct wr_str set = wr_setting_text(s->catalog, WR_SET_OUTPUT);
    return wr_str_eq_c(set, "ndjson") ? WR_OUT_NDJSON : wr_str_eq_c(set, "csv") ? WR_OUT_CSV : WR_OUT_TABLE;
}

/* ---- answers of POST /sql ---- */

static struct wr_str cell_of(struct wr_arena *a, const json_t *v)
{
    if (!v || json_is_null(v))
        return (struct wr_str){0};
    if (json_is_string(v))
        return wr_arena_str(a, (struct wr_str){json_string_value(v), (uint32_t)json_string_length(v)});
    char *text = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)); /* 1.4 stays 1.4 */
    struct wr_str s = wr_arena_str(a, wr_str_c(text ? text : ""));
    free(text);
    return s;
}

static void print_rows(struct far *f, const json_t *columns, const json_t *list)
{
    int n = (int)json_array_size(columns), rows = (int)json_array_size(list);
    struct wr_rows r = {.n_col = n, .n_row = rows, .name = WR_NEW_N(&f->a, struct wr_str, n + 1), .cell = WR_NEW_N(&f->a, struct wr_str, n * rows + 1)};
    for (int c = 0; c < n; c++) {
        r.name[c] = cell_of(&f->a, json_object_get(json_array_get(columns, (size_t)c), "name"));
        for (int i = 0; i < rows; i++)
            r.cell[i * n + c] = cell_of(&f->a, json_object_getn(json_array_get(list, (size_t)i), r.name[c].p, r.name[c].n));
    }
    wr_print_rows(f->s, &r);
}

/* One job's members, a line each. */
static void print_members(struct far *f, const json_t *job)
{
    const char *key;
    json_t *value;
    int n = 0;
    struct wr_rows r = {.n_col = 2, .n_row = (int)json_object_size(job), .name = WR_NEW_N(&f->a, struct wr_str, 2)};
    r.cell = WR_NEW_N(&f->a, struct wr_str, r.n_row * 2 + 1);
    r.name[0] = WR_STR("figure");
    r.name[1] = WR_STR("value");
    union { const json_t *c; json_t *v; } o = {job};
    json_object_foreach(o.v, key, value)
    {
        r.cell[n * 2] = wr_arena_str(&f->a, wr_str_c(key));
        r.cell[n * 2 + 1] = cell_of(&f->a, value);
        n++;
    }
    wr_print_rows(f->s, &r);
}

/* As a table shows it: whole numbers, and a time to the second. */
static struct wr_str job_cell(struct wr_arena *mem, const json_t *v, bool is_time)
{
    if (json_is_real(v))
        return wr_arena_printf(mem, "%.0f", json_real_value(v));
    struct wr_str s = cell_of(mem, v);
    if (!is_time || s.n < 19)
        return s;
    return wr_arena_printf(mem, "%.10s %.8s", s.p, s.p + 11);
}

void wr_print_jobs(const struct wr_session *s, const json_t *jobs)
{
    static const struct { const char *head, *key; } col[] = {{"name", "name"}, {"state", "state"}, {"rows in", "rows_in"}, {"rows/s", "rows_per_second"}, {"lag", "lag"},
                                                             {"late", "rows_late"}, {"bad", "rows_bad"}, {"watermark", "watermark"}, {"reason", "reason"}};
    enum { N = sizeof col / sizeof col[0] };
    struct wr_arena mem = {0};
    size_t n = json_array_size(jobs);
    bool table = output_of(s) == WR_OUT_TABLE && !wr_display()->expanded;
    size_t n_col = table ? N - 1 : N; /* a reason is longer than a line: each follows below */
    struct wr_rows rows = {.n_col = (int)n_col, .n_row = (int)n, .name = WR_NEW_N(&mem, struct wr_str, N), .cell = WR_NEW_N(&mem, struct wr_str, n * N + 1)};
    for (size_t c = 0; c < n_col; c++) {
        rows.name[c] = wr_str_c(col[c].head);
        for (size_t i = 0; i < n; i++)
            rows.cell[i * n_col + c] = job_cell(&mem, json_object_get(json_array_get(jobs, i), col[c].key), strcmp(col[c].key, "watermark") == 0);
    }
    wr_print_rows(s, &rows);
    for (size_t i = 0; table && i < n; i++) {
        const char *name = json_string_value(json_object_get(json_array_get(jobs, i), "name")), *why = json_string_value(json_object_get(json_array_get(jobs, i), "reason"));
        if (name && why)
            printf("%s: %s\n", name, why);
    }
    wr_arena_clear(&mem);
}

static void print_answer(struct far *f, const struct wr_stmt *st, const json_t *a)
{
    const char *kind = json_string_value(json_object_get(a, "kind")), *text = json_string_value(json_object_get(a, "text"));
    const json_t *rows = json_object_get(a, "rows"), *columns = json_object_get(a, "columns");
    if (!kind)
        return;
    if (strcmp(kind, "message") == 0 && f->s->messages && text)
        printf("%s\n", text);
    if (strcmp(kind, "text") == 0 && text)
        fputs(text, stdout);
    if (strcmp(kind, "rows") == 0 && columns)
        print_rows(f, columns, rows);
    else if (strcmp(kind, "rows") == 0 && st->kind == WR_S_SHOW)
        wr_print_jobs(f->s, rows);
    else if (strcmp(kind, "rows") == 0)
        print_members(f, json_array_get(rows, 0));
    if (st->kind == WR_S_INFER && text) {
        wr_buf_reset(&f->s->proposed);
        wr_buf_puts(&f->s->proposed, text);
    }
    fflush(stdout);
}

static wr_status ask(struct far *f, const struct wr_stmt *st, struct wr_error *err)
{
    struct wr_str text = {f->sql.p + st->off, (uint32_t)(st->end - st->off)};
    struct wr_ask c = {.method = "POST", .path = "/sql", .body = body_of(text), .sql = text};
    wr_status rc = c.body ? wr_peer_ask(f->s->far, &c, err) : wr_fail_at(err, WR_ESQL, 0, "the statement is no UTF-8 text");
    if (rc == WR_OK) {
        json_t *v = json_loadb(c.answer.p ? c.answer.p : "", c.answer.n, 0, NULL);
        const json_t *list = json_object_get(v, "answers");
        for (size_t i = 0; i < json_array_size(list); i++)
            print_answer(f, st, json_array_get(list, i));
        json_decref(v);
    }
    wr_ask_clear(&c);
    return rc;
}

/* ---- streams of POST /query ---- */

struct stream {
    struct far *f;
    const struct wr_stmt *st;
    struct wr_catalog *types;      /* holds the schema */
    struct wr_live_shape shape;
    int key[64];
    bool begun, redraw, ended, far_stop;
    struct wr_live live;
    struct wr_sink *sink;          /* of the live view, or the console's */
    struct wr_sink_spec spec;
    struct wr_opts none;
    struct wr_builder rows;
    struct wr_gauge gauge;
    struct wr_buf why;             /* what EXPLAIN WHY would say, as last heard */
    int64_t looked_us;             /* monotonic: when the view was last drawn */
    struct wr_error *err;
    wr_status st_rc;
};

/* The columns' types, by way of a declaration that has them. */
static wr_status learn_schema(struct stream *x, const json_t *columns)
{
    struct wr_buf sql = WR_BUF_INIT(1 << 20);
    struct wr_stmt *s;
    struct wr_answer a;
    struct wr_jobplan *plan = wr_jobplan_new();
    struct wr_plan_opts o = {.offline = true};
    wr_buf_puts(&sql, "CREATE SINK r (");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const json_t *c = json_array_get(columns, i), *name = json_object_get(c, "name");
        wr_buf_puts(&sql, i ? ", \"" : "\"");
        for (const char *p = json_string_value(name); p && *p; p++) {
            if (*p == '"')
                wr_buf_putc(&sql, '"');
            wr_buf_putc(&sql, *p);
        }
        wr_buf_printf(&sql, "\" %s", json_string_value(json_object_get(c, "type")) ? json_string_value(json_object_get(c, "type")) : "TEXT");
    }
    wr_buf_puts(&sql, ") WITH (connector = 'blackhole')");
    x->types = wr_catalog_new();
    struct wr_str text = wr_arena_str(&x->f->a, wr_buf_get(&sql));
    wr_status st = wr_parse(text, &x->f->a, &s, NULL, NULL, x->err);
    st = st ? st : wr_plan_stmt(x->types, plan, &o, s, text, &x->f->a, &a, x->err);
    x->shape.schema = st ? NULL : wr_catalog_columns(x->types, WR_STR("r"));
    x->err->sql_off = -1;
    wr_jobplan_free(plan);
    wr_buf_clear(&sql);
    return st;
}

static wr_status open_console(struct stream *x, enum wr_output form)
{
    static const char *const name[] = {"table", "table", "ndjson", "csv"};
    const struct wr_connector *c = wr_connector_find(WR_STR("console"));
    struct wr_opt *o = WR_NEW_N(&x->f->a, struct wr_opt, 2);
    struct wr_opts raw = {2, o}, checked;
    o[0] = (struct wr_opt){.key = WR_STR("format"), .value = wr_str_c(name[form]), .off = -1};
    o[1] = (struct wr_opt){.key = WR_STR("null"), .value = wr_setting_text(x->f->s->catalog, WR_SET_NULL_TEXT), .off = -1};
    WR_TRY(wr_opts_check(c, NULL, WR_AS_SINK, &raw, &x->f->a, &checked, x->err));
    x->none = checked;
    x->spec = (struct wr_sink_spec){.name = WR_STR("console"), .opts = &x->none, .schema = x->shape.schema, .updating = x->shape.updating, .stop = x->f->s->stop};
    return c->sink->open(&x->spec, &x->sink, x->err);
}

static wr_status begin(struct stream *x, const json_t *head)
{
    const json_t *key = json_object_get(head, "key"), *win = json_object_get(head, "window");
    WR_TRY(learn_schema(x, json_object_get(head, "columns")));
    x->shape.updating = json_is_true(json_object_get(head, "updating"));
    x->shape.bounded = json_is_true(json_object_get(head, "bounded"));
    x->shape.n_key = json_is_true(json_object_get(head, "unique")) ? (int)json_array_size(key) : -1;
    x->shape.key = x->key;
    for (int i = 0; i < x->shape.n_key && i < 64; i++)
        x->key[i] = (int)json_integer_value(json_array_get(key, (size_t)i));
    x->shape.n_key = x->shape.n_key > 64 ? -1 : x->shape.n_key;
    x->shape.win_start = (int)json_integer_value(json_array_get(win, 0));
    x->shape.win_end = (int)json_integer_value(json_array_get(win, 1));
    x->rows.schema = x->shape.schema;
    x->begun = true;
    if (x->st->kind == WR_S_PRINT)
        return WR_OK;
    enum wr_output form = output_of(x->f->s);
    x->redraw = x->f->s->live && form == WR_OUT_TABLE && wr_live_init_far(&x->live, &x->shape);
    if (!x->redraw)
        return open_console(x, form);
    wr_live_start(&x->live, &x->shape, wr_setting_text(x->f->s->catalog, WR_SET_NULL_TEXT), x->f->s->stop, &x->sink);
    return WR_OK;
}

static void print_records(struct stream *x, struct wr_batch *b)
{
    struct wr_buf out = WR_BUF_INIT(0);
    for (uint32_t i = 0; i < b->n_live; i++) {
        struct wr_peeked r;
        wr_peek_row(x->shape.schema, b, i, &r);
        wr_peek_print(&r, output_of(x->f->s) == WR_OUT_NDJSON, &out);
    }
    if (fwrite(out.p ? out.p : "", 1, out.n, stdout) != out.n || fflush(stdout) != 0)
        x->st_rc = WR_ESTOP; /* the reader has gone */
    wr_buf_clear(&out);
}

/* Rows gathered so far go on. */
static void give_rows(struct stream *x)
{
    struct wr_batch *b = wr_builder_take(&x->rows);
    if (!b || x->st_rc) {
        wr_batch_unref(b);
        return;
    }
    if (x->sink) {
        x->st_rc = x->sink->vt->write(x->sink, b, x->err);
        return;
    }
    print_records(x, b);
    wr_batch_unref(b);
}

static bool take_row(struct stream *x, struct wr_str op, struct wr_str row)
{
    struct wr_json_iter it;
    struct wr_str key, value;
    static const char *const name[] = {"\"+I\"", "\"-U\"", "\"+U\"", "\"-D\""};
    enum wr_rowop o = WR_OP_INSERT;
    for (int i = 0; i < 4; i++)
        if (wr_str_eq_c(op, name[i]))
            o = (enum wr_rowop)i;
    if (!x->begun || !wr_json_iter(&it, row))
        return false;
    uint32_t r = wr_builder_row(&x->rows, o);
    for (int c = 0; c < x->shape.schema->n; c++) {
        struct wr_value v;
        enum wr_reason why;
        wr_builder_null(&x->rows, c, r);
        if (wr_json_next(&it, &key, &value) && wr_parse_json(x->shape.schema->field[c].type, value, &x->rows.b->mem, &v, &why) && !v.null)
            wr_builder_set(&x->rows, c, r, &v);
    }
    if (wr_builder_full(&x->rows))
        give_rows(x);
    return true;
}

static int64_t number(const json_t *g, const char *name, int64_t otherwise)
{
    const json_t *v = json_object_get(g, name);
    return json_is_integer(v) ? json_integer_value(v) : otherwise;
}

static void take_gauge(struct stream *x, const json_t *g, const char *why)
{
    wr_buf_reset(&x->why);
    wr_buf_puts(&x->why, why ? why : "");
    x->gauge = (struct wr_gauge){.records = (uint64_t)number(g, "records", 0), .written = (uint64_t)number(g, "written", 0), .late = (uint64_t)number(g, "late", 0),
                                 .bad = (uint64_t)number(g, "bad", 0), .held = (uint64_t)number(g, "held", 0), .state_bytes = (uint64_t)number(g, "state_bytes", 0),
                                 .lag = (uint64_t)number(g, "lag", 0), .lag_known = json_object_get(g, "lag") != NULL, .wm = number(g, "wm", WR_WM_NONE),
                                 .newest = number(g, "newest", WR_WM_NONE)};
}

static bool on_line(void *ctx, struct wr_str line)
{
    struct stream *x = ctx;
    struct wr_json_iter it;
    struct wr_str k1, v1, k2, v2;
    if (wr_json_iter(&it, line) && wr_json_next(&it, &k1, &v1) && wr_json_key_is(k1, WR_STR("op")) && wr_json_next(&it, &k2, &v2))
        return take_row(x, v1, v2) && x->st_rc == WR_OK;
    give_rows(x);
    json_t *v = json_loadb(line.p, line.n, 0, NULL);
    const json_t *e = json_object_get(v, "error");
    if (json_object_get(v, "columns") && !x->begun)
        x->st_rc = begin(x, v);
    else if (json_object_get(v, "gauge"))
        take_gauge(x, json_object_get(v, "gauge"), json_string_value(json_object_get(v, "why")));
    else if (json_object_get(v, "end"))
        x->ended = true;
    else if (e) {
        const char *msg = json_string_value(json_object_get(e, "message")), *hint = json_string_value(json_object_get(e, "hint"));
        x->st_rc = wr_fail(x->err, WR_EIO, "%s", msg ? msg : "the query failed");
        if (hint && *hint)
            wr_hint(x->err, "%s", hint);
    }
    json_decref(v);
    return x->st_rc == WR_OK;
}

static void put_why(const void *ctx, struct wr_buf *out) { wr_buf_str(out, wr_buf_get(ctx)); }

/* Comes with every packet: the view is looked at ten times a second, as a local one, and its speeds are measured by that. */
static void on_tick(void *ctx)
{
    struct stream *x = ctx;
    int64_t now = wr_clock_mono();
    if (!x->begun)
        return;
    give_rows(x);
    if (x->redraw && now - x->looked_us >= LOOK_US) {
        x->looked_us = now;
        wr_live_look(&x->live, &x->gauge, put_why, &x->why);
    }
    if (!x->redraw && x->sink && x->st_rc == WR_OK)
        x->st_rc = x->sink->vt->flush(x->sink, x->err);
}

/* What the stream leaves behind, in order. */
static wr_status end(struct stream *x, wr_status rc)
{
    rc = rc ? rc : x->st_rc;
    if (x->redraw)
        wr_live_end(&x->live, &x->gauge);
    else if (x->sink && rc == WR_OK)
        rc = x->sink->vt->flush(x->sink, x->err);
    if (x->sink)
        x->sink->vt->close(x->sink);
    if (x->redraw)
        wr_live_clear(&x->live);
    wr_batch_unref(wr_builder_take(&x->rows));
    wr_catalog_free(x->types);
    fflush(stdout);
    if (x->f->s->messages) {
        wr_buf_reset(&x->f->s->last_why);
        wr_buf_str(&x->f->s->last_why, wr_buf_get(&x->why));
    }
    wr_buf_clear(&x->why);
    wr_say_losses(x->gauge.late, x->gauge.bad, WR_STR(""), WR_STR("<source>"));
    bool asked = x->f->s->stop && atomic_load(x->f->s->stop);
    if (rc == WR_OK && !x->ended && !asked)
        return wr_fail(x->err, WR_EIO, "the server ended the query before its end");
    return rc;
}

static wr_status listen_to(struct far *f, const struct wr_stmt *st, struct wr_error *err)
{
    struct wr_str text = {f->sql.p + st->off, (uint32_t)(st->end - st->off)};
    struct stream x = {.f = f, .st = st, .err = err, .gauge = {.wm = WR_WM_NONE, .newest = WR_WM_NONE}};
    struct wr_listener l = {.line = on_line, .tick = on_tick, .ctx = &x, .stop = f->s->stop};
    struct wr_ask c = {.method = "POST", .path = "/query", .body = body_of(text), .sql = text};
    wr_status rc = c.body ? wr_peer_listen(f->s->far, &c, &l, err) : wr_fail_at(err, WR_ESQL, 0, "the statement is no UTF-8 text");
    if (rc == WR_OK)
        give_rows(&x);
    rc = end(&x, rc);
    wr_ask_clear(&c);
    return rc;
}

/* ---- statements ---- */

static bool is_display(struct wr_str name)
{
    enum wr_setting s;
    return wr_setting_find(name, &s) && (s == WR_SET_OUTPUT || s == WR_SET_NULL_TEXT);
}

static wr_status setting(struct far *f, const struct wr_stmt *st, struct wr_error *err)
{
    if (!is_display(st->text)) {
        wr_fail_at(err, WR_ESQL, st->text_off, "setting \"%.*s\" belongs into a job's text: a server's shell has no settings but output and null", WR_FMT(st->text));
        wr_hint(err, "weir submit FILE.sql takes SET statements");
        return WR_ESQL;
    }
    if (st->kind == WR_S_RESET)
        return wr_setting_reset(f->s->catalog, st->text, st->text_off, err);
    return wr_setting_put(f->s->catalog, st->text, st->value, st->text_off, err);
}

static wr_status run_one(struct far *f, const struct wr_stmt *st, struct wr_error *err)
{
    if (st->kind == WR_S_SET || st->kind == WR_S_RESET) {
        wr_status rc = setting(f, st, err);
        if (rc == WR_OK && f->s->messages)
            puts(st->kind == WR_S_SET ? "SET" : "RESET");
        return rc;
    }
    if (st->kind == WR_S_EXPLAIN_WHY && !st->name && f->s->last_why.n) { /* alone: of the query that ran last, as without a server */
        fwrite(f->s->last_why.p, 1, f->s->last_why.n, stdout);
        return WR_OK;
    }
    wr_status rc = st->kind == WR_S_SELECT || st->kind == WR_S_PRINT ? listen_to(f, st, err) : ask(f, st, err);
    if (rc && err->sql_off >= 0)
        err->sql_off += st->off; /* the server saw this statement only */
    return rc;
}

wr_status wr_far_run(struct wr_session *s, const char *file, struct wr_str sql)
{
    struct far f = {.s = s, .file = file, .sql = sql};
    struct wr_error first_err = WR_ERROR_INIT;
    struct wr_stmt *first;
    if (wr_parse(sql, &f.a, &first, on_parse_error, &f, &first_err) != WR_OK && f.worst == WR_OK)
        report(&f, &first_err);
    for (const struct wr_stmt *st = first; st && f.worst == WR_OK; st = st->next) {
        struct wr_error err = WR_ERROR_INIT;
        wr_status rc = run_one(&f, st, &err);
        if (rc == WR_ESTOP)
            f.worst = rc; /* the reader of our output has gone: nothing to say */
        else if (rc)
            report(&f, &err);
        if (s->stop && atomic_load(s->stop))
            break;
    }
    wr_arena_clear(&f.a);
    return f.worst;
}

wr_status wr_far_check(const struct wr_peer *p, struct wr_error *err)
{
    struct wr_ask c = {.method = "GET", .path = "/jobs"};
    wr_status st = wr_peer_ask(p, &c, err);
    wr_ask_clear(&c);
    return st;
}

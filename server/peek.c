/* peek.c: see peek.h. A statement becomes ordinary SQL over a source of format raw, so that options, connectors and errors are those of any query.
 * Rules:  connection options come from one place (see wr_peek_plan); no secret is ever printed.
 * Memory: texts of struct wr_peek are its own or the arena's; the scratch catalog is gone when planning is done. */
#include "server/peek.h"

#include <ctype.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"
#include "core/time.h"
#include "parser/parse.h"
#include "planner/catalog.h"

/* ---- where it is ---- */

static void put_string(struct wr_buf *out, struct wr_str s)
{
    wr_buf_putc(out, '\'');
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            wr_buf_putc(out, '\'');
        wr_buf_putc(out, s.p[i]);
    }
    wr_buf_putc(out, '\'');
}

/* name = 'value' to what is planned and to what is shown. */
static void put_option(struct wr_peek *p, const struct wr_connector *c, struct wr_str key, struct wr_str value)
{
    struct wr_buf *to[] = {&p->sql, &p->with};
    bool secret = wr_opt_is_secret(c, key);
    for (int i = 0; i < 2; i++) {
        wr_buf_puts(to[i], ", ");
        if (memchr(key.p, '.', key.n))
            put_string(to[i], key);
        else
            wr_buf_str(to[i], key);
        wr_buf_puts(to[i], " = ");
        if (!(i && secret)) {
            put_string(to[i], value);
            continue;
        }
        wr_buf_puts(to[i], "'${");
        for (uint32_t k = 0; k < key.n; k++)
            wr_buf_putc(to[i], isalnum((unsigned char)key.p[k]) ? (char)toupper((unsigned char)key.p[k]) : '_');
        wr_buf_puts(to[i], "}'");
    }
}

static struct wr_str raw_option(const struct wr_object *o, const char *name)
{
    struct wr_str value;
    return o->reads && wr_opt_text(&o->as_source, name, &value) ? value : (struct wr_str){0};
}

static bool is_kafka(const struct wr_object *o)
{
    return o->reads && o->connector && strcmp(o->connector->name, "kafka") == 0;
}

/* A declared source that says where the target is; NULL: none. any: brokers of whatever topic will do. */
static const struct wr_object *declared(const struct wr_catalog *c, struct wr_str target, bool any)
{
    for (int i = 0; i < c->n_obj; i++)
        if (is_kafka(c->obj[i]) && (any || wr_str_eq(raw_option(c->obj[i], "topic"), target)))
            return c->obj[i];
    const struct wr_object *o = any ? NULL : wr_object_find(c, target);
    return o && o->reads && o->connector && (is_kafka(o) || strcmp(o->connector->name, "file") == 0) ? o : NULL;
}

/* How to reach it and what it is called, without how it is read. */
static bool is_connection(struct wr_str key)
{
    static const char *const names[] = {"brokers", "security_protocol", "sasl_mechanism", "sasl_username", "sasl_password", "ssl_ca", "ssl_certificate",
                                        "ssl_key", "ssl_key_password"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (wr_str_eq_c(key, names[i]))
            return true;
    return key.n > 6 && memcmp(key.p, "kafka.", 6) == 0;
}

static void use_declared(struct wr_peek *p, const struct wr_object *o)
{
    for (int i = 0; i < o->as_source.n; i++)
        if (is_connection(o->as_source.opt[i].key))
            put_option(p, o->connector, o->as_source.opt[i].key, o->as_source.opt[i].value);
}

static bool readable_file(struct wr_str name)
{
    char path[4096];
    if (name.n == 0 || name.n >= sizeof path || memchr(name.p, 0, name.n))
        return false;
    memcpy(path, name.p, name.n);
    path[name.n] = 0;
    return access(path, R_OK) == 0;
}

static const struct wr_ast_option *given(const struct wr_stmt *s, const char *name)
{
    for (const struct wr_ast_option *o = s->options; o; o = o->next)
        if (wr_str_ieq_c(o->key, name))
            return o;
    return NULL;
}

/* The statement's own options; format is kept apart: the source is read raw. */
static wr_status put_given(struct wr_catalog *c, const struct wr_stmt *s, const struct wr_connector *conn, struct wr_arena *a, struct wr_peek *p, struct wr_error *err)
{
    for (const struct wr_ast_option *o = s->options; o; o = o->next) {
        struct wr_str value;
        WR_TRY(wr_vars_replace(c, o->value, o->off, a, &value, err));
        if (wr_str_ieq_c(o->key, "format") || wr_str_ieq_c(o->key, "value.format")) {
            if (!p->infer)
                return wr_fail_at(err, WR_ESQL, o->key_off, "PRINT shows records as they are, it takes no format");
            if (!wr_str_ieq_c(value, "json") && !wr_str_ieq_c(value, "csv"))
                return wr_fail_at(err, WR_ESQL, o->off, "columns can be found in json and csv, not in \"%.*s\"", WR_FMT(value));
            p->format = value;
        } else if (!wr_str_ieq_c(o->key, "connector") && !wr_str_ieq_c(o->key, "topic") && !wr_str_ieq_c(o->key, "path")) {
            put_option(p, conn, o->key, value);
        }
    }
    return WR_OK;
}

static wr_status put_source(struct wr_catalog *c, const struct wr_stmt *s, struct wr_arena *a, struct wr_peek *p, struct wr_error *err)
{
    const struct wr_ast_option *named = given(s, "connector");
    const struct wr_object *known = named || given(s, "brokers") ? NULL : declared(c, s->text, false);
    p->target = s->text;
    p->file = named ? wr_str_ieq_c(named->value, "file") : known ? !is_kafka(known) : !s->options && readable_file(s->text);
    if (known && wr_str_eq(known->name, s->text))
        p->target = raw_option(known, p->file ? "path" : "topic");
    const struct wr_connector *conn = wr_connector_find(p->file ? WR_STR("file") : WR_STR("kafka"));
    if (!conn || (named && !p->file && !wr_str_ieq_c(named->value, "kafka"))) {
        wr_fail_at(err, WR_ESQL, named ? named->off : s->text_off, "this statement looks into topics and files, not into connector \"%.*s\"",
                   WR_FMT(named ? named->value : WR_STR("kafka")));
        wr_hint(err, "connector = 'kafka' or 'file'");
        return WR_ESQL;
    }
    wr_buf_puts(&p->sql, p->file ? "connector = 'file'" : "connector = 'kafka'");
    wr_buf_puts(&p->with, p->file ? "connector = 'file'" : "connector = 'kafka'");
    if (known && !p->file)
        use_declared(p, known);
    WR_TRY(put_given(c, s, conn, a, p, err));
    if (!p->file && !known && !given(s, "brokers") && !given(s, "properties.bootstrap.servers")) {
        const struct wr_object *other = declared(c, s->text, true);
        static const struct wr_str brokers = {"brokers", 7};
        struct wr_str found = WR_STR("localhost:9092"), text = WR_STR("${KAFKA_BROKERS:-localhost:9092}");
        if (other)
            use_declared(p, other);
        else if (wr_vars_replace(c, text, -1, a, &found, err) == WR_OK)
            put_option(p, conn, brokers, found);
    }
    put_option(p, conn, p->file ? WR_STR("path") : WR_STR("topic"), p->target);
    return WR_OK;
}

wr_status wr_peek_brokers(struct wr_catalog *c, struct wr_arena *a, struct wr_opts *out, struct wr_error *err)
{
    const struct wr_object *o = declared(c, (struct wr_str){0}, true);
    int n = o ? o->as_source.n : 1, kept = 0;
    struct wr_opt *opt = WR_NEW_N(a, struct wr_opt, n);
    for (int i = 0; o && i < n; i++)
        if (is_connection(o->as_source.opt[i].key))
            opt[kept++] = o->as_source.opt[i];
    if (!o) {
        opt[kept] = (struct wr_opt){.key = WR_STR("brokers"), .off = -1};
        WR_TRY(wr_vars_replace(c, WR_STR("${KAFKA_BROKERS:-localhost:9092}"), -1, a, &opt[kept++].value, err));
    }
    *out = (struct wr_opts){kept, opt};
    return WR_OK;
}

/* ---- the plan ---- */

static void put_statement(const struct wr_stmt *s, struct wr_peek *p)
{
    bool start = given(s, "start") || given(s, "scan.startup.mode");
    wr_buf_puts(&p->sql, ", format = 'raw'");
    if (!p->file) {
        wr_buf_puts(&p->sql, ", tombstones = 'null'");
        if (!start)
            wr_buf_puts(&p->sql, s->from_beginning || p->infer ? ", start = 'earliest'" : ", start = 'latest'");
        if (p->infer)
            wr_buf_puts(&p->sql, ", until = 'end'");
    }
    wr_buf_puts(&p->sql, "); SELECT * FROM peek");
    p->limit = UINT64_MAX;
    if (s->limit) {
        wr_buf_puts(&p->sql, " LIMIT ");
        wr_unparse_expr(&p->sql, s->limit);
    }
}

static wr_status plan_sql(const struct wr_catalog *from, const struct wr_peek *p, struct wr_jobplan *plan, struct wr_arena *a, struct wr_error *err)
{
    struct wr_catalog *c = wr_catalog_new();
    struct wr_plan_opts o = {.final = WR_FINAL_NO};
    struct wr_stmt *first;
    struct wr_str sql = wr_buf_get(&p->sql);
    for (int i = 0; i < from->n_var; i++)
        wr_catalog_var(c, from->var[i].name, from->var[i].value);
    wr_status st = wr_parse(sql, a, &first, NULL, NULL, err);
    for (const struct wr_stmt *s = first; st == WR_OK && s; s = s->next) {
        struct wr_answer answer;
        st = wr_plan_stmt(c, plan, &o, s, sql, a, &answer, err);
    }
    wr_catalog_free(c);
    return st;
}

wr_status wr_peek_plan(struct wr_catalog *c, const struct wr_stmt *s, struct wr_arena *a, struct wr_jobplan *plan, struct wr_peek *p, struct wr_error *err)
{
    *p = (struct wr_peek){.infer = s->kind == WR_S_INFER, .with = WR_BUF_INIT(1 << 20), .sql = WR_BUF_INIT(1 << 20)};
    struct wr_buf head = WR_BUF_INIT(1 << 20);
    WR_TRY(put_source(c, s, a, p, err));
    wr_buf_puts(&head, "CREATE SOURCE peek (\"partition\" BIGINT METADATA FROM 'partition', \"offset\" BIGINT METADATA FROM 'offset', ");
    if (!p->file)
        wr_buf_puts(&head, "\"timestamp\" TIMESTAMP METADATA FROM 'timestamp', key BYTES METADATA FROM 'key', headers TEXT METADATA FROM 'headers', ");
    wr_buf_puts(&head, "value BYTES) WITH (");
    put_statement(s, p);
    wr_buf_str(&head, wr_buf_get(&p->sql));
    wr_buf_clear(&p->sql);
    p->sql = head;
    wr_status st = plan_sql(c, p, plan, a, err);
    if (st && err->sql_off >= 0)
        err->sql_off = s->text_off; /* a place in the text made here means nothing to who wrote the statement */
    return st;
}

void wr_peek_clear(struct wr_peek *p)
{
    wr_buf_clear(&p->with);
    wr_buf_clear(&p->sql);
}

/* ---- records ---- */

static bool find(const struct wr_schema *s, const struct wr_batch *b, uint32_t row, const char *name, int *col)
{
    *col = wr_schema_find(s, wr_str_c(name));
    return *col >= 0 && !wr_vec_null(&b->col[*col], row);
}

static int64_t number(const struct wr_schema *s, const struct wr_batch *b, uint32_t row, const char *name, int64_t otherwise)
{
    int col;
    if (!find(s, b, row, name, &col))
        return otherwise;
    return WR_VEC_I64(&b->col[col])[b->col[col].constant ? 0 : row];
}

static struct wr_str text(const struct wr_schema *s, const struct wr_batch *b, uint32_t row, const char *name)
{
    int col;
    if (!find(s, b, row, name, &col))
        return (struct wr_str){0};
    struct wr_str t = WR_VEC_STR(&b->col[col])[b->col[col].constant ? 0 : row];
    return t.p ? t : WR_STR("");
}

void wr_peek_row(const struct wr_schema *s, const struct wr_batch *b, uint32_t row, struct wr_peeked *out)
{
    *out = (struct wr_peeked){number(s, b, row, "partition", -1), number(s, b, row, "offset", -1), number(s, b, row, "timestamp", INT64_MIN),
                              text(s, b, row, "key"), text(s, b, row, "headers"), text(s, b, row, "value")};
}

/* Bytes as a JSON string; what is no UTF-8 as \xNN. */
static void put_json_text(struct wr_buf *out, const char *name, struct wr_str s)
{
    struct wr_buf safe = WR_BUF_INIT(0);
    wr_buf_printf(out, ",\"%s\":", name);
    if (!s.p)
        wr_buf_puts(out, "null");
    else if (wr_utf8_valid(s))
        wr_json_quote(out, s);
    else {
        wr_buf_escape(&safe, s, UINT32_MAX);
        wr_json_quote(out, wr_buf_get(&safe));
    }
    wr_buf_clear(&safe);
}

static void print_ndjson(const struct wr_peeked *r, struct wr_buf *out)
{
    wr_buf_printf(out, "{\"partition\":%lld,\"offset\":%lld", (long long)r->part, (long long)r->offset);
    if (r->ts_us != INT64_MIN) {
        wr_buf_puts(out, ",\"timestamp\":\"");
        wr_timestamp_print(out, r->ts_us, true);
        wr_buf_putc(out, '"');
    }
    put_json_text(out, "key", r->key);
    if (r->headers.n > 2)
        wr_buf_printf(out, ",\"headers\":%.*s", WR_FMT(r->headers));
    put_json_text(out, "value", r->value);
    wr_buf_puts(out, "}\n");
}

void wr_peek_print(const struct wr_peeked *r, bool ndjson, struct wr_buf *out)
{
    if (ndjson) {
        print_ndjson(r, out);
        return;
    }
    wr_buf_printf(out, "%lld:%lld", (long long)r->part, (long long)r->offset);
    if (r->ts_us != INT64_MIN) {
        wr_buf_putc(out, ' ');
        wr_timestamp_print(out, r->ts_us, false);
    }
    if (r->key.p) {
        wr_buf_puts(out, " key=");
        wr_buf_escape(out, r->key, UINT32_MAX);
    }
    if (r->headers.n > 2) { /* "{}" is none */
        wr_buf_puts(out, " headers=");
        wr_buf_escape(out, r->headers, UINT32_MAX);
    }
    wr_buf_putc(out, ' ');
    if (r->value.p)
        wr_buf_escape(out, r->value, UINT32_MAX);
    else
        wr_buf_puts(out, "(no value: a tombstone)");
    wr_buf_putc(out, '\n');
}

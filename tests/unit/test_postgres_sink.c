/* test_postgres_sink.c: the PostgreSQL sink against a real server. Without PG_URL the test starts itself again under the fixture
 * (tests/fixtures/postgres.py), which has a server of its own. What was written is read back through a connection of the test's. */
#include "connectors/internal.h"

#include <libpq-fe.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static PGconn *db;
static struct wr_error error;

static void sql(const char *text)
{
    PGresult *r = PQexec(db, text);
    ExecStatusType got = PQresultStatus(r);
    if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK)
        fail_msg("%s: %s", text, PQerrorMessage(db));
    PQclear(r);
}

/* The rows of a query as "a|b;c|d;"; NULL is "-". */
static void expect_rows(const char *query, const char *want)
{
    struct wr_buf got = {0};
    PGresult *r = PQexec(db, query);
    if (PQresultStatus(r) != PGRES_TUPLES_OK)
        fail_msg("%s: %s", query, PQerrorMessage(db));
    for (int i = 0; i < PQntuples(r); i++)
        for (int j = 0; j < PQnfields(r); j++)
            wr_buf_printf(&got, "%s%s", PQgetisnull(r, i, j) ? "-" : PQgetvalue(r, i, j), j + 1 < PQnfields(r) ? "|" : ";");
    wr_buf_putc(&got, 0);
    assert_string_equal(got.p, want);
    wr_buf_clear(&got);
    PQclear(r);
}

/* ---- a sink of rows (k TEXT, n BIGINT, m DECIMAL(38,2), ts TIMESTAMP, j JSON) ---- */

enum { N_COL = 5 };
struct writer {
    struct wr_sink_spec spec;
    struct wr_opts opts;
    struct wr_opt opt[8];
    struct wr_field field[N_COL];
    struct wr_schema schema;
    struct wr_badsink badsink;
    int key[2];
    wr_status bad_answer;
    struct wr_buf bad;     /* "column: message; " of each refused row */
    struct wr_sink *sink;
};

static wr_status on_refused(void *ctx, const struct wr_bad *bad, struct wr_error *err)
{
    struct writer *w = ctx;
    assert_int_equal(bad->reason, WR_R_SINK);
    wr_buf_printf(&w->bad, "%.*s: %s; ", WR_FMT(bad->column), bad->msg);
    return w->bad_answer ? wr_fail(err, w->bad_answer, "asked to stop") : WR_OK;
}

static void add_opt(struct writer *w, const char *key, const char *value)
{
    w->opt[w->opts.n++] = (struct wr_opt){wr_str_c(key), wr_str_c(value), 7};
}

/* The first n_key columns are the key; n_col columns are used. */
static void init(struct writer *w, const char *table, int n_col, int n_key)
{
    static const char *const names[N_COL] = {"k", "n", "m", "ts", "j"};
    *w = (struct writer){0};
    const struct wr_type types[N_COL] = {WR_TYPE_OF(TEXT), WR_TYPE_OF(BIGINT), wr_type_decimal(38, 2), WR_TYPE_OF(TIMESTAMP), WR_TYPE_OF(JSON)};
    for (int i = 0; i < N_COL; i++)
        w->field[i] = (struct wr_field){wr_str_c(names[i]), types[i], true, false};
    w->schema = (struct wr_schema){n_col, w->field};
    w->key[1] = 1;
    w->opts.opt = w->opt;
    w->badsink = (struct wr_badsink){on_refused, w};
    w->spec = (struct wr_sink_spec){.name = WR_STR("snk"), .opts = &w->opts, .schema = &w->schema, .n_key = n_key, .key = w->key,
                                    .updating = n_key > 0, .key_is_unique = true, .bad = &w->badsink};
    add_opt(w, "url", getenv("PG_URL"));
    add_opt(w, "table", table);
    error = (struct wr_error)WR_ERROR_INIT;
}

static void open_ok(struct writer *w)
{
    if (wr_connector_postgres.sink->open(&w->spec, &w->sink, &error))
        fail_msg("open: %s", error.msg);
}

struct row {
    enum wr_rowop op;
    const char *k; /* NULL: NULL; "\\0" in front: a NUL byte inside */
    int64_t n;
};

static wr_status write_to(struct writer *w, const struct row *rows, int n)
{
    struct wr_builder bl = {.schema = &w->schema, .cap = (uint32_t)n};
    for (int i = 0; i < n; i++) {
        uint32_t at = wr_builder_row(&bl, rows[i].op);
        struct wr_str text = rows[i].k && rows[i].k[0] == '\1' ? (struct wr_str){"a\0b", 3} : wr_str_c(rows[i].k);
        const struct wr_value values[N_COL] = {
            {.type = WR_TYPE_OF(TEXT), .null = !rows[i].k, .as.s = text},
            {.type = WR_TYPE_OF(BIGINT), .as.i = rows[i].n},
            {.type = wr_type_decimal(38, 2), .null = rows[i].n == 0, .as.dec = (wr_i128)rows[i].n * 100 + 5},
            {.type = WR_TYPE_OF(TIMESTAMP), .as.i = 1764331200123456 + rows[i].n},
            {.type = WR_TYPE_OF(JSON), .as.s = WR_STR("{\"a\": [1, \"x\"]}")},
        };
        for (int c = 0; c < w->schema.n; c++)
            wr_builder_set(&bl, c, at, &values[c]);
    }
    return w->sink->vt->write(w->sink, wr_builder_take(&bl), &error);
}

static void write_ok(struct writer *w, const struct row *rows, int n)
{
    if (!w->sink)
        open_ok(w);
    if ((n && write_to(w, rows, n)) || w->sink->vt->flush(w->sink, &error))
        fail_msg("write: %s", error.msg);
}

static void finish(struct writer *w)
{
    if (w->sink)
        w->sink->vt->close(w->sink);
    wr_buf_clear(&w->bad);
}

static void expect_bad(struct writer *w, const char *want)
{
    wr_buf_putc(&w->bad, 0);
    assert_string_equal(w->bad.p, want);
}

static void check_fails(struct writer *w, const char *msg, const char *hint)
{
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_not_equal(wr_connector_postgres.sink->check(&w->spec, &error), WR_OK);
    assert_string_equal(error.msg, msg);
    if (hint)
        assert_string_equal(error.hint, hint);
    finish(w);
}

#define N(rows) (int)(sizeof(rows) / sizeof(rows)[0])

/* ---- writing ---- */

static void upserts_keep_the_last_of_a_key(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row first[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, "b", 2}, {WR_OP_INSERT, "c", 3},
                                       {WR_OP_UPDATE_BEFORE, "a", 1}, {WR_OP_UPDATE_AFTER, "a", 10}, {WR_OP_DELETE, "b", 2},
                                       {WR_OP_INSERT, "d", 4}, {WR_OP_DELETE, "d", 4}, {WR_OP_INSERT, "d", 5}};
    static const struct row second[] = {{WR_OP_DELETE, "c", 3}, {WR_OP_INSERT, "b", 0}, {WR_OP_DELETE, "never", 1}};
    sql("DROP TABLE IF EXISTS u");
    init(&w, "u", 5, 1);
    add_opt(&w, "create", "true");
    assert_int_equal(wr_connector_postgres.sink->accepts(&w.spec), WR_ACCEPT_UPSERT);
    write_ok(&w, first, N(first));
    expect_rows("SELECT * FROM u ORDER BY k", "a|10|10.05|2025-11-28 12:00:00.123466|{\"a\": [1, \"x\"]};c|3|3.05|2025-11-28 12:00:00.123459|{\"a\": [1, \"x\"]};"
                                              "d|5|5.05|2025-11-28 12:00:00.123461|{\"a\": [1, \"x\"]};");
    write_ok(&w, second, N(second));
    expect_rows("SELECT k, n, m FROM u ORDER BY k", "a|10|10.05;b|0|-;d|5|5.05;");
    finish(&w);
    expect_rows("SELECT format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'u'::regclass AND attnum > 0 ORDER BY attnum",
                "text;bigint;numeric(38,2);timestamp without time zone;jsonb;");
    init(&w, "u", 5, 1); /* again, into the table that is there now: nothing changes */
    add_opt(&w, "create", "true");
    write_ok(&w, second, 2);
    write_ok(&w, second, 2);
    finish(&w);
    expect_rows("SELECT k, n FROM u ORDER BY k", "a|10;b|0;d|5;");
}

static void each_size_of_send_gives_the_same(void **state WR_UNUSED)
{
    static const char *const sizes[] = {"1", "2", "7", "100000"};
    enum { ROWS = 500 };
    static struct row rows[ROWS];
    static char names[ROWS][8];
    for (int i = 0; i < ROWS; i++) { /* 61 keys change again and again, every 7th change is a delete */
        (void)snprintf(names[i], sizeof names[i], "k%02d", i * 17 % 61);
        rows[i] = (struct row){i % 7 == 3 ? WR_OP_DELETE : WR_OP_INSERT, names[i], i};
    }
    struct wr_buf want = {0};
    for (int k = 0; k < 61; k++) {
        int last = -1;
        for (int i = 0; i < ROWS; i++)
            if (i * 17 % 61 == k)
                last = i;
        if (last % 7 != 3)
            wr_buf_printf(&want, "k%02d|%d;", k, last);
    }
    wr_buf_putc(&want, 0);
    for (int i = 0; i < N(sizes); i++) {
        struct writer w;
        sql("DROP TABLE IF EXISTS sizes; CREATE TABLE sizes (n int, k varchar(10) UNIQUE)");
        init(&w, "sizes", 2, 1);
        add_opt(&w, "batch_rows", sizes[i]);
        open_ok(&w);
        for (int at = 0; at < ROWS; at += 50)
            assert_int_equal(write_to(&w, rows + at, 50), WR_OK);
        write_ok(&w, rows, 0);
        expect_rows("SELECT k, n FROM sizes ORDER BY k", want.p);
        finish(&w);
    }
    wr_buf_clear(&want);
}

static void takes_back_where_the_key_is_not_the_querys(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_UPDATE_BEFORE, "a", 1}, {WR_OP_UPDATE_AFTER, "b", 2}};
    sql("DROP TABLE IF EXISTS u; CREATE TABLE u (k text PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    w.spec.key_is_unique = false;
    write_ok(&w, rows, 1);
    write_ok(&w, rows + 1, 2);
    expect_rows("SELECT * FROM u", "b|2;");
    finish(&w);
}

static void appends_without_a_key(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, NULL, 2}, {WR_OP_INSERT, "a", 1}};
    sql("DROP SCHEMA IF EXISTS \"odd; --\" CASCADE; CREATE SCHEMA \"odd; --\"; CREATE TABLE \"odd; --\".\"t\"\"x\" (id serial, k text, n numeric)");
    init(&w, "\"odd; --\".\"t\"\"x\"", 2, 0);
    assert_int_equal(wr_connector_postgres.sink->accepts(&w.spec), WR_ACCEPT_APPEND);
    write_ok(&w, rows, N(rows));
    assert_int_equal(w.sink->rows, 3);
    finish(&w);
    expect_rows("SELECT * FROM \"odd; --\".\"t\"\"x\" ORDER BY id", "1|a|1;2|-|2;3|a|1;");
}

static void text_goes_where_it_fits(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "6e1f7b3c-0000-4000-8000-000000000001", 1}};
    sql("DROP TABLE IF EXISTS u; DROP DOMAIN IF EXISTS small; CREATE DOMAIN small AS int CHECK (VALUE < 100);"
        "CREATE TABLE u (k uuid PRIMARY KEY, n small, m double precision, ts timestamptz, j text)");
    init(&w, "u", 5, 1);
    write_ok(&w, rows, 1);
    finish(&w);
    expect_rows("SELECT * FROM u", "6e1f7b3c-0000-4000-8000-000000000001|1|1.05|2025-11-28 12:00:00.123457+00|{\"a\": [1, \"x\"]};");
}

/* ---- rows that are refused ---- */

static void refused_rows_are_reported_and_the_others_written(void **state WR_UNUSED)
{
    struct writer w;
    enum { ROWS = 300 };
    static struct row rows[ROWS];
    static char names[ROWS][16];
    sql("DROP TABLE IF EXISTS u; CREATE TABLE u (k varchar(4) PRIMARY KEY, n int CHECK (n <> 77))");
    for (int i = 0; i < ROWS; i++) {
        (void)snprintf(names[i], sizeof names[i], i == 200 ? "much too long" : "%d", i);
        rows[i] = (struct row){WR_OP_INSERT, names[i], i};
    }
    rows[10].n = INT64_C(5000000000);
    rows[20].k = NULL;
    rows[30].k = "\1";
    init(&w, "u", 2, 1);
    write_ok(&w, rows, ROWS);
    expect_bad(&w, "k: a key column is NULL; k: text of PostgreSQL cannot hold a NUL byte; : integer out of range; "
                   ": new row for relation \"u\" violates check constraint \"u_n_check\": Failing row contains (77, 77).; "
                   ": value too long for type character varying(4); ");
    assert_int_equal(w.sink->rows, ROWS - 5);
    finish(&w);
    expect_rows("SELECT count(*), sum(n) FROM u", "295|44513;"); /* 0+1+..+299 - 10 - 20 - 30 - 77 - 200 */
}

static void refused_deletes_are_reported(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, "b", 2}};
    static const struct row gone[] = {{WR_OP_DELETE, "a", 1}, {WR_OP_DELETE, "b", 2}, {WR_OP_INSERT, "c", 3}};
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (k text PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    write_ok(&w, rows, 2);
    sql("DROP TABLE IF EXISTS child; CREATE TABLE child (k text REFERENCES u DEFERRABLE INITIALLY DEFERRED); INSERT INTO child VALUES ('a')");
    write_ok(&w, gone, 3);
    expect_bad(&w, ": update or delete on table \"u\" violates foreign key constraint \"child_k_fkey\" on table \"child\": "
                   "Key (k)=(a) is still referenced from table \"child\".; ");
    finish(&w);
    expect_rows("SELECT * FROM u ORDER BY k", "a|1;c|3;");
    sql("DROP TABLE child");
}

static void keys_that_are_one_to_the_table_do_not_clash(void **state WR_UNUSED)
{
    struct writer w; /* different to us, equal to a table that folds case: one statement may not touch a row twice (21000) */
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, "A", 2}, {WR_OP_INSERT, "b", 3}};
    sql("DROP TABLE IF EXISTS u CASCADE; DROP COLLATION IF EXISTS nocase;"
        "CREATE COLLATION nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);"
        "CREATE TABLE u (k text COLLATE nocase PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    write_ok(&w, rows, 3);
    finish(&w);
    expect_rows("SELECT count(*), count(*) FILTER (WHERE n = 3) FROM u", "2|1;");
}

static void a_refused_row_stops_the_sink_when_asked(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, "too long", 2}};
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (k varchar(4) PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    w.bad_answer = WR_EDATA;
    open_ok(&w);
    assert_int_equal(write_to(&w, rows, 2), WR_OK);
    assert_int_equal(w.sink->vt->flush(w.sink, &error), WR_EDATA);
    assert_string_equal(error.msg, "asked to stop");
    finish(&w);
}

/* ---- lost connections ---- */

static const char kill_others[] = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND application_name = 'weir'";

static void a_lost_connection_is_made_again(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, "b", 2}, {WR_OP_DELETE, "a", 1}, {WR_OP_INSERT, "c", 3}};
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (k text PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    write_ok(&w, rows, 2);
    expect_rows(kill_others, "t;");
    write_ok(&w, rows + 2, 2);
    assert_int_equal(w.sink->retries, 1);
    assert_int_equal(w.sink->rows, 4);
    finish(&w);
    expect_rows("SELECT * FROM u ORDER BY k", "b|2;c|3;");
}

static void a_lost_table_stops_the_sink(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}};
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (k text PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    open_ok(&w);
    sql("DROP TABLE u");
    assert_int_equal(write_to(&w, rows, 1), WR_OK);
    assert_int_equal(w.sink->vt->flush(w.sink, &error), WR_EIO);
    assert_string_equal(error.msg, "cannot write to table \"u\": relation \"public.u\" does not exist (42P01)");
    assert_false(error.retriable);
    finish(&w);
}

static void a_server_that_stays_away_is_given_up(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}};
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (k text PRIMARY KEY, n int)");
    init(&w, "u", 2, 1);
    add_opt(&w, "retry_timeout", "0 s");
    open_ok(&w);
    expect_rows(kill_others, "t;");
    assert_int_equal(write_to(&w, rows, 1), WR_OK);
    assert_int_equal(w.sink->vt->flush(w.sink, &error), WR_EIO);
    assert_true(error.retriable);
    finish(&w);
    expect_rows("SELECT * FROM u", "");
}

/* ---- what the user got wrong ---- */

static void with_url(struct writer *w, const char *url)
{
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (k text PRIMARY KEY, n int)");
    init(w, "u", 2, 1);
    w->opt[0].value = wr_str_c(url);
}

static void wrong_addresses_are_named(void **state WR_UNUSED)
{
    struct writer w;
    char url[200], want[300];
    const char *port = PQport(db);
    with_url(&w, "postgres://weir@127.0.0.1:1/weir");
    check_fails(&w, "cannot connect to PostgreSQL at \"127.0.0.1:1\": connection refused", "is it running, and is this its address?");
    assert_true(error.retriable);

    (void)snprintf(url, sizeof url, "postgres://weir@127.0.0.1:%s/nosuch", port);
    (void)snprintf(want, sizeof want, "cannot connect to PostgreSQL at \"127.0.0.1:%s\": database \"nosuch\" does not exist", port);
    with_url(&w, url);
    check_fails(&w, want, "create it, or check the name at the end of the url");
    assert_false(error.retriable);

    (void)snprintf(url, sizeof url, "host=127.0.0.1 port=%s dbname=weir user=secret_user password=canary-wrong", port);
    (void)snprintf(want, sizeof want, "cannot connect to PostgreSQL at \"127.0.0.1:%s\": password authentication failed for user \"secret_user\"", port);
    with_url(&w, url);
    check_fails(&w, want, "check user and password");

    (void)snprintf(url, sizeof url, "jdbc:postgresql://127.0.0.1:%s/weir", port);
    with_url(&w, url);
    add_opt(&w, "user", "secret_user");
    add_opt(&w, "password", "s3cret-canary");
    check_fails(&w, "user \"secret_user\" may not INSERT on table \"u\"", "GRANT INSERT ON \"public\".\"u\" TO \"secret_user\"");
}

static void dangerous_urls_are_refused(void **state WR_UNUSED)
{
    static const struct {
        const char *url, *msg, *hint;
    } cases[] = {
        {"postgres://h/d?options=-csearch_path%3Dx", "connection parameter \"options\" cannot be given in a url",
         "it would change the server session behind weir's back"},
        {"service=x", "connection parameter \"service\" cannot be given in a url", NULL},
        {"postgres://h/d?passfile=/etc/passwd", "connection parameter \"passfile\" cannot be given in a url", NULL},
        {"postgres://h/d?sslkey=/etc/key", "connection parameter \"sslkey\" cannot be given in a url", NULL},
        {"postgres://u:canary@h:x:y/%zz", "option \"url\" is not a PostgreSQL connection string", "it looks like postgres://user:password@host:5432/database"},
        {"canary", "option \"url\" is not a PostgreSQL connection string", NULL},
        {"", "option \"url\" is not a PostgreSQL connection string", NULL},
    };
    for (int i = 0; i < N(cases); i++) {
        struct writer w;
        with_url(&w, cases[i].url);
        check_fails(&w, cases[i].msg, cases[i].hint);
        assert_int_equal(error.code, WR_ESQL);
    }
}

static void wrong_tables_are_named(void **state WR_UNUSED)
{
    static const struct {
        const char *ddl, *table;
        int n_col, n_key;
        const char *msg, *hint;
    } cases[] = {
        {"SELECT 1", "faturament", 2, 1, "there is no table \"faturament\" in database \"weir\"",
         "did you mean \"faturamento\"? create = 'true' makes the table"},
        {"SELECT 1", "nowhere.zzz", 2, 1, "there is no table \"nowhere.zzz\" in database \"weir\"",
         "create it, or add create = 'true' to the sink (the schema must exist)"},
        {"SELECT 1", "a.b.c", 2, 1, "\"a.b.c\" is not the name of a table", NULL},
        {"CREATE TABLE u (k text PRIMARY KEY, num int)", "u", 2, 1, "table \"u\" has no column \"n\"", NULL},
        {"CREATE TABLE u (k text PRIMARY KEY, n int, mm numeric)", "u", 3, 1, "table \"u\" has no column \"m\"",
         "name the query's columns with AS, or add the column to the table"},
        {"CREATE TABLE u (k text PRIMARY KEY, n timestamp(3))", "u", 2, 1,
         "column \"n\" of table \"u\" is timestamp(3) without time zone, which does not take BIGINT",
         "CAST it in the query, or ALTER TABLE ... ALTER COLUMN ... TYPE bigint"},
        {"CREATE TABLE u (k text PRIMARY KEY, n int, m integer)", "u", 3, 1, "column \"m\" of table \"u\" is integer, which does not take DECIMAL(38,2)",
         "CAST it in the query, or ALTER TABLE ... ALTER COLUMN ... TYPE numeric(38,2)"},
        {"CREATE TABLE u (k int PRIMARY KEY, n int)", "u", 2, 1, "column \"k\" of table \"u\" is integer, which does not take TEXT", NULL},
        {"CREATE TABLE u (k text PRIMARY KEY, n int GENERATED ALWAYS AS (1) STORED)", "u", 2, 1,
         "column \"n\" of table \"u\" makes its own values", "leave it out of the query"},
        {"CREATE TABLE u (k text PRIMARY KEY, n int, x int NOT NULL, y int NOT NULL DEFAULT 1)", "u", 2, 1,
         "column \"x\" of table \"u\" is NOT NULL and would get no value", "add it to the query, or give it a DEFAULT"},
        {"CREATE TABLE u (k text, n int)", "u", 2, 2, "table \"u\" has no primary key or unique index on (\"k\", \"n\")",
         "CREATE UNIQUE INDEX ON \"public\".\"u\" (\"k\", \"n\")"},
        {"CREATE TABLE u (k text, n int, PRIMARY KEY (k, n))", "u", 2, 1, "table \"u\" has no primary key or unique index on (\"k\")", NULL},
        {"CREATE TABLE u (k text PRIMARY KEY DEFERRABLE, n int)", "u", 2, 1, "table \"u\" has no primary key or unique index on (\"k\")", NULL},
        {"CREATE TABLE u (k text, n int); CREATE UNIQUE INDEX ON u (k) WHERE n > 0", "u", 2, 1,
         "table \"u\" has no primary key or unique index on (\"k\")", NULL},
        {"CREATE SEQUENCE u", "u", 2, 0, "\"u\" is not a table", NULL},
    };
    sql("CREATE TABLE IF NOT EXISTS faturamento (x int)");
    for (int i = 0; i < N(cases); i++) {
        struct writer w;
        sql("DROP TABLE IF EXISTS u CASCADE");
        sql(cases[i].ddl);
        init(&w, cases[i].table, cases[i].n_col, cases[i].n_key);
        check_fails(&w, cases[i].msg, cases[i].hint);
    }
    sql("DROP SEQUENCE u");
}

static void keys_in_any_order_fit_the_index(void **state WR_UNUSED)
{
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, NULL, 2}, {WR_OP_DELETE, NULL, 2}, {WR_OP_INSERT, NULL, 3}};
    sql("DROP TABLE IF EXISTS u CASCADE; CREATE TABLE u (n int, k text); CREATE UNIQUE INDEX ON u (n, k) INCLUDE (k) NULLS NOT DISTINCT");
    init(&w, "u", 2, 2);
    write_ok(&w, rows, 2); /* this index takes NULLs as equal, so they can be keys */
    write_ok(&w, rows, 2);
    write_ok(&w, rows + 2, 2);
    expect_bad(&w, "");
    finish(&w);
    expect_rows("SELECT k, n FROM u ORDER BY n", "a|1;-|3;");
}

int main(int argc WR_UNUSED, char **argv WR_UNUSED)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upserts_keep_the_last_of_a_key),
        cmocka_unit_test(each_size_of_send_gives_the_same),
        cmocka_unit_test(takes_back_where_the_key_is_not_the_querys),
        cmocka_unit_test(appends_without_a_key),
        cmocka_unit_test(text_goes_where_it_fits),
        cmocka_unit_test(refused_rows_are_reported_and_the_others_written),
        cmocka_unit_test(refused_deletes_are_reported),
        cmocka_unit_test(keys_that_are_one_to_the_table_do_not_clash),
        cmocka_unit_test(a_refused_row_stops_the_sink_when_asked),
        cmocka_unit_test(a_lost_connection_is_made_again),
        cmocka_unit_test(a_lost_table_stops_the_sink),
        cmocka_unit_test(a_server_that_stays_away_is_given_up),
        cmocka_unit_test(wrong_addresses_are_named),
        cmocka_unit_test(dangerous_urls_are_refused),
        cmocka_unit_test(wrong_tables_are_named),
        cmocka_unit_test(keys_in_any_order_fit_the_index),
    };
    if (!getenv("PG_URL")) {
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = 0;
        (void)execlp("python3", "python3", "tests/fixtures/postgres.py", "run", "--", self, (char *)NULL);
        return 77;
    }
    db = PQconnectdb(getenv("PG_URL"));
    if (PQstatus(db) != CONNECTION_OK) {
        (void)fprintf(stderr, "%s", PQerrorMessage(db));
        return 1;
    }
    (void)PQsetNoticeProcessor(db, (PQnoticeProcessor)NULL, NULL);
    sql("SET client_min_messages = error");
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    PQfinish(db);
    return failed;
}

/* postgres_sink.c: writes results to a PostgreSQL table; the `postgres` connector with its options.
 *
 * How:    rows wait until there are some thousand, for a second at most, or until flush; of several changes of one key only the last is kept. Then each column
 *         travels as one binary array and one statement writes all rows: INSERT ... SELECT FROM unnest(...) [ON CONFLICT DO UPDATE], and
 *         a DELETE for keys that went away, in one transaction. Keys are sorted, so that two writers of one table do not deadlock.
 * Rules:  a lost connection, a full or restarting server, a lock time-out: the same rows are tried again, with pauses, until retry_timeout.
 *         A row that the table refuses (constraint, range, NUL byte) is found by halving inside one transaction, reported as bad, and the
 *         others are written (postgres_letters.c says what becomes of it). Anything else stops the job with the server's own words.
 *         Exactly once: rows wait for the checkpoint, see postgres_txn.c.
 * Memory: pending rows hold their batches; keys lie in an arena; both go at each send. */
#include "connectors/postgres_sink.h"
#include "core/key.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { ROWS = 5000, MOST_ROWS = 1000000, MOST_BYTES = 8 << 20, LINGER_US = 1000000, STOP_MS = 10000 };

/* ---- options ---- */

#define SNK WR_AS_SINK
#define BOTH (WR_AS_SINK | WR_AS_LOOKUP)
static const struct wr_optdesc postgres_opts[] = {
    {"url", NULL, BOTH, WR_OPT_TEXT, true, true, NULL, NULL, "postgres://user:password@host:5432/database, or host=... dbname=..."},
    {"user", "username", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "login name, if not in the url"},
    {"password", NULL, BOTH, WR_OPT_TEXT, false, true, NULL, NULL, "password, if not in the url"},
    {"table", "table-name table_name", BOTH, WR_OPT_TEXT, true, false, NULL, NULL, "table or schema.table; case counts"},
    {"primary_key", "key", SNK, WR_OPT_TEXT, false, false, NULL, NULL, "columns that identify a row; without them rows are appended"},
    {"create", NULL, SNK, WR_OPT_BOOL, false, false, "false", NULL, "make the table if it is not there"},
    {"cache_rows", "lookup.cache.max-rows lookup.partial-cache.max-rows", BOTH, WR_OPT_INT, false, false, "100000", NULL, "lookup: keys remembered; 0: none"},
    {"cache_ttl", "lookup.cache.ttl lookup.partial-cache.expire-after-write", BOTH, WR_OPT_DURATION, false, false, "1 min", NULL,
     "lookup: how long an answer is remembered"},
    {"lookup_connections", NULL, BOTH, WR_OPT_INT, false, false, "4", NULL, "lookup: connections, and so questions on their way at once"},
    {"batch_rows", "sink.buffer-flush.max-rows", SNK, WR_OPT_INT, false, false, "5000", NULL, "most rows in one statement"},
    {"retry_timeout", NULL, SNK, WR_OPT_DURATION, false, false, "5 min", NULL, "how long to try again while the server is away"},
    {"transaction_buffer", NULL, SNK, WR_OPT_BYTES, false, false, "256 MiB", NULL,
     "exactly once: rows of one checkpoint kept in memory, to be written again if their transaction is lost"},
    {"on_error", "on.error", SNK, WR_OPT_ENUM, false, false, "skip", "skip|fail|dlq",
     "rows that the table refuses: counted and left out, the end of the job, or written to dlq_table"},
    {"dlq_table", "dlq.table", SNK, WR_OPT_TEXT, false, false, NULL, NULL, "with on_error = 'dlq': table of the same database that takes them; made if it is not there"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

/* ---- the sink ---- */

static const struct wr_sink_vt postgres_sink;

static enum wr_accepts postgres_accepts(const struct wr_sink_spec *spec)
{
    return spec->n_key ? WR_ACCEPT_UPSERT : WR_ACCEPT_APPEND;
}

static void postgres_promise(const struct wr_sink_spec *spec, struct wr_buf *out)
{
    if (spec->exactly_once)
        wr_buf_puts(out, "exactly once: rows, input positions and checkpoint in one transaction");
    else if (spec->n_key)
        wr_buf_puts(out, "at least once: after a failure rows are written again under their keys, which changes nothing");
    else
        wr_buf_puts(out, "at least once: after a failure rows may be appended again");
}

/* ---- pending rows ---- */

void wr_pg_drop_pending(struct wr_pg_sink *s)
{
    for (uint32_t i = 0; i < s->n; i++)
        wr_batch_unref(s->row[i].batch);
    s->n = 0;
    s->bytes = 0;
    s->since = 0;
    if (!s->once)
        s->n_bad = 0;
    wr_arena_reset(&s->keys);
    if (s->table)
        memset(s->table, 0, (size_t)s->cap * 2 * sizeof *s->table);
}

static uint32_t *slot_of(const struct wr_pg_sink *s, struct wr_str key)
{
    uint32_t mask = s->cap * 2 - 1, at = (uint32_t)wr_hash_bytes(key.p, key.n, 0) & mask;
    while (s->table[at] && !wr_str_eq(s->row[s->table[at] - 1].key, key))
        at = (at + 1) & mask;
    return &s->table[at];
}

/* Room for one more row; cap stays a power of two. */
static void make_room(struct wr_pg_sink *s)
{
    if (s->n < s->cap)
        return;
    s->cap = s->cap ? s->cap * 2 : 1024;
    s->row = wr_realloc(s->row, s->cap * sizeof *s->row);
    s->order = wr_realloc(s->order, s->cap * sizeof *s->order);
    if (s->spec.n_key == 0)
        return;
    free(s->table);
    s->table = wr_calloc((size_t)s->cap * 2, sizeof *s->table);
    for (uint32_t i = 0; i < s->n; i++)
        *slot_of(s, s->row[i].key) = i + 1;
}

static void add_row(struct wr_pg_sink *s, struct wr_batch *b, uint32_t row, bool delete)
{
    make_room(s);
    struct wr_pg_row one = {.batch = b, .row = row, .delete = delete};
    if (s->spec.n_key) {
        wr_buf_reset(&s->key);
        for (int i = 0; i < s->spec.n_key; i++)
            wr_key_put(&s->key, &b->col[s->spec.key[i]], row, false, false);
        uint32_t *at = slot_of(s, wr_buf_get(&s->key));
        if (*at) { /* a later change of a key that is waiting */
            struct wr_pg_row *old = &s->row[*at - 1];
            wr_batch_ref(b);
            wr_batch_unref(old->batch);
            one.key = old->key;
            *old = one;
            return;
        }
        one.key = wr_arena_str(&s->keys, wr_buf_get(&s->key));
        *at = s->n + 1;
    }
    wr_batch_ref(b);
    s->row[s->n++] = one;
}

/* What PostgreSQL would refuse for sure is not even sent. */
static bool refuse_early(struct wr_pg_sink *s, const struct wr_batch *b, uint32_t row, bool delete, wr_status *st, struct wr_error *err)
{
    for (int i = 0; i < s->spec.n_key && !s->target.null_keys; i++) {
        int col = s->spec.key[i];
        if (!wr_vec_null(&b->col[col], row))
            continue;
        if (!delete) /* there can be no such row to delete */
            *st = wr_pg_refuse(s, b, row, s->spec.schema->field[col].name, "a key column is NULL", err);
        return true;
    }
    for (int i = 0; i < s->n_text && !delete; i++) {
        const struct wr_vec *v = &b->col[s->text[i]];
        if (wr_vec_null(v, row))
            continue;
        struct wr_str text = WR_VEC_STR(v)[wr_vec_at(v, row)];
        s->bytes += text.n;
        if (text.n && memchr(text.p, 0, text.n)) {
            *st = wr_pg_refuse(s, b, row, s->spec.schema->field[s->text[i]].name, "text of PostgreSQL cannot hold a NUL byte", err);
            return true;
        }
    }
    return false;
}

/* ---- connecting ---- */

void wr_pg_disconnect(struct wr_pg_sink *s)
{
    PQclear(s->last);
    s->last = NULL;
    if (s->c)
        PQfinish(s->c);
    s->c = NULL;
}

wr_status wr_pg_connect_to(struct wr_pg_sink *s, struct wr_error *err)
{
    if (s->c)
        return WR_OK;
    WR_TRY(wr_pg_connect(s->spec.opts, s->spec.stop, &s->c, err));
    wr_status st = wr_pg_target_open(s->c, &s->spec, &s->target, err);
    if (!st) st = wr_pg_letters_connect(s, err);
    if (st)
        wr_pg_disconnect(s);
    return st;
}

/* ---- sending ---- */

enum wr_pg_outcome wr_pg_outcome_of(struct wr_pg_sink *s, PGresult *r)
{
    ExecStatusType got = PQresultStatus(r);
    if (got == PGRES_COMMAND_OK || got == PGRES_TUPLES_OK) {
        PQclear(r);
        return WR_PG_OUT_DONE;
    }
    PQclear(s->last);
    s->last = r;
    switch (wr_pg_classify(s->c, r)) {
    case WR_PG_AGAIN: return WR_PG_OUT_AGAIN;
    case WR_PG_ROW: return WR_PG_OUT_ROW;
    case WR_PG_STOP: return WR_PG_OUT_STOP;
    }
    return WR_PG_OUT_STOP;
}

enum wr_pg_outcome wr_pg_run(struct wr_pg_sink *s, const char *sql)
{
    return wr_pg_outcome_of(s, wr_pg_query(s->c, sql, WR_PG_PATIENCE_MS));
}

/* Writes rows[0..n), all deletes or none. */
static enum wr_pg_outcome run_rows(struct wr_pg_sink *s, const struct wr_pg_row *const *rows, uint32_t n)
{
    const struct wr_schema *schema = s->spec.schema;
    bool delete = rows[0]->delete;
    int n_col = delete ? s->spec.n_key : schema->n;
    Oid *oid = wr_malloc((size_t)n_col * sizeof *oid);
    const char **value = wr_malloc((size_t)n_col * sizeof *value);
    int *length = wr_malloc((size_t)n_col * sizeof *length), *format = wr_malloc((size_t)n_col * sizeof *format);
    bool fits = true;
    for (int i = 0; i < n_col; i++) {
        int col = delete ? s->spec.key[i] : i;
        wr_buf_reset(&s->array[i]);
        wr_pg_put_array(&s->array[i], col, schema->field[col].type, rows, n);
        fits &= !s->array[i].overflow;
        oid[i] = wr_pg_array_oid(schema->field[col].type);
        value[i] = s->array[i].p;
        length[i] = (int)s->array[i].n;
        format[i] = 1;
    }
    enum wr_pg_outcome out = WR_PG_OUT_ROW; /* too large for one parameter: halved, and a single such row is refused */
    if (fits)
        out = wr_pg_outcome_of(s, wr_pg_params(s->c, delete ? s->target.delete : s->target.insert, n_col, oid, value, length, format,
                                               WR_PG_PATIENCE_MS));
    free(oid);
    free(value);
    free(length);
    free(format);
    return out;
}

static void note_refused(struct wr_pg_sink *s, const struct wr_pg_row *row)
{
    if (s->n_bad == s->cap_bad) {
        s->cap_bad = s->cap_bad ? s->cap_bad * 2 : 16;
        s->bad = wr_realloc(s->bad, s->cap_bad * sizeof *s->bad);
    }
    struct wr_pg_refused *r = &s->bad[s->n_bad++];
    const char *column = s->last ? PQresultErrorField(s->last, PG_DIAG_COLUMN_NAME) : NULL;
    r->row = row;
    (void)snprintf(r->column, sizeof r->column, "%s", column ? column : "");
    if (s->last)
        wr_pg_message(s->c, s->last, r->msg, sizeof r->msg);
    else
        (void)snprintf(r->msg, sizeof r->msg, "the row is too large");
}

/* Writes rows inside an open transaction, halving where some row is refused. */
enum wr_pg_outcome wr_pg_run_halving(struct wr_pg_sink *s, const struct wr_pg_row *const *rows, uint32_t n)
{
    PQclear(s->last);
    s->last = NULL;
    enum wr_pg_outcome out = wr_pg_run(s, "SAVEPOINT weir");
    if (!out)
        out = run_rows(s, rows, n);
    if (!out)
        return wr_pg_run(s, "RELEASE SAVEPOINT weir");
    if (out != WR_PG_OUT_ROW)
        return out;
    if (n == 1)
        note_refused(s, rows[0]);
    out = wr_pg_run(s, "ROLLBACK TO SAVEPOINT weir; RELEASE SAVEPOINT weir");
    if (!out && n > 1)
        out = wr_pg_run_halving(s, rows, n / 2);
    if (!out && n > 1)
        out = wr_pg_run_halving(s, rows + n / 2, n - n / 2);
    return out;
}

wr_status wr_pg_report_refused(struct wr_pg_sink *s, struct wr_error *err)
{
    for (uint32_t i = 0; i < s->n_bad; i++) {
        const struct wr_pg_refused *r = &s->bad[i];
        struct wr_pg_row *row = (struct wr_pg_row *)(uintptr_t)r->row;
        if (row->dead)
            continue;
        row->dead = true;
        WR_TRY(wr_pg_refuse(s, row->batch, row->row, wr_str_c(r->column), r->msg, err));
    }
    s->n_bad = 0;
    return WR_OK;
}

/* One transaction with everything: quick, or (careful) finding the rows that the table refuses, which are told before COMMIT. */
static enum wr_pg_outcome run_all(struct wr_pg_sink *s, uint32_t n_delete, uint32_t n, bool careful, struct wr_error *err)
{
    bool letters = wr_pg_letters_n(s) > 0;
    s->n_bad = 0;
    if (n == 0 && !letters)
        return WR_PG_OUT_DONE;
    if (!careful && !letters && (n_delete == 0 || n_delete == n))
        return run_rows(s, s->order, n); /* a statement is a transaction */
    enum wr_pg_outcome out = wr_pg_run(s, careful ? "BEGIN; SET CONSTRAINTS ALL IMMEDIATE" : "BEGIN");
    if (!out && n_delete)
        out = careful ? wr_pg_run_halving(s, s->order, n_delete) : run_rows(s, s->order, n_delete);
    if (!out && n > n_delete)
        out = careful ? wr_pg_run_halving(s, s->order + n_delete, n - n_delete) : run_rows(s, s->order + n_delete, n - n_delete);
    if (!out && careful && wr_pg_report_refused(s, err))
        out = WR_PG_OUT_STOP;
    if (!out)
        out = wr_pg_letters_send(s);
    if (!out)
        return wr_pg_run(s, "COMMIT");
    if (s->c && PQstatus(s->c) == CONNECTION_OK)
        PQclear(PQexec(s->c, "ROLLBACK"));
    return out;
}

int wr_pg_by_kind_and_key(const void *a, const void *b)
{
    const struct wr_pg_row *x = *(const struct wr_pg_row *const *)a, *y = *(const struct wr_pg_row *const *)b;
    if (x->delete != y->delete)
        return x->delete ? -1 : 1;
    return wr_str_cmp(x->key, y->key);
}

/* Pauses before another try; an error when the time is up. */
wr_status wr_pg_wait_again(struct wr_pg_sink *s, int64_t started, int tries, struct wr_error *err)
{
    int64_t limit = wr_opt_duration(s->spec.opts, "retry_timeout", 5 * WR_US_MIN), pause = 50000 << (tries < 7 ? tries : 7);
    int64_t until = wr_clock_mono() + (pause < 5 * WR_US_SEC ? pause : 5 * WR_US_SEC);
    bool stopping = s->spec.stop && atomic_load(s->spec.stop);
    if (wr_clock_mono() - started > (stopping && limit > STOP_MS * INT64_C(1000) ? STOP_MS * INT64_C(1000) : limit))
        return err->code;
    wr_log(tries ? WR_LOG_DEBUG : WR_LOG_WARN, "postgres", "sink \"%.*s\": %s; trying again", WR_FMT(s->spec.name), err->msg);
    while (wr_clock_mono() < until && !(s->spec.stop && atomic_load(s->spec.stop) && !stopping)) {
        struct timespec t = {0, 20000000};
        (void)nanosleep(&t, NULL);
    }
    s->base.retries++;
    wr_error_clear(err);
    return WR_OK;
}

/* What the failed statement said, as an error. */
wr_status wr_pg_told(struct wr_pg_sink *s, struct wr_error *err)
{
    return wr_pg_fail(s->c, s->last, err, "cannot write to table \"%.*s\"", WR_FMT(s->target.plain));
}

/* Rows as they are sent; those that were refused before are left out. Returns how many there are. */
static uint32_t put_in_order(struct wr_pg_sink *s, uint32_t *n_delete)
{
    uint32_t n = 0;
    *n_delete = 0;
    for (uint32_t i = 0; i < s->n; i++) {
        if (s->row[i].dead)
            continue;
        s->order[n++] = &s->row[i];
        *n_delete += s->row[i].delete;
    }
    if (s->spec.n_key)
        qsort(s->order, n, sizeof *s->order, wr_pg_by_kind_and_key);
    return n;
}

/* Sends all pending rows, in one transaction; *n: how many were not refused. Pending stays as it is when this fails. */
static wr_status send_rows(struct wr_pg_sink *s, uint32_t *n, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    bool careful = false;
    for (int tries = 0;; tries++) {
        wr_status st = wr_pg_connect_to(s, err);
        if (st == WR_ESTOP)
            return st;
        if (!st) {
            uint32_t n_delete, all = put_in_order(s, &n_delete);
            enum wr_pg_outcome out = run_all(s, n_delete, all, careful, err);
            *n = put_in_order(s, &n_delete);
            if (out == WR_PG_OUT_DONE)
                return WR_OK;
            if (out == WR_PG_OUT_ROW && !careful) {
                careful = true;
                continue;
            }
            st = err->code ? err->code : wr_pg_told(s, err);
            if (out != WR_PG_OUT_AGAIN)
                return st;
        } else if (!err->retriable) {
            return st;
        }
        wr_pg_disconnect(s);
        WR_TRY(wr_pg_wait_again(s, started, tries, err));
    }
}

static wr_status send_pending(struct wr_pg_sink *s, struct wr_error *err)
{
    uint32_t n = 0;
    if (s->n == 0 && wr_pg_letters_n(s) == 0)
        return WR_OK;
    wr_status st = send_rows(s, &n, err);
    if (!st) {
        s->base.rows += n;
        s->base.bytes += s->bytes;
        wr_pg_letters_clear(s);
    }
    wr_pg_drop_pending(s);
    return st;
}

/* ---- the sink's functions ---- */

static wr_status postgres_write(struct wr_sink *base, struct wr_batch *batch, struct wr_error *err)
{
    struct wr_pg_sink *s = (struct wr_pg_sink *)base;
    wr_status st = WR_OK;
    for (uint32_t k = 0; !st && k < batch->n_live; k++) {
        uint32_t row = wr_batch_row(batch, k);
        int8_t op = wr_batch_op(batch, row);
        WR_ASSERT(s->spec.n_key || !wr_op_is_retract(op));
        if (op == WR_OP_UPDATE_BEFORE && s->spec.key_is_unique)
            continue; /* the +U behind it has the same key */
        if (!refuse_early(s, batch, row, wr_op_is_retract(op), &st, err))
            add_row(s, batch, row, wr_op_is_retract(op));
    }
    wr_batch_unref(batch);
    if (s->once)
        return st ? st : wr_pg_once_written(s, err);
    bool some = s->n || wr_pg_letters_n(s);
    if (some && !s->since)
        s->since = wr_clock_mono();
    if (!st && some && (s->n >= s->most || s->bytes >= MOST_BYTES || wr_clock_mono() - s->since > LINGER_US))
        st = send_pending(s, err);
    return st;
}

static wr_status postgres_flush(struct wr_sink *base, struct wr_error *err)
{
    struct wr_pg_sink *s = (struct wr_pg_sink *)base;
    return s->once ? WR_OK : send_pending(s, err); /* exactly once: nothing counts before commit */
}

static void postgres_close(struct wr_sink *base)
{
    struct wr_pg_sink *s = (struct wr_pg_sink *)base;
    wr_pg_once_close(s);
    wr_pg_drop_pending(s);
    wr_pg_letters_close(s);
    wr_pg_disconnect(s);
    wr_pg_target_clear(&s->target);
    for (int i = 0; i < s->spec.schema->n; i++)
        wr_buf_clear(&s->array[i]);
    wr_buf_clear(&s->key);
    wr_arena_clear(&s->keys);
    free(s->array);
    free(s->text);
    free(s->row);
    free(s->order);
    free(s->table);
    free(s->bad);
    free(s);
}

static wr_status postgres_open(const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err)
{
    WR_TRY(wr_pg_check_opts(spec->opts, err));
    WR_TRY(wr_pg_target_check(spec, err));
    struct wr_pg_sink *s = wr_calloc(1, sizeof *s);
    int64_t most = wr_opt_int(spec->opts, "batch_rows", ROWS);
    s->base.vt = &postgres_sink;
    s->spec = *spec;
    s->most = most < 1 ? 1 : most > MOST_ROWS ? MOST_ROWS : (uint32_t)most;
    s->array = wr_calloc((size_t)spec->schema->n + 1, sizeof *s->array);
    s->text = wr_malloc((size_t)(spec->schema->n + 1) * sizeof *s->text);
    for (int i = 0; i < spec->schema->n; i++) {
        s->array[i].max = 512 << 20;
        if (spec->schema->field[i].type.id == WR_T_TEXT)
            s->text[s->n_text++] = i;
    }
    wr_status st = wr_pg_letters_open(s, err);
    if (!st) st = wr_pg_connect_to(s, err);
    if (!st && spec->exactly_once)
        wr_pg_once_open(s);
    if (st) {
        postgres_close(&s->base);
        return st;
    }
    *out = &s->base;
    return WR_OK;
}

static wr_status postgres_check(const struct wr_sink_spec *spec, struct wr_error *err)
{
    struct wr_sink *sink;
    WR_TRY(postgres_open(spec, &sink, err));
    postgres_close(sink);
    return WR_OK;
}

static const struct wr_sink_vt postgres_sink = {
    .accepts = postgres_accepts,
    .check = postgres_check,
    .promise = postgres_promise,
    .open = postgres_open,
    .write = postgres_write,
    .flush = postgres_flush,
    .recover = wr_pg_once_recover,
    .commit = wr_pg_once_commit,
    .close = postgres_close,
};

const struct wr_connector wr_connector_postgres = {
    .name = "postgres",
    .help = "tables of PostgreSQL",
    .opts = postgres_opts,
    .sink = &postgres_sink,
    .lookup = &wr_postgres_lookup,
};

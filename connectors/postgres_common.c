/* postgres_common.c: see postgres_common.h. */
#include "connectors/postgres_common.h"
#include "core/log.h"

#include <ctype.h>
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

enum { CONNECT_MS = 9000, MOST_PARAMS = 32 };

/* ---- connection parameters ---- */

static const char *const allowed[] = {
    "host", "hostaddr", "port", "dbname", "user", "password", "sslmode", "sslrootcert", "sslsni", "ssl_min_protocol_version",
    "ssl_max_protocol_version", "channel_binding", "gssencmode", "target_session_attrs", "application_name", "fallback_application_name",
    "connect_timeout", "keepalives", "keepalives_idle", "keepalives_interval", "keepalives_count", "tcp_user_timeout",
};

static const struct {
    const char *name, *why;
} refused[] = {
    {"service", "it would read another connection from a file"},
    {"servicefile", "it would read another connection from a file"},
    {"passfile", "it would read passwords from a file: say password = '${NAME}'"},
    {"options", "it would change the server session behind weir's back"},
    {"sslkey", "it names a file of the machine weir runs on"},
    {"sslcert", "it names a file of the machine weir runs on"},
    {"sslpassword", "client certificates cannot be used"},
    {"client_encoding", "weir always talks UTF-8"},
};

static bool is_allowed(const char *name)
{
    for (size_t i = 0; i < sizeof allowed / sizeof allowed[0]; i++)
        if (strcmp(name, allowed[i]) == 0)
            return true;
    return false;
}

static wr_status refuse(const char *name, struct wr_error *err)
{
    wr_fail(err, WR_ESQL, "connection parameter \"%s\" cannot be given in a url", name);
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (strcmp(name, refused[i].name) == 0)
            wr_hint(err, "%s", refused[i].why);
    wr_hint(err, "host, port, dbname, user, password, sslmode, sslrootcert, target_session_attrs and time-outs can");
    return WR_ESQL;
}

/* libpq's list for a url ("postgres://...", "host=... dbname=...", also with Java's "jdbc:" before it). */
static wr_status parse_url(const struct wr_opts *opts, PQconninfoOption **out, struct wr_error *err)
{
    struct wr_arena a = {0};
    char *url = wr_opt_cstr(opts, "url", &a), *why = NULL;
    if (url && strncmp(url, "jdbc:", 5) == 0)
        url += 5;
    PQconninfoOption *list = url && *url ? PQconninfoParse(url, &why) : NULL;
    wr_arena_clear(&a);
    if (!list) { /* libpq's own text may quote the password */
        PQfreemem(why);
        wr_fail(err, WR_ESQL, "option \"url\" is not a PostgreSQL connection string");
        wr_hint(err, "it looks like postgres://user:password@host:5432/database");
        return WR_ESQL;
    }
    for (const PQconninfoOption *o = list; o->keyword; o++) {
        if (o->val && *o->val && !is_allowed(o->keyword)) {
            wr_status st = refuse(o->keyword, err);
            PQconninfoFree(list);
            return st;
        }
    }
    *out = list;
    return WR_OK;
}

wr_status wr_pg_check_opts(const struct wr_opts *opts, struct wr_error *err)
{
    PQconninfoOption *list;
    WR_TRY(parse_url(opts, &list, err));
    PQconninfoFree(list);
    return WR_OK;
}

/* ---- connecting ---- */

void wr_pg_where(const PGconn *c, char *to, size_t size)
{
    const char *host = PQhost(c), *port = PQport(c);
    if (host && host[0] == '/')
        (void)snprintf(to, size, "%s", host);
    else
        (void)snprintf(to, size, "%s:%s", host && *host ? host : "localhost", port && *port ? port : "5432");
}

/* Why a connection failed, from libpq's text: `connection to server at "h" (1.2.3.4), port 5432 failed: FATAL:  reason`, maybe several. */
static void why_not(const PGconn *c, char *to, size_t size)
{
    const char *text = PQerrorMessage(c), *p = text, *next;
    while ((next = strstr(p, " failed: ")) != NULL) /* the last attempt counts */
        p = next + 9;
    if (strncmp(p, "FATAL:", 6) == 0)
        p += 6;
    while (isspace((unsigned char)*p))
        p++;
    size_t n = strcspn(p, "\n");
    struct wr_buf safe = WR_BUF_INIT(8192);
    wr_buf_escape(&safe, (struct wr_str){p, (uint32_t)n}, 300);
    (void)snprintf(to, size, "%.*s", WR_FMT(wr_buf_get(&safe)));
    wr_buf_clear(&safe);
    if (isupper((unsigned char)to[0]) && !isupper((unsigned char)to[1]))
        to[0] = (char)tolower((unsigned char)to[0]);
}

static wr_status connect_failed(const PGconn *c, const char *late, struct wr_error *err)
{
    char where[200], why[320];
    wr_pg_where(c, where, sizeof where);
    why_not(c, why, sizeof why);
    wr_fail(err, WR_EIO, "cannot connect to PostgreSQL at \"%s\": %s", where, late ? late : why);
    if (strstr(why, "password") || strstr(why, "authentication"))
        wr_hint(err, "check user and password");
    else if (strstr(why, "database \""))
        wr_hint(err, "create it, or check the name at the end of the url");
    else if (strstr(why, "role \""))
        wr_hint(err, "check the user in the url");
    else if (strstr(why, "SSL") || strstr(why, "no pg_hba.conf entry"))
        wr_hint(err, "check sslmode in the url (disable, require, verify-full)");
    else {
        wr_hint(err, "is it running, and is this its address?");
        err->retriable = true;
    }
    return WR_EIO;
}

/* Waits until the connection stands. */
static wr_status connect_wait(PGconn *c, const atomic_bool *stop, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    PostgresPollingStatusType state = PGRES_POLLING_WRITING;
    while (state != PGRES_POLLING_OK) {
        if (state == PGRES_POLLING_FAILED)
            return connect_failed(c, NULL, err);
        struct pollfd fd = {.fd = PQsocket(c), .events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT};
        int rc = poll(&fd, 1, 100);
        if (stop && atomic_load(stop))
            return wr_fail(err, WR_ESTOP, "stopped while connecting to PostgreSQL");
        if (wr_clock_mono() - started > CONNECT_MS * INT64_C(1000))
            return connect_failed(c, "no answer", err);
        if (rc > 0)
            state = PQconnectPoll(c);
    }
    return WR_OK;
}

static void no_notice(void *arg WR_UNUSED, const PGresult *r)
{
    char text[300];
    wr_pg_message(NULL, r, text, sizeof text);
    wr_log(WR_LOG_DEBUG, "postgres", "server says: %s", text);
}

/* The url's parameters and ours; later ones of the same name win in libpq. */
static PGconn *start(const PQconninfoOption *list, const char *user, const char *password)
{
    const char *key[MOST_PARAMS + 16], *value[MOST_PARAMS + 16];
    static const char *const ours[][2] = {{"fallback_application_name", "weir"}, {"client_encoding", "UTF8"}, {"keepalives_idle", "30"},
                                          {"keepalives_interval", "10"}, {"keepalives_count", "3"}, {"tcp_user_timeout", "60000"}};
    int n = 0;
    for (size_t i = 0; i < sizeof ours / sizeof ours[0]; i++) {
        key[n] = ours[i][0];
        value[n++] = ours[i][1];
    }
    for (; list->keyword; list++) {
        if (list->val && *list->val && n < MOST_PARAMS) {
            key[n] = list->keyword;
            value[n++] = list->val;
        }
    }
    if (user) {
        key[n] = "user";
        value[n++] = user;
    }
    if (password) {
        key[n] = "password";
        value[n++] = password;
    }
    key[n] = value[n] = NULL;
    return PQconnectStartParams(key, value, 0);
}

wr_status wr_pg_connect(const struct wr_opts *opts, const atomic_bool *stop, PGconn **out, struct wr_error *err)
{
    PQconninfoOption *list;
    WR_TRY(parse_url(opts, &list, err));
    struct wr_arena a = {0};
    PGconn *c = start(list, wr_opt_cstr(opts, "user", &a), wr_opt_cstr(opts, "password", &a));
    PQconninfoFree(list);
    wr_arena_clear(&a);
    if (!c)
        return wr_fail(err, WR_EIO, "cannot connect to PostgreSQL: out of memory");
    wr_status st = PQstatus(c) == CONNECTION_BAD ? connect_failed(c, NULL, err) : connect_wait(c, stop, err);
    if (!st) {
        (void)PQsetNoticeReceiver(c, no_notice, NULL);
        st = wr_pg_exec(c, "SET TIME ZONE 'UTC'; SET lock_timeout = '30s'; SET idle_in_transaction_session_timeout = '10min'", err,
                        "cannot set the session up");
    }
    if (st) {
        PQfinish(c);
        return st;
    }
    *out = c;
    return WR_OK;
}

/* ---- errors ---- */

enum wr_pg_class wr_pg_classify(const PGconn *c, const PGresult *r)
{
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    static const char *const again[] = {"08", "53", "57P0", "40001", "40P01", "55P03", "25P03"};
    static const char *const row[] = {"22", "23", "21000", "54"};
    if (!state || PQstatus(c) == CONNECTION_BAD)
        return WR_PG_AGAIN;
    for (size_t i = 0; i < sizeof again / sizeof again[0]; i++)
        if (strncmp(state, again[i], strlen(again[i])) == 0)
            return WR_PG_AGAIN;
    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        if (strncmp(state, row[i], strlen(row[i])) == 0)
            return WR_PG_ROW;
    return WR_PG_STOP;
}

void wr_pg_message(const PGconn *c, const PGresult *r, char *to, size_t size)
{
    const char *text = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *detail = r ? PQresultErrorField(r, PG_DIAG_MESSAGE_DETAIL) : NULL;
    struct wr_buf safe = WR_BUF_INIT(16384);
    if (!text) {
        text = c ? PQerrorMessage(c) : "";
        if (strncmp(text, "FATAL:  ", 8) == 0 || strncmp(text, "ERROR:  ", 8) == 0)
            text += 8;
    }
    wr_buf_escape(&safe, (struct wr_str){text, (uint32_t)strcspn(text, "\n")}, 300);
    if (detail) {
        wr_buf_puts(&safe, ": ");
        wr_buf_escape(&safe, (struct wr_str){detail, (uint32_t)strcspn(detail, "\n")}, 200);
    }
    (void)snprintf(to, size, "%.*s", WR_FMT(wr_buf_get(&safe)));
    wr_buf_clear(&safe);
}

wr_status wr_pg_fail(const PGconn *c, const PGresult *r, struct wr_error *err, const char *doing, ...)
{
    char what[300], text[400];
    const char *state = r ? PQresultErrorField(r, PG_DIAG_SQLSTATE) : NULL;
    va_list args;
    va_start(args, doing);
    (void)vsnprintf(what, sizeof what, doing, args);
    va_end(args);
    wr_pg_message(c, r, text, sizeof text);
    wr_fail(err, WR_EIO, "%s: %s%s%s%s", what, *text ? text : "the connection was lost", state ? " (" : "", state ? state : "", state ? ")" : "");
    if (state && strncmp(state, "42501", 5) == 0)
        wr_hint(err, "grant it to user \"%s\"", PQuser(c));
    err->retriable = wr_pg_classify(c, r) == WR_PG_AGAIN;
    return WR_EIO;
}

wr_status wr_pg_exec(PGconn *c, const char *sql, struct wr_error *err, const char *doing)
{
    PGresult *r = PQexec(c, sql);
    ExecStatusType got = PQresultStatus(r);
    wr_status st = WR_OK;
    if (got != PGRES_COMMAND_OK && got != PGRES_TUPLES_OK)
        st = wr_pg_fail(c, r, err, "%s", doing);
    PQclear(r);
    return st;
}

/* ---- statements with a time limit ---- */

/* Waits for the socket; false: the time is up, or the connection is gone. */
static bool wait_socket(PGconn *c, short events, int64_t until)
{
    int64_t left = (until - wr_clock_mono() + 999) / 1000;
    struct pollfd p = {.fd = PQsocket(c), .events = events};
    if (left <= 0 || p.fd < 0 || (poll(&p, 1, left > 60000 ? 60000 : (int)left) < 0 && errno != EINTR))
        return false;
    return !(p.revents & ~POLLOUT) || PQconsumeInput(c);
}

static bool result_ready(PGconn *c, int64_t until)
{
    while (PQisBusy(c))
        if (!wait_socket(c, POLLIN, until))
            return PQstatus(c) == CONNECTION_BAD; /* then PQgetResult does not wait, and says what happened */
    return true;
}

static bool sent_all(PGconn *c, int64_t until)
{
    int rc;
    while ((rc = PQflush(c)) == 1)
        if (!wait_socket(c, POLLIN | POLLOUT, until))
            return false;
    return rc == 0;
}

PGresult *wr_pg_result(PGconn *c, int limit_ms)
{
    int64_t until = wr_clock_mono() + limit_ms * INT64_C(1000);
    PGresult *kept = NULL;
    bool in_time = sent_all(c, until) || PQstatus(c) == CONNECTION_BAD;
    while (in_time) {
        in_time = result_ready(c, until);
        PGresult *r = in_time ? PQgetResult(c) : NULL;
        if (!r)
            break;
        bool wrong = kept && PQresultStatus(kept) == PGRES_FATAL_ERROR;
        PQclear(wrong ? r : kept);
        if (!wrong)
            kept = r;
    }
    if (in_time)
        return kept;
    PQclear(kept);
    return NULL;
}

PGresult *wr_pg_query(PGconn *c, const char *sql, int limit_ms)
{
    (void)PQsetnonblocking(c, 1);
    PGresult *r = PQsendQuery(c, sql) ? wr_pg_result(c, limit_ms) : NULL;
    (void)PQsetnonblocking(c, 0);
    return r;
}

PGresult *wr_pg_params(PGconn *c, const char *sql, int n, const Oid *oid, const char *const *value, const int *length, const int *format, int limit_ms)
{
    (void)PQsetnonblocking(c, 1);
    PGresult *r = PQsendQueryParams(c, sql, n, oid, value, length, format, 0) ? wr_pg_result(c, limit_ms) : NULL;
    (void)PQsetnonblocking(c, 0);
    return r;
}

/* ---- names ---- */

void wr_pg_ident(struct wr_buf *out, struct wr_str name)
{
    wr_buf_putc(out, '"');
    for (uint32_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            wr_buf_putc(out, '"');
        wr_buf_putc(out, name.p[i]);
    }
    wr_buf_putc(out, '"');
}

/* One part, quoted or not, off the front of *s. */
static bool take_part(struct wr_str *s, struct wr_arena *a, struct wr_str *part)
{
    char *to = wr_arena_bytes(a, (size_t)s->n + 1);
    uint32_t n = 0, i = 0;
    if (s->n && s->p[0] == '"') {
        for (i = 1; i < s->n; i++) {
            if (s->p[i] == '"') {
                if (i + 1 >= s->n || s->p[i + 1] != '"')
                    break;
                i++;
            }
            to[n++] = s->p[i];
        }
        if (i >= s->n)
            return false;
        i++;
    } else {
        while (i < s->n && s->p[i] != '.')
            to[n++] = s->p[i++];
    }
    *part = (struct wr_str){to, n};
    s->p += i;
    s->n -= i;
    return n > 0 && n <= 63 && !memchr(to, 0, n) && (s->n == 0 || s->p[0] == '.');
}

wr_status wr_pg_table_name(struct wr_str text, struct wr_arena *a, struct wr_str *schema, struct wr_str *table, struct wr_error *err)
{
    struct wr_str rest = wr_str_trim(text);
    bool good = take_part(&rest, a, table);
    *schema = (struct wr_str){NULL, 0};
    if (good && rest.n) {
        rest.p++;
        rest.n--;
        *schema = *table;
        good = take_part(&rest, a, table) && rest.n == 0;
    }
    if (good)
        return WR_OK;
    wr_fail(err, WR_ESQL, "\"%.*s\" is not the name of a table", WR_FMT(text));
    wr_hint(err, "write table = 'name' or 'schema.name'; names have at most 63 bytes; odd ones in double quotes");
    return WR_ESQL;
}

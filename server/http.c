/* http.c: the HTTP server (libmicrohttpd): guards every request, finds its handler, and cuts connections that are too slow.
 *
 * Rules (reliability.md §5 of the design): loopback by default; a bearer token for every request but the page's own files, /health and /ready, which hold no
 *         data; Host and Origin must be ours; no CORS; bodies are application/json of at most 1 MiB; head at most 16 KiB and 100 headers, within 10 s; body
 *         within 30 s; at most 64 connections; Content-Length twice, or with Transfer-Encoding, is refused. Files come from a compiled-in table.
 * Memory: one struct a request, freed when it is done; connections are in a list guarded by lock. */
#include <errno.h>
#include <jansson.h>
#include <microhttpd.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"

enum { HEAD_MOST = 16 << 10, HEADERS_MOST = 100, BODY_MOST = 1 << 20, CONNECTIONS_MOST = 64, HEAD_S = 10, BODY_S = 30, FILTERS_MOST = 32 };

struct conn {                  /* one TCP connection */
    int fd;
    int64_t deadline;          /* monotonic; 0: none now */
    struct conn *prev, *next;
};

struct wr_http {
    struct wr_jobs *jobs;
    char token[256], addr[128];
    int port;
    struct MHD_Daemon *daemon;
    pthread_mutex_t lock;
    struct conn *conns;
};

struct req {
    struct wr_http *h;
    struct MHD_Connection *c;
    const char *method, *url;
    struct wr_buf body, out;
    int refused;               /* status decided before the body was read; 0: none */
    struct wr_error err;
    char name[80];             /* {j} of the path */
};

struct route {
    const char *method, *path; /* a star stands for the job's name */
    int (*run)(struct req *r); /* gives the status; < 0: has answered by itself */
    const char *type;
};

static const char json_mime[] = "application/json", ndjson_mime[] = "application/x-ndjson";

static const char *header(const struct req *r, const char *name) { return MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, name); }
static const char *param(const struct req *r, const char *name) { return MHD_lookup_connection_value(r->c, MHD_GET_ARGUMENT_KIND, name); }

/* ---- answering ---- */

static enum MHD_Result send_response(struct req *r, int status, const char *type, struct MHD_Response *resp)
{
    MHD_add_response_header(resp, "Content-Type", type);
    MHD_add_response_header(resp, "Cache-Control", "no-store");
    MHD_add_response_header(resp, "X-Content-Type-Options", "nosniff");
    MHD_add_response_header(resp, "X-Frame-Options", "DENY");
    MHD_add_response_header(resp, "Referrer-Policy", "no-referrer");
    MHD_add_response_header(resp, "Content-Security-Policy",
                            "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'");
    if (status == 401)
        MHD_add_response_header(resp, "WWW-Authenticate", "Bearer");
    if (r->refused)
        MHD_add_response_header(resp, "Connection", "close");
    enum MHD_Result rc = MHD_queue_response(r->c, (unsigned)status, resp);
    MHD_destroy_response(resp);
    return rc;
}

static enum MHD_Result send_buf(struct req *r, int status, const char *type)
{
    struct MHD_Response *resp = MHD_create_response_from_buffer(r->out.n, r->out.n ? r->out.p : NULL, MHD_RESPMEM_MUST_COPY);
    return resp ? send_response(r, status, type, resp) : MHD_NO;
}

/* Appends {"error":{...}}; sql: where places count from. */
static void put_error(struct req *r, const char *text)
{
    wr_buf_reset(&r->out);
    wr_buf_puts(&r->out, "{\"error\":{\"message\":");
    wr_put_json(&r->out, wr_str_c(r->err.msg));
    if (r->err.hint[0]) {
        wr_buf_puts(&r->out, ",\"hint\":");
        wr_put_json(&r->out, wr_str_c(r->err.hint));
    }
    if (r->err.sql_off >= 0)
        wr_buf_printf(&r->out, ",\"offset\":%d", r->err.sql_off);
    if (text && *text) {
        wr_buf_puts(&r->out, ",\"text\":");
        wr_put_json(&r->out, wr_str_c(text));
    }
    wr_buf_puts(&r->out, "}}\n");
}

static int status_of(wr_status st)
{
    switch (st) {
    case WR_OK: return 200;
    case WR_ESQL:
    case WR_EUSAGE: return 400;
    case WR_EDATA: return 422;
    case WR_ELIMIT: return 413;
    case WR_EIO: return 502;
    case WR_EFENCED: return 409;
    case WR_ESTOP: return 503;
    }
    return 500;
}

static int failed(struct req *r, wr_status st)
{
    put_error(r, NULL);
    return status_of(st);
}

static int refuse(struct req *r, int status, const char *msg)
{
    wr_error_clear(&r->err);
    wr_fail(&r->err, WR_EUSAGE, "%s", msg);
    put_error(r, NULL);
    return status;
}

static int not_found(struct req *r)
{
    put_error(r, NULL);
    return 404;
}

/* ---- handlers ---- */

static int get_health(struct req *r)
{
    wr_buf_puts(&r->out, "{\"status\":\"ok\"}\n");
    return 200;
}

/* Ready: no job is still starting. */
static int get_ready(struct req *r)
{
    struct wr_sjob *j;
    int starting = 0;
    for (int i = 0; (j = wr_jobs_at(r->h->jobs, i)) != NULL; i++) {
        pthread_mutex_lock(&j->lock);
        starting += j->state == WR_JOB_STARTING;
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
    wr_buf_printf(&r->out, "{\"ready\":%s}\n", starting ? "false" : "true");
    return starting ? 503 : 200;
}

static int get_metrics(struct req *r)
{
    wr_put_metrics(r->h->jobs, &r->out);
    return 200;
}

static int get_jobs(struct req *r)
{
    struct wr_sjob *j;
    wr_buf_puts(&r->out, "{\"jobs\":[");
    for (int i = 0; (j = wr_jobs_at(r->h->jobs, i)) != NULL; i++) {
        if (i)
            wr_buf_putc(&r->out, ',');
        wr_put_job(j, false, &r->out);
        wr_sjob_unref(j);
    }
    wr_buf_puts(&r->out, "]}\n");
    return 200;
}

static json_t *read_body(struct req *r, const char *must)
{
    json_error_t why;
    json_t *v = json_loadb(r->body.n ? r->body.p : "", r->body.n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(v) && json_is_string(json_object_get(v, must)))
        return v;
    if (v)
        wr_fail(&r->err, WR_EUSAGE, "the body should be a JSON object with a text \"%s\"", must);
    else
        wr_fail(&r->err, WR_EUSAGE, "the body is no JSON: %s (line %d)", why.text, why.line);
    json_decref(v);
    return NULL;
}

static struct wr_str text_of(const json_t *v) { return (struct wr_str){json_string_value(v), (uint32_t)json_string_length(v)}; }

static int post_jobs(struct req *r)
{
    json_t *v = read_body(r, "sql");
    const char *name = json_string_value(json_object_get(v, "name"));
    if (!v)
        return failed(r, WR_EUSAGE);
    struct wr_buf said = WR_BUF_INIT(1 << 20);
    char *vars = json_is_object(json_object_get(v, "vars")) ? json_dumps(json_object_get(v, "vars"), JSON_COMPACT) : NULL;
    wr_status st = name ? wr_jobs_submit(r->h->jobs, name, text_of(json_object_get(v, "sql")), vars ? vars : "", json_is_true(json_object_get(v, "replace")),
                                         &said, &r->err)
                        : wr_fail(&r->err, WR_EUSAGE, "the body lacks the job's \"name\"");
    free(vars);
    if (st) {
        wr_buf_putc(&said, 0);
        put_error(r, said.p);
    } else {
        struct wr_sjob *j = wr_jobs_get(r->h->jobs, name);
        if (j)
            wr_put_job(j, false, &r->out);
        wr_sjob_unref(j);
        wr_buf_putc(&r->out, '\n');
    }
    json_decref(v);
    wr_buf_clear(&said);
    return st ? status_of(st) : 201;
}

static int post_sql(struct req *r)
{
    json_t *v = read_body(r, "sql");
    if (!v)
        return failed(r, WR_EUSAGE);
    const char *accept = header(r, "Accept");
    struct wr_str sql = text_of(json_object_get(v, "sql"));
    r->out.max = 64 << 20;
    wr_status st = wr_sql_run(r->h->jobs, sql, accept && strcmp(accept, ndjson_mime) == 0, &r->out, &r->err);
    if (st)
        put_error(r, NULL);
    json_decref(v);
    return status_of(st);
}

/* ---- one job ---- */

static struct wr_sjob *job_of(struct req *r)
{
    struct wr_sjob *j = wr_jobs_get(r->h->jobs, r->name);
    if (!j)
        (void)wr_no_job(r->h->jobs, r->name, &r->err);
    return j;
}

static int with_job(struct req *r, wr_status (*act)(struct wr_sjob *, struct wr_error *))
{
    struct wr_sjob *j = job_of(r);
    if (!j)
        return not_found(r);
    wr_status st = act(j, &r->err);
    if (st == WR_OK) {
        wr_put_job(j, false, &r->out);
        wr_buf_putc(&r->out, '\n');
    }
    wr_sjob_unref(j);
    return st ? failed(r, st) : 200;
}

static wr_status no_act(struct wr_sjob *j WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static int get_job(struct req *r) { return with_job(r, no_act); }
static int post_stop(struct req *r) { return with_job(r, wr_sjob_stop); }
static int post_resume(struct req *r) { return with_job(r, wr_sjob_resume); }
static int delete_job(struct req *r) { return with_job(r, wr_sjob_drop); }
static wr_status take_savepoint(struct wr_sjob *j, struct wr_error *err)
{
    uint64_t id;
    return wr_sjob_savepoint(j, &id, err);
}
static int post_savepoint(struct req *r) { return with_job(r, take_savepoint); }

static int get_plan(struct req *r)
{
    struct wr_sjob *j = job_of(r);
    if (!j)
        return not_found(r);
    pthread_mutex_lock(&j->lock);
    wr_put_plan_locked(j, &r->out);
    pthread_mutex_unlock(&j->lock);
    wr_buf_putc(&r->out, '\n');
    wr_sjob_unref(j);
    return 200;
}

static int get_why(struct req *r)
{
    struct wr_sjob *j = job_of(r);
    if (!j)
        return not_found(r);
    pthread_mutex_lock(&j->lock);
    wr_put_why_locked(j, true, &r->out);
    pthread_mutex_unlock(&j->lock);
    wr_buf_putc(&r->out, '\n');
    wr_sjob_unref(j);
    return 200;
}

static int put_ring(struct req *r, size_t which, bool text)
{
    struct wr_sjob *j = job_of(r);
    if (!j)
        return not_found(r);
    struct wr_ring *ring = which == 0 ? &j->logs : which == 1 ? &j->bad : &j->late;
    if (text) {
        struct wr_buf lines = WR_BUF_INIT(0);
        wr_ring_print(ring, "\n", &lines);
        wr_buf_puts(&r->out, "{\"text\":");
        wr_put_json(&r->out, wr_buf_get(&lines));
        wr_buf_puts(&r->out, "}\n");
        wr_buf_clear(&lines);
    } else {
        wr_buf_puts(&r->out, "{\"samples\":[");
        wr_ring_print(ring, ",", &r->out);
        wr_buf_puts(&r->out, "]}\n");
    }
    wr_sjob_unref(j);
    return 200;
}
static int get_logs(struct req *r) { return put_ring(r, 0, true); }
static int get_errors(struct req *r) { return put_ring(r, 1, false); }
static int get_late(struct req *r) { return put_ring(r, 2, false); }

/* ---- results ---- */

struct follow { struct wr_sjob *j; uint64_t at; bool sse; struct wr_buf text; size_t given; bool closing; };

static void put_events(struct follow *f, struct wr_str lines)
{
    while (lines.n > 0) {
        const char *nl = memchr(lines.p, '\n', lines.n);
        uint32_t n = nl ? (uint32_t)(nl - lines.p) : lines.n;
        wr_buf_puts(&f->text, "data: ");
        wr_buf_add(&f->text, lines.p, n);
        wr_buf_puts(&f->text, "\n\n");
        lines.p += nl ? n + 1 : n;
        lines.n -= nl ? n + 1 : n;
    }
}

static ssize_t follow_read(void *ctx, uint64_t pos WR_UNUSED, char *to, size_t max)
{
    struct follow *f = ctx;
    if (f->given == f->text.n) {
        struct wr_buf lines = WR_BUF_INIT(0);
        bool lost;
        f->given = f->text.n = 0;
        if (atomic_load(&f->j->jobs->closing) || f->j->dropped)
            return MHD_CONTENT_READER_END_OF_STREAM;
        bool first = f->at == 0, any = wr_result_follow(f->j->result, &f->at, 5000, &lines, &lost);
        if (lost)
            wr_buf_puts(&f->text, f->sse ? "event: lost\ndata: {}\n\n" : "{\"lost\":true}\n");
        if (f->sse)
            put_events(f, wr_buf_get(&lines));
        else
            wr_buf_str(&f->text, wr_buf_get(&lines));
        if (f->sse && (first || !any)) /* also tells us when nobody listens any more */
            wr_buf_puts(&f->text, first ? "event: now\ndata: {}\n\n" : ": still here\n\n");
        if (!f->sse && !any && !lost)
            wr_buf_putc(&f->text, '\n');
        wr_buf_clear(&lines);
    }
    size_t n = f->text.n - f->given;
    n = n < max ? n : max;
    memcpy(to, f->text.p + f->given, n);
    f->given += n;
    return (ssize_t)n;
}

static void follow_end(void *ctx)
{
    struct follow *f = ctx;
    if (f->at)
        wr_result_unfollow(f->j->result);
    wr_sjob_unref(f->j);
    wr_buf_clear(&f->text);
    free(f);
}

static int stream(struct req *r, struct wr_sjob *j, bool sse)
{
    struct follow *f = wr_calloc(1, sizeof *f);
    f->j = j;
    f->sse = sse;
    f->text.max = 1 << 30;
    struct MHD_Response *resp = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64 << 10, follow_read, f, follow_end);
    if (!resp) {
        follow_end(f);
        return 500;
    }
    return send_response(r, 200, sse ? "text/event-stream" : ndjson_mime, resp) == MHD_YES ? -1 : -2;
}

/* ---- a query's rows as they come ---- */

static ssize_t query_read(void *ctx, uint64_t pos WR_UNUSED, char *to, size_t max)
{
    size_t n = wr_query_read(ctx, to, max);
    return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void query_end(void *ctx) { wr_query_close(ctx); }

static int post_query(struct req *r)
{
    json_t *v = read_body(r, "sql");
    struct wr_query *q = NULL;
    if (!v)
        return failed(r, WR_EUSAGE);
    wr_status st = wr_query_open(r->h->jobs, text_of(json_object_get(v, "sql")), &q, &r->err);
    json_decref(v);
    if (st)
        return failed(r, st);
    struct MHD_Response *resp = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64 << 10, query_read, q, query_end);
    if (!resp) {
        wr_query_close(q);
        return 500;
    }
    return send_response(r, 200, ndjson_mime, resp) == MHD_YES ? -1 : -2;
}

struct filters { struct wr_filter f[FILTERS_MOST]; int n; };

static enum MHD_Result add_filter(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct filters *f = ctx;
    (void)kind;
    if (strcmp(key, "limit") == 0 || strcmp(key, "stream") == 0)
        return MHD_YES;
    if (f->n < FILTERS_MOST)
        f->f[f->n] = (struct wr_filter){key, value ? value : ""};
    f->n++;
    return MHD_YES;
}

static int get_result(struct req *r)
{
    struct wr_sjob *j = job_of(r);
    const char *accept = header(r, "Accept"), *limit = param(r, "limit"), *want = param(r, "stream");
    if (!j)
        return not_found(r);
    bool sse = accept && strstr(accept, "text/event-stream"), ndjson = accept && strstr(accept, ndjson_mime);
    if (sse || want)
        return stream(r, j, sse || (want && strcmp(want, "sse") == 0));
    struct filters f = {.n = 0};
    MHD_get_connection_values(r->c, MHD_GET_ARGUMENT_KIND, add_filter, &f);
    char *end = NULL;
    unsigned long long most = limit ? strtoull(limit, &end, 10) : 1000;
    wr_status st = WR_OK;
    if (limit && (*end || end == limit || *limit == '-'))
        st = wr_fail(&r->err, WR_EUSAGE, "\"limit\" is a number of rows, not \"%.40s\"", limit);
    if (st == WR_OK)
        st = wr_result_get(j->result, f.f, f.n, most, ndjson, &r->out, &r->err);
    wr_sjob_unref(j);
    return st ? failed(r, st) : 200;
}

/* ---- routes ---- */

static const struct route routes[] = {
    {"GET", "/health", get_health, json_mime},
    {"GET", "/ready", get_ready, json_mime},
    {"GET", "/metrics", get_metrics, "text/plain; version=0.0.4; charset=utf-8"},
    {"GET", "/jobs", get_jobs, json_mime},
    {"POST", "/jobs", post_jobs, json_mime},
    {"POST", "/sql", post_sql, json_mime},
    {"POST", "/query", post_query, json_mime},
    {"GET", "/jobs/*", get_job, json_mime},
    {"DELETE", "/jobs/*", delete_job, json_mime},
    {"POST", "/jobs/*/stop", post_stop, json_mime},
    {"POST", "/jobs/*/resume", post_resume, json_mime},
    {"POST", "/jobs/*/savepoint", post_savepoint, json_mime},
    {"GET", "/jobs/*/plan", get_plan, json_mime},
    {"GET", "/jobs/*/why", get_why, json_mime},
    {"GET", "/jobs/*/errors", get_errors, json_mime},
    {"GET", "/jobs/*/late", get_late, json_mime},
    {"GET", "/jobs/*/logs", get_logs, json_mime},
    {"GET", "/jobs/*/result", get_result, json_mime},
};
enum { N_ROUTE = sizeof routes / sizeof *routes };

/* Does the path match, and what stands for its "*"? */
static bool matches(const char *pattern, const char *path, char *name, size_t size)
{
    const char *star = strchr(pattern, '*');
    if (!star)
        return strcmp(pattern, path) == 0;
    size_t n = (size_t)(star - pattern);
    if (strncmp(pattern, path, n) != 0)
        return false;
    const char *from = path + n, *to = from + strcspn(from, "/");
    if (to == from || (size_t)(to - from) >= size || strcmp(star + 1, to) != 0)
        return false;
    memcpy(name, from, (size_t)(to - from));
    name[to - from] = 0;
    return true;
}

static const struct wr_page_file *page_file(const struct req *r)
{
    for (const struct wr_page_file *f = wr_page_files; f->path; f++)
        if (strcmp(r->method, "GET") == 0 && strcmp(f->path, r->url) == 0)
            return f;
    return NULL;
}

static enum MHD_Result send_page(struct req *r, const struct wr_page_file *f)
{
    union { const unsigned char *c; void *v; } data = {f->data};
    struct MHD_Response *resp = MHD_create_response_from_buffer(f->n, data.v, MHD_RESPMEM_PERSISTENT);
    return resp ? send_response(r, 200, f->type, resp) : MHD_NO;
}

static enum MHD_Result answer(struct req *r)
{
    const struct wr_page_file *f = page_file(r);
    if (f)
        return send_page(r, f);
    bool known = false;
    for (int i = 0; i < N_ROUTE; i++) {
        if (!matches(routes[i].path, r->url, r->name, sizeof r->name))
            continue;
        known = true;
        if (strcmp(routes[i].method, r->method) != 0)
            continue;
        const char *accept = header(r, "Accept");
        int status = routes[i].run(r);
        if (status < 0)
            return status == -1 ? MHD_YES : MHD_NO;
        if (r->out.overflow)
            status = refuse(r, 413, "the answer is too large; ask for less");
        bool lines = status == 200 && accept && strcmp(accept, ndjson_mime) == 0 && (routes[i].run == get_result || routes[i].run == post_sql);
        return send_buf(r, status, lines ? ndjson_mime : status >= 400 ? json_mime : routes[i].type);
    }
    int status = known ? refuse(r, 405, "this method is not for this path") : refuse(r, 404, "there is nothing at this path");
    return send_buf(r, status, json_mime);
}

/* ---- guarding ---- */

struct heads { int n, length, encoding, host; };

static enum MHD_Result count_header(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct heads *c = ctx;
    (void)kind;
    (void)value;
    c->n++;
    c->length += strcasecmp(key, "Content-Length") == 0;
    c->encoding += strcasecmp(key, "Transfer-Encoding") == 0;
    c->host += strcasecmp(key, "Host") == 0;
    return MHD_YES;
}

static bool is_open(const struct req *r)
{
    return page_file(r) || strcmp(r->url, "/health") == 0 || strcmp(r->url, "/ready") == 0;
}

static const char *token_of(const struct req *r)
{
    const char *a = header(r, "Authorization");
    return a && strncasecmp(a, "Bearer ", 7) == 0 ? a + 7 : "";
}

/* 0, or the status that refuses the request; the answer is in r->out. */
static int guard(struct req *r)
{
    struct heads c = {0};
    MHD_get_connection_values(r->c, MHD_HEADER_KIND, count_header, &c);
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (c.n > HEADERS_MOST || (size && size->header_size > HEAD_MOST))
        return refuse(r, 431, "the request's head is too large");
    if (c.length > 1 || (c.length && c.encoding) || c.encoding > 1 || c.host > 1)
        return refuse(r, 400, "Content-Length, Transfer-Encoding and Host contradict themselves");
    const char *host = header(r, "Host");
    const struct wr_server_opts *o = r->h->jobs->o;
    if (!wr_host_ok(host, r->h->addr, r->h->port, o->host, o->n_host))
        return refuse(r, 421, "the Host header names another server; --allow-host adds names");
    if (!wr_origin_ok(header(r, "Origin"), host))
        return refuse(r, 403, "requests from other origins are refused");
    if (!is_open(r) && !wr_token_equal(token_of(r), r->h->token))
        return refuse(r, 401, "a bearer token is needed: it is in the file \"token\" of the server's data directory");
    const char *length = header(r, "Content-Length");
    bool has_body = c.encoding > 0 || (length && strcmp(length, "0") != 0);
    if (has_body && !wr_json_type_ok(header(r, "Content-Type")))
        return refuse(r, 415, "a body is application/json");
    if (length && (strlen(length) > 7 || strtol(length, NULL, 10) > BODY_MOST))
        return refuse(r, 413, "a body is at most 1 MiB");
    return 0;
}

/* ---- libmicrohttpd ---- */

static void set_deadline(struct wr_http *h, struct MHD_Connection *c, int seconds)
{
    const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    struct conn *k = i ? i->socket_context : NULL;
    pthread_mutex_lock(&h->lock);
    if (k)
        k->deadline = seconds ? wr_clock_mono() + seconds * WR_US_SEC : 0;
    pthread_mutex_unlock(&h->lock);
}

static enum MHD_Result on_request(void *ctx, struct MHD_Connection *c, const char *url, const char *method, const char *version WR_UNUSED,
                                  const char *data, size_t *n, void **state)
{
    struct wr_http *h = ctx;
    struct req *r = *state;
    if (!r) {
        r = wr_calloc(1, sizeof *r);
        *r = (struct req){.h = h, .c = c, .method = method, .url = url, .body.max = BODY_MOST, .out.max = 64 << 20, .err = WR_ERROR_INIT};
        *state = r;
        r->refused = guard(r);
        if (r->refused) {
            set_deadline(h, c, HEAD_S);
            return send_buf(r, r->refused, json_mime);
        }
        set_deadline(h, c, BODY_S);
        return MHD_YES;
    }
    if (*n) {
        wr_buf_add(&r->body, data, *n);
        *n = 0;
        return MHD_YES;
    }
    set_deadline(h, c, 0);
    r->url = url;
    r->method = method;
    if (r->body.overflow)
        return send_buf(r, refuse(r, 413, "a body is at most 1 MiB"), json_mime);
    return answer(r);
}

static void on_done(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why WR_UNUSED)
{
    struct req *r = *state;
    set_deadline(ctx, c, HEAD_S); /* for the next request */
    if (!r)
        return;
    wr_buf_clear(&r->body);
    wr_buf_clear(&r->out);
    free(r);
    *state = NULL;
}

static void on_connection(void *ctx, struct MHD_Connection *c, void **socket_context, enum MHD_ConnectionNotificationCode code)
{
    struct wr_http *h = ctx;
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        const union MHD_ConnectionInfo *i = MHD_get_connection_info(c, MHD_CONNECTION_INFO_CONNECTION_FD);
        struct conn *k = wr_calloc(1, sizeof *k);
        k->fd = i ? i->connect_fd : -1;
        k->deadline = wr_clock_mono() + HEAD_S * WR_US_SEC;
        pthread_mutex_lock(&h->lock);
        k->next = h->conns;
        if (k->next)
            k->next->prev = k;
        h->conns = k;
        pthread_mutex_unlock(&h->lock);
        *socket_context = k;
        return;
    }
    struct conn *k = *socket_context;
    pthread_mutex_lock(&h->lock);
    if (k->prev)
        k->prev->next = k->next;
    else
        h->conns = k->next;
    if (k->next)
        k->next->prev = k->prev;
    pthread_mutex_unlock(&h->lock);
    free(k);
    *socket_context = NULL;
}

void wr_http_second(struct wr_http *h)
{
    int64_t now = wr_clock_mono();
    pthread_mutex_lock(&h->lock);
    for (struct conn *k = h->conns; k; k = k->next)
        if (k->deadline && now > k->deadline && k->fd >= 0) {
            (void)shutdown(k->fd, SHUT_RDWR); /* its thread sees the end and cleans up */
            k->deadline = 0;
        }
    pthread_mutex_unlock(&h->lock);
}

/* ---- opening ---- */

static int listening_socket(struct wr_http *h, struct wr_error *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV}, *list = NULL;
    char port[16];
    (void)snprintf(port, sizeof port, "%d", h->port);
    int fd = -1, yes = 1;
    if (getaddrinfo(h->addr, port, &hints, &list) != 0 || !list) {
        wr_fail(err, WR_EUSAGE, "cannot listen on \"%s\": no such address", h->addr);
        return -1;
    }
    fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_storage got;
    socklen_t n = sizeof got;
    union { struct sockaddr_storage *st; struct sockaddr *sa; struct sockaddr_in *in; struct sockaddr_in6 *in6; } at = {&got};
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) || bind(fd, list->ai_addr, list->ai_addrlen) || listen(fd, 64) ||
        getsockname(fd, at.sa, &n)) {
        wr_fail(err, WR_EIO, "cannot listen on %s:%d: %s", h->addr, h->port, strerror(errno));
        wr_hint(err, "is another server running? --listen ADDRESS:PORT takes another port");
        if (fd >= 0)
            close(fd);
        fd = -1;
    } else {
        h->port = ntohs(got.ss_family == AF_INET6 ? at.in6->sin6_port : at.in->sin_port);
    }
    freeaddrinfo(list);
    return fd;
}

wr_status wr_http_open(struct wr_jobs *jobs, const char *token, struct wr_http **out, struct wr_error *err)
{
    struct wr_http *h = wr_calloc(1, sizeof *h);
    const struct wr_server_opts *o = jobs->o;
    const char *where = o->listen ? o->listen : WR_SERVER_LISTEN;
    h->jobs = jobs;
    pthread_mutex_init(&h->lock, NULL);
    (void)snprintf(h->token, sizeof h->token, "%s", token);
    wr_status st = WR_OK;
    int fd = -1;
    if (!wr_listen_parse(where, h->addr, sizeof h->addr, &h->port))
        st = wr_fail(err, WR_EUSAGE, "\"%s\" is no address to listen on; write ADDRESS:PORT", where);
    else if (!wr_addr_is_loopback(h->addr) && !o->behind_tls) {
        st = wr_fail(err, WR_EUSAGE, "\"%s\" can be reached from other machines, and the token would go over the network unencrypted", where);
        wr_hint(err, "put a proxy that speaks TLS in front and say --behind-tls");
    } else {
        fd = listening_socket(h, err);
        st = fd < 0 ? err->code : WR_OK;
    }
    if (st == WR_OK) {
        h->daemon = MHD_start_daemon(MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL | MHD_USE_ITC, 0, NULL, NULL, on_request, h,
                                     MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MOST, MHD_OPTION_CONNECTION_TIMEOUT,
                                     (unsigned)BODY_S, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)(48 << 10), MHD_OPTION_NOTIFY_COMPLETED, on_done, h,
                                     MHD_OPTION_NOTIFY_CONNECTION, on_connection, h, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_THREAD_STACK_SIZE,
                                     (size_t)(1 << 20), MHD_OPTION_END);
        if (!h->daemon) {
            close(fd);
            st = wr_fail(err, WR_EIO, "the HTTP server does not start");
        }
    }
    if (st) {
        wr_http_close(h);
        return st;
    }
    *out = h;
    return WR_OK;
}

int wr_http_port(const struct wr_http *h) { return h->port; }

void wr_http_close(struct wr_http *h)
{
    if (!h)
        return;
    if (h->daemon)
        MHD_stop_daemon(h->daemon);
    pthread_mutex_destroy(&h->lock);
    explicit_bzero(h->token, sizeof h->token);
    free(h);
}

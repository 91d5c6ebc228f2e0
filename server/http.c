/* http.c: the HTTP server (libmicrohttpd): guards every request, finds its handler, and cuts connections that are too slow.
 *
 * Rules (reliability.md §5 of the design): loopback by default; a bearer token for every request but the page's own files, /health and /ready, which hold no
 *         data; Host and Origin must be ours; no CORS; bodies are application/json of at most 1 MiB; head at most 16 KiB and 100 headers, within 10 s; body
 *         within 30 s; at most 64 connections; Content-Length twice, or with Transfer-Encoding, is refused. Files come from a compiled-in table.
 * Memory: one struct a request, freed when it is done; connections are in a list guarded by lock. */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/log.h"
#include "core/time.h"
#include "server/http.h"

enum { HEAD_MOST = 16 << 10, HEADERS_MOST = 100, BODY_MOST = 1 << 20, CONNECTIONS_MOST = 64, HEAD_S = 10, BODY_S = 30 };

struct route {
    const char *method, *path; /* a star stands for the job's name */
    int (*run)(struct wr_http_req *r); /* gives the status; < 0: has answered by itself */
    const char *type;
};

const char *wr_http_header(const struct wr_http_req *r, const char *name) { return MHD_lookup_connection_value(r->c, MHD_HEADER_KIND, name); }
const char *wr_http_param(const struct wr_http_req *r, const char *name) { return MHD_lookup_connection_value(r->c, MHD_GET_ARGUMENT_KIND, name); }

/* ---- answering ---- */

enum MHD_Result wr_http_send_response(struct wr_http_req *r, int status, const char *type, struct MHD_Response *resp)
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

static enum MHD_Result send_buf(struct wr_http_req *r, int status, const char *type)
{
    struct MHD_Response *resp = MHD_create_response_from_buffer(r->out.n, r->out.n ? r->out.p : NULL, MHD_RESPMEM_MUST_COPY);
    return resp ? wr_http_send_response(r, status, type, resp) : MHD_NO;
}

/* Appends {"error":{...}}; sql: where places count from. */
void wr_http_put_error(struct wr_http_req *r, const char *text)
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

int wr_http_status(wr_status st)
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

int wr_http_failed(struct wr_http_req *r, wr_status st)
{
    wr_http_put_error(r, NULL);
    return wr_http_status(st);
}

int wr_http_refuse(struct wr_http_req *r, int status, const char *msg)
{
    wr_error_clear(&r->err);
    wr_fail(&r->err, WR_EUSAGE, "%s", msg);
    wr_http_put_error(r, NULL);
    return status;
}

int wr_http_not_found(struct wr_http_req *r)
{
    wr_http_put_error(r, NULL);
    return 404;
}

/* ---- routes ---- */

static const struct route routes[] = {
    {"GET", "/health", wr_http_get_health, WR_HTTP_JSON},
    {"GET", "/ready", wr_http_get_ready, WR_HTTP_JSON},
    {"GET", "/metrics", wr_http_get_metrics, "text/plain; version=0.0.4; charset=utf-8"},
    {"GET", "/jobs", wr_http_get_jobs, WR_HTTP_JSON},
    {"POST", "/jobs", wr_http_post_jobs, WR_HTTP_JSON},
    {"POST", "/sql", wr_http_post_sql, WR_HTTP_JSON},
    {"POST", "/query", wr_http_post_query, WR_HTTP_JSON},
    {"GET", "/jobs/*", wr_http_get_job, WR_HTTP_JSON},
    {"DELETE", "/jobs/*", wr_http_delete_job, WR_HTTP_JSON},
    {"POST", "/jobs/*/stop", wr_http_post_stop, WR_HTTP_JSON},
    {"POST", "/jobs/*/resume", wr_http_post_resume, WR_HTTP_JSON},
    {"POST", "/jobs/*/savepoint", wr_http_post_savepoint, WR_HTTP_JSON},
    {"GET", "/jobs/*/plan", wr_http_get_plan, WR_HTTP_JSON},
    {"GET", "/jobs/*/why", wr_http_get_why, WR_HTTP_JSON},
    {"GET", "/jobs/*/errors", wr_http_get_errors, WR_HTTP_JSON},
    {"GET", "/jobs/*/late", wr_http_get_late, WR_HTTP_JSON},
    {"GET", "/jobs/*/logs", wr_http_get_logs, WR_HTTP_JSON},
    {"GET", "/jobs/*/result", wr_http_get_result, WR_HTTP_JSON},
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

static const struct wr_page_file *page_file(const struct wr_http_req *r)
{
    for (const struct wr_page_file *f = wr_page_files; f->path; f++)
        if (strcmp(r->method, "GET") == 0 && strcmp(f->path, r->url) == 0)
            return f;
    return NULL;
}

static enum MHD_Result send_page(struct wr_http_req *r, const struct wr_page_file *f)
{
    union { const unsigned char *c; void *v; } data = {f->data};
    struct MHD_Response *resp = MHD_create_response_from_buffer(f->n, data.v, MHD_RESPMEM_PERSISTENT);
    return resp ? wr_http_send_response(r, 200, f->type, resp) : MHD_NO;
}

static enum MHD_Result answer(struct wr_http_req *r)
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
        const char *accept = wr_http_header(r, "Accept");
        int status = routes[i].run(r);
        if (status < 0)
            return status == -1 ? MHD_YES : MHD_NO;
        if (r->out.overflow)
            status = wr_http_refuse(r, 413, "the answer is too large; ask for less");
        bool lines = status == 200 && accept && strcmp(accept, WR_HTTP_NDJSON) == 0 && (routes[i].run == wr_http_get_result || routes[i].run == wr_http_post_sql);
        return send_buf(r, status, lines ? WR_HTTP_NDJSON : status >= 400 ? WR_HTTP_JSON : routes[i].type);
    }
    int status = known ? wr_http_refuse(r, 405, "this method is not for this path") : wr_http_refuse(r, 404, "there is nothing at this path");
    return send_buf(r, status, WR_HTTP_JSON);
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

static bool is_open(const struct wr_http_req *r)
{
    return page_file(r) || strcmp(r->url, "/health") == 0 || strcmp(r->url, "/ready") == 0;
}

static const char *token_of(const struct wr_http_req *r)
{
    const char *a = wr_http_header(r, "Authorization");
    return a && strncasecmp(a, "Bearer ", 7) == 0 ? a + 7 : "";
}

/* 0, or the status that refuses the request; the answer is in r->out. */
static int guard(struct wr_http_req *r)
{
    struct heads c = {0};
    MHD_get_connection_values(r->c, MHD_HEADER_KIND, count_header, &c);
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(r->c, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (c.n > HEADERS_MOST || (size && size->header_size > HEAD_MOST))
        return wr_http_refuse(r, 431, "the request's head is too large");
    if (c.length > 1 || (c.length && c.encoding) || c.encoding > 1 || c.host > 1)
        return wr_http_refuse(r, 400, "Content-Length, Transfer-Encoding and Host contradict themselves");
    const char *host = wr_http_header(r, "Host");
    const struct wr_server_opts *o = r->h->jobs->o;
    if (!wr_host_ok(host, r->h->addr, r->h->port, o->host, o->n_host))
        return wr_http_refuse(r, 421, "the Host header names another server; --allow-host adds names");
    if (!wr_origin_ok(wr_http_header(r, "Origin"), host))
        return wr_http_refuse(r, 403, "requests from other origins are refused");
    if (!is_open(r) && !wr_token_equal(token_of(r), r->h->token))
        return wr_http_refuse(r, 401, "a bearer token is needed: it is in the file \"token\" of the server's data directory");
    const char *length = wr_http_header(r, "Content-Length");
    bool has_body = c.encoding > 0 || (length && strcmp(length, "0") != 0);
    if (has_body && !wr_json_type_ok(wr_http_header(r, "Content-Type")))
        return wr_http_refuse(r, 415, "a body is application/json");
    if (length && (strlen(length) > 7 || strtol(length, NULL, 10) > BODY_MOST))
        return wr_http_refuse(r, 413, "a body is at most 1 MiB");
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
    struct wr_http_req *r = *state;
    if (!r) {
        r = wr_calloc(1, sizeof *r);
        *r = (struct wr_http_req){.h = h, .c = c, .method = method, .url = url, .body.max = BODY_MOST, .out.max = 64 << 20, .err = WR_ERROR_INIT};
        *state = r;
        r->refused = guard(r);
        if (r->refused) {
            set_deadline(h, c, HEAD_S);
            return send_buf(r, r->refused, WR_HTTP_JSON);
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
        return send_buf(r, wr_http_refuse(r, 413, "a body is at most 1 MiB"), WR_HTTP_JSON);
    return answer(r);
}

static void on_done(void *ctx, struct MHD_Connection *c, void **state, enum MHD_RequestTerminationCode why WR_UNUSED)
{
    struct wr_http_req *r = *state;
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

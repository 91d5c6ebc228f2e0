/* http_post.c: one HTTP request after the other, each repeated until it is answered (libcurl).
 *
 * Rules:  answers 408, 425, 429, 5xx, and none at all, are repeated: after 0.1 s, doubling to 30 s, or after what Retry-After says (at most a minute),
 *         for retry_timeout in all; then the sink fails, and with it the job. 401 and 407 fail it at once: rows are not thrown away for a token that has
 *         expired. So do redirects, which are not followed. Other answers of 4xx are about the rows. Each request has one Idempotency-Key over all its
 *         repetitions, so that a receiver can tell a repetition from a second event.
 *         Of the url only scheme, host and port are ever shown: paths of webhooks are secrets.
 * Memory: one curl handle, which keeps its connection; the request's body is borrowed. */
#include "connectors/http_sink.h"
#include "core/log.h"
#include "core/time.h"

#include <curl/curl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

enum { SAID_MOST = 160, STOP_S = 10 };
static const int64_t FIRST_US = 100 * 1000, LONGEST_US = 30 * WR_US_SEC, ASKED_MOST_US = 60 * WR_US_SEC;

struct wr_http_post {
    struct wr_str sink;           /* its name, for messages */
    const atomic_bool *stop;
    CURL *curl;
    struct curl_slist *head;      /* what every request carries */
    char *url, *where;            /* where: "https://host:port" */
    char method[8];
    int64_t timeout, retry_timeout;
    uint64_t id, n;               /* Idempotency-Key */
    struct wr_buf answer;         /* the first bytes of what was answered */
    long status;                  /* 0: no answer */
    char why[CURL_ERROR_SIZE], said[400];
};

static pthread_once_t curl_once = PTHREAD_ONCE_INIT;
static void curl_begin(void) { (void)curl_global_init(CURL_GLOBAL_DEFAULT); }

/* ---- options ---- */

static wr_status url_part(CURLU *u, CURLUPart what, char **out)
{
    *out = NULL;
    return curl_url_get(u, what, out, 0) == CURLUE_OK && *out && **out ? WR_OK : WR_ESQL;
}

static wr_status read_url(struct wr_http_post *p, CURLU *u, int32_t off, struct wr_error *err)
{
    char *scheme = NULL, *host = NULL, *port = NULL, *user = NULL, *password = NULL;
    wr_status st = WR_OK;
    if (curl_url_set(u, CURLUPART_URL, p->url, 0) != CURLUE_OK || url_part(u, CURLUPART_SCHEME, &scheme) || url_part(u, CURLUPART_HOST, &host) ||
        (strcmp(scheme, "http") != 0 && strcmp(scheme, "https") != 0)) {
        st = wr_fail_at(err, WR_ESQL, off, "the url of sink \"%.*s\" is none that rows can be posted to", WR_FMT(p->sink));
        wr_hint(err, "write http://host:port/path or https://...");
    } else if (url_part(u, CURLUPART_USER, &user) == WR_OK || url_part(u, CURLUPART_PASSWORD, &password) == WR_OK) {
        st = wr_fail_at(err, WR_ESQL, off, "the url of sink \"%.*s\" holds a user or a password, and urls are shown", WR_FMT(p->sink));
        wr_hint(err, "use the options username and password, or bearer_token");
    } else {
        bool has_port = url_part(u, CURLUPART_PORT, &port) == WR_OK;
        size_t n = strlen(scheme) + strlen(host) + (has_port ? strlen(port) : 0) + 8;
        p->where = wr_malloc(n);
        (void)snprintf(p->where, n, "%s://%s%s%s", scheme, host, has_port ? ":" : "", has_port ? port : "");
    }
    curl_free(scheme);
    curl_free(host);
    curl_free(port);
    curl_free(user);
    curl_free(password);
    return st;
}

static char *copy(struct wr_str s)
{
    char *c = wr_malloc((size_t)s.n + 1);
    memcpy(c, s.p ? s.p : "", s.n);
    c[s.n] = 0;
    return c;
}

static bool is_token(struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (s.p[i] <= ' ' || s.p[i] >= 127 || strchr("()<>@,;:\\\"/[]?={}", s.p[i]))
            return false;
    return s.n > 0;
}

static bool is_plain(struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if ((unsigned char)s.p[i] < ' ' || s.p[i] == 127)
            return false;
    return true;
}

static wr_status add_header(struct wr_http_post *p, const struct wr_opt *o, struct wr_error *err)
{
    static const char *const ours[] = {"Host", "Content-Length", "Transfer-Encoding", "Connection", "Idempotency-Key"};
    struct wr_str name = {o->key.p + 7, o->key.n - 7};
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++)
        if (wr_str_ieq_c(name, ours[i]))
            return wr_fail_at(err, WR_ESQL, o->off, "header \"%.*s\" is set by the connection itself", WR_FMT(name));
    if (!is_token(name))
        return wr_fail_at(err, WR_ESQL, o->off, "\"%.*s\" cannot be the name of a header", WR_FMT(name));
    if (!is_plain(o->value))
        return wr_fail_at(err, WR_ESQL, o->off, "the value of header \"%.*s\" holds control characters", WR_FMT(name));
    struct wr_buf line = WR_BUF_INIT(1 << 20);
    wr_buf_printf(&line, o->value.n ? "%.*s: %.*s" : "%.*s;", WR_FMT(name), WR_FMT(o->value));
    wr_buf_putc(&line, 0);
    p->head = curl_slist_append(p->head, line.p);
    wr_buf_clear(&line);
    return WR_OK;
}

static bool has_header(const struct wr_opts *o, const char *name)
{
    for (int i = 0; i < o->n; i++)
        if (o->opt[i].key.n > 7 && memcmp(o->opt[i].key.p, "header.", 7) == 0 && wr_str_ieq_c((struct wr_str){o->opt[i].key.p + 7, o->opt[i].key.n - 7}, name))
            return true;
    return false;
}

static wr_status read_auth(struct wr_http_post *p, const struct wr_opts *o, struct wr_error *err)
{
    struct wr_str bearer, user, password = {NULL, 0};
    bool b = wr_opt_text(o, "bearer_token", &bearer), u = wr_opt_text(o, "username", &user), w = wr_opt_text(o, "password", &password);
    if (b + (u || w) + has_header(o, "Authorization") > 1)
        return wr_fail(err, WR_ESQL, "sink \"%.*s\" is told twice how to authenticate: bearer_token, username and password, and header.Authorization are alternatives",
                       WR_FMT(p->sink));
    if (w && !u)
        return wr_fail(err, WR_ESQL, "sink \"%.*s\" has a password without a username", WR_FMT(p->sink));
    if (b && !is_plain(bearer))
        return wr_fail(err, WR_ESQL, "the bearer_token of sink \"%.*s\" holds control characters", WR_FMT(p->sink));
    if (b) {
        struct wr_buf line = WR_BUF_INIT(1 << 16);
        wr_buf_printf(&line, "Authorization: Bearer %.*s", WR_FMT(bearer));
        wr_buf_putc(&line, 0);
        p->head = curl_slist_append(p->head, line.p);
        explicit_bzero(line.p, line.n);
        wr_buf_clear(&line);
    }
    if (u) {
        char *name = copy(user), *secret = copy(password);
        curl_easy_setopt(p->curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
        curl_easy_setopt(p->curl, CURLOPT_USERNAME, name);
        curl_easy_setopt(p->curl, CURLOPT_PASSWORD, secret);
        explicit_bzero(secret, password.n);
        free(secret);
        free(name);
    }
    return WR_OK;
}

static wr_status read_headers(struct wr_http_post *p, const struct wr_opts *o, const char *type, struct wr_error *err)
{
    char line[80];
    p->head = curl_slist_append(p->head, "Expect:"); /* no waiting for "100 Continue" */
    if (!has_header(o, "User-Agent"))
        p->head = curl_slist_append(p->head, "User-Agent: weir/" WEIR_VERSION);
    if (!has_header(o, "Content-Type")) {
        (void)snprintf(line, sizeof line, "Content-Type: %s", type);
        p->head = curl_slist_append(p->head, line);
    }
    for (int i = 0; i < o->n; i++)
        if (o->opt[i].key.n > 7 && memcmp(o->opt[i].key.p, "header.", 7) == 0)
            WR_TRY(add_header(p, &o->opt[i], err));
    return read_auth(p, o, err);
}

static size_t take(char *from, size_t size, size_t n, void *ctx)
{
    struct wr_http_post *p = ctx;
    size_t room = SAID_MOST - p->answer.n;
    wr_buf_add(&p->answer, from, size * n < room ? size * n : room);
    return size * n;
}

static void set_up(struct wr_http_post *p, const struct wr_opts *o)
{
    struct wr_str ca;
    curl_easy_setopt(p->curl, CURLOPT_URL, p->url);
    curl_easy_setopt(p->curl, CURLOPT_CUSTOMREQUEST, p->method);
    curl_easy_setopt(p->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(p->curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(p->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(p->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(p->curl, CURLOPT_WRITEDATA, p);
    curl_easy_setopt(p->curl, CURLOPT_ERRORBUFFER, p->why);
    curl_easy_setopt(p->curl, CURLOPT_TIMEOUT_MS, (long)(p->timeout / 1000));
    curl_easy_setopt(p->curl, CURLOPT_CONNECTTIMEOUT_MS, (long)(p->timeout / 1000));
    curl_easy_setopt(p->curl, CURLOPT_TCP_KEEPALIVE, 1L);
    if (wr_opt_text(o, "ssl_ca", &ca)) {
        char *path = copy(ca);
        curl_easy_setopt(p->curl, CURLOPT_CAINFO, path);
        free(path);
    }
}

wr_status wr_http_post_open(const struct wr_sink_spec *spec, const char *type, struct wr_http_post **out, struct wr_error *err)
{
    struct wr_str url = {NULL, 0};
    struct wr_http_post *p = wr_calloc(1, sizeof *p);
    pthread_once(&curl_once, curl_begin);
    (void)wr_opt_text(spec->opts, "url", &url);
    int32_t off = -1;
    for (int i = 0; i < spec->opts->n; i++)
        off = wr_str_eq_c(spec->opts->opt[i].key, "url") ? spec->opts->opt[i].off : off;
    p->sink = spec->name;
    p->stop = spec->stop;
    p->url = copy(url);
    p->timeout = wr_opt_duration(spec->opts, "timeout", 10 * WR_US_SEC);
    p->retry_timeout = wr_opt_duration(spec->opts, "retry_timeout", 5 * WR_US_MIN);
    struct wr_str method = wr_opt_text_or(spec->opts, "method", "post");
    for (uint32_t i = 0; i < method.n && i < sizeof p->method - 1; i++)
        p->method[i] = (char)(method.p[i] & ~32);
    if (getrandom(&p->id, sizeof p->id, 0) != sizeof p->id)
        p->id = (uint64_t)wr_clock_wall();
    p->curl = curl_easy_init();
    CURLU *u = curl_url();
    wr_status st = p->curl && u ? WR_OK : wr_fail(err, WR_EIO, "libcurl does not start");
    if (!st && (p->timeout < 1000 || p->timeout > WR_US_HOUR))
        st = wr_fail(err, WR_ESQL, "the timeout of sink \"%.*s\" is from 1 ms to 1 hour", WR_FMT(p->sink));
    if (!st) st = memchr(url.p, 0, url.n) ? wr_fail_at(err, WR_ESQL, off, "the url of sink \"%.*s\" holds a NUL byte", WR_FMT(p->sink)) : WR_OK;
    if (!st) st = read_url(p, u, off, err);
    if (!st) st = read_headers(p, spec->opts, type, err);
    if (!st) set_up(p, spec->opts);
    curl_url_cleanup(u);
    if (st) {
        wr_http_post_close(p);
        return st;
    }
    *out = p;
    return WR_OK;
}

void wr_http_post_close(struct wr_http_post *p)
{
    if (!p)
        return;
    if (p->curl)
        curl_easy_cleanup(p->curl);
    for (struct curl_slist *h = p->head; h; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(p->head);
    wr_buf_clear(&p->answer);
    free(p->url);
    free(p->where);
    free(p);
}

const char *wr_http_said(const struct wr_http_post *p) { return p->said; }
const char *wr_http_where(const struct wr_http_post *p) { return p->where; }

/* ---- asking ---- */

static void ask_once(struct wr_http_post *p, struct wr_str body)
{
    char key[64];
    struct curl_slist *last = p->head;
    (void)snprintf(key, sizeof key, "Idempotency-Key: weir-%016llx-%llu", (unsigned long long)p->id, (unsigned long long)p->n);
    while (last->next)
        last = last->next;
    struct curl_slist one = {.data = key};
    last->next = &one; /* for this request */
    wr_buf_reset(&p->answer);
    p->why[0] = 0;
    curl_easy_setopt(p->curl, CURLOPT_HTTPHEADER, p->head);
    curl_easy_setopt(p->curl, CURLOPT_POSTFIELDS, body.n ? body.p : "");
    curl_easy_setopt(p->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.n);
    CURLcode rc = curl_easy_perform(p->curl);
    last->next = NULL;
    p->status = 0;
    if (rc == CURLE_OK) {
        curl_easy_getinfo(p->curl, CURLINFO_RESPONSE_CODE, &p->status);
        struct wr_buf text = WR_BUF_INIT(2000);
        wr_buf_escape(&text, wr_str_trim(wr_buf_get(&p->answer)), 120);
        (void)snprintf(p->said, sizeof p->said, "status %ld%s%.*s", p->status, text.n ? ": " : "", (int)text.n, text.n ? text.p : "");
        wr_buf_clear(&text);
    } else {
        (void)snprintf(p->said, sizeof p->said, "%s", p->why[0] ? p->why : curl_easy_strerror(rc));
    }
}

static bool worth_repeating(long status)
{
    return status == 0 || status == 408 || status == 425 || status == 429 || status >= 500;
}

static int64_t pause_of(struct wr_http_post *p, int tries)
{
    curl_off_t asked = 0;
    int64_t us = FIRST_US << (tries < 9 ? tries : 9);
    us = us < LONGEST_US ? us : LONGEST_US;
    if (p->status)
        curl_easy_getinfo(p->curl, CURLINFO_RETRY_AFTER, &asked);
    if (asked > 0)
        us = asked < ASKED_MOST_US / WR_US_SEC ? asked * WR_US_SEC : ASKED_MOST_US;
    return us;
}

static bool stopping(const struct wr_http_post *p) { return p->stop && atomic_load(p->stop); }

/* False: that was the last try. Somebody who waits for the job to stop waits STOP_S at most. */
static bool wait_again(struct wr_http_post *p, int64_t began, int tries)
{
    int64_t now = wr_clock_mono(), until = now + pause_of(p, tries), limit = p->retry_timeout;
    bool was = stopping(p);
    if (was && limit > STOP_S * WR_US_SEC)
        limit = STOP_S * WR_US_SEC;
    if (now - began > limit)
        return false;
    wr_log(tries ? WR_LOG_DEBUG : WR_LOG_WARN, "http", "sink \"%.*s\": %s: %s; trying again", WR_FMT(p->sink), p->where, p->said);
    while (wr_clock_mono() < until && stopping(p) == was) {
        struct timespec t = {0, 10000000};
        (void)nanosleep(&t, NULL);
    }
    return true;
}

enum wr_http_outcome wr_http_post(struct wr_http_post *p, struct wr_str body, uint64_t *retries, struct wr_error *err)
{
    int64_t began = wr_clock_mono();
    p->n++;
    for (int tries = 0;; tries++) {
        ask_once(p, body);
        if (p->status >= 200 && p->status < 300)
            return WR_HTTP_TAKEN;
        if (!worth_repeating(p->status))
            break;
        if (!wait_again(p, began, tries)) {
            wr_fail(err, WR_EIO, "sink \"%.*s\": %s does not take rows: %s", WR_FMT(p->sink), p->where, p->said);
            err->retriable = true;
            return WR_HTTP_FAILED;
        }
        ++*retries;
    }
    if (p->status < 400 || p->status == 401 || p->status == 407) {
        wr_fail(err, WR_EIO, "sink \"%.*s\": %s answers with %s", WR_FMT(p->sink), p->where, p->said);
        if (p->status >= 300 && p->status < 400)
            wr_hint(err, "redirects are not followed: give the url that it leads to");
        return WR_HTTP_FAILED;
    }
    return WR_HTTP_REFUSED;
}

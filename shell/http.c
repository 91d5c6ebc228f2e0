/* http.c: see http.h. */
#include "shell/http.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/str.h"
#include "server/server.h"

enum { ANSWER_MOST = 64 << 20, TICK_MS = 100 };

struct transfer {
    CURL *curl;
    struct wr_ask *c;
    const struct wr_listener *l;  /* NULL: the answer is taken as a whole */
    struct wr_buf rest;           /* of a line that is not whole yet */
    bool enough;                  /* the listener has had enough */
};

wr_status wr_peer_init(struct wr_peer *p, const char *url, const char *data, struct wr_error *err)
{
    *p = (struct wr_peer){0};
    url = url ? url : WR_SERVER_URL;
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    bool scheme = memmem(url, n, "://", 3) != NULL;
    if (n == 0 || n + 7 >= sizeof p->base || (scheme && strncmp(url, "http://", 7) != 0 && strncmp(url, "https://", 8) != 0)) {
        wr_fail(err, WR_EUSAGE, "\"%.100s\" is no address of a server", url);
        wr_hint(err, "it is written http://host:port");
        return WR_EUSAGE;
    }
    (void)snprintf(p->base, sizeof p->base, "%s%.*s", scheme ? "" : "http://", (int)n, url);
    const char *env = getenv("WEIR_TOKEN");
    if (env && *env) {
        (void)snprintf(p->token, sizeof p->token, "%s", env);
        return WR_OK;
    }
    wr_status st = wr_server_token(data, p->token, sizeof p->token, err);
    if (st)
        wr_hint(err, "set WEIR_TOKEN, or say --data DIR of a server on this machine");
    return st;
}

void wr_peer_clear(struct wr_peer *p) { explicit_bzero(p->token, sizeof p->token); }

void wr_ask_clear(struct wr_ask *c)
{
    wr_buf_clear(&c->answer);
    free(c->body);
    c->body = NULL;
}

/* ---- what comes back ---- */

static void take_lines(struct transfer *t)
{
    struct wr_str text = wr_buf_get(&t->rest);
    for (const char *nl; text.n && !t->enough && (nl = memchr(text.p, '\n', text.n)) != NULL;) {
        struct wr_str line = {text.p, (uint32_t)(nl - text.p)};
        if (line.n)
            t->enough = !t->l->line(t->l->ctx, line);
        text.p += line.n + 1;
        text.n -= line.n + 1;
    }
    if (text.n)
        memmove(t->rest.p, text.p, text.n);
    t->rest.n = text.n;
}

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
    struct transfer *t = ctx;
    long status = 0;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &status);
    if (!t->l || status >= 300) {
        wr_buf_add(&t->c->answer, p, size * n);
        return t->c->answer.overflow ? 0 : size * n;
    }
    wr_buf_add(&t->rest, p, size * n);
    if (t->rest.overflow)
        return 0;
    take_lines(t);
    return t->enough ? 0 : size * n;
}

/* The server's own words about what is wrong. */
static wr_status take_error(struct wr_ask *c, struct wr_error *err)
{
    json_t *v = json_loadb(c->answer.p ? c->answer.p : "", c->answer.n, 0, NULL), *e = json_object_get(v, "error"), *off = json_object_get(e, "offset");
    const char *msg = json_string_value(json_object_get(e, "message")), *hint = json_string_value(json_object_get(e, "hint"));
    const char *text = json_string_value(json_object_get(e, "text"));
    wr_status code = c->status == 400 || c->status == 401 || c->status == 404 || c->status == 409 || c->status == 413 ? WR_EUSAGE : WR_EIO;
    if (text && *text) {
        fputs(text, stderr);
        wr_fail(err, code, "the server refused the job");
    } else {
        wr_fail(err, code, "%s", msg ? msg : "the server's answer is no answer of weir");
        if (hint)
            wr_hint(err, "%s", hint);
    }
    if (c->sql.p && json_is_integer(off)) {
        err->sql_off = (int32_t)json_integer_value(off);
        err->code = code = WR_ESQL;
    }
    json_decref(v);
    return code;
}

/* ---- requests ---- */

static struct curl_slist *prepare(struct transfer *t, const struct wr_peer *p)
{
    char url[1300], auth[300];
    (void)snprintf(url, sizeof url, "%s%s", p->base, t->c->path);
    (void)snprintf(auth, sizeof auth, "Authorization: Bearer %s", p->token);
    struct curl_slist *heads = curl_slist_append(NULL, auth);
    explicit_bzero(auth, sizeof auth);
    heads = curl_slist_append(heads, "Content-Type: application/json");
    heads = curl_slist_append(heads, "Expect:");
    curl_easy_setopt(t->curl, CURLOPT_URL, url);
    curl_easy_setopt(t->curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(t->curl, CURLOPT_CUSTOMREQUEST, t->c->method);
    curl_easy_setopt(t->curl, CURLOPT_HTTPHEADER, heads);
    curl_easy_setopt(t->curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(t->curl, CURLOPT_WRITEDATA, t);
    curl_easy_setopt(t->curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(t->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(t->curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1"); /* the token goes to the server, not to a proxy */
    if (t->c->seconds)
        curl_easy_setopt(t->curl, CURLOPT_TIMEOUT, (long)t->c->seconds);
    if (t->c->body) {
        curl_easy_setopt(t->curl, CURLOPT_POSTFIELDS, t->c->body);
        curl_easy_setopt(t->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(t->c->body));
    }
    return heads;
}

static CURLcode pump(struct transfer *t)
{
    CURLM *multi = curl_multi_init();
    CURLcode rc = CURLE_OK;
    int running = 1, left;
    curl_multi_add_handle(multi, t->curl);
    while (running) {
        curl_multi_perform(multi, &running);
        if (t->l->tick)
            t->l->tick(t->l->ctx);
        if (t->enough || (t->l->stop && atomic_load(t->l->stop)))
            break;
        if (running)
            curl_multi_poll(multi, NULL, 0, TICK_MS, NULL);
    }
    for (CURLMsg *m; !t->enough && (m = curl_multi_info_read(multi, &left)) != NULL;)
        rc = m->msg == CURLMSG_DONE ? m->data.result : rc;
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->c->status);
    curl_multi_remove_handle(multi, t->curl);
    curl_multi_cleanup(multi);
    return rc;
}

static wr_status run(const struct wr_peer *p, struct transfer *t, struct wr_error *err)
{
    t->c->answer.max = t->rest.max = ANSWER_MOST;
    t->curl = curl_easy_init();
    if (!t->curl)
        return wr_fail(err, WR_EIO, "libcurl does not start");
    struct curl_slist *heads = prepare(t, p);
    CURLcode rc = t->l ? pump(t) : curl_easy_perform(t->curl);
    curl_easy_getinfo(t->curl, CURLINFO_RESPONSE_CODE, &t->c->status);
    curl_slist_free_all(heads);
    curl_easy_cleanup(t->curl);
    wr_buf_clear(&t->rest);
    if (rc != CURLE_OK && !t->enough) {
        wr_fail(err, WR_EIO, t->c->status ? "the connection to %s broke off: %s" : "no answer from %s: %s", p->base, curl_easy_strerror(rc));
        wr_hint(err, "is the server running (weir serve)? --server URL names another one");
        return WR_EIO;
    }
    return t->c->status >= 300 ? take_error(t->c, err) : WR_OK;
}

wr_status wr_peer_ask(const struct wr_peer *p, struct wr_ask *c, struct wr_error *err)
{
    struct transfer t = {.c = c};
    return run(p, &t, err);
}

wr_status wr_peer_listen(const struct wr_peer *p, struct wr_ask *c, const struct wr_listener *l, struct wr_error *err)
{
    struct transfer t = {.c = c, .l = l};
    return run(p, &t, err);
}

/* http_result.c: answers with rows: a job's result, all of it, by key, or as it changes; a query's rows as they come.
 * Rules:  what is followed is sent as it comes: lines of JSON, or server-sent events; a blank line or a comment every 5 s finds out who has gone away.
 * Memory: a follower holds a reference to its job until its connection ends. */
#include <stdio.h>
#include <stdlib.h>

#include "core/time.h"
#include "server/http.h"

/* ---- results ---- */

struct follow { struct wr_sjob *j; struct wr_result *result; struct wr_sieve *sieve; uint64_t at; bool sse; struct wr_buf text; size_t given; bool closing; };

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
        struct wr_buf lines = WR_BUF_INIT(0), kept = WR_BUF_INIT(0);
        bool lost;
        f->given = f->text.n = 0;
        if (atomic_load(&f->j->jobs->closing) || f->j->dropped)
            return MHD_CONTENT_READER_END_OF_STREAM;
        bool first = f->at == 0, any = wr_result_follow(f->result, &f->at, 5000, &lines, &lost);
        if (lost)
            wr_buf_puts(&f->text, f->sse ? "event: lost\ndata: {}\n\n" : "{\"lost\":true}\n");
        wr_sieve_lines(f->sieve, wr_buf_get(&lines), &kept);
        any = kept.n > 0;
        if (f->sse)
            put_events(f, wr_buf_get(&kept));
        else
            wr_buf_str(&f->text, wr_buf_get(&kept));
        if (f->sse && (first || !any)) /* also tells us when nobody listens any more */
            wr_buf_puts(&f->text, first ? "event: now\ndata: {}\n\n" : ": still here\n\n");
        if (!f->sse && !any && !lost)
            wr_buf_putc(&f->text, '\n');
        wr_buf_clear(&lines);
        wr_buf_clear(&kept);
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
        wr_result_unfollow(f->result);
    wr_sieve_close(f->sieve);
    wr_sjob_unref(f->j);
    wr_buf_clear(&f->text);
    free(f);
}

static int stream(struct wr_http_req *r, struct wr_sjob *j, struct wr_result *result, struct wr_sieve *sieve, bool sse)
{
    struct follow *f = wr_calloc(1, sizeof *f);
    f->j = j;
    f->result = result;
    f->sieve = sieve;
    f->sse = sse;
    f->text.max = 1 << 30;
    struct MHD_Response *resp = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64 << 10, follow_read, f, follow_end);
    if (!resp) {
        follow_end(f);
        return 500;
    }
    return wr_http_send_response(r, 200, sse ? "text/event-stream" : WR_HTTP_NDJSON, resp) == MHD_YES ? -1 : -2;
}

/* ---- a query's rows as they come ---- */

static ssize_t query_read(void *ctx, uint64_t pos WR_UNUSED, char *to, size_t max)
{
    size_t n = wr_query_read(ctx, to, max);
    return n ? (ssize_t)n : MHD_CONTENT_READER_END_OF_STREAM;
}

static void query_end(void *ctx) { wr_query_close(ctx); }

int wr_http_post_query(struct wr_http_req *r)
{
    json_t *v = wr_http_read_body(r, "sql");
    struct wr_query *q = NULL;
    if (!v)
        return wr_http_failed(r, WR_EUSAGE);
    wr_status st = wr_query_open(r->h->jobs, wr_http_text_of(json_object_get(v, "sql")), &q, &r->err);
    json_decref(v);
    if (st)
        return wr_http_failed(r, st);
    struct MHD_Response *resp = MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, 64 << 10, query_read, q, query_end);
    if (!resp) {
        wr_query_close(q);
        return 500;
    }
    return wr_http_send_response(r, 200, WR_HTTP_NDJSON, resp) == MHD_YES ? -1 : -2;
}

struct filters { struct wr_filter f[WR_HTTP_FILTERS]; int n; };

static enum MHD_Result add_filter(void *ctx, enum MHD_ValueKind kind, const char *key, const char *value)
{
    struct filters *f = ctx;
    (void)kind;
    if (strcmp(key, "limit") == 0 || strcmp(key, "stream") == 0 || strcmp(key, "statement") == 0)
        return MHD_YES;
    if (f->n < WR_HTTP_FILTERS)
        f->f[f->n] = (struct wr_filter){key, value ? value : ""};
    f->n++;
    return MHD_YES;
}

int wr_http_get_result(struct wr_http_req *r)
{
    struct wr_sjob *j = wr_http_job_of(r);
    const char *accept = wr_http_header(r, "Accept"), *limit = wr_http_param(r, "limit"), *want = wr_http_param(r, "stream");
    if (!j)
        return wr_http_not_found(r);
    const char *statement = wr_http_param(r, "statement");
    struct wr_result *result = wr_sjob_result(j, statement ? (int)strtol(statement, NULL, 10) : 1);
    if (!result) {
        wr_fail(&r->err, WR_EUSAGE, "statement \"%.20s\" of job \"%s\" has no result", statement ? statement : "1", j->name);
        wr_hint(&r->err, "the first statement has one, and every SELECT without INSERT INTO");
        wr_sjob_unref(j);
        return wr_http_not_found(r);
    }
    bool sse = accept && strstr(accept, "text/event-stream"), ndjson = accept && strstr(accept, WR_HTTP_NDJSON);
    struct filters f = {.n = 0};
    MHD_get_connection_values(r->c, MHD_GET_ARGUMENT_KIND, add_filter, &f);
    if (sse || want) {
        struct wr_sieve *sieve = NULL;
        wr_status bad = limit ? wr_fail(&r->err, WR_EUSAGE, "a stream has no end, so \"limit\" has no meaning") : f.n ? wr_sieve_open(result, f.f, f.n, &sieve, &r->err) : WR_OK;
        if (bad) {
            wr_sjob_unref(j);
            return wr_http_failed(r, bad);
        }
        return stream(r, j, result, sieve, sse || (want && strcmp(want, "sse") == 0));
    }
    char *end = NULL;
    unsigned long long most = limit ? strtoull(limit, &end, 10) : 1000;
    wr_status st = WR_OK;
    if (limit && (*end || end == limit || *limit == '-'))
        st = wr_fail(&r->err, WR_EUSAGE, "\"limit\" is a number of rows, not \"%.40s\"", limit);
    if (st == WR_OK)
        st = wr_result_get(result, f.f, f.n, most, ndjson, &r->out, &r->err);
    wr_sjob_unref(j);
    return st ? wr_http_failed(r, st) : 200;
}

/* http_sink.c: posts rows as JSON: alerts to a webhook, results to a service.
 *
 * How:    body = 'row' posts each row as an object, 'array' up to batch_rows of them as an array, 'lines' as newline-delimited objects. What has gathered
 *         is sent when the batch is full, when the input pauses and before each checkpoint. One request at a time, so rows arrive in order.
 * Rules:  a query that takes results back gives each object a last member "op" ("+I", "-U", "+U", "-D"): the all-clear of an alert is a "-D". With a
 *         primary_key the "-U" before its "+U" is left out.
 *         At least once: a checkpoint is taken only when everything before it was answered with 2xx.
 *         A refused request (4xx) of several rows is halved until the rows that are not taken stand alone; these are bad rows, or, with
 *         on_error = 'fail', the end of the job.
 * Memory: rows wait as text in one buffer. */
#include "connectors/http_sink.h"

#include <stdio.h>
#include <stdlib.h>

static const struct wr_sink_vt http_sink;

enum shape { ROW, ARRAY, LINES };
enum { ROWS_MOST = 100000 };

struct http_out {
    struct wr_sink base;
    struct wr_sink_spec spec;
    struct wr_http_post *post;
    const struct wr_format *json;
    struct wr_encoder *encoder;
    int *all;                  /* 0, 1, 2, ...: the columns */
    enum shape shape;
    bool fail;                 /* on_error = 'fail' */
    uint32_t rows_most;
    int64_t bytes_most;
    struct wr_buf rows, body;  /* rows: objects one behind the other */
    size_t *end;               /* where each ends; room for rows_most */
    uint32_t n;
};

static const struct wr_optdesc http_opts[] = {
    {"url", "sink.url endpoint", WR_AS_SINK, WR_OPT_TEXT, true, false, NULL, NULL, "where rows are posted to: http:// or https://"},
    {"method", "http.method", WR_AS_SINK, WR_OPT_ENUM, false, false, "post", "post|put|patch", "of the requests"},
    {"body", NULL, WR_AS_SINK, WR_OPT_ENUM, false, false, "row", "row|array|lines",
     "one object a request, an array of up to batch_rows objects, or an object a line"},
    {"batch_rows", "batch.rows", WR_AS_SINK, WR_OPT_INT, false, false, "500", NULL, "most rows in one request, with body = 'array' or 'lines'"},
    {"batch_bytes", "batch.bytes", WR_AS_SINK, WR_OPT_BYTES, false, false, "1 MiB", NULL, "a request is sent when it has grown to this"},
    {"header.*", NULL, WR_AS_SINK, WR_OPT_TEXT, false, true, NULL, NULL, "a header of the requests: header.X-Api-Key = '${KEY}'"},
    {"bearer_token", NULL, WR_AS_SINK, WR_OPT_TEXT, false, true, NULL, NULL, "sent as Authorization: Bearer"},
    {"username", NULL, WR_AS_SINK, WR_OPT_TEXT, false, false, NULL, NULL, "for basic authentication"},
    {"password", NULL, WR_AS_SINK, WR_OPT_TEXT, false, true, NULL, NULL, "for basic authentication"},
    {"timeout", NULL, WR_AS_SINK, WR_OPT_DURATION, false, false, "10 s", NULL, "longest wait for one answer"},
    {"retry_timeout", NULL, WR_AS_SINK, WR_OPT_DURATION, false, false, "5 min", NULL,
     "how long 408, 425, 429, 5xx and failing connections are tried again before the job fails"},
    {"on_error", "on.error", WR_AS_SINK, WR_OPT_ENUM, false, false, "skip", "skip|fail",
     "rows answered with 4xx: counted, sampled and left out, or the end of the job"},
    {"ssl_ca", NULL, WR_AS_SINK, WR_OPT_TEXT, false, false, NULL, NULL, "file with the certificates that https servers are checked against"},
    {"primary_key", NULL, WR_AS_SINK, WR_OPT_TEXT, false, false, NULL, NULL, "columns that identify a result: its \"-U\" is not posted, only the \"+U\""},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

static enum wr_accepts http_accepts(const struct wr_sink_spec *spec)
{
    return spec->n_key ? WR_ACCEPT_UPSERT : WR_ACCEPT_CHANGES;
}

static void http_promise(const struct wr_sink_spec *spec, struct wr_buf *out)
{
    (void)spec;
    wr_buf_puts(out, "at least once: after a failure rows since the last checkpoint are posted again; HTTP has no transactions");
}

/* ---- life ---- */

static void http_close(struct wr_sink *base)
{
    struct http_out *s = (struct http_out *)(void *)base;
    if (s->encoder)
        s->json->encoder_close(s->encoder);
    wr_http_post_close(s->post);
    wr_buf_clear(&s->rows);
    wr_buf_clear(&s->body);
    free(s->all);
    free(s->end);
    free(s);
}

static wr_status read_opts(struct http_out *s, struct wr_error *err)
{
    const struct wr_sink_spec *p = &s->spec;
    struct wr_str body = wr_opt_text_or(p->opts, "body", "row"), delivery, given;
    int64_t rows = wr_opt_int(p->opts, "batch_rows", 500);
    s->shape = wr_str_eq_c(body, "array") ? ARRAY : wr_str_eq_c(body, "lines") ? LINES : ROW;
    s->fail = wr_str_eq_c(wr_opt_text_or(p->opts, "on_error", "skip"), "fail");
    s->bytes_most = wr_opt_bytes(p->opts, "batch_bytes", 1 << 20);
    if (wr_opt_text(p->opts, "delivery", &delivery) && wr_str_eq_c(delivery, "exactly-once")) {
        wr_fail(err, WR_ESQL, "sink \"%.*s\" cannot deliver exactly once: HTTP has no transactions", WR_FMT(p->name));
        wr_hint(err, "leave delivery out; each request has an Idempotency-Key that its repetitions share");
        return WR_ESQL;
    }
    if (s->shape == ROW && wr_opt_text(p->opts, "batch_rows", &given))
        return wr_fail(err, WR_ESQL, "sink \"%.*s\": batch_rows has no meaning with body = 'row'", WR_FMT(p->name));
    if (rows < 1 || rows > ROWS_MOST)
        return wr_fail(err, WR_ESQL, "sink \"%.*s\": batch_rows is from 1 to %d", WR_FMT(p->name), ROWS_MOST);
    for (int i = 0; p->updating && i < p->schema->n; i++)
        if (wr_str_eq_c(p->schema->field[i].name, "op")) {
            wr_fail(err, WR_ESQL, "sink \"%.*s\": the column \"op\" would hide the \"op\" of rows that are taken back", WR_FMT(p->name));
            wr_hint(err, "give the column another name (AS), or add EMIT FINAL");
            return WR_ESQL;
        }
    s->rows_most = s->shape == ROW ? 1 : (uint32_t)rows;
    return WR_OK;
}

static wr_status open_sink(const struct wr_sink_spec *spec, struct http_out **out, struct wr_error *err)
{
    struct http_out *s = wr_calloc(1, sizeof *s);
    s->base.vt = &http_sink;
    s->spec = *spec;
    s->rows.max = s->body.max = 256 << 20;
    wr_status st = read_opts(s, err);
    if (!st) st = wr_http_post_open(spec, s->shape == LINES ? "application/x-ndjson" : "application/json", &s->post, err);
    if (st) {
        http_close(&s->base);
        return st;
    }
    *out = s;
    return WR_OK;
}

/* Nothing is asked: a webhook cannot be tried without setting it off. */
static wr_status http_check(const struct wr_sink_spec *spec, struct wr_error *err)
{
    struct http_out *s;
    WR_TRY(open_sink(spec, &s, err));
    http_close(&s->base);
    return WR_OK;
}

static wr_status http_open(const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err)
{
    struct http_out *s;
    WR_TRY(open_sink(spec, &s, err));
    s->end = wr_calloc(s->rows_most, sizeof *s->end);
    s->all = wr_calloc((size_t)spec->schema->n + 1, sizeof *s->all);
    for (int i = 0; i < spec->schema->n; i++)
        s->all[i] = i;
    s->json = wr_format_find(WR_STR("json"));
    wr_status st = s->json->encoder_open(&s->spec, &s->encoder, err);
    if (st) {
        http_close(&s->base);
        return st;
    }
    *out = &s->base;
    return WR_OK;
}

/* ---- sending ---- */

static struct wr_str row_text(const struct http_out *s, uint32_t i)
{
    size_t from = i ? s->end[i - 1] : 0;
    return (struct wr_str){s->rows.p + from, (uint32_t)(s->end[i] - from)};
}

static wr_status refuse(struct http_out *s, struct wr_str row, const char *why, struct wr_error *err)
{
    if (s->fail || !s->spec.bad) {
        wr_fail(err, WR_EDATA, "sink \"%.*s\": %s refuses a row: %s", WR_FMT(s->spec.name), wr_http_where(s->post), why);
        wr_hint(err, "on_error = 'skip' leaves such rows out and counts them");
        return WR_EDATA;
    }
    struct wr_bad bad = {.reason = WR_R_SINK, .from = {.topic = wr_str_c(wr_http_where(s->post)), .part = -1, .offset = -1, .ts_us = INT64_MIN, .raw = row}};
    (void)snprintf(bad.msg, sizeof bad.msg, "refused with %s", why);
    return s->spec.bad->report(s->spec.bad->ctx, &bad, err);
}

static void build_body(struct http_out *s, uint32_t from, uint32_t n)
{
    wr_buf_reset(&s->body);
    if (s->shape == ARRAY)
        wr_buf_putc(&s->body, '[');
    for (uint32_t i = from; i < from + n; i++) {
        if (i > from && s->shape == ARRAY)
            wr_buf_putc(&s->body, ',');
        wr_buf_str(&s->body, row_text(s, i));
        if (s->shape == LINES)
            wr_buf_putc(&s->body, '\n');
    }
    if (s->shape == ARRAY)
        wr_buf_putc(&s->body, ']');
}

/* Posts n rows; halves them where they are refused. Depth: log2(batch_rows). */
static wr_status post_rows(struct http_out *s, uint32_t from, uint32_t n, struct wr_error *err) // NOLINT(misc-no-recursion)
{
    build_body(s, from, n);
    switch (wr_http_post(s->post, wr_buf_get(&s->body), &s->base.retries, err)) {
    case WR_HTTP_TAKEN:
        s->base.rows += n;
        s->base.bytes += s->body.n;
        return WR_OK;
    case WR_HTTP_FAILED: return err->code;
    case WR_HTTP_REFUSED: break;
    }
    if (n == 1)
        return refuse(s, row_text(s, from), wr_http_said(s->post), err);
    WR_TRY(post_rows(s, from, n / 2, err));
    return post_rows(s, from + n / 2, n - n / 2, err);
}

static wr_status http_flush(struct wr_sink *base, struct wr_error *err)
{
    struct http_out *s = (struct http_out *)(void *)base;
    wr_status st = s->n ? post_rows(s, 0, s->n, err) : WR_OK;
    s->n = 0;
    wr_buf_reset(&s->rows);
    return st;
}

static wr_status write_row(struct http_out *s, const struct wr_batch *b, uint32_t row, struct wr_error *err)
{
    static const char *const op_name[] = {"+I", "-U", "+U", "-D"};
    int8_t op = wr_batch_op(b, row);
    if (op == WR_OP_UPDATE_BEFORE && s->spec.n_key && s->spec.key_is_unique)
        return WR_OK; /* the +U behind it has the same key and replaces it */
    size_t before = s->rows.n;
    s->json->encode(s->encoder, b, row, s->all, s->spec.schema->n, &s->rows);
    if (s->spec.updating) {
        s->rows.n--; /* the closing brace */
        wr_buf_printf(&s->rows, "%s\"op\":\"%s\"}", s->spec.schema->n ? "," : "", op_name[op]);
    }
    if (s->rows.overflow) {
        s->rows.n = before;
        s->rows.overflow = false;
        return refuse(s, (struct wr_str){NULL, 0}, "more than 256 MiB", err);
    }
    s->end[s->n++] = s->rows.n;
    return s->n >= s->rows_most || (int64_t)s->rows.n >= s->bytes_most ? http_flush(&s->base, err) : WR_OK;
}

static wr_status http_write(struct wr_sink *base, struct wr_batch *batch, struct wr_error *err)
{
    wr_status st = WR_OK;
    for (uint32_t k = 0; !st && k < batch->n_live; k++)
        st = write_row((struct http_out *)(void *)base, batch, wr_batch_row(batch, k), err);
    wr_batch_unref(batch);
    return st;
}

static const struct wr_sink_vt http_sink = {
    .accepts = http_accepts,
    .check = http_check,
    .promise = http_promise,
    .open = http_open,
    .write = http_write,
    .flush = http_flush,
    .close = http_close,
};

const struct wr_connector wr_connector_http = {
    .name = "http",
    .help = "posts rows as JSON: webhooks, alerts",
    .opts = http_opts,
    .sink = &http_sink,
};

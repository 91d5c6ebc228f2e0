/* kafka_test.h: what test_kafka_mock.c and test_kafka_real.c share: a source that is read to its end, a sink that is written to, and a
 * format as simple as can be. Included once by each; `brokers` says where to. */
#ifndef WR_TESTS_KAFKA_TEST_H
#define WR_TESTS_KAFKA_TEST_H

#include "connectors/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static struct wr_error error; /* of the last call */

/* ---- a format for these tests: the record is the one FIELD column's text; "!..." is bad ---- */

struct wr_decoder {
    int col;
};
static WR_UNUSED wr_status line_open(const struct wr_source_spec *spec, struct wr_decoder **out, struct wr_error *err WR_UNUSED)
{
    *out = calloc(1, sizeof **out);
    assert_non_null(*out);
    for (int i = 0; i < spec->n_col; i++)
        if (spec->col[i].from == WR_COL_FIELD)
            (*out)->col = i;
    return WR_OK;
}
static WR_UNUSED enum wr_reason line_decode(struct wr_decoder *d, struct wr_str rec, struct wr_batch *into, uint32_t row, struct wr_bad *why)
{
    if (rec.n && rec.p[0] == '!')
        return why->reason = WR_R_SYNTAX;
    struct wr_vec *v = &into->col[d->col];
    WR_VEC_STR(v)[row] = rec;
    if (v->nulls)
        v->nulls[row] = 0;
    return WR_R_NONE;
}
static WR_UNUSED void line_close(struct wr_decoder *d)
{
    free(d);
}
static const struct wr_format line_format = {.name = "line", .decoder_open = line_open, .decode = line_decode, .decoder_close = line_close};

/* ---- a source under test ---- */

struct reader {
    struct wr_source_spec spec;
    struct wr_opts opts;
    struct wr_opt opt[16];
    struct wr_coldef col[8];
    struct wr_field field[8];
    struct wr_schema schema;
    struct wr_badsink badsink;
    atomic_bool stop;
    int n_bad;
    char bad_text[200];    /* "reason@topic/part:offset=raw" of the last */
    wr_status bad_answer;
    uint64_t rows;         /* delivered by this source */
    struct wr_source *src;
};

static WR_UNUSED wr_status on_bad(void *ctx, const struct wr_bad *bad, struct wr_error *err)
{
    struct reader *r = ctx;
    r->n_bad++;
    (void)snprintf(r->bad_text, sizeof r->bad_text, "%s@%.*s/%d:%lld=%.*s", wr_reason_name(bad->reason), WR_FMT(bad->from.topic), bad->from.part,
                   (long long)bad->from.offset, WR_FMT(bad->from.raw));
    return r->bad_answer ? wr_fail(err, r->bad_answer, "bad row, asked to stop") : WR_OK;
}

static WR_UNUSED void add_opt(struct reader *r, const char *key, const char *value)
{
    r->opt[r->opts.n++] = (struct wr_opt){wr_str_c(key), wr_str_c(value), 7};
}

static WR_UNUSED void add_col(struct reader *r, const char *name, struct wr_type type, const char *meta)
{
    int i = r->spec.n_col++;
    r->col[i] = (struct wr_coldef){
        .name = wr_str_c(name), .type = type, .from = meta ? WR_COL_META : WR_COL_FIELD, .path = wr_str_c(meta), .off = 3};
    r->field[i] = (struct wr_field){.name = wr_str_c(name), .type = type, .nullable = true};
    r->schema.n = r->spec.n_col;
}

/* A reader of `topic` with one column "v" of the value, until the end. */
static WR_UNUSED void init(struct reader *r, const char *brokers, const char *topic)
{
    *r = (struct reader){0};
    r->spec = (struct wr_source_spec){.name = WR_STR("src"), .opts = &r->opts, .col = r->col, .schema = &r->schema, .format = &line_format,
                                      .until_end = true, .bad = &r->badsink, .stop = &r->stop};
    r->badsink = (struct wr_badsink){on_bad, r};
    r->opts.opt = r->opt;
    r->schema.field = r->field;
    if (brokers)
        add_opt(r, "brokers", brokers);
    if (topic)
        add_opt(r, "topic", topic);
    add_col(r, "v", WR_TYPE_OF(TEXT), NULL);
}

static WR_UNUSED void open_ok(struct reader *r)
{
    error = (struct wr_error)WR_ERROR_INIT;
    r->rows = 0;
    wr_status st = wr_connector_kafka.source->open(&r->spec, &r->src, &error);
    if (st)
        fail_msg("open: %s", error.msg);
}

/* The next batch that has rows; NULL: the source has ended. */
static WR_UNUSED struct wr_batch *next(struct reader *r)
{
    struct wr_batch *b = NULL;
    error = (struct wr_error)WR_ERROR_INIT;
    while (!b && !r->src->ended)
        if (r->src->vt->poll(r->src, 100, &b, &error))
            fail_msg("poll: %s", error.msg);
    r->rows += b ? b->len : 0;
    return b;
}

/* Everything up to the end, as "v@part:offset " in delivery order per partition; partition by partition. */
static WR_UNUSED const char *read_all(struct reader *r, uint32_t most)
{
    static struct wr_buf by_part[8], all;
    for (int i = 0; i < 8; i++)
        wr_buf_reset(&by_part[i]);
    wr_buf_reset(&all);
    for (struct wr_batch *b = next(r); b; b = next(r)) {
        assert_true(b->len >= 1 && b->n_live == b->len && (!most || b->len <= most));
        for (uint32_t row = 0; row < b->len; row++) {
            struct wr_origin o;
            wr_batch_origin(b, row, &o);
            struct wr_str v = WR_VEC_STR(&b->col[0])[row];
            if (wr_vec_null(&b->col[0], row))
                v = WR_STR("NULL");
            assert_int_equal(r->src->part[wr_batch_part(b, row)].num, o.part);
            wr_buf_printf(&by_part[wr_batch_part(b, row)], "%.*s@%d:%lld ", WR_FMT(v), o.part, (long long)o.offset);
        }
        wr_batch_unref(b);
    }
    for (int i = 0; i < r->src->n_part; i++) {
        wr_buf_str(&all, wr_buf_get(&by_part[i]));
        wr_buf_clear(&by_part[i]);
    }
    wr_buf_putc(&all, 0);
    char *z = test_malloc(all.n);
    memcpy(z, all.p, all.n);
    wr_buf_clear(&all);
    return z;
}

static WR_UNUSED void expect_all(struct reader *r, const char *want)
{
    const char *got = read_all(r, r->spec.batch_rows);
    assert_string_equal(got, want);
    test_free((void *)(uintptr_t)got);
}

static WR_UNUSED void close_reader(struct reader *r)
{
    assert_int_equal(r->src->records, r->rows + r->src->n_bad + r->src->skipped);
    r->src->vt->close(r->src);
    r->src = NULL;
}

static WR_UNUSED void open_fails(struct reader *r, const char *msg, const char *hint)
{
    error = (struct wr_error)WR_ERROR_INIT;
    struct wr_source *src = NULL;
    assert_int_not_equal(wr_connector_kafka.source->open(&r->spec, &src, &error), WR_OK);
    assert_string_equal(error.msg, msg);
    if (hint)
        assert_string_equal(error.hint, hint);
    struct wr_error again = WR_ERROR_INIT; /* what is checked at plan time says the same */
    assert_int_equal(wr_connector_kafka.source->check(&r->spec, &again), error.code);
    assert_string_equal(again.msg, msg);
}

/* ---- the sink ---- */

struct writer {
    struct wr_sink_spec spec;
    struct wr_opts opts;
    struct wr_opt opt[16];
    struct wr_field field[3];
    struct wr_schema schema;
    struct wr_badsink badsink;
    int key[2];
    int n_bad;
    char bad_text[300];
    struct wr_sink *sink;
};

static WR_UNUSED wr_status on_refused(void *ctx, const struct wr_bad *bad, struct wr_error *err WR_UNUSED)
{
    struct writer *w = ctx;
    w->n_bad++;
    (void)snprintf(w->bad_text, sizeof w->bad_text, "%s: %s", wr_reason_name(bad->reason), bad->msg);
    return WR_OK;
}

static WR_UNUSED void writer_opt(struct writer *w, const char *key, const char *value)
{
    w->opt[w->opts.n++] = (struct wr_opt){wr_str_c(key), wr_str_c(value), 7};
}

/* A sink of rows (k TEXT, n BIGINT, m DECIMAL(5,2)); the first n_key columns are the key. */
static WR_UNUSED void writer_init(struct writer *w, const char *brokers, const char *topic, int n_key)
{
    *w = (struct writer){.field = {{WR_STR("k"), WR_TYPE_OF(TEXT), true, false}, {WR_STR("n"), WR_TYPE_OF(BIGINT), true, false}}};
    w->field[2] = (struct wr_field){WR_STR("m"), wr_type_decimal(5, 2), true, false};
    w->schema = (struct wr_schema){3, w->field};
    w->key[1] = 1;
    w->opts.opt = w->opt;
    w->badsink = (struct wr_badsink){on_refused, w};
    w->spec = (struct wr_sink_spec){.name = WR_STR("snk"), .opts = &w->opts, .schema = &w->schema, .n_key = n_key, .key = w->key,
                                    .format = wr_format_find(WR_STR("json")), .bad = &w->badsink};
    writer_opt(w, "brokers", brokers);
    writer_opt(w, "topic", topic);
}

struct row {
    enum wr_rowop op;
    const char *k; /* NULL: NULL */
    int64_t n;
};

static WR_UNUSED void write_rows(struct writer *w, const struct row *rows, int n)
{
    struct wr_builder bl = {.schema = &w->schema, .cap = (uint32_t)n};
    for (int i = 0; i < n; i++) {
        uint32_t row = wr_builder_row(&bl, rows[i].op);
        struct wr_value k = {.type = WR_TYPE_OF(TEXT), .null = !rows[i].k, .as.s = wr_str_c(rows[i].k)};
        struct wr_value v = {.type = WR_TYPE_OF(BIGINT), .as.i = rows[i].n};
        struct wr_value m = {.type = wr_type_decimal(5, 2), .as.dec = (wr_i128)rows[i].n * 100 + 5};
        wr_builder_set(&bl, 0, row, &k);
        wr_builder_set(&bl, 1, row, &v);
        wr_builder_set(&bl, 2, row, &m);
    }
    error = (struct wr_error)WR_ERROR_INIT;
    if (!w->sink && wr_connector_kafka.sink->open(&w->spec, &w->sink, &error))
        fail_msg("open: %s", error.msg);
    if (w->sink->vt->write(w->sink, wr_builder_take(&bl), &error) || w->sink->vt->flush(w->sink, &error))
        fail_msg("write: %s", error.msg);
}

static WR_UNUSED void writer_close(struct writer *w)
{
    w->sink->vt->close(w->sink);
}

#endif

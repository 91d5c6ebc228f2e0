/* postgres_letters.c: what becomes of a row that the table refuses: reported, and by on_error left out, the end of the job, or written to dlq_table.
 *
 * How:    dlq_table is in the same database and has the columns of source$errors; it is made if it is not there. Refused rows wait in memory and are
 *         inserted by the transaction that writes the other rows.
 * Rules:  exactly once: they are kept until that transaction is committed, and go into each new try of it.
 * Memory: batches of their own, as many bytes as transaction_buffer. */
#include "connectors/postgres_sink.h"

#include <stdio.h>
#include <stdlib.h>

enum { RAW_MAX = 1 << 20 };

struct wr_pg_letters {
    enum { SKIP, FAIL, DLQ } mode;
    const struct wr_format *json;
    struct wr_encoder *encoder;  /* of refused rows */
    int *all;                    /* 0..n-1: the sink's columns */
    struct wr_buf raw;           /* one row as JSON */
    /* DLQ */
    struct wr_opt opt[2];
    struct wr_opts opts;
    struct wr_sink_spec spec;    /* of dlq_table */
    struct wr_pg_target target;
    struct wr_builder bl;
    struct wr_batch **full;
    uint32_t n_full, cap_full;
    size_t bytes, max;
    struct wr_buf array[8];
};

/* ---- life ---- */

wr_status wr_pg_letters_open(struct wr_pg_sink *s, struct wr_error *err)
{
    struct wr_pg_letters *l = s->letters = wr_calloc(1, sizeof *l);
    struct wr_str mode = wr_opt_text_or(s->spec.opts, "on_error", "skip"), table;
    l->mode = wr_str_eq_c(mode, "dlq") ? DLQ : wr_str_eq_c(mode, "fail") ? FAIL : SKIP;
    bool named = wr_opt_text(s->spec.opts, "dlq_table", &table);
    if (named != (l->mode == DLQ)) {
        if (named)
            return wr_fail(err, WR_ESQL, "sink \"%.*s\": dlq_table has no meaning without on_error = 'dlq'", WR_FMT(s->spec.name));
        wr_fail(err, WR_ESQL, "sink \"%.*s\": on_error = 'dlq' does not say where to", WR_FMT(s->spec.name));
        wr_hint(err, "add dlq_table = '...', a table of the same database; it is made if it is not there");
        return WR_ESQL;
    }
    l->raw.max = RAW_MAX;
    l->json = wr_format_find(WR_STR("json"));
    l->all = wr_malloc((size_t)s->spec.schema->n * sizeof *l->all + 1);
    for (int i = 0; i < s->spec.schema->n; i++)
        l->all[i] = i;
    if (l->mode == DLQ) {
        l->opt[0] = (struct wr_opt){WR_STR("table"), table, -1};
        l->opt[1] = (struct wr_opt){WR_STR("create"), WR_STR("true"), -1};
        l->opts = (struct wr_opts){2, l->opt};
        l->spec = (struct wr_sink_spec){.name = s->spec.name, .opts = &l->opts, .schema = wr_errors_schema()};
        l->bl.schema = l->spec.schema;
        int64_t most = wr_opt_bytes(s->spec.opts, "transaction_buffer", 256 << 20);
        l->max = most < 1 ? 1 : (size_t)most;
    }
    return l->json->encoder_open(&s->spec, &l->encoder, err);
}

void wr_pg_letters_close(struct wr_pg_sink *s)
{
    struct wr_pg_letters *l = s->letters;
    if (!l)
        return;
    wr_pg_letters_clear(s);
    if (l->encoder)
        l->json->encoder_close(l->encoder);
    wr_pg_target_clear(&l->target);
    for (size_t i = 0; i < sizeof l->array / sizeof *l->array; i++)
        wr_buf_clear(&l->array[i]);
    wr_buf_clear(&l->raw);
    free(l->full);
    free(l->all);
    free(l);
    s->letters = NULL;
}

wr_status wr_pg_letters_connect(struct wr_pg_sink *s, struct wr_error *err)
{
    struct wr_pg_letters *l = s->letters;
    return l->mode == DLQ ? wr_pg_target_open(s->c, &l->spec, &l->target, err) : WR_OK;
}

/* ---- one row ---- */

uint32_t wr_pg_letters_n(const struct wr_pg_sink *s)
{
    const struct wr_pg_letters *l = s->letters;
    return l->n_full * WR_BATCH_ROWS + (l->bl.b ? l->bl.b->len : 0);
}

void wr_pg_letters_clear(struct wr_pg_sink *s)
{
    struct wr_pg_letters *l = s->letters;
    wr_batch_unref(wr_builder_take(&l->bl));
    while (l->n_full > 0)
        wr_batch_unref(l->full[--l->n_full]);
    l->bytes = 0;
}

static wr_status keep(struct wr_pg_sink *s, const struct wr_bad *bad, struct wr_error *err)
{
    struct wr_pg_letters *l = s->letters;
    if (l->bytes > l->max) {
        wr_fail(err, WR_ELIMIT, "sink \"%.*s\" refuses more rows in one transaction than transaction_buffer keeps", WR_FMT(s->spec.name));
        wr_hint(err, "is it the right table? on_error = 'skip' leaves such rows out and counts them");
        return WR_ELIMIT;
    }
    wr_errors_add(&l->bl, bad);
    l->bytes += bad->from.raw.n + sizeof *bad;
    if (!wr_builder_full(&l->bl))
        return WR_OK;
    if (l->n_full == l->cap_full) {
        l->cap_full = l->cap_full ? l->cap_full * 2 : 8;
        l->full = wr_realloc(l->full, l->cap_full * sizeof(struct wr_batch *));
    }
    l->full[l->n_full++] = wr_builder_take(&l->bl);
    return WR_OK;
}

wr_status wr_pg_refuse(struct wr_pg_sink *s, const struct wr_batch *b, uint32_t row, struct wr_str column, const char *msg, struct wr_error *err)
{
    struct wr_pg_letters *l = s->letters;
    struct wr_bad bad = {.reason = WR_R_SINK, .column = column, .from = {.topic = s->target.plain, .part = -1, .offset = -1, .ts_us = INT64_MIN}};
    (void)snprintf(bad.msg, sizeof bad.msg, "%s", msg);
    wr_buf_reset(&l->raw);
    l->json->encode(l->encoder, b, row, l->all, s->spec.schema->n, &l->raw);
    bad.from.raw = wr_buf_get(&l->raw);
    if (l->mode == FAIL || !s->spec.bad) {
        wr_fail(err, WR_EDATA, "sink \"%.*s\": table \"%.*s\" refuses a row%s%.*s%s: %s", WR_FMT(s->spec.name), WR_FMT(s->target.plain),
                column.n ? ", column \"" : "", WR_FMT(column), column.n ? "\"" : "", msg);
        wr_hint(err, "on_error = 'skip' leaves such rows out and counts them, 'dlq' puts them into a table of their own");
        return WR_EDATA;
    }
    if (l->mode == DLQ)
        WR_TRY(keep(s, &bad, err));
    return s->spec.bad->report(s->spec.bad->ctx, &bad, err);
}

/* ---- sending ---- */

static enum wr_pg_outcome send_batch(struct wr_pg_sink *s, struct wr_batch *b)
{
    struct wr_pg_letters *l = s->letters;
    const struct wr_schema *schema = l->spec.schema;
    struct wr_pg_row *row = wr_calloc(b->len, sizeof *row);
    const struct wr_pg_row **order = wr_malloc((size_t)b->len * sizeof *order);
    Oid oid[8];
    const char *value[8];
    int length[8], format[8];
    for (uint32_t i = 0; i < b->len; i++) {
        row[i] = (struct wr_pg_row){.batch = b, .row = i};
        order[i] = &row[i];
    }
    for (int c = 0; c < schema->n; c++) {
        wr_buf_reset(&l->array[c]);
        wr_pg_put_array(&l->array[c], c, schema->field[c].type, order, b->len);
        oid[c] = wr_pg_array_oid(schema->field[c].type);
        value[c] = l->array[c].p;
        length[c] = (int)l->array[c].n;
        format[c] = 1;
    }
    enum wr_pg_outcome out = wr_pg_outcome_of(s, wr_pg_params(s->c, l->target.insert, schema->n, oid, value, length, format, WR_PG_PATIENCE_MS));
    free(row);
    free(order);
    return out == WR_PG_OUT_ROW ? WR_PG_OUT_STOP : out;
}

enum wr_pg_outcome wr_pg_letters_send(struct wr_pg_sink *s)
{
    const struct wr_pg_letters *l = s->letters;
    enum wr_pg_outcome out = WR_PG_OUT_DONE;
    for (uint32_t i = 0; i < l->n_full && !out; i++)
        out = send_batch(s, l->full[i]);
    return l->bl.b && !out ? send_batch(s, l->bl.b) : out;
}

/* kafka_letters.c: what becomes of a record that the topic refuses: reported, and by on_error left out, the end of the job, or written to dlq_topic.
 *
 * How:    dlq_topic is on the same brokers; its records are JSON objects with the columns of source$errors, under the key of the refused record.
 *         Of large ones the first 64 KiB are kept; a larger key is left out.
 * Rules:  exactly once: letters are kept until their transaction is committed, and go into each new one. They are written by the sink's producer when
 *         there is time for it, never inside a delivery report.
 * Memory: letters lie in `kept`, at most 64 MiB. */
#include "connectors/kafka_sink.h"

#include <stdio.h>
#include <stdlib.h>

enum { RAW_MAX = 64 << 10, KEPT_MAX = 64 << 20, COLUMNS = 8 };

struct wr_kafka_letters {
    enum { SKIP, FAIL, DLQ } mode;
    char *topic;                 /* DLQ */
    rd_kafka_topic_t *rkt;       /* NULL: not connected */
    const struct wr_format *json;
    struct wr_encoder *encoder;
    int all[COLUMNS];
    struct wr_buf kept;          /* has_key, key, value of each */
    size_t sent;                 /* of these, in the transaction under way */
};

wr_status wr_kafka_letters_open(struct wr_kafka_out *s, struct wr_error *err)
{
    struct wr_kafka_letters *l = s->letters = wr_calloc(1, sizeof *l);
    struct wr_str mode = wr_opt_text_or(s->spec.opts, "on_error", "skip"), topic = {0};
    l->mode = wr_str_eq_c(mode, "dlq") ? DLQ : wr_str_eq_c(mode, "fail") ? FAIL : SKIP;
    l->kept.max = KEPT_MAX;
    bool named = wr_opt_text(s->spec.opts, "dlq_topic", &topic);
    if (named != (l->mode == DLQ)) {
        if (named)
            return wr_fail(err, WR_ESQL, "sink \"%.*s\": dlq_topic has no meaning without on_error = 'dlq'", WR_FMT(s->spec.name));
        wr_fail(err, WR_ESQL, "sink \"%.*s\": on_error = 'dlq' does not say where to", WR_FMT(s->spec.name));
        wr_hint(err, "add dlq_topic = '...', a topic on the same brokers");
        return WR_ESQL;
    }
    if (l->mode != DLQ)
        return WR_OK;
    WR_TRY(wr_kafka_topic_name(s, topic, &l->topic, err));
    if (strcmp(l->topic, s->topic) == 0)
        return wr_fail(err, WR_ESQL, "sink \"%.*s\" writes to topic \"%s\": refused records need another one", WR_FMT(s->spec.name), s->topic);
    const struct wr_sink_spec spec = {.name = s->spec.name, .schema = wr_errors_schema()};
    WR_ASSERT(spec.schema->n == COLUMNS);
    for (int i = 0; i < COLUMNS; i++)
        l->all[i] = i;
    l->json = wr_format_find(WR_STR("json"));
    return l->json->encoder_open(&spec, &l->encoder, err);
}

void wr_kafka_letters_close(struct wr_kafka_out *s)
{
    struct wr_kafka_letters *l = s->letters;
    if (!l)
        return;
    if (l->encoder)
        l->json->encoder_close(l->encoder);
    wr_buf_clear(&l->kept);
    free(l->topic);
    free(l);
    s->letters = NULL;
}

wr_status wr_kafka_letters_connect(struct wr_kafka_out *s, struct wr_error *err)
{
    struct wr_kafka_letters *l = s->letters;
    if (l->mode != DLQ)
        return WR_OK;
    l->rkt = rd_kafka_topic_new(s->k->rk, l->topic, NULL);
    if (!l->rkt)
        return wr_kafka_fail(s->k, rd_kafka_last_error(), err, "cannot write to topic \"%s\"", l->topic);
    return wr_kafka_topic_find(s, l->topic, l->rkt, err);
}

void wr_kafka_letters_disconnect(struct wr_kafka_out *s)
{
    struct wr_kafka_letters *l = s->letters;
    if (l && l->rkt)
        rd_kafka_topic_destroy(l->rkt);
    if (l) {
        l->rkt = NULL;
        l->sent = 0;
    }
}

rd_kafka_topic_t *wr_kafka_letters_topic(const struct wr_kafka_out *s, const char **name)
{
    *name = s->letters->topic;
    return s->letters->rkt;
}

static void keep(struct wr_kafka_out *s, struct wr_bad bad)
{
    struct wr_kafka_letters *l = s->letters;
    struct wr_builder bl = {.schema = wr_errors_schema(), .cap = 1};
    struct wr_buf value = WR_BUF_INIT(0);
    if (bad.from.raw.n > RAW_MAX)
        bad.from.raw.n = RAW_MAX;
    if (bad.from.key.n > RAW_MAX)
        bad.from.key = (struct wr_str){0}; /* a part of a key would be another key */
    wr_errors_add(&bl, &bad);
    struct wr_batch *b = wr_builder_take(&bl);
    l->json->encode(l->encoder, b, 0, l->all, COLUMNS, &value);
    wr_batch_unref(b);
    wr_buf_u8(&l->kept, bad.from.key.p != NULL);
    wr_buf_lstr(&l->kept, bad.from.key);
    wr_buf_lstr(&l->kept, wr_buf_get(&value));
    wr_buf_clear(&value);
    if (!l->kept.overflow)
        return;
    wr_fail(&s->failed, WR_ELIMIT, "topic \"%s\" refuses more records than can be kept for topic \"%s\"", s->topic, l->topic);
    wr_hint(&s->failed, "on_error = 'skip' leaves them out and counts them");
}

void wr_kafka_out_refuse(struct wr_kafka_out *s, rd_kafka_resp_err_t e, int32_t part, struct wr_str key, struct wr_str value)
{
    struct wr_bad bad = {.reason = WR_R_SINK, .from = {.topic = wr_str_c(s->topic), .part = part, .offset = -1, .ts_us = INT64_MIN}};
    s->refused++;
    bad.from.raw = value;
    bad.from.key = key;
    (void)snprintf(bad.msg, sizeof bad.msg, "topic \"%s\" refuses a record of %u bytes: %s", s->topic, value.n, rd_kafka_err2str(e));
    if (s->failed.code)
        return;
    if (s->letters->mode == FAIL || !s->spec.bad) {
        wr_fail(&s->failed, WR_EDATA, "sink \"%.*s\": %s", WR_FMT(s->spec.name), bad.msg);
        wr_hint(&s->failed, "on_error = 'skip' leaves such rows out and counts them, 'dlq' puts them into a topic of their own");
        return;
    }
    if (s->letters->mode == DLQ)
        keep(s, bad);
    (void)s->spec.bad->report(s->spec.bad->ctx, &bad, &s->failed);
}

wr_status wr_kafka_letters_send(struct wr_kafka_out *s, struct wr_error *err)
{
    struct wr_kafka_letters *l = s->letters;
    struct wr_buf one = WR_BUF_INIT(0); /* a copy: more letters may come while it is handed over */
    wr_status st = WR_OK;
    while (!st && l->sent < l->kept.n) {
        struct wr_str rest = {l->kept.p + l->sent, (uint32_t)(l->kept.n - l->sent)}, key, value;
        uint8_t has_key = 0;
        if (!wr_take_u8(&rest, &has_key) || !wr_take_lstr(&rest, &key) || !wr_take_lstr(&rest, &value))
            WR_BUG("the kept letters of a Kafka sink are damaged");
        wr_buf_reset(&one);
        wr_buf_str(&one, key);
        wr_buf_str(&one, value);
        const struct wr_kafka_record rec = {{one.p, key.n}, {one.p + key.n, value.n}, has_key, true};
        size_t next = (size_t)(rest.p - l->kept.p);
        st = wr_kafka_out_produce(s, &rec, WR_KAFKA_LETTER, err);
        if (!st)
            l->sent = next;
    }
    wr_buf_clear(&one);
    if (!st && !s->txn)
        wr_kafka_letters_clear(s);
    return st;
}

bool wr_kafka_letters_wait(const struct wr_kafka_out *s) { return s->letters->sent < s->letters->kept.n; }

void wr_kafka_letters_clear(struct wr_kafka_out *s)
{
    wr_buf_reset(&s->letters->kept);
    s->letters->sent = 0;
}

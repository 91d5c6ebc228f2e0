/* kafka_sink.c: writes results to a Kafka topic.
 *
 * How:    each row becomes a record: the value in the sink's format, the key from the key columns, the timestamp that of writing (a record
 *         stamped with an old event time would be deleted by the broker's retention). Keys go to partitions by murmur2, as Java producers
 *         do, so that joins by partition fit whoever wrote the other topic.
 * Rules:  rows of one key keep their order (idempotent producer, one record after the other). With a key, updates are upserts: a value
 *         replaces the earlier one, a delete is a record without value. Without a key only additions can be written.
 *         flush() returns when every record has been acknowledged by all in-sync replicas; a refused record is a bad row, anything else
 *         that was not acknowledged fails the sink. Exactly once: records go out in transactions, see kafka_txn.c.
 * Memory: librdkafka copies what it is given and holds at most queue.buffering.max.kbytes; then write() waits. */
#include "connectors/kafka_sink.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { STOP_MS = 10000 };

static enum wr_accepts kafka_accepts(const struct wr_sink_spec *spec)
{
    return spec->n_key ? WR_ACCEPT_UPSERT : WR_ACCEPT_APPEND;
}

static void kafka_promise(const struct wr_sink_spec *spec, struct wr_buf *out)
{
    if (spec->exactly_once) {
        wr_buf_puts(out, "exactly once, for readers with isolation.level = read_committed: records, input positions and checkpoint in one transaction");
        return;
    }
    wr_buf_puts(out, "at least once: after a failure records may be written again");
    if (spec->n_key)
        wr_buf_puts(out, ", with the same keys, so the last of a key is right");
}

/* ---- delivery reports ---- */

/* Errors that are about the record, not about the broker. */
static bool about_record(rd_kafka_resp_err_t e)
{
    return e == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || e == RD_KAFKA_RESP_ERR_INVALID_MSG || e == RD_KAFKA_RESP_ERR_INVALID_RECORD ||
           e == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE || e == RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP;
}

static void letter_refused(struct wr_kafka_out *s, rd_kafka_resp_err_t e)
{
    const char *name;
    (void)wr_kafka_letters_topic(s, &name);
    if (!s->failed.code)
        wr_fail(&s->failed, WR_EIO, "topic \"%s\" does not take a refused record: %s", name, rd_kafka_err2str(e));
}

static void on_delivered(void *ctx, const rd_kafka_message_t *m)
{
    struct wr_kafka_out *s = ctx;
    if (!m->err)
        return;
    if (m->_private == WR_KAFKA_LETTER && about_record(m->err) && (!s->txn || wr_kafka_txn_alone(s->txn))) {
        letter_refused(s, m->err);
    } else if (s->txn) {
        wr_kafka_txn_undelivered(s, m, about_record(m->err));
    } else if (about_record(m->err)) {
        wr_kafka_out_refuse(s, m->err, m->partition, (struct wr_str){m->key, m->key ? (uint32_t)m->key_len : 0},
               (struct wr_str){m->payload, m->payload ? (uint32_t)m->len : 0});
    } else if (!s->failed.code) {
        /* not wr_kafka_fail: we are inside rd_kafka_poll */
        wr_fail(&s->failed, WR_EIO, "records for topic \"%s\" of \"%s\" were not written: %s", s->topic, s->k->brokers, rd_kafka_err2str(m->err));
        s->failed.retriable = m->err == RD_KAFKA_RESP_ERR__MSG_TIMED_OUT || m->err == RD_KAFKA_RESP_ERR__PURGE_QUEUE ||
                              m->err == RD_KAFKA_RESP_ERR__FATAL || m->err == RD_KAFKA_RESP_ERR__TRANSPORT;
    }
}

wr_status wr_kafka_out_state(struct wr_kafka_out *s, struct wr_error *err)
{
    if (!s->txn && !s->failed.code && s->k->fatal)
        (void)wr_kafka_fail(s->k, s->k->fatal, &s->failed, "cannot write to topic \"%s\"", s->topic);
    if (s->failed.code && !err->code)
        *err = s->failed;
    return s->failed.code;
}

/* ---- rows ---- */

static void build_key(struct wr_kafka_out *s, const struct wr_batch *b, uint32_t row)
{
    wr_buf_reset(&s->key);
    if (s->key_json) {
        s->json->encode(s->key_json, b, row, s->spec.key, s->spec.n_key, &s->key);
        return;
    }
    const struct wr_vec *v = &b->col[s->spec.key[0]];
    if (wr_vec_null(v, row))
        return;
    if (v->type.id == WR_T_BYTES || v->type.id == WR_T_TEXT)
        wr_buf_str(&s->key, WR_VEC_STR(v)[wr_vec_at(v, row)]);
    else
        wr_print_vec(&s->key, v, row, WR_STYLE_CSV);
}

wr_status wr_kafka_out_produce(struct wr_kafka_out *s, const struct wr_kafka_record *rec, void *opaque, struct wr_error *err)
{
    int64_t since = 0;
    struct wr_str key = rec->key, value = rec->value;
    bool has_key = rec->has_key, has_value = rec->has_value, letter = opaque == WR_KAFKA_LETTER;
    const char *topic = s->topic;
    rd_kafka_topic_t *rkt = letter ? wr_kafka_letters_topic(s, &topic) : s->rkt;
    for (;;) {
        int rc = rd_kafka_produce(rkt, RD_KAFKA_PARTITION_UA, RD_KAFKA_MSG_F_COPY, has_value ? (void *)(uintptr_t)(value.p ? value.p : "") : NULL,
                                  value.n, has_key ? (key.p ? key.p : "") : NULL, key.n, opaque);
        if (rc == 0)
            return WR_OK;
        rd_kafka_resp_err_t e = rd_kafka_last_error();
        if (about_record(e)) {
            if (letter)
                letter_refused(s, e);
            else
                wr_kafka_out_refuse(s, e, -1, key, value);
            return wr_kafka_out_state(s, err);
        }
        if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            return wr_kafka_fail(s->k, e, err, "cannot write to topic \"%s\"", topic);
        s->base.retries += since == 0;
        (void)rd_kafka_poll(s->k->rk, 50);
        WR_TRY(wr_kafka_out_state(s, err));
        if (!since)
            since = wr_clock_mono();
        if (s->txn && wr_kafka_txn_lost(s))
            return wr_kafka_fail(s->k, RD_KAFKA_RESP_ERR__STATE, err, "cannot write to topic \"%s\"", s->topic);
        if (s->spec.stop && atomic_load(s->spec.stop) && wr_clock_mono() - since > STOP_MS * INT64_C(1000)) {
            wr_fail(err, WR_EIO, "stopped while %d records for topic \"%s\" were not acknowledged", rd_kafka_outq_len(s->k->rk), s->topic);
            err->retriable = true;
            return WR_EIO;
        }
    }
}

static wr_status write_row(struct wr_kafka_out *s, const struct wr_batch *b, uint32_t row, struct wr_error *err)
{
    int8_t op = wr_batch_op(b, row);
    bool delete = wr_op_is_retract(op), keyed = s->spec.n_key > 0;
    if (op == WR_OP_UPDATE_BEFORE && keyed && s->spec.key_is_unique)
        return WR_OK; /* the +U behind it has the same key and replaces it */
    WR_ASSERT(keyed || !delete);
    if (keyed)
        build_key(s, b, row);
    /* Without updates a NULL key column is a record without key; with them it must be some key, so that it can be replaced. */
    bool has_key = keyed && (s->spec.updating || s->key_json || !wr_vec_null(&b->col[s->spec.key[0]], row));
    wr_buf_reset(&s->value);
    if (!delete)
        s->spec.format->encode(s->encoder, b, row, s->all, s->spec.schema->n, &s->value);
    if (s->key.overflow || s->value.overflow) {
        wr_kafka_out_refuse(s, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, -1, (struct wr_str){NULL, 0}, (struct wr_str){NULL, 0});
        return wr_kafka_out_state(s, err);
    }
    struct wr_kafka_record rec = {wr_buf_get(&s->key), wr_buf_get(&s->value), has_key, !delete};
    WR_TRY(s->txn ? wr_kafka_txn_record(s, &rec, err) : wr_kafka_out_produce(s, &rec, NULL, err));
    s->base.rows++;
    s->base.bytes += s->key.n + s->value.n;
    return WR_OK;
}

static wr_status kafka_write(struct wr_sink *base, struct wr_batch *batch, struct wr_error *err)
{
    struct wr_kafka_out *s = (struct wr_kafka_out *)base;
    if (s->k)
        (void)rd_kafka_poll(s->k->rk, 0);
    wr_status st = wr_kafka_out_state(s, err);
    if (!st && !s->txn)
        st = wr_kafka_letters_send(s, err);
    for (uint32_t k = 0; !st && k < batch->n_live; k++)
        st = write_row(s, batch, wr_batch_row(batch, k), err);
    wr_batch_unref(batch);
    return st;
}

static wr_status kafka_flush(struct wr_sink *base, struct wr_error *err)
{
    struct wr_kafka_out *s = (struct wr_kafka_out *)base;
    return s->txn ? WR_OK : wr_kafka_out_drain(s, err); /* in a transaction nothing counts before commit */
}

wr_status wr_kafka_out_drain(struct wr_kafka_out *s, struct wr_error *err)
{
    int64_t stopping = 0;
    for (;;) {
        if (!s->txn)
            WR_TRY(wr_kafka_letters_send(s, err));
        rd_kafka_resp_err_t e = rd_kafka_flush(s->k->rk, 200);
        WR_TRY(wr_kafka_out_state(s, err));
        if (s->txn && wr_kafka_txn_lost(s))
            return wr_kafka_fail(s->k, RD_KAFKA_RESP_ERR__STATE, err, "cannot write to topic \"%s\"", s->topic);
        if (!e && !s->txn && wr_kafka_letters_wait(s))
            continue;
        if (!e)
            return WR_OK;
        if (e != RD_KAFKA_RESP_ERR__TIMED_OUT)
            return wr_kafka_fail(s->k, e, err, "cannot write to topic \"%s\"", s->topic);
        if (!stopping && s->spec.stop && atomic_load(s->spec.stop))
            stopping = wr_clock_mono();
        if (stopping && wr_clock_mono() - stopping > STOP_MS * INT64_C(1000))
            return wr_kafka_fail(s->k, e, err, "stopped while %d records for topic \"%s\" were not acknowledged", rd_kafka_outq_len(s->k->rk),
                                 s->topic);
    }
}

/* Nothing to do but to hear of failures: librdkafka sends by itself within linger.ms. */
static wr_status kafka_pause(struct wr_sink *base, struct wr_error *err)
{
    struct wr_kafka_out *s = (struct wr_kafka_out *)base;
    if (s->k)
        (void)rd_kafka_poll(s->k->rk, 0);
    WR_TRY(wr_kafka_out_state(s, err));
    return s->txn ? WR_OK : wr_kafka_letters_send(s, err);
}

/* ---- life ---- */

void wr_kafka_out_disconnect(struct wr_kafka_out *s)
{
    if (s->k && s->rkt) { /* what was not flushed was given up by the caller */
        (void)rd_kafka_purge(s->k->rk, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT | RD_KAFKA_PURGE_F_NON_BLOCKING);
        s->k->delivered = NULL;
        (void)rd_kafka_poll(s->k->rk, 0);
    }
    if (s->rkt)
        rd_kafka_topic_destroy(s->rkt);
    wr_kafka_letters_disconnect(s);
    wr_kafka_unref(s->k);
    s->rkt = NULL;
    s->k = NULL;
}

static void kafka_close(struct wr_sink *base)
{
    struct wr_kafka_out *s = (struct wr_kafka_out *)base;
    if (s->encoder)
        s->spec.format->encoder_close(s->encoder);
    if (s->key_json)
        s->json->encoder_close(s->key_json);
    if (s->txn)
        wr_kafka_txn_abandon(s);
    wr_kafka_out_disconnect(s);
    wr_kafka_txn_close(s->txn);
    wr_kafka_letters_close(s);
    wr_buf_clear(&s->key);
    wr_buf_clear(&s->value);
    free(s->topic);
    free(s->all);
    free(s);
}

static wr_status read_topic(struct wr_kafka_out *s, struct wr_error *err)
{
    struct wr_str topic;
    if (!wr_opt_text(s->spec.opts, "topic", &topic) || wr_str_trim(topic).n == 0) {
        wr_fail(err, WR_ESQL, "Kafka sink \"%.*s\" needs a topic", WR_FMT(s->spec.name));
        wr_hint(err, "add topic = 'name'");
        return WR_ESQL;
    }
    return wr_kafka_topic_name(s, topic, &s->topic, err);
}

/* How keys are written; opens the encoder when they are JSON. */
static wr_status choose_key(struct wr_kafka_out *s, struct wr_error *err)
{
    struct wr_str format;
    if (s->spec.n_key == 0)
        return WR_OK;
    bool json = s->spec.n_key > 1;
    if (wr_opt_text(s->spec.opts, "key_format", &format)) {
        if (json && wr_str_eq_c(format, "text")) {
            wr_fail(err, WR_ESQL, "sink \"%.*s\": key_format = 'text' is for one key column, there are %d", WR_FMT(s->spec.name), s->spec.n_key);
            wr_hint(err, "leave it out: the key is then a JSON object");
            return WR_ESQL;
        }
        json = wr_str_eq_c(format, "json");
    }
    if (!json)
        return WR_OK;
    s->json = wr_format_find(WR_STR("json"));
    WR_ASSERT(s->json);
    return s->json->encoder_open(&s->spec, &s->key_json, err);
}

wr_status wr_kafka_out_connect(struct wr_kafka_out *s, struct wr_error *err)
{
    const struct wr_kafka_prop soft[] = {
        {"linger.ms", "1"}, /* under load batches fill while others are on their way; 5 gave no more rows a second and 3 ms of latency */
        {"batch.size", "1000000"},
        {"batch.num.messages", "20000"},
        {"queue.buffering.max.messages", "500000"},
        {"queue.buffering.max.kbytes", "32768"},
        {"compression.codec", "lz4"},
        {s->txn ? "transaction.timeout.ms" : NULL, WR_KAFKA_TXN_TIMEOUT},
        {"retry.backoff.ms", "10"}, /* a transaction often begins before the broker has closed the one before: 100 ms would be lost each time */
        {NULL, NULL},
    };
    const struct wr_kafka_prop hard[] = {
        {"enable.idempotence", "true"}, /* implies acks=all */
        {"partitioner", "murmur2_random"},
        {"delivery.report.only.error", "true"}, /* on_delivered() wants no others, and each costs a look by this thread */
        {s->txn ? "transactional.id" : NULL, s->txn ? wr_kafka_txn_id(s->txn) : NULL},
        {s->txn && wr_kafka_txn_single(s->txn) ? "batch.num.messages" : NULL, "1"},
        {NULL, NULL},
    };
    WR_TRY(wr_kafka_open(s->spec.opts, WR_AS_SINK, soft, hard, &s->k, err));
    s->k->delivered = on_delivered;
    s->k->ctx = s;
    s->rkt = rd_kafka_topic_new(s->k->rk, s->topic, NULL);
    if (!s->rkt)
        return wr_kafka_fail(s->k, rd_kafka_last_error(), err, "cannot write to topic \"%s\"", s->topic);
    WR_TRY(wr_kafka_topic_find(s, s->topic, s->rkt, err));
    return wr_kafka_letters_connect(s, err);
}

static wr_status open_sink(const struct wr_sink_spec *spec, bool once, struct wr_kafka_out **out, struct wr_error *err)
{
    struct wr_kafka_out *s = wr_calloc(1, sizeof *s);
    s->base.vt = &wr_kafka_sink;
    s->spec = *spec;
    s->failed = (struct wr_error)WR_ERROR_INIT;
    s->key.max = 16 << 20;
    s->value.max = 64 << 20;
    s->all = wr_malloc((size_t)spec->schema->n * sizeof *s->all + 1);
    for (int i = 0; i < spec->schema->n; i++)
        s->all[i] = i;
    wr_status st = read_topic(s, err);
    if (!st) st = wr_kafka_letters_open(s, err);
    if (!st) st = choose_key(s, err);
    if (!st && once) st = wr_kafka_txn_open(s, err);
    if (!st) st = wr_kafka_out_connect(s, err);
    if (st) {
        kafka_close(&s->base);
        return st;
    }
    *out = s;
    return WR_OK;
}

static wr_status kafka_check(const struct wr_sink_spec *spec, struct wr_error *err)
{
    struct wr_kafka_out *s;
    WR_TRY(open_sink(spec, false, &s, err));
    kafka_close(&s->base);
    return WR_OK;
}

static wr_status kafka_open(const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err)
{
    struct wr_kafka_out *s;
    WR_TRY(open_sink(spec, spec->exactly_once, &s, err));
    wr_status st = spec->format->encoder_open(&s->spec, &s->encoder, err);
    if (st) {
        kafka_close(&s->base);
        return st;
    }
    *out = &s->base;
    return WR_OK;
}

const struct wr_sink_vt wr_kafka_sink = {
    .accepts = kafka_accepts,
    .check = kafka_check,
    .promise = kafka_promise,
    .open = kafka_open,
    .write = kafka_write,
    .flush = kafka_flush,
    .pause = kafka_pause,
    .recover = wr_kafka_txn_recover,
    .commit = wr_kafka_txn_commit,
    .close = kafka_close,
};

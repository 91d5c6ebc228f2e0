/* kafka_mark.c: which checkpoint a Kafka sink has: the mark in the metadata of a committed offset, "w1;CHECKPOINT;INSTANCE;CRC", on partition 0 of
 * the sink's own topic (the carrier). Its text, and asking the broker for it.
 * Rules:  printable text, because librdkafka 2.0.2 spoils metadata with NUL bytes. A carrier that is not ours, or damaged, is an error.
 * Memory: nothing is kept. */
#include "connectors/kafka_sink.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <zlib.h>

enum { REQUEST_MS = 5000, SETTLE_MS = 60000 };

/* ---- small things that kafka_txn.c uses too ---- */

bool wr_kafka_out_stopping(const struct wr_kafka_out *s)
{
    return s->spec.stop && atomic_load(s->spec.stop);
}

void wr_kafka_nap(int ms)
{
    struct timespec t = {ms / 1000, ms % 1000 * 1000000L};
    (void)nanosleep(&t, NULL);
}

int64_t wr_kafka_ms_since(int64_t mono)
{
    return (wr_clock_mono() - mono) / 1000;
}

bool wr_kafka_permanent(rd_kafka_resp_err_t e)
{
    return e == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED || e == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           e == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED || e == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           e == RD_KAFKA_RESP_ERR_INVALID_TRANSACTION_TIMEOUT || e == RD_KAFKA_RESP_ERR__UNSUPPORTED_FEATURE ||
           e == RD_KAFKA_RESP_ERR_UNSUPPORTED_VERSION || e == RD_KAFKA_RESP_ERR__INVALID_ARG;
}

wr_status wr_kafka_out_fail(struct wr_kafka_out *s, rd_kafka_error_t *e, const char *doing, struct wr_error *err)
{
    rd_kafka_resp_err_t code = rd_kafka_error_code(e);
    wr_log(WR_LOG_DEBUG, "kafka", "%s: %s: %s", doing, rd_kafka_error_name(e), rd_kafka_error_string(e));
    wr_fail(err, WR_EIO, "cannot %s for topic \"%s\" of \"%s\": %s", doing, s->topic, s->k->brokers, rd_kafka_err2str(code));
    if (wr_kafka_permanent(code))
        wr_hint(err, "it needs WRITE and DESCRIBE on transactional id \"%s\", READ on group \"%s\", WRITE and READ on the topic", wr_kafka_txn_id(s->txn), wr_kafka_txn_id(s->txn));
    else
        err->retriable = true;
    rd_kafka_error_destroy(e);
    return WR_EIO;
}

/* ---- text ---- */

static uint32_t checksum(const char *id, struct wr_kafka_mark m)
{
    char text[64];
    int n = snprintf(text, sizeof text, ";%" PRIu64 ";%016" PRIx64, m.ckpt, m.token);
    uLong sum = crc32(0, (const unsigned char *)id, (uInt)strlen(id));
    return (uint32_t)crc32(sum, (const unsigned char *)text, (uInt)n);
}

char *wr_kafka_mark_print(const char *id, struct wr_kafka_mark m)
{
    enum { ROOM = 80 };
    char *z = wr_malloc(ROOM);
    (void)snprintf(z, ROOM, "w1;%" PRIu64 ";%016" PRIx64 ";%08" PRIx32, m.ckpt, m.token, checksum(id, m));
    return z;
}

static bool read_mark(const char *id, const char *p, size_t n, struct wr_kafka_mark *m)
{
    char text[80], *end;
    if (!p || n >= sizeof text)
        return false;
    memcpy(text, p, n);
    text[n] = 0;
    if (strncmp(text, "w1;", 3) != 0)
        return false;
    m->ckpt = strtoull(text + 3, &end, 10);
    m->token = *end == ';' ? strtoull(end + 1, &end, 16) : 0;
    unsigned long long sum = *end == ';' ? strtoull(end + 1, &end, 16) : 0;
    return *end == 0 && sum == checksum(id, *m);
}

/* ---- asking ---- */

/* Who asks is a consumer of the group that never reads: in librdkafka 2.0.2 a producer's request for committed offsets ends in a crash when the
 * coordinator has to be looked for again. It has the sink's settings, those of producers do not matter to it. */
wr_status wr_kafka_asker_open(struct wr_kafka_out *s, rd_kafka_t **asker, struct wr_error *err)
{
    static const struct wr_kafka_prop props[] = {
        {"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}, {"isolation.level", "read_committed"},
        {"topic.metadata.refresh.interval.ms", "-1"}, {NULL, NULL},
    };
    char why[400];
    rd_kafka_conf_t *conf = rd_kafka_conf_dup(rd_kafka_conf(s->k->rk));
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, "group.id", wr_kafka_txn_id(s->txn), why, sizeof why);
    for (const struct wr_kafka_prop *p = props; p->key && res == RD_KAFKA_CONF_OK; p++)
        res = rd_kafka_conf_set(conf, p->key, p->value, why, sizeof why);
    *asker = res == RD_KAFKA_CONF_OK ? rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why) : NULL;
    if (*asker)
        return WR_OK;
    rd_kafka_conf_destroy(conf);
    return wr_fail(err, WR_EIO, "cannot set up a Kafka client to ask for the committed checkpoint: %s", why);
}

void wr_kafka_asker_close(rd_kafka_t *asker)
{
    if (asker)
        rd_kafka_destroy_flags(asker, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

/* The one answer of a request about the carrier; *e says how it went. */
static wr_status take_answer(struct wr_kafka_out *s, rd_kafka_event_t *ev, rd_kafka_resp_err_t *e, struct wr_kafka_mark *m, struct wr_error *err)
{
    size_t n = 0;
    *e = rd_kafka_event_error(ev);
    const rd_kafka_ListConsumerGroupOffsets_result_t *res = rd_kafka_event_ListConsumerGroupOffsets_result(ev);
    const rd_kafka_group_result_t **group = !*e && res ? rd_kafka_ListConsumerGroupOffsets_result_groups(res, &n) : NULL;
    if (*e || n == 0)
        return WR_OK;
    const rd_kafka_error_t *wrong = rd_kafka_group_result_error(group[0]);
    const rd_kafka_topic_partition_list_t *l = rd_kafka_group_result_partitions(group[0]);
    *e = wrong ? rd_kafka_error_code(wrong) : l && l->cnt ? l->elems[0].err : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (*e || l->elems[0].offset < 0)
        return WR_OK; /* nothing committed: the zero mark */
    if (read_mark(wr_kafka_txn_id(s->txn), l->elems[0].metadata, l->elems[0].metadata_size, m))
        return WR_OK;
    wr_fail(err, WR_EIO, "group \"%s\" has an offset on topic \"%s\" that is not weir's", wr_kafka_txn_id(s->txn), s->topic);
    wr_hint(err, "delete the group's offsets, and start anew with --reset");
    return WR_EIO;
}

static wr_status ask_once(struct wr_kafka_out *s, rd_kafka_t *asker, bool stable, rd_kafka_resp_err_t *e, struct wr_kafka_mark *m, struct wr_error *err)
{
    char why[200];
    *m = (struct wr_kafka_mark){0, 0};
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(l, s->topic, 0);
    rd_kafka_ListConsumerGroupOffsets_t *what = rd_kafka_ListConsumerGroupOffsets_new(wr_kafka_txn_id(s->txn), l);
    rd_kafka_AdminOptions_t *opts = rd_kafka_AdminOptions_new(asker, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    (void)rd_kafka_AdminOptions_set_request_timeout(opts, REQUEST_MS, why, sizeof why);
    rd_kafka_error_t *bad = rd_kafka_AdminOptions_set_require_stable_offsets(opts, stable);
    rd_kafka_error_destroy(bad); /* NULL is allowed; an old broker that cannot is found by its answer */
    rd_kafka_queue_t *queue = rd_kafka_queue_new(asker);
    rd_kafka_ListConsumerGroupOffsets(asker, &what, 1, opts, queue);
    rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, REQUEST_MS + 1000);
    wr_status st = WR_OK;
    *e = RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (ev) {
        st = take_answer(s, ev, e, m, err);
        rd_kafka_event_destroy(ev);
    }
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(opts);
    rd_kafka_ListConsumerGroupOffsets_destroy(what);
    rd_kafka_topic_partition_list_destroy(l);
    return st;
}

wr_status wr_kafka_mark_ask(struct wr_kafka_out *s, rd_kafka_t *asker, bool stable, struct wr_kafka_mark *m, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    for (;;) {
        rd_kafka_resp_err_t e;
        WR_TRY(ask_once(s, asker, stable, &e, m, err));
        if (!e)
            return WR_OK;
        if (wr_kafka_permanent(e) || wr_kafka_ms_since(started) > SETTLE_MS || wr_kafka_out_stopping(s))
            return wr_kafka_out_fail(s, rd_kafka_error_new(e, "%s", rd_kafka_err2str(e)), "read the committed checkpoint", err);
        wr_kafka_nap(20);
    }
}

/* kafka_topic.c: the topics a Kafka sink writes to: their names, whether they are there, making them.
 * Rules:  a topic that the brokers do not have is made only where the sink says create = 'true'.
 * Memory: nothing is kept. */
#include "connectors/kafka_sink.h"

#include <stdlib.h>
#include <time.h>

enum { ADMIN_MS = 8000 };

wr_status wr_kafka_topic_name(const struct wr_kafka_out *s, struct wr_str name, char **out, struct wr_error *err)
{
    struct wr_str topic = wr_str_trim(name);
    bool good = topic.n > 0 && topic.n <= 249;
    for (uint32_t i = 0; i < topic.n; i++) {
        char c = topic.p[i];
        good &= (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    }
    if (!good) {
        wr_fail(err, WR_ESQL, "\"%.*s\" cannot be the topic of sink \"%.*s\"", WR_FMT(topic), WR_FMT(s->spec.name));
        wr_hint(err, "a sink writes to one topic; its name has up to 249 letters, digits, '.', '_' and '-'");
        return WR_ESQL;
    }
    *out = wr_malloc((size_t)topic.n + 1);
    memcpy(*out, topic.p, topic.n);
    (*out)[topic.n] = 0;
    return WR_OK;
}

/* Waits for the answer to a request to make the topic. */
static wr_status created(struct wr_kafka_out *s, const char *name, rd_kafka_queue_t *queue, struct wr_error *err)
{
    rd_kafka_event_t *ev = rd_kafka_queue_poll(queue, ADMIN_MS + 1000);
    if (!ev)
        return wr_kafka_fail(s->k, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "cannot create topic \"%s\"", name);
    rd_kafka_resp_err_t e = rd_kafka_event_error(ev);
    const char *why = e ? rd_kafka_event_error_string(ev) : NULL;
    const rd_kafka_CreateTopics_result_t *res = rd_kafka_event_CreateTopics_result(ev);
    size_t n = 0;
    const rd_kafka_topic_result_t **topics = !e && res ? rd_kafka_CreateTopics_result_topics(res, &n) : NULL;
    if (n > 0) {
        e = rd_kafka_topic_result_error(topics[0]);
        why = rd_kafka_topic_result_error_string(topics[0]);
    }
    wr_status st = WR_OK;
    if (e && e != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        st = wr_fail(err, WR_EIO, "cannot create topic \"%s\" on \"%s\": %s", name, s->k->brokers, why ? why : rd_kafka_err2str(e));
    rd_kafka_event_destroy(ev);
    return st;
}

static wr_status create_topic(struct wr_kafka_out *s, const char *name, struct wr_error *err)
{
    char why[300];
    int64_t partitions = wr_opt_int(s->spec.opts, "partitions", 1), replication = wr_opt_int(s->spec.opts, "replication", 1);
    if (partitions < 1 || partitions > 100000 || replication < 1 || replication > 100)
        return wr_fail(err, WR_ESQL, "a topic cannot have %lld partitions with replication factor %lld", (long long)partitions,
                       (long long)replication);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, (int)partitions, (int)replication, why, sizeof why);
    if (!topic)
        return wr_fail(err, WR_ESQL, "cannot create topic \"%s\": %s", name, why);
    rd_kafka_AdminOptions_t *opts = rd_kafka_AdminOptions_new(s->k->rk, RD_KAFKA_ADMIN_OP_CREATETOPICS);
    (void)rd_kafka_AdminOptions_set_request_timeout(opts, ADMIN_MS, why, sizeof why);
    (void)rd_kafka_AdminOptions_set_operation_timeout(opts, ADMIN_MS, why, sizeof why);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(s->k->rk);
    rd_kafka_CreateTopics(s->k->rk, &topic, 1, opts, queue);
    wr_status st = created(s, name, queue, err);
    rd_kafka_queue_destroy(queue);
    rd_kafka_AdminOptions_destroy(opts);
    rd_kafka_NewTopic_destroy(topic);
    return st;
}

/* Error of the topic as the brokers see it now. */
static wr_status topic_state(struct wr_kafka_out *s, const char *name, rd_kafka_topic_t *rkt, rd_kafka_resp_err_t *e, struct wr_error *err)
{
    const struct rd_kafka_metadata *md;
    WR_TRY(wr_kafka_metadata(s->k, false, rkt, s->spec.stop, &md, err));
    *e = RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0)
            *e = md->topics[i].err ? md->topics[i].err : md->topics[i].partition_cnt ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE;
    rd_kafka_metadata_destroy(md);
    return WR_OK;
}

/* A broker that creates topics by itself has done it by the second look, because the
 * producer's handle asks for the topic in the way that triggers it. */
wr_status wr_kafka_topic_find(struct wr_kafka_out *s, const char *name, rd_kafka_topic_t *rkt, struct wr_error *err)
{
    enum { LOOKS = 12, PAUSE_US = 100000 };
    bool create = wr_opt_bool(s->spec.opts, "create", false);
    rd_kafka_resp_err_t e = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (int look = 0; look < LOOKS; look++) {
        WR_TRY(topic_state(s, name, rkt, &e, err));
        if (!e || e == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) /* about to be elected: producing waits for it */
            return WR_OK;
        if (e != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return wr_kafka_fail(s->k, e, err, "cannot write to topic \"%s\"", name);
        if (create) {
            WR_TRY(create_topic(s, name, err));
            create = false;
        }
        struct timespec t = {0, PAUSE_US * 1000L};
        (void)nanosleep(&t, NULL);
        if (s->spec.stop && atomic_load(s->spec.stop))
            return wr_fail(err, WR_ESTOP, "stopped while sink \"%.*s\" was opening", WR_FMT(s->spec.name));
    }
    wr_kafka_no_topic(s->k, wr_str_c(name), err);
    err->hint[0] = 0;
    wr_hint(err, "create it, or add create = 'true' to the sink");
    return WR_EIO;
}

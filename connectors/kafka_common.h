/* kafka_common.h: what source, sink and the embedded broker share of librdkafka: a client made of checked options, its troubles in words,
 * metadata with a time limit.
 * Rules:  librdkafka properties pass only by the list in kafka_common.c (some of them run programs or load libraries); what weir's own
 *         promises rest on is set last and cannot be overridden. librdkafka itself never writes to stderr: its lines go to wr_log at debug.
 * Memory: a client is counted: its user has one reference, each batch that holds its messages another. Closing takes at most a few seconds,
 *         whatever the brokers do: what hangs is left to a thread of its own. */
#ifndef WR_CONNECTORS_KAFKA_COMMON_H
#define WR_CONNECTORS_KAFKA_COMMON_H

#include "connectors/internal.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>

struct wr_kafka {
    atomic_int refs;
    rd_kafka_t *rk;
    char *brokers;         /* as the user wrote them */
    char *user;            /* login name; NULL: none */
    pthread_mutex_t lock;  /* guards what follows; written by librdkafka's callbacks */
    rd_kafka_resp_err_t trouble; /* last broker-level error that matters: login, TLS, transport; NO_ERROR: none */
    rd_kafka_resp_err_t fatal;   /* the client cannot go on */
    int64_t down_since;    /* monotonic µs since when no broker at all is reachable; 0: some is, or not known */
    char why[300];         /* text of `trouble` or `fatal`, tidied */
    void (*delivered)(void *ctx, const rd_kafka_message_t *m); /* producer: a delivery report; called inside rd_kafka_poll */
    void *ctx;
};

struct wr_kafka_prop { const char *key, *value; }; /* lists end with key NULL */

/* Options of both roles, for the connector's list: see kafka_source.c. */
#define WR_KAFKA_DEFAULT_GROUP "weir"
enum { WR_KAFKA_WAIT_MS = 8000 }; /* for a first answer of the brokers; together with what comes after it stays under 10 s */

/* Checks every option that becomes a librdkafka property, without connecting. */
wr_status wr_kafka_check_opts(const struct wr_opts *opts, enum wr_role role, struct wr_error *err);
/* soft: defaults that kafka.* options may change; hard: what they may not. Does not wait for a connection. */
wr_status wr_kafka_open(const struct wr_opts *opts, enum wr_role role, const struct wr_kafka_prop *soft, const struct wr_kafka_prop *hard,
                        struct wr_kafka **out, struct wr_error *err);
struct wr_kafka *wr_kafka_ref(struct wr_kafka *k);
void wr_kafka_unref(struct wr_kafka *k); /* NULL is allowed */

/* Sets err from a librdkafka error: fatal and login troubles first, else `code`; `doing` begins the message ("cannot read topic \"x\""). */
wr_status wr_kafka_fail(struct wr_kafka *k, rd_kafka_resp_err_t code, struct wr_error *err, const char *doing, ...) WR_PRINTF(4, 5);
/* True if the brokers refuse us or none has been reachable for a while; err is set. For loops that wait for an answer. */
bool wr_kafka_hopeless(struct wr_kafka *k, int64_t started, struct wr_error *err);
/* Metadata of all topics, of `only`, or (neither) of those that have a handle. Waits for the brokers up to WR_KAFKA_WAIT_MS. */
wr_status wr_kafka_metadata(struct wr_kafka *k, bool all, rd_kafka_topic_t *only, const atomic_bool *stop,
                            const struct rd_kafka_metadata **md, struct wr_error *err);
/* `there is no topic "x" on "brokers"`, with the nearest existing name. */
wr_status wr_kafka_no_topic(struct wr_kafka *k, struct wr_str topic, struct wr_error *err);
/* kafka_list.c: the topics there are. */
wr_status wr_kafka_list(const struct wr_opts *opts, bool quick, struct wr_arena *a, struct wr_listed **out, int *n, struct wr_error *err);
/* kafka_sink.c, kafka_source.c; the connector itself is in kafka.c. */
extern const struct wr_sink_vt wr_kafka_sink;
extern const struct wr_source_vt wr_kafka_source_vt;
/* True if the linked librdkafka is at least this version: 0x020200 for 2.2.0. */
bool wr_kafka_version_at_least(int version);

#endif

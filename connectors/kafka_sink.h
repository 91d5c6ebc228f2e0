/* kafka_sink.h: what the files of the Kafka sink share.
 *   kafka_sink.c   rows to records, delivery, the topic, life of the client
 *   kafka_txn.c    exactly once: transactions, what to do when one is lost or its outcome is unknown
 *   kafka_mark.c   exactly once: the checkpoint's id in the metadata of a committed offset */
#ifndef WR_CONNECTORS_KAFKA_SINK_H
#define WR_CONNECTORS_KAFKA_SINK_H

#include "connectors/kafka_common.h"

#define WR_KAFKA_TXN_TIMEOUT "30000" /* ms; unless the option kafka.transaction.timeout.ms says otherwise */

struct wr_kafka_txn;

struct wr_kafka_out {
    struct wr_sink base;
    struct wr_sink_spec spec;
    struct wr_kafka *k;           /* NULL: given up, about to be made anew (exactly once) */
    rd_kafka_topic_t *rkt;
    char *topic;
    struct wr_encoder *encoder;   /* values */
    struct wr_encoder *key_json;  /* keys as JSON objects; NULL: plain text, or no keys */
    const struct wr_format *json; /* of key_json */
    int *all;                     /* 0..n-1: all columns */
    struct wr_buf key, value;     /* of one row */
    uint64_t acked, refused;      /* delivery reports */
    struct wr_error failed;       /* the first record that was not delivered; exactly once: only what no new transaction would mend */
    struct wr_kafka_txn *txn;     /* exactly once; NULL: at least once */
};

struct wr_kafka_record { struct wr_str key, value; bool has_key, has_value; };

/* ---- kafka_sink.c ---- */
/* Makes the client and finds the topic. */
wr_status wr_kafka_out_connect(struct wr_kafka_out *s, struct wr_error *err);
/* Gives the client up with all that it has not sent. */
void wr_kafka_out_disconnect(struct wr_kafka_out *s);
/* Hands one record over; waits while the queue is full. opaque comes back with the delivery report. */
wr_status wr_kafka_out_produce(struct wr_kafka_out *s, const struct wr_kafka_record *rec, void *opaque, struct wr_error *err);
/* Waits until all records are acknowledged. */
wr_status wr_kafka_out_drain(struct wr_kafka_out *s, struct wr_error *err);
/* Reports a record that the topic does not take. */
void wr_kafka_out_refuse(struct wr_kafka_out *s, rd_kafka_resp_err_t e, int32_t part, struct wr_str key, struct wr_str value);
/* The failure that ends the sink, if there was one. */
wr_status wr_kafka_out_state(struct wr_kafka_out *s, struct wr_error *err);

/* ---- kafka_mark.c ---- */
struct wr_kafka_mark { uint64_t ckpt, token; }; /* committed checkpoint (0: none yet), instance that committed it */
char *wr_kafka_mark_print(const char *id, struct wr_kafka_mark m); /* malloc'd */
wr_status wr_kafka_asker_open(struct wr_kafka_out *s, rd_kafka_t **asker, struct wr_error *err);
void wr_kafka_asker_close(rd_kafka_t *asker); /* NULL allowed */
/* Reads the mark. stable: waits until no transaction is about to change it. */
wr_status wr_kafka_mark_ask(struct wr_kafka_out *s, rd_kafka_t *asker, bool stable, struct wr_kafka_mark *m, struct wr_error *err);
bool wr_kafka_out_stopping(const struct wr_kafka_out *s);
void wr_kafka_nap(int ms);
int64_t wr_kafka_ms_since(int64_t mono);
bool wr_kafka_permanent(rd_kafka_resp_err_t e); /* is it no use to try again? */
/* Sets err from e, which it frees. */
wr_status wr_kafka_out_fail(struct wr_kafka_out *s, rd_kafka_error_t *e, const char *doing, struct wr_error *err);

/* ---- kafka_txn.c ---- */
wr_status wr_kafka_txn_open(struct wr_kafka_out *s, struct wr_error *err); /* before the first connect */
/* Ends a transaction that nobody tried to commit. */
void wr_kafka_txn_abandon(struct wr_kafka_out *s);
void wr_kafka_txn_close(struct wr_kafka_txn *t);                           /* NULL allowed */
const char *wr_kafka_txn_id(const struct wr_kafka_txn *t);
bool wr_kafka_txn_single(const struct wr_kafka_txn *t); /* the next client sends each record in a batch of its own */
/* One record of the transaction under way; begins it if there is none. */
wr_status wr_kafka_txn_record(struct wr_kafka_out *s, const struct wr_kafka_record *rec, struct wr_error *err);
/* A delivery report with an error, inside rd_kafka_poll. */
void wr_kafka_txn_undelivered(struct wr_kafka_out *s, const rd_kafka_message_t *m, bool about_record);
/* True if the transaction under way can only be given up. */
bool wr_kafka_txn_lost(const struct wr_kafka_out *s);
wr_status wr_kafka_txn_recover(struct wr_sink *base, uint64_t *ckpt, struct wr_error *err);
wr_status wr_kafka_txn_commit(struct wr_sink *base, uint64_t ckpt, const struct wr_position *pos, int n_pos, struct wr_error *err);

#endif

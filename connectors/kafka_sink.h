/* kafka_sink.h: what the files of the Kafka sink share.
 *   kafka_sink.c   rows to records, delivery, life of the client
 *   kafka_topic.c  is the topic there? making it
 *   kafka_letters.c   records that the topic refuses
 *   kafka_txn.c    exactly once: transactions, what to do when one is lost or its outcome is unknown
 *   kafka_mark.c   exactly once: the checkpoint's id in the metadata of a committed offset */
#ifndef WR_CONNECTORS_KAFKA_SINK_H
#define WR_CONNECTORS_KAFKA_SINK_H

#include "connectors/kafka_common.h"

#define WR_KAFKA_TXN_TIMEOUT "30000" /* ms; unless the option kafka.transaction.timeout.ms says otherwise */

struct wr_kafka_txn;
struct wr_kafka_letters; /* kafka_letters.c's own */

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
    uint64_t refused;             /* by delivery reports */
    struct wr_error failed;       /* the first record that was not delivered; exactly once: only what no new transaction would mend */
    struct wr_kafka_letters *letters;
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
/* The failure that ends the sink, if there was one. */
wr_status wr_kafka_out_state(struct wr_kafka_out *s, struct wr_error *err);

/* ---- kafka_topic.c ---- */
/* A topic's name as librdkafka takes it, malloc'd; an error if it cannot be one. */
wr_status wr_kafka_topic_name(const struct wr_kafka_out *s, struct wr_str name, char **out, struct wr_error *err);
/* Is the topic there? Makes it if the options say so. */
wr_status wr_kafka_topic_find(struct wr_kafka_out *s, const char *name, rd_kafka_topic_t *rkt, struct wr_error *err);

/* ---- kafka_letters.c ---- */
#define WR_KAFKA_LETTER ((void *)UINTPTR_MAX) /* opaque of a letter: it goes to dlq_topic */
wr_status wr_kafka_letters_open(struct wr_kafka_out *s, struct wr_error *err); /* before the first connect */
void wr_kafka_letters_close(struct wr_kafka_out *s);
wr_status wr_kafka_letters_connect(struct wr_kafka_out *s, struct wr_error *err);
void wr_kafka_letters_disconnect(struct wr_kafka_out *s);
rd_kafka_topic_t *wr_kafka_letters_topic(const struct wr_kafka_out *s, const char **name);
/* Does with a record that the topic does not take what on_error says; may be called inside a delivery report. A failure is in s->failed. */
void wr_kafka_out_refuse(struct wr_kafka_out *s, rd_kafka_resp_err_t e, int32_t part, struct wr_str key, struct wr_str value);
/* Hands over the letters that wait. */
wr_status wr_kafka_letters_send(struct wr_kafka_out *s, struct wr_error *err);
bool wr_kafka_letters_wait(const struct wr_kafka_out *s);
void wr_kafka_letters_clear(struct wr_kafka_out *s); /* their transaction is committed */

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
bool wr_kafka_txn_alone(const struct wr_kafka_txn *t);  /* this one does */
/* One record of the transaction under way; begins it if there is none. */
wr_status wr_kafka_txn_record(struct wr_kafka_out *s, const struct wr_kafka_record *rec, struct wr_error *err);
/* A delivery report with an error, inside rd_kafka_poll. */
void wr_kafka_txn_undelivered(struct wr_kafka_out *s, const rd_kafka_message_t *m, bool about_record);
/* True if the transaction under way can only be given up. */
bool wr_kafka_txn_lost(const struct wr_kafka_out *s);
wr_status wr_kafka_txn_recover(struct wr_sink *base, uint64_t *ckpt, struct wr_error *err);
wr_status wr_kafka_txn_commit(struct wr_sink *base, uint64_t ckpt, const struct wr_position *pos, int n_pos, struct wr_error *err);

#endif

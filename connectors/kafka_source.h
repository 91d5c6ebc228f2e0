/* kafka_source.h: what the files of the Kafka source share.
 *   kafka_source.c  the vtable, polling, records into rows
 *   kafka_parts.c   which partitions there are, where each starts and ends
 *   kafka_position.c  positions as text; is the topic still the one that was read?
 *   kafka_watch.c   a thread of its own that asks for end offsets and new partitions
 * Rules:  partitions are assigned with explicit offsets, never by a consumer group; there is no pause, seek or rebalance during a run, so
 *         that librdkafka's batch call is safe to use; a record before the expected offset is dropped all the same. */
#ifndef WR_CONNECTORS_KAFKA_SOURCE_H
#define WR_CONNECTORS_KAFKA_SOURCE_H

#include "connectors/kafka_common.h"

#include <regex.h>

struct wr_kafka_topic {
    char *name;
    rd_kafka_topic_t *rkt;         /* ours; makes librdkafka ask for the topic's metadata */
    const rd_kafka_topic_t *seen;  /* as messages carry it; NULL: none came yet */
    int missing;                   /* how often in a row the brokers did not know it; twice: it was deleted */
    int n_part;
    int *slot;                     /* by partition number: index into wr_source.part */
};

/* What the source knows of a partition beyond wr_part; same index. */
struct wr_kafka_slot {
    int topic;
    int64_t low;                   /* first offset there was at open */
    int64_t stop;                  /* bounded: first offset that is not wanted; -1: none */
    int64_t skip;                  /* next offset to be left out; -1: none */
    bool fresh;                    /* appeared while we ran: starts at its beginning */
    bool assigned;
    bool unproven;                 /* seek: no record was compared with mark_sum yet; reading begins at mark */
    int64_t mark;                  /* offset of the last record that became a row; -1: none */
    uint32_t mark_sum;             /* its checksum */
    const rd_kafka_message_t *last;/* it, within this batch; NULL: none came */
};

struct wr_kafka_skip { struct wr_str topic; int32_t part; int64_t offset; }; /* a record to be left out; no topic: of any */

struct wr_kafka_source {
    struct wr_source base;
    struct wr_source_spec spec;
    struct wr_arena mem;           /* position text copies and the like; lives as long as the source */
    struct wr_kafka *k;
    struct wr_decoder *decoder;
    rd_kafka_queue_t *queue;       /* all partitions' queues flow into this one */
    bool pattern;                  /* topics come and go by regex */
    regex_t regex;
    int n_topic;
    struct wr_kafka_topic *topic;
    struct wr_kafka_slot *slot;    /* n_part of them */
    struct wr_kafka_watch *watch;  /* NULL before the first poll */
    bool assigned;
    int n_skip;
    struct wr_kafka_skip *skip;    /* malloc'd */
    int hand;                      /* index of the partition whose record was taken last; -1: none yet */
    uint32_t batch_rows;
    rd_kafka_message_t **msg;      /* batch_rows of them: what the last call gave */
    int64_t max_bytes;             /* larger records are bad */
    bool null_rows;                /* a record without a value is a row of NULLs, not skipped */
    uint64_t repeats;              /* records dropped because they came a second time */
    struct wr_bad bad;             /* of the record in hand; here, because 300 bytes on the stack are cleared with each call */
    struct wr_error failed;        /* to be returned by the next poll: rows before it went out first */
};

/* ---- kafka_parts.c ---- */
/* Finds topics and partitions, and where each begins, starts and ends. */
wr_status wr_kafka_parts_find(struct wr_kafka_source *s, struct wr_error *err);
/* Hands the partitions not yet assigned to librdkafka, from part[].next on. */
wr_status wr_kafka_parts_assign(struct wr_kafka_source *s, struct wr_error *err);
/* Adds what of `md` is not known yet (unless the run is bounded); new partitions start at their beginning. A topic that went away is an error:
 * librdkafka 2.0.2 keeps silent about it. */
wr_status wr_kafka_parts_grow(struct wr_kafka_source *s, const struct rd_kafka_metadata *md, struct wr_error *err);
void wr_kafka_parts_mark_ended(struct wr_kafka_source *s); /* partitions that have nothing (more) for a bounded run */
void wr_kafka_parts_clear(struct wr_kafka_source *s);
/* Index into base.part for a message, or -1. */
int wr_kafka_parts_slot(struct wr_kafka_source *s, const rd_kafka_message_t *m);

/* ---- kafka_skip.c ---- */
wr_status wr_kafka_skip_read(struct wr_kafka_source *s, struct wr_error *err); /* before the partitions are found */
bool wr_kafka_skip_hit(struct wr_kafka_source *s, int slot, const rd_kafka_message_t *m); /* is it one of them? The slot goes on to the next */
/* The first offset behind this one that is to be left out; -1: none. */
int64_t wr_kafka_skip_after(const struct wr_kafka_source *s, const char *topic, int32_t part, int64_t offset);

/* ---- kafka_position.c ---- */
void wr_kafka_position_print(const struct wr_kafka_source *s, struct wr_buf *out);
wr_status wr_kafka_position_seek(struct wr_kafka_source *s, struct wr_str position, struct wr_error *err);
int64_t wr_kafka_position_first(const struct wr_kafka_source *s, int i); /* where reading partition i begins */
/* A record before the expected one: true if it was asked for, to be compared. A difference goes to s->failed. */
bool wr_kafka_position_prove(struct wr_kafka_source *s, int i, const rd_kafka_message_t *m);
void wr_kafka_position_note(struct wr_kafka_source *s); /* after a batch: slot[].last are the last records read */

/* ---- kafka_watch.c ---- */
struct wr_kafka_watch;
/* all_topics: new topics may match a pattern. every_ms: how often to look for new partitions; 0: never. */
struct wr_kafka_watch *wr_kafka_watch_new(struct wr_kafka *k, bool all_topics, int every_ms);
/* Which partitions to ask about: a copy of the list is taken. Indexes in wr_kafka_watch_take follow it. */
void wr_kafka_watch_list(struct wr_kafka_watch *w, const rd_kafka_topic_partition_list_t *list);
/* Says whether records are waiting: then the brokers are asked every few ms (librdkafka before 2.2 sleeps on full queues). */
void wr_kafka_watch_backlog(struct wr_kafka_watch *w, bool backlog);
/* The answers since the last call: end[i] is set (others keep their value, fresh[i] false). *md: new metadata, caller destroys; NULL: none. */
void wr_kafka_watch_take(struct wr_kafka_watch *w, int n, int64_t *end, bool *fresh, const struct rd_kafka_metadata **md);
void wr_kafka_watch_free(struct wr_kafka_watch *w); /* NULL is allowed; waits for the thread at most a moment */

#endif

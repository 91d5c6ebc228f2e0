/* due.h: what is due when in the partitions of an operator: events in order of event time, then kind, then partition, so that what is done does not
 * depend on arrival. An event is there once however often it is set. It goes into checkpoints with the partitions.
 * Memory: owned by struct wr_due. One owner thread. */
#ifndef WR_EXECUTOR_DUE_H
#define WR_EXECUTOR_DUE_H

#include "executor/parts.h"

enum { WR_DUE_MANY = 512 };   /* events worked on between two looks at max_state_bytes: each may bring a partition into memory */

struct wr_due {
    struct wr_parts *parts;
    uint32_t id_at;            /* where in a partition's own bytes its uint32_t id is: place in by_id, from 1; 0: none yet */
    struct wr_omap map;        /* time, event, partition: its id; 1: not in memory, it is found by its fields */
    struct wr_omap changed;    /* for the checkpoint */
    struct wr_group **by_id;   /* NULL: the partition is gone; AWAY (due.c): it is on disk */
    uint32_t n_id, cap_id, free_id; /* free_id: a place that is free, from 1; 0: none */
    uint32_t *next_free;       /* by id - 1 */
    struct wr_buf key;         /* of the event taken */
    int64_t closed;            /* rows with a lesser time are late: what was due before it was done; WR_WM_NONE: none yet */
};
void wr_due_init(struct wr_due *d, struct wr_parts *parts, uint32_t id_at);
void wr_due_clear(struct wr_due *d);
/* Gives the partition its id; events of one without are not set. */
void wr_due_know(struct wr_due *d, struct wr_group *x);
/* The partition is removed: its events are passed over. */
void wr_due_forget(struct wr_due *d, struct wr_group *x);
/* The partition goes to disk; it is back in memory. */
void wr_due_away(struct wr_due *d, struct wr_group *x);
void wr_due_back(struct wr_due *d, struct wr_group *x);
uint64_t wr_due_bytes(const struct wr_due *d);
void wr_due_set(struct wr_due *d, struct wr_group *x, int64_t time, int event);
/* Takes the first event with a time < before of a partition that is still there, and brings that into memory. NULL: there is none. */
struct wr_group *wr_due_take(struct wr_due *d, int64_t before, int64_t *time, int *event);
/* Under the operator's keys of kinds 'd' and 'm'. Restore: after wr_parts_restore; false: damaged. */
void wr_due_checkpoint(struct wr_due *d, struct wr_buf *delta);
bool wr_due_restore(struct wr_due *d, struct wr_store_reader *r);

/* Takes in a batch (consumes it) whose event time is ORDER BY's first column: add() is called for each row that is not late; rows without a time are bad.
 * scratch is reset. */
wr_status wr_due_process(struct wr_due *d, struct wr_batch *b, struct wr_arena *scratch,
                         void (*add)(struct wr_op *, const struct wr_batch *, uint32_t row, int64_t time, uint64_t hash), struct wr_error *err);

#endif

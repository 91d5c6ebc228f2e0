/* live.h: partitions whose result is shown as it changes: the common part of Top-N and of OVER over changing input.
 *
 *   process:    a row goes into (or out of) its partition; the result shown of it is kept before the first change since the last flush.
 *   flush:      each changed partition is listed anew, and the difference is given: -D, +I, -U +U.
 *   watermark:  partitions of windows with end <= W are flushed; with end + lateness <= W they are dropped (EMIT FINAL: listed, once, and dropped).
 *   finish:     what is left is final.
 *
 * A result is a list of rows in order: an entry of the partition and, next to it, what the operator computed for it.
 * Keys: rows that go are given before rows that come within a partition, and a row's key has the partition's columns in it (node_over.c), so
 * that a sink that keeps one row a key ends with the right one. */
#ifndef WR_EXECUTOR_LIVE_H
#define WR_EXECUTOR_LIVE_H

#include "executor/parts.h"

struct wr_list_row {
    struct wr_str entry;
    int64_t number;            /* Top-N: place; OVER: row of `extra` */
    bool bad;                  /* could not be computed: not shown */
};
struct wr_list {
    struct wr_list_row *row;
    uint32_t n;
    struct wr_batch *extra;    /* OVER: what was computed, one column a function; NULL: numbers only */
};

struct wr_live_change {        /* a partition that changed since the last flush */
    struct wr_part_pane *pane;
    struct wr_group *group;
    struct wr_list before;     /* in live->old */
    int64_t place;             /* in the order of first changes */
    uint32_t number;           /* while a checkpoint is read: where it stood there */
    bool owed;                 /* the last checkpoint knows that it was not shown */
};

struct wr_live {
    struct wr_parts parts;     /* first */
    struct wr_op *op;
    bool final;
    /* The operator's: lists a partition's result into mem. keep: the entries' bytes must outlive changes of the partition. */
    void (*list)(struct wr_live *, struct wr_group *, bool keep, struct wr_arena *mem, struct wr_list *out);
    /* NULL, or decides over an added row before it goes in (parts.entry has ORDER BY's bytes; completes it). false: it cannot become part of the result. */
    bool (*admit)(struct wr_live *, struct wr_group *, const struct wr_batch *, uint32_t row);
    /* NULL, or takes out what cannot become part of the result any more. Returns the rows taken out. */
    uint64_t (*trim)(struct wr_live *, struct wr_part_pane *, struct wr_group *);
    bool by_place;             /* the n-th row before is the n-th row after, changed: -U +U */
    int first_extra;           /* output column of what is computed */
    int n_extra;               /* 0: none, nothing of it is shown */
    struct wr_live_change *change;
    uint32_t n_change, cap_change;
    int64_t next_place;
    struct wr_arena old, now;  /* lists: until the flush; of one partition */
    struct wr_arena scratch;
    struct wr_builder out;
    int64_t next_due;          /* EMIT EVERY: monotonic time of the next flush; 0: not set */
    bool due;
};

void wr_live_open(struct wr_live *v, struct wr_op *op, const struct wr_partby *by, uint32_t own);
void wr_live_close(struct wr_live *v);
wr_status wr_live_process(struct wr_op *op, int in, struct wr_batch *b, struct wr_error *err);
wr_status wr_live_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err);
wr_status wr_live_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err);
wr_status wr_live_flush(struct wr_op *op, struct wr_error *err);
wr_status wr_live_finish(struct wr_op *op, struct wr_error *err);
wr_status wr_live_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err);
wr_status wr_live_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err);
/* Puts a partition at the end of the changed ones; `before` is the caller's to fill. */
struct wr_live_change *wr_live_list(struct wr_live *v, struct wr_part_pane *p, struct wr_group *x);

/* live_owed.c */
/* For a checkpoint: changed partitions that it does not know as such. */
void wr_live_owes(struct wr_live *v, struct wr_buf *delta);
/* One that it knows is shown. */
void wr_live_paid(struct wr_live *v, const struct wr_live_change *d);
wr_status wr_live_restore_owed(struct wr_live *v, struct wr_store_reader *r, struct wr_error *err);

#endif

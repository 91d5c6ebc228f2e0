/* parts.h: partitions of rows, each kept in the order of an ORDER BY: what Top-N and OVER hold.
 *
 * - A row is one entry of its partition's ordered map: ORDER BY's columns, then the others, in order-preserving bytes (core/key.h); the number
 *   says how often it is held. So the order is total and the same whatever the arrival, the batches and the tasks were; rows can be taken back.
 *   The partition's own columns are not repeated in the entry.
 * - Partitions that belong to windows lie in panes, one for each window end, and go with them. All others lie in one pane for ever.
 * - Checkpoints: what changed since the last one is kept by entry; after a restart a partition comes back when it is asked for (parts_state.c).
 * Memory: all owned by struct wr_parts. One owner thread. */
#ifndef WR_EXECUTOR_PARTS_H
#define WR_EXECUTOR_PARTS_H

#include "core/omap.h"
#include "executor/groups.h"
#include "executor/internal.h"

/* In each group's extra bytes, before the operator's own. */
struct wr_partition {
    struct wr_omap rows;
    int64_t touched;           /* time of the last row, for state.ttl */
    uint32_t listed;           /* the operator's: place in its list of changed partitions, from 1; 0: not in it */
    bool here;                 /* its rows are in memory */
    bool loading;              /* being filled by wr_parts_load */
    bool noted;                /* in parts->noted */
};

struct wr_parts;
struct wr_part_pane {
    int64_t end;               /* of the window; INT64_MAX: no windows */
    struct wr_parts *of;
    struct wr_groups groups;
    uint64_t held;             /* input rows in it, modulo 2^64: with another number of instances the first counts what all held, and others go below 0 */
    struct wr_omap changed;    /* by store key behind the pane's prefix: count << 2 | absent in the last checkpoint << 1 | 1 */
    bool stored, lazy;         /* the last checkpoint knows it; some partitions may be on disk only */
    bool moved;                /* held changed since the last checkpoint */
    bool fired;                /* EMIT FINAL: its results were given */
};

struct wr_parts {
    struct wr_op *op;
    const struct wr_partby *by;
    const struct wr_schema *in;
    int n_rest;
    int *rest;                 /* columns of an entry behind ORDER BY's */
    struct wr_group_layout layout;
    uint32_t own;              /* offset of the operator's own bytes in an entry of the group table */
    struct wr_arena arena;     /* layout */
    struct wr_part_pane **pane;/* by end */
    int n_pane, cap_pane;
    struct wr_part_pane *last;
    struct wr_buf entry;       /* being encoded */
    struct wr_arena scratch;   /* values being read */
    size_t heap;               /* of the partitions' maps; who adds to one without wr_parts_add counts it here */
    int64_t next_sweep, next_measure;
    /* The operator's own state of a partition goes into checkpoints through these; NULL: it has none. */
    void (*save)(struct wr_op *, struct wr_group *, struct wr_buf *);
    bool (*load)(struct wr_op *, struct wr_group *, struct wr_str);
    int64_t (*open)(struct wr_op *, struct wr_group *); /* input rows of the partition that count as held; NULL: all its rows */
    void (*drop)(struct wr_op *, struct wr_group *); /* the group is removed: frees what its own bytes own; NULL: nothing */
    struct wr_group **noted;   /* partitions whose own state changed since the last checkpoint; removed ones are skipped */
    uint32_t n_noted, cap_noted;
    bool track;
    struct wr_buf gone;        /* delta records of what was dropped since the last checkpoint */
    struct wr_omap gone_own;   /* keys of partitions whose own state was dropped since then */
    struct wr_store_reader *reader;
};

/* own: bytes the operator keeps in each partition (zeroed). agg: aggregate states a partition has (offsets are set in layout.agg). */
void wr_parts_init(struct wr_parts *t, struct wr_op *op, const struct wr_partby *by, int n_agg, const struct wr_aggcall *agg, uint32_t own);
void wr_parts_clear(struct wr_parts *t);
static inline struct wr_partition *wr_partition_of(const struct wr_parts *t, struct wr_group *x)
{
    return (struct wr_partition *)(void *)((char *)x + t->layout.extra_offset);
}
static inline void *wr_partition_own(const struct wr_parts *t, struct wr_group *x) { return (char *)x + t->own; }

/* The pane of a window end, made if it is not there. Without windows: INT64_MAX. */
struct wr_part_pane *wr_parts_pane(struct wr_parts *t, int64_t end);
void wr_parts_drop_pane(struct wr_parts *t, int i);
/* The partition of a row; hash: wr_hash_rows over by->part with layout.seed. Without partition columns: the only one. */
struct wr_group *wr_parts_at(struct wr_parts *t, struct wr_part_pane *p, const struct wr_batch *b, uint32_t row, uint64_t hash);
/* Removes a partition with all it holds. */
void wr_parts_drop(struct wr_parts *t, struct wr_part_pane *p, struct wr_group *x);
/* The operator's own state of the partition has changed. */
void wr_parts_note(struct wr_parts *t, struct wr_group *x);

/* The row as an entry, in t->entry. In two steps, so that rows that are not wanted cost less: ORDER BY's part first. */
void wr_parts_encode_order(struct wr_parts *t, const struct wr_batch *b, uint32_t row);
void wr_parts_encode_rest(struct wr_parts *t, const struct wr_batch *b, uint32_t row);
/* Adds to the count of an entry (may be t->entry); what is written down for the checkpoint is seen to. Returns the new count. */
int64_t wr_parts_add(struct wr_parts *t, struct wr_part_pane *p, struct wr_group *x, struct wr_str entry, int64_t delta);
/* Bytes of the entry that are ORDER BY's. */
uint32_t wr_parts_order_len(struct wr_parts *t, struct wr_str entry);
/* Writes a row of the partition into row r of out, input columns 0..in->n - 1. */
void wr_parts_decode(struct wr_parts *t, const struct wr_group *x, struct wr_str entry, struct wr_batch *out, uint32_t r);

/* Calls drop() for each partition untouched for state.ttl that `keep` does not want kept (may be NULL). Looks from time to time only. */
int64_t wr_parts_now(const struct wr_op *op); /* event time, or monotonic where there is none: what state.ttl is measured in */
void wr_parts_expire(struct wr_parts *t, bool (*keep)(struct wr_op *, struct wr_group *));
void wr_parts_measure(struct wr_parts *t, int64_t mono_us);

/* ---- parts_state.c ---- */

void wr_parts_changed(struct wr_part_pane *p, const struct wr_group *x, struct wr_str entry, int64_t was, int64_t now);
void wr_parts_forget(struct wr_part_pane *p, struct wr_group *x); /* a partition that is removed: its own state */
void wr_parts_forget_pane(struct wr_part_pane *p);
/* Numbers by key of which a checkpoint knows an older state: remembers that one changed (0: is not there); then writes what changed below a prefix. */
void wr_track(struct wr_omap *changed, struct wr_str key, int64_t was, int64_t now);
void wr_track_write(struct wr_omap *changed, struct wr_buf *prefix, struct wr_buf *delta);
/* The partition with these fields (wr_group_key_bytes) of a restored pane; NULL: another instance has it. */
struct wr_group *wr_parts_of_bytes(struct wr_part_pane *p, struct wr_str bytes);
void wr_parts_fetch(void *pane, struct wr_groups *g, struct wr_group *x);
/* All partitions of a pane into memory: before a walk. */
void wr_parts_load(struct wr_part_pane *p);
void wr_parts_checkpoint(struct wr_parts *t, struct wr_buf *delta);
wr_status wr_parts_restore(struct wr_parts *t, struct wr_store_reader *r, struct wr_error *err);

#endif

/* parts.h: partitions of rows, each kept in the order of an ORDER BY: what Top-N and OVER hold.
 *
 * - A row is one entry of its partition's ordered map: ORDER BY's columns, then the others, in order-preserving bytes (core/key.h); the number
 *   says how often it is held. So the order is total and the same whatever the arrival, the batches and the tasks were; rows can be taken back.
 *   The partition's own columns are not repeated in the entry.
 * - Partitions that belong to windows lie in panes, one for each window end, and go with them. All others lie in one pane for ever.
 * - Checkpoints: what changed since the last one is kept by entry; after a restart a partition comes back when it is asked for (parts_state.c).
 * - What does not fit into memory is on disk, by partition (parts_spill.c).
 * Memory: all owned by struct wr_parts. One owner thread. */
#ifndef WR_EXECUTOR_PARTS_H
#define WR_EXECUTOR_PARTS_H

#include "core/omap.h"
#include "executor/groups.h"
#include "executor/filter.h"
#include "executor/internal.h"
#include "executor/spill.h"

/* In each group's extra bytes, before the operator's own. */
struct wr_partition {
    struct wr_omap rows;
    int64_t touched;           /* time of the last row, for state.ttl; 0: not known, it counts from the next look on */
    uint32_t listed;           /* the operator's: place in its list of changed partitions, from 1; 0: not in it */
    bool noted;                /* in parts->noted */
    bool found;                /* it came (back) from disk */
    bool same;                 /* the checkpoint, from which it came, has it as it is */
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
    bool busy;                 /* being walked: nothing goes to disk */
    uint32_t hand;             /* entry at which the search for partitions that can go goes on */
    uint64_t n_disk, disk_bytes; /* copies in the spill */
    struct wr_filter out;      /* partitions that went there */
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
    /* max_state_bytes (parts_spill.c) */
    bool limited;
    struct wr_spill spill;
    int next_pane;             /* at which the search for what can go goes on */
    const struct wr_group *current; /* being looked at: does not go */
    void (*away)(struct wr_op *, struct wr_group *); /* NULL, or called before a partition goes to disk: its own bytes must own nothing */
    void (*back)(struct wr_op *, struct wr_group *); /* NULL, or called when its own bytes are there again */
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
wr_status wr_parts_expire(struct wr_parts *t, bool (*keep)(struct wr_op *, struct wr_group *), struct wr_error *err);

/* ---- parts_state.c ---- */

void wr_parts_changed(struct wr_part_pane *p, const struct wr_group *x, struct wr_str entry, int64_t was, int64_t now);
void wr_parts_forget(struct wr_part_pane *p, struct wr_group *x); /* a partition that is removed: its own state */
void wr_parts_forget_pane(struct wr_part_pane *p);
/* Numbers by key of which a checkpoint knows an older state: remembers that one changed (0: is not there); then writes what changed below a prefix. */
void wr_track(struct wr_omap *changed, struct wr_str key, int64_t was, int64_t now);
void wr_track_write(struct wr_omap *changed, struct wr_buf *prefix, struct wr_buf *delta);
void wr_parts_settle(struct wr_part_pane *p, struct wr_group *x); /* its own state, if it has changed, goes into the next checkpoint */
/* The partition with these fields (wr_group_key_bytes), wherever it is. NULL: nowhere, or another instance has it. */
struct wr_group *wr_parts_find(struct wr_part_pane *p, struct wr_str fields);
/* The same, made if it is nowhere. */
struct wr_group *wr_parts_make(struct wr_part_pane *p, struct wr_str fields);
/* The same from disk only: NULL also when it is in memory. */
struct wr_group *wr_parts_bring(struct wr_part_pane *p, struct wr_str fields);
bool wr_parts_is_ours(struct wr_parts *t, struct wr_str fields); /* this instance's */
/* Cuts a store key behind the pane's prefix to the partition's fields; false: it has none. */
bool wr_parts_cut_fields(struct wr_parts *t, struct wr_str *key);
void wr_pane_prefix(struct wr_buf *key, const struct wr_part_pane *p, char kind);
void wr_parts_fetch(void *pane, struct wr_groups *g, struct wr_group *x);
void wr_parts_checkpoint(struct wr_parts *t, struct wr_buf *delta);
wr_status wr_parts_restore(struct wr_parts *t, struct wr_store_reader *r, struct wr_error *err);

/* ---- parts_spill.c ---- */

/* The operator keeps to max_state_bytes. Before the first row. */
void wr_parts_spills(struct wr_parts *t, void (*away)(struct wr_op *, struct wr_group *), void (*back)(struct wr_op *, struct wr_group *));
/* Sends partitions to disk when the state, with `more` bytes of the operator's own, is over the limit. When nothing points to a partition that is not listed. */
wr_status wr_parts_limit(struct wr_parts *t, uint64_t more, struct wr_error *err);
uint64_t wr_parts_bytes(const struct wr_parts *t);
/* Calls fn for each partition, those in memory in order of arrival, then those on disk, one at a time. What came from disk goes back there unless fn says
 * otherwise; fn may drop the partition (and says so), or fail. older: copies in the spill whose last row is later are passed over. */
wr_status wr_parts_each(struct wr_part_pane *p, int64_t older, enum wr_each (*fn)(void *ctx, struct wr_group *x, wr_status *st, struct wr_error *err), void *ctx,
                        struct wr_error *err);
bool wr_parts_fetch_copy(struct wr_part_pane *p, struct wr_group *x);
bool wr_parts_has_copy(struct wr_part_pane *p, struct wr_str fields);
void wr_parts_forget_disk(struct wr_part_pane *p); /* the pane is dropped */

#endif

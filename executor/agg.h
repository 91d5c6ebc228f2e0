/* agg.h: the windowed (and plain) GROUP BY, in six files: op_agg.c has panes, input, flush and close; agg_slices.c makes the windows of
 * HOP and CUMULATE out of slices, agg_sums.c merges slices ahead; agg_state.c and agg_owed.c are its checkpoints, agg_spill.c what is not in memory.
 *
 * Panes hold groups. NONE: one pane, for ever. TUMBLE: one a window. ATTACHED: one for each end time. HOP, CUMULATE: rows go into slices
 * (one slice a row, however many windows there are); window panes are merged from slices when results are due. */
#ifndef WR_EXECUTOR_AGG_H
#define WR_EXECUTOR_AGG_H

#include "core/omap.h"
#include "executor/filter.h"
#include "executor/groups.h"
#include "executor/internal.h"
#include "executor/spill.h"
#include "executor/window.h"

struct wr_dirty {              /* a group changed since the last flush */
    struct wr_group *group;
    uint32_t before;           /* place of its old result among the operator's `before` rows; only if it was emitted */
};

struct wr_pane {
    int64_t start, end;        /* [start, end) of the window or slice; NONE: whole range */
    struct wr_groups groups;
    uint64_t rows;             /* input rows that went in */
    struct wr_dirty *dirty;    /* in order of first change */
    uint32_t n_dirty, cap_dirty;
    uint32_t n_owed;           /* EMIT EVERY: that many of the dirty groups are written down as such in the last checkpoint */
    bool fired;                /* its results were emitted because W passed the end */
    /* checkpoints: only when the job keeps them */
    struct wr_op *op;
    char kind;                 /* of its keys: 'g' input panes, 'w' windows made of slices */
    bool stored;               /* the last checkpoint knows this pane */
    bool lazy;                 /* some of its groups may be on disk only */
    bool was_fired;            /* it was when it came out of a checkpoint: groups that are not FRESH have given their results */
    bool busy;                 /* being walked: none of its groups goes to disk */
    uint32_t hand;             /* entry at which the search for groups that can go to disk goes on */
    uint64_t n_out;            /* groups that went to disk and did not come back */
    uint64_t disk_bytes;       /* what these take in the spill, about */
    bool unknown;              /* came out of a checkpoint: any key may be on disk */
    struct wr_filter out;      /* not unknown: keys that ever went to disk */
    bool rescaled;             /* its record must be written anew: there were more or fewer instances */
    struct wr_group **changed; /* groups changed since the last checkpoint; removed ones are skipped by their flags */
    uint32_t n_changed, cap_changed;
    bool all_changed;          /* a good part of them has: the list is given up, their flags say which */
};

struct wr_panes {              /* sorted by end, then start */
    struct wr_pane **pane;
    int n, cap;
};

/* Slices merged ahead: agg_sums.c. */
struct wr_sum {
    int64_t at;                /* number of its first slice, by its width */
    bool split;                /* merging saved little: its halves are used in its place */
    struct wr_groups groups;
};
struct wr_sum_level {
    struct wr_sum **sum;       /* in order of time */
    int n, cap;
};
enum { WR_SUM_LEVELS = 24 };
struct wr_sums {
    struct wr_sum_level level[WR_SUM_LEVELS]; /* [0] is not used: those are the slices */
    int64_t upto;              /* no sum reaches beyond; WR_WM_NONE: there is none */
    bool off;                  /* memory is short: none are made any more */
    int busy;                  /* being walked: not cleared now */
};

struct wr_agg_op {
    const struct wr_plan_agg *p;
    struct wr_op *op;
    struct wr_arena arena;          /* layout */
    struct wr_arena scratch;        /* reset for each batch */
    struct wr_group_layout layout;
    bool sliced;                    /* HOP, CUMULATE */
    bool final;                     /* EMIT FINAL: results are shown once, when no late row can change them; changes are not tracked */
    struct wr_panes input;          /* where rows go */
    struct wr_panes window;         /* sliced: results by window */
    struct wr_sums sums;            /* sliced: slices merged ahead */
    struct wr_pane *last;           /* pane of the last row: rows come in runs */
    struct wr_builder out;
    struct wr_batch **before;       /* old results of dirty, emitted groups: rows of WR_BATCH_ROWS-sized batches */
    uint32_t n_before;              /* rows in them */
    uint32_t cap_before;            /* batches allocated for */
    int64_t next_sweep;             /* state.ttl: time of the next look for old groups */
    int64_t next_measure;           /* monotonic time of the next count of state bytes */
    int64_t next_due;               /* EMIT EVERY: monotonic time of the next flush; 0: not set */
    bool due;
    int64_t next_owed;              /* EMIT EVERY: place of the next dirty group that is written down */
    int64_t closed;                 /* sliced: watermark up to which windows were closed; WR_WM_NONE: none */
    bool late_rows;                 /* sliced: rows came that may be in windows with end <= closed, which are not shown with them yet */
    int64_t fired_to;               /* sliced, EMIT FINAL: end of the last window emitted; WR_WM_NONE: none */
    int64_t next_event;             /* sliced: least watermark at which a window fires or drops */
    bool track;                     /* the job keeps checkpoints */
    struct wr_buf gone;             /* delta records of stored groups and panes that were removed since the last checkpoint */
    struct wr_omap gone_keys;       /* keys of those groups: they are still on disk and must not come back */
    struct wr_store_reader *reader; /* groups come back from the checkpoint; NULL: it has none that are not in memory */
    struct wr_spill spill;          /* max_state_bytes: groups that changed since the last checkpoint, or all where none are kept */
    uint32_t epoch;                 /* checkpoints taken */
    uint64_t snapshot_id;           /* the last one's number in the store: until that is applied the store does not know what it wrote */
    uint64_t spilled_bytes;         /* since the last checkpoint */
    uint32_t next_pane;             /* at which the search goes on */
    bool limited;                   /* the job has a max_state_bytes, or spills all it can */
    int first_agg;                  /* output column of the first aggregate */
};

struct wr_pane *wr_pane_find(const struct wr_panes *list, int64_t start, int64_t end); /* NULL: it is not there */
struct wr_pane *wr_pane_at(struct wr_agg_op *a, struct wr_panes *list, int64_t start, int64_t end);
/* Removes pane i and frees it; its rows are passed. */
void wr_pane_drop(struct wr_op *op, struct wr_panes *list, int i);
/* Puts a group on the dirty list; keeps its emitted result first. Call before its states change. */
void wr_pane_touch(struct wr_agg_op *a, struct wr_pane *pane, struct wr_group *x);
/* Puts it at the end of the pane's dirty list. */
void wr_pane_list(struct wr_pane *pane, struct wr_dirty d);
/* Room for one more emitted result: its place, and the row of the batch returned. */
struct wr_batch *wr_agg_before_row(struct wr_agg_op *a, uint32_t *at, uint32_t *row);
/* Emits what changed in a pane: +I, -U +U, -D. */
wr_status wr_pane_flush(struct wr_op *op, struct wr_pane *pane, struct wr_error *err);
/* Emits all groups of a pane as +I (those not emitted yet). */
wr_status wr_pane_fire(struct wr_op *op, struct wr_pane *pane, struct wr_error *err);
void wr_agg_forget_before(struct wr_agg_op *a);
wr_status wr_agg_emit(struct wr_op *op, struct wr_error *err);

/* agg_state.c */
/* Does a key belong to this instance of the operator? */
bool wr_group_is_ours(const struct wr_op *op, const struct wr_group_layout *l, const struct wr_value *key);
/* The group has changed since the last checkpoint. */
void wr_pane_changed(struct wr_pane *pane, struct wr_group *x);
/* A group leaves the pane for good. */
void wr_pane_remove(struct wr_agg_op *a, struct wr_pane *pane, struct wr_group *x);
/* A pane is dropped for good. */
void wr_pane_forget(struct wr_agg_op *a, struct wr_pane *pane);
/* Makes the group with these key fields; NULL: it is in memory, or another instance's. */
struct wr_group *wr_pane_take_in(struct wr_agg_op *a, struct wr_pane *pane, struct wr_str fields);
/* Starts a key of the pane's: kind 'p' the pane itself, 'd' what it owes (agg_owed.c), else its groups. */
void wr_pane_key(struct wr_buf *key, const struct wr_pane *p, char kind);
wr_status wr_agg_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err);
wr_status wr_agg_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err);

/* agg_owed.c */
/* For a checkpoint: dirty groups that it does not know as such. */
void wr_pane_owes(struct wr_agg_op *a, struct wr_pane *pane, struct wr_buf *delta);
/* The pane's dirty groups were shown. */
void wr_pane_paid(struct wr_agg_op *a, struct wr_pane *pane);
wr_status wr_agg_restore_owed(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err);

/* agg_spill.c */
/* Counts the state and sends groups to disk when it is over max_state_bytes. Groups that are dirty, and panes that are busy, stay. */
wr_status wr_agg_limit(struct wr_op *op, struct wr_error *err);
uint64_t wr_agg_bytes(const struct wr_agg_op *a);
/* wr_groups.fetch of a lazy pane. */
void wr_agg_fetch(void *pane, struct wr_groups *g, struct wr_group *x);
/* Calls fn for each group of the pane: those in memory in order of arrival, then those on disk in order of keys, one at a time. A group from disk goes
 * back there afterwards unless fn says that it stays; fn may remove the group (and says so). */
typedef wr_status (*wr_each_fn)(void *ctx, struct wr_group *x, enum wr_each *then, struct wr_error *err);
wr_status wr_pane_each(struct wr_agg_op *a, struct wr_pane *pane, wr_each_fn fn, void *ctx, struct wr_error *err);
/* What the spill has that the last checkpoint has not, for the next one. */
wr_status wr_agg_spill_checkpoint(struct wr_agg_op *a, struct wr_buf *delta, struct wr_error *err);
/* The pane is dropped for good. */
void wr_agg_spill_forget(struct wr_agg_op *a, struct wr_pane *pane);

/* agg_sums.c */
/* Calls fn for the groups of the slices from start to end, in time order; groups of slices that were merged ahead come as one. */
wr_status wr_sums_each(struct wr_agg_op *a, int64_t start, int64_t end, wr_each_fn fn, void *ctx, struct wr_error *err);
/* Adds to x what the slices from start to end have for its key. */
wr_status wr_sums_key(struct wr_agg_op *a, int64_t start, int64_t end, struct wr_group *x, struct wr_error *err);
/* A row comes for this slice, which ends below sums.upto or begins there. */
void wr_sums_touch(struct wr_agg_op *a, const struct wr_pane *slice);
/* No window that begins before this will be asked for. */
void wr_sums_drop(struct wr_agg_op *a, int64_t before);
uint64_t wr_sums_bytes(const struct wr_agg_op *a);
void wr_sums_clear(struct wr_agg_op *a);
/* None any more. False: that was said before. */
bool wr_sums_stop(struct wr_agg_op *a);

/* agg_slices.c */
/* x += y: rows and states. */
void wr_group_merge(const struct wr_group_layout *l, struct wr_group *x, struct wr_group *y);
/* Emits what changed since the last flush (not for EMIT FINAL). */
wr_status wr_slices_flush(struct wr_op *op, struct wr_error *err);
/* Windows with end <= w: what changed is emitted; with end + lateness <= w they are dropped (EMIT FINAL: emitted, once); slices no open window needs are dropped.
 * A row that sees a watermark >= a->next_event must not be added before this was called with that watermark. */
wr_status wr_slices_close(struct wr_op *op, int64_t w, struct wr_error *err);

#endif

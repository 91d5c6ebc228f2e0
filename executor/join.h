/* join.h: the join operator: op_join.c matches rows and keeps them, join_out.c puts results together, join_time.c lets rows go (join_due.c: when),
 * join_version.c joins versions, join_state.c has the checkpoints, join_spill.c what does not fit into memory.
 *
 * A row of one input is compared with the rows of its key that the other input has brought so far, and kept for those still to come.
 *   no match       LEFT, RIGHT, FULL: the row is shown with NULLs until one comes. ANTI: it is shown until one comes. SEMI: from the first on.
 *   taken back     so is every result that was made of it; rows that have lost their last match are shown as such again.
 *   final          rows leave by time and nothing is taken back (wr_join_is_final): a row without a match is shown once, when it leaves.
 * Rules:  results depend on the order of rows within each input and on what the inputs' watermarks promise, never on hash order. */
#ifndef WR_EXECUTOR_JOIN_H
#define WR_EXECUTOR_JOIN_H

#include "executor/far.h"
#include "executor/internal.h"
#include "executor/rows.h"

#define WR_NO_ROW UINT32_MAX

/* Rows by when they leave (join_due.c). */
struct wr_join_due { int64_t at; struct wr_row *row; };
struct wr_join_queue {
    struct wr_join_due *line;      /* rows that came in order, from `first` on */
    struct wr_join_due *heap;      /* the others */
    uint32_t first, n_line, cap_line, n_heap, cap_heap;
    uint32_t n_out;                /* rows among them that were taken out before their time: the queue owns these */
};

struct wr_join_side {
    struct wr_rowlayout layout;
    const int *key;                /* columns of its input */
    const struct wr_expr *only;    /* rows for which this is not true match nothing; NULL: none such */
    bool shows;                    /* its rows without a match are shown */
    bool kept;                     /* its rows are kept; false: the other input has ended */
    int time;                      /* INTERVAL: column of its event time */
    int64_t lo, hi;                /* INTERVAL: it matches rows of the other side from its own time + lo to + hi; INT64_MIN, INT64_MAX: not bounded */
    int until;                     /* INTERVAL: rows leave when W has passed this column + off; VERSION: time + 0 */
    int64_t off;
    bool updating;                 /* rows may be taken back: they stay for that at least until W has passed their event time */
    struct wr_join_queue queue;    /* INTERVAL, VERSION: its rows */
    struct wr_far far;             /* the same for keys whose rows are on disk: the time of the first that leaves, key fields: hash */
};

/* Rows that leave together: one pane for each window end, or one for ever. */
struct wr_join_pane {
    int64_t end;
    struct wr_rows rows[2];
    bool stored;                   /* the last checkpoint knows it */
};

/* A result waiting to be put together: row of the batch at hand (WR_NO_ROW: NULLs), row of the other side (NULL: NULLs). */
struct wr_join_out { uint32_t row; int8_t op; struct wr_row *mate; };

struct wr_join_op {
    const struct wr_plan_join *p;
    struct wr_op *op;
    struct wr_arena arena;         /* layouts, the condition */
    struct wr_arena scratch;       /* reset for each batch */
    struct wr_join_side side[2];
    bool pairs;                    /* results are pairs; false: SEMI, ANTI */
    bool semi;                     /* left rows are shown while they have a match */
    bool final;
    bool marks;                    /* rows count their matches in `mark`: not all rows of a key match */
    bool once;                     /* SEMI, ANTI that take nothing back: a left row that has met its match is let go */
    struct wr_join_pane **pane;    /* by end */
    int n_pane, cap_pane;
    /* the condition: over the columns it looks at */
    const struct wr_expr *cond;
    struct wr_schema cond_schema;
    int *cond_col;                 /* column of both inputs together, by column of cond_schema */
    struct wr_row **cand;          /* rows to be tried against the condition, with the row of the batch each is tried with */
    uint32_t *cand_row;
    uint32_t n_cand, cap_cand;
    /* results not put together yet */
    struct wr_join_out *out;
    uint32_t n_out, cap_out;
    struct wr_row **dead;          /* rows out of their buckets that results may still speak of */
    uint32_t n_dead, cap_dead;
    int64_t next_sweep, next_measure;
    struct wr_buf gone;            /* checkpoints: delta records of panes that were dropped */
    bool limited;                  /* state that does not fit into memory goes to disk */
    bool timed;                    /* INTERVAL, VERSION: each row waits for its time */
    struct wr_spill spill;
    struct wr_picked picked;
    uint32_t next_table;           /* at which the search for what can go goes on */
};

struct wr_join_pane *wr_join_pane_at(struct wr_op *op, int64_t end);
void wr_join_pane_drop(struct wr_op *op, int i);

/* join_out.c */
/* A result; s: the side whose batch b (may be NULL) row belongs to; mate is of the other side. n: how often. Emits when enough have come together. */
wr_status wr_join_give(struct wr_op *op, int s, struct wr_batch *b, uint32_t row, struct wr_row *mate, int8_t kind, int64_t n, struct wr_error *err);
/* The end of a batch, or of what left together: the rest goes out, and rows that died are freed. */
wr_status wr_join_emit(struct wr_op *op, int s, struct wr_batch *b, struct wr_error *err);
/* Columns col[] of both inputs together, of these pairs; texts are borrowed from b, and from the mates unless deep. */
struct wr_batch *wr_join_columns(struct wr_op *op, const struct wr_schema *schema, const int *col, int s, struct wr_batch *b, const uint32_t *row,
                                 struct wr_row *const *mate, uint32_t n, bool deep);
/* The row is out of its table; it is freed by wr_join_emit, when neither results nor candidates speak of it any more. */
void wr_join_bury(struct wr_join_op *j, struct wr_row *x);

/* join_time.c */
/* INTERVAL: a row with this event time leaves when W passes this; until: its value of that column. */
int64_t wr_join_leaves(const struct wr_join_op *j, int s, int64_t time, int64_t until);
void wr_join_due(struct wr_join_op *j, int s, struct wr_row *x);
/* INTERVAL: the row leaves its table before its time. */
void wr_join_leave_early(struct wr_join_op *j, int s, struct wr_row *x);
wr_status wr_join_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err);
wr_status wr_join_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err);
/* Shows the rows of side s that found no match; all are in memory. */
wr_status wr_join_show_alone(struct wr_op *op, struct wr_join_pane *p, int s, struct wr_error *err);
/* Does a row of side s of the pane have no match? */
bool wr_join_is_alone(struct wr_join_op *j, struct wr_join_pane *p, int s, const struct wr_row *x);

/* join_spill.c */
void wr_join_spill_open(struct wr_op *op);
void wr_join_spill_close(struct wr_join_op *j);
/* Sends keys to disk when the state is over max_state_bytes. Between batches, and when nothing points to rows but the tables and the heaps. */
wr_status wr_join_limit(struct wr_op *op, struct wr_error *err);
/* wr_rows.came: the rows wait for their time. */
void wr_join_came(struct wr_op *op, struct wr_rows *t, struct wr_bucket *k);
/* INTERVAL, VERSION: brings back keys of side s whose rows leave before w, not too many at once. What leaves before *upto is in memory then. */
void wr_join_bring(struct wr_op *op, int s, int64_t w, int64_t *upto);
/* Shows rows of side s that found no match, by way of the disk. */
wr_status wr_join_show_sorted(struct wr_op *op, struct wr_join_pane *p, int s, struct wr_error *err);

/* join_due.c */
void wr_join_queue_add(struct wr_join_queue *q, int64_t at, struct wr_row *x);
/* The first row, if its time comes before `before`; else NULL. */
struct wr_row *wr_join_queue_take(struct wr_join_queue *q, int64_t before);
/* One of the rows was taken out of its table. */
void wr_join_queue_out(struct wr_join_queue *q, struct wr_join_op *j);
/* Rows of buckets that are picked to go to disk leave the queue; `touched` of each, INT64_MAX before, becomes the time of its first row. */
void wr_join_queue_send(struct wr_join_queue *q);
size_t wr_join_queue_bytes(const struct wr_join_queue *q);
void wr_join_queue_clear(struct wr_join_queue *q);

/* join_version.c: VERSION */
wr_status wr_version_rows(struct wr_op *op, int s, struct wr_batch *b, const uint32_t *row, const uint64_t *hash, const uint8_t *alone, uint32_t n, struct wr_error *err);
wr_status wr_version_watermark(struct wr_op *op, int64_t w, struct wr_error *err);
/* op_join.c: fits[i]: candidate i, of the other side, with its row of b, a batch of side s, meets the condition. */
wr_status wr_join_try(struct wr_op *op, int s, struct wr_batch *b, uint8_t *fits, struct wr_error *err);

/* join_state.c */
void wr_join_track(struct wr_op *op, struct wr_join_pane *p);
void wr_join_pane_forget(struct wr_op *op, struct wr_join_pane *p);
wr_status wr_join_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err);
wr_status wr_join_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err);

#endif

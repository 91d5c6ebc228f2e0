/* frames.h: window functions (OVER) over the rows of one partition, row by row in order.
 *
 * Aggregates follow their frame: rows that come in are added, rows that go out are taken back; where they cannot be (recompute), the frame is
 * gone through for each row. So a row costs what moves, not what the frame holds.
 * Memory: the aggregate states and struct wr_frames_at belong to whoever owns the partition. */
#ifndef WR_EXECUTOR_FRAMES_H
#define WR_EXECUTOR_FRAMES_H

#include "core/agg.h"
#include "planner/plan.h"

/* The rows of a partition, by number from 0. Rows that no frame needs any more are not asked for. */
struct wr_seq {
    void *ctx;
    int64_t n;                 /* rows there are */
    struct wr_batch *(*row)(void *ctx, int64_t i, uint32_t *r); /* input columns; valid until the next but 100 calls */
    bool (*same)(void *ctx, int64_t i, int64_t k);              /* equal in ORDER BY */
    bool (*value)(void *ctx, int64_t i, int64_t *v);            /* ORDER BY's first column, 64-bit form; false: NULL */
};

/* How far a partition has come. */
struct wr_frames_at {
    int64_t peer, peer_end;    /* rows equal to the current one */
    int64_t dense;             /* different ORDER BY values so far */
    struct { int64_t from, to; } frame[]; /* rows the aggregate states hold */
};

struct wr_frames {
    const struct wr_plan_over *p;
    struct wr_aggcall **call;  /* by function: the caller's, offset set; NULL: no aggregate */
    bool peers;                /* some function asks which rows are equal */
    int8_t *minus;             /* ops that take back, for any row of a batch of WR_BATCH_ROWS rows or fewer; grown for larger ones */
    uint32_t n_minus;
};
void wr_frames_init(struct wr_frames *f, const struct wr_plan_over *p, struct wr_aggcall **call);
void wr_frames_clear(struct wr_frames *f);
static inline size_t wr_frames_at_size(const struct wr_plan_over *p)
{
    return sizeof(struct wr_frames_at) + (size_t)p->n_frame * 2 * sizeof(int64_t);
}

/* Results of row i, columns first.. of row r of out (with NULL arrays where needed). Rows are gone through in order, each once. base: where the
 * aggregates' states are, by their offset. again: row r - 1 of out has the results of row i - 1. -1: done; else the function whose result left its range. */
int wr_frames_row(struct wr_frames *f, char *base, struct wr_frames_at *at, const struct wr_seq *seq, int64_t i, struct wr_batch *out, int first, uint32_t r,
                  bool again);

#endif

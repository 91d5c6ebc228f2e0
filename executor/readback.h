/* readback.h: rows of partitions read back by number, a few hundred of them kept: neighbours are asked for again and again.
 *
 * A row given stays what it is until the next but 200 are read back; texts are borrowed from the same batch.
 * Memory: two batches, owned by struct wr_readback. {0} is a valid empty one. */
#ifndef WR_EXECUTOR_READBACK_H
#define WR_EXECUTOR_READBACK_H

#include "executor/parts.h"

enum { WR_READBACK_PLACES = 16 };
struct wr_readback {
    struct wr_batch *ring[2];  /* the one being filled, the one before */
    struct { const struct wr_group *x; int64_t i; struct wr_batch *b; uint32_t r; } at[WR_READBACK_PLACES]; /* by number of the row */
};
void wr_readback_clear(struct wr_readback *c);
/* Row i of partition x and its place *r, if it is here; else NULL. */
static inline struct wr_batch *wr_readback_get(const struct wr_readback *c, const struct wr_group *x, int64_t i, uint32_t *r)
{
    int slot = (int)(i & (WR_READBACK_PLACES - 1));
    if (c->at[slot].x != x || c->at[slot].i != i)
        return NULL;
    *r = c->at[slot].r;
    return c->at[slot].b;
}
/* Reads row i of partition x back from its entry. */
struct wr_batch *wr_readback_add(struct wr_readback *c, struct wr_parts *t, const struct wr_group *x, int64_t i, struct wr_str entry, uint32_t *r);
/* A partition goes, or its rows got other numbers. */
void wr_readback_forget(struct wr_readback *c);

#endif

/* readback.c: see readback.h.
 * Memory: when a batch is full the one before is released; then every place is forgotten, so that none speaks of a batch that is gone. */
#include "executor/readback.h"

enum { RING = 256 };

void wr_readback_forget(struct wr_readback *c) { memset(c->at, 0, sizeof c->at); }

void wr_readback_clear(struct wr_readback *c)
{
    wr_batch_unref(c->ring[0]);
    wr_batch_unref(c->ring[1]);
    *c = (struct wr_readback){0};
}

struct wr_batch *wr_readback_add(struct wr_readback *c, struct wr_parts *t, const struct wr_group *x, int64_t i, struct wr_str entry, uint32_t *r)
{
    int slot = (int)(i & (WR_READBACK_PLACES - 1));
    if (!c->ring[0] || c->ring[0]->len == c->ring[0]->cap) {
        wr_batch_unref(c->ring[1]);
        c->ring[1] = c->ring[0];
        c->ring[0] = wr_batch_new(t->in, RING);
        wr_readback_forget(c);
    }
    struct wr_batch *b = c->ring[0];
    *r = b->len++;
    b->n_live = b->len;
    wr_parts_decode(t, x, entry, b, *r);
    c->at[slot].x = x;
    c->at[slot].i = i;
    c->at[slot].b = b;
    c->at[slot].r = *r;
    return b;
}

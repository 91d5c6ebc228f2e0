/* far.h: times at which state on disk is wanted back: what waits for event time and does not fit into memory.
 *
 * An ordered set of (time, some bytes) in the operator's spill. What is taken comes in order of time, then bytes; all of one time come together, so that
 * whoever takes knows that nothing earlier than `first` is left.
 * Memory: a few bytes; the set lies in the spill. */
#ifndef WR_EXECUTOR_FAR_H
#define WR_EXECUTOR_FAR_H

#include "executor/spill.h"

struct wr_far {
    struct wr_spill *spill;
    struct wr_buf prefix;      /* of its keys */
    struct wr_buf key;         /* being made */
    int64_t first;             /* nothing in it has a lesser time; INT64_MAX: it is empty */
};
/* kind: of the operator's keys; which: sets of one kind apart. */
void wr_far_init(struct wr_far *f, struct wr_spill *spill, char kind, uint8_t which);
void wr_far_clear(struct wr_far *f);
/* Is there after the next wr_spill_write. value: may be empty. */
void wr_far_put(struct wr_far *f, int64_t time, struct wr_str bytes, struct wr_str value);
void wr_far_drop(struct wr_far *f, int64_t time, struct wr_str bytes);
bool wr_far_has(struct wr_far *f, int64_t time, struct wr_str bytes);
/* Takes those with a time < before, until fn says that it is enough (false); those of the same time come all the same. */
void wr_far_take(struct wr_far *f, int64_t before, bool (*fn)(void *ctx, int64_t time, struct wr_str bytes, struct wr_str value), void *ctx);

#endif

/* busy.h: where a task's time goes: to the operator at work, without those behind it that it calls.
 * Two looks at the clock (about 25 ns each) a batch and operator; rows do not pay. Only the task's own thread. */
#ifndef WR_EXECUTOR_BUSY_H
#define WR_EXECUTOR_BUSY_H

#include <time.h>

#include "executor/internal.h"

static inline int64_t wr_busy_clock(clockid_t which)
{
    struct timespec t;
    clock_gettime(which, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* From here on time is op's; gives who had it before (NULL: nobody). */
static inline struct wr_op *wr_busy_enter(struct wr_op *op)
{
    struct wr_task *t = op->task;
    struct wr_op *was = t->busy;
    int64_t now = wr_busy_clock(CLOCK_MONOTONIC);
    if (was)
        was->busy_ns += now - t->busy_since;
    t->busy = op;
    t->busy_since = now;
    return was;
}

static inline void wr_busy_leave(struct wr_op *op, struct wr_op *was)
{
    struct wr_task *t = op->task;
    int64_t now = wr_busy_clock(CLOCK_MONOTONIC);
    op->busy_ns += now - t->busy_since;
    t->busy = was;
    t->busy_since = now;
}

#endif

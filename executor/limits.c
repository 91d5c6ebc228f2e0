/* limits.c: what a job may use: memory of its state, time of a processor core.
 * Rules:  when the state of all operators together passes max_state_bytes, those that hold more than their share (all shares are equal) put some of it
 *         on disk (spill.h), or, where they cannot, end the job. It is looked at between rounds and batches, so one batch may go over.
 *         cpu_limit is a share of one core for each task: who has used more than its share pauses between rounds until the share has caught up. A pause is
 *         at most PAUSE_US, so that stopping, checkpoints and ticks are never far. Unused time is kept for at most BURST_US.
 * Memory: nothing is kept but numbers of the task. */
#include <time.h>

#include "executor/busy.h"

enum { PAUSE_US = 50000, BURST_US = 100000 };

void wr_op_weigh(struct wr_op *op, uint64_t bytes)
{
    op->n.state_bytes = bytes;
    if (bytes != op->weighed)
        atomic_fetch_add_explicit(&op->task->job->state_bytes, bytes - op->weighed, memory_order_relaxed);
    op->weighed = bytes;
}

uint64_t wr_op_excess(const struct wr_op *op)
{
    const struct wr_job *job = op->task->job;
    if (job->opts.spill_each && op->vt->spills)
        return op->weighed;
    uint64_t limit = (uint64_t)job->plan->max_state, total = atomic_load_explicit(&job->state_bytes, memory_order_relaxed);
    if (limit == 0 || total <= limit)
        return 0;
    uint64_t share = limit / (uint64_t)(job->n_stateful ? job->n_stateful : 1);
    if (op->weighed <= share)
        return 0;
    return total - limit < op->weighed - share ? total - limit : op->weighed - share;
}

wr_status wr_op_too_large(const struct wr_op *op, struct wr_error *err)
{
    const struct wr_job *job = op->task->job;
    wr_fail(err, WR_ELIMIT, "the state is %llu bytes, more than max_state_bytes = %lld; %s %d holds %llu of them and cannot put them on disk",
            (unsigned long long)atomic_load_explicit(&job->state_bytes, memory_order_relaxed), (long long)job->plan->max_state,
            wr_plan_name(op->plan->kind), op->plan->id, (unsigned long long)op->weighed);
    wr_hint(err, "raise max_state_bytes, or let state end: windows, a smaller LATENESS, state.ttl");
    return WR_ELIMIT;
}

wr_status wr_task_check_state(struct wr_task *t, struct wr_error *err)
{
    for (int i = 0; t->job->plan->max_state > 0 && i < t->n_op; i++)
        if (!t->op[i]->vt->spills && wr_op_excess(t->op[i]) > 0)
            return wr_op_too_large(t->op[i], err);
    return WR_OK;
}

void wr_task_throttle(struct wr_task *t)
{
    int share = t->job->plan->cpu_limit;
    if (share <= 0)
        return;
    int64_t used = wr_busy_clock(CLOCK_THREAD_CPUTIME_ID) / 1000, now = wr_busy_clock(CLOCK_MONOTONIC) / 1000;
    if (t->throttle_at)
        t->credit_us += (now - t->throttle_at) * share / 100 - (used - t->throttle_cpu);
    t->throttle_at = now;
    t->throttle_cpu = used;
    if (t->credit_us > BURST_US)
        t->credit_us = BURST_US;
    if (t->credit_us >= 0)
        return;
    int64_t us = -t->credit_us * 100 / share;
    us = us < PAUSE_US ? us : PAUSE_US;
    struct timespec pause = {.tv_nsec = (long)us * 1000};
    (void)nanosleep(&pause, NULL);
}

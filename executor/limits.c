/* limits.c: what a job may use: memory of its state, time of a processor core.
 * Rules:  state over max_state_bytes ends the job with what holds it; it is looked at between rounds, so one batch may go over.
 *         cpu_limit is a share of one core for each task: who has used more than its share pauses between rounds until the share has caught up. A pause is
 *         at most PAUSE_US, so that stopping, checkpoints and ticks are never far. Unused time is kept for at most BURST_US.
 * Memory: nothing is kept but numbers of the task. */
#include <time.h>

#include "executor/busy.h"

enum { PAUSE_US = 50000, BURST_US = 100000 };

wr_status wr_task_check_state(struct wr_task *t, struct wr_error *err)
{
    const struct wr_jobplan *plan = t->job->plan;
    uint64_t all = 0;
    const struct wr_op *most = NULL;
    if (plan->max_state == 0)
        return WR_OK;
    for (int i = 0; i < t->n_op; i++) {
        const struct wr_op *op = t->op[i];
        all += op->n.state_bytes;
        if (!most || op->n.state_bytes > most->n.state_bytes)
            most = op;
    }
    /* Each task of a parallel job has its part of the limit: keys are spread evenly. */
    if (!most || all <= (uint64_t)plan->max_state / (uint64_t)plan->tasks)
        return WR_OK;
    wr_fail(err, WR_ELIMIT, "the state is %llu bytes, more than max_state_bytes = %lld; %s %d holds %llu of them", (unsigned long long)all,
            (long long)plan->max_state, wr_plan_name(most->plan->kind), most->plan->id, (unsigned long long)most->n.state_bytes);
    wr_hint(err, "raise max_state_bytes, or let state end: windows, a smaller LATENESS, state.ttl");
    return WR_ELIMIT;
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

/* task.c: one thread's loop: take from the inbox, poll the scans, tick, flush, until everything here has ended or the job stops.
 * Rules:  changes are flushed when the input pauses, or after flush_us of backlog: batches grow with the backlog and latency stays low without it.
 * Memory: the task is the job's. */
#include "core/crash.h"
#include "core/failpoint.h"
#include "core/time.h"
#include "executor/busy.h"
#include "executor/checkpoint.h"

enum { POLL_MS = 50, POLL_MANY_MS = 2, POLL_BARRIER_MS = 10 /* others may be waiting for us at a checkpoint */ };

/* Emits what has gathered, in chain order, so that what one operator emits is seen by the next one's flush. */
wr_status wr_task_flush(struct wr_task *t, struct wr_error *err)
{
    for (int i = 0; i < t->n_op; i++) {
        struct wr_op *was = wr_busy_enter(t->op[i]);
        wr_status st = t->op[i]->vt->flush(t->op[i], err);
        wr_busy_leave(t->op[i], was);
        WR_TRY(st);
    }
    t->flushed_us = wr_job_mono(t->job);
    t->dirty = false;
    return WR_OK;
}

static wr_status deliver(struct wr_task *t, struct wr_msg *m, struct wr_error *err)
{
    switch (m->kind) {
    case WR_MSG_BATCH:
        t->dirty = true;
        return wr_op_push(m->op, m->in, m->b, err);
    case WR_MSG_WM:
        t->dirty = true;
        return wr_op_push_wm(m->op, m->in, m->up, m->w, err);
    case WR_MSG_IDLE:
        return wr_op_push_idle(m->op, m->in, m->up, m->w != 0, err);
    case WR_MSG_END:
        t->dirty = true;
        return wr_op_push_end(m->op, m->in, m->up, err);
    case WR_MSG_FLUSH:
        return wr_task_flush(t, err);
    case WR_MSG_BARRIER:
        t->n_barrier_in++;
        return WR_OK;
    case WR_MSG_HALT:
        t->n_halted++;
        return WR_OK;
    }
    WR_BUG("message of kind %d", (int)m->kind);
}

static bool all_ended(const struct wr_task *t)
{
    for (int i = 0; i < t->n_op; i++)
        if (!t->op[i]->ended)
            return false;
    return true;
}

static wr_status poll_scans(struct wr_task *t, bool *got, struct wr_error *err)
{
    int live = 0;
    for (int i = 0; i < t->n_scan; i++)
        live += !t->scan[i]->ended;
    bool others = t->n_feed > 0 || t->job->n_side > 0 || live > 1;
    int alone_ms = wr_barrier_used(t->job) ? POLL_BARRIER_MS : POLL_MS;
    for (int i = 0; i < t->n_scan; i++) {
        if (t->scan[i]->ended)
            continue;
        bool any = false;
        /* With one source, waiting inside it costs nothing; with several, only the last may wait, and briefly. */
        int wait = t->dirty ? 0 : others ? (*got ? 0 : POLL_MANY_MS) : alone_ms;
        WR_TRY(wr_scan_poll(t->scan[i], wait, &any, err));
        *got |= any;
        if (any) {
            (void)WR_FAILPOINT("source.poll");
            t->dirty = true;
            if (t->job->opts.flush_each)
                WR_TRY(wr_task_flush(t, err));
        }
    }
    return WR_OK;
}

static wr_status drain_inbox(struct wr_task *t, bool *got, struct wr_error *err)
{
    bool ended = all_ended(t);
    if (t->n_feed == 0 && t->n_scan > 0 && t->job->n_side == 0 && !ended)
        return WR_OK;
    struct wr_msg m;
    int64_t wait = t->n_scan > 0 && !ended ? 0 : 20000;
    /* A bounded number a round, so that ticks and flushes are not starved. */
    for (int i = 0; i < 64 && wr_channel_take(&t->inbox, &m, i == 0 && !t->dirty ? wait : 0); i++) {
        *got = true;
        WR_TRY(deliver(t, &m, err));
    }
    return WR_OK;
}

static wr_status drain_sides(struct wr_task *t, struct wr_error *err)
{
    for (int i = 0; t->job->n_side > 0 && i < t->n_op; i++)
        if (t->op[i]->plan->kind == WR_PLAN_SIDE && !t->op[i]->ended)
            WR_TRY(wr_side_drain(t->op[i], err));
    return WR_OK;
}

static bool is_due(struct wr_task *t)
{
    struct wr_job *job = t->job;
    int64_t every = job->opts.checkpoint_us ? job->opts.checkpoint_us : 5000000, now = wr_job_mono(job);
    bool asked = atomic_exchange_explicit(&job->ckpt_now, false, memory_order_relaxed), first = job->ckpt_next == 0;
    if (!first && now < job->ckpt_next && !asked)
        return false;
    job->ckpt_next = now + every;
    return !first || asked;
}

/* Checkpoints are taken between rounds, when everything that came in has gone through. */
static wr_status checkpoint_if_due(struct wr_task *t, struct wr_error *err)
{
    struct wr_job *job = t->job;
    if (!job->store || t->id != 0 || wr_barrier_used(job) || !is_due(t))
        return WR_OK;
    return wr_checkpoint_take(job, err);
}

static void call_progress(struct wr_task *t)
{
    struct wr_job *job = t->job;
    if (t->mono_us - t->shown_us < 100000)
        return;
    t->shown_us = t->mono_us;
    wr_task_show(t);
    if (t->id != 0 || !job->opts.progress)
        return;
    job->opts.progress(job->opts.ctx, job);
}

/* True when this task should stop though not everything has ended. */
static bool should_halt(const struct wr_task *t)
{
    if (atomic_load_explicit(&t->job->failed, memory_order_relaxed))
        return true;
    if (t->n_feed > 0)
        return t->n_halted >= t->n_feed;
    return wr_job_stopping(t->job);
}

static wr_status last_round(struct wr_task *t, struct wr_error *err)
{
    t->halting = t->job->store == NULL; /* with checkpoints EMIT EVERY goes on where it was */
    WR_TRY(drain_sides(t, err));
    WR_TRY(wr_task_flush(t, err));
    (void)WR_FAILPOINT("job.stop");
    if (t->job->store && t->id == 0 && !atomic_load(&t->job->failed))
        WR_TRY(wr_checkpoint_take(t->job, err)); /* what was done counts, however the job ends */
    for (int i = 0; i < t->n_op; i++)
        if (t->op[i]->plan->kind == WR_PLAN_EXCHANGE)
            WR_TRY(wr_exchange_halt(t->op[i]));
    return WR_OK;
}

static wr_status one_round(struct wr_task *t, bool poll, struct wr_error *err)
{
    int64_t flush_us = t->job->opts.flush_us ? t->job->opts.flush_us : 50000;
    t->mono_us = wr_job_mono(t->job);
    t->now_us = wr_clock_wall();
    bool got = false;
    WR_TRY(drain_inbox(t, &got, err));
    if (poll)
        WR_TRY(poll_scans(t, &got, err));
    WR_TRY(drain_sides(t, err));
    for (int i = 0; i < t->n_op; i++)
        if (!t->op[i]->ended)
            WR_TRY(t->op[i]->vt->tick(t->op[i], t->mono_us, err));
    if (t->dirty && (!got || wr_job_mono(t->job) - t->flushed_us >= flush_us))
        WR_TRY(wr_task_flush(t, err));
    return wr_task_check_state(t, err);
}

/* The first task decides when all take a checkpoint, and when it is the last. */
static void decide(struct wr_task *t)
{
    struct wr_job *job = t->job;
    bool over = wr_job_stopping(job) || atomic_load(&job->open_sinks) == 0 || atomic_load(&job->barrier.n_ended) == job->n_task;
    if (over && !wr_barrier_wanted(t))
        (void)WR_FAILPOINT("job.stop");
    if (!wr_barrier_wanted(t) && (over || is_due(t)))
        wr_barrier_ask(job, over);
}

/* Several tasks with checkpoints: they stop together, behind the last one. */
static wr_status run_together(struct wr_task *t, struct wr_error *err)
{
    bool last = false;
    while (!last && !atomic_load(&t->job->failed)) {
        WR_TRY(one_round(t, !wr_barrier_wanted(t), err));
        if (!t->told_end && all_ended(t)) {
            t->told_end = true;
            atomic_fetch_add(&t->job->barrier.n_ended, 1);
        }
        if (t->id == 0)
            decide(t);
        WR_TRY(wr_barrier_round(t, &last, err));
        call_progress(t);
        wr_task_throttle(t);
    }
    return WR_OK;
}

static wr_status run(struct wr_task *t, struct wr_error *err)
{
    t->flushed_us = wr_job_mono(t->job);
    t->cpu_began = wr_busy_clock(CLOCK_THREAD_CPUTIME_ID) / 1000;
    if (wr_barrier_used(t->job))
        return run_together(t, err);
    while (!all_ended(t)) {
        if (should_halt(t) || (t->n_feed == 0 && atomic_load(&t->job->open_sinks) == 0))
            return last_round(t, err);
        WR_TRY(one_round(t, true, err));
        WR_TRY(checkpoint_if_due(t, err));
        call_progress(t);
        wr_task_throttle(t);
    }
    return last_round(t, err);
}

wr_status wr_task_run(struct wr_task *t, struct wr_error *err)
{
    wr_status st = run(t, err);
    wr_crash_at = (struct wr_crash_at){0}; /* its sources may be closed from here on */
    return st;
}

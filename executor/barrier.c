/* barrier.c: how the tasks of a job come to rest together for a checkpoint.
 *
 *   1. The first task asks: when the interval is over, when it is wanted, when the job should stop or has ended.
 *   2. Tasks that read sources stop polling, flush, write down what changed (each its own delta), and send BARRIER through their exchanges.
 *   3. A task fed by others does the same when a BARRIER has come from each of its feeders. Nobody sends behind a BARRIER, so what is in the
 *      channels when all are there is nothing: the deltas are one consistent cut, and no input has to be held back.
 *   4. The last to arrive prepares, commits and applies for all (checkpoint.c) while the others wait. Then everybody goes on.
 *
 * Rules:  tasks that have ended take part until the job ends, so that the number of those who must come never changes.
 *         A failure wakes all who wait.
 * Memory: one delta a task, freed when the checkpoint is written. */
#include "core/failpoint.h"
#include "executor/checkpoint.h"

void wr_barrier_init(struct wr_job *job)
{
    struct wr_barrier *b = &job->barrier;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->moved, NULL);
    atomic_init(&b->asked, 0);
    atomic_init(&b->n_ended, 0);
}

void wr_barrier_clear(struct wr_job *job)
{
    pthread_mutex_destroy(&job->barrier.lock);
    pthread_cond_destroy(&job->barrier.moved);
}

bool wr_barrier_used(const struct wr_job *job) { return job->store != NULL && job->n_task > 1; }

bool wr_barrier_wanted(const struct wr_task *t) { return atomic_load(&t->job->barrier.asked) > t->n_barrier; }

void wr_barrier_ask(struct wr_job *job, bool last)
{
    struct wr_barrier *b = &job->barrier;
    pthread_mutex_lock(&b->lock);
    if (atomic_load(&b->asked) == b->done) {
        uint64_t number = atomic_fetch_add(&b->asked, 1) + 1;
        if (last)
            b->last = number;
    }
    pthread_mutex_unlock(&b->lock);
    for (int i = 0; i < job->n_task; i++)
        wr_channel_poke(&job->task[i].inbox);
}

void wr_barrier_fail(struct wr_job *job)
{
    pthread_mutex_lock(&job->barrier.lock);
    pthread_cond_broadcast(&job->barrier.moved);
    pthread_mutex_unlock(&job->barrier.lock);
}

/* Waits for the others, or does their work when it is the last to come. */
static wr_status meet(struct wr_task *t, bool *last, struct wr_error *err)
{
    struct wr_job *job = t->job;
    struct wr_barrier *b = &job->barrier;
    wr_status st = WR_OK;
    pthread_mutex_lock(&b->lock);
    if (++b->n_there == job->n_task) {
        st = wr_checkpoint_finish(job, err);
        if (st == WR_OK) {
            b->n_there = 0;
            b->done++;
            pthread_cond_broadcast(&b->moved);
        }
    } else {
        while (b->done < t->n_barrier && !atomic_load(&job->failed))
            pthread_cond_wait(&b->moved, &b->lock);
    }
    *last = b->last == t->n_barrier || atomic_load(&job->failed);
    pthread_mutex_unlock(&b->lock);
    return st;
}

wr_status wr_barrier_round(struct wr_task *t, bool *last, struct wr_error *err)
{
    *last = false;
    if (!wr_barrier_wanted(t) || t->n_barrier_in < t->n_feed)
        return WR_OK;
    t->n_barrier++;
    t->n_barrier_in = 0;
    WR_TRY(wr_checkpoint_task(t, err));
    for (int i = 0; i < t->n_op; i++)
        if (t->op[i]->plan->kind == WR_PLAN_EXCHANGE)
            WR_TRY(wr_exchange_barrier(t->op[i], err));
    return meet(t, last, err);
}

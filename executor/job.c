/* job.c: builds operators and tasks from a plan, runs them, keeps the figures.
 *
 * Fragments: plan nodes joined by edges other than EXCHANGE form a fragment, which one thread runs. With one task the whole plan is one
 * fragment and exchanges are plain pass-throughs. A fragment fed by a keyed exchange has plan->tasks instances, any other has one.
 * Memory: all structs are in job->arena; operators own what their open() makes. */
#include "executor/checkpoint.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/time.h"

int64_t wr_job_mono(const struct wr_job *job)
{
    return (job->opts.clock ? job->opts.clock(job->opts.ctx) : wr_clock_mono()) + job->mono_shift;
}

bool wr_job_stopping(const struct wr_job *job)
{
    return (job->opts.stop && atomic_load_explicit(job->opts.stop, memory_order_relaxed)) || atomic_load_explicit(&job->halt, memory_order_relaxed);
}

void wr_job_op_ended(struct wr_op *op)
{
    struct wr_job *job = op->task->job;
    if (op->plan->kind == WR_PLAN_SINK)
        atomic_fetch_sub(&job->open_sinks, 1);
    if (job->feeds_side[op->plan->id] && atomic_fetch_sub(&job->open_producers, 1) == 1)
        for (int i = 0; i < job->n_side; i++)
            wr_channel_poke(&job->side[i]->task->inbox);
}

/* ---- building ---- */

static int root_of(int *parent, int i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

static bool splits(const struct wr_jobplan *p, const struct wr_plan *in) { return p->tasks > 1 && in->kind == WR_PLAN_EXCHANGE; }

static void find_fragments(struct wr_job *job)
{
    const struct wr_jobplan *p = job->plan;
    int *parent = WR_NEW_N(&job->arena, int, p->n_node);
    for (int i = 0; i < p->n_node; i++)
        parent[i] = i;
    for (int i = 0; i < p->n_node; i++)
        for (int k = 0; k < p->node[i]->n_in; k++)
            if (!splits(p, p->node[i]->in[k]))
                parent[root_of(parent, i)] = root_of(parent, p->node[i]->in[k]->id);
    if (p->tasks <= 1)
        for (int i = 1; i < p->n_node; i++)
            parent[root_of(parent, i)] = root_of(parent, 0);
    int *number = WR_NEW_N(&job->arena, int, p->n_node);
    for (int i = 0; i < p->n_node; i++)
        number[i] = -1;
    job->fragment = WR_NEW_N(&job->arena, int, p->n_node);
    for (int i = 0; i < p->n_node; i++) {
        int r = root_of(parent, i);
        if (number[r] < 0)
            number[r] = job->n_fragment++;
        job->fragment[i] = number[r];
    }
    job->parallel = WR_NEW_N(&job->arena, int, job->n_fragment);
    for (int f = 0; f < job->n_fragment; f++)
        job->parallel[f] = 1;
    for (int i = 0; i < p->n_node; i++)
        for (int k = 0; k < p->node[i]->n_in; k++)
            if (splits(p, p->node[i]->in[k]) && p->node[i]->in[k]->u.exchange.n_key > 0)
                job->parallel[job->fragment[i]] = p->tasks;
}

static void init_input(struct wr_job *job, struct wr_input *in, int n_up)
{
    in->n_up = n_up;
    in->wm = WR_NEW_N(&job->arena, int64_t, n_up);
    in->idle = WR_NEW_N(&job->arena, bool, n_up);
    in->ended = WR_NEW_N(&job->arena, bool, n_up);
    for (int u = 0; u < n_up; u++)
        in->wm[u] = WR_WM_NONE;
}

static struct wr_op *make_op(struct wr_job *job, const struct wr_plan *p, struct wr_task *t, int instance)
{
    struct wr_op *op = WR_NEW(&job->arena, struct wr_op);
    op->vt = wr_op_find(p->kind);
    op->plan = p;
    op->task = t;
    op->instance = instance;
    op->wm = op->wm_out = op->wm_open = op->wm_out_open = WR_WM_NONE;
    op->shown = WR_NEW(&job->arena, struct wr_shown);
    op->shown->node.wm = WR_WM_NONE;
    op->n_in = p->n_in;
    op->input = WR_NEW_N(&job->arena, struct wr_input, p->n_in ? p->n_in : 1);
    for (int k = 0; k < p->n_in; k++)
        init_input(job, &op->input[k], splits(job->plan, p->in[k]) ? job->n_inst[p->in[k]->id] : 1);
    return op;
}

static void make_tasks(struct wr_job *job)
{
    const struct wr_jobplan *p = job->plan;
    for (int f = 0; f < job->n_fragment; f++)
        job->n_task += job->parallel[f];
    job->task = WR_NEW_N(&job->arena, struct wr_task, job->n_task);
    int at = 0;
    for (int f = 0; f < job->n_fragment; f++)
        for (int k = 0; k < job->parallel[f]; k++) {
            struct wr_task *t = &job->task[at];
            t->job = job;
            t->id = at++;
            t->fragment = f;
            t->instance = k;
            t->err = (struct wr_error)WR_ERROR_INIT;
            t->op = WR_NEW_N(&job->arena, struct wr_op *, p->n_node);
            t->scan = WR_NEW_N(&job->arena, struct wr_op *, p->n_node);
            pthread_mutex_init(&t->shown_lock, NULL);
            wr_channel_init(&t->inbox, 64);
        }
}

static void make_ops(struct wr_job *job)
{
    const struct wr_jobplan *p = job->plan;
    job->op = WR_NEW_N(&job->arena, struct wr_op **, p->n_node);
    job->n_inst = WR_NEW_N(&job->arena, int, p->n_node);
    job->side = WR_NEW_N(&job->arena, struct wr_op *, p->n_node);
    for (int i = 0; i < p->n_node; i++) {
        int f = job->fragment[i];
        job->n_inst[i] = job->parallel[f];
        job->op[i] = WR_NEW_N(&job->arena, struct wr_op *, job->n_inst[i]);
        for (int t = 0; t < job->n_task; t++) {
            struct wr_task *task = &job->task[t];
            if (task->fragment != f)
                continue;
            struct wr_op *op = make_op(job, p->node[i], task, task->instance);
            job->op[i][task->instance] = op;
            job->n_stateful += op->vt->checkpoint != wr_op_no_state;
            task->op[task->n_op++] = op;
            if (p->node[i]->kind == WR_PLAN_SCAN || p->node[i]->kind == WR_PLAN_VALUES)
                task->scan[task->n_scan++] = op;
            if (p->node[i]->kind == WR_PLAN_SIDE)
                job->side[job->n_side++] = op;
        }
    }
}

static void join_direct(struct wr_job *job, struct wr_op *from, struct wr_op *to, int in)
{
    struct wr_edge *e = WR_NEW_N(&job->arena, struct wr_edge, from->n_edge + 1);
    if (from->n_edge)
        memcpy(e, from->edge, sizeof *e * (size_t)from->n_edge);
    e[from->n_edge++] = (struct wr_edge){to, in};
    from->edge = e;
}

static void join_ops(struct wr_job *job)
{
    const struct wr_jobplan *p = job->plan;
    for (int i = 0; i < p->n_node; i++)
        for (int k = 0; k < p->node[i]->n_in; k++) {
            int from = p->node[i]->in[k]->id;
            if (splits(p, p->node[i]->in[k])) {
                for (int u = 0; u < job->n_inst[from]; u++)
                    wr_exchange_target(job->op[from][u], job->op[i], job->n_inst[i], k, &job->arena);
                for (int u = 0; u < job->n_inst[i]; u++)
                    job->op[i][u]->task->n_feed += job->n_inst[from];
            } else {
                for (int u = 0; u < job->n_inst[i]; u++)
                    join_direct(job, job->op[from][u], job->op[i][u], k);
            }
        }
}

/* Operators below a SIDE cannot feed one; the others must have ended before a SIDE can end. */
static void find_producers(struct wr_job *job)
{
    const struct wr_jobplan *p = job->plan;
    job->feeds_side = WR_NEW_N(&job->arena, bool, p->n_node);
    int open = 0, sinks = 0;
    for (int i = 0; i < p->n_node; i++) {
        bool fed = p->node[i]->kind == WR_PLAN_SIDE;
        for (int k = 0; k < p->node[i]->n_in; k++)
            fed |= !job->feeds_side[p->node[i]->in[k]->id];
        job->feeds_side[i] = !fed;
        open += fed ? 0 : job->n_inst[i];
        sinks += p->node[i]->kind == WR_PLAN_SINK ? job->n_inst[i] : 0;
    }
    atomic_init(&job->open_producers, open);
    atomic_init(&job->open_sinks, sinks);
}

static void warn_of_growth(const struct wr_jobplan *plan)
{
    struct wr_buf what = WR_BUF_INIT(65536);
    if (wr_plan_growing(plan, &what))
        wr_log(WR_LOG_WARN, "job", "state can grow for ever: %.*s (SET state.ttl lets go of what is not used any more; EXPLAIN shows what is kept)", (int)what.n, what.p);
    wr_buf_clear(&what);
}

wr_status wr_job_open(const struct wr_jobplan *plan, const struct wr_job_opts *opts, struct wr_job **out, struct wr_error *err)
{
    *out = NULL;
    struct wr_job *job = wr_calloc(1, sizeof *job);
    job->plan = plan;
    job->opts = *opts;
    job->err = (struct wr_error)WR_ERROR_INIT;
    pthread_mutex_init(&job->side_lock, NULL);
    pthread_mutex_init(&job->err_lock, NULL);
    wr_barrier_init(job);
    find_fragments(job);
    make_tasks(job);
    make_ops(job);
    join_ops(job);
    find_producers(job);
    wr_status st = wr_checkpoint_open(job, err);
    /* Users before inputs: a sink that cannot be opened is found before a source starts to fetch. */
    for (int i = plan->n_node - 1; i >= 0 && st == WR_OK; i--)
        for (int u = 0; u < job->n_inst[i] && st == WR_OK; u++)
            st = job->op[i][u]->vt->open(job->op[i][u], err);
    if (st == WR_OK)
        st = wr_checkpoint_restore(job, err);
    if (st) {
        wr_job_close(job);
        return st;
    }
    warn_of_growth(plan);
    *out = job;
    return WR_OK;
}

/* ---- running ---- */

static void fail_job(struct wr_job *job, const struct wr_error *err)
{
    pthread_mutex_lock(&job->err_lock);
    if (job->err.code == WR_OK)
        job->err = *err;
    pthread_mutex_unlock(&job->err_lock);
    atomic_store(&job->failed, true);
    atomic_store(&job->halt, true);
    for (int i = 0; i < job->n_task; i++)
        wr_channel_poke(&job->task[i].inbox);
    wr_barrier_fail(job);
}

static void *run_thread(void *arg)
{
    struct wr_task *t = arg;
    if (t->started && t->job->opts.thread)
        t->job->opts.thread(t->job->opts.ctx);
    wr_status st = wr_task_run(t, &t->err);
    wr_task_show(t);
    if (st)
        fail_job(t->job, &t->err);
    wr_channel_close(&t->inbox);
    return NULL;
}

wr_status wr_job_run(struct wr_job *job, struct wr_error *err)
{
    job->running = true;
    for (int i = 1; i < job->n_task; i++) {
        job->task[i].started = true; /* the thread reads it */
        if (pthread_create(&job->task[i].thread, NULL, run_thread, &job->task[i]) == 0)
            continue;
        job->task[i].started = false;
        fail_job(job, &(struct wr_error){.code = WR_EIO, .sql_off = -1, .msg = "cannot start a thread"});
    }
    if (job->n_task > 0)
        run_thread(&job->task[0]);
    for (int i = 1; i < job->n_task; i++)
        if (job->task[i].started)
            pthread_join(job->task[i].thread, NULL);
    job->running = false;
    if (job->err.code) {
        *err = job->err;
        return err->code;
    }
    return WR_OK;
}

void wr_job_close(struct wr_job *job)
{
    if (!job)
        return;
    for (int i = 0; i < job->plan->n_node; i++)
        for (int u = 0; u < job->n_inst[i]; u++) {
            struct wr_op *op = job->op[i][u];
            if (op->ctx)
                op->vt->close(op);
            wr_eval_clear(&op->ev);
        }
    wr_job_shown_clear(job);
    for (int i = 0; i < job->n_task; i++) {
        wr_channel_clear(&job->task[i].inbox);
        wr_store_close(job->task[i].spill);
        wr_buf_clear(&job->task[i].delta);
        pthread_mutex_destroy(&job->task[i].shown_lock);
    }
    wr_checkpoint_close(job);
    wr_barrier_clear(job);
    pthread_mutex_destroy(&job->side_lock);
    pthread_mutex_destroy(&job->err_lock);
    wr_arena_clear(&job->arena);
    free(job);
}

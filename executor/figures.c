/* figures.c: what others see of a running job.
 * Rules:  counters belong to the task that runs the operator. Between rounds, ten times a second, a task copies them (and its clocks, partitions,
 *         open windows) under a lock of its own; whoever asks reads the copy. The hot path knows nothing of it.
 * Memory: the copies' arrays are malloc'd and freed with the job; topics are borrowed from the sources, which live as long. */
#include <stdlib.h>

#include "core/time.h"
#include "executor/busy.h"

/* ---- laying out ---- */

static void show_parts(struct wr_op *op)
{
    struct wr_shown *s = op->shown;
    const struct wr_source *src = wr_scan_source(op);
    if (!src)
        return;
    if (src->n_part > s->n_part)
        s->part = wr_realloc(s->part, sizeof *s->part * (size_t)src->n_part);
    s->n_part = src->n_part;
    if (s->n_part)
        memcpy(s->part, src->part, sizeof *s->part * (size_t)s->n_part);
}

static void show_clocks(struct wr_op *op)
{
    struct wr_shown *s = op->shown;
    struct wr_part_stats p;
    for (int i = 0; wr_watermark_part(op, i, &p); i++) {
        if (i >= s->n_part) {
            s->clock = wr_realloc(s->clock, sizeof *s->clock * (size_t)(i + 1));
            s->n_part = i + 1;
        }
        s->clock[i] = p;
    }
}

static void show_op(struct wr_op *op)
{
    struct wr_node_stats *s = &op->shown->node;
    s->n = op->n;
    s->n.busy_us = (uint64_t)op->busy_ns / 1000;
    s->wm = op->ended ? WR_WM_END : op->plan->kind == WR_PLAN_WATERMARK ? op->wm_out : op->wm;
    s->idle = op->idle;
    if (!op->ctx)
        return;
    if (op->plan->kind == WR_PLAN_SCAN)
        show_parts(op);
    if (op->plan->kind == WR_PLAN_WATERMARK)
        show_clocks(op);
    if (op->vt->windows) {
        s->n_window = op->vt->windows(op, s->window, WR_SHOWN_WINDOWS);
        s->n_shown = s->n_window < WR_SHOWN_WINDOWS ? (int)s->n_window : WR_SHOWN_WINDOWS;
    }
}

void wr_task_show(struct wr_task *t)
{
    struct wr_job *job = t->job;
    int64_t cpu = wr_busy_clock(CLOCK_THREAD_CPUTIME_ID) / 1000;
    pthread_mutex_lock(&t->shown_lock);
    t->cpu_us = cpu - t->cpu_began;
    for (int i = 0; i < t->n_op; i++)
        show_op(t->op[i]);
    if (t->id == 0)
        job->ckpt_shown = (struct wr_ckpt_stats){job->ckpt_id, job->ckpt_bytes, job->ckpt_us, job->ckpt_wall};
    pthread_mutex_unlock(&t->shown_lock);
}

void wr_job_shown_clear(struct wr_job *job)
{
    for (int i = 0; i < job->plan->n_node; i++)
        for (int u = 0; u < job->n_inst[i]; u++) {
            free(job->op[i][u]->shown->part);
            free(job->op[i][u]->shown->clock);
        }
}

/* ---- asking ---- */

static bool sooner(const struct wr_window_stats *a, const struct wr_window_stats *b) { return a->end != b->end ? a->end < b->end : a->start < b->start; }

/* Two lists in order become one. shared: a window of both is one, with the rows and keys of both. */
static void merge_windows(struct wr_node_stats *to, const struct wr_node_stats *s, bool shared)
{
    struct wr_window_stats all[2 * WR_SHOWN_WINDOWS];
    int n = 0, a = 0, b = 0;
    while (a < to->n_shown || b < s->n_shown) {
        const struct wr_window_stats *x = a < to->n_shown ? &to->window[a] : NULL, *y = b < s->n_shown ? &s->window[b] : NULL;
        bool same = shared && x && y && x->start == y->start && x->end == y->end, second = !x || (y && sooner(y, x));
        all[n] = second ? *y : *x;
        if (same) {
            all[n].rows += y->rows;
            all[n].groups += y->groups;
        }
        a += same || !second;
        b += same || second;
        n++;
    }
    uint64_t most = to->n_window > s->n_window ? to->n_window : s->n_window;
    to->n_window = !shared ? to->n_window + s->n_window : most > (uint64_t)n ? most : (uint64_t)n;
    to->n_shown = n < WR_SHOWN_WINDOWS ? n : WR_SHOWN_WINDOWS;
    memcpy(to->window, all, sizeof *all * (size_t)to->n_shown);
}

static void add(struct wr_node_stats *to, const struct wr_node_stats *s, bool first, bool shared)
{
    to->n.in += s->n.in;
    to->n.out += s->n.out;
    to->n.passed += s->n.passed;
    to->n.filtered += s->n.filtered;
    to->n.late += s->n.late;
    to->n.bad += s->n.bad;
    to->n.held += s->n.held;
    to->n.state_bytes += s->n.state_bytes;
    to->n.disk_bytes += s->n.disk_bytes;
    to->n.busy_us += s->n.busy_us;
    to->idle = (first || to->idle) && s->idle;
    to->wm = s->wm < to->wm ? s->wm : to->wm;
    merge_windows(to, s, shared);
}

void wr_job_node(const struct wr_job *job, int node, struct wr_node_stats *out)
{
    bool shared = job->plan->node[node]->kind != WR_PLAN_SESSION; /* a session is one key's */
    *out = (struct wr_node_stats){.wm = WR_WM_END, .instances = job->n_inst[node], .fragment = job->fragment[node]};
    for (int u = 0; u < job->n_inst[node]; u++) {
        struct wr_op *op = job->op[node][u];
        pthread_mutex_lock(&op->task->shown_lock);
        add(out, &op->shown->node, u == 0, shared);
        pthread_mutex_unlock(&op->task->shown_lock);
    }
}

const struct wr_source *wr_job_source(const struct wr_job *job, int node)
{
    return job->plan->node[node]->kind == WR_PLAN_SCAN ? wr_scan_source(job->op[node][0]) : NULL;
}

bool wr_job_scan_part(const struct wr_job *job, int node, int slot, struct wr_part *out)
{
    struct wr_op *op = job->op[node][0];
    pthread_mutex_lock(&op->task->shown_lock);
    bool known = job->plan->node[node]->kind == WR_PLAN_SCAN && slot < op->shown->n_part;
    if (known)
        *out = op->shown->part[slot];
    pthread_mutex_unlock(&op->task->shown_lock);
    return known;
}

bool wr_job_part(const struct wr_job *job, int node, int slot, struct wr_part_stats *out)
{
    struct wr_op *op = job->op[node][0];
    pthread_mutex_lock(&op->task->shown_lock);
    bool known = job->plan->node[node]->kind == WR_PLAN_WATERMARK && slot < op->shown->n_part;
    if (known)
        *out = op->shown->clock[slot];
    pthread_mutex_unlock(&op->task->shown_lock);
    return known;
}

uint64_t wr_job_bad_by_reason(const struct wr_job *job, enum wr_reason r) { return atomic_load(&job->bad_by_reason[r]); }
uint64_t wr_job_late(const struct wr_job *job) { return atomic_load(&job->late_total); }

int64_t wr_job_cpu(const struct wr_job *job)
{
    int64_t us = 0;
    for (int i = 0; i < job->n_task; i++) {
        pthread_mutex_lock(&job->task[i].shown_lock);
        us += job->task[i].cpu_us;
        pthread_mutex_unlock(&job->task[i].shown_lock);
    }
    return us;
}

void wr_job_checkpoint(const struct wr_job *job, struct wr_ckpt_stats *out)
{
    *out = (struct wr_ckpt_stats){0};
    if (job->n_task == 0)
        return;
    pthread_mutex_lock(&job->task[0].shown_lock);
    *out = job->ckpt_shown;
    pthread_mutex_unlock(&job->task[0].shown_lock);
}

void wr_job_checkpoint_now(struct wr_job *job) { atomic_store(&job->ckpt_now, true); }

bool wr_job_balanced(const struct wr_job *job, struct wr_buf *out)
{
    bool ok = true;
    for (int i = 0; i < job->plan->n_node; i++) {
        struct wr_node_stats s;
        wr_job_node(job, i, &s);
        if (s.n.in == s.n.passed + s.n.filtered + s.n.late + s.n.bad + s.n.held && s.n.held <= s.n.in) /* counted down below 0, it would balance too */
            continue;
        ok = false;
        wr_buf_printf(out, "%s %d: in %llu <> passed %llu + filtered %llu + late %llu + bad %llu + held %llu\n", wr_plan_name(job->plan->node[i]->kind), i,
                      (unsigned long long)s.n.in, (unsigned long long)s.n.passed, (unsigned long long)s.n.filtered, (unsigned long long)s.n.late,
                      (unsigned long long)s.n.bad, (unsigned long long)s.n.held);
    }
    return ok;
}

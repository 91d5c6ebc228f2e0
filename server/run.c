/* run.c: one thread a job: runs its plan, starts it again after failures, gives up when it must.
 *
 * Rules:  a failed job is started again after 1 s, doubling to 60 s; after QUICK_MOST failures that came within a minute of the start it has failed
 *         for good. What another attempt cannot mend (wrong SQL, another plan in the checkpoint, fenced) fails at once.
 * Memory: the plan and the running job live for one attempt; the thread holds a reference to its job. */
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"

enum { QUICK_MOST = 8 };
static const int64_t HEALTHY_US = 60 * WR_US_SEC, LONGEST_US = 60 * WR_US_SEC;

static _Thread_local struct wr_sjob *thread_job; /* whose log lines this thread writes */

struct wr_sjob *wr_sjob_of_thread(void) { return thread_job; }

/* ---- one run ---- */

/* The first statement's rows, and those of every bare SELECT, are kept as results. */
static wr_status open_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err)
{
    struct wr_sjob *j = ctx;
    bool console = strcmp(sink->u.sink.connector->name, "console") == 0;
    struct wr_sink *inner = NULL;
    int i = 0;
    while (j->plan->sink[i] != sink)
        i++;
    if (i > 0 && !console)
        return WR_OK;
    if (i >= WR_RESULTS_MOST) {
        wr_fail(err, WR_EUSAGE, "a job keeps the results of its first %d statements, and a later SELECT has nowhere to go", WR_RESULTS_MOST);
        wr_hint(err, "submit it as a job of its own, or INSERT INTO a sink");
        return WR_EUSAGE;
    }
    if (!console)
        WR_TRY(sink->u.sink.connector->sink->open(spec, &inner, err));
    pthread_mutex_lock(&j->lock);
    struct wr_result *r = wr_sjob_result_at(j, i);
    pthread_mutex_unlock(&j->lock);
    return wr_result_sink(r, sink, spec, inner, out, err);
}

static void on_bad(void *ctx, const struct wr_plan *scan, const struct wr_bad *bad)
{
    wr_sample_bad(&((struct wr_sjob *)ctx)->bad, scan, bad);
}

static void on_late(void *ctx, const struct wr_plan *scan, const struct wr_batch *b, uint32_t row)
{
    wr_sample_late(&((struct wr_sjob *)ctx)->late, scan, b, row);
}

/* The tasks' own threads write log lines for the job, too. */
static void on_thread(void *ctx)
{
    thread_job = ctx;
    wr_log_whose(thread_job->name);
}

static void set_state(struct wr_sjob *j, enum wr_jobstate s)
{
    pthread_mutex_lock(&j->lock);
    j->state = s;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
}

/* What is known at the end stays readable when the job is closed. */
static void remember(struct wr_sjob *j)
{
    struct wr_buf *bufs[] = {&j->last_detail, &j->last_plan, &j->last_why, &j->last_why_json};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        wr_buf_reset(bufs[i]);
    wr_put_plan_locked(j, &j->last_plan);
    wr_put_why_locked(j, false, &j->last_why);
    wr_put_why_locked(j, true, &j->last_why_json);
    wr_put_body_locked(j, &j->last_detail);
}

static wr_status run_opened(struct wr_sjob *j, struct wr_job *job, int n_node, struct wr_error *err)
{
    pthread_mutex_lock(&j->lock);
    j->run = job;
    j->state = WR_JOB_RUNNING;
    j->reason[0] = 0;
    j->started_us = wr_clock_mono();
    j->rate = wr_calloc((size_t)n_node + 1, sizeof *j->rate);
    j->looked_us = j->started_us;
    j->cpu_us = 0;
    j->cpu_share = 0;
    pthread_cond_broadcast(&j->changed);
    pthread_mutex_unlock(&j->lock);
    wr_log(WR_LOG_INFO, "job", "\"%s\" runs", j->name);
    wr_status st = wr_job_run(job, err);
    pthread_mutex_lock(&j->lock);
    remember(j);
    j->run = NULL;
    free(j->rate);
    j->rate = NULL;
    pthread_mutex_unlock(&j->lock);
    return st;
}

/* Plans, opens, runs, closes. */
static wr_status attempt(struct wr_sjob *j, struct wr_error *err)
{
    char dir[1200];
    struct wr_jobplan *plan;
    struct wr_buf said = WR_BUF_INIT(1 << 16);
    struct wr_job *job = NULL;
    (void)snprintf(dir, sizeof dir, "%s/jobs/%s", j->jobs->data, j->name);
    wr_status st = wr_text_plan(j->jobs, j->name, wr_str_c(j->sql), j->vars, false, &plan, &said, err);
    wr_buf_clear(&said);
    if (st)
        return st;
    struct wr_job_opts o = {.stop = &j->stop, .open_sink = open_sink, .on_bad = on_bad, .on_late = on_late, .thread = on_thread, .ctx = j, .checkpoint_dir = dir,
                            .checkpoint_adapt = true, .checkpoint_us = plan->checkpoint_us, .batch_rows = plan->batch_rows};
    pthread_mutex_lock(&j->lock);
    j->plan = plan;
    pthread_mutex_unlock(&j->lock);
    st = wr_job_open(plan, &o, &job, err);
    if (st == WR_OK)
        st = run_opened(j, job, plan->n_node, err);
    pthread_mutex_lock(&j->lock);
    j->plan = NULL;
    pthread_mutex_unlock(&j->lock);
    wr_job_close(job);
    wr_jobplan_free(plan);
    return st;
}

/* ---- the thread ---- */

static bool hopeless(wr_status st)
{
    switch (st) {
    case WR_ESQL:
    case WR_EUSAGE:
    case WR_EFENCED: return true;
    case WR_OK:
    case WR_EDATA:
    case WR_EIO:
    case WR_ELIMIT:
    case WR_ESTOP: return false;
    }
    return true;
}

void wr_sjob_end_as(struct wr_sjob *j, enum wr_jobstate s, enum wr_wanted w)
{
    struct wr_error err = WR_ERROR_INIT;
    char reason[sizeof j->reason]; /* once it rests, another run may change it */
    (void)snprintf(reason, sizeof reason, "%s", j->reason);
    wr_book_deaths(j->jobs->book, j->name, 0);
    if (wr_book_want(j->jobs->book, j->name, w, j->reason, &err))
        wr_log(WR_LOG_ERROR, "server", "%s", err.msg);
    set_state(j, s);
    wr_log(s == WR_JOB_FAILED ? WR_LOG_ERROR : WR_LOG_INFO, "job", "\"%s\" is %s%s%s", j->name, wr_jobstate_name(s), reason[0] ? ": " : "", reason);
}

/* Waits for the next attempt; false: asked to stop meanwhile. */
static bool wait_again(struct wr_sjob *j, int64_t us)
{
    pthread_mutex_lock(&j->lock);
    j->state = WR_JOB_WAITING;
    j->next_us = wr_clock_mono() + us;
    struct timespec t = {.tv_sec = j->next_us / WR_US_SEC, .tv_nsec = j->next_us % WR_US_SEC * 1000};
    pthread_cond_broadcast(&j->changed);
    while (!atomic_load(&j->stop) && wr_clock_mono() < j->next_us)
        (void)pthread_cond_timedwait(&j->changed, &j->lock, &t);
    bool go = !atomic_load(&j->stop);
    if (go) {
        j->state = WR_JOB_STARTING;
        j->restarts++;
    } else {
        j->state = WR_JOB_STOPPED;
        pthread_cond_broadcast(&j->changed);
    }
    pthread_mutex_unlock(&j->lock);
    return go;
}

/* After a failed attempt; false: that was the last. */
static bool try_again(struct wr_sjob *j, wr_status st, const struct wr_error *err, int64_t began)
{
    pthread_mutex_lock(&j->lock);
    (void)snprintf(j->reason, sizeof j->reason, "%s%s%s", err->msg, err->hint[0] ? "; " : "", err->hint);
    j->quick = wr_clock_mono() - began > HEALTHY_US ? 1 : j->quick + 1;
    int quick = j->quick;
    pthread_mutex_unlock(&j->lock);
    if (hopeless(st) || quick >= QUICK_MOST) {
        wr_sjob_end_as(j, WR_JOB_FAILED, WR_WANT_FAILED);
        return false;
    }
    int64_t wait = WR_US_SEC << (quick - 1);
    wait = wait > LONGEST_US ? LONGEST_US : wait;
    wr_log(WR_LOG_WARN, "job", "\"%s\" failed and starts again in %lld s: %s", j->name, (long long)(wait / WR_US_SEC), err->msg);
    return wait_again(j, wait);
}

static void *job_thread(void *arg)
{
    struct wr_sjob *j = arg;
    struct wr_jobs *m = j->jobs;
    on_thread(j);
    for (bool more = true; more;) {
        struct wr_error err = WR_ERROR_INIT;
        int64_t began = wr_clock_mono();
        wr_book_deaths(m->book, j->name, ++j->deaths);
        wr_status st = attempt(j, &err);
        j->deaths = 0;
        wr_book_deaths(m->book, j->name, 0);
        more = false;
        if (atomic_load(&j->stop) && st == WR_OK)
            set_state(j, WR_JOB_STOPPED);
        else if (st == WR_OK)
            wr_sjob_end_as(j, WR_JOB_DONE, WR_WANT_DONE);
        else if (atomic_load(&j->stop))
            wr_sjob_end_as(j, WR_JOB_STOPPED, atomic_load(&m->closing) ? WR_WANT_RUN : WR_WANT_STOP);
        else
            more = try_again(j, st, &err, began);
        /* Once it rests, somebody may start it anew, and only waits for this thread: j's state is not ours any more. */
    }
    thread_job = NULL;
    wr_log_whose(NULL);
    wr_sjob_unref(j);
    return NULL;
}

/* lock is held. */
wr_status wr_sjob_start_locked(struct wr_sjob *j, struct wr_error *err)
{
    j->state = WR_JOB_STARTING; /* nobody else starts it meanwhile */
    if (j->thread_up) {
        pthread_t old = j->thread; /* it has ended, or is about to */
        pthread_mutex_unlock(&j->lock);
        pthread_join(old, NULL);
        pthread_mutex_lock(&j->lock);
        j->thread_up = false;
    }
    atomic_store(&j->stop, false);
    j->quick = 0;
    j->reason[0] = 0;
    wr_sjob_ref(j);
    if (pthread_create(&j->thread, NULL, job_thread, j) != 0) {
        wr_sjob_unref(j);
        j->state = WR_JOB_FAILED;
        return wr_fail(err, WR_ELIMIT, "cannot start a thread for job \"%s\"", j->name);
    }
    j->thread_up = true;
    return WR_OK;
}

/* ---- rates ---- */

/* Half of what it was, half of what it is now. */
static double smooth(double was, double now) { return was * 0.5 + now * 0.5; }

void wr_sjob_look_locked(struct wr_sjob *j)
{
    int64_t now = wr_clock_mono(), passed = now - j->looked_us;
    if (!j->run || passed < WR_US_SEC / 4)
        return;
    for (int i = 0; i < j->plan->n_node; i++) {
        struct wr_node_stats s;
        struct wr_rate *r = &j->rate[i];
        wr_job_node(j->run, i, &s);
        r->in_s = smooth(r->in_s, (double)(s.n.in - r->in) * 1e6 / (double)passed);
        r->out_s = smooth(r->out_s, (double)(s.n.out - r->out) * 1e6 / (double)passed);
        r->busy_share = smooth(r->busy_share, (double)(s.n.busy_us - r->busy_us) / (double)passed / s.instances);
        r->in = s.n.in;
        r->out = s.n.out;
        r->busy_us = s.n.busy_us;
    }
    int64_t cpu = wr_job_cpu(j->run);
    j->cpu_share = smooth(j->cpu_share, (double)(cpu - j->cpu_us) / (double)passed);
    j->cpu_us = cpu;
    j->looked_us = now;
}

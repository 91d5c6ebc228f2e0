/* jobs.c: the jobs of a server: one thread each, started again after failures, kept over restarts of the server.
 *
 * Rules:  what is wanted of a job (run, stop) is in the book before it is done, so a restart does what was last asked for.
 *         A failed job is started again after 1 s, doubling to 60 s; after QUICK_MOST failures that came within a minute of the start it has failed
 *         for good. What another attempt cannot mend (wrong SQL, another plan in the checkpoint, fenced) fails at once.
 *         A job during whose runs the process died DEATHS_MOST times in a row is not started again by itself: it must not take the others along.
 * Memory: a job is freed with its last reference; its thread holds one. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"

enum { QUICK_MOST = 8, DEATHS_MOST = 5 };
static const int64_t HEALTHY_US = 60 * WR_US_SEC, LONGEST_US = 60 * WR_US_SEC;

static _Thread_local struct wr_sjob *thread_job; /* whose log lines this thread writes */

const char *wr_jobstate_name(enum wr_jobstate s)
{
    static const char *const name[] = {"starting", "running", "waiting", "stopped", "done", "failed"};
    return name[s];
}

void wr_sjob_wake(struct wr_sjob *j)
{
    for (int n = 1; n <= WR_RESULTS_MOST; n++) {
        struct wr_result *r = wr_sjob_result(j, n);
        if (r)
            wr_result_wake(r);
    }
}

bool wr_job_name_ok(struct wr_str s)
{
    if (s.n == 0 || s.n > 64)
        return false;
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
        if (!word && (i == 0 || c != '-'))
            return false;
    }
    return true;
}

static char *copy(const char *s)
{
    size_t n = strlen(s ? s : "") + 1;
    char *c = wr_malloc(n);
    memcpy(c, s ? s : "", n);
    return c;
}

/* ---- the struct ---- */

/* "JOB/result.db" of the first statement, "JOB/result-3.db" of the third. */
static void result_path(const struct wr_sjob *j, int i, char path[1300])
{
    if (i == 0)
        (void)snprintf(path, 1300, "%s/jobs/%s/result.db", j->jobs->data, j->name);
    else
        (void)snprintf(path, 1300, "%s/jobs/%s/result-%d.db", j->jobs->data, j->name, i + 1);
}

/* Made if there is none yet. lock is held, or nobody else knows the job. */
static struct wr_result *result_at(struct wr_sjob *j, int i)
{
    char path[1300];
    result_path(j, i, path);
    if (!j->result[i])
        j->result[i] = wr_result_new(path);
    return j->result[i];
}

struct wr_result *wr_sjob_result(struct wr_sjob *j, int n)
{
    pthread_mutex_lock(&j->lock);
    struct wr_result *r = n >= 1 && n <= WR_RESULTS_MOST ? j->result[n - 1] : NULL;
    pthread_mutex_unlock(&j->lock);
    return r;
}

static struct wr_sjob *job_new(struct wr_jobs *m, const struct wr_book_job *b)
{
    char dir[1200];
    struct wr_sjob *j = wr_calloc(1, sizeof *j);
    j->jobs = m;
    j->name = copy(b->name);
    j->sql = copy(b->sql);
    j->vars = copy(b->vars);
    j->created_us = b->created_us;
    j->deaths = b->deaths;
    atomic_init(&j->refs, 1);
    pthread_mutex_init(&j->act, NULL);
    pthread_mutex_init(&j->lock, NULL);
    pthread_condattr_t at;
    pthread_condattr_init(&at);
    pthread_condattr_setclock(&at, CLOCK_MONOTONIC);
    pthread_cond_init(&j->changed, &at);
    pthread_condattr_destroy(&at);
    wr_ring_init(&j->logs);
    wr_ring_init(&j->bad);
    wr_ring_init(&j->late);
    (void)snprintf(dir, sizeof dir, "%s/jobs/%s", m->data, j->name);
    (void)mkdir(dir, 0700);
    (void)result_at(j, 0);
    return j;
}

void wr_sjob_unref(struct wr_sjob *j)
{
    if (!j || atomic_fetch_sub(&j->refs, 1) != 1)
        return;
    struct wr_buf *bufs[] = {&j->last_detail, &j->last_plan, &j->last_why, &j->last_why_json};
    for (size_t i = 0; i < sizeof bufs / sizeof *bufs; i++)
        wr_buf_clear(bufs[i]);
    for (int i = 0; i < WR_RESULTS_MOST; i++)
        wr_result_free(j->result[i]);
    wr_ring_clear(&j->logs);
    wr_ring_clear(&j->bad);
    wr_ring_clear(&j->late);
    pthread_cond_destroy(&j->changed);
    pthread_mutex_destroy(&j->lock);
    pthread_mutex_destroy(&j->act);
    free(j->name);
    free(j->sql);
    free(j->vars);
    free(j);
}

static struct wr_sjob *ref(struct wr_sjob *j)
{
    atomic_fetch_add(&j->refs, 1);
    return j;
}

/* ---- the list ---- */

static int place(const struct wr_jobs *m, const char *name, bool *found)
{
    int i = 0;
    while (i < m->n && strcmp(m->job[i]->name, name) < 0)
        i++;
    *found = i < m->n && strcmp(m->job[i]->name, name) == 0;
    return i;
}

static void list_add(struct wr_jobs *m, struct wr_sjob *j)
{
    bool found;
    int i = place(m, j->name, &found);
    if (m->n == m->cap) {
        m->cap = m->cap ? m->cap * 2 : 16;
        m->job = wr_realloc(m->job, sizeof(struct wr_sjob *) * (size_t)m->cap);
    }
    memmove(m->job + i + 1, m->job + i, sizeof(struct wr_sjob *) * (size_t)(m->n - i));
    m->job[i] = j;
    m->n++;
}

struct wr_sjob *wr_jobs_get(struct wr_jobs *m, const char *name)
{
    bool found;
    pthread_mutex_lock(&m->lock);
    int i = place(m, name, &found);
    struct wr_sjob *j = found ? ref(m->job[i]) : NULL;
    pthread_mutex_unlock(&m->lock);
    return j;
}

struct wr_sjob *wr_jobs_at(struct wr_jobs *m, int i)
{
    pthread_mutex_lock(&m->lock);
    struct wr_sjob *j = i < m->n ? ref(m->job[i]) : NULL;
    pthread_mutex_unlock(&m->lock);
    return j;
}

wr_status wr_no_job(struct wr_jobs *m, const char *name, struct wr_error *err)
{
    struct wr_str cand[256];
    int n = 0;
    wr_fail(err, WR_EUSAGE, "there is no job \"%s\"", name);
    pthread_mutex_lock(&m->lock);
    for (; n < m->n && n < 256; n++)
        cand[n] = wr_str_c(m->job[n]->name);
    struct wr_str near = wr_str_nearest(wr_str_c(name), cand, n);
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    pthread_mutex_unlock(&m->lock);
    return WR_EUSAGE;
}

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
    struct wr_result *r = result_at(j, i);
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
    struct wr_job_opts o = {.stop = &j->stop, .open_sink = open_sink, .on_bad = on_bad, .on_late = on_late, .ctx = j, .checkpoint_dir = dir, .checkpoint_adapt = true,
                            .checkpoint_us = plan->checkpoint_us, .batch_rows = plan->batch_rows};
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

static void end_as(struct wr_sjob *j, enum wr_jobstate s, enum wr_wanted w)
{
    struct wr_error err = WR_ERROR_INIT;
    wr_book_deaths(j->jobs->book, j->name, 0);
    if (wr_book_want(j->jobs->book, j->name, w, j->reason, &err))
        wr_log(WR_LOG_ERROR, "server", "%s", err.msg);
    set_state(j, s);
    wr_log(s == WR_JOB_FAILED ? WR_LOG_ERROR : WR_LOG_INFO, "job", "\"%s\" is %s%s%s", j->name, wr_jobstate_name(s), j->reason[0] ? ": " : "", j->reason);
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
        end_as(j, WR_JOB_FAILED, WR_WANT_FAILED);
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
    thread_job = j;
    wr_log_whose(j->name);
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
            end_as(j, WR_JOB_DONE, WR_WANT_DONE);
        else if (atomic_load(&j->stop))
            end_as(j, WR_JOB_STOPPED, atomic_load(&m->closing) ? WR_WANT_RUN : WR_WANT_STOP);
        else
            more = try_again(j, st, &err, began);
        if (!more && j->state == WR_JOB_WAITING)
            set_state(j, WR_JOB_STOPPED);
    }
    thread_job = NULL;
    wr_log_whose(NULL);
    wr_sjob_unref(j);
    return NULL;
}

/* lock is held. */
static wr_status start_locked(struct wr_sjob *j, struct wr_error *err)
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
    ref(j);
    if (pthread_create(&j->thread, NULL, job_thread, j) != 0) {
        wr_sjob_unref(j);
        j->state = WR_JOB_FAILED;
        return wr_fail(err, WR_ELIMIT, "cannot start a thread for job \"%s\"", j->name);
    }
    j->thread_up = true;
    return WR_OK;
}

/* ---- what can be asked of a job ---- */

static bool at_rest(enum wr_jobstate s)
{
    return s == WR_JOB_STOPPED || s == WR_JOB_DONE || s == WR_JOB_FAILED;
}

static void stop_and_wait(struct wr_sjob *j)
{
    pthread_mutex_lock(&j->lock);
    atomic_store(&j->stop, true);
    pthread_cond_broadcast(&j->changed);
    while (!at_rest(j->state))
        pthread_cond_wait(&j->changed, &j->lock);
    pthread_mutex_unlock(&j->lock);
}

wr_status wr_sjob_stop(struct wr_sjob *j, struct wr_error *err)
{
    pthread_mutex_lock(&j->act);
    pthread_mutex_lock(&j->lock);
    bool rests = at_rest(j->state);
    pthread_mutex_unlock(&j->lock);
    wr_status st = rests ? WR_OK : wr_book_want(j->jobs->book, j->name, WR_WANT_STOP, "", err);
    if (st == WR_OK && !rests)
        stop_and_wait(j);
    pthread_mutex_unlock(&j->act);
    return st;
}

wr_status wr_sjob_resume(struct wr_sjob *j, struct wr_error *err)
{
    pthread_mutex_lock(&j->act);
    pthread_mutex_lock(&j->lock);
    wr_status st = j->dropped ? wr_fail(err, WR_EUSAGE, "job \"%s\" was dropped", j->name) : WR_OK;
    if (st == WR_OK && at_rest(j->state)) {
        st = wr_book_want(j->jobs->book, j->name, WR_WANT_RUN, "", err);
        if (st == WR_OK)
            st = start_locked(j, err);
    }
    pthread_mutex_unlock(&j->lock);
    pthread_mutex_unlock(&j->act);
    return st;
}

wr_status wr_sjob_savepoint(struct wr_sjob *j, uint64_t *id, struct wr_error *err)
{
    struct wr_ckpt_stats before = {0}, now = {0};
    bool asked = false;
    for (int tries = 0; tries < 600; tries++) {
        pthread_mutex_lock(&j->lock);
        bool up = j->run != NULL;
        if (up && !asked) {
            wr_job_checkpoint(j->run, &before);
            wr_job_checkpoint_now(j->run);
            asked = true;
        }
        if (up)
            wr_job_checkpoint(j->run, &now);
        pthread_mutex_unlock(&j->lock);
        if (!up)
            return wr_fail(err, WR_EUSAGE, "job \"%s\" does not run", j->name);
        if (now.id > before.id) {
            *id = now.id;
            return WR_OK;
        }
        (void)usleep(50000);
    }
    return wr_fail(err, WR_EIO, "job \"%s\" took no checkpoint within 30 s", j->name);
}

static void remove_dir(const struct wr_sjob *j, const char *dir)
{
    static const char *const file[] = {"data.mdb", "lock.mdb", "lock"}, *const tail[] = {"", "-wal", "-shm"};
    char path[1320];
    for (int i = 0; i < WR_RESULTS_MOST; i++)
        for (size_t k = 0; k < sizeof tail / sizeof *tail; k++) {
            result_path(j, i, path);
            size_t n = strlen(path);
            (void)snprintf(path + n, sizeof path - n, "%s", tail[k]);
            (void)unlink(path);
        }
    for (size_t i = 0; i < sizeof file / sizeof *file; i++) {
        (void)snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        (void)unlink(path);
    }
    (void)rmdir(dir);
}

wr_status wr_sjob_drop(struct wr_sjob *j, struct wr_error *err)
{
    struct wr_jobs *m = j->jobs;
    char dir[1200];
    bool found;
    pthread_mutex_lock(&j->lock);
    bool again = j->dropped;
    j->dropped = true;
    pthread_mutex_unlock(&j->lock);
    if (again)
        return wr_no_job(m, j->name, err);
    WR_TRY(wr_book_drop(m->book, j->name, err));
    pthread_mutex_lock(&j->act); /* who comes later sees that it is dropped */
    stop_and_wait(j);
    if (j->thread_up)
        pthread_join(j->thread, NULL);
    j->thread_up = false;
    pthread_mutex_unlock(&j->act);
    (void)snprintf(dir, sizeof dir, "%s/jobs/%s", m->data, j->name);
    remove_dir(j, dir);
    wr_sjob_wake(j);
    pthread_mutex_lock(&m->lock);
    int i = place(m, j->name, &found);
    if (found && m->job[i] == j) {
        memmove(m->job + i, m->job + i + 1, sizeof(struct wr_sjob *) * (size_t)(m->n - i - 1));
        m->n--;
        wr_sjob_unref(j);
    }
    pthread_mutex_unlock(&m->lock);
    wr_log(WR_LOG_INFO, "job", "\"%s\" is dropped", j->name);
    return WR_OK;
}

/* ---- submitting ---- */

/* A job of that name takes the new text; it is stopped first, and goes on from its checkpoint where the plan allows. */
static wr_status replace_job(struct wr_sjob *j, const struct wr_book_job *b, struct wr_error *err)
{
    if (j->dropped)
        return wr_fail(err, WR_EUSAGE, "job \"%s\" was dropped", j->name);
    stop_and_wait(j);
    WR_TRY(wr_book_put(j->jobs->book, b, err));
    pthread_mutex_lock(&j->lock);
    free(j->sql);
    free(j->vars);
    j->sql = copy(b->sql);
    j->vars = copy(b->vars);
    wr_status st = start_locked(j, err);
    pthread_mutex_unlock(&j->lock);
    return st;
}

/* Can the new plan go on from what the job has? Asked before anything is touched: a refused replacement leaves the job running. */
static wr_status may_replace(struct wr_sjob *j, const struct wr_jobplan *plan, struct wr_error *err)
{
    struct wr_buf was = WR_BUF_INIT(16 << 20), is = WR_BUF_INIT(16 << 20), said = WR_BUF_INIT(1 << 16), diff = WR_BUF_INIT(1 << 16);
    struct wr_jobplan *old = NULL;
    struct wr_error ignored = WR_ERROR_INIT;
    wr_status st = WR_OK;
    /* A text that cannot be planned any more has never run, or its world has changed: then the checkpoint itself decides at the start. */
    if (wr_text_plan(j->jobs, j->name, wr_str_c(j->sql), j->vars, true, &old, &said, &ignored) == WR_OK) {
        wr_job_shape(old, &was);
        wr_job_shape(plan, &is);
        if (!wr_str_eq(wr_buf_get(&was), wr_buf_get(&is))) {
            wr_text_difference(wr_buf_get(&was), wr_buf_get(&is), &diff);
            st = wr_fail(err, WR_EUSAGE, "job \"%s\" keeps running as it is: its state does not fit the new query%.*s", j->name, (int)diff.n, diff.p);
            wr_hint(err, "state fits when only conditions on new rows and the columns they read change; else drop the job, or submit under another name");
        }
        wr_jobplan_free(old);
    }
    wr_buf_clear(&was);
    wr_buf_clear(&is);
    wr_buf_clear(&said);
    wr_buf_clear(&diff);
    return st;
}

static wr_status add_job(struct wr_jobs *m, const struct wr_book_job *b, const struct wr_jobplan *plan, bool replace, struct wr_error *err)
{
    struct wr_sjob *old = wr_jobs_get(m, b->name);
    if (old) {
        pthread_mutex_lock(&old->act);
        wr_status st = replace ? may_replace(old, plan, err) : wr_fail(err, WR_EUSAGE, "there is a job \"%s\" already", b->name);
        if (!replace)
            wr_hint(err, "drop it first, submit under another name, or replace it (--replace)");
        if (st == WR_OK)
            st = replace_job(old, b, err);
        pthread_mutex_unlock(&old->act);
        wr_sjob_unref(old);
        return st;
    }
    WR_TRY(wr_book_put(m->book, b, err));
    struct wr_sjob *j = job_new(m, b);
    pthread_mutex_lock(&m->lock);
    list_add(m, j);
    pthread_mutex_unlock(&m->lock);
    pthread_mutex_lock(&j->lock);
    wr_status st = start_locked(j, err);
    pthread_mutex_unlock(&j->lock);
    return st;
}

wr_status wr_jobs_submit(struct wr_jobs *m, const char *name, struct wr_str sql, const char *vars, bool replace, struct wr_buf *said, struct wr_error *err)
{
    struct wr_jobplan *plan = NULL;
    if (!wr_job_name_ok(wr_str_c(name)))
        return wr_fail(err, WR_EUSAGE, "a job's name is 1 to 64 letters, digits, \"_\" and \"-\", not \"%.80s\"", name);
    WR_TRY(wr_text_plan(m, name, sql, vars, false, &plan, said, err));
    char *text = wr_malloc(sql.n + 1);
    memcpy(text, sql.p, sql.n);
    text[sql.n] = 0;
    struct wr_book_job b = {.name = name, .sql = text, .vars = vars, .reason = "", .wanted = WR_WANT_RUN, .created_us = wr_clock_wall()};
    wr_status st = add_job(m, &b, plan, replace, err);
    wr_jobplan_free(plan);
    free(text);
    return st;
}

/* ---- the whole ---- */

/* Log lines go to stderr and, when a job's thread writes them, to the job. */
static void on_log(void *ctx WR_UNUSED, struct wr_str line)
{
    ssize_t written = write(STDERR_FILENO, line.p, line.n);
    (void)written;
    if (thread_job && line.n)
        wr_ring_add(&thread_job->logs, (struct wr_str){line.p, line.n - 1});
}

static void load_job(void *ctx, const struct wr_book_job *b)
{
    struct wr_jobs *m = ctx;
    struct wr_sjob *j = job_new(m, b);
    list_add(m, j);
    (void)snprintf(j->reason, sizeof j->reason, "%s", b->reason);
    switch (b->wanted) {
    case WR_WANT_STOP: j->state = WR_JOB_STOPPED; return;
    case WR_WANT_FAILED: j->state = WR_JOB_FAILED; return;
    case WR_WANT_DONE: j->state = WR_JOB_DONE; return;
    case WR_WANT_RUN: break;
    }
    struct wr_error err = WR_ERROR_INIT;
    if (b->deaths >= DEATHS_MOST) {
        (void)snprintf(j->reason, sizeof j->reason, "the server died %d times in a row while the job ran; resume it to try again", b->deaths);
        j->deaths = 0;
        end_as(j, WR_JOB_FAILED, WR_WANT_FAILED);
        return;
    }
    pthread_mutex_lock(&j->lock);
    if (start_locked(j, &err))
        wr_log(WR_LOG_ERROR, "server", "%s", err.msg);
    pthread_mutex_unlock(&j->lock);
}

static void load_declared(void *ctx, const char *sql)
{
    struct wr_buf said = WR_BUF_INIT(1 << 20);
    struct wr_error err = WR_ERROR_INIT;
    if (wr_sql_run(ctx, wr_str_c(sql), false, &said, &err))
        wr_log(WR_LOG_ERROR, "server", "a declaration of the catalog cannot be read any more: %s", err.msg);
    wr_buf_clear(&said);
}

wr_status wr_jobs_open(struct wr_jobs *m, const struct wr_server_opts *o, struct wr_error *err)
{
    char dir[1200];
    m->o = o;
    m->started_us = wr_clock_mono();
    pthread_mutex_init(&m->lock, NULL);
    pthread_mutex_init(&m->catalog_lock, NULL);
    m->catalog = wr_catalog_new();
    wr_catalog_vars(m->catalog, o, NULL);
    (void)snprintf(dir, sizeof dir, "%s/jobs", m->data);
    if (mkdir(dir, 0700) != 0 && errno != EEXIST)
        return wr_fail(err, WR_EIO, "cannot make \"%s\": %s", dir, strerror(errno));
    WR_TRY(wr_book_open(m->data, &m->book, err));
    wr_log_hook(on_log, NULL);
    wr_system_open(m);
    m->loading = true;
    wr_status st = wr_book_catalog(m->book, load_declared, m, err);
    m->loading = false;
    return st ? st : wr_book_jobs(m->book, load_job, m, err);
}

void wr_jobs_close(struct wr_jobs *m)
{
    atomic_store(&m->closing, true);
    for (int i = 0; i < m->n; i++) { /* all at once, then one by one */
        struct wr_sjob *j = m->job[i];
        pthread_mutex_lock(&j->lock);
        atomic_store(&j->stop, true);
        pthread_cond_broadcast(&j->changed);
        pthread_mutex_unlock(&j->lock);
    }
    for (int i = 0; i < m->n; i++) {
        stop_and_wait(m->job[i]);
        if (m->job[i]->thread_up)
            pthread_join(m->job[i]->thread, NULL);
        wr_sjob_unref(m->job[i]);
    }
    wr_log_hook(NULL, NULL);
    free(m->job);
    wr_catalog_free(m->catalog);
    wr_book_close(m->book);
    pthread_mutex_destroy(&m->lock);
    pthread_mutex_destroy(&m->catalog_lock);
}

/* ---- rates ---- */

/* Half of what it was, half of what it is now. */
static double smooth(double was, double now) { return was * 0.5 + now * 0.5; }

static void look(struct wr_sjob *j)
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
        r->busy_share = smooth(r->busy_share, (double)(s.n.busy_us - r->busy_us) / (double)passed);
        r->in = s.n.in;
        r->out = s.n.out;
        r->busy_us = s.n.busy_us;
    }
    int64_t cpu = wr_job_cpu(j->run);
    j->cpu_share = smooth(j->cpu_share, (double)(cpu - j->cpu_us) / (double)passed);
    j->cpu_us = cpu;
    j->looked_us = now;
}

void wr_jobs_look(struct wr_jobs *m)
{
    struct wr_sjob *j;
    for (int i = 0; (j = wr_jobs_at(m, i)) != NULL; i++) {
        pthread_mutex_lock(&j->lock);
        look(j);
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
}

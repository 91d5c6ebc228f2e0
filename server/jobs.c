/* jobs.c: the jobs of a server: the list, submitting and replacing, dropping, taking all up again at the start and stopping them at the end.
 *
 * Rules:  a job during whose runs the process died DEATHS_MOST times in a row is not started again by itself: it must not take the others along.
 * Memory: the list holds one reference to each job. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"

enum { DEATHS_MOST = 5 };

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
    struct wr_sjob *j = found ? wr_sjob_ref(m->job[i]) : NULL;
    pthread_mutex_unlock(&m->lock);
    return j;
}

struct wr_sjob *wr_jobs_at(struct wr_jobs *m, int i)
{
    pthread_mutex_lock(&m->lock);
    struct wr_sjob *j = i < m->n ? wr_sjob_ref(m->job[i]) : NULL;
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

wr_status wr_sjob_drop(struct wr_sjob *j, struct wr_error *err)
{
    struct wr_jobs *m = j->jobs;
    bool found;
    pthread_mutex_lock(&j->lock);
    bool again = j->dropped;
    j->dropped = true;
    pthread_mutex_unlock(&j->lock);
    if (again)
        return wr_no_job(m, j->name, err);
    WR_TRY(wr_book_drop(m->book, j->name, err));
    pthread_mutex_lock(&j->act); /* who comes later sees that it is dropped */
    wr_sjob_halt(j);
    if (j->thread_up)
        pthread_join(j->thread, NULL);
    j->thread_up = false;
    pthread_mutex_unlock(&j->act);
    wr_sjob_remove_files(j);
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
    wr_sjob_halt(j);
    WR_TRY(wr_book_put(j->jobs->book, b, err));
    pthread_mutex_lock(&j->lock);
    wr_sjob_set_text(j, b->sql, b->vars);
    wr_status st = wr_sjob_start_locked(j, err);
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
    struct wr_sjob *j = wr_sjob_new(m, b);
    pthread_mutex_lock(&m->lock);
    list_add(m, j);
    pthread_mutex_unlock(&m->lock);
    pthread_mutex_lock(&j->lock);
    wr_status st = wr_sjob_start_locked(j, err);
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
    struct wr_sjob *j = wr_sjob_of_thread();
    ssize_t written = write(STDERR_FILENO, line.p, line.n);
    (void)written;
    if (j && line.n)
        wr_ring_add(&j->logs, (struct wr_str){line.p, line.n - 1});
}

static void load_job(void *ctx, const struct wr_book_job *b)
{
    struct wr_jobs *m = ctx;
    struct wr_sjob *j = wr_sjob_new(m, b);
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
        wr_sjob_end_as(j, WR_JOB_FAILED, WR_WANT_FAILED);
        return;
    }
    pthread_mutex_lock(&j->lock);
    if (wr_sjob_start_locked(j, &err))
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
        wr_sjob_halt(m->job[i]);
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

void wr_jobs_look(struct wr_jobs *m)
{
    struct wr_sjob *j;
    for (int i = 0; (j = wr_jobs_at(m, i)) != NULL; i++) {
        pthread_mutex_lock(&j->lock);
        wr_sjob_look_locked(j);
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
}

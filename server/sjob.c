/* sjob.c: one job of the server: its struct, its files, and what can be asked of it: stop, resume, savepoint.
 *
 * Rules:  what is wanted of a job (run, stop) is in the book before it is done, so a restart does what was last asked for.
 * Memory: a job is freed with its last reference; its thread holds one. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/time.h"
#include "server/internal.h"

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
struct wr_result *wr_sjob_result_at(struct wr_sjob *j, int i)
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

struct wr_sjob *wr_sjob_new(struct wr_jobs *m, const struct wr_book_job *b)
{
    char dir[1200];
    struct wr_sjob *j = wr_calloc(1, sizeof *j);
    j->jobs = m;
    j->name = copy(b->name);
    wr_sjob_set_text(j, b->sql, b->vars);
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
    (void)wr_sjob_result_at(j, 0);
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

void wr_sjob_set_text(struct wr_sjob *j, const char *sql, const char *vars)
{
    free(j->sql);
    free(j->vars);
    j->sql = copy(sql);
    j->vars = copy(vars);
}

struct wr_sjob *wr_sjob_ref(struct wr_sjob *j)
{
    atomic_fetch_add(&j->refs, 1);
    return j;
}

/* ---- what can be asked of a job ---- */

static bool at_rest(enum wr_jobstate s)
{
    return s == WR_JOB_STOPPED || s == WR_JOB_DONE || s == WR_JOB_FAILED;
}

void wr_sjob_halt(struct wr_sjob *j)
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
        wr_sjob_halt(j);
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
            st = wr_sjob_start_locked(j, err);
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

void wr_sjob_remove_files(const struct wr_sjob *j)
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
        (void)snprintf(path, sizeof path, "%s/jobs/%s/%s", j->jobs->data, j->name, file[i]);
        (void)unlink(path);
    }
    (void)snprintf(path, sizeof path, "%s/jobs/%s", j->jobs->data, j->name);
    (void)rmdir(path);
}

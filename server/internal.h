/* internal.h: what the files of server/ share: the jobs, their results, the answers about them.
 *
 * Threads: one a job (run.c; more with SET parallelism), one a connection (http.c), one that looks after rates, dead connections and the watchdog (http.c).
 * Locks:   jobs->lock guards the list; job->lock guards what a job is; result->lock its rows; samples have their own. Always taken in this order.
 *          A job struct lives as long as somebody holds a reference. */
#ifndef WR_SERVER_INTERNAL_H
#define WR_SERVER_INTERNAL_H

#include <pthread.h>

#include "core/omap.h"
#include "executor/job.h"
#include "planner/planner.h"
#include "server/server.h"

/* ---- text ---- */

/* Appends s as a JSON string; bytes that are no UTF-8, and control bytes, as \xNN. */
void wr_put_json(struct wr_buf *out, struct wr_str s);
/* "2025-11-28T12:00:00.000Z", or null for WR_WM_NONE and WR_WM_END. */
void wr_put_time(struct wr_buf *out, int64_t us);

/* ---- book.c: what outlives the process: SQLite in the data directory ---- */

struct wr_book;
enum wr_wanted { WR_WANT_RUN, WR_WANT_STOP, WR_WANT_FAILED, WR_WANT_DONE }; /* as stored */
struct wr_book_job { const char *name, *sql, *vars, *reason; enum wr_wanted wanted; int deaths; int64_t created_us; };
wr_status wr_book_open(const char *data, struct wr_book **out, struct wr_error *err);
void wr_book_close(struct wr_book *b);
wr_status wr_book_jobs(struct wr_book *b, void (*each)(void *ctx, const struct wr_book_job *), void *ctx, struct wr_error *err);
wr_status wr_book_put(struct wr_book *b, const struct wr_book_job *j, struct wr_error *err);
wr_status wr_book_want(struct wr_book *b, const char *name, enum wr_wanted wanted, const char *reason, struct wr_error *err);
/* How often in a row the process died while the job ran. */
void wr_book_deaths(struct wr_book *b, const char *name, int deaths);
wr_status wr_book_drop(struct wr_book *b, const char *name, struct wr_error *err);
/* Declarations made over POST /sql, in order. */
wr_status wr_book_catalog(struct wr_book *b, void (*each)(void *ctx, const char *sql), void *ctx, struct wr_error *err);
wr_status wr_book_catalog_set(struct wr_book *b, const struct wr_str *sql, int n, struct wr_error *err);

/* ---- result.c: a job's current result ---- */

enum { WR_RESULTS_MOST = 16 };      /* statements of a job that have one */
enum { WR_RESULT_ROWS = 100000 };   /* most rows kept; the last in order (oldest windows) go */
struct wr_result;
struct wr_filter { const char *name, *value; };
struct wr_result *wr_result_new(const char *path); /* file it is kept in with the checkpoints; NULL: nowhere */
void wr_result_free(struct wr_result *r);
/* For wr_job_opts.open_sink of the job's first sink: what is written also changes the result. inner NULL: the result is the only sink. */
wr_status wr_result_sink(struct wr_result *r, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink *inner, struct wr_sink **out,
                         struct wr_error *err);
/* Rows that pass all filters, in order, as JSON objects each with a newline (ndjson), or as {"columns":..,"rows":[..],"total":n}. */
wr_status wr_result_get(struct wr_result *r, const struct wr_filter *f, int n, uint64_t limit, bool ndjson, struct wr_buf *out, struct wr_error *err);
/* Appends " (name TYPE, ...)"; false: the job has not run yet. */
bool wr_result_declare(struct wr_result *r, struct wr_buf *out);
/* Lines of which only those with given values go on. Opened against the result's columns; NULL filters nothing. */
struct wr_sieve;
wr_status wr_sieve_open(struct wr_result *r, const struct wr_filter *f, int n, struct wr_sieve **out, struct wr_error *err);
void wr_sieve_lines(const struct wr_sieve *s, struct wr_str lines, struct wr_buf *out);
void wr_sieve_close(struct wr_sieve *s);
/* Change lines from *at on (0: the present rows first, and who asks is a follower until wr_result_unfollow); waits up to wait_ms for one.
 * lost: the reader was too slow, *at is where it goes on. */
bool wr_result_follow(struct wr_result *r, uint64_t *at, int wait_ms, struct wr_buf *out, bool *lost);
void wr_result_unfollow(struct wr_result *r);
void wr_result_wake(struct wr_result *r); /* readers return */

/* ---- samples.c: log lines, bad and late rows: the last of each ---- */

enum { WR_SAMPLES = 100 };
struct wr_ring { char *line[WR_SAMPLES]; uint64_t n; pthread_mutex_t lock; int64_t second; int in_second; }; /* n: lines ever; [n % WR_SAMPLES] is next */
void wr_ring_init(struct wr_ring *r);
void wr_ring_clear(struct wr_ring *r);
void wr_ring_add(struct wr_ring *r, struct wr_str line);   /* copied */
bool wr_ring_open(struct wr_ring *r); /* false: enough for this second */
void wr_ring_print(struct wr_ring *r, const char *sep, struct wr_buf *out); /* oldest first */
void wr_sample_bad(struct wr_ring *r, const struct wr_plan *scan, const struct wr_bad *bad);
void wr_sample_late(struct wr_ring *r, const struct wr_plan *scan, const struct wr_batch *b, uint32_t row);

/* ---- jobs.c, sjob.c, run.c ---- */

enum wr_jobstate {
    WR_JOB_STARTING,   /* planning, connecting, restoring */
    WR_JOB_RUNNING,
    WR_JOB_WAITING,    /* failed; will be started again */
    WR_JOB_STOPPED,    /* as asked */
    WR_JOB_DONE,       /* its inputs have ended */
    WR_JOB_FAILED      /* for good: the reason says why */
};
const char *wr_jobstate_name(enum wr_jobstate s);

/* A node at the last look (rows, µs), and per second since the one before; busy_share: of the time. */
struct wr_rate { uint64_t in, out, busy_us; double in_s, out_s, busy_share; };

struct wr_sjob {
    struct wr_jobs *jobs;
    char *name, *sql, *vars;       /* vars: JSON object */
    atomic_int refs;
    pthread_mutex_t act;           /* held by who stops, resumes, replaces or drops it: one at a time, to its end. Taken before lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;        /* state, stop */
    enum wr_jobstate state;
    char reason[700];              /* why it failed or waits; empty: nothing is wrong */
    bool dropped;
    bool thread_up;
    pthread_t thread;
    atomic_bool stop;              /* given to the running job */
    int64_t created_us;            /* wall */
    int64_t started_us, next_us;   /* monotonic: of this run; of the next one while waiting */
    uint64_t restarts;
    int quick;                     /* failures in a row that came soon after a start */
    int deaths;

    /* while it runs; guarded by lock */
    const struct wr_jobplan *plan;
    struct wr_job *run;
    struct wr_rate *rate;          /* by node */
    int64_t looked_us, cpu_us;     /* at the last look */
    double cpu_share;              /* of one core, by the job's own tasks */

    /* what was last known, when it does not run */
    struct wr_buf last_detail, last_plan, last_why, last_why_json;

    struct wr_result *result[WR_RESULTS_MOST]; /* by statement: the first one's, and those of bare SELECTs; once there, it stays. Guarded by lock */
    struct wr_ring logs, bad, late;
};

struct wr_jobs {
    pthread_mutex_t lock;
    struct wr_sjob **job;          /* in order of name */
    int n, cap;
    struct wr_book *book;
    const struct wr_server_opts *o;
    char data[1024];
    atomic_bool closing;
    pthread_mutex_t catalog_lock;  /* guards catalog and planning in it: POST /sql */
    struct wr_catalog *catalog;    /* what POST /sql has declared */
    bool loading;                  /* declarations are being read back: they are in the book already */
    int64_t started_us;
};

wr_status wr_jobs_open(struct wr_jobs *m, const struct wr_server_opts *o, struct wr_error *err);
void wr_jobs_close(struct wr_jobs *m); /* stops all with a last checkpoint */
/* Plans the text first: what is wrong with it is said now. vars: JSON object text or NULL. replace: takes the place of a job of that name. */
wr_status wr_jobs_submit(struct wr_jobs *m, const char *name, struct wr_str sql, const char *vars, bool replace, struct wr_buf *said, struct wr_error *err);
/* With a reference, or NULL. */
struct wr_sjob *wr_jobs_get(struct wr_jobs *m, const char *name);
/* The i-th in order of name, with a reference; NULL: no more. */
struct wr_sjob *wr_jobs_at(struct wr_jobs *m, int i);
void wr_sjob_unref(struct wr_sjob *j);
wr_status wr_sjob_stop(struct wr_sjob *j, struct wr_error *err);
wr_status wr_sjob_resume(struct wr_sjob *j, struct wr_error *err);
/* Waits until a checkpoint was taken after the call. */
wr_status wr_sjob_savepoint(struct wr_sjob *j, uint64_t *id, struct wr_error *err);
wr_status wr_sjob_drop(struct wr_sjob *j, struct wr_error *err);
/* The result of statement n (from 1), as long as the job is referenced; NULL: it has none. */
struct wr_result *wr_sjob_result(struct wr_sjob *j, int n);
void wr_sjob_wake(struct wr_sjob *j); /* who follows its results returns */
/* sjob.c, for jobs.c and run.c. A new job is at rest, with one reference. */
struct wr_sjob *wr_sjob_new(struct wr_jobs *m, const struct wr_book_job *b);
struct wr_sjob *wr_sjob_ref(struct wr_sjob *j);
void wr_sjob_set_text(struct wr_sjob *j, const char *sql, const char *vars);  /* copied; lock is held, or nobody else knows the job */
struct wr_result *wr_sjob_result_at(struct wr_sjob *j, int i);                /* from 0; made if there is none. lock is held */
void wr_sjob_halt(struct wr_sjob *j);                                         /* asks it to stop and waits until it rests */
void wr_sjob_remove_files(const struct wr_sjob *j);
/* run.c. lock is held; the job rests. */
wr_status wr_sjob_start_locked(struct wr_sjob *j, struct wr_error *err);
void wr_sjob_end_as(struct wr_sjob *j, enum wr_jobstate s, enum wr_wanted w); /* and notes it in the book */
void wr_sjob_look_locked(struct wr_sjob *j);                                  /* rates */
struct wr_sjob *wr_sjob_of_thread(void);                                      /* the job that runs in the calling thread; NULL: none */
bool wr_job_name_ok(struct wr_str name);
void wr_jobs_look(struct wr_jobs *m); /* rates; once a second */
wr_status wr_no_job(struct wr_jobs *m, const char *name, struct wr_error *err);

/* ---- plan.c: text -> plan ---- */

/* Errors of the text, printed as the shell prints them, go to said. */
wr_status wr_text_plan(struct wr_jobs *m, const char *name, struct wr_str sql, const char *vars, bool offline, struct wr_jobplan **out, struct wr_buf *said,
                       struct wr_error *err);
/* off: the place to name, when the option stands in another text than this one; -1: the option's own. */
wr_status wr_files_allowed(const struct wr_server_opts *o, const struct wr_jobplan *plan, int off, struct wr_error *err);
bool wr_path_allowed(const struct wr_server_opts *o, struct wr_str path);
void wr_catalog_vars(struct wr_catalog *c, const struct wr_server_opts *o, const char *vars);

/* ---- answers; all take job->lock themselves unless the name says otherwise ---- */

void wr_put_job(struct wr_sjob *j, bool detail, struct wr_buf *out);             /* JSON object */
void wr_put_body_locked(struct wr_sjob *j, struct wr_buf *out);                  /* members of the detail that need the running job */
void wr_put_plan_locked(struct wr_sjob *j, struct wr_buf *out);                  /* {"nodes":[..],"edges":[..],"text":".."} */
void wr_put_why_locked(struct wr_sjob *j, bool json, struct wr_buf *out);
void wr_put_metrics(struct wr_jobs *m, struct wr_buf *out);
void wr_put_process_metrics(struct wr_buf *out);
/* POST /sql: answers to the statements, one JSON object each, in an array; ndjson: rows of the last query, one a line. */
wr_status wr_sql_run(struct wr_jobs *m, struct wr_str sql, bool ndjson, struct wr_buf *out, struct wr_error *err);

/* query.c: POST /query: one SELECT whose rows go out as lines while it runs. */
struct wr_query;
wr_status wr_query_open(struct wr_jobs *m, struct wr_str sql, struct wr_query **out, struct wr_error *err);
/* The next lines, or part of one; waits for them (a gauge comes every half second). 0: the query has ended, and all was given. */
size_t wr_query_read(struct wr_query *q, char *to, size_t max);
void wr_query_close(struct wr_query *q); /* stops it */

/* system.c: weir.jobs, weir.partitions ... as sources of the catalog: one read of the jobs' figures, bounded. */
void wr_system_open(struct wr_jobs *m);

/* ---- http ---- */

/* guard.c: pure functions over headers */
bool wr_token_equal(const char *given, const char *token);                       /* in constant time for tokens of one length */
bool wr_host_ok(const char *host, const char *listen, int port, const char *const *more, int n_more);
bool wr_origin_ok(const char *origin, const char *host);
bool wr_json_type_ok(const char *content_type);
bool wr_listen_parse(const char *text, char *addr, size_t size, int *port);
bool wr_addr_is_loopback(const char *addr);

struct wr_page_file { const char *path, *type; const unsigned char *data; unsigned long n; };
extern const struct wr_page_file wr_page_files[]; /* made at build time from page/; path NULL: end */

struct wr_http;
wr_status wr_http_open(struct wr_jobs *jobs, const char *token, struct wr_http **out, struct wr_error *err);
int wr_http_port(const struct wr_http *h);
void wr_http_second(struct wr_http *h); /* cuts connections that are too slow */
void wr_http_close(struct wr_http *h);

/* notify.c: systemd */
void wr_notify(const char *state);     /* nothing where nobody listens */
int64_t wr_notify_watchdog(void);      /* µs within which systemd wants to hear of us; 0: it does not */

#endif

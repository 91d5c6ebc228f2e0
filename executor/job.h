/* job.h: a running job: built from a plan, run to its end or until asked to stop, asked for its figures meanwhile.
 * Memory: the plan (and its arena) must outlive the job; the job owns its operators, tasks and connectors. */
#ifndef WR_EXECUTOR_JOB_H
#define WR_EXECUTOR_JOB_H

#include "executor/op.h"

struct wr_job;

struct wr_job_opts {
    uint32_t batch_rows;      /* most rows a source puts into a batch; 0: WR_BATCH_ROWS */
    bool flush_each;          /* emit changes after every source batch, not when the input pauses (tests: the same in each run) */
    int64_t flush_us;         /* under load, changes gather for at most this long; 0: 50 ms */
    atomic_bool *stop;        /* set from a signal handler or another thread: flush, close, return WR_OK */
    int64_t (*clock)(void *ctx); /* monotonic µs; NULL: the machine's. Tests drive idle time-outs with it */
    /* Replace a source or a sink (weir test, live table); return with *out NULL to let the connector do it. */
    wr_status (*open_source)(void *ctx, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err);
    wr_status (*open_sink)(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err);
    /* Called by the first task once a round (at most every 100 ms): status lines. Must be quick. */
    void (*progress)(void *ctx, struct wr_job *job);
    void *ctx;                /* given to the callbacks */
    const char *checkpoint_dir; /* NULL: no checkpoints. Outlives the job */
    int64_t checkpoint_us;    /* between checkpoints, monotonic; 0: 5 s */
    bool checkpoint_reset;    /* forget what the directory holds */
};

/* Opens everything (sources connect, sinks check). On failure *out is NULL. */
wr_status wr_job_open(const struct wr_jobplan *plan, const struct wr_job_opts *opts, struct wr_job **out, struct wr_error *err);
/* Runs in the calling thread (and threads of its own when plan->tasks > 1) until all sinks have ended, or stop is set (WR_OK), or a failure. */
wr_status wr_job_run(struct wr_job *job, struct wr_error *err);
void wr_job_close(struct wr_job *job); /* NULL allowed */

/* Figures. Safe to call from `progress` and after the run; numbers of other tasks may be a moment old. */
struct wr_node_stats { struct wr_counters n; int64_t wm; int instances; };
void wr_job_node(const struct wr_job *job, int node, struct wr_node_stats *out); /* summed over instances; wm is their least */
/* A scan's partitions (NULL when node is no scan). */
const struct wr_source *wr_job_source(const struct wr_job *job, int node);
struct wr_part_stats { int64_t max_ts, wm, idle_us; bool idle; };
/* Per partition slot of a WATERMARK node; false: no such slot yet. */
bool wr_job_part(const struct wr_job *job, int node, int slot, struct wr_part_stats *out);
uint64_t wr_job_bad_by_reason(const struct wr_job *job, enum wr_reason r);
uint64_t wr_job_late(const struct wr_job *job);
/* True if every operator's rows balance: in = passed + filtered + late + bad + held; prints those that do not. */
bool wr_job_balanced(const struct wr_job *job, struct wr_buf *out);

#endif

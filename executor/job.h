/* job.h: a running job: built from a plan, run to its end or until asked to stop, asked for its figures meanwhile.
 * Memory: the plan (and its arena) must outlive the job; the job owns its operators, tasks and connectors. */
#ifndef WR_EXECUTOR_JOB_H
#define WR_EXECUTOR_JOB_H

#include "executor/op.h"

struct wr_job;

struct wr_job_opts {
    uint32_t batch_rows;      /* most rows a source puts into a batch; 0: WR_BATCH_ROWS */
    bool flush_each;          /* emit changes after every source batch, not when the input pauses (tests: the same in each run) */
    bool spill_each;          /* state that can go to disk does, after every batch, whatever max_state_bytes is (tests) */
    int64_t flush_us;         /* under load, changes gather for at most this long; 0: 50 ms */
    atomic_bool *stop;        /* set from a signal handler or another thread: flush, close, return WR_OK */
    int64_t (*clock)(void *ctx); /* monotonic µs; NULL: the machine's. Tests drive idle time-outs with it */
    /* Replace a source or a sink (weir test, live table); return with *out NULL to let the connector do it. */
    wr_status (*open_source)(void *ctx, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err);
    wr_status (*open_sink)(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err);
    /* Called by the first task once a round (at most every 100 ms): status lines. Must be quick. */
    void (*progress)(void *ctx, struct wr_job *job);
    void (*thread)(void *ctx); /* called first in every thread that the job starts for a task of its own (log lines are told apart by thread). NULL: no */
    void *ctx;                /* given to the callbacks */
    /* Every row put aside, from any task's thread: samples. Must be quick and must copy what they keep. NULL: nobody looks. of: the scan
     * they came through, or the sink that refused them; NULL: unknown. */
    void (*on_bad)(void *ctx, const struct wr_plan *of, const struct wr_bad *bad);
    void (*on_late)(void *ctx, const struct wr_plan *scan, const struct wr_batch *b, uint32_t row);
    const char *checkpoint_dir; /* NULL: no checkpoints. Outlives the job */
    int64_t checkpoint_us;    /* between checkpoints, monotonic; 0: 5 s */
    bool checkpoint_reset;    /* forget what the directory holds */
    const char *savepoint;    /* begin from a copy of this one; the checkpoint directory must hold none. NULL: no */
    bool checkpoint_adapt;    /* another query of the same shape may go on from it */
};

/* Opens everything (sources connect, sinks check). On failure *out is NULL. */
wr_status wr_job_open(const struct wr_jobplan *plan, const struct wr_job_opts *opts, struct wr_job **out, struct wr_error *err);
/* Runs in the calling thread (and threads of its own when plan->tasks > 1) until all sinks have ended, or stop is set (WR_OK), or a failure. */
wr_status wr_job_run(struct wr_job *job, struct wr_error *err);
void wr_job_close(struct wr_job *job); /* NULL allowed */

/* Figures. Tasks lay out a copy of theirs between rounds (before `progress`, at most every 100 ms, and at their end): all calls but wr_job_source
 * may come from any thread while the job is open, and numbers may be a moment old. */
struct wr_window_stats { int64_t start, end; uint64_t rows, groups; }; /* rows, groups 0: not known (sessions) */
enum { WR_SHOWN_WINDOWS = 16 };
struct wr_node_stats {
    struct wr_counters n;
    int64_t wm;               /* WR_WM_NONE: none yet; WR_WM_END: ended */
    int instances;
    int fragment;             /* operators of one fragment run in one thread each (an instance of each), those of another beside them */
    bool idle;                /* all inputs are */
    uint64_t n_window;        /* open windows of an aggregate; instances share them. With more than WR_SHOWN_WINDOWS in several instances: at least */
    int n_shown;              /* of these, the first to close, in order of end */
    struct wr_window_stats window[WR_SHOWN_WINDOWS];
};
void wr_job_node(const struct wr_job *job, int node, struct wr_node_stats *out); /* summed over instances; wm is their least */
/* A scan's partitions (NULL when node is no scan). From `progress` and after the run only. */
const struct wr_source *wr_job_source(const struct wr_job *job, int node);
/* Partition `slot` of a SCAN node (instance 0) as last laid out; topic is borrowed from the open job. false: no such slot. */
bool wr_job_scan_part(const struct wr_job *job, int node, int slot, struct wr_part *out);
struct wr_part_stats { int64_t max_ts, wm, idle_us; bool idle; };
/* Per partition slot of a WATERMARK node; false: no such slot yet. */
bool wr_job_part(const struct wr_job *job, int node, int slot, struct wr_part_stats *out);
uint64_t wr_job_bad_by_reason(const struct wr_job *job, enum wr_reason r);
uint64_t wr_job_late(const struct wr_job *job);
int64_t wr_job_cpu(const struct wr_job *job); /* µs of CPU that its tasks have used in this run; threads of libraries are not in it */
struct wr_ckpt_stats { uint64_t id, bytes; int64_t took_us, wall_us; }; /* the last checkpoint; id 0: none; wall_us 0: taken by an earlier run */
void wr_job_checkpoint(const struct wr_job *job, struct wr_ckpt_stats *out);
/* Asks for a checkpoint at the end of this round. From any thread. */
void wr_job_checkpoint_now(struct wr_job *job);
/* Copies the checkpoints of a job that does not run into another directory, which must hold none. */
wr_status wr_job_savepoint(const char *from, const char *to, struct wr_error *err);
/* shape.c: what of a plan its state depends on, as lines: plans of one shape can go on from one checkpoint. */
void wr_job_shape(const struct wr_jobplan *plan, struct wr_buf *out);
/* How many operators of the one shape the other has, too, at their places. */
int wr_shape_common(struct wr_str a, struct wr_str b, int *n_a);
/* The first lines in which two texts differ: "; was: ...; is: ...". */
void wr_text_difference(struct wr_str was, struct wr_str is, struct wr_buf *out);
/* True if every operator's rows balance: in = passed + filtered + late + bad + held; prints those that do not. */
bool wr_job_balanced(const struct wr_job *job, struct wr_buf *out);

#endif

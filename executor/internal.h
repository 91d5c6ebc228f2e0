/* internal.h: what the files of executor/ share: the job, its tasks, the messages between them. */
#ifndef WR_EXECUTOR_INTERNAL_H
#define WR_EXECUTOR_INTERNAL_H

#include <pthread.h>

#include "executor/job.h"

/* ---- channel: how tasks talk ---- */

enum wr_msg_kind {
    WR_MSG_BATCH, /* rows for op, input in, from upstream instance up */
    WR_MSG_WM,    /* watermark w */
    WR_MSG_IDLE,  /* w: 1 idle, 0 active again */
    WR_MSG_END,
    WR_MSG_FLUSH, /* to the task: emit what has gathered */
    WR_MSG_BARRIER, /* to the task: nothing more comes from this feeder before the checkpoint is over */
    WR_MSG_HALT   /* to the task: an upstream task has stopped without END */
};
struct wr_msg { enum wr_msg_kind kind; struct wr_op *op; int in, up; int64_t w; struct wr_batch *b; };

/* Bounded queue, many writers, one reader. A full channel blocks the writer: back-pressure. */
struct wr_channel {
    pthread_mutex_t lock;
    pthread_cond_t not_full, not_empty;
    struct wr_msg *ring;
    uint32_t cap, head, n;
    bool poked;  /* the reader should look around though nothing was sent */
    bool closed; /* the reader is gone: writers drop what they have */
};
void wr_channel_init(struct wr_channel *c, uint32_t cap);
void wr_channel_clear(struct wr_channel *c);
/* Takes the message (and its batch). false: the reader is gone, the batch was released. */
bool wr_channel_send(struct wr_channel *c, struct wr_msg m);
/* Next message; waits up to wait_us; false: none. */
bool wr_channel_take(struct wr_channel *c, struct wr_msg *m, int64_t wait_us);
void wr_channel_poke(struct wr_channel *c);
void wr_channel_close(struct wr_channel *c);

/* ---- figures ---- */

/* What others may see of an operator: a copy, guarded by its task's shown_lock. */
struct wr_shown {
    struct wr_node_stats node;
    int n_part;                   /* SCAN: partitions; WATERMARK: clocks */
    struct wr_part *part;         /* SCAN; malloc'd */
    struct wr_part_stats *clock;  /* WATERMARK; malloc'd */
};
/* figures.c: lays out the task's figures. From its own thread. */
void wr_task_show(struct wr_task *t);
void wr_job_shown_clear(struct wr_job *job);

/* limits.c, between rounds */
wr_status wr_task_check_state(struct wr_task *t, struct wr_error *err);
void wr_task_throttle(struct wr_task *t);

/* ---- updates ---- */

/* pairs.c: halves of updates that have lost the other half become "-D" and "+I". The batch is not shared. */
void wr_pairs_mend(struct wr_batch *b);

/* ---- tasks ---- */

struct wr_task {
    struct wr_job *job;
    int id, instance;
    int fragment;
    int n_op;
    struct wr_op **op;       /* in node order: inputs before users */
    int n_scan;
    struct wr_op **scan;     /* SCAN operators of this task */
    int n_feed;              /* upstream exchange instances that send to this task */
    int n_halted;
    struct wr_channel inbox;
    pthread_t thread;
    bool started;
    int64_t mono_us;         /* monotonic time of this round */
    int64_t now_us;          /* wall clock of this round: now() */
    int64_t flushed_us;      /* last flush */
    bool dirty;              /* rows came since the last flush */
    int64_t shown_us;        /* when figures were last laid out */
    pthread_mutex_t shown_lock;
    bool halting;            /* last flush, and nothing is kept: EMIT EVERY does not wait */
    struct wr_op *busy;      /* busy.h: whose time it is; NULL: nobody's */
    int64_t busy_since;      /* ns */
    int64_t cpu_began;       /* CPU time of the thread when it took up the task (µs): a server's thread runs a job more than once */
    int64_t cpu_us;          /* used since; copy for others, guarded by shown_lock */
    int64_t throttle_at, throttle_cpu, credit_us; /* limits.c: last look (µs), CPU time then, what may be used at once */
    struct wr_store *spill;  /* state of its operators that does not fit into memory; NULL: none yet */
    uint64_t n_barrier;      /* checkpoints it has come to */
    int n_barrier_in;        /* feeders whose BARRIER for the next one has arrived */
    bool told_end;           /* counted in barrier.n_ended */
    struct wr_buf delta;     /* what it writes down for the checkpoint in the making */
    struct wr_error err;
};

/* barrier.c: several tasks that take a checkpoint together. */
struct wr_barrier {
    pthread_mutex_t lock;
    pthread_cond_t moved;          /* a checkpoint is done, or the job has failed */
    atomic_uint_fast64_t asked;    /* checkpoints asked for in this run; at most one more than done */
    uint64_t done;
    int n_there;                   /* tasks that have come to the one in the making */
    uint64_t last;                 /* the one behind which the job stops; 0: none yet. By number: the next may be asked for before all have left this one */
    atomic_int n_ended;            /* tasks whose operators have all ended */
};

struct wr_job {
    const struct wr_jobplan *plan;
    struct wr_job_opts opts;
    struct wr_arena arena;
    int *fragment;               /* by node */
    int *parallel;               /* by fragment: instances */
    int n_fragment;
    struct wr_op ***op;          /* by node: its instances */
    int *n_inst;                 /* by node */
    int n_task;
    struct wr_task *task;
    struct wr_store *store;      /* checkpoints; NULL: none are kept */
    struct wr_str identity;      /* what sinks know this job by */
    int n_transactional;         /* sinks that commit with the checkpoint */
    uint64_t ckpt_id, ckpt_bytes;/* last checkpoint: id, bytes of its delta */
    int64_t ckpt_us, ckpt_next;  /* how long it took; monotonic time of the next */
    int64_t ckpt_began;
    int64_t ckpt_wall;           /* when */
    struct wr_ckpt_stats ckpt_shown; /* copy for others; guarded by the first task's shown_lock */
    atomic_bool ckpt_now;        /* one was asked for */
    struct wr_barrier barrier;
    int64_t mono_shift;          /* µs: after a restart the job's monotonic time goes on from the checkpoint's; set before the tasks run */
    struct wr_op **side;         /* all SIDE operators */
    int n_side;
    bool *feeds_side;            /* by node: may put rows aside for a SIDE (is not fed by one) */
    atomic_int open_producers;   /* operators that may still put rows aside */
    atomic_int open_sinks;
    atomic_bool halt;            /* a task failed, or the job should stop */
    atomic_bool failed;
    pthread_mutex_t side_lock;   /* guards the pending rows of all SIDE operators */
    pthread_mutex_t err_lock;
    struct wr_error err;         /* first failure */
    atomic_uint_fast64_t bad_by_reason[WR_R_COUNT];
    atomic_uint_fast64_t bad_logged[WR_R_COUNT];
    atomic_uint_fast64_t late_total, late_logged;
    atomic_uint_fast64_t state_bytes; /* of all operators, in memory */
    int n_stateful;              /* operators that keep state, all instances: each may have its share of max_state_bytes when that is reached */
    bool running;
};

/* limits.c: the operator's state takes so many bytes of memory now. */
void wr_op_weigh(struct wr_op *op, uint64_t bytes);
/* How much of it has to go: the job is over max_state_bytes, and the operator over its share. */
uint64_t wr_op_excess(const struct wr_op *op);
/* WR_ELIMIT: this operator's state is what cannot go. */
wr_status wr_op_too_large(const struct wr_op *op, struct wr_error *err);

int64_t wr_job_mono(const struct wr_job *job);
bool wr_job_stopping(const struct wr_job *job);
void wr_job_op_ended(struct wr_op *op);
wr_status wr_task_run(struct wr_task *t, struct wr_error *err);
wr_status wr_task_flush(struct wr_task *t, struct wr_error *err);

/* barrier.c */
void wr_barrier_init(struct wr_job *job);
void wr_barrier_clear(struct wr_job *job);
/* Do this job's checkpoints need one? */
bool wr_barrier_used(const struct wr_job *job);
/* A checkpoint is asked for that this task has not come to. */
bool wr_barrier_wanted(const struct wr_task *t);
void wr_barrier_ask(struct wr_job *job, bool last);
void wr_barrier_fail(struct wr_job *job);
/* Once a round: comes to the checkpoint when all feeders have, and waits for it. *last: the job stops here. */
wr_status wr_barrier_round(struct wr_task *t, bool *last, struct wr_error *err);

/* row_bytes.c: all rows of a batch; one row into the builder (false: damaged). */
void wr_rowbytes_put(struct wr_buf *out, const struct wr_batch *b);
bool wr_rowbytes_take(struct wr_str *in, struct wr_builder *bl, struct wr_arena *scratch);

/* op_source.c: one round of a SCAN: polls and hands on; *got says whether rows came. */
wr_status wr_scan_poll(struct wr_op *op, int wait_ms, bool *got, struct wr_error *err);
/* Hands on what has gathered in a SIDE; ends it when nothing can come any more. */
wr_status wr_side_drain(struct wr_op *op, struct wr_error *err);
bool wr_side_wants(const struct wr_op *side, const void *scan, enum wr_side which);
void wr_side_add_bad(struct wr_op *side, const struct wr_bad *bad);
void wr_side_add_late(struct wr_op *side, const struct wr_batch *src, const uint32_t *row, uint32_t n);
const struct wr_source *wr_scan_source(const struct wr_op *op);
wr_status wr_scan_position(struct wr_op *op, struct wr_buf *out, struct wr_error *err);
/* op_side.c: counts (by reason; an operator's own n.bad is the caller's: results that cannot be shown are no input rows), logs and routes. */
wr_status wr_job_bad(struct wr_op *op, const void *scan, const struct wr_bad *bad, struct wr_error *err);
/* op_exchange.c: where an exchange sends to; set while the job is built. */
void wr_exchange_target(struct wr_op *op, struct wr_op **to, int n, int in, struct wr_arena *a);
wr_status wr_exchange_halt(struct wr_op *op);
wr_status wr_exchange_barrier(struct wr_op *op, struct wr_error *err);
wr_status wr_exchange_idle(struct wr_op *op, bool idle, struct wr_error *err);
bool wr_watermark_part(const struct wr_op *op, int slot, struct wr_part_stats *out);

#endif

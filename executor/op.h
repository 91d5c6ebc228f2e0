/* op.h: what an operator is at run time, and how operators hand rows on. The contract is in README.md; op_check.c asserts it in debug builds.
 *
 * A task is one thread that owns a set of operators joined by direct calls; tasks meet only at channels (op_exchange.c).
 * The machinery here merges watermarks and ends of several inputs, so that an operator sees one strictly rising watermark and one end. */
#ifndef WR_EXECUTOR_OP_H
#define WR_EXECUTOR_OP_H

#include "core/batch.h"
#include "core/expr.h"
#include "executor/store.h"
#include "planner/plan.h"

struct wr_job;
struct wr_shown; /* internal.h */
struct wr_window_stats; /* job.h */
struct wr_task;
struct wr_op;

/* Row accounting: in = passed + filtered + late + bad + held, always. For operators that hand rows on, passed are the rows handed on;
 * for aggregates and sorts, input rows whose result is final and left the state. Written by the owning task only; read by others for display. */
struct wr_counters {
    uint64_t in;       /* rows taken */
    uint64_t out;      /* rows emitted (an aggregate's changes, a hop's copies count here) */
    uint64_t passed, filtered, late, bad;
    uint64_t held;     /* rows now in state */
    uint64_t state_bytes; /* in memory; set through wr_op_weigh */
    uint64_t disk_bytes;  /* state written to the spill and not in memory, about */
    uint64_t busy_us;  /* time inside process/watermark/flush/finish, without the operators behind it; of a scan: taking rows, not waiting for them */
};

struct wr_edge { struct wr_op *to; int in; };

/* One input of an operator: the merge of what all its upstream instances sent. */
struct wr_input {
    int n_up;           /* upstream instances (1, or the number of tasks behind an exchange) */
    int64_t *wm;        /* by upstream instance */
    bool *idle, *ended;
    int n_ended;
};

struct wr_op {
    const struct wr_op_vt *vt;
    const struct wr_plan *plan;
    struct wr_task *task;   /* owner; only its thread touches this struct */
    void *ctx;              /* the operator's own */
    int n_edge;
    struct wr_edge *edge;   /* where wr_emit goes */
    int n_in;
    struct wr_input *input;
    int64_t wm;             /* merged watermark last given to the operator */
    int64_t wm_out;         /* last forwarded */
    int64_t wm_open, wm_out_open; /* the same, as they were before END */
    bool idle;              /* all inputs idle; forwarded */
    bool ended;             /* END was forwarded */
    int instance;           /* 0..parallelism-1 */
    uint64_t weighed;       /* what of job->state_bytes is ours */
    int n_was;              /* instances that wrote the checkpoint we began from; 0: none did */
    struct wr_counters n;   /* the owner's; others read the copy in `shown` */
    int64_t busy_ns;        /* becomes n.busy_us when figures are laid out */
    struct wr_shown *shown;
    struct wr_eval ev;      /* for operators with expressions */
};

struct wr_op_vt {
    const char *name;
    bool spills;            /* keeps to max_state_bytes by itself; others are stopped (wr_task_limit) */
    wr_status (*open)(struct wr_op *, struct wr_error *);
    wr_status (*process)(struct wr_op *, int in, struct wr_batch *, struct wr_error *);     /* consumes the batch, also on error */
    wr_status (*watermark)(struct wr_op *, int64_t w, int64_t *fwd, struct wr_error *);     /* emit what closes, then set *fwd <= w */
    wr_status (*tick)(struct wr_op *, int64_t mono_us, struct wr_error *);                  /* once a round: idle clocks, EMIT EVERY */
    wr_status (*flush)(struct wr_op *, struct wr_error *);                                  /* emit changes gathered since the last flush */
    wr_status (*finish)(struct wr_op *, struct wr_error *);                                 /* all inputs ended (the watermark is WR_WM_END); last emissions */
    wr_status (*checkpoint)(struct wr_op *, struct wr_buf *delta, struct wr_error *);       /* what changed since the last one: records of store.h */
    wr_status (*restore)(struct wr_op *, struct wr_store_reader *, struct wr_error *);      /* before the first row */
    void (*close)(struct wr_op *);
    /* Open windows, first to close first: fills out[0..max), returns how many there are. NULL: has none. */
    uint64_t (*windows)(const struct wr_op *, struct wr_window_stats *out, int max);
};

/* Named defaults for slots an operator does not need. */
wr_status wr_op_no_open(struct wr_op *, struct wr_error *);
wr_status wr_op_pass_watermark(struct wr_op *, int64_t w, int64_t *fwd, struct wr_error *);
wr_status wr_op_no_tick(struct wr_op *, int64_t mono_us, struct wr_error *);
wr_status wr_op_no_flush(struct wr_op *, struct wr_error *);
wr_status wr_op_no_finish(struct wr_op *, struct wr_error *);
wr_status wr_op_no_state(struct wr_op *, struct wr_buf *, struct wr_error *);
wr_status wr_op_no_restore(struct wr_op *, struct wr_store_reader *, struct wr_error *);
/* A time as 8 bytes that sort as the time does, as core/key.h writes it behind the first byte. */
void wr_time_key_put(struct wr_buf *key, int64_t us);
int64_t wr_time_key_get(const char *p);
/* What state.ttl is measured in: event time where all inputs have it, else monotonic time; 0: event time has not begun yet. */
int64_t wr_op_now(const struct wr_op *op);
/* Starts a key of this operator's state: plan node, kind of thing. The instance is not part of it: state is found again with any number of tasks. */
void wr_op_key(struct wr_buf *key, const struct wr_op *op, char kind);
/* For what each instance writes for itself (how many rows it holds): ends a key. Read with a scan over all. */
void wr_op_key_own(struct wr_buf *key, int instance);
/* The instance a key ends with; -1: it is too short. */
int wr_op_key_instance(struct wr_str key);
/* Was the checkpoint written by another number of instances? Then what each wrote for itself must be shared out anew. */
bool wr_op_rescaled(const struct wr_op *op);
/* Times that an instance keeps for itself, under its number. With another number of instances each begins with the least of all: what has yet to come from
 * the one that was furthest back must not be late. Restoring leaves v alone where nothing was kept; false: damaged. (op_keep.c) */
void wr_op_keep_times(const struct wr_op *op, char kind, const int64_t *v, int n, struct wr_buf *delta);
bool wr_op_restore_times(const struct wr_op *op, struct wr_store_reader *r, char kind, int64_t *v, int n);
void wr_op_no_close(struct wr_op *);
#define WR_OP_STATELESS .checkpoint = wr_op_no_state, .restore = wr_op_no_restore

/* Hands a batch to all consumers (consumes it; empty batches are dropped). */
wr_status wr_emit(struct wr_op *op, struct wr_batch *b, struct wr_error *err);
/* Delivers to one operator: used by wr_emit and by tasks for what comes out of a channel. up: upstream instance. */
wr_status wr_op_push(struct wr_op *op, int in, struct wr_batch *b, struct wr_error *err);
wr_status wr_op_push_wm(struct wr_op *op, int in, int up, int64_t w, struct wr_error *err);
wr_status wr_op_push_idle(struct wr_op *op, int in, int up, bool idle, struct wr_error *err);
wr_status wr_op_push_end(struct wr_op *op, int in, int up, struct wr_error *err);
/* For operators that make their own watermarks and ends (scan, watermark, limit): to all consumers. Never goes back. */
wr_status wr_forward_wm(struct wr_op *op, int64_t w, struct wr_error *err);
wr_status wr_forward_idle(struct wr_op *op, bool idle, struct wr_error *err);
wr_status wr_forward_end(struct wr_op *op, struct wr_error *err);

/* Rows put aside. Counted here (n.bad, n.late), sampled in the log, and given to source$errors / source$late where a statement reads them. */
wr_status wr_op_bad(struct wr_op *op, const struct wr_batch *b, uint32_t row, enum wr_reason why, struct wr_str column, struct wr_str msg,
                    struct wr_error *err);
wr_status wr_op_late(struct wr_op *op, const struct wr_batch *b, const uint32_t *row, uint32_t n, struct wr_error *err);
/* After evaluating: reports the rows op->ev marked bad and removes them from sel[0..*n) in place (sel must be writable). */
wr_status wr_op_take_bad(struct wr_op *op, const struct wr_batch *b, uint32_t *sel, uint32_t *n, struct wr_error *err);
/* The live rows of b as a writable selection in mem (sel or 0..len-1 written out). */
uint32_t *wr_live_rows(const struct wr_batch *b, struct wr_arena *mem);

/* The operator of a plan node. */
const struct wr_op_vt *wr_op_find(enum wr_pkind kind);

#endif

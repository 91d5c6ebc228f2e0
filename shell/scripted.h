/* scripted.h: the sources and sinks of a scenario test: records in the script's order, results kept as lines of JSON.
 * They stand in for whatever connectors the job declares; decoding uses the declared format, so a test takes the same path as the job. */
#ifndef WR_SHELL_SCRIPTED_H
#define WR_SHELL_SCRIPTED_H

#include <pthread.h>

#include "executor/job.h"
#include "shell/scenario.h"

struct wr_script_out {       /* what one sink got */
    struct wr_str name;
    bool updating, ordered;
    struct wr_buf lines;     /* one JSON object a line; a change's op in front: "+I {...}" */
};

enum wr_script_break {       /* how a run is interrupted, to go on from a checkpoint */
    WR_BREAK_NONE,
    WR_BREAK_STOP,           /* stopped after every `every` batches: the last checkpoint holds all */
    WR_BREAK_CRASH           /* fails some batches after its last checkpoint, of which there were two: what came after is read again */
};
struct scripted;             /* a source */
struct wr_script {           /* one run */
    const struct wr_scenario *scenario;
    pthread_mutex_t lock;    /* guards next, clock, pause: sources may live in several tasks */
    int next;                /* next event */
    int64_t clock;           /* monotonic µs that the job sees */
    int pause;               /* polls to answer with nothing, so that ticks see the new time */
    int n_out;
    struct wr_script_out *out; /* one a SINK node of the plan, in its order */
    const struct wr_jobplan *plan;
    enum wr_script_break how;
    int every;               /* batches */
    int n_batch;             /* given since the job was opened */
    int to_save;             /* sinks whose place a checkpoint that was asked for has not taken yet; until then sources give nothing */
    atomic_bool stop;        /* for wr_job_opts */
    struct wr_job *job;      /* running; asked for checkpoints */
    struct scripted *source[64]; /* open ones */
    int n_source;
    bool resumed;            /* `next` is to be found from the sources' places */
    uint64_t dice;           /* not 0: batches are cut, and the run is interrupted, at random; the state of the generator */
    int rarely;              /* at random: an interruption is this many batches away, more or less */
    int break_at, save_at;   /* at random: the batch before which it happens */
    int n_break;             /* at random: interruptions so far */
};

void wr_script_init(struct wr_script *s, const struct wr_scenario *scenario, const struct wr_jobplan *plan, struct wr_arena *a);
void wr_script_clear(struct wr_script *s);
/* From now on at random, the same for the same seed (how tasks take turns aside). To be called with `how` set. */
void wr_script_randomly(struct wr_script *s, uint64_t seed, int rarely);
uint32_t wr_script_dice(uint64_t *dice, uint32_t n); /* 0 ... n - 1 */
/* Before the job is opened once more. */
void wr_script_resume(struct wr_script *s);
/* For wr_job_opts; ctx is the script. */
int64_t wr_script_clock(void *ctx);
wr_status wr_script_source(void *ctx, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err);
wr_status wr_script_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err);

#endif

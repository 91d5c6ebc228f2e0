/* live.h: a query's current result on a terminal: redrawn in place, with a status line. Without a terminal the console connector prints instead.
 * One query only: a job with several console sinks prints plain rows; one with none has the status line alone.
 * Where the rows come from is open: a job of this process (wr_live_sink, wr_live_progress), or a server (wr_live_start, wr_live_look). */
#ifndef WR_SHELL_LIVE_H
#define WR_SHELL_LIVE_H

#include "executor/job.h"
#include "server/watch.h"

/* What is known of the rows to come. */
struct wr_live_shape {
    const struct wr_schema *schema; /* outlives the view */
    bool updating, bounded;
    int n_key;                      /* -1: no key known */
    const int *key;
    int win_start, win_end;         /* columns; -1: none */
};

struct wr_live {
    const struct wr_jobplan *plan;  /* NULL: the job is a server's */
    const struct wr_plan *sink;     /* the console sink; NULL: none, the status line only */
    void *view;                     /* rows kept; live.c's own */
};

/* False: nothing to redraw here (no terminal, several console sinks, or a bounded query whose rows are printed at once). */
bool wr_live_init(struct wr_live *l, const struct wr_jobplan *plan);
bool wr_live_init_far(struct wr_live *l, const struct wr_live_shape *s);
/* For wr_job_opts; ctx is the struct wr_live. */
wr_status wr_live_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err);
void wr_live_progress(void *ctx, struct wr_job *job);
/* The sink that rows are written to; stop is set when the user has seen enough. */
void wr_live_start(struct wr_live *l, const struct wr_live_shape *s, struct wr_str null_text, atomic_bool *stop, struct wr_sink **out);
/* Takes keys, draws; ten times a second. why: appends what the key w shows; called when that is wanted. */
void wr_live_look(struct wr_live *l, const struct wr_gauge *g, void (*why)(const void *ctx, struct wr_buf *out), const void *ctx);
void wr_live_end(struct wr_live *l, const struct wr_gauge *g); /* last drawing, cursor below it */
void wr_live_clear(struct wr_live *l);

#endif

/* live.h: a query's current result on a terminal: redrawn in place, with a status line. Without a terminal the console connector prints instead.
 * One query only: a job with several console sinks prints plain rows; one with none has the status line alone. */
#ifndef WR_SHELL_LIVE_H
#define WR_SHELL_LIVE_H

#include "executor/job.h"

struct wr_live {
    const struct wr_jobplan *plan;
    const struct wr_plan *sink;    /* the console sink; NULL: none, the status line only */
    void *view;                    /* rows kept; live.c's own */
};

/* False: nothing to redraw here (no terminal, several console sinks, or a bounded query whose rows are printed at once). */
bool wr_live_init(struct wr_live *l, const struct wr_jobplan *plan);
/* For wr_job_opts; ctx is the struct wr_live. */
wr_status wr_live_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err);
void wr_live_progress(void *ctx, struct wr_job *job);
void wr_live_end(struct wr_live *l, struct wr_job *job); /* last drawing, cursor below it */
void wr_live_clear(struct wr_live *l);

#endif

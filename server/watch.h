/* watch.h: what a running job is asked, by the server and by the shell: its sums on one line, its plan with figures, why nothing comes out.
 * All figures are the engine's own copies (executor/job.h), so every call may come from any thread while the job is open.
 * Memory: texts are appended to the caller's buffer. */
#ifndef WR_SERVER_WATCH_H
#define WR_SERVER_WATCH_H

#include "executor/job.h"

struct wr_watch { const struct wr_jobplan *plan; const struct wr_job *run; };

/* The job's sums, for a status line. */
struct wr_gauge {
    uint64_t records;         /* read by all scans, bad ones included */
    uint64_t written;         /* rows that passed the sinks */
    uint64_t late, bad, held; /* held: rows in state */
    uint64_t state_bytes;
    uint64_t lag;             /* records between here and the ends last heard */
    bool lag_known;           /* some source has an end */
    int64_t wm, newest;       /* least watermark; greatest event time. WR_WM_NONE: none */
    uint64_t ckpt;            /* last checkpoint; 0: none */
    int64_t ckpt_us;          /* wall clock of it; 0: not of this run */
};
void wr_gauge_read(const struct wr_watch *w, struct wr_gauge *g);
/* {"records":..,"lag":..,...}: members as above, times in µs, what is not known left out. */
void wr_gauge_put(const struct wr_gauge *g, struct wr_buf *out);

/* All sinks of the plan as EXPLAIN ANALYZE prints them. */
void wr_analyze_print(const struct wr_watch *w, struct wr_buf *out);
/* Where each partition of each source stands: a line each. */
void wr_parts_print(const struct wr_watch *w, struct wr_buf *out);
/* EXPLAIN WHY. */
void wr_why_print(const struct wr_watch *w, struct wr_buf *out);

#endif

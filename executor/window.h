/* window.h: which windows a row belongs to, and when they close. Pure arithmetic over event times in µs.
 * Rules (reliability.md's definitions): a window is [start, end), aligned to the epoch plus offset; it closes when W >= end; a row is late
 * when every window it belongs to has W >= end + lateness just before the row. */
#ifndef WR_EXECUTOR_WINDOW_H
#define WR_EXECUTOR_WINDOW_H

#include "core/time.h"
#include "planner/plan.h"

/* End of the last window that contains ts: when it has closed, all have. TUMBLE, HOP, CUMULATE. */
static inline int64_t wr_window_last_end(const struct wr_window *w, int64_t ts)
{
    if (w->kind == WR_WIN_HOP)
        return wr_window_start(ts, w->slide, w->offset) + w->size;
    return wr_window_start(ts, w->size, w->offset) + w->size; /* TUMBLE; CUMULATE: the full span */
}

/* Width of the slices that windows are made of: a row is added to one slice only. */
int64_t wr_window_slice(const struct wr_window *w);
/* Calls nothing, allocates nothing: the windows that contain ts (or the slice starting at ts), oldest end first.
 * Returns how many; start/end have room for max. */
int wr_window_list(const struct wr_window *w, int64_t ts, int64_t *start, int64_t *end, int max);
int wr_window_count_max(const struct wr_window *w); /* most windows one row can be in */
/* True when no window that contains ts is open at watermark wm. wm = WR_WM_NONE: never. */
static inline bool wr_window_is_late(int64_t last_end, int64_t lateness, int64_t wm)
{
    return wm != WR_WM_NONE && wm >= last_end + lateness;
}

#endif

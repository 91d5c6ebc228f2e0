/* window.c: see window.h. */
#include "executor/window.h"

static int64_t gcd(int64_t a, int64_t b)
{
    while (b) {
        int64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}

int64_t wr_window_slice(const struct wr_window *w)
{
    return w->kind == WR_WIN_HOP ? gcd(w->size, w->slide) : w->kind == WR_WIN_CUMULATE ? w->slide : w->size;
}

int wr_window_count_max(const struct wr_window *w)
{
    return w->kind == WR_WIN_HOP || w->kind == WR_WIN_CUMULATE ? (int)((w->size + w->slide - 1) / w->slide) : 1;
}

int wr_window_list(const struct wr_window *w, int64_t ts, int64_t *start, int64_t *end, int max)
{
    int n = 0;
    if (w->kind == WR_WIN_CUMULATE) {
        int64_t s = wr_window_start(ts, w->size, w->offset);
        for (int64_t e = s + w->slide; e <= s + w->size && n < max; e += w->slide)
            if (ts < e) {
                start[n] = s;
                end[n++] = e;
            }
        return n;
    }
    int64_t last = wr_window_start(ts, w->slide, w->offset); /* TUMBLE has slide = size */
    int64_t first = last;
    while (first - w->slide + w->size > ts)
        first -= w->slide;
    for (int64_t s = first; s <= last && n < max; s += w->slide) {
        if (s + w->size <= ts)
            continue; /* slide > size leaves gaps */
        start[n] = s;
        end[n++] = s + w->size;
    }
    return n;
}

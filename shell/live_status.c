/* live_status.c: the lines of figures below a live view: what comes in, what is behind, what is held.
 * Rules:  a figure has one place and one name; what is not known is left out. Parts are packed into lines as wide as the terminal.
 *         Behind by much, the lag is a progress bar with the time it will still take, from how fast it shrank over the last two seconds.
 * Memory: buffers of the view. */
#include "shell/live_view.h"

#include "core/time.h"
#include "shell/print.h"

enum { SAMPLES = 20, BAR = 10, LONG_LAG = 1000 };
#define DIM "\x1b[2m"
#define PLAIN "\x1b[0m"

/* What there was a while ago (two seconds, or since the start): for speeds. */
struct speed { double seconds; uint64_t rows; int64_t lag; };

static void take_sample(struct wr_view *v, const struct wr_gauge *g, struct speed *s)
{
    int64_t now = wr_clock_mono();
    uint32_t oldest = v->n_sample < SAMPLES ? 0 : v->n_sample % SAMPLES;
    int64_t since = v->n_sample ? v->sample[oldest].us : v->start_us;
    uint64_t then = v->n_sample ? v->sample[oldest].records : 0;
    *s = (struct speed){(double)(now - since) / 1e6, g->records - then, v->n_sample ? (int64_t)v->sample[oldest].lag - (int64_t)g->lag : 0};
    v->sample[v->n_sample % SAMPLES].us = now;
    v->sample[v->n_sample % SAMPLES].records = g->records;
    v->sample[v->n_sample % SAMPLES].lag = g->lag;
    v->n_sample++;
}

struct packer { struct wr_view *v; struct wr_buf part; uint32_t used; int lines; };

static void pack(struct packer *p)
{
    static const struct wr_str dot = {" \xC2\xB7 ", 4};
    struct wr_str sep = p->v->utf8 ? dot : WR_STR(" | ");
    struct wr_str part = wr_buf_get(&p->part);
    uint32_t w = wr_utf8_width(part);
    if (p->used && p->used + 3 + w > (uint32_t)p->v->cols) {
        wr_buf_putc(&p->v->frame, '\n');
        p->used = 0;
        p->lines++;
    }
    if (p->used == 0) {
        wr_buf_putc(&p->v->frame, ' ');
        p->used = 1;
        if (w + 1 > (uint32_t)p->v->cols)
            part = wr_text_cut_width(part, (uint32_t)p->v->cols - 1);
    } else {
        wr_buf_str(&p->v->frame, sep);
        p->used += 3;
    }
    wr_buf_str(&p->v->frame, part);
    p->used += w;
    wr_buf_reset(&p->part);
}

/* To the second; without the date when it is the same day as `near`. */
static void put_second(struct wr_buf *out, int64_t us, int64_t near)
{
    int64_t day = wr_window_start(us, WR_US_DAY, 0);
    if (near != WR_WM_NONE && wr_window_start(near, WR_US_DAY, 0) == day)
        wr_time_of_day_print(out, wr_window_start(us - day, WR_US_SEC, 0));
    else
        wr_timestamp_print(out, wr_window_start(us, WR_US_SEC, 0), false);
}

static void pack_watermark(struct packer *p, const struct wr_gauge *g)
{
    if (g->wm == WR_WM_NONE || g->wm == WR_WM_END)
        return;
    wr_buf_puts(&p->part, "watermark ");
    put_second(&p->part, g->wm, g->newest);
    if (g->newest != WR_WM_NONE && g->newest > g->wm) {
        int64_t behind = g->newest - g->wm;
        wr_buf_puts(&p->part, " (");
        wr_duration_print(&p->part, behind < WR_US_SEC ? behind : wr_window_start(behind, behind < WR_US_HOUR ? WR_US_SEC : WR_US_MIN, 0));
        wr_buf_puts(&p->part, " behind)");
    }
    pack(p);
}

static void put_bar(struct packer *p, uint64_t done, uint64_t total)
{
    uint64_t full = total ? done * BAR / total : BAR;
    wr_buf_puts(&p->part, p->v->utf8 ? "" : "[");
    for (uint64_t i = 0; i < BAR; i++)
        wr_buf_puts(&p->part, i < full ? (p->v->utf8 ? "\xE2\x96\x88" : "#") : (p->v->utf8 ? "\xE2\x96\x91" : "."));
    wr_buf_puts(&p->part, p->v->utf8 ? "" : "]");
    wr_buf_printf(&p->part, " %llu %%", (unsigned long long)(total ? done * 100 / total : 100));
}

/* What is still to be read, and how long that will take. */
static void pack_lag(struct packer *p, const struct wr_gauge *g, const struct speed *s, bool last)
{
    if (!g->lag_known)
        return;
    bool far = !last && g->lag >= LONG_LAG;
    wr_buf_puts(&p->part, "lag ");
    wr_put_number(&p->part, g->lag);
    if (far) {
        wr_buf_putc(&p->part, ' ');
        put_bar(p, g->records, g->records + g->lag);
    }
    pack(p);
    if (far && s->lag > 0 && s->seconds > 0.2) {
        wr_buf_puts(&p->part, "caught up in ");
        wr_duration_print(&p->part, (int64_t)((double)g->lag * s->seconds / (double)s->lag + 1) * WR_US_SEC);
        pack(p);
    } else if (far && s->lag < 0) {
        wr_buf_puts(&p->part, "falling behind");
        pack(p);
    }
}

void wr_put_bytes(struct wr_buf *out, uint64_t n)
{
    static const char *const unit[] = {"B", "kB", "MB", "GB", "TB"};
    double x = (double)n;
    int u = 0;
    while (x >= 1000 && u < 4) {
        x /= 1000;
        u++;
    }
    wr_buf_printf(out, x < 10 && u ? "%.1f %s" : "%.0f %s", x, unit[u]);
}

static void pack_state(struct packer *p, const struct wr_gauge *g)
{
    wr_buf_puts(&p->part, "state ");
    wr_put_number(&p->part, g->held);
    wr_buf_puts(&p->part, " rows");
    if (g->state_bytes >= 100000) {
        wr_buf_puts(&p->part, ", ");
        wr_put_bytes(&p->part, g->state_bytes);
    }
    pack(p);
}

static void pack_checkpoint(struct packer *p, const struct wr_gauge *g)
{
    if (!g->ckpt || !g->ckpt_us)
        return;
    int64_t age = wr_clock_wall() - g->ckpt_us;
    wr_buf_printf(&p->part, "checkpoint %llu, ", (unsigned long long)g->ckpt);
    wr_duration_print(&p->part, age > 0 ? age / WR_US_SEC * WR_US_SEC : 0);
    wr_buf_puts(&p->part, " ago");
    pack(p);
}

void wr_view_status(struct wr_view *v, const struct wr_gauge *g, bool last)
{
    struct packer p = {.v = v, .part = WR_BUF_INIT(0)};
    struct speed s;
    take_sample(v, g, &s);
    if (v->colors)
        wr_buf_puts(&v->frame, DIM);
    if (last) {
        wr_put_number(&p.part, g->records);
        wr_buf_printf(&p.part, " rows read in %.1f s", (double)(wr_clock_mono() - v->start_us) / 1e6);
    } else {
        wr_put_number(&p.part, s.seconds > 0 ? (uint64_t)((double)s.rows / s.seconds + 0.5) : 0);
        wr_buf_puts(&p.part, " rows/s");
    }
    pack(&p);
    if (!v->schema) {
        wr_buf_puts(&p.part, "written ");
        wr_put_number(&p.part, g->written);
        pack(&p);
    }
    pack_lag(&p, g, &s, last);
    pack_watermark(&p, g);
    wr_buf_puts(&p.part, "late ");
    wr_put_number(&p.part, g->late);
    pack(&p);
    wr_buf_puts(&p.part, "bad ");
    wr_put_number(&p.part, g->bad);
    pack(&p);
    pack_state(&p, g);
    pack_checkpoint(&p, g);
    if (!last) {
        wr_buf_puts(&p.part, v->collect ? "Ctrl-C stops" : "q stops, ? keys");
        pack(&p);
    }
    if (v->colors)
        wr_buf_puts(&v->frame, PLAIN);
    wr_buf_putc(&v->frame, '\n');
    wr_buf_clear(&p.part);
}

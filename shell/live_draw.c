/* live_draw.c: the picture of a live view: a table of what fits, a line that says how much does not, figures of the job below.
 * Rules:  the picture starts where the cursor was and is never taller than the screen less one line, so that what was printed before stays above.
 *         A frame is a list of lines; only lines that differ from those on the screen are written, all in one write. A new window size starts over.
 *         A number or a time is never cut: texts shrink first, then columns at the right are left out.
 * Memory: buffers of the view. */
#include "shell/live_view.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "core/time.h"
#include "shell/print.h"
#include "shell/term.h"

enum { TEXT_LEAST = 8, HEADER_LEAST = 4, BRIGHT_US = 400000, SAMPLES = 20 };
#define BOLD "\x1b[1m"
#define DIM "\x1b[2m"
#define BRIGHT "\x1b[32m"
#define PLAIN "\x1b[0m"

/* ---- columns ---- */

static uint32_t wanted(const struct wr_view *v, int n)
{
    uint32_t sum = 1;
    for (int i = 0; i < n; i++)
        sum += v->width[i] + (i ? 3 : 0);
    return sum;
}

static uint32_t header_width(const struct wr_view *v, int col)
{
    return wr_utf8_width(v->schema->field[col].name);
}

static bool is_text(const struct wr_view *v, int col)
{
    enum wr_phys p = wr_type_phys((enum wr_tid)v->schema->field[col].type.id);
    return p == WR_P_STR;
}

/* Least width a column may be shrunk to: headers first, then texts. */
static uint32_t floor_of(const struct wr_view *v, int col, bool texts)
{
    uint32_t least = v->content[col] > HEADER_LEAST ? v->content[col] : HEADER_LEAST;
    if (texts && is_text(v, col) && least > TEXT_LEAST)
        least = TEXT_LEAST;
    return least;
}

static void shrink(struct wr_view *v, bool texts)
{
    while (wanted(v, v->schema->n) > (uint32_t)v->cols) {
        int widest = -1;
        for (int i = 0; i < v->schema->n; i++)
            if (v->width[i] > floor_of(v, i, texts) && (widest < 0 || v->width[i] > v->width[widest]))
                widest = i;
        if (widest < 0)
            return;
        v->width[widest]--;
    }
}

void wr_view_fit(struct wr_view *v)
{
    int n = v->schema->n;
    for (int i = 0; i < n; i++) {
        uint32_t head = header_width(v, i);
        v->width[i] = head > v->content[i] ? head : v->content[i];
    }
    shrink(v, false);
    shrink(v, true);
    v->n_show = n;
    while (v->n_show > 1 && wanted(v, v->n_show) > (uint32_t)v->cols)
        v->n_show--;
    if (v->n_show == 1 && wanted(v, 1) > (uint32_t)v->cols)
        v->width[0] = v->cols > 2 ? (uint32_t)v->cols - 1 : 1;
}

void wr_view_line(struct wr_view *v, struct wr_buf *out, const struct wr_str *cell, bool header)
{
    for (int i = 0; i < v->n_show; i++) {
        wr_buf_puts(out, i ? (v->utf8 ? " \xE2\x94\x82 " : " | ") : " ");
        bool last = i == v->n_show - 1;
        wr_put_cell(out, cell[i], v->width[i], v->right[i], last && !header);
    }
    while (out->n && out->p[out->n - 1] == ' ')
        out->n--;
    wr_buf_putc(out, '\n');
}

void wr_view_header(struct wr_view *v, struct wr_buf *out)
{
    struct wr_buf names = WR_BUF_INIT(0);
    struct wr_str *cell = wr_calloc((size_t)v->schema->n + 1, sizeof *cell);
    for (int i = 0; i < v->schema->n; i++) {
        size_t before = names.n;
        wr_buf_escape(&names, v->schema->field[i].name, 256);
        cell[i].n = (uint32_t)(names.n - before);
    }
    const char *at = names.p;
    for (int i = 0; i < v->schema->n; i++) {
        cell[i].p = at;
        at += cell[i].n;
    }
    if (v->colors)
        wr_buf_puts(out, BOLD);
    wr_view_line(v, out, cell, true);
    if (v->colors) {
        out->n--;
        wr_buf_puts(out, PLAIN "\n");
    }
    for (int i = 0; i < v->n_show; i++) {
        if (i)
            wr_buf_puts(out, v->utf8 ? "\xE2\x94\xBC" : "+");
        bool edge = i == v->n_show - 1 && wanted(v, v->n_show) >= (uint32_t)v->cols;
        for (uint32_t k = 0; k < v->width[i] + (edge ? 1 : 2); k++)
            wr_buf_puts(out, v->utf8 ? "\xE2\x94\x80" : "-");
    }
    wr_buf_putc(out, '\n');
    free(cell);
    wr_buf_clear(&names);
}

/* ---- figures ---- */

struct figures {
    uint64_t records, written, late, bad, held, lag;
    bool lag_known;
    int64_t wm, newest;   /* WR_WM_NONE: unknown */
};

static void read_figures(const struct wr_view *v, const struct wr_job *job, struct figures *f)
{
    *f = (struct figures){.wm = WR_WM_END, .newest = WR_WM_NONE};
    f->late = wr_job_late(job);
    for (int i = 1; i < WR_R_COUNT; i++)
        f->bad += wr_job_bad_by_reason(job, (enum wr_reason)i);
    bool any_wm = false;
    for (int i = 0; i < v->plan->n_node; i++) {
        const struct wr_plan *p = v->plan->node[i];
        struct wr_node_stats s;
        wr_job_node(job, i, &s);
        f->held += s.n.held;
        f->written += p->kind == WR_PLAN_SINK ? s.n.passed : 0;
        const struct wr_source *src = wr_job_source(job, i);
        for (int k = 0; src && k < src->n_part; k++) {
            const struct wr_part *part = &src->part[k];
            f->lag_known |= part->end >= 0;
            f->lag += part->end > part->next ? (uint64_t)(part->end - part->next) : 0;
        }
        f->records += src ? src->records - src->skipped : 0;
        if (p->kind != WR_PLAN_WATERMARK)
            continue;
        struct wr_part_stats ps;
        for (int k = 0; wr_job_part(job, i, k, &ps); k++)
            f->newest = ps.max_ts > f->newest ? ps.max_ts : f->newest;
        f->wm = s.wm < f->wm ? s.wm : f->wm;
        any_wm = true;
    }
    if (!any_wm)
        f->wm = WR_WM_NONE;
}

static uint64_t rate(struct wr_view *v, uint64_t records)
{
    int64_t now = wr_clock_mono();
    uint32_t oldest = v->n_sample < SAMPLES ? 0 : v->n_sample % SAMPLES;
    int64_t since = v->n_sample ? v->sample[oldest].us : v->start_us;
    uint64_t then = v->n_sample ? v->sample[oldest].records : 0;
    v->sample[v->n_sample % SAMPLES].us = now;
    v->sample[v->n_sample % SAMPLES].records = records;
    v->n_sample++;
    return now > since ? (uint64_t)((double)(records - then) * 1e6 / (double)(now - since) + 0.5) : 0;
}

/* Parts of the status are packed into lines as wide as the terminal. */
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

static void pack_watermark(struct packer *p, const struct figures *f)
{
    if (f->wm == WR_WM_NONE || f->wm == WR_WM_END)
        return;
    wr_buf_puts(&p->part, "watermark ");
    put_second(&p->part, f->wm, f->newest);
    if (f->newest != WR_WM_NONE && f->newest > f->wm) {
        int64_t behind = f->newest - f->wm;
        wr_buf_puts(&p->part, " (");
        wr_duration_print(&p->part, behind < WR_US_SEC ? behind : wr_window_start(behind, WR_US_SEC, 0));
        wr_buf_puts(&p->part, " behind)");
    }
    pack(p);
}

static void put_status(struct wr_view *v, const struct wr_job *job, bool last)
{
    struct figures f;
    struct packer p = {.v = v, .part = WR_BUF_INIT(0)};
    read_figures(v, job, &f);
    if (v->colors)
        wr_buf_puts(&v->frame, DIM);
    if (last) {
        wr_put_number(&p.part, f.records);
        wr_buf_puts(&p.part, " rows read in ");
        wr_buf_printf(&p.part, "%.1f s", (double)(wr_clock_mono() - v->start_us) / 1e6);
    } else {
        wr_put_number(&p.part, rate(v, f.records));
        wr_buf_puts(&p.part, " rows/s");
    }
    pack(&p);
    if (!v->schema) {
        wr_buf_puts(&p.part, "written ");
        wr_put_number(&p.part, f.written);
        pack(&p);
    }
    if (f.lag_known) {
        wr_buf_puts(&p.part, "lag ");
        wr_put_number(&p.part, f.lag);
        pack(&p);
    }
    pack_watermark(&p, &f);
    const struct { const char *name; uint64_t n; } counts[] = {{"late ", f.late}, {"bad ", f.bad}, {"state ", f.held}};
    for (int i = 0; i < 3; i++) {
        wr_buf_puts(&p.part, counts[i].name);
        wr_put_number(&p.part, counts[i].n);
        if (i == 2)
            wr_buf_puts(&p.part, " rows");
        pack(&p);
    }
    if (!last) {
        wr_buf_puts(&p.part, "q stops");
        pack(&p);
    }
    if (v->colors)
        wr_buf_puts(&v->frame, PLAIN);
    wr_buf_putc(&v->frame, '\n');
    wr_buf_clear(&p.part);
}

/* ---- the frame ---- */

static void put_row(struct wr_view *v, const struct wr_view_row *r, bool bright)
{
    struct wr_str *cell = wr_calloc((size_t)v->schema->n + 1, sizeof *cell);
    for (int i = 0; i < v->schema->n; i++)
        cell[i] = wr_view_cell(v, r, i);
    if (bright)
        wr_buf_puts(&v->frame, BRIGHT);
    wr_view_line(v, &v->frame, cell, false);
    if (bright) {
        v->frame.n--;
        wr_buf_puts(&v->frame, PLAIN "\n");
    }
    free(cell);
}

static void measure(struct wr_view *v, uint32_t from, uint32_t to)
{
    for (uint32_t r = from; r < to; r++)
        for (int i = 0; i < v->schema->n; i++) {
            uint32_t w = wr_utf8_width(wr_view_cell(v, v->row[r], i));
            v->content[i] = w > v->content[i] ? w : v->content[i];
        }
}

static void put_footer(struct wr_view *v, uint64_t drawn)
{
    uint64_t total = v->total > 0 ? (uint64_t)v->total : 0;
    struct wr_buf line = WR_BUF_INIT(0);
    wr_buf_putc(&line, '(');
    if (drawn < total) {
        wr_put_number(&line, drawn);
        wr_buf_puts(&line, " of ");
    }
    wr_put_number(&line, total);
    wr_buf_puts(&line, total == 1 ? " row" : " rows");
    if (drawn < total)
        wr_buf_puts(&line, ", arrow keys scroll");
    if (v->n_show < v->schema->n)
        wr_buf_printf(&line, ", %d column%s not shown", v->schema->n - v->n_show, v->schema->n - v->n_show == 1 ? "" : "s");
    wr_buf_putc(&line, ')');
    wr_buf_str(&v->frame, wr_text_cut_width(wr_buf_get(&line), (uint32_t)v->cols));
    wr_buf_putc(&v->frame, '\n');
    wr_buf_clear(&line);
}

static void put_table(struct wr_view *v, bool last)
{
    int room = v->rows - 1 - 2 - 1 - 2; /* header and rule, footer, status of up to two lines */
    uint32_t most = room > 1 ? (uint32_t)room : 1;
    if (v->n_row <= most || last)
        v->top = v->n_row <= most ? 0 : v->top;
    else if ((uint32_t)v->top > v->n_row - most)
        v->top = (int)(v->n_row - most);
    uint32_t from = (uint32_t)v->top, to = from + most < v->n_row ? from + most : v->n_row;
    measure(v, from, to);
    wr_view_fit(v);
    wr_view_header(v, &v->frame);
    int64_t now = wr_clock_mono();
    uint64_t lines = 0;
    for (uint32_t r = from; r < to; r++)
        for (int64_t k = 0; k < v->row[r]->count && lines < most; k++, lines++)
            put_row(v, v->row[r], v->colors && !last && now - v->row[r]->touched_us < BRIGHT_US);
    put_footer(v, lines);
}

/* ---- to the screen ---- */

static void write_all(struct wr_view *v)
{
    const char *p = v->out.p;
    size_t n = v->out.n;
    while (n) {
        ssize_t put = write(STDOUT_FILENO, p, n);
        if (put >= 0) {
            p += put;
            n -= (size_t)put;
        } else if (errno == EAGAIN) {
            struct pollfd one = {.fd = STDOUT_FILENO, .events = POLLOUT};
            poll(&one, 1, 100);
        } else if (errno != EINTR) {
            if (v->stop)
                atomic_store(v->stop, true); /* the terminal has gone */
            break;
        }
    }
    wr_buf_reset(&v->out);
}

static bool next_line(struct wr_str *text, struct wr_str *line)
{
    const char *nl = text->n ? memchr(text->p, '\n', text->n) : NULL;
    if (!nl)
        return false;
    *line = (struct wr_str){text->p, (uint32_t)(nl - text->p)};
    text->n -= line->n + 1;
    text->p = nl + 1;
    return true;
}

/* Lines for above the picture: they push it down and stay. */
static void put_above(struct wr_view *v)
{
    struct wr_str text = wr_buf_get(&v->above), line;
    if (v->n_shown)
        wr_buf_puts(&v->out, "\x1b[J");
    while (next_line(&text, &line)) {
        wr_buf_str(&v->out, line);
        wr_buf_puts(&v->out, "\r\n");
    }
    wr_buf_reset(&v->above);
    wr_buf_reset(&v->shown);
    v->n_shown = 0;
}

static void put_changes(struct wr_view *v)
{
    struct wr_str fresh = wr_buf_get(&v->frame), old = wr_buf_get(&v->shown), line, before;
    int n = 0;
    while (next_line(&fresh, &line)) {
        bool had = next_line(&old, &before);
        if (n++)
            wr_buf_puts(&v->out, "\r\n");
        if (had && wr_str_eq(line, before))
            continue;
        wr_buf_puts(&v->out, had ? "\r\x1b[K" : "\r"); /* erased first: behind a full line, erasing would take its last character */
        wr_buf_str(&v->out, line);
    }
    if (v->n_shown > n)
        wr_buf_puts(&v->out, n ? "\r\n\x1b[J\x1b[A" : "\x1b[J");
    v->n_shown = n;
    struct wr_buf swap = v->shown;
    v->shown = v->frame;
    v->frame = swap;
}

void wr_view_sized(struct wr_view *v)
{
    wr_term_size(&v->rows, &v->cols);
    v->cols = v->cols < 10 ? 10 : v->cols;
    v->rows = v->rows < 8 ? 8 : v->rows;
}

static void start_over(struct wr_view *v)
{
    wr_view_sized(v);
    if (v->n_shown)
        wr_buf_puts(&v->out, "\x1b[H\x1b[2J");
    v->n_shown = 0;
    v->header_done = false;
    wr_buf_reset(&v->shown);
}

void wr_view_draw(struct wr_view *v, const struct wr_job *job, bool last)
{
    if (wr_term_resized())
        start_over(v);
    if (v->n_shown) {
        wr_buf_puts(&v->out, "\r");
        if (v->n_shown > 1)
            wr_buf_printf(&v->out, "\x1b[%dA", v->n_shown - 1);
    }
    if (v->above.n)
        put_above(v);
    wr_buf_reset(&v->frame);
    if (job) {
        if (v->updating)
            put_table(v, last);
        put_status(v, job, last);
        put_changes(v);
    }
    if (last)
        wr_buf_puts(&v->out, "\r\n");
    write_all(v);
}

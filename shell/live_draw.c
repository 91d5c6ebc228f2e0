/* live_draw.c: the picture of a live view: a table of what fits (or a chart), a line that says how much does not, figures of the job below.
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

enum { TEXT_LEAST = 8, HEADER_LEAST = 4, BRIGHT_US = 400000 };
#define BOLD "\x1b[1m"
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
    return wr_utf8_width(v->schema->field[col].name) + (v->keeps && col == v->sort_col ? 1 : 0);
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
        if (v->keeps && i == v->sort_col)
            wr_buf_puts(&names, v->utf8 ? (v->sort_down ? "\xE2\x96\xBC" : "\xE2\x96\xB2") : v->sort_down ? "v" : "^");
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
            uint32_t w = wr_utf8_width(wr_view_cell(v, wr_view_row_at(v, r), i));
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

/* Lines there are for what is between the header and the figures. */
static uint32_t room_of(const struct wr_view *v)
{
    int room = v->rows - 1 - 2 - 1 - (v->n_status > 2 ? v->n_status : 2); /* header and rule, footer, figures; these are two lines at least, so that rows stay put */
    return room > 1 ? (uint32_t)room : 1;
}

static void put_table(struct wr_view *v, bool last)
{
    uint32_t most = room_of(v);
    v->last_top = v->n_row > most ? (int)(v->n_row - most) : 0;
    v->top = v->top > v->last_top ? v->last_top : v->top;
    wr_view_sort(v);
    uint32_t from = (uint32_t)v->top, to = from + most < v->n_row ? from + most : v->n_row;
    measure(v, from, to);
    wr_view_fit(v);
    wr_view_header(v, &v->frame);
    int64_t now = wr_clock_mono();
    uint64_t lines = 0;
    for (uint32_t r = from; r < to; r++) {
        const struct wr_view_row *row = wr_view_row_at(v, r);
        for (int64_t k = 0; k < row->count && lines < most; k++, lines++)
            put_row(v, row, v->colors && !last && now - row->touched_us < BRIGHT_US);
    }
    put_footer(v, lines);
}

/* A text of lines instead of the table: long ones go on below, indented; what does not fit on the screen is left out. */
static void put_text(struct wr_view *v, struct wr_str text)
{
    uint32_t room = room_of(v) + 3, cols = (uint32_t)v->cols - 1;
    while (text.n && room > 0) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct wr_str line = {text.p, nl ? (uint32_t)(nl - text.p) : text.n};
        text.p += line.n + (nl ? 1 : 0);
        text.n -= line.n + (nl ? 1 : 0);
        for (bool first = true; (first || line.n) && room > 0; first = false, room--) {
            struct wr_str part = wr_text_cut_width(line, first || cols < 20 ? cols : cols - 6);
            const char *blank = part.n < line.n ? memrchr(part.p, ' ', part.n) : NULL;
            if (blank && (uint32_t)(blank - part.p) > part.n / 2)
                part.n = (uint32_t)(blank - part.p) + 1; /* between words */
            part.n = part.n ? part.n : line.n;
            wr_buf_puts(&v->frame, first || cols < 20 ? "" : "      ");
            wr_buf_str(&v->frame, part);
            wr_buf_putc(&v->frame, '\n');
            line.p += part.n;
            line.n -= part.n;
        }
    }
}

static void put_body(struct wr_view *v, bool last)
{
    if (v->over == WR_OVER_WHY && !last)
        put_text(v, v->why.n ? wr_buf_get(&v->why) : WR_STR("nothing is known of the query yet\n"));
    else if (v->over == WR_OVER_KEYS && !last)
        put_text(v, wr_str_c(wr_view_help));
    else if (v->keeps && v->mode == WR_VIEW_CHART)
        wr_view_chart(v, last ? 0 : room_of(v) + 2);
    else if (v->keeps && v->mode == WR_VIEW_TABLE)
        put_table(v, last);
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

/* The frame: body and figures, never taller than the screen less one line. */
static void compose(struct wr_view *v, const struct wr_gauge *g, bool last)
{
    struct wr_buf status = WR_BUF_INIT(0);
    wr_buf_reset(&v->frame);
    wr_view_status(v, g, last);
    wr_buf_str(&status, wr_buf_get(&v->frame));
    v->n_status = 0;
    for (size_t i = 0; i < status.n; i++)
        v->n_status += status.p[i] == '\n';
    wr_buf_reset(&v->frame);
    put_body(v, last);
    wr_buf_str(&v->frame, wr_buf_get(&status));
    wr_buf_clear(&status);
    int lines = 0;
    for (size_t i = 0; i < v->frame.n && !last; i++) {
        lines += v->frame.p[i] == '\n';
        if (lines == v->rows - 1) {
            v->frame.n = i + 1;
            if (v->colors)
                wr_buf_puts(&v->frame, PLAIN);
            break;
        }
    }
}

/* Back to where the picture begins. */
static void go_up(struct wr_view *v)
{
    if (!v->n_shown)
        return;
    wr_buf_puts(&v->out, "\r");
    if (v->n_shown > 1)
        wr_buf_printf(&v->out, "\x1b[%dA", v->n_shown - 1);
}

void wr_view_erase(struct wr_view *v)
{
    go_up(v);
    if (v->n_shown)
        wr_buf_puts(&v->out, "\x1b[J");
    v->n_shown = 0;
    wr_buf_reset(&v->shown);
    write_all(v);
}

void wr_view_draw(struct wr_view *v, const struct wr_gauge *g, bool last)
{
    if (wr_term_resized())
        start_over(v);
    go_up(v);
    if (v->above.n)
        put_above(v);
    if (g) {
        compose(v, g, last);
        put_changes(v);
    }
    if (last)
        wr_buf_puts(&v->out, "\r\n");
    write_all(v);
}

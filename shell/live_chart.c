/* live_chart.c: a column of numbers over windows: a line a key, a sparkline of its last windows, oldest left, and its newest value.
 * Rules:  all lines share the axis of windows, and one scale from nought (or the least value, if that is less) to the greatest. A window without a row is a
 *         blank. Without windows each row is a bar. Only what is kept can be drawn.
 * Memory: arrays of one picture. */
#include "shell/live_view.h"

#include <math.h>
#include <stdlib.h>

#include "core/log.h"

enum { LABEL_MOST = 28, VALUE_MOST = 20, WINDOWS_MOST = 500 };

struct line { struct wr_buf label; double *at; struct wr_buf newest; uint32_t newest_window; };
struct chart {
    const struct wr_view *v;
    uint32_t n_win, n_line;
    struct wr_buf win;          /* texts of the windows' starts, as lengths and bytes, newest first */
    struct line *line;
    double least, most;
};

int wr_view_chart_column(const struct wr_view *v, struct wr_str name)
{
    for (int i = 0; i < v->schema->n; i++) {
        bool key = i == v->win_start || i == v->win_end;
        for (int k = 0; k < v->n_key && v->unique; k++)
            key |= v->key[k] == i;
        if (name.n ? wr_str_ieq(v->schema->field[i].name, name) : v->right[i] && !key)
            return v->right[i] ? i : -1;
    }
    return -1;
}

static double number(struct wr_str s)
{
    char text[64];
    if (s.n == 0 || s.n >= sizeof text)
        return NAN;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    char *end;
    double d = strtod(text, &end);
    return end == text ? NAN : d;
}

/* Place of a window from the newest, 0; WINDOWS_MOST: too many. Rows come newest window first, so a new one is the next. */
static uint32_t window_of(struct chart *c, struct wr_str start)
{
    size_t at = 0;
    for (uint32_t i = 0; i < c->n_win; i++) {
        uint32_t n;
        memcpy(&n, c->win.p + at, sizeof n);
        at += sizeof n;
        if (wr_str_eq((struct wr_str){c->win.p + at, n}, start))
            return i;
        at += n;
    }
    if (c->n_win == WINDOWS_MOST)
        return WINDOWS_MOST;
    wr_buf_add(&c->win, &start.n, sizeof start.n);
    wr_buf_str(&c->win, start);
    return c->n_win++;
}

static void put_label(struct chart *c, const struct wr_view_row *r, struct wr_buf *out)
{
    const struct wr_view *v = c->v;
    for (int k = 0; k < v->n_key; k++) {
        int col = v->key[k];
        if (col == v->win_start || col == v->win_end || col == v->chart_col || (!v->unique && v->right[col]))
            continue;
        if (out->n)
            wr_buf_putc(out, ' ');
        wr_buf_str(out, wr_view_cell(v, r, col));
    }
}

static struct line *line_of(struct chart *c, const struct wr_view_row *r)
{
    struct wr_buf label = WR_BUF_INIT(0);
    put_label(c, r, &label);
    for (uint32_t i = 0; i < c->n_line; i++)
        if (wr_str_eq(wr_buf_get(&c->line[i].label), wr_buf_get(&label))) {
            wr_buf_clear(&label);
            return &c->line[i];
        }
    c->line = wr_realloc(c->line, sizeof *c->line * (c->n_line + 1));
    struct line *l = &c->line[c->n_line++];
    *l = (struct line){.label = label, .at = wr_malloc(sizeof *l->at * (WINDOWS_MOST + 1)), .newest = WR_BUF_INIT(0), .newest_window = UINT32_MAX};
    for (int i = 0; i <= WINDOWS_MOST; i++)
        l->at[i] = NAN;
    return l;
}

static void gather(struct chart *c)
{
    const struct wr_view *v = c->v;
    for (uint32_t i = 0; i < v->n_row; i++) {
        struct wr_str cell = wr_view_cell(v, v->row[i], v->chart_col);
        int win = v->win_start >= 0 ? v->win_start : v->win_end;
        uint32_t w = win >= 0 ? window_of(c, wr_view_cell(v, v->row[i], win)) : 0;
        double d = number(cell);
        if (w == WINDOWS_MOST || isnan(d))
            continue;
        struct line *l = line_of(c, v->row[i]);
        l->at[w] = d;
        if (w < l->newest_window) {
            l->newest_window = w;
            wr_buf_reset(&l->newest);
            wr_buf_str(&l->newest, cell);
        }
        c->least = d < c->least ? d : c->least;
        c->most = d > c->most ? d : c->most;
    }
    c->n_win = c->n_win ? c->n_win : 1;
}

static int by_label(const void *a, const void *b)
{
    return wr_str_cmp(wr_buf_get(&((const struct line *)a)->label), wr_buf_get(&((const struct line *)b)->label));
}

static void put_spark(const struct chart *c, double d, struct wr_buf *out)
{
    static const char *const block[] = {"\xE2\x96\x81", "\xE2\x96\x82", "\xE2\x96\x83", "\xE2\x96\x84", "\xE2\x96\x85", "\xE2\x96\x86", "\xE2\x96\x87", "\xE2\x96\x88"};
    static const char *const plain[] = {".", ":", "-", "=", "+", "*", "#", "@"};
    if (isnan(d)) {
        wr_buf_putc(out, ' ');
        return;
    }
    int step = c->most > c->least ? (int)((d - c->least) / (c->most - c->least) * 7.999) : 0;
    wr_buf_puts(out, c->v->utf8 ? block[step] : plain[step]);
}

/* Without windows: a bar. */
static void put_bar(const struct chart *c, double d, uint32_t width, struct wr_buf *out)
{
    double share = c->most > c->least ? (d - c->least) / (c->most - c->least) : 0;
    uint32_t n = isnan(d) ? 0 : (uint32_t)(share * width + 0.5);
    for (uint32_t i = 0; i < width; i++)
        wr_buf_puts(out, i >= n ? " " : c->v->utf8 ? "\xE2\x96\x88" : "#");
}

static void put_lines(struct wr_view *v, const struct chart *c, uint32_t from, uint32_t to, uint32_t label, uint32_t value)
{
    uint32_t room = (uint32_t)v->cols > label + value + 6 ? (uint32_t)v->cols - label - value - 6 : 1;
    bool windows = v->win_start >= 0 || v->win_end >= 0;
    uint32_t shown = windows && c->n_win < room ? c->n_win : room;
    for (uint32_t i = from; i < to; i++) {
        const struct line *l = &c->line[i];
        wr_buf_putc(&v->frame, ' ');
        wr_put_cell(&v->frame, wr_buf_get(&l->label), label, false, false);
        wr_buf_puts(&v->frame, v->utf8 ? " \xE2\x94\x82" : " |");
        if (windows)
            for (uint32_t k = shown; k-- > 0;)
                put_spark(c, l->at[k], &v->frame);
        else
            put_bar(c, l->at[0], shown, &v->frame);
        wr_buf_puts(&v->frame, v->utf8 ? "\xE2\x94\x82 " : "| ");
        wr_put_cell(&v->frame, wr_buf_get(&l->newest), value, true, false);
        wr_buf_putc(&v->frame, '\n');
    }
}

/* What is drawn, and which time lies at which end. */
static void put_head(struct wr_view *v, const struct chart *c)
{
    struct wr_buf line = WR_BUF_INIT(0);
    wr_buf_putc(&line, ' ');
    wr_buf_escape(&line, v->schema->field[v->chart_col].name, 60);
    if (c->n_line)
        wr_buf_printf(&line, ", %.6g to %.6g", c->least, c->most);
    if (c->win.n) {
        uint32_t n;
        memcpy(&n, c->win.p, sizeof n);
        wr_buf_printf(&line, ", %u window%s, the last ", c->n_win, c->n_win == 1 ? "" : "s");
        wr_buf_add(&line, c->win.p + sizeof n, n);
    }
    wr_buf_str(&v->frame, wr_text_cut_width(wr_buf_get(&line), (uint32_t)v->cols));
    wr_buf_putc(&v->frame, '\n');
    wr_buf_clear(&line);
}

void wr_view_chart(struct wr_view *v, uint32_t most)
{
    struct chart c = {.v = v, .win = WR_BUF_INIT(0)};
    uint32_t label = 1, value = 1;
    gather(&c);
    if (c.n_line)
        qsort(c.line, c.n_line, sizeof *c.line, by_label);
    for (uint32_t i = 0; i < c.n_line; i++) {
        uint32_t w = wr_utf8_width(wr_buf_get(&c.line[i].label)), n = wr_utf8_width(wr_buf_get(&c.line[i].newest));
        label = w > label ? w : label;
        value = n > value ? n : value;
    }
    label = label > LABEL_MOST ? LABEL_MOST : label;
    value = value > VALUE_MOST ? VALUE_MOST : value;
    uint32_t room = most == 0 ? c.n_line : most > 1 ? most - 1 : 1;
    v->last_top = c.n_line > room ? (int)(c.n_line - room) : 0;
    v->top = v->top > v->last_top ? v->last_top : v->top;
    put_head(v, &c);
    uint32_t from = most ? (uint32_t)v->top : 0, to = from + room < c.n_line ? from + room : c.n_line;
    put_lines(v, &c, from, to, label, value);
    if (to - from < c.n_line)
        wr_buf_printf(&v->frame, "(%u of %u lines, arrow keys scroll)\n", to - from, c.n_line);
    for (uint32_t i = 0; i < c.n_line; i++) {
        wr_buf_clear(&c.line[i].label);
        wr_buf_clear(&c.line[i].newest);
        free(c.line[i].at);
    }
    free(c.line);
    wr_buf_clear(&c.win);
}

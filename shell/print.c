/* print.c: see print.h; and wr_print_rows of session.h.
 * Table: as psql's, header to the left (numbers to the right), no blanks at the end of a line, "(n rows)" below.
 * Memory: a grid owns its buffers; what is printed is built up in one buffer first. */
#include "shell/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/json.h"
#include "core/log.h"
#include "shell/session.h"
#include "shell/term.h"

enum { CELL_MAX = 1 << 16, WRAP_LEAST = 8 };

struct wr_display *wr_display(void)
{
    static struct wr_display display;
    return &display;
}

/* ---- single cells ---- */

struct wr_str wr_text_cut_width(struct wr_str s, uint32_t width)
{
    uint32_t at = 0, used = 0;
    while (at < s.n) {
        uint32_t step = wr_utf8_step((struct wr_str){s.p + at, s.n - at});
        step = step ? step : 1;
        uint32_t w = wr_utf8_width((struct wr_str){s.p + at, step});
        if (used + w > width)
            break;
        used += w;
        at += step;
    }
    return (struct wr_str){s.p, at};
}

static void fill(struct wr_buf *out, char c, uint32_t n)
{
    while (n-- > 0)
        wr_buf_putc(out, c);
}

void wr_put_cell(struct wr_buf *out, struct wr_str s, uint32_t width, bool right, bool last)
{
    uint32_t w = wr_utf8_width(s);
    if (w > width) {
        struct wr_str part = wr_text_cut_width(s, width ? width - 1 : 0);
        wr_buf_str(out, part);
        if (width)
            wr_buf_puts(out, wr_term_utf8() ? "\xE2\x80\xA6" : "~");
        w = wr_utf8_width(part) + (width ? 1 : 0);
        if (!last)
            fill(out, ' ', width - w);
        return;
    }
    if (right)
        fill(out, ' ', width - w);
    wr_buf_str(out, s);
    if (!right && !last)
        fill(out, ' ', width - w);
}

void wr_put_number(struct wr_buf *out, uint64_t n)
{
    char digits[24];
    int len = snprintf(digits, sizeof digits, "%llu", (unsigned long long)n);
    for (int i = 0; i < len; i++) {
        if (i && (len - i) % 3 == 0)
            wr_buf_putc(out, ',');
        wr_buf_putc(out, digits[i]);
    }
}

/* ---- grids ---- */

void wr_grid_begin(struct wr_grid *g, int n_col, const struct wr_str *name, bool *right)
{
    *g = (struct wr_grid){.n_col = n_col, .name = name, .right = right, .text = WR_BUF_INIT(0), .len = WR_BUF_INIT(0)};
}

void wr_grid_add(struct wr_grid *g, struct wr_str text)
{
    wr_buf_str(&g->text, text);
    wr_buf_add(&g->len, &text.n, sizeof text.n);
    g->n_cell++;
}

void wr_grid_clear(struct wr_grid *g)
{
    wr_buf_clear(&g->text);
    wr_buf_clear(&g->len);
}

/* Walks the cells in order. */
struct walk { const struct wr_grid *g; uint32_t cell; size_t at; };

static bool next_cell(struct walk *w, struct wr_str *out)
{
    if (w->cell == w->g->n_cell)
        return false;
    uint32_t n;
    memcpy(&n, w->g->len.p + sizeof n * w->cell, sizeof n);
    *out = (struct wr_str){n ? w->g->text.p + w->at : "", n};
    w->at += n;
    w->cell++;
    return true;
}

/* The next cell made safe for terminals; in safe until the next call. */
static bool next_safe(struct walk *w, struct wr_buf *safe, struct wr_str *out)
{
    if (!next_cell(w, out))
        return false;
    wr_buf_reset(safe);
    wr_buf_escape(safe, *out, CELL_MAX);
    *out = wr_buf_get(safe);
    return true;
}

static uint32_t *measure(const struct wr_grid *g)
{
    uint32_t *width = wr_calloc((size_t)g->n_col + 1, sizeof *width);
    struct wr_buf safe = WR_BUF_INIT(0);
    for (int i = 0; i < g->n_col; i++) {
        wr_buf_reset(&safe);
        wr_buf_escape(&safe, g->name[i], CELL_MAX);
        width[i] = wr_utf8_width(wr_buf_get(&safe));
    }
    struct walk w = {.g = g};
    struct wr_str cell;
    for (int col = 0; next_safe(&w, &safe, &cell); col = (col + 1) % g->n_col) {
        uint32_t n = wr_utf8_width(cell);
        width[col] = n > width[col] ? n : width[col];
    }
    wr_buf_clear(&safe);
    return width;
}

/* No blanks at the end of a line. */
static void end_line(struct wr_buf *out)
{
    while (out->n && out->p[out->n - 1] == ' ')
        out->n--;
    wr_buf_putc(out, '\n');
}

static void put_header(struct wr_buf *out, const struct wr_grid *g, const uint32_t *width)
{
    struct wr_buf safe = WR_BUF_INIT(0);
    for (int i = 0; i < g->n_col; i++) {
        wr_buf_reset(&safe);
        wr_buf_escape(&safe, g->name[i], CELL_MAX);
        wr_buf_puts(out, i ? " | " : " ");
        wr_put_cell(out, wr_buf_get(&safe), width[i], g->right[i], i == g->n_col - 1);
    }
    end_line(out);
    for (int i = 0; i < g->n_col; i++) {
        if (i)
            wr_buf_putc(out, '+');
        fill(out, '-', width[i] + 2);
    }
    wr_buf_putc(out, '\n');
    wr_buf_clear(&safe);
}

static uint32_t n_row(const struct wr_grid *g)
{
    return g->n_col ? g->n_cell / (uint32_t)g->n_col : 0;
}

static void put_footer(struct wr_buf *out, const struct wr_grid *g)
{
    wr_buf_printf(out, "(%u row%s)\n", n_row(g), n_row(g) == 1 ? "" : "s");
}

/* Widest columns give way until the table fits the terminal; none becomes narrower than WRAP_LEAST. */
static void shrink_to_terminal(const struct wr_grid *g, uint32_t *width)
{
    int rows, cols;
    wr_term_size(&rows, &cols);
    for (;;) {
        uint32_t sum = 0;
        int widest = 0;
        for (int i = 0; i < g->n_col; i++) {
            sum += width[i] + 3;
            widest = width[i] > width[widest] ? i : widest;
        }
        if (sum <= (uint32_t)cols + 1 || width[widest] <= WRAP_LEAST)
            return;
        width[widest]--;
    }
}

/* One row in as many lines as its longest cell needs. */
static void put_wrapped(struct wr_buf *out, const struct wr_grid *g, const uint32_t *width, struct wr_str *cell)
{
    for (bool more = true; more;) {
        more = false;
        for (int i = 0; i < g->n_col; i++) {
            struct wr_str part = wr_text_cut_width(cell[i], width[i]);
            if (part.n == 0 && cell[i].n) /* a character wider than the column */
                part.n = wr_utf8_step(cell[i]) ? wr_utf8_step(cell[i]) : 1;
            wr_buf_puts(out, i ? " | " : " ");
            wr_put_cell(out, part, width[i], g->right[i], i == g->n_col - 1);
            cell[i].p += part.n;
            cell[i].n -= part.n;
            more |= cell[i].n > 0;
        }
        end_line(out);
    }
}

static void print_wrapped(struct wr_buf *out, const struct wr_grid *g, const uint32_t *width)
{
    struct wr_buf *safe = wr_calloc((size_t)g->n_col + 1, sizeof *safe);
    struct wr_str *cells = wr_calloc((size_t)g->n_col + 1, sizeof *cells), cell;
    struct walk w = {.g = g};
    for (int col = 0; next_safe(&w, &safe[col], &cell); col = (col + 1) % g->n_col) {
        cells[col] = cell;
        if (col == g->n_col - 1)
            put_wrapped(out, g, width, cells);
    }
    for (int i = 0; i < g->n_col; i++)
        wr_buf_clear(&safe[i]);
    free(safe);
    free(cells);
}

static void print_table(struct wr_buf *out, const struct wr_grid *g, const struct wr_display *d)
{
    uint32_t *width = measure(g);
    struct wr_buf safe = WR_BUF_INIT(0);
    if (d->wrapped)
        shrink_to_terminal(g, width);
    if (!d->tuples_only)
        put_header(out, g, width);
    struct walk w = {.g = g};
    struct wr_str cell;
    if (d->wrapped)
        print_wrapped(out, g, width);
    for (int col = 0; !d->wrapped && next_safe(&w, &safe, &cell); col = (col + 1) % g->n_col) {
        bool last = col == g->n_col - 1;
        wr_buf_puts(out, col ? " | " : " ");
        wr_put_cell(out, cell, width[col], g->right[col], last);
        if (last)
            end_line(out);
    }
    if (!d->tuples_only)
        put_footer(out, g);
    wr_buf_clear(&safe);
    free(width);
}

static void print_expanded(struct wr_buf *out, const struct wr_grid *g, const struct wr_display *d)
{
    uint32_t name_width = 0;
    for (int i = 0; i < g->n_col; i++)
        name_width = wr_utf8_width(g->name[i]) > name_width ? wr_utf8_width(g->name[i]) : name_width;
    struct wr_buf safe = WR_BUF_INIT(0), name = WR_BUF_INIT(0);
    struct walk w = {.g = g};
    struct wr_str cell;
    for (uint32_t i = 0; next_safe(&w, &safe, &cell); i++) {
        uint32_t col = i % (uint32_t)g->n_col;
        if (col == 0 && !d->tuples_only)
            wr_buf_printf(out, "-[ RECORD %u ]-\n", i / (uint32_t)g->n_col + 1);
        else if (col == 0 && i)
            wr_buf_putc(out, '\n');
        wr_buf_reset(&name);
        wr_buf_escape(&name, g->name[col], CELL_MAX);
        wr_put_cell(out, wr_buf_get(&name), name_width, false, false);
        wr_buf_puts(out, cell.n ? " | " : " |");
        wr_buf_str(out, cell);
        wr_buf_putc(out, '\n');
    }
    if (n_row(g) == 0 && !d->tuples_only)
        put_footer(out, g);
    wr_buf_clear(&name);
    wr_buf_clear(&safe);
}

static void put_markdown(struct wr_buf *out, struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '|' || s.p[i] == '\\')
            wr_buf_putc(out, '\\');
        wr_buf_putc(out, s.p[i]);
    }
}

static void print_markdown(struct wr_buf *out, const struct wr_grid *g)
{
    struct wr_buf safe = WR_BUF_INIT(0);
    for (int i = 0; i < g->n_col; i++) {
        wr_buf_reset(&safe);
        wr_buf_escape(&safe, g->name[i], CELL_MAX);
        wr_buf_puts(out, "| ");
        put_markdown(out, wr_buf_get(&safe));
        wr_buf_putc(out, ' ');
    }
    wr_buf_puts(out, "|\n");
    for (int i = 0; i < g->n_col; i++)
        wr_buf_puts(out, g->right[i] ? "| ---: " : "| --- ");
    wr_buf_puts(out, "|\n");
    struct walk w = {.g = g};
    struct wr_str cell;
    for (int col = 0; next_safe(&w, &safe, &cell); col = (col + 1) % g->n_col) {
        wr_buf_puts(out, "| ");
        put_markdown(out, cell);
        wr_buf_puts(out, col == g->n_col - 1 ? " |\n" : " ");
    }
    wr_buf_clear(&safe);
}

static void put_csv(struct wr_buf *out, struct wr_str s)
{
    bool quote = s.n && (s.p[0] == ' ' || s.p[s.n - 1] == ' ');
    for (uint32_t i = 0; i < s.n && !quote; i++)
        quote = s.p[i] == '"' || s.p[i] == ',' || s.p[i] == '\n' || s.p[i] == '\r';
    if (!quote) {
        wr_buf_str(out, s);
        return;
    }
    wr_buf_putc(out, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            wr_buf_putc(out, '"');
        wr_buf_putc(out, s.p[i]);
    }
    wr_buf_putc(out, '"');
}

static void print_csv(struct wr_buf *out, const struct wr_grid *g, const struct wr_display *d)
{
    for (int i = 0; i < g->n_col && !d->tuples_only; i++) {
        if (i)
            wr_buf_putc(out, ',');
        put_csv(out, g->name[i]);
    }
    if (!d->tuples_only)
        wr_buf_putc(out, '\n');
    struct walk w = {.g = g};
    struct wr_str cell;
    for (int col = 0; next_cell(&w, &cell); col = (col + 1) % g->n_col) {
        put_csv(out, cell);
        wr_buf_putc(out, col == g->n_col - 1 ? '\n' : ',');
    }
}

static void print_ndjson(struct wr_buf *out, const struct wr_grid *g)
{
    struct walk w = {.g = g};
    struct wr_str cell;
    for (int col = 0; next_cell(&w, &cell); col = (col + 1) % g->n_col) {
        wr_buf_puts(out, col ? "," : "{");
        wr_json_quote(out, g->name[col]);
        wr_buf_putc(out, ':');
        wr_json_quote(out, cell);
        if (col == g->n_col - 1)
            wr_buf_puts(out, "}\n");
    }
}

void wr_grid_print(struct wr_buf *out, const struct wr_grid *g, enum wr_form form, const struct wr_display *d)
{
    switch (form) {
    case WR_FORM_NDJSON: print_ndjson(out, g); return;
    case WR_FORM_CSV: print_csv(out, g, d); return;
    case WR_FORM_MARKDOWN: print_markdown(out, g); return;
    case WR_FORM_TABLE: break;
    }
    if (d->expanded)
        print_expanded(out, g, d);
    else
        print_table(out, g, d);
}

/* ---- to stdout ---- */

static bool longer_than_screen(struct wr_str text)
{
    int rows, cols, lines = 0;
    wr_term_size(&rows, &cols);
    while (text.n) {
        const char *nl = memchr(text.p, '\n', text.n);
        struct wr_str line = {text.p, nl ? (uint32_t)(nl - text.p) : text.n};
        if (wr_utf8_width(line) > (uint32_t)cols || ++lines >= rows)
            return true;
        text.p += line.n + (nl ? 1 : 0);
        text.n -= line.n + (nl ? 1 : 0);
    }
    return false;
}

void wr_print_text(struct wr_str text)
{
    fflush(stdout);
    const char *pager = getenv("PAGER");
    if (wr_display()->pager && wr_term_draws() && longer_than_screen(text)) {
        FILE *to = popen(pager && *pager ? pager : "less -FRXS 2>/dev/null || cat", "w");
        if (to) {
            fwrite(text.p, 1, text.n, to);
            pclose(to); /* a pager that was left early is no error */
            return;
        }
    }
    fwrite(text.p, 1, text.n, stdout);
    fflush(stdout);
}

static enum wr_form form_of(const struct wr_session *s)
{
    struct wr_str set = s->catalog && s->output == WR_OUT_AUTO ? wr_setting_text(s->catalog, WR_SET_OUTPUT) : WR_STR("table");
    if (s->output == WR_OUT_NDJSON || wr_str_eq_c(set, "ndjson"))
        return WR_FORM_NDJSON;
    if (s->output == WR_OUT_CSV || wr_str_eq_c(set, "csv"))
        return WR_FORM_CSV;
    return wr_display()->markdown ? WR_FORM_MARKDOWN : WR_FORM_TABLE;
}

/* A column of texts is set to the right when each of them is a number. */
static bool is_number_text(struct wr_str s)
{
    uint32_t i = s.n && s.p[0] == '-' ? 1 : 0, digits = 0, points = 0;
    for (; i < s.n; i++) {
        points += s.p[i] == '.';
        digits += s.p[i] >= '0' && s.p[i] <= '9';
        if (s.p[i] != '.' && (s.p[i] < '0' || s.p[i] > '9'))
            return false;
    }
    return digits > 0 && points <= 1;
}

static bool numbers_only(const struct wr_rows *rows, int col)
{
    bool any = false;
    for (int r = 0; r < rows->n_row; r++) {
        struct wr_str cell = rows->cell[(size_t)r * (size_t)rows->n_col + (size_t)col];
        if (cell.n && !is_number_text(cell))
            return false;
        any |= cell.n > 0;
    }
    return any;
}

void wr_print_rows(const struct wr_session *s, const struct wr_rows *rows)
{
    bool *right = wr_calloc((size_t)rows->n_col + 1, sizeof *right);
    struct wr_grid g;
    wr_grid_begin(&g, rows->n_col, rows->name, right);
    for (int i = 0; i < rows->n_col; i++)
        right[i] = numbers_only(rows, i);
    for (size_t i = 0; i < (size_t)rows->n_row * (size_t)rows->n_col; i++)
        wr_grid_add(&g, rows->cell[i]);
    struct wr_buf out = WR_BUF_INIT(0);
    wr_grid_print(&out, &g, form_of(s), wr_display());
    wr_print_text(wr_buf_get(&out));
    wr_buf_clear(&out);
    wr_grid_clear(&g);
    free(right);
}

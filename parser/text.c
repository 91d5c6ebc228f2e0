/* text.c: places in a text, and errors as people read them.
 * Rules:  columns count characters; a caret stands under the character it means also behind tabs and wide characters. Long lines are cut around it.
 * Memory: none of its own. */
#include "parser/parse.h"

enum { LINE_MAX = 160 }; /* characters of a source line that are shown */

static struct wr_str part(struct wr_str s, uint32_t from, uint32_t to)
{
    return (struct wr_str){s.p + from, to - from};
}

static uint32_t clamp(struct wr_str sql, int32_t off)
{
    return off < 0 ? 0 : (uint32_t)off > sql.n ? sql.n : (uint32_t)off;
}

/* The line that holds byte `at`: [*from, *to), without its line end. */
static void line_of(struct wr_str sql, uint32_t at, uint32_t *from, uint32_t *to)
{
    *from = *to = at;
    while (*from > 0 && sql.p[*from - 1] != '\n')
        --*from;
    while (*to < sql.n && sql.p[*to] != '\n' && sql.p[*to] != '\r')
        ++*to;
}

/* Bytes of the character at s; bytes that are no UTF-8 count one each. */
static uint32_t step(struct wr_str s)
{
    uint32_t n = wr_utf8_step(s);
    return n ? n : 1;
}

void wr_parse_place(struct wr_str sql, int32_t off, int *line, int *col)
{
    uint32_t at = clamp(sql, off), from, to;
    line_of(sql, at, &from, &to);
    *line = *col = 1;
    for (uint32_t i = 0; i < from; i++)
        *line += sql.p[i] == '\n';
    for (uint32_t i = from; i < at; i += step(part(sql, i, at)))
        ++*col;
}

/* The source line and a caret under byte `at`. */
static void show_line(struct wr_buf *out, struct wr_str sql, uint32_t at)
{
    uint32_t from, to, first, last;
    line_of(sql, at, &from, &to);
    first = from;
    last = at > to ? to : at;
    for (uint32_t n = 0, i = from; i < last; i += step(part(sql, i, to)))
        if (++n > LINE_MAX / 2)
            first += step(part(sql, first, to));
    for (uint32_t n = 0; n < LINE_MAX / 2 && last < to; n++)
        last += step(part(sql, last, to));
    const char *before = first > from ? "..." : "";
    wr_buf_printf(out, "  %s%.*s%s\n  %s", before, (int)(last - first), sql.p + first, last < to ? "..." : "", first > from ? "   " : "");
    for (uint32_t i = first; i < at && i < to;) {
        uint32_t n = step(part(sql, i, to));
        if (sql.p[i] == '\t')
            wr_buf_putc(out, '\t');
        else
            for (uint32_t w = wr_utf8_step(part(sql, i, to)) ? wr_utf8_width(part(sql, i, i + n)) : 1; w > 0; w--)
                wr_buf_putc(out, ' ');
        i += n;
    }
    wr_buf_puts(out, "^\n");
}

void wr_parse_print_error(struct wr_buf *out, const char *file, struct wr_str sql, const struct wr_error *err)
{
    bool named = file && *file, placed = err->sql_off >= 0;
    if (named)
        wr_buf_printf(out, "%s:", file);
    if (placed) {
        int line, col;
        wr_parse_place(sql, err->sql_off, &line, &col);
        wr_buf_printf(out, named ? "%d:%d:" : "line %d:%d:", line, col);
    }
    wr_buf_printf(out, "%s%s\n", named || placed ? " " : "", err->msg);
    if (placed && sql.n)
        show_line(out, sql, clamp(sql, err->sql_off));
    if (err->hint[0])
        wr_buf_printf(out, "hint: %s\n", err->hint);
}

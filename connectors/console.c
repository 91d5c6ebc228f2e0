/* console.c: rows on standard output: one JSON object a line, CSV, or aligned columns. (The table that redraws itself on a terminal is the
 * shell's; this one only ever adds lines.)
 *
 * Rules:  every change is printed, with its op ("+I", "-U", "+U", "-D") in a last column when the query takes results back, and only then.
 *         Lines go out whole. A reader that went away ends the job without an error.
 *         Table: rows are kept back until the first pause or TABLE_FIRST rows, whose widths make the columns; a wider value later widens
 *         its column from there on. Control bytes are escaped, so that data cannot drive a terminal.
 * Memory: `out` holds what is not written yet, `kept` the cells of the rows kept back. */
#include "connectors/internal.h"
#include "core/log.h"

#include <stdlib.h>
#include <unistd.h>

enum { OUT_FULL = 64 << 10, TABLE_FIRST = 500, CELL_MAX = 1 << 20 };
enum style { STYLE_TABLE, STYLE_NDJSON, STYLE_CSV };

static const char *const op_name[] = {"+I", "-U", "+U", "-D"};

struct console {
    struct wr_sink sink;
    const struct wr_schema *schema;
    enum style style;
    bool updating;             /* print ops */
    bool header_done;
    const atomic_bool *stop;
    struct wr_str null_text;   /* TABLE: how NULL prints */
    const struct wr_format *format; /* NDJSON, CSV: makes the lines */
    struct wr_encoder *enc;
    int *all;                  /* column numbers 0..n-1 */
    uint32_t *width;           /* TABLE: per column, op last */
    struct wr_buf cell;        /* TABLE: text of the cells kept back, one after another */
    struct wr_buf kept;        /* TABLE: uint32_t lengths of these cells, row by row */
    uint32_t n_kept;           /* rows kept back */
    struct wr_buf out;         /* text not written yet */
};

static const struct wr_sink_vt console_sink;

static const struct wr_optdesc console_opts[] = {
    {"format", "value.format", WR_AS_SINK, WR_OPT_ENUM, false, false, "table", "table|ndjson|json|csv",
     "aligned columns, a JSON object a line, or CSV with a header"},
    {"null", NULL, WR_AS_SINK, WR_OPT_TEXT, false, false, "", NULL, "how NULL prints in the table"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

static enum wr_accepts console_accepts(const struct wr_sink_spec *spec WR_UNUSED)
{
    return WR_ACCEPT_CHANGES;
}

static wr_status console_check(const struct wr_sink_spec *spec WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    return WR_OK;
}

static void console_promise(const struct wr_sink_spec *spec WR_UNUSED, struct wr_buf *out)
{
    wr_buf_puts(out, "at least once: what was printed cannot be taken back");
}

static void console_close(struct wr_sink *sink)
{
    struct console *c = (struct console *)sink;
    if (c->enc)
        c->format->encoder_close(c->enc);
    wr_buf_clear(&c->cell);
    wr_buf_clear(&c->kept);
    wr_buf_clear(&c->out);
    free(c->all);
    free(c->width);
    free(c);
}

static wr_status console_open(const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err)
{
    struct console *c = wr_calloc(1, sizeof *c);
    struct wr_str style = wr_opt_text_or(spec->opts, "format", "table");
    int n = spec->schema->n;
    c->sink.vt = &console_sink;
    c->schema = spec->schema;
    c->updating = spec->updating;
    c->stop = spec->stop;
    c->null_text = wr_opt_text_or(spec->opts, "null", "");
    c->style = wr_str_eq_c(style, "table") ? STYLE_TABLE : wr_str_eq_c(style, "csv") ? STYLE_CSV : STYLE_NDJSON;
    c->all = wr_calloc((size_t)n + 1, sizeof *c->all);
    c->width = wr_calloc((size_t)n + 1, sizeof *c->width);
    for (int i = 0; i < n; i++)
        c->all[i] = i;
    if (c->style != STYLE_TABLE) {
        struct wr_sink_spec plain = *spec;
        plain.opts = NULL; /* the format's options are not the console's */
        c->format = c->style == STYLE_CSV ? &wr_format_csv : &wr_format_json;
        wr_status st = c->format->encoder_open(&plain, &c->enc, err);
        if (st) {
            console_close(&c->sink);
            return st;
        }
    }
    *out = &c->sink;
    return WR_OK;
}

static wr_status push_out(struct console *c, struct wr_error *err)
{
    wr_status st = wr_io_write(STDOUT_FILENO, WR_STR("standard output"), c->out.p, c->out.n, c->stop, err);
    c->sink.bytes += c->out.n;
    wr_buf_reset(&c->out);
    return st;
}

/* ---- one line a row: NDJSON, CSV ---- */

/* Once, also when there are no rows at all. */
static void put_csv_header(struct console *c)
{
    if (c->style == STYLE_CSV && !c->header_done) {
        c->format->header(c->enc, &c->out);
        wr_buf_puts(&c->out, c->updating ? ",op\n" : "\n");
    }
    c->header_done |= c->style != STYLE_TABLE;
}

static void put_line(struct console *c, const struct wr_batch *batch, uint32_t row)
{
    const char *op = op_name[wr_batch_op(batch, row)];
    put_csv_header(c);
    c->format->encode(c->enc, batch, row, c->all, c->schema->n, &c->out);
    if (c->updating && c->style == STYLE_CSV) {
        wr_buf_printf(&c->out, ",%s", op);
    } else if (c->updating && c->out.n) {
        c->out.n--; /* the object's closing brace */
        wr_buf_printf(&c->out, "%s\"op\":\"%s\"}", c->schema->n ? "," : "", op);
    }
    wr_buf_putc(&c->out, '\n');
}

/* ---- aligned columns ---- */

static bool right_aligned(const struct console *c, int col)
{
    return col < c->schema->n && wr_type_is_number(c->schema->field[col].type);
}

static int n_cell(const struct console *c)
{
    return c->schema->n + c->updating;
}

static void pad(struct wr_buf *out, char with, uint32_t n)
{
    while (n--)
        wr_buf_putc(out, with);
}

/* Appends one cell of a line, its column's width filled up; nothing is padded at the end of a line. */
static void put_cell(struct console *c, int col, struct wr_str text)
{
    uint32_t width = wr_utf8_width(text);
    bool last = col == n_cell(c) - 1;
    if (width > c->width[col])
        c->width[col] = width;
    uint32_t fill = c->width[col] - width;
    wr_buf_puts(&c->out, col ? " | " : " ");
    if (right_aligned(c, col))
        pad(&c->out, ' ', fill);
    wr_buf_str(&c->out, text);
    if (!right_aligned(c, col) && !last)
        pad(&c->out, ' ', fill);
}

static struct wr_str title(const struct console *c, int col)
{
    return col < c->schema->n ? c->schema->field[col].name : WR_STR("op");
}

static void put_header(struct console *c)
{
    struct wr_buf name = WR_BUF_INIT(CELL_MAX);
    for (int i = 0; i < n_cell(c); i++) {
        wr_buf_reset(&name);
        wr_buf_escape(&name, title(c, i), CELL_MAX / 8);
        put_cell(c, i, wr_buf_get(&name));
    }
    wr_buf_putc(&c->out, '\n');
    for (int i = 0; i < n_cell(c); i++) {
        if (i)
            wr_buf_putc(&c->out, '+');
        pad(&c->out, '-', c->width[i] + 2);
    }
    wr_buf_putc(&c->out, '\n');
    wr_buf_clear(&name);
}

/* Prints the rows kept back, the header before the first ones. */
static void put_kept(struct console *c)
{
    const uint32_t *len = (const uint32_t *)(const void *)c->kept.p;
    const char *text = c->cell.p;
    int n = n_cell(c);
    if (!c->header_done) {
        for (int i = 0; i < n; i++) {
            uint32_t w = wr_utf8_width(title(c, i));
            c->width[i] = w > c->width[i] ? w : c->width[i];
        }
        const char *at = text;
        for (uint32_t k = 0; k < c->n_kept * (uint32_t)n; at += len[k++]) {
            uint32_t w = wr_utf8_width((struct wr_str){at, len[k]}), col = k % (uint32_t)n;
            c->width[col] = w > c->width[col] ? w : c->width[col];
        }
        put_header(c);
        c->header_done = true;
    }
    for (uint32_t row = 0; row < c->n_kept; row++) {
        for (int i = 0; i < n; i++, len++) {
            put_cell(c, i, (struct wr_str){text, *len});
            text += *len;
        }
        wr_buf_putc(&c->out, '\n');
    }
    c->n_kept = 0;
    wr_buf_reset(&c->cell);
    wr_buf_reset(&c->kept);
}

static void keep_cell(struct console *c, struct wr_str text)
{
    size_t before = c->cell.n;
    wr_buf_escape(&c->cell, text, CELL_MAX);
    uint32_t len = (uint32_t)(c->cell.n - before);
    wr_buf_add(&c->kept, &len, sizeof len);
}

static void keep_row(struct console *c, const struct wr_batch *batch, uint32_t row)
{
    struct wr_buf text = {0};
    for (int i = 0; i < c->schema->n; i++) {
        wr_buf_reset(&text);
        if (!wr_vec_null(&batch->col[i], row))
            wr_print_vec(&text, &batch->col[i], row, WR_STYLE_SQL);
        keep_cell(c, wr_vec_null(&batch->col[i], row) ? c->null_text : wr_buf_get(&text));
    }
    if (c->updating)
        keep_cell(c, wr_str_c(op_name[wr_batch_op(batch, row)]));
    c->n_kept++;
    wr_buf_clear(&text);
}

/* ---- the sink ---- */

static wr_status console_write(struct wr_sink *sink, struct wr_batch *batch, struct wr_error *err)
{
    struct console *c = (struct console *)sink;
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < batch->n_live && !st; k++) {
        uint32_t row = wr_batch_row(batch, k);
        if (c->style == STYLE_TABLE) {
            keep_row(c, batch, row);
            if (c->header_done || c->n_kept >= TABLE_FIRST)
                put_kept(c);
        } else {
            put_line(c, batch, row);
        }
        if (c->out.overflow)
            st = wr_fail(err, WR_ELIMIT, "a row is too large to be printed");
        else if (c->out.n >= OUT_FULL)
            st = push_out(c, err);
    }
    sink->rows += batch->n_live;
    wr_batch_unref(batch);
    return st;
}

static wr_status console_flush(struct wr_sink *sink, struct wr_error *err)
{
    struct console *c = (struct console *)sink;
    if (c->style == STYLE_TABLE && c->n_kept)
        put_kept(c);
    put_csv_header(c);
    return c->out.n ? push_out(c, err) : WR_OK;
}

static const struct wr_sink_vt console_sink = {
    .accepts = console_accepts,
    .check = console_check,
    .promise = console_promise,
    .open = console_open,
    .write = console_write,
    .flush = console_flush,
    .close = console_close,
};

const struct wr_connector wr_connector_console = {
    .name = "console",
    .help = "prints rows on standard output",
    .opts = console_opts,
    .sink = &console_sink,
};

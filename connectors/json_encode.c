/* json_encode.c: rows as JSON objects, one a record, members in column order, values as dialect.md §5 has them ("json" format's other half).
 * Rules:  names are escaped once, when the encoder is opened.
 * Memory: the encoder owns its names. */
#include "connectors/internal.h"

#include <stdlib.h>

struct json_encoder {
    struct wr_buf names;  /* `"name":` of every column, one after another */
    size_t *from;         /* where each begins; one more for the end */
};

void wr_json_put_string(struct wr_buf *out, struct wr_str s)
{
    static const char hex[] = "0123456789abcdef";
    wr_buf_putc(out, '"');
    const char *p = s.p, *end = s.p + s.n;
    while (p < end) {
        const char *from = p;
        while (p < end && *p != '"' && *p != '\\' && (unsigned char)*p >= 0x20)
            p++;
        wr_buf_add(out, from, (size_t)(p - from));
        if (p == end)
            break;
        unsigned char c = (unsigned char)*p++;
        const char *letter = c == '\n' ? "\\n" : c == '\t' ? "\\t" : c == '\r' ? "\\r" : c == '\b' ? "\\b" : c == '\f' ? "\\f" : NULL;
        if (c == '"' || c == '\\') {
            wr_buf_putc(out, '\\');
            wr_buf_putc(out, (char)c);
        } else if (letter) {
            wr_buf_add(out, letter, 2);
        } else {
            wr_buf_puts(out, "\\u00");
            wr_buf_putc(out, hex[c >> 4]);
            wr_buf_putc(out, hex[c & 15]);
        }
    }
    wr_buf_putc(out, '"');
}

wr_status wr_json_encoder_open(const struct wr_sink_spec *spec, struct wr_encoder **out, struct wr_error *err WR_UNUSED)
{
    struct json_encoder *e = wr_calloc(1, sizeof *e);
    int n = spec->schema->n;
    e->from = wr_calloc((size_t)n + 1, sizeof *e->from);
    for (int i = 0; i < n; i++) {
        e->from[i] = e->names.n;
        wr_json_put_string(&e->names, spec->schema->field[i].name);
        wr_buf_putc(&e->names, ':');
    }
    e->from[n] = e->names.n;
    *out = (struct wr_encoder *)e;
    return WR_OK;
}

void wr_json_encode(struct wr_encoder *enc, const struct wr_batch *batch, uint32_t row, const int *col, int n_col, struct wr_buf *out)
{
    struct json_encoder *e = (struct json_encoder *)enc;
    wr_buf_putc(out, '{');
    for (int i = 0; i < n_col; i++) {
        if (i)
            wr_buf_putc(out, ',');
        wr_buf_add(out, e->names.p + e->from[col[i]], e->from[col[i] + 1] - e->from[col[i]]);
        wr_print_vec(out, &batch->col[col[i]], row, WR_STYLE_JSON);
    }
    wr_buf_putc(out, '}');
}

void wr_json_encoder_close(struct wr_encoder *enc)
{
    struct json_encoder *e = (struct json_encoder *)enc;
    wr_buf_clear(&e->names);
    free(e->from);
    free(e);
}

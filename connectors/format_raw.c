/* format_raw.c: records as they are, in one column.
 * Rules:  one column of type TEXT, BYTES or JSON (JSON is taken as it is only if it is JSON). TEXT has to be valid UTF-8 without U+0000.
 * Memory: values borrow from the record. */
#include "connectors/internal.h"
#include "connectors/json_scan.h"

#include <stdlib.h>

struct raw_decoder {
    int col;              /* the one column; -1: none is wanted */
    uint8_t type;         /* enum wr_tid of it */
    struct wr_str name;
    uint64_t max_bytes;   /* larger records are bad */
    struct wr_buf copy;   /* JSON: the record with a '}' behind it, as the scanner wants it */
    struct wr_arena mem;
};

static void raw_decoder_close(struct wr_decoder *dec)
{
    struct raw_decoder *d = (struct raw_decoder *)dec;
    wr_buf_clear(&d->copy);
    wr_arena_clear(&d->mem);
    free(d);
}

static bool raw_type(struct wr_type t)
{
    return t.id == WR_T_TEXT || t.id == WR_T_BYTES || t.id == WR_T_JSON;
}

static wr_status raw_decoder_open(const struct wr_source_spec *spec, struct wr_decoder **out, struct wr_error *err)
{
    struct raw_decoder *d = wr_calloc(1, sizeof *d);
    d->col = -1;
    d->max_bytes = (uint64_t)wr_opt_bytes(spec->opts, "max_record_bytes", WR_RECORD_MAX);
    for (int i = 0; i < spec->n_col; i++) {
        const struct wr_coldef *c = &spec->col[i];
        if (c->from != WR_COL_FIELD)
            continue;
        if (d->col >= 0 || !raw_type(c->type) || c->path.n) {
            raw_decoder_close((struct wr_decoder *)d);
            wr_fail_at(err, WR_ESQL, c->off, "column \"%.*s\": format \"raw\" gives one column, of type TEXT, BYTES or JSON", WR_FMT(c->name));
            return WR_ESQL;
        }
        d->col = i;
        d->type = c->type.id;
        d->name = wr_arena_str(&d->mem, c->name);
    }
    *out = (struct wr_decoder *)d;
    return WR_OK;
}

static bool is_json(struct raw_decoder *d, struct wr_str rec)
{
    wr_buf_reset(&d->copy);
    wr_buf_str(&d->copy, rec);
    wr_buf_putc(&d->copy, '}');
    if (d->copy.overflow)
        return false;
    const char *end = d->copy.p + rec.n;
    struct wr_json j = {.begin = d->copy.p, .end = end + 1};
    const char *p = wr_json_space(d->copy.p);
    if (p == end)
        return false;
    p = wr_json_skip(&j, p, 0);
    return p && p <= end && wr_json_space(p) == end;
}

static enum wr_reason raw_decode(struct wr_decoder *dec, struct wr_str rec, struct wr_batch *into, uint32_t row, struct wr_bad *why)
{
    struct raw_decoder *d = (struct raw_decoder *)dec;
    struct wr_str none = {NULL, 0};
    if (rec.n > d->max_bytes)
        return wr_bad_set(why, WR_R_TOO_BIG, none, "the record has %u bytes, max_record_bytes is %llu", rec.n, (unsigned long long)d->max_bytes);
    if (d->col < 0)
        return WR_R_NONE;
    if (d->type == WR_T_TEXT && (!wr_utf8_valid(rec) || (rec.n && memchr(rec.p, 0, rec.n))))
        return wr_bad_set(why, WR_R_UTF8, d->name, "the record is not text: not valid UTF-8, or with a zero byte");
    if (d->type == WR_T_JSON && !is_json(d, rec))
        return wr_bad_set(why, WR_R_SYNTAX, d->name, "the record is not JSON");
    struct wr_vec *v = &into->col[d->col];
    WR_VEC_STR(v)[row] = rec;
    if (v->nulls)
        v->nulls[row] = 0;
    return WR_R_NONE;
}

/* The encoder has nothing to remember, but has to be something. */
struct raw_encoder {
    int unused;
};

static wr_status raw_encoder_open(const struct wr_sink_spec *spec, struct wr_encoder **out, struct wr_error *err)
{
    if (spec->schema->n != 1 || !raw_type(spec->schema->field[0].type)) {
        wr_fail(err, WR_ESQL, "sink \"%.*s\": format \"raw\" takes one column, of type TEXT, BYTES or JSON", WR_FMT(spec->name));
        wr_hint(err, "use format = 'json', or select one column");
        return WR_ESQL;
    }
    *out = wr_calloc(1, sizeof(struct raw_encoder));
    return WR_OK;
}

static void raw_encode(struct wr_encoder *enc WR_UNUSED, const struct wr_batch *batch, uint32_t row, const int *col, int n_col,
                       struct wr_buf *out)
{
    for (int i = 0; i < n_col; i++) {
        const struct wr_vec *v = &batch->col[col[i]];
        if (wr_type_phys(v->type.id) == WR_P_STR && !wr_vec_null(v, row))
            wr_buf_str(out, WR_VEC_STR(v)[wr_vec_at(v, row)]);
        else
            wr_print_vec(out, v, row, WR_STYLE_CSV);
    }
}

static void raw_encoder_close(struct wr_encoder *enc)
{
    free(enc);
}

const struct wr_format wr_format_raw = {
    .name = "raw",
    .decoder_open = raw_decoder_open,
    .decode = raw_decode,
    .decoder_close = raw_decoder_close,
    .encoder_open = raw_encoder_open,
    .encode = raw_encode,
    .encoder_close = raw_encoder_close,
};

/* format_csv.c: CSV as RFC 4180 has it, in both directions.
 *
 * Rules:  a field may be quoted with '"', a quote in it is doubled, and a quoted field may hold delimiters and line ends. A quote inside an
 *         unquoted field stands for itself. Columns are found by the header's names where a file has a header, else by position ("$[3]" as a
 *         column's PATH says which). An unquoted field equal to null_value is NULL (by default the empty one; "" in quotes is an empty text).
 *         A record with more or fewer fields than the header is bad. Numbers and times are read as CAST reads them; whole numbers in TIMESTAMP
 *         columns count timestamp_unit since 1970. Written: quotes only where needed, NULL as null_value.
 * Memory: text borrows from the record, or lies in the batch's arena where quotes had to be taken out of it. */
#include "connectors/internal.h"
#include "core/decimal.h"

#include <stdlib.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { FIELDS_MAX = 4096 };

static const struct wr_optdesc csv_opts[] = {
    {"delimiter", "csv.delimiter csv.field-delimiter", WR_AS_ANY, WR_OPT_TEXT, false, false, ",", NULL, "one character between fields; '\\t' is a tab"},
    {"header", "csv.header", WR_AS_ANY, WR_OPT_BOOL, false, false, "true", NULL, "files begin with a line of column names"},
    {"null_value", "csv.null-literal", WR_AS_ANY, WR_OPT_TEXT, false, false, "", NULL, "the unquoted field that means NULL"},
    {"timestamp_unit", "timestamp.unit", WR_AS_SOURCE, WR_OPT_ENUM, false, false, "ms", "s|ms|us|ns",
     "what numbers in TIMESTAMP columns count since 1970"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

struct csv_col {
    struct wr_str name;
    struct wr_str type_name;
    struct wr_type type;
    bool not_null;
    int index;            /* of the column in the batch */
    int32_t off;          /* place in the SQL text */
    uint32_t field;       /* place in the record */
};

struct csv_field {
    uint32_t from, n;     /* bytes in the record, quotes left out */
    bool quoted;
    bool doubled;         /* has "" inside */
};

struct csv_decoder {
    struct wr_arena mem;
    char delimiter;
    bool header;
    struct wr_str null_value;
    int ts_scale;         /* digits between timestamp_unit and µs: 6, 3, 0 */
    bool ts_nanos;
    uint64_t max_bytes;
    int n_col;
    struct csv_col *col;
    uint32_t n_need;      /* fields up to the last wanted one */
    uint32_t n_field;     /* fields that a record must have; 0: at least n_need */
    struct csv_field *field; /* of the record at hand; room for FIELDS_MAX */
};

static wr_status read_delimiter(const struct wr_opts *opts, char *out, struct wr_error *err)
{
    struct wr_str s = wr_opt_text_or(opts, "delimiter", ",");
    if (wr_str_eq_c(s, "\\t") || wr_str_ieq_c(s, "tab"))
        s = WR_STR("\t");
    if (s.n != 1 || s.p[0] == '"' || s.p[0] == '\n' || s.p[0] == '\r' || (unsigned char)s.p[0] > 0x7F) {
        int32_t off = -1;
        for (int i = 0; opts && i < opts->n; i++)
            if (wr_str_eq_c(opts->opt[i].key, "delimiter"))
                off = opts->opt[i].off;
        wr_fail_at(err, WR_ESQL, off, "option \"delimiter\" cannot be \"%.*s\"", WR_FMT(s));
        wr_hint(err, "it is one ASCII character other than a quote or a line end");
        return WR_ESQL;
    }
    *out = s.p[0];
    return WR_OK;
}

/* ---- opening ---- */

static void csv_decoder_close(struct wr_decoder *dec)
{
    struct csv_decoder *d = (struct csv_decoder *)dec;
    wr_arena_clear(&d->mem);
    free(d);
}

/* "$[3]" -> 3 */
static bool path_place(struct wr_str path, uint32_t *out)
{
    uint32_t v = 0, i = 2;
    if (path.n < 4 || path.p[0] != '$' || path.p[1] != '[' || path.p[path.n - 1] != ']')
        return false;
    for (; i + 1 < path.n; i++) {
        if (path.p[i] < '0' || path.p[i] > '9' || v >= FIELDS_MAX)
            return false;
        v = v * 10 + (uint32_t)(path.p[i] - '0');
    }
    *out = v;
    return v < FIELDS_MAX;
}

static wr_status open_column(struct csv_decoder *d, const struct wr_source_spec *spec, int i, struct wr_error *err)
{
    const struct wr_coldef *def = &spec->col[i];
    struct csv_col *c = &d->col[d->n_col++];
    *c = (struct csv_col){
        .name = wr_arena_str(&d->mem, def->name),
        .type_name = wr_type_name(&d->mem, def->type),
        .type = def->type,
        .not_null = def->not_null,
        .index = i,
        .off = def->off,
        .field = (uint32_t)def->pos,
    };
    if (def->type.id == WR_T_ARRAY || def->type.id == WR_T_ROW)
        return wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": format \"csv\" cannot read a column of type %.*s", WR_FMT(def->name),
                          WR_FMT(c->type_name));
    if (def->path.n && !path_place(def->path, &c->field)) {
        wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": '%.*s' is not a path into CSV", WR_FMT(def->name), WR_FMT(def->path));
        wr_hint(err, "'$[0]' is a record's first field");
        return WR_ESQL;
    }
    if (c->field >= FIELDS_MAX)
        return wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": a CSV record has at most %d fields", WR_FMT(def->name), FIELDS_MAX);
    if (c->field >= d->n_need)
        d->n_need = c->field + 1;
    return WR_OK;
}

static wr_status csv_decoder_open(const struct wr_source_spec *spec, struct wr_decoder **out, struct wr_error *err)
{
    struct csv_decoder *d = wr_calloc(1, sizeof *d);
    struct wr_str unit = wr_opt_text_or(spec->opts, "timestamp_unit", "ms");
    d->ts_nanos = wr_str_eq_c(unit, "ns");
    d->ts_scale = wr_str_eq_c(unit, "s") ? 6 : wr_str_eq_c(unit, "ms") ? 3 : 0;
    d->max_bytes = (uint64_t)wr_opt_bytes(spec->opts, "max_record_bytes", WR_RECORD_MAX);
    d->header = wr_opt_bool(spec->opts, "header", true);
    d->null_value = wr_arena_str(&d->mem, wr_opt_text_or(spec->opts, "null_value", ""));
    d->col = WR_NEW_N(&d->mem, struct csv_col, spec->n_col + 1);
    d->field = WR_NEW_N(&d->mem, struct csv_field, FIELDS_MAX);
    wr_status st = read_delimiter(spec->opts, &d->delimiter, err);
    for (int i = 0; i < spec->n_col && !st; i++)
        if (spec->col[i].from == WR_COL_FIELD)
            st = open_column(d, spec, i, err);
    if (st) {
        csv_decoder_close((struct wr_decoder *)d);
        return st;
    }
    *out = (struct wr_decoder *)d;
    return WR_OK;
}

/* ---- cutting ---- */

/* Cuts a record that may have quotes, byte by byte. Returns the number of fields; -1: malformed, *at is where. */
static int cut_quoted(struct csv_decoder *d, struct wr_str rec, uint32_t *at)
{
    uint32_t i = 0;
    for (int n = 0; n < FIELDS_MAX; n++) {
        struct csv_field *f = &d->field[n];
        *f = (struct csv_field){.from = i};
        if (i < rec.n && rec.p[i] == '"') {
            uint32_t open = i++;
            f->from = i;
            f->quoted = true;
            for (;; i++) {
                if (i >= rec.n) {
                    *at = open;
                    return -1;
                }
                if (rec.p[i] != '"')
                    continue;
                if (i + 1 < rec.n && rec.p[i + 1] == '"') {
                    f->doubled = true;
                    i++;
                    continue;
                }
                break;
            }
            f->n = i - f->from;
            i++;
            if (i < rec.n && rec.p[i] != d->delimiter) {
                *at = i;
                return -1;
            }
        } else {
            const char *stop = i < rec.n ? memchr(rec.p + i, d->delimiter, rec.n - i) : NULL;
            i = stop ? (uint32_t)(stop - rec.p) : rec.n;
            f->n = i - f->from;
        }
        if (i >= rec.n)
            return n + 1;
        i++;
    }
    *at = i;
    return -1;
}

static inline bool end_field(struct csv_decoder *d, int n, uint32_t from, uint32_t end)
{
    if (n >= FIELDS_MAX)
        return false;
    d->field[n] = (struct csv_field){.from = from, .n = end - from};
    return true;
}

enum { CUT_MALFORMED = -1, CUT_QUOTES = -2 };

/* Cuts a record without quotes; QUOTES: there is one. *plain: all of it is ASCII without zero bytes (not said when there are quotes). */
static int cut_plain(struct csv_decoder *d, struct wr_str rec, bool *plain)
{
    uint32_t i = 0, from = 0;
    int n = 0;
    unsigned odd = 0; /* bytes over 0x7F, zero bytes */
#if defined(__SSE2__)
    const __m128i delimiter = _mm_set1_epi8(d->delimiter), quote = _mm_set1_epi8('"'), one = _mm_set1_epi8(1);
    __m128i odds = _mm_setzero_si128();
    for (; i + 16 <= rec.n; i += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(rec.p + i));
        if (_mm_movemask_epi8(_mm_cmpeq_epi8(v, quote)))
            return CUT_QUOTES;
        odds = _mm_or_si128(odds, _mm_cmplt_epi8(v, one)); /* signed: bytes over 0x7F are below one as well */
        unsigned hit = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(v, delimiter));
        for (; hit; hit &= hit - 1) {
            uint32_t end = i + (uint32_t)__builtin_ctz(hit);
            if (!end_field(d, n++, from, end))
                return CUT_MALFORMED;
            from = end + 1;
        }
    }
    odd = (unsigned)_mm_movemask_epi8(odds);
#endif
    for (; i < rec.n; i++) {
        if (rec.p[i] == '"')
            return CUT_QUOTES;
        odd |= rec.p[i] <= 0 || (unsigned char)rec.p[i] > 0x7F;
        if (rec.p[i] == d->delimiter) {
            if (!end_field(d, n++, from, i))
                return CUT_MALFORMED;
            from = i + 1;
        }
    }
    *plain = !odd;
    return end_field(d, n++, from, rec.n) ? n : CUT_MALFORMED;
}

/* Cuts a record into d->field. Returns the number of fields, or MALFORMED: *at is where. */
static int cut(struct csv_decoder *d, struct wr_str rec, uint32_t *at, bool *plain)
{
    *at = rec.n;
    *plain = false;
    int n = cut_plain(d, rec, plain);
    return n == CUT_QUOTES ? cut_quoted(d, rec, at) : n;
}

/* A field's text. */
static struct wr_str field_text(const struct csv_field *f, struct wr_str rec, struct wr_arena *mem)
{
    struct wr_str s = {rec.p + f->from, f->n};
    if (!f->doubled)
        return s;
    char *to = wr_arena_bytes(mem, s.n);
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        to[n++] = s.p[i];
        i += s.p[i] == '"';
    }
    return (struct wr_str){to, n};
}

/* Walks the fields of p[0..n) to the line end that is outside of quotes; NULL: not there yet. */
static const char *find_line_end(const struct csv_decoder *d, const char *p, size_t n)
{
    const char *end = p + n;
    enum { START, PLAIN, QUOTED, CLOSED } at = START; /* in a field; CLOSED: behind what may be its closing quote */
    for (; p < end; p++) {
        if (at == QUOTED) {
            p = memchr(p, '"', (size_t)(end - p));
            if (!p)
                return NULL;
            at = CLOSED;
        } else if (*p == '\n') {
            return p;
        } else if (*p == d->delimiter) {
            at = START;
        } else if (*p == '"' && at != PLAIN) {
            at = QUOTED; /* the field begins, or a doubled quote goes on */
        } else {
            at = PLAIN;
        }
    }
    return NULL;
}

static int64_t csv_split(struct wr_decoder *dec, const char *p, size_t n, bool eof, size_t *used)
{
    const struct csv_decoder *d = (const struct csv_decoder *)dec;
    const char *end = memchr(p, '\n', n);
    size_t line = end ? (size_t)(end - p) : n;
    if (memchr(p, '"', line)) {
        end = find_line_end(d, p, n);
        line = end ? (size_t)(end - p) : n;
    }
    if (!end && !eof)
        return -1;
    *used = line + (end != NULL);
    if (line && p[line - 1] == '\r')
        line--;
    return (int64_t)line;
}

static wr_status csv_head(struct wr_decoder *dec, struct wr_str rec, bool *taken, struct wr_error *err)
{
    struct csv_decoder *d = (struct csv_decoder *)dec;
    *taken = d->header;
    if (!d->header)
        return WR_OK;
    if (rec.n >= 3 && memcmp(rec.p, "\xEF\xBB\xBF", 3) == 0)
        rec = (struct wr_str){rec.p + 3, rec.n - 3};
    uint32_t at;
    bool plain;
    int n = cut(d, rec, &at, &plain);
    if (n < 0)
        return wr_fail(err, WR_EIO, "the header is not CSV: see its byte %u", at + 1);
    d->n_field = (uint32_t)n;
    for (int k = 0; k < d->n_col; k++) {
        struct csv_col *c = &d->col[k];
        int found = -1;
        for (int i = 0; i < n; i++) {
            struct wr_str name = wr_str_trim(field_text(&d->field[i], rec, &d->mem));
            if (wr_str_eq(name, c->name) || (found < 0 && wr_str_ieq(name, c->name)))
                found = i;
        }
        if (found < 0) {
            wr_fail(err, WR_EIO, "the header has no column \"%.*s\"", WR_FMT(c->name));
            wr_hint(err, "it is: %.*s", (int)(rec.n > 200 ? 200 : rec.n), rec.p);
            return WR_EIO;
        }
        c->field = (uint32_t)found;
    }
    return WR_OK;
}

/* ---- values ---- */

static enum wr_reason misfit(const struct csv_col *c, enum wr_reason reason, struct wr_str s, struct wr_bad *why)
{
    char shown[WR_QUOTE_MAX];
    return wr_bad_set(why, reason, c->name, "%s %s %.*s", wr_bad_quote(shown, s), reason == WR_R_TYPE ? "is not of type" : "does not fit",
                      WR_FMT(c->type_name));
}

/* [-]digits of at most 18 places. */
static inline bool quick_int(struct wr_str s, int64_t *out)
{
    const char *p = s.p, *end = s.p + s.n;
    bool neg = p < end && *p == '-';
    p += neg;
    if (p == end || end - p > 18)
        return false;
    int64_t v = 0;
    for (; p < end; p++) {
        unsigned c = (unsigned)(*p - '0');
        if (c > 9)
            return false;
        v = v * 10 + c;
    }
    *out = neg ? -v : v;
    return true;
}

/* [-]digits[.digits] of at most 19 places, scaled up. false: something else, or more digits behind the point than the scale. */
static inline bool quick_decimal(struct wr_str s, unsigned scale, wr_i128 *out)
{
    const char *p = s.p, *end = s.p + s.n, *point = NULL;
    bool neg = p < end && *p == '-';
    p += neg;
    if (p == end || end - p > 19 || *p == '.')
        return false;
    uint64_t v = 0; /* 19 digits fit */
    for (; p < end; p++) {
        unsigned c = (unsigned)(*p - '0');
        if (c <= 9) {
            v = v * 10 + c;
        } else if (*p == '.' && !point) {
            point = p;
        } else {
            return false;
        }
    }
    unsigned frac = point ? (unsigned)(end - point - 1) : 0;
    if (frac > scale || (point && frac == 0) || scale - frac > 19)
        return false;
    wr_i128 r = (wr_i128)v * wr_pow10[scale - frac];
    *out = neg ? -r : r;
    return true;
}

/* A whole number since 1970 in timestamp_unit. */
static enum wr_reason epoch(const struct csv_decoder *d, struct wr_str s, int64_t *us)
{
    wr_i128 v;
    bool range = false;
    if (!wr_dec_parse(s, 38, d->ts_scale, &v, &range))
        return range ? WR_R_TS_RANGE : WR_R_TYPE;
    if (d->ts_nanos)
        v = (v + (v < 0 ? -500 : 500)) / 1000;
    if (v < WR_TIME_MIN || v > WR_TIME_MAX)
        return WR_R_TS_RANGE;
    *us = (int64_t)v;
    return WR_R_NONE;
}

static enum wr_reason parse_time(const struct csv_decoder *d, struct wr_str s, int64_t *us)
{
    bool range = false;
    int64_t number;
    if (wr_time_parse(s, us, &range))
        return WR_R_NONE;
    if (range)
        return WR_R_TS_RANGE;
    return quick_int(s, &number) ? epoch(d, s, us) : WR_R_TYPE;
}

static enum wr_reason general(const struct csv_col *c, struct wr_str s, struct wr_vec *v, struct wr_batch *into, uint32_t row)
{
    struct wr_value val;
    enum wr_reason why = WR_R_TYPE;
    if (!wr_parse_value(c->type, s, &into->mem, &val, &why))
        return why == WR_R_RANGE || why == WR_R_TS_RANGE ? why : WR_R_TYPE;
    switch (wr_type_phys(c->type.id)) {
    case WR_P_I8: WR_VEC_I8(v)[row] = val.as.b; break;
    case WR_P_I64: WR_VEC_I64(v)[row] = val.as.i; break;
    case WR_P_F64: WR_VEC_F64(v)[row] = val.as.d; break;
    case WR_P_I128: WR_VEC_I128(v)[row] = val.as.dec; break;
    case WR_P_STR: WR_VEC_STR(v)[row] = val.as.s; break;
    case WR_P_IVL: WR_VEC_IVL(v)[row] = val.as.iv; break;
    }
    return WR_R_NONE;
}

static enum wr_reason store(const struct csv_decoder *d, const struct csv_col *c, struct wr_str s, struct wr_batch *into, uint32_t row)
{
    struct wr_vec *v = &into->col[c->index];
    if (v->nulls)
        v->nulls[row] = 0;
    switch ((enum wr_tid)c->type.id) {
    case WR_T_TEXT:
        if (c->type.len && s.n > c->type.len && wr_utf8_chars(s) > c->type.len)
            return WR_R_RANGE;
        WR_VEC_STR(v)[row] = s;
        return WR_R_NONE;
    case WR_T_BIGINT:
        if (quick_int(s, &WR_VEC_I64(v)[row]))
            return WR_R_NONE;
        return general(c, s, v, into, row);
    case WR_T_DECIMAL:
        if (quick_decimal(s, c->type.scale, &WR_VEC_I128(v)[row]))
            return wr_dec_fits(WR_VEC_I128(v)[row], c->type.prec) ? WR_R_NONE : WR_R_RANGE;
        return general(c, s, v, into, row);
    case WR_T_TIMESTAMP: case WR_T_TIMESTAMPTZ:
        return parse_time(d, s, &WR_VEC_I64(v)[row]);
    case WR_T_NULL: case WR_T_BOOL: case WR_T_INT: case WR_T_DOUBLE: case WR_T_BYTES: case WR_T_JSON: case WR_T_DATE: case WR_T_TIME:
    case WR_T_INTERVAL: case WR_T_ARRAY: case WR_T_ROW: case WR_T_COUNT:
        break;
    }
    return general(c, s, v, into, row);
}

static void store_null(const struct csv_col *c, struct wr_batch *into, uint32_t row)
{
    struct wr_vec *v = &into->col[c->index];
    wr_vec_nulls(v, into->cap, &into->mem)[row] = 1;
    if (wr_type_phys(c->type.id) == WR_P_STR)
        WR_VEC_STR(v)[row] = (struct wr_str){NULL, 0};
}

static enum wr_reason csv_decode(struct wr_decoder *dec, struct wr_str rec, struct wr_batch *into, uint32_t row, struct wr_bad *why)
{
    struct csv_decoder *d = (struct csv_decoder *)dec;
    struct wr_str none = {NULL, 0};
    uint32_t at;
    if (rec.n > d->max_bytes)
        return wr_bad_set(why, WR_R_TOO_BIG, none, "the record has %u bytes, max_record_bytes is %llu", rec.n, (unsigned long long)d->max_bytes);
    bool plain;
    int n = cut(d, rec, &at, &plain);
    if (!plain && (!wr_utf8_valid(rec) || (rec.n && memchr(rec.p, 0, rec.n))))
        return wr_bad_set(why, WR_R_UTF8, none, "the record is not text: not valid UTF-8, or with a zero byte");
    if (n < 0)
        return wr_bad_set(why, WR_R_SYNTAX, none, "a quoted field is not closed, or goes on behind its quote, at byte %u", at + 1);
    if (d->n_field ? (uint32_t)n != d->n_field : (uint32_t)n < d->n_need)
        return wr_bad_set(why, WR_R_SYNTAX, none, "the record has %d fields, %s %u", n, d->n_field ? "the header" : "the columns need",
                          d->n_field ? d->n_field : d->n_need);
    for (int k = 0; k < d->n_col; k++) {
        const struct csv_col *c = &d->col[k];
        const struct csv_field *f = &d->field[c->field];
        struct wr_str s = field_text(f, rec, &into->mem);
        if (!f->quoted && wr_str_eq(s, d->null_value)) {
            if (c->not_null)
                return wr_bad_set(why, WR_R_NOT_NULL, c->name, "the field is NULL");
            store_null(c, into, row);
            continue;
        }
        enum wr_reason r = store(d, c, s, into, row);
        if (r)
            return misfit(c, r, s, why);
    }
    return WR_R_NONE;
}

/* ---- writing ---- */

struct csv_encoder {
    const struct wr_schema *schema;
    char delimiter;
    bool header;
    struct wr_str null_value;
    struct wr_arena mem;
};

/* Puts quotes around out's bytes from `from` on, if they need them; empty text always does, to differ from NULL. */
static void quote(const struct csv_encoder *e, struct wr_buf *out, size_t from)
{
    size_t quotes = 0, n = out->n - from;
    bool needed = n == e->null_value.n && (n == 0 || memcmp(out->p + from, e->null_value.p, n) == 0);
    for (size_t i = from; i < out->n; i++) {
        char c = out->p[i];
        quotes += c == '"';
        needed |= c == '"' || c == e->delimiter || c == '\n' || c == '\r';
    }
    if (!needed || !wr_buf_room(out, quotes + 2))
        return;
    char *src = out->p + out->n, *dst = src + quotes + 2;
    out->n += quotes + 2;
    *--dst = '"';
    while (src > out->p + from) {
        *--dst = *--src;
        if (*src == '"')
            *--dst = '"';
    }
    *--dst = '"';
}

static void csv_encode(struct wr_encoder *enc, const struct wr_batch *batch, uint32_t row, const int *col, int n_col, struct wr_buf *out)
{
    const struct csv_encoder *e = (const struct csv_encoder *)enc;
    for (int i = 0; i < n_col; i++) {
        const struct wr_vec *v = &batch->col[col[i]];
        if (i)
            wr_buf_putc(out, e->delimiter);
        if (wr_vec_null(v, row)) {
            wr_buf_str(out, e->null_value);
            continue;
        }
        size_t from = out->n;
        wr_print_vec(out, v, row, WR_STYLE_CSV);
        quote(e, out, from);
    }
}

static void csv_header(struct wr_encoder *enc, struct wr_buf *out)
{
    const struct csv_encoder *e = (const struct csv_encoder *)enc;
    for (int i = 0; e->header && i < e->schema->n; i++) {
        if (i)
            wr_buf_putc(out, e->delimiter);
        size_t from = out->n;
        wr_buf_str(out, e->schema->field[i].name);
        quote(e, out, from);
    }
}

static void csv_encoder_close(struct wr_encoder *enc)
{
    struct csv_encoder *e = (struct csv_encoder *)enc;
    wr_arena_clear(&e->mem);
    free(e);
}

static wr_status csv_encoder_open(const struct wr_sink_spec *spec, struct wr_encoder **out, struct wr_error *err)
{
    struct csv_encoder *e = wr_calloc(1, sizeof *e);
    e->schema = spec->schema;
    e->header = wr_opt_bool(spec->opts, "header", true);
    e->null_value = wr_arena_str(&e->mem, wr_opt_text_or(spec->opts, "null_value", ""));
    wr_status st = read_delimiter(spec->opts, &e->delimiter, err);
    if (st) {
        csv_encoder_close((struct wr_encoder *)e);
        return st;
    }
    *out = (struct wr_encoder *)e;
    return WR_OK;
}

const struct wr_format wr_format_csv = {
    .name = "csv",
    .opts = csv_opts,
    .decoder_open = csv_decoder_open,
    .decode = csv_decode,
    .split = csv_split,
    .head = csv_head,
    .decoder_close = csv_decoder_close,
    .encoder_open = csv_encoder_open,
    .encode = csv_encode,
    .header = csv_header,
    .encoder_close = csv_encoder_close,
};

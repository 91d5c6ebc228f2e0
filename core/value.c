/* value.c: values as text, from text and from JSON; their order.
 * Rules:  a table by type chooses the printer and the reader ("ORDER TYPES": same order as types.def). What PostgreSQL prints and reads is
 *         the measure for SQL style and for CAST; dialect.md §5 for JSON.
 * Memory: results borrow from the text or are placed in the caller's arena. */
#include "core/decimal.h"
#include "core/json.h"
#include "core/nested.h"
#include "core/number.h"
#include "core/time.h"
#include "core/vec.h"

#include <math.h>

/* ---- printing: each prints a value that is not NULL */

static void print_null(struct wr_buf *out, const struct wr_value *v WR_UNUSED, enum wr_style style)
{
    if (style == WR_STYLE_JSON)
        wr_buf_puts(out, "null");
}

static void print_bool(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    if (style == WR_STYLE_SQL)
        wr_buf_putc(out, v->as.b ? 't' : 'f');
    else
        wr_buf_puts(out, v->as.b ? "true" : "false");
}

static void print_int(struct wr_buf *out, const struct wr_value *v, enum wr_style style WR_UNUSED)
{
    wr_int_print(out, v->as.i);
}

static void quote(struct wr_buf *out, enum wr_style style)
{
    if (style == WR_STYLE_JSON)
        wr_buf_putc(out, '"');
}

static void print_double(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    if (isfinite(v->as.d)) {
        wr_double_print(out, v->as.d, style == WR_STYLE_JSON);
        return;
    }
    quote(out, style);
    wr_double_print(out, v->as.d, false);
    quote(out, style);
}

static void print_decimal(struct wr_buf *out, const struct wr_value *v, enum wr_style style WR_UNUSED)
{
    wr_dec_print(out, v->as.dec, v->type.scale);
}

static void print_text(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    if (style == WR_STYLE_JSON)
        wr_json_quote(out, v->as.s);
    else
        wr_buf_str(out, v->as.s);
}

static void print_bytes(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    static const char hex[] = "0123456789abcdef";
    wr_buf_puts(out, style == WR_STYLE_JSON ? "\"\\\\x" : "\\x");
    for (uint32_t i = 0; i < v->as.s.n; i++) {
        unsigned char c = (unsigned char)v->as.s.p[i];
        wr_buf_putc(out, hex[c >> 4]);
        wr_buf_putc(out, hex[c & 15]);
    }
    quote(out, style);
}

static void print_json(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    struct wr_str s = v->as.s;
    if (style != WR_STYLE_JSON) {
        wr_buf_str(out, s);
        return;
    }
    /* As it is, but on one line: line ends can stand only between tokens. */
    for (uint32_t i = 0, from = 0; i <= s.n; i++) {
        bool line_end = i < s.n && (s.p[i] == '\n' || s.p[i] == '\r');
        if (i < s.n && !line_end)
            continue;
        if (i > from)
            wr_buf_add(out, s.p + from, i - from);
        if (line_end)
            wr_buf_putc(out, ' ');
        from = i + 1;
    }
}

static void print_date(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    quote(out, style);
    wr_date_print(out, v->as.i);
    quote(out, style);
}

static void print_time(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    quote(out, style);
    wr_time_of_day_print(out, v->as.i);
    quote(out, style);
}

static void print_timestamp(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    quote(out, style);
    wr_timestamp_print(out, v->as.i, style != WR_STYLE_SQL);
    quote(out, style);
}

static void print_timestamptz(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    print_timestamp(out, v, style);
    if (style == WR_STYLE_SQL)
        wr_buf_puts(out, "+00");
}

static void print_interval(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    quote(out, style);
    wr_interval_print(out, v->as.iv);
    quote(out, style);
}

static void print_nested(struct wr_buf *out, const struct wr_value *v, enum wr_style style)
{
    wr_nested_print(out, v->type, v->as.s, style);
}

static void (*const printer[WR_T_COUNT])(struct wr_buf *, const struct wr_value *, enum wr_style) = { /* ORDER TYPES */
    print_null, print_bool, print_int, print_int, print_double, print_decimal, print_text, print_bytes, print_json, print_date, print_time,
    print_timestamp, print_timestamptz, print_interval, print_nested, print_nested,
};

void wr_print_value(struct wr_buf *out, const struct wr_value *val, enum wr_style style)
{
    if (val->null)
        print_null(out, val, style);
    else
        printer[val->type.id](out, val, style);
}

void wr_print_vec(struct wr_buf *out, const struct wr_vec *v, uint32_t row, enum wr_style style)
{
    struct wr_value val = wr_vec_get(v, row);
    wr_print_value(out, &val, style);
}

/* ---- reading text: s is trimmed except for text; out->type is set. On failure *why is WR_R_CAST unless the reader says otherwise. */

static bool parse_null(struct wr_str s WR_UNUSED, struct wr_arena *mem WR_UNUSED, struct wr_value *out WR_UNUSED, enum wr_reason *why WR_UNUSED)
{
    return false;
}

static bool parse_bool(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why WR_UNUSED)
{
    static const struct { const char *word; uint32_t least; uint8_t value; } words[] = {
        {"true", 1, 1}, {"false", 1, 0}, {"yes", 1, 1}, {"no", 1, 0}, {"on", 2, 1}, {"off", 2, 0}, {"1", 1, 1}, {"0", 1, 0}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        struct wr_str word = wr_str_c(words[i].word);
        if (s.n < words[i].least || s.n > word.n || !wr_str_ieq(s, (struct wr_str){word.p, s.n}))
            continue;
        out->as.b = words[i].value;
        return true;
    }
    return false;
}

static bool parse_bigint(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    bool range;
    if (wr_int_parse(s, &out->as.i, &range))
        return true;
    if (range)
        *why = WR_R_RANGE;
    return false;
}

static bool parse_int(struct wr_str s, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why)
{
    if (!parse_bigint(s, mem, out, why))
        return false;
    if (out->as.i >= INT32_MIN && out->as.i <= INT32_MAX)
        return true;
    *why = WR_R_RANGE;
    return false;
}

static bool parse_double(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    bool range;
    if (wr_double_parse(s, &out->as.d, &range))
        return true;
    if (range)
        *why = WR_R_RANGE;
    return false;
}

static bool parse_decimal(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    bool range;
    if (wr_dec_parse(s, out->type.prec ? out->type.prec : 38, out->type.scale, &out->as.dec, &range))
        return true;
    if (range)
        *why = WR_R_RANGE;
    return false;
}

bool wr_text_fits(struct wr_type type, struct wr_str s)
{
    return type.len == 0 || s.n <= type.len || wr_utf8_chars(s) <= type.len;
}

struct wr_str wr_text_cut(struct wr_type type, struct wr_str s)
{
    return type.len == 0 ? s : (struct wr_str){s.p, wr_utf8_prefix(s, type.len)};
}

static bool parse_text(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    *why = WR_R_UTF8;
    if (!wr_utf8_valid(s))
        return false;
    *why = WR_R_RANGE;
    out->as.s = s;
    return wr_text_fits(out->type, s);
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* \x and pairs of hex digits */
static bool parse_hex(struct wr_str s, struct wr_arena *mem, struct wr_value *out)
{
    if (s.n % 2)
        return false;
    char *to = wr_arena_bytes(mem, s.n / 2);
    out->as.s = (struct wr_str){to, s.n / 2};
    for (uint32_t i = 2; i < s.n; i += 2) {
        int high = hex_digit(s.p[i]), low = hex_digit(s.p[i + 1]);
        if (high < 0 || low < 0)
            return false;
        *to++ = (char)(high << 4 | low);
    }
    out->as.s.n -= 1;
    return true;
}

/* Either hex, or the bytes themselves with \\ and \ooo. */
static bool parse_bytes(struct wr_str s, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why WR_UNUSED)
{
    if (s.n >= 2 && s.p[0] == '\\' && s.p[1] == 'x')
        return parse_hex(s, mem, out);
    out->as.s = s;
    if (s.n == 0 || !memchr(s.p, '\\', s.n))
        return true;
    char *to = wr_arena_bytes(mem, s.n);
    out->as.s.p = to;
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] != '\\') {
            *to++ = s.p[i];
        } else if (s.n - i >= 2 && s.p[i + 1] == '\\') {
            *to++ = '\\';
            i++;
        } else if (s.n - i >= 4) {
            unsigned a = (unsigned)s.p[i + 1] - '0', b = (unsigned)s.p[i + 2] - '0', c = (unsigned)s.p[i + 3] - '0';
            if (a > 3 || b > 7 || c > 7)
                return false;
            *to++ = (char)(a << 6 | b << 3 | c);
            i += 3;
        } else {
            return false;
        }
    }
    out->as.s.n = (uint32_t)(to - out->as.s.p);
    return true;
}

static bool parse_json(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    out->as.s = s;
    if (!wr_utf8_valid(s)) {
        *why = WR_R_UTF8;
        return false;
    }
    return wr_json_valid(s);
}

static bool parse_date(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    bool range;
    if (wr_date_parse(s, &out->as.i, &range))
        return true;
    if (range)
        *why = WR_R_RANGE;
    return false;
}

static bool parse_time(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why WR_UNUSED)
{
    return wr_time_of_day_parse(s, &out->as.i);
}

static bool parse_timestamp(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why)
{
    bool range;
    if (wr_time_parse(s, &out->as.i, &range))
        return true;
    if (range)
        *why = WR_R_RANGE;
    return false;
}

static bool parse_interval(struct wr_str s, struct wr_arena *mem WR_UNUSED, struct wr_value *out, enum wr_reason *why WR_UNUSED)
{
    return wr_interval_parse(s, &out->as.iv);
}

static bool parse_nested(struct wr_str s, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why)
{
    if (!wr_utf8_valid(s)) {
        *why = WR_R_UTF8;
        return false;
    }
    return wr_json_valid(s) && wr_nested_parse(out->type, s, mem, &out->as.s, why);
}

static bool (*const parser[WR_T_COUNT])(struct wr_str, struct wr_arena *, struct wr_value *, enum wr_reason *) = { /* ORDER TYPES */
    parse_null, parse_bool, parse_int, parse_bigint, parse_double, parse_decimal, parse_text, parse_bytes, parse_json, parse_date, parse_time,
    parse_timestamp, parse_timestamp, parse_interval, parse_nested, parse_nested,
};

bool wr_parse_value(struct wr_type type, struct wr_str s, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why)
{
    memset(out, 0, sizeof *out);
    out->type = type;
    enum wr_reason reason = WR_R_CAST;
    if (type.id != WR_T_TEXT && type.id != WR_T_BYTES)
        s = wr_str_trim(s);
    bool ok = parser[type.id](s, mem, out, &reason);
    *why = ok ? WR_R_NONE : reason;
    return ok;
}

/* ---- reading JSON */

/* Types whose JSON form is a number, a string, or either. */
static bool json_kind_fits(struct wr_type type, enum wr_json_kind kind)
{
    switch ((enum wr_tid)type.id) {
    case WR_T_NULL: return false;
    case WR_T_BOOL: return kind == WR_JSON_BOOL;
    case WR_T_INT:
    case WR_T_BIGINT:
    case WR_T_DOUBLE:
    case WR_T_DECIMAL: return kind == WR_JSON_NUMBER || kind == WR_JSON_STRING;
    case WR_T_TEXT:
    case WR_T_JSON: return true;
    case WR_T_BYTES:
    case WR_T_DATE:
    case WR_T_TIME:
    case WR_T_INTERVAL: return kind == WR_JSON_STRING;
    case WR_T_TIMESTAMP:
    case WR_T_TIMESTAMPTZ: return kind == WR_JSON_STRING || kind == WR_JSON_NUMBER;
    case WR_T_ARRAY: return kind == WR_JSON_ARRAY;
    case WR_T_ROW: return kind == WR_JSON_OBJECT || kind == WR_JSON_ARRAY;
    case WR_T_COUNT: break;
    }
    return false;
}

/* A JSON number of milliseconds, exact to the µs. */
static bool json_millis(struct wr_str raw, struct wr_value *out, enum wr_reason *why)
{
    wr_i128 us;
    bool range;
    if (!wr_dec_parse(raw, 38, 3, &us, &range) || us < WR_TIME_MIN || us > WR_TIME_MAX) {
        *why = WR_R_RANGE;
        return false;
    }
    out->as.i = (int64_t)us;
    return true;
}

bool wr_parse_json(struct wr_type type, struct wr_str raw, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why)
{
    enum wr_json_kind kind = wr_json_kind(raw);
    memset(out, 0, sizeof *out);
    out->type = type;
    *why = WR_R_NONE;
    if (kind == WR_JSON_NULL && type.id != WR_T_JSON) {
        out->null = true;
        return true;
    }
    *why = WR_R_TYPE;
    if (!json_kind_fits(type, kind))
        return false;
    struct wr_str text = raw;
    if (kind == WR_JSON_STRING && type.id != WR_T_JSON && !wr_json_text(raw, mem, &text))
        return false;
    if (kind == WR_JSON_NUMBER && wr_type_is_time(type)) {
        bool ok = json_millis(raw, out, why);
        *why = ok ? WR_R_NONE : *why;
        return ok;
    }
    /* {"n": 1.0} and {"n": 1e3} are integers, too, if they are whole */
    bool whole = kind == WR_JSON_NUMBER && (type.id == WR_T_INT || type.id == WR_T_BIGINT);
    if (whole && (memchr(raw.p, '.', raw.n) || memchr(raw.p, 'e', raw.n) || memchr(raw.p, 'E', raw.n))) {
        wr_i128 v;
        bool range;
        struct wr_buf digits = WR_BUF_INIT(64);
        if (!wr_dec_parse(raw, 38, 18, &v, &range) || v % wr_pow10[18]) {
            *why = range ? WR_R_RANGE : WR_R_TYPE;
            return false;
        }
        wr_dec_print(&digits, v / wr_pow10[18], 0);
        text = wr_arena_str(mem, wr_buf_get(&digits));
        wr_buf_clear(&digits);
    }
    bool ok = wr_parse_value(type, text, mem, out, why);
    if (!ok && *why == WR_R_CAST)
        *why = WR_R_TYPE;
    return ok;
}

/* ---- order */

static int cmp_double(double a, double b)
{
    if (a < b)
        return -1;
    if (a > b)
        return 1;
    if (a == b)
        return 0;
    return (isnan(a) != 0) - (isnan(b) != 0); /* at least one is NaN: greatest of all, equal to itself */
}

wr_i128 wr_interval_span(struct wr_interval iv)
{
    return ((wr_i128)iv.months * 30 + iv.days) * WR_US_DAY + iv.us;
}

#define CMP(x, y) (((x) > (y)) - ((x) < (y)))

int wr_value_cmp(const struct wr_value *a, const struct wr_value *b)
{
    switch (wr_type_phys((enum wr_tid)a->type.id)) {
    case WR_P_I8: return CMP(a->as.b, b->as.b);
    case WR_P_I64: return CMP(a->as.i, b->as.i);
    case WR_P_F64: return cmp_double(a->as.d, b->as.d);
    case WR_P_I128: return CMP(a->as.dec, b->as.dec);
    case WR_P_STR: {
        int c = a->type.sub ? wr_nested_cmp(a->type, a->as.s, b->as.s) : wr_str_cmp(a->as.s, b->as.s);
        return CMP(c, 0);
    }
    case WR_P_IVL: return CMP(wr_interval_span(a->as.iv), wr_interval_span(b->as.iv));
    }
    return 0;
}

int wr_vec_cmp(const struct wr_vec *a, uint32_t i, const struct wr_vec *b, uint32_t j)
{
    i = wr_vec_at(a, i);
    j = wr_vec_at(b, j);
    switch (wr_type_phys((enum wr_tid)a->type.id)) {
    case WR_P_I8: return CMP(WR_VEC_I8(a)[i], WR_VEC_I8(b)[j]);
    case WR_P_I64: return CMP(WR_VEC_I64(a)[i], WR_VEC_I64(b)[j]);
    case WR_P_F64: return cmp_double(WR_VEC_F64(a)[i], WR_VEC_F64(b)[j]);
    case WR_P_I128: return CMP(WR_VEC_I128(a)[i], WR_VEC_I128(b)[j]);
    case WR_P_STR: {
        struct wr_str x = WR_VEC_STR(a)[i], y = WR_VEC_STR(b)[j];
        int c = a->type.sub ? wr_nested_cmp(a->type, x, y) : wr_str_cmp(x, y);
        return CMP(c, 0);
    }
    case WR_P_IVL: return CMP(wr_interval_span(WR_VEC_IVL(a)[i]), wr_interval_span(WR_VEC_IVL(b)[j]));
    }
    return 0;
}

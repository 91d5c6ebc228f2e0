/* json_value.c: one JSON value into one column, by type.
 *
 * Rules:  numbers go from their digits straight into the column: DECIMAL is exact, no double in between; what has more digits behind the
 *         point than the column is rounded half away from zero. Numbers in quotes count as numbers. A number, true or false for a TEXT column is its text;
 *         an object or an array is not. Times are ISO 8601 text or a number since 1970 in the source's timestamp_unit. BYTES are "\x" and hex digits,
 *         or base64. These are the general ways, for every form a value may have; json_quick.h has short ones
 *         for the usual forms.
 * Memory: as json_decode.h says. */
#include "connectors/json_decode.h"
#include "core/decimal.h"
#include "core/log.h"
#include "core/nested.h"

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- what does not fit ---- */

void wr_json_note(struct wr_jdec *d, const struct wr_jcol *c, enum wr_reason reason, const char *fmt, ...)
{
    struct wr_jfail *f = &d->fail[c - d->col];
    va_list args;
    va_start(args, fmt);
    vsnprintf(f->msg, sizeof f->msg, fmt, args);
    va_end(args);
    f->reason = reason;
    d->failed[c->word] |= c->bit;
    d->any_failed = true;
}

/* The vectors of a bad row need no value: its row number is used again. */
WR_JSON_COLD static const char *misfit(struct wr_jdec *d, const struct wr_jcol *c, enum wr_reason reason, const char *p)
{
    const char *end = wr_json_skip(&d->j, p, d->depth);
    if (!end)
        return NULL;
    struct wr_buf shown = WR_BUF_INIT(1024);
    wr_buf_escape(&shown, (struct wr_str){p, (uint32_t)(end - p)}, 60);
    bool range = reason != WR_R_TYPE;
    wr_json_note(d, c, reason, "%.*s %s %.*s", WR_FMT(wr_buf_get(&shown)), range ? "does not fit" : "is not of type",
                 WR_FMT(c->type_name));
    wr_buf_clear(&shown);
    return end;
}

void wr_json_put_null(struct wr_jdec *d, const struct wr_jcol *c, const char *how)
{
    if (c->not_null) {
        wr_json_note(d, c, WR_R_NOT_NULL, "the member is %s", how);
        return;
    }
    struct wr_vec *v = wr_json_vec(d, c);
    uint32_t row = d->row;
    wr_vec_nulls(v, d->into->cap, &d->into->mem)[row] = 1;
    switch (wr_type_phys(c->type.id)) {
    case WR_P_I8: WR_VEC_I8(v)[row] = 0; break;
    case WR_P_I64: WR_VEC_I64(v)[row] = 0; break;
    case WR_P_F64: WR_VEC_F64(v)[row] = 0; break;
    case WR_P_I128: WR_VEC_I128(v)[row] = 0; break;
    case WR_P_STR: WR_VEC_STR(v)[row] = (struct wr_str){NULL, 0}; break;
    case WR_P_IVL: WR_VEC_IVL(v)[row] = (struct wr_interval){0}; break;
    }
}

WR_JSON_COLD static const char *store_null(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    const char *end = wr_json_literal(&d->j, p);
    if (end)
        wr_json_put_null(d, c, "null");
    return end;
}

/* ---- text ---- */

enum text { TEXT_GOOD, TEXT_BAD, TEXT_MALFORMED };

/* The string at p (its opening quote) without quotes and escapes. BAD: it holds half a surrogate pair or U+0000. */
static enum text take_text(struct wr_jdec *d, const char *p, struct wr_str *s, const char **end)
{
    unsigned seen;
    const char *q = wr_json_string(&d->j, p + 1, &seen);
    if (!q)
        return TEXT_MALFORMED;
    *end = q + 1;
    *s = (struct wr_str){p + 1, (uint32_t)(q - p - 1)};
    if (!(seen & WR_JSON_ESCAPE))
        return TEXT_GOOD;
    char *to = wr_arena_bytes(&d->into->mem, s->n);
    if (!wr_json_unescape(*s, to, &s->n))
        return TEXT_BAD;
    s->p = to;
    return TEXT_GOOD;
}

static bool text_too_long(const struct wr_jcol *c, struct wr_str s)
{
    return c->type.len && s.n > c->type.len && wr_utf8_chars(s) > c->type.len;
}

static const char *store_text(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    if (*p == 'n')
        return store_null(d, c, p);
    if (*p == '{' || *p == '[')
        return misfit(d, c, WR_R_TYPE, p);
    if (*p == '"') {
        enum text got = take_text(d, p, &s, &end);
        if (got == TEXT_MALFORMED)
            return NULL;
        if (got == TEXT_BAD) {
            wr_json_note(d, c, WR_R_UTF8, "the text holds \\u0000 or half a surrogate pair");
            return end;
        }
    } else { /* a number, true, false: as written */
        end = wr_json_skip(&d->j, p, d->depth);
        if (!end)
            return NULL;
        s = (struct wr_str){p, (uint32_t)(end - p)};
    }
    if (text_too_long(c, s))
        return misfit(d, c, WR_R_RANGE, p);
    WR_VEC_STR(wr_json_cell(d, c))[d->row] = s;
    return end;
}

static const char *store_json(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    if (*p == 'n')
        return store_null(d, c, p);
    const char *end = wr_json_skip(&d->j, p, d->depth);
    if (end)
        WR_VEC_STR(wr_json_cell(d, c))[d->row] = (struct wr_str){p, (uint32_t)(end - p)};
    return end;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool decode_hex(struct wr_str s, char *to, uint32_t *n)
{
    if (s.n % 2)
        return false;
    for (uint32_t i = 0; i < s.n; i += 2) {
        int hi = hex_digit(s.p[i]), lo = hex_digit(s.p[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        to[i / 2] = (char)(hi << 4 | lo);
    }
    *n = s.n / 2;
    return true;
}

static int base64_digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* RFC 4648 §4; the padding may be left out. */
static bool decode_base64(struct wr_str s, char *to, uint32_t *n)
{
    uint32_t bits = 0, have = 0, out = 0;
    if (s.n % 4 == 0)
        for (int i = 0; i < 2 && s.n && s.p[s.n - 1] == '='; i++)
            s.n--;
    if (s.n % 4 == 1)
        return false;
    for (uint32_t i = 0; i < s.n; i++) {
        int v = base64_digit(s.p[i]);
        if (v < 0)
            return false;
        bits = bits << 6 | (uint32_t)v;
        have += 6;
        if (have >= 8) {
            have -= 8;
            to[out++] = (char)(bits >> have);
        }
    }
    *n = out;
    return (bits & ((1U << have) - 1)) == 0;
}

static const char *store_bytes(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    if (*p == 'n')
        return store_null(d, c, p);
    if (*p != '"')
        return misfit(d, c, WR_R_TYPE, p);
    enum text got = take_text(d, p, &s, &end);
    if (got == TEXT_MALFORMED)
        return NULL;
    char *to = wr_arena_bytes(&d->into->mem, s.n + 1);
    uint32_t n = 0;
    bool hex = s.n >= 2 && s.p[0] == '\\' && s.p[1] == 'x';
    bool good = got == TEXT_GOOD && (hex ? decode_hex((struct wr_str){s.p + 2, s.n - 2}, to, &n) : decode_base64(s, to, &n));
    if (!good)
        return misfit(d, c, WR_R_TYPE, p);
    WR_VEC_STR(wr_json_cell(d, c))[d->row] = (struct wr_str){to, n};
    return end;
}

/* ---- numbers ---- */

/* Text of a number at p: bare, or inside quotes. false: neither (or malformed: *end NULL). */
static bool number_text(struct wr_jdec *d, const char *p, struct wr_str *s, const char **end)
{
    *end = NULL;
    if (*p == '"')
        return take_text(d, p, s, end) == TEXT_GOOD;
    if (*p != '-' && (*p < '0' || *p > '9')) {
        *end = p;
        return false;
    }
    *end = wr_json_number(&d->j, p);
    *s = (struct wr_str){p, *end ? (uint32_t)(*end - p) : 0};
    return *end != NULL;
}

static const char *store_int(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    bool range = false;
    wr_i128 v, whole;
    if (*p == 'n')
        return store_null(d, c, p);
    bool good = number_text(d, p, &s, &end);
    if (!end)
        return NULL;
    if (good)
        s = wr_str_trim(s);
    /* 18 digits behind the point tell 12.0 (a whole number) from 12.5 (none); integers that large have room for them in 38 digits */
    if (!good || !wr_dec_parse(s, 38, 18, &v, &range))
        return misfit(d, c, range ? WR_R_RANGE : WR_R_TYPE, p);
    whole = v / wr_pow10[18];
    if (whole * wr_pow10[18] != v)
        return misfit(d, c, WR_R_TYPE, p);
    bool is_int = c->type.id == WR_T_INT;
    if (whole > (is_int ? INT32_MAX : INT64_MAX) || whole < (is_int ? INT32_MIN : INT64_MIN))
        return misfit(d, c, WR_R_RANGE, p);
    WR_VEC_I64(wr_json_cell(d, c))[d->row] = (int64_t)whole;
    return end;
}

static const char *store_dec(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    bool range = false;
    wr_i128 v;
    if (*p == 'n')
        return store_null(d, c, p);
    bool good = number_text(d, p, &s, &end);
    if (!end)
        return NULL;
    if (!good || !wr_dec_parse(wr_str_trim(s), c->type.prec, c->type.scale, &v, &range))
        return misfit(d, c, range ? WR_R_RANGE : WR_R_TYPE, p);
    WR_VEC_I128(wr_json_cell(d, c))[d->row] = v;
    return end;
}

/* strtod reads the decimal point of the locale; "C" it is, whatever the program set. */
static double c_strtod(const char *text, char **end)
{
    static _Atomic(locale_t) plain;
    locale_t l = atomic_load(&plain);
    if (!l) {
        locale_t none = 0, made = newlocale(LC_ALL_MASK, "C", none);
        if (atomic_compare_exchange_strong(&plain, &none, made)) {
            l = made;
        } else {
            freelocale(made);
            l = none;
        }
    }
    return strtod_l(text, end, l);
}

static const char *store_double(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    if (*p == 'n')
        return store_null(d, c, p);
    bool good = number_text(d, p, &s, &end);
    if (!end)
        return NULL;
    double v = 0;
    if (good && *p == '"') { /* "NaN" and "Infinity" as well */
        struct wr_value val;
        enum wr_reason why = WR_R_CAST;
        if (!wr_parse_value(c->type, s, &d->into->mem, &val, &why))
            return misfit(d, c, why == WR_R_RANGE ? WR_R_RANGE : WR_R_TYPE, p);
        v = val.as.d;
    } else if (good) {
        char *text = wr_arena_bytes(&d->into->mem, (size_t)s.n + 1);
        memcpy(text, s.p, s.n);
        text[s.n] = 0;
        v = c_strtod(text, NULL); /* too small is 0 or nearly so; too large is infinite */
        if (isinf(v))
            return misfit(d, c, WR_R_RANGE, p);
    } else {
        return misfit(d, c, WR_R_TYPE, p);
    }
    WR_VEC_F64(wr_json_cell(d, c))[d->row] = v;
    return end;
}

static const char *store_bool(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    const char *end;
    if (*p == 't' || *p == 'f') {
        end = wr_json_literal(&d->j, p);
        if (end)
            WR_VEC_I8(wr_json_cell(d, c))[d->row] = *p == 't';
        return end;
    }
    if (*p == 'n')
        return store_null(d, c, p);
    struct wr_str s;
    if (*p == '"') {
        enum text got = take_text(d, p, &s, &end);
        if (got == TEXT_MALFORMED)
            return NULL;
        if (got == TEXT_GOOD && (wr_str_ieq_c(s, "true") || wr_str_ieq_c(s, "false"))) {
            WR_VEC_I8(wr_json_cell(d, c))[d->row] = (s.p[0] | 0x20) == 't';
            return end;
        }
    }
    return misfit(d, c, WR_R_TYPE, p);
}

/* ---- times ---- */

static int two_digits(const char *p)
{
    unsigned a = (unsigned)(p[0] - '0'), b = (unsigned)(p[1] - '0');
    return a < 10 && b < 10 ? (int)(a * 10 + b) : -1;
}

bool wr_json_learn_day(struct wr_jdec *d, const char *p)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int high = two_digits(p), low = two_digits(p + 2), month = two_digits(p + 5), day = two_digits(p + 8);
    if (high < 0 || low < 0 || p[4] != '-' || p[7] != '-' || month < 1 || month > 12 || day < 1)
        return false;
    int year = high * 100 + low;
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || day > days[month - 1] + (month == 2 && leap))
        return false;
    d->day_text = wr_load64(p);
    memcpy(&d->day_rest, p + 8, 2);
    d->day_us = wr_days_from_civil(year, month, day) * WR_US_DAY;
    return true;
}

static const char *store_epoch(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    const char *end = wr_json_number(&d->j, p);
    bool range = false;
    wr_i128 v = 0;
    if (!end)
        return NULL;
    if (!wr_dec_parse((struct wr_str){p, (uint32_t)(end - p)}, 38, d->ts_scale, &v, &range))
        return misfit(d, c, WR_R_TS_RANGE, p);
    if (d->ts_nanos)
        v = (v + (v < 0 ? -500 : 500)) / 1000;
    if (v < WR_TIME_MIN || v > WR_TIME_MAX)
        return misfit(d, c, WR_R_TS_RANGE, p);
    WR_VEC_I64(wr_json_cell(d, c))[d->row] = (int64_t)v;
    return end;
}

static const char *store_time(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    int64_t us;
    bool range = false;
    if (*p == 'n')
        return store_null(d, c, p);
    if (*p == '-' || (*p >= '0' && *p <= '9'))
        return store_epoch(d, c, p);
    if (*p != '"')
        return misfit(d, c, WR_R_TYPE, p);
    enum text got = take_text(d, p, &s, &end);
    if (got == TEXT_MALFORMED)
        return NULL;
    if (got == TEXT_BAD || !wr_time_parse(s, &us, &range))
        return misfit(d, c, range ? WR_R_TS_RANGE : WR_R_TYPE, p);
    WR_VEC_I64(wr_json_cell(d, c))[d->row] = us;
    return end;
}

/* DATE, TIME, INTERVAL: text only. */
static const char *store_calendar(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    struct wr_str s;
    const char *end;
    struct wr_interval iv;
    int64_t i = 0;
    bool good, range = false;
    if (*p == 'n')
        return store_null(d, c, p);
    if (*p != '"')
        return misfit(d, c, WR_R_TYPE, p);
    enum text got = take_text(d, p, &s, &end);
    if (got == TEXT_MALFORMED)
        return NULL;
    if (c->type.id == WR_T_DATE)
        good = wr_date_parse(s, &i, &range);
    else if (c->type.id == WR_T_TIME)
        good = wr_time_of_day_parse(s, &i);
    else
        good = wr_interval_parse(s, &iv);
    if (got == TEXT_BAD || !good)
        return misfit(d, c, range ? WR_R_RANGE : WR_R_TYPE, p);
    if (c->type.id == WR_T_INTERVAL)
        WR_VEC_IVL(wr_json_cell(d, c))[d->row] = iv;
    else
        WR_VEC_I64(wr_json_cell(d, c))[d->row] = i;
    return end;
}

/* ARRAY, ROW: core reads the text once it is known to be well-formed. */
static const char *store_nested(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    if (*p == 'n')
        return store_null(d, c, p);
    const char *end = wr_json_skip(&d->j, p, d->depth);
    struct wr_str out;
    enum wr_reason why = WR_R_TYPE;
    if (!end)
        return NULL;
    if (!wr_nested_parse(c->type, (struct wr_str){p, (uint32_t)(end - p)}, &d->into->mem, &out, &why))
        return misfit(d, c, why == WR_R_CAST ? WR_R_TYPE : why, p);
    WR_VEC_STR(wr_json_cell(d, c))[d->row] = out;
    return end;
}

/* ORDER TYPES */
static wr_jstore *const stores[WR_T_COUNT] = {
    [WR_T_BOOL] = store_bool,
    [WR_T_INT] = store_int,
    [WR_T_BIGINT] = store_int,
    [WR_T_DOUBLE] = store_double,
    [WR_T_DECIMAL] = store_dec,
    [WR_T_TEXT] = store_text,
    [WR_T_BYTES] = store_bytes,
    [WR_T_JSON] = store_json,
    [WR_T_DATE] = store_calendar,
    [WR_T_TIME] = store_calendar,
    [WR_T_TIMESTAMP] = store_time,
    [WR_T_TIMESTAMPTZ] = store_time,
    [WR_T_INTERVAL] = store_calendar,
    [WR_T_ARRAY] = store_nested,
    [WR_T_ROW] = store_nested,
};

/* ORDER TYPES */
static const uint8_t quicks[WR_T_COUNT] = {
    [WR_T_INT] = WR_QUICK_INT,
    [WR_T_BIGINT] = WR_QUICK_INT,
    [WR_T_DOUBLE] = WR_QUICK_DOUBLE,
    [WR_T_DECIMAL] = WR_QUICK_DECIMAL,
    [WR_T_TEXT] = WR_QUICK_TEXT,
    [WR_T_TIMESTAMP] = WR_QUICK_TIME,
    [WR_T_TIMESTAMPTZ] = WR_QUICK_TIME,
};

wr_jstore *wr_json_store_for(struct wr_type type, enum wr_quick *quick)
{
    bool limited = type.id == WR_T_TEXT && type.len;
    *quick = type.id < WR_T_COUNT && !limited ? (enum wr_quick)quicks[type.id] : WR_QUICK_NONE;
    return type.id < WR_T_COUNT ? stores[type.id] : NULL;
}

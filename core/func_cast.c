/* func_cast.c: conversions between types, one kernel a kind, found by wr_func_cast.
 * Rules:  - PostgreSQL's: DOUBLE to integer rounds half to even, DECIMAL half away from zero; what does not fit makes the row bad (range),
 *           text that does not read as the type too (cast);
 *         - the result's precision, scale and length are those of out->type. VARCHAR(n) cuts where CAST is written. */
#include "core/decimal.h"
#include "core/kernel.h"
#include "core/time.h"
#include <math.h>

static void bad_cast_range(struct wr_eval *ev, const struct wr_vec *out, uint32_t row)
{
    if (WR_OUT_NULL(out, row))
        return;
    struct wr_arena tmp = {0};
    struct wr_str name = wr_type_name(&tmp, out->type);
    wr_eval_bad(ev, row, WR_R_RANGE, "value is out of range for type %.*s", WR_FMT(name));
    wr_arena_clear(&tmp);
}

/* ---- numbers ---- */

WR_KERNEL(k_int_int) /* narrowing */
{
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row);
        WR_VEC_I64(out)[row] = x;
        if (x != (int32_t)x)
            bad_cast_range(ev, out, row);
    }
}
WR_KERNEL(k_int_dbl) { WR_ROWS(row) WR_VEC_F64(out)[row] = (double)WR_ARG_I(0, row); }
WR_KERNEL(k_int_dec)
{
    wr_i128 p = wr_pow10[out->type.scale];
    int prec = out->type.prec;
    if (prec - out->type.scale >= (c->arg[0].type.id == WR_T_INT ? 10 : 19)) {
        WR_ROWS(row) WR_VEC_I128(out)[row] = (wr_i128)((wr_u128)(wr_i128)WR_ARG_I(0, row) * (wr_u128)p);
        return;
    }
    WR_ROWS(row) {
        wr_i128 r = 0;
        if (!wr_dec_mul(WR_ARG_I(0, row), p, 0, &r) || !wr_dec_fits(r, prec))
            bad_cast_range(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}
WR_KERNEL(k_dbl_int)
{
    bool is32 = out->type.id == WR_T_INT;
    WR_ROWS(row) {
        double d = rint(WR_ARG_D(0, row));
        bool fits = is32 ? d >= INT32_MIN && d <= INT32_MAX : d >= -0x1p63 && d < 0x1p63;
        if (!fits)
            bad_cast_range(ev, out, row);
        WR_VEC_I64(out)[row] = fits ? (int64_t)d : 0;
    }
}
WR_KERNEL(k_dbl_dec)
{
    WR_ROWS(row) {
        wr_i128 r = 0;
        if (!wr_dec_from_double(WR_ARG_D(0, row), out->type.prec, out->type.scale, &r))
            bad_cast_range(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}
WR_KERNEL(k_dec_int)
{
    bool is32 = out->type.id == WR_T_INT;
    WR_ROWS(row) {
        wr_i128 r = 0;
        bool fits = wr_dec_rescale(WR_ARG_N(0, row), c->arg[0].type.scale, 0, &r);
        fits = fits && (is32 ? r >= INT32_MIN && r <= INT32_MAX : r >= INT64_MIN && r <= INT64_MAX);
        if (!fits)
            bad_cast_range(ev, out, row);
        WR_VEC_I64(out)[row] = fits ? (int64_t)r : 0;
    }
}
WR_KERNEL(k_dec_dbl) { WR_ROWS(row) WR_VEC_F64(out)[row] = wr_dec_to_double(WR_ARG_N(0, row), c->arg[0].type.scale); }
WR_KERNEL(k_dec_dec)
{
    WR_ROWS(row) {
        wr_i128 r = 0;
        if (!wr_dec_rescale(WR_ARG_N(0, row), c->arg[0].type.scale, out->type.scale, &r) || !wr_dec_fits(r, out->type.prec))
            bad_cast_range(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}
WR_KERNEL(k_bool_int) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_B(0, row) != 0; }
WR_KERNEL(k_int_bool) { WR_ROWS(row) WR_VEC_I8(out)[row] = WR_ARG_I(0, row) != 0; }

/* ---- text ---- */

/* At most max characters of s. */
static struct wr_str cut_chars(struct wr_str s, uint32_t max)
{
    uint32_t at = 0, chars = 0;
    while (at < s.n) {
        if (((unsigned char)s.p[at] & 0xC0) != 0x80 && chars++ == max)
            break;
        at++;
    }
    return (struct wr_str){s.p, at};
}

WR_KERNEL(k_any_text)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    uint32_t max = out->type.id == WR_T_TEXT ? out->type.len : 0;
    WR_ROWS(row) {
        wr_buf_reset(&b);
        if (c->arg[0].type.id == WR_T_BOOL)
            wr_buf_puts(&b, WR_ARG_B(0, row) ? "true" : "false");
        else
            wr_print_vec(&b, &c->arg[0], WR_AT(0, row), WR_STYLE_SQL);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        struct wr_str s = wr_buf_get(&b);
        WR_VEC_STR(out)[row] = wr_arena_str(ev->mem, max ? cut_chars(s, max) : s);
    }
    wr_buf_clear(&b);
}
WR_KERNEL(k_text_text)
{
    uint32_t max = out->type.len;
    WR_ROWS(row) WR_VEC_STR(out)[row] = max ? cut_chars(WR_ARG_S(0, row), max) : WR_ARG_S(0, row);
}

void wr_out_value(struct wr_eval *ev, struct wr_vec *out, uint32_t row, const struct wr_value *v)
{
    if (v->null) {
        wr_out_null(ev, out, row);
        return;
    }
    switch (wr_type_phys(out->type.id)) {
    case WR_P_I8: WR_VEC_I8(out)[row] = v->as.b; break;
    case WR_P_I64: WR_VEC_I64(out)[row] = v->as.i; break;
    case WR_P_F64: WR_VEC_F64(out)[row] = v->as.d; break;
    case WR_P_I128: WR_VEC_I128(out)[row] = v->as.dec; break;
    case WR_P_STR: WR_VEC_STR(out)[row] = v->as.s; break;
    case WR_P_IVL: WR_VEC_IVL(out)[row] = v->as.iv; break;
    }
}

static void bad_text(struct wr_eval *ev, struct wr_str s, enum wr_reason why, struct wr_vec *out, uint32_t row)
{
    struct wr_arena tmp = {0};
    struct wr_str name = wr_type_name(&tmp, out->type);
    struct wr_str shown = cut_chars(s, 60);
    if (why == WR_R_RANGE)
        wr_eval_bad(ev, row, why, "value \"%.*s\" is out of range for type %.*s", WR_FMT(shown), WR_FMT(name));
    else
        wr_eval_bad(ev, row, why, "invalid input for type %.*s: \"%.*s\"", WR_FMT(name), WR_FMT(shown));
    wr_arena_clear(&tmp);
    if (wr_type_phys(out->type.id) == WR_P_STR)
        WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
}

static void parse_row(struct wr_eval *ev, struct wr_str s, struct wr_vec *out, uint32_t row)
{
    struct wr_value v = {.type = out->type};
    enum wr_reason why = WR_R_CAST;
    if (wr_parse_value(out->type, s, ev->mem, &v, &why)) {
        wr_out_value(ev, out, row, &v);
        return;
    }
    bad_text(ev, s, why, out, row);
}
WR_KERNEL(k_text_any) { WR_ROWS(row) parse_row(ev, WR_ARG_S(0, row), out, row); }

/* JSON: null is NULL, a number or a string that reads as the type is its value. */
WR_KERNEL(k_json_any)
{
    WR_ROWS(row) {
        struct wr_value v = {.type = out->type};
        enum wr_reason why = WR_R_TYPE;
        struct wr_str raw = wr_str_trim(WR_ARG_S(0, row));
        if (wr_parse_json(out->type, raw, ev->mem, &v, &why))
            wr_out_value(ev, out, row, &v);
        else
            bad_text(ev, raw, why, out, row);
    }
}

WR_KERNEL(k_any_json)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        wr_buf_reset(&b);
        wr_print_vec(&b, &c->arg[0], WR_AT(0, row), WR_STYLE_JSON);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

/* ---- dates and times ---- */

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}
WR_KERNEL(k_date_ts)
{
    WR_ROWS(row)
        if (__builtin_mul_overflow(WR_ARG_I(0, row), WR_US_DAY, &WR_VEC_I64(out)[row]))
            bad_cast_range(ev, out, row);
}
WR_KERNEL(k_ts_date) { WR_ROWS(row) WR_VEC_I64(out)[row] = floor_div(WR_ARG_I(0, row), WR_US_DAY); }
WR_KERNEL(k_ts_time)
{
    WR_ROWS(row) {
        int64_t r = WR_ARG_I(0, row) % WR_US_DAY;
        WR_VEC_I64(out)[row] = r < 0 ? r + WR_US_DAY : r;
    }
}
/* To fewer fractional digits: TIMESTAMP(3). */
WR_KERNEL(k_ts_ts)
{
    int64_t unit = 1;
    for (int i = out->type.prec; i < 6 && out->type.prec; i++)
        unit *= 10;
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row), down = floor_div(x, unit) * unit;
        WR_VEC_I64(out)[row] = x - down >= unit - (x - down) && unit > 1 ? down + unit : down;
    }
}
WR_KERNEL(k_time_ivl) { WR_ROWS(row) WR_VEC_IVL(out)[row] = (struct wr_interval){.us = WR_ARG_I(0, row)}; }
WR_KERNEL(k_ivl_time)
{
    WR_ROWS(row) {
        int64_t r = WR_ARG_V(0, row).us % WR_US_DAY;
        WR_VEC_I64(out)[row] = r < 0 ? r + WR_US_DAY : r;
    }
}

/* ---- the rest ---- */

WR_KERNEL(k_null_any) { WR_ROWS(row) wr_out_null(ev, out, row); }
WR_KERNEL(k_same) { WR_ASSERT(!"relabelling is the evaluator's"); }

#define CAST(kernel, flags) {"cast", "*:?", kernel, WR_F_HIDDEN | (flags), NULL, NULL, ""}
static const struct wr_func c_same = CAST(k_same, WR_F_RELABEL), c_null = CAST(k_null_any, WR_F_NULLS);
static const struct wr_func c_int_int = CAST(k_int_int, WR_F_LOOSE), c_int_dbl = CAST(k_int_dbl, WR_F_TOTAL), c_int_dec = CAST(k_int_dec, WR_F_LOOSE),
                            c_dbl_int = CAST(k_dbl_int, WR_F_LOOSE), c_dbl_dec = CAST(k_dbl_dec, 0), c_dec_int = CAST(k_dec_int, 0),
                            c_dec_dbl = CAST(k_dec_dbl, 0), c_dec_dec = CAST(k_dec_dec, 0), c_bool_int = CAST(k_bool_int, WR_F_TOTAL),
                            c_int_bool = CAST(k_int_bool, WR_F_TOTAL);
static const struct wr_func c_any_text = CAST(k_any_text, 0), c_text_text = CAST(k_text_text, 0), c_text_any = CAST(k_text_any, 0),
                            c_json_any = CAST(k_json_any, WR_F_MAYNULL), c_any_json = CAST(k_any_json, 0);
static const struct wr_func c_date_ts = CAST(k_date_ts, WR_F_LOOSE), c_ts_date = CAST(k_ts_date, WR_F_TOTAL), c_ts_time = CAST(k_ts_time, WR_F_TOTAL),
                            c_ts_ts = CAST(k_ts_ts, 0), c_time_ivl = CAST(k_time_ivl, WR_F_TOTAL), c_ivl_time = CAST(k_ivl_time, WR_F_TOTAL);

/* What leads from one type to another besides text, which all types know. */
static const struct { uint8_t from, to; const struct wr_func *fn; } casts[] = {
    {WR_T_INT, WR_T_BIGINT, &c_same},       {WR_T_INT, WR_T_DOUBLE, &c_int_dbl},     {WR_T_INT, WR_T_DECIMAL, &c_int_dec},
    {WR_T_INT, WR_T_BOOL, &c_int_bool},     {WR_T_BIGINT, WR_T_INT, &c_int_int},     {WR_T_BIGINT, WR_T_DOUBLE, &c_int_dbl},
    {WR_T_BIGINT, WR_T_DECIMAL, &c_int_dec},{WR_T_BIGINT, WR_T_BOOL, &c_int_bool},   {WR_T_DOUBLE, WR_T_INT, &c_dbl_int},
    {WR_T_DOUBLE, WR_T_BIGINT, &c_dbl_int}, {WR_T_DOUBLE, WR_T_DECIMAL, &c_dbl_dec}, {WR_T_DECIMAL, WR_T_INT, &c_dec_int},
    {WR_T_DECIMAL, WR_T_BIGINT, &c_dec_int},{WR_T_DECIMAL, WR_T_DOUBLE, &c_dec_dbl}, {WR_T_DECIMAL, WR_T_DECIMAL, &c_dec_dec},
    {WR_T_BOOL, WR_T_INT, &c_bool_int},     {WR_T_BOOL, WR_T_BIGINT, &c_bool_int},   {WR_T_TEXT, WR_T_TEXT, &c_text_text},
    {WR_T_JSON, WR_T_TEXT, &c_text_text},   {WR_T_DATE, WR_T_TIMESTAMP, &c_date_ts}, {WR_T_DATE, WR_T_TIMESTAMPTZ, &c_date_ts},
    {WR_T_TIMESTAMP, WR_T_TIMESTAMPTZ, &c_same}, {WR_T_TIMESTAMPTZ, WR_T_TIMESTAMP, &c_same},
    {WR_T_TIMESTAMP, WR_T_TIMESTAMP, &c_ts_ts},  {WR_T_TIMESTAMPTZ, WR_T_TIMESTAMPTZ, &c_ts_ts},
    {WR_T_TIMESTAMP, WR_T_DATE, &c_ts_date}, {WR_T_TIMESTAMPTZ, WR_T_DATE, &c_ts_date},
    {WR_T_TIMESTAMP, WR_T_TIME, &c_ts_time}, {WR_T_TIMESTAMPTZ, WR_T_TIME, &c_ts_time},
    {WR_T_TIME, WR_T_INTERVAL, &c_time_ivl}, {WR_T_INTERVAL, WR_T_TIME, &c_ivl_time},
};

/* Arrays and rows: if their members convert. */
static bool members_convert(struct wr_type from, struct wr_type to)
{
    if (!from.sub || !to.sub || from.sub->n != to.sub->n)
        return false;
    for (int i = 0; i < from.sub->n; i++)
        if (!wr_func_cast(from.sub->field[i].type, to.sub->field[i].type))
            return false;
    return true;
}

const struct wr_func *wr_func_cast(struct wr_type from, struct wr_type to)
{
    if (from.id == WR_T_NULL)
        return &c_null;
    for (size_t i = 0; i < sizeof(casts) / sizeof(casts[0]); i++)
        if (casts[i].from == from.id && casts[i].to == to.id)
            return casts[i].fn;
    if (from.id == to.id && to.id != WR_T_ARRAY && to.id != WR_T_ROW)
        return &c_same;
    if (to.id == WR_T_NULL)
        return NULL;
    if (to.id == WR_T_TEXT)
        return &c_any_text;
    if (from.id == WR_T_TEXT)
        return &c_text_any;
    if (from.id == WR_T_JSON && to.id != WR_T_BYTES)
        return &c_json_any;
    if (to.id == WR_T_JSON && (from.id == WR_T_ARRAY || from.id == WR_T_ROW))
        return &c_any_json;
    if (from.id == to.id)
        return wr_type_eq(from, to) ? &c_same : members_convert(from, to) ? &wr_func_nested_cast : NULL;
    return NULL;
}

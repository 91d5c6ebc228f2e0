/* bind_lit.c: literals, type names, durations.
 * Rules:  digits are INTEGER if they fit, else BIGINT, else DECIMAL; with a point DECIMAL with just these digits; with an exponent DOUBLE.
 *         Typed literals are read as CAST reads text, at plan time, so that a wrong one is an error with its place. */
#include "planner/bind.h"
#include "core/decimal.h"
#include "core/time.h"

#include <stdlib.h>
#include <errno.h>

static wr_status constant(struct binder *b, struct wr_value v, int32_t off, struct wr_expr **out)
{
    *out = wr_expr_const(b->a, v, off);
    return WR_OK;
}

static wr_status from_text(struct binder *b, struct wr_type type, struct wr_str text, int32_t off, struct wr_expr **out)
{
    struct wr_value v;
    enum wr_reason why;
    if (!wr_parse_value(type, text, b->a, &v, &why)) {
        struct wr_str name = wr_type_name(b->a, type);
        return wr_fail_at(b->err, WR_ESQL, off, why == WR_R_RANGE ? "value \"%.*s\" is out of range for type %.*s" : "\"%.*s\" is not a %.*s",
                          WR_FMT(text), WR_FMT(name));
    }
    if (wr_type_phys(type.id) == WR_P_STR)
        v.as.s = wr_arena_str(b->a, v.as.s);
    v.type = type;
    return constant(b, v, off, out);
}

static wr_status hex_int(struct binder *b, struct wr_str text, bool minus, int32_t off, struct wr_expr **out)
{
    uint64_t v = 0;
    for (uint32_t i = 2; i < text.n; i++) {
        char c = text.p[i];
        if (c == '_')
            continue;
        int digit = c <= '9' ? c - '0' : (c | 32) - 'a' + 10;
        if (v >> 59)
            return wr_fail_at(b->err, WR_ESQL, off, "number \"%.*s\" is out of range", WR_FMT(text));
        v = v * 16 + (uint64_t)digit;
    }
    int64_t i = minus ? -(int64_t)v : (int64_t)v;
    struct wr_type type = i >= INT32_MIN && i <= INT32_MAX ? WR_TYPE_OF(INT) : WR_TYPE_OF(BIGINT);
    return constant(b, (struct wr_value){.type = type, .as.i = i}, off, out);
}

static wr_status whole(struct binder *b, struct wr_str text, bool minus, int32_t off, struct wr_expr **out)
{
    if (text.n > 2 && (text.p[1] == 'x' || text.p[1] == 'X'))
        return hex_int(b, text, minus, off, out);
    struct wr_str s = wr_arena_printf(b->a, "%s%.*s", minus ? "-" : "", WR_FMT(text));
    uint32_t digits = text.n;
    for (uint32_t i = 0; i < text.n && text.p[i] == '0'; i++)
        digits--;
    if (digits <= 19) {
        struct wr_value v;
        enum wr_reason why;
        if (wr_parse_value(WR_TYPE_OF(INT), s, b->a, &v, &why) || wr_parse_value(WR_TYPE_OF(BIGINT), s, b->a, &v, &why))
            return constant(b, v, off, out);
    }
    if (digits > 38)
        return wr_fail_at(b->err, WR_ESQL, off, "number has %u digits: DECIMAL holds 38", digits);
    return from_text(b, wr_type_decimal((int)(digits ? digits : 1), 0), s, off, out);
}

static wr_status with_point(struct binder *b, struct wr_str text, bool minus, int32_t off, struct wr_expr **out)
{
    struct wr_str s = wr_arena_printf(b->a, "%s%.*s", minus ? "-" : "", WR_FMT(text));
    if (memchr(text.p, 'e', text.n) || memchr(text.p, 'E', text.n))
        return from_text(b, WR_TYPE_OF(DOUBLE), s, off, out);
    uint32_t before = 0, behind = 0;
    bool point = false, lead = true;
    for (uint32_t i = 0; i < text.n; i++) {
        char c = text.p[i];
        if (c == '.') {
            point = true;
        } else if (c >= '0' && c <= '9') {
            lead &= c == '0' && !point;
            if (point)
                behind++;
            else if (!lead)
                before++;
        }
    }
    if (before + behind > 38)
        return wr_fail_at(b->err, WR_ESQL, off, "number has %u digits: DECIMAL holds 38", before + behind);
    int prec = (int)(before + behind);
    return from_text(b, wr_type_decimal(prec ? prec : 1, (int)behind), s, off, out);
}

/* '1' MINUTE, '1:30' MINUTE TO SECOND, '2 10' DAY TO HOUR ... as text that wr_interval_parse reads. */
static struct wr_str interval_text(struct binder *b, const struct wr_ast_expr *e)
{
    struct wr_str t = wr_str_trim(e->text);
    bool colon = t.n && memchr(t.p, ':', t.n);
    if (e->unit.n == 0)
        return t;
    if (e->unit_to.n == 0) {
        bool bare = true;
        for (uint32_t i = 0; i < t.n; i++)
            bare &= (t.p[i] >= '0' && t.p[i] <= '9') || t.p[i] == '.' || t.p[i] == '-' || t.p[i] == '+';
        return bare ? wr_arena_printf(b->a, "%.*s %.*s", WR_FMT(t), WR_FMT(e->unit)) : t;
    }
    if (wr_str_eq_c(e->unit, "YEAR")) {
        const char *dash = t.n > 1 ? memchr(t.p + 1, '-', t.n - 1) : NULL;
        if (dash)
            return wr_arena_printf(b->a, "%.*s year %s%.*s month", (int)(dash - t.p), t.p, t.p[0] == '-' ? "-" : "",
                                   (int)(t.p + t.n - dash - 1), dash + 1);
    }
    if (wr_str_eq_c(e->unit, "MINUTE") && colon) {
        bool minus = t.p[0] == '-';
        return wr_arena_printf(b->a, "%s00:%.*s", minus ? "-" : "", (int)(t.n - minus), t.p + minus);
    }
    if (wr_str_eq_c(e->unit, "DAY") && !colon)
        return wr_arena_printf(b->a, "%.*s hour", WR_FMT(t)); /* '2 10' -> 2 days 10 hours: the first number alone counts days */
    return t;
}

wr_status wr_bind_interval(struct binder *b, const struct wr_ast_expr *e, struct wr_interval *iv)
{
    struct wr_str text = e->text;
    if (e->kind == WR_E_INTERVAL) {
        text = interval_text(b, e);
        if (wr_str_eq_c(e->unit, "DAY") && wr_str_eq_c(e->unit_to, "HOUR")) {
            const char *blank = e->text.n ? memchr(e->text.p, ' ', e->text.n) : NULL;
            if (blank)
                text = wr_arena_printf(b->a, "%.*s day %.*s hour", (int)(blank - e->text.p), e->text.p,
                                       (int)(e->text.p + e->text.n - blank - 1), blank + 1);
        }
    }
    if (wr_interval_parse(text, iv))
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, e->off, "\"%.*s\" is not an interval", WR_FMT(e->text));
    wr_hint(b->err, "write '90 s', '1 min', '1 minute 30 seconds' or INTERVAL '1' MINUTE");
    return WR_ESQL;
}

wr_status wr_bind_duration(struct binder *b, const struct wr_ast_expr *e, const char *what, int least, int64_t *us)
{
    if (e->kind != WR_E_STRING && e->kind != WR_E_INTERVAL) {
        wr_fail_at(b->err, WR_ESQL, e->off, "%s must be a duration written out", what);
        wr_hint(b->err, "write '1 min' or INTERVAL '1' MINUTE");
        return WR_ESQL;
    }
    struct wr_interval iv;
    WR_TRY(wr_bind_interval(b, e, &iv));
    if (iv.months) {
        wr_fail_at(b->err, WR_ESQL, e->off, "%s cannot be counted in months or years, which differ in length", what);
        wr_hint(b->err, "write it in days");
        return WR_ESQL;
    }
    bool over = __builtin_mul_overflow((int64_t)iv.days, WR_US_DAY, us) || __builtin_add_overflow(*us, iv.us, us);
    if (over || *us > 400 * 366 * WR_US_DAY)
        return wr_fail_at(b->err, WR_ESQL, e->off, "%s is too long: \"%.*s\"", what, WR_FMT(e->text));
    if (least >= 0 && (*us < 0 || (*us == 0 && least > 0)))
        return wr_fail_at(b->err, WR_ESQL, e->off, "%s must be %s, not \"%.*s\"", what, least ? "more than zero" : "zero or more", WR_FMT(e->text));
    return WR_OK;
}

wr_status wr_bind_count(struct binder *b, const struct wr_ast_expr *e, const char *what, int64_t *n)
{
    if (e->kind == WR_E_INT && e->text.n < 19) {
        char text[24];
        memcpy(text, e->text.p, e->text.n);
        text[e->text.n] = 0;
        char *end;
        *n = strtoll(text, &end, 0);
        if (*end == 0)
            return WR_OK;
    }
    wr_fail_at(b->err, WR_ESQL, e->off, "%s must be a whole number written out", what);
    return WR_ESQL;
}

/* ---- types ---- */

/* result: what PostgreSQL calls the column of a constant cast to it. */
static const struct { const char *name; enum wr_tid id; int params; const char *result; } names[] = {
    {"BOOLEAN", WR_T_BOOL, 0, "bool"}, {"BOOL", WR_T_BOOL, 0, "bool"},
    {"INTEGER", WR_T_INT, 0, "int4"}, {"INT", WR_T_INT, 0, "int4"}, {"INT4", WR_T_INT, 0, "int4"}, {"SMALLINT", WR_T_INT, 0, "int2"},
    {"INT2", WR_T_INT, 0, "int2"}, {"TINYINT", WR_T_INT, 0, "int2"},
    {"BIGINT", WR_T_BIGINT, 0, "int8"}, {"INT8", WR_T_BIGINT, 0, "int8"}, {"LONG", WR_T_BIGINT, 0, "int8"},
    {"DOUBLE", WR_T_DOUBLE, 0, "float8"}, {"DOUBLE PRECISION", WR_T_DOUBLE, 0, "float8"}, {"FLOAT", WR_T_DOUBLE, 1, "float8"},
    {"FLOAT8", WR_T_DOUBLE, 0, "float8"}, {"REAL", WR_T_DOUBLE, 0, "float4"}, {"FLOAT4", WR_T_DOUBLE, 0, "float4"},
    {"DECIMAL", WR_T_DECIMAL, 2, "numeric"}, {"NUMERIC", WR_T_DECIMAL, 2, "numeric"}, {"DEC", WR_T_DECIMAL, 2, "numeric"},
    {"TEXT", WR_T_TEXT, 0, "text"}, {"STRING", WR_T_TEXT, 0, "text"}, {"VARCHAR", WR_T_TEXT, 1, "varchar"},
    {"CHARACTER VARYING", WR_T_TEXT, 1, "varchar"}, {"CHAR", WR_T_TEXT, 1, "bpchar"}, {"CHARACTER", WR_T_TEXT, 1, "bpchar"},
    {"UUID", WR_T_TEXT, 0, "uuid"}, {"BYTES", WR_T_BYTES, 0, "bytea"}, {"BYTEA", WR_T_BYTES, 0, "bytea"}, {"VARBINARY", WR_T_BYTES, 1, "bytea"},
    {"BINARY", WR_T_BYTES, 1, "bytea"}, {"BLOB", WR_T_BYTES, 0, "bytea"},
    {"JSON", WR_T_JSON, 0, "json"}, {"JSONB", WR_T_JSON, 0, "jsonb"},
    {"DATE", WR_T_DATE, 0, "date"}, {"TIME", WR_T_TIME, 1, "time"},
    {"TIMESTAMP", WR_T_TIMESTAMP, 1, "timestamp"}, {"DATETIME", WR_T_TIMESTAMP, 1, "timestamp"},
    {"TIMESTAMPTZ", WR_T_TIMESTAMPTZ, 1, "timestamptz"}, {"TIMESTAMP_LTZ", WR_T_TIMESTAMPTZ, 1, "timestamptz"},
    {"INTERVAL", WR_T_INTERVAL, 0, "interval"},
};
enum { N_NAMES = sizeof(names) / sizeof(names[0]) };

static wr_status decimal_type(struct binder *b, const struct wr_ast_type *t, struct wr_type *out)
{
    int64_t prec = t->n_param > 0 ? t->param[0] : 38, scale = t->n_param > 1 ? t->param[1] : 0;
    if (t->n_param == 0)
        scale = 9; /* DECIMAL alone: room on both sides of the point */
    if (prec < 1 || prec > 38 || scale < 0 || scale > prec) {
        wr_fail_at(b->err, WR_ESQL, t->off, "DECIMAL(%lld,%lld) does not exist", (long long)prec, (long long)scale);
        wr_hint(b->err, "DECIMAL(p,s) has 1 to 38 digits p, of which s, 0 to p, are behind the point");
        return WR_ESQL;
    }
    *out = wr_type_decimal((int)prec, (int)scale);
    return WR_OK;
}

static wr_status nested_type(struct binder *b, const struct wr_ast_type *t, struct wr_type *out)
{
    int n = t->elem ? 1 : 0, i = 0;
    for (const struct wr_ast_field *f = t->field; f; f = f->next)
        n++;
    if (n == 0)
        return wr_fail_at(b->err, WR_ESQL, t->off, "type %.*s needs its members", WR_FMT(t->name));
    if (wr_str_eq_c(t->name, "MAP"))
        return wr_bind_refuse(b, t->off, "type MAP", "JSON holds such objects: read members with ->> 'name', or FROM ..., json_each(column)");
    struct wr_schema *s = wr_schema_new(b->a, n);
    if (t->elem) {
        WR_TRY(wr_bind_type(b, t->elem, &s->field[0].type));
        s->field[0].nullable = true;
        *out = WR_TYPE_OF(ARRAY);
    } else {
        for (const struct wr_ast_field *f = t->field; f; f = f->next, i++) {
            s->field[i] = (struct wr_field){.name = wr_arena_str(b->a, f->name.text), .nullable = true};
            WR_TRY(wr_bind_type(b, f->type, &s->field[i].type));
        }
        *out = WR_TYPE_OF(ROW);
    }
    out->sub = s;
    return WR_OK;
}

static wr_status no_type(struct binder *b, const struct wr_ast_type *t)
{
    struct wr_str cand[N_NAMES];
    for (int i = 0; i < N_NAMES; i++)
        cand[i] = wr_str_c(names[i].name);
    struct wr_str near = wr_str_nearest(t->name, cand, N_NAMES);
    wr_fail_at(b->err, WR_ESQL, t->off, "there is no type \"%.*s\"", WR_FMT(t->name));
    if (near.n)
        wr_hint(b->err, "did you mean %.*s?", WR_FMT(near));
    else
        wr_hint(b->err, "there is INTEGER, BIGINT, DOUBLE, DECIMAL(p,s), TEXT, BOOLEAN, TIMESTAMP, TIMESTAMPTZ, DATE, TIME, INTERVAL, BYTES, JSON, ARRAY<T>, ROW<..>");
    return WR_ESQL;
}

struct wr_str wr_type_result_name(const struct wr_ast_type *t)
{
    if (t->elem)
        return wr_type_result_name(t->elem);
    for (int i = 0; i < N_NAMES && !t->field; i++)
        if (wr_str_ieq_c(t->name, names[i].name))
            return t->with_zone && names[i].id == WR_T_TIMESTAMP ? WR_STR("timestamptz") : wr_str_c(names[i].result);
    return WR_STR("row");
}

wr_status wr_bind_type(struct binder *b, const struct wr_ast_type *t, struct wr_type *out)
{
    if (t->elem || t->field)
        return nested_type(b, t, out);
    int i = 0;
    while (i < N_NAMES && !wr_str_ieq_c(t->name, names[i].name))
        i++;
    if (i == N_NAMES)
        return no_type(b, t);
    if (t->n_param > names[i].params)
        return wr_fail_at(b->err, WR_ESQL, t->off, "type %.*s takes %s", WR_FMT(t->name), names[i].params ? "one parameter" : "no parameters");
    *out = (struct wr_type){.id = (uint8_t)names[i].id};
    if (names[i].id == WR_T_DECIMAL)
        return decimal_type(b, t, out);
    if (names[i].id == WR_T_TIMESTAMP && t->with_zone)
        out->id = WR_T_TIMESTAMPTZ;
    else if (names[i].id == WR_T_TIME && t->with_zone)
        return wr_bind_refuse(b, t->off, "TIME WITH TIME ZONE", "use TIME or TIMESTAMPTZ");
    if (t->n_param == 0)
        return WR_OK;
    if (names[i].id == WR_T_TEXT) {
        if (t->param[0] < 1 || t->param[0] > INT32_MAX)
            return wr_fail_at(b->err, WR_ESQL, t->off, "a length is at least 1");
        out->len = (uint32_t)t->param[0];
    } else if (wr_type_is_time(*out)) {
        if (t->param[0] < 0 || t->param[0] > 9)
            return wr_fail_at(b->err, WR_ESQL, t->off, "a TIMESTAMP has 0 to 9 fractional digits");
        out->prec = (uint8_t)t->param[0];
    }
    return WR_OK;
}

wr_status wr_bind_literal(struct binder *b, const struct wr_ast_expr *e, bool minus, struct wr_expr **out)
{
    struct wr_value v = {0};
    if (e->kind == WR_E_NULL)
        return constant(b, (struct wr_value){.type = WR_TYPE_OF(NULL), .null = true}, e->off, out);
    if (e->kind == WR_E_TRUE || e->kind == WR_E_FALSE)
        return constant(b, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = e->kind == WR_E_TRUE}, e->off, out);
    if (e->kind == WR_E_INT)
        return whole(b, e->text, minus, e->off, out);
    if (e->kind == WR_E_NUM)
        return with_point(b, e->text, minus, e->off, out);
    if (e->kind == WR_E_STRING) {
        if (!wr_utf8_valid(e->text))
            return wr_fail_at(b->err, WR_ESQL, e->off, "text is not valid UTF-8");
        return constant(b, (struct wr_value){.type = WR_TYPE_OF(TEXT), .as.s = wr_arena_str(b->a, e->text)}, e->off, out);
    }
    if (e->kind == WR_E_BYTES)
        return constant(b, (struct wr_value){.type = WR_TYPE_OF(BYTES), .as.s = wr_arena_str(b->a, e->text)}, e->off, out);
    if (e->kind == WR_E_INTERVAL) {
        v.type = WR_TYPE_OF(INTERVAL);
        WR_TRY(wr_bind_interval(b, e, &v.as.iv));
        return constant(b, v, e->off, out);
    }
    WR_ASSERT(e->kind == WR_E_TYPED);
    struct wr_type type;
    WR_TRY(wr_bind_type(b, e->type, &type));
    return from_text(b, type, e->text, e->off, out);
}

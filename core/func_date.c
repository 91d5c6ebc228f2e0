/* func_date.c: fields of dates and times, truncation, zones, calendar differences.
 * Rules:  PostgreSQL's: weeks begin on Monday and are ISO's, dow counts Sunday as 0, centuries begin with the year 1.
 *         extract gives BIGINT for whole fields and DECIMAL for second, milliseconds and epoch; date_part always DOUBLE.
 *         A unit or zone that is constant is looked up once, at bind; a wrong one is then an error of the statement.
 * Memory: what bind prepares lives in the plan's arena. */
#include "core/decimal.h"
#include "core/divide.h"
#include "core/kernel.h"
#include "core/time.h"
#include "core/zone.h"

enum unit {
    U_US, U_MS, U_SECOND, U_MINUTE, U_HOUR, U_DAY, U_WEEK, U_MONTH, U_QUARTER, U_YEAR, U_DECADE, U_CENTURY, U_MILLENNIUM,
    U_EPOCH, U_DOW, U_ISODOW, U_DOY, U_ISOYEAR, U_ZONE, U_ZONE_HOUR, U_ZONE_MINUTE, /* only extract knows these */
    U_COUNT
};

static const struct { const char *name; enum unit unit; } units[] = {
    {"microseconds", U_US}, {"microsecond", U_US}, {"usec", U_US}, {"us", U_US}, {"milliseconds", U_MS}, {"millisecond", U_MS}, {"msec", U_MS},
    {"ms", U_MS}, {"second", U_SECOND}, {"seconds", U_SECOND}, {"sec", U_SECOND}, {"secs", U_SECOND}, {"s", U_SECOND}, {"minute", U_MINUTE},
    {"minutes", U_MINUTE}, {"min", U_MINUTE}, {"mins", U_MINUTE}, {"m", U_MINUTE}, {"hour", U_HOUR}, {"hours", U_HOUR}, {"hr", U_HOUR},
    {"h", U_HOUR}, {"day", U_DAY}, {"days", U_DAY}, {"d", U_DAY}, {"week", U_WEEK}, {"weeks", U_WEEK}, {"w", U_WEEK}, {"month", U_MONTH},
    {"months", U_MONTH}, {"mon", U_MONTH}, {"mons", U_MONTH}, {"quarter", U_QUARTER}, {"quarters", U_QUARTER}, {"qtr", U_QUARTER}, {"year", U_YEAR},
    {"years", U_YEAR}, {"yr", U_YEAR}, {"y", U_YEAR}, {"decade", U_DECADE}, {"decades", U_DECADE}, {"dec", U_DECADE}, {"century", U_CENTURY},
    {"centuries", U_CENTURY}, {"cent", U_CENTURY}, {"c", U_CENTURY}, {"millennium", U_MILLENNIUM}, {"millennia", U_MILLENNIUM},
    {"mil", U_MILLENNIUM}, {"epoch", U_EPOCH}, {"dow", U_DOW}, {"isodow", U_ISODOW}, {"doy", U_DOY}, {"isoyear", U_ISOYEAR},
    {"timezone", U_ZONE}, {"timezone_hour", U_ZONE_HOUR}, {"timezone_minute", U_ZONE_MINUTE},
};
enum { N_UNIT = sizeof(units) / sizeof(units[0]) };

static enum unit unit_of(struct wr_str s)
{
    for (int i = 0; i < N_UNIT; i++)
        if (wr_str_ieq_c(s, units[i].name))
            return units[i].unit;
    return U_COUNT;
}

static wr_status unit_unknown(struct wr_str s, int32_t off, struct wr_error *err)
{
    struct wr_str cand[N_UNIT];
    for (int i = 0; i < N_UNIT; i++)
        cand[i] = wr_str_c(units[i].name);
    wr_fail_at(err, WR_ESQL, off, "unit \"%.*s\" not recognized", WR_FMT(s));
    struct wr_str near = wr_str_nearest(s, cand, N_UNIT);
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "units are second, minute, hour, day, week, month, quarter, year ...");
    return WR_ESQL;
}

/* What bind prepared; U_COUNT and NULL: to be looked up row by row. */
struct prepared {
    enum unit unit;
    const struct wr_zone *zone;
};

static wr_status bind_unit(struct wr_arena *a, struct wr_expr *const *arg, int n, enum unit most, const void **data, struct wr_error *err)
{
    struct prepared *p = WR_NEW(a, struct prepared);
    struct wr_str s;
    p->unit = U_COUNT;
    if (wr_arg_text(arg[0], &s)) {
        p->unit = unit_of(s);
        if (p->unit == U_COUNT)
            return unit_unknown(s, arg[0]->off, err);
        if (p->unit > most)
            return wr_fail_at(err, WR_ESQL, arg[0]->off, "unit \"%.*s\" is not supported here", WR_FMT(s));
    }
    if (n == 3 && wr_arg_text(arg[2], &s)) {
        p->zone = wr_zone_find(s);
        if (!p->zone)
            return wr_fail_at(err, WR_ESQL, arg[2]->off, "time zone \"%.*s\" not recognized", WR_FMT(s));
    }
    *data = p;
    return WR_OK;
}
static wr_status bind_trunc(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err)
{
    return bind_unit(a, arg, n, U_MILLENNIUM, data, err);
}
static wr_status bind_span(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, const void **data,
                           struct wr_error *err)
{
    return bind_unit(a, arg, 1, U_MILLENNIUM, data, err);
}
static wr_status bind_field(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err)
{
    return bind_unit(a, arg, n, U_COUNT, data, err);
}

/* The row's unit; U_COUNT (and the row bad) if there is none such. */
static enum unit row_unit(struct wr_eval *ev, const struct wr_call *c, enum unit most, uint32_t row)
{
    const struct prepared *p = c->data;
    if (p->unit != U_COUNT)
        return p->unit;
    enum unit u = unit_of(WR_ARG_S(0, row));
    if (u == U_COUNT || u > most) {
        wr_eval_bad(ev, row, WR_R_ARGUMENT, "unit \"%.*s\" not recognized", WR_FMT(WR_ARG_S(0, row)));
        return U_COUNT;
    }
    return u;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}

/* ---- date_trunc ---- */

/* Units of one length: that length, and where one of them begins. 0: not of one length. */
static int64_t unit_length(enum unit u, int64_t *offset)
{
    static const int64_t length[U_COUNT] = {
        [U_US] = 1, [U_MS] = 1000, [U_SECOND] = WR_US_SEC, [U_MINUTE] = WR_US_MIN, [U_HOUR] = WR_US_HOUR, [U_DAY] = WR_US_DAY, [U_WEEK] = 7 * WR_US_DAY,
    };
    *offset = u == U_WEEK ? -3 * WR_US_DAY : 0; /* 1970-01-01 was a Thursday */
    return length[u];
}

static int64_t trunc_calendar(enum unit u, int64_t us)
{
    struct wr_civil c;
    wr_civil_from_us(us, &c);
    int y = c.year, m = 1;
    switch (u) {
    case U_MONTH: m = c.month; break;
    case U_QUARTER: m = (c.month - 1) / 3 * 3 + 1; break;
    case U_DECADE: y = y / 10 * 10; break;
    case U_CENTURY: y = (y - 1) / 100 * 100 + 1; break;
    case U_MILLENNIUM: y = (y - 1) / 1000 * 1000 + 1; break;
    case U_YEAR: case U_US: case U_MS: case U_SECOND: case U_MINUTE: case U_HOUR: case U_DAY: case U_WEEK: case U_EPOCH: case U_DOW: case U_ISODOW:
    case U_DOY: case U_ISOYEAR: case U_ZONE: case U_ZONE_HOUR: case U_ZONE_MINUTE: case U_COUNT: break;
    }
    return wr_days_from_civil(y, m, 1) * WR_US_DAY;
}

static int64_t trunc_ts(enum unit u, int64_t us)
{
    int64_t offset, length = unit_length(u, &offset);
    return length ? wr_window_start(us, length, offset) : trunc_calendar(u, us);
}

static void trunc_length(int64_t length, int64_t offset, const struct wr_vec *v, int64_t *res, const uint32_t *sel, uint32_t n)
{
    const struct wr_divisor by = wr_divisor_of(length);
    const int64_t *us = WR_VEC_I64(v);
    if (sel || v->constant) {
        WR_ROWS(row) res[row] = wr_divide_down(us[wr_vec_at(v, row)] - offset, &by) + offset;
    } else {
        for (uint32_t row = 0; row < n; row++)
            res[row] = wr_divide_down(us[row] - offset, &by) + offset;
    }
}

/* Units of months: rows of the same day have the same result, and rows come mostly in the order of time. */
static void trunc_months(enum unit u, const struct wr_vec *v, int64_t *res, const uint32_t *sel, uint32_t n)
{
    const struct wr_divisor day = wr_divisor_of(WR_US_DAY);
    int64_t today = INT64_MAX, start = 0; /* no day begins there */
    WR_ROWS(row) {
        int64_t us = WR_VEC_I64(v)[wr_vec_at(v, row)], begins = wr_divide_down(us, &day);
        if (begins != today) {
            start = trunc_calendar(u, us);
            today = begins;
        }
        res[row] = start;
    }
}

WR_KERNEL(k_trunc_ts)
{
    const struct prepared *p = c->data;
    int64_t offset = 0, length = p->unit == U_COUNT ? 0 : unit_length(p->unit, &offset);
    if (length) {
        trunc_length(length, offset, &c->arg[1], WR_VEC_I64(out), sel, n);
        return;
    }
    if (p->unit != U_COUNT) {
        trunc_months(p->unit, &c->arg[1], WR_VEC_I64(out), sel, n);
        return;
    }
    WR_ROWS(row) {
        enum unit u = row_unit(ev, c, U_MILLENNIUM, row);
        WR_VEC_I64(out)[row] = u == U_COUNT ? 0 : trunc_ts(u, WR_ARG_I(1, row));
    }
}

static const struct wr_zone *row_zone(struct wr_eval *ev, const struct wr_zone *known, struct wr_str name, uint32_t row)
{
    const struct wr_zone *z = known ? known : wr_zone_find(name);
    if (!z)
        wr_eval_bad(ev, row, WR_R_ARGUMENT, "time zone \"%.*s\" not recognized", WR_FMT(name));
    return z;
}

WR_KERNEL(k_trunc_zone)
{
    const struct prepared *p = c->data;
    WR_ROWS(row) {
        enum unit u = row_unit(ev, c, U_MILLENNIUM, row);
        const struct wr_zone *z = row_zone(ev, p->zone, WR_ARG_S(2, row), row);
        int64_t us = WR_ARG_I(1, row);
        WR_VEC_I64(out)[row] = 0;
        if (u == U_COUNT || !z)
            continue;
        int64_t off = wr_zone_offset(z, us) * WR_US_SEC, local = trunc_ts(u, us + off);
        /* below a day the clock's own hour is kept, also where it comes twice */
        WR_VEC_I64(out)[row] = u <= U_HOUR ? local - off : wr_zone_to_utc(z, local);
    }
}

static struct wr_interval trunc_interval(enum unit u, struct wr_interval iv)
{
    int64_t offset, length = unit_length(u, &offset);
    if (u < U_DAY) {
        iv.us -= iv.us % length;
        return iv;
    }
    int32_t months = 1;
    iv.us = 0;
    if (u == U_DAY)
        return iv;
    iv.days = 0;
    if (u == U_QUARTER)
        months = 3;
    else if (u != U_MONTH)
        months = u == U_YEAR ? 12 : u == U_DECADE ? 120 : u == U_CENTURY ? 1200 : 12000;
    iv.months -= iv.months % months;
    return iv;
}
WR_KERNEL(k_trunc_ivl)
{
    WR_ROWS(row) {
        enum unit u = row_unit(ev, c, U_MILLENNIUM, row);
        if (u == U_WEEK)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "unit \"week\" is not supported for intervals");
        WR_VEC_IVL(out)[row] = u == U_COUNT || u == U_WEEK ? (struct wr_interval){0} : trunc_interval(u, WR_ARG_V(1, row));
    }
}

/* ---- fields ---- */

static int64_t iso_weekday(int64_t days) { return days + 3 - floor_div(days + 3, 7) * 7 + 1; } /* 1 Monday .. 7 Sunday */

/* ISO week and the year it belongs to: that of its Thursday. */
static void iso_week(int64_t days, int64_t *year, int64_t *week)
{
    struct wr_civil c;
    int64_t thursday = days - iso_weekday(days) + 4;
    wr_civil_from_us(thursday * WR_US_DAY, &c);
    *year = c.year;
    *week = (thursday - wr_days_from_civil(c.year, 1, 1)) / 7 + 1;
}

/* Digits behind the point of a field. */
static int field_scale(enum unit u)
{
    return u == U_SECOND || u == U_EPOCH ? 6 : u == U_MS ? 3 : 0;
}

/* The field, times 10^field_scale. */
static int64_t field_ts(enum unit u, int64_t us)
{
    struct wr_civil c;
    int64_t days = floor_div(us, WR_US_DAY), in_minute = us - floor_div(us, WR_US_MIN) * WR_US_MIN, year, week;
    switch (u) {
    case U_EPOCH: return us;
    case U_US: case U_MS: case U_SECOND: return in_minute;
    case U_MINUTE: return floor_div(us, WR_US_MIN) - floor_div(us, WR_US_HOUR) * 60;
    case U_HOUR: return floor_div(us, WR_US_HOUR) - days * 24;
    case U_DOW: return iso_weekday(days) % 7;
    case U_ISODOW: return iso_weekday(days);
    case U_WEEK: case U_ISOYEAR: iso_week(days, &year, &week); return u == U_WEEK ? week : year;
    case U_ZONE: case U_ZONE_HOUR: case U_ZONE_MINUTE: case U_COUNT: return 0;
    case U_DAY: case U_MONTH: case U_QUARTER: case U_YEAR: case U_DECADE: case U_CENTURY: case U_MILLENNIUM: case U_DOY: break;
    }
    wr_civil_from_us(us, &c);
    switch (u) {
    case U_DAY: return c.day;
    case U_MONTH: return c.month;
    case U_QUARTER: return (c.month - 1) / 3 + 1;
    case U_YEAR: return c.year;
    case U_DECADE: return c.year / 10;
    case U_CENTURY: return (c.year - 1) / 100 + 1;
    case U_MILLENNIUM: return (c.year - 1) / 1000 + 1;
    case U_DOY: return days - wr_days_from_civil(c.year, 1, 1) + 1;
    case U_EPOCH: case U_US: case U_MS: case U_SECOND: case U_MINUTE: case U_HOUR: case U_DOW: case U_ISODOW: case U_WEEK: case U_ISOYEAR:
    case U_ZONE: case U_ZONE_HOUR: case U_ZONE_MINUTE: case U_COUNT: break;
    }
    return 0;
}

/* false: an interval has no such field. */
static bool field_ivl(enum unit u, struct wr_interval iv, int64_t *v)
{
    int64_t years = iv.months / 12, months = iv.months % 12;
    switch (u) {
    case U_US: case U_MS: case U_SECOND: *v = iv.us % WR_US_MIN; return true;
    case U_MINUTE: *v = iv.us / WR_US_MIN % 60; return true;
    case U_HOUR: *v = iv.us / WR_US_HOUR; return true;
    case U_DAY: *v = iv.days; return true;
    case U_MONTH: *v = months; return true;
    case U_QUARTER: *v = months / 3 + 1; return true;
    case U_YEAR: *v = years; return true;
    case U_DECADE: *v = years / 10; return true;
    case U_CENTURY: *v = years / 100; return true;
    case U_MILLENNIUM: *v = years / 1000; return true;
    case U_EPOCH: { /* a year counts 365.25 days */
        wr_i128 all = (wr_i128)years * 31557600 * WR_US_SEC + (wr_i128)months * 30 * WR_US_DAY + (wr_i128)iv.days * WR_US_DAY + iv.us;
        *v = (int64_t)all;
        return all >= INT64_MIN && all <= INT64_MAX;
    }
    case U_WEEK: case U_DOW: case U_ISODOW: case U_DOY: case U_ISOYEAR: case U_ZONE: case U_ZONE_HOUR: case U_ZONE_MINUTE: case U_COUNT: break;
    }
    *v = 0;
    return false;
}

static bool time_has(enum unit u)
{
    return u <= U_HOUR || u == U_EPOCH;
}

/* Field of argument 1, whatever it is; false: marked bad. */
static bool row_field(struct wr_eval *ev, const struct wr_call *c, enum unit u, uint32_t row, int64_t *v)
{
    *v = 0;
    if (u == U_COUNT)
        return false;
    bool has = true;
    if (c->arg[1].type.id == WR_T_INTERVAL)
        has = field_ivl(u, WR_ARG_V(1, row), v);
    else if (c->arg[1].type.id == WR_T_TIME)
        has = time_has(u);
    if (!has) {
        wr_eval_bad(ev, row, WR_R_ARGUMENT, "this unit is not a part of %s", c->arg[1].type.id == WR_T_TIME ? "a time of day" : "an interval");
        return false;
    }
    if (c->arg[1].type.id != WR_T_INTERVAL)
        *v = field_ts(u, WR_ARG_I(1, row));
    return true;
}

/* extract: BIGINT or DECIMAL, as the constant unit says. */
static bool ret_extract(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out, struct wr_error *err)
{
    struct wr_str s;
    if (!wr_arg_text(arg[0], &s)) {
        wr_fail_at(err, WR_ESQL, arg[0]->off, "the unit of EXTRACT must be written out");
        return false;
    }
    int scale = field_scale(unit_of(s) == U_COUNT ? U_YEAR : unit_of(s));
    *out = scale ? wr_type_decimal(20, scale) : WR_TYPE_OF(BIGINT);
    return true;
}
WR_KERNEL(k_extract)
{
    bool dec = out->type.id == WR_T_DECIMAL;
    WR_ROWS(row) {
        int64_t v;
        row_field(ev, c, row_unit(ev, c, U_COUNT, row), row, &v);
        if (dec)
            WR_VEC_I128(out)[row] = v;
        else
            WR_VEC_I64(out)[row] = v;
    }
}
WR_KERNEL(k_date_part)
{
    WR_ROWS(row) {
        enum unit u = row_unit(ev, c, U_COUNT, row);
        int64_t v;
        row_field(ev, c, u, row, &v);
        WR_VEC_F64(out)[row] = u == U_COUNT ? 0 : (double)v / (double)(int64_t)wr_pow10[field_scale(u)];
    }
}

/* year(ts), month(ts) ...: the unit is in the function's name. */
#define FIELD(name, u, expr)                                            \
    WR_KERNEL(name)                                                     \
    {                                                                   \
        WR_ROWS(row) {                                                  \
            int64_t v = field_ts(u, WR_ARG_I(0, row));                  \
            WR_VEC_I64(out)[row] = (expr);                              \
        }                                                               \
    }
FIELD(k_year, U_YEAR, v)
FIELD(k_quarter, U_QUARTER, v)
FIELD(k_month, U_MONTH, v)
FIELD(k_week, U_WEEK, v)
FIELD(k_day, U_DAY, v)
FIELD(k_doy, U_DOY, v)
FIELD(k_dow1, U_DOW, v + 1)
FIELD(k_hour, U_HOUR, v)
FIELD(k_minute, U_MINUTE, v)
FIELD(k_second, U_SECOND, v / WR_US_SEC)
FIELD(k_ms, U_MS, v / 1000 % 1000)

static const char *const day_name[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const month_name[12] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
WR_KERNEL(k_dayname) { WR_ROWS(row) WR_VEC_STR(out)[row] = wr_str_c(day_name[field_ts(U_DOW, WR_ARG_I(0, row))]); }
WR_KERNEL(k_monthname) { WR_ROWS(row) WR_VEC_STR(out)[row] = wr_str_c(month_name[field_ts(U_MONTH, WR_ARG_I(0, row)) - 1]); }

/* ---- bins, zones ---- */

WR_KERNEL(k_date_bin)
{
    WR_ROWS(row) {
        struct wr_interval step = WR_ARG_V(0, row);
        int64_t length = step.us + step.days * WR_US_DAY;
        WR_VEC_I64(out)[row] = 0;
        if (step.months)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "timestamps cannot be binned into intervals containing months or years");
        else if (length <= 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "stride must be greater than zero");
        else
            WR_VEC_I64(out)[row] = wr_window_start(WR_ARG_I(1, row), length, WR_ARG_I(2, row));
    }
}

static wr_status bind_zone(struct wr_arena *a WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, const void **data,
                           struct wr_error *err)
{
    struct wr_str s;
    if (!wr_arg_text(arg[0], &s))
        return WR_OK;
    *data = wr_zone_find(s);
    if (*data)
        return WR_OK;
    wr_fail_at(err, WR_ESQL, arg[0]->off, "time zone \"%.*s\" not recognized", WR_FMT(s));
    wr_hint(err, "names are those of the tz database, like Europe/Berlin, America/Sao_Paulo, UTC");
    return WR_ESQL;
}
WR_KERNEL(k_zone_local) /* TIMESTAMPTZ -> wall clock there */
{
    WR_ROWS(row) {
        const struct wr_zone *z = row_zone(ev, c->data, WR_ARG_S(0, row), row);
        int64_t us = WR_ARG_I(1, row);
        WR_VEC_I64(out)[row] = z ? us + wr_zone_offset(z, us) * WR_US_SEC : 0;
    }
}
WR_KERNEL(k_zone_utc) /* wall clock there -> TIMESTAMPTZ */
{
    WR_ROWS(row) {
        const struct wr_zone *z = row_zone(ev, c->data, WR_ARG_S(0, row), row);
        WR_VEC_I64(out)[row] = z ? wr_zone_to_utc(z, WR_ARG_I(1, row)) : 0;
    }
}
static void zone_interval(struct wr_eval *ev, const struct wr_call *c, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_interval iv = WR_ARG_V(0, row);
        if (iv.months || iv.days)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "a zone interval must not have months or days");
        WR_VEC_I64(out)[row] = WR_ARG_I(1, row) + (iv.months || iv.days ? 0 : sign * (iv.us % WR_US_DAY));
    }
}
WR_KERNEL(k_zone_local_ivl) { zone_interval(ev, c, 1, out, sel, n); }
WR_KERNEL(k_zone_utc_ivl) { zone_interval(ev, c, -1, out, sel, n); }

/* ---- calendar differences ---- */

/* n of a unit as an interval; false: too many. */
static bool span_of(enum unit u, int64_t n, struct wr_interval *iv)
{
    static const int32_t months[U_COUNT] = {[U_MONTH] = 1, [U_QUARTER] = 3, [U_YEAR] = 12, [U_DECADE] = 120, [U_CENTURY] = 1200, [U_MILLENNIUM] = 12000};
    int64_t offset, length = unit_length(u, &offset);
    *iv = (struct wr_interval){0};
    if (months[u]) {
        if (n <= -1000000 || n >= 1000000)
            return false;
        iv->months = (int32_t)n * months[u];
        return true;
    }
    return !__builtin_mul_overflow(n, length, &iv->us);
}
WR_KERNEL(k_ts_add_unit)
{
    WR_ROWS(row) {
        enum unit u = row_unit(ev, c, U_MILLENNIUM, row);
        struct wr_interval iv;
        WR_VEC_I64(out)[row] = 0;
        if (u == U_COUNT)
            continue;
        if (!span_of(u, WR_ARG_I(1, row), &iv) || !wr_time_add(WR_ARG_I(2, row), iv, 1, &WR_VEC_I64(out)[row]))
            wr_eval_bad(ev, row, WR_R_OVERFLOW, "the time is outside the years 1 to 9999");
    }
}

/* Whole months from a to b, both directions. */
static int64_t months_between(int64_t a, int64_t b)
{
    struct wr_civil x, y;
    bool minus = b < a;
    wr_civil_from_us(minus ? b : a, &x);
    wr_civil_from_us(minus ? a : b, &y);
    int64_t m = (y.year - x.year) * 12 + y.month - x.month, moved;
    if (wr_time_add(minus ? b : a, (struct wr_interval){.months = (int32_t)m}, 1, &moved) && moved > (minus ? a : b))
        m--;
    return minus ? -m : m;
}
WR_KERNEL(k_ts_diff_unit)
{
    static const int32_t months[U_COUNT] = {[U_MONTH] = 1, [U_QUARTER] = 3, [U_YEAR] = 12, [U_DECADE] = 120, [U_CENTURY] = 1200, [U_MILLENNIUM] = 12000};
    WR_ROWS(row) {
        enum unit u = row_unit(ev, c, U_MILLENNIUM, row);
        int64_t a = WR_ARG_I(1, row), b = WR_ARG_I(2, row), offset;
        WR_VEC_I64(out)[row] = 0;
        if (u != U_COUNT)
            WR_VEC_I64(out)[row] = months[u] ? months_between(a, b) / months[u] : (b - a) / unit_length(u, &offset);
    }
}
WR_KERNEL(k_datediff) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_I(0, row) - WR_ARG_I(1, row); }
WR_KERNEL(k_datediff_ts) { WR_ROWS(row) WR_VEC_I64(out)[row] = floor_div(WR_ARG_I(0, row), WR_US_DAY) - floor_div(WR_ARG_I(1, row), WR_US_DAY); }
WR_KERNEL(k_to_date) { WR_ROWS(row) WR_VEC_I64(out)[row] = floor_div(WR_ARG_I(0, row), WR_US_DAY); }

static void date_shift(struct wr_eval *ev, const struct wr_call *c, int32_t months, int32_t days, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        int64_t k = WR_ARG_I(1, row), us = 0;
        bool ok = k > -10000000 && k < 10000000;
        struct wr_interval iv = {.months = ok ? (int32_t)k * months : 0, .days = ok ? (int32_t)k * days : 0};
        if (!ok || !wr_time_add(WR_ARG_I(0, row) * WR_US_DAY, iv, 1, &us))
            wr_eval_bad(ev, row, WR_R_OVERFLOW, "the date is outside the years 1 to 9999");
        WR_VEC_I64(out)[row] = floor_div(us, WR_US_DAY);
    }
}
WR_KERNEL(k_date_add) { date_shift(ev, c, 0, 1, out, sel, n); }
WR_KERNEL(k_date_sub) { date_shift(ev, c, 0, -1, out, sel, n); }
WR_KERNEL(k_add_months) { date_shift(ev, c, 1, 0, out, sel, n); }
WR_KERNEL(k_last_day)
{
    WR_ROWS(row) {
        struct wr_civil day;
        wr_civil_from_us(WR_ARG_I(0, row) * WR_US_DAY, &day);
        WR_VEC_I64(out)[row] = wr_days_from_civil(day.year, day.month, wr_month_days(day.year, day.month));
    }
}

#define T WR_F_TOTAL
#define PART(name, kernel, help) {name, "T:i", kernel, 0, NULL, NULL, help}, {name, "Z:i", kernel, 0, NULL, NULL, help}
static const struct wr_func list[] = {
    {"date_trunc", "tT:T", k_trunc_ts, 0, NULL, bind_trunc, "date_trunc(unit, timestamp [, zone]): cut down to the whole minute, hour, day, week, month ..."},
    {"date_trunc", "tZ:Z", k_trunc_ts, 0, NULL, bind_trunc, "date_trunc(unit, timestamptz): cut down to the whole unit in UTC"},
    {"date_trunc", "tZt:Z", k_trunc_zone, 0, NULL, bind_trunc, "date_trunc(unit, timestamptz, zone): cut down to the whole unit of that zone's clock"},
    {"date_trunc", "tI:I", k_trunc_ivl, 0, NULL, bind_trunc, "date_trunc(unit, interval): without its smaller parts"},
    {"extract", "tT:?", k_extract, 0, ret_extract, bind_field, "extract(field FROM timestamp): year, month, day, hour, minute, second, epoch, dow, week ..."},
    {"extract", "tZ:?", k_extract, 0, ret_extract, bind_field, "extract(field FROM timestamptz)"},
    {"extract", "tI:?", k_extract, 0, ret_extract, bind_field, "extract(field FROM interval)"},
    {"extract", "tH:?", k_extract, 0, ret_extract, bind_field, "extract(field FROM time)"},
    {"date_part", "tT:d", k_date_part, 0, NULL, bind_field, "date_part(field, timestamp): as extract, always DOUBLE"},
    {"date_part", "tZ:d", k_date_part, 0, NULL, bind_field, "date_part(field, timestamptz)"},
    {"date_part", "tI:d", k_date_part, 0, NULL, bind_field, "date_part(field, interval)"},
    {"date_part", "tH:d", k_date_part, 0, NULL, bind_field, "date_part(field, time)"},
    PART("year", k_year, "year(timestamp): the year"),
    PART("quarter", k_quarter, "quarter(timestamp): 1 to 4"),
    PART("month", k_month, "month(timestamp): 1 to 12"),
    PART("week", k_week, "week(timestamp): ISO week, 1 to 53"),
    PART("weekofyear", k_week, "weekofyear(timestamp): ISO week, 1 to 53"),
    PART("day", k_day, "day(timestamp): day of the month"),
    PART("dayofmonth", k_day, "dayofmonth(timestamp): day of the month"),
    PART("dayofyear", k_doy, "dayofyear(timestamp): 1 to 366"),
    PART("dayofweek", k_dow1, "dayofweek(timestamp): 1 Sunday to 7 Saturday"),
    PART("hour", k_hour, "hour(timestamp): 0 to 23"),
    PART("minute", k_minute, "minute(timestamp): 0 to 59"),
    PART("second", k_second, "second(timestamp): 0 to 59"),
    PART("millisecond", k_ms, "millisecond(timestamp): 0 to 999"),
    {"hour", "H:i", k_hour, 0, NULL, NULL, "hour(time): 0 to 23"},
    {"minute", "H:i", k_minute, 0, NULL, NULL, "minute(time): 0 to 59"},
    {"second", "H:i", k_second, 0, NULL, NULL, "second(time): 0 to 59"},
    {"dayname", "T:t", k_dayname, 0, NULL, NULL, "dayname(timestamp): Monday ..."},
    {"monthname", "T:t", k_monthname, 0, NULL, NULL, "monthname(timestamp): January ..."},
    {"date_bin", "ITT:T", k_date_bin, 0, NULL, NULL, "date_bin(stride, timestamp, origin): start of the stride it falls in, strides counted from origin"},
    {"date_bin", "IZZ:Z", k_date_bin, 0, NULL, NULL, "date_bin(stride, timestamptz, origin)"},
    {"timezone", "tT:Z", k_zone_utc, 0, NULL, bind_zone, "timezone(zone, timestamp), timestamp AT TIME ZONE zone: the moment a wall clock there shows it"},
    {"timezone", "tZ:T", k_zone_local, 0, NULL, bind_zone, "timezone(zone, timestamptz), timestamptz AT TIME ZONE zone: what a wall clock there shows"},
    {"timezone", "IT:Z", k_zone_utc_ivl, 0, NULL, NULL, "timezone(interval east of UTC, timestamp)"},
    {"timezone", "IZ:T", k_zone_local_ivl, 0, NULL, NULL, "timezone(interval east of UTC, timestamptz)"},
    {"timestampadd", "tlT:T", k_ts_add_unit, 0, NULL, bind_span, "timestampadd(unit, n, timestamp): n units later"},
    {"timestampadd", "tlZ:Z", k_ts_add_unit, 0, NULL, bind_span, "timestampadd(unit, n, timestamptz): n units later"},
    {"timestampdiff", "tTT:l", k_ts_diff_unit, 0, NULL, bind_span, "timestampdiff(unit, from, to): whole units between"},
    {"timestampdiff", "tZZ:l", k_ts_diff_unit, 0, NULL, bind_span, "timestampdiff(unit, from, to): whole units between"},
    {"datediff", "DD:i", k_datediff, 0, NULL, NULL, "datediff(to, from): days between"},
    {"datediff", "TT:i", k_datediff_ts, 0, NULL, NULL, "datediff(to, from): midnights between"},
    {"date", "T:D", k_to_date, T, NULL, NULL, "date(timestamp): its day"},
    {"to_date", "T:D", k_to_date, T, NULL, NULL, "to_date(timestamp): its day; to_date(text, pattern): read as the pattern says"},
    {"date_add", "Dl:D", k_date_add, 0, NULL, NULL, "date_add(date, days): days later"},
    {"date_sub", "Dl:D", k_date_sub, 0, NULL, NULL, "date_sub(date, days): days earlier"},
    {"add_months", "Dl:D", k_add_months, 0, NULL, NULL, "add_months(date, n): n months later, at most the month's last day"},
    {"last_day", "D:D", k_last_day, 0, NULL, NULL, "last_day(date): last day of its month"},
};
WR_FUNC_TABLE(wr_funcs_date, list);

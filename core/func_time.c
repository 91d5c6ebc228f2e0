/* func_time.c: arithmetic of dates, times and intervals, and the clock. Fields, truncation, zones: func_date.c; patterns: func_format.c.
 * Rules:  PostgreSQL's: the three parts of an interval stay apart, months are added first and the day is clipped to the month's end;
 *         a difference of timestamps has days of 24 hours and no months. Results outside the years 1 to 9999 make the row bad.
 *         now() is the moment the batch began (ev->now_us), one value for all its rows. */
#include "core/decimal.h"
#include "core/kernel.h"
#include "core/time.h"
#include <math.h>

static void bad_time(struct wr_eval *ev, uint32_t row)
{
    wr_eval_bad(ev, row, WR_R_OVERFLOW, "the time is outside the years 1 to 9999");
}
static void bad_interval(struct wr_eval *ev, uint32_t row)
{
    wr_eval_bad(ev, row, WR_R_OVERFLOW, "interval out of range");
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}
static int64_t floor_mod(int64_t a, int64_t b)
{
    return a - floor_div(a, b) * b;
}

/* ---- timestamp and interval ---- */

static void add_time(struct wr_eval *ev, const struct wr_call *c, int ts, int iv, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        WR_VEC_I64(out)[row] = 0;
        if (!wr_time_add(WR_ARG_I(ts, row), WR_ARG_V(iv, row), sign, &WR_VEC_I64(out)[row]))
            bad_time(ev, row);
    }
}
WR_KERNEL(k_ts_add) { add_time(ev, c, 0, 1, 1, out, sel, n); }
WR_KERNEL(k_add_ts) { add_time(ev, c, 1, 0, 1, out, sel, n); }
WR_KERNEL(k_ts_sub) { add_time(ev, c, 0, 1, -1, out, sel, n); }

WR_KERNEL(k_ts_diff)
{
    WR_ROWS(row) {
        int64_t d = WR_ARG_I(0, row) - WR_ARG_I(1, row);
        WR_VEC_IVL(out)[row] = (struct wr_interval){.us = d % WR_US_DAY, .days = (int32_t)(d / WR_US_DAY)};
    }
}

/* ---- dates ---- */

static void date_days(struct wr_eval *ev, const struct wr_call *c, int date, int days, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        int64_t d = WR_ARG_I(days, row), r = 0;
        bool fits = d > -10000000 && d < 10000000;
        r = WR_ARG_I(date, row) + (fits ? sign * d : 0);
        if (!fits || r < WR_TIME_MIN / WR_US_DAY || r > WR_TIME_MAX / WR_US_DAY)
            bad_time(ev, row);
        WR_VEC_I64(out)[row] = r;
    }
}
WR_KERNEL(k_date_add) { date_days(ev, c, 0, 1, 1, out, sel, n); }
WR_KERNEL(k_add_date) { date_days(ev, c, 1, 0, 1, out, sel, n); }
WR_KERNEL(k_date_sub) { date_days(ev, c, 0, 1, -1, out, sel, n); }
WR_KERNEL(k_date_diff) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_I(0, row) - WR_ARG_I(1, row); }
WR_KERNEL(k_date_time) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_I(0, row) * WR_US_DAY + WR_ARG_I(1, row); }
WR_KERNEL(k_time_date) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_I(1, row) * WR_US_DAY + WR_ARG_I(0, row); }

/* ---- times of day: around the clock ---- */

static void clock_add(const struct wr_call *c, int time, int iv, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        int64_t us = WR_ARG_V(iv, row).us % WR_US_DAY;
        WR_VEC_I64(out)[row] = floor_mod(WR_ARG_I(time, row) + sign * us, WR_US_DAY);
    }
}
WR_KERNEL(k_time_add) { clock_add(c, 0, 1, 1, out, sel, n); }
WR_KERNEL(k_add_time) { clock_add(c, 1, 0, 1, out, sel, n); }
WR_KERNEL(k_time_sub) { clock_add(c, 0, 1, -1, out, sel, n); }
WR_KERNEL(k_time_diff) { WR_ROWS(row) WR_VEC_IVL(out)[row] = (struct wr_interval){.us = WR_ARG_I(0, row) - WR_ARG_I(1, row)}; }

/* ---- intervals ---- */

static void interval_sum(struct wr_eval *ev, const struct wr_call *c, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_interval a = WR_ARG_V(0, row), b = WR_ARG_V(1, row), r = {0};
        bool over = sign > 0 ? __builtin_add_overflow(a.us, b.us, &r.us) : __builtin_sub_overflow(a.us, b.us, &r.us);
        over |= sign > 0 ? __builtin_add_overflow(a.days, b.days, &r.days) : __builtin_sub_overflow(a.days, b.days, &r.days);
        over |= sign > 0 ? __builtin_add_overflow(a.months, b.months, &r.months) : __builtin_sub_overflow(a.months, b.months, &r.months);
        if (over)
            bad_interval(ev, row);
        WR_VEC_IVL(out)[row] = r;
    }
}
WR_KERNEL(k_ivl_add) { interval_sum(ev, c, 1, out, sel, n); }
WR_KERNEL(k_ivl_sub) { interval_sum(ev, c, -1, out, sel, n); }

WR_KERNEL(k_ivl_neg)
{
    WR_ROWS(row) {
        struct wr_interval a = WR_ARG_V(0, row), r = {0};
        bool over = __builtin_sub_overflow((int64_t)0, a.us, &r.us);
        over |= __builtin_sub_overflow(0, a.days, &r.days);
        over |= __builtin_sub_overflow(0, a.months, &r.months);
        if (over)
            bad_interval(ev, row);
        WR_VEC_IVL(out)[row] = r;
    }
}

/* Rounded to whole microseconds of the unit that a double of days or seconds still carries. */
static double tidy(double x)
{
    return rint(x * 1e6) / 1e6;
}

/* An interval of parts that are not whole: what is left of the months goes to days, what is left of the days to the time. */
static bool scale_interval(double months, double days, double us, struct wr_interval *out)
{
    if (!(fabs(months) < INT32_MAX) || !(fabs(days) < INT32_MAX))
        return false;
    out->months = (int32_t)months;
    out->days = (int32_t)days;
    double more_days = tidy((months - out->months) * 30);
    double rest = tidy((days - out->days + more_days - (int32_t)more_days) * 86400);
    if (fabs(rest) >= 86400) {
        out->days += (int32_t)(rest / 86400);
        rest -= (int32_t)(rest / 86400) * 86400.0;
    }
    if (__builtin_add_overflow(out->days, (int32_t)more_days, &out->days))
        return false;
    us = rint(us + rest * 1e6);
    if (!(us >= -0x1p63 && us < 0x1p63))
        return false;
    out->us = (int64_t)us;
    return true;
}

static void interval_times(struct wr_eval *ev, const struct wr_call *c, int iv, int by, bool divide, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_interval x = WR_ARG_V(iv, row);
        double f = WR_ARG_D(by, row);
        WR_VEC_IVL(out)[row] = (struct wr_interval){0};
        if (divide && f == 0)
            wr_eval_bad(ev, row, WR_R_DIV_ZERO, NULL);
        else if (!scale_interval(divide ? x.months / f : x.months * f, divide ? x.days / f : x.days * f,
                                 divide ? (double)x.us / f : (double)x.us * f, &WR_VEC_IVL(out)[row]))
            bad_interval(ev, row);
    }
}
WR_KERNEL(k_ivl_mul) { interval_times(ev, c, 0, 1, false, out, sel, n); }
WR_KERNEL(k_mul_ivl) { interval_times(ev, c, 1, 0, false, out, sel, n); }
WR_KERNEL(k_ivl_div) { interval_times(ev, c, 0, 1, true, out, sel, n); }

/* 24 h -> 1 day; both parts with one sign. */
static bool justify_hours(struct wr_interval *iv)
{
    int64_t days = iv->us / WR_US_DAY;
    if (days > INT32_MAX || days < INT32_MIN || __builtin_add_overflow(iv->days, (int32_t)days, &iv->days))
        return false;
    iv->us %= WR_US_DAY;
    if (iv->days > 0 && iv->us < 0) {
        iv->us += WR_US_DAY;
        iv->days--;
    } else if (iv->days < 0 && iv->us > 0) {
        iv->us -= WR_US_DAY;
        iv->days++;
    }
    return true;
}
/* 30 days -> 1 month */
static bool justify_days(struct wr_interval *iv)
{
    if (__builtin_add_overflow(iv->months, iv->days / 30, &iv->months))
        return false;
    iv->days %= 30;
    if (iv->months > 0 && iv->days < 0) {
        iv->days += 30;
        iv->months--;
    } else if (iv->months < 0 && iv->days > 0) {
        iv->days -= 30;
        iv->months++;
    }
    return true;
}
static bool justify_both(struct wr_interval *iv)
{
    if (!justify_hours(iv) || !justify_days(iv))
        return false;
    if (iv->months > 0 && (iv->days < 0 || (iv->days == 0 && iv->us < 0))) {
        iv->days += 30;
        iv->months--;
    } else if (iv->months < 0 && (iv->days > 0 || (iv->days == 0 && iv->us > 0))) {
        iv->days -= 30;
        iv->months++;
    }
    if (iv->days > 0 && iv->us < 0) {
        iv->us += WR_US_DAY;
        iv->days--;
    } else if (iv->days < 0 && iv->us > 0) {
        iv->us -= WR_US_DAY;
        iv->days++;
    }
    return true;
}
#define JUSTIFY(name, how)                                              \
    WR_KERNEL(name)                                                     \
    {                                                                   \
        WR_ROWS(row) {                                                  \
            struct wr_interval iv = WR_ARG_V(0, row);                   \
            if (!how(&iv))                                              \
                bad_interval(ev, row);                                  \
            WR_VEC_IVL(out)[row] = iv;                                  \
        }                                                               \
    }
JUSTIFY(k_justify_hours, justify_hours)
JUSTIFY(k_justify_days, justify_days)
JUSTIFY(k_justify, justify_both)

/* ---- age: years, months and days as a person counts them ---- */

static struct wr_interval age_of(int64_t a, int64_t b)
{
    struct wr_civil x, y;
    bool minus = a < b;
    wr_civil_from_us(minus ? b : a, &x);
    wr_civil_from_us(minus ? a : b, &y);
    int64_t us = (int64_t)(x.hour - y.hour) * WR_US_HOUR + (int64_t)(x.minute - y.minute) * WR_US_MIN +
                 (int64_t)(x.second - y.second) * WR_US_SEC + (x.us - y.us);
    int days = x.day - y.day, months = (x.year - y.year) * 12 + x.month - y.month;
    if (us < 0) {
        us += WR_US_DAY;
        days--;
    }
    if (days < 0) { /* the days of the month in which the earlier one lies */
        days += wr_month_days(y.year, y.month);
        months--;
    }
    struct wr_interval iv = {.us = us, .days = days, .months = months};
    if (minus)
        iv = (struct wr_interval){-iv.us, -iv.days, -iv.months};
    return iv;
}
WR_KERNEL(k_age) { WR_ROWS(row) WR_VEC_IVL(out)[row] = age_of(WR_ARG_I(0, row), WR_ARG_I(1, row)); }
WR_KERNEL(k_age_today)
{
    int64_t today = floor_div(ev->now_us, WR_US_DAY) * WR_US_DAY;
    WR_ROWS(row) WR_VEC_IVL(out)[row] = age_of(today, WR_ARG_I(0, row));
}

/* ---- making ---- */

/* Whole and fraction of seconds 0 <= s <= 60 as µs. */
static bool seconds_us(double s, int64_t most, int64_t *us)
{
    if (!(s >= 0 && s <= (double)most))
        return false;
    *us = (int64_t)rint(s * 1e6);
    return true;
}
static bool make_days(int64_t y, int64_t m, int64_t d, int64_t *days)
{
    if (y < 1 || y > 9999 || m < 1 || m > 12 || d < 1 || d > wr_month_days((int)y, (int)m))
        return false;
    *days = wr_days_from_civil((int)y, (int)m, (int)d);
    return true;
}
static bool make_clock(int64_t h, int64_t m, double s, int64_t *us)
{
    if (h < 0 || h > 24 || m < 0 || m > 59 || !seconds_us(s, 60, us))
        return false;
    *us += h * WR_US_HOUR + m * WR_US_MIN;
    return *us <= WR_US_DAY;
}
WR_KERNEL(k_make_date)
{
    WR_ROWS(row) {
        WR_VEC_I64(out)[row] = 0;
        if (!make_days(WR_ARG_I(0, row), WR_ARG_I(1, row), WR_ARG_I(2, row), &WR_VEC_I64(out)[row]))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "date field value out of range: %lld-%02lld-%02lld", (long long)WR_ARG_I(0, row),
                        (long long)WR_ARG_I(1, row), (long long)WR_ARG_I(2, row));
    }
}
WR_KERNEL(k_make_time)
{
    WR_ROWS(row) {
        WR_VEC_I64(out)[row] = 0;
        if (!make_clock(WR_ARG_I(0, row), WR_ARG_I(1, row), WR_ARG_D(2, row), &WR_VEC_I64(out)[row]))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "time field value out of range");
    }
}
WR_KERNEL(k_make_timestamp)
{
    WR_ROWS(row) {
        int64_t days = 0, us = 0;
        if (!make_days(WR_ARG_I(0, row), WR_ARG_I(1, row), WR_ARG_I(2, row), &days) || !make_clock(WR_ARG_I(3, row), WR_ARG_I(4, row), WR_ARG_D(5, row), &us))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "date or time field value out of range");
        WR_VEC_I64(out)[row] = days * WR_US_DAY + us;
    }
}
/* years, months, weeks, days, hours, minutes, seconds: as many as are given */
WR_KERNEL(k_make_interval)
{
    WR_ROWS(row) {
        int64_t f[6] = {0};
        bool ok = true;
        for (int i = 0; i < c->n_arg && i < 6; i++) {
            f[i] = WR_ARG_I(i, row);
            ok = ok && f[i] < 100000000 && f[i] > -100000000;
        }
        double s = c->n_arg == 7 ? WR_ARG_D(6, row) : 0;
        struct wr_interval iv = {0};
        if (!ok || !(fabs(s) < 1e11))
            bad_interval(ev, row);
        else
            iv = (struct wr_interval){f[4] * WR_US_HOUR + f[5] * WR_US_MIN + (int64_t)rint(s * 1e6), (int32_t)(f[2] * 7 + f[3]), (int32_t)(f[0] * 12 + f[1])};
        WR_VEC_IVL(out)[row] = iv;
    }
}

/* ---- the clock ---- */

static void clock_value(const struct wr_eval *ev, int64_t v, struct wr_vec *out)
{
    out->constant = true;
    out->data = wr_arena_alloc(ev->mem, sizeof(int64_t));
    WR_VEC_I64(out)[0] = v;
}
WR_KERNEL(k_now) { clock_value(ev, ev->now_us, out); }
WR_KERNEL(k_today) { clock_value(ev, floor_div(ev->now_us, WR_US_DAY), out); }
WR_KERNEL(k_time_now) { clock_value(ev, floor_mod(ev->now_us, WR_US_DAY), out); }
WR_KERNEL(k_clock) { WR_ROWS(row) WR_VEC_I64(out)[row] = wr_clock_wall(); }
WR_KERNEL(k_now_seconds) { clock_value(ev, floor_div(ev->now_us, WR_US_SEC), out); }

/* ---- epochs ---- */

static bool time_ok(int64_t us)
{
    return us >= WR_TIME_MIN && us <= WR_TIME_MAX;
}

/* Whole units since 1970 -> timestamp. */
static void from_epoch(struct wr_eval *ev, int64_t v, int64_t unit, struct wr_vec *out, uint32_t row)
{
    int64_t us = 0;
    if (__builtin_mul_overflow(v, unit, &us) || !time_ok(us)) {
        us = 0;
        bad_time(ev, row);
    }
    WR_VEC_I64(out)[row] = us;
}
WR_KERNEL(k_from_seconds) { WR_ROWS(row) from_epoch(ev, WR_ARG_I(0, row), WR_US_SEC, out, row); }
WR_KERNEL(k_from_ms) { WR_ROWS(row) from_epoch(ev, WR_ARG_I(0, row), 1000, out, row); }
WR_KERNEL(k_from_seconds_d)
{
    WR_ROWS(row) {
        double us = rint(WR_ARG_D(0, row) * 1e6);
        bool ok = us >= (double)WR_TIME_MIN && us <= (double)WR_TIME_MAX;
        if (!ok)
            bad_time(ev, row);
        WR_VEC_I64(out)[row] = ok ? (int64_t)us : 0;
    }
}
WR_KERNEL(k_from_seconds_n)
{
    int s = c->arg[0].type.scale;
    WR_ROWS(row) {
        wr_i128 us = 0;
        bool ok = wr_dec_rescale(WR_ARG_N(0, row), s, 6, &us);
        ok = ok && us >= WR_TIME_MIN && us <= WR_TIME_MAX;
        if (!ok)
            bad_time(ev, row);
        WR_VEC_I64(out)[row] = ok ? (int64_t)us : 0;
    }
}
/* Flink: precision 0 seconds, 3 milliseconds. */
WR_KERNEL(k_from_ltz)
{
    WR_ROWS(row) {
        int64_t p = WR_ARG_I(1, row);
        WR_VEC_I64(out)[row] = 0;
        if (p == 0 || p == 3)
            from_epoch(ev, WR_ARG_I(0, row), p ? 1000 : WR_US_SEC, out, row);
        else
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "the precision is 0 for seconds or 3 for milliseconds");
    }
}
WR_KERNEL(k_to_ms) { WR_ROWS(row) WR_VEC_I64(out)[row] = floor_div(WR_ARG_I(0, row), 1000); }
WR_KERNEL(k_to_us) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_I(0, row); }
WR_KERNEL(k_to_seconds) { WR_ROWS(row) WR_VEC_I64(out)[row] = floor_div(WR_ARG_I(0, row), WR_US_SEC); }

WR_KERNEL(k_true) { WR_ROWS(row) WR_VEC_I8(out)[row] = 1; }

#define V WR_F_VOLATILE
#define T WR_F_TOTAL
#define OP(name, letters, kernel, flags, help) {name, letters, kernel, flags, NULL, NULL, help}
static const struct wr_func list[] = {
    OP("+", "TI:T", k_ts_add, 0, "timestamp + interval"), OP("+", "ZI:Z", k_ts_add, 0, "timestamptz + interval"),
    OP("+", "IT:T", k_add_ts, 0, "interval + timestamp"), OP("+", "IZ:Z", k_add_ts, 0, "interval + timestamptz"),
    OP("-", "TT:I", k_ts_diff, 0, "timestamp - timestamp: an interval"), OP("-", "ZZ:I", k_ts_diff, 0, "timestamptz - timestamptz"),
    OP("-", "TI:T", k_ts_sub, 0, "timestamp - interval"), OP("-", "ZI:Z", k_ts_sub, 0, "timestamptz - interval"),
    OP("+", "Dl:D", k_date_add, 0, "date + days"), OP("+", "lD:D", k_add_date, 0, "days + date"),
    OP("-", "DD:i", k_date_diff, 0, "date - date: days"), OP("-", "Dl:D", k_date_sub, 0, "date - days"),
    OP("+", "DH:T", k_date_time, 0, "date + time"), OP("+", "HD:T", k_time_date, 0, "time + date"),
    OP("+", "HI:H", k_time_add, 0, "time + interval"), OP("+", "IH:H", k_add_time, 0, "interval + time"),
    OP("-", "HI:H", k_time_sub, 0, "time - interval"), OP("-", "HH:I", k_time_diff, 0, "time - time"),
    OP("+", "II:I", k_ivl_add, 0, "interval + interval"), OP("-", "II:I", k_ivl_sub, 0, "interval - interval"),
    OP("-", "I:I", k_ivl_neg, 0, "-interval"),
    OP("*", "Id:I", k_ivl_mul, 0, "interval * number"), OP("*", "dI:I", k_mul_ivl, 0, "number * interval"),
    OP("/", "Id:I", k_ivl_div, 0, "interval / number"),
    {"justify_hours", "I:I", k_justify_hours, 0, NULL, NULL, "justify_hours(interval): 24 hours become a day"},
    {"justify_days", "I:I", k_justify_days, 0, NULL, NULL, "justify_days(interval): 30 days become a month"},
    {"justify_interval", "I:I", k_justify, 0, NULL, NULL, "justify_interval(interval): hours to days, days to months, one sign"},
    {"age", "TT:I", k_age, 0, NULL, NULL, "age(later, earlier): years, months and days between, as a person counts them"},
    {"age", "T:I", k_age_today, V, NULL, NULL, "age(timestamp): from then to today's midnight"},
    {"make_date", "lll:D", k_make_date, 0, NULL, NULL, "make_date(year, month, day)"},
    {"make_time", "lld:H", k_make_time, 0, NULL, NULL, "make_time(hour, minute, second)"},
    {"make_timestamp", "llllld:T", k_make_timestamp, 0, NULL, NULL, "make_timestamp(year, month, day, hour, minute, second)"},
    {"make_timestamptz", "llllld:Z", k_make_timestamp, 0, NULL, NULL, "make_timestamptz(year, month, day, hour, minute, second): in UTC"},
    {"make_interval", "l:I", k_make_interval, 0, NULL, NULL, "make_interval(years [, months, weeks, days, hours, minutes, seconds])"},
    {"make_interval", "ll:I", k_make_interval, 0, NULL, NULL, "make_interval(years, months)"},
    {"make_interval", "lll:I", k_make_interval, 0, NULL, NULL, "make_interval(years, months, weeks)"},
    {"make_interval", "llll:I", k_make_interval, 0, NULL, NULL, "make_interval(years, months, weeks, days)"},
    {"make_interval", "lllll:I", k_make_interval, 0, NULL, NULL, "make_interval(years, months, weeks, days, hours)"},
    {"make_interval", "llllll:I", k_make_interval, 0, NULL, NULL, "make_interval(years, months, weeks, days, hours, minutes)"},
    {"make_interval", "lllllld:I", k_make_interval, 0, NULL, NULL, "make_interval(years, months, weeks, days, hours, minutes, seconds)"},
    {"now", ":Z", k_now, V, NULL, NULL, "now(): the time of processing, the same for all rows of a batch"},
    {"current_timestamp", ":Z", k_now, V, NULL, NULL, "current_timestamp: as now()"},
    {"transaction_timestamp", ":Z", k_now, V, NULL, NULL, "transaction_timestamp(): as now()"},
    {"statement_timestamp", ":Z", k_now, V, NULL, NULL, "statement_timestamp(): as now()"},
    {"clock_timestamp", ":Z", k_clock, V, NULL, NULL, "clock_timestamp(): the time at this very row"},
    {"proctime", ":Z", k_now, V, NULL, NULL, "proctime(): as now()"},
    {"localtimestamp", ":T", k_now, V, NULL, NULL, "localtimestamp: now, as TIMESTAMP in UTC"},
    {"current_date", ":D", k_today, V, NULL, NULL, "current_date: today in UTC"},
    {"current_time", ":H", k_time_now, V, NULL, NULL, "current_time: time of day in UTC"},
    {"localtime", ":H", k_time_now, V, NULL, NULL, "localtime: time of day in UTC"},
    {"to_timestamp", "l:Z", k_from_seconds, 0, NULL, NULL, "to_timestamp(seconds): from seconds since 1970; to_timestamp(text, pattern): read as the pattern says"},
    {"to_timestamp", "n:Z", k_from_seconds_n, 0, NULL, NULL, "to_timestamp(seconds): from seconds since 1970"},
    {"to_timestamp", "d:Z", k_from_seconds_d, 0, NULL, NULL, "to_timestamp(seconds): from seconds since 1970"},
    {"to_timestamp_ltz", "ll:Z", k_from_ltz, 0, NULL, NULL, "to_timestamp_ltz(n, precision): from seconds (0) or milliseconds (3) since 1970"},
    {"epoch_ms", "T:l", k_to_ms, 0, NULL, NULL, "epoch_ms(timestamp): milliseconds since 1970; epoch_ms(n): the timestamp"},
    {"epoch_ms", "Z:l", k_to_ms, 0, NULL, NULL, "epoch_ms(timestamptz): milliseconds since 1970"},
    {"epoch_ms", "l:T", k_from_ms, 0, NULL, NULL, "epoch_ms(n): the timestamp n milliseconds after 1970"},
    {"epoch_us", "T:l", k_to_us, 0, NULL, NULL, "epoch_us(timestamp): microseconds since 1970"},
    {"unix_timestamp", "T:l", k_to_seconds, 0, NULL, NULL, "unix_timestamp([timestamp]): whole seconds since 1970"},
    {"unix_timestamp", ":l", k_now_seconds, V, NULL, NULL, "unix_timestamp(): whole seconds since 1970, now"},
    {"isfinite", "T:b", k_true, T, NULL, NULL, "isfinite(timestamp): always true, there are no infinite times here"},
    {"isfinite", "D:b", k_true, T, NULL, NULL, "isfinite(date): always true"},
    {"isfinite", "I:b", k_true, T, NULL, NULL, "isfinite(interval): always true"},
};
WR_FUNC_TABLE(wr_funcs_time, list);

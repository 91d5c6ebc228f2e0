/* agg_num.c: count, count_if, sum, avg, bool_and, bool_or.
 * Rules:  sums of INTEGER, BIGINT, DECIMAL are exact in 192 bits whatever passes through; only a result can be out of range. avg divides the
 *         exact sum and rounds once, half away from zero. INTERVAL sums its three parts apart, as PostgreSQL does.
 *         Sums of DOUBLE: double-double; NaN, infinities and numbers over 2^960 are kept aside in `odd`, so that taking them back restores
 *         the sum. A sum whose last row was taken back starts at exactly 0 again (not in partial states, whose counts mean nothing yet).
 * Memory: states own nothing but that `odd`. */
#include "core/agg_impl.h"

#include <stdlib.h>

#include "core/decimal.h"
#include "core/time.h"

/* ---- count */

static wr_status count_bind(struct wr_aggcall *c, struct wr_error *err);

static void count_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(int64_t *)state = 0;
}

WR_AGG_INLINE void count_step(const struct wr_aggcall *c WR_UNUSED, int64_t *s, const void *data WR_UNUSED, uint32_t at WR_UNUSED, int64_t sign)
{
    *s += sign;
}
WR_AGG_KERNEL(count, int64_t, count_step)

static void count_star_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    if (!in->op)
        for (uint32_t k = 0; k < n; k++)
            ++*(int64_t *)(void *)(group[k] + c->offset);
    else
        for (uint32_t k = 0; k < n; k++)
            *(int64_t *)(void *)(group[k] + c->offset) += wr_agg_sign(in, wr_agg_row(sel, k));
}

static void count_star_add_run(const struct wr_aggcall *c WR_UNUSED, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    int64_t s = n;
    if (in->op)
        for (uint32_t k = 0; k < n; k++)
            s -= wr_op_is_retract(in->op[wr_agg_row(sel, k)]) ? 2 : 0;
    *(int64_t *)state += s;
}

WR_AGG_INLINE void count_if_step(const struct wr_aggcall *c WR_UNUSED, int64_t *s, const void *data, uint32_t at, int64_t sign)
{
    *s += ((const uint8_t *)data)[at] ? sign : 0;
}
WR_AGG_KERNEL(count_if, int64_t, count_if_step)

static void count_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    *(int64_t *)into += *(const int64_t *)from;
}

static bool count_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    out->nulls[row] = 0;
    WR_VEC_I64(out)[row] = *(const int64_t *)state;
    return true;
}

static void count_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    wr_buf_u8(out, WR_AGG_V1);
    wr_buf_i64(out, *(const int64_t *)state);
}

/* Counts of saved states are kept so far from the limits that no merge of them overflows. */
static bool take_count(struct wr_str *in, int64_t *n)
{
    return wr_take_i64(in, n) && *n < INT64_MAX >> 8 && *n > -(INT64_MAX >> 8);
}

static bool count_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    return wr_agg_take_version(in) && take_count(in, state);
}

#define COUNT_REST .init = count_init, .merge = count_merge, .result = count_result, .save = count_save, .load = count_load
#define COUNT_HELP "count(*), count(x): rows, rows where x is not NULL; count(DISTINCT x, ..): different values"
static const struct wr_agg count_star = {
    .name = "count", .help = COUNT_HELP, .max_arg = 4, .bind = count_bind, .add = count_star_add, .add_run = count_star_add_run, COUNT_REST};
static const struct wr_agg count_col = {
    .name = "count", .help = COUNT_HELP, .max_arg = 4, .bind = count_bind, .add = count_add, .add_run = count_add_run, COUNT_REST};

static wr_status count_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (c->n_arg > 1 && !c->distinct) {
        wr_fail_at(err, WR_ESQL, c->off, "aggregate \"count\" takes one argument without DISTINCT");
        wr_hint(err, "count(*), count(x), count(DISTINCT x, y)");
        return WR_ESQL;
    }
    return wr_agg_variant(c, c->n_arg ? &count_col : &count_star, WR_TYPE_OF(BIGINT), sizeof(int64_t));
}

static wr_status count_if_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (c->arg_type[0].id != WR_T_BOOL)
        return wr_agg_refuse(c, 0, "BOOLEAN", "count_if(price > 100)", err);
    return wr_agg_variant(c, c->fn, WR_TYPE_OF(BIGINT), sizeof(int64_t));
}

/* ---- sum and avg of INTEGER, BIGINT, DECIMAL */

struct sum_exact {
    wr_u128 lo;  /* the sum's low 128 bits, two's complement */
    int64_t hi;  /* its high 64; for INTEGER and BIGINT always the sign of lo, and not kept up */
    int64_t n;   /* rows */
};

static void exact_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct sum_exact *)state = (struct sum_exact){0};
}

WR_AGG_INLINE void int_step(const struct wr_aggcall *c WR_UNUSED, struct sum_exact *s, const void *data, uint32_t at, int64_t sign)
{
    s->lo += (wr_u128)((wr_i128)((const int64_t *)data)[at] * sign);
    s->n += sign;
}
WR_AGG_KERNEL(int, struct sum_exact, int_step)

WR_AGG_INLINE void wide_add(struct sum_exact *s, wr_u128 lo, int64_t hi)
{
    s->lo += lo;
    s->hi = (int64_t)((uint64_t)s->hi + (uint64_t)hi + (s->lo < lo));
}

WR_AGG_INLINE void dec_step(const struct wr_aggcall *c WR_UNUSED, struct sum_exact *s, const void *data, uint32_t at, int64_t sign)
{
    wr_i128 v = ((const wr_i128 *)data)[at];
    if (sign < 0)
        v = -v;
    wide_add(s, (wr_u128)v, (int64_t)(v >> 127));
    s->n += sign;
}
WR_AGG_KERNEL(dec, struct sum_exact, dec_step)

static int64_t exact_hi(const struct wr_aggcall *c, const struct sum_exact *s)
{
    return wr_agg_phys(c, 0) == WR_P_I64 ? (int64_t)((wr_i128)s->lo >> 127) : s->hi;
}

static void exact_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    const struct sum_exact *f = from;
    wide_add(into, f->lo, exact_hi(c, f));
    ((struct sum_exact *)into)->n += f->n;
}

static void exact_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out)
{
    const struct sum_exact *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_put_i128(out, (wr_i128)s->lo);
    wr_buf_i64(out, exact_hi(c, s));
    wr_buf_i64(out, s->n);
}

static bool exact_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct sum_exact *s = state;
    wr_i128 lo;
    if (!wr_agg_take_version(in) || !wr_agg_take_i128(in, &lo) || !wr_take_i64(in, &s->hi))
        return false;
    s->lo = (wr_u128)lo;
    return take_count(in, &s->n);
}

static bool sum_int_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_exact *s = state;
    if (s->n <= 0)
        return wr_agg_null(out, row);
    wr_i128 v = (wr_i128)s->lo;
    out->nulls[row] = 0;
    WR_VEC_I64(out)[row] = (int64_t)v;
    return v == (int64_t)v;
}

static bool sum_dec_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_exact *s = state;
    if (s->n <= 0)
        return wr_agg_null(out, row);
    wr_i128 v = (wr_i128)s->lo;
    out->nulls[row] = 0;
    WR_VEC_I128(out)[row] = v;
    return exact_hi(c, s) == (int64_t)(v >> 127) && wr_dec_fits(v, 38);
}

/* |sum| / n: the quotient (false: over 128 bits) and the remainder. n > 0. */
static bool wide_div(const struct wr_aggcall *c, const struct sum_exact *s, wr_u128 *q, uint64_t *rem, bool *negative)
{
    uint64_t limb[3] = {(uint64_t)s->lo, (uint64_t)(s->lo >> 64), (uint64_t)exact_hi(c, s)}, n = (uint64_t)s->n;
    *negative = (int64_t)limb[2] < 0;
    if (*negative) {
        wr_u128 lo = 0 - s->lo;
        limb[2] = ~limb[2] + (lo == 0);
        limb[1] = (uint64_t)(lo >> 64);
        limb[0] = (uint64_t)lo;
    }
    wr_u128 r = limb[2];
    if (r >= n)
        return false;
    *q = 0;
    for (int i = 1; i >= 0; i--) {
        r = r << 64 | limb[i];
        *q = *q << 64 | (uint64_t)(r / n);
        r %= n;
    }
    *rem = (uint64_t)r;
    return true;
}

static bool avg_dec_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_exact *s = state;
    if (s->n <= 0)
        return wr_agg_null(out, row);
    int up = c->ret.scale - (wr_agg_phys(c, 0) == WR_P_I64 ? 0 : c->arg_type[0].scale); /* 0..16 */
    wr_u128 q, n = (wr_u128)s->n, most = (wr_u128)wr_pow10[38];
    uint64_t rem;
    bool negative;
    out->nulls[row] = 0;
    WR_VEC_I128(out)[row] = 0;
    if (!wide_div(c, s, &q, &rem, &negative) || q >= most)
        return false;
    wr_u128 digits = (wr_u128)rem * (wr_u128)wr_pow10[up]; /* < 2^63 * 10^16 */
    wr_u128 part = digits / n;
    part += digits % n * 2 >= n;
    if (q > (most - 1 - part) / (wr_u128)wr_pow10[up])
        return false;
    q = q * (wr_u128)wr_pow10[up] + part;
    WR_VEC_I128(out)[row] = negative ? -(wr_i128)q : (wr_i128)q;
    return true;
}

/* ---- sum and avg of DOUBLE */

static const double HUGE_FROM = 0x1p960, HUGE_SCALE = 0x1p-128; /* numbers over HUGE_FROM are summed apart, times HUGE_SCALE */

struct sum_odd {
    int64_t n_nan, n_pos, n_neg; /* NaN, Infinity, -Infinity */
    struct wr_dd huge;           /* sum of finite numbers over HUGE_FROM, times HUGE_SCALE */
};

struct sum_f64 {
    struct wr_dd sum;    /* of the ordinary numbers */
    int64_t n;           /* rows */
    struct sum_odd *odd; /* the others; NULL: none seen */
};

static void f64_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct sum_f64 *)state = (struct sum_f64){0};
}

static __attribute__((noinline)) void f64_odd(struct sum_f64 *s, double x, int64_t sign)
{
    if (!s->odd)
        s->odd = wr_calloc(1, sizeof *s->odd);
    if (isnan(x))
        s->odd->n_nan += sign;
    else if (isinf(x))
        *(x > 0 ? &s->odd->n_pos : &s->odd->n_neg) += sign;
    else
        s->odd->huge = wr_dd_plus(s->odd->huge, x * HUGE_SCALE * (double)sign);
}

/* After rows were taken back: nothing left means nothing, also of the last bits. */
static void f64_settle(const struct wr_aggcall *c, struct sum_f64 *s)
{
    if (s->n != 0 || c->partial)
        return;
    s->sum = (struct wr_dd){0};
    if (s->odd)
        *s->odd = (struct sum_odd){0};
}

WR_AGG_INLINE void f64_step(const struct wr_aggcall *c, struct sum_f64 *s, const void *data, uint32_t at, int64_t sign)
{
    double x = ((const double *)data)[at];
    s->n += sign;
    if (__builtin_expect(fabs(x) <= HUGE_FROM, 1))
        s->sum = wr_dd_plus(s->sum, sign < 0 ? -x : x);
    else
        f64_odd(s, x, sign);
    if (sign < 0)
        f64_settle(c, s);
}
WR_AGG_KERNEL(f64, struct sum_f64, f64_step)

static void f64_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    struct sum_f64 *s = into;
    const struct sum_f64 *f = from;
    s->n += f->n;
    s->sum = wr_dd_add(s->sum, f->sum);
    if (f->odd) {
        if (!s->odd)
            s->odd = wr_calloc(1, sizeof *s->odd);
        s->odd->n_nan += f->odd->n_nan;
        s->odd->n_pos += f->odd->n_pos;
        s->odd->n_neg += f->odd->n_neg;
        s->odd->huge = wr_dd_add(s->odd->huge, f->odd->huge);
    }
    if (f->n < 0)
        f64_settle(c, s);
}

/* Sum (n 1) or average. false: a sum of finite numbers that no double holds. */
static bool f64_value(const struct sum_f64 *s, double n, double *out)
{
    const struct sum_odd *odd = s->odd;
    if (odd && (odd->n_nan > 0 || (odd->n_pos > 0 && odd->n_neg > 0))) {
        *out = (double)NAN;
        return true;
    }
    if (odd && (odd->n_pos > 0 || odd->n_neg > 0)) {
        *out = odd->n_pos > 0 ? (double)INFINITY : -(double)INFINITY;
        return true;
    }
    struct wr_dd v = s->sum;
    double back = 1;
    if (odd && (odd->huge.hi != 0 || odd->huge.lo != 0)) {
        v = wr_dd_add(odd->huge, (struct wr_dd){v.hi * HUGE_SCALE, v.lo * HUGE_SCALE});
        back = 1 / HUGE_SCALE;
    }
    v = wr_dd_div(v, n);
    *out = (v.hi + v.lo) * back;
    return isfinite(*out);
}

static bool sum_f64_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_f64 *s = state;
    if (s->n <= 0)
        return wr_agg_null(out, row);
    out->nulls[row] = 0;
    return f64_value(s, 1, &WR_VEC_F64(out)[row]);
}

static bool avg_f64_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_f64 *s = state;
    if (s->n <= 0)
        return wr_agg_null(out, row);
    out->nulls[row] = 0;
    return f64_value(s, (double)s->n, &WR_VEC_F64(out)[row]);
}

static void f64_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct sum_f64 *s = state;
    const struct sum_odd none = {0}, *odd = s->odd ? s->odd : &none;
    bool has = odd->n_nan || odd->n_pos || odd->n_neg || odd->huge.hi != 0 || odd->huge.lo != 0;
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_put_f64(out, s->sum.hi);
    wr_agg_put_f64(out, s->sum.lo);
    wr_buf_i64(out, s->n);
    wr_buf_u8(out, has);
    if (!has)
        return;
    wr_buf_i64(out, odd->n_nan);
    wr_buf_i64(out, odd->n_pos);
    wr_buf_i64(out, odd->n_neg);
    wr_agg_put_f64(out, odd->huge.hi);
    wr_agg_put_f64(out, odd->huge.lo);
}

static bool f64_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct sum_f64 *s = state;
    struct sum_odd odd = {0};
    uint8_t has;
    *s = (struct sum_f64){0};
    if (!wr_agg_take_version(in) || !wr_agg_take_f64(in, &s->sum.hi) || !wr_agg_take_f64(in, &s->sum.lo) || !take_count(in, &s->n) ||
        !wr_take_u8(in, &has) || has > 1)
        return false;
    if (!has)
        return true;
    if (!take_count(in, &odd.n_nan) || !take_count(in, &odd.n_pos) || !take_count(in, &odd.n_neg) || !wr_agg_take_f64(in, &odd.huge.hi) ||
        !wr_agg_take_f64(in, &odd.huge.lo))
        return false;
    s->odd = wr_malloc(sizeof odd);
    *s->odd = odd;
    return true;
}

static void f64_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    free(((struct sum_f64 *)state)->odd);
    ((struct sum_f64 *)state)->odd = NULL;
}

static size_t f64_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    return ((const struct sum_f64 *)state)->odd ? sizeof(struct sum_odd) : 0;
}

/* ---- sum and avg of INTERVAL */

struct sum_ivl {
    wr_i128 us;
    int64_t days, months, n;
};

static void ivl_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct sum_ivl *)state = (struct sum_ivl){0};
}

WR_AGG_INLINE void ivl_step(const struct wr_aggcall *c WR_UNUSED, struct sum_ivl *s, const void *data, uint32_t at, int64_t sign)
{
    const struct wr_interval *v = &((const struct wr_interval *)data)[at];
    s->us += (wr_i128)v->us * sign;
    s->days += v->days * sign;
    s->months += v->months * sign;
    s->n += sign;
}
WR_AGG_KERNEL(ivl, struct sum_ivl, ivl_step)

static void ivl_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    struct sum_ivl *s = into;
    const struct sum_ivl *f = from;
    s->us += f->us;
    s->days += f->days;
    s->months += f->months;
    s->n += f->n;
}

/* Writes us, days, months; false: one is out of its range. */
static bool ivl_write(struct wr_vec *out, uint32_t row, wr_i128 us, int64_t days, int64_t months)
{
    out->nulls[row] = 0;
    WR_VEC_IVL(out)[row] = (struct wr_interval){(int64_t)us, (int32_t)days, (int32_t)months};
    return us == (int64_t)us && days == (int32_t)days && months == (int32_t)months;
}

static bool sum_ivl_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_ivl *s = state;
    return s->n <= 0 ? wr_agg_null(out, row) : ivl_write(out, row, s->us, s->days, s->months);
}

/* What is left of the months goes on as days of 30 a month, what is left of the days as 24 hours each. */
static bool avg_ivl_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct sum_ivl *s = state;
    if (s->n <= 0)
        return wr_agg_null(out, row);
    wr_i128 of_months = (wr_i128)(s->months % s->n) * 30, part = of_months % s->n + s->days % s->n;
    wr_i128 days = of_months / s->n + s->days / s->n + part / s->n;
    wr_i128 us = part % s->n * WR_US_DAY + s->us, rest = us % s->n;
    us /= s->n;
    if (rest * 2 >= s->n)
        us++;
    else if (-rest * 2 >= s->n)
        us--;
    return ivl_write(out, row, us, (int64_t)days, s->months / s->n) && days == (int64_t)days;
}

static void ivl_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct sum_ivl *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_put_i128(out, s->us);
    wr_buf_i64(out, s->days);
    wr_buf_i64(out, s->months);
    wr_buf_i64(out, s->n);
}

static bool ivl_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct sum_ivl *s = state;
    return wr_agg_take_version(in) && wr_agg_take_i128(in, &s->us) && s->us < (wr_i128)1 << 110 && s->us > -((wr_i128)1 << 110) &&
           take_count(in, &s->days) && take_count(in, &s->months) && take_count(in, &s->n);
}

/* ---- the variants of sum and avg */

static wr_status sum_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status avg_bind(struct wr_aggcall *c, struct wr_error *err);

#define SUM_HELP "sum(x): sum of the numbers or intervals; BIGINT of INTEGER, DECIMAL(38,0) of BIGINT, exact for all but DOUBLE"
#define AVG_HELP "avg(x): average of the numbers or intervals; DECIMAL with 16 decimals, or as many as fit, at least 6; DOUBLE of DOUBLE"
#define VARIANT(f, NAME, HELP, kernel, state, res)                                                                     \
    {.name = NAME, .help = HELP, .min_arg = 1, .max_arg = 1, .bind = f##_bind, .init = state##_init, .add = kernel##_add, \
     .add_run = kernel##_add_run, .merge = state##_merge, .result = res, .save = state##_save, .load = state##_load}

static const struct wr_agg sum_int = VARIANT(sum, "sum", SUM_HELP, int, exact, sum_int_result);
static const struct wr_agg sum_bigint = VARIANT(sum, "sum", SUM_HELP, int, exact, sum_dec_result);
static const struct wr_agg sum_dec = VARIANT(sum, "sum", SUM_HELP, dec, exact, sum_dec_result);
static const struct wr_agg sum_ivl = VARIANT(sum, "sum", SUM_HELP, ivl, ivl, sum_ivl_result);
static const struct wr_agg avg_int = VARIANT(avg, "avg", AVG_HELP, int, exact, avg_dec_result);
static const struct wr_agg avg_dec = VARIANT(avg, "avg", AVG_HELP, dec, exact, avg_dec_result);
static const struct wr_agg avg_ivl = VARIANT(avg, "avg", AVG_HELP, ivl, ivl, avg_ivl_result);
static const struct wr_agg sum_f64 = {
    .name = "sum", .help = SUM_HELP, .min_arg = 1, .max_arg = 1, .bind = sum_bind, .init = f64_init, .add = f64_add, .add_run = f64_add_run,
    .merge = f64_merge, .result = sum_f64_result, .save = f64_save, .load = f64_load, .drop = f64_drop, .heap = f64_heap};
static const struct wr_agg avg_f64 = {
    .name = "avg", .help = AVG_HELP, .min_arg = 1, .max_arg = 1, .bind = avg_bind, .init = f64_init, .add = f64_add, .add_run = f64_add_run,
    .merge = f64_merge, .result = avg_f64_result, .save = f64_save, .load = f64_load, .drop = f64_drop, .heap = f64_heap};

static wr_status sum_bind(struct wr_aggcall *c, struct wr_error *err)
{
    struct wr_type t = c->arg_type[0];
    switch ((enum wr_tid)t.id) {
    case WR_T_INT: return wr_agg_variant(c, &sum_int, WR_TYPE_OF(BIGINT), sizeof(struct sum_exact));
    case WR_T_BIGINT: return wr_agg_variant(c, &sum_bigint, wr_type_decimal(38, 0), sizeof(struct sum_exact));
    case WR_T_DECIMAL: return wr_agg_variant(c, &sum_dec, wr_type_decimal(38, t.scale), sizeof(struct sum_exact));
    case WR_T_DOUBLE: return wr_agg_variant(c, &sum_f64, WR_TYPE_OF(DOUBLE), sizeof(struct sum_f64));
    case WR_T_INTERVAL: return wr_agg_variant(c, &sum_ivl, WR_TYPE_OF(INTERVAL), sizeof(struct sum_ivl));
    case WR_T_NULL: case WR_T_BOOL: case WR_T_TEXT: case WR_T_BYTES: case WR_T_JSON: case WR_T_DATE: case WR_T_TIME: case WR_T_TIMESTAMP:
    case WR_T_TIMESTAMPTZ: case WR_T_ARRAY: case WR_T_ROW: case WR_T_COUNT: break;
    }
    return wr_agg_refuse(c, 0, "a number or INTERVAL", t.id == WR_T_TEXT ? "convert it: CAST(x AS DECIMAL(18,2))" : NULL, err);
}

static wr_status avg_bind(struct wr_aggcall *c, struct wr_error *err)
{
    struct wr_type t = c->arg_type[0];
    int scale = 16;
    switch ((enum wr_tid)t.id) {
    case WR_T_INT:
    case WR_T_BIGINT: return wr_agg_variant(c, &avg_int, wr_type_decimal(38, 16), sizeof(struct sum_exact));
    case WR_T_DECIMAL:
        if (t.prec < 38 && scale > 38 - (t.prec - t.scale)) /* 38 digits are what a sum has, whatever it needs of them: an average that does not fit is bad */
            scale = 38 - (t.prec - t.scale);
        if (scale < 6) /* avg(sum(x)): a sum has all 38 digits by its type, hardly ever by its value */
            scale = 6;
        if (scale < t.scale)
            scale = t.scale;
        return wr_agg_variant(c, &avg_dec, wr_type_decimal(38, scale), sizeof(struct sum_exact));
    case WR_T_DOUBLE: return wr_agg_variant(c, &avg_f64, WR_TYPE_OF(DOUBLE), sizeof(struct sum_f64));
    case WR_T_INTERVAL: return wr_agg_variant(c, &avg_ivl, WR_TYPE_OF(INTERVAL), sizeof(struct sum_ivl));
    case WR_T_NULL: case WR_T_BOOL: case WR_T_TEXT: case WR_T_BYTES: case WR_T_JSON: case WR_T_DATE: case WR_T_TIME: case WR_T_TIMESTAMP:
    case WR_T_TIMESTAMPTZ: case WR_T_ARRAY: case WR_T_ROW: case WR_T_COUNT: break;
    }
    return wr_agg_refuse(c, 0, "a number or INTERVAL", t.id == WR_T_TEXT ? "convert it: CAST(x AS DECIMAL(18,2))" : NULL, err);
}

/* ---- bool_and, bool_or */

struct bools {
    int64_t n_false, n_true;
};

static void bools_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct bools *)state = (struct bools){0};
}

WR_AGG_INLINE void bools_step(const struct wr_aggcall *c WR_UNUSED, struct bools *s, const void *data, uint32_t at, int64_t sign)
{
    bool v = ((const uint8_t *)data)[at];
    s->n_true += v ? sign : 0;
    s->n_false += v ? 0 : sign;
}
WR_AGG_KERNEL(bools, struct bools, bools_step)

static void bools_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    ((struct bools *)into)->n_false += ((const struct bools *)from)->n_false;
    ((struct bools *)into)->n_true += ((const struct bools *)from)->n_true;
}

static bool bools_write(const struct bools *s, bool value, struct wr_vec *out, uint32_t row)
{
    if (s->n_false <= 0 && s->n_true <= 0)
        return wr_agg_null(out, row);
    out->nulls[row] = 0;
    WR_VEC_I8(out)[row] = value;
    return true;
}

static bool and_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    return bools_write(state, ((const struct bools *)state)->n_false <= 0, out, row);
}

static bool or_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    return bools_write(state, ((const struct bools *)state)->n_true > 0, out, row);
}

static void bools_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct bools *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    wr_buf_i64(out, s->n_false);
    wr_buf_i64(out, s->n_true);
}

static bool bools_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct bools *s = state;
    return wr_agg_take_version(in) && take_count(in, &s->n_false) && take_count(in, &s->n_true);
}

static wr_status bools_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (c->arg_type[0].id != WR_T_BOOL)
        return wr_agg_refuse(c, 0, "BOOLEAN", "bool_and(price > 100)", err);
    c->distinct = false;
    return wr_agg_variant(c, c->fn, WR_TYPE_OF(BOOL), sizeof(struct bools));
}

#define BOOLS_REST                                                                                                          \
    .min_arg = 1, .max_arg = 1, .bind = bools_bind, .init = bools_init, .add = bools_add, .add_run = bools_add_run,        \
    .merge = bools_merge, .save = bools_save, .load = bools_load

static const struct wr_agg list[] = {
    {.name = "count", .help = COUNT_HELP, .max_arg = 4, .bind = count_bind},
    {.name = "count_if", .help = "count_if(condition): rows for which it is true", .min_arg = 1, .max_arg = 1, .bind = count_if_bind,
     .add = count_if_add, .add_run = count_if_add_run, COUNT_REST},
    {.name = "sum", .help = SUM_HELP, .min_arg = 1, .max_arg = 1, .bind = sum_bind},
    {.name = "avg", .help = AVG_HELP, .min_arg = 1, .max_arg = 1, .bind = avg_bind},
    {.name = "bool_and", .help = "bool_and(x): true if x is true for all rows", .result = and_result, BOOLS_REST},
    {.name = "bool_or", .help = "bool_or(x): true if x is true for any row", .result = or_result, BOOLS_REST},
};
WR_AGG_TABLE(wr_aggs_num, list);

/* agg_stat.c: variance and standard deviation, covariance, correlation, linear regression.
 * Rules:  the result is DOUBLE, also for exact numbers.
 *         Variance of INTEGER, BIGINT, DECIMAL: n, the sum and the sum of squares are exact integers (of the unscaled value; the scale is
 *         divided out at the end), and so is n * sum of squares - sum * sum: the result is rounded only where it becomes a DOUBLE.
 *         Variance of DOUBLE and all of two columns: the plain sums of x, y, x², y², xy in double-double, which merge and retract; what
 *         cancellation leaves below their precision (n * 2^-106 of them) counts as 0, so that equal values have a variance of exactly 0.
 *         NaN or an infinity among the rows makes the result NaN; a number over 2^480 (3e144) makes it an overflow. Both are counted, so that
 *         taking them back restores the result.
 * Memory: states own nothing. */
#include "core/agg_impl.h"

static const double TOO_BIG = 0x1p480;

/* ---- one column of exact numbers: little endian limbs of 64 bits, two's complement where they can be negative */

struct exact {
    uint64_t sum[3], square[5]; /* |x| < 2^127 and fewer than 2^60 rows: 187 and 314 bits */
    int64_t n;                  /* rows */
};

static void exact_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct exact *)state = (struct exact){.n = 0};
}

/* a += b or a -= b; b has nb <= na limbs and is not negative. */
static void limbs_add(uint64_t *a, int na, const uint64_t *b, int nb, bool minus)
{
    uint64_t carry = minus; /* -b = ~b + 1 */
    for (int i = 0; i < na; i++) {
        uint64_t limb = i < nb ? b[i] : 0;
        wr_u128 t = (wr_u128)a[i] + (minus ? ~limb : limb) + carry;
        a[i] = (uint64_t)t;
        carry = (uint64_t)(t >> 64);
    }
}

/* out[na + nb] = a * b */
static void limbs_mul(uint64_t *out, const uint64_t *a, int na, const uint64_t *b, int nb)
{
    memset(out, 0, (size_t)(na + nb) * sizeof *out);
    for (int i = 0; i < na; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < nb; j++) {
            wr_u128 t = (wr_u128)a[i] * b[j] + out[i + j] + carry;
            out[i + j] = (uint64_t)t;
            carry = (uint64_t)(t >> 64);
        }
        out[i + nb] = carry;
    }
}

static double limbs_double(const uint64_t *a, int n)
{
    double d = 0;
    while (n > 0)
        d = d * 0x1p64 + (double)a[--n];
    return d;
}

WR_AGG_INLINE void exact_take(struct exact *s, const uint64_t *size, int limbs, bool negative, int64_t sign)
{
    uint64_t square[4];
    limbs_mul(square, size, limbs, size, limbs);
    limbs_add(s->sum, 3, size, limbs, negative != (sign < 0));
    limbs_add(s->square, 5, square, 2 * limbs, sign < 0);
    s->n += sign;
}

WR_AGG_INLINE void exact_i64_step(const struct wr_aggcall *c WR_UNUSED, struct exact *s, const void *data, uint32_t at, int64_t sign)
{
    int64_t v = ((const int64_t *)data)[at];
    uint64_t size = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    exact_take(s, &size, 1, v < 0, sign);
}
WR_AGG_INLINE void exact_dec_step(const struct wr_aggcall *c WR_UNUSED, struct exact *s, const void *data, uint32_t at, int64_t sign)
{
    wr_i128 v = ((const wr_i128 *)data)[at];
    wr_u128 u = v < 0 ? 0 - (wr_u128)v : (wr_u128)v;
    uint64_t size[2] = {(uint64_t)u, (uint64_t)(u >> 64)};
    exact_take(s, size, 2, v < 0, sign);
}
WR_AGG_KERNEL(exact_i64, struct exact, exact_i64_step)
WR_AGG_KERNEL(exact_dec, struct exact, exact_dec_step)

static void exact_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    struct exact *s = into;
    const struct exact *f = from;
    limbs_add(s->sum, 3, f->sum, 3, false);
    limbs_add(s->square, 5, f->square, 5, false);
    s->n += f->n;
}

/* n * sum of squares - sum * sum, which is n times the sum of squares around the mean. n > 0. */
static double exact_spread(const struct exact *s)
{
    static const uint64_t zero[3] = {0};
    uint64_t sum[3] = {0}, n = (uint64_t)s->n, sum2[6], spread[6];
    bool negative = s->sum[2] >> 63;
    limbs_add(sum, 3, negative ? zero : s->sum, 3, false);
    if (negative)
        limbs_add(sum, 3, s->sum, 3, true);
    limbs_mul(sum2, sum, 3, sum, 3);
    limbs_mul(spread, s->square, 5, &n, 1);
    limbs_add(spread, 6, sum2, 6, true);
    return spread[5] >> 63 ? 0 : limbs_double(spread, 6); /* negative: only in a state that is partial or rubbish */
}

static void exact_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct exact *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    for (int i = 0; i < 3; i++)
        wr_buf_i64(out, (int64_t)s->sum[i]);
    for (int i = 0; i < 5; i++)
        wr_buf_i64(out, (int64_t)s->square[i]);
    wr_buf_i64(out, s->n);
}

static bool exact_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct exact *s = state;
    int64_t limb[9];
    if (!wr_agg_take_version(in))
        return false;
    for (int i = 0; i < 9; i++)
        if (!wr_take_i64(in, &limb[i]))
            return false;
    memcpy(s->sum, limb, sizeof s->sum);
    memcpy(s->square, limb + 3, sizeof s->square);
    s->n = limb[8];
    return s->n < INT64_MAX >> 8 && s->n > -(INT64_MAX >> 8);
}

/* ---- one column of DOUBLE */

struct moments {
    struct wr_dd sum, square;      /* of x, of x * x */
    int64_t n, n_odd, n_big;       /* rows; of them NaN or infinite; over TOO_BIG */
};

static void moments_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct moments *)state = (struct moments){.n = 0};
}

/* Nothing left means nothing, also of the last bits. */
static void moments_settle(const struct wr_aggcall *c, struct moments *s)
{
    if (s->n == 0 && !c->partial)
        *s = (struct moments){.n = 0};
}

WR_AGG_INLINE void moments_f64_step(const struct wr_aggcall *c, struct moments *s, const void *data, uint32_t at, int64_t sign)
{
    struct wr_dd x = {((const double *)data)[at], 0};
    s->n += sign;
    if (!isfinite(x.hi)) {
        s->n_odd += sign;
    } else if (fabs(x.hi) > TOO_BIG) {
        s->n_big += sign;
    } else {
        struct wr_dd xx = wr_dd_mul(x, x);
        s->sum = wr_dd_plus(s->sum, sign < 0 ? -x.hi : x.hi);
        s->square = wr_dd_add(s->square, sign < 0 ? wr_dd_neg(xx) : xx);
    }
    if (sign < 0)
        moments_settle(c, s);
}

WR_AGG_KERNEL(moments_f64, struct moments, moments_f64_step)

static void moments_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    struct moments *s = into;
    const struct moments *f = from;
    s->sum = wr_dd_add(s->sum, f->sum);
    s->square = wr_dd_add(s->square, f->square);
    s->n += f->n;
    s->n_odd += f->n_odd;
    s->n_big += f->n_big;
    if (f->n < 0)
        moments_settle(c, s);
}

/* Sum of (x - mean x) * (y - mean y) from the plain sums; 0 if it is below their precision. size: what the sums cancel from. */
static double centred(struct wr_dd xy, struct wr_dd x, struct wr_dd y, double n, double size)
{
    struct wr_dd v = wr_dd_add(xy, wr_dd_neg(wr_dd_mul(wr_dd_div(x, n), y)));
    double d = v.hi + v.lo;
    return fabs(d) <= n * size * 0x1p-106 ? 0 : d;
}

/* The same for squares: never negative. */
static double centred_square(struct wr_dd xx, struct wr_dd x, double n)
{
    double d = centred(xx, x, x, n, fabs(xx.hi));
    return d > 0 ? d : 0;
}

/* Common end of all results here: NULL below `least` rows, NaN, overflow; otherwise *out = value. */
static bool write_double(struct wr_vec *out, uint32_t row, double value)
{
    out->nulls[row] = 0;
    WR_VEC_F64(out)[row] = value;
    return isfinite(value);
}

static bool write_nan(struct wr_vec *out, uint32_t row)
{
    (void)write_double(out, row, (double)NAN);
    return true;
}

static bool moments_value(const struct moments *s, bool sample, bool root, struct wr_vec *out, uint32_t row)
{
    if (s->n < 1 + sample)
        return wr_agg_null(out, row);
    if (s->n_odd > 0)
        return write_nan(out, row);
    double n = (double)s->n, v = centred_square(s->square, s->sum, n) / (sample ? n - 1 : n);
    return write_double(out, row, root ? sqrt(v) : v) && s->n_big <= 0;
}

static bool exact_value(const struct wr_aggcall *c, const struct exact *s, bool sample, bool root, struct wr_vec *out, uint32_t row)
{
    if (s->n < 1 + sample)
        return wr_agg_null(out, row);
    double n = (double)s->n, v = exact_spread(s) / n / (sample ? n - 1 : n);
    double scale = pow(10, wr_agg_phys(c, 0) == WR_P_I128 ? c->arg_type[0].scale : 0);
    return write_double(out, row, root ? sqrt(v) / scale : v / (scale * scale));
}

/* One result over either kind of state. */
#define MOMENTS_RESULT(NAME, sample, root)                                                                                          \
    static bool NAME##_f64(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED) \
    {                                                                                                                               \
        return moments_value(state, sample, root, out, row);                                                                        \
    }                                                                                                                               \
    static bool NAME##_exact(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED) \
    {                                                                                                                               \
        return exact_value(c, state, sample, root, out, row);                                                                       \
    }
MOMENTS_RESULT(stddev_samp, true, true)
MOMENTS_RESULT(stddev_pop, false, true)
MOMENTS_RESULT(var_samp, true, false)
MOMENTS_RESULT(var_pop, false, false)

static void put_dd(struct wr_buf *out, struct wr_dd v)
{
    wr_agg_put_f64(out, v.hi);
    wr_agg_put_f64(out, v.lo);
}

static bool take_dd(struct wr_str *in, struct wr_dd *v)
{
    return wr_agg_take_f64(in, &v->hi) && wr_agg_take_f64(in, &v->lo);
}

static bool take_counts(struct wr_str *in, int64_t *n, int64_t *n_odd, int64_t *n_big)
{
    const int64_t most = INT64_MAX >> 8; /* no merge of such overflows */
    return wr_take_i64(in, n) && wr_take_i64(in, n_odd) && wr_take_i64(in, n_big) && *n < most && *n > -most && *n_odd < most &&
           *n_odd > -most && *n_big < most && *n_big > -most;
}

static void moments_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct moments *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    put_dd(out, s->sum);
    put_dd(out, s->square);
    wr_buf_i64(out, s->n);
    wr_buf_i64(out, s->n_odd);
    wr_buf_i64(out, s->n_big);
}

static bool moments_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct moments *s = state;
    return wr_agg_take_version(in) && take_dd(in, &s->sum) && take_dd(in, &s->square) && take_counts(in, &s->n, &s->n_odd, &s->n_big);
}

/* ---- two columns: f(y, x), as in SQL */

struct pairs {
    struct wr_dd x, y, xx, yy, xy; /* sums */
    int64_t n, n_odd, n_big;       /* pairs; with NaN or infinity; with a number over TOO_BIG */
};

static void pairs_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct pairs *)state = (struct pairs){.n = 0};
}

static void pairs_settle(const struct wr_aggcall *c, struct pairs *s)
{
    if (s->n == 0 && !c->partial)
        *s = (struct pairs){.n = 0};
}

static void pairs_sums(struct pairs *s, double y, double x, double sign)
{
    struct wr_dd a = {x, 0}, b = {y, 0}, sa = {sign * x, 0}, sb = {sign * y, 0};
    s->x = wr_dd_plus(s->x, sa.hi);
    s->y = wr_dd_plus(s->y, sb.hi);
    s->xx = wr_dd_add(s->xx, wr_dd_mul(sa, a));
    s->yy = wr_dd_add(s->yy, wr_dd_mul(sb, b));
    s->xy = wr_dd_add(s->xy, wr_dd_mul(sa, b));
}

WR_AGG_INLINE void pairs_step(const struct wr_aggcall *c, struct pairs *s, const struct wr_batch *in, uint32_t row)
{
    const struct wr_vec *vy = wr_agg_arg(c, in, 0), *vx = wr_agg_arg(c, in, 1);
    if (wr_vec_null(vy, row) || wr_vec_null(vx, row))
        return;
    double y = WR_VEC_F64(vy)[wr_vec_at(vy, row)], x = WR_VEC_F64(vx)[wr_vec_at(vx, row)];
    int64_t sign = wr_agg_sign(in, row);
    s->n += sign;
    if (!isfinite(x) || !isfinite(y))
        s->n_odd += sign;
    else if (fabs(x) > TOO_BIG || fabs(y) > TOO_BIG)
        s->n_big += sign;
    else
        pairs_sums(s, y, x, (double)sign);
    if (sign < 0)
        pairs_settle(c, s);
}
WR_AGG_ROWS(pairs, struct pairs, pairs_step)

static void pairs_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    struct pairs *s = into;
    const struct pairs *f = from;
    s->x = wr_dd_add(s->x, f->x);
    s->y = wr_dd_add(s->y, f->y);
    s->xx = wr_dd_add(s->xx, f->xx);
    s->yy = wr_dd_add(s->yy, f->yy);
    s->xy = wr_dd_add(s->xy, f->xy);
    s->n += f->n;
    s->n_odd += f->n_odd;
    s->n_big += f->n_big;
    if (f->n < 0)
        pairs_settle(c, s);
}

static void pairs_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct pairs *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    put_dd(out, s->x);
    put_dd(out, s->y);
    put_dd(out, s->xx);
    put_dd(out, s->yy);
    put_dd(out, s->xy);
    wr_buf_i64(out, s->n);
    wr_buf_i64(out, s->n_odd);
    wr_buf_i64(out, s->n_big);
}

static bool pairs_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    struct pairs *s = state;
    return wr_agg_take_version(in) && take_dd(in, &s->x) && take_dd(in, &s->y) && take_dd(in, &s->xx) && take_dd(in, &s->yy) &&
           take_dd(in, &s->xy) && take_counts(in, &s->n, &s->n_odd, &s->n_big);
}

/* The sums around the means, from which all results come. */
struct central {
    double n, mean_x, mean_y, sxx, syy, sxy;
};

static double dd_mean(struct wr_dd v, double n)
{
    v = wr_dd_div(v, n);
    return v.hi + v.lo;
}

static struct central central_of(const struct pairs *s)
{
    double n = (double)s->n;
    return (struct central){
        .n = n,
        .mean_x = dd_mean(s->x, n),
        .mean_y = dd_mean(s->y, n),
        .sxx = centred_square(s->xx, s->x, n),
        .syy = centred_square(s->yy, s->y, n),
        .sxy = centred(s->xy, s->x, s->y, n, sqrt(fabs(s->xx.hi)) * sqrt(fabs(s->yy.hi))),
    };
}

/* Each gives its value; *null: there is none. */
static double f_covar_pop(const struct central *m, bool *null WR_UNUSED) { return m->sxy / m->n; }
static double f_covar_samp(const struct central *m, bool *null) { *null = m->n < 2; return *null ? 0 : m->sxy / (m->n - 1); }
static double f_corr(const struct central *m, bool *null)
{
    *null = m->sxx == 0 || m->syy == 0;
    if (*null)
        return 0;
    double both = m->sxx * m->syy; /* one root is nearer than two, where the product can be had */
    double r = m->sxy / (isnormal(both) ? sqrt(both) : sqrt(m->sxx) * sqrt(m->syy));
    return r > 1 ? 1 : r < -1 ? -1 : r;
}
static double f_slope(const struct central *m, bool *null) { *null = m->sxx == 0; return *null ? 0 : m->sxy / m->sxx; }
static double f_intercept(const struct central *m, bool *null) { return m->mean_y - f_slope(m, null) * m->mean_x; }
static double f_r2(const struct central *m, bool *null)
{
    *null = m->sxx == 0;
    if (*null || m->syy == 0)
        return 1;
    double r = f_corr(m, null);
    return r * r;
}
static double f_avgx(const struct central *m, bool *null WR_UNUSED) { return m->mean_x; }
static double f_avgy(const struct central *m, bool *null WR_UNUSED) { return m->mean_y; }
static double f_sxx(const struct central *m, bool *null WR_UNUSED) { return m->sxx; }
static double f_syy(const struct central *m, bool *null WR_UNUSED) { return m->syy; }
static double f_sxy(const struct central *m, bool *null WR_UNUSED) { return m->sxy; }

static bool pairs_value(const struct pairs *s, double (*f)(const struct central *, bool *), struct wr_vec *out, uint32_t row)
{
    if (s->n <= 0)
        return wr_agg_null(out, row);
    if (s->n_odd > 0)
        return write_nan(out, row);
    struct central m = central_of(s);
    bool null = false;
    double v = f(&m, &null);
    if (null)
        return wr_agg_null(out, row);
    return write_double(out, row, v) && s->n_big <= 0;
}

#define PAIRS_RESULT(NAME)                                                                                                             \
    static bool NAME##_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED) \
    {                                                                                                                                  \
        return pairs_value(state, f_##NAME, out, row);                                                                                 \
    }
PAIRS_RESULT(covar_pop)
PAIRS_RESULT(covar_samp)
PAIRS_RESULT(corr)
PAIRS_RESULT(slope)
PAIRS_RESULT(intercept)
PAIRS_RESULT(r2)
PAIRS_RESULT(avgx)
PAIRS_RESULT(avgy)
PAIRS_RESULT(sxx)
PAIRS_RESULT(syy)
PAIRS_RESULT(sxy)

static bool regr_count_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    out->nulls[row] = 0;
    WR_VEC_I64(out)[row] = ((const struct pairs *)state)->n;
    return true;
}

/* ---- the table */

static wr_status pairs_bind(struct wr_aggcall *c, struct wr_error *err)
{
    for (int i = 0; i < 2; i++) {
        if (!wr_type_is_number(c->arg_type[i]))
            return wr_agg_refuse(c, i, "numbers", NULL, err);
        c->arg_type[i] = WR_TYPE_OF(DOUBLE);
    }
    return wr_agg_variant(c, c->fn, WR_TYPE_OF(DOUBLE), sizeof(struct pairs));
}

static wr_status regr_count_bind(struct wr_aggcall *c, struct wr_error *err)
{
    wr_status st = pairs_bind(c, err);
    c->ret = WR_TYPE_OF(BIGINT);
    return st;
}

static wr_status moments_bind(struct wr_aggcall *c, struct wr_error *err);

#define PAIRS(NAME, res, HELP)                                                                                                            \
    {.name = NAME, .help = HELP, .min_arg = 2, .max_arg = 2, .bind = pairs_bind, .init = pairs_init, .add = pairs_add,                    \
     .add_run = pairs_add_run, .merge = pairs_merge, .result = res, .save = pairs_save, .load = pairs_load}
#define MOMENTS(f, state, phys, kind, HELP)                                                                                               \
    {.name = #f, .help = HELP, .min_arg = 1, .max_arg = 1, .bind = moments_bind, .init = state##_init, .add = state##_##phys##_add,       \
     .add_run = state##_##phys##_add_run, .merge = state##_merge, .result = f##_##kind, .save = state##_save, .load = state##_load}
#define MOMENTS_ALL(state, phys, kind)                                                                              \
    MOMENTS(stddev_samp, state, phys, kind, "stddev_samp(x), stddev(x): standard deviation of a sample, as DOUBLE"), \
    MOMENTS(stddev_pop, state, phys, kind, "stddev_pop(x): standard deviation of the population, as DOUBLE"),        \
    MOMENTS(var_samp, state, phys, kind, "var_samp(x), variance(x): variance of a sample, as DOUBLE"),               \
    MOMENTS(var_pop, state, phys, kind, "var_pop(x): variance of the population, as DOUBLE")

enum { N_MOMENTS = 4 };
static const struct wr_agg of_i64[N_MOMENTS] = {MOMENTS_ALL(exact, i64, exact)}, of_dec[N_MOMENTS] = {MOMENTS_ALL(exact, dec, exact)};

static const struct wr_agg list[] = {
    MOMENTS_ALL(moments, f64, f64),
    PAIRS("covar_pop", covar_pop_result, "covar_pop(y, x): covariance of the population"),
    PAIRS("covar_samp", covar_samp_result, "covar_samp(y, x): covariance of a sample"),
    PAIRS("corr", corr_result, "corr(y, x): correlation, -1 to 1"),
    PAIRS("regr_slope", slope_result, "regr_slope(y, x): slope of the line of least squares"),
    PAIRS("regr_intercept", intercept_result, "regr_intercept(y, x): where that line meets x = 0"),
    PAIRS("regr_r2", r2_result, "regr_r2(y, x): square of the correlation"),
    PAIRS("regr_avgx", avgx_result, "regr_avgx(y, x): average of x over the pairs"),
    PAIRS("regr_avgy", avgy_result, "regr_avgy(y, x): average of y over the pairs"),
    PAIRS("regr_sxx", sxx_result, "regr_sxx(y, x): sum of squares of x around its mean"),
    PAIRS("regr_syy", syy_result, "regr_syy(y, x): sum of squares of y around its mean"),
    PAIRS("regr_sxy", sxy_result, "regr_sxy(y, x): sum of products around the means"),
    {.name = "regr_count", .help = "regr_count(y, x): pairs in which neither is NULL", .min_arg = 2, .max_arg = 2, .bind = regr_count_bind,
     .init = pairs_init, .add = pairs_add, .add_run = pairs_add_run, .merge = pairs_merge, .result = regr_count_result, .save = pairs_save,
     .load = pairs_load},
};
WR_AGG_TABLE(wr_aggs_stat, list);

static wr_status moments_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (!wr_type_is_number(c->arg_type[0]))
        return wr_agg_refuse(c, 0, "a number", NULL, err);
    enum wr_phys p = wr_agg_phys(c, 0);
    const struct wr_agg *of_type = p == WR_P_I64 ? of_i64 : p == WR_P_I128 ? of_dec : list;
    int i = 0;
    while (strcmp(of_type[i].name, c->fn->name) != 0)
        i++;
    return wr_agg_variant(c, &of_type[i], WR_TYPE_OF(DOUBLE), of_type == list ? sizeof(struct moments) : sizeof(struct exact));
}

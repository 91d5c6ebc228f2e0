/* func_num.c: arithmetic operators on numbers. Dates and intervals: func_time.c. Functions of numbers: func_math.c.
 * Rules:  - integers never wrap: a result outside its type makes the row bad (overflow), so does a division by zero;
 *         - DECIMAL is exact. Result types: + -  max whole digits + 1, max scale; *  sums of digits and scales, capped at 38 digits (then the
 *           scale gives way, down to 6); /  at least 16 digits behind the point where they fit; %  the larger scale;
 *         - DOUBLE follows PostgreSQL: a result that becomes infinite from finite arguments is an overflow.
 *         Kernels run over rubbish in NULL rows (WR_F_LOOSE): the loop notes that something overflowed, a second one looks which rows it was. */
#include "core/decimal.h"
#include "core/divide.h"
#include "core/kernel.h"
#include <math.h>

static void bad_overflow(struct wr_eval *ev, const struct wr_vec *out, uint32_t row)
{
    if (WR_OUT_NULL(out, row))
        return;
    struct wr_arena tmp = {0};
    struct wr_str type = wr_type_name(&tmp, out->type);
    wr_eval_bad(ev, row, WR_R_OVERFLOW, "%.*s out of range", WR_FMT(type));
    wr_arena_clear(&tmp);
}

static void bad_zero(struct wr_eval *ev, const struct wr_vec *out, uint32_t row)
{
    if (!WR_OUT_NULL(out, row))
        wr_eval_bad(ev, row, WR_R_DIV_ZERO, NULL);
}

/* ---- integers ---- */

/* Sums and products of int64; *over gets its sign bit set if any of them left the range. `sign bits` instead of branches: the loops vectorise. */
#define INT_LOOP(name, expr, flag)                                                                                                  \
    WR_INLINE void name(const void *a, bool ca, const void *b, bool cb, int64_t *res, uint64_t *over, const uint32_t *sel, uint32_t n) \
    {                                                                                                                               \
        const uint64_t *pa = a, *pb = b;                                                                                            \
        uint64_t any = 0;                                                                                                           \
        for (uint32_t k = 0; k < n; k++) {                                                                                          \
            uint32_t row = sel ? sel[k] : k;                                                                                        \
            uint64_t x = pa[ca ? 0 : row], y = pb[cb ? 0 : row];                                                                    \
            uint64_t r = (expr);                                                                                                    \
            res[row] = (int64_t)r;                                                                                                  \
            any |= (flag);                                                                                                          \
        }                                                                                                                           \
        *over = any;                                                                                                                \
    }
#define NOT_32(r) (((r) + 0x80000000u) >> 32 ? UINT64_C(1) << 63 : 0)
INT_LOOP(add_l, x + y, (x ^ r) & (y ^ r))
INT_LOOP(sub_l, x - y, (x ^ y) & (x ^ r))
INT_LOOP(add_i, x + y, NOT_32(r))
INT_LOOP(sub_i, x - y, NOT_32(r))
INT_LOOP(mul_i, x * y, NOT_32(r))
INT_LOOP(mul_small, x * y, NOT_32(x) | NOT_32(y)) /* flags what may overflow: a product of two 32-bit numbers cannot */
INT_LOOP(mul_l, x * y, (uint64_t)__builtin_mul_overflow((int64_t)x, (int64_t)y, &(int64_t){0}) << 63)

static bool add_over(int64_t x, int64_t y, int64_t *r) { return __builtin_add_overflow(x, y, r); }
static bool sub_over(int64_t x, int64_t y, int64_t *r) { return __builtin_sub_overflow(x, y, r); }
static bool mul_over(int64_t x, int64_t y, int64_t *r) { return __builtin_mul_overflow(x, y, r); }
static bool narrow(int64_t r) { return r == (int32_t)r; }

/* Which rows were it? */
static void find_overflow(struct wr_eval *ev, const struct wr_call *c, bool (*op)(int64_t, int64_t, int64_t *), struct wr_vec *out,
                          const uint32_t *sel, uint32_t n)
{
    bool is32 = out->type.id == WR_T_INT;
    WR_ROWS(row) {
        int64_t r;
        if (op(WR_ARG_I(0, row), WR_ARG_I(1, row), &r) || (is32 && !narrow(r)))
            bad_overflow(ev, out, row);
    }
}

#define INT_KERNEL(name, loop, op)                                                    \
    WR_WIDE WR_KERNEL(name)                                                           \
    {                                                                                 \
        uint64_t over = 0;                                                            \
        WR_LOOP_2(loop, &c->arg[0], &c->arg[1], WR_VEC_I64(out), &over);              \
        if (over >> 63)                                                               \
            find_overflow(ev, c, op, out, sel, n);                                    \
    }
INT_KERNEL(k_add_i, add_i, add_over)
INT_KERNEL(k_add_l, add_l, add_over)
INT_KERNEL(k_sub_i, sub_i, sub_over)
INT_KERNEL(k_sub_l, sub_l, sub_over)
INT_KERNEL(k_mul_i, mul_i, mul_over)

WR_WIDE WR_KERNEL(k_mul_l)
{
    uint64_t over = 0;
    WR_LOOP_2(mul_small, &c->arg[0], &c->arg[1], WR_VEC_I64(out), &over);
    if (over >> 63)
        WR_LOOP_2(mul_l, &c->arg[0], &c->arg[1], WR_VEC_I64(out), &over);
    if (over >> 63)
        find_overflow(ev, c, mul_over, out, sel, n);
}

/* The divisor is a constant that no dividend makes fail. */
static bool plain_divisor(const struct wr_call *c, struct wr_divisor *by)
{
    if (!c->arg[1].constant || c->arg[0].constant || WR_ARG_I(1, 0) < 1)
        return false;
    *by = wr_divisor_of(WR_ARG_I(1, 0));
    return true;
}
WR_INLINE void divide_loop(bool rest, const int64_t *x, struct wr_divisor by, int64_t *res, const uint32_t *sel, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = sel ? sel[k] : k;
        int64_t q = wr_divide(x[row], &by);
        res[row] = rest ? x[row] - q * by.d : q;
    }
}
static void divide_by(bool rest, const int64_t *x, struct wr_divisor by, int64_t *res, const uint32_t *sel, uint32_t n)
{
    if (rest && sel)
        divide_loop(true, x, by, res, sel, n);
    else if (rest)
        divide_loop(true, x, by, res, NULL, n);
    else if (sel)
        divide_loop(false, x, by, res, sel, n);
    else
        divide_loop(false, x, by, res, NULL, n);
}

WR_KERNEL(k_div_l) /* also INTEGER */
{
    struct wr_divisor by;
    if (plain_divisor(c, &by)) {
        divide_by(false, WR_VEC_I64(&c->arg[0]), by, WR_VEC_I64(out), sel, n);
        return;
    }
    bool is32 = out->type.id == WR_T_INT;
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row), y = WR_ARG_I(1, row), r = 0;
        if (y == 0)
            bad_zero(ev, out, row);
        else if (y == -1 && (x == INT64_MIN || (is32 && x == INT32_MIN)))
            bad_overflow(ev, out, row);
        else
            r = x / y;
        WR_VEC_I64(out)[row] = r;
    }
}

WR_KERNEL(k_mod_l)
{
    struct wr_divisor by;
    if (plain_divisor(c, &by)) {
        divide_by(true, WR_VEC_I64(&c->arg[0]), by, WR_VEC_I64(out), sel, n);
        return;
    }
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row), y = WR_ARG_I(1, row), r = 0;
        if (y == 0)
            bad_zero(ev, out, row);
        else
            r = y == -1 ? 0 : x % y;
        WR_VEC_I64(out)[row] = r;
    }
}

WR_KERNEL(k_neg_l)
{
    bool is32 = out->type.id == WR_T_INT;
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row);
        WR_VEC_I64(out)[row] = (int64_t)-(uint64_t)x;
        if (x == (is32 ? INT32_MIN : INT64_MIN))
            bad_overflow(ev, out, row);
    }
}

/* ---- doubles ---- */

/* *over: a result is infinite or NaN, that is its exponent is all ones and overflows when one is added. Whole numbers: the loops vectorise. */
WR_INLINE uint64_t double_bits(double d)
{
    uint64_t u;
    memcpy(&u, &d, sizeof u);
    return u;
}
#define DBL_LOOP(name, expr)                                                                                                        \
    WR_INLINE void name(const void *a, bool ca, const void *b, bool cb, double *res, bool *over, const uint32_t *sel, uint32_t n)   \
    {                                                                                                                               \
        const double *pa = a, *pb = b;                                                                                              \
        uint64_t any = 0;                                                                                                           \
        for (uint32_t k = 0; k < n; k++) {                                                                                          \
            uint32_t row = sel ? sel[k] : k;                                                                                        \
            double x = pa[ca ? 0 : row], y = pb[cb ? 0 : row], r = (expr);                                                          \
            res[row] = r;                                                                                                           \
            any |= (double_bits(r) & UINT64_C(0x7FFFFFFFFFFFFFFF)) + UINT64_C(0x0010000000000000);                                  \
        }                                                                                                                           \
        *over = any >> 63;                                                                                                          \
    }
DBL_LOOP(add_d, x + y)
DBL_LOOP(sub_d, x - y)
DBL_LOOP(mul_d, x * y)
DBL_LOOP(div_d, x / y)

static void find_infinite(struct wr_eval *ev, const struct wr_call *c, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row)
        if (isinf(WR_VEC_F64(out)[row]) && !isinf(WR_ARG_D(0, row)) && !isinf(WR_ARG_D(1, row)))
            bad_overflow(ev, out, row);
}

#define DBL_KERNEL(name, loop)                                                        \
    WR_KERNEL(name)                                                                   \
    {                                                                                 \
        bool over = false;                                                            \
        WR_LOOP_2(loop, &c->arg[0], &c->arg[1], WR_VEC_F64(out), &over);              \
        if (over)                                                                     \
            find_infinite(ev, c, out, sel, n);                                        \
    }
DBL_KERNEL(k_add_d, add_d)
DBL_KERNEL(k_sub_d, sub_d)
DBL_KERNEL(k_mul_d, mul_d)

WR_KERNEL(k_div_d)
{
    bool over = false; /* also for a division by zero */
    WR_LOOP_2(div_d, &c->arg[0], &c->arg[1], WR_VEC_F64(out), &over);
    if (!over)
        return;
    WR_ROWS(row) {
        double x = WR_ARG_D(0, row), y = WR_ARG_D(1, row), r = 0;
        if (y == 0 && !isnan(x))
            bad_zero(ev, out, row);
        else
            r = x / y;
        if (isinf(r) && !isinf(x))
            bad_overflow(ev, out, row);
        WR_VEC_F64(out)[row] = r;
    }
}

WR_KERNEL(k_mod_d)
{
    WR_ROWS(row) {
        double x = WR_ARG_D(0, row), y = WR_ARG_D(1, row);
        if (y == 0)
            bad_zero(ev, out, row);
        WR_VEC_F64(out)[row] = y == 0 ? 0 : fmod(x, y);
    }
}

WR_KERNEL(k_neg_d) { WR_ROWS(row) WR_VEC_F64(out)[row] = -WR_ARG_D(0, row); }

/* ---- DECIMAL ---- */

static int max_of(int a, int b) { return a > b ? a : b; }
static int min_of(int a, int b) { return a < b ? a : b; }

static bool ret_add(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out, struct wr_error *err WR_UNUSED)
{
    struct wr_type a = arg[0]->type, b = arg[1]->type;
    int scale = max_of(a.scale, b.scale), whole = max_of(a.prec - a.scale, b.prec - b.scale);
    *out = wr_type_decimal(min_of(38, whole + scale + 1), scale);
    return true;
}

static bool ret_mul(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out, struct wr_error *err WR_UNUSED)
{
    struct wr_type a = arg[0]->type, b = arg[1]->type;
    int prec = a.prec + b.prec, scale = a.scale + b.scale;
    if (prec > 38) {
        scale = max_of(scale - (prec - 38), min_of(scale, 6));
        scale = max_of(scale, min_of(38, max_of(a.scale, b.scale))); /* never fewer digits than an argument has */
        prec = 38;
    }
    *out = wr_type_decimal(prec, min_of(scale, 38));
    return true;
}

/* A DECIMAL(38,s) is mostly a sum, whose digits are far from all used: it gets 16 digits behind the point like the others. */
static bool ret_div(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out, struct wr_error *err WR_UNUSED)
{
    struct wr_type a = arg[0]->type, b = arg[1]->type;
    int room = 38 - (a.prec - a.scale + b.scale);
    int scale = a.prec == 38 ? 16 : min_of(16, max_of(room, 6));
    *out = wr_type_decimal(38, max_of(scale, max_of(a.scale, b.scale)));
    return true;
}

static bool ret_mod(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out, struct wr_error *err WR_UNUSED)
{
    struct wr_type a = arg[0]->type, b = arg[1]->type;
    int scale = max_of(a.scale, b.scale), whole = min_of(a.prec - a.scale, b.prec - b.scale);
    *out = wr_type_decimal(min_of(38, max_of(1, whole + scale)), scale);
    return true;
}

/* x*fa + y*fb, in unsigned arithmetic because of rubbish in NULL rows; room enough by the result's type. */
WR_INLINE void add_n(const void *a, bool ca, const void *b, bool cb, wr_u128 *res, wr_u128 fa, wr_u128 fb, const uint32_t *sel, uint32_t n)
{
    const wr_u128 *pa = a, *pb = b;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = sel ? sel[k] : k;
        res[row] = pa[ca ? 0 : row] * fa + pb[cb ? 0 : row] * fb;
    }
}
WR_INLINE void add_n1(const void *a, bool ca, const void *b, bool cb, wr_u128 *res, const uint32_t *sel, uint32_t n)
{
    add_n(a, ca, b, cb, res, 1, 1, sel, n);
}
WR_INLINE void sub_n1(const void *a, bool ca, const void *b, bool cb, wr_u128 *res, const uint32_t *sel, uint32_t n)
{
    add_n(a, ca, b, cb, res, 1, (wr_u128)-1, sel, n);
}
WR_INLINE void mul_n1(const void *a, bool ca, const void *b, bool cb, wr_u128 *res, const uint32_t *sel, uint32_t n)
{
    const wr_u128 *pa = a, *pb = b;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = sel ? sel[k] : k;
        res[row] = pa[ca ? 0 : row] * pb[cb ? 0 : row];
    }
}

static void sum_n(struct wr_eval *ev, const struct wr_call *c, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    const struct wr_vec *a = &c->arg[0], *b = &c->arg[1];
    int s = out->type.scale, sa = a->type.scale, sb = b->type.scale;
    wr_u128 *res = (wr_u128 *)out->data;
    int need = max_of(a->type.prec - sa, b->type.prec - sb) + s + 1;
    if (need <= 38) { /* cannot overflow */
        if (sa == sb && sign > 0)
            WR_LOOP_2(add_n1, a, b, res);
        else if (sa == sb)
            WR_LOOP_2(sub_n1, a, b, res);
        else
            WR_LOOP_2(add_n, a, b, res, (wr_u128)wr_pow10[s - sa], (wr_u128)(wr_pow10[s - sb] * sign));
        return;
    }
    WR_ROWS(row) {
        wr_i128 x = 0, y = 0, r = 0;
        if (WR_OUT_NULL(out, row))
            continue;
        if (!wr_dec_rescale(WR_ARG_N(0, row), sa, s, &x) || !wr_dec_rescale(WR_ARG_N(1, row), sb, s, &y) || !wr_dec_add(x, sign * y, &r))
            bad_overflow(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}
WR_KERNEL(k_add_n) { sum_n(ev, c, 1, out, sel, n); }
WR_KERNEL(k_sub_n) { sum_n(ev, c, -1, out, sel, n); }

WR_KERNEL(k_mul_n)
{
    const struct wr_vec *a = &c->arg[0], *b = &c->arg[1];
    int scale = a->type.scale + b->type.scale, drop = scale - out->type.scale;
    if (a->type.prec + b->type.prec <= 38) {
        WR_LOOP_2(mul_n1, a, b, (wr_u128 *)out->data);
        return;
    }
    WR_ROWS(row) {
        wr_i128 r = 0;
        if (!WR_OUT_NULL(out, row) && !wr_dec_mul(WR_ARG_N(0, row), WR_ARG_N(1, row), drop, &r))
            bad_overflow(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}

WR_KERNEL(k_div_n)
{
    int up = out->type.scale + c->arg[1].type.scale - c->arg[0].type.scale; /* >= 0: the result's scale is at least the dividend's */
    WR_ROWS(row) {
        wr_i128 r = 0;
        if (WR_OUT_NULL(out, row))
            continue;
        if (WR_ARG_N(1, row) == 0)
            bad_zero(ev, out, row);
        else if (!wr_dec_div(WR_ARG_N(0, row), WR_ARG_N(1, row), up, &r))
            bad_overflow(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}

WR_KERNEL(k_mod_n)
{
    int s = max_of(c->arg[0].type.scale, c->arg[1].type.scale);
    WR_ROWS(row) {
        wr_i128 x, y, r = 0;
        if (WR_OUT_NULL(out, row))
            continue;
        if (WR_ARG_N(1, row) == 0)
            bad_zero(ev, out, row);
        else if (!wr_dec_rescale(WR_ARG_N(0, row), c->arg[0].type.scale, s, &x) || !wr_dec_rescale(WR_ARG_N(1, row), c->arg[1].type.scale, s, &y))
            bad_overflow(ev, out, row);
        else
            r = x % y;
        WR_VEC_I128(out)[row] = r;
    }
}

WR_KERNEL(k_neg_n) { WR_ROWS(row) WR_VEC_I128(out)[row] = (wr_i128) - (wr_u128)WR_ARG_N(0, row); }

/* ---- bits ---- */

#define BIT_KERNEL(name, expr)                                          \
    WR_KERNEL(name)                                                     \
    {                                                                   \
        WR_ROWS(row) {                                                  \
            int64_t x = WR_ARG_I(0, row), y = WR_ARG_I(1, row);         \
            WR_VEC_I64(out)[row] = (expr);                              \
        }                                                               \
    }
BIT_KERNEL(k_and, x &y)
BIT_KERNEL(k_or, x | y)
BIT_KERNEL(k_xor, x ^ y)
BIT_KERNEL(k_shl_i, (int32_t)((uint32_t)x << (y & 31)))
BIT_KERNEL(k_shr_i, (int32_t)x >> (y & 31))
BIT_KERNEL(k_shl_l, (int64_t)((uint64_t)x << (y & 63)))
BIT_KERNEL(k_shr_l, x >> (y & 63))
WR_KERNEL(k_bitnot) { WR_ROWS(row) WR_VEC_I64(out)[row] = ~WR_ARG_I(0, row); }

#define L WR_F_LOOSE
static const struct wr_func list[] = {
    {"+", "ii:i", k_add_i, L, NULL, NULL, "a + b: sum; also timestamp + interval, date + days"},
    {"+", "ll:l", k_add_l, L, NULL, NULL, "a + b"},
    {"+", "nn:?", k_add_n, L, ret_add, NULL, "a + b"},
    {"+", "dd:d", k_add_d, L, NULL, NULL, "a + b"},
    {"-", "ii:i", k_sub_i, L, NULL, NULL, "a - b: difference; also between timestamps (an interval) and dates (days)"},
    {"-", "ll:l", k_sub_l, L, NULL, NULL, "a - b"},
    {"-", "nn:?", k_sub_n, L, ret_add, NULL, "a - b"},
    {"-", "dd:d", k_sub_d, L, NULL, NULL, "a - b"},
    {"*", "ii:i", k_mul_i, L, NULL, NULL, "a * b: product; also interval * number"},
    {"*", "ll:l", k_mul_l, L, NULL, NULL, "a * b"},
    {"*", "nn:?", k_mul_n, L, ret_mul, NULL, "a * b"},
    {"*", "dd:d", k_mul_d, L, NULL, NULL, "a * b"},
    {"/", "ii:i", k_div_l, L, NULL, NULL, "a / b: quotient; of two integers the whole part, towards zero"},
    {"/", "ll:l", k_div_l, L, NULL, NULL, "a / b"},
    {"/", "nn:?", k_div_n, L, ret_div, NULL, "a / b"},
    {"/", "dd:d", k_div_d, L, NULL, NULL, "a / b"},
    {"%", "ii:i", k_mod_l, L, NULL, NULL, "a % b: remainder, with the sign of a"},
    {"%", "ll:l", k_mod_l, L, NULL, NULL, "a % b"},
    {"%", "nn:?", k_mod_n, L, ret_mod, NULL, "a % b"},
    {"%", "dd:d", k_mod_d, L, NULL, NULL, "a % b"},
    {"mod", "ii:i", k_mod_l, L, NULL, NULL, "mod(a, b): remainder, with the sign of a"},
    {"mod", "ll:l", k_mod_l, L, NULL, NULL, "mod(a, b)"},
    {"mod", "nn:?", k_mod_n, L, ret_mod, NULL, "mod(a, b)"},
    {"mod", "dd:d", k_mod_d, L, NULL, NULL, "mod(a, b)"},
    {"-", "i:i", k_neg_l, L, NULL, NULL, "-a"},
    {"-", "l:l", k_neg_l, L, NULL, NULL, "-a"},
    {"-", "n:n", k_neg_n, WR_F_TOTAL, NULL, NULL, "-a"},
    {"-", "d:d", k_neg_d, WR_F_TOTAL, NULL, NULL, "-a"},
    {"&", "ii:i", k_and, WR_F_TOTAL, NULL, NULL, "a & b: bitwise and"},
    {"&", "ll:l", k_and, WR_F_TOTAL, NULL, NULL, "a & b: bitwise and"},
    {"|", "ii:i", k_or, WR_F_TOTAL, NULL, NULL, "a | b: bitwise or"},
    {"|", "ll:l", k_or, WR_F_TOTAL, NULL, NULL, "a | b: bitwise or"},
    {"#", "ii:i", k_xor, WR_F_TOTAL, NULL, NULL, "a # b: bitwise exclusive or"},
    {"#", "ll:l", k_xor, WR_F_TOTAL, NULL, NULL, "a # b: bitwise exclusive or"},
    {"~", "i:i", k_bitnot, WR_F_TOTAL, NULL, NULL, "~a: bitwise not"},
    {"~", "l:l", k_bitnot, WR_F_TOTAL, NULL, NULL, "~a: bitwise not"},
    {"<<", "ii:i", k_shl_i, WR_F_TOTAL, NULL, NULL, "a << n: shifted left"},
    {"<<", "ll:l", k_shl_l, WR_F_TOTAL, NULL, NULL, "a << n: shifted left"},
    {">>", "ii:i", k_shr_i, WR_F_TOTAL, NULL, NULL, "a >> n: shifted right"},
    {">>", "ll:l", k_shr_l, WR_F_TOTAL, NULL, NULL, "a >> n: shifted right"},
};
WR_FUNC_TABLE(wr_funcs_num, list);

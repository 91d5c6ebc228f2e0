/* func_math.c: functions of numbers.
 * Rules:  DECIMAL stays exact where the result is a finite decimal (abs, round, ceil ...); roots, logarithms and angles are DOUBLE.
 *         An argument outside a function's domain makes the row bad (argument), an infinite result of finite arguments too (overflow). */
#include "core/decimal.h"
#include "core/kernel.h"
#include <math.h>
#include <stdlib.h>
#include <sys/random.h>

static void bad_range(struct wr_eval *ev, const struct wr_vec *out, uint32_t row)
{
    if (!WR_OUT_NULL(out, row))
        wr_eval_bad(ev, row, WR_R_OVERFLOW, "value out of range");
}

static int min_of(int a, int b) { return a < b ? a : b; }
static int max_of(int a, int b) { return a > b ? a : b; }

/* ---- sign, abs ---- */

WR_KERNEL(k_abs_l)
{
    int64_t least = out->type.id == WR_T_INT ? INT32_MIN : INT64_MIN;
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row);
        WR_VEC_I64(out)[row] = x < 0 ? (int64_t)-(uint64_t)x : x;
        if (x == least)
            bad_range(ev, out, row);
    }
}
WR_KERNEL(k_abs_n)
{
    WR_ROWS(row) {
        wr_i128 x = WR_ARG_N(0, row);
        WR_VEC_I128(out)[row] = x < 0 ? (wr_i128) - (wr_u128)x : x;
    }
}
WR_KERNEL(k_abs_d) { WR_ROWS(row) WR_VEC_F64(out)[row] = fabs(WR_ARG_D(0, row)); }
WR_KERNEL(k_sign_l) { WR_ROWS(row) WR_VEC_I64(out)[row] = (WR_ARG_I(0, row) > 0) - (WR_ARG_I(0, row) < 0); }
WR_KERNEL(k_sign_n) { WR_ROWS(row) WR_VEC_I128(out)[row] = (WR_ARG_N(0, row) > 0) - (WR_ARG_N(0, row) < 0); }
WR_KERNEL(k_sign_d)
{
    WR_ROWS(row) {
        double x = WR_ARG_D(0, row);
        WR_VEC_F64(out)[row] = x > 0 ? 1 : x < 0 ? -1 : x;
    }
}

/* ---- rounding of DECIMAL ---- */

enum way { NEAREST, DOWN, UP, TOWARDS_ZERO };

/* x / 10^drop by one of the ways; drop 0..76. */
static wr_i128 cut(wr_i128 x, int drop, enum way way)
{
    if (drop > 38)
        return way == DOWN && x < 0 ? -1 : way == UP && x > 0 ? 1 : 0;
    wr_i128 p = wr_pow10[drop], q = x / p, r = x % p;
    switch (way) {
    case NEAREST:
        if (r < 0 ? -r >= p - -r : r >= p - r)
            q += x < 0 ? -1 : 1;
        break;
    case DOWN: q -= r < 0; break;
    case UP: q += r > 0; break;
    case TOWARDS_ZERO: break;
    }
    return drop ? q : x;
}

static void round_n(struct wr_eval *ev, const struct wr_call *c, enum way way, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    int s = c->arg[0].type.scale, to = out->type.scale;
    WR_ROWS(row) {
        int64_t digits = c->n_arg == 2 ? WR_ARG_I(1, row) : 0;
        int keep = digits < -38 ? -38 : digits > s ? s : (int)digits;
        wr_i128 v = cut(WR_ARG_N(0, row), s - keep, way), r = 0;
        /* v has scale `keep`, which may be negative; the result has scale `to` */
        if (v != 0 && (to - keep > 38 || !wr_dec_mul(v, wr_pow10[to - keep], 0, &r)))
            bad_range(ev, out, row);
        WR_VEC_I128(out)[row] = r;
    }
}
WR_KERNEL(k_round_n) { round_n(ev, c, NEAREST, out, sel, n); }
WR_KERNEL(k_trunc_n) { round_n(ev, c, TOWARDS_ZERO, out, sel, n); }
WR_KERNEL(k_floor_n) { round_n(ev, c, DOWN, out, sel, n); }
WR_KERNEL(k_ceil_n) { round_n(ev, c, UP, out, sel, n); }

/* round(x, 2) with a constant 2 has two digits behind the point; with a column, as many as x. */
static bool ret_round(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, struct wr_type *out, struct wr_error *err WR_UNUSED)
{
    struct wr_type t = arg[0]->type;
    int whole = t.prec - t.scale, scale = 0;
    if (n == 2) {
        int64_t digits = t.scale;
        if (arg[1]->kind == WR_X_CONST && !arg[1]->u.val.null)
            digits = arg[1]->u.val.as.i;
        scale = digits < 0 ? 0 : digits > 38 - whole - 1 ? max_of(t.scale, 38 - whole - 1) : (int)digits;
    }
    *out = wr_type_decimal(max_of(1, min_of(38, whole + 1 + scale)), scale);
    return true;
}

/* ---- DOUBLE ---- */

#define DBL_FUNC(name, expr)                                                            \
    WR_KERNEL(name)                                                                     \
    {                                                                                   \
        WR_ROWS(row) {                                                                  \
            double x = WR_ARG_D(0, row);                                                \
            WR_VEC_F64(out)[row] = (expr);                                              \
        }                                                                               \
    }
DBL_FUNC(k_ceil_d, ceil(x))
DBL_FUNC(k_floor_d, floor(x))
DBL_FUNC(k_round_d, rint(x))
DBL_FUNC(k_trunc_d, trunc(x))
DBL_FUNC(k_cbrt, cbrt(x))
DBL_FUNC(k_tanh, tanh(x))
DBL_FUNC(k_atan, atan(x))
DBL_FUNC(k_asinh, asinh(x))
DBL_FUNC(k_degrees, x * (180.0 / M_PI))
DBL_FUNC(k_radians, x * (M_PI / 180.0))

/* x to n digits, half away from zero as people expect of written digits. */
static double to_digits(double x, int64_t digits, bool truncate)
{
    if (!isfinite(x) || digits > 300)
        return x;
    if (digits < -308)
        return 0;
    double p = pow(10, (double)(digits < 0 ? -digits : digits));
    double y = digits < 0 ? x / p : x * p;
    if (!isfinite(y) || fabs(y) >= 4503599627370496.0) /* 2^52: no digits left to round */
        return x;
    /* 1.005 * 100 is 100.49999999999999: the nearest double of the product is what was meant */
    double whole = truncate ? trunc(y) : round(y);
    if (!truncate && fabs(fabs(y - trunc(y)) - 0.5) < 1e-9 * fmax(1, fabs(y)) * 1e-4)
        whole = trunc(y) + (y < 0 ? -1 : 1);
    return digits < 0 ? whole * p : whole / p;
}
WR_KERNEL(k_round_dl) { WR_ROWS(row) WR_VEC_F64(out)[row] = to_digits(WR_ARG_D(0, row), WR_ARG_I(1, row), false); }
WR_KERNEL(k_trunc_dl) { WR_ROWS(row) WR_VEC_F64(out)[row] = to_digits(WR_ARG_D(0, row), WR_ARG_I(1, row), true); }

/* Functions with a domain: outside it the row is bad. */
#define DOMAIN_FUNC(name, inside, expr, what)                                           \
    WR_KERNEL(name)                                                                     \
    {                                                                                   \
        WR_ROWS(row) {                                                                  \
            double x = WR_ARG_D(0, row), r = 0;                                         \
            if (isnan(x) || (inside))                                                   \
                r = (expr);                                                             \
            else                                                                        \
                wr_eval_bad(ev, row, WR_R_ARGUMENT, what);                              \
            if (isinf(r) && !isinf(x))                                                  \
                bad_range(ev, out, row);                                                \
            WR_VEC_F64(out)[row] = r;                                                   \
        }                                                                               \
    }
DOMAIN_FUNC(k_sqrt, x >= 0, sqrt(x), "cannot take the square root of a negative number")
DOMAIN_FUNC(k_ln, x > 0, log(x), "cannot take the logarithm of zero or a negative number")
DOMAIN_FUNC(k_log10, x > 0, log10(x), "cannot take the logarithm of zero or a negative number")
DOMAIN_FUNC(k_log2, x > 0, log2(x), "cannot take the logarithm of zero or a negative number")
DOMAIN_FUNC(k_exp, true, exp(x), "input is out of range")
DOMAIN_FUNC(k_sinh, true, sinh(x), "input is out of range")
DOMAIN_FUNC(k_cosh, true, cosh(x), "input is out of range")
DOMAIN_FUNC(k_acosh, x >= 1, acosh(x), "input is out of range")
DOMAIN_FUNC(k_atanh, x >= -1 && x <= 1, atanh(x), "input is out of range")
DOMAIN_FUNC(k_sin, !isinf(x), sin(x), "input is out of range")
DOMAIN_FUNC(k_cos, !isinf(x), cos(x), "input is out of range")
DOMAIN_FUNC(k_tan, !isinf(x), tan(x), "input is out of range")
DOMAIN_FUNC(k_cot, !isinf(x), 1 / tan(x), "input is out of range")
DOMAIN_FUNC(k_asin, x >= -1 && x <= 1, asin(x), "input is out of range")
DOMAIN_FUNC(k_acos, x >= -1 && x <= 1, acos(x), "input is out of range")

WR_KERNEL(k_atan2) { WR_ROWS(row) WR_VEC_F64(out)[row] = atan2(WR_ARG_D(0, row), WR_ARG_D(1, row)); }

WR_KERNEL(k_power)
{
    WR_ROWS(row) {
        double x = WR_ARG_D(0, row), y = WR_ARG_D(1, row), r = 0;
        if (x == 0 && y < 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "zero raised to a negative power is undefined");
        else if (x < 0 && !isinf(x) && !isinf(y) && floor(y) != y && !isnan(y))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "a negative number raised to a non-integer power yields a complex result");
        else
            r = pow(x, y);
        if (isinf(r) && !isinf(x) && !isinf(y))
            bad_range(ev, out, row);
        WR_VEC_F64(out)[row] = r;
    }
}

WR_KERNEL(k_log_b)
{
    WR_ROWS(row) {
        double b = WR_ARG_D(0, row), x = WR_ARG_D(1, row);
        WR_VEC_F64(out)[row] = 0;
        if (b <= 0 || x <= 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "cannot take the logarithm of zero or a negative number");
        else if (b == 1)
            wr_eval_bad(ev, row, WR_R_DIV_ZERO, NULL);
        else
            WR_VEC_F64(out)[row] = b == 10 ? log10(x) : b == 2 ? log2(x) : log(x) / log(b);
    }
}

WR_KERNEL(k_pi) { WR_ROWS(row) WR_VEC_F64(out)[row] = M_PI; }

/* xorshift64*; a generator a thread, seeded from the system. Not for secrets. */
static _Thread_local uint64_t random_state;

uint64_t wr_random_next(void)
{
    if (random_state == 0 && getrandom(&random_state, sizeof random_state, 0) != (ssize_t)sizeof random_state)
        random_state = (uint64_t)(uintptr_t)&random_state;
    random_state += random_state == 0;
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return random_state * UINT64_C(2685821657736338717);
}
WR_KERNEL(k_random) { WR_ROWS(row) WR_VEC_F64(out)[row] = (double)(wr_random_next() >> 11) * 0x1p-53; }

/* ---- whole numbers ---- */

static uint64_t gcd_of(uint64_t a, uint64_t b)
{
    while (b) {
        uint64_t r = a % b;
        a = b;
        b = r;
    }
    return a;
}
static uint64_t size_of(int64_t x) { return x < 0 ? -(uint64_t)x : (uint64_t)x; }

static bool in_type(struct wr_type t, uint64_t v)
{
    return v <= (t.id == WR_T_INT ? (uint64_t)INT32_MAX : (uint64_t)INT64_MAX);
}

WR_KERNEL(k_gcd)
{
    WR_ROWS(row) {
        uint64_t g = gcd_of(size_of(WR_ARG_I(0, row)), size_of(WR_ARG_I(1, row)));
        WR_VEC_I64(out)[row] = (int64_t)g;
        if (!in_type(out->type, g))
            bad_range(ev, out, row);
    }
}
WR_KERNEL(k_lcm)
{
    WR_ROWS(row) {
        uint64_t a = size_of(WR_ARG_I(0, row)), b = size_of(WR_ARG_I(1, row)), r = 0;
        if (a && b && (__builtin_mul_overflow(a / gcd_of(a, b), b, &r) || !in_type(out->type, r)))
            bad_range(ev, out, row);
        WR_VEC_I64(out)[row] = (int64_t)r;
    }
}

WR_KERNEL(k_factorial)
{
    WR_ROWS(row) {
        int64_t x = WR_ARG_I(0, row);
        wr_i128 r = 1;
        if (x < 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "factorial of a negative number is undefined");
        else if (x > 33)
            bad_range(ev, out, row);
        for (int64_t i = 2; x <= 33 && i <= x; i++)
            r *= i;
        WR_VEC_I128(out)[row] = r;
    }
}
static bool ret_whole38(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg WR_UNUSED, int n WR_UNUSED, struct wr_type *out,
                        struct wr_error *err WR_UNUSED)
{
    *out = wr_type_decimal(38, 0);
    return true;
}

/* sign(DECIMAL): a DECIMAL, so that what it is divided by does not cut its fraction off. */
static bool ret_digit(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg WR_UNUSED, int n WR_UNUSED, struct wr_type *out,
                      struct wr_error *err WR_UNUSED)
{
    *out = wr_type_decimal(1, 0);
    return true;
}

/* div(a, b): the quotient's whole part. */
WR_KERNEL(k_div_n)
{
    WR_ROWS(row) {
        wr_i128 x = WR_ARG_N(0, row), y = WR_ARG_N(1, row);
        int sx = c->arg[0].type.scale, sy = c->arg[1].type.scale;
        wr_i128 a = 0, b = 0;
        WR_VEC_I128(out)[row] = 0;
        if (y == 0) {
            wr_eval_bad(ev, row, WR_R_DIV_ZERO, NULL);
            continue;
        }
        if (!wr_dec_rescale(x, sx, max_of(sx, sy), &a) || !wr_dec_rescale(y, sy, max_of(sx, sy), &b))
            bad_range(ev, out, row);
        else
            WR_VEC_I128(out)[row] = a / b;
    }
}

static void hex_of(char text[17], uint64_t v)
{
    static const char digit[] = "0123456789abcdef";
    int n = 1;
    while (n < 16 && v >> (4 * n))
        n++;
    text[n] = 0;
    for (int i = n - 1; i >= 0; i--, v >>= 4)
        text[i] = digit[v & 15];
}
WR_KERNEL(k_to_hex)
{
    bool is32 = c->arg[0].type.id == WR_T_INT;
    WR_ROWS(row) {
        char text[17];
        int64_t x = WR_ARG_I(0, row);
        hex_of(text, is32 ? (uint32_t)x : (uint64_t)x);
        WR_VEC_STR(out)[row] = wr_arena_str(ev->mem, wr_str_c(text));
    }
}

WR_KERNEL(k_width_bucket)
{
    WR_ROWS(row) {
        double x = WR_ARG_D(0, row), lo = WR_ARG_D(1, row), hi = WR_ARG_D(2, row);
        int64_t count = WR_ARG_I(3, row), r = 0;
        if (count <= 0 || count >= INT32_MAX || isnan(x) || !isfinite(lo) || !isfinite(hi) || lo == hi)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, count <= 0 ? "count must be greater than zero" : "bounds must be finite and differ");
        else if (lo < hi)
            r = x < lo ? 0 : x >= hi ? count + 1 : (int64_t)floor((double)count * ((x - lo) / (hi - lo))) + 1;
        else
            r = x > lo ? 0 : x <= hi ? count + 1 : (int64_t)floor((double)count * ((lo - x) / (lo - hi))) + 1;
        WR_VEC_I64(out)[row] = r;
    }
}

WR_KERNEL(k_is_nan) { WR_ROWS(row) WR_VEC_I8(out)[row] = isnan(WR_ARG_D(0, row)) != 0; }

#define T WR_F_TOTAL
static const struct wr_func list[] = {
    {"abs", "i:i", k_abs_l, WR_F_LOOSE, NULL, NULL, "abs(x): absolute value"},
    {"abs", "l:l", k_abs_l, WR_F_LOOSE, NULL, NULL, "abs(x): absolute value"},
    {"abs", "n:n", k_abs_n, T, NULL, NULL, "abs(x): absolute value"},
    {"abs", "d:d", k_abs_d, T, NULL, NULL, "abs(x): absolute value"},
    {"sign", "l:i", k_sign_l, T, NULL, NULL, "sign(x): -1, 0 or 1"},
    {"sign", "n:?", k_sign_n, T, ret_digit, NULL, "sign(x): -1, 0 or 1"},
    {"sign", "d:d", k_sign_d, T, NULL, NULL, "sign(x): -1, 0 or 1"},
    {"ceil", "n:?", k_ceil_n, WR_F_LOOSE, ret_round, NULL, "ceil(x): nearest whole number not below x"},
    {"ceil", "d:d", k_ceil_d, T, NULL, NULL, "ceil(x): nearest whole number not below x"},
    {"ceiling", "n:?", k_ceil_n, WR_F_LOOSE, ret_round, NULL, "ceiling(x): as ceil"},
    {"ceiling", "d:d", k_ceil_d, T, NULL, NULL, "ceiling(x): as ceil"},
    {"floor", "n:?", k_floor_n, WR_F_LOOSE, ret_round, NULL, "floor(x): nearest whole number not above x"},
    {"floor", "d:d", k_floor_d, T, NULL, NULL, "floor(x): nearest whole number not above x"},
    {"round", "n:?", k_round_n, WR_F_LOOSE, ret_round, NULL, "round(x [, digits]): DECIMAL rounds half away from zero, DOUBLE half to even"},
    {"round", "d:d", k_round_d, T, NULL, NULL, "round(x): nearest whole number"},
    {"round", "nl:?", k_round_n, WR_F_LOOSE, ret_round, NULL, "round(x, digits): to so many digits behind the point"},
    {"round", "dl:d", k_round_dl, T, NULL, NULL, "round(x, digits): to so many digits behind the point"},
    {"trunc", "n:?", k_trunc_n, WR_F_LOOSE, ret_round, NULL, "trunc(x [, digits]): cut off towards zero"},
    {"trunc", "d:d", k_trunc_d, T, NULL, NULL, "trunc(x): cut off towards zero"},
    {"trunc", "nl:?", k_trunc_n, WR_F_LOOSE, ret_round, NULL, "trunc(x, digits): cut off towards zero"},
    {"trunc", "dl:d", k_trunc_dl, T, NULL, NULL, "trunc(x, digits): cut off towards zero"},
    {"truncate", "nl:?", k_trunc_n, WR_F_LOOSE, ret_round, NULL, "truncate(x, digits): as trunc"},
    {"truncate", "dl:d", k_trunc_dl, T, NULL, NULL, "truncate(x, digits): as trunc"},
    {"sqrt", "d:d", k_sqrt, 0, NULL, NULL, "sqrt(x): square root"},
    {"cbrt", "d:d", k_cbrt, T, NULL, NULL, "cbrt(x): cube root"},
    {"exp", "d:d", k_exp, WR_F_LOOSE, NULL, NULL, "exp(x): e to the power x"},
    {"ln", "d:d", k_ln, 0, NULL, NULL, "ln(x): natural logarithm"},
    {"log", "d:d", k_log10, 0, NULL, NULL, "log(x): logarithm to base 10; log(b, x): to base b"},
    {"log", "dd:d", k_log_b, 0, NULL, NULL, "log(b, x): logarithm of x to base b"},
    {"log10", "d:d", k_log10, 0, NULL, NULL, "log10(x): logarithm to base 10"},
    {"log2", "d:d", k_log2, 0, NULL, NULL, "log2(x): logarithm to base 2"},
    {"power", "dd:d", k_power, 0, NULL, NULL, "power(a, b): a to the power b"},
    {"pow", "dd:d", k_power, 0, NULL, NULL, "pow(a, b): a to the power b"},
    {"^", "dd:d", k_power, 0, NULL, NULL, "a ^ b: a to the power b"},
    {"div", "nn:?", k_div_n, 0, ret_whole38, NULL, "div(a, b): whole part of a / b"},
    {"sin", "d:d", k_sin, 0, NULL, NULL, "sin(x): sine, x in radians"},
    {"cos", "d:d", k_cos, 0, NULL, NULL, "cos(x): cosine, x in radians"},
    {"tan", "d:d", k_tan, 0, NULL, NULL, "tan(x): tangent, x in radians"},
    {"cot", "d:d", k_cot, 0, NULL, NULL, "cot(x): cotangent, x in radians"},
    {"asin", "d:d", k_asin, 0, NULL, NULL, "asin(x): inverse sine"},
    {"acos", "d:d", k_acos, 0, NULL, NULL, "acos(x): inverse cosine"},
    {"atan", "d:d", k_atan, T, NULL, NULL, "atan(x): inverse tangent"},
    {"atan2", "dd:d", k_atan2, T, NULL, NULL, "atan2(y, x): angle of the point (x, y)"},
    {"sinh", "d:d", k_sinh, WR_F_LOOSE, NULL, NULL, "sinh(x): hyperbolic sine"},
    {"cosh", "d:d", k_cosh, WR_F_LOOSE, NULL, NULL, "cosh(x): hyperbolic cosine"},
    {"tanh", "d:d", k_tanh, T, NULL, NULL, "tanh(x): hyperbolic tangent"},
    {"asinh", "d:d", k_asinh, T, NULL, NULL, "asinh(x): inverse hyperbolic sine"},
    {"acosh", "d:d", k_acosh, 0, NULL, NULL, "acosh(x): inverse hyperbolic cosine"},
    {"atanh", "d:d", k_atanh, 0, NULL, NULL, "atanh(x): inverse hyperbolic tangent"},
    {"degrees", "d:d", k_degrees, T, NULL, NULL, "degrees(x): radians to degrees"},
    {"radians", "d:d", k_radians, T, NULL, NULL, "radians(x): degrees to radians"},
    {"pi", ":d", k_pi, T, NULL, NULL, "pi(): 3.141592653589793"},
    {"random", ":d", k_random, WR_F_VOLATILE, NULL, NULL, "random(): a number from 0 to below 1, another for each row"},
    {"rand", ":d", k_random, WR_F_VOLATILE, NULL, NULL, "rand(): as random"},
    {"gcd", "ii:i", k_gcd, 0, NULL, NULL, "gcd(a, b): greatest common divisor"},
    {"gcd", "ll:l", k_gcd, 0, NULL, NULL, "gcd(a, b): greatest common divisor"},
    {"lcm", "ii:i", k_lcm, 0, NULL, NULL, "lcm(a, b): least common multiple"},
    {"lcm", "ll:l", k_lcm, 0, NULL, NULL, "lcm(a, b): least common multiple"},
    {"factorial", "l:?", k_factorial, 0, ret_whole38, NULL, "factorial(n): 1 * 2 * ... * n, up to n = 33"},
    {"to_hex", "i:t", k_to_hex, 0, NULL, NULL, "to_hex(n): hexadecimal digits"},
    {"to_hex", "l:t", k_to_hex, 0, NULL, NULL, "to_hex(n): hexadecimal digits"},
    {"width_bucket", "dddl:i", k_width_bucket, 0, NULL, NULL, "width_bucket(x, low, high, count): which of count equal buckets x falls in"},
    {"isnan", "d:b", k_is_nan, T, NULL, NULL, "isnan(x): is it not a number"},
    {"is_nan", "d:b", k_is_nan, T, NULL, NULL, "is_nan(x): is it not a number"},
};
WR_FUNC_TABLE(wr_funcs_math, list);

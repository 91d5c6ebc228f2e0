/* decimal.c: exact decimal arithmetic on unscaled 128-bit integers.
 *
 * Rules:  at most 38 digits; rounding is half away from zero, which the first dropped digit decides, so that no remainder needs to be kept.
 *         Products and quotients pass through 256 bits. Short numbers (18 digits and fewer) stay in 64 bits.
 * Memory: none. */
#include "core/decimal.h"
#include "core/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define E18 ((wr_i128)1000000000000000000)
#define E36 (E18 * E18)
const wr_i128 wr_pow10[39] = {
    1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
    10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, E18,
    E18 * 10, E18 * 100, E18 * 1000, E18 * 10000, E18 * 100000, E18 * 1000000, E18 * 10000000, E18 * 100000000, E18 * 1000000000,
    E18 * 10000000000, E18 * 100000000000, E18 * 1000000000000, E18 * 10000000000000, E18 * 100000000000000, E18 * 1000000000000000,
    E18 * 10000000000000000, E18 * 100000000000000000, E36, E36 * 10, E36 * 100,
};

static const uint64_t pow10_u64[20] = {
    1u, 10u, 100u, 1000u, 10000u, 100000u, 1000000u, 10000000u, 100000000u, 1000000000u, 10000000000u, 100000000000u, 1000000000000u,
    10000000000000u, 100000000000000u, 1000000000000000u, 10000000000000000u, 100000000000000000u, 1000000000000000000u,
    10000000000000000000u,
};

static wr_u128 magnitude(wr_i128 v)
{
    return v < 0 ? 0 - (wr_u128)v : (wr_u128)v;
}

/* Sign back on; false: more than 38 digits. */
static bool give(wr_u128 v, bool negative, wr_i128 *out)
{
    if (v >= (wr_u128)wr_pow10[38])
        return false;
    *out = negative ? -(wr_i128)v : (wr_i128)v;
    return true;
}

/* ---- reading */

/* What the text says: v * 10^exp, v of at most 38 digits, and the first digit that was left out behind them. */
struct scan {
    wr_u128 v;
    int n;        /* significant digits in v */
    int next;     /* first digit left out; -1: none was */
    int64_t exp;  /* of the last digit in v */
    bool any;     /* a digit was there */
};

static const char *scan_digits(const char *p, const char *end, struct scan *s, bool fraction)
{
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9)
            break;
        s->any = true;
        if (s->n == 38) {
            if (s->next < 0)
                s->next = (int)digit;
            s->exp += !fraction;
            continue;
        }
        s->v = s->v * 10 + digit;
        s->n += s->v != 0;
        s->exp -= fraction;
    }
    return p;
}

/* e[+-]digits up to the end, held within bounds that nothing reaches. */
static bool scan_exponent(const char *p, const char *end, struct scan *s)
{
    bool negative = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int64_t e = 0;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9)
            return false;
        if (e < INT64_C(10000000000))
            e = e * 10 + digit;
    }
    s->exp += negative ? -e : e;
    return true;
}

/* v * 10^exp at `scale`, rounded; false: more than prec digits. */
static bool place(const struct scan *s, int prec, int scale, wr_u128 *out)
{
    int64_t shift = s->exp + scale;
    wr_u128 v = s->v;
    if (v == 0) {
        *out = 0;
        return true;
    }
    if (shift >= 0) {
        if (s->n + shift > prec)
            return false;
        v = v * (wr_u128)wr_pow10[shift] + (shift == 0 && s->next >= 5);
    } else if (-shift > s->n) {
        v = 0;
    } else {
        v /= (wr_u128)wr_pow10[-shift - 1];
        v = v / 10 + (v % 10 >= 5);
    }
    *out = v;
    return v < (wr_u128)wr_pow10[prec];
}

static bool parse_long(struct wr_str s, int prec, int scale, wr_i128 *out, bool *range)
{
    const char *p = s.p, *end = s.p + s.n;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    struct scan scan = {.next = -1};
    p = scan_digits(p, end, &scan, false);
    if (p < end && *p == '.')
        p = scan_digits(p + 1, end, &scan, true);
    if (!scan.any)
        return false;
    if (p < end && ((*p != 'e' && *p != 'E') || !scan_exponent(p, end, &scan)))
        return false;
    wr_u128 v = 0;
    *range = !place(&scan, prec, scale, &v);
    if (*range)
        return false;
    *out = negative ? -(wr_i128)v : (wr_i128)v;
    return true;
}

bool wr_dec_parse(struct wr_str s, int prec, int scale, wr_i128 *out, bool *range)
{
    *range = false;
    if (s.n == 0)
        return false;
    const char *p = s.p, *end = s.p + s.n;
    bool negative = *p == '-';
    p += negative;
    if (p == end || end - p > 18)
        return parse_long(s, prec, scale, out, range);
    uint64_t v = 0;
    const char *point = NULL;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit <= 9)
            v = v * 10 + digit;
        else if (*p == '.' && !point)
            point = p;
        else
            return parse_long(s, prec, scale, out, range);
    }
    int fraction = point ? (int)(end - point) - 1 : 0;
    int more = scale - fraction;
    if (more < 0 || more > 19 || (point && s.n < 3)) /* digits to round away, a large scale, or a point nearly alone */
        return parse_long(s, prec, scale, out, range);
    wr_u128 u = more == 0 ? v : (wr_u128)v * pow10_u64[more];
    if (u >= (wr_u128)wr_pow10[prec]) {
        *range = true;
        return false;
    }
    *out = negative ? -(wr_i128)u : (wr_i128)u;
    return true;
}

/* ---- printing */

/* Digits of v, last one at end[-1]; at least `least` of them. Returns the first. */
static char *put_digits(char *end, wr_u128 v, int least)
{
    char *p = end;
    while (v > UINT64_MAX) { /* 19 digits at a time keep the divisions in 64 bits */
        uint64_t low = (uint64_t)(v % pow10_u64[19]);
        v /= pow10_u64[19];
        for (int i = 0; i < 19; i++, low /= 10)
            *--p = (char)('0' + low % 10);
    }
    for (uint64_t low = (uint64_t)v; low; low /= 10)
        *--p = (char)('0' + low % 10);
    while (end - p < least)
        *--p = '0';
    return p;
}

void wr_dec_print(struct wr_buf *out, wr_i128 v, int scale)
{
    char text[64], *end = text + sizeof text;
    char *p = put_digits(end, magnitude(v), scale + 1);
    if (v < 0)
        *--p = '-';
    wr_buf_add(out, p, (size_t)(end - p) - (size_t)scale);
    if (scale) {
        wr_buf_putc(out, '.');
        wr_buf_add(out, end - scale, (size_t)scale);
    }
}

/* ---- 256 bits, as four 64-bit limbs, least first */

struct wide {
    uint64_t limb[4];
};

static struct wide wide_mul(wr_u128 a, wr_u128 b)
{
    uint64_t a0 = (uint64_t)a, a1 = (uint64_t)(a >> 64), b0 = (uint64_t)b, b1 = (uint64_t)(b >> 64);
    wr_u128 p00 = (wr_u128)a0 * b0, p01 = (wr_u128)a0 * b1, p10 = (wr_u128)a1 * b0, p11 = (wr_u128)a1 * b1;
    wr_u128 mid = (p00 >> 64) + (uint64_t)p01 + (uint64_t)p10;
    wr_u128 high = p11 + (p01 >> 64) + (p10 >> 64) + (mid >> 64);
    return (struct wide){{(uint64_t)p00, (uint64_t)mid, (uint64_t)high, (uint64_t)(high >> 64)}};
}

/* Divides by d, returns the remainder. */
static uint64_t wide_div_u64(struct wide *w, uint64_t d)
{
    wr_u128 rest = 0;
    for (int i = 3; i >= 0; i--) {
        rest = rest << 64 | w->limb[i];
        w->limb[i] = (uint64_t)(rest / d);
        rest %= d;
    }
    return (uint64_t)rest;
}

/* w * 10^n; false: over 256 bits. */
static bool wide_scale(struct wide *w, int n)
{
    while (n > 0) {
        int step = n < 19 ? n : 19;
        wr_u128 carry = 0;
        for (int i = 0; i < 4; i++) {
            carry += (wr_u128)w->limb[i] * pow10_u64[step];
            w->limb[i] = (uint64_t)carry;
            carry >>= 64;
        }
        if (carry)
            return false;
        n -= step;
    }
    return true;
}

static bool wide_is_small(const struct wide *w)
{
    return w->limb[2] == 0 && w->limb[3] == 0;
}

static wr_u128 wide_low(const struct wide *w)
{
    return (wr_u128)w->limb[1] << 64 | w->limb[0];
}

/* w / d for a quotient below 2^128 and d >= 2^64: schoolbook division with 64-bit digits. *rest: what is left.
 * The estimate of a digit from the two leading digits of the (shifted) divisor is at most one too large after the usual test. */
static bool wide_div(const struct wide *w, wr_u128 d, wr_u128 *quotient, wr_u128 *rest)
{
    int shift = __builtin_clzll((uint64_t)(d >> 64));
    uint64_t n[5];
    for (int i = 4; i >= 0; i--) {
        uint64_t high = i < 4 ? w->limb[i] : 0, low = i > 0 ? w->limb[i - 1] : 0;
        n[i] = shift ? high << shift | low >> (64 - shift) : high;
    }
    d <<= shift;
    uint64_t d1 = (uint64_t)(d >> 64), d0 = (uint64_t)d;
    uint64_t q[3];
    for (int j = 2; j >= 0; j--) {
        wr_u128 top = (wr_u128)n[j + 2] << 64 | n[j + 1];
        wr_u128 guess = top / d1, left = top % d1;
        while (guess >> 64 || guess * d0 > (left << 64 | n[j])) {
            guess--;
            left += d1;
            if (left >> 64)
                break;
        }
        /* n[j..j+2] -= guess * d */
        wr_u128 part0 = guess * d0, part1 = (wr_u128)(uint64_t)guess * d1 + (part0 >> 64);
        wr_i128 t = (wr_i128)n[j] - (uint64_t)part0;
        n[j] = (uint64_t)t;
        t = (wr_i128)n[j + 1] - (uint64_t)part1 + (t >> 64);
        n[j + 1] = (uint64_t)t;
        t = (wr_i128)n[j + 2] - (uint64_t)(part1 >> 64) + (t >> 64);
        n[j + 2] = (uint64_t)t;
        if (t < 0) { /* one too many: add the divisor back */
            guess--;
            wr_u128 sum = (wr_u128)n[j] + d0;
            n[j] = (uint64_t)sum;
            sum = (wr_u128)n[j + 1] + d1 + (sum >> 64);
            n[j + 1] = (uint64_t)sum;
            n[j + 2] += (uint64_t)(sum >> 64);
        }
        q[j] = (uint64_t)guess;
    }
    *quotient = (wr_u128)q[1] << 64 | q[0];
    *rest = ((wr_u128)n[1] << 64 | n[0]) >> shift;
    return q[2] == 0;
}

/* ---- arithmetic */

bool wr_dec_rescale(wr_i128 v, int from, int to, wr_i128 *out)
{
    wr_u128 u = magnitude(v);
    if (to == from)
        return give(u, v < 0, out);
    if (to > from) {
        int up = to - from;
        if (u == 0 || up > 38) {
            *out = 0;
            return u == 0;
        }
        if (u >= (wr_u128)wr_pow10[38 - up])
            return false;
        return give(u * (wr_u128)wr_pow10[up], v < 0, out);
    }
    int down = from - to;
    if (down > 39) {
        *out = 0;
        return true;
    }
    u /= (wr_u128)wr_pow10[down - 1];
    return give(u / 10 + (u % 10 >= 5), v < 0, out);
}

bool wr_dec_add(wr_i128 a, wr_i128 b, wr_i128 *out)
{
    wr_i128 sum;
    if (__builtin_add_overflow(a, b, &sum) || !wr_dec_fits(sum, 38))
        return false;
    *out = sum;
    return true;
}

bool wr_dec_mul(wr_i128 a, wr_i128 b, int drop, wr_i128 *out)
{
    bool negative = (a < 0) != (b < 0);
    struct wide w = wide_mul(magnitude(a), magnitude(b));
    if (drop > 0 && wide_is_small(&w) && drop <= 38) {
        wr_u128 v = wide_low(&w) / (wr_u128)wr_pow10[drop - 1];
        return give(v / 10 + (v % 10 >= 5), negative, out);
    }
    uint64_t digit = 0;
    for (int left = drop - 1; left > 0; left -= 19)
        (void)wide_div_u64(&w, pow10_u64[left < 19 ? left : 19]);
    if (drop > 0)
        digit = wide_div_u64(&w, 10);
    return wide_is_small(&w) && wide_low(&w) < (wr_u128)wr_pow10[38] && give(wide_low(&w) + (digit >= 5), negative, out);
}

bool wr_dec_div(wr_i128 a, wr_i128 b, int up, wr_i128 *out)
{
    bool negative = (a < 0) != (b < 0);
    wr_u128 d = magnitude(b), q, rest;
    struct wide w = wide_mul(magnitude(a), 1);
    if (up < 0) { /* a / (b * 10^-up) */
        struct wide wd = wide_mul(d, 1);
        if (!wide_scale(&wd, -up) || !wide_is_small(&wd)) { /* |a| < 10^38 is less than half of 2^128 */
            *out = 0;
            return true;
        }
        d = wide_low(&wd);
    } else if (!wide_scale(&w, up)) {
        return false; /* over 10^77 divided by less than 10^38 */
    }
    if (wide_is_small(&w)) {
        q = wide_low(&w) / d;
        rest = wide_low(&w) % d;
    } else if (d >> 64 == 0) {
        rest = wide_div_u64(&w, (uint64_t)d);
        if (!wide_is_small(&w))
            return false;
        q = wide_low(&w);
    } else if (!wide_div(&w, d, &q, &rest)) {
        return false;
    }
    if (q >= (wr_u128)wr_pow10[38])
        return false;
    return give(q + (rest >= d - rest), negative, out);
}

/* ---- doubles */

double wr_dec_to_double(wr_i128 v, int scale)
{
    if (scale <= 22 && v <= (wr_i128)1 << 53 && v >= -((wr_i128)1 << 53)) {
        static const double pow10_exact[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                               1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
        return (double)(int64_t)v / pow10_exact[scale];
    }
    /* Digits and an exponent have no decimal point, so no locale matters. */
    char text[64], *end = text + 48;
    (void)snprintf(end, 16, "e-%d", scale);
    char *p = put_digits(end, magnitude(v), 1);
    if (v < 0)
        *--p = '-';
    return strtod(p, NULL);
}

bool wr_dec_from_double(double d, int prec, int scale, wr_i128 *out)
{
    if (!isfinite(d))
        return false;
    char digit[WR_DOUBLE_DIGITS + 1];
    int exp, n = wr_double_digits(d, digit, &exp);
    struct scan s = {.next = -1};
    (void)scan_digits(digit, digit + n, &s, false);
    s.exp = exp - (n - 1);
    wr_u128 v = 0;
    if (!place(&s, prec, scale, &v))
        return false;
    *out = d < 0 ? -(wr_i128)v : (wr_i128)v;
    return true;
}

/* number.c: integers and doubles as text.
 *
 * Rules:  reading is correctly rounded. Up to 15 digits with a small power of ten are done in doubles, where one operation on exact numbers is
 *         itself correctly rounded; the rest goes to strtod, written without a decimal point, so that no locale can change it.
 *         Printing looks for the fewest digits that read back the same.
 * Memory: none. */
#include "core/number.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const double pow10_exact[23] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                       1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool wr_int_parse(struct wr_str s, int64_t *out, bool *range)
{
    *range = false;
    if (s.n == 0)
        return false;
    const char *p = s.p, *end = s.p + s.n;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (p == end)
        return false;
    uint64_t v = 0;
    bool over = false;
    for (; p < end; p++) {
        unsigned digit = (unsigned)(unsigned char)*p - '0';
        if (digit > 9)
            return false;
        over |= __builtin_mul_overflow(v, (uint64_t)10, &v) || __builtin_add_overflow(v, (uint64_t)digit, &v);
    }
    *range = over || v > (uint64_t)INT64_MAX + negative;
    *out = (int64_t)(negative ? 0 - v : v);
    return !*range;
}

void wr_int_print(struct wr_buf *out, int64_t v)
{
    char text[24];
    int at = sizeof text;
    uint64_t u = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
    do {
        text[--at] = (char)('0' + u % 10);
        u /= 10;
    } while (u);
    if (v < 0)
        text[--at] = '-';
    wr_buf_add(out, text + at, sizeof text - (size_t)at);
}

/* ---- reading doubles */

static bool parse_word(struct wr_str s, bool negative, double *out)
{
    if (wr_str_ieq(s, WR_STR("nan")) && !negative) {
        *out = NAN;
        return true;
    }
    if (wr_str_ieq(s, WR_STR("infinity")) || wr_str_ieq(s, WR_STR("inf"))) {
        *out = negative ? -INFINITY : INFINITY;
        return true;
    }
    return false;
}

/* What a number's text says: digits * 10^exp. */
struct scan {
    uint64_t v;         /* the first 19 significant digits */
    int n;              /* significant digits seen */
    int64_t exp;        /* of the last digit */
    bool any;           /* a digit was there */
};

static const char *scan_digits(const char *p, const char *end, struct scan *s, bool fraction)
{
    for (; p < end && is_digit(*p); p++) {
        s->any = true;
        if (fraction)
            s->exp--;
        if (s->n == 0 && *p == '0')
            continue;
        if (s->n < 19)
            s->v = s->v * 10 + (uint64_t)(*p - '0');
        s->n++;
    }
    return p;
}

/* e[+-]digits up to the end; the exponent is held within bounds that no double reaches. */
static bool scan_exponent(const char *p, const char *end, struct scan *s)
{
    bool negative = ++p < end && *p == '-';
    if (p < end && (*p == '-' || *p == '+'))
        p++;
    if (p == end)
        return false;
    int64_t e = 0;
    for (; p < end; p++) {
        if (!is_digit(*p))
            return false;
        if (e < INT64_C(10000000000))
            e = e * 10 + (*p - '0');
    }
    s->exp += negative ? -e : e;
    return true;
}

/* The general case: the digits again, without their point, and the exponent, to strtod. */
static bool parse_strtod(const char *p, const char *end, const struct scan *s, double *out, bool *range)
{
    enum { KEEP = 800 }; /* more digits than any double needs to be told from its neighbour; one more stands for the rest */
    char text[KEEP + 32];
    int n = 0, seen = 0;
    bool rest = false;
    for (; p < end && *p != 'e' && *p != 'E'; p++) {
        if (!is_digit(*p) || (seen == 0 && *p == '0'))
            continue;
        seen++;
        if (n < KEEP)
            text[n++] = *p;
        else
            rest |= *p != '0';
    }
    int64_t exp = s->exp + (seen - n);
    if (rest) {
        text[n++] = '1';
        exp--;
    }
    exp = exp > 100000 ? 100000 : exp < -100000 ? -100000 : exp;
    (void)snprintf(text + n, sizeof text - (size_t)n, "e%d", (int)exp);
    errno = 0;
    *out = strtod(text, NULL);
    *range = isinf(*out) || *out == 0;
    return !*range;
}

bool wr_double_parse(struct wr_str s, double *out, bool *range)
{
    *range = false;
    if (s.n == 0)
        return false;
    const char *p = s.p, *end = s.p + s.n;
    bool negative = *p == '-';
    if (*p == '-' || *p == '+')
        p++;
    if (p == end)
        return false;
    const char *start = p;
    struct scan scan = {0};
    p = scan_digits(p, end, &scan, false);
    if (p < end && *p == '.')
        p = scan_digits(p + 1, end, &scan, true);
    if (!scan.any)
        return parse_word((struct wr_str){start, (uint32_t)(end - start)}, negative, out);
    if (p < end && ((*p != 'e' && *p != 'E') || !scan_exponent(p, end, &scan)))
        return false;
    double d;
    if (scan.n == 0) {
        d = 0;
    } else if (scan.n <= 15 && scan.exp >= -22 && scan.exp <= 22) {
        d = (double)scan.v;
        d = scan.exp < 0 ? d / pow10_exact[-scan.exp] : d * pow10_exact[scan.exp];
    } else if (!parse_strtod(start, end, &scan, &d, range)) {
        return false;
    }
    *out = negative ? -d : d;
    return true;
}

/* ---- printing doubles */

/* Digits of an integer > 0 without the zeros at its end; returns their number, *dropped: how many zeros those were. */
static int int_digits(uint64_t m, char *digit, int *dropped)
{
    char text[20];
    int n = 0;
    for (*dropped = 0; m % 10 == 0; m /= 10)
        (*dropped)++;
    for (; m; m /= 10)
        text[n++] = (char)('0' + m % 10);
    for (int i = 0; i < n; i++)
        digit[i] = text[n - 1 - i];
    digit[n] = 0;
    return n;
}

/* Numbers of everyday size: the fewest decimals (up to 9) with which m / 10^k, one correctly rounded division of exact numbers, is d again.
 * m below 10^15 makes that text the only one of its length. 0: no such form. */
static int digits_quick(double d, char *digit, int *exp)
{
    if (d < 1e-5 || d >= 1e15)
        return 0;
    for (int k = 0; k <= 9; k++) {
        double m = nearbyint(d * pow10_exact[k]);
        if (m >= 1e15)
            return 0;
        if (m >= 1 && m / pow10_exact[k] == d) {
            int dropped;
            int n = int_digits((uint64_t)m, digit, &dropped);
            *exp = n - 1 + dropped - k;
            return n;
        }
    }
    return 0;
}

int wr_double_digits(double d, char digit[WR_DOUBLE_DIGITS + 1], int *exp)
{
    d = fabs(d);
    if (d == 0) {
        digit[0] = '0';
        digit[1] = 0;
        *exp = 0;
        return 1;
    }
    int n = digits_quick(d, digit, exp);
    if (n)
        return n;
    /* 15 digits always survive, so fewer are found by dropping zeros; only subnormals have less precision than that. */
    char text[40];
    for (int p = d < 2.2250738585072014e-308 ? 1 : 15; p <= WR_DOUBLE_DIGITS; p++) {
        (void)snprintf(text, sizeof text, "%.*e", p - 1, d);
        if (strtod(text, NULL) == d)
            break;
    }
    const char *e = strchr(text, 'e');
    for (const char *c = text; c < e; c++) /* whatever the locale's point is, it is no digit */
        if (is_digit(*c))
            digit[n++] = *c;
    while (n > 1 && digit[n - 1] == '0')
        n--;
    digit[n] = 0;
    *exp = (int)strtol(e + 1, NULL, 10);
    return n;
}

static void print_fixed(struct wr_buf *out, const char *digit, int n, int exp, bool point)
{
    static const char zeros[] = "00000000000000000000";
    if (exp < 0) {
        wr_buf_puts(out, "0.");
        wr_buf_add(out, zeros, (size_t)(-exp - 1));
        wr_buf_add(out, digit, (size_t)n);
    } else if (n <= exp + 1) {
        wr_buf_add(out, digit, (size_t)n);
        wr_buf_add(out, zeros, (size_t)(exp + 1 - n));
        if (point)
            wr_buf_puts(out, ".0");
    } else {
        wr_buf_add(out, digit, (size_t)exp + 1);
        wr_buf_putc(out, '.');
        wr_buf_add(out, digit + exp + 1, (size_t)(n - exp - 1));
    }
}

void wr_double_print(struct wr_buf *out, double d, bool point)
{
    if (isnan(d)) {
        wr_buf_puts(out, "NaN");
        return;
    }
    if (signbit(d))
        wr_buf_putc(out, '-');
    if (isinf(d)) {
        wr_buf_puts(out, "Infinity");
        return;
    }
    char digit[WR_DOUBLE_DIGITS + 1];
    int exp, n = wr_double_digits(d, digit, &exp);
    if (exp >= -4 && exp < 15) {
        print_fixed(out, digit, n, exp, point);
        return;
    }
    wr_buf_putc(out, digit[0]);
    if (n > 1) {
        wr_buf_putc(out, '.');
        wr_buf_add(out, digit + 1, (size_t)n - 1);
    }
    wr_buf_printf(out, "e%c%02d", exp < 0 ? '-' : '+', exp < 0 ? -exp : exp);
}

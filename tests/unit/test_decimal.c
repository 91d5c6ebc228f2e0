/* test_decimal.c: decimals and numbers as text against answers that Python computed (tests/data/make_numbers.py), and the edges by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/decimal.h"
#include "core/number.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static wr_i128 big(const char *text)
{
    wr_i128 v = 0;
    bool range;
    if (!wr_dec_parse(wr_str_c(text), 38, 0, &v, &range))
        fail_msg("not a number: %s", text);
    return v;
}

static const char *show(wr_i128 v)
{
    static char text[64];
    struct wr_buf b = WR_BUF_INIT(0);
    wr_dec_print(&b, v, 0);
    memcpy(text, b.p, b.n);
    text[b.n] = 0;
    wr_buf_clear(&b);
    return text;
}

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

/* One line of numbers.txt, cut into words; w[n-1] is the expected result. */
static bool known_answer(char **w, int n, char *got, size_t size)
{
    wr_i128 out = 0;
    bool ok = false, range = false;
    double d = 0;
    if (strcmp(w[0], "mul") == 0 && n == 5) {
        ok = wr_dec_mul(big(w[1]), big(w[2]), number(w[3]), &out);
    } else if (strcmp(w[0], "div") == 0 && n == 5) {
        ok = wr_dec_div(big(w[1]), big(w[2]), number(w[3]), &out);
    } else if (strcmp(w[0], "rescale") == 0 && n == 5) {
        ok = wr_dec_rescale(big(w[1]), number(w[2]), number(w[3]), &out);
    } else if (strcmp(w[0], "parse") == 0 && n == 5) {
        ok = wr_dec_parse(wr_str_c(w[1]), number(w[2]), number(w[3]), &out, &range);
        if (!ok && !range)
            return false;
    } else if (strcmp(w[0], "fromdouble") == 0 && n == 5) {
        ok = wr_dec_from_double(strtod(w[1], NULL), number(w[2]), number(w[3]), &out);
    } else if (strcmp(w[0], "todouble") == 0 && n == 4) {
        d = wr_dec_to_double(big(w[1]), number(w[2]));
        (void)snprintf(got, size, "%a", d);
        return d == strtod(w[3], NULL);
    } else if (strcmp(w[0], "double") == 0 && n == 3) {
        ok = wr_double_parse(wr_str_c(w[1]), &d, &range);
        (void)snprintf(got, size, "%a", d);
        return ok && d == strtod(w[2], NULL);
    } else if (strcmp(w[0], "digits") == 0 && n == 3) {
        /* Python's repr writes exponents at other places, but the digits must be the same: compare lengths and the value read back */
        struct wr_buf b = WR_BUF_INIT(0);
        wr_double_print(&b, strtod(w[1], NULL), false);
        (void)snprintf(got, size, "%.*s", (int)b.n, b.p);
        int mine = 0, theirs = 0;
        for (const char *c = got, *end = strchr(got, 'e'); *c && c != end; c++)
            mine += *c >= '0' && *c <= '9' && (mine || *c != '0');
        for (const char *c = w[2], *end = strchr(w[2], 'e'); *c && c != end; c++)
            theirs += *c >= '0' && *c <= '9' && (theirs || *c != '0');
        for (const char *c = got + b.n - 1; mine > 0 && *c == '0' && !strchr(got, '.') && !strchr(got, 'e'); c--)
            mine--;
        size_t len = strlen(w[2]);
        if (len > 2 && strcmp(w[2] + len - 2, ".0") == 0) {
            theirs--;
            for (const char *c = w[2] + len - 3; c >= w[2] && *c == '0' && theirs > 0; c--)
                theirs--;
        }
        wr_buf_clear(&b);
        return mine == theirs && strtod(got, NULL) == strtod(w[1], NULL);
    } else {
        fail_msg("unknown line %s", w[0]);
    }
    (void)snprintf(got, size, "%s", ok ? show(out) : "over");
    return strcmp(got, w[n - 1]) == 0;
}

static void python_agrees(void **state WR_UNUSED)
{
    FILE *f = fopen(WR_TEST_DATA "/numbers.txt", "r");
    assert_non_null(f);
    char line[1000], copy[1000], got[100];
    int lines = 0, wrong = 0;
    while (fgets(line, sizeof line, f)) {
        memcpy(copy, line, sizeof line);
        char *w[8] = {""}, *save = NULL;
        int n = 0;
        for (char *t = strtok_r(line, " \n", &save); t && n < 8; t = strtok_r(NULL, " \n", &save))
            w[n++] = t;
        lines++;
        if (!known_answer(w, n, got, sizeof got)) {
            print_error("got %s for %s", got, copy);
            wrong++;
        }
    }
    fclose(f);
    assert_true(lines > 3000);
    assert_int_equal(wrong, 0);
}

static void check_parse(const char *text, int prec, int scale, const char *want)
{
    wr_i128 v = 0;
    bool range = false;
    bool ok = wr_dec_parse(wr_str_c(text), prec, scale, &v, &range);
    assert_string_equal(ok ? show(v) : range ? "range" : "bad", want);
}

static void parse_edges(void **state WR_UNUSED)
{
    check_parse("", 10, 2, "bad");
    check_parse("-", 10, 2, "bad");
    check_parse(".", 10, 2, "bad");
    check_parse("-.", 10, 2, "bad");
    check_parse("1.2.3", 10, 2, "bad");
    check_parse("1e", 10, 2, "bad");
    check_parse("1e+", 10, 2, "bad");
    check_parse("1x", 10, 2, "bad");
    check_parse("--1", 10, 2, "bad");
    check_parse(" 1", 10, 2, "bad");
    check_parse("NaN", 10, 2, "bad");
    check_parse("0x10", 10, 2, "bad");
    check_parse("5.", 10, 2, "500");
    check_parse(".5", 10, 2, "50");
    check_parse("-.5", 10, 2, "-50");
    check_parse("+7", 10, 2, "700");
    check_parse("1.005", 10, 2, "101");
    check_parse("-1.005", 10, 2, "-101");
    check_parse("1.004999999999999999999999999999999999999999", 10, 2, "100");
    check_parse("99999999.99", 10, 2, "9999999999");
    check_parse("99999999.994", 10, 2, "9999999999");
    check_parse("99999999.995", 10, 2, "range");
    check_parse("100000000", 10, 2, "range");
    check_parse("1e7", 10, 2, "1000000000");
    check_parse("1E-2", 10, 2, "1");
    check_parse("1e-3", 10, 2, "0");
    check_parse("0e99999999999999999999", 10, 2, "0");
    check_parse("1e99999999999999999999", 10, 2, "range");
    check_parse("1e-99999999999999999999", 10, 2, "0");
    check_parse("99999999999999999999999999999999999999", 38, 0, "99999999999999999999999999999999999999");
    check_parse("99999999999999999999999999999999999999.4", 38, 0, "99999999999999999999999999999999999999");
    check_parse("99999999999999999999999999999999999999.5", 38, 0, "range");
    check_parse("0.00000000000000000000000000000000000001", 38, 38, "1");
    check_parse("1", 38, 38, "range");
    check_parse("000000000000000000000000000000000000000000000000001.5", 2, 1, "15");
}

static void print_puts_the_point(void **state WR_UNUSED)
{
    static const struct { const char *v; int scale; const char *want; } t[] = {
        {"0", 0, "0"}, {"0", 2, "0.00"}, {"5", 2, "0.05"}, {"-5", 2, "-0.05"}, {"12345", 2, "123.45"}, {"-12345", 5, "-0.12345"},
        {"99999999999999999999999999999999999999", 38, "0.99999999999999999999999999999999999999"},
        {"-99999999999999999999999999999999999999", 0, "-99999999999999999999999999999999999999"},
        {"10000000000000000000", 19, "1.0000000000000000000"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct wr_buf b = WR_BUF_INIT(0);
        wr_dec_print(&b, big(t[i].v), t[i].scale);
        wr_buf_putc(&b, 0);
        assert_string_equal(b.p, t[i].want);
        wr_buf_clear(&b);
    }
}

static void add_stops_at_38_digits(void **state WR_UNUSED)
{
    wr_i128 most = wr_pow10[38] - 1, out = 7;
    assert_false(wr_dec_add(most, 1, &out));
    assert_false(wr_dec_add(most, most, &out));
    assert_false(wr_dec_add(-most, -most, &out));
    assert_true(out == 7);
    assert_true(wr_dec_add(most, -most, &out));
    assert_true(out == 0);
    assert_true(wr_dec_add(most - 1, 1, &out));
    assert_true(out == most);
}

/* (a / b) * b and a differ by less than b: on all sizes, with a fixed seed. */
static void division_inverts_multiplication(void **state WR_UNUSED)
{
    uint64_t x = 88172645463325252u;
    for (int i = 0; i < 20000; i++) {
        uint64_t r[4];
        for (int k = 0; k < 4; k++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
            r[k] = x;
        }
        wr_i128 a = (wr_i128)(((wr_u128)r[0] << 64 | r[1]) % (wr_u128)wr_pow10[1 + r[2] % 37]);
        wr_i128 b = (wr_i128)(((wr_u128)r[3] << 64 | r[2]) % (wr_u128)wr_pow10[1 + r[0] % 37]) + 1;
        wr_i128 product, back;
        if (!wr_dec_mul(a, b, 0, &product))
            continue;
        assert_true(wr_dec_div(product, b, 0, &back));
        assert_true(back == a);
        assert_true(wr_dec_div(-product, b, 0, &back));
        assert_true(back == -a);
    }
}

static void check_double(double d, const char *sql, const char *json)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_double_print(&b, d, false);
    wr_buf_putc(&b, 0);
    assert_string_equal(b.p, sql);
    wr_buf_reset(&b);
    wr_double_print(&b, d, true);
    wr_buf_putc(&b, 0);
    assert_string_equal(b.p, json);
    wr_buf_clear(&b);
}

static void doubles_print_as_in_postgres(void **state WR_UNUSED)
{
    check_double(1, "1", "1.0");
    check_double(-0.0, "-0", "-0.0");
    check_double(1.5, "1.5", "1.5");
    check_double(0.1, "0.1", "0.1");
    check_double(100, "100", "100.0");
    check_double(0.1 + 0.2, "0.30000000000000004", "0.30000000000000004");
    check_double(1e14, "100000000000000", "100000000000000.0");
    check_double(1e15, "1e+15", "1e+15");
    check_double(123456789012345680.0, "1.2345678901234568e+17", "1.2345678901234568e+17");
    check_double(1e20, "1e+20", "1e+20");
    check_double(1e-4, "0.0001", "0.0001");
    check_double(1.25e-5, "1.25e-05", "1.25e-05");
    check_double(5e-324, "5e-324", "5e-324");
    check_double(1.7976931348623157e308, "1.7976931348623157e+308", "1.7976931348623157e+308");
    check_double(-23.45, "-23.45", "-23.45");
    check_double((double)NAN, "NaN", "NaN");
    check_double(-(double)INFINITY, "-Infinity", "-Infinity");
}

static void double_words_and_edges(void **state WR_UNUSED)
{
    static const char *bad[] = {"", "-", ".", "e5", "1e", "1e+", "1 ", "1.2.3", "0x10", "--1", "-nan", "infinit", "1f"};
    double d;
    bool range;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(wr_double_parse(wr_str_c(bad[i]), &d, &range));
        assert_false(range);
    }
    assert_true(wr_double_parse(WR_STR("nan"), &d, &range) && isnan(d));
    assert_true(wr_double_parse(WR_STR("-Infinity"), &d, &range) && d == -(double)INFINITY);
    assert_true(wr_double_parse(WR_STR("+inf"), &d, &range) && d == (double)INFINITY);
    assert_true(wr_double_parse(WR_STR("-0.0"), &d, &range) && d == 0 && signbit(d));
    assert_true(wr_double_parse(WR_STR(".5"), &d, &range) && d == 0.5);
    assert_true(wr_double_parse(WR_STR("5."), &d, &range) && d == 5);
    assert_true(wr_double_parse(WR_STR("0e999999999999999"), &d, &range) && d == 0);
    assert_true(wr_double_parse(WR_STR("1.7976931348623157e308"), &d, &range));
    assert_false(wr_double_parse(WR_STR("1e309"), &d, &range));
    assert_true(range);
    assert_false(wr_double_parse(WR_STR("-1e99999999999999"), &d, &range));
    assert_true(range);
    assert_false(wr_double_parse(WR_STR("1e-400"), &d, &range));
    assert_true(range);
    assert_true(wr_double_parse(WR_STR("4.9e-324"), &d, &range) && d == 5e-324);

    /* exactly between two doubles, and a digit 900 places on that decides: 2^53 + 1 and a bit */
    char text[1000];
    memset(text, '0', sizeof text);
    memcpy(text, "9007199254740993.", 17);
    assert_true(wr_double_parse((struct wr_str){text, 900}, &d, &range) && d == 9007199254740992.0);
    text[950] = '1';
    assert_true(wr_double_parse((struct wr_str){text, 951}, &d, &range) && d == 9007199254740994.0);
}

static void integers(void **state WR_UNUSED)
{
    int64_t v;
    bool range;
    assert_true(wr_int_parse(WR_STR("-9223372036854775808"), &v, &range) && v == INT64_MIN);
    assert_true(wr_int_parse(WR_STR("+9223372036854775807"), &v, &range) && v == INT64_MAX);
    assert_true(wr_int_parse(WR_STR("00000000000000000000000000042"), &v, &range) && v == 42);
    assert_false(wr_int_parse(WR_STR("9223372036854775808"), &v, &range));
    assert_true(range);
    assert_false(wr_int_parse(WR_STR("-99999999999999999999999999"), &v, &range));
    assert_true(range);
    static const char *bad[] = {"", "+", "-", "1.0", "1e3", " 1", "1 ", "0x1", "1_000", "99999999999999999999x"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_false(wr_int_parse(wr_str_c(bad[i]), &v, &range));
        assert_false(range);
    }
    static const int64_t some[] = {0, 7, -1, 10, INT64_MIN, INT64_MAX, -1000000};
    for (size_t i = 0; i < sizeof some / sizeof some[0]; i++) {
        char want[32];
        struct wr_buf b = WR_BUF_INIT(0);
        (void)snprintf(want, sizeof want, "%" PRId64, some[i]);
        wr_int_print(&b, some[i]);
        wr_buf_putc(&b, 0);
        assert_string_equal(b.p, want);
        wr_buf_clear(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_agrees),
        cmocka_unit_test(parse_edges),
        cmocka_unit_test(print_puts_the_point),
        cmocka_unit_test(add_stops_at_38_digits),
        cmocka_unit_test(division_inverts_multiplication),
        cmocka_unit_test(doubles_print_as_in_postgres),
        cmocka_unit_test(double_words_and_edges),
        cmocka_unit_test(integers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

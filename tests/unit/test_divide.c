/* test_divide.c: division by multiplying against the processor's own division: every divisor near a power of two, dividends near its
 * multiples and at both ends of the range, and random ones. The seed is fixed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/divide.h"
#include "core/time.h"

static uint64_t seed = 1;
static int64_t random_bits(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    uint64_t x = seed ^ seed >> 29;
    return (int64_t)(x >> (seed >> 58));
}

static void check(int64_t x, int64_t d)
{
    struct wr_divisor v = wr_divisor_of(d);
    if (wr_divide(x, &v) != x / d)
        fail_msg("%lld / %lld gives %lld", (long long)x, (long long)d, (long long)wr_divide(x, &v));
    int64_t rest = x % d + (x % d < 0 ? d : 0);
    if (x >= INT64_MIN + d && wr_divide_down(x, &v) != x - rest)
        fail_msg("%lld down to a multiple of %lld gives %lld", (long long)x, (long long)d, (long long)wr_divide_down(x, &v));
}

static void check_divisor(int64_t d)
{
    static const int64_t end[] = {0, 1, -1, 2, -2, INT64_MAX, INT64_MAX - 1, INT64_MIN, INT64_MIN + 1, INT32_MAX, INT32_MIN};
    for (size_t i = 0; i < sizeof end / sizeof *end; i++)
        check(end[i], d);
    for (int i = 0; i < 200; i++) {
        int64_t times = random_bits() / d * d;
        for (int64_t near = -2; near <= 2; near++) {
            int64_t x;
            if (!__builtin_add_overflow(times, near, &x)) {
                check(x, d);
                check(-(x + 1), d);
            }
        }
    }
}

static void the_quotient_is_the_processors(void **state WR_UNUSED)
{
    for (int bit = 0; bit < 63; bit++)
        for (int64_t near = -3; near <= 3; near++)
            if ((INT64_C(1) << bit) + near >= 1)
                check_divisor((INT64_C(1) << bit) + near);
    for (int64_t d = 1; d <= 1000; d++)
        check_divisor(d);
    check_divisor(INT64_MAX);
    check_divisor(INT64_MAX - 1);
    for (int i = 0; i < 2000; i++) {
        int64_t d = random_bits() & INT64_MAX;
        check_divisor(d ? d : 1);
    }
}

static void calendar_lengths_divide(void **state WR_UNUSED)
{
    static const int64_t length[] = {1000, WR_US_SEC, WR_US_MIN, WR_US_HOUR, WR_US_DAY, 7 * WR_US_DAY, 90 * WR_US_SEC};
    for (size_t i = 0; i < sizeof length / sizeof *length; i++)
        check_divisor(length[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_quotient_is_the_processors),
        cmocka_unit_test(calendar_lengths_divide),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_time.c: times against Python's datetime (tests/data/make_times.py); intervals, durations and edges by hand, as PostgreSQL 15 has them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/time.h"

#include <stdio.h>
#include <stdlib.h>

#define CHECK_BUF(b, want)                                                   \
    do {                                                                     \
        struct wr_str got_ = wr_buf_get(b);                                  \
        if (!wr_str_eq_c(got_, (want)))                                      \
            fail_msg("got \"%.*s\", want \"%s\"", WR_FMT(got_), (want));     \
        wr_buf_clear(b);                                                     \
    } while (0)

static void python_agrees(void **state WR_UNUSED)
{
    FILE *f = fopen(WR_TEST_DATA "/times.txt", "r");
    assert_non_null(f);
    char line[200];
    int lines = 0;
    while (fgets(line, sizeof line, f)) {
        char *save = NULL, *text = strtok_r(line, " \n", &save), *us_text = strtok_r(NULL, " \n", &save), *iso = strtok_r(NULL, " \n", &save);
        char *blank = strchr(text, '_');
        if (blank)
            *blank = ' ';
        int64_t us = 0, want = strtoll(us_text, NULL, 10);
        bool range;
        if (!wr_time_parse(wr_str_c(text), &us, &range) || us != want)
            fail_msg("\"%s\": got %lld, want %lld", text, (long long)us, (long long)want);
        struct wr_buf b = WR_BUF_INIT(0);
        wr_timestamp_print(&b, want, true);
        CHECK_BUF(&b, iso);
        struct wr_civil c;
        wr_civil_from_us(want, &c);
        assert_true(wr_us_from_civil(&c) == want);
        lines++;
    }
    fclose(f);
    assert_true(lines > 500);
}

/* Each day from year 1 to 9999 follows the one before, by month lengths alone. */
static void calendar_walks_day_by_day(void **state WR_UNUSED)
{
    int64_t day = wr_days_from_civil(1, 1, 1);
    assert_true(day * WR_US_DAY == WR_TIME_MIN);
    for (int y = 1; y <= 9999; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= wr_month_days(y, m); d++, day++) {
                struct wr_civil c;
                wr_civil_from_us(day * WR_US_DAY, &c);
                if (c.year != y || c.month != m || c.day != d || wr_days_from_civil(y, m, d) != day)
                    fail_msg("%04d-%02d-%02d", y, m, d);
            }
    assert_true(day * WR_US_DAY - 1 == WR_TIME_MAX);
}

/* All days again, as text: the quick way through fixed places agrees with the calendar. And each byte of a timestamp, replaced by every other. */
static void fixed_layout_agrees(void **state WR_UNUSED)
{
    int64_t us;
    bool range;
    char text[64];
    for (int y = 1; y <= 9999; y++)
        for (int m = 1; m <= 12; m++)
            for (int d = 1; d <= 31; d += d < 27 ? 9 : 1) {
                (void)snprintf(text, sizeof text, "%04d-%02d-%02dT01:02:03", y, m, d);
                bool ok = wr_time_parse(wr_str_c(text), &us, &range);
                assert_int_equal(ok, d <= wr_month_days(y, m));
                if (ok)
                    assert_true(us == (wr_days_from_civil(y, m, d) * 86400 + 3723) * WR_US_SEC);
            }
    for (int at = 0; at < 19; at++)
        for (int c = 0; c < 256; c++) {
            memcpy(text, "2025-11-28T12:34:56", 20);
            text[at] = (char)c;
            bool digit = c >= '0' && c <= '9', want = false;
            switch (at) {
            case 4: case 7: want = c == '-'; break;
            case 10: want = c == 'T' || c == 't' || c == ' '; break;
            case 13: case 16: want = c == ':'; break;
            case 5: want = c == '0' || c == '1'; break;         /* x1 */
            case 6: want = c >= '0' && c <= '2'; break;         /* 1x */
            case 8: want = c >= '0' && c <= '2'; break;         /* x8 */
            case 9: want = digit; break;                        /* 2x */
            case 11: want = c >= '0' && c <= '2'; break;        /* x2 */
            case 12: want = digit; break;                       /* 1x */
            case 14: case 17: want = c >= '0' && c <= '5'; break;
            default: want = digit; break;
            }
            bool ok = wr_time_parse((struct wr_str){text, 19}, &us, &range);
            if (at == 17 && c == '6') /* second 66 */
                want = false;
            if (ok != want)
                fail_msg("byte %d of \"%s\" as %d: %d", at, "2025-11-28T12:34:56", c, ok);
        }
}

static void check_time(const char *text, const char *want)
{
    int64_t us = 0;
    bool range = false;
    struct wr_buf b = WR_BUF_INIT(0);
    if (wr_time_parse(wr_str_c(text), &us, &range))
        wr_timestamp_print(&b, us, false);
    else
        wr_buf_puts(&b, range ? "range" : "bad");
    struct wr_str got = wr_buf_get(&b);
    if (!wr_str_eq_c(got, want))
        fail_msg("\"%s\": got \"%.*s\", want \"%s\"", text, WR_FMT(got), want);
    wr_buf_clear(&b);
}

static void time_forms(void **state WR_UNUSED)
{
    check_time("2025-11-28", "2025-11-28 00:00:00");
    check_time("2025-11-28T12:30", "2025-11-28 12:30:00");
    check_time("2025-11-28 12:30+01", "2025-11-28 11:30:00");
    check_time("2025-11-28T12:00:00z", "2025-11-28 12:00:00");
    check_time("2025-11-28t12:00:00Z", "2025-11-28 12:00:00");
    check_time("2025-11-28 12:00:00 UTC", "2025-11-28 12:00:00");
    check_time("2025-11-28 12:00:00 +02", "2025-11-28 10:00:00");
    check_time("2025-11-28T12:00:00.1", "2025-11-28 12:00:00.1");
    check_time("2025-11-28T12:00:00.123456789", "2025-11-28 12:00:00.123457");
    check_time("2025-11-28T12:00:00.1234565", "2025-11-28 12:00:00.123457");
    check_time("2025-12-31T23:59:59.9999995", "2026-01-01 00:00:00");
    check_time("2025-11-28T24:00:00", "2025-11-29 00:00:00");
    check_time("2025-06-30T23:59:60Z", "2025-07-01 00:00:00");
    check_time("2024-02-29T00:00:00", "2024-02-29 00:00:00");
    check_time("0001-01-01T00:00:00Z", "0001-01-01 00:00:00");
    check_time("9999-12-31T23:59:59.999999Z", "9999-12-31 23:59:59.999999");
}

static void time_refusals(void **state WR_UNUSED)
{
    static const char *bad[] = {
        "", "x", "2025", "2025-11", "2025-11-2", "2025-11-281", "2025-1-28", "2025-13-01", "2025-00-10", "2025-11-31", "2025-02-29", "1900-02-29",
        "2025-11-00", "2025-11-28T", "2025-11-28T12", "2025-11-28T12:", "2025-11-28T12:60:00", "2025-11-28T25:00:00", "2025-11-28T24:00:01",
        "2025-11-28T12:00:61", "2025-11-28T12:00:00.", "2025-11-28T12:00:00.1234567890", "2025-11-28T12:00:00ZZ", "2025-11-28T12:00:00 ",
        "2025-11-28T12:00:00+", "2025-11-28T12:00:00+1", "2025-11-28T12:00:00+01:", "2025-11-28T12:00:00+01:6", "2025-11-28T12:00:00+01:60",
        "2025-11-28T12:00:00+16", "2025-11-28T12:00:00+010", "2025-11-28T12:00:00+01:00x", "2025-11-28_12:00:00", "2025/11/28 12:00:00",
        " 2025-11-28T12:00:00", "2025-11-28T12:00:00.Z", "2025-11-28T1a:00:00", "20251128T120000Z", "now", "-", "+2025-", "2025-11-28T12:00:00.12x",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        check_time(bad[i], "bad");
    static const char *far[] = {"10000-01-01", "1000000000-01-01T00:00:00Z", "0000-01-01", "-0001-01-01T00:00:00", "0001-01-01T00:00:00+01",
                                "9999-12-31T23:59:59-01:00", "9999-12-31T23:59:59.9999999", "9999-12-31T24:00:00"};
    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++)
        check_time(far[i], "range");
}

static void dates_and_times_of_day(void **state WR_UNUSED)
{
    int64_t v;
    bool range;
    assert_true(wr_date_parse(WR_STR("1970-01-02"), &v, &range) && v == 1);
    assert_true(wr_date_parse(WR_STR("1969-12-31T23:00:00Z"), &v, &range) && v == -1);
    assert_true(wr_date_parse(WR_STR("2000-02-29 10:00+05"), &v, &range) && v == 11016);
    assert_false(wr_date_parse(WR_STR("2001-02-29"), &v, &range));
    assert_false(wr_date_parse(WR_STR("2001-02-28 nonsense"), &v, &range));
    assert_false(range);
    assert_false(wr_date_parse(WR_STR("12001-02-28"), &v, &range));
    assert_true(range);
    assert_true(wr_time_of_day_parse(WR_STR("00:00"), &v) && v == 0);
    assert_true(wr_time_of_day_parse(WR_STR("12:34:56.5"), &v) && v == 45296500000);
    assert_true(wr_time_of_day_parse(WR_STR("24:00:00"), &v) && v == WR_US_DAY);
    assert_false(wr_time_of_day_parse(WR_STR("24:00:01"), &v));
    assert_false(wr_time_of_day_parse(WR_STR("12:34:56Z"), &v));
    assert_false(wr_time_of_day_parse(WR_STR("1:00"), &v));
    struct wr_buf b = WR_BUF_INIT(0);
    wr_date_print(&b, 11016);
    CHECK_BUF(&b, "2000-02-29");
    wr_time_of_day_print(&b, 45296500000);
    CHECK_BUF(&b, "12:34:56.5");
    wr_time_of_day_print(&b, 0);
    CHECK_BUF(&b, "00:00:00");
    wr_timestamp_print(&b, -1, true);
    CHECK_BUF(&b, "1969-12-31T23:59:59.999999Z");
    wr_timestamp_print(&b, 1000, true);
    CHECK_BUF(&b, "1970-01-01T00:00:00.001Z");
    wr_timestamp_print(&b, 500000, false);
    CHECK_BUF(&b, "1970-01-01 00:00:00.5");
    wr_timestamp_print(&b, WR_WM_END, true);
    CHECK_BUF(&b, "infinity");
    wr_timestamp_print(&b, WR_TIME_MAX + 1, true);
    CHECK_BUF(&b, "10000-01-01T00:00:00.000Z");
}

/* What psql 15 answers to SELECT interval '...'. */
static void intervals_as_in_postgres(void **state WR_UNUSED)
{
    static const char *t[][2] = {
        {"1 year 2 mons 3 days 04:05:06", "1 year 2 mons 3 days 04:05:06"},
        {"1 day", "1 day"}, {"2 days", "2 days"}, {"-1 day", "-1 days"}, {"+1 day", "1 day"},
        {"90 s", "00:01:30"}, {"90", "00:01:30"}, {"1 min", "00:01:00"}, {"1 minute 30 seconds", "00:01:30"}, {"5s", "00:00:05"},
        {"1 m", "00:01:00"}, {"1h30m", "01:30:00"}, {"100 hours", "100:00:00"}, {"1.5 hours", "01:30:00"}, {".5 s", "00:00:00.5"},
        {"0.000001 s", "00:00:00.000001"}, {"1.5 days", "1 day 12:00:00"}, {"1.5 months", "1 mon 15 days"}, {"1.5 years", "1 year 6 mons"},
        {"1.5 weeks", "10 days 12:00:00"}, {"2 weeks", "14 days"}, {"1 decade", "10 years"}, {"1 century", "100 years"}, {"14 mons", "1 year 2 mons"},
        {"-1 day 02:00", "-1 days +02:00:00"}, {"-1 day -02:00:00.5", "-1 days -02:00:00.5"}, {"1 mon -1 day", "1 mon -1 days"},
        {"-1 mon 1 day", "-1 mons +1 day"}, {"-02:03", "-02:03:00"}, {"2 days ago", "-2 days"}, {"1 day 2 hours ago", "-1 days -02:00:00"},
        {"@ 5 minutes", "00:05:00"}, {"1 12:59:10", "1 day 12:59:10"}, {"1-2", "1 year 2 mons"}, {"-1-2", "-1 years -2 mons"},
        {"PT5M", "00:05:00"}, {"P1DT2H", "1 day 02:00:00"}, {"P1Y2M3W4DT5H6M7.5S", "1 year 2 mons 25 days 05:06:07.5"}, {"PT-5M", "-00:05:00"},
        {"P1M", "1 mon"}, {"  3   DAYS  ", "3 days"}, {"0 s", "00:00:00"}, {"10 ms", "00:00:00.01"}, {"10 us", "00:00:00.00001"},
        {"1 Hour 1 Sec", "01:00:01"}, {"00:00:00.123456", "00:00:00.123456"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct wr_interval iv;
        if (!wr_interval_parse(wr_str_c(t[i][0]), &iv))
            fail_msg("\"%s\" was refused", t[i][0]);
        struct wr_buf b = WR_BUF_INIT(0);
        wr_interval_print(&b, iv);
        struct wr_interval back;
        assert_true(wr_interval_parse(wr_buf_get(&b), &back));
        assert_memory_equal(&back, &iv, sizeof iv);
        CHECK_BUF(&b, t[i][1]);
    }
    static const char *bad[] = {"", "x", "1 parsec", "day", "1 day x", "P", "PT", "P1", "P1H", "PT1D", "1:60", "12:", "--1 day", "1 day 5 6", "ago",
                                "1e3 days", "9999999999999 days", "3000000000 days", "99999999999 years", "1 . 5 days"};
    struct wr_interval iv;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (wr_interval_parse(wr_str_c(bad[i]), &iv))
            fail_msg("\"%s\" was accepted", bad[i]);
}

static void durations(void **state WR_UNUSED)
{
    int64_t us;
    assert_true(wr_duration_parse(WR_STR("2 min"), &us) && us == 2 * WR_US_MIN);
    assert_true(wr_duration_parse(WR_STR("1 day 1 s"), &us) && us == WR_US_DAY + WR_US_SEC);
    assert_true(wr_duration_parse(WR_STR("0"), &us) && us == 0);
    assert_true(wr_duration_parse(WR_STR("0 s"), &us) && us == 0);
    assert_true(wr_duration_parse(WR_STR("1 day -1 hour"), &us) && us == 23 * WR_US_HOUR);
    assert_false(wr_duration_parse(WR_STR("5"), &us));
    assert_false(wr_duration_parse(WR_STR("-5 s"), &us));
    assert_false(wr_duration_parse(WR_STR("1 month"), &us));
    assert_false(wr_duration_parse(WR_STR("5 s ago"), &us));
    static const struct { int64_t us; const char *text; } t[] = {
        {0, "0 s"}, {15, "15 us"}, {1500, "1.5 ms"}, {250000, "250 ms"}, {5 * WR_US_SEC, "5 s"}, {1500000, "1.5 s"}, {60 * WR_US_SEC, "1 min"},
        {90 * WR_US_SEC, "90 s"}, {150 * WR_US_SEC, "2 min 30 s"}, {90 * WR_US_MIN, "1 h 30 min"}, {24 * WR_US_HOUR, "1 day"},
        {50 * WR_US_HOUR, "2 days 2 h"}, {WR_US_HOUR + 1500000, "1 h 1.5 s"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct wr_buf b = WR_BUF_INIT(0);
        wr_duration_print(&b, t[i].us);
        assert_true(wr_duration_parse(wr_buf_get(&b), &us) && us == t[i].us);
        CHECK_BUF(&b, t[i].text);
    }
}

static void check_add(const char *time, const char *iv_text, int sign, const char *want)
{
    int64_t us = 0, sum;
    bool range;
    struct wr_interval iv;
    struct wr_buf b = WR_BUF_INIT(0);
    assert_true(wr_time_parse(wr_str_c(time), &us, &range));
    assert_true(wr_interval_parse(wr_str_c(iv_text), &iv));
    if (wr_time_add(us, iv, sign, &sum))
        wr_timestamp_print(&b, sum, false);
    else
        wr_buf_puts(&b, "range");
    CHECK_BUF(&b, want);
}

static void adding_months_clips_the_day(void **state WR_UNUSED)
{
    check_add("2025-01-31", "1 mon", 1, "2025-02-28 00:00:00");
    check_add("2024-01-31 12:00", "1 mon", 1, "2024-02-29 12:00:00");
    check_add("2025-03-31", "1 mon", -1, "2025-02-28 00:00:00");
    check_add("2025-01-15", "1 mon", -1, "2024-12-15 00:00:00");
    check_add("2025-12-15", "1 mon", 1, "2026-01-15 00:00:00");
    check_add("2024-02-29", "1 year", 1, "2025-02-28 00:00:00");
    check_add("2024-02-29", "13 mons 1 day 01:00", 1, "2025-03-30 01:00:00");
    check_add("1969-12-31 23:00", "2 hours", 1, "1970-01-01 01:00:00");
    check_add("0001-01-01", "1 us", -1, "range");
    check_add("0001-12-01", "1 year", -1, "range");
    check_add("9999-12-31", "1 day", 1, "range");
    check_add("2000-01-01", "100000 years", 1, "range");
    check_add("2000-01-01", "2000000000 days", 1, "range");
}

static void window_start_holds_for_negative_times(void **state WR_UNUSED)
{
    assert_int_equal(wr_window_start(125, 60, 0), 120);
    assert_int_equal(wr_window_start(120, 60, 0), 120);
    assert_int_equal(wr_window_start(-1, 60, 0), -60);
    assert_int_equal(wr_window_start(-60, 60, 0), -60);
    assert_int_equal(wr_window_start(-61, 60, 0), -120);
    assert_int_equal(wr_window_start(4, 60, 5), -55);
    assert_int_equal(wr_window_start(5, 60, 5), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(python_agrees),
        cmocka_unit_test(calendar_walks_day_by_day),
        cmocka_unit_test(fixed_layout_agrees),
        cmocka_unit_test(time_forms),
        cmocka_unit_test(time_refusals),
        cmocka_unit_test(dates_and_times_of_day),
        cmocka_unit_test(intervals_as_in_postgres),
        cmocka_unit_test(durations),
        cmocka_unit_test(adding_months_clips_the_day),
        cmocka_unit_test(window_start_holds_for_negative_times),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

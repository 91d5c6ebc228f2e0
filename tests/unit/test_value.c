/* test_value.c: every type printed in the three styles, read from text as PostgreSQL's CAST does, and from JSON; JSON text itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/decimal.h"
#include "core/json.h"
#include "core/time.h"
#include "core/vec.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>

static struct wr_type type_of(enum wr_tid id)
{
    struct wr_type t = {.id = (uint8_t)id};
    if (id == WR_T_DECIMAL)
        t = wr_type_decimal(12, 2);
    return t;
}

static void check_print(struct wr_value v, enum wr_style style, const char *want)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_print_value(&b, &v, style);
    struct wr_str got = wr_buf_get(&b);
    if (!wr_str_eq_c(got, want))
        fail_msg("got \"%.*s\", want \"%s\"", WR_FMT(got), want);
    wr_buf_clear(&b);
}

static void check_styles(struct wr_value v, const char *sql, const char *json, const char *csv)
{
    check_print(v, WR_STYLE_SQL, sql);
    check_print(v, WR_STYLE_JSON, json);
    check_print(v, WR_STYLE_CSV, csv);
}

#define V(tid, ...) ((struct wr_value){.type = type_of(WR_T_##tid), __VA_ARGS__})
#define TEXT_V(tid, lit) V(tid, .as.s = {lit, sizeof(lit) - 1})

static void prints_every_type(void **state WR_UNUSED)
{
    int64_t noon = INT64_C(1764331200000000); /* 2025-11-28 12:00:00 */
    check_styles(V(TEXT, .null = true), "", "null", "");
    check_styles(V(NULL, .null = true), "", "null", "");
    check_styles(V(BOOL, .as.b = 1), "t", "true", "true");
    check_styles(V(BOOL, .as.b = 0), "f", "false", "false");
    check_styles(V(INT, .as.i = -7), "-7", "-7", "-7");
    check_styles(V(BIGINT, .as.i = INT64_MIN), "-9223372036854775808", "-9223372036854775808", "-9223372036854775808");
    check_styles(V(DOUBLE, .as.d = 1), "1", "1.0", "1");
    check_styles(V(DOUBLE, .as.d = 1e20), "1e+20", "1e+20", "1e+20");
    check_styles(V(DOUBLE, .as.d = (double)NAN), "NaN", "\"NaN\"", "NaN");
    check_styles(V(DOUBLE, .as.d = -(double)INFINITY), "-Infinity", "\"-Infinity\"", "-Infinity");
    check_styles(V(DECIMAL, .as.dec = 15000), "150.00", "150.00", "150.00");
    check_styles(TEXT_V(TEXT, "a\"b\\c/\n\t\x01\x7F\xC3\xA9"), "a\"b\\c/\n\t\x01\x7F\xC3\xA9", "\"a\\\"b\\\\c/\\n\\t\\u0001\x7F\xC3\xA9\"",
                 "a\"b\\c/\n\t\x01\x7F\xC3\xA9");
    check_styles(V(TEXT, .as.s = {NULL, 0}), "", "\"\"", "");
    check_styles(TEXT_V(BYTES, "\x00\xFF" "a"), "\\x00ff61", "\"\\\\x00ff61\"", "\\x00ff61");
    check_styles(TEXT_V(JSON, "{\"a\":\n [1, 2]}"), "{\"a\":\n [1, 2]}", "{\"a\":  [1, 2]}", "{\"a\":\n [1, 2]}");
    check_styles(V(DATE, .as.i = 20420), "2025-11-28", "\"2025-11-28\"", "2025-11-28");
    check_styles(V(TIME, .as.i = 12 * WR_US_HOUR + 500), "12:00:00.0005", "\"12:00:00.0005\"", "12:00:00.0005");
    check_styles(V(TIMESTAMP, .as.i = noon), "2025-11-28 12:00:00", "\"2025-11-28T12:00:00.000Z\"", "2025-11-28T12:00:00.000Z");
    check_styles(V(TIMESTAMP, .as.i = noon + 1), "2025-11-28 12:00:00.000001", "\"2025-11-28T12:00:00.000001Z\"", "2025-11-28T12:00:00.000001Z");
    check_styles(V(TIMESTAMPTZ, .as.i = noon), "2025-11-28 12:00:00+00", "\"2025-11-28T12:00:00.000Z\"", "2025-11-28T12:00:00.000Z");
    check_styles(V(INTERVAL, .as.iv = {.us = 5 * WR_US_MIN, .days = 1}), "1 day 00:05:00", "\"1 day 00:05:00\"", "1 day 00:05:00");
}

/* text read as the type and printed SQL style; "cast", "range", "utf8" where it is refused */
static void check_cast(struct wr_type t, const char *text, const char *want)
{
    struct wr_arena mem = {0};
    struct wr_value v;
    enum wr_reason why;
    if (wr_parse_value(t, wr_str_c(text), &mem, &v, &why)) {
        assert_int_equal(why, WR_R_NONE);
        check_print(v, WR_STYLE_SQL, want);
    } else if (strcmp(wr_reason_name(why), want) != 0) {
        fail_msg("\"%s\": got %s, want %s", text, wr_reason_name(why), want);
    }
    wr_arena_clear(&mem);
}

static void casts_from_text(void **state WR_UNUSED)
{
    static const struct { enum wr_tid id; const char *text, *want; } t[] = {
        {WR_T_BOOL, " true ", "t"}, {WR_T_BOOL, "T", "t"}, {WR_T_BOOL, "tru", "t"}, {WR_T_BOOL, "yes", "t"}, {WR_T_BOOL, "on", "t"}, {WR_T_BOOL, "1", "t"},
        {WR_T_BOOL, "FALSE", "f"}, {WR_T_BOOL, "n", "f"}, {WR_T_BOOL, "of", "f"}, {WR_T_BOOL, "off", "f"}, {WR_T_BOOL, "0", "f"},
        {WR_T_BOOL, "o", "cast"}, {WR_T_BOOL, "", "cast"}, {WR_T_BOOL, "2", "cast"}, {WR_T_BOOL, "truex", "cast"},
        {WR_T_INT, " -42 ", "-42"}, {WR_T_INT, "+7", "7"}, {WR_T_INT, "2147483647", "2147483647"}, {WR_T_INT, "2147483648", "range"},
        {WR_T_INT, "-2147483649", "range"}, {WR_T_INT, "99999999999999999999", "range"}, {WR_T_INT, "1.0", "cast"}, {WR_T_INT, "", "cast"},
        {WR_T_BIGINT, "2147483648", "2147483648"}, {WR_T_BIGINT, "9223372036854775808", "range"},
        {WR_T_DOUBLE, " 1e3 ", "1000"}, {WR_T_DOUBLE, "nan", "NaN"}, {WR_T_DOUBLE, "-Infinity", "-Infinity"}, {WR_T_DOUBLE, "1e400", "range"}, {WR_T_DOUBLE, "1,5", "cast"},
        {WR_T_DECIMAL, " 12.345 ", "12.35"}, {WR_T_DECIMAL, "1e2", "100.00"}, {WR_T_DECIMAL, "99999999999", "range"}, {WR_T_DECIMAL, "NaN", "cast"},
        {WR_T_TEXT, " a ", " a "}, {WR_T_TEXT, "", ""}, {WR_T_TEXT, "\xFF", "utf8"},
        {WR_T_BYTES, "\\x00fF", "\\x00ff"}, {WR_T_BYTES, "\\x", "\\x"}, {WR_T_BYTES, "\\x0", "cast"}, {WR_T_BYTES, "\\x0g", "cast"},
        {WR_T_BYTES, "ab", "\\x6162"}, {WR_T_BYTES, "a\\\\b\\001", "\\x615c6201"}, {WR_T_BYTES, "a\\", "cast"}, {WR_T_BYTES, "\\400", "cast"},
        {WR_T_JSON, " {\"a\": [1, null]} ", "{\"a\": [1, null]}"}, {WR_T_JSON, "{a: 1}", "cast"}, {WR_T_JSON, "", "cast"}, {WR_T_JSON, "\"\xFF\"", "utf8"},
        {WR_T_DATE, " 2025-11-28 ", "2025-11-28"}, {WR_T_DATE, "2025-11-28 10:00", "2025-11-28"}, {WR_T_DATE, "2025-02-30", "cast"}, {WR_T_DATE, "20000-01-01", "range"},
        {WR_T_TIME, "12:34", "12:34:00"}, {WR_T_TIME, "25:00", "cast"},
        {WR_T_TIMESTAMP, " 2025-11-28T12:00:00+01 ", "2025-11-28 11:00:00"}, {WR_T_TIMESTAMP, "soon", "cast"}, {WR_T_TIMESTAMP, "99999-01-01", "range"},
        {WR_T_TIMESTAMPTZ, "2025-11-28T12:00:00Z", "2025-11-28 12:00:00+00"},
        {WR_T_INTERVAL, "1 day 2 hours", "1 day 02:00:00"}, {WR_T_INTERVAL, "soon", "cast"},
        {WR_T_NULL, "x", "cast"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        check_cast(type_of(t[i].id), t[i].text, t[i].want);
    struct wr_type varchar = WR_TYPE_OF(TEXT);
    varchar.len = 3;
    check_cast(varchar, "\xC3\xA9\xC3\xA9\xC3\xA9", "\xC3\xA9\xC3\xA9\xC3\xA9"); /* characters are counted, not bytes */
    check_cast(varchar, "abcd", "range");
    assert_true(wr_str_eq_c(wr_text_cut(varchar, WR_STR("\xC3\xA9" "bcd")), "\xC3\xA9" "bc"));
    assert_true(wr_str_eq_c(wr_text_cut(WR_TYPE_OF(TEXT), WR_STR("abcd")), "abcd"));
}

/* An empty text may have no address at all. */
static void empty_text_without_address(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    for (uint8_t id = 0; id < WR_T_ARRAY; id++) {
        struct wr_value v;
        enum wr_reason why;
        bool ok = wr_parse_value(type_of(id), (struct wr_str){NULL, 0}, &mem, &v, &why);
        assert_int_equal(ok, id == WR_T_TEXT || id == WR_T_BYTES);
        assert_false(wr_parse_json(type_of(id), (struct wr_str){NULL, 0}, &mem, &v, &why) && id != WR_T_TEXT);
    }
    assert_false(wr_json_valid((struct wr_str){NULL, 0}));
    wr_arena_clear(&mem);
}

/* What is printed reads back as the same value, SQL and CSV style, for all types. */
static void printed_text_reads_back(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    const struct wr_value t[] = {
        V(BOOL, .as.b = 1), V(INT, .as.i = -5), V(BIGINT, .as.i = INT64_MAX), V(DOUBLE, .as.d = 0.1), V(DOUBLE, .as.d = -1e-300), V(DOUBLE, .as.d = (double)NAN),
        V(DECIMAL, .as.dec = -1), TEXT_V(TEXT, " x,\"y\" "), TEXT_V(BYTES, "\0\\\xFF"), TEXT_V(JSON, "[1,{}]"), V(DATE, .as.i = -100000),
        V(TIME, .as.i = WR_US_DAY - 1), V(TIMESTAMP, .as.i = WR_TIME_MIN), V(TIMESTAMPTZ, .as.i = WR_TIME_MAX),
        V(INTERVAL, .as.iv = {.us = -1, .days = 40, .months = -13}),
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        for (enum wr_style style = WR_STYLE_SQL; style <= WR_STYLE_CSV; style++) {
            struct wr_buf b = WR_BUF_INIT(0);
            struct wr_value back;
            enum wr_reason why;
            wr_print_value(&b, &t[i], style);
            if (style == WR_STYLE_JSON)
                assert_true(wr_json_valid(wr_buf_get(&b)) && wr_parse_json(t[i].type, wr_buf_get(&b), &mem, &back, &why));
            else
                assert_true(wr_parse_value(t[i].type, wr_buf_get(&b), &mem, &back, &why));
            assert_int_equal(wr_value_cmp(&t[i], &back), 0);
            wr_buf_clear(&b);
        }
    wr_arena_clear(&mem);
}

static void check_json(struct wr_type t, const char *raw, const char *want)
{
    struct wr_arena mem = {0};
    struct wr_value v;
    enum wr_reason why;
    if (wr_parse_json(t, wr_str_c(raw), &mem, &v, &why))
        check_print(v, WR_STYLE_JSON, want);
    else if (strcmp(wr_reason_name(why), want) != 0)
        fail_msg("%s: got %s, want %s", raw, wr_reason_name(why), want);
    wr_arena_clear(&mem);
}

static void values_from_json(void **state WR_UNUSED)
{
    static const struct { enum wr_tid id; const char *raw, *want; } t[] = {
        {WR_T_BIGINT, "null", "null"}, {WR_T_BOOL, "true", "true"}, {WR_T_BOOL, "1", "type"}, {WR_T_BOOL, "\"true\"", "type"},
        {WR_T_BIGINT, "12", "12"}, {WR_T_BIGINT, "\"12\"", "12"}, {WR_T_BIGINT, "12.0", "12"}, {WR_T_BIGINT, "1.2e1", "12"}, {WR_T_BIGINT, "12.5", "type"},
        {WR_T_BIGINT, "1e30", "range"}, {WR_T_BIGINT, "true", "type"}, {WR_T_BIGINT, "\"x\"", "type"}, {WR_T_INT, "3000000000", "range"},
        {WR_T_DOUBLE, "3", "3.0"}, {WR_T_DOUBLE, "\"NaN\"", "\"NaN\""}, {WR_T_DECIMAL, "0.1", "0.10"}, {WR_T_DECIMAL, "\"0.1\"", "0.10"},
        {WR_T_TEXT, "\"a\\u00e9\\ud83d\\ude00\\n\"", "\"a\xC3\xA9\xF0\x9F\x98\x80\\n\""}, {WR_T_TEXT, "\"\\ud83d\"", "type"}, {WR_T_TEXT, "12.50", "\"12.50\""},
        {WR_T_TEXT, "{\"a\":1}", "\"{\\\"a\\\":1}\""}, {WR_T_JSON, "null", "null"}, {WR_T_JSON, "\"a\"", "\"a\""},
        {WR_T_TIMESTAMP, "\"2025-11-28T12:00:00Z\"", "\"2025-11-28T12:00:00.000Z\""}, {WR_T_TIMESTAMP, "1764331200000", "\"2025-11-28T12:00:00.000Z\""},
        {WR_T_TIMESTAMP, "1764331200000.5", "\"2025-11-28T12:00:00.000500Z\""}, {WR_T_TIMESTAMP, "-1", "\"1969-12-31T23:59:59.999Z\""},
        {WR_T_TIMESTAMP, "1e20", "range"}, {WR_T_TIMESTAMP, "\"x\"", "type"}, {WR_T_DATE, "5", "type"}, {WR_T_DATE, "\"2025-11-28\"", "\"2025-11-28\""},
        {WR_T_BYTES, "\"\\\\x61\"", "\"\\\\x61\""},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++)
        check_json(type_of(t[i].id), t[i].raw, t[i].want);
}

static void json_text_is_checked_strictly(void **state WR_UNUSED)
{
    static const char *good[] = {"0", "-0", "1.5e+10", "\"\"", "\"\\u12aF\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "[]", "{}", " [ 1 , [ ] , { } ] ", "{\"a\":{\"b\":[1,2,{}]},\"c\":null}",
                                 "true", "false", "null", "\t\r\n1\n", "\"\\ud800\"", "\"\x7F\""};
    static const char *bad[] = {"", " ", "01", "-", "+1", ".5", "1.", "1e", "1e+", "0x1", "nul", "nulls", "TRUE", "\"", "\"\\\"", "\"\\x\"", "\"\\u12g4\"", "\"\\u123\"",
                                "\"a\nb\"", "[", "]", "[1", "[1,", "[1,]", "[,1]", "[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,", "{\"a\":1,}", "{a:1}", "{1:1}",
                                "{\"a\" 1}", "{\"a\":1]", "[1}", "1 2", "[]]", "{}}", "'a'", "NaN", "\v1", "[1]x"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        if (!wr_json_valid(wr_str_c(good[i])))
            fail_msg("%s was refused", good[i]);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        if (wr_json_valid(wr_str_c(bad[i])))
            fail_msg("%s was accepted", bad[i]);
    char deep[2 * WR_JSON_DEPTH + 4];
    for (int depth = WR_JSON_DEPTH; depth <= WR_JSON_DEPTH + 1; depth++) {
        memset(deep, '[', (size_t)depth);
        memset(deep + depth, ']', (size_t)depth);
        assert_int_equal(wr_json_valid((struct wr_str){deep, 2 * (uint32_t)depth}), depth <= WR_JSON_DEPTH);
    }
}

/* JSONTestSuite: y_ must be accepted, n_ refused. */
static void json_conformance_suite(void **state WR_UNUSED)
{
    DIR *dir = opendir(WR_TEST_DATA "/json_suite");
    assert_non_null(dir);
    int yes = 0, no = 0;
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        char path[600];
        static char text[300000];
        (void)snprintf(path, sizeof path, WR_TEST_DATA "/json_suite/%s", e->d_name);
        if (e->d_name[1] != '_')
            continue;
        FILE *f = fopen(path, "rb");
        assert_non_null(f);
        struct wr_str s = {text, (uint32_t)fread(text, 1, sizeof text, f)};
        fclose(f);
        bool ok = wr_utf8_valid(s) && wr_json_valid(s);
        yes += e->d_name[0] == 'y';
        no += e->d_name[0] == 'n';
        if ((e->d_name[0] == 'y' && !ok) || (e->d_name[0] == 'n' && ok))
            fail_msg("%s", e->d_name);
    }
    closedir(dir);
    assert_true(yes > 90 && no > 180);
}

static void json_members_are_walked(void **state WR_UNUSED)
{
    struct wr_json_iter it;
    struct wr_str key, value;
    assert_true(wr_json_iter(&it, WR_STR("{ \"a\" : [1, 2] , \"b\\u0063\":\"}\" }")));
    assert_true(wr_json_next(&it, &key, &value));
    assert_true(wr_json_key_is(key, WR_STR("a")) && wr_str_eq_c(value, "[1, 2]"));
    assert_true(wr_json_next(&it, &key, &value));
    assert_true(wr_json_key_is(key, WR_STR("bc")) && wr_str_eq_c(value, "\"}\""));
    assert_false(wr_json_next(&it, &key, &value));
    assert_false(it.bad);
    assert_true(wr_json_iter(&it, WR_STR("[1,]")));
    assert_true(wr_json_next(&it, &key, &value) && key.n == 0);
    assert_false(wr_json_next(&it, &key, &value));
    assert_true(it.bad);
    assert_true(wr_json_iter(&it, WR_STR("[ ]")));
    assert_false(wr_json_next(&it, &key, &value) || it.bad);
    assert_false(wr_json_iter(&it, WR_STR("12")));
}

static void order_of_values(void **state WR_UNUSED)
{
    struct wr_value nan = V(DOUBLE, .as.d = (double)NAN), inf = V(DOUBLE, .as.d = (double)INFINITY), zero = V(DOUBLE, .as.d = 0.0), minus = V(DOUBLE, .as.d = -0.0);
    assert_int_equal(wr_value_cmp(&nan, &nan), 0);
    assert_int_equal(wr_value_cmp(&nan, &inf), 1);
    assert_int_equal(wr_value_cmp(&inf, &nan), -1);
    assert_int_equal(wr_value_cmp(&zero, &minus), 0);
    struct wr_value month = V(INTERVAL, .as.iv = {.months = 1}), days = V(INTERVAL, .as.iv = {.days = 30}), more = V(INTERVAL, .as.iv = {.days = 30, .us = 1});
    assert_int_equal(wr_value_cmp(&month, &days), 0);
    assert_int_equal(wr_value_cmp(&month, &more), -1);
    struct wr_value a = TEXT_V(TEXT, "a"), b = TEXT_V(TEXT, "a\0"), c = TEXT_V(TEXT, "\xC3\xA9");
    assert_int_equal(wr_value_cmp(&a, &b), -1);
    assert_int_equal(wr_value_cmp(&c, &b), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(prints_every_type),
        cmocka_unit_test(casts_from_text),
        cmocka_unit_test(empty_text_without_address),
        cmocka_unit_test(printed_text_reads_back),
        cmocka_unit_test(values_from_json),
        cmocka_unit_test(json_text_is_checked_strictly),
        cmocka_unit_test(json_conformance_suite),
        cmocka_unit_test(json_members_are_walked),
        cmocka_unit_test(order_of_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

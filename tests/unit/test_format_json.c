/* test_format_json.c: the JSON decoder: every type from every form, paths, order of members, what is refused and why; the conformance cases
 * of tests/data/json_suite; and random and damaged documents against jansson as an independent reader. */
#include "connectors/json_decode.h"
#include "tests/unit/format_rig.h"

#include <dirent.h>
#include <jansson.h>

static void one(struct rig *r, struct wr_type type)
{
    rig_init(r);
    rig_col(r, "a", type);
    rig_open(r, &wr_format_json);
}

/* {"a": VALUE} in three layouts: alone at the end of the text, with much behind it, and pretty-printed. */
static void gives(struct rig *r, const char *value, const char *row)
{
    static const char *const around[][2] = {
        {"{\"a\":", "}"}, {"{\"a\": ", ", \"rest\": [1, 2, \"much more text behind the value\"]}"}, {"\n{\n\t\"a\" :\r\n ", "\n}\n"}};
    char text[4096];
    for (int i = 0; i < 3; i++) {
        snprintf(text, sizeof text, "%s%s%s", around[i][0], value, around[i][1]);
        rig_gives(r, text, row);
        rig_gives(r, text, row); /* the second time the key is remembered */
    }
}

static void refuses(struct rig *r, const char *value, enum wr_reason why)
{
    char text[4096];
    bool column = why != WR_R_SYNTAX && why != WR_R_DEPTH;
    snprintf(text, sizeof text, "{\"a\":%s}", value);
    rig_refuses(r, text, why, column ? "a" : NULL);
    snprintf(text, sizeof text, "{\"a\": %s, \"rest\": [1, 2, \"much more text behind the value\"]}", value);
    rig_refuses(r, text, why, column ? "a" : NULL);
}

static void text_is_taken_as_it_is(void **state WR_UNUSED)
{
    struct rig r;
    one(&r, T(TEXT));
    gives(&r, "\"\"", "\"\"");
    gives(&r, "\"Gamer\"", "\"Gamer\"");
    gives(&r, "\"Eletr\xC3\xB4nicos e cia\"", "\"Eletr\xC3\xB4nicos e cia\"");
    gives(&r, "\"a\\\"b\\\\c\\/d\\n\\t\\r\\b\\f\"", "\"a\\\"b\\\\c/d\\n\\t\\r\\b\\f\"");
    gives(&r, "\"\\u00e9\\u20AC\\ud83d\\ude00\"", "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80\"");
    gives(&r, "\"0123456789abcdef0123456789abcdef0123456789\"", "\"0123456789abcdef0123456789abcdef0123456789\"");
    gives(&r, "\"0123456789abcde\\n\"", "\"0123456789abcde\\n\"");
    gives(&r, "12.50", "\"12.50\"");
    gives(&r, "-1e400", "\"-1e400\"");
    gives(&r, "true", "\"true\"");
    gives(&r, "null", "null");
    refuses(&r, "{\"b\":1}", WR_R_TYPE);
    refuses(&r, "[]", WR_R_TYPE);
    refuses(&r, "\"\\u0000\"", WR_R_UTF8);
    refuses(&r, "\"\\ud800\"", WR_R_UTF8);
    refuses(&r, "\"\\udc00\\ud800\"", WR_R_UTF8);
    refuses(&r, "\"\\ud800\\u0041\"", WR_R_UTF8);
    refuses(&r, "\"tab\there\"", WR_R_SYNTAX);
    refuses(&r, "\"\\x\"", WR_R_SYNTAX);
    refuses(&r, "\"\\u12g4\"", WR_R_SYNTAX);
    rig_refuses(&r, "{\"a\":\"\xC3\"}", WR_R_UTF8, NULL);
    rig_refuses(&r, "{\"a\":\"\xED\xA0\x80\"}", WR_R_UTF8, NULL);
    rig_refuses(&r, "{\"b\":\"\xFF and it is not even wanted\"}", WR_R_UTF8, NULL);
    rig_refuses(&r, "{\"\xFF\":1}", WR_R_UTF8, NULL);
    rig_close(&r);

    struct wr_type limited = T(TEXT);
    limited.len = 3;
    one(&r, limited);
    gives(&r, "\"abc\"", "\"abc\"");
    gives(&r, "\"\xC3\xA9\xC3\xA9\xC3\xA9\"", "\"\xC3\xA9\xC3\xA9\xC3\xA9\"");
    refuses(&r, "\"abcd\"", WR_R_RANGE);
    rig_close(&r);
}

static void integers(void **state WR_UNUSED)
{
    struct rig r;
    one(&r, T(BIGINT));
    gives(&r, "0", "0");
    gives(&r, "-0", "0");
    gives(&r, "7", "7");
    gives(&r, "-12345678", "-12345678");
    gives(&r, "1234567", "1234567");
    gives(&r, "12345678", "12345678");
    gives(&r, "123456789", "123456789");
    gives(&r, "1234567890123456", "1234567890123456");
    gives(&r, "12345678901234567", "12345678901234567");
    gives(&r, "9223372036854775807", "9223372036854775807");
    gives(&r, "-9223372036854775808", "-9223372036854775808");
    gives(&r, "12.0", "12");
    gives(&r, "1.5e1", "15");
    gives(&r, "1E3", "1000");
    gives(&r, "\"42\"", "42");
    gives(&r, "\" -42 \"", "-42");
    gives(&r, "null", "null");
    refuses(&r, "9223372036854775808", WR_R_RANGE);
    refuses(&r, "-9223372036854775809", WR_R_RANGE);
    refuses(&r, "1e400", WR_R_RANGE);
    refuses(&r, "99999999999999999999999999999999999999999999", WR_R_RANGE);
    refuses(&r, "12.5", WR_R_TYPE);
    refuses(&r, "\"12x\"", WR_R_TYPE);
    refuses(&r, "\"\"", WR_R_TYPE);
    refuses(&r, "true", WR_R_TYPE);
    refuses(&r, "[1]", WR_R_TYPE);
    refuses(&r, "01", WR_R_SYNTAX);
    refuses(&r, "-01", WR_R_SYNTAX);
    refuses(&r, "00", WR_R_SYNTAX);
    refuses(&r, "-", WR_R_SYNTAX);
    refuses(&r, "+1", WR_R_SYNTAX);
    refuses(&r, "1.", WR_R_SYNTAX);
    refuses(&r, ".1", WR_R_SYNTAX);
    refuses(&r, "1e", WR_R_SYNTAX);
    refuses(&r, "1e+", WR_R_SYNTAX);
    refuses(&r, "1.2.3", WR_R_SYNTAX);
    refuses(&r, "12345678.", WR_R_SYNTAX);
    refuses(&r, "0x10", WR_R_SYNTAX);
    refuses(&r, "NaN", WR_R_SYNTAX);
    refuses(&r, "12abc", WR_R_SYNTAX);
    rig_close(&r);

    one(&r, T(INT));
    gives(&r, "2147483647", "2147483647");
    gives(&r, "-2147483648", "-2147483648");
    refuses(&r, "2147483648", WR_R_RANGE);
    refuses(&r, "-2147483649", WR_R_RANGE);
    rig_close(&r);
}

static void decimals_are_exact(void **state WR_UNUSED)
{
    struct rig r;
    one(&r, DECIMAL(12, 2));
    gives(&r, "1234.56", "1234.56");
    gives(&r, "10.5", "10.50");
    gives(&r, "10", "10.00");
    gives(&r, "0.01", "0.01");
    gives(&r, "-0.01", "-0.01");
    gives(&r, "0", "0.00");
    gives(&r, "9999999999.99", "9999999999.99");
    gives(&r, "1.005", "1.01");
    gives(&r, "-1.005", "-1.01");
    gives(&r, "1.0049999999999999999999", "1.00");
    gives(&r, "1.5e2", "150.00");
    gives(&r, "123456.7", "123456.70");
    gives(&r, "1234567.8", "1234567.80");
    gives(&r, "12345678.91", "12345678.91");
    gives(&r, "\"12.50\"", "12.50");
    refuses(&r, "10000000000", WR_R_RANGE);
    refuses(&r, "9999999999.995", WR_R_RANGE);
    refuses(&r, "-10000000000.00", WR_R_RANGE);
    refuses(&r, "1e30", WR_R_RANGE);
    refuses(&r, "\"abc\"", WR_R_TYPE);
    refuses(&r, "{}", WR_R_TYPE);
    refuses(&r, "00.5", WR_R_SYNTAX);
    refuses(&r, "0.", WR_R_SYNTAX);
    rig_close(&r);

    one(&r, DECIMAL(38, 6));
    gives(&r, "12345678901234567890123456789012.345678", "12345678901234567890123456789012.345678");
    gives(&r, "0.1", "0.100000");
    refuses(&r, "123456789012345678901234567890123", WR_R_RANGE);
    rig_close(&r);

    one(&r, DECIMAL(38, 38));
    gives(&r, "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001");
    gives(&r, "0.5", "0.50000000000000000000000000000000000000");
    refuses(&r, "1", WR_R_RANGE);
    rig_close(&r);
}

static void doubles_are_the_nearest(void **state WR_UNUSED)
{
    struct rig r;
    one(&r, T(DOUBLE));
    gives(&r, "0.1", "0.1");
    gives(&r, "21.5", "21.5");
    gives(&r, "-273.15", "-273.15");
    gives(&r, "9007199254740993", "9.007199254740992e+15");
    gives(&r, "1e22", "1e+22");
    gives(&r, "1.7976931348623157e308", "1.7976931348623157e+308");
    gives(&r, "1e-400", "0.0");
    gives(&r, "123456789.123456789", "123456789.12345679");
    gives(&r, "\"2.5\"", "2.5");
    gives(&r, "\"NaN\"", "\"NaN\"");
    refuses(&r, "1e309", WR_R_RANGE);
    refuses(&r, "\"x\"", WR_R_TYPE);
    refuses(&r, "false", WR_R_TYPE);
    rig_close(&r);
    /* against the C library, on numbers of many shapes */
    one(&r, T(DOUBLE));
    uint64_t x = 1;
    for (int i = 0; i < 20000; i++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        char num[64], text[96];
        snprintf(num, sizeof num, "%.*f", (int)(x >> 60), (double)(int64_t)x / (double)(UINT64_C(1) << (x >> 40 & 63)));
        snprintf(text, sizeof text, "{\"a\":%s}", num);
        assert_int_equal(rig_decode(&r, text), WR_R_NONE);
        assert_true(WR_VEC_F64(&r.batch->col[0])[0] == strtod(num, NULL));
    }
    rig_close(&r);
}

static void booleans_and_json(void **state WR_UNUSED)
{
    struct rig r;
    one(&r, T(BOOL));
    gives(&r, "true", "true");
    gives(&r, "false", "false");
    gives(&r, "\"True\"", "true");
    refuses(&r, "1", WR_R_TYPE);
    refuses(&r, "\"yes\"", WR_R_TYPE);
    refuses(&r, "tru", WR_R_SYNTAX);
    refuses(&r, "True", WR_R_SYNTAX);
    refuses(&r, "nul", WR_R_SYNTAX);
    rig_close(&r);

    one(&r, T(JSON));
    gives(&r, "{\"b\" : [1, {}]}", "{\"b\" : [1, {}]}");
    gives(&r, "\"x\\ny\"", "\"x\\ny\"");
    gives(&r, "17", "17");
    gives(&r, "null", "null");
    refuses(&r, "{\"b\" : [1, {]}", WR_R_SYNTAX);
    rig_close(&r);
}

static void times(void **state WR_UNUSED)
{
    struct rig r;
    one(&r, T(TIMESTAMP));
    gives(&r, "\"2025-11-28T12:00:00\"", "\"2025-11-28T12:00:00.000Z\"");
    gives(&r, "\"2025-11-28 23:59:59\"", "\"2025-11-28T23:59:59.000Z\"");
    gives(&r, "\"2025-11-28T12:00:00Z\"", "\"2025-11-28T12:00:00.000Z\"");
    gives(&r, "\"2025-11-28T12:00:00.5\"", "\"2025-11-28T12:00:00.500Z\"");
    gives(&r, "\"2025-11-28T12:00:00.123456Z\"", "\"2025-11-28T12:00:00.123456Z\"");
    gives(&r, "\"2025-11-28T12:00:00.1234567Z\"", "\"2025-11-28T12:00:00.123457Z\"");
    gives(&r, "\"2025-11-28T12:00:00-03:00\"", "\"2025-11-28T15:00:00.000Z\"");
    gives(&r, "\"2025-11-28T12:00\"", "\"2025-11-28T12:00:00.000Z\"");
    gives(&r, "\"2024-02-29T00:00:00\"", "\"2024-02-29T00:00:00.000Z\"");
    gives(&r, "\"2025-11-28\"", "\"2025-11-28T00:00:00.000Z\"");
    gives(&r, "1764331200000", "\"2025-11-28T12:00:00.000Z\"");
    gives(&r, "1764331200000.5", "\"2025-11-28T12:00:00.000500Z\"");
    gives(&r, "1.7643312e12", "\"2025-11-28T12:00:00.000Z\"");
    gives(&r, "0", "\"1970-01-01T00:00:00.000Z\"");
    gives(&r, "-1", "\"1969-12-31T23:59:59.999Z\"");
    gives(&r, "253402300799999", "\"9999-12-31T23:59:59.999Z\"");
    refuses(&r, "253402300800000", WR_R_TS_RANGE);
    refuses(&r, "-62135596800001", WR_R_TS_RANGE);
    refuses(&r, "99999999999999999999999999999999999999999", WR_R_TS_RANGE);
    refuses(&r, "\"2025-02-29T00:00:00\"", WR_R_TYPE);
    refuses(&r, "\"2025-11-28T24:00:01\"", WR_R_TYPE);
    refuses(&r, "\"yesterday\"", WR_R_TYPE);
    refuses(&r, "\"\"", WR_R_TYPE);
    refuses(&r, "true", WR_R_TYPE);
    refuses(&r, "012", WR_R_SYNTAX);
    rig_close(&r);

    static const struct {
        const char *unit, *number, *row;
    } units[] = {
        {"s", "1764331200", "\"2025-11-28T12:00:00.000Z\""},     {"s", "1764331200.25", "\"2025-11-28T12:00:00.250Z\""},
        {"us", "1764331200000001", "\"2025-11-28T12:00:00.000001Z\""}, {"ns", "1764331200000001500", "\"2025-11-28T12:00:00.000002Z\""},
        {"ns", "1764331200000001499", "\"2025-11-28T12:00:00.000001Z\""},
    };
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        rig_init(&r);
        rig_col(&r, "a", T(TIMESTAMPTZ));
        rig_opt(&r, "timestamp_unit", units[i].unit);
        rig_open(&r, &wr_format_json);
        gives(&r, units[i].number, units[i].row);
        rig_close(&r);
    }
    one(&r, T(DATE));
    gives(&r, "\"2025-11-28\"", "\"2025-11-28\"");
    refuses(&r, "20251128", WR_R_TYPE);
    rig_close(&r);
    one(&r, T(TIME));
    gives(&r, "\"12:34:56.5\"", "\"12:34:56.5\"");
    rig_close(&r);
    one(&r, T(INTERVAL));
    gives(&r, "\"1 day 02:00:00\"", "\"1 day 02:00:00\"");
    refuses(&r, "\"soon\"", WR_R_TYPE);
    rig_close(&r);
}

static void bytes_are_hex_or_base64(void **state WR_UNUSED)
{
    static const struct {
        const char *text, *hex; /* hex NULL: refused */
    } cases[] = {
        {"\"\\\\x48656C6c6f\"", "48656c6c6f"}, {"\"SGVsbG8=\"", "48656c6c6f"}, {"\"SGVsbG8\"", "48656c6c6f"}, {"\"SGk=\"", "4869"},
        {"\"\"", ""},                          {"\"+/+/\"", "fbffbf"},         {"\"S\"", NULL},               {"\"SGVsbG9=\"", NULL},
        {"\"\\\\x4\"", NULL},                  {"\"\\\\xzz\"", NULL},          {"\"SG Vs\"", NULL},           {"12", NULL},
    };
    struct rig r;
    one(&r, T(BYTES));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[128], hex[64] = "";
        snprintf(text, sizeof text, "{\"a\":%s}", cases[i].text);
        if (!cases[i].hex) {
            rig_refuses(&r, text, WR_R_TYPE, "a");
            continue;
        }
        assert_int_equal(rig_decode(&r, text), WR_R_NONE);
        struct wr_str s = WR_VEC_STR(&r.batch->col[0])[0];
        for (uint32_t k = 0; k < s.n; k++)
            snprintf(hex + 2 * k, 3, "%02x", (unsigned char)s.p[k]);
        assert_string_equal(hex, cases[i].hex);
    }
    rig_close(&r);
}

static void nested_values(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    struct wr_type array = T(ARRAY);
    struct wr_schema *sub = wr_schema_new(&r.mem, 1);
    sub->field[0] = (struct wr_field){.name = WR_STR("element"), .type = T(BIGINT), .nullable = true};
    array.sub = sub;
    rig_col(&r, "a", array);
    rig_open(&r, &wr_format_json);
    gives(&r, "[1, null, 3]", "[1,null,3]");
    gives(&r, "[]", "[]");
    gives(&r, "null", "null");
    refuses(&r, "[1, \"x\"]", WR_R_TYPE);
    refuses(&r, "7", WR_R_TYPE);
    refuses(&r, "[1, 2", WR_R_SYNTAX);
    rig_close(&r);
}

static void members_come_in_any_order(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_col(&r, "a", T(BIGINT));
    rig_col(&r, "bb", T(TEXT));
    rig_col(&r, "a_much_longer_name_than_sixteen_bytes", T(BIGINT));
    rig_open(&r, &wr_format_json);
    const char *all = "1 \"x\" 3";
    for (int i = 0; i < 3; i++) {
        rig_gives(&r, "{\"a\":1,\"bb\":\"x\",\"a_much_longer_name_than_sixteen_bytes\":3}", all);
        rig_gives(&r, "{\"a\":1,\"bb\":\"x\",\"a_much_longer_name_than_sixteen_bytez\":9,\"a_much_longer_name_than_sixteen_bytes\":3}", all);
        rig_gives(&r, "{\"a_much_longer_name_than_sixteen_bytes\":3,\"zz\":{},\"bb\":\"x\",\"a\":1}", all);
        rig_gives(&r, "{\"zz\":null,\"bb\":\"x\",\"a_much_longer_name_than_sixteen_bytes\":3,\"a\":1}", all);
        rig_gives(&r, "{\"\\u0061\":1,\"b\\u0062\":\"x\",\"a_much_longer_name_than_sixteen_bytes\":3}", all);
        rig_gives(&r, "{\"bb\":\"x\"}", "null \"x\" null");
        rig_gives(&r, "{}", "null null null");
        rig_gives(&r, " {\"A\":5, \"b\":\"y\", \"\":7, \"\\ud800\":1} ", "null null null");
        rig_gives(&r, "{\"a\":7,\"a\":1,\"bb\":\"y\",\"bb\":null,\"bb\":\"x\",\"a_much_longer_name_than_sixteen_bytes\":3}", all);
        rig_gives(&r, "{\"a\":\"not a number\",\"a\":1}", "1 null null");
        rig_gives(&r, "{\"a\":1,\"a\":null}", "null null null");
        rig_refuses(&r, "{\"a\":1,\"a\":\"not a number\"}", WR_R_TYPE, "a");
    }
    rig_close(&r);
}

static void many_columns(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_buf text = {0}, row = {0};
    static char name[150][16];
    rig_init(&r);
    for (int i = 0; i < 150; i++) {
        snprintf(name[i], sizeof name[i], "c%d", i);
        rig_col(&r, name[i], T(INT));
    }
    rig_open(&r, &wr_format_json);
    wr_buf_putc(&text, '{');
    for (int i = 0; i < 150; i += 2)
        wr_buf_printf(&text, "%s\"c%d\":%d", i ? "," : "", i, i);
    wr_buf_puts(&text, "}");
    wr_buf_putc(&text, 0);
    for (int i = 0; i < 150; i++)
        wr_buf_printf(&row, i % 2 ? "%snull" : "%s%d", i ? " " : "", i);
    wr_buf_putc(&row, 0);
    rig_gives(&r, text.p, row.p);
    rig_gives(&r, text.p, row.p);
    rig_refuses(&r, "{\"c149\":true}", WR_R_TYPE, "c149");
    rig_gives(&r, text.p, row.p);
    wr_buf_clear(&text);
    wr_buf_clear(&row);
    rig_close(&r);
}

static void paths_reach_inside(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_path(&r, "price", DECIMAL(10, 2), "$.order.items[0].price");
    rig_path(&r, "second", T(BIGINT), "$.order.items[1].n");
    rig_path(&r, "items", T(JSON), "$.order.items");
    rig_path(&r, "odd", T(TEXT), "$['odd.name'].\"x y\"");
    rig_path(&r, "order_id", T(TEXT), "$.order.id");
    rig_path(&r, "again", T(TEXT), "$.order.id");
    rig_col(&r, "id", T(TEXT));
    rig_open(&r, &wr_format_json);
    const char *text = "{\"id\":\"top\",\"order\":{\"id\":\"in\",\"items\":[{\"price\":1.5,\"n\":1},{\"n\":2}]},\"odd.name\":{\"x y\":\"z\"}}";
    rig_gives(&r, text, "1.50 2 [{\"price\":1.5,\"n\":1},{\"n\":2}] \"z\" \"in\" \"in\" \"top\"");
    rig_gives(&r, text, "1.50 2 [{\"price\":1.5,\"n\":1},{\"n\":2}] \"z\" \"in\" \"in\" \"top\"");
    rig_gives(&r, "{\"order\":5}", "null null null null null null null");
    rig_gives(&r, "{\"order\":{\"items\":{\"0\":1}}}", "null null {\"0\":1} null null null null");
    rig_gives(&r, "{\"order\":{\"items\":[]}}", "null null [] null null null null");
    rig_gives(&r, "{\"order\":{\"id\":\"x\"},\"order\":{\"items\":[7]}}", "null null [7] null null null null");
    rig_gives(&r, "{\"order\":{\"id\":{}},\"order\":{\"id\":\"y\"}}", "null null null null \"y\" \"y\" null");
    rig_refuses(&r, "{\"order\":{\"id\":\"x\"}", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "{\"order\":{\"items\":[{\"price\":1}", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "{\"order\":{\"items\":[{\"price\":1}}", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "{\"order\":{\"items\":[{\"price\":\"x\"}]}}", WR_R_TYPE, "price");
    rig_close(&r);

    rig_init(&r);
    rig_path(&r, "whole", T(JSON), "$");
    rig_col(&r, "a", T(INT));
    rig_open(&r, &wr_format_json);
    rig_gives(&r, " {\"a\":1} ", "{\"a\":1} 1");
    rig_refuses(&r, "{\"a\":1}}", WR_R_SYNTAX, NULL);
    rig_close(&r);

    static const char *const bad[] = {"a.b", "$.", "$.a[", "$.a[x]", "$.a[-1]", "$.a b", "$..a", "$['a", "$x", "$.a[99999999999]"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        rig_init(&r);
        rig_path(&r, "p", T(TEXT), bad[i]);
        rig_schema(&r);
        assert_int_equal(wr_format_json.decoder_open(&r.spec, &r.dec, &r.err), WR_ESQL);
        assert_non_null(strstr(r.err.msg, "is not a path"));
        wr_arena_clear(&r.mem);
    }
}

static void not_null_is_kept(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_col(&r, "id", T(TEXT))->not_null = true;
    rig_col(&r, "v", T(INT));
    rig_open(&r, &wr_format_json);
    rig_gives(&r, "{\"id\":\"\",\"v\":null}", "\"\" null");
    rig_refuses(&r, "{\"v\":1}", WR_R_NOT_NULL, "id");
    rig_refuses(&r, "{\"id\":null}", WR_R_NOT_NULL, "id");
    rig_gives(&r, "{\"id\":null,\"id\":\"x\"}", "\"x\" null");
    rig_refuses(&r, "{\"v\":true,\"id\":null}", WR_R_NOT_NULL, "id");
    rig_refuses(&r, "{\"v\":true,\"id\":null", WR_R_SYNTAX, NULL); /* malformed goes before all else */
    rig_close(&r);
}

static void whole_records(void **state WR_UNUSED)
{
    static const struct {
        const char *text;
        enum wr_reason why;
        const char *says;
    } cases[] = {
        {"", WR_R_SYNTAX, "the record is empty"},
        {" \n", WR_R_SYNTAX, "the record is empty"},
        {"[]", WR_R_TYPE, "the record is an array, not an object"},
        {"[{\"a\":1}]", WR_R_TYPE, "the record is an array, not an object"},
        {"17", WR_R_TYPE, "the record is a number, not an object"},
        {"\"x\"", WR_R_TYPE, "the record is a string, not an object"},
        {"null", WR_R_TYPE, "the record is null, not an object"},
        {"[1,", WR_R_SYNTAX, "the record ends in the middle, after 3 bytes"},
        {"{\"a\":1", WR_R_SYNTAX, "the record ends in the middle, after 6 bytes"},
        {"{\"a", WR_R_SYNTAX, NULL},
        {"{\"a\":1}x", WR_R_SYNTAX, "unexpected \"x\" at byte 8"},
        {"{\"a\":1} {\"a\":2}", WR_R_SYNTAX, "unexpected \"{\" at byte 9"},
        {"{\"a\":1}}", WR_R_SYNTAX, "unexpected \"}\" at byte 8"},
        {"{\"a\":1,}", WR_R_SYNTAX, "unexpected \"}\" at byte 8"},
        {"{,\"a\":1}", WR_R_SYNTAX, "unexpected \",\" at byte 2"},
        {"{\"a\" 1}", WR_R_SYNTAX, "unexpected \"1\" at byte 6"},
        {"{\"a\":1 \"b\":2}", WR_R_SYNTAX, NULL},
        {"{a:1}", WR_R_SYNTAX, "unexpected \"a\" at byte 2"},
        {"{'a':1}", WR_R_SYNTAX, NULL},
        {"{\"a\":1]", WR_R_SYNTAX, NULL},
        {"\xEF\xBB\xBF{\"a\":1}", WR_R_SYNTAX, "the record begins with a byte order mark"},
        {"{\"a\":/*x*/1}", WR_R_SYNTAX, NULL},
        {"{\"a\":tru}", WR_R_SYNTAX, NULL},
        {"}", WR_R_SYNTAX, NULL},
    };
    struct rig r;
    one(&r, T(INT));
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        rig_refuses(&r, cases[i].text, cases[i].why, NULL);
        if (cases[i].says)
            assert_string_equal(r.bad.msg, cases[i].says);
    }
    assert_int_equal(rig_decode_n(&r, "{\"a\":1}\0", 8), WR_R_SYNTAX);
    rig_refuses(&r, "{\"a\":\"a text\"}", WR_R_TYPE, "a");
    assert_string_equal(r.bad.msg, "\"a text\" is not of type INTEGER");
    rig_refuses(&r, "{\"a\":3000000000}", WR_R_RANGE, "a");
    assert_string_equal(r.bad.msg, "3000000000 does not fit INTEGER");
    rig_close(&r);
}

static void depth_and_size_are_limited(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_buf text = {0};
    one(&r, T(JSON));
    for (int deep = 199; deep <= 200; deep++) {
        wr_buf_reset(&text);
        wr_buf_puts(&text, "{\"a\":");
        for (int i = 0; i < deep; i++)
            wr_buf_putc(&text, i % 3 ? '[' : '{'), i % 3 ? (void)0 : wr_buf_puts(&text, "\"k\":");
        wr_buf_putc(&text, '1');
        for (int i = deep - 1; i >= 0; i--)
            wr_buf_putc(&text, i % 3 ? ']' : '}');
        wr_buf_putc(&text, '}');
        assert_int_equal(rig_decode_n(&r, text.p, text.n), deep < 200 ? WR_R_NONE : WR_R_DEPTH);
    }
    wr_buf_reset(&text);
    for (int i = 0; i < 100000; i++)
        wr_buf_puts(&text, "{\"a\":");
    assert_int_equal(rig_decode_n(&r, text.p, text.n), WR_R_DEPTH);
    wr_buf_putc(&text, '}');
    assert_int_equal(rig_decode_n(&r, text.p, text.n), WR_R_DEPTH);
    wr_buf_reset(&text);
    for (int i = 0; i < 100000; i++)
        wr_buf_puts(&text, "[");
    assert_int_equal(rig_decode_n(&r, text.p, text.n), WR_R_DEPTH);
    wr_buf_reset(&text);
    for (int i = 0; i < 50000; i++)
        wr_buf_puts(&text, "[{\"\":");
    wr_buf_putc(&text, '\n');
    assert_int_equal(rig_decode_n(&r, text.p, text.n), WR_R_DEPTH);
    rig_close(&r);

    rig_init(&r);
    rig_opt(&r, "max_record_bytes", "100");
    rig_col(&r, "a", T(TEXT));
    rig_open(&r, &wr_format_json);
    wr_buf_reset(&text);
    wr_buf_printf(&text, "{\"a\":\"%092d\"}", 1);
    assert_int_equal(text.n, 100);
    assert_int_equal(rig_decode_n(&r, text.p, text.n), WR_R_NONE);
    text.p[text.n - 1] = ' ';
    wr_buf_putc(&text, '}');
    assert_int_equal(rig_decode_n(&r, text.p, text.n), WR_R_TOO_BIG);
    wr_buf_clear(&text);
    rig_close(&r);
}

static void no_columns_still_checks(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_open(&r, &wr_format_json);
    assert_int_equal(rig_decode(&r, "{\"a\":{\"b\":[1,2]}}"), WR_R_NONE);
    assert_int_equal(rig_decode(&r, "{\"a\":{\"b\":[1,2}}"), WR_R_SYNTAX);
    assert_int_equal(rig_decode(&r, "{}"), WR_R_NONE);
    assert_int_equal(rig_decode(&r, "{}}"), WR_R_SYNTAX);
    rig_close(&r);
}

/* ---- the scanner's two speeds ---- */

static void ascii_scanners_agree(void **state WR_UNUSED)
{
#if defined(__SSE2__)
    static const unsigned char kinds[] = {'a', 'z', ' ', '~', '"', '\\', 0x1F, 0x00, 0x7F, 0x80, 0xFF, '\n', 0x20, '!', '#', '['};
    uint64_t x = 7;
    for (int round = 0; round < 50000; round++) {
        x = x * UINT64_C(6364136223846793005) + 1442695040888963407;
        size_t n = x >> 58, from = (x >> 50 & 15) % (n + 1); /* up to 63 bytes */
        char *p = malloc(n ? n : 1); /* of exactly this size: a byte too far is seen */
        assert_non_null(p);
        uint64_t y = x;
        for (size_t i = 0; i < n; i++) {
            y = y * UINT64_C(6364136223846793005) + 1442695040888963407;
            p[i] = (char)((y >> 33) % 24 ? 'a' + (char)(y >> 59) % 26 : kinds[y >> 60]);
        }
        const char *want = p + from;
        while (want < p + n && *want != '"' && *want != '\\' && (unsigned char)*want >= 0x20 && (unsigned char)*want < 0x80)
            want++;
        assert_ptr_equal(wr_json_ascii_swar(p + from, p + n), want);
        assert_ptr_equal(wr_json_ascii_sse2(p, p + from, p + n), want);
        free(p);
    }
#else
    skip();
#endif
}

/* ---- the conformance cases ---- */

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    char *p = malloc(1 << 20);
    assert_non_null(p);
    *n = fread(p, 1, 1 << 20, f);
    fclose(f);
    return p;
}

static void conformance_suite(void **state WR_UNUSED)
{
    struct rig whole, inside;
    const char *dir = WR_TEST_DATA "/json_suite";
    DIR *d = opendir(dir);
    if (!d) {
        print_message("no %s\n", dir);
        fail();
    }
    rig_init(&whole);
    rig_open(&whole, &wr_format_json);
    one(&inside, T(JSON));
    int good = 0, bad = 0;
    for (struct dirent *e = readdir(d); e; e = readdir(d)) {
        char path[1024];
        size_t n;
        if (!strstr(e->d_name, ".json"))
            continue;
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        char *text = read_all(path, &n);
        /* on its own: a record has to be an object, so that other valid documents are of the wrong type, not malformed */
        enum wr_reason why = rig_decode_n(&whole, text, n);
        bool accepted = why == WR_R_NONE || (why == WR_R_TYPE && strstr(whole.bad.msg, "not an object"));
        /* and as a member's value */
        struct wr_buf member = {0};
        wr_buf_puts(&member, "{\"a\":");
        wr_buf_add(&member, text, n);
        wr_buf_puts(&member, "}");
        bool taken = rig_decode_n(&inside, member.p, member.n) == WR_R_NONE;
        bool want = e->d_name[0] == 'y', open = e->d_name[0] == 'i';
        if (!open && (accepted != want || taken != want)) {
            print_error("%s: alone %s, as a member %s: %s\n", e->d_name, accepted ? "taken" : "refused", taken ? "taken" : "refused", whole.bad.msg);
            fail();
        }
        if (open)
            assert_int_equal(accepted, taken);
        good += want;
        bad += !want && !open;
        wr_buf_clear(&member);
        free(text);
    }
    closedir(d);
    assert_true(good >= 90 && bad >= 180);
    rig_close(&whole);
    rig_close(&inside);
}

/* ---- against jansson ---- */

static uint64_t seed;
static uint32_t chance(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(seed >> 33) % n;
}

static void random_space(struct wr_buf *b)
{
    while (chance(6) == 0)
        wr_buf_putc(b, " \t\n\r"[chance(4)]);
}

static void random_string(struct wr_buf *b)
{
    static const char *const bits[] = {"a", "bc", "Z", " ", "0123456789abcdef", "\\n", "\\\"", "\\\\", "\\u00e9", "\\ud83d\\ude00", "\xC3\xA9",
                                       "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "}", "{", "[", ",", ":", "\\/", "long text, longer than sixteen"};
    wr_buf_putc(b, '"');
    for (uint32_t n = chance(5); n; n--)
        wr_buf_puts(b, bits[chance(sizeof bits / sizeof bits[0])]);
    wr_buf_putc(b, '"');
}

static void random_value(struct wr_buf *b, int depth)
{
    static const char *const scalars[] = {"true", "false", "null", "0", "-1", "12.5", "1e5", "-0.25E-2", "123456789012", "\"x\"", "9007199254740993"};
    uint32_t kind = chance(depth > 4 ? 6 : 9);
    if (kind < 4) {
        wr_buf_puts(b, scalars[chance(sizeof scalars / sizeof scalars[0])]);
    } else if (kind < 6) {
        random_string(b);
    } else {
        bool object = kind == 6;
        static const char *const names[] = {"\"a\"", "\"b\"", "\"c\"", "\"d\"", "\"a much longer member name\"", "\"\\u0061\""};
        wr_buf_putc(b, object ? '{' : '[');
        for (uint32_t n = chance(4), i = 0; i < n; i++) {
            if (i)
                wr_buf_putc(b, ',');
            random_space(b);
            if (object) {
                wr_buf_puts(b, names[chance(6)]);
                random_space(b);
                wr_buf_putc(b, ':');
                random_space(b);
            }
            random_value(b, depth + 1);
            random_space(b);
        }
        wr_buf_putc(b, object ? '}' : ']');
    }
}

static void random_record(struct wr_buf *b)
{
    static const char *const names[] = {"a", "b", "c", "d", "e", "a much longer member name"};
    wr_buf_reset(b);
    random_space(b);
    wr_buf_putc(b, '{');
    for (uint32_t n = chance(7), i = 0; i < n; i++) {
        random_space(b);
        if (i)
            wr_buf_putc(b, ',');
        random_space(b);
        wr_buf_printf(b, "\"%s\"", names[chance(3) ? i % 6 : chance(6)]);
        random_space(b);
        wr_buf_putc(b, ':');
        random_space(b);
        random_value(b, 0);
    }
    random_space(b);
    wr_buf_putc(b, '}');
    random_space(b);
}

static void damage(struct wr_buf *b)
{
    static const char bytes[] = "{}[]\",:\\0123e.-+tfn \t\n\x01\x7F\x80\xC3\xFF" "ux/";
    for (uint32_t n = 1 + chance(2); n && b->n; n--) {
        uint32_t at = chance((uint32_t)b->n);
        switch (chance(4)) {
        case 0: b->p[at] = bytes[chance(sizeof bytes - 1)]; break;
        case 1: memmove(b->p + at, b->p + at + 1, b->n - at - 1), b->n--; break;
        case 2:
            wr_buf_putc(b, 0);
            memmove(b->p + at + 1, b->p + at, b->n - at - 1);
            b->p[at] = bytes[chance(sizeof bytes - 1)];
            break;
        default: b->n = at; break;
        }
    }
}

/* What jansson refuses and we take: numbers too large, and text that no value of ours is made of. */
static bool jansson_is_stricter(const json_error_t *why)
{
    enum json_error_code code = json_error_code(why);
    return code == json_error_numeric_overflow || code == json_error_null_character || code == json_error_null_byte_in_key ||
           strstr(why->text, "invalid Unicode") || strstr(why->text, "too big") || strstr(why->text, "real number overflow");
}

static void compare_members(struct rig *r, const json_t *doc)
{
    for (int i = 0; i < 2; i++) { /* a: JSON, b: TEXT */
        const json_t *v = json_object_get(doc, i ? "b" : "a");
        bool null = wr_vec_null(&r->batch->col[i], 0);
        if (!v || json_is_null(v)) {
            assert_true(null);
            continue;
        }
        assert_false(null);
        struct wr_str s = WR_VEC_STR(&r->batch->col[i])[0];
        if (i && json_is_string(v)) {
            assert_int_equal(s.n, json_string_length(v));
            assert_memory_equal(s.p, json_string_value(v), s.n);
        } else if (!i) {
            json_error_t why;
            json_t *again = json_loadb(s.p, s.n, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);
            assert_non_null(again);
            assert_true(json_equal(again, v));
            json_decref(again);
        }
    }
}

static void agrees_with_jansson(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_buf text = {0};
    int taken = 0, refused = 0;
    rig_init(&r);
    rig_col(&r, "a", T(JSON));
    rig_col(&r, "b", T(TEXT));
    rig_path(&r, "inner", T(JSON), "$.c.a");
    rig_path(&r, "first", T(JSON), "$.d[0]");
    rig_open(&r, &wr_format_json);
    for (int i = 0; i < 60000; i++) {
        seed = (uint64_t)i;
        random_record(&text);
        if (i % 3)
            damage(&text);
        enum wr_reason why = rig_decode_n(&r, text.p, text.n);
        json_error_t error;
        json_t *doc = json_loadb(text.p, text.n, JSON_ALLOW_NUL | JSON_DECODE_ANY, &error);
        bool theirs = doc && json_is_object(doc);
        /* text of b that is an object or an array, or half a surrogate pair, is ours to refuse */
        bool ours = why == WR_R_NONE || (wr_str_eq_c(r.bad.column, "b") && (why == WR_R_TYPE || why == WR_R_UTF8));
        if (ours != theirs && !(ours && !doc && jansson_is_stricter(&error))) {
            print_error("seed %d: %s (%s), jansson: %s\n%.*s\n", i, wr_reason_name(why), r.bad.msg, doc ? "taken" : error.text, (int)text.n, text.p);
            fail();
        }
        if (why == WR_R_NONE && theirs)
            compare_members(&r, doc);
        if (why == WR_R_NONE && theirs && i % 3 == 0) {
            const json_t *c = json_object_get(json_object_get(doc, "c"), "a"), *f = json_array_get(json_object_get(doc, "d"), 0);
            assert_int_equal(wr_vec_null(&r.batch->col[2], 0), !c || json_is_null(c));
            assert_int_equal(wr_vec_null(&r.batch->col[3], 0), !f || json_is_null(f));
        }
        taken += why == WR_R_NONE;
        refused += why != WR_R_NONE;
        json_decref(doc);
        if (i % 1000 == 0) { /* what unescaped text took */
            wr_batch_unref(r.batch);
            r.batch = wr_batch_new(r.schema, 16);
        }
    }
    assert_true(taken > 20000 && refused > 20000);
    wr_buf_clear(&text);
    rig_close(&r);
}

/* The short ways give what the general ways give: the same values through a decoder whose short ways are switched off. */
static void quick_and_general_agree(void **state WR_UNUSED)
{
    static const struct {
        uint8_t id, prec, scale;
    } types[] = {{WR_T_BIGINT, 0, 0}, {WR_T_INT, 0, 0}, {WR_T_DECIMAL, 12, 2}, {WR_T_DECIMAL, 38, 20}, {WR_T_DECIMAL, 5, 0},
                 {WR_T_DOUBLE, 0, 0}, {WR_T_TIMESTAMP, 0, 0}, {WR_T_TEXT, 0, 0}};
    static const char *const shapes[] = {"9", "99.9", "-9.99", "99999999", "9999999.9", "9999999999999999", "99999999.99999999", "0.9", "999.", "9e9",
                                         "\"9999-99-99T99:99:99\"", "\"2025-19-29T19:59:59.99Z\"", "\"9x\"", "-", "0999", "99999999999999999"};
    for (size_t t = 0; t < sizeof types / sizeof types[0]; t++) {
        struct rig quick, general;
        struct wr_type type = {.id = types[t].id, .prec = types[t].prec, .scale = types[t].scale};
        one(&quick, type);
        one(&general, type);
        ((struct wr_jdec *)general.dec)->col[0].quick = WR_QUICK_NONE;
        assert_int_not_equal(((struct wr_jdec *)quick.dec)->col[0].quick, WR_QUICK_NONE);
        for (int i = 0; i < 20000; i++) {
            char value[64], text[128];
            seed = (uint64_t)i;
            snprintf(value, sizeof value, "%s", shapes[chance(sizeof shapes / sizeof shapes[0])]);
            for (char *p = value; *p; p++)
                if (*p == '9')
                    *p = (char)('0' + chance(10));
            snprintf(text, sizeof text, chance(2) ? "{\"a\":%s}" : "{\"a\": %s, \"more\": \"and more of it\"}", value);
            enum wr_reason a = rig_decode(&quick, text), b = rig_decode(&general, text);
            if (a != b)
                print_error("%s: %s, %s\n", text, wr_reason_name(a), wr_reason_name(b));
            assert_int_equal(a, b);
            if (a == WR_R_NONE) {
                rig_decode(&quick, text); /* the copy of the text both borrow from is one */
                char row[128];
                snprintf(row, sizeof row, "%s", rig_row(&quick));
                rig_decode(&general, text);
                assert_string_equal(row, rig_row(&general));
            }
        }
        rig_close(&quick);
        rig_close(&general);
    }
}

/* ---- encoding ---- */

static void encodes_as_the_dialect_says(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_encoder *enc;
    struct wr_buf out = {0};
    rig_init(&r);
    rig_col(&r, "a \"name\"", T(TEXT));
    rig_col(&r, "valor", DECIMAL(12, 2));
    rig_col(&r, "ts", T(TIMESTAMP));
    rig_col(&r, "ok", T(BOOL));
    rig_open(&r, &wr_format_json);
    rig_gives(&r, "{\"a \\\"name\\\"\":\"x\\ty\",\"valor\":5,\"ts\":\"2025-11-28T12:00:00.000001\",\"ok\":null}",
              "\"x\\ty\" 5.00 \"2025-11-28T12:00:00.000001Z\" null");
    struct wr_sink_spec spec = {.name = WR_STR("s"), .schema = r.schema};
    assert_int_equal(wr_format_json.encoder_open(&spec, &enc, &r.err), WR_OK);
    wr_format_json.encode(enc, r.batch, 0, (int[]){0, 1, 2, 3}, 4, &out);
    wr_buf_putc(&out, '|');
    wr_format_json.encode(enc, r.batch, 0, (int[]){2}, 1, &out);
    wr_buf_putc(&out, 0);
    assert_string_equal(out.p, "{\"a \\\"name\\\"\":\"x\\ty\",\"valor\":5.00,\"ts\":\"2025-11-28T12:00:00.000001Z\",\"ok\":null}|{\"ts\":\"2025-11-28T12:00:00.000001Z\"}");
    wr_format_json.encoder_close(enc);
    wr_buf_clear(&out);
    rig_close(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_taken_as_it_is),
        cmocka_unit_test(integers),
        cmocka_unit_test(decimals_are_exact),
        cmocka_unit_test(doubles_are_the_nearest),
        cmocka_unit_test(booleans_and_json),
        cmocka_unit_test(times),
        cmocka_unit_test(bytes_are_hex_or_base64),
        cmocka_unit_test(nested_values),
        cmocka_unit_test(members_come_in_any_order),
        cmocka_unit_test(many_columns),
        cmocka_unit_test(paths_reach_inside),
        cmocka_unit_test(not_null_is_kept),
        cmocka_unit_test(whole_records),
        cmocka_unit_test(depth_and_size_are_limited),
        cmocka_unit_test(no_columns_still_checks),
        cmocka_unit_test(ascii_scanners_agree),
        cmocka_unit_test(conformance_suite),
        cmocka_unit_test(agrees_with_jansson),
        cmocka_unit_test(quick_and_general_agree),
        cmocka_unit_test(encodes_as_the_dialect_says),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

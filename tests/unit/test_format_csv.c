/* test_format_csv.c: CSV in both directions: quoting, headers, NULL, types, what is refused; where records end; cutting against a plain reader. */
#include "tests/unit/format_rig.h"

static void head(struct rig *r, const char *line, bool taken)
{
    bool got = !taken;
    assert_int_equal(r->spec.format->head(r->dec, wr_str_c(line), &got, &r->err), WR_OK);
    assert_int_equal(got, taken);
}

static void columns_by_name(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_col(&r, "valor", DECIMAL(12, 2));
    rig_col(&r, "categoria", T(TEXT));
    rig_open(&r, &wr_format_csv);
    head(&r, "\xEF\xBB\xBFid, Categoria ,\"valor\"", true);
    rig_gives(&r, "1,Gamer,12.5", "12.50 \"Gamer\"");
    rig_gives(&r, "1,\"a, \"\"b\"\" c\",-0.01", "-0.01 \"a, \\\"b\\\" c\"");
    rig_gives(&r, "1,\"two\nlines\",7", "7.00 \"two\\nlines\"");
    rig_gives(&r, "1,,", "null null");
    rig_gives(&r, "1,\"\",", "null \"\"");
    rig_gives(&r, "1,a\"b,3", "3.00 \"a\\\"b\"");
    rig_gives(&r, "a long first field of more than sixteen bytes,another long field to be cut,1234567.89",
              "1234567.89 \"another long field to be cut\"");
    rig_refuses(&r, "1,x", WR_R_SYNTAX, NULL);
    assert_string_equal(r.bad.msg, "the record has 2 fields, the header 3");
    rig_refuses(&r, "1,x,2,3", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "1,\"x,2", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "1,\"x\"y,2", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "1,x,12.x", WR_R_TYPE, "valor");
    assert_string_equal(r.bad.msg, "\"12.x\" is not of type DECIMAL(12,2)");
    rig_refuses(&r, "1,x,99999999999", WR_R_RANGE, "valor");
    rig_refuses(&r, "1,\xFF,2", WR_R_UTF8, NULL);
    assert_int_equal(rig_decode_n(&r, "1,a\0b,2", 7), WR_R_UTF8);
    rig_close(&r);
}

static void missing_column_in_header(void **state WR_UNUSED)
{
    struct rig r;
    bool taken;
    rig_init(&r);
    rig_col(&r, "valor", T(INT));
    rig_open(&r, &wr_format_csv);
    assert_int_equal(r.spec.format->head(r.dec, WR_STR("id,value"), &taken, &r.err), WR_EIO);
    assert_string_equal(r.err.msg, "the header has no column \"valor\"");
    assert_string_equal(r.err.hint, "it is: id,value");
    rig_close(&r);
}

static void columns_by_place(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_opt(&r, "header", "false");
    rig_opt(&r, "delimiter", ";");
    rig_opt(&r, "null_value", "NA");
    rig_col(&r, "a", T(TEXT));
    rig_col(&r, "b", T(BIGINT));
    rig_path(&r, "last", T(BOOL), "$[3]");
    rig_open(&r, &wr_format_csv);
    head(&r, "x;1;y;true", false);
    rig_gives(&r, "x;1;y;true", "\"x\" 1 true");
    rig_gives(&r, "x,y;-7;;f", "\"x,y\" -7 false");
    rig_gives(&r, "NA;NA;NA;NA;and more", "null null null");
    rig_gives(&r, "\"NA\";1;;t", "\"NA\" 1 true");
    rig_gives(&r, ";1;;t", "\"\" 1 true");
    rig_refuses(&r, "x;1;2", WR_R_SYNTAX, NULL);
    rig_refuses(&r, "x;;2;t", WR_R_TYPE, "b");
    rig_close(&r);
}

static void types(void **state WR_UNUSED)
{
    static const struct {
        uint8_t id;
        const char *text, *row; /* row NULL: refused */
        enum wr_reason why;
    } cases[] = {
        {WR_T_BIGINT, "9223372036854775807", "9223372036854775807", 0},
        {WR_T_BIGINT, "999999999999999999", "999999999999999999", 0},
        {WR_T_BIGINT, "9223372036854775808", NULL, WR_R_RANGE},
        {WR_T_BIGINT, "1x", NULL, WR_R_TYPE},
        {WR_T_BIGINT, "-", NULL, WR_R_TYPE},
        {WR_T_INT, "2147483648", NULL, WR_R_RANGE},
        {WR_T_INT, "-12", "-12", 0},
        {WR_T_DOUBLE, "2.5e3", "2500.0", 0},
        {WR_T_BOOL, "TRUE", "true", 0},
        {WR_T_BOOL, "maybe", NULL, WR_R_TYPE},
        {WR_T_TIMESTAMP, "2025-11-28T12:00:00", "\"2025-11-28T12:00:00.000Z\"", 0},
        {WR_T_TIMESTAMP, "2025-11-28 12:00:00.5-03:00", "\"2025-11-28T15:00:00.500Z\"", 0},
        {WR_T_TIMESTAMP, "1764331200000", "\"2025-11-28T12:00:00.000Z\"", 0},
        {WR_T_TIMESTAMP, "999999999999999999", NULL, WR_R_TS_RANGE},
        {WR_T_TIMESTAMP, "soon", NULL, WR_R_TYPE},
        {WR_T_DATE, "2025-11-28", "\"2025-11-28\"", 0},
        {WR_T_JSON, "{}", "{}", 0},
        {WR_T_JSON, "{", NULL, WR_R_TYPE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_opt(&r, "header", "false");
        rig_col(&r, "a", (struct wr_type){.id = cases[i].id});
        rig_open(&r, &wr_format_csv);
        if (cases[i].row)
            rig_gives(&r, cases[i].text, cases[i].row);
        else
            rig_refuses(&r, cases[i].text, cases[i].why, "a");
        rig_close(&r);
    }
}

static void not_null(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_opt(&r, "header", "false");
    rig_col(&r, "a", T(TEXT))->not_null = true;
    rig_open(&r, &wr_format_csv);
    rig_refuses(&r, "", WR_R_NOT_NULL, "a");
    rig_gives(&r, "\"\"", "\"\"");
    rig_close(&r);
}

/* Lengths of the records that split finds, given more and more bytes. */
static void records_end(void **state WR_UNUSED)
{
    struct rig r;
    const char *text = "a,b\r\n\"x\ny\",\"\"\"\n\"\na\"\"b\n\n\"open\nlast";
    static const struct {
        size_t from;
        int64_t len;
        size_t used;
    } want[] = {{0, 3, 5}, {5, 11, 12}, {17, 4, 5}, {22, 0, 1}, {23, 10, 10}};
    size_t n = strlen(text), used;
    rig_init(&r);
    rig_open(&r, &wr_format_csv);
    for (int i = 0; i < 5; i++) {
        for (size_t k = 1; k <= n - want[i].from; k++) {
            bool all = k >= want[i].used && i < 4;
            int64_t len = r.spec.format->split(r.dec, text + want[i].from, k, false, &used);
            assert_int_equal(len, all ? want[i].len : -1);
            if (all)
                assert_int_equal(used, want[i].used);
        }
        assert_int_equal(r.spec.format->split(r.dec, text + want[i].from, n - want[i].from, true, &used), want[i].len);
        assert_int_equal(used, want[i].used);
    }
    rig_close(&r);
}

/* ---- random tables, written by us and read back; cut with and without the quick cutter ---- */

static uint64_t seed;
static uint32_t chance(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(seed >> 33) % n;
}

static void written_is_read_back(void **state WR_UNUSED)
{
    static const char *const bits[] = {"a", "bc", "\"", ",", "\n", "\r\n", "x\"y", " ", "0123456789", "\xC3\xA9", ""};
    struct rig r, back;
    struct wr_encoder *enc;
    struct wr_buf line = {0}, cell[3] = {{0}, {0}, {0}};
    rig_init(&r);
    rig_init(&back);
    rig_opt(&back, "header", "false");
    static const char *const name[] = {"a", "b", "c"};
    for (int i = 0; i < 3; i++) {
        rig_col(&r, name[i], T(TEXT));
        rig_col(&back, name[i], T(TEXT));
    }
    rig_open(&r, &wr_format_csv);
    rig_open(&back, &wr_format_csv);
    struct wr_sink_spec spec = {.name = WR_STR("s"), .schema = r.schema};
    assert_int_equal(wr_format_csv.encoder_open(&spec, &enc, &r.err), WR_OK);
    for (int round = 0; round < 5000; round++) {
        seed = (uint64_t)round;
        for (int i = 0; i < 3; i++) {
            wr_buf_reset(&cell[i]);
            for (uint32_t n = chance(4); n; n--)
                wr_buf_puts(&cell[i], bits[chance(sizeof bits / sizeof bits[0])]);
            wr_vec_nulls(&r.batch->col[i], r.batch->cap, &r.batch->mem)[0] = chance(5) == 0;
            WR_VEC_STR(&r.batch->col[i])[0] = wr_buf_get(&cell[i]);
        }
        wr_buf_reset(&line);
        wr_format_csv.encode(enc, r.batch, 0, (int[]){0, 1, 2}, 3, &line);
        wr_buf_putc(&line, '\n');
        size_t used;
        int64_t len = wr_format_csv.split(back.dec, line.p, line.n, false, &used);
        assert_int_equal(len, line.n - 1);
        assert_int_equal(used, line.n);
        assert_int_equal(rig_decode_n(&back, line.p, (size_t)len), WR_R_NONE);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(wr_vec_null(&back.batch->col[i], 0), wr_vec_null(&r.batch->col[i], 0));
            if (!wr_vec_null(&r.batch->col[i], 0))
                assert_true(wr_str_eq(WR_VEC_STR(&back.batch->col[i])[0], wr_buf_get(&cell[i])));
        }
    }
    wr_format_csv.encoder_close(enc);
    wr_buf_clear(&line);
    for (int i = 0; i < 3; i++)
        wr_buf_clear(&cell[i]);
    rig_close(&r);
    rig_close(&back);
}

static void writes_header_and_types(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_encoder *enc;
    struct wr_buf out = {0};
    rig_init(&r);
    rig_opt(&r, "header", "false");
    rig_col(&r, "the, name", T(TEXT));
    rig_col(&r, "ts", T(TIMESTAMP));
    rig_col(&r, "ok", T(BOOL));
    rig_open(&r, &wr_format_csv);
    rig_gives(&r, "\"\",2025-11-28T12:00:00,true", "\"\" \"2025-11-28T12:00:00.000Z\" true");
    struct wr_sink_spec spec = {.name = WR_STR("s"), .schema = r.schema};
    assert_int_equal(wr_format_csv.encoder_open(&spec, &enc, &r.err), WR_OK);
    wr_format_csv.header(enc, &out);
    wr_buf_putc(&out, '\n');
    wr_format_csv.encode(enc, r.batch, 0, (int[]){0, 1, 2}, 3, &out);
    wr_buf_putc(&out, 0);
    assert_string_equal(out.p, "\"the, name\",ts,ok\n\"\",2025-11-28T12:00:00.000Z,true");
    wr_format_csv.encoder_close(enc);
    wr_buf_clear(&out);
    rig_close(&r);
}

static void bad_delimiters(void **state WR_UNUSED)
{
    static const char *const bad[] = {"", ";;", "\"", "\n", "\xC3\xA9"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_opt(&r, "delimiter", bad[i]);
        rig_schema(&r);
        assert_int_equal(wr_format_csv.decoder_open(&r.spec, &r.dec, &r.err), WR_ESQL);
        wr_arena_clear(&r.mem);
    }
}

static void raw_is_one_column(void **state WR_UNUSED)
{
    struct rig r;
    rig_init(&r);
    rig_col(&r, "line", T(TEXT));
    rig_open(&r, &wr_format_raw);
    rig_gives(&r, "any text, {as it is", "\"any text, {as it is\"");
    rig_refuses(&r, "\xFF", WR_R_UTF8, "line");
    rig_close(&r);

    rig_init(&r);
    rig_col(&r, "doc", T(JSON));
    rig_open(&r, &wr_format_raw);
    rig_gives(&r, " [1, 2] ", " [1, 2] ");
    rig_refuses(&r, "[1, 2", WR_R_SYNTAX, "doc");
    rig_refuses(&r, "{\"a\":1", WR_R_SYNTAX, "doc");
    rig_refuses(&r, "", WR_R_SYNTAX, "doc");
    rig_refuses(&r, "1 2", WR_R_SYNTAX, "doc");
    rig_close(&r);

    rig_init(&r);
    rig_col(&r, "a", T(TEXT));
    rig_col(&r, "b", T(TEXT));
    rig_schema(&r);
    assert_int_equal(wr_format_raw.decoder_open(&r.spec, &r.dec, &r.err), WR_ESQL);
    assert_string_equal(r.err.msg, "column \"b\": format \"raw\" gives one column, of type TEXT, BYTES or JSON");
    wr_arena_clear(&r.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_by_name),
        cmocka_unit_test(missing_column_in_header),
        cmocka_unit_test(columns_by_place),
        cmocka_unit_test(types),
        cmocka_unit_test(not_null),
        cmocka_unit_test(records_end),
        cmocka_unit_test(written_is_read_back),
        cmocka_unit_test(writes_header_and_types),
        cmocka_unit_test(bad_delimiters),
        cmocka_unit_test(raw_is_one_column),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

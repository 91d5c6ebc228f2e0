/* test_postgres_encode.c: values as PostgreSQL's binary arrays. The expected bytes were printed by PostgreSQL 15 itself
 * (numeric_send, timestamp_send, array_send ...). Also table names and quoting. */
#include "connectors/postgres_sink.h"
#include "core/decimal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* The array of rows 0..n-1 of a batch's only column, as hex. */
static void expect_array(struct wr_batch *b, struct wr_type t, uint32_t n, const char *want)
{
    struct wr_pg_row rows[8];
    const struct wr_pg_row *order[8];
    struct wr_buf out = {0}, hex = {0};
    for (uint32_t i = 0; i < n; i++) {
        rows[i] = (struct wr_pg_row){.batch = b, .row = i};
        order[i] = &rows[i];
    }
    wr_pg_put_array(&out, 0, t, order, n);
    for (size_t i = 0; i < out.n; i++)
        wr_buf_printf(&hex, "%02x", (unsigned char)out.p[i]);
    wr_buf_putc(&hex, 0);
    assert_string_equal(hex.p, want);
    wr_buf_clear(&out);
    wr_buf_clear(&hex);
}

static struct wr_batch *one_column(struct wr_type t)
{
    static struct wr_field field;
    static struct wr_schema schema = {1, &field};
    field = (struct wr_field){WR_STR("x"), t, true, false};
    return wr_batch_new(&schema, 8);
}

static void numeric_is_what_postgres_sends(void **state WR_UNUSED)
{
    static const struct {
        const char *text;
        int scale;
        const char *hex;
    } cases[] = {
        {"0", 0, "0000000000000000"},
        {"0.00", 2, "0000000000000002"},
        {"1", 0, "00010000000000000001"},
        {"-1", 0, "00010000400000000001"},
        {"123.45", 2, "0002000000000002007b1194"},
        {"-0.0001", 4, "0001ffff400000040001"},
        {"10000", 0, "00010001000000000001"},
        {"99999999.9999", 4, "0003000100000004270f270f270f"},
        {"12345678901234567890123456789012345678", 0, "000a000900000000000c0d801ed204d2162e23340d801ed204d2162e"},
        {"-0.00000000000000000000000000000000000001", 38, "0001fff6400000260064"},
        {"9999999999.99", 2, "00040002000000020063270f270f26ac"},
        {"100000000", 0, "00010002000000000001"},
        {"0.5", 1, "0001ffff000000011388"},
        {"0.00010000", 8, "0001ffff000000080001"},
        {"12340000.0000", 4, "000100010000000404d2"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wr_type t = wr_type_decimal(38, cases[i].scale);
        struct wr_batch *b = one_column(t);
        char want[200];
        bool range;
        assert_true(wr_dec_parse(wr_str_c(cases[i].text), 38, cases[i].scale, &WR_VEC_I128(&b->col[0])[0], &range));
        (void)snprintf(want, sizeof want, "0000000100000001000006a40000000100000001%08zx%s", strlen(cases[i].hex) / 2, cases[i].hex);
        expect_array(b, t, 1, want);
        wr_batch_unref(b);
    }
}

static void times_are_what_postgres_sends(void **state WR_UNUSED)
{
    bool range;
    struct wr_batch *b = one_column(WR_TYPE_OF(TIMESTAMP));
    assert_true(wr_time_parse(WR_STR("2025-11-28 12:00:00.123456"), &WR_VEC_I64(&b->col[0])[0], &range));
    expect_array(b, WR_TYPE_OF(TIMESTAMP), 1, "00000001000000010000045a0000000100000001000000080002e7a5233b3240");
    wr_batch_unref(b);
    b = one_column(WR_TYPE_OF(DATE));
    WR_VEC_I64(&b->col[0])[0] = -1; /* 1969-12-31 */
    expect_array(b, WR_TYPE_OF(DATE), 1, "00000001000000010000043a000000010000000100000004ffffd532");
    wr_batch_unref(b);
    b = one_column(WR_TYPE_OF(TIME));
    WR_VEC_I64(&b->col[0])[0] = WR_US_DAY - 1;
    expect_array(b, WR_TYPE_OF(TIME), 1, "00000001000000010000043b000000010000000100000008000000141dd75fff");
    wr_batch_unref(b);
    b = one_column(WR_TYPE_OF(INTERVAL));
    WR_VEC_IVL(&b->col[0])[0] = (struct wr_interval){4 * WR_US_HOUR + 5 * WR_US_MIN + 6 * WR_US_SEC, 3, 14};
    expect_array(b, WR_TYPE_OF(INTERVAL), 1, "0000000100000001000004a2000000010000000100000010000000036c8bc080000000030000000e");
    wr_batch_unref(b);
}

static void arrays_with_nulls_are_what_postgres_sends(void **state WR_UNUSED)
{
    struct wr_batch *b = one_column(WR_TYPE_OF(DOUBLE));
    WR_VEC_F64(&b->col[0])[0] = 1.5;
    WR_VEC_F64(&b->col[0])[2] = -2;
    wr_vec_nulls(&b->col[0], 8, &b->mem)[1] = 1;
    expect_array(b, WR_TYPE_OF(DOUBLE), 3,
                 "0000000100000001000002bd0000000300000001000000083ff8000000000000ffffffff00000008c000000000000000");
    wr_batch_unref(b);
    b = one_column(WR_TYPE_OF(TEXT));
    WR_VEC_STR(&b->col[0])[0] = WR_STR("a");
    WR_VEC_STR(&b->col[0])[2] = WR_STR("");
    wr_vec_nulls(&b->col[0], 8, &b->mem)[1] = 1;
    expect_array(b, WR_TYPE_OF(TEXT), 3, "00000001000000010000001900000003000000010000000161ffffffff00000000");
    wr_batch_unref(b);
    b = one_column(WR_TYPE_OF(BOOL));
    WR_VEC_I8(&b->col[0])[0] = 1;
    WR_VEC_I8(&b->col[0])[1] = 0;
    /* array_send of an array without NULLs has 0 as its second word; ours always says there may be some, which is as valid */
    expect_array(b, WR_TYPE_OF(BOOL), 2, "000000010000000100000010000000020000000100000001010000000100");
    wr_batch_unref(b);
}

static void names_are_taken_apart_and_quoted(void **state WR_UNUSED)
{
    static const struct {
        const char *text, *schema, *table; /* table NULL: refused */
    } cases[] = {
        {"t", "", "t"},
        {" Sales.Orders ", "Sales", "Orders"},
        {"\"a.b\".\"c\"\"d\"", "a.b", "c\"d"},
        {"\"; DROP TABLE x; --\"", "", "; DROP TABLE x; --"},
        {"; DROP TABLE x", "", "; DROP TABLE x"},
        {"", NULL, NULL},
        {"a.b.c", NULL, NULL},
        {"a.", NULL, NULL},
        {".a", NULL, NULL},
        {"\"a", NULL, NULL},
        {"\"a\"b", NULL, NULL},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk", "", "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"},
        {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijkl", NULL, NULL},
    };
    struct wr_arena a = {0};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wr_error err = WR_ERROR_INIT;
        struct wr_str schema, table;
        wr_status st = wr_pg_table_name(wr_str_c(cases[i].text), &a, &schema, &table, &err);
        assert_int_equal(st, cases[i].table ? WR_OK : WR_ESQL);
        if (!st) {
            assert_true(wr_str_eq_c(schema, cases[i].schema));
            assert_true(wr_str_eq_c(table, cases[i].table));
        }
    }
    struct wr_buf out = {0};
    wr_pg_ident(&out, WR_STR("a\"b; --"));
    assert_true(wr_str_eq_c(wr_buf_get(&out), "\"a\"\"b; --\""));
    wr_buf_clear(&out);
    wr_arena_clear(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_is_what_postgres_sends),
        cmocka_unit_test(times_are_what_postgres_sends),
        cmocka_unit_test(arrays_with_nulls_are_what_postgres_sends),
        cmocka_unit_test(names_are_taken_apart_and_quoted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

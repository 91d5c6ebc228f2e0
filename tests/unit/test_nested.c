/* test_nested.c: ARRAY and ROW values: made and read, printed in each style, parsed from JSON, compared; damaged bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/nested.h"

static struct wr_field texts[] = {{.name = {"element", 7}, .type = {.id = WR_T_TEXT}}};
static const struct wr_schema texts_sub = {1, texts};
static const struct wr_type text_array = {.id = WR_T_ARRAY, .sub = &texts_sub};

static struct wr_field ints[] = {{.name = {"element", 7}, .type = {.id = WR_T_BIGINT}}};
static const struct wr_schema ints_sub = {1, ints};
static const struct wr_type int_array = {.id = WR_T_ARRAY, .sub = &ints_sub};

static struct wr_field people[] = {
    {.name = {"name", 4}, .type = {.id = WR_T_TEXT}},
    {.name = {"age", 3}, .type = {.id = WR_T_INT}},
    {.name = {"tags", 4}, .type = {.id = WR_T_ARRAY, .sub = &texts_sub}},
    {.name = {"paid", 4}, .type = {.id = WR_T_DECIMAL, .prec = 12, .scale = 2}},
};
static const struct wr_schema people_sub = {4, people};
static const struct wr_type person = {.id = WR_T_ROW, .sub = &people_sub};

static struct wr_field persons[] = {{.name = {"element", 7}, .type = {.id = WR_T_ROW, .sub = &people_sub}}};
static const struct wr_schema persons_sub = {1, persons};
static const struct wr_type person_array = {.id = WR_T_ARRAY, .sub = &persons_sub};

static struct wr_field arrays[] = {{.name = {"element", 7}, .type = {.id = WR_T_ARRAY, .sub = &ints_sub}}};
static const struct wr_schema arrays_sub = {1, arrays};
static const struct wr_type int_array_array = {.id = WR_T_ARRAY, .sub = &arrays_sub};

/* json read as the type, printed as JSON and in SQL style; both ways must give the same. `json` NULL: must be refused for the reason `sql`. */
static void check(struct wr_type t, const char *text, const char *json, const char *sql)
{
    struct wr_arena mem = {0};
    struct wr_value v;
    enum wr_reason why;
    struct wr_buf b = WR_BUF_INIT(0);
    bool ok = wr_parse_value(t, wr_str_c(text), &mem, &v, &why);
    if (!json) {
        if (ok)
            fail_msg("%s was accepted", text);
        assert_string_equal(wr_reason_name(why), sql);
    } else {
        if (!ok)
            fail_msg("%s was refused: %s", text, wr_reason_name(why));
        assert_true(wr_nested_valid(t, v.as.s));
        wr_print_value(&b, &v, WR_STYLE_JSON);
        wr_buf_putc(&b, 0);
        assert_string_equal(b.p, json);
        struct wr_value again;
        assert_true(wr_parse_value(t, wr_str_c(b.p), &mem, &again, &why));
        assert_int_equal(wr_value_cmp(&v, &again), 0);
        wr_buf_reset(&b);
        wr_print_value(&b, &v, WR_STYLE_SQL);
        wr_buf_putc(&b, 0);
        assert_string_equal(b.p, sql);
    }
    wr_buf_clear(&b);
    wr_arena_clear(&mem);
}

static void reads_json_and_prints(void **state WR_UNUSED)
{
    check(int_array, "[]", "[]", "{}");
    check(int_array, " [1, -2 ,null] ", "[1,-2,null]", "{1,-2,NULL}");
    check(int_array_array, "[[1],[],[2,3]]", "[[1],[],[2,3]]", "{{1},{},{2,3}}");
    check(text_array, "[\"a\",\"\",\"b c\",\"null\",\"x,y\",\"q\\\"r\\\\s\",null]", "[\"a\",\"\",\"b c\",\"null\",\"x,y\",\"q\\\"r\\\\s\",null]",
          "{a,\"\",\"b c\",\"null\",\"x,y\",\"q\\\"r\\\\s\",NULL}");
    check(person, "{\"paid\": 1.5, \"name\": \"Ada L\", \"age\": 36, \"tags\": [\"x\",\"y\"], \"other\": {}}",
          "{\"name\":\"Ada L\",\"age\":36,\"tags\":[\"x\",\"y\"],\"paid\":1.50}", "(\"Ada L\",36,\"{x,y}\",1.50)");
    check(person, "{}", "{\"name\":null,\"age\":null,\"tags\":null,\"paid\":null}", "(,,,)");
    check(person, "[\"\", 1, [], 2]", "{\"name\":\"\",\"age\":1,\"tags\":[],\"paid\":2.00}", "(\"\",1,{},2.00)");
    check(person, "{\"name\":\"q\\\"r(\",\"name\":\"last\"}", "{\"name\":\"last\",\"age\":null,\"tags\":null,\"paid\":null}", "(last,,,)");
    check(person_array, "[{\"name\":\"a\"},null]", "[{\"name\":\"a\",\"age\":null,\"tags\":null,\"paid\":null},null]", "{\"(a,,,)\",NULL}");
}

static void refuses_what_does_not_fit(void **state WR_UNUSED)
{
    check(int_array, "[1,", NULL, "cast");
    check(int_array, "{}", NULL, "cast");
    check(int_array, "1", NULL, "cast");
    check(int_array, "[\"x\"]", NULL, "type");
    check(int_array, "[1e40]", NULL, "range");
    check(person, "[1,2]", NULL, "type");
    check(person, "[\"a\",2,[]]", NULL, "type");
    check(person, "{\"age\":\"x\"}", NULL, "type");
    check(person, "{\"age\":3000000000}", NULL, "range");
    check(text_array, "[\"\xFF\"]", NULL, "utf8");
}

static struct wr_str make_ints(struct wr_buf *b, const int64_t *v, int n)
{
    struct wr_nested_maker m;
    size_t at = b->n;
    wr_nested_open(&m, b);
    for (int i = 0; i < n; i++) {
        struct wr_value e = {.type = WR_TYPE_OF(BIGINT), .as.i = v[i], .null = v[i] < 0};
        wr_nested_put(&m, &e);
    }
    wr_nested_close(&m);
    return (struct wr_str){b->p + at, (uint32_t)(b->n - at)};
}

static void made_and_read(void **state WR_UNUSED)
{
    static const int64_t v[] = {5, -1, 7};
    struct wr_buf b = WR_BUF_INIT(0);
    wr_buf_puts(&b, "before");
    struct wr_str bytes = make_ints(&b, v, 3);
    static const unsigned char want[] = {3, 0, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0, 0, 0, 0, 0, 0};
    assert_int_equal(bytes.n, sizeof want);
    assert_memory_equal(bytes.p, want, sizeof want);
    assert_int_equal(wr_nested_count(bytes), 3);
    struct wr_value e;
    assert_true(wr_nested_get(int_array, bytes, 0, &e) && e.as.i == 5);
    assert_true(wr_nested_get(int_array, bytes, 1, &e) && e.null);
    assert_true(wr_nested_get(int_array, bytes, 2, &e) && e.as.i == 7);
    assert_false(wr_nested_get(int_array, bytes, 3, &e));
    wr_buf_clear(&b);
}

static void every_physical_form_survives(void **state WR_UNUSED)
{
    struct wr_field f[6] = {{.type = {.id = WR_T_BOOL}}, {.type = {.id = WR_T_TIME}}, {.type = {.id = WR_T_DOUBLE}},
                            {.type = {.id = WR_T_DECIMAL, .prec = 38}}, {.type = {.id = WR_T_BYTES}}, {.type = {.id = WR_T_INTERVAL}}};
    struct wr_schema sub = {6, f};
    struct wr_type t = wr_type_row(&sub);
    struct wr_value v[6] = {{.as.b = 1}, {.as.i = -9}, {.as.d = 1.25}, {.as.dec = -((wr_i128)1 << 100)}, {.as.s = {"\0x", 2}}, {.as.iv = {-1, -2, -3}}}, e;
    struct wr_buf b = WR_BUF_INIT(0);
    struct wr_nested_maker m;
    wr_nested_open(&m, &b);
    for (int i = 0; i < 6; i++) {
        v[i].type = f[i].type;
        wr_nested_put(&m, &v[i]);
    }
    wr_nested_close(&m);
    for (uint32_t i = 0; i < 6; i++) {
        assert_true(wr_nested_get(t, wr_buf_get(&b), i, &e));
        assert_int_equal(wr_value_cmp(&e, &v[i]), 0);
    }
    assert_memory_equal(&e.as.iv, &v[5].as.iv, sizeof e.as.iv);
    /* every shorter piece, every flipped byte: refused or read, never past the end */
    for (uint32_t n = 0; n < b.n; n++)
        assert_false(wr_nested_valid(t, (struct wr_str){b.p, n}));
    for (size_t i = 0; i < b.n; i++) {
        b.p[i] = (char)~b.p[i];
        (void)wr_nested_valid(t, wr_buf_get(&b));
        (void)wr_nested_cmp(t, wr_buf_get(&b), wr_buf_get(&b));
        struct wr_buf text = WR_BUF_INIT(0);
        wr_nested_print(&text, t, wr_buf_get(&b), WR_STYLE_SQL);
        wr_buf_clear(&text);
        b.p[i] = (char)~b.p[i];
    }
    assert_true(wr_nested_valid(t, wr_buf_get(&b)));
    wr_buf_clear(&b);
}

static void order(void **state WR_UNUSED)
{
    /* ascending; negative: NULL */
    static const int64_t list[][3] = {{1}, {1, 2}, {1, 2, 3}, {1, 3}, {1, -1}, {2}, {-1}};
    static const int len[] = {1, 2, 3, 2, 2, 1, 1};
    for (int i = 0; i < 7; i++)
        for (int j = 0; j < 7; j++) {
            struct wr_buf x = WR_BUF_INIT(0), y = WR_BUF_INIT(0);
            int c = wr_nested_cmp(int_array, make_ints(&x, list[i], len[i]), make_ints(&y, list[j], len[j]));
            assert_int_equal(c, (i > j) - (i < j));
            wr_buf_clear(&x);
            wr_buf_clear(&y);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_json_and_prints),
        cmocka_unit_test(refuses_what_does_not_fit),
        cmocka_unit_test(made_and_read),
        cmocka_unit_test(every_physical_form_survives),
        cmocka_unit_test(order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

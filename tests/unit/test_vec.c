/* test_vec.c: columns of values: NULLs, copying, gathering, get and set; names of types. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/vec.h"

/* One vector of each physical form over 8 rows: row r holds r * 3 in its way. */
static const enum wr_tid form[] = {WR_T_BOOL, WR_T_BIGINT, WR_T_DOUBLE, WR_T_DECIMAL, WR_T_TEXT, WR_T_INTERVAL};
enum { FORMS = sizeof form / sizeof form[0], ROWS = 8 };

static struct wr_value value_of(enum wr_tid id, int r)
{
    static const char text[ROWS][4] = {"", "a", "bb", "ccc", "d", "ee", "fff", "g"};
    struct wr_value v = {.type = {.id = (uint8_t)id}};
    switch (wr_type_phys(id)) {
    case WR_P_I8: v.as.b = (uint8_t)(r & 1); break;
    case WR_P_I64: v.as.i = r * 3; break;
    case WR_P_F64: v.as.d = r * 1.5; break;
    case WR_P_I128: v.as.dec = (wr_i128)r << 70; break;
    case WR_P_STR: v.as.s = wr_str_c(text[r]); break;
    case WR_P_IVL: v.as.iv = (struct wr_interval){.us = r, .days = r * 2, .months = r * 3}; break;
    }
    return v;
}

static void fill(struct wr_vec *v, enum wr_tid id, struct wr_arena *mem)
{
    wr_vec_init(v, (struct wr_type){.id = (uint8_t)id}, ROWS, mem);
    for (int r = 0; r < ROWS; r++) {
        struct wr_value val = value_of(id, r);
        wr_vec_set(v, (uint32_t)r, &val, ROWS, mem);
    }
}

static bool same(struct wr_value a, struct wr_value b)
{
    return a.null == b.null && (a.null || wr_value_cmp(&a, &b) == 0);
}

static void set_and_get(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    for (int f = 0; f < FORMS; f++) {
        struct wr_vec v;
        fill(&v, form[f], &mem);
        assert_null(v.nulls);
        for (int r = 0; r < ROWS; r++)
            assert_true(same(wr_vec_get(&v, (uint32_t)r), value_of(form[f], r)));
        struct wr_value null = {.type = v.type, .null = true};
        wr_vec_set(&v, 2, &null, ROWS, &mem);
        assert_true(wr_vec_null(&v, 2));
        assert_false(wr_vec_null(&v, 3));
        assert_true(wr_vec_get(&v, 2).null);
        struct wr_value again = value_of(form[f], 5);
        wr_vec_set(&v, 2, &again, ROWS, &mem);
        assert_true(same(wr_vec_get(&v, 2), again));
    }
    wr_arena_clear(&mem);
}

static void set_copies_text(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    struct wr_vec v;
    char text[] = "abc";
    struct wr_value val = {.type = WR_TYPE_OF(TEXT), .as.s = {text, 3}};
    wr_vec_init(&v, val.type, 1, &mem);
    wr_vec_set(&v, 0, &val, 1, &mem);
    text[0] = 'X';
    assert_true(wr_str_eq_c(wr_vec_get(&v, 0).as.s, "abc"));
    wr_arena_clear(&mem);
}

static void copy_takes_the_null_along(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    for (int f = 0; f < FORMS; f++) {
        struct wr_vec src, dst;
        fill(&src, form[f], &mem);
        fill(&dst, form[f], &mem);
        wr_vec_nulls(&src, ROWS, &mem)[4] = 1;
        wr_vec_nulls(&dst, ROWS, &mem)[0] = 1;
        wr_vec_copy(&dst, 0, &src, 7);
        assert_true(same(wr_vec_get(&dst, 0), value_of(form[f], 7)));
        wr_vec_copy(&dst, 1, &src, 4);
        assert_true(wr_vec_null(&dst, 1));
    }
    wr_arena_clear(&mem);
}

static void gather_picks_rows(void **state WR_UNUSED)
{
    static const uint32_t sel[] = {7, 1, 1, 4};
    struct wr_arena mem = {0}, other = {0};
    for (int f = 0; f < FORMS; f++) {
        for (int deep = 0; deep < 2; deep++) {
            struct wr_vec src, dst;
            fill(&src, form[f], &other);
            wr_vec_gather(&dst, &src, sel, 4, &mem, deep);
            assert_null(dst.nulls);
            wr_vec_nulls(&src, ROWS, &other)[1] = 1;
            wr_vec_gather(&dst, &src, sel, 4, &mem, deep);
            if (deep)
                wr_arena_clear(&other); /* a deep copy needs nothing of the source */
            assert_false(dst.constant);
            assert_true(same(wr_vec_get(&dst, 0), value_of(form[f], 7)));
            assert_true(wr_vec_null(&dst, 1) && wr_vec_null(&dst, 2));
            assert_true(same(wr_vec_get(&dst, 3), value_of(form[f], 4)));
            if (deep)
                continue;
            wr_vec_gather(&dst, &src, NULL, 3, &mem, true);
            assert_true(same(wr_vec_get(&dst, 0), value_of(form[f], 0)));
            assert_true(wr_vec_null(&dst, 1));
            assert_true(same(wr_vec_get(&dst, 2), value_of(form[f], 2)));
            wr_vec_gather(&dst, &src, sel, 0, &mem, true);
            wr_vec_gather(&src, &src, sel, 1, &mem, false); /* into itself */
            assert_true(same(wr_vec_get(&src, 0), value_of(form[f], 7)));
        }
    }
    wr_arena_clear(&mem);
    wr_arena_clear(&other);
}

static void constants_stand_for_every_row(void **state WR_UNUSED)
{
    static const uint32_t sel[] = {5, 900};
    struct wr_arena mem = {0};
    for (int f = 0; f < FORMS; f++) {
        struct wr_value val = value_of(form[f], 6), null = {.type = val.type, .null = true};
        uint8_t null_byte;
        struct wr_vec v, dst;
        wr_vec_of(&v, &val, &null_byte);
        assert_true(same(wr_vec_get(&v, 12345), val));
        wr_vec_gather(&dst, &v, sel, 2, &mem, true);
        assert_false(dst.constant);
        assert_true(same(wr_vec_get(&dst, 1), val));
        wr_vec_of(&v, &null, &null_byte);
        assert_true(wr_vec_null(&v, 12345));
        wr_vec_gather(&dst, &v, sel, 2, &mem, true);
        assert_true(wr_vec_null(&dst, 0) && wr_vec_null(&dst, 1));
    }
    wr_arena_clear(&mem);
}

static void types_have_names(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    struct wr_schema *s = wr_schema_new(&mem, 2);
    s->field[0] = (struct wr_field){.name = WR_STR("a"), .type = wr_type_decimal(12, 2)};
    s->field[1] = (struct wr_field){.name = WR_STR("Odd \"name"), .type = wr_type_array(&mem, WR_TYPE_OF(TEXT))};
    struct wr_type row = wr_type_row(s), varchar = WR_TYPE_OF(TEXT), ts = WR_TYPE_OF(TIMESTAMP);
    varchar.len = 20;
    ts.prec = 3;
    assert_string_equal(wr_type_name(&mem, row).p, "ROW<a DECIMAL(12,2), \"Odd \"\"name\" ARRAY<TEXT>>");
    assert_string_equal(wr_type_name(&mem, varchar).p, "VARCHAR(20)");
    assert_string_equal(wr_type_name(&mem, ts).p, "TIMESTAMP(3)");
    assert_string_equal(wr_type_name(&mem, WR_TYPE_OF(DOUBLE)).p, "DOUBLE");
    assert_int_equal(wr_schema_find(s, WR_STR("a")), 0);
    assert_int_equal(wr_schema_find(s, WR_STR("A")), -1);
    struct wr_schema *t = wr_schema_new(&mem, 2);
    t->field[0] = s->field[0];
    t->field[1] = s->field[1];
    assert_true(wr_type_eq(row, wr_type_row(t)));
    t->field[1].name = WR_STR("b");
    assert_false(wr_type_eq(row, wr_type_row(t)));
    t->field[1] = s->field[1];
    t->field[1].type = wr_type_array(&mem, WR_TYPE_OF(BIGINT));
    assert_false(wr_type_eq(row, wr_type_row(t)));
    assert_true(wr_type_eq(wr_type_decimal(12, 2), wr_type_decimal(20, 2)));
    assert_false(wr_type_eq(wr_type_decimal(12, 2), wr_type_decimal(12, 3)));
    assert_true(wr_type_eq(varchar, WR_TYPE_OF(TEXT)));
    assert_false(wr_type_eq(WR_TYPE_OF(INT), WR_TYPE_OF(BIGINT)));
    wr_arena_clear(&mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_and_get),
        cmocka_unit_test(set_copies_text),
        cmocka_unit_test(copy_takes_the_null_along),
        cmocka_unit_test(gather_picks_rows),
        cmocka_unit_test(constants_stand_for_every_row),
        cmocka_unit_test(types_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

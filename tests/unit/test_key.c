/* test_key.c: properties of key bytes and hashes on random values with a fixed seed: the order of bytes is the order of values, bytes read back,
 * equal values have equal bytes and hashes, damaged bytes are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/key.h"
#include "core/nested.h"

#include <math.h>

static uint64_t state_x = 88172645463325252u;
static uint64_t rnd(uint64_t below)
{
    state_x ^= state_x << 13;
    state_x ^= state_x >> 7;
    state_x ^= state_x << 17;
    return below ? state_x % below : state_x;
}

static struct wr_field row_fields[3];
static const struct wr_schema row_schema = {3, row_fields};
static struct wr_field elem_field[1];
static const struct wr_schema elem_schema = {1, elem_field};

static const struct wr_type types[] = {
    {.id = WR_T_BOOL}, {.id = WR_T_INT}, {.id = WR_T_BIGINT}, {.id = WR_T_DOUBLE}, {.id = WR_T_DECIMAL, .prec = 38, .scale = 2}, {.id = WR_T_TEXT},
    {.id = WR_T_BYTES}, {.id = WR_T_TIMESTAMP}, {.id = WR_T_INTERVAL}, {.id = WR_T_ARRAY, .sub = &elem_schema}, {.id = WR_T_ROW, .sub = &row_schema},
};
enum { TYPES = sizeof types / sizeof types[0] };

static int setup(void **state WR_UNUSED)
{
    elem_field[0].type = WR_TYPE_OF(TEXT);
    row_fields[0].type = WR_TYPE_OF(BIGINT);
    row_fields[1].type = WR_TYPE_OF(DOUBLE);
    row_fields[2].type = types[9];
    return 0;
}

static double some_double(void)
{
    static const double special[] = {0.0, -0.0, 1.0, -1.0, 0.5, 1e308, -1e308, 5e-324, -5e-324};
    uint64_t k = rnd(14);
    if (k < 9)
        return special[k];
    if (k == 9)
        return (double)NAN;
    if (k < 12)
        return k == 10 ? (double)INFINITY : -(double)INFINITY;
    return ((double)rnd(2000) - 1000) / 8;
}

static struct wr_str some_text(struct wr_arena *mem)
{
    static const char letters[] = {0, 0, 1, 'a', 'b', (char)0xFE, (char)0xFF};
    uint32_t n = (uint32_t)rnd(5);
    char *p = wr_arena_bytes(mem, n);
    for (uint32_t i = 0; i < n; i++)
        p[i] = letters[rnd(sizeof letters)];
    return (struct wr_str){p, n};
}

static struct wr_value some_value(struct wr_type type, struct wr_arena *mem)
{
    struct wr_value v;
    memset(&v, 0, sizeof v);
    v.type = type;
    v.null = rnd(8) == 0;
    if (v.null)
        return v;
    switch (wr_type_phys((enum wr_tid)type.id)) {
    case WR_P_I8: v.as.b = (uint8_t)rnd(2); break;
    case WR_P_I64: v.as.i = rnd(3) ? (int64_t)rnd(7) - 3 : type.id == WR_T_INT ? (int32_t)rnd(0) : (int64_t)rnd(0); break;
    case WR_P_F64: v.as.d = some_double(); break;
    case WR_P_I128: v.as.dec = rnd(2) ? (wr_i128)rnd(7) - 3 : (wr_i128)(int64_t)rnd(0) * ((wr_i128)1 << 50) + (wr_i128)rnd(0); break;
    case WR_P_STR:
        if (type.sub) {
            struct wr_buf b = WR_BUF_INIT(0);
            struct wr_nested_maker m;
            wr_nested_open(&m, &b);
            int n = type.id == WR_T_ROW ? type.sub->n : (int)rnd(4);
            for (int i = 0; i < n; i++) {
                struct wr_value e = some_value(type.sub->field[type.id == WR_T_ROW ? i : 0].type, mem);
                wr_nested_put(&m, &e);
            }
            wr_nested_close(&m);
            v.as.s = wr_arena_str(mem, wr_buf_get(&b));
            wr_buf_clear(&b);
        } else {
            v.as.s = some_text(mem);
        }
        break;
    case WR_P_IVL:
        v.as.iv = (struct wr_interval){.us = ((int64_t)rnd(5) - 2) * 86400000000, .days = (int32_t)rnd(63) - 31, .months = (int32_t)rnd(5) - 2};
        break;
    }
    return v;
}

static int sign(int c)
{
    return (c > 0) - (c < 0);
}

/* ORDER BY's answer. */
static int want_order(const struct wr_value *a, const struct wr_value *b, bool desc, bool nulls_first)
{
    if (a->null || b->null)
        return ((int)a->null - (int)b->null) * (nulls_first ? -1 : 1);
    int c = wr_value_cmp(a, b);
    return desc ? -c : c;
}

static bool is_interval(struct wr_type t)
{
    return t.id == WR_T_INTERVAL;
}

static void bytes_order_as_values_do(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    struct wr_buf x = WR_BUF_INIT(0), y = WR_BUF_INIT(0);
    int equal = 0;
    for (int i = 0; i < 60000; i++) {
        struct wr_type t = types[i % TYPES];
        bool desc = rnd(2), first = rnd(2);
        struct wr_value a = some_value(t, &mem), b = some_value(t, &mem);
        wr_buf_reset(&x);
        wr_buf_reset(&y);
        wr_key_put_value(&x, &a, desc, first);
        wr_key_put_value(&y, &b, desc, first);
        int want = want_order(&a, &b, desc, first), got = sign(wr_str_cmp(wr_buf_get(&x), wr_buf_get(&y)));
        if (is_interval(t) && want == 0)
            continue; /* equal intervals keep their own bytes */
        equal += want == 0;
        if (want != got)
            fail_msg("type %d: values %d, bytes %d", t.id, want, got);
        if (i % 1000 == 0)
            wr_arena_reset(&mem);
    }
    assert_true(equal > 1000);
    wr_buf_clear(&x);
    wr_buf_clear(&y);
    wr_arena_clear(&mem);
}

/* Two columns one after the other: a short first field never runs into the second. */
static void fields_do_not_run_together(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    struct wr_buf x = WR_BUF_INIT(0), y = WR_BUF_INIT(0);
    for (int i = 0; i < 30000; i++) {
        struct wr_type t = i % 2 ? types[5] : types[9];
        bool desc = rnd(2);
        struct wr_value a1 = some_value(t, &mem), a2 = some_value(types[5], &mem), b1 = some_value(t, &mem), b2 = some_value(types[5], &mem);
        wr_buf_reset(&x);
        wr_buf_reset(&y);
        wr_key_put_value(&x, &a1, desc, true);
        wr_key_put_value(&x, &a2, !desc, false);
        wr_key_put_value(&y, &b1, desc, true);
        wr_key_put_value(&y, &b2, !desc, false);
        int want = want_order(&a1, &b1, desc, true);
        if (want == 0)
            want = want_order(&a2, &b2, !desc, false);
        assert_int_equal(sign(wr_str_cmp(wr_buf_get(&x), wr_buf_get(&y))), want);
        if (i % 1000 == 0)
            wr_arena_reset(&mem);
    }
    wr_buf_clear(&x);
    wr_buf_clear(&y);
    wr_arena_clear(&mem);
}

static void bytes_read_back(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    struct wr_buf x = WR_BUF_INIT(0);
    for (int i = 0; i < 30000; i++) {
        struct wr_type t = types[i % TYPES];
        bool desc = rnd(2), first = rnd(2);
        struct wr_value a = some_value(t, &mem), back;
        wr_buf_reset(&x);
        wr_key_put_value(&x, &a, desc, first);
        wr_buf_puts(&x, "rest");
        struct wr_str in = wr_buf_get(&x);
        assert_true(wr_key_take(&in, t, desc, first, &mem, &back));
        assert_true(wr_str_eq_c(in, "rest"));
        assert_int_equal(back.null, a.null);
        assert_true(a.null || wr_value_cmp(&a, &back) == 0);
        if (is_interval(t) && !a.null)
            assert_memory_equal(&a.as.iv, &back.as.iv, sizeof a.as.iv);
        /* cut anywhere it is refused */
        for (uint32_t n = 0; n + 4 < x.n; n++) {
            in = (struct wr_str){x.p, n};
            assert_false(wr_key_take(&in, t, desc, first, &mem, &back));
        }
        /* rubbish is refused or read as something; sanitizers watch */
        x.p[rnd(x.n)] = (char)rnd(256);
        in = wr_buf_get(&x);
        (void)wr_key_take(&in, t, desc, first, &mem, &back);
        if (i % 1000 == 0)
            wr_arena_reset(&mem);
    }
    wr_buf_clear(&x);
    wr_arena_clear(&mem);
}

static void equal_values_hash_alike(void **state WR_UNUSED)
{
    struct wr_arena mem = {0};
    int equal = 0, collisions = 0, pairs = 0;
    for (int i = 0; i < 60000; i++) {
        struct wr_type t = types[i % TYPES];
        struct wr_value a = some_value(t, &mem), b = some_value(t, &mem);
        bool same = a.null == b.null && (a.null || wr_value_cmp(&a, &b) == 0);
        uint64_t x = wr_hash_value(&a, 7), y = wr_hash_value(&b, 7);
        if (same)
            assert_true(x == y);
        equal += same;
        pairs += !same;
        collisions += !same && x == y;
        if (i % 1000 == 0)
            wr_arena_reset(&mem);
    }
    assert_true(equal > 1000 && pairs > 1000);
    assert_int_equal(collisions, 0);
    wr_arena_clear(&mem);
}

static void rows_hash_as_their_values(void **state WR_UNUSED)
{
    enum { ROWS = 64 };
    struct wr_arena mem = {0};
    struct wr_field fields[TYPES];
    struct wr_schema schema = {TYPES, fields};
    for (int c = 0; c < TYPES; c++)
        fields[c] = (struct wr_field){.type = types[c]};
    for (int nulls = 0; nulls < 2; nulls++) {
        struct wr_batch *b = wr_batch_new(&schema, ROWS);
        b->len = b->n_live = ROWS;
        for (int c = 0; c < TYPES; c++)
            for (uint32_t r = 0; r < ROWS; r++) {
                struct wr_value v;
                do {
                    v = some_value(types[c], &mem);
                } while (v.null && !nulls);
                wr_vec_set(&b->col[c], r, &v, ROWS, &b->mem);
            }
        int col[TYPES];
        uint32_t sel[ROWS / 2];
        uint64_t hash[ROWS];
        for (uint32_t k = 0; k < ROWS / 2; k++)
            sel[k] = 2 * k + 1;
        for (int n_col = 1; n_col <= TYPES; n_col++) {
            for (int c = 0; c < n_col; c++)
                col[c] = TYPES - 1 - c;
            for (int with_sel = 0; with_sel < 2; with_sel++) {
                uint32_t n = with_sel ? ROWS / 2 : ROWS;
                wr_hash_rows(b, col, n_col, with_sel ? sel : NULL, n, 99, hash);
#ifndef WEIR_HARD
                for (uint32_t k = 0; k < n; k++) {
                    uint64_t want = 99;
                    for (int c = 0; c < n_col; c++) {
                        struct wr_value v = wr_vec_get(&b->col[col[c]], with_sel ? sel[k] : k);
                        want = wr_hash_value(&v, want);
                    }
                    assert_true(hash[k] == want);
                }
#endif
            }
        }
        wr_batch_unref(b);
    }
    wr_arena_clear(&mem);
}

/* XXH3 of the value's bytes, as the library itself gives it. Routing by hash must not change between runs and machines: state is found again by it. */
static void hashes_are_the_same_everywhere(void **state WR_UNUSED)
{
    struct wr_value i = {.type = WR_TYPE_OF(BIGINT), .as.i = 42}, j = {.type = WR_TYPE_OF(INT), .as.i = 42};
    struct wr_value s = {.type = WR_TYPE_OF(TEXT), .as.s = WR_STR("Gamer")};
    assert_true(wr_hash_value(&i, 0) == wr_hash_value(&j, 0));
    assert_true(wr_hash_value(&i, 0) == UINT64_C(0xD5A6F8C838DF27C8));
    assert_true(wr_hash_value(&s, 0) == UINT64_C(0xD79175EAF17D395A));
    assert_true(wr_hash_seed() != 0);
    assert_true(wr_hash_seed() == wr_hash_seed());
}

static void known_encodings(void **state WR_UNUSED)
{
    struct wr_buf b = WR_BUF_INIT(0);
    struct wr_value i = {.type = WR_TYPE_OF(BIGINT), .as.i = -1}, s = {.type = WR_TYPE_OF(TEXT), .as.s = {"a\0b", 3}}, null = {.type = WR_TYPE_OF(TEXT), .null = true};
    wr_key_put_value(&b, &i, false, false);
    wr_key_put_value(&b, &s, false, false);
    wr_key_put_value(&b, &s, true, false);
    wr_key_put_value(&b, &null, true, false);
    wr_key_put_value(&b, &null, false, true);
    static const unsigned char want[] = {1, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 1, 'a', 0, 0xFF, 'b', 0, 0,
                                         1, (unsigned char)~'a', 0xFF, 0, (unsigned char)~'b', 0xFF, 0xFF, 2, 0};
    assert_int_equal(b.n, sizeof want);
    assert_memory_equal(b.p, want, sizeof want);
    wr_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_order_as_values_do),
        cmocka_unit_test(fields_do_not_run_together),
        cmocka_unit_test(bytes_read_back),
        cmocka_unit_test(equal_values_hash_alike),
        cmocka_unit_test(rows_hash_as_their_values),
        cmocka_unit_test(hashes_are_the_same_everywhere),
        cmocka_unit_test(known_encodings),
    };
    return cmocka_run_group_tests(tests, setup, NULL);
}

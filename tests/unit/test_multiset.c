/* test_multiset.c: the hash map of counts against the ordered map: the same numbers, the same order, the same saved bytes, in each state on the way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/multiset.h"
#include "core/omap.h"

static uint64_t seed;
static uint64_t rnd(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

enum kind { WORDS, TEXTS, BOTH };

/* A key among `many`: 9 bytes that begin with 01 (a number), or any others, some of them of 9 bytes, too. */
static struct wr_str some_key(enum kind kind, uint64_t many, char *room)
{
    uint64_t i = rnd(many);
    if (kind == WORDS || (kind == BOTH && i % 2)) {
        room[0] = 1;
        for (int k = 0; k < 8; k++)
            room[1 + k] = (char)(i * (k < 4 ? 0 : 37) >> (k * 3));
        return (struct wr_str){room, 9};
    }
    uint32_t n = (uint32_t)(i % 30);
    for (uint32_t k = 0; k < n; k++)
        room[k] = (char)(i >> k % 5);
    return (struct wr_str){room, n};
}

static void check_same(const struct wr_multiset *t, const struct wr_omap *m)
{
    struct wr_arena mem = {0};
    struct wr_buf a = WR_BUF_INIT(0), b = WR_BUF_INIT(0);
    assert_int_equal(wr_multiset_n(t), m->n_key);
    const struct wr_multiset_item *x = wr_multiset_sort(t, &mem);
    for (struct wr_omap_it it = wr_omap_first(m); wr_omap_valid(it); wr_omap_next(&it), x++) {
        assert_true(wr_str_eq(x->key, wr_omap_key(it)));
        assert_int_equal(x->num, wr_omap_num(it));
        assert_int_equal(wr_multiset_get(t, x->key), x->num);
    }
    wr_multiset_save(t, &a);
    wr_omap_save(m, &b);
    assert_true(wr_str_eq(wr_buf_get(&a), wr_buf_get(&b)));
    wr_buf_clear(&a);
    wr_buf_clear(&b);
    wr_arena_clear(&mem);
}

static void one_history(enum kind kind, uint64_t many, int steps)
{
    struct wr_multiset t = {0};
    struct wr_omap m = {0};
    char room[32];
    for (int i = 0; i < steps; i++) {
        bool growing = i < steps / 2;
        struct wr_str key = some_key(kind, many, room);
        int64_t delta = growing ? (int64_t)rnd(4) - 1 : -wr_omap_get(&m, key); /* the second half takes out, back to nearly nothing */
        assert_int_equal(wr_multiset_add(&t, key, delta), wr_omap_add(&m, key, delta));
        struct wr_str other = some_key(kind, many * 2, room);
        assert_int_equal(wr_multiset_get(&t, other), wr_omap_get(&m, other));
        if (i % 97 == 0)
            check_same(&t, &m);
    }
    check_same(&t, &m);
    wr_multiset_clear(&t);
    assert_int_equal(wr_multiset_heap(&t), 0);
    wr_omap_clear(&m);
}

static void agrees_with_the_ordered_map(void **state WR_UNUSED)
{
    static const uint64_t many[] = {1, 3, 20, 1000, 20000};
    seed = 11;
    for (int kind = WORDS; kind <= BOTH; kind++)
        for (int i = 0; i < 5; i++)
            one_history((enum kind)kind, many[i], i < 3 ? 2000 : 9000);
}

static void saved_bytes_come_back(void **state WR_UNUSED)
{
    struct wr_multiset t = {0}, u;
    struct wr_omap m;
    struct wr_buf out = WR_BUF_INIT(0);
    char room[32];
    seed = 5;
    for (int i = 0; i < 3000; i++)
        (void)wr_multiset_add(&t, some_key(BOTH, 500, room), (int64_t)rnd(5) - 1);
    wr_multiset_save(&t, &out);
    struct wr_str in = wr_buf_get(&out);
    assert_true(wr_omap_load(&m, &in)); /* states of an ordered map are read, and the other way round */
    assert_int_equal(in.n, 0);
    in = wr_buf_get(&out);
    assert_true(wr_multiset_load(&u, &in));
    assert_int_equal(in.n, 0);
    check_same(&u, &m);
    wr_multiset_clear(&u);
    for (uint32_t n = 0; n < out.n; n += 1 + n / 50) { /* cut off anywhere: refused, and nothing is owned */
        in = (struct wr_str){out.p, n};
        assert_false(wr_multiset_load(&u, &in));
    }
    wr_omap_clear(&m);
    wr_multiset_clear(&t);
    wr_buf_clear(&out);
}

static void a_table_that_empties_shrinks(void **state WR_UNUSED)
{
    struct wr_multiset t = {0};
    for (uint64_t i = 0; i < 100000; i++)
        (void)wr_multiset_add_word(&t, i, 1);
    size_t full = wr_multiset_heap(&t);
    for (uint64_t i = 10; i < 100000; i++)
        assert_int_equal(wr_multiset_add_word(&t, i, -1), 0);
    assert_int_equal(wr_multiset_n(&t), 10);
    assert_true(wr_multiset_heap(&t) < full / 100);
    for (uint64_t i = 0; i < 10; i++)
        assert_int_equal(wr_multiset_add_word(&t, i, 0), 1);
    wr_multiset_clear(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_the_ordered_map),
        cmocka_unit_test(saved_bytes_come_back),
        cmocka_unit_test(a_table_that_empties_shrinks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_omap.c: the ordered map against a plain sorted array, entry by entry; saved bytes that are no map. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>

#include "core/omap.h"

static uint64_t seed;
static uint64_t rnd(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

/* The naive map: pool[i] sorted by key; num[i] 0: not held. */
enum { POOL = 3000, KEY = 48 };
static struct {
    char text[KEY];
    uint32_t n;
    int64_t num;
} pool[POOL];
static int n_pool;

static struct wr_str pool_key(int i)
{
    return (struct wr_str){pool[i].text, pool[i].n};
}

static int pool_order(const void *a, const void *b)
{
    const struct { char text[KEY]; uint32_t n; int64_t num; } *x = a, *y = b;
    return wr_str_cmp((struct wr_str){x->text, x->n}, (struct wr_str){y->text, y->n});
}

/* Keys of 0..KEY bytes over few letters (and zero bytes), so that long common prefixes are frequent. */
static void pool_make(int n)
{
    for (int i = 0; i < n; i++) {
        pool[i].n = (uint32_t)rnd(KEY + 1);
        pool[i].num = 0;
        for (uint32_t j = 0; j < pool[i].n; j++)
            pool[i].text[j] = (char)(rnd(4) ? 0 : rnd(3) + 0x7f);
    }
    qsort(pool, (size_t)n, sizeof pool[0], pool_order);
    n_pool = 0;
    for (int i = 0; i < n; i++)
        if (n_pool == 0 || !wr_str_eq(pool_key(n_pool - 1), pool_key(i)))
            pool[n_pool++] = pool[i];
}

static void check_same(const struct wr_omap *m)
{
    struct wr_omap_it it = wr_omap_first(m), least = wr_omap_least(m), greatest = wr_omap_greatest(m);
    int64_t total = 0, held = 0;
    uint64_t keys = 0, neg = 0;
    int lo = -1, hi = -1;
    for (int i = 0; i < n_pool; i++) {
        assert_int_equal(wr_omap_get(m, pool_key(i)), pool[i].num);
        if (pool[i].num == 0)
            continue;
        assert_true(wr_omap_valid(it));
        assert_true(wr_str_eq(wr_omap_key(it), pool_key(i)));
        assert_int_equal(wr_omap_num(it), pool[i].num);
        wr_omap_next(&it);
        total += pool[i].num;
        keys++;
        neg += pool[i].num < 0;
        if (pool[i].num > 0) {
            held += pool[i].num;
            lo = lo < 0 ? i : lo;
            hi = i;
        }
    }
    assert_false(wr_omap_valid(it));
    assert_int_equal(m->total, total);
    assert_int_equal(m->n_key, keys);
    assert_int_equal(m->n_neg, neg);
    assert_int_equal(wr_omap_held(m), held);
    assert_int_equal(wr_omap_valid(least), lo >= 0);
    if (lo >= 0) {
        assert_true(wr_str_eq(wr_omap_key(least), pool_key(lo)));
        assert_true(wr_str_eq(wr_omap_key(greatest), pool_key(hi)));
    }
    it = wr_omap_last(m);
    for (int i = n_pool - 1; i >= 0; i--) {
        if (pool[i].num == 0)
            continue;
        assert_true(wr_str_eq(wr_omap_key(it), pool_key(i)));
        wr_omap_prev(&it);
    }
    assert_false(wr_omap_valid(it));
    int64_t k = 0;
    for (int i = 0; i < n_pool; i++)
        for (int64_t c = 0; c < pool[i].num; c++, k++)
            if (c == 0 || c == pool[i].num - 1) {
                it = wr_omap_nth(m, k);
                assert_true(wr_omap_valid(it) && wr_str_eq(wr_omap_key(it), pool_key(i)));
            }
    assert_false(wr_omap_valid(wr_omap_nth(m, k)));
    assert_false(wr_omap_valid(wr_omap_nth(m, -1)));
    assert_int_equal(m->root == NULL, keys == 0);
    assert_int_equal(m->heap == 0, keys == 0);
}

static void check_seek(const struct wr_omap *m)
{
    for (int round = 0; round < 200; round++) {
        char text[KEY];
        struct wr_str key = {text, (uint32_t)rnd(KEY)};
        for (uint32_t j = 0; j < key.n; j++)
            text[j] = (char)(rnd(4) ? 0 : rnd(3) + 0x7f);
        int want = 0;
        while (want < n_pool && (pool[want].num == 0 || wr_str_cmp(pool_key(want), key) < 0))
            want++;
        struct wr_omap_it it = wr_omap_seek(m, key);
        assert_int_equal(wr_omap_valid(it), want < n_pool);
        if (want < n_pool)
            assert_true(wr_str_eq(wr_omap_key(it), pool_key(want)));
    }
}

static void check_saved(const struct wr_omap *m)
{
    struct wr_buf a = WR_BUF_INIT(0), b = WR_BUF_INIT(0);
    struct wr_omap copy;
    wr_omap_save(m, &a);
    struct wr_str in = wr_buf_get(&a);
    assert_true(wr_omap_load(&copy, &in));
    assert_int_equal(in.n, 0);
    check_same(&copy);
    wr_omap_save(&copy, &b);
    assert_true(wr_str_eq(wr_buf_get(&a), wr_buf_get(&b)));
    wr_omap_clear(&copy);
    wr_buf_clear(&a);
    wr_buf_clear(&b);
}

static void bump(struct wr_omap *m, int i, int64_t delta)
{
    pool[i].num += delta;
    assert_int_equal(wr_omap_add(m, pool_key(i), delta), pool[i].num);
}

static void random_changes_match_a_sorted_array(void **state WR_UNUSED)
{
    for (uint64_t s = 1; s <= 12; s++) {
        seed = s;
        pool_make(s < 6 ? 20 * (int)s : POOL);
        struct wr_omap m = {0};
        for (int round = 0; round < 6; round++) {
            for (int op = 0; op < n_pool * 2; op++) {
                int i = (int)rnd((uint64_t)n_pool);
                bool shrink = round % 3 == 2 && pool[i].num != 0;
                bump(&m, i, shrink ? -pool[i].num : (int64_t)rnd(round < 3 ? 3 : 5) - (round < 3 ? 0 : 2));
            }
            check_same(&m);
            check_seek(&m);
            check_saved(&m);
        }
        for (int left = n_pool; left > 0; left--) { /* empty it in a random order */
            int i = (int)rnd((uint64_t)n_pool);
            while (pool[i].num == 0 && left > 0) {
                i = (i + 1) % n_pool;
                left--;
            }
            bump(&m, i, -pool[i].num);
        }
        for (int i = 0; i < n_pool; i++)
            bump(&m, i, -pool[i].num);
        check_same(&m);
        assert_int_equal(m.heap, 0);
    }
}

static void ordered_input_fills_and_empties(void **state WR_UNUSED)
{
    seed = 99;
    pool_make(POOL);
    for (int way = 0; way < 4; way++) { /* in: up or down; out: up or down */
        struct wr_omap m = {0};
        for (int i = 0; i < n_pool; i++)
            bump(&m, way & 1 ? n_pool - 1 - i : i, 1);
        check_same(&m);
        for (int i = 0; i < n_pool; i++) {
            bump(&m, way & 2 ? n_pool - 1 - i : i, -1);
            if (i % 500 == 0)
                check_same(&m);
        }
        check_same(&m);
        assert_int_equal(m.heap, 0);
    }
}

static void ascending_input_wastes_no_room(void **state WR_UNUSED)
{
    struct wr_omap m = {0};
    for (uint32_t i = 0; i < 32000; i++) {
        char key[4] = {(char)(i >> 24), (char)(i >> 16), (char)(i >> 8), (char)i};
        (void)wr_omap_add(&m, (struct wr_str){key, 4}, 1);
    }
    assert_true(m.heap < 32000 * 38);
    wr_omap_clear(&m);
    assert_int_equal(m.heap, 0);
}

static void merging_adds_number_by_number(void **state WR_UNUSED)
{
    struct wr_omap a = {0}, b = {0};
    (void)wr_omap_add(&a, WR_STR("x"), 2);
    (void)wr_omap_add(&a, WR_STR("y"), 1);
    (void)wr_omap_add(&b, WR_STR("y"), -1);
    (void)wr_omap_add(&b, WR_STR("z"), -4);
    wr_omap_merge(&a, &b);
    assert_int_equal(wr_omap_get(&a, WR_STR("x")), 2);
    assert_int_equal(wr_omap_get(&a, WR_STR("y")), 0);
    assert_int_equal(wr_omap_get(&a, WR_STR("z")), -4);
    assert_int_equal(a.n_key, 2);
    assert_int_equal(a.n_neg, 1);
    assert_int_equal(wr_omap_add(&a, WR_STR("nothing"), 0), 0);
    assert_int_equal(a.n_key, 2);
    wr_omap_clear(&a);
    wr_omap_clear(&b);
}

/* Whatever the bytes are: refused with nothing owned (the leak check sees), or a sound map. */
static void load_takes_no_garbage(void **state WR_UNUSED)
{
    struct wr_omap m;
    struct wr_str in = WR_STR("\x02\x02\x01" "b\x02\x01" "a"); /* not ascending */
    assert_false(wr_omap_load(&m, &in));
    in = WR_STR("\x01\x00\x01" "a"); /* number 0 */
    assert_false(wr_omap_load(&m, &in));
    in = WR_STR("\x01\x02\x7f" "a"); /* key longer than the bytes */
    assert_false(wr_omap_load(&m, &in));
    in = WR_STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"); /* 2^64 - 1 entries */
    assert_false(wr_omap_load(&m, &in));
    in = WR_STR("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"); /* more than 64 bits */
    assert_false(wr_omap_load(&m, &in));
    in = WR_STR("\x01\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x01" "a"); /* number -2^63 */
    assert_false(wr_omap_load(&m, &in));
    in = WR_STR("");
    assert_false(wr_omap_load(&m, &in));

    seed = 5;
    pool_make(100);
    struct wr_omap good = {0};
    struct wr_buf b = WR_BUF_INIT(0);
    for (int i = 0; i < n_pool; i++)
        bump(&good, i, 1 + (int64_t)rnd(300));
    wr_omap_save(&good, &b);
    int taken = 0;
    for (int round = 0; round < 4000; round++) {
        size_t n = round % 4 ? b.n : (size_t)rnd(b.n);
        char *bytes = malloc(n + 1); /* of the exact size, so that ASan sees a read behind it */
        memcpy(bytes, b.p, n);
        if (n)
            bytes[rnd(n)] = (char)rnd(256);
        in = (struct wr_str){bytes, (uint32_t)n};
        if (wr_omap_load(&m, &in)) {
            taken++;
            struct wr_omap_it it = wr_omap_first(&m);
            for (uint64_t i = 0; i < m.n_key; i++)
                wr_omap_next(&it);
            assert_false(wr_omap_valid(it));
            assert_true(wr_omap_held(&m) >= 0);
            wr_omap_clear(&m);
        }
        free(bytes);
    }
    assert_true(taken > 0);
    wr_omap_clear(&good);
    wr_buf_clear(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_changes_match_a_sorted_array),
        cmocka_unit_test(ordered_input_fills_and_empties),
        cmocka_unit_test(ascending_input_wastes_no_room),
        cmocka_unit_test(merging_adds_number_by_number),
        cmocka_unit_test(load_takes_no_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

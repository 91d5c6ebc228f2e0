/* test_arena.c: alignment, growth, recycling over threads; also errors by value (cutting, first one stays). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/arena.h"
#include "core/error.h"

#include <pthread.h>

static void pieces_are_aligned_and_apart(void **state WR_UNUSED)
{
    struct wr_arena a = {0};
    unsigned char *piece[2000];
    size_t size[2000], total = 0;
    for (unsigned i = 0; i < 2000; i++) {
        size[i] = i * 7 % 300;
        piece[i] = i % 2 ? wr_arena_alloc(&a, size[i]) : (unsigned char *)wr_arena_bytes(&a, size[i]);
        assert_int_equal((uintptr_t)wr_arena_alloc(&a, 1) & 15, 0);
        if (size[i])
            memset(piece[i], (int)(i & 0xFF), size[i]);
        total += size[i];
    }
    for (unsigned i = 0; i < 2000; i++)
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(piece[i][k], i & 0xFF);
    assert_true(a.used >= total);
    assert_true(a.held >= a.used);
    wr_arena_clear(&a);
    assert_null(a.head);
    assert_int_equal(a.held, 0);
}

static void large_piece_leaves_the_small_block_in_use(void **state WR_UNUSED)
{
    struct wr_arena a = {0};
    char *first = wr_arena_alloc(&a, 16);
    char *large = wr_arena_alloc(&a, 3 << 20);
    memset(large, 1, 3 << 20);
    char *second = wr_arena_alloc(&a, 16);
    assert_ptr_equal(second, first + 16);
    wr_arena_clear(&a);
}

static void room_keeps_pieces_together(void **state WR_UNUSED)
{
    struct wr_arena a = {0};
    wr_arena_alloc(&a, 900);
    wr_arena_room(&a, 5000);
    char *p = wr_arena_alloc(&a, 2500), *q = wr_arena_alloc(&a, 2000);
    assert_ptr_equal(q, p + 2512);
    wr_arena_clear(&a);
}

static void reset_keeps_one_block(void **state WR_UNUSED)
{
    struct wr_arena a = {0};
    wr_arena_reset(&a); /* empty: nothing to do */
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < 1000; i++)
            memset(wr_arena_alloc(&a, 100), 7, 100);
        wr_arena_reset(&a);
        assert_int_equal(a.used, 0);
        assert_non_null(a.head);
        assert_true(a.held > 0);
    }
    wr_arena_clear(&a);
}

static void limit_is_told_and_survives_clear(void **state WR_UNUSED)
{
    struct wr_arena a;
    wr_arena_init(&a, 10000);
    wr_arena_alloc(&a, 100);
    assert_false(wr_arena_over(&a));
    wr_arena_alloc(&a, 20000);
    assert_true(wr_arena_over(&a));
    wr_arena_clear(&a);
    assert_false(wr_arena_over(&a));
    assert_int_equal(a.limit, 10000);
}

static void text_has_a_nul_behind_it(void **state WR_UNUSED)
{
    struct wr_arena a = {0};
    struct wr_str s = wr_arena_str(&a, WR_STR("abc"));
    assert_int_equal(s.n, 3);
    assert_string_equal(s.p, "abc");
    s = wr_arena_str(&a, (struct wr_str){NULL, 0});
    assert_int_equal(s.n, 0);
    assert_string_equal(s.p, "");
    s = wr_arena_printf(&a, "%d-%s", 42, "x");
    assert_int_equal(s.n, 4);
    assert_string_equal(s.p, "42-x");
    char *zero = wr_arena_zero(&a, 333);
    for (int i = 0; i < 333; i++)
        assert_int_equal(zero[i], 0);
    wr_arena_clear(&a);
}

/* Arenas filled here are cleared there and the other way round; sanitizers see what goes wrong. */
static void *clear_and_fill(void *p)
{
    struct wr_arena *a = p;
    wr_arena_clear(a);
    for (int i = 0; i < 200; i++)
        memset(wr_arena_alloc(a, 1000), 3, 1000);
    return NULL;
}

static void arenas_pass_between_threads(void **state WR_UNUSED)
{
    for (int round = 0; round < 20; round++) {
        struct wr_arena a = {0};
        for (int i = 0; i < 100; i++)
            memset(wr_arena_alloc(&a, 5000), 1, 5000);
        pthread_t t;
        assert_int_equal(pthread_create(&t, NULL, clear_and_fill, &a), 0);
        pthread_join(t, NULL);
        wr_arena_clear(&a);
    }
}

static void first_error_stays(void **state WR_UNUSED)
{
    struct wr_error err = WR_ERROR_INIT;
    wr_hint(&err, "no error yet, so no hint");
    assert_string_equal(err.hint, "");
    assert_int_equal(wr_fail_at(&err, WR_ESQL, 17, "no column \"%s\"", "x"), WR_ESQL);
    assert_int_equal(wr_fail(&err, WR_EIO, "later"), WR_EIO);
    wr_hint(&err, "try \"%s\"", "y");
    wr_hint(&err, "second hint");
    assert_int_equal(err.code, WR_ESQL);
    assert_int_equal(err.sql_off, 17);
    assert_string_equal(err.msg, "no column \"x\"");
    assert_string_equal(err.hint, "try \"y\"");
    wr_error_clear(&err);
    assert_int_equal(err.code, WR_OK);
    assert_int_equal(err.sql_off, -1);
    assert_string_equal(err.msg, "");
}

static void long_errors_are_cut_between_characters(void **state WR_UNUSED)
{
    char text[1000];
    for (unsigned shift = 0; shift < 4; shift++) {
        struct wr_error err = WR_ERROR_INIT;
        memset(text, 'a', sizeof text);
        for (unsigned i = shift; i + 3 < sizeof text; i += 3)
            memcpy(text + i, "\xE2\x82\xAC", 3);
        text[sizeof text - 1] = 0;
        text[900] = 0;
        wr_fail(&err, WR_EDATA, "%s", text);
        size_t n = strlen(err.msg);
        assert_true(n < sizeof err.msg && n > sizeof err.msg - 8);
        assert_string_equal(err.msg + n - 3, "...");
        assert_true(wr_utf8_valid((struct wr_str){err.msg, (uint32_t)n}));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pieces_are_aligned_and_apart),
        cmocka_unit_test(large_piece_leaves_the_small_block_in_use),
        cmocka_unit_test(room_keeps_pieces_together),
        cmocka_unit_test(reset_keeps_one_block),
        cmocka_unit_test(limit_is_told_and_survives_clear),
        cmocka_unit_test(text_has_a_nul_behind_it),
        cmocka_unit_test(arenas_pass_between_threads),
        cmocka_unit_test(first_error_stays),
        cmocka_unit_test(long_errors_are_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

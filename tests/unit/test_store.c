/* test_store.c: a checkpoint is all there or not at all, and what is read is the applied state. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "core/arena.h"
#include "executor/store.h"

static char dir[128];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/weir-store-XXXXXX");
    return mkdtemp(dir) == NULL;
}

static int remove_dir(void **state)
{
    (void)state;
    static const char *const file[] = {"data.mdb", "lock.mdb", "lock"};
    char path[160];
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file[i]);
        unlink(path);
    }
    return rmdir(dir);
}

static struct wr_store *open_store(void)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s;
    if (wr_store_open(dir, &s, &err))
        fail_msg("%s", err.msg);
    return s;
}

static void must(wr_status st, const struct wr_error *err)
{
    if (st)
        fail_msg("%s", err->msg);
}

static struct wr_str all[64];
static int n_all;
static struct wr_arena arena;

static bool collect(void *ctx, struct wr_str key, struct wr_str value)
{
    (void)ctx;
    all[n_all++] = wr_arena_printf(&arena, "%.*s=%.*s", WR_FMT(key), WR_FMT(value));
    return n_all < 64;
}

/* "a=1 b=2": the applied state below a prefix */
static const char *content(struct wr_store *s, const char *prefix)
{
    struct wr_store_reader *r = wr_store_reader_new(s);
    static char text[4096];
    n_all = 0;
    wr_store_scan(r, wr_str_c(prefix), collect, NULL);
    text[0] = 0;
    for (int i = 0; i < n_all; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s", i ? " " : "", WR_FMT(all[i]));
    wr_store_reader_free(r);
    return text;
}

static void store_applies_what_was_prepared(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store();
    struct wr_buf d = WR_BUF_INIT(0);
    wr_delta_put(&d, WR_STR("a1"), WR_STR("x"));
    wr_delta_put(&d, WR_STR("b1"), WR_STR("y"));
    must(wr_store_prepare(s, 1, &d, 1, &err), &err);
    assert_string_equal(content(s, ""), ""); /* pending is not state */
    assert_int_equal(wr_store_pending(s), 1);
    must(wr_store_apply(s, &err), &err);
    assert_string_equal(content(s, ""), "a1=x b1=y");
    assert_int_equal(wr_store_applied(s), 1);
    assert_int_equal(wr_store_pending(s), 0);

    wr_buf_reset(&d);
    wr_delta_put(&d, WR_STR("a2"), WR_STR("z"));
    wr_delta_delete_prefix(&d, WR_STR("a")); /* what was there before; a2 stays */
    wr_delta_delete(&d, WR_STR("nothing"));
    must(wr_store_prepare(s, 2, &d, 1, &err), &err);
    must(wr_store_apply(s, &err), &err);
    assert_string_equal(content(s, ""), "a2=z b1=y");
    assert_string_equal(content(s, "b"), "b1=y");
    wr_buf_clear(&d);
    wr_store_close(s);
}

static void store_keeps_pending_over_a_restart(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store();
    struct wr_buf d[2] = {WR_BUF_INIT(0), WR_BUF_INIT(0)}; /* two tasks */
    wr_delta_put(&d[0], WR_STR("k"), WR_STR("v"));
    wr_delta_put(&d[1], WR_STR("l"), WR_STR("w"));
    must(wr_store_prepare(s, 1, d, 2, &err), &err);
    wr_store_close(s);
    s = open_store();
    assert_int_equal(wr_store_applied(s), 0);
    assert_int_equal(wr_store_pending(s), 1);
    must(wr_store_drop(s, &err), &err);
    assert_string_equal(content(s, ""), "");
    must(wr_store_prepare(s, 1, d, 2, &err), &err);
    wr_store_close(s);
    s = open_store();
    must(wr_store_apply(s, &err), &err);
    assert_string_equal(content(s, ""), "k=v l=w");
    wr_buf_clear(&d[0]);
    wr_buf_clear(&d[1]);
    wr_store_close(s);
}

static void store_takes_long_keys_and_big_deltas(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store();
    struct wr_buf d = WR_BUF_INIT(0);
    char *key = malloc(5000), *value = malloc(300000);
    memset(key, 'q', 5000);
    memset(value, 'v', 300000);
    for (int i = 0; i < 10; i++) { /* 3 MB: several chunks */
        key[4999] = (char)('0' + i);
        value[0] = (char)('0' + i);
        wr_delta_put(&d, (struct wr_str){key, 5000}, (struct wr_str){value, 300000});
    }
    must(wr_store_prepare(s, 1, &d, 1, &err), &err);
    must(wr_store_apply(s, &err), &err);
    struct wr_store_reader *r = wr_store_reader_new(s);
    for (int i = 0; i < 10; i++) {
        struct wr_str got;
        key[4999] = (char)('0' + i);
        assert_true(wr_store_get(r, (struct wr_str){key, 5000}, &got));
        assert_int_equal(got.n, 300000);
        assert_int_equal(got.p[0], '0' + i);
    }
    wr_store_reader_free(r);
    wr_buf_reset(&d);
    wr_delta_delete_prefix(&d, WR_STR("qqqq"));
    must(wr_store_prepare(s, 2, &d, 1, &err), &err);
    must(wr_store_apply(s, &err), &err);
    assert_string_equal(content(s, ""), "");
    free(key);
    free(value);
    wr_buf_clear(&d);
    wr_store_close(s);
}

static void store_is_one_process_only(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store(), *second;
    assert_int_equal(wr_store_open(dir, &second, &err), WR_EFENCED);
    assert_non_null(strstr(err.msg, "in use by another process"));
    wr_store_close(s);
    s = open_store();
    wr_store_close(s);
}

/* A reader that was used once must not keep every later state on the disk. */
static void store_uses_pages_again_under_an_idle_reader(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store();
    struct wr_store_reader *idle = wr_store_reader_new(s);
    struct wr_str value;
    char *big = calloc(1, 200000);
    off_t size = 0;
    for (uint64_t id = 1; id <= 100; id++) {
        struct wr_buf d = WR_BUF_INIT(0);
        memset(big, (int)('a' + id % 20), 200000);
        wr_delta_put(&d, WR_STR("k"), (struct wr_str){big, 200000});
        must(wr_store_prepare(s, id, &d, 1, &err), &err);
        must(wr_store_apply(s, &err), &err);
        wr_buf_clear(&d);
        if (id == 1)
            assert_true(wr_store_get(idle, WR_STR("k"), &value));
        char path[160];
        struct stat st;
        snprintf(path, sizeof path, "%s/data.mdb", dir);
        assert_int_equal(stat(path, &st), 0);
        size = st.st_size;
    }
    assert_true(size < 4 << 20); /* 100 states of 200 kB, and as many deltas, would be 40 MB */
    assert_true(wr_store_get(idle, WR_STR("k"), &value));
    assert_int_equal(value.p[0], 'a' + 100 % 20);
    wr_store_reader_free(idle);
    wr_store_close(s);
    free(big);
}

static void store_forks_into_another_job(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store();
    struct wr_buf d = WR_BUF_INIT(0);
    struct wr_str value;
    wr_delta_put(&d, WR_STR("k"), WR_STR("v"));
    must(wr_store_set(s, "identity", WR_STR("me"), &err), &err);
    must(wr_store_prepare(s, 1, &d, 1, &err), &err);
    assert_int_equal(wr_store_fork(s, &err), WR_EUSAGE); /* who has the pending one? */
    must(wr_store_apply(s, &err), &err);
    err = (struct wr_error)WR_ERROR_INIT;
    must(wr_store_fork(s, &err), &err);
    assert_int_equal(wr_store_applied(s), 0);
    assert_false(wr_store_value(s, "identity", &arena, &value));
    assert_string_equal(content(s, ""), "k=v");
    wr_buf_clear(&d);
    wr_store_close(s);
}

static void store_remembers_values_and_copies(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s = open_store();
    struct wr_str v;
    assert_false(wr_store_value(s, "plan", &arena, &v));
    must(wr_store_set(s, "plan", WR_STR("SELECT 1"), &err), &err);
    struct wr_buf d = WR_BUF_INIT(0);
    wr_delta_put(&d, WR_STR("k"), WR_STR("v"));
    must(wr_store_prepare(s, 1, &d, 1, &err), &err);
    must(wr_store_apply(s, &err), &err);
    char first[128], copy[96];
    snprintf(copy, sizeof copy, "%.80s-copy", dir);
    must(wr_store_copy(s, copy, &err), &err);
    wr_store_close(s);
    snprintf(first, sizeof first, "%s", dir);
    snprintf(dir, sizeof dir, "%s", copy);
    s = open_store();
    assert_string_equal(content(s, ""), "k=v");
    assert_true(wr_store_value(s, "plan", &arena, &v));
    assert_true(wr_str_eq_c(v, "SELECT 1"));
    assert_int_equal(wr_store_applied(s), 1);
    wr_store_close(s);
    remove_dir(NULL);
    snprintf(dir, sizeof dir, "%s", first);
    wr_buf_clear(&d);
}

/* Writes the same thousand keys anew; gives the file's size. */
static long rewritten(struct wr_store *s, int round)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_buf delta = WR_BUF_INIT(0);
    char key[32], value[128], path[160];
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "key %d", i);
        snprintf(value, sizeof value, "value %d of round %d: %060d", i, round, i);
        wr_delta_put(&delta, wr_str_c(key), wr_str_c(value));
    }
    must(wr_store_prepare(s, wr_store_applied(s) + 1, &delta, 1, &err), &err);
    must(wr_store_apply(s, &err), &err);
    wr_buf_clear(&delta);
    snprintf(path, sizeof path, "%s/data.mdb", dir);
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    fseek(f, 0, SEEK_END);
    long size = ftell(f);
    fclose(f);
    return size;
}

/* A reader that is kept but not asked any more must not keep every page from being used again. */
static void a_resting_reader_holds_nothing(void **state)
{
    (void)state;
    struct wr_store *s = open_store();
    struct wr_str value;
    long first = 0, last = 0;
    rewritten(s, 0);
    struct wr_store_reader *r = wr_store_reader_new(s);
    assert_true(wr_store_get(r, WR_STR("key 7"), &value));
    for (int round = 1; round <= 100; round++) {
        wr_store_reader_rest(r);
        last = rewritten(s, round);
        first = round == 10 ? last : first;
    }
    assert_true(last <= first + first / 2);
    assert_true(wr_store_get(r, WR_STR("key 7"), &value));
    assert_true(value.n > 22 && memcmp(value.p, "value 7 of round 100: ", 22) == 0);
    wr_store_reader_rest(r);
    wr_store_reader_rest(r);
    assert_true(wr_store_get(r, WR_STR("key 8"), &value));
    wr_store_reader_free(r);
    wr_store_reader_rest(NULL);
    wr_store_close(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(store_applies_what_was_prepared, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(store_keeps_pending_over_a_restart, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(store_takes_long_keys_and_big_deltas, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(store_is_one_process_only, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(a_resting_reader_holds_nothing, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(store_remembers_values_and_copies, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(store_uses_pages_again_under_an_idle_reader, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(store_forks_into_another_job, make_dir, remove_dir),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    wr_arena_clear(&arena);
    return rc;
}

/* test_store_damage.c: a store whose file was cut off, changed, or written by another weir gives out what was written, or nothing.
 * Each damage is looked at by a child process, because LMDB trusts its own pages: that it ends is allowed, a wrong value is not. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <lmdb.h>

#include "core/arena.h"
#include "executor/store.h"

enum { KEYS = 1500, STEP = 211, EXACT = 0, REFUSED = 1, WRONG = 2 };

static char dir[64];
static char *whole;      /* data.mdb as it was left */
static size_t n_whole;

static void path_of(char *out, size_t n, const char *name) { snprintf(out, n, "%s/%s", dir, name); }

static struct wr_str key_of(int i, char room[32]) { return (struct wr_str){room, (uint32_t)snprintf(room, 32, "group/%05d", i * 7)}; }
static struct wr_str value_of(int i, char room[64]) { return (struct wr_str){room, (uint32_t)snprintf(room, 64, "count %d sum %d", i, i * 31)}; }

static void put_file(const char *bytes, size_t n)
{
    char path[128];
    path_of(path, sizeof path, "data.mdb");
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static int make(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s;
    struct wr_buf d = WR_BUF_INIT(0);
    char room[32], text[64], path[128];
    snprintf(dir, sizeof dir, "/tmp/weir-damage-XXXXXX");
    if (!mkdtemp(dir) || wr_store_open(dir, &s, &err))
        return -1;
    for (int i = 0; i < KEYS; i++)
        wr_delta_put(&d, key_of(i, room), value_of(i, text));
    if (wr_store_prepare(s, 1, &d, 1, &err) || wr_store_apply(s, &err))
        return -1;
    wr_buf_reset(&d);
    wr_delta_put(&d, key_of(3, room), WR_STR("pending"));
    if (wr_store_prepare(s, 2, &d, 1, &err))
        return -1;
    wr_buf_clear(&d);
    wr_store_close(s);
    path_of(path, sizeof path, "data.mdb");
    FILE *f = fopen(path, "re");
    struct stat st;
    if (!f || fstat(fileno(f), &st))
        return -1;
    n_whole = (size_t)st.st_size;
    whole = wr_malloc(n_whole);
    size_t got = fread(whole, 1, n_whole, f);
    fclose(f);
    return got == n_whole ? 0 : -1;
}

static int clear(void **state)
{
    (void)state;
    static const char *const file[] = {"data.mdb", "lock.mdb", "lock"};
    char path[128];
    for (int i = 0; i < 3; i++) {
        path_of(path, sizeof path, file[i]);
        unlink(path);
    }
    free(whole);
    return rmdir(dir);
}

/* ---- one look ---- */

struct seen { int n; bool wrong, pending; };

static bool look_at(void *ctx, struct wr_str key, struct wr_str value)
{
    struct seen *seen = ctx;
    char room[32], text[64];
    int i = seen->n++;
    if (i == 3 && wr_str_eq(value, WR_STR("pending")) && wr_str_eq(key, key_of(3, room))) {
        seen->pending = true;
        return true;
    }
    seen->wrong |= i >= KEYS || !wr_str_eq(key, key_of(i, room)) || !wr_str_eq(value, value_of(i, text));
    return true;
}

static int look(void)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s;
    struct seen seen = {0};
    if (wr_store_open(dir, &s, &err))
        return REFUSED;
    bool apply = wr_store_pending(s) == 2;
    if ((apply && wr_store_apply(s, &err)) || wr_store_applied(s) != (apply ? 2 : 1))
        return REFUSED; /* another number: no sink agrees with it */
    struct wr_store_reader *r = wr_store_reader_new(s);
    wr_store_scan(r, WR_STR("group/"), look_at, &seen);
    if (wr_store_sound(s, &err))
        return REFUSED;
    if (seen.wrong || seen.n != KEYS || (apply && !seen.pending))
        return WRONG;
    wr_store_reader_free(r);
    wr_store_close(s);
    return EXACT;
}

static int look_in_a_child(void)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        static const int fatal[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
        for (size_t i = 0; i < sizeof fatal / sizeof *fatal; i++)
            signal(fatal[i], SIG_DFL); /* cmocka's would go on with the next test, here */
        int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
        dup2(quiet, 1);
        dup2(quiet, 2); /* what LMDB or a sanitizer says about it */
        _exit(look());
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) && WEXITSTATUS(status) <= WRONG ? WEXITSTATUS(status) : REFUSED;
}

/* ---- tests ---- */

static void whole_is_exact(void **state)
{
    (void)state;
    put_file(whole, n_whole);
    assert_int_equal(look_in_a_child(), EXACT);
}

static void no_flipped_bit_gives_a_wrong_value(void **state)
{
    (void)state;
    char *spoilt = wr_malloc(n_whole);
    int count[3] = {0};
    for (size_t at = 0; at < n_whole; at += STEP) {
        memcpy(spoilt, whole, n_whole);
        spoilt[at] = (char)(spoilt[at] ^ 1 << at % 8);
        put_file(spoilt, n_whole);
        int what = look_in_a_child();
        if (what == WRONG)
            fail_msg("a flipped bit of byte %zu went unnoticed", at);
        count[what]++;
    }
    assert_true(count[EXACT] > 0 && count[REFUSED] > 0);
    free(spoilt);
}

static void a_file_that_was_cut_off_is_refused(void **state)
{
    (void)state;
    struct wr_error err;
    struct wr_store *s;
    for (size_t n = 8192; n + 4096 < n_whole; n += 4096 * 5 + 100) {
        put_file(whole, n);
        err = (struct wr_error)WR_ERROR_INIT;
        assert_int_equal(wr_store_open(dir, &s, &err), WR_EIO);
        assert_non_null(strstr(err.msg, "\"data.mdb\" has"));
    }
}

static void format(uint64_t v)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi meta;
    char name[] = "format";
    MDB_val key = {sizeof name - 1, name}, val = {sizeof v, &v};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_set_maxdbs(env, 4), 0);
    assert_int_equal(mdb_env_open(env, dir, 0, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", 0, &meta), 0);
    assert_int_equal(mdb_put(txn, meta, &key, &val, 0), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static void other_versions_are_named(void **state)
{
    (void)state;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_store *s;
    put_file(whole, n_whole);
    format(99);
    assert_int_equal(wr_store_open(dir, &s, &err), WR_EIO);
    assert_non_null(strstr(err.msg, "has format 99, this weir knows up to"));
    format(1);
    err = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_store_open(dir, &s, &err), WR_EIO);
    assert_non_null(strstr(err.msg, "has format 1 of an older weir"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_is_exact), cmocka_unit_test(no_flipped_bit_gives_a_wrong_value),
        cmocka_unit_test(a_file_that_was_cut_off_is_refused), cmocka_unit_test(other_versions_are_named),
    };
    return cmocka_run_group_tests(tests, make, clear);
}

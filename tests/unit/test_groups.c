/* test_groups.c: the hash table of groups: many keys found again, removal, walks, texts given back, keys as values, bytes counted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "core/key.h"
#include "executor/groups.h"

static const int key_col[2] = {0, 1};

struct rig {
    struct wr_arena mem;
    struct wr_schema schema;
    struct wr_group_layout layout;
    struct wr_groups groups;
};

static void rig_open(struct rig *r)
{
    memset(r, 0, sizeof *r);
    struct wr_field *f = WR_NEW_N(&r->mem, struct wr_field, 3);
    f[0].type = WR_TYPE_OF(BIGINT);
    f[1].type = WR_TYPE_OF(TEXT);
    f[2].type = WR_TYPE_OF(BIGINT);
    r->schema = (struct wr_schema){3, f};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_aggcall call[2];
    memset(call, 0, sizeof call);
    for (int i = 0; i < 2; i++) {
        call[i].fn = wr_agg_find(wr_str_c(i ? "array_agg" : "sum"));
        call[i].n_arg = 1;
        call[i].arg[0] = 2;
        call[i].arg_type[0] = WR_TYPE_OF(BIGINT);
        call[i].filter = -1;
        call[i].mem = &r->mem;
        assert_int_equal(wr_aggcall_bind(&call[i], &err), WR_OK);
    }
    wr_group_layout_init(&r->layout, 2, key_col, &r->schema, 2, call, 0, &r->mem);
    wr_groups_init(&r->groups, &r->layout);
}

static void rig_close(struct rig *r)
{
    wr_groups_clear(&r->groups);
    wr_arena_clear(&r->mem);
}

/* Key number i: every seventh has no number, every fifth no text, some texts are long. */
static void key_of(int i, char text[64], struct wr_value key[2])
{
    memset(key, 0, 2 * sizeof *key);
    key[0].type = WR_TYPE_OF(BIGINT);
    key[1].type = WR_TYPE_OF(TEXT);
    snprintf(text, 64, i % 3 ? "t%d" : "a text that does not fit into the entry itself, %d", i);
    key[0].null = i % 7 == 0;
    key[0].as.i = i % 5 ? i / 2 : i;
    key[1].null = i % 5 == 0 && i % 7 != 0;
    key[1].as.s = wr_str_c(text);
}

/* Rows for keys from..to-1, and their groups. */
static void add(struct rig *r, int from, int to, struct wr_group **out)
{
    uint32_t n = (uint32_t)(to - from);
    struct wr_batch *b = wr_batch_new(&r->schema, n);
    b->len = b->n_live = n;
    for (uint32_t k = 0; k < n; k++) {
        char text[64];
        struct wr_value v[2], amount = {.type = WR_TYPE_OF(BIGINT), .as.i = from + (int)k};
        key_of(from + (int)k, text, v);
        v[1].as.s = wr_arena_str(&b->mem, v[1].as.s);
        for (int c = 0; c < 2; c++)
            wr_vec_set(&b->col[c], k, &v[c], n, &b->mem);
        wr_vec_set(&b->col[2], k, &amount, n, &b->mem);
    }
    uint32_t *row = wr_arena_alloc(&b->mem, n * sizeof *row);
    uint64_t *hash = wr_arena_alloc(&b->mem, n * sizeof *hash);
    for (uint32_t k = 0; k < n; k++)
        row[k] = k;
    wr_hash_rows(b, key_col, 2, row, n, r->layout.seed, hash);
    wr_groups_find(&r->groups, b, row, n, hash, out);
    for (int a = 0; a < 2; a++)
        wr_aggcall_add(&r->layout.agg[a], (char *const *)(void *)out, b, row, n);
    for (uint32_t k = 0; k < n; k++) {
        out[k]->rows++;
        wr_groups_weigh(&r->groups, out[k]);
    }
    wr_batch_unref(b);
}

enum { N = 60000, STEP = 1000 };

static void add_all(struct rig *r, struct wr_group **at)
{
    for (int i = 0; i < N; i += STEP)
        add(r, i, i + STEP, at + i);
}

static void keys_are_found_again(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct wr_group **at = wr_calloc(N, sizeof(struct wr_group *)), **again = wr_calloc(N, sizeof(struct wr_group *));
    add_all(&r, at);
    assert_int_equal(r.groups.n, N);
    add_all(&r, again);
    assert_int_equal(r.groups.n, N);
    struct wr_group_walk walk = {0};
    for (int i = 0; i < N; i++) {
        char text[64];
        struct wr_value key[2];
        key_of(i, text, key);
        assert_ptr_equal(at[i], again[i]);
        assert_int_equal(at[i]->rows, 2);
        assert_ptr_equal(wr_groups_peek(&r.groups, key), at[i]);
        assert_ptr_equal(wr_groups_next(&r.groups, &walk), at[i]); /* order of arrival */
        for (int c = 0; c < 2; c++) {
            struct wr_value v = wr_group_key(&r.layout, at[i], c);
            assert_int_equal(v.null, key[c].null);
            assert_true(v.null || wr_value_cmp(&v, &key[c]) == 0);
        }
    }
    assert_null(wr_groups_next(&r.groups, &walk));
    free(at);
    free(again);
    rig_close(&r);
}

static void removed_groups_are_gone_and_others_stay(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct wr_group **at = wr_calloc(N, sizeof(struct wr_group *));
    add_all(&r, at);
    for (int i = 0; i < N; i++)
        if (i % 3 != 1)
            wr_groups_remove(&r.groups, at[i]);
    assert_int_equal(r.groups.n, N / 3);
    for (int i = 0; i < N; i++) {
        char text[64];
        struct wr_value key[2];
        key_of(i, text, key);
        assert_ptr_equal(wr_groups_peek(&r.groups, key), i % 3 == 1 ? at[i] : NULL);
    }
    add_all(&r, at);
    assert_int_equal(r.groups.n, N);
    assert_int_equal(r.groups.n_entry, N); /* the room was used again */
    for (int i = 0; i < N; i++)
        assert_int_equal(at[i]->rows, i % 3 == 1 ? 2 : 1);
    free(at);
    rig_close(&r);
}

static void room_is_given_back(void **state)
{
    (void)state;
    struct rig r;
    rig_open(&r);
    struct wr_group **at = wr_calloc(STEP, sizeof(struct wr_group *));
    size_t most = 0, most_text = 0;
    for (int i = 0; i < 200 * STEP; i += STEP) { /* ever new keys, none stays */
        add(&r, i, i + STEP, at);
        size_t bytes = wr_groups_bytes(&r.groups);
        most = bytes > most ? bytes : most;
        most_text = r.groups.text.held > most_text ? r.groups.text.held : most_text;
        for (int k = 0; k < STEP; k++)
            wr_groups_remove(&r.groups, at[k]);
        assert_int_equal(r.groups.heap, 0);
        assert_int_equal(r.groups.text_live, 0);
    }
    assert_true(r.groups.n_entry == STEP);
    assert_true(most_text < 512 << 10); /* 200,000 keys had 4 MB of long texts */
    assert_true(most < 1 << 20);
    free(at);
    rig_close(&r);
}

static void bytes_are_saved_and_loaded(void **state)
{
    (void)state;
    struct rig r, s;
    rig_open(&r);
    rig_open(&s);
    struct wr_group *at[STEP];
    add(&r, 0, STEP, at);
    add(&r, 0, STEP, at);
    struct wr_buf one = WR_BUF_INIT(0), two = WR_BUF_INIT(0);
    for (int i = 0; i < STEP; i++) {
        char text[64];
        struct wr_value key[2];
        bool made;
        key_of(i, text, key);
        wr_buf_reset(&one);
        wr_buf_reset(&two);
        wr_group_save(&r.layout, at[i], &one);
        struct wr_group *x = wr_groups_restore(&s.groups, key, &made);
        assert_true(made);
        assert_true(wr_group_load(&s.layout, x, wr_buf_get(&one)));
        wr_groups_weigh(&s.groups, x);
        wr_group_save(&s.layout, x, &two);
        assert_true(wr_str_eq(wr_buf_get(&one), wr_buf_get(&two)));
        assert_ptr_equal(wr_groups_restore(&s.groups, key, &made), x);
        assert_false(made);
        assert_ptr_equal(wr_groups_like(&s.groups, at[i], false), x);
    }
    assert_int_equal(s.groups.n, STEP);
    wr_buf_clear(&one);
    wr_buf_clear(&two);
    rig_close(&r);
    rig_close(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_are_found_again),
        cmocka_unit_test(removed_groups_are_gone_and_others_stay),
        cmocka_unit_test(room_is_given_back),
        cmocka_unit_test(bytes_are_saved_and_loaded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_batch.c: who holds what, selections with and without sharing, views, the builder. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/batch.h"

#include <pthread.h>
#include <stdio.h>

static struct wr_field fields[] = {
    {.name = {"id", 2}, .type = {.id = WR_T_BIGINT}},
    {.name = {"name", 4}, .type = {.id = WR_T_TEXT}, .nullable = true},
};
static const struct wr_schema schema = {2, fields};

static struct wr_batch *make(uint32_t n)
{
    struct wr_batch *b = wr_batch_new(&schema, n);
    for (uint32_t i = 0; i < n; i++) {
        WR_VEC_I64(&b->col[0])[i] = i;
        WR_VEC_STR(&b->col[1])[i] = wr_arena_printf(&b->mem, "n%u", i);
    }
    b->len = b->n_live = n;
    return b;
}

static char released[100];
static void note(void *what)
{
    size_t n = strlen(released);
    (void)snprintf(released + n, sizeof released - n, "%s ", (const char *)what);
}

static void holds_are_released_in_order_with_the_last_reference(void **state WR_UNUSED)
{
    static char a[] = "a", b[] = "b", c[] = "c", v[] = "view";
    released[0] = 0;
    struct wr_batch *batch = make(4);
    wr_batch_hold(batch, note, a);
    wr_batch_hold(batch, note, b);
    wr_batch_hold(batch, note, c);
    struct wr_batch *view = wr_batch_view(batch, 1);
    wr_batch_hold(view, note, v);
    wr_batch_unref(batch);
    assert_string_equal(released, "");
    view->col[0] = batch->col[1]; /* still there: the view holds it */
    assert_true(wr_str_eq_c(wr_vec_get(&view->col[0], 3).as.s, "n3"));
    wr_batch_ref(view);
    wr_batch_unref(view);
    assert_string_equal(released, "");
    wr_batch_unref(view);
    assert_string_equal(released, "a b c view "); /* the batch below first: it was held first */
    wr_batch_unref(NULL);
}

static void unshared_batch_is_selected_in_place(void **state WR_UNUSED)
{
    uint32_t sel[] = {1, 3};
    struct wr_batch *b = make(4);
    assert_ptr_equal(wr_batch_select(b, sel, 2), b);
    sel[0] = sel[1] = 77; /* the selection was copied */
    assert_int_equal(b->n_live, 2);
    assert_int_equal(b->len, 4);
    assert_int_equal(wr_batch_row(b, 0), 1);
    assert_int_equal(wr_batch_row(b, 1), 3);
    uint32_t again[] = {3};
    assert_ptr_equal(wr_batch_select(b, again, 1), b);
    assert_int_equal(wr_batch_row(b, 0), 3);
    assert_ptr_equal(wr_batch_select(b, again, 0), b);
    assert_int_equal(b->n_live, 0);
    assert_ptr_equal(wr_batch_select(b, NULL, 0), b);
    assert_null(b->sel);
    assert_int_equal(b->n_live, 4);
    wr_batch_unref(b);
}

static void shared_batch_is_left_alone(void **state WR_UNUSED)
{
    static const uint32_t sel[] = {0, 2};
    struct wr_batch *b = make(4), *other = wr_batch_ref(b);
    struct wr_batch *picked = wr_batch_select(b, sel, 2); /* consumes one of the two */
    assert_ptr_not_equal(picked, other);
    assert_null(other->sel);
    assert_int_equal(other->n_live, 4);
    assert_int_equal(picked->n_live, 2);
    assert_int_equal(picked->n_col, 2);
    wr_batch_unref(other);
    assert_true(wr_str_eq_c(wr_vec_get(&picked->col[1], wr_batch_row(picked, 1)).as.s, "n2"));
    wr_batch_unref(picked);
}

static void tell_origin(const struct wr_batch *src, uint32_t row, struct wr_origin *out)
{
    out->topic = WR_STR("t");
    out->part = 4;
    out->offset = *(int64_t *)src->src_priv + row;
}

static void views_know_where_rows_came_from(void **state WR_UNUSED)
{
    static const uint32_t sel[] = {2, 3};
    int64_t base = 100;
    int8_t op[] = {0, 1, 2, 3};
    int64_t wm[] = {5, 6, 7, 8};
    uint32_t part[] = {9, 8, 7, 6};
    struct wr_origin o;
    struct wr_batch *b = make(4);
    wr_batch_origin(b, 0, &o);
    assert_int_equal(o.part, -1);
    assert_int_equal(o.offset, -1);
    assert_true(o.ts_us == INT64_MIN);
    assert_int_equal(wr_batch_op(b, 3), WR_OP_INSERT);
    assert_true(wr_batch_wm(b, 3) == INT64_MIN);
    b->origin = tell_origin;
    b->src_priv = &base;
    b->op = op;
    b->wm = wm;
    b->part = part;
    struct wr_batch *v = wr_batch_view(b, 0);
    wr_batch_unref(b);
    struct wr_batch *w = wr_batch_select(wr_batch_ref(v), sel, 2);
    wr_batch_unref(v);
    wr_batch_origin(w, wr_batch_row(w, 1), &o);
    assert_int_equal(o.part, 4);
    assert_int_equal(o.offset, 103);
    assert_int_equal(wr_batch_op(w, 3), WR_OP_DELETE);
    assert_int_equal(wr_batch_wm(w, 3), 8);
    assert_int_equal(wr_batch_part(w, 3), 6);
    wr_batch_unref(w);
}

static void builder_fills_and_hands_over(void **state WR_UNUSED)
{
    struct wr_builder bl = {.schema = &schema, .cap = 3};
    assert_null(wr_builder_take(&bl));
    for (uint32_t i = 0; i < 3; i++) {
        assert_false(wr_builder_full(&bl));
        uint32_t row = wr_builder_row(&bl, i == 1 ? WR_OP_DELETE : WR_OP_INSERT);
        assert_int_equal(row, i);
        struct wr_value id = {.type = WR_TYPE_OF(BIGINT), .as.i = 10 + i};
        wr_builder_set(&bl, 0, row, &id);
        if (i == 2)
            wr_builder_null(&bl, 1, row);
        else
            WR_VEC_STR(&bl.b->col[1])[row] = WR_STR("x");
    }
    assert_true(wr_builder_full(&bl));
    struct wr_batch *b = wr_builder_take(&bl);
    assert_null(wr_builder_take(&bl));
    assert_int_equal(b->len, 3);
    assert_int_equal(b->n_live, 3);
    assert_int_equal(wr_batch_op(b, 0), WR_OP_INSERT);
    assert_int_equal(wr_batch_op(b, 1), WR_OP_DELETE);
    assert_int_equal(wr_batch_op(b, 2), WR_OP_INSERT);
    assert_false(wr_vec_null(&b->col[1], 1));
    assert_true(wr_vec_null(&b->col[1], 2));
    assert_int_equal(WR_VEC_I64(&b->col[0])[2], 12);

    uint32_t row = wr_builder_row(&bl, WR_OP_INSERT); /* anew: no ops left over */
    wr_builder_copy(&bl, 0, row, &b->col[0], 1);
    wr_builder_copy(&bl, 1, row, &b->col[1], 2);
    wr_batch_unref(b);
    b = wr_builder_take(&bl);
    assert_null(b->op);
    assert_int_equal(WR_VEC_I64(&b->col[0])[0], 11);
    assert_true(wr_vec_null(&b->col[1], 0));
    wr_batch_unref(b);
}

/* Two threads drop and take references on one batch; only the last frees it. */
static void *juggle(void *p)
{
    struct wr_batch *b = p;
    for (int i = 0; i < 20000; i++)
        wr_batch_unref(wr_batch_ref(b));
    wr_batch_unref(b);
    return NULL;
}

static void references_are_counted_across_threads(void **state WR_UNUSED)
{
    static char a[] = "freed";
    released[0] = 0;
    struct wr_batch *b = make(4);
    wr_batch_hold(b, note, a);
    pthread_t t[2];
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&t[i], NULL, juggle, wr_batch_ref(b)), 0);
    for (int i = 0; i < 2; i++)
        pthread_join(t[i], NULL);
    assert_string_equal(released, "");
    wr_batch_unref(b);
    assert_string_equal(released, "freed ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(holds_are_released_in_order_with_the_last_reference),
        cmocka_unit_test(unshared_batch_is_selected_in_place),
        cmocka_unit_test(shared_batch_is_left_alone),
        cmocka_unit_test(views_know_where_rows_came_from),
        cmocka_unit_test(builder_fills_and_hands_over),
        cmocka_unit_test(references_are_counted_across_threads),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

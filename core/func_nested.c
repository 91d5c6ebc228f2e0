/* func_nested.c: arrays and rows: making them, taking from them, and conversions between their types.
 * Rules:  positions count from 1, as in PostgreSQL; what is outside an array is NULL. Elements compare as ORDER BY does; in searches NULL
 *         finds NULL. The bytes are nested.h's; damaged ones (from a damaged state) make the row bad, they are never followed.
 * Memory: results are built in a scratch buffer and copied to ev->mem; elements are borrowed from the argument. */
#include "core/kernel.h"
#include "core/nested.h"
#include "core/utf8.h"
#include <stdlib.h>

int wr_value_order(const struct wr_value *a, const struct wr_value *b)
{
    struct wr_value x = *a, y = *b;
    const struct wr_vec v = {.type = x.type, .constant = true, .data = &x.as}, w = {.type = x.type, .constant = true, .data = &y.as};
    return wr_vec_cmp(&v, 0, &w, 0);
}

static bool same(const struct wr_value *a, const struct wr_value *b)
{
    return a->null || b->null ? a->null && b->null : wr_value_order(a, b) == 0;
}

/* ---- building ---- */

struct make {
    struct wr_buf buf;
    struct wr_nested_maker m;
};
static void make_begin(struct make *k)
{
    k->buf.max = WR_TEXT_MAX;
    wr_buf_reset(&k->buf);
    wr_nested_open(&k->m, &k->buf);
}
static void make_end(struct make *k, struct wr_eval *ev, struct wr_vec *out, uint32_t row)
{
    wr_nested_close(&k->m);
    if (k->buf.overflow) {
        WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
        return;
    }
    WR_VEC_STR(out)[row] = wr_out_text(ev, &k->buf);
}

/* All arguments, NULL included, one after the other: array(...) and row(...). */
WR_KERNEL(k_make)
{
    struct make k = {0};
    WR_ROWS(row) {
        make_begin(&k);
        for (int i = 0; i < c->n_arg; i++)
            wr_nested_put_vec(&k.m, &c->arg[i], row);
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}

static void open_array(struct wr_eval *ev, const struct wr_call *c, int i, uint32_t row, struct wr_nested_iter *it)
{
    *it = (struct wr_nested_iter){0};
    if (!wr_nested_iter(it, c->arg[i].type, WR_ARG_S(i, row)))
        wr_eval_bad(ev, row, WR_R_CAST, "damaged array");
}

/* Appends argument i: its elements if it is an array (NULL: none), itself otherwise. */
static void put_arg(struct wr_eval *ev, struct make *k, const struct wr_call *c, int i, bool spread, uint32_t row)
{
    struct wr_nested_iter it;
    struct wr_value v;
    if (!spread) {
        wr_nested_put_vec(&k->m, &c->arg[i], row);
        return;
    }
    if (WR_ARG_NULL(i, row))
        return;
    open_array(ev, c, i, row, &it);
    while (wr_nested_next(&it, &v))
        wr_nested_put(&k->m, &v);
}

static void append(struct wr_eval *ev, const struct wr_call *c, bool spread0, bool spread1, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    struct make k = {0};
    WR_ROWS(row) {
        if (spread0 && spread1 && WR_ARG_NULL(0, row) && WR_ARG_NULL(1, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        make_begin(&k);
        put_arg(ev, &k, c, 0, spread0, row);
        put_arg(ev, &k, c, 1, spread1, row);
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}
WR_KERNEL(k_append) { append(ev, c, true, false, out, sel, n); }
WR_KERNEL(k_prepend) { append(ev, c, false, true, out, sel, n); }
WR_KERNEL(k_cat) { append(ev, c, true, true, out, sel, n); }

/* Elements for which keep says so. */
static void filter(struct wr_eval *ev, const struct wr_call *c, const struct wr_value *drop, const struct wr_value *instead, struct make *k, uint32_t row)
{
    struct wr_nested_iter it;
    struct wr_value v;
    open_array(ev, c, 0, row, &it);
    while (wr_nested_next(&it, &v)) {
        if (!same(&v, drop))
            wr_nested_put(&k->m, &v);
        else if (instead)
            wr_nested_put(&k->m, instead);
    }
}
WR_KERNEL(k_remove) /* array_remove, and with a third argument array_replace */
{
    struct make k = {0};
    WR_ROWS(row) {
        if (WR_ARG_NULL(0, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        struct wr_value drop = wr_vec_get(&c->arg[1], row), by = {0};
        if (c->n_arg == 3)
            by = wr_vec_get(&c->arg[2], row);
        make_begin(&k);
        filter(ev, c, &drop, c->n_arg == 3 ? &by : NULL, &k, row);
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}

/* ---- taking ---- */

WR_KERNEL(k_subscript)
{
    WR_ROWS(row) {
        struct wr_value v;
        int64_t i = WR_ARG_I(1, row);
        if (i < 1 || i > UINT32_MAX || !wr_nested_get(c->arg[0].type, WR_ARG_S(0, row), (uint32_t)(i - 1), &v))
            wr_out_null(ev, out, row);
        else
            wr_out_value(ev, out, row, &v);
    }
}
/* element_at: negative from the end */
WR_KERNEL(k_element_at)
{
    WR_ROWS(row) {
        struct wr_value v;
        int64_t i = WR_ARG_I(1, row);
        if (i < 0)
            i += (int64_t)wr_nested_count(WR_ARG_S(0, row)) + 1;
        if (i < 1 || i > UINT32_MAX || !wr_nested_get(c->arg[0].type, WR_ARG_S(0, row), (uint32_t)(i - 1), &v))
            wr_out_null(ev, out, row);
        else
            wr_out_value(ev, out, row, &v);
    }
}
WR_KERNEL(k_field)
{
    WR_ROWS(row) {
        struct wr_value v;
        if (!wr_nested_get(c->arg[0].type, WR_ARG_S(0, row), (uint32_t)WR_ARG_I(1, row), &v))
            wr_out_null(ev, out, row);
        else
            wr_out_value(ev, out, row, &v);
    }
}
/* array[from : to] */
WR_KERNEL(k_slice)
{
    struct make k = {0};
    WR_ROWS(row) {
        struct wr_nested_iter it;
        struct wr_value v;
        make_begin(&k);
        open_array(ev, c, 0, row, &it);
        for (int64_t i = 1; wr_nested_next(&it, &v); i++)
            if (i >= WR_ARG_I(1, row) && i <= WR_ARG_I(2, row))
                wr_nested_put(&k.m, &v);
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}

WR_KERNEL(k_cardinality) { WR_ROWS(row) WR_VEC_I64(out)[row] = wr_nested_count(WR_ARG_S(0, row)); }
WR_KERNEL(k_length) /* NULL for an empty array and for other dimensions than the first, as in PostgreSQL */
{
    WR_ROWS(row) {
        uint32_t count = wr_nested_count(WR_ARG_S(0, row));
        if (count == 0 || (c->n_arg == 2 && WR_ARG_I(1, row) != 1))
            wr_out_null(ev, out, row);
        else
            WR_VEC_I64(out)[row] = count;
    }
}

/* Place of the element, from 1; 0: it is not there. */
static int64_t find(struct wr_eval *ev, const struct wr_call *c, const struct wr_value *what, uint32_t row)
{
    struct wr_nested_iter it;
    struct wr_value v;
    open_array(ev, c, 0, row, &it);
    for (int64_t i = 1; wr_nested_next(&it, &v); i++)
        if (same(&v, what))
            return i;
    return 0;
}
WR_KERNEL(k_position)
{
    WR_ROWS(row) {
        struct wr_value what = wr_vec_get(&c->arg[1], row);
        int64_t at = WR_ARG_NULL(0, row) ? 0 : find(ev, c, &what, row);
        WR_VEC_I64(out)[row] = at;
        if (at == 0)
            wr_out_null(ev, out, row);
    }
}
WR_KERNEL(k_contains)
{
    WR_ROWS(row) {
        struct wr_value what = wr_vec_get(&c->arg[1], row);
        WR_VEC_I8(out)[row] = find(ev, c, &what, row) > 0;
    }
}

static void extreme(struct wr_eval *ev, const struct wr_call *c, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_nested_iter it;
        struct wr_value v, best = {.null = true};
        open_array(ev, c, 0, row, &it);
        while (wr_nested_next(&it, &v))
            if (!v.null && (best.null || wr_value_order(&v, &best) * sign > 0))
                best = v;
        wr_out_value(ev, out, row, &best);
    }
}
WR_KERNEL(k_max) { extreme(ev, c, 1, out, sel, n); }
WR_KERNEL(k_min) { extreme(ev, c, -1, out, sel, n); }

/* ---- sorting ---- */

static int by_value(const void *a, const void *b)
{
    const struct wr_value *x = a, *y = b;
    if (x->null || y->null)
        return x->null - y->null;
    return wr_value_order(x, y);
}

enum arrange { SORT, DISTINCT, REVERSE };

/* The row's elements as values in ev->mem. */
static struct wr_value *values_of(struct wr_eval *ev, const struct wr_call *c, uint32_t row, uint32_t *n)
{
    struct wr_nested_iter it;
    uint32_t count = wr_nested_count(WR_ARG_S(0, row));
    open_array(ev, c, 0, row, &it);
    if (it.n != count)
        count = 0;
    struct wr_value *v = wr_arena_alloc(ev->mem, sizeof(*v) * (size_t)(count + 1));
    for (*n = 0; *n < count && wr_nested_next(&it, &v[*n]);)
        ++*n;
    return v;
}

static void arrange(struct wr_eval *ev, const struct wr_call *c, enum arrange how, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    struct make k = {0};
    WR_ROWS(row) {
        uint32_t count;
        struct wr_value *v = values_of(ev, c, row, &count);
        if (how != REVERSE)
            qsort(v, count, sizeof(*v), by_value);
        make_begin(&k);
        for (uint32_t i = 0; i < count; i++) {
            const struct wr_value *x = &v[how == REVERSE ? count - 1 - i : i];
            if (how != DISTINCT || i == 0 || by_value(x, x - 1) != 0)
                wr_nested_put(&k.m, x);
        }
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}
WR_KERNEL(k_sort) { arrange(ev, c, SORT, out, sel, n); }
WR_KERNEL(k_distinct) { arrange(ev, c, DISTINCT, out, sel, n); }
WR_KERNEL(k_reverse) { arrange(ev, c, REVERSE, out, sel, n); }

/* ---- text ---- */

/* array_to_string(array, separator [, text for NULL]) */
WR_KERNEL(k_to_string)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        if (WR_ARG_NULL(0, row) || WR_ARG_NULL(1, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        struct wr_nested_iter it;
        struct wr_value v;
        bool any = false, nulls = c->n_arg == 3 && !WR_ARG_NULL(2, row);
        wr_buf_reset(&b);
        open_array(ev, c, 0, row, &it);
        while (wr_nested_next(&it, &v)) {
            if (v.null && !nulls)
                continue;
            if (any)
                wr_buf_str(&b, WR_ARG_S(1, row));
            if (v.null)
                wr_buf_str(&b, WR_ARG_S(2, row));
            else
                wr_print_value(&b, &v, WR_STYLE_SQL);
            any = true;
        }
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

static void put_text(struct make *k, struct wr_str s, const struct wr_str *null)
{
    const struct wr_value v = {.type = WR_TYPE_OF(TEXT), .null = null && wr_str_eq(s, *null), .as.s = s};
    wr_nested_put(&k->m, &v);
}

/* string_to_array(text, separator [, text that means NULL]): without separator character by character, an empty one: the whole */
WR_KERNEL(k_from_string)
{
    struct make k = {0};
    WR_ROWS(row) {
        if (WR_ARG_NULL(0, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        struct wr_str s = WR_ARG_S(0, row), sep = {NULL, 0}, none = {NULL, 0};
        bool each = WR_ARG_NULL(1, row), with_null = c->n_arg == 3 && !WR_ARG_NULL(2, row);
        if (!each)
            sep = WR_ARG_S(1, row);
        if (with_null)
            none = WR_ARG_S(2, row);
        make_begin(&k);
        uint32_t from = 0;
        while (each && from < s.n) {
            uint32_t to = wr_utf8_skip(s, from, 1);
            put_text(&k, (struct wr_str){s.p + from, to - from}, with_null ? &none : NULL);
            from = to;
        }
        while (!each && s.n) {
            const char *p = sep.n ? memmem(s.p + from, s.n - from, sep.p, sep.n) : NULL;
            put_text(&k, (struct wr_str){s.p + from, p ? (uint32_t)(p - s.p) - from : s.n - from}, with_null ? &none : NULL);
            if (!p)
                break;
            from = (uint32_t)(p - s.p) + sep.n;
        }
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}

/* ---- conversions between nested types: member by member ---- */

static void cast_value(struct wr_eval *ev, const struct wr_value *from, struct wr_type to, uint32_t row, struct wr_value *out)
{
    *out = (struct wr_value){.type = to, .null = true};
    const struct wr_func *fn = from->null ? NULL : wr_func_cast(from->type, to);
    if (from->null)
        return;
    if (!fn) {
        wr_eval_bad(ev, row, WR_R_CAST, "the members cannot be converted");
        return;
    }
    struct wr_value x = *from;
    if (fn->flags & WR_F_RELABEL) {
        *out = x;
        out->type = to;
        return;
    }
    /* The member's kernel runs over a batch of one; what it marks bad is this row. */
    struct wr_eval one = {.mem = ev->mem, .rows = 1, .now_us = ev->now_us, .off = ev->off};
    struct wr_vec arg = {.type = x.type, .constant = true, .data = &x.as}, res;
    const struct wr_call c = {.fn = fn, .arg = &arg, .n_arg = 1};
    wr_vec_init(&res, to, 1, ev->mem);
    fn->kernel(&one, &c, &res, NULL, 1);
    if (one.n_bad)
        wr_eval_bad(ev, row, one.list[0].reason, "%.*s", WR_FMT(one.list[0].msg));
    else
        *out = wr_vec_get(&res, 0);
    out->type = to;
    wr_eval_clear(&one);
}

WR_KERNEL(k_cast)
{
    struct make k = {0};
    WR_ROWS(row) {
        struct wr_nested_iter it;
        struct wr_value v, to;
        make_begin(&k);
        open_array(ev, c, 0, row, &it);
        for (int i = 0; wr_nested_next(&it, &v); i++) {
            cast_value(ev, &v, out->type.sub->field[out->type.id == WR_T_ROW ? i : 0].type, row, &to);
            wr_nested_put(&k.m, &to);
        }
        make_end(&k, ev, out, row);
    }
    wr_buf_clear(&k.buf);
}
const struct wr_func wr_func_nested_cast = {"cast", "*:?", k_cast, WR_F_HIDDEN, NULL, NULL, ""};

/* ---- types ---- */

static bool ret_array(struct wr_arena *mem, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, struct wr_type *out,
                      struct wr_error *err WR_UNUSED)
{
    *out = wr_type_array(mem, n == 0 || arg[0]->type.id == WR_T_NULL ? WR_TYPE_OF(TEXT) : arg[0]->type);
    return true;
}
static bool ret_texts(struct wr_arena *mem, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg WR_UNUSED, int n WR_UNUSED, struct wr_type *out,
                      struct wr_error *err WR_UNUSED)
{
    *out = wr_type_array(mem, WR_TYPE_OF(TEXT));
    return true;
}
static bool ret_row(struct wr_arena *mem, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, struct wr_type *out,
                    struct wr_error *err WR_UNUSED)
{
    struct wr_schema *s = wr_schema_new(mem, n);
    for (int i = 0; i < n; i++) {
        s->field[i].name = wr_arena_printf(mem, "f%d", i + 1);
        s->field[i].type = arg[i]->type.id == WR_T_NULL ? WR_TYPE_OF(TEXT) : arg[i]->type;
        s->field[i].nullable = arg[i]->nullable;
    }
    *out = (struct wr_type){.id = WR_T_ROW, .sub = s};
    return true;
}
static bool ret_field(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out,
                      struct wr_error *err)
{
    if (arg[1]->kind != WR_X_CONST || arg[1]->u.val.null || arg[1]->u.val.as.i < 0 || arg[1]->u.val.as.i >= arg[0]->type.sub->n) {
        wr_fail_at(err, WR_ESQL, arg[1]->off, "the row has no such field");
        return false;
    }
    *out = arg[0]->type.sub->field[arg[1]->u.val.as.i].type;
    return true;
}

#define N WR_F_NULLS
#define M WR_F_MAYNULL
static const struct wr_func list[] = {
    {"array", ":?", k_make, N | WR_F_NEVERNULL | WR_F_HIDDEN, ret_array, NULL, ""},
    {"array", "=...:?", k_make, N | WR_F_NEVERNULL | WR_F_HIDDEN, ret_array, NULL, ""},
    {"row", "*...:?", k_make, N | WR_F_NEVERNULL | WR_F_HIDDEN, ret_row, NULL, ""},
    {"subscript", "al:e", k_subscript, M | WR_F_HIDDEN, NULL, NULL, ""},
    {"slice", "all:a", k_slice, WR_F_HIDDEN, NULL, NULL, ""},
    {"field", "rl:?", k_field, M | WR_F_HIDDEN, ret_field, NULL, ""},
    {"element_at", "al:e", k_element_at, M, NULL, NULL, "element_at(array, n): its n-th element, from 1; n < 0 from the end; NULL if there is none"},
    {"cardinality", "a:i", k_cardinality, 0, NULL, NULL, "cardinality(array): number of elements"},
    {"array_size", "a:i", k_cardinality, 0, NULL, NULL, "array_size(array): number of elements"},
    {"array_length", "a:i", k_length, M, NULL, NULL, "array_length(array [, dimension]): number of elements; NULL for none"},
    {"array_length", "al:i", k_length, M, NULL, NULL, "array_length(array, dimension): number of elements; NULL for none"},
    {"array_upper", "al:i", k_length, M, NULL, NULL, "array_upper(array, dimension): number of elements; NULL for none"},
    {"array_append", "ae:a", k_append, N, NULL, NULL, "array_append(array, x): with one more element"},
    {"array_prepend", "ea:a", k_prepend, N, NULL, NULL, "array_prepend(x, array): with one more element at the start"},
    {"array_cat", "aa:a", k_cat, N, NULL, NULL, "array_cat(array, array): one behind the other"},
    {"array_concat", "aa:a", k_cat, N, NULL, NULL, "array_concat(array, array): one behind the other"},
    {"||", "aa:a", k_cat, N, NULL, NULL, "array || array: one behind the other"},
    {"||", "ae:a", k_append, N, NULL, NULL, "array || x: with one more element"},
    {"||", "ea:a", k_prepend, N, NULL, NULL, "x || array: with one more element at the start"},
    {"array_remove", "ae:a", k_remove, N, NULL, NULL, "array_remove(array, x): without the elements equal to x"},
    {"array_replace", "aee:a", k_remove, N, NULL, NULL, "array_replace(array, x, y): elements equal to x become y"},
    {"array_position", "ae:i", k_position, N, NULL, NULL, "array_position(array, x): where x is, from 1; NULL: nowhere"},
    {"array_contains", "ae:b", k_contains, 0, NULL, NULL, "array_contains(array, x): is x among its elements"},
    {"array_max", "a:e", k_max, M, NULL, NULL, "array_max(array): largest element; NULLs are passed over"},
    {"array_min", "a:e", k_min, M, NULL, NULL, "array_min(array): smallest element; NULLs are passed over"},
    {"array_sort", "a:a", k_sort, 0, NULL, NULL, "array_sort(array): in order, NULLs last"},
    {"array_distinct", "a:a", k_distinct, 0, NULL, NULL, "array_distinct(array): each element once, in order"},
    {"array_reverse", "a:a", k_reverse, 0, NULL, NULL, "array_reverse(array): last element first"},
    {"array_to_string", "at:t", k_to_string, N, NULL, NULL, "array_to_string(array, separator [, null]): its elements joined; NULLs left out, or the third text"},
    {"array_to_string", "att:t", k_to_string, N, NULL, NULL, "array_to_string(array, separator, null)"},
    {"array_join", "at:t", k_to_string, N, NULL, NULL, "array_join(array, separator [, null]): as array_to_string"},
    {"array_join", "att:t", k_to_string, N, NULL, NULL, "array_join(array, separator, null)"},
    {"string_to_array", "tt:?", k_from_string, N, ret_texts, NULL, "string_to_array(text, separator [, null]): its fields; what equals the third text is NULL"},
    {"string_to_array", "ttt:?", k_from_string, N, ret_texts, NULL, "string_to_array(text, separator, null)"},
};
WR_FUNC_TABLE(wr_funcs_nested, list);

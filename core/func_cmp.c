/* func_cmp.c: comparisons, tests for NULL and truth, IN, GREATEST, LEAST, NULLIF.
 * Rules:  one order for each type, that of ORDER BY: NaN equals NaN and is greater than every number, text by bytes, intervals with
 *         days of 24 hours and months of 30 days. DECIMALs of different scale are compared exactly.
 *         > and >= are < and <= with their arguments exchanged, so only four loops a physical form exist. */
#include "core/decimal.h"
#include "core/key.h"
#include "core/kernel.h"
#include "core/needle.h"
#include "core/time.h"

enum cmp { CMP_EQ, CMP_NE, CMP_LT, CMP_LE };

/* ---- loops: val[row] = x op y, and pick = rows where x op y ---- */

#define EQ_F64(x, y) ((x) == (y) || ((x) != (x) && (y) != (y)))
#define LT_F64(x, y) (((x) < (y)) | (((x) == (x)) & ((y) != (y))))
#define LE_F64(x, y) (((x) <= (y)) | ((y) != (y)))
#define CMP_LOOPS(name, T, expr)                                                                                                     \
    WR_INLINE void name##_val(const void *a, bool ca, const void *b, bool cb, uint8_t *val, const uint32_t *sel, uint32_t n)         \
    {                                                                                                                                \
        const T *pa = a, *pb = b;                                                                                                    \
        for (uint32_t k = 0; k < n; k++) {                                                                                           \
            uint32_t row = sel ? sel[k] : k;                                                                                         \
            T x = pa[ca ? 0 : row], y = pb[cb ? 0 : row];                                                                            \
            val[row] = (uint8_t)(expr);                                                                                              \
        }                                                                                                                            \
    }                                                                                                                                \
    WR_INLINE void name##_pick(const void *a, bool ca, const void *b, bool cb, uint32_t *pick, uint32_t *n_pick, const uint32_t *sel, \
                               uint32_t n)                                                                                           \
    {                                                                                                                                \
        const T *pa = a, *pb = b;                                                                                                    \
        uint32_t m = 0;                                                                                                              \
        for (uint32_t k = 0; k < n; k++) {                                                                                           \
            uint32_t row = sel ? sel[k] : k;                                                                                         \
            T x = pa[ca ? 0 : row], y = pb[cb ? 0 : row];                                                                            \
            pick[m] = row;                                                                                                           \
            m += (uint32_t)(expr);                                                                                                   \
        }                                                                                                                            \
        *n_pick = m;                                                                                                                 \
    }
CMP_LOOPS(eq_i64, int64_t, x == y)
CMP_LOOPS(ne_i64, int64_t, x != y)
CMP_LOOPS(lt_i64, int64_t, x < y)
CMP_LOOPS(le_i64, int64_t, x <= y)
CMP_LOOPS(eq_f64, double, EQ_F64(x, y))
CMP_LOOPS(ne_f64, double, !EQ_F64(x, y))
CMP_LOOPS(lt_f64, double, LT_F64(x, y))
CMP_LOOPS(le_f64, double, LE_F64(x, y))
CMP_LOOPS(eq_i128, wr_i128, x == y)
CMP_LOOPS(ne_i128, wr_i128, x != y)
CMP_LOOPS(lt_i128, wr_i128, x < y)
CMP_LOOPS(le_i128, wr_i128, x <= y)
CMP_LOOPS(eq_str, struct wr_str, wr_str_eq(x, y))
CMP_LOOPS(ne_str, struct wr_str, !wr_str_eq(x, y))
CMP_LOOPS(lt_str, struct wr_str, wr_str_cmp(x, y) < 0)
CMP_LOOPS(le_str, struct wr_str, wr_str_cmp(x, y) <= 0)

#define CMP_SWITCH(form, kind, op, a, b, ...)                               \
    switch (op) {                                                           \
    case CMP_EQ: WR_LOOP_2(eq_##form##_##kind, a, b, __VA_ARGS__); break;   \
    case CMP_NE: WR_LOOP_2(ne_##form##_##kind, a, b, __VA_ARGS__); break;   \
    case CMP_LT: WR_LOOP_2(lt_##form##_##kind, a, b, __VA_ARGS__); break;   \
    case CMP_LE: WR_LOOP_2(le_##form##_##kind, a, b, __VA_ARGS__); break;   \
    }

static bool holds(enum cmp op, int c)
{
    switch (op) {
    case CMP_EQ: return c == 0;
    case CMP_NE: return c != 0;
    case CMP_LT: return c < 0;
    case CMP_LE: return c <= 0;
    }
    return false;
}

/* A column of text = or <> a constant. */
static bool is_needle(enum cmp op, const struct wr_vec *a, const struct wr_vec *b, struct wr_needle *w, const struct wr_str **s)
{
    if (a->constant == b->constant || (op != CMP_EQ && op != CMP_NE))
        return false;
    const struct wr_vec *one = a->constant ? a : b;
    *w = (struct wr_needle){.what = WR_VEC_STR(one)[0], .exact = true, .negate = op == CMP_NE};
    *s = WR_VEC_STR(a->constant ? b : a);
    return true;
}

/* Forms that have loops of their own; text in its byte order. */
static bool has_loops(const struct wr_vec *v)
{
    switch (wr_type_phys(v->type.id)) {
    case WR_P_I64: case WR_P_F64: case WR_P_I128: return true;
    case WR_P_STR: return v->type.id == WR_T_TEXT || v->type.id == WR_T_BYTES;
    case WR_P_I8: case WR_P_IVL: return false;
    }
    return false;
}

static void cmp_val(enum cmp op, const struct wr_vec *a, const struct wr_vec *b, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    uint8_t *val = WR_VEC_I8(out);
    struct wr_needle w;
    const struct wr_str *s;
    if (!has_loops(a)) {
        WR_ROWS(row) val[row] = holds(op, wr_vec_cmp(a, wr_vec_at(a, row), b, wr_vec_at(b, row)));
        return;
    }
    switch (wr_type_phys(a->type.id)) {
    case WR_P_I64: CMP_SWITCH(i64, val, op, a, b, val) break;
    case WR_P_F64: CMP_SWITCH(f64, val, op, a, b, val) break;
    case WR_P_I128: CMP_SWITCH(i128, val, op, a, b, val) break;
    case WR_P_STR:
        if (is_needle(op, a, b, &w, &s))
            wr_needle_val(&w, s, val, sel, n);
        else
            CMP_SWITCH(str, val, op, a, b, val)
        break;
    case WR_P_I8: case WR_P_IVL: break;
    }
}

static void cmp_pick(enum cmp op, const struct wr_vec *a, const struct wr_vec *b, const uint32_t *sel, uint32_t n, uint32_t *pick, uint32_t *n_pick)
{
    struct wr_needle w;
    const struct wr_str *s;
    switch (wr_type_phys(a->type.id)) {
    case WR_P_I64: CMP_SWITCH(i64, pick, op, a, b, pick, n_pick) break;
    case WR_P_F64: CMP_SWITCH(f64, pick, op, a, b, pick, n_pick) break;
    case WR_P_I128: CMP_SWITCH(i128, pick, op, a, b, pick, n_pick) break;
    case WR_P_STR:
        if (is_needle(op, a, b, &w, &s))
            *n_pick = wr_needle_pick(&w, s, pick, sel, n);
        else
            CMP_SWITCH(str, pick, op, a, b, pick, n_pick)
        break;
    case WR_P_I8: case WR_P_IVL: break;
    }
}

/* ---- DECIMALs of different scale ---- */

/* Sign of x/10^sx - y/10^sy, exact: whole parts first, then what is behind the point brought to one scale (always below 10^38). */
static int cmp_dec(wr_i128 x, int sx, wr_i128 y, int sy)
{
    wr_i128 wx = x / wr_pow10[sx], wy = y / wr_pow10[sy];
    if (wx != wy)
        return wx < wy ? -1 : 1;
    wr_i128 fx = x % wr_pow10[sx], fy = y % wr_pow10[sy];
    if (sx < sy)
        fx *= wr_pow10[sy - sx];
    else
        fy *= wr_pow10[sx - sy];
    return fx < fy ? -1 : fx > fy;
}

/* A constant of another scale, brought to the column's where that loses nothing: then the plain loops serve. */
static bool const_to_scale(const struct wr_vec *v, int scale, struct wr_vec *to, wr_i128 *room)
{
    wr_i128 back;
    if (!v->constant || !wr_dec_rescale(WR_VEC_I128(v)[0], v->type.scale, scale, room))
        return false;
    if (!wr_dec_rescale(*room, scale, v->type.scale, &back) || back != WR_VEC_I128(v)[0])
        return false;
    *to = *v;
    to->data = room;
    return true;
}

/* True if a and b can be compared as they lie; may point them at values brought to one scale in room. */
static bool same_scale(const struct wr_vec **a, const struct wr_vec **b, struct wr_vec *tmp, wr_i128 *room)
{
    if ((*a)->type.id != WR_T_DECIMAL || (*a)->type.scale == (*b)->type.scale)
        return true;
    if (const_to_scale(*a, (*b)->type.scale, tmp, room))
        *a = tmp;
    else if (const_to_scale(*b, (*a)->type.scale, tmp, room))
        *b = tmp;
    else
        return false;
    return true;
}

static void compare(enum cmp op, const struct wr_vec *a, const struct wr_vec *b, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    struct wr_vec tmp;
    wr_i128 room;
    if (same_scale(&a, &b, &tmp, &room)) {
        cmp_val(op, a, b, out, sel, n);
        return;
    }
    int sa = a->type.scale, sb = b->type.scale;
    WR_ROWS(row)
        WR_VEC_I8(out)[row] = holds(op, cmp_dec(WR_VEC_I128(a)[wr_vec_at(a, row)], sa, WR_VEC_I128(b)[wr_vec_at(b, row)], sb));
}

WR_KERNEL(k_eq) { compare(CMP_EQ, &c->arg[0], &c->arg[1], out, sel, n); }
WR_KERNEL(k_ne) { compare(CMP_NE, &c->arg[0], &c->arg[1], out, sel, n); }
WR_KERNEL(k_lt) { compare(CMP_LT, &c->arg[0], &c->arg[1], out, sel, n); }
WR_KERNEL(k_le) { compare(CMP_LE, &c->arg[0], &c->arg[1], out, sel, n); }
WR_KERNEL(k_gt) { compare(CMP_LT, &c->arg[1], &c->arg[0], out, sel, n); }
WR_KERNEL(k_ge) { compare(CMP_LE, &c->arg[1], &c->arg[0], out, sel, n); }

static const struct { wr_kernel kernel; enum cmp op; bool swap; } comparisons[] = {
    {k_eq, CMP_EQ, false}, {k_ne, CMP_NE, false}, {k_lt, CMP_LT, false}, {k_le, CMP_LE, false}, {k_gt, CMP_LT, true}, {k_ge, CMP_LE, true},
};

bool wr_cmp_pick(const struct wr_call *c, const uint32_t *sel, uint32_t n, uint32_t *pick, uint32_t *n_pick)
{
    for (size_t i = 0; i < sizeof(comparisons) / sizeof(comparisons[0]); i++) {
        if (comparisons[i].kernel != c->fn->kernel)
            continue;
        const struct wr_vec *a = &c->arg[comparisons[i].swap], *b = &c->arg[!comparisons[i].swap];
        struct wr_vec tmp;
        wr_i128 room;
        if (!has_loops(a) || !same_scale(&a, &b, &tmp, &room))
            return false;
        cmp_pick(comparisons[i].op, a, b, sel, n, pick, n_pick);
        return true;
    }
    return false;
}

/* ---- NULL and truth ---- */

static void test_null(const struct wr_vec *v, bool want, uint8_t *val, const uint32_t *sel, uint32_t n)
{
    if (!v->nulls || v->constant) {
        uint8_t same = (v->nulls && v->nulls[0]) == want;
        WR_ROWS(row) val[row] = same;
    } else {
        WR_ROWS(row) val[row] = (v->nulls[row] != 0) == want;
    }
}
WR_KERNEL(k_is_null) { test_null(&c->arg[0], true, WR_VEC_I8(out), sel, n); }
WR_KERNEL(k_is_not_null) { test_null(&c->arg[0], false, WR_VEC_I8(out), sel, n); }

/* (is not NULL and equals `truth`) == want */
static void test_truth(const struct wr_call *c, bool truth, bool want, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        bool is = !WR_ARG_NULL(0, row) && (WR_ARG_B(0, row) != 0) == truth;
        WR_VEC_I8(out)[row] = is == want;
    }
}
WR_KERNEL(k_is_true) { test_truth(c, true, true, out, sel, n); }
WR_KERNEL(k_is_not_true) { test_truth(c, true, false, out, sel, n); }
WR_KERNEL(k_is_false) { test_truth(c, false, true, out, sel, n); }
WR_KERNEL(k_is_not_false) { test_truth(c, false, false, out, sel, n); }
WR_KERNEL(k_not)
{
    const uint8_t *b = WR_VEC_I8(&c->arg[0]);
    WR_ROWS(row) WR_VEC_I8(out)[row] = !b[WR_AT(0, row)];
}

static void distinct(const struct wr_call *c, bool want, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    const struct wr_vec *a = &c->arg[0], *b = &c->arg[1];
    WR_ROWS(row) {
        bool na = wr_vec_null(a, row), nb = wr_vec_null(b, row);
        bool differ = na != nb || (!na && wr_vec_cmp(a, wr_vec_at(a, row), b, wr_vec_at(b, row)) != 0);
        WR_VEC_I8(out)[row] = differ == want;
    }
}
WR_KERNEL(k_is_distinct) { distinct(c, true, out, sel, n); }
WR_KERNEL(k_is_not_distinct) { distinct(c, false, out, sel, n); }

/* ---- IN ---- */

/* Constant items in an open-addressed table; made at bind, read-only after. */
struct in_set {
    struct wr_type type;
    bool has_null;         /* an item is NULL: a value not found gives NULL */
    uint32_t n;            /* items, without NULL */
    uint32_t mask;         /* slots - 1 */
    uint32_t *slot;        /* index of an item + 1; 0: free */
    struct wr_vec item;
};

static uint64_t hash_of(const struct wr_vec *v, uint32_t at)
{
    double d;
    switch (wr_type_phys(v->type.id)) {
    case WR_P_I8: return (uint64_t)WR_VEC_I8(v)[at] * 0x9E3779B97F4A7C15u;
    case WR_P_I64: {
        uint64_t h = (uint64_t)WR_VEC_I64(v)[at] * 0x9E3779B97F4A7C15u;
        return h ^ h >> 32;
    }
    case WR_P_F64:
        d = WR_VEC_F64(v)[at];
        d = d != d ? __builtin_nan("") : d == 0 ? 0 : d;
        return wr_hash_bytes(&d, sizeof d, 0);
    case WR_P_I128: return wr_hash_bytes(&WR_VEC_I128(v)[at], sizeof(wr_i128), 0);
    case WR_P_STR: return wr_hash_bytes(WR_VEC_STR(v)[at].p, WR_VEC_STR(v)[at].n, 0);
    case WR_P_IVL: return 0; /* equal intervals may lie differently: few items, all in one chain */
    }
    return 0;
}

static bool set_has(const struct in_set *s, const struct wr_vec *v, uint32_t at)
{
    for (uint32_t h = (uint32_t)hash_of(v, at) & s->mask; s->slot[h]; h = (h + 1) & s->mask)
        if (wr_vec_cmp(v, at, &s->item, s->slot[h] - 1) == 0)
            return true;
    return false;
}

static wr_status in_bind(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, const void **data,
                         struct wr_error *err WR_UNUSED)
{
    for (int i = 1; i < n; i++)
        if (arg[i]->kind != WR_X_CONST)
            return WR_OK;
    struct in_set *s = WR_NEW(a, struct in_set);
    s->type = arg[0]->type;
    uint32_t slots = 4;
    while (slots < (uint32_t)n * 2)
        slots *= 2;
    s->mask = slots - 1;
    s->slot = WR_NEW_N(a, uint32_t, slots);
    wr_vec_init(&s->item, s->type, (uint32_t)n, a);
    for (int i = 1; i < n; i++) {
        if (arg[i]->u.val.null) {
            s->has_null = true;
            continue;
        }
        wr_vec_set(&s->item, s->n, &arg[i]->u.val, (uint32_t)n, a);
        if (set_has(s, &s->item, s->n))
            continue;
        uint32_t h = (uint32_t)hash_of(&s->item, s->n) & s->mask;
        while (s->slot[h])
            h = (h + 1) & s->mask;
        s->slot[h] = ++s->n;
    }
    *data = s;
    return WR_OK;
}

/* 1: x is among the items, 0: not, -1: NULL. Items that are not constant. */
static int in_row(const struct wr_call *c, uint32_t row)
{
    bool null = false;
    for (int i = 1; i < c->n_arg; i++) {
        if (WR_ARG_NULL(i, row))
            null = true;
        else if (wr_vec_cmp(&c->arg[0], WR_AT(0, row), &c->arg[i], WR_AT(i, row)) == 0)
            return 1;
    }
    return null ? -1 : 0;
}

/* A few whole numbers, no NULL in sight: one look at each item, without branches. */
enum { FEW = 8 };
static void in_few(const struct in_set *s, const struct wr_vec *v, uint8_t *val, const uint32_t *sel, uint32_t n)
{
    const int64_t *item = WR_VEC_I64(&s->item), *x = WR_VEC_I64(v);
    WR_ROWS(row) {
        bool found = false;
        for (uint32_t i = 0; i < s->n; i++)
            found |= x[row] == item[i];
        val[row] = found;
    }
}

WR_KERNEL(k_in)
{
    const struct in_set *s = c->data;
    const struct wr_vec *v = &c->arg[0];
    uint8_t *val = WR_VEC_I8(out);
    if (s && s->n <= FEW && !s->has_null && !v->nulls && !v->constant && wr_type_phys(v->type.id) == WR_P_I64) {
        in_few(s, v, val, sel, n);
        return;
    }
    WR_ROWS(row) {
        if (wr_vec_null(v, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        int found = s ? (set_has(s, v, wr_vec_at(v, row)) ? 1 : s->has_null ? -1 : 0) : in_row(c, row);
        if (found < 0)
            wr_out_null(ev, out, row);
        else
            val[row] = (uint8_t)found;
    }
}

/* ---- GREATEST, LEAST, NULLIF ---- */

static void extreme(struct wr_eval *ev, const struct wr_call *c, int sign, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        int best = -1;
        for (int i = 0; i < c->n_arg; i++) {
            if (WR_ARG_NULL(i, row))
                continue;
            if (best < 0 || wr_vec_cmp(&c->arg[i], WR_AT(i, row), &c->arg[best], WR_AT(best, row)) * sign > 0)
                best = i;
        }
        if (best < 0)
            wr_out_null(ev, out, row);
        else
            wr_vec_copy(out, row, &c->arg[best], row);
    }
}
WR_KERNEL(k_greatest) { extreme(ev, c, 1, out, sel, n); }
WR_KERNEL(k_least) { extreme(ev, c, -1, out, sel, n); }

WR_KERNEL(k_nullif)
{
    const struct wr_vec *a = &c->arg[0], *b = &c->arg[1];
    WR_ROWS(row) {
        bool na = wr_vec_null(a, row), nb = wr_vec_null(b, row);
        if (na || (!nb && wr_vec_cmp(a, wr_vec_at(a, row), b, wr_vec_at(b, row)) == 0))
            wr_out_null(ev, out, row);
        else
            wr_vec_copy(out, row, a, row);
    }
}

/* JSON has many spellings of one value: comparing the text would be wrong. */
static bool comparable(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn, struct wr_expr *const *arg, int n, struct wr_type *out, struct wr_error *err)
{
    for (int i = 0; i < n; i++)
        if (arg[i]->type.id == WR_T_JSON) {
            wr_fail_at(err, WR_ESQL, arg[i]->off, "JSON values cannot be compared (%s)", fn->name);
            wr_hint(err, "compare a part of it: ->> gives text, or CAST it");
            return false;
        }
    *out = fn->kernel == k_greatest || fn->kernel == k_least || fn->kernel == k_nullif ? arg[0]->type : WR_TYPE_OF(BOOL);
    if (out->id == WR_T_TEXT)
        out->len = 0;
    return true;
}

#define COMPARISON(sign, kernel, text) \
    {sign, "nn:b", kernel, WR_F_TOTAL, NULL, NULL, text}, {sign, "==:b", kernel, 0, comparable, NULL, text}
#define TEST(name, sig, kernel) {name, sig, kernel, WR_F_NULLS | WR_F_NEVERNULL | WR_F_HIDDEN, NULL, NULL, ""}

static const struct wr_func list[] = {
    COMPARISON("=", k_eq, "a = b: equal"),
    COMPARISON("<>", k_ne, "a <> b: not equal"),
    COMPARISON("<", k_lt, "a < b: less"),
    COMPARISON("<=", k_le, "a <= b: less or equal"),
    COMPARISON(">", k_gt, "a > b: greater"),
    COMPARISON(">=", k_ge, "a >= b: greater or equal"),
    TEST("is_null", "*:b", k_is_null),
    TEST("is_not_null", "*:b", k_is_not_null),
    TEST("is_true", "b:b", k_is_true),
    TEST("is_not_true", "b:b", k_is_not_true),
    TEST("is_false", "b:b", k_is_false),
    TEST("is_not_false", "b:b", k_is_not_false),
    TEST("is_unknown", "b:b", k_is_null),
    TEST("is_not_unknown", "b:b", k_is_not_null),
    {"is_distinct", "==:b", k_is_distinct, WR_F_NULLS | WR_F_NEVERNULL | WR_F_HIDDEN, comparable, NULL, ""},
    {"is_not_distinct", "==:b", k_is_not_distinct, WR_F_NULLS | WR_F_NEVERNULL | WR_F_HIDDEN, comparable, NULL, ""},
    {"not", "b:b", k_not, WR_F_TOTAL | WR_F_HIDDEN, NULL, NULL, ""},
    {"in", "==...:b", k_in, WR_F_NULLS | WR_F_HIDDEN, comparable, in_bind, ""},
    {"greatest", "=...:?", k_greatest, WR_F_NULLS, comparable, NULL, "greatest(a, b, ...): the largest; NULLs are passed over"},
    {"least", "=...:?", k_least, WR_F_NULLS, comparable, NULL, "least(a, b, ...): the smallest; NULLs are passed over"},
    {"nullif", "==:?", k_nullif, WR_F_NULLS, comparable, NULL, "nullif(a, b): NULL where a = b, else a"},
};
WR_FUNC_TABLE(wr_funcs_cmp, list);

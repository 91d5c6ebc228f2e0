/* agg_impl.h: what the agg_*.c files share: the list of all aggregates, row loops, owned values, double-double sums.
 *
 * Rules:  an aggregate's bind checks types and picks a variant, a wr_agg of its own per physical form, so that no row asks for its type.
 *         A row's sign is +1 (add) or -1 (take back); variants for append-only input do not look at it.
 *         Saved bytes begin with a version; a load that fails owns nothing.
 * Sums of DOUBLE are kept as an unevaluated sum of two doubles (about 106 bits), so that order of addition and retractions do not show;
 * this needs strict IEEE arithmetic: never compile with -ffast-math. */
#ifndef WR_CORE_AGG_IMPL_H
#define WR_CORE_AGG_IMPL_H

#include <math.h>

#include "core/agg.h"
#include "core/key.h"
#include "core/omap.h"
#include "core/multiset.h"

/* One table a file. */
struct wr_agg_table {
    const struct wr_agg *agg;
    int n;
};
#define WR_AGG_TABLE(name, list) const struct wr_agg_table name = {list, (int)(sizeof(list) / sizeof(list[0]))}
extern const struct wr_agg_table wr_aggs_num, wr_aggs_stat, wr_aggs_minmax, wr_aggs_pick, wr_aggs_list, wr_aggs_percentile, wr_aggs_approx;

#define WR_AGG_INLINE static inline __attribute__((always_inline))

static inline uint32_t wr_agg_row(const uint32_t *sel, uint32_t k) { return sel ? sel[k] : k; }
static inline int64_t wr_agg_sign(const struct wr_batch *in, uint32_t row) { return in->op && wr_op_is_retract(in->op[row]) ? -1 : 1; }
static inline const struct wr_vec *wr_agg_arg(const struct wr_aggcall *c, const struct wr_batch *in, int i) { return &in->col[c->arg[i]]; }
static inline enum wr_phys wr_agg_phys(const struct wr_aggcall *c, int i) { return wr_type_phys((enum wr_tid)c->arg_type[i].id); }

/* Defines NAME_add and NAME_add_run from one always-inline step(c, T *state, const void *data, uint32_t at, int64_t sign), called for each
 * row whose argument is not NULL. The common case (no NULLs, no ops, not constant) has loops of its own; add_run works on a copy of the
 * state, which the compiler keeps in registers. */
#define WR_AGG_KERNEL(NAME, T, step)                                                                                                       \
    static void NAME##_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)     \
    {                                                                                                                                      \
        const struct wr_vec *v = wr_agg_arg(c, in, 0);                                                                                     \
        const void *data = v->data;                                                                                                        \
        uint32_t off = c->offset;                                                                                                          \
        if (!v->nulls && !in->op && !v->constant) {                                                                                        \
            if (sel)                                                                                                                       \
                for (uint32_t k = 0; k < n; k++)                                                                                           \
                    step(c, (T *)(void *)(group[k] + off), data, sel[k], 1);                                                               \
            else                                                                                                                           \
                for (uint32_t k = 0; k < n; k++)                                                                                           \
                    step(c, (T *)(void *)(group[k] + off), data, k, 1);                                                                    \
            return;                                                                                                                        \
        }                                                                                                                                  \
        for (uint32_t k = 0; k < n; k++) {                                                                                                 \
            uint32_t row = wr_agg_row(sel, k);                                                                                             \
            if (!wr_vec_null(v, row))                                                                                                      \
                step(c, (T *)(void *)(group[k] + off), data, wr_vec_at(v, row), wr_agg_sign(in, row));                                     \
        }                                                                                                                                  \
    }                                                                                                                                      \
    static void NAME##_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)        \
    {                                                                                                                                      \
        const struct wr_vec *v = wr_agg_arg(c, in, 0);                                                                                     \
        const void *data = v->data;                                                                                                        \
        T s = *(T *)state;                                                                                                                 \
        if (!v->nulls && !in->op && !v->constant) {                                                                                        \
            if (sel)                                                                                                                       \
                for (uint32_t k = 0; k < n; k++)                                                                                           \
                    step(c, &s, data, sel[k], 1);                                                                                          \
            else                                                                                                                           \
                for (uint32_t k = 0; k < n; k++)                                                                                           \
                    step(c, &s, data, k, 1);                                                                                               \
        } else {                                                                                                                           \
            for (uint32_t k = 0; k < n; k++) {                                                                                             \
                uint32_t row = wr_agg_row(sel, k);                                                                                         \
                if (!wr_vec_null(v, row))                                                                                                  \
                    step(c, &s, data, wr_vec_at(v, row), wr_agg_sign(in, row));                                                            \
            }                                                                                                                              \
        }                                                                                                                                  \
        *(T *)state = s;                                                                                                                   \
    }

/* The same for aggregates that look at more than one column or encode keys: step(c, T *state, in, row) for every row. */
#define WR_AGG_ROWS(NAME, T, step)                                                                                                         \
    static void NAME##_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)     \
    {                                                                                                                                      \
        for (uint32_t k = 0; k < n; k++)                                                                                                   \
            step(c, (T *)(void *)(group[k] + c->offset), in, wr_agg_row(sel, k));                                                          \
    }                                                                                                                                      \
    static void NAME##_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)        \
    {                                                                                                                                      \
        for (uint32_t k = 0; k < n; k++)                                                                                                   \
            step(c, (T *)state, in, wr_agg_row(sel, k));                                                                                   \
    }

/* ---- double-double: the value is hi + lo, |lo| <= half an ulp of hi */
struct wr_dd {
    double hi, lo;
};

WR_AGG_INLINE struct wr_dd wr_dd_quick(double a, double b) /* |a| >= |b| or a == 0 */
{
    double s = a + b;
    return (struct wr_dd){s, b - (s - a)};
}
WR_AGG_INLINE struct wr_dd wr_dd_two(double a, double b) /* a + b exactly */
{
    double s = a + b, t = s - a;
    return (struct wr_dd){s, (a - (s - t)) + (b - t)};
}
WR_AGG_INLINE struct wr_dd wr_dd_plus(struct wr_dd a, double x)
{
    struct wr_dd s = wr_dd_two(a.hi, x);
    return wr_dd_quick(s.hi, s.lo + a.lo);
}
static inline struct wr_dd wr_dd_add(struct wr_dd a, struct wr_dd b)
{
    struct wr_dd s = wr_dd_two(a.hi, b.hi), t = wr_dd_two(a.lo, b.lo);
    s = wr_dd_quick(s.hi, s.lo + t.hi);
    return wr_dd_quick(s.hi, s.lo + t.lo);
}
static inline struct wr_dd wr_dd_neg(struct wr_dd a) { return (struct wr_dd){-a.hi, -a.lo}; }
static inline struct wr_dd wr_dd_mul(struct wr_dd a, struct wr_dd b)
{
    double p = a.hi * b.hi;
    return wr_dd_quick(p, fma(a.hi, b.hi, -p) + (a.hi * b.lo + a.lo * b.hi));
}
static inline struct wr_dd wr_dd_div(struct wr_dd a, double d)
{
    double q = a.hi / d;
    return wr_dd_quick(q, (fma(-q, d, a.hi) + a.lo) / d);
}
/* ---- saved pieces */
enum { WR_AGG_V1 = 1 }; /* version of all states so far */
static inline bool wr_agg_take_version(struct wr_str *in)
{
    uint8_t v;
    return wr_take_u8(in, &v) && v == WR_AGG_V1;
}
void wr_agg_put_f64(struct wr_buf *out, double d);
bool wr_agg_take_f64(struct wr_str *in, double *d);
void wr_agg_put_i128(struct wr_buf *out, wr_i128 v);
bool wr_agg_take_i128(struct wr_str *in, wr_i128 *v);

/* ---- one owned value of a type (slot) */
struct wr_agg_slot {
    union {
        uint8_t b;
        int64_t i;
        double d;
        wr_i128 dec;
        struct wr_str s; /* p: ours, cap bytes */
        struct wr_interval iv;
    } v;
    uint32_t cap;
    bool has, null;      /* has: a row was taken; null: its value was NULL */
};
void wr_agg_slot_set(struct wr_agg_slot *s, const struct wr_vec *v, uint32_t row);
void wr_agg_slot_copy(struct wr_agg_slot *to, const struct wr_agg_slot *from, struct wr_type type);
void wr_agg_slot_drop(struct wr_agg_slot *s);
size_t wr_agg_slot_heap(const struct wr_agg_slot *s);
struct wr_vec wr_agg_slot_vec(const struct wr_agg_slot *s, struct wr_type type); /* a constant vector over it; borrowed; has must be true */
void wr_agg_slot_result(const struct wr_agg_slot *s, struct wr_vec *out, uint32_t row, struct wr_arena *mem); /* NULL if there is none */
void wr_agg_slot_save(const struct wr_agg_slot *s, struct wr_type type, struct wr_buf *out);
bool wr_agg_slot_load(struct wr_agg_slot *s, struct wr_type type, struct wr_str *in);

/* ---- results */
static inline bool wr_agg_null(struct wr_vec *out, uint32_t row)
{
    struct wr_agg_slot none = {.has = false};
    wr_agg_slot_result(&none, out, row, NULL);
    return true;
}
/* Writes the value that a key (one wr_key_put field) stands for; bytes that are none give NULL. */
void wr_agg_key_result(struct wr_str key, struct wr_type type, struct wr_vec *out, uint32_t row, struct wr_arena *mem);
void wr_agg_text_result(struct wr_vec *out, uint32_t row, struct wr_str s, struct wr_arena *mem); /* copies */

/* ---- bind: refusals. what: "a number", "BOOLEAN" */
wr_status wr_agg_refuse(const struct wr_aggcall *c, int i, const char *what, const char *hint, struct wr_error *err);
static inline wr_status wr_agg_variant(struct wr_aggcall *c, const struct wr_agg *fn, struct wr_type ret, size_t size)
{
    c->fn = fn;
    c->ret = ret;
    c->size = (uint32_t)((size + 7) & ~(size_t)7); /* an alignment of 16 shows in the size */
    return WR_OK;
}

/* ---- a multiset as state: shared vtable members. Keys are one wr_key_put field of arg[0] */
void wr_agg_bag_init(const struct wr_aggcall *c, void *state);
void wr_agg_bag_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
void wr_agg_bag_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
void wr_agg_bag_merge(const struct wr_aggcall *c, void *into, const void *from);
void wr_agg_bag_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out);
bool wr_agg_bag_load(const struct wr_aggcall *c, void *state, struct wr_str *in);
void wr_agg_bag_drop(const struct wr_aggcall *c, void *state);
size_t wr_agg_bag_heap(const struct wr_aggcall *c, const void *state);
#define WR_AGG_BAG                                                                                                                        \
    .init = wr_agg_bag_init, .add = wr_agg_bag_add, .add_run = wr_agg_bag_add_run, .merge = wr_agg_bag_merge, .save = wr_agg_bag_save,    \
    .load = wr_agg_bag_load, .drop = wr_agg_bag_drop, .heap = wr_agg_bag_heap

/* Appends the order key of a row: its ORDER BY columns, or the argument that stands for them. */
void wr_agg_order_put(const struct wr_aggcall *c, const struct wr_batch *in, uint32_t row, struct wr_buf *out);

/* ---- values in order (ORDER BY columns, then arrival), retractable: see agg_seq.c */
struct wr_agg_seq {
    struct wr_omap rows; /* order key, sequence number, value; number: 1 + length of the order key */
    struct wr_omap find; /* order key's length, order key, value, sequence number -> 1; a debt (taken back before it came): greatest
                            sequence number -> -times. Only kept when rows can be taken back */
    uint64_t next;       /* sequence number of the next row */
};
/* scratch: two buffers of the caller's. */
void wr_agg_seq_add(const struct wr_aggcall *c, struct wr_agg_seq *s, const struct wr_batch *in, uint32_t row, struct wr_buf *scratch);
void wr_agg_seq_merge(const struct wr_aggcall *c, struct wr_agg_seq *into, const struct wr_agg_seq *from);
void wr_agg_seq_clear(struct wr_agg_seq *s);
size_t wr_agg_seq_heap(const struct wr_agg_seq *s);
void wr_agg_seq_save(const struct wr_agg_seq *s, struct wr_buf *out);
bool wr_agg_seq_load(const struct wr_aggcall *c, struct wr_agg_seq *s, struct wr_str *in);
struct wr_str wr_agg_seq_value(struct wr_omap_it it); /* the value's part of an entry of rows: one wr_key_put field */

/* ---- DISTINCT (agg_distinct.c): state = multiset of values seen, then the aggregate's own state at this distance */
enum { WR_AGG_DISTINCT_HEAD = (sizeof(struct wr_multiset) + 15) & ~15 };
void wr_agg_distinct_add(const struct wr_aggcall *c, char *const *group, void *one, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
void wr_agg_distinct_merge(const struct wr_aggcall *c, void *into, const void *from);
/* The call as the aggregate itself sees it: no DISTINCT, its state behind the map. */
struct wr_aggcall wr_agg_inner(const struct wr_aggcall *c);

#endif

/* agg_minmax.c: min and max of every type that has an order.
 * Rules:  input that is only added to: the best value so far, one variant per physical form. Input that takes rows back: a bag of all values
 *         (core/omap.h). BOOLEAN has no min or max (as in PostgreSQL: bool_and, bool_or), JSON, ARRAY, ROW have no order.
 * Memory: text is owned by the slot, the bag by the state. */
#include "core/agg_impl.h"

static wr_status minmax_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status minmax_variant(struct wr_aggcall *c, bool max);

/* ---- one best value: v is meaningful when has */

struct best_i64 { int64_t has, v; };
struct best_f64 { int64_t has; double v; };
struct best_dec { wr_i128 v; int64_t has; };
struct best_ivl { struct wr_interval v; int64_t has; };

static inline wr_i128 ivl_us(const struct wr_interval *v)
{
    return ((wr_i128)v->months * 30 + v->days) * (wr_i128)86400000000 + v->us;
}

/* better: whether x replaces the best y */
#define LESS(x, y) ((x) < (y))
#define MORE(x, y) ((x) > (y))
#define LESS_F64(x, y) ((x) < (y) || ((y) != (y) && (x) == (x))) /* NaN is greatest */
#define MORE_F64(x, y) ((x) > (y) || ((x) != (x) && (y) == (y)))
#define LESS_IVL(x, y) (ivl_us(&(x)) < ivl_us(&(y)))
#define MORE_IVL(x, y) (ivl_us(&(x)) > ivl_us(&(y)))

#define BEST(NAME, T, value, better)                                                                                                 \
    WR_AGG_INLINE void NAME##_step(const struct wr_aggcall *c WR_UNUSED, struct T *s, const void *data, uint32_t at, int64_t sign WR_UNUSED) \
    {                                                                                                                                \
        value x = ((const value *)data)[at];                                                                                         \
        if (!s->has || better(x, s->v)) {                                                                                            \
            s->v = x;                                                                                                                \
            s->has = 1;                                                                                                              \
        }                                                                                                                            \
    }                                                                                                                                \
    WR_AGG_KERNEL(NAME, struct T, NAME##_step)                                                                                       \
    static void NAME##_merge(const struct wr_aggcall *c, void *into, const void *from)                                               \
    {                                                                                                                                \
        const struct T *f = from;                                                                                                    \
        if (f->has)                                                                                                                  \
            NAME##_step(c, into, &f->v, 0, 1);                                                                                       \
    }

BEST(min_i64, best_i64, int64_t, LESS)
BEST(max_i64, best_i64, int64_t, MORE)
BEST(min_f64, best_f64, double, LESS_F64)
BEST(max_f64, best_f64, double, MORE_F64)
BEST(min_dec, best_dec, wr_i128, LESS)
BEST(max_dec, best_dec, wr_i128, MORE)
BEST(min_ivl, best_ivl, struct wr_interval, LESS_IVL)
BEST(max_ivl, best_ivl, struct wr_interval, MORE_IVL)

/* The rest goes through slots: saving and results are not hot. */
#define BEST_REST(T, member)                                                                                                          \
    static void T##_init(const struct wr_aggcall *c WR_UNUSED, void *state) { *(struct T *)state = (struct T){.has = 0}; }           \
    static struct wr_agg_slot T##_slot(const void *state)                                                                             \
    {                                                                                                                                 \
        const struct T *s = state;                                                                                                    \
        struct wr_agg_slot slot = {.has = s->has != 0};                                                                               \
        slot.v.member = s->v;                                                                                                         \
        return slot;                                                                                                                  \
    }                                                                                                                                 \
    static bool T##_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem) \
    {                                                                                                                                 \
        struct wr_agg_slot slot = T##_slot(state);                                                                                    \
        wr_agg_slot_result(&slot, out, row, mem);                                                                                     \
        return true;                                                                                                                  \
    }                                                                                                                                 \
    static void T##_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out)                                           \
    {                                                                                                                                 \
        struct wr_agg_slot slot = T##_slot(state);                                                                                    \
        wr_buf_u8(out, WR_AGG_V1);                                                                                                    \
        wr_agg_slot_save(&slot, c->arg_type[0], out);                                                                                 \
    }                                                                                                                                 \
    static bool T##_load(const struct wr_aggcall *c, void *state, struct wr_str *in)                                                  \
    {                                                                                                                                 \
        struct T *s = state;                                                                                                          \
        struct wr_agg_slot slot;                                                                                                      \
        if (!wr_agg_take_version(in) || !wr_agg_slot_load(&slot, c->arg_type[0], in) || slot.null)                                    \
            return false;                                                                                                             \
        *s = (struct T){.has = slot.has, .v = slot.v.member};                                                                         \
        return true;                                                                                                                  \
    }

BEST_REST(best_i64, i)
BEST_REST(best_f64, d)
BEST_REST(best_dec, dec)
BEST_REST(best_ivl, iv)

/* ---- text and bytes: the best in a slot */

static void best_str_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    memset(state, 0, sizeof(struct wr_agg_slot));
}

WR_AGG_INLINE void str_step(struct wr_agg_slot *s, const struct wr_vec *v, uint32_t row, int want)
{
    if (wr_vec_null(v, row))
        return;
    int order = s->has ? wr_str_cmp(WR_VEC_STR(v)[wr_vec_at(v, row)], s->v.s) : want;
    if ((order > 0) - (order < 0) == want)
        wr_agg_slot_set(s, v, row);
}
WR_AGG_INLINE void min_str_step(const struct wr_aggcall *c, struct wr_agg_slot *s, const struct wr_batch *in, uint32_t row)
{
    str_step(s, wr_agg_arg(c, in, 0), row, -1);
}
WR_AGG_INLINE void max_str_step(const struct wr_aggcall *c, struct wr_agg_slot *s, const struct wr_batch *in, uint32_t row)
{
    str_step(s, wr_agg_arg(c, in, 0), row, 1);
}
WR_AGG_ROWS(min_str, struct wr_agg_slot, min_str_step)
WR_AGG_ROWS(max_str, struct wr_agg_slot, max_str_step)

static void str_merge(const struct wr_aggcall *c, void *into, const void *from, int want)
{
    const struct wr_agg_slot *f = from;
    if (!f->has)
        return;
    struct wr_vec v = wr_agg_slot_vec(f, c->arg_type[0]);
    str_step(into, &v, 0, want);
}
static void min_str_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    str_merge(c, into, from, -1);
}
static void max_str_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    str_merge(c, into, from, 1);
}

static bool best_str_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    wr_agg_slot_result(state, out, row, mem);
    return true;
}

static void best_str_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out)
{
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_slot_save(state, c->arg_type[0], out);
}

static bool best_str_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    return wr_agg_take_version(in) && wr_agg_slot_load(state, c->arg_type[0], in) && !((struct wr_agg_slot *)state)->null;
}

static void best_str_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    wr_agg_slot_drop(state);
}

static size_t best_str_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    return wr_agg_slot_heap(state);
}

/* ---- all values, when they may be taken back */

static bool min_bag_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    struct wr_omap_it it = wr_omap_least(state);
    if (!wr_omap_valid(it))
        return wr_agg_null(out, row);
    wr_agg_key_result(wr_omap_key(it), c->arg_type[0], out, row, mem);
    return true;
}

static bool max_bag_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    struct wr_omap_it it = wr_omap_greatest(state);
    if (!wr_omap_valid(it))
        return wr_agg_null(out, row);
    wr_agg_key_result(wr_omap_key(it), c->arg_type[0], out, row, mem);
    return true;
}

/* ---- the variants */

#define MIN_HELP "min(x): least value"
#define MAX_HELP "max(x): greatest value"
#define HEAD(f) .name = #f, .help = f##_HELP, .min_arg = 1, .max_arg = 1, .bind = f##_bind
#define min_HELP MIN_HELP
#define max_HELP MAX_HELP
#define VARIANT(f, p)                                                                                                       \
    {HEAD(f), .init = best_##p##_init, .add = f##_##p##_add, .add_run = f##_##p##_add_run, .merge = f##_##p##_merge,      \
     .result = best_##p##_result, .save = best_##p##_save, .load = best_##p##_load}
#define VARIANT_STR(f)                                                                                                      \
    {HEAD(f), .init = best_str_init, .add = f##_str_add, .add_run = f##_str_add_run, .merge = f##_str_merge,              \
     .result = best_str_result, .save = best_str_save, .load = best_str_load, .drop = best_str_drop, .heap = best_str_heap}

static wr_status min_bind(struct wr_aggcall *c, struct wr_error *err)
{
    wr_status st = minmax_bind(c, err);
    return st ? st : minmax_variant(c, false);
}

static wr_status max_bind(struct wr_aggcall *c, struct wr_error *err)
{
    wr_status st = minmax_bind(c, err);
    return st ? st : minmax_variant(c, true);
}

static const struct wr_agg
    i64[2] = {VARIANT(min, i64), VARIANT(max, i64)}, f64[2] = {VARIANT(min, f64), VARIANT(max, f64)},
    dec[2] = {VARIANT(min, dec), VARIANT(max, dec)}, ivl[2] = {VARIANT(min, ivl), VARIANT(max, ivl)},
    str[2] = {VARIANT_STR(min), VARIANT_STR(max)},
    bag[2] = {{HEAD(min), WR_AGG_BAG, .result = min_bag_result}, {HEAD(max), WR_AGG_BAG, .result = max_bag_result}};

static wr_status minmax_bind(struct wr_aggcall *c, struct wr_error *err)
{
    c->distinct = false;
    switch ((enum wr_tid)c->arg_type[0].id) {
    case WR_T_INT: case WR_T_BIGINT: case WR_T_DOUBLE: case WR_T_DECIMAL: case WR_T_TEXT: case WR_T_BYTES: case WR_T_DATE: case WR_T_TIME:
    case WR_T_TIMESTAMP: case WR_T_TIMESTAMPTZ: case WR_T_INTERVAL: return WR_OK;
    case WR_T_BOOL: return wr_agg_refuse(c, 0, "a number, text or time", "for BOOLEAN there are bool_and and bool_or", err);
    case WR_T_NULL: case WR_T_JSON: case WR_T_ARRAY: case WR_T_ROW: case WR_T_COUNT: break;
    }
    return wr_agg_refuse(c, 0, "a number, text or time", NULL, err);
}

static wr_status minmax_variant(struct wr_aggcall *c, bool max)
{
    struct wr_type t = c->arg_type[0];
    if (c->retract)
        return wr_agg_variant(c, &bag[max], t, sizeof(struct wr_omap));
    switch (wr_agg_phys(c, 0)) {
    case WR_P_I64: return wr_agg_variant(c, &i64[max], t, sizeof(struct best_i64));
    case WR_P_F64: return wr_agg_variant(c, &f64[max], t, sizeof(struct best_f64));
    case WR_P_I128: return wr_agg_variant(c, &dec[max], t, sizeof(struct best_dec));
    case WR_P_IVL: return wr_agg_variant(c, &ivl[max], t, sizeof(struct best_ivl));
    case WR_P_STR: return wr_agg_variant(c, &str[max], t, sizeof(struct wr_agg_slot));
    case WR_P_I8: break;
    }
    WR_BUG("min or max of a type without order");
}

static const struct wr_agg list[] = {{HEAD(min)}, {HEAD(max)}};
WR_AGG_TABLE(wr_aggs_minmax, list);

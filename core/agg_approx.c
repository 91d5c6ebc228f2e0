/* agg_approx.c: approx_count_distinct and approx_percentile: small states whose error is known.
 *
 * approx_count_distinct: HyperLogLog (Flajolet et al. 2007) with 2^12 registers and the estimator of O. Ertl, "New cardinality estimation
 *         algorithms for HyperLogLog sketches" (2017). Standard error 1.04 / sqrt(4096) = 1.63 %: two of three results are nearer than that,
 *         997 of 1000 nearer than 4.9 %. Up to 512 different values their hashes are kept, and the count is exact (but for equal 64-bit
 *         hashes). 4 KiB a group at most. Merges without loss; a value cannot be taken back, so bind refuses input that is updated.
 *         The hash has a fixed seed: sketches of different tasks and runs fit together.
 * approx_percentile: a histogram with 128 equal buckets in each power of two, as HdrHistogram and DDSketch have: a number's bucket is its
 *         sign, exponent and first 7 bits of mantissa. The answer is the edge nearer to 0 of the bucket that holds the value which
 *         percentile_disc would give, so it is at most 1/128 (0.79 %) smaller in magnitude, and exact for whole numbers up to 256. Depends on
 *         the values only, not on their order; merges and retracts without loss. About 425 buckets for each power of ten that the data
 *         spans, each some 40 bytes, if they are all used. Numbers below 2.3e-308 count as 0.
 * Memory: states own their array or map. */
#include "core/agg_impl.h"

#include <stdlib.h>

/* ---- approx_count_distinct */

enum { BITS = 12, REGS = 1 << BITS, SPARSE_MAX = 512, RANK_MAX = 64 - BITS + 1 };

struct hll {
    uint64_t *hash;  /* sorted, up to SPARSE_MAX different ones; NULL: none, or dense */
    uint8_t *reg;    /* REGS registers: greatest rank seen; NULL: not dense yet */
    uint32_t n, cap; /* hashes held, allocated */
};

static void hll_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct hll *)state = (struct hll){0};
}

static void dense_put(uint8_t *reg, uint64_t h)
{
    uint32_t at = (uint32_t)(h >> (64 - BITS));
    uint8_t rank = (uint8_t)(__builtin_clzll(h << BITS | UINT64_C(1) << (BITS - 1)) + 1);
    if (rank > reg[at])
        reg[at] = rank;
}

static void make_dense(struct hll *s)
{
    s->reg = wr_calloc(REGS, 1);
    for (uint32_t i = 0; i < s->n; i++)
        dense_put(s->reg, s->hash[i]);
    free(s->hash);
    s->hash = NULL;
    s->n = s->cap = 0;
}

static void hll_put(struct hll *s, uint64_t h)
{
    if (s->reg) {
        dense_put(s->reg, h);
        return;
    }
    uint32_t lo = 0, hi = s->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (s->hash[mid] < h)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo < s->n && s->hash[lo] == h)
        return;
    if (s->n == SPARSE_MAX) {
        make_dense(s);
        dense_put(s->reg, h);
        return;
    }
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 4;
        s->hash = wr_realloc(s->hash, s->cap * sizeof *s->hash);
    }
    memmove(&s->hash[lo + 1], &s->hash[lo], (s->n - lo) * sizeof *s->hash);
    s->hash[lo] = h;
    s->n++;
}

/* The finish of splitmix64: every bit of the hash counts here. */
static uint64_t mixed(uint64_t h)
{
    h = (h ^ h >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    h = (h ^ h >> 27) * UINT64_C(0x94d049bb133111eb);
    return h ^ h >> 31;
}

/* Equal values hash equally, in every run: seed 0. */
static uint64_t hash_of(const struct wr_vec *v, enum wr_phys phys, uint32_t row, struct wr_buf *key)
{
    if (phys == WR_P_I64)
        return mixed((uint64_t)WR_VEC_I64(v)[wr_vec_at(v, row)] + UINT64_C(0x9e3779b97f4a7c15));
    wr_buf_reset(key);
    wr_key_put(key, v, row, false, false);
    return mixed(wr_hash_bytes(key->p, key->n, 0));
}

static void hll_rows(const struct wr_aggcall *c, char *const *group, struct hll *one, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    const struct wr_vec *v = wr_agg_arg(c, in, 0);
    enum wr_phys phys = wr_agg_phys(c, 0);
    struct wr_buf key = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = wr_agg_row(sel, k);
        if (!wr_vec_null(v, row))
            hll_put(one ? one : (struct hll *)(void *)(group[k] + c->offset), hash_of(v, phys, row, &key));
    }
    wr_buf_clear(&key);
}

static void hll_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    hll_rows(c, group, NULL, in, sel, n);
}

static void hll_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    hll_rows(c, NULL, state, in, sel, n);
}

static void hll_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    struct hll *s = into;
    const struct hll *f = from;
    for (uint32_t i = 0; i < f->n; i++)
        hll_put(s, f->hash[i]);
    if (!f->reg)
        return;
    if (!s->reg)
        make_dense(s);
    for (uint32_t i = 0; i < REGS; i++)
        if (f->reg[i] > s->reg[i])
            s->reg[i] = f->reg[i];
}

/* The two series of Ertl's estimator, for registers that are still 0 and for those that are full. */
static double sigma(double x)
{
    if (x >= 1)
        return (double)INFINITY;
    double y = 1, z = x, before;
    do {
        x *= x;
        before = z;
        z += x * y;
        y += y;
    } while (z > before);
    return z;
}

static double tau(double x)
{
    if (x <= 0 || x >= 1)
        return 0;
    double y = 1, z = 1 - x, before;
    do {
        x = sqrt(x);
        before = z;
        y *= 0.5;
        z -= (1 - x) * (1 - x) * y;
    } while (z < before);
    return z / 3;
}

static double dense_estimate(const uint8_t *reg)
{
    static const double half_of_log2e = 0.72134752044448170368;
    uint32_t count[RANK_MAX + 1] = {0};
    for (uint32_t i = 0; i < REGS; i++)
        count[reg[i]]++;
    double z = REGS * tau(1 - count[RANK_MAX] / (double)REGS);
    for (int k = RANK_MAX - 1; k >= 1; k--)
        z = 0.5 * (z + count[k]);
    z += REGS * sigma(count[0] / (double)REGS);
    return half_of_log2e * REGS * REGS / z;
}

static bool hll_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    const struct hll *s = state;
    double d = s->reg ? dense_estimate(s->reg) : s->n;
    out->nulls[row] = 0;
    WR_VEC_I64(out)[row] = d < 0x1p62 ? (int64_t)(d + 0.5) : INT64_MAX; /* all registers full: only in a state from elsewhere */
    return true;
}

static void hll_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct hll *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    wr_buf_u8(out, s->reg != NULL);
    if (s->reg) {
        wr_buf_add(out, s->reg, REGS);
        return;
    }
    wr_buf_u32(out, s->n);
    for (uint32_t i = 0; i < s->n; i++)
        wr_buf_i64(out, (int64_t)s->hash[i]);
}

static bool sparse_load(struct hll *s, struct wr_str *in)
{
    uint32_t n;
    if (!wr_take_u32(in, &n) || n > SPARSE_MAX)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        int64_t h;
        if (!wr_take_i64(in, &h) || (i > 0 && (uint64_t)h <= s->hash[i - 1]))
            return false;
        hll_put(s, (uint64_t)h);
    }
    return true;
}

static bool dense_load(struct hll *s, struct wr_str *in)
{
    s->reg = wr_malloc(REGS);
    if (!wr_take_bytes(in, s->reg, REGS))
        return false;
    for (uint32_t i = 0; i < REGS; i++)
        if (s->reg[i] > RANK_MAX)
            return false;
    return true;
}

static void hll_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    struct hll *s = state;
    free(s->hash);
    free(s->reg);
    *s = (struct hll){0};
}

static bool hll_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    uint8_t dense;
    hll_init(c, state);
    if (!wr_agg_take_version(in) || !wr_take_u8(in, &dense) || dense > 1)
        return false;
    if (dense ? dense_load(state, in) : sparse_load(state, in))
        return true;
    hll_drop(c, state);
    return false;
}

static size_t hll_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    const struct hll *s = state;
    return s->reg ? REGS : s->cap * sizeof *s->hash;
}

static wr_status hll_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (c->retract) {
        wr_fail_at(err, WR_ESQL, c->off, "aggregate \"%s\" cannot take rows back, and its input is updated", c->fn->name);
        wr_hint(err, "count(DISTINCT x) can");
        return WR_ESQL;
    }
    c->distinct = false;
    return wr_agg_variant(c, c->fn, WR_TYPE_OF(BIGINT), sizeof(struct hll));
}

/* ---- approx_percentile */

enum { DROPPED = 52 - 7, KEY = 4 }; /* bits of mantissa that do not count; bytes of a bucket's key */
static const uint32_t KEY_NAN = UINT32_MAX, KEY_SIGN = UINT32_C(1) << 31;

static uint32_t bucket_of(double d)
{
    if (isnan(d))
        return KEY_NAN;
    if (fabs(d) < 0x1p-1022)
        return KEY_SIGN;
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    uint32_t size = (uint32_t)(bits << 1 >> (DROPPED + 1));
    return d < 0 ? KEY_SIGN - size : KEY_SIGN + size;
}

static double bucket_value(uint32_t b)
{
    if (b == KEY_NAN)
        return (double)NAN;
    uint64_t bits = (uint64_t)(b >= KEY_SIGN ? b - KEY_SIGN : KEY_SIGN - b) << DROPPED;
    double d;
    memcpy(&d, &bits, sizeof d);
    return b >= KEY_SIGN ? d : -d;
}

static uint32_t get_bucket(struct wr_str key)
{
    const uint8_t *p = (const uint8_t *)key.p;
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

WR_AGG_INLINE void sketch_step(const struct wr_aggcall *c WR_UNUSED, struct wr_omap *s, const void *data, uint32_t at, int64_t sign)
{
    uint32_t b = bucket_of(((const double *)data)[at]);
    char key[KEY] = {(char)(b >> 24), (char)(b >> 16), (char)(b >> 8), (char)b};
    (void)wr_omap_add(s, (struct wr_str){key, KEY}, sign);
}
WR_AGG_KERNEL(sketch, struct wr_omap, sketch_step)

static bool sketch_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    int64_t n = wr_omap_held(state);
    if (n <= 0)
        return wr_agg_null(out, row);
    double up_to = ceil(c->param * (double)n);
    int64_t k = up_to < 1 ? 0 : up_to >= (double)n ? n - 1 : (int64_t)up_to - 1;
    bool desc = c->n_order > 0 && c->order_desc[0];
    struct wr_omap_it it = wr_omap_nth(state, desc ? n - 1 - k : k);
    out->nulls[row] = 0;
    WR_VEC_F64(out)[row] = bucket_value(get_bucket(wr_omap_key(it)));
    return true;
}

static bool sketch_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    if (!wr_agg_bag_load(c, state, in))
        return false;
    for (struct wr_omap_it it = wr_omap_first(state); wr_omap_valid(it); wr_omap_next(&it))
        if (wr_omap_key(it).n != KEY) {
            wr_omap_clear(state);
            return false;
        }
    return true;
}

static wr_status sketch_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (!wr_type_is_number(c->arg_type[0]))
        return wr_agg_refuse(c, 0, "a number", "percentile_disc takes every type that has an order", err);
    c->arg_type[0] = WR_TYPE_OF(DOUBLE);
    return wr_agg_variant(c, c->fn, WR_TYPE_OF(DOUBLE), sizeof(struct wr_omap));
}

static const struct wr_agg list[] = {
    {.name = "approx_count_distinct", .help = "approx_count_distinct(x): number of different values, standard error 1.63 %", .min_arg = 1,
     .max_arg = 1, .bind = hll_bind, .init = hll_init, .add = hll_add, .add_run = hll_add_run, .merge = hll_merge, .result = hll_result,
     .save = hll_save, .load = hll_load, .drop = hll_drop, .heap = hll_heap},
    {.name = "approx_percentile", .help = "approx_percentile(x, 0.95): percentile, at most 0.79 % below the exact one", .min_arg = 1, .max_arg = 1,
     .constant = WR_AGG_CONST_FRACTION, .within_group = true, .ordered = true, .bind = sketch_bind, .init = wr_agg_bag_init, .add = sketch_add,
     .add_run = sketch_add_run, .merge = wr_agg_bag_merge, .result = sketch_result, .save = wr_agg_bag_save, .load = sketch_load,
     .drop = wr_agg_bag_drop, .heap = wr_agg_bag_heap},
};
WR_AGG_TABLE(wr_aggs_approx, list);

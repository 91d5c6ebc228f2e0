/* agg_percentile.c: exact percentiles: percentile_cont, percentile_disc, median.
 * Rules:  all values are held in a bag with the sums that lead to the k-th one in O(log n), so a result after every change is affordable.
 *         As in PostgreSQL: cont interpolates between the two values around fraction * (n - 1) and is DOUBLE, disc is the first value whose
 *         share of rows up to it reaches the fraction. Descending order counts from the other end.
 * Memory: the bag is the state's; it grows with the number of different values. */
#include "core/agg_impl.h"

#include "core/decimal.h"

/* Element k in the order asked for. */
static struct wr_str element(const struct wr_aggcall *c, const struct wr_omap *bag, int64_t n, int64_t k)
{
    bool desc = c->n_order > 0 && c->order_desc[0];
    struct wr_omap_it it = wr_omap_nth(bag, desc ? n - 1 - k : k);
    return wr_omap_valid(it) ? wr_omap_key(it) : (struct wr_str){NULL, 0};
}

static double key_double(struct wr_str key, struct wr_type type)
{
    struct wr_value val;
    struct wr_arena none = {0}; /* numbers need no memory */
    if (!wr_key_take(&key, type, false, false, &none, &val) || val.null)
        return (double)NAN;
    if (type.id == WR_T_DOUBLE)
        return val.as.d;
    return type.id == WR_T_DECIMAL ? wr_dec_to_double(val.as.dec, type.scale) : (double)val.as.i;
}

static bool cont_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem WR_UNUSED)
{
    int64_t n = wr_omap_held(state);
    if (n <= 0)
        return wr_agg_null(out, row);
    double at = c->param * (double)(n - 1), low = floor(at);
    int64_t k = (int64_t)low < n - 1 ? (int64_t)low : n - 1;
    double a = key_double(element(c, state, n, k), c->arg_type[0]);
    double b = at > low && k + 1 < n ? key_double(element(c, state, n, k + 1), c->arg_type[0]) : a;
    out->nulls[row] = 0;
    WR_VEC_F64(out)[row] = a == b ? a : a + (b - a) * (at - low);
    return true;
}

static bool disc_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    int64_t n = wr_omap_held(state);
    if (n <= 0)
        return wr_agg_null(out, row);
    double up_to = ceil(c->param * (double)n);
    int64_t k = up_to < 1 ? 0 : up_to >= (double)n ? n - 1 : (int64_t)up_to - 1;
    wr_agg_key_result(element(c, state, n, k), c->arg_type[0], out, row, mem);
    return true;
}

static wr_status cont_bind(struct wr_aggcall *c, struct wr_error *err)
{
    if (!wr_type_is_number(c->arg_type[0]))
        return wr_agg_refuse(c, 0, "a number", "percentile_disc takes every type that has an order", err);
    return wr_agg_variant(c, c->fn, WR_TYPE_OF(DOUBLE), sizeof(struct wr_omap));
}

static wr_status median_bind(struct wr_aggcall *c, struct wr_error *err)
{
    c->param = 0.5;
    return cont_bind(c, err);
}

static wr_status disc_bind(struct wr_aggcall *c, struct wr_error *err)
{
    enum wr_tid t = (enum wr_tid)c->arg_type[0].id;
    if (t == WR_T_JSON || t == WR_T_ARRAY || t == WR_T_ROW)
        return wr_agg_refuse(c, 0, "a number, text or time", NULL, err);
    return wr_agg_variant(c, c->fn, c->arg_type[0], sizeof(struct wr_omap));
}

static const struct wr_agg list[] = {
    {.name = "percentile_cont", .help = "percentile_cont(0.9) WITHIN GROUP (ORDER BY x): percentile, interpolated", .min_arg = 1, .max_arg = 1,
     .constant = WR_AGG_CONST_FRACTION, .within_group = true, .ordered = true, .bind = cont_bind, WR_AGG_BAG, .result = cont_result},
    {.name = "percentile_disc", .help = "percentile_disc(0.9) WITHIN GROUP (ORDER BY x): percentile, one of the values", .min_arg = 1,
     .max_arg = 1, .constant = WR_AGG_CONST_FRACTION, .within_group = true, .ordered = true, .bind = disc_bind, WR_AGG_BAG,
     .result = disc_result},
    {.name = "median", .help = "median(x): percentile_cont(0.5)", .min_arg = 1, .max_arg = 1, .bind = median_bind, WR_AGG_BAG,
     .result = cont_result},
};
WR_AGG_TABLE(wr_aggs_percentile, list);

/* agg_pick.c: first_value, last_value, any_value, min_by, max_by: the value of one row that comes first or last.
 * Rules:  first and last are by the ORDER BY columns, then by arrival; min_by(x, y) is first_value(x ORDER BY y), max_by with y descending,
 *         so that of equal y the row that arrived first wins. first_value, last_value, any_value skip NULLs (any order column may be NULL);
 *         min_by and max_by skip rows where y is NULL and return x as it is.
 *         DISTINCT changes nothing here. Input that takes rows back keeps all of them (agg_seq.c; any_value: a bag, of which it gives the least).
 * Memory: slot and order key are the state's. */
#include "core/agg_impl.h"

#include <stdlib.h>

struct pick {
    struct wr_agg_slot val;  /* the best row's value; val.has: there is one */
    char *order;             /* its order key; NULL without ORDER BY */
    uint32_t n, cap;         /* bytes of the key, allocated */
};

/* Which of the five it is, by the call's name once and for all rows. */
struct kind {
    bool last;   /* the last in order, else the first */
    bool by;     /* min_by, max_by */
};
static struct kind kind_of(const struct wr_aggcall *c)
{
    return (struct kind){.last = strcmp(c->fn->name, "last_value") == 0, .by = c->n_arg == 2};
}

static bool skipped(const struct wr_aggcall *c, struct kind kind, const struct wr_batch *in, uint32_t row)
{
    return wr_vec_null(wr_agg_arg(c, in, kind.by ? 1 : 0), row);
}

/* ---- input that is only added to */

static void best_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    memset(state, 0, sizeof(struct pick));
}

static void best_order(struct pick *s, struct wr_str order)
{
    if (s->cap < order.n) {
        s->cap = order.n;
        s->order = wr_realloc(s->order, s->cap);
    }
    if (order.n)
        memcpy(s->order, order.p, order.n);
    s->n = order.n;
}

static bool best_loses(const struct pick *s, struct wr_str order, bool last)
{
    if (!s->val.has)
        return true;
    int cmp = wr_str_cmp(order, (struct wr_str){s->order, s->n});
    return last ? cmp >= 0 : cmp < 0;
}

static void best_row(const struct wr_aggcall *c, struct kind kind, struct pick *s, const struct wr_batch *in, uint32_t row, struct wr_buf *key)
{
    if (skipped(c, kind, in, row))
        return;
    wr_buf_reset(key);
    wr_agg_order_put(c, in, row, key);
    if (!best_loses(s, wr_buf_get(key), kind.last))
        return;
    best_order(s, wr_buf_get(key));
    wr_agg_slot_set(&s->val, wr_agg_arg(c, in, 0), row);
}

static void best_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_buf key = WR_BUF_INIT(0);
    struct kind kind = kind_of(c);
    for (uint32_t k = 0; k < n; k++)
        best_row(c, kind, (struct pick *)(void *)(group[k] + c->offset), in, wr_agg_row(sel, k), &key);
    wr_buf_clear(&key);
}

static void best_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_buf key = WR_BUF_INIT(0);
    struct kind kind = kind_of(c);
    for (uint32_t k = 0; k < n; k++)
        best_row(c, kind, state, in, wr_agg_row(sel, k), &key);
    wr_buf_clear(&key);
}

static void best_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    struct pick *s = into;
    const struct pick *f = from;
    struct wr_str order = {f->order, f->n};
    if (!f->val.has || !best_loses(s, order, kind_of(c).last))
        return;
    best_order(s, order);
    wr_agg_slot_copy(&s->val, &f->val, c->arg_type[0]);
}

static bool best_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    wr_agg_slot_result(&((const struct pick *)state)->val, out, row, mem);
    return true;
}

static void best_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out)
{
    const struct pick *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_slot_save(&s->val, c->arg_type[0], out);
    wr_buf_lstr(out, (struct wr_str){s->order, s->n});
}

static bool best_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    struct pick *s = state;
    struct wr_str order;
    memset(s, 0, sizeof *s);
    if (!wr_agg_take_version(in) || !wr_agg_slot_load(&s->val, c->arg_type[0], in))
        return false;
    if (wr_take_lstr(in, &order)) {
        best_order(s, order);
        return true;
    }
    wr_agg_slot_drop(&s->val);
    return false;
}

static void best_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    struct pick *s = state;
    wr_agg_slot_drop(&s->val);
    free(s->order);
    memset(s, 0, sizeof *s);
}

static size_t best_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    const struct pick *s = state;
    return wr_agg_slot_heap(&s->val) + s->cap;
}

/* ---- input that takes rows back */

static void all_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct wr_agg_seq *)state = (struct wr_agg_seq){0};
}

static void all_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_buf scratch[2] = {WR_BUF_INIT(0), WR_BUF_INIT(0)};
    struct kind kind = kind_of(c);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = wr_agg_row(sel, k);
        if (!skipped(c, kind, in, row))
            wr_agg_seq_add(c, (struct wr_agg_seq *)(void *)(group[k] + c->offset), in, row, scratch);
    }
    wr_buf_clear(&scratch[0]);
    wr_buf_clear(&scratch[1]);
}

static void all_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    wr_agg_seq_merge(c, into, from);
}

static bool all_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const struct wr_agg_seq *s = state;
    struct wr_omap_it it = kind_of(c).last ? wr_omap_last(&s->rows) : wr_omap_first(&s->rows);
    if (!wr_omap_valid(it))
        return wr_agg_null(out, row);
    wr_agg_key_result(wr_agg_seq_value(it), c->arg_type[0], out, row, mem);
    return true;
}

static void all_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_seq_save(state, out);
}

static bool all_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    return wr_agg_take_version(in) && wr_agg_seq_load(c, state, in);
}

static void all_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    wr_agg_seq_clear(state);
}

static size_t all_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    return wr_agg_seq_heap(state);
}

static bool any_bag_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    struct wr_omap_it it = wr_omap_least(state);
    if (!wr_omap_valid(it))
        return wr_agg_null(out, row);
    wr_agg_key_result(wr_omap_key(it), c->arg_type[0], out, row, mem);
    return true;
}

/* ---- the five */

static wr_status first_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status any_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status by_bind(struct wr_aggcall *c, struct wr_error *err);

#define FIRST .name = "first_value", .help = "first_value(x [ORDER BY y]): first value, by arrival without ORDER BY", .ordered = true, .min_arg = 1, .max_arg = 1, .bind = first_bind
#define LAST .name = "last_value", .help = "last_value(x [ORDER BY y]): last value, by arrival without ORDER BY", .ordered = true, .min_arg = 1, .max_arg = 1, .bind = first_bind
#define ANY .name = "any_value", .help = "any_value(x): some value", .min_arg = 1, .max_arg = 1, .bind = any_bind
#define MIN_BY .name = "min_by", .help = "min_by(x, y): x of the row with the least y", .keep_null = true, .min_arg = 2, .max_arg = 2, .bind = by_bind
#define MAX_BY .name = "max_by", .help = "max_by(x, y): x of the row with the greatest y", .keep_null = true, .min_arg = 2, .max_arg = 2, .bind = by_bind
#define BEST .init = best_init, .add = best_add, .add_run = best_add_run, .merge = best_merge, .result = best_result, .save = best_save, .load = best_load, .drop = best_drop, .heap = best_heap
#define ALL .init = all_init, .add = all_add, .merge = all_merge, .result = all_result, .save = all_save, .load = all_load, .drop = all_drop, .heap = all_heap

enum { PICK_FIRST, PICK_LAST, PICK_MIN_BY, PICK_MAX_BY, PICK_N };
static const struct wr_agg variant[PICK_N][2] = { /* [..][may take rows back] */
    [PICK_FIRST] = {{FIRST, BEST}, {FIRST, ALL}},
    [PICK_LAST] = {{LAST, BEST}, {LAST, ALL}},
    [PICK_MIN_BY] = {{MIN_BY, BEST}, {MIN_BY, ALL}},
    [PICK_MAX_BY] = {{MAX_BY, BEST}, {MAX_BY, ALL}},
};
static const struct wr_agg any_best = {ANY, BEST}, any_bag = {ANY, WR_AGG_BAG, .result = any_bag_result};

static wr_status pick_variant(struct wr_aggcall *c, int which)
{
    return wr_agg_variant(c, &variant[which][c->retract], c->arg_type[0], c->retract ? sizeof(struct wr_agg_seq) : sizeof(struct pick));
}

static wr_status first_bind(struct wr_aggcall *c, struct wr_error *err WR_UNUSED)
{
    c->distinct = false;
    return pick_variant(c, kind_of(c).last ? PICK_LAST : PICK_FIRST);
}

static wr_status any_bind(struct wr_aggcall *c, struct wr_error *err WR_UNUSED)
{
    c->distinct = false;
    return wr_agg_variant(c, c->retract ? &any_bag : &any_best, c->arg_type[0], c->retract ? sizeof(struct wr_omap) : sizeof(struct pick));
}

static wr_status by_bind(struct wr_aggcall *c, struct wr_error *err)
{
    bool max = strcmp(c->fn->name, "max_by") == 0;
    enum wr_tid by = (enum wr_tid)c->arg_type[1].id;
    if (by == WR_T_JSON || by == WR_T_ARRAY || by == WR_T_ROW)
        return wr_agg_refuse(c, 1, "a number, text or time as second argument", NULL, err);
    c->distinct = false;
    c->by_arg = 2;
    c->by_desc = max;
    return pick_variant(c, max ? PICK_MAX_BY : PICK_MIN_BY);
}

static const struct wr_agg list[] = {
    {FIRST}, {LAST}, {ANY}, {MIN_BY}, {MAX_BY},
};
WR_AGG_TABLE(wr_aggs_pick, list);

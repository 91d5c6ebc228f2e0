/* agg_list.c: string_agg, array_agg, collect_list, topk, topk_distinct, mode.
 * Rules:  string_agg and array_agg without ORDER BY over input that is only added to append to the finished value; otherwise they keep their
 *         rows in order (agg_seq.c). With DISTINCT they are ordered by the value, as in PostgreSQL. array_agg keeps NULLs, the others skip them.
 *         topk keeps the k greatest, over input that takes rows back all values; mode keeps all; of equally frequent values it is the first in
 *         order.
 *         A text or array longer than LONGEST is an overflow.
 * Memory: states own their buffer or maps. */
#include "core/agg_impl.h"

#include <stdlib.h>

#include "core/nested.h"

enum { LONGEST = 64 << 20 };

/* ---- appended as rows come */

struct joined {
    struct wr_buf buf; /* string_agg: the text so far; array_agg: a nested value. overflow: it got too long */
    int64_t n;         /* rows in it; 0: NULL */
};

static void joined_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct joined *)state = (struct joined){.buf = WR_BUF_INIT(LONGEST)};
}

static void text_join(const struct wr_aggcall *c, struct joined *s, struct wr_str text, int64_t rows)
{
    if (s->n > 0)
        wr_buf_str(&s->buf, c->sep);
    wr_buf_str(&s->buf, text);
    s->n += rows;
}

WR_AGG_INLINE void text_step(const struct wr_aggcall *c, struct joined *s, const struct wr_batch *in, uint32_t row)
{
    const struct wr_vec *v = wr_agg_arg(c, in, 0);
    if (!wr_vec_null(v, row))
        text_join(c, s, WR_VEC_STR(v)[wr_vec_at(v, row)], 1);
}
WR_AGG_ROWS(text, struct joined, text_step)

static void text_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    const struct joined *f = from;
    if (f->n > 0)
        text_join(c, into, wr_buf_get(&f->buf), f->n);
    ((struct joined *)into)->buf.overflow |= f->buf.overflow;
}

static bool text_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const struct joined *s = state;
    if (s->n == 0)
        return wr_agg_null(out, row);
    wr_agg_text_result(out, row, wr_buf_get(&s->buf), mem);
    return !s->buf.overflow;
}

WR_AGG_INLINE void array_step(const struct wr_aggcall *c, struct joined *s, const struct wr_batch *in, uint32_t row)
{
    const struct wr_vec *v = wr_agg_arg(c, in, 0);
    if (!c->fn->keep_null && wr_vec_null(v, row))
        return;
    struct wr_nested_maker m = {.out = &s->buf, .n = (uint32_t)s->n};
    if (s->n == 0)
        wr_nested_open(&m, &s->buf);
    wr_nested_put_vec(&m, v, row);
    wr_nested_close(&m);
    s->n++;
}
WR_AGG_ROWS(array, struct joined, array_step)

static void array_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    struct joined *s = into;
    const struct joined *f = from;
    uint32_t head = s->n ? sizeof(uint32_t) : 0; /* the count is there already */
    if (f->n > 0 && f->buf.n >= head)
        wr_buf_add(&s->buf, f->buf.p + head, f->buf.n - head);
    s->n += f->n;
    s->buf.overflow |= f->buf.overflow;
    struct wr_nested_maker m = {.out = &s->buf, .n = (uint32_t)s->n};
    if (s->n > 0)
        wr_nested_close(&m);
}

static bool array_result(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const struct joined *s = state;
    if (s->n == 0 || s->buf.overflow) {
        (void)wr_agg_null(out, row);
        return s->n == 0;
    }
    wr_agg_text_result(out, row, wr_buf_get(&s->buf), mem);
    return true;
}

static void joined_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    const struct joined *s = state;
    wr_buf_u8(out, WR_AGG_V1);
    wr_buf_u8(out, s->buf.overflow);
    wr_buf_i64(out, s->n);
    wr_buf_lstr(out, wr_buf_get(&s->buf));
}

static bool joined_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    struct joined *s = state;
    uint8_t overflow;
    struct wr_str bytes;
    joined_init(c, state);
    if (!wr_agg_take_version(in) || !wr_take_u8(in, &overflow) || overflow > 1 || !wr_take_i64(in, &s->n) || !wr_take_lstr(in, &bytes) ||
        bytes.n > LONGEST || s->n < 0 || s->n > INT64_MAX >> 8)
        return false;
    wr_buf_str(&s->buf, bytes);
    s->buf.overflow = overflow;
    return true;
}

/* The elements are as many as the count says and whole; a value that overflowed is never looked at. */
static bool array_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    struct joined *s = state;
    if (!joined_load(c, state, in))
        return false;
    if (s->n == 0 && s->buf.n == 0)
        return true;
    bool whole = wr_nested_valid(c->ret, wr_buf_get(&s->buf)) && wr_nested_count(wr_buf_get(&s->buf)) == s->n;
    if (s->n > 0 && s->n <= LONGEST && s->buf.n >= sizeof(uint32_t) && (whole || s->buf.overflow))
        return true;
    wr_buf_clear(&s->buf);
    return false;
}

static void joined_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    wr_buf_clear(&((struct joined *)state)->buf);
}

static size_t joined_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    return ((const struct joined *)state)->buf.cap;
}

/* ---- kept in order */

static void ordered_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct wr_agg_seq *)state = (struct wr_agg_seq){0};
}

static void ordered_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_buf scratch[2] = {WR_BUF_INIT(0), WR_BUF_INIT(0)};
    const struct wr_vec *v = wr_agg_arg(c, in, 0);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = wr_agg_row(sel, k);
        if (c->fn->keep_null || !wr_vec_null(v, row))
            wr_agg_seq_add(c, (struct wr_agg_seq *)(void *)(group[k] + c->offset), in, row, scratch);
    }
    wr_buf_clear(&scratch[0]);
    wr_buf_clear(&scratch[1]);
}

static void ordered_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    wr_agg_seq_merge(c, into, from);
}

static bool ordered_text_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const struct wr_agg_seq *s = state;
    struct joined all;
    struct wr_arena values = {0};
    joined_init(c, &all);
    for (struct wr_omap_it it = wr_omap_first(&s->rows); wr_omap_valid(it); wr_omap_next(&it)) {
        struct wr_str key = wr_agg_seq_value(it);
        struct wr_value val;
        if (wr_key_take(&key, c->arg_type[0], false, false, &values, &val) && !val.null)
            text_join(c, &all, val.as.s, 1);
        wr_arena_reset(&values);
    }
    bool ok = text_result(c, &all, out, row, mem);
    wr_arena_clear(&values);
    joined_drop(c, &all);
    return ok;
}

/* Ends an array built in buf: its value, or NULL and false if it got too long. */
static bool array_write(struct wr_buf *buf, struct wr_nested_maker *m, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    wr_nested_close(m);
    if (buf->overflow) {
        (void)wr_agg_null(out, row);
        return false;
    }
    wr_agg_text_result(out, row, wr_buf_get(buf), mem);
    return true;
}

/* Appends the value of a key, times over. */
static void put_key(struct wr_nested_maker *m, struct wr_str key, struct wr_type type, int64_t times, struct wr_arena *values)
{
    struct wr_value val;
    if (!wr_key_take(&key, type, false, false, values, &val))
        return;
    for (; times > 0 && !m->out->overflow; times--)
        wr_nested_put(m, &val);
    wr_arena_reset(values);
}

static bool ordered_array_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const struct wr_agg_seq *s = state;
    if (s->rows.n_key == 0)
        return wr_agg_null(out, row);
    struct wr_buf buf = WR_BUF_INIT(LONGEST);
    struct wr_arena values = {0};
    struct wr_nested_maker m;
    wr_nested_open(&m, &buf);
    for (struct wr_omap_it it = wr_omap_first(&s->rows); wr_omap_valid(it); wr_omap_next(&it))
        put_key(&m, wr_agg_seq_value(it), c->arg_type[0], 1, &values);
    bool ok = array_write(&buf, &m, out, row, mem);
    wr_arena_clear(&values);
    wr_buf_clear(&buf);
    return ok;
}

static void ordered_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    wr_buf_u8(out, WR_AGG_V1);
    wr_agg_seq_save(state, out);
}

static bool ordered_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    return wr_agg_take_version(in) && wr_agg_seq_load(c, state, in);
}

static void ordered_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    wr_agg_seq_clear(state);
}

static size_t ordered_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    return wr_agg_seq_heap(state);
}

/* ---- topk, topk_distinct */

/* Only the k greatest stay. */
static void best_put(const struct wr_aggcall *c, struct wr_omap *s, struct wr_str key, bool distinct)
{
    if (distinct && wr_omap_get(s, key) > 0)
        return;
    if (s->total >= (int64_t)c->param) {
        struct wr_str least = wr_omap_key(wr_omap_first(s));
        if (wr_str_cmp(key, least) <= 0)
            return;
        char *gone = wr_malloc(least.n + 1);
        memcpy(gone, least.p, least.n);
        (void)wr_omap_add(s, (struct wr_str){gone, least.n}, -1);
        free(gone);
    }
    (void)wr_omap_add(s, key, 1);
}

static void best_rows(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n, bool distinct)
{
    const struct wr_vec *v = wr_agg_arg(c, in, 0);
    struct wr_buf key = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = wr_agg_row(sel, k);
        if (wr_vec_null(v, row))
            continue;
        wr_buf_reset(&key);
        wr_key_put(&key, v, row, false, false);
        best_put(c, (struct wr_omap *)(void *)(group[k] + c->offset), wr_buf_get(&key), distinct);
    }
    wr_buf_clear(&key);
}

static void topk_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    best_rows(c, group, in, sel, n, false);
}

static void topk_distinct_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    best_rows(c, group, in, sel, n, true);
}

static void best_merge(const struct wr_aggcall *c, struct wr_omap *into, const struct wr_omap *from, bool distinct)
{
    int64_t most = (int64_t)c->param;
    for (struct wr_omap_it it = wr_omap_first(from); wr_omap_valid(it); wr_omap_next(&it))
        for (int64_t i = 0; i < wr_omap_num(it) && i < most; i++)
            best_put(c, into, wr_omap_key(it), distinct);
}

static void topk_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    best_merge(c, into, from, false);
}

static void topk_distinct_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    best_merge(c, into, from, true);
}

static bool best_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    if (!wr_agg_bag_load(c, state, in))
        return false;
    struct wr_omap *s = state;
    if (s->n_neg == 0 && s->total <= (int64_t)c->param)
        return true;
    wr_omap_clear(s);
    return false;
}

static bool best_result(const struct wr_aggcall *c, const struct wr_omap *s, struct wr_vec *out, uint32_t row, struct wr_arena *mem, bool distinct)
{
    struct wr_omap_it it = wr_omap_greatest(s);
    if (!wr_omap_valid(it))
        return wr_agg_null(out, row);
    struct wr_buf buf = WR_BUF_INIT(LONGEST);
    struct wr_arena values = {0};
    struct wr_nested_maker m;
    wr_nested_open(&m, &buf);
    int64_t left = (int64_t)c->param;
    for (; left > 0 && wr_omap_valid(it); wr_omap_prev(&it)) {
        int64_t num = wr_omap_num(it), times = num <= 0 ? 0 : distinct ? 1 : num < left ? num : left;
        put_key(&m, wr_omap_key(it), c->arg_type[0], times, &values);
        left -= times;
    }
    bool ok = array_write(&buf, &m, out, row, mem);
    wr_arena_clear(&values);
    wr_buf_clear(&buf);
    return ok;
}

static bool topk_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    return best_result(c, state, out, row, mem, false);
}

static bool topk_distinct_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    return best_result(c, state, out, row, mem, true);
}

/* ---- mode */

static bool mode_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    bool desc = c->n_order > 0 && c->order_desc[0];
    struct wr_omap_it best = {NULL, 0};
    int64_t most = 0;
    for (struct wr_omap_it it = wr_omap_first(state); wr_omap_valid(it); wr_omap_next(&it)) {
        int64_t num = wr_omap_num(it);
        if (num > most || (desc && num == most && num > 0)) {
            most = num;
            best = it;
        }
    }
    if (!wr_omap_valid(best))
        return wr_agg_null(out, row);
    wr_agg_key_result(wr_omap_key(best), c->arg_type[0], out, row, mem);
    return true;
}

/* ---- the table */

static wr_status text_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status array_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status topk_bind(struct wr_aggcall *c, struct wr_error *err);
static wr_status mode_bind(struct wr_aggcall *c, struct wr_error *err);

#define ONE_ARG .min_arg = 1, .max_arg = 1
#define STRING_AGG .name = "string_agg", .help = "string_agg(x, sep [ORDER BY y]): texts joined; separator \",\" if left out", ONE_ARG, .constant = WR_AGG_CONST_SEP, .ordered = true, .bind = text_bind
#define ARRAY_AGG .name = "array_agg", .help = "array_agg(x [ORDER BY y]): values as an array, NULLs too", ONE_ARG, .ordered = true, .keep_null = true, .bind = array_bind
#define COLLECT_LIST .name = "collect_list", .help = "collect_list(x [ORDER BY y]): values as an array, without NULLs", ONE_ARG, .ordered = true, .bind = array_bind
#define TOPK .name = "topk", .help = "topk(x, k): the k greatest values as an array, greatest first", ONE_ARG, .constant = WR_AGG_CONST_K, .bind = topk_bind
#define TOPK_DISTINCT .name = "topk_distinct", .help = "topk_distinct(x, k): the k greatest different values as an array", ONE_ARG, .constant = WR_AGG_CONST_K, .bind = topk_bind
#define JOINED .init = joined_init, .save = joined_save, .drop = joined_drop, .heap = joined_heap
#define ORDERED .init = ordered_init, .add = ordered_add, .merge = ordered_merge, .save = ordered_save, .load = ordered_load, .drop = ordered_drop, .heap = ordered_heap
#define BEST .init = wr_agg_bag_init, .save = wr_agg_bag_save, .load = best_load, .drop = wr_agg_bag_drop, .heap = wr_agg_bag_heap

/* [..][1]: rows have an order of their own or may be taken back */
static const struct wr_agg
    text_variant[2] = {{STRING_AGG, JOINED, .add = text_add, .add_run = text_add_run, .merge = text_merge, .result = text_result, .load = joined_load},
                       {STRING_AGG, ORDERED, .result = ordered_text_result}},
    array_variant[2] = {{ARRAY_AGG, JOINED, .add = array_add, .add_run = array_add_run, .merge = array_merge, .result = array_result, .load = array_load},
                        {ARRAY_AGG, ORDERED, .result = ordered_array_result}},
    collect_variant[2] = {{COLLECT_LIST, JOINED, .add = array_add, .add_run = array_add_run, .merge = array_merge, .result = array_result, .load = array_load},
                          {COLLECT_LIST, ORDERED, .result = ordered_array_result}};
/* [may take rows back] */
static const struct wr_agg
    topk_variant[2] = {{TOPK, BEST, .add = topk_add, .merge = topk_merge, .result = topk_result}, {TOPK, WR_AGG_BAG, .result = topk_result}},
    topk_distinct_variant[2] = {{TOPK_DISTINCT, BEST, .add = topk_distinct_add, .merge = topk_distinct_merge, .result = topk_distinct_result},
                                {TOPK_DISTINCT, WR_AGG_BAG, .result = topk_distinct_result}};

/* Rows have to be kept in order; the order of DISTINCT is that of the values. */
static bool needs_order(struct wr_aggcall *c)
{
    if (c->distinct)
        c->by_arg = 1;
    return c->by_arg > 0 || c->n_order > 0 || c->retract;
}

static wr_status text_bind(struct wr_aggcall *c, struct wr_error *err WR_UNUSED)
{
    if (c->arg_type[0].id != WR_T_BYTES)
        c->arg_type[0] = WR_TYPE_OF(TEXT);
    bool ordered = needs_order(c);
    return wr_agg_variant(c, &text_variant[ordered], c->arg_type[0], ordered ? sizeof(struct wr_agg_seq) : sizeof(struct joined));
}

static wr_status array_bind(struct wr_aggcall *c, struct wr_error *err WR_UNUSED)
{
    WR_ASSERT(c->mem);
    bool ordered = needs_order(c);
    const struct wr_agg *fn = c->fn->keep_null ? &array_variant[ordered] : &collect_variant[ordered];
    return wr_agg_variant(c, fn, wr_type_array(c->mem, c->arg_type[0]), ordered ? sizeof(struct wr_agg_seq) : sizeof(struct joined));
}

static wr_status topk_bind(struct wr_aggcall *c, struct wr_error *err)
{
    enum wr_tid t = (enum wr_tid)c->arg_type[0].id;
    if (t == WR_T_JSON || t == WR_T_ARRAY || t == WR_T_ROW)
        return wr_agg_refuse(c, 0, "a number, text or time", NULL, err);
    WR_ASSERT(c->mem);
    bool distinct = c->distinct || strcmp(c->fn->name, "topk_distinct") == 0;
    c->distinct = false;
    return wr_agg_variant(c, distinct ? &topk_distinct_variant[c->retract] : &topk_variant[c->retract], wr_type_array(c->mem, c->arg_type[0]), sizeof(struct wr_omap));
}

static wr_status mode_bind(struct wr_aggcall *c, struct wr_error *err WR_UNUSED)
{
    return wr_agg_variant(c, c->fn, c->arg_type[0], sizeof(struct wr_omap));
}

static const struct wr_agg list[] = {
    {STRING_AGG},
    {ARRAY_AGG},
    {COLLECT_LIST},
    {TOPK},
    {TOPK_DISTINCT},
    {.name = "mode", .help = "mode(x), mode() WITHIN GROUP (ORDER BY x): most frequent value", ONE_ARG, .within_group = true, .ordered = true,
     .bind = mode_bind, WR_AGG_BAG, .result = mode_result},
};
WR_AGG_TABLE(wr_aggs_list, list);

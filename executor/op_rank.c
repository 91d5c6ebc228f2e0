/* op_rank.c: Top-N: of each partition the rows whose ROW_NUMBER, RANK or DENSE_RANK is in [lo, hi], kept up to date; ORDER BY .. LIMIT of a stream.
 * Rules:  live.h's. Over rows that are only added, those that can never come into the result are forgotten at once: the state is n rows a partition,
 *         for de-duplication one. A row taken back lets the next one move up.
 * Memory: live.h's. */
#include <stdlib.h>

#include "executor/live.h"

struct rank {
    struct wr_live live;            /* first */
    const struct wr_plan_rank *p;
};
struct rank_own { int64_t n_values; }; /* DENSE_RANK, rows only added: different ORDER BY values held, plus 1; 0: not known (made new, or after a restart) */

/* ---- listing ---- */

static void list_add(struct wr_list *l, uint32_t *cap, struct wr_str entry, int64_t number, bool keep, struct wr_arena *mem)
{
    if (l->n == *cap) {
        struct wr_list_row *old = l->row;
        *cap = *cap ? *cap * 2 : 8;
        l->row = wr_arena_alloc(mem, sizeof *l->row * *cap);
        if (l->n)
            memcpy(l->row, old, sizeof *old * l->n);
    }
    l->row[l->n++] = (struct wr_list_row){.entry = keep ? wr_arena_str(mem, entry) : entry, .number = number};
}

static void list_rows(struct wr_live *v, struct wr_group *x, bool keep, struct wr_arena *mem, struct wr_list *out)
{
    const struct wr_plan_rank *p = ((struct rank *)v)->p;
    struct wr_omap *rows = &wr_partition_of(&v->parts, x)->rows;
    struct wr_str first = {0};     /* of rows that are equal in ORDER BY */
    uint32_t len = 0, cap = 0;
    int64_t before = 0, number = 0; /* rows before the entry; number of its first row */
    for (struct wr_omap_it it = wr_omap_first(rows); wr_omap_valid(it) && number <= p->hi; wr_omap_next(&it)) {
        struct wr_str e = wr_omap_key(it);
        int64_t n = wr_omap_num(it);
        if (p->fn == WR_OVER_ROW_NUMBER) {
            number = before + 1;
        } else if (before == 0 || e.n < len || memcmp(e.p, first.p, len) != 0) {
            first = e;
            len = wr_parts_order_len(&v->parts, e);
            number = p->fn == WR_OVER_RANK ? before + 1 : number + 1;
        }
        for (int64_t i = 0; i < n && number <= p->hi; i++) {
            if (number >= p->lo)
                list_add(out, &cap, e, number, keep, mem);
            if (p->fn == WR_OVER_ROW_NUMBER)
                number++;
        }
        before += n;
    }
}

/* ---- rows only added: what is kept ---- */

/* ORDER BY's part of the entry against that of a row held: by bytes, which decide before the shorter ends. */
static int order_cmp(struct wr_str order, struct wr_str entry)
{
    uint32_t n = order.n < entry.n ? order.n : entry.n;
    return n ? memcmp(order.p, entry.p, n) : 0;
}

/* The last entry whose rows may still count: that of the hi-th row. Not valid: there are fewer. */
static struct wr_omap_it last_that_counts(const struct wr_plan_rank *p, const struct wr_omap *rows)
{
    return rows->total >= p->hi ? wr_omap_nth(rows, p->hi - 1) : (struct wr_omap_it){0};
}

static int64_t count_distinct(struct wr_live *v, struct wr_group *x)
{
    struct wr_omap *rows = &wr_partition_of(&v->parts, x)->rows;
    struct wr_str first = {0};
    uint32_t len = 0;
    int64_t n = 0;
    for (struct wr_omap_it it = wr_omap_first(rows); wr_omap_valid(it); wr_omap_next(&it)) {
        struct wr_str e = wr_omap_key(it);
        if (n > 0 && e.n >= len && memcmp(e.p, first.p, len) == 0)
            continue;
        first = e;
        len = wr_parts_order_len(&v->parts, e);
        n++;
    }
    return n;
}

/* Different ORDER BY values held. */
static int64_t *n_values(struct wr_live *v, struct wr_group *x)
{
    struct rank_own *own = wr_partition_own(&v->parts, x);
    if (own->n_values == 0)
        own->n_values = count_distinct(v, x) + 1;
    return &own->n_values;
}

/* A row with a new ORDER BY value comes in. */
static void count_value(struct wr_live *v, struct wr_group *x, struct wr_str order)
{
    struct wr_omap_it it = wr_omap_seek(&wr_partition_of(&v->parts, x)->rows, order);
    if (!wr_omap_valid(it) || order_cmp(order, wr_omap_key(it)) != 0)
        ++*n_values(v, x);
}

static bool admit_row(struct wr_live *v, struct wr_group *x, const struct wr_batch *b, uint32_t row)
{
    const struct wr_plan_rank *p = ((struct rank *)v)->p;
    const struct wr_omap *rows = &wr_partition_of(&v->parts, x)->rows;
    struct wr_str order = wr_buf_get(&v->parts.entry);
    struct wr_omap_it last = {0};
    if (p->fn != WR_OVER_DENSE_RANK)
        last = last_that_counts(p, rows);
    else if (*n_values(v, x) > p->hi)
        last = wr_omap_last(rows);
    int c = wr_omap_valid(last) ? order_cmp(order, wr_omap_key(last)) : -1;
    if (c > 0)
        return false;
    if (p->fn == WR_OVER_DENSE_RANK)
        count_value(v, x, order);
    wr_parts_encode_rest(&v->parts, b, row);
    return c < 0 || p->fn != WR_OVER_ROW_NUMBER || wr_str_cmp(wr_buf_get(&v->parts.entry), wr_omap_key(last)) < 0;
}

static uint64_t take_last(struct wr_live *v, struct wr_part_pane *pane, struct wr_group *x, int64_t n)
{
    struct wr_omap_it last = wr_omap_last(&wr_partition_of(&v->parts, x)->rows);
    int64_t has = wr_omap_num(last), out = n < has ? n : has;
    wr_buf_reset(&v->parts.entry);
    wr_buf_str(&v->parts.entry, wr_omap_key(last));
    wr_parts_add(&v->parts, pane, x, wr_buf_get(&v->parts.entry), -out);
    return (uint64_t)out;
}

static uint64_t trim_rows(struct wr_live *v, struct wr_part_pane *pane, struct wr_group *x)
{
    const struct wr_plan_rank *p = ((struct rank *)v)->p;
    struct wr_omap *rows = &wr_partition_of(&v->parts, x)->rows;
    uint64_t out = 0;
    if (p->fn == WR_OVER_ROW_NUMBER) {
        while (rows->total > p->hi)
            out += take_last(v, pane, x, rows->total - p->hi);
        return out;
    }
    /* RANK: rows equal to the hi-th stay. DENSE_RANK: all rows of the hi-th value stay. */
    if (p->fn == WR_OVER_RANK && rows->total <= p->hi)
        return 0;
    if (p->fn == WR_OVER_DENSE_RANK && *n_values(v, x) - 1 <= p->hi)
        return 0;
    struct wr_str keep, e;
    if (p->fn == WR_OVER_RANK) {
        keep = wr_omap_key(last_that_counts(p, rows));
        keep = wr_arena_str(&v->scratch, (struct wr_str){keep.p, wr_parts_order_len(&v->parts, keep)});
        while (order_cmp(keep, wr_omap_key(wr_omap_last(rows))) < 0)
            out += take_last(v, pane, x, INT64_MAX);
        return out;
    }
    e = wr_omap_key(wr_omap_last(rows));
    keep = wr_arena_str(&v->scratch, (struct wr_str){e.p, wr_parts_order_len(&v->parts, e)});
    while (order_cmp(keep, wr_omap_key(wr_omap_last(rows))) == 0)
        out += take_last(v, pane, x, INT64_MAX);
    --*n_values(v, x);
    return out;
}

/* ---- life ---- */

static wr_status rank_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_rank *p = &op->plan->u.rank;
    struct rank *k = wr_calloc(1, sizeof *k);
    k->p = p;
    wr_live_open(&k->live, op, &p->by, sizeof(struct rank_own));
    k->live.list = list_rows;
    k->live.by_place = p->fn == WR_OVER_ROW_NUMBER && (p->with_number || p->lo == p->hi);
    if (!op->plan->in[0]->updating) {
        k->live.admit = admit_row;
        k->live.trim = trim_rows;
    }
    return WR_OK;
}

static void rank_close(struct wr_op *op) { wr_live_close(op->ctx); }

const struct wr_op_vt wr_op_top_n = {
    .name = "top_n", .spills = true, .open = rank_open, .process = wr_live_process, .watermark = wr_live_watermark, .tick = wr_live_tick, .flush = wr_live_flush,
    .finish = wr_live_finish, .checkpoint = wr_live_checkpoint, .restore = wr_live_restore, .close = rank_close,
};

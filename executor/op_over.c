/* op_over.c: OVER over input that changes, or has no watermark: each partition that changed is computed anew, and the difference is given.
 * Rules:  live.h's. All rows of a partition are kept; a flush costs as many rows as its changed partitions have.
 * Memory: rows, results and aggregate states of one partition, while it is listed; what was listed before a change lives until the flush. */
#include <stdlib.h>

#include "executor/frames.h"
#include "executor/live.h"

struct over {
    struct wr_live live;           /* first */
    const struct wr_plan_over *p;
    struct wr_arena arena;         /* calls, schema */
    struct wr_frames frames;
    struct wr_aggcall *own;        /* by function, offsets from 0 */
    struct wr_aggcall **call;
    uint32_t size;                 /* bytes of all states */
    struct wr_schema results;      /* one column a function */
};

/* One partition while it is listed. */
struct rows {
    struct over *o;
    struct wr_batch *b;            /* its rows, in order */
    const struct wr_list_row *row;
    uint32_t *len;                 /* bytes of ORDER BY in each entry; NULL: nobody asks */
};

static struct wr_batch *row_at(void *ctx, int64_t i, uint32_t *r)
{
    *r = (uint32_t)i;
    return ((struct rows *)ctx)->b;
}

static bool same_order(void *ctx, int64_t i, int64_t k)
{
    const struct rows *s = ctx;
    return s->len[i] == s->len[k] && memcmp(s->row[i].entry.p, s->row[k].entry.p, s->len[i]) == 0;
}

static bool order_value(void *ctx, int64_t i, int64_t *v)
{
    const struct rows *s = ctx;
    const struct wr_vec *c = &s->b->col[s->o->p->by.order[0]];
    if (wr_vec_null(c, (uint32_t)i))
        return false;
    *v = WR_VEC_I64(c)[i];
    return true;
}

/* Columns that functions read (and ORDER BY's): only these are decoded for computing. */
static void read_rows(struct over *o, struct wr_group *x, bool keep, struct wr_arena *mem, struct rows *s, struct wr_list *out)
{
    struct wr_parts *t = &o->live.parts;
    struct wr_omap *rows = &wr_partition_of(t, x)->rows;
    uint32_t n = (uint32_t)rows->total;
    out->n = n;
    out->row = wr_arena_alloc(mem, sizeof *out->row * (n ? n : 1));
    s->row = out->row;
    s->b = wr_batch_new(t->in, n ? n : 1);
    s->len = o->frames.peers ? wr_arena_alloc(mem, sizeof *s->len * (n ? n : 1)) : NULL;
    uint32_t i = 0;
    for (struct wr_omap_it it = wr_omap_first(rows); wr_omap_valid(it); wr_omap_next(&it)) {
        struct wr_str e = wr_omap_key(it);
        if (keep)
            e = wr_arena_str(mem, e);
        uint32_t len = s->len ? wr_parts_order_len(t, e) : 0;
        for (int64_t k = wr_omap_num(it); k > 0; k--, i++) {
            wr_parts_decode(t, x, e, s->b, i);
            out->row[i] = (struct wr_list_row){.entry = e, .number = i};
            if (s->len)
                s->len[i] = len;
        }
    }
    s->b->len = s->b->n_live = n;
}

static void list_rows(struct wr_live *v, struct wr_group *x, bool keep, struct wr_arena *mem, struct wr_list *out)
{
    struct over *o = (struct over *)v;
    struct rows s = {.o = o};
    read_rows(o, x, keep, mem, &s, out);
    struct wr_seq seq = {.ctx = &s, .n = out->n, .row = row_at, .same = same_order, .value = order_value};
    char *base = wr_arena_zero(mem, o->size ? o->size : 1);
    struct wr_frames_at *at = wr_arena_zero(mem, wr_frames_at_size(o->p));
    for (int k = 0; k < o->p->n_fn; k++)
        if (o->call[k])
            wr_aggcall_init(o->call[k], base + o->call[k]->offset);
    out->extra = wr_batch_new(&o->results, out->n ? out->n : 1);
    for (uint32_t i = 0; i < out->n; i++)
        out->row[i].bad = wr_frames_row(&o->frames, base, at, &seq, i, out->extra, 0, i, i > 0 && !out->row[i - 1].bad) >= 0;
    for (int k = 0; k < o->p->n_fn; k++)
        if (o->call[k])
            wr_aggcall_drop(o->call[k], base + o->call[k]->offset);
    wr_batch_unref(s.b);
}

static wr_status over_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_over *p = &op->plan->u.over;
    struct over *o = wr_calloc(1, sizeof *o);
    o->p = p;
    o->own = WR_NEW_N(&o->arena, struct wr_aggcall, p->n_fn + 1);
    o->call = WR_NEW_N(&o->arena, struct wr_aggcall *, p->n_fn + 1);
    for (int k = 0; k < p->n_fn; k++) {
        if (p->fn[k].kind != WR_OVER_AGG)
            continue;
        o->own[k] = p->fn[k].agg;
        o->own[k].offset = o->size;
        o->size += (o->own[k].size + 15) & ~15u;
        o->call[k] = &o->own[k];
    }
    o->results = (struct wr_schema){.n = p->n_fn, .field = op->plan->out->field + op->plan->in[0]->out->n};
    wr_frames_init(&o->frames, p, o->call);
    wr_live_open(&o->live, op, &p->by, 0);
    o->live.list = list_rows;
    return WR_OK;
}

static void over_close(struct wr_op *op)
{
    struct over *o = op->ctx;
    wr_frames_clear(&o->frames);
    wr_arena_clear(&o->arena);
    wr_live_close(&o->live);
}

const struct wr_op_vt wr_op_over = {
    .name = "over", .spills = true, .open = over_open, .process = wr_live_process, .watermark = wr_live_watermark, .tick = wr_live_tick, .flush = wr_live_flush,
    .finish = wr_live_finish, .checkpoint = wr_live_checkpoint, .restore = wr_live_restore, .close = over_close,
};

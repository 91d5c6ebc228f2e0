/* op_setop.c: INTERSECT and EXCEPT: how often each row is on the left and on the right, and what follows from it.
 *
 *                 INTERSECT              EXCEPT
 *   distinct      l > 0 and r > 0        l > 0 and r = 0      once
 *   ALL           min(l, r) times        l - r times
 *
 * Rules:  each row that comes in or is taken back changes one of the two numbers by one, and so the result by at most one: that row itself is handed on.
 *         NULL equals NULL. A row to be taken back that is not there (forgotten by state.ttl) is filtered out.
 * Memory: one entry for each different row. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/internal.h"
#include "executor/rows.h"

struct setop {
    const struct wr_plan_setop *p;
    struct wr_arena arena;        /* layout, all */
    struct wr_arena scratch;      /* reset for each batch */
    struct wr_rowlayout layout;
    struct wr_rows rows;          /* n: left and right together; mark: right */
    int n_col, *all;              /* all columns */
    int64_t next_sweep, next_measure;
};

/* How often a row with these numbers is in the result. */
static int64_t times(const struct wr_plan_setop *p, int64_t l, int64_t r)
{
    if (!p->all)
        return l > 0 && (r > 0) != p->except;
    if (p->except)
        return l > r ? l - r : 0;
    return l < r ? l : r;
}

static int64_t now_of(const struct wr_op *op)
{
    return op->wm != WR_WM_NONE && op->wm != WR_WM_END ? op->wm : op->task->mono_us;
}

static void touch(struct wr_op *op, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    struct setop *o = op->ctx;
    struct wr_bucket *k = o->p->ttl ? wr_rows_find(&o->rows, b, o->all, row, hash) : NULL;
    if (k)
        k->touched = now_of(op);
}

/* Counts the row; returns the change of the result: -1, 0, 1. */
static int count_row(struct wr_op *op, int in, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    struct setop *o = op->ctx;
    bool minus = wr_op_is_retract(wr_batch_op(b, row));
    struct wr_row *x = wr_rows_get(&o->rows, b, row, hash);
    int64_t r = x ? x->mark : 0, l = x ? x->n - r : 0, before = times(o->p, l, r);
    int64_t *mine = in ? &r : &l;
    if (minus && *mine == 0) {
        op->n.filtered++;
        return 0;
    }
    *mine += minus ? -1 : 1;
    if (minus) {
        op->n.passed += 2; /* it, and the one it takes back */
        op->n.held--;
        x->mark = r;
        wr_rows_drop(&o->rows, x, 1);
    } else {
        op->n.held++;
        x = wr_rows_add(&o->rows, b, row, hash, 1);
        x->mark = r;
        wr_rows_changed(&o->rows, x);
    }
    touch(op, b, row, hash);
    return (int)(times(o->p, l, r) - before);
}

static wr_status give(struct wr_op *op, struct wr_batch *b, const uint32_t *row, const int8_t *change, uint32_t n, struct wr_error *err)
{
    if (n == 0)
        return WR_OK;
    struct wr_batch *out = wr_batch_view(b, b->n_col);
    memcpy(out->col, b->col, sizeof b->col[0] * (size_t)b->n_col);
    int8_t *ops = wr_arena_zero(&out->mem, b->len);
    bool minus = false;
    for (uint32_t k = 0; k < n; k++) {
        ops[row[k]] = change[k] < 0 ? WR_OP_DELETE : WR_OP_INSERT;
        minus |= change[k] < 0;
    }
    out->op = minus ? ops : NULL;
    out->wm = NULL;
    out->wm0 = op->wm_out;
    return wr_emit(op, wr_batch_select(out, row, n), err);
}

static wr_status setop_process(struct wr_op *op, int in, struct wr_batch *b, struct wr_error *err)
{
    struct setop *o = op->ctx;
    wr_arena_reset(&o->scratch);
    uint32_t *row = wr_live_rows(b, &o->scratch), n = b->n_live, kept = 0;
    uint64_t *hash = wr_arena_alloc(&o->scratch, sizeof *hash * (n ? n : 1));
    int8_t *change = wr_arena_alloc(&o->scratch, n ? n : 1);
    wr_hash_rows(b, o->all, o->n_col, row, n, wr_hash_seed(), hash);
    for (uint32_t k = 0; k < n; k++) {
        int c = count_row(op, in, b, row[k], hash[k]);
        row[kept] = row[k];
        change[kept] = (int8_t)c;
        kept += c != 0;
    }
    wr_status st = give(op, b, row, change, kept, err);
    wr_batch_unref(b);
    return st;
}

static void forget_old(struct wr_op *op)
{
    struct setop *o = op->ctx;
    int64_t now = now_of(op);
    if (!o->p->ttl || now < o->next_sweep)
        return;
    o->next_sweep = now + o->p->ttl / 8 + 1;
    wr_rows_load(&o->rows);
    uint64_t at = 0;
    for (struct wr_bucket *k; (k = wr_rows_next(&o->rows, &at));) {
        if (k->touched == 0)
            k->touched = now; /* from before a restart */
        if (k->touched > now - o->p->ttl)
            continue;
        op->n.held -= (uint64_t)k->total;
        op->n.passed += (uint64_t)k->total;
        wr_rows_drop_bucket(&o->rows, k);
    }
}

static wr_status setop_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err WR_UNUSED)
{
    struct setop *o = op->ctx;
    forget_old(op);
    if (mono_us >= o->next_measure) {
        o->next_measure = mono_us + 100000;
        wr_op_weigh(op, o->rows.bytes + (o->rows.slot ? (o->rows.mask + 1) * sizeof(uint64_t) : 0));
    }
    return WR_OK;
}

static wr_status setop_finish(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    op->n.passed += op->n.held;
    op->n.held = 0;
    return WR_OK;
}

static wr_status setop_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    struct setop *o = wr_calloc(1, sizeof *o);
    op->ctx = o;
    o->p = &op->plan->u.setop;
    o->n_col = op->plan->out->n;
    o->all = WR_NEW_N(&o->arena, int, o->n_col + 1);
    for (int i = 0; i < o->n_col; i++)
        o->all[i] = i;
    wr_rowlayout_init(&o->layout, op->plan->out, o->all, o->n_col, true, -1, &o->arena);
    wr_rows_init(&o->rows, &o->layout);
    if (op->task->job->store)
        wr_rows_track(&o->rows, op, 's', (struct wr_str){0});
    return WR_OK;
}

static wr_status setop_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct setop *o = op->ctx;
    wr_rows_checkpoint(&o->rows, delta);
    return WR_OK;
}

static wr_status setop_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct setop *o = op->ctx;
    if (!wr_rows_restore(&o->rows, r))
        return wr_fail(err, WR_EIO, "the checkpoint's state of INTERSECT or EXCEPT is damaged");
    op->n.held += (uint64_t)o->rows.total;
    op->n.in += (uint64_t)o->rows.total; /* so that the books balance from the first row on */
    return WR_OK;
}

static void setop_close(struct wr_op *op)
{
    struct setop *o = op->ctx;
    wr_rows_clear(&o->rows);
    wr_arena_clear(&o->scratch);
    wr_arena_clear(&o->arena);
    free(o);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_setop = {
    .name = "setop", .open = setop_open, .process = setop_process, .watermark = wr_op_pass_watermark, .tick = setop_tick, .flush = wr_op_no_flush,
    .finish = setop_finish, .checkpoint = setop_checkpoint, .restore = setop_restore, .close = setop_close,
};

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
    struct wr_spill spill;
    struct wr_picked picked;
};

static wr_status limit(struct wr_op *op, struct wr_error *err);

/* How often a row with these numbers is in the result. */
static int64_t times(const struct wr_plan_setop *p, int64_t l, int64_t r)
{
    if (!p->all)
        return l > 0 && (r > 0) != p->except;
    if (p->except)
        return l > r ? l - r : 0;
    return l < r ? l : r;
}

static void touch(struct wr_op *op, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    struct setop *o = op->ctx;
    struct wr_bucket *k = o->p->ttl ? wr_rows_find(&o->rows, b, o->all, row, hash) : NULL;
    if (k) {
        k->touched = wr_op_now(op);
        k->same = false;
    }
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
    return st == WR_OK ? limit(op, err) : st;
}

static wr_status forget_old(struct wr_op *op, struct wr_error *err)
{
    struct setop *o = op->ctx;
    int64_t now = wr_op_now(op);
    if (!o->p->ttl || now == 0 || now < o->next_sweep)
        return WR_OK;
    o->next_sweep = now + o->p->ttl / 8 + 1;
    return wr_rows_expire(&o->rows, op, now, o->p->ttl, err);
}

/* Between batches: nothing points to rows then. */
static wr_status limit(struct wr_op *op, struct wr_error *err)
{
    struct setop *o = op->ctx;
    wr_op_weigh(op, wr_rows_bytes(&o->rows) + o->spill.deleted.heap);
    if (!o->rows.spill)
        return WR_OK;
    if (o->spill.deleted.n_key > WR_SPILL_DELETES)
        WR_TRY(wr_spill_write(&o->spill, err));
    uint64_t excess = wr_op_excess(op), want = excess + wr_spill_slack(op), freed = 0;
    if (excess == 0)
        return WR_OK;
    o->picked.n = 0;
    for (int round = 0; round < 2; round++) /* the first one takes the marks of use away */
        freed += freed < want ? wr_rows_pick(&o->rows, want - freed, &o->picked) : 0;
    for (uint32_t i = 0; i < o->picked.n; i++)
        wr_rows_send(&o->rows, o->picked.at[i].bucket);
    WR_TRY(wr_spill_write(&o->spill, err));
    wr_op_weigh(op, wr_rows_bytes(&o->rows));
    wr_spill_gathered(op, o->rows.gone.n);
    return WR_OK;
}

static wr_status setop_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err)
{
    struct setop *o = op->ctx;
    WR_TRY(forget_old(op, err));
    if (mono_us < o->next_measure)
        return WR_OK;
    o->next_measure = mono_us + 100000;
    return limit(op, err);
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
    wr_spill_init(&o->spill, op);
    wr_rows_track(&o->rows, op, 0, 's', (struct wr_str){0}, wr_spill_wanted(op) ? &o->spill : NULL);
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
    wr_spill_clear(&o->spill);
    free(o->picked.at);
    wr_arena_clear(&o->scratch);
    wr_arena_clear(&o->arena);
    free(o);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_setop = {
    .name = "setop", .spills = true, .open = setop_open, .process = setop_process, .watermark = wr_op_pass_watermark, .tick = setop_tick, .flush = wr_op_no_flush,
    .finish = setop_finish, .checkpoint = setop_checkpoint, .restore = setop_restore, .close = setop_close,
};

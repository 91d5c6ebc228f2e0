/* op_exchange.c: hands rows to operators that other tasks own: by hash of the key columns, or all to one.
 * Rules:  rows are not copied: each target gets a view with its selection; a key always goes to the same instance (hash seed 0), so that
 *         per-key order is kept. Watermarks, idleness and END go to every target. With one task an exchange passes rows on directly.
 * Memory: views hold the batch; the target list is the job's. */
#include "executor/internal.h"

#include <stdlib.h>

#include "core/key.h"

struct target { struct wr_op **to; int n, in; struct target *next; };
struct exchange { struct target *list; };

void wr_exchange_target(struct wr_op *op, struct wr_op **to, int n, int in, struct wr_arena *a)
{
    if (!op->ctx)
        op->ctx = wr_calloc(1, sizeof(struct exchange));
    struct exchange *x = op->ctx;
    struct target *t = WR_NEW(a, struct target);
    *t = (struct target){to, n, in, x->list};
    x->list = t;
}

static wr_status send(struct wr_op *to, struct wr_msg m, struct wr_error *err)
{
    m.op = to;
    if (!wr_channel_send(&to->task->inbox, m))
        return wr_fail(err, WR_ESTOP, "the job is stopping");
    return WR_OK;
}

static wr_status send_hashed(struct wr_op *op, const struct target *t, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_exchange *p = &op->plan->u.exchange;
    struct wr_arena scratch = {0};
    uint64_t *hash = wr_arena_alloc(&scratch, sizeof *hash * b->n_live);
    uint32_t *rows = wr_arena_alloc(&scratch, sizeof *rows * b->n_live);
    wr_hash_rows(b, p->key, p->n_key, b->sel, b->n_live, 0, hash);
    wr_status st = WR_OK;
    for (int i = 0; i < t->n && st == WR_OK; i++) {
        uint32_t n = 0;
        for (uint32_t k = 0; k < b->n_live; k++)
            if ((hash[k] >> 32) % (uint64_t)t->n == (uint64_t)i)
                rows[n++] = wr_batch_row(b, k);
        if (n > 0)
            st = send(t->to[i], (struct wr_msg){.kind = WR_MSG_BATCH, .in = t->in, .up = op->instance, .b = wr_batch_select(wr_batch_ref(b), rows, n)}, err);
    }
    wr_arena_clear(&scratch);
    return st;
}

static wr_status exchange_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct exchange *x = op->ctx;
    op->n.passed += b->n_live;
    if (!x)
        return wr_emit(op, b, err);
    op->n.out += b->n_live;
    wr_status st = WR_OK;
    for (struct target *t = x->list; t && st == WR_OK; t = t->next)
        st = t->n > 1 ? send_hashed(op, t, b, err)
                      : send(t->to[0], (struct wr_msg){.kind = WR_MSG_BATCH, .in = t->in, .up = op->instance, .b = wr_batch_ref(b)}, err);
    wr_batch_unref(b);
    return st;
}

static wr_status send_all(struct wr_op *op, struct wr_msg m, struct wr_error *err)
{
    struct exchange *x = op->ctx;
    m.up = op->instance;
    for (struct target *t = x ? x->list : NULL; t; t = t->next)
        for (int i = 0; i < t->n; i++) {
            m.in = t->in;
            WR_TRY(send(t->to[i], m, err));
        }
    return WR_OK;
}

static wr_status exchange_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    *fwd = w;
    return w == WR_WM_END ? WR_OK : send_all(op, (struct wr_msg){.kind = WR_MSG_WM, .w = w}, err);
}

wr_status wr_exchange_idle(struct wr_op *op, bool idle, struct wr_error *err)
{
    return send_all(op, (struct wr_msg){.kind = WR_MSG_IDLE, .w = idle}, err);
}

static wr_status exchange_finish(struct wr_op *op, struct wr_error *err) { return send_all(op, (struct wr_msg){.kind = WR_MSG_END}, err); }

static wr_status exchange_flush(struct wr_op *op, struct wr_error *err)
{
    return op->ended ? WR_OK : send_all(op, (struct wr_msg){.kind = WR_MSG_FLUSH}, err);
}

wr_status wr_exchange_halt(struct wr_op *op)
{
    struct wr_error ignored = WR_ERROR_INIT; /* a reader that is gone needs no word */
    (void)send_all(op, (struct wr_msg){.kind = WR_MSG_HALT}, &ignored);
    return WR_OK;
}

wr_status wr_exchange_barrier(struct wr_op *op, struct wr_error *err) { return send_all(op, (struct wr_msg){.kind = WR_MSG_BARRIER}, err); }

static void exchange_close(struct wr_op *op)
{
    free(op->ctx);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_exchange = {
    .name = "exchange", .open = wr_op_no_open, .process = exchange_process, .watermark = exchange_watermark, .tick = wr_op_no_tick,
    .flush = exchange_flush, .finish = exchange_finish, WR_OP_STATELESS, .close = exchange_close,
};

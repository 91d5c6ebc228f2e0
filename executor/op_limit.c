/* op_limit.c: LIMIT n OFFSET m over rows that are only added.
 * Rules:  the first rows in arrival order; when they are complete END is sent on at once, so that the job can stop reading.
 * Memory: two counters. */
#include "executor/op.h"
#include "executor/internal.h"

#include <stdlib.h>

struct limit {
    uint64_t skip, left; /* rows still to skip, still to pass */
    bool bounded;        /* left counts */
};

static wr_status limit_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_limit *p = &op->plan->u.limit;
    struct limit *l = wr_calloc(1, sizeof *l);
    *l = (struct limit){.skip = (uint64_t)p->offset, .left = p->limit < 0 ? 0 : (uint64_t)p->limit, .bounded = p->limit >= 0};
    op->ctx = l;
    return WR_OK;
}

static wr_status limit_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct limit *l = op->ctx;
    uint32_t n = b->n_live;
    uint32_t from = l->skip < n ? (uint32_t)l->skip : n;
    uint32_t take = n - from;
    if (l->bounded && take > l->left)
        take = (uint32_t)l->left;
    l->skip -= from;
    l->left -= l->bounded ? take : 0;
    op->n.passed += take;
    op->n.filtered += n - take;
    wr_status st = WR_OK;
    if (take == 0) {
        wr_batch_unref(b);
    } else if (take == n) {
        st = wr_emit(op, b, err);
    } else {
        uint32_t *sel = wr_live_rows(b, &b->mem);
        st = wr_emit(op, wr_batch_select(b, sel + from, take), err);
    }
    if (st == WR_OK && l->bounded && l->left == 0)
        st = wr_forward_end(op, err);
    return st;
}

static wr_status limit_tick(struct wr_op *op, int64_t mono_us WR_UNUSED, struct wr_error *err)
{
    struct limit *l = op->ctx;
    return l->bounded && l->left == 0 ? wr_forward_end(op, err) : WR_OK; /* LIMIT 0 */
}

static void limit_close(struct wr_op *op)
{
    free(op->ctx);
    op->ctx = NULL;
}

static wr_status limit_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    const struct limit *l = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64), out = WR_BUF_INIT(64);
    wr_op_key(&key, op, 'l');
    wr_buf_i64(&out, (int64_t)l->skip);
    wr_buf_i64(&out, (int64_t)l->left);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&out));
    wr_buf_clear(&key);
    wr_buf_clear(&out);
    return WR_OK;
}

static wr_status limit_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct limit *l = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str in;
    int64_t skip = 0, left = 0;
    wr_op_key(&key, op, 'l');
    bool found = wr_store_get(r, wr_buf_get(&key), &in);
    wr_buf_clear(&key);
    if (!found)
        return WR_OK;
    if (!wr_take_i64(&in, &skip) || !wr_take_i64(&in, &left) || skip < 0 || left < 0)
        return wr_fail(err, WR_EIO, "the checkpoint's state of LIMIT is damaged");
    l->skip = (uint64_t)skip;
    l->left = (uint64_t)left;
    return WR_OK;
}

const struct wr_op_vt wr_op_limit = {
    .name = "limit", .open = limit_open, .process = limit_process, .watermark = wr_op_pass_watermark, .tick = limit_tick, .flush = wr_op_no_flush,
    .finish = wr_op_no_finish, .checkpoint = limit_checkpoint, .restore = limit_restore, .close = limit_close,
};

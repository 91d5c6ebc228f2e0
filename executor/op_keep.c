/* op_keep.c: what the machinery of op.c keeps of every operator through checkpoints: its watermarks, and which inputs are idle.
 *
 * So an operator where several inputs meet goes on with the watermark it had: what was late stays late, and a window that closed stays closed.
 * Rules:  An exchange has no state of its own and may be there in one run and not in the next: it goes on from what its input sent last.
 *         END is not kept: an input that had ended may have grown, and the job reads on. Its last watermark before END is.
 *         With another number of instances the first one's figures serve all: behind a checkpoint all stand at the same watermark.
 * Memory: nothing is owned here. */
#include "executor/checkpoint.h"

static void put_key(struct wr_buf *key, const struct wr_op *op, int instance)
{
    wr_op_key(key, op, 'W');
    wr_op_key_own(key, instance);
}

void wr_op_keep(const struct wr_op *op, struct wr_buf *delta)
{
    if (op->plan->kind == WR_PLAN_EXCHANGE)
        return;
    struct wr_buf key = WR_BUF_INIT(64), out = WR_BUF_INIT(1 << 20);
    int n_inst = op->task->job->n_inst[op->plan->id];
    for (int i = n_inst; op->instance == 0 && i < op->n_was; i++) { /* there are fewer than there were */
        put_key(&key, op, i);
        wr_delta_delete(delta, wr_buf_get(&key));
    }
    put_key(&key, op, op->instance);
    wr_buf_u32(&out, (uint32_t)n_inst);
    wr_buf_i64(&out, op->wm_open);
    wr_buf_i64(&out, op->wm_out_open);
    wr_buf_u8(&out, op->idle && !op->ended);
    for (int i = 0; i < op->n_in; i++) {
        wr_buf_u32(&out, (uint32_t)op->input[i].n_up);
        for (int u = 0; u < op->input[i].n_up; u++) {
            wr_buf_i64(&out, op->input[i].wm[u]);
            wr_buf_u8(&out, op->input[i].idle[u] && !op->input[i].ended[u]);
        }
    }
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&out));
    wr_buf_clear(&key);
    wr_buf_clear(&out);
}

static bool read_input(struct wr_input *input, struct wr_str *in)
{
    uint32_t n_up;
    if (!wr_take_u32(in, &n_up))
        return false;
    int64_t first_wm = WR_WM_NONE;
    bool first_idle = false;
    for (uint32_t u = 0; u < n_up; u++) {
        int64_t wm;
        uint8_t idle;
        if (!wr_take_i64(in, &wm) || !wr_take_u8(in, &idle))
            return false;
        if (u == 0) {
            first_wm = wm;
            first_idle = idle;
        }
        if (u < (uint32_t)input->n_up) {
            input->wm[u] = wm;
            input->idle[u] = idle;
        }
    }
    for (uint32_t u = n_up; u < (uint32_t)input->n_up; u++) {
        input->wm[u] = first_wm;
        input->idle[u] = first_idle;
    }
    return true;
}

static void restore_exchange(struct wr_op *op)
{
    const struct wr_op *from = op->task->job->op[op->plan->in[0]->id][op->instance];
    op->wm = op->wm_open = op->wm_out = op->wm_out_open = op->input[0].wm[0] = from->wm_out;
    op->idle = op->input[0].idle[0] = from->idle;
}

wr_status wr_op_keep_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    if (op->plan->kind == WR_PLAN_EXCHANGE) {
        restore_exchange(op);
        return WR_OK;
    }
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str in;
    put_key(&key, op, 0);
    bool ok = true;
    uint32_t n_was = 0;
    bool found = wr_store_get(r, wr_buf_get(&key), &in);
    if (found) {
        ok = wr_take_u32(&in, &n_was) && n_was > 0 && n_was <= UINT16_MAX;
        op->n_was = (int)n_was;
    }
    if (found && op->instance > 0 && !wr_op_rescaled(op)) {
        put_key(&key, op, op->instance);
        found = wr_store_get(r, wr_buf_get(&key), &in) && wr_take_u32(&in, &n_was);
    }
    wr_buf_clear(&key);
    if (!found)
        return WR_OK;
    uint8_t idle = 0;
    ok = ok && wr_take_i64(&in, &op->wm_open) && wr_take_i64(&in, &op->wm_out_open) && wr_take_u8(&in, &idle);
    for (int i = 0; i < op->n_in && ok; i++)
        ok = read_input(&op->input[i], &in);
    op->wm = op->wm_open;
    op->wm_out = op->wm_out_open;
    op->idle = idle;
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the checkpoint's watermark of an operator is damaged");
}

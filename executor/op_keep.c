/* op_keep.c: what the machinery of op.c keeps of every operator through checkpoints: its watermarks, and which inputs are idle.
 *
 * So an operator where several inputs meet goes on with the watermark it had: what was late stays late, and a window that closed stays closed.
 * Rules:  An exchange has no state of its own and may be there in one run and not in the next: it goes on from what its input sent last.
 *         END is not kept: an input that had ended may have grown, and the job reads on. Its last watermark before END is.
 *         Instances may stand at different watermarks (OVER by event time holds it back for rows that wait): with another number of them
 *         each begins with the least of all.
 * Memory: nothing is owned here. */
#include "executor/checkpoint.h"

static void put_key(struct wr_buf *key, const struct wr_op *op, char kind, int instance)
{
    wr_op_key(key, op, kind);
    wr_op_key_own(key, instance);
}

/* There may be fewer instances than there were. */
static void delete_others(const struct wr_op *op, char kind, struct wr_buf *delta)
{
    struct wr_buf key = WR_BUF_INIT(64);
    for (int i = op->task->job->n_inst[op->plan->id]; op->instance == 0 && i < op->n_was; i++) {
        put_key(&key, op, kind, i);
        wr_delta_delete(delta, wr_buf_get(&key));
    }
    wr_buf_clear(&key);
}

void wr_op_keep_times(const struct wr_op *op, char kind, const int64_t *v, int n, struct wr_buf *delta)
{
    struct wr_buf key = WR_BUF_INIT(64), out = WR_BUF_INIT(1 << 10);
    delete_others(op, kind, delta);
    put_key(&key, op, kind, op->instance);
    for (int i = 0; i < n; i++)
        wr_buf_i64(&out, v[i]);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&out));
    wr_buf_clear(&key);
    wr_buf_clear(&out);
}

bool wr_op_restore_times(const struct wr_op *op, struct wr_store_reader *r, char kind, int64_t *v, int n)
{
    int from = wr_op_rescaled(op) ? 0 : op->instance, to = wr_op_rescaled(op) ? op->n_was : op->instance + 1;
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str in;
    bool ok = true, found = false;
    for (int i = from; i < to && ok; i++) {
        put_key(&key, op, kind, i);
        if (!wr_store_get(r, wr_buf_get(&key), &in))
            continue;
        for (int k = 0; k < n && ok; k++) {
            int64_t t = 0;
            ok = wr_take_i64(&in, &t);
            if (ok)
                v[k] = found && v[k] < t ? v[k] : t;
        }
        found = true;
    }
    wr_buf_clear(&key);
    return ok;
}

void wr_op_keep(const struct wr_op *op, struct wr_buf *delta)
{
    if (op->plan->kind == WR_PLAN_EXCHANGE)
        return;
    struct wr_buf key = WR_BUF_INIT(64), out = WR_BUF_INIT(1 << 20);
    delete_others(op, 'W', delta);
    put_key(&key, op, 'W', op->instance);
    wr_buf_u32(&out, (uint32_t)op->task->job->n_inst[op->plan->id]);
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

/* One upstream's place; another number of them: each the least. */
static void set_input(struct wr_input *input, int u, bool first, int64_t wm, bool idle)
{
    input->wm[u] = first || wm < input->wm[u] ? wm : input->wm[u];
    input->idle[u] = idle && (first || input->idle[u]);
}

static bool read_input(struct wr_input *input, bool first, struct wr_str *in)
{
    uint32_t n_up;
    if (!wr_take_u32(in, &n_up))
        return false;
    bool same = n_up == (uint32_t)input->n_up;
    for (uint32_t u = 0; u < n_up; u++) {
        int64_t wm;
        uint8_t idle;
        if (!wr_take_i64(in, &wm) || !wr_take_u8(in, &idle))
            return false;
        for (int k = same ? (int)u : 0; k < (same ? (int)u + 1 : input->n_up); k++)
            set_input(input, k, first && (same || u == 0), wm, idle);
    }
    return true;
}

/* first: nothing was read of another instance. */
static bool read_kept(struct wr_op *op, bool first, struct wr_str in)
{
    int64_t wm, out;
    uint32_t n_was;
    uint8_t idle = 0;
    bool ok = wr_take_u32(&in, &n_was) && n_was > 0 && n_was <= UINT16_MAX && wr_take_i64(&in, &wm) && wr_take_i64(&in, &out) && wr_take_u8(&in, &idle);
    if (!ok)
        return false;
    op->n_was = (int)n_was;
    op->wm_open = first || wm < op->wm_open ? wm : op->wm_open;
    op->wm_out_open = first || out < op->wm_out_open ? out : op->wm_out_open;
    op->idle = idle && (first || op->idle);
    for (int i = 0; i < op->n_in && ok; i++)
        ok = read_input(&op->input[i], first, &in);
    return ok;
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
    put_key(&key, op, 'W', 0);
    bool found = wr_store_get(r, wr_buf_get(&key), &in), ok = !found || read_kept(op, true, in);
    if (found && ok && !wr_op_rescaled(op) && op->instance > 0) {
        put_key(&key, op, 'W', op->instance);
        ok = wr_store_get(r, wr_buf_get(&key), &in) && read_kept(op, true, in);
    }
    for (int i = 1; found && ok && wr_op_rescaled(op) && i < op->n_was; i++) {
        put_key(&key, op, 'W', i);
        ok = wr_store_get(r, wr_buf_get(&key), &in) && read_kept(op, false, in);
    }
    wr_buf_clear(&key);
    if (!ok)
        return wr_fail(err, WR_EIO, "the checkpoint's watermark of an operator is damaged");
    if (found) {
        op->wm = op->wm_open;
        op->wm_out = op->wm_out_open;
    }
    return WR_OK;
}

/* op.c: the machinery between operators: emit, merge of watermarks and ends, named default slots, the list of operators.
 * Rules:  an operator's watermark is the minimum over its inputs (and their upstream instances) that are neither idle nor ended; it never goes back.
 *         END is watermark +infinity, then finish, then END.
 * Memory: nothing is owned here. */
#include "executor/op.h"

#include "executor/busy.h"

wr_status wr_op_no_open(struct wr_op *op WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
wr_status wr_op_pass_watermark(struct wr_op *op WR_UNUSED, int64_t w, int64_t *fwd, struct wr_error *err WR_UNUSED)
{
    *fwd = w;
    return WR_OK;
}
wr_status wr_op_no_tick(struct wr_op *op WR_UNUSED, int64_t mono_us WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
wr_status wr_op_no_flush(struct wr_op *op WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
wr_status wr_op_no_finish(struct wr_op *op WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
wr_status wr_op_no_state(struct wr_op *op WR_UNUSED, struct wr_buf *out WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
wr_status wr_op_no_restore(struct wr_op *op WR_UNUSED, struct wr_store_reader *r WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
void wr_op_no_close(struct wr_op *op WR_UNUSED) {}

int64_t wr_op_now(const struct wr_op *op)
{
    bool event = true;
    if (op->wm != WR_WM_NONE && op->wm != WR_WM_END)
        return op->wm;
    for (int i = 0; i < op->plan->n_in; i++)
        event &= op->plan->in[i]->time_col >= 0;
    return event ? 0 : op->task->mono_us;
}

void wr_time_key_put(struct wr_buf *key, int64_t us)
{
    uint64_t v = (uint64_t)us ^ UINT64_C(1) << 63;
    for (int shift = 56; shift >= 0; shift -= 8)
        wr_buf_u8(key, (uint8_t)(v >> shift));
}

int64_t wr_time_key_get(const char *p)
{
    uint64_t v = 0;
    for (int k = 0; k < 8; k++)
        v = v << 8 | (uint8_t)p[k];
    return (int64_t)(v ^ UINT64_C(1) << 63);
}

void wr_op_key(struct wr_buf *key, const struct wr_op *op, char kind)
{
    uint32_t id = (uint32_t)op->plan->state_id;
    wr_buf_reset(key);
    for (int shift = 24; shift >= 0; shift -= 8)
        wr_buf_u8(key, (uint8_t)(id >> shift)); /* big endian: prefixes sort by node */
    wr_buf_putc(key, kind);
}

void wr_op_key_own(struct wr_buf *key, int instance)
{
    wr_buf_u8(key, (uint8_t)(instance >> 8));
    wr_buf_u8(key, (uint8_t)instance);
}

int wr_op_key_instance(struct wr_str key)
{
    return key.n < 2 ? -1 : (uint8_t)key.p[key.n - 2] << 8 | (uint8_t)key.p[key.n - 1];
}

bool wr_op_rescaled(const struct wr_op *op) { return op->n_was > 0 && op->n_was != op->task->job->n_inst[op->plan->id]; }

wr_status wr_op_push(struct wr_op *op, int in, struct wr_batch *b, struct wr_error *err)
{
    if (op->ended) {
        /* A LIMIT that is satisfied: what still comes is not part of the answer. */
        op->n.in += b->n_live;
        op->n.filtered += b->n_live;
        wr_batch_unref(b);
        return WR_OK;
    }
    op->n.in += b->n_live;
    struct wr_op *was = wr_busy_enter(op);
    wr_status st = op->vt->process(op, in, b, err);
    wr_busy_leave(op, was);
    return st;
}

wr_status wr_emit(struct wr_op *op, struct wr_batch *b, struct wr_error *err)
{
    if (!b)
        return WR_OK;
    if (b->n_live == 0 || op->n_edge == 0) {
        wr_batch_unref(b);
        return WR_OK;
    }
    op->n.out += b->n_live;
    wr_status st = WR_OK;
    for (int i = 0; i < op->n_edge; i++) {
        if (i + 1 < op->n_edge)
            wr_batch_ref(b);
        if (st == WR_OK)
            st = wr_op_push(op->edge[i].to, op->edge[i].in, b, err);
        else
            wr_batch_unref(b);
    }
    return st;
}

/* The least watermark over what still counts; sets *all_idle when inputs remain but all are idle. */
static int64_t merged_wm(const struct wr_op *op, bool *all_idle)
{
    int64_t least = WR_WM_END;
    bool active = false, open = false;
    for (int i = 0; i < op->n_in; i++) {
        const struct wr_input *in = &op->input[i];
        for (int u = 0; u < in->n_up; u++) {
            if (in->ended[u])
                continue;
            open = true;
            if (in->idle[u])
                continue;
            active = true;
            if (in->wm[u] < least)
                least = in->wm[u];
        }
    }
    *all_idle = open && !active;
    return open && !active ? op->wm : least;
}

wr_status wr_forward_wm(struct wr_op *op, int64_t w, struct wr_error *err)
{
    if (w <= op->wm_out)
        return WR_OK;
    op->wm_out = w;
    if (w != WR_WM_END)
        op->wm_out_open = w;
    for (int i = 0; i < op->n_edge; i++)
        WR_TRY(wr_op_push_wm(op->edge[i].to, op->edge[i].in, op->instance, w, err));
    return WR_OK;
}

wr_status wr_forward_idle(struct wr_op *op, bool idle, struct wr_error *err)
{
    if (op->idle == idle)
        return WR_OK;
    op->idle = idle;
    if (op->plan->kind == WR_PLAN_EXCHANGE)
        WR_TRY(wr_exchange_idle(op, idle, err));
    for (int i = 0; i < op->n_edge; i++)
        WR_TRY(wr_op_push_idle(op->edge[i].to, op->edge[i].in, op->instance, idle, err));
    return WR_OK;
}

wr_status wr_forward_end(struct wr_op *op, struct wr_error *err)
{
    if (op->ended)
        return WR_OK;
    WR_TRY(wr_forward_wm(op, WR_WM_END, err));
    op->ended = true;
    for (int i = 0; i < op->n_edge; i++)
        WR_TRY(wr_op_push_end(op->edge[i].to, op->edge[i].in, op->instance, err));
    wr_job_op_ended(op);
    return WR_OK;
}

/* Gives the operator a risen watermark and passes on what it allows. */
static wr_status advance(struct wr_op *op, struct wr_error *err)
{
    bool idle;
    int64_t w = merged_wm(op, &idle);
    if (w > op->wm) {
        op->wm = w;
        if (w != WR_WM_END)
            op->wm_open = w;
        int64_t fwd = w;
        struct wr_op *was = wr_busy_enter(op);
        wr_status st = op->vt->watermark(op, w, &fwd, err);
        wr_busy_leave(op, was);
        WR_TRY(st);
        if (fwd != WR_WM_END) /* +infinity goes on only with END, after finish */
            WR_TRY(wr_forward_wm(op, fwd, err));
    }
    if (idle && !op->idle)
        WR_TRY(op->vt->flush(op, err)); /* what is still on its way comes before the word that nothing does */
    return wr_forward_idle(op, idle, err);
}

/* up counts instances of the upstream; an input with one upstream ignores it (several plan edges may come from instance numbers > 0). */
static int slot_of(const struct wr_input *in, int up) { return in->n_up == 1 ? 0 : up; }

wr_status wr_op_push_wm(struct wr_op *op, int in, int up, int64_t w, struct wr_error *err)
{
    struct wr_input *input = &op->input[in];
    int s = slot_of(input, up);
    if (op->ended || w <= input->wm[s] || w == WR_WM_END) /* END follows at once and does the rest */
        return WR_OK;
    input->wm[s] = w;
    return advance(op, err);
}

wr_status wr_op_push_idle(struct wr_op *op, int in, int up, bool idle, struct wr_error *err)
{
    struct wr_input *input = &op->input[in];
    int s = slot_of(input, up);
    if (op->ended || input->idle[s] == idle)
        return WR_OK;
    input->idle[s] = idle;
    return advance(op, err);
}

wr_status wr_op_push_end(struct wr_op *op, int in, int up, struct wr_error *err)
{
    struct wr_input *input = &op->input[in];
    int s = slot_of(input, up);
    if (op->ended || input->ended[s])
        return WR_OK;
    input->ended[s] = true;
    input->n_ended++;
    WR_TRY(advance(op, err));
    for (int i = 0; i < op->n_in; i++)
        if (op->input[i].n_ended < op->input[i].n_up)
            return WR_OK;
    struct wr_op *was = wr_busy_enter(op);
    wr_status st = op->vt->finish(op, err);
    wr_busy_leave(op, was);
    return st ? st : wr_forward_end(op, err);
}

uint32_t *wr_live_rows(const struct wr_batch *b, struct wr_arena *mem)
{
    uint32_t *sel = wr_arena_alloc(mem, sizeof(uint32_t) * (b->n_live ? b->n_live : 1));
    if (b->sel)
        memcpy(sel, b->sel, sizeof(uint32_t) * b->n_live);
    else
        for (uint32_t i = 0; i < b->n_live; i++)
            sel[i] = i;
    return sel;
}

wr_status wr_op_take_bad(struct wr_op *op, const struct wr_batch *b, uint32_t *sel, uint32_t *n, struct wr_error *err)
{
    struct wr_eval *ev = &op->ev;
    if (ev->n_bad == 0)
        return WR_OK;
    uint32_t kept = 0;
    for (uint32_t k = 0; k < *n; k++)
        if (!ev->bad[sel[k]])
            sel[kept++] = sel[k];
    *n = kept;
    for (uint32_t i = 0; i < ev->n_bad; i++)
        WR_TRY(wr_op_bad(op, b, ev->list[i].row, ev->list[i].reason, (struct wr_str){0}, ev->list[i].msg, err));
    ev->n_bad = 0;
    return WR_OK;
}

extern const struct wr_op_vt wr_op_scan, wr_op_values, wr_op_side, wr_op_watermark, wr_op_filter, wr_op_project, wr_op_window, wr_op_late_filter,
    wr_op_agg, wr_op_session, wr_op_top_n, wr_op_over, wr_op_over_time, wr_op_expand, wr_op_unnest, wr_op_match, wr_op_union, wr_op_setop, wr_op_lookup, wr_op_join, wr_op_sort,
    wr_op_limit, wr_op_exchange, wr_op_sink;

const struct wr_op_vt *wr_op_find(enum wr_pkind kind)
{
    switch (kind) {
    case WR_PLAN_SCAN: return &wr_op_scan;
    case WR_PLAN_VALUES: return &wr_op_values;
    case WR_PLAN_SIDE: return &wr_op_side;
    case WR_PLAN_WATERMARK: return &wr_op_watermark;
    case WR_PLAN_FILTER: return &wr_op_filter;
    case WR_PLAN_PROJECT: return &wr_op_project;
    case WR_PLAN_WINDOW: return &wr_op_window;
    case WR_PLAN_LATE: return &wr_op_late_filter;
    case WR_PLAN_AGG: return &wr_op_agg;
    case WR_PLAN_SESSION: return &wr_op_session;
    case WR_PLAN_UNION: return &wr_op_union;
    case WR_PLAN_SETOP: return &wr_op_setop;
    case WR_PLAN_LOOKUP: return &wr_op_lookup;
    case WR_PLAN_JOIN: return &wr_op_join;
    case WR_PLAN_TOP_N: return &wr_op_top_n;
    case WR_PLAN_OVER: return &wr_op_over;
    case WR_PLAN_OVER_TIME: return &wr_op_over_time;
    case WR_PLAN_EXPAND: return &wr_op_expand;
    case WR_PLAN_UNNEST: return &wr_op_unnest;
    case WR_PLAN_MATCH: return &wr_op_match;
    case WR_PLAN_SORT: return &wr_op_sort;
    case WR_PLAN_LIMIT: return &wr_op_limit;
    case WR_PLAN_EXCHANGE: return &wr_op_exchange;
    case WR_PLAN_SINK: return &wr_op_sink;
    case WR_PLAN_COUNT: break;
    }
    WR_BUG("no operator for plan node kind %d", (int)kind);
}

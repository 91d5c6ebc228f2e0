/* op_watermark.c: keeps the event-time clock of one source: W = min over active partitions of (greatest event time - delay).
 *
 * Rules:  updated row by row in delivery order; each row carries the W just before it (batch.wm), so that how the input is cut into batches
 *         cannot change which rows are late. W never goes back. A partition that has not delivered a row yet holds W at "none". A partition is
 *         idle when it is caught up and nothing came for `idle` µs of monotonic time; an idle or ended one does not count. All idle: W stays.
 *         A row without event time, outside years 1..9999, or further than max_future_skew past its own record timestamp is bad and moves nothing.
 * Memory: one struct a partition. */
#include "executor/internal.h"

#include <stdlib.h>

#include "core/time.h"

struct part {
    int64_t max_ts;      /* greatest accepted event time; WR_WM_NONE: none yet */
    int64_t wm;          /* max_ts - delay, or what it rejoined at; WR_WM_NONE: none */
    int64_t active_us;   /* monotonic time of its last row, or of the first look at it */
    bool idle;
    bool ended;          /* bounded, and its last row has gone through here */
};
struct clock {
    struct part *part;
    int n;
    int64_t wm;          /* W; WR_WM_NONE: none yet */
    const struct wr_source *src;
};

static wr_status clock_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    struct clock *c = wr_calloc(1, sizeof *c);
    c->wm = WR_WM_NONE;
    op->ctx = c;
    return WR_OK;
}

static void know_parts(struct wr_op *op, int n)
{
    struct clock *c = op->ctx;
    if (n <= c->n)
        return;
    c->part = wr_realloc(c->part, sizeof *c->part * (size_t)n);
    for (int i = c->n; i < n; i++)
        c->part[i] = (struct part){.max_ts = WR_WM_NONE, .wm = WR_WM_NONE, .active_us = op->task->mono_us};
    c->n = n;
}

static const struct wr_source *source_of(struct wr_op *op)
{
    struct clock *c = op->ctx;
    const struct wr_plan *scan = op->plan->u.watermark.scan;
    if (!c->src && scan)
        c->src = wr_scan_source(op->task->job->op[scan->id][0]);
    return c->src;
}

/* W as the active partitions have it now; never below what it was. */
static int64_t least(struct clock *c)
{
    int64_t w = WR_WM_END;
    bool any = false;
    for (int i = 0; i < c->n; i++) {
        if (c->part[i].idle || c->part[i].ended)
            continue;
        any = true;
        if (c->part[i].wm < w)
            w = c->part[i].wm;
    }
    return any && w > c->wm ? w : c->wm;
}

static wr_status clock_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_watermark *p = &op->plan->u.watermark;
    struct clock *c = op->ctx;
    const struct wr_source *src = source_of(op);
    know_parts(op, src && src->n_part > 0 ? src->n_part : 1);
    const struct wr_vec *time = &b->col[p->time_col];
    struct wr_batch *out = wr_batch_view(b, b->n_col);
    memcpy(out->col, b->col, sizeof b->col[0] * (size_t)b->n_col);
    int64_t *wm = wr_arena_alloc(&out->mem, sizeof *wm * (b->len ? b->len : 1));
    uint32_t *keep = wr_arena_alloc(&out->mem, sizeof *keep * (b->n_live ? b->n_live : 1)), n_keep = 0;
    int64_t w = c->wm, w_before = c->wm, min_ts = INT64_MAX;
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++) {
        uint32_t r = wr_batch_row(b, k);
        enum wr_reason why = WR_R_NONE;
        int64_t ts = 0;
        if (wr_vec_null(time, r))
            why = WR_R_TS_NULL;
        else if ((ts = WR_VEC_I64(time)[wr_vec_at(time, r)]) < WR_TIME_MIN || ts > WR_TIME_MAX)
            why = WR_R_TS_RANGE;
        else if (p->max_future_skew > 0 && b->rec_ts && b->rec_ts[r] != INT64_MIN && ts - p->max_future_skew > b->rec_ts[r])
            why = WR_R_TS_FUTURE;
        if (why) {
            st = wr_op_bad(op, b, r, why, op->plan->out->field[p->time_col].name, (struct wr_str){0}, err);
            continue;
        }
        keep[n_keep++] = r;
        wm[r] = w;
        min_ts = ts < min_ts ? ts : min_ts;
        uint32_t slot = wr_batch_part(b, r);
        if (slot >= (uint32_t)c->n)
            know_parts(op, (int)slot + 1);
        struct part *q = &c->part[slot];
        if (q->idle) {
            q->idle = false;
            if (q->wm < w)
                q->wm = w; /* rejoins at W: what it held back then is over */
        }
        q->active_us = op->task->mono_us;
        if (ts > q->max_ts) {
            bool held = q->wm <= w;
            q->max_ts = ts;
            if (ts - p->delay > q->wm)
                q->wm = ts - p->delay;
            if (held && q->wm > w)
                c->wm = w = least(c);
        }
    }
    out->wm0 = w_before;
    out->wm = min_ts < w ? wm : NULL; /* no row can be late at any window: the one value does */
    op->n.passed += n_keep;
    if (n_keep < b->n_live)
        out = wr_batch_select(out, keep, n_keep);
    wr_batch_unref(b);
    if (st) {
        wr_batch_unref(out);
        return st;
    }
    if (op->idle)
        WR_TRY(wr_forward_idle(op, false, err));
    WR_TRY(wr_emit(op, out, err));
    return w != WR_WM_NONE ? wr_forward_wm(op, w, err) : WR_OK;
}

/* Idle clocks: only while caught up, so that a slow broker cannot make a partition look idle. */
static wr_status clock_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err)
{
    const struct wr_plan_watermark *p = &op->plan->u.watermark;
    struct clock *c = op->ctx;
    const struct wr_source *src = source_of(op);
    if (!src)
        return WR_OK;
    know_parts(op, src->n_part);
    bool all_idle = c->n > 0;
    for (int i = 0; i < c->n && i < src->n_part; i++) {
        struct part *q = &c->part[i];
        q->ended = src->part[i].ended; /* only now: the source may say so together with the last rows */
        if (!src->part[i].caught_up)
            q->active_us = mono_us;
        else if (p->idle > 0 && mono_us - q->active_us >= p->idle)
            q->idle = true;
        all_idle &= q->idle || q->ended;
    }
    int64_t w = least(c);
    if (w > c->wm) {
        c->wm = w;
        WR_TRY(wr_forward_wm(op, w, err));
    }
    return wr_forward_idle(op, all_idle, err);
}

static wr_status clock_watermark(struct wr_op *op WR_UNUSED, int64_t w, int64_t *fwd, struct wr_error *err WR_UNUSED)
{
    *fwd = w == WR_WM_END ? w : WR_WM_NONE; /* the clock is ours; what came before it is not event time */
    return WR_OK;
}

static void clock_close(struct wr_op *op)
{
    struct clock *c = op->ctx;
    free(c->part);
    free(c);
    op->ctx = NULL;
}

static wr_status clock_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct clock *c = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64), out = WR_BUF_INIT(0);
    wr_op_key(&key, op, 'c');
    wr_buf_i64(&out, c->wm);
    wr_buf_u32(&out, (uint32_t)c->n);
    for (int i = 0; i < c->n; i++) {
        wr_buf_i64(&out, c->part[i].max_ts);
        wr_buf_i64(&out, c->part[i].wm);
        wr_buf_i64(&out, c->part[i].active_us);
        wr_buf_u8(&out, c->part[i].idle);
    }
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&out));
    wr_buf_clear(&key);
    wr_buf_clear(&out);
    return WR_OK;
}

static bool read_clock(struct wr_op *op, struct wr_str in)
{
    struct clock *c = op->ctx;
    uint32_t n;
    uint8_t idle;
    if (!wr_take_i64(&in, &c->wm) || !wr_take_u32(&in, &n) || n > 1000000)
        return false;
    know_parts(op, (int)n);
    for (uint32_t i = 0; i < n; i++) {
        if (!wr_take_i64(&in, &c->part[i].max_ts) || !wr_take_i64(&in, &c->part[i].wm)
            || !wr_take_i64(&in, &c->part[i].active_us) || !wr_take_u8(&in, &idle))
            return false;
        c->part[i].idle = idle != 0;
    }
    return true;
}

static wr_status clock_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str in;
    wr_op_key(&key, op, 'c');
    bool ok = !wr_store_get(r, wr_buf_get(&key), &in) || read_clock(op, in);
    wr_buf_clear(&key);
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the checkpoint's state of the watermark is damaged");
}

bool wr_watermark_part(const struct wr_op *op, int slot, struct wr_part_stats *out)
{
    const struct clock *c = op->ctx;
    if (!c || slot >= c->n)
        return false;
    const struct part *q = &c->part[slot];
    *out = (struct wr_part_stats){.max_ts = q->max_ts, .wm = q->wm, .idle = q->idle, .idle_us = op->task->mono_us - q->active_us};
    return true;
}

const struct wr_op_vt wr_op_watermark = {
    .name = "watermark", .open = clock_open, .process = clock_process, .watermark = clock_watermark, .tick = clock_tick, .flush = wr_op_no_flush,
    .finish = wr_op_no_finish, .checkpoint = clock_checkpoint, .restore = clock_restore, .close = clock_close,
};

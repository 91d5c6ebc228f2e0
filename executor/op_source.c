/* op_source.c: where rows come from: SCAN (a connector's source) and VALUES.
 * Rules:  a SCAN gives batches in delivery order and knows nothing of time; its END comes when the source has ended.
 *         Records the source could not decode are reported bad here, with their origin.
 * Memory: the source is ours; batches are handed on. */
#include "executor/busy.h"

#include <stdlib.h>

#include "core/log.h"

struct scan {
    struct wr_source *src;
    struct wr_source_spec spec;    /* the plan's, completed */
    struct wr_badsink bad;
    uint64_t seen_records, seen_bad, seen_skipped; /* of the source's counters: already in op->n */
};

static wr_status report_bad(void *ctx, const struct wr_bad *bad, struct wr_error *err)
{
    struct wr_op *op = ctx;
    op->n.bad++;
    return wr_job_bad(op, op->plan, bad, err);
}

static wr_status scan_open(struct wr_op *op, struct wr_error *err)
{
    struct wr_job *job = op->task->job;
    const struct wr_plan_scan *p = &op->plan->u.scan;
    struct scan *s = wr_calloc(1, sizeof *s);
    op->ctx = s;
    s->spec = p->spec;
    s->bad = (struct wr_badsink){report_bad, op};
    s->spec.bad = &s->bad;
    s->spec.stop = job->opts.stop;
    s->spec.batch_rows = job->opts.batch_rows;
    if (job->opts.open_source)
        WR_TRY(job->opts.open_source(job->opts.ctx, op->plan, &s->spec, &s->src, err));
    return s->src ? WR_OK : p->connector->source->open(&s->spec, &s->src, err);
}

/* The source's records become the operator's rows in; its skipped ones count as filtered. */
static void count(struct wr_op *op, struct scan *s)
{
    op->n.in += s->src->records - s->seen_records;
    op->n.filtered += s->src->skipped - s->seen_skipped;
    s->seen_records = s->src->records;
    s->seen_skipped = s->src->skipped;
}

static wr_status poll_values(struct wr_op *op, bool *got, struct wr_error *err);

wr_status wr_scan_poll(struct wr_op *op, int wait_ms, bool *got, struct wr_error *err)
{
    if (op->plan->kind == WR_PLAN_VALUES)
        return poll_values(op, got, err);
    struct scan *s = op->ctx;
    struct wr_batch *b = NULL;
    /* Waiting is not work: where it may wait, only the thread's own CPU time counts. */
    clockid_t which = wait_ms > 0 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC;
    int64_t began = wr_busy_clock(which);
    WR_TRY(s->src->vt->poll(s->src, wait_ms, &b, err));
    op->busy_ns += wr_busy_clock(which) - began;
    count(op, s);
    if (b) {
        *got = true;
        b->scan = op->plan;
        if (!b->src)
            b->src = b;
        op->n.passed += b->n_live;
        WR_TRY(wr_emit(op, b, err));
    }
    if (s->src->ended)
        return wr_forward_end(op, err);
    return WR_OK;
}

const struct wr_source *wr_scan_source(const struct wr_op *op) { return ((const struct scan *)op->ctx)->src; }

static wr_status scan_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    WR_BUG("%s has no input", op->vt->name);
}

static void scan_close(struct wr_op *op)
{
    struct scan *s = op->ctx;
    if (s->src)
        s->src->vt->close(s->src);
    free(s);
    op->ctx = NULL;
}

/* Where the source stands: behind the last batch it gave. Also part of what sinks commit. */
wr_status wr_scan_position(struct wr_op *op, struct wr_buf *out, struct wr_error *err)
{
    struct scan *s = op->ctx;
    return s->src->vt->position(s->src, out, err);
}

static wr_status scan_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err)
{
    struct wr_buf key = WR_BUF_INIT(64), out = WR_BUF_INIT(16 << 20);
    wr_op_key(&key, op, 'p');
    wr_status st = wr_scan_position(op, &out, err);
    if (st == WR_OK)
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&out));
    wr_buf_clear(&key);
    wr_buf_clear(&out);
    return st;
}

static wr_status scan_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct scan *s = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str at;
    wr_op_key(&key, op, 'p');
    wr_status st = wr_store_get(r, wr_buf_get(&key), &at) ? s->src->vt->seek(s->src, at, err) : WR_OK;
    wr_buf_clear(&key);
    return st;
}

const struct wr_op_vt wr_op_scan = {
    .name = "scan", .open = scan_open, .process = scan_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick, .flush = wr_op_no_flush,
    .finish = wr_op_no_finish, .checkpoint = scan_checkpoint, .restore = scan_restore, .close = scan_close,
};

/* ---- values ---- */

static wr_status poll_values(struct wr_op *op, bool *got, struct wr_error *err)
{
    const struct wr_plan_values *p = &op->plan->u.values;
    const struct wr_schema *out = op->plan->out;
    bool *given = op->ctx;
    for (int r = 0; r < p->n_row && !*given; r++) {
        struct wr_batch *b = wr_batch_new(out, 1);
        struct wr_batch *one = wr_batch_new(out, 1); /* an input of one row without columns read */
        one->len = one->n_live = 1;
        b->len = b->n_live = 1;
        wr_eval_begin(&op->ev, one, &b->mem);
        op->ev.now_us = op->task->now_us;
        for (int c = 0; c < out->n; c++) {
            struct wr_vec v;
            wr_eval(&op->ev, p->cell[r * out->n + c], one, NULL, 1, &v);
            wr_vec_gather(&b->col[c], &v, (uint32_t[]){0}, 1, &b->mem, true);
            b->col[c].type = out->field[c].type;
        }
        op->n.in++;
        uint32_t row = 0, n = 1;
        wr_status st = wr_op_take_bad(op, b, &row, &n, err);
        wr_batch_unref(one);
        if (st || n == 0) {
            wr_batch_unref(b);
            WR_TRY(st);
            continue;
        }
        *got = true;
        op->n.passed++;
        WR_TRY(wr_emit(op, b, err));
    }
    *given = true;
    return wr_forward_end(op, err);
}

static wr_status values_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    op->ctx = wr_calloc(1, sizeof(bool)); /* the rows were given, by this run or an earlier one */
    return WR_OK;
}

static void values_close(struct wr_op *op)
{
    free(op->ctx);
    op->ctx = NULL;
}

static wr_status values_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct wr_buf key = WR_BUF_INIT(64);
    wr_op_key(&key, op, 'v');
    if (*(bool *)op->ctx)
        wr_delta_put(delta, wr_buf_get(&key), (struct wr_str){0});
    wr_buf_clear(&key);
    return WR_OK;
}

static wr_status values_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err WR_UNUSED)
{
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str none;
    wr_op_key(&key, op, 'v');
    *(bool *)op->ctx = wr_store_get(r, wr_buf_get(&key), &none);
    wr_buf_clear(&key);
    return WR_OK;
}

const struct wr_op_vt wr_op_values = {
    .name = "values", .open = values_open, .process = scan_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, .checkpoint = values_checkpoint, .restore = values_restore, .close = values_close,
};

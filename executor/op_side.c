/* op_side.c: rows put aside, and those who read them: source$errors and source$late.
 * Rules:  every bad or late row is counted, whoever reads it or not; the log shows the first of each reason and then ever rarer ones.
 *         A SIDE operator may live in another thread than the operator that puts a row aside: what is pending is guarded by job->side_lock.
 *         Checkpoints hold what is pending: rows put aside before it and not read yet.
 * Memory: raw bytes of a bad record are copied; late rows are views that hold the source's batch. */
#include "executor/internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"

struct side {
    struct wr_builder errors;       /* ERRORS: pending rows */
    struct wr_batch **pending;      /* full error batches; late views */
    uint32_t n, cap;
    bool stored;                    /* the last checkpoint has some */
};

static wr_status side_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    struct side *s = wr_calloc(1, sizeof *s);
    s->errors.schema = op->plan->out;
    op->ctx = s;
    return WR_OK;
}

bool wr_side_wants(const struct wr_op *side, const void *scan, enum wr_side which)
{
    return side->plan->u.side.which == which && side->plan->u.side.scan == scan;
}

static void add_pending(struct side *s, struct wr_batch *b)
{
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->pending = wr_realloc(s->pending, s->cap * sizeof(struct wr_batch *));
    }
    s->pending[s->n++] = b;
}

void wr_side_add_bad(struct wr_op *op, const struct wr_bad *bad)
{
    struct side *s = op->ctx;
    wr_errors_add(&s->errors, bad);
    if (wr_builder_full(&s->errors))
        add_pending(s, wr_builder_take(&s->errors));
}

void wr_side_add_late(struct wr_op *op, const struct wr_batch *src, const uint32_t *row, uint32_t n)
{
    const struct wr_plan_side *p = &op->plan->u.side;
    union { const struct wr_batch *c; struct wr_batch *m; } of = {src}; /* only its reference count changes */
    struct wr_batch *v = wr_batch_view(of.m, p->n_col);
    for (int c = 0; c < p->n_col; c++)
        v->col[c] = src->col[p->col[c]];
    v->wm = NULL;
    v->wm0 = WR_WM_NONE;
    add_pending(op->ctx, wr_batch_select(v, row, n));
}

wr_status wr_side_drain(struct wr_op *op, struct wr_error *err)
{
    struct wr_job *job = op->task->job;
    struct side *s = op->ctx;
    /* Read before the pending rows: who ended has put its last row aside. */
    bool last = atomic_load(&job->open_producers) == 0;
    pthread_mutex_lock(&job->side_lock);
    struct wr_batch *b = wr_builder_take(&s->errors);
    if (b)
        add_pending(s, b);
    struct wr_batch **list = s->pending;
    uint32_t n = s->n;
    s->pending = NULL;
    s->n = s->cap = 0;
    pthread_mutex_unlock(&job->side_lock);
    wr_status st = WR_OK;
    for (uint32_t i = 0; i < n; i++) {
        op->n.in += list[i]->n_live;
        op->n.passed += list[i]->n_live;
        op->task->dirty = true;
        if (st)
            wr_batch_unref(list[i]);
        else
            st = wr_emit(op, list[i], err);
    }
    free(list);
    WR_TRY(st);
    return last ? wr_forward_end(op, err) : WR_OK;
}

static wr_status side_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    WR_BUG("%s has no input", op->vt->name);
}

/* While all tasks rest. */
static wr_status side_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct side *s = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64), rows = WR_BUF_INIT(UINT32_MAX);
    wr_op_key(&key, op, 'q');
    for (uint32_t i = 0; i < s->n; i++)
        wr_rowbytes_put(&rows, s->pending[i]);
    struct wr_batch *b = wr_builder_take(&s->errors);
    if (b) {
        wr_rowbytes_put(&rows, b);
        add_pending(s, b);
    }
    if (rows.n)
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&rows));
    else if (s->stored)
        wr_delta_delete(delta, wr_buf_get(&key));
    s->stored = rows.n > 0;
    wr_buf_clear(&key);
    wr_buf_clear(&rows);
    return WR_OK;
}

static wr_status side_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct side *s = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_builder bl = {.schema = op->plan->out};
    struct wr_arena scratch = {0};
    struct wr_str rows;
    bool ok = true;
    wr_op_key(&key, op, 'q');
    s->stored = wr_store_get(r, wr_buf_get(&key), &rows);
    while (s->stored && ok && rows.n > 0) {
        ok = wr_rowbytes_take(&rows, &bl, &scratch);
        if (wr_builder_full(&bl) || rows.n == 0)
            add_pending(s, wr_builder_take(&bl));
    }
    wr_batch_unref(wr_builder_take(&bl));
    wr_arena_clear(&scratch);
    wr_buf_clear(&key);
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the checkpoint's rows put aside are damaged");
}

static void side_close(struct wr_op *op)
{
    struct side *s = op->ctx;
    wr_batch_unref(wr_builder_take(&s->errors));
    for (uint32_t i = 0; i < s->n; i++)
        wr_batch_unref(s->pending[i]);
    free(s->pending);
    free(s);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_side = {
    .name = "side", .open = side_open, .process = side_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick, .flush = wr_op_no_flush,
    .finish = wr_op_no_finish, .checkpoint = side_checkpoint, .restore = side_restore, .close = side_close,
};

/* ---- counting, logging, routing ---- */

/* 1st, 10th, 100th, ... of its kind: the log stays readable whatever arrives. */
static bool worth_a_line(uint64_t n)
{
    while (n >= 10 && n % 10 == 0)
        n /= 10;
    return n == 1;
}

static void log_bad(const struct wr_plan *of, const struct wr_bad *bad, uint64_t n, const char *msg)
{
    char place[64] = "";
    if (bad->from.offset >= 0)
        (void)snprintf(place, sizeof place, "/%d offset %lld", bad->from.part, (long long)bad->from.offset);
    struct wr_str name = of ? wr_plan_outside(of) : (struct wr_str){0};
    wr_log(WR_LOG_WARN, "rows", "bad row (%s, number %llu)%s%.*s%s%.*s%s%s%.*s: %s", wr_reason_name(bad->reason), (unsigned long long)n, of ? " of " : "",
           WR_FMT(name), bad->from.topic.n ? " at " : "", WR_FMT(bad->from.topic), place, bad->column.n ? ", column " : "", WR_FMT(bad->column), msg);
}

wr_status wr_job_bad(struct wr_op *op, const void *scan, const struct wr_bad *bad, struct wr_error *err)
{
    struct wr_job *job = op->task->job;
    const struct wr_origin *o = &bad->from;
    const struct wr_plan *sp = scan, *of = scan ? scan : op->plan->kind == WR_PLAN_SINK ? op->plan : NULL;
    const char *msg = bad->msg[0] ? bad->msg : wr_reason_help(bad->reason);
    uint64_t n = atomic_fetch_add(&job->bad_by_reason[bad->reason], 1) + 1;
    if (sp && sp->u.scan.on_error_fail)
        return wr_fail(err, WR_EDATA, "bad row in source \"%.*s\"%s%.*s%s at %.*s partition %d offset %lld: %s", WR_FMT(sp->u.scan.spec.name),
                       bad->column.n ? ", column \"" : "", WR_FMT(bad->column), bad->column.n ? "\"" : "", WR_FMT(o->topic), o->part, (long long)o->offset, msg);
    if (worth_a_line(n))
        log_bad(of, bad, n, msg);
    if (job->opts.on_bad)
        job->opts.on_bad(job->opts.ctx, of, bad);
    if (job->n_side == 0)
        return WR_OK;
    pthread_mutex_lock(&job->side_lock);
    for (int i = 0; i < job->n_side; i++)
        if (wr_side_wants(job->side[i], scan, WR_SIDE_ERRORS))
            wr_side_add_bad(job->side[i], bad);
    pthread_mutex_unlock(&job->side_lock);
    return WR_OK;
}

wr_status wr_op_bad(struct wr_op *op, const struct wr_batch *b, uint32_t row, enum wr_reason why, struct wr_str column, struct wr_str msg,
                    struct wr_error *err)
{
    struct wr_bad bad = {.reason = why, .column = column};
    uint32_t n = msg.n < sizeof bad.msg - 1 ? msg.n : (uint32_t)sizeof bad.msg - 1;
    if (n)
        memcpy(bad.msg, msg.p, n);
    wr_batch_origin(b, row, &bad.from);
    op->n.bad++;
    return wr_job_bad(op, b->scan, &bad, err);
}

wr_status wr_op_late(struct wr_op *op, const struct wr_batch *b, const uint32_t *row, uint32_t n, struct wr_error *err WR_UNUSED)
{
    struct wr_job *job = op->task->job;
    op->n.late += n;
    uint64_t before = atomic_fetch_add(&job->late_total, n);
    if (before == 0 && n > 0)
        wr_log(WR_LOG_INFO, "rows", "first late row: INSERT INTO a sink SELECT * FROM <source>$late, beside the query, keeps them");
    for (uint32_t i = 0; i < n && job->opts.on_late; i++)
        job->opts.on_late(job->opts.ctx, b->scan, b, row[i]);
    if (job->n_side == 0 || !b->scan || !b->src)
        return WR_OK;
    pthread_mutex_lock(&job->side_lock);
    for (int i = 0; i < job->n_side; i++)
        if (wr_side_wants(job->side[i], b->scan, WR_SIDE_LATE))
            wr_side_add_late(job->side[i], b->src, row, n);
    pthread_mutex_unlock(&job->side_lock);
    return WR_OK;
}

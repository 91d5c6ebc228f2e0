/* op_sink.c: where rows go: a connector's sink.
 * Rules:  a pause of the input sends on what is buffered; END waits until the outside has everything.
 *         Rows the target refuses come back through report_bad and are bad rows of this operator.
 * Memory: the sink is ours; it consumes the batches. */
#include "executor/checkpoint.h"

#include <stdlib.h>

#include "core/failpoint.h"

struct sink {
    struct wr_sink *out;
    struct wr_sink_spec spec; /* the plan's, completed */
    struct wr_badsink bad;
    struct wr_buf outbox;     /* several transactional sinks: rows since the last checkpoint */
    bool unsent;              /* rows were written since the last flush */
};

static wr_status report_bad(void *ctx, const struct wr_bad *bad, struct wr_error *err)
{
    struct wr_op *op = ctx;
    op->n.bad++;
    op->n.passed--; /* it was counted as handed over */
    return wr_job_bad(op, NULL, bad, err);
}

static wr_status sink_open(struct wr_op *op, struct wr_error *err)
{
    struct wr_job *job = op->task->job;
    const struct wr_plan_sink *p = &op->plan->u.sink;
    struct sink *s = wr_calloc(1, sizeof *s);
    op->ctx = s;
    s->spec = p->spec;
    s->bad = (struct wr_badsink){report_bad, op};
    s->spec.bad = &s->bad;
    s->spec.stop = job->opts.stop;
    s->spec.exactly_once = p->spec.exactly_once && job->store;
    s->outbox.max = UINT32_MAX;
    if (job->store)
        s->spec.job = job->identity;
    if (job->opts.open_sink)
        WR_TRY(job->opts.open_sink(job->opts.ctx, op->plan, &s->spec, &s->out, err));
    return s->out ? WR_OK : p->connector->sink->open(&s->spec, &s->out, err);
}

struct wr_sink *wr_sink_of(struct wr_op *op) { return ((struct sink *)op->ctx)->out; }
struct wr_buf *wr_sink_outbox(struct wr_op *op) { return &((struct sink *)op->ctx)->outbox; }

bool wr_sink_is_transactional(struct wr_op *op)
{
    const struct sink *s = op->ctx;
    return s->spec.exactly_once && s->out->vt->recover && s->out->vt->commit;
}

wr_status wr_sink_replay(struct wr_op *op, struct wr_str rows, struct wr_error *err)
{
    struct sink *s = op->ctx;
    struct wr_builder bl = {.schema = op->plan->out};
    struct wr_arena a = {0};
    wr_status st = WR_OK;
    while (st == WR_OK && rows.n > 0) {
        if (!wr_rowbytes_take(&rows, &bl, &a))
            st = wr_fail(err, WR_EIO, "the rows kept for sink \"%.*s\" are damaged", WR_FMT(s->spec.name));
        if (st == WR_OK && wr_builder_full(&bl))
            st = s->out->vt->write(s->out, wr_builder_take(&bl), err);
    }
    struct wr_batch *last = wr_builder_take(&bl);
    if (st == WR_OK && last)
        st = s->out->vt->write(s->out, last, err);
    else
        wr_batch_unref(last);
    wr_arena_clear(&a);
    return st;
}

static wr_status sink_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct sink *s = op->ctx;
    (void)WR_FAILPOINT("op.batch");
    op->n.passed += b->n_live;
    s->unsent = true;
    if (op->task->job->n_transactional > 1 && wr_sink_is_transactional(op))
        wr_rowbytes_put(&s->outbox, b);
    return s->out->vt->write(s->out, b, err);
}

static wr_status sink_flush(struct wr_op *op, struct wr_error *err)
{
    struct sink *s = op->ctx;
    if (!s->unsent || wr_sink_is_transactional(op))
        return WR_OK; /* transactional: what is written shows with the checkpoint */
    s->unsent = false;
    if (op->task->halting || !s->out->vt->pause)
        return s->out->vt->flush(s->out, err);
    return s->out->vt->pause(s->out, err);
}

static wr_status sink_finish(struct wr_op *op, struct wr_error *err)
{
    struct sink *s = op->ctx;
    s->unsent = false;
    return wr_sink_is_transactional(op) ? WR_OK : s->out->vt->flush(s->out, err);
}

static void sink_close(struct wr_op *op)
{
    struct sink *s = op->ctx;
    if (s->out)
        s->out->vt->close(s->out);
    wr_buf_clear(&s->outbox);
    free(s);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_sink = {
    .name = "sink", .open = sink_open, .process = sink_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick, .flush = sink_flush,
    .finish = sink_finish, WR_OP_STATELESS, .close = sink_close,
};

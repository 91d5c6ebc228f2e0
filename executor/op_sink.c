/* op_sink.c: where rows go: a connector's sink.
 * Rules:  a pause of the input sends on what is buffered; END waits until the outside has everything.
 *         Rows the target refuses come back through report_bad and are bad rows of this operator.
 * Memory: the sink is ours; it consumes the batches. */
#include "executor/internal.h"

#include <stdlib.h>

struct sink {
    struct wr_sink *out;
    struct wr_sink_spec spec; /* the plan's, completed */
    struct wr_badsink bad;
    bool unsent;              /* rows were written since the last flush */
};

static wr_status report_bad(void *ctx, const struct wr_bad *bad, struct wr_error *err)
{
    struct wr_op *op = ctx;
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
    if (job->opts.open_sink)
        WR_TRY(job->opts.open_sink(job->opts.ctx, op->plan, &s->spec, &s->out, err));
    return s->out ? WR_OK : p->connector->sink->open(&s->spec, &s->out, err);
}

static wr_status sink_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct sink *s = op->ctx;
    op->n.passed += b->n_live;
    s->unsent = true;
    return s->out->vt->write(s->out, b, err);
}

static wr_status sink_flush(struct wr_op *op, struct wr_error *err)
{
    struct sink *s = op->ctx;
    if (!s->unsent)
        return WR_OK;
    s->unsent = false;
    if (op->task->halting || !s->out->vt->pause)
        return s->out->vt->flush(s->out, err);
    return s->out->vt->pause(s->out, err);
}

static wr_status sink_finish(struct wr_op *op, struct wr_error *err)
{
    struct sink *s = op->ctx;
    s->unsent = false;
    return s->out->vt->flush(s->out, err);
}

static void sink_close(struct wr_op *op)
{
    struct sink *s = op->ctx;
    if (s->out)
        s->out->vt->close(s->out);
    free(s);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_sink = {
    .name = "sink", .open = sink_open, .process = sink_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick, .flush = sink_flush,
    .finish = sink_finish, WR_OP_STATELESS, .close = sink_close,
};

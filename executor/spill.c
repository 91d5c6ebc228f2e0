/* spill.c: see spill.h.
 * Memory: `out` holds what one pass of an operator puts; the store is the task's. */
#include "executor/spill.h"

#include <stdlib.h>

void wr_spill_init(struct wr_spill *s, struct wr_op *op) { *s = (struct wr_spill){.op = op}; }

#define SLACK_MOST ((uint64_t)16 << 20)
uint64_t wr_spill_slack(const struct wr_op *op)
{
    uint64_t part = (uint64_t)op->task->job->plan->max_state / 8;
    return part < SLACK_MOST ? part : SLACK_MOST;
}

bool wr_spill_wanted(const struct wr_op *op) { return op->task->job->plan->max_state > 0 || op->task->job->opts.spill_each; }

void wr_spill_gathered(const struct wr_op *op, uint64_t waiting)
{
    uint64_t limit = (uint64_t)op->task->job->plan->max_state;
    if (limit > 0 && waiting > limit / 4 && op->task->job->store)
        wr_job_checkpoint_now(op->task->job);
}

void wr_spill_clear(struct wr_spill *s)
{
    wr_store_reader_free(s->reader);
    wr_buf_clear(&s->out);
    wr_omap_clear(&s->deleted);
    wr_spill_init(s, s->op);
}

void wr_spill_put(struct wr_spill *s, struct wr_str key, uint32_t epoch, struct wr_str value)
{
    struct wr_buf whole = WR_BUF_INIT(0);
    wr_buf_u32(&whole, epoch);
    wr_buf_str(&whole, value);
    wr_delta_put(&s->out, key, wr_buf_get(&whole));
    wr_buf_clear(&whole);
}

void wr_spill_delete(struct wr_spill *s, struct wr_str key)
{
    if (!s->reader || wr_omap_get(&s->deleted, key))
        return;
    wr_delta_delete(&s->out, key);
    wr_omap_add(&s->deleted, key, 1);
}

void wr_spill_delete_prefix(struct wr_spill *s, struct wr_str prefix)
{
    if (s->reader)
        wr_delta_delete_prefix(&s->out, prefix);
}

wr_status wr_spill_write(struct wr_spill *s, struct wr_error *err)
{
    struct wr_task *t = s->op->task;
    if (s->out.n == 0)
        return WR_OK;
    if (!t->spill)
        WR_TRY(wr_store_open_temp(t->job->opts.checkpoint_dir, &t->spill, err));
    WR_TRY(wr_store_write(t->spill, &s->out, err));
    wr_buf_reset(&s->out);
    wr_omap_clear(&s->deleted);
    if (!s->reader)
        s->reader = wr_store_reader_new(t->spill);
    return WR_OK;
}

bool wr_spill_get(struct wr_spill *s, struct wr_str key, uint32_t *epoch, struct wr_str *value)
{
    return s->reader && (s->deleted.n_key == 0 || wr_omap_get(&s->deleted, key) == 0) && wr_store_get(s->reader, key, value) && wr_take_u32(value, epoch);
}

struct scan { struct wr_spill *s; bool (*fn)(void *, struct wr_str, uint32_t, struct wr_str); void *ctx; };

static bool scan_one(void *ctx, struct wr_str key, struct wr_str value)
{
    struct scan *c = ctx;
    uint32_t epoch;
    if (!wr_take_u32(&value, &epoch) || wr_omap_get(&c->s->deleted, key))
        return true;
    return c->fn(c->ctx, key, epoch, value);
}

void wr_spill_scan(struct wr_spill *s, struct wr_str prefix, bool (*fn)(void *, struct wr_str, uint32_t, struct wr_str), void *ctx)
{
    if (!s->reader)
        return;
    struct scan c = {s, fn, ctx};
    struct wr_store_reader *own = wr_store_reader_new(s->op->task->spill); /* fn may write: the other one would move on */
    wr_store_scan(own, prefix, scan_one, &c);
    wr_store_reader_free(own);
}

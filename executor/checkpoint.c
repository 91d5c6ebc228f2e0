/* checkpoint.c: see checkpoint.h.
 * Memory: deltas live for one checkpoint; the store is the job's. */
#include "executor/checkpoint.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/failpoint.h"
#include "core/log.h"
#include "core/time.h"

static const char *const file_name[] = {"data.mdb", "lock.mdb", "lock"};

/* ---- identity and plan ---- */

static void remove_files(const char *dir)
{
    char path[4200];
    for (size_t i = 0; i < sizeof file_name / sizeof *file_name; i++) {
        snprintf(path, sizeof path, "%s/%s", dir, file_name[i]);
        (void)unlink(path);
    }
}

/* What a source or sink stands for outside; other options (brokers, passwords) may change. */
static void outside_text(const struct wr_opts *opts, struct wr_buf *out)
{
    static const char *const name[] = {"topic", "topic_pattern", "table", "path"};
    struct wr_str value;
    for (size_t i = 0; i < sizeof name / sizeof *name; i++)
        if (wr_opt_text(opts, name[i], &value))
            wr_buf_printf(out, " %s = '%.*s'", name[i], WR_FMT(value));
    wr_buf_putc(out, '\n');
}

static void plan_text(const struct wr_job *job, struct wr_buf *out)
{
    wr_jobplan_print_state(out, job->plan);
    for (int i = 0; i < job->plan->n_node; i++) {
        const struct wr_plan *p = job->plan->node[i];
        if (p->kind != WR_PLAN_SINK && p->kind != WR_PLAN_SCAN)
            continue;
        wr_buf_printf(out, "%s %.*s:", p->kind == WR_PLAN_SINK ? "sink" : "source", WR_FMT(p->kind == WR_PLAN_SINK ? p->u.sink.spec.name : p->u.scan.spec.name));
        outside_text(p->kind == WR_PLAN_SINK ? p->u.sink.spec.opts : p->u.scan.spec.opts, out);
    }
}

/* The query as it was when the directory was made, and the shape that its state has. */
static wr_status keep_plan(struct wr_job *job, struct wr_str text, struct wr_str shape, struct wr_error *err)
{
    WR_TRY(wr_store_set(job->store, "plan", text, err));
    return wr_store_set(job->store, "shape", shape, err);
}

/* Says what differs, and what of the state the new query could take over. */
static wr_status refuse_plan(struct wr_job *job, struct wr_str was, struct wr_str is, const struct wr_str *had, struct wr_str shape, struct wr_error *err)
{
    struct wr_buf diff = WR_BUF_INIT(1 << 16);
    int n = 0, same = had ? wr_shape_common(*had, shape, &n) : 0;
    wr_text_difference(was, is, &diff);
    wr_fail(err, WR_EUSAGE, "the checkpoint in \"%s\" belongs to another query%.*s", job->opts.checkpoint_dir, (int)diff.n, diff.p);
    if (had && wr_str_eq(*had, shape))
        wr_hint(err, "all of its state fits the new query: --adapt goes on with it; --reset starts anew");
    else
        wr_hint(err, "%d of %d operators are as they were, so the state does not fit; run the query it was made for, take another directory, or start anew "
                     "with --reset", same, n);
    wr_buf_clear(&diff);
    return WR_EUSAGE;
}

static wr_status check_plan(struct wr_job *job, struct wr_error *err)
{
    struct wr_buf now = WR_BUF_INIT(16 << 20), shape = WR_BUF_INIT(16 << 20);
    struct wr_str was, had;
    wr_status st = WR_OK;
    plan_text(job, &now);
    wr_job_shape(job->plan, &shape);
    bool known = wr_store_value(job->store, "plan", &job->arena, &was), shaped = wr_store_value(job->store, "shape", &job->arena, &had);
    if (!known)
        st = keep_plan(job, wr_buf_get(&now), wr_buf_get(&shape), err);
    else if (!wr_str_eq(was, wr_buf_get(&now))) {
        bool fits = job->opts.checkpoint_adapt && shaped && wr_str_eq(had, wr_buf_get(&shape));
        st = fits ? keep_plan(job, wr_buf_get(&now), wr_buf_get(&shape), err)
                  : refuse_plan(job, was, wr_buf_get(&now), shaped ? &had : NULL, wr_buf_get(&shape), err);
    }
    wr_buf_clear(&now);
    wr_buf_clear(&shape);
    return st;
}

/* Name of the job plus a number drawn once for the directory: what sinks know it by, so that a new directory is a new job to them. */
static wr_status identify(struct wr_job *job, struct wr_error *err)
{
    struct wr_str id;
    if (wr_store_value(job->store, "identity", &job->arena, &id)) {
        job->identity = id;
        return WR_OK;
    }
    uint64_t n = 0;
    if (getrandom(&n, sizeof n, 0) != sizeof n)
        n = (uint64_t)wr_clock_wall();
    struct wr_str name = job->plan->name.n ? job->plan->name : WR_STR("job");
    job->identity = wr_arena_printf(&job->arena, "%.*s-%012llx", WR_FMT(name), (unsigned long long)(n & UINT64_C(0xffffffffffff)));
    return wr_store_set(job->store, "identity", job->identity, err);
}

wr_status wr_checkpoint_open(struct wr_job *job, struct wr_error *err)
{
    if (!job->opts.checkpoint_dir)
        return WR_OK;
    if (job->opts.checkpoint_reset)
        remove_files(job->opts.checkpoint_dir);
    if (job->opts.savepoint)
        WR_TRY(wr_job_savepoint(job->opts.savepoint, job->opts.checkpoint_dir, err));
    WR_TRY(wr_store_open(job->opts.checkpoint_dir, &job->store, err));
    if (job->opts.savepoint)
        WR_TRY(wr_store_fork(job->store, err));
    WR_TRY(check_plan(job, err));
    return identify(job, err);
}

wr_status wr_job_savepoint(const char *from, const char *to, struct wr_error *err)
{
    char path[4200];
    struct wr_store *s;
    snprintf(path, sizeof path, "%s/data.mdb", from);
    if (access(path, R_OK))
        return wr_fail(err, WR_EUSAGE, "there is no checkpoint in \"%s\"", from);
    snprintf(path, sizeof path, "%s/data.mdb", to);
    if (access(path, F_OK) == 0) {
        wr_fail(err, WR_EUSAGE, "directory \"%s\" holds a checkpoint already", to);
        wr_hint(err, "take another directory, or forget what it holds with --reset");
        return WR_EUSAGE;
    }
    WR_TRY(wr_store_open(from, &s, err));
    wr_status st = wr_store_copy(s, to, err);
    wr_store_close(s);
    return st;
}

void wr_checkpoint_close(struct wr_job *job)
{
    wr_store_close(job->store);
    job->store = NULL;
}

/* ---- helpers over operators ---- */

#define EACH_OP(job, op)                                       \
    for (int i_ = 0; i_ < (job)->plan->n_node; i_++)           \
        for (int u_ = 0; u_ < (job)->n_inst[i_]; u_++)         \
            for (struct wr_op *op = (job)->op[i_][u_]; op; op = NULL)

static int count_transactional(struct wr_job *job)
{
    int n = 0;
    EACH_OP(job, op)
        n += op->plan->kind == WR_PLAN_SINK && wr_sink_is_transactional(op);
    return n;
}

static wr_status collect_positions(struct wr_job *job, struct wr_position **pos, int *n)
{
    int cap = 0;
    *n = 0;
    EACH_OP(job, op)
        if (op->plan->kind == WR_PLAN_SCAN)
            cap += wr_scan_source(op)->n_part;
    *pos = wr_calloc((size_t)cap + 1, sizeof **pos);
    EACH_OP(job, op) {
        if (op->plan->kind != WR_PLAN_SCAN)
            continue;
        const struct wr_source *src = wr_scan_source(op);
        for (int p = 0; p < src->n_part && *n < cap; p++)
            (*pos)[(*n)++] = (struct wr_position){op->plan->u.scan.spec.name, src->part[p].topic, src->part[p].num, src->part[p].next};
    }
    return WR_OK;
}

/* ---- taking ---- */

static wr_status snapshot_sink(struct wr_op *op, bool outbox, struct wr_buf *delta, struct wr_error *err)
{
    struct wr_sink *s = wr_sink_of(op);
    struct wr_buf key = WR_BUF_INIT(64);
    wr_status st = WR_OK;
    if (s->vt->position) {
        struct wr_buf at = WR_BUF_INIT(1 << 20);
        st = s->vt->position(s, &at, err);
        wr_op_key(&key, op, 'f');
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&at));
        wr_buf_clear(&at);
    } else if (!wr_sink_is_transactional(op)) {
        st = s->vt->flush(s, err); /* at least once: what came before the checkpoint is out */
    }
    if (outbox && wr_sink_is_transactional(op)) {
        struct wr_buf *rows = wr_sink_outbox(op);
        wr_op_key(&key, op, 'o');
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(rows));
        if (rows->overflow)
            st = wr_fail(err, WR_ELIMIT, "one checkpoint of sink \"%.*s\" holds more rows than fit", WR_FMT(op->plan->u.sink.spec.name));
        wr_buf_reset(rows);
    }
    wr_buf_clear(&key);
    return st;
}

/* What the job as a whole keeps: its monotonic time, so that idle time-outs, state.ttl and EMIT EVERY go on where they were. */
#define CLOCK_KEY WR_STR("\xff\xff\xff\xff" "m")

static void snapshot_job(struct wr_job *job, struct wr_buf *delta)
{
    struct wr_buf now = WR_BUF_INIT(64);
    wr_buf_i64(&now, wr_job_mono(job));
    wr_delta_put(delta, CLOCK_KEY, wr_buf_get(&now));
    wr_buf_clear(&now);
}

static void restore_job(struct wr_job *job, struct wr_store_reader *r)
{
    struct wr_str in;
    int64_t then;
    if (wr_store_get(r, CLOCK_KEY, &in) && wr_take_i64(&in, &then))
        job->mono_shift = then - wr_job_mono(job);
    for (int i = 0; i < job->n_task; i++)
        job->task[i].mono_us = wr_job_mono(job);
}

wr_status wr_checkpoint_task(struct wr_task *t, struct wr_error *err)
{
    bool several = t->job->n_transactional > 1;
    if (t->id == 0) {
        t->job->ckpt_began = wr_clock_mono();
        (void)WR_FAILPOINT("ckpt.begin");
    }
    WR_TRY(wr_task_flush(t, err)); /* EMIT EVERY that is not due keeps its changes: they are part of the state */
    t->delta = (struct wr_buf)WR_BUF_INIT(UINT32_MAX);
    if (t->id == 0)
        snapshot_job(t->job, &t->delta);
    for (int i = 0; i < t->n_op; i++) {
        struct wr_op *op = t->op[i];
        wr_op_keep(op, &t->delta);
        if (op->vt->checkpoint && op->plan->kind != WR_PLAN_SIDE)
            WR_TRY(op->vt->checkpoint(op, &t->delta, err));
        if (op->plan->kind == WR_PLAN_SINK)
            WR_TRY(snapshot_sink(op, several, &t->delta, err));
    }
    return WR_OK;
}

/* Rows put aside may come from any task until all rest. */
static wr_status snapshot_sides(struct wr_job *job, struct wr_buf *delta, struct wr_error *err)
{
    for (int i = 0; i < job->n_side; i++)
        WR_TRY(job->side[i]->vt->checkpoint(job->side[i], delta, err));
    return WR_OK;
}

static wr_status prepare(struct wr_job *job, uint64_t id, struct wr_error *err)
{
    struct wr_buf *delta = wr_calloc((size_t)job->n_task, sizeof *delta);
    wr_status st = snapshot_sides(job, &job->task[0].delta, err);
    job->ckpt_bytes = 0;
    for (int i = 0; i < job->n_task; i++) {
        delta[i] = job->task[i].delta;
        job->task[i].delta = (struct wr_buf){0};
        job->ckpt_bytes += delta[i].n;
    }
    if (st == WR_OK)
        st = wr_store_prepare(job->store, id, delta, job->n_task, err);
    for (int i = 0; i < job->n_task; i++)
        wr_buf_clear(&delta[i]);
    free(delta);
    return st;
}

static wr_status commit_sinks(struct wr_job *job, uint64_t id, struct wr_error *err)
{
    struct wr_position *pos;
    int n;
    WR_TRY(collect_positions(job, &pos, &n));
    wr_status st = WR_OK;
    EACH_OP(job, op)
        if (st == WR_OK && op->plan->kind == WR_PLAN_SINK && wr_sink_is_transactional(op))
            st = wr_sink_of(op)->vt->commit(wr_sink_of(op), id, pos, n, err);
    free(pos);
    return st;
}

wr_status wr_checkpoint_finish(struct wr_job *job, struct wr_error *err)
{
    bool several = job->n_transactional > 1;
    uint64_t id = wr_store_applied(job->store) + 1;
    wr_status st = prepare(job, id, err);
    (void)WR_FAILPOINT("ckpt.prepared");
    if (st == WR_OK && several)
        st = wr_store_apply(job->store, err);
    if (st == WR_OK)
        st = commit_sinks(job, id, err);
    if (st == WR_OK && !several)
        st = wr_store_apply(job->store, err);
    if (st == WR_OK) {
        job->ckpt_id = id;
        job->ckpt_us = wr_clock_mono() - job->ckpt_began;
        job->ckpt_wall = wr_clock_wall();
        wr_log(WR_LOG_DEBUG, "checkpoint", "%llu: %llu bytes, %lld us", (unsigned long long)id, (unsigned long long)job->ckpt_bytes, (long long)job->ckpt_us);
    }
    return st;
}

wr_status wr_checkpoint_take(struct wr_job *job, struct wr_error *err)
{
    WR_TRY(wr_checkpoint_task(&job->task[0], err));
    return wr_checkpoint_finish(job, err);
}

/* ---- restoring ---- */

static wr_status mismatch(struct wr_job *job, const struct wr_op *op, uint64_t sink_id, struct wr_error *err)
{
    wr_fail(err, WR_EIO, "sink \"%.*s\" has checkpoint %llu, and \"%s\" has %llu: they do not belong together", WR_FMT(op->plan->u.sink.spec.name),
            (unsigned long long)sink_id, job->opts.checkpoint_dir, (unsigned long long)wr_store_applied(job->store));
    wr_hint(err, "the directory or the target was replaced by an older copy; take the matching one, or start anew with --reset");
    return WR_EIO;
}

/* One transactional sink: its answer decides over the pending delta. */
static wr_status settle_one(struct wr_job *job, struct wr_op *op, uint64_t id, struct wr_error *err)
{
    uint64_t applied = wr_store_applied(job->store), pending = wr_store_pending(job->store);
    if (pending && id == pending)
        return wr_store_apply(job->store, err);
    if (id == applied)
        return wr_store_drop(job->store, err);
    return mismatch(job, op, id, err);
}

/* Several: a sink one behind gets its rows from the outbox. */
static wr_status settle_of_several(struct wr_job *job, struct wr_op *op, uint64_t id, struct wr_store_reader *r, struct wr_error *err)
{
    uint64_t applied = wr_store_applied(job->store);
    if (id == applied)
        return WR_OK;
    if (id + 1 != applied)
        return mismatch(job, op, id, err);
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str rows;
    wr_op_key(&key, op, 'o');
    wr_status st = WR_OK;
    if (wr_store_get(r, wr_buf_get(&key), &rows))
        st = wr_sink_replay(op, rows, err);
    wr_buf_clear(&key);
    struct wr_position *pos;
    int n;
    if (st == WR_OK)
        st = collect_positions(job, &pos, &n);
    if (st == WR_OK) {
        st = wr_sink_of(op)->vt->commit(wr_sink_of(op), applied, pos, n, err);
        free(pos);
    }
    return st;
}

static wr_status settle_sinks(struct wr_job *job, struct wr_store_reader *r, struct wr_error *err)
{
    bool several = job->n_transactional > 1;
    if (job->n_transactional == 0 || several)
        WR_TRY(wr_store_drop(job->store, err)); /* no sink can have seen it: it was not applied */
    EACH_OP(job, op) {
        if (op->plan->kind != WR_PLAN_SINK || !wr_sink_is_transactional(op))
            continue;
        uint64_t id;
        WR_TRY(wr_sink_of(op)->vt->recover(wr_sink_of(op), &id, err));
        WR_TRY(several ? WR_OK : settle_one(job, op, id, err));
        if (several)
            WR_TRY(settle_of_several(job, op, id, r, err));
    }
    return WR_OK;
}

static wr_status restore_ops(struct wr_job *job, struct wr_store_reader *r, struct wr_error *err)
{
    restore_job(job, r);
    EACH_OP(job, op) {
        WR_TRY(wr_op_keep_restore(op, r, err));
        if (op->vt->restore)
            WR_TRY(op->vt->restore(op, r, err));
        if (op->plan->kind != WR_PLAN_SINK || !wr_sink_of(op)->vt->seek)
            continue;
        struct wr_buf key = WR_BUF_INIT(64);
        struct wr_str at = {0};
        wr_op_key(&key, op, 'f');
        if (!wr_store_get(r, wr_buf_get(&key), &at))
            at = (struct wr_str){0};
        wr_status st = wr_sink_of(op)->vt->seek(wr_sink_of(op), at, err);
        wr_buf_clear(&key);
        WR_TRY(st);
    }
    return WR_OK;
}

wr_status wr_checkpoint_restore(struct wr_job *job, struct wr_error *err)
{
    if (!job->store)
        return WR_OK;
    job->n_transactional = count_transactional(job);
    struct wr_store_reader *r = wr_store_reader_new(job->store);
    wr_status st = settle_sinks(job, r, err);
    (void)WR_FAILPOINT("ckpt.restore");
    if (st == WR_OK)
        st = restore_ops(job, r, err);
    if (st == WR_OK)
        st = wr_store_sound(job->store, err);
    wr_store_reader_free(r);
    job->ckpt_id = wr_store_applied(job->store);
    if (st == WR_OK && job->ckpt_id)
        wr_log(WR_LOG_INFO, "checkpoint", "resumed from checkpoint %llu in \"%s\"", (unsigned long long)job->ckpt_id, job->opts.checkpoint_dir);
    return st;
}

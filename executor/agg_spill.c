/* agg_spill.c: groups of an aggregate that are not in memory, because the job was started again or because its state is over max_state_bytes.
 *
 * Where a group is, the newest first:   memory   the spill   the checkpoint (agg_state.c)
 * A group that goes to disk is written to the spill unless that, or the applied checkpoint, has it as it is. It comes back when a row asks for it.
 * The spill's records of an interval between two checkpoints go into the second one's delta; they stay in the spill for one interval more, because until
 * that delta is applied the checkpoint does not have them.
 * A filter for each pane says which keys can be on disk at all, so that new keys cost no look.
 * Rules:  second chance: a group goes when no row has come for it since the search last passed. Dirty groups (their old result is kept elsewhere) stay
 *         until the flush. Which groups are on disk never shows in results.
 * Memory: a pass gathers its records in the spill's buffer. */
#include "core/key.h"
#include "executor/agg.h"

uint64_t wr_agg_bytes(const struct wr_agg_op *a)
{
    uint64_t n = wr_sums_bytes(a) + a->gone.n + a->gone_keys.heap + a->spill.deleted.heap + (uint64_t)a->n_before * 16 * (uint64_t)a->op->plan->out->n;
    for (int k = 0; k < 2; k++) {
        const struct wr_panes *l = k ? &a->window : &a->input;
        for (int i = 0; i < l->n; i++) {
            const struct wr_pane *p = l->pane[i];
            n += sizeof *p + p->out.bytes + wr_groups_bytes(&p->groups) + p->n_dirty * sizeof *p->dirty + p->n_changed * sizeof *p->changed;
        }
    }
    return n;
}

/* ---- to disk ---- */

struct pass { struct wr_agg_op *a; struct wr_pane *p; struct wr_buf key, value; size_t prefix; bool settled; };

/* Does the checkpoint have what it was given? Not before the delta with it is applied. */
static bool is_settled(const struct wr_agg_op *a)
{
    return a->track && wr_store_applied(a->op->task->job->store) >= a->snapshot_id;
}

static void count_disk(struct wr_agg_op *a, struct wr_pane *p, uint64_t more, uint64_t less)
{
    less = less < p->disk_bytes ? less : p->disk_bytes;
    p->disk_bytes += more - less;
    a->op->n.disk_bytes += more - less;
}

static void let_go(struct pass *s, struct wr_group *x)
{
    struct wr_agg_op *a = s->a;
    bool changed = !a->track || (x->flags & WR_GROUP_CHANGED) || !(x->flags & WR_GROUP_STORED);
    if ((changed || !s->settled) && !(x->flags & WR_GROUP_SAME)) {
        s->key.n = s->prefix;
        wr_group_key_bytes(&a->layout, x, &s->key);
        wr_buf_reset(&s->value);
        wr_group_save(&a->layout, x, &s->value);
        wr_spill_put(&a->spill, wr_buf_get(&s->key), changed ? a->epoch : a->epoch - 1, wr_buf_get(&s->value));
        a->spilled_bytes += s->key.n + s->value.n;
        count_disk(a, s->p, s->key.n + s->value.n, 0);
    }
    if (!s->p->unknown)
        wr_filter_add(&s->p->out, x->hash);
    wr_groups_remove(&s->p->groups, x);
    s->p->n_out++;
    s->p->lazy = true;
    s->p->groups.fetch = wr_agg_fetch;
    s->p->groups.fetch_ctx = s->p;
}

/* One round of the hand over a pane; returns the bytes made free. */
static uint64_t sweep(struct pass *s, uint64_t want)
{
    struct wr_groups *g = &s->p->groups;
    uint64_t freed = 0;
    wr_pane_key(&s->key, s->p, s->p->kind);
    s->prefix = s->key.n;
    for (uint32_t k = 0; k < g->n_entry && freed < want; k++) {
        s->p->hand = s->p->hand + 1 < g->n_entry ? s->p->hand + 1 : 0;
        struct wr_group *x = wr_groups_entry(g, s->p->hand);
        if (!x || (x->flags & WR_GROUP_DIRTY))
            continue;
        if (x->used) {
            x->used = 0;
            continue;
        }
        size_t before = wr_groups_bytes(g);
        let_go(s, x);
        freed += before - wr_groups_bytes(g);
    }
    return freed;
}

static wr_status spill(struct wr_agg_op *a, uint64_t want, struct wr_error *err)
{
    uint32_t n = (uint32_t)(a->input.n + a->window.n);
    struct pass s = {.a = a, .settled = is_settled(a)};
    uint64_t freed = 0;
    if (a->track && !a->reader)
        a->reader = wr_store_reader_new(a->op->task->job->store);
    for (uint32_t k = 0; k < 2 * n && freed < want; k++) { /* twice: the first round takes the marks of use away */
        uint32_t i = (a->next_pane + k) % n;
        s.p = i < (uint32_t)a->input.n ? a->input.pane[i] : a->window.pane[i - (uint32_t)a->input.n];
        if (!s.p->busy)
            freed += sweep(&s, want - freed);
    }
    a->next_pane = n ? (a->next_pane + 1) % n : 0;
    wr_buf_clear(&s.key);
    wr_buf_clear(&s.value);
    return wr_spill_write(&a->spill, err);
}

wr_status wr_agg_limit(struct wr_op *op, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    uint64_t limit = (uint64_t)op->task->job->plan->max_state;
    if (!a->limited)
        return WR_OK;
    if (a->spill.deleted.n_key > WR_SPILL_DELETES)
        WR_TRY(wr_spill_write(&a->spill, err));
    wr_op_weigh(op, wr_agg_bytes(a));
    uint64_t excess = wr_op_excess(op);
    if (excess > 0 && wr_sums_stop(a)) { /* what can be computed anew goes first */
        wr_op_weigh(op, wr_agg_bytes(a));
        excess = wr_op_excess(op);
    }
    if (excess == 0)
        return WR_OK;
    if (a->layout.n_key == 0)
        return op->task->job->opts.spill_each ? WR_OK : wr_op_too_large(op, err); /* one result's state */
    WR_TRY(spill(a, excess + wr_spill_slack(op), err));
    wr_op_weigh(op, wr_agg_bytes(a));
    if (limit > 0 && wr_op_excess(op) > 0 && a->n_before > 0)
        a->due = op->task->dirty = true; /* EMIT EVERY waits no longer: what is dirty cannot go to disk */
    if (a->track && limit > 0 && a->spilled_bytes > limit / 2)
        wr_job_checkpoint_now(op->task->job); /* what is spilled and not in a checkpoint is all of the next one's delta */
    return WR_OK;
}

void wr_agg_spill_forget(struct wr_agg_op *a, struct wr_pane *p)
{
    if (!p->lazy)
        return;
    struct wr_buf key = WR_BUF_INIT(64);
    wr_pane_key(&key, p, p->kind);
    wr_spill_delete_prefix(&a->spill, wr_buf_get(&key));
    count_disk(a, p, 0, p->disk_bytes);
    wr_buf_clear(&key);
}

/* ---- and back ---- */

/* Fills a group whose key was just made. */
static bool from_spill(struct wr_agg_op *a, struct wr_group *x, uint32_t epoch, struct wr_str value)
{
    if (!wr_group_load(&a->layout, x, value))
        return false;
    x->flags |= WR_GROUP_SPILLED | WR_GROUP_SAME;
    if (a->track && epoch < a->epoch)
        x->flags |= WR_GROUP_STORED; /* it went into the last checkpoint */
    return true;
}

static bool from_checkpoint(struct wr_agg_op *a, struct wr_pane *p, struct wr_group *x, struct wr_str value)
{
    if (!wr_group_load(&a->layout, x, value))
        return false;
    x->flags |= WR_GROUP_STORED;
    if (p->was_fired && !(x->flags & WR_GROUP_FRESH))
        x->flags |= WR_GROUP_EMITTED;
    return true;
}

/* A group that came out of the spill stays in memory: the next checkpoint has to have it. */
static void keep_changed(struct wr_agg_op *a, struct wr_pane *p, struct wr_group *x, uint32_t epoch)
{
    if (!a->track || epoch != a->epoch)
        return;
    uint8_t same = x->flags & WR_GROUP_SAME;
    wr_pane_changed(p, x);
    x->flags |= same;
}

void wr_agg_fetch(void *ctx, struct wr_groups *g, struct wr_group *x)
{
    struct wr_pane *p = ctx;
    struct wr_agg_op *a = p->op->ctx;
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    uint32_t epoch;
    if (!p->unknown && !wr_filter_has(&p->out, x->hash))
        return;
    wr_pane_key(&key, p, p->kind);
    wr_group_key_bytes(g->layout, x, &key);
    bool found = wr_spill_get(&a->spill, wr_buf_get(&key), &epoch, &value) && from_spill(a, x, epoch, value);
    if (found) {
        keep_changed(a, p, x, epoch);
        count_disk(a, p, 0, key.n + value.n);
    } else if (a->reader && p->stored && wr_omap_get(&a->gone_keys, wr_buf_get(&key)) == 0 && wr_store_get(a->reader, wr_buf_get(&key), &value)) {
        found = from_checkpoint(a, p, x, value);
    }
    if (found)
        wr_groups_weigh(g, x);
    else if (p->was_fired)
        x->flags |= WR_GROUP_FRESH;
    p->n_out -= found && p->n_out > 0;
    wr_buf_clear(&key);
}

/* ---- walking ---- */

struct each {
    struct wr_agg_op *a;
    struct wr_pane *p;
    uint32_t prefix;         /* bytes of a key before the group's fields */
    wr_each_fn fn;
    void *ctx;
    struct wr_error *err;
    wr_status st;
};

/* epoch: of the spill's record; 0: from the checkpoint. */
static bool give(struct each *e, struct wr_group *x, uint32_t epoch)
{
    enum wr_each then = WR_EACH_NEXT;
    wr_groups_weigh(&e->p->groups, x);
    e->st = e->fn(e->ctx, x, &then, e->err);
    switch (then) {
    case WR_EACH_NEXT:
        wr_groups_remove(&e->p->groups, x);
        break;
    case WR_EACH_STAYS:
        keep_changed(e->a, e->p, x, epoch);
        e->p->n_out -= e->p->n_out > 0;
        break;
    case WR_EACH_REMOVED:
        e->p->n_out -= e->p->n_out > 0;
        break;
    }
    return e->st == WR_OK;
}

static bool each_spilled(void *ctx, struct wr_str key, uint32_t epoch, struct wr_str value)
{
    struct each *e = ctx;
    struct wr_group *x = wr_pane_take_in(e->a, e->p, (struct wr_str){key.p + e->prefix, key.n - e->prefix});
    if (!x)
        return true; /* in memory */
    if (from_spill(e->a, x, epoch, value))
        return give(e, x, epoch);
    wr_groups_remove(&e->p->groups, x);
    return true;
}

static bool each_stored(void *ctx, struct wr_str key, struct wr_str value)
{
    struct each *e = ctx;
    struct wr_str newer;
    uint32_t epoch;
    if (wr_omap_get(&e->a->gone_keys, key) != 0 || wr_spill_get(&e->a->spill, key, &epoch, &newer))
        return true; /* removed since the last checkpoint, or walked over already */
    struct wr_group *x = wr_pane_take_in(e->a, e->p, (struct wr_str){key.p + e->prefix, key.n - e->prefix});
    if (!x)
        return true; /* in memory, or another instance's */
    if (from_checkpoint(e->a, e->p, x, value))
        return give(e, x, 0);
    wr_groups_remove(&e->p->groups, x);
    return true;
}

wr_status wr_pane_each(struct wr_agg_op *a, struct wr_pane *p, wr_each_fn fn, void *ctx, struct wr_error *err)
{
    struct each e = {.a = a, .p = p, .fn = fn, .ctx = ctx, .err = err};
    struct wr_group_walk at = {0};
    enum wr_each then;
    p->busy = true;
    for (struct wr_group *x; e.st == WR_OK && (x = wr_groups_next(&p->groups, &at));)
        e.st = fn(ctx, x, &then, err);
    if (p->lazy && e.st == WR_OK) {
        struct wr_buf key = WR_BUF_INIT(64);
        wr_pane_key(&key, p, p->kind);
        e.prefix = (uint32_t)key.n;
        wr_spill_scan(&a->spill, wr_buf_get(&key), each_spilled, &e);
        if (a->reader && p->stored && e.st == WR_OK) {
            struct wr_store_reader *own = wr_store_reader_new(a->op->task->job->store);
            wr_store_scan(own, wr_buf_get(&key), each_stored, &e);
            wr_store_reader_free(own);
        }
        wr_buf_clear(&key);
    }
    p->busy = false;
    return e.st;
}

/* ---- checkpoints ---- */

struct moving { struct wr_agg_op *a; struct wr_buf *delta; };

static bool move_one(void *ctx, struct wr_str key, uint32_t epoch, struct wr_str value)
{
    struct moving *m = ctx;
    if (epoch == m->a->epoch)
        wr_delta_put(m->delta, key, value);
    else
        wr_spill_delete(&m->a->spill, key); /* the checkpoint has it by now */
    return true;
}

wr_status wr_agg_spill_checkpoint(struct wr_agg_op *a, struct wr_buf *delta, struct wr_error *err)
{
    struct moving m = {a, delta};
    struct wr_buf key = WR_BUF_INIT(64);
    WR_TRY(wr_spill_write(&a->spill, err)); /* dropped panes are not moved */
    for (int k = 0; k < 2; k++) {
        wr_op_key(&key, a->op, k ? 'w' : 'g');
        wr_spill_scan(&a->spill, wr_buf_get(&key), move_one, &m);
    }
    wr_buf_clear(&key);
    a->epoch++;
    a->snapshot_id = wr_store_applied(a->op->task->job->store) + 1;
    a->spilled_bytes = 0;
    return wr_spill_write(&a->spill, err);
}

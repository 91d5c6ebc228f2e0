/* parts_spill.c: partitions of rows that are not in memory, because the state is over max_state_bytes or because the job was started again.
 *
 * Where a partition is, the newest first:   memory   the spill   the checkpoint (parts_state.c)
 *   spill key: 'b' end partition-fields     value: time of the last row, own bytes and aggregate states (groups.h), the rows
 * A partition goes as a whole and comes back as a whole when a row, or what is due, asks for it; its copy in the spill goes then. What changed in its rows
 * stays in `changed` until the next checkpoint, what changed in its own state goes into that one's delta when the partition goes to disk.
 * Rules:  second chance: a partition goes when no row has come for it since the search last passed. Partitions whose change is still to be shown stay
 *         (`listed`). The operator says in away() that its own bytes hold nothing that memory owns, and in back() makes them whole.
 * Memory: what is sent gathers in the spill's buffer until wr_spill_write. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/agg.h"
#include "executor/parts.h"

uint64_t wr_parts_bytes(const struct wr_parts *t)
{
    uint64_t n = t->heap + t->gone.cap + t->gone_own.heap + t->spill.deleted.heap + t->cap_noted * sizeof *t->noted;
    for (int i = 0; i < t->n_pane; i++)
        n += sizeof *t->pane[i] + wr_groups_bytes(&t->pane[i]->groups) + t->pane[i]->changed.heap + t->pane[i]->out.bytes;
    return n;
}

void wr_parts_spills(struct wr_parts *t, void (*away)(struct wr_op *, struct wr_group *), void (*back)(struct wr_op *, struct wr_group *))
{
    wr_spill_init(&t->spill, t->op);
    t->limited = wr_spill_wanted(t->op);
    t->away = away;
    t->back = back;
}

static void copy_key(const struct wr_part_pane *p, const struct wr_group *x, struct wr_buf *key)
{
    wr_pane_prefix(key, p, 'b');
    if (x)
        wr_group_key_bytes(&p->of->layout, x, key);
}

/* ---- to disk ---- */

static void let_go(struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_parts *t = p->of;
    struct wr_omap *rows = &wr_partition_of(t, x)->rows;
    t->heap -= rows->heap;
    wr_omap_clear(rows);
    wr_groups_remove(&p->groups, x);
}

static void send(struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_parts *t = p->of;
    struct wr_partition *q = wr_partition_of(t, x);
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0), own = WR_BUF_INIT(0);
    if (t->away)
        t->away(t->op, x);
    if (!q->same || !p->lazy) {
        wr_parts_settle(p, x);
        copy_key(p, x, &key);
        wr_group_save(&t->layout, x, &own);
        wr_buf_i64(&value, q->touched);
        wr_buf_lstr(&value, wr_buf_get(&own));
        wr_omap_save(&q->rows, &value);
        wr_spill_put(&t->spill, wr_buf_get(&key), 0, wr_buf_get(&value));
        wr_filter_add(&p->out, x->hash);
        p->n_disk++;
        p->disk_bytes += key.n + value.n;
        t->op->n.disk_bytes += key.n + value.n;
    }
    p->groups.fetch = wr_parts_fetch;
    p->groups.fetch_ctx = p;
    let_go(p, x);
    wr_buf_clear(&own);
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

/* One round of the hand over a pane; returns the bytes made free. */
static uint64_t sweep(struct wr_part_pane *p, uint64_t want)
{
    struct wr_parts *t = p->of;
    struct wr_groups *g = &p->groups;
    uint64_t freed = 0;
    for (uint32_t k = 0; k < g->n_entry && freed < want; k++) {
        p->hand = p->hand + 1 < g->n_entry ? p->hand + 1 : 0;
        struct wr_group *x = wr_groups_entry(g, p->hand);
        if (!x || wr_partition_of(t, x)->listed || x == t->current)
            continue;
        if (x->used) {
            x->used = 0;
            continue;
        }
        size_t before = wr_groups_bytes(g) + t->heap;
        send(p, x);
        freed += before - wr_groups_bytes(g) - t->heap;
    }
    return freed;
}

wr_status wr_parts_limit(struct wr_parts *t, uint64_t more, struct wr_error *err)
{
    struct wr_op *op = t->op;
    if (!t->limited && op->task->mono_us < t->next_measure)
        return WR_OK;
    t->next_measure = op->task->mono_us + 100000;
    wr_op_weigh(op, wr_parts_bytes(t) + more);
    if (!t->limited || t->n_pane == 0)
        return WR_OK;
    if (t->spill.deleted.n_key > WR_SPILL_DELETES)
        WR_TRY(wr_spill_write(&t->spill, err));
    uint64_t excess = wr_op_excess(op), want = excess + wr_spill_slack(op), freed = 0, waiting = t->gone.n;
    if (excess == 0)
        return WR_OK;
    if (t->by->n_part == 0 && !op->task->job->opts.spill_each)
        return wr_op_too_large(op, err); /* all rows are one partition */
    for (int k = 0; k < 2 * t->n_pane && freed < want; k++) { /* twice: the first round takes the marks of use away */
        struct wr_part_pane *p = t->pane[(t->next_pane + k) % t->n_pane];
        if (!p->busy)
            freed += sweep(p, want - freed);
    }
    t->next_pane = (t->next_pane + 1) % t->n_pane;
    WR_TRY(wr_spill_write(&t->spill, err));
    wr_op_weigh(op, wr_parts_bytes(t) + more);
    for (int i = 0; i < t->n_pane; i++)
        waiting += t->pane[i]->changed.heap;
    wr_spill_gathered(op, waiting);
    return WR_OK;
}

void wr_parts_forget_disk(struct wr_part_pane *p)
{
    if (p->n_disk == 0)
        return;
    struct wr_buf key = WR_BUF_INIT(64);
    copy_key(p, NULL, &key);
    wr_spill_delete_prefix(&p->of->spill, wr_buf_get(&key));
    p->of->op->n.disk_bytes -= p->disk_bytes;
    p->n_disk = p->disk_bytes = 0;
    wr_buf_clear(&key);
}

/* ---- and back ---- */

static bool load(struct wr_part_pane *p, struct wr_group *x, struct wr_str in)
{
    struct wr_parts *t = p->of;
    struct wr_partition *q = wr_partition_of(t, x);
    struct wr_omap rows;
    struct wr_str own;
    int64_t touched;
    if (!wr_take_i64(&in, &touched) || !wr_take_lstr(&in, &own) || !wr_group_load(&t->layout, x, own) || !wr_omap_load(&rows, &in))
        return false;
    *q = (struct wr_partition){.rows = rows, .touched = touched, .found = true};
    t->heap += rows.heap;
    wr_groups_weigh(&p->groups, x);
    if (t->back)
        t->back(t->op, x);
    return true;
}

bool wr_parts_fetch_copy(struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_parts *t = p->of;
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    uint32_t epoch;
    if (p->n_disk == 0 || !wr_filter_has(&p->out, x->hash))
        return false;
    copy_key(p, x, &key);
    bool found = wr_spill_get(&t->spill, wr_buf_get(&key), &epoch, &value) && load(p, x, value);
    if (found) {
        uint64_t bytes = key.n + value.n < p->disk_bytes ? key.n + value.n : p->disk_bytes;
        wr_spill_delete(&t->spill, wr_buf_get(&key));
        p->disk_bytes -= bytes;
        t->op->n.disk_bytes -= bytes;
        if (--p->n_disk == 0)
            wr_filter_clear(&p->out);
    }
    wr_buf_clear(&key);
    return found;
}

/* ---- walking ---- */

enum { LONG_FIELDS = 400 };

struct each {
    struct wr_part_pane *p;
    int64_t older;
    bool keep;               /* nothing goes back to disk: there is no limit */
    uint32_t skip;           /* bytes of a key before the partition's fields */
    bool any;                /* `last` is set: a key may have no fields at all */
    struct wr_buf last;      /* fields of the partition gone through last */
    enum wr_each (*fn)(void *, struct wr_group *, wr_status *, struct wr_error *);
    void *ctx;
    struct wr_error *err;
    wr_status st;
};

/* n: bytes of its fields. Rows of long ones do not lie together in the checkpoint: a partition that was gone through stays, so that it is known. */
static void give(struct each *e, struct wr_group *x, uint32_t n)
{
    struct wr_parts *t = e->p->of;
    t->current = x;
    enum wr_each then = e->fn(e->ctx, x, &e->st, e->err);
    t->current = NULL;
    if (then == WR_EACH_STAYS && e->st == WR_OK)
        e->st = wr_parts_limit(t, 0, e->err);
    if (then != WR_EACH_NEXT || e->keep || n > LONG_FIELDS || wr_partition_of(t, x)->listed)
        return;
    send(e->p, x);
    if (e->st == WR_OK && t->spill.out.n > WR_SPILL_GATHER)
        e->st = wr_spill_write(&t->spill, e->err);
}

static bool each_one(struct each *e, struct wr_str fields)
{
    struct wr_group *x = wr_parts_bring(e->p, fields);
    if (x)
        give(e, x, fields.n);
    return e->st == WR_OK;
}

static bool each_copy(void *ctx, struct wr_str key, uint32_t epoch WR_UNUSED, struct wr_str value)
{
    struct each *e = ctx;
    int64_t touched;
    if (!wr_take_i64(&value, &touched) || touched > e->older)
        return true;
    return each_one(e, (struct wr_str){key.p + e->skip, key.n - e->skip});
}

/* A row, or a partition's own state, in the checkpoint. */
static bool each_stored(void *ctx, struct wr_str key, struct wr_str value WR_UNUSED)
{
    struct each *e = ctx;
    struct wr_str fields = {key.p + e->skip, key.n - e->skip};
    if (!wr_parts_cut_fields(e->p->of, &fields) || (e->any && wr_str_eq(fields, wr_buf_get(&e->last))))
        return true;
    e->any = true;
    wr_buf_reset(&e->last);
    wr_buf_str(&e->last, fields);
    if (wr_parts_has_copy(e->p, fields))
        return true; /* gone through already, or passed over */
    return each_one(e, fields);
}

bool wr_parts_has_copy(struct wr_part_pane *p, struct wr_str fields)
{
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    uint32_t epoch;
    if (p->n_disk == 0)
        return false;
    copy_key(p, NULL, &key);
    wr_buf_str(&key, fields);
    bool has = wr_spill_get(&p->of->spill, wr_buf_get(&key), &epoch, &value);
    wr_buf_clear(&key);
    return has;
}

static void each_in_checkpoint(struct each *e, char kind)
{
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_store_reader *own = wr_store_reader_new(e->p->of->op->task->job->store);
    wr_pane_prefix(&key, e->p, kind);
    wr_store_scan(own, wr_buf_get(&key), each_stored, e);
    wr_store_reader_free(own);
    wr_buf_clear(&key);
}

wr_status wr_parts_each(struct wr_part_pane *p, int64_t older, enum wr_each (*fn)(void *, struct wr_group *, wr_status *, struct wr_error *), void *ctx,
                        struct wr_error *err)
{
    struct wr_parts *t = p->of;
    struct wr_buf key = WR_BUF_INIT(64);
    copy_key(p, NULL, &key);
    struct each e = {.p = p, .older = older, .keep = !t->limited, .skip = (uint32_t)key.n, .last = WR_BUF_INIT(0), .fn = fn, .ctx = ctx, .err = err};
    struct wr_group_walk at = {0};
    bool was = p->busy;
    p->busy = true;
    for (struct wr_group *x; e.st == WR_OK && (x = wr_groups_next(&p->groups, &at));)
        (void)fn(ctx, x, &e.st, err);
    p->busy = was;
    if (p->n_disk > 0 && e.st == WR_OK)
        e.st = wr_spill_write(&t->spill, err); /* what was dropped is not walked over */
    if (p->n_disk > 0 && e.st == WR_OK)
        wr_spill_scan(&t->spill, wr_buf_get(&key), each_copy, &e);
    if (p->lazy && e.st == WR_OK)
        e.st = wr_spill_write(&t->spill, err); /* copies that went back are found again */
    if (p->lazy && e.st == WR_OK) {
        each_in_checkpoint(&e, t->save ? 'g' : 'r'); /* who keeps a state of its own has one in each partition, rows or not */
        if (e.keep && e.st == WR_OK) { /* all are in memory */
            p->lazy = false;
            p->groups.fetch = NULL;
        }
    }
    wr_buf_clear(&key);
    wr_buf_clear(&e.last);
    return e.st == WR_OK ? wr_spill_write(&t->spill, err) : e.st;
}

/* agg_state.c: what an aggregate writes into checkpoints and finds again after a restart.
 *
 * Keys below the operator's own prefix:
 *   'm'                                    one: watermarks (closed, fired_to, next_event), when EMIT EVERY is due
 *   'p' kind start end instance            one a pane and instance: rows, fired
 *   'g' or 'w' start end key-fields        one a group (core/key.h, order-preserving)
 *   'd'                                    what is not shown yet (agg_owed.c)
 * Rules:  before a checkpoint all changes were flushed, so nothing is dirty, but for EMIT EVERY; only groups changed since the last checkpoint are
 *         written; a dropped pane is one prefix delete. After a restart panes are there at once and their groups come back one by one, when a row asks for them
 *         (agg_spill.c): restarting does not read the state, it maps it.
 * With several tasks an instance takes back only the keys that are routed to it.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/agg.h"

enum { MANY = 4096 }; /* changed groups in a list, and more as long as they are few of all */

void wr_pane_key(struct wr_buf *key, const struct wr_pane *p, char kind)
{
    wr_op_key(key, p->op, kind);
    if (kind == 'p' || kind == 'd')
        wr_buf_putc(key, p->kind);
    wr_time_key_put(key, p->start);
    wr_time_key_put(key, p->end);
}

void wr_pane_changed(struct wr_pane *p, struct wr_group *x)
{
    x->flags &= (uint8_t)~WR_GROUP_SAME;
    if (x->flags & WR_GROUP_CHANGED)
        return;
    x->flags |= WR_GROUP_CHANGED;
    if (p->all_changed)
        return;
    if (p->n_changed >= MANY && p->n_changed > p->groups.n / 8) {
        p->all_changed = true; /* a walk costs less than a longer list */
        free(p->changed);
        p->changed = NULL;
        p->n_changed = p->cap_changed = 0;
        return;
    }
    if (p->n_changed == p->cap_changed) {
        p->cap_changed = p->cap_changed ? p->cap_changed * 2 : 64;
        p->changed = wr_realloc(p->changed, sizeof(struct wr_group *) * p->cap_changed);
    }
    p->changed[p->n_changed++] = x;
}

void wr_pane_remove(struct wr_agg_op *a, struct wr_pane *p, struct wr_group *x)
{
    if (x->flags & (WR_GROUP_STORED | WR_GROUP_SPILLED)) {
        struct wr_buf key = WR_BUF_INIT(0);
        wr_pane_key(&key, p, p->kind);
        wr_group_key_bytes(&a->layout, x, &key);
        if (x->flags & WR_GROUP_STORED) {
            wr_delta_delete(&a->gone, wr_buf_get(&key));
            wr_omap_add(&a->gone_keys, wr_buf_get(&key), 1);
        }
        if (x->flags & WR_GROUP_SPILLED)
            wr_spill_delete(&a->spill, wr_buf_get(&key));
        wr_buf_clear(&key);
    }
    wr_groups_remove(&p->groups, x);
}

void wr_pane_forget(struct wr_agg_op *a, struct wr_pane *p)
{
    wr_agg_spill_forget(a, p);
    wr_pane_paid(a, p);
    if (!p->stored)
        return;
    struct wr_buf key = WR_BUF_INIT(64);
    wr_pane_key(&key, p, p->kind);
    wr_delta_delete_prefix(&a->gone, wr_buf_get(&key));
    wr_pane_key(&key, p, 'p');
    wr_delta_delete_prefix(&a->gone, wr_buf_get(&key)); /* of all instances: the watermark is the same for all */
    wr_buf_clear(&key);
}

/* ---- writing ---- */

/* key: the pane's prefix, of `prefix` bytes. */
static void write_group(struct wr_agg_op *a, struct wr_group *x, struct wr_buf *key, size_t prefix, struct wr_buf *value, struct wr_buf *delta)
{
    if (!(x->flags & WR_GROUP_CHANGED) || (x->flags & WR_GROUP_DEAD))
        return; /* removed, or listed twice */
    x->flags = (uint8_t)((x->flags & ~(WR_GROUP_CHANGED | WR_GROUP_SAME)) | WR_GROUP_STORED);
    key->n = prefix;
    wr_group_key_bytes(&a->layout, x, key);
    wr_buf_reset(value);
    wr_group_save(&a->layout, x, value);
    wr_delta_put(delta, wr_buf_get(key), wr_buf_get(value));
}

static void write_pane(struct wr_agg_op *a, struct wr_pane *p, struct wr_buf *delta)
{
    if (p->n_changed == 0 && !p->all_changed && p->stored && !p->fired && !p->rescaled)
        return;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    wr_pane_key(&key, p, 'p');
    wr_op_key_own(&key, p->op->instance);
    wr_buf_i64(&value, (int64_t)p->rows);
    wr_buf_u8(&value, p->fired);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    wr_pane_key(&key, p, p->kind);
    size_t prefix = key.n;
    for (uint32_t i = 0; i < p->n_changed; i++)
        write_group(a, p->changed[i], &key, prefix, &value, delta);
    struct wr_group_walk at = {0};
    for (struct wr_group *x; p->all_changed && (x = wr_groups_next(&p->groups, &at));)
        write_group(a, x, &key, prefix, &value, delta);
    p->n_changed = 0;
    p->all_changed = false;
    p->stored = true;
    p->rescaled = false;
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

wr_status wr_agg_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    wr_store_reader_rest(a->reader);
    wr_buf_str(delta, wr_buf_get(&a->gone)); /* records, whole */
    wr_buf_reset(&a->gone);
    wr_omap_clear(&a->gone_keys); /* the delta is applied before the next row comes */
    WR_TRY(wr_agg_spill_checkpoint(a, delta, err)); /* before what is in memory: that is newer, and the last record of a key counts */
    for (int k = 0; k < 2; k++) {
        const struct wr_panes *l = k ? &a->window : &a->input;
        for (int i = 0; i < l->n; i++) {
            write_pane(a, l->pane[i], delta);
            wr_pane_owes(a, l->pane[i], delta);
        }
    }
    const int64_t times[] = {a->closed == WR_WM_END ? op->wm_open : a->closed, a->fired_to, a->next_event, a->next_due}; /* END is not kept: the input may grow (op_keep.c) */
    wr_op_keep_times(op, 'm', times, 4, delta);
    return WR_OK;
}

/* ---- reading ---- */

bool wr_group_is_ours(const struct wr_op *op, const struct wr_group_layout *l, const struct wr_value *key)
{
    int n = op->task->job->n_inst[op->plan->id];
    if (n <= 1)
        return true;
    const struct wr_shares *by = &op->plan->share[0];
    uint64_t h = 0; /* as the exchange does */
    for (int i = 0; i < by->n; i++)
        for (int c = 0; c < l->n_key; c++)
            if (l->key[c] == by->col[i]) {
                h = wr_hash_value(&key[c], h);
                break;
            }
    return (int)((h >> 32) % (uint64_t)n) == op->instance;
}

struct wr_group *wr_pane_take_in(struct wr_agg_op *a, struct wr_pane *p, struct wr_str fields)
{
    const struct wr_group_layout *l = &a->layout;
    struct wr_arena mem = {0};
    struct wr_value *v = wr_arena_alloc(&mem, sizeof *v * (size_t)(l->n_key + 1));
    bool ok = true, made;
    for (int c = 0; c < l->n_key && ok; c++)
        ok = wr_key_take(&fields, l->type[c], false, true, &mem, &v[c]);
    struct wr_group *x = NULL;
    if (ok && wr_group_is_ours(a->op, l, v) && !wr_groups_peek(&p->groups, v))
        x = wr_groups_restore(&p->groups, v, &made);
    wr_arena_clear(&mem);
    return x;
}

static bool restore_pane(void *ctx, struct wr_str key, struct wr_str value)
{
    struct wr_agg_op *a = ctx;
    struct wr_str at = {key.p + 5, key.n - 5};
    int64_t bound[2], rows;
    uint8_t kind, fired;
    int instance = wr_op_key_instance(key);
    if (!wr_take_u8(&at, &kind) || at.n != 16 + 2 || !wr_take_i64(&value, &rows) || !wr_take_u8(&value, &fired))
        return true;
    for (int i = 0; i < 2; i++)
        bound[i] = wr_time_key_get(at.p + 8 * i);
    struct wr_pane *p = wr_pane_at(a, kind == 'g' ? &a->input : &a->window, bound[0], bound[1]);
    bool rescaled = wr_op_rescaled(a->op); /* then the first instance counts what all held */
    uint64_t held = a->op->instance == (rescaled ? 0 : instance) ? (uint64_t)rows : 0;
    p->rows += held;
    p->rescaled = rescaled;
    if (rescaled && instance >= a->op->task->job->n_inst[a->op->plan->id])
        wr_delta_delete(&a->gone, key);
    p->fired = fired;
    p->was_fired = fired;
    p->unknown = true;
    p->stored = p->lazy = true;
    p->groups.fetch = wr_agg_fetch;
    p->groups.fetch_ctx = p;
    a->op->n.held += held;
    a->op->n.in += held; /* so that the books balance from the first row on */
    return true;
}

wr_status wr_agg_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64);
    a->reader = wr_store_reader_new(op->task->job->store);
    a->late_rows = true; /* perhaps: what EMIT EVERY owes */
    int64_t times[] = {a->closed, a->fired_to, a->next_event, a->next_due};
    wr_status st = WR_OK;
    if (!wr_op_restore_times(op, r, 'm', times, 4))
        st = wr_fail(err, WR_EIO, "the checkpoint's state of an aggregate is damaged");
    a->closed = times[0];
    a->fired_to = times[1];
    a->next_event = times[2];
    a->next_due = times[3];
    wr_op_key(&key, op, 'p');
    if (st == WR_OK)
        wr_store_scan(r, wr_buf_get(&key), restore_pane, a);
    wr_buf_clear(&key);
    return st == WR_OK ? wr_agg_restore_owed(op, r, err) : st;
}

/* agg_state.c: what an aggregate writes into checkpoints and finds again after a restart.
 *
 * Keys below the operator's own prefix:
 *   'm'                                    one: watermarks (closed, fired_to), rows that left
 *   'p' kind start end                     one a pane: rows, fired
 *   'g' or 'w' start end key-fields        one a group (core/key.h, order-preserving)
 * Rules:  before a checkpoint all changes were flushed, so nothing is dirty; only groups changed since the last checkpoint are written; a dropped
 *         pane is one prefix delete. After a restart panes are there at once and their groups come back one by one, when a row asks for them
 *         (wr_groups.fetch), or all of them before a walk: restarting does not read the state, it maps it.
 * With several tasks an instance takes back only the keys that are routed to it.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/agg.h"

enum { MANY = 4096 }; /* changed groups in a list, and more as long as they are few of all */

static void put_time(struct wr_buf *key, int64_t us)
{
    uint64_t v = (uint64_t)us ^ UINT64_C(1) << 63; /* order of bytes is order of time */
    for (int shift = 56; shift >= 0; shift -= 8)
        wr_buf_u8(key, (uint8_t)(v >> shift));
}

static void pane_key(struct wr_buf *key, const struct wr_pane *p, char kind)
{
    wr_op_key(key, p->op, kind);
    if (kind == 'p')
        wr_buf_putc(key, p->kind);
    put_time(key, p->start);
    put_time(key, p->end);
}

void wr_pane_changed(struct wr_pane *p, struct wr_group *x)
{
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
    if (x->flags & WR_GROUP_STORED) {
        struct wr_buf key = WR_BUF_INIT(0);
        pane_key(&key, p, p->kind);
        wr_group_key_bytes(&a->layout, x, &key);
        wr_delta_delete(&a->gone, wr_buf_get(&key));
        wr_omap_add(&a->gone_keys, wr_buf_get(&key), 1);
        wr_buf_clear(&key);
    }
    wr_groups_remove(&p->groups, x);
}

void wr_pane_forget(struct wr_agg_op *a, struct wr_pane *p)
{
    if (!p->stored)
        return;
    struct wr_buf key = WR_BUF_INIT(64);
    pane_key(&key, p, p->kind);
    wr_delta_delete_prefix(&a->gone, wr_buf_get(&key));
    pane_key(&key, p, 'p');
    wr_delta_delete(&a->gone, wr_buf_get(&key));
    wr_buf_clear(&key);
}

/* ---- writing ---- */

/* key: the pane's prefix, of `prefix` bytes. */
static void write_group(struct wr_agg_op *a, struct wr_group *x, struct wr_buf *key, size_t prefix, struct wr_buf *value, struct wr_buf *delta)
{
    if (!(x->flags & WR_GROUP_CHANGED) || (x->flags & WR_GROUP_DEAD))
        return; /* removed, or listed twice */
    x->flags = (uint8_t)((x->flags & ~WR_GROUP_CHANGED) | WR_GROUP_STORED);
    key->n = prefix;
    wr_group_key_bytes(&a->layout, x, key);
    wr_buf_reset(value);
    wr_group_save(&a->layout, x, value);
    wr_delta_put(delta, wr_buf_get(key), wr_buf_get(value));
}

static void write_pane(struct wr_agg_op *a, struct wr_pane *p, struct wr_buf *delta)
{
    if (p->n_changed == 0 && !p->all_changed && p->stored && !p->fired)
        return;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    pane_key(&key, p, 'p');
    wr_buf_i64(&value, (int64_t)p->rows);
    wr_buf_u8(&value, p->fired);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    pane_key(&key, p, p->kind);
    size_t prefix = key.n;
    for (uint32_t i = 0; i < p->n_changed; i++)
        write_group(a, p->changed[i], &key, prefix, &value, delta);
    struct wr_group_walk at = {0};
    for (struct wr_group *x; p->all_changed && (x = wr_groups_next(&p->groups, &at));)
        write_group(a, x, &key, prefix, &value, delta);
    p->n_changed = 0;
    p->all_changed = false;
    p->stored = true;
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

wr_status wr_agg_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct wr_agg_op *a = op->ctx;
    wr_buf_str(delta, wr_buf_get(&a->gone)); /* records, whole */
    wr_buf_reset(&a->gone);
    wr_omap_clear(&a->gone_keys); /* the delta is applied before the next row comes */
    for (int i = 0; i < a->input.n; i++)
        write_pane(a, a->input.pane[i], delta);
    for (int i = 0; i < a->window.n; i++)
        write_pane(a, a->window.pane[i], delta);
    struct wr_buf key = WR_BUF_INIT(64), value = WR_BUF_INIT(64);
    wr_op_key(&key, op, 'm');
    wr_buf_i64(&value, a->closed);
    wr_buf_i64(&value, a->fired_to);
    wr_buf_i64(&value, a->next_event);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    wr_buf_clear(&key);
    wr_buf_clear(&value);
    return WR_OK;
}

/* ---- reading ---- */

static void fetch_group(void *ctx, struct wr_groups *g, struct wr_group *x)
{
    struct wr_pane *p = ctx;
    struct wr_agg_op *a = p->op->ctx;
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    pane_key(&key, p, p->kind);
    wr_group_key_bytes(g->layout, x, &key);
    if (wr_omap_get(&a->gone_keys, wr_buf_get(&key)) == 0 && wr_store_get(a->reader, wr_buf_get(&key), &value))
        (void)wr_group_load(g->layout, x, value);
    wr_buf_clear(&key);
}

struct load { struct wr_agg_op *a; struct wr_pane *p; uint32_t prefix; struct wr_arena scratch; };

bool wr_group_is_ours(const struct wr_op *op, const struct wr_group_layout *l, const struct wr_value *key)
{
    int n = op->task->job->n_inst[op->plan->id];
    uint64_t h = 0; /* as the exchange does */
    for (int c = 0; c < l->n_key; c++)
        h = wr_hash_value(&key[c], h);
    return n <= 1 || (int)((h >> 32) % (uint64_t)n) == op->instance;
}

static bool load_one(void *ctx, struct wr_str key, struct wr_str value)
{
    struct load *l = ctx;
    const struct wr_group_layout *lay = &l->a->layout;
    struct wr_str rest = {key.p + l->prefix, key.n - l->prefix};
    if (wr_omap_get(&l->a->gone_keys, key) != 0)
        return true; /* removed since the last checkpoint */
    wr_arena_reset(&l->scratch);
    struct wr_value *v = wr_arena_alloc(&l->scratch, sizeof *v * (size_t)(lay->n_key + 1));
    for (int c = 0; c < lay->n_key; c++)
        if (!wr_key_take(&rest, lay->type[c], false, true, &l->scratch, &v[c]))
            return true;
    if (!wr_group_is_ours(l->a->op, lay, v))
        return true;
    bool made;
    struct wr_group *x = wr_groups_restore(&l->p->groups, v, &made);
    if (made)
        (void)wr_group_load(lay, x, value);
    return true;
}

void wr_pane_load(struct wr_agg_op *a, struct wr_pane *p)
{
    if (!p->lazy)
        return;
    struct load l = {.a = a, .p = p};
    struct wr_buf key = WR_BUF_INIT(64);
    pane_key(&key, p, p->kind);
    l.prefix = (uint32_t)key.n;
    wr_store_scan(a->reader, wr_buf_get(&key), load_one, &l);
    p->lazy = false;
    p->groups.fetch = NULL;
    wr_arena_clear(&l.scratch);
    wr_buf_clear(&key);
}

static bool restore_pane(void *ctx, struct wr_str key, struct wr_str value)
{
    struct wr_agg_op *a = ctx;
    struct wr_str at = {key.p + 5, key.n - 5};
    int64_t bound[2], rows;
    uint8_t kind, fired;
    if (!wr_take_u8(&at, &kind) || at.n != 16 || !wr_take_i64(&value, &rows) || !wr_take_u8(&value, &fired))
        return true;
    for (int i = 0; i < 2; i++) {
        uint64_t v = 0;
        for (int k = 0; k < 8; k++)
            v = v << 8 | (uint8_t)at.p[i * 8 + k];
        bound[i] = (int64_t)(v ^ UINT64_C(1) << 63);
    }
    struct wr_pane *p = wr_pane_at(a, kind == 'g' ? &a->input : &a->window, bound[0], bound[1]);
    p->rows = a->op->instance == 0 ? (uint64_t)rows : 0;
    p->fired = fired;
    p->stored = p->lazy = true;
    p->groups.fetch = fetch_group;
    p->groups.fetch_ctx = p;
    a->op->n.held += p->rows;
    a->op->n.in += p->rows; /* so that the books balance from the first row on */
    return true;
}

wr_status wr_agg_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct wr_buf key = WR_BUF_INIT(64);
    struct wr_str value;
    a->reader = wr_store_reader_new(op->task->job->store);
    wr_op_key(&key, op, 'm');
    wr_status st = WR_OK;
    if (wr_store_get(r, wr_buf_get(&key), &value)
        && (!wr_take_i64(&value, &a->closed) || !wr_take_i64(&value, &a->fired_to) || !wr_take_i64(&value, &a->next_event)))
        st = wr_fail(err, WR_EIO, "the checkpoint's state of an aggregate is damaged");
    wr_op_key(&key, op, 'p');
    if (st == WR_OK)
        wr_store_scan(r, wr_buf_get(&key), restore_pane, a);
    wr_buf_clear(&key);
    return st;
}

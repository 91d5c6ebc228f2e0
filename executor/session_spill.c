/* session_spill.c: sessions that are not in memory, because the state is over max_state_bytes.
 *
 *   spill key: 'b' key-fields     value: stored in the checkpoint?, when the first is due, how many, when each is due, as in checkpoints: session_state.c
 * A key goes with all its sessions, and comes back when a row asks for it, or when the watermark comes to what is due first (far.h): so sessions close in
 * the same order as if all had been in memory. What had changed since the last checkpoint goes into the next one's delta when the key goes.
 * Rules:  second chance, as agg_spill.c. Keys with a change still to be shown stay.
 * Memory: what is sent gathers in the spill's buffer until wr_spill_write. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/session.h"

enum { AT_ONCE = 2048 }; /* keys brought back together */

static uint64_t bytes_of(const struct wr_session_op *a)
{
    return wr_groups_bytes(&a->groups) + a->n_heap * (sizeof(struct wr_session) + a->state_size + 2 * sizeof(struct wr_session *)) + a->agg_heap
         + a->gone.cap + a->spill.deleted.heap + a->out_keys.bytes;
}

/* Counting what aggregates own takes a walk. */
static void count_heap(struct wr_session_op *a)
{
    a->agg_heap = 0;
    for (uint32_t i = 0; a->weighed && i < a->n_heap; i++)
        for (int k = 0; k < a->p->n_agg; k++)
            a->agg_heap += wr_aggcall_heap(&a->agg[k], a->heap[i]->state + a->agg[k].offset);
}

void wr_session_measure(struct wr_op *op)
{
    count_heap(op->ctx);
    wr_op_weigh(op, bytes_of(op->ctx));
}

static void copy_key(const struct wr_op *op, const struct wr_group *key, struct wr_buf *out)
{
    const struct wr_session_op *a = op->ctx;
    wr_op_key(out, op, 'b');
    if (key)
        wr_group_key_bytes(&a->keys, key, out);
}

/* ---- to disk ---- */

/* SPILLED marks the keys that go. Returns about how many bytes that is. */
static uint64_t pick(struct wr_session_op *a, uint64_t want)
{
    struct wr_groups *g = &a->groups;
    uint64_t freed = 0;
    for (uint32_t i = 0; i < a->n_dirty; i++)
        a->dirty[i]->key->flags |= WR_GROUP_DIRTY;
    for (uint64_t k = 0; k < 2 * (uint64_t)g->n_entry && freed < want; k++) { /* twice: the first round takes the marks of use away */
        a->hand = a->hand + 1 < g->n_entry ? a->hand + 1 : 0;
        struct wr_group *x = wr_groups_entry(g, a->hand);
        if (!x || (x->flags & (WR_GROUP_DIRTY | WR_GROUP_SPILLED)))
            continue;
        if (x->used) {
            x->used = 0;
            continue;
        }
        x->flags |= WR_GROUP_SPILLED;
        freed += a->keys.size + (uint64_t)wr_session_list_of(a, x)->n * (sizeof(struct wr_session) + a->state_size);
    }
    for (uint32_t i = 0; i < a->n_dirty; i++)
        a->dirty[i]->key->flags &= (uint8_t)~WR_GROUP_DIRTY;
    return freed;
}

static bool goes(const struct wr_session *s) { return !s->dead && (s->key->flags & WR_GROUP_SPILLED); }

static void send(struct wr_op *op, struct wr_group *x)
{
    struct wr_session_op *a = op->ctx;
    struct wr_session_list *l = wr_session_list_of(a, x);
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0), fields = WR_BUF_INIT(0);
    int64_t due = INT64_MAX;
    if (x->flags & WR_GROUP_CHANGED)
        wr_session_write(op, x, &a->gone);
    for (int i = 0; i < l->n; i++)
        due = l->at[i]->due < due ? l->at[i]->due : due;
    wr_buf_u8(&value, (x->flags & WR_GROUP_STORED) != 0);
    wr_buf_i64(&value, due);
    wr_buf_u32(&value, (uint32_t)l->n);
    for (int i = 0; i < l->n; i++)
        wr_buf_i64(&value, l->at[i]->due);
    wr_session_save(a, x, &value);
    copy_key(op, x, &key);
    wr_spill_put(&a->spill, wr_buf_get(&key), 0, wr_buf_get(&value));
    wr_group_key_bytes(&a->keys, x, &fields);
    wr_far_put(&a->far, due, wr_buf_get(&fields), (struct wr_str){0});
    wr_filter_add(&a->out_keys, x->hash);
    a->n_disk++;
    a->n_away += (uint64_t)l->n;
    op->n.disk_bytes += key.n + value.n;
    for (int i = 0; i < l->n; i++)
        wr_session_free(a, l->at[i]);
    free(l->at);
    wr_groups_remove(&a->groups, x);
    wr_buf_clear(&key);
    wr_buf_clear(&value);
    wr_buf_clear(&fields);
}

static void send_picked(struct wr_op *op)
{
    struct wr_session_op *a = op->ctx;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < a->n_heap; i++)
        if (!goes(a->heap[i]))
            a->heap[kept++] = a->heap[i];
    a->n_heap = kept;
    wr_session_order_heap(a);
    struct wr_group_walk at = {0};
    for (struct wr_group *x; (x = wr_groups_next(&a->groups, &at));)
        if (x->flags & WR_GROUP_SPILLED)
            send(op, x);
    a->groups.fetch = wr_session_fetch;
    a->groups.fetch_ctx = op;
}

wr_status wr_session_limit(struct wr_op *op, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    wr_op_weigh(op, bytes_of(a));
    if (!a->limited)
        return WR_OK;
    if (a->spill.deleted.n_key > WR_SPILL_DELETES)
        WR_TRY(wr_spill_write(&a->spill, err));
    uint64_t excess = wr_op_excess(op);
    if (excess == 0)
        return WR_OK;
    bool all = op->task->job->opts.spill_each;
    if (a->keys.n_key == 0 && !all)
        return wr_op_too_large(op, err);
    if (pick(a, excess + wr_spill_slack(op)) > 0)
        send_picked(op);
    WR_TRY(wr_spill_write(&a->spill, err));
    count_heap(a);
    wr_op_weigh(op, bytes_of(a));
    if (!all && a->n_dirty > 0 && wr_op_excess(op) > 0)
        a->due = op->task->dirty = true; /* EMIT EVERY waits no longer: what is dirty cannot go to disk */
    wr_spill_gathered(op, a->gone.n);
    return WR_OK;
}

/* ---- and back ---- */

static bool load(struct wr_op *op, struct wr_group *x, struct wr_str in, int64_t *due)
{
    struct wr_session_op *a = op->ctx;
    uint8_t stored;
    uint32_t n;
    if (!wr_take_u8(&in, &stored) || !wr_take_i64(&in, due) || !wr_take_u32(&in, &n) || in.n / 8 < n)
        return false;
    struct wr_str dues = {in.p, n * 8};
    in.p += dues.n;
    in.n -= dues.n;
    x->flags |= stored ? WR_GROUP_STORED : 0;
    if (!wr_session_load(op, x, in))
        return false;
    struct wr_session_list *l = wr_session_list_of(a, x);
    for (int i = 0; i < l->n; i++) {
        int64_t at = 0;
        (void)wr_take_i64(&dues, &at);
        wr_session_wait(a, l->at[i], at);
    }
    a->n_away -= (uint64_t)l->n;
    return true;
}

void wr_session_fetch(void *ctx, struct wr_groups *g, struct wr_group *x)
{
    struct wr_op *op = ctx;
    struct wr_session_op *a = op->ctx;
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    uint32_t epoch;
    int64_t due;
    if (a->n_disk == 0 || !wr_filter_has(&a->out_keys, x->hash))
        return;
    copy_key(op, x, &key);
    if (wr_spill_get(&a->spill, wr_buf_get(&key), &epoch, &value) && load(op, x, value, &due)) {
        uint64_t bytes = key.n + value.n;
        op->n.disk_bytes -= bytes < op->n.disk_bytes ? bytes : op->n.disk_bytes;
        wr_spill_delete(&a->spill, wr_buf_get(&key));
        struct wr_buf fields = WR_BUF_INIT(0);
        wr_group_key_bytes(g->layout, x, &fields);
        wr_far_drop(&a->far, due, wr_buf_get(&fields));
        wr_buf_clear(&fields);
        if (--a->n_disk == 0)
            wr_filter_clear(&a->out_keys);
    }
    wr_buf_clear(&key);
}

struct bring { struct wr_op *op; uint32_t n; struct wr_arena scratch; };

static bool bring_one(void *ctx, int64_t time WR_UNUSED, struct wr_str fields, struct wr_str value WR_UNUSED)
{
    struct bring *b = ctx;
    struct wr_session_op *a = b->op->ctx;
    bool made = a->keys.n_key == 0 && a->groups.n == 0;
    wr_arena_reset(&b->scratch);
    struct wr_value *v = wr_arena_alloc(&b->scratch, sizeof *v * (size_t)(a->keys.n_key + 1));
    for (int c = 0; c < a->keys.n_key; c++)
        if (!wr_key_take(&fields, a->keys.type[c], false, true, &b->scratch, &v[c]))
            return true;
    if (a->keys.n_key == 0) {
        (void)wr_groups_only(&a->groups); /* fetches */
        return true;
    }
    struct wr_group *x = wr_groups_restore(&a->groups, v, &made);
    if (made)
        wr_session_fetch(b->op, &a->groups, x);
    if (made && wr_session_list_of(a, x)->n == 0)
        wr_groups_remove(&a->groups, x);
    return ++b->n < AT_ONCE;
}

int64_t wr_session_bring(struct wr_op *op, int64_t before)
{
    struct wr_session_op *a = op->ctx;
    struct bring b = {.op = op};
    wr_far_take(&a->far, before, bring_one, &b);
    wr_arena_clear(&b.scratch);
    return a->far.first < before ? a->far.first : before;
}

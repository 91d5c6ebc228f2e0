/* parts_state.c: what partitions of rows write into checkpoints and find again after a restart.
 *
 * Keys below the operator's own prefix:
 *   'p' end instance                       one a pane and instance: rows held, results given
 *   'r' end partition-fields entry         one an entry: its count
 *   'g' end partition-fields               one a partition: the operator's own state, where it has any
 * Rules:  only what changed is written; a dropped pane is two prefix deletes. After a restart panes are there at once, and a partition's rows come
 *         back when a row asks for it (wr_groups.fetch), or all before a walk. What changed since the last checkpoint counts more than the disk.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/agg.h"
#include "executor/parts.h"

enum { MOST_PREFIX = 400 }; /* longer keys are kept shortened in the store: no further can a scan look */

void wr_pane_prefix(struct wr_buf *key, const struct wr_part_pane *p, char kind)
{
    wr_op_key(key, p->of->op, kind);
    wr_time_key_put(key, p->end);
}

void wr_track(struct wr_omap *changed, struct wr_str key, int64_t was, int64_t now)
{
    int64_t old = wr_omap_get(changed, key), absent = old ? old & 2 : was == 0 ? 2 : 0;
    int64_t new = absent && now == 0 ? 0 : now * 4 + absent + 1;
    if (new != old)
        wr_omap_add(changed, key, new - old);
}

void wr_track_write(struct wr_omap *changed, struct wr_buf *key, struct wr_buf *delta)
{
    struct wr_buf value = WR_BUF_INIT(64);
    size_t prefix = key->n;
    for (struct wr_omap_it it = wr_omap_first(changed); wr_omap_valid(it); wr_omap_next(&it)) {
        int64_t n = (wr_omap_num(it) - 1 - (wr_omap_num(it) & 2)) / 4;
        key->n = prefix;
        wr_buf_str(key, wr_omap_key(it));
        wr_buf_reset(&value);
        wr_buf_i64(&value, n);
        if (n)
            wr_delta_put(delta, wr_buf_get(key), wr_buf_get(&value));
        else
            wr_delta_delete(delta, wr_buf_get(key));
    }
    wr_omap_clear(changed);
    wr_buf_clear(&value);
}

void wr_parts_changed(struct wr_part_pane *p, const struct wr_group *x, struct wr_str entry, int64_t was, int64_t now)
{
    struct wr_buf key = WR_BUF_INIT(0);
    wr_group_key_bytes(&p->of->layout, x, &key);
    wr_buf_str(&key, entry);
    wr_track(&p->changed, wr_buf_get(&key), was, now);
    wr_buf_clear(&key);
}

void wr_parts_forget(struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_parts *t = p->of;
    if (!t->save || !(x->flags & WR_GROUP_STORED))
        return;
    struct wr_buf key = WR_BUF_INIT(0);
    wr_pane_prefix(&key, p, 'g');
    wr_group_key_bytes(&t->layout, x, &key);
    wr_delta_delete(&t->gone, wr_buf_get(&key));
    wr_omap_add(&t->gone_own, wr_buf_get(&key), 1);
    wr_buf_clear(&key);
}

void wr_parts_forget_pane(struct wr_part_pane *p)
{
    if (!p->stored)
        return;
    static const char kinds[] = {'r', 'g', 'p'};
    struct wr_buf key = WR_BUF_INIT(64);
    for (size_t i = 0; i < sizeof kinds; i++) {
        wr_pane_prefix(&key, p, kinds[i]);
        wr_delta_delete_prefix(&p->of->gone, wr_buf_get(&key));
    }
    wr_buf_clear(&key);
}

/* ---- writing ---- */

static void write_pane(struct wr_part_pane *p, struct wr_buf *delta)
{
    if (p->stored && !p->moved && p->changed.n_key == 0)
        return;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(64);
    wr_pane_prefix(&key, p, 'p');
    wr_op_key_own(&key, p->of->op->instance);
    wr_buf_i64(&value, (int64_t)p->held);
    wr_buf_u8(&value, p->fired);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    wr_pane_prefix(&key, p, 'r');
    wr_track_write(&p->changed, &key, delta);
    p->stored = true;
    p->moved = false;
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

static void put_own(struct wr_parts *t, struct wr_group *x, struct wr_buf *key, struct wr_buf *delta)
{
    struct wr_buf value = WR_BUF_INIT(0);
    wr_partition_of(t, x)->noted = false;
    x->flags |= WR_GROUP_STORED;
    wr_group_key_bytes(&t->layout, x, key);
    t->save(t->op, x, &value);
    wr_delta_put(delta, wr_buf_get(key), wr_buf_get(&value));
    wr_buf_clear(&value);
}

void wr_parts_settle(struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_buf key = WR_BUF_INIT(0);
    if (!p->of->save || !wr_partition_of(p->of, x)->noted)
        return;
    wr_pane_prefix(&key, p, 'g');
    put_own(p->of, x, &key, &p->of->gone);
    wr_buf_clear(&key);
}

/* Own states are kept by operators without windows only: one pane. */
static void write_own(struct wr_parts *t, struct wr_buf *delta)
{
    if (t->n_noted == 0)
        return;
    struct wr_buf key = WR_BUF_INIT(0);
    wr_pane_prefix(&key, t->pane[0], 'g');
    size_t prefix = key.n;
    for (uint32_t i = 0; i < t->n_noted; i++) {
        struct wr_group *x = t->noted[i];
        if ((x->flags & WR_GROUP_DEAD) || !wr_partition_of(t, x)->noted)
            continue; /* removed, gone to disk, or listed twice */
        key.n = prefix;
        put_own(t, x, &key, delta);
    }
    t->n_noted = 0;
    wr_buf_clear(&key);
}

void wr_parts_checkpoint(struct wr_parts *t, struct wr_buf *delta)
{
    wr_store_reader_rest(t->reader);
    wr_buf_str(delta, wr_buf_get(&t->gone)); /* records, whole */
    wr_buf_reset(&t->gone);
    wr_omap_clear(&t->gone_own);
    for (int i = 0; i < t->n_pane; i++)
        write_pane(t->pane[i], delta);
    write_own(t, delta);
}

/* ---- reading ---- */

struct load {
    struct wr_part_pane *p;
    struct wr_group *x;
    uint32_t skip;           /* bytes of a store key before the partition's fields */
    struct wr_str whole;     /* what the partition's store keys begin with */
};

static void load_own(struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_parts *t = p->of;
    if (!t->save)
        return;
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    wr_pane_prefix(&key, p, 'g');
    wr_group_key_bytes(&t->layout, x, &key);
    if (wr_omap_get(&t->gone_own, wr_buf_get(&key)) == 0 && wr_store_get(t->reader, wr_buf_get(&key), &value) && t->load(t->op, x, value)) {
        x->flags |= WR_GROUP_STORED;
        wr_partition_of(t, x)->found = true;
    }
    wr_buf_clear(&key);
}

static bool load_entry(void *ctx, struct wr_str key, struct wr_str value)
{
    struct load *l = ctx;
    struct wr_parts *t = l->p->of;
    struct wr_str tail = {key.p + l->skip, key.n - l->skip};
    int64_t n;
    if (key.n < l->whole.n || memcmp(key.p, l->whole.p, l->whole.n) != 0)
        return true;
    if (!wr_take_i64(&value, &n) || wr_omap_get(&l->p->changed, tail) != 0)
        return true; /* changed since the last checkpoint: memory knows better */
    struct wr_partition *q = wr_partition_of(t, l->x);
    size_t heap = q->rows.heap;
    wr_omap_add(&q->rows, (struct wr_str){key.p + l->whole.n, key.n - l->whole.n}, n);
    t->heap += q->rows.heap - heap;
    q->found = true;
    return true;
}

static void fetch_stored(struct wr_part_pane *p, struct wr_group *x)
{
    struct load l = {.p = p, .x = x};
    struct wr_buf key = WR_BUF_INIT(0);
    wr_pane_prefix(&key, p, 'r');
    l.skip = (uint32_t)key.n;
    wr_group_key_bytes(&p->of->layout, x, &key);
    l.whole = wr_buf_get(&key);
    struct wr_str prefix = l.whole;
    prefix.n = prefix.n < MOST_PREFIX ? prefix.n : MOST_PREFIX;
    wr_store_scan(p->of->reader, prefix, load_entry, &l);
    load_own(p, x);
    struct wr_partition *q = wr_partition_of(p->of, x);
    q->same = q->found;
    wr_buf_clear(&key);
}

void wr_parts_fetch(void *ctx, struct wr_groups *g WR_UNUSED, struct wr_group *x)
{
    struct wr_part_pane *p = ctx;
    if (!wr_parts_fetch_copy(p, x) && p->lazy)
        fetch_stored(p, x);
}

/* ---- partitions by their fields ---- */

static struct wr_value *take_fields(struct wr_parts *t, struct wr_str *key, struct wr_arena *scratch)
{
    struct wr_value *v = wr_arena_alloc(scratch, sizeof *v * (size_t)(t->by->n_part + 1));
    for (int c = 0; c < t->by->n_part; c++)
        if (!wr_key_take(key, t->layout.type[c], false, true, scratch, &v[c]))
            return NULL;
    return v;
}

bool wr_parts_cut_fields(struct wr_parts *t, struct wr_str *key)
{
    struct wr_arena scratch = {0};
    struct wr_str rest = *key;
    bool ok = take_fields(t, &rest, &scratch) != NULL;
    key->n -= rest.n;
    wr_arena_clear(&scratch);
    return ok;
}

bool wr_parts_is_ours(struct wr_parts *t, struct wr_str fields)
{
    struct wr_arena scratch = {0};
    const struct wr_value *v = take_fields(t, &fields, &scratch);
    bool ours = v && wr_group_is_ours(t->op, &t->layout, v);
    wr_arena_clear(&scratch);
    return ours;
}

/* here: one that is in memory is given, too; make: one that is nowhere is made. */
static struct wr_group *find(struct wr_part_pane *p, struct wr_str fields, bool here, bool make)
{
    struct wr_parts *t = p->of;
    struct wr_arena scratch = {0};
    const struct wr_value *v = take_fields(t, &fields, &scratch);
    struct wr_group *x = NULL;
    bool made = false;
    void (*fetch)(void *, struct wr_groups *, struct wr_group *) = p->groups.fetch;
    if (v && wr_group_is_ours(t->op, &t->layout, v)) {
        made = p->groups.n == 0;
        p->groups.fetch = NULL; /* below */
        x = t->by->n_part > 0 ? wr_groups_restore(&p->groups, v, &made) : wr_groups_only(&p->groups);
        p->groups.fetch = fetch;
    }
    if (x && made) {
        wr_parts_fetch(p, &p->groups, x);
        if (!make && !wr_partition_of(t, x)->found) {
            wr_groups_remove(&p->groups, x);
            x = NULL;
        }
    } else if (!here) {
        x = NULL;
    }
    wr_arena_clear(&scratch);
    return x;
}

struct wr_group *wr_parts_find(struct wr_part_pane *p, struct wr_str fields) { return find(p, fields, true, false); }
struct wr_group *wr_parts_bring(struct wr_part_pane *p, struct wr_str fields) { return find(p, fields, false, false); }
struct wr_group *wr_parts_make(struct wr_part_pane *p, struct wr_str fields) { return find(p, fields, true, true); }

static bool restore_pane(void *ctx, struct wr_str key, struct wr_str value)
{
    struct wr_parts *t = ctx;
    int64_t rows;
    uint8_t fired;
    if (key.n != 5 + 8 + 2 || !wr_take_i64(&value, &rows) || !wr_take_u8(&value, &fired))
        return true;
    struct wr_part_pane *p = wr_parts_pane(t, wr_time_key_get(key.p + 5));
    int instance = wr_op_key_instance(key);
    bool rescaled = wr_op_rescaled(t->op); /* then the first instance counts what all held */
    uint64_t held = t->op->instance == (rescaled ? 0 : instance) ? (uint64_t)rows : 0;
    p->held += held;
    p->moved |= rescaled;
    if (rescaled && instance >= t->op->task->job->n_inst[t->op->plan->id])
        wr_delta_delete(&t->gone, key);
    p->fired = fired;
    p->stored = p->lazy = true;
    p->groups.fetch = wr_parts_fetch;
    p->groups.fetch_ctx = p;
    t->op->n.held += held;
    t->op->n.in += held; /* so that the books balance from the first row on */
    return true;
}

wr_status wr_parts_restore(struct wr_parts *t, struct wr_store_reader *r, struct wr_error *err WR_UNUSED)
{
    struct wr_buf key = WR_BUF_INIT(64);
    t->reader = wr_store_reader_new(t->op->task->job->store);
    wr_op_key(&key, t->op, 'p');
    wr_store_scan(r, wr_buf_get(&key), restore_pane, t);
    wr_buf_clear(&key);
    return WR_OK;
}

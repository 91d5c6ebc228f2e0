/* agg_owed.c: EMIT EVERY across checkpoints: groups that changed and have not been shown, with the result that consumers have of each.
 *
 * A checkpoint shows nothing that would not have been shown without it, so what is owed is written down:
 *   'd' kind start end key-fields     place in the order of first change, the result shown before (if there is one)
 * Rules:  written once, at the first checkpoint after the group became dirty: while it is owed neither changes. A flush of the pane takes all away.
 *         After a restart owed groups are read back at once, since the next flush must know them; there are as many as keys touched within EVERY.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/agg.h"

void wr_pane_paid(struct wr_agg_op *a, struct wr_pane *p)
{
    struct wr_buf key = WR_BUF_INIT(0);
    wr_pane_key(&key, p, 'd');
    size_t prefix = key.n;
    for (uint32_t i = 0; i < p->n_owed; i++) {
        key.n = prefix;
        wr_group_key_bytes(&a->layout, p->dirty[i].group, &key);
        wr_delta_delete(&a->gone, wr_buf_get(&key));
    }
    wr_buf_clear(&key);
    p->n_owed = 0;
}

/* ---- writing ---- */

static void put_before(const struct wr_agg_op *a, const struct wr_dirty *d, struct wr_buf *value)
{
    bool was = d->group->flags & WR_GROUP_EMITTED;
    wr_buf_u8(value, was);
    if (!was)
        return;
    const struct wr_batch *b = a->before[d->before / WR_BATCH_ROWS];
    for (int c = 0; c < b->n_col; c++)
        wr_key_put(value, &b->col[c], d->before % WR_BATCH_ROWS, false, true);
}

void wr_pane_owes(struct wr_agg_op *a, struct wr_pane *p, struct wr_buf *delta)
{
    if (p->n_owed == p->n_dirty)
        return;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    wr_pane_key(&key, p, 'd');
    size_t prefix = key.n;
    for (; p->n_owed < p->n_dirty; p->n_owed++) {
        const struct wr_dirty *d = &p->dirty[p->n_owed];
        key.n = prefix;
        wr_group_key_bytes(&a->layout, d->group, &key);
        wr_buf_reset(&value);
        wr_buf_i64(&value, a->next_owed++);
        put_before(a, d, &value);
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    }
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

/* ---- reading ---- */

enum { PANE_KEY = 4 + 1 + 1 + 8 + 8 }; /* bytes before the key's fields */

struct owed { struct wr_pane *pane; struct wr_dirty dirty; int64_t place; uint32_t number; };

struct taking {
    struct wr_agg_op *a;
    struct owed *list;       /* in order of keys; malloc'd */
    uint32_t n, cap;
    struct wr_arena scratch; /* values of one row */
    bool damaged;
};

static bool take_before(struct taking *t, struct wr_str *in, uint32_t *at)
{
    struct wr_agg_op *a = t->a;
    uint32_t row;
    struct wr_batch *b = wr_agg_before_row(a, at, &row);
    wr_arena_reset(&t->scratch);
    for (int c = 0; c < b->n_col; c++) {
        struct wr_value v;
        if (!wr_key_take(in, a->out.schema->field[c].type, false, true, &t->scratch, &v))
            return false;
        if (v.null)
            wr_vec_nulls(&b->col[c], b->cap, &b->mem)[row] = 1;
        else
            wr_vec_set(&b->col[c], row, &v, b->cap, &b->mem);
    }
    return true;
}

/* The pane and group of a record. false: another instance's. */
static bool find_group(struct taking *t, struct wr_str key, struct owed *o)
{
    struct wr_agg_op *a = t->a;
    struct wr_str fields = {key.p + PANE_KEY, key.n - PANE_KEY};
    o->pane = wr_pane_at(a, key.p[5] == 'g' ? &a->input : &a->window, wr_time_key_get(key.p + 6), wr_time_key_get(key.p + 14));
    o->dirty.group = wr_pane_take_in(a, o->pane, fields);
    if (o->dirty.group)
        wr_agg_fetch(o->pane, &o->pane->groups, o->dirty.group);
    return o->dirty.group != NULL;
}

static bool take_one(void *ctx, struct wr_str key, struct wr_str value)
{
    struct taking *t = ctx;
    struct owed o = {0};
    uint8_t was;
    if (key.n < PANE_KEY || !wr_take_i64(&value, &o.place) || !wr_take_u8(&value, &was))
        return !(t->damaged = true);
    if (!find_group(t, key, &o))
        return true;
    if (was && !take_before(t, &value, &o.dirty.before))
        return !(t->damaged = true);
    o.dirty.group->flags |= WR_GROUP_DIRTY;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->list = wr_realloc(t->list, sizeof *t->list * t->cap);
    }
    o.number = t->n;
    t->list[t->n++] = o;
    return true;
}

static int by_place(const void *x, const void *y)
{
    const struct owed *a = x, *b = y;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->number < b->number ? -1 : 1; /* of another number of instances: in order of keys */
}

wr_status wr_agg_restore_owed(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_agg_op *a = op->ctx;
    struct taking t = {.a = a};
    struct wr_buf key = WR_BUF_INIT(64);
    wr_op_key(&key, op, 'd');
    wr_store_scan(r, wr_buf_get(&key), take_one, &t);
    if (t.n > 1)
        qsort(t.list, t.n, sizeof *t.list, by_place);
    for (uint32_t i = 0; i < t.n; i++) {
        wr_pane_list(t.list[i].pane, t.list[i].dirty);
        t.list[i].pane->n_owed++;
        a->next_owed = t.list[i].place + 1;
    }
    free(t.list);
    wr_arena_clear(&t.scratch);
    wr_buf_clear(&key);
    return t.damaged ? wr_fail(err, WR_EIO, "the checkpoint's unshown results of an aggregate are damaged") : WR_OK;
}

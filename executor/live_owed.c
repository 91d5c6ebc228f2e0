/* live_owed.c: EMIT EVERY across checkpoints: partitions that changed and have not been shown, with the result that consumers have of each.
 *
 *   'd' end partition-fields     place in the order of first change, the rows shown before
 * Rules:  as agg_owed.c: written once, at the first checkpoint after the change, taken away by the flush, read back at once after a restart.
 * Memory: delta records are appended to the caller's buffer; lists read back live in live->old, as those that were kept. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/live.h"

static void owed_key(struct wr_buf *key, const struct wr_live_change *d)
{
    const struct wr_parts *t = d->pane->of;
    wr_op_key(key, t->op, 'd');
    wr_time_key_put(key, d->pane->end);
    wr_group_key_bytes(&t->layout, d->group, key);
}

void wr_live_paid(struct wr_live *v, const struct wr_live_change *d)
{
    struct wr_buf key = WR_BUF_INIT(0);
    owed_key(&key, d);
    wr_delta_delete(&v->parts.gone, wr_buf_get(&key));
    wr_buf_clear(&key);
}

/* ---- writing ---- */

static void put_list(const struct wr_list *l, struct wr_buf *out)
{
    wr_buf_u32(out, l->n);
    wr_buf_u8(out, l->extra != NULL);
    for (uint32_t i = 0; i < l->n; i++) {
        wr_buf_lstr(out, l->row[i].entry);
        wr_buf_i64(out, l->row[i].number);
        wr_buf_u8(out, l->row[i].bad);
        for (int c = 0; l->extra && c < l->extra->n_col; c++)
            wr_key_put(out, &l->extra->col[c], (uint32_t)l->row[i].number, false, true);
    }
}

void wr_live_owes(struct wr_live *v, struct wr_buf *delta)
{
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    for (uint32_t i = 0; i < v->n_change; i++) {
        struct wr_live_change *d = &v->change[i];
        if (d->owed)
            continue;
        d->owed = true;
        owed_key(&key, d);
        wr_buf_reset(&value);
        wr_buf_i64(&value, d->place);
        put_list(&d->before, &value);
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    }
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

/* ---- reading ---- */

enum { PANE_KEY = 4 + 1 + 8 }; /* bytes before the partition's fields */

struct taking { struct wr_live *v; struct wr_arena row; bool damaged; };

/* What was computed of row i. */
static bool take_extra(struct taking *t, struct wr_str *in, struct wr_batch *b, uint32_t i)
{
    const struct wr_field *field = t->v->op->plan->out->field + t->v->first_extra;
    wr_arena_reset(&t->row);
    for (int c = 0; c < b->n_col; c++) {
        struct wr_value x;
        if (!wr_key_take(in, field[c].type, false, true, &t->row, &x))
            return false;
        if (x.null)
            wr_vec_nulls(&b->col[c], b->cap, &b->mem)[i] = 1;
        else
            wr_vec_set(&b->col[c], i, &x, b->cap, &b->mem);
    }
    return true;
}

static bool take_list(struct taking *t, struct wr_str *in, struct wr_list *l)
{
    struct wr_live *v = t->v;
    uint8_t extra, bad;
    uint32_t n;
    if (!wr_take_u32(in, &n) || !wr_take_u8(in, &extra) || n > in->n)
        return false;
    l->n = n;
    l->row = wr_arena_alloc(&v->old, sizeof *l->row * (n ? n : 1));
    if (extra) {
        const struct wr_schema computed = {.n = v->n_extra, .field = v->op->plan->out->field + v->first_extra};
        l->extra = wr_batch_new(&computed, n ? n : 1);
        l->extra->len = l->extra->n_live = n;
    }
    for (uint32_t i = 0; i < n; i++) {
        struct wr_list_row *row = &l->row[i];
        if (!wr_take_lstr(in, &row->entry) || !wr_take_i64(in, &row->number) || !wr_take_u8(in, &bad))
            return false;
        row->entry = wr_arena_str(&v->old, row->entry);
        row->bad = bad;
        if (l->extra) {
            row->number = i;
            if (!take_extra(t, in, l->extra, i))
                return false;
        }
    }
    return true;
}

static bool take_one(void *ctx, struct wr_str key, struct wr_str value)
{
    struct taking *t = ctx;
    struct wr_live *v = t->v;
    int64_t place;
    if (key.n < PANE_KEY || !wr_take_i64(&value, &place))
        return !(t->damaged = true);
    struct wr_part_pane *p = wr_parts_pane(&v->parts, wr_time_key_get(key.p + 5));
    struct wr_group *x = wr_parts_make(p, (struct wr_str){key.p + PANE_KEY, key.n - PANE_KEY});
    if (!x)
        return true; /* another instance's */
    wr_partition_of(&v->parts, x)->touched = wr_op_now(v->op);
    struct wr_live_change *d = wr_live_list(v, p, x);
    d->place = place;
    d->owed = true;
    t->damaged = !take_list(t, &value, &d->before);
    return !t->damaged;
}

static int by_place(const void *x, const void *y)
{
    const struct wr_live_change *a = x, *b = y;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->number < b->number ? -1 : a->number > b->number; /* of another number of instances: in order of keys */
}

wr_status wr_live_restore_owed(struct wr_live *v, struct wr_store_reader *r, struct wr_error *err)
{
    struct taking t = {.v = v};
    struct wr_buf key = WR_BUF_INIT(64);
    wr_op_key(&key, v->op, 'd');
    wr_store_scan(r, wr_buf_get(&key), take_one, &t);
    for (uint32_t i = 0; i < v->n_change; i++)
        v->change[i].number = i;
    if (v->n_change > 1)
        qsort(v->change, v->n_change, sizeof *v->change, by_place);
    for (uint32_t i = 0; i < v->n_change; i++) {
        wr_partition_of(&v->parts, v->change[i].group)->listed = i + 1;
        v->next_place = v->change[i].place + 1;
    }
    wr_arena_clear(&t.row);
    wr_buf_clear(&key);
    return t.damaged ? wr_fail(err, WR_EIO, "the checkpoint's unshown results of a partition are damaged") : WR_OK;
}

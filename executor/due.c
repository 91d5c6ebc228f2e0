/* due.c: see due.h. */
#include "executor/due.h"

#include <stdlib.h>

#include "core/key.h"

enum { ELSEWHERE = 1 };
static struct wr_group away;
#define AWAY (&away)

void wr_due_init(struct wr_due *d, struct wr_parts *parts, uint32_t id_at)
{
    *d = (struct wr_due){.parts = parts, .id_at = id_at, .closed = WR_WM_NONE, .n_id = ELSEWHERE, .cap_id = 64, .key = WR_BUF_INIT(0)};
    d->by_id = wr_malloc(sizeof(struct wr_group *) * d->cap_id);
    d->next_free = wr_malloc(sizeof *d->next_free * d->cap_id);
    d->by_id[ELSEWHERE - 1] = AWAY;
}

void wr_due_clear(struct wr_due *d)
{
    wr_omap_clear(&d->map);
    wr_omap_clear(&d->changed);
    free(d->by_id);
    free(d->next_free);
    wr_buf_clear(&d->key);
}

uint64_t wr_due_bytes(const struct wr_due *d)
{
    return d->map.heap + d->changed.heap + d->cap_id * (sizeof(struct wr_group *) + sizeof *d->next_free);
}

static uint32_t *id_of(const struct wr_due *d, struct wr_group *x)
{
    return (uint32_t *)(void *)((char *)wr_partition_own(d->parts, x) + d->id_at);
}

void wr_due_know(struct wr_due *d, struct wr_group *x)
{
    uint32_t *id = id_of(d, x);
    if (*id)
        return;
    if (!d->free_id) {
        if (d->n_id == d->cap_id) {
            d->cap_id = d->cap_id ? d->cap_id * 2 : 64;
            d->by_id = wr_realloc(d->by_id, sizeof(struct wr_group *) * d->cap_id);
            d->next_free = wr_realloc(d->next_free, sizeof *d->next_free * d->cap_id);
        }
        d->next_free[d->n_id] = 0;
        d->free_id = ++d->n_id;
    }
    *id = d->free_id;
    d->free_id = d->next_free[*id - 1];
    d->by_id[*id - 1] = x;
}

/* Its id goes to the next partition, which then gets what was still due here: a look that finds nothing to do. */
void wr_due_forget(struct wr_due *d, struct wr_group *x)
{
    uint32_t *id = id_of(d, x);
    if (!*id)
        return;
    d->by_id[*id - 1] = NULL;
    d->next_free[*id - 1] = d->free_id;
    d->free_id = *id;
    *id = 0;
}

/* Its id stays taken: events speak of it. */
void wr_due_away(struct wr_due *d, struct wr_group *x)
{
    uint32_t id = *id_of(d, x);
    if (id)
        d->by_id[id - 1] = AWAY;
}

void wr_due_back(struct wr_due *d, struct wr_group *x)
{
    uint32_t id = *id_of(d, x);
    if (id)
        d->by_id[id - 1] = x;
}

void wr_due_set(struct wr_due *d, struct wr_group *x, int64_t time, int event)
{
    struct wr_buf *key = &d->parts->entry;
    wr_buf_reset(key);
    wr_time_key_put(key, time);
    wr_buf_u8(key, (uint8_t)event);
    wr_group_key_bytes(&d->parts->layout, x, key);
    int64_t was = wr_omap_get(&d->map, wr_buf_get(key)), id = *id_of(d, x);
    if (id != was) /* a partition that was gone and came back has another id */
        wr_omap_add(&d->map, wr_buf_get(key), id - was);
    if (was != 0)
        return;
    if (d->parts->track)
        wr_track(&d->changed, wr_buf_get(key), 0, 1);
}

struct wr_group *wr_due_take(struct wr_due *d, int64_t before, int64_t *time, int *event)
{
    for (;;) {
        struct wr_omap_it it = wr_omap_first(&d->map);
        if (!wr_omap_valid(it) || (*time = wr_time_key_get(wr_omap_key(it).p)) >= before)
            return NULL;
        struct wr_buf *key = &d->key;
        wr_buf_reset(key);
        wr_buf_str(key, wr_omap_key(it));
        int64_t id = wr_omap_num(it);
        *event = key->p[8];
        wr_omap_add(&d->map, wr_buf_get(key), -id);
        if (d->parts->track)
            wr_track(&d->changed, wr_buf_get(key), 1, 0);
        struct wr_group *x = d->by_id[id - 1];
        if (x == AWAY)
            x = wr_parts_find(d->parts->pane[0], (struct wr_str){key->p + 9, (uint32_t)key->n - 9});
        if (!x)
            continue;
        wr_due_know(d, x);
        x->used = 1;
        return x;
    }
}

void wr_due_checkpoint(struct wr_due *d, struct wr_buf *delta)
{
    struct wr_buf key = WR_BUF_INIT(0);
    wr_op_key(&key, d->parts->op, 'd');
    wr_track_write(&d->changed, &key, delta);
    const struct wr_op *op = d->parts->op;
    int64_t closed = d->closed;
    if (closed == WR_WM_END) /* which is not kept: the input may grow (op_keep.c) */
        closed = op->wm_open == WR_WM_NONE ? WR_WM_NONE : op->wm_open - d->parts->by->lateness;
    wr_op_keep_times(op, 'm', &closed, 1, delta);
    wr_buf_clear(&key);
}

static bool restore_one(void *ctx, struct wr_str key, struct wr_str value WR_UNUSED)
{
    struct wr_due *d = ctx;
    struct wr_str due = {key.p + 5, key.n - 5};
    if (due.n < 9 || d->parts->n_pane == 0)
        return true;
    if (wr_parts_is_ours(d->parts, (struct wr_str){due.p + 9, due.n - 9}))
        wr_omap_add(&d->map, due, ELSEWHERE);
    return true;
}

bool wr_due_restore(struct wr_due *d, struct wr_store_reader *r)
{
    struct wr_buf key = WR_BUF_INIT(64);
    bool ok = wr_op_restore_times(d->parts->op, r, 'm', &d->closed, 1);
    wr_op_key(&key, d->parts->op, 'd');
    wr_store_scan(r, wr_buf_get(&key), restore_one, d);
    wr_buf_clear(&key);
    return ok;
}

/* ---- input ---- */

wr_status wr_due_process(struct wr_due *d, struct wr_batch *b, struct wr_arena *scratch,
                         void (*add)(struct wr_op *, const struct wr_batch *, uint32_t, int64_t, uint64_t), struct wr_error *err)
{
    struct wr_op *op = d->parts->op;
    const struct wr_partby *by = d->parts->by;
    const struct wr_vec *time = &b->col[by->order[0]];
    wr_arena_reset(scratch);
    uint32_t *row = wr_live_rows(b, scratch), n = 0, n_late = 0;
    uint32_t *late = wr_arena_alloc(scratch, sizeof *late * (b->n_live ? b->n_live : 1));
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++) {
        uint32_t r = row[k];
        if (wr_vec_null(time, r)) {
            st = wr_op_bad(op, b, r, WR_R_TS_NULL, op->plan->in[0]->out->field[by->order[0]].name, (struct wr_str){0}, err);
            continue;
        }
        int64_t ts = WR_VEC_I64(time)[wr_vec_at(time, r)], w = wr_batch_wm(b, r);
        int64_t least = w == WR_WM_NONE ? d->closed : w - by->lateness > d->closed ? w - by->lateness : d->closed;
        if (least != WR_WM_NONE && ts < least)
            late[n_late++] = r;
        else
            row[n++] = r;
    }
    if (st == WR_OK && n_late)
        st = wr_op_late(op, b, late, n_late, err);
    if (st == WR_OK && n) {
        uint64_t *hash = wr_arena_alloc(scratch, sizeof *hash * n);
        wr_hash_rows(b, by->part, by->n_part, row, n, d->parts->layout.seed, hash);
        for (uint32_t k = 0; k < n; k++)
            add(op, b, row[k], WR_VEC_I64(time)[wr_vec_at(time, row[k])], hash[k]);
    }
    wr_batch_unref(b);
    return st;
}

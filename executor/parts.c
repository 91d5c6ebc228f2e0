/* parts.c: see parts.h.
 * Memory: panes own their groups and maps; `scratch` is reset for each row that is read back. */
#include "executor/parts.h"

#include <stdlib.h>

#include "core/key.h"

static bool among(const int *v, int n, int x)
{
    for (int i = 0; i < n; i++)
        if (v[i] == x)
            return true;
    return false;
}

void wr_parts_init(struct wr_parts *t, struct wr_op *op, const struct wr_partby *by, int n_agg, const struct wr_aggcall *agg, uint32_t own)
{
    *t = (struct wr_parts){.op = op, .by = by, .in = op->plan->in[0]->out, .track = op->task->job->store != NULL};
    uint32_t mine = (uint32_t)((sizeof(struct wr_partition) + 15) & ~(size_t)15);
    wr_group_layout_init(&t->layout, by->n_part, by->part, t->in, n_agg, agg, mine + own, &t->arena);
    t->own = t->layout.extra_offset + mine;
    t->rest = WR_NEW_N(&t->arena, int, t->in->n + 1);
    for (int c = 0; c < t->in->n; c++) {
        /* equal intervals may print differently: the row keeps its own */
        bool in_key = among(by->part, by->n_part, c) && t->in->field[c].type.id != WR_T_INTERVAL;
        if (!in_key && !among(by->order, by->n_order, c))
            t->rest[t->n_rest++] = c;
    }
}

/* ---- panes ---- */

static int pane_index(const struct wr_parts *t, int64_t end, bool *found)
{
    int lo = 0, hi = t->n_pane;
    while (lo < hi) {
        int mid = (lo + hi) / 2;
        if (t->pane[mid]->end < end)
            lo = mid + 1;
        else
            hi = mid;
    }
    *found = lo < t->n_pane && t->pane[lo]->end == end;
    return lo;
}

struct wr_part_pane *wr_parts_pane(struct wr_parts *t, int64_t end)
{
    if (t->last && t->last->end == end)
        return t->last;
    bool found;
    int i = pane_index(t, end, &found);
    if (found)
        return t->last = t->pane[i];
    if (t->n_pane == t->cap_pane) {
        t->cap_pane = t->cap_pane ? t->cap_pane * 2 : 8;
        t->pane = wr_realloc(t->pane, sizeof *t->pane * (size_t)t->cap_pane);
    }
    memmove(&t->pane[i + 1], &t->pane[i], sizeof *t->pane * (size_t)(t->n_pane - i));
    t->n_pane++;
    struct wr_part_pane *p = wr_calloc(1, sizeof *p);
    p->end = end;
    p->of = t;
    wr_groups_init(&p->groups, &t->layout);
    return t->last = t->pane[i] = p;
}

static void clear_partition(struct wr_parts *t, struct wr_group *x)
{
    if (t->drop)
        t->drop(t->op, x);
    t->heap -= wr_partition_of(t, x)->rows.heap;
    wr_omap_clear(&wr_partition_of(t, x)->rows);
}

static void free_pane(struct wr_part_pane *p)
{
    struct wr_group_walk at = {0};
    for (struct wr_group *x; p->groups.n > 0 && (x = wr_groups_next(&p->groups, &at));)
        clear_partition(p->of, x);
    wr_groups_clear(&p->groups);
    wr_omap_clear(&p->changed);
    wr_filter_clear(&p->out);
    free(p);
}

void wr_parts_drop_pane(struct wr_parts *t, int i)
{
    struct wr_part_pane *p = t->pane[i];
    t->op->n.passed += p->held;
    t->op->n.held -= p->held;
    wr_parts_forget_pane(p);
    wr_parts_forget_disk(p);
    if (t->last == p)
        t->last = NULL;
    free_pane(p);
    memmove(&t->pane[i], &t->pane[i + 1], sizeof *t->pane * (size_t)(t->n_pane - i - 1));
    t->n_pane--;
}

void wr_parts_clear(struct wr_parts *t)
{
    for (int i = 0; i < t->n_pane; i++)
        free_pane(t->pane[i]);
    free(t->pane);
    free(t->noted);
    wr_buf_clear(&t->entry);
    wr_buf_clear(&t->gone);
    wr_omap_clear(&t->gone_own);
    wr_store_reader_free(t->reader);
    wr_spill_clear(&t->spill);
    wr_arena_clear(&t->scratch);
    wr_arena_clear(&t->arena);
}

/* ---- partitions ---- */

struct wr_group *wr_parts_at(struct wr_parts *t, struct wr_part_pane *p, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    struct wr_group *x = t->by->n_part > 0 ? wr_groups_at(&p->groups, b, row, hash) : wr_groups_only(&p->groups);
    x->used = 1;
    return x;
}

void wr_parts_drop(struct wr_parts *t, struct wr_part_pane *p, struct wr_group *x)
{
    struct wr_omap *rows = &wr_partition_of(t, x)->rows;
    for (struct wr_omap_it it = wr_omap_first(rows); p->of->track && wr_omap_valid(it); wr_omap_next(&it))
        wr_parts_changed(p, x, wr_omap_key(it), wr_omap_num(it), 0);
    wr_parts_forget(p, x);
    clear_partition(t, x);
    wr_groups_remove(&p->groups, x);
}

void wr_parts_note(struct wr_parts *t, struct wr_group *x)
{
    struct wr_partition *q = wr_partition_of(t, x);
    q->same = false;
    if (q->noted || !t->track)
        return;
    q->noted = true;
    if (t->n_noted == t->cap_noted) {
        t->cap_noted = t->cap_noted ? t->cap_noted * 2 : 64;
        t->noted = wr_realloc(t->noted, sizeof(struct wr_group *) * t->cap_noted);
    }
    t->noted[t->n_noted++] = x;
}

/* ---- entries ---- */

void wr_parts_encode_order(struct wr_parts *t, const struct wr_batch *b, uint32_t row)
{
    wr_buf_reset(&t->entry);
    for (int i = 0; i < t->by->n_order; i++)
        wr_key_put(&t->entry, &b->col[t->by->order[i]], row, t->by->desc[i], t->by->nulls_first[i]);
}

void wr_parts_encode_rest(struct wr_parts *t, const struct wr_batch *b, uint32_t row)
{
    for (int i = 0; i < t->n_rest; i++)
        wr_key_put(&t->entry, &b->col[t->rest[i]], row, false, true);
}

int64_t wr_parts_add(struct wr_parts *t, struct wr_part_pane *p, struct wr_group *x, struct wr_str entry, int64_t delta)
{
    struct wr_partition *q = wr_partition_of(t, x);
    size_t heap = q->rows.heap;
    q->same = false;
    if (t->track) {
        int64_t was = wr_omap_get(&q->rows, entry);
        wr_parts_changed(p, x, entry, was, was + delta);
    }
    int64_t now = wr_omap_add(&q->rows, entry, delta);
    t->heap += q->rows.heap - heap;
    return now;
}

static void take(struct wr_parts *t, struct wr_str *in, int col, bool desc, bool nulls_first, struct wr_value *v)
{
    if (!wr_key_take(in, t->in->field[col].type, desc, nulls_first, &t->scratch, v))
        WR_BUG("an entry cannot be read back");
}

uint32_t wr_parts_order_len(struct wr_parts *t, struct wr_str entry)
{
    struct wr_str rest = entry;
    struct wr_value v;
    wr_arena_reset(&t->scratch);
    for (int i = 0; i < t->by->n_order; i++)
        take(t, &rest, t->by->order[i], t->by->desc[i], t->by->nulls_first[i], &v);
    return entry.n - rest.n;
}

void wr_parts_decode(struct wr_parts *t, const struct wr_group *x, struct wr_str entry, struct wr_batch *out, uint32_t r)
{
    struct wr_value v;
    for (int i = 0; i < t->by->n_part; i++) {
        v = wr_group_key(&t->layout, x, i);
        wr_vec_set(&out->col[t->by->part[i]], r, &v, out->cap, &out->mem);
    }
    bool ok = true;
    for (int i = 0; i < t->by->n_order; i++)
        ok &= wr_key_take_into(&entry, t->by->desc[i], t->by->nulls_first[i], &out->col[t->by->order[i]], r, out->cap, &out->mem);
    for (int i = 0; i < t->n_rest; i++)
        ok &= wr_key_take_into(&entry, false, true, &out->col[t->rest[i]], r, out->cap, &out->mem);
    if (!ok)
        WR_BUG("an entry cannot be read back");
}

/* ---- from time to time ---- */

struct expire { struct wr_parts *t; struct wr_part_pane *p; int64_t now; bool (*keep)(struct wr_op *, struct wr_group *); };

static enum wr_each expire_one(void *ctx, struct wr_group *x, wr_status *st WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    struct expire *e = ctx;
    struct wr_parts *t = e->t;
    struct wr_partition *q = wr_partition_of(t, x);
    if (q->touched == 0) { /* out of a checkpoint, or from before event time began: its time begins now */
        q->touched = e->now;
        q->same = false;
        return WR_EACH_STAYS;
    }
    if (q->touched > e->now - t->by->ttl || (e->keep && e->keep(t->op, x)))
        return WR_EACH_NEXT;
    uint64_t rows = (uint64_t)(t->open ? t->open(t->op, x) : q->rows.total);
    e->p->held -= rows;
    e->p->moved = true;
    t->op->n.passed += rows;
    t->op->n.held -= rows;
    wr_parts_drop(t, e->p, x);
    return WR_EACH_REMOVED;
}

wr_status wr_parts_expire(struct wr_parts *t, bool (*keep)(struct wr_op *, struct wr_group *), struct wr_error *err)
{
    int64_t now = wr_op_now(t->op);
    if (t->by->ttl <= 0 || t->by->win.kind != WR_WIN_NONE || t->n_pane == 0 || now == 0 || now < t->next_sweep)
        return WR_OK;
    t->next_sweep = now + t->by->ttl / 8 + 1;
    struct expire e = {t, t->pane[0], now, keep};
    return wr_parts_each(e.p, now - t->by->ttl, expire_one, &e, err);
}

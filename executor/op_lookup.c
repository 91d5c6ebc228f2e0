/* op_lookup.c: joins with a table outside, asked by key: all new keys of a batch in one round trip, several such on their way, answers remembered.
 *
 *   asked    one row for each key in the cache, oldest first in `queue`; mark: when it was asked
 *   rows     what the table had for it
 *   wait     batches and watermarks that stand behind an answer, in order
 *
 * Rules:  a NULL key finds nothing and is not asked. Answers are used for cache_ttl, and at most cache_rows keys are kept, the oldest go first; a key
 *         is forgotten only while nothing waits for it. Order is kept. A flush waits for all answers, so a checkpoint finds nothing on its way.
 *         No state: after a restart the table is asked again.
 * Memory: both tables of rows are ours; results copy what they show. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/internal.h"
#include "executor/rows.h"

struct waiting {
    struct wr_batch *b;            /* NULL: a watermark */
    int64_t wm;
    uint64_t need;                 /* answers that have to be there: counted from the first */
};

struct lookup {
    const struct wr_plan_lookup *p;
    struct wr_lookup *table;
    struct wr_arena arena;         /* layouts */
    struct wr_arena scratch;       /* reset for each batch */
    struct wr_schema key_schema;
    struct wr_rowlayout asked_layout, layout;
    struct wr_rows asked, rows;
    int *all;                      /* key columns as columns of key_schema: 0 .. n_key - 1 */
    struct wr_row **queue;         /* of asked, by time; a ring */
    uint32_t head, n, cap;
    struct waiting *wait;          /* a ring */
    uint32_t wait_head, n_wait, cap_wait;
    uint64_t n_asked, n_answered;
};

static void push(struct lookup *l, struct wr_row *x)
{
    if (l->n == l->cap) {
        uint32_t cap = l->cap ? l->cap * 2 : 1024;
        struct wr_row **q = wr_malloc(sizeof(struct wr_row *) * cap);
        for (uint32_t i = 0; i < l->n; i++)
            q[i] = l->queue[(l->head + i) & (l->cap - 1)];
        free(l->queue);
        l->queue = q;
        l->head = 0;
        l->cap = cap;
    }
    l->queue[(l->head + l->n++) & (l->cap - 1)] = x;
}

/* Forgets the oldest key. */
static void pop(struct lookup *l)
{
    struct wr_row *x = l->queue[l->head];
    l->head = (l->head + 1) & (l->cap - 1);
    l->n--;
    struct wr_bucket *k = wr_rows_like(&l->rows, &l->asked_layout, x);
    if (k)
        wr_rows_drop_bucket(&l->rows, k);
    wr_rows_drop(&l->asked, x, 1);
}

static void forget_old(struct lookup *l, int64_t now, uint32_t most)
{
    while (l->n && (l->n > most || l->queue[l->head]->mark <= now - l->p->cache_ttl))
        pop(l);
}

static bool has_null(const struct lookup *l, const struct wr_batch *b, uint32_t row)
{
    for (int i = 0; i < l->p->spec.n_key; i++)
        if (wr_vec_null(&b->col[l->p->key[i]], row))
            return true;
    return false;
}

/* The keys of the batch as a batch of key_schema, so that they can be kept. */
static struct wr_batch *key_view(const struct lookup *l, struct wr_batch *b)
{
    struct wr_batch *v = wr_batch_view(b, l->p->spec.n_key);
    for (int i = 0; i < l->p->spec.n_key; i++)
        v->col[i] = b->col[l->p->key[i]];
    return v;
}

/* Takes the answer to the oldest question. */
static wr_status take_answer(struct wr_op *op, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    const struct wr_lookup_spec *spec = &l->p->spec;
    struct wr_batch *got = NULL;
    l->n_answered++;
    WR_TRY(l->table->vt->take(l->table, &got, err));
    uint64_t *h = wr_malloc(sizeof *h * (got->len ? got->len : 1));
    wr_hash_rows(got, spec->key, spec->n_key, NULL, got->len, wr_hash_seed(), h);
    for (uint32_t k = 0; k < got->len; k++)
        (void)wr_rows_add(&l->rows, got, k, h[k], 1);
    free(h);
    wr_batch_unref(got);
    return WR_OK;
}

/* Asks for the keys that are neither remembered nor asked for. */
static void ask(struct wr_op *op, struct wr_batch *b, const uint32_t *row, const uint64_t *hash, uint32_t n)
{
    struct lookup *l = op->ctx;
    const struct wr_lookup_spec *spec = &l->p->spec;
    uint32_t *want = wr_arena_alloc(&l->scratch, sizeof *want * (n ? n : 1)), m = 0;
    struct wr_batch *keys = key_view(l, b);
    for (uint32_t k = 0; k < n; k++) {
        if (has_null(l, b, row[k]) || wr_rows_find(&l->asked, keys, l->all, row[k], hash[k]))
            continue;
        struct wr_row *x = wr_rows_add(&l->asked, keys, row[k], hash[k], 1);
        x->mark = op->task->mono_us;
        push(l, x);
        want[m++] = row[k];
    }
    const struct wr_vec **col = wr_arena_alloc(&l->scratch, sizeof *col * (size_t)(spec->n_key + 1));
    for (int i = 0; i < spec->n_key; i++)
        col[i] = &keys->col[i];
    if (m) {
        l->table->vt->ask(l->table, col, want, m);
        l->n_asked++;
    }
    wr_batch_unref(keys);
}

static void release(void *b) { wr_batch_unref(b); }

static wr_status give(struct wr_op *op, struct wr_batch *b, const uint32_t *row, struct wr_row *const *mate, uint32_t n, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    if (n == 0)
        return WR_OK;
    struct wr_batch *out = wr_batch_new(op->plan->out, 0); /* each column makes its own room */
    int n_in = op->plan->in[0]->out->n;
    out->cap = out->len = out->n_live = n;
    for (int c = 0; c < n_in; c++)
        wr_vec_gather(&out->col[c], &b->col[c], row, n, &out->mem, false);
    for (int c = n_in; c < op->plan->out->n; c++)
        wr_rows_column(&l->layout, c - n_in, mate, n, &out->col[c], &out->mem, true);
    int64_t *wm = wr_arena_alloc(&out->mem, sizeof *wm * n);
    for (uint32_t k = 0; k < n; k++)
        wm[k] = wr_batch_wm(b, row[k]);
    out->wm = b->wm ? wm : NULL;
    out->wm0 = b->wm0;
    wr_batch_hold(out, release, wr_batch_ref(b));
    return wr_emit(op, out, err);
}

/* Joins a batch whose answers are all there. */
static wr_status join(struct wr_op *op, struct wr_batch *b, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    wr_arena_reset(&l->scratch);
    uint32_t *row = wr_live_rows(b, &l->scratch), n = b->n_live, m = 0;
    uint64_t *hash = wr_arena_alloc(&l->scratch, sizeof *hash * (n ? n : 1));
    uint32_t *from = wr_arena_alloc(&l->scratch, sizeof *from * WR_BATCH_ROWS);
    struct wr_row **mate = wr_arena_alloc(&l->scratch, sizeof *mate * WR_BATCH_ROWS);
    wr_hash_rows(b, l->p->key, l->p->spec.n_key, row, n, wr_hash_seed(), hash);
    op->n.held -= n;
    for (uint32_t k = 0; k < n; k++) {
        struct wr_bucket *found = has_null(l, b, row[k]) ? NULL : wr_rows_find(&l->rows, b, l->p->key, row[k], hash[k]);
        uint32_t times = found ? found->n : l->p->left;
        if (times)
            op->n.passed++;
        else
            op->n.filtered++;
        for (uint32_t i = 0; i < times; i++) {
            from[m] = row[k];
            mate[m++] = found ? wr_bucket_row(found, i) : NULL;
            if (m == WR_BATCH_ROWS) {
                WR_TRY(give(op, b, from, mate, m, err));
                m = 0;
            }
        }
    }
    return give(op, b, from, mate, m, err);
}

static void stand_in_line(struct lookup *l, struct waiting w)
{
    if (l->n_wait == l->cap_wait) {
        uint32_t cap = l->cap_wait ? l->cap_wait * 2 : 16;
        struct waiting *all = wr_malloc(sizeof *all * cap);
        for (uint32_t i = 0; i < l->n_wait; i++)
            all[i] = l->wait[(l->wait_head + i) & (l->cap_wait - 1)];
        free(l->wait);
        l->wait = all;
        l->wait_head = 0;
        l->cap_wait = cap;
    }
    l->wait[(l->wait_head + l->n_wait++) & (l->cap_wait - 1)] = w;
}

/* Gives on what stands in front and has its answers. */
static wr_status let_go(struct wr_op *op, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    while (l->n_wait && l->wait[l->wait_head].need <= l->n_answered) {
        struct waiting w = l->wait[l->wait_head];
        l->wait_head = (l->wait_head + 1) & (l->cap_wait - 1);
        l->n_wait--;
        wr_status st = w.b ? join(op, w.b, err) : wr_forward_wm(op, w.wm, err);
        wr_batch_unref(w.b);
        WR_TRY(st);
    }
    return WR_OK;
}

/* Waits until no more than `most` questions are on their way. */
static wr_status settle(struct wr_op *op, uint32_t most, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    while (l->n_asked - l->n_answered > most) {
        WR_TRY(take_answer(op, err));
        WR_TRY(let_go(op, err));
    }
    WR_TRY(let_go(op, err));
    if (l->n_wait == 0)
        forget_old(l, op->task->mono_us, l->p->cache_rows > INT32_MAX ? INT32_MAX : (uint32_t)l->p->cache_rows);
    wr_op_weigh(op, l->asked.bytes + l->rows.bytes);
    return WR_OK;
}

static wr_status lookup_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    wr_status st = settle(op, l->table->most - 1, err); /* room for one more */
    if (st) {
        wr_batch_unref(b);
        return st;
    }
    wr_arena_reset(&l->scratch);
    uint32_t *row = wr_live_rows(b, &l->scratch), n = b->n_live;
    uint64_t *hash = wr_arena_alloc(&l->scratch, sizeof *hash * (n ? n : 1));
    wr_hash_rows(b, l->p->key, l->p->spec.n_key, row, n, wr_hash_seed(), hash);
    ask(op, b, row, hash, n);
    op->n.held += n;
    stand_in_line(l, (struct waiting){.b = b, .need = l->n_asked});
    return l->n_asked == l->n_answered ? settle(op, 0, err) : WR_OK;
}

static wr_status lookup_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct lookup *l = op->ctx;
    *fwd = w;
    if (w == WR_WM_END)
        return settle(op, 0, err);
    if (l->n_wait == 0)
        return WR_OK;
    stand_in_line(l, (struct waiting){.wm = w, .need = l->n_asked});
    *fwd = op->wm_out;
    return WR_OK;
}

static wr_status lookup_flush(struct wr_op *op, struct wr_error *err) { return settle(op, 0, err); }

static wr_status lookup_open(struct wr_op *op, struct wr_error *err)
{
    const struct wr_plan_lookup *p = &op->plan->u.lookup;
    struct lookup *l = wr_calloc(1, sizeof *l);
    op->ctx = l;
    l->p = p;
    l->key_schema = (struct wr_schema){p->spec.n_key, WR_NEW_N(&l->arena, struct wr_field, p->spec.n_key + 1)};
    l->all = WR_NEW_N(&l->arena, int, p->spec.n_key + 1);
    for (int i = 0; i < p->spec.n_key; i++) {
        l->key_schema.field[i] = p->spec.schema->field[p->spec.key[i]];
        l->all[i] = i;
    }
    wr_rowlayout_init(&l->asked_layout, &l->key_schema, l->all, p->spec.n_key, true, -1, &l->arena);
    wr_rowlayout_init(&l->layout, p->spec.schema, p->spec.key, p->spec.n_key, false, -1, &l->arena);
    wr_rows_init(&l->asked, &l->asked_layout);
    wr_rows_init(&l->rows, &l->layout);
    struct wr_lookup_spec spec = p->spec;
    spec.stop = &op->task->job->halt;
    return p->connector->lookup->open(&spec, &l->table, err);
}

static void lookup_close(struct wr_op *op)
{
    struct lookup *l = op->ctx;
    if (!l)
        return;
    if (l->table)
        l->table->vt->close(l->table);
    for (uint32_t i = 0; i < l->n_wait; i++)
        wr_batch_unref(l->wait[(l->wait_head + i) & (l->cap_wait - 1)].b);
    free(l->wait);
    wr_rows_clear(&l->asked);
    wr_rows_clear(&l->rows);
    free(l->queue);
    wr_arena_clear(&l->scratch);
    wr_arena_clear(&l->arena);
    free(l);
    op->ctx = NULL;
}

const struct wr_op_vt wr_op_lookup = {
    .name = "lookup", .open = lookup_open, .process = lookup_process, .watermark = lookup_watermark, .tick = wr_op_no_tick,
    .flush = lookup_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = lookup_close,
};

/* session_state.c: what session windows write into checkpoints and find again after a restart.
 *
 * Keys below the operator's own prefix:
 *   'm'                        one: watermark up to which sessions were closed, when EMIT EVERY is due
 *   's' key-fields             one a key: its sessions. EMIT EVERY: for those that changed and were not shown, also the result shown before
 *   'd' key-fields place       one a session that another one has taken in, as long as its result was not taken back (EMIT EVERY)
 * Rules:  a key is written when one of its sessions changed or was shown; a restart reads all of them.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/session.h"

enum { SHOWN = 1, DIRTY = 2 };
enum { LIMIT_EVERY = 1024 }; /* keys read back between two looks at max_state_bytes */

void wr_session_key(struct wr_buf *out, const struct wr_op *op, const struct wr_group *key)
{
    const struct wr_session_op *a = op->ctx;
    wr_op_key(out, op, 's');
    wr_group_key_bytes(&a->keys, key, out);
}

static void dead_key(struct wr_buf *out, const struct wr_op *op, const struct wr_session *s)
{
    const struct wr_session_op *a = op->ctx;
    wr_op_key(out, op, 'd');
    wr_group_key_bytes(&a->keys, s->key, out);
    wr_buf_i64(out, s->place);
}

void wr_session_paid(struct wr_op *op, const struct wr_session *s)
{
    struct wr_session_op *a = op->ctx;
    struct wr_buf key = WR_BUF_INIT(0);
    dead_key(&key, op, s);
    wr_delta_delete(&a->gone, wr_buf_get(&key));
    wr_buf_clear(&key);
}

/* ---- writing ---- */

static void save_before(const struct wr_session_op *a, const struct wr_session *s, struct wr_buf *out)
{
    uint32_t at = s->before / WR_BATCH_ROWS;
    const struct wr_batch *b = at < a->n_old ? a->old[at] : a->before.b;
    for (int c = 0; c < b->n_col; c++)
        wr_key_put(out, &b->col[c], s->before % WR_BATCH_ROWS, false, true);
}

void wr_session_save(struct wr_session_op *a, struct wr_group *key, struct wr_buf *out)
{
    const struct wr_session_list *l = wr_session_list_of(a, key);
    wr_buf_u32(out, (uint32_t)l->n);
    for (int i = 0; i < l->n; i++) {
        struct wr_session *s = l->at[i];
        const int64_t v[] = {s->start, s->last, (int64_t)s->rows, s->shown_start, s->shown_end};
        for (size_t k = 0; k < sizeof v / sizeof *v; k++)
            wr_buf_i64(out, v[k]);
        wr_buf_u8(out, (s->shown ? SHOWN : 0) | (s->dirty ? DIRTY : 0));
        if (s->dirty)
            wr_buf_i64(out, s->place);
        if (s->dirty && s->shown)
            save_before(a, s, out);
        for (int k = 0; k < a->p->n_agg; k++)
            wr_aggcall_save(&a->agg[k], s->state + a->agg[k].offset, out);
    }
}

static void save_dead(struct wr_op *op, struct wr_buf *delta)
{
    struct wr_session_op *a = op->ctx;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    for (uint32_t i = 0; i < a->n_dirty; i++) {
        struct wr_session *s = a->dirty[i];
        if (!s->dead || !s->shown || s->owed)
            continue;
        s->owed = true;
        dead_key(&key, op, s);
        wr_buf_reset(&value);
        wr_buf_i64(&value, s->place);
        wr_buf_i64(&value, s->due);
        save_before(a, s, &value);
        wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    }
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

void wr_session_write(struct wr_op *op, struct wr_group *x, struct wr_buf *delta)
{
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    x->flags = (uint8_t)((x->flags & ~WR_GROUP_CHANGED) | WR_GROUP_STORED);
    wr_session_key(&key, op, x);
    wr_session_save(op->ctx, x, &value);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

wr_status wr_session_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct wr_session_op *a = op->ctx;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    wr_buf_str(delta, wr_buf_get(&a->gone));
    wr_buf_reset(&a->gone);
    for (uint32_t i = 0; i < a->n_changed; i++) {
        struct wr_group *x = a->changed[i];
        if (!(x->flags & WR_GROUP_CHANGED) || (x->flags & WR_GROUP_DEAD))
            continue;
        wr_session_write(op, x, delta);
    }
    a->n_changed = 0;
    save_dead(op, delta);
    const int64_t times[] = {a->closed == WR_WM_END ? op->wm_open : a->closed, a->next_due}; /* END is not kept: the input may grow (op_keep.c) */
    wr_op_keep_times(op, 'm', times, 2, delta);
    wr_buf_clear(&key);
    wr_buf_clear(&value);
    return WR_OK;
}

/* ---- reading ---- */

struct load {
    struct wr_op *op;
    bool damaged;
    struct wr_arena scratch;
    struct wr_arena row;     /* values of one row */
    uint32_t n_key;          /* read so far */
    wr_status st;
    struct wr_error *err;
};

static bool load_before(struct load *l, struct wr_session *s, struct wr_str *in)
{
    struct wr_session_op *a = l->op->ctx;
    uint32_t r = wr_session_before(a, s);
    wr_arena_reset(&l->row);
    for (int c = 0; c < a->before.schema->n; c++) {
        struct wr_value v;
        if (!wr_key_take(in, a->before.schema->field[c].type, false, true, &l->row, &v))
            return false;
        wr_builder_set(&a->before, c, r, &v);
    }
    return true;
}

static bool load_session(struct load *l, struct wr_group *key, struct wr_str *in)
{
    struct wr_op *op = l->op;
    struct wr_session_op *a = op->ctx;
    int64_t v[5];
    uint8_t flags;
    for (int k = 0; k < 5; k++)
        if (!wr_take_i64(in, &v[k]))
            return false;
    if (!wr_take_u8(in, &flags))
        return false;
    struct wr_session *s = wr_session_new(a, key, v[0]);
    s->last = v[1];
    s->rows = (uint64_t)v[2];
    s->shown_start = v[3];
    s->shown_end = v[4];
    s->shown = flags & SHOWN;
    if (flags & DIRTY) {
        wr_session_dirty(a, s);
        if (!wr_take_i64(in, &s->place) || (s->shown && !load_before(l, s, in)))
            return false;
    }
    for (int k = 0; k < a->p->n_agg; k++) {
        wr_aggcall_drop(&a->agg[k], s->state + a->agg[k].offset);
        if (!wr_aggcall_load(&a->agg[k], s->state + a->agg[k].offset, in)) {
            wr_aggcall_init(&a->agg[k], s->state + a->agg[k].offset);
            return false;
        }
    }
    return true;
}

static bool load_sessions(struct load *l, struct wr_group *x, struct wr_str in)
{
    uint32_t n;
    bool ok = wr_take_u32(&in, &n);
    while (ok && n-- > 0)
        ok = load_session(l, x, &in);
    return ok;
}

bool wr_session_load(struct wr_op *op, struct wr_group *key, struct wr_str in)
{
    struct load l = {.op = op};
    bool ok = load_sessions(&l, key, in);
    wr_arena_clear(&l.row);
    return ok;
}

/* The key a record begins with, taken off it; NULL: another instance's, or damaged. */
static struct wr_group *load_group(struct load *l, struct wr_str *key)
{
    struct wr_session_op *a = l->op->ctx;
    bool made;
    key->p += 5;
    key->n -= 5;
    wr_arena_reset(&l->scratch);
    struct wr_value *v = wr_arena_alloc(&l->scratch, sizeof *v * (size_t)(a->keys.n_key + 1));
    for (int c = 0; c < a->keys.n_key; c++)
        if (!wr_key_take(key, a->keys.type[c], false, true, &l->scratch, &v[c])) {
            l->damaged = true;
            return NULL;
        }
    return wr_group_is_ours(l->op, &a->keys, v) ? wr_groups_restore(&a->groups, v, &made) : NULL;
}

static bool load_key(void *ctx, struct wr_str key, struct wr_str value)
{
    struct load *l = ctx;
    struct wr_session_op *a = l->op->ctx;
    struct wr_group *x = load_group(l, &key);
    if (!x)
        return !l->damaged;
    x->flags |= WR_GROUP_STORED;
    if (!load_sessions(l, x, value))
        return !(l->damaged = true);
    const struct wr_session_list *s = wr_session_list_of(a, x);
    for (int i = 0; i < s->n; i++) {
        wr_session_wait(a, s->at[i], s->at[i]->start + a->gap);
        l->op->n.held += s->at[i]->rows;
        l->op->n.in += s->at[i]->rows; /* so that the books balance from the first row on */
    }
    if (++l->n_key % LIMIT_EVERY == 0)
        l->st = wr_session_limit(l->op, l->err);
    return l->st == WR_OK;
}

static bool load_dead(void *ctx, struct wr_str key, struct wr_str value)
{
    struct load *l = ctx;
    struct wr_session_op *a = l->op->ctx;
    struct wr_group *x = load_group(l, &key);
    int64_t place, due;
    if (!x)
        return !l->damaged;
    if (!wr_take_i64(&value, &place) || !wr_take_i64(&value, &due))
        return !(l->damaged = true);
    struct wr_session *s = wr_session_dead(a, x, due);
    s->place = place;
    s->shown = s->owed = true;
    wr_session_dirty(a, s);
    l->damaged = !load_before(l, s, &value);
    return !l->damaged;
}

static int by_place(const void *x, const void *y)
{
    const struct wr_session *a = *(struct wr_session *const *)x, *b = *(struct wr_session *const *)y;
    if (a->place != b->place)
        return a->place < b->place ? -1 : 1;
    return a->before < b->before ? -1 : a->before > b->before; /* of another number of instances */
}

wr_status wr_session_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_session_op *a = op->ctx;
    struct load l = {.op = op, .err = err};
    struct wr_buf key = WR_BUF_INIT(64);
    int64_t times[] = {a->closed, a->next_due};
    l.damaged = !wr_op_restore_times(op, r, 'm', times, 2);
    a->closed = times[0];
    a->next_due = times[1];
    wr_op_key(&key, op, 'd'); /* first: they keep their keys in memory */
    if (!l.damaged)
        wr_store_scan(r, wr_buf_get(&key), load_dead, &l);
    wr_op_key(&key, op, 's');
    if (!l.damaged)
        wr_store_scan(r, wr_buf_get(&key), load_key, &l);
    if (a->n_dirty > 1)
        qsort(a->dirty, a->n_dirty, sizeof *a->dirty, by_place);
    a->next_place = a->n_dirty ? a->dirty[a->n_dirty - 1]->place + 1 : 0;
    wr_buf_clear(&key);
    wr_arena_clear(&l.scratch);
    wr_arena_clear(&l.row);
    WR_TRY(l.st);
    return l.damaged ? wr_fail(err, WR_EIO, "the checkpoint's state of a session window is damaged") : WR_OK;
}

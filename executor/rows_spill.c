/* rows_spill.c: buckets of rows that are not in memory, because the state is over max_state_bytes or because the job was started again.
 *
 * Where a bucket is, the newest first:   memory   the spill   the checkpoint (rows_state.c)
 *   spill key: prefix 'b' key-fields     value: touched, then each row in its order: number, count, mark, flags, data
 * A bucket goes as a whole, and comes back as a whole when its key is asked for. The copy in the spill stays there: a bucket that was only looked at goes
 * again without being written. What had changed since the last checkpoint goes into the next one's delta when the bucket goes to disk.
 * Rules:  second chance: a bucket goes when nobody has asked for its key since the search last passed. Nothing of it may be pointed to when it goes: the
 *         operator calls wr_rows_pick and wr_rows_send between batches. A filter says which keys can be in the spill, so that new keys cost no look.
 * Memory: what is sent gathers in the spill's buffer until wr_spill_write. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/op.h"
#include "executor/rows.h"

uint64_t wr_rows_bytes(const struct wr_rows *t)
{
    return t->bytes + (t->slot ? (t->mask + 1) * sizeof *t->slot : 0) + t->out.bytes + t->cap_changed * sizeof *t->changed + t->gone.cap + t->gone_keys.heap;
}

/* ---- to disk ---- */

uint64_t wr_rows_pick(struct wr_rows *t, uint64_t want, struct wr_picked *to)
{
    uint64_t freed = 0;
    if (t->busy || !t->spill)
        return 0;
    for (uint64_t k = 0; t->slot && k <= t->mask && freed < want; k++) {
        t->hand = t->hand < t->mask ? t->hand + 1 : 0;
        struct wr_bucket *b = wr_rows_slot(t, t->hand);
        if (!b || b->going || b == t->current)
            continue;
        if (b->used) {
            b->used = false;
            continue;
        }
        if (to->n == to->cap) {
            to->cap = to->cap ? to->cap * 2 : 256;
            to->at = wr_realloc(to->at, sizeof *to->at * to->cap);
        }
        b->going = true;
        to->at[to->n++] = (struct wr_pick){t, b};
        freed += wr_bucket_bytes(b);
    }
    return freed;
}

/* As it is in memory. */
static bool is_on_disk(const struct wr_rows *t, const struct wr_bucket *k) { return k->same && (k->disk > 0 || t->reader); }

static void blob_key(const struct wr_rows *t, struct wr_str fields, struct wr_buf *key)
{
    wr_buf_reset(key);
    wr_buf_str(key, wr_buf_get(&t->prefix));
    wr_buf_putc(key, 'b');
    wr_buf_str(key, fields);
}

static void save_bucket(const struct wr_bucket *k, bool track, struct wr_buf *out)
{
    wr_buf_i64(out, k->touched);
    wr_buf_i64(out, (int64_t)k->hash);
    for (uint32_t i = 0; i < k->n; i++) {
        const struct wr_row *x = wr_bucket_row(k, i);
        wr_buf_i64(out, (int64_t)x->seq);
        wr_buf_i64(out, x->n);
        wr_buf_i64(out, x->mark);
        wr_buf_u8(out, track ? WR_ROW_STORED : 0); /* what was not yet is in the delta by now */
        wr_buf_lstr(out, (struct wr_str){x->data, x->size});
    }
}

void wr_rows_send(struct wr_rows *t, struct wr_bucket *k)
{
    struct wr_buf fields = WR_BUF_INIT(0), key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    wr_row_key_bytes(t->layout, wr_bucket_row(k, 0), &fields);
    if (!is_on_disk(t, k)) {
        for (uint32_t i = 0; t->track && i < k->n; i++)
            wr_row_settle(t, wr_bucket_row(k, i));
        blob_key(t, wr_buf_get(&fields), &key);
        save_bucket(k, t->track, &value);
        wr_spill_put(t->spill, wr_buf_get(&key), 0, wr_buf_get(&value));
        if (k->disk == 0) {
            wr_filter_add(&t->out, (uint32_t)k->hash);
            t->n_disk++;
        }
        t->op->n.disk_bytes += key.n + value.n - k->disk;
    }
    wr_rows_let_go(t, k);
    wr_buf_clear(&fields);
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

void wr_rows_forget_copy(struct wr_rows *t, const struct wr_row *x)
{
    struct wr_buf fields = WR_BUF_INIT(0), key = WR_BUF_INIT(0);
    wr_row_key_bytes(t->layout, x, &fields);
    blob_key(t, wr_buf_get(&fields), &key);
    wr_spill_delete(t->spill, wr_buf_get(&key));
    t->op->n.disk_bytes -= x->bucket->disk;
    if (--t->n_disk == 0)
        wr_filter_clear(&t->out);
    wr_buf_clear(&fields);
    wr_buf_clear(&key);
}

void wr_rows_forget_disk(struct wr_rows *t)
{
    if (t->n_disk == 0)
        return;
    struct wr_buf key = WR_BUF_INIT(0);
    blob_key(t, (struct wr_str){0}, &key);
    wr_spill_delete_prefix(t->spill, wr_buf_get(&key));
    t->n_disk = 0;
    wr_filter_clear(&t->out);
    wr_buf_clear(&key);
}

/* ---- and back ---- */

/* One row off the front of a copy; false: that was all. */
static bool take_row(struct wr_str *in, int64_t v[3], uint8_t *flags, struct wr_str *data)
{
    return in->n > 0 && wr_take_i64(in, &v[0]) && wr_take_i64(in, &v[1]) && wr_take_i64(in, &v[2]) && wr_take_u8(in, flags) && wr_take_lstr(in, data);
}

static struct wr_bucket *load_bucket(struct wr_rows *t, uint32_t n_fields, struct wr_str in)
{
    uint32_t disk = (uint32_t)t->prefix.n + 1 + n_fields + in.n;
    struct wr_bucket *k = NULL;
    struct wr_str data;
    int64_t touched, hash, v[3];
    uint8_t flags;
    if (!wr_take_i64(&in, &touched) || !wr_take_i64(&in, &hash))
        return NULL;
    while (take_row(&in, v, &flags, &data)) {
        struct wr_row *x = wr_rows_put(t, (uint64_t)hash, data, (uint64_t)v[0]);
        x->n = v[1];
        x->mark = v[2];
        x->flags = flags;
        k = x->bucket;
        k->total += x->n;
    }
    if (!k)
        return NULL;
    k->touched = touched;
    k->same = true;
    k->disk = disk;
    if (t->came)
        t->came(t->op, t, k);
    return k;
}

bool wr_rows_fetch_copy(struct wr_rows *t, struct wr_str fields, uint64_t hash)
{
    if (t->n_disk == 0 || !wr_filter_has(&t->out, (uint32_t)hash))
        return false;
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    uint32_t epoch;
    blob_key(t, fields, &key);
    bool found = wr_spill_get(t->spill, wr_buf_get(&key), &epoch, &value) && load_bucket(t, fields.n, value);
    wr_buf_clear(&key);
    return found;
}

struct wr_bucket *wr_rows_back(struct wr_rows *t, struct wr_str fields, uint64_t hash)
{
    if (wr_rows_here(t, fields, hash))
        return NULL;
    wr_rows_fetch_fields(t, fields, hash);
    return wr_rows_here(t, fields, hash);
}

/* ---- walking ---- */

enum { LONG_KEY = 400 };

/* Is there a copy in the spill? */
static bool is_copied(struct wr_rows *t, struct wr_str fields, uint64_t hash)
{
    struct wr_buf key = WR_BUF_INIT(0);
    struct wr_str value;
    uint32_t epoch;
    if (t->n_disk == 0 || !wr_filter_has(&t->out, (uint32_t)hash))
        return false;
    blob_key(t, fields, &key);
    bool is = wr_spill_get(t->spill, wr_buf_get(&key), &epoch, &value);
    wr_buf_clear(&key);
    return is;
}

struct each {
    struct wr_rows *t;
    int64_t older;
    bool any;                /* `last` is set: a key may have no fields at all */
    struct wr_buf last;      /* key fields of the bucket gone through last */
    enum wr_each (*fn)(void *, struct wr_bucket *, wr_status *, struct wr_error *);
    void *ctx;
    struct wr_error *err;
    wr_status st;
};

/* n: bytes of its key. Rows of long keys do not lie together in the checkpoint: a bucket that was gone through stays, so that it is known. */
static void give(struct each *e, struct wr_bucket *k, uint32_t n)
{
    struct wr_rows *t = e->t;
    t->current = k;
    enum wr_each then = e->fn(e->ctx, k, &e->st, e->err);
    t->current = NULL;
    if (then != WR_EACH_NEXT || n > LONG_KEY || (!is_on_disk(t, k) && !t->spill))
        return;
    if (is_on_disk(t, k))
        wr_rows_let_go(t, k);
    else
        wr_rows_send(t, k);
    if (e->st == WR_OK && t->spill && t->spill->out.n > WR_SPILL_GATHER)
        e->st = wr_spill_write(t->spill, e->err);
}

static bool each_copy(void *ctx, struct wr_str key, uint32_t epoch WR_UNUSED, struct wr_str value)
{
    struct each *e = ctx;
    struct wr_rows *t = e->t;
    struct wr_str in = value, fields = {key.p + t->prefix.n + 1, key.n - (uint32_t)t->prefix.n - 1};
    int64_t touched, hash;
    if (!wr_take_i64(&in, &touched) || !wr_take_i64(&in, &hash) || touched > e->older || wr_rows_here(t, fields, (uint64_t)hash))
        return true;
    struct wr_bucket *k = load_bucket(t, fields.n, value);
    if (k)
        give(e, k, 0);
    return e->st == WR_OK;
}

/* A row in the checkpoint: the first one of a bucket that is neither in memory nor in the spill has it read as a whole. */
static bool each_stored(void *ctx, struct wr_str key, struct wr_str value)
{
    struct each *e = ctx;
    struct wr_rows *t = e->t;
    uint32_t skip = (uint32_t)t->prefix.n + 1;
    if (key.n < skip + 8 || value.n < 16)
        return true;
    struct wr_str fields = {key.p + skip, key.n - skip - 8}, data = {value.p + 16, value.n - 16};
    if ((e->any && wr_str_eq(fields, wr_buf_get(&e->last))) || !wr_row_valid(t->layout, data))
        return true;
    e->any = true;
    wr_buf_reset(&e->last);
    wr_buf_str(&e->last, fields);
    struct wr_row *tmp = wr_malloc(sizeof *tmp + data.n);
    *tmp = (struct wr_row){.size = data.n};
    memcpy(tmp->data, data.p, data.n);
    uint64_t hash = wr_row_hash_key(t->layout, tmp);
    bool ours = wr_rows_is_ours(t, tmp);
    wr_row_free(tmp);
    if (!ours || is_copied(t, fields, hash))
        return true;
    struct wr_bucket *k = wr_rows_back(t, fields, hash);
    if (k)
        give(e, k, key.n);
    return e->st == WR_OK;
}

wr_status wr_rows_each(struct wr_rows *t, int64_t older, enum wr_each (*fn)(void *, struct wr_bucket *, wr_status *, struct wr_error *), void *ctx,
                       struct wr_error *err)
{
    struct each e = {.t = t, .older = older, .fn = fn, .ctx = ctx, .err = err, .last = WR_BUF_INIT(0)};
    uint64_t at = 0, sent = t->n_sent;
    bool was = t->busy;
    t->busy = true;
    for (struct wr_bucket *k; e.st == WR_OK && (k = wr_rows_next(t, &at));)
        (void)fn(ctx, k, &e.st, err);
    t->busy = was;
    struct wr_buf key = WR_BUF_INIT(0);
    if (t->n_disk > 0 && e.st == WR_OK)
        e.st = wr_spill_write(t->spill, err); /* what was dropped is not walked over */
    if (t->n_disk > 0 && e.st == WR_OK) {
        blob_key(t, (struct wr_str){0}, &key);
        wr_spill_scan(t->spill, wr_buf_get(&key), each_copy, &e);
    }
    if (t->reader && t->spill && e.st == WR_OK)
        e.st = wr_spill_write(t->spill, err); /* copies that went back are found again */
    if (t->reader && e.st == WR_OK) {
        wr_buf_reset(&key);
        wr_buf_str(&key, wr_buf_get(&t->prefix));
        wr_buf_putc(&key, 'r');
        struct wr_store_reader *own = wr_store_reader_new(t->op->task->job->store);
        wr_store_scan(own, wr_buf_get(&key), each_stored, &e);
        wr_store_reader_free(own);
        if (e.st == WR_OK && t->n_sent == sent) { /* all are in memory, or in the spill */
            wr_store_reader_free(t->reader);
            t->reader = NULL;
        }
    }
    wr_buf_clear(&key);
    wr_buf_clear(&e.last);
    return e.st == WR_OK && t->spill ? wr_spill_write(t->spill, err) : e.st;
}

/* ---- state.ttl ---- */

struct expire { struct wr_rows *t; struct wr_op *op; int64_t now, ttl; };

static enum wr_each expire_one(void *ctx, struct wr_bucket *k, wr_status *st WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    struct expire *e = ctx;
    if (k->touched == 0) { /* from before a restart, or before event time began */
        k->touched = e->now;
        k->same = false;
        return WR_EACH_STAYS;
    }
    if (k->touched > e->now - e->ttl)
        return WR_EACH_NEXT;
    e->op->n.held -= (uint64_t)k->total;
    e->op->n.passed += (uint64_t)k->total;
    wr_rows_drop_bucket(e->t, k);
    return WR_EACH_REMOVED;
}

wr_status wr_rows_expire(struct wr_rows *t, struct wr_op *op, int64_t now, int64_t ttl, struct wr_error *err)
{
    struct expire e = {t, op, now, ttl};
    return wr_rows_each(t, now - ttl, expire_one, &e, err);
}

/* rows_state.c: what tables of rows write into checkpoints and find again after a restart.
 *
 *   prefix 'h' instance         one an instance: next number of arrival, rows held
 *   prefix 'r' key-fields number    one a row: count, mark, data (rows.c's bytes)
 * Rules:  only rows changed since the last checkpoint are written. After a restart a key's rows come back when the key is asked for: restarting does
 *         not read the state. A bucket in memory is always whole.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/internal.h"
#include "executor/rows.h"

static void put_u64(struct wr_buf *out, uint64_t v)
{
    for (int shift = 56; shift >= 0; shift -= 8)
        wr_buf_u8(out, (uint8_t)(v >> shift));
}

static void key_of_row(const struct wr_rows *t, const struct wr_rowlayout *l, const struct wr_row *x, struct wr_buf *out)
{
    wr_buf_reset(out);
    wr_buf_str(out, wr_buf_get(&t->prefix));
    wr_buf_putc(out, 'r');
    wr_row_key_bytes(l, x, out);
}

/* ---- what changed ---- */

void wr_rows_track(struct wr_rows *t, struct wr_op *op, int input, char kind, struct wr_str suffix, struct wr_spill *spill)
{
    t->op = op;
    t->track = op->task->job->store != NULL;
    t->spill = spill;
    t->input = input;
    t->prefix.max = 0;
    wr_op_key(&t->prefix, op, kind);
    wr_buf_str(&t->prefix, suffix);
}

static void list(struct wr_rows *t, struct wr_row *x)
{
    if (t->n_changed == t->cap_changed) {
        t->cap_changed = t->cap_changed ? t->cap_changed * 2 : 64;
        t->changed = wr_realloc(t->changed, sizeof(struct wr_row *) * t->cap_changed);
    }
    x->flags |= WR_ROW_CHANGED;
    x->listed = t->n_changed;
    t->changed[t->n_changed++] = x;
}

void wr_rows_changed(struct wr_rows *t, struct wr_row *x)
{
    if (x->bucket)
        x->bucket->same = false;
    if (!t->track)
        return;
    if (!(x->flags & WR_ROW_OUT)) {
        if (!(x->flags & WR_ROW_CHANGED))
            list(t, x);
        return;
    }
    if (x->flags & WR_ROW_CHANGED)
        t->changed[x->listed] = NULL;
    x->flags &= (uint8_t)~WR_ROW_CHANGED;
    if (!(x->flags & WR_ROW_STORED))
        return;
    struct wr_buf key = WR_BUF_INIT(0);
    key_of_row(t, t->layout, x, &key);
    put_u64(&key, x->seq);
    wr_delta_delete(&t->gone, wr_buf_get(&key));
    if (t->reader)
        wr_omap_add(&t->gone_keys, wr_buf_get(&key), 1);
    wr_buf_clear(&key);
}

static void head_key(const struct wr_rows *t, struct wr_buf *key)
{
    wr_buf_reset(key);
    wr_buf_str(key, wr_buf_get(&t->prefix));
    wr_buf_putc(key, 'h');
}

static void write_head(const struct wr_rows *t, struct wr_buf *delta)
{
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(64);
    head_key(t, &key);
    wr_op_key_own(&key, t->op->instance);
    wr_buf_i64(&value, (int64_t)t->next_seq);
    wr_buf_i64(&value, t->total);
    wr_delta_put(delta, wr_buf_get(&key), wr_buf_get(&value));
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

static void write_row(const struct wr_rows *t, struct wr_row *x, struct wr_buf *key, struct wr_buf *value, struct wr_buf *delta)
{
    x->flags = (uint8_t)((x->flags & ~WR_ROW_CHANGED) | WR_ROW_STORED);
    key_of_row(t, t->layout, x, key);
    put_u64(key, x->seq);
    wr_buf_reset(value);
    wr_buf_i64(value, x->n);
    wr_buf_i64(value, x->mark);
    wr_buf_add(value, x->data, x->size);
    wr_delta_put(delta, wr_buf_get(key), wr_buf_get(value));
}

void wr_row_settle(struct wr_rows *t, struct wr_row *x)
{
    if (!(x->flags & WR_ROW_CHANGED))
        return;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    t->changed[x->listed] = NULL;
    write_row(t, x, &key, &value, &t->gone);
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

void wr_rows_checkpoint(struct wr_rows *t, struct wr_buf *delta)
{
    wr_store_reader_rest(t->reader);
    if (t->n_changed == 0 && t->gone.n == 0 && !t->rescaled)
        return;
    t->rescaled = false;
    struct wr_buf key = WR_BUF_INIT(0), value = WR_BUF_INIT(0);
    wr_buf_str(delta, wr_buf_get(&t->gone)); /* records, whole */
    wr_buf_reset(&t->gone);
    wr_omap_clear(&t->gone_keys); /* the delta is applied before the next row comes */
    for (uint32_t i = 0; i < t->n_changed; i++) {
        struct wr_row *x = t->changed[i];
        if (x)
            write_row(t, x, &key, &value, delta);
    }
    t->n_changed = 0;
    write_head(t, delta);
    wr_buf_clear(&key);
    wr_buf_clear(&value);
}

void wr_rows_forget(struct wr_rows *t, struct wr_buf *delta)
{
    if (t->track)
        wr_delta_delete_prefix(delta, wr_buf_get(&t->prefix));
}

/* ---- coming back ---- */

struct heads { struct wr_rows *t; bool found, damaged; };

static bool read_head(void *ctx, struct wr_str key, struct wr_str value)
{
    struct heads *h = ctx;
    struct wr_rows *t = h->t;
    int64_t next, total;
    int instance = wr_op_key_instance(key);
    if (!wr_take_i64(&value, &next) || !wr_take_i64(&value, &total) || next < 0)
        return !(h->damaged = true);
    h->found = true;
    if ((uint64_t)next > t->next_seq)
        t->next_seq = (uint64_t)next;
    if (instance == t->op->instance)
        t->total = total;
    if (t->rescaled && t->op->instance == 0 && instance >= t->op->task->job->n_inst[t->op->plan->id])
        wr_delta_delete(&t->gone, key);
    return true;
}

static enum wr_each count_bucket(void *ctx, struct wr_bucket *k, wr_status *st WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    struct wr_rows *t = ctx;
    t->total += k->total;
    return t->came ? WR_EACH_STAYS : WR_EACH_NEXT; /* who is told of what comes counts on it */
}

bool wr_rows_restore(struct wr_rows *t, struct wr_store_reader *r)
{
    struct heads h = {.t = t};
    struct wr_buf key = WR_BUF_INIT(0);
    t->rescaled = wr_op_rescaled(t->op);
    head_key(t, &key);
    wr_store_scan(r, wr_buf_get(&key), read_head, &h);
    wr_buf_clear(&key);
    if (!h.found || h.damaged)
        return !h.damaged;
    t->reader = wr_store_reader_new(t->op->task->job->store);
    if (!t->rescaled)
        return true;
    /* Which rows are whose now is seen by looking at them. */
    struct wr_error err = WR_ERROR_INIT;
    t->total = 0;
    return wr_rows_each(t, INT64_MAX, count_bucket, t, &err) == WR_OK;
}

/* Does the row belong to this instance? As the exchange decides. */
bool wr_rows_is_ours(const struct wr_rows *t, const struct wr_row *x)
{
    int n = t->op->task->job->n_inst[t->op->plan->id];
    if (n <= 1)
        return true;
    const struct wr_shares *by = &t->op->plan->share[t->input];
    uint64_t h = 0;
    for (int i = 0; i < by->n; i++) {
        struct wr_value v = wr_row_get(t->layout, x, by->col[i]);
        h = wr_hash_value(&v, h);
    }
    return (int)((h >> 32) % (uint64_t)n) == t->op->instance;
}

enum { LONGEST_PREFIX = 400 }; /* longer keys are found by their beginning only */

struct fetch {
    struct wr_rows *t;
    struct wr_str prefix;    /* of the keys meant */
    uint64_t hash;
    struct wr_bucket *made;
};

static bool fetch_one(void *ctx, struct wr_str key, struct wr_str value)
{
    struct fetch *f = ctx;
    struct wr_rows *t = f->t;
    int64_t n, mark;
    uint64_t seq = 0;
    if (key.n != f->prefix.n + 8 || memcmp(key.p, f->prefix.p, f->prefix.n) != 0 || wr_omap_get(&t->gone_keys, key) != 0)
        return true; /* another key, or dropped since the last checkpoint */
    if (!wr_take_i64(&value, &n) || !wr_take_i64(&value, &mark) || n <= 0 || !wr_row_valid(t->layout, value))
        return true;
    for (uint32_t i = key.n - 8; i < key.n; i++)
        seq = seq << 8 | (uint8_t)key.p[i];
    struct wr_row *x = wr_rows_put(t, f->hash, value, seq);
    x->n = n;
    x->mark = mark;
    x->flags = WR_ROW_STORED;
    x->bucket->total += n;
    f->made = x->bucket;
    return true;
}

/* From the spill, else from the checkpoint. */
void wr_rows_fetch_fields(struct wr_rows *t, struct wr_str fields, uint64_t hash)
{
    if (wr_rows_fetch_copy(t, fields, hash) || !t->reader)
        return;
    struct wr_buf key = WR_BUF_INIT(0);
    wr_buf_str(&key, wr_buf_get(&t->prefix));
    wr_buf_putc(&key, 'r');
    wr_buf_str(&key, fields);
    struct fetch f = {.t = t, .prefix = wr_buf_get(&key), .hash = hash};
    struct wr_str begin = f.prefix;
    if (begin.n > LONGEST_PREFIX)
        begin.n = LONGEST_PREFIX;
    wr_store_scan(t->reader, begin, fetch_one, &f);
    if (f.made)
        f.made->same = true;
    if (f.made && t->came)
        t->came(t->op, t, f.made);
    wr_buf_clear(&key);
}

void wr_rows_fetch(struct wr_rows *t, const struct wr_batch *b, const int *col, uint32_t row, uint64_t hash)
{
    struct wr_buf fields = WR_BUF_INIT(0);
    for (int i = 0; i < t->layout->n_key; i++)
        wr_key_put(&fields, &b->col[col[i]], row, false, true);
    wr_rows_fetch_fields(t, wr_buf_get(&fields), hash);
    wr_buf_clear(&fields);
}

void wr_rows_fetch_like(struct wr_rows *t, const struct wr_rowlayout *l, const struct wr_row *x)
{
    struct wr_buf fields = WR_BUF_INIT(0);
    wr_row_key_bytes(l, x, &fields);
    wr_rows_fetch_fields(t, wr_buf_get(&fields), x->bucket ? x->bucket->hash : wr_row_hash_key(l, x));
    wr_buf_clear(&fields);
}

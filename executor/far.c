/* far.c: see far.h.
 * Rules:  a key is prefix, time, bytes; `first` is a lower bound: dropping the earliest leaves it as it is, until something is taken. */
#include "executor/far.h"

void wr_far_init(struct wr_far *f, struct wr_spill *spill, char kind, uint8_t which)
{
    *f = (struct wr_far){.spill = spill, .first = INT64_MAX, .prefix = WR_BUF_INIT(0), .key = WR_BUF_INIT(0)};
    wr_op_key(&f->prefix, spill->op, kind);
    wr_buf_u8(&f->prefix, which);
}

void wr_far_clear(struct wr_far *f)
{
    wr_buf_clear(&f->prefix);
    wr_buf_clear(&f->key);
}

static struct wr_str key_of(struct wr_far *f, int64_t time, struct wr_str bytes)
{
    wr_buf_reset(&f->key);
    wr_buf_str(&f->key, wr_buf_get(&f->prefix));
    wr_time_key_put(&f->key, time);
    wr_buf_str(&f->key, bytes);
    return wr_buf_get(&f->key);
}

void wr_far_put(struct wr_far *f, int64_t time, struct wr_str bytes, struct wr_str value)
{
    wr_spill_put(f->spill, key_of(f, time, bytes), 0, value);
    f->first = time < f->first ? time : f->first;
}

void wr_far_drop(struct wr_far *f, int64_t time, struct wr_str bytes)
{
    if (f->first != INT64_MAX)
        wr_spill_delete(f->spill, key_of(f, time, bytes));
}

bool wr_far_has(struct wr_far *f, int64_t time, struct wr_str bytes)
{
    uint32_t epoch;
    struct wr_str value;
    return time >= f->first && f->first != INT64_MAX && wr_spill_get(f->spill, key_of(f, time, bytes), &epoch, &value);
}

struct taking {
    struct wr_far *f;
    int64_t before, last;      /* last: time of the one before */
    bool enough;
    bool (*fn)(void *, int64_t, struct wr_str, struct wr_str);
    void *ctx;
};

static bool take_one(void *ctx, struct wr_str key, uint32_t epoch WR_UNUSED, struct wr_str value)
{
    struct taking *t = ctx;
    uint32_t skip = (uint32_t)t->f->prefix.n;
    int64_t time = wr_time_key_get(key.p + skip);
    if (time >= t->before || (t->enough && time != t->last)) {
        t->f->first = time;
        return false;
    }
    t->last = time;
    wr_spill_delete(t->f->spill, key);
    t->enough |= !t->fn(t->ctx, time, (struct wr_str){key.p + skip + 8, key.n - skip - 8}, value);
    return true;
}

void wr_far_take(struct wr_far *f, int64_t before, bool (*fn)(void *, int64_t, struct wr_str, struct wr_str), void *ctx)
{
    if (f->first >= before)
        return;
    struct taking t = {.f = f, .before = before, .fn = fn, .ctx = ctx};
    f->first = INT64_MAX;
    wr_spill_scan(f->spill, wr_buf_get(&f->prefix), take_one, &t);
}

/* agg_seq.c: values in order, from which rows can be taken back: what first_value, min_by, string_agg, array_agg stand on.
 *
 * Rules:  `rows` is sorted by the ORDER BY columns, then by arrival; each entry's key is order key, sequence number (8 bytes, big endian),
 *         value; its number is 1 + the order key's length, so that the parts are found without knowing the types.
 *         To take a row back is to remove the latest arrival with the same order key and value (the latest: so that it does not matter
 *         where rows were cut into states to be merged). `find` (length of the order key, order key, value, sequence number) leads to it. If
 *         there is none, the debt is noted there under the sequence number 2^64 - 1 with a negative number, and the next such row that comes
 *         pays it; but not in a partial state, whose debts are about rows before it.
 *         Merging: first `from` takes back what it owes, then its rows arrive after all of `into`'s.
 * Memory: both maps are the state's. `scratch` is the caller's, so that a batch allocates once. */
#include "core/agg_impl.h"

static const uint64_t DEBT = UINT64_MAX;

static void put_number(struct wr_buf *out, uint64_t v)
{
    char b[8];
    for (int i = 0; i < 8; i++)
        b[i] = (char)(v >> (56 - 8 * i));
    wr_buf_add(out, b, sizeof b);
}

static uint64_t get_number(const char *p)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (uint8_t)p[i];
    return v;
}

/* One row, order key and value encoded. */
struct item {
    struct wr_str order, value;
};

static struct wr_str rows_key(struct wr_buf *b, struct item x, uint64_t number)
{
    wr_buf_reset(b);
    wr_buf_str(b, x.order);
    put_number(b, number);
    wr_buf_str(b, x.value);
    return wr_buf_get(b);
}

static struct wr_str find_key(struct wr_buf *b, struct item x, uint64_t number)
{
    wr_buf_reset(b);
    wr_varint_put(b, x.order.n);
    wr_buf_str(b, x.order);
    wr_buf_str(b, x.value);
    put_number(b, number);
    return wr_buf_get(b);
}

static void push(const struct wr_aggcall *c, struct wr_agg_seq *s, struct item x, uint64_t number, struct wr_buf *b)
{
    if (s->find.n_neg && !c->partial && wr_omap_get(&s->find, find_key(b, x, DEBT)) < 0) {
        (void)wr_omap_add(&s->find, wr_buf_get(b), 1);
        return;
    }
    (void)wr_omap_add(&s->rows, rows_key(b, x, number), 1 + (int64_t)x.order.n);
    if (c->retract)
        (void)wr_omap_add(&s->find, find_key(b, x, number), 1);
}

/* Removes the latest arrival; false: there is none. */
static bool take_back(struct wr_agg_seq *s, struct item x, struct wr_buf *b)
{
    struct wr_str key = find_key(b, x, DEBT);
    struct wr_omap_it it = wr_omap_seek(&s->find, key);
    if (wr_omap_valid(it))
        wr_omap_prev(&it);
    else
        it = wr_omap_last(&s->find);
    if (!wr_omap_valid(it))
        return false;
    struct wr_str got = wr_omap_key(it);
    if (got.n != key.n || memcmp(got.p, key.p, key.n - 8) != 0)
        return false;
    uint64_t number = get_number(got.p + got.n - 8);
    (void)wr_omap_add(&s->find, find_key(b, x, number), -1);
    (void)wr_omap_add(&s->rows, rows_key(b, x, number), -1 - (int64_t)x.order.n);
    if (s->rows.n_key == 0)
        s->next = 0;
    return true;
}

static void take_back_times(struct wr_agg_seq *s, struct item x, int64_t times, struct wr_buf *b)
{
    while (times > 0 && take_back(s, x, b))
        times--;
    if (times > 0)
        (void)wr_omap_add(&s->find, find_key(b, x, DEBT), -times);
}

void wr_agg_order_put(const struct wr_aggcall *c, const struct wr_batch *in, uint32_t row, struct wr_buf *out)
{
    if (c->by_arg) {
        wr_key_put(out, wr_agg_arg(c, in, c->by_arg - 1), row, c->by_desc, c->by_desc);
        return;
    }
    for (int i = 0; i < c->n_order; i++)
        wr_key_put(out, &in->col[c->order[i]], row, c->order_desc[i], c->order_desc[i]);
}

void wr_agg_seq_add(const struct wr_aggcall *c, struct wr_agg_seq *s, const struct wr_batch *in, uint32_t row, struct wr_buf *scratch)
{
    struct wr_buf *b = &scratch[0], *parts = &scratch[1];
    wr_buf_reset(parts);
    wr_agg_order_put(c, in, row, parts);
    uint32_t n = (uint32_t)parts->n;
    wr_key_put(parts, wr_agg_arg(c, in, 0), row, false, false);
    struct item x = {{parts->p, n}, {parts->p + n, (uint32_t)parts->n - n}};
    if (c->retract && wr_agg_sign(in, row) < 0)
        take_back_times(s, x, 1, b);
    else
        push(c, s, x, s->next++, b);
}

struct wr_str wr_agg_seq_value(struct wr_omap_it it)
{
    struct wr_str key = wr_omap_key(it);
    uint32_t skip = (uint32_t)(wr_omap_num(it) - 1) + 8;
    return (struct wr_str){key.p + skip, key.n - skip};
}

static struct item rows_item(struct wr_omap_it it, uint64_t *number)
{
    struct wr_str key = wr_omap_key(it);
    uint32_t n = (uint32_t)(wr_omap_num(it) - 1);
    *number = get_number(key.p + n);
    return (struct item){{key.p, n}, {key.p + n + 8, key.n - n - 8}};
}

/* The item of an entry of `find`; false: rubbish. */
static bool find_item(struct wr_str key, struct item *x)
{
    uint64_t n;
    if (!wr_varint_take(&key, &n) || key.n < 8 || n > key.n - 8)
        return false;
    x->order = (struct wr_str){key.p, (uint32_t)n};
    x->value = (struct wr_str){key.p + n, key.n - 8 - (uint32_t)n};
    return true;
}

void wr_agg_seq_merge(const struct wr_aggcall *c, struct wr_agg_seq *into, const struct wr_agg_seq *from)
{
    struct wr_buf b = WR_BUF_INIT(0);
    struct wr_omap_it it;
    struct item x;
    uint64_t number;
    for (it = wr_omap_first(&from->find); from->find.n_neg && wr_omap_valid(it); wr_omap_next(&it))
        if (wr_omap_num(it) < 0 && find_item(wr_omap_key(it), &x))
            take_back_times(into, x, -wr_omap_num(it), &b);
    for (it = wr_omap_first(&from->rows); wr_omap_valid(it); wr_omap_next(&it)) {
        x = rows_item(it, &number);
        push(c, into, x, into->next + number, &b);
    }
    into->next += from->next;
    wr_buf_clear(&b);
}

void wr_agg_seq_clear(struct wr_agg_seq *s)
{
    wr_omap_clear(&s->rows);
    wr_omap_clear(&s->find);
    s->next = 0;
}

size_t wr_agg_seq_heap(const struct wr_agg_seq *s)
{
    return s->rows.heap + s->find.heap;
}

/* `find` is made anew from `rows` at load, but for the debts. */
void wr_agg_seq_save(const struct wr_agg_seq *s, struct wr_buf *out)
{
    struct wr_omap debts = {0};
    struct wr_omap_it it;
    for (it = wr_omap_first(&s->find); s->find.n_neg && wr_omap_valid(it); wr_omap_next(&it))
        if (wr_omap_num(it) < 0)
            (void)wr_omap_add(&debts, wr_omap_key(it), wr_omap_num(it));
    wr_buf_i64(out, (int64_t)s->next);
    wr_omap_save(&s->rows, out);
    wr_omap_save(&debts, out);
    wr_omap_clear(&debts);
}

/* The parts lie within the key, the number is below next, the value can be read. */
static bool row_sound(const struct wr_aggcall *c, const struct wr_agg_seq *s, struct wr_omap_it it, struct wr_arena *mem)
{
    struct wr_str key = wr_omap_key(it), value;
    struct wr_value val;
    uint64_t number;
    if (key.n < 8 || wr_omap_num(it) < 1 || wr_omap_num(it) - 1 > (int64_t)(key.n - 8))
        return false;
    value = rows_item(it, &number).value;
    wr_arena_reset(mem);
    return number < s->next && wr_key_take(&value, c->arg_type[0], false, false, mem, &val) && value.n == 0;
}

static bool debts_sound(const struct wr_omap *debts)
{
    struct item x;
    for (struct wr_omap_it it = wr_omap_first(debts); wr_omap_valid(it); wr_omap_next(&it))
        if (wr_omap_num(it) >= 0 || !find_item(wr_omap_key(it), &x) || get_number(x.value.p + x.value.n) != DEBT)
            return false;
    return true;
}

bool wr_agg_seq_load(const struct wr_aggcall *c, struct wr_agg_seq *s, struct wr_str *in)
{
    struct wr_arena mem = {0};
    struct wr_buf b = WR_BUF_INIT(0);
    int64_t next;
    *s = (struct wr_agg_seq){0};
    bool ok = wr_take_i64(in, &next) && next >= 0 && next < INT64_MAX >> 8 && wr_omap_load(&s->rows, in);
    s->next = ok ? (uint64_t)next : 0;
    ok = ok && wr_omap_load(&s->find, in) && debts_sound(&s->find) && (c->retract || s->find.n_key == 0);
    for (struct wr_omap_it it = wr_omap_first(&s->rows); ok && wr_omap_valid(it); wr_omap_next(&it)) {
        ok = row_sound(c, s, it, &mem);
        uint64_t number;
        if (!ok || !c->retract)
            continue;
        struct item x = rows_item(it, &number);
        ok = wr_omap_add(&s->find, find_key(&b, x, number), 1) == 1;
    }
    if (!ok)
        wr_agg_seq_clear(s);
    wr_buf_clear(&b);
    wr_arena_clear(&mem);
    return ok;
}

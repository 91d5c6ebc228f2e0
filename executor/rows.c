/* rows.c: see rows.h.
 * Rules:  open addressing over tagged pointers to buckets: 16 bits of hash sit in the pointer's upper bits, so that most misses touch no bucket.
 *         A bucket of one row has no array; a bucket of many counted rows has an index by content. Data bytes are a function of the row's values,
 *         so equal rows have equal bytes (text comes in column order, room between values is zero).
 * Memory: a block a row, a block a bucket. */
#include "executor/rows.h"

#include <stdlib.h>

#include "core/key.h"

enum { FIRST_SLOTS = 64, INDEX_FROM = 16 };
#define REMOVED UINT64_C(1)
#define PTR_BITS 48

struct wr_rowindex {
    uint32_t mask, n;
    struct wr_row *slot[];
};

struct text_at { uint32_t at, n; }; /* a text in a row's data: place from its start, length */

/* ---- layout ---- */

static uint32_t width_of(enum wr_phys p)
{
    switch (p) {
    case WR_P_I8: return 1;
    case WR_P_I64:
    case WR_P_F64:
    case WR_P_STR: return 8;
    case WR_P_I128:
    case WR_P_IVL: return 16;
    }
    return 0;
}

void wr_rowlayout_init(struct wr_rowlayout *l, const struct wr_schema *schema, const int *key, int n_key, bool counted, int time_col, struct wr_arena *a)
{
    *l = (struct wr_rowlayout){.schema = schema, .n_key = n_key, .key = key, .counted = counted, .time_col = time_col};
    l->offset = WR_NEW_N(a, uint32_t, schema->n + 1);
    l->phys = WR_NEW_N(a, enum wr_phys, schema->n + 1);
    uint32_t at = ((uint32_t)schema->n + 7) / 8;
    for (int pass = 0; pass < 2; pass++) /* wide values first: they stay aligned as far as the header allows */
        for (int c = 0; c < schema->n; c++) {
            l->phys[c] = wr_type_phys(schema->field[c].type.id);
            bool narrow = l->phys[c] == WR_P_I8;
            if (narrow != (pass == 1))
                continue;
            l->offset[c] = at;
            at += width_of(l->phys[c]);
        }
    l->fixed = at;
}

/* ---- one row: bytes ---- */

static void put_fixed(char *to, enum wr_phys p, const struct wr_vec *v, uint32_t r)
{
    switch (p) {
    case WR_P_I8: memcpy(to, &WR_VEC_I8(v)[r], 1); return;
    case WR_P_I64: memcpy(to, &WR_VEC_I64(v)[r], 8); return;
    case WR_P_F64: {
        double d = WR_VEC_F64(v)[r];
        d = d != d ? (double)__builtin_nan("") : d; /* one NaN: equal values, equal bytes */
        memcpy(to, &d, 8);
        return;
    }
    case WR_P_I128: memcpy(to, &WR_VEC_I128(v)[r], 16); return;
    case WR_P_IVL: memcpy(to, &WR_VEC_IVL(v)[r], 16); return;
    case WR_P_STR: return;
    }
}

/* The row's data into t->data. */
static struct wr_str encode(struct wr_rows *t, const struct wr_batch *b, uint32_t row)
{
    const struct wr_rowlayout *l = t->layout;
    size_t n = l->fixed;
    for (int c = 0; c < l->schema->n; c++)
        if (l->phys[c] == WR_P_STR && !wr_vec_null(&b->col[c], row))
            n += WR_VEC_STR(&b->col[c])[wr_vec_at(&b->col[c], row)].n;
    wr_buf_reset(&t->data);
    if (!wr_buf_room(&t->data, n + 1)) /* rows without columns (EXISTS) have a place, too */
        WR_BUG("a row of %zu bytes", n);
    char *p = t->data.p;
    memset(p, 0, l->fixed);
    uint32_t text = l->fixed;
    for (int c = 0; c < l->schema->n; c++) {
        const struct wr_vec *v = &b->col[c];
        if (wr_vec_null(v, row)) {
            p[c >> 3] = (char)(p[c >> 3] | 1 << (c & 7));
            continue;
        }
        uint32_t r = wr_vec_at(v, row);
        if (l->phys[c] != WR_P_STR) {
            put_fixed(p + l->offset[c], l->phys[c], v, r);
            continue;
        }
        struct wr_str s = WR_VEC_STR(v)[r];
        struct text_at at = {text, s.n};
        memcpy(p + l->offset[c], &at, sizeof at);
        if (s.n)
            memcpy(p + text, s.p, s.n);
        text += s.n;
    }
    t->data.n = n;
    return (struct wr_str){p, (uint32_t)n};
}

static struct wr_str text_of(const struct wr_rowlayout *l, const struct wr_row *x, int col)
{
    struct text_at at;
    memcpy(&at, x->data + l->offset[col], sizeof at);
    return (struct wr_str){x->data + at.at, at.n};
}

bool wr_row_valid(const struct wr_rowlayout *l, struct wr_str data)
{
    if (data.n < l->fixed)
        return false;
    for (int c = 0; c < l->schema->n; c++) {
        struct text_at at;
        if (l->phys[c] != WR_P_STR || ((unsigned char)data.p[c >> 3] >> (c & 7) & 1))
            continue;
        memcpy(&at, data.p + l->offset[c], sizeof at);
        if (at.at < l->fixed || at.at > data.n || at.n > data.n - at.at)
            return false;
    }
    return true;
}

struct wr_value wr_row_get(const struct wr_rowlayout *l, const struct wr_row *x, int col)
{
    struct wr_value v;
    memset(&v, 0, sizeof v);
    v.type = l->schema->field[col].type;
    v.null = wr_row_null(x, col);
    if (v.null)
        return v;
    const char *p = x->data + l->offset[col];
    switch (l->phys[col]) {
    case WR_P_I8: memcpy(&v.as.b, p, 1); break;
    case WR_P_I64: memcpy(&v.as.i, p, 8); break;
    case WR_P_F64: memcpy(&v.as.d, p, 8); break;
    case WR_P_I128: memcpy(&v.as.dec, p, 16); break;
    case WR_P_IVL: memcpy(&v.as.iv, p, 16); break;
    case WR_P_STR: v.as.s = text_of(l, x, col); break;
    }
    return v;
}

int64_t wr_row_time(const struct wr_rowlayout *l, const struct wr_row *x)
{
    int64_t t;
    memcpy(&t, x->data + l->offset[l->time_col], 8);
    return t;
}

/* One typed loop a physical form; NULL rows are zeroed before. */
#define COPY(type)                                                       \
    do {                                                                 \
        type *to = out->data;                                            \
        for (uint32_t k = 0; k < n; k++)                                 \
            if (x[k] && !wr_row_null(x[k], col))                         \
                memcpy(&to[k], x[k]->data + at, sizeof *to);             \
            else                                                         \
                memset(&to[k], 0, sizeof *to);                           \
    } while (0)

void wr_rows_column(const struct wr_rowlayout *l, int col, struct wr_row *const *x, uint32_t n, struct wr_vec *out, struct wr_arena *mem, bool deep)
{
    uint32_t at = l->offset[col];
    wr_vec_init(out, l->schema->field[col].type, n ? n : 1, mem);
    for (uint32_t k = 0; k < n; k++)
        if (!x[k] || wr_row_null(x[k], col))
            wr_vec_nulls(out, n, mem)[k] = 1;
    switch (l->phys[col]) {
    case WR_P_I8: COPY(uint8_t); return;
    case WR_P_I64: COPY(int64_t); return;
    case WR_P_F64: COPY(double); return;
    case WR_P_I128: COPY(wr_i128); return;
    case WR_P_IVL: COPY(struct wr_interval); return;
    case WR_P_STR: break;
    }
    struct wr_str *to = out->data;
    size_t bytes = 0;
    for (uint32_t k = 0; k < n; k++) {
        to[k] = x[k] && !wr_row_null(x[k], col) ? text_of(l, x[k], col) : (struct wr_str){NULL, 0};
        bytes += to[k].n;
    }
    char *room = deep && bytes ? wr_arena_bytes(mem, bytes) : NULL;
    for (uint32_t k = 0; room && k < n; k++) {
        if (to[k].n == 0)
            continue;
        memcpy(room, to[k].p, to[k].n);
        to[k].p = room;
        room += to[k].n;
    }
}

/* ---- keys ---- */

static bool same_key(const struct wr_rowlayout *l, const struct wr_row *x, const struct wr_batch *b, const int *col, uint32_t row)
{
    for (int i = 0; i < l->n_key; i++) {
        const struct wr_vec *v = &b->col[col[i]];
        int c = l->key[i];
        bool null = wr_row_null(x, c);
        if (null != wr_vec_null(v, row))
            return false;
        if (null)
            continue;
        uint32_t r = wr_vec_at(v, row);
        const char *p = x->data + l->offset[c];
        bool same = true;
        switch (l->phys[c]) {
        case WR_P_I8: same = memcmp(p, &WR_VEC_I8(v)[r], 1) == 0; break;
        case WR_P_I64: same = memcmp(p, &WR_VEC_I64(v)[r], 8) == 0; break;
        case WR_P_I128: same = memcmp(p, &WR_VEC_I128(v)[r], 16) == 0; break;
        case WR_P_STR:
            if (!v->type.sub) {
                same = wr_str_eq(text_of(l, x, c), WR_VEC_STR(v)[r]);
                break;
            }
            /* fall through */
        case WR_P_F64:
        case WR_P_IVL: { /* equal is not always bytewise */
            struct wr_value mine = wr_row_get(l, x, c), its = wr_vec_get(v, row);
            same = wr_value_cmp(&mine, &its) == 0;
            break;
        }
        }
        if (!same)
            return false;
    }
    return true;
}

static bool same_row_key(const struct wr_rowlayout *l, const struct wr_row *x, const struct wr_rowlayout *m, const struct wr_row *y)
{
    for (int i = 0; i < l->n_key; i++) {
        struct wr_value a = wr_row_get(l, x, l->key[i]), b = wr_row_get(m, y, m->key[i]);
        if (a.null != b.null || (!a.null && wr_value_cmp(&a, &b) != 0))
            return false;
    }
    return true;
}

uint64_t wr_row_hash_key(const struct wr_rowlayout *l, const struct wr_row *x)
{
#ifdef WEIR_HARD
    (void)l;
    (void)x;
    return 0; /* as wr_hash_rows */
#else
    uint64_t h = wr_hash_seed();
    for (int i = 0; i < l->n_key; i++) {
        struct wr_value v = wr_row_get(l, x, l->key[i]);
        h = wr_hash_value(&v, h);
    }
    return h;
#endif
}

void wr_row_key_bytes(const struct wr_rowlayout *l, const struct wr_row *x, struct wr_buf *out)
{
    for (int i = 0; i < l->n_key; i++) {
        struct wr_value v = wr_row_get(l, x, l->key[i]);
        wr_key_put_value(out, &v, false, true);
    }
}

/* ---- the table ---- */

static uint64_t tagged(const struct wr_bucket *k) { return (uint64_t)(uintptr_t)k | (k->hash >> PTR_BITS) << PTR_BITS; }
static struct wr_bucket *untag(uint64_t slot) { return (struct wr_bucket *)(uintptr_t)(slot & ((UINT64_C(1) << PTR_BITS) - 1)); }

void wr_rows_init(struct wr_rows *t, const struct wr_rowlayout *l)
{
    *t = (struct wr_rows){.layout = l};
}

struct wr_bucket *wr_rows_next(const struct wr_rows *t, uint64_t *at)
{
    while (t->slot && *at <= t->mask) {
        uint64_t s = t->slot[(*at)++];
        if (s > REMOVED)
            return untag(s);
    }
    return NULL;
}

static void grow(struct wr_rows *t)
{
    uint64_t want = FIRST_SLOTS;
    while (want < (t->n + 1) * 3)
        want *= 2;
    uint64_t *slot = wr_calloc(want, sizeof *slot);
    uint64_t at = 0;
    for (struct wr_bucket *k; (k = wr_rows_next(t, &at));) {
        uint64_t i = k->hash & (want - 1);
        while (slot[i] != 0)
            i = (i + 1) & (want - 1);
        slot[i] = tagged(k);
    }
    free(t->slot);
    t->slot = slot;
    t->mask = want - 1;
    t->used = t->n;
}

static struct wr_bucket *add_bucket(struct wr_rows *t, uint64_t hash)
{
    if (!t->slot || (t->used + 1) * 2 > t->mask + 1)
        grow(t);
    struct wr_bucket *k = wr_calloc(1, sizeof *k);
    k->hash = hash;
    uint64_t i = hash & t->mask;
    while (t->slot[i] > REMOVED)
        i = (i + 1) & t->mask;
    t->used += t->slot[i] == 0;
    t->slot[i] = tagged(k);
    t->n++;
    t->bytes += sizeof *k;
    return k;
}

struct wr_bucket *wr_rows_slot(const struct wr_rows *t, uint64_t i) { return t->slot[i] > REMOVED ? untag(t->slot[i]) : NULL; }

struct wr_bucket *wr_rows_here(const struct wr_rows *t, struct wr_str fields, uint64_t hash)
{
    struct wr_buf mine = WR_BUF_INIT(0);
    struct wr_bucket *found = NULL;
    for (uint64_t i = hash & t->mask; !found && t->slot && t->slot[i] != 0; i = (i + 1) & t->mask) {
        struct wr_bucket *k = wr_rows_slot(t, i);
        if (!k || k->hash != hash)
            continue;
        wr_buf_reset(&mine);
        wr_row_key_bytes(t->layout, wr_bucket_row(k, 0), &mine);
        found = wr_str_eq(wr_buf_get(&mine), fields) ? k : NULL;
    }
    wr_buf_clear(&mine);
    return found;
}

size_t wr_bucket_bytes(const struct wr_bucket *k)
{
    size_t n = sizeof *k + sizeof(struct wr_row *) * k->cap;
    for (uint32_t i = 0; i < k->n; i++)
        n += sizeof(struct wr_row) + wr_bucket_row(k, i)->size;
    return n;
}

static void remove_bucket(struct wr_rows *t, struct wr_bucket *k)
{
    for (uint64_t i = k->hash & t->mask; t->slot[i] != 0; i = (i + 1) & t->mask)
        if (t->slot[i] > REMOVED && untag(t->slot[i]) == k) {
            t->slot[i] = REMOVED;
            break;
        }
    t->n--;
    t->bytes -= sizeof *k + sizeof(struct wr_row *) * k->cap;
    free(k->many);
    free(k->index);
    free(k);
}

static struct wr_bucket *lookup(const struct wr_rows *t, const struct wr_batch *b, const int *col, uint32_t row, uint64_t hash)
{
    uint64_t tag = hash >> PTR_BITS;
    for (uint64_t i = hash & t->mask; t->slot && t->slot[i] != 0; i = (i + 1) & t->mask) {
        if (t->slot[i] == REMOVED || t->slot[i] >> PTR_BITS != tag)
            continue;
        struct wr_bucket *k = untag(t->slot[i]);
        if (k->hash == hash && same_key(t->layout, wr_bucket_row(k, 0), b, col, row)) {
            k->used = true;
            return k;
        }
    }
    return NULL;
}

struct wr_bucket *wr_rows_find(struct wr_rows *t, const struct wr_batch *b, const int *col, uint32_t row, uint64_t hash)
{
    struct wr_bucket *k = lookup(t, b, col, row, hash);
    if (k || (!t->reader && t->n_disk == 0))
        return k;
    wr_rows_fetch(t, b, col, row, hash);
    return lookup(t, b, col, row, hash);
}

static struct wr_bucket *lookup_like(const struct wr_rows *t, const struct wr_rowlayout *l, const struct wr_row *x, uint64_t hash)
{
    for (uint64_t i = hash & t->mask; t->slot && t->slot[i] != 0; i = (i + 1) & t->mask) {
        if (t->slot[i] == REMOVED || t->slot[i] >> PTR_BITS != hash >> PTR_BITS)
            continue;
        struct wr_bucket *k = untag(t->slot[i]);
        if (k->hash == hash && same_row_key(t->layout, wr_bucket_row(k, 0), l, x)) {
            k->used = true;
            return k;
        }
    }
    return NULL;
}

struct wr_bucket *wr_rows_like(struct wr_rows *t, const struct wr_rowlayout *l, const struct wr_row *x)
{
    uint64_t hash = x->bucket ? x->bucket->hash : wr_row_hash_key(l, x);
    struct wr_bucket *k = lookup_like(t, l, x, hash);
    if (k || (!t->reader && t->n_disk == 0))
        return k;
    wr_rows_fetch_like(t, l, x);
    return lookup_like(t, l, x, hash);
}

/* ---- rows of a bucket by content ---- */

static void index_put(struct wr_rowindex *ix, struct wr_row *x)
{
    uint32_t i = x->hash & ix->mask;
    while (ix->slot[i])
        i = (i + 1) & ix->mask;
    ix->slot[i] = x;
    ix->n++;
}

static void index_make(struct wr_bucket *k)
{
    uint32_t size = 64;
    while (size < k->n * 3)
        size *= 2;
    free(k->index);
    k->index = wr_calloc(1, sizeof *k->index + sizeof(struct wr_row *) * size);
    k->index->mask = size - 1;
    for (uint32_t i = 0; i < k->n; i++)
        index_put(k->index, wr_bucket_row(k, i));
}

static void index_add(struct wr_bucket *k, struct wr_row *x)
{
    if (k->index && (k->index->n + 1) * 4 <= (k->index->mask + 1) * 3)
        index_put(k->index, x);
    else if (k->n >= INDEX_FROM)
        index_make(k);
}

/* Taking one out moves those behind it up, so that there are no gaps in a chain. */
static void index_remove(struct wr_rowindex *ix, struct wr_row *x)
{
    uint32_t i = x->hash & ix->mask;
    while (ix->slot[i] != x)
        i = (i + 1) & ix->mask;
    for (uint32_t j = (i + 1) & ix->mask; ix->slot[j]; j = (j + 1) & ix->mask) {
        uint32_t home = ix->slot[j]->hash & ix->mask;
        if (((j - home) & ix->mask) >= ((j - i) & ix->mask)) {
            ix->slot[i] = ix->slot[j];
            i = j;
        }
    }
    ix->slot[i] = NULL;
    ix->n--;
}

static struct wr_row *by_content(const struct wr_bucket *k, struct wr_str data, uint32_t hash)
{
    if (k->index) {
        for (uint32_t i = hash & k->index->mask; k->index->slot[i]; i = (i + 1) & k->index->mask) {
            struct wr_row *x = k->index->slot[i];
            if (x->hash == hash && x->size == data.n && memcmp(x->data, data.p, data.n) == 0)
                return x;
        }
        return NULL;
    }
    for (uint32_t i = 0; i < k->n; i++) {
        struct wr_row *x = wr_bucket_row(k, i);
        if (x->hash == hash && x->size == data.n && memcmp(x->data, data.p, data.n) == 0)
            return x;
    }
    return NULL;
}

static uint32_t content_hash(const struct wr_rows *t, struct wr_str data)
{
    return t->layout->counted ? (uint32_t)wr_hash_bytes(data.p, data.n, wr_hash_seed()) : 0;
}

/* ---- places in a bucket ---- */

static void room_for_one(struct wr_rows *t, struct wr_bucket *k)
{
    if (k->cap && k->first + k->n < k->cap)
        return;
    if (k->cap && k->first > k->cap / 2) { /* half of it is room in front */
        memmove(k->many, k->many + k->first, sizeof(struct wr_row *) * k->n);
        k->first = 0;
        for (uint32_t i = 0; i < k->n; i++)
            k->many[i]->at = i;
        return;
    }
    uint32_t cap = k->cap ? k->cap * 2 : 4;
    t->bytes += sizeof(struct wr_row *) * (cap - k->cap);
    k->many = wr_realloc(k->many, sizeof(struct wr_row *) * cap);
    if (k->cap == 0)
        k->many[0] = k->one;
    k->cap = cap;
}

/* Place (from the bucket's first) where a row of that time goes: behind all that are not later. */
static uint32_t place_by_time(const struct wr_rows *t, const struct wr_bucket *k, int64_t time)
{
    uint32_t lo = 0, hi = k->n;
    if (hi > 0 && wr_row_time(t->layout, wr_bucket_row(k, hi - 1)) <= time)
        return hi;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (wr_row_time(t->layout, wr_bucket_row(k, mid)) <= time)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void bucket_put(struct wr_rows *t, struct wr_bucket *k, struct wr_row *x)
{
    x->bucket = k;
    if (k->n == 0 && k->cap == 0) {
        k->one = x;
        x->at = 0;
    } else {
        room_for_one(t, k);
        uint32_t to = t->layout->time_col >= 0 ? place_by_time(t, k, wr_row_time(t->layout, x)) : k->n;
        struct wr_row **at = k->many + k->first + to;
        memmove(at + 1, at, sizeof *at * (k->n - to));
        *at = x;
        x->at = k->first + to;
    }
    k->n++;
    if (t->layout->counted)
        index_add(k, x);
}

static uint32_t place_of(const struct wr_rows *t, const struct wr_bucket *k, const struct wr_row *x)
{
    if (k->cap == 0)
        return 0;
    if (t->layout->time_col < 0)
        return x->at - k->first;
    if (k->many[k->first] == x)
        return 0;
    uint32_t i = place_by_time(t, k, wr_row_time(t->layout, x));
    while (wr_bucket_row(k, --i) != x) {
    }
    return i;
}

/* Takes the row out; the bucket goes with its last row. */
static void bucket_take(struct wr_rows *t, struct wr_row *x)
{
    struct wr_bucket *k = x->bucket;
    uint32_t i = place_of(t, k, x);
    if (k->index)
        index_remove(k->index, x);
    k->n--;
    if (k->n == 0 && k->disk)
        wr_rows_forget_copy(t, x);
    x->bucket = NULL;
    if (k->n == 0) {
        remove_bucket(t, k);
        return;
    }
    if (i == 0) {
        k->first++;
        return;
    }
    struct wr_row **at = k->many + k->first + i;
    if (t->layout->time_col >= 0) {
        memmove(at, at + 1, sizeof *at * (k->n - i));
    } else {
        *at = k->many[k->first + k->n];
        (*at)->at = k->first + i;
    }
}

void wr_bucket_range(const struct wr_rows *t, const struct wr_bucket *k, int64_t lo, int64_t hi, uint32_t *from, uint32_t *to)
{
    *to = place_by_time(t, k, hi);
    *from = lo == INT64_MIN ? 0 : place_by_time(t, k, lo - 1);
    if (*from > *to)
        *from = *to;
}

/* ---- adding and dropping ---- */

static struct wr_row *new_row(struct wr_rows *t, struct wr_str data, uint32_t hash, uint64_t seq)
{
    struct wr_row *x = wr_malloc(sizeof *x + data.n);
    *x = (struct wr_row){.seq = seq, .size = data.n, .hash = hash};
    if (data.n)
        memcpy(x->data, data.p, data.n);
    t->bytes += sizeof *x + data.n;
    return x;
}

static void count(struct wr_rows *t, struct wr_row *x, int64_t n)
{
    x->n += n;
    x->bucket->total += n;
    t->total += n;
    wr_rows_changed(t, x);
}

struct wr_row *wr_rows_add(struct wr_rows *t, const struct wr_batch *b, uint32_t row, uint64_t hash, int64_t n)
{
    struct wr_bucket *k = wr_rows_find(t, b, t->layout->key, row, hash);
    struct wr_str data = encode(t, b, row);
    uint32_t h = content_hash(t, data);
    struct wr_row *x = k && t->layout->counted ? by_content(k, data, h) : NULL;
    if (!x) {
        if (!k)
            k = add_bucket(t, hash);
        x = new_row(t, data, h, t->next_seq++);
        bucket_put(t, k, x);
    }
    count(t, x, n);
    return x;
}

struct wr_row *wr_rows_put(struct wr_rows *t, uint64_t hash, struct wr_str data, uint64_t seq)
{
    struct wr_row *x = new_row(t, data, content_hash(t, data), seq);
    struct wr_bucket *k = lookup_like(t, t->layout, x, hash);
    bucket_put(t, k ? k : add_bucket(t, hash), x);
    return x;
}

struct wr_row *wr_rows_get(struct wr_rows *t, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    struct wr_bucket *k = wr_rows_find(t, b, t->layout->key, row, hash);
    if (!k)
        return NULL;
    struct wr_str data = encode(t, b, row);
    return by_content(k, data, content_hash(t, data));
}

void wr_row_free(struct wr_row *x) { free(x); }

static void note_gone(struct wr_rows *t, struct wr_row *x)
{
    t->bytes -= sizeof *x + x->size;
    x->flags |= WR_ROW_OUT;
    wr_rows_changed(t, x);
}

void wr_rows_take_out(struct wr_rows *t, struct wr_row *x)
{
    x->bucket->total -= x->n;
    t->total -= x->n;
    note_gone(t, x);
    bucket_take(t, x);
}

void wr_rows_drop(struct wr_rows *t, struct wr_row *x, int64_t n)
{
    if (n < x->n) {
        count(t, x, -n);
        return;
    }
    wr_rows_take_out(t, x);
    free(x);
}

void wr_rows_drop_bucket(struct wr_rows *t, struct wr_bucket *k)
{
    while (k->n > 1)
        wr_rows_drop(t, wr_bucket_row(k, k->n - 1), wr_bucket_row(k, k->n - 1)->n);
    wr_rows_drop(t, wr_bucket_row(k, 0), wr_bucket_row(k, 0)->n);
}

void wr_rows_let_go(struct wr_rows *t, struct wr_bucket *k)
{
    for (uint32_t i = 0; i < k->n; i++) {
        struct wr_row *x = wr_bucket_row(k, i);
        t->bytes -= sizeof *x + x->size;
        free(x);
    }
    t->n_sent++;
    remove_bucket(t, k);
}

void wr_rows_clear(struct wr_rows *t)
{
    uint64_t at = 0;
    for (struct wr_bucket *k; (k = wr_rows_next(t, &at));) {
        for (uint32_t i = 0; i < k->n; i++)
            free(wr_bucket_row(k, i));
        free(k->many);
        free(k->index);
        free(k);
    }
    free(t->slot);
    wr_buf_clear(&t->data);
    wr_buf_clear(&t->prefix);
    free(t->changed);
    wr_buf_clear(&t->gone);
    wr_omap_clear(&t->gone_keys);
    wr_store_reader_free(t->reader);
    wr_filter_clear(&t->out);
    wr_rows_init(t, t->layout);
}

/* groups.c: see groups.h.
 * Memory: chunks of entries and the text arena belong to the table; what states own is freed through wr_aggcall_drop. */
#include "executor/groups.h"

#include <stdlib.h>

#include "core/key.h"

enum { FIRST_SLOTS = 64, FIRST_ENTRIES = 16, MOST_ENTRIES = 4096 };
#define REMOVED UINT64_C(1)
#define PTR_BITS 48

struct wr_group_chunk {
    struct wr_group_chunk *next;
    uint32_t n, cap;
    _Alignas(16) char entry[];
};

static uint32_t width_of(enum wr_phys p) { return p == WR_P_I8 || p == WR_P_I64 || p == WR_P_F64 ? 8 : 16; }
static uint32_t round16(uint32_t n) { return (n + 15) & ~15u; }

void wr_group_layout_init(struct wr_group_layout *l, int n_key, const int *key, const struct wr_schema *in, int n_agg, const struct wr_aggcall *agg,
                          uint32_t extra, struct wr_arena *a)
{
    *l = (struct wr_group_layout){.n_key = n_key, .key = key, .n_agg = n_agg, .seed = wr_hash_seed()};
    l->key_offset = WR_NEW_N(a, uint32_t, n_key + 1);
    l->phys = WR_NEW_N(a, enum wr_phys, n_key + 1);
    uint32_t at = sizeof(struct wr_group);
    for (int c = 0; c < n_key; c++) {
        l->phys[c] = wr_type_phys(in->field[key[c]].type.id);
        if (width_of(l->phys[c]) == 16)
            at = round16(at);
        l->key_offset[c] = at;
        at += width_of(l->phys[c]);
    }
    l->type = WR_NEW_N(a, struct wr_type, n_key + 1);
    for (int c = 0; c < n_key; c++)
        l->type[c] = in->field[key[c]].type;
    l->agg = WR_NEW_N(a, struct wr_aggcall, n_agg + 1);
    for (int i = 0; i < n_agg; i++) {
        l->agg[i] = agg[i];
        at = l->agg[i].offset = round16(at);
        at += l->agg[i].size;
    }
    l->extra = extra;
    l->extra_offset = round16(at);
    l->size = round16(l->extra_offset + extra);
}

void wr_groups_init(struct wr_groups *g, const struct wr_group_layout *l) { *g = (struct wr_groups){.layout = l}; }

void wr_groups_clear(struct wr_groups *g)
{
    const struct wr_group_layout *l = g->layout;
    struct wr_group_walk at = {0};
    for (struct wr_group *x; g->n > 0 && (x = wr_groups_next(g, &at));)
        for (int i = 0; i < l->n_agg; i++)
            wr_aggcall_drop(&l->agg[i], wr_group_state(l, x, i));
    for (struct wr_group_chunk *c = g->first, *next; c; c = next) {
        next = c->next;
        free(c);
    }
    free(g->slot);
    wr_arena_clear(&g->text);
    wr_groups_init(g, l);
}

size_t wr_groups_bytes(const struct wr_groups *g)
{
    size_t n = g->slot ? (g->mask + 1) * sizeof *g->slot : 0;
    for (const struct wr_group_chunk *c = g->first; c; c = c->next)
        n += sizeof *c + (size_t)c->cap * g->layout->size;
    return n + g->text.held;
}

static struct wr_group *entry_at(const struct wr_groups *g, struct wr_group_chunk *c, uint32_t i)
{
    return (struct wr_group *)(void *)(c->entry + (size_t)i * g->layout->size);
}

struct wr_group *wr_groups_next(const struct wr_groups *g, struct wr_group_walk *at)
{
    if (!at->chunk) {
        at->chunk = g->first;
        at->i = 0;
    }
    while (at->chunk) {
        while (at->i < at->chunk->n) {
            struct wr_group *x = entry_at(g, at->chunk, at->i++);
            if (!(x->flags & WR_GROUP_DEAD))
                return x;
        }
        if (!at->chunk->next)
            return NULL; /* stays here: entries added meanwhile are seen by the next call */
        at->chunk = at->chunk->next;
        at->i = 0;
    }
    return NULL;
}

static uint64_t tagged(const struct wr_group *x) { return (uint64_t)(uintptr_t)x | (x->hash >> PTR_BITS) << PTR_BITS; }
static struct wr_group *untag(uint64_t slot) { return (struct wr_group *)(uintptr_t)(slot & ((UINT64_C(1) << PTR_BITS) - 1)); }

static void put_slot(uint64_t *slot, uint64_t mask, struct wr_group *x)
{
    uint64_t i = x->hash & mask;
    while (slot[i] != 0)
        i = (i + 1) & mask;
    slot[i] = tagged(x);
}

static void grow(struct wr_groups *g)
{
    uint64_t want = g->n * 4 < FIRST_SLOTS ? FIRST_SLOTS : 1;
    while (want < g->n * 3 || want < FIRST_SLOTS)
        want *= 2;
    uint64_t *slot = wr_calloc(want, sizeof *slot);
    struct wr_group_walk at = {0};
    for (struct wr_group *x; g->n > 0 && (x = wr_groups_next(g, &at));)
        put_slot(slot, want - 1, x);
    free(g->slot);
    g->slot = slot;
    g->mask = want - 1;
    g->used = g->n;
}

static struct wr_group *new_entry(struct wr_groups *g)
{
    struct wr_group *x = g->free;
    if (x) {
        g->free = (struct wr_group *)(uintptr_t)x->hash;
        return x;
    }
    struct wr_group_chunk *c = g->last;
    if (!c || c->n == c->cap) {
        uint32_t cap = c ? (c->cap * 2 < MOST_ENTRIES ? c->cap * 2 : MOST_ENTRIES) : FIRST_ENTRIES;
        struct wr_group_chunk *more = wr_malloc(sizeof *more + (size_t)cap * g->layout->size);
        *more = (struct wr_group_chunk){.cap = cap};
        if (c)
            c->next = more;
        else
            g->first = more;
        g->last = c = more;
    }
    return entry_at(g, c, c->n++);
}

static struct wr_group *add_group(struct wr_groups *g, uint64_t hash)
{
    const struct wr_group_layout *l = g->layout;
    struct wr_group *x = new_entry(g);
    memset(x, 0, sizeof *x);
    x->hash = hash;
    if (l->extra)
        memset((char *)x + l->extra_offset, 0, l->extra);
    for (int i = 0; i < l->n_agg; i++)
        wr_aggcall_init(&l->agg[i], wr_group_state(l, x, i));
    g->n++;
    g->used++;
    put_slot(g->slot, g->mask, x);
    return x;
}

static bool room(struct wr_groups *g)
{
    if (g->slot && (g->used + 1) * 4 <= (g->mask + 1) * 3)
        return false;
    grow(g);
    return true;
}

static bool same_key(const struct wr_group_layout *l, const struct wr_group *x, const struct wr_batch *b, uint32_t row)
{
    for (int c = 0; c < l->n_key; c++) {
        const struct wr_vec *v = &b->col[l->key[c]];
        const char *k = (const char *)x + l->key_offset[c];
        bool null = wr_vec_null(v, row);
        if (null != (x->nulls >> c & 1))
            return false;
        if (null)
            continue;
        uint32_t r = wr_vec_at(v, row);
        bool same = true;
        switch (l->phys[c]) {
        case WR_P_I8: same = *(const uint8_t *)k == WR_VEC_I8(v)[r]; break;
        case WR_P_I64: same = *(const int64_t *)(const void *)k == WR_VEC_I64(v)[r]; break;
        case WR_P_F64: {
            double a = *(const double *)(const void *)k, d = WR_VEC_F64(v)[r];
            same = a == d || (a != a && d != d);
            break;
        }
        case WR_P_I128: same = *(const wr_i128 *)(const void *)k == WR_VEC_I128(v)[r]; break;
        case WR_P_STR: same = wr_str_eq(*(const struct wr_str *)(const void *)k, WR_VEC_STR(v)[r]); break;
        case WR_P_IVL: {
            union { const void *c; void *m; } at = {k}; /* '1 mon' and '30 days' are one group */
            struct wr_vec one = {.type = v->type, .constant = true, .data = at.m};
            same = wr_vec_cmp(&one, 0, v, row) == 0;
            break;
        }
        }
        if (!same)
            return false;
    }
    return true;
}

static void take_key(struct wr_groups *g, struct wr_group *x, const struct wr_batch *b, uint32_t row)
{
    const struct wr_group_layout *l = g->layout;
    for (int c = 0; c < l->n_key; c++) {
        const struct wr_vec *v = &b->col[l->key[c]];
        char *k = (char *)x + l->key_offset[c];
        if (wr_vec_null(v, row)) {
            x->nulls |= UINT64_C(1) << c;
            continue;
        }
        uint32_t r = wr_vec_at(v, row);
        switch (l->phys[c]) {
        case WR_P_I8: *(uint8_t *)k = WR_VEC_I8(v)[r]; break;
        case WR_P_I64: *(int64_t *)(void *)k = WR_VEC_I64(v)[r]; break;
        case WR_P_F64: *(double *)(void *)k = WR_VEC_F64(v)[r]; break;
        case WR_P_I128: *(wr_i128 *)(void *)k = WR_VEC_I128(v)[r]; break;
        case WR_P_STR: *(struct wr_str *)(void *)k = wr_arena_str(&g->text, WR_VEC_STR(v)[r]); break;
        case WR_P_IVL: *(struct wr_interval *)(void *)k = WR_VEC_IVL(v)[r]; break;
        }
    }
}

struct wr_group *wr_groups_at(struct wr_groups *g, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    room(g);
    uint64_t tag = hash >> PTR_BITS;
    for (uint64_t i = hash & g->mask; g->slot[i] != 0; i = (i + 1) & g->mask) {
        if (g->slot[i] == REMOVED || g->slot[i] >> PTR_BITS != tag)
            continue;
        struct wr_group *x = untag(g->slot[i]);
        if (x->hash == hash && same_key(g->layout, x, b, row))
            return x;
    }
    struct wr_group *x = add_group(g, hash);
    take_key(g, x, b, row);
    if (g->fetch)
        g->fetch(g->fetch_ctx, g, x);
    return x;
}

void wr_groups_find(struct wr_groups *g, const struct wr_batch *b, const uint32_t *sel, uint32_t n, const uint64_t *hash, struct wr_group **out)
{
    enum { AHEAD = 8 };
    room(g);
    for (uint32_t k = 0; k < n; k++) {
        if (k + AHEAD < n)
            __builtin_prefetch(&g->slot[hash[k + AHEAD] & g->mask]);
        if (k + AHEAD / 2 < n) {
            uint64_t s = g->slot[hash[k + AHEAD / 2] & g->mask];
            if (s > REMOVED)
                __builtin_prefetch(untag(s));
        }
        out[k] = wr_groups_at(g, b, sel ? sel[k] : k, hash[k]);
    }
}

static bool same_group_key(const struct wr_group_layout *l, const struct wr_group *a, const struct wr_group *b)
{
    if (a->nulls != b->nulls)
        return false;
    for (int c = 0; c < l->n_key; c++) {
        const char *x = (const char *)a + l->key_offset[c], *y = (const char *)b + l->key_offset[c];
        if (a->nulls >> c & 1)
            continue;
        if (l->phys[c] == WR_P_STR) {
            if (!wr_str_eq(*(const struct wr_str *)(const void *)x, *(const struct wr_str *)(const void *)y))
                return false;
        } else if (l->phys[c] == WR_P_F64) {
            double d = *(const double *)(const void *)x, e = *(const double *)(const void *)y;
            if (d != e && !(d != d && e != e))
                return false;
        } else if (memcmp(x, y, l->phys[c] == WR_P_I8 ? 1 : width_of(l->phys[c])) != 0) {
            return false;
        }
    }
    return true;
}

struct wr_group *wr_groups_like(struct wr_groups *g, const struct wr_group *like, bool make)
{
    const struct wr_group_layout *l = g->layout;
    room(g);
    for (uint64_t i = like->hash & g->mask; g->slot[i] != 0; i = (i + 1) & g->mask) {
        if (g->slot[i] == REMOVED || g->slot[i] >> PTR_BITS != like->hash >> PTR_BITS)
            continue;
        struct wr_group *x = untag(g->slot[i]);
        if (x->hash == like->hash && same_group_key(l, x, like))
            return x;
    }
    if (!make && !g->fetch)
        return NULL;
    struct wr_group *x = add_group(g, like->hash);
    x->nulls = like->nulls;
    for (int c = 0; c < l->n_key; c++) {
        char *to = (char *)x + l->key_offset[c];
        const char *from = (const char *)like + l->key_offset[c];
        if (like->nulls >> c & 1)
            continue;
        if (l->phys[c] == WR_P_STR)
            *(struct wr_str *)(void *)to = wr_arena_str(&g->text, *(const struct wr_str *)(const void *)from);
        else
            memcpy(to, from, width_of(l->phys[c]));
    }
    if (g->fetch)
        g->fetch(g->fetch_ctx, g, x);
    if (!make && !(x->flags & WR_GROUP_STORED)) {
        wr_groups_remove(g, x); /* not on disk either */
        return NULL;
    }
    return x;
}

struct wr_group *wr_groups_only(struct wr_groups *g)
{
    if (g->n == 0) {
        room(g);
        struct wr_group *x = add_group(g, 0);
        if (g->fetch)
            g->fetch(g->fetch_ctx, g, x);
        return x;
    }
    struct wr_group_walk at = {0};
    return wr_groups_next(g, &at);
}

void wr_groups_remove(struct wr_groups *g, struct wr_group *x)
{
    const struct wr_group_layout *l = g->layout;
    for (uint64_t i = x->hash & g->mask; g->slot[i] != 0; i = (i + 1) & g->mask)
        if (g->slot[i] != REMOVED && untag(g->slot[i]) == x) {
            g->slot[i] = REMOVED;
            break;
        }
    for (int i = 0; i < l->n_agg; i++)
        wr_aggcall_drop(&l->agg[i], wr_group_state(l, x, i));
    x->flags = WR_GROUP_DEAD;
    x->hash = (uint64_t)(uintptr_t)g->free;
    g->free = x;
    g->n--;
}

void wr_group_key_out(const struct wr_group_layout *l, const struct wr_group *x, int c, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const char *k = (const char *)x + l->key_offset[c];
    bool null = x->nulls >> c & 1;
    if (out->nulls)
        out->nulls[row] = null;
    switch (l->phys[c]) {
    case WR_P_I8: WR_VEC_I8(out)[row] = null ? 0 : *(const uint8_t *)k; break;
    case WR_P_I64: WR_VEC_I64(out)[row] = null ? 0 : *(const int64_t *)(const void *)k; break;
    case WR_P_F64: WR_VEC_F64(out)[row] = null ? 0 : *(const double *)(const void *)k; break;
    case WR_P_I128: WR_VEC_I128(out)[row] = null ? 0 : *(const wr_i128 *)(const void *)k; break;
    case WR_P_STR:
        WR_VEC_STR(out)[row] = null ? (struct wr_str){0} : wr_arena_str(mem, *(const struct wr_str *)(const void *)k);
        break;
    case WR_P_IVL: WR_VEC_IVL(out)[row] = null ? (struct wr_interval){0} : *(const struct wr_interval *)(const void *)k; break;
    }
}

void wr_group_reset(const struct wr_group_layout *l, struct wr_group *x)
{
    for (int i = 0; i < l->n_agg; i++) {
        wr_aggcall_drop(&l->agg[i], wr_group_state(l, x, i));
        wr_aggcall_init(&l->agg[i], wr_group_state(l, x, i));
    }
    x->rows = 0;
}

struct wr_value wr_group_key(const struct wr_group_layout *l, const struct wr_group *x, int c)
{
    struct wr_value v = {.type = l->type[c], .null = x->nulls >> c & 1};
    const char *k = (const char *)x + l->key_offset[c];
    if (v.null)
        return v;
    switch (l->phys[c]) {
    case WR_P_I8: v.as.b = *(const uint8_t *)k; break;
    case WR_P_I64: v.as.i = *(const int64_t *)(const void *)k; break;
    case WR_P_F64: v.as.d = *(const double *)(const void *)k; break;
    case WR_P_I128: v.as.dec = *(const wr_i128 *)(const void *)k; break;
    case WR_P_STR: v.as.s = *(const struct wr_str *)(const void *)k; break;
    case WR_P_IVL: v.as.iv = *(const struct wr_interval *)(const void *)k; break;
    }
    return v;
}

void wr_group_key_bytes(const struct wr_group_layout *l, const struct wr_group *x, struct wr_buf *out)
{
    for (int c = 0; c < l->n_key; c++) {
        struct wr_value v = wr_group_key(l, x, c);
        wr_key_put_value(out, &v, false, true);
    }
}

struct wr_group *wr_groups_restore(struct wr_groups *g, const struct wr_value *key, bool *made)
{
    const struct wr_group_layout *l = g->layout;
    /* One row of vectors, numbered like the input's columns, so that hash and comparison are those of process(). */
    int most = 0;
    for (int c = 0; c < l->n_key; c++)
        most = l->key[c] > most ? l->key[c] : most;
    struct wr_arena a = {0};
    struct wr_field *field = WR_NEW_N(&a, struct wr_field, most + 1);
    for (int c = 0; c <= most; c++)
        field[c].type = WR_TYPE_OF(BOOL);
    for (int c = 0; c < l->n_key; c++)
        field[l->key[c]].type = l->type[c];
    struct wr_schema schema = {most + 1, field};
    struct wr_batch *b = wr_batch_new(&schema, 1);
    b->len = b->n_live = 1;
    for (int c = 0; c < l->n_key; c++)
        wr_vec_set(&b->col[l->key[c]], 0, &key[c], 1, &b->mem);
    uint64_t hash = 0, before = g->n;
    if (l->n_key)
        wr_hash_rows(b, l->key, l->n_key, NULL, 1, l->seed, &hash);
    void (*fetch)(void *, struct wr_groups *, struct wr_group *) = g->fetch;
    g->fetch = NULL;
    struct wr_group *x = l->n_key ? wr_groups_at(g, b, 0, hash) : wr_groups_only(g);
    g->fetch = fetch;
    *made = g->n > before;
    wr_batch_unref(b);
    wr_arena_clear(&a);
    return x;
}

void wr_group_save(const struct wr_group_layout *l, struct wr_group *x, struct wr_buf *out)
{
    wr_buf_u8(out, x->flags & WR_GROUP_EMITTED);
    wr_buf_i64(out, x->rows);
    wr_buf_add(out, (const char *)x + l->extra_offset, l->extra);
    for (int i = 0; i < l->n_agg; i++)
        wr_aggcall_save(&l->agg[i], wr_group_state(l, x, i), out);
}

bool wr_group_load(const struct wr_group_layout *l, struct wr_group *x, struct wr_str in)
{
    uint8_t flags;
    int64_t rows;
    if (!wr_take_u8(&in, &flags) || !wr_take_i64(&in, &rows) || !wr_take_bytes(&in, (char *)x + l->extra_offset, l->extra))
        return false;
    for (int i = 0; i < l->n_agg; i++) {
        wr_aggcall_drop(&l->agg[i], wr_group_state(l, x, i));
        if (wr_aggcall_load(&l->agg[i], wr_group_state(l, x, i), &in))
            continue;
        wr_aggcall_init(&l->agg[i], wr_group_state(l, x, i)); /* a failed load owns nothing */
        wr_group_reset(l, x);
        return false;
    }
    x->rows = rows;
    x->flags |= (uint8_t)((flags & WR_GROUP_EMITTED) | WR_GROUP_STORED);
    return in.n == 0;
}

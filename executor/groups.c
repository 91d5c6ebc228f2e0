/* groups.c: see groups.h.
 * Rules:  linear probing; removing moves the slots behind back, so there are no traces of what was. At most three quarters of the slots are taken.
 * Memory: chunks of entries and the text arena belong to the table; what states own is freed through wr_aggcall_drop. */
#include "executor/groups.h"

#include <stdlib.h>

#include "core/key.h"

enum {
    FIRST_SLOTS = 64,
    FIRST_BITS = 4,       /* entries of the first chunk: 16 */
    MOST_BITS = 15,       /* of the largest */
    BLOCK = 64,           /* rows looked up together: enough to have many cache misses on the way at once */
    LINE = 64,            /* bytes of a cache line; chunks begin at one */
    SHORT_TEXT = 12,      /* bytes of text in the entry itself */
    TEXT_SLACK = 64 << 10 /* dead text that is not worth a thought */
};

static uint32_t width_of(enum wr_phys p)
{
    switch (p) {
    case WR_P_I8: return 1;
    case WR_P_I64:
    case WR_P_F64: return 8;
    case WR_P_STR:
    case WR_P_I128:
    case WR_P_IVL: return 16;
    }
    return 16;
}

static uint32_t round_up(uint32_t n, uint32_t to) { return (n + to - 1) & ~(to - 1); }

/* What alignment a state of that size can ask for: a struct's size is a multiple of its alignment. */
static uint32_t align_of(uint32_t size) { return size % 16 == 0 ? 16 : 8; }

/* One pass over what an entry holds: keys and states of this alignment get their places. */
static uint32_t lay_out(struct wr_group_layout *l, uint32_t at, uint32_t align)
{
    for (int c = 0; c < l->n_key; c++)
        if (width_of(l->phys[c]) == align) {
            l->key_offset[c] = at;
            at += align;
        }
    for (int i = 0; i < l->n_agg && align > 1; i++)
        if (align_of(l->agg[i].size) == align) {
            l->agg[i].offset = at;
            at += round_up(l->agg[i].size, align);
        }
    if (l->extra && align == align_of(l->extra)) {
        l->extra_offset = at;
        at += round_up(l->extra, align);
    }
    if (l->weighed && align == 8) {
        l->weight_offset = at;
        at += 8;
    }
    return at;
}

void wr_group_layout_init(struct wr_group_layout *l, int n_key, const int *key, const struct wr_schema *in, int n_agg, const struct wr_aggcall *agg,
                          uint32_t extra, struct wr_arena *a)
{
    *l = (struct wr_group_layout){.n_key = n_key, .key = key, .n_agg = n_agg, .extra = extra, .seed = wr_hash_seed()};
    l->key_offset = WR_NEW_N(a, uint32_t, n_key + 1);
    l->phys = WR_NEW_N(a, enum wr_phys, n_key + 1);
    l->type = WR_NEW_N(a, struct wr_type, n_key + 1);
    for (int c = 0; c < n_key; c++) {
        l->type[c] = in->field[key[c]].type;
        l->phys[c] = wr_type_phys(l->type[c].id);
    }
    l->agg = WR_NEW_N(a, struct wr_aggcall, n_agg + 1);
    l->heavy = WR_NEW_N(a, int, n_agg + 1);
    for (int i = 0; i < n_agg; i++) {
        l->agg[i] = agg[i];
        if (agg[i].distinct || agg[i].fn->heap)
            l->heavy[l->n_heavy++] = i;
    }
    l->weighed = l->n_heavy > 0;
    uint32_t at = sizeof(struct wr_group) + (n_key > 16 ? 16 : 0); /* 64 bits of NULLs, and room */
    at = lay_out(l, at, 16);
    at = lay_out(l, at, 8);
    at = lay_out(l, at, 1);
    bool wide = false;
    for (int c = 0; c < n_key; c++)
        wide |= width_of(l->phys[c]) == 16;
    for (int i = 0; i < n_agg; i++)
        wide |= align_of(agg[i].size) == 16;
    l->size = round_up(at, wide || (extra && align_of(extra) == 16) ? 16 : 8);
}

void wr_groups_init(struct wr_groups *g, const struct wr_group_layout *l) { *g = (struct wr_groups){.layout = l}; }

/* ---- entries ---- */

static uint32_t chunk_of(uint32_t i)
{
    if (i < 1u << FIRST_BITS)
        return 0;
    if (i < 1u << MOST_BITS)
        return 32 - FIRST_BITS - (uint32_t)__builtin_clz(i);
    return MOST_BITS - FIRST_BITS + (i >> MOST_BITS);
}

static uint32_t entries_of(uint32_t chunk)
{
    uint32_t bits = chunk == 0 ? FIRST_BITS : FIRST_BITS + chunk - 1;
    return 1u << (bits < MOST_BITS ? bits : MOST_BITS);
}

static struct wr_group *entry_at(const struct wr_groups *g, uint32_t i)
{
    uint32_t c = chunk_of(i), first = c == 0 ? 0 : i < 1u << MOST_BITS ? 1u << (31 - __builtin_clz(i)) : i & ~((1u << MOST_BITS) - 1);
    return (struct wr_group *)(void *)(g->chunk[c] + (size_t)(i - first) * g->layout->size);
}

static uint32_t new_entry(struct wr_groups *g)
{
    if (g->free) {
        uint32_t i = g->free - 1;
        g->free = entry_at(g, i)->hash;
        return i;
    }
    uint32_t i = g->n_entry, c = chunk_of(i);
    if (i == UINT32_MAX - 1)
        WR_BUG("more than 2^32 groups in one table");
    if (c == g->n_chunk) {
        if (c == g->cap_chunk) {
            g->cap_chunk = g->cap_chunk ? g->cap_chunk * 2 : 4;
            g->chunk = wr_realloc(g->chunk, sizeof *g->chunk * g->cap_chunk);
        }
        g->chunk[c] = wr_malloc_lines((size_t)entries_of(c) * g->layout->size);
        g->n_chunk++;
    }
    g->n_entry++;
    return i;
}

struct wr_group *wr_groups_next(const struct wr_groups *g, struct wr_group_walk *at)
{
    while (at->i < g->n_entry) {
        struct wr_group *x = entry_at(g, at->i++);
        if (!(x->flags & WR_GROUP_DEAD))
            return x;
    }
    return NULL; /* entries added meanwhile are seen by the next call */
}

struct wr_group *wr_groups_entry(const struct wr_groups *g, uint32_t i)
{
    struct wr_group *x = entry_at(g, i);
    return x->flags & WR_GROUP_DEAD ? NULL : x;
}

void wr_groups_clear(struct wr_groups *g)
{
    const struct wr_group_layout *l = g->layout;
    struct wr_group_walk at = {0};
    for (struct wr_group *x; g->n > 0 && l->n_agg > 0 && (x = wr_groups_next(g, &at));)
        for (int i = 0; i < l->n_agg; i++)
            wr_aggcall_drop(&l->agg[i], wr_group_state(l, x, i));
    for (uint32_t c = 0; c < g->n_chunk; c++)
        free(g->chunk[c]);
    free(g->chunk);
    free(g->slot);
    wr_arena_clear(&g->text);
    wr_groups_init(g, l);
}

size_t wr_groups_bytes(const struct wr_groups *g)
{
    return (g->slot ? (g->mask + 1) * sizeof *g->slot : 0) + g->n * g->layout->size + g->text_live + g->text_dead + g->heap;
}

void wr_groups_weigh(struct wr_groups *g, struct wr_group *x)
{
    const struct wr_group_layout *l = g->layout;
    if (!l->weighed)
        return;
    uint64_t *weight = (uint64_t *)(void *)((char *)x + l->weight_offset), now = 0;
    for (int i = 0; i < l->n_heavy; i++)
        now += wr_aggcall_heap(&l->agg[l->heavy[i]], wr_group_state(l, x, l->heavy[i]));
    g->heap += now - *weight;
    *weight = now;
}

/* ---- texts of keys: { u32 length, the bytes } or, when they are more than SHORT_TEXT, { u32 length, u32 nothing, pointer } ---- */

static struct wr_str text_get(const char *k)
{
    uint32_t n;
    const char *p = k + 4;
    memcpy(&n, k, sizeof n);
    if (n > SHORT_TEXT)
        memcpy(&p, k + 8, sizeof p);
    return (struct wr_str){p, n};
}

/* g NULL: a long text is borrowed. */
static void text_put(struct wr_groups *g, char *k, struct wr_str s)
{
    memset(k, 0, 16);
    memcpy(k, &s.n, sizeof s.n);
    if (s.n <= SHORT_TEXT) {
        if (s.n)
            memcpy(k + 4, s.p, s.n);
        return;
    }
    const char *p = s.p;
    if (g) {
        char *to = wr_arena_bytes(&g->text, s.n);
        memcpy(to, s.p, s.n);
        g->text_live += round_up(s.n, 16);
        p = to;
    }
    memcpy(k + 8, &p, sizeof p);
}

static void text_drop(struct wr_groups *g, const char *k)
{
    uint32_t n = text_get(k).n;
    if (n <= SHORT_TEXT)
        return;
    g->text_live -= round_up(n, 16);
    g->text_dead += round_up(n, 16);
}

/* Living texts move to a new arena. */
static void pack_texts(struct wr_groups *g)
{
    const struct wr_group_layout *l = g->layout;
    struct wr_arena old = g->text;
    g->text = (struct wr_arena){0};
    g->text_live = g->text_dead = 0;
    struct wr_group_walk at = {0};
    for (struct wr_group *x; (x = wr_groups_next(g, &at));)
        for (int c = 0; c < l->n_key; c++) {
            char *k = (char *)x + l->key_offset[c];
            if (l->phys[c] == WR_P_STR && !wr_group_null(l, x, c) && text_get(k).n > SHORT_TEXT)
                text_put(g, k, text_get(k));
        }
    wr_arena_clear(&old);
}

/* ---- slots ---- */

static uint64_t slot_of(uint32_t hash, uint32_t entry) { return (uint64_t)hash << 32 | (entry + 1); }
static uint32_t slot_hash(uint64_t slot) { return (uint32_t)(slot >> 32); }
static struct wr_group *slot_entry(const struct wr_groups *g, uint64_t slot) { return entry_at(g, (uint32_t)slot - 1); }

static void put_slot(uint64_t *slot, uint64_t mask, uint64_t s)
{
    uint64_t i = slot_hash(s) & mask;
    while (slot[i] != 0)
        i = (i + 1) & mask;
    slot[i] = s;
}

/* Makes sure that n more groups fit. Old slots in order go to two places in order each: no cache misses. */
static void room(struct wr_groups *g, uint64_t n)
{
    if (g->text_dead > g->text_live + TEXT_SLACK)
        pack_texts(g);
    if (g->slot && (g->n + n) * 4 <= (g->mask + 1) * 3)
        return;
    uint64_t old = g->slot ? g->mask + 1 : 0, want = old ? old * 2 : FIRST_SLOTS;
    while ((g->n + n) * 4 > want * 3)
        want *= 2;
    uint64_t *slot = wr_calloc(want, sizeof *slot);
    for (uint64_t i = 0; i < old; i++)
        if (g->slot[i])
            put_slot(slot, want - 1, g->slot[i]);
    free(g->slot);
    g->slot = slot;
    g->mask = want - 1;
}

static struct wr_group *add_group(struct wr_groups *g, uint32_t hash)
{
    const struct wr_group_layout *l = g->layout;
    uint32_t i = new_entry(g);
    struct wr_group *x = entry_at(g, i);
    memset(x, 0, l->size);
    x->hash = hash;
    for (int k = 0; k < l->n_agg; k++)
        wr_aggcall_init(&l->agg[k], wr_group_state(l, x, k));
    g->n++;
    put_slot(g->slot, g->mask, slot_of(hash, i));
    return x;
}

static void take_slot_out(struct wr_groups *g, uint64_t i)
{
    for (uint64_t k = (i + 1) & g->mask; g->slot[k] != 0; k = (k + 1) & g->mask) {
        uint64_t home = slot_hash(g->slot[k]) & g->mask;
        if (((k - home) & g->mask) < ((k - i) & g->mask))
            continue; /* would stand before its home */
        g->slot[i] = g->slot[k];
        i = k;
    }
    g->slot[i] = 0;
}

void wr_groups_remove(struct wr_groups *g, struct wr_group *x)
{
    const struct wr_group_layout *l = g->layout;
    uint64_t i = x->hash & g->mask;
    while (slot_entry(g, g->slot[i]) != x)
        i = (i + 1) & g->mask;
    uint32_t entry = (uint32_t)g->slot[i] - 1;
    take_slot_out(g, i);
    for (int k = 0; k < l->n_agg; k++)
        wr_aggcall_drop(&l->agg[k], wr_group_state(l, x, k));
    if (l->weighed)
        g->heap -= *(uint64_t *)(void *)((char *)x + l->weight_offset);
    for (int c = 0; c < l->n_key; c++)
        if (l->phys[c] == WR_P_STR && !wr_group_null(l, x, c))
            text_drop(g, (char *)x + l->key_offset[c]);
    x->flags = WR_GROUP_DEAD;
    x->hash = g->free;
    g->free = entry + 1;
    g->n--;
}

/* ---- keys ---- */

static void set_null(const struct wr_group_layout *l, struct wr_group *x, int c)
{
    if (l->n_key <= 16)
        x->nulls = (uint16_t)(x->nulls | 1u << c);
    else
        *(uint64_t *)(void *)(x + 1) |= UINT64_C(1) << c;
}

static bool same_key(const struct wr_group_layout *l, const struct wr_group *x, const struct wr_batch *b, uint32_t row)
{
    for (int c = 0; c < l->n_key; c++) {
        const struct wr_vec *v = &b->col[l->key[c]];
        const char *k = (const char *)x + l->key_offset[c];
        bool null = wr_vec_null(v, row);
        if (null != wr_group_null(l, x, c))
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
        case WR_P_STR: same = wr_str_eq(text_get(k), WR_VEC_STR(v)[r]); break;
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
            set_null(l, x, c);
            continue;
        }
        uint32_t r = wr_vec_at(v, row);
        switch (l->phys[c]) {
        case WR_P_I8: *(uint8_t *)k = WR_VEC_I8(v)[r]; break;
        case WR_P_I64: *(int64_t *)(void *)k = WR_VEC_I64(v)[r]; break;
        case WR_P_F64: *(double *)(void *)k = WR_VEC_F64(v)[r]; break;
        case WR_P_I128: *(wr_i128 *)(void *)k = WR_VEC_I128(v)[r]; break;
        case WR_P_STR: text_put(g, k, WR_VEC_STR(v)[r]); break;
        case WR_P_IVL: *(struct wr_interval *)(void *)k = WR_VEC_IVL(v)[r]; break;
        }
    }
}

static bool same_group_key(const struct wr_group_layout *l, const struct wr_group *a, const struct wr_group *b)
{
    for (int c = 0; c < l->n_key; c++) {
        const char *x = (const char *)a + l->key_offset[c], *y = (const char *)b + l->key_offset[c];
        bool null = wr_group_null(l, a, c), same = true;
        if (null != wr_group_null(l, b, c))
            return false;
        if (null)
            continue;
        switch (l->phys[c]) {
        case WR_P_I8: same = *x == *y; break;
        case WR_P_I64:
        case WR_P_I128: same = memcmp(x, y, width_of(l->phys[c])) == 0; break;
        case WR_P_STR: same = wr_str_eq(text_get(x), text_get(y)); break;
        case WR_P_F64:
        case WR_P_IVL: { /* equal is not always bytewise */
            struct wr_value v = wr_group_key(l, a, c), w = wr_group_key(l, b, c);
            same = wr_value_cmp(&v, &w) == 0;
            break;
        }
        }
        if (!same)
            return false;
    }
    return true;
}

/* ---- looking up ---- */

struct wr_group *wr_groups_at(struct wr_groups *g, const struct wr_batch *b, uint32_t row, uint64_t hash)
{
    room(g, 1);
    uint32_t tag = (uint32_t)hash;
    for (uint64_t i = tag & g->mask; g->slot[i] != 0; i = (i + 1) & g->mask) {
        if (slot_hash(g->slot[i]) != tag)
            continue;
        struct wr_group *x = slot_entry(g, g->slot[i]);
        if (same_key(g->layout, x, b, row))
            return x;
    }
    struct wr_group *x = add_group(g, tag);
    take_key(g, x, b, row);
    if (g->fetch)
        g->fetch(g->fetch_ctx, g, x);
    return x;
}

/* Up to BLOCK rows. Each step starts the cache misses of all of them before the next one needs them. */
static void find_block(struct wr_groups *g, const struct wr_batch *b, const uint32_t *row, uint32_t n, const uint64_t *hash, struct wr_group **out)
{
    struct wr_group *likely[BLOCK];
    room(g, n);
    for (uint32_t k = 0; k < n; k++)
        __builtin_prefetch(&g->slot[(uint32_t)hash[k] & g->mask]);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t tag = (uint32_t)hash[k];
        uint64_t i = tag & g->mask;
        while (g->slot[i] != 0 && slot_hash(g->slot[i]) != tag)
            i = (i + 1) & g->mask;
        likely[k] = NULL;
        if (g->slot[i] != 0) {
            likely[k] = slot_entry(g, g->slot[i]);
            __builtin_prefetch(likely[k], 1);
            if (g->layout->size > LINE)
                __builtin_prefetch((const char *)likely[k] + LINE, 1);
        }
    }
    for (uint32_t k = 0; k < n; k++)
        out[k] = likely[k] && same_key(g->layout, likely[k], b, row[k]) ? likely[k] : wr_groups_at(g, b, row[k], hash[k]);
}

void wr_groups_find(struct wr_groups *g, const struct wr_batch *b, const uint32_t *sel, uint32_t n, const uint64_t *hash, struct wr_group **out)
{
    for (uint32_t k = 0; k < n; k += BLOCK)
        find_block(g, b, sel + k, n - k < BLOCK ? n - k : BLOCK, hash + k, out + k);
}

static struct wr_group *look_up_like(const struct wr_groups *g, const struct wr_group *like)
{
    for (uint64_t i = like->hash & g->mask; g->slot && g->slot[i] != 0; i = (i + 1) & g->mask) {
        if (slot_hash(g->slot[i]) != like->hash)
            continue;
        struct wr_group *x = slot_entry(g, g->slot[i]);
        if (same_group_key(g->layout, x, like))
            return x;
    }
    return NULL;
}

static struct wr_group *add_like(struct wr_groups *g, const struct wr_group *like)
{
    const struct wr_group_layout *l = g->layout;
    room(g, 1);
    struct wr_group *x = add_group(g, like->hash);
    for (int c = 0; c < l->n_key; c++) {
        char *to = (char *)x + l->key_offset[c];
        const char *from = (const char *)like + l->key_offset[c];
        if (wr_group_null(l, like, c))
            set_null(l, x, c);
        else if (l->phys[c] == WR_P_STR)
            text_put(g, to, text_get(from));
        else
            memcpy(to, from, width_of(l->phys[c]));
    }
    return x;
}

struct wr_group *wr_groups_like(struct wr_groups *g, const struct wr_group *like, bool make)
{
    struct wr_group *x = look_up_like(g, like);
    if (x || (!make && !g->fetch))
        return x;
    x = add_like(g, like);
    if (g->fetch)
        g->fetch(g->fetch_ctx, g, x);
    if (!make && !(x->flags & (WR_GROUP_STORED | WR_GROUP_SPILLED))) {
        wr_groups_remove(g, x); /* not on disk either */
        return NULL;
    }
    return x;
}

struct wr_group *wr_groups_only(struct wr_groups *g)
{
    if (g->n == 0) {
        room(g, 1);
        struct wr_group *x = add_group(g, 0);
        if (g->fetch)
            g->fetch(g->fetch_ctx, g, x);
        return x;
    }
    struct wr_group_walk at = {0};
    return wr_groups_next(g, &at);
}

/* An entry outside any table with this key (texts borrowed) and nothing else; mem gives its room. */
static struct wr_group *make_like(const struct wr_group_layout *l, const struct wr_value *key, struct wr_arena *mem)
{
    struct wr_group *x = wr_arena_zero(mem, l->size);
    uint64_t hash = l->n_key ? l->seed : 0;
    for (int c = 0; c < l->n_key; c++) {
        char *k = (char *)x + l->key_offset[c];
        hash = wr_hash_value(&key[c], hash);
        if (key[c].null) {
            set_null(l, x, c);
            continue;
        }
        switch (l->phys[c]) {
        case WR_P_I8: *(uint8_t *)k = (uint8_t)key[c].as.b; break;
        case WR_P_I64: *(int64_t *)(void *)k = key[c].as.i; break;
        case WR_P_F64: *(double *)(void *)k = key[c].as.d; break;
        case WR_P_I128: *(wr_i128 *)(void *)k = key[c].as.dec; break;
        case WR_P_STR: text_put(NULL, k, key[c].as.s); break;
        case WR_P_IVL: *(struct wr_interval *)(void *)k = key[c].as.iv; break;
        }
    }
#ifdef WEIR_HARD
    hash = 0; /* as wr_hash_rows */
#endif
    x->hash = (uint32_t)hash;
    return x;
}

struct wr_group *wr_groups_peek(struct wr_groups *g, const struct wr_value *key)
{
    struct wr_arena mem = {0};
    struct wr_group *x = look_up_like(g, make_like(g->layout, key, &mem));
    wr_arena_clear(&mem);
    return x;
}

struct wr_group *wr_groups_restore(struct wr_groups *g, const struct wr_value *key, bool *made)
{
    struct wr_arena mem = {0};
    struct wr_group *like = make_like(g->layout, key, &mem), *x = look_up_like(g, like);
    *made = !x;
    if (!x)
        x = add_like(g, like);
    wr_arena_clear(&mem);
    return x;
}

void wr_group_key_out(const struct wr_group_layout *l, const struct wr_group *x, int c, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    const char *k = (const char *)x + l->key_offset[c];
    bool null = wr_group_null(l, x, c);
    if (out->nulls)
        out->nulls[row] = null;
    switch (l->phys[c]) {
    case WR_P_I8: WR_VEC_I8(out)[row] = null ? 0 : *(const uint8_t *)k; break;
    case WR_P_I64: WR_VEC_I64(out)[row] = null ? 0 : *(const int64_t *)(const void *)k; break;
    case WR_P_F64: WR_VEC_F64(out)[row] = null ? 0 : *(const double *)(const void *)k; break;
    case WR_P_I128: WR_VEC_I128(out)[row] = null ? 0 : *(const wr_i128 *)(const void *)k; break;
    case WR_P_STR:
        WR_VEC_STR(out)[row] = null ? (struct wr_str){0} : wr_arena_str(mem, text_get(k));
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
    struct wr_value v = {.type = l->type[c], .null = wr_group_null(l, x, c)};
    const char *k = (const char *)x + l->key_offset[c];
    if (v.null)
        return v;
    switch (l->phys[c]) {
    case WR_P_I8: v.as.b = *(const uint8_t *)k; break;
    case WR_P_I64: v.as.i = *(const int64_t *)(const void *)k; break;
    case WR_P_F64: v.as.d = *(const double *)(const void *)k; break;
    case WR_P_I128: v.as.dec = *(const wr_i128 *)(const void *)k; break;
    case WR_P_STR: v.as.s = text_get(k); break;
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

void wr_group_save_states(const struct wr_group_layout *l, struct wr_group *x, struct wr_buf *out)
{
    wr_buf_u8(out, x->flags & (WR_GROUP_EMITTED | WR_GROUP_STORED | WR_GROUP_FRESH));
    wr_buf_i64(out, x->rows);
    for (int i = 0; i < l->n_agg; i++)
        wr_aggcall_save(&l->agg[i], wr_group_state(l, x, i), out);
}

bool wr_group_load_states(const struct wr_group_layout *l, struct wr_group *x, struct wr_str in)
{
    uint8_t flags;
    int64_t rows;
    if (!wr_take_u8(&in, &flags) || !wr_take_i64(&in, &rows))
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
    x->flags |= (uint8_t)(flags & (WR_GROUP_EMITTED | WR_GROUP_STORED | WR_GROUP_FRESH));
    return in.n == 0;
}

void wr_group_save(const struct wr_group_layout *l, struct wr_group *x, struct wr_buf *out)
{
    wr_buf_add(out, (const char *)x + l->extra_offset, l->extra);
    wr_group_save_states(l, x, out);
}

bool wr_group_load(const struct wr_group_layout *l, struct wr_group *x, struct wr_str in)
{
    return wr_take_bytes(&in, (char *)x + l->extra_offset, l->extra) && wr_group_load_states(l, x, in);
}

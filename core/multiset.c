/* multiset.c: the two hash tables of multiset.h.
 * Rules:  linear probing; removing moves the entries behind back, so there are no traces of what was. At most three quarters of the places are taken;
 *         a table that is mostly empty shrinks.
 * Memory: the tables and the texts are malloc'd; sorting allocates in the caller's arena only. */
#include "core/multiset.h"

#include <stdlib.h>

#include "core/key.h"
#include "core/omap.h"

enum { FIRST = 4, WORD_KEY = 9 };

static const struct wr_multiset_word no_word;

static uint32_t hash_word(uint64_t v)
{
#ifdef WEIR_HARD
    return (uint32_t)(v & 0);
#else
    wr_u128 m = (wr_u128)(v ^ wr_hash_seed()) * UINT64_C(0x9FB21C651E98DF25);
    return (uint32_t)(m >> 64) ^ (uint32_t)m;
#endif
}

static uint32_t hash_text(struct wr_str key)
{
#ifdef WEIR_HARD
    return key.n & 0;
#else
    return (uint32_t)wr_hash_bytes(key.n ? key.p : "", key.n, wr_hash_seed());
#endif
}

/* A field of 8 bytes that is not NULL. */
static bool is_word(struct wr_str key) { return key.n == WORD_KEY && key.p[0] == 1; }

static uint64_t word_of(struct wr_str key)
{
    uint64_t v;
    memcpy(&v, key.p + 1, sizeof v);
    return __builtin_bswap64(v);
}

/* Places wanted for n entries. */
static uint32_t places(uint32_t n, uint32_t cap)
{
    if (n == 0)
        return 0;
    uint64_t want = cap ? cap : FIRST;
    while ((uint64_t)n * 4 > want * 3)
        want *= 2;
    while (want > FIRST && (uint64_t)n * 8 < want)
        want /= 2;
    if (want > UINT32_MAX)
        WR_BUG("more than 2^31 values in one DISTINCT");
    return (uint32_t)want;
}

/* ---- keys of one number ---- */

static uint32_t find_word(const struct wr_multiset *t, uint64_t key)
{
    uint32_t mask = t->cap_word - 1, i = hash_word(key) & mask;
    while (t->word[i].num != 0 && t->word[i].key != key)
        i = (i + 1) & mask;
    return i;
}

static void resize_words(struct wr_multiset *t, uint32_t n)
{
    uint32_t cap = places(n, t->cap_word), old = t->cap_word;
    if (cap == old)
        return;
    struct wr_multiset_word *was = t->word;
    t->word = cap ? wr_calloc(cap, sizeof *t->word) : NULL;
    t->cap_word = cap;
    for (uint32_t i = 0; i < old; i++)
        if (was[i].num != 0)
            t->word[find_word(t, was[i].key)] = was[i];
    free(was);
}

static void remove_word(struct wr_multiset *t, uint32_t i)
{
    uint32_t mask = t->cap_word - 1;
    for (uint32_t k = (i + 1) & mask; t->word[k].num != 0; k = (k + 1) & mask) {
        uint32_t home = hash_word(t->word[k].key) & mask;
        if (((k - home) & mask) < ((k - i) & mask))
            continue; /* would stand before its home */
        t->word[i] = t->word[k];
        i = k;
    }
    t->word[i] = no_word;
    t->n_word--;
    resize_words(t, t->n_word);
}

int64_t wr_multiset_add_word(struct wr_multiset *t, uint64_t word, int64_t delta)
{
    if (delta == 0)
        return t->cap_word ? t->word[find_word(t, word)].num : 0;
    if ((uint64_t)(t->n_word + 1) * 4 > (uint64_t)t->cap_word * 3)
        resize_words(t, t->n_word + 1);
    uint32_t i = find_word(t, word);
    struct wr_multiset_word *x = &t->word[i];
    if (x->num == 0) {
        *x = (struct wr_multiset_word){word, delta};
        t->n_word++;
        return delta;
    }
    int64_t now = x->num = (int64_t)((uint64_t)x->num + (uint64_t)delta);
    if (now == 0)
        remove_word(t, i);
    return now;
}

void wr_multiset_expect_word(const struct wr_multiset *t, uint64_t word)
{
    if (t->cap_word)
        __builtin_prefetch(&t->word[hash_word(word) & (t->cap_word - 1)], 1);
}

/* ---- other keys ---- */

static uint32_t find_text(const struct wr_multiset *t, struct wr_str key, uint32_t hash)
{
    uint32_t mask = t->cap_text - 1, i = hash & mask;
    for (; t->text[i].num != 0; i = (i + 1) & mask) {
        const struct wr_multiset_text *x = &t->text[i];
        if (x->hash == hash && x->len == key.n && (key.n == 0 || memcmp(x->key, key.p, key.n) == 0))
            break;
    }
    return i;
}

static void resize_texts(struct wr_multiset *t, uint32_t n)
{
    uint32_t cap = places(n, t->cap_text), old = t->cap_text;
    if (cap == old)
        return;
    struct wr_multiset_text *was = t->text;
    t->text = cap ? wr_calloc(cap, sizeof *t->text) : NULL;
    t->cap_text = cap;
    for (uint32_t i = 0; i < old; i++) {
        if (was[i].num == 0)
            continue;
        uint32_t k = was[i].hash & (cap - 1);
        while (t->text[k].num != 0)
            k = (k + 1) & (cap - 1);
        t->text[k] = was[i];
    }
    free(was);
}

static void remove_text(struct wr_multiset *t, uint32_t i)
{
    uint32_t mask = t->cap_text - 1;
    t->text_bytes -= t->text[i].len;
    free(t->text[i].key);
    for (uint32_t k = (i + 1) & mask; t->text[k].num != 0; k = (k + 1) & mask) {
        uint32_t home = t->text[k].hash & mask;
        if (((k - home) & mask) < ((k - i) & mask))
            continue;
        t->text[i] = t->text[k];
        i = k;
    }
    t->text[i] = (struct wr_multiset_text){0};
    t->n_text--;
    resize_texts(t, t->n_text);
}

static int64_t add_text(struct wr_multiset *t, struct wr_str key, int64_t delta)
{
    uint32_t hash = hash_text(key);
    if (delta == 0)
        return wr_multiset_get(t, key);
    if ((uint64_t)(t->n_text + 1) * 4 > (uint64_t)t->cap_text * 3)
        resize_texts(t, t->n_text + 1);
    uint32_t i = find_text(t, key, hash);
    struct wr_multiset_text *x = &t->text[i];
    if (x->num == 0) {
        *x = (struct wr_multiset_text){wr_malloc(key.n ? key.n : 1), delta, key.n, hash};
        if (key.n)
            memcpy(x->key, key.p, key.n);
        t->text_bytes += key.n;
        t->n_text++;
        return delta;
    }
    int64_t now = x->num = (int64_t)((uint64_t)x->num + (uint64_t)delta);
    if (now == 0)
        remove_text(t, i);
    return now;
}

/* ---- both ---- */

int64_t wr_multiset_add(struct wr_multiset *t, struct wr_str key, int64_t delta)
{
    return is_word(key) ? wr_multiset_add_word(t, word_of(key), delta) : add_text(t, key, delta);
}

int64_t wr_multiset_get(const struct wr_multiset *t, struct wr_str key)
{
    if (is_word(key))
        return t->cap_word ? t->word[find_word(t, word_of(key))].num : 0;
    return t->cap_text ? t->text[find_text(t, key, hash_text(key))].num : 0;
}

void wr_multiset_clear(struct wr_multiset *t)
{
    for (uint32_t i = 0; i < t->cap_text; i++)
        free(t->text[i].key);
    free(t->text);
    free(t->word);
    *t = (struct wr_multiset){0};
}

size_t wr_multiset_heap(const struct wr_multiset *t)
{
    return t->cap_word * sizeof *t->word + t->cap_text * sizeof *t->text + t->text_bytes;
}

static int by_key(const void *a, const void *b)
{
    return wr_str_cmp(((const struct wr_multiset_item *)a)->key, ((const struct wr_multiset_item *)b)->key);
}

static int by_word(const void *a, const void *b)
{
    uint64_t x = ((const struct wr_multiset_word *)a)->key, y = ((const struct wr_multiset_word *)b)->key;
    return x < y ? -1 : x > y;
}

/* The words, sorted as numbers, then written out as keys. */
static uint64_t sort_words(const struct wr_multiset *t, struct wr_arena *mem, struct wr_multiset_item *out)
{
    struct wr_multiset_word *w = wr_arena_alloc(mem, sizeof *w * (t->n_word + 1u));
    char *key = wr_arena_bytes(mem, (size_t)WORD_KEY * t->n_word + 1);
    uint64_t n = 0;
    for (uint32_t i = 0; i < t->cap_word; i++)
        if (t->word[i].num != 0)
            w[n++] = t->word[i];
    qsort(w, n, sizeof *w, by_word);
    for (uint64_t i = 0; i < n; i++, key += WORD_KEY) {
        uint64_t big = __builtin_bswap64(w[i].key);
        key[0] = 1;
        memcpy(key + 1, &big, sizeof big);
        out[i] = (struct wr_multiset_item){{key, WORD_KEY}, w[i].num};
    }
    return n;
}

struct wr_multiset_item *wr_multiset_sort(const struct wr_multiset *t, struct wr_arena *mem)
{
    struct wr_multiset_item *item = wr_arena_alloc(mem, sizeof *item * (wr_multiset_n(t) + 1));
    uint64_t n = sort_words(t, mem, item);
    if (t->n_text == 0)
        return item;
    for (uint32_t i = 0; i < t->cap_text; i++)
        if (t->text[i].num != 0)
            item[n++] = (struct wr_multiset_item){{(const char *)t->text[i].key, t->text[i].len}, t->text[i].num};
    qsort(item, n, sizeof *item, by_key);
    return item;
}

void wr_multiset_save(const struct wr_multiset *t, struct wr_buf *out)
{
    struct wr_arena mem = {0};
    const struct wr_multiset_item *item = wr_multiset_sort(t, &mem);
    wr_varint_put(out, wr_multiset_n(t));
    for (uint64_t i = 0; i < wr_multiset_n(t); i++)
        wr_omap_put(out, item[i].key, item[i].num);
    wr_arena_clear(&mem);
}

bool wr_multiset_load(struct wr_multiset *t, struct wr_str *in)
{
    struct wr_omap_saved s;
    struct wr_str key;
    int64_t num;
    *t = (struct wr_multiset){0};
    bool ok = wr_omap_open(&s, in);
    while (ok && s.left > 0) {
        ok = wr_omap_take(&s, &key, &num);
        if (ok)
            (void)wr_multiset_add(t, key, num);
    }
    if (!ok)
        wr_multiset_clear(t);
    return ok;
}

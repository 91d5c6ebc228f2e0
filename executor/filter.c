/* filter.c: see filter.h.
 * Rules:  a part has 2^k words of 64 bits; a hash has four bits, all in one word, so that a look costs one cache miss.
 * Memory: one block a part. */
#include "executor/filter.h"

#include <stdlib.h>

#include "core/arena.h"

enum { FIRST_WORDS = 1024, GROW = 4, HASHES_A_WORD = 5 };

struct wr_filter_part {
    struct wr_filter_part *older;
    uint64_t mask;    /* words - 1 */
    uint64_t n;
    uint64_t word[];
};

static uint64_t mix(uint32_t hash)
{
    uint64_t x = hash * UINT64_C(0x9E3779B97F4A7C15);
    x ^= x >> 32;
    x *= UINT64_C(0xD6E8FEB86659FD93);
    return x ^ x >> 32;
}

static uint64_t bits_of(uint64_t x)
{
    return UINT64_C(1) << (x & 63) | UINT64_C(1) << (x >> 6 & 63) | UINT64_C(1) << (x >> 12 & 63) | UINT64_C(1) << (x >> 18 & 63);
}

bool wr_filter_has(const struct wr_filter *f, uint32_t hash)
{
    uint64_t x = mix(hash), bits = bits_of(x);
    for (const struct wr_filter_part *p = f->newest; p; p = p->older)
        if ((p->word[x >> 24 & p->mask] & bits) == bits)
            return true;
    return false;
}

void wr_filter_add(struct wr_filter *f, uint32_t hash)
{
    if (wr_filter_has(f, hash))
        return;
    struct wr_filter_part *p = f->newest;
    if (!p || p->n > p->mask * HASHES_A_WORD) {
        uint64_t words = p ? (p->mask + 1) * GROW : FIRST_WORDS;
        size_t bytes = sizeof *p + words * sizeof p->word[0];
        struct wr_filter_part *more = wr_calloc(1, bytes);
        more->older = p;
        more->mask = words - 1;
        f->newest = p = more;
        f->bytes += bytes;
    }
    uint64_t x = mix(hash);
    p->word[x >> 24 & p->mask] |= bits_of(x);
    p->n++;
    f->n++;
}

void wr_filter_clear(struct wr_filter *f)
{
    for (struct wr_filter_part *p = f->newest, *older; p; p = older) {
        older = p->older;
        free(p);
    }
    *f = (struct wr_filter){0};
}

/* multiset.h: a hash map from byte keys (core/key.h) to a signed 64-bit number: how often a value is held, where nobody asks for an order. The multiset
 * behind DISTINCT; core/omap.h is the ordered one.
 *
 * - A number of 0 is no entry. Numbers may be negative: a value was taken back before it was added, as in a pre-aggregate that is merged later;
 *   adding multisets is thus commutative.
 * - A key that is one number (the 9 bytes of a BIGINT, a time, a DOUBLE) lies in the table itself, 16 bytes an entry; any other in a malloc of its own.
 * - What depends on order (saving, merging) goes through wr_multiset_sort: key order, never that of hashes or addresses.
 * Memory: malloc'd by the multiset, freed by wr_multiset_clear. {0} is a valid empty one. One owner thread. */
#ifndef WR_CORE_MULTISET_H
#define WR_CORE_MULTISET_H

#include "core/arena.h"
#include "core/buf.h"

struct wr_multiset_word { uint64_t key; int64_t num; };                               /* num 0: empty */
struct wr_multiset_text { uint8_t *key; int64_t num; uint32_t len, hash; };           /* key: ours; num 0: empty */
struct wr_multiset {
    struct wr_multiset_word *word; /* keys of one number */
    struct wr_multiset_text *text; /* all others */
    uint32_t n_word, cap_word;  /* entries; places, a power of two or 0 */
    uint32_t n_text, cap_text;
    size_t text_bytes;          /* of keys */
};

/* Adds delta to the key's number and returns the new number (0: the entry is gone). The key is copied. */
int64_t wr_multiset_add(struct wr_multiset *t, struct wr_str key, int64_t delta);
/* The same for the key of one 64-bit number, whose order-preserving form this is (wr_multiset_of_i64). */
int64_t wr_multiset_add_word(struct wr_multiset *t, uint64_t word, int64_t delta);
static inline uint64_t wr_multiset_of_i64(int64_t v) { return (uint64_t)v ^ UINT64_C(1) << 63; }
/* Starts the cache miss that wr_multiset_add_word will need. */
void wr_multiset_expect_word(const struct wr_multiset *t, uint64_t word);
int64_t wr_multiset_get(const struct wr_multiset *t, struct wr_str key); /* 0: no such key */
void wr_multiset_clear(struct wr_multiset *t);                           /* frees all; it is empty and usable */
size_t wr_multiset_heap(const struct wr_multiset *t);                    /* bytes allocated */
static inline uint64_t wr_multiset_n(const struct wr_multiset *t) { return (uint64_t)t->n_word + t->n_text; }

/* All entries in key order, in mem; keys are borrowed from mem and from the multiset. */
struct wr_multiset_item { struct wr_str key; int64_t num; };
struct wr_multiset_item *wr_multiset_sort(const struct wr_multiset *t, struct wr_arena *mem);

/* Bytes are those of a wr_omap with the same content. Load: into uninitialised memory; false: not a map, nothing is owned. */
void wr_multiset_save(const struct wr_multiset *t, struct wr_buf *out);
bool wr_multiset_load(struct wr_multiset *t, struct wr_str *in);

#endif

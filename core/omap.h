/* omap.h: an ordered map from byte keys (core/key.h's order-preserving form) to a signed 64-bit number.
 *
 * It is the retractable multiset behind min, max, percentiles and first/last: the number is how often a value is held (core/multiset.h: without an order).
 * - A number of 0 is no entry. Numbers may be negative: a value was taken back before it was added, as in a pre-aggregate that is merged
 *   later; adding maps is thus commutative.
 * - Order is memcmp, a prefix sorts first. Content and iteration depend on what was put in only, never on addresses or hashes.
 * - B+tree: 32 entries a leaf, sums of the numbers in the inner nodes, so that the k-th value is found in O(log n).
 *   A map of a few values is one small leaf.
 * Memory: malloc'd by the map, freed by wr_omap_clear; `heap` says how much. {0} is a valid empty map. One owner thread. */
#ifndef WR_CORE_OMAP_H
#define WR_CORE_OMAP_H

#include "core/buf.h"

struct wr_omap_node;
struct wr_omap {
    struct wr_omap_node *root; /* NULL: empty */
    int64_t total;             /* sum of all numbers */
    uint64_t n_key, n_neg;     /* entries; those with a negative number */
    size_t heap;               /* bytes allocated */
};

/* A place in a map; any change of the map makes it invalid. */
struct wr_omap_it {
    struct wr_omap_node *leaf; /* NULL: behind the end */
    uint32_t at;
};

/* Adds delta to the key's number and returns the new number (0: the entry is gone). The key is copied. */
int64_t wr_omap_add(struct wr_omap *m, struct wr_str key, int64_t delta);
int64_t wr_omap_get(const struct wr_omap *m, struct wr_str key); /* 0: no such key */
void wr_omap_clear(struct wr_omap *m);                           /* frees all; the map is empty and usable */
/* into += from, number by number. */
void wr_omap_merge(struct wr_omap *into, const struct wr_omap *from);

struct wr_omap_it wr_omap_first(const struct wr_omap *m);
struct wr_omap_it wr_omap_last(const struct wr_omap *m);
struct wr_omap_it wr_omap_seek(const struct wr_omap *m, struct wr_str key); /* first entry >= key */
void wr_omap_next(struct wr_omap_it *it);
void wr_omap_prev(struct wr_omap_it *it);
static inline bool wr_omap_valid(struct wr_omap_it it) { return it.leaf != NULL; }
struct wr_str wr_omap_key(struct wr_omap_it it); /* borrowed until the map changes */
int64_t wr_omap_num(struct wr_omap_it it);
/* First and last entry whose number is positive. */
struct wr_omap_it wr_omap_least(const struct wr_omap *m);
struct wr_omap_it wr_omap_greatest(const struct wr_omap *m);
/* The multiset's element number k from 0 in key order; entries with negative numbers do not count. Not valid if k is out of range. */
struct wr_omap_it wr_omap_nth(const struct wr_omap *m, int64_t k);
/* How many elements wr_omap_nth can reach: sum of the positive numbers. */
int64_t wr_omap_held(const struct wr_omap *m);

/* Bytes are independent of the history that led to the content. Load: into uninitialised memory; false: not a map, nothing is owned. */
void wr_omap_save(const struct wr_omap *m, struct wr_buf *out);
bool wr_omap_load(struct wr_omap *m, struct wr_str *in);
/* The saved form entry by entry: a varint that says how many, then each with a key greater than the last one's. What |number|s sum up to is bounded, so
 * that no sum over what was read overflows. */
void wr_omap_put(struct wr_buf *out, struct wr_str key, int64_t num);
struct wr_omap_saved { struct wr_str *in, last; uint64_t left, mass; bool first; }; /* left: entries still to be taken */
bool wr_omap_open(struct wr_omap_saved *s, struct wr_str *in);
bool wr_omap_take(struct wr_omap_saved *s, struct wr_str *key, int64_t *num); /* key: borrowed from the bytes */
/* Variable-length numbers, as the saved form uses them: 7 bits a byte, low first. Take: false if not one (in is then undefined). */
void wr_varint_put(struct wr_buf *out, uint64_t v);
bool wr_varint_take(struct wr_str *in, uint64_t *v);

#endif

/* key.h: rows' key columns as bytes, in two forms.
 * Order-preserving ("memcomparable"): memcmp of two encodings orders as ORDER BY does; used for sorted state and LMDB keys, and reversible.
 * Equal values have equal bytes (-0 reads back as 0), but for intervals: '1 mon' and '30 days' compare as equal and keep their own bytes.
 * Hash: 64 bits over the values; equal values of equal type hash equally (-0 and 0, NaNs, those intervals), and INTEGER as BIGINT. */
#ifndef WR_CORE_KEY_H
#define WR_CORE_KEY_H

#include "core/batch.h"

/* Appends the encoding of v[row]. First byte says NULL or not: nulls_first puts NULL below all values, else above.
 * desc inverts the order of values (not of NULL). Text: 0x00 is escaped, so that a prefix sorts first and fields do not run together. */
void wr_key_put(struct wr_buf *out, const struct wr_vec *v, uint32_t row, bool desc, bool nulls_first);
void wr_key_put_value(struct wr_buf *out, const struct wr_value *v, bool desc, bool nulls_first);
/* Reads one field back (same desc, nulls_first); text goes into mem. false: bytes are not an encoding. */
bool wr_key_take(struct wr_str *in, struct wr_type type, bool desc, bool nulls_first, struct wr_arena *mem, struct wr_value *out);
/* The same into row `row` of a vector of cap rows. */
bool wr_key_take_into(struct wr_str *in, bool desc, bool nulls_first, struct wr_vec *out, uint32_t row, uint32_t cap, struct wr_arena *mem);

/* hash[k] = hash of the key columns at row sel[k] (sel NULL: k). NULLs hash to a constant. seed: random per process for tables
 * (wr_hash_seed), 0 for routing rows to tasks, which must be the same in each run. */
void wr_hash_rows(const struct wr_batch *b, const int *col, int n_col, const uint32_t *sel, uint32_t n, uint64_t seed, uint64_t *hash);
uint64_t wr_hash_value(const struct wr_value *v, uint64_t seed); /* as wr_hash_rows with one column of one row (its hash is the next column's seed) */
uint64_t wr_hash_bytes(const void *p, size_t n, uint64_t seed);
uint64_t wr_hash_seed(void);

#endif

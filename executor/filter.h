/* filter.h: a set of hashes that may say yes too often and never no too often (a Bloom filter that grows): which keys can be on disk at all.
 *
 * About 1 in 100 says yes wrongly, at 10 bits a hash. It grows by a larger filter in front of the older ones, all of which are asked.
 * Memory: malloc'd by the filter, freed by wr_filter_clear. {0} is a valid empty filter. */
#ifndef WR_EXECUTOR_FILTER_H
#define WR_EXECUTOR_FILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct wr_filter_part;
struct wr_filter {
    struct wr_filter_part *newest; /* NULL: empty */
    uint64_t n;                    /* hashes added that were not there, as far as it knows */
    size_t bytes;
};

void wr_filter_add(struct wr_filter *f, uint32_t hash);
bool wr_filter_has(const struct wr_filter *f, uint32_t hash);
void wr_filter_clear(struct wr_filter *f);

#endif

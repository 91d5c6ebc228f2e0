/* made.h: what the sources that make up their rows (datagen, nexmark) share: chance without state, waiting for the next row's time. */
#ifndef WR_CONNECTORS_MADE_H
#define WR_CONNECTORS_MADE_H

#include "connectors/internal.h"

/* The finisher of splitmix64 (Steele, Lea and Flood): every bit of x changes half of the bits that come out. */
static inline uint64_t wr_made_mix(uint64_t x)
{
    x ^= x >> 30;
    x *= UINT64_C(0xBF58476D1CE4E5B9);
    x ^= x >> 27;
    x *= UINT64_C(0x94D049BB133111EB);
    return x ^ x >> 31;
}

/* 0 .. n-1, each equally often but for less than one in 2^64/n. */
static inline uint64_t wr_made_below(uint64_t x, uint64_t n)
{
    __extension__ typedef unsigned __int128 wide;
    return (uint64_t)((wide)x * n >> 64);
}

/* Sleeps until a row is due, but not longer than wait_ms and not when the job is to stop. until_due: µs from `now` (monotonic), <= 0: one is due. */
void wr_made_wait(int64_t (*until_due)(const void *source, int64_t now), const void *source, const atomic_bool *stop, int wait_ms);
/* An option's value is none that can be; wants: what it is, as the hint says it. */
wr_status wr_made_refuse(const struct wr_opts *opts, const char *name, const char *wants, struct wr_error *err);

#endif

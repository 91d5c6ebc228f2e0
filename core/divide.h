/* divide.h: division by a number that stays the same over many rows: one multiplication instead of the processor's division.
 *
 * With 2^(s-1) < d <= 2^s and M = floor(2^(63+s) / d) + 1, M / 2^(63+s) is above 1/d by at most 2^-(63+s). For |x| <= 2^63 the product is
 * then off by no more than 2^-s <= 1/d, which never carries a quotient over to the next whole number (x = -2^63 meets a limit exactly,
 * on the side that rounding to zero takes back). M fits into 64 bits for every d >= 2.  */
#ifndef WR_CORE_DIVIDE_H
#define WR_CORE_DIVIDE_H

#include "core/type.h"

struct wr_divisor {
    int64_t d;      /* >= 1 */
    uint64_t mul;   /* M; 0: d is 1 */
    int shift;      /* s - 1 */
};

static inline struct wr_divisor wr_divisor_of(int64_t d)
{
    struct wr_divisor v = {.d = d};
    if (d > 1) {
        int s = 64 - __builtin_clzll((uint64_t)d - 1);
        v.mul = (uint64_t)(((wr_u128)1 << (63 + s)) / (uint64_t)d + 1);
        v.shift = s - 1;
    }
    return v;
}
/* x / d, towards zero. */
static inline int64_t wr_divide(int64_t x, const struct wr_divisor *v)
{
    if (v->mul == 0)
        return x;
    int64_t neg = x >> 63;
    uint64_t high = (uint64_t)((wr_u128)v->mul * (uint64_t)x >> 64) - (v->mul & (uint64_t)neg); /* of the signed product */
    return ((int64_t)high >> v->shift) - neg;
}
/* The greatest multiple of d that is not above x. */
static inline int64_t wr_divide_down(int64_t x, const struct wr_divisor *v)
{
    int64_t rest = x - wr_divide(x, v) * v->d;
    return x - rest - ((rest >> 63) & v->d);
}

#endif

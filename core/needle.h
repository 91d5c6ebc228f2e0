/* needle.h: a column of text against one constant: equal to it, or beginning with it. */
#ifndef WR_CORE_NEEDLE_H
#define WR_CORE_NEEDLE_H

#include "core/str.h"

struct wr_needle {
    struct wr_str what;
    bool exact;     /* equal; else: begins with it */
    bool negate;    /* the rows for which that does not hold */
};
/* val[row] for the rows sel[0..n) (NULL: 0..n-1). */
void wr_needle_val(const struct wr_needle *w, const struct wr_str *s, uint8_t *val, const uint32_t *sel, uint32_t n);
/* pick[0..result) = the rows of sel for which it holds; pick may be sel. */
uint32_t wr_needle_pick(const struct wr_needle *w, const struct wr_str *s, uint32_t *pick, const uint32_t *sel, uint32_t n);

#endif

/* needle.c: a column of text against one constant text.
 * Rules:  up to 16 bytes are compared as two words that may overlap (first bytes, last bytes), without a call and without a branch a row:
 *         a text of the wrong length is replaced by the constant itself, whose answer is then masked out. Longer constants take memcmp. */
#include "core/needle.h"
#include "core/kernel.h"

/* How the constant is read: by its length. */
enum form { FORM_CALL, FORM_BYTES, FORM_4, FORM_8 };

static enum form form_of(uint32_t n)
{
    return n == 0 || n > 16 ? FORM_CALL : n < 4 ? FORM_BYTES : n < 8 ? FORM_4 : FORM_8;
}

WR_INLINE uint64_t word8(const char *p)
{
    uint64_t x;
    memcpy(&x, p, sizeof x);
    return x;
}
WR_INLINE uint64_t word4(const char *p)
{
    uint32_t x;
    memcpy(&x, p, sizeof x);
    return x;
}

/* First and last bytes of the n at p. */
WR_INLINE uint64_t first_of(enum form f, const char *p, uint32_t n)
{
    if (f == FORM_BYTES)
        return (uint64_t)(unsigned char)p[0] | (uint64_t)(unsigned char)p[n >> 1] << 8;
    return f == FORM_4 ? word4(p) : word8(p);
}
WR_INLINE uint64_t last_of(enum form f, const char *p, uint32_t n)
{
    if (f == FORM_BYTES)
        return (unsigned char)p[n - 1];
    return f == FORM_4 ? word4(p + n - 4) : word8(p + n - 8);
}

/* val NULL: rows are picked. */
WR_INLINE uint32_t scan(enum form f, const struct wr_needle *w, const struct wr_str *s, uint8_t *val, uint32_t *pick, const uint32_t *sel, uint32_t n)
{
    const char *what = w->what.p;
    const uint32_t len = w->what.n;
    const bool exact = w->exact, negate = w->negate;
    const uint64_t first = f == FORM_CALL ? 0 : first_of(f, what, len), last = f == FORM_CALL ? 0 : last_of(f, what, len);
    uint32_t m = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = sel ? sel[k] : k, have = s[row].n;
        bool fits = exact ? have == len : have >= len, hit;
        if (f == FORM_CALL) {
            hit = fits && (len == 0 || memcmp(s[row].p, what, len) == 0);
        } else {
            const char *p = fits ? s[row].p : what;
            hit = fits & (((first_of(f, p, len) ^ first) | (last_of(f, p, len) ^ last)) == 0);
        }
        if (val) {
            val[row] = hit != negate;
        } else {
            pick[m] = row;
            m += hit != negate;
        }
    }
    return m;
}

#define BY_FORM(val, pick, sel)                                            \
    switch (form_of(w->what.n)) {                                          \
    case FORM_CALL: return scan(FORM_CALL, w, s, val, pick, sel, n);       \
    case FORM_BYTES: return scan(FORM_BYTES, w, s, val, pick, sel, n);     \
    case FORM_4: return scan(FORM_4, w, s, val, pick, sel, n);             \
    case FORM_8: return scan(FORM_8, w, s, val, pick, sel, n);             \
    }                                                                      \
    return 0;

static uint32_t to_val(const struct wr_needle *w, const struct wr_str *s, uint8_t *val, const uint32_t *sel, uint32_t n)
{
    if (sel) {
        BY_FORM(val, NULL, sel)
    }
    BY_FORM(val, NULL, NULL)
}

void wr_needle_val(const struct wr_needle *w, const struct wr_str *s, uint8_t *val, const uint32_t *sel, uint32_t n)
{
    to_val(w, s, val, sel, n);
}

uint32_t wr_needle_pick(const struct wr_needle *w, const struct wr_str *s, uint32_t *pick, const uint32_t *sel, uint32_t n)
{
    if (sel) {
        BY_FORM(NULL, pick, sel)
    }
    BY_FORM(NULL, pick, NULL)
}

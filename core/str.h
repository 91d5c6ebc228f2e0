/* str.h: borrowed text. A wr_str never owns its bytes and promises no NUL at the end. */
#ifndef WR_CORE_STR_H
#define WR_CORE_STR_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct wr_str {
    const char *p; /* first byte; may be NULL only when n is 0 */
    uint32_t n;    /* bytes */
};

#define WR_STR(lit) ((struct wr_str){(lit), (uint32_t)(sizeof(lit) - 1)})
/* For printf: "%.*s", WR_FMT(s) */
#define WR_FMT(s) (int)(s).n, (s).p ? (s).p : ""

static inline struct wr_str wr_str_c(const char *z)
{
    return (struct wr_str){z, z ? (uint32_t)strlen(z) : 0};
}

static inline bool wr_str_eq(struct wr_str a, struct wr_str b)
{
    return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

static inline bool wr_str_eq_c(struct wr_str a, const char *z)
{
    return wr_str_eq(a, wr_str_c(z));
}

/* Bytewise order, as memcmp; a prefix sorts first. */
static inline int wr_str_cmp(struct wr_str a, struct wr_str b)
{
    uint32_t n = a.n < b.n ? a.n : b.n;
    int c = n ? memcmp(a.p, b.p, n) : 0;
    if (c)
        return c;
    return a.n < b.n ? -1 : a.n > b.n;
}

/* ASCII case-insensitive equality: keywords, option names, function names. */
bool wr_str_ieq(struct wr_str a, struct wr_str b);
bool wr_str_ieq_c(struct wr_str a, const char *z);
/* Copy without white space (ASCII) at both ends; borrows from s. */
struct wr_str wr_str_trim(struct wr_str s);
/* The candidate nearest to `word` by edit distance, or an empty string if none is near enough to suggest.
 * `cand` holds n strings; used for every "did you mean". */
struct wr_str wr_str_nearest(struct wr_str word, const struct wr_str *cand, int n);
/* True if s is well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, at most U+10FFFF). */
bool wr_utf8_valid(struct wr_str s);
/* Bytes of the first character of s; 0: s is empty or does not begin with a well-formed character. */
uint32_t wr_utf8_step(struct wr_str s);
uint32_t wr_utf8_chars(struct wr_str s); /* characters of valid UTF-8 */
/* Bytes of the first `chars` characters of valid UTF-8 (all of s if it has fewer). */
uint32_t wr_utf8_prefix(struct wr_str s, uint32_t chars);
/* Columns that valid UTF-8 takes on a terminal: 2 for East Asian wide characters and emoji, 0 for combining marks, else 1. */
uint32_t wr_utf8_width(struct wr_str s);

#endif

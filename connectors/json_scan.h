/* json_scan.h: walking JSON text strictly as RFC 8259 has it: strings, numbers, white space, skipping whole values.
 *
 * Invariant that the speed rests on: the text ends with '}' (end[-1] == '}'). No number, literal or run of white space goes past a '}', and
 * a string that does runs into `end` and is an error. So only strings look at `end`; all else may read *p for every p < end, and p can
 * reach `end` only by stepping over a '}'. Texts that do not end so are bad anyway; the decoder sorts them out on a copy with a '}' behind it.
 * Rules:   nothing here recurses. Functions that return a position return NULL on failure, with fail and where set.
 * Memory:  nothing is allocated; all positions point into the text. */
#ifndef WR_CONNECTORS_JSON_SCAN_H
#define WR_CONNECTORS_JSON_SCAN_H

#include "core/vec.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

enum { WR_JSON_DEPTH = 200 }; /* most objects and arrays inside one another */

struct wr_json {
    const char *begin, *end;  /* the text */
    enum wr_reason fail;      /* SYNTAX, UTF8 or DEPTH, once a function returned NULL */
    const char *where;        /* place of it */
};

/* What a string was seen to hold. */
enum { WR_JSON_ESCAPE = 1, WR_JSON_HIGH = 2 }; /* a backslash; a byte over 0x7F */

#define WR_JSON_COLD __attribute__((cold, noinline))
#define WR_LIKELY(x) __builtin_expect(!!(x), 1)
#define WR_UNLIKELY(x) __builtin_expect(!!(x), 0)

WR_JSON_COLD const char *wr_json_fail(struct wr_json *j, enum wr_reason reason, const char *where);

static inline uint64_t wr_load64(const char *p)
{
    uint64_t w;
    memcpy(&w, p, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    w = __builtin_bswap64(w);
#endif
    return w;
}

/* ---- strings ---- */

/* First quote, backslash or control byte of p[0..end), or end; sets WR_JSON_HIGH in *seen when a byte over 0x7F comes before it. */
static inline const char *wr_json_plain(const char *p, const char *end, unsigned *seen)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low7 = ones * 0x7F, tops = ones * 0x80;
    for (; end - p >= 8; p += 8) {
        uint64_t w = wr_load64(p), quote = w ^ ones * '"', slash = w ^ ones * '\\', ctrl = w & ones * 0xE0;
        /* a byte of x is 0 exactly where (x & 0x7F) + 0x7F and x both have their top bit clear */
        uint64_t hit = ~(((quote & low7) + low7) | quote) | ~(((slash & low7) + low7) | slash) |
                       ~(((ctrl & low7) + low7) | ctrl);
        hit &= tops;
        uint64_t high = w & tops;
        if (hit) {
            unsigned bit = (unsigned)__builtin_ctzll(hit);
            if (high & ((UINT64_C(1) << bit) - 1))
                *seen |= WR_JSON_HIGH;
            return p + bit / 8;
        }
        if (high)
            *seen |= WR_JSON_HIGH;
    }
    for (; p < end; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '"' || c == '\\' || c < 0x20)
            return p;
        if (c > 0x7F)
            *seen |= WR_JSON_HIGH;
    }
    return end;
}

/* First byte of p[0..end) that is a quote, a backslash, a control byte or over 0x7F, or end: how far text is plain ASCII. */
static inline const char *wr_json_ascii_swar(const char *p, const char *end)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), low7 = ones * 0x7F, tops = ones * 0x80;
    for (; end - p >= 8; p += 8) {
        uint64_t w = wr_load64(p), quote = w ^ ones * '"', slash = w ^ ones * '\\', ctrl = w & ones * 0xE0;
        uint64_t hit = ~(((quote & low7) + low7) | quote) | ~(((slash & low7) + low7) | slash) | ~(((ctrl & low7) + low7) | ctrl) | w;
        hit &= tops;
        if (hit)
            return p + (unsigned)__builtin_ctzll(hit) / 8;
    }
    while (p < end && *p != '"' && *p != '\\' && *p >= 0x20 && (unsigned char)*p < 0x80)
        p++;
    return p;
}

#if defined(__SSE2__)
/* The same, 16 bytes a step. begin: as much of the text as may be read before p, so that its last bytes can be taken in one load. */
static inline const char *wr_json_ascii_sse2(const char *begin, const char *p, const char *end)
{
    const __m128i quote = _mm_set1_epi8('"'), slash = _mm_set1_epi8('\\'), blank = _mm_set1_epi8(0x20);
    unsigned hit;
    for (; end - p >= 16; p += 16) {
        __m128i v = _mm_loadu_si128((const __m128i *)(const void *)p);
        /* signed: bytes over 0x7F are below the blank, too */
        __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmplt_epi8(v, blank));
        hit = (unsigned)_mm_movemask_epi8(special);
        if (hit)
            return p + __builtin_ctz(hit);
    }
    if (p == end || end - begin < 16)
        return wr_json_ascii_swar(p, end);
    /* the last 1..15 bytes together with those before them, whose bits are shifted out */
    __m128i v = _mm_loadu_si128((const __m128i *)(const void *)(end - 16));
    __m128i special = _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(v, quote), _mm_cmpeq_epi8(v, slash)), _mm_cmplt_epi8(v, blank));
    hit = (unsigned)_mm_movemask_epi8(special) >> (16 - (end - p));
    return hit ? p + __builtin_ctz(hit) : end;
}
#endif

static inline const char *wr_json_ascii(const struct wr_json *j, const char *p)
{
#if defined(__SSE2__)
    return wr_json_ascii_sse2(j->begin, p, j->end);
#else
    return wr_json_ascii_swar(p, j->end);
#endif
}

/* The rest of a string (its inside begins at `start`) from a byte that is not plain ASCII: escapes are checked, UTF-8 too. */
const char *wr_json_string_rest(struct wr_json *j, const char *start, const char *p, unsigned *seen);

/* p: behind the opening quote. Returns the closing quote. */
static inline const char *wr_json_string(struct wr_json *j, const char *p, unsigned *seen)
{
    *seen = 0;
    const char *q = wr_json_ascii(j, p);
    if (WR_LIKELY(q < j->end && *q == '"'))
        return q;
    return wr_json_string_rest(j, p, q, seen);
}

/* Text of a checked string's inside without its escapes; to: room for s.n bytes. false: half a surrogate pair, or U+0000 (which no text may hold). */
bool wr_json_unescape(struct wr_str s, char *to, uint32_t *n);

/* ---- white space, numbers, values ---- */

static inline bool wr_json_is_space(char c)
{
    return c == ' ' || c == '\n' || c == '\t' || c == '\r';
}

static inline const char *wr_json_space(const char *p)
{
    while (wr_json_is_space(*p))
        p++;
    return p;
}

/* Up to 8 digits at once. p < end; bytes past end count as no digits. Needs end - begin >= 8. */
static inline uint64_t wr_json_load_digits(const char *p, const char *end)
{
    uint64_t w = end - p >= 8 ? wr_load64(p) : wr_load64(end - 8) >> (8 * (8 - (end - p)));
    return w ^ UINT64_C(0x3030303030303030);
}

/* How many of the 8 bytes, from the first, are digits. */
static inline unsigned wr_json_count_digits(uint64_t w)
{
    uint64_t other = ((w + UINT64_C(0x0606060606060606)) | w) & UINT64_C(0xF0F0F0F0F0F0F0F0);
    return other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
}

/* Value of the first n (0..8) digits of w. */
static inline uint32_t wr_json_sum_digits(uint64_t w, unsigned n)
{
    if (n == 0)
        return 0;
    w <<= 8 * (8 - n); /* the bytes shifted in stand for leading zeros */
    w = w * 10 + (w >> 8);
    return (uint32_t)((((w & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x000F424000000064)) +
                       (((w >> 16) & UINT64_C(0x000000FF000000FF)) * UINT64_C(0x0000271000000001))) >>
                      32);
}

/* Checks a number's form; returns its end. */
const char *wr_json_number(struct wr_json *j, const char *p);
/* Checks true, false or null. */
const char *wr_json_literal(struct wr_json *j, const char *p);
/* Steps over one value of any kind, checking all of it. depth: how many objects and arrays are open around it; if there are any, the place
 * returned is before `end`, else it may be `end`. */
const char *wr_json_skip(struct wr_json *j, const char *p, int depth);

#endif

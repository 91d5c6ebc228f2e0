/* str.c: comparing, trimming and checking borrowed text; the nearest name for "did you mean".
 * Rules:  case means ASCII case; no locale anywhere.
 * Memory: nothing is allocated. */
#include "core/str.h"

static unsigned char lower(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c);
}

bool wr_str_ieq(struct wr_str a, struct wr_str b)
{
    if (a.n != b.n)
        return false;
    for (uint32_t i = 0; i < a.n; i++)
        if (lower(a.p[i]) != lower(b.p[i]))
            return false;
    return true;
}

bool wr_str_ieq_c(struct wr_str a, const char *z)
{
    return wr_str_ieq(a, wr_str_c(z));
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

struct wr_str wr_str_trim(struct wr_str s)
{
    while (s.n && is_blank(s.p[0])) {
        s.p++;
        s.n--;
    }
    while (s.n && is_blank(s.p[s.n - 1]))
        s.n--;
    return s;
}

enum { NEAR_MAX = 64 }; /* longer names are not compared */

static uint32_t min3(uint32_t a, uint32_t b, uint32_t c)
{
    uint32_t m = a < b ? a : b;
    return m < c ? m : c;
}

/* Insertions, deletions, changes and swaps of neighbours that turn a into b (Damerau-Levenshtein, no piece changed twice), case aside. */
static uint32_t distance(struct wr_str a, struct wr_str b)
{
    uint32_t row[3][NEAR_MAX + 1]; /* rows i-2, i-1, i of the table, by turns */
    for (uint32_t j = 0; j <= b.n; j++)
        row[0][j] = j;
    for (uint32_t i = 1; i <= a.n; i++) {
        uint32_t *at = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        at[0] = i;
        for (uint32_t j = 1; j <= b.n; j++) {
            unsigned char x = lower(a.p[i - 1]), y = lower(b.p[j - 1]);
            at[j] = min3(up[j] + 1, at[j - 1] + 1, up[j - 1] + (x != y));
            bool swapped = i > 1 && j > 1 && x == lower(b.p[j - 2]) && y == lower(a.p[i - 2]);
            if (swapped && up2[j - 2] + 1 < at[j])
                at[j] = up2[j - 2] + 1;
        }
    }
    return row[a.n % 3][b.n];
}

struct wr_str wr_str_nearest(struct wr_str word, const struct wr_str *cand, int n)
{
    struct wr_str best = {NULL, 0};
    if (word.n == 0 || word.n > NEAR_MAX)
        return best;
    uint32_t limit = word.n / 3 < 2 ? 2 : word.n / 3;
    if (limit >= word.n)
        limit = word.n - 1; /* a word with every letter changed is no suggestion */
    uint32_t best_d = limit + 1;
    for (int i = 0; i < n; i++) {
        if (cand[i].n == 0 || cand[i].n > NEAR_MAX)
            continue;
        uint32_t d = distance(word, cand[i]);
        if (d < best_d) {
            best_d = d;
            best = cand[i];
        }
    }
    return best;
}

/* Length of the well-formed character at p (at least one byte before end), 0: not well-formed. RFC 3629 §4 lists exactly these ranges. */
static uint32_t utf8_char(const unsigned char *p, const unsigned char *end)
{
    unsigned char c = p[0];
    if (c < 0x80)
        return 1;
    if (c < 0xC2 || c > 0xF4)
        return 0;
    uint32_t n = c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
    if ((size_t)(end - p) < n)
        return 0;
    unsigned char lo = c == 0xE0 ? 0xA0 : c == 0xF0 ? 0x90 : 0x80;
    unsigned char hi = c == 0xED ? 0x9F : c == 0xF4 ? 0x8F : 0xBF;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (uint32_t i = 2; i < n; i++)
        if ((p[i] & 0xC0) != 0x80)
            return 0;
    return n;
}

bool wr_utf8_valid(struct wr_str s)
{
    if (s.n == 0)
        return true;
    const unsigned char *p = (const unsigned char *)s.p, *end = p + s.n;
    while (p < end) {
        while (end - p >= 8) { /* most text is ASCII: eight bytes a step */
            uint64_t w;
            memcpy(&w, p, 8);
            if (w & UINT64_C(0x8080808080808080))
                break;
            p += 8;
        }
        if (p == end)
            break;
        uint32_t n = utf8_char(p, end);
        if (!n)
            return false;
        p += n;
    }
    return true;
}

uint32_t wr_utf8_step(struct wr_str s)
{
    return s.n ? utf8_char((const unsigned char *)s.p, (const unsigned char *)s.p + s.n) : 0;
}

uint32_t wr_utf8_chars(struct wr_str s)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.p[i] & 0xC0) != 0x80;
    return n;
}

uint32_t wr_utf8_prefix(struct wr_str s, uint32_t chars)
{
    if (s.n <= chars)
        return s.n;
    uint32_t i = 0;
    for (; i < s.n; i++) {
        if (((unsigned char)s.p[i] & 0xC0) == 0x80)
            continue;
        if (chars-- == 0)
            break;
    }
    return i;
}

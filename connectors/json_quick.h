/* json_quick.h: the short ways from a JSON value into a column, for the forms that nearly all values have.
 * Rules:  each returns the place behind the value, or NULL: not of that form (or bad), nothing is done, json_value.c's general way decides.
 *         What the general way would make of the value is exactly what the short way makes of it; the tests compare them.
 * Memory: text borrows from the record. */
#ifndef WR_CONNECTORS_JSON_QUICK_H
#define WR_CONNECTORS_JSON_QUICK_H

#include "connectors/json_decode.h"

static const uint64_t wr_quick_pow10[20] = {
    UINT64_C(1), UINT64_C(10), UINT64_C(100), UINT64_C(1000), UINT64_C(10000), UINT64_C(100000), UINT64_C(1000000),
    UINT64_C(10000000), UINT64_C(100000000), UINT64_C(1000000000), UINT64_C(10000000000), UINT64_C(100000000000),
    UINT64_C(1000000000000), UINT64_C(10000000000000), UINT64_C(100000000000000), UINT64_C(1000000000000000),
    UINT64_C(10000000000000000), UINT64_C(100000000000000000), UINT64_C(1000000000000000000), UINT64_C(10000000000000000000),
};

/* A string without escapes, all ASCII. */
static inline const char *wr_quick_text(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    if (*p != '"')
        return NULL;
    const char *q = wr_json_ascii(&d->j, p + 1);
    if (q == d->j.end || *q != '"')
        return NULL;
    WR_VEC_STR(wr_json_cell(d, c))[d->row] = (struct wr_str){p + 1, (uint32_t)(q - p - 1)};
    return q + 1;
}

/* Digits of p, with at most one point between them, together at most 16: *m is the number without its point, *frac how many digits stood
 * behind it. Returns the place behind; NULL: another form. The usual one, in which all of it lies in 8 bytes, takes one step: the point
 * is cut out and the digits of both sides are summed up at once. */
static inline const char *wr_quick_number(const struct wr_json *j, const char *p, uint64_t *m, unsigned *frac)
{
    if (j->end - j->begin < 8)
        return NULL;
    uint64_t w = wr_json_load_digits(p, j->end), other = ((w + UINT64_C(0x0606060606060606)) | w) & UINT64_C(0xF0F0F0F0F0F0F0F0);
    unsigned n = other ? (unsigned)__builtin_ctzll(other) / 8 : 8;
    if (n == 0 || ((w & 0xFF) == 0 && n > 1)) /* no digit; a leading zero */
        return NULL;
    *frac = 0;
    if (n < 8 && p[n] != '.') {
        *m = wr_json_sum_digits(w, n);
        return (p[n] | 0x20) == 'e' ? NULL : p + n;
    }
    if (n < 7 && other >> (8 * n + 8)) { /* the end of the fraction is in sight */
        unsigned k = (unsigned)__builtin_ctzll(other >> (8 * n + 8)) / 8;
        uint64_t whole = w & ((UINT64_C(1) << (8 * n)) - 1), fraction = w >> (8 * n + 8) << (8 * n);
        *m = wr_json_sum_digits(whole | fraction, n + k);
        *frac = k;
        p += n + 1 + k;
        return k == 0 || (*p | 0x20) == 'e' ? NULL : p;
    }
    *m = wr_json_sum_digits(w, n);
    p += n;
    if (n == 8) {
        w = wr_json_load_digits(p, j->end);
        n = wr_json_count_digits(w);
        *m = *m * wr_quick_pow10[n] + wr_json_sum_digits(w, n);
        p += n;
        if (n == 8)
            return NULL;
    }
    if (*p == '.') {
        w = wr_json_load_digits(p + 1, j->end);
        n = wr_json_count_digits(w);
        if (n == 0 || n == 8 || *m >= UINT64_C(100000000000))
            return NULL;
        *m = *m * wr_quick_pow10[n] + wr_json_sum_digits(w, n);
        *frac = n;
        p += 1 + n;
    }
    return (*p | 0x20) == 'e' ? NULL : p;
}

static inline const char *wr_quick_int(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    uint64_t m;
    unsigned frac;
    bool neg = *p == '-';
    p = wr_quick_number(&d->j, p + neg, &m, &frac);
    if (!p || frac)
        return NULL;
    int64_t i = neg ? -(int64_t)m : (int64_t)m;
    if (c->type.id == WR_T_INT && i != (int32_t)i)
        return NULL;
    WR_VEC_I64(wr_json_cell(d, c))[d->row] = i;
    return p;
}

static inline const char *wr_quick_decimal(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    uint64_t m;
    unsigned frac;
    bool neg = *p == '-';
    p = wr_quick_number(&d->j, p + neg, &m, &frac);
    if (!p || frac > c->type.scale || c->type.scale - frac >= 20)
        return NULL;
    wr_i128 v = (wr_i128)((wr_u128)m * wr_quick_pow10[c->type.scale - frac]);
    if (v >= c->bound)
        return NULL;
    WR_VEC_I128(wr_json_cell(d, c))[d->row] = neg ? -v : v;
    return p;
}

/* Both numbers are exact doubles, so their quotient is the nearest one. */
static inline const char *wr_quick_double(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    uint64_t m;
    unsigned frac;
    bool neg = *p == '-';
    p = wr_quick_number(&d->j, p + neg, &m, &frac);
    if (!p || m > UINT64_C(1) << 53)
        return NULL;
    double v = (double)m / (double)wr_quick_pow10[frac];
    WR_VEC_F64(wr_json_cell(d, c))[d->row] = neg ? -v : v;
    return p;
}

/* "YYYY-MM-DDTHH:MM:SS" (p: behind the quote), with up to 6 digits of fraction and Z. Most records of a stream are of the same day: the
 * day is worked out when it changes. */
static inline const char *wr_quick_iso(struct wr_jdec *d, const char *p, int64_t *us)
{
    const uint64_t zero = UINT64_C(0x30303A30303A3030), digit = UINT64_C(0xF0F0FFF0F0FFF0F0), six = UINT64_C(0x0606000606000606);
    if (d->j.end - p < 21 || (p[10] != 'T' && p[10] != ' '))
        return NULL;
    uint64_t t = wr_load64(p + 11) ^ zero; /* HH:MM:SS: digits become 0..9, colons 0 */
    if (((t + six) | t) & digit)
        return NULL;
    t = t * 10 + (t >> 8);
    unsigned hour = t & 0xFF, minute = (t >> 24) & 0xFF, second = (t >> 48) & 0xFF;
    if (hour > 23 || minute > 59 || second > 59)
        return NULL;
    uint16_t rest;
    memcpy(&rest, p + 8, 2);
    if (WR_UNLIKELY(wr_load64(p) != d->day_text || rest != d->day_rest) && !wr_json_learn_day(d, p))
        return NULL;
    *us = d->day_us + (int64_t)((hour * 60 + minute) * 60 + second) * WR_US_SEC;
    p += 19;
    if (*p == '.') {
        uint64_t w = wr_json_load_digits(p + 1, d->j.end);
        unsigned n = wr_json_count_digits(w);
        if (n == 0 || n > 6)
            return NULL;
        *us += (int64_t)(wr_json_sum_digits(w, n) * wr_quick_pow10[6 - n]);
        p += 1 + n;
    }
    p += *p == 'Z';
    return *p == '"' ? p + 1 : NULL;
}

static inline const char *wr_quick_time(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    int64_t us;
    uint64_t m;
    unsigned frac;
    if (WR_LIKELY(*p == '"')) {
        p = wr_quick_iso(d, p + 1, &us);
        if (!p)
            return NULL;
    } else {
        p = wr_quick_number(&d->j, p, &m, &frac);
        if (!p || frac || d->ts_nanos || m > (uint64_t)WR_TIME_MAX / wr_quick_pow10[d->ts_scale])
            return NULL;
        us = (int64_t)(m * wr_quick_pow10[d->ts_scale]);
    }
    WR_VEC_I64(wr_json_cell(d, c))[d->row] = us;
    return p;
}

static inline const char *wr_quick_store(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    const char *end = NULL;
    switch (c->quick) {
    case WR_QUICK_TEXT: end = wr_quick_text(d, c, p); break;
    case WR_QUICK_DECIMAL: end = wr_quick_decimal(d, c, p); break;
    case WR_QUICK_TIME: end = wr_quick_time(d, c, p); break;
    case WR_QUICK_INT: end = wr_quick_int(d, c, p); break;
    case WR_QUICK_DOUBLE: end = wr_quick_double(d, c, p); break;
    case WR_QUICK_NONE: break;
    }
    return WR_LIKELY(end != NULL) ? end : c->store(d, c, p);
}

#endif

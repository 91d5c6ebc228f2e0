/* key.c: values as order-preserving bytes and back; hashing of key columns.
 *
 * Rules:  a field is one byte for NULL or not, then the value: integers big-endian with the sign bit turned over; doubles by their bits, with the
 *         bits of negative ones turned over, one NaN and one zero; text with 00 as 00 FF, closed by 00 00; intervals by length, then by their
 *         parts, so that they can be read back; nested values member by member, each behind a byte 01, closed by 00. For DESC every byte
 *         behind the first is turned over.
 *         Hashing goes column by column; the hash so far is the seed of the next column. What compares as equal hashes alike.
 * Memory: encodings are appended to the caller's buffer; texts read back are placed in the caller's arena. */
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "core/key.h"
#include "core/nested.h"

#include <math.h>
#include <stdatomic.h>
#include <sys/random.h>

/* ---- writing */

static void put_u64(struct wr_buf *out, uint64_t v)
{
    v = __builtin_bswap64(v);
    wr_buf_add(out, &v, sizeof v);
}

static uint64_t order_i64(int64_t v)
{
    return (uint64_t)v ^ UINT64_C(1) << 63;
}

/* One representative of zeros and of NaNs: equal values have equal bits. */
static uint64_t double_bits(double d)
{
    uint64_t bits;
    d = d == 0 ? 0.0 : isnan(d) ? (double)NAN : d;
    memcpy(&bits, &d, sizeof bits);
    return isnan(d) ? UINT64_C(0x7FF8000000000000) : bits;
}

static uint64_t order_double(double d)
{
    uint64_t bits = double_bits(d);
    return bits >> 63 ? ~bits : bits ^ UINT64_C(1) << 63;
}

static void put_i128(struct wr_buf *out, wr_i128 v)
{
    put_u64(out, order_i64((int64_t)(v >> 64)));
    put_u64(out, (uint64_t)v);
}

static void put_text(struct wr_buf *out, struct wr_str s)
{
    const char *p = s.p, *end = s.n ? s.p + s.n : s.p;
    while (p < end) {
        const char *zero = memchr(p, 0, (size_t)(end - p));
        const char *to = zero ? zero + 1 : end;
        wr_buf_add(out, p, (size_t)(to - p));
        if (zero)
            wr_buf_putc(out, (char)0xFF);
        p = to;
    }
    wr_buf_add(out, "\0", 2);
}

static void put_value(struct wr_buf *out, const struct wr_value *v);

static void put_nested(struct wr_buf *out, const struct wr_value *v)
{
    struct wr_nested_iter it;
    struct wr_value member;
    if (wr_nested_iter(&it, v->type, v->as.s)) {
        while (wr_nested_next(&it, &member)) {
            wr_buf_putc(out, 1);
            wr_buf_putc(out, member.null ? 2 : 1); /* NULL above all values, as wr_nested_cmp has it */
            if (!member.null)
                put_value(out, &member);
        }
    }
    wr_buf_putc(out, 0);
}

static void put_value(struct wr_buf *out, const struct wr_value *v)
{
    switch (wr_type_phys((enum wr_tid)v->type.id)) {
    case WR_P_I8: wr_buf_u8(out, v->as.b); return;
    case WR_P_I64: put_u64(out, order_i64(v->as.i)); return;
    case WR_P_F64: put_u64(out, order_double(v->as.d)); return;
    case WR_P_I128: put_i128(out, v->as.dec); return;
    case WR_P_STR:
        if (v->type.sub)
            put_nested(out, v);
        else
            put_text(out, v->as.s);
        return;
    case WR_P_IVL:
        put_i128(out, wr_interval_span(v->as.iv));
        put_u64(out, order_i64(v->as.iv.months));
        put_u64(out, order_i64(v->as.iv.days));
        return;
    }
}

void wr_key_put_value(struct wr_buf *out, const struct wr_value *v, bool desc, bool nulls_first)
{
    wr_buf_putc(out, v->null ? (nulls_first ? 0 : 2) : 1);
    if (v->null)
        return;
    size_t from = out->n;
    put_value(out, v);
    if (desc)
        for (size_t i = from; i < out->n; i++)
            out->p[i] = (char)~out->p[i];
}

void wr_key_put(struct wr_buf *out, const struct wr_vec *v, uint32_t row, bool desc, bool nulls_first)
{
    enum wr_phys phys = wr_type_phys((enum wr_tid)v->type.id);
    if (phys == WR_P_I64 && !wr_vec_null(v, row)) {
        uint64_t x = __builtin_bswap64(order_i64(WR_VEC_I64(v)[wr_vec_at(v, row)]));
        char field[9] = {1};
        x = desc ? ~x : x;
        memcpy(field + 1, &x, sizeof x);
        wr_buf_add(out, field, sizeof field);
        return;
    }
    if (phys == WR_P_STR && !v->type.sub && !desc && !wr_vec_null(v, row)) {
        wr_buf_putc(out, 1);
        put_text(out, WR_VEC_STR(v)[wr_vec_at(v, row)]);
        return;
    }
    struct wr_value val = wr_vec_get(v, row);
    wr_key_put_value(out, &val, desc, nulls_first);
}

/* ---- reading; `flip` is 0xFF for DESC */

static bool take_byte(struct wr_str *in, unsigned char flip, unsigned char *v)
{
    if (in->n == 0)
        return false;
    *v = (unsigned char)*in->p ^ flip;
    in->p++;
    in->n--;
    return true;
}

static bool take_u64(struct wr_str *in, unsigned char flip, uint64_t *v)
{
    if (!wr_take_bytes(in, v, sizeof *v))
        return false;
    *v = __builtin_bswap64(*v);
    if (flip)
        *v = ~*v;
    return true;
}

static bool take_i64(struct wr_str *in, unsigned char flip, int64_t *v)
{
    uint64_t u;
    if (!take_u64(in, flip, &u))
        return false;
    *v = (int64_t)(u ^ UINT64_C(1) << 63);
    return true;
}

static bool take_double(struct wr_str *in, unsigned char flip, double *d)
{
    uint64_t bits;
    if (!take_u64(in, flip, &bits))
        return false;
    bits = bits >> 63 ? bits ^ UINT64_C(1) << 63 : ~bits;
    memcpy(d, &bits, sizeof *d);
    return true;
}

static bool take_i128(struct wr_str *in, unsigned char flip, wr_i128 *v)
{
    int64_t high;
    uint64_t low;
    if (!take_i64(in, flip, &high) || !take_u64(in, flip, &low))
        return false;
    *v = (wr_i128)((wr_u128)(uint64_t)high << 64 | low);
    return true;
}

/* A text without zero bytes, which is nearly every one, is copied whole. false: it has some, or is damaged. */
static bool take_plain(struct wr_str *in, unsigned char flip, struct wr_arena *mem, struct wr_str *out)
{
    const char *end = in->n ? memchr(in->p, flip, in->n) : NULL;
    uint32_t n = end ? (uint32_t)(end - in->p) : 0;
    if (!end || in->n - n < 2 || (unsigned char)end[1] != flip)
        return false;
    char *to = wr_arena_bytes(mem, (size_t)n + 1);
    for (uint32_t i = 0; flip && i < n; i++)
        to[i] = (char)((unsigned char)in->p[i] ^ flip);
    if (!flip)
        memcpy(to, in->p, n);
    to[n] = 0;
    *out = (struct wr_str){to, n};
    in->p += n + 2;
    in->n -= n + 2;
    return true;
}

/* Two passes: length first, so that the text takes no more room than it needs. */
static bool take_text(struct wr_str *in, unsigned char flip, struct wr_arena *mem, struct wr_str *out)
{
    if (take_plain(in, flip, mem, out))
        return true;
    uint32_t at = 0, n = 0;
    for (;;) {
        if (in->n - at < 1)
            return false;
        unsigned char c = (unsigned char)in->p[at++] ^ flip;
        if (c) {
            n++;
            continue;
        }
        if (in->n - at < 1)
            return false;
        c = (unsigned char)in->p[at++] ^ flip;
        if (c == 0)
            break;
        if (c != 0xFF)
            return false;
        n++;
    }
    char *to = wr_arena_bytes(mem, (size_t)n + 1);
    *out = (struct wr_str){to, n};
    for (uint32_t i = 0; i + 2 < at; i++) {
        *to = (char)((unsigned char)in->p[i] ^ flip);
        i += *to++ == 0;
    }
    *to = 0;
    in->p += at;
    in->n -= at;
    return true;
}

static bool take_value(struct wr_str *in, unsigned char flip, struct wr_arena *mem, struct wr_value *out);

static bool take_member(struct wr_str *in, unsigned char flip, struct wr_arena *mem, struct wr_value *out)
{
    unsigned char mark;
    if (!take_byte(in, flip, &mark) || mark < 1 || mark > 2)
        return false;
    out->null = mark == 2;
    return out->null || take_value(in, flip, mem, out);
}

static bool take_nested(struct wr_str *in, unsigned char flip, struct wr_arena *mem, struct wr_value *out)
{
    struct wr_buf bytes = WR_BUF_INIT(0);
    struct wr_nested_maker m;
    bool ok = false, row = out->type.id == WR_T_ROW;
    wr_nested_open(&m, &bytes);
    for (;;) {
        unsigned char more;
        if (!take_byte(in, flip, &more) || more > 1)
            break;
        if (!more) {
            ok = !row || m.n == (uint32_t)out->type.sub->n;
            break;
        }
        if (row && m.n == (uint32_t)out->type.sub->n)
            break;
        struct wr_value member;
        memset(&member, 0, sizeof member);
        member.type = out->type.sub->field[row ? m.n : 0].type;
        if (!take_member(in, flip, mem, &member))
            break;
        wr_nested_put(&m, &member);
    }
    wr_nested_close(&m);
    ok = ok && !bytes.overflow;
    if (ok)
        out->as.s = wr_arena_str(mem, wr_buf_get(&bytes));
    wr_buf_clear(&bytes);
    return ok;
}

static bool take_interval(struct wr_str *in, unsigned char flip, struct wr_interval *iv)
{
    wr_i128 span;
    int64_t months, days;
    if (!take_i128(in, flip, &span) || !take_i64(in, flip, &months) || !take_i64(in, flip, &days))
        return false;
    if (months < INT32_MIN || months > INT32_MAX || days < INT32_MIN || days > INT32_MAX)
        return false;
    *iv = (struct wr_interval){.days = (int32_t)days, .months = (int32_t)months};
    if (__builtin_sub_overflow(span, wr_interval_span(*iv), &span))
        return false; /* damaged bytes */
    iv->us = (int64_t)span;
    return span >= INT64_MIN && span <= INT64_MAX;
}

static bool take_value(struct wr_str *in, unsigned char flip, struct wr_arena *mem, struct wr_value *out)
{
    switch (wr_type_phys((enum wr_tid)out->type.id)) {
    case WR_P_I8: return take_byte(in, flip, &out->as.b);
    case WR_P_I64: return take_i64(in, flip, &out->as.i);
    case WR_P_F64: return take_double(in, flip, &out->as.d);
    case WR_P_I128: return take_i128(in, flip, &out->as.dec);
    case WR_P_STR: return out->type.sub ? take_nested(in, flip, mem, out) : take_text(in, flip, mem, &out->as.s);
    case WR_P_IVL: return take_interval(in, flip, &out->as.iv);
    }
    return false;
}

bool wr_key_take(struct wr_str *in, struct wr_type type, bool desc, bool nulls_first, struct wr_arena *mem, struct wr_value *out)
{
    unsigned char mark;
    memset(out, 0, sizeof *out);
    out->type = type;
    if (!take_byte(in, 0, &mark))
        return false;
    out->null = mark == (nulls_first ? 0 : 2);
    if (out->null)
        return true;
    return mark == 1 && take_value(in, desc ? 0xFF : 0, mem, out);
}

bool wr_key_take_into(struct wr_str *in, bool desc, bool nulls_first, struct wr_vec *out, uint32_t row, uint32_t cap, struct wr_arena *mem)
{
    enum wr_phys phys = wr_type_phys((enum wr_tid)out->type.id);
    unsigned char flip = desc ? 0xFF : 0;
    bool plain = in->n > 0 && *in->p == 1 && (phys == WR_P_I64 || (phys == WR_P_STR && !out->type.sub));
    if (!plain) {
        struct wr_value v;
        if (!wr_key_take(in, out->type, desc, nulls_first, mem, &v))
            return false;
        wr_vec_set(out, row, &v, cap, mem);
        return true;
    }
    in->p++;
    in->n--;
    if (out->nulls)
        out->nulls[row] = 0;
    return phys == WR_P_I64 ? take_i64(in, flip, &WR_VEC_I64(out)[row]) : take_text(in, flip, mem, &WR_VEC_STR(out)[row]);
}

/* ---- hashing */

uint64_t wr_hash_bytes(const void *p, size_t n, uint64_t seed)
{
    return XXH3_64bits_withSeed(p, n, seed);
}

static inline uint64_t hash_u64(uint64_t v, uint64_t seed)
{
    return XXH3_64bits_withSeed(&v, sizeof v, seed);
}

static inline uint64_t hash_null(uint64_t seed)
{
    return hash_u64(UINT64_C(0x9E3779B97F4A7C15), ~seed);
}

static inline uint64_t hash_str(struct wr_str s, uint64_t seed)
{
    return XXH3_64bits_withSeed(s.n ? s.p : "", s.n, seed);
}

static uint64_t hash_i128(wr_i128 v, uint64_t seed)
{
    return XXH3_64bits_withSeed(&v, sizeof v, seed);
}

static uint64_t hash_nested(struct wr_type type, struct wr_str bytes, uint64_t seed);

static uint64_t hash_value(const struct wr_value *v, uint64_t seed)
{
    if (v->null)
        return hash_null(seed);
    switch (wr_type_phys((enum wr_tid)v->type.id)) {
    case WR_P_I8: return hash_u64(v->as.b, seed);
    case WR_P_I64: return hash_u64((uint64_t)v->as.i, seed);
    case WR_P_F64: return hash_u64(double_bits(v->as.d), seed);
    case WR_P_I128: return hash_i128(v->as.dec, seed);
    case WR_P_STR: return v->type.sub ? hash_nested(v->type, v->as.s, seed) : hash_str(v->as.s, seed);
    case WR_P_IVL: return hash_i128(wr_interval_span(v->as.iv), seed);
    }
    return seed;
}

/* Member by member and the count, so that what wr_nested_cmp calls equal hashes alike. */
static uint64_t hash_nested(struct wr_type type, struct wr_str bytes, uint64_t seed)
{
    struct wr_nested_iter it;
    struct wr_value member;
    if (!wr_nested_iter(&it, type, bytes))
        return hash_str(bytes, seed);
    while (wr_nested_next(&it, &member))
        seed = hash_value(&member, seed);
    return hash_u64(it.i, seed);
}

uint64_t wr_hash_value(const struct wr_value *v, uint64_t seed)
{
    return hash_value(v, seed);
}

/* Mixes one column into hash[0..n). The shape of the loop (NULLs or not, selection or not) is settled before it. */
#define HASH_ROW(one)                                              \
    do {                                                           \
        uint64_t seed = hash[k];                                   \
        hash[k] = nulls && nulls[row] ? hash_null(seed) : (one);   \
    } while (0)
#define HASH_LOOP(one)                                             \
    do {                                                           \
        if (sel && !nulls)                                         \
            for (uint32_t k = 0; k < n; k++) {                     \
                uint32_t row = sel[k];                             \
                uint64_t seed = hash[k];                           \
                hash[k] = (one);                                   \
            }                                                      \
        else if (!nulls)                                           \
            for (uint32_t k = 0; k < n; k++) {                     \
                uint32_t row = k;                                  \
                uint64_t seed = hash[k];                           \
                hash[k] = (one);                                   \
            }                                                      \
        else                                                       \
            for (uint32_t k = 0; k < n; k++) {                     \
                uint32_t row = sel ? sel[k] : k;                   \
                HASH_ROW(one);                                     \
            }                                                      \
    } while (0)

static void hash_column(const struct wr_vec *v, const uint32_t *sel, uint32_t n, uint64_t *hash)
{
    const uint8_t *nulls = v->nulls;
    switch (wr_type_phys((enum wr_tid)v->type.id)) {
    case WR_P_I8: {
        const uint8_t *x = v->data;
        HASH_LOOP(hash_u64(x[row], seed));
        return;
    }
    case WR_P_I64: {
        const int64_t *x = v->data;
        HASH_LOOP(hash_u64((uint64_t)x[row], seed));
        return;
    }
    case WR_P_F64: {
        const double *x = v->data;
        HASH_LOOP(hash_u64(double_bits(x[row]), seed));
        return;
    }
    case WR_P_I128: {
        const wr_i128 *x = v->data;
        HASH_LOOP(hash_i128(x[row], seed));
        return;
    }
    case WR_P_STR: {
        const struct wr_str *x = v->data;
        if (v->type.sub)
            HASH_LOOP(hash_nested(v->type, x[row], seed));
        else
            HASH_LOOP(hash_str(x[row], seed));
        return;
    }
    case WR_P_IVL: {
        const struct wr_interval *x = v->data;
        HASH_LOOP(hash_i128(wr_interval_span(x[row]), seed));
        return;
    }
    }
}

void wr_hash_rows(const struct wr_batch *b, const int *col, int n_col, const uint32_t *sel, uint32_t n, uint64_t seed, uint64_t *hash)
{
#ifdef WEIR_HARD
    n_col = 0; /* hostile build: all rows collide */
    seed = 0;
#endif
    for (uint32_t k = 0; k < n; k++)
        hash[k] = seed;
    for (int c = 0; c < n_col; c++) {
        const struct wr_vec *v = &b->col[col[c]];
        if (!v->constant) {
            hash_column(v, sel, n, hash);
            continue;
        }
        struct wr_value val = wr_vec_get(v, 0);
        for (uint32_t k = 0; k < n; k++)
            hash[k] = hash_value(&val, hash[k]);
    }
}

uint64_t wr_hash_seed(void)
{
    static _Atomic uint64_t seed; /* 0: not chosen yet */
    uint64_t s = atomic_load(&seed);
    if (s)
        return s;
    if (getrandom(&s, sizeof s, GRND_NONBLOCK) != sizeof s)
        s = (uint64_t)(uintptr_t)&s * UINT64_C(0x9E3779B97F4A7C15); /* early in boot: address randomisation must do */
    s |= 1;
    uint64_t none = 0;
    return atomic_compare_exchange_strong(&seed, &none, s) ? s : none;
}

/* vec.c: making, copying and gathering columns of values.
 * Rules:  loops are chosen per physical form before they start; at NULL rows the data is whatever was copied, which is always readable.
 * Memory: everything comes from the arena that is passed; text is borrowed unless said otherwise. */
#include "core/vec.h"

static enum wr_phys phys_of(const struct wr_vec *v)
{
    return wr_type_phys((enum wr_tid)v->type.id);
}

void wr_vec_init(struct wr_vec *v, struct wr_type type, uint32_t cap, struct wr_arena *mem)
{
    *v = (struct wr_vec){.type = type};
    v->data = wr_arena_alloc(mem, (size_t)cap * wr_phys_width(phys_of(v)));
}

uint8_t *wr_vec_nulls(struct wr_vec *v, uint32_t cap, struct wr_arena *mem)
{
    if (!v->nulls)
        v->nulls = wr_arena_zero(mem, cap);
    return v->nulls;
}

static void copy_data(enum wr_phys p, void *dst, uint32_t to, const void *src, uint32_t from)
{
    switch (p) {
    case WR_P_I8: ((uint8_t *)dst)[to] = ((const uint8_t *)src)[from]; return;
    case WR_P_I64: ((int64_t *)dst)[to] = ((const int64_t *)src)[from]; return;
    case WR_P_F64: ((double *)dst)[to] = ((const double *)src)[from]; return;
    case WR_P_I128: ((wr_i128 *)dst)[to] = ((const wr_i128 *)src)[from]; return;
    case WR_P_STR: ((struct wr_str *)dst)[to] = ((const struct wr_str *)src)[from]; return;
    case WR_P_IVL: ((struct wr_interval *)dst)[to] = ((const struct wr_interval *)src)[from]; return;
    }
}

void wr_vec_copy(struct wr_vec *dst, uint32_t to, const struct wr_vec *src, uint32_t from)
{
    from = wr_vec_at(src, from);
    bool null = src->nulls && src->nulls[from];
    if (dst->nulls)
        dst->nulls[to] = null;
    else
        WR_ASSERT(!null);
    copy_data(phys_of(dst), dst->data, to, src->data, from);
}

/* dst[k] = src[sel[k]]; one typed loop a physical form. */
#define GATHER(type)                                        \
    do {                                                    \
        type *to = dst->data;                               \
        const type *from = src->data;                       \
        for (uint32_t k = 0; k < n; k++)                    \
            to[k] = from[sel[k]];                           \
    } while (0)

static void gather_sel(struct wr_vec *dst, const struct wr_vec *src, const uint32_t *sel, uint32_t n)
{
    switch (phys_of(src)) {
    case WR_P_I8: GATHER(uint8_t); return;
    case WR_P_I64: GATHER(int64_t); return;
    case WR_P_F64: GATHER(double); return;
    case WR_P_I128: GATHER(wr_i128); return;
    case WR_P_STR: GATHER(struct wr_str); return;
    case WR_P_IVL: GATHER(struct wr_interval); return;
    }
}

/* Copies the bytes of n texts into one piece of memory and points them there. NULL rows become empty. */
static void own_text(struct wr_vec *v, uint32_t n, struct wr_arena *mem)
{
    struct wr_str *s = v->data;
    size_t bytes = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (v->nulls && v->nulls[k])
            s[k] = (struct wr_str){NULL, 0};
        bytes += s[k].n;
    }
    char *at = wr_arena_bytes(mem, bytes);
    for (uint32_t k = 0; k < n; k++) {
        if (s[k].n == 0)
            continue;
        memcpy(at, s[k].p, s[k].n);
        s[k].p = at;
        at += s[k].n;
    }
}

void wr_vec_gather(struct wr_vec *dst, const struct wr_vec *src, const uint32_t *sel, uint32_t n, struct wr_arena *mem, bool deep)
{
    struct wr_vec from = *src; /* dst may be src */
    enum wr_phys p = phys_of(&from);
    wr_vec_init(dst, from.type, n, mem);
    if (n == 0)
        return;
    if (from.constant) {
        for (uint32_t k = 0; k < n; k++)
            copy_data(p, dst->data, k, from.data, 0);
        if (from.nulls && from.nulls[0])
            memset(wr_vec_nulls(dst, n, mem), 1, n);
    } else if (!sel) {
        memcpy(dst->data, from.data, (size_t)n * wr_phys_width(p));
        if (from.nulls) {
            dst->nulls = wr_arena_alloc(mem, n);
            memcpy(dst->nulls, from.nulls, n);
        }
    } else {
        gather_sel(dst, &from, sel, n);
        if (from.nulls) {
            dst->nulls = wr_arena_alloc(mem, n);
            for (uint32_t k = 0; k < n; k++)
                dst->nulls[k] = from.nulls[sel[k]];
        }
    }
    if (deep && p == WR_P_STR)
        own_text(dst, n, mem);
}

struct wr_value wr_vec_get(const struct wr_vec *v, uint32_t row)
{
    struct wr_value val;
    memset(&val, 0, sizeof val);
    val.type = v->type;
    val.null = wr_vec_null(v, row);
    if (val.null)
        return val;
    row = wr_vec_at(v, row);
    switch (phys_of(v)) {
    case WR_P_I8: val.as.b = WR_VEC_I8(v)[row]; break;
    case WR_P_I64: val.as.i = WR_VEC_I64(v)[row]; break;
    case WR_P_F64: val.as.d = WR_VEC_F64(v)[row]; break;
    case WR_P_I128: val.as.dec = WR_VEC_I128(v)[row]; break;
    case WR_P_STR: val.as.s = WR_VEC_STR(v)[row]; break;
    case WR_P_IVL: val.as.iv = WR_VEC_IVL(v)[row]; break;
    }
    return val;
}

void wr_vec_set(struct wr_vec *v, uint32_t row, const struct wr_value *val, uint32_t cap, struct wr_arena *mem)
{
    if (val->null) {
        wr_vec_nulls(v, cap, mem)[row] = 1;
        uint32_t width = wr_phys_width(phys_of(v));
        memset((char *)v->data + (size_t)row * width, 0, width);
        return;
    }
    if (v->nulls)
        v->nulls[row] = 0;
    switch (phys_of(v)) {
    case WR_P_I8: WR_VEC_I8(v)[row] = val->as.b; return;
    case WR_P_I64: WR_VEC_I64(v)[row] = val->as.i; return;
    case WR_P_F64: WR_VEC_F64(v)[row] = val->as.d; return;
    case WR_P_I128: WR_VEC_I128(v)[row] = val->as.dec; return;
    case WR_P_STR: WR_VEC_STR(v)[row] = wr_arena_str(mem, val->as.s); return;
    case WR_P_IVL: WR_VEC_IVL(v)[row] = val->as.iv; return;
    }
}

void wr_vec_of(struct wr_vec *v, const struct wr_value *val, uint8_t *null)
{
    *null = val->null;
    *v = (struct wr_vec){.type = val->type, .constant = true, .nulls = val->null ? null : NULL};
    /* The vector is read-only for its users; data is void * because the same struct serves writers. */
    union {
        const void *from;
        void *to;
    } data = {.from = &val->as};
    v->data = data.to;
}

/* agg_state.c: pieces of state that several aggregates share: one owned value (slot), a multiset of values (bag), saved numbers.
 * Rules:  a slot holds the value as it came (-0 stays -0), a bag holds keys.
 * Memory: a slot owns its text, a bag its map; freed by their drop. */
#include "core/agg_impl.h"

#include <stdlib.h>

void wr_agg_put_f64(struct wr_buf *out, double d)
{
    int64_t bits;
    memcpy(&bits, &d, sizeof bits);
    wr_buf_i64(out, bits);
}

bool wr_agg_take_f64(struct wr_str *in, double *d)
{
    int64_t bits;
    if (!wr_take_i64(in, &bits))
        return false;
    memcpy(d, &bits, sizeof bits);
    return true;
}

void wr_agg_put_i128(struct wr_buf *out, wr_i128 v)
{
    wr_buf_i64(out, (int64_t)v);
    wr_buf_i64(out, (int64_t)(v >> 64));
}

bool wr_agg_take_i128(struct wr_str *in, wr_i128 *v)
{
    int64_t lo, hi;
    if (!wr_take_i64(in, &lo) || !wr_take_i64(in, &hi))
        return false;
    *v = (wr_i128)((wr_u128)(uint64_t)hi << 64 | (uint64_t)lo);
    return true;
}

/* ---- slot */

static void slot_text(struct wr_agg_slot *s, struct wr_str text)
{
    if (s->cap < text.n) {
        s->cap = text.n < 16 ? 16 : text.n;
        s->v.s.p = wr_realloc((void *)(uintptr_t)s->v.s.p, s->cap);
    }
    if (text.n)
        memcpy((char *)(uintptr_t)s->v.s.p, text.p, text.n);
    s->v.s.n = text.n;
}

void wr_agg_slot_set(struct wr_agg_slot *s, const struct wr_vec *v, uint32_t row)
{
    s->has = true;
    s->null = wr_vec_null(v, row);
    if (s->null)
        return;
    row = wr_vec_at(v, row);
    switch (wr_type_phys((enum wr_tid)v->type.id)) {
    case WR_P_I8: s->v.b = WR_VEC_I8(v)[row]; return;
    case WR_P_I64: s->v.i = WR_VEC_I64(v)[row]; return;
    case WR_P_F64: s->v.d = WR_VEC_F64(v)[row]; return;
    case WR_P_I128: s->v.dec = WR_VEC_I128(v)[row]; return;
    case WR_P_IVL: s->v.iv = WR_VEC_IVL(v)[row]; return;
    case WR_P_STR: slot_text(s, WR_VEC_STR(v)[row]); return;
    }
}

struct wr_vec wr_agg_slot_vec(const struct wr_agg_slot *s, struct wr_type type)
{
    static const uint8_t is_null = 1;
    return (struct wr_vec){.type = type, .constant = true, .data = (void *)(uintptr_t)&s->v, .nulls = s->null ? (uint8_t *)(uintptr_t)&is_null : NULL};
}

void wr_agg_slot_copy(struct wr_agg_slot *to, const struct wr_agg_slot *from, struct wr_type type)
{
    if (!from->has)
        return;
    struct wr_vec v = wr_agg_slot_vec(from, type);
    wr_agg_slot_set(to, &v, 0);
}

void wr_agg_slot_drop(struct wr_agg_slot *s)
{
    if (s->cap)
        free((void *)(uintptr_t)s->v.s.p);
    memset(s, 0, sizeof *s);
}

size_t wr_agg_slot_heap(const struct wr_agg_slot *s)
{
    return s->cap;
}

void wr_agg_text_result(struct wr_vec *out, uint32_t row, struct wr_str s, struct wr_arena *mem)
{
    out->nulls[row] = 0;
    WR_VEC_STR(out)[row] = s.n ? wr_arena_str(mem, s) : (struct wr_str){NULL, 0};
}

void wr_agg_slot_result(const struct wr_agg_slot *s, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    bool null = !s->has || s->null;
    out->nulls[row] = null;
    switch (wr_type_phys((enum wr_tid)out->type.id)) {
    case WR_P_I8: WR_VEC_I8(out)[row] = null ? 0 : s->v.b; return;
    case WR_P_I64: WR_VEC_I64(out)[row] = null ? 0 : s->v.i; return;
    case WR_P_F64: WR_VEC_F64(out)[row] = null ? 0 : s->v.d; return;
    case WR_P_I128: WR_VEC_I128(out)[row] = null ? 0 : s->v.dec; return;
    case WR_P_IVL: WR_VEC_IVL(out)[row] = null ? (struct wr_interval){0} : s->v.iv; return;
    case WR_P_STR:
        if (null)
            WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
        else
            wr_agg_text_result(out, row, s->v.s, mem);
        return;
    }
}

enum { SLOT_NONE, SLOT_NULL, SLOT_VALUE };

void wr_agg_slot_save(const struct wr_agg_slot *s, struct wr_type type, struct wr_buf *out)
{
    wr_buf_u8(out, !s->has ? SLOT_NONE : s->null ? SLOT_NULL : SLOT_VALUE);
    if (!s->has || s->null)
        return;
    switch (wr_type_phys((enum wr_tid)type.id)) {
    case WR_P_I8: wr_buf_u8(out, s->v.b); return;
    case WR_P_I64: wr_buf_i64(out, s->v.i); return;
    case WR_P_F64: wr_agg_put_f64(out, s->v.d); return;
    case WR_P_I128: wr_agg_put_i128(out, s->v.dec); return;
    case WR_P_IVL:
        wr_buf_i64(out, s->v.iv.us);
        wr_buf_u32(out, (uint32_t)s->v.iv.days);
        wr_buf_u32(out, (uint32_t)s->v.iv.months);
        return;
    case WR_P_STR: wr_buf_lstr(out, s->v.s); return;
    }
}

static bool slot_load_value(struct wr_agg_slot *s, struct wr_type type, struct wr_str *in)
{
    uint32_t days, months;
    struct wr_str text;
    switch (wr_type_phys((enum wr_tid)type.id)) {
    case WR_P_I8: return wr_take_u8(in, &s->v.b) && s->v.b <= 1;
    case WR_P_I64: return wr_take_i64(in, &s->v.i);
    case WR_P_F64: return wr_agg_take_f64(in, &s->v.d);
    case WR_P_I128: return wr_agg_take_i128(in, &s->v.dec);
    case WR_P_IVL:
        if (!wr_take_i64(in, &s->v.iv.us) || !wr_take_u32(in, &days) || !wr_take_u32(in, &months))
            return false;
        s->v.iv.days = (int32_t)days;
        s->v.iv.months = (int32_t)months;
        return true;
    case WR_P_STR:
        if (!wr_take_lstr(in, &text))
            return false;
        slot_text(s, text);
        return true;
    }
    return false;
}

bool wr_agg_slot_load(struct wr_agg_slot *s, struct wr_type type, struct wr_str *in)
{
    uint8_t what;
    memset(s, 0, sizeof *s);
    if (!wr_take_u8(in, &what) || what > SLOT_VALUE)
        return false;
    s->has = what != SLOT_NONE;
    s->null = what == SLOT_NULL;
    if (what != SLOT_VALUE || slot_load_value(s, type, in))
        return true;
    wr_agg_slot_drop(s);
    return false;
}

/* ---- keys as values */

void wr_agg_key_result(struct wr_str key, struct wr_type type, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    struct wr_value val;
    if (wr_key_take(&key, type, false, false, mem, &val) && !val.null)
        wr_vec_set(out, row, &val, row + 1, mem);
    else
        (void)wr_agg_null(out, row);
}

/* ---- bag */

void wr_agg_bag_init(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    *(struct wr_omap *)state = (struct wr_omap){0};
}

WR_AGG_INLINE void bag_row(struct wr_omap *bag, const struct wr_batch *in, const struct wr_vec *v, uint32_t row, struct wr_buf *key)
{
    if (wr_vec_null(v, row))
        return;
    wr_buf_reset(key);
    wr_key_put(key, v, row, false, false);
    (void)wr_omap_add(bag, wr_buf_get(key), wr_agg_sign(in, row));
}

void wr_agg_bag_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_buf key = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < n; k++)
        bag_row((struct wr_omap *)(void *)(group[k] + c->offset), in, wr_agg_arg(c, in, 0), wr_agg_row(sel, k), &key);
    wr_buf_clear(&key);
}

void wr_agg_bag_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_buf key = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < n; k++)
        bag_row(state, in, wr_agg_arg(c, in, 0), wr_agg_row(sel, k), &key);
    wr_buf_clear(&key);
}

void wr_agg_bag_merge(const struct wr_aggcall *c WR_UNUSED, void *into, const void *from)
{
    wr_omap_merge(into, from);
}

void wr_agg_bag_save(const struct wr_aggcall *c WR_UNUSED, const void *state, struct wr_buf *out)
{
    wr_buf_u8(out, WR_AGG_V1);
    wr_omap_save(state, out);
}

bool wr_agg_bag_load(const struct wr_aggcall *c WR_UNUSED, void *state, struct wr_str *in)
{
    return wr_agg_take_version(in) && wr_omap_load(state, in);
}

void wr_agg_bag_drop(const struct wr_aggcall *c WR_UNUSED, void *state)
{
    wr_omap_clear(state);
}

size_t wr_agg_bag_heap(const struct wr_aggcall *c WR_UNUSED, const void *state)
{
    return ((const struct wr_omap *)state)->heap;
}

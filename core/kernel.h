/* kernel.h: what the func_*.c files share: walking rows, reading arguments, writing results.
 * Rules:  a kernel touches only the rows it is given; it loops over rows, the decision what to do is taken before the loop where it can be.
 *         A constant argument has one value, at index 0: WR_AT() reads both kinds; hot kernels have own loops (WR_LOOP_*).
 * Memory: results go to ev->mem. Nothing a kernel allocates elsewhere outlives its call. */
#ifndef WR_CORE_KERNEL_H
#define WR_CORE_KERNEL_H

#include "core/expr.h"

static inline uint32_t wr_row_at(const uint32_t *sel, uint32_t k, uint32_t n)
{
    return k < n && sel ? sel[k] : k;
}
/* for (each selected row) */
#define WR_ROWS(row) for (uint32_t k_ = 0, row = wr_row_at(sel, 0, n); k_ < n; k_++, row = wr_row_at(sel, k_, n))
/* Index of a row's value in argument i */
#define WR_AT(i, row) (c->arg[i].constant ? 0 : (row))
#define WR_ARG_B(i, row) (WR_VEC_I8(&c->arg[i])[WR_AT(i, row)])
#define WR_ARG_I(i, row) (WR_VEC_I64(&c->arg[i])[WR_AT(i, row)])
#define WR_ARG_D(i, row) (WR_VEC_F64(&c->arg[i])[WR_AT(i, row)])
#define WR_ARG_N(i, row) (WR_VEC_I128(&c->arg[i])[WR_AT(i, row)])
#define WR_ARG_S(i, row) (WR_VEC_STR(&c->arg[i])[WR_AT(i, row)])
#define WR_ARG_V(i, row) (WR_VEC_IVL(&c->arg[i])[WR_AT(i, row)])
#define WR_ARG_NULL(i, row) wr_vec_null(&c->arg[i], row)

#define WR_KERNEL(name)                                                                                              \
    static void name(struct wr_eval *ev WR_UNUSED, const struct wr_call *c WR_UNUSED, struct wr_vec *out WR_UNUSED, \
                     const uint32_t *sel WR_UNUSED, uint32_t n WR_UNUSED)

/* Makes a result NULL (text results get an empty text behind it). */
static inline void wr_out_null(struct wr_eval *ev, struct wr_vec *out, uint32_t row)
{
    wr_vec_nulls(out, ev->rows, ev->mem)[row] = 1;
    switch (wr_type_phys(out->type.id)) {
    case WR_P_STR: WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0}; break;
    case WR_P_I8: WR_VEC_I8(out)[row] = 0; break;
    case WR_P_I64: case WR_P_F64: WR_VEC_I64(out)[row] = 0; break;
    case WR_P_I128: WR_VEC_I128(out)[row] = 0; break;
    case WR_P_IVL: WR_VEC_IVL(out)[row] = (struct wr_interval){0}; break;
    }
}
/* Text built in a buffer, copied into the evaluation's memory. */
static inline struct wr_str wr_out_text(struct wr_eval *ev, const struct wr_buf *b)
{
    return wr_arena_str(ev->mem, wr_buf_get(b));
}

/* Ceiling of one text result; what would be longer is a bad row (WR_R_LIMIT). */
enum { WR_TEXT_MAX = 64 << 20 };
#define WR_BAD_TOO_LONG(ev, row) wr_eval_bad(ev, row, WR_R_LIMIT, "the text would be longer than %d bytes", WR_TEXT_MAX)

/* Calls an always-inline loop body with the shape of its two arguments known at compile time:
 * body(a, a_constant, b, b_constant, out, sel, n). */
#define WR_LOOP_2(body, va, vb, ...)                                                       \
    do {                                                                                   \
        if (sel) {                                                                         \
            if ((va)->constant && (vb)->constant) body((va)->data, true, (vb)->data, true, __VA_ARGS__, sel, n);      \
            else if ((va)->constant) body((va)->data, true, (vb)->data, false, __VA_ARGS__, sel, n);                  \
            else if ((vb)->constant) body((va)->data, false, (vb)->data, true, __VA_ARGS__, sel, n);                  \
            else body((va)->data, false, (vb)->data, false, __VA_ARGS__, sel, n);          \
        } else {                                                                           \
            if ((va)->constant && (vb)->constant) body((va)->data, true, (vb)->data, true, __VA_ARGS__, NULL, n);     \
            else if ((va)->constant) body((va)->data, true, (vb)->data, false, __VA_ARGS__, NULL, n);                 \
            else if ((vb)->constant) body((va)->data, false, (vb)->data, true, __VA_ARGS__, NULL, n);                 \
            else body((va)->data, false, (vb)->data, false, __VA_ARGS__, NULL, n);         \
        }                                                                                  \
    } while (0)
#define WR_INLINE static inline __attribute__((always_inline))
/* A kernel whose loops gain by wider vectors: compiled twice from the same source, the processor decides at start. Builds with sanitizers
 * have the plain one only, so that the tests run both. */
#if defined(__x86_64__) && defined(__GLIBC__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define WR_WIDE __attribute__((target_clones("avx2", "default")))
#else
#define WR_WIDE
#endif

/* Next number of this thread's generator (random(), gen_random_uuid()). */
uint64_t wr_random_next(void);

/* True if the row is NULL in a result whose NULLs the evaluator has set before the call. */
#define WR_OUT_NULL(out, row) ((out)->nulls && (out)->nulls[row])

/* Comparisons without a vector of booleans: pick = the rows of sel for which fn(arg) is true. false: fn is not one of them, nothing was done.
 * pick may be sel itself. */
bool wr_cmp_pick(const struct wr_call *c, const uint32_t *sel, uint32_t n, uint32_t *pick, uint32_t *n_pick);

extern const struct wr_func wr_func_nested_cast; /* ARRAY to ARRAY, ROW to ROW, member by member */

/* One table a file; `n` entries. */
struct wr_func_table {
    const struct wr_func *func;
    int n;
};
#define WR_FUNC_TABLE(name, list) const struct wr_func_table name = {list, (int)(sizeof(list) / sizeof(list[0]))}
extern const struct wr_func_table wr_funcs_num, wr_funcs_math, wr_funcs_cmp, wr_funcs_text, wr_funcs_like,
    wr_funcs_time, wr_funcs_date, wr_funcs_regex, wr_funcs_nested, wr_funcs_misc, wr_funcs_json,
    wr_funcs_format, wr_funcs_numformat, wr_funcs_series;

/* Stores a value of out's type; text is borrowed. NULL is stored as wr_out_null does. */
void wr_out_value(struct wr_eval *ev, struct wr_vec *out, uint32_t row, const struct wr_value *v);
/* Order of two values of one type, neither NULL, as wr_vec_cmp. */
int wr_value_order(const struct wr_value *a, const struct wr_value *b);

/* Text constant behind an argument (NULL constants and others: false). */
static inline bool wr_arg_text(const struct wr_expr *x, struct wr_str *s)
{
    if (x->kind != WR_X_CONST || x->u.val.null || wr_type_phys(x->type.id) != WR_P_STR)
        return false;
    *s = x->u.val.as.s;
    return true;
}

#endif

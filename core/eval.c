/* eval.c: evaluates an expression tree over a batch, column-wise.
 * Rules:  - a node's result is defined at the rows asked for, except those that are NULL or bad; nobody reads it elsewhere;
 *         - a kernel that is not declared safe for it (WR_F_TOTAL, WR_F_LOOSE) never meets a NULL row, none meets a bad one;
 *         - AND, OR, CASE, COALESCE narrow the rows from argument to argument, so that what is not needed cannot fail.
 * Memory: all vectors and selections come from ev->mem and live until the caller resets it; the list of bad rows is malloc'd and kept. */
#include "core/kernel.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- bad rows ---- */

void wr_eval_begin(struct wr_eval *ev, const struct wr_batch *in, struct wr_arena *mem)
{
    ev->mem = mem;
    ev->bad = NULL;
    ev->n_bad = 0;
    ev->rows = in && in->len ? in->len : 1;
    ev->off = -1;
}

void wr_eval_clear(struct wr_eval *ev)
{
    free(ev->list);
    *ev = (struct wr_eval){.off = -1};
}

void wr_eval_bad(struct wr_eval *ev, uint32_t row, enum wr_reason why, const char *fmt, ...)
{
    if (!ev->bad)
        ev->bad = wr_arena_zero(ev->mem, ev->rows);
    if (ev->bad[row])
        return;
    ev->bad[row] = 1;
    if (ev->n_bad == ev->cap_bad) {
        ev->cap_bad = ev->cap_bad ? ev->cap_bad * 2 : 16;
        ev->list = wr_realloc(ev->list, ev->cap_bad * sizeof(*ev->list));
    }
    struct wr_str msg = wr_str_c(wr_reason_help(why));
    if (fmt) {
        char text[256];
        va_list args;
        va_start(args, fmt);
        int len = vsnprintf(text, sizeof text, fmt, args);
        va_end(args);
        uint32_t n = len < 0 ? 0 : len < (int)sizeof text ? (uint32_t)len : (uint32_t)sizeof text - 1;
        while (n && n < (uint32_t)len && ((unsigned char)text[n] & 0xC0) == 0x80)
            n--; /* never end within a character */
        msg = wr_arena_str(ev->mem, (struct wr_str){text, n});
    }
    ev->list[ev->n_bad++] = (struct wr_bad_row){.row = row, .reason = why, .off = ev->off, .msg = msg};
}

/* The rows of sel that are not bad; sel itself while no row is bad. */
static const uint32_t *without_bad(struct wr_eval *ev, const uint32_t *sel, uint32_t *n)
{
    if (ev->n_bad == 0)
        return sel;
    uint32_t *good = wr_arena_alloc(ev->mem, sizeof(*good) * (*n + 1)), m = 0;
    for (uint32_t k = 0; k < *n; k++) {
        uint32_t row = sel ? sel[k] : k;
        good[m] = row;
        m += !ev->bad[row];
    }
    *n = m;
    return good;
}

/* ---- constants ---- */

static void const_vec(struct wr_eval *ev, const struct wr_value *val, struct wr_type type, struct wr_vec *out)
{
    *out = (struct wr_vec){.type = type, .constant = true};
    out->data = wr_arena_alloc(ev->mem, sizeof(val->as));
    memcpy(out->data, &val->as, sizeof(val->as));
    if (val->null) {
        memset(out->data, 0, sizeof(val->as));
        out->nulls = wr_arena_alloc(ev->mem, 1);
        out->nulls[0] = 1;
    }
}

static void null_vec(struct wr_eval *ev, struct wr_type type, struct wr_vec *out)
{
    const struct wr_value none = {.type = type, .null = true};
    const_vec(ev, &none, type, out);
}

/* ---- moving values ---- */

/* out[row] = src[row] for the rows; out has data for all rows. NULLs follow. */
static void scatter(struct wr_eval *ev, struct wr_vec *out, const struct wr_vec *src, const uint32_t *sel, uint32_t n)
{
    bool c = src->constant;
#define MOVE(T)                                              \
    do {                                                     \
        T *to = (T *)out->data;                              \
        const T *from = (const T *)src->data;                \
        for (uint32_t k = 0; k < n; k++) {                   \
            uint32_t row = sel ? sel[k] : k;                 \
            to[row] = from[c ? 0 : row];                     \
        }                                                    \
    } while (0)
    switch (wr_type_phys(out->type.id)) {
    case WR_P_I8: MOVE(uint8_t); break;
    case WR_P_I64: MOVE(int64_t); break;
    case WR_P_F64: MOVE(double); break;
    case WR_P_I128: MOVE(wr_i128); break;
    case WR_P_STR: MOVE(struct wr_str); break;
    case WR_P_IVL: MOVE(struct wr_interval); break;
    }
#undef MOVE
    if (!src->nulls)
        return;
    uint8_t *nulls = wr_vec_nulls(out, ev->rows, ev->mem);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = sel ? sel[k] : k;
        nulls[row] = src->nulls[c ? 0 : row];
    }
}

static void set_null(struct wr_eval *ev, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    if (n == 0)
        return;
    wr_vec_nulls(out, ev->rows, ev->mem);
    for (uint32_t k = 0; k < n; k++)
        wr_out_null(ev, out, sel ? sel[k] : k);
}

/* rows minus take (both ascending, take part of rows), without bad ones. */
static const uint32_t *subtract(struct wr_eval *ev, const uint32_t *rows, uint32_t *n, const uint32_t *take, uint32_t n_take)
{
    uint32_t *rest = wr_arena_alloc(ev->mem, sizeof(*rest) * (*n + 1)), m = 0, t = 0;
    const uint8_t *bad = ev->n_bad ? ev->bad : NULL;
    for (uint32_t k = 0; k < *n; k++) { /* without branches on the data: what is taken follows no pattern */
        uint32_t row = rows ? rows[k] : k;
        bool taken = take[t < n_take ? t : 0] == row && t < n_take;
        t += taken;
        rest[m] = row;
        m += !taken && !(bad && bad[row]);
    }
    *n = m;
    return rest;
}

/* ---- calls ---- */

/* NULL where any argument is: sets out->nulls. true: every row is. */
static bool merge_nulls(struct wr_eval *ev, const struct wr_call *c, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    int with = 0, last = 0;
    for (int i = 0; i < c->n_arg; i++) {
        const struct wr_vec *v = &c->arg[i];
        if (!v->nulls)
            continue;
        if (v->constant) {
            if (v->nulls[0])
                return true;
            continue;
        }
        with++;
        last = i;
    }
    if (with == 0)
        return false;
    if (with == 1 && !(c->fn->flags & WR_F_MAYNULL)) {
        out->nulls = c->arg[last].nulls; /* borrowed: such a kernel never writes it */
        return false;
    }
    uint8_t *nulls = wr_vec_nulls(out, ev->rows, ev->mem);
    for (int i = 0; i < c->n_arg; i++) {
        const uint8_t *from = c->arg[i].nulls;
        if (!from || c->arg[i].constant)
            continue;
        if (sel)
            for (uint32_t k = 0; k < n; k++)
                nulls[sel[k]] |= from[sel[k]];
        else
            for (uint32_t k = 0; k < n; k++)
                nulls[k] |= from[k];
    }
    return false;
}

/* The rows that are not NULL in out; the others get an empty text if out is text. */
static const uint32_t *without_null(struct wr_eval *ev, struct wr_vec *out, const uint32_t *sel, uint32_t *n)
{
    if (!out->nulls)
        return sel;
    bool text = wr_type_phys(out->type.id) == WR_P_STR;
    uint32_t *keep = wr_arena_alloc(ev->mem, sizeof(*keep) * (*n + 1)), m = 0;
    for (uint32_t k = 0; k < *n; k++) {
        uint32_t row = sel ? sel[k] : k;
        keep[m] = row;
        m += !out->nulls[row];
        if (text && out->nulls[row])
            WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
    }
    if (m == *n)
        return sel;
    *n = m;
    return keep;
}

static struct wr_vec *eval_args(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_vec *arg = wr_arena_alloc(ev->mem, sizeof(*arg) * (size_t)(x->u.call.n + 1));
    for (int i = 0; i < x->u.call.n; i++)
        wr_eval(ev, x->u.call.arg[i], in, sel, n, &arg[i]);
    return arg;
}

static void eval_call(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out)
{
    const struct wr_func *fn = x->u.call.fn;
    const struct wr_vec *arg = eval_args(ev, x, in, sel, n);
    if (fn->flags & WR_F_RELABEL) {
        *out = arg[0];
        out->type = x->type;
        return;
    }
    const struct wr_call c = {.fn = fn, .data = x->u.call.fn_data, .arg = arg, .n_arg = x->u.call.n};
    sel = without_bad(ev, sel, &n);
    wr_vec_init(out, x->type, ev->rows, ev->mem);
    if (!(fn->flags & WR_F_NULLS)) {
        if (merge_nulls(ev, &c, out, sel, n)) {
            null_vec(ev, x->type, out);
            return;
        }
        if (!(fn->flags & (WR_F_TOTAL | WR_F_LOOSE)))
            sel = without_null(ev, out, sel, &n);
    }
    ev->off = x->off;
    fn->kernel(ev, &c, out, sel, n);
}

/* ---- AND, OR, CASE, COALESCE, TRY ---- */

static bool is_comparison(const struct wr_func *fn)
{
    return strchr("=<>", fn->name[0]) && fn->name[0]; /* and << >>, which cannot fail either */
}

static bool all_safe(const struct wr_expr *x);
/* Cannot fail: then it may be computed for rows that do not need it, where that costs less than narrowing the rows. */
static bool is_safe(const struct wr_expr *x)
{
    switch (x->kind) {
    case WR_X_COL: case WR_X_CONST: return true;
    case WR_X_CASE: case WR_X_COALESCE: case WR_X_TRY: return false;
    case WR_X_CALL: return ((x->u.call.fn->flags & WR_F_TOTAL) || is_comparison(x->u.call.fn)) && all_safe(x);
    case WR_X_AND: case WR_X_OR: return all_safe(x);
    }
    return false;
}
static bool all_safe(const struct wr_expr *x)
{
    for (int i = 0; i < x->u.call.n; i++)
        if (!is_safe(x->u.call.arg[i]))
            return false;
    return true;
}

/* AND, OR over all rows, argument by argument. false: a NULL is in the way, nothing was done. */
static bool logic_whole(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, uint32_t n, struct wr_vec *out)
{
    struct wr_vec v;
    uint8_t *val = NULL;
    for (int i = 0; i < x->u.call.n; i++) {
        wr_eval(ev, x->u.call.arg[i], in, NULL, n, &v);
        if (v.nulls || v.constant)
            return false;
        const uint8_t *b = WR_VEC_I8(&v);
        if (!val) {
            wr_vec_init(out, x->type, ev->rows, ev->mem);
            val = WR_VEC_I8(out);
            memcpy(val, b, n);
        } else if (x->kind == WR_X_AND) {
            for (uint32_t k = 0; k < n; k++)
                val[k] &= b[k];
        } else {
            for (uint32_t k = 0; k < n; k++)
                val[k] |= b[k];
        }
    }
    return true;
}

/* The rows of sel that this argument of AND, OR leaves open; it is not NULL there. */
static uint32_t logic_open(const uint8_t *b, uint8_t decides, uint8_t *val, const uint32_t *sel, uint32_t n, uint32_t *open)
{
    uint32_t m = 0;
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = sel ? sel[k] : k;
        val[row] = b[row];
        open[m] = row;
        m += b[row] != decides;
    }
    return m;
}

static void eval_logic(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out)
{
    const uint8_t decides = x->kind == WR_X_OR;
    if (!sel && !ev->n_bad && all_safe(x) && logic_whole(ev, x, in, n, out))
        return;
    wr_vec_init(out, x->type, ev->rows, ev->mem);
    uint8_t *val = WR_VEC_I8(out);
    for (uint32_t k = 0; k < n; k++)
        val[sel ? sel[k] : k] = !decides;
    for (int i = 0; i < x->u.call.n && n; i++) {
        struct wr_vec v;
        wr_eval(ev, x->u.call.arg[i], in, sel, n, &v);
        sel = without_bad(ev, sel, &n);
        const uint8_t *b = WR_VEC_I8(&v);
        uint8_t *nulls = v.nulls ? wr_vec_nulls(out, ev->rows, ev->mem) : out->nulls;
        uint32_t *open = wr_arena_alloc(ev->mem, sizeof(*open) * (n + 1)), m = 0;
        if (!nulls && !v.constant) {
            n = logic_open(b, decides, val, sel, n, open);
            sel = open;
            continue;
        }
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = sel ? sel[k] : k, at = v.constant ? 0 : row;
            bool null = v.nulls && v.nulls[at], done = !null && (b[at] != 0) == decides;
            if (null)
                nulls[row] = 1;
            if (done) {
                val[row] = decides;
                if (nulls)
                    nulls[row] = 0;
            }
            open[m] = row;
            m += !done;
        }
        sel = open;
        n = m;
    }
}

/* to[k] = from[k] where yes[k] is 1; from is one value for all rows if constant. `words` of 8 bytes a value. */
WR_INLINE void blend_words(uint64_t *to, const uint64_t *from, bool constant, const uint8_t *yes, uint32_t words, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint64_t mask = -(uint64_t)yes[k];
        for (uint32_t w = 0; w < words; w++) {
            uint64_t x = from[(constant ? 0 : k * words) + w];
            to[k * words + w] ^= (to[k * words + w] ^ x) & mask;
        }
    }
}
static void blend(struct wr_vec *to, const struct wr_vec *from, const uint8_t *yes, uint32_t n)
{
    uint32_t width = wr_phys_width(wr_type_phys(to->type.id));
    if (width == 1) {
        for (uint32_t k = 0; k < n; k++)
            WR_VEC_I8(to)[k] = yes[k] ? WR_VEC_I8(from)[from->constant ? 0 : k] : WR_VEC_I8(to)[k];
    } else if (width == 8 && from->constant) {
        blend_words(to->data, from->data, true, yes, 1, n);
    } else if (width == 8) {
        blend_words(to->data, from->data, false, yes, 1, n);
    } else {
        blend_words(to->data, from->data, from->constant, yes, 2, n);
    }
}

/* CASE whose parts cannot fail and are mostly columns and constants: each result is laid over those behind it, from the last to the first.
 * No selection is made, no row is moved twice. NULLs are blended as the values are. */
static void case_whole(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, uint32_t n, struct wr_vec *out)
{
    struct wr_expr *const *arg = x->u.call.arg;
    int n_arg = x->u.call.n;
    struct wr_vec v, cond;
    uint8_t *nulls = NULL, *yes = NULL;
    wr_vec_init(out, x->type, ev->rows, ev->mem);
    memset(out->data, 0, (size_t)n * wr_phys_width(wr_type_phys(x->type.id)));
    if (n_arg % 2) {
        wr_eval(ev, arg[n_arg - 1], in, NULL, n, &v);
        scatter(ev, out, &v, NULL, n);
        nulls = out->nulls;
    } else {
        nulls = wr_vec_nulls(out, ev->rows, ev->mem);
        memset(nulls, 1, n);
    }
    for (int i = (n_arg - n_arg % 2) - 2; i >= 0; i -= 2) {
        wr_eval(ev, arg[i], in, NULL, n, &cond);
        const uint8_t *b = WR_VEC_I8(&cond);
        if (cond.nulls || cond.constant) {
            if (!yes)
                yes = wr_arena_alloc(ev->mem, n);
            for (uint32_t k = 0; k < n; k++)
                yes[k] = b[wr_vec_at(&cond, k)] && !wr_vec_null(&cond, k);
            b = yes;
        }
        wr_eval(ev, arg[i + 1], in, NULL, n, &v);
        blend(out, &v, b, n);
        if (v.nulls && !nulls)
            nulls = wr_vec_nulls(out, ev->rows, ev->mem);
        if (nulls)
            for (uint32_t k = 0; k < n; k++)
                nulls[k] = b[k] ? wr_vec_null(&v, k) : nulls[k];
    }
}

static void eval_case(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out)
{
    int n_arg = x->u.call.n;
    struct wr_expr *const *arg = x->u.call.arg;
    struct wr_vec v;
    if (!sel && !ev->n_bad && all_safe(x)) {
        case_whole(ev, x, in, n, out);
        return;
    }
    wr_vec_init(out, x->type, ev->rows, ev->mem);
    for (int i = 0; i + 1 < n_arg && n; i += 2) {
        uint32_t *yes = wr_arena_alloc(ev->mem, sizeof(*yes) * (n + 1)), m = 0;
        wr_eval_pick(ev, arg[i], in, sel, n, yes, &m);
        sel = subtract(ev, sel, &n, yes, m);
        if (m == 0)
            continue;
        wr_eval(ev, arg[i + 1], in, yes, m, &v);
        const uint32_t *good = without_bad(ev, yes, &m);
        scatter(ev, out, &v, good, m);
    }
    if (n_arg % 2 && n) {
        wr_eval(ev, arg[n_arg - 1], in, sel, n, &v);
        sel = without_bad(ev, sel, &n);
        scatter(ev, out, &v, sel, n);
    } else {
        set_null(ev, out, sel, n);
    }
}

static void eval_coalesce(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out)
{
    struct wr_vec v;
    wr_vec_init(out, x->type, ev->rows, ev->mem);
    for (int i = 0; i < x->u.call.n && n; i++) {
        wr_eval(ev, x->u.call.arg[i], in, sel, n, &v);
        if (i == 0 && !v.nulls) {
            *out = v;
            out->type = x->type;
            return;
        }
        sel = without_bad(ev, sel, &n);
        uint32_t *has = wr_arena_alloc(ev->mem, sizeof(*has) * (n + 1)), m = 0;
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = sel ? sel[k] : k;
            has[m] = row;
            m += !wr_vec_null(&v, row);
        }
        v.nulls = NULL;
        scatter(ev, out, &v, has, m);
        sel = subtract(ev, sel, &n, has, m);
    }
    set_null(ev, out, sel, n);
}

static void eval_try(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out)
{
    uint32_t before = ev->n_bad;
    struct wr_vec v;
    wr_eval(ev, x->u.call.arg[0], in, sel, n, &v);
    if (ev->n_bad == before) {
        *out = v;
        out->type = x->type;
        return;
    }
    const uint32_t *good = sel;
    uint32_t n_good = n;
    good = without_bad(ev, sel, &n_good);
    wr_vec_init(out, x->type, ev->rows, ev->mem);
    scatter(ev, out, &v, good, n_good);
    for (uint32_t i = before; i < ev->n_bad; i++) {
        ev->bad[ev->list[i].row] = 0;
        wr_out_null(ev, out, ev->list[i].row);
    }
    ev->n_bad = before;
}

/* ---- entry points ---- */

void wr_eval(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out)
{
    switch (x->kind) {
    case WR_X_COL:
        WR_ASSERT(in && x->u.col < in->n_col);
        *out = in->col[x->u.col];
        break;
    case WR_X_CONST: const_vec(ev, &x->u.val, x->type, out); break;
    case WR_X_CALL: eval_call(ev, x, in, sel, n, out); break;
    case WR_X_AND: case WR_X_OR: eval_logic(ev, x, in, sel, n, out); break;
    case WR_X_CASE: eval_case(ev, x, in, sel, n, out); break;
    case WR_X_COALESCE: eval_coalesce(ev, x, in, sel, n, out); break;
    case WR_X_TRY: eval_try(ev, x, in, sel, n, out); break;
    }
}

/* pick = rows where the BOOLEAN vector is true. pick may be sel. */
static void pick_true(struct wr_eval *ev, const struct wr_vec *v, const uint32_t *sel, uint32_t n, uint32_t *pick, uint32_t *n_pick)
{
    const uint8_t *b = WR_VEC_I8(v), *nulls = v->nulls, *bad = ev->n_bad ? ev->bad : NULL;
    uint32_t m = 0;
    if (!nulls && !bad && !v->constant) {
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = sel ? sel[k] : k;
            pick[m] = row;
            m += b[row] != 0;
        }
    } else {
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = sel ? sel[k] : k, at = v->constant ? 0 : row;
            bool yes = b[at] && !(nulls && nulls[at]) && !(bad && bad[row]);
            pick[m] = row;
            m += yes;
        }
    }
    *n_pick = m;
}

/* A comparison: straight from the arguments to the selection. false: x is none. */
static bool pick_compare(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, uint32_t *pick,
                         uint32_t *n_pick)
{
    if (x->u.call.n != 2 || (x->u.call.fn->flags & WR_F_NULLS) || !is_comparison(x->u.call.fn))
        return false;
    const struct wr_vec *arg = eval_args(ev, x, in, sel, n);
    const struct wr_call c = {.fn = x->u.call.fn, .data = x->u.call.fn_data, .arg = arg, .n_arg = 2};
    ev->off = x->off;
    sel = without_bad(ev, sel, &n);
    for (int i = 0; i < 2; i++) {
        if (!arg[i].nulls)
            continue;
        if (arg[i].constant) {
            if (!arg[i].nulls[0])
                continue;
            *n_pick = 0;
            return true;
        }
        uint32_t m = 0;
        for (uint32_t k = 0; k < n; k++) {
            uint32_t row = sel ? sel[k] : k;
            pick[m] = row;
            m += !arg[i].nulls[row];
        }
        sel = pick;
        n = m;
    }
    if (wr_cmp_pick(&c, sel, n, pick, n_pick))
        return true;
    struct wr_vec v;
    wr_vec_init(&v, x->type, ev->rows, ev->mem);
    c.fn->kernel(ev, &c, &v, sel, n);
    pick_true(ev, &v, sel, n, pick, n_pick);
    return true;
}

void wr_eval_pick(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, uint32_t *pick, uint32_t *n_pick)
{
    if (x->kind == WR_X_AND) {
        wr_eval_pick(ev, x->u.call.arg[0], in, sel, n, pick, n_pick);
        for (int i = 1; i < x->u.call.n && *n_pick; i++) {
            uint32_t m = *n_pick;
            wr_eval_pick(ev, x->u.call.arg[i], in, pick, m, pick, n_pick);
        }
        return;
    }
    if (x->kind == WR_X_CALL && pick_compare(ev, x, in, sel, n, pick, n_pick))
        return;
    struct wr_vec v;
    wr_eval(ev, x, in, sel, n, &v);
    pick_true(ev, &v, sel, n, pick, n_pick);
}

bool wr_eval_const(const struct wr_expr *x, struct wr_arena *mem, struct wr_value *out, struct wr_error *err)
{
    if (x->kind == WR_X_CONST) {
        *out = x->u.val;
        return true;
    }
    if (!wr_expr_is_const(x)) {
        wr_fail_at(err, WR_ESQL, x->off, "the expression is not constant");
        return false;
    }
    struct wr_eval ev = {.off = -1};
    struct wr_vec v;
    wr_eval_begin(&ev, NULL, mem);
    wr_eval(&ev, x, NULL, NULL, 1, &v);
    bool ok = ev.n_bad == 0;
    if (ok) {
        *out = wr_vec_get(&v, 0);
        out->type = x->type;
    } else {
        const struct wr_bad_row *bad = &ev.list[0];
        wr_fail_at(err, WR_EDATA, bad->off, "%.*s", WR_FMT(bad->msg));
    }
    wr_eval_clear(&ev);
    return ok;
}

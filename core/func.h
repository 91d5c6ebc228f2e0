/* func.h: the table of scalar functions and operators: name, signature, kernel. Operators are functions too ("+", "=", "like").
 * A new function is one row in a func_*.c table (and, if new, one kernel). The tables are sorted out once at start. */
#ifndef WR_CORE_FUNC_H
#define WR_CORE_FUNC_H

#include "core/batch.h"

struct wr_eval;
struct wr_expr;
struct wr_func;

/* What a kernel sees. Unless WR_F_NULLS is set the caller has already put NULL into the result where an argument is NULL and left these
 * rows out of sel, so a kernel never meets NULL. Rows are sel[0..n) (sel NULL: 0..n-1). A constant argument has v->constant set.
 * out: data allocated for `rows` rows by the caller; a kernel that yields NULL calls wr_vec_nulls(out, ev->rows, ev->mem). */
struct wr_call {
    const struct wr_func *fn;
    const void *data;            /* from bind */
    const struct wr_vec *arg;
    int n_arg;
};
typedef void (*wr_kernel)(struct wr_eval *ev, const struct wr_call *c, struct wr_vec *out, const uint32_t *sel, uint32_t n);

enum wr_func_flag {
    WR_F_NULLS = 1,    /* kernel handles NULL arguments itself */
    WR_F_VOLATILE = 2, /* not folded: now(), random() */
    WR_F_TOTAL = 4,    /* cannot fail and is safe on undefined values: NULL rows may stay in sel (fast numeric kernels) */
    WR_F_HIDDEN = 8,   /* internal, not in SHOW FUNCTIONS */
    WR_F_LOOSE = 16,   /* like TOTAL, but may fail: a kernel that copes with undefined values at NULL rows and marks only rows bad that
                        * are not NULL in `out` */
    WR_F_RELABEL = 32, /* conversion that changes nothing in memory: the evaluator hands the argument on under the new type */
    WR_F_MAYNULL = 64, /* may yield NULL although no argument is NULL */
    WR_F_NEVERNULL = 128 /* with WR_F_NULLS: the result is never NULL */
};

/* Signature: one letter an argument, ':' and one for the result.
 *   b BOOLEAN  i INTEGER  l BIGINT  n DECIMAL(any)  d DOUBLE  t TEXT  y BYTES  j JSON  D DATE  H TIME  T TIMESTAMP  Z TIMESTAMPTZ  I INTERVAL
 *   a ARRAY  r ROW  * any type  = the same type as the first '*' or '=' (after finding the common type)
 *   e the element type of the first 'a' (the argument is converted to it)  s any type, converted to TEXT
 * A '*' in a signature without '=' stands for itself: each such argument keeps its own type.
 * '...' behind the last argument letter: one or more of it. Result '?' : `ret` callback decides.
 * Result '=': the common type; 'a', 'e': the type (the element type) of the first ARRAY argument. */
struct wr_func {
    const char *name;      /* lower case */
    const char *sig;
    wr_kernel kernel;
    int flags;
    /* Result type from the (already cast) argument types; NULL when the signature says it. false: refused, err set.
     * mem: the plan's arena, for the members of nested types. */
    bool (*ret)(struct wr_arena *mem, const struct wr_func *fn, struct wr_expr *const *arg, int n, struct wr_type *out, struct wr_error *err);
    /* Prepare data from constant arguments (compile a pattern); NULL: nothing. */
    wr_status (*bind)(struct wr_arena *a, const struct wr_func *fn, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err);
    const char *help;      /* one line for SHOW FUNCTIONS: "substring(text, from [, count]): part of a text, counted from 1" */
};

/* All functions, one after another, grouped by name: for SHOW FUNCTIONS, completion. */
int wr_func_count(void);
const struct wr_func *wr_func_get(int i);
bool wr_func_exists(struct wr_str name);
/* The error "does not exist", with what may have been meant. */
wr_status wr_func_unknown(struct wr_str name, int32_t off, struct wr_error *err);
/* The entries of that name, in table order: index of the first and how many; 0: no such function. */
int wr_func_range(struct wr_str name, int *first);
/* The conversion from one type to another, or NULL if there is none. */
const struct wr_func *wr_func_cast(struct wr_type from, struct wr_type to);

#endif

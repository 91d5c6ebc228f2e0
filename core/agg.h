/* agg.h: the table of aggregate functions. Every aggregate can add, retract and merge, so that it works over changelogs, panes and tasks.
 *
 * - Operators and the binder use the wr_aggcall_* functions below, never the vtable: they see to DISTINCT.
 * - State is c->size bytes inside the group's entry, aligned to 16 if its size is a multiple of 16 and to 8 otherwise, plus whatever it
 *   owns on the heap (freed by drop). A state is only moved by memcpy: nothing points into it.
 * - NULL: PostgreSQL's rules. Rows whose first argument is NULL are skipped (array_agg keeps them; regr_*, corr, covar_* skip a row with
 *   NULL in either argument; min_by and max_by skip NULL in the second one only); nothing added is NULL, 0 for the counts.
 * - Retraction brings a state back exactly: sums are exact (DOUBLE: to about 30 digits, see agg_impl.h), values that have to be found
 *   again are kept with their number. A row may be taken back before it was added, as in a pre-aggregate of part of the rows: after the
 *   merge all is right. In between the result is that of the rows held.
 * - "First" and "last" mean order of arrival: of add calls, of rows in sel; in a merge `into` came before `from`. Of rows with equal values
 *   the latest is the one taken back.
 * - Order of values is that of ORDER BY (NaN greatest, text bytewise); equal values that print differently (1 mon, 30 days) are apart for
 *   DISTINCT and mode.
 * - Approximate ones: see agg_approx.c; approx_count_distinct has a standard error of 1.63 % (exact up to 512 values) and cannot
 *   retract: bind says so; approx_percentile is off by at most 1/128 (0.79 %) of the value, towards 0, and retracts. */
#ifndef WR_CORE_AGG_H
#define WR_CORE_AGG_H

#include "core/batch.h"

struct wr_agg;
/* One aggregate in a plan: count(*), sum(DISTINCT valor), percentile_cont(0.9)... */
struct wr_aggcall {
    const struct wr_agg *fn;  /* what was asked for; bind may replace it by the variant for the types (same name) */
    struct wr_type ret;
    int n_arg;
    int arg[4];               /* columns of the aggregate's input */
    struct wr_type arg_type[4];
    int filter;               /* column of a BOOLEAN: FILTER (WHERE ..); -1: none */
    bool distinct;            /* each distinct argument value counts once; bind clears it where that changes nothing (min, bool_and ...) */
    bool retract;             /* input may take rows back: min, max, first, last ... keep all values, otherwise only the best */
    bool partial;             /* states are parts that are merged before they are asked, and may take back rows that another part has */
    bool has_param;           /* param or sep was given */
    double param;             /* percentile fraction, k of top-k */
    struct wr_str sep;        /* string_agg separator */
    int n_order;              /* ORDER BY inside the aggregate (array_agg, string_agg, first/last_value): columns; bind clears it elsewhere.
                                 Percentiles, mode: 1 and order[0] = arg[0] for WITHIN GROUP (ORDER BY x DESC) */
    int order[2];
    bool order_desc[2];       /* asc: NULLs last, desc: NULLs first */
    int by_arg;               /* set by bind: rows are ordered by argument by_arg - 1 (min_by, DISTINCT); 0: by order[] */
    bool by_desc;
    uint32_t size, offset;    /* bytes of state, place in the group's entry; set by bind and by the operator */
    int32_t off;              /* place in the SQL text */
    struct wr_arena *mem;     /* the plan's; set before bind: an ARRAY result's element type is made there */
};

/* The constant that an aggregate takes besides its columns: the argument behind them, f(x, 0.9), or for the ordered-set form the only
 * one, f(0.9) WITHIN GROUP (ORDER BY x). The planner puts it into param or sep and sets has_param. */
enum wr_agg_const {
    WR_AGG_CONST_NONE,
    WR_AGG_CONST_FRACTION, /* param, 0..1 */
    WR_AGG_CONST_K,        /* param, whole, 1..10000 */
    WR_AGG_CONST_SEP       /* sep, text; may be left out: "," */
};

struct wr_agg {
    const char *name;
    const char *help;
    int min_arg, max_arg;     /* columns, without the constant; count(*): 0 */
    enum wr_agg_const constant;
    bool within_group;        /* WITHIN GROUP (ORDER BY x) is allowed; x is arg[0] */
    bool ordered;             /* ORDER BY inside the aggregate changes the result */
    bool keep_null;           /* a NULL first argument is not skipped: DISTINCT then holds it as a value */
    /* Checks the argument types (arg_type, n_arg, distinct, retract are set), sets ret and size, may set fn to a variant. May ask for a
     * cast by changing arg_type: the binder then inserts it. */
    wr_status (*bind)(struct wr_aggcall *c, struct wr_error *err);
    void (*init)(const struct wr_aggcall *c, void *state);
    /* For k < n: adds (or, for rows whose op retracts, takes back) row sel[k] (NULL: k) to the state at group[k] + c->offset.
     * Rows with NULL in the first argument are skipped by the aggregate itself (count(*) has none). FILTER has been applied to sel. */
    void (*add)(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
    /* The same with all rows going into one state; NULL: there is no faster way than add. */
    void (*add_run)(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
    void (*merge)(const struct wr_aggcall *c, void *into, const void *from); /* from stays usable */
    /* The value now: writes out[row], its NULL (nulls array exists), text into mem. false: overflow, the result row is bad. */
    bool (*result)(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem);
    /* Bytes that do not depend on addresses; the first is a version. */
    void (*save)(const struct wr_aggcall *c, const void *state, struct wr_buf *out);
    bool (*load)(const struct wr_aggcall *c, void *state, struct wr_str *in); /* into uninitialised memory; false: bytes are not a state, nothing owned */
    void (*drop)(const struct wr_aggcall *c, void *state); /* frees what the state owns; NULL: nothing */
    size_t (*heap)(const struct wr_aggcall *c, const void *state); /* bytes owned outside the entry; NULL: none */
};

int wr_agg_count(void);
const struct wr_agg *wr_agg_get(int i);
/* By name (also synonyms: mean, every, var_samp ...; any case), or NULL. */
const struct wr_agg *wr_agg_find(struct wr_str name);

/* Makes a call ready: checks the number and types of the arguments, the constant, DISTINCT and ORDER BY; sets ret and size. fn, n_arg,
 * arg, arg_type, distinct, retract, order and the constant are set by the caller. Where arg_type changed, the argument is to be cast to it.
 * May be called again on a bound call: after retract, partial or columns have changed. */
wr_status wr_aggcall_bind(struct wr_aggcall *c, struct wr_error *err);
/* The vtable's functions with DISTINCT seen to; `state` is the group's entry + c->offset. */
void wr_aggcall_init(const struct wr_aggcall *c, void *state);
void wr_aggcall_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
void wr_aggcall_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
void wr_aggcall_merge(const struct wr_aggcall *c, void *into, const void *from);
bool wr_aggcall_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem);
void wr_aggcall_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out);
bool wr_aggcall_load(const struct wr_aggcall *c, void *state, struct wr_str *in);
void wr_aggcall_drop(const struct wr_aggcall *c, void *state);
size_t wr_aggcall_heap(const struct wr_aggcall *c, const void *state);

#endif

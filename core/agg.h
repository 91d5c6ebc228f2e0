/* agg.h: the table of aggregate functions. Every aggregate can add, retract and merge, so that it works over changelogs, panes and tasks.
 * State is `size` bytes inside the group's entry, 16-byte aligned, plus whatever it owns on the heap (freed by `drop`). */
#ifndef WR_CORE_AGG_H
#define WR_CORE_AGG_H

#include "core/batch.h"

struct wr_agg;
/* One aggregate in a plan: count(*), sum(DISTINCT valor), percentile_cont(0.9)... */
struct wr_aggcall {
    const struct wr_agg *fn;
    struct wr_type ret;
    int n_arg;
    int arg[4];               /* columns of the aggregate's input */
    struct wr_type arg_type[4];
    int filter;               /* column of a BOOLEAN: FILTER (WHERE ..); -1: none */
    bool distinct;            /* each distinct argument value counts once; done by the operator through wr_agg_distinct below */
    bool retract;             /* input may take rows back: min, max, first, last ... keep all values, otherwise only the best */
    double param;             /* percentile fraction, k of top-k */
    struct wr_str sep;        /* string_agg separator */
    int n_order;              /* ORDER BY inside the aggregate (array_agg, string_agg, first/last_value): columns */
    int order[2];
    bool order_desc[2];
    uint32_t size, offset;    /* bytes of state, place in the group's entry; set by bind and by the operator */
    int32_t off;              /* place in the SQL text */
};

struct wr_agg {
    const char *name;
    const char *help;
    int min_arg, max_arg;     /* count(*): 0 */
    /* Checks the argument types (arg_type, n_arg, distinct, retract are set), sets ret and size. May ask for a cast by changing arg_type:
     * the binder then inserts it. */
    wr_status (*bind)(struct wr_aggcall *c, struct wr_error *err);
    void (*init)(const struct wr_aggcall *c, void *state);
    /* For k < n: adds (or, for rows whose op retracts, takes back) row sel[k] (NULL: k) to the state at group[k] + c->offset.
     * Rows with NULL in the first argument are skipped by the aggregate itself (count(*) has none). FILTER has been applied to sel. */
    void (*add)(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n);
    void (*merge)(const struct wr_aggcall *c, void *into, const void *from); /* from stays usable */
    /* The value now: writes out[row], its NULL (nulls array exists), text into mem. false: overflow, the result row is bad. */
    bool (*result)(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem);
    void (*save)(const struct wr_aggcall *c, const void *state, struct wr_buf *out);
    bool (*load)(const struct wr_aggcall *c, void *state, struct wr_str *in); /* into uninitialised memory; false: bytes are not a state, nothing owned */
    void (*drop)(const struct wr_aggcall *c, void *state); /* frees what the state owns; NULL: nothing */
    size_t (*heap)(const struct wr_aggcall *c, const void *state); /* bytes owned outside the entry; NULL: none */
};

int wr_agg_count(void);
const struct wr_agg *wr_agg_get(int i);
/* By name (also synonyms: mean, every, var_samp ...), or NULL. */
const struct wr_agg *wr_agg_find(struct wr_str name);

#endif

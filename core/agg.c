/* agg.c: finding aggregates, binding a call, and what operators call (DISTINCT or plain).
 * Rules:  the tables lie in agg_*.c files; their order here is that of SHOW FUNCTIONS. Other names for the same thing are in `synonym`.
 * Memory: nothing here is owned; states are their group's. */
#include "core/agg_impl.h"

static const struct wr_agg_table *const tables[] = {
    &wr_aggs_num, &wr_aggs_minmax, &wr_aggs_pick, &wr_aggs_stat, &wr_aggs_percentile, &wr_aggs_list, &wr_aggs_approx,
};
enum { N_TABLE = sizeof tables / sizeof tables[0] };

static const struct {
    const char *name, *means;
} synonym[] = {
    {"mean", "avg"},
    {"every", "bool_and"},
    {"logical_and", "bool_and"},
    {"logical_or", "bool_or"},
    {"countif", "count_if"},
    {"first", "first_value"},
    {"last", "last_value"},
    {"earliest_by_offset", "first_value"},
    {"latest_by_offset", "last_value"},
    {"arg_min", "min_by"},
    {"argmin", "min_by"},
    {"arg_max", "max_by"},
    {"argmax", "max_by"},
    {"stddev", "stddev_samp"},
    {"variance", "var_samp"},
    {"variance_samp", "var_samp"},
    {"variance_pop", "var_pop"},
    {"quantile_cont", "percentile_cont"},
    {"quantile_disc", "percentile_disc"},
    {"listagg", "string_agg"},
    {"group_concat", "string_agg"},
    {"approx_distinct", "approx_count_distinct"},
    {"approx_quantile", "approx_percentile"},
    {"percentile_approx", "approx_percentile"},
};

int wr_agg_count(void)
{
    int n = 0;
    for (int t = 0; t < N_TABLE; t++)
        n += tables[t]->n;
    return n;
}

const struct wr_agg *wr_agg_get(int i)
{
    for (int t = 0; t < N_TABLE; t++) {
        if (i < tables[t]->n)
            return &tables[t]->agg[i];
        i -= tables[t]->n;
    }
    WR_BUG("no such aggregate");
}

const struct wr_agg *wr_agg_find(struct wr_str name)
{
    for (size_t i = 0; i < sizeof synonym / sizeof synonym[0]; i++)
        if (wr_str_ieq_c(name, synonym[i].name))
            name = wr_str_c(synonym[i].means);
    for (int t = 0; t < N_TABLE; t++)
        for (int i = 0; i < tables[t]->n; i++)
            if (wr_str_ieq_c(name, tables[t]->agg[i].name))
                return &tables[t]->agg[i];
    return NULL;
}

wr_status wr_agg_refuse(const struct wr_aggcall *c, int i, const char *what, const char *hint, struct wr_error *err)
{
    struct wr_arena mem = {0};
    struct wr_str type = wr_type_name(&mem, c->arg_type[i]);
    wr_status st = wr_fail_at(err, WR_ESQL, c->off, "aggregate \"%s\" takes %s, not %.*s", c->fn->name, what, WR_FMT(type));
    if (hint)
        wr_hint(err, "%s", hint);
    wr_arena_clear(&mem);
    return st;
}

static wr_status check_constant(struct wr_aggcall *c, struct wr_error *err)
{
    const char *name = c->fn->name;
    switch (c->fn->constant) {
    case WR_AGG_CONST_NONE:
        return WR_OK;
    case WR_AGG_CONST_FRACTION:
        if (c->has_param && c->param >= 0 && c->param <= 1)
            return WR_OK;
        wr_fail_at(err, WR_ESQL, c->off, "aggregate \"%s\" needs a constant fraction from 0 to 1", name);
        if (c->fn->within_group)
            wr_hint(err, "%s(0.95) WITHIN GROUP (ORDER BY x), or %s(x, 0.95)", name, name);
        else
            wr_hint(err, "%s(x, 0.95)", name);
        return WR_ESQL;
    case WR_AGG_CONST_K:
        if (c->has_param && c->param >= 1 && c->param <= 10000 && c->param == floor(c->param))
            return WR_OK;
        wr_fail_at(err, WR_ESQL, c->off, "aggregate \"%s\" needs a constant whole number from 1 to 10000", name);
        wr_hint(err, "%s(x, 10)", name);
        return WR_ESQL;
    case WR_AGG_CONST_SEP:
        if (!c->has_param)
            c->sep = WR_STR(",");
        return WR_OK;
    }
    WR_BUG("constant %d", (int)c->fn->constant);
}

static wr_status check_order(struct wr_aggcall *c, struct wr_error *err)
{
    c->by_arg = 0;
    c->by_desc = false;
    if (!c->fn->ordered)
        c->n_order = 0;
    if (!c->distinct || c->n_order == 0)
        return WR_OK;
    c->by_arg = 1;
    c->by_desc = c->order_desc[0];
    for (int i = 0; i < c->n_order; i++) {
        if (c->order[i] == c->arg[0])
            continue;
        wr_fail_at(err, WR_ESQL, c->off, "aggregate \"%s\" with DISTINCT can be ordered by its argument only", c->fn->name);
        wr_hint(err, "%s(DISTINCT x ORDER BY x), or leave DISTINCT out", c->fn->name);
        return WR_ESQL;
    }
    return WR_OK;
}

wr_status wr_aggcall_bind(struct wr_aggcall *c, struct wr_error *err)
{
    const struct wr_agg *fn = c->fn;
    if (c->n_arg < fn->min_arg || c->n_arg > fn->max_arg) {
        wr_fail_at(err, WR_ESQL, c->off, "aggregate \"%s\" does not take %d argument%s", fn->name, c->n_arg, c->n_arg == 1 ? "" : "s");
        wr_hint(err, "%s", fn->help);
        return WR_ESQL;
    }
    if (c->distinct && c->n_arg == 0)
        return wr_fail_at(err, WR_ESQL, c->off, "DISTINCT needs an argument: \"%s\" has none", fn->name);
    for (int i = 0; i < c->n_arg; i++)
        if (c->arg_type[i].id == WR_T_NULL)
            return wr_agg_refuse(c, i, "a value of a known type", "write CAST(NULL AS type)", err);
    WR_TRY(check_constant(c, err));
    WR_TRY(check_order(c, err));
    WR_TRY(fn->bind(c, err));
    if (c->distinct)
        c->size += WR_AGG_DISTINCT_HEAD;
    return WR_OK;
}

struct wr_aggcall wr_agg_inner(const struct wr_aggcall *c)
{
    struct wr_aggcall in = *c;
    in.distinct = false;
    in.offset += WR_AGG_DISTINCT_HEAD;
    in.size -= WR_AGG_DISTINCT_HEAD;
    return in;
}

static void *inner_of(void *state)
{
    return (char *)state + WR_AGG_DISTINCT_HEAD;
}

static const void *inner_of_const(const void *state)
{
    return (const char *)state + WR_AGG_DISTINCT_HEAD;
}

void wr_aggcall_init(const struct wr_aggcall *c, void *state)
{
    if (!c->distinct) {
        c->fn->init(c, state);
        return;
    }
    struct wr_aggcall in = wr_agg_inner(c);
    *(struct wr_multiset *)state = (struct wr_multiset){0};
    in.fn->init(&in, inner_of(state));
}

void wr_aggcall_add(const struct wr_aggcall *c, char *const *group, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    if (c->distinct)
        wr_agg_distinct_add(c, group, NULL, in, sel, n);
    else
        c->fn->add(c, group, in, sel, n);
}

void wr_aggcall_add_run(const struct wr_aggcall *c, void *state, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    if (c->distinct) {
        wr_agg_distinct_add(c, NULL, state, in, sel, n);
        return;
    }
    if (c->fn->add_run) {
        c->fn->add_run(c, state, in, sel, n);
        return;
    }
    enum { PIECE = 256 };
    char *group[PIECE];
    uint32_t rows[PIECE];
    for (uint32_t i = 0; i < PIECE && i < n; i++)
        group[i] = (char *)state - c->offset;
    for (uint32_t k = 0; k < n; k += PIECE) {
        uint32_t m = n - k < PIECE ? n - k : PIECE;
        for (uint32_t i = 0; i < m; i++)
            rows[i] = wr_agg_row(sel, k + i);
        c->fn->add(c, group, in, rows, m);
    }
}

void wr_aggcall_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    if (c->distinct)
        wr_agg_distinct_merge(c, into, from);
    else
        c->fn->merge(c, into, from);
}

bool wr_aggcall_result(const struct wr_aggcall *c, const void *state, struct wr_vec *out, uint32_t row, struct wr_arena *mem)
{
    return c->fn->result(c, c->distinct ? inner_of_const(state) : state, out, row, mem); /* it does not ask where the state lies in its group */
}

void wr_aggcall_save(const struct wr_aggcall *c, const void *state, struct wr_buf *out)
{
    if (!c->distinct) {
        c->fn->save(c, state, out);
        return;
    }
    struct wr_aggcall in = wr_agg_inner(c);
    wr_buf_u8(out, WR_AGG_V1);
    wr_multiset_save(state, out);
    in.fn->save(&in, inner_of_const(state), out);
}

bool wr_aggcall_load(const struct wr_aggcall *c, void *state, struct wr_str *in)
{
    if (!c->distinct)
        return c->fn->load(c, state, in);
    struct wr_aggcall inner = wr_agg_inner(c);
    if (!wr_agg_take_version(in) || !wr_multiset_load(state, in))
        return false;
    if (inner.fn->load(&inner, inner_of(state), in))
        return true;
    wr_multiset_clear(state);
    return false;
}

void wr_aggcall_drop(const struct wr_aggcall *c, void *state)
{
    if (!c->distinct) {
        if (c->fn->drop)
            c->fn->drop(c, state);
        return;
    }
    struct wr_aggcall in = wr_agg_inner(c);
    wr_multiset_clear(state);
    if (in.fn->drop)
        in.fn->drop(&in, inner_of(state));
}

size_t wr_aggcall_heap(const struct wr_aggcall *c, const void *state)
{
    if (!c->distinct)
        return c->fn->heap ? c->fn->heap(c, state) : 0;
    return wr_multiset_heap(state) + (c->fn->heap ? c->fn->heap(c, inner_of_const(state)) : 0);
}

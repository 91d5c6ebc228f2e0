/* fuzz_agg_state.c: saved states of aggregates. First byte: which call; second, bit 0: input may take rows back; the rest: the state's bytes.
 * Properties: load refuses and owns nothing, or gives a state whose save loads again to the same bytes, with which result and merge work,
 * and whose heap is bounded by the bytes it came from. */
#include <stdlib.h>

#include "core/agg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const struct {
    const char *agg;
    enum wr_tid type[2];
    bool distinct;
    double param;
} calls[] = {
    {"count", {WR_T_TEXT}, false, 0},        {"count", {WR_T_TEXT, WR_T_INT}, true, 0}, {"sum", {WR_T_BIGINT}, false, 0},
    {"sum", {WR_T_DECIMAL}, true, 0},        {"sum", {WR_T_DOUBLE}, false, 0},          {"sum", {WR_T_INTERVAL}, false, 0},
    {"avg", {WR_T_DECIMAL}, false, 0},       {"avg", {WR_T_INTERVAL}, false, 0},        {"min", {WR_T_TEXT}, false, 0},
    {"max", {WR_T_DECIMAL}, false, 0},       {"max", {WR_T_INTERVAL}, false, 0},        {"bool_and", {WR_T_BOOL}, false, 0},
    {"stddev", {WR_T_DOUBLE}, false, 0},     {"stddev", {WR_T_BIGINT}, false, 0},       {"corr", {WR_T_DOUBLE, WR_T_DOUBLE}, false, 0},
    {"first_value", {WR_T_TEXT}, false, 0},  {"max_by", {WR_T_INTERVAL, WR_T_TEXT}, false, 0}, {"any_value", {WR_T_BOOL}, false, 0},
    {"percentile_cont", {WR_T_DECIMAL}, false, 0.4}, {"percentile_disc", {WR_T_TEXT}, false, 0.4}, {"mode", {WR_T_INTERVAL}, false, 0},
    {"string_agg", {WR_T_TEXT}, false, 0},   {"string_agg", {WR_T_TEXT}, true, 0},      {"array_agg", {WR_T_TEXT}, false, 0},
    {"array_agg", {WR_T_INTERVAL}, true, 0}, {"topk", {WR_T_BIGINT}, false, 3},         {"topk_distinct", {WR_T_TEXT}, false, 3},
    {"approx_count_distinct", {WR_T_TEXT}, false, 0}, {"approx_percentile", {WR_T_DOUBLE}, false, 0.4},
};

static bool open_call(struct wr_aggcall *c, uint8_t which, bool retract, struct wr_arena *mem)
{
    struct wr_error err = WR_ERROR_INIT;
    which %= sizeof calls / sizeof calls[0];
    *c = (struct wr_aggcall){.fn = wr_agg_find(wr_str_c(calls[which].agg)), .filter = -1, .retract = retract, .mem = mem};
    c->n_arg = calls[which].type[1] ? 2 : 1;
    for (int i = 0; i < c->n_arg; i++) {
        c->arg[i] = i;
        c->arg_type[i] = calls[which].type[i] == WR_T_DECIMAL ? wr_type_decimal(30, 4) : (struct wr_type){.id = (uint8_t)calls[which].type[i]};
    }
    c->distinct = calls[which].distinct;
    c->param = calls[which].param;
    c->has_param = c->param > 0;
    return wr_aggcall_bind(c, &err) == WR_OK;
}

static void check_save(const struct wr_aggcall *c, const void *state)
{
    struct wr_buf a = WR_BUF_INIT(0), b = WR_BUF_INIT(0);
    void *copy = aligned_alloc(16, (c->size + 15) / 16 * 16);
    wr_aggcall_save(c, state, &a);
    struct wr_str in = wr_buf_get(&a);
    WR_ASSERT(wr_aggcall_load(c, copy, &in) && in.n == 0);
    wr_aggcall_save(c, copy, &b);
    WR_ASSERT(wr_str_eq(wr_buf_get(&a), wr_buf_get(&b)));
    wr_aggcall_drop(c, copy);
    free(copy);
    wr_buf_clear(&a);
    wr_buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    struct wr_arena mem = {0};
    struct wr_aggcall c;
    if (n < 2 || !open_call(&c, data[0], data[1] & 1, &mem)) {
        wr_arena_clear(&mem);
        return 0;
    }
    struct wr_str in = {(const char *)data + 2, (uint32_t)n - 2};
    size_t size = (c.size + 15) / 16 * 16; /* aligned_alloc wants a multiple */
    void *state = aligned_alloc(16, size), *sum = aligned_alloc(16, size);
    if (wr_aggcall_load(&c, state, &in)) {
        struct wr_vec v;
        wr_vec_init(&v, c.ret, 1, &mem);
        (void)wr_vec_nulls(&v, 1, &mem);
        WR_ASSERT(wr_aggcall_heap(&c, state) <= 8192 + 128 * n);
        check_save(&c, state);
        (void)wr_aggcall_result(&c, state, &v, 0, &mem);
        wr_aggcall_init(&c, sum);
        wr_aggcall_merge(&c, sum, state);
        wr_aggcall_merge(&c, sum, state);
        (void)wr_aggcall_result(&c, sum, &v, 0, &mem);
        wr_aggcall_drop(&c, sum);
        wr_aggcall_drop(&c, state);
    }
    free(state);
    free(sum);
    wr_arena_clear(&mem);
    return 0;
}

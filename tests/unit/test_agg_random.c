/* test_agg_random.c: random rows come and are taken back, in several groups, batches, partial states that are merged, saved and loaded on
 * the way. In the end each group must give what a plain recomputation over the rows left gives; for whole numbers this is written out here,
 * for the other types it is a fresh state over input that is only added to (other code than that which can take back). */
#include "agg_fixture.h"

#include <math.h>

enum { GROUPS = 3, ROWS = 240 };

static uint64_t seed;
static uint64_t rnd(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

/* ---- rows */

/* Few different values, so that equal ones are frequent; some NULLs. */
static void random_value(struct fx *f, int col, struct wr_batch *b, uint32_t row)
{
    static const double factor[] = {1e-9, 0.1, 1, 3.7, 1e9};
    static const char *const word[] = {"", "a", "ab", "b", "a longer text that does not fit into an entry", "a longer text that ends otherwise", "\xc3\xa9"};
    struct wr_value v = {.type = f->col_type[col], .null = rnd(8) == 0};
    int64_t small = (int64_t)rnd(12) - 5;
    switch (wr_type_phys((enum wr_tid)v.type.id)) {
    case WR_P_I8: v.as.b = rnd(2) != 0; break;
    case WR_P_I64: v.as.i = small; break;
    case WR_P_F64: v.as.d = (double)small * factor[rnd(5)]; break;
    case WR_P_I128: v.as.dec = (wr_i128)small * (rnd(3) ? 1 : wr_pow10[20]); break;
    case WR_P_STR: v.as.s = wr_str_c(word[rnd(7)]); break;
    case WR_P_IVL: v.as.iv = (struct wr_interval){small * 1000000, (int32_t)rnd(3), (int32_t)rnd(3) - 1}; break;
    }
    if (v.type.id == WR_T_DOUBLE && rnd(40) == 0)
        v.as.d = rnd(2) ? (double)NAN : (double)INFINITY;
    if (v.type.id == WR_T_DOUBLE && v.as.d == 0)
        v.as.d = 0; /* no -0: it equals 0 but prints otherwise */
    wr_vec_set(&b->col[col], row, &v, b->cap, &b->mem);
}

struct world {
    struct fx whole, part;    /* the call, and the same for partial states */
    struct wr_batch *b;       /* every row there was, additions and retractions */
    int8_t op[ROWS];
    uint32_t group[ROWS];
    uint32_t live[ROWS];      /* rows held, in order of arrival */
    uint32_t n_live;
};

static bool same_row(const struct world *w, uint32_t a, uint32_t b)
{
    const struct wr_aggcall *call = &w->whole.call;
    for (int c = 0; c < w->whole.n_col; c++) {
        const struct wr_vec *v = &w->b->col[c];
        if (c >= call->n_arg && call->n_order == 0)
            continue; /* a column that is not looked at */
        if (wr_vec_null(v, a) != wr_vec_null(v, b) || (!wr_vec_null(v, a) && wr_vec_cmp(v, a, v, b) != 0))
            return false;
        if (v->type.id == WR_T_INTERVAL && !wr_vec_null(v, a) && memcmp(&WR_VEC_IVL(v)[a], &WR_VEC_IVL(v)[b], sizeof(struct wr_interval)) != 0)
            return false;
    }
    return true;
}

/* Row r takes back what row `old` had; of equal rows of the group the latest goes. */
static void take_back(struct world *w, uint32_t r, uint32_t old)
{
    for (int c = 0; c < w->whole.n_col; c++) {
        struct wr_value v = wr_vec_get(&w->b->col[c], old);
        wr_vec_set(&w->b->col[c], r, &v, w->b->cap, &w->b->mem);
    }
    w->op[r] = WR_OP_DELETE;
    w->group[r] = w->group[old];
    uint32_t i = w->n_live - 1;
    while (w->group[w->live[i]] != w->group[r] || !same_row(w, w->live[i], r))
        i--;
    w->n_live--;
    memmove(&w->live[i], &w->live[i + 1], (w->n_live - i) * sizeof w->live[0]);
}

static void make_rows(struct world *w, bool retract)
{
    struct wr_field field[FX_COLS] = {0};
    struct wr_schema schema = {.n = w->whole.n_col, .field = field};
    for (int c = 0; c < w->whole.n_col; c++)
        field[c].type = w->whole.col_type[c];
    w->b = wr_batch_new(&schema, ROWS);
    w->n_live = 0;
    for (uint32_t r = 0; r < ROWS; r++) {
        if (retract && w->n_live && rnd(100) < (r % 80 < 40 ? 20 : 70)) {
            take_back(w, r, w->live[rnd(w->n_live)]);
            continue;
        }
        for (int c = 0; c < w->whole.n_col; c++)
            random_value(&w->whole, c, w->b, r);
        w->op[r] = WR_OP_INSERT;
        w->group[r] = (uint32_t)rnd(GROUPS);
        w->live[w->n_live++] = r;
    }
    w->b->len = ROWS;
    w->b->op = retract ? w->op : NULL;
}

/* ---- feeding */

/* Rows from..to into the groups' states, mostly as one batch, sometimes a row at a time in runs. */
static void feed(const struct world *w, const struct fx *f, void **state, uint32_t from, uint32_t to)
{
    char *group[ROWS];
    uint32_t sel[ROWS];
    struct wr_aggcall c = f->call;
    c.offset = 16;
    for (uint32_t r = from; r < to; r++) {
        group[r - from] = (char *)state[w->group[r]] - c.offset;
        sel[r - from] = r;
    }
    if (rnd(3)) {
        wr_aggcall_add(&c, group, w->b, sel, to - from);
        return;
    }
    for (uint32_t r = from; r < to; r++)
        wr_aggcall_add_run(&f->call, state[w->group[r]], w->b, &r, 1);
}

/* Everything at random cuts: into the whole states, or into partial ones that are merged then. */
static void feed_all(struct world *w, void **whole)
{
    for (uint32_t at = 0; at < ROWS;) {
        uint32_t to = at + 1 + (uint32_t)rnd(50);
        to = to < ROWS ? to : ROWS;
        if (rnd(2)) {
            feed(w, &w->whole, whole, at, to);
        } else {
            void *part[GROUPS];
            for (int g = 0; g < GROUPS; g++)
                part[g] = fx_new(&w->part);
            feed(w, &w->part, part, at, to);
            for (int g = 0; g < GROUPS; g++) {
                if (rnd(2))
                    part[g] = fx_reload(&w->part, part[g]);
                wr_aggcall_merge(&w->whole.call, whole[g], part[g]);
                fx_free(&w->part, part[g]);
            }
        }
        if (rnd(3) == 0) {
            uint32_t g = (uint32_t)rnd(GROUPS);
            whole[g] = fx_reload(&w->whole, whole[g]);
        }
        at = to;
    }
}

static void world_open(struct world *w, const char *agg, const char *types, const char *options, bool retract)
{
    struct wr_error err = WR_ERROR_INIT;
    fx_open(&w->whole, agg, types, options, retract);
    fx_open(&w->part, agg, types, options, retract);
    w->part.call.partial = true;
    assert_int_equal(wr_aggcall_bind(&w->part.call, &err), WR_OK);
    make_rows(w, retract);
}

static void world_close(struct world *w)
{
    wr_batch_unref(w->b);
    fx_close(&w->whole);
    fx_close(&w->part);
}

/* ---- the fresh state over input that is only added to */

static const char *fresh_result(struct world *w, const char *agg, const char *types, const char *options, uint32_t g)
{
    struct fx f;
    uint32_t sel[ROWS], n = 0;
    fx_open(&f, agg, types, options, false);
    for (uint32_t i = 0; i < w->n_live; i++)
        if (w->group[w->live[i]] == g)
            sel[n++] = w->live[i];
    const int8_t *op = w->b->op;
    w->b->op = NULL;
    void *s = fx_new(&f);
    wr_aggcall_add_run(&f.call, s, w->b, sel, n);
    w->b->op = op;
    const char *want = wr_arena_str(&w->whole.mem, wr_str_c(fx_result(&f, s))).p;
    fx_free(&f, s);
    fx_close(&f);
    return want;
}

static const struct {
    const char *agg, *types, *options;
} calls[] = {
    {"count", "t", ""}, {"count", "t", "distinct"}, {"count", "t i", "distinct"}, {"count", "I", "distinct"}, {"count", "b", "distinct"},
    {"count_if", "b", ""}, {"sum", "i", ""}, {"sum", "l", ""}, {"sum", "n38.4", ""}, {"sum", "d", ""}, {"sum", "I", ""},
    {"sum", "d", "distinct"}, {"sum", "n38.4", "distinct"}, {"sum", "I", "distinct"}, {"avg", "i", ""}, {"avg", "l", ""}, {"avg", "n38.4", ""},
    {"avg", "d", ""}, {"avg", "I", ""}, {"avg", "i", "distinct"}, {"min", "i", ""}, {"min", "d", ""}, {"min", "n38.4", ""}, {"min", "t", ""},
    {"min", "T", ""}, {"max", "i", ""}, {"max", "d", ""}, {"max", "n38.4", ""}, {"max", "t", ""}, {"max", "D", ""}, {"max", "y", "distinct"},
    {"bool_and", "b", ""}, {"bool_or", "b", ""}, {"bool_and", "b", "distinct"}, {"var_pop", "i", ""}, {"var_samp", "n38.4", ""},
    {"stddev_samp", "l", ""}, {"stddev_pop", "i", "distinct"}, {"first_value", "t", ""}, {"first_value", "d", ""}, {"first_value", "b", ""},
    {"first_value", "t i", "order=1"}, {"first_value", "t i n38.4", "order=1 order=2desc"}, {"last_value", "t", ""},
    {"last_value", "I", ""}, {"last_value", "t d", "order=1desc"}, {"last_value", "t t", "order=1"}, {"min_by", "t i", ""}, {"min_by", "i t", ""},
    {"max_by", "n38.4 d", ""}, {"max_by", "t I", ""}, {"max_by", "t i", "distinct"}, {"percentile_cont", "i", "p=0.3"},
    {"percentile_cont", "n38.4", "p=0.99"}, {"percentile_cont", "i", "p=0.3 distinct"}, {"percentile_disc", "t", "p=0.3"},
    {"percentile_disc", "I", "p=0.3 order=0desc"}, {"percentile_disc", "d", "p=0.8"}, {"median", "i", ""}, {"mode", "t", ""},
    {"mode", "i", "order=0desc"}, {"string_agg", "t", "sep=/"}, {"string_agg", "t i", "sep=/ order=1"}, {"string_agg", "t", "sep=/ distinct"},
    {"string_agg", "y", "sep=/ distinct order=0desc"}, {"array_agg", "t", ""}, {"array_agg", "d", ""}, {"array_agg", "n38.4", "distinct"},
    {"array_agg", "b t", "order=1desc"}, {"array_agg", "I", ""}, {"collect_list", "i", ""}, {"topk", "i", "p=4"}, {"topk", "t", "p=3"},
    {"topk", "d", "p=1"}, {"topk_distinct", "i", "p=4"}, {"topk_distinct", "t", "p=3"}, {"approx_percentile", "d", "p=0.4"},
    {"approx_percentile", "i", "p=0.9"}, {"regr_count", "d d", ""},
};

static void run_calls(bool retract, uint64_t seeds)
{
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        for (uint64_t s = 1; s <= seeds; s++) {
            struct world w;
            void *state[GROUPS];
            seed = s * 1000 + i;
            world_open(&w, calls[i].agg, calls[i].types, calls[i].options, retract);
            for (int g = 0; g < GROUPS; g++)
                state[g] = fx_new(&w.whole);
            feed_all(&w, state);
            for (uint32_t g = 0; g < GROUPS; g++) {
                const char *want = fresh_result(&w, calls[i].agg, calls[i].types, calls[i].options, g), *got = fx_result(&w.whole, state[g]);
                if (strcmp(got, want) != 0)
                    fail_msg("%s(%s) %s, seed %d, group %u: %s instead of %s", calls[i].agg, calls[i].types, calls[i].options, (int)s, g, got, want);
                fx_free(&w.whole, state[g]);
            }
            world_close(&w);
        }
}

static void added_rows_match_one_batch(void **state WR_UNUSED)
{
    run_calls(false, 4);
}

static void retracted_rows_match_a_fresh_state(void **state WR_UNUSED)
{
    run_calls(true, 8);
}

/* ---- whole numbers, recomputed here */

struct live {
    int64_t x[ROWS], y[ROWS];     /* x: not NULL, in order of arrival; y belongs to the same row */
    bool y_null[ROWS];
    uint32_t n;
};

static int by_number(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static struct live live_of(const struct world *w, uint32_t g)
{
    struct live l = {.n = 0};
    for (uint32_t i = 0; i < w->n_live; i++) {
        uint32_t r = w->live[i];
        if (w->group[r] != g || wr_vec_null(&w->b->col[0], r))
            continue;
        l.x[l.n] = WR_VEC_I64(&w->b->col[0])[r];
        l.y_null[l.n] = wr_vec_null(&w->b->col[1], r);
        l.y[l.n] = l.y_null[l.n] ? 0 : WR_VEC_I64(&w->b->col[1])[r];
        l.n++;
    }
    return l;
}

static void sorted(const struct live *l, int64_t *v)
{
    memcpy(v, l->x, l->n * sizeof *v);
    qsort(v, l->n, sizeof *v, by_number);
}

static void naive_sum(const struct live *l, struct wr_buf *out)
{
    int64_t s = 0;
    for (uint32_t i = 0; i < l->n; i++)
        s += l->x[i];
    wr_buf_printf(out, "%lld", (long long)s);
}

/* 16 decimals, half away from zero, by long division. */
static void naive_avg(const struct live *l, struct wr_buf *out)
{
    int64_t s = 0, n = l->n;
    for (uint32_t i = 0; i < l->n; i++)
        s += l->x[i];
    wr_i128 t = (wr_i128)(s < 0 ? -s : s) * wr_pow10[17] / n, q = (t + 5) / 10; /* s / n has no more than 17 decimals before a 5 decides */
    wr_buf_printf(out, "%s%lld.%016lld", s < 0 && q ? "-" : "", (long long)(q / wr_pow10[16]), (long long)(q % wr_pow10[16]));
}

static void naive_min(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS];
    sorted(l, v);
    wr_buf_printf(out, "%lld", (long long)v[0]);
}

static void naive_max(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS];
    sorted(l, v);
    wr_buf_printf(out, "%lld", (long long)v[l->n - 1]);
}

static void naive_count_distinct(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS];
    int n = 0;
    sorted(l, v);
    for (uint32_t i = 0; i < l->n; i++)
        n += i == 0 || v[i] != v[i - 1];
    wr_buf_printf(out, "%d", n);
}

static void naive_sum_distinct(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS], s = 0;
    sorted(l, v);
    for (uint32_t i = 0; i < l->n; i++)
        s += i == 0 || v[i] != v[i - 1] ? v[i] : 0;
    wr_buf_printf(out, "%lld", (long long)s);
}

/* p = 0.25: the value with number ceil(n / 4), from 1 */
static void naive_quartile(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS];
    sorted(l, v);
    wr_buf_printf(out, "%lld", (long long)v[(l->n + 3) / 4 - 1]);
}

/* Half of the sum of the two in the middle. */
static void naive_median(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS];
    sorted(l, v);
    int64_t twice = v[(l->n - 1) / 2] + v[l->n / 2];
    wr_buf_printf(out, "%s%lld%s", twice == -1 ? "-" : "", (long long)(twice / 2), twice % 2 ? ".5" : "");
}

static void naive_mode(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS], best = 0;
    uint32_t most = 0, run = 0;
    sorted(l, v);
    for (uint32_t i = 0; i < l->n; i++) {
        run = i > 0 && v[i] == v[i - 1] ? run + 1 : 1;
        if (run > most) {
            most = run;
            best = v[i];
        }
    }
    wr_buf_printf(out, "%lld", (long long)best);
}

static void naive_topk(const struct live *l, struct wr_buf *out)
{
    int64_t v[ROWS];
    sorted(l, v);
    for (uint32_t i = 0; i < 5 && i < l->n; i++)
        wr_buf_printf(out, "%s%lld", i ? "," : "{", (long long)v[l->n - 1 - i]);
    wr_buf_puts(out, "}");
}

static void naive_first(const struct live *l, struct wr_buf *out)
{
    wr_buf_printf(out, "%lld", (long long)l->x[0]);
}

static void naive_last(const struct live *l, struct wr_buf *out)
{
    wr_buf_printf(out, "%lld", (long long)l->x[l->n - 1]);
}

static void naive_list(const struct live *l, struct wr_buf *out)
{
    for (uint32_t i = 0; i < l->n; i++)
        wr_buf_printf(out, "%s%lld", i ? "," : "{", (long long)l->x[i]);
    wr_buf_puts(out, "}");
}

/* ORDER BY y DESC: NULL first, equal ones by arrival. */
static void naive_ordered_list(const struct live *l, struct wr_buf *out)
{
    bool done[ROWS] = {false};
    for (uint32_t k = 0; k < l->n; k++) {
        uint32_t best = ROWS;
        for (uint32_t i = 0; i < l->n; i++)
            if (!done[i] && (best == ROWS || (!l->y_null[best] && (l->y_null[i] || l->y[i] > l->y[best]))))
                best = i;
        done[best] = true;
        wr_buf_printf(out, "%s%lld", k ? "," : "{", (long long)l->x[best]);
    }
    wr_buf_puts(out, "}");
}

static void naive_last_by_y(const struct live *l, struct wr_buf *out) /* ORDER BY y: NULL last */
{
    uint32_t best = 0;
    for (uint32_t i = 1; i < l->n; i++)
        if (l->y_null[i] || (!l->y_null[best] && l->y[i] >= l->y[best]))
            best = i;
    wr_buf_printf(out, "%lld", (long long)l->x[best]);
}

static const struct {
    const char *agg, *types, *options;
    void (*naive)(const struct live *, struct wr_buf *);
} numbers[] = {
    {"sum", "i i", "", naive_sum},
    {"avg", "i i", "", naive_avg},
    {"min", "i i", "", naive_min},
    {"max", "l i", "", naive_max},
    {"count", "i i", "distinct", naive_count_distinct},
    {"sum", "i i", "distinct", naive_sum_distinct},
    {"percentile_disc", "i i", "p=0.25", naive_quartile},
    {"median", "i i", "", naive_median},
    {"mode", "i i", "", naive_mode},
    {"topk", "i i", "p=5", naive_topk},
    {"first_value", "i i", "", naive_first},
    {"last_value", "i i", "", naive_last},
    {"collect_list", "i i", "", naive_list},
    {"collect_list", "i i", "order=1desc", naive_ordered_list},
    {"last_value", "i i", "order=1", naive_last_by_y},
};

static void numbers_match_what_is_computed_here(void **state WR_UNUSED)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        for (uint64_t s = 1; s <= 16; s++) {
            struct world w;
            void *whole[GROUPS];
            bool one = strcmp(numbers[i].agg, "count") == 0; /* takes up to four arguments */
            seed = s * 7919 + i;
            memset(&w, 0, sizeof w);
            world_open(&w, numbers[i].agg, numbers[i].types, numbers[i].options, s % 4 != 0);
            if (one) {
                struct wr_error err = WR_ERROR_INIT;
                w.whole.call.n_arg = w.part.call.n_arg = 1;
                assert_int_equal(wr_aggcall_bind(&w.whole.call, &err), WR_OK);
                assert_int_equal(wr_aggcall_bind(&w.part.call, &err), WR_OK);
            }
            for (int g = 0; g < GROUPS; g++)
                whole[g] = fx_new(&w.whole);
            feed_all(&w, whole);
            for (uint32_t g = 0; g < GROUPS; g++) {
                struct live l = live_of(&w, g);
                struct wr_buf want = WR_BUF_INIT(0);
                if (l.n > 0)
                    numbers[i].naive(&l, &want);
                else
                    wr_buf_puts(&want, one ? "0" : "NULL");
                wr_buf_putc(&want, 0);
                const char *got = fx_result(&w.whole, whole[g]);
                if (strcmp(got, want.p) != 0)
                    fail_msg("%s %s, seed %d, group %u: %s instead of %s", numbers[i].agg, numbers[i].options, (int)s, g, got, want.p);
                wr_buf_clear(&want);
                fx_free(&w.whole, whole[g]);
            }
            world_close(&w);
        }
}

/* ---- sums of doubles: near the exact value, whatever passed through, in any order */

static void double_sums_do_not_depend_on_order(void **state WR_UNUSED)
{
    enum { N = 20000 };
    struct wr_field field = {.type = WR_TYPE_OF(DOUBLE)};
    struct wr_schema schema = {.n = 1, .field = &field};
    struct wr_batch *b = wr_batch_new(&schema, N);
    double *v = WR_VEC_F64(&b->col[0]);
    wr_i128 exact = 0; /* in units of 2^-60 */
    seed = 11;
    for (int i = 0; i < N; i++) {
        int64_t m = (int64_t)rnd(1u << 30) - (1 << 29);
        int shift = (int)rnd(80);
        v[i] = ldexp((double)m, shift - 60);
        exact += m * ((wr_i128)1 << shift);
    }
    b->len = N;
    uint32_t *sel = malloc(N * sizeof *sel);
    const char *first = NULL;
    struct fx f;
    fx_open(&f, "sum", "d", "", true);
    for (int round = 0; round < 6; round++) {
        for (uint32_t i = 0; i < N; i++)
            sel[i] = i;
        for (uint32_t i = N - 1; i > 0; i--) { /* shuffle */
            uint32_t j = (uint32_t)rnd(i + 1), t = sel[i];
            sel[i] = sel[j];
            sel[j] = t;
        }
        void *s = fx_new(&f);
        wr_aggcall_add_run(&f.call, s, b, sel, N);
        const char *got = fx_result(&f, s);
        fx_free(&f, s);
        first = first ? first : got;
        assert_string_equal(got, first);
    }
    assert_true(fabs(strtod(first, NULL) - ldexp((double)exact, -60)) <= fabs(ldexp((double)exact, -60)) * 0x1p-52);
    fx_close(&f);
    free(sel);
    wr_batch_unref(b);
}

/* Variance and regression against two passes in long double. */
static void moments_match_two_passes(void **state WR_UNUSED)
{
    enum { N = 3000 };
    struct wr_field field[2] = {{.type = WR_TYPE_OF(DOUBLE)}, {.type = WR_TYPE_OF(DOUBLE)}};
    struct wr_schema schema = {.n = 2, .field = field};
    static const double offset[] = {0, 1, 1e6, -1e9};
    for (int o = 0; o < 4; o++) {
        struct wr_batch *b = wr_batch_new(&schema, N);
        double *y = WR_VEC_F64(&b->col[0]), *x = WR_VEC_F64(&b->col[1]);
        seed = 21 + (uint64_t)o;
        for (int i = 0; i < N; i++) {
            x[i] = offset[o] + (double)rnd(1000000) / 1000;
            y[i] = x[i] * 0.5 + (double)rnd(1000000) / 10000;
        }
        long double mx = 0, my = 0, sxx = 0, syy = 0, sxy = 0;
        for (int i = 0; i < N; i++) {
            mx += x[i];
            my += y[i];
        }
        mx /= N;
        my /= N;
        for (int i = 0; i < N; i++) {
            sxx += (x[i] - mx) * (x[i] - mx);
            syy += (y[i] - my) * (y[i] - my);
            sxy += (x[i] - mx) * (y[i] - my);
        }
        const struct {
            const char *agg, *types;
            long double want;
        } t[] = {
            {"var_samp", "d", syy / (N - 1)},        {"var_pop", "d", syy / N},
            {"stddev_samp", "d", sqrtl(syy / (N - 1))}, {"stddev_pop", "d", sqrtl(syy / N)},
            {"covar_pop", "d d", sxy / N},           {"covar_samp", "d d", sxy / (N - 1)},
            {"corr", "d d", sxy / sqrtl(sxx * syy)}, {"regr_slope", "d d", sxy / sxx},
            {"regr_r2", "d d", sxy * sxy / (sxx * syy)}, {"regr_sxx", "d d", sxx},
            {"regr_syy", "d d", syy},                {"regr_sxy", "d d", sxy},
            {"regr_avgx", "d d", mx},                {"regr_avgy", "d d", my},
            {"regr_intercept", "d d", my - sxy / sxx * mx},
        };
        for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
            struct fx f;
            fx_open(&f, t[i].agg, t[i].types, "", false);
            void *s = fx_new(&f);
            wr_aggcall_add_run(&f.call, s, b, NULL, N);
            double got = strtod(fx_result(&f, s), NULL);
            long double scale = strcmp(t[i].agg, "regr_intercept") == 0 ? fabsl(mx) + fabsl(t[i].want) : fabsl(t[i].want);
            if (fabsl(got - t[i].want) > scale * 1e-12L)
                fail_msg("%s around %g: %.17g instead of %.17Lg", t[i].agg, offset[o], got, t[i].want);
            fx_free(&f, s);
            fx_close(&f);
        }
        wr_batch_unref(b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(added_rows_match_one_batch),
        cmocka_unit_test(retracted_rows_match_a_fresh_state),
        cmocka_unit_test(numbers_match_what_is_computed_here),
        cmocka_unit_test(double_sums_do_not_depend_on_order),
        cmocka_unit_test(moments_match_two_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

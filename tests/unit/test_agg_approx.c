/* test_agg_approx.c: the stated error bounds of the approximate aggregates, measured; heap accounting; saved states that are none. */
#include "agg_fixture.h"

#include <math.h>
#include <stdio.h>

static uint64_t seed;
static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = seed += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

enum { PIECE = 1000 };

static struct wr_batch *batch_of(struct wr_type type)
{
    struct wr_field field = {.type = type};
    struct wr_schema schema = {.n = 1, .field = &field};
    struct wr_batch *b = wr_batch_new(&schema, PIECE);
    b->len = PIECE;
    return b;
}

/* ---- approx_count_distinct */

/* n different values, each twice: numbers in sequence, texts or doubles made of them. */
static void feed_distinct(struct fx *f, void *s, int64_t from, int64_t n)
{
    static char text[PIECE][24];
    struct wr_batch *b = batch_of(f->col_type[0]);
    for (int64_t at = 0; at < n; at += PIECE) {
        uint32_t m = n - at < PIECE ? (uint32_t)(n - at) : PIECE;
        for (uint32_t i = 0; i < m; i++) {
            int64_t v = from + at + i;
            if (f->col_type[0].id == WR_T_BIGINT)
                WR_VEC_I64(&b->col[0])[i] = v;
            else if (f->col_type[0].id == WR_T_DOUBLE)
                WR_VEC_F64(&b->col[0])[i] = (double)v / 8;
            else
                WR_VEC_STR(&b->col[0])[i] = (struct wr_str){text[i], (uint32_t)snprintf(text[i], sizeof text[i], "user-%lld", (long long)v)};
        }
        wr_aggcall_add_run(&f->call, s, b, NULL, m);
        fx_add(f, s, b, NULL, m < 256 ? m : 256);
    }
    wr_batch_unref(b);
}

static double estimate(struct fx *f, int64_t from, int64_t n)
{
    void *s = fx_new(f);
    feed_distinct(f, s, from, n);
    assert_true(wr_aggcall_heap(&f->call, s) <= 4096);
    double got = strtod(fx_result(f, s), NULL);
    fx_free(f, s);
    return got;
}

static void distinct_counts_keep_their_error(void **state WR_UNUSED)
{
    static const char *const types[] = {"l", "t", "d"};
    static const int64_t sizes[] = {700, 3000, 12000, 40000};
    for (int t = 0; t < 3; t++) {
        struct fx f;
        fx_open(&f, "approx_count_distinct", types[t], "", false);
        assert_int_equal((int)estimate(&f, 1, 0), 0);
        assert_int_equal((int)estimate(&f, 1, 1), 1);
        assert_int_equal((int)estimate(&f, 5, 512), 512);
        double squares = 0;
        int n = 0, far = 0;
        for (int k = 0; k < 4; k++)
            for (int round = 0; round < 16; round++, n++) {
                double error = estimate(&f, round * INT64_C(1000003), sizes[k]) / (double)sizes[k] - 1;
                squares += error * error;
                far += fabs(error) > 0.0163;
                assert_true(fabs(error) < 0.049);
            }
        /* standard error 1.63 %: the root mean square of 64 is within a fifth of it; about one in three is farther */
        assert_true(sqrt(squares / n) < 0.0163 * 1.2);
        assert_true(far < n / 2);
        fx_close(&f);
    }
}

static void distinct_count_of_a_million_is_near(void **state WR_UNUSED)
{
    struct fx f;
    fx_open(&f, "approx_count_distinct", "l", "", false);
    assert_true(fabs(estimate(&f, -500000, 1000000) / 1e6 - 1) < 0.049);
    fx_close(&f);
}

/* Overlapping parts merged are the same state as all at once, whatever form each part has. */
static void distinct_counts_merge_without_loss(void **state WR_UNUSED)
{
    static const int64_t part[][2] = {{10, 400}, {300, 400}, {0, 5000}, {4000, 5000}, {9000, 0}};
    for (int i = 0; i < 5; i++)
        for (int j = 0; j < 5; j++) {
            struct fx f;
            struct wr_buf x = WR_BUF_INIT(0), y = WR_BUF_INIT(0);
            fx_open(&f, "approx_count_distinct", "t", "", false);
            void *a = fx_new(&f), *b = fx_new(&f), *all = fx_new(&f);
            feed_distinct(&f, a, part[i][0], part[i][1]);
            feed_distinct(&f, b, part[j][0], part[j][1]);
            feed_distinct(&f, all, part[i][0], part[i][1]);
            feed_distinct(&f, all, part[j][0], part[j][1]);
            b = fx_reload(&f, b);
            wr_aggcall_merge(&f.call, a, b);
            wr_aggcall_save(&f.call, a, &x);
            wr_aggcall_save(&f.call, all, &y);
            assert_true(wr_str_eq(wr_buf_get(&x), wr_buf_get(&y)));
            fx_free(&f, a);
            fx_free(&f, b);
            fx_free(&f, all);
            wr_buf_clear(&x);
            wr_buf_clear(&y);
            fx_close(&f);
        }
}

/* ---- approx_percentile */

static double draw(int kind)
{
    double u = (double)(next() >> 11) * 0x1p-53;
    switch (kind) {
    case 0: return u * 1000;                     /* uniform */
    case 1: return exp(20 * u - 10);             /* over 8 powers of ten */
    case 2: return -log(1 - u) * 0.001;          /* exponential, small */
    case 3: return (u - 0.5) * 1e6;              /* both signs */
    default: return floor(u * 300);              /* whole numbers */
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static void percentiles_keep_their_error(void **state WR_UNUSED)
{
    enum { N = 5000 };
    static const char *const fraction[] = {"p=0", "p=0.01", "p=0.25", "p=0.5", "p=0.75", "p=0.95", "p=0.99", "p=0.999", "p=1"};
    static double v[N];
    for (int kind = 0; kind < 5; kind++)
        for (int p = 0; p < 9; p++) {
            struct fx f;
            fx_open(&f, "approx_percentile", "d", fraction[p], true);
            struct wr_batch *b = batch_of(WR_TYPE_OF(DOUBLE));
            void *s = fx_new(&f), *other = fx_new(&f);
            seed = (uint64_t)kind * 100 + (uint64_t)p;
            for (int i = 0; i < N; i += PIECE) {
                for (int k = 0; k < PIECE; k++)
                    WR_VEC_F64(&b->col[0])[k] = v[i + k] = draw(kind);
                wr_aggcall_add_run(&f.call, i / PIECE % 2 ? s : other, b, NULL, PIECE);
            }
            wr_aggcall_merge(&f.call, s, other);
            qsort(v, N, sizeof v[0], by_size);
            int at = (int)ceil(f.call.param * N) - 1;
            double want = v[at < 0 ? 0 : at], got = strtod(fx_result(&f, s), NULL);
            assert_true(fabs(got) <= fabs(want) && fabs(want) - fabs(got) <= fabs(want) / 128);
            if (kind == 4 && want <= 256)
                assert_true(got == want);
            fx_free(&f, s);
            fx_free(&f, other);
            wr_batch_unref(b);
            fx_close(&f);
        }
}

/* 425 buckets for each power of ten, some 40 bytes each: as the head of agg_approx.c says. */
static void percentile_sketch_stays_small(void **state WR_UNUSED)
{
    struct fx f;
    fx_open(&f, "approx_percentile", "d", "p=0.5", false);
    struct wr_batch *b = batch_of(WR_TYPE_OF(DOUBLE));
    void *s = fx_new(&f);
    seed = 3;
    for (int i = 0; i < 200; i++) {
        for (int k = 0; k < PIECE; k++)
            WR_VEC_F64(&b->col[0])[k] = pow(10, 3.0 * (double)(next() >> 11) * 0x1p-53); /* 1 to 1000 */
        wr_aggcall_add_run(&f.call, s, b, NULL, PIECE);
    }
    assert_true(wr_aggcall_heap(&f.call, s) < 3 * 430 * 64);
    assert_true(wr_aggcall_heap(&f.call, s) > 3 * 400 * 32);
    fx_free(&f, s);
    wr_batch_unref(b);
    fx_close(&f);
}

/* ---- heap and saved states, of all aggregates */

static const struct {
    const char *agg, *types, *options, *rows;
} kinds[] = {
    {"count", "t", "", "a;b"},
    {"count", "t i", "distinct", "a|1;b|2;a|1;a long text that is not inline|3"},
    {"sum", "n12.2", "distinct", "1.5;2;2"},
    {"sum", "l", "", "1;2"},
    {"sum", "n12.2", "", "1.5;2"},
    {"sum", "d", "", "1.5;2"},
    {"sum", "d", "", "1.5;NaN;1e300"},
    {"sum", "I", "", "1 day;1 mon"},
    {"avg", "I", "", "1 day;1 mon;1 hour"},
    {"avg", "n38.0", "", "99999999999999999999999999999999999999"},
    {"min", "i", "", "1;2"},
    {"max", "d", "", "1;2"},
    {"min", "n12.2", "", "1;2"},
    {"max", "I", "", "1 day"},
    {"max", "t", "", "a long text that is not inline;b"},
    {"bool_and", "b", "", "t;f"},
    {"stddev", "d", "", "1;2;3"},
    {"stddev", "l", "", "1;2;3"},
    {"corr", "d d", "", "1|2;2|3;4|1"},
    {"first_value", "t i", "order=1", "a|2;b|1"},
    {"last_value", "I", "", "1 day"},
    {"any_value", "b", "", "t"},
    {"min_by", "t t", "", "some text|b;NULL|a"},
    {"percentile_cont", "n12.2", "p=0.4", "1;2;3;4;2"},
    {"percentile_disc", "t", "p=0.4", "a;b;c;d;c"},
    {"mode", "I", "", "1 day;2 days;1 day"},
    {"string_agg", "t", "sep=/", "a;b;c"},
    {"string_agg", "t", "sep=/ distinct", "a;b;c"},
    {"string_agg", "t", "sep=/", "a;~b;~b;~a long text that is not inline"},
    {"last_value", "t i", "order=1", "a|1;~b|2;c|2;~b|NULL"},
    {"sum", "i", "distinct", "1;~2;~2;3"},
    {"array_agg", "t", "", "a;NULL;c"},
    {"array_agg", "n12.2 t", "order=1", "1|b;2|a;NULL|c"},
    {"collect_list", "I", "", "1 day;1 mon"},
    {"topk", "i", "p=2", "5;3;4"},
    {"topk_distinct", "t", "p=2", "5;3;4;4"},
    {"approx_count_distinct", "t", "", "5;3;4;4"},
    {"approx_percentile", "d", "p=0.4", "5;3;4;4"},
};

/* Whatever the bytes are: refused with nothing owned, or a state with which all can be done. Freed bytes have exactly their length. */
static void try_bytes(struct fx *f, const char *bytes, size_t n, const struct fx_rows *r, int *taken)
{
    char *own = malloc(n ? n : 1);
    memcpy(own, bytes, n);
    struct wr_str in = {own, (uint32_t)n};
    void *s = fx_state(f);
    if (wr_aggcall_load(&f->call, s, &in)) {
        struct wr_buf out = WR_BUF_INIT(0);
        (*taken)++;
        assert_true(wr_aggcall_heap(&f->call, s) <= 4096 + 64 * n);
        struct wr_vec v;
        wr_vec_init(&v, f->call.ret, 1, &f->mem);
        (void)wr_vec_nulls(&v, 1, &f->mem);
        (void)wr_aggcall_result(&f->call, s, &v, 0, &f->mem);
        fx_add(f, s, r->b, r->sel, r->n);
        void *to = fx_new(f);
        wr_aggcall_merge(&f->call, to, s);
        wr_aggcall_merge(&f->call, to, s);
        (void)wr_aggcall_result(&f->call, to, &v, 0, &f->mem);
        wr_aggcall_save(&f->call, to, &out);
        wr_buf_clear(&out);
        fx_free(f, to);
        fx_free(f, s);
    } else {
        free(s);
    }
    free(own);
    wr_arena_reset(&f->mem);
}

static void damaged_states_are_refused_or_harmless(void **state WR_UNUSED)
{
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        for (int retract = 0; retract <= (strcmp(kinds[i].agg, "approx_count_distinct") != 0); retract++) {
            struct fx f;
            struct fx_rows r;
            struct wr_buf good = WR_BUF_INIT(0);
            fx_open(&f, kinds[i].agg, kinds[i].types, kinds[i].options, retract);
            fx_rows(&f, kinds[i].rows, &r);
            struct wr_arena types = f.mem; /* the result's type stays in it: another one is emptied after each try */
            f.mem = (struct wr_arena){0};
            void *s = fx_new(&f);
            fx_add(&f, s, r.b, r.sel, r.n);
            wr_aggcall_save(&f.call, s, &good);
            fx_free(&f, s);
            int taken = 0, wrong_version = 0;
            seed = i;
            for (size_t n = 0; n < good.n; n++)
                try_bytes(&f, good.p, n, &r, &wrong_version); /* cut short: never a state */
            assert_int_equal(wrong_version, 0);
            good.p[0] ^= 2;
            try_bytes(&f, good.p, good.n, &r, &wrong_version);
            assert_int_equal(wrong_version, 0);
            good.p[0] ^= 2;
            for (int round = 0; round < 600; round++) {
                char *bytes = malloc(good.n);
                memcpy(bytes, good.p, good.n);
                for (uint64_t k = next() % 3 + 1; k > 0; k--)
                    bytes[1 + next() % (good.n - 1)] = (char)(next() % 3 ? next() : next() % 2 ? 0xff : 0);
                try_bytes(&f, bytes, good.n, &r, &taken);
                free(bytes);
            }
            try_bytes(&f, good.p, good.n, &r, &taken);
            assert_true(taken > 0);
            wr_buf_clear(&good);
            wr_batch_unref(r.b);
            wr_arena_clear(&types);
            fx_close(&f);
        }
}

/* heap() is what malloc was asked for: it grows with what is kept and is 0 again for a state that keeps nothing. */
static void heap_follows_what_is_kept(void **state WR_UNUSED)
{
    static const struct {
        const char *agg, *type, *options;
        size_t least, most; /* bytes for 1,000 different numbers */
    } t[] = {
        {"count", "l", "distinct", 32 * 1000, 80 * 1000}, {"min", "l", "", 32 * 1000, 80 * 1000},
        {"median", "l", "", 32 * 1000, 80 * 1000},        {"mode", "l", "", 32 * 1000, 80 * 1000},
        {"first_value", "l", "", 64 * 1000, 160 * 1000},  {"array_agg", "l", "", 64 * 1000, 160 * 1000},
        {"topk", "l", "p=5", 32 * 1000, 80 * 1000},       {"sum", "l", "", 0, 0},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct fx f;
        fx_open(&f, t[i].agg, t[i].type, t[i].options, true);
        struct wr_batch *b = batch_of(WR_TYPE_OF(BIGINT));
        for (int k = 0; k < PIECE; k++)
            WR_VEC_I64(&b->col[0])[k] = k * 7919 % PIECE;
        void *s = fx_new(&f);
        assert_int_equal(wr_aggcall_heap(&f.call, s), 0);
        wr_aggcall_add_run(&f.call, s, b, NULL, PIECE);
        size_t heap = wr_aggcall_heap(&f.call, s);
        if (heap < t[i].least || heap > t[i].most)
            fail_msg("%s: %zu bytes", t[i].agg, heap);
        int8_t op[PIECE];
        memset(op, WR_OP_DELETE, sizeof op);
        b->op = op;
        wr_aggcall_add_run(&f.call, s, b, NULL, PIECE);
        assert_int_equal(wr_aggcall_heap(&f.call, s), 0);
        fx_free(&f, s);
        wr_batch_unref(b);
        fx_close(&f);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distinct_counts_keep_their_error),
        cmocka_unit_test(distinct_count_of_a_million_is_near),
        cmocka_unit_test(distinct_counts_merge_without_loss),
        cmocka_unit_test(percentiles_keep_their_error),
        cmocka_unit_test(percentile_sketch_stays_small),
        cmocka_unit_test(damaged_states_are_refused_or_harmless),
        cmocka_unit_test(heap_follows_what_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

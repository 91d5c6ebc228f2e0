/* test_agg_values.c: what each aggregate gives for which rows. Each case runs in all the ways an operator may feed it, which must agree:
 * at once, row by row, in a run, without the gaps, cut in two states that are merged, saved and loaded in between; and over input that may
 * take rows back, where afterwards all rows are taken back and the state must be as new. */
#include "agg_fixture.h"

struct value_case {
    const char *agg, *types, *rows, *want, *options;
};

static const struct value_case cases[] = {
    /* pg */
    {"count", "i", "1;NULL;3", "2", ""},
    {"count", "t", "", "0", ""},
    {"count", "t", "NULL;NULL", "0", ""},
    {"count", "t", "a;b;a;NULL;a", "2", "distinct"},
    {"sum", "i", "1;2;NULL;-4", "-1", ""},
    {"sum", "i", "2147483647;2147483647;1", "4294967295", ""},
    {"sum", "i", "", "NULL", ""},
    {"sum", "i", "NULL", "NULL", ""},
    {"sum", "i", "5;5;7;NULL", "12", "distinct"},
    {"sum", "l", "9223372036854775807;9223372036854775807;1", "18446744073709551615", ""},
    {"sum", "l", "-9223372036854775808;-9223372036854775808", "-18446744073709551616", ""},
    {"sum", "n12.2", "10.10;20.20;-0.05", "30.25", ""},
    {"sum", "n12.2", "0.01;0.01;0.01;0.01;0.01;0.01;0.01;0.01;0.01;0.01", "0.10", ""},
    {"sum", "n38.0", "49999999999999999999999999999999999999;49999999999999999999999999999999999999;1", "99999999999999999999999999999999999999", ""},
    {"sum", "d", "0.1;0.2;0.3", "0.6", ""}, /* ours: rounded once, 0.6 and not 0.6000000000000001 */
    {"sum", "d", "1e100;1;-1e100", "1", ""}, /* ours: 1 is kept */
    {"sum", "d", "Infinity;1", "Infinity", ""},
    {"sum", "d", "Infinity;-Infinity", "NaN", ""},
    {"sum", "d", "NaN;1;Infinity", "NaN", ""},
    {"sum", "d", "1e308;1e308;-1e308", "1e+308", ""}, /* ours: only the result has to fit */
    {"sum", "d", "1.5;NULL;2", "3.5", ""},
    {"sum", "I", "1 day; 2 hours; 1 mon; -1 day", "1 mon 02:00:00", ""},
    {"avg", "i", "1;2", "1.5000000000000000", ""},
    {"avg", "i", "1;2;2", "1.6666666666666667", ""},
    {"avg", "i", "-1;-2;-2", "-1.6666666666666667", ""},
    {"avg", "i", "", "NULL", ""},
    {"avg", "l", "9223372036854775807;9223372036854775806", "9223372036854775806.5000000000000000", ""}, /* ours: PostgreSQL has 20 digits in all here */
    {"avg", "n12.2", "10.00;20.00;20.01", "16.6700000000000000", ""},
    {"avg", "n38.30", "0.000000000000000000000000000001;0.000000000000000000000000000002", "0.000000000000000000000000000002", ""}, /* ours: half away from zero, 38 digits in all */
    {"avg", "n38.30", "-0.000000000000000000000000000001;-0.000000000000000000000000000002", "-0.000000000000000000000000000002", ""}, /* ours */
    {"avg", "d", "1;2;4", "2.3333333333333335", ""},
    {"avg", "d", "1e308;1e308", "1e+308", ""}, /* ours: PostgreSQL overflows on the way */
    {"avg", "I", "1 mon; 2 mons", "1 mon 15 days", ""},
    {"avg", "I", "1 day; 2 days", "1 day 12:00:00", ""},
    {"avg", "I", "1 mon; -1 day", "15 days -12:00:00", ""},
    {"avg", "I", "00:00:01; 00:00:02; 00:00:02", "00:00:01.666667", ""},
    {"min", "i", "3;NULL;-7;5", "-7", ""},
    {"max", "i", "3;NULL;-7;5", "5", ""},
    {"min", "i", "", "NULL", ""},
    {"max", "i", "-2147483648", "-2147483648", ""},
    {"min", "n12.2", "1.10;1.09;99", "1.09", ""},
    {"max", "n38.0", "99999999999999999999999999999999999999;-1", "99999999999999999999999999999999999999", ""},
    {"min", "d", "NaN;2;1;Infinity", "1", ""},
    {"max", "d", "1;NaN;Infinity", "NaN", ""},
    {"min", "d", "NaN;NaN", "NaN", ""},
    {"max", "d", "-Infinity;-1", "-1", ""},
    {"min", "t", "b;abc;ab;NULL", "ab", ""},
    {"max", "t", "b;abc;ab;Z", "b", ""},
    {"max", "t", "a long text of more than thirty-two bytes;a long text of more than thirty-two bytes!;a", "a long text of more than thirty-two bytes!", ""},
    {"min", "D", "2025-11-28;2024-02-29;0001-01-01", "0001-01-01", ""},
    {"max", "T", "2025-11-28 12:00:00;2025-11-28 12:00:00.000001", "2025-11-28 12:00:00.000001", ""},
    {"max", "I", "29 days; 1 mon; 31 days", "31 days", ""},
    {"min", "I", "1 day; 23:59:59; 24:00:01", "23:59:59", ""},
    {"bool_and", "b", "t;t;NULL", "t", ""},
    {"bool_and", "b", "t;f", "f", ""},
    {"bool_and", "b", "NULL", "NULL", ""},
    {"bool_or", "b", "f;f", "f", ""},
    {"bool_or", "b", "f;t;f", "t", ""},
    {"every", "b", "t", "t", ""},
    {"var_pop", "i", "2;4;4;4;5;5;7;9", "4", ""},          /* ours: DOUBLE, as are all of these over exact numbers */
    {"stddev_pop", "i", "2;4;4;4;5;5;7;9", "2", ""},       /* ours */
    {"variance", "l", "9223372036854775803;9223372036854775805;9223372036854775807", "4", ""}, /* ours */
    {"stddev", "n12.2", "0.10;0.30;0.20", "0.1", ""},      /* ours */
    {"var_samp", "d", "1;2;3;4", "1.6666666666666667", ""},
    {"var_samp", "d", "1", "NULL", ""},
    {"var_pop", "d", "1", "0", ""},
    {"var_pop", "d", "0.1;0.1;0.1", "0", ""},
    {"stddev_samp", "d", "100000.1;100000.2;100000.3", "0.09999999999854481", ""}, /* ours: of the doubles as they are, by Python's fractions */
    {"stddev_samp", "d", "1;Infinity", "NaN", ""},
    {"covar_pop", "d d", "1|2;2|4;3|6;NULL|1;1|NULL", "1.3333333333333333", ""},
    {"covar_samp", "d d", "1|2;2|4;3|6", "2", ""},
    {"covar_samp", "d d", "1|2", "NULL", ""},
    {"corr", "d d", "1|2;2|4;3|6", "1", ""},
    {"corr", "d d", "1|-2;2|-4;3|-6", "-1", ""},
    {"corr", "d d", "1|5;2|5", "NULL", ""},
    {"regr_slope", "d d", "5|1;7|2;9|3", "2", ""},
    {"regr_intercept", "d d", "5|1;7|2;9|3", "3", ""},
    {"regr_r2", "d d", "5|1;7|2;9|3", "1", ""},
    {"regr_r2", "d d", "5|1;5|2", "1", ""},
    {"regr_slope", "d d", "5|1;5|1", "NULL", ""},
    {"regr_count", "d d", "5|1;NULL|2;9|NULL;1|1", "2", ""},
    {"regr_avgx", "d d", "5|1;7|2;NULL|9", "1.5", ""},
    {"regr_avgy", "d d", "5|1;7|2;8|NULL", "6", ""},
    {"regr_sxx", "d d", "5|1;7|2;9|3", "2", ""},
    {"regr_syy", "d d", "5|1;7|2;9|3", "8", ""},
    {"regr_sxy", "d d", "5|1;7|2;9|3", "4", ""},
    {"percentile_cont", "i", "1;2;3;4", "2.5", "p=0.5"},
    {"percentile_cont", "d", "10;20;30;40;50", "46", "p=0.9"},
    {"percentile_cont", "d", "10;20;30;40;50", "14", "p=0.9 order=0desc"},
    {"percentile_cont", "d", "5;NULL", "5", "p=0"},
    {"percentile_cont", "d", "1;2;3", "3", "p=1"},
    {"percentile_disc", "i", "1;2;3;4", "2", "p=0.5"},
    {"percentile_disc", "i", "1;2;3;4", "3", "p=0.5 order=0desc"},
    {"percentile_disc", "t", "a;b;c;d;d", "d", "p=0.9"},
    {"percentile_disc", "t", "a;b;c", "a", "p=0"},
    {"percentile_disc", "n12.2", "1.50;2.50;2.50;9.00", "2.50", "p=0.75"},
    {"percentile_cont", "i", "", "NULL", "p=0.5"},
    {"mode", "t", "a;b;b;c", "b", ""},
    {"mode", "i", "3;1;3;1;2", "1", ""},
    {"mode", "i", "3;1;3;1;2", "3", "order=0desc"},
    {"string_agg", "t", "a;b;NULL;c", "a::b::c", "sep=::"},
    {"string_agg", "t", "a;b", "a/b", "sep=/"},
    {"string_agg", "t", "", "NULL", "sep=/"},
    {"string_agg", "t t", "a|2;b|1;c|3", "b/a/c", "sep=/ order=1"},
    {"string_agg", "t t", "a|2;b|1;c|NULL;d|2", "c/a/d/b", "sep=/ order=1desc"},
    {"string_agg", "t t", "a|2;b|1;c|NULL", "b/a/c", "sep=/ order=1"},
    {"string_agg", "t", "b;a;b;NULL", "a/b", "sep=/ distinct"},
    {"array_agg", "i", "3;NULL;1;3", "{3,NULL,1,3}", ""},
    {"array_agg", "i", "", "NULL", ""},
    {"array_agg", "i", "NULL", "{NULL}", ""},
    {"array_agg", "t", "a;b c;NULL", "{a,\"b c\",NULL}", ""},
    {"array_agg", "i", "3;NULL;1;3;NULL", "{1,3,NULL}", "distinct"},
    {"array_agg", "i", "3;NULL;1;3;NULL", "{NULL,3,1}", "distinct order=0desc"},
    {"array_agg", "n12.2 d", "1.00|2;2.00|1;3.00|2", "{2.00,1.00,3.00}", "order=1"},
};

/* Rows that take back, and aggregates PostgreSQL does not have. */
static const struct value_case more[] = {
    {"sum", "i", "5;7;~5", "7", ""},
    {"sum", "i", "5;~5", "NULL", ""},
    {"sum", "i", "5;~5;8", "8", ""},
    {"sum", "n38.0", "99999999999999999999999999999999999999;1", "!", ""},
    {"sum", "n38.0", "99999999999999999999999999999999999999;99999999999999999999999999999999999999;99999999999999999999999999999999999999;1", "!", ""},
    {"sum", "n38.0", "99999999999999999999999999999999999999;99999999999999999999999999999999999999;99999999999999999999999999999999999999;1;"
                     "~99999999999999999999999999999999999999;~99999999999999999999999999999999999999;~1", "99999999999999999999999999999999999999", ""},
    {"sum", "n38.0", "-99999999999999999999999999999999999999;-99999999999999999999999999999999999999;-99999999999999999999999999999999999999;"
                     "~-99999999999999999999999999999999999999;~-99999999999999999999999999999999999999", "-99999999999999999999999999999999999999", ""},
    {"avg", "n38.0", "99999999999999999999999999999999999999;99999999999999999999999999999999999999", "!", ""}, /* 16 decimals do not fit */
    {"avg", "n38.0", "9999999999999999999999;9999999999999999999998", "9999999999999999999998.5000000000000000", ""},
    {"avg", "n38.0", "-99999999999999999999999999999999999999;-99999999999999999999999999999999999997", "!", ""},
    {"sum", "d", "0.1;0.2;1e12;~1e12;~0.2", "0.1", ""},
    {"sum", "d", "Infinity;2;NaN;~NaN;~Infinity", "2", ""},
    {"sum", "d", "1e308;1e308", "!", ""},
    {"sum", "d", "1e308;1e308;~1e308", "1e+308", ""},
    {"sum", "d", "1e300;0.1;~1e300;~0.1;0.7", "0.7", ""},
    {"avg", "i", "1;2;6;~1", "4.0000000000000000", ""},
    {"min", "i", "3;1;2;~1", "2", ""},
    {"min", "i", "1;1;2;~1", "1", ""},
    {"max", "t", "a;c;b;~c;~b", "a", ""},
    {"max", "t", "a;~a", "NULL", ""},
    {"max", "d", "NaN;1;~NaN", "1", ""},
    {"min", "I", "1 mon;30 days;~1 mon", "30 days", ""},
    {"count", "t", "a;b;a;~a;~b", "1", "distinct"},
    {"sum", "i", "5;5;7;~5", "12", "distinct"},
    {"sum", "i", "5;5;7;~5;~5", "7", "distinct"},
    {"avg", "i", "4;4;4;1;~4", "2.5000000000000000", "distinct"},
    {"count", "t i", "a|1;a|1;a|2;NULL|1;b|NULL;~a|2", "1", "distinct"},
    {"count_if", "b", "t;f;NULL;t", "2", ""},
    {"count_if", "b", "t;f;t;~t", "1", ""},
    {"bool_and", "b", "t;f;~f", "t", ""},
    {"bool_or", "b", "t;f;~t", "f", ""},
    {"variance", "i", "1;2;3;100;~100", "1", ""},
    {"stddev_samp", "d", "1;Infinity;3;~Infinity", "1.4142135623730951", ""},
    {"stddev_samp", "d", "1e200;1;3", "!", ""},
    {"stddev_samp", "d", "1e200;1;3;~1e200", "1.4142135623730951", ""},
    {"corr", "d d", "1|2;2|4;7|-3;3|6;~7|-3", "1", ""},
    {"first_value", "i", "NULL;3;1;2", "3", ""},
    {"first_value", "i", "3;1;2;~3", "1", ""},
    {"first_value", "i", "3;1;3;~3", "3", ""},
    {"first_value", "i", "", "NULL", ""},
    {"first_value", "t i", "b|2;a|1;c|1;NULL|0", "a", "order=1"},
    {"first_value", "t i", "b|2;a|1;c|1;~a|1", "c", "order=1"},
    {"last_value", "i", "3;1;2;NULL", "2", ""},
    {"last_value", "i", "3;1;2;~2", "1", ""},
    {"last_value", "i", "2;1;2;~2", "1", ""},
    {"last_value", "t i", "b|2;a|1;c|2;d|NULL", "d", "order=1"},
    {"last_value", "t i", "b|2;a|1;c|2;d|NULL", "a", "order=1desc"},
    {"last_value", "t i", "b|2;a|1;c|2;~c|2", "b", "order=1"},
    {"last_value", "t i i", "b|2|1;a|1|9;c|2|0", "b", "order=1 order=2"},
    {"any_value", "t", "NULL;x;x", "x", ""},
    {"any_value", "b", "t;t;~t", "t", ""},
    {"min_by", "t i", "a|3;b|1;c|1;d|NULL", "b", ""},
    {"min_by", "t i", "a|3;NULL|1", "NULL", ""},
    {"min_by", "t i", "a|3;b|1;c|1;~b|1", "c", ""},
    {"max_by", "t i", "a|3;b|1;c|3;d|NULL", "a", ""},
    {"arg_max", "t d", "a|3;b|NaN;c|3", "b", ""},
    {"max_by", "t i", "a|3;c|3;~a|3", "c", ""},
    {"percentile_disc", "i", "1;2;3;4;5;~5;~4", "2", "p=0.5"},
    {"percentile_cont", "i", "1;1;1;5;~1;~1", "3", "p=0.5"},
    {"percentile_disc", "i", "1;1;1;5;~1", "5", "p=0.5 distinct order=0desc"},
    {"median", "n12.2", "1.50;2.00;9.00", "2", ""},
    {"median", "l", "1;2;9;10", "5.5", ""},
    {"mode", "i", "1;1;2;2;2;~2;~2", "1", ""},
    {"string_agg", "t", "a;b;c;~b", "a/c", "sep=/"},
    {"listagg", "t", "a;b;a;~a", "a,b", ""},
    {"string_agg", "t t", "a|2;b|1;c|3;~a|2", "b/c", "sep=/ order=1"},
    {"string_agg", "t", "b;a;b;~b", "a/b", "sep=/ distinct"},
    {"string_agg", "i", "1;2", "1/2", "sep=/"},
    {"array_agg", "i", "3;NULL;1;3;~NULL;~3", "{3,1}", ""},
    {"array_agg", "i", "3;~3", "NULL", ""},
    {"collect_list", "i", "3;NULL;1", "{3,1}", ""},
    {"topk", "i", "3;1;4;1;5;9;2;6;5;NULL", "{9,6,5,5}", "p=4"},
    {"topk", "i", "3;1;4;1;5;9;2;6;5;~9", "{6,5,5,4}", "p=4"},
    {"topk", "t", "a;b", "{b,a}", "p=5"},
    {"topk", "t", "", "NULL", "p=5"},
    {"topk_distinct", "i", "5;5;9;9;1;3", "{9,5,3}", "p=3"},
    {"topk_distinct", "i", "5;5;9;9;1;3;~9;~9;~5", "{5,3,1}", "p=3"},
    {"topk", "i", "5;5;9;9;1;3", "{9,5}", "p=2 distinct"},
    {"approx_percentile", "i", "1;2;3;4;5;~5;~4", "2", "p=0.5"},
    {"approx_percentile", "i", "-200;-100;0;256", "-100", "p=0.5"},
    {"approx_percentile", "i", "-200;-100;0;256", "0", "p=0.5 order=0desc"},
    {"approx_percentile", "d", "-Infinity;NaN;1e-320", "0", "p=0.5"},
    {"approx_percentile", "d", "NaN;Infinity;Infinity", "Infinity", "p=0.6"},
    {"approx_percentile", "d", "-Infinity", "-Infinity", "p=1"},
};

/* What the state gives after the rows were fed in some way. */
static void expect(struct fx *f, const struct value_case *t, const char *way, const void *s, const char *want)
{
    const char *got = fx_result(f, s);
    if (strcmp(got, want) != 0)
        fail_msg("%s(%s) %s over \"%s\" %s%s: %s instead of %s", t->agg, t->types, t->options, t->rows, way,
                 f->call.retract ? ", may take back" : "", got, want);
}

static void feed_ways(struct fx *f, const struct value_case *t, const struct fx_rows *r)
{
    void *s = fx_new(f);
    fx_add(f, s, r->b, r->sel, r->n);
    expect(f, t, "at once", s, t->want);
    s = fx_reload(f, s);
    expect(f, t, "at once and reloaded", s, t->want);
    fx_free(f, s);

    s = fx_new(f);
    for (uint32_t k = 0; k < r->n; k++) {
        fx_add(f, s, r->b, &r->sel[k], 1);
        s = fx_reload(f, s);
    }
    expect(f, t, "row by row, reloaded each time", s, t->want);
    fx_free(f, s);

    s = fx_new(f);
    wr_aggcall_add_run(&f->call, s, r->b, r->sel, r->n);
    expect(f, t, "in a run", s, t->want);
    fx_free(f, s);

    struct wr_batch *dense = r->b->op ? NULL : fx_dense(f, r);
    if (dense) {
        s = fx_new(f);
        fx_add(f, s, dense, NULL, r->n);
        expect(f, t, "dense", s, t->want);
        fx_free(f, s);
        s = fx_new(f);
        wr_aggcall_add_run(&f->call, s, dense, NULL, r->n);
        expect(f, t, "dense in a run", s, t->want);
        fx_free(f, s);
        wr_batch_unref(dense);
    }
}

/* Cut after each row; with retractions the second part may take back what the first one has. */
static void feed_merged(struct fx *f, const struct value_case *t, const struct fx_rows *r)
{
    struct wr_error err = WR_ERROR_INIT;
    f->call.partial = true;
    assert_int_equal(wr_aggcall_bind(&f->call, &err), WR_OK);
    for (uint32_t cut = 0; cut <= r->n; cut++) {
        void *a = fx_new(f), *b = fx_new(f), *all = fx_new(f);
        fx_add(f, a, r->b, r->sel, cut);
        fx_add(f, b, r->b, r->sel + cut, r->n - cut);
        b = fx_reload(f, b);
        wr_aggcall_merge(&f->call, a, b);
        wr_aggcall_merge(&f->call, all, a);
        fx_free(f, b);
        expect(f, t, "merged", a, t->want);
        fx_free(f, a);
        expect(f, t, "merged twice", all, t->want);
        fx_free(f, all);
    }
    f->call.partial = false;
    assert_int_equal(wr_aggcall_bind(&f->call, &err), WR_OK);
}

/* All rows backwards and the other way round: the state is as new, and works on. */
static void take_all_back(struct fx *f, const struct value_case *t, struct fx_rows *r)
{
    void *s = fx_new(f), *fresh = fx_new(f);
    const char *empty = fx_result(f, fresh);
    fx_free(f, fresh);
    for (int round = 0; round < 2; round++) {
        fx_add(f, s, r->b, r->sel, r->n);
        expect(f, t, "again", s, t->want);
        const int8_t *op = r->b->op;
        int8_t back[512];
        uint32_t sel[256];
        for (uint32_t k = 0; k < r->n * 2; k++)
            back[k] = op && wr_op_is_retract(op[k]) ? WR_OP_INSERT : WR_OP_DELETE;
        for (uint32_t k = 0; k < r->n; k++)
            sel[k] = r->sel[r->n - 1 - k];
        r->b->op = back;
        fx_add(f, s, r->b, sel, r->n);
        r->b->op = op;
        expect(f, t, "all taken back", s, empty);
    }
    fx_free(f, s);
}

static void run_case(const struct value_case *t)
{
    for (int retract = 0; retract <= 1; retract++) {
        struct fx f;
        struct fx_rows r;
        bool takes_back = strchr(t->rows, '~') != NULL;
        if (takes_back && !retract)
            continue;
        fx_open(&f, t->agg, t->types, t->options, retract);
        fx_rows(&f, t->rows, &r);
        feed_ways(&f, t, &r);
        feed_merged(&f, t, &r);
        if (retract)
            take_all_back(&f, t, &r);
        wr_batch_unref(r.b);
        fx_close(&f);
    }
}

static void aggregates_give_what_postgresql_gives(void **state WR_UNUSED)
{
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        run_case(&cases[i]);
}

static void rows_are_taken_back(void **state WR_UNUSED)
{
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        run_case(&more[i]);
}

static void count_star_counts_rows(void **state WR_UNUSED)
{
    struct fx f;
    struct fx_rows r;
    struct wr_error err = WR_ERROR_INIT;
    fx_call(&f, "count", "i", "", true, 0);
    assert_int_equal(fx_bind(&f, &err), WR_OK);
    fx_rows(&f, "1;NULL;3;~NULL", &r);
    static const struct value_case t = {"count", "", "1;NULL;3;~NULL", "2", ""};
    feed_ways(&f, &t, &r);
    take_all_back(&f, &t, &r);
    wr_batch_unref(r.b);
    fx_close(&f);
}

/* A constant column stands for every row. */
static void constant_columns_count_for_each_row(void **state WR_UNUSED)
{
    static const struct {
        const char *agg, *type, *value, *want, *options;
    } t[] = {
        {"sum", "i", "7", "21", ""},          {"sum", "d", "0.5", "1.5", ""},     {"sum", "n12.2", "1.10", "3.30", ""},
        {"count", "i", "7", "3", ""},         {"count", "i", "NULL", "0", ""},    {"sum", "i", "NULL", "NULL", ""},
        {"max", "t", "x", "x", ""},           {"min", "i", "7", "7", ""},         {"sum", "i", "7", "7", "distinct"},
        {"string_agg", "t", "x", "x,x,x", ""}, {"array_agg", "i", "7", "{7,7,7}", ""}, {"percentile_disc", "i", "7", "7", "p=0.5"},
        {"approx_count_distinct", "i", "7", "1", ""}, {"var_pop", "i", "7", "0", ""}, {"last_value", "t", "x", "x", ""},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct fx f;
        struct fx_rows r;
        fx_open(&f, t[i].agg, t[i].type, t[i].options, false);
        fx_rows(&f, t[i].value, &r);
        struct wr_batch *one = fx_dense(&f, &r);
        one->col[0].constant = true;
        uint32_t sel[3] = {4, 9, 200}; /* far behind the one value there is */
        void *s = fx_new(&f), *run = fx_new(&f);
        fx_add(&f, s, one, sel, 3);
        wr_aggcall_add_run(&f.call, run, one, sel, 3);
        assert_string_equal(fx_result(&f, s), t[i].want);
        assert_string_equal(fx_result(&f, run), t[i].want);
        fx_free(&f, s);
        fx_free(&f, run);
        wr_batch_unref(one);
        wr_batch_unref(r.b);
        fx_close(&f);
    }
}

/* sum(INTEGER) is BIGINT: only a sum out of its range is refused, and taking back heals it. */
static void integer_sum_overflows_its_result_only(void **state WR_UNUSED)
{
    struct fx f;
    fx_open(&f, "sum", "i", "", true);
    struct wr_field field = {.type = WR_TYPE_OF(INT)};
    struct wr_schema schema = {.n = 1, .field = &field};
    struct wr_batch *b = wr_batch_new(&schema, 2);
    int64_t *v = WR_VEC_I64(&b->col[0]);
    int8_t op[2] = {WR_OP_INSERT, WR_OP_DELETE};
    v[0] = INT64_MAX; /* not an INTEGER, but 2^32 rows are many */
    v[1] = INT64_MAX;
    b->len = 2;
    void *s = fx_new(&f);
    uint32_t sel[2] = {0, 0};
    fx_add(&f, s, b, sel, 2);
    assert_string_equal(fx_result(&f, s), "!");
    b->op = op;
    sel[0] = 1;
    fx_add(&f, s, b, sel, 1);
    assert_string_equal(fx_result(&f, s), "9223372036854775807");
    fx_free(&f, s);
    wr_batch_unref(b);
    fx_close(&f);
}

static void bind_says_what_is_wrong(void **state WR_UNUSED)
{
    static const struct {
        const char *agg, *types, *options, *message;
        int n_arg;
    } t[] = {
        {"sum", "t", "", "aggregate \"sum\" takes a number or INTERVAL, not TEXT", 1},
        {"avg", "T", "", "aggregate \"avg\" takes a number or INTERVAL, not TIMESTAMP", 1},
        {"min", "b", "", "aggregate \"min\" takes a number, text or time, not BOOLEAN", 1},
        {"max", "j", "", "aggregate \"max\" takes a number, text or time, not JSON", 1},
        {"bool_and", "i", "", "aggregate \"bool_and\" takes BOOLEAN, not INTEGER", 1},
        {"count_if", "i", "", "aggregate \"count_if\" takes BOOLEAN, not INTEGER", 1},
        {"sum", "i i", "", "aggregate \"sum\" does not take 2 arguments", 2},
        {"sum", "i", "", "aggregate \"sum\" does not take 0 arguments", 0},
        {"corr", "d", "", "aggregate \"corr\" does not take 1 argument", 1},
        {"corr", "d t", "", "aggregate \"corr\" takes numbers, not TEXT", 2},
        {"count", "i i", "", "aggregate \"count\" takes one argument without DISTINCT", 2},
        {"count", "i", "distinct", "DISTINCT needs an argument: \"count\" has none", 0},
        {"percentile_cont", "d", "", "aggregate \"percentile_cont\" needs a constant fraction from 0 to 1", 1},
        {"percentile_cont", "d", "p=90", "aggregate \"percentile_cont\" needs a constant fraction from 0 to 1", 1},
        {"percentile_cont", "t", "p=0.5", "aggregate \"percentile_cont\" takes a number, not TEXT", 1},
        {"topk", "d", "p=2.5", "aggregate \"topk\" needs a constant whole number from 1 to 10000", 1},
        {"topk", "d", "p=0", "aggregate \"topk\" needs a constant whole number from 1 to 10000", 1},
        {"sum", "0", "", "aggregate \"sum\" takes a value of a known type, not NULL", 1},
        {"string_agg", "t t", "distinct order=1", "aggregate \"string_agg\" with DISTINCT can be ordered by its argument only", 1},
        {"approx_count_distinct", "t", "", "aggregate \"approx_count_distinct\" cannot take rows back, and its input is updated", 1},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct fx f;
        struct wr_error err = WR_ERROR_INIT;
        fx_call(&f, t[i].agg, t[i].types, t[i].options, true, t[i].n_arg);
        f.call.off = 17;
        assert_int_equal(wr_aggcall_bind(&f.call, &err), WR_ESQL);
        assert_string_equal(err.msg, t[i].message);
        assert_int_equal(err.sql_off, 17);
        fx_close(&f);
    }
}

static void result_types_are_postgresqls(void **state WR_UNUSED)
{
    static const struct {
        const char *agg, *type, *options, *ret;
    } t[] = {
        {"count", "t", "", "BIGINT"},          {"sum", "i", "", "BIGINT"},           {"sum", "l", "", "DECIMAL(38,0)"},
        {"sum", "n12.2", "", "DECIMAL(38,2)"}, {"sum", "d", "", "DOUBLE"},           {"sum", "I", "", "INTERVAL"},
        {"avg", "i", "", "DECIMAL(38,16)"},    {"avg", "n12.2", "", "DECIMAL(38,16)"}, {"avg", "n38.2", "", "DECIMAL(38,16)"},
        {"avg", "n30.20", "", "DECIMAL(38,20)"}, {"avg", "n30.4", "", "DECIMAL(38,12)"}, {"avg", "d", "", "DOUBLE"},
        {"min", "n12.2", "", "DECIMAL(12,2)"}, {"max", "T", "", "TIMESTAMP"},        {"stddev", "l", "", "DOUBLE"},
        {"bool_or", "b", "", "BOOLEAN"},       {"regr_count", "i i", "", "BIGINT"},  {"percentile_cont", "i", "p=0.5", "DOUBLE"},
        {"percentile_disc", "D", "p=0.5", "DATE"}, {"topk", "t", "p=3", "ARRAY<TEXT>"}, {"array_agg", "n12.2", "", "ARRAY<DECIMAL(12,2)>"},
        {"string_agg", "i", "", "TEXT"},       {"string_agg", "y", "", "BYTES"},     {"min_by", "t i", "", "TEXT"},
        {"approx_percentile", "n12.2", "p=0.5", "DOUBLE"}, {"mode", "b", "", "BOOLEAN"}, {"any_value", "j", "", "JSON"},
    };
    for (size_t i = 0; i < sizeof t / sizeof t[0]; i++) {
        struct fx f;
        fx_open(&f, t[i].agg, t[i].type, t[i].options, false);
        assert_string_equal(wr_type_name(&f.mem, f.call.ret).p, t[i].ret);
        assert_int_equal(f.call.size % 8, 0);
        uint32_t size = f.call.size;
        struct wr_error err = WR_ERROR_INIT;
        assert_int_equal(wr_aggcall_bind(&f.call, &err), WR_OK); /* again: the same */
        assert_int_equal(f.call.size, size);
        fx_close(&f);
    }
}

/* Names and synonyms are found in any case, each name once; every entry has help that begins with its name. */
static void table_is_sound(void **state WR_UNUSED)
{
    assert_null(wr_agg_find(WR_STR("no_such")));
    assert_string_equal(wr_agg_find(WR_STR("Mean"))->name, "avg");
    assert_string_equal(wr_agg_find(WR_STR("VARIANCE"))->name, "var_samp");
    for (int i = 0; i < wr_agg_count(); i++) {
        const struct wr_agg *a = wr_agg_get(i);
        assert_ptr_equal(wr_agg_find(wr_str_c(a->name)), a);
        assert_int_equal(strncmp(a->help, a->name, strlen(a->name)), 0);
        assert_non_null(a->bind);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(aggregates_give_what_postgresql_gives),
        cmocka_unit_test(rows_are_taken_back),
        cmocka_unit_test(count_star_counts_rows),
        cmocka_unit_test(constant_columns_count_for_each_row),
        cmocka_unit_test(integer_sum_overflows_its_result_only),
        cmocka_unit_test(bind_says_what_is_wrong),
        cmocka_unit_test(result_types_are_postgresqls),
        cmocka_unit_test(table_is_sound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

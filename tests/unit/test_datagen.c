/* test_datagen.c: generated rows: the first of each scenario as they have to stay, the same ones however they are asked for, what the scenarios
 * promise of their values, options of columns, and what is refused. Nothing here waits for a clock: bounded sources are not paced. */
#include "connectors/datagen.h"
#include "tests/unit/format_rig.h"

static void scenario_columns(struct rig *r, const char *scenario)
{
    struct wr_coldef *col;
    rig_opt(r, "scenario", scenario);
    assert_int_equal(wr_connector_datagen.columns(&r->opts, &r->mem, &col, &r->spec.n_col, &r->err), WR_OK);
    memcpy(r->col, col, (size_t)r->spec.n_col * sizeof *col);
}

static struct wr_source *open_source(struct rig *r)
{
    struct wr_source *src = NULL;
    if (!r->schema)
        rig_schema(r);
    wr_status st = wr_connector_datagen.source->open(&r->spec, &src, &r->err);
    if (st)
        print_error("%s\n", r->err.msg);
    assert_int_equal(st, WR_OK);
    return src;
}

/* The rest of a source's rows, values with blanks between, a line each. */
static void drain(struct rig *r, struct wr_source *src, struct wr_buf *out)
{
    while (!src->ended) {
        struct wr_batch *b;
        assert_int_equal(src->vt->poll(src, 0, &b, &r->err), WR_OK);
        for (uint32_t row = 0; b && row < b->len; row++) {
            for (int i = 0; i < b->n_col; i++) {
                if (i)
                    wr_buf_putc(out, ' ');
                wr_print_vec(out, &b->col[i], row, WR_STYLE_JSON);
            }
            wr_buf_putc(out, '\n');
        }
        wr_batch_unref(b);
    }
}

static const char *first_rows(const char *scenario, const char *seed)
{
    static struct wr_buf out;
    struct rig r;
    rig_init(&r);
    scenario_columns(&r, scenario);
    rig_opt(&r, "rows", "3");
    rig_opt(&r, "seed", seed);
    struct wr_source *src = open_source(&r);
    wr_buf_reset(&out);
    drain(&r, src, &out);
    wr_buf_putc(&out, 0);
    src->vt->close(src);
    wr_arena_clear(&r.mem);
    static char text[2048];
    snprintf(text, sizeof text, "%s", out.p);
    wr_buf_clear(&out);
    return text;
}

/* These must not change: users' seeds stand for their rows. */
static void first_rows_stay(void **state WR_UNUSED)
{
    assert_string_equal(first_rows("black-friday", "1"),
                        "\"457b871f-d536-477f-93d9-9f6293d268cf\" \"Eletronicos\" 3395.77 \"2025-11-28T00:00:00.000Z\"\n"
                        "\"cbdcf85c-ae05-4706-ba4c-0bfb150e957f\" \"Gamer\" 1643.02 \"2025-11-28T00:00:00.500Z\"\n"
                        "\"7d18b3e9-603e-4918-b64d-5cd8ae1e99bb\" \"Eletronicos\" 4477.75 \"2025-11-28T00:00:01.000Z\"\n");
    assert_string_equal(first_rows("iot", "1"),
                        "\"sensor_12\" \"server_room\" 14.47 47.27 1003.21 48.3 \"2025-11-28T00:00:00.000Z\"\n"
                        "\"sensor_19\" \"greenhouse\" 28.59 60.43 1004.88 15.4 \"2025-11-28T00:00:00.500Z\"\n"
                        "\"sensor_19\" \"greenhouse\" 26.7 44.92 1018.1 15.4 \"2025-11-28T00:00:01.000Z\"\n");
    assert_string_equal(first_rows("user-activity", "1"), "\"user_135\" \"purchase\" \"Edge\" 88 \"2025-11-28T00:00:00.000Z\"\n"
                                                          "\"user_484\" \"login\" \"Edge\" 18 \"2025-11-28T00:00:00.500Z\"\n"
                                                          "\"user_259\" \"login\" \"Safari\" 9 \"2025-11-28T00:00:01.000Z\"\n");
    assert_string_equal(first_rows("transactions", "1"),
                        "\"f0f36ff8-be88-4a46-991e-21bcc3f66f51\" \"vendedor_11\" 1327.69 \"2025-11-28T00:00:00.000Z\"\n"
                        "\"8a70ee96-9dbc-4e64-8f23-5d58ab4f6930\" \"vendedor_16\" 239.15 \"2025-11-28T00:00:00.500Z\"\n"
                        "\"bcccacbf-e030-4fc3-b771-5ac0f49aeef6\" \"vendedor_04\" 507.16 \"2025-11-28T00:00:01.000Z\"\n");
    assert_string_equal(first_rows("card-bursts", "1"),
                        "\"05aa4ecd-8132-4556-abac-7d2b537bd039\" \"card_06\" \"electronics\" 126.39 \"2025-11-28T00:00:00.000Z\"\n"
                        "\"08b7e1ce-e244-427f-bd55-1c4b23b439b0\" \"card_27\" \"restaurant\" 423.62 \"2025-11-28T00:00:00.171Z\"\n"
                        "\"dc7ec8d1-d40a-4aca-9abc-648dbac74d1c\" \"card_01\" \"electronics\" 134.45 \"2025-11-28T00:00:00.187Z\"\n");
    assert_string_equal(first_rows("random-events", "1"), "2 18.07 \"2025-11-28T00:00:00.000Z\"\n16 40.43 \"2025-11-28T00:00:00.500Z\"\n"
                                                          "3 58.89 \"2025-11-28T00:00:01.000Z\"\n");
    char one[2048];
    snprintf(one, sizeof one, "%s", first_rows("random-events", "1"));
    assert_string_not_equal(one, first_rows("random-events", "2"));
}

static const char *const scenarios[] = {"black-friday", "iot", "user-activity", "transactions", "card-bursts", "random-events"};

/* Batches of any size, and a source that takes over at any place, give the same rows. */
static void rows_do_not_depend_on_cuts(void **state WR_UNUSED)
{
    for (size_t s = 0; s < sizeof scenarios / sizeof scenarios[0]; s++) {
        struct wr_buf want = {0};
        for (int way = 0; way < 5; way++) {
            struct rig r;
            struct wr_buf got = {0}, pos = {0};
            rig_init(&r);
            scenario_columns(&r, scenarios[s]);
            rig_opt(&r, "rows", "500");
            r.spec.batch_rows = (uint32_t[]){0, 1, 7, 100, 1}[way];
            struct wr_source *src = open_source(&r);
            for (int i = 0; way == 4 && i < 137; i++) { /* a second source goes on where the first was */
                struct wr_batch *b;
                assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
                for (int c = 0; c < b->n_col; c++) {
                    if (c)
                        wr_buf_putc(&got, ' ');
                    wr_print_vec(&got, &b->col[c], 0, WR_STYLE_JSON);
                }
                wr_buf_putc(&got, '\n');
                wr_batch_unref(b);
            }
            if (way == 4) {
                assert_int_equal(src->vt->position(src, &pos, &r.err), WR_OK);
                src->vt->close(src);
                src = open_source(&r);
                assert_int_equal(src->vt->seek(src, wr_buf_get(&pos), &r.err), WR_OK);
            }
            drain(&r, src, &got);
            if (way == 0) {
                wr_buf_str(&want, wr_buf_get(&got));
                assert_int_equal(src->records, 500);
                assert_true(src->bounded && src->part[0].ended);
            }
            assert_int_equal(got.n, want.n);
            assert_memory_equal(got.p, want.p, want.n);
            src->vt->close(src);
            wr_buf_clear(&got);
            wr_buf_clear(&pos);
            wr_arena_clear(&r.mem);
        }
        wr_buf_clear(&want);
    }
}

static void left_out_columns_change_nothing(void **state WR_UNUSED)
{
    for (size_t s = 0; s < sizeof scenarios / sizeof scenarios[0]; s++) {
        struct rig all;
        rig_init(&all);
        scenario_columns(&all, scenarios[s]);
        rig_opt(&all, "rows", "100");
        struct wr_source *src = open_source(&all);
        struct wr_batch *b, *c;
        assert_int_equal(src->vt->poll(src, 0, &b, &all.err), WR_OK);
        for (int i = 0; i < all.spec.n_col; i++) {
            struct rig one;
            rig_init(&one);
            rig_opt(&one, "scenario", scenarios[s]);
            rig_opt(&one, "rows", "100");
            one.col[0] = all.col[i];
            one.spec.n_col = 1;
            struct wr_source *narrow = open_source(&one);
            assert_int_equal(narrow->vt->poll(narrow, 0, &c, &one.err), WR_OK);
            for (uint32_t row = 0; row < 100; row++)
                assert_int_equal(wr_vec_cmp(&b->col[i], row, &c->col[0], row), 0);
            wr_batch_unref(c);
            narrow->vt->close(narrow);
            wr_arena_clear(&one.mem);
        }
        wr_batch_unref(b);
        src->vt->close(src);
        wr_arena_clear(&all.mem);
    }
}

/* 20,000 orders: what the pipeline relies on. Figures are those of seed 1. */
static void black_friday_keeps_its_promises(void **state WR_UNUSED)
{
    enum { N = 20000 };
    struct rig r;
    struct wr_batch *b;
    static struct { uint64_t hi, lo; int64_t ts; int64_t cents; } seen[N];
    int by_name[4] = {0}, late = 0, repeated = 0, n = 0;
    static const char *const name[] = {"Eletronicos", "Livros", "Casa", "Gamer"};
    rig_init(&r);
    scenario_columns(&r, "black-friday");
    rig_opt(&r, "rows", "20000");
    struct wr_source *src = open_source(&r);
    int64_t start = INT64_C(1764288000000000), newest = 0;
    while (!src->ended) {
        assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
        for (uint32_t row = 0; row < b->len; row++, n++) {
            struct wr_str id = WR_VEC_STR(&b->col[0])[row], cat = WR_VEC_STR(&b->col[1])[row];
            int64_t cents = (int64_t)WR_VEC_I128(&b->col[2])[row], ts = WR_VEC_I64(&b->col[3])[row];
            assert_int_equal(id.n, 36);
            assert_true(id.p[8] == '-' && id.p[13] == '-' && id.p[14] == '4' && id.p[18] == '-' && strchr("89ab", id.p[19]));
            for (int i = 0; i < 4; i++)
                by_name[i] += wr_str_eq_c(cat, name[i]);
            assert_true(cents >= 1000 && cents <= 500000);
            int64_t due = start + (int64_t)n * 500000;
            assert_true(ts <= due && ts >= start && ts % 1000 == 0);
            memcpy(&seen[n].hi, id.p, 8);
            memcpy(&seen[n].lo, id.p + 28, 8);
            seen[n].ts = ts;
            seen[n].cents = cents;
            bool again = false;
            for (int k = n > 200 ? n - 200 : 0; k < n; k++) {
                if (seen[k].hi != seen[n].hi || seen[k].lo != seen[n].lo)
                    continue;
                assert_true(seen[k].ts == ts && seen[k].cents == cents); /* a retry is the same order */
                again = true;
            }
            repeated += again;
            if (!again)
                assert_true(due - ts <= 20 * WR_US_SEC);
            late += ts < newest;
            newest = ts > newest ? ts : newest;
        }
        wr_batch_unref(b);
    }
    assert_int_equal(n, N);
    assert_int_equal(by_name[0] + by_name[1] + by_name[2] + by_name[3], N);
    for (int i = 0; i < 4; i++)
        assert_in_range(by_name[i], 4800, 5200);
    assert_in_range(repeated, 340, 460);  /* 2 % */
    assert_in_range(late, 3600, 4800);    /* 20 %, and the retries */
    src->vt->close(src);
    wr_arena_clear(&r.mem);
}

static void bursts_are_bursts(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_batch *b;
    rig_init(&r);
    scenario_columns(&r, "card-bursts");
    rig_opt(&r, "rows", "5000");
    struct wr_source *src = open_source(&r);
    int64_t before = 0, size = 0, bursts = 0;
    for (bool first = true; !src->ended;) {
        assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
        for (uint32_t row = 0; row < b->len; row++, first = false) {
            int64_t ts = WR_VEC_I64(&b->col[4])[row], gap = first ? 0 : ts - before;
            if (gap >= WR_US_SEC) {
                assert_in_range(size, 8, 20);
                assert_true(gap <= 60 * WR_US_SEC);
                size = 0;
                bursts++;
            } else if (!first) {
                assert_in_range(gap, 10000, 200000);
            }
            size++;
            before = ts;
        }
        wr_batch_unref(b);
    }
    assert_in_range(bursts, 5000 / 20, 5000 / 8);
    src->vt->close(src);
    wr_arena_clear(&r.mem);
}

static void iot_goes_together(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_batch *b;
    struct wr_str place[21] = {{0}};
    int hot = 0, low = 0;
    rig_init(&r);
    scenario_columns(&r, "iot");
    rig_opt(&r, "rows", "2000");
    struct wr_source *src = open_source(&r);
    assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
    assert_int_equal(b->len, 2000);
    for (uint32_t row = 0; row < b->len; row++) {
        struct wr_str id = WR_VEC_STR(&b->col[0])[row], at = WR_VEC_STR(&b->col[1])[row];
        int k = (id.p[7] - '0') * 10 + id.p[8] - '0';
        assert_in_range(k, 1, 20);
        if (place[k].n)
            assert_true(wr_str_eq(place[k], at));
        place[k] = at;
        double temperature = WR_VEC_F64(&b->col[2])[row], battery = WR_VEC_F64(&b->col[5])[row];
        assert_true(temperature >= 12 && temperature <= 38 && battery >= 2 && battery <= 100);
        hot += temperature > 30;
        low += battery < 20;
    }
    assert_in_range(hot, 100, 400); /* alerts come, but not all the time */
    assert_in_range(low, 100, 600);
    wr_batch_unref(b);
    src->vt->close(src);
    wr_arena_clear(&r.mem);
}

static void columns_by_options(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_buf out = {0};
    rig_init(&r);
    rig_col(&r, "n", T(BIGINT));
    rig_col(&r, "five", T(INT));
    rig_col(&r, "half", DECIMAL(6, 2));
    rig_col(&r, "d", T(DOUBLE));
    rig_col(&r, "c", T(TEXT));
    rig_col(&r, "none", T(TEXT));
    rig_col(&r, "empty", T(TEXT));
    rig_col(&r, "ts", T(TIMESTAMPTZ));
    rig_col(&r, "day", T(DATE));
    rig_opt(&r, "columns.n.kind", "sequence");
    rig_opt(&r, "columns.n.start", "7");
    rig_opt(&r, "columns.n.end", "9");
    rig_opt(&r, "columns.five.min", "5");
    rig_opt(&r, "columns.five.max", "5");
    rig_opt(&r, "columns.half.min", "-0.50");
    rig_opt(&r, "columns.half.max", "-0.5");
    rig_opt(&r, "columns.d.min", "1.5");
    rig_opt(&r, "columns.d.max", "1.5");
    rig_opt(&r, "columns.C.choices", "only");
    rig_opt(&r, "columns.none.null_share", "1");
    rig_opt(&r, "columns.empty.length", "0");
    rig_opt(&r, "start", "2026-01-01T00:00:00");
    rig_opt(&r, "speedup", "864000");
    assert_true(wr_connector_datagen.source->bounded(&r.opts, false));
    struct wr_source *src = open_source(&r);
    drain(&r, src, &out);
    wr_buf_putc(&out, 0);
    assert_string_equal(out.p, "7 5 -0.50 1.5 \"only\" null \"\" \"2026-01-01T00:00:00.000Z\" \"2026-01-01\"\n"
                               "8 5 -0.50 1.5 \"only\" null \"\" \"2026-01-02T00:00:00.000Z\" \"2026-01-02\"\n"
                               "9 5 -0.50 1.5 \"only\" null \"\" \"2026-01-03T00:00:00.000Z\" \"2026-01-03\"\n");
    assert_int_equal(src->records, 3);
    src->vt->close(src);
    wr_buf_clear(&out);
    wr_arena_clear(&r.mem);
}

static void refuses(struct rig *r, const char *msg, const char *hint)
{
    if (!r->schema)
        rig_schema(r);
    assert_int_equal(wr_connector_datagen.source->check(&r->spec, &r->err), WR_ESQL);
    assert_string_equal(r->err.msg, msg);
    assert_string_equal(r->err.hint, hint);
    wr_arena_clear(&r->mem);
}

static void wrong_options(void **state WR_UNUSED)
{
    static const struct {
        const char *key, *value, *msg, *hint;
    } cases[] = {
        {"speedup", "fast", "option \"speedup\" cannot be \"fast\"", "it is a number from 0.001 to 1,000,000,000"},
        {"start", "soon", "option \"start\" cannot be \"soon\"", "it is a time such as '2025-11-28 00:00:00', or 'now'"},
        {"retries", "1", "option \"retries\" cannot be \"1\"", "it is a share from 0 to below 1"},
        {"rows", "-1", "option \"rows\" cannot be \"-1\"", "it is zero or more"},
        {"columns.n.maxx", "1", "unknown option \"columns.n.maxx\" for connector \"datagen\"",
         "it is columns.NAME. and one of: kind, min, max, start, end, length, choices, null_share"},
        {"columns.n.kind", "gauss", "column \"n\": kind cannot be \"gauss\"", "it is random, sequence (of whole numbers) or uuid (TEXT)"},
        {"columns.n.min", "x", "column \"n\": min cannot be \"x\"", ""},
        {"columns.n.min", "5000000000", "column \"n\": its least value is above its greatest", ""},
        {"columns.n.max", "5000000000", "column \"n\": type INTEGER does not hold the generated values", ""},
        {"columns.n.null_share", "2", "column \"n\": null_share cannot be \"2\"", ""},
        {"columns.n.choices", "a|b", "column \"n\": choices cannot be \"a|b\"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct rig r;
        rig_init(&r);
        rig_col(&r, "n", T(INT));
        rig_opt(&r, cases[i].key, cases[i].value);
        refuses(&r, cases[i].msg, cases[i].hint);
    }
    struct rig r;
    rig_init(&r);
    rig_opt(&r, "scenario", "black-friday");
    rig_col(&r, "categorie", T(TEXT));
    refuses(&r, "scenario \"black-friday\" has no column \"categorie\"", "did you mean \"categoria\"?");
    rig_init(&r);
    rig_opt(&r, "scenario", "black-friday");
    rig_col(&r, "valor", T(BIGINT));
    refuses(&r, "column \"valor\": type BIGINT does not hold the generated values", "");
    rig_init(&r);
    rig_col(&r, "j", T(JSON));
    refuses(&r, "column \"j\": values of type JSON cannot be generated", "");
    rig_init(&r);
    struct wr_coldef *col;
    int n;
    assert_int_equal(wr_connector_datagen.columns(&r.opts, &r.mem, &col, &n, &r.err), WR_ESQL);
    assert_string_equal(r.err.msg, "connector \"datagen\" needs a column list or the option \"scenario\"");
    wr_arena_clear(&r.mem);
}

static void declared_types_may_differ(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_buf out = {0};
    rig_init(&r);
    rig_opt(&r, "scenario", "black-friday");
    rig_opt(&r, "rows", "1");
    rig_col(&r, "timestamp", T(DATE));
    rig_col(&r, "valor", T(DOUBLE));
    rig_col(&r, "extra", T(TEXT));
    rig_opt(&r, "columns.extra.choices", "x");
    struct wr_source *src = open_source(&r);
    drain(&r, src, &out);
    wr_buf_putc(&out, 0);
    assert_string_equal(out.p, "\"2025-11-28\" 3395.77 \"x\"\n");
    src->vt->close(src);
    wr_buf_clear(&out);
    wr_arena_clear(&r.mem);
}

static void unbounded_is_paced(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_batch *b;
    rig_init(&r);
    scenario_columns(&r, "random-events");
    assert_false(wr_connector_datagen.source->bounded(&r.opts, true));
    struct wr_source *src = open_source(&r);
    assert_false(src->bounded);
    assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
    assert_non_null(b); /* the first row is due at once */
    assert_true(b->len < WR_BATCH_ROWS); /* two a second: a full batch would take a quarter of an hour */
    wr_batch_unref(b);
    src->vt->close(src);
    rig_opt(&r, "rows_per_second", "0");
    src = open_source(&r);
    assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
    assert_int_equal(b->len, WR_BATCH_ROWS);
    wr_batch_unref(b);
    src->vt->close(src);
    wr_arena_clear(&r.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_rows_stay),   cmocka_unit_test(rows_do_not_depend_on_cuts), cmocka_unit_test(left_out_columns_change_nothing),
        cmocka_unit_test(black_friday_keeps_its_promises), cmocka_unit_test(bursts_are_bursts), cmocka_unit_test(iot_goes_together),
        cmocka_unit_test(columns_by_options), cmocka_unit_test(wrong_options), cmocka_unit_test(declared_types_may_differ),
        cmocka_unit_test(unbounded_is_paced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

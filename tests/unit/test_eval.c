/* test_eval.c: properties of evaluation over random rows.
 *   - every entry of the function table, over nasty values: nothing crashes, dense = selected = one row at a time, strict functions give
 *     NULL for NULL;
 *   - expressions over columns: the same, and equal to the folded expression over that row's constants; wr_eval_pick agrees with wr_eval.
 * The seed is fixed: a failure repeats. */
#include "tests/unit/expr_text.h"

#include "core/nested.h"

static uint64_t seed = 20251128;
static bool no_nulls; /* columns without NULL have ways of their own */
static int effort = 1; /* WEIR_EFFORT=n in the environment: n times as many rounds */

static uint64_t next(void)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return seed >> 33;
}
static uint32_t below(uint32_t n)
{
    return (uint32_t)(next() % n);
}

enum { ROWS = 23 };

/* ---- values ---- */

static const int64_t whole[] = {0, 1, -1, 2, 3, 5, 7, 10, -10, 31, 63, 64, 100, 999, INT32_MAX, INT32_MIN, INT64_MAX, INT64_MIN, INT64_C(1764331200)};
static const double real[] = {0, -0.0, 1, -1, 0.5, -0.5, 2.5, 3.14159, 1e-300, 1e300, -1e300, 1e15, 123456.789, __builtin_nan(""), __builtin_inf(), -__builtin_inf()};
static const char *const text[] = {
    "", "a", "b", "abc", "ABC", "ä€𝄞", " x ", "%", "_", "a%", "%b%", "\\", "(", "[a-z]+", "(a)(b)?", "^a.*c$", "hour", "month", "epoch", "UTC", "Europe/Berlin",
    "YYYY-MM-DD", "yyyy-MM-dd", "HH24:MI:SS", "999,990.00", "FM9.9", "2025-11-28", "2025-11-28 12:00:00", "12", "-1.5", "{a,0}", "$.a[0]", "$", "[1, 2]",
    "{\"a\": [1, {\"b\": \"x\\u00e9\"}]}", "hex", "base64", "escape", "MTIz", "utf8", "g", "i", "%s %I %L", "%1$s", ",", "a,b,,c", "1 day", "aaaaaaaaaaaaaaaaaaaaab",
};
static const char *const jsons[] = {"null", "true", "12", "-1.5e3", "\"x\"", "\"\\ud83d\\ude00\"", "[]", "[1, \"a\", null]", "{}", "{\"a\": {\"b\": [1, 2]}, \"a\": 1}"};

static int64_t pick_whole(int64_t least, int64_t most)
{
    for (int i = 0; i < 20; i++) {
        int64_t v = whole[below(sizeof whole / sizeof whole[0])];
        if (v >= least && v <= most)
            return v;
    }
    return 1;
}

static struct wr_value value_of(struct wr_arena *a, struct wr_type t)
{
    struct wr_value v = {.type = t, .null = below(7) == 0 && !no_nulls};
    switch ((enum wr_tid)t.id) {
    case WR_T_NULL: v.null = true; break;
    case WR_T_BOOL: v.as.b = (uint8_t)below(2); break;
    case WR_T_INT: v.as.i = pick_whole(INT32_MIN, INT32_MAX); break;
    case WR_T_BIGINT: v.as.i = pick_whole(INT64_MIN, INT64_MAX); break;
    case WR_T_DOUBLE: v.as.d = real[below(sizeof real / sizeof real[0])]; break;
    case WR_T_DECIMAL:
        v.as.dec = (wr_i128)pick_whole(INT64_MIN, INT64_MAX) * (below(2) ? 1 : INT64_C(1000000007));
        v.as.dec %= wr_pow10[t.prec];
        break;
    case WR_T_TEXT: v.as.s = wr_str_c(text[below(sizeof text / sizeof text[0])]); break;
    case WR_T_BYTES: v.as.s = (struct wr_str){"\0\1\xff\xc3\xa4" "abc", below(9)}; break;
    case WR_T_JSON: v.as.s = wr_str_c(jsons[below(sizeof jsons / sizeof jsons[0])]); break;
    case WR_T_DATE: v.as.i = below(4) ? (int64_t)below(40000) - 10000 : below(2) ? -719162 : 2932896; break;
    case WR_T_TIME: v.as.i = (int64_t)below(86400) * 1000000 + below(1000000); break;
    case WR_T_TIMESTAMP:
    case WR_T_TIMESTAMPTZ:
        v.as.i = below(4) ? ((int64_t)next() - INT64_C(1) * INT32_MAX / 4) * 1000003 : below(2) ? INT64_C(-62135596800000000) : INT64_C(253402300799999999);
        break;
    case WR_T_INTERVAL:
        v.as.iv = (struct wr_interval){(int64_t)below(1000000) * 1000003, (int32_t)below(60) - 30, (int32_t)below(30) - 15};
        if (below(6) == 0)
            v.as.iv = (struct wr_interval){below(2) ? INT64_MAX : INT64_MIN, below(2) ? INT32_MAX : INT32_MIN, below(2) ? INT32_MAX : INT32_MIN};
        break;
    case WR_T_ARRAY:
    case WR_T_ROW: {
        struct wr_buf b = WR_BUF_INIT(1 << 16);
        struct wr_nested_maker m;
        wr_nested_open(&m, &b);
        int n = t.id == WR_T_ROW ? t.sub->n : (int)below(4);
        for (int i = 0; i < n; i++) {
            struct wr_value e = value_of(a, t.sub->field[t.id == WR_T_ROW ? i : 0].type);
            wr_nested_put(&m, &e);
        }
        wr_nested_close(&m);
        v.as.s = wr_arena_str(a, wr_buf_get(&b));
        wr_buf_clear(&b);
        break;
    }
    case WR_T_COUNT: break;
    }
    return v;
}

/* A type that the letter of a signature takes. */
static struct wr_type type_of(struct wr_arena *a, char letter)
{
    static const char letters[] = "?bildntyjDHTZI";
    static const uint8_t any[] = {WR_T_BOOL, WR_T_INT, WR_T_BIGINT, WR_T_DOUBLE, WR_T_TEXT, WR_T_TIMESTAMP, WR_T_DATE, WR_T_INTERVAL};
    if (letter == 'n') {
        int prec = 1 + (int)below(38);
        return wr_type_decimal(prec, (int)below((uint32_t)prec + 1));
    }
    if (letter == 'a')
        return wr_type_array(a, (struct wr_type){.id = any[below(sizeof any)]});
    if (letter == 'r') {
        struct wr_schema *s = wr_schema_new(a, 2);
        s->field[0] = (struct wr_field){.name = WR_STR("x"), .type = WR_TYPE_OF(BIGINT), .nullable = true};
        s->field[1] = (struct wr_field){.name = WR_STR("y"), .type = WR_TYPE_OF(TEXT), .nullable = true};
        return wr_type_row(s);
    }
    const char *p = letter == '?' ? NULL : strchr(letters, letter);
    return (struct wr_type){.id = p ? (uint8_t)(p - letters) : any[below(sizeof any)]};
}

/* ---- one batch of random columns ---- */

static struct wr_batch *batch_of(struct wr_arena *a, const struct wr_type *type, int n)
{
    struct wr_schema *s = wr_schema_new(a, n);
    for (int i = 0; i < n; i++)
        s->field[i] = (struct wr_field){.name = wr_arena_printf(a, "%c", 'a' + i), .type = type[i], .nullable = true};
    struct wr_batch *b = wr_batch_new(s, ROWS);
    b->len = b->n_live = ROWS;
    for (int i = 0; i < n; i++) {
        uint8_t *nulls = wr_vec_nulls(&b->col[i], ROWS, &b->mem);
        for (uint32_t row = 0; row < ROWS; row++) {
            struct wr_value v = value_of(a, type[i]);
            wr_vec_set(&b->col[i], row, &v, ROWS, &b->mem);
            nulls[row] = v.null;
        }
    }
    return b;
}

static struct wr_str row_text(struct wr_arena *a, const struct wr_eval *ev, const struct wr_vec *v, uint32_t row)
{
    struct wr_buf b = WR_BUF_INIT(1 << 27);
    t_print(&b, ev, v, row);
    struct wr_str s = wr_arena_str(a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return s;
}

/* Results of all rows, dense; then some and then each alone must be the same. */
static void check_rows(struct wr_arena *a, const struct wr_expr *x, const struct wr_batch *b, const char *what, struct wr_str *result)
{
    struct wr_eval ev = {.now_us = t_now};
    struct wr_vec v;
    uint32_t some[ROWS], n = 0;
    wr_eval_begin(&ev, b, a);
    wr_eval(&ev, x, b, NULL, ROWS, &v);
    for (uint32_t row = 0; row < ROWS; row++)
        result[row] = row_text(a, &ev, &v, row);
    for (uint32_t row = 0; row < ROWS; row++)
        if (below(2))
            some[n++] = row;
    wr_eval_begin(&ev, b, a);
    wr_eval(&ev, x, b, some, n, &v);
    for (uint32_t k = 0; k < n; k++) {
        struct wr_str got = row_text(a, &ev, &v, some[k]);
        if (!wr_str_eq(got, result[some[k]]))
            fail_msg("%s: row %u selected gives %s, dense %s", what, some[k], got.p, result[some[k]].p);
    }
    for (uint32_t row = 0; row < ROWS; row += 5) {
        wr_eval_begin(&ev, b, a);
        wr_eval(&ev, x, b, &row, 1, &v);
        struct wr_str got = row_text(a, &ev, &v, row);
        if (!wr_str_eq(got, result[row]))
            fail_msg("%s: row %u alone gives %s, dense %s", what, row, got.p, result[row].p);
    }
    wr_eval_clear(&ev);
}

/* ---- every function ---- */

static bool is_null_row(const struct wr_batch *b, int n, uint32_t row)
{
    for (int i = 0; i < n; i++)
        if (wr_vec_null(&b->col[i], row))
            return true;
    return false;
}

static void try_function(const struct wr_func *f)
{
    struct wr_arena a = {0};
    struct wr_type type[12] = {0}; /* a function without arguments gets one column of NULLs */
    struct wr_expr *arg[12], *x;
    int n = 0;
    const char *sig = f->sig;
    for (; *sig && *sig != ':' && *sig != '.'; sig++)
        type[n++] = type_of(&a, *sig);
    for (int more = *sig == '.' ? (int)below(3) : 0; more; more--) {
        type[n] = type_of(&a, sig[-1]);
        n++;
    }
    for (int i = 0; i < n; i++) { /* '=' and 'e' follow the others */
        char letter = i < (int)strcspn(f->sig, ".:") ? f->sig[i] : f->sig[strcspn(f->sig, ".:") - 1];
        for (int k = 0; k < n; k++) {
            if (letter == '=' && strchr("*=", f->sig[0]))
                type[i] = type[0];
            if (letter == 'e' && type[k].id == WR_T_ARRAY)
                type[i] = type[k].sub->field[0].type;
            if (letter == 'a' && k < i && type[k].id == WR_T_ARRAY)
                type[i] = type[k];
        }
        if (letter == '=' && f->sig[0] == 'b')
            type[i] = type[1];
    }
    struct wr_batch *b = batch_of(&a, type, n ? n : 1);
    for (int i = 0; i < n; i++) {
        arg[i] = wr_expr_col(&a, i, type[i], true, 0);
        if (below(4) == 0) { /* some as constants: prepared patterns, formats, units */
            struct wr_value v = value_of(&a, type[i]);
            v.type = type[i];
            arg[i] = wr_expr_const(&a, v, 0);
        }
    }
    struct wr_error err = WR_ERROR_INIT;
    struct wr_str result[ROWS];
    char what[200];
    snprintf(what, sizeof what, "%s %s", f->name, f->sig);
    if (!(f->flags & WR_F_VOLATILE) && !wr_expr_call(&a, wr_str_c(f->name), arg, n, 0, &x, &err)) {
        check_rows(&a, x, b, what, result);
        bool columns = x->kind == WR_X_CALL && !(x->u.call.fn->flags & WR_F_NULLS);
        for (uint32_t row = 0; row < ROWS && columns; row++)
            if (is_null_row(b, n, row) && n == 1 && arg[0]->kind == WR_X_COL)
                assert_string_equal(result[row].p, "NULL");
        struct wr_buf print = WR_BUF_INIT(1 << 20);
        wr_expr_print(&print, x, NULL);
        assert_true(print.n > 0);
        wr_buf_clear(&print);
    }
    wr_batch_unref(b);
    wr_arena_clear(&a);
}

static void every_function_bears_every_value(void **state WR_UNUSED)
{
    for (int i = 0; i < wr_func_count(); i++)
        for (int k = 0; k < 40 * effort; k++)
            try_function(wr_func_get(i));
}

static void the_table_is_in_order(void **state WR_UNUSED)
{
    for (int i = 0; i < wr_func_count(); i++) {
        const struct wr_func *f = wr_func_get(i), *g = i ? wr_func_get(i - 1) : NULL;
        assert_true(f->name[0] && strchr(f->sig, ':'));
        if (!(f->flags & WR_F_HIDDEN) && strlen(f->help) < 2)
            fail_msg("%s has no help", f->name);
        if (g && strcmp(g->name, f->name) == 0 && strcmp(g->sig, f->sig) == 0)
            fail_msg("%s %s is there twice", f->name, f->sig);
        assert_true(wr_func_exists(wr_str_c(f->name)));
    }
    assert_true(wr_func_exists(WR_STR("SubString")));
    assert_false(wr_func_exists(WR_STR("no_such_function")));
}

/* ---- every conversion ---- */

static void every_cast_bears_every_value(void **state WR_UNUSED)
{
    static const char letters[] = "bildntyjDHTZIar";
    for (int k = 0; k < 12 * effort; k++)
        for (const char *p = letters; *p; p++)
            for (const char *q = letters; *q; q++) {
                struct wr_arena a = {0};
                struct wr_error err = WR_ERROR_INIT;
                struct wr_type from = type_of(&a, *p), to = type_of(&a, *q);
                struct wr_batch *b = batch_of(&a, &from, 1);
                struct wr_expr *x;
                struct wr_str result[ROWS];
                char what[40];
                snprintf(what, sizeof what, "cast %c to %c", *p, *q);
                if (!wr_expr_cast(&a, wr_expr_col(&a, 0, from, true, 0), to, true, &x, &err)) {
                    assert_true(x->type.id == to.id);
                    check_rows(&a, x, b, what, result);
                } else {
                    assert_true(err.msg[0]);
                }
                wr_batch_unref(b);
                wr_arena_clear(&a);
            }
}

/* ---- expressions over columns ---- */

/* Columns: a INTEGER, b BIGINT, c DOUBLE, d DECIMAL(12,2), e TEXT, f TIMESTAMP, g BOOLEAN, h INTERVAL, i DATE, j INTEGER. */
static const char *const expressions[] = {
    "a + j", "a * j - 3", "b + a", "a / j", "b % a", "d * 1.5 + a", "d / 3", "c * c", "-d", "a = j", "a < j", "b >= a", "c < 2.5", "c <> c", "d > 100", "d <= 10.555",
    "e = 'abc'", "e < 'b'", "e <> e", "f > timestamp '2001-01-01'", "i = i", "h < interval '1 day'", "a is null", "g is not true", "a in (1, 2, 7)",
    "e in ('a', 'abc', null)", "a > 0 and j > 0", "a > 0 or j < 0", "g and a > 1 or not g", "not (a = 1 and j = 2)", "a > 0 and 10 / a > 1", "a = 0 or 10 / a > 1",
    "case when a > 0 then 10 / a when a = 0 then -1 else a end", "case when g then e when a > 1 then 'x' end", "coalesce(a, j, 0)", "coalesce(e, 'none') || '!'",
    "try(a / j)", "coalesce(try(e::integer), -1)", "e like 'a%' and length(e) > 1", "upper(e) || a", "substring(e, 1, 2)", "e ~ '^a'", "date_trunc('day', f)",
    "extract(year from f) > 2000", "f + h", "f - interval '1 day' < f", "greatest(a, j)", "nullif(a, 0)", "a is distinct from j", "d = a", "c > d", "d + c",
    "round(d)", "abs(b)", "b::integer", "c::bigint", "d::integer", "e::text", "f::date = i", "i + 1", "a > 0 and g and e <> '' and d > 0",
    "case when g then try(1 / a) else b end > 0", "concat(e, a, g)", "a & j | 5", "e like e",
    "case when a > 0 then b when e = 'abc' then a end", "case when c < 1 then c when g then 0.5 else null end", "case when g then d when a > j then -d else 0.25 end",
    "case when e = 'b' then 'short' when e <> 'UTC' then e else 'none' end", "case when a = j then g when b > 0 then a > 1 end",
    "case when null then 1 when true then a else j end", "case when f > timestamp '2001-01-01' then f when i = i then timestamp '2000-01-01' end",
    "case when g then h else interval '1 day' end", "a > 0 and j > 0 and g or c > 0", "(a > 0 or j > 0) and b <> 7", "a > 0 and true and null",
    "e = ''", "e = 'a'", "'UTC' = e", "e <> 'hour'", "e = '2025-11-28'", "e = '2025-11-28 12:00:00'", "e = 'aaaaaaaaaaaaaaaaaaaaab'", "e like 'ab%'", "e like 'Euro%'",
    "e like '2025-11-%'", "e like '2025-11-28 12:00%'", "e like 'abc'", "e not like '2025%'", "b * b", "b * 3", "b / 7", "b % 7", "b / 1", "b % 1", "b / 64", "a / 10",
    "b / 9223372036854775807", "b / (-7)", "b % 0", "a * 1000 / 60", "c / c", "c / 0.5::double precision", "c - c", "date_trunc('minute', f)", "date_trunc('week', f)",
    "date_trunc('month', f)", "date_trunc('year', f)", "date_trunc('century', f)",
};

static struct wr_expr *parse_over(struct text_parser *t, const char *text_, const struct wr_batch *b, const struct wr_type *type, int n, int row)
{
    t->p = text_;
    t->names = n;
    for (int i = 0; i < n; i++) {
        t->name_type[i] = type[i];
        t->name_value[i] = row >= 0 ? wr_vec_get(&b->col[i], (uint32_t)row) : (struct wr_value){0};
        t->name_value[i].type = type[i];
    }
    t->name_const = row >= 0;
    return t_expr(t, 0);
}

static void check_pick(struct wr_arena *a, const struct wr_expr *x, const struct wr_batch *b, const struct wr_str *result, const char *what)
{
    struct wr_eval ev = {.now_us = t_now};
    uint32_t some[ROWS], pick[ROWS], n = 0, m = 0, at = 0;
    for (uint32_t row = 0; row < ROWS; row++)
        if (below(3))
            some[n++] = row;
    wr_eval_begin(&ev, b, a);
    wr_eval_pick(&ev, x, b, some, n, pick, &m);
    for (uint32_t k = 0; k < n; k++) {
        bool want = wr_str_eq_c((struct wr_str){result[some[k]].p, result[some[k]].n - 1}, "t"), got = at < m && pick[at] == some[k];
        at += got;
        if (want != got)
            fail_msg("%s: row %u is %s and %s picked", what, some[k], result[some[k]].p, got ? "was" : "was not");
    }
    assert_int_equal(at, m);
    /* picking in place */
    wr_eval_begin(&ev, b, a);
    uint32_t m2 = 0;
    wr_eval_pick(&ev, x, b, some, n, some, &m2);
    assert_int_equal(m, m2);
    assert_memory_equal(some, pick, m * sizeof(*pick));
    wr_eval_clear(&ev);
}

static void check_folded(struct wr_arena *a, const char *text_, const struct wr_batch *b, const struct wr_type *type, int n, const struct wr_str *result)
{
    for (uint32_t row = 0; row < ROWS; row += 3) {
        struct text_parser t = {.a = a, .err = WR_ERROR_INIT};
        struct wr_expr *x = parse_over(&t, text_, b, type, n, (int)row);
        if (t.err.code && result[row].p[0] == '!')
            continue; /* a wrong constant pattern is the statement's error, from a column it is the row's */
        if (t.err.code)
            fail_msg("%s: %s", text_, t.err.msg);
        x = wr_expr_fold(a, x);
        struct wr_eval ev = {.now_us = t_now};
        struct wr_vec v;
        wr_eval_begin(&ev, NULL, a);
        wr_eval(&ev, x, NULL, NULL, 1, &v);
        struct wr_str got = row_text(a, &ev, &v, 0);
        if (!wr_str_eq(got, result[row]))
            fail_msg("%s: row %u folded gives %s, over columns %s", text_, row, got.p, result[row].p);
        wr_eval_clear(&ev);
    }
}

static void expressions_agree_however_they_are_run(void **state WR_UNUSED)
{
    static const uint8_t ids[] = {WR_T_INT, WR_T_BIGINT, WR_T_DOUBLE, WR_T_DECIMAL, WR_T_TEXT, WR_T_TIMESTAMP, WR_T_BOOL, WR_T_INTERVAL, WR_T_DATE, WR_T_INT};
    enum { N = sizeof ids };
    for (int round = 0; round < 30 * effort; round++)
        for (size_t i = 0; i < sizeof expressions / sizeof expressions[0]; i++) {
            struct wr_arena a = {0};
            struct wr_type type[N];
            no_nulls = round % 2;
            for (int k = 0; k < N; k++)
                type[k] = ids[k] == WR_T_DECIMAL ? wr_type_decimal(12, 2) : (struct wr_type){.id = ids[k]};
            struct wr_batch *b = batch_of(&a, type, N);
            struct text_parser t = {.a = &a, .err = WR_ERROR_INIT};
            struct wr_expr *x = parse_over(&t, expressions[i], b, type, N, -1);
            struct wr_str result[ROWS];
            if (t.err.code)
                fail_msg("%s: %s", expressions[i], t.err.msg);
            check_rows(&a, x, b, expressions[i], result);
            if (x->type.id == WR_T_BOOL)
                check_pick(&a, x, b, result, expressions[i]);
            check_folded(&a, expressions[i], b, type, N, result);
            int map[N];
            for (int k = 0; k < N; k++)
                map[k] = k;
            assert_true(wr_expr_eq(x, wr_expr_remap(&a, x, map)));
            wr_batch_unref(b);
            wr_arena_clear(&a);
        }
}

int main(void)
{
    const char *more = getenv("WEIR_EFFORT");
    if (more)
        effort = (int)strtol(more, NULL, 10);
    seed += (uint64_t)effort;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_is_in_order),
        cmocka_unit_test(every_function_bears_every_value),
        cmocka_unit_test(every_cast_bears_every_value),
        cmocka_unit_test(expressions_agree_however_they_are_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

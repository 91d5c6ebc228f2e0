/* expr_text.h: bound expressions from SQL-like text, for tests of functions without parser and planner.
 * A case is {text, expected}: expected is the value as psql prints it (t and f for BOOLEAN), "NULL", "!reason" for a bad row, or
 * "?text" for an error at bind whose message begins so. Each case runs three ways, which must agree: folded as a constant; over
 * columns in place of its constants, dense with rows of NULL between; the same over a selection. Since the text is also
 * PostgreSQL's where the comment on a table says so, pg_oracle.py can check the expected values. */
#ifndef WR_TESTS_UNIT_EXPR_TEXT_H
#define WR_TESTS_UNIT_EXPR_TEXT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/decimal.h"
#include "core/expr.h"

struct expr_case {
    const char *text;
    const char *expected;
};

struct text_parser {
    struct wr_arena *a;
    const char *p;
    bool columns;              /* constants become columns */
    int n_col;
    struct wr_value col[64];   /* their values */
    int names;                 /* columns a, b, c ... that the text may name */
    bool name_const;           /* they stand for name_value, not for columns */
    struct wr_type name_type[16];
    struct wr_value name_value[16];
    struct wr_error err;
};

static struct wr_expr *t_expr(struct text_parser *t, int min);

static void t_blank(struct text_parser *t)
{
    while (*t->p == ' ' || *t->p == '\n')
        t->p++;
}

static bool t_letter(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || ch == '_' || (ch >= '0' && ch <= '9');
}

/* Takes a keyword (lower case, whole word) or a sign. */
static bool t_take(struct text_parser *t, const char *word)
{
    t_blank(t);
    size_t n = strlen(word);
    if (strncasecmp(t->p, word, n) != 0 || (t_letter(word[n - 1]) && t_letter(t->p[n])))
        return false;
    t->p += n;
    return true;
}

static void t_need(struct text_parser *t, const char *word)
{
    if (!t_take(t, word))
        fail_msg("test text: expected %s at: %s", word, t->p);
}

static struct wr_expr *t_leaf(struct text_parser *t, struct wr_value v)
{
    if (!t->columns || v.type.id == WR_T_NULL)
        return wr_expr_const(t->a, v, 0);
    assert_true(t->n_col < 64);
    t->col[t->n_col] = v;
    return wr_expr_col(t->a, t->n_col++, v.type, true, 0);
}

static struct wr_str t_quoted(struct text_parser *t)
{
    struct wr_buf b = WR_BUF_INIT(1 << 20);
    t->p++;
    for (; *t->p; t->p++) {
        if (*t->p == '\'') {
            if (t->p[1] != '\'')
                break;
            t->p++;
        }
        wr_buf_putc(&b, *t->p);
    }
    t->p++;
    struct wr_str s = wr_arena_str(t->a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return s;
}

static bool t_type(struct text_parser *t, struct wr_type *out)
{
    static const struct { const char *name; uint8_t id; } types[] = {
        {"boolean", WR_T_BOOL}, {"integer", WR_T_INT}, {"int", WR_T_INT}, {"bigint", WR_T_BIGINT}, {"double precision", WR_T_DOUBLE},
        {"double", WR_T_DOUBLE}, {"numeric", WR_T_DECIMAL}, {"decimal", WR_T_DECIMAL}, {"text", WR_T_TEXT}, {"varchar", WR_T_TEXT},
        {"bytea", WR_T_BYTES}, {"json", WR_T_JSON}, {"date", WR_T_DATE}, {"timestamptz", WR_T_TIMESTAMPTZ}, {"timestamp", WR_T_TIMESTAMP},
        {"time", WR_T_TIME}, {"interval", WR_T_INTERVAL},
    };
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (!t_take(t, types[i].name))
            continue;
        *out = (struct wr_type){.id = types[i].id};
        if (out->id == WR_T_DECIMAL)
            *out = wr_type_decimal(38, 10);
        if (t_take(t, "(")) {
            int a = (int)strtol(t->p, (char **)(uintptr_t)&t->p, 10), b = 0;
            if (t_take(t, ","))
                b = (int)strtol(t->p, (char **)(uintptr_t)&t->p, 10);
            t_need(t, ")");
            if (out->id == WR_T_DECIMAL)
                *out = wr_type_decimal(a, b);
            else if (out->id == WR_T_TEXT)
                out->len = (uint32_t)a;
            else
                out->prec = (uint8_t)a;
        }
        return true;
    }
    return false;
}

static struct wr_expr *t_number(struct text_parser *t)
{
    const char *from = t->p;
    bool point = false, exp = false;
    int frac = 0, digits = 0;
    t->p += *t->p == '-';
    for (; (*t->p >= '0' && *t->p <= '9') || *t->p == '.' || *t->p == 'e' || (exp && (*t->p == '-' || *t->p == '+')); t->p++) {
        if (*t->p == '.')
            point = true;
        else if (*t->p == 'e')
            exp = true;
        else if (!exp) {
            digits++;
            frac += point;
        }
    }
    struct wr_str s = {from, (uint32_t)(t->p - from)};
    struct wr_value v = {.type = WR_TYPE_OF(BIGINT)};
    enum wr_reason why;
    if (exp)
        v.type = WR_TYPE_OF(DOUBLE);
    else if (point || !wr_parse_value(v.type, s, t->a, &v, &why))
        v.type = wr_type_decimal(digits > 38 ? 38 : digits, frac);
    assert_true(wr_parse_value(v.type, s, t->a, &v, &why));
    if (v.type.id == WR_T_BIGINT && v.as.i == (int32_t)v.as.i)
        v.type = WR_TYPE_OF(INT);
    return t_leaf(t, v);
}

static struct wr_expr *t_call(struct text_parser *t, const char *name, struct wr_expr **arg, int n)
{
    struct wr_expr *x = NULL;
    if (t->err.code)
        return arg && n ? arg[0] : NULL;
    wr_expr_call(t->a, wr_str_c(name), arg, n, 0, &x, &t->err);
    return t->err.code ? wr_expr_const(t->a, (struct wr_value){.null = true}, 0) : x;
}

static struct wr_expr *t_call2(struct text_parser *t, const char *name, struct wr_expr *x, struct wr_expr *y)
{
    struct wr_expr *arg[] = {x, y};
    return t_call(t, name, arg, y ? 2 : 1);
}

static struct wr_expr *t_node(struct text_parser *t, enum wr_xkind kind, struct wr_type type, struct wr_expr **arg, int n)
{
    struct wr_expr *x = WR_NEW(t->a, struct wr_expr);
    *x = (struct wr_expr){.kind = kind, .type = type, .nullable = true};
    x->u.call.n = n;
    x->u.call.arg = WR_NEW_N(t->a, struct wr_expr *, n);
    memcpy(x->u.call.arg, arg, sizeof(*arg) * (size_t)n);
    return x;
}

static struct wr_expr *t_cast(struct text_parser *t, struct wr_expr *x, struct wr_type to)
{
    struct wr_expr *y = x;
    if (!t->err.code)
        wr_expr_cast(t->a, x, to, true, &y, &t->err);
    return y;
}

/* CASE results, COALESCE arguments: one type. */
static struct wr_type t_unify(struct text_parser *t, struct wr_expr **arg, int n, const char *what)
{
    struct wr_type type = WR_TYPE_OF(NULL);
    if (!t->err.code)
        wr_expr_unify(t->a, arg, n, what, &type, &t->err);
    return type;
}

static struct wr_expr *t_case(struct text_parser *t)
{
    struct wr_expr *arg[32], *val[32];
    int n = 0, m = 0;
    while (t_take(t, "when")) {
        arg[n++] = t_expr(t, 0);
        t_need(t, "then");
        val[m++] = arg[n++] = t_expr(t, 0);
    }
    if (t_take(t, "else"))
        val[m++] = arg[n++] = t_expr(t, 0);
    t_need(t, "end");
    struct wr_type type = t_unify(t, val, m, "CASE");
    for (int i = 0; i < m; i++)
        arg[i * 2 + 1 < n ? i * 2 + 1 : i * 2] = val[i];
    return t_node(t, WR_X_CASE, type, arg, n);
}

static int t_args(struct text_parser *t, struct wr_expr **arg, const char *close)
{
    int n = 0;
    if (t_take(t, close))
        return 0;
    do {
        assert_true(n < 48);
        arg[n++] = t_expr(t, 0);
    } while (t_take(t, ","));
    t_need(t, close);
    return n;
}

static struct wr_expr *t_named(struct text_parser *t)
{
    struct wr_expr *arg[48];
    char name[64];
    size_t n = 0;
    bool quoted = *t->p == '"';
    t->p += quoted;
    while (n < sizeof name - 1 && (quoted ? *t->p && *t->p != '"' : t_letter(*t->p)))
        name[n++] = *t->p++;
    name[n] = 0;
    t->p += quoted;
    if (n == 1 && name[0] >= 'a' && name[0] < 'a' + t->names) {
        int i = name[0] - 'a';
        return t->name_const ? wr_expr_const(t->a, t->name_value[i], 0) : wr_expr_col(t->a, i, t->name_type[i], true, 0);
    }
    if (strcasecmp(name, "array") == 0 && t_take(t, "["))
        return t_call(t, "array", arg, t_args(t, arg, "]"));
    if (!t_take(t, "(")) { /* current_date and its like */
        return t_call(t, name, arg, 0);
    }
    if (strcasecmp(name, "extract") == 0) {
        const char *from = t->p;
        while (t_letter(*t->p))
            t->p++;
        struct wr_str unit = {from, (uint32_t)(t->p - from)};
        arg[0] = wr_expr_const(t->a, (struct wr_value){.type = WR_TYPE_OF(TEXT), .as.s = unit}, 0);
        t_need(t, "from");
        arg[1] = t_expr(t, 0);
        t_need(t, ")");
        return t_call(t, "extract", arg, 2);
    }
    int n_arg = t_args(t, arg, ")");
    if (strcasecmp(name, "coalesce") == 0)
        return t_node(t, WR_X_COALESCE, t_unify(t, arg, n_arg, "COALESCE"), arg, n_arg);
    if (strcasecmp(name, "try") == 0)
        return t_node(t, WR_X_TRY, arg[0]->type, arg, 1);
    return t_call(t, name, arg, n_arg);
}

static struct wr_expr *t_primary(struct text_parser *t)
{
    struct wr_type type;
    t_blank(t);
    const char *digit = t->p + (*t->p == '-'); /* -2147483648 is an INTEGER, as in PostgreSQL */
    if (*digit >= '0' && *digit <= '9')
        return t_number(t);
    if (*t->p == '\'')
        return t_leaf(t, (struct wr_value){.type = WR_TYPE_OF(TEXT), .as.s = t_quoted(t)});
    if (t_take(t, "(")) {
        struct wr_expr *x = t_expr(t, 0);
        t_need(t, ")");
        return x;
    }
    if (t_take(t, "-"))
        return t_call2(t, "-", t_expr(t, 90), NULL);
    if (t_take(t, "~"))
        return t_call2(t, "~", t_expr(t, 90), NULL);
    if (t_take(t, "not"))
        return t_call2(t, "not", t_expr(t, 25), NULL);
    if (t_take(t, "null"))
        return wr_expr_const(t->a, (struct wr_value){.type = WR_TYPE_OF(NULL), .null = true}, 0);
    if (t_take(t, "true"))
        return t_leaf(t, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = 1});
    if (t_take(t, "false"))
        return t_leaf(t, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = 0});
    if (t_take(t, "case"))
        return t_case(t);
    if (t_take(t, "cast")) {
        t_need(t, "(");
        struct wr_expr *x = t_expr(t, 0);
        t_need(t, "as");
        assert_true(t_type(t, &type));
        t_need(t, ")");
        return t_cast(t, x, type);
    }
    const char *back = t->p;
    if (t_type(t, &type)) {
        t_blank(t);
        if (*t->p == '\'') {
            struct wr_str s = t_quoted(t);
            struct wr_value v;
            enum wr_reason why;
            if (!wr_parse_value(type, s, t->a, &v, &why))
                fail_msg("test text: bad literal %.*s", WR_FMT(s));
            v.type = type;
            return t_leaf(t, v);
        }
        t->p = back;
    }
    return t_named(t);
}

/* Signs by falling length, with how they bind. */
static const struct { const char *sign; int level; const char *name; } t_signs[] = {
    {"is not distinct from", 35, "is_not_distinct"}, {"is distinct from", 35, "is_distinct"}, {"is not null", 35, "is_not_null"},
    {"is null", 35, "is_null"}, {"is not true", 35, "is_not_true"}, {"is true", 35, "is_true"}, {"is not false", 35, "is_not_false"},
    {"is false", 35, "is_false"}, {"is not unknown", 35, "is_not_unknown"}, {"is unknown", 35, "is_unknown"},
    {"at time zone", 95, "timezone"}, {"similar to", 40, "similar"}, {"ilike", 40, "ilike"}, {"like", 40, "like"},
    {"#>>", 60, "#>>"}, {"->>", 60, "->>"}, {"#>", 60, "#>"}, {"->", 60, "->"}, {"||", 60, "||"}, {"!~*", 60, "!~*"}, {"!~", 60, "!~"},
    {"~*", 60, "~*"}, {"<<", 60, "<<"}, {">>", 60, ">>"}, {"<>", 45, "<>"}, {"<=", 45, "<="}, {">=", 45, ">="}, {"<", 45, "<"}, {">", 45, ">"},
    {"=", 45, "="}, {"~", 60, "~"}, {"&", 60, "&"}, {"|", 60, "|"}, {"#", 60, "#"}, {"+", 70, "+"}, {"-", 70, "-"}, {"*", 80, "*"},
    {"/", 80, "/"}, {"%", 80, "%"}, {"^", 85, "^"},
};

static struct wr_expr *t_suffix(struct text_parser *t, struct wr_expr *x, int min, bool *more)
{
    struct wr_type type;
    *more = true;
    if (t_take(t, "::")) {
        assert_true(t_type(t, &type));
        return t_cast(t, x, type);
    }
    if (t_take(t, "[")) {
        struct wr_expr *i = t_expr(t, 0);
        t_need(t, "]");
        return t_call2(t, "subscript", x, i);
    }
    if (min <= 40 && t_take(t, "in")) {
        struct wr_expr *arg[48] = {x};
        t_need(t, "(");
        int n = t_args(t, arg + 1, ")");
        return t_call(t, "in", arg, n + 1);
    }
    if (min <= 20 && t_take(t, "and")) {
        struct wr_expr *arg[] = {x, t_expr(t, 21)};
        return t_node(t, WR_X_AND, WR_TYPE_OF(BOOL), arg, 2);
    }
    if (min <= 10 && t_take(t, "or")) {
        struct wr_expr *arg[] = {x, t_expr(t, 11)};
        return t_node(t, WR_X_OR, WR_TYPE_OF(BOOL), arg, 2);
    }
    *more = false;
    return x;
}

static struct wr_expr *t_expr(struct text_parser *t, int min)
{
    struct wr_expr *x = t_primary(t);
    for (bool more = true; more;) {
        x = t_suffix(t, x, min, &more);
        for (size_t i = 0; !more && i < sizeof t_signs / sizeof t_signs[0]; i++) {
            const char *before = t->p;
            if (!t_take(t, t_signs[i].sign))
                continue;
            if (t_signs[i].level < min) { /* binds less: the caller's */
                t->p = before;
                break;
            }
            more = true;
            const char *name = t_signs[i].name;
            bool one = strncmp(name, "is_", 3) == 0 && !strstr(name, "distinct");
            struct wr_expr *y = one ? NULL : t_expr(t, t_signs[i].level + 1);
            if (strcmp(name, "timezone") == 0)
                x = t_call2(t, name, y, x);
            else if (t_signs[i].level == 40 && t_take(t, "escape")) {
                struct wr_expr *arg[] = {x, y, t_expr(t, 50)};
                x = t_call(t, name, arg, 3);
            } else
                x = t_call2(t, name, x, y);
        }
    }
    return x;
}

enum { T_ROWS = 9 };

/* A batch of T_ROWS rows: each column has its constant, but NULL in rows 0 and 4. */
static struct wr_batch *t_batch(struct text_parser *t)
{
    struct wr_schema *s = wr_schema_new(t->a, t->n_col + 1);
    for (int i = 0; i < t->n_col; i++)
        s->field[i] = (struct wr_field){.name = WR_STR("c"), .type = t->col[i].type, .nullable = true};
    s->field[t->n_col] = (struct wr_field){.name = WR_STR("last"), .type = WR_TYPE_OF(INT)};
    struct wr_batch *b = wr_batch_new(s, T_ROWS);
    b->len = b->n_live = T_ROWS;
    for (int i = 0; i < t->n_col; i++) {
        uint8_t *nulls = wr_vec_nulls(&b->col[i], T_ROWS, &b->mem);
        for (uint32_t row = 0; row < T_ROWS; row++) {
            wr_vec_set(&b->col[i], row, &t->col[i], T_ROWS, &b->mem);
            nulls[row] = row == 0 || row == 4;
        }
    }
    return b;
}

static const int64_t t_now = INT64_C(1764331200123456); /* 2025-11-28 12:00:00.123456 */

static void t_print(struct wr_buf *out, const struct wr_eval *ev, const struct wr_vec *v, uint32_t row)
{
    wr_buf_reset(out);
    for (uint32_t i = 0; i < ev->n_bad; i++)
        if (ev->list[i].row == row)
            wr_buf_printf(out, "!%s", wr_reason_name(ev->list[i].reason));
    if (out->n == 0 && wr_vec_null(v, row))
        wr_buf_puts(out, "NULL");
    else if (out->n == 0)
        wr_print_vec(out, v, wr_vec_at(v, row), WR_STYLE_SQL);
    wr_buf_putc(out, 0);
}

static int t_check(const char *text, const char *expected, const char *got, const char *way)
{
    if (strcmp(expected, got) == 0)
        return 0;
    print_error("%s\n    expected %s\n    got      %s (%s)\n", text, expected, got, way);
    return 1;
}

static int t_rows(struct text_parser *t, struct wr_expr *x, const struct expr_case *c, const uint32_t *sel, uint32_t n, const char *way)
{
    struct wr_batch *b = t_batch(t);
    struct wr_eval ev = {.now_us = t_now};
    struct wr_vec v;
    struct wr_buf out = WR_BUF_INIT(1 << 20);
    int bad = 0;
    wr_eval_begin(&ev, b, t->a);
    wr_eval(&ev, x, b, sel, n, &v);
    for (uint32_t k = 0; k < n && !bad; k++) {
        uint32_t row = sel ? sel[k] : k;
        t_print(&out, &ev, &v, row);
        if (row != 0 && row != 4)
            bad = t_check(c->text, c->expected, out.p, way);
    }
    wr_eval_clear(&ev);
    wr_buf_clear(&out);
    wr_batch_unref(b);
    return bad;
}

static int t_case_as(const struct expr_case *c, bool columns)
{
    static const uint32_t some[] = {1, 3, 4, 8};
    struct wr_arena a = {0};
    struct text_parser t = {.a = &a, .p = c->text, .columns = columns, .err = WR_ERROR_INIT};
    struct wr_expr *x = t_expr(&t, 0);
    t_blank(&t);
    int bad = 0;
    if (*t.p)
        fail_msg("test text: not understood from: %s", t.p);
    if (t.err.code && !columns) {
        bool same = c->expected[0] == '?' && strncmp(c->expected + 1, t.err.msg, strlen(c->expected + 1)) == 0;
        bad = same ? 0 : t_check(c->text, c->expected, t.err.msg, "bind");
    } else if (!t.err.code) {
        if (!columns)
            x = wr_expr_fold(&a, x);
        bad = t_rows(&t, x, c, NULL, T_ROWS, columns ? "columns" : "constant");
        if (!bad)
            bad = t_rows(&t, x, c, some, 4, columns ? "columns, selection" : "constant, selection");
    }
    wr_arena_clear(&a);
    return bad;
}

/* Text constants fit where text columns do not: such a case runs only as a constant. A case whose text begins with a blank too:
 * what it gives depends on its constants being constant. */
static WR_UNUSED void run_cases(const struct expr_case *c, size_t n)
{
    int bad = 0;
    for (size_t i = 0; i < n; i++) {
        int one = t_case_as(&c[i], false);
        if (!one && c[i].text[0] != ' ' && c[i].expected[0] != '?')
            one = t_case_as(&c[i], true);
        bad += one;
    }
    if (bad)
        fail_msg("%d of %zu cases differ", bad, n);
}
#define RUN_CASES(list) run_cases(list, sizeof(list) / sizeof(list[0]))

#endif

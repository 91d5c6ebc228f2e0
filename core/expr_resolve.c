/* expr_resolve.c: which function a name over arguments means, and the conversions that go between.
 * Rules:  an overload fits when every argument is of its type or converts to it without loss. The cheapest fit wins, the first in the
 *         table among equals. A text constant has no type of its own yet: it costs little wherever it reads as a value of the type.
 * Memory: the arena given; nothing else. */
#include "core/fold.h"
#include "core/expr.h"
#include "core/decimal.h"
#include "core/kernel.h"
#include <stdio.h>
#include <stdlib.h>

enum { SIG_MAX = 10, NO_FIT = 1 << 20 };

struct sig {
    int n;               /* letters of arguments */
    bool variadic;       /* the last one repeats */
    char arg[SIG_MAX];
    char ret;
};

static struct sig sig_read(const char *text)
{
    struct sig s = {0};
    const char *p = text;
    for (; *p && *p != ':' && *p != '.'; p++) {
        WR_ASSERT(s.n < SIG_MAX);
        s.arg[s.n++] = *p;
    }
    s.variadic = *p == '.';
    while (*p == '.')
        p++;
    WR_ASSERT(*p == ':');
    s.ret = p[1];
    return s;
}

static char sig_letter(const struct sig *s, int i)
{
    return s->arg[i < s->n ? i : s->n - 1];
}

static bool sig_has(const struct sig *s, char letter)
{
    return memchr(s->arg, letter, (size_t)s->n) != NULL;
}

/* ORDER TYPES: the letter of each type. */
static const char letters[WR_T_COUNT + 1] = "?bildntyjDHTZIar";

static int letter_type(char letter)
{
    const char *p = strchr(letters, letter);
    return p && letter != '?' ? (int)(p - letters) : -1;
}

/* ---- what converts to what without being asked ---- */

static const struct { uint8_t from, to, cost; } implicit[] = {
    {WR_T_INT, WR_T_BIGINT, 4},     {WR_T_INT, WR_T_DECIMAL, 8},      {WR_T_INT, WR_T_DOUBLE, 12},
    {WR_T_BIGINT, WR_T_DECIMAL, 4}, {WR_T_BIGINT, WR_T_DOUBLE, 8},    {WR_T_DECIMAL, WR_T_DOUBLE, 4},
    {WR_T_DATE, WR_T_TIMESTAMP, 4}, {WR_T_DATE, WR_T_TIMESTAMPTZ, 8}, {WR_T_TIMESTAMP, WR_T_TIMESTAMPTZ, 4},
    {WR_T_TIMESTAMPTZ, WR_T_TIMESTAMP, 8},
};
static int implicit_cost(int from, int to)
{
    if (from == to)
        return 0;
    if (from == WR_T_NULL)
        return 1;
    for (size_t i = 0; i < sizeof(implicit) / sizeof(implicit[0]); i++)
        if (implicit[i].from == from && implicit[i].to == to)
            return implicit[i].cost;
    return NO_FIT;
}

/* What an unwritten type costs for a text constant: first what people write in quotes most. ORDER TYPES */
static const int unknown_cost[WR_T_COUNT] = {
    [WR_T_NULL] = NO_FIT, [WR_T_BOOL] = 2, [WR_T_INT] = 3, [WR_T_BIGINT] = 4, [WR_T_DOUBLE] = 6, [WR_T_DECIMAL] = 5, [WR_T_TEXT] = 0,
    [WR_T_BYTES] = 8, [WR_T_JSON] = 7, [WR_T_DATE] = 2, [WR_T_TIME] = 5, [WR_T_TIMESTAMP] = 3, [WR_T_TIMESTAMPTZ] = 4, [WR_T_INTERVAL] = 3,
    [WR_T_ARRAY] = NO_FIT, [WR_T_ROW] = NO_FIT,
};

static bool is_text_const(const struct wr_expr *x)
{
    return x->kind == WR_X_CONST && x->type.id == WR_T_TEXT && !x->u.val.null;
}

static bool is_null_const(const struct wr_expr *x)
{
    return x->type.id == WR_T_NULL || (x->kind == WR_X_CONST && x->u.val.null && x->type.id == WR_T_TEXT);
}

/* The DECIMAL type a text needs: its own digits. */
static struct wr_type decimal_of_text(struct wr_str s)
{
    int frac = 0, exp = 0;
    bool point = false;
    uint32_t i = 0;
    for (; i < s.n && s.p[i] != 'e' && s.p[i] != 'E'; i++) {
        if (s.p[i] == '.')
            point = true;
        else if (point && s.p[i] >= '0' && s.p[i] <= '9')
            frac++;
    }
    bool minus = i + 1 < s.n && s.p[i + 1] == '-';
    for (; i < s.n && exp < 1000; i++)
        if (s.p[i] >= '0' && s.p[i] <= '9')
            exp = exp * 10 + (s.p[i] - '0');
    int scale = frac + (minus ? exp : -exp);
    return wr_type_decimal(38, scale < 0 ? 0 : scale > 38 ? 38 : scale);
}

static int digits_of(int64_t v)
{
    int n = 1;
    for (uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v; u >= 10; u /= 10)
        n++;
    return n;
}

/* The full type an argument of type id `to` gets, where the letter does not say all. */
static struct wr_type target_type(const struct wr_expr *x, int to)
{
    if ((int)x->type.id == to)
        return x->type;
    if (to != WR_T_DECIMAL)
        return (struct wr_type){.id = (uint8_t)to};
    if (is_text_const(x))
        return decimal_of_text(x->u.val.as.s);
    if (x->kind == WR_X_CONST && !x->u.val.null && wr_type_phys(x->type.id) == WR_P_I64)
        return wr_type_decimal(digits_of(x->u.val.as.i), 0);
    return wr_type_decimal(x->type.id == WR_T_BIGINT ? 19 : x->type.id == WR_T_INT ? 10 : 1, 0);
}

static bool text_reads_as(const struct wr_expr *x, struct wr_type to)
{
    struct wr_arena tmp = {0};
    struct wr_value v;
    enum wr_reason why;
    bool ok = wr_parse_value(to, x->u.val.as.s, &tmp, &v, &why);
    wr_arena_clear(&tmp);
    return ok;
}

/* ---- common types ---- */

static struct wr_type common_decimal(struct wr_type a, struct wr_type b)
{
    int whole = a.prec - a.scale > b.prec - b.scale ? a.prec - a.scale : b.prec - b.scale;
    int scale = a.scale > b.scale ? a.scale : b.scale;
    return wr_type_decimal(whole + scale > 38 ? 38 : whole + scale, scale);
}

static struct wr_type as_decimal(struct wr_type t)
{
    return t.id == WR_T_DECIMAL ? t : wr_type_decimal(t.id == WR_T_INT ? 10 : 19, 0);
}

bool wr_type_common(struct wr_type a, struct wr_type b, struct wr_type *out)
{
    if (a.id == WR_T_NULL || b.id == WR_T_NULL) {
        *out = a.id == WR_T_NULL ? b : a;
        return true;
    }
    if (wr_type_is_number(a) && wr_type_is_number(b)) {
        if (a.id == WR_T_DOUBLE || b.id == WR_T_DOUBLE)
            *out = WR_TYPE_OF(DOUBLE);
        else if (a.id == WR_T_DECIMAL || b.id == WR_T_DECIMAL)
            *out = common_decimal(as_decimal(a), as_decimal(b));
        else
            *out = a.id == WR_T_BIGINT ? a : b;
        return true;
    }
    if (a.id == b.id) {
        *out = a;
        if (a.id == WR_T_ARRAY) {
            struct wr_type member;
            if (wr_type_eq(a, b))
                return true;
            if (!wr_type_common(a.sub->field[0].type, b.sub->field[0].type, &member))
                return false;
            if (wr_type_eq(member, b.sub->field[0].type))
                *out = b;
            return wr_type_eq(member, out->sub->field[0].type);
        }
        if (a.id == WR_T_ROW)
            return wr_type_eq(a, b);
        if (a.len != b.len)
            out->len = 0;
        if (b.prec > a.prec)
            out->prec = b.prec;
        return true;
    }
    bool ta = wr_type_is_time(a), tb = wr_type_is_time(b);
    if ((ta || a.id == WR_T_DATE) && (tb || b.id == WR_T_DATE)) {
        bool zone = a.id == WR_T_TIMESTAMPTZ || b.id == WR_T_TIMESTAMPTZ;
        *out = zone ? WR_TYPE_OF(TIMESTAMPTZ) : WR_TYPE_OF(TIMESTAMP);
        return true;
    }
    return false;
}

/* Common type of the arguments that have one of their own; NULL type if none has. false: there is none (*clash is the argument that spoils it). */
static bool common_of(struct wr_expr *const *arg, int n, struct wr_type *type, int *clash)
{
    *type = WR_TYPE_OF(NULL);
    bool text = false;
    for (int i = 0; i < n; i++) {
        if (is_null_const(arg[i]) || is_text_const(arg[i])) {
            text |= arg[i]->type.id == WR_T_TEXT; /* of several NULLs one may have been given this type */
            continue;
        }
        if (!wr_type_common(*type, arg[i]->type, type)) {
            *clash = i;
            return false;
        }
    }
    if (type->id == WR_T_NULL && text)
        *type = WR_TYPE_OF(TEXT);
    return true;
}

/* DECIMAL of unwritten digits: a text constant beside DECIMAL columns may bring more of them than the columns have. */
static struct wr_type widen_for_text(struct wr_type type, struct wr_expr *const *arg, int n)
{
    bool whole = type.id == WR_T_INT || type.id == WR_T_BIGINT;
    for (int i = 0; i < n; i++) {
        if (!is_text_const(arg[i]))
            continue;
        if (type.id == WR_T_DECIMAL)
            type = common_decimal(type, decimal_of_text(arg[i]->u.val.as.s));
        else if (whole && !text_reads_as(arg[i], type) && text_reads_as(arg[i], decimal_of_text(arg[i]->u.val.as.s)))
            type = common_decimal(as_decimal(type), decimal_of_text(arg[i]->u.val.as.s));
    }
    return type;
}

wr_status wr_expr_unify(struct wr_arena *a, struct wr_expr **arg, int n, const char *what, struct wr_type *type, struct wr_error *err)
{
    int clash = 0;
    if (!common_of(arg, n, type, &clash)) {
        struct wr_str t1 = wr_type_name(a, *type), t2 = wr_type_name(a, arg[clash]->type);
        wr_fail_at(err, WR_ESQL, arg[clash]->off, "%s types %.*s and %.*s cannot be matched", what, WR_FMT(t1), WR_FMT(t2));
        wr_hint(err, "convert one of them with CAST");
        return WR_ESQL;
    }
    *type = widen_for_text(*type, arg, n);
    for (int i = 0; i < n; i++)
        WR_TRY(wr_expr_cast(a, arg[i], *type, false, &arg[i], err));
    return WR_OK;
}

/* ---- conversions ---- */

static wr_status cast_text_const(struct wr_arena *a, struct wr_expr *x, struct wr_type to, struct wr_expr **out, struct wr_error *err)
{
    struct wr_value v;
    enum wr_reason why;
    if (!wr_parse_value(to, x->u.val.as.s, a, &v, &why)) {
        struct wr_str name = wr_type_name(a, to);
        if (why == WR_R_RANGE)
            return wr_fail_at(err, WR_ESQL, x->off, "value \"%.*s\" is out of range for type %.*s", WR_FMT(x->u.val.as.s), WR_FMT(name));
        wr_fail_at(err, WR_ESQL, x->off, "invalid input for type %.*s: \"%.*s\"", WR_FMT(name), WR_FMT(x->u.val.as.s));
        if (wr_type_is_time(to))
            wr_hint(err, "write '2025-11-28 12:00:00', '2025-11-28T12:00:00Z' or '2025-11-28'");
        return WR_ESQL;
    }
    v.type = to;
    *out = wr_expr_const(a, v, x->off);
    return WR_OK;
}

/* Same values in memory and no check to make: precision grows, or does not matter. */
static bool cast_is_free(struct wr_type from, struct wr_type to)
{
    if (!wr_type_eq(from, to))
        return false;
    if (to.id == WR_T_DECIMAL)
        return from.prec <= to.prec;
    if (to.id == WR_T_TEXT)
        return to.len == 0 || (from.len && from.len <= to.len);
    if (wr_type_is_time(to) && to.prec && to.prec < 6)
        return from.prec && from.prec <= to.prec;
    return true;
}

static bool implicit_allowed(struct wr_expr *x, struct wr_type to)
{
    if (x->type.id == WR_T_DECIMAL && to.id == WR_T_DECIMAL)
        return to.prec - to.scale >= x->type.prec - x->type.scale ? to.scale >= x->type.scale : to.prec == 38;
    if (wr_type_eq(x->type, to))
        return true;
    return x->type.id != to.id && implicit_cost(x->type.id, to.id) < NO_FIT;
}

static wr_status no_cast(struct wr_arena *a, const struct wr_expr *x, struct wr_type to, bool exists, struct wr_error *err)
{
    struct wr_str t1 = wr_type_name(a, x->type), t2 = wr_type_name(a, to);
    if (exists) {
        wr_fail_at(err, WR_ESQL, x->off, "%.*s does not become %.*s by itself", WR_FMT(t1), WR_FMT(t2));
        wr_hint(err, "write CAST(... AS %.*s)", WR_FMT(t2));
    } else {
        wr_fail_at(err, WR_ESQL, x->off, "cannot cast type %.*s to %.*s", WR_FMT(t1), WR_FMT(t2));
    }
    return WR_ESQL;
}

wr_status wr_expr_cast(struct wr_arena *a, struct wr_expr *x, struct wr_type to, bool explicit_cast, struct wr_expr **out, struct wr_error *err)
{
    *out = x;
    if (x->kind == WR_X_CONST && (x->u.val.null || x->type.id == WR_T_NULL)) {
        if (!explicit_cast && !is_null_const(x) && !implicit_allowed(x, to))
            return no_cast(a, x, to, wr_func_cast(x->type, to) != NULL, err);
        *out = wr_expr_const(a, (struct wr_value){.type = to, .null = true}, x->off);
        return WR_OK;
    }
    if (cast_is_free(x->type, to))
        return WR_OK;
    if (!explicit_cast && is_text_const(x) && to.id != WR_T_TEXT)
        return cast_text_const(a, x, to, out, err);
    const struct wr_func *fn = wr_func_cast(x->type, to);
    if (!fn || (!explicit_cast && !implicit_allowed(x, to)))
        return no_cast(a, x, to, fn != NULL, err);
    if (!explicit_cast && to.id == x->type.id && to.id != WR_T_DECIMAL)
        return WR_OK; /* VARCHAR(n) and TIMESTAMP(n) are cut only where CAST is written */
    struct wr_expr *y = WR_NEW(a, struct wr_expr);
    *y = (struct wr_expr){.kind = WR_X_CALL, .type = to, .off = x->off, .nullable = x->nullable || (fn->flags & WR_F_MAYNULL)};
    y->u.call.fn = fn;
    y->u.call.n = 1;
    y->u.call.arg = WR_NEW(a, struct wr_expr *);
    y->u.call.arg[0] = x;
    *out = wr_expr_fold_top(a, y);
    return WR_OK;
}

/* ---- choosing an overload ---- */

struct fit {
    int cost;
    struct wr_type common;   /* of the '=' group */
    struct wr_type element;  /* of the first ARRAY argument */
};

static int cost_of(const struct wr_expr *x, int to, bool lenient)
{
    if (is_null_const(x))
        return 1;
    if (is_text_const(x)) {
        if (unknown_cost[to] >= NO_FIT)
            return NO_FIT;
        return to == WR_T_TEXT || lenient || text_reads_as(x, target_type(x, to)) ? unknown_cost[to] : NO_FIT;
    }
    return implicit_cost(x->type.id, to);
}

/* Collects the arguments that must get one type ('*' and '=' of a signature with '='). */
static int group_of(const struct sig *s, struct wr_expr *const *arg, int n, struct wr_expr **group)
{
    int m = 0;
    if (!sig_has(s, '='))
        return 0;
    for (int i = 0; i < n; i++)
        if (sig_letter(s, i) == '=' || sig_letter(s, i) == '*')
            group[m++] = arg[i];
    return m;
}

static int group_cost(const struct sig *s, struct wr_expr *const *arg, int n, struct wr_expr **tmp, bool lenient, struct fit *fit)
{
    int m = group_of(s, arg, n, tmp), clash = 0, cost = 0;
    if (m == 0)
        return 0;
    if (!common_of(tmp, m, &fit->common, &clash))
        return NO_FIT;
    if (!lenient)
        fit->common = widen_for_text(fit->common, tmp, m);
    for (int i = 0; i < m; i++) {
        int one = 1;
        if (is_text_const(tmp[i]) && fit->common.id != WR_T_TEXT)
            one += lenient || text_reads_as(tmp[i], fit->common) ? 1 : NO_FIT;
        else if (!is_null_const(tmp[i]) && tmp[i]->type.id != fit->common.id)
            one += implicit_cost(tmp[i]->type.id, fit->common.id);
        cost += one;
        if (cost >= NO_FIT)
            return NO_FIT;
    }
    return cost;
}

static int letter_cost(char letter, const struct wr_expr *x, bool grouped, bool lenient, struct fit *fit)
{
    switch (letter) {
    case '=': return 0;
    case '*': return grouped ? 0 : 1;
    case 's': return x->type.id == WR_T_TEXT ? 0 : x->type.id == WR_T_NULL || wr_func_cast(x->type, WR_TYPE_OF(TEXT)) ? 2 : NO_FIT;
    case 'e': {
        struct wr_type common;
        if (fit->element.id == WR_T_NULL || is_null_const(x))
            return 1;
        if (is_text_const(x))
            return fit->element.id == WR_T_TEXT || lenient || text_reads_as(x, fit->element) ? 1 : NO_FIT;
        return wr_type_common(x->type, fit->element, &common) && wr_type_eq(common, fit->element) ? 1 : NO_FIT;
    }
    }
    return cost_of(x, letter_type(letter), lenient);
}

static bool any_array(struct wr_expr *const *arg, int n)
{
    for (int i = 0; i < n; i++)
        if (arg[i]->type.id == WR_T_ARRAY)
            return true;
    return false;
}

static struct fit try_fit(const struct sig *s, struct wr_expr *const *arg, int n, struct wr_expr **tmp, bool lenient)
{
    struct fit fit = {.cost = NO_FIT};
    if (n != s->n && !(s->variadic && n >= s->n))
        return fit;
    for (int i = 0; i < n && fit.element.id == WR_T_NULL; i++)
        if (sig_letter(s, i) == 'a' && arg[i]->type.id == WR_T_ARRAY)
            fit.element = arg[i]->type.sub->field[0].type;
    if (sig_has(s, 'a') && fit.element.id == WR_T_NULL && !any_array(arg, n))
        return fit; /* NULL alone is no array */
    int cost = group_cost(s, arg, n, tmp, lenient, &fit);
    bool grouped = sig_has(s, '=');
    for (int i = 0; i < n && cost < NO_FIT; i++)
        cost += letter_cost(sig_letter(s, i), arg[i], grouped, lenient, &fit);
    fit.cost = cost < NO_FIT ? cost : NO_FIT;
    return fit;
}

/* ---- messages ---- */

static const char *letter_name(char letter)
{
    static const char *const names[WR_T_COUNT] = {
#define WR_TYPE(id, name, phys) name,
#include "core/types.def"
#undef WR_TYPE
    };
    int t = letter_type(letter);
    return t >= 0 ? names[t] : letter == 'e' ? "element" : "any";
}

static bool is_operator(struct wr_str name)
{
    return name.n && strchr("+-*/%^&|#<>=~!", name.p[0]);
}

static void print_types(struct wr_buf *out, struct wr_arena *a, struct wr_expr *const *arg, int n, const char *between)
{
    for (int i = 0; i < n; i++) {
        struct wr_str t = wr_type_name(a, arg[i]->type);
        wr_buf_printf(out, "%s%.*s", i ? between : "", WR_FMT(t));
    }
}

static void hint_overloads(struct wr_error *err, struct wr_str name, int first, int count)
{
    struct wr_buf b = WR_BUF_INIT(4096);
    for (int i = first; i < first + count; i++) {
        struct sig s = sig_read(wr_func_get(i)->sig);
        size_t before = b.n;
        wr_buf_printf(&b, "%s%.*s(", i > first ? ", " : "", WR_FMT(name));
        for (int k = 0; k < s.n; k++)
            wr_buf_printf(&b, "%s%s", k ? ", " : "", letter_name(s.arg[k]));
        wr_buf_puts(&b, s.variadic ? ", ...)" : ")");
        if (b.n > 200) {
            b.n = before;
            wr_buf_puts(&b, ", ...");
            break;
        }
    }
    struct wr_str text = wr_buf_get(&b);
    wr_hint(err, "there is %.*s", WR_FMT(text));
    wr_buf_clear(&b);
}

static wr_status no_overload(struct wr_arena *a, struct wr_str name, struct wr_expr *const *arg, int n, int32_t off, int first, int count,
                             struct wr_error *err)
{
    struct wr_buf types = WR_BUF_INIT(4096);
    if (is_operator(name) && n == 2) {
        char sign[16];
        snprintf(sign, sizeof sign, " %.*s ", WR_FMT(name));
        print_types(&types, a, arg, n, sign);
        wr_fail_at(err, WR_ESQL, off, "operator does not exist: %.*s", WR_FMT(wr_buf_get(&types)));
        bool time = wr_type_is_time(arg[0]->type) || wr_type_is_time(arg[1]->type);
        bool sum = wr_str_eq_c(name, "+") || wr_str_eq_c(name, "-");
        wr_hint(err, time && sum ? "lengths of time are INTERVAL '5' MINUTE, or '5 min'::INTERVAL" : "convert one side with CAST");
    } else {
        print_types(&types, a, arg, n, ", ");
        wr_fail_at(err, WR_ESQL, off, "function %.*s(%.*s) does not exist", WR_FMT(name), WR_FMT(wr_buf_get(&types)));
        hint_overloads(err, name, first, count);
    }
    wr_buf_clear(&types);
    return WR_ESQL;
}

/* ---- the call ---- */

static wr_status convert_args(struct wr_arena *a, const struct sig *s, const struct fit *fit, struct wr_expr **arg, int n, struct wr_error *err)
{
    bool grouped = sig_has(s, '=');
    for (int i = 0; i < n; i++) {
        char letter = sig_letter(s, i);
        struct wr_type to = arg[i]->type;
        bool explicit_cast = false;
        if (letter == '=' || (letter == '*' && grouped)) {
            to = fit->common.id == WR_T_NULL ? WR_TYPE_OF(TEXT) : fit->common;
        } else if (letter == 's') {
            to = WR_TYPE_OF(TEXT);
            explicit_cast = true;
        } else if (letter == 'e') {
            to = fit->element.id == WR_T_NULL ? arg[i]->type : fit->element;
        } else if (letter_type(letter) >= 0 && letter_type(letter) != (int)arg[i]->type.id) {
            to = target_type(arg[i], letter_type(letter));
        }
        WR_TRY(wr_expr_cast(a, arg[i], to, explicit_cast, &arg[i], err));
    }
    return WR_OK;
}

static struct wr_type result_type(const struct sig *s, const struct fit *fit, struct wr_expr *const *arg, int n)
{
    if (s->ret == '=')
        return fit->common.id == WR_T_NULL ? WR_TYPE_OF(TEXT) : fit->common;
    if (s->ret == 'e')
        return fit->element;
    if (s->ret == 'a' || s->ret == 'n')
        for (int i = 0; i < n; i++)
            if (arg[i]->type.id == (s->ret == 'a' ? WR_T_ARRAY : WR_T_DECIMAL))
                return arg[i]->type;
    return (struct wr_type){.id = (uint8_t)letter_type(s->ret)};
}

static bool any_nullable(struct wr_expr *const *arg, int n)
{
    for (int i = 0; i < n; i++)
        if (arg[i]->nullable)
            return true;
    return false;
}

/* Functions without a kernel are spellings of CASE and COALESCE: what is not needed is not evaluated. */
static struct wr_expr *build_node(struct wr_arena *a, bool choice, struct wr_type type, struct wr_expr **arg, int n, int32_t off)
{
    struct wr_expr *x = WR_NEW(a, struct wr_expr);
    bool nullable = choice ? any_nullable(arg + 1, n - 1) : arg[n - 1]->nullable;
    for (int i = 0; i < n - 1 && !choice; i++)
        nullable = nullable && arg[i]->nullable;
    *x = (struct wr_expr){.kind = choice ? WR_X_CASE : WR_X_COALESCE, .type = type, .off = off, .nullable = nullable};
    x->u.call.n = n;
    x->u.call.arg = arg;
    return x;
}

static wr_status build_call(struct wr_arena *a, const struct wr_func *fn, const struct fit *fit, struct wr_expr *const *given, int n, int32_t off,
                            struct wr_expr **out, struct wr_error *err)
{
    struct sig s = sig_read(fn->sig);
    struct wr_expr **arg = WR_NEW_N(a, struct wr_expr *, n + 1);
    if (n)
        memcpy(arg, given, sizeof(*arg) * (size_t)n);
    WR_TRY(convert_args(a, &s, fit, arg, n, err));
    if (!fn->kernel) {
        *out = build_node(a, fn->sig[0] == 'b', result_type(&s, fit, arg, n), arg, n, off);
        return WR_OK;
    }
    struct wr_expr *x = WR_NEW(a, struct wr_expr);
    *x = (struct wr_expr){.kind = WR_X_CALL, .off = off};
    x->u.call.fn = fn;
    x->u.call.n = n;
    x->u.call.arg = arg;
    if (!fn->ret)
        x->type = result_type(&s, fit, arg, n);
    else if (!fn->ret(a, fn, arg, n, &x->type, err))
        goto refused;
    if (fn->bind && fn->bind(a, fn, arg, n, &x->u.call.fn_data, err))
        goto refused;
    x->nullable = fn->flags & WR_F_NULLS ? !(fn->flags & WR_F_NEVERNULL) : (fn->flags & WR_F_MAYNULL) || any_nullable(arg, n);
    *out = x;
    return WR_OK;
refused:
    if (err->sql_off < 0)
        err->sql_off = off;
    return err->code ? err->code : wr_fail_at(err, WR_ESQL, off, "function \"%s\" refused its arguments", fn->name);
}

wr_status wr_expr_call(struct wr_arena *a, struct wr_str name, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out, struct wr_error *err)
{
    int first = 0, count = wr_func_range(name, &first);
    if (count == 0)
        return wr_func_unknown(name, off, err);
    struct wr_expr **folded = WR_NEW_N(a, struct wr_expr *, n + 1), **tmp = WR_NEW_N(a, struct wr_expr *, n + 1);
    for (int i = 0; i < n; i++)
        folded[i] = wr_expr_fold_top(a, arg[i]);
    struct fit best = {.cost = NO_FIT};
    const struct wr_func *fn = NULL;
    for (int lenient = 0; lenient < 2 && !fn; lenient++) /* second round: to complain about a constant's text */
        for (int i = first; i < first + count; i++) {
            struct sig s = sig_read(wr_func_get(i)->sig);
            struct fit fit = try_fit(&s, folded, n, tmp, lenient);
            if (fit.cost < best.cost) {
                best = fit;
                fn = wr_func_get(i);
            }
        }
    if (!fn)
        return no_overload(a, name, folded, n, off, first, count, err);
    return build_call(a, fn, &best, folded, n, off, out, err);
}

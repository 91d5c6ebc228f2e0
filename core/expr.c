/* expr.c: building, comparing, folding, copying and printing bound expressions. Which function a name means is expr_resolve.c's.
 * Rules:  trees are immutable once built, except that folding replaces children in place while the planner owns the tree.
 * Memory: everything in the arena given; function data (compiled patterns) is shared between copies of a tree. */
#include "core/fold.h"
#include "core/expr.h"
#include "core/kernel.h"
#include <stdio.h>

struct wr_expr *wr_expr_col(struct wr_arena *a, int col, struct wr_type type, bool nullable, int32_t off)
{
    struct wr_expr *x = WR_NEW(a, struct wr_expr);
    *x = (struct wr_expr){.kind = WR_X_COL, .type = type, .nullable = nullable, .off = off, .u.col = col};
    return x;
}

struct wr_expr *wr_expr_const(struct wr_arena *a, struct wr_value v, int32_t off)
{
    struct wr_expr *x = WR_NEW(a, struct wr_expr);
    *x = (struct wr_expr){.kind = WR_X_CONST, .type = v.type, .nullable = v.null, .off = off, .u.val = v};
    return x;
}

static bool has_args(const struct wr_expr *x)
{
    return x->kind != WR_X_COL && x->kind != WR_X_CONST;
}

bool wr_expr_is_const(const struct wr_expr *x)
{
    if (x->kind == WR_X_COL)
        return false;
    if (!has_args(x))
        return true;
    if (x->kind == WR_X_CALL && (x->u.call.fn->flags & WR_F_VOLATILE))
        return false;
    for (int i = 0; i < x->u.call.n; i++)
        if (!wr_expr_is_const(x->u.call.arg[i]))
            return false;
    return true;
}

bool wr_expr_is_unknown(const struct wr_expr *x)
{
    return x->kind == WR_X_CONST && (x->type.id == WR_T_TEXT || x->type.id == WR_T_NULL);
}

static bool value_eq(const struct wr_value *a, const struct wr_value *b)
{
    if (!wr_type_eq(a->type, b->type) || a->null != b->null)
        return false;
    if (a->null)
        return true;
    switch (wr_type_phys(a->type.id)) {
    case WR_P_I8: return a->as.b == b->as.b;
    case WR_P_I64: return a->as.i == b->as.i;
    case WR_P_F64: return memcmp(&a->as.d, &b->as.d, sizeof(double)) == 0; /* -0 and 0 print differently */
    case WR_P_I128: return a->as.dec == b->as.dec;
    case WR_P_STR: return wr_str_eq(a->as.s, b->as.s);
    case WR_P_IVL: return a->as.iv.us == b->as.iv.us && a->as.iv.days == b->as.iv.days && a->as.iv.months == b->as.iv.months;
    }
    return false;
}

bool wr_expr_eq(const struct wr_expr *a, const struct wr_expr *b)
{
    if (a == b)
        return true;
    if (a->kind != b->kind || !wr_type_eq(a->type, b->type))
        return false;
    if (a->kind == WR_X_COL)
        return a->u.col == b->u.col;
    if (a->kind == WR_X_CONST)
        return value_eq(&a->u.val, &b->u.val);
    if (a->u.call.n != b->u.call.n || (a->kind == WR_X_CALL && a->u.call.fn != b->u.call.fn))
        return false;
    if (a->kind == WR_X_CALL && (a->u.call.fn->flags & WR_F_VOLATILE) && strcmp(a->u.call.fn->name, "random") == 0)
        return false;
    if (a->type.prec != b->type.prec || a->type.len != b->type.len)
        return false;
    for (int i = 0; i < a->u.call.n; i++)
        if (!wr_expr_eq(a->u.call.arg[i], b->u.call.arg[i]))
            return false;
    return true;
}

/* ---- folding ---- */

static bool const_bool(const struct wr_expr *x, bool *val)
{
    if (x->kind != WR_X_CONST || x->u.val.null || x->type.id != WR_T_BOOL)
        return false;
    *val = x->u.val.as.b != 0;
    return true;
}

/* AND, OR: drops arguments that decide nothing; one that decides alone is the result. */
static struct wr_expr *fold_logic(struct wr_arena *a, struct wr_expr *x)
{
    bool decides = x->kind == WR_X_OR;
    int kept = 0;
    struct wr_expr **arg = WR_NEW_N(a, struct wr_expr *, x->u.call.n);
    for (int i = 0; i < x->u.call.n; i++) {
        bool v = false;
        if (!const_bool(x->u.call.arg[i], &v))
            arg[kept++] = x->u.call.arg[i];
        else if (v == decides)
            return x->u.call.arg[i];
    }
    if (kept == 0)
        return wr_expr_const(a, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = !decides}, x->off);
    if (kept == 1)
        return arg[0];
    x->u.call.arg = arg;
    x->u.call.n = kept;
    return x;
}

/* CASE: branches whose condition is constant. */
static struct wr_expr *fold_case(struct wr_arena *a, struct wr_expr *x)
{
    int n = x->u.call.n, kept = 0;
    struct wr_expr **arg = WR_NEW_N(a, struct wr_expr *, n + 1);
    bool ended = false;
    for (int i = 0; i + 1 < n && !ended; i += 2) {
        const struct wr_expr *when = x->u.call.arg[i];
        bool v = false, is_bool = const_bool(when, &v), is_null = when->kind == WR_X_CONST && when->u.val.null;
        if (is_null || (is_bool && !v))
            continue;
        if (is_bool)
            ended = true;
        else
            arg[kept++] = x->u.call.arg[i];
        arg[kept++] = x->u.call.arg[i + 1];
    }
    if (!ended && n % 2)
        arg[kept++] = x->u.call.arg[n - 1];
    if (kept == 0)
        return wr_expr_const(a, (struct wr_value){.type = x->type, .null = true}, x->off);
    if (kept == 1 && wr_type_eq(arg[0]->type, x->type))
        return arg[0];
    x->u.call.arg = arg;
    x->u.call.n = kept;
    return x;
}

/* COALESCE: NULL constants go; what stands behind a constant that is not NULL is never reached. */
static struct wr_expr *fold_coalesce(struct wr_arena *a, struct wr_expr *x)
{
    int kept = 0;
    struct wr_expr **arg = WR_NEW_N(a, struct wr_expr *, x->u.call.n);
    for (int i = 0; i < x->u.call.n; i++) {
        struct wr_expr *y = x->u.call.arg[i];
        bool fixed = y->kind == WR_X_CONST;
        if (fixed && y->u.val.null)
            continue;
        arg[kept++] = y;
        if (fixed)
            break;
    }
    if (kept == 0)
        return wr_expr_const(a, (struct wr_value){.type = x->type, .null = true}, x->off);
    if (kept == 1 && wr_type_eq(arg[0]->type, x->type))
        return arg[0];
    x->u.call.arg = arg;
    x->u.call.n = kept;
    return x;
}

struct wr_expr *wr_expr_fold(struct wr_arena *a, struct wr_expr *x)
{
    if (!has_args(x))
        return x;
    for (int i = 0; i < x->u.call.n; i++)
        x->u.call.arg[i] = wr_expr_fold(a, x->u.call.arg[i]);
    return wr_expr_fold_top(a, x);
}

struct wr_expr *wr_expr_fold_top(struct wr_arena *a, struct wr_expr *x)
{
    if (!has_args(x))
        return x;
    if (wr_expr_is_const(x)) {
        struct wr_error err = WR_ERROR_INIT;
        struct wr_value v;
        if (wr_eval_const(x, a, &v, &err))
            return wr_expr_const(a, v, x->off);
    }
    switch (x->kind) {
    case WR_X_AND: case WR_X_OR: return fold_logic(a, x);
    case WR_X_CASE: return fold_case(a, x);
    case WR_X_COALESCE: return fold_coalesce(a, x);
    case WR_X_COL: case WR_X_CONST: case WR_X_CALL: case WR_X_TRY: return x;
    }
    return x;
}

/* ---- walking, copying ---- */

void wr_expr_columns(const struct wr_expr *x, void (*fn)(void *ctx, int col), void *ctx)
{
    if (x->kind == WR_X_COL)
        fn(ctx, x->u.col);
    if (!has_args(x))
        return;
    for (int i = 0; i < x->u.call.n; i++)
        wr_expr_columns(x->u.call.arg[i], fn, ctx);
}

struct wr_expr *wr_expr_remap(struct wr_arena *a, const struct wr_expr *x, const int *map)
{
    struct wr_expr *y = WR_NEW(a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL) {
        WR_ASSERT(map[x->u.col] >= 0);
        y->u.col = map[x->u.col];
    }
    if (!has_args(x))
        return y;
    y->u.call.arg = WR_NEW_N(a, struct wr_expr *, x->u.call.n);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = wr_expr_remap(a, x->u.call.arg[i], map);
    return y;
}

/* ---- printing ---- */

static void print_list(struct wr_buf *out, struct wr_expr *const *arg, int n, const char *between, const struct wr_schema *in)
{
    for (int i = 0; i < n; i++) {
        if (i)
            wr_buf_puts(out, between);
        wr_expr_print(out, arg[i], in);
    }
}

static void print_quoted(struct wr_buf *out, struct wr_str s)
{
    wr_buf_putc(out, '\'');
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'')
            wr_buf_putc(out, '\'');
        wr_buf_putc(out, s.p[i]);
    }
    wr_buf_putc(out, '\'');
}

static void print_const(struct wr_buf *out, const struct wr_value *v)
{
    if (v->null) {
        wr_buf_puts(out, "NULL");
        return;
    }
    bool bare = wr_type_is_number(v->type);
    if (v->type.id == WR_T_BOOL) {
        wr_buf_puts(out, v->as.b ? "TRUE" : "FALSE");
        return;
    }
    if (v->type.id == WR_T_TEXT) {
        print_quoted(out, v->as.s);
        return;
    }
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_print_value(&text, v, WR_STYLE_SQL);
    if (bare) {
        wr_buf_str(out, wr_buf_get(&text));
    } else {
        struct wr_arena tmp = {0};
        struct wr_str name = wr_type_name(&tmp, v->type);
        wr_buf_printf(out, "%.*s ", WR_FMT(name));
        print_quoted(out, wr_buf_get(&text));
        wr_arena_clear(&tmp);
    }
    wr_buf_clear(&text);
}

/* How operators that are not simple infix signs are written. $1.. are the arguments. */
static const struct { const char *name; const char *form; } spelled[] = {
    {"not", "NOT $1"}, {"is_null", "$1 IS NULL"}, {"is_not_null", "$1 IS NOT NULL"}, {"is_true", "$1 IS TRUE"},
    {"is_not_true", "$1 IS NOT TRUE"}, {"is_false", "$1 IS FALSE"}, {"is_not_false", "$1 IS NOT FALSE"},
    {"is_unknown", "$1 IS UNKNOWN"}, {"is_not_unknown", "$1 IS NOT UNKNOWN"}, {"is_distinct", "$1 IS DISTINCT FROM $2"},
    {"is_not_distinct", "$1 IS NOT DISTINCT FROM $2"}, {"like", "$1 LIKE $2"}, {"ilike", "$1 ILIKE $2"},
    {"similar", "$1 SIMILAR TO $2"}, {"timezone", "$2 AT TIME ZONE $1"}, {"subscript", "$1[$2]"},
};

static void print_spelled(struct wr_buf *out, const char *form, const struct wr_expr *x, const struct wr_schema *in)
{
    for (const char *p = form; *p; p++) {
        if (*p == '$')
            wr_expr_print(out, x->u.call.arg[*++p - '1'], in);
        else
            wr_buf_putc(out, *p);
    }
}

static bool is_sign(const char *name)
{
    return strchr("+-*/%^&|#<>=~!", name[0]) != NULL;
}

static void print_call(struct wr_buf *out, const struct wr_expr *x, const struct wr_schema *in)
{
    const char *name = x->u.call.fn->name;
    int n = x->u.call.n;
    for (size_t i = 0; i < sizeof(spelled) / sizeof(spelled[0]); i++)
        if (strcmp(spelled[i].name, name) == 0 && n <= 2) {
            wr_buf_putc(out, '(');
            print_spelled(out, spelled[i].form, x, in);
            wr_buf_putc(out, ')');
            return;
        }
    if (strcmp(name, "cast") == 0) {
        struct wr_arena tmp = {0};
        struct wr_str type = wr_type_name(&tmp, x->type);
        wr_buf_puts(out, "CAST(");
        wr_expr_print(out, x->u.call.arg[0], in);
        wr_buf_printf(out, " AS %.*s)", WR_FMT(type));
        wr_arena_clear(&tmp);
    } else if (strcmp(name, "in") == 0 && n > 1) {
        wr_buf_putc(out, '(');
        wr_expr_print(out, x->u.call.arg[0], in);
        wr_buf_puts(out, " IN (");
        print_list(out, x->u.call.arg + 1, n - 1, ", ", in);
        wr_buf_puts(out, "))");
    } else if (is_sign(name)) {
        wr_buf_putc(out, '(');
        if (n == 1)
            wr_buf_printf(out, "%s ", name);
        char between[8];
        snprintf(between, sizeof between, " %s ", name);
        print_list(out, x->u.call.arg, n, between, in);
        wr_buf_putc(out, ')');
    } else {
        wr_buf_printf(out, "%s(", name);
        print_list(out, x->u.call.arg, n, ", ", in);
        wr_buf_putc(out, ')');
    }
}

static void print_case(struct wr_buf *out, const struct wr_expr *x, const struct wr_schema *in)
{
    int n = x->u.call.n;
    wr_buf_puts(out, "CASE");
    for (int i = 0; i + 1 < n; i += 2) {
        wr_buf_puts(out, " WHEN ");
        wr_expr_print(out, x->u.call.arg[i], in);
        wr_buf_puts(out, " THEN ");
        wr_expr_print(out, x->u.call.arg[i + 1], in);
    }
    if (n % 2) {
        wr_buf_puts(out, " ELSE ");
        wr_expr_print(out, x->u.call.arg[n - 1], in);
    }
    wr_buf_puts(out, " END");
}

void wr_expr_print(struct wr_buf *out, const struct wr_expr *x, const struct wr_schema *in)
{
    switch (x->kind) {
    case WR_X_COL:
        if (in && x->u.col < in->n && in->field[x->u.col].name.n)
            wr_buf_str(out, in->field[x->u.col].name);
        else
            wr_buf_printf(out, "$%d", x->u.col);
        break;
    case WR_X_CONST: print_const(out, &x->u.val); break;
    case WR_X_CALL: print_call(out, x, in); break;
    case WR_X_AND: case WR_X_OR:
        wr_buf_putc(out, '(');
        print_list(out, x->u.call.arg, x->u.call.n, x->kind == WR_X_AND ? " AND " : " OR ", in);
        wr_buf_putc(out, ')');
        break;
    case WR_X_CASE: print_case(out, x, in); break;
    case WR_X_COALESCE:
    case WR_X_TRY:
        wr_buf_puts(out, x->kind == WR_X_TRY ? "TRY(" : "COALESCE(");
        print_list(out, x->u.call.arg, x->u.call.n, ", ", in);
        wr_buf_putc(out, ')');
        break;
    }
}

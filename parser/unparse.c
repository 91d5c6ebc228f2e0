/* unparse.c: names, types, expressions and queries back to SQL text; unparse_stmt.c has the statements.
 * Rules:  - Canonical: keywords in capitals, one blank between words, parentheses only where they change the meaning.
 *         - Parsing the text again gives the same tree but for places in the text, quoting and parentheses. The fuzzer holds us to it.
 *         - What the grammar says in rules (which expression may stand where) is said here in `level`: ORDER is that of grammar.y's precedences.
 * Memory: appends to the buffer; a full buffer sets its overflow flag. Recursion is as deep as the tree, which the parser has limited. */
#include "parser/internal.h"

/* ---- names, text, types ---- */

/* Names that mean something else without quotes in some place that an expression may stand in. */
static bool is_special(struct wr_str s)
{
    static const char *const words[] = {"any", "some", "unbounded", "current", "rows", "range", "groups", "row", "struct", "map", "current_timestamp",
                                        "current_date", "current_time", "localtimestamp", "localtime", NULL};
    for (const char *const *w = words; *w; w++)
        if (wr_str_eq_c(s, *w))
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || c == '_';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Lower-case letters, digits, _ and $: what a name without quotes is made of. (More letters are allowed, but quotes do not hurt.) */
static bool is_simple(struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (!is_letter(s.p[i]) && (i == 0 || (!is_digit(s.p[i]) && s.p[i] != '$')))
            return false;
    return s.n > 0;
}

static void doubled(struct wr_buf *out, struct wr_str s, char quote)
{
    wr_buf_putc(out, quote);
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == quote)
            wr_buf_putc(out, quote);
        wr_buf_putc(out, s.p[i]);
    }
    wr_buf_putc(out, quote);
}

void wr_unparse_string(struct wr_buf *out, struct wr_str text)
{
    doubled(out, text, '\'');
}

/* CONTEXT words that nothing we print can turn into keywords: window.start looks better than "window".start. */
static bool is_harmless(struct wr_str s)
{
    return wr_str_eq_c(s, "window") || wr_str_eq_c(s, "partition") || wr_str_eq_c(s, "offset");
}

void wr_unparse_ident(struct wr_buf *out, struct wr_str name)
{
    const struct wr_keyword *k = wr_keyword_find(name);
    if (!is_simple(name) || is_special(name) || (k && k->kind != WR_KW_FREE && !is_harmless(name)))
        doubled(out, name, '"');
    else
        wr_buf_str(out, name);
}

/* Where statements expect keywords besides names: every keyword is quoted. */
static void object_name(struct wr_buf *out, struct wr_str name)
{
    if (wr_keyword_find(name))
        doubled(out, name, '"');
    else
        wr_unparse_ident(out, name);
}

void wr_unparse_path(struct wr_buf *out, const struct wr_ast_name *path)
{
    for (const struct wr_ast_name *n = path; n; n = n->next) {
        object_name(out, n->text);
        if (n->next)
            wr_buf_putc(out, '.');
    }
}

void wr_unparse_names(struct wr_buf *out, const struct wr_ast_name *list)
{
    for (const struct wr_ast_name *n = list; n; n = n->next) {
        object_name(out, n->text);
        if (n->next)
            wr_buf_puts(out, ", ");
    }
}

static void paren_names(struct wr_buf *out, const struct wr_ast_name *list)
{
    if (!list)
        return;
    wr_buf_puts(out, " (");
    wr_unparse_names(out, list);
    wr_buf_putc(out, ')');
}

static void column_name(struct wr_buf *out, const struct wr_ast_name *path)
{
    for (const struct wr_ast_name *n = path; n; n = n->next) {
        wr_unparse_ident(out, n->text);
        if (n->next)
            wr_buf_putc(out, '.');
    }
}

/* One or two words; others came out of quotes. */
static void type_name(struct wr_buf *out, struct wr_str name)
{
    char low[64];
    uint32_t n = 0;
    for (; n < name.n && n < sizeof low; n++)
        low[n] = name.p[n] >= 'A' && name.p[n] <= 'Z' ? (char)(name.p[n] - 'A' + 'a') : name.p[n] >= 'a' && name.p[n] <= 'z' ? '?' : name.p[n];
    struct wr_str s = {low, n}, first = s;
    const char *blank = memchr(low, ' ', n);
    bool words = n == name.n;
    if (blank) {
        struct wr_str second = {blank + 1, n - (uint32_t)(blank + 1 - low)};
        first.n = (uint32_t)(blank - low);
        words = words && (wr_str_eq_c(second, "precision") || wr_str_eq_c(second, "varying"));
    }
    const struct wr_keyword *k = wr_keyword_find(first);
    bool bare = words && is_simple(first) && !wr_str_eq_c(first, "struct") && !wr_str_eq_c(first, "map") && !wr_str_eq_c(first, "row") &&
                (!k || k->kind == WR_KW_FREE || wr_str_eq_c(first, "interval"));
    if (bare)
        wr_buf_str(out, name);
    else
        doubled(out, name, '"');
}

static void fields(struct wr_buf *out, const struct wr_ast_field *f)
{
    for (; f; f = f->next) {
        if (f->name.text.n) {
            wr_unparse_ident(out, f->name.text);
            wr_buf_putc(out, ' ');
        }
        wr_unparse_type(out, f->type);
        if (f->next)
            wr_buf_puts(out, ", ");
    }
}

void wr_unparse_type(struct wr_buf *out, const struct wr_ast_type *t)
{
    if (t->elem) {
        wr_buf_puts(out, "ARRAY<");
        wr_unparse_type(out, t->elem);
        wr_buf_putc(out, '>');
        return;
    }
    if (t->field) {
        bool map = wr_str_eq_c(t->name, "MAP");
        wr_buf_puts(out, map ? "MAP<" : "ROW(");
        fields(out, t->field);
        wr_buf_putc(out, map ? '>' : ')');
        return;
    }
    type_name(out, t->name);
    if (t->n_param)
        wr_buf_printf(out, t->n_param == 2 ? "(%lld,%lld)" : "(%lld)", (long long)t->param[0], (long long)t->param[1]);
    if (t->with_zone)
        wr_buf_puts(out, " WITH TIME ZONE");
}

/* ---- expressions ---- */

enum level { L_ANY, L_OR, L_AND, L_NOT, L_IS, L_CMP, L_LIKE, L_OP, L_ADD, L_MUL, L_POW, L_AT, L_UNARY, L_PRIM };

static void put(struct wr_buf *out, const struct wr_ast_expr *e, enum level least);

static enum level binary_level(struct wr_str op)
{
    static const struct { const char *op; enum level level; } ops[] = {
        {"or", L_OR}, {"and", L_AND}, {"=", L_CMP}, {"<>", L_CMP}, {"<", L_CMP}, {"<=", L_CMP}, {">", L_CMP}, {">=", L_CMP},
        {"+", L_ADD}, {"-", L_ADD}, {"*", L_MUL}, {"/", L_MUL}, {"%", L_MUL}, {"^", L_POW}, {"at time zone", L_AT}};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (wr_str_eq_c(op, ops[i].op))
            return ops[i].level;
    return L_OP;
}

static enum level level_of(const struct wr_ast_expr *e)
{
    switch (e->kind) {
    case WR_E_BINARY: return binary_level(e->text);
    case WR_E_UNARY: return wr_str_eq_c(e->text, "not") ? L_NOT : L_UNARY;
    case WR_E_IS:
    case WR_E_DISTINCT: return L_IS;
    case WR_E_QUANTIFIED: return L_CMP;
    case WR_E_LIKE:
    case WR_E_BETWEEN:
    case WR_E_IN_LIST:
    case WR_E_IN_QUERY: return L_LIKE;
    case WR_E_NULL: case WR_E_TRUE: case WR_E_FALSE: case WR_E_INT: case WR_E_NUM: case WR_E_STRING: case WR_E_BYTES: case WR_E_INTERVAL: case WR_E_TYPED:
    case WR_E_NAME: case WR_E_STAR: case WR_E_EXISTS: case WR_E_SUBQUERY: case WR_E_CASE: case WR_E_CAST: case WR_E_CALL: case WR_E_ARRAY: case WR_E_ROW:
    case WR_E_INDEX: case WR_E_FIELD: case WR_E_DESCRIPTOR: case WR_E_TABLE: case WR_E_NAMED: break;
    }
    return L_PRIM;
}

static void upper(struct wr_buf *out, struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        wr_buf_putc(out, s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i]);
}

static void word(struct wr_buf *out, struct wr_str s)
{
    wr_buf_putc(out, ' ');
    upper(out, s);
    wr_buf_putc(out, ' ');
}

static void list(struct wr_buf *out, const struct wr_ast_expr *e)
{
    for (; e; e = e->next) {
        put(out, e, L_ANY);
        if (e->next)
            wr_buf_puts(out, ", ");
    }
}

static void paren_query(struct wr_buf *out, const struct wr_ast_select *q)
{
    wr_buf_putc(out, '(');
    wr_unparse_select(out, q);
    wr_buf_putc(out, ')');
}

static void orders(struct wr_buf *out, const struct wr_ast_order *o)
{
    for (; o; o = o->next) {
        put(out, o->expr, L_ANY);
        wr_buf_puts(out, o->desc ? " DESC" : "");
        wr_buf_puts(out, o->nulls == 1 ? " NULLS FIRST" : o->nulls == 2 ? " NULLS LAST" : "");
        wr_buf_puts(out, o->next ? ", " : "");
    }
}

/* PARTITION BY .. ORDER BY .., with a blank before each but the first thing in parentheses. */
static void partition(struct wr_buf *out, const struct wr_ast_expr *by, const struct wr_ast_order *o, const char *before)
{
    if (by) {
        wr_buf_printf(out, "%sPARTITION BY ", before);
        list(out, by);
        before = " ";
    }
    if (o) {
        wr_buf_printf(out, "%sORDER BY ", before);
        orders(out, o);
    }
}

static void bound(struct wr_buf *out, enum wr_ast_bound kind, const struct wr_ast_expr *n)
{
    if (n) {
        put(out, n, L_NOT);
        wr_buf_putc(out, ' ');
    }
    switch (kind) {
    case WR_BOUND_UNBOUNDED_PRECEDING: wr_buf_puts(out, "UNBOUNDED PRECEDING"); break;
    case WR_BOUND_PRECEDING: wr_buf_puts(out, "PRECEDING"); break;
    case WR_BOUND_CURRENT: wr_buf_puts(out, "CURRENT ROW"); break;
    case WR_BOUND_FOLLOWING: wr_buf_puts(out, "FOLLOWING"); break;
    case WR_BOUND_UNBOUNDED_FOLLOWING: wr_buf_puts(out, "UNBOUNDED FOLLOWING"); break;
    }
}

static void over(struct wr_buf *out, const struct wr_ast_over *o)
{
    static const char *const units[] = {"", "ROWS", "RANGE", "GROUPS"};
    wr_buf_putc(out, '(');
    if (o->ref)
        column_name(out, o->ref);
    bool before = o->ref || o->partition || o->order;
    partition(out, o->partition, o->order, o->ref ? " " : "");
    if (o->unit != WR_FRAME_NONE) {
        wr_buf_printf(out, "%s%s BETWEEN ", before ? " " : "", units[o->unit]);
        bound(out, o->from, o->from_n);
        wr_buf_puts(out, " AND ");
        bound(out, o->to, o->to_n);
    }
    wr_buf_putc(out, ')');
}

static void over_clause(struct wr_buf *out, const struct wr_ast_over *o)
{
    wr_buf_puts(out, " OVER ");
    if (o->ref && !o->partition && !o->order && o->unit == WR_FRAME_NONE)
        wr_unparse_ident(out, o->ref->text);
    else
        over(out, o);
}

/* Names that mean a special form unless they are quoted: kept as they were. */
static void function_name(struct wr_buf *out, const struct wr_ast_name *name)
{
    static const char *const forms[] = {"descriptor", "rollup", "cube"};
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (name->quoted && !name->next && wr_str_eq_c(name->text, forms[i])) {
            doubled(out, name->text, '"');
            return;
        }
    column_name(out, name);
}

static bool is_bare_function(const struct wr_ast_expr *e)
{
    static const char *const names[] = {"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (!e->name->quoted && !e->name->next && wr_str_eq_c(e->name->text, names[i]))
            return !e->args && !e->order;
    return false;
}

/* EXTRACT(YEAR FROM x), where that is what it can only have been. */
static bool is_extract(const struct wr_ast_expr *e)
{
    const struct wr_ast_expr *field = e->args;
    return wr_str_eq_c(e->name->text, "extract") && !e->name->next && !e->flag && !e->order && !e->type && field && field->next && !field->next->next &&
           field->kind == WR_E_STRING && is_simple(field->text) && !wr_keyword_find(field->text) && !is_special(field->text) &&
           field->next->kind != WR_E_NAMED && field->next->kind != WR_E_TABLE && field->next->kind != WR_E_STAR;
}

static void arguments(struct wr_buf *out, const struct wr_ast_expr *e)
{
    bool position = wr_str_eq_c(e->name->text, "position") && !e->name->next; /* an IN there would be its own */
    if (e->flag)
        wr_buf_puts(out, "DISTINCT ");
    for (const struct wr_ast_expr *a = e->args; a; a = a->next) {
        put(out, a, position ? L_OP : L_ANY);
        wr_buf_puts(out, a->next ? ", " : "");
    }
    if (e->type) {
        wr_buf_puts(out, " RETURNING ");
        wr_unparse_type(out, e->type);
    }
    if (e->order && !e->within_group)
        partition(out, NULL, e->order, " ");
}

static void call(struct wr_buf *out, const struct wr_ast_expr *e, bool table)
{
    if (!table && is_bare_function(e)) {
        upper(out, e->name->text);
    } else if (!table && is_extract(e)) {
        wr_buf_puts(out, "EXTRACT(");
        upper(out, e->args->text);
        wr_buf_puts(out, " FROM ");
        put(out, e->args->next, L_ANY);
        wr_buf_putc(out, ')');
    } else {
        function_name(out, e->name);
        wr_buf_putc(out, '(');
        arguments(out, e);
        wr_buf_putc(out, ')');
    }
    if (e->within_group) {
        wr_buf_puts(out, " WITHIN GROUP (");
        partition(out, NULL, e->order, "");
        wr_buf_putc(out, ')');
    }
    if (e->filter) {
        wr_buf_puts(out, " FILTER (WHERE ");
        put(out, e->filter, L_ANY);
        wr_buf_putc(out, ')');
    }
    wr_buf_puts(out, e->nulls == 1 ? " IGNORE NULLS" : e->nulls == 2 ? " RESPECT NULLS" : "");
    if (e->over)
        over_clause(out, e->over);
}

static void unary(struct wr_buf *out, const struct wr_ast_expr *e)
{
    if (wr_str_eq_c(e->text, "not")) {
        wr_buf_puts(out, "NOT ");
        put(out, e->a, L_NOT);
        return;
    }
    wr_buf_str(out, e->text);
    put(out, e->a, L_PRIM); /* -(-x): two minus signs would begin a comment */
}

static void binary(struct wr_buf *out, const struct wr_ast_expr *e)
{
    enum level l = binary_level(e->text);
    put(out, e->a, l == L_CMP ? l + 1 : l);
    word(out, e->text);
    put(out, e->b, l + 1);
}

static void like(struct wr_buf *out, const struct wr_ast_expr *e)
{
    put(out, e->a, L_OP);
    wr_buf_puts(out, e->negated ? " NOT" : "");
    word(out, e->text);
    put(out, e->b, L_OP);
    if (e->c) {
        wr_buf_puts(out, " ESCAPE ");
        put(out, e->c, L_OP);
    }
}

static void between(struct wr_buf *out, const struct wr_ast_expr *e)
{
    put(out, e->a, L_OP);
    wr_buf_printf(out, "%s BETWEEN %s", e->negated ? " NOT" : "", e->flag ? "SYMMETRIC " : "");
    put(out, e->b, L_OP);
    wr_buf_puts(out, " AND ");
    put(out, e->c, L_OP);
}

static void in(struct wr_buf *out, const struct wr_ast_expr *e)
{
    put(out, e->a, L_OP);
    wr_buf_puts(out, e->negated ? " NOT IN " : " IN ");
    if (e->select) {
        paren_query(out, e->select);
        return;
    }
    wr_buf_putc(out, '(');
    list(out, e->args);
    wr_buf_putc(out, ')');
}

static void quantified(struct wr_buf *out, const struct wr_ast_expr *e)
{
    put(out, e->a, L_LIKE);
    word(out, e->text);
    wr_buf_puts(out, e->flag ? "ALL " : "ANY ");
    if (e->select) {
        paren_query(out, e->select);
        return;
    }
    wr_buf_putc(out, '(');
    put(out, e->b, L_ANY);
    wr_buf_putc(out, ')');
}

static void case_when(struct wr_buf *out, const struct wr_ast_expr *e)
{
    wr_buf_puts(out, "CASE");
    if (e->a) {
        wr_buf_putc(out, ' ');
        put(out, e->a, L_ANY);
    }
    for (const struct wr_ast_expr *w = e->args; w; w = w->next->next) {
        wr_buf_puts(out, " WHEN ");
        put(out, w, L_ANY);
        wr_buf_puts(out, " THEN ");
        put(out, w->next, L_ANY);
    }
    if (e->b) {
        wr_buf_puts(out, " ELSE ");
        put(out, e->b, L_ANY);
    }
    wr_buf_puts(out, " END");
}

static void interval(struct wr_buf *out, const struct wr_ast_expr *e)
{
    wr_buf_puts(out, "INTERVAL ");
    wr_unparse_string(out, e->text);
    if (e->unit.n)
        wr_buf_printf(out, " %.*s", WR_FMT(e->unit));
    if (e->unit_to.n)
        wr_buf_printf(out, " TO %.*s", WR_FMT(e->unit_to));
}

static void bytes(struct wr_buf *out, struct wr_str s)
{
    wr_buf_puts(out, "x'");
    for (uint32_t i = 0; i < s.n; i++)
        wr_buf_printf(out, "%02x", (unsigned)(unsigned char)s.p[i]);
    wr_buf_putc(out, '\'');
}

/* What may stand before [ and, but for columns, before a dot. */
static void base(struct wr_buf *out, const struct wr_ast_expr *e, bool dot)
{
    bool bare = e->kind == WR_E_CALL || e->kind == WR_E_INDEX || e->kind == WR_E_FIELD || e->kind == WR_E_SUBQUERY || (e->kind == WR_E_NAME && !dot);
    wr_buf_puts(out, bare ? "" : "(");
    put(out, e, L_ANY);
    wr_buf_puts(out, bare ? "" : ")");
}

static void table_arg(struct wr_buf *out, const struct wr_ast_expr *e)
{
    wr_buf_puts(out, "TABLE ");
    if (e->select)
        paren_query(out, e->select);
    else
        wr_unparse_path(out, e->name);
    if (e->args) {
        wr_buf_puts(out, " PARTITION BY (");
        list(out, e->args);
        wr_buf_putc(out, ')');
    }
    partition(out, NULL, e->order, " ");
}

static void bracketed(struct wr_buf *out, const char *open, const struct wr_ast_expr *args, const char *close)
{
    wr_buf_puts(out, open);
    list(out, args);
    wr_buf_puts(out, close);
}

static void cast(struct wr_buf *out, const struct wr_ast_expr *e)
{
    wr_buf_puts(out, e->flag ? "TRY_CAST(" : "CAST(");
    put(out, e->a, L_ANY);
    wr_buf_puts(out, " AS ");
    wr_unparse_type(out, e->type);
    wr_buf_putc(out, ')');
}

/* Without the parentheses around it. */
static void put_inner(struct wr_buf *out, const struct wr_ast_expr *e)
{
    switch (e->kind) {
    case WR_E_NULL: wr_buf_puts(out, "NULL"); break;
    case WR_E_TRUE: wr_buf_puts(out, "TRUE"); break;
    case WR_E_FALSE: wr_buf_puts(out, "FALSE"); break;
    case WR_E_INT:
    case WR_E_NUM: wr_buf_str(out, e->text); break;
    case WR_E_STRING: wr_unparse_string(out, e->text); break;
    case WR_E_BYTES: bytes(out, e->text); break;
    case WR_E_INTERVAL: interval(out, e); break;
    case WR_E_TYPED: wr_unparse_type(out, e->type); wr_buf_putc(out, ' '); wr_unparse_string(out, e->text); break;
    case WR_E_NAME: column_name(out, e->name); break;
    case WR_E_STAR: column_name(out, e->name); wr_buf_puts(out, e->name ? ".*" : "*"); break;
    case WR_E_UNARY: unary(out, e); break;
    case WR_E_BINARY: binary(out, e); break;
    case WR_E_IS: put(out, e->a, L_CMP); wr_buf_puts(out, e->negated ? " IS NOT" : " IS"); wr_buf_putc(out, ' '); upper(out, e->text); break;
    case WR_E_DISTINCT: put(out, e->a, L_CMP); wr_buf_puts(out, e->negated ? " IS NOT DISTINCT FROM " : " IS DISTINCT FROM "); put(out, e->b, L_CMP); break;
    case WR_E_LIKE: like(out, e); break;
    case WR_E_BETWEEN: between(out, e); break;
    case WR_E_IN_LIST:
    case WR_E_IN_QUERY: in(out, e); break;
    case WR_E_EXISTS: wr_buf_puts(out, "EXISTS "); paren_query(out, e->select); break;
    case WR_E_QUANTIFIED: quantified(out, e); break;
    case WR_E_SUBQUERY: paren_query(out, e->select); break;
    case WR_E_CASE: case_when(out, e); break;
    case WR_E_CAST: cast(out, e); break;
    case WR_E_CALL: call(out, e, false); break;
    case WR_E_ARRAY: bracketed(out, "ARRAY[", e->args, "]"); break;
    case WR_E_ROW: bracketed(out, "ROW(", e->args, ")"); break;
    case WR_E_INDEX: base(out, e->a, false); bracketed(out, "[", e->b, "]"); break;
    case WR_E_FIELD: base(out, e->a, true); wr_buf_putc(out, '.'); wr_unparse_ident(out, e->name->text); break;
    case WR_E_DESCRIPTOR: wr_buf_puts(out, "DESCRIPTOR("); column_name(out, e->name); wr_buf_putc(out, ')'); break;
    case WR_E_TABLE: table_arg(out, e); break;
    case WR_E_NAMED: wr_unparse_ident(out, e->name->text); wr_buf_puts(out, " => "); put(out, e->a, L_ANY); break;
    }
}

static void put(struct wr_buf *out, const struct wr_ast_expr *e, enum level least)
{
    bool paren = level_of(e) < least;
    wr_buf_puts(out, paren ? "(" : "");
    put_inner(out, e);
    wr_buf_puts(out, paren ? ")" : "");
}

void wr_unparse_expr(struct wr_buf *out, const struct wr_ast_expr *e)
{
    put(out, e, L_ANY);
}

/* ---- FROM ---- */

static void table(struct wr_buf *out, const struct wr_ast_table *t);

static void table_paren(struct wr_buf *out, const struct wr_ast_table *t)
{
    bool paren = t->kind == WR_F_JOIN;
    wr_buf_puts(out, paren ? "(" : "");
    table(out, t);
    wr_buf_puts(out, paren ? ")" : "");
}

static void join(struct wr_buf *out, const struct wr_ast_table *t)
{
    static const char *const words[] = {"JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "CROSS JOIN"};
    table(out, t->left);
    wr_buf_printf(out, " %s%s ", t->natural ? "NATURAL " : "", words[t->join]);
    table_paren(out, t->right);
    if (t->on) {
        wr_buf_puts(out, " ON ");
        put(out, t->on, L_ANY);
    }
    if (t->using_cols) {
        wr_buf_puts(out, " USING");
        paren_names(out, t->using_cols);
    }
}

static void pattern(struct wr_buf *out, const struct wr_ast_pattern *p);

/* p as one item of a sequence, or to be repeated. */
static void pattern_item(struct wr_buf *out, const struct wr_ast_pattern *p, bool repeated)
{
    bool paren = p->kind == WR_PAT_ALT || p->kind == WR_PAT_SEQ || (repeated && p->kind == WR_PAT_REPEAT);
    wr_buf_puts(out, paren ? "(" : "");
    pattern(out, p);
    wr_buf_puts(out, paren ? ")" : "");
}

static void repeat(struct wr_buf *out, const struct wr_ast_pattern *p)
{
    pattern_item(out, p->sub, true);
    if (p->max < 0 && p->min <= 1)
        wr_buf_putc(out, p->min ? '+' : '*');
    else if (p->min == 0 && p->max == 1)
        wr_buf_putc(out, '?');
    else if (p->max < 0)
        wr_buf_printf(out, "{%d,}", p->min);
    else if (p->min == p->max)
        wr_buf_printf(out, "{%d}", p->min);
    else
        wr_buf_printf(out, "{%d,%d}", p->min, p->max);
    wr_buf_puts(out, p->reluctant ? "?" : "");
}

static void pattern(struct wr_buf *out, const struct wr_ast_pattern *p)
{
    switch (p->kind) {
    case WR_PAT_VAR: wr_unparse_ident(out, p->var->text); return;
    case WR_PAT_REPEAT: repeat(out, p); return;
    case WR_PAT_SEQ:
    case WR_PAT_ALT: break;
    }
    for (const struct wr_ast_pattern *s = p->sub; s; s = s->next) {
        bool bare = p->kind == WR_PAT_ALT && s->kind == WR_PAT_SEQ;
        if (bare)
            pattern(out, s);
        else
            pattern_item(out, s, false);
        wr_buf_puts(out, !s->next ? "" : p->kind == WR_PAT_ALT ? " | " : " ");
    }
}

static void match(struct wr_buf *out, const struct wr_ast_match *m)
{
    wr_buf_puts(out, " MATCH_RECOGNIZE (");
    partition(out, m->partition, m->order, "");
    wr_buf_puts(out, m->partition || m->order ? " " : "");
    if (m->measures)
        wr_buf_puts(out, "MEASURES ");
    for (const struct wr_ast_named_expr *x = m->measures; x; x = x->next) {
        put(out, x->expr, L_ANY);
        wr_buf_puts(out, " AS ");
        wr_unparse_ident(out, x->name->text);
        wr_buf_puts(out, x->next ? ", " : " ");
    }
    wr_buf_puts(out, m->all_rows ? "ALL ROWS PER MATCH AFTER MATCH SKIP " : "ONE ROW PER MATCH AFTER MATCH SKIP ");
    switch (m->skip) {
    case WR_SKIP_PAST_LAST: wr_buf_puts(out, "PAST LAST ROW"); break;
    case WR_SKIP_NEXT_ROW: wr_buf_puts(out, "TO NEXT ROW"); break;
    case WR_SKIP_FIRST: wr_buf_puts(out, "TO FIRST "); wr_unparse_ident(out, m->skip_to->text); break;
    case WR_SKIP_LAST: wr_buf_puts(out, "TO LAST "); wr_unparse_ident(out, m->skip_to->text); break;
    }
    wr_buf_puts(out, " PATTERN (");
    pattern(out, m->pattern);
    wr_buf_putc(out, ')');
    if (m->within) {
        wr_buf_puts(out, " WITHIN ");
        put(out, m->within, L_ANY);
    }
    wr_buf_puts(out, " DEFINE ");
    for (const struct wr_ast_named_expr *x = m->define; x; x = x->next) {
        wr_unparse_ident(out, x->name->text);
        wr_buf_puts(out, " AS ");
        put(out, x->expr, L_ANY);
        wr_buf_puts(out, x->next ? ", " : "");
    }
    wr_buf_putc(out, ')');
}

static void table(struct wr_buf *out, const struct wr_ast_table *t)
{
    wr_buf_puts(out, t->lateral ? "LATERAL " : "");
    switch (t->kind) {
    case WR_F_NAME: wr_unparse_path(out, t->name); break;
    case WR_F_SELECT:
    case WR_F_VALUES: paren_query(out, t->select); break;
    case WR_F_FUNCTION: call(out, t->call, true); break;
    case WR_F_JOIN: join(out, t); break;
    case WR_F_MATCH: table_paren(out, t->left); match(out, t->match); break;
    }
    wr_buf_puts(out, t->ordinality ? " WITH ORDINALITY" : "");
    if (t->as_of) {
        wr_buf_puts(out, " FOR SYSTEM_TIME AS OF ");
        put(out, t->as_of, L_ANY);
    }
    if (t->watermark) {
        wr_buf_puts(out, " WATERMARK ");
        put(out, t->watermark->column, L_ANY);
        wr_buf_puts(out, " DELAY OF ");
        put(out, t->watermark->delay, L_ANY);
    }
    if (t->alias) {
        wr_buf_puts(out, " AS ");
        wr_unparse_ident(out, t->alias->text);
        paren_names(out, t->columns);
    }
}

/* ---- queries ---- */

static void groups(struct wr_buf *out, const struct wr_ast_group *g, bool in_sets)
{
    for (; g; g = g->next) {
        switch (g->kind) {
        case WR_G_EXPR:
            if (in_sets)
                bracketed(out, "(", g->expr->args, ")");
            else
                put(out, g->expr, L_ANY);
            break;
        case WR_G_SETS: wr_buf_puts(out, "GROUPING SETS ("); groups(out, g->sets, true); wr_buf_putc(out, ')'); break;
        case WR_G_ROLLUP: bracketed(out, "ROLLUP(", g->args, ")"); break;
        case WR_G_CUBE: bracketed(out, "CUBE(", g->args, ")"); break;
        }
        wr_buf_puts(out, g->next ? ", " : "");
    }
}

static void clause(struct wr_buf *out, const char *words, const struct wr_ast_expr *e)
{
    if (!e)
        return;
    wr_buf_puts(out, words);
    put(out, e, L_ANY);
}

static void plain_select(struct wr_buf *out, const struct wr_ast_select *s)
{
    wr_buf_puts(out, s->distinct ? "SELECT DISTINCT " : "SELECT ");
    if (s->distinct_on) {
        wr_buf_puts(out, "DISTINCT ON (");
        for (const struct wr_ast_expr *e = s->distinct_on; e; e = e->next) {
            put(out, e, L_ANY);
            wr_buf_puts(out, e->next ? ", " : ") ");
        }
    }
    for (const struct wr_ast_item *i = s->items; i; i = i->next) {
        put(out, i->expr, L_ANY);
        if (i->alias) {
            wr_buf_puts(out, " AS ");
            wr_unparse_ident(out, i->alias->text);
        }
        wr_buf_puts(out, i->next ? ", " : "");
    }
    if (s->from) {
        wr_buf_puts(out, " FROM ");
        table(out, s->from);
    }
    clause(out, " WHERE ", s->where);
    if (s->group || s->group_all)
        wr_buf_puts(out, s->group ? " GROUP BY " : " GROUP BY ()");
    groups(out, s->group, false);
    clause(out, " HAVING ", s->having);
    for (const struct wr_ast_window_def *w = s->windows; w; w = w->next) {
        wr_buf_puts(out, w == s->windows ? " WINDOW " : ", ");
        wr_unparse_ident(out, w->name->text);
        wr_buf_puts(out, " AS ");
        over(out, w->over);
    }
    clause(out, " QUALIFY ", s->qualify);
}

static void values(struct wr_buf *out, const struct wr_ast_row *r)
{
    wr_buf_puts(out, "VALUES ");
    for (; r; r = r->next) {
        bracketed(out, "(", r->cells, ")");
        wr_buf_puts(out, r->next ? ", " : "");
    }
}

static int setop_level(const struct wr_ast_select *s)
{
    return s->op == WR_SET_OP_NONE ? 3 : s->op == WR_SET_OP_INTERSECT ? 2 : 1;
}

static void side(struct wr_buf *out, const struct wr_ast_select *s, int least)
{
    bool more = s->with || s->order || s->limit || s->offset || s->watermark || s->emit;
    if (more || setop_level(s) < least)
        paren_query(out, s);
    else
        wr_unparse_select(out, s);
}

static void set_operation(struct wr_buf *out, const struct wr_ast_select *s)
{
    static const char *const words[] = {"", " UNION ", " INTERSECT ", " EXCEPT "};
    int level = setop_level(s);
    side(out, s->left, level);
    wr_buf_puts(out, words[s->op]);
    wr_buf_puts(out, s->all ? "ALL " : "");
    side(out, s->right, level + 1);
}

static void watermark(struct wr_buf *out, const struct wr_ast_watermark *w)
{
    if (!w)
        return;
    clause(out, " WITH WATERMARK ", w->delay);
    clause(out, " IDLE TIMEOUT ", w->idle);
    clause(out, " LATENESS ", w->lateness);
}

static void emit(struct wr_buf *out, const struct wr_ast_emit *e)
{
    if (!e)
        return;
    if (e->kind == WR_AST_EMIT_FINAL)
        wr_buf_puts(out, e->delay ? " EMIT AFTER WINDOW CLOSE" : " EMIT FINAL");
    else
        wr_buf_puts(out, " EMIT CHANGES");
    clause(out, " WITH DELAY ", e->delay);
    clause(out, " EVERY ", e->every);
}

void wr_unparse_select(struct wr_buf *out, const struct wr_ast_select *s)
{
    for (const struct wr_ast_cte *c = s->with; c; c = c->next) {
        wr_buf_puts(out, c == s->with ? "WITH " : ", ");
        wr_unparse_ident(out, c->name->text);
        paren_names(out, c->columns);
        wr_buf_puts(out, " AS ");
        paren_query(out, c->select);
        wr_buf_puts(out, c->next ? "" : " ");
    }
    if (s->op != WR_SET_OP_NONE)
        set_operation(out, s);
    else if (s->values)
        values(out, s->values);
    else
        plain_select(out, s);
    partition(out, NULL, s->order, " ");
    clause(out, " LIMIT ", s->limit);
    clause(out, " OFFSET ", s->offset);
    watermark(out, s->watermark);
    emit(out, s->emit);
}

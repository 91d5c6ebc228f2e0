/* ast.c: builders of names, types and expressions, called by the grammar; lists; the limit on nesting.
 *
 * Rules:  - A builder is one node: it fills it, says how far it reaches in the text, and what lies under it (wr_b_over).
 *         - Nesting: a node weighs DEEP more than the heaviest node under it, but the left side of a chain (a + b + c) only 1 more: so trees nest
 *           DEPTH_MAX deep, chains may have CHAIN_MAX links, and whoever walks a tree recursively is safe.
 * Memory: the statement's arena. Before every node lies a wr_node_head (internal.h). */
#include "parser/internal.h"

#include "grammar.h"

#include <stdarg.h>
#include <stdio.h>

enum { DEEP = CHAIN_MAX / DEPTH_MAX };

void wr_b_fail(struct wr_parse *p, int32_t off, const char *fmt, ...)
{
    char msg[sizeof p->err->msg];
    va_list args;
    if (p->failed)
        return;
    va_start(args, fmt);
    vsnprintf(msg, sizeof msg, fmt, args);
    va_end(args);
    wr_fail_at(p->err, WR_ESQL, off, "%s", msg);
    p->failed = true;
}

void wr_b_refuse(struct wr_parse *p, int32_t off, const char *what, const char *hint)
{
    if (p->failed)
        return;
    wr_b_fail(p, off, "%s is not supported", what);
    if (hint)
        wr_hint(p->err, "%s", hint);
}

static void twice(struct wr_parse *p, int32_t off, const char *what)
{
    wr_b_fail(p, off, "%s is given twice", what);
}

/* ---- nodes and lists ---- */

void *wr_b_node(struct wr_parse *p, size_t size)
{
    struct wr_node_head *h = wr_arena_zero(p->a, sizeof *h + size);
    h->n = 1;
    h->weight = 1;
    return h + 1;
}

static void weigh(struct wr_parse *p, void *node, void *child, int more)
{
    if (!child)
        return;
    int weight = wr_b_head(child)->weight + more;
    if (weight > CHAIN_MAX) {
        if (!p->failed) {
            int32_t off = p->tok[p->at < p->n ? p->at : p->n - 1].off;
            wr_fail_at(p->err, WR_ELIMIT, off, "the statement is nested more than %d deep, or has a chain of more than %d operators", DEPTH_MAX,
                       CHAIN_MAX);
            p->failed = true;
        }
        weight = CHAIN_MAX;
    }
    if (weight > wr_b_head(node)->weight)
        wr_b_head(node)->weight = (int16_t)weight;
}

void wr_b_over(struct wr_parse *p, void *node, void *child)
{
    weigh(p, node, child, DEEP);
}

void wr_b_chain(struct wr_parse *p, void *node, void *left)
{
    weigh(p, node, left, 1);
}

void wr_b_append(void *list, void *item)
{
    struct wr_node_head *h = wr_b_head(list);
    h->last = item;
    h->n++;
    if (wr_b_head(item)->weight > h->weight)
        h->weight = wr_b_head(item)->weight;
}

void wr_b_limit(struct wr_parse *p, void *list, const char *what, int32_t off)
{
    if (list && wr_b_head(list)->n > COLUMNS_MAX && !p->failed) {
        wr_fail_at(p->err, WR_ELIMIT, off, "%s of %d: at most %d are allowed", what, wr_b_head(list)->n, COLUMNS_MAX);
        p->failed = true;
    }
}

/* ---- names ---- */

struct wr_ast_name *wr_b_name(struct wr_parse *p, struct wr_token *t)
{
    struct wr_ast_name *n = wr_b_node(p, sizeof *n);
    n->text = t->text;
    n->quoted = t->quoted;
    n->off = t->off;
    n->end = t->end;
    return n;
}

struct wr_ast_name *wr_b_string_name(struct wr_parse *p, struct wr_token *t)
{
    struct wr_ast_name *n = wr_b_name(p, t);
    n->quoted = true;
    if (n->text.n == 0)
        wr_b_fail(p, t->off, "the name is empty");
    return n;
}

static struct wr_ast_name *name_of(struct wr_parse *p, const char *text, const struct wr_ast_name *where)
{
    struct wr_ast_name *n = wr_b_node(p, sizeof *n);
    n->text = wr_str_c(text);
    n->off = where->off;
    n->end = where->end;
    return n;
}

static bool is_called(const struct wr_ast_name *n, const char *name)
{
    return !n->quoted && !n->next && wr_str_eq_c(n->text, name);
}

/* ---- literals ---- */

static struct wr_ast_expr *expr(struct wr_parse *p, enum wr_ast_ekind kind, int32_t off, int32_t end)
{
    struct wr_ast_expr *e = wr_b_node(p, sizeof *e);
    e->kind = kind;
    e->off = off;
    e->end = end;
    return e;
}

struct wr_ast_expr *wr_b_literal(struct wr_parse *p, enum wr_ast_ekind kind, struct wr_token *t)
{
    struct wr_ast_expr *e = expr(p, kind, t->off, t->end);
    if (kind != WR_E_NULL && kind != WR_E_TRUE && kind != WR_E_FALSE)
        e->text = t->text;
    return e;
}

struct wr_ast_expr *wr_b_typed(struct wr_parse *p, struct wr_token *type, struct wr_token *text)
{
    struct wr_ast_expr *e = expr(p, WR_E_TYPED, type->off, text->end);
    e->type = wr_b_type(p, type, NULL);
    e->text = text->text;
    return e;
}

static struct wr_str upper(struct wr_parse *p, struct wr_str s)
{
    char *to = wr_arena_bytes(p->a, s.n ? s.n : 1);
    for (uint32_t i = 0; i < s.n; i++)
        to[i] = s.p[i] >= 'a' && s.p[i] <= 'z' ? (char)(s.p[i] - 'a' + 'A') : s.p[i];
    return (struct wr_str){to, s.n};
}

/* MINUTE and MINUTES are one. */
static struct wr_str unit_name(struct wr_parse *p, const struct wr_token *t)
{
    struct wr_str s = t->text;
    if (s.p[s.n - 1] == 's')
        s.n--;
    return upper(p, s);
}

struct wr_ast_expr *wr_b_interval(struct wr_parse *p, struct wr_token *t, struct wr_token *sign, struct wr_token *text, struct wr_token *unit,
                                  struct wr_token *unit_to)
{
    const struct wr_token *last = unit_to ? unit_to : unit ? unit : text;
    struct wr_ast_expr *e = expr(p, WR_E_INTERVAL, t->off, last->end);
    e->text = text->text;
    if (sign && sign->code == TK_MINUS) {
        struct wr_str s = wr_str_trim(text->text);
        bool minus = s.n && s.p[0] == '-';
        e->text = minus ? (struct wr_str){s.p + 1, s.n - 1} : wr_arena_printf(p->a, "-%.*s", WR_FMT(s));
        if (!unit && !minus && s.n && memchr(s.p, ' ', s.n))
            wr_b_fail(p, sign->off, "a minus before an interval of several parts");
    }
    if (unit)
        e->unit = unit_name(p, unit);
    if (unit_to)
        e->unit_to = unit_name(p, unit_to);
    return e;
}

/* ---- columns ---- */

/* Words that are functions without parentheses. */
static bool is_bare_function(const struct wr_ast_name *n)
{
    static const char *const names[] = {"current_timestamp", "current_date", "current_time", "localtimestamp", "localtime"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (is_called(n, names[i]))
            return true;
    return false;
}

struct wr_ast_expr *wr_b_column(struct wr_parse *p, struct wr_ast_name *name)
{
    struct wr_ast_expr *e = expr(p, is_bare_function(name) ? WR_E_CALL : WR_E_NAME, name->off, name->end);
    e->name = name;
    return e;
}

static bool is_plain_name(struct wr_ast_expr *e)
{
    return e->kind == WR_E_NAME && !wr_b_head(e)->paren;
}

struct wr_ast_expr *wr_b_dot(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_name *name)
{
    if (is_plain_name(e)) {
        e->name = WR_APPEND(e->name, name);
        e->end = name->end;
        return e;
    }
    struct wr_ast_expr *field = expr(p, WR_E_FIELD, e->off, name->end);
    field->a = e;
    field->name = name;
    wr_b_over(p, field, e);
    return field;
}

struct wr_ast_expr *wr_b_star(struct wr_parse *p, struct wr_ast_expr *of, struct wr_token *star)
{
    struct wr_ast_expr *e = expr(p, WR_E_STAR, of ? of->off : star->off, star->end);
    if (!of)
        return e;
    if (is_plain_name(of))
        e->name = of->name;
    else
        wr_b_refuse(p, of->off, "\"*\" of a value", "name its fields");
    return e;
}

struct wr_ast_expr *wr_b_paren(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *e, struct wr_token *z)
{
    (void)p;
    wr_b_head(e)->paren = true;
    e->off = t->off;
    e->end = z->end;
    return e;
}

/* ---- operators ---- */

struct wr_ast_expr *wr_b_unary(struct wr_parse *p, struct wr_token *op, struct wr_ast_expr *a)
{
    struct wr_ast_expr *e = expr(p, WR_E_UNARY, op->off, a->end);
    e->text = op->text;
    e->a = a;
    wr_b_over(p, e, a);
    return e;
}

static struct wr_ast_expr *binary(struct wr_parse *p, enum wr_ast_ekind kind, struct wr_ast_expr *l, struct wr_str op, struct wr_ast_expr *r)
{
    struct wr_ast_expr *e = expr(p, kind, l->off, r->end);
    e->text = op;
    e->a = l;
    e->b = r;
    wr_b_chain(p, e, l);
    wr_b_over(p, e, r);
    return e;
}

/* One spelling for each operator. */
static struct wr_str op_text(const struct wr_token *op)
{
    if (wr_str_eq_c(op->text, "!="))
        return WR_STR("<>");
    if (wr_str_eq_c(op->text, "=="))
        return WR_STR("=");
    return op->text;
}

struct wr_ast_expr *wr_b_binary(struct wr_parse *p, struct wr_ast_expr *l, struct wr_token *op, struct wr_ast_expr *r)
{
    return binary(p, WR_E_BINARY, l, op_text(op), r);
}

struct wr_ast_expr *wr_b_shift(struct wr_parse *p, struct wr_ast_expr *l, struct wr_token *op WR_UNUSED, struct wr_ast_expr *r)
{
    return binary(p, WR_E_BINARY, l, WR_STR(">>"), r);
}

struct wr_ast_expr *wr_b_at_zone(struct wr_parse *p, struct wr_ast_expr *l, struct wr_ast_expr *r)
{
    return binary(p, WR_E_BINARY, l, WR_STR("at time zone"), r);
}

struct wr_ast_expr *wr_b_is(struct wr_parse *p, struct wr_ast_expr *a, bool negated, struct wr_token *what)
{
    struct wr_ast_expr *e = expr(p, WR_E_IS, a->off, what->end);
    e->a = a;
    e->text = what->text;
    e->negated = negated;
    wr_b_over(p, e, a);
    return e;
}

struct wr_ast_expr *wr_b_distinct(struct wr_parse *p, struct wr_ast_expr *a, bool negated, struct wr_ast_expr *b)
{
    struct wr_ast_expr *e = binary(p, WR_E_DISTINCT, a, (struct wr_str){NULL, 0}, b);
    e->negated = negated;
    return e;
}

struct wr_ast_expr *wr_b_like(struct wr_parse *p, struct wr_ast_expr *a, int op, struct wr_ast_expr *b, struct wr_ast_expr *escape)
{
    static const char *const names[] = {"like", "ilike", "similar to"};
    struct wr_ast_expr *e = binary(p, WR_E_LIKE, a, wr_str_c(names[op & 3]), b);
    e->negated = op & WR_B_NOT;
    e->c = escape;
    if (escape)
        e->end = escape->end;
    wr_b_over(p, e, escape);
    return e;
}

struct wr_ast_expr *wr_b_between(struct wr_parse *p, struct wr_ast_expr *a, bool negated, bool symmetric, struct wr_ast_expr *lo, struct wr_ast_expr *hi)
{
    struct wr_ast_expr *e = expr(p, WR_E_BETWEEN, a->off, hi->end);
    e->a = a;
    e->b = lo;
    e->c = hi;
    e->negated = negated;
    e->flag = symmetric;
    wr_b_over(p, e, a);
    wr_b_over(p, e, lo);
    wr_b_over(p, e, hi);
    return e;
}

struct wr_ast_expr *wr_b_in(struct wr_parse *p, struct wr_ast_expr *a, bool negated, struct wr_ast_expr *list, struct wr_ast_select *q, struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, q ? WR_E_IN_QUERY : WR_E_IN_LIST, a->off, z ? z->end : q->end);
    e->a = a;
    e->args = list;
    e->select = q;
    e->negated = negated;
    wr_b_over(p, e, a);
    wr_b_over(p, e, list);
    wr_b_over(p, e, q);
    return e;
}

struct wr_ast_expr *wr_b_quantified(struct wr_parse *p, struct wr_ast_expr *l, struct wr_token *op, bool all, struct wr_ast_expr *array,
                                    struct wr_ast_select *q, struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, WR_E_QUANTIFIED, l->off, z ? z->end : q->end);
    e->text = op_text(op);
    e->flag = all;
    e->a = l;
    e->b = array;
    e->select = q;
    wr_b_over(p, e, l);
    wr_b_over(p, e, array);
    wr_b_over(p, e, q);
    return e;
}

struct wr_ast_expr *wr_b_subquery(struct wr_parse *p, struct wr_token *exists, struct wr_ast_select *q)
{
    struct wr_ast_expr *e = expr(p, exists ? WR_E_EXISTS : WR_E_SUBQUERY, exists ? exists->off : q->off, q->end);
    e->select = q;
    wr_b_over(p, e, q);
    return e;
}

struct wr_ast_expr *wr_b_when(struct wr_parse *p, struct wr_ast_expr *list, struct wr_ast_expr *cond, struct wr_ast_expr *then)
{
    (void)p;
    list = list ? WR_APPEND(list, cond) : cond;
    return WR_APPEND(list, then);
}

struct wr_ast_expr *wr_b_case(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *of, struct wr_ast_expr *whens, struct wr_ast_expr *otherwise,
                              struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, WR_E_CASE, t->off, z->end);
    e->a = of;
    e->args = whens;
    e->b = otherwise;
    wr_b_over(p, e, of);
    wr_b_over(p, e, whens);
    wr_b_over(p, e, otherwise);
    return e;
}

struct wr_ast_expr *wr_b_cast(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *a, struct wr_ast_type *type, struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, WR_E_CAST, t ? t->off : a->off, z ? z->end : type->end);
    e->a = a;
    e->type = type;
    e->flag = t && t->code == TK_TRY_CAST;
    wr_b_over(p, e, a);
    wr_b_over(p, e, type);
    return e;
}

struct wr_ast_expr *wr_b_list(struct wr_parse *p, enum wr_ast_ekind kind, struct wr_token *t, struct wr_ast_expr *items, struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, kind, t->off, z->end);
    e->args = items;
    wr_b_over(p, e, items);
    return e;
}

struct wr_ast_expr *wr_b_index(struct wr_parse *p, struct wr_ast_expr *a, struct wr_ast_expr *index, struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, WR_E_INDEX, a->off, z->end);
    e->a = a;
    e->b = index;
    wr_b_over(p, e, a);
    wr_b_over(p, e, index);
    return e;
}

/* ---- calls ---- */

/* DESCRIPTOR(ts) */
static struct wr_ast_expr *descriptor(struct wr_parse *p, struct wr_ast_expr *call)
{
    struct wr_ast_expr *col = call->args;
    if (!col || col->next || col->kind != WR_E_NAME) {
        wr_b_fail(p, col && col->next ? col->next->off : call->off, "DESCRIPTOR takes one column");
        wr_hint(p->err, "write DESCRIPTOR(ts)");
        return call;
    }
    call->kind = WR_E_DESCRIPTOR;
    call->name = col->name;
    call->args = NULL;
    return call;
}

/* The name of what is called. */
static struct wr_ast_name *callee(struct wr_parse *p, struct wr_ast_expr *f)
{
    bool bare = f->kind == WR_E_CALL && f->name && f->end == f->name->end; /* CURRENT_TIMESTAMP(3) */
    if (is_plain_name(f) || bare)
        return f->name;
    wr_b_fail(p, f->end, "only a name can be called, unexpected \"(\"");
    return name_of(p, "?", &(struct wr_ast_name){.off = f->off, .end = f->end});
}

static struct wr_ast_expr *call_of(struct wr_parse *p, struct wr_ast_expr *f, struct wr_ast_name *name, struct wr_ast_expr *args, struct wr_token *z)
{
    struct wr_ast_expr *e = expr(p, WR_E_CALL, f->off, z->end);
    e->name = name;
    e->args = args;
    wr_b_over(p, e, args);
    return e;
}

struct wr_ast_expr *wr_b_call(struct wr_parse *p, struct wr_ast_expr *f, struct wr_token *quant, struct wr_ast_expr *args, struct wr_ast_order *order,
                              struct wr_token *z)
{
    struct wr_ast_expr *e = call_of(p, f, callee(p, f), args, z);
    e->flag = quant && quant->code == TK_DISTINCT;
    e->order = order;
    wr_b_over(p, e, order);
    return is_called(e->name, "descriptor") && !p->failed ? descriptor(p, e) : e;
}

static struct wr_ast_expr *wrong_call(struct wr_parse *p, struct wr_ast_expr *e, const char *what)
{
    wr_b_fail(p, e->off, "\"%.*s\" is written %s", WR_FMT(e->name->text), what);
    return e;
}

static struct wr_ast_expr *one_more(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_expr *arg)
{
    if (!arg)
        return e;
    e->args = e->args ? WR_APPEND(e->args, arg) : arg;
    wr_b_over(p, e, e->args);
    return e;
}

/* EXTRACT(f FROM x): the field becomes a string. */
static struct wr_ast_expr *extract(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_expr *field, struct wr_ast_expr *x)
{
    if (field->kind != WR_E_STRING && !(is_plain_name(field) && !field->name->next))
        return wrong_call(p, e, "EXTRACT(field FROM x)");
    if (field->kind == WR_E_NAME) {
        field->kind = WR_E_STRING;
        field->text = field->name->text;
        field->name = NULL;
    }
    return one_more(p, one_more(p, e, field), x);
}

struct wr_ast_expr *wr_b_call_from(struct wr_parse *p, struct wr_ast_expr *f, struct wr_ast_expr *x, struct wr_ast_expr *placing, struct wr_ast_expr *from,
                                   struct wr_ast_expr *count, struct wr_token *z)
{
    struct wr_ast_expr *e = call_of(p, f, callee(p, f), NULL, z);
    if (is_called(e->name, "overlay"))
        return placing && from ? one_more(p, one_more(p, one_more(p, one_more(p, e, x), placing), from), count)
                               : wrong_call(p, e, "OVERLAY(x PLACING y FROM n FOR m)");
    if (is_called(e->name, "extract"))
        return from && !placing && !count ? extract(p, e, x, from) : wrong_call(p, e, "EXTRACT(field FROM x)");
    if (is_called(e->name, "trim")) {
        if (!from || placing || count)
            return wrong_call(p, e, "TRIM(c FROM x)");
        e->name = name_of(p, "btrim", e->name);
        return one_more(p, one_more(p, e, from), x);
    }
    if (placing)
        return wrong_call(p, e, "SUBSTRING(x FROM n FOR m)");
    if (!from) {
        from = expr(p, WR_E_INT, x->end, x->end);
        from->text = WR_STR("1");
    }
    return one_more(p, one_more(p, one_more(p, e, x), from), count);
}

struct wr_ast_expr *wr_b_call_trim(struct wr_parse *p, struct wr_ast_expr *f, struct wr_token *side, struct wr_ast_expr *chars, struct wr_ast_expr *x,
                                   struct wr_token *z)
{
    struct wr_ast_expr *e = call_of(p, f, callee(p, f), NULL, z);
    if (!is_called(e->name, "trim")) {
        wr_b_fail(p, side->off, "%.*s belongs into TRIM", WR_FMT(upper(p, side->text)));
        return e;
    }
    e->name = name_of(p, side->code == TK_LEADING ? "ltrim" : side->code == TK_TRAILING ? "rtrim" : "btrim", e->name);
    return one_more(p, one_more(p, e, x), chars);
}

struct wr_ast_expr *wr_b_call_in(struct wr_parse *p, struct wr_ast_expr *f, struct wr_ast_expr *a, struct wr_ast_expr *b, struct wr_token *z)
{
    return one_more(p, one_more(p, call_of(p, f, callee(p, f), NULL, z), a), b);
}

struct wr_ast_expr *wr_b_returning(struct wr_parse *p, struct wr_ast_expr *call, struct wr_ast_type *type)
{
    if (call->kind != WR_E_CALL)
        wr_b_fail(p, type->off, "RETURNING belongs into JSON_VALUE");
    call->type = type;
    wr_b_over(p, call, type);
    return call;
}

struct wr_ast_expr *wr_b_within(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_ast_order *order, struct wr_token *z)
{
    if (call->order)
        twice(p, t->off, "the order of an aggregate");
    call->order = order;
    call->within_group = true;
    call->end = z->end;
    wr_b_over(p, call, order);
    return call;
}

struct wr_ast_expr *wr_b_filter(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_ast_expr *filter, struct wr_token *z)
{
    if (call->filter)
        twice(p, t->off, "FILTER");
    call->filter = filter;
    call->end = z->end;
    wr_b_over(p, call, filter);
    return call;
}

struct wr_ast_expr *wr_b_nulls(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_token *z)
{
    if (call->nulls)
        twice(p, t->off, "IGNORE NULLS or RESPECT NULLS");
    call->nulls = t->code == TK_IGNORE ? 1 : 2;
    call->end = z->end;
    return call;
}

struct wr_ast_expr *wr_b_over_call(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_ast_over *over)
{
    if (call->over)
        twice(p, t->off, "OVER");
    call->over = over;
    call->end = over->end;
    wr_b_over(p, call, over);
    return call;
}

struct wr_ast_expr *wr_b_named(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_expr *value)
{
    struct wr_ast_expr *e = expr(p, WR_E_NAMED, name->off, value->end);
    e->name = name;
    e->a = value;
    wr_b_over(p, e, value);
    return e;
}

struct wr_ast_expr *wr_b_table_arg(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *path, struct wr_ast_select *q, struct wr_ast_expr *part,
                                   struct wr_ast_order *order)
{
    struct wr_ast_expr *e = expr(p, WR_E_TABLE, t->off, p->tok[p->at - 1].end);
    e->name = path;
    e->select = q;
    e->args = part && part->kind == WR_E_ROW ? part->args : part; /* (a, b) is two keys */
    e->order = order;
    wr_b_over(p, e, q);
    wr_b_over(p, e, part);
    wr_b_over(p, e, order);
    return e;
}

/* ---- ORDER BY, OVER ---- */

struct wr_ast_order *wr_b_order(struct wr_parse *p, struct wr_ast_expr *e, bool desc, int nulls)
{
    struct wr_ast_order *o = wr_b_node(p, sizeof *o);
    o->expr = e;
    o->desc = desc;
    o->nulls = (int8_t)nulls;
    wr_b_over(p, o, e);
    return o;
}

struct wr_ast_over *wr_b_over_ref(struct wr_parse *p, struct wr_ast_name *ref)
{
    struct wr_ast_over *o = wr_b_node(p, sizeof *o);
    o->ref = ref;
    o->off = ref->off;
    o->end = ref->end;
    return o;
}

struct wr_ast_over *wr_b_over_spec(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *ref, struct wr_ast_expr *part, struct wr_ast_order *order,
                                   struct wr_ast_over *frame, struct wr_token *z)
{
    struct wr_ast_over *o = frame ? frame : wr_b_node(p, sizeof *o);
    o->ref = ref;
    o->partition = part;
    o->order = order;
    o->off = t->off;
    o->end = z->end;
    wr_b_over(p, o, part);
    wr_b_over(p, o, order);
    return o;
}

struct wr_bound *wr_b_bound(struct wr_parse *p, enum wr_ast_bound kind, struct wr_ast_expr *n)
{
    struct wr_bound *b = wr_b_node(p, sizeof *b);
    b->kind = kind;
    b->n = n;
    return b;
}

struct wr_ast_over *wr_b_frame(struct wr_parse *p, struct wr_token *unit, struct wr_bound *from, struct wr_bound *to)
{
    struct wr_ast_over *o = wr_b_node(p, sizeof *o);
    o->unit = wr_str_eq_c(unit->text, "rows") ? WR_FRAME_ROWS : wr_str_eq_c(unit->text, "range") ? WR_FRAME_RANGE : WR_FRAME_GROUPS;
    o->from = from->kind;
    o->from_n = from->n;
    o->to = to ? to->kind : WR_BOUND_CURRENT;
    o->to_n = to ? to->n : NULL;
    wr_b_over(p, o, o->from_n);
    wr_b_over(p, o, o->to_n);
    return o;
}

/* ---- types ---- */

struct wr_ast_type *wr_b_type(struct wr_parse *p, struct wr_token *t, struct wr_token *second)
{
    struct wr_ast_type *type = wr_b_node(p, sizeof *type);
    type->off = t->off;
    type->end = second ? second->end : t->end;
    type->name = upper(p, second ? wr_arena_printf(p->a, "%.*s %.*s", WR_FMT(t->text), WR_FMT(second->text)) : t->text);
    return type;
}

static int64_t whole(struct wr_parse *p, const struct wr_token *t)
{
    int64_t v = 0;
    for (uint32_t i = 0; i < t->text.n; i++) {
        if (t->text.p[i] < '0' || t->text.p[i] > '9' || v > INT32_MAX / 10) {
            wr_b_fail(p, t->off, "number \"%.*s\" is too large here", WR_FMT(t->text));
            return 0;
        }
        v = v * 10 + (t->text.p[i] - '0');
    }
    return v;
}

int32_t wr_b_number(struct wr_parse *p, struct wr_token *t)
{
    int64_t v = whole(p, t);
    return v > INT32_MAX ? INT32_MAX : (int32_t)v;
}

struct wr_ast_type *wr_b_type_param(struct wr_parse *p, struct wr_ast_type *type, struct wr_token *first, struct wr_token *second, struct wr_token *z)
{
    type->param[0] = whole(p, first);
    type->param[1] = second ? whole(p, second) : 0;
    type->n_param = second ? 2 : 1;
    type->end = z->end;
    return type;
}

struct wr_ast_type *wr_b_type_zone(struct wr_parse *p, struct wr_ast_type *type, bool with, struct wr_token *z)
{
    if (!wr_str_eq_c(type->name, "TIMESTAMP") && !wr_str_eq_c(type->name, "TIME"))
        wr_b_fail(p, type->off, "type %.*s has no time zone", WR_FMT(type->name));
    type->with_zone = with;
    type->end = z->end;
    return type;
}

struct wr_ast_type *wr_b_type_array(struct wr_parse *p, struct wr_token *t, struct wr_ast_type *elem, struct wr_token *z)
{
    struct wr_ast_type *type = wr_b_node(p, sizeof *type);
    type->name = WR_STR("ARRAY");
    type->elem = elem;
    type->off = t ? t->off : elem->off;
    type->end = z->end;
    wr_b_over(p, type, elem);
    return type;
}

struct wr_ast_type *wr_b_type_row(struct wr_parse *p, struct wr_token *t, struct wr_ast_field *fields, struct wr_token *z)
{
    struct wr_ast_type *type = wr_b_node(p, sizeof *type);
    type->name = t->code == TK_MAPC ? WR_STR("MAP") : WR_STR("ROW");
    type->field = fields;
    type->off = t->off;
    type->end = z->end;
    wr_b_over(p, type, fields);
    wr_b_limit(p, fields, "a row type with fields", t->off);
    return type;
}

struct wr_ast_field *wr_b_field(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_type *type)
{
    struct wr_ast_field *f = wr_b_node(p, sizeof *f);
    if (name)
        f->name = *name;
    f->type = type;
    wr_b_over(p, f, type);
    return f;
}

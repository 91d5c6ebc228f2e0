/* ast_dump.h: a syntax tree as text, for tests: (binary "+" (int "1") (name a)). Two trees are equal if their dumps are.
 * Rules:  every field that says something about meaning is printed, with its name, if it is not empty. Left out are places, and whether a name was quoted.
 *         Written from ast.h alone, not from unparse.c, so that what that forgets shows.
 * Memory: appends to the buffer. */
#ifndef WR_TESTS_UNIT_AST_DUMP_H
#define WR_TESTS_UNIT_AST_DUMP_H

#include "parser/parse.h"

static void dump_expr(struct wr_buf *out, const char *field, const struct wr_ast_expr *e);
static void dump_select(struct wr_buf *out, const char *field, const struct wr_ast_select *s);
static void dump_table(struct wr_buf *out, const char *field, const struct wr_ast_table *t);

static void dump_str(struct wr_buf *out, const char *field, struct wr_str s)
{
    if (s.p)
        wr_buf_printf(out, " %s\"", field);
    wr_buf_str(out, s);
    wr_buf_puts(out, s.p ? "\"" : "");
}

static void dump_flag(struct wr_buf *out, const char *field, int value)
{
    if (value)
        wr_buf_printf(out, " %s=%d", field, value);
}

static void dump_names(struct wr_buf *out, const char *field, const struct wr_ast_name *n)
{
    if (!n)
        return;
    wr_buf_printf(out, " %s[", field);
    for (; n; n = n->next)
        wr_buf_printf(out, "%.*s%s", WR_FMT(n->text), n->next ? " " : "");
    wr_buf_putc(out, ']');
}

static void dump_type(struct wr_buf *out, const char *field, const struct wr_ast_type *t)
{
    if (!t)
        return;
    wr_buf_printf(out, " %s(type %.*s", field, WR_FMT(t->name));
    for (int i = 0; i < t->n_param; i++)
        wr_buf_printf(out, " %lld", (long long)t->param[i]);
    dump_flag(out, "zone", t->with_zone);
    dump_type(out, "of:", t->elem);
    for (const struct wr_ast_field *f = t->field; f; f = f->next) {
        wr_buf_printf(out, " %.*s", WR_FMT(f->name.text));
        dump_type(out, "", f->type);
    }
    wr_buf_putc(out, ')');
}

static void dump_orders(struct wr_buf *out, const char *field, const struct wr_ast_order *o)
{
    for (; o; o = o->next) {
        wr_buf_printf(out, " %s(order", field);
        dump_expr(out, "", o->expr);
        dump_flag(out, "desc", o->desc);
        dump_flag(out, "nulls", o->nulls);
        wr_buf_putc(out, ')');
    }
}

static void dump_over(struct wr_buf *out, const char *field, const struct wr_ast_over *o)
{
    if (!o)
        return;
    wr_buf_printf(out, " %s(over", field);
    dump_names(out, "ref", o->ref);
    dump_expr(out, "partition:", o->partition);
    dump_orders(out, "", o->order);
    if (o->unit != WR_FRAME_NONE)
        wr_buf_printf(out, " frame=%d %d %d", o->unit, o->from, o->to);
    dump_expr(out, "from:", o->from_n);
    dump_expr(out, "to:", o->to_n);
    wr_buf_putc(out, ')');
}

static const char *dump_kind(enum wr_ast_ekind k)
{
    static const char *const names[] = {"null", "true", "false", "int", "num", "string", "bytes", "interval", "typed", "name", "star", "unary", "binary", "is",
        "distinct", "like", "between", "in", "in-query", "exists", "quantified", "subquery", "case", "cast", "call", "array", "row", "index", "field",
        "descriptor", "table", "named"};
    return names[k];
}

/* One, or all of a list. */
static void dump_expr(struct wr_buf *out, const char *field, const struct wr_ast_expr *e)
{
    for (; e; e = e->next) {
        wr_buf_printf(out, " %s(%s", field, dump_kind(e->kind));
        dump_names(out, "", e->name);
        dump_str(out, "", e->text);
        dump_str(out, "unit", e->unit);
        dump_str(out, "to", e->unit_to);
        dump_flag(out, "flag", e->flag);
        dump_flag(out, "not", e->negated);
        dump_type(out, "", e->type);
        dump_expr(out, "", e->a);
        dump_expr(out, e->kind == WR_E_CASE ? "else:" : "", e->b);
        dump_expr(out, "c:", e->c);
        dump_expr(out, e->kind == WR_E_CASE ? "" : "arg:", e->args);
        dump_select(out, "", e->select);
        dump_orders(out, "", e->order);
        dump_flag(out, "within", e->within_group);
        dump_flag(out, "nulls", e->nulls);
        dump_expr(out, "filter:", e->filter);
        dump_over(out, "", e->over);
        wr_buf_putc(out, ')');
    }
}

static void dump_pattern(struct wr_buf *out, const struct wr_ast_pattern *p)
{
    for (; p; p = p->next) {
        wr_buf_printf(out, " (pat%d", p->kind);
        dump_names(out, "", p->var);
        if (p->kind == WR_PAT_REPEAT)
            wr_buf_printf(out, " %d..%d%s", p->min, p->max, p->reluctant ? "?" : "");
        dump_pattern(out, p->sub);
        wr_buf_putc(out, ')');
    }
}

static void dump_named(struct wr_buf *out, const char *field, const struct wr_ast_named_expr *n)
{
    for (; n; n = n->next) {
        dump_names(out, field, n->name);
        dump_expr(out, "", n->expr);
    }
}

static void dump_match(struct wr_buf *out, const struct wr_ast_match *m)
{
    if (!m)
        return;
    wr_buf_puts(out, " (match");
    dump_expr(out, "partition:", m->partition);
    dump_orders(out, "", m->order);
    dump_named(out, "measure", m->measures);
    dump_flag(out, "all", m->all_rows);
    dump_flag(out, "skip", m->skip);
    dump_names(out, "skip-to", m->skip_to);
    dump_pattern(out, m->pattern);
    dump_expr(out, "within:", m->within);
    dump_named(out, "define", m->define);
    wr_buf_putc(out, ')');
}

static void dump_watermark(struct wr_buf *out, const struct wr_ast_watermark *w)
{
    if (!w)
        return;
    wr_buf_puts(out, " (watermark");
    dump_expr(out, "column:", w->column);
    dump_expr(out, "", w->delay);
    dump_expr(out, "idle:", w->idle);
    dump_expr(out, "lateness:", w->lateness);
    wr_buf_putc(out, ')');
}

static void dump_table(struct wr_buf *out, const char *field, const struct wr_ast_table *t)
{
    if (!t)
        return;
    wr_buf_printf(out, " %s(from%d", field, t->kind);
    dump_names(out, "", t->name);
    dump_select(out, "", t->select);
    dump_expr(out, "", t->call);
    if (t->kind == WR_F_JOIN)
        wr_buf_printf(out, " join=%d", t->join);
    dump_flag(out, "natural", t->natural);
    dump_flag(out, "lateral", t->lateral);
    dump_flag(out, "ordinality", t->ordinality);
    dump_table(out, "", t->left);
    dump_table(out, "", t->right);
    dump_expr(out, "on:", t->on);
    dump_names(out, "using", t->using_cols);
    dump_expr(out, "as-of:", t->as_of);
    dump_watermark(out, t->watermark);
    dump_match(out, t->match);
    dump_names(out, "alias", t->alias);
    dump_names(out, "columns", t->columns);
    wr_buf_putc(out, ')');
}

static void dump_groups(struct wr_buf *out, const struct wr_ast_group *g)
{
    for (; g; g = g->next) {
        wr_buf_printf(out, " (group%d", g->kind);
        dump_expr(out, "", g->expr);
        dump_expr(out, "arg:", g->args);
        dump_groups(out, g->sets);
        wr_buf_putc(out, ')');
    }
}

static void dump_body(struct wr_buf *out, const struct wr_ast_select *s)
{
    for (const struct wr_ast_row *r = s->values; r; r = r->next) {
        wr_buf_puts(out, " (row");
        dump_expr(out, "", r->cells);
        wr_buf_putc(out, ')');
    }
    dump_flag(out, "distinct", s->distinct);
    for (const struct wr_ast_item *i = s->items; i; i = i->next) {
        wr_buf_puts(out, " (item");
        dump_expr(out, "", i->expr);
        dump_names(out, "as", i->alias);
        wr_buf_putc(out, ')');
    }
    dump_table(out, "", s->from);
    dump_expr(out, "where:", s->where);
    dump_flag(out, "group-all", s->group_all);
    dump_groups(out, s->group);
    dump_expr(out, "having:", s->having);
    for (const struct wr_ast_window_def *w = s->windows; w; w = w->next) {
        dump_names(out, "window", w->name);
        dump_over(out, "", w->over);
    }
    dump_expr(out, "qualify:", s->qualify);
}

static void dump_select(struct wr_buf *out, const char *field, const struct wr_ast_select *s)
{
    if (!s)
        return;
    wr_buf_printf(out, " %s(select", field);
    for (const struct wr_ast_cte *c = s->with; c; c = c->next) {
        wr_buf_puts(out, " (with");
        dump_names(out, "", c->name);
        dump_names(out, "columns", c->columns);
        dump_select(out, "", c->select);
        wr_buf_putc(out, ')');
    }
    dump_flag(out, "op", s->op);
    dump_flag(out, "all", s->all);
    dump_select(out, "", s->left);
    dump_select(out, "", s->right);
    dump_body(out, s);
    dump_orders(out, "", s->order);
    dump_expr(out, "limit:", s->limit);
    dump_expr(out, "offset:", s->offset);
    dump_watermark(out, s->watermark);
    if (s->emit) {
        wr_buf_printf(out, " (emit%d", s->emit->kind);
        dump_expr(out, "every:", s->emit->every);
        dump_expr(out, "delay:", s->emit->delay);
        wr_buf_putc(out, ')');
    }
    wr_buf_putc(out, ')');
}

static void dump_relation(struct wr_buf *out, const struct wr_ast_relation *r)
{
    if (!r)
        return;
    wr_buf_puts(out, " (relation");
    for (const struct wr_ast_column *c = r->columns; c; c = c->next) {
        wr_buf_printf(out, " (column%d", c->kind);
        dump_names(out, "", c->name);
        dump_type(out, "", c->type);
        dump_flag(out, "not-null", c->not_null);
        dump_flag(out, "key", c->primary_key);
        dump_flag(out, "virtual", c->is_virtual);
        dump_str(out, "path", c->path);
        dump_str(out, "meta", c->meta);
        dump_expr(out, "as:", c->expr);
        dump_expr(out, "default:", c->def);
        dump_str(out, "comment", c->comment);
        wr_buf_putc(out, ')');
    }
    dump_names(out, "key", r->primary_key);
    dump_flag(out, "not-enforced", r->not_enforced);
    dump_names(out, "watermark", r->watermark_col);
    dump_expr(out, "", r->watermark);
    wr_buf_putc(out, ')');
}

static void dump_stmt_flags(struct wr_buf *out, const struct wr_stmt *s)
{
    dump_flag(out, "or-replace", s->or_replace);
    dump_flag(out, "if-not-exists", s->if_not_exists);
    dump_flag(out, "if-exists", s->if_exists);
    dump_flag(out, "temporary", s->temporary);
    dump_flag(out, "materialized", s->materialized);
    dump_flag(out, "cascade", s->cascade);
    dump_flag(out, "analyze", s->analyze);
    dump_flag(out, "savepoint", s->savepoint);
    dump_flag(out, "drain", s->drain);
    dump_flag(out, "from-beginning", s->from_beginning);
}

static void dump_stmt(struct wr_buf *out, const struct wr_stmt *s)
{
    for (; s; s = s->next) {
        wr_buf_printf(out, "(stmt%d", s->kind);
        dump_stmt_flags(out, s);
        dump_str(out, "what", s->what.n ? s->what : (struct wr_str){NULL, 0});
        dump_names(out, "", s->name);
        dump_names(out, "names", s->names);
        dump_relation(out, s->relation);
        dump_str(out, "comment", s->comment);
        for (const struct wr_ast_option *o = s->options; o; o = o->next) {
            dump_str(out, "option", o->key);
            dump_str(out, "=", o->value);
        }
        dump_names(out, "from", s->from);
        dump_select(out, "", s->select);
        for (const struct wr_ast_param *a = s->params; a; a = a->next) {
            dump_names(out, "param", a->name);
            dump_type(out, "", a->type);
        }
        dump_type(out, "returns:", s->returns);
        dump_str(out, "language", s->language);
        dump_str(out, "body", s->body);
        dump_str(out, "symbol", s->symbol);
        dump_str(out, "text", s->text);
        dump_str(out, "value", s->value);
        dump_expr(out, "limit:", s->limit);
        if (s->inner) {
            wr_buf_puts(out, " inner:");
            dump_stmt(out, s->inner);
        }
        wr_buf_puts(out, s->next ? ")\n" : ")");
    }
}

#endif

/* ast_stmt.c: builders of statements, columns and options, called by the grammar.
 * Rules:  as ast.c. What may be given once only, and what does not go together, is checked here.
 * Memory: the statement's arena. */
#include "parser/internal.h"

#include "grammar.h"

enum { KEY_MAX = 255 }; /* bytes of an option's key */

static void twice(struct wr_parse *p, int32_t off, const char *what)
{
    wr_b_fail(p, off, "%s is given twice", what);
}

struct wr_stmt *wr_b_stmt(struct wr_parse *p, enum wr_ast_skind kind, struct wr_token *t)
{
    struct wr_stmt *s = wr_b_node(p, sizeof *s);
    s->kind = kind;
    s->off = t->off;
    return s;
}

struct wr_stmt *wr_b_end(struct wr_parse *p, struct wr_stmt *s)
{
    s->end = p->tok[p->at - 1].end;
    return s;
}

struct wr_stmt *wr_b_stmt_query(struct wr_parse *p, struct wr_ast_select *q)
{
    struct wr_stmt *s = wr_b_node(p, sizeof *s);
    s->kind = WR_S_SELECT;
    s->off = q->off;
    s->end = q->end;
    s->select = q;
    return s;
}

/* ---- options and settings ---- */

/* One more word of a key; k NULL: the first. sep: the dot or minus before it. */
struct wr_key *wr_b_key(struct wr_parse *p, struct wr_key *k, struct wr_token *sep, struct wr_token *t)
{
    struct wr_str word = t->word ? (struct wr_str){p->sql.p + t->off, (uint32_t)(t->end - t->off)} : t->text;
    if (!k) {
        k = wr_b_node(p, sizeof *k);
        k->text = word;
        k->off = t->off;
    } else if (k->text.n + word.n >= KEY_MAX) {
        wr_b_fail(p, k->off, "name is longer than %d bytes", KEY_MAX);
    } else {
        k->text = wr_arena_printf(p->a, "%.*s%.*s%.*s", WR_FMT(k->text), WR_FMT(sep->text), WR_FMT(word));
    }
    k->end = t->end;
    return k;
}

struct wr_key *wr_b_value(struct wr_parse *p, struct wr_token *sign, struct wr_token *t)
{
    struct wr_key *v = wr_b_node(p, sizeof *v);
    v->text = t->text;
    if (sign && sign->code == TK_MINUS)
        v->text = wr_arena_printf(p->a, "-%.*s", WR_FMT(t->text));
    v->off = sign ? sign->off : t->off;
    v->end = t->end;
    return v;
}

struct wr_ast_option *wr_b_option(struct wr_parse *p, struct wr_key *key, struct wr_key *value)
{
    struct wr_ast_option *o = wr_b_node(p, sizeof *o);
    o->key = key->text;
    o->key_off = key->off;
    o->value = value ? value->text : WR_STR("true");
    o->off = value ? value->off : key->off;
    if (o->key.n == 0)
        wr_b_fail(p, key->off, "the option's name is empty");
    return o;
}

static struct wr_str lower(struct wr_parse *p, struct wr_str s)
{
    char *to = wr_arena_bytes(p->a, s.n ? s.n : 1);
    for (uint32_t i = 0; i < s.n; i++)
        to[i] = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] - 'A' + 'a') : s.p[i];
    return (struct wr_str){to, s.n};
}

/* ---- CREATE SOURCE, TABLE, SINK ---- */

static struct wr_stmt *flagged(struct wr_parse *p, struct wr_stmt *s, int flags, bool if_not_exists, struct wr_ast_name *name)
{
    s->or_replace = flags & WR_B_REPLACE;
    s->temporary = flags & WR_B_TEMPORARY;
    s->materialized = flags & WR_B_MATERIALIZED;
    s->if_not_exists = if_not_exists;
    s->name = name;
    if (s->materialized && s->kind != WR_S_CREATE_VIEW)
        wr_b_fail(p, s->off, "only a view can be MATERIALIZED");
    if (s->or_replace && if_not_exists)
        wr_b_fail(p, s->off, "OR REPLACE and IF NOT EXISTS exclude each other");
    return s;
}

struct wr_stmt *wr_b_create(struct wr_parse *p, struct wr_token *t, int flags, enum wr_ast_skind kind, bool if_not_exists, struct wr_ast_name *name)
{
    return flagged(p, wr_b_stmt(p, kind, t), flags, if_not_exists, name);
}

struct wr_stmt *wr_b_create_columns(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_ast_relation *r)
{
    if (s->relation)
        twice(p, t->off, "the list of columns");
    s->relation = r;
    return s;
}

struct wr_stmt *wr_b_create_options(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_ast_option *options)
{
    if (s->options)
        twice(p, t->off, "WITH");
    s->options = options;
    return s;
}

/* FORMAT PLAIN ENCODE JSON is format = 'json'; FORMAT UPSERT ENCODE JSON format = 'upsert-json'. */
struct wr_ast_option *wr_b_format(struct wr_parse *p, struct wr_token *row, struct wr_token *encode, struct wr_ast_option *more)
{
    bool plain = wr_str_eq_c(row->text, "plain");
    struct wr_key key = {WR_STR("format"), row->off, row->end};
    struct wr_key value = {plain ? encode->text : wr_arena_printf(p->a, "%.*s-%.*s", WR_FMT(row->text), WR_FMT(encode->text)), encode->off, encode->end};
    struct wr_ast_option *o = wr_b_option(p, &key, &value);
    o->next = more;
    return o;
}

struct wr_stmt *wr_b_create_format(struct wr_parse *p, struct wr_stmt *s, struct wr_ast_option *options)
{
    (void)p;
    struct wr_ast_option **end = &s->options;
    while (*end)
        end = &(*end)->next;
    *end = options;
    return s;
}

struct wr_stmt *wr_b_create_comment(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_token *text)
{
    if (s->comment.p)
        twice(p, t->off, "COMMENT");
    s->comment = text->text;
    return s;
}

struct wr_stmt *wr_b_create_from(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_ast_name *from)
{
    if (s->kind != WR_S_CREATE_SINK)
        wr_b_fail(p, t->off, "unexpected \"FROM\": only a sink is made from something");
    if (s->from)
        twice(p, t->off, "FROM");
    s->from = from;
    return s;
}

struct wr_stmt *wr_b_create_query(struct wr_parse *p, struct wr_stmt *s, struct wr_ast_select *q)
{
    if (s->from)
        wr_b_fail(p, q->off, "a sink has either FROM or AS SELECT");
    s->select = q;
    return s;
}

struct wr_ast_relation *wr_b_relation(struct wr_parse *p)
{
    return wr_b_node(p, sizeof(struct wr_ast_relation));
}

struct wr_ast_relation *wr_b_rel_column(struct wr_parse *p, struct wr_ast_relation *r, struct wr_ast_column *c)
{
    if (!c->type && c->kind != WR_C_COMPUTED) {
        wr_b_fail(p, c->off, "column \"%.*s\" has no type", WR_FMT(c->name->text));
        wr_hint(p->err, "write \"%.*s TEXT\", for example", WR_FMT(c->name->text));
    }
    if (c->is_virtual && c->kind != WR_C_METADATA)
        wr_b_fail(p, c->off, "VIRTUAL belongs to METADATA");
    r->columns = r->columns ? WR_APPEND(r->columns, c) : c;
    wr_b_limit(p, r->columns, "a list of columns", c->off);
    return r;
}

struct wr_ast_relation *wr_b_rel_key(struct wr_parse *p, struct wr_ast_relation *r, struct wr_token *t, struct wr_ast_name *names, bool not_enforced)
{
    if (r->primary_key)
        twice(p, t->off, "PRIMARY KEY");
    r->primary_key = names;
    r->not_enforced = not_enforced;
    return r;
}

struct wr_ast_relation *wr_b_rel_watermark(struct wr_parse *p, struct wr_ast_relation *r, struct wr_token *t, struct wr_ast_name *col, struct wr_ast_expr *e)
{
    if (r->watermark_col)
        twice(p, t->off, "WATERMARK");
    r->watermark_col = col;
    r->watermark = e;
    r->watermark_off = t->off;
    return r;
}

struct wr_ast_column *wr_b_coldef(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_type *type)
{
    struct wr_ast_column *c = wr_b_node(p, sizeof *c);
    c->name = name;
    c->type = type;
    c->off = name->off;
    c->end = type ? type->end : name->end;
    return c;
}

/* NOT NULL, NULL, PRIMARY KEY, VIRTUAL */
struct wr_ast_column *wr_b_col_flag(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, int what, struct wr_token *z)
{
    if (what == TK_NOT)
        c->not_null = true;
    else if (what == TK_PRIMARY)
        c->primary_key = true;
    else if (what == TK_VIRTUAL)
        c->is_virtual = true;
    else if (c->not_null)
        wr_b_fail(p, t->off, "a column is NULL or NOT NULL, not both");
    c->end = z->end;
    return c;
}

struct wr_ast_column *wr_b_col_path(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_token *path)
{
    if (c->path.p)
        twice(p, t->off, "PATH");
    c->path = path->text;
    c->end = path->end;
    return c;
}

static void set_kind(struct wr_parse *p, struct wr_ast_column *c, int32_t off, enum wr_ast_ckind kind)
{
    if (c->kind != WR_C_PLAIN)
        wr_b_fail(p, off, c->kind == kind ? "column \"%.*s\" is defined twice" : "column \"%.*s\" is either computed or METADATA", WR_FMT(c->name->text));
    c->kind = kind;
}

/* key NULL: METADATA alone */
struct wr_ast_column *wr_b_col_meta(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_token *key)
{
    set_kind(p, c, t->off, WR_C_METADATA);
    if (key)
        c->meta = key->text;
    c->end = key ? key->end : t->end;
    return c;
}

struct wr_ast_column *wr_b_col_computed(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_ast_expr *e)
{
    set_kind(p, c, t->off, WR_C_COMPUTED);
    c->expr = e;
    c->end = e->end;
    return c;
}

struct wr_ast_column *wr_b_col_default(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_ast_expr *e)
{
    if (c->def)
        twice(p, t->off, "DEFAULT");
    c->def = e;
    c->end = e->end;
    return c;
}

struct wr_ast_column *wr_b_col_comment(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_token *text)
{
    if (c->comment.p)
        twice(p, t->off, "COMMENT");
    c->comment = text->text;
    c->end = text->end;
    return c;
}

/* ---- views, functions ---- */

struct wr_stmt *wr_b_view(struct wr_parse *p, struct wr_token *t, int flags, bool if_not_exists, struct wr_ast_name *name, struct wr_ast_name *columns,
                          struct wr_ast_select *q)
{
    struct wr_stmt *s = flagged(p, wr_b_stmt(p, WR_S_CREATE_VIEW, t), flags, if_not_exists, name);
    s->names = columns;
    s->select = q;
    return s;
}

struct wr_stmt *wr_b_function(struct wr_parse *p, struct wr_token *t, int flags, bool if_not_exists, struct wr_ast_name *name, struct wr_ast_param *params,
                              struct wr_ast_type *returns)
{
    struct wr_stmt *s = flagged(p, wr_b_stmt(p, WR_S_CREATE_FUNCTION, t), flags, if_not_exists, name);
    s->params = params;
    s->returns = returns;
    return s;
}

struct wr_stmt *wr_b_function_language(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_token *language)
{
    if (s->language.n)
        twice(p, t->off, "LANGUAGE");
    s->language = language->text;
    return s;
}

struct wr_stmt *wr_b_function_body(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_token *body, struct wr_token *symbol)
{
    if (s->body.p)
        twice(p, t->off, "AS");
    s->body = body->text;
    s->text_off = body->off;
    if (symbol)
        s->symbol = symbol->text;
    return s;
}

struct wr_ast_param *wr_b_param(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_type *type)
{
    struct wr_ast_param *a = wr_b_node(p, sizeof *a);
    a->name = name;
    a->type = type;
    return a;
}

/* ---- DROP, SHOW, DESCRIBE, SET ---- */

struct wr_stmt *wr_b_drop(struct wr_parse *p, struct wr_token *t, const char *what, bool if_exists, struct wr_ast_name *names, bool cascade)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_DROP, t);
    s->what = wr_str_c(what);
    s->if_exists = if_exists;
    s->names = names;
    s->cascade = cascade;
    return s;
}

struct wr_stmt *wr_b_show(struct wr_parse *p, struct wr_token *t, struct wr_key *what)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_SHOW, t);
    s->what = lower(p, what->text);
    s->text_off = what->off;
    return s;
}

/* A statement that is a word or two and a name. */
struct wr_stmt *wr_b_on_name(struct wr_parse *p, enum wr_ast_skind kind, struct wr_token *t, const char *what, struct wr_ast_name *name)
{
    struct wr_stmt *s = wr_b_stmt(p, kind, t);
    s->what = wr_str_c(what);
    s->name = name;
    return s;
}

struct wr_stmt *wr_b_set(struct wr_parse *p, struct wr_token *t, struct wr_key *name, struct wr_key *value)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_SET, t);
    if (name->text.n == 0)
        wr_b_fail(p, name->off, "the setting's name is empty");
    s->text = lower(p, name->text);
    s->text_off = name->off;
    s->value = value->text;
    s->value_off = value->off;
    return s;
}

/* name NULL: ALL */
struct wr_stmt *wr_b_reset(struct wr_parse *p, struct wr_token *t, struct wr_key *name, struct wr_token *z)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_RESET, t);
    if (name && name->text.n == 0)
        wr_b_fail(p, name->off, "the setting's name is empty");
    s->text = name ? lower(p, name->text) : (struct wr_str){NULL, 0};
    s->text_off = name ? name->off : z->off;
    return s;
}

struct wr_stmt *wr_b_stop(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, bool savepoint)
{
    if (savepoint ? s->savepoint : s->drain)
        twice(p, t->off, savepoint ? "SAVEPOINT" : "DRAIN");
    s->savepoint |= savepoint;
    s->drain |= !savepoint;
    return s;
}

/* ---- EXPLAIN, INSERT, jobs, PRINT, INFER ---- */

struct wr_stmt *wr_b_explain(struct wr_parse *p, struct wr_token *t, bool analyze, struct wr_ast_option *options, struct wr_stmt *inner,
                             struct wr_ast_name *job)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_EXPLAIN, t);
    s->analyze = analyze;
    s->inner = inner ? wr_b_end(p, inner) : NULL;
    s->name = job;
    while (options) { /* EXPLAIN (ANALYZE) is EXPLAIN ANALYZE */
        struct wr_ast_option *o = options;
        options = o->next;
        o->next = NULL;
        wr_b_head(o)->last = NULL;
        if (wr_str_ieq_c(o->key, "analyze") && (wr_str_ieq_c(o->value, "true") || wr_str_ieq_c(o->value, "on")))
            s->analyze = true;
        else
            s->options = s->options ? WR_APPEND(s->options, o) : o;
    }
    return s;
}

struct wr_stmt *wr_b_insert(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *into, struct wr_ast_name *columns, struct wr_ast_select *q)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_INSERT, t);
    s->name = into;
    s->names = columns;
    s->select = q;
    wr_b_limit(p, columns, "a list of columns", t->off);
    return s;
}

struct wr_stmt *wr_b_statement_set(struct wr_parse *p, struct wr_token *t, struct wr_stmt *list, struct wr_token *z)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_STATEMENT_SET, t);
    s->inner = list;
    s->end = z->end;
    return s;
}

struct wr_stmt *wr_b_print(struct wr_parse *p, struct wr_token *t, struct wr_token *topic, bool beginning, struct wr_ast_expr *limit,
                           struct wr_ast_option *options)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_PRINT, t);
    s->text = topic->text;
    s->text_off = topic->off;
    s->from_beginning = beginning;
    s->limit = limit;
    s->options = options;
    return s;
}

struct wr_stmt *wr_b_infer(struct wr_parse *p, struct wr_token *t, struct wr_token *from, struct wr_ast_option *options)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_INFER, t);
    s->text = from->text;
    s->text_off = from->off;
    s->options = options;
    return s;
}

struct wr_stmt *wr_b_submit(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *job, struct wr_stmt *inner)
{
    struct wr_stmt *s = wr_b_stmt(p, WR_S_SUBMIT, t);
    bool query = inner->kind == WR_S_CREATE_SINK && (inner->select || inner->from);
    if (inner->kind != WR_S_INSERT && inner->kind != WR_S_SELECT && inner->kind != WR_S_STATEMENT_SET && !query)
        wr_b_fail(p, inner->off, "a job is an INSERT, a SELECT, a statement set or CREATE SINK .. AS SELECT");
    s->name = job;
    s->inner = wr_b_end(p, inner);
    return s;
}

/* ast_query.c: builders of queries and what FROM holds, called by the grammar.
 * Rules:  as ast.c. What may be given once only is checked here, so that the grammar can take clauses in any order.
 * Memory: the statement's arena. */
#include "parser/internal.h"

#include "grammar.h"

static void twice(struct wr_parse *p, int32_t off, const char *what)
{
    wr_b_fail(p, off, "%s is given twice", what);
}

/* ---- clauses behind a whole query ---- */

/* Joins two tails; t NULL: item alone. first: the token that item begins with. */
struct wr_tail *wr_b_tail(struct wr_parse *p, struct wr_tail *t, const struct wr_tail *item, struct wr_token *first)
{
    int32_t off = first ? first->off : item->off;
    if (!t) {
        t = wr_b_node(p, sizeof *t);
        t->off = off;
    }
    if (item->order && t->order)
        twice(p, off, "ORDER BY");
    if (item->limited && t->limited)
        twice(p, off, "LIMIT");
    if (item->offset && t->offset)
        twice(p, off, "OFFSET");
    if (item->watermark && t->watermark)
        twice(p, off, "WITH WATERMARK");
    if (item->emit && t->emit)
        twice(p, off, "EMIT");
    t->order = item->order ? item->order : t->order;
    t->limit = item->limit ? item->limit : t->limit;
    t->limited |= item->limited;
    t->offset = item->offset ? item->offset : t->offset;
    t->watermark = item->watermark ? item->watermark : t->watermark;
    t->emit = item->emit ? item->emit : t->emit;
    t->end = p->tok[p->at - 1].end;
    return t;
}

static struct wr_ast_select *new_select(struct wr_parse *p, int32_t off, int32_t end)
{
    struct wr_ast_select *s = wr_b_node(p, sizeof *s);
    s->off = off;
    s->end = end;
    return s;
}

/* SELECT * FROM (q): so that q can keep its own ORDER BY, LIMIT ... and get others around it. */
static struct wr_ast_select *wrap(struct wr_parse *p, struct wr_ast_select *q)
{
    struct wr_ast_select *s = new_select(p, q->off, q->end);
    struct wr_ast_expr *star = wr_b_node(p, sizeof *star);
    star->kind = WR_E_STAR;
    star->off = star->end = q->off;
    s->items = wr_b_item(p, star, NULL);
    return wr_b_from(p, s, wr_b_table_query(p, q, NULL));
}

struct wr_ast_select *wr_b_query(struct wr_parse *p, struct wr_token *with, struct wr_ast_cte *ctes, struct wr_ast_select *q, struct wr_tail *tail)
{
    bool ends = q->order || q->limit || q->offset || q->watermark || q->emit;
    if (wr_b_head(q)->paren && (ends || q->with) && (tail || with))
        q = wrap(p, q);
    if (with) {
        q->with = ctes;
        q->off = with->off;
        wr_b_over(p, q, ctes);
    }
    if (!tail)
        return q;
    if (tail->watermark && q->watermark)
        twice(p, tail->watermark->off, "WITH WATERMARK");
    q->order = tail->order;
    q->limit = tail->limit;
    q->offset = tail->offset;
    q->emit = tail->emit;
    q->watermark = tail->watermark ? tail->watermark : q->watermark;
    q->end = tail->end;
    wr_b_head(q)->paren = false;
    wr_b_over(p, q, tail->order);
    wr_b_over(p, q, tail->limit);
    wr_b_over(p, q, tail->offset);
    return q;
}

struct wr_ast_select *wr_b_query_paren(struct wr_parse *p, struct wr_token *t, struct wr_ast_select *q, struct wr_token *z)
{
    (void)p;
    wr_b_head(q)->paren = true;
    q->off = t->off;
    q->end = z->end;
    return q;
}

struct wr_ast_watermark *wr_b_watermark(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *delay, struct wr_ast_expr *idle,
                                        struct wr_ast_expr *lateness)
{
    struct wr_ast_watermark *w = wr_b_node(p, sizeof *w);
    w->delay = delay;
    w->idle = idle;
    w->lateness = lateness;
    w->off = t->off;
    w->end = lateness ? lateness->end : idle ? idle->end : delay->end;
    return w;
}

struct wr_ast_emit *wr_b_emit(struct wr_parse *p, struct wr_token *t, enum wr_ast_emit_kind kind, struct wr_ast_expr *every, struct wr_ast_expr *delay,
                              struct wr_token *z)
{
    struct wr_ast_emit *e = wr_b_node(p, sizeof *e);
    e->kind = kind;
    e->every = every;
    e->delay = delay;
    e->off = t->off;
    e->end = z ? z->end : every ? every->end : delay->end;
    return e;
}

/* ---- SELECT, VALUES, UNION ---- */

struct wr_ast_select *wr_b_setop(struct wr_parse *p, struct wr_ast_select *l, enum wr_ast_setop op, bool all, struct wr_ast_select *r)
{
    struct wr_ast_select *s = new_select(p, l->off, r->end);
    s->op = op;
    s->all = all;
    s->left = l;
    s->right = r;
    wr_b_chain(p, s, l);
    wr_b_over(p, s, r);
    return s;
}

struct wr_ast_select *wr_b_select(struct wr_parse *p, struct wr_token *t, bool distinct, struct wr_ast_item *items)
{
    struct wr_ast_select *s = new_select(p, t->off, p->tok[p->at - 1].end);
    s->distinct = distinct;
    s->items = items;
    wr_b_over(p, s, items);
    wr_b_limit(p, items, "a select list with items", t->off);
    return s;
}

struct wr_ast_item *wr_b_item(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_name *alias)
{
    struct wr_ast_item *i = wr_b_node(p, sizeof *i);
    i->expr = e;
    i->alias = alias;
    wr_b_over(p, i, e);
    return i;
}

struct wr_ast_select *wr_b_from(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_table *from)
{
    s->from = from;
    s->end = from->end;
    wr_b_over(p, s, from);
    return s;
}

struct wr_ast_select *wr_b_clause(struct wr_parse *p, struct wr_ast_select *s, enum wr_clause c, struct wr_ast_expr *e)
{
    switch (c) {
    case WR_CLAUSE_WHERE: s->where = e; break;
    case WR_CLAUSE_HAVING: s->having = e; break;
    case WR_CLAUSE_QUALIFY: s->qualify = e; break;
    }
    s->end = e->end;
    wr_b_over(p, s, e);
    return s;
}

/* z: the ")" of GROUP BY () */
struct wr_ast_select *wr_b_group_by(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_group *group, struct wr_token *z)
{
    s->group = group;
    s->group_all = z != NULL;
    s->end = p->tok[p->at - 1].end;
    wr_b_over(p, s, group);
    wr_b_limit(p, group, "GROUP BY with items", s->off);
    return s;
}

struct wr_ast_select *wr_b_windows(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_window_def *w)
{
    s->windows = w;
    s->end = p->tok[p->at - 1].end;
    wr_b_over(p, s, w);
    return s;
}

struct wr_ast_select *wr_b_select_wm(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_watermark *w)
{
    if (s->watermark)
        twice(p, w->off, "WITH WATERMARK");
    s->watermark = w;
    s->end = w->end;
    return s;
}

struct wr_ast_select *wr_b_values(struct wr_parse *p, struct wr_token *t, struct wr_ast_row *rows)
{
    struct wr_ast_select *s = new_select(p, t->off, p->tok[p->at - 1].end);
    s->values = rows;
    wr_b_over(p, s, rows);
    return s;
}

struct wr_ast_row *wr_b_row(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *cells, struct wr_token *z)
{
    struct wr_ast_row *r = wr_b_node(p, sizeof *r);
    (void)z;
    r->cells = cells;
    r->off = t->off;
    wr_b_over(p, r, cells);
    wr_b_limit(p, cells, "a row with columns", t->off);
    return r;
}

struct wr_ast_cte *wr_b_cte(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_name *columns, struct wr_ast_select *q)
{
    struct wr_ast_cte *c = wr_b_node(p, sizeof *c);
    c->name = name;
    c->columns = columns;
    c->select = q;
    wr_b_over(p, c, q);
    return c;
}

/* ---- GROUP BY, WINDOW ---- */

static bool is_plain_call(const struct wr_ast_expr *e, const char *name)
{
    return e->kind == WR_E_CALL && !e->name->quoted && !e->name->next && wr_str_eq_c(e->name->text, name) && e->args && !e->flag && !e->order &&
           !e->filter && !e->over;
}

struct wr_ast_group *wr_b_group(struct wr_parse *p, struct wr_ast_expr *e)
{
    struct wr_ast_group *g = wr_b_node(p, sizeof *g);
    g->off = e->off;
    g->kind = is_plain_call(e, "rollup") ? WR_G_ROLLUP : is_plain_call(e, "cube") ? WR_G_CUBE : WR_G_EXPR;
    if (g->kind == WR_G_EXPR)
        g->expr = e;
    else
        g->args = e->args;
    wr_b_over(p, g, e);
    return g;
}

struct wr_ast_group *wr_b_group_sets(struct wr_parse *p, struct wr_token *t, struct wr_ast_group *sets)
{
    struct wr_ast_group *g = wr_b_node(p, sizeof *g);
    g->kind = WR_G_SETS;
    g->off = t->off;
    g->sets = sets;
    wr_b_over(p, g, sets);
    return g;
}

/* A member of GROUPING SETS: a, (a), (a, b) and () all become a ROW. g NULL: (), from t to z. */
struct wr_ast_group *wr_b_group_set(struct wr_parse *p, struct wr_ast_group *g, struct wr_token *t, struct wr_token *z)
{
    if (!g) {
        g = wr_b_node(p, sizeof *g);
        g->kind = WR_G_EXPR;
        g->off = t->off;
        g->expr = wr_b_list(p, WR_E_ROW, t, NULL, z);
        return g;
    }
    if (g->kind != WR_G_EXPR || g->expr->kind == WR_E_ROW)
        return g;
    struct wr_ast_expr *row = wr_b_node(p, sizeof *row);
    row->kind = WR_E_ROW;
    row->off = g->expr->off;
    row->end = g->expr->end;
    row->args = g->expr;
    wr_b_over(p, row, g->expr);
    g->expr = row;
    wr_b_over(p, g, row);
    return g;
}

struct wr_ast_window_def *wr_b_window_def(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_over *over)
{
    struct wr_ast_window_def *w = wr_b_node(p, sizeof *w);
    w->name = name;
    w->over = over;
    wr_b_over(p, w, over);
    return w;
}

/* ---- FROM ---- */

static struct wr_ast_table *table(struct wr_parse *p, enum wr_ast_tkind kind, int32_t off, int32_t end)
{
    struct wr_ast_table *t = wr_b_node(p, sizeof *t);
    t->kind = kind;
    t->off = off;
    t->end = end;
    return t;
}

struct wr_ast_table *wr_b_table_name(struct wr_parse *p, struct wr_ast_name *path)
{
    const struct wr_ast_name *last = wr_b_head(path)->last ? wr_b_head(path)->last : path;
    struct wr_ast_table *t = table(p, WR_F_NAME, path->off, last->end);
    t->name = path;
    return t;
}

struct wr_ast_table *wr_b_table_query(struct wr_parse *p, struct wr_ast_select *q, struct wr_token *lateral)
{
    bool rows = q->values && !q->with && !q->order && !q->limit && !q->offset && !q->watermark && !q->emit;
    struct wr_ast_table *t = table(p, rows ? WR_F_VALUES : WR_F_SELECT, lateral ? lateral->off : q->off, q->end);
    t->select = q;
    t->lateral = lateral != NULL;
    wr_b_over(p, t, q);
    return t;
}

struct wr_ast_table *wr_b_table_call(struct wr_parse *p, struct wr_ast_name *path, struct wr_ast_expr *args, struct wr_token *lateral, struct wr_token *z)
{
    struct wr_ast_table *t = table(p, WR_F_FUNCTION, lateral ? lateral->off : path->off, z->end);
    struct wr_ast_expr *call = wr_b_node(p, sizeof *call);
    call->kind = WR_E_CALL;
    call->name = path;
    call->args = args;
    call->off = path->off;
    call->end = z->end;
    t->call = call;
    t->lateral = lateral != NULL;
    wr_b_over(p, call, args);
    wr_b_over(p, t, call);
    return t;
}

static struct wr_ast_table *longer(struct wr_parse *p, struct wr_ast_table *t)
{
    t->end = p->tok[p->at - 1].end;
    return t;
}

/* A join in parentheses is not one table: it can have no alias, no time. */
static bool one_table(struct wr_parse *p, const struct wr_ast_table *t, int32_t off, const char *what)
{
    if (t->kind == WR_F_JOIN)
        wr_b_refuse(p, off, what, "put the join into a subquery: (SELECT * FROM a JOIN b ON ..)");
    return t->kind != WR_F_JOIN;
}

struct wr_ast_table *wr_b_table_alias(struct wr_parse *p, struct wr_ast_table *t, struct wr_ast_name *alias, struct wr_ast_name *columns, struct wr_token *z)
{
    if (!one_table(p, t, alias->off, "an alias for a join"))
        return t;
    if (t->alias)
        twice(p, alias->off, "the alias of a table");
    t->alias = alias;
    t->columns = columns;
    t->end = z ? z->end : alias->end;
    return t;
}

struct wr_ast_table *wr_b_table_ordinality(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at)
{
    if (t->kind != WR_F_FUNCTION)
        wr_b_fail(p, at->off, "WITH ORDINALITY needs a table function before it");
    else if (t->ordinality)
        twice(p, at->off, "WITH ORDINALITY");
    t->ordinality = true;
    return longer(p, t);
}

struct wr_ast_table *wr_b_table_as_of(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at, struct wr_ast_expr *e)
{
    if (!one_table(p, t, at->off, "FOR SYSTEM_TIME behind a join"))
        return t;
    if (t->as_of)
        twice(p, at->off, "FOR SYSTEM_TIME");
    t->as_of = e;
    wr_b_over(p, t, e);
    return longer(p, t);
}

struct wr_ast_table *wr_b_table_wm(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at, struct wr_ast_expr *col, struct wr_ast_expr *delay)
{
    if (!one_table(p, t, at->off, "WATERMARK behind a join"))
        return t;
    if (t->watermark)
        twice(p, at->off, "WATERMARK");
    t->watermark = wr_b_watermark(p, at, delay, NULL, NULL);
    t->watermark->column = col;
    wr_b_over(p, t, col);
    return longer(p, t);
}

struct wr_ast_table *wr_b_table_paren(struct wr_parse *p, struct wr_token *t, struct wr_ast_table *in, struct wr_token *z)
{
    wr_b_head(in)->paren = true;
    in->off = t->off;
    in->end = z->end;
    (void)p;
    return in;
}

struct wr_ast_table *wr_b_join(struct wr_parse *p, struct wr_ast_table *l, enum wr_ast_join how, bool natural, struct wr_ast_table *r,
                               struct wr_ast_expr *on, struct wr_ast_name *cols)
{
    struct wr_ast_table *t = table(p, WR_F_JOIN, l->off, p->tok[p->at - 1].end);
    t->join = how;
    t->natural = natural;
    t->left = l;
    t->right = r;
    t->on = on;
    t->using_cols = cols;
    wr_b_chain(p, t, l);
    wr_b_over(p, t, r);
    wr_b_over(p, t, on);
    return t;
}

/* ---- MATCH_RECOGNIZE ---- */

struct wr_ast_match *wr_b_match(struct wr_parse *p, struct wr_token *t)
{
    struct wr_ast_match *m = wr_b_node(p, sizeof *m);
    m->off = t ? t->off : p->tok[p->at].off;
    return m;
}

struct wr_ast_match *wr_b_match_done(struct wr_parse *p, struct wr_ast_match *m, struct wr_token *t, struct wr_ast_pattern *pat, struct wr_ast_expr *within,
                                     struct wr_ast_named_expr *define)
{
    (void)t;
    m->pattern = pat;
    m->within = within;
    m->define = define;
    m->end = p->tok[p->at - 1].end;
    wr_b_over(p, m, m->partition);
    wr_b_over(p, m, m->order);
    wr_b_over(p, m, m->measures);
    wr_b_over(p, m, pat);
    wr_b_over(p, m, define);
    return m;
}

struct wr_ast_table *wr_b_table_match(struct wr_parse *p, struct wr_ast_table *in, struct wr_token *at, struct wr_ast_match *m, struct wr_token *z)
{
    struct wr_ast_table *t = table(p, WR_F_MATCH, in->off, z->end);
    one_table(p, in, at->off, "MATCH_RECOGNIZE behind a join");
    t->left = in;
    t->match = m;
    wr_b_over(p, t, in);
    wr_b_over(p, t, m);
    return t;
}

struct wr_ast_named_expr *wr_b_named_expr(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_expr *e)
{
    struct wr_ast_named_expr *n = wr_b_node(p, sizeof *n);
    n->name = name;
    n->expr = e;
    wr_b_over(p, n, e);
    return n;
}

struct wr_ast_pattern *wr_b_pattern_var(struct wr_parse *p, struct wr_ast_name *name)
{
    struct wr_ast_pattern *v = wr_b_node(p, sizeof *v);
    v->kind = WR_PAT_VAR;
    v->var = name;
    v->off = name->off;
    return v;
}

/* A B C is one sequence of three, A | B | C one choice. */
struct wr_ast_pattern *wr_b_pattern(struct wr_parse *p, enum wr_ast_pkind kind, struct wr_ast_pattern *list, struct wr_ast_pattern *more)
{
    struct wr_ast_pattern *whole = list;
    if (list->kind != kind || wr_b_head(list)->paren) {
        whole = wr_b_node(p, sizeof *whole);
        whole->kind = kind;
        whole->off = list->off;
        whole->sub = list;
    }
    whole->sub = WR_APPEND(whole->sub, more);
    wr_b_over(p, whole, whole->sub);
    return whole;
}

struct wr_ast_pattern *wr_b_repeat(struct wr_parse *p, struct wr_ast_pattern *sub, int32_t min, int32_t max, struct wr_token *reluctant)
{
    struct wr_ast_pattern *r = wr_b_node(p, sizeof *r);
    r->kind = WR_PAT_REPEAT;
    r->off = sub->off;
    r->sub = sub;
    r->min = min;
    r->max = max;
    r->reluctant = reluctant != NULL;
    if (max >= 0 && (max < min || max == 0))
        wr_b_fail(p, sub->off, "a pattern repeated %d to %d times", min, max);
    wr_b_over(p, r, sub);
    return r;
}

/* sub.h: subqueries in expressions: bind_sub.c reads them, bind_sub_join.c makes joins of them.
 *
 *   WHERE [NOT] EXISTS, [NOT] IN as a condition of its own   semi and anti joins
 *   the same inside other expressions, and scalar subqueries a left join with what the subquery comes to for each row; while the expression is bound its
 *                                                            value is the column COL_SUB + its number
 *
 * Correlation: a name that FROM of the subquery does not have may be a column of the query directly around it, COL_OUTER + its column. Conditions of
 * the subquery's WHERE that look at such columns leave it and become conditions of the join; what they look at inside becomes columns behind the
 * subquery's own, and keys of its groups. Where only equalities will do (aggregates, values), and for names elsewhere than in WHERE or of queries further
 * out, the subquery is joined with the values they can have (bind_domain.c). */
#ifndef WR_PLANNER_SUB_H
#define WR_PLANNER_SUB_H

#include "planner/bind.h"

/* The query around, as a subquery's clauses see it, and what they say about it. */
struct outer {
    const struct rel *rel;        /* its FROM */
    struct outer *up;             /* the one around that */
    struct rel *grow;             /* the same FROM, while WHERE is read: it can get columns of queries further out; NULL: it cannot */
    bool values;                  /* the subquery's own columns are asked for; false: EXISTS */
    bool any;                     /* it may be tied by any condition: a semi or anti join, LATERAL */
    int n_cond, cap_cond;
    struct wr_expr **cond;        /* over COL_OUTER + column, and, after wr_outer_columns, over extra columns 0 .. n_extra - 1 */
    int n_extra, cap_extra;
    struct wr_expr **extra;       /* over the subquery's FROM; then its last columns */
    struct wr_str *name;          /* theirs, for EXPLAIN */
    bool one;                     /* aggregates without GROUP BY: a row even over nothing */
    struct wr_expr *empty;        /* `one`: the value of the first column over nothing; NULL: it is not known (HAVING) */
    struct wr_expr **empties;     /* the same for each column */
};

/* A bound subquery: its columns, then the extra ones. */
struct subquery {
    struct wr_plan *plan;
    int n_val;
    struct outer outer;
    int32_t off;
};
wr_status wr_sub_bind(struct xctx *x, const struct wr_ast_select *s, bool values, bool any, struct subquery *out);

/* Subqueries met while binding the expressions of one clause. */
enum subkind { SUB_SCALAR, SUB_EXISTS, SUB_IN, SUB_COMPARED };
struct sub {
    enum subkind kind;
    struct subquery q;            /* IN: the values */
    struct subquery again;        /* IN: the same once more, for its NULLs; plan NULL: they cannot matter */
    int n_left;
    struct wr_expr **left;        /* IN, COMPARED: over FROM */
    const char *op, *truth;       /* COMPARED, > ANY, <= ALL: with each row, and what of the result ("is_true") makes a pair */
    bool strict;                  /* rows for which the value is NULL are not wanted */
    struct wr_expr *value;        /* when joined: over the plan's columns */
};
struct subs { int n, cap; struct sub **of; };

/* What the expressions of the query around are over: FROM's columns (g NULL), or the aggregate's. */
struct lift { const struct grouping *g; const struct wr_plan *agg; };
wr_status wr_sub_lift(struct binder *b, const struct lift *l, struct wr_expr *x, struct wr_expr **out);

/* [NOT] IN as left columns and the subquery; types are made equal. direct: a condition of its own. again: bind it a second time. */
wr_status wr_sub_bind_in(struct xctx *x, const struct wr_ast_expr *e, bool direct, bool again, struct sub *s);
bool wr_sub_is_in(const struct wr_ast_expr *e, bool *negated); /* IN, = ANY, <> ALL with a query */

/* p joined with `right`, by what the subquery says of the query around; first: where its extra columns are on the right. */
wr_status wr_sub_tie(struct binder *b, const struct lift *l, enum wr_jkind kind, const struct subquery *q, struct wr_plan *right, int first, struct wr_plan *p,
                     struct wr_plan **out);
/* *p joined with the subquery; rows of *p with (anti: without) a partner stay. */
wr_status wr_sub_semi(struct binder *b, const struct lift *l, struct sub *s, bool anti, const struct env *env, struct wr_plan **p);
/* The rows for which NOT IN is true. */
wr_status wr_sub_not_in(struct binder *b, const struct lift *l, struct sub *s, const struct env *env, struct wr_plan **p);
/* *p joined with each subquery, its columns first as before; sets `value`. */
wr_status wr_subs_join(struct binder *b, const struct lift *l, struct subs *subs, const struct env *env, struct wr_plan **p);
/* Expressions with COL_SUB -> over the joined plan. */
struct wr_expr *wr_subs_place(struct binder *b, const struct subs *subs, const struct wr_expr *x);

/* ---- for bind.c, bind_expr.c ---- */

struct direct { struct sub s; bool anti; };
/* WHERE or HAVING: conditions without subqueries, [NOT] EXISTS and [NOT] IN, and all others. */
struct conditions {
    bool has_sub;
    struct wr_expr *plain;        /* NULL: none */
    int n_direct, n_mixed;
    struct direct *direct;
    struct wr_expr **mixed;
    struct subs subs;
};
wr_status wr_conditions_bind(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c);
/* The same in two steps: those without subqueries, then the others. */
wr_status wr_conditions_plain(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c);
wr_status wr_conditions_subs(struct xctx *x, const struct wr_ast_expr *e, struct conditions *c);
/* Those with subqueries: filters *p, whose joins are settled. */
wr_status wr_conditions_apply(struct binder *b, struct conditions *c, const struct lift *l, const struct env *env, struct wr_plan **p);
/* The subqueries of the select list. */
wr_status wr_subs_finish(struct binder *b, struct subs *subs, const struct lift *l, const struct env *env, struct wr_plan **p);
struct wr_plan *wr_first_columns(struct binder *b, struct wr_plan *p, int n);

wr_status wr_bind_subquery(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
/* *out NULL: no query around has such a column. */
wr_status wr_bind_outer_name(struct xctx *x, struct wr_str qual, struct wr_str name, int32_t off, struct wr_expr **out);
/* Takes the conjuncts of WHERE that look at the query around; what is left, NULL: nothing. */
struct wr_expr *wr_outer_take(struct binder *b, struct outer *o, struct wr_expr *pred);
bool wr_looks_out(const struct wr_expr *x);
/* After WHERE: names of the query around in the other clauses become columns of FROM; a domain where conditions are no equalities and have to be. */
wr_status wr_outer_settle(struct binder *b, const struct wr_ast_select *s, bool grouped, const struct env *env, struct rel *from);
/* Then: the extra columns. */
void wr_outer_columns(struct binder *b, struct outer *o, const struct rel *from);
/* bind_domain.c. FROM joined with the values of the columns around that the conditions name, and of column `want` (-1: none): *at is where that is. */
wr_status wr_outer_domain(struct binder *b, struct outer *o, struct rel *from, int want, int32_t off, const struct env *env, int *at);
wr_status wr_outer_import(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *from);
/* Columns of the query around in e become columns of x->from. */
wr_status wr_outer_inline(struct xctx *x, struct wr_expr *e, struct wr_expr **out);
/* After GROUP BY: they are keys. */
wr_status wr_outer_group(struct binder *b, struct outer *o, const struct wr_ast_select *s, struct grouping *g);
/* After the select list: its n columns. */
void wr_outer_empty(struct binder *b, struct outer *o, const struct wr_ast_select *s, const struct grouping *g, struct wr_expr *const *x, int n);

#endif

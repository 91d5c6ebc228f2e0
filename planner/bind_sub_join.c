/* bind_sub_join.c: subqueries as joins. See sub.h.
 *
 *   EXISTS, IN        semi join                     NOT EXISTS      anti join
 *   NOT IN            NULLs first: rows stay where the subquery gives nothing, or where neither the value nor any of its results is NULL;
 *                     then an anti join
 *   scalar            left join with its only row; of several rows single_row() makes an error when the value is looked at
 *   inside others     left join with its distinct rows: matched or not
 *
 * Rules:  the joined plan keeps the columns it had, in front. A scalar subquery over nothing is NULL, its count 0.
 * Memory: the jobplan's arena. */
#include "planner/sub.h"

#include <stdlib.h>

/* ---- conditions ---- */

wr_status wr_sub_lift(struct binder *b, const struct lift *l, struct wr_expr *x, struct wr_expr **out)
{
    if (l->g)
        return wr_regroup(b, l->g, l->agg, x, out);
    *out = wr_expr_copy(b->a, x);
    return WR_OK;
}

/* A condition over COL_OUTER and extra columns -> over both inputs; first: where the extra columns are on the right. */
static wr_status over_both(struct binder *b, const struct lift *l, const struct wr_expr *x, int n_left, int first, struct wr_expr **out)
{
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    *out = y;
    if (x->kind == WR_X_COL && x->u.col >= COL_OUTER) {
        y->u.col -= COL_OUTER;
        return wr_sub_lift(b, l, y, out);
    }
    if (x->kind == WR_X_COL)
        y->u.col += n_left + first;
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return WR_OK;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        WR_TRY(over_both(b, l, x->u.call.arg[i], n_left, first, &y->u.call.arg[i]));
    return WR_OK;
}

wr_status wr_sub_tie(struct binder *b, const struct lift *l, enum wr_jkind kind, const struct subquery *q, struct wr_plan *right, int first, struct wr_plan *p,
                     struct wr_plan **out)
{
    int n_left = p->out->n;
    struct wr_plan *j = wr_join_node(b, kind, p, right, q->off);
    for (int i = 0; i < q->outer.n_cond; i++) {
        struct wr_expr *cond;
        WR_TRY(over_both(b, l, q->outer.cond[i], n_left, first, &cond));
        wr_join_add(b, j, cond, n_left);
    }
    *out = j;
    return WR_OK;
}

/* left = the subquery's values. */
static wr_status tie_values(struct binder *b, const struct lift *l, const struct sub *s, int n_left, const struct wr_plan *right, struct wr_plan *j)
{
    for (int i = 0; i < s->n_left; i++) {
        const struct wr_field *f = &right->out->field[i];
        struct wr_expr *arg[2], *eq;
        WR_TRY(wr_sub_lift(b, l, s->left[i], &arg[0]));
        arg[1] = wr_expr_col(b->a, n_left + i, f->type, f->nullable, s->left[i]->off);
        WR_TRY(wr_bind_fn(b, "=", arg, 2, s->left[i]->off, &eq));
        wr_join_add(b, j, eq, n_left);
    }
    return WR_OK;
}

/* > ANY, <= ALL: left compared with the subquery's value */
static wr_status tie_compared(struct binder *b, const struct lift *l, const struct sub *s, int n_left, struct wr_plan *j)
{
    const struct wr_field *f = &s->q.plan->out->field[0];
    struct wr_expr *arg[2], *x;
    WR_TRY(wr_sub_lift(b, l, s->left[0], &arg[0]));
    arg[1] = wr_expr_col(b->a, n_left, f->type, f->nullable, s->q.off);
    WR_TRY(wr_bind_fn(b, s->op, arg, 2, s->left[0]->off, &x));
    if (strcmp(s->truth, "is_true") != 0) /* a condition that is not true makes no pair anyway */
        WR_TRY(wr_bind_fn(b, s->truth, &x, 1, s->left[0]->off, &x));
    wr_join_add(b, j, x, n_left);
    return WR_OK;
}

/* ---- semi, anti ---- */

wr_status wr_sub_semi(struct binder *b, const struct lift *l, struct sub *s, bool anti, const struct env *env, struct wr_plan **p)
{
    struct wr_plan *j, *right = s->q.plan;
    int n_left = (*p)->out->n;
    WR_TRY(wr_sub_tie(b, l, anti ? WR_J_ANTI : WR_J_SEMI, &s->q, right, s->q.n_val, *p, &j));
    if (s->kind == SUB_IN)
        WR_TRY(tie_values(b, l, s, n_left, right, j));
    if (s->kind == SUB_COMPARED)
        WR_TRY(tie_compared(b, l, s, n_left, j));
    *p = j;
    return wr_join_settle_one(b, j, env);
}

/* ---- aggregates of a subquery ---- */

static struct wr_expr *null_of(struct binder *b, struct wr_type t)
{
    return wr_expr_const(b->a, (struct wr_value){.type = t, .null = true}, -1);
}

static struct wr_expr *yes(struct binder *b, bool v)
{
    return wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = v}, -1);
}

static struct wr_expr *case_of(struct binder *b, struct wr_expr **arg, int n, struct wr_type type)
{
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = (struct wr_expr){.kind = WR_X_CASE, .type = type, .nullable = true, .off = -1};
    y->u.call.n = n;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    memcpy(y->u.call.arg, arg, sizeof(*arg) * (size_t)n);
    return y;
}

static wr_status add_agg(struct binder *b, struct grouping *g, const char *fn, struct wr_expr *arg)
{
    struct aggref *r = &g->agg[g->n_agg++];
    *r = (struct aggref){.call = {.fn = wr_agg_find(wr_str_c(fn)), .filter = -1, .retract = g->from->plan->updating, .mem = b->a, .off = -1}};
    if (arg) {
        r->arg[0] = arg;
        r->call.n_arg = 1;
        r->call.arg_type[0] = arg->type;
    }
    return wr_aggcall_bind(&r->call, b->err);
}

static struct grouping by_extra(struct binder *b, const struct subquery *q, const struct rel *rel)
{
    int n = q->outer.n_extra;
    struct grouping g = {.from = rel, .key = WR_NEW_N(b->a, struct wr_expr *, n + 1), .agg = WR_NEW_N(b->a, struct aggref, 3), .start_key = -1, .end_key = -1};
    for (; g.n_key < n; g.n_key++) {
        int col = q->n_val + g.n_key;
        g.key[g.n_key] = wr_col_of(b->a, q->plan->out, col, -1);
        if (col == q->plan->win_end)
            g.end_key = g.n_key;
        else if (col == q->plan->win_start)
            g.start_key = g.n_key;
    }
    g.attached = g.end_key >= 0; /* groups of a window go with it */
    return g;
}

/* Extra columns, then TRUE if there is a row, then (nulls) TRUE if there is a NULL among its values. */
static wr_status whether(struct binder *b, const struct subquery *q, bool nulls, const struct env *env, struct wr_plan **out)
{
    struct rel rel = wr_rel_of(b, q->plan, (struct wr_str){0});
    struct grouping g = by_extra(b, q, &rel);
    WR_TRY(add_agg(b, &g, "bool_or", yes(b, true)));
    if (nulls) {
        struct wr_expr *v = wr_col_of(b->a, q->plan->out, 0, -1), *arg[2];
        WR_TRY(wr_bind_fn(b, "is_null", &v, 1, -1, &arg[0]));
        arg[1] = yes(b, true);
        WR_TRY(add_agg(b, &g, "bool_or", case_of(b, arg, 2, WR_TYPE_OF(BOOL))));
    }
    return wr_agg_build(b, &g, &env->cl, out);
}

static struct wr_expr *right_col(struct binder *b, const struct wr_plan *j, int n_left, int col)
{
    return wr_col_of(b->a, j->out, n_left + col, -1);
}

static wr_status is_null(struct binder *b, struct wr_expr *x, bool null, struct wr_expr **out)
{
    return wr_bind_fn(b, null ? "is_null" : "is_not_null", &x, 1, -1, out);
}

static struct wr_expr *logic(struct binder *b, enum wr_xkind kind, struct wr_expr *x, struct wr_expr *y)
{
    struct wr_expr *z = WR_NEW(b->a, struct wr_expr);
    *z = (struct wr_expr){.kind = kind, .type = WR_TYPE_OF(BOOL), .nullable = x->nullable || y->nullable, .off = -1};
    z->u.call.n = 2;
    z->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, 2);
    z->u.call.arg[0] = x;
    z->u.call.arg[1] = y;
    return z;
}

struct wr_plan *wr_first_columns(struct binder *b, struct wr_plan *p, int n)
{
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, p->out, i, -1);
        name[i] = p->out->field[i].name;
    }
    return wr_bind_made(b, wr_node_project(b->a, p, n, expr, name));
}

/* ---- NOT IN ---- */

static wr_status one_value(struct binder *b, const struct sub *s)
{
    if (s->n_left == 1)
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, s->q.off, "NOT IN, or IN inside another expression, of several values that may be NULL");
    wr_hint(b->err, "write [NOT] EXISTS (SELECT ... WHERE a = x AND b = y)");
    return WR_ESQL;
}

/* Leaves the rows for which NULLs do not make NOT IN unknown. */
static wr_status without_nulls(struct binder *b, const struct lift *l, struct sub *s, const struct env *env, struct wr_plan **p)
{
    struct wr_plan *w, *j;
    int n = (*p)->out->n, n_extra = s->again.outer.n_extra;
    struct wr_expr *v, *none, *left, *clean;
    WR_TRY(one_value(b, s));
    WR_TRY(whether(b, &s->again, true, env, &w));
    WR_TRY(wr_sub_tie(b, l, WR_J_LEFT, &s->again, w, 0, *p, &j));
    WR_TRY(is_null(b, right_col(b, j, n, n_extra), true, &none));
    WR_TRY(is_null(b, right_col(b, j, n, n_extra + 1), true, &clean));
    WR_TRY(wr_join_settle_one(b, j, env));
    WR_TRY(wr_sub_lift(b, l, s->left[0], &v));
    WR_TRY(is_null(b, v, false, &left));
    *p = wr_first_columns(b, wr_bind_made(b, wr_node_filter(b->a, j, logic(b, WR_X_OR, none, logic(b, WR_X_AND, left, clean)))), n);
    return WR_OK;
}

wr_status wr_sub_not_in(struct binder *b, const struct lift *l, struct sub *s, const struct env *env, struct wr_plan **p)
{
    if (s->again.plan)
        WR_TRY(without_nulls(b, l, s, env, p));
    return wr_sub_semi(b, l, s, true, env, p);
}

/* ---- values ---- */

static wr_status join_exists(struct binder *b, const struct lift *l, struct sub *s, const struct env *env, struct wr_plan **p)
{
    struct wr_plan *w, *j;
    int n = (*p)->out->n;
    if (s->q.outer.empty) { /* aggregates without GROUP BY: there is always a row */
        s->value = yes(b, true);
        return WR_OK;
    }
    WR_TRY(whether(b, &s->q, false, env, &w));
    WR_TRY(wr_sub_tie(b, l, WR_J_LEFT, &s->q, w, 0, *p, &j));
    *p = j;
    return is_null(b, right_col(b, j, n, s->q.outer.n_extra), false, &s->value);
}

static wr_status join_in(struct binder *b, const struct lift *l, struct sub *s, const struct env *env, struct wr_plan **p)
{
    struct wr_plan *d, *w, *j;
    struct rel rel = wr_rel_of(b, s->q.plan, (struct wr_str){0});
    int n = (*p)->out->n;
    struct wr_expr *arg[7], *x;
    WR_TRY(wr_distinct_build(b, &rel, &env->cl, &d));
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, d->out->n + 2);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, d->out->n + 2);
    for (int i = 0; i < d->out->n; i++) {
        expr[i] = wr_col_of(b->a, d->out, i, -1);
        name[i] = d->out->field[i].name;
    }
    expr[d->out->n] = yes(b, true);
    name[d->out->n] = WR_STR("matched");
    int mark = d->out->n;
    d = wr_bind_made(b, wr_node_project(b->a, d, mark + 1, expr, name));
    WR_TRY(wr_sub_tie(b, l, WR_J_LEFT, &s->q, d, s->q.n_val, *p, &j));
    WR_TRY(tie_values(b, l, s, n, d, j));
    WR_TRY(is_null(b, right_col(b, j, n, mark), false, &s->value));
    *p = j;
    if (!s->again.plan)
        return WR_OK;
    WR_TRY(one_value(b, s));
    WR_TRY(whether(b, &s->again, true, env, &w));
    WR_TRY(wr_join_settle_one(b, j, env));
    int m = j->out->n;
    WR_TRY(wr_sub_tie(b, l, WR_J_LEFT, &s->again, w, 0, j, &j));
    *p = j;
    /* matched -> true; nothing there -> false; a NULL on either side -> unknown; else false */
    arg[0] = s->value;
    arg[1] = yes(b, true);
    WR_TRY(is_null(b, right_col(b, j, m, s->again.outer.n_extra), true, &arg[2]));
    arg[3] = yes(b, false);
    WR_TRY(wr_sub_lift(b, l, s->left[0], &x));
    WR_TRY(is_null(b, x, true, &x));
    WR_TRY(is_null(b, right_col(b, j, m, s->again.outer.n_extra + 1), false, &arg[4]));
    arg[4] = logic(b, WR_X_OR, x, arg[4]);
    arg[5] = null_of(b, WR_TYPE_OF(BOOL));
    arg[6] = yes(b, false);
    s->value = case_of(b, arg, 7, WR_TYPE_OF(BOOL));
    return WR_OK;
}

/* Does the subquery give at most one row for each row around? */
static bool at_most_one(const struct subquery *q)
{
    if (q->plan->kind == WR_PLAN_LIMIT && q->plan->u.limit.limit == 1 && q->outer.n_extra == 0)
        return true;
    int *col = wr_malloc(sizeof *col * (size_t)(q->outer.n_extra + 1));
    for (int i = 0; i < q->outer.n_extra; i++)
        col[i] = q->n_val + i;
    bool one = q->outer.n_extra ? wr_node_unique(q->plan, col, q->outer.n_extra) : q->plan->n_ukey == 0;
    free(col);
    return one;
}

/* Value, mark, extra columns: one row for each value of the extra columns. mark: TRUE, or the number of rows when that may be more than one. */
static wr_status scalar_rows(struct binder *b, const struct subquery *q, const struct env *env, bool counted, struct wr_plan **out)
{
    struct wr_plan *p = q->plan;
    int n_extra = q->outer.n_extra;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n_extra + 3);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n_extra + 3);
    if (counted) {
        struct rel rel = wr_rel_of(b, p, (struct wr_str){0});
        struct grouping g = by_extra(b, q, &rel);
        WR_TRY(add_agg(b, &g, "any_value", wr_col_of(b->a, p->out, 0, -1)));
        WR_TRY(add_agg(b, &g, "count", NULL));
        WR_TRY(wr_agg_build(b, &g, &env->cl, &p));
    }
    expr[0] = wr_col_of(b->a, p->out, counted ? n_extra : 0, -1);
    expr[1] = counted ? wr_col_of(b->a, p->out, n_extra + 1, -1) : yes(b, true);
    name[0] = q->plan->out->field[0].name;
    name[1] = WR_STR("rows");
    for (int i = 0; i < n_extra; i++) {
        expr[2 + i] = wr_col_of(b->a, p->out, counted ? i : q->n_val + i, -1);
        name[2 + i] = WR_STR("key");
    }
    *out = wr_bind_made(b, wr_node_project(b->a, p, n_extra + 2, expr, name));
    return WR_OK;
}

static wr_status join_scalar(struct binder *b, const struct lift *l, struct sub *s, const struct env *env, struct wr_plan **p)
{
    const struct outer *o = &s->q.outer;
    struct wr_plan *r, *j;
    int n = (*p)->out->n;
    bool counted = !at_most_one(&s->q), sure = o->empty && o->n_cond == 0 && s->q.plan->bounded;
    bool null_when_empty = !o->empty || (o->empty->kind == WR_X_CONST && o->empty->u.val.null);
    WR_TRY(scalar_rows(b, &s->q, env, counted, &r));
    WR_TRY(wr_sub_tie(b, l, sure || (s->strict && null_when_empty) ? WR_J_INNER : WR_J_LEFT, &s->q, r, 2, *p, &j));
    *p = j;
    s->value = right_col(b, j, n, 0);
    if (counted) {
        struct wr_expr *mark = right_col(b, j, n, 1), *arg[2] = {NULL, s->value};
        mark->off = s->q.off;
        WR_TRY(wr_bind_fn(b, "single_row", &mark, 1, s->q.off, &arg[0]));
        s->value = case_of(b, arg, 2, s->value->type);
    } else if (!null_when_empty && !sure) {
        struct wr_expr *arg[3] = {NULL, s->value, o->empty};
        WR_TRY(is_null(b, right_col(b, j, n, 1), false, &arg[0]));
        WR_TRY(wr_expr_cast(b->a, arg[2], s->value->type, true, &arg[2], b->err));
        s->value = case_of(b, arg, 3, s->value->type);
    }
    return WR_OK;
}

wr_status wr_subs_join(struct binder *b, const struct lift *l, struct subs *subs, const struct env *env, struct wr_plan **p)
{
    struct env own = *env;
    own.cl.outermost = false;
    for (int i = 0; i < subs->n; i++) {
        struct sub *s = subs->of[i];
        if (i > 0 && (*p)->kind == WR_PLAN_JOIN && !(*p)->u.join.settled)
            WR_TRY(wr_join_settle_one(b, *p, &own));
        switch (s->kind) {
        case SUB_SCALAR: WR_TRY(join_scalar(b, l, s, &own, p)); break;
        case SUB_EXISTS: WR_TRY(join_exists(b, l, s, &own, p)); break;
        case SUB_IN: WR_TRY(join_in(b, l, s, &own, p)); break;
        case SUB_COMPARED: WR_BUG("a comparison with each row inside another expression");
        }
    }
    return WR_OK;
}

struct wr_expr *wr_subs_place(struct binder *b, const struct subs *subs, const struct wr_expr *x)
{
    if (x->kind == WR_X_COL && x->u.col >= COL_SUB && x->u.col < COL_OUTER)
        return wr_expr_copy(b->a, subs->of[x->u.col - COL_SUB]->value);
    struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
    *y = *x;
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return y;
    y->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, x->u.call.n + 1);
    for (int i = 0; i < x->u.call.n; i++)
        y->u.call.arg[i] = wr_subs_place(b, subs, x->u.call.arg[i]);
    return y;
}

/* bind_match.c: MATCH_RECOGNIZE: the pattern as a program, DEFINE and MEASURES as expressions over values of the match.
 *
 *   A.price, LAST(A.price, 1), PREV(A.price), sum(A.price), MATCH_NUMBER()   each is a "nav": a column of what the expressions are evaluated over
 *   in -> Project (computed arguments behind the columns) -> MatchRecognize
 *
 * Rules:  a name without a variable is of the last row of the match so far: in DEFINE that is the row in question, in MEASURES the last one.
 *         A pattern that can match no row at all is refused. NEXT makes the operator wait for the next row.
 * Memory: the jobplan's arena. */
#include "planner/bind.h"

enum { MAX_STEPS = 4096, MAX_NAVS = 200, MAX_FAR = 1000 };

struct matching {
    const struct wr_ast_match *m;
    struct rel *in;
    int n_var;
    struct wr_match_var *var;
    int n_nav;
    struct wr_match_nav *nav;
    struct wr_field *nav_field;
    int n_expr;                   /* columns of the projection below: those of `in`, then computed ones */
    struct wr_expr **expr;
    bool inner;                   /* inside the argument of a navigation or an aggregate: names are columns of one row */
    int inner_var;                /* the variable these were of; ANY: none was named; UNSEEN: no name yet */
    bool numbered;
    int64_t back, ahead;
};
enum { ANY = -1, UNSEEN = -2 };

/* ---- variables ---- */

static int var_of(const struct matching *g, struct wr_str name)
{
    for (int i = 0; i < g->n_var; i++)
        if (wr_str_eq(g->var[i].name, name))
            return i;
    return -1;
}

static wr_status no_var(struct binder *b, const struct matching *g, const struct wr_ast_name *n)
{
    struct wr_str *all = WR_NEW_N(b->a, struct wr_str, g->n_var + 1);
    for (int i = 0; i < g->n_var; i++)
        all[i] = g->var[i].name;
    struct wr_str near = wr_str_nearest(n->text, all, g->n_var);
    wr_fail_at(b->err, WR_ESQL, n->off, "\"%.*s\" is no variable of PATTERN", WR_FMT(n->text));
    if (near.n)
        wr_hint(b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    return WR_ESQL;
}

static wr_status collect_vars(struct binder *b, struct matching *g, const struct wr_ast_pattern *p)
{
    for (; p; p = p->next) {
        if (p->kind != WR_PAT_VAR) {
            WR_TRY(collect_vars(b, g, p->sub));
            continue;
        }
        if (var_of(g, p->var->text) >= 0)
            continue;
        if (g->n_var == 64)
            return wr_fail_at(b->err, WR_ELIMIT, p->off, "more than 64 variables in PATTERN");
        g->var[g->n_var++] = (struct wr_match_var){.name = wr_arena_str(b->a, p->var->text), .alone = true};
    }
    return WR_OK;
}

/* ---- the program ---- */

struct program { struct wr_match_step *step; int n; };

static wr_status put(struct binder *b, struct program *g, struct wr_match_step s, int32_t off)
{
    if (g->n == MAX_STEPS) {
        wr_fail_at(b->err, WR_ELIMIT, off, "the pattern is too large: more than %d steps when its repetitions are written out", MAX_STEPS);
        wr_hint(b->err, "{n,m} stands for m copies; + and * for one");
        return WR_ELIMIT;
    }
    g->step[g->n++] = s;
    return WR_OK;
}

static bool can_be_empty(const struct wr_ast_pattern *p)
{
    switch (p->kind) {
    case WR_PAT_VAR: return false;
    case WR_PAT_REPEAT: return p->min == 0 || can_be_empty(p->sub);
    case WR_PAT_SEQ:
        for (const struct wr_ast_pattern *q = p->sub; q; q = q->next)
            if (!can_be_empty(q))
                return false;
        return true;
    case WR_PAT_ALT:
        for (const struct wr_ast_pattern *q = p->sub; q; q = q->next)
            if (can_be_empty(q))
                return true;
        return false;
    }
    return false;
}

static wr_status compile(struct binder *b, struct program *g, const struct matching *m, const struct wr_ast_pattern *p);

/* split to `body` (behind it) and `out`, which is set when it is known */
static wr_status put_split(struct binder *b, struct program *g, bool reluctant, int32_t off, int **out)
{
    int at = g->n;
    WR_TRY(put(b, g, (struct wr_match_step){.op = WR_MATCH_SPLIT, .a = at + 1, .b = at + 1}, off));
    *out = reluctant ? &g->step[at].a : &g->step[at].b;
    return WR_OK;
}

static wr_status compile_repeat(struct binder *b, struct program *g, const struct matching *m, const struct wr_ast_pattern *p)
{
    int *out;
    if (p->max < 0 && can_be_empty(p->sub)) {
        wr_fail_at(b->err, WR_ESQL, p->off, "this repeats without limit what may match no row");
        wr_hint(b->err, "write A* for (A?)*, (A|B)* for (A? B?)*");
        return WR_ESQL;
    }
    for (int i = 0; i < p->min; i++)
        WR_TRY(compile(b, g, m, p->sub));
    if (p->max < 0) {
        int loop = g->n;
        WR_TRY(put_split(b, g, p->reluctant, p->off, &out));
        WR_TRY(compile(b, g, m, p->sub));
        WR_TRY(put(b, g, (struct wr_match_step){.op = WR_MATCH_JUMP, .a = loop}, p->off));
        *out = g->n;
        return WR_OK;
    }
    if (p->max - p->min > MAX_STEPS)
        return put(b, &(struct program){.n = MAX_STEPS}, (struct wr_match_step){0}, p->off);
    int **outs = WR_NEW_N(b->a, int *, p->max - p->min + 1);
    for (int i = 0; i < p->max - p->min; i++) {
        WR_TRY(put_split(b, g, p->reluctant, p->off, &outs[i]));
        WR_TRY(compile(b, g, m, p->sub));
    }
    for (int i = 0; i < p->max - p->min; i++)
        *outs[i] = g->n;
    return WR_OK;
}

static wr_status compile_alt(struct binder *b, struct program *g, const struct matching *m, const struct wr_ast_pattern *p)
{
    int n = 0, k = 0;
    for (const struct wr_ast_pattern *q = p->sub; q; q = q->next)
        n++;
    int *jump = WR_NEW_N(b->a, int, n + 1);
    for (const struct wr_ast_pattern *q = p->sub; q; q = q->next) {
        int *next = NULL;
        if (q->next)
            WR_TRY(put_split(b, g, false, q->off, &next));
        WR_TRY(compile(b, g, m, q));
        if (!q->next)
            break;
        jump[k++] = g->n;
        WR_TRY(put(b, g, (struct wr_match_step){.op = WR_MATCH_JUMP}, q->off));
        *next = g->n;
    }
    for (int i = 0; i < k; i++)
        g->step[jump[i]].a = g->n;
    return WR_OK;
}

static wr_status compile(struct binder *b, struct program *g, const struct matching *m, const struct wr_ast_pattern *p)
{
    switch (p->kind) {
    case WR_PAT_VAR: return put(b, g, (struct wr_match_step){.op = WR_MATCH_ROW, .a = var_of(m, p->var->text)}, p->off);
    case WR_PAT_SEQ:
        for (const struct wr_ast_pattern *q = p->sub; q; q = q->next)
            WR_TRY(compile(b, g, m, q));
        return WR_OK;
    case WR_PAT_ALT: return compile_alt(b, g, m, p);
    case WR_PAT_REPEAT: return compile_repeat(b, g, m, p);
    }
    return WR_ESQL;
}

/* ---- names and calls in DEFINE and MEASURES ---- */

/* The column below that has x over the input's columns. */
static int column_for(struct matching *g, struct wr_expr *x)
{
    for (int i = 0; i < g->n_expr; i++)
        if (wr_expr_eq(g->expr[i], x))
            return i;
    g->expr[g->n_expr] = x;
    return g->n_expr++;
}

static bool same_nav(const struct wr_match_nav *a, const struct wr_match_nav *b)
{
    return a->kind == b->kind && a->kind != WR_NAV_AGG && a->var == b->var && a->n == b->n && a->step == b->step && a->col == b->col;
}

static wr_status nav(struct xctx *x, const struct wr_match_nav *v, struct wr_type type, int32_t off, struct wr_expr **out)
{
    struct matching *g = x->match;
    int i = 0;
    while (i < g->n_nav && !same_nav(&g->nav[i], v))
        i++;
    if (i == g->n_nav) {
        if (g->n_nav == MAX_NAVS)
            return wr_fail_at(x->b->err, WR_ELIMIT, off, "DEFINE and MEASURES look at more than %d different values", MAX_NAVS);
        g->nav[g->n_nav] = *v;
        g->nav_field[g->n_nav++] = (struct wr_field){.name = wr_arena_printf(x->b->a, "$%d", i), .type = type, .nullable = true};
        g->numbered |= v->kind == WR_NAV_NUMBER;
        g->back = v->step < -g->back ? -v->step : g->back;
        g->ahead = v->step > g->ahead ? v->step : g->ahead;
    }
    *out = wr_expr_col(x->b->a, i, type, true, off);
    return WR_OK;
}

static wr_status see_var(struct xctx *x, int var, int32_t off)
{
    struct matching *g = x->match;
    if (g->inner_var == UNSEEN)
        g->inner_var = var;
    if (g->inner_var == var)
        return WR_OK;
    wr_fail_at(x->b->err, WR_ESQL, off, "one argument cannot look at rows of two variables");
    wr_hint(x->b->err, "write one navigation or aggregate for each variable");
    return WR_ESQL;
}

wr_status wr_match_name(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct matching *g = x->match;
    const struct wr_ast_name *first = e->name, *column = first->next ? first->next : first;
    int var = ANY;
    if (first->next) {
        var = var_of(g, first->text);
        if (var < 0)
            return no_var(b, g, first);
        if (column->next)
            return wr_bind_refuse(b, e->off, "a member of a column here", "write (A.col).member");
    }
    int col = wr_rel_find(b, g->in, (struct wr_str){0}, column->text, e->off, true);
    if (col < 0)
        return WR_ESQL;
    struct wr_expr *y = wr_col_of(b->a, g->in->plan->out, col, e->off);
    if (g->inner) {
        WR_TRY(see_var(x, var, e->off));
        *out = y;
        return WR_OK;
    }
    return nav(x, &(struct wr_match_nav){.kind = WR_NAV_LAST, .var = var, .col = column_for(g, y)}, y->type, e->off, out);
}

/* The argument of a navigation: an expression over one row. */
static wr_status row_argument(struct xctx *x, const struct wr_ast_expr *a, struct wr_match_nav *v, struct wr_type *type)
{
    struct matching *g = x->match;
    struct wr_expr *y;
    g->inner = true;
    g->inner_var = UNSEEN;
    wr_status st = wr_bind_expr(x, a, &y);
    g->inner = false;
    WR_TRY(st);
    if (y->type.id == WR_T_NULL)
        WR_TRY(wr_expr_cast(x->b->a, y, WR_TYPE_OF(TEXT), false, &y, x->b->err));
    v->var = g->inner_var == UNSEEN ? ANY : g->inner_var;
    v->col = column_for(g, y);
    *type = y->type;
    return WR_OK;
}

static wr_status distance(struct binder *b, const struct wr_ast_expr *e, int64_t otherwise, int64_t *n)
{
    *n = otherwise;
    if (!e)
        return WR_OK;
    if (e->next)
        return wr_fail_at(b->err, WR_ESQL, e->next->off, "too many arguments");
    WR_TRY(wr_bind_count(b, e, "the distance", n));
    return *n <= MAX_FAR ? WR_OK : wr_fail_at(b->err, WR_ELIMIT, e->off, "more than %d rows away", MAX_FAR);
}

static bool is_call(const struct wr_ast_expr *e, const char *name)
{
    return e->kind == WR_E_CALL && !e->name->next && !e->over && wr_str_ieq_c(e->name->text, name);
}

/* FIRST(x [, n]), LAST(x [, n]) */
static wr_status logical(struct xctx *x, const struct wr_ast_expr *e, struct wr_match_nav *v, struct wr_type *type)
{
    v->kind = is_call(e, "first") ? WR_NAV_FIRST : WR_NAV_LAST;
    if (!e->args)
        return wr_fail_at(x->b->err, WR_ESQL, e->off, "%.*s takes a value and how many rows to go", WR_FMT(e->name->text));
    WR_TRY(row_argument(x, e->args, v, type));
    return distance(x->b, e->args->next, 0, &v->n);
}

/* PREV(x [, n]), NEXT(x [, n]): x may be FIRST or LAST. */
static wr_status physical(struct xctx *x, const struct wr_ast_expr *e, struct wr_match_nav *v, struct wr_type *type)
{
    if (!e->args)
        return wr_fail_at(x->b->err, WR_ESQL, e->off, "%.*s takes a value and how many rows to go", WR_FMT(e->name->text));
    v->kind = WR_NAV_LAST;
    if (is_call(e->args, "first") || is_call(e->args, "last"))
        WR_TRY(logical(x, e->args, v, type));
    else
        WR_TRY(row_argument(x, e->args, v, type));
    WR_TRY(distance(x->b, e->args->next, 1, &v->step));
    if (is_call(e, "prev"))
        v->step = -v->step;
    return WR_OK;
}

/* sum(A.price), count(A.*), count(*) */
static wr_status aggregate(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    struct binder *b = x->b;
    struct matching *g = x->match;
    struct wr_match_nav v = {.kind = WR_NAV_AGG, .var = ANY};
    struct wr_ast_expr call = *e, star;
    struct aggref r;
    if (e->filter) {
        wr_bind_refuse(b, e->filter->off, "FILTER here", "write sum(CASE WHEN condition THEN x END)");
        return WR_ESQL;
    }
    if (e->args && e->args->kind == WR_E_STAR && e->args->name) {
        v.var = var_of(g, e->args->name->text);
        if (v.var < 0)
            return no_var(b, g, e->args->name);
        star = *e->args;
        star.name = NULL;
        call.args = &star;
    }
    g->inner = true;
    g->inner_var = UNSEEN;
    wr_status st = wr_bind_aggcall(x, &call, false, &r);
    g->inner = false;
    WR_TRY(st);
    if (g->inner_var != UNSEEN)
        v.var = g->inner_var;
    for (int i = 0; i < r.call.n_arg; i++)
        r.call.arg[i] = column_for(g, r.arg[i]);
    for (int i = 0; i < r.call.n_order; i++)
        r.call.order[i] = e->within_group && r.call.fn->within_group ? r.call.arg[0] : column_for(g, r.order[i]);
    v.agg = r.call;
    return nav(x, &v, r.call.ret, e->off, out);
}

wr_status wr_match_call(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out, bool *taken)
{
    static const struct { const char *name; enum wr_navkind kind; enum wr_tid type; } plain[] = {
        {"match_number", WR_NAV_NUMBER, WR_T_BIGINT}, {"classifier", WR_NAV_CLASSIFIER, WR_T_TEXT}, {"match_rowtime", WR_NAV_TIME, WR_T_TIMESTAMP}};
    struct matching *g = x->match;
    struct wr_match_nav v = {.var = ANY};
    struct wr_type type;
    bool far = is_call(e, "prev") || is_call(e, "next"), near = is_call(e, "first") || is_call(e, "last");
    *taken = true;
    for (int i = 0; i < 3; i++) {
        if (!is_call(e, plain[i].name))
            continue;
        if (e->args || g->inner)
            return wr_fail_at(x->b->err, WR_ESQL, e->off, "%s() takes no argument and is none", plain[i].name);
        v.kind = plain[i].kind;
        return nav(x, &v, (struct wr_type){.id = plain[i].type}, e->off, out);
    }
    if (far || near || wr_is_aggregate_call(e)) {
        if (g->inner) {
            wr_fail_at(x->b->err, WR_ESQL, e->off, "\"%.*s\" inside a navigation or an aggregate", WR_FMT(e->name->text));
            wr_hint(x->b->err, "PREV and NEXT may be around FIRST and LAST: PREV(LAST(A.x), 2)");
            return WR_ESQL;
        }
        if (!far && !near)
            return aggregate(x, e, out);
        WR_TRY(far ? physical(x, e, &v, &type) : logical(x, e, &v, &type));
        return nav(x, &v, type, e->off, out);
    }
    *taken = false;
    return e->over ? wr_bind_refuse(x->b, e->off, "OVER in MATCH_RECOGNIZE", NULL) : WR_OK;
}

/* ---- clauses ---- */

struct looking { const struct matching *g; int self; bool alone; };
static void see_nav(void *ctx, int col)
{
    struct looking *l = ctx;
    const struct wr_match_nav *v = &l->g->nav[col];
    l->alone &= v->kind == WR_NAV_LAST && v->n == 0 && (v->var == ANY || v->var == l->self);
}

static wr_status bind_define(struct xctx *x, struct matching *g)
{
    struct binder *b = x->b;
    x->clause = "DEFINE";
    for (const struct wr_ast_named_expr *d = g->m->define; d; d = d->next) {
        int var = var_of(g, d->name->text);
        if (var < 0)
            return no_var(b, g, d->name);
        if (g->var[var].define)
            return wr_fail_at(b->err, WR_ESQL, d->name->off, "variable \"%.*s\" is defined twice", WR_FMT(d->name->text));
        struct wr_expr *y;
        WR_TRY(wr_bind_bool(x, d->expr, &y));
        struct looking l = {g, var, true};
        wr_expr_columns(y, see_nav, &l);
        g->var[var].alone = l.alone;
        g->var[var].define = wr_expr_fold(b->a, y);
    }
    return WR_OK;
}

static wr_status bind_measures(struct xctx *x, struct matching *g, struct wr_plan_match *p)
{
    struct binder *b = x->b;
    int n = 0;
    for (const struct wr_ast_named_expr *d = g->m->measures; d; d = d->next)
        n++;
    p->measure = WR_NEW_N(b->a, const struct wr_expr *, n + 1);
    struct wr_field *f = WR_NEW_N(b->a, struct wr_field, n + 1);
    p->time_measure = -1;
    x->clause = "MEASURES";
    n = 0;
    for (const struct wr_ast_named_expr *d = g->m->measures; d; d = d->next, n++) {
        struct wr_expr *y;
        for (const struct wr_ast_named_expr *c = g->m->measures; c != d; c = c->next)
            if (wr_str_eq(c->name->text, d->name->text))
                return wr_fail_at(b->err, WR_ESQL, d->name->off, "measure \"%.*s\" is named twice", WR_FMT(d->name->text));
        WR_TRY(wr_bind_expr(x, d->expr, &y));
        if (y->type.id == WR_T_NULL)
            WR_TRY(wr_expr_cast(b->a, y, WR_TYPE_OF(TEXT), false, &y, b->err));
        if (y->kind == WR_X_COL && g->nav[y->u.col].kind == WR_NAV_TIME && p->time_measure < 0)
            p->time_measure = n;
        p->measure[n] = wr_expr_fold(b->a, y);
        f[n] = (struct wr_field){.name = wr_arena_str(b->a, d->name->text), .type = wr_type_copy(b->a, y->type), .nullable = true};
    }
    p->n_measure = n;
    p->field = f;
    return WR_OK;
}

static wr_status bind_partitions(struct xctx *x, struct matching *g, struct wr_partby *by)
{
    struct binder *b = x->b;
    int n = wr_ast_len(g->m->partition), *part = WR_NEW_N(b->a, int, n + 1);
    for (const struct wr_ast_expr *e = g->m->partition; e; e = e->next) {
        struct wr_expr *y;
        WR_TRY(wr_bind_expr(x, e, &y));
        if (y->kind != WR_X_COL)
            return wr_fail_at(b->err, WR_ESQL, e->off, "PARTITION BY takes columns, not expressions");
        part[by->n_part++] = y->u.col;
    }
    by->part = part;
    return by->n_part <= 64 ? WR_OK : wr_fail_at(b->err, WR_ELIMIT, g->m->partition->off, "more than 64 columns in PARTITION BY");
}

static wr_status bind_order(struct xctx *x, struct matching *g, const struct env *env, struct wr_partby *by)
{
    struct binder *b = x->b;
    const struct wr_ast_order *first = g->m->order;
    if (!first) {
        wr_fail_at(b->err, WR_ESQL, g->m->off, "MATCH_RECOGNIZE needs ORDER BY the event time");
        return WR_ESQL;
    }
    int n = 0;
    for (const struct wr_ast_order *o = first; o; o = o->next)
        n++;
    int *col = WR_NEW_N(b->a, int, n + 1);
    bool *desc = WR_NEW_N(b->a, bool, n + 1), *nulls = WR_NEW_N(b->a, bool, n + 1);
    for (const struct wr_ast_order *o = first; o; o = o->next) {
        struct wr_expr *y;
        WR_TRY(wr_bind_expr(x, o->expr, &y));
        if (y->kind != WR_X_COL)
            return wr_fail_at(b->err, WR_ESQL, o->expr->off, "ORDER BY takes columns, not expressions");
        if (o == first && (!wr_type_is_time(y->type) || o->desc))
            return wr_fail_at(b->err, WR_ESQL, o->expr->off, "the first column of ORDER BY must be the event time, a TIMESTAMP, ascending");
        col[by->n_order] = y->u.col;
        desc[by->n_order] = o->desc;
        nulls[by->n_order++] = o->nulls ? o->nulls == 1 : o->desc;
    }
    nulls[0] = false;
    by->order = col;
    by->desc = desc;
    by->nulls_first = nulls;
    if (env->cl.wm)
        wr_watermark_apply(b, g->in->plan, env->cl.wm, col[0], false);
    WR_TRY(wr_event_time_check(b, g->in, col[0], first->expr->off));
    if (g->in->plan->bounded || g->in->plan->time_col == col[0])
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, first->expr->off, "MATCH_RECOGNIZE over input that does not end needs a watermark: it says when no earlier row can come any more");
    wr_hint(b->err, "add WITH WATERMARK '1 min', or WATERMARK FOR to the source");
    return WR_ESQL;
}

static wr_status bind_skip(struct binder *b, const struct matching *g, struct wr_plan_match *p)
{
    switch (g->m->skip) {
    case WR_SKIP_PAST_LAST: p->skip = WR_MATCH_SKIP_PAST_LAST; return WR_OK;
    case WR_SKIP_NEXT_ROW: p->skip = WR_MATCH_SKIP_NEXT_ROW; return WR_OK;
    case WR_SKIP_FIRST: p->skip = WR_MATCH_SKIP_FIRST; break;
    case WR_SKIP_LAST: p->skip = WR_MATCH_SKIP_LAST; break;
    }
    p->skip_var = var_of(g, g->m->skip_to->text);
    return p->skip_var >= 0 ? WR_OK : no_var(b, g, g->m->skip_to);
}

/* The computed arguments below the node. */
static struct wr_plan *project_below(struct binder *b, const struct matching *g)
{
    const struct wr_plan *in = g->in->plan;
    if (g->n_expr == in->out->n)
        return g->in->plan;
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, g->n_expr + 1);
    for (int i = 0; i < g->n_expr; i++) {
        struct wr_buf text = WR_BUF_INIT(4096);
        wr_expr_print(&text, g->expr[i], in->out);
        name[i] = i < in->out->n ? in->out->field[i].name : wr_arena_str(b->a, wr_buf_get(&text));
        wr_buf_clear(&text);
    }
    return wr_bind_made(b, wr_node_project(b->a, g->in->plan, g->n_expr, g->expr, name));
}

static void begin(struct binder *b, struct matching *g)
{
    int n = g->in->plan->out->n;
    g->var = WR_NEW_N(b->a, struct wr_match_var, 65);
    g->nav = WR_NEW_N(b->a, struct wr_match_nav, MAX_NAVS + 1);
    g->nav_field = WR_NEW_N(b->a, struct wr_field, MAX_NAVS + 1);
    g->expr = WR_NEW_N(b->a, struct wr_expr *, n + 6 * MAX_NAVS + 1);
    for (int i = 0; i < n; i++)
        g->expr[g->n_expr++] = wr_col_of(b->a, g->in->plan->out, i, -1);
}

static struct rel result_of(struct binder *b, const struct matching *g, struct wr_plan *p)
{
    struct rel r = wr_rel_of(b, p, (struct wr_str){0});
    for (int i = 0; p->u.match.all_rows && i < p->out->n - p->u.match.n_measure; i++) {
        bool own = i < g->in->n;
        r.col[i].name = own ? g->in->col[i].name : (struct wr_str){0};
        r.col[i].hidden = !own || g->in->col[i].hidden;
    }
    return r;
}

wr_status wr_bind_match(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    struct rel in;
    struct matching g = {.m = t->match, .in = &in};
    struct wr_plan_match p = {.all_rows = t->match->all_rows, .within = -1};
    WR_TRY(wr_bind_from(b, t->left, env, &in));
    if (in.plan->updating) {
        wr_fail_at(b->err, WR_ESQL, t->off, "MATCH_RECOGNIZE over results that change");
        wr_hint(b->err, "add EMIT FINAL to the query below, or match its input");
        return WR_ESQL;
    }
    begin(b, &g);
    struct xctx plain = {.b = b, .rel = &in, .clause = "PARTITION BY", .env = env};
    WR_TRY(bind_partitions(&plain, &g, &p.by));
    plain.clause = "ORDER BY";
    WR_TRY(bind_order(&plain, &g, env, &p.by));
    WR_TRY(collect_vars(b, &g, g.m->pattern));
    if (can_be_empty(g.m->pattern)) {
        wr_fail_at(b->err, WR_ESQL, g.m->pattern->off, "this pattern matches no row at all, too");
        wr_hint(b->err, "let one variable be there at least once: A+ instead of A*");
        return WR_ESQL;
    }
    struct xctx x = {.b = b, .rel = &in, .env = env, .match = &g};
    WR_TRY(bind_define(&x, &g));
    WR_TRY(bind_measures(&x, &g, &p));
    if (p.n_measure == 0 && !p.all_rows && p.by.n_part == 0)
        return wr_fail_at(b->err, WR_ESQL, g.m->off, "MATCH_RECOGNIZE without MEASURES and PARTITION BY has no columns");
    WR_TRY(bind_skip(b, &g, &p));
    if (g.m->within)
        WR_TRY(wr_bind_duration(b, g.m->within, "WITHIN", 0, &p.within));
    struct program prog = {.step = WR_NEW_N(b->a, struct wr_match_step, MAX_STEPS + 1)};
    WR_TRY(compile(b, &prog, &g, g.m->pattern));
    WR_TRY(put(b, &prog, (struct wr_match_step){.op = WR_MATCH_DONE}, g.m->pattern->off));
    struct wr_schema *navs = wr_schema_new(b->a, 0);
    navs->n = g.n_nav;
    navs->field = g.nav_field;
    p.n_var = g.n_var;
    p.var = g.var;
    p.n_step = prog.n;
    p.step = prog.step;
    p.n_nav = g.n_nav;
    p.nav = g.nav;
    p.navs = navs;
    p.numbered = g.numbered;
    p.back = g.back;
    p.ahead = g.ahead;
    p.alone = true;
    for (int i = 0; i < g.n_var; i++)
        p.alone &= g.var[i].alone;
    p.by.lateness = wr_agg_start(b, &env->cl).lateness;
    p.by.ttl = wr_setting_int(b->cat, WR_SET_STATE_TTL);
    struct wr_plan *node = wr_node_new(b->a, WR_PLAN_MATCH, project_below(b, &g));
    node->u.match = p;
    wr_node_props(b->a, node);
    *out = result_of(b, &g, wr_bind_made(b, node));
    return WR_OK;
}

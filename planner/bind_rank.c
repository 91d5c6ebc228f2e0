/* bind_rank.c: Top-N: a filter over a ranking function's number, and ORDER BY ... LIMIT of input that does not end.
 *
 *   Filter rn <= 3 AND x > 0                          Filter x > 0
 *     Project ..., rn                     ->            Project ..., rn
 *       Over row_number() BY k ORDER BY t                 TopN 3 BY k ORDER BY t
 *
 * Rules:  done while binding, so that what follows (sinks, keys) sees a Top-N's properties. The node below is this query's own: nothing is shared yet.
 *         With EMIT FINAL, ORDER BY event time stays an OverTime: each row once, when the watermark has passed it. */
#include "planner/bind.h"
#include "planner/over.h"

/* The ranking node that column col comes from, through projections of plain columns and filters only; NULL: it does not. */
static struct wr_plan *ranking_below(struct wr_plan *p, int col)
{
    for (;; p = p->in[0]) {
        if (p->kind == WR_PLAN_PROJECT) {
            const struct wr_expr *x = p->u.project.expr[col];
            if (x->kind != WR_X_COL)
                return NULL;
            col = x->u.col;
        } else if (p->kind != WR_PLAN_FILTER) {
            break;
        }
    }
    if ((p->kind != WR_PLAN_OVER && p->kind != WR_PLAN_OVER_TIME) || p->u.over.n_fn != 1 || col != p->in[0]->out->n)
        return NULL;
    enum wr_overkind k = p->u.over.fn[0].kind;
    return k == WR_OVER_ROW_NUMBER || k == WR_OVER_RANK || k == WR_OVER_DENSE_RANK ? p : NULL;
}

/* col op number, either way round; a conversion of either is seen through. */
static bool is_bound(struct binder *b, const struct wr_expr *x, int *col, struct wr_str *op, int64_t *n)
{
    if (x->kind != WR_X_CALL || x->u.call.n != 2)
        return false;
    struct wr_expr *arg[2];
    for (int i = 0; i < 2; i++)
        arg[i] = wr_expr_fold(b->a, wr_expr_copy(b->a, x->u.call.arg[i]));
    *op = wr_str_c(x->u.call.fn->name);
    bool turned = arg[0]->kind == WR_X_CONST;
    const struct wr_expr *c = arg[turned], *v = arg[!turned];
    if (c->kind != WR_X_COL || v->kind != WR_X_CONST || v->u.val.null || (v->type.id != WR_T_INT && v->type.id != WR_T_BIGINT))
        return false;
    static const char *const flip[][2] = {{"<", ">"}, {"<=", ">="}, {">", "<"}, {">=", "<="}};
    for (size_t i = 0; turned && i < sizeof(flip) / sizeof(flip[0]); i++)
        if (wr_str_eq_c(*op, flip[i][0])) {
            *op = wr_str_c(flip[i][1]);
            break;
        }
    *col = c->u.col;
    *n = v->u.val.as.i;
    return true;
}

struct bounds { int64_t lo, hi; };

/* Narrows the bounds by one condition. false: it says nothing about them. */
static bool narrow(struct bounds *r, struct wr_str op, int64_t n)
{
    struct bounds s = {1, INT64_MAX};
    if (n < 0 || n == INT64_MAX)
        return false;
    if (wr_str_eq_c(op, "="))
        s = (struct bounds){n, n};
    else if (wr_str_eq_c(op, "<="))
        s.hi = n;
    else if (wr_str_eq_c(op, "<"))
        s.hi = n - 1;
    else if (wr_str_eq_c(op, ">="))
        s.lo = n;
    else if (wr_str_eq_c(op, ">"))
        s.lo = n + 1;
    else
        return false;
    r->lo = s.lo > r->lo ? s.lo : r->lo;
    r->hi = s.hi < r->hi ? s.hi : r->hi;
    return true;
}

static int conjuncts(const struct wr_expr *x, const struct wr_expr **out, int n, int most)
{
    for (int i = 0; x->kind == WR_X_AND && i < x->u.call.n; i++)
        n = conjuncts(x->u.call.arg[i], out, n, most);
    if (x->kind != WR_X_AND && n < most)
        out[n++] = x;
    return n;
}

static int count_conjuncts(const struct wr_expr *x)
{
    int n = x->kind == WR_X_AND ? 0 : 1;
    for (int i = 0; x->kind == WR_X_AND && i < x->u.call.n; i++)
        n += count_conjuncts(x->u.call.arg[i]);
    return n;
}

static const struct wr_expr *all_of(struct binder *b, const struct wr_expr *const *part, int n)
{
    struct wr_expr *x = WR_NEW(b->a, struct wr_expr);
    if (n == 1)
        return part[0];
    *x = (struct wr_expr){.kind = WR_X_AND, .type = WR_TYPE_OF(BOOL), .nullable = true, .off = part[0]->off};
    x->u.call.n = n;
    x->u.call.arg = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    for (int i = 0; i < n; i++)
        x->u.call.arg[i] = wr_expr_copy(b->a, part[i]);
    return x;
}

static void become_rank(struct binder *b, struct wr_plan *p, struct bounds r)
{
    struct wr_plan_over o = p->u.over;
    if (p->kind == WR_PLAN_OVER_TIME && o.by.win.kind != WR_WIN_NONE) {
        p->in[0] = wr_late_filter(b, p->in[0], &o.by.win, o.by.lateness);
    } else if (p->kind == WR_PLAN_OVER_TIME) {
        o.by.lateness = 0;
    }
    p->kind = WR_PLAN_TOP_N;
    p->u.rank = (struct wr_plan_rank){.by = o.by, .fn = o.fn[0].kind, .lo = r.lo, .hi = r.hi, .with_number = true};
}

void wr_bind_top_n(struct binder *b, struct wr_plan **p, const struct clauses *cl)
{
    if ((*p)->kind != WR_PLAN_FILTER)
        return;
    struct wr_plan *f = *p, *rank = NULL;
    int most = count_conjuncts(f->u.filter.pred), left = 0;
    const struct wr_expr **part = WR_NEW_N(b->a, const struct wr_expr *, most + 1);
    struct bounds r = {1, INT64_MAX};
    int n = conjuncts(f->u.filter.pred, part, 0, most);
    const struct wr_expr **rest = WR_NEW_N(b->a, const struct wr_expr *, n + 1);
    for (int i = 0; i < n; i++) {
        int col;
        struct wr_str op;
        int64_t v;
        struct wr_plan *at = is_bound(b, part[i], &col, &op, &v) ? ranking_below(f->in[0], col) : NULL;
        if (at && (!rank || rank == at) && narrow(&r, op, v))
            rank = at;
        else
            rest[left++] = part[i];
    }
    if (!rank || r.hi == INT64_MAX || r.hi < 1 || r.lo > r.hi)
        return;
    if (rank->kind == WR_PLAN_OVER_TIME && cl->emit == WR_EMIT_FINAL)
        return;
    become_rank(b, rank, r);
    if (left)
        f->u.filter.pred = all_of(b, rest, left);
    else
        *p = f->in[0];
    wr_node_props_deep(b->a, *p);
}

wr_status wr_bind_limit_n(struct binder *b, const struct clauses *cl, const struct wr_plan_sort *s, const int *part, int n_part, struct wr_plan **p)
{
    struct wr_plan_agg g = wr_agg_start(b, cl);
    int64_t hi;
    if (g.emit == WR_EMIT_FINAL && !(*p)->bounded) {
        wr_fail_at(b->err, WR_ESQL, cl->emit_off, "EMIT FINAL over ORDER BY ... LIMIT of input that does not end: the result never closes");
        wr_hint(b->err, "use EMIT CHANGES, or number the rows of each window: row_number() OVER (PARTITION BY window_start, window_end ORDER BY ...)");
        return WR_ESQL;
    }
    if (s->limit < 0 || __builtin_add_overflow(s->limit, s->offset, &hi))
        hi = INT64_MAX;
    if (s->limit == 0) { /* nothing, ever */
        struct wr_expr *no = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(BOOL), .as.b = 0}, -1);
        *p = wr_bind_made(b, wr_node_filter(b->a, *p, no));
        return WR_OK;
    }
    struct wr_plan *n = wr_node_new(b->a, WR_PLAN_TOP_N, *p);
    n->u.rank = (struct wr_plan_rank){
        .by = {.part = wr_ints(b->a, part, n_part), .n_part = n_part, .n_order = s->n, .order = s->col, .desc = s->desc, .nulls_first = s->nulls_first, .emit = g.emit, .every = g.every,
               .win = {.time_col = -1, .start_col = -1, .end_col = -1}},
        .fn = WR_OVER_ROW_NUMBER, .lo = s->offset + 1, .hi = hi};
    wr_node_props(b->a, n);
    *p = wr_bind_made(b, n);
    return WR_OK;
}

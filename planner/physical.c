/* physical.c: from the statements' trees to one plan: equal parts shared, exchanges between tasks, numbers, and the connectors' word that it can run.
 * Rules:  two nodes are one if they do the same to the same input; random() is never the same. A source has one scan from the start.
 *         Keyed operators run as j->tasks instances, all else as one; an exchange stands wherever the rows must move between the two.
 * Memory: the job's arena. */
#include "planner/over.h"

/* ---- numbering ---- */

struct number {
    struct wr_arena *a;
    struct wr_plan **node;
    int n, cap;
    int n_state;
};

static void number_node(struct number *nb, struct wr_plan *p)
{
    if (p->id >= 0)
        return;
    if (p->kind == WR_PLAN_SIDE) {
        /* the scan is not an input, but it must run */
        union { const struct wr_plan *c; struct wr_plan *p; } scan = {.c = p->u.side.scan};
        number_node(nb, scan.p);
    }
    for (int i = 0; i < p->n_in; i++)
        number_node(nb, p->in[i]);
    if (nb->n == nb->cap) {
        struct wr_plan **old = nb->node;
        nb->cap = nb->cap ? 2 * nb->cap : 64;
        nb->node = WR_NEW_N(nb->a, struct wr_plan *, nb->cap);
        if (nb->n)
            memcpy(nb->node, old, sizeof(*old) * (size_t)nb->n);
    }
    p->id = nb->n;
    p->state_id = p->kind == WR_PLAN_EXCHANGE ? -1 : nb->n_state++;
    nb->node[nb->n++] = p;
}

static void forget_number(struct wr_plan *p)
{
    if (p->id < 0)
        return;
    p->id = -1;
    for (int i = 0; i < p->n_in; i++)
        forget_number(p->in[i]);
}

void wr_number(struct wr_jobplan *j)
{
    struct number nb = {.a = j->arena};
    for (int i = 0; i < j->n_node; i++)
        j->node[i]->id = -1;
    for (int i = 0; i < j->n_sink; i++)
        forget_number(j->sink[i]);
    for (int i = 0; i < j->n_sink; i++)
        number_node(&nb, j->sink[i]);
    j->node = nb.node;
    j->n_node = nb.n;
}

/* ---- sharing ---- */

static bool same_ints(const int *a, int na, const int *b, int nb)
{
    return na == nb && (na == 0 || memcmp(a, b, sizeof(int) * (size_t)na) == 0);
}

static bool same_window(const struct wr_window *a, const struct wr_window *b)
{
    return a->kind == b->kind && a->size == b->size && a->slide == b->slide && a->offset == b->offset && a->time_col == b->time_col
        && a->start_col == b->start_col && a->end_col == b->end_col;
}

static bool same_call(const struct wr_aggcall *a, const struct wr_aggcall *b)
{
    for (int i = 0; i < a->n_order && i < b->n_order; i++)
        if (a->order_desc[i] != b->order_desc[i])
            return false;
    return a->fn == b->fn && same_ints(a->arg, a->n_arg, b->arg, b->n_arg) && a->filter == b->filter && a->distinct == b->distinct
        && a->has_param == b->has_param && !(a->param < b->param) && !(a->param > b->param) && wr_str_eq(a->sep, b->sep)
        && same_ints(a->order, a->n_order, b->order, b->n_order) && wr_type_eq(a->ret, b->ret);
}

static bool same_agg(const struct wr_plan_agg *a, const struct wr_plan_agg *b)
{
    if (!same_ints(a->key, a->n_key, b->key, b->n_key) || a->n_agg != b->n_agg || !same_window(&a->win, &b->win) || a->emit != b->emit
        || a->every != b->every || a->lateness != b->lateness || a->ttl != b->ttl)
        return false;
    for (int i = 0; i < a->n_agg; i++)
        if (!same_call(&a->agg[i], &b->agg[i]))
            return false;
    return true;
}

static bool same_project(const struct wr_plan *a, const struct wr_plan *b)
{
    if (a->u.project.n != b->u.project.n)
        return false;
    for (int i = 0; i < a->u.project.n; i++)
        if (!wr_expr_eq(a->u.project.expr[i], b->u.project.expr[i]) || !wr_str_eq(a->out->field[i].name, b->out->field[i].name))
            return false;
    return true;
}

static bool same_sort(const struct wr_plan_sort *a, const struct wr_plan_sort *b)
{
    if (!same_ints(a->col, a->n, b->col, b->n) || a->limit != b->limit || a->offset != b->offset)
        return false;
    for (int i = 0; i < a->n; i++)
        if (a->desc[i] != b->desc[i] || a->nulls_first[i] != b->nulls_first[i])
            return false;
    return true;
}

static bool same_node(const struct wr_plan *a, const struct wr_plan *b)
{
    if (a->kind != b->kind || a->n_in != b->n_in)
        return false;
    for (int i = 0; i < a->n_in; i++)
        if (a->in[i] != b->in[i])
            return false;
    switch (a->kind) {
    case WR_PLAN_SCAN:
    case WR_PLAN_VALUES:
    case WR_PLAN_SINK:
    case WR_PLAN_COUNT: return false; /* a source has one scan already */
    case WR_PLAN_SIDE:
        return a->u.side.scan == b->u.side.scan && a->u.side.which == b->u.side.which
            && same_ints(a->u.side.col, a->u.side.n_col, b->u.side.col, b->u.side.n_col);
    case WR_PLAN_WATERMARK:
        return a->u.watermark.time_col == b->u.watermark.time_col && a->u.watermark.delay == b->u.watermark.delay
            && a->u.watermark.idle == b->u.watermark.idle && a->u.watermark.max_future_skew == b->u.watermark.max_future_skew;
    case WR_PLAN_FILTER: return wr_expr_eq(a->u.filter.pred, b->u.filter.pred);
    case WR_PLAN_PROJECT: return same_project(a, b);
    case WR_PLAN_WINDOW: return same_window(&a->u.window.win, &b->u.window.win);
    case WR_PLAN_LATE: return same_window(&a->u.late.win, &b->u.late.win) && a->u.late.lateness == b->u.late.lateness;
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: return same_agg(&a->u.agg, &b->u.agg);
    case WR_PLAN_UNION: return true;
    case WR_PLAN_LOOKUP: return false;
    case WR_PLAN_SETOP:
        return a->u.setop.except == b->u.setop.except && a->u.setop.all == b->u.setop.all && a->u.setop.ttl == b->u.setop.ttl;
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME:
    case WR_PLAN_EXPAND: return wr_over_same(a, b);
    case WR_PLAN_UNNEST: return wr_unnest_same(a, b);
    case WR_PLAN_MATCH: return false; /* rarely written twice */
    case WR_PLAN_JOIN: return wr_join_same(&a->u.join, &b->u.join);
    case WR_PLAN_SORT: return same_sort(&a->u.sort, &b->u.sort);
    case WR_PLAN_LIMIT: return a->u.limit.limit == b->u.limit.limit && a->u.limit.offset == b->u.limit.offset;
    case WR_PLAN_EXCHANGE: return same_ints(a->u.exchange.key, a->u.exchange.n_key, b->u.exchange.key, b->u.exchange.n_key);
    }
    return false;
}

void wr_share(struct wr_jobplan *j)
{
    wr_number(j);
    struct wr_arena tmp = {0};
    struct wr_plan **as = WR_NEW_N(&tmp, struct wr_plan *, j->n_node + 1); /* by id: the node that stands for it */
    for (int i = 0; i < j->n_node; i++) {
        struct wr_plan *p = j->node[i];
        for (int k = 0; k < p->n_in; k++)
            p->in[k] = as[p->in[k]->id];
        as[i] = p;
        for (int k = 0; k < i && as[i] == p; k++)
            if (as[k] == j->node[k] && same_node(j->node[k], p))
                as[i] = j->node[k];
    }
    wr_arena_clear(&tmp);
    wr_number(j);
}

/* ---- exchanges ---- */

enum where { ONE_TASK, BY_HASH, ANYHOW }; /* in one task; in several, by hash of columns; in several, who knows how */
struct spread {
    enum where where;
    int n_col;
    const int *col; /* BY_HASH: output columns */
};
struct exchanges {
    struct wr_arena *a;
    struct spread *of;         /* by node id */
    bool *moved;               /* by node id: an exchange is somewhere below */
    int n_made;
    struct wr_plan **made;
};

static struct wr_plan *exchange(struct exchanges *ex, struct wr_plan *in, const int *key, int n_key)
{
    for (int i = 0; i < ex->n_made; i++)
        if (ex->made[i]->in[0] == in && same_ints(ex->made[i]->u.exchange.key, ex->made[i]->u.exchange.n_key, key, n_key))
            return ex->made[i];
    struct wr_plan *p = wr_node_new(ex->a, WR_PLAN_EXCHANGE, in);
    p->u.exchange.key = wr_ints(ex->a, key, n_key);
    p->u.exchange.n_key = n_key;
    wr_node_props(ex->a, p);
    ex->made[ex->n_made++] = p;
    return p;
}

static bool subset(const struct spread *s, const int *key, int n_key)
{
    for (int i = 0; i < s->n_col; i++) {
        bool in = false;
        for (int k = 0; k < n_key; k++)
            in |= key[k] == s->col[i];
        if (!in)
            return false;
    }
    return s->where == BY_HASH;
}

static void gather(struct exchanges *ex, struct wr_plan *p, int i)
{
    if (ex->of[p->in[i]->id].where != ONE_TASK)
        p->in[i] = exchange(ex, p->in[i], NULL, 0);
}

static struct spread spread_agg(struct exchanges *ex, struct wr_plan *p)
{
    const struct wr_plan_agg *g = &p->u.agg;
    struct spread in = ex->of[p->in[0]->id];
    if (g->n_key == 0) {
        gather(ex, p, 0);
        return (struct spread){.where = ONE_TASK};
    }
    const int *by = g->key;
    int n_by = g->n_key;
    if (subset(&in, g->key, g->n_key)) {
        by = in.col;
        n_by = in.n_col;
    } else {
        p->in[0] = exchange(ex, p->in[0], by, n_by);
    }
    int *out = WR_NEW_N(ex->a, int, n_by + 1);
    for (int i = 0; i < n_by; i++)
        for (int k = 0; k < g->n_key; k++)
            if (g->key[k] == by[i])
                out[i] = k;
    return (struct spread){.where = BY_HASH, .n_col = n_by, .col = out};
}

/* Partitions by their columns; those keep their place in the output. */
static struct spread spread_over(struct exchanges *ex, struct wr_plan *p)
{
    const struct wr_partby *by = wr_over_by(p);
    struct spread in = ex->of[p->in[0]->id];
    if (by->n_part == 0) {
        gather(ex, p, 0);
        return (struct spread){.where = ONE_TASK};
    }
    if (subset(&in, by->part, by->n_part))
        return in;
    p->in[0] = exchange(ex, p->in[0], by->part, by->n_part);
    return (struct spread){.where = BY_HASH, .n_col = by->n_part, .col = by->part};
}

static struct spread spread_match(struct exchanges *ex, struct wr_plan *p)
{
    const struct wr_partby *by = &p->u.match.by;
    struct spread in = ex->of[p->in[0]->id];
    if (by->n_part == 0) {
        gather(ex, p, 0);
        return (struct spread){.where = ONE_TASK};
    }
    if (!subset(&in, by->part, by->n_part))
        p->in[0] = exchange(ex, p->in[0], by->part, by->n_part);
    return (struct spread){.where = ANYHOW};
}

static struct spread spread_project(struct exchanges *ex, const struct wr_plan *p)
{
    struct spread in = ex->of[p->in[0]->id];
    if (in.where != BY_HASH)
        return in;
    int *out = WR_NEW_N(ex->a, int, in.n_col + 1);
    for (int i = 0; i < in.n_col; i++) {
        out[i] = -1;
        for (int k = 0; k < p->u.project.n && out[i] < 0; k++)
            if (p->u.project.expr[k]->kind == WR_X_COL && p->u.project.expr[k]->u.col == in.col[i])
                out[i] = k;
        if (out[i] < 0)
            return (struct spread){.where = ANYHOW};
    }
    return (struct spread){.where = BY_HASH, .n_col = in.n_col, .col = out};
}

static struct spread spread_union(struct exchanges *ex, struct wr_plan *p)
{
    for (int i = 0; i < p->n_in; i++)
        gather(ex, p, i);
    return (struct spread){.where = ONE_TASK};
}

/* Equal rows meet: both inputs by all columns. */
static struct spread spread_setop(struct exchanges *ex, struct wr_plan *p)
{
    int n = p->out->n, *col = WR_NEW_N(ex->a, int, n + 1);
    for (int i = 0; i < n; i++)
        col[i] = i;
    for (int s = 0; s < 2; s++)
        p->in[s] = exchange(ex, p->in[s], col, n);
    return (struct spread){.where = BY_HASH, .n_col = n, .col = col};
}

/* Output columns that are column c of input side; -1: a column is missing. */
static struct spread spread_as(struct exchanges *ex, const struct wr_plan *p, int side, const int *col, int n)
{
    const struct wr_plan_join *j = &p->u.join;
    int *out = WR_NEW_N(ex->a, int, n + 1);
    for (int i = 0; i < n; i++) {
        out[i] = -1;
        for (int k = 0; k < j->n_col && out[i] < 0; k++)
            if (j->col[k] == (side ? p->in[0]->out->n + col[i] : col[i]))
                out[i] = k;
        if (out[i] < 0)
            return (struct spread){.where = ANYHOW};
    }
    return (struct spread){.where = BY_HASH, .n_col = n, .col = out};
}

/* Both inputs by the hash of the same keys. An input that is spread by some of them already decides, if the other can follow. */
static struct spread spread_join(struct exchanges *ex, struct wr_plan *p)
{
    struct wr_plan_join *j = &p->u.join;
    if (j->n_key == 0) {
        gather(ex, p, 0);
        gather(ex, p, 1);
        return (struct spread){.where = ONE_TASK};
    }
    int n = j->n_key, *by[2] = {wr_ints(ex->a, j->key[0], n), wr_ints(ex->a, j->key[1], n)};
    for (int s = 0; s < 2; s++) {
        struct spread in = ex->of[p->in[s]->id];
        if (!subset(&in, j->key[s], j->n_key) || in.n_col == 0)
            continue;
        n = in.n_col;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < j->n_key; k++)
                if (j->key[s][k] == in.col[i]) {
                    by[0][i] = j->key[0][k];
                    by[1][i] = j->key[1][k];
                }
        break;
    }
    for (int s = 0; s < 2; s++) {
        struct spread in = ex->of[p->in[s]->id];
        if (in.where != BY_HASH || !same_ints(in.col, in.n_col, by[s], n))
            p->in[s] = exchange(ex, p->in[s], by[s], n);
    }
    switch (j->kind) {
    case WR_J_INNER:
    case WR_J_LEFT:
    case WR_J_SEMI:
    case WR_J_ANTI: return spread_as(ex, p, 0, by[0], n);
    case WR_J_RIGHT: return spread_as(ex, p, 1, by[1], n);
    case WR_J_FULL: break;
    }
    return (struct spread){.where = ANYHOW};
}

static struct spread spread_node(struct exchanges *ex, struct wr_plan *p)
{
    switch (p->kind) {
    case WR_PLAN_SCAN:
    case WR_PLAN_VALUES:
    case WR_PLAN_SIDE: break;
    case WR_PLAN_WATERMARK:
    case WR_PLAN_FILTER:
    case WR_PLAN_LATE:
    case WR_PLAN_WINDOW:
    case WR_PLAN_LOOKUP:
    case WR_PLAN_UNNEST:
    case WR_PLAN_EXCHANGE: return ex->of[p->in[0]->id];
    case WR_PLAN_PROJECT: return spread_project(ex, p);
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: return spread_agg(ex, p);
    case WR_PLAN_UNION: return spread_union(ex, p);
    case WR_PLAN_SETOP: return spread_setop(ex, p);
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME: return spread_over(ex, p);
    case WR_PLAN_EXPAND: return (struct spread){.where = ex->of[p->in[0]->id].where == ONE_TASK ? ONE_TASK : ANYHOW}; /* keys become NULL */
    case WR_PLAN_MATCH: return spread_match(ex, p);
    case WR_PLAN_JOIN: return spread_join(ex, p);
    case WR_PLAN_SORT:
    case WR_PLAN_LIMIT:
    case WR_PLAN_SINK: gather(ex, p, 0); break;
    case WR_PLAN_COUNT: break;
    }
    return (struct spread){.where = ONE_TASK};
}

/* Where several inputs meet, and rows of one came through an exchange, the others come through one too: the operator is then a task of its own
 * behind all of them. In the task of one input it could be fed by tasks which that one feeds, and they would wait for each other for ever. */
static void meet(struct exchanges *ex, struct wr_plan *p)
{
    bool moved = false;
    for (int i = 0; i < p->n_in; i++)
        moved |= p->in[i]->kind == WR_PLAN_EXCHANGE || ex->moved[p->in[i]->id];
    ex->moved[p->id] = moved;
    for (int i = 0; moved && p->n_in > 1 && i < p->n_in; i++) {
        if (p->in[i]->kind == WR_PLAN_EXCHANGE)
            continue;
        const struct spread *s = &ex->of[p->in[i]->id];
        p->in[i] = exchange(ex, p->in[i], s->col, s->where == BY_HASH ? s->n_col : 0);
    }
}

/* For finding state again: which instance has a row. */
static void note_shares(struct exchanges *ex, struct wr_plan *p)
{
    p->share = WR_NEW_N(ex->a, struct wr_shares, p->n_in + 1);
    for (int i = 0; i < p->n_in; i++) {
        const struct wr_plan *in = p->in[i];
        if (in->kind == WR_PLAN_EXCHANGE)
            p->share[i] = (struct wr_shares){in->u.exchange.n_key, in->u.exchange.key};
        else if (ex->of[in->id].where == BY_HASH)
            p->share[i] = (struct wr_shares){ex->of[in->id].n_col, ex->of[in->id].col};
    }
}

void wr_exchanges(struct wr_jobplan *j)
{
    if (j->tasks <= 1)
        return;
    struct exchanges ex = {.a = j->arena};
    int edges = 0;
    for (int i = 0; i < j->n_node; i++)
        edges += j->node[i]->n_in;
    ex.of = WR_NEW_N(j->arena, struct spread, j->n_node + 1);
    ex.made = WR_NEW_N(j->arena, struct wr_plan *, edges + 1);
    ex.moved = WR_NEW_N(j->arena, bool, j->n_node + 1);
    for (int i = 0; i < j->n_node; i++) {
        ex.of[i] = spread_node(&ex, j->node[i]);
        meet(&ex, j->node[i]);
        note_shares(&ex, j->node[i]);
    }
    wr_number(j);
}

/* ---- finish ---- */

static wr_status check_all(const struct wr_jobplan *j, struct wr_error *err)
{
    for (int i = 0; i < j->n_node; i++) {
        const struct wr_plan *p = j->node[i];
        if (p->kind == WR_PLAN_SCAN && p->u.scan.connector->source->check)
            WR_TRY(p->u.scan.connector->source->check(&p->u.scan.spec, err));
        if (p->kind == WR_PLAN_LOOKUP && p->u.lookup.connector->lookup->check)
            WR_TRY(p->u.lookup.connector->lookup->check(&p->u.lookup.spec, err));
        if (p->kind == WR_PLAN_SINK && p->u.sink.connector->sink->check)
            WR_TRY(p->u.sink.connector->sink->check(&p->u.sink.spec, err));
    }
    return WR_OK;
}

/* What a sink is told follows from the final tree. */
static void settle_sink(struct wr_plan *sink)
{
    sink->u.sink.spec.updating = sink->in[0]->updating;
}

wr_status wr_plan_finish(struct wr_catalog *c, struct wr_jobplan *j, const struct wr_plan_opts *o, struct wr_error *err)
{
    wr_share(j);
    wr_prune(j);
    j->tasks = (int)wr_setting_int(c, WR_SET_PARALLELISM);
    j->max_state = wr_setting_int(c, WR_SET_MAX_STATE);
    j->cpu_limit = (int)wr_setting_int(c, WR_SET_CPU_LIMIT);
    j->checkpoint_us = wr_setting_int(c, WR_SET_CHECKPOINT_EVERY);
    j->batch_rows = (uint32_t)wr_setting_int(c, WR_SET_BATCH_ROWS);
    wr_exchanges(j);
    j->bounded = true;
    for (int i = 0; i < j->n_node; i++) {
        wr_node_props(j->arena, j->node[i]);
        j->bounded &= j->node[i]->bounded;
    }
    for (int i = 0; i < j->n_sink; i++)
        settle_sink(j->sink[i]);
    if (o->job.n)
        j->name = wr_arena_str(j->arena, o->job);
    else if (wr_setting_given(c, WR_SET_JOB_NAME))
        j->name = wr_arena_str(j->arena, wr_setting_text(c, WR_SET_JOB_NAME));
    else if (j->n_sink)
        j->name = j->sink[0]->u.sink.spec.name;
    for (int i = 0; i < j->n_sink; i++)
        j->sink[i]->u.sink.spec.job = j->name;
    if (o->offline)
        return WR_OK;
    return check_all(j, err);
}

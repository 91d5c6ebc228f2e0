/* prune.c: leaves out the columns that nobody needs, so that a source decodes only what the job uses.
 * Rules:  works on the numbered nodes of a whole job (j->node, inputs before users), where a node may have several users.
 *         First from the sinks down: which output columns of each node does anybody need? Then from the scans up: each node is rebuilt over
 *         its inputs' new columns. NOT NULL columns of a scan stay: that they are there is part of what makes a row good. Group keys stay.
 * Memory: the job's arena for what stays, an arena of our own for the sets and maps. */
#include "planner/over.h"

struct prune {
    struct wr_arena *a;  /* the job's */
    const struct wr_jobplan *j;
    struct wr_arena tmp;
    bool **need;         /* by node id: by output column */
    const int *width;    /* by node id: output columns before */
    int **map;           /* by node id: old output column -> new one; -1: gone */
};

/* ---- what is needed ---- */

struct marker { bool *need; };
static void mark_col(void *ctx, int col)
{
    ((struct marker *)ctx)->need[col] = true;
}

static void mark_expr(const struct wr_expr *x, bool *need)
{
    struct marker m = {need};
    wr_expr_columns(x, mark_col, &m);
}

static void mark_list(const int *col, int n, bool *need)
{
    for (int i = 0; i < n; i++)
        need[col[i]] = true;
}

static void mark_window(const struct wr_window *w, bool *need)
{
    if (w->kind == WR_WIN_NONE)
        return;
    if (w->time_col >= 0)
        need[w->time_col] = true;
    if (w->kind != WR_WIN_ATTACHED)
        return;
    if (w->start_col >= 0)
        need[w->start_col] = true;
    need[w->end_col] = true;
}

static int first_agg(const struct wr_plan *p)
{
    return p->out->n - p->u.agg.n_agg;
}

static void need_agg(const struct wr_plan *p, const bool *mine, bool *need)
{
    const struct wr_plan_agg *g = &p->u.agg;
    mark_list(g->key, g->n_key, need);
    mark_window(&g->win, need);
    for (int i = 0; i < g->n_agg; i++) {
        if (!mine[first_agg(p) + i])
            continue;
        mark_list(g->agg[i].arg, g->agg[i].n_arg, need);
        mark_list(g->agg[i].order, g->agg[i].n_order, need);
        if (g->agg[i].filter >= 0)
            need[g->agg[i].filter] = true;
    }
}

static void need_all(bool *need, int n)
{
    memset(need, 1, (size_t)n);
}

static void need_same(const bool *mine, int n, bool *need)
{
    for (int i = 0; i < n; i++)
        need[i] |= mine[i];
}

static bool has_reader(const struct prune *pr, const struct wr_plan *scan)
{
    for (int i = 0; i < pr->j->n_node; i++)
        for (int k = 0; k < pr->j->node[i]->n_in; k++)
            if (pr->j->node[i]->in[k] == scan)
                return true;
    return false;
}

static void need_inputs(struct prune *pr, const struct wr_plan *p)
{
    const bool *mine = pr->need[p->id];
    bool *in = p->n_in ? pr->need[p->in[0]->id] : NULL;
    switch (p->kind) {
    case WR_PLAN_SCAN:
    case WR_PLAN_VALUES: break;
    case WR_PLAN_SIDE:
        for (int i = 0; p->u.side.which == WR_SIDE_LATE && i < p->u.side.n_col; i++)
            if (mine[i])
                pr->need[p->u.side.scan->id][p->u.side.col[i]] = true;
        /* source$errors by itself: what is wrong with the columns as declared. Beside a query it shows what that query met. */
        if (p->u.side.which == WR_SIDE_ERRORS && !has_reader(pr, p->u.side.scan))
            need_all(pr->need[p->u.side.scan->id], p->u.side.scan->out->n);
        break;
    case WR_PLAN_WATERMARK:
        need_same(mine, p->out->n, in);
        in[p->u.watermark.time_col] = true;
        break;
    case WR_PLAN_FILTER:
        need_same(mine, p->out->n, in);
        mark_expr(p->u.filter.pred, in);
        break;
    case WR_PLAN_PROJECT:
        for (int i = 0; i < p->u.project.n; i++)
            if (mine[i])
                mark_expr(p->u.project.expr[i], in);
        break;
    case WR_PLAN_WINDOW:
        need_same(mine, p->in[0]->out->n, in);
        mark_window(&p->u.window.win, in);
        break;
    case WR_PLAN_LATE:
        need_same(mine, p->out->n, in);
        mark_window(&p->u.late.win, in);
        break;
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: need_agg(p, mine, in); break;
    case WR_PLAN_UNION:
        for (int i = 0; i < p->n_in; i++)
            need_same(mine, p->out->n, pr->need[p->in[i]->id]);
        break;
    case WR_PLAN_LOOKUP:
        need_same(mine, p->in[0]->out->n, in);
        mark_list(p->u.lookup.key, p->u.lookup.spec.n_key, in);
        break;
    case WR_PLAN_SETOP: /* rows are compared as a whole */
        need_all(in, p->out->n);
        need_all(pr->need[p->in[1]->id], p->out->n);
        break;
    case WR_PLAN_JOIN: wr_join_needs(p, p->in[0]->out->n, mine, (bool *[2]){in, pr->need[p->in[1]->id]}); break;
    case WR_PLAN_SORT:
        need_same(mine, p->out->n, in);
        mark_list(p->u.sort.col, p->u.sort.n, in);
        break;
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME:
    case WR_PLAN_EXPAND: wr_over_need(p, p->in[0]->out->n, mine, in); break;
    case WR_PLAN_UNNEST:
        need_same(mine, p->in[0]->out->n, in);
        mark_list(p->u.unnest.col, p->u.unnest.n, in);
        break;
    case WR_PLAN_MATCH: wr_match_need(p, mine, in); break;
    case WR_PLAN_LIMIT: need_same(mine, p->out->n, in); break;
    case WR_PLAN_EXCHANGE:
        need_same(mine, p->out->n, in);
        mark_list(p->u.exchange.key, p->u.exchange.n_key, in);
        break;
    case WR_PLAN_SINK: need_all(in, p->in[0]->out->n); break;
    case WR_PLAN_COUNT: break;
    }
}

/* ---- rebuilding ---- */

static int *remap_list(struct prune *pr, const int *col, int n, const int *map)
{
    int *out = wr_ints(pr->a, col, n);
    for (int i = 0; i < n; i++)
        out[i] = map[col[i]];
    return out;
}

static void remap_window(struct wr_window *w, const int *map)
{
    if (w->kind == WR_WIN_NONE)
        return;
    if (w->time_col >= 0)
        w->time_col = map[w->time_col];
    if (w->kind != WR_WIN_ATTACHED)
        return;
    if (w->start_col >= 0)
        w->start_col = map[w->start_col];
    w->end_col = map[w->end_col];
}

static void rebuild_scan(struct prune *pr, struct wr_plan *p)
{
    struct wr_source_spec *spec = &p->u.scan.spec;
    int *map = pr->map[p->id], k = 0;
    struct wr_coldef *col = WR_NEW_N(pr->a, struct wr_coldef, spec->n_col + 1);
    struct wr_schema *s = wr_schema_new(pr->a, spec->n_col);
    for (int i = 0; i < spec->n_col; i++) {
        bool stays = pr->need[p->id][i] || spec->col[i].not_null;
        map[i] = stays ? k : -1;
        if (!stays)
            continue;
        col[k] = spec->col[i];
        s->field[k++] = p->out->field[i];
    }
    s->n = k;
    spec->n_col = k;
    spec->col = col;
    spec->schema = s;
    p->out = s;
    for (int i = 0; i < p->n_ukey; i++)
        if (map[p->ukey[i]] < 0)
            p->n_ukey = -1;
    if (p->n_ukey > 0)
        p->ukey = remap_list(pr, p->ukey, p->n_ukey, map);
}

static void rebuild_side(struct prune *pr, struct wr_plan *p)
{
    int *map = pr->map[p->id], k = 0;
    const int *scan = pr->map[p->u.side.scan->id];
    for (int i = 0; i < p->out->n; i++)
        map[i] = i;
    if (p->u.side.which != WR_SIDE_LATE)
        return;
    int *col = WR_NEW_N(pr->a, int, p->u.side.n_col + 1);
    struct wr_schema *s = wr_schema_new(pr->a, p->u.side.n_col);
    for (int i = 0; i < p->u.side.n_col; i++) {
        map[i] = pr->need[p->id][i] ? k : -1;
        if (map[i] < 0)
            continue;
        col[k] = scan[p->u.side.col[i]];
        s->field[k++] = p->out->field[i];
    }
    s->n = k;
    p->u.side.n_col = k;
    p->u.side.col = col;
    p->out = s;
}

static void rebuild_values(struct prune *pr, struct wr_plan *p)
{
    int *map = pr->map[p->id];
    for (int i = 0; i < p->out->n; i++)
        map[i] = i;
}

static void rebuild_project(struct prune *pr, struct wr_plan *p, const int *in)
{
    int *map = pr->map[p->id], k = 0;
    struct wr_expr **expr = WR_NEW_N(pr->a, struct wr_expr *, p->u.project.n + 1);
    struct wr_schema *s = wr_schema_new(pr->a, p->u.project.n);
    for (int i = 0; i < p->u.project.n; i++) {
        map[i] = pr->need[p->id][i] ? k : -1;
        if (map[i] < 0)
            continue;
        expr[k] = wr_expr_remap(pr->a, p->u.project.expr[i], in);
        s->field[k++] = p->out->field[i];
    }
    s->n = k;
    p->u.project.n = k;
    p->u.project.expr = expr;
    p->out = s;
}

static void rebuild_window(struct prune *pr, struct wr_plan *p, const int *in, int old_n)
{
    int *map = pr->map[p->id];
    remap_window(&p->u.window.win, in);
    memcpy(map, in, sizeof(int) * (size_t)old_n);
    for (int i = 0; i < 3; i++)
        map[old_n + i] = p->in[0]->out->n + i;
}

static void rebuild_agg(struct prune *pr, struct wr_plan *p, const int *in)
{
    struct wr_plan_agg *g = &p->u.agg;
    int *map = pr->map[p->id], first = first_agg(p), k = 0;
    struct wr_aggcall *agg = WR_NEW_N(pr->a, struct wr_aggcall, g->n_agg + 1);
    for (int i = 0; i < first; i++)
        map[i] = i;
    for (int i = 0; i < g->n_agg; i++) {
        map[first + i] = pr->need[p->id][first + i] ? first + k : -1;
        if (map[first + i] < 0)
            continue;
        struct wr_aggcall *c = &agg[k++];
        *c = g->agg[i];
        for (int m = 0; m < c->n_arg; m++)
            c->arg[m] = in[c->arg[m]];
        for (int m = 0; m < c->n_order; m++)
            c->order[m] = in[c->order[m]];
        if (c->filter >= 0)
            c->filter = in[c->filter];
    }
    g->n_agg = k;
    g->agg = agg;
    g->key = remap_list(pr, g->key, g->n_key, in);
    remap_window(&g->win, in);
}

/* A projection of plain columns between a node and its input i: the columns with want[c], in order. NULL: the input is just that already. */
static struct wr_plan *narrow(struct prune *pr, struct wr_plan *in, int old_n, const bool *want)
{
    const int *map = pr->map[in->id];
    struct wr_expr **expr = WR_NEW_N(pr->a, struct wr_expr *, old_n + 1);
    struct wr_str *name = WR_NEW_N(pr->a, struct wr_str, old_n + 1);
    int k = 0;
    bool same = true;
    for (int i = 0; i < old_n; i++) {
        if (want && !want[i])
            continue;
        same &= map[i] == k;
        name[k] = in->out->field[map[i]].name;
        expr[k++] = wr_col_of(pr->a, in->out, map[i], -1);
    }
    if (same && k == in->out->n)
        return NULL;
    return wr_node_project(pr->a, in, k, expr, name);
}

static void rebuild_union(struct prune *pr, struct wr_plan *p)
{
    int *map = pr->map[p->id], k = 0;
    struct wr_schema *s = wr_schema_new(pr->a, p->out->n);
    for (int i = 0; i < p->out->n; i++) {
        map[i] = pr->need[p->id][i] ? k : -1;
        if (map[i] >= 0)
            s->field[k++] = p->out->field[i];
    }
    s->n = k;
    for (int i = 0; i < p->n_in; i++) {
        struct wr_plan *thin = narrow(pr, p->in[i], p->out->n, pr->need[p->id]);
        if (thin)
            p->in[i] = thin;
    }
    p->out = s;
}

static void rebuild_setop(struct prune *pr, struct wr_plan *p)
{
    for (int i = 0; i < p->out->n; i++)
        pr->map[p->id][i] = i;
    for (int s = 0; s < 2; s++) {
        struct wr_plan *thin = narrow(pr, p->in[s], p->out->n, NULL);
        if (thin)
            p->in[s] = thin;
    }
}

/* A join keeps whole rows, so each input gives just what this join needs, whoever else needs more of it. */
static void rebuild_join(struct prune *pr, struct wr_plan *p)
{
    int n[2], *map[2], id = p->id;
    bool *want[2];
    for (int s = 0; s < 2; s++) {
        n[s] = pr->width[p->in[s]->id];
        want[s] = WR_NEW_N(&pr->tmp, bool, n[s] + 1);
    }
    wr_join_needs(p, n[0], pr->need[id], want);
    for (int s = 0; s < 2; s++) {
        map[s] = WR_NEW_N(&pr->tmp, int, n[s] + 1);
        for (int i = 0, k = 0; i < n[s]; i++)
            map[s][i] = want[s][i] ? k++ : -1;
        struct wr_plan *thin = narrow(pr, p->in[s], n[s], want[s]);
        if (thin)
            p->in[s] = thin;
    }
    wr_join_remap(pr->a, p, n[0], n[1], map, pr->need[id], pr->map[id]);
}

/* These keep whole rows, so the input gives just what this node needs, whoever else needs more of it. */
static void rebuild_over(struct prune *pr, struct wr_plan *p, int old_in_n)
{
    bool *want = WR_NEW_N(&pr->tmp, bool, old_in_n + 1);
    int *in = WR_NEW_N(&pr->tmp, int, old_in_n + 1);
    wr_over_need(p, old_in_n, pr->need[p->id], want);
    for (int i = 0, k = 0; i < old_in_n; i++)
        in[i] = want[i] ? k++ : -1;
    struct wr_plan *thin = narrow(pr, p->in[0], old_in_n, want);
    if (thin)
        p->in[0] = thin;
    wr_over_rebuild(pr->a, p, pr->need[p->id], in, old_in_n, pr->map[p->id]);
}

/* It keeps whole rows: as rebuild_over. */
static void rebuild_match(struct prune *pr, struct wr_plan *p, int old_in_n)
{
    bool *want = WR_NEW_N(&pr->tmp, bool, old_in_n + 1);
    int *in = WR_NEW_N(&pr->tmp, int, old_in_n + 1), n = 0;
    wr_match_need(p, pr->need[p->id], want);
    for (int i = 0; i < old_in_n; i++)
        in[i] = want[i] ? n++ : -1;
    struct wr_plan *thin = narrow(pr, p->in[0], old_in_n, want);
    if (thin)
        p->in[0] = thin;
    wr_match_rebuild(pr->a, p, in);
    for (int i = 0; i < p->out->n; i++)
        pr->map[p->id][i] = !p->u.match.all_rows ? i : i < old_in_n ? in[i] : n + i - old_in_n;
}

static void rebuild_unnest(struct prune *pr, struct wr_plan *p, const int *in, int old_in_n)
{
    p->u.unnest.col = remap_list(pr, p->u.unnest.col, p->u.unnest.n, in);
    for (int i = 0; i < p->out->n; i++)
        pr->map[p->id][i] = i < old_in_n ? in[i] : p->in[0]->out->n + i - old_in_n;
}

static void rebuild_sort(struct prune *pr, struct wr_plan *p, const int *in)
{
    p->u.sort.col = remap_list(pr, p->u.sort.col, p->u.sort.n, in);
}

static void rebuild(struct prune *pr, struct wr_plan *p, int old_in_n)
{
    const int *in = p->n_in ? pr->map[p->in[0]->id] : NULL;
    bool passes = false;
    switch (p->kind) {
    case WR_PLAN_SCAN: rebuild_scan(pr, p); break;
    case WR_PLAN_VALUES: rebuild_values(pr, p); break;
    case WR_PLAN_SIDE: rebuild_side(pr, p); break;
    case WR_PLAN_WATERMARK:
        p->u.watermark.time_col = in[p->u.watermark.time_col];
        passes = true;
        break;
    case WR_PLAN_FILTER:
        p->u.filter.pred = wr_expr_remap(pr->a, p->u.filter.pred, in);
        passes = true;
        break;
    case WR_PLAN_PROJECT: rebuild_project(pr, p, in); break;
    case WR_PLAN_WINDOW: rebuild_window(pr, p, in, old_in_n); break;
    case WR_PLAN_LATE:
        remap_window(&p->u.late.win, in);
        passes = true;
        break;
    case WR_PLAN_AGG:
    case WR_PLAN_SESSION: rebuild_agg(pr, p, in); break;
    case WR_PLAN_UNION: rebuild_union(pr, p); break;
    case WR_PLAN_SETOP: rebuild_setop(pr, p); break;
    case WR_PLAN_LOOKUP:
        p->u.lookup.key = remap_list(pr, p->u.lookup.key, p->u.lookup.spec.n_key, in);
        for (int i = 0; i < p->out->n; i++)
            pr->map[p->id][i] = i < old_in_n ? in[i] : p->in[0]->out->n + i - old_in_n;
        break;
    case WR_PLAN_JOIN: rebuild_join(pr, p); break;
    case WR_PLAN_SORT:
        rebuild_sort(pr, p, in);
        passes = true;
        break;
    case WR_PLAN_TOP_N:
    case WR_PLAN_OVER:
    case WR_PLAN_OVER_TIME:
    case WR_PLAN_EXPAND: rebuild_over(pr, p, old_in_n); break;
    case WR_PLAN_UNNEST: rebuild_unnest(pr, p, in, old_in_n); break;
    case WR_PLAN_MATCH: rebuild_match(pr, p, old_in_n); break;
    case WR_PLAN_LIMIT: passes = true; break;
    case WR_PLAN_EXCHANGE:
        p->u.exchange.key = remap_list(pr, p->u.exchange.key, p->u.exchange.n_key, in);
        passes = true;
        break;
    case WR_PLAN_SINK: {
        struct wr_plan *thin = narrow(pr, p->in[0], old_in_n, NULL);
        if (thin)
            p->in[0] = thin;
        break;
    }
    case WR_PLAN_COUNT: break;
    }
    if (passes)
        pr->map[p->id] = pr->map[p->in[0]->id];
    wr_node_props(pr->a, p);
}

void wr_prune(struct wr_jobplan *j)
{
    struct prune pr = {.a = j->arena, .j = j};
    pr.need = WR_NEW_N(&pr.tmp, bool *, j->n_node + 1);
    pr.map = WR_NEW_N(&pr.tmp, int *, j->n_node + 1);
    int *width = WR_NEW_N(&pr.tmp, int, j->n_node + 1);
    for (int i = 0; i < j->n_node; i++) {
        width[i] = j->node[i]->out->n;
        pr.need[i] = WR_NEW_N(&pr.tmp, bool, width[i] + 1);
        pr.map[i] = WR_NEW_N(&pr.tmp, int, width[i] + 1);
    }
    pr.width = width;
    for (int i = j->n_node - 1; i >= 0; i--)
        need_inputs(&pr, j->node[i]);
    for (int i = 0; i < j->n_node; i++) {
        struct wr_plan *p = j->node[i];
        rebuild(&pr, p, p->n_in ? width[p->in[0]->id] : 0);
    }
    wr_arena_clear(&pr.tmp);
    wr_number(j);
}

/* node_match.c: MATCH_RECOGNIZE as a plan node: properties, pruning, EXPLAIN.
 * Memory: the arena given. */
#include "core/time.h"
#include "planner/internal.h"

void wr_match_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_match *m = &p->u.match;
    const struct wr_schema *in = p->in[0]->out;
    int first = m->all_rows ? in->n : m->by.n_part;
    struct wr_schema *s = wr_schema_new(a, first + m->n_measure);
    for (int i = 0; i < first; i++)
        s->field[i] = in->field[m->all_rows ? i : m->by.part[i]];
    for (int i = 0; i < m->n_measure; i++)
        s->field[first + i] = m->field[i];
    p->out = s;
    p->updating = false;
    p->time_col = m->time_measure >= 0 ? first + m->time_measure : m->all_rows && wr_node_has_watermark(p->in[0]) ? m->by.order[0] : -1;
    p->win_start = p->win_end = -1;
    p->win_kind = WR_WIN_NONE;
    p->n_ukey = -1;
}

void wr_match_need(const struct wr_plan *p, const bool *mine, bool *in)
{
    const struct wr_plan_match *m = &p->u.match;
    for (int i = 0; m->all_rows && i < p->out->n - m->n_measure; i++)
        in[i] |= mine[i];
    for (int i = 0; i < m->by.n_part; i++)
        in[m->by.part[i]] = true;
    for (int i = 0; i < m->by.n_order; i++)
        in[m->by.order[i]] = true;
    for (int i = 0; i < m->n_nav; i++) {
        const struct wr_match_nav *v = &m->nav[i];
        if (v->kind == WR_NAV_FIRST || v->kind == WR_NAV_LAST)
            in[v->col] = true;
        for (int k = 0; v->kind == WR_NAV_AGG && k < v->agg.n_arg; k++)
            in[v->agg.arg[k]] = true;
        for (int k = 0; v->kind == WR_NAV_AGG && k < v->agg.n_order; k++)
            in[v->agg.order[k]] = true;
    }
}

static int *moved(struct wr_arena *a, const int *col, int n, const int *in)
{
    int *out = wr_ints(a, col, n);
    for (int i = 0; i < n; i++)
        out[i] = in[col[i]];
    return out;
}

void wr_match_rebuild(struct wr_arena *a, struct wr_plan *p, const int *in)
{
    struct wr_plan_match *m = &p->u.match;
    m->by.part = moved(a, m->by.part, m->by.n_part, in);
    m->by.order = moved(a, m->by.order, m->by.n_order, in);
    for (int i = 0; i < m->n_nav; i++) {
        struct wr_match_nav *v = &m->nav[i];
        if (v->kind == WR_NAV_FIRST || v->kind == WR_NAV_LAST)
            v->col = in[v->col];
        for (int k = 0; v->kind == WR_NAV_AGG && k < v->agg.n_arg; k++)
            v->agg.arg[k] = in[v->agg.arg[k]];
        for (int k = 0; v->kind == WR_NAV_AGG && k < v->agg.n_order; k++)
            v->agg.order[k] = in[v->agg.order[k]];
    }
}

void wr_match_print(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_match *m = &p->u.match;
    const struct wr_schema *in = p->in[0]->out;
    for (int i = 0; i < m->by.n_part; i++)
        wr_buf_printf(out, "%s%.*s", i ? ", " : " by ", WR_FMT(in->field[m->by.part[i]].name));
    wr_buf_printf(out, "%s in order of %.*s: ", m->by.n_part ? "," : "", WR_FMT(in->field[m->by.order[0]].name));
    for (int i = 0; i < m->n_var; i++) {
        wr_buf_printf(out, "%s%.*s", i ? ", " : "", WR_FMT(m->var[i].name));
        if (m->var[i].define) {
            wr_buf_puts(out, " = ");
            wr_expr_print(out, m->var[i].define, m->navs);
        }
    }
    if (m->within >= 0) {
        wr_buf_puts(out, ", within ");
        wr_duration_print(out, m->within);
    }
}

void wr_match_print_state(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_match *m = &p->u.match;
    wr_buf_puts(out, "keeps rows from the start of an open match");
    if (m->within >= 0) {
        wr_buf_puts(out, ", at most ");
        wr_duration_print(out, m->within);
    }
    if (m->by.ttl > 0) {
        wr_buf_puts(out, "; partitions go when untouched for ");
        wr_duration_print(out, m->by.ttl);
    }
}

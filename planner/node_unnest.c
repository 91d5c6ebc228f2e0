/* node_unnest.c: UNNEST as a plan node: properties, equality, EXPLAIN.
 * Rules:  rows of the input are told apart by the element's number only where there is one: else the result has no known key.
 * Memory: the arena given. */
#include "planner/internal.h"

void wr_unnest_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_unnest *u = &p->u.unnest;
    const struct wr_plan *in = p->in[0];
    struct wr_schema *s = wr_schema_new(a, in->out->n + u->n_made);
    for (int i = 0; i < s->n; i++)
        s->field[i] = i < in->out->n ? in->out->field[i] : u->made[i - in->out->n];
    p->out = s;
    if (in->n_ukey < 0 || !u->ordinality) {
        p->n_ukey = -1;
        return;
    }
    int *key = WR_NEW_N(a, int, in->n_ukey + 1);
    for (int i = 0; i < in->n_ukey; i++)
        key[i] = in->ukey[i];
    key[in->n_ukey] = s->n - 1;
    p->ukey = key;
    p->n_ukey = in->n_ukey + 1;
}

bool wr_unnest_same(const struct wr_plan *a, const struct wr_plan *b)
{
    const struct wr_plan_unnest *x = &a->u.unnest, *y = &b->u.unnest;
    if (x->n != y->n || x->outer != y->outer || x->ordinality != y->ordinality)
        return false;
    for (int i = 0; i < x->n; i++)
        if (x->col[i] != y->col[i])
            return false;
    for (int i = 0; i < x->n_made; i++)
        if (!wr_str_eq(x->made[i].name, y->made[i].name))
            return false;
    return true;
}

void wr_unnest_print(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_unnest *u = &p->u.unnest;
    for (int i = 0; i < u->n; i++)
        wr_buf_printf(out, "%s%.*s", i ? ", " : " ", WR_FMT(p->in[0]->out->field[u->col[i]].name));
    if (u->ordinality)
        wr_buf_puts(out, " with ordinality");
    if (u->outer)
        wr_buf_puts(out, ", rows without elements stay");
}

/* agg_distinct.c: DISTINCT around any aggregate.
 * Rules:  a map counts how often each combination of argument values is held; the aggregate itself sees a value when its count becomes
 *         positive and loses it when it stops being so. Counts may pass below 0 (see omap.h), so merging works in any order.
 *         A combination with a NULL in it is skipped, unless the aggregate keeps NULLs.
 *         Merging never merges the inner states: the values that change sides are fed again as rows, made from their keys.
 * Memory: the map is the state's; the rows made for a merge live for the call. */
#include "core/agg_impl.h"

#include <stdlib.h>

enum { PIECE = 256 }; /* rows handed on at once */

/* Rows that change the inner state, collected until PIECE. */
struct pass {
    struct wr_aggcall call;    /* the inner call */
    const struct wr_batch *in;
    void *one;                 /* the inner state they all go to; NULL: group */
    char *group[PIECE];
    uint32_t row[PIECE];
    uint32_t n;
};

static void pass_flush(struct pass *p)
{
    if (p->n == 0)
        return;
    if (p->one)
        wr_aggcall_add_run(&p->call, p->one, p->in, p->row, p->n);
    else
        p->call.fn->add(&p->call, p->group, p->in, p->row, p->n);
    p->n = 0;
}

static bool has_null(const struct wr_aggcall *c, const struct wr_batch *in, uint32_t row)
{
    for (int i = 0; i < c->n_arg; i++)
        if (wr_vec_null(wr_agg_arg(c, in, i), row))
            return true;
    return false;
}

/* True if adding delta to a count that then is `now` changes whether the value is held. */
static bool crosses(int64_t now, int64_t delta)
{
    return (now > 0) != (now - delta > 0);
}

void wr_agg_distinct_add(const struct wr_aggcall *c, char *const *group, void *one, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct pass p;
    p.call = wr_agg_inner(c);
    p.in = in;
    p.one = one ? (char *)one + WR_AGG_DISTINCT_HEAD : NULL;
    p.n = 0;
    struct wr_buf key = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = wr_agg_row(sel, k);
        if (!c->fn->keep_null && has_null(c, in, row))
            continue;
        wr_buf_reset(&key);
        for (int i = 0; i < c->n_arg; i++)
            wr_key_put(&key, wr_agg_arg(c, in, i), row, false, false);
        int64_t delta = wr_agg_sign(in, row);
        void *state = one ? one : (void *)(group[k] + c->offset);
        if (!crosses(wr_omap_add(state, wr_buf_get(&key), delta), delta))
            continue;
        if (!one)
            p.group[p.n] = group[k];
        p.row[p.n++] = row;
        if (p.n == PIECE)
            pass_flush(&p);
    }
    pass_flush(&p);
    wr_buf_clear(&key);
}

/* A batch of PIECE rows with the arguments as columns 0..n_arg-1, filled from keys. */
struct made {
    struct wr_batch *b;
    int8_t op[PIECE];
    struct wr_arena mem;  /* the columns */
    struct wr_arena text; /* what they point to; emptied with every PIECE */
};

static void made_begin(struct made *m, const struct wr_aggcall *c)
{
    m->mem = m->text = (struct wr_arena){0};
    m->b = wr_calloc(1, sizeof *m->b + (size_t)c->n_arg * sizeof m->b->col[0]);
    m->b->n_col = c->n_arg;
    m->b->cap = PIECE;
    m->b->op = m->op;
    for (int i = 0; i < c->n_arg; i++) {
        wr_vec_init(&m->b->col[i], c->arg_type[i], PIECE, &m->mem);
        (void)wr_vec_nulls(&m->b->col[i], PIECE, &m->mem);
    }
}

/* false: the key does not hold such values (a state that was loaded from rubbish). */
static bool made_row(struct made *m, const struct wr_aggcall *c, struct wr_str key, uint32_t row, bool retract)
{
    for (int i = 0; i < c->n_arg; i++) {
        struct wr_value val;
        if (!wr_key_take(&key, c->arg_type[i], false, false, &m->text, &val))
            return false;
        wr_vec_set(&m->b->col[i], row, &val, PIECE, &m->text);
    }
    m->op[row] = retract ? WR_OP_DELETE : WR_OP_INSERT;
    return true;
}

static void made_end(struct made *m)
{
    wr_arena_clear(&m->mem);
    wr_arena_clear(&m->text);
    free(m->b);
}

void wr_agg_distinct_merge(const struct wr_aggcall *c, void *into, const void *from)
{
    struct pass p;
    struct made m;
    made_begin(&m, c);
    p.call = wr_agg_inner(c);
    p.in = m.b;
    p.one = (char *)into + WR_AGG_DISTINCT_HEAD;
    p.n = 0;
    for (int i = 0; i < c->n_arg; i++)
        p.call.arg[i] = i; /* ORDER BY with DISTINCT is by_arg */
    for (struct wr_omap_it it = wr_omap_first(from); wr_omap_valid(it); wr_omap_next(&it)) {
        int64_t delta = wr_omap_num(it);
        if (!crosses(wr_omap_add(into, wr_omap_key(it), delta), delta) || !made_row(&m, c, wr_omap_key(it), p.n, delta < 0))
            continue;
        p.row[p.n] = p.n;
        p.n++;
        if (p.n == PIECE) {
            pass_flush(&p);
            wr_arena_reset(&m.text);
        }
    }
    pass_flush(&p);
    made_end(&m);
}

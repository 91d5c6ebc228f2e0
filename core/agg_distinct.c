/* agg_distinct.c: DISTINCT around any aggregate.
 * Rules:  a multiset counts how often each combination of argument values is held; the aggregate itself sees a value when its count becomes
 *         positive and loses it when it stops being so. Counts may pass below 0 (see multiset.h), so merging works in any order.
 *         A combination with a NULL in it is skipped, unless the aggregate keeps NULLs.
 *         Merging never merges the inner states: the values that change sides are fed again as rows, made from their keys, in the order of keys.
 * Memory: the multiset is the state's; the rows made for a merge live for the call. */
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

static void *state_at(const struct wr_aggcall *c, char *const *group, void *one, uint32_t k)
{
    return one ? one : (void *)(group[k] + c->offset);
}

static void pass_on(struct pass *p, char *const *group, uint32_t k, uint32_t row)
{
    if (!p->one)
        p->group[p->n] = group[k];
    p->row[p->n++] = row;
    if (p->n == PIECE)
        pass_flush(p);
}

/* One argument of 64 bits: no key is written, and the cache misses of AHEAD rows are on their way together. */
static void add_words(const struct wr_aggcall *c, struct pass *p, char *const *group, void *one, const uint32_t *sel, uint32_t n)
{
    enum { AHEAD = 64 };
    const struct wr_vec *v = wr_agg_arg(c, p->in, 0);
    const int64_t *x = WR_VEC_I64(v);
    for (uint32_t from = 0; from < n; from += AHEAD) {
        uint32_t to = n - from < AHEAD ? n : from + AHEAD;
        for (uint32_t k = from; k < to; k++)
            __builtin_prefetch(state_at(c, group, one, k));
        for (uint32_t k = from; k < to; k++)
            wr_multiset_expect_word(state_at(c, group, one, k), wr_multiset_of_i64(x[wr_vec_at(v, wr_agg_row(sel, k))]));
        for (uint32_t k = from; k < to; k++) {
            uint32_t row = wr_agg_row(sel, k);
            if (wr_vec_null(v, row))
                continue;
            int64_t delta = wr_agg_sign(p->in, row);
            if (crosses(wr_multiset_add_word(state_at(c, group, one, k), wr_multiset_of_i64(x[wr_vec_at(v, row)]), delta), delta))
                pass_on(p, group, k, row);
        }
    }
}

static void add_keys(const struct wr_aggcall *c, struct pass *p, char *const *group, void *one, const uint32_t *sel, uint32_t n)
{
    struct wr_buf key = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t row = wr_agg_row(sel, k);
        if (!c->fn->keep_null && has_null(c, p->in, row))
            continue;
        wr_buf_reset(&key);
        for (int i = 0; i < c->n_arg; i++)
            wr_key_put(&key, wr_agg_arg(c, p->in, i), row, false, false);
        int64_t delta = wr_agg_sign(p->in, row);
        if (crosses(wr_multiset_add(state_at(c, group, one, k), wr_buf_get(&key), delta), delta))
            pass_on(p, group, k, row);
    }
    wr_buf_clear(&key);
}

void wr_agg_distinct_add(const struct wr_aggcall *c, char *const *group, void *one, const struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct pass p;
    p.call = wr_agg_inner(c);
    p.in = in;
    p.one = one ? (char *)one + WR_AGG_DISTINCT_HEAD : NULL;
    p.n = 0;
    if (c->n_arg == 1 && !c->fn->keep_null && wr_agg_phys(c, 0) == WR_P_I64)
        add_words(c, &p, group, one, sel, n);
    else
        add_keys(c, &p, group, one, sel, n);
    pass_flush(&p);
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
    struct wr_arena mem = {0};
    const struct wr_multiset_item *it = wr_multiset_sort(from, &mem);
    for (const struct wr_multiset_item *end = it + wr_multiset_n(from); it < end; it++) {
        if (!crosses(wr_multiset_add(into, it->key, it->num), it->num) || !made_row(&m, c, it->key, p.n, it->num < 0))
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
    wr_arena_clear(&mem);
}

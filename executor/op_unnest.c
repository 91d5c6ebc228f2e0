/* op_unnest.c: a row for each element of its arrays.
 * Rules:  elements in order; several arrays side by side, the shorter ones filled up with NULL; a NULL or empty array gives no row (outer: one of NULLs).
 *         No state: a row that is taken back takes back the same rows. Damaged bytes of an array (from a damaged state) make the row bad.
 * Memory: rows are remade in batches of at most MOST rows; texts are borrowed from the held input. */
#include "core/nested.h"
#include "executor/internal.h"

enum { MOST = 2 * WR_BATCH_ROWS };

struct making {
    struct wr_op *op;
    struct wr_batch *in, *out;   /* out NULL: none begun */
    uint32_t *from;              /* by row of out: the input's row */
    int64_t *wm;
    int8_t *ops;                 /* NULL: the input only adds */
};

static void begin(struct making *m)
{
    if (m->out)
        return;
    m->out = wr_batch_new(m->op->plan->out, MOST);
    wr_batch_hold(m->out, (void (*)(void *))wr_batch_unref, wr_batch_ref(m->in));
    m->from = wr_arena_alloc(&m->out->mem, sizeof *m->from * MOST);
    m->wm = wr_arena_alloc(&m->out->mem, sizeof *m->wm * MOST);
    m->ops = m->in->op ? wr_arena_alloc(&m->out->mem, MOST) : NULL;
}

/* Hands on what is there. */
static wr_status pass(struct making *m, struct wr_error *err)
{
    struct wr_batch *out = m->out;
    if (!out)
        return WR_OK;
    m->out = NULL;
    out->n_live = out->len;
    for (int c = 0; c < m->in->n_col; c++)
        wr_vec_gather(&out->col[c], &m->in->col[c], m->from, out->len, &out->mem, false);
    out->wm = m->wm;
    out->wm0 = m->in->wm0;
    out->op = m->ops;
    return wr_emit(m->op, out, err);
}

/* Text is borrowed: it lies in the input. */
static void put(struct wr_batch *out, int col, uint32_t row, const struct wr_value *v)
{
    struct wr_vec one;
    uint8_t null;
    wr_vec_of(&one, v, &null);
    if (v->null)
        wr_vec_nulls(&out->col[col], out->cap, &out->mem);
    wr_vec_copy(&out->col[col], row, &one, 0);
}

/* An element into its columns, from *col on; v NULL: there is none. */
static void put_element(struct wr_batch *out, struct wr_type type, const struct wr_value *v, uint32_t row, int *col)
{
    struct wr_nested_iter it;
    struct wr_value member = {.null = true};
    if (type.id != WR_T_ROW) {
        struct wr_value none = {.type = type, .null = true};
        put(out, (*col)++, row, v ? v : &none);
        return;
    }
    bool there = v && !v->null && wr_nested_iter(&it, type, v->as.s);
    for (int i = 0; i < type.sub->n; i++) {
        member = (struct wr_value){.type = type.sub->field[i].type, .null = true};
        if (there && !wr_nested_next(&it, &member))
            member.null = true;
        put(out, (*col)++, row, &member);
    }
}

static void put_row(struct making *m, struct wr_nested_iter *it, const bool *has, uint32_t row, int64_t number)
{
    const struct wr_plan_unnest *u = &m->op->plan->u.unnest;
    begin(m);
    uint32_t to = m->out->len++;
    int col = m->in->n_col;
    for (int i = 0; i < u->n; i++) {
        struct wr_value v;
        bool there = has[i] && wr_nested_next(&it[i], &v);
        put_element(m->out, m->in->col[u->col[i]].type.sub->field[0].type, there ? &v : NULL, to, &col);
    }
    if (u->ordinality) {
        struct wr_value n = {.type = WR_TYPE_OF(BIGINT), .null = number == 0, .as.i = number};
        put(m->out, col, to, &n);
    }
    m->from[to] = row;
    m->wm[to] = wr_batch_wm(m->in, row);
    if (m->ops)
        m->ops[to] = m->in->op[row];
}

static wr_status unnest_row(struct making *m, uint32_t row, struct wr_nested_iter *it, bool *has, struct wr_error *err)
{
    struct wr_op *op = m->op;
    const struct wr_plan_unnest *u = &op->plan->u.unnest;
    uint32_t most = 0;
    for (int i = 0; i < u->n; i++) {
        const struct wr_vec *v = &m->in->col[u->col[i]];
        has[i] = !wr_vec_null(v, row);
        if (has[i] && !wr_nested_iter(&it[i], v->type, WR_VEC_STR(v)[wr_vec_at(v, row)]))
            return wr_op_bad(op, m->in, row, WR_R_CAST, (struct wr_str){0}, WR_STR("damaged array"), err);
        if (has[i] && it[i].n > most)
            most = it[i].n;
    }
    if (most == 0 && !u->outer) {
        op->n.filtered++;
        return WR_OK;
    }
    op->n.passed++;
    for (uint32_t k = 0; k < (most ? most : 1); k++) {
        put_row(m, it, has, row, most ? (int64_t)k + 1 : 0);
        if (m->out->len == MOST)
            WR_TRY(pass(m, err));
    }
    return WR_OK;
}

static wr_status unnest_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    const struct wr_plan_unnest *u = &op->plan->u.unnest;
    struct wr_arena scratch = {0};
    struct wr_nested_iter *it = WR_NEW_N(&scratch, struct wr_nested_iter, u->n + 1);
    bool *has = WR_NEW_N(&scratch, bool, u->n + 1);
    struct making m = {.op = op, .in = b};
    wr_status st = WR_OK;
    for (uint32_t k = 0; k < b->n_live && st == WR_OK; k++)
        st = unnest_row(&m, wr_batch_row(b, k), it, has, err);
    if (st == WR_OK)
        st = pass(&m, err);
    wr_batch_unref(m.out);
    wr_batch_unref(b);
    wr_arena_clear(&scratch);
    return st;
}

const struct wr_op_vt wr_op_unnest = {
    .name = "unnest", .open = wr_op_no_open, .process = unnest_process, .watermark = wr_op_pass_watermark, .tick = wr_op_no_tick,
    .flush = wr_op_no_flush, .finish = wr_op_no_finish, WR_OP_STATELESS, .close = wr_op_no_close,
};

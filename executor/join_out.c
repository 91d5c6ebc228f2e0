/* join_out.c: puts the results of a join together, column by column, many at a time.
 * Rules:  a result that is given and taken back within one batch is not sent on; -D directly before +I of the same unique key is sent on as -U, +U.
 * Memory: texts of the batch at hand are borrowed (the result holds that batch); those of kept rows are copied. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/join.h"

void wr_join_bury(struct wr_join_op *j, struct wr_row *x)
{
    if (j->n_dead == j->cap_dead) {
        j->cap_dead = j->cap_dead ? j->cap_dead * 2 : 64;
        j->dead = wr_realloc(j->dead, sizeof(struct wr_row *) * j->cap_dead);
    }
    j->dead[j->n_dead++] = x;
}

/* ---- columns ---- */

/* from's rows row[0..n) into out; WR_NO_ROW: NULL. Texts are borrowed. */
static void own_column(struct wr_vec *out, const struct wr_vec *from, const uint32_t *row, uint32_t n, bool gaps, struct wr_arena *mem)
{
    if (!gaps) {
        wr_vec_gather(out, from, row, n, mem, false);
        return;
    }
    wr_vec_init(out, from->type, n ? n : 1, mem);
    uint8_t *nulls = wr_vec_nulls(out, n ? n : 1, mem);
    uint32_t width = wr_phys_width(wr_type_phys((enum wr_tid)from->type.id));
    for (uint32_t k = 0; k < n; k++) {
        nulls[k] = row[k] == WR_NO_ROW;
        if (nulls[k])
            memset((char *)out->data + (size_t)k * width, 0, width);
        else
            wr_vec_copy(out, k, from, row[k]);
    }
}

static void null_column(struct wr_vec *out, struct wr_type type, uint32_t n, struct wr_arena *mem)
{
    wr_vec_init(out, type, n ? n : 1, mem);
    memset(wr_vec_nulls(out, n ? n : 1, mem), 1, n);
    memset(out->data, 0, (size_t)n * wr_phys_width(wr_type_phys((enum wr_tid)type.id)));
}

static void release(void *b) { wr_batch_unref(b); }

struct wr_batch *wr_join_columns(struct wr_op *op, const struct wr_schema *schema, const int *col, int s, struct wr_batch *b, const uint32_t *row,
                                 struct wr_row *const *mate, uint32_t n, bool deep)
{
    struct wr_join_op *j = op->ctx;
    int n_left = op->plan->in[0]->out->n;
    struct wr_batch *out = wr_batch_new(schema, 0); /* each column makes its own room */
    out->cap = out->len = out->n_live = n;
    out->wm0 = op->wm_out;
    bool gaps = !b, borrows = false;
    for (uint32_t k = 0; k < n && !gaps; k++)
        gaps = row[k] == WR_NO_ROW;
    for (int i = 0; i < schema->n; i++) {
        int side = col[i] >= n_left, c = col[i] - (side ? n_left : 0);
        if (side != s) {
            wr_rows_column(&j->side[side].layout, c, mate, n, &out->col[i], &out->mem, deep);
        } else if (b) {
            own_column(&out->col[i], &b->col[c], row, n, gaps, &out->mem);
            borrows |= wr_type_phys((enum wr_tid)b->col[c].type.id) == WR_P_STR;
        } else {
            null_column(&out->col[i], schema->field[i].type, n, &out->mem);
        }
    }
    if (borrows)
        wr_batch_hold(out, release, wr_batch_ref(b));
    return out;
}

/* ---- what cancels out ---- */

static bool same_rows(const struct wr_batch *b, uint32_t i, uint32_t k, const int *col, int n)
{
    for (int c = 0; c < n; c++) {
        const struct wr_vec *v = &b->col[col ? col[c] : c];
        bool null = wr_vec_null(v, i);
        if (null != wr_vec_null(v, k) || (!null && wr_vec_cmp(v, i, v, k) != 0))
            return false;
    }
    return true;
}

/* Takes out pairs of +x and -x; alive[k] says what is left. Equal rows are chained by hash, latest first. */
static uint32_t cancel(struct wr_join_op *j, const struct wr_batch *b, const int8_t *ops, uint8_t *alive)
{
    uint32_t n = b->len, size = 64, left = n;
    while (size < n * 2)
        size *= 2;
    uint64_t *hash = wr_arena_alloc(&j->scratch, sizeof *hash * n);
    uint32_t *head = wr_arena_zero(&j->scratch, sizeof *head * size), *next = wr_arena_alloc(&j->scratch, sizeof *next * n);
    int *col = wr_arena_alloc(&j->scratch, sizeof *col * (size_t)(b->n_col + 1));
    for (int c = 0; c < b->n_col; c++)
        col[c] = c;
    wr_hash_rows(b, col, b->n_col, NULL, n, 0, hash);
    for (uint32_t k = 0; k < n; k++) {
        uint32_t *at = &head[hash[k] & (size - 1)];
        alive[k] = 1;
        for (uint32_t *to = at; *to; to = &next[*to - 1]) {
            uint32_t i = *to - 1;
            if (hash[i] != hash[k] || wr_op_is_retract(ops[i]) == wr_op_is_retract(ops[k]) || !same_rows(b, i, k, NULL, b->n_col))
                continue;
            alive[i] = alive[k] = 0;
            left -= 2;
            *to = next[i];
            break;
        }
        if (!alive[k])
            continue;
        next[k] = *at;
        *at = k + 1;
    }
    return left;
}

/* -D, +I of one key next to each other are an update. */
static void pair_up(const struct wr_op *op, const struct wr_batch *b, const uint32_t *row, uint32_t n, int8_t *ops)
{
    const struct wr_plan *p = op->plan;
    for (uint32_t k = 0; p->n_ukey >= 0 && k + 1 < n; k++) {
        uint32_t i = row[k], m = row[k + 1];
        if (ops[i] != WR_OP_DELETE || ops[m] != WR_OP_INSERT || !same_rows(b, i, m, p->ukey, p->n_ukey))
            continue;
        ops[i] = WR_OP_UPDATE_BEFORE;
        ops[m] = WR_OP_UPDATE_AFTER;
        k++;
    }
}

static struct wr_batch *settle_changes(struct wr_op *op, struct wr_batch *b, int8_t *ops)
{
    struct wr_join_op *j = op->ctx;
    uint8_t *alive = wr_arena_alloc(&j->scratch, b->len);
    uint32_t left = cancel(j, b, ops, alive), n = 0;
    uint32_t *row = wr_arena_alloc(&j->scratch, sizeof *row * (left ? left : 1));
    for (uint32_t k = 0; k < b->len; k++)
        if (alive[k])
            row[n++] = k;
    pair_up(op, b, row, n, ops);
    b->op = ops;
    return wr_batch_select(b, row, n);
}

/* ---- the queue ---- */

static void free_dead(struct wr_join_op *j)
{
    for (uint32_t i = 0; i < j->n_dead; i++)
        wr_row_free(j->dead[i]);
    j->n_dead = 0;
}

/* Rows that died stay: candidates of this batch that are still to be met may be among them. */
static wr_status emit_so_far(struct wr_op *op, int s, struct wr_batch *b, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    uint32_t n = j->n_out;
    uint32_t *row = wr_arena_alloc(&j->scratch, sizeof *row * n);
    struct wr_row **mate = wr_arena_alloc(&j->scratch, sizeof *mate * n);
    bool changes = false;
    for (uint32_t k = 0; k < n; k++) {
        row[k] = j->out[k].row;
        mate[k] = j->out[k].mate;
        changes |= j->out[k].op != WR_OP_INSERT;
    }
    struct wr_batch *out = wr_join_columns(op, op->plan->out, j->p->col, s, b, row, mate, n, true);
    if (changes) {
        int8_t *ops = wr_arena_alloc(&out->mem, n);
        for (uint32_t k = 0; k < n; k++)
            ops[k] = j->out[k].op;
        out = settle_changes(op, out, ops);
    }
    j->n_out = 0;
    return wr_emit(op, out, err);
}

wr_status wr_join_emit(struct wr_op *op, int s, struct wr_batch *b, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    wr_status st = j->n_out ? emit_so_far(op, s, b, err) : WR_OK;
    free_dead(j);
    return st;
}

wr_status wr_join_give(struct wr_op *op, int s, struct wr_batch *b, uint32_t row, struct wr_row *mate, int8_t kind, int64_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    if (!j->out) {
        j->cap_out = WR_BATCH_ROWS;
        j->out = wr_malloc(sizeof *j->out * j->cap_out);
    }
    for (; n > 0; n--) {
        if (j->n_out == j->cap_out)
            WR_TRY(emit_so_far(op, s, b, err));
        j->out[j->n_out++] = (struct wr_join_out){row, kind, mate};
    }
    return WR_OK;
}

/* join_version.c: FOR SYSTEM_TIME AS OF: each left row meets the right row of its key that was the latest at its time.
 *
 *   left rows    wait until the watermark has passed their time: then every version up to it has come
 *   right rows   versions: the latest that the watermark has passed stays, those before it are let go
 *
 * Rules:  left rows come out in order of their time, ties by arrival, and each once. Of versions with the same time the one that arrived last counts.
 *         Only additions come in. With a condition the latest version has to meet it: an earlier one is not looked for.
 * Memory: rows as in join.h. */
#include <stdlib.h>

#include "executor/join.h"

enum { AT_ONCE = 2048 };

wr_status wr_version_rows(struct wr_op *op, int s, struct wr_batch *b, const uint32_t *row, const uint64_t *hash, const uint8_t *alone, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_rows *mine = &j->pane[0]->rows[s];
    for (uint32_t k = 0; k < n; k++) {
        if (alone[k] && !j->side[s].shows) {
            op->n.filtered++;
            continue;
        }
        /* a left row without a key waits as well: results come in order of time */
        struct wr_row *x = wr_rows_add(mine, b, row[k], hash[k], 1);
        x->mark = alone[k];
        op->n.held++;
        wr_join_due(j, s, x);
    }
    return wr_join_emit(op, s, b, err);
}

/* The version of x's key that was the latest at x's time; NULL: there was none yet. */
static struct wr_row *version_of(struct wr_join_op *j, const struct wr_row *x)
{
    struct wr_rows *versions = &j->pane[0]->rows[1];
    struct wr_bucket *k = x->mark ? NULL : wr_rows_like(versions, &j->side[0].layout, x);
    uint32_t from, to;
    if (!k)
        return NULL;
    wr_bucket_range(versions, k, INT64_MIN, wr_row_time(&j->side[0].layout, x), &from, &to);
    return to > 0 ? wr_bucket_row(k, to - 1) : NULL;
}

/* Versions that do not meet the condition count as none. */
static wr_status check(struct wr_op *op, struct wr_batch *b, struct wr_row **version, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    uint8_t *fits = wr_arena_alloc(&j->scratch, n + 1);
    if (!j->cond)
        return WR_OK;
    if (j->cap_cand < n) {
        j->cap_cand = AT_ONCE;
        j->cand = wr_realloc(j->cand, sizeof(struct wr_row *) * j->cap_cand);
        j->cand_row = wr_realloc(j->cand_row, sizeof(uint32_t) * j->cap_cand);
    }
    j->n_cand = 0;
    for (uint32_t k = 0; k < n; k++) {
        if (!version[k])
            continue;
        j->cand[j->n_cand] = version[k];
        j->cand_row[j->n_cand++] = k;
    }
    WR_TRY(wr_join_try(op, 0, b, fits, err));
    for (uint32_t i = 0; i < j->n_cand; i++)
        if (!fits[i])
            version[j->cand_row[i]] = NULL;
    j->n_cand = 0;
    return WR_OK;
}

/* The results of left rows x[0..n). */
static wr_status show(struct wr_op *op, struct wr_row **x, uint32_t n, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    const struct wr_schema *left = op->plan->in[0]->out;
    struct wr_batch *b = wr_batch_new(left, 0); /* each column makes its own room */
    struct wr_row **version = wr_arena_alloc(&j->scratch, sizeof *version * (n + 1));
    b->cap = b->len = b->n_live = n;
    b->wm0 = op->wm_out;
    for (int c = 0; c < left->n; c++)
        wr_rows_column(&j->side[0].layout, c, x, n, &b->col[c], &b->mem, true);
    for (uint32_t k = 0; k < n; k++)
        version[k] = version_of(j, x[k]);
    wr_status st = check(op, b, version, n, err);
    for (uint32_t k = 0; k < n && st == WR_OK; k++)
        if (version[k] || j->side[0].shows)
            st = wr_join_give(op, 0, b, k, version[k], WR_OP_INSERT, 1, err);
    if (st == WR_OK)
        st = wr_join_emit(op, 0, b, err);
    wr_batch_unref(b);
    return st;
}

/* Versions that a later one has replaced before w. */
static wr_status forget_versions(struct wr_op *op, int64_t w, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_rows *t = &j->pane[0]->rows[1];
    int64_t all = w == INT64_MAX ? w : w + 1, upto; /* rows of time w are still to come, and see the version of time w */
    do {
        wr_join_bring(op, 1, all, &upto);
        for (struct wr_row *x; (x = wr_join_queue_take(&j->side[1].queue, upto));) {
            struct wr_bucket *k = x->bucket;
            while (wr_bucket_row(k, 0) != x) {
                struct wr_row *old = wr_bucket_row(k, 0);
                wr_rows_drop(t, old, old->n);
                op->n.held--;
                op->n.passed++;
            }
        }
        WR_TRY(wr_join_limit(op, err));
    } while (upto < all);
    return WR_OK;
}

/* Left rows whose time is before upto; all of them are in memory. */
static wr_status show_rows(struct wr_op *op, int64_t upto, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_rows *t = &j->pane[0]->rows[0];
    struct wr_row *x[AT_ONCE];
    uint32_t n;
    do {
        wr_arena_reset(&j->scratch);
        for (n = 0; n < AT_ONCE && (x[n] = wr_join_queue_take(&j->side[0].queue, upto)); n++)
            ;
        wr_status st = n ? show(op, x, n, err) : WR_OK;
        for (uint32_t k = 0; k < n; k++) {
            wr_rows_drop(t, x[k], x[k]->n);
            op->n.held--;
            op->n.passed++;
        }
        WR_TRY(st);
    } while (n == AT_ONCE);
    return WR_OK;
}

wr_status wr_version_watermark(struct wr_op *op, int64_t w, struct wr_error *err)
{
    int64_t upto;
    do {
        wr_join_bring(op, 0, w, &upto);
        WR_TRY(show_rows(op, upto, err));
        WR_TRY(wr_join_limit(op, err));
    } while (upto < w);
    return forget_versions(op, w, err);
}

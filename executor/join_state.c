/* join_state.c: what a join writes into checkpoints and finds again after a restart.
 *
 * Keys below the operator's own prefix:
 *   'p' end            WINDOW: one a window
 *   'j' side [end] ..  rows: rows_state.c
 * Rules:  rows come back when their key is asked for; those of an interval join at once, since they wait for their time.
 * Memory: delta records are appended to the caller's buffer. */
#include <stdlib.h>

#include "executor/join.h"

static bool by_window(const struct wr_join_op *j) { return j->p->free == WR_JFREE_WINDOW; }

void wr_join_track(struct wr_op *op, struct wr_join_pane *p)
{
    struct wr_join_op *j = op->ctx;
    for (int s = 0; s < 2; s++) {
        struct wr_buf suffix = WR_BUF_INIT(64);
        wr_buf_u8(&suffix, (uint8_t)s);
        if (by_window(j))
            wr_time_key_put(&suffix, p->end);
        wr_rows_track(&p->rows[s], op, s, 'j', wr_buf_get(&suffix), j->limited ? &j->spill : NULL);
        wr_buf_clear(&suffix);
    }
}

static void pane_key(struct wr_buf *key, const struct wr_op *op, int64_t end)
{
    wr_op_key(key, op, 'p');
    wr_time_key_put(key, end);
}

void wr_join_pane_forget(struct wr_op *op, struct wr_join_pane *p)
{
    struct wr_join_op *j = op->ctx;
    if (!p->stored)
        return;
    struct wr_buf key = WR_BUF_INIT(64);
    pane_key(&key, op, p->end);
    wr_delta_delete(&j->gone, wr_buf_get(&key));
    for (int s = 0; s < 2; s++)
        wr_rows_forget(&p->rows[s], &j->gone);
    wr_buf_clear(&key);
}

wr_status wr_join_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct wr_join_op *j = op->ctx;
    wr_buf_str(delta, wr_buf_get(&j->gone)); /* records, whole */
    wr_buf_reset(&j->gone);
    struct wr_buf key = WR_BUF_INIT(64);
    for (int i = 0; i < j->n_pane; i++) {
        struct wr_join_pane *p = j->pane[i];
        if (by_window(j) && !p->stored) {
            pane_key(&key, op, p->end);
            wr_delta_put(delta, wr_buf_get(&key), (struct wr_str){0});
        }
        p->stored = true;
        for (int s = 0; s < 2; s++)
            wr_rows_checkpoint(&p->rows[s], delta);
    }
    wr_buf_clear(&key);
    return WR_OK;
}

/* ---- coming back ---- */

struct found { struct wr_op *op; int64_t *end; int n, cap; };

static bool find_pane(void *ctx, struct wr_str key, struct wr_str value WR_UNUSED)
{
    struct found *f = ctx;
    if (key.n != 13)
        return true;
    if (f->n == f->cap) {
        f->cap = f->cap ? f->cap * 2 : 16;
        f->end = wr_realloc(f->end, sizeof *f->end * (size_t)f->cap);
    }
    f->end[f->n++] = wr_time_key_get(key.p + 5);
    return true;
}

/* wr_join_came has seen to its rows. */
static enum wr_each wait_again(void *ctx, struct wr_bucket *k WR_UNUSED, wr_status *st, struct wr_error *err)
{
    *st = wr_join_limit(ctx, err);
    return WR_EACH_STAYS;
}

static bool restore_pane(struct wr_op *op, struct wr_join_pane *p, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    p->stored = true;
    for (int s = 0; s < 2; s++) {
        struct wr_rows *t = &p->rows[s];
        if (!wr_rows_restore(t, r))
            return false;
        op->n.held += (uint64_t)t->total;
        op->n.in += (uint64_t)t->total; /* so that the books balance from the first row on */
        if (j->timed && wr_rows_each(t, INT64_MAX, wait_again, op, err) != WR_OK)
            return false;
    }
    return true;
}

wr_status wr_join_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct found f = {.op = op};
    bool ok = true;
    if (by_window(j)) {
        struct wr_buf key = WR_BUF_INIT(64);
        wr_op_key(&key, op, 'p');
        wr_store_scan(r, wr_buf_get(&key), find_pane, &f);
        wr_buf_clear(&key);
        for (int i = 0; i < f.n && ok; i++)
            ok = restore_pane(op, wr_join_pane_at(op, f.end[i]), r, err);
        free(f.end);
    } else {
        ok = restore_pane(op, j->pane[0], r, err);
    }
    return ok ? WR_OK : err->code ? err->code : wr_fail(err, WR_EIO, "the checkpoint's state of a join is damaged");
}

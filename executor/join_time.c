/* join_time.c: when a join lets rows go: by event time (interval, window), by state.ttl, or because the other input has ended.
 *
 *   INTERVAL    a row can still match rows of the other input up to its own `until` + off; it leaves when W - lateness has passed that.
 *   WINDOW      all rows of a window leave when W reaches its end.
 *   TTL         a key that no row of either side has asked for leaves.
 * Rules:  what leaves without a match is shown before the watermark goes on. An interval join holds W back by as much as its results may be older. */
#include "executor/join.h"

#include <stdlib.h>

/* ---- intervals ---- */

static int64_t plus(int64_t a, int64_t b)
{
    int64_t sum;
    return !__builtin_add_overflow(a, b, &sum) ? sum : b < 0 ? INT64_MIN : INT64_MAX - 1; /* the end of the input is later than any time */
}

int64_t wr_join_leaves(const struct wr_join_op *j, int s, int64_t time, int64_t until)
{
    int64_t at = plus(until, j->side[s].off);
    return plus(j->side[s].updating && at < time ? time : at, j->p->lateness);
}

static int64_t until_of(const struct wr_join_side *d, const struct wr_row *x)
{
    return wr_row_null(x, d->until) ? wr_row_time(&d->layout, x) : wr_row_get(&d->layout, x, d->until).as.i; /* NULL: it matches nothing anyway */
}

void wr_join_due(struct wr_join_op *j, int s, struct wr_row *x)
{
    struct wr_join_side *d = &j->side[s];
    wr_join_queue_add(&d->queue, wr_join_leaves(j, s, wr_row_time(&d->layout, x), until_of(d, x)), x);
}

void wr_join_leave_early(struct wr_join_op *j, int s, struct wr_row *x)
{
    wr_rows_take_out(&j->pane[0]->rows[s], x);
    wr_join_queue_out(&j->side[s].queue, j);
}

/* Rows of side s that nothing can match any more. */
static wr_status expire(struct wr_op *op, int s, int64_t w, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_join_side *d = &j->side[s];
    int64_t upto;
    do {
        wr_join_bring(op, s, w, &upto);
        for (struct wr_row *x; (x = wr_join_queue_take(&d->queue, upto));) {
            if (!(x->flags & WR_ROW_OUT)) {
                if (d->shows && j->final && x->mark == 0)
                    WR_TRY(wr_join_give(op, !s, NULL, WR_NO_ROW, x, WR_OP_INSERT, x->n, err));
                op->n.held -= (uint64_t)x->n;
                op->n.passed += (uint64_t)x->n;
                wr_rows_take_out(&j->pane[0]->rows[s], x);
            }
            wr_join_bury(j, x);
        }
        if (upto < w) {
            WR_TRY(wr_join_emit(op, !s, NULL, err));
            WR_TRY(wr_join_limit(op, err));
        }
    } while (upto < w);
    return wr_join_emit(op, !s, NULL, err);
}

/* ---- windows ---- */

bool wr_join_is_alone(struct wr_join_op *j, struct wr_join_pane *p, int s, const struct wr_row *x)
{
    return j->marks ? x->mark == 0 : !wr_rows_like(&p->rows[!s], &j->side[s].layout, x);
}

static int by_arrival(const void *a, const void *b)
{
    const struct wr_row *x = *(struct wr_row *const *)a, *y = *(struct wr_row *const *)b;
    return x->seq < y->seq ? -1 : x->seq > y->seq;
}

/* Shows the rows of side s that found no match. In order of arrival: a walk over the table would give them in order of hash. */
wr_status wr_join_show_alone(struct wr_op *op, struct wr_join_pane *p, int s, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_row **list = wr_malloc(sizeof(struct wr_row *) * ((size_t)p->rows[s].total + 1));
    size_t n = 0;
    uint64_t at = 0;
    for (struct wr_bucket *k; (k = wr_rows_next(&p->rows[s], &at));)
        for (uint32_t i = 0; i < k->n; i++)
            if (wr_join_is_alone(j, p, s, wr_bucket_row(k, i)))
                list[n++] = wr_bucket_row(k, i);
    qsort(list, n, sizeof(struct wr_row *), by_arrival);
    wr_status st = WR_OK;
    for (size_t i = 0; i < n && st == WR_OK; i++)
        st = wr_join_give(op, !s, NULL, WR_NO_ROW, list[i], WR_OP_INSERT, list[i]->n, err);
    if (st == WR_OK)
        st = wr_join_emit(op, !s, NULL, err);
    free(list);
    return st;
}

static wr_status close_windows(struct wr_op *op, int64_t w, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    while (j->n_pane && j->pane[0]->end <= w - j->p->lateness) {
        for (int s = 0; s < 2 && j->final; s++)
            if (j->side[s].shows)
                WR_TRY(j->pane[0]->rows[s].n_disk > 0 || j->pane[0]->rows[s].reader ? wr_join_show_sorted(op, j->pane[0], s, err)
                                                                                     : wr_join_show_alone(op, j->pane[0], s, err));
        wr_join_pane_drop(op, 0);
    }
    return wr_join_limit(op, err);
}

/* How much older than W a result may be, by the time that goes on. */
static int64_t held_back(const struct wr_join_op *j)
{
    int64_t left = j->p->lo < 0 && j->p->lo > INT64_MIN ? -j->p->lo : 0, right = j->p->hi > 0 && j->p->hi < INT64_MAX ? j->p->hi : 0;
    int64_t most = j->p->time_side == 0 ? left : j->p->time_side == 1 ? right : left > right ? left : right;
    return most + j->p->lateness;
}

wr_status wr_join_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    *fwd = w;
    wr_arena_reset(&j->scratch);
    if (j->p->free == WR_JFREE_WINDOW)
        return close_windows(op, w, err);
    if (j->p->free == WR_JFREE_VERSION)
        return w == WR_WM_NONE ? WR_OK : wr_version_watermark(op, w, err);
    if (j->p->free != WR_JFREE_INTERVAL || w == WR_WM_NONE)
        return WR_OK;
    for (int s = 0; s < 2; s++)
        WR_TRY(expire(op, s, w, err));
    if (w != WR_WM_END)
        *fwd = w - held_back(j);
    return wr_join_limit(op, err);
}

/* ---- state.ttl, ended inputs ---- */

static wr_status forget_old(struct wr_op *op, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    int64_t now = wr_op_now(op);
    if (now == 0 || now < j->next_sweep)
        return WR_OK;
    j->next_sweep = now + j->p->ttl / 8 + 1;
    for (int s = 0; s < 2; s++)
        WR_TRY(wr_rows_expire(&j->pane[0]->rows[s], op, now, j->p->ttl, err));
    return WR_OK;
}

static bool has_ended(const struct wr_op *op, int in)
{
    return op->input[in].n_ended >= op->input[in].n_up;
}

/* The rows of an input are kept for those of the other that are still to come: when none are, they may go, unless their number decides whether
 * rows of the other side have a match. A job that ends as a whole and keeps checkpoints may be started once more, on inputs that have grown. */
static bool can_release(const struct wr_op *op, int s)
{
    const struct wr_join_op *j = op->ctx;
    bool counts = !j->marks && (j->side[!s].shows || (!j->pairs && s == 1));
    bool again = op->plan->bounded && op->task->job->store;
    return j->side[s].kept && !counts && !again && has_ended(op, !s);
}

static enum wr_each drop_key(void *ctx, struct wr_bucket *k, wr_status *st WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    wr_rows_drop_bucket(ctx, k);
    return WR_EACH_REMOVED;
}

static wr_status release_side(struct wr_op *op, int s, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct wr_rows *t = &j->pane[0]->rows[s];
    j->side[s].kept = false;
    op->n.held -= (uint64_t)t->total;
    op->n.passed += (uint64_t)t->total;
    return wr_rows_each(t, INT64_MAX, drop_key, t, err);
}

wr_status wr_join_tick(struct wr_op *op, int64_t mono_us, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    if (mono_us >= j->next_measure)
        WR_TRY(wr_join_limit(op, err));
    if (j->p->free != WR_JFREE_TTL)
        return WR_OK;
    if (j->p->ttl)
        WR_TRY(forget_old(op, err));
    for (int s = 0; s < 2; s++)
        if (can_release(op, s))
            WR_TRY(release_side(op, s, err));
    return WR_OK;
}

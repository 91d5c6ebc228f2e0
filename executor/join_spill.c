/* join_spill.c: a join that keeps to max_state_bytes: keys that nobody asks for go to disk with all their rows (rows_spill.c).
 *
 * Rows that wait for their time (INTERVAL, VERSION) leave the queue when they go; what is kept instead, on disk too, is for each key the time of its first
 * row (far.h). Before W is worked on, keys with a time before it come back, some thousand rows at once, in order of that time: so results come in the same
 * order as if all had been in memory.
 * Memory: the spill gathers what is sent; `picked` is ours. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/join.h"

enum { AT_ONCE = 4096 };

void wr_join_spill_open(struct wr_op *op)
{
    struct wr_join_op *j = op->ctx;
    j->limited = wr_spill_wanted(op);
    wr_spill_init(&j->spill, op);
    for (int s = 0; s < 2; s++)
        wr_far_init(&j->side[s].far, &j->spill, 'f', (uint8_t)s);
}

void wr_join_spill_close(struct wr_join_op *j)
{
    for (int s = 0; s < 2; s++)
        wr_far_clear(&j->side[s].far);
    wr_spill_clear(&j->spill);
    free(j->picked.at);
}

static uint64_t bytes_of(const struct wr_join_op *j)
{
    uint64_t n = j->gone.cap + j->spill.deleted.heap;
    for (int i = 0; i < j->n_pane; i++)
        for (int s = 0; s < 2; s++)
            n += wr_rows_bytes(&j->pane[i]->rows[s]);
    for (int s = 0; s < 2; s++)
        n += wr_join_queue_bytes(&j->side[s].queue);
    return n;
}

/* ---- to disk ---- */

static void note_time(struct wr_join_op *j, const struct wr_pick *p, struct wr_buf *fields)
{
    int s = p->table == &j->pane[0]->rows[1];
    struct wr_buf hash = WR_BUF_INIT(64);
    if (p->bucket->touched == INT64_MAX)
        return;
    wr_buf_reset(fields);
    wr_row_key_bytes(p->table->layout, wr_bucket_row(p->bucket, 0), fields);
    wr_buf_i64(&hash, (int64_t)p->bucket->hash);
    wr_far_put(&j->side[s].far, p->bucket->touched, wr_buf_get(fields), wr_buf_get(&hash));
    wr_buf_clear(&hash);
}

static void send_picked(struct wr_join_op *j)
{
    struct wr_buf fields = WR_BUF_INIT(0);
    int64_t *was = j->timed ? wr_malloc(sizeof *was * (j->picked.n + 1)) : NULL;
    for (uint32_t i = 0; j->timed && i < j->picked.n; i++) {
        was[i] = j->picked.at[i].bucket->touched;
        j->picked.at[i].bucket->touched = INT64_MAX;
    }
    for (int s = 0; s < 2 && j->timed; s++)
        wr_join_queue_send(&j->side[s].queue);
    for (uint32_t i = 0; i < j->picked.n; i++) {
        const struct wr_pick *p = &j->picked.at[i];
        if (j->timed) {
            note_time(j, p, &fields);
            p->bucket->same &= p->bucket->touched == was[i];
        }
        wr_rows_send(p->table, p->bucket);
    }
    wr_buf_clear(&fields);
    free(was);
}

wr_status wr_join_limit(struct wr_op *op, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    if (!j->limited && op->task->mono_us < j->next_measure)
        return WR_OK;
    j->next_measure = op->task->mono_us + 100000;
    wr_op_weigh(op, bytes_of(j));
    if (!j->limited || j->n_pane == 0)
        return WR_OK;
    if (j->spill.deleted.n_key > WR_SPILL_DELETES)
        WR_TRY(wr_spill_write(&j->spill, err));
    uint64_t excess = wr_op_excess(op), want = excess + wr_spill_slack(op), freed = 0, waiting = 0;
    if (excess == 0)
        return WR_OK;
    uint32_t n = 2 * (uint32_t)j->n_pane;
    j->picked.n = 0;
    for (uint32_t k = 0; k < 2 * n && freed < want; k++) { /* twice: the first round takes the marks of use away */
        uint32_t i = (j->next_table + k) % n;
        freed += wr_rows_pick(&j->pane[i / 2]->rows[i % 2], want - freed, &j->picked);
    }
    j->next_table = (j->next_table + 1) % n;
    send_picked(j);
    WR_TRY(wr_spill_write(&j->spill, err));
    wr_op_weigh(op, bytes_of(j));
    for (int i = 0; i < j->n_pane; i++)
        waiting += j->pane[i]->rows[0].gone.n + j->pane[i]->rows[1].gone.n;
    wr_spill_gathered(op, waiting);
    return WR_OK;
}

/* ---- and back ---- */

/* Versions that W has passed wait for nothing any more. */
void wr_join_came(struct wr_op *op, struct wr_rows *t, struct wr_bucket *k)
{
    struct wr_join_op *j = op->ctx;
    int s = t == &j->pane[0]->rows[1];
    bool version = s == 1 && j->p->free == WR_JFREE_VERSION;
    for (uint32_t i = 0; i < k->n; i++) {
        struct wr_row *x = wr_bucket_row(k, i);
        if (!version || op->wm == WR_WM_NONE || wr_row_time(t->layout, x) >= op->wm)
            wr_join_due(j, s, x);
    }
    if (k->disk == 0 || k->touched == INT64_MAX)
        return;
    struct wr_buf fields = WR_BUF_INIT(0);
    wr_row_key_bytes(t->layout, wr_bucket_row(k, 0), &fields);
    wr_far_drop(&j->side[s].far, k->touched, wr_buf_get(&fields));
    wr_buf_clear(&fields);
}

struct bring { struct wr_rows *t; uint64_t n; };

static bool bring_one(void *ctx, int64_t time WR_UNUSED, struct wr_str fields, struct wr_str hash)
{
    struct bring *b = ctx;
    int64_t h = 0;
    if (!wr_take_i64(&hash, &h))
        return true;
    const struct wr_bucket *k = wr_rows_back(b->t, fields, (uint64_t)h);
    b->n += k ? k->n : 0;
    return b->n < AT_ONCE;
}

void wr_join_bring(struct wr_op *op, int s, int64_t w, int64_t *upto)
{
    struct wr_join_op *j = op->ctx;
    struct wr_far *far = &j->side[s].far;
    struct bring b = {&j->pane[0]->rows[s], 0};
    wr_far_take(far, w, bring_one, &b);
    *upto = far->first < w ? far->first : w;
}

/* ---- rows without a match, in order ---- */

struct sorting { struct wr_op *op; struct wr_join_pane *p; int s; struct wr_buf key, value; size_t prefix; };

static enum wr_each sort_alone(void *ctx, struct wr_bucket *k, wr_status *st, struct wr_error *err)
{
    struct sorting *o = ctx;
    struct wr_join_op *j = o->op->ctx;
    if (!j->limited)
        return WR_EACH_STAYS;
    for (uint32_t i = 0; i < k->n; i++) {
        const struct wr_row *x = wr_bucket_row(k, i);
        if (!wr_join_is_alone(j, o->p, o->s, x))
            continue;
        o->key.n = o->prefix;
        wr_time_key_put(&o->key, (int64_t)x->seq);
        wr_buf_reset(&o->value);
        wr_buf_i64(&o->value, x->n);
        wr_buf_add(&o->value, x->data, x->size);
        wr_spill_put(&j->spill, wr_buf_get(&o->key), 0, wr_buf_get(&o->value));
    }
    if (j->spill.out.n > WR_SPILL_GATHER)
        *st = wr_spill_write(&j->spill, err);
    if (*st == WR_OK)
        *st = wr_join_limit(o->op, err); /* rows of the other side came to be looked at */
    return WR_EACH_NEXT;
}

struct showing { struct wr_op *op; int s; wr_status st; struct wr_error *err; };

static bool show_one(void *ctx, struct wr_str key WR_UNUSED, uint32_t epoch WR_UNUSED, struct wr_str value)
{
    struct showing *o = ctx;
    struct wr_join_op *j = o->op->ctx;
    int64_t n;
    if (!wr_take_i64(&value, &n))
        return true;
    struct wr_row *x = wr_malloc(sizeof *x + value.n);
    *x = (struct wr_row){.n = n, .size = value.n};
    memcpy(x->data, value.p, value.n);
    o->st = wr_join_give(o->op, !o->s, NULL, WR_NO_ROW, x, WR_OP_INSERT, n, o->err);
    wr_join_bury(j, x);
    return o->st == WR_OK;
}

wr_status wr_join_show_sorted(struct wr_op *op, struct wr_join_pane *p, int s, struct wr_error *err)
{
    struct wr_join_op *j = op->ctx;
    struct sorting o = {.op = op, .p = p, .s = s, .key = WR_BUF_INIT(64), .value = WR_BUF_INIT(0)};
    wr_op_key(&o.key, op, 'a');
    o.prefix = o.key.n;
    wr_status st = wr_rows_each(&p->rows[s], INT64_MAX, sort_alone, &o, err);
    if (st == WR_OK && !j->limited)
        st = wr_join_show_alone(op, p, s, err); /* all are in memory now */
    struct showing show = {.op = op, .s = s, .err = err, .st = st};
    o.key.n = o.prefix;
    if (st == WR_OK && j->limited) {
        wr_spill_scan(&j->spill, wr_buf_get(&o.key), show_one, &show);
        wr_spill_delete_prefix(&j->spill, wr_buf_get(&o.key));
    }
    if (show.st == WR_OK)
        show.st = wr_join_emit(op, !s, NULL, err);
    wr_buf_clear(&o.key);
    wr_buf_clear(&o.value);
    return show.st == WR_OK && j->limited ? wr_spill_write(&j->spill, err) : show.st;
}

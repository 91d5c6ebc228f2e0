/* op_over_time.c: OVER in order of event time: each row is given once, with its results, when the watermark has passed it.
 *
 *   process:    a row takes its place in its partition; one behind the watermark is late.
 *   watermark:  rows with time + (what frames look ahead) < W - lateness are given, in order of time; where ROWS FOLLOWING or LEAD look
 *               ahead, a row waits for those rows of its partition. Then rows that no frame needs any more are forgotten.
 *   finish:     rows that waited for rows that do not come are given.
 *
 * Rules:  output is append-only and in order of time (in each partition always, over all of them unless rows wait for rows). W goes on as far as the
 *         oldest row that is not given.
 *         Kept of rows given: those within the frames, or only the running results; partitions of a frame of time alone go when it has passed them.
 * Memory: parts.h's; two batches of rows read back. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/due.h"
#include "executor/frames.h"
#include "executor/readback.h"

enum event { EV_ROWS = 1, EV_FREE = 2 }; /* what is due at a time: a partition's rows of that time; a look whether it can go */

/* A partition's own state. Rows have numbers, from 0, for ever. */
struct line {
    int64_t given;            /* rows 0 .. given - 1 were given */
    int64_t passed;           /* rows 0 .. passed - 1 can get no new neighbours */
    int64_t dropped;          /* rows pin .. pin + dropped - 1 are forgotten */
    int64_t last;             /* time of the newest row */
    uint32_t id;              /* due.h */
    struct wr_frames_at at;
};

struct over_time {
    struct wr_parts parts;        /* first */
    const struct wr_plan_over *p;
    struct wr_op *op;
    struct wr_arena arena, scratch;
    struct wr_frames frames;
    struct wr_aggcall **call;     /* by function; in parts.layout, or (recompute) in own */
    struct wr_aggcall *own;
    int64_t ahead_rows, ahead;    /* rows, µs that frames look ahead */
    int64_t back_rows, back;      /* LAG's rows; µs */
    int64_t pin;                  /* first rows of a partition that are kept: FIRST_VALUE of a frame from the start */
    bool only_time;               /* nothing outlives the frames of time */
    struct wr_due due;
    struct wr_omap waiting;       /* time: rows not given; only where frames look ahead */
    struct wr_readback readback;
    struct wr_builder out;
};

static struct line *line_of(const struct over_time *o, struct wr_group *x) { return wr_partition_own(&o->parts, x); }

/* ---- rows of a partition by number ---- */

struct of { struct over_time *o; struct wr_group *x; };

static int64_t count_rows(const struct over_time *o, struct wr_group *x)
{
    return wr_partition_of(&o->parts, x)->rows.total + line_of(o, x)->dropped;
}

static struct wr_str entry_at(const struct over_time *o, struct wr_group *x, int64_t i)
{
    int64_t k = i < o->pin ? i : i - line_of(o, x)->dropped;
    struct wr_omap_it it = wr_omap_nth(&wr_partition_of(&o->parts, x)->rows, k);
    WR_ASSERT(wr_omap_valid(it));
    return wr_omap_key(it);
}

/* An entry begins with the event time, not NULL: one byte, then the time. */
static int64_t entry_time(struct wr_str e) { return wr_time_key_get(e.p + 1); }

static struct wr_batch *row_at(void *ctx, int64_t i, uint32_t *r)
{
    struct of *of = ctx;
    struct over_time *o = of->o;
    struct wr_batch *b = wr_readback_get(&o->readback, of->x, i, r);
    return b ? b : wr_readback_add(&o->readback, &o->parts, of->x, i, entry_at(o, of->x, i), r);
}

static bool same_order(void *ctx, int64_t i, int64_t k)
{
    struct of *of = ctx;
    struct wr_str a = entry_at(of->o, of->x, i), b = entry_at(of->o, of->x, k);
    uint32_t n = of->o->p->by.n_order == 1 ? 9 : wr_parts_order_len(&of->o->parts, a);
    return a.n >= n && b.n >= n && memcmp(a.p, b.p, n) == 0;
}

static bool order_value(void *ctx, int64_t i, int64_t *v)
{
    struct of *of = ctx;
    *v = entry_time(entry_at(of->o, of->x, i));
    return true;
}

/* ---- what is due ---- */

static int64_t later(int64_t us, int64_t by)
{
    int64_t v;
    return __builtin_add_overflow(us, by, &v) ? INT64_MAX - 1 : v;
}

static void wait_for(struct over_time *o, int64_t time, int64_t n)
{
    if (o->ahead == 0 && o->ahead_rows == 0)
        return;
    struct wr_buf key = WR_BUF_INIT(16);
    wr_time_key_put(&key, time);
    wr_omap_add(&o->waiting, wr_buf_get(&key), n);
    wr_buf_clear(&key);
}

/* ---- partitions ---- */

static void partition_drop(struct wr_op *op, struct wr_group *x)
{
    struct over_time *o = op->ctx;
    wr_due_forget(&o->due, x);
    wr_readback_forget(&o->readback);
}

static void partition_away(struct wr_op *op, struct wr_group *x)
{
    struct over_time *o = op->ctx;
    wr_due_away(&o->due, x);
    wr_readback_forget(&o->readback);
}

static void partition_back(struct wr_op *op, struct wr_group *x) { wr_due_back(&((struct over_time *)op->ctx)->due, x); }

static wr_status limit(struct over_time *o, struct wr_error *err)
{
    return wr_parts_limit(&o->parts, wr_due_bytes(&o->due) + o->waiting.heap, err);
}

static int64_t open_rows(struct wr_op *op, struct wr_group *x)
{
    struct over_time *o = op->ctx;
    return count_rows(o, x) - line_of(o, x)->given;
}

static bool has_open_rows(struct wr_op *op, struct wr_group *x) { return open_rows(op, x) > 0; }

/* First row that something still asks for, once row given - 1 was given. */
static int64_t first_needed(const struct over_time *o, const struct line *l)
{
    int64_t from = l->given - o->back_rows;
    for (int k = 0; k < o->p->n_frame; k++) {
        if (o->p->frame[k].from != WR_AT_START && l->at.frame[k].from < from)
            from = l->at.frame[k].from;
        if (l->at.frame[k].to - 1 < from)
            from = l->at.frame[k].to - 1;
    }
    return from;
}

static void forget_rows(struct over_time *o, struct wr_group *x)
{
    struct line *l = line_of(o, x);
    struct wr_part_pane *p = o->parts.pane[0];
    for (int64_t need = first_needed(o, l); o->pin + l->dropped < need; l->dropped++) {
        struct wr_str e = entry_at(o, x, o->pin + l->dropped);
        wr_buf_reset(&o->parts.entry);
        wr_buf_str(&o->parts.entry, e);
        wr_parts_add(&o->parts, p, x, wr_buf_get(&o->parts.entry), -1);
    }
}

/* ---- giving ---- */

static wr_status emit(struct over_time *o, struct wr_error *err)
{
    struct wr_batch *b = wr_builder_take(&o->out);
    if (!b)
        return WR_OK;
    b->wm0 = o->op->wm_out;
    return wr_emit(o->op, b, err);
}

static wr_status bad_result(struct over_time *o, int fn, struct wr_error *err)
{
    struct wr_bad bad = {.reason = WR_R_OVERFLOW, .from = {.part = -1, .offset = -1, .ts_us = INT64_MIN}};
    bad.column = o->op->plan->out->field[o->parts.in->n + fn].name;
    o->op->n.bad++;
    return wr_job_bad(o->op, NULL, &bad, err);
}

static wr_status give_row(struct over_time *o, struct wr_group *x, struct wr_error *err)
{
    struct line *l = line_of(o, x);
    struct of of = {o, x};
    struct wr_seq seq = {.ctx = &of, .n = count_rows(o, x), .row = row_at, .same = same_order, .value = order_value};
    int64_t i = l->given;
    if (wr_builder_full(&o->out))
        WR_TRY(emit(o, err));
    uint32_t r = wr_builder_row(&o->out, WR_OP_INSERT);
    struct wr_str e = entry_at(o, x, i);
    wait_for(o, entry_time(e), -1);
    wr_parts_decode(&o->parts, x, e, o->out.b, r);
    int bad = wr_frames_row(&o->frames, (char *)x, &l->at, &seq, i, o->out.b, o->parts.in->n, r, false);
    l->given = i + 1;
    o->op->n.held--;
    o->parts.pane[0]->held--;
    o->parts.pane[0]->moved = true;
    wr_parts_note(&o->parts, x);
    if (bad < 0) {
        o->op->n.passed++;
        return WR_OK;
    }
    o->out.b->len--;
    o->out.b->n_live--;
    return bad_result(o, bad, err);
}

static wr_status give_rows(struct over_time *o, struct wr_group *x, int64_t upto, struct wr_error *err)
{
    struct line *l = line_of(o, x);
    if (l->given >= upto)
        return WR_OK;
    while (l->given < upto)
        WR_TRY(give_row(o, x, err));
    forget_rows(o, x);
    return WR_OK;
}

static wr_status rows_due(struct over_time *o, struct wr_group *x, int64_t time, struct wr_error *err)
{
    struct line *l = line_of(o, x);
    int64_t n = count_rows(o, x);
    while (l->passed < n && entry_time(entry_at(o, x, l->passed)) <= time - o->ahead)
        l->passed++;
    wr_parts_note(&o->parts, x);
    return give_rows(o, x, l->passed - o->ahead_rows, err);
}

/* When a partition can be forgotten; INT64_MAX: never by time. */
static int64_t free_time(const struct over_time *o, const struct line *l, int64_t win_end)
{
    if (win_end != INT64_MAX)
        return win_end - 1;
    return o->only_time ? later(l->last, o->back > o->ahead ? o->back : o->ahead) : INT64_MAX;
}

static int64_t window_end(const struct over_time *o, struct wr_group *x)
{
    const struct wr_partby *by = &o->p->by;
    for (int c = 0; by->win.kind != WR_WIN_NONE && c < by->n_part; c++)
        if (by->part[c] == by->win.end_col) {
            struct wr_value v = wr_group_key(&o->parts.layout, x, c);
            return v.null ? INT64_MAX : v.as.i;
        }
    return INT64_MAX;
}

static wr_status maybe_free(struct over_time *o, struct wr_group *x, int64_t time, struct wr_error *err)
{
    struct line *l = line_of(o, x);
    int64_t end = window_end(o, x), at = free_time(o, l, end);
    if (at > time) {
        wr_due_set(&o->due, x, at, EV_FREE);
        return WR_OK;
    }
    WR_TRY(give_rows(o, x, count_rows(o, x), err)); /* of a window that is over: nothing follows them */
    wr_parts_drop(&o->parts, o->parts.pane[0], x);
    return WR_OK;
}

static wr_status time_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct over_time *o = op->ctx;
    int64_t upto = w == WR_WM_END || w == WR_WM_NONE ? w : w - o->p->by.lateness, time;
    int ev;
    *fwd = upto;
    if (upto <= o->due.closed)
        return WR_OK;
    o->due.closed = upto;
    uint32_t n = 0;
    for (struct wr_group *x; (x = wr_due_take(&o->due, upto, &time, &ev));) {
        WR_TRY(ev == EV_ROWS ? rows_due(o, x, time, err) : maybe_free(o, x, time, err));
        if (++n % WR_DUE_MANY == 0)
            WR_TRY(limit(o, err));
    }
    WR_TRY(emit(o, err));
    struct wr_omap_it it = wr_omap_first(&o->waiting);
    if (wr_omap_valid(it) && wr_time_key_get(wr_omap_key(it).p) < upto && w != WR_WM_END)
        *fwd = wr_time_key_get(wr_omap_key(it).p);
    return limit(o, err);
}

static enum wr_each give_last(void *ctx, struct wr_group *x, wr_status *st, struct wr_error *err)
{
    struct over_time *o = ctx;
    *st = give_rows(o, x, count_rows(o, x), err);
    return WR_EACH_NEXT;
}

static wr_status time_finish(struct wr_op *op, struct wr_error *err)
{
    struct over_time *o = op->ctx;
    if (o->parts.n_pane == 0)
        return WR_OK;
    if (o->ahead_rows > 0)
        WR_TRY(wr_parts_each(o->parts.pane[0], INT64_MAX, give_last, o, err));
    return emit(o, err);
}

static wr_status time_tick(struct wr_op *op, int64_t mono_us WR_UNUSED, struct wr_error *err)
{
    struct over_time *o = op->ctx;
    return wr_parts_expire(&o->parts, has_open_rows, err);
}

/* ---- input ---- */

static void add_row(struct wr_op *op, const struct wr_batch *b, uint32_t r, int64_t ts, uint64_t hash)
{
    struct over_time *o = op->ctx;
    struct wr_parts *t = &o->parts;
    struct wr_part_pane *p = wr_parts_pane(t, INT64_MAX);
    struct wr_group *x = wr_parts_at(t, p, b, r, hash);
    struct line *l = line_of(o, x);
    bool fresh = l->id == 0;
    wr_due_know(&o->due, x);
    wr_partition_of(t, x)->touched = wr_op_now(o->op);
    wr_parts_encode_order(t, b, r);
    wr_parts_encode_rest(t, b, r);
    wr_parts_add(t, p, x, wr_buf_get(&t->entry), 1);
    if (fresh && l->given == 0 && l->last == 0)
        l->last = ts;
    l->last = ts > l->last ? ts : l->last;
    wr_due_set(&o->due, x, later(ts, o->ahead), EV_ROWS);
    int64_t end = window_end(o, x);
    if (fresh && (o->only_time || end != INT64_MAX))
        wr_due_set(&o->due, x, free_time(o, l, end), EV_FREE);
    wait_for(o, ts, 1);
    wr_parts_note(t, x);
    o->op->n.held++;
    p->held++;
    p->moved = true;
}

static wr_status time_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct over_time *o = op->ctx;
    WR_TRY(wr_due_process(&o->due, b, &o->scratch, add_row, err));
    return limit(o, err);
}

/* ---- life ---- */

static int64_t greater(int64_t a, int64_t b) { return a > b ? a : b; }

/* How far the functions look, both ways, and what they need for ever. */
static void measure_frames(struct over_time *o)
{
    o->only_time = true;
    for (int k = 0; k < o->p->n_fn; k++) {
        const struct wr_overfn *f = &o->p->fn[k];
        const struct wr_frame *w = f->frame >= 0 ? &o->p->frame[f->frame] : NULL;
        if (f->kind == WR_OVER_LAG)
            o->back_rows = greater(o->back_rows, f->n);
        if (f->kind == WR_OVER_LEAD)
            o->ahead_rows = greater(o->ahead_rows, f->n);
        if (!w || w->rows || w->from == WR_AT_START)
            o->only_time &= w && !w->rows && w->from != WR_AT_START;
        if (!w)
            continue;
        if (w->from == WR_AT_START && (f->kind == WR_OVER_FIRST || f->kind == WR_OVER_NTH))
            o->pin = greater(o->pin, f->kind == WR_OVER_FIRST ? 1 : f->n);
        for (int side = 0; side < 2; side++) {
            enum wr_edge_kind kind = side ? w->to : w->from;
            int64_t n = side ? w->to_n : w->from_n;
            if (kind == WR_AT_FOLLOWING && w->rows)
                o->ahead_rows = greater(o->ahead_rows, n);
            if (kind == WR_AT_FOLLOWING && !w->rows)
                o->ahead = greater(o->ahead, n);
            if (kind == WR_AT_PRECEDING && !w->rows)
                o->back = greater(o->back, n);
        }
    }
}

static void place_aggregates(struct wr_op *op, struct over_time *o, const struct wr_plan_over *p)
{
    struct wr_aggcall *held = WR_NEW_N(&o->arena, struct wr_aggcall, p->n_fn + 1);
    int n = 0;
    for (int k = 0; k < p->n_fn; k++)
        if (p->fn[k].kind == WR_OVER_AGG && !p->fn[k].recompute)
            held[n++] = p->fn[k].agg;
    wr_parts_init(&o->parts, op, &p->by, n, held, (uint32_t)(sizeof(struct line) + wr_frames_at_size(p)));
    o->call = WR_NEW_N(&o->arena, struct wr_aggcall *, p->n_fn + 1);
    o->own = WR_NEW_N(&o->arena, struct wr_aggcall, p->n_fn + 1);
    n = 0;
    for (int k = 0; k < p->n_fn; k++) {
        if (p->fn[k].kind != WR_OVER_AGG)
            continue;
        o->own[k] = p->fn[k].agg;
        o->call[k] = p->fn[k].recompute ? &o->own[k] : &o->parts.layout.agg[n++];
    }
}

static void save_line(struct wr_op *op, struct wr_group *x, struct wr_buf *out)
{
    struct over_time *o = op->ctx;
    const struct line *l = line_of(o, x);
    wr_buf_i64(out, l->given);
    wr_buf_i64(out, l->passed);
    wr_buf_i64(out, l->dropped);
    wr_buf_i64(out, l->last);
    wr_buf_i64(out, l->at.peer);
    wr_buf_i64(out, l->at.peer_end);
    wr_buf_i64(out, l->at.dense);
    for (int k = 0; k < o->p->n_frame; k++) {
        wr_buf_i64(out, l->at.frame[k].from);
        wr_buf_i64(out, l->at.frame[k].to);
    }
    wr_group_save_states(&o->parts.layout, x, out);
}

static bool load_line(struct wr_op *op, struct wr_group *x, struct wr_str in)
{
    struct over_time *o = op->ctx;
    struct line *l = line_of(o, x);
    bool ok = wr_take_i64(&in, &l->given) && wr_take_i64(&in, &l->passed) && wr_take_i64(&in, &l->dropped) && wr_take_i64(&in, &l->last)
           && wr_take_i64(&in, &l->at.peer) && wr_take_i64(&in, &l->at.peer_end) && wr_take_i64(&in, &l->at.dense);
    for (int k = 0; ok && k < o->p->n_frame; k++)
        ok = wr_take_i64(&in, &l->at.frame[k].from) && wr_take_i64(&in, &l->at.frame[k].to);
    return ok && wr_group_load_states(&o->parts.layout, x, in);
}

static wr_status time_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    const struct wr_plan_over *p = &op->plan->u.over;
    struct over_time *o = wr_calloc(1, sizeof *o);
    op->ctx = o;
    o->p = p;
    o->op = op;
    o->out.schema = op->plan->out;
    place_aggregates(op, o, p);
    o->parts.save = save_line;
    o->parts.load = load_line;
    o->parts.drop = partition_drop;
    o->parts.open = open_rows;
    wr_parts_spills(&o->parts, partition_away, partition_back);
    wr_due_init(&o->due, &o->parts, offsetof(struct line, id));
    measure_frames(o);
    wr_frames_init(&o->frames, p, o->call);
    return WR_OK;
}

static void time_close(struct wr_op *op)
{
    struct over_time *o = op->ctx;
    wr_parts_clear(&o->parts);
    wr_frames_clear(&o->frames);
    wr_due_clear(&o->due);
    wr_omap_clear(&o->waiting);
    wr_readback_clear(&o->readback);
    wr_batch_unref(wr_builder_take(&o->out));
    wr_arena_clear(&o->scratch);
    wr_arena_clear(&o->arena);
    free(o);
    op->ctx = NULL;
}

static wr_status time_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct over_time *o = op->ctx;
    wr_parts_checkpoint(&o->parts, delta);
    wr_due_checkpoint(&o->due, delta);
    return WR_OK;
}

/* Times of rows not given. */
static enum wr_each wait_again(void *ctx, struct wr_group *x, wr_status *st WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    struct over_time *o = ctx;
    for (int64_t i = line_of(o, x)->given; i < count_rows(o, x); i++)
        wait_for(o, entry_time(entry_at(o, x, i)), 1);
    return WR_EACH_NEXT;
}

static wr_status time_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct over_time *o = op->ctx;
    WR_TRY(wr_parts_restore(&o->parts, r, err));
    bool ok = wr_due_restore(&o->due, r);
    if ((o->ahead > 0 || o->ahead_rows > 0) && o->parts.n_pane > 0)
        WR_TRY(wr_parts_each(o->parts.pane[0], INT64_MAX, wait_again, o, err));
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the checkpoint's state of OVER is damaged");
}

const struct wr_op_vt wr_op_over_time = {
    .name = "over_time", .spills = true, .open = time_open, .process = time_process, .watermark = time_watermark, .tick = time_tick, .flush = wr_op_no_flush,
    .finish = time_finish, .checkpoint = time_checkpoint, .restore = time_restore, .close = time_close,
};

/* op_match.c: MATCH_RECOGNIZE in order of event time: a match is given when it is certain and the watermark has passed its rows.
 *
 *   process:    a row takes its place in its partition; one behind the watermark is late.
 *   watermark:  rows that it has passed are searched, in order. A search begins at a row; decided, the next one begins where AFTER MATCH SKIP says.
 *               WITHIN decides a search when the watermark says that no row within it can come.
 *   finish:     what is still open is decided by the rows there are.
 *
 * Rules:  output is append-only, in each partition in order of the matches' first rows. A row is held until no search can begin at it or before it.
 *         What a search has found out follows from the rows alone: a checkpoint has the rows and where the search began, and it is run again.
 *         Where SKIP TO would not move on, or names a variable that has no row, the next search begins at the next row.
 * Memory: parts.h's; searches: match.h; two batches of rows read back. */
#include <stdlib.h>

#include "core/key.h"
#include "executor/due.h"
#include "executor/match.h"
#include "executor/readback.h"

enum event { EV_ROWS = 1, EV_WITHIN = 2 }; /* a partition's rows of that time; the end of what a search may take */

/* A partition's own state. Rows have numbers, from 0, for ever. */
struct line {
    struct wr_search search;
    int64_t dropped;          /* rows 0 .. dropped - 1 are forgotten */
    int64_t passed;           /* rows 0 .. passed - 1 can get no new neighbours */
    int64_t start, at;        /* the search began at `start`, the next row it looks at is `at` */
    int64_t number;           /* matches so far */
    int64_t told;             /* bad conditions were told up to this row, before the partition went to disk */
    bool noted;               /* in `open`, with the time: */
    int64_t noted_time;
    uint32_t id;              /* due.h */
};

struct match {
    struct wr_parts parts;    /* first */
    const struct wr_plan_match *p;
    struct wr_op *op;
    struct wr_due due;
    struct wr_matcher matcher;
    struct wr_omap open;      /* times of rows where a search is open; only where the output has an event time */
    struct wr_readback readback;
    struct wr_batch *navs;    /* one row: what DEFINE and MEASURES look at */
    struct wr_aggcall *agg;   /* by nav */
    char *state;              /* of one aggregate */
    bool **wants;             /* by variable, then measures: which navs the expression looks at */
    struct wr_arena arena, scratch;
    struct wr_group *x;       /* the partition being searched */
    int64_t told;             /* the row whose bad condition was told last */
    struct wr_builder out;
};

static struct line *line_of(const struct match *o, struct wr_group *x) { return wr_partition_own(&o->parts, x); }

static int64_t count_rows(const struct match *o, struct wr_group *x) { return wr_partition_of(&o->parts, x)->rows.total + line_of(o, x)->dropped; }

static struct wr_str entry_at(const struct match *o, struct wr_group *x, int64_t i)
{
    struct wr_omap_it it = wr_omap_nth(&wr_partition_of(&o->parts, x)->rows, i - line_of(o, x)->dropped);
    WR_ASSERT(wr_omap_valid(it));
    return wr_omap_key(it);
}

/* An entry begins with the event time, not NULL: one byte, then the time. */
static int64_t time_at(const struct match *o, struct wr_group *x, int64_t i) { return wr_time_key_get(entry_at(o, x, i).p + 1); }

static struct wr_batch *row_at(struct match *o, struct wr_group *x, int64_t i, uint32_t *r)
{
    struct wr_batch *b = wr_readback_get(&o->readback, x, i, r);
    return b ? b : wr_readback_add(&o->readback, &o->parts, x, i, entry_at(o, x, i), r);
}

/* ---- values of a match ---- */

static void set_nav(struct match *o, int c, const struct wr_value *v)
{
    struct wr_vec one, *to = &o->navs->col[c];
    uint8_t null;
    wr_vec_of(&one, v, &null);
    wr_vec_nulls(to, 1, &o->navs->mem);
    wr_vec_copy(to, 0, &one, 0);
}

/* The row a navigation leads to; -1: there is none. */
static int64_t target(const struct match *o, struct wr_group *x, const struct wr_match_nav *v, const struct wr_taken *t)
{
    int64_t row = -1, k = 0;
    if (v->kind == WR_NAV_FIRST) {
        int64_t of = 0; /* how many rows of the variable there are */
        for (const struct wr_taken *u = t; u; u = u->before)
            of += v->var < 0 || u->var == v->var;
        for (const struct wr_taken *u = t; u && row < 0; u = u->before)
            if ((v->var < 0 || u->var == v->var) && of - 1 - k++ == v->n)
                row = u->row;
    } else {
        for (const struct wr_taken *u = t; u && row < 0; u = u->before)
            if ((v->var < 0 || u->var == v->var) && k++ == v->n)
                row = u->row;
    }
    if (row < 0)
        return -1;
    row += v->step;
    return row >= line_of(o, x)->dropped && row < count_rows(o, x) ? row : -1;
}

/* Rows go in in order: the chain has the last one first. */
static void add_rows(struct match *o, struct wr_group *x, const struct wr_match_nav *v, const struct wr_aggcall *c, const struct wr_taken *t)
{
    int64_t n = 0, k = 0, *row = wr_arena_alloc(&o->scratch, sizeof *row * (size_t)(t ? t->n : 1));
    for (const struct wr_taken *u = t; u; u = u->before)
        if (v->var < 0 || u->var == v->var)
            row[n++] = u->row;
    for (k = n - 1; k >= 0; k--) {
        uint32_t r;
        struct wr_batch *b = row_at(o, x, row[k], &r);
        wr_aggcall_add_run(c, o->state, b, &r, 1);
    }
}

static bool set_aggregate(struct match *o, struct wr_group *x, int i, const struct wr_taken *t)
{
    const struct wr_aggcall *c = &o->agg[i];
    wr_aggcall_init(c, o->state);
    add_rows(o, x, &o->p->nav[i], c, t);
    wr_vec_nulls(&o->navs->col[i], 1, &o->navs->mem)[0] = 0;
    bool ok = wr_aggcall_result(c, o->state, &o->navs->col[i], 0, &o->scratch);
    wr_aggcall_drop(c, o->state);
    return ok;
}

/* The navs an expression looks at, for a match that has taken t. Aggregates first: they read many rows back, which may overwrite borrowed texts.
 * false: an aggregate left its range. */
static bool set_navs(struct match *o, struct wr_group *x, const bool *wants, const struct wr_taken *t, int64_t number)
{
    bool ok = true;
    for (int i = 0; i < o->p->n_nav; i++)
        if (wants[i] && o->p->nav[i].kind == WR_NAV_AGG)
            ok = set_aggregate(o, x, i, t) && ok;
    for (int i = 0; i < o->p->n_nav; i++) {
        const struct wr_match_nav *v = &o->p->nav[i];
        struct wr_value val = {.type = o->p->navs->field[i].type};
        if (!wants[i])
            continue;
        switch (v->kind) {
        case WR_NAV_AGG: continue;
        case WR_NAV_NUMBER: val.as.i = number; break;
        case WR_NAV_CLASSIFIER: val.as.s = o->p->var[t->var].name; break;
        case WR_NAV_TIME: val.as.i = time_at(o, x, t->row); break;
        case WR_NAV_FIRST:
        case WR_NAV_LAST: {
            int64_t row = target(o, x, v, t);
            uint32_t r;
            val.null = row < 0;
            if (row >= 0) {
                struct wr_batch *b = row_at(o, x, row, &r);
                val = wr_vec_get(&b->col[v->col], r);
            }
            break;
        }
        }
        set_nav(o, i, &val);
    }
    return ok;
}

static wr_status tell_bad(struct match *o, enum wr_reason why, struct wr_str column, struct wr_error *err)
{
    struct wr_bad bad = {.reason = why, .from = {.part = -1, .offset = -1, .ts_us = INT64_MIN}, .column = column};
    return wr_job_bad(o->op, NULL, &bad, err);
}

/* A condition that fails (a division by zero) is not true; each row is told once. */
static bool allows(void *ctx, int var, int64_t row, struct wr_taken *before)
{
    struct match *o = ctx;
    const struct wr_expr *x = o->p->var[var].define;
    if (!x)
        return true;
    struct wr_taken last = {.before = before, .row = row, .n = before ? before->n + 1 : 1, .var = var, .refs = 1};
    struct wr_error err = WR_ERROR_INIT;
    uint32_t pick, n = 0;
    wr_arena_reset(&o->scratch);
    bool ok = set_navs(o, o->x, o->wants[var], &last, line_of(o, o->x)->number + 1);
    wr_eval_begin(&o->op->ev, o->navs, &o->scratch);
    o->op->ev.now_us = o->op->task->now_us;
    if (ok)
        wr_eval_pick(&o->op->ev, x, o->navs, NULL, 1, &pick, &n);
    if ((!ok || o->op->ev.n_bad) && row > o->told) {
        o->told = row;
        (void)tell_bad(o, ok ? o->op->ev.list[0].reason : WR_R_OVERFLOW, o->p->var[var].name, &err);
    }
    return n == 1;
}

/* ---- results ---- */

static wr_status emit(struct match *o, struct wr_error *err)
{
    struct wr_batch *b = wr_builder_take(&o->out);
    if (!b)
        return WR_OK;
    b->wm0 = o->op->wm_out;
    return wr_emit(o->op, b, err);
}

/* One result row: for the match up to and with t. */
static wr_status put_result(struct match *o, struct wr_group *x, const struct wr_taken *t, struct wr_error *err)
{
    const struct wr_plan_match *p = o->p;
    int first = p->all_rows ? o->parts.in->n : p->by.n_part, bad = -1;
    enum wr_reason why = WR_R_OVERFLOW;
    if (wr_builder_full(&o->out))
        WR_TRY(emit(o, err));
    wr_arena_reset(&o->scratch);
    bool ok = set_navs(o, x, o->wants[p->n_var], t, line_of(o, x)->number);
    uint32_t to = wr_builder_row(&o->out, WR_OP_INSERT), from;
    struct wr_batch *b = row_at(o, x, t->row, &from);
    for (int i = 0; i < first; i++)
        wr_builder_copy(&o->out, i, to, &b->col[p->all_rows ? i : p->by.part[i]], from);
    wr_eval_begin(&o->op->ev, o->navs, &o->scratch);
    o->op->ev.now_us = o->op->task->now_us;
    for (int i = 0; ok && i < p->n_measure && bad < 0; i++) {
        struct wr_vec v;
        wr_eval(&o->op->ev, p->measure[i], o->navs, NULL, 1, &v);
        if (o->op->ev.n_bad) {
            bad = i;
            why = o->op->ev.list[0].reason;
        } else {
            v.type = p->field[i].type;
            wr_builder_copy(&o->out, first + i, to, &v, 0);
        }
    }
    if (ok && bad < 0)
        return WR_OK;
    o->out.b->len--;
    o->out.b->n_live--;
    return tell_bad(o, why, bad < 0 ? (struct wr_str){0} : p->field[bad].name, err);
}

static wr_status put_match(struct match *o, struct wr_group *x, const struct wr_taken *found, struct wr_error *err)
{
    line_of(o, x)->number++;
    if (!o->p->all_rows)
        return put_result(o, x, found, err);
    const struct wr_taken **t = wr_malloc(sizeof(void *) * (size_t)found->n); /* not in the scratch arena: each row resets it */
    int64_t k = found->n;
    wr_status st = WR_OK;
    for (const struct wr_taken *u = found; u; u = u->before)
        t[--k] = u;
    for (k = 0; k < found->n && st == WR_OK; k++)
        st = put_result(o, x, t[k], err);
    free(t);
    return st;
}

/* Where the next search begins. */
static int64_t next_start(const struct match *o, const struct line *l)
{
    const struct wr_taken *found = l->search.found;
    int64_t first = -1, last = -1;
    if (!found || o->p->skip == WR_MATCH_SKIP_NEXT_ROW)
        return l->start + 1;
    if (o->p->skip == WR_MATCH_SKIP_PAST_LAST)
        return found->row + 1;
    for (const struct wr_taken *u = found; u; u = u->before)
        if (u->var == o->p->skip_var) {
            first = u->row;
            last = last < 0 ? u->row : last;
        }
    int64_t to = o->p->skip == WR_MATCH_SKIP_FIRST ? first : last;
    return to > l->start ? to : l->start + 1;
}

/* ---- the search ---- */

/* Keeps in `open` where the partition's search began. */
static void note_open(struct match *o, struct wr_group *x)
{
    struct line *l = line_of(o, x);
    bool open = l->start < count_rows(o, x);
    int64_t time = open ? time_at(o, x, l->start) : 0;
    struct wr_buf key = WR_BUF_INIT(16);
    if (o->op->plan->time_col < 0 || (open == l->noted && time == l->noted_time))
        return;
    if (l->noted) {
        wr_time_key_put(&key, l->noted_time);
        wr_omap_add(&o->open, wr_buf_get(&key), -1);
    }
    wr_buf_reset(&key);
    l->noted = open;
    l->noted_time = time;
    if (open) {
        wr_time_key_put(&key, time);
        wr_omap_add(&o->open, wr_buf_get(&key), 1);
    }
    wr_buf_clear(&key);
}

/* The search is decided: its match is given, the rows before the next start are let go. */
static wr_status decide(struct match *o, struct wr_group *x, struct wr_error *err)
{
    struct line *l = line_of(o, x);
    struct wr_part_pane *p = o->parts.pane[0];
    wr_status st = l->search.found ? put_match(o, x, l->search.found, err) : WR_OK;
    int64_t start = next_start(o, l), n = start - l->start;
    wr_search_end(&l->search);
    l->start = l->at = start;
    o->op->n.held -= (uint64_t)n;
    o->op->n.passed += (uint64_t)n;
    p->held -= (uint64_t)n;
    p->moved = true;
    for (; l->dropped < start - o->p->back; l->dropped++) {
        struct wr_str e = entry_at(o, x, l->dropped);
        wr_buf_reset(&o->parts.entry);
        wr_buf_str(&o->parts.entry, e);
        wr_parts_add(&o->parts, p, x, wr_buf_get(&o->parts.entry), -1);
    }
    return st;
}

static wr_status too_large(struct match *o, bool rows, struct wr_error *err)
{
    wr_fail(err, WR_ELIMIT, rows ? "a search of MATCH_RECOGNIZE holds more than %d rows of one partition"
                                 : "MATCH_RECOGNIZE has more than %d partial matches open in one partition", rows ? WR_MATCH_ROWS : WR_MATCH_THREADS);
    wr_hint(err, o->p->within < 0 ? "add WITHIN to bound a match in time" : "make the pattern or WITHIN shorter, or the conditions narrower");
    return WR_ELIMIT;
}

/* Searches what can be read. now: the event time of this look; final: no row follows. */
static wr_status search(struct match *o, struct wr_group *x, int64_t now, bool final, struct wr_error *err)
{
    struct line *l = line_of(o, x);
    int64_t within = o->p->within, end = 0;
    o->x = x;
    o->told = l->at - 1 > l->told ? l->at - 1 : l->told;
    for (;;) {
        int64_t upto = final ? count_rows(o, x) : l->passed - o->p->ahead;
        if (!l->search.on) {
            if (l->start >= upto)
                break;
            wr_search_begin(&o->matcher, &l->search);
            l->at = l->start;
        }
        end = within >= 0 && time_at(o, x, l->start) < INT64_MAX - 1 - within ? time_at(o, x, l->start) + within : INT64_MAX;
        while (l->search.n > 0 && l->at < upto) {
            if (time_at(o, x, l->at) > end)
                wr_search_stop(&l->search);
            else if (!wr_search_row(&o->matcher, &l->search, l->at++))
                return too_large(o, false, err);
        }
        if (l->search.n > 0 && (final || (end <= now && upto == l->passed)))
            wr_search_stop(&l->search);
        if (l->search.n > 0) {
            if (end != INT64_MAX && end > now) /* else NEXT waits for a row */
                wr_due_set(&o->due, x, end, EV_WITHIN);
            if (l->at - l->start > WR_MATCH_ROWS)
                return too_large(o, true, err);
            break;
        }
        WR_TRY(decide(o, x, err));
    }
    wr_parts_note(&o->parts, x);
    note_open(o, x);
    if (l->start == count_rows(o, x) && o->p->back == 0 && !o->p->numbered)
        wr_parts_drop(&o->parts, o->parts.pane[0], x);
    return WR_OK;
}

static wr_status limit(struct match *o, struct wr_error *err);

static wr_status match_watermark(struct wr_op *op, int64_t w, int64_t *fwd, struct wr_error *err)
{
    struct match *o = op->ctx;
    int64_t upto = w == WR_WM_END || w == WR_WM_NONE ? w : w - o->p->by.lateness, time;
    uint32_t done = 0;
    int ev;
    *fwd = upto;
    if (upto <= o->due.closed)
        return WR_OK;
    o->due.closed = upto;
    for (struct wr_group *x; (x = wr_due_take(&o->due, upto, &time, &ev));) {
        struct line *l = line_of(o, x);
        for (int64_t n = count_rows(o, x); l->passed < n && time_at(o, x, l->passed) <= time;)
            l->passed++;
        WR_TRY(search(o, x, time, false, err));
        if (++done % WR_DUE_MANY == 0)
            WR_TRY(limit(o, err));
    }
    WR_TRY(emit(o, err));
    struct wr_omap_it it = wr_omap_first(&o->open);
    if (wr_omap_valid(it) && wr_time_key_get(wr_omap_key(it).p) < upto && w != WR_WM_END)
        *fwd = wr_time_key_get(wr_omap_key(it).p);
    return limit(o, err);
}

static enum wr_each search_last(void *ctx, struct wr_group *x, wr_status *st, struct wr_error *err)
{
    struct match *o = ctx;
    uint64_t n = o->parts.pane[0]->groups.n;
    line_of(o, x)->passed = count_rows(o, x);
    *st = search(o, x, WR_WM_END, true, err);
    return o->parts.pane[0]->groups.n < n ? WR_EACH_REMOVED : WR_EACH_NEXT;
}

static wr_status match_finish(struct wr_op *op, struct wr_error *err)
{
    struct match *o = op->ctx;
    if (o->parts.n_pane == 0)
        return WR_OK;
    WR_TRY(wr_parts_each(o->parts.pane[0], INT64_MAX, search_last, o, err));
    return emit(o, err);
}

static int64_t open_rows(struct wr_op *op, struct wr_group *x)
{
    struct match *o = op->ctx;
    return count_rows(o, x) - line_of(o, x)->start;
}

static bool has_open_rows(struct wr_op *op, struct wr_group *x) { return open_rows(op, x) > 0; }

static wr_status match_tick(struct wr_op *op, int64_t mono_us WR_UNUSED, struct wr_error *err)
{
    struct match *o = op->ctx;
    return wr_parts_expire(&o->parts, has_open_rows, err);
}

static wr_status limit(struct match *o, struct wr_error *err) { return wr_parts_limit(&o->parts, wr_due_bytes(&o->due) + o->open.heap, err); }

/* ---- input ---- */

static void add_row(struct wr_op *op, const struct wr_batch *b, uint32_t r, int64_t ts, uint64_t hash)
{
    struct match *o = op->ctx;
    struct wr_parts *t = &o->parts;
    struct wr_part_pane *p = wr_parts_pane(t, INT64_MAX);
    struct wr_group *x = wr_parts_at(t, p, b, r, hash);
    wr_due_know(&o->due, x);
    wr_partition_of(t, x)->touched = wr_op_now(o->op);
    wr_parts_encode_order(t, b, r);
    wr_parts_encode_rest(t, b, r);
    wr_parts_add(t, p, x, wr_buf_get(&t->entry), 1);
    wr_due_set(&o->due, x, ts, EV_ROWS);
    wr_parts_note(t, x);
    note_open(o, x);
    o->op->n.held++;
    p->held++;
    p->moved = true;
}

static wr_status match_process(struct wr_op *op, int in WR_UNUSED, struct wr_batch *b, struct wr_error *err)
{
    struct match *o = op->ctx;
    WR_TRY(wr_due_process(&o->due, b, &o->scratch, add_row, err));
    return limit(o, err);
}

/* ---- life ---- */

static void partition_drop(struct wr_op *op, struct wr_group *x)
{
    struct match *o = op->ctx;
    struct line *l = line_of(o, x);
    wr_search_clear(&l->search);
    wr_due_forget(&o->due, x);
    wr_readback_forget(&o->readback);
}

/* The search begins anew when it comes back: it finds what it had found. */
static void partition_away(struct wr_op *op, struct wr_group *x)
{
    struct match *o = op->ctx;
    struct line *l = line_of(o, x);
    l->told = l->at - 1 > l->told ? l->at - 1 : l->told;
    l->at = l->start;
    wr_search_clear(&l->search);
    wr_due_away(&o->due, x);
    wr_readback_forget(&o->readback);
}

static void partition_back(struct wr_op *op, struct wr_group *x) { wr_due_back(&((struct match *)op->ctx)->due, x); }

static void see_nav(void *ctx, int col) { ((bool *)ctx)[col] = true; }

static void prepare_navs(struct match *o)
{
    const struct wr_plan_match *p = o->p;
    uint32_t most = 16;
    o->navs = wr_batch_new(p->navs, 1);
    o->navs->len = o->navs->n_live = 1;
    o->agg = WR_NEW_N(&o->arena, struct wr_aggcall, p->n_nav + 1);
    for (int i = 0; i < p->n_nav; i++) {
        if (p->nav[i].kind != WR_NAV_AGG)
            continue;
        o->agg[i] = p->nav[i].agg;
        o->agg[i].offset = 0;
        most = o->agg[i].size > most ? o->agg[i].size : most;
    }
    o->state = wr_calloc(1, most);
    o->wants = WR_NEW_N(&o->arena, bool *, p->n_var + 2);
    for (int v = 0; v <= p->n_var; v++)
        o->wants[v] = WR_NEW_N(&o->arena, bool, p->n_nav + 1);
    for (int v = 0; v < p->n_var; v++)
        if (p->var[v].define)
            wr_expr_columns(p->var[v].define, see_nav, o->wants[v]);
    for (int i = 0; i < p->n_measure; i++)
        wr_expr_columns(p->measure[i], see_nav, o->wants[p->n_var]);
}

static void save_line(struct wr_op *op, struct wr_group *x, struct wr_buf *out)
{
    const struct line *l = line_of(op->ctx, x);
    wr_buf_i64(out, l->dropped);
    wr_buf_i64(out, l->passed);
    wr_buf_i64(out, l->start);
    wr_buf_i64(out, l->number);
}

/* The search begins anew: it finds what it had found. */
static bool load_line(struct wr_op *op, struct wr_group *x, struct wr_str in)
{
    struct line *l = line_of(op->ctx, x);
    bool ok = wr_take_i64(&in, &l->dropped) && wr_take_i64(&in, &l->passed) && wr_take_i64(&in, &l->start) && wr_take_i64(&in, &l->number);
    l->at = l->start;
    return ok && l->dropped >= 0 && l->start >= l->dropped && l->passed >= l->start;
}

static wr_status match_open(struct wr_op *op, struct wr_error *err WR_UNUSED)
{
    struct match *o = wr_calloc(1, sizeof *o);
    op->ctx = o;
    o->p = &op->plan->u.match;
    o->op = op;
    o->out.schema = op->plan->out;
    wr_parts_init(&o->parts, op, &o->p->by, 0, NULL, sizeof(struct line));
    o->parts.save = save_line;
    o->parts.load = load_line;
    o->parts.drop = partition_drop;
    o->parts.open = open_rows;
    wr_parts_spills(&o->parts, partition_away, partition_back);
    wr_due_init(&o->due, &o->parts, offsetof(struct line, id));
    wr_matcher_init(&o->matcher, o->p);
    o->matcher.allows = allows;
    o->matcher.ctx = o;
    prepare_navs(o);
    return WR_OK;
}

static void match_close(struct wr_op *op)
{
    struct match *o = op->ctx;
    wr_parts_clear(&o->parts);
    wr_due_clear(&o->due);
    wr_matcher_clear(&o->matcher);
    wr_omap_clear(&o->open);
    wr_readback_clear(&o->readback);
    wr_batch_unref(o->navs);
    wr_batch_unref(wr_builder_take(&o->out));
    free(o->state);
    wr_arena_clear(&o->scratch);
    wr_arena_clear(&o->arena);
    free(o);
    op->ctx = NULL;
}

static wr_status match_checkpoint(struct wr_op *op, struct wr_buf *delta, struct wr_error *err WR_UNUSED)
{
    struct match *o = op->ctx;
    wr_parts_checkpoint(&o->parts, delta);
    wr_due_checkpoint(&o->due, delta);
    return WR_OK;
}

/* Searches that were open hold back the output's event time. */
static enum wr_each open_again(void *ctx, struct wr_group *x, wr_status *st WR_UNUSED, struct wr_error *err WR_UNUSED)
{
    struct match *o = ctx;
    note_open(o, x);
    if (!line_of(o, x)->noted)
        return WR_EACH_NEXT;
    wr_partition_of(&o->parts, x)->same = false; /* the checkpoint does not say that it is noted */
    return WR_EACH_STAYS;
}

static wr_status match_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err)
{
    struct match *o = op->ctx;
    WR_TRY(wr_parts_restore(&o->parts, r, err));
    bool ok = wr_due_restore(&o->due, r);
    if (op->plan->time_col >= 0 && o->parts.n_pane > 0)
        WR_TRY(wr_parts_each(o->parts.pane[0], INT64_MAX, open_again, o, err));
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the checkpoint's state of MATCH_RECOGNIZE is damaged");
}

const struct wr_op_vt wr_op_match = {
    .name = "match", .spills = true, .open = match_open, .process = match_process, .watermark = match_watermark, .tick = match_tick, .flush = wr_op_no_flush,
    .finish = match_finish, .checkpoint = match_checkpoint, .restore = match_restore, .close = match_close,
};

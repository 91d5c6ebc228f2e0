/* frames.c: see frames.h.
 * Rules:  both ends of a frame only move forward, so that each row goes in and out of an aggregate once.
 *         RANGE distances are those of the 64-bit form of ORDER BY's column; NULLs are equal to each other and far from all else. */
#include "executor/frames.h"

#include <stdlib.h>

void wr_frames_init(struct wr_frames *f, const struct wr_plan_over *p, struct wr_aggcall **call)
{
    *f = (struct wr_frames){.p = p, .call = call};
    for (int k = 0; k < p->n_frame; k++)
        f->peers |= !p->frame[k].rows;
    for (int k = 0; k < p->n_fn; k++) {
        enum wr_overkind kind = p->fn[k].kind;
        f->peers |= kind == WR_OVER_RANK || kind == WR_OVER_DENSE_RANK || kind == WR_OVER_PERCENT_RANK || kind == WR_OVER_CUME_DIST;
    }
}

void wr_frames_clear(struct wr_frames *f)
{
    free(f->minus);
    f->minus = NULL;
}

/* ---- where a frame begins and ends ---- */

static void find_peers(struct wr_frames_at *at, const struct wr_seq *seq, int64_t i)
{
    if (i < at->peer_end)
        return;
    at->peer = i;
    at->dense++;
    at->peer_end = i + 1;
    while (at->peer_end < seq->n && seq->same(seq->ctx, i, at->peer_end))
        at->peer_end++;
}

static int64_t clamp(int64_t v, int64_t n) { return v < 0 ? 0 : v > n ? n : v; }

/* i + by, without overflow. */
static int64_t moved(int64_t i, int64_t by, int64_t n)
{
    int64_t v;
    return __builtin_add_overflow(i, by, &v) ? (by < 0 ? 0 : n) : clamp(v, n);
}

/* A row's place on the line that RANGE measures on: rising, NULLs at their end of it. */
__extension__ typedef __int128 place;
static place place_of(const struct wr_frames *f, const struct wr_seq *seq, int64_t i, bool *null)
{
    int64_t v = 0;
    *null = !seq->value(seq->ctx, i, &v);
    if (*null)
        return f->p->by.nulls_first[0] ? -((place)1 << 100) : (place)1 << 100;
    return f->p->by.desc[0] ? -(place)v : (place)v;
}

/* First row from j on whose place is >= limit (after: > limit). */
static int64_t seek(const struct wr_frames *f, const struct wr_seq *seq, int64_t j, place limit, bool after)
{
    bool null;
    for (; j < seq->n; j++) {
        place v = place_of(f, seq, j, &null);
        if (after ? v > limit : v >= limit)
            break;
    }
    return j;
}

static int64_t range_end(const struct wr_frames *f, const struct wr_frames_at *at, const struct wr_seq *seq, int64_t i, int64_t j, enum wr_edge_kind kind,
                         int64_t n, bool end)
{
    bool null;
    switch (kind) {
    case WR_AT_START: return 0;
    case WR_AT_END: return seq->n;
    case WR_AT_CURRENT: return end ? at->peer_end : at->peer;
    case WR_AT_PRECEDING:
    case WR_AT_FOLLOWING: break;
    }
    place v = place_of(f, seq, i, &null);
    if (null)
        return end ? at->peer_end : at->peer;
    return seek(f, seq, j, kind == WR_AT_PRECEDING ? v - n : v + n, end);
}

static int64_t rows_end(int64_t n_row, int64_t i, enum wr_edge_kind kind, int64_t n, bool end)
{
    switch (kind) {
    case WR_AT_START: return 0;
    case WR_AT_END: return n_row;
    case WR_AT_CURRENT: return i + end;
    case WR_AT_PRECEDING: return moved(i + end, -n, n_row);
    case WR_AT_FOLLOWING: return moved(i + end, n, n_row);
    }
    return 0;
}

/* ---- aggregates ---- */

static bool wanted(const struct wr_aggcall *c, const struct wr_batch *b, uint32_t r)
{
    if (c->filter < 0)
        return true;
    const struct wr_vec *v = &b->col[c->filter];
    return !wr_vec_null(v, r) && WR_VEC_I8(v)[wr_vec_at(v, r)];
}

static void take_back(struct wr_frames *f, const struct wr_aggcall *c, void *state, struct wr_batch *b, uint32_t r)
{
    if (f->n_minus < b->cap) {
        f->n_minus = b->cap;
        f->minus = wr_realloc(f->minus, b->cap);
        memset(f->minus, WR_OP_DELETE, b->cap);
    }
    const int8_t *was = b->op;
    b->op = f->minus;
    wr_aggcall_add_run(c, state, b, &r, 1);
    b->op = was;
}

/* Row j goes into (or out of) the states of all aggregates over frame k that follow it. */
static void move_row(struct wr_frames *f, char *base, const struct wr_seq *seq, int k, int64_t j, bool out)
{
    uint32_t r;
    struct wr_batch *b = seq->row(seq->ctx, j, &r);
    for (int i = 0; i < f->p->n_fn; i++) {
        const struct wr_overfn *fn = &f->p->fn[i];
        const struct wr_aggcall *c = f->call[i];
        if (!c || fn->frame != k || fn->recompute || !wanted(c, b, r))
            continue;
        if (out)
            take_back(f, c, base + c->offset, b, r);
        else
            wr_aggcall_add_run(c, base + c->offset, b, &r, 1);
    }
}

static bool any_follows(const struct wr_frames *f, int k)
{
    for (int i = 0; i < f->p->n_fn; i++)
        if (f->call[i] && f->p->fn[i].frame == k && !f->p->fn[i].recompute)
            return true;
    return false;
}

static bool computed_anew(const struct wr_aggcall *c, const struct wr_seq *seq, int64_t from, int64_t to, struct wr_vec *out, uint32_t r,
                          struct wr_arena *mem)
{
    struct wr_arena tmp = {0};
    void *state = wr_arena_alloc(&tmp, c->size ? c->size : 1);
    wr_aggcall_init(c, state);
    for (int64_t j = from; j < to; j++) {
        uint32_t at;
        struct wr_batch *b = seq->row(seq->ctx, j, &at);
        if (wanted(c, b, at))
            wr_aggcall_add_run(c, state, b, &at, 1);
    }
    bool ok = wr_aggcall_result(c, state, out, r, mem);
    wr_aggcall_drop(c, state);
    wr_arena_clear(&tmp);
    return ok;
}

/* ---- one row ---- */

static void put_int(struct wr_batch *out, int col, uint32_t r, int64_t v) { WR_VEC_I64(&out->col[col])[r] = v; }

/* Column `col` of row j; j out of range or col < 0: NULL. */
static void put_value(const struct wr_seq *seq, int64_t j, int col, struct wr_batch *out, int to, uint32_t r)
{
    struct wr_value v = {.null = true};
    uint32_t at;
    if (col >= 0 && j >= 0 && j < seq->n) {
        struct wr_batch *b = seq->row(seq->ctx, j, &at);
        v = wr_vec_get(&b->col[col], at);
    }
    wr_vec_set(&out->col[to], r, &v, out->cap, &out->mem);
}

static int64_t bucket_of(int64_t i, int64_t n, int64_t buckets)
{
    int64_t size = n / buckets, more = n % buckets; /* the first `more` have one row more */
    if (i < more * (size + 1))
        return i / (size + 1) + 1;
    return more + (i - more * (size + 1)) / size + 1;
}

static void put_place(const struct wr_overfn *fn, const struct wr_frames_at *at, const struct wr_seq *seq, int64_t i, struct wr_batch *out, int col,
                      uint32_t r)
{
    switch (fn->kind) {
    case WR_OVER_ROW_NUMBER: put_int(out, col, r, i + 1); return;
    case WR_OVER_RANK: put_int(out, col, r, at->peer + 1); return;
    case WR_OVER_DENSE_RANK: put_int(out, col, r, at->dense); return;
    case WR_OVER_PERCENT_RANK: WR_VEC_F64(&out->col[col])[r] = seq->n > 1 ? (double)at->peer / (double)(seq->n - 1) : 0; return;
    case WR_OVER_CUME_DIST: WR_VEC_F64(&out->col[col])[r] = (double)at->peer_end / (double)seq->n; return;
    case WR_OVER_NTILE: put_int(out, col, r, bucket_of(i, seq->n, fn->n)); return;
    case WR_OVER_AGG:
    case WR_OVER_LAG:
    case WR_OVER_LEAD:
    case WR_OVER_FIRST:
    case WR_OVER_LAST:
    case WR_OVER_NTH: break;
    }
    WR_BUG("not a place");
}

static bool put_result(struct wr_frames *f, int k, char *base, struct wr_frames_at *at, const struct wr_seq *seq, int64_t i, struct wr_batch *out, int col,
                       uint32_t r, bool same_frame)
{
    const struct wr_overfn *fn = &f->p->fn[k];
    int64_t from = fn->frame >= 0 ? at->frame[fn->frame].from : 0, to = fn->frame >= 0 ? at->frame[fn->frame].to : 0;
    int64_t j;
    switch (fn->kind) {
    case WR_OVER_AGG:
        (void)wr_vec_nulls(&out->col[col], out->cap, &out->mem);
        if (same_frame) {
            wr_vec_copy(&out->col[col], r, &out->col[col], r - 1);
            return true;
        }
        out->col[col].nulls[r] = 0;
        if (fn->recompute)
            return computed_anew(f->call[k], seq, from, to, &out->col[col], r, &out->mem);
        return wr_aggcall_result(f->call[k], base + f->call[k]->offset, &out->col[col], r, &out->mem);
    case WR_OVER_LAG:
    case WR_OVER_LEAD:
        j = fn->kind == WR_OVER_LAG ? i - fn->n : i + fn->n;
        if (j >= 0 && j < seq->n)
            put_value(seq, j, fn->arg, out, col, r);
        else
            put_value(seq, i, fn->def, out, col, r);
        return true;
    case WR_OVER_FIRST: put_value(seq, from < to ? from : -1, fn->arg, out, col, r); return true;
    case WR_OVER_LAST: put_value(seq, from < to ? to - 1 : -1, fn->arg, out, col, r); return true;
    case WR_OVER_NTH: put_value(seq, fn->n <= to - from ? from + fn->n - 1 : -1, fn->arg, out, col, r); return true;
    case WR_OVER_ROW_NUMBER:
    case WR_OVER_RANK:
    case WR_OVER_DENSE_RANK:
    case WR_OVER_PERCENT_RANK:
    case WR_OVER_CUME_DIST:
    case WR_OVER_NTILE: put_place(fn, at, seq, i, out, col, r); return true;
    }
    return true;
}

int wr_frames_row(struct wr_frames *f, char *base, struct wr_frames_at *at, const struct wr_seq *seq, int64_t i, struct wr_batch *out, int first, uint32_t r,
                  bool again)
{
    const struct wr_plan_over *p = f->p;
    bool still[64] = {0}; /* frames that are what they were for the row before; further ones are computed again */
    if (f->peers)
        find_peers(at, seq, i);
    for (int k = 0; k < p->n_frame; k++) {
        const struct wr_frame *w = &p->frame[k];
        int64_t from, to;
        if (w->rows) {
            from = rows_end(seq->n, i, w->from, w->from_n, false);
            to = rows_end(seq->n, i, w->to, w->to_n, true);
        } else {
            from = range_end(f, at, seq, i, at->frame[k].from, w->from, w->from_n, false);
            to = range_end(f, at, seq, i, at->frame[k].to, w->to, w->to_n, true);
        }
        if (k < 64)
            still[k] = again && from == at->frame[k].from && to == at->frame[k].to;
        bool follow = any_follows(f, k);
        for (int64_t j = at->frame[k].to; follow && j < to; j++)
            move_row(f, base, seq, k, j, false);
        for (int64_t j = at->frame[k].from; follow && j < from; j++)
            move_row(f, base, seq, k, j, true);
        at->frame[k].from = from;
        at->frame[k].to = to;
    }
    for (int k = 0; k < p->n_fn; k++)
        if (!put_result(f, k, base, at, seq, i, out, first + k, r, p->fn[k].frame >= 0 && p->fn[k].frame < 64 && still[p->fn[k].frame]))
            return k;
    return -1;
}

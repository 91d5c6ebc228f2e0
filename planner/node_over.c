/* node_over.c: the nodes of ranking, OVER and GROUPING SETS: properties, equality, pruning, EXPLAIN. The counterpart of node.c, physical.c, prune.c, plan.c.
 * Memory: the arena given. */
#include "planner/over.h"
#include "core/time.h"

const struct wr_partby *wr_over_by(const struct wr_plan *p)
{
    return p->kind == WR_PLAN_TOP_N ? &p->u.rank.by : &p->u.over.by;
}

const char *wr_over_name(enum wr_overkind kind)
{
    switch (kind) {
    case WR_OVER_AGG: return "";
    case WR_OVER_ROW_NUMBER: return "row_number";
    case WR_OVER_RANK: return "rank";
    case WR_OVER_DENSE_RANK: return "dense_rank";
    case WR_OVER_PERCENT_RANK: return "percent_rank";
    case WR_OVER_CUME_DIST: return "cume_dist";
    case WR_OVER_NTILE: return "ntile";
    case WR_OVER_LAG: return "lag";
    case WR_OVER_LEAD: return "lead";
    case WR_OVER_FIRST: return "first_value";
    case WR_OVER_LAST: return "last_value";
    case WR_OVER_NTH: return "nth_value";
    }
    return "";
}

/* ---- text of a function ---- */

static struct wr_str col_name(const struct wr_schema *s, int col) { return col >= 0 && col < s->n ? s->field[col].name : WR_STR("?"); }

static void put_edge(struct wr_buf *out, const struct wr_frame *f, enum wr_edge_kind kind, int64_t n, bool time)
{
    if (kind == WR_AT_PRECEDING || kind == WR_AT_FOLLOWING) {
        if (time && !f->rows)
            wr_duration_print(out, n);
        else
            wr_buf_printf(out, "%lld", (long long)n);
    }
    switch (kind) {
    case WR_AT_START: wr_buf_puts(out, "start"); return;
    case WR_AT_PRECEDING: wr_buf_puts(out, " preceding"); return;
    case WR_AT_CURRENT: wr_buf_puts(out, "current row"); return;
    case WR_AT_FOLLOWING: wr_buf_puts(out, " following"); return;
    case WR_AT_END: wr_buf_puts(out, "end"); return;
    }
}

static void put_fn(struct wr_buf *out, const struct wr_overfn *f, const struct wr_schema *in)
{
    if (f->kind == WR_OVER_AGG) {
        wr_aggcall_print(out, &f->agg, in);
        return;
    }
    wr_buf_printf(out, "%s(", wr_over_name(f->kind));
    if (f->arg >= 0)
        wr_buf_str(out, col_name(in, f->arg));
    if (f->kind == WR_OVER_NTILE || f->kind == WR_OVER_LAG || f->kind == WR_OVER_LEAD || f->kind == WR_OVER_NTH)
        wr_buf_printf(out, "%s%lld", f->arg >= 0 ? ", " : "", (long long)f->n);
    if (f->def >= 0)
        wr_buf_printf(out, ", %.*s", WR_FMT(col_name(in, f->def)));
    wr_buf_putc(out, ')');
}

static struct wr_str fn_text(struct wr_arena *a, const struct wr_overfn *f, const struct wr_schema *in)
{
    struct wr_buf b = WR_BUF_INIT(4096);
    put_fn(&b, f, in);
    struct wr_str s = wr_arena_str(a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return s;
}

/* ---- properties ---- */

/* The input's key with further columns. */
static void key_with(struct wr_arena *a, struct wr_plan *p, const int *more, int n_more)
{
    const struct wr_plan *in = p->in[0];
    if (in->n_ukey < 0) {
        p->n_ukey = -1;
        return;
    }
    int *key = WR_NEW_N(a, int, in->n_ukey + n_more + 1), n = 0;
    for (int i = 0; i < in->n_ukey + n_more; i++) {
        int c = i < in->n_ukey ? in->ukey[i] : more[i - in->n_ukey];
        bool there = false;
        for (int k = 0; k < n; k++)
            there |= key[k] == c;
        if (!there)
            key[n++] = c;
    }
    p->ukey = key;
    p->n_ukey = n;
}

static void rank_ukey(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_rank *r = &p->u.rank;
    if (r->fn == WR_OVER_ROW_NUMBER && (r->with_number || r->lo == r->hi)) {
        int *key = wr_ints(a, r->by.part, r->by.n_part); /* has room for one more */
        p->n_ukey = r->by.n_part;
        if (r->lo != r->hi)
            key[p->n_ukey++] = p->in[0]->out->n;
        p->ukey = key;
        return;
    }
    key_with(a, p, r->by.part, r->by.n_part);
}

static struct wr_schema *with_columns(struct wr_arena *a, const struct wr_schema *in, int more)
{
    struct wr_schema *s = wr_schema_new(a, in->n + more);
    if (in->n)
        memcpy(s->field, in->field, sizeof(*in->field) * (size_t)in->n);
    return s;
}

static void expand_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_expand *e = &p->u.expand;
    int n = p->in[0]->out->n;
    struct wr_schema *s = with_columns(a, p->in[0]->out, 1);
    for (int i = 0; i < e->n_key; i++)
        s->field[e->key[i]].nullable = true;
    s->field[n] = (struct wr_field){.name = WR_STR("grouping_set"), .type = WR_TYPE_OF(BIGINT)};
    p->out = s;
    key_with(a, p, &n, 1);
}

void wr_over_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan *in = p->in[0];
    p->updating = in->updating;
    p->bounded = in->bounded;
    p->time_col = in->time_col;
    p->win_start = in->win_start;
    p->win_end = in->win_end;
    p->win_kind = in->win_kind;
    p->late = in->late;
    p->n_ukey = in->n_ukey;
    p->ukey = in->ukey;
    if (p->kind == WR_PLAN_EXPAND) {
        expand_props(a, p);
        return;
    }
    if (p->kind == WR_PLAN_OVER_TIME) {
        p->updating = false;
    } else {
        p->updating = wr_over_by(p)->emit != WR_EMIT_FINAL;
        p->time_col = -1; /* a row may come back, or change, long after its time has passed, */
        if (wr_over_by(p)->win.kind == WR_WIN_NONE)
            p->win_start = p->win_end = -1; /* and after that of its window where the partitions do not end with it */
    }
    if (p->kind == WR_PLAN_TOP_N) {
        struct wr_schema *s = with_columns(a, in->out, p->u.rank.with_number);
        if (p->u.rank.with_number)
            s->field[in->out->n] = (struct wr_field){.name = wr_str_c(wr_over_name(p->u.rank.fn)), .type = WR_TYPE_OF(BIGINT)};
        p->out = s;
        rank_ukey(a, p);
        return;
    }
    const struct wr_plan_over *o = &p->u.over;
    struct wr_schema *s = with_columns(a, in->out, o->n_fn);
    for (int i = 0; i < o->n_fn; i++)
        s->field[in->out->n + i] = (struct wr_field){.name = fn_text(a, &o->fn[i], in->out), .type = o->fn[i].ret, .nullable = o->fn[i].nullable};
    p->out = s;
    if (p->kind == WR_PLAN_OVER)
        key_with(a, p, o->by.part, o->by.n_part);
}

/* ---- equality ---- */

static bool same_ints(const int *a, int na, const int *b, int nb) { return na == nb && (na == 0 || memcmp(a, b, sizeof(int) * (size_t)na) == 0); }

static bool same_by(const struct wr_partby *a, const struct wr_partby *b)
{
    if (!same_ints(a->part, a->n_part, b->part, b->n_part) || !same_ints(a->order, a->n_order, b->order, b->n_order) || a->win.kind != b->win.kind
        || a->win.end_col != b->win.end_col || a->emit != b->emit || a->every != b->every || a->lateness != b->lateness || a->ttl != b->ttl)
        return false;
    for (int i = 0; i < a->n_order; i++)
        if (a->desc[i] != b->desc[i] || a->nulls_first[i] != b->nulls_first[i])
            return false;
    return true;
}

static bool same_call(const struct wr_aggcall *a, const struct wr_aggcall *b)
{
    for (int i = 0; i < a->n_order && i < b->n_order; i++)
        if (a->order_desc[i] != b->order_desc[i])
            return false;
    return a->fn == b->fn && same_ints(a->arg, a->n_arg, b->arg, b->n_arg) && a->filter == b->filter && a->distinct == b->distinct
        && a->has_param == b->has_param && !(a->param < b->param) && !(a->param > b->param) && wr_str_eq(a->sep, b->sep)
        && same_ints(a->order, a->n_order, b->order, b->n_order) && wr_type_eq(a->ret, b->ret);
}

static bool same_frame(const struct wr_frame *a, const struct wr_frame *b)
{
    return a->rows == b->rows && a->from == b->from && a->to == b->to && a->from_n == b->from_n && a->to_n == b->to_n;
}

static bool same_fns(const struct wr_plan_over *a, const struct wr_plan_over *b)
{
    if (a->n_fn != b->n_fn || a->n_frame != b->n_frame)
        return false;
    for (int i = 0; i < a->n_frame; i++)
        if (!same_frame(&a->frame[i], &b->frame[i]))
            return false;
    for (int i = 0; i < a->n_fn; i++) {
        const struct wr_overfn *f = &a->fn[i], *g = &b->fn[i];
        if (f->kind != g->kind || f->arg != g->arg || f->def != g->def || f->n != g->n || f->frame != g->frame || !wr_type_eq(f->ret, g->ret)
            || (f->kind == WR_OVER_AGG && !same_call(&f->agg, &g->agg)))
            return false;
    }
    return true;
}

bool wr_over_same(const struct wr_plan *a, const struct wr_plan *b)
{
    if (a->kind == WR_PLAN_EXPAND)
        return same_ints(a->u.expand.key, a->u.expand.n_key, b->u.expand.key, b->u.expand.n_key) && a->u.expand.n_set == b->u.expand.n_set
            && memcmp(a->u.expand.set, b->u.expand.set, sizeof(int64_t) * (size_t)a->u.expand.n_set) == 0;
    if (!same_by(wr_over_by(a), wr_over_by(b)))
        return false;
    if (a->kind != WR_PLAN_TOP_N)
        return same_fns(&a->u.over, &b->u.over);
    const struct wr_plan_rank *r = &a->u.rank, *s = &b->u.rank;
    return r->fn == s->fn && r->lo == s->lo && r->hi == s->hi && r->with_number == s->with_number;
}

/* ---- pruning ---- */

static void mark(bool *need, int col)
{
    if (col >= 0)
        need[col] = true;
}

static void need_fn(const struct wr_overfn *f, bool *need)
{
    mark(need, f->arg);
    mark(need, f->def);
    if (f->kind != WR_OVER_AGG)
        return;
    for (int i = 0; i < f->agg.n_arg; i++)
        mark(need, f->agg.arg[i]);
    for (int i = 0; i < f->agg.n_order; i++)
        mark(need, f->agg.order[i]);
    mark(need, f->agg.filter);
}

void wr_over_need(const struct wr_plan *p, int n_in, const bool *mine, bool *need)
{
    for (int i = 0; i < n_in; i++)
        need[i] |= mine[i];
    if (p->kind == WR_PLAN_EXPAND) {
        for (int i = 0; i < p->u.expand.n_key; i++)
            mark(need, p->u.expand.key[i]);
        return;
    }
    const struct wr_partby *by = wr_over_by(p);
    for (int i = 0; i < by->n_part; i++)
        mark(need, by->part[i]);
    for (int i = 0; i < by->n_order; i++)
        mark(need, by->order[i]);
    if (by->win.kind != WR_WIN_NONE)
        mark(need, by->win.end_col);
    if (p->kind == WR_PLAN_TOP_N)
        return;
    for (int i = 0; i < p->u.over.n_fn; i++)
        if (mine[n_in + i])
            need_fn(&p->u.over.fn[i], need);
}

static int *moved(struct wr_arena *a, const int *col, int n, const int *in)
{
    int *out = wr_ints(a, col, n);
    for (int i = 0; i < n; i++)
        out[i] = in[col[i]];
    return out;
}

static void move_fn(struct wr_overfn *f, const int *in)
{
    if (f->arg >= 0)
        f->arg = in[f->arg];
    if (f->def >= 0)
        f->def = in[f->def];
    if (f->kind != WR_OVER_AGG)
        return;
    for (int i = 0; i < f->agg.n_arg; i++)
        f->agg.arg[i] = in[f->agg.arg[i]];
    for (int i = 0; i < f->agg.n_order; i++)
        f->agg.order[i] = in[f->agg.order[i]];
    if (f->agg.filter >= 0)
        f->agg.filter = in[f->agg.filter];
}

static void rebuild_over(struct wr_arena *a, struct wr_plan *p, const bool *mine, const int *in, int old_n, int *map)
{
    struct wr_plan_over *o = &p->u.over;
    struct wr_overfn *fn = WR_NEW_N(a, struct wr_overfn, o->n_fn + 1);
    int n = p->in[0]->out->n, k = 0;
    for (int i = 0; i < o->n_fn; i++) {
        map[old_n + i] = mine[old_n + i] ? n + k : -1;
        if (!mine[old_n + i])
            continue;
        fn[k] = o->fn[i];
        move_fn(&fn[k++], in);
    }
    o->fn = fn;
    o->n_fn = k;
}

void wr_over_rebuild(struct wr_arena *a, struct wr_plan *p, const bool *mine, const int *in, int old_n, int *map)
{
    for (int i = 0; i < old_n; i++)
        map[i] = in[i];
    if (p->kind == WR_PLAN_EXPAND) {
        p->u.expand.key = moved(a, p->u.expand.key, p->u.expand.n_key, in);
        map[old_n] = p->in[0]->out->n;
        return;
    }
    struct wr_partby *by = p->kind == WR_PLAN_TOP_N ? &p->u.rank.by : &p->u.over.by;
    by->part = moved(a, by->part, by->n_part, in);
    by->order = moved(a, by->order, by->n_order, in);
    if (by->win.kind != WR_WIN_NONE)
        by->win.end_col = in[by->win.end_col];
    if (p->kind != WR_PLAN_TOP_N) {
        rebuild_over(a, p, mine, in, old_n, map);
    } else if (p->u.rank.with_number) {
        p->u.rank.with_number = mine[old_n];
        map[old_n] = mine[old_n] ? p->in[0]->out->n : -1;
    }
}

/* ---- EXPLAIN ---- */

static void put_by(struct wr_buf *out, const struct wr_partby *by, const struct wr_schema *in)
{
    wr_buf_puts(out, by->n_part ? " by " : "");
    for (int i = 0; i < by->n_part; i++)
        wr_buf_printf(out, "%s%.*s", i ? ", " : "", WR_FMT(col_name(in, by->part[i])));
    wr_buf_puts(out, by->n_order ? " order " : "");
    for (int i = 0; i < by->n_order; i++) {
        wr_buf_printf(out, "%s%.*s%s", i ? ", " : "", WR_FMT(col_name(in, by->order[i])), by->desc[i] ? " DESC" : "");
        if (by->nulls_first[i] != by->desc[i])
            wr_buf_puts(out, by->nulls_first[i] ? " NULLS FIRST" : " NULLS LAST");
    }
}

static bool is_default_frame(const struct wr_frame *f, const struct wr_partby *by)
{
    return f->from == WR_AT_START && (by->n_order ? !f->rows && f->to == WR_AT_CURRENT : f->to == WR_AT_END);
}

static void put_expand(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_expand *e = &p->u.expand;
    for (int s = 0; s < e->n_set; s++) {
        wr_buf_puts(out, s ? ", (" : " (");
        for (int k = 0, n = 0; k < e->n_key; k++)
            if (!(e->set[s] >> k & 1))
                wr_buf_printf(out, "%s%.*s", n++ ? ", " : "", WR_FMT(col_name(p->in[0]->out, e->key[k])));
        wr_buf_putc(out, ')');
    }
}

void wr_over_print(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_schema *in = p->in[0]->out;
    if (p->kind == WR_PLAN_EXPAND) {
        put_expand(out, p);
        return;
    }
    const struct wr_partby *by = wr_over_by(p);
    put_by(out, by, in);
    if (p->kind == WR_PLAN_TOP_N) {
        const struct wr_plan_rank *r = &p->u.rank;
        wr_buf_printf(out, ": %s ", wr_over_name(r->fn));
        if (r->lo > 1)
            wr_buf_printf(out, "%lld..%lld", (long long)r->lo, (long long)r->hi);
        else
            wr_buf_printf(out, "<= %lld", (long long)r->hi);
        return;
    }
    const struct wr_plan_over *o = &p->u.over;
    bool time = by->n_order > 0 && wr_type_is_time(in->field[by->order[0]].type);
    for (int i = 0; i < o->n_fn; i++) {
        wr_buf_puts(out, i ? ", " : ": ");
        put_fn(out, &o->fn[i], in);
        const struct wr_frame *f = o->fn[i].frame >= 0 ? &o->frame[o->fn[i].frame] : NULL;
        if (!f || is_default_frame(f, by))
            continue;
        wr_buf_puts(out, f->rows ? " rows " : " range ");
        put_edge(out, f, f->from, f->from_n, time);
        wr_buf_puts(out, " to ");
        put_edge(out, f, f->to, f->to_n, time);
    }
}

static void put_per(struct wr_buf *out, const struct wr_partby *by, const struct wr_schema *in)
{
    if (by->n_part == 0)
        return;
    wr_buf_puts(out, " per (");
    for (int i = 0; i < by->n_part; i++)
        wr_buf_printf(out, "%s%.*s", i ? ", " : "", WR_FMT(col_name(in, by->part[i])));
    wr_buf_putc(out, ')');
}

bool wr_over_grows(const struct wr_plan *p)
{
    const struct wr_partby *by = wr_over_by(p);
    if ((by->win.kind != WR_WIN_NONE && wr_node_has_watermark(p)) || by->ttl || p->bounded)
        return false;
    return by->n_part || p->kind == WR_PLAN_OVER || p->in[0]->updating;
}

static void put_freed(struct wr_buf *out, const struct wr_plan *p, const struct wr_partby *by)
{
    if (by->win.kind != WR_WIN_NONE && wr_node_has_watermark(p)) {
        wr_buf_puts(out, ", freed when W passes window end");
        if (by->lateness) {
            wr_buf_puts(out, " + ");
            wr_duration_print(out, by->lateness);
        }
    } else if (by->ttl) {
        wr_buf_puts(out, ", freed when untouched for ");
        wr_duration_print(out, by->ttl);
    } else if (p->bounded) {
        wr_buf_puts(out, ", kept to the end of the input");
    } else if (wr_over_grows(p)) {
        wr_buf_puts(out, ", grows for ever: set state.ttl");
    }
}

/* What OVER_TIME holds of rows the watermark has passed. */
static void put_behind(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_over *o = &p->u.over;
    int64_t rows = 0, range = 0;
    for (int i = 0; i < o->n_fn; i++) {
        const struct wr_overfn *f = &o->fn[i];
        const struct wr_frame *w = f->frame >= 0 ? &o->frame[f->frame] : NULL;
        if (f->kind == WR_OVER_LAG && f->n > rows)
            rows = f->n;
        if (w && w->from == WR_AT_PRECEDING && w->rows && w->from_n > rows)
            rows = w->from_n;
        if (w && w->from == WR_AT_PRECEDING && !w->rows && w->from_n > range)
            range = w->from_n;
    }
    wr_buf_puts(out, "emits rows when W passes them; state: rows W has not passed, and");
    put_per(out, &o->by, p->in[0]->out);
    if (rows)
        wr_buf_printf(out, " the last %lld row%s", (long long)rows, rows == 1 ? "" : "s");
    if (range) {
        wr_buf_puts(out, rows ? ", the rows of " : " the rows of ");
        wr_duration_print(out, range);
    }
    if (!rows && !range)
        wr_buf_puts(out, " the running results");
}

void wr_over_print_state(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_partby *by = wr_over_by(p);
    if (p->kind == WR_PLAN_OVER_TIME) {
        put_behind(out, p);
        put_freed(out, p, by);
        return;
    }
    switch (by->emit) {
    case WR_EMIT_CHANGES: wr_buf_puts(out, "emits changes; "); break;
    case WR_EMIT_EVERY:
        wr_buf_puts(out, "emits changes every ");
        wr_duration_print(out, by->every);
        wr_buf_puts(out, "; ");
        break;
    case WR_EMIT_FINAL: wr_buf_puts(out, "emits final results; "); break;
    }
    if (p->kind == WR_PLAN_TOP_N && !p->in[0]->updating)
        wr_buf_printf(out, "state: %lld row%s", (long long)p->u.rank.hi, p->u.rank.hi == 1 ? "" : "s");
    else
        wr_buf_puts(out, "state: all rows");
    put_per(out, by, p->in[0]->out);
    put_freed(out, p, by);
}

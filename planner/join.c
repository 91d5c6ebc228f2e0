/* join.c: JOIN nodes as the other files of the planner need them: properties, columns, exchanges' keys, text. bind_join.c makes them.
 * Rules:  columns of both inputs together are numbered left first. The output is a choice of them, so that what nobody needs is not put together.
 *         A regular join gives rows of any age, so it has no event time and no window; interval and window joins keep theirs.
 * Memory: the arena given. */
#include "planner/internal.h"
#include "core/time.h"

bool wr_join_shows(enum wr_jkind kind, int side)
{
    switch (kind) {
    case WR_J_INNER:
    case WR_J_SEMI: return false;
    case WR_J_LEFT:
    case WR_J_ANTI: return side == 0;
    case WR_J_RIGHT: return side == 1;
    case WR_J_FULL: return true;
    }
    return false;
}

/* ---- properties ---- */

static int out_col(const struct wr_plan_join *j, int both)
{
    for (int i = 0; i < j->n_col; i++)
        if (j->col[i] == both)
            return i;
    return -1;
}

/* Where the output has column c of input side, or, in an inner join, a column that is always equal to it; -1: nowhere. */
static int where_is(const struct wr_plan *p, int side, int c)
{
    const struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n, at = out_col(j, side ? n_left + c : c);
    for (int i = 0; i < j->n_key && at < 0 && j->kind == WR_J_INNER; i++)
        if (j->key[side][i] == c)
            at = out_col(j, side ? j->key[0][i] : n_left + j->key[1][i]);
    return at;
}

/* Adds the unique key of an input to key[0..*n); false: it has none, or the output does not have it. */
static bool add_ukey(const struct wr_plan *p, int side, int *key, int *n)
{
    const struct wr_plan *in = p->in[side];
    for (int i = 0; i < in->n_ukey; i++) {
        int at = where_is(p, side, in->ukey[i]);
        if (at < 0)
            return false;
        bool there = false;
        for (int k = 0; k < *n; k++)
            there |= key[k] == at;
        if (!there)
            key[(*n)++] = at;
    }
    return in->n_ukey >= 0;
}

static void join_ukey(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    int room = (p->in[0]->n_ukey > 0 ? p->in[0]->n_ukey : 0) + (p->in[1]->n_ukey > 0 ? p->in[1]->n_ukey : 0) + 1;
    int *key = WR_NEW_N(a, int, room), n = 0;
    bool one[2]; /* a row of the other input meets at most one row of this */
    for (int s = 0; s < 2; s++)
        one[s] = wr_node_unique(p->in[s], j->key[s], j->n_key) || (s == 1 && j->free == WR_JFREE_VERSION);
    bool left_alone = j->kind == WR_J_SEMI || j->kind == WR_J_ANTI || (one[1] && (j->kind == WR_J_INNER || j->kind == WR_J_LEFT));
    bool right_alone = one[0] && (j->kind == WR_J_INNER || j->kind == WR_J_RIGHT);
    bool known = false;
    if (left_alone)
        known = add_ukey(p, 0, key, &n);
    if (!known && right_alone) {
        n = 0;
        known = add_ukey(p, 1, key, &n);
    }
    if (!known && j->kind != WR_J_SEMI && j->kind != WR_J_ANTI) {
        n = 0;
        known = add_ukey(p, 0, key, &n) && add_ukey(p, 1, key, &n);
    }
    p->ukey = key;
    p->n_ukey = known ? n : -1;
}

static void join_schema(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n;
    struct wr_schema *s = wr_schema_new(a, j->n_col);
    for (int i = 0; i < j->n_col; i++) {
        int side = j->col[i] >= n_left;
        s->field[i] = p->in[side]->out->field[j->col[i] - (side ? n_left : 0)];
        s->field[i].nullable |= wr_join_shows(j->kind, !side) && j->kind != WR_J_ANTI;
    }
    p->out = s;
}

/* Both inputs only add rows and rows leave by time: a row without a match is shown when it leaves, and nothing is taken back. */
bool wr_join_is_final(const struct wr_plan *p)
{
    return p->u.join.free != WR_JFREE_TTL && !p->in[0]->updating && !p->in[1]->updating;
}

bool wr_join_time_holds(const struct wr_plan_join *j, int side)
{
    return side == 0 ? j->lo > INT64_MIN && j->until[0] == j->time[0] : j->hi < INT64_MAX && j->until[1] == j->time[1];
}

static void join_time(struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    p->time_col = p->win_start = p->win_end = -1;
    p->late = false;
    if ((j->free == WR_JFREE_INTERVAL || j->free == WR_JFREE_VERSION) && j->time_side >= 0) {
        p->time_col = where_is(p, j->time_side, j->time[j->time_side]);
        p->late = j->free == WR_JFREE_INTERVAL;
    }
    if (j->free != WR_JFREE_WINDOW || j->kind == WR_J_FULL)
        return;
    for (int k = 0; k < 2 && p->win_end < 0; k++) {
        int s = j->kind == WR_J_RIGHT ? 1 - k : k;
        if (k && j->kind != WR_J_INNER)
            break;
        p->win_start = p->in[s]->win_start < 0 ? -1 : where_is(p, s, p->in[s]->win_start);
        p->win_end = where_is(p, s, p->in[s]->win_end);
        p->win_kind = p->in[s]->win_kind;
    }
}

void wr_join_props(struct wr_arena *a, struct wr_plan *p)
{
    const struct wr_plan *l = p->in[0], *r = p->in[1];
    join_schema(a, p);
    p->bounded = l->bounded && r->bounded;
    p->updating = l->updating || r->updating;
    if ((wr_join_shows(p->u.join.kind, 0) || wr_join_shows(p->u.join.kind, 1)) && !wr_join_is_final(p))
        p->updating = true;
    join_time(p);
    join_ukey(a, p);
}

int wr_join_trace(const struct wr_plan *p, int col, int *side)
{
    const struct wr_plan_join *j = &p->u.join;
    int n_left = p->in[0]->out->n, c = j->col[col];
    *side = c >= n_left;
    return wr_join_shows(j->kind, !*side) && j->kind != WR_J_ANTI ? -1 : c - (*side ? n_left : 0);
}

/* ---- equal joins ---- */

static bool same_expr(const struct wr_expr *a, const struct wr_expr *b)
{
    return (!a && !b) || (a && b && wr_expr_eq(a, b));
}

static bool same_list(const int *a, const int *b, int n)
{
    return n == 0 || memcmp(a, b, sizeof(int) * (size_t)n) == 0;
}

bool wr_join_same(const struct wr_plan_join *a, const struct wr_plan_join *b)
{
    if (a->kind != b->kind || a->n_key != b->n_key || a->n_col != b->n_col || a->free != b->free || a->ttl != b->ttl || a->lateness != b->lateness
        || a->time_side != b->time_side || !same_expr(a->cond, b->cond) || !same_list(a->col, b->col, a->n_col))
        return false;
    for (int i = 0; i < a->n_key; i++)
        if (a->null_safe[i] != b->null_safe[i])
            return false;
    for (int s = 0; s < 2; s++)
        if (!same_list(a->key[s], b->key[s], a->n_key) || !same_expr(a->only[s], b->only[s]))
            return false;
    if (a->free == WR_JFREE_INTERVAL && (a->lo != b->lo || a->hi != b->hi || !same_list(a->time, b->time, 2) || !same_list(a->until, b->until, 2)
                                         || a->until_off[0] != b->until_off[0] || a->until_off[1] != b->until_off[1]))
        return false;
    if (a->free == WR_JFREE_VERSION && !same_list(a->time, b->time, 2))
        return false;
    return a->free != WR_JFREE_WINDOW || same_list(a->end, b->end, 2);
}

/* ---- columns that are needed ---- */

struct needs { bool *of[2]; int n_left; };
static void need_col(void *ctx, int col)
{
    struct needs *n = ctx;
    int side = col >= n->n_left;
    n->of[side][col - (side ? n->n_left : 0)] = true;
}

struct one_side { bool *of; };
static void need_own(void *ctx, int col)
{
    ((struct one_side *)ctx)->of[col] = true;
}

void wr_join_needs(const struct wr_plan *p, int n_left, const bool *mine, bool *need[2])
{
    const struct wr_plan_join *j = &p->u.join;
    struct needs n = {{need[0], need[1]}, n_left};
    for (int i = 0; i < j->n_col; i++)
        if (mine[i])
            need_col(&n, j->col[i]);
    if (j->cond)
        wr_expr_columns(j->cond, need_col, &n);
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < j->n_key; i++)
            need[s][j->key[s][i]] = true;
        struct one_side own = {need[s]};
        if (j->only[s])
            wr_expr_columns(j->only[s], need_own, &own);
        if (j->free == WR_JFREE_INTERVAL || j->free == WR_JFREE_VERSION)
            need[s][j->time[s]] = true;
        if (j->free == WR_JFREE_INTERVAL)
            need[s][j->until[s]] = true;
        if (j->free == WR_JFREE_WINDOW)
            need[s][j->end[s]] = true;
    }
}

static int *remap(struct wr_arena *a, const int *col, int n, const int *map)
{
    int *out = wr_ints(a, col, n);
    for (int i = 0; i < n; i++)
        out[i] = map[col[i]];
    return out;
}

void wr_join_remap(struct wr_arena *a, struct wr_plan *p, int n_left, int n_right, int *const map[2], const bool *mine, int *out)
{
    struct wr_plan_join *j = &p->u.join;
    int *both = WR_NEW_N(a, int, n_left + n_right + 1), *col = WR_NEW_N(a, int, j->n_col + 1), now = p->in[0]->out->n, k = 0;
    for (int i = 0; i < n_left + n_right; i++) {
        int to = i < n_left ? map[0][i] : map[1][i - n_left];
        both[i] = to < 0 ? -1 : i < n_left ? to : now + to;
    }
    for (int i = 0; i < j->n_col; i++) {
        out[i] = !mine || mine[i] ? k : -1;
        if (out[i] >= 0)
            col[k++] = both[j->col[i]];
    }
    j->col = col;
    j->n_col = k;
    if (j->cond)
        j->cond = wr_expr_remap(a, j->cond, both);
    for (int s = 0; s < 2; s++) {
        j->key[s] = remap(a, j->key[s], j->n_key, map[s]);
        if (j->only[s])
            j->only[s] = wr_expr_remap(a, j->only[s], map[s]);
        if (j->free == WR_JFREE_INTERVAL || j->free == WR_JFREE_VERSION)
            j->time[s] = map[s][j->time[s]];
        if (j->free == WR_JFREE_INTERVAL)
            j->until[s] = map[s][j->until[s]];
        if (j->free == WR_JFREE_WINDOW)
            j->end[s] = map[s][j->end[s]];
    }
}

/* ---- EXPLAIN ---- */

static struct wr_str side_name(const struct wr_plan *p, int side, int col)
{
    return p->in[side]->out->field[col].name;
}

/* Names for both inputs' columns: left.k, right.k. */
static const struct wr_schema *both_schema(struct wr_arena *a, const struct wr_plan *p)
{
    int n[2] = {p->in[0]->out->n, p->in[1]->out->n};
    struct wr_schema *s = wr_schema_new(a, n[0] + n[1]);
    for (int i = 0; i < n[0] + n[1]; i++) {
        int side = i >= n[0];
        s->field[i] = p->in[side]->out->field[i - (side ? n[0] : 0)];
        s->field[i].name = wr_arena_printf(a, "%s.%.*s", side ? "right" : "left", WR_FMT(s->field[i].name));
    }
    return s;
}

static void put_bound(struct wr_buf *out, int64_t us)
{
    if (us == 0)
        return;
    wr_buf_puts(out, us < 0 ? " - " : " + ");
    wr_duration_print(out, us < 0 ? -us : us);
}

static void print_times(struct wr_buf *out, const struct wr_plan *p, const char *sep)
{
    const struct wr_plan_join *j = &p->u.join;
    struct wr_str l = side_name(p, 0, j->time[0]), r = side_name(p, 1, j->time[1]);
    bool lo = j->lo > INT64_MIN, hi = j->hi < INT64_MAX;
    wr_buf_printf(out, "%sleft.%.*s %s right.%.*s", sep, WR_FMT(l), lo && hi ? "between" : lo ? ">=" : "<=", WR_FMT(r));
    put_bound(out, lo ? j->lo : j->hi);
    if (!lo || !hi)
        return;
    wr_buf_printf(out, " and right.%.*s", WR_FMT(r));
    put_bound(out, j->hi);
}

void wr_join_print(struct wr_buf *out, const struct wr_plan *p)
{
    static const char *const name[] = {"inner", "left", "right", "full", "semi", "anti"};
    const struct wr_plan_join *j = &p->u.join;
    const char *sep = " on ";
    struct wr_arena tmp = {0};
    wr_buf_printf(out, " %s", name[j->kind]);
    for (int i = 0; i < j->n_key; i++, sep = ", ")
        wr_buf_printf(out, "%sleft.%.*s %s right.%.*s", sep, WR_FMT(side_name(p, 0, j->key[0][i])), j->null_safe[i] ? "is not distinct from" : "=",
                      WR_FMT(side_name(p, 1, j->key[1][i])));
    if (j->free == WR_JFREE_INTERVAL && (j->lo > INT64_MIN || j->hi < INT64_MAX)) {
        print_times(out, p, sep);
        sep = ", ";
    }
    if (j->free == WR_JFREE_VERSION)
        wr_buf_printf(out, ", right as of left.%.*s", WR_FMT(side_name(p, 0, j->time[0])));
    if (j->cond) {
        wr_buf_puts(out, sep[1] == 'o' ? sep : ", where ");
        wr_expr_print(out, j->cond, both_schema(&tmp, p));
    }
    for (int s = 0; s < 2; s++)
        if (j->only[s]) {
            wr_buf_printf(out, "; %s rows match only if ", s ? "right" : "left");
            wr_expr_print(out, j->only[s], p->in[s]->out);
        }
    wr_arena_clear(&tmp);
}

bool wr_join_grows(const struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    return j->free == WR_JFREE_TTL && !j->ttl && !p->in[0]->bounded && !p->in[1]->bounded;
}

void wr_join_print_state(struct wr_buf *out, const struct wr_plan *p)
{
    const struct wr_plan_join *j = &p->u.join;
    wr_buf_puts(out, "state: ");
    if (j->free == WR_JFREE_INTERVAL) {
        for (int s = 0; s < 2; s++) {
            wr_buf_printf(out, "%s rows until W passes %.*s", s ? ", right" : "left", WR_FMT(side_name(p, s, j->until[s])));
            put_bound(out, j->until_off[s] + j->lateness);
        }
        return;
    }
    if (j->free == WR_JFREE_VERSION) {
        wr_buf_printf(out, "left rows until W passes %.*s; of each key the right rows W has not passed and the latest before", WR_FMT(side_name(p, 0, j->time[0])));
        return;
    }
    if (j->free == WR_JFREE_WINDOW) {
        wr_buf_puts(out, "rows of both inputs, freed when W passes window end");
        put_bound(out, j->lateness);
        return;
    }
    if (p->bounded) {
        wr_buf_puts(out, "rows of both inputs, kept to the end of the input");
    } else if (p->in[0]->bounded || p->in[1]->bounded) {
        int s = p->in[0]->bounded ? 0 : 1;
        wr_buf_printf(out, "%s rows, kept; %s rows until the %s input has ended", s ? "right" : "left", s ? "left" : "right", s ? "right" : "left");
    } else if (j->ttl) {
        wr_buf_puts(out, "rows of both inputs, freed when their key is untouched for ");
        wr_duration_print(out, j->ttl);
    } else {
        wr_buf_puts(out, "rows of both inputs, grows for ever: set state.ttl");
    }
}

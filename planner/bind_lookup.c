/* bind_lookup.c: JOIN t FOR SYSTEM_TIME AS OF proctime(), where t is a table outside that is asked by key.
 *
 *   Project left columns, t's            (where a key had to be computed)
 *     LookupJoin
 *       Project left columns, keys
 *
 * Rules:  INNER and LEFT; each row is joined with the table as it is when the row comes and keeps that result, so the left input must only add rows.
 *         At least one equality with a column of the table; INNER takes further conditions, as a filter above. */
#include "planner/bind.h"

/* The table outside that t names; NULL: it is something else. */
static const struct wr_object *table_of(struct binder *b, const struct wr_ast_table *t, const struct env *env)
{
    const struct wr_object *o = wr_bind_object(b, t, env);
    return o && o->connector->lookup && !o->connector->source ? o : NULL;
}

/* proctime(), now(), CURRENT_TIMESTAMP */
static bool is_now(const struct wr_ast_expr *e)
{
    static const char *const names[] = {"proctime", "now", "current_timestamp"};
    for (size_t i = 0; e->kind == WR_E_CALL && !e->args && i < sizeof names / sizeof *names; i++)
        if (wr_str_ieq_c(e->name->text, names[i]))
            return true;
    return false;
}

static wr_status check_form(struct binder *b, const struct wr_ast_table *t, const struct wr_object *o, const struct rel *l)
{
    const struct wr_ast_table *r = t->right;
    if (!r->as_of) {
        wr_fail_at(b->err, WR_ESQL, r->off, "\"%.*s\" is a table outside: it is asked by key and cannot be read as a whole", WR_FMT(o->name));
        wr_hint(b->err, "write JOIN %.*s FOR SYSTEM_TIME AS OF proctime() ON ...", WR_FMT(o->name));
        return WR_ESQL;
    }
    if (!is_now(r->as_of)) {
        wr_fail_at(b->err, WR_ESQL, r->as_of->off, "\"%.*s\" is asked as it is now, not as it was", WR_FMT(o->name));
        wr_hint(b->err, "write FOR SYSTEM_TIME AS OF proctime()");
        return WR_ESQL;
    }
    if (t->join != WR_JOIN_INNER && t->join != WR_JOIN_LEFT)
        return wr_bind_refuse(b, r->off, "this kind of join with a table outside", "write JOIN or LEFT JOIN");
    if (!t->on)
        return wr_bind_refuse(b, r->off, "a join with a table outside without ON", NULL);
    if (l->plan->updating) {
        wr_fail_at(b->err, WR_ESQL, r->off, "a join with a table outside over results that change: what is taken back would find other rows than before");
        wr_hint(b->err, "join before aggregating, or use EMIT FINAL below");
        return WR_ESQL;
    }
    return WR_OK;
}

static wr_status schema_of(struct binder *b, const struct wr_object *o, int32_t off, struct wr_schema **out)
{
    struct wr_schema *s = wr_schema_new(b->a, o->n_col);
    for (int i = 0; i < o->n_col; i++) {
        if (o->col[i].computed || o->col[i].def.from == WR_COL_META)
            return wr_bind_refuse(b, off, "a computed column of a table outside", NULL);
        s->field[i] = (struct wr_field){.name = wr_arena_str(b->a, o->col[i].def.name), .type = wr_type_copy(b->a, o->col[i].type), .nullable = !o->col[i].def.not_null};
    }
    if (s->n == 0)
        return wr_fail_at(b->err, WR_ESQL, off, "\"%.*s\" has no columns: declare those that the query uses", WR_FMT(o->name));
    *out = s;
    return WR_OK;
}

struct sides { int n_left, mask; };
static void see(void *ctx, int col)
{
    struct sides *s = ctx;
    s->mask |= col < s->n_left ? 1 : 2;
}

static int sides_of(const struct wr_expr *x, int n_left)
{
    struct sides s = {n_left, 0};
    wr_expr_columns(x, see, &s);
    return s.mask;
}

struct keys { int n, *col; struct wr_expr **left; };

/* left = table column */
static bool take_key(const struct wr_expr *x, int n_left, struct keys *k)
{
    if (x->kind != WR_X_CALL || x->u.call.n != 2 || strcmp(x->u.call.fn->name, "=") != 0)
        return false;
    for (int i = 0; i < 2; i++) {
        struct wr_expr *t = x->u.call.arg[i], *l = x->u.call.arg[1 - i];
        if (t->kind != WR_X_COL || t->u.col < n_left || sides_of(l, n_left) & 2 || !wr_type_eq(t->type, l->type))
            continue;
        for (int d = 0; d < k->n; d++)
            if (k->col[d] == t->u.col - n_left)
                return false;
        k->col[k->n] = t->u.col - n_left;
        k->left[k->n++] = l;
        return true;
    }
    return false;
}

static wr_status sort_conditions(struct binder *b, const struct wr_ast_table *t, const struct wr_object *o, struct wr_expr *on, int n_left, struct keys *k, struct conj *rest)
{
    struct conj c = {0};
    wr_conj_add(b, &c, on);
    k->col = WR_NEW_N(b->a, int, c.n + 1);
    k->left = WR_NEW_N(b->a, struct wr_expr *, c.n + 1);
    for (int i = 0; i < c.n; i++)
        if (!take_key(c.x[i], n_left, k))
            wr_conj_add(b, rest, c.x[i]);
    if (k->n == 0) {
        wr_fail_at(b->err, WR_ESQL, t->on->off, "ON has no equality with a column of \"%.*s\"", WR_FMT(o->name));
        wr_hint(b->err, "the table is asked by key: ON left.x = %.*s.y, both of the same type", WR_FMT(o->name));
        return WR_ESQL;
    }
    if (rest->n && t->join == WR_JOIN_LEFT)
        return wr_bind_refuse(b, rest->x[0]->off, "a condition of LEFT JOIN with a table outside that is not left = column of the table", NULL);
    return WR_OK;
}

/* The left plan with columns for the keys; col[]: which. */
static struct wr_plan *with_keys(struct binder *b, struct wr_plan *p, const struct keys *k, int *col)
{
    int n = p->out->n, m = n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + k->n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + k->n + 1);
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, p->out, i, -1);
        name[i] = p->out->field[i].name;
    }
    for (int i = 0; i < k->n; i++) {
        col[i] = k->left[i]->kind == WR_X_COL ? k->left[i]->u.col : m;
        if (col[i] < m)
            continue;
        name[m] = WR_STR("key");
        expr[m++] = k->left[i];
    }
    return m == n ? p : wr_bind_made(b, wr_node_project(b->a, p, m, expr, name));
}

static struct wr_plan *without_keys(struct binder *b, struct wr_plan *p, int n_left, int n_made, const struct wr_schema *table)
{
    int n = n_left + table->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, n + 1);
    if (n_made == 0)
        return p;
    for (int i = 0; i < n; i++) {
        expr[i] = wr_col_of(b->a, p->out, i < n_left ? i : i + n_made, -1);
        name[i] = expr[i]->u.col < p->out->n ? p->out->field[expr[i]->u.col].name : (struct wr_str){0};
    }
    return wr_bind_made(b, wr_node_project(b->a, p, n, expr, name));
}

static bool covers_key(const struct wr_object *o, const struct keys *k)
{
    for (int i = 0; i < o->n_key; i++) {
        bool there = false;
        for (int c = 0; c < k->n; c++)
            there |= k->col[c] == o->key[i];
        if (!there)
            return false;
    }
    return o->n_key > 0;
}

wr_status wr_bind_lookup(struct binder *b, const struct wr_ast_table *t, const struct env *env, const struct rel *l, struct rel *out, bool *is)
{
    const struct wr_object *o = table_of(b, t->right, env);
    struct wr_schema *table = NULL;
    *is = o != NULL;
    if (!o)
        return WR_OK;
    WR_TRY(check_form(b, t, o, l));
    WR_TRY(wr_object_opts_role(o, WR_AS_SINK, t->right->off, b->err));
    WR_TRY(schema_of(b, o, t->right->off, &table));
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_LOOKUP, l->plan);
    struct wr_plan_lookup *u = &p->u.lookup;
    *u = (struct wr_plan_lookup){.connector = o->connector, .left = t->join == WR_JOIN_LEFT, .key = wr_ints(b->a, NULL, 0)};
    u->spec = (struct wr_lookup_spec){.name = wr_arena_str(b->a, o->name), .opts = wr_opts_copy(b->a, &o->as_sink), .schema = table, .key = wr_ints(b->a, NULL, 0)};
    u->cache_rows = wr_opt_int(u->spec.opts, "cache_rows", 100000);
    u->cache_ttl = wr_opt_duration(u->spec.opts, "cache_ttl", 60000000);
    wr_node_props(b->a, p);
    struct rel both = wr_rel_of(b, p, t->right->alias ? t->right->alias->text : o->name);
    memcpy(both.col, l->col, sizeof(*l->col) * (size_t)l->n);
    struct xctx x = {.b = b, .rel = &both, .clause = "ON", .env = env};
    struct wr_expr *on;
    struct keys k = {0};
    struct conj rest = {0};
    WR_TRY(wr_bind_bool(&x, t->on, &on));
    WR_TRY(sort_conditions(b, t, o, on, l->n, &k, &rest));
    int *col = WR_NEW_N(b->a, int, k.n + 1);
    p->in[0] = with_keys(b, l->plan, &k, col);
    u->key = col;
    u->spec.n_key = k.n;
    u->spec.key = k.col;
    u->unique = covers_key(o, &k);
    wr_node_props(b->a, p);
    struct wr_plan *top = without_keys(b, wr_bind_made(b, p), l->n, p->in[0]->out->n - l->n, table);
    if (rest.n)
        top = wr_bind_made(b, wr_node_filter(b->a, top, wr_conj_all(b, &rest)));
    both.plan = top;
    *out = both;
    return WR_OK;
}

/* bind_unnest.c: functions that make rows of a value, in FROM: UNNEST(array), and json_array_elements and its kin, which are UNNEST of a conversion.
 *
 *   t CROSS JOIN UNNEST(t.items) AS i (sku, qty)   ->   Unnest over t; its rows are t's columns with i's behind them
 *
 * Rules:  the arguments see the tables to the left of it, with or without LATERAL. LEFT JOIN keeps rows without elements, and takes no condition but TRUE.
 *         Members of an array of rows become columns of their own. An array that is an expression becomes a column without a name below the node. */
#include "planner/bind.h"

/* What the argument of a table function becomes before it is unnested. */
static const struct maker {
    const char *name;
    const char *fn;       /* this function of the arguments; NULL: the argument itself */
    bool json, text;      /* a conversion of one argument to an array of JSON, of TEXT */
    const char *column;   /* name of the column where the array's elements have none */
} makers[] = {
    {"unnest", NULL, false, false, "unnest"},
    {"json_array_elements", NULL, true, false, "value"},
    {"jsonb_array_elements", NULL, true, false, "value"},
    {"json_array_elements_text", NULL, false, true, "value"},
    {"jsonb_array_elements_text", NULL, false, true, "value"},
    {"json_object_keys", "json_keys", false, false, "json_object_keys"},
    {"jsonb_object_keys", "json_keys", false, false, "jsonb_object_keys"},
    {"json_each", "json_entries", false, false, "value"},
    {"jsonb_each", "json_entries", false, false, "value"},
    {"regexp_split_to_table", "regexp_split_to_array", false, false, "regexp_split_to_table"},
    {"string_to_table", "string_to_array", false, false, "string_to_table"},
    {"generate_series", "sequence", false, false, "generate_series"},
};

static const struct maker *find(struct wr_str name)
{
    for (size_t i = 0; i < sizeof makers / sizeof *makers; i++)
        if (wr_str_ieq_c(name, makers[i].name))
            return &makers[i];
    return NULL;
}

static const struct maker *maker_of(const struct wr_ast_table *t)
{
    return t->kind == WR_F_FUNCTION && !t->call->name->next ? find(t->call->name->text) : NULL;
}

bool wr_is_unnest_name(struct wr_str name) { return find(name) != NULL; }

bool wr_is_unnest(const struct wr_ast_table *t) { return maker_of(t) != NULL; }

/* ---- the arrays ---- */

static wr_status not_array(struct binder *b, const struct wr_expr *x, int32_t off)
{
    struct wr_str type = wr_type_name(b->a, x->type);
    wr_fail_at(b->err, WR_ESQL, off, "UNNEST takes arrays, this is %.*s", WR_FMT(type));
    if (x->type.id == WR_T_JSON)
        wr_hint(b->err, "write CAST(x AS ARRAY<type>), or json_array_elements(x)");
    return WR_ESQL;
}

/* The arrays to take apart: several for UNNEST(a, b). */
static wr_status arrays_of(struct xctx *x, const struct wr_ast_table *t, const struct maker *m, struct wr_expr **array, int *n)
{
    struct binder *b = x->b;
    const struct wr_ast_expr *call = t->call;
    *n = 0;
    if (call->flag || call->order || call->filter || call->over)
        return wr_fail_at(b->err, WR_ESQL, call->off, "%s in FROM takes only arguments", m->name);
    if (!call->args)
        return wr_fail_at(b->err, WR_ESQL, call->off, "%s takes at least one argument", m->name);
    for (const struct wr_ast_expr *a = call->args; a; a = a->next)
        WR_TRY(wr_bind_expr(x, a, &array[(*n)++]));
    if (m->fn) {
        WR_TRY(wr_bind_fn(b, m->fn, array, *n, call->off, &array[0]));
        *n = 1;
    }
    if (m->json || m->text) {
        if (*n != 1)
            return wr_fail_at(b->err, WR_ESQL, call->off, "%s takes one argument", m->name);
        WR_TRY(wr_expr_cast(b->a, array[0], WR_TYPE_OF(JSON), true, &array[0], b->err));
        WR_TRY(wr_expr_cast(b->a, array[0], wr_type_array(b->a, m->json ? WR_TYPE_OF(JSON) : WR_TYPE_OF(TEXT)), true, &array[0], b->err));
    }
    for (int i = 0; i < *n; i++)
        if (array[i]->type.id != WR_T_ARRAY)
            return not_array(b, array[i], call->off);
    return WR_OK;
}

/* Input columns for the arrays; those that are computed are added behind the others. */
static int *columns_for(struct binder *b, struct rel *in, struct wr_expr *const *array, int n)
{
    int *col = WR_NEW_N(b->a, int, n + 1), k = in->n;
    struct wr_expr **expr = WR_NEW_N(b->a, struct wr_expr *, in->n + n + 1);
    struct wr_str *name = WR_NEW_N(b->a, struct wr_str, in->n + n + 1);
    struct relcol *rc = WR_NEW_N(b->a, struct relcol, in->n + n + 1);
    for (int i = 0; i < in->n; i++) {
        expr[i] = wr_col_of(b->a, in->plan->out, i, -1);
        name[i] = in->plan->out->field[i].name;
        rc[i] = in->col[i];
    }
    for (int i = 0; i < n; i++) {
        if (array[i]->kind == WR_X_COL) {
            col[i] = array[i]->u.col;
            continue;
        }
        struct wr_buf text = WR_BUF_INIT(4096);
        wr_expr_print(&text, array[i], in->plan->out);
        expr[k] = array[i];
        name[k] = wr_arena_str(b->a, wr_buf_get(&text));
        rc[k].hidden = true; /* no name: nobody can ask for it */
        wr_buf_clear(&text);
        col[i] = k++;
    }
    if (k == in->n)
        return col;
    in->plan = wr_bind_made(b, wr_node_project(b->a, in->plan, k, expr, name));
    in->col = rc;
    in->n = k;
    return col;
}

/* ---- the rows ---- */

static int width_of(struct wr_type elem) { return elem.id == WR_T_ROW ? elem.sub->n : 1; }

static struct wr_field *fields_of(struct binder *b, const struct wr_ast_table *t, const struct maker *m, struct wr_expr *const *array, int n, int *n_made)
{
    int k = t->ordinality;
    for (int i = 0; i < n; i++)
        k += width_of(array[i]->type.sub->field[0].type);
    struct wr_field *f = WR_NEW_N(b->a, struct wr_field, k + 1);
    *n_made = k;
    k = 0;
    for (int i = 0; i < n; i++) {
        struct wr_type elem = array[i]->type.sub->field[0].type;
        struct wr_str alone = t->alias && n == 1 ? wr_arena_str(b->a, t->alias->text) : wr_str_c(m->column);
        if (elem.id != WR_T_ROW)
            f[k++] = (struct wr_field){.name = alone, .type = wr_type_copy(b->a, elem), .nullable = true};
        for (int c = 0; elem.id == WR_T_ROW && c < elem.sub->n; c++)
            f[k++] = (struct wr_field){.name = wr_arena_str(b->a, elem.sub->field[c].name), .type = wr_type_copy(b->a, elem.sub->field[c].type), .nullable = true};
    }
    if (t->ordinality)
        f[k] = (struct wr_field){.name = WR_STR("ordinality"), .type = WR_TYPE_OF(BIGINT), .nullable = true};
    return f;
}

/* AS i (a, b) */
static wr_status name_columns(struct binder *b, const struct wr_ast_table *t, struct wr_field *f, int n)
{
    int k = 0;
    for (const struct wr_ast_name *c = t->columns; c; c = c->next, k++) {
        if (k >= n)
            return wr_fail_at(b->err, WR_ESQL, c->off, "the table has %d columns, but more names are given", n);
        for (const struct wr_ast_name *d = t->columns; d != c; d = d->next)
            if (wr_str_eq(d->text, c->text))
                return wr_fail_at(b->err, WR_ESQL, c->off, "column \"%.*s\" is named twice", WR_FMT(c->text));
        f[k].name = wr_arena_str(b->a, c->text);
    }
    return WR_OK;
}

static wr_status add_on(struct binder *b, const struct wr_ast_table *join, const struct env *env, struct rel *out)
{
    struct xctx x = {.b = b, .rel = out, .clause = "ON", .env = env};
    struct wr_expr *on;
    if (!join->on || join->on->kind == WR_E_TRUE)
        return WR_OK;
    if (join->join != WR_JOIN_INNER) {
        wr_fail_at(b->err, WR_ESQL, join->on->off, "LEFT JOIN of elements takes no condition");
        wr_hint(b->err, "write ON TRUE; it keeps rows without elements");
        return WR_ESQL;
    }
    WR_TRY(wr_bind_bool(&x, join->on, &on));
    out->plan = wr_bind_made(b, wr_node_filter(b->a, out->plan, on));
    return WR_OK;
}

static wr_status check_join(struct binder *b, const struct wr_ast_table *t, const struct wr_ast_table *join)
{
    if (t->as_of)
        return wr_bind_refuse(b, t->as_of->off, "FOR SYSTEM_TIME AS OF here", NULL);
    if (t->watermark)
        return wr_bind_refuse(b, t->watermark->off, "WATERMARK here", "name it behind the source");
    if (!join)
        return WR_OK;
    if (join->join == WR_JOIN_RIGHT || join->join == WR_JOIN_FULL) {
        wr_fail_at(b->err, WR_ESQL, t->off, "elements are joined with CROSS JOIN or LEFT JOIN ... ON TRUE");
        return WR_ESQL;
    }
    if (join->natural || join->using_cols)
        return wr_bind_refuse(b, t->off, "USING or NATURAL with the elements of an array", "write ON a = b");
    return WR_OK;
}

wr_status wr_bind_unnest(struct binder *b, const struct wr_ast_table *t, const struct wr_ast_table *join, const struct env *env, struct rel *left, struct rel *out)
{
    const struct maker *m = maker_of(t);
    struct rel in = left ? *left : wr_rel_of(b, wr_bind_one_row(b), (struct wr_str){0});
    struct xctx x = {.b = b, .rel = &in, .clause = "FROM", .env = env};
    struct wr_expr **array = WR_NEW_N(b->a, struct wr_expr *, wr_ast_len(t->call->args) + 1);
    int n, n_made;
    WR_TRY(check_join(b, t, join));
    WR_TRY(arrays_of(&x, t, m, array, &n));
    struct wr_field *made = fields_of(b, t, m, array, n, &n_made);
    WR_TRY(name_columns(b, t, made, n_made));
    if (in.n + n_made > MAX_COLUMNS)
        return wr_fail_at(b->err, WR_ELIMIT, t->off, "more than %d columns in FROM", MAX_COLUMNS);
    int *col = columns_for(b, &in, array, n);
    struct wr_plan *p = wr_node_new(b->a, WR_PLAN_UNNEST, in.plan);
    p->u.unnest = (struct wr_plan_unnest){.n = n, .col = col, .ordinality = t->ordinality, .n_made = n_made, .made = made};
    p->u.unnest.outer = join && join->join == WR_JOIN_LEFT;
    wr_node_props(b->a, p);
    *out = wr_rel_of(b, wr_bind_made(b, p), t->alias ? t->alias->text : wr_str_c(m->column));
    for (int i = 0; i < in.n; i++)
        out->col[i] = in.col[i];
    return join ? add_on(b, join, env, out) : WR_OK;
}

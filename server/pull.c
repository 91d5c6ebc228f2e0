/* pull.c: a job's result as a table: SELECT ... FROM job_result WHERE key = ...; job_result_3 is the third statement's
 *
 * How:    the catalog asks for a name it does not know; if it is that of a job with a result, a source of the connector "system" is declared for the time of
 *         planning. Conditions "column = constant" right above its scan are handed to the result, which has an index for them, so that only those rows are
 *         made at all. The plan's own filter still runs: what is handed down can only save work, not change an answer.
 * Rules:  a declared object of that name goes first. Names are those of the moment: the declaration is gone when planning is done.
 * Memory: filters live in the caller's arena; the catalog is guarded by catalog_lock. */
#include "server/pull.h"

#include "core/expr.h"
#include "parser/parse.h"
#include "planner/catalog.h"

/* ---- declaring ---- */

/* NAME_result, NAME_result_3 -> NAME and 1, 3; false: it is neither. */
static bool split_name(struct wr_str name, char job[80], int *statement)
{
    uint32_t n = name.n, digits = 0;
    *statement = 1;
    while (digits < 2 && n > 1 && name.p[n - 1] >= '0' && name.p[n - 1] <= '9') {
        digits++;
        n--;
    }
    if (digits > 0 && n > 1 && name.p[n - 1] == '_') {
        *statement = digits == 1 ? name.p[n] - '0' : (name.p[n] - '0') * 10 + name.p[n + 1] - '0';
        n--;
    } else {
        n = name.n;
    }
    if (n <= 7 || n - 7 >= 80 || memcmp(name.p + n - 7, "_result", 7) != 0)
        return false;
    memcpy(job, name.p, n - 7);
    job[n - 7] = 0;
    return true;
}

static void declare_source(struct wr_catalog *c, struct wr_buf *sql)
{
    struct wr_arena a = {0};
    struct wr_stmt *s;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_answer answer;
    struct wr_plan_opts o = {.offline = true};
    struct wr_jobplan *none = wr_jobplan_new();
    if (wr_parse(wr_buf_get(sql), &a, &s, NULL, NULL, &err) == WR_OK)
        (void)wr_plan_stmt(c, none, &o, s, wr_buf_get(sql), &a, &answer, &err);
    wr_jobplan_free(none);
    wr_arena_clear(&a);
}

static void declare_result(struct wr_catalog *c, struct wr_sjob *j, int statement, struct wr_str name)
{
    struct wr_result *r = wr_sjob_result(j, statement);
    struct wr_buf sql = WR_BUF_INIT(1 << 20);
    wr_buf_puts(&sql, "CREATE SOURCE ");
    wr_unparse_ident(&sql, name);
    if (r && wr_result_declare(r, &sql)) {
        wr_buf_printf(&sql, " WITH (connector = 'system', table = 'result:%d:%s')", statement, j->name);
        declare_source(c, &sql);
    }
    wr_buf_clear(&sql);
}

static void declare(void *ctx, struct wr_catalog *c, struct wr_str name)
{
    char job[80];
    int statement;
    if (!split_name(name, job, &statement))
        return;
    struct wr_sjob *j = wr_jobs_get(ctx, job);
    if (j)
        declare_result(c, j, statement, name);
    wr_sjob_unref(j);
}

void wr_pull_all(struct wr_jobs *m)
{
    struct wr_sjob *j;
    for (int i = 0; (j = wr_jobs_at(m, i)) != NULL; i++) {
        for (int n = 1; n <= WR_RESULTS_MOST; n++) {
            struct wr_buf name = WR_BUF_INIT(128);
            wr_buf_printf(&name, "%s_result", j->name);
            if (n > 1)
                wr_buf_printf(&name, "_%d", n);
            if (!wr_object_find(m->catalog, wr_buf_get(&name))) /* a declared object of that name goes first */
                declare_result(m->catalog, j, n, wr_buf_get(&name));
            wr_buf_clear(&name);
        }
        wr_sjob_unref(j);
    }
}

void wr_pull_begin(struct wr_jobs *m)
{
    m->catalog->missing = declare;
    m->catalog->missing_ctx = m;
}

static bool is_result(const struct wr_object *o)
{
    struct wr_str table;
    return o->connector && strcmp(o->connector->name, "system") == 0 && wr_opt_text(&o->as_source, "table", &table) && table.n > 7 &&
           memcmp(table.p, "result:", 7) == 0;
}

void wr_pull_end(struct wr_jobs *m)
{
    m->catalog->missing = NULL;
    for (int i = m->catalog->n_obj - 1; i >= 0; i--)
        if (is_result(m->catalog->obj[i]))
            wr_object_drop(m->catalog, m->catalog->obj[i]);
}

/* ---- conditions ---- */

struct found { struct wr_filter *f; int n, most; struct wr_arena *a; const struct wr_schema *s; };

/* Of these types one value has one text, the same on both sides. */
static bool plain(struct wr_type a, struct wr_type b)
{
    return a.id == b.id && (a.id == WR_T_TEXT || a.id == WR_T_INT || a.id == WR_T_BIGINT || a.id == WR_T_BOOL || a.id == WR_T_TIMESTAMP || a.id == WR_T_DATE);
}

static void add_condition(struct found *w, const struct wr_expr *col, const struct wr_expr *val)
{
    if (col->kind != WR_X_COL || val->kind != WR_X_CONST || val->u.val.null || !plain(col->type, val->type) || w->n == w->most)
        return;
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_print_value(&text, &val->u.val, WR_STYLE_CSV);
    struct wr_str t = wr_buf_get(&text);
    if (!text.overflow && !memchr(t.p ? t.p : "", 0, t.n))
        w->f[w->n++] = (struct wr_filter){wr_arena_str(w->a, w->s->field[col->u.col].name).p, wr_arena_str(w->a, t).p};
    wr_buf_clear(&text);
}

static void add_conditions(struct found *w, const struct wr_expr *x) // NOLINT(misc-no-recursion)
{
    if (x->kind == WR_X_AND)
        for (int i = 0; i < x->u.call.n; i++)
            add_conditions(w, x->u.call.arg[i]);
    if (x->kind != WR_X_CALL || x->u.call.n != 2 || strcmp(x->u.call.fn->name, "=") != 0)
        return;
    add_condition(w, x->u.call.arg[0], x->u.call.arg[1]);
    add_condition(w, x->u.call.arg[1], x->u.call.arg[0]);
}

int wr_pull_filters(const struct wr_jobplan *plan, const struct wr_plan *scan, struct wr_arena *a, struct wr_filter *f, int most)
{
    struct found w = {f, 0, most, a, scan->out};
    const struct wr_plan *above = NULL;
    for (int i = 0; i < plan->n_node; i++)
        for (int k = 0; k < plan->node[i]->n_in; k++)
            if (plan->node[i]->in[k] == scan) {
                if (above)
                    return 0; /* two read it: each may want other rows */
                above = plan->node[i];
            }
    if (above && above->kind == WR_PLAN_FILTER)
        add_conditions(&w, above->u.filter.pred);
    return w.n;
}

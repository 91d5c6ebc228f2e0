/* stmt.c: one statement in, one answer out: which part of the planner does it.
 * Rules:  an INSERT that fails leaves no sink behind, so the other statements of a file can still be planned. */
#include "planner/bind.h"

#include <stdlib.h>

struct wr_jobplan *wr_jobplan_new(void)
{
    struct job *j = wr_calloc(1, sizeof *j);
    j->pub.arena = &j->mem;
    j->pub.tasks = 1;
    return &j->pub;
}

void wr_jobplan_free(struct wr_jobplan *pub)
{
    if (!pub)
        return;
    struct job *j = (struct job *)pub;
    wr_arena_clear(&j->mem);
    free(j->scan);
    free(j);
}

/* ---- queries ---- */

/* What SET says where the query says nothing. */
static struct env first_env(struct binder *b)
{
    struct env env = {.cl = {.outermost = true, .emit = WR_EMIT_CHANGES, .emit_off = -1}};
    if (wr_setting_int(b->cat, WR_SET_EMIT) == 1)
        env.cl.emit = WR_EMIT_FINAL;
    env.cl.every = wr_setting_int(b->cat, WR_SET_EMIT_EVERY);
    return env;
}

static wr_status plan_insert(struct binder *b, const struct wr_stmt *stmt)
{
    struct env env = first_env(b);
    struct rel rows;
    const struct wr_ast_name *n = stmt->name;
    const struct wr_object *o = n->next ? NULL : wr_object_find(b->cat, n->text);
    if (!o)
        return wr_no_object(b->cat, n->text, WR_OBJ_SINK | WR_OBJ_TABLE, "sink", n->off, b->err);
    WR_TRY(wr_bind_query(b, stmt->select, &env, &rows));
    return wr_bind_insert(b, o, stmt->names, &rows, n->off);
}

static bool has_emit(const struct wr_ast_select *s)
{
    return s->emit && s->emit->kind != WR_AST_EMIT_NONE;
}

static wr_status plan_select(struct binder *b, const struct wr_stmt *stmt)
{
    struct env env = first_env(b);
    struct rel rows;
    WR_TRY(wr_bind_query(b, stmt->select, &env, &rows));
    if (b->o->final == WR_FINAL_BOUNDED && !b->final && rows.plan->bounded && rows.plan->updating && !has_emit(stmt->select)) {
        b->final = true; /* all inputs end: once more, giving the final content */
        WR_TRY(wr_bind_query(b, stmt->select, &env, &rows));
    }
    return wr_bind_console(b, &rows, stmt->off);
}

/* CREATE SINK x ... AS SELECT, CREATE SINK x FROM view. */
static wr_status plan_sink_as(struct binder *b, const struct wr_stmt *stmt)
{
    struct env env = first_env(b);
    struct rel rows;
    const struct wr_object *o = wr_object_find(b->cat, stmt->name->text);
    if (stmt->from)
        WR_TRY(wr_bind_table_name(b, stmt->from, &env, &rows));
    else
        WR_TRY(wr_bind_query(b, stmt->select, &env, &rows));
    return wr_bind_insert(b, o, NULL, &rows, stmt->name->off);
}

static wr_status plan_set(struct binder *b, const struct wr_stmt *stmt)
{
    for (const struct wr_stmt *s = stmt->inner; s; s = s->next) {
        if (s->kind != WR_S_INSERT)
            return wr_fail_at(b->err, WR_ESQL, s->off, "a statement set holds INSERTs only");
        WR_TRY(plan_insert(b, s));
    }
    return WR_OK;
}

/* A statement that moves rows; on failure the jobplan has no more sinks than before. */
static wr_status plan_rows(struct binder *b, const struct wr_stmt *stmt, struct wr_answer *out)
{
    struct wr_jobplan *j = &b->job->pub;
    int before = j->n_sink;
    wr_status st = WR_OK;
    b->final = b->o->final == WR_FINAL_YES;
    if (stmt->kind == WR_S_INSERT)
        st = plan_insert(b, stmt);
    else if (stmt->kind == WR_S_STATEMENT_SET)
        st = plan_set(b, stmt);
    else if (stmt->kind == WR_S_SELECT)
        st = plan_select(b, stmt);
    else
        st = plan_sink_as(b, stmt);
    int mine = j->n_sink;
    if (!st)
        st = wr_bind_dead_letters(b);
    for (int i = before; i < j->n_sink && !st; i++)
        st = wr_rewrite(j->arena, &j->sink[i], b->err);
    if (st) {
        j->n_sink = before;
        return st;
    }
    out->kind = WR_ANSWER_JOB;
    out->sink = before;
    out->n_sink = mine - before;
    out->query = stmt->kind == WR_S_SELECT;
    return WR_OK;
}

/* ---- EXPLAIN ---- */

static wr_status explain(struct binder *b, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out)
{
    const struct wr_stmt *inner = stmt->inner;
    if (!inner) {
        out->kind = WR_ANSWER_SHELL; /* EXPLAIN ANALYZE job */
        return WR_OK;
    }
    if (inner->kind != WR_S_SELECT && inner->kind != WR_S_INSERT && inner->kind != WR_S_STATEMENT_SET)
        return wr_bind_refuse(b, inner->off, "EXPLAIN of this statement", "EXPLAIN takes SELECT, INSERT and EXECUTE STATEMENT SET");
    if (stmt->analyze) {
        out->analyze = true;
        return plan_rows(b, inner, out);
    }
    struct wr_jobplan *scratch = wr_jobplan_new();
    struct binder own = {.cat = b->cat, .job = (struct job *)scratch, .a = scratch->arena, .o = b->o, .err = b->err, .view_off = -1};
    struct wr_buf text = WR_BUF_INIT(16 << 20);
    wr_status st = plan_rows(&own, inner, out);
    if (!st)
        st = wr_plan_finish(b->cat, scratch, b->o, b->err);
    if (!st) {
        wr_jobplan_print(&text, scratch);
        *out = (struct wr_answer){.kind = WR_ANSWER_TEXT, .text = wr_arena_str(a, wr_buf_get(&text))};
    }
    wr_buf_clear(&text);
    wr_jobplan_free(scratch);
    return st;
}

/* ---- statements that only change the catalog ---- */

static wr_status create(struct binder *b, const struct wr_stmt *stmt, struct wr_str sql, struct wr_arena *a, struct wr_answer *out)
{
    bool runs = stmt->kind == WR_S_CREATE_SINK && (stmt->select || stmt->from);
    struct wr_jobplan *scratch = wr_jobplan_new();
    struct binder own = {.cat = b->cat, .job = (struct job *)scratch, .a = scratch->arena, .o = b->o, .err = b->err, .view_off = -1};
    struct wr_str said;
    bool existed = wr_object_find(b->cat, stmt->name->text) != NULL;
    wr_status st = wr_ddl_create(&own, stmt, sql, &said);
    if (!st)
        out->text = wr_arena_str(a, said);
    wr_jobplan_free(scratch);
    if (st || !runs || (existed && stmt->if_not_exists))
        return st;
    st = plan_rows(b, stmt, out);
    struct wr_object *o = wr_object_find(b->cat, stmt->name->text);
    if (st && o)
        wr_object_drop(b->cat, o); /* sink and query come together or not at all */
    return st;
}

static wr_status create_function(struct binder *b, const struct wr_stmt *stmt, struct wr_str sql, struct wr_arena *a, struct wr_answer *out)
{
    struct wr_jobplan *scratch = wr_jobplan_new();
    struct binder own = {.cat = b->cat, .job = (struct job *)scratch, .a = scratch->arena, .o = b->o, .err = b->err, .view_off = -1};
    struct wr_str said = {0};
    wr_status st = wr_function_create(&own, stmt, sql, &said);
    out->text = wr_arena_str(a, said);
    wr_jobplan_free(scratch);
    return st;
}

static wr_status change_setting(struct binder *b, const struct wr_stmt *stmt, struct wr_answer *out)
{
    if (stmt->kind == WR_S_SET) {
        out->text = WR_STR("SET");
        return wr_setting_put(b->cat, stmt->text, stmt->value, stmt->text_off, b->err);
    }
    out->text = WR_STR("RESET");
    return wr_setting_reset(b->cat, stmt->text, stmt->text_off, b->err);
}

wr_status wr_plan_stmt(struct wr_catalog *c, struct wr_jobplan *j, const struct wr_plan_opts *o, const struct wr_stmt *stmt, struct wr_str sql,
                       struct wr_arena *a, struct wr_answer *out, struct wr_error *err)
{
    struct binder b = {.cat = c, .job = (struct job *)j, .a = j->arena, .o = o, .err = err, .view_off = -1};
    *out = (struct wr_answer){.kind = WR_ANSWER_MESSAGE};
    switch (stmt->kind) {
    case WR_S_CREATE_SOURCE:
    case WR_S_CREATE_TABLE:
    case WR_S_CREATE_SINK:
    case WR_S_CREATE_VIEW: return create(&b, stmt, sql, a, out);
    case WR_S_CREATE_FUNCTION: return create_function(&b, stmt, sql, a, out);
    case WR_S_DROP: return wr_ddl_drop(&b, stmt, a, &out->text);
    case WR_S_SHOW: return wr_show(c, stmt, a, out, err);
    case WR_S_SHOW_CREATE: return wr_show_create(c, stmt, a, out, err);
    case WR_S_DESCRIBE:
        if (!wr_str_eq_c(stmt->what, "job"))
            return wr_describe(c, stmt, a, out, err);
        out->kind = WR_ANSWER_SHELL;
        return WR_OK;
    case WR_S_SET:
    case WR_S_RESET: return change_setting(&b, stmt, out);
    case WR_S_EXPLAIN: return explain(&b, stmt, a, out);
    case WR_S_SELECT:
    case WR_S_INSERT:
    case WR_S_STATEMENT_SET: return plan_rows(&b, stmt, out);
    case WR_S_EXPLAIN_WHY:
    case WR_S_PRINT:
    case WR_S_INFER:
    case WR_S_SUBMIT:
    case WR_S_STOP_JOB:
    case WR_S_RESUME_JOB:
    case WR_S_DROP_JOB:
    case WR_S_PAUSE_JOB: out->kind = WR_ANSWER_SHELL; return WR_OK;
    }
    return WR_OK;
}

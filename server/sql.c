/* sql.c: POST /sql: statements against the server's own catalog, and the statements about jobs.
 * Rules:  declarations stay (they are in the book); a query must end by itself, and its rows are the answer; what runs for ever is a job: SUBMIT JOB.
 *         A submitted job takes the declarations and settings of that moment with it: changing them later does not change it.
 *         The first error ends the text; what came before it stays done.
 * Memory: one arena a text. */
#include <stdlib.h>

#include "core/time.h"
#include "parser/parse.h"
#include "planner/catalog.h"
#include "server/peek.h"
#include "server/pull.h"
#include "server/watch.h"

enum { ANSWER_MOST = 64 << 20 };
static const int64_t QUERY_US = 60 * WR_US_SEC;

struct ask {
    struct wr_jobs *m;
    struct wr_str sql;
    struct wr_arena a;
    struct wr_buf *out;
    bool ndjson;               /* only rows are wanted */
    int n;                     /* answers so far */
};

/* ---- answers ---- */

static void begin_answer(struct ask *q, const char *kind)
{
    wr_buf_printf(q->out, "%s{\"kind\":\"%s\"", q->n++ ? "," : "", kind);
}

static void answer_text(struct ask *q, const char *kind, struct wr_str text)
{
    if (q->ndjson)
        return;
    begin_answer(q, kind);
    wr_buf_puts(q->out, ",\"text\":");
    wr_put_json(q->out, text);
    wr_buf_putc(q->out, '}');
}

static void answer_rows(struct ask *q, const struct wr_rows *r)
{
    if (!q->ndjson) {
        begin_answer(q, "rows");
        for (int c = 0; c < r->n_col; c++) {
            wr_buf_puts(q->out, c ? "},{\"name\":" : ",\"columns\":[{\"name\":");
            wr_put_json(q->out, r->name[c]);
        }
        wr_buf_puts(q->out, r->n_col ? "}],\"rows\":[" : ",\"rows\":[");
    }
    for (int i = 0; i < r->n_row; i++) {
        wr_buf_puts(q->out, i && !q->ndjson ? ",{" : "{");
        for (int c = 0; c < r->n_col; c++) {
            if (c)
                wr_buf_putc(q->out, ',');
            wr_put_json(q->out, r->name[c]);
            wr_buf_putc(q->out, ':');
            wr_put_json(q->out, r->cell[i * r->n_col + c]);
        }
        wr_buf_puts(q->out, q->ndjson ? "}\n" : "}");
    }
    if (!q->ndjson)
        wr_buf_puts(q->out, "]}");
}

/* ---- queries that end ---- */

struct collect { struct wr_sink base; struct ask *q; const struct wr_schema *schema; uint64_t n; };
struct query { struct ask *q; const struct wr_jobplan *plan; atomic_bool stop; int64_t until; bool timed_out; };

static wr_status collect_write(struct wr_sink *s, struct wr_batch *b, struct wr_error *err)
{
    struct collect *c = (struct collect *)(void *)s;
    struct wr_buf *out = c->q->out;
    for (uint32_t k = 0; k < b->n_live && !out->overflow; k++) {
        uint32_t row = wr_batch_row(b, k);
        wr_buf_puts(out, c->n++ && !c->q->ndjson ? ",{" : "{");
        for (int i = 0; i < c->schema->n; i++) {
            if (i)
                wr_buf_putc(out, ',');
            wr_put_json(out, c->schema->field[i].name);
            wr_buf_putc(out, ':');
            wr_print_vec(out, &b->col[i], row, WR_STYLE_JSON);
        }
        wr_buf_puts(out, c->q->ndjson ? "}\n" : "}");
    }
    wr_batch_unref(b);
    if (!out->overflow)
        return WR_OK;
    wr_fail(err, WR_ELIMIT, "the answer is larger than %d MiB", ANSWER_MOST >> 20);
    wr_hint(err, "add LIMIT, or submit the query as a job");
    return WR_ELIMIT;
}
static wr_status collect_flush(struct wr_sink *s WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static void collect_close(struct wr_sink *s) { free(s); }
static const struct wr_sink_vt collect_vt = {.write = collect_write, .flush = collect_flush, .close = collect_close};

static wr_status collect_open(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err WR_UNUSED)
{
    if (strcmp(sink->u.sink.connector->name, "console") != 0)
        return WR_OK;
    struct collect *c = wr_calloc(1, sizeof *c);
    c->base.vt = &collect_vt;
    c->q = ((struct query *)ctx)->q;
    c->schema = spec->schema;
    *out = &c->base;
    return WR_OK;
}

static wr_status open_source(void *ctx, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    return wr_system_source(((struct query *)ctx)->plan, scan, spec, out, err);
}

static void look_at_clock(void *ctx, struct wr_job *job WR_UNUSED)
{
    struct query *x = ctx;
    if (wr_clock_mono() > x->until || atomic_load(&x->q->m->closing)) {
        x->timed_out = true;
        atomic_store(&x->stop, true);
    }
}

static wr_status run_query(struct ask *q, struct wr_jobplan *plan, bool is_query, struct wr_error *err)
{
    struct query x = {.q = q, .plan = plan, .until = wr_clock_mono() + QUERY_US};
    struct wr_job_opts o = {.stop = &x.stop, .open_source = open_source, .open_sink = collect_open, .progress = look_at_clock, .ctx = &x};
    struct wr_job *job;
    for (int i = 0; i < plan->n_sink; i++)
        if (!plan->sink[i]->bounded) {
            wr_fail(err, WR_EUSAGE, "the statement runs for ever, and an answer has an end");
            wr_hint(err, "SUBMIT JOB name AS ..., then read /jobs/name/result");
            return WR_EUSAGE;
        }
    if (is_query && !q->ndjson) {
        begin_answer(q, "rows");
        wr_buf_puts(q->out, ",\"rows\":[");
    }
    WR_TRY(wr_job_open(plan, &o, &job, err));
    wr_status st = wr_job_run(job, err);
    wr_job_close(job);
    WR_TRY(st);
    if (x.timed_out)
        return wr_fail(err, WR_ELIMIT, "the statement did not end within a minute");
    if (is_query && !q->ndjson)
        wr_buf_puts(q->out, "]}");
    if (!is_query)
        answer_text(q, "message", WR_STR("INSERT"));
    return WR_OK;
}

/* ---- declarations ---- */

static bool is_ours(const struct wr_object *o) { return o->connector && strcmp(o->connector->name, "system") == 0; }

/* What has been declared, in order of declaration; the caller frees. */
static struct wr_str *declarations(struct wr_jobs *m, int *n)
{
    const struct wr_catalog *c = m->catalog;
    struct wr_str *list = wr_calloc((size_t)c->n_obj + 1, sizeof *list);
    int last = -1;
    for (*n = 0;;) {
        const struct wr_object *next = NULL;
        for (int i = 0; i < c->n_obj; i++)
            if (c->obj[i]->version > last && !is_ours(c->obj[i]) && (!next || c->obj[i]->version < next->version))
                next = c->obj[i];
        if (!next)
            return list;
        last = next->version;
        list[(*n)++] = next->text;
    }
}

static wr_status keep_declarations(struct wr_jobs *m, struct wr_error *err)
{
    if (m->loading)
        return WR_OK;
    int n;
    struct wr_str *list = declarations(m, &n);
    wr_status st = wr_book_catalog_set(m->book, list, n, err);
    free(list);
    return st;
}

/* ---- statements about jobs ---- */

static const char *name_of(struct ask *q, const struct wr_stmt *s)
{
    return s->name ? wr_arena_str(&q->a, s->name->text).p : "";
}

/* SETs that are in force and that a job can feel. */
static void put_settings(const struct wr_catalog *c, struct wr_buf *out)
{
    for (enum wr_setting s = 0; s < WR_SET_COUNT; s++) {
        if (!wr_setting_given(c, s) || s == WR_SET_OUTPUT || s == WR_SET_NULL_TEXT || s == WR_SET_JOB_NAME)
            continue;
        struct wr_str v = wr_setting_text(c, s);
        wr_buf_printf(out, "SET %s = '", wr_setting_name(s));
        for (uint32_t i = 0; i < v.n; i++) {
            if (v.p[i] == '\'')
                wr_buf_putc(out, '\'');
            wr_buf_putc(out, v.p[i]);
        }
        wr_buf_puts(out, "';\n");
    }
}

static wr_status submit(struct ask *q, const struct wr_stmt *s, struct wr_error *err)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20), said = WR_BUF_INIT(1 << 20);
    int n;
    struct wr_str *list = declarations(q->m, &n);
    put_settings(q->m->catalog, &text);
    for (int i = 0; i < n; i++) {
        wr_buf_str(&text, list[i]);
        wr_buf_puts(&text, ";\n");
    }
    free(list);
    wr_buf_add(&text, q->sql.p + s->inner->off, (size_t)(s->inner->end - s->inner->off));
    wr_buf_putc(&text, ';');
    wr_status st = text.overflow ? wr_fail(err, WR_ELIMIT, "declarations and job are more than 1 MiB")
                                 : wr_jobs_submit(q->m, name_of(q, s), wr_buf_get(&text), "", false, &said, err);
    err->sql_off = -1; /* a place in the text made here means nothing to who sent the statement */
    wr_buf_clear(&text);
    wr_buf_clear(&said);
    if (st == WR_OK)
        answer_text(q, "message", wr_arena_printf(&q->a, "SUBMIT JOB %s", name_of(q, s)));
    return st;
}

static wr_status why(struct ask *q, struct wr_sjob *j)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    pthread_mutex_lock(&j->lock);
    wr_put_why_locked(j, false, &text);
    pthread_mutex_unlock(&j->lock);
    answer_text(q, "text", wr_buf_get(&text));
    wr_buf_clear(&text);
    return WR_OK;
}

/* EXPLAIN ANALYZE of a running job. */
static wr_status analyze(struct ask *q, struct wr_sjob *j, struct wr_error *err)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    pthread_mutex_lock(&j->lock);
    bool runs = j->run != NULL;
    if (runs)
        wr_analyze_print(&(struct wr_watch){j->plan, j->run}, &text);
    pthread_mutex_unlock(&j->lock);
    if (runs)
        answer_text(q, "text", wr_buf_get(&text));
    wr_buf_clear(&text);
    return runs ? WR_OK : wr_fail(err, WR_EUSAGE, "job \"%s\" does not run", j->name);
}

static wr_status describe(struct ask *q, struct wr_sjob *j)
{
    if (!q->ndjson) {
        begin_answer(q, "rows");
        wr_buf_puts(q->out, ",\"rows\":[");
    }
    wr_put_job(j, true, q->out);
    wr_buf_puts(q->out, q->ndjson ? "\n" : "]}");
    return WR_OK;
}

/* INFER SOURCE: planned with the catalog's lock, run without it. */
static wr_status infer(struct ask *q, const struct wr_stmt *s, struct wr_error *err)
{
    struct wr_peek p;
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    struct wr_jobplan *plan = wr_jobplan_new();
    pthread_mutex_lock(&q->m->catalog_lock);
    wr_status st = wr_peek_plan(q->m->catalog, s, &q->a, plan, &p, err);
    st = st ? st : wr_files_allowed(q->m->o, plan, -1, err);
    st = st ? st : wr_plan_finish(q->m->catalog, plan, &(struct wr_plan_opts){0}, err);
    pthread_mutex_unlock(&q->m->catalog_lock);
    st = st ? st : wr_infer_run(&p, plan, &q->m->closing, &text, err);
    if (st && err->sql_off >= 0)
        err->sql_off = s->text_off;
    if (st == WR_OK)
        answer_text(q, "text", wr_buf_get(&text));
    wr_buf_clear(&text);
    wr_peek_clear(&p);
    wr_jobplan_free(plan);
    return st;
}

static wr_status about_job(struct ask *q, const struct wr_stmt *s, struct wr_error *err)
{
    if (s->kind == WR_S_SUBMIT)
        return submit(q, s, err);
    if (s->kind == WR_S_INFER)
        return infer(q, s, err);
    if (s->kind == WR_S_PRINT) {
        wr_fail_at(err, WR_ESQL, s->off, "PRINT goes on and on, and an answer has an end");
        wr_hint(err, "POST /query gives its records as they come");
        return WR_ESQL;
    }
    struct wr_sjob *j = s->name ? wr_jobs_get(q->m, name_of(q, s)) : wr_jobs_at(q->m, 0);
    if (!j)
        return s->if_exists ? WR_OK : wr_no_job(q->m, name_of(q, s), err);
    wr_status st = WR_OK;
    if (s->kind == WR_S_STOP_JOB || s->kind == WR_S_PAUSE_JOB)
        st = wr_sjob_stop(j, err); /* stopping takes a last checkpoint, with or without WITH SAVEPOINT */
    else if (s->kind == WR_S_RESUME_JOB)
        st = wr_sjob_resume(j, err);
    else if (s->kind == WR_S_DROP_JOB)
        st = wr_sjob_drop(j, err);
    else if (s->kind == WR_S_EXPLAIN_WHY)
        st = why(q, j);
    else if (s->kind == WR_S_EXPLAIN)
        st = analyze(q, j, err);
    else
        st = describe(q, j);
    if (st == WR_OK && (s->kind == WR_S_STOP_JOB || s->kind == WR_S_PAUSE_JOB || s->kind == WR_S_RESUME_JOB || s->kind == WR_S_DROP_JOB))
        answer_text(q, "message", wr_arena_printf(&q->a, "%s JOB %s", s->kind == WR_S_RESUME_JOB ? "RESUME" : s->kind == WR_S_DROP_JOB ? "DROP" : "STOP", j->name));
    wr_sjob_unref(j);
    return st;
}

/* ---- the text ---- */

static bool is_job_statement(const struct wr_stmt *s)
{
    return s->kind >= WR_S_SUBMIT || s->kind == WR_S_EXPLAIN_WHY || s->kind == WR_S_PRINT || s->kind == WR_S_INFER ||
           (s->kind == WR_S_DESCRIBE && wr_str_eq_c(s->what, "job")) || (s->kind == WR_S_EXPLAIN && !s->inner);
}

static wr_status show_jobs(struct ask *q)
{
    struct wr_sjob *j;
    if (!q->ndjson) {
        begin_answer(q, "rows");
        wr_buf_puts(q->out, ",\"rows\":[");
    }
    for (int i = 0; (j = wr_jobs_at(q->m, i)) != NULL; i++) {
        if (i && !q->ndjson)
            wr_buf_putc(q->out, ',');
        wr_put_job(j, false, q->out);
        if (q->ndjson)
            wr_buf_putc(q->out, '\n');
        wr_sjob_unref(j);
    }
    if (!q->ndjson)
        wr_buf_puts(q->out, "]}");
    return WR_OK;
}

/* catalog_lock is held; *run: the plan is to be run without it. */
static wr_status plan_one(struct ask *q, const struct wr_stmt *s, struct wr_jobplan *plan, struct wr_answer *a, bool *run, struct wr_error *err)
{
    struct wr_plan_opts o = {.final = WR_FINAL_BOUNDED};
    WR_TRY(wr_plan_stmt(q->m->catalog, plan, &o, s, q->sql, &q->a, a, err));
    if (s->kind <= WR_S_DROP)
        WR_TRY(keep_declarations(q->m, err));
    switch (a->kind) {
    case WR_ANSWER_MESSAGE: answer_text(q, "message", a->text); return WR_OK;
    case WR_ANSWER_TEXT: answer_text(q, "text", a->text); return WR_OK;
    case WR_ANSWER_ROWS: answer_rows(q, &a->rows); return WR_OK;
    case WR_ANSWER_SHELL: return wr_fail_at(err, WR_ESQL, s->off, "this statement is not answered over HTTP");
    case WR_ANSWER_JOB: break;
    }
    if (a->analyze)
        return wr_fail_at(err, WR_ESQL, s->off, "EXPLAIN ANALYZE is not answered over HTTP; a job's figures are in weir.operators");
    WR_TRY(wr_files_allowed(q->m->o, plan, (int)s->off, err));
    *run = true;
    return wr_plan_finish(q->m->catalog, plan, &o, err);
}

static wr_status run_one(struct ask *q, const struct wr_stmt *s, struct wr_error *err)
{
    struct wr_answer a = {0};
    bool run = false;
    if (s->kind == WR_S_SHOW && wr_str_eq_c(s->what, "jobs"))
        return show_jobs(q);
    if (is_job_statement(s) && s->kind != WR_S_SUBMIT)
        return about_job(q, s, err);
    struct wr_jobplan *plan = wr_jobplan_new();
    pthread_mutex_lock(&q->m->catalog_lock);
    if (s->kind != WR_S_SUBMIT && s->kind > WR_S_DROP) /* a declaration that stays cannot rest on what is there now */
        wr_pull_begin(q->m);
    if (s->kind == WR_S_DESCRIBE || (s->kind == WR_S_SHOW && (wr_str_eq_c(s->what, "sources") || wr_str_eq_c(s->what, "tables"))))
        wr_pull_all(q->m);
    wr_status st = s->kind == WR_S_SUBMIT ? about_job(q, s, err) : plan_one(q, s, plan, &a, &run, err);
    wr_pull_end(q->m);
    pthread_mutex_unlock(&q->m->catalog_lock);
    if (st == WR_OK && run)
        st = run_query(q, plan, a.query, err);
    wr_jobplan_free(plan);
    return st;
}

wr_status wr_sql_run(struct wr_jobs *m, struct wr_str sql, bool ndjson, struct wr_buf *out, struct wr_error *err)
{
    struct ask q = {.m = m, .sql = sql, .out = out, .ndjson = ndjson};
    struct wr_stmt *first;
    if (!ndjson)
        wr_buf_puts(out, "{\"answers\":[");
    wr_status st = wr_parse(sql, &q.a, &first, NULL, NULL, err);
    for (const struct wr_stmt *s = first; st == WR_OK && s; s = s->next)
        st = run_one(&q, s, err);
    if (!ndjson)
        wr_buf_puts(out, "]}\n");
    wr_arena_clear(&q.a);
    return st;
}

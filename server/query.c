/* query.c: POST /query: one SELECT (or PRINT) whose rows go to who asked as they come, until it ends or the asker goes away. The remote shell's way to look.
 *
 * Lines:  {"columns":[{"name","type"}],"updating":..,"bounded":..,"unique":..,"key":[..],"window":[..]} first; then {"op":"+I","row":[..]} for each change,
 *         {"gauge":{..},"why":".."} now and then (why: what EXPLAIN WHY would say), and at the end {"end":"done"} or {"error":{"message","hint"}}.
 * Rules:  the query runs in a thread of its own; when its lines are not taken, it waits (that is back-pressure). It keeps nothing behind.
 * Memory: at most LINES_MOST of lines; all is freed by wr_query_close, which stops the query. */
#include <stdlib.h>
#include <time.h>

#include "core/time.h"
#include "parser/parse.h"
#include "server/peek.h"
#include "server/pull.h"
#include "server/watch.h"

enum { LINES_MOST = 1 << 20, QUERIES_MOST = 16 };
static const int64_t GAUGE_US = 500000;
static atomic_int running;

struct wr_query {
    struct wr_jobs *m;
    struct wr_jobplan *plan;
    struct wr_job *job;
    pthread_t thread;
    atomic_bool stop;
    int64_t next_gauge;        /* monotonic; the query's thread only */
    pthread_mutex_t lock;
    pthread_cond_t changed;    /* lines came, or were taken */
    struct wr_buf lines;       /* guarded by lock, as all below */
    size_t given;              /* of lines */
    bool ended;
};

struct query_sink { struct wr_sink base; struct wr_query *q; const struct wr_schema *schema; };

/* ---- lines, made by the query's thread ---- */

static wr_status put_lines(struct wr_query *q, const struct wr_buf *text)
{
    pthread_mutex_lock(&q->lock);
    while (q->lines.n - q->given > LINES_MOST && !atomic_load(&q->stop))
        pthread_cond_wait(&q->changed, &q->lock);
    wr_buf_str(&q->lines, wr_buf_get(text));
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return WR_OK;
}

static void put_row(struct wr_buf *out, const struct wr_schema *s, const struct wr_batch *b, uint32_t row)
{
    static const char *const op_name[] = {"+I", "-U", "+U", "-D"};
    wr_buf_printf(out, "{\"op\":\"%s\",\"row\":[", op_name[wr_batch_op(b, row)]);
    for (int i = 0; i < s->n; i++) {
        if (i)
            wr_buf_putc(out, ',');
        wr_print_vec(out, &b->col[i], row, WR_STYLE_JSON);
    }
    wr_buf_puts(out, "]}\n");
}

static wr_status query_write(struct wr_sink *base, struct wr_batch *b, struct wr_error *err WR_UNUSED)
{
    struct query_sink *s = (struct query_sink *)(void *)base;
    struct wr_buf text = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < b->n_live; k++)
        put_row(&text, s->schema, b, wr_batch_row(b, k));
    base->rows += b->n_live;
    wr_batch_unref(b);
    wr_status st = put_lines(s->q, &text);
    wr_buf_clear(&text);
    return st;
}
static wr_status query_flush(struct wr_sink *s WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static void query_sink_close(struct wr_sink *s) { free(s); }
static const struct wr_sink_vt query_vt = {.write = query_write, .flush = query_flush, .close = query_sink_close};

static void put_columns(struct wr_buf *out, const struct wr_schema *s)
{
    wr_buf_puts(out, "{\"columns\":[");
    for (int i = 0; i < s->n; i++) {
        struct wr_buf type = WR_BUF_INIT(1 << 16);
        wr_type_print(&type, s->field[i].type);
        wr_buf_puts(out, i ? ",{\"name\":" : "{\"name\":");
        wr_put_json(out, s->field[i].name);
        wr_buf_puts(out, ",\"type\":");
        wr_put_json(out, wr_buf_get(&type));
        wr_buf_putc(out, '}');
        wr_buf_clear(&type);
    }
    wr_buf_putc(out, ']');
}

/* How the rows are found again: as the shell's own live table would. */
static void put_shape(struct wr_buf *out, const struct wr_plan *sink, bool updating)
{
    const struct wr_plan *in = sink->in[0];
    wr_buf_printf(out, ",\"updating\":%s,\"bounded\":%s,\"unique\":%s,\"key\":[", updating ? "true" : "false", sink->bounded ? "true" : "false",
                  in->n_ukey >= 0 ? "true" : "false");
    for (int i = 0; i < in->n_ukey; i++)
        wr_buf_printf(out, "%s%d", i ? "," : "", in->ukey[i]);
    wr_buf_printf(out, "],\"window\":[%d,%d]}\n", in->win_start, in->win_end);
}

static wr_status open_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err WR_UNUSED)
{
    struct wr_query *q = ctx;
    struct query_sink *s = wr_calloc(1, sizeof *s);
    s->base.vt = &query_vt;
    s->q = q;
    s->schema = spec->schema;
    put_columns(&q->lines, spec->schema);
    put_shape(&q->lines, sink, spec->updating);
    *out = &s->base;
    return WR_OK;
}

static wr_status open_source(void *ctx, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    return wr_system_source(((struct wr_query *)ctx)->plan, scan, spec, out, err);
}

static void on_progress(void *ctx, struct wr_job *job)
{
    struct wr_query *q = ctx;
    int64_t now = wr_clock_mono();
    if (atomic_load(&q->m->closing))
        atomic_store(&q->stop, true);
    if (now < q->next_gauge)
        return;
    struct wr_gauge g;
    struct wr_buf text = WR_BUF_INIT(0);
    q->next_gauge = now + GAUGE_US;
    wr_gauge_read(&(struct wr_watch){q->plan, job}, &g);
    wr_buf_puts(&text, "{\"gauge\":");
    wr_gauge_put(&g, &text);
    struct wr_buf why = WR_BUF_INIT(1 << 20);
    wr_why_print(&(struct wr_watch){q->plan, job}, &why);
    wr_buf_puts(&text, ",\"why\":");
    wr_put_json(&text, wr_buf_get(&why));
    wr_buf_clear(&why);
    wr_buf_puts(&text, "}\n");
    (void)put_lines(q, &text);
    wr_buf_clear(&text);
}

static void *query_thread(void *arg)
{
    struct wr_query *q = arg;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_buf text = WR_BUF_INIT(0);
    wr_status st = wr_job_run(q->job, &err);
    q->next_gauge = 0;
    on_progress(q, q->job);
    if (st) {
        wr_buf_puts(&text, "{\"error\":{\"message\":");
        wr_put_json(&text, wr_str_c(err.msg));
        wr_buf_puts(&text, ",\"hint\":");
        wr_put_json(&text, wr_str_c(err.hint));
        wr_buf_puts(&text, "}}\n");
    } else {
        wr_buf_printf(&text, "{\"end\":\"%s\"}\n", atomic_load(&q->m->closing) ? "the server stops" : "done");
    }
    (void)put_lines(q, &text);
    wr_buf_clear(&text);
    pthread_mutex_lock(&q->lock);
    q->ended = true;
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return NULL;
}

/* ---- opening ---- */

static wr_status plan_query(struct wr_query *q, struct wr_str sql, struct wr_arena *a, struct wr_error *err)
{
    struct wr_plan_opts o = {.final = WR_FINAL_BOUNDED};
    struct wr_stmt *s;
    struct wr_answer answer;
    WR_TRY(wr_parse(sql, a, &s, NULL, NULL, err));
    if (!s || s->next || (s->kind != WR_S_SELECT && s->kind != WR_S_PRINT)) {
        wr_fail_at(err, WR_ESQL, s ? s->off : 0, "this takes one SELECT, or one PRINT");
        wr_hint(err, "other statements go to POST /sql");
        return WR_ESQL;
    }
    struct wr_peek p = {0};
    bool print = s->kind == WR_S_PRINT;
    pthread_mutex_lock(&q->m->catalog_lock);
    wr_pull_begin(q->m);
    wr_status st = print ? wr_peek_plan(q->m->catalog, s, a, q->plan, &p, err) : wr_plan_stmt(q->m->catalog, q->plan, &o, s, sql, a, &answer, err);
    st = st ? st : wr_files_allowed(q->m->o, q->plan, print ? -1 : (int)s->off, err);
    st = st ? st : wr_plan_finish(q->m->catalog, q->plan, &o, err);
    wr_pull_end(q->m);
    pthread_mutex_unlock(&q->m->catalog_lock);
    wr_peek_clear(&p);
    if (st && print && err->sql_off >= 0)
        err->sql_off = s->text_off;
    return st;
}

wr_status wr_query_open(struct wr_jobs *m, struct wr_str sql, struct wr_query **out, struct wr_error *err)
{
    struct wr_arena a = {0};
    struct wr_query *q = wr_calloc(1, sizeof *q);
    q->m = m;
    q->plan = wr_jobplan_new();
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_t at;
    pthread_condattr_init(&at);
    pthread_condattr_setclock(&at, CLOCK_MONOTONIC);
    pthread_cond_init(&q->changed, &at);
    pthread_condattr_destroy(&at);
    struct wr_job_opts o = {.stop = &q->stop, .open_source = open_source, .open_sink = open_sink, .progress = on_progress, .ctx = q};
    wr_status st = atomic_fetch_add(&running, 1) < QUERIES_MOST ? WR_OK : wr_fail(err, WR_ELIMIT, "%d queries run already", QUERIES_MOST);
    st = st ? st : plan_query(q, sql, &a, err);
    st = st ? st : wr_job_open(q->plan, &o, &q->job, err);
    if (st == WR_OK && pthread_create(&q->thread, NULL, query_thread, q) != 0) {
        wr_job_close(q->job);
        q->job = NULL;
        st = wr_fail(err, WR_ELIMIT, "cannot start a thread for the query");
    }
    wr_arena_clear(&a);
    if (st) {
        wr_query_close(q);
        return st;
    }
    *out = q;
    return WR_OK;
}

size_t wr_query_read(struct wr_query *q, char *to, size_t max)
{
    pthread_mutex_lock(&q->lock);
    while (q->given == q->lines.n && !q->ended)
        pthread_cond_wait(&q->changed, &q->lock);
    size_t n = q->lines.n - q->given;
    n = n < max ? n : max;
    if (n)
        memcpy(to, q->lines.p + q->given, n);
    q->given += n;
    if (q->given == q->lines.n) {
        wr_buf_reset(&q->lines);
        q->given = 0;
    }
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    return n;
}

void wr_query_close(struct wr_query *q)
{
    if (!q)
        return;
    pthread_mutex_lock(&q->lock);
    atomic_store(&q->stop, true);
    pthread_cond_broadcast(&q->changed);
    pthread_mutex_unlock(&q->lock);
    if (q->job)
        pthread_join(q->thread, NULL);
    wr_job_close(q->job);
    wr_jobplan_free(q->plan);
    wr_buf_clear(&q->lines);
    pthread_cond_destroy(&q->changed);
    pthread_mutex_destroy(&q->lock);
    atomic_fetch_sub(&running, 1);
    free(q);
}

/* http_jobs.c: answers about the server, its jobs and statements.
 * Memory: as http.c: all of a request goes with it. */
#include <stdlib.h>

#include "server/http.h"

/* ---- handlers ---- */

int wr_http_get_health(struct wr_http_req *r)
{
    wr_buf_puts(&r->out, "{\"status\":\"ok\"}\n");
    return 200;
}

/* Ready: no job is still starting. */
int wr_http_get_ready(struct wr_http_req *r)
{
    struct wr_sjob *j;
    int starting = 0;
    for (int i = 0; (j = wr_jobs_at(r->h->jobs, i)) != NULL; i++) {
        pthread_mutex_lock(&j->lock);
        starting += j->state == WR_JOB_STARTING;
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
    wr_buf_printf(&r->out, "{\"ready\":%s}\n", starting ? "false" : "true");
    return starting ? 503 : 200;
}

int wr_http_get_metrics(struct wr_http_req *r)
{
    wr_put_metrics(r->h->jobs, &r->out);
    return 200;
}

int wr_http_get_jobs(struct wr_http_req *r)
{
    struct wr_sjob *j;
    wr_buf_puts(&r->out, "{\"jobs\":[");
    for (int i = 0; (j = wr_jobs_at(r->h->jobs, i)) != NULL; i++) {
        if (i)
            wr_buf_putc(&r->out, ',');
        wr_put_job(j, false, &r->out);
        wr_sjob_unref(j);
    }
    wr_buf_puts(&r->out, "]}\n");
    return 200;
}

json_t *wr_http_read_body(struct wr_http_req *r, const char *must)
{
    json_error_t why;
    json_t *v = json_loadb(r->body.n ? r->body.p : "", r->body.n, JSON_REJECT_DUPLICATES, &why);
    if (json_is_object(v) && json_is_string(json_object_get(v, must)))
        return v;
    if (v)
        wr_fail(&r->err, WR_EUSAGE, "the body should be a JSON object with a text \"%s\"", must);
    else
        wr_fail(&r->err, WR_EUSAGE, "the body is no JSON: %s (line %d)", why.text, why.line);
    json_decref(v);
    return NULL;
}

struct wr_str wr_http_text_of(const json_t *v) { return (struct wr_str){json_string_value(v), (uint32_t)json_string_length(v)}; }

int wr_http_post_jobs(struct wr_http_req *r)
{
    json_t *v = wr_http_read_body(r, "sql");
    const char *name = json_string_value(json_object_get(v, "name"));
    if (!v)
        return wr_http_failed(r, WR_EUSAGE);
    struct wr_buf said = WR_BUF_INIT(1 << 20);
    char *vars = json_is_object(json_object_get(v, "vars")) ? json_dumps(json_object_get(v, "vars"), JSON_COMPACT) : NULL;
    wr_status st = name ? wr_jobs_submit(r->h->jobs, name, wr_http_text_of(json_object_get(v, "sql")), vars ? vars : "", json_is_true(json_object_get(v, "replace")),
                                         &said, &r->err)
                        : wr_fail(&r->err, WR_EUSAGE, "the body lacks the job's \"name\"");
    free(vars);
    if (st) {
        wr_buf_putc(&said, 0);
        wr_http_put_error(r, said.p);
    } else {
        struct wr_sjob *j = wr_jobs_get(r->h->jobs, name);
        if (j)
            wr_put_job(j, false, &r->out);
        wr_sjob_unref(j);
        wr_buf_putc(&r->out, '\n');
    }
    json_decref(v);
    wr_buf_clear(&said);
    return st ? wr_http_status(st) : 201;
}

int wr_http_post_sql(struct wr_http_req *r)
{
    json_t *v = wr_http_read_body(r, "sql");
    if (!v)
        return wr_http_failed(r, WR_EUSAGE);
    const char *accept = wr_http_header(r, "Accept");
    struct wr_str sql = wr_http_text_of(json_object_get(v, "sql"));
    r->out.max = 64 << 20;
    wr_status st = wr_sql_run(r->h->jobs, sql, accept && strcmp(accept, WR_HTTP_NDJSON) == 0, &r->out, &r->err);
    if (st)
        wr_http_put_error(r, NULL);
    json_decref(v);
    return wr_http_status(st);
}

/* ---- one job ---- */

struct wr_sjob *wr_http_job_of(struct wr_http_req *r)
{
    struct wr_sjob *j = wr_jobs_get(r->h->jobs, r->name);
    if (!j)
        (void)wr_no_job(r->h->jobs, r->name, &r->err);
    return j;
}

static int with_job(struct wr_http_req *r, wr_status (*act)(struct wr_sjob *, struct wr_error *))
{
    struct wr_sjob *j = wr_http_job_of(r);
    if (!j)
        return wr_http_not_found(r);
    wr_status st = act(j, &r->err);
    if (st == WR_OK) {
        wr_put_job(j, false, &r->out);
        wr_buf_putc(&r->out, '\n');
    }
    wr_sjob_unref(j);
    return st ? wr_http_failed(r, st) : 200;
}

static wr_status no_act(struct wr_sjob *j WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
int wr_http_get_job(struct wr_http_req *r) { return with_job(r, no_act); }
int wr_http_post_stop(struct wr_http_req *r) { return with_job(r, wr_sjob_stop); }
int wr_http_post_resume(struct wr_http_req *r) { return with_job(r, wr_sjob_resume); }
int wr_http_delete_job(struct wr_http_req *r) { return with_job(r, wr_sjob_drop); }
static wr_status take_savepoint(struct wr_sjob *j, struct wr_error *err)
{
    uint64_t id;
    return wr_sjob_savepoint(j, &id, err);
}
int wr_http_post_savepoint(struct wr_http_req *r) { return with_job(r, take_savepoint); }

int wr_http_get_plan(struct wr_http_req *r)
{
    struct wr_sjob *j = wr_http_job_of(r);
    if (!j)
        return wr_http_not_found(r);
    pthread_mutex_lock(&j->lock);
    wr_put_plan_locked(j, &r->out);
    pthread_mutex_unlock(&j->lock);
    wr_buf_putc(&r->out, '\n');
    wr_sjob_unref(j);
    return 200;
}

int wr_http_get_why(struct wr_http_req *r)
{
    struct wr_sjob *j = wr_http_job_of(r);
    if (!j)
        return wr_http_not_found(r);
    pthread_mutex_lock(&j->lock);
    wr_put_why_locked(j, true, &r->out);
    pthread_mutex_unlock(&j->lock);
    wr_buf_putc(&r->out, '\n');
    wr_sjob_unref(j);
    return 200;
}

static int put_ring(struct wr_http_req *r, size_t which, bool text)
{
    struct wr_sjob *j = wr_http_job_of(r);
    if (!j)
        return wr_http_not_found(r);
    struct wr_ring *ring = which == 0 ? &j->logs : which == 1 ? &j->bad : &j->late;
    if (text) {
        struct wr_buf lines = WR_BUF_INIT(0);
        wr_ring_print(ring, "\n", &lines);
        wr_buf_puts(&r->out, "{\"text\":");
        wr_put_json(&r->out, wr_buf_get(&lines));
        wr_buf_puts(&r->out, "}\n");
        wr_buf_clear(&lines);
    } else {
        wr_buf_puts(&r->out, "{\"samples\":[");
        wr_ring_print(ring, ",", &r->out);
        wr_buf_puts(&r->out, "]}\n");
    }
    wr_sjob_unref(j);
    return 200;
}
int wr_http_get_logs(struct wr_http_req *r) { return put_ring(r, 0, true); }
int wr_http_get_errors(struct wr_http_req *r) { return put_ring(r, 1, false); }
int wr_http_get_late(struct wr_http_req *r) { return put_ring(r, 2, false); }

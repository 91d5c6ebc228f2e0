/* system.c: the system tables: sources whose rows are the jobs' figures, read once when the query runs.
 * Rules:  a table is a line here: its columns and the function that makes its rows, as JSON objects that the json format's own reader would read;
 *         here they are set by wr_parse_json, so that there is one way from text to value.
 * Memory: rows are made at open and live in the source. The jobs are the process's one manager, set once before any thread runs. */
#include <stdio.h>
#include <stdlib.h>

#include "core/json.h"
#include "core/log.h"
#include "core/time.h"
#include "planner/catalog.h"
#include "server/pull.h"

static struct wr_jobs *manager;

struct table {
    const char *name, *columns;
    void (*rows)(struct wr_sjob *j, struct wr_buf *out); /* job->lock is held; a line a row */
};

static void begin(struct wr_sjob *j, struct wr_buf *out)
{
    wr_buf_puts(out, "{\"job\":");
    wr_put_json(out, wr_str_c(j->name));
}

static void job_rows(struct wr_sjob *j, struct wr_buf *out)
{
    begin(j, out);
    wr_buf_printf(out, ",\"state\":\"%s\",\"reason\":", wr_jobstate_name(j->state));
    if (j->reason[0])
        wr_put_json(out, wr_str_c(j->reason));
    else
        wr_buf_puts(out, "null");
    wr_buf_printf(out, ",\"restarts\":%llu,\"created\":", (unsigned long long)j->restarts);
    wr_put_time(out, j->created_us);
    wr_put_body_locked(j, out);
    wr_buf_puts(out, "}\n");
}

static void partition_rows(struct wr_sjob *j, struct wr_buf *out)
{
    struct wr_part p;
    for (int i = 0; j->run && i < j->plan->n_node; i++)
        for (int k = 0; j->plan->node[i]->kind == WR_PLAN_SCAN && wr_job_scan_part(j->run, i, k, &p); k++) {
            struct wr_part_stats c = {.max_ts = WR_WM_NONE, .wm = WR_WM_NONE};
            for (int w = 0; w < j->plan->n_node; w++)
                if (j->plan->node[w]->kind == WR_PLAN_WATERMARK && j->plan->node[w]->u.watermark.scan == j->plan->node[i])
                    (void)wr_job_part(j->run, w, k, &c);
            begin(j, out);
            wr_buf_puts(out, ",\"source\":");
            wr_put_json(out, j->plan->node[i]->u.scan.spec.name);
            wr_buf_puts(out, ",\"topic\":");
            wr_put_json(out, p.topic);
            wr_buf_printf(out, ",\"partition\":%d,\"next_offset\":%lld,", p.num, (long long)p.next);
            if (p.end >= 0)
                wr_buf_printf(out, "\"end_offset\":%lld,\"lag\":%lld,", (long long)p.end, (long long)(p.end > p.next ? p.end - p.next : 0));
            wr_buf_printf(out, "\"caught_up\":%s,\"idle\":%s,\"max_event_time\":", p.caught_up ? "true" : "false", c.idle ? "true" : "false");
            wr_put_time(out, c.max_ts);
            wr_buf_puts(out, ",\"watermark\":");
            wr_put_time(out, c.wm);
            wr_buf_puts(out, "}\n");
        }
}

static void operator_rows(struct wr_sjob *j, struct wr_buf *out)
{
    for (int i = 0; j->run && i < j->plan->n_node; i++) {
        struct wr_node_stats s;
        wr_job_node(j->run, i, &s);
        begin(j, out);
        wr_buf_printf(out,
                      ",\"operator\":%d,\"kind\":\"%s\",\"rows_in\":%llu,\"rows_out\":%llu,\"rows_filtered\":%llu,\"rows_late\":%llu,\"rows_bad\":%llu,"
                      "\"rows_held\":%llu,\"state_bytes\":%llu,\"state_disk_bytes\":%llu,\"open_windows\":%llu,\"watermark\":",
                      i, wr_plan_name(j->plan->node[i]->kind), (unsigned long long)s.n.in, (unsigned long long)s.n.out, (unsigned long long)s.n.filtered,
                      (unsigned long long)s.n.late, (unsigned long long)s.n.bad, (unsigned long long)s.n.held, (unsigned long long)s.n.state_bytes,
                      (unsigned long long)s.n.disk_bytes, (unsigned long long)s.n_window);
        wr_put_time(out, s.wm);
        wr_buf_puts(out, "}\n");
    }
}

static void window_rows(struct wr_sjob *j, struct wr_buf *out)
{
    for (int i = 0; j->run && i < j->plan->n_node; i++) {
        struct wr_node_stats s;
        wr_job_node(j->run, i, &s);
        for (int k = 0; k < s.n_shown && s.window[k].end != INT64_MAX; k++) {
            begin(j, out);
            wr_buf_printf(out, ",\"operator\":%d,\"rows\":%llu,\"keys\":%llu,\"window_start\":", i, (unsigned long long)s.window[k].rows,
                          (unsigned long long)s.window[k].groups);
            wr_put_time(out, s.window[k].start);
            wr_buf_puts(out, ",\"window_end\":");
            wr_put_time(out, s.window[k].end);
            wr_buf_puts(out, "}\n");
        }
    }
}

static void checkpoint_rows(struct wr_sjob *j, struct wr_buf *out)
{
    struct wr_ckpt_stats c;
    if (!j->run)
        return;
    wr_job_checkpoint(j->run, &c);
    begin(j, out);
    wr_buf_printf(out, ",\"id\":%llu,\"bytes\":%llu,\"duration_us\":%lld,\"at\":", (unsigned long long)c.id, (unsigned long long)c.bytes, (long long)c.took_us);
    wr_put_time(out, c.wall_us ? c.wall_us : WR_WM_NONE);
    wr_buf_puts(out, "}\n");
}

/* Samples are objects: the job's name goes in front of their members. */
static void sample_rows(struct wr_sjob *j, struct wr_ring *r, struct wr_buf *out)
{
    struct wr_buf lines = WR_BUF_INIT(0);
    wr_ring_print(r, "\n", &lines);
    for (struct wr_str rest = wr_buf_get(&lines); rest.n > 0;) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        uint32_t n = nl ? (uint32_t)(nl - rest.p) : rest.n;
        begin(j, out);
        wr_buf_putc(out, ',');
        wr_buf_add(out, rest.p + 1, n - 1);
        wr_buf_putc(out, '\n');
        rest.p += nl ? n + 1 : n;
        rest.n -= nl ? n + 1 : n;
    }
    wr_buf_clear(&lines);
}
static void error_rows(struct wr_sjob *j, struct wr_buf *out) { sample_rows(j, &j->bad, out); }
static void late_rows(struct wr_sjob *j, struct wr_buf *out) { sample_rows(j, &j->late, out); }

static const struct table tables[] = {
    {"jobs", "job TEXT, state TEXT, reason TEXT, restarts BIGINT, created TIMESTAMP, rows_in BIGINT, rows_out BIGINT, rows_late BIGINT, rows_bad BIGINT,"
     " rows_per_second DOUBLE, lag BIGINT, watermark TIMESTAMP, state_bytes BIGINT", job_rows},
    {"partitions", "job TEXT, source TEXT, topic TEXT, \"partition\" INTEGER, next_offset BIGINT, end_offset BIGINT, lag BIGINT, caught_up BOOLEAN,"
     " idle BOOLEAN, max_event_time TIMESTAMP, watermark TIMESTAMP", partition_rows},
    {"operators", "job TEXT, operator INTEGER, kind TEXT, rows_in BIGINT, rows_out BIGINT, rows_filtered BIGINT, rows_late BIGINT, rows_bad BIGINT,"
     " rows_held BIGINT, state_bytes BIGINT, state_disk_bytes BIGINT, open_windows BIGINT, watermark TIMESTAMP", operator_rows},
    {"windows", "job TEXT, operator INTEGER, window_start TIMESTAMP, window_end TIMESTAMP, \"rows\" BIGINT, keys BIGINT", window_rows},
    {"checkpoints", "job TEXT, id BIGINT, bytes BIGINT, duration_us BIGINT, at TIMESTAMP", checkpoint_rows},
    {"errors", "job TEXT, at TIMESTAMP, source TEXT, topic TEXT, \"partition\" INTEGER, \"offset\" BIGINT, reason TEXT, \"column\" TEXT, message TEXT,"
     " raw TEXT", error_rows},
    {"late", "job TEXT, at TIMESTAMP, source TEXT, topic TEXT, \"partition\" INTEGER, \"offset\" BIGINT, watermark TIMESTAMP, \"row\" TEXT", late_rows},
};
enum { N_TABLE = sizeof tables / sizeof *tables };

/* ---- the source ---- */

static const struct wr_source_vt system_source;
static void sys_close(struct wr_source *src);

struct system_source {
    struct wr_source base;
    struct wr_part part;
    const struct wr_source_spec *spec;
    struct wr_buf text;
    struct wr_str rest;
};

static wr_status sys_check(const struct wr_source_spec *spec WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static bool sys_bounded(const struct wr_opts *o WR_UNUSED, bool until_end WR_UNUSED) { return true; }

static struct system_source *source_new(const struct wr_source_spec *spec)
{
    struct system_source *s = wr_calloc(1, sizeof *s);
    s->base.vt = &system_source;
    s->base.bounded = true;
    s->base.n_part = 1;
    s->base.part = &s->part;
    s->part = (struct wr_part){.topic = WR_STR("weir"), .end = -1};
    s->spec = spec;
    return s;
}

/* A job's result; table: "result:N:JOB". */
static wr_status open_result(const struct wr_source_spec *spec, struct wr_str table, const struct wr_filter *f, int n, struct wr_source **out,
                             struct wr_error *err)
{
    char name[80];
    int statement = 0;
    uint32_t at = 7;
    while (at < table.n && table.p[at] != ':')
        statement = statement * 10 + (table.p[at++] - '0');
    (void)snprintf(name, sizeof name, "%.*s", at < table.n ? (int)(table.n - at - 1) : 0, table.p + at + 1);
    struct wr_sjob *j = manager ? wr_jobs_get(manager, name) : NULL;
    struct wr_result *r = j ? wr_sjob_result(j, statement) : NULL;
    if (!r) {
        wr_sjob_unref(j);
        return wr_fail(err, WR_EUSAGE, "there is no result %d of job \"%s\"", statement, name);
    }
    struct system_source *s = source_new(spec);
    wr_status st = wr_result_get(r, f, n, UINT64_MAX, true, &s->text, err);
    wr_sjob_unref(j);
    s->rest = wr_buf_get(&s->text);
    if (st) {
        sys_close(&s->base);
        return st;
    }
    *out = &s->base;
    return WR_OK;
}

static bool is_result(struct wr_str table) { return table.n > 7 && memcmp(table.p, "result:", 7) == 0; }

static wr_status sys_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    struct wr_str name = wr_opt_text_or(spec->opts, "table", "");
    const struct table *t = NULL;
    if (is_result(name))
        return open_result(spec, name, NULL, 0, out, err);
    for (int i = 0; i < N_TABLE; i++)
        if (wr_str_eq_c(name, tables[i].name))
            t = &tables[i];
    if (!t || !manager)
        return wr_fail(err, WR_EUSAGE, "there is no system table \"%.*s\"", WR_FMT(name));
    struct system_source *s = source_new(spec);
    struct wr_sjob *j;
    for (int i = 0; (j = wr_jobs_at(manager, i)) != NULL; i++) {
        pthread_mutex_lock(&j->lock);
        t->rows(j, &s->text);
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
    s->rest = wr_buf_get(&s->text);
    *out = &s->base;
    return WR_OK;
}

wr_status wr_system_source(const struct wr_jobplan *plan, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out,
                           struct wr_error *err)
{
    struct wr_str table = strcmp(scan->u.scan.connector->name, "system") == 0 ? wr_opt_text_or(spec->opts, "table", "") : (struct wr_str){NULL, 0};
    struct wr_arena a = {0};
    struct wr_filter f[8];
    if (!is_result(table))
        return WR_OK;
    wr_status st = open_result(spec, table, f, wr_pull_filters(plan, scan, &a, f, 8), out, err);
    wr_arena_clear(&a);
    return st;
}

static void set_row(struct wr_builder *bl, const struct wr_source_spec *spec, struct wr_str line)
{
    uint32_t row = wr_builder_row(bl, WR_OP_INSERT);
    struct wr_json_iter it;
    struct wr_str key, value;
    for (int c = 0; c < spec->n_col; c++)
        wr_builder_null(bl, c, row);
    if (!wr_json_iter(&it, line))
        return;
    while (wr_json_next(&it, &key, &value))
        for (int c = 0; c < spec->n_col; c++) {
            struct wr_value v;
            enum wr_reason why;
            if (wr_json_key_is(key, spec->col[c].name) && wr_parse_json(spec->col[c].type, value, &bl->b->mem, &v, &why) && !v.null)
                wr_builder_set(bl, c, row, &v);
        }
}

static wr_status sys_poll(struct wr_source *src, int wait_ms WR_UNUSED, struct wr_batch **out, struct wr_error *err WR_UNUSED)
{
    struct system_source *s = (struct system_source *)(void *)src;
    struct wr_builder bl = {.schema = s->spec->schema};
    *out = NULL;
    while (s->rest.n > 0 && !(bl.b && wr_builder_full(&bl))) {
        const char *nl = memchr(s->rest.p, '\n', s->rest.n);
        uint32_t n = nl ? (uint32_t)(nl - s->rest.p) : s->rest.n;
        set_row(&bl, s->spec, (struct wr_str){s->rest.p, n});
        src->records++;
        s->rest.p += nl ? n + 1 : n;
        s->rest.n -= nl ? n + 1 : n;
    }
    *out = wr_builder_take(&bl);
    s->part.caught_up = s->part.ended = src->ended = s->rest.n == 0;
    return WR_OK;
}

static wr_status sys_position(struct wr_source *s WR_UNUSED, struct wr_buf *out WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static wr_status sys_seek(struct wr_source *s WR_UNUSED, struct wr_str at WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }

static void sys_close(struct wr_source *src)
{
    struct system_source *s = (struct system_source *)(void *)src;
    wr_buf_clear(&s->text);
    free(s);
}

static const struct wr_source_vt system_source = {
    .check = sys_check, .bounded = sys_bounded, .open = sys_open, .poll = sys_poll, .position = sys_position, .seek = sys_seek, .close = sys_close,
};

static const struct wr_optdesc options[] = {
    {"table", NULL, WR_AS_SOURCE, WR_OPT_TEXT, true, false, NULL, NULL, "which table"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

static const struct wr_connector system_connector = {.name = "system", .help = "the server's own tables", .opts = options, .source = &system_source};

void wr_system_open(struct wr_jobs *m)
{
    manager = m;
    wr_connector_add(&system_connector);
    m->loading = true;
    for (int i = 0; i < N_TABLE; i++) {
        struct wr_buf sql = WR_BUF_INIT(0), said = WR_BUF_INIT(0);
        struct wr_error err = WR_ERROR_INIT;
        wr_buf_printf(&sql, "CREATE SOURCE \"weir.%s\" (%s) WITH (connector = 'system', table = '%s')", tables[i].name, tables[i].columns, tables[i].name);
        if (wr_sql_run(m, wr_buf_get(&sql), false, &said, &err))
            wr_log(WR_LOG_ERROR, "server", "system table weir.%s: %s", tables[i].name, err.msg);
        wr_buf_clear(&sql);
        wr_buf_clear(&said);
    }
    m->loading = false;
}

/* metrics.c: /metrics in Prometheus' text format.
 * Rules:  names begin with weir_ and end with their unit; counters end with _total. Labels are bounded by what is declared: job, operator, partition,
 *         reason; never data. The job's label is weir_job: "job" is Prometheus' own name for what it scrapes. One family's samples stand together, as the format asks for: so each family is a walk over the jobs.
 * Memory: appended to the caller's buffer. */
#include "core/time.h"
#include "server/internal.h"

static void put_label_value(struct wr_buf *out, struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"' || s.p[i] == '\\')
            wr_buf_putc(out, '\\');
        if (s.p[i] == '\n')
            wr_buf_puts(out, "\\n");
        else
            wr_buf_putc(out, s.p[i]);
    }
}

enum unit { COUNTER, GAUGE };
struct family {
    const char *name, *help;
    enum unit unit;
    void (*put)(const struct family *f, struct wr_sjob *j, struct wr_buf *out);
};

/* ---- by operator ---- */

static uint64_t counter(const struct wr_node_stats *s, char which)
{
    switch (which) {
    case 'i': return s->n.in;
    case 'o': return s->n.out;
    case 'f': return s->n.filtered;
    case 'l': return s->n.late;
    case 'h': return s->n.held;
    case 's': return s->n.state_bytes;
    case 'd': return s->n.disk_bytes;
    }
    return s->n_window;
}

static void put_busy(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    for (int i = 0; i < j->plan->n_node; i++) {
        struct wr_node_stats s;
        wr_job_node(j->run, i, &s);
        wr_buf_printf(out, "%s{weir_job=\"%s\",operator=\"%d\",kind=\"%s\"} %.6f\n", f->name, j->name, i, wr_plan_name(j->plan->node[i]->kind),
                      (double)s.n.busy_us / 1e6);
    }
}

static void by_operator(const struct family *f, struct wr_sjob *j, struct wr_buf *out, char which)
{
    for (int i = 0; i < j->plan->n_node; i++) {
        struct wr_node_stats s;
        wr_job_node(j->run, i, &s);
        wr_buf_printf(out, "%s{weir_job=\"%s\",operator=\"%d\",kind=\"%s\"} %llu\n", f->name, j->name, i, wr_plan_name(j->plan->node[i]->kind),
                      (unsigned long long)counter(&s, which));
    }
}

#define BY_OPERATOR(fn, which) \
    static void fn(const struct family *f, struct wr_sjob *j, struct wr_buf *out) { by_operator(f, j, out, which); }
BY_OPERATOR(put_in, 'i')
BY_OPERATOR(put_out, 'o')
BY_OPERATOR(put_filtered, 'f')
BY_OPERATOR(put_late, 'l')
BY_OPERATOR(put_held, 'h')
BY_OPERATOR(put_state, 's')
BY_OPERATOR(put_disk, 'd')
BY_OPERATOR(put_windows, 'w')

/* ---- by partition ---- */

static void label_part(const struct family *f, struct wr_sjob *j, int scan, const struct wr_part *p, struct wr_buf *out)
{
    wr_buf_printf(out, "%s{weir_job=\"%s\",source=\"", f->name, j->name);
    put_label_value(out, j->plan->node[scan]->u.scan.spec.name);
    wr_buf_puts(out, "\",topic=\"");
    put_label_value(out, p->topic);
    wr_buf_printf(out, "\",partition=\"%d\"} ", p->num);
}

static void put_lag(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    struct wr_part p;
    for (int i = 0; i < j->plan->n_node; i++)
        for (int k = 0; j->plan->node[i]->kind == WR_PLAN_SCAN && wr_job_scan_part(j->run, i, k, &p); k++)
            if (p.end >= 0) {
                label_part(f, j, i, &p, out);
                wr_buf_printf(out, "%lld\n", (long long)(p.end > p.next ? p.end - p.next : 0));
            }
}

static void put_part_wm(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    struct wr_part p;
    struct wr_part_stats c;
    for (int i = 0; i < j->plan->n_node; i++) {
        const struct wr_plan *w = j->plan->node[i];
        if (w->kind != WR_PLAN_WATERMARK || !w->u.watermark.scan)
            continue;
        for (int k = 0; wr_job_part(j->run, i, k, &c) && wr_job_scan_part(j->run, w->u.watermark.scan->id, k, &p); k++)
            if (c.wm != WR_WM_NONE) {
                label_part(f, j, w->u.watermark.scan->id, &p, out);
                wr_buf_printf(out, "%.3f\n", (double)c.wm / 1e6);
            }
    }
}

/* ---- by job ---- */

static void put_bad(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    for (int i = 1; i < WR_R_COUNT; i++)
        wr_buf_printf(out, "%s{weir_job=\"%s\",reason=\"%s\"} %llu\n", f->name, j->name, wr_reason_name((enum wr_reason)i),
                      (unsigned long long)wr_job_bad_by_reason(j->run, (enum wr_reason)i));
}

static void put_watermark(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    for (int i = 0; i < j->plan->n_node; i++) {
        struct wr_node_stats s;
        wr_job_node(j->run, i, &s);
        if (j->plan->node[i]->kind == WR_PLAN_WATERMARK && s.wm != WR_WM_NONE && s.wm != WR_WM_END)
            wr_buf_printf(out, "%s{weir_job=\"%s\",operator=\"%d\"} %.3f\n", f->name, j->name, i, (double)s.wm / 1e6);
    }
}

static struct wr_ckpt_stats checkpoint_of(struct wr_sjob *j)
{
    struct wr_ckpt_stats c;
    wr_job_checkpoint(j->run, &c);
    return c;
}
static void put_ckpt_id(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    wr_buf_printf(out, "%s{weir_job=\"%s\"} %llu\n", f->name, j->name, (unsigned long long)checkpoint_of(j).id);
}
static void put_ckpt_bytes(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    wr_buf_printf(out, "%s{weir_job=\"%s\"} %llu\n", f->name, j->name, (unsigned long long)checkpoint_of(j).bytes);
}
static void put_ckpt_time(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    wr_buf_printf(out, "%s{weir_job=\"%s\"} %.6f\n", f->name, j->name, (double)checkpoint_of(j).took_us / 1e6);
}
static void put_ckpt_at(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    if (checkpoint_of(j).wall_us)
        wr_buf_printf(out, "%s{weir_job=\"%s\"} %.3f\n", f->name, j->name, (double)checkpoint_of(j).wall_us / 1e6);
}

static void put_cpu(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    wr_buf_printf(out, "%s{weir_job=\"%s\"} %.6f\n", f->name, j->name, (double)wr_job_cpu(j->run) / 1e6);
}
static void put_state_limit(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    if (j->plan->max_state)
        wr_buf_printf(out, "%s{weir_job=\"%s\"} %lld\n", f->name, j->name, (long long)j->plan->max_state);
}
static void put_cpu_limit(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    if (j->plan->cpu_limit)
        wr_buf_printf(out, "%s{weir_job=\"%s\"} %.2f\n", f->name, j->name, j->plan->cpu_limit / 100.0);
}

static const struct family running[] = {
    {"weir_operator_rows_in_total", "rows an operator has taken", COUNTER, put_in},
    {"weir_operator_rows_out_total", "rows an operator has given", COUNTER, put_out},
    {"weir_operator_rows_filtered_total", "rows an operator has left out because the query says so", COUNTER, put_filtered},
    {"weir_operator_rows_late_total", "rows an operator has left out because their windows had closed", COUNTER, put_late},
    {"weir_operator_rows_held", "rows in an operator's state", GAUGE, put_held},
    {"weir_operator_state_bytes", "memory of an operator's state", GAUGE, put_state},
    {"weir_operator_state_disk_bytes", "state of an operator that max_state_bytes has put on disk, about", GAUGE, put_disk},
    {"weir_operator_open_windows", "windows that have not closed", GAUGE, put_windows},
    {"weir_operator_busy_seconds_total", "time an operator has worked, without those behind it; what is left of a second is idle", COUNTER, put_busy},
    {"weir_job_cpu_seconds_total", "CPU time of a job's own threads", COUNTER, put_cpu},
    {"weir_job_state_limit_bytes", "max_state_bytes of a job", GAUGE, put_state_limit},
    {"weir_job_cpu_limit_ratio", "cpu_limit of a job, as a share of one core", GAUGE, put_cpu_limit},
    {"weir_rows_bad_total", "rows put aside, by reason", COUNTER, put_bad},
    {"weir_partition_lag_records", "records between what was read and the partition's end", GAUGE, put_lag},
    {"weir_partition_watermark_timestamp_seconds", "a partition's event-time clock", GAUGE, put_part_wm},
    {"weir_watermark_timestamp_seconds", "watermark of a source", GAUGE, put_watermark},
    {"weir_checkpoint_id", "number of the last checkpoint", GAUGE, put_ckpt_id},
    {"weir_checkpoint_size_bytes", "what the last checkpoint wrote", GAUGE, put_ckpt_bytes},
    {"weir_checkpoint_duration_seconds", "how long the last checkpoint took", GAUGE, put_ckpt_time},
    {"weir_checkpoint_timestamp_seconds", "when the last checkpoint of this run was taken", GAUGE, put_ckpt_at},
};

/* ---- of jobs whether they run or not ---- */

static void put_up(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    for (int s = WR_JOB_STARTING; s <= WR_JOB_FAILED; s++)
        wr_buf_printf(out, "%s{weir_job=\"%s\",state=\"%s\"} %d\n", f->name, j->name, wr_jobstate_name((enum wr_jobstate)s), j->state == (enum wr_jobstate)s);
}
static void put_restarts(const struct family *f, struct wr_sjob *j, struct wr_buf *out)
{
    wr_buf_printf(out, "%s{weir_job=\"%s\"} %llu\n", f->name, j->name, (unsigned long long)j->restarts);
}
static const struct family always[] = {
    {"weir_job_state", "1 for the state a job is in", GAUGE, put_up},
    {"weir_job_restarts_total", "starts after a failure", COUNTER, put_restarts},
};

static void put_family(struct wr_jobs *m, const struct family *f, bool needs_run, struct wr_buf *out)
{
    struct wr_sjob *j;
    wr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", f->name, f->help, f->name, f->unit == COUNTER ? "counter" : "gauge");
    for (int i = 0; (j = wr_jobs_at(m, i)) != NULL; i++) {
        pthread_mutex_lock(&j->lock);
        if (!needs_run || j->run)
            f->put(f, j, out);
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
}

void wr_put_metrics(struct wr_jobs *m, struct wr_buf *out)
{
    wr_buf_printf(out, "# HELP weir_build_info what this is\n# TYPE weir_build_info gauge\nweir_build_info{version=\"%s\"} 1\n", WEIR_VERSION);
    wr_buf_printf(out, "# HELP weir_uptime_seconds time since the server started\n# TYPE weir_uptime_seconds gauge\nweir_uptime_seconds %.3f\n",
                  (double)(wr_clock_mono() - m->started_us) / 1e6);
    wr_put_process_metrics(out);
    for (size_t i = 0; i < sizeof always / sizeof *always; i++)
        put_family(m, &always[i], false, out);
    for (size_t i = 0; i < sizeof running / sizeof *running; i++)
        put_family(m, &running[i], true, out);
}

/* show.c: a job and its plan as JSON.
 * Rules:  figures come from the running job, or, when it does not run, from what was remembered at its end. No option value is ever shown.
 * Memory: texts are appended to the caller's buffer. */
#include "core/time.h"
#include "server/internal.h"

/* Rows in at the scans, their lag, rates; rows that reached sinks. */
struct sums { uint64_t in, out, late, bad, state; double rate; int64_t lag, wm; };

static void sum_parts(struct wr_sjob *j, int node, struct sums *s)
{
    struct wr_part p;
    for (int i = 0; wr_job_scan_part(j->run, node, i, &p); i++)
        if (p.end >= 0 && p.end > p.next)
            s->lag += p.end - p.next;
}

static void sum_up(struct wr_sjob *j, struct sums *s)
{
    *s = (struct sums){.wm = WR_WM_END};
    bool any_wm = false;
    for (int i = 0; i < j->plan->n_node; i++) {
        const struct wr_plan *p = j->plan->node[i];
        struct wr_node_stats n;
        wr_job_node(j->run, i, &n);
        s->state += n.n.state_bytes;
        s->late += n.n.late;
        s->bad += n.n.bad;
        if (p->kind == WR_PLAN_SCAN) {
            s->in += n.n.in;
            s->rate += j->rate ? j->rate[i].in_s : 0;
            sum_parts(j, i, s);
        }
        if (p->kind == WR_PLAN_SINK)
            s->out += n.n.passed;
        if (p->kind == WR_PLAN_WATERMARK) {
            any_wm = true;
            s->wm = n.wm < s->wm ? n.wm : s->wm;
        }
    }
    if (!any_wm)
        s->wm = WR_WM_NONE;
}

static void put_checkpoint(struct wr_sjob *j, struct wr_buf *out)
{
    struct wr_ckpt_stats c;
    wr_job_checkpoint(j->run, &c);
    wr_buf_printf(out, ",\"checkpoint\":{\"id\":%llu,\"bytes\":%llu,\"duration_us\":%lld,\"at\":", (unsigned long long)c.id, (unsigned long long)c.bytes,
                  (long long)c.took_us);
    wr_put_time(out, c.wall_us ? c.wall_us : WR_WM_NONE);
    wr_buf_putc(out, '}');
}

void wr_put_body_locked(struct wr_sjob *j, struct wr_buf *out)
{
    if (!j->run) {
        wr_buf_str(out, wr_buf_get(&j->last_detail));
        return;
    }
    struct sums s;
    sum_up(j, &s);
    wr_buf_printf(out, ",\"rows_in\":%llu,\"rows_out\":%llu,\"rows_late\":%llu,\"rows_bad\":%llu,\"state_bytes\":%llu,\"rows_per_second\":%.1f,\"lag\":%lld",
                  (unsigned long long)s.in, (unsigned long long)s.out, (unsigned long long)s.late, (unsigned long long)s.bad, (unsigned long long)s.state,
                  s.rate, (long long)s.lag);
    wr_buf_printf(out, ",\"cpu_seconds\":%.3f,\"cpu_share\":%.3f", (double)wr_job_cpu(j->run) / 1e6, j->cpu_share);
    wr_buf_printf(out, ",\"parallelism\":%d", j->plan->tasks);
    if (j->plan->cpu_limit)
        wr_buf_printf(out, ",\"cpu_limit_percent\":%d", j->plan->cpu_limit);
    if (j->plan->max_state)
        wr_buf_printf(out, ",\"max_state_bytes\":%lld", (long long)j->plan->max_state);
    wr_buf_puts(out, ",\"watermark\":");
    wr_put_time(out, s.wm);
    put_checkpoint(j, out);
    wr_buf_puts(out, ",\"bad_by_reason\":{");
    bool first = true;
    for (int i = 1; i < WR_R_COUNT; i++) {
        uint64_t n = wr_job_bad_by_reason(j->run, (enum wr_reason)i);
        if (n)
            wr_buf_printf(out, "%s\"%s\":%llu", first ? "" : ",", wr_reason_name((enum wr_reason)i), (unsigned long long)n);
        first &= n == 0;
    }
    wr_buf_putc(out, '}');
}

void wr_put_job(struct wr_sjob *j, bool detail, struct wr_buf *out)
{
    (void)detail;
    pthread_mutex_lock(&j->lock);
    int64_t now = wr_clock_mono();
    wr_buf_puts(out, "{\"name\":");
    wr_put_json(out, wr_str_c(j->name));
    wr_buf_printf(out, ",\"state\":\"%s\"", wr_jobstate_name(j->state));
    wr_buf_puts(out, ",\"reason\":");
    if (j->reason[0])
        wr_put_json(out, wr_str_c(j->reason));
    else
        wr_buf_puts(out, "null");
    wr_buf_printf(out, ",\"restarts\":%llu,\"created\":", (unsigned long long)j->restarts);
    wr_put_time(out, j->created_us);
    wr_buf_puts(out, ",\"results\":[1"); /* statements that have one */
    for (int i = 1; i < WR_RESULTS_MOST; i++)
        if (j->result[i])
            wr_buf_printf(out, ",%d", i + 1);
    wr_buf_putc(out, ']');
    if (j->run)
        wr_buf_printf(out, ",\"running_seconds\":%.1f", (double)(now - j->started_us) / 1e6);
    if (j->state == WR_JOB_WAITING)
        wr_buf_printf(out, ",\"next_attempt_seconds\":%.1f", j->next_us > now ? (double)(j->next_us - now) / 1e6 : 0.0);
    wr_put_body_locked(j, out);
    wr_buf_putc(out, '}');
    pthread_mutex_unlock(&j->lock);
}

/* ---- the plan as a graph ---- */

static void note_nothing(void *ctx, const struct wr_plan *p, struct wr_buf *out)
{
    (void)ctx;
    (void)p;
    (void)out;
}

/* The node's own line of EXPLAIN, without the tree's drawing. */
static void put_label(struct wr_buf *out, const struct wr_plan *p)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_plan_print(&text, p, note_nothing, NULL);
    const char *nl = text.n ? memchr(text.p, '\n', text.n) : NULL;
    struct wr_str line = {text.p, nl ? (uint32_t)(nl - text.p) : (uint32_t)text.n};
    if (line.n)
        wr_put_json(out, wr_str_trim(line));
    else
        wr_put_json(out, wr_str_c(wr_plan_name(p->kind)));
    wr_buf_clear(&text);
}

static int fragment_of(const struct wr_sjob *j, int node)
{
    struct wr_node_stats s;
    wr_job_node(j->run, node, &s);
    return s.fragment;
}

/* The share of the time in which a node's rows wait for those behind it: a chain of calls is one task, so while they work nothing else is taken.
 * Those of another task take rows from a queue; waiting for room in it is the exchange's time. */
static double back_pressure(const struct wr_sjob *j, int node)
{
    const struct wr_jobplan *p = j->plan;
    bool behind[256] = {false};
    double share = 0;
    if (!j->rate || p->n_node > 256)
        return 0;
    int mine = fragment_of(j, node);
    for (int i = node + 1; i < p->n_node; i++) { /* inputs come before users */
        for (int k = 0; k < p->node[i]->n_in; k++)
            behind[i] |= p->node[i]->in[k]->id == node || behind[p->node[i]->in[k]->id];
        share += behind[i] && fragment_of(j, i) == mine ? j->rate[i].busy_share : 0;
    }
    return share;
}

static void put_node(struct wr_sjob *j, int i, struct wr_buf *out)
{
    const struct wr_plan *p = j->plan->node[i];
    wr_buf_printf(out, "{\"id\":%d,\"kind\":\"%s\",\"label\":", i, wr_plan_name(p->kind));
    put_label(out, p);
    if (j->run) {
        struct wr_node_stats s;
        struct wr_rate r = j->rate ? j->rate[i] : (struct wr_rate){0};
        wr_job_node(j->run, i, &s);
        wr_buf_printf(out,
                      ",\"in\":%llu,\"out\":%llu,\"passed\":%llu,\"filtered\":%llu,\"late\":%llu,\"bad\":%llu,\"held\":%llu,\"state_bytes\":%llu"
                      ",\"busy_us\":%llu,\"busy_share\":%.3f,\"back_pressure\":%.3f,\"rows_per_second_in\":%.1f,\"rows_per_second_out\":%.1f"
                      ",\"open_windows\":%llu,\"instances\":%d,\"idle\":%s,\"watermark\":",
                      (unsigned long long)s.n.in, (unsigned long long)s.n.out, (unsigned long long)s.n.passed, (unsigned long long)s.n.filtered,
                      (unsigned long long)s.n.late, (unsigned long long)s.n.bad, (unsigned long long)s.n.held, (unsigned long long)s.n.state_bytes,
                      (unsigned long long)s.n.busy_us, r.busy_share, back_pressure(j, i), r.in_s, r.out_s, (unsigned long long)s.n_window,
                      s.instances, s.idle ? "true" : "false");
        wr_put_time(out, s.wm);
    }
    wr_buf_putc(out, '}');
}

void wr_put_plan_locked(struct wr_sjob *j, struct wr_buf *out)
{
    if (!j->run) {
        wr_buf_puts(out, j->last_plan.n ? "" : "{\"nodes\":[],\"edges\":[],\"text\":\"\"}");
        wr_buf_str(out, wr_buf_get(&j->last_plan));
        return;
    }
    const struct wr_jobplan *p = j->plan;
    wr_buf_puts(out, "{\"nodes\":[");
    for (int i = 0; i < p->n_node; i++) {
        if (i)
            wr_buf_putc(out, ',');
        put_node(j, i, out);
    }
    wr_buf_puts(out, "],\"edges\":[");
    bool first = true;
    for (int i = 0; i < p->n_node; i++)
        for (int k = 0; k < p->node[i]->n_in; k++) {
            wr_buf_printf(out, "%s{\"from\":%d,\"to\":%d}", first ? "" : ",", p->node[i]->in[k]->id, i);
            first = false;
        }
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_jobplan_print(&text, p);
    wr_buf_puts(out, "],\"text\":");
    wr_put_json(out, wr_buf_get(&text));
    wr_buf_putc(out, '}');
    wr_buf_clear(&text);
}

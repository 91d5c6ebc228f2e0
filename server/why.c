/* why.c: EXPLAIN WHY: one screen on why nothing has come out yet: what came in, where the watermark stands and who holds it there, which window
 * closes next and what would close it.
 * Rules:  every figure is the engine's own; times are event times. Says "nothing holds" where nothing does.
 * Memory: appended to the caller's buffer. */
#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"
#include "server/watch.h"

static void put_ts(struct wr_buf *out, int64_t us)
{
    if (us == WR_WM_NONE)
        wr_buf_puts(out, "none yet");
    else if (us == WR_WM_END)
        wr_buf_puts(out, "the end");
    else
        wr_timestamp_print(out, us, false);
}

/* The partition whose clock is the minimum; -1: no clock is known. */
static int holder(const struct wr_watch *j, int node, int *n_part)
{
    struct wr_part_stats p;
    struct wr_part src;
    int who = -1;
    int64_t least = INT64_MAX;
    int scan = j->plan->node[node]->u.watermark.scan ? j->plan->node[node]->u.watermark.scan->id : -1;
    for (*n_part = 0; wr_job_part(j->run, node, *n_part, &p); ++*n_part) {
        bool ended = scan >= 0 && wr_job_scan_part(j->run, scan, *n_part, &src) && src.ended;
        if (p.idle || ended || p.wm >= least)
            continue;
        least = p.wm;
        who = *n_part;
    }
    return who;
}

static void put_clocks(const struct wr_watch *j, int node, struct wr_buf *out)
{
    const struct wr_plan *p = j->plan->node[node];
    int scan = p->u.watermark.scan ? p->u.watermark.scan->id : -1, n_part;
    int who = holder(j, node, &n_part);
    struct wr_node_stats s;
    wr_job_node(j->run, node, &s);
    wr_buf_printf(out, "  watermark ");
    put_ts(out, s.wm);
    wr_buf_puts(out, "  (greatest event time less ");
    wr_duration_print(out, p->u.watermark.delay);
    wr_buf_puts(out, ", least over active partitions)\n");
    for (int i = 0; i < n_part; i++) {
        struct wr_part_stats c;
        struct wr_part src = {.num = i, .end = -1};
        if (!wr_job_part(j->run, node, i, &c))
            break;
        bool known = scan >= 0 && wr_job_scan_part(j->run, scan, i, &src);
        if (n_part > 40 && i >= 20 && i != who)
            continue; /* one screen: the first, and who holds */
        wr_buf_printf(out, "  partition %-4d greatest event time ", src.num);
        put_ts(out, c.max_ts);
        if (known && src.end >= 0)
            wr_buf_printf(out, "  lag %lld", (long long)(src.end > src.next ? src.end - src.next : 0));
        if (known && src.ended)
            wr_buf_puts(out, "  ended");
        else if (c.idle)
            wr_buf_puts(out, "  idle: does not count");
        else if (known && src.caught_up && p->u.watermark.idle > 0 && c.idle_us >= WR_US_SEC)
            wr_buf_printf(out, "  quiet for %.1f s of %.1f s", (double)c.idle_us / 1e6, (double)p->u.watermark.idle / 1e6);
        wr_buf_puts(out, i == who ? "  <- holds the watermark\n" : "\n");
    }
    if (s.wm == WR_WM_END)
        wr_buf_puts(out, "  every partition has ended: no window is open any more\n");
    else if (who < 0)
        wr_buf_puts(out, n_part ? "  every partition is idle or has ended: the watermark stays\n" : "  no partition has been seen yet\n");
}

static void put_scan(const struct wr_watch *j, int node, struct wr_buf *out)
{
    const struct wr_plan *p = j->plan->node[node];
    struct wr_node_stats s;
    wr_job_node(j->run, node, &s);
    wr_buf_puts(out, "source ");
    wr_buf_escape(out, p->u.scan.spec.name, 80);
    wr_buf_printf(out, ": read %llu, skipped %llu, bad %llu\n", (unsigned long long)s.n.in, (unsigned long long)s.n.filtered, (unsigned long long)s.n.bad);
    if (s.n.in == 0)
        wr_buf_puts(out, "  nothing has come in: is anything written to it, and does the job start at its end?\n");
}

static void put_window(const struct wr_watch *j, int node, const struct wr_node_stats *s, struct wr_buf *out)
{
    const struct wr_plan_agg *a = &j->plan->node[node]->u.agg;
    int64_t end = s->window[0].end, close = end + a->lateness;
    wr_buf_printf(out, "  %llu open; next to close: ", (unsigned long long)s->n_window);
    put_ts(out, s->window[0].start);
    wr_buf_puts(out, " to ");
    put_ts(out, end);
    if (s->window[0].rows)
        wr_buf_printf(out, " (%llu row%s)", (unsigned long long)s->window[0].rows, s->window[0].rows == 1 ? "" : "s");
    wr_buf_puts(out, "\n  it closes when the watermark reaches ");
    put_ts(out, close);
    if (s->wm != WR_WM_NONE && s->wm < close) {
        wr_buf_puts(out, ", ");
        wr_duration_print(out, (close - s->wm + WR_US_SEC - 1) / WR_US_SEC * WR_US_SEC);
        wr_buf_puts(out, " of event time from now");
    }
    wr_buf_putc(out, '\n');
    int64_t delay = -1;
    for (int i = 0; i < j->plan->n_node; i++)
        if (j->plan->node[i]->kind == WR_PLAN_WATERMARK && j->plan->node[i]->u.watermark.delay > delay)
            delay = j->plan->node[i]->u.watermark.delay;
    if (delay >= 0) {
        wr_buf_puts(out, "  an event of ");
        put_ts(out, close + delay);
        wr_buf_puts(out, " or later in every active partition does it\n");
    }
    if (a->emit == WR_EMIT_FINAL)
        wr_buf_puts(out, "  results are given once, when their window has closed (EMIT FINAL)\n");
}

static void put_operator(const struct wr_watch *j, int node, struct wr_buf *out)
{
    const struct wr_plan *p = j->plan->node[node];
    struct wr_node_stats s;
    wr_job_node(j->run, node, &s);
    bool agg = p->kind == WR_PLAN_AGG || p->kind == WR_PLAN_SESSION;
    if (p->kind == WR_PLAN_SCAN || p->kind == WR_PLAN_WATERMARK || (!agg && p->kind != WR_PLAN_SINK && !s.n.filtered && !s.n.late && !s.n.bad))
        return;
    if (p->kind == WR_PLAN_SINK) {
        wr_buf_puts(out, "sink ");
        wr_buf_escape(out, p->u.sink.spec.name, 80);
        wr_buf_printf(out, ": written %llu", (unsigned long long)s.n.passed);
    } else {
        wr_buf_printf(out, "%s %d: in %llu, out %llu", wr_plan_name(p->kind), node, (unsigned long long)s.n.in, (unsigned long long)s.n.out);
    }
    if (s.n.filtered)
        wr_buf_printf(out, ", filtered %llu", (unsigned long long)s.n.filtered);
    if (s.n.late)
        wr_buf_printf(out, ", late %llu", (unsigned long long)s.n.late);
    if (s.n.bad)
        wr_buf_printf(out, ", bad %llu", (unsigned long long)s.n.bad);
    if (s.n.held)
        wr_buf_printf(out, ", held %llu", (unsigned long long)s.n.held);
    wr_buf_putc(out, '\n');
    if (agg && s.n_shown > 0)
        put_window(j, node, &s, out);
}

static void put_bad(const struct wr_watch *j, struct wr_buf *out)
{
    for (int i = 1; i < WR_R_COUNT; i++) {
        uint64_t n = wr_job_bad_by_reason(j->run, (enum wr_reason)i);
        if (n)
            wr_buf_printf(out, "bad rows, %s: %llu\n", wr_reason_name((enum wr_reason)i), (unsigned long long)n);
    }
}

static void put_text(const struct wr_watch *j, struct wr_buf *out)
{
    for (int i = 0; i < j->plan->n_node; i++) {
        if (j->plan->node[i]->kind != WR_PLAN_SCAN)
            continue;
        put_scan(j, i, out);
        for (int k = 0; k < j->plan->n_node; k++)
            if (j->plan->node[k]->kind == WR_PLAN_WATERMARK && j->plan->node[k]->u.watermark.scan == j->plan->node[i])
                put_clocks(j, k, out);
    }
    for (int i = 0; i < j->plan->n_node; i++)
        put_operator(j, i, out);
    put_bad(j, out);
}

void wr_why_print(const struct wr_watch *w, struct wr_buf *out)
{
    put_text(w, out);
}

void wr_put_why_locked(struct wr_sjob *j, bool json, struct wr_buf *out)
{
    if (!j->run) {
        const struct wr_buf *last = json ? &j->last_why_json : &j->last_why;
        wr_buf_puts(out, last->n ? "" : json ? "{\"text\":\"the job has not run yet\\n\"}" : "the job has not run yet\n");
        wr_buf_str(out, wr_buf_get(last));
        return;
    }
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    put_text(&(struct wr_watch){j->plan, j->run}, &text);
    if (json) {
        wr_buf_puts(out, "{\"text\":");
        wr_put_json(out, wr_buf_get(&text));
        wr_buf_putc(out, '}');
    } else {
        wr_buf_str(out, wr_buf_get(&text));
    }
    wr_buf_clear(&text);
}

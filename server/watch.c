/* watch.c: see watch.h. */
#include "server/watch.h"

#include "core/log.h"
#include "core/time.h"

static void add_parts(const struct wr_job *job, int node, struct wr_gauge *g)
{
    struct wr_part p;
    for (int k = 0; wr_job_scan_part(job, node, k, &p); k++) {
        g->lag_known |= p.end >= 0;
        g->lag += p.end > p.next ? (uint64_t)(p.end - p.next) : 0;
    }
}

static void add_clock(const struct wr_job *job, int node, int64_t wm, struct wr_gauge *g)
{
    struct wr_part_stats p;
    for (int k = 0; wr_job_part(job, node, k, &p); k++)
        g->newest = p.max_ts > g->newest ? p.max_ts : g->newest;
    g->wm = wm < g->wm ? wm : g->wm;
}

void wr_gauge_read(const struct wr_watch *w, struct wr_gauge *g)
{
    bool any_wm = false;
    struct wr_ckpt_stats c;
    *g = (struct wr_gauge){.wm = WR_WM_END, .newest = WR_WM_NONE, .late = wr_job_late(w->run)};
    for (int i = 1; i < WR_R_COUNT; i++)
        g->bad += wr_job_bad_by_reason(w->run, (enum wr_reason)i);
    for (int i = 0; i < w->plan->n_node; i++) {
        const struct wr_plan *p = w->plan->node[i];
        struct wr_node_stats s;
        wr_job_node(w->run, i, &s);
        g->held += s.n.held;
        g->state_bytes += s.n.state_bytes;
        g->written += p->kind == WR_PLAN_SINK ? s.n.passed : 0;
        if (p->kind == WR_PLAN_SCAN) {
            g->records += s.n.in - s.n.filtered; /* blank lines and tombstones are no rows */
            add_parts(w->run, i, g);
        }
        if (p->kind == WR_PLAN_WATERMARK) {
            add_clock(w->run, i, s.wm, g);
            any_wm = true;
        }
    }
    if (!any_wm)
        g->wm = WR_WM_NONE;
    wr_job_checkpoint(w->run, &c);
    g->ckpt = c.id;
    g->ckpt_us = c.wall_us;
}

void wr_gauge_put(const struct wr_gauge *g, struct wr_buf *out)
{
    wr_buf_printf(out, "{\"records\":%llu,\"written\":%llu,\"late\":%llu,\"bad\":%llu,\"held\":%llu,\"state_bytes\":%llu", (unsigned long long)g->records,
                  (unsigned long long)g->written, (unsigned long long)g->late, (unsigned long long)g->bad, (unsigned long long)g->held,
                  (unsigned long long)g->state_bytes);
    if (g->lag_known)
        wr_buf_printf(out, ",\"lag\":%llu", (unsigned long long)g->lag);
    if (g->wm != WR_WM_NONE && g->wm != WR_WM_END)
        wr_buf_printf(out, ",\"wm\":%lld", (long long)g->wm);
    if (g->newest != WR_WM_NONE)
        wr_buf_printf(out, ",\"newest\":%lld", (long long)g->newest);
    wr_buf_putc(out, '}');
}

static void note_figures(void *ctx, const struct wr_plan *p, struct wr_buf *out)
{
    const struct wr_watch *w = ctx;
    struct wr_node_stats n;
    wr_job_node(w->run, p->id, &n);
    wr_buf_printf(out, "  (rows in %llu, out %llu", (unsigned long long)n.n.in, (unsigned long long)n.n.out);
    const struct { const char *name; uint64_t n; } more[] = {{"filtered", n.n.filtered}, {"late", n.n.late}, {"bad", n.n.bad}, {"held", n.n.held}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        if (more[i].n)
            wr_buf_printf(out, ", %s %llu", more[i].name, (unsigned long long)more[i].n);
    if (n.n.busy_us)
        wr_buf_printf(out, ", time %.1f ms", (double)n.n.busy_us / 1e3);
    if (n.n.state_bytes)
        wr_buf_printf(out, ", state %llu bytes", (unsigned long long)n.n.state_bytes);
    if (n.n.disk_bytes)
        wr_buf_printf(out, ", on disk %llu bytes", (unsigned long long)n.n.disk_bytes);
    wr_buf_putc(out, ')');
}

void wr_analyze_print(const struct wr_watch *w, struct wr_buf *out)
{
    union { const struct wr_watch *c; void *v; } ctx = {w};
    for (int i = 0; i < w->plan->n_sink; i++) {
        wr_plan_print(out, w->plan->sink[i], note_figures, ctx.v);
        if (out->n && out->p[out->n - 1] != '\n')
            wr_buf_putc(out, '\n');
    }
}

void wr_parts_print(const struct wr_watch *w, struct wr_buf *out)
{
    struct wr_part p;
    for (int i = 0; i < w->plan->n_node; i++)
        for (int k = 0; w->plan->node[i]->kind == WR_PLAN_SCAN && wr_job_scan_part(w->run, i, k, &p); k++) {
            wr_buf_escape(out, w->plan->node[i]->u.scan.spec.name, 40);
            wr_buf_puts(out, ": ");
            wr_buf_escape(out, p.topic, 60);
            wr_buf_printf(out, " partition %d: next offset %lld", p.num, (long long)p.next);
            if (p.end >= 0)
                wr_buf_printf(out, ", end %lld, lag %lld", (long long)p.end, (long long)(p.end > p.next ? p.end - p.next : 0));
            wr_buf_puts(out, p.ended ? ", ended\n" : p.caught_up ? ", caught up\n" : "\n");
        }
}

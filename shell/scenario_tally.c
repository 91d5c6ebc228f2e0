/* scenario_tally.c: see scenario_tally.h.
 * Rules:  a job that is stopped and started again counts each row once: in the run that read it.
 * Memory: the arena's. */
#include "shell/scenario_tally.h"

void wr_tally_add(struct wr_tally *t, const struct wr_job *job, const struct wr_jobplan *plan, struct wr_arena *a)
{
    if (!t->node)
        t->node = WR_NEW_N(a, struct wr_tally_node, plan->n_node + 1);
    t->late += wr_job_late(job);
    for (int r = 1; r < WR_R_COUNT; r++)
        t->bad[r] += wr_job_bad_by_reason(job, (enum wr_reason)r);
    for (int i = 0; i < plan->n_node; i++) {
        struct wr_node_stats n;
        if (plan->node[i]->state_id < 0)
            continue;
        struct wr_tally_node *node = &t->node[plan->node[i]->state_id];
        wr_job_node(job, i, &n);
        node->in += plan->node[i]->kind == WR_PLAN_SCAN ? n.n.in : 0;
        node->late += n.n.late;
        node->bad += n.n.bad;
    }
}

static uint64_t all_bad(const struct wr_tally *t)
{
    uint64_t n = 0;
    for (int r = 1; r < WR_R_COUNT; r++)
        n += t->bad[r];
    return n;
}

static const struct wr_plan *scan_below(const struct wr_plan *p)
{
    while (p && p->kind != WR_PLAN_SCAN)
        p = p->n_in ? p->in[0] : NULL;
    return p;
}

/* "late", "bad", "bad.syntax", "sales.in", "sales.late", "sales.bad" */
static bool counter(const struct wr_tally *t, const struct wr_jobplan *plan, struct wr_str name, uint64_t *out)
{
    *out = wr_str_eq_c(name, "late") ? t->late : all_bad(t);
    if (wr_str_eq_c(name, "late") || wr_str_eq_c(name, "bad"))
        return true;
    for (int r = 1; r < WR_R_COUNT; r++) {
        struct wr_str reason = wr_str_c(wr_reason_name((enum wr_reason)r));
        *out = t->bad[r];
        if (name.n == reason.n + 4 && memcmp(name.p, "bad.", 4) == 0 && memcmp(name.p + 4, reason.p, reason.n) == 0)
            return true;
    }
    *out = 0;
    const char *dot = memchr(name.p, '.', name.n);
    if (!dot)
        return false;
    struct wr_str source = {name.p, (uint32_t)(dot - name.p)}, what = {dot + 1, name.n - source.n - 1};
    bool found = false;
    for (int i = 0; i < plan->n_node; i++) {
        const struct wr_plan *scan = scan_below(plan->node[i]);
        if (!scan || plan->node[i]->state_id < 0 || !wr_str_eq(scan->u.scan.spec.name, source))
            continue;
        const struct wr_tally_node *node = &t->node[plan->node[i]->state_id];
        found = true;
        if (wr_str_eq_c(what, "late"))
            *out += node->late;
        else if (wr_str_eq_c(what, "bad"))
            *out += node->bad;
        else if (wr_str_eq_c(what, "in"))
            *out += node->in;
        else
            return false;
    }
    return found;
}

/* One line "name = number"; "any" says that the number is of no interest. */
static bool check_line(const struct wr_tally *t, const struct wr_jobplan *plan, struct wr_str line, bool *late_said, bool *bad_said, struct wr_buf *out)
{
    const char *eq = memchr(line.p, '=', line.n);
    if (line.n == 0 || !eq)
        return true;
    struct wr_str name = wr_str_trim((struct wr_str){line.p, (uint32_t)(eq - line.p)});
    struct wr_str value = wr_str_trim((struct wr_str){eq + 1, line.n - (uint32_t)(eq - line.p) - 1});
    uint64_t want = 0, got;
    bool any = wr_str_eq_c(value, "any");
    for (uint32_t k = 0; k < value.n && !any; k++)
        want = want * 10 + (uint64_t)(value.p[k] - '0');
    *late_said |= memmem(name.p, name.n, "late", 4) != NULL;
    *bad_said |= memmem(name.p, name.n, "bad", 3) != NULL;
    if (!counter(t, plan, name, &got)) {
        wr_buf_printf(out, "    counts: there is no counter \"%.*s\"\n", WR_FMT(name));
        return false;
    }
    if (any || got == want)
        return true;
    wr_buf_printf(out, "    counts: %.*s expected %llu, got %llu\n", WR_FMT(name), (unsigned long long)want, (unsigned long long)got);
    return false;
}

bool wr_tally_check(const struct wr_tally *t, const struct wr_scenario *s, const struct wr_jobplan *plan, struct wr_buf *out)
{
    bool ok = true, late_said = false, bad_said = false;
    for (int i = 0; i < s->n_block; i++) {
        struct wr_str text = s->block[i].text, line;
        while (s->block[i].kind == WR_BLOCK_COUNTS && wr_next_line(&text, &line))
            ok &= check_line(t, plan, wr_str_trim(line), &late_said, &bad_said, out);
    }
    if (!late_said && t->late) {
        wr_buf_printf(out, "    %llu late rows, and no counts block expects them\n", (unsigned long long)t->late);
        ok = false;
    }
    if (!bad_said && all_bad(t)) {
        wr_buf_printf(out, "    %llu bad rows, and no counts block expects them:", (unsigned long long)all_bad(t));
        for (int r = 1; r < WR_R_COUNT; r++)
            if (t->bad[r])
                wr_buf_printf(out, " %s %llu", wr_reason_name((enum wr_reason)r), (unsigned long long)t->bad[r]);
        wr_buf_putc(out, '\n');
        ok = false;
    }
    return ok;
}

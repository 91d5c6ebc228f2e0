/* shape.c: what of a plan its state depends on, as text: two plans of one shape can go on from one checkpoint.
 * Rules:  the same nodes in the same order with the same inputs and column types; each the same in its own line of EXPLAIN, but for what holds nothing and
 *         has given nothing that could be taken back: the condition of a filter and the expressions of a projection over rows that are only added, and the
 *         columns that a scan reads. Such a change counts from the checkpoint on.
 * Memory: appended to the caller's buffer. */
#include "executor/job.h"

/* The node's own lines of EXPLAIN: up to its first input. */
static void put_own(struct wr_buf *out, const struct wr_plan *p)
{
    struct wr_buf text = WR_BUF_INIT(16 << 20);
    wr_plan_print_state(&text, p);
    struct wr_str rest = wr_buf_get(&text);
    for (bool first = true; rest.n > 0; first = false) {
        const char *nl = memchr(rest.p, '\n', rest.n);
        struct wr_str line = {rest.p, nl ? (uint32_t)(nl - rest.p) : rest.n};
        struct wr_str words = wr_str_trim(line);
        if (!first && words.n > 2 && memcmp(words.p, "-> ", 3) == 0)
            break;
        wr_buf_puts(out, first ? "" : "; ");
        wr_buf_str(out, words);
        rest.p += nl ? line.n + 1 : line.n;
        rest.n -= nl ? line.n + 1 : line.n;
    }
    wr_buf_clear(&text);
}

static void put_types(struct wr_buf *out, const struct wr_schema *s)
{
    for (int i = 0; i < s->n; i++) {
        wr_buf_puts(out, i ? ", " : " (");
        wr_type_print(out, s->field[i].type);
    }
    wr_buf_puts(out, s->n ? ")" : " ()");
}

static void put_node(struct wr_buf *out, const struct wr_plan *p)
{
    bool added = p->n_in == 1 && !p->in[0]->updating;
    if (p->kind == WR_PLAN_SCAN) {
        wr_buf_printf(out, "Scan %.*s (%s)", WR_FMT(p->u.scan.spec.name), p->u.scan.connector->name);
    } else if (added && p->kind == WR_PLAN_FILTER) {
        wr_buf_puts(out, "Filter of additions");
    } else if (added && p->kind == WR_PLAN_PROJECT) {
        wr_buf_puts(out, "Project additions");
        put_types(out, p->out);
    } else {
        put_own(out, p);
        put_types(out, p->out);
    }
    for (int i = 0; i < p->n_in; i++) {
        const struct wr_plan *in = p->in[i];
        while (in->kind == WR_PLAN_EXCHANGE)
            in = in->in[0];
        wr_buf_printf(out, i ? ", %d" : " of %d", in->state_id);
    }
    wr_buf_putc(out, '\n');
}

void wr_job_shape(const struct wr_jobplan *plan, struct wr_buf *out)
{
    for (int i = 0; i < plan->n_node; i++) {
        if (plan->node[i]->kind == WR_PLAN_EXCHANGE)
            continue; /* holds nothing; there with several tasks only */
        wr_buf_printf(out, "%d: ", plan->node[i]->state_id);
        put_node(out, plan->node[i]);
    }
}

/* ---- what differs ---- */

static bool next_line(struct wr_str *text, struct wr_str *line)
{
    if (text->n == 0)
        return false;
    const char *nl = memchr(text->p, '\n', text->n);
    line->p = text->p;
    line->n = nl ? (uint32_t)(nl - text->p) : text->n;
    uint32_t used = nl ? line->n + 1 : line->n;
    text->p += used;
    text->n -= used;
    return true;
}

int wr_shape_common(struct wr_str a, struct wr_str b, int *n_a)
{
    struct wr_str x, y;
    int n = 0;
    *n_a = 0;
    while (next_line(&a, &x)) {
        ++*n_a;
        n += next_line(&b, &y) && wr_str_eq(x, y);
    }
    return n;
}

void wr_text_difference(struct wr_str was, struct wr_str is, struct wr_buf *out)
{
    struct wr_str a = {0}, b = {0};
    int shown = 0;
    while (shown < 3) {
        bool more_a = next_line(&was, &a), more_b = next_line(&is, &b);
        if (!more_a && !more_b)
            break;
        if (more_a && more_b && wr_str_eq(a, b))
            continue;
        a = more_a ? wr_str_trim(a) : WR_STR("nothing");
        b = more_b ? wr_str_trim(b) : WR_STR("nothing");
        wr_buf_printf(out, "; was: %.*s; is: %.*s", WR_FMT(a), WR_FMT(b));
        shown++;
    }
}

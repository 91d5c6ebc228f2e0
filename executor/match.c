/* match.c: see match.h. */
#include "executor/match.h"

#include <stdlib.h>
#include <string.h>

#include "core/arena.h"

void wr_matcher_init(struct wr_matcher *m, const struct wr_plan_match *p)
{
    *m = (struct wr_matcher){.p = p, .seen = wr_calloc((size_t)p->n_step, sizeof *m->seen)};
}

void wr_matcher_clear(struct wr_matcher *m)
{
    free(m->seen);
    free(m->next);
}

/* ---- chains ---- */

void wr_taken_unref(struct wr_taken *t)
{
    while (t && --t->refs == 0) {
        struct wr_taken *before = t->before;
        free(t);
        t = before;
    }
}

static struct wr_taken *taken_ref(struct wr_taken *t)
{
    if (t)
        t->refs++;
    return t;
}

static struct wr_taken *take(struct wr_taken *before, int64_t row, int var)
{
    struct wr_taken *t = wr_malloc(sizeof *t);
    *t = (struct wr_taken){.before = taken_ref(before), .row = row, .n = before ? before->n + 1 : 1, .var = var, .refs = 1};
    return t;
}

static void drop_threads(struct wr_thread *t, int n)
{
    for (int i = 0; i < n; i++)
        wr_taken_unref(t[i].taken);
}

void wr_search_stop(struct wr_search *s)
{
    drop_threads(s->thread, s->n);
    s->n = 0;
}

void wr_search_end(struct wr_search *s)
{
    wr_search_stop(s);
    wr_taken_unref(s->found);
    s->found = NULL;
    s->on = false;
}

void wr_search_clear(struct wr_search *s)
{
    wr_search_end(s);
    free(s->thread);
    *s = (struct wr_search){0};
}

/* ---- going on ---- */

/* All places that a thread at `step` is at without a row, most preferred first. */
static void add(struct wr_matcher *m, struct wr_search *s, int step, struct wr_taken *taken)
{
    const struct wr_match_step *p = &m->p->step[step];
    if (m->cut || m->full || m->seen[step] == m->stamp)
        return;
    m->seen[step] = m->stamp;
    switch (p->op) {
    case WR_MATCH_JUMP: add(m, s, p->a, taken); return;
    case WR_MATCH_SPLIT:
        add(m, s, p->a, taken);
        add(m, s, p->b, taken);
        return;
    case WR_MATCH_DONE:
        wr_taken_unref(s->found);
        s->found = taken_ref(taken);
        m->cut = true;
        return;
    case WR_MATCH_ROW: break;
    }
    if (m->n_next == WR_MATCH_THREADS) {
        m->full = true;
        return;
    }
    if (m->n_next == m->cap_next) {
        m->cap_next = m->cap_next ? 2 * m->cap_next : 16;
        m->next = wr_realloc(m->next, sizeof *m->next * (size_t)m->cap_next);
    }
    m->next[m->n_next++] = (struct wr_thread){step, taken_ref(taken)};
}

/* The list that was made becomes the search's. */
static void swap(struct wr_matcher *m, struct wr_search *s)
{
    struct wr_thread *thread = s->thread;
    int cap = s->cap;
    s->thread = m->next;
    s->n = m->n_next;
    s->cap = m->cap_next;
    m->next = thread;
    m->cap_next = cap;
    m->n_next = 0;
}

void wr_search_begin(struct wr_matcher *m, struct wr_search *s)
{
    m->cut = m->full = false;
    m->stamp++;
    add(m, s, 0, NULL);
    swap(m, s);
    s->on = true;
}

bool wr_search_row(struct wr_matcher *m, struct wr_search *s, int64_t row)
{
    m->cut = m->full = false;
    m->stamp++;
    for (int i = 0; i < s->n && !m->cut && !m->full; i++) {
        struct wr_taken *before = s->thread[i].taken;
        int var = m->p->step[s->thread[i].step].a;
        if (!m->allows(m->ctx, var, row, before))
            continue;
        struct wr_taken *t = take(before, row, var);
        if (!m->p->alone)
            m->stamp++; /* threads with different pasts have different futures */
        add(m, s, s->thread[i].step + 1, t);
        wr_taken_unref(t);
    }
    drop_threads(s->thread, s->n);
    s->n = 0;
    if (m->full) {
        drop_threads(m->next, m->n_next);
        m->n_next = 0;
        return false;
    }
    swap(m, s);
    return true;
}

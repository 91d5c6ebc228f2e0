/* match.h: the search for a match in the rows of one partition, row by row.
 *
 * All ways in which rows so far can be mapped to variables from one start are tried at once, in order of preference (the first alternative, the longer
 * repetition): each is a thread, a place in the program and the rows it has taken. A thread that reaches the end is the match, and ends those less
 * preferred; those more preferred go on. When no thread is left the match, or that there is none, is certain.
 * Where all conditions look at the row alone, of two threads at one place the less preferred one is dropped: there are then no more threads than steps.
 * Else their number may grow, up to a limit.
 * Memory: threads and what they have taken are malloc'd, owned by struct wr_search; a link of a chain lives as long as something points to it. */
#ifndef WR_EXECUTOR_MATCH_H
#define WR_EXECUTOR_MATCH_H

#include "planner/plan.h"

enum {
    WR_MATCH_THREADS = 10000,  /* most ways open at once in one partition */
    WR_MATCH_ROWS = 1000000    /* most rows one search holds */
};

/* The rows a thread has taken, the last one first. */
struct wr_taken {
    struct wr_taken *before;   /* NULL: this is the first */
    int64_t row, n;            /* its number; rows up to it */
    int var;
    uint32_t refs;
};

struct wr_thread { int step; struct wr_taken *taken; };
struct wr_search {
    bool on;                   /* a search has begun and is not decided */
    struct wr_thread *thread;
    int n, cap;
    struct wr_taken *found;    /* the match so far; NULL: none */
};

struct wr_matcher {
    const struct wr_plan_match *p;
    /* Is the row, as variable `var` behind `before`, allowed by DEFINE? */
    bool (*allows)(void *ctx, int var, int64_t row, struct wr_taken *before);
    void *ctx;
    struct wr_thread *next;    /* the list being made */
    int n_next, cap_next;
    uint64_t stamp, *seen;     /* by step: stamp of the last visit */
    bool cut;                  /* the match was reached: all that is less preferred is given up */
    bool full;                 /* more threads than are allowed */
};
void wr_matcher_init(struct wr_matcher *m, const struct wr_plan_match *p);
void wr_matcher_clear(struct wr_matcher *m);

void wr_search_begin(struct wr_matcher *m, struct wr_search *s);
/* One more row. false: there are too many threads. Afterwards s->n 0: decided, s->found says. */
bool wr_search_row(struct wr_matcher *m, struct wr_search *s, int64_t row);
/* Gives up all threads: no row that could be taken can come any more. */
void wr_search_stop(struct wr_search *s);
void wr_search_end(struct wr_search *s);   /* ready for the next one */
void wr_search_clear(struct wr_search *s);
void wr_taken_unref(struct wr_taken *t);

#endif

/* internal.h: what the planner's files share with each other and with nobody else.
 *
 * A query becomes a tree of struct wr_plan nodes at once (there is no second, logical tree): each reference to a source makes its own SCAN with all
 * columns, and nothing is shared. Rules (rewrite.c) follow each statement; only wr_plan_finish() makes it physical: sharing of equal parts, exchanges (physical.c),
 * column pruning (prune.c). So the binder may still change the nodes of its own query, e.g. set a watermark below.
 * Memory: all nodes, schemas and expressions in the jobplan's arena. */
#ifndef WR_PLANNER_INTERNAL_H
#define WR_PLANNER_INTERNAL_H

#include "planner/catalog.h"
#include "planner/planner.h"

/* ---- node.c: nodes and what follows from their inputs ---- */

struct wr_plan *wr_node_new(struct wr_arena *a, enum wr_pkind kind, struct wr_plan *in); /* in NULL: no input */
/* Sets out (of kinds that pass rows on), updating, bounded, time_col, win_*, ukey from the inputs and the node's own arguments. */
void wr_node_props(struct wr_arena *a, struct wr_plan *p);
/* The same for a whole tree, inputs first. */
void wr_node_props_deep(struct wr_arena *a, struct wr_plan *p);
struct wr_plan *wr_node_filter(struct wr_arena *a, struct wr_plan *in, const struct wr_expr *pred);
/* expr and the names of the result's columns. */
struct wr_plan *wr_node_project(struct wr_arena *a, struct wr_plan *in, int n, struct wr_expr **expr, const struct wr_str *name);
/* Out schema of an aggregate: keys, window bounds, aggregates (named by their text). */
struct wr_schema *wr_agg_schema(struct wr_arena *a, const struct wr_plan *agg);
/* sum(x), count(DISTINCT k) FILTER (WHERE ..): names from `in`. */
void wr_aggcall_print(struct wr_buf *out, const struct wr_aggcall *c, const struct wr_schema *in);
struct wr_expr *wr_col_of(struct wr_arena *a, const struct wr_schema *s, int col, int32_t off);
/* Where column col of p comes from, through filters, watermarks, late filters, windows, exchanges and plain columns of projections. Stops at the node
 * that makes the column: *at and *at_col; a projection is stopped at only if it computes it. */
void wr_node_trace(struct wr_plan *p, int col, struct wr_plan **at, int *at_col);
/* Calls fn on each node of the tree, inputs first; a shared node as often as it is reached. */
void wr_node_walk(struct wr_plan *p, void (*fn)(void *ctx, struct wr_plan *), void *ctx);
bool wr_node_has_watermark(const struct wr_plan *p); /* some WATERMARK below knows its column */
/* True if these columns of p identify a row of the result. */
bool wr_node_unique(const struct wr_plan *p, const int *col, int n);
/* True if x is window_end - 1 µs of that column. */
bool wr_expr_is_window_time(const struct wr_expr *x, int end_col);
struct wr_expr *wr_expr_copy(struct wr_arena *a, const struct wr_expr *x);
struct wr_type wr_type_copy(struct wr_arena *a, struct wr_type t); /* members too */
int *wr_ints(struct wr_arena *a, const int *v, int n); /* a copy */

/* ---- join.c ---- */

/* Does a join of that kind show rows of this input that have no match? */
bool wr_join_shows(enum wr_jkind kind, int side);
/* Never takes anything back: see there. */
bool wr_join_is_final(const struct wr_plan *p);
bool wr_join_time_holds(const struct wr_plan_join *j, int side); /* INTERVAL: how much older than W the results can be is known for this input's event time */
void wr_join_props(struct wr_arena *a, struct wr_plan *p);
/* The input column behind output column col, *side says which input's; -1: the join may have put NULL there. */
int wr_join_trace(const struct wr_plan *p, int col, int *side);
bool wr_join_same(const struct wr_plan_join *a, const struct wr_plan_join *b);
/* Marks the input columns a join needs when of its output mine[] is. */
void wr_join_needs(const struct wr_plan *p, int n_left, const bool *mine, bool *need[2]);
/* The inputs have other columns now: map[side][old] is where they went. Keeps the output columns mine[] (NULL: all); out[old]: where they are. */
void wr_join_remap(struct wr_arena *a, struct wr_plan *p, int n_left, int n_right, int *const map[2], const bool *mine, int *out);
void wr_join_print(struct wr_buf *out, const struct wr_plan *p);
void wr_join_print_state(struct wr_buf *out, const struct wr_plan *p);
/* Its state has no bound: nothing ever frees it. */
bool wr_join_grows(const struct wr_plan *p);

/* ---- node_unnest.c ---- */

void wr_unnest_props(struct wr_arena *a, struct wr_plan *p); /* what is not as in the input */
bool wr_unnest_same(const struct wr_plan *a, const struct wr_plan *b);
void wr_unnest_print(struct wr_buf *out, const struct wr_plan *p);

/* ---- node_match.c ---- */

void wr_match_props(struct wr_arena *a, struct wr_plan *p); /* what is not as in the input */
void wr_match_need(const struct wr_plan *p, const bool *mine, bool *in); /* sets in[], never clears it */
/* The input has become narrower: in[c] is where input column c is now (-1: gone). */
void wr_match_rebuild(struct wr_arena *a, struct wr_plan *p, const int *in);
void wr_match_print(struct wr_buf *out, const struct wr_plan *p);
void wr_match_print_state(struct wr_buf *out, const struct wr_plan *p);

/* ---- rewrite.c, prune.c, physical.c ---- */

/* The rules, over one sink's tree. May fail: a session window that is not grouped. */
wr_status wr_rewrite(struct wr_arena *a, struct wr_plan **root, struct wr_error *err);
/* Merges equal subtrees of all sinks; makes one SCAN of each source; fills j->node. */
void wr_share(struct wr_jobplan *j);
/* Drops columns nobody needs; NOT NULL columns of scans stay. */
void wr_prune(struct wr_jobplan *j);
void wr_exchanges(struct wr_jobplan *j);
/* j->node from the sinks, inputs first, ids set. */
void wr_number(struct wr_jobplan *j);

#endif

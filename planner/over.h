/* over.h: what node.c, physical.c, prune.c and plan.c ask about the nodes of ranking and OVER (TopN, Over, OverTime) and Expand. In node_over.c. */
#ifndef WR_PLANNER_OVER_H
#define WR_PLANNER_OVER_H

#include "planner/internal.h"

/* The partitions and order of a TopN, Over, OverTime. */
const struct wr_partby *wr_over_by(const struct wr_plan *p);
void wr_over_props(struct wr_arena *a, struct wr_plan *p);
bool wr_over_same(const struct wr_plan *a, const struct wr_plan *b);
/* Which of the n_in input columns are needed for these output columns; sets need[], never clears it. */
void wr_over_need(const struct wr_plan *p, int n_in, const bool *mine, bool *need);
/* The input has become narrower: in[c] is where old input column c is now (-1: gone), old_n their number. Drops what mine[] does not want; map[]: where old
 * output columns go. The properties are then to be set anew. */
void wr_over_rebuild(struct wr_arena *a, struct wr_plan *p, const bool *mine, const int *in, int old_n, int *map);
/* What stands behind the node's name in EXPLAIN, and the line below: what it keeps, when it lets go. */
void wr_over_print(struct wr_buf *out, const struct wr_plan *p);
void wr_over_print_state(struct wr_buf *out, const struct wr_plan *p);
/* Its state has no bound. */
bool wr_over_grows(const struct wr_plan *p);
bool wr_is_over_name(struct wr_str name); /* only with OVER */
const char *wr_over_name(enum wr_overkind kind); /* "row_number"; AGG: "" */

#endif

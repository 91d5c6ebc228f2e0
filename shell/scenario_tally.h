/* scenario_tally.h: rows counted over the runs of one variation, and what a `counts` block says of them. */
#ifndef WR_SHELL_SCENARIO_TALLY_H
#define WR_SHELL_SCENARIO_TALLY_H

#include "executor/job.h"
#include "shell/scenario.h"

struct wr_tally {
    uint64_t late, bad[WR_R_COUNT];
    struct wr_tally_node { uint64_t in, late, bad; } *node; /* by wr_plan.state_id: the same for any number of tasks */
};

/* Adds the figures of a job that has run. */
void wr_tally_add(struct wr_tally *t, const struct wr_job *job, const struct wr_jobplan *plan, struct wr_arena *a);
/* Compares with the `counts` blocks; a late or bad row that none of them speaks of is a difference, too. */
bool wr_tally_check(const struct wr_tally *t, const struct wr_scenario *s, const struct wr_jobplan *plan, struct wr_buf *out);

#endif

/* pull.h: a job's result as a table of SQL. See pull.c. */
#ifndef WR_SERVER_PULL_H
#define WR_SERVER_PULL_H

#include "server/internal.h"

/* Around planning in m->catalog, with catalog_lock held: names of job results are known in between. */
void wr_pull_begin(struct wr_jobs *m);
/* In between: declares all results, to be listed. */
void wr_pull_all(struct wr_jobs *m);
void wr_pull_end(struct wr_jobs *m);
/* The conditions of the plan that rows of this scan must fulfil anyway; gives how many. Texts are in the arena. */
int wr_pull_filters(const struct wr_jobplan *plan, const struct wr_plan *scan, struct wr_arena *a, struct wr_filter *f, int most);
/* system.c: wr_job_opts.open_source of queries: results are read with the plan's conditions. */
wr_status wr_system_source(const struct wr_jobplan *plan, const struct wr_plan *scan, const struct wr_source_spec *spec, struct wr_source **out,
                           struct wr_error *err);

#endif

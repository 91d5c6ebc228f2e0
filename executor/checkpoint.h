/* checkpoint.h: exactly once. What a job keeps so that killing it at any moment changes nothing (docs/guarantees.md for users).
 *
 * A checkpoint, between two rounds of input:
 *   1. flush        every change reaches the sinks
 *   2. snapshot     operators append what changed since the last checkpoint; sources append their positions
 *   3. prepare      the delta is durable in the job's directory (store.h)
 *   4. commit       the sink makes its rows, the input positions and the checkpoint's id visible in one transaction
 *   5. apply        the delta becomes state
 * One transactional sink decides: after a crash between 3 and 5 it is asked which checkpoint it has; the delta is applied or dropped by its answer.
 * Several cannot decide together. Then the delta also holds the rows each sink still has to make visible (outbox), 5 comes before 4, and after
 * a crash sinks that are one checkpoint behind get their rows from the outbox. Sinks that only know positions (files) are cut back to theirs. */
#ifndef WR_EXECUTOR_CHECKPOINT_H
#define WR_EXECUTOR_CHECKPOINT_H

#include "executor/internal.h"

/* Opens the directory before the operators are opened: identity, plan. A plan other than the one the directory was made for is refused with what
 * differs; reset: starts anew, whatever is there. */
wr_status wr_checkpoint_open(struct wr_job *job, struct wr_error *err);
/* After the operators are open: settles a pending checkpoint with the sinks, gives operators their state, sources and sinks their places. */
wr_status wr_checkpoint_restore(struct wr_job *job, struct wr_error *err);
/* Takes a checkpoint now (in the task's thread, between rounds): jobs of one task. Those of several come to a barrier, where each does the first half. */
wr_status wr_checkpoint_take(struct wr_job *job, struct wr_error *err);
/* First half: flushes the task and writes down what changed in it, into its delta. */
wr_status wr_checkpoint_task(struct wr_task *t, struct wr_error *err);
/* Second half, while all tasks rest: makes it durable, lets the sinks commit. */
wr_status wr_checkpoint_finish(struct wr_job *job, struct wr_error *err);
void wr_checkpoint_close(struct wr_job *job);

/* op_keep.c: watermarks and idleness of an operator */
void wr_op_keep(const struct wr_op *op, struct wr_buf *delta);
wr_status wr_op_keep_restore(struct wr_op *op, struct wr_store_reader *r, struct wr_error *err);

/* op_sink.c */
struct wr_sink *wr_sink_of(struct wr_op *op);
bool wr_sink_is_transactional(struct wr_op *op);
/* Rows written since the last checkpoint, for the outbox; taken (reset) by the caller. */
struct wr_buf *wr_sink_outbox(struct wr_op *op);
/* Writes rows of an outbox into the sink again. */
wr_status wr_sink_replay(struct wr_op *op, struct wr_str rows, struct wr_error *err);

#endif

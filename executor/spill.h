/* spill.h: state that does not fit into memory (max_state_bytes).
 *
 * An operator instance puts what it can do without into its task's temporary store (store.h), under the keys it uses in checkpoints, and gets it back
 * when it is asked for. What the spill holds is always newer than the checkpoint.
 * - Records of one operator go through struct wr_spill: what is put or deleted is gathered, and written by wr_spill_write in the order of keys.
 * - What was deleted is not found any more, at once. What was put is found after wr_spill_write only: put, write, then let go of it.
 * - The store belongs to one thread and dies with the process.
 * Each value begins with a number, `epoch`: the operator's count of checkpoints when the record was put. */
#ifndef WR_EXECUTOR_SPILL_H
#define WR_EXECUTOR_SPILL_H

#include "core/omap.h"
#include "executor/internal.h"

/* What a walk over state in memory and on disk does with what it has just looked at: it goes (back) to disk, it stays in memory, it is no more. */
enum wr_each { WR_EACH_NEXT, WR_EACH_STAYS, WR_EACH_REMOVED };

enum { WR_SPILL_DELETES = 4096 };      /* deleted keys gathered, about */
#define WR_SPILL_GATHER ((size_t)1 << 20) /* bytes gathered during a walk, about */

struct wr_spill {
    struct wr_op *op;
    struct wr_store_reader *reader; /* NULL: nothing was written yet */
    struct wr_buf out;              /* records to be written */
    struct wr_omap deleted;         /* keys deleted in `out` */
};
void wr_spill_init(struct wr_spill *s, struct wr_op *op);
void wr_spill_clear(struct wr_spill *s); /* frees; what is in the store stays there */
void wr_spill_put(struct wr_spill *s, struct wr_str key, uint32_t epoch, struct wr_str value);
void wr_spill_delete(struct wr_spill *s, struct wr_str key);
/* All records below it; none of them may be asked for before the next write. */
void wr_spill_delete_prefix(struct wr_spill *s, struct wr_str prefix);
wr_status wr_spill_write(struct wr_spill *s, struct wr_error *err);
/* What an operator makes free at once beyond what is too much, so that passes are few. */
uint64_t wr_spill_slack(const struct wr_op *op);
/* Does the job put state on disk at all? */
bool wr_spill_wanted(const struct wr_op *op);
/* waiting: bytes of the next checkpoint's delta that gather in memory because what they describe went to disk. Asks for that checkpoint when they are many. */
void wr_spill_gathered(const struct wr_op *op, uint64_t waiting);
/* The value is borrowed until the next write. */
bool wr_spill_get(struct wr_spill *s, struct wr_str key, uint32_t *epoch, struct wr_str *value);
/* Calls fn for the records below prefix in order of keys until it returns false; fn may put, get, delete and write. */
void wr_spill_scan(struct wr_spill *s, struct wr_str prefix, bool (*fn)(void *ctx, struct wr_str key, uint32_t epoch, struct wr_str value), void *ctx);

#endif

/* store.h: a job's state on disk: one LMDB environment in one directory, one process at a time.
 *
 * Life of a checkpoint (reliability.md's protocol, in our words): what changed since the last one is written as one pending delta and is durable
 * before any sink commits (prepare). When the sinks say the checkpoint is theirs the delta becomes state (apply); when they say it is not,
 * it is forgotten (drop). So what is on disk is at any moment: the state as of `applied`, and at most one delta on top of it.
 * Cost: bytes written grow with what changed, not with what is held.
 * Threads: set, prepare, apply, drop by one thread, while no reader reads; each reader belongs to one thread. */
#ifndef WR_EXECUTOR_STORE_H
#define WR_EXECUTOR_STORE_H

#include "core/arena.h"
#include "core/buf.h"

struct wr_store;

/* Opens or makes the directory and takes its lock. Errors: locked by another process, not a checkpoint, of a newer version, damaged. */
wr_status wr_store_open(const char *dir, struct wr_store **out, struct wr_error *err);
void wr_store_close(struct wr_store *s); /* NULL allowed */

uint64_t wr_store_applied(const struct wr_store *s); /* id of the checkpoint the state is of; 0: none yet */
uint64_t wr_store_pending(const struct wr_store *s); /* id of the pending delta; 0: none */

/* Small named values that belong to the directory and not to a checkpoint (job id, plan). Durable at return. */
wr_status wr_store_set(struct wr_store *s, const char *name, struct wr_str value, struct wr_error *err);
/* Copied into a; false: not set. */
bool wr_store_value(struct wr_store *s, const char *name, struct wr_arena *a, struct wr_str *out);

/* ---- a delta: built in memory by each task, in any order ---- */

/* Records appended to a buffer. Keys may be of any length; a prefix is whole key fields. */
void wr_delta_put(struct wr_buf *d, struct wr_str key, struct wr_str value);
void wr_delta_delete(struct wr_buf *d, struct wr_str key);
void wr_delta_delete_prefix(struct wr_buf *d, struct wr_str prefix); /* all keys below it as of the checkpoint before; puts of this delta stay */

/* Writes the deltas as pending checkpoint `id` (applied + 1) and syncs. */
wr_status wr_store_prepare(struct wr_store *s, uint64_t id, const struct wr_buf *delta, int n, struct wr_error *err);
wr_status wr_store_apply(struct wr_store *s, struct wr_error *err);
wr_status wr_store_drop(struct wr_store *s, struct wr_error *err);

/* ---- reading the applied state ---- */

struct wr_store_reader;
struct wr_store_reader *wr_store_reader_new(struct wr_store *s);
void wr_store_reader_free(struct wr_store_reader *r); /* NULL allowed */
/* Lets go of the state it looks at until it is asked again; values given are no longer there. Whoever keeps a reader calls it at each checkpoint: one that
 * is not asked any more would hold on to the state of back then, and no page written since could be used again. NULL allowed. */
void wr_store_reader_rest(struct wr_store_reader *r);
/* Value of a key, borrowed until the reader's next call after an apply; false: none. */
bool wr_store_get(struct wr_store_reader *r, struct wr_str key, struct wr_str *value);
/* Calls fn for each key that starts with prefix, in order of bytes, until it returns false. The key given is whole (prefix included). */
void wr_store_scan(struct wr_store_reader *r, struct wr_str prefix, bool (*fn)(void *ctx, struct wr_str key, struct wr_str value), void *ctx);

/* Has everything read so far been what was written? An error if not; then no further checkpoint is prepared either. */
wr_status wr_store_sound(const struct wr_store *s, struct wr_error *err);

/* ---- a temporary store: state that does not fit into memory ---- */

/* One file in dir (NULL: $TMPDIR, else /var/tmp) that has no name any more when this returns: it is gone with the process, however that ends. Nothing
 * is synced; there are no checkpoints in it; get and scan work as above. */
wr_status wr_store_open_temp(const char *dir, struct wr_store **out, struct wr_error *err);
/* Applies records at once. Prefixes are deleted first; of several records of one key the last one counts. */
wr_status wr_store_write(struct wr_store *s, const struct wr_buf *records, struct wr_error *err);
/* Bytes of the file in use, free pages included. */
uint64_t wr_store_used(const struct wr_store *s);
/* Makes a copied state the beginning of another job: its checkpoints are counted anew, and sinks know nothing of it. Not with a pending delta. */
wr_status wr_store_fork(struct wr_store *s, struct wr_error *err);

/* A compact, consistent copy in another directory (made, must be empty): a savepoint. */
wr_status wr_store_copy(struct wr_store *s, const char *to, struct wr_error *err);

#endif

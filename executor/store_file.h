/* store_file.h: what the files of a store share: store.c, store_tree.c, store_temp.c. For these only; all others see store.h.
 * Memory: as store.h. */
#ifndef WR_EXECUTOR_STORE_FILE_H
#define WR_EXECUTOR_STORE_FILE_H

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>

#include "executor/store.h"

#define WR_STORE_MAP_BYTES ((size_t)256 << 30) /* address space, not memory: a sparse file */

enum wr_record { WR_REC_PUT = 1, WR_REC_DELETE = 2, WR_REC_PREFIX = 3 };

struct wr_store {
    MDB_env *env;
    MDB_dbi meta, state, delta;
    uint64_t applied, pending;
    uint64_t version;      /* bumped by each write: readers renew */
    atomic_bool damaged;   /* a value was not what was written */
    pthread_mutex_t lock;  /* guards the list of readers */
    struct wr_store_reader *readers;
    int lock_fd;
    void *map;             /* where LMDB has mapped the file; NULL: not known */
    const char *what;      /* for messages */
    char dir[4096];
};

wr_status wr_store_fail(struct wr_error *err, const struct wr_store *s, const char *what, int rc);
/* One record off the front; false: damaged. */
bool wr_record_take(struct wr_str *in, enum wr_record *kind, struct wr_str *key, struct wr_str *value);
/* Runs body in one write transaction and syncs. */
wr_status wr_store_write_txn(struct wr_store *s, const char *what, int (*body)(struct wr_store *, MDB_txn *, void *), void *arg, struct wr_error *err);

/* store_tree.c */
int wr_tree_put(struct wr_store *s, MDB_txn *txn, struct wr_str key, struct wr_str value, struct wr_buf *tmp);
int wr_tree_delete(struct wr_store *s, MDB_txn *txn, struct wr_str key);
int wr_tree_delete_prefix(struct wr_store *s, MDB_txn *txn, struct wr_str prefix);
void wr_store_written(struct wr_store *s); /* behind each write */
void wr_store_find_map(struct wr_store *s); /* once, after opening */
void wr_store_trim(struct wr_store *s);

#endif

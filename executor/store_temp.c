/* store_temp.c: temporary stores, for state that does not fit into memory. See store.h.
 * Rules:  the file has no name from the beginning on; nothing is synced.
 * Memory: LMDB's map; the list of records of one write. */
#include "executor/store_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SPILL_TXN = 4096, TRIM_PUTS = 256 };

static int open_temp(struct wr_store *s)
{
    int rc = mdb_env_create(&s->env);
    if (!rc)
        rc = mdb_env_set_mapsize(s->env, WR_STORE_MAP_BYTES);
    if (!rc)
        rc = mdb_env_set_maxdbs(s->env, 1);
    if (!rc)
        rc = mdb_env_open(s->env, s->dir, MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD | MDB_NOSYNC | MDB_NOMETASYNC, 0600);
    MDB_txn *txn = NULL;
    if (!rc)
        rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return rc;
    rc = mdb_dbi_open(txn, "state", MDB_CREATE, &s->state);
    if (!rc)
        return mdb_txn_commit(txn);
    mdb_txn_abort(txn);
    return rc;
}

wr_status wr_store_open_temp(const char *dir, struct wr_store **out, struct wr_error *err)
{
    *out = NULL;
    const char *from = dir ? dir : getenv("TMPDIR");
    struct wr_store *s = wr_calloc(1, sizeof *s);
    char path[sizeof s->dir + 8];
    s->lock_fd = -1;
    pthread_mutex_init(&s->lock, NULL);
    s->what = "file for state that does not fit into memory";
    snprintf(s->dir, sizeof s->dir, "%s/weir-spill-XXXXXX", from && *from ? from : "/var/tmp");
    int fd = mkstemp(s->dir), rc = fd < 0 ? errno : 0;
    if (fd >= 0)
        close(fd);
    if (!rc)
        rc = open_temp(s);
    snprintf(path, sizeof path, "%s-lock", s->dir);
    (void)unlink(path);
    (void)unlink(s->dir);
    if (rc) {
        wr_store_fail(err, s, "make it", rc);
        wr_store_close(s);
        return err->code;
    }
    wr_store_find_map(s);
    *out = s;
    return WR_OK;
}

struct rec { enum wr_record kind; struct wr_str key, value; };

static int by_key(const void *a, const void *b)
{
    const struct rec *x = a, *y = b;
    int c = wr_str_cmp(x->key, y->key);
    return c ? c : x->key.p < y->key.p ? -1 : x->key.p > y->key.p; /* as they came */
}

/* Those from `at` on that go into one transaction, which keeps every page it changes in memory. */
struct part { const struct rec *rec; size_t n; };
static int write_part(struct wr_store *s, MDB_txn *txn, void *arg)
{
    const struct part *p = arg;
    struct wr_buf tmp = WR_BUF_INIT(1 << 30);
    int rc = 0;
    for (size_t i = 0; i < p->n && rc == 0; i++) {
        const struct rec *r = &p->rec[i];
        if (i % TRIM_PUTS == TRIM_PUTS - 1)
            wr_store_trim(s);
        switch (r->kind) {
        case WR_REC_PUT: rc = wr_tree_put(s, txn, r->key, r->value, &tmp); break;
        case WR_REC_DELETE: rc = wr_tree_delete(s, txn, r->key); break;
        case WR_REC_PREFIX: rc = wr_tree_delete_prefix(s, txn, r->key); break;
        }
    }
    wr_buf_clear(&tmp);
    return rc;
}

wr_status wr_store_write(struct wr_store *s, const struct wr_buf *records, struct wr_error *err)
{
    struct wr_str all = {records->p, (uint32_t)records->n};
    size_t n = 0, cap = 0, n_prefix = 0;
    struct rec *rec = NULL;
    if (records->overflow)
        return wr_fail(err, WR_ELIMIT, "%s: more than 1 GiB at once", s->what);
    while (all.n > 0) {
        if (n == cap) {
            cap = cap ? cap * 2 : 256;
            rec = wr_realloc(rec, sizeof *rec * cap);
        }
        if (!wr_record_take(&all, &rec[n].kind, &rec[n].key, &rec[n].value))
            WR_BUG("a record cannot be read back");
        if (rec[n].kind == WR_REC_PREFIX) { /* to the front */
            struct rec tmp = rec[n_prefix];
            rec[n_prefix++] = rec[n];
            rec[n] = tmp;
        }
        n++;
    }
    if (n > n_prefix)
        qsort(rec + n_prefix, n - n_prefix, sizeof *rec, by_key); /* neighbours share pages */
    wr_status st = WR_OK;
    for (size_t at = 0; at < n && st == WR_OK; at += SPILL_TXN) {
        struct part p = {rec + at, n - at < SPILL_TXN ? n - at : SPILL_TXN};
        st = wr_store_write_txn(s, "write", write_part, &p, err);
        wr_store_trim(s);
    }
    free(rec);
    return st;
}

/* store.c: see store.h. Here: opening, small values, checkpoints. store_tree.c has the state itself and its readers, store_temp.c temporary stores;
 * what they share stands in store_file.h.
 *
 * Databases in the environment:
 *   meta    "format", "applied", "pending", and wr_store_set's names behind "v."
 *   state   key -> value: store_tree.c
 *   delta   running number -> up to CHUNK bytes of records
 * meta's "delta_sum" is the pending delta's checksum.
 * Rules:  what is read is what was written. A file that is shorter than its tree, or a delta with another checksum, is refused; a value with another
 *         checksum makes the store damaged: it is not given out, and no further checkpoint is written (wr_store_sound), so what was worked
 *         out without it never counts. The tree's own pages have no checksums: damage there makes LMDB fail, or end the process, or, rarely, hides keys.
 * Memory: LMDB's map; values read borrow from it. */
#include "executor/store_file.h"

#include "core/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { FORMAT = 2, CHUNK = 1 << 20 };

wr_status wr_store_fail(struct wr_error *err, const struct wr_store *s, const char *what, int rc)
{
    wr_fail(err, rc == ENOSPC ? WR_ELIMIT : WR_EIO, "%s \"%s\": cannot %s: %s", s->what, s->dir, what, mdb_strerror(rc));
    if (rc == ENOSPC && s->lock_fd >= 0)
        wr_hint(err, "the disk is full; the last checkpoint is intact");
    return err->code;
}

/* ---- delta records ---- */

static void add_record(struct wr_buf *d, enum wr_record kind, struct wr_str key, const struct wr_str *value)
{
    wr_buf_u8(d, (uint8_t)kind);
    wr_buf_lstr(d, key);
    if (value)
        wr_buf_lstr(d, *value);
}

void wr_delta_put(struct wr_buf *d, struct wr_str key, struct wr_str value) { add_record(d, WR_REC_PUT, key, &value); }
void wr_delta_delete(struct wr_buf *d, struct wr_str key) { add_record(d, WR_REC_DELETE, key, NULL); }
void wr_delta_delete_prefix(struct wr_buf *d, struct wr_str prefix) { add_record(d, WR_REC_PREFIX, prefix, NULL); }

bool wr_record_take(struct wr_str *in, enum wr_record *kind, struct wr_str *key, struct wr_str *value)
{
    uint8_t k;
    if (!wr_take_u8(in, &k) || k < WR_REC_PUT || k > WR_REC_PREFIX || !wr_take_lstr(in, key))
        return false;
    *kind = (enum wr_record)k;
    return k != WR_REC_PUT || wr_take_lstr(in, value);
}

/* ---- meta ---- */

static int put_number(struct wr_store *s, MDB_txn *txn, const char *name, uint64_t v)
{
    union { const char *c; void *v; } n = {name};
    MDB_val key = {strlen(name), n.v}, val = {sizeof v, &v};
    return mdb_put(txn, s->meta, &key, &val, 0);
}

static uint64_t get_number(struct wr_store *s, MDB_txn *txn, const char *name)
{
    union { const char *c; void *v; } n = {name};
    MDB_val key = {strlen(name), n.v}, val;
    uint64_t v = 0;
    if (mdb_get(txn, s->meta, &key, &val) == 0 && val.mv_size == sizeof v)
        memcpy(&v, val.mv_data, sizeof v);
    return v;
}

wr_status wr_store_set(struct wr_store *s, const char *name, struct wr_str value, struct wr_error *err)
{
    char full[128];
    int n = snprintf(full, sizeof full, "v.%s", name);
    union { const char *c; void *v; } p = {value.p ? value.p : ""};
    MDB_val key = {(size_t)n, full}, val = {value.n, p.v};
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return wr_store_fail(err, s, "begin a write", rc);
    rc = mdb_put(txn, s->meta, &key, &val, 0);
    if (rc) {
        mdb_txn_abort(txn);
        return wr_store_fail(err, s, "write", rc);
    }
    rc = mdb_txn_commit(txn);
    wr_store_written(s);
    return rc ? wr_store_fail(err, s, "commit", rc) : WR_OK;
}

bool wr_store_value(struct wr_store *s, const char *name, struct wr_arena *a, struct wr_str *out)
{
    char full[128];
    int n = snprintf(full, sizeof full, "v.%s", name);
    MDB_val key = {(size_t)n, full}, val;
    MDB_txn *txn;
    if (mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn))
        return false;
    bool found = mdb_get(txn, s->meta, &key, &val) == 0;
    if (found)
        *out = wr_arena_str(a, (struct wr_str){val.mv_data, (uint32_t)val.mv_size});
    mdb_txn_abort(txn);
    return found;
}

/* ---- open, close ---- */

static wr_status lock_dir(struct wr_store *s, struct wr_error *err)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/lock", s->dir);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return wr_fail(err, WR_EIO, "cannot open \"%s\": %s", path, strerror(errno));
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB)) {
        wr_fail(err, WR_EFENCED, "checkpoint directory \"%s\" is in use by another process", s->dir);
        wr_hint(err, "one directory belongs to one running job");
        return WR_EFENCED;
    }
    return WR_OK;
}

/* A file that was cut off would end us with SIGBUS. */
static wr_status check_length(struct wr_store *s, struct wr_error *err)
{
    MDB_envinfo info;
    MDB_stat tree;
    struct stat st;
    mdb_filehandle_t fd;
    if (mdb_env_info(s->env, &info) || mdb_env_stat(s->env, &tree) || mdb_env_get_fd(s->env, &fd) || fstat(fd, &st))
        return wr_store_fail(err, s, "look at it", errno);
    uint64_t want = ((uint64_t)info.me_last_pgno + 1) * tree.ms_psize;
    if (info.me_last_txnid == 0 || (uint64_t)st.st_size >= want)
        return WR_OK;
    wr_fail(err, WR_EIO, "checkpoint directory \"%s\": \"data.mdb\" has %llu bytes, and %llu were written", s->dir, (unsigned long long)st.st_size,
            (unsigned long long)want);
    wr_hint(err, "it was cut off; take a whole copy of the directory, or start anew with --reset");
    return WR_EIO;
}

static wr_status open_dbs(struct wr_store *s, struct wr_error *err)
{
    WR_TRY(check_length(s, err));
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return wr_store_fail(err, s, "begin", rc);
    rc = mdb_dbi_open(txn, "meta", MDB_CREATE, &s->meta);
    if (!rc)
        rc = mdb_dbi_open(txn, "state", MDB_CREATE, &s->state);
    if (!rc)
        rc = mdb_dbi_open(txn, "delta", MDB_CREATE | MDB_INTEGERKEY, &s->delta);
    uint64_t format = rc ? 0 : get_number(s, txn, "format");
    if (!rc && format == 0)
        rc = put_number(s, txn, "format", FORMAT);
    if (rc) {
        mdb_txn_abort(txn);
        return wr_store_fail(err, s, "open the databases", rc);
    }
    s->applied = get_number(s, txn, "applied");
    s->pending = get_number(s, txn, "pending");
    rc = mdb_txn_commit(txn);
    if (rc)
        return wr_store_fail(err, s, "commit", rc);
    if (format && format < FORMAT) {
        wr_fail(err, WR_EIO, "checkpoint directory \"%s\" has format %llu of an older weir, this one reads %d", s->dir, (unsigned long long)format, FORMAT);
        wr_hint(err, "finish with the weir that wrote it, or start anew with --reset");
        return WR_EIO;
    }
    if (format > FORMAT) {
        wr_fail(err, WR_EIO, "checkpoint directory \"%s\" has format %llu, this weir knows up to %d", s->dir, (unsigned long long)format, FORMAT);
        wr_hint(err, "use the weir that wrote it, or a newer one");
        return WR_EIO;
    }
    return WR_OK;
}

wr_status wr_store_open(const char *dir, struct wr_store **out, struct wr_error *err)
{
    *out = NULL;
    struct wr_store *s = wr_calloc(1, sizeof *s);
    s->lock_fd = -1;
    s->what = "checkpoint directory";
    pthread_mutex_init(&s->lock, NULL);
    snprintf(s->dir, sizeof s->dir, "%s", dir);
    wr_status st = WR_OK;
    if (mkdir(dir, 0700) && errno != EEXIST)
        st = wr_fail(err, WR_EIO, "cannot make the checkpoint directory \"%s\": %s", dir, strerror(errno));
    if (!st)
        st = lock_dir(s, err);
    if (!st) {
        int rc = mdb_env_create(&s->env);
        if (!rc)
            rc = mdb_env_set_mapsize(s->env, WR_STORE_MAP_BYTES);
        if (!rc)
            rc = mdb_env_set_maxdbs(s->env, 4);
        if (!rc)
            rc = mdb_env_set_maxreaders(s->env, 512);
        if (!rc)
            rc = mdb_env_open(s->env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0600);
        if (rc)
            st = wr_store_fail(err, s, "open", rc);
    }
    if (!st)
        st = open_dbs(s, err);
    if (!st)
        wr_store_find_map(s);
    if (st) {
        wr_store_close(s);
        return st;
    }
    *out = s;
    return WR_OK;
}

void wr_store_close(struct wr_store *s)
{
    if (!s)
        return;
    if (s->env)
        mdb_env_close(s->env);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    pthread_mutex_destroy(&s->lock);
    free(s);
}

wr_status wr_store_sound(const struct wr_store *s, struct wr_error *err)
{
    if (!atomic_load_explicit(&s->damaged, memory_order_relaxed))
        return WR_OK;
    wr_fail(err, WR_EIO, "checkpoint directory \"%s\" is damaged: state was read that is not what was written", s->dir);
    wr_hint(err, "nothing was made of it; take a whole copy of the directory, or start anew with --reset");
    return WR_EIO;
}

uint64_t wr_store_applied(const struct wr_store *s) { return s->applied; }
uint64_t wr_store_pending(const struct wr_store *s) { return s->pending; }

/* ---- prepare, apply, drop ---- */

static int put_chunks(struct wr_store *s, MDB_txn *txn, const struct wr_buf *delta, int n)
{
    uint64_t sum = 0;
    size_t number = 0;
    for (int i = 0; i < n; i++)
        for (size_t at = 0; at < delta[i].n; at += CHUNK) {
            size_t len = delta[i].n - at < CHUNK ? delta[i].n - at : CHUNK;
            MDB_val key = {sizeof number, &number}, val = {len, delta[i].p + at};
            int rc = mdb_put(txn, s->delta, &key, &val, MDB_APPEND);
            if (rc)
                return rc;
            sum = XXH3_64bits_withSeed(val.mv_data, val.mv_size, sum);
            number++;
        }
    return put_number(s, txn, "delta_sum", sum);
}

/* Runs body in one write transaction and syncs. */
wr_status wr_store_write_txn(struct wr_store *s, const char *what, int (*body)(struct wr_store *, MDB_txn *, void *), void *arg, struct wr_error *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return wr_store_fail(err, s, what, rc);
    rc = body(s, txn, arg);
    if (rc) {
        mdb_txn_abort(txn);
        return wr_store_fail(err, s, what, rc);
    }
    rc = mdb_txn_commit(txn);
    wr_store_written(s);
    return rc ? wr_store_fail(err, s, what, rc) : WR_OK;
}

struct prepare_arg { uint64_t id; const struct wr_buf *delta; int n; };
static int do_prepare(struct wr_store *s, MDB_txn *txn, void *arg)
{
    struct prepare_arg *p = arg;
    int rc = mdb_drop(txn, s->delta, 0);
    if (!rc)
        rc = put_chunks(s, txn, p->delta, p->n);
    if (!rc)
        rc = WR_FAILPOINT("store.write");
    if (!rc)
        rc = put_number(s, txn, "pending", p->id);
    return rc ? rc : WR_FAILPOINT("store.sync");
}

wr_status wr_store_prepare(struct wr_store *s, uint64_t id, const struct wr_buf *delta, int n, struct wr_error *err)
{
    for (int i = 0; i < n; i++)
        if (delta[i].overflow)
            return wr_fail(err, WR_ELIMIT, "checkpoint %llu is larger than the limit for one checkpoint", (unsigned long long)id);
    WR_TRY(wr_store_sound(s, err));
    if (id != s->applied + 1)
        WR_BUG("checkpoint %llu prepared on top of %llu", (unsigned long long)id, (unsigned long long)s->applied);
    struct prepare_arg p = {id, delta, n};
    WR_TRY(wr_store_write_txn(s, "write a checkpoint", do_prepare, &p, err));
    (void)WR_FAILPOINT("store.synced");
    s->pending = id;
    return WR_OK;
}

/* One pass over the delta's records; prefixes: only those, otherwise only the others. */
static int apply_records(struct wr_store *s, MDB_txn *txn, struct wr_str all, bool prefixes)
{
    struct wr_buf tmp = WR_BUF_INIT(1 << 30);
    int rc = 0;
    while (rc == 0 && all.n > 0) {
        enum wr_record kind;
        struct wr_str key, value = {0};
        if (!wr_record_take(&all, &kind, &key, &value)) {
            rc = MDB_CORRUPTED;
            break;
        }
        if ((kind == WR_REC_PREFIX) != prefixes)
            continue;
        rc = kind == WR_REC_PREFIX ? wr_tree_delete_prefix(s, txn, key) : kind == WR_REC_DELETE ? wr_tree_delete(s, txn, key) : wr_tree_put(s, txn, key, value, &tmp);
    }
    wr_buf_clear(&tmp);
    return rc;
}

static int do_apply(struct wr_store *s, MDB_txn *txn, void *arg)
{
    struct wr_buf *all = arg;
    struct wr_str records = {all->p, (uint32_t)all->n};
    int rc = apply_records(s, txn, records, true);
    if (!rc)
        rc = apply_records(s, txn, records, false);
    if (!rc)
        rc = WR_FAILPOINT("store.apply");
    if (!rc)
        rc = mdb_drop(txn, s->delta, 0);
    if (!rc)
        rc = put_number(s, txn, "applied", s->pending);
    return rc ? rc : put_number(s, txn, "pending", 0);
}

static int read_delta(struct wr_store *s, struct wr_buf *all)
{
    MDB_txn *txn;
    MDB_cursor *cur;
    int rc = mdb_txn_begin(s->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return rc;
    rc = mdb_cursor_open(txn, s->delta, &cur);
    if (!rc) {
        MDB_val key, val;
        uint64_t sum = 0;
        while ((rc = mdb_cursor_get(cur, &key, &val, MDB_NEXT)) == 0) {
            wr_buf_add(all, val.mv_data, val.mv_size);
            sum = XXH3_64bits_withSeed(val.mv_data, val.mv_size, sum);
        }
        mdb_cursor_close(cur);
        if (rc == MDB_NOTFOUND)
            rc = sum == get_number(s, txn, "delta_sum") ? 0 : MDB_CORRUPTED;
    }
    mdb_txn_abort(txn);
    return rc;
}

wr_status wr_store_apply(struct wr_store *s, struct wr_error *err)
{
    if (s->pending == 0)
        return WR_OK;
    struct wr_buf all = WR_BUF_INIT(UINT32_MAX);
    int rc = read_delta(s, &all);
    wr_status st = rc ? wr_store_fail(err, s, "read the pending checkpoint", rc) : all.overflow ? wr_fail(err, WR_ELIMIT, "the pending checkpoint is over 4 GiB") : WR_OK;
    if (!st)
        st = wr_store_write_txn(s, "apply a checkpoint", do_apply, &all, err);
    wr_buf_clear(&all);
    if (!st) {
        s->applied = s->pending;
        s->pending = 0;
    }
    return st;
}

static int do_drop(struct wr_store *s, MDB_txn *txn, void *arg WR_UNUSED)
{
    int rc = mdb_drop(txn, s->delta, 0);
    return rc ? rc : put_number(s, txn, "pending", 0);
}

wr_status wr_store_drop(struct wr_store *s, struct wr_error *err)
{
    if (s->pending == 0)
        return WR_OK;
    WR_TRY(wr_store_write_txn(s, "drop the pending checkpoint", do_drop, NULL, err));
    s->pending = 0;
    return WR_OK;
}

static int do_fork(struct wr_store *s, MDB_txn *txn, void *arg WR_UNUSED)
{
    MDB_val key = {sizeof "v.identity" - 1, (char[]){"v.identity"}};
    int rc = put_number(s, txn, "applied", 0);
    if (!rc)
        rc = mdb_del(txn, s->meta, &key, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

wr_status wr_store_fork(struct wr_store *s, struct wr_error *err)
{
    if (s->pending) {
        wr_fail(err, WR_EUSAGE, "the savepoint in \"%s\" has a checkpoint that only its sinks can decide over", s->dir);
        wr_hint(err, "start and stop its job once with --checkpoint, then take the savepoint");
        return WR_EUSAGE;
    }
    WR_TRY(wr_store_write_txn(s, "begin another job", do_fork, NULL, err));
    s->applied = 0;
    return WR_OK;
}

wr_status wr_store_copy(struct wr_store *s, const char *to, struct wr_error *err)
{
    if (mkdir(to, 0700) && errno != EEXIST)
        return wr_fail(err, WR_EIO, "cannot make \"%s\": %s", to, strerror(errno));
    int rc = mdb_env_copy2(s->env, to, MDB_CP_COMPACT);
    return rc ? wr_store_fail(err, s, "copy", rc) : WR_OK;
}

/* store.c: see store.h.
 *
 * Databases in the environment:
 *   meta    "format", "applied", "pending", and wr_store_set's names behind "v."
 *   state   key -> value. A key longer than LONG_KEY is kept as its first SHORT bytes, 0xFF, SHA-256 of the whole; its value starts with the whole key.
 *           So a prefix scan still finds it as long as the prefix is shorter than SHORT.
 *   delta   running number -> up to CHUNK bytes of records
 * Value bytes in `state`: u32 checksum of key and the rest, u8 long?, [u32 key length, key], value. meta's "delta_sum" is the pending delta's checksum.
 * Rules:  what is read is what was written. A file that is shorter than its tree, or a delta with another checksum, is refused; a value with another
 *         checksum makes the store damaged: it is not given out, and no further checkpoint is written (wr_store_sound), so what was worked
 *         out without it never counts. The tree's own pages have no checksums: damage there makes LMDB fail, or end the process, or, rarely, hides keys.
 * Memory: LMDB's map; values read borrow from it. */
#include "executor/store.h"

#include "core/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <openssl/evp.h>
#include <stdatomic.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { FORMAT = 2, LONG_KEY = 480, SHORT = 440, CHUNK = 1 << 20 };
enum { SPILL_TXN = 4096, TRIM_GETS = 1024 };
#define MAP_BYTES ((size_t)256 << 30) /* address space, not memory: a sparse file */

enum record { REC_PUT = 1, REC_DELETE = 2, REC_PREFIX = 3 };

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

struct wr_store_reader {
    struct wr_store *s;
    MDB_txn *txn;
    uint64_t version;
    uint32_t n_get;        /* since mapped pages were last given back */
    bool resting;          /* txn is reset: renewed when asked */
    struct wr_store_reader *next, **at; /* in the store's list */
};

static wr_status fail(struct wr_error *err, const struct wr_store *s, const char *what, int rc)
{
    wr_fail(err, rc == ENOSPC ? WR_ELIMIT : WR_EIO, "%s \"%s\": cannot %s: %s", s->what, s->dir, what, mdb_strerror(rc));
    if (rc == ENOSPC && s->lock_fd >= 0)
        wr_hint(err, "the disk is full; the last checkpoint is intact");
    return err->code;
}

/* Behind each write: a reader that held an old snapshot, and may not read again for a long time, would keep its pages from being used again.
 * Not in temporary stores, which are written between reads of one walk. */
static void written(struct wr_store *s)
{
    s->version++;
    pthread_mutex_lock(&s->lock);
    for (struct wr_store_reader *r = s->lock_fd >= 0 ? s->readers : NULL; r; r = r->next)
        wr_store_reader_rest(r);
    pthread_mutex_unlock(&s->lock);
}

/* ---- keys ---- */

static struct wr_str short_key(struct wr_str key, char out[LONG_KEY + 32])
{
    if (key.n <= LONG_KEY)
        return key;
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned int n = 0;
    EVP_Digest(key.p, key.n, digest, &n, EVP_sha256(), NULL);
    memcpy(out, key.p, SHORT);
    out[SHORT] = (char)0xff;
    memcpy(out + SHORT + 1, digest, n);
    return (struct wr_str){out, SHORT + 1 + n};
}

/* ---- delta records ---- */

static void add_record(struct wr_buf *d, enum record kind, struct wr_str key, const struct wr_str *value)
{
    wr_buf_u8(d, (uint8_t)kind);
    wr_buf_lstr(d, key);
    if (value)
        wr_buf_lstr(d, *value);
}

void wr_delta_put(struct wr_buf *d, struct wr_str key, struct wr_str value) { add_record(d, REC_PUT, key, &value); }
void wr_delta_delete(struct wr_buf *d, struct wr_str key) { add_record(d, REC_DELETE, key, NULL); }
void wr_delta_delete_prefix(struct wr_buf *d, struct wr_str prefix) { add_record(d, REC_PREFIX, prefix, NULL); }

static bool take_record(struct wr_str *in, enum record *kind, struct wr_str *key, struct wr_str *value)
{
    uint8_t k;
    if (!wr_take_u8(in, &k) || k < REC_PUT || k > REC_PREFIX || !wr_take_lstr(in, key))
        return false;
    *kind = (enum record)k;
    return k != REC_PUT || wr_take_lstr(in, value);
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
        return fail(err, s, "begin a write", rc);
    rc = mdb_put(txn, s->meta, &key, &val, 0);
    if (rc) {
        mdb_txn_abort(txn);
        return fail(err, s, "write", rc);
    }
    rc = mdb_txn_commit(txn);
    written(s);
    return rc ? fail(err, s, "commit", rc) : WR_OK;
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

static void find_map(struct wr_store *s);

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
        return fail(err, s, "look at it", errno);
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
        return fail(err, s, "begin", rc);
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
        return fail(err, s, "open the databases", rc);
    }
    s->applied = get_number(s, txn, "applied");
    s->pending = get_number(s, txn, "pending");
    rc = mdb_txn_commit(txn);
    if (rc)
        return fail(err, s, "commit", rc);
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
            rc = mdb_env_set_mapsize(s->env, MAP_BYTES);
        if (!rc)
            rc = mdb_env_set_maxdbs(s->env, 4);
        if (!rc)
            rc = mdb_env_set_maxreaders(s->env, 512);
        if (!rc)
            rc = mdb_env_open(s->env, dir, MDB_NOTLS | MDB_NORDAHEAD, 0600);
        if (rc)
            st = fail(err, s, "open", rc);
    }
    if (!st)
        st = open_dbs(s, err);
    if (!st)
        find_map(s);
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
static wr_status write_txn(struct wr_store *s, const char *what, int (*body)(struct wr_store *, MDB_txn *, void *), void *arg, struct wr_error *err)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(s->env, NULL, 0, &txn);
    if (rc)
        return fail(err, s, what, rc);
    rc = body(s, txn, arg);
    if (rc) {
        mdb_txn_abort(txn);
        return fail(err, s, what, rc);
    }
    rc = mdb_txn_commit(txn);
    written(s);
    return rc ? fail(err, s, what, rc) : WR_OK;
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
    WR_TRY(write_txn(s, "write a checkpoint", do_prepare, &p, err));
    (void)WR_FAILPOINT("store.synced");
    s->pending = id;
    return WR_OK;
}

static int delete_prefix(struct wr_store *s, MDB_txn *txn, struct wr_str prefix)
{
    MDB_cursor *cur;
    int rc = mdb_cursor_open(txn, s->state, &cur);
    if (rc)
        return rc;
    union { const char *c; void *v; } p = {prefix.p};
    MDB_val key = {prefix.n, p.v}, val;
    rc = mdb_cursor_get(cur, &key, &val, MDB_SET_RANGE);
    while (rc == 0 && key.mv_size >= prefix.n && memcmp(key.mv_data, prefix.p, prefix.n) == 0) {
        rc = mdb_cursor_del(cur, 0);
        if (rc == 0)
            rc = mdb_cursor_get(cur, &key, &val, MDB_NEXT);
    }
    mdb_cursor_close(cur);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

static uint32_t checksum(struct wr_str key, struct wr_str rest)
{
    return (uint32_t)XXH3_64bits_withSeed(rest.p, rest.n, XXH3_64bits(key.p, key.n));
}

static int put_state(struct wr_store *s, MDB_txn *txn, struct wr_str key, struct wr_str value, struct wr_buf *tmp)
{
    char room[LONG_KEY + 32];
    struct wr_str k = short_key(key, room);
    wr_buf_reset(tmp);
    wr_buf_u32(tmp, 0);
    wr_buf_u8(tmp, k.p != key.p);
    if (k.p != key.p)
        wr_buf_lstr(tmp, key);
    wr_buf_str(tmp, value);
    uint32_t sum = checksum(k, (struct wr_str){tmp->p + sizeof sum, (uint32_t)(tmp->n - sizeof sum)});
    memcpy(tmp->p, &sum, sizeof sum);
    union { const char *c; void *v; } kp = {k.p};
    MDB_val mk = {k.n, kp.v}, mv = {tmp->n, tmp->p};
    return mdb_put(txn, s->state, &mk, &mv, 0);
}

static int delete_state(struct wr_store *s, MDB_txn *txn, struct wr_str key)
{
    char room[LONG_KEY + 32];
    struct wr_str k = short_key(key, room);
    union { const char *c; void *v; } kp = {k.p};
    MDB_val mk = {k.n, kp.v};
    int rc = mdb_del(txn, s->state, &mk, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* One pass over the delta's records; prefixes: only those, otherwise only the others. */
static int apply_records(struct wr_store *s, MDB_txn *txn, struct wr_str all, bool prefixes)
{
    struct wr_buf tmp = WR_BUF_INIT(1 << 30);
    int rc = 0;
    while (rc == 0 && all.n > 0) {
        enum record kind;
        struct wr_str key, value = {0};
        if (!take_record(&all, &kind, &key, &value)) {
            rc = MDB_CORRUPTED;
            break;
        }
        if ((kind == REC_PREFIX) != prefixes)
            continue;
        rc = kind == REC_PREFIX ? delete_prefix(s, txn, key) : kind == REC_DELETE ? delete_state(s, txn, key) : put_state(s, txn, key, value, &tmp);
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
    wr_status st = rc ? fail(err, s, "read the pending checkpoint", rc) : all.overflow ? wr_fail(err, WR_ELIMIT, "the pending checkpoint is over 4 GiB") : WR_OK;
    if (!st)
        st = write_txn(s, "apply a checkpoint", do_apply, &all, err);
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
    WR_TRY(write_txn(s, "drop the pending checkpoint", do_drop, NULL, err));
    s->pending = 0;
    return WR_OK;
}

/* ---- reading ---- */

struct wr_store_reader *wr_store_reader_new(struct wr_store *s)
{
    struct wr_store_reader *r = wr_calloc(1, sizeof *r);
    r->s = s;
    pthread_mutex_lock(&s->lock);
    r->next = s->readers;
    r->at = &s->readers;
    if (r->next)
        r->next->at = &r->next;
    s->readers = r;
    pthread_mutex_unlock(&s->lock);
    return r;
}

void wr_store_reader_free(struct wr_store_reader *r)
{
    if (!r)
        return;
    pthread_mutex_lock(&r->s->lock);
    *r->at = r->next;
    if (r->next)
        r->next->at = r->at;
    pthread_mutex_unlock(&r->s->lock);
    if (r->txn)
        mdb_txn_abort(r->txn);
    free(r);
}

void wr_store_reader_rest(struct wr_store_reader *r)
{
    if (r && r->txn && !r->resting)
        mdb_txn_reset(r->txn);
    if (r)
        r->resting = true;
}

/* A snapshot of the newest applied state. */
static bool renew(struct wr_store_reader *r)
{
    if (r->txn && !r->resting && r->version == r->s->version)
        return true;
    wr_store_reader_rest(r);
    r->resting = false;
    int rc = r->txn ? mdb_txn_renew(r->txn) : mdb_txn_begin(r->s->env, NULL, MDB_RDONLY, &r->txn);
    r->version = r->s->version;
    return rc == 0;
}

/* Splits a stored pair into the whole key and the value; false: damaged. */
static bool unpack(struct wr_store *s, MDB_val *mk, MDB_val *mv, struct wr_str *key, struct wr_str *value)
{
    *key = (struct wr_str){mk->mv_data, (uint32_t)mk->mv_size};
    *value = (struct wr_str){mv->mv_data, (uint32_t)mv->mv_size};
    uint8_t is_long;
    uint32_t sum;
    bool good = wr_take_u32(value, &sum) && sum == checksum(*key, *value) && wr_take_u8(value, &is_long) && (!is_long || wr_take_lstr(value, key));
    if (!good)
        atomic_store_explicit(&s->damaged, true, memory_order_relaxed);
    return good;
}

uint64_t wr_store_used(const struct wr_store *s)
{
    MDB_envinfo info;
    MDB_stat stat;
    return mdb_env_info(s->env, &info) || mdb_env_stat(s->env, &stat) ? 0 : ((uint64_t)info.me_last_pgno + 1) * stat.ms_psize;
}

/* Pages looked at stay mapped, and the kernel maps their neighbours too: the process would seem to hold the whole file. They stay in the page cache,
 * where they are the kernel's to drop; from time to time the mapping lets go of them. */
static void trim(struct wr_store *s)
{
    if (s->map)
        (void)madvise(s->map, wr_store_used(s), MADV_DONTNEED);
}

/* LMDB does not say where its map is. */
static void find_map(struct wr_store *s)
{
    struct stat file;
    mdb_filehandle_t fd;
    char line[512];
    FILE *f = fopen("/proc/self/maps", "re");
    if (!f)
        return;
    if (mdb_env_get_fd(s->env, &fd) == 0 && fstat(fd, &file) == 0)
        while (!s->map && fgets(line, sizeof line, f)) {
            unsigned long long from, to, inode;
            if (sscanf(line, "%llx-%llx %*s %*s %*s %llu", &from, &to, &inode) == 3 && to - from == MAP_BYTES && inode == file.st_ino)
                s->map = (void *)(uintptr_t)from;
        }
    (void)fclose(f);
}

static void trim_now_and_then(struct wr_store_reader *r)
{
    if (++r->n_get < TRIM_GETS)
        return;
    r->n_get = 0;
    trim(r->s);
}

bool wr_store_get(struct wr_store_reader *r, struct wr_str key, struct wr_str *value)
{
    char room[LONG_KEY + 32];
    if (!renew(r))
        return false;
    trim_now_and_then(r);
    struct wr_str k = short_key(key, room), whole;
    union { const char *c; void *v; } kp = {k.p};
    MDB_val mk = {k.n, kp.v}, mv;
    return mdb_get(r->txn, r->s->state, &mk, &mv) == 0 && unpack(r->s, &mk, &mv, &whole, value);
}

/* Before the first key of a scan there is nothing, or a sound one: else the search was led astray. */
static void check_before(struct wr_store_reader *r, MDB_cursor *cur)
{
    MDB_val mk, mv;
    struct wr_str key, value;
    if (mdb_cursor_get(cur, &mk, &mv, MDB_PREV) == 0) {
        (void)unpack(r->s, &mk, &mv, &key, &value);
        (void)mdb_cursor_get(cur, &mk, &mv, MDB_NEXT);
    }
}

void wr_store_scan(struct wr_store_reader *r, struct wr_str prefix, bool (*fn)(void *, struct wr_str, struct wr_str), void *ctx)
{
    MDB_cursor *cur;
    if (!renew(r) || mdb_cursor_open(r->txn, r->s->state, &cur))
        return;
    union { const char *c; void *v; } p = {prefix.p};
    MDB_val mk = {prefix.n, p.v}, mv;
    struct wr_str last = {NULL, 0};
    int rc = mdb_cursor_get(cur, &mk, &mv, prefix.n ? MDB_SET_RANGE : MDB_FIRST);
    if (rc == 0 && prefix.n)
        check_before(r, cur);
    while (rc == 0 && mk.mv_size >= prefix.n && (prefix.n == 0 || memcmp(mk.mv_data, prefix.p, prefix.n) == 0)) {
        struct wr_str key, value, raw = {mk.mv_data, (uint32_t)mk.mv_size};
        if (last.p && wr_str_cmp(last, raw) >= 0) { /* the page's list of its entries is spoilt */
            atomic_store_explicit(&r->s->damaged, true, memory_order_relaxed);
            break;
        }
        last = raw;
        if (!unpack(r->s, &mk, &mv, &key, &value))
            break;
        if (!fn(ctx, key, value)) {
            mdb_cursor_close(cur);
            return;
        }
        trim_now_and_then(r);
        rc = mdb_cursor_get(cur, &mk, &mv, MDB_NEXT);
    }
    if (rc && rc != MDB_NOTFOUND)
        atomic_store_explicit(&r->s->damaged, true, memory_order_relaxed);
    if (rc == 0) { /* is the key that ended it outside of the prefix, or spoilt? */
        struct wr_str key, value;
        (void)unpack(r->s, &mk, &mv, &key, &value);
    }
    mdb_cursor_close(cur);
}

/* ---- temporary stores ---- */

static int open_temp(struct wr_store *s)
{
    int rc = mdb_env_create(&s->env);
    if (!rc)
        rc = mdb_env_set_mapsize(s->env, MAP_BYTES);
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
        fail(err, s, "make it", rc);
        wr_store_close(s);
        return err->code;
    }
    find_map(s);
    *out = s;
    return WR_OK;
}

struct rec { enum record kind; struct wr_str key, value; };

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
        switch (r->kind) {
        case REC_PUT: rc = put_state(s, txn, r->key, r->value, &tmp); break;
        case REC_DELETE: rc = delete_state(s, txn, r->key); break;
        case REC_PREFIX: rc = delete_prefix(s, txn, r->key); break;
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
        if (!take_record(&all, &rec[n].kind, &rec[n].key, &rec[n].value))
            WR_BUG("a record cannot be read back");
        if (rec[n].kind == REC_PREFIX) { /* to the front */
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
        st = write_txn(s, "write", write_part, &p, err);
        trim(s);
    }
    free(rec);
    return st;
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
    WR_TRY(write_txn(s, "begin another job", do_fork, NULL, err));
    s->applied = 0;
    return WR_OK;
}

wr_status wr_store_copy(struct wr_store *s, const char *to, struct wr_error *err)
{
    if (mkdir(to, 0700) && errno != EEXIST)
        return wr_fail(err, WR_EIO, "cannot make \"%s\": %s", to, strerror(errno));
    int rc = mdb_env_copy2(s->env, to, MDB_CP_COMPACT);
    return rc ? fail(err, s, "copy", rc) : WR_OK;
}

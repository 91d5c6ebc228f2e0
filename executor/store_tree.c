/* store_tree.c: the state of a store: keys and values in LMDB's tree, and those who read them. See store.h, store_file.h.
 *
 * A key longer than LONG_KEY is kept as its first SHORT bytes, 0xFF, SHA-256 of the whole; its value starts with the whole key. So a prefix scan still
 * finds it as long as the prefix is shorter than SHORT.
 * Value bytes: u32 checksum of key and the rest, u8 long?, [u32 key length, key], value.
 * Memory: what is read is borrowed from LMDB's map. */
#include "executor/store_file.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <xxhash.h>

enum { LONG_KEY = 480, SHORT = 440, TRIM_GETS = 128 };

struct wr_store_reader {
    struct wr_store *s;
    MDB_txn *txn;
    uint64_t version;
    uint32_t n_get;        /* since mapped pages were last given back */
    bool resting;          /* txn is reset: renewed when asked */
    struct wr_store_reader *next, **at; /* in the store's list */
};

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

/* ---- writing ---- */

int wr_tree_delete_prefix(struct wr_store *s, MDB_txn *txn, struct wr_str prefix)
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

int wr_tree_put(struct wr_store *s, MDB_txn *txn, struct wr_str key, struct wr_str value, struct wr_buf *tmp)
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

int wr_tree_delete(struct wr_store *s, MDB_txn *txn, struct wr_str key)
{
    char room[LONG_KEY + 32];
    struct wr_str k = short_key(key, room);
    union { const char *c; void *v; } kp = {k.p};
    MDB_val mk = {k.n, kp.v};
    int rc = mdb_del(txn, s->state, &mk, NULL);
    return rc == MDB_NOTFOUND ? 0 : rc;
}

/* Behind each write: a reader that held an old snapshot, and may not read again for a long time, would keep its pages from being used again.
 * Not in temporary stores, which are written between reads of one walk. */
void wr_store_written(struct wr_store *s)
{
    s->version++;
    pthread_mutex_lock(&s->lock);
    for (struct wr_store_reader *r = s->lock_fd >= 0 ? s->readers : NULL; r; r = r->next)
        wr_store_reader_rest(r);
    pthread_mutex_unlock(&s->lock);
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
void wr_store_trim(struct wr_store *s)
{
    if (s->map)
        (void)madvise(s->map, wr_store_used(s), MADV_DONTNEED);
}

/* LMDB does not say where its map is. */
void wr_store_find_map(struct wr_store *s)
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
            if (sscanf(line, "%llx-%llx %*s %*s %*s %llu", &from, &to, &inode) == 3 && to - from == WR_STORE_MAP_BYTES && inode == file.st_ino)
                s->map = (void *)(uintptr_t)from;
        }
    (void)fclose(f);
}

static void trim_now_and_then(struct wr_store_reader *r)
{
    if (++r->n_get < TRIM_GETS)
        return;
    r->n_get = 0;
    wr_store_trim(r->s);
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

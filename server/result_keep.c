/* result_keep.c: the result on disk, as part of the job's checkpoints (SQLite, JOB/result.db).
 *
 * A save writes the rows changed since the last one as a pending generation and gives its number, which goes into the checkpoint. The next save
 * makes it part of the base. After a restart the checkpoint's number says whether the pending generation counts or is dropped: the same
 * two steps as executor/checkpoint.h, so the result is what it was at the checkpoint, whenever the process dies.
 * Memory: statements live for one call. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "server/result.h"

struct wr_keep {
    sqlite3 *db;
    int64_t base, pending;   /* generations; 0: none */
};

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS base (key BLOB PRIMARY KEY, cells BLOB, ends BLOB, count INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS pending (key BLOB PRIMARY KEY, cells BLOB, ends BLOB, count INTEGER) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS meta (what TEXT PRIMARY KEY, gen INTEGER, total INTEGER, arrivals INTEGER, cut INTEGER);";

static wr_status failed(const struct wr_result *r, struct wr_error *err)
{
    return wr_fail(err, WR_EIO, "cannot keep the result in \"%s\": %s", r->path, sqlite3_errmsg(r->keep->db));
}

static wr_status exec(struct wr_result *r, const char *sql, struct wr_error *err)
{
    return sqlite3_exec(r->keep->db, sql, NULL, NULL, NULL) ? failed(r, err) : WR_OK;
}

static int64_t gen_of(struct wr_keep *k, const char *what)
{
    sqlite3_stmt *s = NULL;
    int64_t gen = 0;
    if (sqlite3_prepare_v2(k->db, "SELECT gen FROM meta WHERE what = ?", -1, &s, NULL) == SQLITE_OK) {
        sqlite3_bind_text(s, 1, what, -1, SQLITE_STATIC);
        if (sqlite3_step(s) == SQLITE_ROW)
            gen = sqlite3_column_int64(s, 0);
    }
    sqlite3_finalize(s);
    return gen;
}

wr_status wr_result_keep_open(struct wr_result *r, struct wr_error *err)
{
    wr_result_keep_close(r);
    if (!r->path[0])
        return WR_OK;
    int fd = open(r->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return wr_fail(err, WR_EIO, "cannot write \"%s\"", r->path);
    close(fd);
    r->keep = wr_calloc(1, sizeof *r->keep);
    if (sqlite3_open_v2(r->path, &r->keep->db, SQLITE_OPEN_READWRITE, NULL) || sqlite3_exec(r->keep->db, schema, NULL, NULL, NULL)) {
        wr_status st = failed(r, err);
        wr_result_keep_close(r);
        return st;
    }
    r->keep->base = gen_of(r->keep, "base");
    r->keep->pending = gen_of(r->keep, "pending");
    return WR_OK;
}

void wr_result_keep_close(struct wr_result *r)
{
    if (!r->keep)
        return;
    sqlite3_close(r->keep->db);
    free(r->keep);
    r->keep = NULL;
}

/* ---- saving ---- */

static const char fold[] =
    "DELETE FROM base WHERE key IN (SELECT key FROM pending WHERE cells IS NULL);"
    "INSERT OR REPLACE INTO base SELECT * FROM pending WHERE cells IS NOT NULL;"
    "DELETE FROM pending;"
    "INSERT OR REPLACE INTO meta SELECT 'base', gen, total, arrivals, cut FROM meta WHERE what = 'pending';";

static int put_row(struct wr_result *r, sqlite3_stmt *s, struct wr_str key)
{
    const struct wr_result_row *x = (const struct wr_result_row *)(intptr_t)wr_omap_get(&r->rows, key);
    int n_col = r->schema->n;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    sqlite3_bind_blob(s, 1, key.n ? key.p : "", (int)key.n, SQLITE_TRANSIENT);
    if (x) {
        sqlite3_bind_blob(s, 2, x->end + n_col, (int)x->n, SQLITE_STATIC);
        sqlite3_bind_blob(s, 3, x->end, n_col * (int)sizeof *x->end, SQLITE_STATIC);
        sqlite3_bind_int64(s, 4, x->count);
    }
    return sqlite3_step(s);
}

static wr_status save_rows(struct wr_result *r, int64_t gen, struct wr_error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(r->keep->db, "INSERT INTO pending VALUES (?, ?, ?, ?)", -1, &s, NULL);
    for (struct wr_omap_it it = wr_omap_first(&r->touched); rc == SQLITE_OK && wr_omap_valid(it); wr_omap_next(&it))
        rc = put_row(r, s, wr_omap_key(it)) == SQLITE_DONE ? SQLITE_OK : SQLITE_ERROR;
    wr_status st = rc ? failed(r, err) : WR_OK;
    sqlite3_finalize(s);
    WR_TRY(st);
    char sql[240];
    (void)snprintf(sql, sizeof sql, "INSERT OR REPLACE INTO meta VALUES ('pending', %lld, %lld, %lld, %d)", (long long)gen, (long long)r->total,
                   (long long)r->arrivals, r->cut);
    return exec(r, sql, err);
}

wr_status wr_result_keep_save(struct wr_result *r, int64_t *gen, struct wr_error *err)
{
    struct wr_keep *k = r->keep;
    if (!k)
        return WR_OK;
    *gen = k->pending;
    if (r->touched.n_key == 0 && k->pending)
        return WR_OK;
    int64_t next = (k->pending > k->base ? k->pending : k->base) + 1;
    WR_TRY(exec(r, "BEGIN IMMEDIATE", err));
    wr_status st = exec(r, fold, err);
    if (st == WR_OK)
        st = save_rows(r, next, err);
    if (st == WR_OK)
        st = exec(r, "COMMIT", err);
    if (st) {
        (void)sqlite3_exec(k->db, "ROLLBACK", NULL, NULL, NULL);
        return st;
    }
    k->base = k->pending ? k->pending : k->base;
    k->pending = *gen = next;
    wr_omap_clear(&r->touched);
    return WR_OK;
}

/* ---- loading ---- */

static bool row_is_sound(const uint32_t *end, int n_col, uint32_t bytes)
{
    uint32_t last = 0;
    for (int c = 0; c < n_col; c++) {
        if (end[c] < last)
            return false;
        last = end[c];
    }
    return last == bytes;
}

static bool take_row(struct wr_result *r, sqlite3_stmt *s)
{
    int n_col = r->schema->n;
    struct wr_str key = {sqlite3_column_blob(s, 0), (uint32_t)sqlite3_column_bytes(s, 0)};
    struct wr_str cells = {sqlite3_column_blob(s, 1), (uint32_t)sqlite3_column_bytes(s, 1)};
    uint32_t end[1024];
    if (sqlite3_column_bytes(s, 2) != n_col * (int)sizeof *end)
        return false;
    if (n_col)
        memcpy(end, sqlite3_column_blob(s, 2), sizeof *end * (size_t)n_col);
    if (!row_is_sound(end, n_col, cells.n) || wr_omap_get(&r->rows, key) != 0)
        return false;
    struct wr_result_row *x = wr_result_row_new(cells, n_col, end, sqlite3_column_int64(s, 3));
    wr_omap_add(&r->rows, key, (int64_t)(intptr_t)x);
    wr_result_index_add(r, key, x);
    return true;
}

static wr_status load_rows(struct wr_result *r, struct wr_error *err)
{
    sqlite3_stmt *s = NULL;
    bool sound = true;
    int rc = sqlite3_prepare_v2(r->keep->db, "SELECT key, cells, ends, count FROM base", -1, &s, NULL);
    while (rc == SQLITE_OK && sound && sqlite3_step(s) == SQLITE_ROW)
        sound = take_row(r, s);
    wr_status st = rc ? failed(r, err) : WR_OK;
    sqlite3_finalize(s);
    WR_TRY(st);
    if (!sound)
        return wr_fail(err, WR_EIO, "the result kept in \"%s\" is damaged", r->path);
    if (sqlite3_prepare_v2(r->keep->db, "SELECT total, arrivals, cut FROM meta WHERE what = 'base'", -1, &s, NULL) == SQLITE_OK &&
        sqlite3_step(s) == SQLITE_ROW) {
        r->total = sqlite3_column_int64(s, 0);
        r->arrivals = (uint64_t)sqlite3_column_int64(s, 1);
        r->cut = sqlite3_column_int(s, 2) != 0;
    }
    sqlite3_finalize(s);
    return WR_OK;
}

wr_status wr_result_keep_load(struct wr_result *r, int64_t gen, struct wr_error *err)
{
    struct wr_keep *k = r->keep;
    wr_result_empty(r);
    if (!k)
        return WR_OK;
    if (gen && gen == k->pending) {
        WR_TRY(exec(r, "BEGIN IMMEDIATE", err));
        WR_TRY(exec(r, fold, err));
        WR_TRY(exec(r, "DELETE FROM meta WHERE what = 'pending'; COMMIT", err));
    } else if (gen && gen == k->base) {
        WR_TRY(exec(r, "DELETE FROM pending; DELETE FROM meta WHERE what = 'pending'", err));
    } else {
        if (gen)
            wr_log(WR_LOG_WARN, "result", "what is kept in \"%s\" does not belong to the checkpoint; the result starts anew", r->path);
        WR_TRY(exec(r, "DELETE FROM base; DELETE FROM pending; DELETE FROM meta", err));
        k->base = k->pending = 0;
        return WR_OK;
    }
    k->base = gen;
    k->pending = 0;
    return load_rows(r, err);
}

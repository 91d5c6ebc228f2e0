/* book.c: what outlives the process: jobs and declarations, in DATA/weir.db (SQLite, 0600).
 * Rules:  one connection, one lock; every change is on the disk when the call returns. Values are bound, never pasted into SQL.
 * Memory: texts given to callbacks live for the call. */
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/internal.h"

struct wr_book {
    pthread_mutex_t lock;
    sqlite3 *db;
};

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
    "CREATE TABLE IF NOT EXISTS job (name TEXT PRIMARY KEY, sql TEXT NOT NULL, vars TEXT, wanted INTEGER NOT NULL, reason TEXT,"
    " deaths INTEGER NOT NULL DEFAULT 0, created_us INTEGER NOT NULL) STRICT;"
    "CREATE TABLE IF NOT EXISTS declared (place INTEGER PRIMARY KEY, sql TEXT NOT NULL) STRICT;";

static wr_status failed(const struct wr_book *b, struct wr_error *err)
{
    return wr_fail(err, WR_EIO, "the server's catalog: %s", sqlite3_errmsg(b->db));
}

wr_status wr_book_open(const char *data, struct wr_book **out, struct wr_error *err)
{
    char path[1200];
    (void)snprintf(path, sizeof path, "%s/weir.db", data);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600); /* SQLite would make it by the umask */
    if (fd < 0)
        return wr_fail(err, WR_EIO, "cannot write \"%s\"", path);
    (void)fchmod(fd, 0600);
    close(fd);
    struct wr_book *b = wr_calloc(1, sizeof *b);
    pthread_mutex_init(&b->lock, NULL);
    if (sqlite3_open_v2(path, &b->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, NULL) || sqlite3_busy_timeout(b->db, 5000) ||
        sqlite3_exec(b->db, schema, NULL, NULL, NULL)) {
        wr_status st = failed(b, err);
        wr_book_close(b);
        return st;
    }
    *out = b;
    return WR_OK;
}

void wr_book_close(struct wr_book *b)
{
    if (!b)
        return;
    sqlite3_close(b->db);
    pthread_mutex_destroy(&b->lock);
    free(b);
}

static const char *text(sqlite3_stmt *s, int col)
{
    const unsigned char *t = sqlite3_column_text(s, col);
    return t ? (const char *)t : "";
}

wr_status wr_book_jobs(struct wr_book *b, void (*each)(void *ctx, const struct wr_book_job *), void *ctx, struct wr_error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(b->db, "SELECT name, sql, vars, wanted, reason, deaths, created_us FROM job ORDER BY name", -1, &s, NULL);
    while (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW) {
        int wanted = sqlite3_column_int(s, 3);
        each(ctx, &(struct wr_book_job){text(s, 0), text(s, 1), text(s, 2), text(s, 4),
                                        wanted >= 0 && wanted <= WR_WANT_DONE ? (enum wr_wanted)wanted : WR_WANT_STOP, sqlite3_column_int(s, 5),
                                        sqlite3_column_int64(s, 6)});
    }
    rc = sqlite3_finalize(s);
    return rc ? failed(b, err) : WR_OK;
}

/* Runs one statement; args: 't' text, 'i' int64. */
static wr_status run(struct wr_book *b, struct wr_error *err, const char *sql, const char *kinds, ...)
{
    va_list args;
    sqlite3_stmt *s = NULL;
    pthread_mutex_lock(&b->lock);
    int rc = sqlite3_prepare_v2(b->db, sql, -1, &s, NULL);
    va_start(args, kinds);
    for (int i = 0; kinds[i] && rc == SQLITE_OK; i++)
        rc = kinds[i] == 't' ? sqlite3_bind_text(s, i + 1, va_arg(args, const char *), -1, SQLITE_TRANSIENT)
                             : sqlite3_bind_int64(s, i + 1, va_arg(args, int64_t));
    va_end(args);
    if (rc == SQLITE_OK)
        (void)sqlite3_step(s);
    rc = sqlite3_finalize(s);
    wr_status st = rc ? failed(b, err) : WR_OK;
    pthread_mutex_unlock(&b->lock);
    return st;
}

wr_status wr_book_put(struct wr_book *b, const struct wr_book_job *j, struct wr_error *err)
{
    return run(b, err, "INSERT OR REPLACE INTO job (name, sql, vars, wanted, reason, deaths, created_us) VALUES (?,?,?,?,?,?,?)", "tttitii", j->name, j->sql,
               j->vars, (int64_t)j->wanted, j->reason, (int64_t)j->deaths, j->created_us);
}

wr_status wr_book_want(struct wr_book *b, const char *name, enum wr_wanted wanted, const char *reason, struct wr_error *err)
{
    return run(b, err, "UPDATE job SET wanted = ?, reason = ? WHERE name = ?", "itt", (int64_t)wanted, reason, name);
}

void wr_book_deaths(struct wr_book *b, const char *name, int deaths)
{
    struct wr_error err = WR_ERROR_INIT;
    (void)run(b, &err, "UPDATE job SET deaths = ? WHERE name = ?", "it", (int64_t)deaths, name);
}

wr_status wr_book_drop(struct wr_book *b, const char *name, struct wr_error *err)
{
    return run(b, err, "DELETE FROM job WHERE name = ?", "t", name);
}

wr_status wr_book_catalog(struct wr_book *b, void (*each)(void *ctx, const char *sql), void *ctx, struct wr_error *err)
{
    sqlite3_stmt *s = NULL;
    int rc = sqlite3_prepare_v2(b->db, "SELECT sql FROM declared ORDER BY place", -1, &s, NULL);
    while (rc == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
        each(ctx, text(s, 0));
    rc = sqlite3_finalize(s);
    return rc ? failed(b, err) : WR_OK;
}

wr_status wr_book_catalog_set(struct wr_book *b, const struct wr_str *sql, int n, struct wr_error *err)
{
    WR_TRY(run(b, err, "BEGIN IMMEDIATE", ""));
    wr_status st = run(b, err, "DELETE FROM declared", "");
    for (int i = 0; i < n && st == WR_OK; i++) {
        char *one = wr_calloc(1, sql[i].n + 1);
        memcpy(one, sql[i].p, sql[i].n);
        st = run(b, err, "INSERT INTO declared (place, sql) VALUES (?, ?)", "it", (int64_t)i, one);
        free(one);
    }
    struct wr_error also = WR_ERROR_INIT;
    wr_status end = run(b, st ? &also : err, st ? "ROLLBACK" : "COMMIT", "");
    return st ? st : end;
}

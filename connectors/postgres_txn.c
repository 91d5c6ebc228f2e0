/* postgres_txn.c: makes the PostgreSQL sink exactly once. What was written between two checkpoints, where the input stands, and the checkpoint's id
 * are committed in one transaction, so that the database itself says after a failure which checkpoint is true.
 *
 * How:    schema weir, in the target database:  job(id, epoch, checkpoint_id, ...): one row a job and sink;  part(job, topic, partition,
 *         next_offset): for observers. A start raises epoch, which fences every older process: a commit changes the row of its own epoch and
 *         of the checkpoint before, or nothing. Each session takes a shared advisory lock as a label, so that a start can end the sessions
 *         of a process that was killed or is stuck, instead of waiting for its locks.
 * Rules:  rows are folded by key and sent at the checkpoint; when there are many, some are sent before, into the open transaction. If that is
 *         lost they are written again. COMMIT without an answer: a new session asks, with a lock on the row that waits until the old session
 *         has really ended: the checkpoint is there (done), the one before is (write again), another epoch (WR_EFENCED), an older
 *         checkpoint (the database went back in time: an error). A row that the table refuses is found by halving between savepoints and
 *         reported before COMMIT, once.
 * Memory: rows of the checkpoint are kept as segments, up to the option transaction_buffer. Beyond it they are let go; should that very
 *         transaction be lost, the error is retriable and the job goes on from its checkpoint. */
#include "connectors/postgres_sink.h"
#include "core/failpoint.h"
#include "core/key.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SEGMENT_ROWS = 50000, SEGMENT_BYTES = 16 << 20, COMMIT_MS = 10000, ASK_LOCK_S = 5, ROW_BYTES = 96 };

/* Rows folded by key, in the order they are sent: deletes, then the others. */
struct segment {
    struct wr_pg_row *row;
    const struct wr_pg_row **order;
    uint32_t n, n_delete, n_all; /* n: of order; n_all: of row, dead ones too */
};

struct wr_pg_once {
    char *id;              /* job.sink */
    uint64_t label;        /* key of the advisory lock */
    int64_t epoch;
    uint64_t known;        /* checkpoint last known to be committed */
    int old_pid;           /* our session before this one; 0: none */
    bool begun;            /* a transaction is open */
    bool forgot;           /* there were too many rows to keep */
    struct segment *seg;   /* rows since the last commit */
    int n_seg, cap_seg;
    int sent;              /* of these, in the open transaction */
    size_t bytes, max;     /* of the segments, about */
};

/* ---- statements ---- */

/* Runs a statement with text parameters that never is large. *r is the caller's when WR_PG_OUT_DONE. */
static enum wr_pg_outcome ask(struct wr_pg_sink *s, const char *sql, int n, const char *const *value, PGresult **r)
{
    PGresult *got = n ? wr_pg_params(s->c, sql, n, NULL, value, NULL, NULL, WR_PG_PATIENCE_MS) : wr_pg_query(s->c, sql, WR_PG_PATIENCE_MS);
    ExecStatusType is = PQresultStatus(got);
    *r = NULL;
    if (is != PGRES_TUPLES_OK && is != PGRES_COMMAND_OK)
        return wr_pg_outcome_of(s, got);
    *r = got;
    return WR_PG_OUT_DONE;
}

static wr_status fail_from(struct wr_pg_sink *s, struct wr_error *err, const char *doing)
{
    return wr_pg_fail(s->c, s->last, err, "%s for sink \"%.*s\"", doing, WR_FMT(s->spec.name));
}

static int64_t number(const PGresult *r, int col)
{
    return strtoll(PQgetvalue(r, 0, col), NULL, 10);
}

/* ---- schema weir ---- */

static bool tables_there(struct wr_pg_sink *s, bool *there, struct wr_error *err)
{
    PGresult *r;
    if (ask(s, "SELECT to_regclass('weir.job') IS NOT NULL AND to_regclass('weir.part') IS NOT NULL", 0, NULL, &r)) {
        fail_from(s, err, "cannot look for schema \"weir\"");
        return false;
    }
    *there = PQgetvalue(r, 0, 0)[0] == 't';
    PQclear(r);
    return true;
}

static wr_status make_tables(struct wr_pg_sink *s, struct wr_error *err)
{
    static const char ddl[] =
        "BEGIN; SELECT pg_advisory_xact_lock(8531236107894401); CREATE SCHEMA IF NOT EXISTS weir;"
        "CREATE TABLE IF NOT EXISTS weir.job (id text PRIMARY KEY, epoch bigint NOT NULL, checkpoint_id bigint NOT NULL, plan_hash text,"
        " updated timestamptz NOT NULL DEFAULT now());"
        "CREATE TABLE IF NOT EXISTS weir.part (job text, topic text, partition int, next_offset bigint NOT NULL, PRIMARY KEY (job, topic, partition));"
        "COMMIT";
    bool there;
    if (!tables_there(s, &there, err))
        return WR_EIO;
    if (there)
        return WR_OK;
    if (wr_pg_run(s, ddl) == WR_PG_OUT_DONE)
        return WR_OK;
    fail_from(s, err, "cannot make tables weir.job and weir.part, which exactly once needs,");
    const char *state = s->last ? PQresultErrorField(s->last, PG_DIAG_SQLSTATE) : NULL;
    if (state && strcmp(state, "42501") == 0) {
        err->hint[0] = 0;
        wr_hint(err, "GRANT CREATE ON DATABASE \"%s\" TO \"%s\", or CREATE SCHEMA weir AUTHORIZATION \"%s\", or say delivery = 'at-least-once'",
                PQdb(s->c), PQuser(s->c), PQuser(s->c));
    }
    if (PQstatus(s->c) == CONNECTION_OK)
        PQclear(wr_pg_query(s->c, "ROLLBACK", WR_PG_PATIENCE_MS));
    return WR_EIO;
}

/* The tables are there, but not ours to write? */
static void hint_grant(struct wr_pg_sink *s, struct wr_error *err)
{
    const char *state = s->last ? PQresultErrorField(s->last, PG_DIAG_SQLSTATE) : NULL;
    if (!state || strcmp(state, "42501") != 0)
        return;
    err->hint[0] = 0;
    wr_hint(err, "GRANT USAGE ON SCHEMA weir TO \"%s\"; GRANT SELECT, INSERT, UPDATE ON weir.job, weir.part TO \"%s\"", PQuser(s->c), PQuser(s->c));
}

/* ---- sessions ---- */

/* Ends sessions with our label: all others (pid 0), or that one. What may not be ended is left to time and row locks. */
static void end_sessions(struct wr_pg_sink *s, int pid)
{
    char sql[512];
    uint32_t hi = (uint32_t)(s->once->label >> 32), lo = (uint32_t)s->once->label;
    (void)snprintf(sql, sizeof sql,
                   "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 1 AND classid = %" PRIu32
                   " AND objid = %" PRIu32 " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                   " AND pid <> pg_backend_pid() AND (%d = 0 OR pid = %d)", hi, lo, pid, pid);
    PQclear(wr_pg_query(s->c, sql, WR_PG_PATIENCE_MS));
}

static wr_status put_label(struct wr_pg_sink *s, struct wr_error *err)
{
    char sql[80];
    (void)snprintf(sql, sizeof sql, "SELECT pg_advisory_lock_shared(%" PRId64 ")", (int64_t)s->once->label);
    return wr_pg_run(s, sql) ? fail_from(s, err, "cannot set the session up") : WR_OK;
}

static void forget_session(struct wr_pg_sink *s)
{
    struct wr_pg_once *o = s->once;
    if (s->c)
        o->old_pid = PQbackendPID(s->c);
    wr_pg_disconnect(s);
    o->begun = false;
    o->sent = 0;
}

wr_status wr_pg_once_recover(struct wr_sink *base, uint64_t *ckpt, struct wr_error *err)
{
    struct wr_pg_sink *s = (struct wr_pg_sink *)base;
    struct wr_pg_once *o = s->once;
    int64_t started = wr_clock_mono();
    const char *value[] = {o->id};
    for (int tries = 0;; tries++) {
        wr_status st = wr_pg_connect_to(s, err);
        if (!st) st = make_tables(s, err);
        if (!st) st = put_label(s, err);
        PGresult *r = NULL;
        if (!st) {
            end_sessions(s, 0);
            if (ask(s, "INSERT INTO weir.job (id, epoch, checkpoint_id) VALUES ($1, 1, 0) ON CONFLICT (id) DO UPDATE SET epoch = job.epoch + 1,"
                       " updated = now() RETURNING epoch, checkpoint_id", 1, value, &r)) {
                st = fail_from(s, err, "cannot read weir.job");
                hint_grant(s, err);
            }
        }
        if (!st) {
            o->epoch = number(r, 0);
            o->known = *ckpt = (uint64_t)number(r, 1);
            PQclear(r);
            return WR_OK;
        }
        if (st == WR_ESTOP || !err->retriable)
            return st;
        forget_session(s);
        WR_TRY(wr_pg_wait_again(s, started, tries, err));
    }
}

static wr_status fenced(struct wr_pg_sink *s, struct wr_error *err)
{
    return wr_fail(err, WR_EFENCED, "another instance of the job has taken over sink \"%.*s\"", WR_FMT(s->spec.name));
}

/* Asks in a new session what became of our transaction. The row's lock is the old session's until that has ended; one that hangs is ended. */
static wr_status ask_outcome(struct wr_pg_sink *s, uint64_t goal, bool *done, struct wr_error *err)
{
    struct wr_pg_once *o = s->once;
    const char *value[] = {o->id};
    char lock[64];
    PGresult *r;
    (void)snprintf(lock, sizeof lock, "SET lock_timeout = '%ds'", (int)ASK_LOCK_S);
    for (int look = 0;; look++) {
        if (wr_pg_run(s, look ? "SET lock_timeout = '30s'" : lock))
            return fail_from(s, err, "cannot set the session up");
        enum wr_pg_outcome out = ask(s, "SELECT epoch, checkpoint_id FROM weir.job WHERE id = $1 FOR UPDATE", 1, value, &r);
        if (!out)
            break;
        const char *state = s->last ? PQresultErrorField(s->last, PG_DIAG_SQLSTATE) : NULL;
        if (look || !state || strcmp(state, "55P03") != 0 || !o->old_pid)
            return fail_from(s, err, "cannot read weir.job");
        end_sessions(s, o->old_pid);
    }
    wr_status st = WR_OK;
    bool there = PQntuples(r) == 1;
    int64_t epoch = there ? number(r, 0) : 0;
    uint64_t now = there ? (uint64_t)number(r, 1) : 0;
    PQclear(r);
    *done = goal && epoch == o->epoch && now == goal;
    if (epoch > o->epoch) {
        st = fenced(s, err);
    } else if (!*done && (epoch < o->epoch || now != o->known)) {
        st = wr_fail(err, WR_EIO, "the database of sink \"%.*s\" has checkpoint %" PRIu64 ", and %" PRIu64 " was committed: it went back in time",
                     WR_FMT(s->spec.name), now, o->known);
        wr_hint(err, "was it restored, or did a stand-by take over? put back the matching checkpoint directory, or start anew with --reset");
    } else if (!*done && o->old_pid) {
        end_sessions(s, o->old_pid); /* it may still hold locks on rows */
    }
    if (!st && wr_pg_run(s, "SET lock_timeout = '30s'"))
        st = fail_from(s, err, "cannot set the session up");
    if (!st)
        o->old_pid = 0;
    return st;
}

/* A session to write in; after a lost one, knowing what became of it. */
static wr_status session(struct wr_pg_sink *s, uint64_t goal, bool *done, struct wr_error *err)
{
    *done = false;
    if (s->c)
        return WR_OK;
    WR_TRY(wr_pg_connect_to(s, err));
    wr_status st = put_label(s, err);
    if (!st) st = ask_outcome(s, goal, done, err);
    if (!st && !*done && s->once->forgot) {
        wr_fail(err, WR_ELIMIT, "a transaction of sink \"%.*s\" was lost, and it had more rows than transaction_buffer keeps", WR_FMT(s->spec.name));
        wr_hint(err, "the job goes on from its checkpoint when started again; take checkpoints more often, or raise transaction_buffer");
        err->retriable = true;
        return WR_ELIMIT; /* not to be tried again here */
    }
    return st;
}

/* ---- segments ---- */

static void free_segments(struct wr_pg_once *o)
{
    for (int i = 0; i < o->n_seg; i++) {
        for (uint32_t k = 0; k < o->seg[i].n_all; k++)
            wr_batch_unref(o->seg[i].row[k].batch);
        free(o->seg[i].row);
        free(o->seg[i].order);
    }
    o->n_seg = o->sent = 0;
    o->bytes = 0;
}

/* Pending rows become a segment. */
static void seal(struct wr_pg_sink *s)
{
    struct wr_pg_once *o = s->once;
    if (s->n == 0)
        return;
    if (o->n_seg == o->cap_seg) {
        o->cap_seg = o->cap_seg ? o->cap_seg * 2 : 8;
        o->seg = wr_realloc(o->seg, (size_t)o->cap_seg * sizeof *o->seg);
    }
    struct segment *g = &o->seg[o->n_seg++];
    *g = (struct segment){.row = s->row, .order = s->order, .n = s->n, .n_all = s->n};
    for (uint32_t i = 0; i < s->n; i++) {
        g->order[i] = &g->row[i];
        g->n_delete += g->row[i].delete;
    }
    if (s->spec.n_key)
        qsort(g->order, g->n, sizeof *g->order, wr_pg_by_kind_and_key);
    o->bytes += s->bytes + (size_t)s->n * ROW_BYTES;
    s->base.bytes += s->bytes;
    s->base.rows += s->n;
    free(s->table);
    s->row = NULL;
    s->order = NULL;
    s->table = NULL;
    s->n = s->cap = 0;
    wr_pg_drop_pending(s);
}

static void leave_out_dead(struct segment *g)
{
    uint32_t n = 0, n_delete = 0;
    for (uint32_t i = 0; i < g->n; i++) {
        if (g->order[i]->dead)
            continue;
        n_delete += g->order[i]->delete;
        g->order[n++] = g->order[i];
    }
    g->n = n;
    g->n_delete = n_delete;
}

static enum wr_pg_outcome send_segment(struct wr_pg_sink *s, struct segment *g)
{
    enum wr_pg_outcome out = WR_PG_OUT_DONE;
    leave_out_dead(g);
    for (uint32_t at = 0, n; at < g->n && !out; at += n) {
        uint32_t end = at < g->n_delete ? g->n_delete : g->n;
        n = end - at < s->most ? end - at : s->most;
        out = wr_pg_run_halving(s, g->order + at, n);
        (void)WR_FAILPOINT("sink.rows");
    }
    return out;
}

/* Everything sealed into the transaction, which is begun if need be. */
static enum wr_pg_outcome send_segments(struct wr_pg_sink *s)
{
    struct wr_pg_once *o = s->once;
    if (!o->begun) {
        (void)WR_FAILPOINT("sink.begin");
        s->n_bad = 0;
        enum wr_pg_outcome out = wr_pg_run(s, "BEGIN; SET CONSTRAINTS ALL IMMEDIATE");
        if (out)
            return out;
        o->begun = true;
    }
    for (; o->sent < o->n_seg; o->sent++) {
        enum wr_pg_outcome out = send_segment(s, &o->seg[o->sent]);
        if (out)
            return out;
    }
    return WR_PG_OUT_DONE;
}

wr_status wr_pg_once_written(struct wr_pg_sink *s, struct wr_error *err)
{
    struct wr_pg_once *o = s->once;
    bool done;
    if (s->n < SEGMENT_ROWS && s->bytes + (size_t)s->n * ROW_BYTES < SEGMENT_BYTES)
        return WR_OK;
    seal(s);
    wr_status st = session(s, 0, &done, err);
    enum wr_pg_outcome out = st ? WR_PG_OUT_AGAIN : send_segments(s);
    if (out == WR_PG_OUT_STOP)
        return wr_pg_told(s, err);
    if (st == WR_EFENCED || st == WR_ESTOP || st == WR_ELIMIT || (st && !err->retriable))
        return st;
    if (out) { /* the rows are kept: commit sends them all */
        wr_error_clear(err);
        forget_session(s);
    } else {
        WR_TRY(wr_pg_report_refused(s, err));
    }
    if (o->bytes <= o->max)
        return WR_OK;
    if (out) {
        wr_fail(err, WR_ELIMIT, "sink \"%.*s\" has more rows for a checkpoint than transaction_buffer keeps, and no connection to send them",
                WR_FMT(s->spec.name));
        err->retriable = true;
        return WR_ELIMIT;
    }
    free_segments(o);
    o->forgot = true;
    return WR_OK;
}

/* ---- commit ---- */

static enum wr_pg_outcome send_positions(struct wr_pg_sink *s, const struct wr_position *pos, int n)
{
    struct wr_buf json = WR_BUF_INIT(64 << 20);
    PGresult *r;
    wr_buf_putc(&json, '[');
    for (int i = 0; i < n; i++) {
        wr_buf_puts(&json, i ? ",{\"t\":" : "{\"t\":");
        wr_json_put_string(&json, pos[i].topic);
        wr_buf_printf(&json, ",\"p\":%" PRId32 ",\"o\":%" PRId64 "}", pos[i].part, pos[i].next);
    }
    wr_buf_putc(&json, ']');
    wr_buf_putc(&json, 0);
    const char *value[] = {s->once->id, json.p};
    enum wr_pg_outcome out = ask(s, "INSERT INTO weir.part AS w SELECT $1, t, p, min(o) FROM json_to_recordset($2::json) AS x(t text, p int, o bigint)"
                                    " GROUP BY t, p ON CONFLICT (job, topic, partition) DO UPDATE SET next_offset = excluded.next_offset"
                                    " WHERE w.next_offset <> excluded.next_offset", 2, value, &r);
    PQclear(r);
    wr_buf_clear(&json);
    return out;
}

/* Our row goes from the checkpoint before to this one. *ours: it did. */
static enum wr_pg_outcome send_id(struct wr_pg_sink *s, uint64_t ckpt, bool *ours)
{
    char epoch[24], now[24], before[24];
    PGresult *r;
    (void)snprintf(epoch, sizeof epoch, "%" PRId64, s->once->epoch);
    (void)snprintf(now, sizeof now, "%" PRIu64, ckpt);
    (void)snprintf(before, sizeof before, "%" PRIu64, s->once->known);
    const char *value[] = {s->once->id, epoch, now, before};
    enum wr_pg_outcome out = ask(s, "UPDATE weir.job SET checkpoint_id = $3::bigint, updated = now()"
                                    " WHERE id = $1 AND epoch = $2::bigint AND checkpoint_id = $4::bigint", 4, value, &r);
    *ours = !out && strcmp(PQcmdTuples(r), "1") == 0;
    PQclear(r);
    return out;
}

/* COMMIT, with the time limit that puts its outcome in doubt. *called: from there on only the database knows. */
static enum wr_pg_outcome send_commit(struct wr_pg_sink *s, bool *called)
{
    (void)WR_FAILPOINT("sink.commit");
    *called = true;
    PGresult *r = NULL;
    if (PQsendQuery(s->c, "COMMIT")) {
        (void)WR_FAILPOINT("sink.sent");
        r = wr_pg_result(s->c, COMMIT_MS);
    }
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        return wr_pg_outcome_of(s, r);
    bool good = strcmp(PQcmdStatus(r), "COMMIT") == 0;
    PQclear(r);
    return good ? WR_PG_OUT_DONE : WR_PG_OUT_AGAIN; /* ROLLBACK: the transaction had failed */
}

/* Everything of the checkpoint into the transaction, then COMMIT. */
static enum wr_pg_outcome push(struct wr_pg_sink *s, uint64_t ckpt, const struct wr_position *pos, int n, bool *called, struct wr_error *err)
{
    bool ours = true;
    enum wr_pg_outcome out = send_segments(s);
    if (!out && wr_pg_report_refused(s, err))
        return WR_PG_OUT_STOP;
    if (!out)
        out = wr_pg_letters_send(s);
    if (!out && n)
        out = send_positions(s, pos, n);
    (void)WR_FAILPOINT("sink.offsets");
    if (!out)
        out = send_id(s, ckpt, &ours);
    if (!out && !ours)
        return WR_PG_OUT_AGAIN; /* a new session asks whose it is */
    return out ? out : send_commit(s, called);
}

static void committed(struct wr_pg_sink *s, uint64_t ckpt)
{
    struct wr_pg_once *o = s->once;
    free_segments(o);
    wr_pg_letters_clear(s);
    o->known = ckpt;
    o->begun = o->forgot = false;
    s->n_bad = 0;
}

wr_status wr_pg_once_commit(struct wr_sink *base, uint64_t ckpt, const struct wr_position *pos, int n_pos, struct wr_error *err)
{
    struct wr_pg_sink *s = (struct wr_pg_sink *)base;
    int64_t started = wr_clock_mono();
    bool called = false, done = false;
    seal(s);
    for (int tries = 0; !done; tries++) {
        wr_status st = session(s, called ? ckpt : 0, &done, err);
        if (!st && done)
            break;
        if (st == WR_EFENCED || st == WR_ESTOP || st == WR_ELIMIT || (st && !err->retriable))
            return st;
        if (!st) {
            PQclear(s->last);
            s->last = NULL;
            enum wr_pg_outcome out = push(s, ckpt, pos, n_pos, &called, err);
            if (!out)
                break;
            st = err->code ? err->code : wr_pg_told(s, err);
            if (out != WR_PG_OUT_AGAIN) {
                if (PQstatus(s->c) == CONNECTION_OK)
                    PQclear(wr_pg_query(s->c, "ROLLBACK", COMMIT_MS));
                return st;
            }
        }
        forget_session(s);
        WR_TRY(wr_pg_wait_again(s, started, tries, err));
    }
    (void)WR_FAILPOINT("sink.committed");
    committed(s, ckpt);
    return WR_OK;
}

/* ---- life ---- */

void wr_pg_once_open(struct wr_pg_sink *s)
{
    struct wr_pg_once *o = wr_calloc(1, sizeof *o);
    size_t room = (size_t)s->spec.job.n + s->spec.name.n + 2;
    o->id = wr_malloc(room);
    (void)snprintf(o->id, room, "%.*s.%.*s", WR_FMT(s->spec.job), WR_FMT(s->spec.name));
    o->label = wr_hash_bytes(o->id, (uint32_t)strlen(o->id), 0);
    int64_t most = wr_opt_bytes(s->spec.opts, "transaction_buffer", 256 << 20);
    o->max = most < 1 ? 1 : (size_t)most;
    s->once = o;
}

void wr_pg_once_close(struct wr_pg_sink *s)
{
    if (!s->once)
        return;
    free_segments(s->once);
    free(s->once->seg);
    free(s->once->id);
    free(s->once);
    s->once = NULL;
}

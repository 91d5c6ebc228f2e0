/* peek.h: PRINT and INFER SOURCE: looking into a topic or a file without having declared it. For the server and the shell. */
#ifndef WR_SERVER_PEEK_H
#define WR_SERVER_PEEK_H

#include "core/buf.h"
#include "executor/job.h"
#include "planner/planner.h"

/* What is looked into, and how. */
struct wr_peek {
    bool file;              /* a file, else a Kafka topic */
    bool infer;             /* INFER SOURCE, else PRINT */
    struct wr_str target;   /* topic or path */
    struct wr_str format;   /* INFER: format that was asked for; empty: to be found out */
    uint64_t limit;         /* PRINT: so many records; UINT64_MAX: no limit */
    struct wr_buf with;     /* options of the source as a user would write them, without format and start; secrets as ${NAME} */
    struct wr_buf sql;      /* what is planned: a source of raw records, and a SELECT of all */
};

/* Plans what the statement asks for, up to wr_plan_finish, which is the caller's (who may want to look at the plan first). The plan's one sink is a console that the caller replaces (wr_job_opts.open_sink).
 * Where the target is comes from the statement's options; else from a declared source of that topic, or of that name; else a readable file of that
 * name; else a topic on the brokers of any declared source, or of ${KAFKA_BROKERS}, or on localhost:9092. */
wr_status wr_peek_plan(struct wr_catalog *c, const struct wr_stmt *s, struct wr_arena *a, struct wr_jobplan *plan, struct wr_peek *p, struct wr_error *err);
/* Options that reach the brokers of a declared source, or of ${KAFKA_BROKERS}, or localhost:9092; in the arena. */
wr_status wr_peek_brokers(struct wr_catalog *c, struct wr_arena *a, struct wr_opts *out, struct wr_error *err);
void wr_peek_clear(struct wr_peek *p);

/* One raw record. Unknown: -1, INT64_MIN; what is not there: p NULL. */
struct wr_peeked { int64_t part, offset, ts_us; struct wr_str key, headers, value; };
void wr_peek_row(const struct wr_schema *s, const struct wr_batch *b, uint32_t row, struct wr_peeked *out);
/* As a line for people, or as a JSON object; with its newline. */
void wr_peek_print(const struct wr_peeked *r, bool ndjson, struct wr_buf *out);

/* ---- infer.c ---- */

enum { WR_INFER_RECORDS = 10000 }; /* most records that are looked at */
/* Runs the plan of an INFER and appends the CREATE SOURCE, with what was seen as comments. */
wr_status wr_infer_run(const struct wr_peek *p, const struct wr_jobplan *plan, atomic_bool *stop, struct wr_buf *out, struct wr_error *err);

#endif

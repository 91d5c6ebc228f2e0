/* postgres_sink.h: what the files of the PostgreSQL sink share.
 *   postgres_sink.c    the connector, pending rows, transactions, retries
 *   postgres_table.c   the target: does it exist, do columns, types and key fit, creating it; the statements' text
 *   postgres_encode.c  column values as PostgreSQL's binary arrays
 *   postgres_txn.c     exactly once: rows, positions and checkpoint in one transaction; what to do when its outcome is unknown */
#ifndef WR_CONNECTORS_POSTGRES_SINK_H
#define WR_CONNECTORS_POSTGRES_SINK_H

#include "connectors/postgres_common.h"

/* A change to be written. */
struct wr_pg_row {
    struct wr_batch *batch;  /* counted */
    uint32_t row;
    bool delete;             /* only the key counts */
    bool dead;               /* the table refuses it, and it was reported: left out when the transaction is written again */
    struct wr_str key;       /* encoded key columns (core/key.h), in the sink's arena; empty: append */
};

struct wr_pg_target {
    struct wr_arena mem;     /* of the names below; lasts as long as the connection */
    struct wr_str name;      /* "schema"."table", quoted */
    struct wr_str plain;     /* as the user wrote it, for messages */
    struct wr_str *cast;     /* by sink column: type to cast to, as SQL */
    bool null_keys;          /* the key's index takes NULLs as equal */
    char *insert, *delete;   /* statements over arrays, one parameter a column (delete: a key column) */
};

struct wr_pg_refused {
    const struct wr_pg_row *row;
    char column[64], msg[200];
};

struct wr_pg_once;    /* postgres_txn.c's own */
struct wr_pg_letters; /* postgres_letters.c's own */

struct wr_pg_sink {
    struct wr_sink base;
    struct wr_sink_spec spec;
    PGconn *c;                 /* NULL: not connected (now) */
    struct wr_pg_target target;
    uint32_t most;             /* rows that make a send */
    struct wr_pg_row *row;     /* pending */
    uint32_t n, cap;
    size_t bytes;              /* of their text, about */
    int64_t since;             /* monotonic µs when the oldest came: few keys that change often must not wait for ever */
    uint32_t *table;           /* hash of keys: 1 + index into row; 0: free. 2 * cap slots */
    struct wr_arena keys;
    struct wr_buf key;         /* of one row */
    struct wr_buf *array;      /* a column each: the parameters of a statement */
    int n_text, *text;         /* TEXT columns: they may not hold NUL bytes */
    const struct wr_pg_row **order; /* pending rows as they are sent: deletes, then the others, each by key */
    struct wr_pg_refused *bad; /* found in the transaction under way; reported just before COMMIT */
    uint32_t n_bad, cap_bad;
    PGresult *last;            /* of the statement that failed; NULL: none */
    struct wr_pg_letters *letters;
    struct wr_pg_once *once;   /* exactly once; NULL: at least once */
};

/* How a statement went: done; the connection or the server asks to try again; some row is wrong; no use to go on. */
enum wr_pg_outcome { WR_PG_OUT_DONE, WR_PG_OUT_AGAIN, WR_PG_OUT_ROW, WR_PG_OUT_STOP };
enum { WR_PG_PATIENCE_MS = 300000 }; /* for the answer to a statement: after that the connection counts as lost */

/* ---- postgres_sink.c ---- */
wr_status wr_pg_connect_to(struct wr_pg_sink *s, struct wr_error *err); /* unless it is connected */
void wr_pg_disconnect(struct wr_pg_sink *s);
enum wr_pg_outcome wr_pg_run(struct wr_pg_sink *s, const char *sql);
enum wr_pg_outcome wr_pg_outcome_of(struct wr_pg_sink *s, PGresult *r); /* takes r; keeps a failed one as s->last */
/* Writes rows, all deletes or none, inside the open transaction; those that the table refuses are found by halving and noted in s->bad. */
enum wr_pg_outcome wr_pg_run_halving(struct wr_pg_sink *s, const struct wr_pg_row *const *rows, uint32_t n);
int wr_pg_by_kind_and_key(const void *a, const void *b); /* for qsort of `order` */
/* Those noted in s->bad are refused, each once. */
wr_status wr_pg_report_refused(struct wr_pg_sink *s, struct wr_error *err);
wr_status wr_pg_told(struct wr_pg_sink *s, struct wr_error *err); /* what the failed statement said, as an error */
/* Pauses before another try; the error itself when the time since `started` (monotonic µs) is up. */
wr_status wr_pg_wait_again(struct wr_pg_sink *s, int64_t started, int tries, struct wr_error *err);
void wr_pg_drop_pending(struct wr_pg_sink *s);

/* ---- postgres_letters.c ---- */
wr_status wr_pg_letters_open(struct wr_pg_sink *s, struct wr_error *err); /* before the first connection */
void wr_pg_letters_close(struct wr_pg_sink *s);
wr_status wr_pg_letters_connect(struct wr_pg_sink *s, struct wr_error *err); /* finds the table */
/* Does with a refused row what on_error says. An error: it ends the job. */
wr_status wr_pg_refuse(struct wr_pg_sink *s, const struct wr_batch *b, uint32_t row, struct wr_str column, const char *msg, struct wr_error *err);
uint32_t wr_pg_letters_n(const struct wr_pg_sink *s);
enum wr_pg_outcome wr_pg_letters_send(struct wr_pg_sink *s); /* into the open transaction */
void wr_pg_letters_clear(struct wr_pg_sink *s);              /* it is committed */

/* ---- postgres_txn.c ---- */
void wr_pg_once_open(struct wr_pg_sink *s);
void wr_pg_once_close(struct wr_pg_sink *s);
/* Rows were added to the pending ones: sends some when they are many. */
wr_status wr_pg_once_written(struct wr_pg_sink *s, struct wr_error *err);
wr_status wr_pg_once_recover(struct wr_sink *base, uint64_t *ckpt, struct wr_error *err);
wr_status wr_pg_once_commit(struct wr_sink *base, uint64_t ckpt, const struct wr_position *pos, int n_pos, struct wr_error *err);

/* ---- postgres_table.c ---- */
/* Checks what needs no connection: names that PostgreSQL cannot have. */
wr_status wr_pg_target_check(const struct wr_sink_spec *spec, struct wr_error *err);
/* Finds the table (or makes it, where create = 'true') and checks all of it; fills *t, which is cleared first. */
wr_status wr_pg_target_open(PGconn *c, const struct wr_sink_spec *spec, struct wr_pg_target *t, struct wr_error *err);
void wr_pg_target_clear(struct wr_pg_target *t);

/* ---- postgres_encode.c ---- */
/* OID of the array type that carries values of this type. */
Oid wr_pg_array_oid(struct wr_type t);
/* SQL name of the element type on the wire: "int8", "text" ... */
const char *wr_pg_wire_type(struct wr_type t);
/* Appends column col of rows[0..n) as a binary array. */
void wr_pg_put_array(struct wr_buf *out, int col, struct wr_type t, const struct wr_pg_row *const *rows, uint32_t n);

#endif

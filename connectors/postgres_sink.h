/* postgres_sink.h: what the files of the PostgreSQL sink share.
 *   postgres_sink.c    the connector, pending rows, transactions, retries
 *   postgres_table.c   the target: does it exist, do columns, types and key fit, creating it; the statements' text
 *   postgres_encode.c  column values as PostgreSQL's binary arrays */
#ifndef WR_CONNECTORS_POSTGRES_SINK_H
#define WR_CONNECTORS_POSTGRES_SINK_H

#include "connectors/postgres_common.h"

/* A change to be written. */
struct wr_pg_row {
    struct wr_batch *batch;  /* counted */
    uint32_t row;
    bool delete;             /* only the key counts */
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

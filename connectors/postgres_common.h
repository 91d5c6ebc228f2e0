/* postgres_common.h: connections to PostgreSQL made of checked options, errors in words, identifiers. Shared by sink and lookup.
 * Rules:  of a connection string only the parameters in postgres_common.c's list pass: others read files, run as other settings or hide
 *         where the data goes. Passwords never appear in a message. Everything else of SQL text is ours: identifiers are quoted by
 *         wr_pg_ident, values travel as parameters.
 * Memory: a connection is libpq's PGconn, ended by PQfinish. */
#ifndef WR_CONNECTORS_POSTGRES_COMMON_H
#define WR_CONNECTORS_POSTGRES_COMMON_H

#include "connectors/internal.h"

#include <libpq-fe.h>

extern const struct wr_lookup_vt wr_postgres_lookup; /* postgres_lookup.c */

/* What to do about an SQL error, by its class. */
enum wr_pg_class {
    WR_PG_AGAIN, /* the connection is gone, or the server asks to try again: 08, 53, 57P0, 40001, 40P01, 55P03 */
    WR_PG_ROW,   /* some row is wrong: 22, 23, 21000, 54 */
    WR_PG_STOP   /* the statement cannot work: 42, 28, 3D, ... */
};

/* Checks url, user, password without connecting. */
wr_status wr_pg_check_opts(const struct wr_opts *opts, struct wr_error *err);
/* Connects within 9 s and sets the session up (UTC, UTF-8, time limits on locks). */
wr_status wr_pg_connect(const struct wr_opts *opts, const atomic_bool *stop, PGconn **out, struct wr_error *err);
/* "host:5432" for messages; lives as long as the connection. */
void wr_pg_where(const PGconn *c, char *to, size_t size);

/* Class of a failed result; NULL or no SQLSTATE: the connection. */
enum wr_pg_class wr_pg_classify(const PGconn *c, const PGresult *r);
/* Sets err from a failed result: `doing: message (SQLSTATE)`. */
wr_status wr_pg_fail(const PGconn *c, const PGresult *r, struct wr_error *err, const char *doing, ...) WR_PRINTF(4, 5);
/* The server's message in one safe line: `message (column "x", constraint "y")`. */
void wr_pg_message(const PGconn *c, const PGresult *r, char *to, size_t size);
/* Runs a statement without parameters. */
wr_status wr_pg_exec(PGconn *c, const char *sql, struct wr_error *err, const char *doing);

/* As PQexec and PQexecParams (text results), but a server that does not answer within the time is given up: NULL, and the connection is
 * to be ended, because its answer may still come. NULL also when the connection is lost. */
PGresult *wr_pg_query(PGconn *c, const char *sql, int limit_ms);
PGresult *wr_pg_params(PGconn *c, const char *sql, int n, const Oid *oid, const char *const *value, const int *length, const int *format, int limit_ms);
/* Waits for the result of what was sent; the last one if there are several, or the first that is an error. */
PGresult *wr_pg_result(PGconn *c, int limit_ms);

/* Appends name as a quoted identifier. */
void wr_pg_ident(struct wr_buf *out, struct wr_str name);
/* "schema.table", "table", "\"odd.name\".t": parts as written in the option (case counts); schema empty if not given. In the arena. */
wr_status wr_pg_table_name(struct wr_str text, struct wr_arena *a, struct wr_str *schema, struct wr_str *table, struct wr_error *err);

#endif

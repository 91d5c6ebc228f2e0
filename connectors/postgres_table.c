/* postgres_table.c: the table a PostgreSQL sink writes to: does it exist, do its columns, types and key fit; making it when asked; and the
 * text of the two statements that write to it.
 * Rules:  asked of the catalog at plan time and again at each connection. Types fit when nothing is lost that the user did not ask to lose:
 *         the table below says which; values out of a narrower column's range are refused row by row.
 * Memory: names and statements belong to the target. */
#include "connectors/postgres_sink.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- which column types take which values ---- */

/* ORDER TYPES. fits: base types by their pg_type.typname; make: what create = 'true' makes. */
static const struct {
    const char *fits, *make;
} types[WR_T_COUNT] = {
    [WR_T_NULL] = {"*", "text"},
    [WR_T_BOOL] = {"bool", "boolean"},
    [WR_T_INT] = {"int4 int8 int2 numeric float8", "integer"},
    [WR_T_BIGINT] = {"int8 int4 int2 numeric float8", "bigint"},
    [WR_T_DOUBLE] = {"float8 float4 numeric", "double precision"},
    [WR_T_DECIMAL] = {"numeric float8 money", "numeric"}, /* and whole-number types when the scale is 0 */
    [WR_T_TEXT] = {"text varchar bpchar citext uuid json jsonb xml inet cidr macaddr ltree (enum)", "text"},
    [WR_T_BYTES] = {"bytea", "bytea"},
    [WR_T_JSON] = {"jsonb json text varchar", "jsonb"},
    [WR_T_DATE] = {"date timestamp timestamptz", "date"},
    [WR_T_TIME] = {"time", "time"},
    [WR_T_TIMESTAMP] = {"timestamp timestamptz", "timestamp"},
    [WR_T_TIMESTAMPTZ] = {"timestamptz timestamp", "timestamptz"},
    [WR_T_INTERVAL] = {"interval", "interval"},
    [WR_T_ARRAY] = {"jsonb json text varchar", "jsonb"},
    [WR_T_ROW] = {"jsonb json text varchar", "jsonb"},
};

static bool listed(const char *list, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = list; (p = strstr(p, word)) != NULL; p += n)
        if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ' '))
            return true;
    return false;
}

static bool fits(struct wr_type t, const char *base, bool is_enum)
{
    if (t.id == WR_T_NULL)
        return true;
    if (t.id == WR_T_DECIMAL && t.scale == 0 && listed("int8 int4 int2", base))
        return true;
    return listed(types[t.id].fits, is_enum ? "(enum)" : base);
}

static void print_column_type(struct wr_buf *out, struct wr_type t)
{
    if (t.id == WR_T_DECIMAL)
        wr_buf_printf(out, "numeric(%d,%d)", t.prec, t.scale);
    else if (t.id == WR_T_TEXT && t.len)
        wr_buf_printf(out, "varchar(%u)", t.len);
    else
        wr_buf_puts(out, types[t.id].make);
}

/* ---- plan time ---- */

wr_status wr_pg_target_check(const struct wr_sink_spec *spec, struct wr_error *err)
{
    for (int i = 0; i < spec->schema->n; i++) {
        struct wr_str name = spec->schema->field[i].name;
        if (name.n == 0 || name.n > 63 || memchr(name.p, 0, name.n))
            return wr_fail(err, WR_ESQL, "sink \"%.*s\": \"%.*s\" cannot be a column of PostgreSQL: names have 1 to 63 bytes", WR_FMT(spec->name),
                           WR_FMT(name));
    }
    return WR_OK;
}

/* ---- asking the catalog ---- */

/* Runs a query with text parameters; *out is the caller's to clear, also on error. */
static wr_status ask(PGconn *c, const char *sql, int n, const char *const *param, PGresult **out, struct wr_error *err)
{
    *out = PQexecParams(c, sql, n, NULL, param, NULL, NULL, 0);
    if (PQresultStatus(*out) == PGRES_TUPLES_OK)
        return WR_OK;
    return wr_pg_fail(c, *out, err, "cannot ask PostgreSQL about the table");
}

static struct wr_str cell(const PGresult *r, int row, int col)
{
    return (struct wr_str){PQgetvalue(r, row, col), (uint32_t)PQgetlength(r, row, col)};
}

static bool yes(const PGresult *r, int row, int col)
{
    return !PQgetisnull(r, row, col) && PQgetvalue(r, row, col)[0] == 't';
}

static wr_status no_table(PGconn *c, const struct wr_pg_target *t, struct wr_str schema, struct wr_str table, struct wr_error *err)
{
    enum { MOST = 300 };
    struct wr_str cand[MOST];
    PGresult *r = PQexec(c, "SELECT c.relname FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace"
                            " WHERE c.relkind IN ('r', 'p') AND n.nspname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1 LIMIT 300");
    int n = PQresultStatus(r) == PGRES_TUPLES_OK ? PQntuples(r) : 0;
    for (int i = 0; i < n; i++)
        cand[i] = cell(r, i, 0);
    struct wr_str near = wr_str_nearest(table, cand, n);
    wr_fail(err, WR_EIO, "there is no table \"%.*s\" in database \"%s\"", WR_FMT(t->plain), PQdb(c));
    if (near.n && !wr_str_eq(near, table))
        wr_hint(err, "did you mean \"%.*s\"? create = 'true' makes the table", WR_FMT(near));
    else
        wr_hint(err, "create it, or add create = 'true' to the sink%s", schema.n ? " (the schema must exist)" : "");
    PQclear(r);
    return WR_EIO;
}

/* OID (as text) of the table; empty: there is none. */
static wr_status find_table(PGconn *c, struct wr_pg_target *t, struct wr_str schema, struct wr_str table, char oid[16], char *kind,
                            struct wr_error *err)
{
    struct wr_buf name = WR_BUF_INIT(1024);
    PGresult *r;
    if (schema.n) {
        wr_pg_ident(&name, schema);
        wr_buf_putc(&name, '.');
    }
    wr_pg_ident(&name, table);
    wr_buf_putc(&name, 0);
    const char *param[] = {name.p};
    oid[0] = 0;
    wr_status st = ask(c, "SELECT c.oid, n.nspname, c.relname, c.relkind FROM pg_catalog.pg_class c"
                          " JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = pg_catalog.to_regclass($1)",
                       1, param, &r, err);
    wr_buf_clear(&name);
    if (!st && PQntuples(r) == 1) {
        (void)snprintf(oid, 16, "%s", PQgetvalue(r, 0, 0));
        wr_pg_ident(&name, cell(r, 0, 1));
        wr_buf_putc(&name, '.');
        wr_pg_ident(&name, cell(r, 0, 2));
        t->name = wr_arena_str(&t->mem, wr_buf_get(&name));
        *kind = PQgetvalue(r, 0, 3)[0];
        wr_buf_clear(&name);
    }
    PQclear(r);
    return st;
}

/* ---- making it ---- */

static wr_status create_table(PGconn *c, const struct wr_sink_spec *spec, const struct wr_pg_target *t, struct wr_str schema, struct wr_str table,
                              struct wr_error *err)
{
    struct wr_buf sql = WR_BUF_INIT(1 << 20);
    wr_buf_puts(&sql, "CREATE TABLE IF NOT EXISTS ");
    if (schema.n) {
        wr_pg_ident(&sql, schema);
        wr_buf_putc(&sql, '.');
    }
    wr_pg_ident(&sql, table);
    wr_buf_puts(&sql, " (");
    for (int i = 0; i < spec->schema->n; i++) {
        if (i)
            wr_buf_puts(&sql, ", ");
        wr_pg_ident(&sql, spec->schema->field[i].name);
        wr_buf_putc(&sql, ' ');
        print_column_type(&sql, spec->schema->field[i].type);
    }
    for (int i = 0; i < spec->n_key; i++) {
        wr_buf_puts(&sql, i ? ", " : ", PRIMARY KEY (");
        wr_pg_ident(&sql, spec->schema->field[spec->key[i]].name);
    }
    wr_buf_puts(&sql, spec->n_key ? "))" : ")");
    wr_buf_putc(&sql, 0);
    char doing[200];
    (void)snprintf(doing, sizeof doing, "cannot create table \"%.*s\"", WR_FMT(t->plain));
    wr_status st = wr_pg_exec(c, sql.p, err, doing);
    wr_buf_clear(&sql);
    return st;
}

/* ---- columns ---- */

enum { COL_NAME, COL_BASE, COL_TYPE, COL_CAST, COL_ENUM, COL_NOT_NULL, COL_DEFAULT, COL_GENERATED };
static const char columns_sql[] =
    "WITH RECURSIVE base(col, typ) AS (" /* domains down to the type they stand for */
    "  SELECT attnum, atttypid FROM pg_catalog.pg_attribute WHERE attrelid = $1::oid AND attnum > 0 AND NOT attisdropped"
    "  UNION ALL SELECT b.col, t.typbasetype FROM base b JOIN pg_catalog.pg_type t ON t.oid = b.typ WHERE t.typtype = 'd')"
    " SELECT a.attname, t.typname, pg_catalog.format_type(a.atttypid, a.atttypmod), pg_catalog.format_type(a.atttypid, -1), t.typtype = 'e',"
    " a.attnotnull, a.atthasdef OR a.attidentity <> '', a.attgenerated <> '' OR a.attidentity = 'a'"
    " FROM pg_catalog.pg_attribute a JOIN base b ON b.col = a.attnum JOIN pg_catalog.pg_type t ON t.oid = b.typ AND t.typtype <> 'd'"
    " WHERE a.attrelid = $1::oid ORDER BY a.attnum";

static int column_find(const PGresult *r, struct wr_str name)
{
    for (int i = 0; i < PQntuples(r); i++)
        if (wr_str_eq(cell(r, i, COL_NAME), name))
            return i;
    return -1;
}

static wr_status no_column(const struct wr_pg_target *t, const PGresult *r, struct wr_str name, struct wr_error *err)
{
    enum { MOST = 200 };
    struct wr_str cand[MOST];
    int n = PQntuples(r) < MOST ? PQntuples(r) : MOST;
    for (int i = 0; i < n; i++)
        cand[i] = cell(r, i, COL_NAME);
    struct wr_str near = wr_str_nearest(name, cand, n);
    wr_fail(err, WR_EIO, "table \"%.*s\" has no column \"%.*s\"", WR_FMT(t->plain), WR_FMT(name));
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"? name the query's column with AS", WR_FMT(near));
    else
        wr_hint(err, "name the query's columns with AS, or add the column to the table");
    return WR_EIO;
}

static wr_status column_fits(struct wr_pg_target *t, const struct wr_field *f, const PGresult *r, int at, struct wr_error *err)
{
    struct wr_buf ours = WR_BUF_INIT(1000);
    if (yes(r, at, COL_GENERATED)) {
        wr_fail(err, WR_EIO, "column \"%.*s\" of table \"%.*s\" makes its own values", WR_FMT(f->name), WR_FMT(t->plain));
        wr_hint(err, "leave it out of the query");
        return WR_EIO;
    }
    if (fits(f->type, PQgetvalue(r, at, COL_BASE), yes(r, at, COL_ENUM)))
        return WR_OK;
    wr_type_print(&ours, f->type);
    wr_fail(err, WR_EIO, "column \"%.*s\" of table \"%.*s\" is %s, which does not take %.*s", WR_FMT(f->name), WR_FMT(t->plain),
            PQgetvalue(r, at, COL_TYPE), WR_FMT(wr_buf_get(&ours)));
    wr_buf_reset(&ours);
    print_column_type(&ours, f->type);
    wr_hint(err, "CAST it in the query, or ALTER TABLE ... ALTER COLUMN ... TYPE %.*s", WR_FMT(wr_buf_get(&ours)));
    wr_buf_clear(&ours);
    return WR_EIO;
}

static wr_status check_columns(PGconn *c, const struct wr_sink_spec *spec, struct wr_pg_target *t, const char *oid, struct wr_error *err)
{
    PGresult *r;
    const struct wr_schema *s = spec->schema;
    wr_status st = ask(c, columns_sql, 1, &oid, &r, err);
    t->cast = WR_NEW_N(&t->mem, struct wr_str, s->n);
    for (int i = 0; !st && i < s->n; i++) {
        int at = column_find(r, s->field[i].name);
        st = at < 0 ? no_column(t, r, s->field[i].name, err) : column_fits(t, &s->field[i], r, at, err);
        if (!st)
            t->cast[i] = wr_arena_str(&t->mem, cell(r, at, COL_CAST));
    }
    for (int i = 0; !st && i < PQntuples(r); i++) {
        if (!yes(r, i, COL_NOT_NULL) || yes(r, i, COL_DEFAULT) || yes(r, i, COL_GENERATED) || wr_schema_find(s, cell(r, i, COL_NAME)) >= 0)
            continue;
        st = wr_fail(err, WR_EIO, "column \"%s\" of table \"%.*s\" is NOT NULL and would get no value", PQgetvalue(r, i, COL_NAME), WR_FMT(t->plain));
        wr_hint(err, "add it to the query, or give it a DEFAULT");
    }
    PQclear(r);
    return st;
}

/* ---- key ---- */

/* Usable unique indexes, a line for each of their columns. A partial, deferred or expression index cannot decide ON CONFLICT (columns). */
static const char indexes_sql[] =
    "SELECT i.indexrelid, a.attname, i.indnkeyatts, %s"
    " FROM pg_catalog.pg_index i CROSS JOIN LATERAL unnest(i.indkey::int2[]) WITH ORDINALITY k(num, ord)"
    " JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.num AND k.ord <= i.indnkeyatts"
    " WHERE i.indrelid = $1::oid AND i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL AND i.indexprs IS NULL"
    " ORDER BY 1, k.ord";

static bool is_key(const struct wr_sink_spec *spec, struct wr_str name)
{
    for (int i = 0; i < spec->n_key; i++)
        if (wr_str_eq(spec->schema->field[spec->key[i]].name, name))
            return true;
    return false;
}

static void print_key(const struct wr_sink_spec *spec, struct wr_buf *out)
{
    for (int i = 0; i < spec->n_key; i++) {
        if (i)
            wr_buf_puts(out, ", ");
        wr_pg_ident(out, spec->schema->field[spec->key[i]].name);
    }
}

static wr_status check_key(PGconn *c, const struct wr_sink_spec *spec, struct wr_pg_target *t, const char *oid, struct wr_error *err)
{
    char sql[sizeof indexes_sql + 40];
    PGresult *r;
    (void)snprintf(sql, sizeof sql, indexes_sql, PQserverVersion(c) >= 150000 ? "i.indnullsnotdistinct" : "false");
    wr_status st = ask(c, sql, 1, &oid, &r, err);
    bool found = false;
    for (int i = 0, n; !st && !found && i < PQntuples(r); i += n) {
        int good = 0;
        for (n = 0; i + n < PQntuples(r) && wr_str_eq(cell(r, i, 0), cell(r, i + n, 0)); n++)
            good += is_key(spec, cell(r, i + n, 1));
        found = good == n && n == spec->n_key;
        t->null_keys = found && yes(r, i, 3);
    }
    PQclear(r);
    if (st || found)
        return st;
    struct wr_buf key = WR_BUF_INIT(1 << 16);
    print_key(spec, &key);
    wr_fail(err, WR_EIO, "table \"%.*s\" has no primary key or unique index on (%.*s)", WR_FMT(t->plain), WR_FMT(wr_buf_get(&key)));
    wr_hint(err, "CREATE UNIQUE INDEX ON %.*s (%.*s)", WR_FMT(t->name), WR_FMT(wr_buf_get(&key)));
    wr_buf_clear(&key);
    return WR_EIO;
}

static wr_status check_rights(PGconn *c, const struct wr_sink_spec *spec, const struct wr_pg_target *t, const char *oid, struct wr_error *err)
{
    PGresult *r;
    wr_status st = ask(c, "SELECT has_table_privilege($1::oid, 'INSERT'), has_table_privilege($1::oid, 'SELECT'), has_table_privilege($1::oid, 'UPDATE'),"
                          " has_table_privilege($1::oid, 'DELETE')",
                       1, &oid, &r, err);
    static const char *const right[] = {"INSERT", "SELECT", "UPDATE", "DELETE"};
    const bool needed[] = {true, spec->n_key > 0, spec->n_key > 0, spec->n_key > 0 && spec->updating};
    for (int i = 0; !st && i < 4; i++) {
        if (!needed[i] || yes(r, 0, i))
            continue;
        st = wr_fail(err, WR_EIO, "user \"%s\" may not %s on table \"%.*s\"", PQuser(c), right[i], WR_FMT(t->plain));
        wr_hint(err, "GRANT %s ON %.*s TO \"%s\"", right[i], WR_FMT(t->name), PQuser(c));
    }
    PQclear(r);
    return st;
}

/* ---- statements ---- */

/* unnest($1::int8[], $2::text[]) AS u(c0, c1) over the n columns in col. */
static void print_unnest(struct wr_buf *out, const struct wr_sink_spec *spec, const int *col, int n)
{
    wr_buf_puts(out, "unnest(");
    for (int i = 0; i < n; i++)
        wr_buf_printf(out, "%s$%d::pg_catalog.%s[]", i ? ", " : "", i + 1, wr_pg_wire_type(spec->schema->field[col ? col[i] : i].type));
    wr_buf_puts(out, ") AS u(");
    for (int i = 0; i < n; i++)
        wr_buf_printf(out, "%sc%d", i ? ", " : "", i);
    wr_buf_putc(out, ')');
}

static char *keep(struct wr_pg_target *t, struct wr_buf *sql)
{
    wr_buf_putc(sql, 0);
    char *z = wr_arena_bytes(&t->mem, sql->n);
    memcpy(z, sql->p, sql->n);
    wr_buf_reset(sql);
    return z;
}

static void print_conflict(struct wr_buf *sql, const struct wr_sink_spec *spec)
{
    int n = 0;
    wr_buf_puts(sql, " ON CONFLICT (");
    print_key(spec, sql);
    wr_buf_puts(sql, ") DO ");
    for (int i = 0; i < spec->schema->n; i++) {
        struct wr_str name = spec->schema->field[i].name;
        if (is_key(spec, name))
            continue;
        wr_buf_puts(sql, n++ ? ", " : "UPDATE SET ");
        wr_pg_ident(sql, name);
        wr_buf_puts(sql, " = EXCLUDED.");
        wr_pg_ident(sql, name);
    }
    if (!n)
        wr_buf_puts(sql, "NOTHING");
}

static void print_statements(const struct wr_sink_spec *spec, struct wr_pg_target *t)
{
    struct wr_buf sql = WR_BUF_INIT(16 << 20);
    const struct wr_schema *s = spec->schema;
    wr_buf_printf(&sql, "INSERT INTO %.*s (", WR_FMT(t->name));
    for (int i = 0; i < s->n; i++) {
        if (i)
            wr_buf_puts(&sql, ", ");
        wr_pg_ident(&sql, s->field[i].name);
    }
    wr_buf_puts(&sql, ") SELECT ");
    for (int i = 0; i < s->n; i++)
        wr_buf_printf(&sql, "%su.c%d::%.*s", i ? ", " : "", i, WR_FMT(t->cast[i]));
    wr_buf_puts(&sql, " FROM ");
    print_unnest(&sql, spec, NULL, s->n);
    if (spec->n_key)
        print_conflict(&sql, spec);
    t->insert = keep(t, &sql);
    if (spec->n_key) {
        wr_buf_printf(&sql, "DELETE FROM %.*s AS t USING ", WR_FMT(t->name));
        print_unnest(&sql, spec, spec->key, spec->n_key);
        for (int i = 0; i < spec->n_key; i++) {
            wr_buf_puts(&sql, i ? " AND t." : " WHERE t.");
            wr_pg_ident(&sql, s->field[spec->key[i]].name);
            wr_buf_printf(&sql, " %s u.c%d::%.*s", t->null_keys ? "IS NOT DISTINCT FROM" : "=", i, WR_FMT(t->cast[spec->key[i]]));
        }
        t->delete = keep(t, &sql);
    }
    wr_buf_clear(&sql);
}

/* ---- all of it ---- */

wr_status wr_pg_target_open(PGconn *c, const struct wr_sink_spec *spec, struct wr_pg_target *t, struct wr_error *err)
{
    struct wr_str schema, table, text = wr_opt_text_or(spec->opts, "table", "");
    char oid[16], kind = 0;
    wr_pg_target_clear(t);
    t->plain = wr_arena_str(&t->mem, wr_str_trim(text));
    WR_TRY(wr_pg_table_name(text, &t->mem, &schema, &table, err));
    WR_TRY(find_table(c, t, schema, table, oid, &kind, err));
    if (!oid[0] && wr_opt_bool(spec->opts, "create", false)) {
        WR_TRY(create_table(c, spec, t, schema, table, err));
        WR_TRY(find_table(c, t, schema, table, oid, &kind, err));
    }
    if (!oid[0])
        return no_table(c, t, schema, table, err);
    if (!strchr("rpvf", kind))
        return wr_fail(err, WR_EIO, "\"%.*s\" is not a table", WR_FMT(t->plain));
    WR_TRY(check_columns(c, spec, t, oid, err));
    if (spec->n_key)
        WR_TRY(check_key(c, spec, t, oid, err));
    WR_TRY(check_rights(c, spec, t, oid, err));
    print_statements(spec, t);
    return WR_OK;
}

void wr_pg_target_clear(struct wr_pg_target *t)
{
    wr_arena_clear(&t->mem);
    *t = (struct wr_pg_target){0};
}

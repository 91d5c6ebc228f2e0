/* postgres_lookup.c: a table of PostgreSQL asked by key: the rows of many keys in one round trip, several questions at once.
 *
 *   SELECT "k"::bigint, "name"::text FROM "t" WHERE "k" = ANY($1::bigint[])
 *   several keys:  ... FROM "t" AS t JOIN unnest($1::bigint[], $2::text[]) AS weir_key (k0, k1) ON t."a" = k0 AND t."b" = k1
 *
 * Rules:  the server converts to the declared types, so a value that does not fit is its error, with its words. Keys travel as parameters.
 *         Each question has a connection of its own until it is answered, so the server works at several. A lost connection is made again, and the
 *         question asked again: it changes nothing.
 * Memory: answers are batches of the caller. A question keeps its parameters until it is answered. */
#include "connectors/postgres_common.h"
#include "core/time.h"

#include <stdlib.h>

enum { ANSWER_MS = 60000, TRIES = 5 };

struct line {
    PGconn *c;             /* NULL: not connected */
    bool sent;             /* the question is on its way */
    struct wr_buf *param;  /* by key column: the array */
};
struct lookup {
    struct wr_lookup base;
    struct wr_lookup_spec spec;
    struct wr_buf sql;
    struct line *line;     /* base.most of them; those of the open questions are first .. first + n_open - 1, as a ring */
    uint32_t first, n_open;
};

/* The type a column is read as; NULL: there is none. */
static const char *type_of(struct wr_type t, char *to, size_t size)
{
    switch ((enum wr_tid)t.id) {
    case WR_T_BOOL: return "boolean";
    case WR_T_INT: return "integer";
    case WR_T_BIGINT: return "bigint";
    case WR_T_DOUBLE: return "double precision";
    case WR_T_DECIMAL:
        (void)snprintf(to, size, "numeric(%d,%d)", t.prec, t.scale);
        return to;
    case WR_T_TEXT: case WR_T_JSON: return "text";
    case WR_T_DATE: return "date";
    case WR_T_TIME: return "time";
    case WR_T_TIMESTAMP: return "timestamp";
    case WR_T_TIMESTAMPTZ: return "timestamptz";
    case WR_T_NULL: case WR_T_BYTES: case WR_T_INTERVAL: case WR_T_ARRAY: case WR_T_ROW: case WR_T_COUNT: break;
    }
    return NULL;
}

static wr_status make_sql(struct lookup *l, struct wr_error *err)
{
    const struct wr_lookup_spec *s = &l->spec;
    struct wr_str table = wr_opt_text_or(s->opts, "table", ""), schema = {0}, name = {0};
    struct wr_arena tmp = {0};
    char type[32];
    wr_status st = wr_pg_table_name(table, &tmp, &schema, &name, err);
    wr_buf_puts(&l->sql, "SELECT ");
    for (int i = 0; st == WR_OK && i < s->schema->n; i++) {
        const struct wr_field *f = &s->schema->field[i];
        const char *as = type_of(f->type, type, sizeof type);
        if (!as) {
            struct wr_str t = wr_type_name(&tmp, f->type);
            st = wr_fail(err, WR_ESQL, "lookup table \"%.*s\": column \"%.*s\" is %.*s, which cannot be looked up", WR_FMT(s->name), WR_FMT(f->name), WR_FMT(t));
            break;
        }
        wr_buf_puts(&l->sql, i ? ", " : "");
        wr_buf_puts(&l->sql, "t.");
        wr_pg_ident(&l->sql, f->name);
        wr_buf_printf(&l->sql, "::%s", as);
    }
    wr_buf_puts(&l->sql, " FROM ");
    if (st == WR_OK && schema.n) {
        wr_pg_ident(&l->sql, schema);
        wr_buf_putc(&l->sql, '.');
    }
    if (st == WR_OK)
        wr_pg_ident(&l->sql, name);
    if (s->n_key == 1) { /* an index on the column serves this whatever the server believes of the table */
        const struct wr_field *f = &s->schema->field[s->key[0]];
        wr_buf_puts(&l->sql, " AS t WHERE t.");
        wr_pg_ident(&l->sql, f->name);
        wr_buf_printf(&l->sql, " = ANY($1::%s[])", st ? "text" : type_of(f->type, type, sizeof type));
        wr_buf_putc(&l->sql, 0);
        wr_arena_clear(&tmp);
        return st;
    }
    wr_buf_puts(&l->sql, " AS t JOIN unnest(");
    for (int i = 0; st == WR_OK && i < s->n_key; i++)
        wr_buf_printf(&l->sql, "%s$%d::%s[]", i ? ", " : "", i + 1, type_of(s->schema->field[s->key[i]].type, type, sizeof type));
    wr_buf_puts(&l->sql, ") AS weir_key (");
    for (int i = 0; i < s->n_key; i++)
        wr_buf_printf(&l->sql, "%sk%d", i ? ", " : "", i);
    wr_buf_puts(&l->sql, ") ON ");
    for (int i = 0; st == WR_OK && i < s->n_key; i++) {
        wr_buf_puts(&l->sql, i ? " AND t." : "t.");
        wr_pg_ident(&l->sql, s->schema->field[s->key[i]].name);
        wr_buf_printf(&l->sql, " = k%d", i);
    }
    wr_buf_putc(&l->sql, 0);
    wr_arena_clear(&tmp);
    return st;
}

/* One-dimensional array of keys as PostgreSQL reads it. */
static void put_array(struct wr_buf *out, const struct wr_vec *v, const uint32_t *row, uint32_t n)
{
    struct wr_buf text = WR_BUF_INIT(1 << 26);
    wr_buf_reset(out);
    wr_buf_putc(out, '{');
    for (uint32_t k = 0; k < n; k++) {
        struct wr_value x = wr_vec_get(v, row[k]);
        wr_buf_reset(&text);
        wr_print_value(&text, &x, WR_STYLE_SQL);
        wr_buf_puts(out, k ? ",\"" : "\"");
        for (size_t i = 0; i < text.n; i++) {
            if (text.p[i] == '"' || text.p[i] == '\\')
                wr_buf_putc(out, '\\');
            wr_buf_putc(out, text.p[i]);
        }
        wr_buf_putc(out, '"');
    }
    wr_buf_putc(out, '}');
    wr_buf_putc(out, 0);
    wr_buf_clear(&text);
}

static wr_status take(struct lookup *l, const PGresult *r, struct wr_batch **out, struct wr_error *err)
{
    const struct wr_schema *s = l->spec.schema;
    uint32_t n = (uint32_t)PQntuples(r);
    struct wr_batch *b = wr_batch_new(s, n ? n : 1);
    for (uint32_t k = 0; k < n; k++)
        for (int c = 0; c < s->n; c++) {
            struct wr_value v = {.type = s->field[c].type, .null = true};
            struct wr_str text = {PQgetvalue(r, (int)k, c), (uint32_t)PQgetlength(r, (int)k, c)};
            enum wr_reason why;
            if (!PQgetisnull(r, (int)k, c) && !wr_parse_value(s->field[c].type, text, &b->mem, &v, &why)) {
                wr_batch_unref(b);
                return wr_fail(err, WR_EIO, "lookup table \"%.*s\": \"%.*s\" in column \"%.*s\" is not of the declared type", WR_FMT(l->spec.name), WR_FMT(text),
                               WR_FMT(s->field[c].name));
            }
            wr_vec_set(&b->col[c], k, &v, b->cap, &b->mem);
        }
    b->len = b->n_live = n;
    *out = b;
    return WR_OK;
}

/* Sends the line's question; what fails here is seen, and told, when the answer is taken. */
static void start(struct lookup *l, struct line *x)
{
    const char **value = wr_calloc((size_t)l->spec.n_key + 1, sizeof *value);
    for (int i = 0; i < l->spec.n_key; i++)
        value[i] = x->param[i].p;
    (void)PQsetnonblocking(x->c, 1);
    x->sent = PQsendQueryParams(x->c, l->sql.p, l->spec.n_key, NULL, value, NULL, NULL, 0);
    if (x->sent)
        (void)PQflush(x->c);
    free(value);
}

static void lookup_ask(struct wr_lookup *base, const struct wr_vec *const *key, const uint32_t *row, uint32_t n)
{
    struct lookup *l = (struct lookup *)base;
    WR_ASSERT(l->n_open < l->base.most);
    struct line *x = &l->line[(l->first + l->n_open++) % l->base.most];
    for (int i = 0; i < l->spec.n_key; i++)
        put_array(&x->param[i], key[i], row, n);
    x->sent = false;
    struct wr_error later = WR_ERROR_INIT;
    if (x->c || wr_pg_connect(l->spec.opts, l->spec.stop, &x->c, &later) == WR_OK)
        start(l, x);
    wr_error_clear(&later);
}

/* One try. *again: another one may help. */
static wr_status answer(struct lookup *l, struct line *x, struct wr_batch **out, bool *again, struct wr_error *err)
{
    *again = true;
    if (!x->c)
        WR_TRY(wr_pg_connect(l->spec.opts, l->spec.stop, &x->c, err));
    if (!x->sent)
        start(l, x);
    PGresult *r = x->sent ? wr_pg_result(x->c, ANSWER_MS) : NULL;
    x->sent = false;
    wr_status st;
    if (r && PQresultStatus(r) == PGRES_TUPLES_OK) {
        *again = false;
        st = take(l, r, out, err);
    } else {
        *again = wr_pg_classify(x->c, r) == WR_PG_AGAIN;
        st = wr_pg_fail(x->c, r, err, "lookup table \"%.*s\"", WR_FMT(l->spec.name));
        PQfinish(x->c);
        x->c = NULL;
    }
    PQclear(r);
    return st;
}

static wr_status lookup_take(struct wr_lookup *base, struct wr_batch **out, struct wr_error *err)
{
    struct lookup *l = (struct lookup *)base;
    WR_ASSERT(l->n_open > 0);
    struct line *x = &l->line[l->first];
    wr_status st = WR_OK;
    bool again = true;
    for (int tries = 0; tries < TRIES && again; tries++) {
        wr_error_clear(err);
        st = answer(l, x, out, &again, err);
        again &= st != WR_OK;
    }
    l->first = (l->first + 1) % l->base.most;
    l->n_open--;
    return st;
}

static void lookup_close(struct wr_lookup *base)
{
    struct lookup *l = (struct lookup *)base;
    for (uint32_t k = 0; k < l->base.most; k++) {
        if (l->line[k].c)
            PQfinish(l->line[k].c);
        for (int i = 0; l->line[k].param && i < l->spec.n_key; i++)
            wr_buf_clear(&l->line[k].param[i]);
        free(l->line[k].param);
    }
    free(l->line);
    wr_buf_clear(&l->sql);
    free(l);
}

static wr_status lookup_open(const struct wr_lookup_spec *spec, struct wr_lookup **out, struct wr_error *err)
{
    int64_t most = wr_opt_int(spec->opts, "lookup_connections", 4);
    if (most < 1 || most > 64)
        return wr_fail(err, WR_ESQL, "option \"lookup_connections\" is %lld: 1 to 64 can be", (long long)most);
    struct lookup *l = wr_calloc(1, sizeof *l);
    l->base.vt = &wr_postgres_lookup;
    l->base.most = (uint32_t)most;
    l->spec = *spec;
    l->sql = (struct wr_buf)WR_BUF_INIT(1 << 20);
    l->line = wr_calloc((size_t)most, sizeof *l->line);
    for (uint32_t k = 0; k < l->base.most; k++) {
        l->line[k].param = wr_calloc((size_t)spec->n_key + 1, sizeof *l->line[k].param);
        for (int i = 0; i < spec->n_key; i++)
            l->line[k].param[i].max = 512 << 20;
    }
    wr_status st = wr_pg_check_opts(spec->opts, err);
    if (!st)
        st = make_sql(l, err);
    if (!st)
        st = wr_pg_connect(spec->opts, spec->stop, &l->line[0].c, err); /* the others when they are needed */
    if (st) {
        lookup_close(&l->base);
        return st;
    }
    *out = &l->base;
    return WR_OK;
}

/* Asks for no key: the server then says what is wrong with the table or its columns. */
static wr_status lookup_check(const struct wr_lookup_spec *spec, struct wr_error *err)
{
    struct wr_lookup *l;
    struct wr_batch *none = NULL;
    struct wr_vec empty = {0};
    const struct wr_vec **key = wr_calloc((size_t)spec->n_key + 1, sizeof *key);
    for (int i = 0; i < spec->n_key; i++)
        key[i] = &empty;
    wr_status st = lookup_open(spec, &l, err);
    if (!st) {
        lookup_ask(l, key, NULL, 0);
        st = lookup_take(l, &none, err);
        lookup_close(l);
    }
    wr_batch_unref(none);
    free(key);
    return st;
}

const struct wr_lookup_vt wr_postgres_lookup = {.check = lookup_check, .open = lookup_open, .ask = lookup_ask, .take = lookup_take, .close = lookup_close};

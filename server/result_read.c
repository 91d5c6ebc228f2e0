/* result_read.c: a job's current result, asked for: all of it, or the rows whose columns have given values.
 * Rules:  rows come in the result's order. The first question for a value of a key column makes an index of it, which is kept up to date from then on, so
 *         that the next ones look at no other rows.
 * Memory: an index holds a copy of the column and of the key; at most WR_RESULT_INDEXES of them. Everything is guarded by lock. */
#include <stdlib.h>

#include "core/json.h"
#include "core/key.h"
#include "parser/parse.h"
#include "server/result.h"

static struct wr_result_row *row_at(struct wr_omap_it it) { return (struct wr_result_row *)(intptr_t)wr_omap_num(it); }

/* ---- indexes ---- */

/* The value, a NUL (JSON text has none), the row's key: so the rows of one value stand together, in the result's order. */
static void index_put(struct wr_result *r, struct wr_result_index *x, struct wr_str key, const struct wr_result_row *row, int64_t by)
{
    struct wr_buf *at = &r->index_buf;
    wr_buf_reset(at);
    wr_buf_str(at, wr_result_cell(r, row, x->col));
    wr_buf_putc(at, 0);
    wr_buf_str(at, key);
    wr_omap_add(&x->map, wr_buf_get(at), by);
}

void wr_result_index_add(struct wr_result *r, struct wr_str key, const struct wr_result_row *row)
{
    for (int i = 0; i < r->n_index; i++)
        index_put(r, &r->index[i], key, row, 1);
}

void wr_result_index_drop(struct wr_result *r, struct wr_str key, const struct wr_result_row *row)
{
    for (int i = 0; i < r->n_index; i++)
        index_put(r, &r->index[i], key, row, -1);
}

/* Made now if there is none yet. NULL: the column cannot have one: it is no key column, or one value of it has several texts. */
static struct wr_result_index *index_of(struct wr_result *r, int col)
{
    bool key = false;
    for (int i = 0; i < r->n_index; i++)
        if (r->index[i].col == col)
            return &r->index[i];
    for (int i = 0; r->unique && i < r->n_key; i++)
        key |= r->key[i] == col;
    if (!key || r->n_index == WR_RESULT_INDEXES || r->schema->field[col].type.id == WR_T_DOUBLE)
        return NULL;
    struct wr_result_index *x = &r->index[r->n_index++];
    *x = (struct wr_result_index){.col = col};
    for (struct wr_omap_it it = wr_omap_first(&r->rows); wr_omap_valid(it); wr_omap_next(&it))
        index_put(r, x, wr_omap_key(it), row_at(it), 1);
    return x;
}

/* ---- what is wanted ---- */

struct want { int col; struct wr_str cell; };

static wr_status read_filters(struct wr_result *r, const struct wr_filter *f, int n, struct wr_arena *a, struct want *want, struct wr_error *err)
{
    for (int i = 0; i < n; i++) {
        int c = wr_schema_find(r->schema, wr_str_c(f[i].name));
        if (c < 0) {
            wr_fail(err, WR_EUSAGE, "the result has no column \"%s\"", f[i].name);
            wr_hint(err, "its columns are in the answer without filters");
            return WR_EUSAGE;
        }
        struct wr_type t = r->schema->field[c].type;
        struct wr_value v;
        enum wr_reason why;
        struct wr_buf text = WR_BUF_INIT(0);
        if (t.id == WR_T_ARRAY || t.id == WR_T_ROW)
            return wr_fail(err, WR_EUSAGE, "column \"%s\" is nested and cannot be asked for", f[i].name);
        if (!wr_parse_value(t, wr_str_c(f[i].value), a, &v, &why))
            return wr_fail(err, WR_EUSAGE, "\"%s\" is no value of column \"%s\": %s", f[i].value, f[i].name, wr_reason_help(why));
        wr_print_value(&text, &v, WR_STYLE_JSON);
        want[i] = (struct want){c, wr_arena_str(a, wr_buf_get(&text))};
        wr_buf_clear(&text);
    }
    return WR_OK;
}

static bool passes(const struct wr_result *r, const struct wr_result_row *x, const struct want *want, int n)
{
    for (int i = 0; i < n; i++)
        if (!wr_str_eq(wr_result_cell(r, x, want[i].col), want[i].cell))
            return false;
    return true;
}

static void put_columns(const struct wr_result *r, struct wr_buf *out)
{
    struct wr_arena a = {0};
    wr_buf_puts(out, "{\"columns\":[");
    for (int c = 0; c < r->schema->n; c++) {
        wr_buf_puts(out, c ? ",{\"name\":" : "{\"name\":");
        wr_put_json(out, r->schema->field[c].name);
        wr_buf_puts(out, ",\"type\":");
        bool nested = r->schema->field[c].type.id == WR_T_ARRAY || r->schema->field[c].type.id == WR_T_ROW;
        wr_put_json(out, nested ? WR_STR("NESTED") : wr_type_name(&a, r->schema->field[c].type));
        bool key = false;
        for (int k = 0; k < r->n_key && r->unique; k++)
            key |= r->key[k] == c;
        wr_buf_printf(out, ",\"key\":%s}", key ? "true" : "false");
    }
    wr_buf_puts(out, "],\"rows\":[");
    wr_arena_clear(&a);
}

struct put { uint64_t shown, limit; bool ndjson; struct wr_buf *out; };

static void put_one(const struct wr_result *r, const struct wr_result_row *x, const struct want *want, int n, struct put *p)
{
    if (!passes(r, x, want, n))
        return;
    for (int64_t k = 0; k < (r->unique ? 1 : x->count) && p->shown < p->limit; k++) {
        if (!p->ndjson && p->shown)
            wr_buf_putc(p->out, ',');
        wr_result_put_row(r, x, NULL, p->out);
        if (p->ndjson)
            wr_buf_putc(p->out, '\n');
        p->shown++;
    }
}

static void put_rows(struct wr_result *r, const struct want *want, int n, struct put *p)
{
    const struct want *by = NULL;
    for (int i = 0; i < n && !by; i++)
        by = index_of(r, want[i].col) ? &want[i] : NULL;
    if (!by) {
        for (struct wr_omap_it it = wr_omap_first(&r->rows); wr_omap_valid(it) && p->shown < p->limit; wr_omap_next(&it))
            put_one(r, row_at(it), want, n, p);
        return;
    }
    struct wr_buf at = WR_BUF_INIT(0);
    wr_buf_str(&at, by->cell);
    wr_buf_putc(&at, 0);
    struct wr_str head = wr_buf_get(&at);
    for (struct wr_omap_it it = wr_omap_seek(&index_of(r, by->col)->map, head); wr_omap_valid(it) && p->shown < p->limit; wr_omap_next(&it)) {
        struct wr_str key = wr_omap_key(it);
        if (key.n < head.n || memcmp(key.p, head.p, head.n) != 0)
            break;
        put_one(r, (const struct wr_result_row *)(intptr_t)wr_omap_get(&r->rows, (struct wr_str){key.p + head.n, key.n - head.n}), want, n, p);
    }
    wr_buf_clear(&at);
}

wr_status wr_result_get(struct wr_result *r, const struct wr_filter *f, int n, uint64_t limit, bool ndjson, struct wr_buf *out, struct wr_error *err)
{
    struct wr_arena a = {0};
    struct want want[32];
    pthread_mutex_lock(&r->lock);
    wr_status st = !r->schema ? wr_fail(err, WR_EUSAGE, "the job has no result yet")
                   : n > 32   ? wr_fail(err, WR_ELIMIT, "more than 32 filters")
                              : read_filters(r, f, n, &a, want, err);
    if (st == WR_OK) {
        if (!ndjson)
            put_columns(r, out);
        put_rows(r, want, n, &(struct put){0, limit, ndjson, out});
        if (!ndjson)
            wr_buf_printf(out, "],\"total\":%lld,\"kept\":%llu,\"updating\":%s,\"cut\":%s}\n", (long long)r->total, (unsigned long long)r->rows.n_key,
                          r->updating ? "true" : "false", r->cut ? "true" : "false");
    }
    pthread_mutex_unlock(&r->lock);
    wr_arena_clear(&a);
    return st;
}

/* ---- lines of those who follow ---- */

struct wr_sieve { struct wr_arena a; int n; struct { struct wr_str name, cell; } want[32]; };

wr_status wr_sieve_open(struct wr_result *r, const struct wr_filter *f, int n, struct wr_sieve **out, struct wr_error *err)
{
    struct want want[32];
    struct wr_sieve *s = wr_calloc(1, sizeof *s);
    pthread_mutex_lock(&r->lock);
    wr_status st = !r->schema ? wr_fail(err, WR_EUSAGE, "the job has no result yet")
                   : n > 32   ? wr_fail(err, WR_ELIMIT, "more than 32 filters")
                              : read_filters(r, f, n, &s->a, want, err);
    for (int i = 0; st == WR_OK && i < n; i++) {
        s->want[s->n].name = wr_arena_str(&s->a, r->schema->field[want[i].col].name);
        s->want[s->n++].cell = want[i].cell;
    }
    pthread_mutex_unlock(&r->lock);
    if (st) {
        wr_sieve_close(s);
        return st;
    }
    *out = s;
    return WR_OK;
}

static bool line_passes(const struct wr_sieve *s, struct wr_str line)
{
    struct wr_json_iter it;
    struct wr_str key, cell;
    int hits = 0;
    if (!wr_json_iter(&it, line))
        return false;
    while (wr_json_next(&it, &key, &cell))
        for (int i = 0; i < s->n; i++)
            hits += wr_json_key_is(key, s->want[i].name) && wr_str_eq(cell, s->want[i].cell);
    return hits == s->n;
}

void wr_sieve_lines(const struct wr_sieve *s, struct wr_str lines, struct wr_buf *out)
{
    while (lines.n > 0) {
        const char *nl = memchr(lines.p, '\n', lines.n);
        uint32_t n = nl ? (uint32_t)(nl - lines.p) : lines.n, used = nl ? n + 1 : n;
        if (!s || line_passes(s, (struct wr_str){lines.p, n}))
            wr_buf_add(out, lines.p, used);
        lines.p += used;
        lines.n -= used;
    }
}

void wr_sieve_close(struct wr_sieve *s)
{
    if (!s)
        return;
    wr_arena_clear(&s->a);
    free(s);
}

/* ---- as a table ---- */

bool wr_result_declare(struct wr_result *r, struct wr_buf *out)
{
    struct wr_arena a = {0};
    pthread_mutex_lock(&r->lock);
    bool known = r->schema != NULL;
    for (int c = 0; known && c < r->schema->n; c++) {
        struct wr_type t = r->schema->field[c].type;
        wr_buf_puts(out, c ? ", " : " (");
        wr_unparse_ident(out, r->schema->field[c].name);
        wr_buf_putc(out, ' ');
        wr_buf_str(out, t.id == WR_T_ARRAY || t.id == WR_T_ROW ? WR_STR("JSON") : wr_type_name(&a, t));
    }
    pthread_mutex_unlock(&r->lock);
    wr_buf_putc(out, ')');
    wr_arena_clear(&a);
    return known;
}

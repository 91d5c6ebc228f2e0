/* infer_types.c: which type each member of the sampled records has: see infer.c for the rules.
 * Memory: fields and names in the arena given; arrays of times malloc'd. */
#include "server/infer.h"

#include <ctype.h>
#include <stdlib.h>

#include "core/time.h"
#include "parser/parse.h"

enum { DEPTH_MOST = 6, FIELDS_MOST = 500, DECIMALS_MOST = 4, DIGITS_MOST = 30 };

/* ---- the tree ---- */

static struct wr_infer_field *member(struct wr_infer_field *of, struct wr_str key, struct wr_arena *mem)
{
    struct wr_infer_field **at = &of->first;
    int n = 0;
    for (; *at; at = &(*at)->next, n++)
        if (wr_str_eq((*at)->key, key))
            return *at;
    if (n == FIELDS_MOST)
        return NULL;
    struct wr_infer_field *f = WR_NEW(mem, struct wr_infer_field);
    f->key = wr_arena_str(mem, key);
    f->parent = of;
    f->least = INT64_MAX;
    f->most = INT64_MIN;
    f->name = of->parent ? wr_arena_printf(mem, "%.*s_%.*s", WR_FMT(of->name), WR_FMT(f->key)) : f->key;
    *at = f;
    return f;
}

static void add_time(struct wr_infer_field *f, uint32_t rec, int64_t value)
{
    if (f->n_time == f->cap_time) {
        f->cap_time = f->cap_time ? f->cap_time * 2 : 64;
        f->time = wr_realloc(f->time, sizeof *f->time * f->cap_time);
    }
    f->time[f->n_time++] = (struct wr_infer_at){rec, value};
}

void wr_infer_free(struct wr_infer_field *f)
{
    for (struct wr_infer_field *k = f->first; k; k = k->next)
        wr_infer_free(k);
    free(f->time);
}

/* ---- values ---- */

static uint32_t digits_of(struct wr_str s, uint32_t *at)
{
    uint32_t from = *at;
    while (*at < s.n && isdigit((unsigned char)s.p[*at]))
        (*at)++;
    return *at - from;
}

/* -12, 3.40, 1e5; false: no number. */
static bool take_number(struct wr_infer_field *f, struct wr_str s, uint32_t rec)
{
    uint32_t at = s.n && s.p[0] == '-' ? 1 : 0, whole = digits_of(s, &at), decimals = 0;
    bool point = at < s.n && s.p[at] == '.';
    if (point) {
        at++;
        decimals = digits_of(s, &at);
    }
    if (whole == 0 || (point && decimals == 0))
        return false;
    bool power = at < s.n && (s.p[at] == 'e' || s.p[at] == 'E');
    if (power) {
        at++;
        at += at < s.n && (s.p[at] == '-' || s.p[at] == '+');
        if (digits_of(s, &at) == 0)
            return false;
    }
    if (at != s.n)
        return false;
    f->digits = whole > f->digits ? whole : f->digits;
    f->scale = decimals > f->scale ? decimals : f->scale;
    f->n_real += power || decimals > DECIMALS_MOST;
    f->n_dec += !power && decimals > 0 && decimals <= DECIMALS_MOST;
    if (power || point)
        return true;
    f->n_int++;
    if (whole <= 18) {
        int64_t v = 0;
        for (uint32_t i = s.p[0] == '-' ? 1 : 0; i < s.n; i++)
            v = v * 10 + (s.p[i] - '0');
        v = s.p[0] == '-' ? -v : v;
        f->least = v < f->least ? v : f->least;
        f->most = v > f->most ? v : f->most;
        add_time(f, rec, v);
    }
    return true;
}

static void take_text(struct wr_infer_field *f, struct wr_str s, uint32_t rec)
{
    int64_t us;
    bool range;
    if (s.n == 10 && wr_date_parse(s, &us, &range)) {
        f->n_date++;
    } else if (s.n >= 16 && s.n <= 35 && wr_time_parse(s, &us, &range)) {
        f->n_stamp++;
        add_time(f, rec, us);
    } else {
        f->n_text++;
    }
}

static bool take_object(struct wr_infer_field *f, struct wr_str raw, uint32_t rec, int depth, struct wr_arena *mem);

static void take_json(struct wr_infer_field *f, struct wr_str raw, uint32_t rec, int depth, struct wr_arena *mem)
{
    struct wr_str text;
    switch (wr_json_kind(raw)) {
    case WR_JSON_BAD:
    case WR_JSON_NULL: return;
    case WR_JSON_BOOL: f->n_bool++; return;
    case WR_JSON_NUMBER: (void)take_number(f, raw, rec); return;
    case WR_JSON_STRING:
        if (wr_json_text(raw, mem, &text))
            take_text(f, text, rec);
        return;
    case WR_JSON_ARRAY: f->n_array++; return;
    case WR_JSON_OBJECT:
        f->n_object++;
        if (!take_object(f, raw, rec, depth + 1, mem))
            f->n_array++; /* as JSON */
        return;
    }
}

static bool take_object(struct wr_infer_field *f, struct wr_str raw, uint32_t rec, int depth, struct wr_arena *mem)
{
    struct wr_json_iter it;
    struct wr_str key, value, name;
    if (depth > DEPTH_MOST || !wr_json_iter(&it, raw))
        return false;
    while (wr_json_next(&it, &key, &value)) {
        struct wr_infer_field *k = wr_json_text(key, mem, &name) && name.n ? member(f, name, mem) : NULL;
        if (!k)
            return false;
        take_json(k, value, rec, depth, mem);
    }
    return !it.bad;
}

bool wr_infer_json(struct wr_infer_field *root, struct wr_str object, uint32_t rec, struct wr_arena *mem)
{
    return take_object(root, object, rec, 0, mem);
}

/* ---- CSV ---- */

/* The next field of the line, quotes taken off; false: no more. */
static bool next_cell(struct wr_str *line, bool *more, struct wr_str *cell)
{
    if (!*more)
        return false;
    uint32_t at = 0;
    bool quoted = line->n && line->p[0] == '"';
    if (quoted) {
        for (at = 1; at < line->n && !(line->p[at] == '"' && (at + 1 == line->n || line->p[at + 1] == ',')); at++)
            ;
        *cell = (struct wr_str){line->p + 1, at - 1};
        at = at < line->n ? at + 1 : at;
    } else {
        while (at < line->n && line->p[at] != ',')
            at++;
        *cell = (struct wr_str){line->p, at};
    }
    *more = at < line->n;
    line->p += *more ? at + 1 : at;
    line->n -= *more ? at + 1 : at;
    return true;
}

static uint32_t cells_of(struct wr_str line)
{
    uint32_t n = 0;
    bool more = true;
    struct wr_str cell;
    while (next_cell(&line, &more, &cell))
        n++;
    return n;
}

static struct wr_str without_return(struct wr_str s)
{
    return s.n && s.p[s.n - 1] == '\r' ? (struct wr_str){s.p, s.n - 1} : s;
}

bool wr_infer_is_csv(const struct wr_peeked *rec, uint32_t n)
{
    uint32_t cells = n ? cells_of(rec[0].value) : 0;
    for (uint32_t i = 1; i < n && i < 100; i++)
        if (cells_of(rec[i].value) != cells)
            return false;
    return cells > 1;
}

/* A first line of names: all different, none empty, none a number or a time. */
static bool is_header(struct wr_str line)
{
    struct wr_infer_field probe = {0};
    struct wr_arena mem = {0};
    struct wr_str cell;
    bool more = true, ok = true;
    uint32_t n = 0;
    while (next_cell(&line, &more, &cell)) {
        struct wr_infer_field *f = cell.n ? member(&probe, cell, &mem) : NULL;
        n++;
        ok = ok && f && !take_number(f, cell, 0);
        if (ok)
            take_text(f, cell, 0);
        ok = ok && f->n_text;
    }
    uint32_t named = 0;
    for (const struct wr_infer_field *f = probe.first; f; f = f->next)
        named++;
    wr_infer_free(&probe);
    wr_arena_clear(&mem);
    return ok && named == n;
}

static bool is_bool(struct wr_str s) { return wr_str_ieq_c(s, "true") || wr_str_ieq_c(s, "false"); }

bool wr_infer_csv(struct wr_infer_csv *csv, struct wr_infer_field *root, struct wr_str line, uint32_t rec)
{
    struct wr_str cell;
    bool more = true;
    line = without_return(line);
    if (!csv->begun) {
        csv->begun = true;
        root->header = is_header(line);
        struct wr_str names = line;
        for (int i = 1; next_cell(&names, &more, &cell); i++)
            (void)member(root, root->header ? cell : wr_arena_printf(csv->mem, "column%d", i), csv->mem);
        if (root->header)
            return true;
        more = true;
    }
    struct wr_infer_field *f = root->first;
    for (; next_cell(&line, &more, &cell) && f; f = f->next) {
        if (cell.n == 0 || take_number(f, cell, rec))
            continue;
        if (is_bool(cell))
            f->n_bool++;
        else
            take_text(f, cell, rec);
    }
    return !more && !f;
}

bool wr_infer_has_header(const struct wr_infer_field *root) { return root->header; }

bool wr_infer_all_text(const struct wr_peeked *rec, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!wr_utf8_valid(rec[i].value) || (rec[i].value.n && memchr(rec[i].value.p, 0, rec[i].value.n)))
            return false;
    return true;
}

/* ---- numbers that are times ---- */

static bool has(struct wr_str s, const char *part) { return memmem(s.p, s.n, part, strlen(part)) != NULL; }

static bool ends(struct wr_str s, const char *part)
{
    size_t n = strlen(part);
    return s.n >= n && memcmp(s.p + s.n - n, part, n) == 0;
}

static bool named_like_time(struct wr_str key)
{
    char low[64];
    uint32_t n = key.n < sizeof low ? key.n : (uint32_t)sizeof low;
    for (uint32_t i = 0; i < n; i++)
        low[i] = (char)tolower((unsigned char)key.p[i]);
    struct wr_str s = {low, n};
    return has(s, "time") || has(s, "date") || ends(s, "ts") || has(s, "epoch") || ends(s, "_at") || has(s, "created") || has(s, "updated") ||
           wr_str_eq_c(s, "t") || wr_str_eq_c(s, "at");
}

/* 0: seconds, 1: ms, 2: µs; -1: these numbers are no times of 2001 to 2100. */
static int unit_of(const struct wr_infer_field *f)
{
    int64_t least = INT64_C(1000000000), most = INT64_C(4102444800);
    if (!f->n_int || f->n_dec || f->n_real || f->digits > 18 || !named_like_time(f->key))
        return -1;
    for (int u = 0; u < 3; u++, least *= 1000, most *= 1000)
        if (f->least >= least && f->most < most)
            return u;
    return -1;
}

static bool only(const struct wr_infer_field *f, uint32_t n)
{
    return n > 0 && n == f->n_bool + f->n_int + f->n_dec + f->n_real + f->n_text + f->n_date + f->n_array + f->n_object + f->n_stamp;
}

static bool is_stamp(const struct wr_infer_field *f) { return only(f, f->n_stamp); }

static int shared_unit(const struct wr_infer_field *of, int found)
{
    for (const struct wr_infer_field *f = of->first; f; f = f->next) {
        int u = only(f, f->n_int) ? unit_of(f) : -1;
        found = found < 0 ? u : found; /* the first decides: there is one unit for a source */
        found = f->first ? shared_unit(f, found) : found;
    }
    return found;
}

static const struct wr_infer_field *root_of(const struct wr_infer_field *f)
{
    while (f->parent)
        f = f->parent;
    return f;
}

static bool is_epoch(const struct wr_infer_field *f)
{
    int u = only(f, f->n_int) ? unit_of(f) : -1;
    return u >= 0 && u == shared_unit(root_of(f), -1);
}

const char *wr_infer_unit(const struct wr_infer_field *root)
{
    static const char *const name[] = {"s", NULL, "us"};
    int u = shared_unit(root, -1);
    return u < 0 ? NULL : name[u];
}

int64_t wr_infer_us(const struct wr_infer_field *f, int64_t value)
{
    static const int64_t scale[] = {1000000, 1000, 1};
    int u = f->n_stamp ? -1 : unit_of(f);
    return u < 0 ? value : value * scale[u];
}

/* ---- columns ---- */

static void put_type(struct wr_buf *out, const struct wr_infer_field *f)
{
    uint32_t numbers = f->n_int + f->n_dec + f->n_real, texts = f->n_text + f->n_date + f->n_stamp;
    uint32_t whole = f->digits + 2 < 10 ? 10 : f->digits + 2; /* room for what is yet to come */
    if (is_stamp(f) || is_epoch(f))
        wr_buf_puts(out, "TIMESTAMP");
    else if (only(f, f->n_bool))
        wr_buf_puts(out, "BOOLEAN");
    else if (only(f, f->n_date))
        wr_buf_puts(out, "DATE");
    else if (only(f, numbers) && f->n_int == numbers && f->digits <= 18)
        wr_buf_puts(out, "BIGINT");
    else if (only(f, numbers) && f->n_real == 0 && f->digits <= DIGITS_MOST)
        wr_buf_printf(out, "DECIMAL(%u,%u)", whole + f->scale, f->scale);
    else if (only(f, numbers))
        wr_buf_puts(out, "DOUBLE");
    else if (only(f, 0) || only(f, texts) || !(numbers + texts + f->n_bool + f->n_array + f->n_object))
        wr_buf_puts(out, "TEXT");
    else
        wr_buf_puts(out, "JSON");
}

static void put_path(struct wr_buf *out, const struct wr_infer_field *f)
{
    if (!f->parent)
        return;
    put_path(out, f->parent);
    bool plain = f->key.n && !isdigit((unsigned char)f->key.p[0]);
    for (uint32_t i = 0; i < f->key.n; i++)
        plain &= isalnum((unsigned char)f->key.p[i]) || f->key.p[i] == '_';
    if (plain) {
        wr_buf_putc(out, '.');
        wr_buf_str(out, f->key);
        return;
    }
    wr_buf_puts(out, ".\"");
    for (uint32_t i = 0; i < f->key.n; i++)
        if (f->key.p[i] == '\'')
            wr_buf_puts(out, "''");
        else
            wr_buf_putc(out, f->key.p[i]);
    wr_buf_putc(out, '"');
}

/* Two paths can give one name (a.b_c and a_b.c): later ones get a number. */
static struct wr_str column_name(const struct wr_infer_field *f, struct wr_arena *mem, struct wr_buf *used)
{
    struct wr_str name = f->name;
    for (int k = 2;; k++) {
        struct wr_str mark = wr_arena_printf(mem, "\n%.*s\n", WR_FMT(name));
        if (!used->n || !memmem(used->p, used->n, mark.p, mark.n)) {
            wr_buf_str(used, mark);
            return name;
        }
        name = wr_arena_printf(mem, "%.*s_%d", WR_FMT(f->name), k);
    }
}

struct columns { enum wr_infer_form form; int *n; struct wr_buf *out, used; struct wr_arena mem; };

static void put_fields(struct columns *c, const struct wr_infer_field *of)
{
    for (const struct wr_infer_field *f = of->first; f; f = f->next) {
        if (only(f, f->n_object)) {
            put_fields(c, f);
            continue;
        }
        wr_buf_puts(c->out, (*c->n)++ ? ",\n    " : "    ");
        struct wr_str name = column_name(f, &c->mem, &c->used);
        wr_unparse_ident(c->out, name);
        wr_buf_putc(c->out, ' ');
        put_type(c->out, f);
        if (!wr_str_eq(name, f->key)) {
            wr_buf_puts(c->out, " PATH '$");
            put_path(c->out, f);
            wr_buf_putc(c->out, '\'');
        }
    }
}

void wr_infer_columns(const struct wr_infer_field *root, enum wr_infer_form form, int *n, struct wr_buf *out)
{
    struct columns c = {form, n, out, WR_BUF_INIT(1 << 20), {0}};
    put_fields(&c, root);
    wr_buf_clear(&c.used);
    wr_arena_clear(&c.mem);
}

/* ---- event time ---- */

/* Names that say "this is when it happened", best first. */
static int rank_of(struct wr_str key)
{
    static const char *const names[] = {"event_time", "event_timestamp", "event_ts", "eventtime", "timestamp", "ts", "time", "datetime", "at", "occurred_at",
                                        "created_at"};
    enum { N = sizeof names / sizeof names[0] };
    for (int i = 0; i < N; i++)
        if (wr_str_ieq_c(key, names[i]))
            return i;
    return N + !named_like_time(key);
}

static const struct wr_infer_field *best(const struct wr_infer_field *of, uint32_t n, const struct wr_infer_field *found)
{
    for (const struct wr_infer_field *f = of->first; f; f = f->next) {
        bool time = (is_stamp(f) || is_epoch(f)) && f->n_time * UINT64_C(10) >= n * UINT64_C(9);
        if (time && (!found || rank_of(f->key) < rank_of(found->key)))
            found = f;
        if (f->first)
            found = best(f, n, found);
    }
    return found;
}

const struct wr_infer_field *wr_infer_time(const struct wr_infer_field *root, uint32_t of)
{
    return best(root, of, NULL);
}

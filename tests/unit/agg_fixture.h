/* agg_fixture.h: aggregates from text, for their tests.
 * A call is {name, types of the arguments and further columns, options}; rows are text: "1|a; NULL|b; ~1|a" are three rows of two
 * columns, of which the third takes back (~). Types: i INTEGER, l BIGINT, n12.2 DECIMAL(12,2), d DOUBLE, t TEXT, y BYTES, j JSON,
 * b BOOLEAN, D DATE, T TIMESTAMP, I INTERVAL. Options: "distinct", "p=0.5", "sep=/", "order=1" (column), "order=1desc". */
#ifndef WR_TESTS_UNIT_AGG_FIXTURE_H
#define WR_TESTS_UNIT_AGG_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>
#include <stdlib.h>

#include "core/agg.h"
#include "core/decimal.h"

enum { FX_COLS = 4 };

struct fx {
    struct wr_arena mem;
    struct wr_aggcall call;
    int n_col;                        /* arguments, then further columns */
    struct wr_type col_type[FX_COLS];
};

static inline struct wr_type fx_type(const char **p)
{
    char c = *(*p)++;
    switch (c) {
    case 'i': return WR_TYPE_OF(INT);
    case 'l': return WR_TYPE_OF(BIGINT);
    case 'd': return WR_TYPE_OF(DOUBLE);
    case 't': return WR_TYPE_OF(TEXT);
    case 'y': return WR_TYPE_OF(BYTES);
    case 'j': return WR_TYPE_OF(JSON);
    case 'b': return WR_TYPE_OF(BOOL);
    case 'D': return WR_TYPE_OF(DATE);
    case 'T': return WR_TYPE_OF(TIMESTAMP);
    case 'I': return WR_TYPE_OF(INTERVAL);
    case '0': return WR_TYPE_OF(NULL);
    case 'n': {
        char *end;
        long prec = strtol(*p, &end, 10), scale = strtol(end + 1, &end, 10);
        *p = end;
        return wr_type_decimal((int)prec, (int)scale);
    }
    }
    fail_msg("no type \"%c\"", c);
    return WR_TYPE_OF(NULL);
}

static inline void fx_option(struct wr_aggcall *c, const char *word, size_t n)
{
    struct wr_str s = {word, (uint32_t)n};
    if (wr_str_eq_c(s, "distinct")) {
        c->distinct = true;
    } else if (strncmp(word, "p=", 2) == 0) {
        c->param = strtod(word + 2, NULL);
        c->has_param = true;
    } else if (strncmp(word, "sep=", 4) == 0) {
        c->sep = (struct wr_str){word + 4, (uint32_t)n - 4};
        c->has_param = true;
    } else if (strncmp(word, "order=", 6) == 0) {
        c->order[c->n_order] = word[6] - '0';
        c->order_desc[c->n_order++] = n > 7;
    } else {
        fail_msg("no option \"%.*s\"", (int)n, word);
    }
}

/* The call, not bound. n_arg: how many of the types are arguments; -1: as many as the aggregate takes at most. */
static inline void fx_call(struct fx *f, const char *name, const char *types, const char *options, bool retract, int n_arg)
{
    memset(f, 0, sizeof *f);
    f->call.fn = wr_agg_find(wr_str_c(name));
    if (!f->call.fn)
        fail_msg("no aggregate \"%s\"", name);
    f->call.filter = -1;
    f->call.retract = retract;
    f->call.mem = &f->mem;
    for (const char *p = types; *p; p += *p == ' ')
        f->col_type[f->n_col++] = fx_type(&p);
    for (const char *p = options; p && *p;) {
        size_t n = strcspn(p, " ");
        fx_option(&f->call, p, n);
        p += n + (p[n] == ' ');
    }
    f->call.n_arg = n_arg >= 0 ? n_arg : f->n_col < f->call.fn->max_arg ? f->n_col : f->call.fn->max_arg;
    for (int i = 0; i < f->call.n_arg; i++) {
        f->call.arg[i] = i;
        f->call.arg_type[i] = f->col_type[i];
    }
}

static inline wr_status fx_bind(struct fx *f, struct wr_error *err)
{
    wr_status st = wr_aggcall_bind(&f->call, err);
    for (int i = 0; !st && i < f->call.n_arg; i++)
        f->col_type[i] = f->call.arg_type[i]; /* the cast that was asked for */
    return st;
}

static inline void fx_open(struct fx *f, const char *name, const char *types, const char *options, bool retract)
{
    struct wr_error err = WR_ERROR_INIT;
    fx_call(f, name, types, options, retract, -1);
    if (fx_bind(f, &err))
        fail_msg("%s(%s): %s", name, types, err.msg);
}

static inline void fx_close(struct fx *f)
{
    wr_arena_clear(&f->mem);
}

/* Rows from text as a batch, each at the odd row numbers 1, 3, 5 ...; the even ones hold NULL and retract. */
struct fx_rows {
    struct wr_batch *b;
    uint32_t sel[256];
    uint32_t n;
    int8_t op[512];
};

static inline void fx_put(struct fx *f, struct wr_batch *b, int col, uint32_t row, struct wr_str text)
{
    struct wr_value val = {.type = f->col_type[col], .null = true};
    enum wr_reason why;
    if (!wr_str_eq_c(text, "NULL") && !wr_parse_value(f->col_type[col], text, &f->mem, &val, &why))
        fail_msg("\"%.*s\" is no %.*s", WR_FMT(text), WR_FMT(wr_type_name(&f->mem, f->col_type[col])));
    wr_vec_set(&b->col[col], row, &val, b->cap, &b->mem);
}

static inline struct wr_str fx_cut(const char **p, char end)
{
    size_t n = strcspn(*p, end == '|' ? "|;" : ";");
    struct wr_str s = wr_str_trim((struct wr_str){*p, (uint32_t)n});
    *p += n;
    return s;
}

static inline void fx_rows(struct fx *f, const char *text, struct fx_rows *r)
{
    struct wr_field field[FX_COLS] = {0};
    struct wr_schema schema = {.n = f->n_col, .field = field};
    for (int i = 0; i < f->n_col; i++)
        field[i].type = f->col_type[i];
    r->n = 0;
    r->b = wr_batch_new(&schema, 512);
    const char *p = text;
    while (*p) {
        uint32_t row = r->n * 2 + 1;
        p += strspn(p, " ");
        r->op[row - 1] = WR_OP_DELETE;
        r->op[row] = *p == '~' ? WR_OP_UPDATE_BEFORE : WR_OP_UPDATE_AFTER;
        p += *p == '~';
        for (int c = 0; c < f->n_col; c++) {
            struct wr_value null = {.null = true};
            wr_vec_set(&r->b->col[c], row - 1, &null, r->b->cap, &r->b->mem);
            fx_put(f, r->b, c, row, fx_cut(&p, '|'));
            p += *p == '|';
        }
        r->sel[r->n++] = row;
        p += strspn(p, " ");
        p += *p == ';';
    }
    r->b->len = r->n * 2;
    bool any = false;
    for (uint32_t i = 0; i < r->n; i++)
        any |= r->op[r->sel[i]] == WR_OP_UPDATE_BEFORE;
    r->b->op = any ? r->op : NULL;
}

/* The rows alone, at 0..n-1, columns without a NULL having no null array: what the fast loops are for. Not if there are retractions. */
static inline struct wr_batch *fx_dense(struct fx *f, const struct fx_rows *r)
{
    struct wr_field field[FX_COLS] = {0};
    struct wr_schema schema = {.n = f->n_col, .field = field};
    for (int i = 0; i < f->n_col; i++)
        field[i].type = f->col_type[i];
    struct wr_batch *b = wr_batch_new(&schema, 256);
    for (int i = 0; i < f->n_col; i++) {
        bool null = false;
        wr_vec_gather(&b->col[i], &r->b->col[i], r->sel, r->n, &b->mem, false);
        for (uint32_t k = 0; k < r->n; k++)
            null |= wr_vec_null(&b->col[i], k);
        if (!null)
            b->col[i].nulls = NULL;
    }
    b->len = r->n;
    return b;
}

/* ---- states */

static inline void *fx_state(const struct fx *f)
{
    void *s = aligned_alloc(16, (f->call.size + 31u) & ~15u);
    memset(s, 0xA5, f->call.size + 16u); /* init and load are given memory as it comes */
    return s;
}

static inline void *fx_new(const struct fx *f)
{
    void *s = fx_state(f);
    wr_aggcall_init(&f->call, s);
    return s;
}

static inline void fx_free(const struct fx *f, void *s)
{
    for (uint32_t i = 0; i < 16; i++)
        assert_int_equal(((unsigned char *)s)[f->call.size + i], 0xA5); /* nothing wrote behind the state */
    wr_aggcall_drop(&f->call, s);
    free(s);
}

/* Rows sel[from..to) into the state through wr_aggcall_add, with the state at an offset of its group entry. */
static inline void fx_add(const struct fx *f, void *s, const struct wr_batch *b, const uint32_t *sel, uint32_t n)
{
    char *group[256];
    struct wr_aggcall c = f->call;
    c.offset = 32;
    for (uint32_t k = 0; k < n; k++)
        group[k] = (char *)s - c.offset;
    wr_aggcall_add(&c, group, b, sel, n);
}

/* The result as psql prints it; "NULL"; "!" for an overflow. Lives in f->mem. */
static inline const char *fx_result(struct fx *f, const void *s)
{
    struct wr_vec out;
    wr_vec_init(&out, f->call.ret, 2, &f->mem);
    memset(wr_vec_nulls(&out, 2, &f->mem), 0x55, 2);
    bool ok = wr_aggcall_result(&f->call, s, &out, 1, &f->mem);
    assert_int_equal(out.nulls[0], 0x55);
    if (!ok)
        return "!";
    assert_true(out.nulls[1] <= 1);
    if (out.nulls[1])
        return "NULL";
    struct wr_buf text = WR_BUF_INIT(0);
    wr_print_vec(&text, &out, 1, WR_STYLE_SQL);
    const char *z = wr_arena_str(&f->mem, wr_buf_get(&text)).p;
    wr_buf_clear(&text);
    return z;
}

/* A copy by save and load; frees the original. */
static inline void *fx_reload(const struct fx *f, void *s)
{
    struct wr_buf bytes = WR_BUF_INIT(0), again = WR_BUF_INIT(0);
    void *copy = fx_state(f);
    wr_aggcall_save(&f->call, s, &bytes);
    fx_free(f, s);
    struct wr_str in = wr_buf_get(&bytes);
    assert_true(wr_aggcall_load(&f->call, copy, &in));
    assert_int_equal(in.n, 0);
    wr_aggcall_save(&f->call, copy, &again);
    assert_true(wr_str_eq(wr_buf_get(&bytes), wr_buf_get(&again)));
    wr_buf_clear(&bytes);
    wr_buf_clear(&again);
    return copy;
}

#endif

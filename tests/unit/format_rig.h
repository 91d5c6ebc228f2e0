/* format_rig.h: a table of columns, options and a format to try records on, for the tests of formats and connectors. */
#ifndef WR_TESTS_FORMAT_RIG_H
#define WR_TESTS_FORMAT_RIG_H

#include "connectors/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RIG_COLS = 200, RIG_OPTS = 32 };

struct rig {
    struct wr_arena mem;
    struct wr_coldef col[RIG_COLS];
    struct wr_schema *schema;
    struct wr_opt opt[RIG_OPTS];
    struct wr_opts opts;
    struct wr_source_spec spec;
    struct wr_decoder *dec;
    struct wr_batch *batch;
    struct wr_bad bad;
    struct wr_error err;
    struct wr_buf text;       /* answers */
};

static inline void rig_init(struct rig *r)
{
    memset(r, 0, sizeof *r);
    r->err = (struct wr_error)WR_ERROR_INIT;
    r->opts = (struct wr_opts){0, r->opt};
    r->spec.name = WR_STR("test");
    r->spec.opts = &r->opts;
    r->spec.col = r->col;
}

static inline struct wr_coldef *rig_col(struct rig *r, const char *name, struct wr_type type)
{
    struct wr_coldef *c = &r->col[r->spec.n_col];
    *c = (struct wr_coldef){.name = wr_str_c(name), .type = type, .off = -1, .pos = r->spec.n_col};
    r->spec.n_col++;
    return c;
}

static inline struct wr_coldef *rig_path(struct rig *r, const char *name, struct wr_type type, const char *path)
{
    struct wr_coldef *c = rig_col(r, name, type);
    c->path = wr_str_c(path);
    return c;
}

static inline void rig_opt(struct rig *r, const char *key, const char *value)
{
    r->opt[r->opts.n++] = (struct wr_opt){wr_str_c(key), wr_str_c(value), -1};
}

static inline void rig_schema(struct rig *r)
{
    r->schema = wr_schema_new(&r->mem, r->spec.n_col);
    for (int i = 0; i < r->spec.n_col; i++)
        r->schema->field[i] = (struct wr_field){.name = r->col[i].name, .type = r->col[i].type, .nullable = !r->col[i].not_null};
    r->spec.schema = r->schema;
}

static inline void rig_open(struct rig *r, const struct wr_format *f)
{
    rig_schema(r);
    r->spec.format = f;
    wr_status st = f->decoder_open(&r->spec, &r->dec, &r->err);
    if (st)
        print_error("%s\n", r->err.msg);
    assert_int_equal(st, WR_OK);
    r->batch = wr_batch_new(r->schema, 16);
}

static inline void rig_close(struct rig *r)
{
    if (r->dec)
        r->spec.format->decoder_close(r->dec);
    wr_batch_unref(r->batch);
    wr_buf_clear(&r->text);
    wr_arena_clear(&r->mem);
}

/* One record into row 0, from memory of exactly its size, so that a sanitizer sees a byte too far. Text of the row must be read before the
 * next call; the copy lives until then. */
static inline enum wr_reason rig_decode_n(struct rig *r, const char *p, size_t n)
{
    static char *copy;
    free(copy);
    copy = malloc(n ? n : 1);
    assert_non_null(copy);
    if (n)
        memcpy(copy, p, n);
    memset(&r->bad, 0, sizeof r->bad);
    enum wr_reason why = r->spec.format->decode(r->dec, (struct wr_str){copy, (uint32_t)n}, r->batch, 0, &r->bad);
    if (why)
        assert_int_equal(why, r->bad.reason);
    r->batch->len = r->batch->n_live = !why;
    if (!n) {
        free(copy);
        copy = NULL;
    }
    return why;
}

static inline enum wr_reason rig_decode(struct rig *r, const char *text)
{
    return rig_decode_n(r, text, strlen(text));
}

/* Row 0 as JSON values with blanks between; valid until the next call. */
static inline const char *rig_row(struct rig *r)
{
    wr_buf_reset(&r->text);
    for (int i = 0; i < r->spec.n_col; i++) {
        if (i)
            wr_buf_putc(&r->text, ' ');
        wr_print_vec(&r->text, &r->batch->col[i], 0, WR_STYLE_JSON);
    }
    wr_buf_putc(&r->text, 0);
    return r->text.p;
}

/* The record is good and gives this row. */
static inline void rig_gives(struct rig *r, const char *text, const char *row)
{
    enum wr_reason why = rig_decode(r, text);
    if (why)
        print_error("%s\n-> %s: %s\n", text, wr_reason_name(why), r->bad.msg);
    assert_int_equal(why, WR_R_NONE);
    assert_string_equal(rig_row(r), row);
}

/* The record is bad for this reason, because of this column (NULL: none). */
static inline void rig_refuses(struct rig *r, const char *text, enum wr_reason why, const char *column)
{
    enum wr_reason got = rig_decode(r, text);
    if (got != why)
        print_error("%s\n-> %s, not %s\n", text, wr_reason_name(got), wr_reason_name(why));
    assert_int_equal(got, why);
    assert_true(wr_str_eq_c(r->bad.column, column ? column : ""));
    assert_true(r->bad.msg[0] != 0);
}

#define DECIMAL(p, s) wr_type_decimal(p, s)
#define T(id) WR_TYPE_OF(id)

#endif

/* json_decode.h: what format_json.c (the walk through a record) and json_value.c (one member into one column) share.
 *
 * Rules:  a member that does not fit its column is noted and the walk goes on: text that turns out to be malformed further on counts as
 *         malformed, and a later member of the same name replaces an earlier one, as jansson has it.
 * Memory: a decoder's columns, wanted paths and their tables live in its arena; text of values borrows from the record, or from the
 *         batch's arena where it had escapes. */
#ifndef WR_CONNECTORS_JSON_DECODE_H
#define WR_CONNECTORS_JSON_DECODE_H

#include "connectors/internal.h"
#include "connectors/json_scan.h"

struct wr_jdec;

enum { WR_JSON_COLS = 2048 }; /* most columns */

/* Which short way json_quick.h has for a column. */
enum wr_quick { WR_QUICK_NONE, WR_QUICK_TEXT, WR_QUICK_INT, WR_QUICK_DECIMAL, WR_QUICK_DOUBLE, WR_QUICK_TIME };

/* A column to fill. */
struct wr_jcol {
    enum wr_quick quick;
    /* Takes the value at p into the row; returns the place behind it, or NULL when the text is malformed. */
    const char *(*store)(struct wr_jdec *d, const struct wr_jcol *c, const char *p);
    size_t vec_at;            /* bytes from the batch's beginning to the column's vector */
    uint64_t bit;             /* its bit in the sets of columns, */
    uint32_t word;            /* and which word of theirs */
    struct wr_type type;
    bool not_null;
    struct wr_str name;
    struct wr_str type_name;
    wr_i128 bound;            /* DECIMAL: 10^precision */
};

/* Why a column could not be filled; kept by column, read only when the whole record was well-formed. */
struct wr_jfail {
    enum wr_reason reason;
    char msg[160];
};

struct wr_jdec {
    struct wr_json j;         /* the record being read */
    struct wr_batch *into;
    uint32_t row;
    int depth;                /* objects and arrays open around the value being read */

    struct wr_arena mem;      /* all below that does not change */
    int n_col;                /* columns that come from the record */
    struct wr_jcol *col;
    struct wr_jwant *root;
    uint32_t n_word;          /* words of the sets below that are in use */
    uint64_t all[WR_JSON_COLS / 64];    /* sets of columns: every one, */
    uint64_t seen[WR_JSON_COLS / 64];   /* those that had a member in this record, */
    uint64_t failed[WR_JSON_COLS / 64]; /* and those whose member did not fit */
    bool any_failed;          /* `failed` is not empty */
    struct wr_jfail *fail;    /* by column */
    struct wr_buf scratch;    /* copies of odd records, unescaped keys */
    uint64_t max_bytes;       /* larger records are not looked at */

    int ts_scale;             /* numbers in time columns: digits between their unit and µs: 6, 3, 0 */
    bool ts_nanos;            /* nanoseconds: µs by division */
    uint64_t day_text;        /* "YYYY-MM-" of the last date read, */
    uint16_t day_rest;        /* "DD", */
    int64_t day_us;           /* and its midnight */
};

typedef const char *wr_jstore(struct wr_jdec *, const struct wr_jcol *, const char *);
/* The function that fills a column of this type from any value (NULL: the format cannot), and which short way goes before it. */
wr_jstore *wr_json_store_for(struct wr_type type, enum wr_quick *quick);
/* The day of "YYYY-MM-DD" at p into the decoder's memory of the last one. false: not one in the usual layout. */
bool wr_json_learn_day(struct wr_jdec *d, const char *p);

/* Notes that column c cannot take its value; msg as in wr_bad_set. */
void wr_json_note(struct wr_jdec *d, const struct wr_jcol *c, enum wr_reason reason, const char *fmt, ...) WR_PRINTF(4, 5);
/* NULL into column c, or a note if it is NOT NULL. how: "null" or "missing". */
void wr_json_put_null(struct wr_jdec *d, const struct wr_jcol *c, const char *how);

static inline struct wr_vec *wr_json_vec(struct wr_jdec *d, const struct wr_jcol *c)
{
    return (struct wr_vec *)(void *)((char *)d->into + c->vec_at);
}

/* The column's vector, with the row marked as not NULL. */
static inline struct wr_vec *wr_json_cell(struct wr_jdec *d, const struct wr_jcol *c)
{
    struct wr_vec *v = wr_json_vec(d, c);
    if (v->nulls)
        v->nulls[d->row] = 0;
    return v;
}

#endif

/* result.h: what result.c (rows, changes) and result_keep.c (the copy on disk) share. */
#ifndef WR_SERVER_RESULT_H
#define WR_SERVER_RESULT_H

#include <stdio.h>

#include "server/internal.h"

enum { WR_RESULT_LINES = 8192 };   /* change lines kept for those who follow */

struct wr_result_row {
    int64_t count;                 /* results without a key: how often the row is there */
    uint32_t n;                    /* bytes of all cells */
    uint32_t end[];                /* by column: where its cell ends; the cells, as JSON, stand behind */
};

/* Rows by the value of one key column: that value's text, a NUL, the row's key -> 1. */
enum { WR_RESULT_INDEXES = 4 };
struct wr_result_index { int col; struct wr_omap map; };

struct wr_result {
    pthread_mutex_t lock;
    pthread_cond_t more;           /* rows have changed */
    struct wr_arena arena;         /* schema */
    const struct wr_schema *schema;/* NULL: the job has not run yet */
    bool updating, unique;
    bool cut;                      /* rows beyond WR_RESULT_ROWS were forgotten */
    int n_key, *key;               /* columns that identify a row, in the order of rows */
    bool *desc;
    struct wr_omap rows;           /* key -> address of the row */
    int64_t total;                 /* rows of the result, forgotten ones included */
    uint64_t arrivals;             /* append-only results: rows so far, their key */
    struct wr_buf key_buf, text, index_buf;
    int n_index;
    struct wr_result_index index[WR_RESULT_INDEXES];

    char *line[WR_RESULT_LINES];   /* ring of changes */
    uint64_t next_line;
    int followers;

    char path[1200];               /* where it is kept; empty: nowhere */
    struct wr_keep *keep;
    struct wr_omap touched;        /* keys changed since the last save */
};

void wr_result_empty(struct wr_result *r);
struct wr_result_row *wr_result_row_new(struct wr_str cells, int n_col, const uint32_t *end, int64_t count);
struct wr_str wr_result_cell(const struct wr_result *r, const struct wr_result_row *x, int col);

void wr_result_put_row(const struct wr_result *r, const struct wr_result_row *x, const char *op, struct wr_buf *out);

/* result_read.c; lock is held: a row has come under a new key, or goes */
void wr_result_index_add(struct wr_result *r, struct wr_str key, const struct wr_result_row *row);
void wr_result_index_drop(struct wr_result *r, struct wr_str key, const struct wr_result_row *row);

/* result_keep.c; lock is held */
wr_status wr_result_keep_open(struct wr_result *r, struct wr_error *err);
wr_status wr_result_keep_save(struct wr_result *r, int64_t *gen, struct wr_error *err);
wr_status wr_result_keep_load(struct wr_result *r, int64_t gen, struct wr_error *err);
void wr_result_keep_close(struct wr_result *r);

#endif

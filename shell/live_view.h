/* live_view.h: what live.c (rows as they come) and live_draw.c (what is on the screen) share. */
#ifndef WR_SHELL_LIVE_VIEW_H
#define WR_SHELL_LIVE_VIEW_H

#include <pthread.h>

#include "shell/live.h"
#include "shell/print.h"

enum { WR_VIEW_ROWS = 10000 }; /* most rows kept; the rest is only counted */

/* One row of the result: its key, and its cells as text that is safe to print. */
struct wr_view_row {
    uint32_t n_key, n_bytes;
    int64_t count;       /* how often the row is in the result (without a unique key) */
    int64_t touched_us;  /* monotonic: when it last changed */
    char bytes[];        /* key; n_col lengths, uint32_t each; texts */
};

/* All below is guarded by `lock`, but for what never changes after wr_live_sink. */
struct wr_view {
    pthread_mutex_t lock;         /* the sink's task writes, the first task draws */
    bool collect;                 /* no picture: the rows are printed as an answer at the end (the shell's \x and \pset apply) */
    struct wr_grid grid;          /* collect: the rows */
    struct wr_str *name;          /* collect: columns, "op" last where results are taken back */
    uint64_t n_printed;           /* collect: rows that went out before the end, because they were very many */
    const struct wr_jobplan *plan;
    const struct wr_schema *schema; /* NULL: no rows, only the status line */
    bool updating;                /* keeps rows and redraws; else rows scroll by */
    bool unique;                  /* key columns identify a row: a change replaces it */
    int n_key;
    int *key;                     /* columns the rows are found and sorted by; a window's bounds first */
    bool *desc;                   /* newest windows first */
    bool *right;                  /* per column: numbers */
    struct wr_buf null_text;
    atomic_bool *stop;            /* the job's; q sets it */

    uint32_t n_row, cap_row;
    struct wr_view_row **row;     /* sorted by key */
    int64_t total;                /* rows in the result, kept or not */
    struct wr_buf key_buf, cell_buf, len_buf; /* scratch */

    struct wr_buf above;          /* lines to be printed above the rest: rows that scroll by, log lines */
    struct wr_buf held_text, held_len; /* scrolling: cells kept back until the columns' widths are known */
    uint32_t n_held;              /* rows in it */
    bool header_done;

    uint32_t *content;            /* per column: widest cell so far */
    uint32_t *width;              /* per column: as drawn */
    int n_show;                   /* columns drawn; the rest does not fit */
    int rows, cols;               /* terminal */
    int top;                      /* first row drawn: scrolled by the user */
    bool colors, utf8;
    struct wr_buf frame, shown;   /* lines being made, lines on the screen, each with its newline */
    int n_shown;                  /* lines on the screen */
    struct wr_buf out;

    int64_t start_us;             /* monotonic */
    struct { int64_t us; uint64_t records; } sample[20]; /* ring: for rows/s over the last two seconds */
    uint32_t n_sample;
};

/* live.c */
struct wr_str wr_view_cell(const struct wr_view *v, const struct wr_view_row *r, int col);
/* live_draw.c; the caller holds the lock. */
void wr_view_sized(struct wr_view *v);                   /* asks the terminal */
void wr_view_fit(struct wr_view *v);                     /* widths from content and the terminal's columns */
void wr_view_line(struct wr_view *v, struct wr_buf *out, const struct wr_str *cell, bool header);
void wr_view_header(struct wr_view *v, struct wr_buf *out);
void wr_view_draw(struct wr_view *v, const struct wr_job *job, bool last); /* job NULL: no new figures */

#endif

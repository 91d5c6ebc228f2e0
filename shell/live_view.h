/* live_view.h: what the files of the live view share: live.c (rows as they come), live_draw.c (the picture), live_status.c (the figures),
 * live_chart.c (sparklines), live_keys.c (keys, order of rows). */
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

enum wr_view_mode { WR_VIEW_TABLE, WR_VIEW_CHART, WR_VIEW_CHANGES };
enum wr_view_over { WR_OVER_NONE, WR_OVER_WHY, WR_OVER_KEYS }; /* shown instead, until a key is pressed */

/* All below is guarded by `lock`, but for what never changes after wr_live_start. */
struct wr_view {
    pthread_mutex_t lock;         /* the sink's task writes, the first task draws */
    bool collect;                 /* no table: the rows are printed as an answer at the end (the shell's \x and \pset apply) */
    bool quiet;                   /* a chart that nobody watches growing: it is printed at the end */
    struct wr_grid grid;          /* collect: the rows */
    struct wr_str *name;          /* collect: columns, "op" last where results are taken back */
    uint64_t n_printed;           /* collect: rows that went out before the end, because they were very many */
    const struct wr_schema *schema; /* NULL: no rows, only the status line */
    bool updating;                /* results are taken back */
    bool keeps;                   /* keeps rows and redraws; else rows scroll by */
    bool unique;                  /* key columns identify a row: a change replaces it */
    int n_key;
    int *key;                     /* columns the rows are found and sorted by; a window's bounds first */
    bool *desc;                   /* newest windows first */
    bool *right;                  /* per column: numbers */
    int win_start, win_end;       /* columns; -1: none */
    struct wr_buf null_text;
    atomic_bool *stop;            /* the job's; q sets it */

    uint32_t n_row, cap_row;
    struct wr_view_row **row;     /* sorted by key */
    int64_t total;                /* rows in the result, kept or not */
    int sort_col;                 /* column the user wants them sorted by; -1: by key */
    bool sort_down;
    uint32_t *order, cap_order;   /* sort_col: which row comes where; made anew for each picture */
    struct wr_buf key_buf, cell_buf, len_buf; /* scratch */

    enum wr_view_mode mode;
    enum wr_view_over over;
    int chart_col;                /* the numbers charted; -1: none can be */
    struct wr_buf why;            /* text of WR_OVER_WHY */

    struct wr_buf above;          /* lines to be printed above the rest: rows that scroll by, log lines */
    struct wr_buf held_text, held_len; /* scrolling: cells kept back until the columns' widths are known */
    struct wr_buf held_op;        /* a byte a row: enum wr_rowop */
    uint32_t n_held;              /* rows in it */
    bool header_done;

    uint32_t *content;            /* per column: widest cell so far */
    uint32_t *width;              /* per column: as drawn */
    int n_show;                   /* columns drawn; the rest does not fit */
    int rows, cols;               /* terminal */
    int top;                      /* first row drawn: scrolled by the user */
    int n_status;                 /* lines of figures in this picture */
    int last_top;                 /* greatest value of top that makes sense, from the last picture */
    bool colors, utf8, draws;
    struct wr_buf frame, shown;   /* lines being made, lines on the screen, each with its newline */
    int n_shown;                  /* lines on the screen */
    struct wr_buf out;

    int64_t start_us;             /* monotonic */
    struct { int64_t us; uint64_t records, lag; } sample[20]; /* ring: for speeds over the last two seconds */
    uint32_t n_sample;
};

/* live.c */
struct wr_str wr_view_cell(const struct wr_view *v, const struct wr_view_row *r, int col);
/* live_draw.c; the caller holds the lock. */
void wr_view_sized(struct wr_view *v);                   /* asks the terminal */
void wr_view_fit(struct wr_view *v);                     /* widths from content and the terminal's columns */
void wr_view_line(struct wr_view *v, struct wr_buf *out, const struct wr_str *cell, bool header);
void wr_view_header(struct wr_view *v, struct wr_buf *out);
void wr_view_draw(struct wr_view *v, const struct wr_gauge *g, bool last); /* g NULL: no new figures */
void wr_view_erase(struct wr_view *v);                   /* the picture goes, the cursor is where it began */
/* live_status.c: appends to v->frame */
void wr_view_status(struct wr_view *v, const struct wr_gauge *g, bool last);
void wr_put_bytes(struct wr_buf *out, uint64_t n);       /* "1.2 MB" */
/* live_chart.c: appends to v->frame, at most `most` lines (0: all) */
void wr_view_chart(struct wr_view *v, uint32_t most);
/* The column that is charted when none was named, or the one that was; -1: none. */
int wr_view_chart_column(const struct wr_view *v, struct wr_str name);
/* live_keys.c */
void wr_view_keys(struct wr_view *v);                    /* takes what was pressed */
void wr_view_sort(struct wr_view *v);                    /* v->order for this picture */
const struct wr_view_row *wr_view_row_at(const struct wr_view *v, uint32_t place);
extern const char wr_view_help[];                        /* lines of WR_OVER_KEYS */

#endif

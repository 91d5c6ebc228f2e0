/* print.h: rows of text on standard output, in the form the user chose. What the live table and the answers of SHOW have in common is here, too.
 * Rules:  control bytes never reach the terminal; columns are as wide as their widest cell in terminal columns, not in bytes. */
#ifndef WR_SHELL_PRINT_H
#define WR_SHELL_PRINT_H

#include "core/buf.h"
#include "planner/planner.h"

enum wr_form { WR_FORM_TABLE, WR_FORM_NDJSON, WR_FORM_CSV, WR_FORM_MARKDOWN };

/* How answers look beyond -o: the shell's \x, \t, \pset. One a process, as stdout is. */
struct wr_display {
    bool expanded;     /* \x: a line a column instead of a line a row */
    bool tuples_only;  /* \t: no header, no "(n rows)" */
    bool markdown;     /* \pset format markdown: instead of the table */
    bool collect;      /* the shell: rows of queries that end are printed like answers, all of the above applies */
    bool changes;      /* \pset changes: a live query shows its changes as they come instead of its result */
    bool charts;       /* \chart: a live query begins as a chart */
    enum { WR_CHART_NOT, WR_CHART_NONE, WR_CHART_DONE } charted; /* charts: none was asked for by a query; there were no numbers; done */
    struct wr_str chart; /* column to be charted; empty: the first of numbers */
    bool wrapped;      /* \pset format wrapped: long cells go on in further lines */
    bool pager;        /* what is longer than the screen goes through $PAGER */
};
struct wr_display *wr_display(void);

/* Cell texts, all in one buffer: filled by add, row by row, after begin. */
struct wr_grid {
    int n_col;
    uint32_t n_cell;
    const struct wr_str *name; /* n_col */
    bool *right;               /* n_col: numbers */
    struct wr_buf text;        /* escaped texts, one after another */
    struct wr_buf len;         /* their lengths, uint32_t each */
};
void wr_grid_begin(struct wr_grid *g, int n_col, const struct wr_str *name, bool *right);
void wr_grid_add(struct wr_grid *g, struct wr_str text);
void wr_grid_clear(struct wr_grid *g);
/* The whole grid as text; NDJSON and CSV have the plain texts as strings. */
void wr_grid_print(struct wr_buf *out, const struct wr_grid *g, enum wr_form form, const struct wr_display *d);

/* s filled up with blanks to width columns, or cut to them with "…" (ASCII terminals: "~"). last: nothing behind it, so no filling on its right. */
void wr_put_cell(struct wr_buf *out, struct wr_str s, uint32_t width, bool right, bool last);
/* The first bytes of s that take at most width columns, cut between characters. */
struct wr_str wr_text_cut_width(struct wr_str s, uint32_t width);
/* "1,234,567" */
void wr_put_number(struct wr_buf *out, uint64_t n);
/* Writes to stdout, through the pager where that is asked for. */
void wr_print_text(struct wr_str text);

#endif

/* term.h: the terminal under stdout: its size, what it can do, single keys, and how to leave it as it was.
 * One terminal a process, so this is process-wide. Nothing here may be called from two threads at once, but wr_term_rescue from anywhere. */
#ifndef WR_SHELL_TERM_H
#define WR_SHELL_TERM_H

#include <stdbool.h>

/* stdout is a terminal that understands cursor movement (TERM is set and not "dumb"). */
bool wr_term_draws(void);
bool wr_term_colors(void); /* NO_COLOR is not set */
bool wr_term_utf8(void);   /* by LC_ALL, LC_CTYPE, LANG */
/* Rows and columns; 24 x 80 where it cannot be asked. LINES and COLUMNS come second. */
void wr_term_size(int *rows, int *cols);
/* True once after the window changed its size; watch begins it (wr_term_enter does, too). */
void wr_term_watch(void);
bool wr_term_resized(void);

/* Single keys without echo, cursor hidden. Keys only when stdin is the same terminal and we are in the foreground. Ctrl-C stays a signal. */
void wr_term_enter(void);
void wr_term_leave(void); /* back to how it was; harmless when not entered */
/* As wr_term_leave, safe inside a signal handler: for those who then _exit. */
void wr_term_rescue(void);

enum wr_key { WR_KEY_NONE = -1, WR_KEY_UP = 256, WR_KEY_DOWN, WR_KEY_PAGE_UP, WR_KEY_PAGE_DOWN, WR_KEY_HOME, WR_KEY_END };
/* Next key that was pressed (a byte, or one of the above); WR_KEY_NONE at once when there is none. */
int wr_term_key(void);

#endif

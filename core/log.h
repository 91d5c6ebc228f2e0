/* log.h: diagnostics on stderr, one line an event. Data-derived text is escaped by the caller with wr_buf_escape. */
#ifndef WR_CORE_LOG_H
#define WR_CORE_LOG_H

#include "core/buf.h"

enum wr_level { WR_LOG_ERROR, WR_LOG_WARN, WR_LOG_INFO, WR_LOG_DEBUG };
void wr_log_set(enum wr_level most, bool json); /* default WARN, text */
/* comp: short component name ("kafka", "postgres", "job"). Thread-safe; each call is one line, at most 2,000 bytes. */
void wr_log(enum wr_level l, const char *comp, const char *fmt, ...) WR_PRINTF(3, 4);
bool wr_log_is_json(void);
/* Whose lines this thread writes from now on: a job's name, borrowed; NULL: nobody's. */
void wr_log_whose(const char *name);
/* What one place in the program may say of one job: WR_LOG_BURST lines in WR_LOG_WINDOW_US, then how many more there were. */
enum { WR_LOG_BURST = 10 };
#define WR_LOG_WINDOW_US INT64_C(10000000)
struct wr_log_gate { int64_t since; uint32_t passed, held; };
/* May a line pass at this time? *held: how many did not since the last that did; to be said with it. */
bool wr_log_pass(struct wr_log_gate *g, int64_t now_us, uint32_t *held);
/* Lines go to fn instead of stderr, each with its newline, one at a time: for who draws on the same terminal. NULL: stderr again. */
void wr_log_hook(void (*fn)(void *ctx, struct wr_str line), void *ctx);
/* Appends s with control bytes, ESC, newlines and invalid UTF-8 as \xNN, cut to max bytes with "…": safe for terminals and logs. */
void wr_buf_escape(struct wr_buf *out, struct wr_str s, uint32_t max);

#endif

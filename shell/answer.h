/* answer.h: statements that no plan answers: PRINT, INFER SOURCE, EXPLAIN WHY, and those about jobs. */
#ifndef WR_SHELL_ANSWER_H
#define WR_SHELL_ANSWER_H

#include "shell/session.h"

struct wr_stmt;

/* Answers it in this process; rows and texts go to stdout. */
wr_status wr_answer_here(struct wr_session *s, const struct wr_stmt *st, struct wr_arena *a, struct wr_error *err);

#endif

/* meta.h: backslash commands that are functions of other files than meta.c, which has the table of all. */
#ifndef WR_SHELL_META_H
#define WR_SHELL_META_H

#include "shell/repl.h"

/* Runs the statement being typed, else the last one; rows go to `to` (as wr_repl.to). */
void wr_meta_again(struct wr_repl *r, struct wr_str to);

/* meta_more.c */
void wr_m_watch(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_chart(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_why(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_lag(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_topics(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_infer(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_dj(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_conninfo(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_connect(struct wr_repl *r, struct wr_str *arg, int n);
/* meta_file.c */
void wr_m_i(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_ir(struct wr_repl *r, struct wr_str *arg, int n);
void wr_m_copy(struct wr_repl *r, struct wr_str *arg, int n);

#endif

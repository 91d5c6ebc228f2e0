/* far.h: the shell of a server: statements go over its HTTP API, their answers look like those of the local shell. */
#ifndef WR_SHELL_FAR_H
#define WR_SHELL_FAR_H

#include <jansson.h>

#include "shell/http.h"
#include "shell/session.h"

/* Runs the text on s->far, statement by statement. Rows to stdout, errors to stderr, as wr_session_run. */
wr_status wr_far_run(struct wr_session *s, const char *file, struct wr_str sql);
/* Asks whether it is there and the token is right. */
wr_status wr_far_check(const struct wr_peer *p, struct wr_error *err);
/* A list of jobs as GET /jobs has them. */
void wr_print_jobs(const struct wr_session *s, const json_t *jobs);

/* far_names.c: the server's names and columns into the session's catalog, for completion. */
void wr_far_mirror(struct wr_session *s);

#endif

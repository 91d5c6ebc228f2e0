/* session.h: from SQL text to its effects: parse, plan, run, answer. No terminal here: the shell, -c, run, check and the test runner use it.
 * Rows go to stdout (through the console connector), diagnostics to stderr. */
#ifndef WR_SHELL_SESSION_H
#define WR_SHELL_SESSION_H

#include <stdatomic.h>

#include "executor/job.h"
#include "planner/planner.h"

enum wr_output { WR_OUT_AUTO, WR_OUT_TABLE, WR_OUT_NDJSON, WR_OUT_CSV }; /* AUTO: table */

struct wr_peer; /* http.h */

struct wr_session {
    struct wr_catalog *catalog;
    enum wr_output output;
    bool final;                /* --final */
    bool until_end;            /* --until-end */
    bool offline;              /* plan without asking the connectors */
    bool messages;             /* print "CREATE SOURCE" and the like: interactive */
    bool live;                 /* stdout is a terminal: a query's result is redrawn in place */
    const char *checkpoint_dir; /* --checkpoint; NULL: none. Only for WR_RUN_FILE */
    int64_t checkpoint_us;     /* --every; 0: default */
    bool checkpoint_reset;     /* --reset */
    bool checkpoint_adapt;     /* --adapt */
    const char *savepoint;     /* --from-savepoint; NULL: none */
    atomic_bool *stop;         /* Ctrl-C, SIGTERM */
    struct wr_peer *far;       /* the server that statements go to; NULL: they run here */
    struct wr_buf last_why;    /* EXPLAIN WHY of the query that ran last; empty: none did */
    struct wr_buf proposed;    /* what the last INFER SOURCE wrote: \\g runs it */
    struct wr_buf last_parts;  /* its partitions and their lag, as \\lag prints them */
};

enum wr_session_mode {
    WR_RUN_FILE,   /* all statements that move rows are one job: weir run */
    WR_RUN_EACH,   /* one after the other; from the first that does not end by itself on, the rest are one job: weir -c */
    WR_RUN_PROMPT, /* each statement by itself: the shell */
    WR_RUN_CHECK   /* plan only, print the plan: weir check */
};

void wr_session_init(struct wr_session *s, atomic_bool *stop);
void wr_session_clear(struct wr_session *s);
/* Runs the text. file: for messages ("file:line:col"). Errors are printed to stderr here; the status says what exit code follows. */
wr_status wr_session_run(struct wr_session *s, const char *file, struct wr_str sql, enum wr_session_mode mode);
/* 0 done, 1 failed, 2 wrong usage or SQL, 3 fenced. */
int wr_exit_code(wr_status st);
/* Whole file into the arena; "-" is standard input. */
wr_status wr_read_file(const char *path, struct wr_arena *a, struct wr_str *out, struct wr_error *err);

/* On stderr: what was not in the result. reasons: of the bad rows; source: its name, for how to see them. */
void wr_say_losses(uint64_t late, uint64_t bad, struct wr_str reasons, struct wr_str source);

/* Rows of text, as psql prints a table (SHOW, DESCRIBE), in the session's output form. */
void wr_print_rows(const struct wr_session *s, const struct wr_rows *rows);

#endif

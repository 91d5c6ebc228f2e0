/* repl.h: the shell's state, and what its files do for each other. repl.c reads lines, meta.c has the backslash commands, help.c the texts,
 * complete.c the words that may come next. */
#ifndef WR_SHELL_REPL_H
#define WR_SHELL_REPL_H

#include "core/buf.h"
#include "shell/session.h"

struct wr_repl {
    struct wr_session s;
    struct wr_buf text;     /* statement typed so far */
    struct wr_buf last;     /* the one run before: \g, \e, \p without a new one */
    const char *file;       /* where lines come from, for messages */
    bool interactive;       /* a person types */
    bool timing;            /* \timing */
    bool done;              /* \q */
    bool mirrored;          /* on a server: its names are in the catalog, and nothing was run since */
    bool watching;          /* \watch runs statements: a Ctrl-C between two of them counts, too */
    bool stopped;           /* the statement that ran last was stopped by Ctrl-C */
    int depth;              /* files within files */
    wr_status worst;        /* first failure, for the exit code of scripts */
    const char *data;       /* --data: where the token of a server is */
    struct wr_buf to;       /* \o: where rows go, "file" or "|command"; empty: stdout */
};

/* ---- repl.c ---- */

/* One line that was typed or read. */
void wr_repl_line(struct wr_repl *r, struct wr_str line);
/* Lines of a text: \i, ~/.weirrc, standard input that is no terminal. */
void wr_repl_text(struct wr_repl *r, const char *file, struct wr_str text);
/* Runs statements; to: where their rows go (as wr_repl.to); empty: where \o says. */
void wr_repl_run(struct wr_repl *r, struct wr_str sql, enum wr_session_mode mode, struct wr_str to);
/* The statement being typed, else the last one, once more. false: it was stopped. */
bool wr_repl_again(struct wr_repl *r);
/* "weir: ..." on stderr; counts as a failure. */
void wr_repl_fail(struct wr_repl *r, const char *fmt, ...) WR_PRINTF(2, 3);

/* ---- meta.c ---- */

/* line begins with a backslash. */
void wr_meta_run(struct wr_repl *r, struct wr_str line);
const char *wr_meta_name(int i); /* "\\d"; NULL: no more */

/* ---- help.c ---- */

void wr_help_statement(struct wr_repl *r, struct wr_str name); /* \h; empty: the list */
const char *wr_help_name(int i);                               /* "CREATE SOURCE"; NULL: no more */

/* ---- complete.c ---- */

/* Calls add for each word that may stand at the place of `word`; before: what was typed before it, from the statement's beginning.
 * True: it is the name of a file. */
bool wr_complete_word(struct wr_catalog *c, struct wr_str before, struct wr_str word, void (*add)(void *ctx, struct wr_str), void *ctx);

/* complete_topic.c: topics of the brokers; brokers empty: of those that PRINT would ask. */
void wr_complete_topics(struct wr_catalog *c, struct wr_str brokers, void (*add)(void *ctx, struct wr_str), void *ctx);

#endif

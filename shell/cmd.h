/* cmd.h: the sub-commands of the program and what was given to them. */
#ifndef WR_SHELL_CMD_H
#define WR_SHELL_CMD_H

#include "shell/session.h"

struct wr_args {
    const char *sql;            /* -c */
    enum wr_output output;      /* -o */
    bool final, until_end;
    const char *port, *topics;  /* weir broker */
    bool no_rc;                 /* -X: ~/.weirrc is not read */
    int n_var;
    const char **var;           /* -v: "NAME=VALUE" */
    int n_path;
    const char **path;          /* all that is no option */
    const char *checkpoint;      /* --checkpoint DIR; NULL: none */
    int64_t every_us;            /* --every; 0: default */
    bool reset, adapt;           /* --reset, --adapt */
    const char *savepoint;       /* --from-savepoint */
    const char *listen, *data;   /* weir serve; data also for clients: where the token is */
    const char *server, *name;   /* clients: --server URL; weir submit --name */
    bool replace, behind_tls;
    int n_host, n_dir;
    const char **host, **dir;    /* --allow-host, --allow-files */
};

/* Each returns the exit code. */
int wr_cmd_shell(const struct wr_args *args);
int wr_cmd_broker(const struct wr_args *args);
int wr_cmd_demo(const struct wr_args *args);
/* A session with what the arguments say; false: a wrong -v, said so on stderr. */
bool wr_args_session(const struct wr_args *args, struct wr_session *s);
/* "weir: message" and the hint on stderr; returns the exit code of err. */
int wr_complain(const struct wr_error *err);

#endif

/* server.h: `weir serve`: keeps submitted jobs running, over restarts of itself, and answers HTTP about them. What the shell uses.
 * Memory: options are borrowed for the time of wr_serve(). */
#ifndef WR_SERVER_SERVER_H
#define WR_SERVER_SERVER_H

#include <stdatomic.h>

#include "core/error.h"

#define WR_SERVER_LISTEN "127.0.0.1:8090"
#define WR_SERVER_URL "http://127.0.0.1:8090"

struct wr_server_opts {
    const char *listen;        /* "ADDRESS:PORT"; port 0: any that is free. NULL: WR_SERVER_LISTEN */
    const char *data;          /* data directory; NULL: ~/.local/share/weir */
    const char *token;         /* bearer token; NULL: the one in the data directory, made at the first start */
    bool behind_tls;           /* an address other than loopback is allowed: something in front of us speaks TLS */
    int n_host;
    const char *const *host;   /* further names that a Host header may have */
    int n_dir;
    const char *const *dir;    /* directories that SQL may name files in */
    int n_var;
    const char *const *var;    /* "NAME=VALUE" for ${NAME} in options of every job */
    atomic_bool *stop;         /* set by a signal handler: take last checkpoints and leave */
};

/* Serves until *stop. Prints one line, "weir: listening on http://...", on stderr when it is ready. */
wr_status wr_serve(const struct wr_server_opts *o, struct wr_error *err);

/* DATA/token of the server on this machine, without its newline, into to. */
wr_status wr_server_token(const char *data, char *to, size_t size, struct wr_error *err);
/* The data directory when none is given; into to. */
wr_status wr_server_data(const char *data, char *to, size_t size, struct wr_error *err);

#endif

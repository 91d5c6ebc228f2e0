/* http.h: requests to a server's HTTP API, for the client commands and the remote shell.
 * Rules:  the token is WEIR_TOKEN, else the one in the data directory; it goes to the server only, never through a proxy, and is never printed.
 * Memory: an answer is at most 64 MiB; a stream's lines are handed on one by one. */
#ifndef WR_SHELL_HTTP_H
#define WR_SHELL_HTTP_H

#include <stdatomic.h>

#include "core/buf.h"

struct wr_peer {               /* a server */
    char base[900];            /* http://host:port, without a slash at the end */
    char token[256];
};
/* url NULL: the server on this machine; data NULL: the usual data directory. */
wr_status wr_peer_init(struct wr_peer *p, const char *url, const char *data, struct wr_error *err);
void wr_peer_clear(struct wr_peer *p); /* wipes the token */

struct wr_ask {
    const char *method;        /* GET, POST, DELETE */
    char path[256];
    char *body;                /* JSON, malloc'd; NULL: none */
    struct wr_buf answer;
    long status;
    int seconds;               /* most time the whole may take; 0: as long as it does */
    struct wr_str sql;         /* what the answer's places count from; p NULL: nothing */
};
/* An answer of 300 or more is an error in the server's own words; err->sql_off is its place in the SQL that was sent. */
wr_status wr_peer_ask(const struct wr_peer *p, struct wr_ask *c, struct wr_error *err);

/* POST whose answer is lines as they come. line: false ends it. tick: ten times a second, also while nothing comes; may be NULL. Ends when *stop is set. */
struct wr_listener {
    bool (*line)(void *ctx, struct wr_str line);
    void (*tick)(void *ctx);
    void *ctx;
    const atomic_bool *stop;
};
wr_status wr_peer_listen(const struct wr_peer *p, struct wr_ask *c, const struct wr_listener *l, struct wr_error *err);
void wr_ask_clear(struct wr_ask *c);

#endif

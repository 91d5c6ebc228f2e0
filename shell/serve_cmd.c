/* serve_cmd.c: weir serve.
 * Memory: options are borrowed from argv. */
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "server/server.h"
#include "shell/remote.h"
#include "shell/stop.h"

int wr_cmd_serve(const struct wr_args *args)
{
    struct wr_error err = WR_ERROR_INIT;
    if (args->n_path) {
        fprintf(stderr, "weir: \"weir serve\" takes options only; jobs come with \"weir submit FILE.sql\"\n");
        return 2;
    }
    struct wr_server_opts o = {.listen = args->listen,
                               .data = args->data,
                               .token = getenv("WEIR_TOKEN"),
                               .behind_tls = args->behind_tls,
                               .n_host = args->n_host,
                               .host = args->host,
                               .n_dir = args->n_dir,
                               .dir = args->dir,
                               .n_var = args->n_var,
                               .var = args->var,
                               .stop = wr_stop_flag()};
    return wr_serve(&o, &err) ? wr_complain(&err) : 0;
}

/* broker_cmd.c: `weir broker`: a throw-away Kafka broker until Ctrl-C.
 * Rules:  the address is the one line on stdout, so that a script can read it.
 * Memory: the broker's. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "connectors/kafka_broker.h"
#include "shell/cmd.h"
#include "shell/stop.h"

#ifndef WEIR_NO_KAFKA

static wr_status parse_port(const char *text, int *port, struct wr_error *err)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (end == text || *end || n < 0 || n > 65535)
        return wr_fail(err, WR_EUSAGE, "\"%s\" is not a port (0 to 65535)", text);
    *port = (int)n;
    return WR_OK;
}

int wr_cmd_broker(const struct wr_args *args)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_broker *broker = NULL;
    int port = 9092;
    wr_status st = args->n_path ? wr_fail(&err, WR_EUSAGE, "weir broker takes options only, not \"%s\"", args->path[0]) : WR_OK;
    if (st == WR_OK && args->port)
        st = parse_port(args->port, &port, &err);
    if (st == WR_OK)
        st = wr_broker_start(port, wr_str_c(args->topics ? args->topics : ""), &broker, &err);
    if (st)
        return wr_complain(&err);
    printf("%s\n", wr_broker_address(broker));
    fflush(stdout);
    fprintf(stderr, "a Kafka broker in memory, for trying things: nothing is kept. Ctrl-C ends it\n");
    while (!atomic_load(wr_stop_flag()))
        poll(NULL, 0, 1000); /* a signal ends the wait */
    wr_broker_stop(broker);
    return 0;
}

#else

int wr_cmd_broker(const struct wr_args *args)
{
    (void)args;
    struct wr_error err = WR_ERROR_INIT;
    wr_fail(&err, WR_EUSAGE, "this build has no Kafka");
    wr_hint(&err, "configure it with -DWEIR_KAFKA=ON");
    return wr_complain(&err);
}

#endif

/* made.c: see made.h. */
#include "connectors/made.h"

#include <poll.h>

void wr_made_wait(int64_t (*until_due)(const void *source, int64_t now), const void *source, const atomic_bool *stop, int wait_ms)
{
    int64_t end = wr_clock_mono() + (int64_t)wait_ms * 1000;
    for (;;) {
        int64_t now = wr_clock_mono(), us = until_due(source, now);
        if (us > end - now)
            us = end - now;
        if (us <= 0 || (stop && atomic_load_explicit(stop, memory_order_relaxed)))
            return;
        struct timespec nap = {.tv_nsec = (us < 50000 ? us : 50000) * 1000};
        ppoll(NULL, 0, &nap, NULL);
    }
}

wr_status wr_made_refuse(const struct wr_opts *opts, const char *name, const char *wants, struct wr_error *err)
{
    int32_t off = -1;
    struct wr_str value = wr_opt_text_or(opts, name, "");
    for (int i = 0; opts && i < opts->n; i++)
        if (wr_str_eq_c(opts->opt[i].key, name))
            off = opts->opt[i].off;
    wr_fail_at(err, WR_ESQL, off, "option \"%s\" cannot be \"%.*s\"", name, WR_FMT(value));
    wr_hint(err, "it is %s", wants);
    return WR_ESQL;
}

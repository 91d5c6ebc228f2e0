/* io.c: the small things several connectors need: writing all of a buffer to a descriptor, describing a bad row.
 * Rules:  a write is retried until all is out, unless the job is asked to stop; a closed reader (EPIPE) is WR_ESTOP, not a failure.
 * Memory: nothing is kept. */
#include "connectors/internal.h"
#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

wr_status wr_io_write(int fd, struct wr_str what, const char *p, size_t n, const atomic_bool *stop, struct wr_error *err)
{
    while (n) {
        ssize_t put = write(fd, p, n);
        if (put >= 0) {
            p += put;
            n -= (size_t)put;
            continue;
        }
        if (errno == EINTR || errno == EAGAIN) {
            if (stop && atomic_load_explicit(stop, memory_order_relaxed))
                return wr_fail(err, WR_ESTOP, "stopped while writing to \"%.*s\"", WR_FMT(what));
            if (errno == EAGAIN) {
                struct pollfd one = {.fd = fd, .events = POLLOUT};
                poll(&one, 1, 100);
            }
            continue;
        }
        if (errno == EPIPE)
            return wr_fail(err, WR_ESTOP, "nobody reads \"%.*s\" any more", WR_FMT(what));
        int code = errno;
        wr_fail(err, WR_EIO, "cannot write to \"%.*s\": %s", WR_FMT(what), strerror(code));
        if (code == ENOSPC || code == EDQUOT)
            wr_hint(err, "make room on the device and start again");
        return WR_EIO;
    }
    return WR_OK;
}

enum wr_reason wr_bad_set(struct wr_bad *why, enum wr_reason reason, struct wr_str column, const char *fmt, ...)
{
    why->reason = reason;
    why->column = column;
    va_list args;
    va_start(args, fmt);
    vsnprintf(why->msg, sizeof why->msg, fmt, args);
    va_end(args);
    return reason;
}

const char *wr_bad_quote(char to[WR_QUOTE_MAX], struct wr_str s)
{
    struct wr_buf text = WR_BUF_INIT(4096);
    wr_buf_putc(&text, '"');
    wr_buf_escape(&text, s, 60);
    wr_buf_putc(&text, '"');
    size_t n = text.n < WR_QUOTE_MAX - 1 ? text.n : WR_QUOTE_MAX - 1;
    memcpy(to, text.p, n);
    to[n] = 0;
    wr_buf_clear(&text);
    return to;
}

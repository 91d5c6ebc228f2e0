/* error.c: setting errors by value, and the end of the process for broken promises.
 * Rules:  the first error stays; texts are cut to their field between UTF-8 characters, never inside one.
 * Memory: none. */
#include "core/error.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Formats into a field; if the text did not fit, drops a character that was cut in two and ends with "...". */
static WR_PRINTF(3, 0) void put_text(char *field, size_t size, const char *fmt, va_list args)
{
    int n = vsnprintf(field, size, fmt, args);
    if (n < 0) {
        field[0] = 0;
        return;
    }
    if ((size_t)n < size)
        return;
    size_t end = size - 4;
    while (end > 0 && ((unsigned char)field[end] & 0xC0) == 0x80)
        end--;
    memcpy(field + end, "...", 4);
}

wr_status wr_fail(struct wr_error *err, wr_status code, const char *fmt, ...)
{
    if (err->code)
        return code;
    va_list args;
    va_start(args, fmt);
    put_text(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    err->code = code;
    err->sql_off = -1;
    err->hint[0] = 0;
    return code;
}

wr_status wr_fail_at(struct wr_error *err, wr_status code, int32_t sql_off, const char *fmt, ...)
{
    if (err->code)
        return code;
    va_list args;
    va_start(args, fmt);
    put_text(err->msg, sizeof err->msg, fmt, args);
    va_end(args);
    err->code = code;
    err->sql_off = sql_off;
    err->hint[0] = 0;
    return code;
}

void wr_hint(struct wr_error *err, const char *fmt, ...)
{
    if (!err->code || err->hint[0])
        return;
    va_list args;
    va_start(args, fmt);
    put_text(err->hint, sizeof err->hint, fmt, args);
    va_end(args);
}

void wr_error_clear(struct wr_error *err)
{
    *err = (struct wr_error)WR_ERROR_INIT;
}

_Noreturn void wr_bug(const char *file, int line, const char *fmt, ...)
{
    char text[1000];
    va_list args;
    va_start(args, fmt);
    put_text(text, sizeof text, fmt, args);
    va_end(args);
    (void)fprintf(stderr, "weir: a bug in weir itself: %s (%s:%d)\n", text, file, line);
    abort();
}

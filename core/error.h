/* error.h: errors by value. Every fallible function returns wr_status and takes `struct wr_error *err` last.
 * The first error stays: setting a second one on the same object changes nothing, so cleanup code cannot hide the cause. */
#ifndef WR_CORE_ERROR_H
#define WR_CORE_ERROR_H

#include <stdbool.h>
#include <stdint.h>

typedef enum {
    WR_OK = 0,
    WR_ESQL,   /* the statement is wrong: exit 2 */
    WR_EUSAGE, /* the command line or a setting is wrong: exit 2 */
    WR_EDATA,  /* a row is wrong: counted, the job goes on */
    WR_EIO,    /* the outside failed: broker, database, file */
    WR_ELIMIT, /* a stated limit was reached: memory, depth, length */
    WR_EFENCED,/* another instance of the job took over: exit 3 */
    WR_ESTOP   /* asked to stop; not a failure */
} wr_status;

struct wr_error {
    wr_status code;   /* WR_OK: nothing set yet */
    bool retriable;   /* the same call may succeed later */
    int32_t sql_off;  /* byte offset into the SQL text; -1: not about SQL text */
    char msg[400];    /* what happened, to which thing, where: lower case, no full stop, names in double quotes */
    char hint[240];   /* what the user can do about it; empty: none */
};

#define WR_ERROR_INIT {.code = WR_OK, .sql_off = -1}
#define WR_MUST_USE __attribute__((warn_unused_result))
#define WR_UNUSED __attribute__((unused))
#define WR_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* Return at once on failure; only where nothing is owned yet. */
#define WR_TRY(call)                \
    do {                            \
        wr_status wr_try_ = (call); \
        if (wr_try_)                \
            return wr_try_;         \
    } while (0)

/* Set err unless it is set already; returns code. err may not be NULL. Texts longer than the fields are cut. */
wr_status wr_fail(struct wr_error *err, wr_status code, const char *fmt, ...) WR_PRINTF(3, 4);
/* The same with a place in the SQL text (bytes from its start). */
wr_status wr_fail_at(struct wr_error *err, wr_status code, int32_t sql_off, const char *fmt, ...) WR_PRINTF(4, 5);
/* Adds a hint to an error already set, unless it has one. */
void wr_hint(struct wr_error *err, const char *fmt, ...) WR_PRINTF(2, 3);
/* Forget: for callers that handled the error. */
void wr_error_clear(struct wr_error *err);

/* A broken promise of our own code: prints the place and aborts. Never for what a user, a file or a network can cause. */
#define WR_BUG(...) wr_bug(__FILE__, __LINE__, __VA_ARGS__)
#define WR_ASSERT(cond)                              \
    do {                                             \
        if (!(cond))                                 \
            WR_BUG("broken promise: %s", #cond);     \
    } while (0)
_Noreturn void wr_bug(const char *file, int line, const char *fmt, ...) WR_PRINTF(3, 4);

#endif

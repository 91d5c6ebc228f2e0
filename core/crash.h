/* crash.h: when a fault of our own ends the process (a broken pointer, an assertion), one line says which record was in hand, so that it can be left
 * out (the Kafka source's option skip) until the fault is mended. */
#ifndef WR_CORE_CRASH_H
#define WR_CORE_CRASH_H

#include <stdint.h>

struct wr_place {
    const char *topic;   /* NUL-terminated; NULL: no record was taken */
    int32_t part;
    int64_t offset;
};
/* Who knows, for this thread. look is called inside a signal handler: it may only read memory that lives as long as it is set. */
struct wr_crash_at { void (*look)(void *who, struct wr_place *out); void *who; };
extern _Thread_local struct wr_crash_at wr_crash_at;

/* Installs the handler, where nobody else has one. The signal's usual effect comes after it. */
void wr_crash_install(void);

#endif

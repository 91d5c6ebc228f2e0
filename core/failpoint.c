/* failpoint.c: see failpoint.h.
 * Memory: a table filled before main; after that only the counters change, atomically, so points may be passed by any thread. */
#include "core/failpoint.h"

#ifdef WEIR_FAILPOINTS

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum action { KILL, EXIT, STOP, GIVE_EIO, GIVE_ENOSPC, DELAY, FAULT };
enum { MOST = 16, DELAY_MS = 300, EXIT_CODE = 86 };

static const char *const action_name[] = {"kill", "exit", "stop", "eio", "enospc", "delay", "fault"};

struct point {
    const char *name;    /* one of the list's */
    long nth;            /* acts at this passing, from 1 */
    bool ever_after;     /* and at all later ones */
    enum action action;
    long ms;             /* DELAY */
    atomic_long passed;
};

bool wr_failpoint_armed;
static struct point point[MOST];
static int n_point;

static const char *const known[] = {
#define X(name, where) name,
    WR_FAILPOINTS(X)
#undef X
};

_Noreturn static void refuse(const char *text, size_t n, const char *why)
{
    (void)fprintf(stderr, "WEIR_FAILPOINT: \"%.*s\": %s\n", (int)n, text, why);
    _exit(2);
}

static bool same(const char *p, size_t n, const char *z)
{
    return strlen(z) == n && memcmp(p, z, n) == 0;
}

/* "name:nth[+][:action[=ms]]" */
static void add_point(const char *text, size_t n)
{
    struct point *to = &point[n_point];
    const char *end = text + n, *colon = memchr(text, ':', n);
    if (n_point == MOST)
        refuse(text, n, "too many points");
    if (!colon)
        refuse(text, n, "write name:nth or name:nth:action");
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (same(text, (size_t)(colon - text), known[i]))
            to->name = known[i];
    if (!to->name)
        refuse(text, n, "there is no such point");
    char *rest = NULL;
    to->nth = strtol(colon + 1, &rest, 10);
    to->ms = DELAY_MS;
    if (to->nth < 1)
        refuse(text, n, "nth is a number from 1 on");
    if (*rest == '+') {
        to->ever_after = true;
        rest++;
    }
    if (rest != end) {
        bool found = false;
        const char *word = rest + 1, *equal = memchr(word, '=', (size_t)(end - word));
        for (size_t i = 0; i < sizeof action_name / sizeof *action_name; i++) {
            if (*rest != ':' || !same(word, (size_t)((equal ? equal : end) - word), action_name[i]))
                continue;
            to->action = (enum action)i;
            found = true;
        }
        if (!found)
            refuse(text, n, "the action is one of kill, exit, stop, eio, enospc, delay, delay=MS, fault");
        if (equal)
            to->ms = strtol(equal + 1, NULL, 10);
    }
    n_point++;
}

__attribute__((constructor)) static void read_points(void)
{
    const char *text = getenv("WEIR_FAILPOINT");
    while (text && *text) {
        size_t n = strcspn(text, ",");
        add_point(text, n);
        text += n + (text[n] == ',');
    }
    wr_failpoint_armed = n_point > 0;
}

static int act(const struct point *p)
{
    struct timespec t = {p->ms / 1000, p->ms % 1000 * 1000000};
    switch (p->action) {
    case KILL: (void)raise(SIGKILL); return 0;
    case EXIT: _exit(EXIT_CODE);
    case STOP: (void)raise(SIGSTOP); return 0;
    case GIVE_EIO: return EIO;
    case GIVE_ENOSPC: return ENOSPC;
    case DELAY: (void)nanosleep(&t, NULL); return 0;
    case FAULT: (void)raise(SIGSEGV); return 0;
    }
    return 0;
}

int wr_failpoint_pass(const char *name)
{
    for (int i = 0; i < n_point; i++) {
        struct point *p = &point[i];
        if (strcmp(p->name, name) != 0)
            continue;
        long now = atomic_fetch_add(&p->passed, 1) + 1;
        if (now == p->nth || (p->ever_after && now > p->nth)) {
            int e = act(p);
            if (e)
                return e;
        }
    }
    return 0;
}

#else

extern int wr_failpoint_none;

#endif

/* crash.c: see crash.h.
 * Rules:  the handler calls only what a handler may: it writes pieces of text with write(2), then raises the signal again with its default action.
 * Memory: none. */
#include "core/crash.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

_Thread_local struct wr_crash_at wr_crash_at;

static void say(const char *text)
{
    ssize_t ignored = write(STDERR_FILENO, text, strlen(text));
    (void)ignored;
}

static void say_number(int64_t n)
{
    char text[24], *p = text + sizeof text;
    uint64_t left = n < 0 ? 0 : (uint64_t)n;
    *--p = 0;
    do {
        *--p = (char)('0' + left % 10);
        left /= 10;
    } while (left);
    say(p);
}

static void on_fault(int sig)
{
    struct wr_place at = {0};
    if (wr_crash_at.look)
        wr_crash_at.look(wr_crash_at.who, &at);
    say("weir: ended by signal ");
    say_number(sig);
    if (at.topic) {
        say("; the last record taken: skip = '");
        say(at.topic);
        say(":");
        say_number(at.part);
        say(":");
        say_number(at.offset);
        say("'");
    }
    say("\n");
    (void)raise(sig); /* SA_RESETHAND: this time it ends us */
}

void wr_crash_install(void)
{
    static const int fault[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
    struct sigaction act = {.sa_handler = on_fault, .sa_flags = (int)(SA_RESETHAND | SA_NODEFER)}, was;
    for (unsigned i = 0; i < sizeof fault / sizeof *fault; i++)
        if (sigaction(fault[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL) /* a sanitizer's own handler says more */
            (void)sigaction(fault[i], &act, NULL);
}

/* stop.c: see stop.h.
 * Rules:  the handler only sets flags, and leaves with _exit after putting the terminal back: both allowed in a handler.
 *         System calls are interrupted, not restarted, so that waiting loops look at the flag.
 * Memory: nothing is allocated. */
#include "shell/stop.h"

#include <signal.h>
#include <unistd.h>

#include "shell/term.h"

static atomic_bool stop;
static volatile sig_atomic_t signals, patience = 2, terminated;

static void on_signal(int sig)
{
    signals = signals + 1;
    if (sig != SIGINT)
        terminated = 1;
    atomic_store(&stop, true);
    if (signals >= patience) {
        wr_term_rescue();
        _exit(130);
    }
}

void wr_stop_install(void)
{
    struct sigaction act = {.sa_handler = on_signal};
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);
    sigaction(SIGHUP, &act, NULL);
    act.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &act, NULL);
    sigaction(SIGXFSZ, &act, NULL); /* a file that may not grow is an error of its write */
}

atomic_bool *wr_stop_flag(void)
{
    return &stop;
}

void wr_stop_reset(void)
{
    signals = 0;
    atomic_store(&stop, terminated != 0);
}

void wr_stop_patience(int n)
{
    patience = n;
}

static void on_alarm(int sig)
{
    (void)sig;
    atomic_store(&stop, true);
}

void wr_stop_after(unsigned seconds)
{
    struct sigaction act = {.sa_handler = on_alarm};
    sigaction(SIGALRM, &act, NULL);
    alarm(seconds);
}

bool wr_stop_terminated(void)
{
    return terminated != 0;
}

/* stop.h: being asked to stop: Ctrl-C and SIGTERM. The first asks whatever runs to finish properly, one more leaves at once with 130. */
#ifndef WR_SHELL_STOP_H
#define WR_SHELL_STOP_H

#include <stdatomic.h>
#include <stdbool.h>

/* Installs the handlers; SIGPIPE is ignored from here on (a closed reader shows as an error of write). */
void wr_stop_install(void);
/* Set by the first signal; jobs watch it. */
atomic_bool *wr_stop_flag(void);
/* Forget what was asked: before the shell's next statement. */
void wr_stop_reset(void);
/* Leave at once with this signal: 2 is the second (the default); the shell has more patience. */
void wr_stop_patience(int signals);
void wr_stop_after(unsigned seconds); /* as if asked after so long */
bool wr_stop_terminated(void); /* SIGTERM or SIGHUP came: the shell ends, too */

#endif

/* notify.c: tells systemd how we are (Type=notify, WatchdogSec): one datagram to the socket named in the environment; without it, nothing.
 * Memory: none. */
#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "server/internal.h"

void wr_notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un to = {.sun_family = AF_UNIX};
    size_t n = path ? strlen(path) : 0;
    if (n < 2 || n >= sizeof to.sun_path || (*path != '/' && *path != '@'))
        return;
    memcpy(to.sun_path, path, n);
    if (*path == '@')
        to.sun_path[0] = 0; /* abstract */
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return;
    union { struct sockaddr_un *un; struct sockaddr *sa; } addr = {&to};
    ssize_t sent = sendto(fd, state, strlen(state), MSG_NOSIGNAL, addr.sa, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)sent;
    close(fd);
}

int64_t wr_notify_watchdog(void)
{
    const char *us = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
    if (!us || !*us || (pid && *pid && strtoll(pid, NULL, 10) != (long long)getpid()))
        return 0;
    long long n = strtoll(us, NULL, 10);
    return n > 0 && n < INT64_C(86400000000) ? n : 0;
}

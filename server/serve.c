/* serve.c: the server as a whole: data directory, token, start, the loop that looks after things, end.
 * Rules:  one server a data directory (a lock on DATA/lock); directory 0700, token 0600. On stop: no new requests, last checkpoints, leave.
 * Memory: all on this stack until the end. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"

wr_status wr_server_data(const char *data, char *to, size_t size, struct wr_error *err)
{
    const char *home = getenv("HOME"), *xdg = getenv("XDG_DATA_HOME");
    int n = data                ? snprintf(to, size, "%s", data)
            : xdg && *xdg       ? snprintf(to, size, "%s/weir", xdg)
            : home && *home     ? snprintf(to, size, "%s/.local/share/weir", home)
                                : -1;
    if (n < 0)
        return wr_fail(err, WR_EUSAGE, "no HOME, so the data directory has to be given: --data DIR");
    return (size_t)n < size ? WR_OK : wr_fail(err, WR_EUSAGE, "the name of the data directory is too long");
}

/* ---- the token ---- */

wr_status wr_server_token(const char *data, char *to, size_t size, struct wr_error *err)
{
    char dir[1024], path[1100];
    struct stat st;
    WR_TRY(wr_server_data(data, dir, sizeof dir, err));
    (void)snprintf(path, sizeof path, "%s/token", dir);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return wr_fail(err, errno == ENOENT ? WR_EUSAGE : WR_EIO, "cannot read the token in \"%s\": %s", path, strerror(errno));
    ssize_t n = fstat(fd, &st) == 0 ? read(fd, to, size - 1) : -1;
    close(fd);
    if (n > 0 && (st.st_mode & 077) != 0) {
        wr_fail(err, WR_EUSAGE, "others can read the token in \"%s\"", path);
        wr_hint(err, "chmod 600 it, and better make a new one");
        return WR_EUSAGE;
    }
    while (n > 0 && (to[n - 1] == '\n' || to[n - 1] == ' '))
        n--;
    if (n < 16)
        return wr_fail(err, WR_EUSAGE, "the token in \"%s\" is shorter than 16 bytes", path);
    to[n] = 0;
    return WR_OK;
}

static wr_status make_token(const char *dir, struct wr_error *err)
{
    char path[1100];
    unsigned char raw[24];
    (void)snprintf(path, sizeof path, "%s/token", dir);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno == EEXIST ? WR_OK : wr_fail(err, WR_EIO, "cannot write \"%s\": %s", path, strerror(errno));
    if (getrandom(raw, sizeof raw, 0) != sizeof raw) {
        close(fd);
        return wr_fail(err, WR_EIO, "the system has no random numbers");
    }
    char hex[2 * sizeof raw + 2];
    for (size_t i = 0; i < sizeof raw; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", raw[i]);
    hex[2 * sizeof raw] = '\n';
    bool ok = write(fd, hex, sizeof hex - 1) == (ssize_t)(sizeof hex - 1) && fsync(fd) == 0;
    close(fd);
    return ok ? WR_OK : wr_fail(err, WR_EIO, "cannot write \"%s\"", path);
}

/* ---- the directory ---- */

static wr_status make_dirs(char *path, struct wr_error *err)
{
    for (char *p = path + 1;; p++) {
        if (*p && *p != '/')
            continue;
        char was = *p;
        *p = 0;
        int rc = mkdir(path, 0700);
        int why = errno;
        *p = was;
        if (rc != 0 && why != EEXIST)
            return wr_fail(err, WR_EIO, "cannot make directory \"%s\": %s", path, strerror(why));
        if (!was)
            return WR_OK;
    }
}

static wr_status lock_data(const char *dir, int *fd, struct wr_error *err)
{
    char path[1100];
    (void)snprintf(path, sizeof path, "%s/lock", dir);
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (*fd < 0)
        return wr_fail(err, WR_EIO, "cannot write \"%s\": %s", path, strerror(errno));
    if (flock(*fd, LOCK_EX | LOCK_NB) == 0)
        return WR_OK;
    wr_fail(err, WR_EUSAGE, "another server uses \"%s\"", dir);
    wr_hint(err, "--data takes another directory");
    return WR_EUSAGE;
}

/* ---- running ---- */

/* What "systemctl status" shows. */
static void say_status(struct wr_jobs *m)
{
    char text[120];
    struct wr_sjob *j;
    int all = 0, run = 0, bad = 0;
    for (; (j = wr_jobs_at(m, all)) != NULL; all++) {
        pthread_mutex_lock(&j->lock);
        run += j->state == WR_JOB_RUNNING;
        bad += j->state == WR_JOB_FAILED || j->state == WR_JOB_WAITING;
        pthread_mutex_unlock(&j->lock);
        wr_sjob_unref(j);
    }
    (void)snprintf(text, sizeof text, "STATUS=%d of %d jobs run%s", run, all, bad ? ", some have failed: weir jobs" : "");
    wr_notify(text);
}

static void serve(struct wr_jobs *m, struct wr_http *h)
{
    const char *addr = m->o->listen ? m->o->listen : WR_SERVER_LISTEN;
    const char *colon = strrchr(addr, ':');
    if (wr_log_is_json())
        wr_log(WR_LOG_INFO, "server", "listening on http://%.*s:%d, data in %s", (int)(colon - addr), addr, wr_http_port(h), m->data);
    else
        fprintf(stderr, "weir: listening on http://%.*s:%d, data in %s\n", (int)(colon - addr), addr, wr_http_port(h), m->data);
    wr_notify("READY=1");
    int64_t ping = wr_notify_watchdog() / 2, second = 0, pinged = 0;
    int64_t step = ping > 0 && ping < WR_US_SEC / 4 ? ping : WR_US_SEC / 4;
    while (!atomic_load(m->o->stop)) {
        struct timespec pause = {.tv_nsec = (long)step * 1000};
        (void)nanosleep(&pause, NULL); /* a signal ends it */
        int64_t now = wr_clock_mono();
        if (now - second >= WR_US_SEC) {
            second = now;
            wr_http_second(h);
            wr_jobs_look(m); /* takes every job's lock: should one be held for ever, the watchdog hears no more of us */
            say_status(m);
        }
        if (ping > 0 && now - pinged >= ping) {
            pinged = now;
            wr_notify("WATCHDOG=1");
        }
    }
    wr_notify("STOPPING=1\nSTATUS=taking last checkpoints");
    wr_log(WR_LOG_INFO, "server", "stopping: last checkpoints");
    atomic_store(&m->closing, true);
    struct wr_sjob *j;
    for (int i = 0; (j = wr_jobs_at(m, i)) != NULL; i++) {
        wr_sjob_wake(j);
        wr_sjob_unref(j);
    }
}

wr_status wr_serve(const struct wr_server_opts *o, struct wr_error *err)
{
    static struct wr_jobs m; /* system.c knows it for as long as the process lives */
    struct wr_http *h = NULL;
    char token[256];
    int lock = -1;
    m = (struct wr_jobs){.o = o};
    (void)umask(077);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* a core would hold secrets */
    WR_TRY(wr_server_data(o->data, m.data, sizeof m.data, err));
    WR_TRY(make_dirs(m.data, err));
    if (chmod(m.data, 0700) != 0)
        return wr_fail(err, WR_EIO, "\"%s\" is not ours: %s", m.data, strerror(errno));
    WR_TRY(lock_data(m.data, &lock, err));
    wr_status st = WR_OK;
    if (o->token) {
        (void)snprintf(token, sizeof token, "%s", o->token);
        st = strlen(o->token) < 16 || strlen(o->token) >= sizeof token ? wr_fail(err, WR_EUSAGE, "the token is 16 to 255 bytes long") : WR_OK;
    } else {
        st = make_token(m.data, err);
        st = st ? st : wr_server_token(m.data, token, sizeof token, err);
    }
    if (st == WR_OK) {
        st = wr_jobs_open(&m, o, err);
        st = st ? st : wr_http_open(&m, token, &h, err);
        explicit_bzero(token, sizeof token);
        if (st == WR_OK)
            serve(&m, h);
        wr_http_close(h);
        wr_jobs_close(&m);
    }
    close(lock);
    return st;
}

/* metrics_process.c: the process in Prometheus' text format, with the names its client libraries use, so that ready-made dashboards find them.
 * Rules:  from /proc/self; what cannot be read is left out.
 * Memory: appended to the caller's buffer. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/internal.h"

static void put(struct wr_buf *out, const char *name, const char *help, const char *type, double v)
{
    wr_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n%s %.3f\n", name, help, name, type, name, v);
}

/* Fields of /proc/self/stat behind the name, from the third on; gives how many. */
static int read_stat(unsigned long long field[], int most)
{
    char text[1024];
    FILE *f = fopen("/proc/self/stat", "re");
    size_t n = f ? fread(text, 1, sizeof text - 1, f) : 0;
    int got = 0;
    if (f)
        (void)fclose(f);
    text[n] = 0;
    char *at = strrchr(text, ')'); /* the name may hold anything */
    at = at ? strchr(at, ' ') : NULL;
    at = at ? strchr(at + 1, ' ') : NULL; /* the state is a letter */
    while (at && got < most) {
        field[got++] = strtoull(at + 1, NULL, 10);
        at = strchr(at + 1, ' ');
    }
    return got;
}

static double boot_time(void)
{
    char line[256];
    double t = 0;
    FILE *f = fopen("/proc/stat", "re");
    while (f && fgets(line, sizeof line, f))
        if (strncmp(line, "btime ", 6) == 0)
            t = strtod(line + 6, NULL);
    if (f)
        (void)fclose(f);
    return t;
}

static int open_files(void)
{
    int n = -3; /* ".", "..", and the directory itself */
    DIR *d = opendir("/proc/self/fd");
    if (!d)
        return -1;
    while (readdir(d))
        n++;
    (void)closedir(d);
    return n;
}

void wr_put_process_metrics(struct wr_buf *out)
{
    enum { UTIME = 10, STIME = 11, THREADS = 16, START = 18, VSIZE = 19, RSS = 20, N }; /* proc(5), counted from field 4 */
    unsigned long long f[N + 1];
    double tick = (double)sysconf(_SC_CLK_TCK);
    int files = open_files();
    if (read_stat(f, N + 1) > RSS) {
        put(out, "process_cpu_seconds_total", "CPU time of the process", "counter", (double)(f[UTIME] + f[STIME]) / tick);
        put(out, "process_threads", "threads of the process", "gauge", (double)f[THREADS]);
        put(out, "process_start_time_seconds", "when the process started", "gauge", boot_time() + (double)f[START] / tick);
        put(out, "process_virtual_memory_bytes", "address space of the process", "gauge", (double)f[VSIZE]);
        put(out, "process_resident_memory_bytes", "memory of the process", "gauge", (double)f[RSS] * (double)sysconf(_SC_PAGESIZE));
    }
    if (files >= 0)
        put(out, "process_open_fds", "open files of the process", "gauge", files);
}

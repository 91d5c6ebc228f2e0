/* file_once.c: makes the file sink exactly once. A position is the length of the file once its bytes are on the disk, with a checksum of the last
 * of them; to start again from it the file is cut back to that length, so what was written after the checkpoint was taken is gone.
 * Rules:  a file that is shorter than the position, or has other bytes before it, was replaced by somebody: an error, never a guess.
 *         A job that appends and dies before its first checkpoint must find the length of before its first row: that is kept in a small
 *         file beside (".NAME.weir-start"), valid for this job only, until there is a checkpoint. After a failed fsync nothing is
 *         known about what is on the disk: the sink stays failed.
 * Memory: the path's copy; the descriptor is the sink's. */
#include "connectors/file.h"
#include "core/failpoint.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { VERSION = 1, TAIL = 4096 };

struct wr_file_once {
    int fd;
    char *path;
    char *start;     /* the file beside */
    char *dir;
    char *job;       /* whose start it is: job and sink */
    bool listed;     /* the directory with the file's name in it is on the disk */
    bool failed;     /* an fsync failed */
};

bool wr_file_once_can(struct wr_str path)
{
    struct wr_arena mem = {0};
    struct stat st;
    struct wr_str z = wr_arena_printf(&mem, "%.*s", WR_FMT(path));
    bool can = !wr_str_eq_c(path, "-") && (stat(z.p, &st) != 0 || S_ISREG(st.st_mode));
    wr_arena_clear(&mem);
    return can;
}

static char *text(const char *fmt, ...) WR_PRINTF(1, 2);
static char *text(const char *fmt, ...)
{
    char *z = NULL;
    va_list args;
    va_start(args, fmt);
    if (vasprintf(&z, fmt, args) < 0)
        WR_BUG("out of memory");
    va_end(args);
    return z;
}

wr_status wr_file_once_open(const char *path, const struct wr_sink_spec *spec, int *fd, struct wr_file_once **out, struct wr_error *err)
{
    *fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (*fd < 0)
        return wr_fail(err, WR_EIO, "cannot create \"%s\": %s", path, strerror(errno));
    struct wr_file_once *o = wr_calloc(1, sizeof *o);
    const char *slash = strrchr(path, '/');
    o->fd = *fd;
    o->path = text("%s", path);
    o->dir = slash ? text("%.*s/", (int)(slash - path), path) : text(".");
    o->start = slash ? text("%.*s/.%s.weir-start", (int)(slash - path), path, slash + 1) : text(".%s.weir-start", path);
    o->job = text("%.*s %.*s", WR_FMT(spec->job), WR_FMT(spec->name));
    *out = o;
    return WR_OK;
}

void wr_file_once_close(struct wr_file_once *o)
{
    if (!o)
        return;
    free(o->path);
    free(o->start);
    free(o->dir);
    free(o->job);
    free(o);
}

/* ---- the disk ---- */

static wr_status sync_dir(struct wr_file_once *o, struct wr_error *err)
{
    int fd = open(o->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return wr_fail(err, WR_EIO, "cannot open directory \"%s\": %s", o->dir, strerror(errno));
    int rc = fsync(fd), code = errno;
    close(fd);
    if (rc != 0 && code != EINVAL) /* EINVAL: a file system that keeps no directories */
        return wr_fail(err, WR_EIO, "cannot write directory \"%s\" to the disk: %s", o->dir, strerror(code));
    return WR_OK;
}

static wr_status sync_file(struct wr_file_once *o, struct wr_error *err)
{
    int code = WR_FAILPOINT("sink.sync");
    if (code)
        errno = code;
    if (code || o->failed || fdatasync(o->fd) != 0) {
        code = o->failed ? EIO : errno;
        o->failed = true;
        return wr_fail(err, WR_EIO, "cannot write \"%s\" to the disk: %s", o->path, strerror(code));
    }
    if (o->listed)
        return WR_OK;
    WR_TRY(sync_dir(o, err));
    o->listed = true;
    return WR_OK;
}

/* Checksum of the last bytes before `length`. */
static wr_status tail_of(struct wr_file_once *o, int64_t length, uint32_t *sum, struct wr_error *err)
{
    unsigned char tail[TAIL];
    size_t want = length < TAIL ? (size_t)length : TAIL, got = 0;
    while (got < want) {
        ssize_t n = pread(o->fd, tail + got, want - got, length - (int64_t)want + (int64_t)got);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return wr_fail(err, WR_EIO, "cannot read \"%s\": %s", o->path, n < 0 ? strerror(errno) : "it became shorter meanwhile");
        got += (size_t)n;
    }
    *sum = (uint32_t)crc32(0, tail, (uInt)want);
    return WR_OK;
}

static wr_status cut(struct wr_file_once *o, int64_t length, struct wr_error *err)
{
    if (ftruncate(o->fd, length) != 0 || lseek(o->fd, length, SEEK_SET) != length)
        return wr_fail(err, WR_EIO, "cannot cut \"%s\" back to %" PRId64 " bytes: %s", o->path, length, strerror(errno));
    return sync_file(o, err);
}

static wr_status length_of(struct wr_file_once *o, int64_t *length, struct wr_error *err)
{
    struct stat st;
    if (fstat(o->fd, &st) != 0)
        return wr_fail(err, WR_EIO, "cannot look at \"%s\": %s", o->path, strerror(errno));
    *length = st.st_size;
    return WR_OK;
}

/* ---- positions ---- */

wr_status wr_file_once_position(struct wr_file_once *o, struct wr_buf *out, struct wr_error *err)
{
    int64_t length;
    uint32_t sum;
    WR_TRY(sync_file(o, err));
    WR_TRY(length_of(o, &length, err));
    WR_TRY(tail_of(o, length, &sum, err));
    wr_buf_u8(out, VERSION);
    wr_buf_i64(out, length);
    wr_buf_u32(out, sum);
    return WR_OK;
}

wr_status wr_file_once_seek(struct wr_file_once *o, struct wr_str position, int64_t *length, struct wr_error *err)
{
    uint8_t version = 0;
    uint32_t sum = 0, now;
    int64_t have;
    bool good = wr_take_u8(&position, &version) && wr_take_i64(&position, length) && wr_take_u32(&position, &sum);
    if (!good || version != VERSION || *length < 0 || position.n)
        return wr_fail(err, WR_EIO, "the position of file \"%s\" in the checkpoint cannot be read", o->path);
    WR_TRY(length_of(o, &have, err));
    if (have < *length) {
        wr_fail(err, WR_EIO, "file \"%s\" has %" PRId64 " bytes, and %" PRId64 " were written up to the checkpoint", o->path, have, *length);
        wr_hint(err, "put the file back as it was, or start anew with --reset");
        return WR_EIO;
    }
    WR_TRY(tail_of(o, *length, &now, err));
    if (now != sum) {
        wr_fail(err, WR_EIO, "file \"%s\" was changed by somebody else since the checkpoint", o->path);
        wr_hint(err, "put the file back as it was, or start anew with --reset");
        return WR_EIO;
    }
    WR_TRY(cut(o, *length, err));
    (void)unlink(o->start); /* there is a checkpoint: no more need of it */
    return WR_OK;
}

/* ---- the length before the first row, for a job that appends ---- */

/* "weir-start 1\nJOB\nLENGTH\n" */
static bool read_start(struct wr_file_once *o, int64_t *length)
{
    char line[3][600] = {{0}};
    FILE *f = fopen(o->start, "re");
    bool good = f;
    for (int i = 0; i < 3 && good; i++)
        good = fgets(line[i], sizeof line[i], f) && line[i][strlen(line[i]) - 1] == '\n';
    if (f)
        fclose(f);
    if (!good || strcmp(line[0], "weir-start 1\n") != 0)
        return false;
    line[1][strlen(line[1]) - 1] = 0;
    if (strcmp(line[1], o->job) != 0)
        return false;
    char *end;
    errno = 0;
    *length = strtoll(line[2], &end, 10);
    return errno == 0 && *end == '\n' && *length >= 0;
}

static wr_status write_start(struct wr_file_once *o, int64_t length, struct wr_error *err)
{
    char *tmp = text("%s.tmp", o->start), *all = text("weir-start 1\n%s\n%" PRId64 "\n", o->job, length);
    int fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    wr_status st = WR_OK;
    if (fd < 0)
        st = wr_fail(err, WR_EIO, "cannot create \"%s\": %s", tmp, strerror(errno));
    if (!st)
        st = wr_io_write(fd, wr_str_c(tmp), all, strlen(all), NULL, err);
    if (!st && (fsync(fd) != 0 || rename(tmp, o->start) != 0))
        st = wr_fail(err, WR_EIO, "cannot write \"%s\": %s", o->start, strerror(errno));
    if (fd >= 0)
        close(fd);
    free(tmp);
    free(all);
    return st ? st : sync_dir(o, err);
}

wr_status wr_file_once_begin(struct wr_file_once *o, bool append, int64_t *length, struct wr_error *err)
{
    int64_t have;
    *length = 0;
    if (!append)
        return cut(o, 0, err);
    WR_TRY(length_of(o, &have, err));
    if (!read_start(o, length)) {
        *length = have;
        WR_TRY(write_start(o, have, err));
    }
    if (have < *length)
        return wr_fail(err, WR_EIO, "file \"%s\" has become shorter since the job began: %" PRId64 " bytes, %" PRId64 " then", o->path, have, *length);
    return cut(o, *length, err);
}

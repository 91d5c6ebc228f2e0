/* file.c: the file connector's sink, and its entry in the list of connectors (file_source.c reads).
 * Rules:  additions only; what a query takes back cannot be taken out of a file. mode = 'truncate' empties the file when the job starts,
 *         'append' goes on behind what is there (a CSV header is written only into an empty file). "-" is standard output.
 *         Exactly once (file_once.c): each checkpoint has the length that is safely on the disk; starting again cuts the file back to it.
 * Memory: `out` holds what is not written yet. */
#include "connectors/file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OUT_FULL = 256 << 10 };

struct file_sink {
    struct wr_sink sink;
    struct wr_arena mem;
    char *path;
    int fd;
    const struct wr_format *format;
    struct wr_encoder *enc;
    int n_col;
    int *all;                  /* column numbers 0..n_col-1 */
    bool header_due;           /* CSV into an empty file */
    struct wr_buf out;
    const atomic_bool *stop;
    bool append;
    struct wr_file_once *once; /* exactly once; NULL: not wanted, or not possible (a pipe, a device) */
};

static const struct wr_sink_vt file_sink;

static const struct wr_optdesc file_opts[] = {
    {"path", NULL, WR_AS_ANY, WR_OPT_TEXT, true, false, NULL, NULL, "file; '-' is standard input or output; sources also take a pattern or a list with commas"},
    {"follow", NULL, WR_AS_SOURCE, WR_OPT_BOOL, false, false, "false", NULL, "go on when the file grows, instead of ending"},
    {"mode", NULL, WR_AS_SINK, WR_OPT_ENUM, false, false, "truncate", "truncate|append", "empty the file at the start, or write behind what is there"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

static enum wr_accepts file_accepts(const struct wr_sink_spec *spec WR_UNUSED)
{
    return WR_ACCEPT_APPEND;
}

static bool is_stdout(const char *path)
{
    return strcmp(path, "-") == 0;
}

/* Could the file be written? Nothing is made or changed. */
static wr_status check_path(const char *path, struct wr_arena *mem, struct wr_error *err)
{
    struct stat st;
    if (is_stdout(path))
        return WR_OK;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return wr_fail(err, WR_EIO, "cannot write to \"%s\": it is a directory", path);
        if (access(path, W_OK) != 0)
            return wr_fail(err, WR_EIO, "cannot write to \"%s\": %s", path, strerror(errno));
        return WR_OK;
    }
    struct wr_str copy = wr_arena_str(mem, wr_str_c(path));
    char *z = wr_arena_bytes(mem, (size_t)copy.n + 1);
    memcpy(z, copy.p, (size_t)copy.n + 1);
    const char *dir = dirname(z);
    if (access(dir, W_OK | X_OK) != 0)
        return wr_fail(err, WR_EIO, "cannot create \"%s\": directory \"%s\": %s", path, dir, strerror(errno));
    return WR_OK;
}

static wr_status file_check(const struct wr_sink_spec *spec, struct wr_error *err)
{
    struct wr_arena mem = {0};
    struct wr_encoder *enc = NULL;
    const struct wr_format *format = spec->format ? spec->format : &wr_format_json;
    const char *path = wr_opt_cstr(spec->opts, "path", &mem);
    wr_status st = check_path(path ? path : "", &mem, err);
    if (!st)
        st = format->encoder_open(spec, &enc, err);
    if (enc)
        format->encoder_close(enc);
    wr_arena_clear(&mem);
    return st;
}

static void file_promise(const struct wr_sink_spec *spec, struct wr_buf *out)
{
    struct wr_str path = wr_opt_text_or(spec->opts, "path", "-");
    if (spec->exactly_once && wr_file_once_can(path))
        wr_buf_puts(out, "exactly once: after a failure the file is cut back to the length of the last checkpoint");
    else if (spec->exactly_once)
        wr_buf_puts(out, "at least once: what went to a pipe or a device cannot be taken back after a failure");
    else
        wr_buf_puts(out, "at least once: rows written before a failure stay in the file");
}

static void file_close(struct wr_sink *sink)
{
    struct file_sink *f = (struct file_sink *)sink;
    if (f->enc)
        f->format->encoder_close(f->enc);
    wr_file_once_close(f->once);
    if (f->fd >= 0)
        close(f->fd);
    wr_buf_clear(&f->out);
    wr_arena_clear(&f->mem);
    free(f->all);
    free(f);
}

static wr_status open_path(struct file_sink *f, const struct wr_sink_spec *spec, struct wr_error *err)
{
    struct stat st;
    bool append = f->append;
    if (spec->exactly_once && wr_file_once_can(wr_str_c(f->path)))
        return wr_file_once_open(f->path, spec, &f->fd, &f->once, err); /* seek decides what stays */
    int how = O_WRONLY | O_CREAT | O_CLOEXEC | (append ? O_APPEND : O_TRUNC);
    f->fd = is_stdout(f->path) ? dup(STDOUT_FILENO) : open(f->path, how, 0644);
    if (f->fd < 0)
        return wr_fail(err, WR_EIO, "cannot create \"%s\": %s", f->path, strerror(errno));
    f->header_due = f->format->header && !(append && fstat(f->fd, &st) == 0 && st.st_size > 0);
    return WR_OK;
}

static wr_status file_open(const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err)
{
    struct file_sink *f = wr_calloc(1, sizeof *f);
    f->sink.vt = &file_sink;
    f->fd = -1;
    f->stop = spec->stop;
    f->format = spec->format ? spec->format : &wr_format_json;
    f->path = wr_opt_cstr(spec->opts, "path", &f->mem);
    f->n_col = spec->schema->n;
    f->all = wr_calloc((size_t)f->n_col + 1, sizeof *f->all);
    for (int i = 0; i < f->n_col; i++)
        f->all[i] = i;
    wr_status st = f->path ? WR_OK : wr_fail(err, WR_EUSAGE, "connector \"file\" needs the option \"path\"");
    if (!st)
        st = f->format->encoder_open(spec, &f->enc, err);
    f->append = wr_str_eq_c(wr_opt_text_or(spec->opts, "mode", "truncate"), "append");
    if (!st)
        st = open_path(f, spec, err);
    if (st) {
        file_close(&f->sink);
        return st;
    }
    *out = &f->sink;
    return WR_OK;
}

static wr_status push_out(struct file_sink *f, struct wr_error *err)
{
    wr_status st = wr_io_write(f->fd, wr_str_c(f->path), f->out.p, f->out.n, f->stop, err);
    f->sink.bytes += f->out.n;
    wr_buf_reset(&f->out);
    return st;
}

static void put_header(struct file_sink *f)
{
    size_t before = f->out.n;
    f->header_due = false;
    f->format->header(f->enc, &f->out);
    if (f->out.n > before)
        wr_buf_putc(&f->out, '\n');
}

static wr_status file_write(struct wr_sink *sink, struct wr_batch *batch, struct wr_error *err)
{
    struct file_sink *f = (struct file_sink *)sink;
    wr_status st = WR_OK;
    if (f->header_due)
        put_header(f);
    for (uint32_t k = 0; k < batch->n_live && !st; k++) {
        uint32_t row = wr_batch_row(batch, k);
        if (wr_op_is_retract(wr_batch_op(batch, row))) {
            st = wr_fail(err, WR_ELIMIT, "cannot take a row out of file \"%s\" again", f->path);
            break;
        }
        f->format->encode(f->enc, batch, row, f->all, f->n_col, &f->out);
        wr_buf_putc(&f->out, '\n');
        if (f->out.overflow)
            st = wr_fail(err, WR_ELIMIT, "a row for file \"%s\" is too large", f->path);
        else if (f->out.n >= OUT_FULL)
            st = push_out(f, err);
    }
    sink->rows += batch->n_live;
    wr_batch_unref(batch);
    return st;
}

static wr_status file_flush(struct wr_sink *sink, struct wr_error *err)
{
    struct file_sink *f = (struct file_sink *)sink;
    if (f->header_due)
        put_header(f);
    return f->out.n ? push_out(f, err) : WR_OK;
}

static wr_status file_position(struct wr_sink *sink, struct wr_buf *out, struct wr_error *err)
{
    struct file_sink *f = (struct file_sink *)sink;
    WR_TRY(file_flush(sink, err));
    return f->once ? wr_file_once_position(f->once, out, err) : WR_OK;
}

static wr_status file_seek(struct wr_sink *sink, struct wr_str position, struct wr_error *err)
{
    struct file_sink *f = (struct file_sink *)sink;
    int64_t length = 0;
    if (!f->once)
        return WR_OK;
    if (position.n)
        WR_TRY(wr_file_once_seek(f->once, position, &length, err));
    else
        WR_TRY(wr_file_once_begin(f->once, f->append, &length, err));
    wr_buf_reset(&f->out);
    f->header_due = f->format->header && length == 0;
    return WR_OK;
}

static const struct wr_sink_vt file_sink = {
    .accepts = file_accepts,
    .check = file_check,
    .promise = file_promise,
    .open = file_open,
    .write = file_write,
    .flush = file_flush,
    .position = file_position,
    .seek = file_seek,
    .close = file_close,
};

const struct wr_connector wr_connector_file = {
    .name = "file",
    .help = "lines of files: JSON, CSV or as they are",
    .opts = file_opts,
    .source = &wr_file_source,
    .sink = &file_sink,
    .formats = "json csv raw",
};

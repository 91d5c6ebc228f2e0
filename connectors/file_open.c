/* file_open.c: the file source's files: finding them (names, lists, patterns), opening, checking, and where to go on after a checkpoint.
 * Rules:  errors name the file. Checking reads headers, leaves standard input and pipes alone and changes nothing.
 * Memory: the source owns its inputs. */
#include "connectors/file_source.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

static wr_status no_file(const char *path, int code, const char *what, struct wr_error *err)
{
    return wr_fail(err, WR_EIO, "cannot %s \"%s\": %s", what, path, strerror(code));
}

static wr_status input_open(struct wr_file_source *f, struct wr_file_input *in, struct wr_error *err)
{
    struct stat st;
    bool is_stdin = strcmp(in->path, "-") == 0;
    in->line = 1;
    if (f->checking && !is_stdin && stat(in->path, &st) == 0 && S_ISFIFO(st.st_mode)) {
        in->waits = true; /* opening it would wait for its writer, and closing it would end him */
        return f->format->decoder_open(&f->spec, &in->dec, err);
    }
    in->fd = is_stdin ? dup(STDIN_FILENO) : open(in->path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0 || fstat(in->fd, &st) != 0)
        return no_file(in->path, errno, "open", err);
    if (S_ISDIR(st.st_mode)) {
        wr_fail(err, WR_EIO, "cannot read \"%s\": it is a directory", in->path);
        wr_hint(err, "\"%s/*\" reads the files in it", in->path);
        return WR_EIO;
    }
    in->waits = !S_ISREG(st.st_mode);
    unsigned char magic[2];
    if (!in->waits && pread(in->fd, magic, 2, 0) == 2 && magic[0] == 0x1F && magic[1] == 0x8B) {
        if (f->follow)
            return wr_fail(err, WR_EIO, "cannot follow \"%s\": it is compressed", in->path);
        in->gz = gzdopen(in->fd, "rb");
        if (!in->gz)
            return no_file(in->path, ENOMEM, "open", err);
        gzbuffer(in->gz, 128 << 10);
    }
    return f->format->decoder_open(&f->spec, &in->dec, err);
}

static void input_close(struct wr_file_source *f, struct wr_file_input *in)
{
    if (in->dec)
        f->format->decoder_close(in->dec);
    if (in->block)
        wr_file_block_unref(in->block);
    if (in->gz)
        gzclose(in->gz);
    else if (in->fd >= 0)
        close(in->fd);
    free(in->path);
}

/* ---- opening ---- */

static void add_input(struct wr_file_source *f, const char *path, size_t n)
{
    f->in = wr_realloc(f->in, sizeof *f->in * (size_t)(f->n + 1));
    struct wr_file_input *in = &f->in[f->n++];
    memset(in, 0, sizeof *in);
    in->fd = -1;
    in->path = wr_malloc(n + 1);
    memcpy(in->path, path, n);
    in->path[n] = 0;
}

/* One entry of the option: a file of that very name, or a pattern. */
static wr_status add_paths(struct wr_file_source *f, struct wr_str entry, struct wr_error *err)
{
    char *z = wr_malloc((size_t)entry.n + 1);
    memcpy(z, entry.p, entry.n);
    z[entry.n] = 0;
    wr_status st = WR_OK;
    glob_t found;
    if (!strpbrk(z, "*?[") || access(z, F_OK) == 0) {
        add_input(f, z, entry.n);
    } else if (glob(z, 0, NULL, &found) == 0) {
        for (size_t i = 0; i < found.gl_pathc; i++)
            add_input(f, found.gl_pathv[i], strlen(found.gl_pathv[i]));
        globfree(&found);
    } else {
        st = wr_fail(err, WR_EIO, "no file matches \"%s\"", z);
    }
    free(z);
    return st;
}

static wr_status find_inputs(struct wr_file_source *f, struct wr_error *err)
{
    struct wr_str path = wr_opt_text_or(f->spec.opts, "path", "");
    struct wr_arena tmp = {0};
    bool whole = access(wr_arena_str(&tmp, path).p, F_OK) == 0; /* a name with a comma in it */
    wr_arena_clear(&tmp);
    const char *p = path.p, *end = path.p + path.n;
    while (p < end) {
        const char *comma = whole ? NULL : memchr(p, ',', (size_t)(end - p));
        struct wr_str one = wr_str_trim((struct wr_str){p, (uint32_t)((comma ? comma : end) - p)});
        if (one.n)
            WR_TRY(add_paths(f, one, err));
        p = comma ? comma + 1 : end;
    }
    if (f->n == 0)
        return wr_fail(err, WR_EIO, "source \"%.*s\": option \"path\" names no file", WR_FMT(f->spec.name));
    return WR_OK;
}

static wr_status check_meta(const struct wr_source_spec *spec, struct wr_error *err)
{
    for (int i = 0; i < spec->n_col; i++) {
        const struct wr_coldef *c = &spec->col[i];
        if (c->from != WR_COL_META)
            continue;
        enum wr_phys want = wr_str_eq_c(c->path, "topic") ? WR_P_STR : WR_P_I64;
        bool known = want == WR_P_STR || wr_str_eq_c(c->path, "offset") || wr_str_eq_c(c->path, "partition");
        if (!known) {
            wr_fail_at(err, WR_ESQL, c->off, "column \"%.*s\": a file has no \"%.*s\"", WR_FMT(c->name), WR_FMT(c->path));
            wr_hint(err, "there are: topic (the file's name), partition (its number), offset (the line)");
            return WR_ESQL;
        }
        if (wr_type_phys(c->type.id) != want)
            return wr_fail_at(err, WR_ESQL, c->off, "column \"%.*s\": \"%.*s\" is of type %s", WR_FMT(c->name), WR_FMT(c->path),
                              want == WR_P_STR ? "TEXT" : "BIGINT");
    }
    return WR_OK;
}

void wr_file_close(struct wr_source *src)
{
    struct wr_file_source *f = (struct wr_file_source *)src;
    for (int i = 0; i < f->n; i++)
        input_close(f, &f->in[i]);
    if (f->watch >= 0)
        close(f->watch);
    wr_file_pool_unref(f->pool);
    free(f->in);
    free(f->src.part);
    free(f);
}

static void open_parts(struct wr_file_source *f)
{
    f->src.n_part = f->n;
    f->src.part = wr_calloc((size_t)f->n, sizeof *f->src.part);
    for (int i = 0; i < f->n; i++)
        f->src.part[i] = (struct wr_part){.topic = wr_str_c(f->in[i].path), .num = i, .next = 1, .end = -1};
}

static wr_status open_files(const struct wr_source_spec *spec, bool checking, struct wr_source **out, struct wr_error *err)
{
    struct wr_file_source *f = wr_calloc(1, sizeof *f);
    f->src.vt = &wr_file_source;
    f->spec = *spec;
    f->checking = checking;
    f->format = spec->format ? spec->format : &wr_format_json;
    f->batch_rows = spec->batch_rows ? spec->batch_rows : WR_BATCH_ROWS;
    f->max_bytes = (uint64_t)wr_opt_bytes(spec->opts, "max_record_bytes", WR_RECORD_MAX);
    f->follow = wr_opt_bool(spec->opts, "follow", false) && !spec->until_end;
    f->src.bounded = !f->follow;
    f->watch = -1;
    f->pool = wr_file_pool_new();
    wr_status st = check_meta(spec, err);
    if (!st)
        st = find_inputs(f, err);
    for (int i = 0; i < f->n && !st; i++)
        st = input_open(f, &f->in[i], err);
    if (!st && f->follow) {
        f->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
        for (int i = 0; i < f->n && f->watch >= 0; i++)
            if (!f->in[i].waits)
                inotify_add_watch(f->watch, f->in[i].path, IN_MODIFY);
    }
    if (st) {
        wr_file_close(&f->src);
        return st;
    }
    open_parts(f);
    *out = &f->src;
    return WR_OK;
}

wr_status wr_file_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    return open_files(spec, false, out, err);
}

/* Reads the first record and hands it to the format as the head; leaves the input where it was if that is no head. */
static wr_status prime(struct wr_file_source *f, struct wr_file_input *in, struct wr_error *err)
{
    wr_status st = WR_OK;
    while (!st && !in->head_done) {
        struct wr_str rec;
        size_t before = in->at;
        int64_t block_before = in->block_at;
        enum wr_file_found next = wr_file_next(f, in, &rec, &st, err);
        if (next == WR_FILE_NONE || st)
            break;
        if (next == WR_FILE_MORE) {
            bool got;
            st = wr_file_read(f, in, &got, err);
            if (!got) /* nothing there yet: a pipe that waits, or a followed file that is still empty */
                break;
            continue;
        }
        bool taken = false;
        st = wr_file_head(f, in, rec, &taken, err);
        if (!taken && block_before == in->block_at)
            in->at = before;
        else
            in->line += wr_file_count_lines(rec);
    }
    return st;
}

/* Opens everything as a run would, reads the headers, and closes it again. Standard input is left alone. */
wr_status wr_file_check(const struct wr_source_spec *spec, struct wr_error *err)
{
    struct wr_source *src;
    WR_TRY(open_files(spec, true, &src, err));
    struct wr_file_source *f = (struct wr_file_source *)src;
    wr_status st = WR_OK;
    for (int i = 0; i < f->n && !st; i++)
        if (!f->in[i].waits)
            st = prime(f, &f->in[i], err);
    wr_file_close(src);
    return st;
}

bool wr_file_bounded(const struct wr_opts *opts, bool until_end)
{
    return until_end || !wr_opt_bool(opts, "follow", false);
}

/* ---- positions: version, number of files, then path, byte and line of each ---- */

wr_status wr_file_position(struct wr_source *src, struct wr_buf *out, struct wr_error *err WR_UNUSED)
{
    struct wr_file_source *f = (struct wr_file_source *)src;
    wr_buf_u8(out, 1);
    wr_buf_u32(out, (uint32_t)f->n);
    for (int i = 0; i < f->n; i++) {
        const struct wr_file_input *in = &f->in[i];
        wr_buf_lstr(out, wr_str_c(in->path));
        wr_buf_i64(out, in->block_at + (int64_t)in->at);
        wr_buf_i64(out, in->line);
        wr_buf_u8(out, in->discard);
    }
    return WR_OK;
}

static wr_status input_seek(struct wr_file_source *f, struct wr_file_input *in, int64_t at, int64_t line, bool discard, struct wr_error *err)
{
    struct stat st;
    if (at == 0)
        return WR_OK;
    if (in->waits)
        return wr_fail(err, WR_EIO, "cannot go on in \"%s\" at byte %lld: it cannot be read twice", in->path, (long long)at);
    WR_TRY(prime(f, in, err));
    in->head_done = true;
    if (fstat(in->fd, &st) != 0 || (!in->gz && st.st_size < at))
        return wr_fail(err, WR_EIO, "cannot go on in \"%s\" at byte %lld: the file is shorter now", in->path, (long long)at);
    if (in->gz ? gzseek(in->gz, at, SEEK_SET) != at : lseek(in->fd, at, SEEK_SET) != at)
        return wr_fail(err, WR_EIO, "cannot go on in \"%s\" at byte %lld", in->path, (long long)at);
    in->block_at = at - (int64_t)in->fill;
    in->at = in->fill;
    in->eof = false;
    in->line = line;
    in->discard = discard;
    return WR_OK;
}

wr_status wr_file_seek(struct wr_source *src, struct wr_str position, struct wr_error *err)
{
    struct wr_file_source *f = (struct wr_file_source *)src;
    uint8_t version = 0, discard;
    uint32_t n = 0;
    if (!wr_take_u8(&position, &version) || version != 1 || !wr_take_u32(&position, &n))
        return wr_fail(err, WR_EIO, "source \"%.*s\": the position in the checkpoint cannot be read", WR_FMT(f->spec.name));
    for (uint32_t k = 0; k < n; k++) {
        struct wr_str path;
        int64_t at, line;
        if (!wr_take_lstr(&position, &path) || !wr_take_i64(&position, &at) || !wr_take_i64(&position, &line) ||
            !wr_take_u8(&position, &discard) || at < 0 || line < 1)
            return wr_fail(err, WR_EIO, "source \"%.*s\": the position in the checkpoint cannot be read", WR_FMT(f->spec.name));
        int i = 0;
        while (i < f->n && !wr_str_eq_c(path, f->in[i].path))
            i++;
        if (i == f->n)
            return wr_fail(err, WR_EIO, "source \"%.*s\": the checkpoint is in file \"%.*s\", which is not among its files now",
                           WR_FMT(f->spec.name), WR_FMT(path));
        WR_TRY(input_seek(f, &f->in[i], at, line, discard, err));
    }
    return WR_OK;
}

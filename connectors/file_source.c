/* file_source.c: records out of files: NDJSON, CSV or raw lines; plain or gzip; also standard input.
 *
 * Bytes are read in large blocks that batches share and hold, so text columns borrow straight from what was read. A record that is cut by
 * the end of a block is moved to the front of the next one. Blocks go round: a batch that is released gives its blocks back to the reader.
 *
 * Rules:  each file is one partition; files take turns, a batch each. Blank lines are skipped and counted, a last line needs no newline,
 *         CRLF is a line end. A record larger than max_record_bytes is bad and never held as a whole. With follow = true a file goes on when
 *         it grows, and from its beginning when it was cut short.
 * Memory: the source owns its inputs; blocks are counted, and outlive the source as long as a batch holds them. */
#include "connectors/file.h"
#include "core/log.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum {
    BLOCK = 512 << 10,    /* bytes of a usual block */
    BLOCKS_KEPT = 16,     /* free blocks that wait for their next use */
    READ_LEAST = 64 << 10,/* room in a block that is worth another read */
    RAW_SHOWN = 1000      /* bytes of an oversized record that are kept for the error */
};

/* ---- blocks ---- */

struct pool {
    atomic_int refs;           /* the source, and every block that is out */
    pthread_mutex_t lock;      /* over the two below: batches are released by any thread */
    struct block *free_list;
    int n_free;
};
struct block {
    atomic_int refs;           /* its reader, and each batch with text in it */
    struct pool *pool;
    struct block *next;        /* in the free list */
    size_t cap;
    char data[];
};

static struct pool *pool_new(void)
{
    struct pool *p = wr_calloc(1, sizeof *p);
    atomic_init(&p->refs, 1);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

static void pool_unref(struct pool *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (p->free_list) {
        struct block *b = p->free_list;
        p->free_list = b->next;
        free(b);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

static struct block *block_new(struct pool *p, size_t cap)
{
    struct block *b = NULL;
    if (cap <= BLOCK) {
        cap = BLOCK;
        pthread_mutex_lock(&p->lock);
        b = p->free_list;
        if (b) {
            p->free_list = b->next;
            p->n_free--;
        }
        pthread_mutex_unlock(&p->lock);
    }
    if (!b) {
        b = wr_malloc(sizeof *b + cap);
        b->cap = cap;
        b->pool = p;
    }
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    atomic_init(&b->refs, 1);
    return b;
}

static void block_unref(void *what)
{
    struct block *b = what;
    struct pool *p = b->pool;
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_lock(&p->lock);
    bool keep = b->cap == BLOCK && p->n_free < BLOCKS_KEPT;
    if (keep) {
        b->next = p->free_list;
        p->free_list = b;
        p->n_free++;
    }
    pthread_mutex_unlock(&p->lock);
    if (!keep)
        free(b);
    pool_unref(p);
}

/* ---- one file ---- */

struct input {
    char *path;                /* NUL-terminated; "-": standard input */
    int fd;
    gzFile gz;                 /* compressed: reads go through it; NULL: plain */
    bool waits;                /* a pipe or terminal: a read may block */
    bool eof;                  /* the last read found the end */
    bool head_done;            /* the first record has been seen */
    bool discard;              /* in the middle of an oversized record: skipping to the next line end */
    struct wr_decoder *dec;
    struct block *block;       /* being read from; NULL: none yet */
    size_t at, fill;           /* next byte to look at, bytes read */
    int64_t block_at;          /* place of the block's first byte in the (uncompressed) file */
    int64_t line;              /* number of the next line, from 1 */
};

/* What origin() wants to know of a batch; lives in its arena. */
struct rows {
    struct wr_str file;
    int32_t part;
    struct wr_str *raw;        /* by row */
    int64_t *line;
};

struct file_source {
    struct wr_source src;
    struct wr_source_spec spec;
    const struct wr_format *format;
    uint32_t batch_rows;
    uint64_t max_bytes;
    bool follow;
    bool checking;             /* opened only to see whether it could be: pipes are left alone */
    int n;
    struct input *in;
    int turn;                  /* whose batch is next */
    struct wr_bad bad;         /* for the decoder; here, not on the stack, where hardened builds would zero it for every record */
    int watch;                 /* inotify; -1: none */
    struct pool *pool;
};

static wr_status no_file(const char *path, int code, const char *what, struct wr_error *err)
{
    return wr_fail(err, WR_EIO, "cannot %s \"%s\": %s", what, path, strerror(code));
}

static wr_status input_open(struct file_source *f, struct input *in, struct wr_error *err)
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

static void input_close(struct file_source *f, struct input *in)
{
    if (in->dec)
        f->format->decoder_close(in->dec);
    if (in->block)
        block_unref(in->block);
    if (in->gz)
        gzclose(in->gz);
    else if (in->fd >= 0)
        close(in->fd);
    free(in->path);
}

/* Makes room behind what is not taken yet: in this block, or in a new one that it is moved to. */
static void make_room(struct file_source *f, struct input *in)
{
    size_t left = in->block ? in->fill - in->at : 0;
    if (in->block && in->block->cap - in->fill >= READ_LEAST)
        return;
    struct block *b = block_new(f->pool, left + READ_LEAST > BLOCK ? left * 2 + READ_LEAST : BLOCK);
    if (left)
        memcpy(b->data, in->block->data + in->at, left);
    if (in->block)
        block_unref(in->block);
    in->block_at += (int64_t)in->at;
    in->block = b;
    in->at = 0;
    in->fill = left;
}

static ssize_t read_some(struct input *in, char *to, size_t n)
{
    if (in->gz)
        return gzread(in->gz, to, n > 1 << 30 ? 1 << 30 : (unsigned)n);
    return read(in->fd, to, n);
}

/* One read. *got: bytes came; in->eof: the end is where we are. may_wait false: do not block. */
static wr_status input_read(struct file_source *f, struct input *in, bool *got, struct wr_error *err)
{
    *got = false;
    if (in->waits) {
        struct pollfd one = {.fd = in->fd, .events = POLLIN};
        if (poll(&one, 1, 0) <= 0)
            return WR_OK;
    }
    make_room(f, in);
    ssize_t n = read_some(in, in->block->data + in->fill, in->block->cap - in->fill);
    if (n < 0 && !in->gz && (errno == EINTR || errno == EAGAIN))
        return WR_OK;
    int code = Z_OK;
    const char *why = in->gz ? gzerror(in->gz, &code) : strerror(errno);
    if (n < 0 || (n == 0 && code == Z_BUF_ERROR)) /* the compressed data breaks off */
        return wr_fail(err, WR_EIO, "cannot read \"%s\": %s", in->path, why);
    in->eof = n == 0;
    in->fill += (size_t)n;
    f->src.bytes += (uint64_t)n;
    *got = n > 0;
    return WR_OK;
}

/* At the end of a followed file: was it cut short, and begins anew? */
static void check_truncated(struct input *in)
{
    struct stat st;
    int64_t at = in->block_at + (int64_t)in->fill;
    if (in->waits || fstat(in->fd, &st) != 0 || st.st_size >= at)
        return;
    wr_log(WR_LOG_WARN, "file", "\"%s\" was cut short: reading from its beginning", in->path);
    if (lseek(in->fd, 0, SEEK_SET) != 0)
        return;
    in->block_at = -(int64_t)in->fill;
    in->at = in->fill;
    in->line = 1;
    in->discard = false;
}

/* ---- records ---- */

static int64_t split_lines(const char *p, size_t n, bool eof, size_t *used)
{
    const char *end = memchr(p, '\n', n);
    if (!end && !eof)
        return -1;
    size_t len = end ? (size_t)(end - p) : n;
    *used = len + (end != NULL);
    return (int64_t)(len && p[len - 1] == '\r' ? len - 1 : len);
}

static bool is_blank(struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++)
        if (s.p[i] != ' ' && s.p[i] != '\t' && s.p[i] != '\r')
            return false;
    return true;
}

static wr_status report(struct file_source *f, struct input *in, struct wr_bad *bad, struct wr_str raw, int64_t line, struct wr_error *err)
{
    bad->from = (struct wr_origin){
        .topic = wr_str_c(in->path), .part = (int32_t)(in - f->in), .offset = line, .ts_us = INT64_MIN, .raw = raw};
    f->src.n_bad++;
    return f->spec.bad ? f->spec.bad->report(f->spec.bad->ctx, bad, err) : WR_OK;
}

/* The record does not end within max_record_bytes: it is bad, the rest of its line is passed over. */
static wr_status give_up_record(struct file_source *f, struct input *in, struct wr_error *err)
{
    size_t n = in->fill - in->at;
    struct wr_bad bad = {0};
    struct wr_str raw = {in->block->data + in->at, (uint32_t)(n < RAW_SHOWN ? n : RAW_SHOWN)};
    wr_bad_set(&bad, WR_R_TOO_BIG, (struct wr_str){NULL, 0}, "the record has over %llu bytes, max_record_bytes",
               (unsigned long long)f->max_bytes);
    f->src.records++;
    in->discard = true;
    in->head_done = true;
    return report(f, in, &bad, raw, in->line, err);
}

/* Passes over what is left of an oversized record. True: its end was found. */
static bool discard_rest(struct input *in)
{
    const char *p = in->block->data + in->at, *end = memchr(p, '\n', in->fill - in->at);
    in->at = end ? (size_t)(end - in->block->data) + 1 : in->fill;
    in->discard = !end;
    in->line += end != NULL;
    return end;
}

enum next { NEXT_RECORD, NEXT_MORE, NEXT_NONE };

/* Next record of what has been read. MORE: it takes another read; NONE: all that will ever be there has been taken. */
static enum next next_record(struct file_source *f, struct input *in, struct wr_str *rec, wr_status *st, struct wr_error *err)
{
    bool last = in->eof && !f->follow;
    for (;;) {
        if (!in->block || in->at == in->fill)
            return last ? NEXT_NONE : NEXT_MORE;
        if (in->discard) {
            if (!discard_rest(in))
                continue;
            if (in->at == in->fill)
                continue;
        }
        const char *p = in->block->data + in->at;
        size_t n = in->fill - in->at, used = 0;
        int64_t len = f->format->split ? f->format->split(in->dec, p, n, last, &used) : split_lines(p, n, last, &used);
        if (len < 0 && n <= f->max_bytes)
            return NEXT_MORE;
        if (len < 0) {
            *st = give_up_record(f, in, err);
            if (*st)
                return NEXT_NONE;
            continue;
        }
        in->at += used;
        *rec = (struct wr_str){p, (uint32_t)len};
        return NEXT_RECORD;
    }
}

static wr_status take_head(struct file_source *f, struct input *in, struct wr_str rec, bool *taken, struct wr_error *err)
{
    *taken = false;
    in->head_done = true;
    if (!f->format->head)
        return WR_OK;
    struct wr_error why = WR_ERROR_INIT;
    wr_status st = f->format->head(in->dec, rec, taken, &why);
    if (st) {
        wr_fail(err, st, "file \"%s\": %s", in->path, why.msg);
        wr_hint(err, "%s", why.hint);
    }
    return st;
}

/* ---- batches ---- */

static void file_origin(const struct wr_batch *b, uint32_t row, struct wr_origin *out)
{
    const struct rows *r = b->src_priv;
    *out = (struct wr_origin){.topic = r->file, .part = r->part, .offset = r->line[row], .ts_us = INT64_MIN, .raw = r->raw[row]};
}

static struct wr_batch *batch_new(struct file_source *f, struct input *in)
{
    struct wr_batch *b = wr_batch_new(f->spec.schema, f->batch_rows);
    struct rows *r = WR_NEW(&b->mem, struct rows);
    r->part = (int32_t)(in - f->in);
    r->file = wr_arena_str(&b->mem, wr_str_c(in->path));
    r->raw = wr_arena_alloc(&b->mem, sizeof *r->raw * b->cap);
    r->line = wr_arena_alloc(&b->mem, sizeof *r->line * b->cap);
    b->origin = file_origin;
    b->src_priv = r;
    b->part0 = (uint32_t)r->part;
    return b;
}

static void fill_meta(const struct file_source *f, struct wr_batch *b, const struct rows *r, uint32_t row)
{
    for (int i = 0; i < f->spec.n_col; i++) {
        const struct wr_coldef *c = &f->spec.col[i];
        if (c->from != WR_COL_META)
            continue;
        struct wr_vec *v = &b->col[i];
        if (wr_str_eq_c(c->path, "offset"))
            WR_VEC_I64(v)[row] = r->line[row];
        else if (wr_str_eq_c(c->path, "partition"))
            WR_VEC_I64(v)[row] = r->part;
        else
            WR_VEC_STR(v)[row] = r->file;
    }
}

static int64_t count_lines(struct wr_str rec)
{
    int64_t n = 1;
    const char *p = rec.p, *end = rec.p + rec.n;
    for (; p < end; p++) {
        p = memchr(p, '\n', (size_t)(end - p));
        if (!p)
            break;
        n++;
    }
    return n;
}

/* A batch being filled from one input. */
struct filling {
    struct wr_batch *b;       /* NULL: no record came yet */
    struct rows *r;
    struct block *held;       /* block that the batch holds already */
    bool has_meta;
};

static wr_status take_record(struct file_source *f, struct input *in, struct filling *g, struct wr_str rec, struct wr_error *err)
{
    int64_t line = in->line;
    in->line += f->format->split ? count_lines(rec) : 1;
    if (!in->head_done) {
        bool taken;
        wr_status st = take_head(f, in, rec, &taken, err);
        if (st || taken)
            return st;
    }
    f->src.records++;
    if (is_blank(rec)) {
        f->src.skipped++;
        return WR_OK;
    }
    if (!g->b) {
        g->b = batch_new(f, in);
        g->r = g->b->src_priv;
    }
    uint32_t row = g->b->len;
    enum wr_reason why = f->format->decode(in->dec, rec, g->b, row, &f->bad);
    if (why)
        return report(f, in, &f->bad, rec, line, err);
    if (g->held != in->block) {
        atomic_fetch_add_explicit(&in->block->refs, 1, memory_order_relaxed);
        wr_batch_hold(g->b, block_unref, in->block);
        g->held = in->block;
    }
    g->r->raw[row] = rec;
    g->r->line[row] = line;
    if (g->has_meta)
        fill_meta(f, g->b, g->r, row);
    g->b->len = row + 1;
    return WR_OK;
}

static bool asked_to_stop(const struct file_source *f)
{
    return f->spec.stop && atomic_load_explicit(f->spec.stop, memory_order_relaxed);
}

static void update_part(struct file_source *f, struct input *in, bool ended)
{
    struct wr_part *p = &f->src.part[in - f->in];
    p->next = in->line;
    p->caught_up = in->eof && (!in->block || in->at == in->fill || f->follow);
    if (ended && !p->ended) {
        p->ended = true;
        p->end = in->line;
    }
}

/* All that this input has now, up to a batch. */
static wr_status fill_batch(struct file_source *f, struct input *in, struct wr_batch **out, struct wr_error *err)
{
    struct filling g = {0};
    wr_status st = WR_OK;
    bool ended = false;
    uint64_t most = f->src.records + 2 * (uint64_t)f->batch_rows; /* bad ones too: a poll has to end */
    for (int i = 0; i < f->spec.n_col; i++)
        g.has_meta |= f->spec.col[i].from == WR_COL_META;
    while (!st && f->src.records < most && (!g.b || g.b->len < g.b->cap)) {
        struct wr_str rec;
        enum next next = next_record(f, in, &rec, &st, err);
        if (st)
            break;
        if (next == NEXT_RECORD) {
            st = take_record(f, in, &g, rec, err);
            continue;
        }
        ended = next == NEXT_NONE;
        bool got = false;
        if (!ended)
            st = input_read(f, in, &got, err);
        if (!st && !got && in->eof && f->follow)
            check_truncated(in);
        if (ended || (!got && (!in->eof || f->follow)) || asked_to_stop(f))
            break;
    }
    if (g.b)
        g.b->n_live = g.b->len;
    if (st || (g.b && g.b->len == 0)) {
        wr_batch_unref(g.b);
        g.b = NULL;
    }
    update_part(f, in, ended);
    *out = g.b;
    return st;
}

/* Every input that is not at its end, once, beginning with the one whose turn it is. */
static wr_status try_inputs(struct file_source *f, struct wr_batch **out, struct wr_error *err)
{
    int open = 0;
    for (int k = 0; k < f->n && !*out; k++) {
        int i = f->turn;
        f->turn = (f->turn + 1) % f->n;
        if (!f->src.part[i].ended)
            WR_TRY(fill_batch(f, &f->in[i], out, err));
    }
    for (int i = 0; i < f->n; i++)
        open += !f->src.part[i].ended;
    f->src.ended = open == 0;
    return WR_OK;
}

/* Until a file grows, standard input has something, or the time is over. */
static void wait_for_more(struct file_source *f, int wait_ms)
{
    struct pollfd fd[64];
    nfds_t n = 0;
    if (f->watch >= 0)
        fd[n++] = (struct pollfd){.fd = f->watch, .events = POLLIN};
    for (int i = 0; i < f->n && n < 64; i++)
        if (f->in[i].waits && !f->src.part[i].ended)
            fd[n++] = (struct pollfd){.fd = f->in[i].fd, .events = POLLIN};
    if (poll(fd, n, wait_ms) > 0 && f->watch >= 0) {
        char events[4096];
        while (read(f->watch, events, sizeof events) > 0) {
        }
    }
}

static wr_status file_poll(struct wr_source *src, int wait_ms, struct wr_batch **out, struct wr_error *err)
{
    struct file_source *f = (struct file_source *)src;
    uint64_t before = src->records;
    *out = NULL;
    if (src->ended)
        return WR_OK;
    WR_TRY(try_inputs(f, out, err));
    if (*out || src->ended || src->records != before || wait_ms == 0 || asked_to_stop(f))
        return WR_OK;
    wait_for_more(f, wait_ms);
    return try_inputs(f, out, err);
}

/* ---- opening ---- */

static void add_input(struct file_source *f, const char *path, size_t n)
{
    f->in = wr_realloc(f->in, sizeof *f->in * (size_t)(f->n + 1));
    struct input *in = &f->in[f->n++];
    memset(in, 0, sizeof *in);
    in->fd = -1;
    in->path = wr_malloc(n + 1);
    memcpy(in->path, path, n);
    in->path[n] = 0;
}

/* One entry of the option: a file of that very name, or a pattern. */
static wr_status add_paths(struct file_source *f, struct wr_str entry, struct wr_error *err)
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

static wr_status find_inputs(struct file_source *f, struct wr_error *err)
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

static void file_close(struct wr_source *src)
{
    struct file_source *f = (struct file_source *)src;
    for (int i = 0; i < f->n; i++)
        input_close(f, &f->in[i]);
    if (f->watch >= 0)
        close(f->watch);
    pool_unref(f->pool);
    free(f->in);
    free(f->src.part);
    free(f);
}

static void open_parts(struct file_source *f)
{
    f->src.n_part = f->n;
    f->src.part = wr_calloc((size_t)f->n, sizeof *f->src.part);
    for (int i = 0; i < f->n; i++)
        f->src.part[i] = (struct wr_part){.topic = wr_str_c(f->in[i].path), .num = i, .next = 1, .end = -1};
}

static wr_status open_files(const struct wr_source_spec *spec, bool checking, struct wr_source **out, struct wr_error *err)
{
    struct file_source *f = wr_calloc(1, sizeof *f);
    f->src.vt = &wr_file_source;
    f->spec = *spec;
    f->checking = checking;
    f->format = spec->format ? spec->format : &wr_format_json;
    f->batch_rows = spec->batch_rows ? spec->batch_rows : WR_BATCH_ROWS;
    f->max_bytes = (uint64_t)wr_opt_bytes(spec->opts, "max_record_bytes", WR_RECORD_MAX);
    f->follow = wr_opt_bool(spec->opts, "follow", false) && !spec->until_end;
    f->src.bounded = !f->follow;
    f->watch = -1;
    f->pool = pool_new();
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
        file_close(&f->src);
        return st;
    }
    open_parts(f);
    *out = &f->src;
    return WR_OK;
}

static wr_status file_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    return open_files(spec, false, out, err);
}

/* Reads the first record and hands it to the format as the head; leaves the input where it was if that is no head. */
static wr_status prime(struct file_source *f, struct input *in, struct wr_error *err)
{
    wr_status st = WR_OK;
    while (!st && !in->head_done) {
        struct wr_str rec;
        size_t before = in->at;
        int64_t block_before = in->block_at;
        enum next next = next_record(f, in, &rec, &st, err);
        if (next == NEXT_NONE || st)
            break;
        if (next == NEXT_MORE) {
            bool got;
            st = input_read(f, in, &got, err);
            if (!got && in->waits)
                break;
            continue;
        }
        bool taken = false;
        st = take_head(f, in, rec, &taken, err);
        if (!taken && block_before == in->block_at)
            in->at = before;
        else
            in->line += count_lines(rec);
    }
    return st;
}

/* Opens everything as a run would, reads the headers, and closes it again. Standard input is left alone. */
static wr_status file_check(const struct wr_source_spec *spec, struct wr_error *err)
{
    struct wr_source *src;
    WR_TRY(open_files(spec, true, &src, err));
    struct file_source *f = (struct file_source *)src;
    wr_status st = WR_OK;
    for (int i = 0; i < f->n && !st; i++)
        if (!f->in[i].waits)
            st = prime(f, &f->in[i], err);
    file_close(src);
    return st;
}

static bool file_bounded(const struct wr_opts *opts, bool until_end)
{
    return until_end || !wr_opt_bool(opts, "follow", false);
}

/* ---- positions: version, number of files, then path, byte and line of each ---- */

static wr_status file_position(struct wr_source *src, struct wr_buf *out, struct wr_error *err WR_UNUSED)
{
    struct file_source *f = (struct file_source *)src;
    wr_buf_u8(out, 1);
    wr_buf_u32(out, (uint32_t)f->n);
    for (int i = 0; i < f->n; i++) {
        const struct input *in = &f->in[i];
        wr_buf_lstr(out, wr_str_c(in->path));
        wr_buf_i64(out, in->block_at + (int64_t)in->at);
        wr_buf_i64(out, in->line);
        wr_buf_u8(out, in->discard);
    }
    return WR_OK;
}

static wr_status input_seek(struct file_source *f, struct input *in, int64_t at, int64_t line, bool discard, struct wr_error *err)
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

static wr_status file_seek(struct wr_source *src, struct wr_str position, struct wr_error *err)
{
    struct file_source *f = (struct file_source *)src;
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

const struct wr_source_vt wr_file_source = {
    .check = file_check,
    .bounded = file_bounded,
    .open = file_open,
    .poll = file_poll,
    .position = file_position,
    .seek = file_seek,
    .close = file_close,
};

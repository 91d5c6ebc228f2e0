/* file_source.c: records out of files: NDJSON, CSV or raw lines; plain or gzip; also standard input.
 *
 * Bytes are read in large blocks that batches share and hold, so text columns borrow straight from what was read. A record that is cut by
 * the end of a block is moved to the front of the next one. Blocks go round: a batch that is released gives its blocks back to the reader.
 *
 * Rules:  each file is one partition; files take turns, a batch each. Blank lines are skipped and counted, a last line needs no newline,
 *         CRLF is a line end. A record larger than max_record_bytes is bad and never held as a whole. With follow = true a file goes on when
 *         it grows, and from its beginning when it was cut short.
 * Memory: the source owns its inputs; blocks are counted, and outlive the source as long as a batch holds them. */
#include "connectors/file_source.h"
#include "core/log.h"

#include <errno.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>


enum {
    READ_LEAST = 64 << 10,/* room in a block that is worth another read */
    RAW_SHOWN = 1000      /* bytes of an oversized record that are kept for the error */
};

/* What origin() wants to know of a batch; lives in its arena. */
struct rows {
    struct wr_str file;
    int32_t part;
    struct wr_str *raw;        /* by row */
    int64_t *line;
};

/* ---- one file ---- */

/* Makes room behind what is not taken yet: in this block, or in a new one that it is moved to. */
static void make_room(struct wr_file_source *f, struct wr_file_input *in)
{
    size_t left = in->block ? in->fill - in->at : 0;
    if (in->block && in->block->cap - in->fill >= READ_LEAST)
        return;
    struct wr_file_block *b = wr_file_block_new(f->pool, left + READ_LEAST > WR_FILE_BLOCK ? left * 2 + READ_LEAST : WR_FILE_BLOCK);
    if (left)
        memcpy(b->data, in->block->data + in->at, left);
    if (in->block)
        wr_file_block_unref(in->block);
    in->block_at += (int64_t)in->at;
    in->block = b;
    in->at = 0;
    in->fill = left;
}

static ssize_t read_some(struct wr_file_input *in, char *to, size_t n)
{
    if (in->gz)
        return gzread(in->gz, to, n > 1 << 30 ? 1 << 30 : (unsigned)n);
    return read(in->fd, to, n);
}

/* One read. *got: bytes came; in->eof: the end is where we are. may_wait false: do not block. */
wr_status wr_file_read(struct wr_file_source *f, struct wr_file_input *in, bool *got, struct wr_error *err)
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
static void check_truncated(struct wr_file_input *in)
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

static wr_status report(struct wr_file_source *f, struct wr_file_input *in, struct wr_bad *bad, struct wr_str raw, int64_t line, struct wr_error *err)
{
    bad->from = (struct wr_origin){
        .topic = wr_str_c(in->path), .part = (int32_t)(in - f->in), .offset = line, .ts_us = INT64_MIN, .raw = raw};
    f->src.n_bad++;
    return f->spec.bad ? f->spec.bad->report(f->spec.bad->ctx, bad, err) : WR_OK;
}

/* The record does not end within max_record_bytes: it is bad, the rest of its line is passed over. */
static wr_status give_up_record(struct wr_file_source *f, struct wr_file_input *in, struct wr_error *err)
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
static bool discard_rest(struct wr_file_input *in)
{
    const char *p = in->block->data + in->at, *end = memchr(p, '\n', in->fill - in->at);
    in->at = end ? (size_t)(end - in->block->data) + 1 : in->fill;
    in->discard = !end;
    in->line += end != NULL;
    return end;
}

/* Next record of what has been read. MORE: it takes another read; NONE: all that will ever be there has been taken. */
enum wr_file_found wr_file_next(struct wr_file_source *f, struct wr_file_input *in, struct wr_str *rec, wr_status *st, struct wr_error *err)
{
    bool last = in->eof && !f->follow;
    for (;;) {
        if (!in->block || in->at == in->fill)
            return last ? WR_FILE_NONE : WR_FILE_MORE;
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
            return WR_FILE_MORE;
        if (len < 0) {
            *st = give_up_record(f, in, err);
            if (*st)
                return WR_FILE_NONE;
            continue;
        }
        in->at += used;
        *rec = (struct wr_str){p, (uint32_t)len};
        return WR_FILE_RECORD;
    }
}

wr_status wr_file_head(struct wr_file_source *f, struct wr_file_input *in, struct wr_str rec, bool *taken, struct wr_error *err)
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

static struct wr_batch *batch_new(struct wr_file_source *f, struct wr_file_input *in)
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

static void fill_meta(const struct wr_file_source *f, struct wr_batch *b, const struct rows *r, uint32_t row)
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

int64_t wr_file_count_lines(struct wr_str rec)
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
    struct wr_file_block *held;       /* block that the batch holds already */
    bool has_meta;
};

static wr_status take_record(struct wr_file_source *f, struct wr_file_input *in, struct filling *g, struct wr_str rec, struct wr_error *err)
{
    int64_t line = in->line;
    in->line += f->format->split ? wr_file_count_lines(rec) : 1;
    if (!in->head_done) {
        bool taken;
        wr_status st = wr_file_head(f, in, rec, &taken, err);
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
        wr_batch_hold(g->b, wr_file_block_unref, in->block);
        g->held = in->block;
    }
    g->r->raw[row] = rec;
    g->r->line[row] = line;
    if (g->has_meta)
        fill_meta(f, g->b, g->r, row);
    g->b->len = row + 1;
    return WR_OK;
}

static bool asked_to_stop(const struct wr_file_source *f)
{
    return f->spec.stop && atomic_load_explicit(f->spec.stop, memory_order_relaxed);
}

static void update_part(struct wr_file_source *f, struct wr_file_input *in, bool ended)
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
static wr_status fill_batch(struct wr_file_source *f, struct wr_file_input *in, struct wr_batch **out, struct wr_error *err)
{
    struct filling g = {0};
    wr_status st = WR_OK;
    bool ended = false;
    uint64_t most = f->src.records + 2 * (uint64_t)f->batch_rows; /* bad ones too: a poll has to end */
    for (int i = 0; i < f->spec.n_col; i++)
        g.has_meta |= f->spec.col[i].from == WR_COL_META;
    while (!st && f->src.records < most && (!g.b || g.b->len < g.b->cap)) {
        struct wr_str rec;
        enum wr_file_found next = wr_file_next(f, in, &rec, &st, err);
        if (st)
            break;
        if (next == WR_FILE_RECORD) {
            st = take_record(f, in, &g, rec, err);
            continue;
        }
        ended = next == WR_FILE_NONE;
        bool got = false;
        if (!ended)
            st = wr_file_read(f, in, &got, err);
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
static wr_status try_inputs(struct wr_file_source *f, struct wr_batch **out, struct wr_error *err)
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
static void wait_for_more(struct wr_file_source *f, int wait_ms)
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
    struct wr_file_source *f = (struct wr_file_source *)src;
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

const struct wr_source_vt wr_file_source = {
    .check = wr_file_check,
    .bounded = wr_file_bounded,
    .open = wr_file_open,
    .poll = file_poll,
    .position = wr_file_position,
    .seek = wr_file_seek,
    .close = wr_file_close,
};

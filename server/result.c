/* result.c: a job's current result: rows by key, in order, and the changes for those who follow.
 *
 * The rows come from the job's first sink. Where that is the console, the result is the sink; else it stands before the real one and hands on.
 * Rules:  order and identity as the shell's live table: windows newest first, then key. At most WR_RESULT_ROWS are kept, the last in order go.
 *         The result is part of the job's checkpoints (sink position, see result_keep.c): after a restart it is what it was at the checkpoint.
 * Memory: a row is one allocation; the map's number is its address. Everything is guarded by lock. */
#include "server/result.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#include "core/key.h"

struct wr_result *wr_result_new(const char *path)
{
    struct wr_result *r = wr_calloc(1, sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    pthread_condattr_t at;
    pthread_condattr_init(&at);
    pthread_condattr_setclock(&at, CLOCK_MONOTONIC);
    pthread_cond_init(&r->more, &at);
    pthread_condattr_destroy(&at);
    r->next_line = 1;
    if (path)
        (void)snprintf(r->path, sizeof r->path, "%s", path);
    return r;
}

static struct wr_result_row *row_at(struct wr_omap_it it) { return (struct wr_result_row *)(intptr_t)wr_omap_num(it); }

void wr_result_empty(struct wr_result *r)
{
    for (struct wr_omap_it it = wr_omap_first(&r->rows); wr_omap_valid(it); wr_omap_next(&it))
        free(row_at(it));
    wr_omap_clear(&r->rows);
    wr_omap_clear(&r->touched);
    for (int i = 0; i < r->n_index; i++)
        wr_omap_clear(&r->index[i].map);
    r->n_index = 0;
}

static void forget_schema(struct wr_result *r)
{
    free(r->key);
    free(r->desc);
    wr_arena_clear(&r->arena);
    r->key = NULL;
    r->desc = NULL;
    r->schema = NULL;
}

void wr_result_free(struct wr_result *r)
{
    if (!r)
        return;
    wr_result_keep_close(r);
    wr_result_empty(r);
    forget_schema(r);
    for (int i = 0; i < WR_RESULT_LINES; i++)
        free(r->line[i]);
    wr_buf_clear(&r->key_buf);
    wr_buf_clear(&r->text);
    wr_buf_clear(&r->index_buf);
    pthread_cond_destroy(&r->more);
    pthread_mutex_destroy(&r->lock);
    free(r);
}

/* ---- rows ---- */

struct wr_result_row *wr_result_row_new(struct wr_str cells, int n_col, const uint32_t *end, int64_t count)
{
    struct wr_result_row *x = wr_malloc(sizeof *x + sizeof(uint32_t) * (size_t)n_col + cells.n);
    x->count = count;
    x->n = cells.n;
    memcpy(x->end, end, sizeof(uint32_t) * (size_t)n_col);
    memcpy((char *)(x->end + n_col), cells.p, cells.n);
    return x;
}

struct wr_str wr_result_cell(const struct wr_result *r, const struct wr_result_row *x, int col)
{
    const char *text = (const char *)(x->end + r->schema->n);
    uint32_t from = col ? x->end[col - 1] : 0;
    return (struct wr_str){text + from, x->end[col] - from};
}

void wr_result_put_row(const struct wr_result *r, const struct wr_result_row *x, const char *op, struct wr_buf *out)
{
    wr_buf_putc(out, '{');
    for (int c = 0; c < r->schema->n; c++) {
        if (c)
            wr_buf_putc(out, ',');
        wr_put_json(out, r->schema->field[c].name);
        wr_buf_putc(out, ':');
        wr_buf_str(out, wr_result_cell(r, x, c));
    }
    if (op)
        wr_buf_printf(out, "%s\"op\":\"%s\"", r->schema->n ? "," : "", op);
    wr_buf_putc(out, '}');
}

static void touch(struct wr_result *r, struct wr_str key)
{
    if (r->keep && wr_omap_get(&r->touched, key) == 0)
        wr_omap_add(&r->touched, key, 1);
}

static void set_row(struct wr_result *r, struct wr_str key, struct wr_result_row *x)
{
    int64_t old = wr_omap_get(&r->rows, key);
    touch(r, key);
    wr_omap_add(&r->rows, key, (int64_t)(intptr_t)x - old);
    if (!old)
        wr_result_index_add(r, key, x);
    free((void *)(intptr_t)old);
    if (r->rows.n_key <= WR_RESULT_ROWS)
        return;
    struct wr_omap_it last = wr_omap_last(&r->rows);
    struct wr_buf gone = WR_BUF_INIT(0);
    wr_buf_str(&gone, wr_omap_key(last));
    struct wr_result_row *oldest = row_at(last);
    wr_omap_add(&r->rows, wr_buf_get(&gone), -wr_omap_num(last));
    wr_result_index_drop(r, wr_buf_get(&gone), oldest);
    free(oldest);
    touch(r, wr_buf_get(&gone));
    wr_buf_clear(&gone);
    r->cut = true;
}

static void drop_row(struct wr_result *r, struct wr_str key)
{
    int64_t at = wr_omap_get(&r->rows, key);
    if (at == 0)
        return;
    touch(r, key);
    wr_omap_add(&r->rows, key, -at);
    wr_result_index_drop(r, key, (struct wr_result_row *)(intptr_t)at);
    free((void *)(intptr_t)at);
}

static struct wr_result_row *read_row(struct wr_result *r, const struct wr_batch *b, uint32_t row)
{
    uint32_t end[1024];
    wr_buf_reset(&r->text);
    for (int c = 0; c < r->schema->n; c++) {
        wr_print_vec(&r->text, &b->col[c], row, WR_STYLE_JSON);
        end[c] = (uint32_t)r->text.n;
    }
    return wr_result_row_new(wr_buf_get(&r->text), r->schema->n, end, 1);
}

static void add_line(struct wr_result *r, const struct wr_result_row *x, int8_t op)
{
    static const char *const op_name[] = {"+I", "-U", "+U", "-D"};
    struct wr_buf out = WR_BUF_INIT(0);
    wr_result_put_row(r, x, r->updating ? op_name[op & 3] : NULL, &out);
    wr_buf_putc(&out, 0);
    free(r->line[r->next_line % WR_RESULT_LINES]);
    r->line[r->next_line++ % WR_RESULT_LINES] = out.p;
}

static void apply(struct wr_result *r, const struct wr_batch *b)
{
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t row = wr_batch_row(b, k);
        int8_t op = wr_batch_op(b, row);
        wr_buf_reset(&r->key_buf);
        for (int i = 0; i < r->n_key; i++)
            wr_key_put(&r->key_buf, &b->col[r->key[i]], row, r->desc[i], false);
        if (!r->updating && !r->unique) { /* nothing is ever taken back: the newest first */
            wr_buf_reset(&r->key_buf);
            for (int shift = 56; shift >= 0; shift -= 8)
                wr_buf_u8(&r->key_buf, (uint8_t)((UINT64_MAX - r->arrivals) >> shift));
            r->arrivals++;
        }
        struct wr_str key = wr_buf_get(&r->key_buf);
        struct wr_result_row *x = read_row(r, b, row), *old = (struct wr_result_row *)(intptr_t)wr_omap_get(&r->rows, key);
        if (r->followers > 0)
            add_line(r, x, op);
        bool back = wr_op_is_retract(op);
        if (!r->unique && old)
            x->count = old->count + (back ? -1 : 1);
        r->total += back ? -1 : 1;
        if (back && (r->unique || !old || x->count <= 0)) {
            drop_row(r, key);
            free(x);
        } else {
            set_row(r, key, x);
        }
    }
    pthread_cond_broadcast(&r->more);
}

/* ---- the sink ---- */

struct result_sink {
    struct wr_sink base;
    struct wr_sink_vt vt;      /* has the slots that the inner sink has */
    struct wr_sink *inner;     /* NULL: the result is the sink */
    struct wr_result *result;
    bool transactional;        /* inner commits with the checkpoint */
};

static struct result_sink *of(struct wr_sink *s) { return (struct result_sink *)(void *)s; }

static wr_status rs_write(struct wr_sink *s, struct wr_batch *b, struct wr_error *err)
{
    struct wr_result *r = of(s)->result;
    pthread_mutex_lock(&r->lock);
    apply(r, b);
    pthread_mutex_unlock(&r->lock);
    s->rows += b->n_live;
    if (of(s)->inner)
        return of(s)->inner->vt->write(of(s)->inner, b, err);
    wr_batch_unref(b);
    return WR_OK;
}
static wr_status rs_flush(struct wr_sink *s, struct wr_error *err) { return of(s)->inner ? of(s)->inner->vt->flush(of(s)->inner, err) : WR_OK; }
static wr_status rs_pause(struct wr_sink *s, struct wr_error *err) { return of(s)->inner->vt->pause(of(s)->inner, err); }
static wr_status rs_recover(struct wr_sink *s, uint64_t *id, struct wr_error *err) { return of(s)->inner->vt->recover(of(s)->inner, id, err); }
static wr_status rs_commit(struct wr_sink *s, uint64_t id, const struct wr_position *pos, int n, struct wr_error *err)
{
    return of(s)->inner->vt->commit(of(s)->inner, id, pos, n, err);
}

/* Generation of the kept result, then the inner sink's own position. */
static wr_status rs_position(struct wr_sink *s, struct wr_buf *out, struct wr_error *err)
{
    struct wr_result *r = of(s)->result;
    struct wr_sink *in = of(s)->inner;
    int64_t gen = 0;
    pthread_mutex_lock(&r->lock);
    wr_status st = wr_result_keep_save(r, &gen, err);
    pthread_mutex_unlock(&r->lock);
    WR_TRY(st);
    wr_buf_i64(out, gen);
    if (!in)
        return WR_OK;
    if (in->vt->position)
        return in->vt->position(in, out, err);
    return of(s)->transactional ? WR_OK : in->vt->flush(in, err); /* at least once: what came before the checkpoint is out */
}

static wr_status rs_seek(struct wr_sink *s, struct wr_str at, struct wr_error *err)
{
    struct wr_result *r = of(s)->result;
    struct wr_sink *in = of(s)->inner;
    int64_t gen = 0;
    if (at.n > 0 && !wr_take_i64(&at, &gen))
        return wr_fail(err, WR_EIO, "the checkpoint's place of the result is damaged");
    pthread_mutex_lock(&r->lock);
    wr_status st = wr_result_keep_load(r, gen, err);
    pthread_mutex_unlock(&r->lock);
    WR_TRY(st);
    return in && in->vt->seek ? in->vt->seek(in, at, err) : WR_OK;
}

static void rs_close(struct wr_sink *s)
{
    if (of(s)->inner)
        of(s)->inner->vt->close(of(s)->inner);
    free(s);
}

static struct wr_schema *copy_schema(struct wr_arena *a, const struct wr_schema *in)
{
    struct wr_schema *s = wr_schema_new(a, in->n);
    for (int i = 0; i < in->n; i++) {
        s->field[i] = in->field[i];
        s->field[i].name = wr_arena_str(a, in->field[i].name);
        s->field[i].type.sub = NULL; /* only the plan's memory has it, and filters on nested values are refused */
    }
    return s;
}

static void choose_key(struct wr_result *r, const struct wr_plan *in)
{
    int n = r->schema->n, n_col = in->n_ukey >= 0 ? in->n_ukey : n;
    r->unique = in->n_ukey >= 0;
    r->n_key = 0;
    r->key = wr_calloc((size_t)n + 1, sizeof *r->key);
    r->desc = wr_calloc((size_t)n + 1, sizeof *r->desc);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < n_col; i++) {
            int col = r->unique ? in->ukey[i] : i;
            bool window = col == in->win_start || col == in->win_end;
            if (col < n && window == (pass == 0)) {
                r->desc[r->n_key] = window;
                r->key[r->n_key++] = col;
            }
        }
}

wr_status wr_result_sink(struct wr_result *r, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink *inner, struct wr_sink **out,
                         struct wr_error *err)
{
    pthread_mutex_lock(&r->lock);
    wr_result_empty(r);
    forget_schema(r);
    r->schema = copy_schema(&r->arena, spec->schema);
    r->updating = spec->updating;
    r->total = 0;
    r->arrivals = 0;
    r->cut = false;
    choose_key(r, sink->in[0]);
    wr_status st = spec->schema->n > 1024 ? wr_fail(err, WR_ELIMIT, "a result of more than 1,024 columns") : wr_result_keep_open(r, err);
    pthread_mutex_unlock(&r->lock);
    if (st) {
        if (inner)
            inner->vt->close(inner);
        return st;
    }
    struct result_sink *s = wr_calloc(1, sizeof *s);
    s->vt = (struct wr_sink_vt){.write = rs_write, .flush = rs_flush, .position = rs_position, .seek = rs_seek, .close = rs_close};
    if (inner && inner->vt->pause)
        s->vt.pause = rs_pause;
    if (inner && inner->vt->recover && inner->vt->commit) {
        s->vt.recover = rs_recover;
        s->vt.commit = rs_commit;
        s->transactional = spec->exactly_once;
    }
    s->base.vt = &s->vt;
    s->inner = inner;
    s->result = r;
    *out = &s->base;
    return WR_OK;
}

/* ---- following ---- */

static void wait_for_more(struct wr_result *r, int ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_sec += ms / 1000;
    t.tv_nsec += (long)(ms % 1000) * 1000000;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&r->more, &r->lock, &t);
}

bool wr_result_follow(struct wr_result *r, uint64_t *at, int wait_ms, struct wr_buf *out, bool *lost)
{
    *lost = false;
    pthread_mutex_lock(&r->lock);
    if (*at == 0) {
        if (r->schema)
            for (struct wr_omap_it it = wr_omap_first(&r->rows); wr_omap_valid(it); wr_omap_next(&it)) {
                wr_result_put_row(r, row_at(it), r->updating ? "+I" : NULL, out);
                wr_buf_putc(out, '\n');
            }
        *at = r->next_line;
        r->followers++;
        pthread_mutex_unlock(&r->lock);
        return out->n > 0;
    }
    if (*at == r->next_line)
        wait_for_more(r, wait_ms);
    if (r->next_line - *at > WR_RESULT_LINES) {
        *lost = true;
        *at = r->next_line;
    }
    for (; *at < r->next_line && out->n < 256 << 10; ++*at) {
        wr_buf_puts(out, r->line[*at % WR_RESULT_LINES]);
        wr_buf_putc(out, '\n');
    }
    pthread_mutex_unlock(&r->lock);
    return out->n > 0;
}

void wr_result_unfollow(struct wr_result *r)
{
    pthread_mutex_lock(&r->lock);
    r->followers--;
    pthread_mutex_unlock(&r->lock);
}

void wr_result_wake(struct wr_result *r)
{
    pthread_mutex_lock(&r->lock);
    pthread_cond_broadcast(&r->more);
    pthread_mutex_unlock(&r->lock);
}

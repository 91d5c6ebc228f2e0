/* samples.c: the last log lines, bad rows and late rows of a job, as people look at them: /logs, /errors, /late.
 * Rules:  rows are samples: at most twenty a second are looked at, however many there are; the counts are in the figures.
 *         Every line is safe for terminals and pages: what came from outside is escaped.
 * Memory: lines are malloc'd copies. Thread-safe. */
#include <stdlib.h>

#include "core/json.h"
#include "core/log.h"
#include "core/time.h"
#include "server/internal.h"

enum { A_SECOND = 20, RAW_MAX = 600 };

void wr_put_json(struct wr_buf *out, struct wr_str s)
{
    struct wr_buf safe = WR_BUF_INIT(0);
    bool plain = wr_utf8_valid(s);
    for (uint32_t i = 0; i < s.n && plain; i++)
        plain = (unsigned char)s.p[i] >= 0x20 || s.p[i] == '\n' || s.p[i] == '\t';
    if (!plain)
        wr_buf_escape(&safe, s, 1 << 20);
    wr_json_quote(out, plain ? s : wr_buf_get(&safe));
    wr_buf_clear(&safe);
}

void wr_put_time(struct wr_buf *out, int64_t us)
{
    if (us < WR_TIME_MIN || us > WR_TIME_MAX) {
        wr_buf_puts(out, "null");
        return;
    }
    wr_buf_putc(out, '"');
    wr_timestamp_print(out, us / 1000 * 1000, true);
    wr_buf_putc(out, '"');
}

void wr_ring_init(struct wr_ring *r)
{
    *r = (struct wr_ring){.n = 0};
    pthread_mutex_init(&r->lock, NULL);
}

void wr_ring_clear(struct wr_ring *r)
{
    for (int i = 0; i < WR_SAMPLES; i++)
        free(r->line[i]);
    pthread_mutex_destroy(&r->lock);
}

void wr_ring_add(struct wr_ring *r, struct wr_str line)
{
    char *copy = wr_malloc(line.n + 1);
    memcpy(copy, line.p, line.n);
    copy[line.n] = 0;
    pthread_mutex_lock(&r->lock);
    free(r->line[r->n % WR_SAMPLES]);
    r->line[r->n++ % WR_SAMPLES] = copy;
    pthread_mutex_unlock(&r->lock);
}

bool wr_ring_open(struct wr_ring *r)
{
    int64_t now = wr_clock_mono() / WR_US_SEC;
    pthread_mutex_lock(&r->lock);
    if (now != r->second) {
        r->second = now;
        r->in_second = 0;
    }
    bool open = r->in_second++ < A_SECOND;
    pthread_mutex_unlock(&r->lock);
    return open;
}

void wr_ring_print(struct wr_ring *r, const char *sep, struct wr_buf *out)
{
    pthread_mutex_lock(&r->lock);
    uint64_t from = r->n > WR_SAMPLES ? r->n - WR_SAMPLES : 0;
    for (uint64_t i = from; i < r->n; i++) {
        if (i > from)
            wr_buf_puts(out, sep);
        wr_buf_puts(out, r->line[i % WR_SAMPLES]);
    }
    pthread_mutex_unlock(&r->lock);
}

static void put_origin(struct wr_buf *out, const struct wr_plan *scan, const struct wr_origin *o)
{
    wr_buf_puts(out, "{\"at\":");
    wr_put_time(out, wr_clock_wall());
    if (scan) {
        wr_buf_puts(out, ",\"source\":");
        wr_put_json(out, wr_plan_outside(scan));
    }
    if (o->topic.n) {
        wr_buf_puts(out, ",\"topic\":");
        wr_put_json(out, o->topic);
    }
    if (o->part >= 0)
        wr_buf_printf(out, ",\"partition\":%d", o->part);
    if (o->offset >= 0)
        wr_buf_printf(out, ",\"offset\":%lld", (long long)o->offset);
}

static void put_raw(struct wr_buf *out, struct wr_str raw)
{
    if (!raw.p)
        return;
    struct wr_buf safe = WR_BUF_INIT(0);
    wr_buf_escape(&safe, raw, RAW_MAX);
    wr_buf_puts(out, ",\"raw\":");
    wr_json_quote(out, wr_buf_get(&safe));
    wr_buf_clear(&safe);
}

void wr_sample_bad(struct wr_ring *r, const struct wr_plan *scan, const struct wr_bad *bad)
{
    if (!wr_ring_open(r))
        return;
    struct wr_buf out = WR_BUF_INIT(0);
    put_origin(&out, scan, &bad->from);
    wr_buf_printf(&out, ",\"reason\":\"%s\"", wr_reason_name(bad->reason));
    if (bad->column.n) {
        wr_buf_puts(&out, ",\"column\":");
        wr_put_json(&out, bad->column);
    }
    wr_buf_puts(&out, ",\"message\":");
    wr_put_json(&out, wr_str_c(bad->msg[0] ? bad->msg : wr_reason_help(bad->reason)));
    put_raw(&out, bad->from.raw);
    wr_buf_putc(&out, '}');
    wr_ring_add(r, wr_buf_get(&out));
    wr_buf_clear(&out);
}

/* The row's own columns, where the source's batch is still at hand. */
static void put_columns(struct wr_buf *out, const struct wr_plan *scan, const struct wr_batch *b, uint32_t row)
{
    const struct wr_batch *src = b->src;
    if (!scan || !src || src->n_col != scan->out->n)
        return;
    wr_buf_puts(out, ",\"row\":{");
    for (int c = 0; c < src->n_col; c++) {
        if (c)
            wr_buf_putc(out, ',');
        wr_put_json(out, scan->out->field[c].name);
        wr_buf_putc(out, ':');
        wr_print_vec(out, &src->col[c], row, WR_STYLE_JSON);
    }
    wr_buf_putc(out, '}');
}

void wr_sample_late(struct wr_ring *r, const struct wr_plan *scan, const struct wr_batch *b, uint32_t row)
{
    if (!wr_ring_open(r))
        return;
    struct wr_origin o;
    struct wr_buf out = WR_BUF_INIT(1 << 16);
    wr_batch_origin(b, row, &o);
    put_origin(&out, scan, &o);
    wr_buf_puts(&out, ",\"watermark\":");
    wr_put_time(&out, wr_batch_wm(b, row));
    put_columns(&out, scan, b, row);
    if (!scan || !b->src)
        put_raw(&out, o.raw);
    wr_buf_putc(&out, '}');
    if (!out.overflow)
        wr_ring_add(r, wr_buf_get(&out));
    wr_buf_clear(&out);
}

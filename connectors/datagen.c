/* datagen.c: rows made up from a seed, for trying things, tests and benchmarks.
 *
 * Every value is a function of the seed, the row's number and the column's name: nothing is remembered from row to row but where a burst is.
 * So the same seed gives the same rows at any speed, in batches of any size, with any of the columns left out, and after a restart.
 *
 * Rules:  event time begins at `start` and goes on by speedup / rate a row (in bursts as the bursts go, which the clock then follows speedup
 *         times as fast), whatever the clock says; the clock only paces. A row may be late
 *         by up to `disorder`, and a share of `retries` repeats a row of shortly before. Without rows_per_second a bounded source (rows) is
 *         as fast as it can be, an unbounded one as fast as its scenario says.
 * Memory: text lies in the batch's arena, choices in the source's. */
#include "connectors/datagen.h"
#include "connectors/made.h"
#include "core/decimal.h"

#include <stdio.h>
#include <stdlib.h>

enum { RETRY_REACH = 50, DEFAULT_RATE = 10 };
#define DEFAULT_START "2025-11-28 00:00:00"

static const struct wr_optdesc datagen_opts[] = {
    {"scenario", NULL, WR_AS_SOURCE, WR_OPT_ENUM, false, false, NULL,
     "black-friday|iot|user-activity|transactions|card-bursts|random-events", "a ready-made stream; brings its columns along"},
    {"rows_per_second", "rows-per-second rate", WR_AS_SOURCE, WR_OPT_INT, false, false, NULL, NULL, "pace; 0: as fast as possible"},
    {"rows", "number-of-rows", WR_AS_SOURCE, WR_OPT_INT, false, false, NULL, NULL, "end after so many rows"},
    {"seed", NULL, WR_AS_SOURCE, WR_OPT_INT, false, false, "1", NULL, "the same seed gives the same rows"},
    {"start", NULL, WR_AS_SOURCE, WR_OPT_TEXT, false, false, DEFAULT_START, NULL, "event time of the first row; 'now': the clock's"},
    {"speedup", NULL, WR_AS_SOURCE, WR_OPT_TEXT, false, false, "1", NULL, "seconds of event time in a second"},
    {"disorder", NULL, WR_AS_SOURCE, WR_OPT_DURATION, false, false, NULL, NULL, "some rows are late by up to this much event time"},
    {"retries", "duplicates", WR_AS_SOURCE, WR_OPT_TEXT, false, false, NULL, NULL, "share of rows, 0 to 1, that repeat an earlier one"},
    {"columns.*", "fields.*", WR_AS_SOURCE, WR_OPT_TEXT, false, false, NULL, NULL,
     "columns.NAME.kind = random, sequence or uuid; .min .max .start .end .length .choices .null_share"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

static const struct wr_source_vt datagen_source;

struct datagen {
    struct wr_source src;
    struct wr_part part;
    const struct wr_schema *schema;
    const atomic_bool *stop;
    struct wr_arena mem;
    int n_col;
    struct wr_gencol *col;
    uint32_t batch_rows;
    uint64_t seed;
    int64_t start_us;
    int64_t speedup_milli;    /* thousandths */
    int64_t rate;             /* rows a second of event time, before speedup */
    bool paced;               /* held back by the clock */
    int64_t rows;             /* most rows; INT64_MAX: no end */
    int64_t disorder_us;
    int64_t retry_ppm;
    bool bursts;
    bool by_event;            /* paced by event time, as bursts are; else by the row's number */
    int64_t row;              /* number of the next row, from 0 */
    int64_t burst_left;       /* rows to come in this burst */
    int64_t burst_us;         /* event time of the row before, less the start */
    int64_t clock_us;         /* when pacing began, on the monotonic clock; -1: not yet */
    int64_t clock_row;        /* row, and event time, it began with */
    int64_t clock_event;
};

/* ---- chance ---- */

static inline uint64_t draw(const struct datagen *g, int64_t row, uint64_t salt)
{
    return wr_made_mix(wr_made_mix((uint64_t)row * UINT64_C(0x9E3779B97F4A7C15) + g->seed) + salt);
}

static const uint64_t salt_delay = 1, salt_retry = 2, salt_burst = 3;

static uint64_t shaped(uint64_t x, enum wr_genshape shape, uint64_t n)
{
    switch (shape) {
    case WR_SHAPE_EVEN: return wr_made_below(x, n);
    case WR_SHAPE_BELL: return (wr_made_below(x, n) + wr_made_below(wr_made_mix(x + 1), n) + wr_made_below(wr_made_mix(x + 2), n)) / 3;
    case WR_SHAPE_LOW: return wr_made_below(wr_made_mix(x + 1), wr_made_below(x, n) + 1);
    }
    return 0;
}

/* ---- time ---- */

static int64_t base_time(const struct datagen *g, int64_t row)
{
    if (g->bursts)
        return g->start_us + g->burst_us;
    wr_i128 us = (wr_i128)row * WR_US_SEC * g->speedup_milli / ((wr_i128)g->rate * 1000);
    wr_i128 most = (wr_i128)WR_TIME_MAX - g->start_us;
    return g->start_us + (int64_t)(us < most ? us : most);
}

/* One row in five is late. */
static int64_t event_time(const struct datagen *g, int64_t row)
{
    int64_t t = base_time(g, row);
    uint64_t x = draw(g, row, salt_delay);
    if (g->disorder_us && wr_made_below(x, 5) == 0) {
        int64_t late = (int64_t)wr_made_below(wr_made_mix(x), (uint64_t)g->disorder_us + 1);
        t -= late < t - g->start_us ? late : t - g->start_us; /* nothing is older than the start */
    }
    return t / 1000 * 1000; /* producers write milliseconds */
}

/* Whose content this row has: its own, or that of one before it. */
static int64_t content_of(const struct datagen *g, int64_t row)
{
    while (row > 0 && g->retry_ppm) {
        uint64_t x = draw(g, row, salt_retry);
        if ((int64_t)wr_made_below(x, WR_GEN_PPM) >= g->retry_ppm)
            break;
        int64_t reach = row < RETRY_REACH ? row : RETRY_REACH;
        row -= 1 + (int64_t)wr_made_below(wr_made_mix(x), (uint64_t)reach);
    }
    return row;
}

/* Moves the burst's clock to the next row: 10..200 ms within a burst, 1..60 s to the next one. */
static void step_burst(struct datagen *g, int64_t row)
{
    uint64_t x = draw(g, row, salt_burst);
    if (g->burst_left == 0) {
        if (row > 0)
            g->burst_us += (int64_t)(1000 + wr_made_below(x, 59001)) * 1000;
        g->burst_left = 8 + (int64_t)wr_made_below(wr_made_mix(x), 13);
    } else {
        g->burst_us += (int64_t)(10 + wr_made_below(x, 191)) * 1000;
    }
    g->burst_left--;
}

/* ---- values ---- */

static struct wr_str make_uuid(struct wr_arena *mem, uint64_t x)
{
    static const char hex[] = "0123456789abcdef";
    char *p = wr_arena_bytes(mem, 36);
    uint64_t half[2] = {x, wr_made_mix(x + 1)};
    half[0] = (half[0] & ~UINT64_C(0xF000)) | 0x4000;                                 /* version 4: random */
    half[1] = (half[1] & ~(UINT64_C(3) << 62)) | UINT64_C(1) << 63;                   /* variant 1 */
    for (int i = 0, at = 0; i < 32; i++) {
        if (i == 8 || i == 12 || i == 16 || i == 20)
            p[at++] = '-';
        p[at++] = hex[half[i / 16] >> (60 - 4 * (i % 16)) & 15];
    }
    return (struct wr_str){p, 36};
}

static struct wr_str make_letters(struct wr_arena *mem, uint64_t x, int64_t n)
{
    char *p = wr_arena_bytes(mem, (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        x = wr_made_mix(x + 1);
        p[i] = (char)('a' + wr_made_below(x, 26));
    }
    return (struct wr_str){p, (uint32_t)n};
}

static struct wr_str make_label(const struct wr_gencol *c, struct wr_arena *mem, uint64_t x)
{
    uint64_t n = (uint64_t)c->field.min + wr_made_below(x, (uint64_t)(c->field.max - c->field.min) + 1);
    uint32_t len = c->label.n + (uint32_t)c->digits;
    char *p = wr_arena_bytes(mem, len);
    memcpy(p, c->label.p, c->label.n);
    for (uint32_t i = len; i > c->label.n; n /= 10)
        p[--i] = (char)('0' + n % 10);
    return (struct wr_str){p, len};
}

static int64_t make_number(const struct wr_gencol *c, int64_t row, uint64_t x)
{
    const struct wr_genfield *f = &c->field;
    uint64_t span = (uint64_t)f->max - (uint64_t)f->min + 1;
    if (f->kind == WR_GEN_SEQUENCE)
        return f->min + row;
    if (f->kind == WR_GEN_DRAIN) /* each device somewhere else on its way down; a step every 16 rows of the source */
        return f->max - (int64_t)(((uint64_t)row / 16 + wr_made_below(x, c->of_span) * 47) % span);
    return f->min + (int64_t)(span ? shaped(x, f->shape, span) : x);
}

/* A number in units of 10^-scale becomes the column's type. */
static void put_number(struct wr_vec *v, uint32_t row, const struct wr_gencol *c, int64_t n)
{
    if (c->type.id == WR_T_DOUBLE)
        WR_VEC_F64(v)[row] = (double)n / (double)wr_pow10[c->field.scale];
    else if (c->type.id == WR_T_DECIMAL)
        WR_VEC_I128(v)[row] = (wr_i128)n * wr_pow10[c->type.scale - c->field.scale];
    else
        WR_VEC_I64(v)[row] = n;
}

static void put_time(struct wr_vec *v, uint32_t row, const struct wr_gencol *c, int64_t ts)
{
    int64_t midnight = wr_window_start(ts, WR_US_DAY, 0);
    if (c->type.id == WR_T_DATE)
        WR_VEC_I64(v)[row] = midnight / WR_US_DAY;
    else if (c->type.id == WR_T_TIME)
        WR_VEC_I64(v)[row] = ts - midnight;
    else
        WR_VEC_I64(v)[row] = ts;
}

static void put_value(struct datagen *g, const struct wr_gencol *c, struct wr_batch *b, uint32_t at, int64_t row, int64_t ts)
{
    struct wr_vec *v = &b->col[c->index];
    uint64_t x = draw(g, row, c->salt);
    if (c->null_ppm && (int64_t)wr_made_below(draw(g, row, c->null_salt), WR_GEN_PPM) < c->null_ppm) {
        wr_vec_nulls(v, b->cap, &b->mem)[at] = 1;
        memset((char *)v->data + (size_t)at * wr_phys_width(wr_type_phys(c->type.id)), 0, wr_phys_width(wr_type_phys(c->type.id)));
        return;
    }
    switch (c->field.kind) {
    case WR_GEN_TIME:
        put_time(v, at, c, ts);
        break;
    case WR_GEN_NUMBER: case WR_GEN_SEQUENCE: case WR_GEN_DRAIN:
        put_number(v, at, c, make_number(c, row, x));
        break;
    case WR_GEN_CHOICE:
        WR_VEC_STR(v)[at] = c->choice[c->of_span ? wr_made_below(x, c->of_span) % (uint64_t)c->n_choice : wr_made_below(x, (uint64_t)c->n_choice)];
        break;
    case WR_GEN_LETTERS: WR_VEC_STR(v)[at] = make_letters(&b->mem, x, c->field.max); break;
    case WR_GEN_UUID: WR_VEC_STR(v)[at] = make_uuid(&b->mem, x); break;
    case WR_GEN_LABEL: WR_VEC_STR(v)[at] = make_label(c, &b->mem, x); break;
    case WR_GEN_BOOL: WR_VEC_I8(v)[at] = x >> 63; break;
    }
}

/* ---- polling ---- */

static void datagen_origin(const struct wr_batch *b, uint32_t row, struct wr_origin *out)
{
    *out = (struct wr_origin){.topic = WR_STR("datagen"), .part = 0, .ts_us = INT64_MIN};
    out->offset = *(const int64_t *)b->src_priv + row;
}

/* µs from now until the next row is due; <= 0: it is. */
static int64_t until_due(const void *source, int64_t now)
{
    const struct datagen *g = source;
    wr_i128 due;
    if (g->by_event)
        due = (wr_i128)(g->burst_us - g->clock_event) * 1000 / g->speedup_milli;
    else
        due = (wr_i128)(g->row - g->clock_row) * WR_US_SEC / g->rate;
    return (int64_t)(due - (now - g->clock_us));
}

/* How many rows may come now: all that are due, at most a batch. */
static uint32_t count_due(const struct datagen *g, int64_t now)
{
    int64_t left = g->rows - g->row, n = g->batch_rows;
    if (left < n)
        n = left;
    if (!g->paced)
        return (uint32_t)n;
    if (until_due(g, now) > 0)
        return 0;
    if (g->by_event)
        return 1;
    int64_t due = (int64_t)((wr_i128)(now - g->clock_us) * g->rate / WR_US_SEC) + 1 - (g->row - g->clock_row);
    return (uint32_t)(due < n ? due : n);
}

static struct wr_batch *make_rows(struct datagen *g, uint32_t n)
{
    struct wr_batch *b = wr_batch_new(g->schema, n);
    int64_t *first = wr_arena_alloc(&b->mem, sizeof *first);
    *first = g->row;
    b->origin = datagen_origin;
    b->src_priv = first;
    for (uint32_t at = 0; at < n; at++) {
        int64_t row = content_of(g, g->row), ts = event_time(g, row);
        for (int i = 0; i < g->n_col; i++)
            put_value(g, &g->col[i], b, at, row, ts);
        g->row++;
        if (g->bursts)
            step_burst(g, g->row);
    }
    b->len = b->n_live = n;
    g->src.records += n;
    return b;
}

static wr_status datagen_poll(struct wr_source *src, int wait_ms, struct wr_batch **out, struct wr_error *err WR_UNUSED)
{
    struct datagen *g = (struct datagen *)src;
    *out = NULL;
    if (g->clock_us < 0) {
        g->clock_us = wr_clock_mono();
        g->clock_row = g->row;
        g->clock_event = g->burst_us;
    }
    if (g->row < g->rows) {
        uint32_t n = count_due(g, wr_clock_mono());
        if (n == 0 && wait_ms > 0) {
            wr_made_wait(until_due, g, g->stop, wait_ms);
            n = count_due(g, wr_clock_mono());
        }
        if (n)
            *out = make_rows(g, n);
    }
    src->ended = g->row >= g->rows;
    g->part.ended = src->ended;
    g->part.next = g->row;
    g->part.caught_up = src->ended || (g->paced && until_due(g, wr_clock_mono()) > 0);
    return WR_OK;
}

/* ---- opening ---- */

static wr_status open_times(struct datagen *g, const struct wr_opts *opts, const struct wr_scenario *sc, struct wr_error *err)
{
    struct wr_str s;
    bool range;
    int64_t pace = wr_opt_int(opts, "rows_per_second", -1);
    int64_t rows = wr_opt_int(opts, "rows", INT64_MAX);
    g->rows = rows < g->rows ? rows : g->rows; /* a sequence may end before */
    g->rate = pace > 0 ? pace : sc ? sc->rate : DEFAULT_RATE;
    g->paced = pace > 0 || (pace < 0 && g->rows == INT64_MAX);
    g->bursts = sc && sc->bursts;
    g->by_event = g->bursts && pace <= 0;
    g->disorder_us = wr_opt_duration(opts, "disorder", sc ? sc->disorder_us : 0);
    g->retry_ppm = sc ? sc->retry_ppm : 0;
    g->speedup_milli = 1000;
    s = wr_opt_text_or(opts, "start", DEFAULT_START);
    if (wr_str_ieq_c(s, "now"))
        g->start_us = wr_clock_wall();
    else if (!wr_time_parse(s, &g->start_us, &range))
        return wr_made_refuse(opts, "start", "a time such as '" DEFAULT_START "', or 'now'", err);
    if (g->rows < 0)
        return wr_made_refuse(opts, "rows", "zero or more", err);
    if (pace < -1 || pace > 1000000000)
        return wr_made_refuse(opts, "rows_per_second", "0 to 1,000,000,000", err);
    if (wr_opt_text(opts, "speedup", &s) && !wr_gen_scaled(s, 3, 1, INT64_C(1000000000000), &g->speedup_milli))
        return wr_made_refuse(opts, "speedup", "a number from 0.001 to 1,000,000,000", err);
    if (wr_opt_text(opts, "retries", &s) && !wr_gen_scaled(s, 6, 0, WR_GEN_PPM - 1, &g->retry_ppm))
        return wr_made_refuse(opts, "retries", "a share from 0 to below 1", err);
    if (g->bursts)
        g->retry_ppm = 0; /* a burst's rows are made in turn */
    return WR_OK;
}

static void datagen_close(struct wr_source *src)
{
    struct datagen *g = (struct datagen *)src;
    wr_arena_clear(&g->mem);
    free(g);
}

static wr_status datagen_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    struct datagen *g = wr_calloc(1, sizeof *g);
    const struct wr_scenario *sc = wr_scenario_find(wr_opt_text_or(spec->opts, "scenario", ""));
    g->src.vt = &datagen_source;
    g->src.n_part = 1;
    g->src.part = &g->part;
    g->schema = spec->schema;
    g->stop = spec->stop;
    g->batch_rows = spec->batch_rows ? spec->batch_rows : WR_BATCH_ROWS;
    g->seed = wr_made_mix((uint64_t)wr_opt_int(spec->opts, "seed", 1) + UINT64_C(0x9E3779B97F4A7C15));
    g->rows = INT64_MAX;
    g->clock_us = -1;
    g->col = WR_NEW_N(&g->mem, struct wr_gencol, spec->n_col + 1);
    wr_status st = wr_gencol_check_words(spec->opts, err);
    for (int i = 0; i < spec->n_col && !st; i++)
        st = wr_gencol_open(&g->col[g->n_col++], &g->mem, spec, i, sc, &g->rows, err);
    if (!st)
        st = open_times(g, spec->opts, sc, err);
    if (st) {
        datagen_close(&g->src);
        return st;
    }
    if (g->bursts)
        step_burst(g, 0);
    g->src.bounded = g->rows != INT64_MAX;
    g->part = (struct wr_part){.topic = WR_STR("datagen"), .end = g->src.bounded ? g->rows : -1};
    *out = &g->src;
    return WR_OK;
}

static wr_status datagen_check(const struct wr_source_spec *spec, struct wr_error *err)
{
    struct wr_source *src;
    WR_TRY(datagen_open(spec, &src, err));
    datagen_close(src);
    return WR_OK;
}

static bool datagen_bounded(const struct wr_opts *opts, bool until_end WR_UNUSED)
{
    struct wr_str s;
    if (wr_opt_text(opts, "rows", &s))
        return true;
    for (int i = 0; opts && i < opts->n; i++) {
        struct wr_str key = opts->opt[i].key;
        if (key.n > 12 && memcmp(key.p, "columns.", 8) == 0 && memcmp(key.p + key.n - 4, ".end", 4) == 0)
            return true;
    }
    return false;
}

/* ---- positions: version, row, where the burst is ---- */

static wr_status datagen_position(struct wr_source *src, struct wr_buf *out, struct wr_error *err WR_UNUSED)
{
    struct datagen *g = (struct datagen *)src;
    wr_buf_u8(out, 1);
    wr_buf_i64(out, g->row);
    wr_buf_i64(out, g->burst_left);
    wr_buf_i64(out, g->burst_us);
    wr_buf_i64(out, g->start_us);
    return WR_OK;
}

static wr_status datagen_seek(struct wr_source *src, struct wr_str position, struct wr_error *err)
{
    struct datagen *g = (struct datagen *)src;
    uint8_t version = 0;
    int64_t row, left, us, start;
    if (!wr_take_u8(&position, &version) || version != 1 || !wr_take_i64(&position, &row) || !wr_take_i64(&position, &left) ||
        !wr_take_i64(&position, &us) || !wr_take_i64(&position, &start) || row < 0 || left < 0 || us < 0)
        return wr_fail(err, WR_EIO, "datagen: the position in the checkpoint cannot be read");
    g->row = row;
    g->burst_left = left;
    g->burst_us = us;
    g->start_us = start; /* start = 'now' means the first start */
    return WR_OK;
}

static const struct wr_source_vt datagen_source = {
    .check = datagen_check,
    .bounded = datagen_bounded,
    .open = datagen_open,
    .poll = datagen_poll,
    .position = datagen_position,
    .seek = datagen_seek,
    .close = datagen_close,
};

static wr_status datagen_columns(const struct wr_opts *opts, struct wr_arena *a, struct wr_coldef **col, int *n, struct wr_error *err)
{
    const struct wr_scenario *sc = wr_scenario_find(wr_opt_text_or(opts, "scenario", ""));
    if (!sc) {
        wr_fail(err, WR_ESQL, "connector \"datagen\" needs a column list or the option \"scenario\"");
        wr_hint(err, "scenario is one of: %s", wr_scenario_names());
        return WR_ESQL;
    }
    *n = sc->n;
    *col = WR_NEW_N(a, struct wr_coldef, sc->n);
    for (int i = 0; i < sc->n; i++) {
        const struct wr_genfield *f = &sc->field[i];
        struct wr_type type = {.id = (uint8_t)f->type};
        if (f->type == WR_T_DECIMAL)
            type = wr_type_decimal(f->prec, f->scale);
        (*col)[i] = (struct wr_coldef){.name = wr_str_c(f->name), .type = type, .from = WR_COL_FIELD, .off = -1, .pos = i};
    }
    return WR_OK;
}

const struct wr_connector wr_connector_datagen = {
    .name = "datagen",
    .help = "rows made up from a seed",
    .opts = datagen_opts,
    .source = &datagen_source,
    .columns = datagen_columns,
};

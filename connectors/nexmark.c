/* nexmark.c: the three streams of the Nexmark benchmark, an auction house, made from a seed: of each 50 events 1 is a person, 3 are auctions, 46 are
 * bids, with the ids, prices and hot keys the benchmark describes (nexmark_values.c).
 *
 * Every value is a function of the seed, the event's number and the column. So a source per stream, each with the same seed, shows the same auction
 * house: bids are for auctions that the other source delivers; and any column may be left out, in batches of any size, after any restart.
 *
 * Rules:  event n has the time start + n / rate, to the millisecond; the clock only paces, and only where `paced` asks for it or there is no end.
 * Memory: text lies in the batch's arena or is constant; channels and their pages lie in the source's. */
#include "connectors/made.h"
#include "connectors/nexmark.h"

#include <stdlib.h>

enum { DEFAULT_RATE = 10000 };
#define DEFAULT_START "2025-11-28 00:00:00"

static const struct wr_optdesc nexmark_opts[] = {
    {"table", NULL, WR_AS_SOURCE, WR_OPT_ENUM, false, false, "event", "person|auction|bid|event", "which stream; event: all three in one, as the events come"},
    {"events", "events.num", WR_AS_SOURCE, WR_OPT_INT, false, false, NULL, NULL, "end after so many events, those of the other streams counted"},
    {"rows", "number-of-rows", WR_AS_SOURCE, WR_OPT_INT, false, false, NULL, NULL, "end after so many rows of this stream"},
    {"seed", NULL, WR_AS_SOURCE, WR_OPT_INT, false, false, "1", NULL, "the same seed gives the same events, in all streams"},
    {"rate", "events_per_second first-event.rate", WR_AS_SOURCE, WR_OPT_INT, false, false, "10000", NULL, "events of all streams in a second of event time"},
    {"paced", NULL, WR_AS_SOURCE, WR_OPT_BOOL, false, false, NULL, NULL, "rows wait for the clock to reach their time; usual where there is no end"},
    {"start", NULL, WR_AS_SOURCE, WR_OPT_TEXT, false, false, DEFAULT_START, NULL, "event time of the first event; 'now': the clock's"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

static const struct wr_source_vt nexmark_source;

struct nexmark {
    struct wr_source src;
    struct wr_part part;
    const struct wr_schema *schema;
    const atomic_bool *stop;
    struct wr_arena mem;
    struct wr_nexgen gen;
    int n_col;
    const struct wr_nexcol **col;  /* what fills each column of the schema */
    enum wr_nexkind table;
    uint32_t batch_rows;
    bool paced;
    int64_t rows;                  /* most rows; INT64_MAX: no end */
    int64_t row;                   /* number of the next row, from 0 */
    int64_t clock_us;              /* when pacing began, on the monotonic clock; -1: not yet */
    int64_t clock_row;             /* row it began with */
};

/* ---- polling ---- */

static void nexmark_origin(const struct wr_batch *b, uint32_t row, struct wr_origin *out)
{
    *out = (struct wr_origin){.topic = WR_STR("nexmark"), .part = 0, .ts_us = INT64_MIN};
    out->offset = *(const int64_t *)b->src_priv + row;
}

static struct wr_batch *make_rows(struct nexmark *g, uint32_t n)
{
    struct wr_batch *b = wr_batch_new(g->schema, n);
    int64_t *first = wr_arena_alloc(&b->mem, sizeof *first);
    int64_t *event = wr_arena_alloc(&b->mem, sizeof *event * n);
    *first = g->row;
    b->origin = nexmark_origin;
    b->src_priv = first;
    for (uint32_t i = 0; i < n; i++)
        event[i] = wr_nexmark_event(g->table, g->row + i);
    for (int c = 0; c < g->n_col; c++)
        wr_nexmark_fill(&g->gen, g->col[c], event, n, &b->col[c], b);
    b->len = b->n_live = n;
    g->row += n;
    g->src.records += n;
    return b;
}

/* µs from now until the next row is due; <= 0: it is. */
static int64_t until_due(const void *source, int64_t now)
{
    const struct nexmark *g = source;
    int64_t event = wr_nexmark_time(&g->gen, wr_nexmark_event(g->table, g->row)) - wr_nexmark_time(&g->gen, wr_nexmark_event(g->table, g->clock_row));
    return event - (now - g->clock_us);
}

/* How many rows may come now: all that are due, at most a batch. */
static uint32_t count_due(const struct nexmark *g, int64_t now)
{
    int64_t left = g->rows - g->row, n = g->batch_rows < left ? g->batch_rows : left;
    if (!g->paced)
        return (uint32_t)n;
    if (until_due(g, now) > 0)
        return 0;
    int64_t limit = wr_nexmark_time(&g->gen, wr_nexmark_event(g->table, g->clock_row)) + (now - g->clock_us), lo = 1;
    while (lo < n) { /* times rise with the row */
        int64_t mid = (lo + n + 1) / 2;
        if (wr_nexmark_time(&g->gen, wr_nexmark_event(g->table, g->row + mid - 1)) <= limit)
            lo = mid;
        else
            n = mid - 1;
    }
    return (uint32_t)lo;
}

static wr_status nexmark_poll(struct wr_source *src, int wait_ms, struct wr_batch **out, struct wr_error *err WR_UNUSED)
{
    struct nexmark *g = (struct nexmark *)src;
    *out = NULL;
    if (g->clock_us < 0) {
        g->clock_us = wr_clock_mono();
        g->clock_row = g->row;
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

static enum wr_nexkind table_of(const struct wr_opts *opts)
{
    struct wr_str s = wr_opt_text_or(opts, "table", "event");
    return wr_str_ieq_c(s, "person") ? WR_NEX_PERSON : wr_str_ieq_c(s, "auction") ? WR_NEX_AUCTION : wr_str_ieq_c(s, "bid") ? WR_NEX_BID : WR_NEX_EVENT;
}

static wr_status open_options(struct nexmark *g, const struct wr_opts *opts, struct wr_error *err)
{
    bool range;
    int64_t rows = wr_opt_int(opts, "rows", INT64_MAX), events = wr_opt_int(opts, "events", INT64_MAX), rate = wr_opt_int(opts, "rate", DEFAULT_RATE);
    struct wr_str start = wr_opt_text_or(opts, "start", DEFAULT_START);
    g->table = table_of(opts);
    if (rows < 0)
        return wr_made_refuse(opts, "rows", "zero or more", err);
    if (events < 0)
        return wr_made_refuse(opts, "events", "zero or more", err);
    if (rate < 1 || rate > 1000000000)
        return wr_made_refuse(opts, "rate", "1 to 1,000,000,000", err);
    if (wr_str_ieq_c(start, "now"))
        g->gen.start_us = wr_clock_wall() / 1000 * 1000;
    else if (!wr_time_parse(start, &g->gen.start_us, &range))
        return wr_made_refuse(opts, "start", "a time such as '" DEFAULT_START "', or 'now'", err);
    g->gen.rate = rate;
    g->gen.mixed = g->table == WR_NEX_EVENT;
    if (events != INT64_MAX)
        events = wr_nexmark_rows(g->table, events);
    g->rows = rows < events ? rows : events;
    g->paced = wr_opt_bool(opts, "paced", g->rows == INT64_MAX);
    return WR_OK;
}

static wr_status open_column(struct nexmark *g, const struct wr_coldef *d, struct wr_error *err)
{
    const struct wr_nexcol *c = wr_nexmark_column(g->table, d->name);
    if (d->from != WR_COL_FIELD || d->path.n)
        return wr_fail_at(err, WR_ESQL, d->off, "column \"%.*s\": connector \"nexmark\" has neither METADATA nor PATH", WR_FMT(d->name));
    if (!c) {
        wr_fail_at(err, WR_ESQL, d->off, "connector \"nexmark\" has no column \"%.*s\" here", WR_FMT(d->name));
        wr_hint(err, "leave the column list out to have them all");
        return WR_ESQL;
    }
    if (d->type.id != c->type && !(c->type == WR_T_TIMESTAMP && d->type.id == WR_T_TIMESTAMPTZ)) {
        wr_fail_at(err, WR_ESQL, d->off, "column \"%.*s\" of connector \"nexmark\" has another type", WR_FMT(d->name));
        wr_hint(err, "it is %.*s", WR_FMT(wr_type_name(&g->mem, (struct wr_type){.id = (uint8_t)c->type})));
        return WR_ESQL;
    }
    g->col[g->n_col++] = c;
    return WR_OK;
}

static void nexmark_close(struct wr_source *src)
{
    struct nexmark *g = (struct nexmark *)src;
    wr_arena_clear(&g->mem);
    free(g);
}

static wr_status nexmark_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    struct nexmark *g = wr_calloc(1, sizeof *g);
    g->src.vt = &nexmark_source;
    g->src.n_part = 1;
    g->src.part = &g->part;
    g->schema = spec->schema;
    g->stop = spec->stop;
    g->batch_rows = spec->batch_rows ? spec->batch_rows : WR_BATCH_ROWS;
    g->clock_us = -1;
    g->col = WR_NEW_N(&g->mem, const struct wr_nexcol *, spec->n_col + 1);
    wr_status st = open_options(g, spec->opts, err);
    for (int i = 0; i < spec->n_col && !st; i++)
        st = open_column(g, &spec->col[i], err);
    if (st) {
        nexmark_close(&g->src);
        return st;
    }
    wr_nexmark_init(&g->gen, wr_opt_int(spec->opts, "seed", 1), g->col, g->n_col, &g->mem);
    g->src.bounded = g->rows != INT64_MAX;
    g->part = (struct wr_part){.topic = WR_STR("nexmark"), .end = g->src.bounded ? g->rows : -1};
    *out = &g->src;
    return WR_OK;
}

static wr_status nexmark_check(const struct wr_source_spec *spec, struct wr_error *err)
{
    struct wr_source *src;
    WR_TRY(nexmark_open(spec, &src, err));
    nexmark_close(src);
    return WR_OK;
}

static bool nexmark_bounded(const struct wr_opts *opts, bool until_end WR_UNUSED)
{
    struct wr_str s;
    return wr_opt_text(opts, "rows", &s) || wr_opt_text(opts, "events", &s);
}

/* ---- positions: version, row, start ('now' means the first start) ---- */

static wr_status nexmark_position(struct wr_source *src, struct wr_buf *out, struct wr_error *err WR_UNUSED)
{
    struct nexmark *g = (struct nexmark *)src;
    wr_buf_u8(out, 1);
    wr_buf_i64(out, g->row);
    wr_buf_i64(out, g->gen.start_us);
    return WR_OK;
}

static wr_status nexmark_seek(struct wr_source *src, struct wr_str position, struct wr_error *err)
{
    struct nexmark *g = (struct nexmark *)src;
    uint8_t version = 0;
    int64_t row, start;
    if (!wr_take_u8(&position, &version) || version != 1 || !wr_take_i64(&position, &row) || !wr_take_i64(&position, &start) || row < 0)
        return wr_fail(err, WR_EIO, "nexmark: the position in the checkpoint cannot be read");
    g->row = row;
    g->gen.start_us = start;
    return WR_OK;
}

static const struct wr_source_vt nexmark_source = {
    .check = nexmark_check,
    .bounded = nexmark_bounded,
    .open = nexmark_open,
    .poll = nexmark_poll,
    .position = nexmark_position,
    .seek = nexmark_seek,
    .close = nexmark_close,
};

static wr_status nexmark_columns(const struct wr_opts *opts, struct wr_arena *a, struct wr_coldef **col, int *n, struct wr_error *err WR_UNUSED)
{
    enum wr_nexkind table = table_of(opts);
    *n = 0;
    while (wr_nexmark_columns(table)[*n].name)
        ++*n;
    *col = WR_NEW_N(a, struct wr_coldef, *n);
    for (int i = 0; i < *n; i++) {
        const struct wr_nexcol *c = &wr_nexmark_columns(table)[i];
        struct wr_type type = {.id = (uint8_t)c->type};
        (*col)[i] = (struct wr_coldef){.name = wr_str_c(c->name), .type = type, .from = WR_COL_FIELD, .off = -1, .pos = i};
    }
    return WR_OK;
}

const struct wr_connector wr_connector_nexmark = {
    .name = "nexmark",
    .help = "the Nexmark benchmark's auction house, from a seed",
    .opts = nexmark_opts,
    .source = &nexmark_source,
    .columns = nexmark_columns,
};

/* scripted.c: see scripted.h.
 * Rules:  events are taken strictly in the scenario's order, over all sources; a source whose turn it is not gives nothing.
 *         A source's place in a checkpoint is the number of the next event. After a crash sources may stand at different ones: events are gone
 *         through again from the least, and a source leaves out what it had.
 * Memory: records borrow from the scenario's text, which outlives the job. */
#include "shell/scripted.h"

#include <limits.h>
#include <stdlib.h>

/* ---- source ---- */

struct scripted {
    struct wr_source base;
    const struct wr_source_spec *spec;
    struct wr_script *script;
    struct wr_decoder *decoder;
    struct wr_str topic;
    int from;                    /* events before this one were delivered before the restart */
};
struct record { const struct wr_event *e; int64_t offset; const struct scripted *src; };

static void record_origin(const struct wr_batch *b, uint32_t row, struct wr_origin *out)
{
    const struct record *r = (const struct record *)b->src_priv + row;
    *out = (struct wr_origin){.topic = r->src->topic, .part = r->e->part, .offset = r->offset, .ts_us = r->e->ts_us, .raw = r->e->value, .key = r->e->key};
}

static void set_meta(struct scripted *s, struct wr_batch *b, uint32_t row, const struct record *r)
{
    for (int c = 0; c < s->spec->n_col; c++) {
        const struct wr_coldef *d = &s->spec->col[c];
        if (d->from != WR_COL_META)
            continue;
        struct wr_value v = {.type = d->type};
        if (wr_str_eq_c(d->path, "key")) {
            v.null = !r->e->has_key;
            v.as.s = r->e->key;
        } else if (wr_str_eq_c(d->path, "partition")) {
            v.as.i = r->e->part;
        } else if (wr_str_eq_c(d->path, "offset")) {
            v.as.i = r->offset;
        } else if (wr_str_eq_c(d->path, "topic")) {
            v.as.s = s->topic;
        } else if (wr_str_eq_c(d->path, "timestamp")) {
            v.null = r->e->ts_us == INT64_MIN;
            v.as.i = d->type.id == WR_T_BIGINT ? r->e->ts_us / 1000 : r->e->ts_us;
        } else {
            v.null = true;
        }
        if (v.null)
            wr_vec_nulls(&b->col[c], b->cap, &b->mem)[row] = 1;
        else
            wr_vec_set(&b->col[c], row, &v, b->cap, &b->mem);
    }
}

/* Handles what is not a record; true: nothing to deliver this round. */
static bool other_event(struct scripted *s, const struct wr_event *e)
{
    struct wr_script *sc = s->script;
    switch (e->kind) {
    case WR_EVENT_RECORD: return false;
    case WR_EVENT_ADVANCE:
        sc->clock += e->us;
        sc->pause = 2; /* the round in flight still has the old time */
        return true;
    case WR_EVENT_CAUGHT:
        for (int p = 0; p < s->base.n_part; p++)
            if (e->part < 0 || e->part == p)
                s->base.part[p].caught_up = true;
        sc->pause = 1;
        return true;
    }
    WR_BUG("event of kind %d", (int)e->kind);
}

/* After a restart: where the source that is furthest back stands. */
static void find_place(struct wr_script *sc)
{
    int least = sc->scenario->n_event;
    for (int i = 0; i < sc->n_source; i++)
        least = sc->source[i]->from < least ? sc->source[i]->from : least;
    sc->next = least;
    sc->resumed = false;
}

/* Events that this source had before the restart. */
static void leave_out(struct scripted *s)
{
    struct wr_script *sc = s->script;
    while (sc->next < s->from && wr_str_eq(sc->scenario->event[sc->next].source, s->spec->name))
        sc->next++;
}

/* Is there a source of the job that will take this event? Nobody would wait for the rest otherwise, but everybody for this one. */
static bool is_read(const struct wr_script *sc, const struct wr_event *e)
{
    for (int i = 0; i < sc->n_source; i++)
        if (wr_str_eq(e->source, sc->source[i]->spec->name))
            return true;
    return false;
}

uint32_t wr_script_dice(uint64_t *dice, uint32_t n)
{
    *dice ^= *dice << 13;
    *dice ^= *dice >> 7;
    *dice ^= *dice << 17;
    return (uint32_t)(*dice >> 33) % n;
}

/* Up to batch_rows records in a row that are this source's. */
static uint32_t take_events(struct scripted *s, const struct wr_event **list, uint32_t most)
{
    struct wr_script *sc = s->script;
    uint32_t n = 0;
    pthread_mutex_lock(&sc->lock);
    if (sc->dice && most > 1)
        most = 1 + wr_script_dice(&sc->dice, most);
    if (sc->resumed)
        find_place(sc);
    leave_out(s);
    if (sc->to_save > 0) {
        /* a checkpoint is on its way */
    } else if (sc->pause > 0) {
        sc->pause--;
    } else {
        while (n < most && sc->next < sc->scenario->n_event) {
            const struct wr_event *e = &sc->scenario->event[sc->next];
            if (!wr_str_eq(e->source, s->spec->name) || (n > 0 && e->kind != WR_EVENT_RECORD))
                break;
            sc->next++;
            if (other_event(s, e))
                break;
            list[n++] = e;
        }
        bool over = sc->next == sc->scenario->n_event || !is_read(sc, &sc->scenario->event[sc->next]);
        if (n == 0 && over && sc->pause == 0) {
            s->base.ended = true;
            for (int p = 0; p < s->base.n_part; p++)
                s->base.part[p].ended = true;
        }
    }
    pthread_mutex_unlock(&sc->lock);
    return n;
}

/* Where a random run is interrupted next; after some times nowhere. */
static void roll_break(struct wr_script *sc)
{
    enum { MOST_BREAKS = 6 };
    bool more = sc->how != WR_BREAK_NONE && sc->n_break++ < MOST_BREAKS;
    sc->break_at = more ? 1 + (int)wr_script_dice(&sc->dice, (uint32_t)(2 * sc->rarely)) : INT_MAX;
    sc->save_at = more && sc->how == WR_BREAK_CRASH ? 1 + (int)wr_script_dice(&sc->dice, (uint32_t)sc->rarely) : INT_MAX;
}

static void save_now(struct wr_script *sc)
{
    sc->to_save = sc->n_out;
    wr_job_checkpoint_now(sc->job);
}

static wr_status interrupt_randomly(struct wr_script *sc, int n, struct wr_error *err)
{
    if (n == sc->break_at && sc->how == WR_BREAK_CRASH)
        return wr_fail(err, WR_ESTOP, "the script lets the job crash here");
    if (n == sc->break_at)
        atomic_store(&sc->stop, true);
    if (n == sc->save_at) {
        sc->save_at += 1 + (int)wr_script_dice(&sc->dice, (uint32_t)sc->rarely);
        save_now(sc);
    }
    return WR_OK;
}

/* A batch is about to be given: is the run to be interrupted after it, or instead of it? */
static wr_status interrupt(struct wr_script *sc, struct wr_error *err)
{
    wr_status st = WR_OK;
    pthread_mutex_lock(&sc->lock);
    int n = ++sc->n_batch;
    if (sc->dice) {
        st = interrupt_randomly(sc, n, err);
        pthread_mutex_unlock(&sc->lock);
        return st;
    }
    if (sc->how == WR_BREAK_STOP && n == sc->every)
        atomic_store(&sc->stop, true);
    if (sc->how == WR_BREAK_CRASH && (n == sc->every || n == 2 * sc->every))
        save_now(sc);
    if (sc->how == WR_BREAK_CRASH && n == 3 * sc->every + 1)
        st = wr_fail(err, WR_ESTOP, "the script lets the job crash here");
    pthread_mutex_unlock(&sc->lock);
    return st;
}

static wr_status scripted_poll(struct wr_source *base, int wait_ms WR_UNUSED, struct wr_batch **out, struct wr_error *err)
{
    struct scripted *s = (struct scripted *)base;
    uint32_t most = s->spec->batch_rows ? s->spec->batch_rows : 1024;
    const struct wr_event **list = wr_malloc(sizeof *list * most);
    uint32_t n = take_events(s, list, most);
    if (n > 0) {
        wr_status broken = interrupt(s->script, err);
        if (broken) {
            free(list);
            return broken;
        }
    }
    struct wr_batch *b = n ? wr_batch_new(s->spec->schema, n) : NULL;
    struct record *rec = n ? wr_arena_alloc(&b->mem, sizeof *rec * n) : NULL;
    uint32_t *part = n ? wr_arena_alloc(&b->mem, sizeof *part * n) : NULL;
    int64_t *ts = n ? wr_arena_alloc(&b->mem, sizeof *ts * n) : NULL;
    wr_status st = WR_OK;
    uint32_t row = 0;
    for (uint32_t i = 0; i < n && st == WR_OK; i++) {
        struct wr_part *p = &base->part[list[i]->part];
        p->caught_up = false;
        rec[row] = (struct record){list[i], p->next++, s};
        base->records++;
        struct wr_bad bad = {0};
        enum wr_reason why = s->spec->format ? s->spec->format->decode(s->decoder, list[i]->value, b, row, &bad) : WR_R_SYNTAX;
        if (why) {
            bad.reason = why;
            b->src_priv = rec;
            record_origin(b, row, &bad.from);
            base->n_bad++;
            st = s->spec->bad->report(s->spec->bad->ctx, &bad, err);
            continue;
        }
        set_meta(s, b, row, &rec[row]);
        part[row] = (uint32_t)list[i]->part;
        ts[row] = list[i]->ts_us;
        row++;
    }
    free(list);
    if (st || row == 0) {
        wr_batch_unref(b);
        return st;
    }
    b->len = b->n_live = row;
    b->part = part;
    b->rec_ts = ts;
    b->src_priv = rec;
    b->origin = record_origin;
    *out = b;
    return WR_OK;
}

static void scripted_close(struct wr_source *base)
{
    struct scripted *s = (struct scripted *)base;
    if (s->decoder)
        s->spec->format->decoder_close(s->decoder);
    free(base->part);
    free(s);
}

static wr_status scripted_position(struct wr_source *base, struct wr_buf *out, struct wr_error *err WR_UNUSED)
{
    struct scripted *s = (struct scripted *)base;
    pthread_mutex_lock(&s->script->lock);
    wr_buf_i64(out, s->script->next);
    pthread_mutex_unlock(&s->script->lock);
    for (int p = 0; p < base->n_part; p++) {
        wr_buf_i64(out, base->part[p].next);
        wr_buf_u8(out, base->part[p].caught_up);
    }
    return WR_OK;
}

static wr_status scripted_seek(struct wr_source *base, struct wr_str at, struct wr_error *err)
{
    struct scripted *s = (struct scripted *)base;
    int64_t from;
    bool ok = wr_take_i64(&at, &from);
    for (int p = 0; p < base->n_part && ok; p++) {
        uint8_t caught = 0;
        ok = wr_take_i64(&at, &base->part[p].next) && wr_take_u8(&at, &caught);
        base->part[p].caught_up = caught != 0;
    }
    s->from = (int)from;
    return ok ? WR_OK : wr_fail(err, WR_EIO, "the place of a scripted source is damaged");
}

static const struct wr_source_vt scripted_vt = {
    .poll = scripted_poll, .position = scripted_position, .seek = scripted_seek, .close = scripted_close,
};

wr_status wr_script_source(void *ctx, const struct wr_plan *scan WR_UNUSED, const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    struct wr_script *sc = ctx;
    int most = -1;
    for (int i = 0; i < sc->scenario->n_event; i++)
        if (wr_str_eq(sc->scenario->event[i].source, spec->name) && sc->scenario->event[i].part > most)
            most = sc->scenario->event[i].part;
    bool named = false;
    for (int i = 0; i < sc->scenario->n_block; i++)
        named |= sc->scenario->block[i].kind == WR_BLOCK_INPUT && wr_str_eq(sc->scenario->block[i].name, spec->name);
    if (!named && !spec->format)
        return WR_OK; /* datagen and the like run as they are */
    struct scripted *s = wr_calloc(1, sizeof *s);
    s->base.vt = &scripted_vt;
    s->base.bounded = true;
    s->base.n_part = most < 0 ? 1 : most + 1;
    s->base.part = wr_calloc((size_t)s->base.n_part, sizeof *s->base.part);
    s->spec = spec;
    s->script = sc;
    s->topic = wr_opt_text_or(spec->opts, "topic", "");
    if (s->topic.n == 0)
        s->topic = spec->name;
    for (int p = 0; p < s->base.n_part; p++)
        s->base.part[p] = (struct wr_part){.topic = s->topic, .num = p, .end = -1};
    wr_status st = spec->format ? spec->format->decoder_open(spec, &s->decoder, err) : WR_OK;
    if (st) {
        scripted_close(&s->base);
        return st;
    }
    WR_ASSERT(sc->n_source < (int)(sizeof sc->source / sizeof *sc->source));
    sc->source[sc->n_source++] = s;
    *out = &s->base;
    return WR_OK;
}

/* ---- sink ---- */

struct kept {
    struct wr_sink base;
    const struct wr_sink_spec *spec;
    struct wr_script *script;
    struct wr_script_out *out;
};

static wr_status kept_write(struct wr_sink *base, struct wr_batch *b, struct wr_error *err WR_UNUSED)
{
    static const char *const op_name[] = {"+I", "-U", "+U", "-D"};
    struct kept *k = (struct kept *)base;
    struct wr_buf *o = &k->out->lines;
    for (uint32_t i = 0; i < b->n_live; i++) {
        uint32_t r = wr_batch_row(b, i);
        wr_buf_puts(o, op_name[wr_batch_op(b, r)]);
        wr_buf_puts(o, " {");
        for (int c = 0; c < b->n_col; c++) {
            struct wr_value name = {.type = WR_TYPE_OF(TEXT), .as.s = k->spec->schema->field[c].name};
            wr_buf_puts(o, c ? ", " : "");
            wr_print_value(o, &name, WR_STYLE_JSON);
            wr_buf_puts(o, ": ");
            wr_print_vec(o, &b->col[c], r, WR_STYLE_JSON);
        }
        wr_buf_puts(o, "}\n");
        base->rows++;
    }
    wr_batch_unref(b);
    return WR_OK;
}

static wr_status kept_flush(struct wr_sink *base WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static void kept_close(struct wr_sink *base) { free(base); }

static wr_status kept_position(struct wr_sink *base, struct wr_buf *out, struct wr_error *err WR_UNUSED)
{
    struct kept *k = (struct kept *)base;
    wr_buf_i64(out, (int64_t)k->out->lines.n);
    pthread_mutex_lock(&k->script->lock);
    k->script->to_save--;
    pthread_mutex_unlock(&k->script->lock);
    return WR_OK;
}

static wr_status kept_seek(struct wr_sink *base, struct wr_str at, struct wr_error *err)
{
    struct kept *k = (struct kept *)base;
    int64_t n = 0;
    if (at.n > 0 && (!wr_take_i64(&at, &n) || n < 0 || (size_t)n > k->out->lines.n))
        return wr_fail(err, WR_EIO, "the place of a scripted sink is damaged");
    k->out->lines.n = (size_t)n;
    return WR_OK;
}

static const struct wr_sink_vt kept_vt = {
    .write = kept_write, .flush = kept_flush, .position = kept_position, .seek = kept_seek, .close = kept_close,
};

wr_status wr_script_sink(void *ctx, const struct wr_plan *sink, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err WR_UNUSED)
{
    struct wr_script *sc = ctx;
    struct kept *k = wr_calloc(1, sizeof *k);
    k->base.vt = &kept_vt;
    k->spec = spec;
    k->script = sc;
    for (int i = 0; i < sc->n_out; i++) /* by node: all bare queries have the same name */
        if (sc->plan->sink[i] == sink)
            k->out = &sc->out[i];
    WR_ASSERT(k->out);
    k->out->lines.max = 256 << 20;
    k->out->updating = sink->in[0]->updating;
    k->out->ordered = sink->in[0]->kind == WR_PLAN_SORT && sink->in[0]->u.sort.n > 0; /* else it is held only */
    *out = &k->base;
    return WR_OK;
}

/* ---- one run ---- */

int64_t wr_script_clock(void *ctx)
{
    struct wr_script *s = ctx;
    pthread_mutex_lock(&s->lock);
    int64_t t = s->clock;
    pthread_mutex_unlock(&s->lock);
    return t;
}

void wr_script_init(struct wr_script *s, const struct wr_scenario *scenario, const struct wr_jobplan *plan, struct wr_arena *a)
{
    *s = (struct wr_script){.scenario = scenario, .clock = 1000000, .plan = plan, .n_out = plan->n_sink};
    pthread_mutex_init(&s->lock, NULL);
    atomic_init(&s->stop, false);
    s->out = WR_NEW_N(a, struct wr_script_out, plan->n_sink + 1);
    for (int i = 0; i < plan->n_sink; i++)
        s->out[i].name = plan->sink[i]->u.sink.spec.name;
}

void wr_script_randomly(struct wr_script *s, uint64_t seed, int rarely)
{
    s->dice = seed;
    s->rarely = rarely;
    roll_break(s);
}

void wr_script_resume(struct wr_script *s)
{
    if (s->dice)
        roll_break(s);
    s->n_source = s->n_batch = s->pause = s->to_save = 0;
    s->resumed = true;
    atomic_store(&s->stop, false);
}

void wr_script_clear(struct wr_script *s)
{
    for (int i = 0; i < s->n_out; i++)
        wr_buf_clear(&s->out[i].lines);
    pthread_mutex_destroy(&s->lock);
}

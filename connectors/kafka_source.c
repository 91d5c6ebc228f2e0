/* kafka_source.c: reads Kafka topics.
 *
 * How:    librdkafka hands over what its queue holds, up to a batch; the format decodes each record's value straight into the batch's
 *         vectors; text stays where it is, in the message, and the batch keeps its messages until it is released.
 * Rules:  see kafka_source.h. Every record taken is a row, a bad row or skipped: the counters balance. The end of a partition is seen by
 *         librdkafka's end-of-partition event or by the position having reached the end heard of; never by "offset = end - 1", because
 *         transaction markers and compaction leave gaps.
 * Memory: the source owns its client by a reference; a batch that holds messages has another, so batches may outlive the source. */
#include "connectors/kafka_source.h"
#include "core/crash.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { LINE = 64, AHEAD = 3 }; /* bytes of a cache line; records between asking for a value and decoding it */

static bool kafka_bounded(const struct wr_opts *opts, bool until_end)
{
    struct wr_str until;
    return until_end || (wr_opt_text(opts, "until", &until) && !wr_str_eq_c(until, "unbounded"));
}

/* ---- what the transport knows of a record, as columns ---- */

enum meta { META_KEY, META_PARTITION, META_OFFSET, META_TIMESTAMP, META_HEADERS, META_TOPIC, META_COUNT };
static const struct {
    const char *name;
    const char *types; /* for the message */
    unsigned ids;      /* bits of enum wr_tid */
} metas[META_COUNT] = {
    [META_KEY] = {"key", "TEXT or BYTES", 1u << WR_T_TEXT | 1u << WR_T_BYTES},
    [META_PARTITION] = {"partition", "INTEGER or BIGINT", 1u << WR_T_INT | 1u << WR_T_BIGINT},
    [META_OFFSET] = {"offset", "BIGINT", 1u << WR_T_BIGINT},
    [META_TIMESTAMP] = {"timestamp", "TIMESTAMP", 1u << WR_T_TIMESTAMP | 1u << WR_T_TIMESTAMPTZ},
    [META_HEADERS] = {"headers", "JSON or TEXT", 1u << WR_T_JSON | 1u << WR_T_TEXT},
    [META_TOPIC] = {"topic", "TEXT", 1u << WR_T_TEXT},
};

static int meta_find(struct wr_str name)
{
    for (int m = 0; m < META_COUNT; m++)
        if (wr_str_ieq_c(name, metas[m].name))
            return m;
    return -1;
}

static struct wr_str meta_name(const struct wr_coldef *c)
{
    return c->path.n ? c->path : c->name;
}

static wr_status check_columns(const struct wr_source_spec *spec, struct wr_error *err)
{
    for (int i = 0; i < spec->n_col; i++) {
        const struct wr_coldef *c = &spec->col[i];
        if (c->from != WR_COL_META)
            continue;
        int m = meta_find(meta_name(c));
        if (m < 0) {
            wr_fail_at(err, WR_ESQL, c->off, "column \"%.*s\": Kafka records have no metadata \"%.*s\"", WR_FMT(c->name), WR_FMT(meta_name(c)));
            wr_hint(err, "there are: key, partition, offset, timestamp, headers, topic");
            return WR_ESQL;
        }
        if (!(metas[m].ids & 1u << c->type.id))
            return wr_fail_at(err, WR_ESQL, c->off, "column \"%.*s\": the %s of a Kafka record is %s", WR_FMT(c->name), metas[m].name,
                              metas[m].types);
    }
    return WR_OK;
}

/* A header's value as JSON: text if it is valid UTF-8, else its bytes as "\\x0a1b". */
static void print_header(struct wr_buf *out, const void *p, size_t n)
{
    struct wr_str s = {p, (uint32_t)n};
    struct wr_value text = {.type = WR_TYPE_OF(TEXT), .as.s = s};
    if (!p) {
        wr_buf_puts(out, "null");
    } else if (wr_utf8_valid(s)) {
        wr_print_value(out, &text, WR_STYLE_JSON);
    } else {
        wr_buf_puts(out, "\"\\\\x");
        for (uint32_t i = 0; i < s.n; i++)
            wr_buf_printf(out, "%02x", (unsigned char)s.p[i]);
        wr_buf_putc(out, '"');
    }
}

/* {"name":"value",...}; a name that comes several times has an array of its values, where it came first. */
static struct wr_str headers_json(struct wr_arena *mem, const rd_kafka_message_t *m)
{
    struct wr_buf out = WR_BUF_INIT(16 << 20);
    rd_kafka_headers_t *h;
    const char *name, *other;
    const void *p;
    size_t n;
    wr_buf_putc(&out, '{');
    if (rd_kafka_message_headers(m, &h) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        for (size_t i = 0; rd_kafka_header_get_all(h, i, &name, &p, &n) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
            bool repeats = false;
            size_t same = 0;
            for (size_t j = 0; rd_kafka_header_get_all(h, j, &other, &p, &n) == RD_KAFKA_RESP_ERR_NO_ERROR; j++) {
                same += strcmp(name, other) == 0;
                repeats |= j < i && strcmp(name, other) == 0;
            }
            if (repeats)
                continue;
            if (out.n > 1)
                wr_buf_putc(&out, ',');
            print_header(&out, name, strlen(name));
            wr_buf_puts(&out, same > 1 ? ":[" : ":");
            for (size_t k = 0; rd_kafka_header_get(h, k, name, &p, &n) == RD_KAFKA_RESP_ERR_NO_ERROR; k++) {
                if (k)
                    wr_buf_putc(&out, ',');
                print_header(&out, p, n);
            }
            if (same > 1)
                wr_buf_putc(&out, ']');
        }
    }
    wr_buf_putc(&out, '}');
    struct wr_str s = wr_arena_str(mem, wr_buf_get(&out));
    wr_buf_clear(&out);
    return s;
}

static int64_t time_us(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(m, &type);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE || ms < 0 || ms > INT64_MAX / 1000)
        return INT64_MIN;
    return ms * 1000;
}

/* Fills column c of row from the record; WR_R_NONE or why the row is bad. */
static enum wr_reason fill_meta(const struct wr_coldef *def, const rd_kafka_message_t *m, struct wr_batch *b, int c, uint32_t row,
                                struct wr_bad *why)
{
    struct wr_vec *v = &b->col[c];
    bool null = false;
    struct wr_str text = {NULL, 0};
    int64_t number = 0;
    int meta = meta_find(meta_name(def));
    if (meta == META_KEY) {
        null = !m->key;
        text = (struct wr_str){m->key, m->key ? (uint32_t)m->key_len : 0};
        if (def->type.id == WR_T_TEXT && !wr_utf8_valid(text))
            return wr_bad_set(why, WR_R_UTF8, def->name, "the record's key is not valid UTF-8");
    } else if (meta == META_PARTITION) {
        number = m->partition;
    } else if (meta == META_OFFSET) {
        number = m->offset;
    } else if (meta == META_TIMESTAMP) {
        number = time_us(m);
        null = number == INT64_MIN;
        if (!null && (number < WR_TIME_MIN || number > WR_TIME_MAX))
            return wr_bad_set(why, WR_R_RANGE, def->name, "the record's timestamp is outside years 1 to 9999");
    } else if (meta == META_HEADERS) {
        text = headers_json(&b->mem, m);
    } else if (meta == META_TOPIC) {
        text = wr_str_c(rd_kafka_topic_name(m->rkt));
    }
    if (null && def->not_null)
        return wr_bad_set(why, WR_R_NOT_NULL, def->name, "the record has no %s", metas[meta].name);
    if (null)
        wr_vec_nulls(v, b->cap, &b->mem)[row] = 1;
    else if (v->nulls)
        v->nulls[row] = 0;
    if (wr_type_phys((enum wr_tid)def->type.id) == WR_P_STR)
        WR_VEC_STR(v)[row] = text;
    else
        WR_VEC_I64(v)[row] = null ? 0 : number;
    return WR_R_NONE;
}

/* A record without a value, as a row of NULLs. */
static enum wr_reason fill_nulls(const struct wr_source_spec *spec, struct wr_batch *b, uint32_t row, struct wr_bad *why)
{
    const struct wr_value null = {.null = true};
    for (int c = 0; c < spec->n_col; c++) {
        if (spec->col[c].from != WR_COL_FIELD)
            continue;
        if (spec->col[c].not_null)
            return wr_bad_set(why, WR_R_NOT_NULL, spec->col[c].name, "the record has no value");
        wr_vec_set(&b->col[c], row, &null, b->cap, &b->mem);
    }
    return WR_R_NONE;
}

/* ---- batches ---- */

/* The messages behind a batch, by row; lives in the batch's arena. */
struct kept {
    struct wr_kafka *k;
    uint32_t n;
    rd_kafka_message_t **msg;
};

static void release_kept(void *what)
{
    struct kept *kept = what;
    for (uint32_t i = 0; i < kept->n; i++)
        rd_kafka_message_destroy(kept->msg[i]);
    wr_kafka_unref(kept->k);
}

static void origin_of(const rd_kafka_message_t *m, struct wr_origin *out)
{
    *out = (struct wr_origin){
        .topic = wr_str_c(m->rkt ? rd_kafka_topic_name(m->rkt) : ""),
        .part = m->partition,
        .offset = m->offset,
        .ts_us = time_us(m),
        .raw = {m->payload, m->payload ? (uint32_t)m->len : 0},
        .key = {m->key, m->key ? (uint32_t)m->key_len : 0},
    };
}

static void kafka_origin(const struct wr_batch *src, uint32_t row, struct wr_origin *out)
{
    const struct kept *kept = src->src_priv;
    if (row < kept->n)
        origin_of(kept->msg[row], out);
}

/* Decodes a record into row `row`. */
static enum wr_reason fill_row(struct wr_kafka_source *s, const rd_kafka_message_t *m, struct wr_batch *b, uint32_t row, struct wr_bad *why)
{
    enum wr_reason r;
    if (!m->payload)
        r = fill_nulls(&s->spec, b, row, why);
    else if ((int64_t)m->len > s->max_bytes)
        r = wr_bad_set(why, WR_R_TOO_BIG, (struct wr_str){NULL, 0}, "%zu bytes", m->len);
    else
        r = s->spec.format->decode(s->decoder, (struct wr_str){m->payload, (uint32_t)m->len}, b, row, why);
    for (int c = 0; !r && c < s->spec.n_col; c++)
        if (s->spec.col[c].from == WR_COL_META)
            r = fill_meta(&s->spec.col[c], m, b, c, row, why);
    return r;
}

/* One data record. true: it became the row and must be kept. An error from the bad-row sink goes to s->failed. */
static bool take_record(struct wr_kafka_source *s, const rd_kafka_message_t *m, int at, struct wr_batch *b, uint32_t row)
{
    struct wr_part *p = &s->base.part[at];
    if (m->offset < p->next) { /* librdkafka may fetch again from an older place; it must not count twice */
        s->repeats += !wr_kafka_position_prove(s, at, m);
        return false;
    }
    p->caught_up = false;
    p->next = m->offset + 1;
    if (s->slot[at].stop >= 0 && m->offset >= s->slot[at].stop) { /* came after the start: not ours */
        p->next = s->slot[at].stop;
        p->ended = true;
        return false;
    }
    s->hand = at;
    s->base.records++;
    s->base.bytes += (m->payload ? m->len : 0) + (m->key ? m->key_len : 0);
    if (!m->payload && !s->null_rows) {
        s->base.skipped++;
        return false;
    }
    struct wr_bad *bad = &s->bad;
    bad->msg[0] = 0;
    bad->column = (struct wr_str){NULL, 0};
    bool skip = s->slot[at].skip >= 0 && m->offset >= s->slot[at].skip && wr_kafka_skip_hit(s, at, m);
    bad->reason = skip ? WR_R_SKIPPED : fill_row(s, m, b, row, bad);
    if (!bad->reason)
        return true;
    s->base.n_bad++;
    origin_of(m, &bad->from);
    if (s->spec.bad)
        (void)s->spec.bad->report(s->spec.bad->ctx, bad, &s->failed);
    return false;
}

/* ---- events: what comes instead of a record ---- */

static wr_status out_of_range(struct wr_kafka_source *s, const struct wr_part *p, struct wr_error *err)
{
    int64_t low = -1, high = -1;
    (void)rd_kafka_get_watermark_offsets(s->k->rk, s->topic[s->slot[p - s->base.part].topic].name, p->num, &low, &high);
    wr_fail(err, WR_EIO, "topic \"%.*s\" partition %d has no offset %lld any more", WR_FMT(p->topic), p->num, (long long)p->next);
    if (high >= 0 && p->next > high)
        wr_hint(err, "it ends at %lld: the topic was deleted and made anew, or lost data", (long long)high);
    else
        wr_hint(err, "the broker deleted records (retention) before they were read");
    return WR_EIO;
}

static wr_status take_event(struct wr_kafka_source *s, const rd_kafka_message_t *m, int at, struct wr_error *err)
{
    struct wr_part *p = at >= 0 ? &s->base.part[at] : NULL;
    switch (m->err) { /* librdkafka's enum: the rest is below */
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        if (p && m->offset >= p->next) {
            p->next = m->offset; /* past transaction markers */
            if (p->end < m->offset)
                p->end = m->offset;
            p->caught_up = true;
        }
        return WR_OK;
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        if (p)
            return out_of_range(s, p, err);
        break;
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        if (p)
            return wr_fail(err, WR_EIO, "topic \"%.*s\" partition %d is not there any more", WR_FMT(p->topic), p->num);
        break;
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
    case RD_KAFKA_RESP_ERR__FATAL:
        if (p)
            return wr_kafka_fail(s->k, m->err, err, "cannot read topic \"%.*s\" partition %d at offset %lld", WR_FMT(p->topic), p->num,
                                 (long long)p->next);
        return wr_kafka_fail(s->k, m->err, err, "cannot read source \"%.*s\"", WR_FMT(s->spec.name));
    default:
        break;
    }
    wr_log(WR_LOG_DEBUG, "kafka", "source \"%.*s\": %s", WR_FMT(s->spec.name), rd_kafka_message_errstr(m));
    return WR_OK;
}

/* ---- polling ---- */

/* End offsets and new partitions that the watcher heard of. */
static wr_status take_news(struct wr_kafka_source *s, struct wr_error *err)
{
    const struct rd_kafka_metadata *md;
    enum { SOME = 64 };
    int64_t end_some[SOME], *end = end_some;
    bool fresh_some[SOME], *fresh = fresh_some;
    int n = s->base.n_part;
    if (n > SOME) {
        end = wr_malloc((size_t)n * sizeof *end);
        fresh = wr_malloc((size_t)n * sizeof *fresh);
    }
    wr_kafka_watch_take(s->watch, n, end, fresh, &md);
    for (int i = 0; i < n; i++) {
        struct wr_part *p = &s->base.part[i];
        if (!fresh[i])
            continue;
        if (end[i] > p->end)
            p->end = end[i];
        if (p->next >= end[i])
            p->caught_up = true;
    }
    if (n > SOME) {
        free(end);
        free(fresh);
    }
    wr_status st = WR_OK;
    if (md) {
        st = wr_kafka_parts_grow(s, md, err);
        rd_kafka_metadata_destroy(md);
    }
    return st;
}

/* What is there now; nothing: waits up to wait_ms for the first. (The batch call itself would wait until the array is full.) */
static uint32_t fetch(struct wr_kafka_source *s, int wait_ms)
{
    ssize_t n = rd_kafka_consume_batch_queue(s->queue, 0, s->msg, s->batch_rows);
    if (n > 0 || wait_ms <= 0)
        return n > 0 ? (uint32_t)n : 0;
    n = rd_kafka_consume_batch_queue(s->queue, wait_ms, s->msg, 1);
    if (n < 1)
        return 0;
    if (s->batch_rows > 1) {
        ssize_t more = rd_kafka_consume_batch_queue(s->queue, 0, s->msg + 1, s->batch_rows - 1);
        n += more > 0 ? more : 0;
    }
    return (uint32_t)n;
}

/* An empty batch for n records, with the per-row facts of a source. */
static struct wr_batch *new_batch(struct wr_kafka_source *s, uint32_t n, struct kept **kept, uint32_t **part, int64_t **ts)
{
    struct wr_batch *b = wr_batch_new(s->spec.schema, n);
    *kept = WR_NEW(&b->mem, struct kept);
    (*kept)->k = wr_kafka_ref(s->k);
    (*kept)->msg = WR_NEW_N(&b->mem, rd_kafka_message_t *, n);
    *part = wr_arena_alloc(&b->mem, (size_t)n * sizeof **part);
    *ts = wr_arena_alloc(&b->mem, (size_t)n * sizeof **ts);
    b->part = *part;
    b->rec_ts = *ts;
    b->origin = kafka_origin;
    b->src_priv = *kept;
    wr_batch_hold(b, release_kept, *kept);
    return b;
}

/* The value lies where another core has written it: asked for a few records ahead, it is here when the decoder wants it. */
static void prefetch_value(const rd_kafka_message_t *m)
{
    const char *p = m->payload;
    if (m->len == 0)
        return;
    __builtin_prefetch(p);
    if (m->len > LINE)
        __builtin_prefetch(p + LINE);
    __builtin_prefetch(p + m->len - 1);
}

/* Turns the n messages of s->msg into a batch (NULL: no rows). All messages are given to it or destroyed. */
static struct wr_batch *make_batch(struct wr_kafka_source *s, uint32_t n)
{
    struct kept *kept;
    uint32_t *part, rows = 0;
    int64_t *ts;
    struct wr_batch *b = new_batch(s, n, &kept, &part, &ts);
    for (uint32_t i = 0; i < n; i++) {
        rd_kafka_message_t *m = s->msg[i];
        if (i + AHEAD < n)
            prefetch_value(s->msg[i + AHEAD]);
        int at = wr_kafka_parts_slot(s, m);
        bool keep = false;
        if (s->failed.code)
            ; /* what follows an error is not taken */
        else if (m->err)
            (void)take_event(s, m, at, &s->failed);
        else if (at >= 0)
            keep = take_record(s, m, at, b, rows);
        if (!keep) {
            rd_kafka_message_destroy(m);
            continue;
        }
        part[rows] = (uint32_t)at;
        ts[rows] = time_us(m);
        kept->msg[rows++] = m;
        kept->n = rows;
        s->slot[at].last = m;
    }
    wr_kafka_position_note(s);
    b->len = b->n_live = rows;
    if (rows)
        return b;
    wr_batch_unref(b);
    return NULL;
}

/* After a round: who has ended, and is there more waiting? */
static void settle(struct wr_kafka_source *s, bool full)
{
    bool all = s->base.bounded, backlog = full;
    for (int i = 0; i < s->base.n_part; i++) {
        struct wr_part *p = &s->base.part[i];
        if (s->slot[i].stop >= 0 && p->next >= s->slot[i].stop)
            p->ended = true;
        all &= p->ended;
        backlog |= !p->ended && p->end > p->next;
    }
    s->base.ended = all;
    wr_kafka_watch_backlog(s->watch, backlog);
}

static wr_status begin(struct wr_kafka_source *s, struct wr_error *err)
{
    int64_t every = wr_opt_duration(s->spec.opts, "discover", 30 * WR_US_SEC) / 1000;
    s->watch = wr_kafka_watch_new(s->k, s->pattern, every > INT32_MAX ? INT32_MAX : (int)every);
    return wr_kafka_parts_assign(s, err);
}

static void in_hand(void *who, struct wr_place *out)
{
    const struct wr_kafka_source *s = who;
    if (s->hand < 0)
        return;
    const struct wr_part *p = &s->base.part[s->hand];
    *out = (struct wr_place){s->topic[s->slot[s->hand].topic].name, p->num, p->next - 1};
}

static wr_status kafka_poll(struct wr_source *base, int wait_ms, struct wr_batch **out, struct wr_error *err)
{
    struct wr_kafka_source *s = (struct wr_kafka_source *)base;
    wr_crash_at = (struct wr_crash_at){in_hand, s};
    *out = NULL;
    if (s->failed.code) {
        if (!err->code)
            *err = s->failed;
        return s->failed.code;
    }
    if (base->ended)
        return WR_OK;
    if (!s->assigned)
        WR_TRY(begin(s, err));
    WR_TRY(take_news(s, err));
    uint32_t n = fetch(s, wait_ms);
    (void)rd_kafka_poll(s->k->rk, 0); /* error callback */
    if (n)
        *out = make_batch(s, n);
    settle(s, n == s->batch_rows);
    if (s->k->fatal && !s->failed.code)
        (void)wr_kafka_fail(s->k, RD_KAFKA_RESP_ERR__FATAL, &s->failed, "cannot read source \"%.*s\"", WR_FMT(s->spec.name));
    if (s->failed.code && !*out) {
        if (!err->code)
            *err = s->failed;
        return s->failed.code;
    }
    return WR_OK;
}

static wr_status kafka_position(struct wr_source *base, struct wr_buf *out, struct wr_error *err)
{
    struct wr_kafka_source *s = (struct wr_kafka_source *)base;
    wr_kafka_position_print(s, out);
    return out->overflow ? wr_fail(err, WR_ELIMIT, "the position of source \"%.*s\" is too long", WR_FMT(s->spec.name)) : WR_OK;
}

static wr_status kafka_seek(struct wr_source *base, struct wr_str position, struct wr_error *err)
{
    struct wr_kafka_source *s = (struct wr_kafka_source *)base;
    WR_ASSERT(!s->assigned);
    return wr_kafka_position_seek(s, position, err);
}

/* ---- life ---- */

static void kafka_close(struct wr_source *base)
{
    struct wr_kafka_source *s = (struct wr_kafka_source *)base;
    wr_kafka_watch_free(s->watch);
    if (s->repeats)
        wr_log(WR_LOG_INFO, "kafka", "source \"%.*s\": %llu records came a second time and were left out", WR_FMT(s->spec.name),
               (unsigned long long)s->repeats);
    if (s->decoder)
        s->spec.format->decoder_close(s->decoder);
    if (s->queue)
        rd_kafka_queue_destroy(s->queue);
    wr_kafka_parts_clear(s);
    wr_kafka_unref(s->k);
    wr_arena_clear(&s->mem);
    free(s->skip);
    free(s->msg);
    free(s);
}

static wr_status open_client(struct wr_kafka_source *s, struct wr_error *err)
{
    bool named = wr_opt_text(s->spec.opts, "group", &(struct wr_str){0});
    struct wr_kafka_prop soft[8] = {
        {"fetch.wait.max.ms", "100"},           /* an idle partition says so within this time */
        {"queued.min.messages", "100000"},
        {"queued.max.messages.kbytes", "8192"}, /* partitions share one queue, so this bounds them together */
        {"fetch.message.max.bytes", "1048576"},
    };
    if (wr_kafka_version_at_least(0x020200)) /* before: kafka_watch.c wakes it */
        soft[4] = (struct wr_kafka_prop){"fetch.queue.backoff.ms", "5"};
    const struct wr_kafka_prop hard[] = {
        {"enable.partition.eof", "true"}, {"auto.offset.reset", "error"}, {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"}, {"check.crcs", "true"},
        {named ? NULL : "group.id", WR_KAFKA_DEFAULT_GROUP}, {NULL, NULL}, /* librdkafka wants a name also where there is no group */
    };
    return wr_kafka_open(s->spec.opts, WR_AS_SOURCE, soft, hard, &s->k, err);
}

/* A source with its client connected and its partitions known. */
static wr_status open_source(const struct wr_source_spec *spec, struct wr_kafka_source **out, struct wr_error *err)
{
    WR_TRY(check_columns(spec, err));
    struct wr_kafka_source *s = wr_calloc(1, sizeof *s);
    s->base.vt = &wr_kafka_source_vt;
    s->base.bounded = kafka_bounded(spec->opts, spec->until_end);
    s->spec = *spec;
    s->failed = (struct wr_error)WR_ERROR_INIT;
    s->max_bytes = wr_opt_bytes(spec->opts, "max_record_bytes", 1 << 20);
    s->null_rows = wr_str_eq_c(wr_opt_text_or(spec->opts, "tombstones", "skip"), "null");
    s->hand = -1;
    s->batch_rows = spec->batch_rows ? spec->batch_rows : WR_BATCH_ROWS;
    wr_status st = open_client(s, err);
    if (!st) st = wr_kafka_skip_read(s, err);
    if (!st) st = wr_kafka_parts_find(s, err);
    if (st) {
        kafka_close(&s->base);
        return st;
    }
    *out = s;
    return WR_OK;
}

static wr_status kafka_check(const struct wr_source_spec *spec, struct wr_error *err)
{
    struct wr_kafka_source *s;
    WR_TRY(open_source(spec, &s, err));
    kafka_close(&s->base);
    return WR_OK;
}

static wr_status kafka_open(const struct wr_source_spec *spec, struct wr_source **out, struct wr_error *err)
{
    struct wr_kafka_source *s;
    WR_TRY(open_source(spec, &s, err));
    s->msg = wr_malloc(s->batch_rows * sizeof(rd_kafka_message_t *));
    s->queue = rd_kafka_queue_new(s->k->rk);
    wr_status st = spec->format->decoder_open(&s->spec, &s->decoder, err);
    if (st) {
        kafka_close(&s->base);
        return st;
    }
    *out = &s->base;
    return WR_OK;
}

const struct wr_source_vt wr_kafka_source_vt = {
    .check = kafka_check,
    .bounded = kafka_bounded,
    .open = kafka_open,
    .poll = kafka_poll,
    .position = kafka_position,
    .seek = kafka_seek,
    .close = kafka_close,
};

/* kafka_parts.c: which partitions a Kafka source has, and where each one begins and ends.
 * Rules:  offsets are asked for at open and used as numbers from then on; slots only ever grow at the end.
 * Memory: everything belongs to the source (wr_kafka_parts_clear). */
#include "connectors/kafka_source.h"
#include "core/log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FIND_MS = 8000, ASK_MS = 2000, RETRY_US = 100000 };

/* ---- topics and slots ---- */

static struct wr_kafka_topic *topic_find(struct wr_kafka_source *s, const char *name)
{
    for (int i = 0; i < s->n_topic; i++)
        if (strcmp(s->topic[i].name, name) == 0)
            return &s->topic[i];
    return NULL;
}

static struct wr_kafka_topic *topic_add(struct wr_kafka_source *s, struct wr_str name)
{
    struct wr_str own = wr_arena_str(&s->mem, name);
    s->topic = wr_realloc(s->topic, (size_t)(s->n_topic + 1) * sizeof *s->topic);
    struct wr_kafka_topic *t = &s->topic[s->n_topic++];
    *t = (struct wr_kafka_topic){.name = wr_arena_bytes(&s->mem, (size_t)own.n + 1)};
    memcpy(t->name, own.p, own.n);
    t->name[own.n] = 0;
    return t;
}

/* From here on librdkafka asks the brokers for these topics. */
static void make_handles(struct wr_kafka_source *s)
{
    for (int i = 0; i < s->n_topic; i++)
        if (!s->topic[i].rkt)
            s->topic[i].rkt = rd_kafka_topic_new(s->k->rk, s->topic[i].name, NULL);
}

static void slots_add(struct wr_kafka_source *s, struct wr_kafka_topic *t, int n_part, bool fresh)
{
    t->slot = wr_realloc(t->slot, (size_t)n_part * sizeof *t->slot);
    int more = n_part - t->n_part, n = s->base.n_part + more;
    s->base.part = wr_realloc(s->base.part, (size_t)n * sizeof *s->base.part);
    s->slot = wr_realloc(s->slot, (size_t)n * sizeof *s->slot);
    for (; t->n_part < n_part; t->n_part++) {
        int at = s->base.n_part++;
        t->slot[t->n_part] = at;
        s->base.part[at] = (struct wr_part){.topic = wr_str_c(t->name), .num = t->n_part, .end = -1};
        s->slot[at] = (struct wr_kafka_slot){.topic = (int)(t - s->topic), .stop = -1, .skip = wr_kafka_skip_after(s, t->name, t->n_part, -1), .fresh = fresh, .mark = -1};
    }
}

int wr_kafka_parts_slot(struct wr_kafka_source *s, const rd_kafka_message_t *m)
{
    struct wr_kafka_topic *t = NULL;
    if (!m->rkt)
        return -1;
    for (int i = 0; i < s->n_topic && !t; i++)
        if (s->topic[i].seen == m->rkt)
            t = &s->topic[i];
    if (!t) {
        t = topic_find(s, rd_kafka_topic_name(m->rkt));
        if (!t)
            return -1;
        t->seen = m->rkt;
    }
    return m->partition >= 0 && m->partition < t->n_part ? t->slot[m->partition] : -1;
}

void wr_kafka_parts_clear(struct wr_kafka_source *s)
{
    for (int i = 0; i < s->n_topic; i++) {
        if (s->topic[i].rkt)
            rd_kafka_topic_destroy(s->topic[i].rkt);
        free(s->topic[i].slot);
    }
    free(s->topic);
    free(s->slot);
    free(s->base.part);
    if (s->pattern)
        regfree(&s->regex);
}

/* ---- finding them ---- */

/* The next name of a list separated by commas (or, as Flink writes it, semicolons); empty: no more. */
static struct wr_str next_name(struct wr_str *list)
{
    while (list->n) {
        uint32_t n = 0;
        while (n < list->n && list->p[n] != ',' && list->p[n] != ';')
            n++;
        struct wr_str name = wr_str_trim((struct wr_str){list->p, n});
        uint32_t used = n < list->n ? n + 1 : n;
        list->p += used;
        list->n -= used;
        if (name.n)
            return name;
    }
    return (struct wr_str){NULL, 0};
}

static wr_status read_names(struct wr_kafka_source *s, struct wr_error *err)
{
    struct wr_str list, pattern = {NULL, 0};
    char *z = wr_opt_cstr(s->spec.opts, "topic_pattern", &s->mem);
    bool names = wr_opt_text(s->spec.opts, "topic", &list);
    if (names && z)
        return wr_fail(err, WR_ESQL, "source \"%.*s\" has both a topic and a topic_pattern", WR_FMT(s->spec.name));
    if (names && wr_str_trim(list).n && wr_str_trim(list).p[0] == '^')
        z = wr_opt_cstr(s->spec.opts, "topic", &s->mem);
    if (z) {
        pattern = wr_str_trim(wr_str_c(z));
        char why[200];
        int rc = regcomp(&s->regex, z, REG_EXTENDED | REG_NOSUB);
        if (rc) {
            (void)regerror(rc, &s->regex, why, sizeof why);
            return wr_fail(err, WR_ESQL, "topic pattern \"%.*s\" is not a regular expression: %s", WR_FMT(pattern), why);
        }
        s->pattern = true;
        return WR_OK;
    }
    for (struct wr_str name = names ? next_name(&list) : (struct wr_str){NULL, 0}; name.n; name = next_name(&list)) {
        char text[250];
        if (name.n >= sizeof text)
            return wr_fail(err, WR_ESQL, "topic name \"%.*s...\" is longer than the 249 bytes of Kafka", 40, name.p);
        (void)snprintf(text, sizeof text, "%.*s", WR_FMT(name));
        if (!topic_find(s, text))
            topic_add(s, name);
    }
    if (s->n_topic)
        return WR_OK;
    wr_fail(err, WR_ESQL, "Kafka source \"%.*s\" needs a topic", WR_FMT(s->spec.name));
    wr_hint(err, "add topic = 'name' (several: 'a, b') or topic_pattern = '^regex'");
    return WR_ESQL;
}

/* Topics that match and are not known yet. */
static void match_topics(struct wr_kafka_source *s, const struct rd_kafka_metadata *md)
{
    for (int i = 0; i < md->topic_cnt; i++) {
        const char *name = md->topics[i].topic;
        if (strncmp(name, "__", 2) != 0 && regexec(&s->regex, name, 0, NULL, 0) == 0 && !topic_find(s, name))
            topic_add(s, wr_str_c(name));
    }
    make_handles(s);
}

static const struct rd_kafka_metadata_topic *md_find(const struct rd_kafka_metadata *md, const char *name)
{
    for (int i = 0; i < md->topic_cnt; i++)
        if (strcmp(md->topics[i].topic, name) == 0)
            return &md->topics[i];
    return NULL;
}

/* Partitions of every topic. *again: some topic is just being made, ask once more. */
static wr_status read_topics(struct wr_kafka_source *s, const struct rd_kafka_metadata *md, bool *again, struct wr_error *err)
{
    *again = false;
    for (int i = 0; i < s->n_topic; i++) {
        struct wr_kafka_topic *t = &s->topic[i];
        const struct rd_kafka_metadata_topic *found = md_find(md, t->name);
        rd_kafka_resp_err_t e = found ? found->err : RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART;
        if (!e && found->partition_cnt > 0)
            slots_add(s, t, found->partition_cnt > t->n_part ? found->partition_cnt : t->n_part, false);
        else if (!e || e == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE)
            *again = true;
        else if (e == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return wr_kafka_no_topic(s->k, wr_str_c(t->name), err);
        else
            return wr_kafka_fail(s->k, e, err, "cannot read topic \"%s\"", t->name);
    }
    return WR_OK;
}

static wr_status nap(const struct wr_kafka_source *s, struct wr_error *err)
{
    struct timespec t = {0, RETRY_US * 1000L};
    (void)nanosleep(&t, NULL);
    if (s->spec.stop && atomic_load(s->spec.stop))
        return wr_fail(err, WR_ESTOP, "stopped while source \"%.*s\" was opening", WR_FMT(s->spec.name));
    return WR_OK;
}

/* The mock cluster of librdkafka (weir broker, weir demo) makes each topic that it is asked for by name, as no broker does for a reader: it is asked
 * for the list of topics before. */
static wr_status ask_mock(struct wr_kafka_source *s, struct wr_error *err)
{
    const struct rd_kafka_metadata *md;
    WR_TRY(wr_kafka_metadata(s->k, false, NULL, s->spec.stop, &md, err)); /* of no topic: then the cluster is known */
    rd_kafka_metadata_destroy(md);
    char *id = rd_kafka_clusterid(s->k->rk, 0);
    bool mock = id && strncmp(id, "mockCluster", 11) == 0;
    if (id)
        rd_kafka_mem_free(s->k->rk, id);
    if (!mock)
        return WR_OK;
    wr_status st = wr_kafka_metadata(s->k, true, NULL, s->spec.stop, &md, err);
    if (st)
        return st;
    for (int i = 0; i < s->n_topic && !st; i++)
        if (!md_find(md, s->topic[i].name))
            st = wr_kafka_no_topic(s->k, wr_str_c(s->topic[i].name), err);
    rd_kafka_metadata_destroy(md);
    return st;
}

static wr_status find_topics(struct wr_kafka_source *s, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    if (!s->pattern)
        WR_TRY(ask_mock(s, err));
    make_handles(s);
    for (bool again = true; again;) {
        const struct rd_kafka_metadata *md;
        WR_TRY(wr_kafka_metadata(s->k, s->pattern, NULL, s->spec.stop, &md, err));
        if (s->pattern)
            match_topics(s, md);
        wr_status st = read_topics(s, md, &again, err);
        rd_kafka_metadata_destroy(md);
        WR_TRY(st);
        if (again && wr_clock_mono() - started > FIND_MS * INT64_C(1000))
            return wr_kafka_fail(s->k, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, err, "cannot read a topic of source \"%.*s\"",
                                 WR_FMT(s->spec.name));
        if (again)
            WR_TRY(nap(s, err));
    }
    if (s->base.n_part)
        return WR_OK;
    wr_fail(err, WR_EIO, "no topic on \"%s\" matches the pattern of source \"%.*s\"", s->k->brokers, WR_FMT(s->spec.name));
    return WR_EIO;
}

/* ---- offsets ---- */

static rd_kafka_topic_partition_list_t *list_of(const struct wr_kafka_source *s, int64_t offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(s->base.n_part);
    for (int i = 0; i < s->base.n_part; i++)
        rd_kafka_topic_partition_list_add(list, s->topic[s->slot[i].topic].name, s->base.part[i].num)->offset = offset;
    return list;
}

/* Asks the leaders for the offset that belongs to `when` (milliseconds, or RD_KAFKA_OFFSET_BEGINNING, _END), for every slot in order. */
static wr_status ask_offsets(struct wr_kafka_source *s, int64_t when, int64_t *out, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    for (;;) {
        rd_kafka_topic_partition_list_t *list = list_of(s, when);
        rd_kafka_resp_err_t e = rd_kafka_offsets_for_times(s->k->rk, list, ASK_MS);
        int bad = -1;
        for (int i = 0; i < list->cnt && bad < 0; i++) {
            out[i] = list->elems[i].offset;
            if (list->elems[i].err)
                bad = i;
        }
        if (!e && bad >= 0)
            e = list->elems[bad].err;
        rd_kafka_topic_partition_list_destroy(list);
        if (!e)
            return WR_OK;
        if (wr_kafka_hopeless(s->k, started, err))
            return WR_EIO;
        bool soon = e == RD_KAFKA_RESP_ERR__TIMED_OUT || e == RD_KAFKA_RESP_ERR__TRANSPORT || e == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN ||
                    e == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || e == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                    e == RD_KAFKA_RESP_ERR__WAIT_CACHE || e == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION || e == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
        if (!soon || wr_clock_mono() - started > (FIND_MS - ASK_MS) * INT64_C(1000)) {
            const struct wr_part *p = &s->base.part[bad < 0 ? 0 : bad];
            return wr_kafka_fail(s->k, e, err, "cannot ask for the offsets of topic \"%.*s\" partition %d", WR_FMT(p->topic), p->num);
        }
        WR_TRY(nap(s, err));
    }
}

/* start_timestamp: milliseconds since 1970, or a date and time. */
static wr_status start_time(const struct wr_source_spec *spec, int64_t *ms, struct wr_error *err)
{
    struct wr_str text;
    bool range;
    if (!wr_opt_text(spec->opts, "start_timestamp", &text)) {
        wr_fail(err, WR_ESQL, "start = 'timestamp' needs a start_timestamp");
        wr_hint(err, "for example start_timestamp = '2025-11-28T00:00:00Z', or milliseconds since 1970");
        return WR_ESQL;
    }
    char z[40];
    text = wr_str_trim(text);
    if (text.n < sizeof z) {
        (void)snprintf(z, sizeof z, "%.*s", WR_FMT(text));
        char *end;
        errno = 0;
        *ms = strtoll(z, &end, 10);
        if (end != z && !*end && !errno && *ms >= 0)
            return WR_OK;
        int64_t us;
        if (wr_time_parse(text, &us, &range)) {
            *ms = us / 1000;
            return WR_OK;
        }
    }
    return wr_fail(err, WR_ESQL, "start_timestamp \"%.*s\" is neither a time nor milliseconds since 1970", WR_FMT(text));
}

static wr_status start_committed(struct wr_kafka_source *s, const int64_t *end, struct wr_error *err)
{
    struct wr_str group = wr_opt_text_or(s->spec.opts, "group", WR_KAFKA_DEFAULT_GROUP);
    struct wr_str other = wr_opt_text_or(s->spec.opts, "kafka.auto.offset.reset", "");
    rd_kafka_topic_partition_list_t *list = list_of(s, RD_KAFKA_OFFSET_INVALID);
    rd_kafka_resp_err_t e = rd_kafka_committed(s->k->rk, list, FIND_MS);
    wr_status st = WR_OK;
    for (int i = 0; !e && !st && i < list->cnt; i++) {
        struct wr_part *p = &s->base.part[i];
        e = list->elems[i].err;
        if (!e && list->elems[i].offset >= 0) {
            p->next = list->elems[i].offset;
        } else if (wr_str_ieq_c(other, "earliest") || wr_str_ieq_c(other, "smallest") || wr_str_ieq_c(other, "beginning")) {
            p->next = s->slot[i].low;
        } else if (wr_str_ieq_c(other, "latest") || wr_str_ieq_c(other, "largest") || wr_str_ieq_c(other, "end")) {
            p->next = end[i];
        } else if (!e) {
            st = wr_fail(err, WR_EIO, "group \"%.*s\" has committed no offset for topic \"%.*s\" partition %d", WR_FMT(group),
                         WR_FMT(p->topic), p->num);
            wr_hint(err, "start = 'earliest' reads all; kafka.auto.offset.reset = 'earliest' reads all where nothing was committed");
        }
    }
    rd_kafka_topic_partition_list_destroy(list);
    if (e)
        st = wr_kafka_fail(s->k, e, err, "cannot ask for the committed offsets of group \"%.*s\"", WR_FMT(group));
    return st;
}

/* A partition that has nothing (more) for us, when the run is bounded. */
void wr_kafka_parts_mark_ended(struct wr_kafka_source *s)
{
    bool all = s->base.bounded;
    for (int i = 0; i < s->base.n_part; i++) {
        struct wr_part *p = &s->base.part[i];
        if (s->base.bounded && p->next >= s->slot[i].stop)
            p->ended = true;
        p->caught_up = p->end >= 0 && p->next >= p->end;
        all &= p->ended;
    }
    s->base.ended = all;
}

static wr_status set_starts(struct wr_kafka_source *s, struct wr_error *err)
{
    int n = s->base.n_part;
    int64_t *low = WR_NEW_N(&s->mem, int64_t, n), *end = WR_NEW_N(&s->mem, int64_t, n), *at = WR_NEW_N(&s->mem, int64_t, n), ms;
    struct wr_str start = wr_opt_text_or(s->spec.opts, "start", "earliest");
    WR_TRY(ask_offsets(s, RD_KAFKA_OFFSET_BEGINNING, low, err));
    WR_TRY(ask_offsets(s, RD_KAFKA_OFFSET_END, end, err));
    for (int i = 0; i < n; i++) {
        s->slot[i].low = low[i];
        s->base.part[i].end = end[i];
        s->slot[i].stop = s->base.bounded ? end[i] : -1;
        s->base.part[i].next = low[i];
    }
    if (wr_str_eq_c(start, "latest") || wr_str_eq_c(start, "latest-offset")) {
        for (int i = 0; i < n; i++)
            s->base.part[i].next = end[i];
    } else if (wr_str_eq_c(start, "committed") || wr_str_eq_c(start, "group-offsets")) {
        WR_TRY(start_committed(s, end, err));
    } else if (wr_str_eq_c(start, "timestamp")) {
        WR_TRY(start_time(&s->spec, &ms, err));
        WR_TRY(ask_offsets(s, ms, at, err));
        for (int i = 0; i < n; i++)
            s->base.part[i].next = at[i] < 0 ? end[i] : at[i]; /* no record that late yet */
    }
    wr_kafka_parts_mark_ended(s);
    return WR_OK;
}

wr_status wr_kafka_parts_find(struct wr_kafka_source *s, struct wr_error *err)
{
    int64_t ms;
    struct wr_str start = wr_opt_text_or(s->spec.opts, "start", "earliest");
    if (wr_str_eq_c(start, "timestamp"))
        WR_TRY(start_time(&s->spec, &ms, err));
    WR_TRY(read_names(s, err));
    WR_TRY(find_topics(s, err));
    return set_starts(s, err);
}

/* ---- assigning ---- */

wr_status wr_kafka_parts_assign(struct wr_kafka_source *s, struct wr_error *err)
{
    rd_kafka_topic_partition_list_t *add = rd_kafka_topic_partition_list_new(s->base.n_part), *all = list_of(s, 0);
    for (int i = 0; i < s->base.n_part; i++) {
        const struct wr_part *p = &s->base.part[i];
        struct wr_kafka_slot *slot = &s->slot[i];
        if (slot->assigned || p->ended)
            continue;
        const char *name = s->topic[slot->topic].name;
        rd_kafka_queue_t *q = rd_kafka_queue_get_partition(s->k->rk, name, p->num);
        rd_kafka_queue_forward(q, s->queue);
        rd_kafka_queue_destroy(q);
        rd_kafka_topic_partition_list_add(add, name, p->num)->offset = slot->fresh ? RD_KAFKA_OFFSET_BEGINNING : wr_kafka_position_first(s, i);
        slot->assigned = true;
    }
    wr_status st = WR_OK;
    if (add->cnt && !s->assigned) {
        rd_kafka_resp_err_t e = rd_kafka_assign(s->k->rk, add);
        if (e)
            st = wr_kafka_fail(s->k, e, err, "cannot start reading source \"%.*s\"", WR_FMT(s->spec.name));
    } else if (add->cnt) {
        rd_kafka_error_t *e = rd_kafka_incremental_assign(s->k->rk, add);
        if (e) {
            st = wr_kafka_fail(s->k, rd_kafka_error_code(e), err, "cannot read new partitions of source \"%.*s\"", WR_FMT(s->spec.name));
            rd_kafka_error_destroy(e);
        }
    }
    if (!st && s->watch)
        wr_kafka_watch_list(s->watch, all);
    s->assigned = true;
    rd_kafka_topic_partition_list_destroy(add);
    rd_kafka_topic_partition_list_destroy(all);
    return st;
}

wr_status wr_kafka_parts_grow(struct wr_kafka_source *s, const struct rd_kafka_metadata *md, struct wr_error *err)
{
    enum { GONE = 2 }; /* one broker may not have heard of a topic yet; twice is no accident */
    int before = s->base.n_part;
    if (s->pattern && !s->base.bounded)
        match_topics(s, md);
    for (int i = 0; i < s->n_topic; i++) {
        struct wr_kafka_topic *t = &s->topic[i];
        const struct rd_kafka_metadata_topic *found = md_find(md, t->name);
        bool missing = t->n_part && (!found || found->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
        t->missing = missing ? t->missing + 1 : 0;
        if (t->missing == GONE)
            return wr_fail(err, WR_EIO, "topic \"%s\" is not there any more", t->name);
        if (s->base.bounded)
            continue;
        if (found && !found->err && found->partition_cnt > t->n_part) {
            wr_log(WR_LOG_INFO, "kafka", "source \"%.*s\": topic \"%s\" has %d new partitions, read from their beginning",
                   WR_FMT(s->spec.name), t->name, found->partition_cnt - t->n_part);
            slots_add(s, t, found->partition_cnt, true);
        }
    }
    return s->base.n_part > before ? wr_kafka_parts_assign(s, err) : WR_OK;
}

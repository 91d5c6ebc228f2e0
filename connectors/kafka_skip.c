/* kafka_skip.c: the source's option skip: records that are left out, because reading them ends the process or they must not count.
 * Rules:  each is a bad row with the reason "skipped": counted, and in source$errors with its bytes.
 * Memory: the list belongs to the source. */
#include "connectors/kafka_source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static bool take_number(struct wr_str s, int64_t most, int64_t *out)
{
    *out = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || *out > (most - 9) / 10)
            return false;
        *out = *out * 10 + (s.p[i] - '0');
    }
    return s.n > 0;
}

/* What stands behind the last colon, taken off. */
static struct wr_str last_part(struct wr_str *s)
{
    uint32_t at = s->n;
    while (at > 0 && s->p[at - 1] != ':')
        at--;
    struct wr_str part = {s->p + at, s->n - at};
    s->n = at ? at - 1 : 0;
    return wr_str_trim(part);
}

static wr_status read_one(struct wr_kafka_source *s, struct wr_str one, struct wr_error *err)
{
    struct wr_str rest = one, offset = last_part(&rest), part = last_part(&rest);
    int64_t p, o;
    if (!take_number(offset, INT64_MAX, &o) || !take_number(part, INT32_MAX, &p)) {
        wr_fail(err, WR_ESQL, "source \"%.*s\": \"%.*s\" in skip is no place of a record", WR_FMT(s->spec.name), WR_FMT(one));
        wr_hint(err, "write 'partition:offset', or 'topic:partition:offset', several separated by commas");
        return WR_ESQL;
    }
    s->skip = wr_realloc(s->skip, (size_t)(s->n_skip + 1) * sizeof *s->skip);
    s->skip[s->n_skip++] = (struct wr_kafka_skip){wr_arena_str(&s->mem, wr_str_trim(rest)), (int32_t)p, o};
    return WR_OK;
}

wr_status wr_kafka_skip_read(struct wr_kafka_source *s, struct wr_error *err)
{
    struct wr_str list;
    if (!wr_opt_text(s->spec.opts, "skip", &list))
        return WR_OK;
    while (list.n > 0) {
        const char *comma = memchr(list.p, ',', list.n);
        struct wr_str one = {list.p, comma ? (uint32_t)(comma - list.p) : list.n};
        list.p += comma ? one.n + 1 : one.n;
        list.n -= comma ? one.n + 1 : one.n;
        WR_TRY(read_one(s, wr_str_trim(one), err));
    }
    return WR_OK;
}

int64_t wr_kafka_skip_after(const struct wr_kafka_source *s, const char *topic, int32_t part, int64_t offset)
{
    int64_t next = -1;
    for (int i = 0; i < s->n_skip; i++) {
        const struct wr_kafka_skip *k = &s->skip[i];
        if (k->part == part && k->offset > offset && (next < 0 || k->offset < next) && (k->topic.n == 0 || wr_str_eq_c(k->topic, topic)))
            next = k->offset;
    }
    return next;
}

bool wr_kafka_skip_hit(struct wr_kafka_source *s, int slot, const rd_kafka_message_t *m)
{
    const char *topic = rd_kafka_topic_name(m->rkt);
    bool hit = wr_kafka_skip_after(s, topic, m->partition, m->offset - 1) == m->offset;
    s->slot[slot].skip = wr_kafka_skip_after(s, topic, m->partition, m->offset);
    return hit;
}

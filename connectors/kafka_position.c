/* kafka_position.c: where a Kafka source stands, as text in checkpoints: "topic/0=17~16:1a2b3c4d;topic/1=4;": goes on at 17; the last row came from
 * offset 16, and this is the checksum of that record.
 * Rules:  a position that lies outside of what the partition holds is refused: reading on elsewhere would lose or repeat data in silence. So is
 *         one in a topic that was deleted and made anew meanwhile: librdkafka 2.0.2 knows no topic ids, so the record that was read last is
 *         read once more and compared. It is nearly always the one before the position: reading begins there and costs nothing. If
 *         it is too far back, or was compacted away, there is nothing to compare.
 * Memory: a few numbers for each partition, the source's. */
#include "connectors/kafka_source.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <zlib.h>

enum { REREAD = 1000 }; /* records that are read again for the comparison, at most */

/* ---- which record was the last ---- */

static uint32_t checksum(const rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t kind;
    int64_t ms = rd_kafka_message_timestamp(m, &kind);
    uLong sum = crc32(0, (const unsigned char *)&ms, sizeof ms);
    if (m->key)
        sum = crc32(sum, m->key, (uInt)m->key_len);
    if (m->payload)
        sum = crc32(sum, m->payload, (uInt)m->len);
    return (uint32_t)sum;
}

void wr_kafka_position_note(struct wr_kafka_source *s)
{
    for (int i = 0; i < s->base.n_part; i++) {
        struct wr_kafka_slot *slot = &s->slot[i];
        if (!slot->last)
            continue;
        slot->mark = slot->last->offset;
        slot->mark_sum = checksum(slot->last);
        slot->unproven = false;
        slot->last = NULL;
    }
}

int64_t wr_kafka_position_first(const struct wr_kafka_source *s, int i)
{
    return s->slot[i].unproven ? s->slot[i].mark : s->base.part[i].next;
}

bool wr_kafka_position_prove(struct wr_kafka_source *s, int i, const rd_kafka_message_t *m)
{
    struct wr_kafka_slot *slot = &s->slot[i];
    struct wr_part *p = &s->base.part[i];
    if (!slot->unproven)
        return false;
    if (m->offset != slot->mark || checksum(m) == slot->mark_sum) {
        slot->unproven = m->offset < p->next - 1; /* those between were read before, too */
        return true;
    }
    wr_fail(&s->failed, WR_EIO, "topic \"%.*s\" partition %d is not the one this job has read: another record stands at offset %" PRId64, WR_FMT(p->topic),
            p->num, slot->mark);
    wr_hint(&s->failed, "the topic was deleted and made anew; start anew with --reset, and with another topic or target if results must not mix");
    return true;
}

/* ---- as text ---- */

void wr_kafka_position_print(const struct wr_kafka_source *s, struct wr_buf *out)
{
    for (int i = 0; i < s->base.n_part; i++) {
        const struct wr_part *p = &s->base.part[i];
        wr_buf_printf(out, "%.*s/%d=%" PRId64, WR_FMT(p->topic), p->num, p->next);
        if (s->slot[i].mark >= 0)
            wr_buf_printf(out, "~%" PRId64 ":%08" PRIx32, s->slot[i].mark, s->slot[i].mark_sum);
        wr_buf_putc(out, ';');
    }
}

static bool take_number(struct wr_str s, int64_t *v)
{
    char z[24], *end;
    if (s.n == 0 || s.n >= sizeof z)
        return false;
    (void)snprintf(z, sizeof z, "%.*s", WR_FMT(s));
    errno = 0;
    *v = strtoll(z, &end, 10);
    return !*end && !errno && *v >= 0;
}

/* "OFFSET:CHECKSUM" of the last record read. */
static bool take_mark(struct wr_str s, int64_t *mark, uint32_t *sum)
{
    const char *colon = s.n ? memchr(s.p, ':', s.n) : NULL;
    char z[12], *end;
    uint32_t n = colon ? (uint32_t)(s.p + s.n - colon - 1) : 0;
    if (n != 8 || !take_number((struct wr_str){s.p, (uint32_t)(colon - s.p)}, mark))
        return false;
    (void)snprintf(z, sizeof z, "%.*s", (int)n, colon + 1);
    *sum = (uint32_t)strtoul(z, &end, 16);
    return !*end;
}

/* One "topic/num=offset", with or without "~mark", of n bytes. */
static wr_status seek_one(struct wr_kafka_source *s, struct wr_str one, struct wr_error *err)
{
    const char *slash = memrchr(one.p, '/', one.n), *equals = memrchr(one.p, '=', one.n);
    const char *tilde = equals ? memchr(equals, '~', (size_t)(one.p + one.n - equals)) : NULL, *end = tilde ? tilde : one.p + one.n;
    int64_t num, offset, mark = -1;
    uint32_t sum = 0;
    if (!slash || !equals || equals < slash || (tilde && !take_mark((struct wr_str){tilde + 1, (uint32_t)(one.p + one.n - tilde - 1)}, &mark, &sum)) || !take_number((struct wr_str){slash + 1, (uint32_t)(equals - slash - 1)}, &num) ||
        !take_number((struct wr_str){equals + 1, (uint32_t)(end - equals - 1)}, &offset))
        return wr_fail(err, WR_EIO, "source \"%.*s\": \"%.*s\" is not a position", WR_FMT(s->spec.name), WR_FMT(one));
    struct wr_str topic = {one.p, (uint32_t)(slash - one.p)};
    for (int i = 0; i < s->base.n_part; i++) {
        struct wr_part *p = &s->base.part[i];
        if (p->num != num || !wr_str_eq(p->topic, topic))
            continue;
        if (offset < s->slot[i].low || offset > p->end) {
            wr_fail(err, WR_EIO, "source \"%.*s\" should go on at offset %lld of topic \"%.*s\" partition %d, which holds %lld to %lld",
                    WR_FMT(s->spec.name), (long long)offset, WR_FMT(topic), p->num, (long long)s->slot[i].low, (long long)p->end);
            wr_hint(err, offset > p->end ? "the topic was deleted and made anew, or lost data" : "the broker has deleted what was not yet read");
            return WR_EIO;
        }
        p->next = offset;
        s->slot[i].fresh = false;
        s->slot[i].mark = mark;
        s->slot[i].mark_sum = sum;
        s->slot[i].unproven = mark >= s->slot[i].low && mark < offset && offset - mark <= REREAD;
        return WR_OK;
    }
    return wr_fail(err, WR_EIO, "source \"%.*s\" should go on in topic \"%.*s\" partition %lld, which is not there any more",
                   WR_FMT(s->spec.name), WR_FMT(topic), (long long)num);
}

wr_status wr_kafka_position_seek(struct wr_kafka_source *s, struct wr_str position, struct wr_error *err)
{
    for (int i = 0; i < s->base.n_part; i++) /* what the position does not name appeared since: from its beginning */
        s->base.part[i].next = s->slot[i].low;
    while (position.n) {
        const char *end = memchr(position.p, ';', position.n);
        uint32_t n = end ? (uint32_t)(end - position.p) : position.n;
        if (n)
            WR_TRY(seek_one(s, (struct wr_str){position.p, n}, err));
        uint32_t used = end ? n + 1 : n;
        position.p += used;
        position.n -= used;
    }
    for (int i = 0; i < s->base.n_part; i++)
        s->base.part[i].ended = false;
    wr_kafka_parts_mark_ended(s);
    return WR_OK;
}

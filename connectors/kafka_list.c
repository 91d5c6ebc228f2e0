/* kafka_list.c: which topics the brokers have: for \topics and for completion.
 * Rules:  internal topics (names that begin with "__") are left out. quick: names alone, and no answer within a second is an error.
 * Memory: the list is in the caller's arena; the client is gone when this returns. */
#include "connectors/kafka_common.h"

#include <stdlib.h>

enum { QUICK_MS = 1000, OFFSETS_MS = 2000, PARTS_MOST = 2000 };

static int by_name(const void *a, const void *b) { return wr_str_cmp(((const struct wr_listed *)a)->name, ((const struct wr_listed *)b)->name); }

/* Records between the ends of all partitions; -1: some did not answer. Compaction and transaction marks make it an upper bound. */
static int64_t count_records(struct wr_kafka *k, const rd_kafka_metadata_topic_t *t)
{
    int64_t sum = 0;
    for (int i = 0; i < t->partition_cnt && i < PARTS_MOST; i++) {
        int64_t low, high;
        if (rd_kafka_query_watermark_offsets(k->rk, t->topic, t->partitions[i].id, &low, &high, OFFSETS_MS))
            return -1;
        sum += high - low;
    }
    return sum;
}

wr_status wr_kafka_list(const struct wr_opts *opts, bool quick, struct wr_arena *a, struct wr_listed **out, int *n, struct wr_error *err)
{
    struct wr_kafka *k = NULL;
    const struct rd_kafka_metadata *md = NULL;
    WR_TRY(wr_kafka_open(opts, WR_AS_SOURCE, NULL, NULL, &k, err));
    wr_status st = WR_OK;
    if (!quick)
        st = wr_kafka_metadata(k, true, NULL, NULL, &md, err);
    else if (rd_kafka_metadata(k->rk, 1, NULL, &md, QUICK_MS))
        st = wr_fail(err, WR_EIO, "no answer from \"%s\"", k->brokers);
    *n = 0;
    if (st == WR_OK) {
        *out = WR_NEW_N(a, struct wr_listed, md->topic_cnt + 1);
        for (int i = 0; i < md->topic_cnt; i++) {
            const rd_kafka_metadata_topic_t *t = &md->topics[i];
            if (t->err || strncmp(t->topic, "__", 2) == 0)
                continue;
            (*out)[(*n)++] = (struct wr_listed){wr_arena_str(a, wr_str_c(t->topic)), t->partition_cnt, quick ? -1 : count_records(k, t)};
        }
        qsort(*out, (size_t)*n, sizeof **out, by_name);
        rd_kafka_metadata_destroy(md);
    }
    wr_kafka_unref(k);
    return st;
}

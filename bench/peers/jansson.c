/* jansson.c: what a C programmer would write by hand for the Black Friday query: librdkafka, jansson, an array of sums; doubles for the money.
 * No late rows, no bad rows, no recovery; ends at the topic's present end.
 * Usage: bench_jansson BROKERS TOPIC */
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { GROUPS = 1 << 16 };
struct group { int64_t minute; char categoria[24]; double sum; int64_t n; };

static struct group *find(struct group *all, int64_t minute, const char *categoria)
{
    uint64_t h = (uint64_t)minute * UINT64_C(0x9e3779b97f4a7c15);
    for (const char *c = categoria; *c; c++)
        h = (h ^ (unsigned char)*c) * UINT64_C(0x100000001b3);
    for (uint64_t i = h >> 40;; i++) {
        struct group *g = &all[i % GROUPS];
        if (g->n == 0) {
            g->minute = minute;
            snprintf(g->categoria, sizeof g->categoria, "%s", categoria);
            return g;
        }
        if (g->minute == minute && strcmp(g->categoria, categoria) == 0)
            return g;
    }
}

static int count(struct group *all, const char *text, size_t n)
{
    json_error_t err;
    json_t *root = json_loadb(text, n, 0, &err);
    const char *categoria = json_string_value(json_object_get(root, "categoria")), *at = json_string_value(json_object_get(root, "timestamp"));
    double valor = json_number_value(json_object_get(root, "valor"));
    struct tm tm = {0};
    int ok = categoria && at && sscanf(at, "%d-%d-%dT%d:%d:%d", &tm.tm_year, &tm.tm_mon, &tm.tm_mday, &tm.tm_hour, &tm.tm_min, &tm.tm_sec) == 6;
    if (ok) {
        tm.tm_year -= 1900;
        tm.tm_mon--;
        struct group *g = find(all, timegm(&tm) / 60, categoria);
        g->sum += valor;
        g->n++;
    }
    json_decref(root);
    return ok;
}

int main(int argc, char **argv)
{
    char err[512];
    if (argc != 3)
        return fprintf(stderr, "usage: bench_jansson BROKERS TOPIC\n"), 2;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], err, sizeof err) || rd_kafka_conf_set(conf, "group.id", "bench-jansson", err, sizeof err) ||
        rd_kafka_conf_set(conf, "enable.auto.commit", "false", err, sizeof err) || rd_kafka_conf_set(conf, "enable.partition.eof", "true", err, sizeof err))
        return fprintf(stderr, "%s\n", err), 2;
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, err, sizeof err);
    if (!rk)
        return fprintf(stderr, "%s\n", err), 1;
    const struct rd_kafka_metadata *md;
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    if (rd_kafka_metadata(rk, 0, topic, &md, 10000) || md->topic_cnt != 1)
        return fprintf(stderr, "no metadata of \"%s\"\n", argv[2]), 1;
    int left = md->topics[0].partition_cnt;
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(left);
    for (int i = 0; i < left; i++)
        rd_kafka_topic_partition_list_add(parts, argv[2], i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, parts);
    rd_kafka_poll_set_consumer(rk);
    struct group *all = calloc(GROUPS, sizeof *all);
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    int64_t rows = 0;
    while (left > 0) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 1000);
        if (!m)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            left--;
        else if (!m->err)
            rows += count(all, m->payload, m->len);
        rd_kafka_message_destroy(m);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    printf("peer %.3f %lld\n", (double)(to.tv_sec - from.tv_sec) + (double)(to.tv_nsec - from.tv_nsec) / 1e9, (long long)rows);
    return 0;
}

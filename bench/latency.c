/* latency.c: how long a message takes through weir, beside how long it takes through the broker alone.
 * One thread produces RATE messages a second to topic IN, each with the time it was handed to the client library; one consumer reads IN (the
 * broker's own round trip), one reads OUT, where a job puts the same messages. Messages of the first second are not counted.
 * Usage:  bench_latency BROKERS IN OUT [RATE=10000] [SECONDS=10]
 * Prints: "NAME count p50 p99 max" in milliseconds, for "broker" and "through". */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct reader {
    const char *name, *brokers, *topic;
    int64_t n, cap, want;         /* latencies held, room, messages that will come */
    int64_t *ns;
    atomic_bool ready;            /* its partitions are assigned and read to their end */
};

static int64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers)
{
    char err[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const struct { rd_kafka_type_t type; const char *key, *value; } set[] = {
        {type, "bootstrap.servers", brokers}, {RD_KAFKA_PRODUCER, "linger.ms", "1"}, {RD_KAFKA_CONSUMER, "group.id", "bench-latency"},
        {RD_KAFKA_CONSUMER, "enable.auto.commit", "false"}, {RD_KAFKA_CONSUMER, "fetch.wait.max.ms", "10"}, {RD_KAFKA_CONSUMER, "enable.partition.eof", "true"}};
    for (size_t i = 0; i < sizeof set / sizeof set[0]; i++) {
        if (set[i].type != type)
            continue;
        if (rd_kafka_conf_set(conf, set[i].key, set[i].value, err, sizeof err) != RD_KAFKA_CONF_OK) {
            fprintf(stderr, "%s\n", err);
            exit(2);
        }
    }
    rd_kafka_t *rk = rd_kafka_new(type, conf, err, sizeof err);
    if (!rk) {
        fprintf(stderr, "%s\n", err);
        exit(1);
    }
    return rk;
}

/* The number behind "sent": in a JSON object. */
static int64_t sent_at(const char *p, size_t n)
{
    const char *key = "\"sent\":";
    for (size_t i = 0; i + 8 < n; i++)
        if (memcmp(p + i, key, 7) == 0)
            return strtoll(p + i + 7, NULL, 10);
    return 0;
}

static void *read_all(void *arg)
{
    struct reader *r = arg;
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, r->brokers);
    rd_kafka_topic_partition_list_t *parts = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(parts, r->topic, 0)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, parts);
    rd_kafka_poll_set_consumer(rk);
    int64_t idle_since = now_ns();
    while (r->n < r->want) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 100);
        int64_t now = now_ns();
        if (m && m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            atomic_store(&r->ready, true);
        if (m && !m->err) {
            int64_t sent = sent_at(m->payload, m->len);
            r->ns[r->n++] = now - sent;
            idle_since = now;
        }
        if (m)
            rd_kafka_message_destroy(m);
        if (now - idle_since > INT64_C(30000000000))
            break; /* what is missing shows in the count */
    }
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return NULL;
}

static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static void print(struct reader *r, int64_t skip)
{
    int64_t n = r->n - skip;
    if (n <= 0) {
        printf("%s 0 - - -\n", r->name);
        return;
    }
    int64_t *v = r->ns + skip;
    qsort(v, (size_t)n, sizeof *v, by_value);
    printf("%s %lld %.2f %.2f %.2f\n", r->name, (long long)r->n, (double)v[n / 2] / 1e6, (double)v[n * 99 / 100] / 1e6, (double)v[n - 1] / 1e6);
}

int main(int argc, char **argv)
{
    if (argc < 4)
        return fprintf(stderr, "usage: bench_latency BROKERS IN OUT [RATE] [SECONDS]\n"), 2;
    int64_t rate = argc > 4 ? strtoll(argv[4], NULL, 10) : 10000, total = rate * (argc > 5 ? strtoll(argv[5], NULL, 10) : 10);
    struct reader r[2] = {{.name = "broker", .brokers = argv[1], .topic = argv[2]}, {.name = "through", .brokers = argv[1], .topic = argv[3]}};
    pthread_t thread[2];
    for (int i = 0; i < 2; i++) {
        r[i].want = r[i].cap = total;
        r[i].ns = calloc((size_t)total, sizeof *r[i].ns);
        pthread_create(&thread[i], NULL, read_all, &r[i]);
    }
    while (!atomic_load(&r[0].ready) || !atomic_load(&r[1].ready))
        nanosleep(&(struct timespec){0, 1000000}, NULL);
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, argv[1]);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    int64_t start = now_ns();
    for (int64_t i = 0; i < total; i++) {
        int64_t due = start + i * 1000000000 / rate, now = now_ns();
        while (now < due) {
            nanosleep(&(struct timespec){0, due - now < 200000 ? due - now : 200000}, NULL);
            now = now_ns();
        }
        char text[128];
        int n = snprintf(text, sizeof text, "{\"id\":%lld,\"sent\":%lld,\"categoria\":\"Gamer\",\"valor\":12.50}", (long long)i, (long long)now);
        while (rd_kafka_produce(topic, 0, RD_KAFKA_MSG_F_COPY, text, (size_t)n, NULL, 0, NULL) != 0)
            rd_kafka_poll(rk, 1);
        rd_kafka_poll(rk, 0);
    }
    rd_kafka_flush(rk, 10000);
    for (int i = 0; i < 2; i++) {
        pthread_join(thread[i], NULL);
        print(&r[i], rate);
    }
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return 0;
}

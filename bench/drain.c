/* drain.c: reads a topic from start to end with librdkafka and drops every message: the rate nothing built on it can pass.
 * The same library calls as weir's source (batch call on one queue, bounded read-ahead, a thread that keeps the broker thread awake), so that
 * the ratio shows what weir adds. Usage: bench_drain BROKERS TOPIC    Prints: messages bytes seconds. */
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct waker { rd_kafka_t *rk; const char *topic; int n_part; atomic_bool stop; };

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void *wake(void *arg)
{
    struct waker *w = arg;
    for (int p = 0; !atomic_load(&w->stop); p = (p + 1) % w->n_part) {
        int64_t low, high;
        rd_kafka_query_watermark_offsets(w->rk, w->topic, p, &low, &high, 1000);
        nanosleep(&(struct timespec){.tv_nsec = 4000000}, NULL);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 3) {
        fprintf(stderr, "usage: %s BROKERS TOPIC\n", argv[0]);
        return 2;
    }
    static const char *const conf_kv[][2] = {{"group.id", "bench-drain"}, {"enable.auto.commit", "false"}, {"enable.partition.eof", "true"},
                                             {"auto.offset.reset", "error"}, {"check.crcs", "true"}, {"queued.max.messages.kbytes", "8192"},
                                             {"queued.min.messages", "100000"}, {"fetch.message.max.bytes", "1048576"},
                                             {"fetch.wait.max.ms", "100"}}; /* as weir: else the end of the topic is heard of half a second late */
    char err[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", argv[1], err, sizeof err);
    for (size_t i = 0; i < sizeof conf_kv / sizeof *conf_kv; i++)
        if (rd_kafka_conf_set(conf, conf_kv[i][0], conf_kv[i][1], err, sizeof err) != RD_KAFKA_CONF_OK)
            fprintf(stderr, "%s\n", err);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, err, sizeof err);
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, argv[2], NULL);
    const struct rd_kafka_metadata *md;
    if (rd_kafka_metadata(rk, 0, rkt, &md, 10000)) {
        fprintf(stderr, "no metadata\n");
        return 1;
    }
    int parts = md->topics[0].partition_cnt, open = parts;
    rd_kafka_metadata_destroy(md);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(parts);
    for (int p = 0; p < parts; p++)
        rd_kafka_topic_partition_list_add(list, argv[2], p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    double t0 = now();
    rd_kafka_assign(rk, list);
    for (int p = 0; p < parts; p++) {
        rd_kafka_queue_t *pq = rd_kafka_queue_get_partition(rk, argv[2], p);
        rd_kafka_queue_forward(pq, q);
        rd_kafka_queue_destroy(pq);
    }
    struct waker w = {rk, argv[2], parts, false};
    pthread_t thread;
    pthread_create(&thread, NULL, wake, &w);
    int64_t n = 0, bytes = 0;
    rd_kafka_message_t *m[2000];
    while (open > 0) {
        ssize_t got = rd_kafka_consume_batch_queue(q, 100, m, 2000);
        for (ssize_t i = 0; i < got; i++) {
            if (m[i]->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
                open--;
            else if (m[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
                n++;
                bytes += (int64_t)m[i]->len;
            }
            rd_kafka_message_destroy(m[i]);
        }
    }
    printf("%lld %lld %.3f\n", (long long)n, (long long)bytes, now() - t0);
    fflush(stdout);
    atomic_store(&w.stop, true);
    pthread_join(thread, NULL);
    _Exit(0); /* closing the consumer is not part of the measure */
}

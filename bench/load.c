/* load.c: fills a topic (or a file) with Black Friday sales for benchmarks: seeded, 134 bytes a record on average, event time rising by
 * `step` µs a record with a little disorder, spread over the partitions round robin.
 * Usage:  bench_load BROKERS TOPIC RECORDS [PARTITIONS=4] [CODEC=lz4] [STEP_US=20000]      or      bench_load - FILE RECORDS */
#include <librdkafka/rdkafka.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint64_t state = 42;
static uint64_t next(void) /* splitmix64 */
{
    uint64_t z = (state += UINT64_C(0x9e3779b97f4a7c15));
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

static int record(char *out, size_t size, int64_t i, int64_t step_us)
{
    static const char *const category[] = {"Eletronicos", "Livros", "Casa", "Gamer"};
    uint64_t a = next(), b = next(), c = next();
    int64_t us = INT64_C(1764288000000000) + i * step_us - (int64_t)(c >> 32 & 15) * 100000; /* 2025-11-28; up to 1.5 s of disorder */
    int64_t s = us / 1000000;
    int64_t day = s / 86400 - 20420, t = s % 86400; /* days since 2025-11-28 */
    long cents = 1000 + (long)(c % 499001);
    return snprintf(out, size,
                    "{\"id_pedido\": \"%08x-%04x-4%03x-a%03x-%08x%04x\", \"categoria\": \"%s\", \"valor\": %ld.%02ld, "
                    "\"timestamp\": \"2025-%02d-%02dT%02d:%02d:%02d\"}",
                    (unsigned)(a >> 32), (unsigned)(a >> 16 & 0xffff), (unsigned)(a & 0xfff), (unsigned)(b >> 52), (unsigned)(b >> 16 & 0xffffffff),
                    (unsigned)(b & 0xffff), category[c >> 60 & 3], cents / 100, cents % 100, day < 3 ? 11 : 12, (int)(day < 3 ? 28 + day : day - 2),
                    (int)(t / 3600), (int)(t / 60 % 60), (int)(t % 60));
}

static int to_file(const char *path, int64_t n)
{
    FILE *f = fopen(path, "w");
    char line[512];
    if (!f) {
        perror(path);
        return 1;
    }
    for (int64_t i = 0; i < n; i++) {
        int len = record(line, sizeof line - 1, i, 20000);
        line[len] = '\n';
        fwrite(line, 1, (size_t)len + 1, f);
    }
    return fclose(f) != 0;
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char err[256];
    if (rd_kafka_conf_set(conf, key, value, err, sizeof err) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s\n", err);
        exit(2);
    }
}

int main(int argc, char **argv)
{
    if (argc < 4) {
        fprintf(stderr, "usage: %s BROKERS TOPIC RECORDS [PARTITIONS] [CODEC] [STEP_US]   or   %s - FILE RECORDS\n", argv[0], argv[0]);
        return 2;
    }
    int64_t n = strtoll(argv[3], NULL, 10);
    if (strcmp(argv[1], "-") == 0)
        return to_file(argv[2], n);
    int parts = argc > 4 ? (int)strtol(argv[4], NULL, 10) : 4;
    int64_t step = argc > 6 ? strtoll(argv[6], NULL, 10) : 20000;
    char err[512], line[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    set(conf, "compression.codec", argc > 5 ? argv[5] : "lz4");
    set(conf, "linger.ms", "100");
    set(conf, "batch.size", "1000000");
    set(conf, "queue.buffering.max.messages", "1000000");
    set(conf, "partitioner", "murmur2_random");
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof err);
    if (!rk) {
        fprintf(stderr, "%s\n", err);
        return 1;
    }
    for (int64_t i = 0; i < n; i++) {
        int len = record(line, sizeof line, i, step);
        for (;;) {
            rd_kafka_resp_err_t e = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(argv[2]), RD_KAFKA_V_PARTITION((int32_t)(i % parts)),
                                                      RD_KAFKA_V_VALUE(line, (size_t)len), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
            if (e == RD_KAFKA_RESP_ERR_NO_ERROR)
                break;
            if (e != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
                fprintf(stderr, "%s\n", rd_kafka_err2str(e));
                return 1;
            }
            rd_kafka_poll(rk, 50);
        }
        if (i % 10000 == 0)
            rd_kafka_poll(rk, 0);
    }
    int left = rd_kafka_flush(rk, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_destroy(rk);
    return left;
}

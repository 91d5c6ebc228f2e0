/* produce.c: what a producer alone can do: the same message again and again, as `rdkafka_performance -P` sends it, with the settings of weir's Kafka
 * sink (idempotent, all replicas, lz4, 1 ms of linger). Messages are made once; what is measured is librdkafka and the broker.
 * Use: bench_produce BROKERS TOPIC MESSAGES BYTES [PARTITIONS] */
#include <librdkafka/rdkafka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char err[256];
    if (rd_kafka_conf_set(conf, key, value, err, sizeof err) != RD_KAFKA_CONF_OK) {
        fprintf(stderr, "%s\n", err);
        exit(2);
    }
}

static int64_t lost;
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    lost += m->err != RD_KAFKA_RESP_ERR_NO_ERROR;
}

int main(int argc, char **argv)
{
    static const char *const settings[][2] = {
        {"linger.ms", "1"}, {"batch.size", "1000000"}, {"batch.num.messages", "20000"}, {"queue.buffering.max.messages", "500000"},
        {"queue.buffering.max.kbytes", "32768"}, {"enable.idempotence", "true"}, {"compression.type", "lz4"},
    };
    char err[512], text[4096];
    if (argc < 5) {
        fprintf(stderr, "usage: %s BROKERS TOPIC MESSAGES BYTES [PARTITIONS]\n", argv[0]);
        return 2;
    }
    int64_t n = strtoll(argv[3], NULL, 10);
    size_t bytes = strtoul(argv[4], NULL, 10);
    int parts = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 1;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "bootstrap.servers", argv[1]);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        set(conf, settings[i][0], settings[i][1]);
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, err, sizeof err);
    if (!rk || bytes > sizeof text) {
        fprintf(stderr, "%s\n", rk ? "too many bytes" : err);
        return 1;
    }
    for (size_t i = 0; i < bytes; i++)
        text[i] = (char)('a' + i * 7 % 26);
    rd_kafka_topic_t *topic = rd_kafka_topic_new(rk, argv[2], NULL);
    for (int64_t i = 0; i < n;) {
        if (rd_kafka_produce(topic, (int32_t)(i % parts), RD_KAFKA_MSG_F_COPY, text, bytes, NULL, 0, NULL) == 0) {
            if (++i % 1000 == 0)
                rd_kafka_poll(rk, 0);
        } else if (rd_kafka_last_error() == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(rk, 10);
        } else {
            fprintf(stderr, "%s\n", rd_kafka_err2str(rd_kafka_last_error()));
            return 1;
        }
    }
    bool left = rd_kafka_flush(rk, 120000) != RD_KAFKA_RESP_ERR_NO_ERROR || lost > 0;
    rd_kafka_topic_destroy(topic);
    rd_kafka_destroy(rk);
    return left;
}

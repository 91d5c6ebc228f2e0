/* ktool.c: a small Kafka client for the tests, independent of weir's own connectors.
 *
 *   ktool -b BROKERS create TOPIC PARTITIONS [setting=value...]
 *   ktool -b BROKERS delete TOPIC
 *   ktool -b BROKERS grow TOPIC PARTITIONS
 *   ktool -b BROKERS trim TOPIC PARTITION OFFSET
 *   ktool -b BROKERS forget GROUP
 *   ktool -b BROKERS produce TOPIC [-p partition] [-z codec] [-e] [-t transactional.id] [-a]
 *   ktool -b BROKERS consume TOPIC [-u]
 *   ktool -b BROKERS ends TOPIC
 *   ktool -b BROKERS committed TOPIC GROUP
 *
 * produce reads lines: each is one value, or with -e one JSON object {"value", "value_hex", "key", "partition",
 * "timestamp" (ms), "headers": {name: text}}, where no value at all is a tombstone. With -t all of it is one
 * transaction, which -a aborts. consume prints such objects, plus "offset", up to the end as of its start; -u shows
 * records of open and aborted transactions too. grow adds partitions, trim deletes the records before OFFSET as retention does,
 * forget deletes a consumer group with what it has committed. ends prints "partition low high" lines,
 * committed "partition offset metadata" lines for the partitions that the group has an offset of.
 * Rules:  ends with code 1 and one line on stderr on any failure; nothing is half reported as success.
 * Memory: what is not freed at once lives until the process ends. */
#include <getopt.h>
#include <inttypes.h>
#include <jansson.h>
#include <librdkafka/rdkafka.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define WAIT_MS 30000

static const char *brokers;        /* -b */
static long failed_deliveries;     /* counted by on_delivery, same thread as produce */

struct produce_how {
    int partition;                 /* of records that name none; RD_KAFKA_PARTITION_UA: by key or at random */
    const char *codec;             /* none, gzip, snappy, lz4, zstd */
    const char *transaction;       /* transactional.id, or NULL */
    bool envelope;                 /* lines are JSON objects */
    bool abort;                    /* abort the transaction instead of committing it */
};

static void fail(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("ktool: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

static void set(rd_kafka_conf_t *conf, const char *key, const char *value)
{
    char text[256];
    if (rd_kafka_conf_set(conf, key, value, text, sizeof text) != RD_KAFKA_CONF_OK)
        fail("%s", text);
}

static rd_kafka_t *client(rd_kafka_type_t type, rd_kafka_conf_t *conf)
{
    char text[256];
    set(conf, "bootstrap.servers", brokers);
    set(conf, "client.id", "ktool");
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof text);
    if (rk == NULL)
        fail("%s", text);
    return rk;
}

static void must(rd_kafka_error_t *error, const char *what)
{
    if (error != NULL)
        fail("%s: %s", what, rd_kafka_error_string(error));
}

/* ---------------------------------------------------------------- topics */

/* Waits for the answer of an admin request about one topic. */
static void admin_answer(rd_kafka_queue_t *queue, bool created, const char *topic)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    const rd_kafka_topic_result_t **result;
    size_t n;
    if (event == NULL)
        fail("no answer about topic \"%s\"", topic);
    if (rd_kafka_event_error(event))
        fail("topic \"%s\": %s", topic, rd_kafka_event_error_string(event));
    if (created)
        result = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    else
        result = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &n);
    for (size_t i = 0; i < n; i++) {
        if (rd_kafka_topic_result_error(result[i]))
            fail("topic \"%s\": %s", topic, rd_kafka_topic_result_error_string(result[i]));
    }
    rd_kafka_event_destroy(event);
}

/* Creating is answered before every broker thread knows the topic: waits until its metadata has all partitions. */
static void wait_for_topic(rd_kafka_t *rk, const char *topic, int partitions)
{
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    for (int i = 0; i < 600; i++) {
        const struct rd_kafka_metadata *meta = NULL;
        int have = 0;
        if (rd_kafka_metadata(rk, 0, handle, &meta, WAIT_MS) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            for (int p = 0; meta->topic_cnt == 1 && p < meta->topics[0].partition_cnt; p++)
                have += meta->topics[0].partitions[p].err == RD_KAFKA_RESP_ERR_NO_ERROR;
            rd_kafka_metadata_destroy(meta);
        }
        if (have == partitions) {
            rd_kafka_topic_destroy(handle);
            return;
        }
        rd_kafka_poll(rk, 50);
    }
    fail("topic \"%s\" was created but has no leaders", topic);
}

static void create_topic(const char *topic, int n_arg, char **arg)
{
    char text[256];
    char *end = NULL;
    long partitions = n_arg > 0 ? strtol(arg[0], &end, 10) : 0;
    if (partitions < 1 || partitions > 10000 || *end != '\0')
        fail("create needs a number of partitions");
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *want = rd_kafka_NewTopic_new(topic, (int)partitions, 1, text, sizeof text);
    if (want == NULL)
        fail("%s", text);
    for (int i = 1; i < n_arg; i++) {
        char *equals = strchr(arg[i], '=');
        if (equals == NULL)
            fail("\"%s\" is not setting=value", arg[i]);
        *equals = '\0';
        rd_kafka_NewTopic_set_config(want, arg[i], equals + 1);
    }
    rd_kafka_CreateTopics(rk, &want, 1, NULL, queue);
    admin_answer(queue, true, topic);
    wait_for_topic(rk, topic, (int)partitions);
    rd_kafka_NewTopic_destroy(want);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void delete_topic(const char *topic)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *want = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &want, 1, NULL, queue);
    admin_answer(queue, false, topic);
    rd_kafka_DeleteTopic_destroy(want);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

/* Waits for the one answer of an admin request. */
static void admin_done(rd_kafka_queue_t *queue, const char *what, const char *name)
{
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    size_t n = 0;
    const rd_kafka_CreatePartitions_result_t *grown = event ? rd_kafka_event_CreatePartitions_result(event) : NULL;
    const rd_kafka_topic_result_t **topics = grown ? rd_kafka_CreatePartitions_result_topics(grown, &n) : NULL;
    if (n)
        code = rd_kafka_topic_result_error(topics[0]);
    const rd_kafka_DeleteGroups_result_t *gone = event ? rd_kafka_event_DeleteGroups_result(event) : NULL;
    const rd_kafka_group_result_t **groups = gone ? rd_kafka_DeleteGroups_result_groups(gone, &n) : NULL;
    if (groups && n && rd_kafka_group_result_error(groups[0]))
        code = rd_kafka_error_code(rd_kafka_group_result_error(groups[0]));
    const rd_kafka_DeleteRecords_result_t *cut = event ? rd_kafka_event_DeleteRecords_result(event) : NULL;
    const rd_kafka_topic_partition_list_t *parts = cut ? rd_kafka_DeleteRecords_result_offsets(cut) : NULL;
    if (parts && parts->cnt)
        code = parts->elems[0].err;
    if (code)
        fail("%s %s: %s", what, name, rd_kafka_err2str(code));
    rd_kafka_event_destroy(event);
}

static long number(const char *text, long least)
{
    char *end = NULL;
    long n = text ? strtol(text, &end, 10) : -1;
    if (!text || end == text || *end != '\0' || n < least)
        fail("\"%s\" is no number from %ld on", text ? text : "", least);
    return n;
}

static void grow_topic(const char *topic, char **arg)
{
    char text[256];
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *want = rd_kafka_NewPartitions_new(topic, (size_t)number(arg[0], 1), text, sizeof text);
    if (want == NULL)
        fail("%s", text);
    rd_kafka_CreatePartitions(rk, &want, 1, NULL, queue);
    admin_done(queue, "grow", topic);
    wait_for_topic(rk, topic, (int)number(arg[0], 1));
    rd_kafka_NewPartitions_destroy(want);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void trim_topic(const char *topic, char **arg)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, (int32_t)number(arg[0], 0))->offset = number(arg[1], 0);
    rd_kafka_DeleteRecords_t *want = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &want, 1, NULL, queue);
    admin_done(queue, "trim", topic);
    rd_kafka_DeleteRecords_destroy(want);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

static void forget_group(const char *group)
{
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, rd_kafka_conf_new());
    rd_kafka_queue_t *queue = rd_kafka_queue_new(rk);
    rd_kafka_DeleteGroup_t *want = rd_kafka_DeleteGroup_new(group);
    rd_kafka_DeleteGroups(rk, &want, 1, NULL, queue);
    admin_done(queue, "forget", group);
    rd_kafka_DeleteGroup_destroy(want);
    rd_kafka_queue_destroy(queue);
    rd_kafka_destroy(rk);
}

/* ---------------------------------------------------------------- produce */

static void on_delivery(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque)
{
    (void)rk;
    (void)opaque;
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR && failed_deliveries++ == 0)
        fprintf(stderr, "ktool: delivery: %s\n", rd_kafka_err2str(message->err));
}

/* Bytes of "6a6b"; *n is set. The caller frees. */
static char *unhex(const char *text, size_t *n)
{
    *n = strlen(text) / 2;
    char *bytes = malloc(*n + 1);
    for (size_t i = 0; bytes != NULL && i < *n; i++) {
        char pair[3] = { text[2 * i], text[2 * i + 1], '\0' };
        bytes[i] = (char)strtoul(pair, NULL, 16);
    }
    return bytes;
}

static rd_kafka_headers_t *headers_of(const json_t *object)
{
    const char *name;
    json_t *value;
    if (!json_is_object(object))
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(json_object_size(object));
    json_object_foreach ((json_t *)(uintptr_t)object, name, value) {
        if (!json_is_string(value))
            fail("header \"%s\" is not text", name);
        rd_kafka_header_add(headers, name, -1, json_string_value(value), (ssize_t)json_string_length(value));
    }
    return headers;
}

/* Hands one record to librdkafka, waiting while its queue is full. */
static void send_record(rd_kafka_t *rk, const char *topic, int partition, const char *key, size_t n_key,
                        const char *value, size_t n_value, int64_t timestamp, rd_kafka_headers_t *headers)
{
    for (;;) {
        rd_kafka_headers_t *mine = headers != NULL ? rd_kafka_headers_copy(headers) : rd_kafka_headers_new(0);
        rd_kafka_resp_err_t err = rd_kafka_producev(
            rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
            RD_KAFKA_V_KEY(key, n_key), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, n_value),
            RD_KAFKA_V_TIMESTAMP(timestamp), RD_KAFKA_V_HEADERS(mine), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR_NO_ERROR)
            return;
        rd_kafka_headers_destroy(mine);
        if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL)
            fail("produce to \"%s\": %s", topic, rd_kafka_err2str(err));
        rd_kafka_poll(rk, 100);
    }
}

static void send_envelope(rd_kafka_t *rk, const char *topic, const struct produce_how *how, const char *line, size_t n)
{
    json_error_t error;
    json_t *object = json_loadb(line, n, JSON_ALLOW_NUL, &error);
    if (!json_is_object(object))
        fail("not an envelope: %s: %s", error.text, line);
    const json_t *value = json_object_get(object, "value");
    const json_t *hex = json_object_get(object, "value_hex");
    const json_t *key = json_object_get(object, "key");
    const json_t *partition = json_object_get(object, "partition");
    const json_t *timestamp = json_object_get(object, "timestamp");
    if ((value != NULL && !json_is_string(value) && !json_is_null(value)) ||
        (key != NULL && !json_is_string(key) && !json_is_null(key)))
        fail("key and value must be text or null: %s", line);

    const char *bytes = json_string_value(value);
    size_t n_bytes = json_string_length(value);
    char *raw = NULL;
    if (json_is_string(hex))
        bytes = raw = unhex(json_string_value(hex), &n_bytes);
    rd_kafka_headers_t *headers = headers_of(json_object_get(object, "headers"));
    send_record(rk, topic, json_is_integer(partition) ? (int)json_integer_value(partition) : how->partition,
                json_string_value(key), json_string_length(key), bytes, n_bytes,
                json_is_integer(timestamp) ? (int64_t)json_integer_value(timestamp) : 0, headers);
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    free(raw);
    json_decref(object);
}

static void produce(const char *topic, const struct produce_how *how)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "compression.codec", how->codec);
    set(conf, "enable.idempotence", "true");           /* keeps the order of each partition */
    set(conf, "partitioner", "murmur2_random");        /* as Kafka's own clients */
    set(conf, "message.max.bytes", "20000000");
    set(conf, "linger.ms", "5");
    if (how->transaction != NULL)
        set(conf, "transactional.id", how->transaction);
    rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, conf);
    if (how->transaction != NULL) {
        must(rd_kafka_init_transactions(rk, WAIT_MS), "init transactions");
        must(rd_kafka_begin_transaction(rk), "begin transaction");
    }

    char *line = NULL;
    size_t room = 0;
    for (ssize_t n = getline(&line, &room, stdin); n >= 0; n = getline(&line, &room, stdin)) {
        if (n > 0 && line[n - 1] == '\n')
            line[--n] = '\0';
        if (how->envelope)
            send_envelope(rk, topic, how, line, (size_t)n);
        else
            send_record(rk, topic, how->partition, NULL, 0, line, (size_t)n, 0, NULL);
        rd_kafka_poll(rk, 0);
    }
    free(line);
    if (rd_kafka_flush(rk, WAIT_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("not everything was delivered to \"%s\" in %d s", topic, WAIT_MS / 1000);
    if (how->transaction != NULL && how->abort)
        must(rd_kafka_abort_transaction(rk, WAIT_MS), "abort transaction");
    else if (how->transaction != NULL)
        must(rd_kafka_commit_transaction(rk, WAIT_MS), "commit transaction");
    rd_kafka_destroy(rk);
    if (failed_deliveries != 0)
        fail("%ld records were not delivered to \"%s\"", failed_deliveries, topic);
}

/* ---------------------------------------------------------------- consume */

static int partition_count(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *meta;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_resp_err_t err = rd_kafka_metadata(rk, 0, handle, &meta, WAIT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("topic \"%s\": %s", topic, rd_kafka_err2str(err));
    if (meta->topic_cnt != 1 || meta->topics[0].err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("topic \"%s\": %s", topic, rd_kafka_err2str(meta->topics[0].err));
    int n = meta->topics[0].partition_cnt;
    rd_kafka_metadata_destroy(meta);
    rd_kafka_topic_destroy(handle);
    return n;
}

/* Text as a JSON string where it is UTF-8; NULL bytes are null. NULL if it is not UTF-8. */
static json_t *text_or_null(const void *bytes, size_t n)
{
    return bytes == NULL ? json_null() : json_stringn(bytes, n);
}

static void put_bytes(json_t *object, const char *name, const void *bytes, size_t n)
{
    json_t *text = text_or_null(bytes, n);
    if (text != NULL) {
        json_object_set_new(object, name, text);
        return;
    }
    char *hex = malloc(2 * n + 1);
    char hex_name[32];
    if (hex == NULL)
        fail("out of memory");
    for (size_t i = 0; i < n; i++)
        snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)bytes)[i]);
    snprintf(hex_name, sizeof hex_name, "%s_hex", name);
    json_object_set_new(object, hex_name, json_stringn(hex, 2 * n));
    free(hex);
}

static void print_record(const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers;
    rd_kafka_timestamp_type_t kind;
    json_t *object = json_object();
    json_object_set_new(object, "partition", json_integer(message->partition));
    json_object_set_new(object, "offset", json_integer(message->offset));
    json_object_set_new(object, "timestamp", json_integer(rd_kafka_message_timestamp(message, &kind)));
    put_bytes(object, "key", message->key, message->key_len);
    put_bytes(object, "value", message->payload, message->len);
    if (rd_kafka_message_headers(message, &headers) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        json_t *list = json_object();
        const char *name;
        const void *value;
        size_t n;
        for (size_t i = 0; !rd_kafka_header_get_all(headers, i, &name, &value, &n); i++)
            put_bytes(list, name, value, n);
        json_object_set_new(object, "headers", list);
    }
    char *line = json_dumps(object, JSON_COMPACT | JSON_ENSURE_ASCII);
    puts(line);
    free(line);
    json_decref(object);
}

static void consume(const char *topic, bool uncommitted)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", "ktool");
    set(conf, "enable.auto.commit", "false");
    set(conf, "enable.partition.eof", "true");
    set(conf, "auto.offset.reset", "error");
    set(conf, "check.crcs", "true");
    set(conf, "fetch.message.max.bytes", "20000000");
    set(conf, "isolation.level", uncommitted ? "read_uncommitted" : "read_committed");
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, conf);
    rd_kafka_poll_set_consumer(rk);

    int open = partition_count(rk, topic);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(open);
    for (int p = 0; p < open; p++)
        rd_kafka_topic_partition_list_add(list, topic, p)->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (rd_kafka_assign(rk, list) != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("cannot assign the partitions of \"%s\"", topic);
    while (open > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, WAIT_MS);
        if (message == NULL)
            fail("nothing from \"%s\" for %d s", topic, WAIT_MS / 1000);
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            print_record(message);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            open--;
        else if (message->err != RD_KAFKA_RESP_ERR__TRANSPORT)
            fail("topic \"%s\": %s", topic, rd_kafka_message_errstr(message));
        rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
}

static void print_ends(const char *topic)
{
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, rd_kafka_conf_new());
    int n = partition_count(rk, topic);
    for (int p = 0; p < n; p++) {
        int64_t low;
        int64_t high;
        rd_kafka_resp_err_t err = rd_kafka_query_watermark_offsets(rk, topic, p, &low, &high, WAIT_MS);
        if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
            fail("topic \"%s\": %s", topic, rd_kafka_err2str(err));
        printf("%d %" PRId64 " %" PRId64 "\n", p, low, high);
    }
    rd_kafka_destroy(rk);
}

/* ---------------------------------------------------------------- arguments */

static void print_committed(const char *topic, const char *group)
{
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    set(conf, "group.id", group);
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, conf);
    int n = partition_count(rk, topic);
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(n);
    rd_kafka_topic_partition_list_add_range(l, topic, 0, n - 1);
    rd_kafka_resp_err_t err = rd_kafka_committed(rk, l, WAIT_MS);
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR)
        fail("group \"%s\": %s", group, rd_kafka_err2str(err));
    for (int i = 0; i < l->cnt; i++)
        if (l->elems[i].offset >= 0)
            printf("%d %" PRId64 " %.*s\n", l->elems[i].partition, l->elems[i].offset, (int)l->elems[i].metadata_size, (const char *)l->elems[i].metadata);
    rd_kafka_topic_partition_list_destroy(l);
    rd_kafka_destroy(rk);
}

int main(int argc, char **argv)
{
    struct produce_how how = { .partition = RD_KAFKA_PARTITION_UA, .codec = "none" };
    bool uncommitted = false;
    char *end = NULL;
    for (int c = getopt(argc, argv, "b:p:z:t:eau"); c != -1; c = getopt(argc, argv, "b:p:z:t:eau")) {
        switch (c) {
        case 'b': brokers = optarg; break;
        case 'p':
            how.partition = (int)strtol(optarg, &end, 10);
            if (end == optarg || *end != '\0')
                fail("-p needs a number, not \"%s\"", optarg);
            break;
        case 'z': how.codec = optarg; break;
        case 't': how.transaction = optarg; break;
        case 'e': how.envelope = true; break;
        case 'a': how.abort = true; break;
        case 'u': uncommitted = true; break;
        default: return 2;
        }
    }
    if (brokers == NULL || argc - optind < 2)
        fail("usage: ktool -b BROKERS create|delete|grow|trim|produce|consume|ends TOPIC ...");
    const char *verb = argv[optind];
    const char *topic = argv[optind + 1];
    if (strcmp(verb, "create") == 0)
        create_topic(topic, argc - optind - 2, argv + optind + 2);
    else if (strcmp(verb, "delete") == 0)
        delete_topic(topic);
    else if (strcmp(verb, "grow") == 0 && argc - optind == 3)
        grow_topic(topic, argv + optind + 2);
    else if (strcmp(verb, "trim") == 0 && argc - optind == 4)
        trim_topic(topic, argv + optind + 2);
    else if (strcmp(verb, "forget") == 0)
        forget_group(topic);
    else if (strcmp(verb, "produce") == 0)
        produce(topic, &how);
    else if (strcmp(verb, "consume") == 0)
        consume(topic, uncommitted);
    else if (strcmp(verb, "ends") == 0)
        print_ends(topic);
    else if (strcmp(verb, "committed") == 0 && argc - optind == 3)
        print_committed(topic, argv[optind + 2]);
    else
        fail("no verb \"%s\"", verb);
    if (fflush(stdout) != 0)
        fail("cannot write the output");
    return 0;
}

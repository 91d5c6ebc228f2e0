/* kafka.c: the `kafka` connector: its options, source, sink and list of topics.
 * Rules:  an option's meaning is with whoever reads it; what is a property of librdkafka is turned into one by kafka_common.c.
 * Memory: constant. */
#include "connectors/kafka_sink.h"
#include "connectors/kafka_source.h"

#define SRC WR_AS_SOURCE
#define SNK WR_AS_SINK
#define BOTH (WR_AS_SOURCE | WR_AS_SINK)
static const struct wr_optdesc kafka_opts[] = {
    {"brokers", "properties.bootstrap.servers properties.bootstrap.server bootstrap_servers bootstrap.servers", BOTH, WR_OPT_TEXT, true, false,
     NULL, NULL, "host:port of one or more brokers, separated by commas"},
    {"topic", "topics", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "topic; a source takes several, separated by commas, or ^regex"},
    {"topic_pattern", "topic-pattern topic.pattern", SRC, WR_OPT_TEXT, false, false, NULL, NULL, "regular expression: all topics that match, also later ones"},
    {"start", "scan.startup.mode", SRC, WR_OPT_ENUM, false, false, "earliest",
     "earliest|latest|committed|timestamp|earliest-offset|latest-offset|group-offsets", "where reading begins when there is no checkpoint"},
    {"start_timestamp", "scan.startup.timestamp-millis start.timestamp", SRC, WR_OPT_TEXT, false, false, NULL, NULL,
     "with start = 'timestamp': first record written at or after this time (ISO 8601, or ms since 1970)"},
    {"until", "scan.bounded.mode", SRC, WR_OPT_ENUM, false, false, NULL, "end|latest-offset|unbounded",
     "end: stop at the end as of the start"},
    {"group", "properties.group.id group.id", SRC, WR_OPT_TEXT, false, false, WR_KAFKA_DEFAULT_GROUP, NULL,
     "consumer group whose committed offsets start = 'committed' reads"},
    {"discover", "scan.topic-partition-discovery.interval", SRC, WR_OPT_DURATION, false, false, "30 s", NULL,
     "how often to look for new partitions, and topics of a pattern, and whether all are still there; 0 s: never"},
    {"skip", NULL, SRC, WR_OPT_TEXT, false, false, NULL, NULL,
     "records to leave out, as 'partition:offset' or 'topic:partition:offset', separated by commas: bad rows with the reason \"skipped\""},
    {"tombstones", NULL, SRC, WR_OPT_ENUM, false, false, "skip", "skip|null", "records without a value: left out, or rows of NULLs"},
    {"security_protocol", "properties.security.protocol kafka.security.protocol", BOTH, WR_OPT_ENUM, false, false, "plaintext",
     "plaintext|ssl|sasl_plaintext|sasl_ssl", "how to talk to the brokers"},
    {"sasl_mechanism", "properties.sasl.mechanism kafka.sasl.mechanism kafka.sasl.mechanisms", BOTH, WR_OPT_ENUM, false, false, NULL,
     "PLAIN|SCRAM-SHA-256|SCRAM-SHA-512", "how to log in"},
    {"sasl_username", "properties.sasl.username kafka.sasl.username", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "login name"},
    {"sasl_password", "properties.sasl.password kafka.sasl.password", BOTH, WR_OPT_TEXT, false, true, NULL, NULL, "password"},
    {"ssl_ca", "properties.ssl.ca.location kafka.ssl.ca.location", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "file with the CA certificates to trust"},
    {"ssl_certificate", "kafka.ssl.certificate.location", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "file with our own certificate"},
    {"ssl_key", "kafka.ssl.key.location", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "file with our private key"},
    {"ssl_key_password", "kafka.ssl.key.password", BOTH, WR_OPT_TEXT, false, true, NULL, NULL, "password of the private key"},
    {"key", "primary_key key.fields", SNK, WR_OPT_TEXT, false, false, NULL, NULL, "columns that make the record key; default: the query's own key"},
    {"key_format", "key.format", SNK, WR_OPT_ENUM, false, false, NULL, "text|json",
     "text: the plain value (one key column); json: an object; default: text for one column, json for more"},
    {"compression", "compression.type properties.compression.type kafka.compression.type kafka.compression.codec", SNK, WR_OPT_ENUM, false, false, "lz4",
     "none|gzip|snappy|lz4|zstd", "how record batches are compressed"},
    {"create", NULL, SNK, WR_OPT_BOOL, false, false, "false", NULL, "make the topic if it is not there"},
    {"partitions", NULL, SNK, WR_OPT_INT, false, false, "1", NULL, "with create: number of partitions"},
    {"replication", NULL, SNK, WR_OPT_INT, false, false, "1", NULL, "with create: replication factor"},
    {"transaction_buffer", NULL, SNK, WR_OPT_BYTES, false, false, "64 MiB", NULL,
     "exactly once: rows of one checkpoint kept in memory, to be written again if their transaction is lost"},
    {"on_error", "on.error", SNK, WR_OPT_ENUM, false, false, "skip", "skip|fail|dlq",
     "records that the topic refuses: counted and left out, the end of the job, or written to dlq_topic"},
    {"dlq_topic", "dlq.topic", SNK, WR_OPT_TEXT, false, false, NULL, NULL, "with on_error = 'dlq': topic on the same brokers that takes them"},
    {"kafka.*", "properties.*", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "a librdkafka property; only harmless ones pass"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

const struct wr_connector wr_connector_kafka = {
    .name = "kafka",
    .help = "topics of Apache Kafka or anything that speaks its protocol",
    .opts = kafka_opts,
    .source = &wr_kafka_source_vt,
    .sink = &wr_kafka_sink,
    .list = wr_kafka_list,
    .formats = "json csv raw",
};

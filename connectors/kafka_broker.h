/* kafka_broker.h: a throw-away broker inside this process, for `weir broker`, `weir demo` and tests: librdkafka's mock cluster, which speaks
 * Kafka's protocol over TCP on 127.0.0.1, also to other processes.
 * Know:   nothing is kept on disk; each partition keeps its newest 5 MiB or 100,000 batches; transactions are accepted but not isolated;
 *         topics come into being at first use (4 partitions) or by the list given here.
 *         The mock picks its own port. With a port asked for, connections there are passed on to the mock byte by byte; what the broker
 *         tells clients about itself remains the mock's own address, so after the first question they connect there directly. On one
 *         machine, the only place this broker is for, that makes no difference. */
#ifndef WR_CONNECTORS_KAFKA_BROKER_H
#define WR_CONNECTORS_KAFKA_BROKER_H

#include "core/error.h"
#include "core/str.h"

struct wr_broker;
/* port: 0 for whichever is free. topics: "orders:3,clicks" (1 partition unless said); may be empty. */
wr_status wr_broker_start(int port, struct wr_str topics, struct wr_broker **out, struct wr_error *err);
wr_status wr_broker_topic(struct wr_broker *b, struct wr_str name, int partitions, struct wr_error *err);
/* "127.0.0.1:9092": what clients give as brokers; lives as long as the broker. */
const char *wr_broker_address(const struct wr_broker *b);
/* librdkafka's handle of the mock (rd_kafka_mock_cluster_t), for tests that push errors. */
void *wr_broker_mock(struct wr_broker *b);
void wr_broker_stop(struct wr_broker *b); /* NULL is allowed; the data goes */

#endif

-- random_events.sql: the smallest useful job: filter, group, aggregate, print.
--
-- Reads   topic random_events: {"id": 7, "value": 42.5, "timestamp": "…"}
-- Writes  the console.
-- Run     weir run queries/random_events.sql

CREATE SOURCE events (
    id          BIGINT NOT NULL,
    value       DOUBLE,
    "timestamp" TIMESTAMP
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'random_events', format = 'json', start = 'earliest');

SELECT id, count(*) AS events, avg(value) AS average, max(value) AS largest, min(value) AS smallest
FROM events
WHERE value >= 10
GROUP BY id;

-- generate.sql: writes orders and sensor readings to Kafka for as long as it runs, with the clock's time as event time.
-- Used by the service "generator" of docker/compose.yml; by hand:  KAFKA_BROKERS=localhost:9092 weir run docker/generate.sql

CREATE SOURCE orders WITH (connector = 'datagen', scenario = 'black-friday', rows_per_second = 2, start = 'now', retries = '0.02');
CREATE SINK orders_topic WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS}', topic = 'black-friday-sales', format = 'json',
    key = 'id_pedido', compression = 'gzip');
INSERT INTO orders_topic SELECT * FROM orders;

CREATE SOURCE readings WITH (connector = 'datagen', scenario = 'iot', rows_per_second = 5, start = 'now');
CREATE SINK readings_topic WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS}', topic = 'iot_sensors', format = 'json',
    key = 'sensor_id', compression = 'gzip');
INSERT INTO readings_topic SELECT * FROM readings;

-- iot_monitoring.sql: temperature by place, battery by sensor, and alerts as they happen.
--
-- Reads   topic iot_sensors: {"sensor_id": "sensor_07", "location": "office", "temperature": 21.4, "humidity": 40.1, "pressure": 1013.2,
--         "battery": 88.5, "timestamp": "2025-11-28T12:00:00Z"}
-- Writes  PostgreSQL tables iot_temperature, iot_battery and iot_alerts; topic iot_alerts, keyed by sensor_id.
-- Run     PG_URL=postgresql://user:password@localhost/database weir run queries/iot_monitoring.sql

CREATE SOURCE readings (
    sensor_id   TEXT NOT NULL,
    location    TEXT NOT NULL,
    temperature DOUBLE,                 -- °C
    humidity    DOUBLE,                 -- %
    pressure    DOUBLE,                 -- hPa
    battery     DOUBLE,                 -- %
    "timestamp" TIMESTAMP,
    WATERMARK FOR "timestamp" AS "timestamp" - INTERVAL '10' MINUTE
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'iot_sensors', format = 'json', start = 'earliest');

-- ---- temperature by place ----

CREATE SINK temperature WITH (connector = 'postgres', url = '${PG_URL}', table = 'iot_temperature',
    primary_key = 'window_start, location', create = 'true');

INSERT INTO temperature
SELECT window_start, window_end, location,
       avg(temperature) AS avg_temperature, min(temperature) AS min_temperature, max(temperature) AS max_temperature,
       count(*) AS readings
FROM TUMBLE(TABLE readings, DESCRIPTOR("timestamp"), INTERVAL '5' MINUTE)
GROUP BY window_start, window_end, location;

-- ---- battery by sensor ----

CREATE SINK battery WITH (connector = 'postgres', url = '${PG_URL}', table = 'iot_battery',
    primary_key = 'window_start, sensor_id', create = 'true');

INSERT INTO battery
SELECT window_start, window_end, sensor_id,
       min(battery) AS min_battery, avg(battery) AS avg_battery,
       CASE WHEN min(battery) < 10 THEN 'critical'
            WHEN min(battery) < 20 THEN 'low'
            WHEN min(battery) < 50 THEN 'fair'
            ELSE 'good' END AS status
FROM TUMBLE(TABLE readings, DESCRIPTOR("timestamp"), INTERVAL '5' MINUTE)
WHERE battery IS NOT NULL
GROUP BY window_start, window_end, sensor_id;

-- ---- alerts: one row for each thing that is wrong with a reading ----

CREATE VIEW alerts AS
SELECT "timestamp" AS ts, sensor_id, location, 'temperature' AS kind, temperature AS reading,
       CASE WHEN temperature > 35 THEN 'critical' ELSE 'warning' END AS severity
FROM readings
WHERE temperature > 30
UNION ALL
SELECT "timestamp", sensor_id, location, 'battery', battery,
       CASE WHEN battery < 10 THEN 'critical' ELSE 'warning' END
FROM readings
WHERE battery < 20;

CREATE SINK alerts_topic WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'iot_alerts', format = 'json',
    key = 'sensor_id');
CREATE SINK alerts_table WITH (connector = 'postgres', url = '${PG_URL}', table = 'iot_alerts',
    primary_key = 'ts, sensor_id, kind', create = 'true');

INSERT INTO alerts_topic SELECT * FROM alerts;
INSERT INTO alerts_table SELECT * FROM alerts;

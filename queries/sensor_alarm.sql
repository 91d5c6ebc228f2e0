-- sensor_alarm.sql: an alarm for every sensor that is too hot, and its all-clear, to a webhook.
--
-- Reads   topic iot_sensors, as iot_monitoring.sql does.
-- Posts   {"sensor_id": "s4", "location": "server_room", "severity": "warning", "op": "+I"} when the latest reading is over 30 °C,
--         "op": "+U" when the severity changes, and "op": "-D" when the latest reading is not over 30 °C any more: the all-clear.
-- Run     ALARM_URL=https://chat.example/hooks/abc ALARM_TOKEN=... weir run queries/sensor_alarm.sql --checkpoint ./alarm

CREATE SOURCE readings (
    sensor_id   TEXT NOT NULL,
    location    TEXT NOT NULL,
    temperature DOUBLE,                 -- °C
    "timestamp" TIMESTAMP,
    WATERMARK FOR "timestamp" AS "timestamp" - INTERVAL '1' MINUTE
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'iot_sensors', format = 'json', start = 'earliest');

CREATE SINK alarm WITH (connector = 'http', url = '${ALARM_URL}', bearer_token = '${ALARM_TOKEN}', primary_key = 'sensor_id');

INSERT INTO alarm
SELECT sensor_id, max_by(location, "timestamp") AS location,
       CASE WHEN max_by(temperature, "timestamp") > 35 THEN 'critical' ELSE 'warning' END AS severity
FROM readings
WHERE temperature IS NOT NULL
GROUP BY sensor_id
HAVING max_by(temperature, "timestamp") > 30
EMIT CHANGES;

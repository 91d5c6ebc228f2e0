-- user_activity.sql: what the users of a site do: three answers from one read of the topic.
--
-- Reads   topic user_activity: {"user_id": "user_017", "action": "login", "browser": "Firefox", "session_duration": 42, "timestamp": "…"}
--         action is login, purchase or browse; session_duration is in seconds.
-- Writes  PostgreSQL tables user_activity_counts and user_activity_durations; topic user_activity_alerts, keyed by user_id.
-- Run     PG_URL=postgresql://user:password@localhost/database weir run queries/user_activity.sql

CREATE SOURCE activity (
    user_id          TEXT NOT NULL,
    action           TEXT NOT NULL,
    browser          TEXT,
    session_duration INTEGER,
    "timestamp"      TIMESTAMP,
    WATERMARK FOR "timestamp" AS "timestamp" - INTERVAL '1' MINUTE
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'user_activity', format = 'json', start = 'earliest');

CREATE VIEW sessions AS
SELECT user_id, action, coalesce(browser, 'unknown') AS browser, session_duration, "timestamp",
       CASE WHEN session_duration IS NULL THEN 'unknown'
            WHEN session_duration < 30 THEN 'bounce'
            WHEN session_duration < 120 THEN 'short'
            WHEN session_duration <= 300 THEN 'medium'
            ELSE 'long' END AS duration_category
FROM activity;

CREATE SINK counts WITH (connector = 'postgres', url = '${PG_URL}', table = 'user_activity_counts',
    primary_key = 'window_start, action, browser', create = 'true');
CREATE SINK durations WITH (connector = 'postgres', url = '${PG_URL}', table = 'user_activity_durations',
    primary_key = 'window_start, duration_category', create = 'true');
CREATE SINK alerts WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'user_activity_alerts', format = 'json',
    key = 'user_id');

EXECUTE STATEMENT SET BEGIN

    INSERT INTO counts
    SELECT window_start, window_end, action, browser, count(*) AS events, avg(session_duration) AS avg_session_duration
    FROM sessions
    GROUP BY window("timestamp", '5 min'), action, browser
    EMIT CHANGES;

    INSERT INTO durations
    SELECT window_start, window_end, duration_category, count(*) AS sessions, count(DISTINCT user_id) AS users
    FROM sessions
    GROUP BY window("timestamp", '5 min'), duration_category
    EMIT CHANGES;

    INSERT INTO alerts
    SELECT user_id, action, browser, session_duration, "timestamp",
           'session of ' || session_duration / 60 || ' min ' || session_duration % 60 || ' s' AS message
    FROM sessions
    WHERE session_duration > 300;

END;

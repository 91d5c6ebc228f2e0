-- Nexmark q5: the auctions with most bids of the last 10 seconds, every 2 seconds.
CREATE SOURCE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT,
    WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH (connector = 'nexmark', table = 'bid', events = '${EVENTS:-100000}', rate = '${RATE:-1000}');
CREATE SINK result WITH (connector = '${SINK:-console}');

INSERT INTO result
WITH counts AS (
    SELECT auction, count(*) AS num, window_start, window_end
    FROM HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND)
    GROUP BY auction, window_start, window_end
)
SELECT c.auction, c.num, c.window_start
FROM counts AS c
JOIN (SELECT max(num) AS most, window_start, window_end FROM counts GROUP BY window_start, window_end) AS m
  ON c.window_start = m.window_start AND c.window_end = m.window_end AND c.num >= m.most;

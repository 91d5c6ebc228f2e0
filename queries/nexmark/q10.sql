-- Nexmark q10: all bids to a file, with day and minute to find them by.
CREATE SOURCE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT,
    WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH (connector = 'nexmark', table = 'bid', events = '${EVENTS:-100000}', rate = '${RATE:-1000}');
CREATE SINK result WITH (connector = '${SINK:-file}', path = '${OUT:-q10.ndjson}');

INSERT INTO result
SELECT auction, bidder, price, date_time, extra, to_char(date_time, 'YYYY-MM-DD') AS dt, to_char(date_time, 'HH24:MI') AS hm FROM bid;

-- Nexmark q1: bids in euros.
CREATE SOURCE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT,
    WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH (connector = 'nexmark', table = 'bid', events = '${EVENTS:-100000}', rate = '${RATE:-1000}');
CREATE SINK result WITH (connector = '${SINK:-console}');

INSERT INTO result
SELECT auction, bidder, 0.908 * price AS price, date_time, extra FROM bid;

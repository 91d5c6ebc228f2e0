-- Nexmark q13: bids with something looked up in a table on the side.
CREATE SOURCE bid (auction BIGINT, bidder BIGINT, price BIGINT, channel TEXT, url TEXT, date_time TIMESTAMP, extra TEXT,
    WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND
) WITH (connector = 'nexmark', table = 'bid', events = '${EVENTS:-100000}', rate = '${RATE:-1000}');
CREATE SOURCE side_input (key BIGINT, val TEXT) WITH (connector = 'file', path = '${SIDE_INPUT:-side_input.ndjson}', format = 'json');
CREATE SINK result WITH (connector = '${SINK:-console}');

INSERT INTO result
SELECT b.auction, b.bidder, b.price, b.date_time, s.val
FROM bid AS b JOIN side_input AS s ON mod(b.auction, 10000) = s.key;

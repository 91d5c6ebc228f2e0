-- card_bursts.sql: card payments come in bursts; who pays, and for what, is printed every 5 seconds.
--
-- Reads   topic card_transactions: {"transaction_id": "…", "card_id": "card_07", "merchant_category": "fuel", "amount": 40.00, "timestamp": "…"}
-- Writes  the console: by card, and by category of merchant. Between two prints results are held back, so a burst prints each row once.
-- Run     weir run queries/card_bursts.sql

CREATE SOURCE payments (
    transaction_id    TEXT NOT NULL,
    card_id           TEXT NOT NULL,
    merchant_category TEXT,
    amount            DECIMAL(12,2),
    "timestamp"       TIMESTAMP
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'card_transactions', format = 'json', start = 'earliest');

SELECT card_id, count(*) AS payments, sum(amount) AS total, max(amount) AS largest
FROM payments
GROUP BY card_id
EMIT CHANGES EVERY '5 s';

SELECT merchant_category, count(*) AS payments, sum(amount) AS total, count(DISTINCT card_id) AS cards
FROM payments
GROUP BY merchant_category
EMIT CHANGES EVERY '5 s';

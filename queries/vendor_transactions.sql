-- vendor_transactions.sql: what each vendor has sold so far, as a topic that always holds the latest figures under the vendor's key.
--
-- Reads   topic financial_transactions: {"id_transacao": "…", "id_vendedor": "vendedor_07", "valor": 129.90, "timestamp": "…"}
-- Writes  topic aggregated_transactions, keyed by id_vendedor (a good topic to compact: the last record of a key says it all).
-- Run     weir run queries/vendor_transactions.sql

CREATE SOURCE transactions (
    id_transacao TEXT NOT NULL,
    id_vendedor  TEXT NOT NULL,
    valor        DECIMAL(12,2) NOT NULL,
    "timestamp"  TIMESTAMP
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'financial_transactions', format = 'json', start = 'earliest');

CREATE SINK aggregated WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'aggregated_transactions', format = 'json',
    key = 'id_vendedor');

INSERT INTO aggregated
SELECT id_vendedor, sum(valor) AS valor_total, count(*) AS transacoes, round(avg(valor), 2) AS valor_medio
FROM transactions
GROUP BY id_vendedor;

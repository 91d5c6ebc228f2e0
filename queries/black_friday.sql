-- black_friday.sql: revenue of a sale, minute by minute and category by category, as the orders come in.
--
-- Reads   topic black-friday-sales: {"id_pedido": "…", "categoria": "Livros", "valor": 59.90, "timestamp": "2025-11-28T12:00:03.250Z"}
-- Writes  PostgreSQL table faturamento_tempo_real (sum and number of orders, as counted),
--         PostgreSQL table faturamento_sem_repeticoes (each order once, however often its producer sent it), and the console.
-- Run     PG_URL=postgresql://user:password@localhost/database weir run queries/black_friday.sql

CREATE SOURCE sales (
    id_pedido   TEXT NOT NULL,
    categoria   TEXT NOT NULL,
    valor       DECIMAL(12,2),
    "timestamp" TIMESTAMP
) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'black-friday-sales', format = 'json', start = 'earliest');

-- A result is found again by its key, so writing it twice changes nothing.
CREATE SINK revenue WITH (connector = 'postgres', url = '${PG_URL}', table = 'faturamento_tempo_real',
    primary_key = 'janela_inicio, categoria', create = 'true');

INSERT INTO revenue
SELECT window_start AS janela_inicio, window_end AS janela_fim, categoria,
       sum(valor) AS faturamento_total, count(*) AS volume_vendas
FROM sales
GROUP BY window("timestamp", '1 min'), categoria
WITH WATERMARK '2 min'
EMIT CHANGES;

-- The same on the console: the parts that both queries share run once.
SELECT window_start AS janela_inicio, window_end AS janela_fim, categoria,
       sum(valor) AS faturamento_total, count(*) AS volume_vendas
FROM sales
GROUP BY window("timestamp", '1 min'), categoria
WITH WATERMARK '2 min'
EMIT CHANGES;

-- Producers retry, and a retry is the same order once more: same id, same time, so same window. One row an order first, then the sums.
-- An order is remembered until the watermark has passed its window; what comes still later is late, and counted as that.
CREATE VIEW pedidos AS
SELECT window_start, window_end, id_pedido, min(categoria) AS categoria, min(valor) AS valor
FROM sales
GROUP BY window("timestamp", '1 min'), id_pedido
WITH WATERMARK '2 min';

CREATE SINK unique_revenue WITH (connector = 'postgres', url = '${PG_URL}', table = 'faturamento_sem_repeticoes',
    primary_key = 'janela_inicio, categoria', create = 'true');

INSERT INTO unique_revenue
SELECT window_start AS janela_inicio, window_end AS janela_fim, categoria,
       sum(valor) AS faturamento_total, count(*) AS volume_vendas
FROM pedidos
GROUP BY window_start, window_end, categoria
EMIT CHANGES;

-- tables.sql: the tables that the pipelines write to and the dashboards read, made when the database is first started,
-- so that Grafana finds them before the first row is there.

CREATE TABLE IF NOT EXISTS faturamento_tempo_real (
    janela_inicio     timestamp NOT NULL,
    janela_fim        timestamp NOT NULL,
    categoria         text      NOT NULL,
    faturamento_total numeric,
    volume_vendas     bigint,
    PRIMARY KEY (janela_inicio, janela_fim, categoria)
);

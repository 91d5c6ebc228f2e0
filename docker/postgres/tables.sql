-- tables.sql: the tables that queries/black_friday.sql and queries/iot_monitoring.sql write to and the dashboards read, made when the database is
-- first started, so that Grafana finds them before the first row is there. Primary keys are those the queries name.

CREATE TABLE IF NOT EXISTS faturamento_tempo_real (
    janela_inicio     timestamp NOT NULL,
    janela_fim        timestamp NOT NULL,
    categoria         text      NOT NULL,
    faturamento_total numeric,
    volume_vendas     bigint,
    PRIMARY KEY (janela_inicio, categoria)
);

-- Each order once, however often its producer sent it.
CREATE TABLE IF NOT EXISTS faturamento_sem_repeticoes (
    janela_inicio     timestamp NOT NULL,
    janela_fim        timestamp NOT NULL,
    categoria         text      NOT NULL,
    faturamento_total numeric,
    volume_vendas     bigint,
    PRIMARY KEY (janela_inicio, categoria)
);

CREATE TABLE IF NOT EXISTS iot_temperature (
    window_start    timestamp NOT NULL,
    window_end      timestamp NOT NULL,
    location        text      NOT NULL,
    avg_temperature double precision,
    min_temperature double precision,
    max_temperature double precision,
    readings        bigint,
    PRIMARY KEY (window_start, location)
);

CREATE TABLE IF NOT EXISTS iot_battery (
    window_start timestamp NOT NULL,
    window_end   timestamp NOT NULL,
    sensor_id    text      NOT NULL,
    min_battery  double precision,
    avg_battery  double precision,
    status       text,
    PRIMARY KEY (window_start, sensor_id)
);

CREATE TABLE IF NOT EXISTS iot_alerts (
    ts        timestamp NOT NULL,
    sensor_id text      NOT NULL,
    location  text,
    kind      text      NOT NULL,
    reading   double precision,
    severity  text,
    PRIMARY KEY (ts, sensor_id, kind)
);

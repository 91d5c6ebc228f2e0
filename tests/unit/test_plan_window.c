/* test_plan_window.c: windows in every spelling, the watermarks they close by, and what is refused about them.
 * Rules:  expected texts were read by a person before they were put here; a new rewrite rule changes few of them. */
#include "tests/unit/plan_run.h"

static const char NONE[] = "";
static const char HEAD[] =
    "CREATE SOURCE s (id BIGINT NOT NULL, k TEXT, v DECIMAL(12,2), n INTEGER, x DOUBLE, ts TIMESTAMP, j JSON, WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE) WITH (connector = 'kafka', brokers = 'b', topic = 't'); "
    "CREATE SOURCE u (id BIGINT, k TEXT, v DECIMAL(12,2), ts TIMESTAMP, ts2 TIMESTAMP) WITH (connector = 'kafka', brokers = 'b', topic = 'u'); "
    "CREATE SOURCE f (a INTEGER, b TEXT, at TIMESTAMP) WITH (connector = 'file', path = 'p'); "
    "CREATE SINK o WITH (connector = 'blackhole'); "
    "CREATE SINK ka WITH (connector = 'kafka', brokers = 'b', topic = 'out'); "
    "CREATE SINK fi WITH (connector = 'file', path = 'q'); "
    "CREATE SINK pg (k TEXT NOT NULL, n BIGINT, PRIMARY KEY (k)) WITH (connector = 'postgres', url = 'u', table = 't');\n";

static void the_form_the_project_was_asked_for(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE sales (id_pedido TEXT NOT NULL, categoria TEXT, valor DECIMAL(12,2), \"timestamp\" TIMESTAMP)\n"
         "WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS:-localhost:9092}', topic = 'black-friday-sales', format = 'json', start = 'earliest');\n"
         "CREATE SINK revenue WITH (connector = 'postgres', url = '${PG_URL}', table = 'faturamento_tempo_real', primary_key = 'janela_inicio, categoria');\n"
         "INSERT INTO revenue\n"
         "SELECT window_start AS janela_inicio, window_end AS janela_fim, categoria, sum(valor) AS faturamento_total, count(*) AS volume_vendas\n"
         "FROM sales GROUP BY window(\"timestamp\", '1 min'), categoria WITH WATERMARK '2 min' EMIT CHANGES;",
         "Sink revenue (postgres): upsert by janela_inicio, categoria; at least once\n"
         "  -> Project window_start AS janela_inicio, window_end AS janela_fim, categoria, sum(valor) AS faturamento_total, count(*) AS volume_vendas\n"
         "    -> Aggregate by categoria, tumble(timestamp, 1 min): sum(valor), count(*)\n"
         "        emits changes; state: one entry per (categoria, window), freed when W passes window end\n"
         "      -> Project categoria, timestamp, valor\n"
         "        -> LateFilter tumble(timestamp, 1 min)\n"
         "          -> Watermark timestamp - 2 min, idle after 30 s\n"
         "            -> Scan sales (kafka, json): id_pedido, categoria, valor, timestamp\n");
}

static void spellings_of_group_by(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT window_start, k, count(*) FROM s GROUP BY window(ts, '10 min', '1 min'), k EMIT FINAL",
         "Sink console (console): append; at least once\n"
         "  -> Project window_start, k, count(*) AS count\n"
         "    -> Aggregate by k, hop(ts, 10 min, every 1 min): count(*)\n"
         "        emits final results; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> LateFilter hop(ts, 10 min, every 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(ts, '1 min', '1 min', '10 s')",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, count(*) AS count\n"
         "    -> Aggregate by tumble(ts, 1 min, offset 10 s): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts\n"
         "        -> LateFilter tumble(ts, 1 min, offset 10 s)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, ts\n");
    PLAN(HEAD,
         "SELECT window.start, window.end, k, count(*) FROM u GROUP BY session_window(ts, '5 min'), k WITH WATERMARK '10 s' IDLE TIMEOUT '5 s' LATENESS '1 min' EMIT FINAL",
         "Sink console (console): append; at least once\n"
         "  -> Project window_start AS start, window_end AS end, k, count(*) AS count\n"
         "    -> SessionAggregate by k, session(ts, gap 5 min): count(*)\n"
         "        emits final results; state: one entry per (k, session), freed when W passes window end + 1 min\n"
         "      -> Project k, ts\n"
         "        -> Watermark ts - 10 s, idle after 5 s\n"
         "          -> Scan u (kafka, json): k, ts\n");
    PLAN(HEAD,
         "SELECT window(ts,'1 min').start AS a, window(ts, '1 min') AS w, count(*) c FROM s GROUP BY window(ts, '1 min')",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start AS a, window_start AS w_start, window_end AS w_end, count(*) AS c\n"
         "    -> Aggregate by tumble(ts, 1 min): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, ts\n");
    PLAN(HEAD,
         "SELECT tumble(interval '1 minute') AS w, k, count(*) FROM s GROUP BY w, k",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start AS w_start, window_end AS w_end, k, count(*) AS count\n"
         "    -> Aggregate by k, tumble(ts, 1 min): count(*)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT k, count(*) FROM s GROUP BY tumble(interval '1 minute'), 1",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, count(*) AS count\n"
         "    -> Aggregate by k, tumble(ts, 1 min): count(*)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT k, count(*) FROM s GROUP BY hop(ts, '1 min', '5 min'), k",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, count(*) AS count\n"
         "    -> Aggregate by k, hop(ts, 5 min, every 1 min): count(*)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> LateFilter hop(ts, 5 min, every 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT count(*) FILTER (WHERE k = 'a') AS a, sum(v) FILTER (WHERE k = 'a') FROM s GROUP BY cumulate(ts, '1 min', '1 h')",
         "Sink console (console): every change; at least once\n"
         "  -> Project count(*) FILTER (WHERE (k = 'a')) AS a, sum(v) FILTER (WHERE (k = 'a')) AS sum\n"
         "    -> Aggregate by cumulate(ts, 1 h, step 1 min): count(*) FILTER (WHERE (k = 'a')), sum(v) FILTER (WHERE (k = 'a'))\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts, (k = 'a'), v\n"
         "        -> LateFilter cumulate(ts, 1 h, step 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, ts\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, window_time, k FROM s GROUP BY window(ts,'1 min'), k",
         "Sink console (console): append; at least once\n"
         "  -> Project window_start, window_end, (window_end - INTERVAL '00:00:00.000001') AS window_time, k\n"
         "    -> Aggregate by k, tumble(ts, 1 min)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT window_start, max(n) FROM s GROUP BY window(ts, '1 min') HAVING max(n) > 3 AND window_start > '2025-01-01'",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, max(n) AS max\n"
         "    -> Filter ((max(n) > 3) AND (window_start > TIMESTAMP '2025-01-01 00:00:00'))\n"
         "      -> Aggregate by tumble(ts, 1 min): max(n)\n"
         "          emits changes; state: one entry per (window), freed when W passes window end\n"
         "        -> Project ts, n\n"
         "          -> LateFilter tumble(ts, 1 min)\n"
         "            -> Watermark ts - 1 min, idle after 30 s\n"
         "              -> Scan s (kafka, json): id, n, ts\n");
}

static void table_functions_are_the_same_plan(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT window_start, window_end, k, sum(v) FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' MINUTE) WHERE n > 3 GROUP BY window_start, window_end, k",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, window_end, k, sum(v) AS sum\n"
         "    -> Aggregate by k, tumble(ts, 1 min): sum(v)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, v, ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Filter (n > 3)\n"
         "            -> Watermark ts - 1 min, idle after 30 s\n"
         "              -> Scan s (kafka, json): id, k, v, n, ts\n");
    PLAN(HEAD,
         "SELECT k, window_start, sum(v) FROM HOP(s, ts, '1 min', '5 min') GROUP BY window_start, k",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, window_start, sum(v) AS sum\n"
         "    -> Aggregate by k, hop(ts, 5 min, every 1 min): sum(v)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, v, ts\n"
         "        -> LateFilter hop(ts, 5 min, every 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, ts\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, k, count(*) FROM SESSION(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE) GROUP BY window_start, window_end, k",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, window_end, k, count(*) AS count\n"
         "    -> SessionAggregate by k, session(ts, gap 5 min): count(*)\n"
         "        emits changes; state: one entry per (k, session), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, count(*) FROM TABLE(CUMULATE(DATA => TABLE s, TIMECOL => DESCRIPTOR(ts), STEP => INTERVAL '2' MINUTE, SIZE => INTERVAL '10' MINUTE)) GROUP BY window_start, window_end, window_time",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, window_end, count(*) AS count\n"
         "    -> Aggregate by cumulate(ts, 10 min, step 2 min): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts\n"
         "        -> LateFilter cumulate(ts, 10 min, step 2 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, ts\n");
    PLAN(HEAD,
         "SELECT window_start, window_time, count(*) FROM TUMBLE(s, ts, '1 min') GROUP BY window_start, window_end, window_time",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, (window_end - INTERVAL '00:00:00.000001') AS window_time, count(*) AS count\n"
         "    -> Aggregate by tumble(ts, 1 min): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, ts\n");
    PLAN(HEAD,
         "SELECT DISTINCT window_start, window_end, k FROM TUMBLE(s, ts, '1 min')",
         "Sink console (console): append; at least once\n"
         "  -> Project window_start, window_end, k\n"
         "    -> Aggregate by k, tumble(ts, 1 min)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, ts\n");
}

static void table_functions_alone(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT * FROM TUMBLE(TABLE s, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
         "Sink console (console): append; at least once\n"
         "  -> WindowAssign tumble(ts, 1 min)\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, v, n, x, ts, j\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, k FROM (SELECT * FROM TUMBLE(s, ts, '1 min')) x WHERE window_start > '2025-01-01' GROUP BY window_start, window_end, k",
         "Sink console (console): append; at least once\n"
         "  -> Aggregate by window_start, window_end, k, windows ending at window_end\n"
         "      emits changes; state: one entry per (window_start, window_end, k), freed when W passes window end\n"
         "    -> Project window_start, window_end, k\n"
         "      -> LateFilter windows ending at window_end\n"
         "        -> Filter (window_start > TIMESTAMP '2025-01-01 00:00:00')\n"
         "          -> WindowAssign tumble(ts, 1 min)\n"
         "            -> Watermark ts - 1 min, idle after 30 s\n"
         "              -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT * FROM SESSION(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE)",
         "2:15: a SESSION table function must be grouped by its window and its PARTITION BY columns\n"
         "hint: add GROUP BY window_start, window_end and the PARTITION BY columns, no others\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, k, sum(v) FROM SESSION(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE) GROUP BY window_start, window_end, k, n",
         "2:49: a SESSION table function must be grouped by its window and its PARTITION BY columns\n"
         "hint: add GROUP BY window_start, window_end and the PARTITION BY columns, no others\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, k, sum(v) FROM SESSION(TABLE s, DESCRIPTOR(ts), INTERVAL '5' MINUTE) GROUP BY window_start, window_end, k",
         "2:49: a SESSION table function must be grouped by its window and its PARTITION BY columns\n"
         "hint: add GROUP BY window_start, window_end and the PARTITION BY columns, no others\n");
    PLAN(HEAD,
         "CREATE VIEW w AS SELECT * FROM SESSION(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '5' MINUTE); SELECT k FROM w; SELECT window_start, k, count(*) FROM w GROUP BY window_start, k; SELECT n FROM w",
         "2:116: a SESSION table function must be grouped by its window and its PARTITION BY columns\n"
         "hint: add GROUP BY window_start, window_end and the PARTITION BY columns, no others\n"
         "2:199: a SESSION table function must be grouped by its window and its PARTITION BY columns\n"
         "hint: add GROUP BY window_start, window_end and the PARTITION BY columns, no others\n");
}

static void windows_over_windows(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT window_start, sum(c) FROM (SELECT window_start, window_time, k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k) GROUP BY window(window_time, '1 h')",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, sum(c) AS sum\n"
         "    -> Aggregate by tumble(window_time, 1 h): sum(c)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project window_time, c\n"
         "        -> LateFilter tumble(window_time, 1 h)\n"
         "          -> Project (window_end - INTERVAL '00:00:00.000001') AS window_time, count(*) AS c\n"
         "            -> Aggregate by k, tumble(ts, 1 min): count(*)\n"
         "                emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "              -> Project k, ts\n"
         "                -> LateFilter tumble(ts, 1 min)\n"
         "                  -> Watermark ts - 1 min, idle after 30 s\n"
         "                    -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT window_start, window_end, max(c) FROM (SELECT window_start, window_end, k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k) t GROUP BY window_start, window_end EMIT FINAL",
         "Sink console (console): append; at least once\n"
         "  -> Project window_start, window_end, max(c) AS max\n"
         "    -> Aggregate by window_start, window_end, windows ending at window_end: max(c)\n"
         "        emits final results; state: one entry per (window_start, window_end), freed when W passes window end\n"
         "      -> Project window_start, window_end, c\n"
         "        -> LateFilter windows ending at window_end\n"
         "          -> Project window_start, window_end, count(*) AS c\n"
         "            -> Aggregate by k, tumble(ts, 1 min): count(*)\n"
         "                emits final results; state: one entry per (k, window), freed when W passes window end\n"
         "              -> Project k, ts\n"
         "                -> LateFilter tumble(ts, 1 min)\n"
         "                  -> Watermark ts - 1 min, idle after 30 s\n"
         "                    -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "WITH d AS (SELECT window_start, window_end, id, max(v) AS v, max(k) AS k FROM s GROUP BY window(ts, '1 min'), id) SELECT window_start, k, sum(v) FROM d GROUP BY window_start, k",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, k, sum(v) AS sum\n"
         "    -> Aggregate by window_start, k, window_end, windows ending at window_end: sum(v)\n"
         "        emits changes; state: one entry per (window_start, k, window_end), freed when W passes window end\n"
         "      -> Project window_start, k, window_end, v\n"
         "        -> LateFilter windows ending at window_end\n"
         "          -> Project window_start, window_end, max(v) AS v, max(k) AS k\n"
         "            -> Aggregate by id, tumble(ts, 1 min): max(v), max(k)\n"
         "                emits changes; state: one entry per (id, window), freed when W passes window end\n"
         "              -> Project id, ts, v, k\n"
         "                -> LateFilter tumble(ts, 1 min)\n"
         "                  -> Watermark ts - 1 min, idle after 30 s\n"
         "                    -> Scan s (kafka, json): id, k, v, ts\n");
    PLAN(HEAD,
         "SELECT window_end, max(c) FROM (SELECT window_start, window_end, k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k) GROUP BY window(window_end, '5 min')",
         "2:138: \"window_end\" is not the event time: the watermark would not close these windows rightly\n"
         "hint: use window_time, the last moment of the window below\n");
}

static void where_the_watermark_comes_from(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM u GROUP BY window(ts2, '1 min') WITH WATERMARK '1 min'",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, count(*) AS count\n"
         "    -> Aggregate by tumble(ts2, 1 min): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts2\n"
         "        -> LateFilter tumble(ts2, 1 min)\n"
         "          -> Watermark ts2 - 1 min, idle after 30 s\n"
         "            -> Scan u (kafka, json): ts2\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM u GROUP BY window(ts2, '1 min')",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, count(*) AS count\n"
         "    -> Aggregate by tumble(ts2, 1 min): count(*)\n"
         "        emits changes; state: one entry per (window), grows for ever: no watermark, set WITH WATERMARK\n"
         "      -> Project ts2\n"
         "        -> Scan u (kafka, json): ts2\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM u GROUP BY window(ts2, '1 min') EMIT FINAL",
         "2:68: EMIT FINAL over windows that nothing closes: the source has no watermark\n"
         "hint: add WITH WATERMARK '1 min' to the query, or WATERMARK FOR to the source\n");
    PLAN(HEAD,
         "SELECT k FROM s WITH WATERMARK '5 s'",
         "Sink console (console): append; at least once\n"
         "  -> Project k\n"
         "    -> Watermark ts - 5 s, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT k FROM u WITH WATERMARK '5 s'",
         "2:17: WITH WATERMARK does not know which column is the event time\n"
         "hint: group by window(column, ...), or declare WATERMARK FOR column in the source\n");
    PLAN(HEAD,
         "SELECT * FROM u WATERMARK ts2 DELAY OF INTERVAL '2' MINUTES",
         "Sink console (console): append; at least once\n"
         "  -> Watermark ts2 - 2 min, idle after 30 s\n"
         "    -> Scan u (kafka, json): id, k, v, ts, ts2\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM (SELECT ts, k FROM s UNION ALL SELECT ts, k FROM u) x GROUP BY window(ts, '1 min') WITH WATERMARK '3 s'",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, count(*) AS count\n"
         "    -> Aggregate by tumble(ts, 1 min): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> UnionAll\n"
         "            -> Project ts\n"
         "              -> Watermark ts - 3 s, idle after 30 s\n"
         "                -> Scan s (kafka, json): id, ts\n"
         "            -> Project ts\n"
         "              -> Watermark ts - 3 s, idle after 30 s\n"
         "                -> Scan u (kafka, json): ts\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM (SELECT ts, k FROM s UNION ALL SELECT ts2, k FROM u) x GROUP BY window(ts, '1 min')",
         "2:107: \"ts\" is not the event time: the watermark would not close these windows rightly\n"
         "hint: a window needs the source's own column, not one made of it: add a computed column to the source\n");
    PLAN(HEAD,
         "CREATE VIEW w AS SELECT window_start, window_end, k, sum(v) AS total FROM u GROUP BY window(ts, '1 min'), k; SELECT * FROM w WHERE k = 'a' WITH WATERMARK '7 s' EMIT FINAL",
         "Sink console (console): append; at least once\n"
         "  -> Project window_start, window_end, k, sum(v) AS total\n"
         "    -> Filter (k = 'a')\n"
         "      -> Aggregate by k, tumble(ts, 1 min): sum(v)\n"
         "          emits final results; state: one entry per (k, window), freed when W passes window end\n"
         "        -> Project k, ts, v\n"
         "          -> LateFilter tumble(ts, 1 min)\n"
         "            -> Watermark ts - 7 s, idle after 30 s\n"
         "              -> Scan u (kafka, json): k, v, ts\n");
    PLAN(HEAD,
         "CREATE VIEW w AS SELECT window_start, k, sum(v) AS total FROM s GROUP BY window(ts, '1 min'), k WITH WATERMARK '1 s'; INSERT INTO o SELECT * FROM w WITH WATERMARK '7 s'",
         "Sink o (blackhole): every change; at least once\n"
         "  -> Project window_start, k, sum(v) AS total\n"
         "    -> Aggregate by k, tumble(ts, 1 min): sum(v)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts, v\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 s, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, ts\n");
    PLAN(HEAD,
         "SELECT b, sum(a) FROM f GROUP BY window(at, '1 min'), b EMIT FINAL",
         "Sink console (console): append; at least once\n"
         "  -> Project b, sum(a) AS sum\n"
         "    -> Aggregate by b, tumble(at, 1 min): sum(a)\n"
         "        emits final results; state: one entry per (b, window), freed at the end of the input\n"
         "      -> Project b, at, a\n"
         "        -> Scan f (file, json): a, b, at; ends by itself\n");
    PLAN(HEAD,
         "SET idle_timeout = '7 s'; SET lateness = '1 h'; SELECT window_start, count(*) FROM s GROUP BY window(ts, '1 min')",
         "Sink console (console): every change; at least once\n"
         "  -> Project window_start, count(*) AS count\n"
         "    -> Aggregate by tumble(ts, 1 min): count(*)\n"
         "        emits changes; state: one entry per (window), freed when W passes window end + 1 h\n"
         "      -> Project ts\n"
         "        -> LateFilter tumble(ts, 1 min), lateness 1 h\n"
         "          -> Watermark ts - 1 min, idle after 7 s\n"
         "            -> Scan s (kafka, json): id, ts\n");
}

static void what_is_refused(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT k, count(*) FROM s GROUP BY k EMIT FINAL",
         "2:38: EMIT FINAL over groups that never close: they are not groups of a window, and the input does not end\n"
         "hint: add window(...) to GROUP BY, or use EMIT CHANGES\n");
    PLAN(HEAD,
         "SELECT window_start, sum(v) FROM HOP(s, ts, '5 min', '1 min') GROUP BY window_start",
         "2:34: hop: the slide, 5 min, is longer than the size, 1 min\n"
         "hint: the order is hop(TABLE t, DESCRIPTOR(time), slide, size[, offset])\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(ts, '1 min', '10 min')",
         "2:47: window: the slide, 10 min, is longer than the size, 1 min\n"
         "hint: the order is window(time, size[, slide[, offset]])\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(k, '1 min')",
         "2:54: the time column of \"window\" must be a TIMESTAMP, not TEXT\n"
         "hint: declare it as TIMESTAMP in the source, or add a computed column there\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(date_trunc('hour', ts), '1 min')",
         "2:54: a window closes by the watermark of a column, and this is an expression\n"
         "hint: add it to the source as a computed column: name AS expression\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(ts, '1 month')",
         "2:58: the window's size cannot be counted in months or years, which differ in length\n"
         "hint: write it in days\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(ts, '0 s')",
         "2:58: the window's size must be more than zero, not \"0 s\"\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(ts, '100 days', '1 ms')",
         "2:47: a row would belong to 8640000000 windows, more than 10000\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY cumulate(ts, '7 min', '1 h')",
         "2:47: cumulate: the greatest size must be a multiple of the step\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM TABLE(CUMULATE(TABLE s, DESCRIPTOR(ts), INTERVAL '2' MINUTE, INTERVAL '10' MINUTE)) GROUP BY window_start",
         "2:129: windows of CUMULATE that begin together do not end together\n"
         "hint: add window_end to GROUP BY\n");
    PLAN(HEAD,
         "SELECT window_start, count(*) FROM s GROUP BY window(ts,'1 min'), window(ts,'2 min')",
         "2:67: more than one window in GROUP BY is not supported\n"
         "hint: group the result of the first by window_time in an outer query\n");
    PLAN(HEAD,
         "SELECT window_start FROM s",
         "2:8: column \"window_start\" does not exist\n"
         "hint: windows have it: GROUP BY window(time, '1 min'), or FROM TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '1' MINUTE)\n");
    PLAN(HEAD,
         "SELECT window(ts,'1 min') FROM s",
         "2:8: window function \"window\" can only stand in GROUP BY or FROM\n"
         "hint: in the select list write window_start, window_end\n");
    PLAN(HEAD,
         "SELECT count(*) FROM u GROUP BY tumble('1 min')",
         "2:33: it is not known which column is the event time\n"
         "hint: name it as the first argument, or declare WATERMARK FOR column AS column - INTERVAL '1' MINUTE in the source\n");
    PLAN(HEAD,
         "SELECT window_start FROM HOP(TABLE s, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
         "2:26: wrong arguments for window function \"hop\"\n"
         "hint: write hop(TABLE t, DESCRIPTOR(time), slide, size[, offset])\n");
    PLAN(HEAD,
         "SELECT * FROM TUMBLE(TABLE s PARTITION BY k, DESCRIPTOR(ts), INTERVAL '1' MINUTE)",
         "2:43: PARTITION BY has no meaning for tumble windows\n"
         "hint: only SESSION takes it; group by the columns instead\n");
    PLAN(HEAD,
         "SELECT * FROM FOO(TABLE s)",
         "2:15: there is no table function \"foo\"\n"
         "hint: there is TUMBLE, HOP, CUMULATE, SESSION\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_form_the_project_was_asked_for),
        cmocka_unit_test(spellings_of_group_by),
        cmocka_unit_test(table_functions_are_the_same_plan),
        cmocka_unit_test(table_functions_alone),
        cmocka_unit_test(windows_over_windows),
        cmocka_unit_test(where_the_watermark_comes_from),
        cmocka_unit_test(what_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_plan_query.c: plans of projections, filters, aggregates, unions, VALUES, ORDER BY: the text of EXPLAIN.
 * Rules:  expected texts were read by a person before they were put here; a new rewrite rule changes few of them. */
#include "tests/unit/plan_run.h"

static const char HEAD[] =
    "CREATE SOURCE s (id BIGINT NOT NULL, k TEXT, v DECIMAL(12,2), n INTEGER, x DOUBLE, ts TIMESTAMP, j JSON, WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE) WITH (connector = 'kafka', brokers = 'b', topic = 't'); "
    "CREATE SOURCE u (id BIGINT, k TEXT, v DECIMAL(12,2), ts TIMESTAMP, ts2 TIMESTAMP) WITH (connector = 'kafka', brokers = 'b', topic = 'u'); "
    "CREATE SOURCE f (a INTEGER, b TEXT, at TIMESTAMP) WITH (connector = 'file', path = 'p'); "
    "CREATE SINK o WITH (connector = 'blackhole'); "
    "CREATE SINK ka WITH (connector = 'kafka', brokers = 'b', topic = 'out'); "
    "CREATE SINK fi WITH (connector = 'file', path = 'q'); "
    "CREATE SINK pg (k TEXT NOT NULL, n BIGINT, PRIMARY KEY (k)) WITH (connector = 'postgres', url = 'u', table = 't');\n";

static void projections_and_filters(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT * FROM s",
         "Sink console (console): append; at least once\n"
         "  -> Watermark ts - 1 min, idle after 30 s\n"
         "    -> Scan s (kafka, json): id, k, v, n, x, ts, j\n");
    PLAN(HEAD,
         "SELECT k, v * 2 AS dbl, 'x', 1+1, upper(k), CASE WHEN n > 5 THEN 'big' ELSE 'small' END, cast(n AS TEXT) FROM s WHERE n BETWEEN 1 AND 5 OR k IN ('a','b') AND k LIKE 'a%' AND v IS NOT NULL",
         "Sink console (console): append; at least once\n"
         "  -> Project k, (v * 2) AS dbl, 'x' AS ?column?, 2 AS ?column?_2, upper(k) AS upper, CASE WHEN (n > 5) THEN 'big' ELSE 'small' END AS case, CAST(n AS TEXT) AS n\n"
         "    -> Filter (((n >= 1) AND (n <= 5)) OR ((k IN ('a', 'b')) AND (k LIKE 'a%') AND (v IS NOT NULL)))\n"
         "      -> Watermark ts - 1 min, idle after 30 s\n"
         "        -> Scan s (kafka, json): id, k, v, n, ts\n");
    PLAN(HEAD,
         "SELECT k, 'x' || n AS t, j->'a'->>'b', extract(hour from ts), coalesce(k, 'none'), nullif(n, 3), -5, 1.50, 12345678901, interval '1 day', timestamp '2025-01-01 00:00', n::text, try_cast(k as int) FROM s",
         "Sink console (console): append; at least once\n"
         "  -> Project k, ('x' || CAST(n AS TEXT)) AS t, ((j -> 'a') ->> 'b') AS ?column?, extract('hour', ts) AS extract, COALESCE(k, 'none') AS coalesce, CASE WHEN (n = 3) THEN NULL ELSE n END AS nullif, -5 AS ?column?_2, 1.50 AS ?column?_3, 12345678901 AS ?column?_4, INTERVAL '1 day' AS interval, TIMESTAMP '2025-01-01 00:00:00' AS timestamp, CAST(n AS TEXT) AS n, TRY(CAST(k AS INTEGER)) AS k_2\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, n, ts, j\n");
    PLAN(HEAD,
         "SELECT CASE k WHEN 'a' THEN 1 WHEN 'b' THEN 2.5 END, not (n = 3), k IS DISTINCT FROM 'x', n IN (1, 2.5), k NOT ILIKE 'b%', ts AT TIME ZONE 'UTC', n NOT BETWEEN SYMMETRIC 5 AND 1 FROM s",
         "Sink console (console): append; at least once\n"
         "  -> Project CASE WHEN (k = 'a') THEN 1.0 WHEN (k = 'b') THEN 2.5 END AS case, (NOT (n = 3)) AS ?column?, (k IS DISTINCT FROM 'x') AS ?column?_2, (CAST(n AS DECIMAL(11,1)) IN (1.0, 2.5)) AS ?column?_3, (NOT (k ILIKE 'b%')) AS ?column?_4, (ts AT TIME ZONE 'UTC') AS timezone, (NOT (((n >= 5) AND (n <= 1)) OR ((n >= 1) AND (n <= 5)))) AS ?column?_5\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN(HEAD,
         "SELECT k k1, t.* FROM s AS t",
         "Sink console (console): append; at least once\n"
         "  -> Project k AS k1, id, k, v, n, x, ts, j\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, v, n, x, ts, j\n");
    PLAN(HEAD,
         "SELECT -9223372036854775808, -2147483648, 9223372036854775808, .5, 0.10, 1., 0x1F",
         "Sink console (console): append; at least once\n"
         "  -> Project -9223372036854775808 AS ?column?, -2147483648 AS ?column?_2, 9223372036854775808 AS ?column?_3, 0.5 AS ?column?_4, 0.10 AS ?column?_5, 1 AS ?column?_6, 31 AS ?column?_7\n"
         "    -> Values 1 row\n");
    PLAN(HEAD,
         "SELECT * FROM s WHERE ts > '2025-01-01'",
         "Sink console (console): append; at least once\n"
         "  -> Filter (ts > TIMESTAMP '2025-01-01 00:00:00')\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, v, n, x, ts, j\n");
    PLAN(HEAD,
         "SELECT 1, 'a', now()",
         "Sink console (console): append; at least once\n"
         "  -> Project 1 AS ?column?, 'a' AS ?column?_2, now() AS now\n"
         "    -> Values 1 row\n");
    PLAN(HEAD,
         "SELECT k AS a, n AS a, count(*) AS a FROM s GROUP BY k, n",
         "Sink console (console): every change; at least once\n"
         "  -> Project k AS a, n AS a_2, count(*) AS a_3\n"
         "    -> Aggregate by k, n: count(*)\n"
         "        emits changes; state: one entry per (k, n), grows for ever: set state.ttl\n"
         "      -> Project k, n\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, n, ts\n");
}

static void aggregates(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT k, count(*), sum(v), avg(x), count(DISTINCT n), min(v) FILTER (WHERE n > 3) FROM s GROUP BY k HAVING count(*) > 2",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, count(*) AS count, sum(v) AS sum, avg(x) AS avg, count(DISTINCT n) AS count_2, min(v) FILTER (WHERE (n > 3)) AS min\n"
         "    -> Filter (count(*) > 2)\n"
         "      -> Aggregate by k: count(*), sum(v), avg(x), count(DISTINCT n), min(v) FILTER (WHERE (n > 3))\n"
         "          emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "        -> Project k, v, x, n, (n > 3)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, n, x, ts\n");
    PLAN(HEAD,
         "SELECT count(*), count(*), sum(v), sum(v) + 1 FROM s",
         "Sink console (console): every change; at least once\n"
         "  -> Project count(*) AS count, count(*) AS count_2, sum(v) AS sum, (sum(v) + 1) AS ?column?\n"
         "    -> Aggregate: count(*), sum(v)\n"
         "        emits changes; state: one entry\n"
         "      -> Project v\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, v, ts\n");
    PLAN(HEAD,
         "SELECT upper(k) || 'x', count(*) FROM s GROUP BY upper(k)",
         "Sink console (console): every change; at least once\n"
         "  -> Project (upper(k) || 'x') AS ?column?, count(*) AS count\n"
         "    -> Aggregate by upper(k): count(*)\n"
         "        emits changes; state: one entry per (upper(k)), grows for ever: set state.ttl\n"
         "      -> Project upper(k)\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT upper(k) AS u, n + 1 AS m, count(*) FROM s GROUP BY u, 2",
         "Sink console (console): every change; at least once\n"
         "  -> Project upper(k) AS u, (n + 1) AS m, count(*) AS count\n"
         "    -> Aggregate by upper(k), (n + 1): count(*)\n"
         "        emits changes; state: one entry per (upper(k), (n + 1)), grows for ever: set state.ttl\n"
         "      -> Project upper(k), (n + 1)\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN(HEAD,
         "SELECT percentile_cont(0.9) WITHIN GROUP (ORDER BY x), string_agg(k, ',' ORDER BY n DESC), max_by(k, v), first_value(k ORDER BY ts), bool_and(n > 1) FROM s GROUP BY window(ts, '1 min')",
         "Sink console (console): every change; at least once\n"
         "  -> Project percentile_cont(x, 0.9 ORDER BY x) AS percentile_cont, string_agg(k, ',' ORDER BY n DESC) AS string_agg, max_by(k, v) AS max_by, first_value(k ORDER BY ts) AS first_value, bool_and((n > 1)) AS bool_and\n"
         "    -> Aggregate by tumble(ts, 1 min): percentile_cont(x, 0.9 ORDER BY x), string_agg(k, ',' ORDER BY n DESC), max_by(k, v), first_value(k ORDER BY ts), bool_and((n > 1))\n"
         "        emits changes; state: one entry per (window), freed when W passes window end\n"
         "      -> Project ts, x, k, n, v, (n > 1)\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, n, x, ts\n");
    PLAN(HEAD,
         "SELECT DISTINCT k, n FROM s",
         "Sink console (console): append; at least once\n"
         "  -> Aggregate by k, n\n"
         "      emits changes; state: one entry per (k, n), grows for ever: set state.ttl\n"
         "    -> Project k, n\n"
         "      -> Watermark ts - 1 min, idle after 30 s\n"
         "        -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN(HEAD,
         "SELECT count(*) FROM s HAVING count(*) > 3",
         "Sink console (console): every change; at least once\n"
         "  -> Project count(*) AS count\n"
         "    -> Filter (count(*) > 3)\n"
         "      -> Aggregate: count(*)\n"
         "          emits changes; state: one entry\n"
         "        -> Project\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, ts\n");
    PLAN(HEAD,
         "SET state.ttl = '1 h'; SET emit.every = '5 s'; SELECT k, count(*) FROM s GROUP BY k",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, count(*) AS count\n"
         "    -> Aggregate by k: count(*)\n"
         "        emits changes every 5 s; state: one entry per (k), freed when untouched for 1 h\n"
         "      -> Project k\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT k, max(c) FROM (SELECT k, n, count(*) AS c FROM s GROUP BY k, n) GROUP BY k EMIT CHANGES EVERY '5 s'",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, max(c) AS max\n"
         "    -> Aggregate by k: max(c)\n"
         "        emits changes every 5 s; state: one entry per (k), grows for ever: set state.ttl\n"
         "      -> Project k, count(*) AS c\n"
         "        -> Aggregate by k, n: count(*)\n"
         "            emits changes; state: one entry per (k, n), grows for ever: set state.ttl\n"
         "          -> Project k, n\n"
         "            -> Watermark ts - 1 min, idle after 30 s\n"
         "              -> Scan s (kafka, json): id, k, n, ts\n");
}

static void unions_values_subqueries(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "WITH a AS (SELECT k, n FROM s WHERE n > 1) SELECT k, n FROM a UNION ALL SELECT k, n FROM a WHERE k = 'z'",
         "Sink console (console): append; at least once\n"
         "  -> UnionAll\n"
         "    -> Project k, n\n"
         "      -> Filter (n > 1)\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, n, ts\n"
         "    -> Project k, n\n"
         "      -> Filter ((n > 1) AND (k = 'z'))\n"
         "        -> Watermark ts - 1 min, idle after 30 s (shared: shown above)\n");
    PLAN(HEAD,
         "SELECT k FROM s UNION SELECT b FROM f",
         "Sink console (console): append; at least once\n"
         "  -> Aggregate by k\n"
         "      emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "    -> UnionAll\n"
         "      -> Project k\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, ts\n"
         "      -> Project b\n"
         "        -> Scan f (file, json): b; ends by itself\n");
    PLAN(HEAD,
         "SELECT NULL, k FROM s UNION ALL SELECT 1, 'x'",
         "Sink console (console): append; at least once\n"
         "  -> UnionAll\n"
         "    -> Project NULL AS ?column?, k\n"
         "      -> Watermark ts - 1 min, idle after 30 s\n"
         "        -> Scan s (kafka, json): id, k, ts\n"
         "    -> Project 1 AS ?column?, 'x' AS ?column?_2\n"
         "      -> Values 1 row\n");
    PLAN(HEAD,
         "SELECT '2025-01-01', k FROM s UNION ALL SELECT ts, k FROM u",
         "Sink console (console): append; at least once\n"
         "  -> UnionAll\n"
         "    -> Project TIMESTAMP '2025-01-01 00:00:00' AS ?column?, k\n"
         "      -> Watermark ts - 1 min, idle after 30 s\n"
         "        -> Scan s (kafka, json): id, k, ts\n"
         "    -> Project ts, k\n"
         "      -> Scan u (kafka, json): k, ts\n");
    PLAN(HEAD,
         "VALUES (1, 'a'), (2, NULL), (3.5, 'c')",
         "Sink console (console): append; at least once\n"
         "  -> Values 3 rows\n");
    PLAN(HEAD,
         "SELECT * FROM (VALUES (1,'a'),(2,'b')) AS t(n, s) WHERE n > 1",
         "Sink console (console): append; at least once\n"
         "  -> Project column1 AS n, column2 AS s\n"
         "    -> Filter (column1 > 1)\n"
         "      -> Values 2 rows\n");
    PLAN(HEAD,
         "SELECT * FROM s$errors",
         "Sink console (console): append; at least once\n"
         "  -> SideScan s$errors\n");
    PLAN(HEAD,
         "SELECT * FROM \"s$late\" WHERE n > 3",
         "Sink console (console): append; at least once\n"
         "  -> Filter (n > 3)\n"
         "    -> SideScan s$late\n");
}

static void order_and_limit_need_an_end(void **state WR_UNUSED)
{
    PLAN_WITH(&((struct run){.o.final = WR_FINAL_BOUNDED, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT b, count(*) AS c FROM f GROUP BY b ORDER BY c DESC LIMIT 3",
         "Sink console (console): append; at least once\n"
         "  -> Sort by c DESC, limit 3; at the end of the input\n"
         "    -> Project b, count(*) AS c\n"
         "      -> Aggregate by b: count(*)\n"
         "          emits changes; state: one entry per (b), kept to the end of the input\n"
         "        -> Project b\n"
         "          -> Scan f (file, json): b; ends by itself\n");
    PLAN_WITH(&((struct run){.o.final = WR_FINAL_YES, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT b, count(*) AS c FROM f GROUP BY b ORDER BY 2",
         "Sink console (console): append; at least once\n"
         "  -> Sort by c; at the end of the input\n"
         "    -> Project b, count(*) AS c\n"
         "      -> Aggregate by b: count(*)\n"
         "          emits final results; state: one entry per (b), kept to the end of the input\n"
         "        -> Project b\n"
         "          -> Scan f (file, json): b; ends by itself\n");
    PLAN_WITH(&((struct run){.o.final = WR_FINAL_YES, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT k, count(*) AS c FROM s GROUP BY k",
         "2:1: --final needs input that ends\n"
         "hint: add --until-end: sources then stop at their present end\n");
    PLAN_WITH(&((struct run){.o.final = WR_FINAL_YES, .o.until_end = true, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT k, count(*) AS c FROM s GROUP BY k ORDER BY sum(v), k DESC NULLS LAST LIMIT 5 OFFSET 2",
         "Sink console (console): append; at least once\n"
         "  -> Project k, c\n"
         "    -> Sort by order, k DESC NULLS LAST, limit 5 offset 2; at the end of the input\n"
         "      -> Project k, count(*) AS c, sum(v) AS order\n"
         "        -> Aggregate by k: count(*), sum(v)\n"
         "            emits final results; state: one entry per (k), kept to the end of the input\n"
         "          -> Project k, v\n"
         "            -> Watermark ts - 1 min, idle after 30 s\n"
         "              -> Scan s (kafka, json): id, k, v, ts; ends by itself\n");
    PLAN_WITH(&((struct run){.o.final = WR_FINAL_BOUNDED, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT b, count(*) FROM f GROUP BY b EMIT CHANGES",
         "Sink console (console): every change; at least once\n"
         "  -> Project b, count(*) AS count\n"
         "    -> Aggregate by b: count(*)\n"
         "        emits changes; state: one entry per (b), kept to the end of the input\n"
         "      -> Project b\n"
         "        -> Scan f (file, json): b; ends by itself\n");
    PLAN_WITH(&((struct run){.o.final = WR_FINAL_BOUNDED, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT b, count(*) FROM f GROUP BY b",
         "Sink console (console): append; at least once\n"
         "  -> Project b, count(*) AS count\n"
         "    -> Aggregate by b: count(*)\n"
         "        emits final results; state: one entry per (b), kept to the end of the input\n"
         "      -> Project b\n"
         "        -> Scan f (file, json): b; ends by itself\n");
    PLAN(HEAD,
         "SELECT * FROM s LIMIT 5",
         "Sink console (console): append; at least once\n"
         "  -> Limit 5\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, v, n, x, ts, j\n");
    PLAN(HEAD,
         "SELECT * FROM s ORDER BY ts",
         "2:26: ORDER BY over input that does not end: there is no last row to wait for\n"
         "hint: leave it out, or read up to the present end with --until-end\n");
    PLAN(HEAD,
         "SELECT k, count(*) FROM s GROUP BY k LIMIT 3",
         "2:44: LIMIT over results that are still updated\n"
         "hint: use EMIT FINAL, or read up to the present end with --until-end\n");
    PLAN(HEAD,
         "SELECT k FROM s ORDER BY k LIMIT 3",
         "Sink console (console): every change; at least once\n"
         "  -> TopN order k: row_number <= 3\n"
         "      emits changes; state: 3 rows\n"
         "    -> Project k\n"
         "      -> Watermark ts - 1 min, idle after 30 s\n"
         "        -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT b FROM f ORDER BY a + 1 DESC",
         "Sink console (console): append; at least once\n"
         "  -> Project b\n"
         "    -> Sort by order DESC; at the end of the input\n"
         "      -> Project b, (a + 1) AS order\n"
         "        -> Scan f (file, json): a, b; ends by itself\n");
    PLAN(HEAD,
         "SELECT DISTINCT b FROM f ORDER BY a",
         "2:35: with SELECT DISTINCT, ORDER BY expressions must appear in the select list\n");
}

static void rules_move_and_merge(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT a, b FROM f WHERE a = 1 AND TRUE",
         "Sink console (console): append; at least once\n"
         "  -> Project a, b\n"
         "    -> Filter (a = 1)\n"
         "      -> Scan f (file, json): a, b; ends by itself\n");
    PLAN(HEAD,
         "SELECT y FROM (SELECT b AS y, a FROM f) x WHERE y = 'q'",
         "Sink console (console): append; at least once\n"
         "  -> Project b AS y\n"
         "    -> Filter (b = 'q')\n"
         "      -> Scan f (file, json): b; ends by itself\n");
    PLAN(HEAD,
         "SELECT y + 1 AS z FROM (SELECT a * 2 AS y, b FROM f WHERE b = 'z') x WHERE x.y > 3",
         "Sink console (console): append; at least once\n"
         "  -> Project (y + 1) AS z\n"
         "    -> Filter (y > 3)\n"
         "      -> Project (a * 2) AS y\n"
         "        -> Filter (b = 'z')\n"
         "          -> Scan f (file, json): a, b; ends by itself\n");
    PLAN(HEAD,
         "SELECT t.k FROM (SELECT k, n FROM s UNION ALL SELECT b, a FROM f) t WHERE t.n = 1",
         "Sink console (console): append; at least once\n"
         "  -> Project k\n"
         "    -> UnionAll\n"
         "      -> Project k\n"
         "        -> Filter (n = 1)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, n, ts\n"
         "      -> Project b\n"
         "        -> Filter (a = 1)\n"
         "          -> Scan f (file, json): a, b; ends by itself\n");
    PLAN(HEAD,
         "SELECT count(*) FROM (SELECT window_start, k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k)",
         "Sink console (console): every change; at least once\n"
         "  -> Project count(*) AS count\n"
         "    -> Aggregate: count(*)\n"
         "        emits changes; state: one entry\n"
         "      -> Project\n"
         "        -> Aggregate by k, tumble(ts, 1 min)\n"
         "            emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "          -> Project k, ts\n"
         "            -> LateFilter tumble(ts, 1 min)\n"
         "              -> Watermark ts - 1 min, idle after 30 s\n"
         "                -> Scan s (kafka, json): id, k, ts\n");
}

static void several_sinks_share(void **state WR_UNUSED)
{
    PLAN_WITH(&((struct run){.tasks = 3, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "INSERT INTO o SELECT k, count(*) FROM s GROUP BY k; INSERT INTO ka SELECT k, count(*) AS c FROM s GROUP BY k; INSERT INTO fi SELECT k, count(*) AS c FROM s GROUP BY window(ts,'1 min'), k EMIT FINAL",
         "Sink o (blackhole): every change; at least once\n"
         "  -> Exchange into one task\n"
         "    -> Project k, count(*) AS count\n"
         "      -> Aggregate by k: count(*)\n"
         "          emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "        -> Exchange by hash of k\n"
         "          -> Project k\n"
         "            -> Watermark ts - 1 min, idle after 30 s\n"
         "              -> Scan s (kafka, json): id, k, ts\n"
         "Sink ka (kafka, json): upsert by k; at least once\n"
         "  -> Exchange into one task\n"
         "    -> Project k, count(*) AS c\n"
         "      -> Aggregate by k: count(*) (shared: shown above)\n"
         "Sink fi (file, json): append; at least once\n"
         "  -> Exchange into one task\n"
         "    -> Project k, count(*) AS c\n"
         "      -> Aggregate by k, tumble(ts, 1 min): count(*)\n"
         "          emits final results; state: one entry per (k, window), freed when W passes window end\n"
         "        -> Exchange by hash of k\n"
         "          -> Project k, ts\n"
         "            -> LateFilter tumble(ts, 1 min)\n"
         "              -> Watermark ts - 1 min, idle after 30 s (shared: shown above)\n");
    PLAN(HEAD,
         "EXECUTE STATEMENT SET BEGIN INSERT INTO o SELECT k FROM s; INSERT INTO ka SELECT k FROM s; END",
         "Sink o (blackhole): append; at least once\n"
         "  -> Project k\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, ts\n"
         "Sink ka (kafka, json): append; at least once\n"
         "  -> Project k (shared: shown above)\n");
    PLAN(HEAD,
         "CREATE VIEW w AS SELECT window_start, window_end, k, sum(v) AS total FROM s GROUP BY window(ts, '1 min'), k; INSERT INTO o SELECT * FROM w; INSERT INTO ka SELECT k, total, window_start FROM w WHERE total > 5; INSERT INTO fi SELECT * FROM w EMIT FINAL",
         "Sink o (blackhole): every change; at least once\n"
         "  -> Project window_start, window_end, k, sum(v) AS total\n"
         "    -> Aggregate by k, tumble(ts, 1 min): sum(v)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts, v\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, ts\n"
         "Sink ka (kafka, json): upsert by k, window_start; at least once\n"
         "  -> Project k, sum(v) AS total, window_start\n"
         "    -> Filter (sum(v) > 5)\n"
         "      -> Aggregate by k, tumble(ts, 1 min): sum(v) (shared: shown above)\n"
         "Sink fi (file, json): append; at least once\n"
         "  -> Project window_start, window_end, k, sum(v) AS total\n"
         "    -> Aggregate by k, tumble(ts, 1 min): sum(v)\n"
         "        emits final results; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts, v (shared: shown above)\n");
    PLAN_WITH(&((struct run){.tasks = 2, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT k, sum(c) FROM (SELECT k, n, count(*) AS c FROM s GROUP BY k, n) GROUP BY k",
         "Sink console (console): every change; at least once\n"
         "  -> Exchange into one task\n"
         "    -> Project k, sum(c) AS sum\n"
         "      -> Aggregate by k: sum(c)\n"
         "          emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "        -> Exchange by hash of k\n"
         "          -> Project k, count(*) AS c\n"
         "            -> Aggregate by k, n: count(*)\n"
         "                emits changes; state: one entry per (k, n), grows for ever: set state.ttl\n"
         "              -> Exchange by hash of k, n\n"
         "                -> Project k, n\n"
         "                  -> Watermark ts - 1 min, idle after 30 s\n"
         "                    -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN_WITH(&((struct run){.tasks = 2, .out = WR_BUF_INIT(1 << 22)}), HEAD,
         "SELECT k, n, sum(c) FROM (SELECT k, n, x, count(*) AS c FROM (SELECT k, n, x FROM s) GROUP BY k, n, x) GROUP BY k, n UNION ALL SELECT k, n, count(*) FROM s GROUP BY k, n",
         "Sink console (console): every change; at least once\n"
         "  -> UnionAll\n"
         "    -> Exchange into one task\n"
         "      -> Project k, n, sum(c) AS sum\n"
         "        -> Aggregate by k, n: sum(c)\n"
         "            emits changes; state: one entry per (k, n), grows for ever: set state.ttl\n"
         "          -> Exchange by hash of k, n\n"
         "            -> Project k, n, count(*) AS c\n"
         "              -> Aggregate by k, n, x: count(*)\n"
         "                  emits changes; state: one entry per (k, n, x), grows for ever: set state.ttl\n"
         "                -> Exchange by hash of k, n, x\n"
         "                  -> Project k, n, x\n"
         "                    -> Watermark ts - 1 min, idle after 30 s\n"
         "                      -> Scan s (kafka, json): id, k, n, x, ts\n"
         "    -> Exchange into one task\n"
         "      -> Project k, n, CAST(count(*) AS DECIMAL(38,0)) AS sum\n"
         "        -> Aggregate by k, n: count(*)\n"
         "            emits changes; state: one entry per (k, n), grows for ever: set state.ttl\n"
         "          -> Exchange by hash of k, n\n"
         "            -> Project k, n\n"
         "              -> Watermark ts - 1 min, idle after 30 s (shared: shown above)\n");
}

static void explain_answers_text(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "EXPLAIN SELECT k FROM s",
         "Sink console (console): append; at least once\n"
         "  -> Project k\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "EXPLAIN CREATE VIEW x AS SELECT 1",
         "2:9: EXPLAIN of this statement is not supported\n"
         "hint: EXPLAIN takes SELECT, INSERT and EXECUTE STATEMENT SET\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(projections_and_filters),
        cmocka_unit_test(aggregates),
        cmocka_unit_test(unions_values_subqueries),
        cmocka_unit_test(order_and_limit_need_an_end),
        cmocka_unit_test(rules_move_and_merge),
        cmocka_unit_test(several_sinks_share),
        cmocka_unit_test(explain_answers_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_plan_join.c: joins, subqueries and set operations as plans: their keys, what they keep and when they let go.
 * Rules:  expected texts were read by a person before they were put here; a new rewrite rule changes few of them. */
#include "tests/unit/plan_run.h"

static const char HEAD[] =
    "CREATE SOURCE a (id BIGINT, k TEXT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '0' SECOND) WITH (connector = 'kafka', brokers = 'b', topic = 't'); "
    "CREATE SOURCE b (id BIGINT NOT NULL, k TEXT NOT NULL, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '0' SECOND) WITH (connector = 'kafka', brokers = 'b', topic = 'u');\n";

static void twice_is_once(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "WITH x AS (SELECT k, count(*) AS n FROM a WHERE id > 0 GROUP BY k) SELECT l.k, l.n, r.n AS m FROM x AS l JOIN x AS r ON l.n = r.n WHERE l.k <> 'z'",
         "Sink console (console): every change; at least once\n"
         "  -> Project k, n, n AS m\n"
         "    -> Join inner on left.n = right.n\n"
         "        state: rows of both inputs, grows for ever: set state.ttl\n"
         "      -> Project k, count(*) AS n\n"
         "        -> Filter (k <> 'z')\n"
         "          -> Aggregate by k: count(*)\n"
         "              emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "            -> Project k\n"
         "              -> Filter (id > 0)\n"
         "                -> Watermark ts - 0 s, idle after 30 s\n"
         "                  -> Scan a (kafka, json): id, k, ts\n"
         "      -> Project count(*) AS n\n"
         "        -> Aggregate by k: count(*) (shared: shown above)\n");
}

static void when_rows_go(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT a.id FROM a WHERE k NOT IN (SELECT k FROM b WHERE b.ts BETWEEN a.ts AND a.ts + INTERVAL '1' MINUTE)",
         "2:58: this join has no equality between its inputs, and neither of them ends: it would keep and compare all rows for ever\n"
         "hint: add ON a.x = b.y, or bound the event times: a.ts BETWEEN b.ts - INTERVAL '5' MINUTE AND b.ts\n");
    PLAN(HEAD,
         "SELECT b.id FROM b WHERE id NOT IN (SELECT id FROM b AS c WHERE k = 'x')",
         "Sink console (console): every change; at least once\n"
         "  -> Project id\n"
         "    -> Join anti on left.id = right.id\n"
         "        state: rows of both inputs, grows for ever: set state.ttl\n"
         "      -> Project id\n"
         "        -> Watermark ts - 0 s, idle after 30 s\n"
         "          -> Scan b (kafka, json): id, k, ts\n"
         "      -> Project id\n"
         "        -> Filter (k = 'x')\n"
         "          -> Watermark ts - 0 s, idle after 30 s (shared: shown above)\n");
    PLAN(HEAD,
         "SELECT x.n FROM (SELECT window_start, count(*) AS n FROM a GROUP BY window(ts, '1 min')) AS x "
         "JOIN (SELECT window_start, count(*) AS n FROM b GROUP BY window(ts, '1 min') WITH WATERMARK '0 s' LATENESS '1 min') AS y "
         "ON x.window_start = y.window_start",
         "Sink console (console): every change; at least once\n"
         "  -> Project n\n"
         "    -> Join inner on left.window_start = right.window_start\n"
         "        state: rows of both inputs, freed when W passes window end + 1 min\n"
         "      -> LateFilter windows ending at (window_start + INTERVAL '00:01:00'), lateness 1 min\n"
         "        -> Project window_start, count(*) AS n, (window_start + INTERVAL '00:01:00')\n"
         "          -> Aggregate by tumble(ts, 1 min): count(*)\n"
         "              emits changes; state: one entry per (window), freed when W passes window end\n"
         "            -> Project ts\n"
         "              -> LateFilter tumble(ts, 1 min)\n"
         "                -> Watermark ts - 0 s, idle after 30 s\n"
         "                  -> Scan a (kafka, json): ts\n"
         "      -> LateFilter windows ending at (window_start + INTERVAL '00:01:00'), lateness 1 min\n"
         "        -> Project window_start, (window_start + INTERVAL '00:01:00')\n"
         "          -> Aggregate by tumble(ts, 1 min)\n"
         "              emits changes; state: one entry per (window), freed when W passes window end + 1 min\n"
         "            -> Project ts\n"
         "              -> LateFilter tumble(ts, 1 min), lateness 1 min\n"
         "                -> Watermark ts - 0 s, idle after 30 s\n"
         "                  -> Scan b (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT k FROM a EXCEPT ALL SELECT k FROM b",
         "Sink console (console): every change; at least once\n"
         "  -> SetOperation except all\n"
         "      state: one entry per different row, grows for ever: set state.ttl\n"
         "    -> Project k\n"
         "      -> Watermark ts - 0 s, idle after 30 s\n"
         "        -> Scan a (kafka, json): k, ts\n"
         "    -> Project k\n"
         "      -> Watermark ts - 0 s, idle after 30 s\n"
         "        -> Scan b (kafka, json): id, k, ts\n");
}

static void bounds_by_columns_and_by_windows(void **state WR_UNUSED)
{
    static const char auctions[] =
        "CREATE SOURCE auction (id BIGINT, ts TIMESTAMP, expires TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH (connector = 'kafka', brokers = 'b', topic = 't'); "
        "CREATE SOURCE bid (auction BIGINT, price BIGINT, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '4' SECOND) WITH (connector = 'kafka', brokers = 'b', topic = 'u');\n";
    PLAN(auctions,
         "SELECT a.id, b.price FROM auction AS a JOIN bid AS b ON a.id = b.auction WHERE b.ts BETWEEN a.ts AND a.expires",
         "Sink console (console): append; at least once\n"
         "  -> Project id, price\n"
         "    -> Join inner on left.id = right.auction, left.ts <= right.ts, where (right.ts <= left.expires)\n"
         "        state: left rows until W passes expires, right rows until W passes ts\n"
         "      -> LateFilter tumble(ts, 1 us)\n"
         "        -> Watermark ts - 4 s, idle after 30 s\n"
         "          -> Scan auction (kafka, json): id, ts, expires\n"
         "      -> LateFilter tumble(ts, 1 us)\n"
         "        -> Watermark ts - 4 s, idle after 30 s\n"
         "          -> Scan bid (kafka, json): auction, price, ts\n");
    PLAN(auctions,
         "SELECT b.auction FROM bid AS b JOIN (SELECT max(price) AS most, window_start FROM bid GROUP BY window(ts, '10 s')) AS m "
         "ON b.price = m.most AND b.ts >= m.window_start AND b.ts < m.window_start + INTERVAL '10' SECOND",
         "Sink console (console): every change; at least once\n"
         "  -> Project auction\n"
         "    -> Join inner on left.price = right.most, left.ts between right.(window_start + INTERVAL '00:00:10') - 10 s and right.(window_start + INTERVAL '00:00:10') - 1 us\n"
         "        state: left rows until W passes ts + 10 s, right rows until W passes (window_start + INTERVAL '00:00:10')\n"
         "      -> LateFilter tumble(ts, 1 us)\n"
         "        -> Watermark ts - 4 s, idle after 30 s\n"
         "          -> Scan bid (kafka, json): auction, price, ts\n"
         "      -> LateFilter windows ending at (window_start + INTERVAL '00:00:10')\n"
         "        -> Project max(price) AS most, (window_start + INTERVAL '00:00:10')\n"
         "          -> Aggregate by tumble(ts, 10 s): max(price)\n"
         "              emits changes; state: one entry per (window), freed when W passes window end\n"
         "            -> Project ts, price\n"
         "              -> LateFilter tumble(ts, 10 s)\n"
         "                -> Watermark ts - 4 s, idle after 30 s (shared: shown above)\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(twice_is_once),
        cmocka_unit_test(when_rows_go),
        cmocka_unit_test(bounds_by_columns_and_by_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

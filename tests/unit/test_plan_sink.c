/* test_plan_sink.c: rows into sinks: columns, conversions, keys, what a sink cannot take, dead letters; and errors about names.
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
static const char NONE[] = "";

static void keys_and_changes(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "INSERT INTO fi SELECT k, count(*) FROM s GROUP BY k",
         "2:13: sink \"fi\" only takes additions, but this query updates its results\n"
         "hint: add EMIT FINAL\n");
    PLAN(HEAD,
         "INSERT INTO ka SELECT count(*) FROM s",
         "2:13: sink \"ka\" only takes additions, but this query updates its results\n"
         "hint: add EMIT FINAL, or a primary key\n");
    PLAN(HEAD,
         "INSERT INTO ka SELECT window_end, sum(v) FROM s GROUP BY window(ts,'1 min'), k",
         "2:13: sink \"ka\" only takes additions, but this query updates its results\n"
         "hint: add EMIT FINAL, or a primary key\n");
    PLAN(HEAD,
         "INSERT INTO ka SELECT window_end, k, sum(v) FROM s GROUP BY window(ts,'1 min'), k",
         "Sink ka (kafka, json): upsert by k, window_end; at least once\n"
         "  -> Project window_end, k, sum(v) AS sum\n"
         "    -> Aggregate by k, tumble(ts, 1 min): sum(v)\n"
         "        emits changes; state: one entry per (k, window), freed when W passes window end\n"
         "      -> Project k, ts, v\n"
         "        -> LateFilter tumble(ts, 1 min)\n"
         "          -> Watermark ts - 1 min, idle after 30 s\n"
         "            -> Scan s (kafka, json): id, k, v, ts\n");
    PLAN(HEAD,
         "INSERT INTO pg SELECT k, count(*) FROM s GROUP BY k",
         "Sink pg (postgres): upsert by k; at least once\n"
         "  -> Project k, count(*) AS n\n"
         "    -> Aggregate by k: count(*)\n"
         "        emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "      -> Project k\n"
         "        -> Watermark ts - 1 min, idle after 30 s\n"
         "          -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "CREATE SINK p2 WITH (connector='postgres', url='u', table='t'); INSERT INTO p2 SELECT k, count(*) AS c FROM s GROUP BY k",
         "2:77: sink \"p2\" only takes additions, but this query updates its results\n"
         "hint: add EMIT FINAL to the query, or primary_key = 'k' to the sink\n");
    PLAN(HEAD,
         "CREATE SINK p2 WITH (connector='postgres', url='u', table='t'); INSERT INTO p2 SELECT k, n FROM s",
         "Sink p2 (postgres): append; at least once\n"
         "  -> Project k, n\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN(HEAD,
         "CREATE SINK p2 WITH (connector='postgres', url='u', table='t', primary_key = ' \"k\" , kk'); INSERT INTO p2 SELECT k, count(*) AS c FROM s GROUP BY k",
         "2:78: primary key \"kk\" is not a column of sink \"p2\"\n"
         "hint: did you mean \"k\"?\n");
    PLAN(HEAD,
         "CREATE SINK k2 WITH (connector='kafka', brokers='b', topic='o', key='n'); INSERT INTO k2 SELECT k, n FROM s",
         "Sink k2 (kafka, json): key n; at least once\n"
         "  -> Project k, n\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, n, ts\n");
}

static void columns_and_conversions(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "INSERT INTO pg SELECT k, k FROM s",
         "2:13: column \"n\" of sink \"pg\" is BIGINT, but the query's column \"k_2\" is TEXT\n"
         "hint: write CAST(k_2 AS BIGINT)\n");
    PLAN(HEAD,
         "INSERT INTO pg SELECT k FROM s",
         "2:13: the query gives 1 column, but sink \"pg\" takes 2\n"
         "hint: its columns are k, n\n");
    PLAN(HEAD,
         "INSERT INTO pg (n) SELECT n FROM s",
         "2:13: column \"k\" of sink \"pg\" is NOT NULL, but the list leaves it out\n");
    PLAN(HEAD,
         "INSERT INTO pg (n, k) SELECT n, k FROM s",
         "Sink pg (postgres): key k; at least once\n"
         "  -> Project k, CAST(n AS BIGINT) AS n\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN(HEAD,
         "INSERT INTO pg (n, kk) SELECT n, k FROM s",
         "2:20: listed name \"kk\" is not a column of sink \"pg\"\n"
         "hint: did you mean \"k\"?\n");
    PLAN(HEAD,
         "INSERT INTO pg (n, n) SELECT n, n FROM s",
         "2:20: column \"n\" is listed twice\n");
    PLAN(HEAD,
         "INSERT INTO pg SELECT 'a', '12'",
         "Sink pg (postgres): key k; at least once\n"
         "  -> Project 'a' AS k, 12 AS n\n"
         "    -> Values 1 row\n");
    PLAN(HEAD,
         "INSERT INTO pg SELECT 'a', 'x12'",
         "2:28: invalid input for type BIGINT: \"x12\"\n");
    PLAN(HEAD,
         "INSERT INTO pg SELECT n, v FROM s",
         "Sink pg (postgres): key k; at least once\n"
         "  -> Project CAST(n AS TEXT) AS k, CAST(v AS BIGINT) AS n\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, v, n, ts\n");
    PLAN(HEAD,
         "INSERT INTO o (a, b) SELECT k, n FROM s",
         "Sink o (blackhole): append; at least once\n"
         "  -> Project k AS a, n AS b\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, n, ts\n");
    PLAN(HEAD,
         "INSERT INTO o (a) SELECT k, n FROM s",
         "2:13: the query gives 2 columns for \"o\", but fewer names are listed\n");
    PLAN(HEAD,
         "INSERT INTO nope SELECT 1",
         "2:13: there is no sink \"nope\"\n"
         "hint: declare it: CREATE SINK nope WITH (connector = '...', ...)\n");
    PLAN(HEAD,
         "INSERT INTO s SELECT 1",
         "2:13: \"s\" is a source and cannot be written\n"
         "hint: declare a sink: CREATE SINK ... WITH (connector = ...)\n");
    PLAN(HEAD,
         "SELECT * FROM ka",
         "2:15: \"ka\" is a sink and cannot be read\n"
         "hint: declare a source over the same place: CREATE SOURCE ... WITH (connector = 'kafka', ...)\n");
}

static void create_sink_as(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a (k INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE SINK p WITH (connector='kafka', brokers='b', topic='o') AS SELECT k, count(*) AS n FROM a GROUP BY k; CREATE VIEW v AS SELECT k FROM a; CREATE SINK q FROM v WITH (connector='blackhole')",
         "Sink p (kafka, json): upsert by k; at least once\n"
         "  -> Project k, count(*) AS n\n"
         "    -> Aggregate by k: count(*)\n"
         "        emits changes; state: one entry per (k), grows for ever: set state.ttl\n"
         "      -> Scan a (kafka, json): k\n"
         "Sink q (blackhole): append; at least once\n"
         "  -> Scan a (kafka, json): k\n");
    PLAN(NONE,
         "CREATE SOURCE a (k INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE SINK r WITH (connector='file', path='x') AS SELECT count(*) FROM a; SHOW SINKS",
         "1:87: sink \"r\" only takes additions, but this query updates its results\n"
         "hint: add EMIT FINAL\n");
    PLAN(NONE,
         "CREATE TABLE t (k TEXT, n BIGINT, o BIGINT METADATA FROM 'offset', k2 AS upper(k), PRIMARY KEY (k) NOT ENFORCED) WITH (connector='kafka', brokers='b', topic='t'); INSERT INTO t SELECT k, n FROM t; INSERT INTO t SELECT k2, count(*) FROM t GROUP BY k2",
         "Sink t (kafka, json): key k; at least once\n"
         "  -> Project k, n\n"
         "    -> Scan t (kafka, json): k, n\n"
         "Sink t (kafka, json): upsert by k; at least once\n"
         "  -> Project k2 AS k, count(*) AS n\n"
         "    -> Aggregate by k2: count(*)\n"
         "        emits changes; state: one entry per (k2), grows for ever: set state.ttl\n"
         "      -> Project upper(k) AS k2\n"
         "        -> Scan t (kafka, json): k, n\n");
}

static void dead_letters(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a (k INT) WITH (connector='kafka', brokers='b', topic='t', on_error='dlq', dlq_topic='bad', kafka.security.protocol='ssl'); SELECT k FROM a; SELECT k+1 FROM a",
         "Sink console (console): append; at least once\n"
         "  -> Scan a (kafka, json): k\n"
         "Sink a$dlq (kafka, json): append; at least once\n"
         "  -> SideScan a$errors\n"
         "Sink console (console): append; at least once\n"
         "  -> Project (k + 1) AS ?column?\n"
         "    -> Scan a (kafka, json): k\n");
    PLAN(NONE,
         "CREATE SOURCE a (k INT) WITH (connector='kafka', brokers='b', topic='t', on_error='dlq')",
         "1:83: on_error = 'dlq' does not say where to\n"
         "hint: add dlq_topic = '...', or dlq_table = '...' and dlq_url = 'postgres://...'\n");
    PLAN(NONE,
         "CREATE SOURCE b (k INT) WITH (connector='kafka', brokers='b', topic='t', on_error='dlq', dlq_table='x')",
         "1:100: dlq_table does not say in which database\n"
         "hint: add dlq_url = 'postgres://user:password@host/database'\n");
    PLAN(NONE,
         "CREATE SOURCE b (k INT) WITH (connector='kafka', brokers='b', topic='t', on_error='dlq', dlq_topic='x', dlq_table='x', dlq_url='u')",
         "1:115: bad records go to dlq_topic or to dlq_table, not to both\n");
    PLAN(NONE,
         "CREATE SOURCE f (k INT) WITH (connector='file', path='t', on_error='dlq', dlq_topic='x', dlq_brokers='b'); SELECT k FROM f",
         "Sink console (console): append; at least once\n"
         "  -> Scan f (file, json): k; ends by itself\n"
         "Sink f$dlq (kafka, json): append; at least once\n"
         "  -> SideScan f$errors\n");
    PLAN(NONE,
         "CREATE SOURCE b (k INT) WITH (connector='file', path='t', on_error='dlq', dlq_topic='x')",
         "1:85: dlq_topic does not say on which brokers\n"
         "hint: add dlq_brokers = 'host:port'\n");
    PLAN(NONE,
         "CREATE SOURCE b (k INT) WITH (connector='kafka', brokers='b', topic='t', dlq_topic='x')",
         "1:84: dlq_topic has no meaning without on_error = 'dlq'\n");
}

static void names(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT foo FROM s",
         "2:8: column \"foo\" does not exist\n"
         "hint: there is id, k, v, n, x, ts, j; text stands in single quotes: 'foo'\n");
    PLAN(HEAD,
         "SELECT ks FROM s",
         "2:8: column \"ks\" does not exist\n"
         "hint: did you mean \"k\"?\n");
    PLAN(HEAD,
         "SELECT s.kk FROM s",
         "2:8: column \"s.kk\" does not exist\n"
         "hint: did you mean \"k\"?\n");
    PLAN(HEAD,
         "SELECT z.k FROM s",
         "2:8: there is no table \"z\" in FROM\n"
         "hint: there is s\n");
    PLAN(HEAD,
         "SELECT k FROM sss",
         "2:15: there is no source or view \"sss\"\n"
         "hint: did you mean \"s\"?\n");
    PLAN(HEAD,
         "SELECT ID, K FROM S",
         "Sink console (console): append; at least once\n"
         "  -> Project id, k\n"
         "    -> Watermark ts - 1 min, idle after 30 s\n"
         "      -> Scan s (kafka, json): id, k, ts\n");
    PLAN(HEAD,
         "SELECT \"ID\" FROM s",
         "2:8: column \"ID\" does not exist\n"
         "hint: did you mean \"id\"?\n");
    PLAN(HEAD,
         "SELECT k, n FROM s GROUP BY k",
         "2:11: column \"s.n\" must appear in the GROUP BY clause or be used in an aggregate function\n"
         "hint: add it to GROUP BY, or write min(n), max(n), any_value(n)\n");
    PLAN(HEAD,
         "SELECT k AS v, count(*) FROM s GROUP BY v",
         "2:8: column \"s.k\" must appear in the GROUP BY clause or be used in an aggregate function\n"
         "hint: add it to GROUP BY, or write min(k), max(k), any_value(k)\n");
    PLAN(HEAD,
         "SELECT k, sum(n) FROM s WHERE sum(n) > 1 GROUP BY k",
         "2:31: aggregate \"sum\" is not allowed in WHERE\n"
         "hint: conditions on aggregates go into HAVING\n");
    PLAN(HEAD,
         "SELECT sum(sum(n)) FROM s",
         "2:12: aggregate \"sum\" inside an aggregate\n");
    PLAN(HEAD,
         "SELECT k FROM s GROUP BY k, sum(n)",
         "2:29: aggregates are not allowed in GROUP BY\n");
    PLAN(HEAD,
         "SELECT k FROM s GROUP BY 3",
         "2:26: GROUP BY position 3 is not in the select list\n");
    PLAN(HEAD,
         "SELECT count() FROM s",
         "2:8: \"count\" without an argument\n"
         "hint: write count(*)\n");
    PLAN(HEAD,
         "SELECT * FROM s WHERE n",
         "2:23: WHERE must be BOOLEAN, not INTEGER\n");
    PLAN(HEAD,
         "SELECT * FROM s WHERE n = 1 AND k",
         "2:33: an argument of AND must be BOOLEAN, not TEXT\n");
    PLAN(HEAD,
         "SELECT * FROM s WHERE ts > 'yesterdayish'",
         "2:28: invalid input for type TIMESTAMP: \"yesterdayish\"\n"
         "hint: write '2025-11-28 12:00:00', '2025-11-28T12:00:00Z' or '2025-11-28'\n");
    PLAN(HEAD,
         "SELECT k FROM s WHERE k = 5",
         "2:23: operator does not exist: TEXT = INTEGER\n"
         "hint: convert one side with CAST\n");
    PLAN(HEAD,
         "SELECT s.* FROM f",
         "2:8: there is no table \"s\" in FROM\n");
    PLAN(HEAD,
         "SELECT DATE '2025-13-01'",
         "2:8: \"2025-13-01\" is not a DATE\n");
    PLAN(HEAD,
         "SELECT 99999999999999999999999999999999999999999",
         "2:8: number has 41 digits: DECIMAL holds 38\n");
    PLAN(HEAD,
         "SELECT k FROM s UNION ALL SELECT ts FROM u",
         "2:27: UNION types TEXT and TIMESTAMP cannot be matched\n"
         "hint: convert one of them with CAST\n");
    PLAN(HEAD,
         "SELECT k, v FROM s UNION ALL SELECT k FROM u",
         "2:30: each UNION query must have the same number of columns: 2 and 1\n");
    PLAN(HEAD,
         "SELECT b FROM f LIMIT 'a'",
         "2:23: LIMIT must be a whole number written out\n");
    PLAN(HEAD,
         "SELECT k::DECIMAL(50) FROM s; SELECT nme FROM s; SELECT k FROM t",
         "2:11: DECIMAL(50,0) does not exist\n"
         "hint: DECIMAL(p,s) has 1 to 38 digits p, of which s, 0 to p, are behind the point\n"
         "2:38: column \"nme\" does not exist\n"
         "hint: did you mean \"n\"?\n"
         "2:64: there is no source or view \"t\"\n"
         "hint: SHOW SOURCES and SHOW VIEWS list what there is\n");
}

static void not_built_yet_is_said(void **state WR_UNUSED)
{
    PLAN(HEAD,
         "SELECT * FROM weir.jobs",
         "2:15: there is no system table \"weir.jobs\" here\n"
         "hint: a server has weir.jobs, partitions, operators, windows, checkpoints, errors, late\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_and_changes),
        cmocka_unit_test(columns_and_conversions),
        cmocka_unit_test(create_sink_as),
        cmocka_unit_test(dead_letters),
        cmocka_unit_test(names),
        cmocka_unit_test(not_built_yet_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

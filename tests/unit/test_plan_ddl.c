/* test_plan_ddl.c: CREATE, DROP, SHOW, DESCRIBE, SET: what is declared, what is checked then, and what is said about it.
 * Rules:  expected texts were read by a person before they were put here; a new rewrite rule changes few of them. */
#include "tests/unit/plan_run.h"

static const char NONE[] = "";

static void sources(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a (id BIGINT NOT NULL PATH '$.x.id', t TEXT, p INTEGER METADATA FROM 'partition', \"offset\" BIGINT METADATA, at AS CAST(t AS TIMESTAMP), big AS id * 2, WATERMARK FOR at AS at - INTERVAL '5' SECOND) WITH ('connector' = 'kafka', 'properties.bootstrap.servers' = 'b', topic = 't', 'value.format' = 'json');\n"
         "DESCRIBE a; SELECT big, p, count(*) FROM a GROUP BY window(at,'1 min'), big, p; SELECT big FROM a$late; SHOW SOURCES",
         "id|BIGINT|not null|$.x.id|\n"
         "t|TEXT|||\n"
         "p|INTEGER||metadata partition|\n"
         "offset|BIGINT||metadata offset|\n"
         "at|TIMESTAMP||CAST(t AS TIMESTAMP)|event time, watermark 5 s behind\n"
         "big|BIGINT|not null|id * 2|\n"
         "a|source|kafka|json|6\n"
         "Sink console (console): every change; at least once\n"
         "  -> Project big, p, count(*) AS count\n"
         "    -> Aggregate by big, p, tumble(at, 1 min): count(*)\n"
         "        emits changes; state: one entry per (big, p, window), freed when W passes window end\n"
         "      -> Project big, p, at\n"
         "        -> LateFilter tumble(at, 1 min)\n"
         "          -> Watermark at - 5 s, idle after 30 s\n"
         "            -> Project p, CAST(t AS TIMESTAMP) AS at, (id * 2) AS big\n"
         "              -> Scan a (kafka, json): id, t, p\n"
         "Sink console (console): append; at least once\n"
         "  -> Project (id * 2) AS big\n"
         "    -> SideScan a$late\n");
    PLAN(NONE,
         "CREATE SOURCE a WITH (connector = 'datagen', scenario = 'x'); SELECT * FROM a; DESCRIBE a",
         "id|BIGINT|not null||\n"
         "at|TIMESTAMP|||\n"
         "Sink console (console): append; at least once\n"
         "  -> Scan a (datagen): id, at\n");
    PLAN(NONE,
         "CREATE SOURCE a (big AS id + 1, WATERMARK FOR at) WITH (connector = 'datagen', scenario = 'x'); SELECT * FROM a",
         "Sink console (console): append; at least once\n"
         "  -> Watermark at - 0 s, idle after 30 s\n"
         "    -> Project id, at, (id + 1) AS big\n"
         "      -> Scan a (datagen): id, at\n");
}

static void options_are_checked(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a WITH (connector = 'kafka', brokers='b', topic='t')",
         "1:15: source \"a\" needs its columns\n"
         "hint: write CREATE SOURCE a (name TYPE, ...) WITH (...)\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (brokers='b', topic='t')",
         "1:15: \"a\" needs the option \"connector\"\n"
         "hint: add WITH (connector = '...'); there is blackhole, console, datagen, file, kafka, postgres\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafca', brokers='b', topic='t')",
         "1:41: there is no connector \"kafca\"\n"
         "hint: did you mean \"kafka\"?\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', broker='b', topic='t')",
         "1:57: unknown option \"broker\" for connector \"kafka\"\n"
         "hint: did you mean \"brokers\"?\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b')",
         "1:41: connector \"kafka\" needs the option \"topic\"\n"
         "hint: add topic = '...': the topic\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='postgres', url='b', table='t')",
         "1:41: connector \"postgres\" is a sink, not a source\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='${', topic='t')",
         "1:58: \"${\" without a name and \"}\"\n"
         "hint: write ${NAME} or ${NAME:-default}\n");
}

static void columns_are_checked(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a (x INT, x TEXT) WITH (connector='kafka', brokers='b', topic='t')",
         "1:25: column \"x\" is declared twice\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INTT) WITH (connector='kafka', brokers='b', topic='t')",
         "1:20: there is no type \"INTT\"\n"
         "hint: did you mean INT?\n");
    PLAN(NONE,
         "CREATE SOURCE a (x DECIMAL(40,2)) WITH (connector='kafka', brokers='b', topic='t')",
         "1:20: DECIMAL(40,2) does not exist\n"
         "hint: DECIMAL(p,s) has 1 to 38 digits p, of which s, 0 to p, are behind the point\n");
    PLAN(NONE,
         "CREATE SOURCE a (x TEXT, WATERMARK FOR x AS x - INTERVAL '1' MINUTE) WITH (connector='kafka', brokers='b', topic='t')",
         "1:40: the event time must be a TIMESTAMP, but \"x\" is TEXT\n"
         "hint: declare it as TIMESTAMP, or add a computed column\n");
    PLAN(NONE,
         "CREATE SOURCE a (x TIMESTAMP, WATERMARK FOR x AS x + INTERVAL '1' MINUTE) WITH (connector='kafka', brokers='b', topic='t')",
         "1:50: a watermark is the column, or the column minus an interval\n"
         "hint: write WATERMARK FOR x AS x - INTERVAL '1' MINUTE\n");
    PLAN(NONE,
         "CREATE SOURCE a (x TIMESTAMP, WATERMARK FOR y AS y) WITH (connector='kafka', brokers='b', topic='t')",
         "1:45: column \"y\" does not exist\n");
    PLAN(NONE,
         "CREATE SOURCE a (x TIMESTAMP PRIMARY KEY) WITH (connector='kafka', brokers='b', topic='t')",
         "1:18: PRIMARY KEY on a source without event time: which record of a key is its latest?\n"
         "hint: add WATERMARK FOR column, or leave it out: each record is a row of its own\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT DEFAULT 3) WITH (connector='kafka', brokers='b', topic='t')",
         "1:32: DEFAULT is not supported\n"
         "hint: write coalesce(column, value) in the query\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT METADATA FROM 'ofset') WITH (connector='kafka', brokers='b', topic='t')",
         "1:18: there is no metadata \"ofset\"\n"
         "hint: did you mean \"offset\"?\n");
    PLAN(NONE,
         "CREATE SOURCE a (x TEXT METADATA FROM 'offset') WITH (connector='kafka', brokers='b', topic='t')",
         "1:20: metadata \"offset\" is BIGINT, not TEXT\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT, y AS z + 1) WITH (connector='kafka', brokers='b', topic='t')",
         "1:30: column \"z\" does not exist\n"
         "hint: there is x; text stands in single quotes: 'z'\n");
    PLAN(NONE,
         "CREATE SINK a (x INT, y AS x + 1) WITH (connector='kafka', brokers='b', topic='t')",
         "1:23: a computed column of a sink is not supported\n"
         "hint: compute it in the query\n");
    PLAN(NONE,
         "CREATE SINK a (x INT, PRIMARY KEY (y)) WITH (connector='kafka', brokers='b', topic='t')",
         "1:36: column \"y\" does not exist\n");
}

static void names_are_unique(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE SOURCE IF NOT EXISTS a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE VIEW a AS SELECT 1 AS x",
         "1:89: \"a\" exists already: it is a source\n"
         "hint: write CREATE OR REPLACE, or DROP it first\n"
         "source \"a\" exists already, nothing done\n"
         "1:249: \"a\" exists already: it is a source\n"
         "hint: names are shared by sources, sinks, tables and views\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE OR REPLACE SOURCE a (x INT, y INT) WITH (connector='kafka', brokers='b', topic='t'); SELECT * FROM a",
         "Sink console (console): append; at least once\n"
         "  -> Scan a (kafka, json): x, y\n");
}

static void views_and_drop(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE VIEW v AS SELECT x + 1 AS y FROM a; CREATE VIEW v2 (z) AS SELECT y FROM v; DROP SOURCE a; DROP VIEW v; DROP VIEW a; DROP VIEW nope; DROP VIEW IF EXISTS nope; SHOW VIEWS; DROP VIEW v2, v; SHOW VIEWS; DROP SOURCE a; SHOW TABLES",
         "1:169: source \"a\" is used by view \"v\"\n"
         "hint: drop that first, or write CASCADE\n"
         "1:182: view \"v\" is used by view \"v2\"\n"
         "hint: drop that first, or write CASCADE\n"
         "1:195: \"a\" is a source, not a view\n"
         "1:208: there is no view \"nope\"\n"
         "v|view|||1\n"
         "v2|view|||1\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE VIEW v AS SELECT x + 1 AS y FROM a; CREATE VIEW v2 (z) AS SELECT y FROM v; SELECT z FROM v2; DROP SOURCE a CASCADE; SHOW TABLES",
         "Sink console (console): append; at least once\n"
         "  -> Project (x + 1) AS z\n"
         "    -> Scan a (kafka, json): x\n");
    PLAN(NONE,
         "CREATE SOURCE a (x INT) WITH (connector='kafka', brokers='b', topic='t'); CREATE VIEW v AS SELECT x FROM a; CREATE OR REPLACE VIEW v AS SELECT x FROM v; CREATE VIEW w AS SELECT * FROM v; CREATE OR REPLACE VIEW v AS SELECT * FROM w; CREATE OR REPLACE SOURCE a (y INT) WITH (connector='kafka', brokers='b', topic='t'); SELECT * FROM w",
         "1:132: view \"v\" would depend on itself\n"
         "1:211: view \"v\" would depend on itself\n"
         "1:332: in view \"w\": in view \"v\": column \"x\" does not exist\n"
         "hint: there is y; text stands in single quotes: 'x'\n");
    PLAN(NONE,
         "CREATE VIEW v AS SELECT a, b FROM (VALUES (1, 2)) t(a, b) WHERE c = 1",
         "1:65: column \"c\" does not exist\n"
         "hint: there is a, b; text stands in single quotes: 'c'\n");
    PLAN(NONE,
         "CREATE MATERIALIZED VIEW v AS SELECT 1",
         "1:1: a materialized view is not supported\n"
         "hint: CREATE VIEW, and INSERT INTO a sink SELECT * FROM it\n");
}

static void secrets_are_stars(void **state WR_UNUSED)
{
    PLAN(NONE,
         "CREATE SINK p WITH (connector='postgres', url='postgres://u:secret@h/d', table='t', primary_key='kk'); SHOW CREATE SINK p",
         "CREATE SINK p WITH (\n"
         "    connector = 'postgres',\n"
         "    url = '***',\n"
         "    table = 't',\n"
         "    primary_key = 'kk'\n"
         ");\n");
    PLAN(NONE,
         "CREATE SOURCE a (id BIGINT NOT NULL PATH '$.x.id', at AS now(), WATERMARK FOR at AS at - INTERVAL '5' SECOND) WITH (connector = 'kafka', brokers = '${B:-b}', topic = 't', kafka.sasl.password = 'secret'); SHOW CREATE a",
         "CREATE SOURCE a (\n"
         "    id BIGINT NOT NULL PATH '$.x.id',\n"
         "    \"at\" AS now(),\n"
         "    WATERMARK FOR \"at\" AS \"at\" - INTERVAL '5' SECOND\n"
         ") WITH (\n"
         "    connector = 'kafka',\n"
         "    brokers = '${B:-b}',\n"
         "    topic = 't',\n"
         "    kafka.sasl.password = '***'\n"
         ");\n");
}

static void settings(void **state WR_UNUSED)
{
    PLAN(NONE,
         "SET parallelism = 4; SHOW parallelism; SET 'state.ttl' = '1 h'; SHOW state.ttl; SET table.exec.source.idle-timeout = '5 s'; SHOW idle_timeout; RESET ALL; SHOW parallelism; SHOW JOBS; SET emit = final; SHOW emit; SET tasks = 2; RESET parallelism; SHOW parallelism",
         "4\n"
         "1 h\n"
         "5 s\n"
         "1\n"
         "(shell)\n"
         "final\n"
         "1\n");
    PLAN(NONE,
         "SET paralelism = 3; SET parallelism = 'x'; SET parallelism = 1000; SHOW nonsense; SET emit=foo; SET max_state_bytes = '64 MiB'; SHOW max_state_bytes; SET state.ttl = '-1 s'",
         "1:5: there is no setting \"paralelism\"\n"
         "hint: did you mean \"parallelism\"?\n"
         "1:25: setting \"parallelism\" cannot be \"x\"\n"
         "hint: it is a whole number from 1 to 256\n"
         "1:48: setting \"parallelism\" cannot be \"1000\"\n"
         "hint: it is a whole number from 1 to 256\n"
         "1:73: nothing to show is named \"nonsense\"\n"
         "hint: SHOW SOURCES, SINKS, VIEWS, TABLES, JOBS, FUNCTIONS, CONNECTORS, ALL, or a setting's name\n"
         "1:87: setting \"emit\" cannot be \"foo\"\n"
         "hint: it is one of changes|final\n"
         "64 MiB\n"
         "1:155: setting \"state.ttl\" cannot be \"-1 s\"\n"
         "hint: it is a duration such as '30 s'\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sources),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(columns_are_checked),
        cmocka_unit_test(names_are_unique),
        cmocka_unit_test(views_and_drop),
        cmocka_unit_test(secrets_are_stars),
        cmocka_unit_test(settings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

"""real_postgres.py: weir writes to a real PostgreSQL: upserts by key, appends, tables it makes, what is wrong is named, a server that
restarts changes nothing, refused rows do not stop the others."""
import json
import os
import random
import sys
import tempfile
from decimal import Decimal

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import kafka
import postgres
import proc
from run_weir import Running, check, fails, ok


class Input:
    """A file of rows (k, n, v, ts), and what SQL should make of it."""

    def __init__(self, rows, seed):
        r = random.Random(seed)
        self.rows = [{"k": r.choice("abcdefgh"), "n": r.randrange(-1000, 1000), "v": "%d.%02d" % (r.randrange(10**9), r.randrange(100)),
                      "ts": "2025-11-28T12:%02d:%02dZ" % (i * 60 // rows, i % 60)} for i in range(rows)]
        with tempfile.NamedTemporaryFile("w", suffix=".jsonl", delete=False) as f:
            for row in self.rows:
                f.write('{"k": "%s", "n": %d, "v": %s, "ts": "%s"}\n' % (row["k"], row["n"], row["v"], row["ts"]))
        self.path = f.name

    def source(self):
        return ("CREATE SOURCE src (k TEXT, n BIGINT, v DECIMAL(12,2), ts TIMESTAMP) "
                "WITH (connector = 'file', path = '%s', format = 'json');\n" % self.path)

    def totals(self):
        out = {}
        for row in self.rows:
            total, num = out.get(row["k"], (Decimal(0), 0))
            out[row["k"]] = (total + Decimal(row["v"]), num + 1)
        return [{"k": k, "total": str(t), "num": str(n)} for k, (t, n) in sorted(out.items())]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.unlink(self.path)


def sink(url, table, more=""):
    return "CREATE SINK snk WITH (connector = 'postgres', url = '%s', table = '%s'%s);\n" % (url, table, more)


TOTALS = "INSERT INTO snk SELECT k, sum(v) AS total, count(*) AS num FROM src GROUP BY k;"


def totals_are_exact_and_a_second_run_changes_nothing(pg, data):
    sql = data.source() + sink(pg.url, "totals", ", primary_key = 'k', create = 'true'") + TOTALS
    for _ in range(2):
        ok(sql)
        check(pg.rows("SELECT k, total, num FROM totals ORDER BY k"), data.totals(), "totals")


def windows_have_a_composite_key(pg, data):
    pg.sql("CREATE TABLE win (janela_inicio timestamp, janela_fim timestamp NOT NULL, k varchar(10), n int, PRIMARY KEY (k, janela_inicio))")
    ok(data.source() + sink(pg.url, "public.win", ", primary_key = 'janela_inicio, k'") +
       "INSERT INTO snk SELECT window_start AS janela_inicio, window_end AS janela_fim, k, count(*) AS n FROM src "
       "GROUP BY window(ts, '10 min'), k WITH WATERMARK '2 min' EMIT CHANGES;")
    expected = {}
    for row in data.rows:
        key = (row["ts"][14] + "0", row["k"])
        expected[key] = expected.get(key, 0) + 1
    check(pg.rows("SELECT to_char(janela_inicio, 'MI') AS m, k, n FROM win ORDER BY 1, 2"),
          [{"m": m, "k": k, "n": str(n)} for (m, k), n in sorted(expected.items())], "windows")


def rows_are_appended_without_a_key(pg, data):
    ok(data.source() + sink(pg.url, "plain", ", create = 'true'") + "INSERT INTO snk SELECT k, n, v, ts FROM src;")
    check(pg.rows("SELECT count(*) AS c, sum(n) AS n, sum(v) AS v, min(ts) AS first FROM plain"),
          [{"c": str(len(data.rows)), "n": str(sum(r["n"] for r in data.rows)),
            "v": str(sum(Decimal(r["v"]) for r in data.rows)), "first": "2025-11-28 12:00:00"}], "appended rows")


def refused_rows_do_not_stop_the_others(pg, data):
    pg.sql("CREATE TABLE checked (k text, n int CHECK (n >= 0))")
    ok(data.source() + sink(pg.url, "checked") + "INSERT INTO snk SELECT k, n FROM src;")
    good = [r["n"] for r in data.rows if r["n"] >= 0]
    check(pg.rows("SELECT count(*) AS c, sum(n) AS n FROM checked"), [{"c": str(len(good)), "n": str(sum(good))}], "rows that fit")


def bad_records_have_a_table(pg, data):
    """on_error = 'dlq' with a table: it is made, and holds the bytes as they came."""
    bad = ['{"k": "a", "n": "many"}', "not json at all", '{"k": "b", "n": 1']
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as f:
        f.write("".join(line + "\n" for line in [bad[0], '{"k": "a", "n": 1}', bad[1], bad[2], '{"k": "b", "n": 2}']))
        f.flush()
        sql = ("CREATE SOURCE src (k TEXT, n BIGINT) WITH (connector = 'file', path = '%s', format = 'json', "
               "on_error = 'dlq', dlq_table = 'letters', dlq_url = '%s');\n" % (f.name, pg.url))
        ok(sql + sink(pg.url, "good", ", create = 'true'") + "INSERT INTO snk SELECT k, n FROM src;")
    check(pg.rows("SELECT k, n FROM good ORDER BY k"), [{"k": "a", "n": "1"}, {"k": "b", "n": "2"}], "good rows")
    check(pg.rows("SELECT convert_from(raw, 'UTF8') AS raw, reason FROM letters ORDER BY \"offset\""),
          [{"raw": bad[0], "reason": "type"}, {"raw": bad[1], "reason": "syntax"}, {"raw": bad[2], "reason": "syntax"}], "bad records")


def what_is_wrong_is_named(pg, data):
    port, = proc.free_ports(1)
    secret = "wrong-canary"

    def named(url, table, *texts, more=", primary_key = 'k'", code=1):
        fails(data.source() + sink(url, table, more) + TOTALS, code, *texts, secret=secret)

    base = pg.url.rsplit("/", 1)[0].split("@")[1]
    named("postgres://u:%s@127.0.0.1:%d/weir" % (secret, port), "t", "cannot connect to PostgreSQL", "connection refused")
    named("postgres://%s:%s@%s/weir" % (postgres.PASSWORD_USER, secret, base), "t", "password authentication failed")
    named("postgres://weir:%s@%s/nosuch" % (secret, base), "t", 'database "nosuch" does not exist')
    named(pg.url, "totls", 'there is no table "totls"', 'did you mean "totals"?', "create = 'true'")
    pg.sql("CREATE TABLE wrong_type (k text PRIMARY KEY, total integer, num bigint)")
    named(pg.url, "wrong_type", '"total"', "integer", "DECIMAL(38,2)")
    pg.sql("CREATE TABLE wrong_name (k text PRIMARY KEY, totals numeric, num bigint)")
    named(pg.url, "wrong_name", 'no column "total"', 'did you mean "totals"?')
    pg.sql("CREATE TABLE no_key (k text, total numeric, num bigint)")
    named(pg.url, "no_key", "unique index", 'CREATE UNIQUE INDEX ON "public"."no_key" ("k")')
    named(pg.url + "?options=-csearch_path%3Dx", "totals", '"options"', code=2)


def a_server_that_restarts_changes_nothing(data):
    """Needs servers of its own: PostgreSQL is stopped and killed while the job runs."""
    with postgres.Postgres() as pg, kafka.shared() as k:
        k.create("pg_restart", 2)
        pg.sql("CREATE TABLE totals (k text PRIMARY KEY, total numeric, num bigint)")
        totals = {}

        def produce(start):
            for n in range(start, start + 500):
                total, num = totals.get("k%d" % (n % 7), (0, 0))
                totals["k%d" % (n % 7)] = (total + n, num + 1)
            k.produce("pg_restart", [{"value": json.dumps({"k": "k%d" % (n % 7), "n": n})} for n in range(start, start + 500)])

        def written():
            return {r["k"]: (int(r["total"]), int(r["num"])) for r in pg.rows("SELECT * FROM totals")} == totals

        sql = ("CREATE SOURCE src (k TEXT, n BIGINT) WITH (connector = 'kafka', brokers = '%s', topic = 'pg_restart', format = 'json');"
               % k.brokers + sink(pg.url, "totals", ", primary_key = 'k'") +
               "INSERT INTO snk SELECT k, sum(n) AS total, count(*) AS num FROM src GROUP BY k;")
        produce(0)
        with Running(sql) as job:
            job.wait_for(written, "first results")
            for stop in (pg.stop_server, pg.crash):
                stop()
                produce(len(totals) and sum(num for _, num in totals.values()))
                pg.run()
                job.wait_for(written, "results after a restart")
            job.stop()


def main():
    with postgres.shared() as pg, Input(5000, 1) as data:
        totals_are_exact_and_a_second_run_changes_nothing(pg, data)
        windows_have_a_composite_key(pg, data)
        rows_are_appended_without_a_key(pg, data)
        refused_rows_do_not_stop_the_others(pg, data)
        bad_records_have_a_table(pg, data)
        what_is_wrong_is_named(pg, data)
        a_server_that_restarts_changes_nothing(data)


if __name__ == "__main__":
    main()

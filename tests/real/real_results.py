"""real_results.py: a job's result asked for by key, over HTTP and as a table of SQL, while it changes and over restarts: what an index finds is what looking
at every row finds. also: dev
"""
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import proc
import served

DIR = tempfile.mkdtemp(prefix="weir-results-")
DATA = os.path.join(DIR, "data")
FAILED = []

JOB = """CREATE SOURCE orders (category TEXT, region TEXT, amount DECIMAL(12,2), t TIMESTAMP, WATERMARK FOR t AS t - INTERVAL '1' HOUR)
WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');
SELECT window_start, category, region, count(*) AS n, sum(amount) AS total FROM orders GROUP BY window(t, '1 min'), category, region;
"""


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def order(rng):
    return {"category": rng.choice(["Gamer", "Books", "O'Hara \"quoted\"", "", None, "é"]), "region": rng.choice(["north", "south"]),
            "amount": rng.randrange(100000) / 100, "t": "2025-11-28T12:%02d:%02d" % (rng.randrange(20), rng.randrange(60))}


def expected(orders):
    sums = {}
    for o in orders:
        key = (o["t"][:17] + "00.000Z", o["category"], o["region"])
        n, total = sums.get(key, (0, 0))
        sums[key] = (n + 1, total + round(o["amount"] * 100))
    return sorted(((w, c, r, n, total) for (w, c, r), (n, total) in sums.items()), key=repr)


def as_tuples(rows):
    return sorted(((r["window_start"], r["category"], r["region"], r["n"], round(r["total"] * 100)) for r in rows), key=repr)


def over_http(s, **want):
    return as_tuples(s.ask("GET", "/jobs/revenue/result?" + urllib.parse.urlencode({"limit": 100000, **want}))[1]["rows"])


def over_sql(s, where, columns="*"):
    rows = s.sql("SELECT %s FROM revenue_result WHERE %s" % (columns, where))
    return as_tuples(rows) if columns == "*" else rows


def compare(s, all_rows):
    """Each way of asking, against looking through all rows here."""
    check("all", over_http(s), all_rows)
    for c in ("Gamer", "O'Hara \"quoted\"", "", "é", "nothing"):
        want = [r for r in all_rows if r[1] == c]
        check("http %r" % c, over_http(s, category=c), want)
        check("sql %r" % c, over_sql(s, "category = '%s'" % c.replace("'", "''")), want)
        check("sql turned round %r" % c, over_sql(s, "'%s' = category AND region = 'north'" % c.replace("'", "''")), [r for r in want if r[2] == "north"])
        w = "2025-11-28T12:05:00.000Z"
        check("http window %r" % c, over_http(s, category=c, window_start=w), [r for r in want if r[0] == w])
        check("sql window %r" % c, over_sql(s, "category = '%s' AND window_start = TIMESTAMP '2025-11-28 12:05:00'" % c.replace("'", "''")),
              [r for r in want if r[0] == w])
    check("either", over_sql(s, "category = 'Gamer' OR region = 'south'"), [r for r in all_rows if r[1] == "Gamer" or r[2] == "south"])
    check("NULL", over_sql(s, "category IS NULL"), [r for r in all_rows if r[1] is None])
    check("= NULL", over_sql(s, "category = NULL"), [])
    check("no key", over_sql(s, "n = 2"), [r for r in all_rows if r[3] == 2])
    check("both ways at once", s.sql("SELECT a.n AS x, b.n AS y FROM (SELECT sum(n) AS n FROM revenue_result WHERE category = 'Gamer') a,"
                                     " (SELECT sum(n) AS n FROM revenue_result WHERE category = 'Books') b"),
          [{"x": sum(r[3] for r in all_rows if r[1] == "Gamer"), "y": sum(r[3] for r in all_rows if r[1] == "Books")}])


def put(orders):
    with open(os.path.join(DIR, "orders"), "a") as f:
        f.write("".join(json.dumps(o) + "\n" for o in orders))


def changing(s):
    rng, orders = random.Random(7), []
    for _ in range(4):
        more = [order(rng) for _ in range(150)]
        orders += more
        put(more)
        s.until("revenue", "%d rows" % len(orders), lambda j: j.get("rows_in") == len(orders))
        proc.wait_until(lambda: over_http(s) == expected(orders), "all rows counted", 60, s.child)
        compare(s, expected(orders))
    return orders


def shrinking(s):
    """Rows that leave a result leave its indexes."""
    path = os.path.join(DIR, "hot")
    open(path, "w").close()
    s.ask("POST", "/jobs", {"name": "hot", "sql": "CREATE SOURCE r (k TEXT, at BIGINT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');"
                            "SELECT k, max_by(v, at) AS v FROM r GROUP BY k HAVING max_by(v, at) > 30;" % path})

    def see(k, v, at):
        with open(path, "a") as f:
            f.write(json.dumps({"k": k, "v": v, "at": at}) + "\n")
        s.until("hot", "%d rows" % at, lambda j: j.get("rows_in") == at)

    def both(k):
        return s.ask("GET", "/jobs/hot/result?k=" + k)[1]["rows"], s.sql("SELECT k, v FROM hot_result WHERE k = '%s'" % k)

    for at, (k, v, should) in enumerate((("a", 40, [40]), ("b", 50, [50]), ("a", 41, [41]), ("a", 7, []), ("a", 60, [60])), 1):
        see(k, v, at)
        rows = [{"k": k, "v": x} for x in should]
        proc.wait_until(lambda: both(k) == (rows, rows), "%s is %s" % (k, should), 60, s.child)
    check("the other", both("b"), ([{"k": "b", "v": 50}],) * 2)


def refused(s):
    check("no such job", s.sql("SELECT * FROM nothing_result")[0], 400)
    check("no such column", s.sql("SELECT x FROM revenue_result")[0], 400)
    check("a view would outlive it", s.sql("CREATE VIEW v AS SELECT n FROM revenue_result")[0], 400)
    check("listed", [r["name"] for r in s.sql("SHOW SOURCES") if "result" in r["name"]], ["hot_result", "revenue_result"])
    check("described", [r["column"] for r in s.sql("DESCRIBE hot_result")], list(s.sql("SELECT * FROM hot_result LIMIT 1")[0]))
    check("not among sinks", [r["name"] for r in s.sql("SHOW SINKS") if "result" in r["name"]], [])
    check("a declared one goes first", (s.sql("CREATE SOURCE revenue_result (x BIGINT) WITH (connector = 'datagen', rows = 3)")["kind"],
                                        s.sql("SELECT count(*) AS c FROM revenue_result")), ("message", [{"c": 3}]))
    check("and goes", s.sql("DROP SOURCE revenue_result")["kind"], "message")


def followed(s):
    """A stream with a condition: the rows of now that fulfil it, then such changes, and no others."""
    path = os.path.join(DIR, "followed")

    def put(k, v):
        with open(path, "a") as f:
            f.write(json.dumps({"k": k, "v": v}) + "\n")
    put("a", 1)
    put("b", 2)
    s.ask("POST", "/jobs", {"name": "followed", "sql": "CREATE SOURCE r (k TEXT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');"
                            "SELECT k, sum(v) AS total FROM r GROUP BY k;" % path})
    s.until("followed", "two rows", lambda j: j.get("rows_in") == 2)
    proc.wait_until(lambda: len(s.ask("GET", "/jobs/followed/result")[1].get("rows", [])) == 2, "two results", 60, s.child)
    for kind, head in (("ndjson", ""), ("sse", "data: ")):
        c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
        c.request("GET", "/jobs/followed/result?k=b&stream=" + kind, headers={"Authorization": "Bearer " + s.token})
        a = c.getresponse()
        got = []

        def next_row():
            while True:
                line = a.readline().decode().rstrip("\n")
                if line.startswith(head + "{") and line != "data: {}":
                    return json.loads(line[len(head):])
        got.append(next_row())
        put("a", 10)
        put("b", 20)
        while got[-1]["op"] != "+U":
            got.append(next_row())
        check(kind, ({r["k"] for r in got}, [r["op"] for r in got], got[-1]["total"] - got[0]["total"]), ({"b"}, ["+I", "-U", "+U"], 20))
        a.close()
        c.close()
    check("no such column", s.ask("GET", "/jobs/followed/result?x=1&stream=sse")[0], 400)


def several(s):
    """Every SELECT of a job has a result; an INSERT between them has none."""
    rows = os.path.join(DIR, "several")
    with open(rows, "w") as f:
        f.write("".join('{"k": %d}\n' % (i % 3) for i in range(10)))
    sql = ("CREATE SOURCE a (k BIGINT) WITH (connector = 'file', path = '%s', format = 'json'); CREATE SINK b WITH (connector = 'blackhole');"
           "INSERT INTO b SELECT k, count(*) AS n FROM a GROUP BY k; SELECT max(k) AS m FROM a; INSERT INTO b SELECT k, k FROM a; SELECT k FROM a WHERE k = 2;" % rows)
    check("several", s.ask("POST", "/jobs", {"name": "several", "sql": sql})[0], 201)
    check("their numbers", s.until("several", "done", lambda j: j["state"] == "done")["results"], [1, 2, 4])
    check("first", s.sql("SELECT k, n FROM several_result ORDER BY k LIMIT 9"), [{"k": 0, "n": 4}, {"k": 1, "n": 3}, {"k": 2, "n": 3}])
    check("second", (s.ask("GET", "/jobs/several/result?statement=2")[1]["rows"], s.sql("SELECT m FROM several_result_2")), ([{"m": 2}], [{"m": 2}]))
    check("fourth", (s.ask("GET", "/jobs/several/result?statement=4&k=2")[1]["total"], s.sql("SELECT count(*) AS c FROM several_result_4")), (3, [{"c": 3}]))
    check("third", (s.ask("GET", "/jobs/several/result?statement=3")[0], s.sql("SELECT * FROM several_result_3")[0]), (404, 400))
    check("no number", s.ask("GET", "/jobs/several/result?statement=x")[0], 404)


def streamed(s):
    """The same as lines: of the statement, of the result, of the query that streams."""
    lines = s.ask("POST", "/sql", {"sql": "SELECT n FROM hot_result_2"}, Accept="application/x-ndjson")
    check("an error is no line", lines[0], 400)
    rows = s.ask("POST", "/sql", {"sql": "SELECT k FROM hot_result WHERE v > 0"}, Accept="application/x-ndjson")[1].splitlines()
    check("lines", sorted(json.loads(x)["k"] for x in rows), ["a", "b"])
    rows = s.ask("GET", "/jobs/hot/result?k=a", Accept="application/x-ndjson")[1].splitlines()
    check("lines by key", [json.loads(x) for x in rows], [{"k": "a", "v": 60}])
    rows = s.ask("POST", "/query", {"sql": "SELECT v FROM hot_result WHERE k = 'b'"})[1].splitlines()
    check("streamed", [json.loads(x)["row"] for x in rows if '"row"' in x], [[50]])


def main():
    open(os.path.join(DIR, "orders"), "w").close()
    s = served.Server(DATA, "--allow-files", DIR)
    check("submit", s.ask("POST", "/jobs", {"name": "revenue", "sql": JOB % os.path.join(DIR, "orders")})[0], 201)
    s.until("revenue", "running", lambda j: j["state"] == "running")
    orders = changing(s)
    shrinking(s)
    refused(s)
    streamed(s)
    several(s)
    followed(s)
    check("savepoint", s.ask("POST", "/jobs/revenue/savepoint")[0], 200)
    s.kill()
    s = served.Server(DATA, "--allow-files", DIR)
    s.until("revenue", "running again", lambda j: j["state"] == "running")
    proc.wait_until(lambda: over_http(s) == expected(orders), "the result after the crash", 60, s.child)
    compare(s, expected(orders))
    check("stopped", s.stop(), 0)
    shutil.rmtree(DIR, ignore_errors=True)
    if FAILED:
        raise SystemExit("%d failed" % len(FAILED))


main()

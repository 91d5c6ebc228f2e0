"""real_server.py: weir serve end to end: tokens, hosts and origins, jobs that outlive kill -9, results, metrics, system tables, limits, slow clients; the
description in docs/openapi.yaml against the server. Waits for what the server says, never for time to pass. also: dev
"""
import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import proc
import served

WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-server-")
DATA = os.path.join(DIR, "data")
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def Server(*args):
    return served.Server(DATA, *args)


def client(server, *args):
    env = dict(os.environ, WEIR_TOKEN="")
    done = subprocess.run([WEIR, *args, "--server", "http://127.0.0.1:%d" % server.port, "--data", DATA], capture_output=True, text=True, timeout=60, env=env)
    return done.returncode, done.stdout, done.stderr


def file(name, text):
    path = os.path.join(DIR, name)
    with open(path, "w") as f:
        f.write(text)
    return path


def guards(s):
    token = "Bearer " + s.token
    check("no token", s.raw("GET", "/jobs")[0], 401)
    check("wrong token", s.raw("GET", "/jobs", Authorization="Bearer " + "0" * len(s.token))[0], 401)
    check("token", s.raw("GET", "/jobs", Authorization=token)[0], 200)
    check("metrics need it", s.raw("GET", "/metrics")[0], 401)
    check("health does not", s.raw("GET", "/health")[0], 200)
    check("page does not", s.raw("GET", "/")[0], 200)
    check("foreign host", s.raw("GET", "/health", Host="evil.example:%d" % s.port)[0], 421)
    check("foreign origin", s.raw("GET", "/jobs", Authorization=token, Origin="http://evil.example")[0], 403)
    check("own origin", s.raw("GET", "/jobs", Authorization=token, Origin="http://127.0.0.1:%d" % s.port)[0], 200)
    check("form body", s.raw("POST", "/sql", "sql=1", Authorization=token, Content_Type="text/plain")[0], 415)
    check("paths are no files", s.raw("GET", "/..%252f..%252fetc/passwd", Authorization=token)[0], 404)
    check("method", s.raw("PUT", "/jobs", Authorization=token)[0], 405)
    check("token file", os.stat(os.path.join(DATA, "token")).st_mode & 0o777, 0o600)
    check("catalog file", os.stat(os.path.join(DATA, "weir.db")).st_mode & 0o777, 0o600)
    check("data directory", os.stat(DATA).st_mode & 0o777, 0o700)


def answer_of(s, text):
    c = socket.create_connection(("127.0.0.1", s.port), 60)
    c.sendall(text.encode())
    got = c.recv(65536)
    c.close()
    return int(got.split()[1]) if got else 0


def smuggling(s):
    head = "POST /sql HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAuthorization: Bearer %s\r\nContent-Type: application/json\r\n" % (s.port, s.token)
    check("large body", answer_of(s, head + "Content-Length: 1048577\r\n\r\n"), 413)
    check("length twice", answer_of(s, head + "Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}") in (0, 400), True)
    check("length and encoding", answer_of(s, head + "Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n") in (0, 400), True)
    check("many headers", answer_of(s, head + "".join("X-%d: 1\r\n" % i for i in range(120)) + "Content-Length: 2\r\n\r\n{}") in (0, 431), True)


def slow_client(s):
    """Sends one byte of a head now and then: the connection is closed all the same."""
    c = socket.create_connection(("127.0.0.1", s.port), 60)
    c.settimeout(1)
    c.sendall(b"GET /health HTTP/1.1\r\nX-Slow: ")
    for _ in range(40):
        try:
            if c.recv(1) == b"":
                return
        except socket.timeout:
            pass
        except OSError:
            return
        try:
            c.sendall(b"a")
        except OSError:
            return
    check("a slow client is cut", "after 40 s still open", "closed")


ORDERS = """CREATE SOURCE s (n BIGINT, t TIMESTAMP) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');
SELECT window_start, n %% 2 AS odd, count(*) AS c, sum(n) AS total FROM s GROUP BY window(t, '1 min'), n %% 2 WITH WATERMARK '1 s';
"""


def rows(first, last):
    return "".join('{"n": %d, "t": "2025-01-01T00:00:%02d"}\n' % (n, n % 60) for n in range(first, last))


def result(s, job, query=""):
    return sorted((r["odd"], r["c"], r["total"]) for r in s.ask("GET", "/jobs/%s/result%s" % (job, query))[1]["rows"])


def jobs(s):
    """A job counts the lines of a growing file; the server is killed in between."""
    data = file("in.ndjson", rows(0, 50))
    sql = file("orders.sql", ORDERS % data)
    check("submit", client(s, "submit", sql, "--name", "orders")[0], 0)
    check("submit twice", client(s, "submit", sql, "--name", "orders")[0], 2)
    s.until("orders", "50 rows", lambda j: j.get("rows_in") == 50)
    check("result", result(s, "orders"), [(0, 25, 600), (1, 25, 625)])
    check("by key", result(s, "orders", "?odd=1"), [(1, 25, 625)])
    check("no such column", s.ask("GET", "/jobs/orders/result?nothing=1")[0], 400)
    check("savepoint", client(s, "savepoint", "orders")[0], 0)
    with open(data, "a") as f:
        f.write(rows(50, 55))
    s.until("orders", "55 rows", lambda j: j.get("rows_in") == 55)
    s.kill()
    s = Server("--allow-files", DIR)
    s.until("orders", "running again", lambda j: j["state"] == "running")
    with open(data, "a") as f:
        f.write('{"n": 1, "t": "2025-01-01T00:00:00"}\n{"n": "x", "t": "2025-01-01T00:00:00"}\n')
    proc.wait_until(lambda: result(s, "orders") == [(0, 28, 756), (1, 28, 730)], "the result after the crash", 60, s.child)
    check("bad row is counted", s.until("orders", "bad", lambda j: j.get("rows_bad") == 1)["bad_by_reason"], {"type": 1})
    check("bad row is shown", s.ask("GET", "/jobs/orders/errors")[1]["samples"][0]["column"], "n")
    return s


def statements(s):
    s.sql("CREATE SOURCE d (n BIGINT) WITH (connector = 'datagen', rows = 10, seed = 1)")
    check("query", s.sql("SELECT count(*) AS c FROM d"), [{"c": 10}])
    check("system table", s.sql("SELECT job, state FROM weir.jobs WHERE job = 'orders'"), [{"job": "orders", "state": "running"}])
    check("windows", s.sql("SELECT \"rows\", keys FROM weir.windows"), [{"rows": 56, "keys": 2}])
    check("errors", s.sql("SELECT job, reason FROM weir.errors"), [{"job": "orders", "reason": "type"}])
    check("file refused", s.sql("CREATE SOURCE f (a TEXT) WITH (connector = 'file', path = '/etc/passwd', format = 'json'); SELECT * FROM f")[0], 400)
    check("dropped again", s.sql("DROP SOURCE f")["kind"], "message")
    s.sql("SUBMIT JOB counted AS SELECT count(*) AS c FROM d")
    s.until("counted", "done", lambda j: j["state"] == "done")
    check("its result", s.ask("GET", "/jobs/counted/result")[1]["rows"], [{"c": 10}])
    check("drop", client(s, "drop", "counted")[0], 0)
    check("is gone", s.ask("GET", "/jobs/counted")[0], 404)
    check("why", "holds the watermark" in client(s, "why", "orders")[1], True)
    check("stop", client(s, "stop", "orders")[1], "orders: stopped\n")
    check("resume", client(s, "resume", "orders")[0], 0)
    s.until("orders", "resumed", lambda j: j["state"] == "running")
    check("wrong SQL", client(s, "submit", file("bad.sql", "SELECT 1 FROM nothing;"))[0], 2)


def queries(s):
    """POST /query: rows as they come; closing the connection stops the query."""
    lines = s.ask("POST", "/query", {"sql": "SELECT count(*) AS c, 'x' AS t FROM d"})[1].splitlines()
    check("shape", json.loads(lines[0]), {"columns": [{"name": "c", "type": "BIGINT"}, {"name": "t", "type": "TEXT"}], "updating": False, "bounded": True,
                                          "unique": True, "key": [], "window": [-1, -1]})
    check("rows", [json.loads(x) for x in lines if '"row"' in x], [{"op": "+I", "row": [10, "x"]}])
    check("last line", json.loads(lines[-1]), {"end": "done"})
    check("no query", s.ask("POST", "/query", {"sql": "SHOW JOBS"})[0], 400)
    check("place of the error", s.ask("POST", "/query", {"sql": "SELECT 1 FROM nothing"})[1]["error"]["offset"], 14)
    s.sql("CREATE SOURCE endless (n BIGINT) WITH (connector = 'datagen', rows_per_second = 1000)")
    for _ in range(20):      # more than may run at once: each has ended when its asker went
        c = http.client.HTTPConnection("127.0.0.1", s.port, timeout=60)
        c.request("POST", "/query", json.dumps({"sql": "SELECT n FROM endless"}),
                  {"Authorization": "Bearer " + s.token, "Content-Type": "application/json"})
        a = c.getresponse()
        check("endless", (a.status, a.readline()[:11], a.readline()[:4]), (200, b'{"columns":', b'{"op'))
        a.close()
        c.close()
    check("plan with figures", s.sql("EXPLAIN ANALYZE orders")["text"].count("rows in"), len(s.ask("GET", "/jobs/orders/plan")[1]["nodes"]))


def metrics(s):
    status, text = s.ask("GET", "/metrics")
    seen, family = set(), None
    for line in text.splitlines():
        m = re.fullmatch(r"# (HELP|TYPE) ((?:weir|process)_[a-z_]+) .+", line)
        if m:
            family = m.group(2)
            continue
        m = re.fullmatch(r'((?:weir|process)_[a-z_]+)(\{[a-z_]+="[^"]*"(,[a-z_]+="[^"]*")*\})? -?[0-9.]+', line)
        check("metrics line " + line, bool(m), True)
        check("family of " + line, m and m.group(1), family)
        check("twice: " + line, line.split(" ")[0] in seen, False)
        seen.add(line.split(" ")[0])
    check("state of the job", 'weir_job_state{weir_job="orders",state="running"}' in seen, True)


def described(s):
    """Each path and method of docs/openapi.yaml is known to the server, and the other way round."""
    with open(os.path.join(proc.ROOT, "docs", "openapi.yaml")) as f:
        text = f.read()
    path, n = None, 0
    for line in text.splitlines():
        m = re.fullmatch(r"  (/\S*):", line)
        if m:
            path = m.group(1)
        m = re.fullmatch(r"    (get|post|delete):", line)
        if m and path:
            n += 1
            status, _, body = s.raw(m.group(1).upper(), path.replace("{job}", "no-such-job"), None, Authorization="Bearer " + s.token)
            check("%s %s is known" % (m.group(1), path), status == 405 or (status == 404 and b"nothing at this path" in body), False)
    with open(os.path.join(proc.ROOT, "server", "http.c")) as f:
        check("described routes", n, len(re.findall(r'^    \{"(?:GET|POST|DELETE)", "/', f.read(), re.M)))


def main():
    s = Server("--allow-files", DIR)
    guards(s)
    smuggling(s)
    s = jobs(s)
    statements(s)
    queries(s)
    metrics(s)
    described(s)
    slow_client(s)
    check("SIGTERM", s.stop(), 0)
    s = Server("--allow-files", DIR)
    s.until("orders", "running after a restart", lambda j: j["state"] == "running")
    proc.wait_until(lambda: result(s, "orders") == [(0, 28, 756), (1, 28, 730)], "the result after a restart", 60, s.child)
    check("end", s.stop(), 0)
    shutil.rmtree(DIR)
    if FAILED:
        raise SystemExit("%d failed" % len(FAILED))


main()

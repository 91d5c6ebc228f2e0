"""real_http.py: connector = 'http' against a webhook whose replies the test decides: bodies, headers, secrets, repetitions, poison rows, an alarm and its
all-clear, and kill -9 between checkpoints. also: dev
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import hook
import proc

WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-http-")
FAILED = []
CLEAN = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def path(name):
    return os.path.join(DIR, name)


def write(name, text):
    with open(path(name), "w") as f:
        f.write(text)


def rows(n, poison=()):
    write("in.ndjson", "".join(json.dumps({"n": i, "k": "poison" if i in poison else "k%d" % (i % 3)}) + "\n" for i in range(n)))


def run(h, options, query="INSERT INTO hook SELECT n, k FROM s;", sql=""):
    """(exit code, stderr) of: the rows of in.ndjson through the query into the webhook."""
    write("job.sql", "CREATE SOURCE s (n BIGINT, k TEXT) WITH (connector = 'file', path = '%s', format = 'json');\n"
          "CREATE SINK hook WITH (connector = 'http', url = '%s'%s);\n%s\n%s\n" % (path("in.ndjson"), h.url, options, sql, query))
    done = subprocess.run([WEIR, "run", path("job.sql")], capture_output=True, text=True, timeout=120, env=CLEAN)
    return done.returncode, done.stdout + done.stderr


def bodies():
    rows(5)
    with hook.Hook() as h:
        check("row: ends well", run(h, ", header.\"X-Api-Key\" = 'canary-1', bearer_token = 'canary-2'"), (0, ""))
        check("row: bodies", [r.body for r in h.requests], ['{"n":%d,"k":"k%d"}' % (i, i % 3) for i in range(5)])
        first = h.requests[0]
        check("row: head", (first.method, first.path, first.headers["Content-Type"], first.headers["X-Api-Key"], first.headers["Authorization"]),
              ("POST", "/", "application/json", "canary-1", "Bearer canary-2"))
        check("row: keys differ", len({r.headers["Idempotency-Key"] for r in h.requests}), 5)
    with hook.Hook() as h:
        check("array: ends well", run(h, ", body = 'array', batch_rows = 2, method = 'PUT', username = 'u', password = 'canary-3'"), (0, ""))
        check("array: sizes", [len(json.loads(r.body)) for r in h.requests], [2, 2, 1])
        check("array: rows", h.taken(), [{"n": i, "k": "k%d" % (i % 3)} for i in range(5)])
        check("array: head", (h.requests[0].method, h.requests[0].headers["Authorization"]), ("PUT", "Basic dTpjYW5hcnktMw=="))
    with hook.Hook() as h:
        check("lines: ends well", run(h, ", body = 'lines'"), (0, ""))
        check("lines: one request", [(r.headers["Content-Type"], r.body.count("\n")) for r in h.requests], [("application/x-ndjson", 5)])
        check("lines: rows", h.taken(), [{"n": i, "k": "k%d" % (i % 3)} for i in range(5)])


def secrets():
    rows(1)
    with hook.Hook() as h:
        h.plan = [401]
        _, said = run(h, ", header.\"X-Api-Key\" = 'canary-1', bearer_token = 'canary-2'",
                      sql="SHOW CREATE hook; SHOW SINKS; EXPLAIN INSERT INTO hook SELECT n, k FROM s;")
        check("shown as ***", (said.count("'***'"), "canary" in said), (2, False))


def repeats():
    rows(4)
    with hook.Hook() as h:
        h.plan = [503, "close", (429, {"Retry-After": "1"}, "slow down"), 204, 204, 500, 408, 200, 204]
        code, _ = run(h, "")
        check("repeats: ends well", code, 0)
        check("repeats: taken once, in order", h.taken(), [{"n": i, "k": "k%d" % (i % 3)} for i in range(4)])
        check("repeats: asked", [r.status for r in h.requests], [503, "close", 429, 204, 204, 500, 408, 200, 204])
        keys = [r.headers["Idempotency-Key"] for r in h.requests]
        check("repeats: one key over all repetitions", [keys.index(k) for k in keys], [0, 0, 0, 0, 4, 5, 5, 5, 8])
    with hook.Hook() as h:
        h.answer = lambda r: 503
        code, said = run(h, ", retry_timeout = '300 ms'")
        check("never taken: the job fails", (code, "does not take rows: status 503" in said), (1, True))
        url = h.url
    closed = type("Closed", (), {"url": url})
    code, said = run(closed, ", retry_timeout = '300 ms'")
    check("nobody there: the job fails", (code, url in said), (1, True))


def poison():
    rows(8, poison=(2, 5))
    with hook.Hook() as h:
        h.answer = lambda r: (422, {}, "no \x1b[31mpoison") if '"poison"' in r.body else 204
        code, said = run(h, ", body = 'array'")
        check("poison: the others are taken", (code, [r["n"] for r in h.taken()]), (0, [0, 1, 3, 4, 6, 7]))
        check("poison: counted", "2 bad rows were left out" in said, True)
        check("poison: escaped", ("\x1b" in said, "status 422: no \\x1b[31mpoison" in said), (False, True))
    with hook.Hook() as h:
        h.answer = lambda r: 400 if '"poison"' in r.body else 204
        code, said = run(h, ", on_error = 'fail'")
        check("on_error = 'fail'", (code, [r["n"] for r in h.taken()], "refuses a row: status 400" in said), (1, [0, 1], True))
    for status in (401, 407, 301):
        with hook.Hook() as h:
            h.answer = lambda r: (status, {"Location": "/elsewhere"}, "")
            code, said = run(h, "")
            check("status %d fails the job" % status, (code, len(h.requests), "status %d" % status in said), (1, 1, True))


def refusals():
    rows(1)
    with hook.Hook() as h:
        for options, should in ((", delivery = 'exactly-once'", "HTTP has no transactions"), (", batch_rows = 3", "no meaning with body = 'row'"),
                                (", header.\"a b\" = 'x'", "cannot be the name of a header"), (", header.\"Host\" = 'x'", "set by the connection itself"),
                                (", bearer_token = 'a', username = 'b'", "told twice"), (", methd = 'post'", "did you mean \"method\""),
                                (", timeout = '0 s'", "from 1 ms to 1 hour"), (", header.X = 'a\r\nEvil: b'", "control characters")):
            code, said = run(h, options)
            check("refused: " + options, (code, should in said or said), (2, True))
        code, said = run(h, "", query="INSERT INTO hook SELECT k AS op, count(*) AS n FROM s GROUP BY k;")
        check("refused: op", (code, "would hide" in said), (2, True))
        check("nothing was asked", len(h.requests), 0)
    for url in ("ftp://x/", "nonsense", "http://user:canary@x/", "http://"):
        code, said = run(type("U", (), {"url": url}), "")
        check("refused: " + url, (code, "canary" in said.split("http:")[0]), (2, False))


def changes():
    """Counts over a threshold and back: each change as it comes, one row a batch."""
    with hook.Hook() as h:
        write("job.sql", "CREATE SOURCE s (n BIGINT, k TEXT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');\n"
              "CREATE SINK hook WITH (connector = 'http', url = '%s', primary_key = 'k');\n"
              "INSERT INTO hook SELECT k, max_by(n, n) AS n FROM s GROUP BY k HAVING max_by(n, n) > 30;" % (path("one.ndjson"), h.url))
        write("one.ndjson", "")
        child = subprocess.Popen([WEIR, "run", path("job.sql")], stderr=subprocess.DEVNULL, env=CLEAN, preexec_fn=proc._child(signal.SIGKILL))
        for n, k, should in ((31, "a", 1), (40, "b", 2), (32, "a", 3)):
            with open(path("one.ndjson"), "a") as f:
                f.write(json.dumps({"n": n, "k": k}) + "\n")
            h.wait(should, child=child)
        child.send_signal(signal.SIGINT)
        check("changes: stopped", child.wait(60), 0)
        check("changes: op", h.taken(), [{"k": "a", "n": 31, "op": "+I"}, {"k": "b", "n": 40, "op": "+I"}, {"k": "a", "n": 32, "op": "+U"}])


def alarm():
    """queries/sensor_alarm.sql as it is, but for its source: the alarm, and its all-clear."""
    with open(os.path.join(proc.ROOT, "queries", "sensor_alarm.sql")) as f:
        text = f.read()
    with hook.Hook() as h:
        text, n = re.subn(r"connector = 'kafka'.*start = 'earliest'", "connector = 'file', path = '%s', format = 'json', follow = 'true'" % path("readings"), text)
        check("alarm: the source was found", n, 1)
        write("alarm.sql", text)
        write("readings", "")
        child = subprocess.Popen([WEIR, "run", path("alarm.sql")], stderr=subprocess.DEVNULL, preexec_fn=proc._child(signal.SIGKILL),
                                 env=dict(CLEAN, ALARM_URL=h.url + "/hooks/1", ALARM_TOKEN="t"))
        for at, (degrees, should) in enumerate(((31, 1), (36, 2), (29, 3))):
            with open(path("readings"), "a") as f:
                f.write(json.dumps({"sensor_id": "s4", "location": "roof", "temperature": degrees, "timestamp": "2025-11-28T12:0%d:00Z" % at}) + "\n")
            h.wait(should, child=child)
        child.send_signal(signal.SIGINT)
        check("alarm: stopped", child.wait(60), 0)
        check("alarm: what arrived", [(r["sensor_id"], r["severity"], r["op"]) for r in h.taken()],
              [("s4", "warning", "+I"), ("s4", "critical", "+U"), ("s4", "critical", "-D")])
        check("alarm: where", (h.requests[0].path, h.requests[0].headers["Authorization"]), ("/hooks/1", "Bearer t"))


def killed():
    """kill -9 in the middle, then to the end from the checkpoint: every row arrives, some twice, in order but for the repetition."""
    n = 400
    rows(n)
    with hook.Hook() as h:
        write("job.sql", "CREATE SOURCE s (n BIGINT, k TEXT) WITH (connector = 'file', path = '%s', format = 'json');\n"
              "CREATE SINK hook WITH (connector = 'http', url = '%s');\nINSERT INTO hook SELECT n, k FROM s;" % (path("in.ndjson"), h.url))
        args = [WEIR, "run", path("job.sql"), "--checkpoint", path("ckpt"), "--every", "10 ms"]
        for at in (100, 250):
            child = subprocess.Popen(args, stderr=subprocess.DEVNULL, env=CLEAN, preexec_fn=proc._child(signal.SIGKILL))
            h.wait(at, child=child)
            child.kill()
            child.wait()
        done = subprocess.run(args, capture_output=True, text=True, timeout=120, env=CLEAN)
        check("killed: ends well", done.returncode, 0)
        check("killed: every row", sorted({r["n"] for r in h.taken()}), list(range(n)))


def main():
    for test in (bodies, secrets, repeats, poison, refusals, changes, alarm, killed):
        test()
    if FAILED:
        print("%d failed" % len(FAILED))
    shutil.rmtree(DIR, ignore_errors=True)
    return 1 if FAILED else 0


sys.exit(main())

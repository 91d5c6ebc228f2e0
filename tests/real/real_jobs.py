"""real_jobs.py: jobs beside one another: a query replaced by another one that its state fits, and refused where it does not; limits; one job that fails,
one that is flooded and one whose sink hangs, while another goes on. also: dev
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import hook
import proc
import served

DIR = tempfile.mkdtemp(prefix="weir-jobs-")
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def path(name):
    return os.path.join(DIR, name)


def append(name, *rows):
    with open(path(name), "a") as f:
        f.write("".join(json.dumps(r) + "\n" for r in rows))


def counter(source, select="SELECT k, count(*) AS n, sum(v) AS total FROM s WHERE v > 10 GROUP BY k"):
    append(source)
    return "CREATE SOURCE s (k TEXT, v BIGINT, w BIGINT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');\n%s;" % (path(source), select)


def submit(s, name, sql, **more):
    status, answer = s.ask("POST", "/jobs", {"name": name, "sql": sql, **more})
    return status if status == 201 else (status, answer["error"]["message"], answer["error"].get("hint"))


def result(s, name):
    return sorted((r["k"], r["n"], r["total"]) for r in s.ask("GET", "/jobs/%s/result" % name)[1].get("rows", []))


def see(s, name, should):
    proc.wait_until(lambda: result(s, name) == should, "result %s of %s" % (should, name), 60, s.child)


def replacing(s):
    check("submit", submit(s, "c", counter("a")), 201)
    append("a", {"k": "x", "v": 20}, {"k": "x", "v": 5}, {"k": "y", "v": 11})
    see(s, "c", [("x", 1, 20), ("y", 1, 11)])
    # another condition, on a column that was not read before: what was counted stays, what comes is counted the new way
    check("fits", submit(s, "c", counter("a", "SELECT k, count(*) AS n, sum(v) AS total FROM s WHERE v > 3 AND w < 50 GROUP BY k"), replace=True), 201)
    append("a", {"k": "x", "v": 104, "w": 1}, {"k": "x", "v": 104, "w": 60})
    see(s, "c", [("x", 2, 124), ("y", 1, 11)])
    for what, select in (("another aggregate", "SELECT k, count(*) AS n, max(v) AS total FROM s WHERE v > 3 GROUP BY k"),
                         ("another argument", "SELECT k, count(*) AS n, sum(w) AS total FROM s WHERE v > 3 GROUP BY k"),
                         ("another key", "SELECT w AS k, count(*) AS n, sum(v) AS total FROM s WHERE v > 3 GROUP BY w"),
                         ("a condition on results that are taken back",
                          "SELECT k, count(*) AS n, sum(v) AS total FROM s WHERE v > 3 GROUP BY k HAVING count(*) > 1")):
        status, message, hint = submit(s, "c", counter("a", select), replace=True)
        check(what + " is refused", (status, "keeps running as it is" in message and "; was: " in message, "drop the job" in hint), (400, True, True))
    status, message, _ = submit(s, "c", counter("a", "SELECT nothing FROM s"), replace=True)
    check("wrong SQL", (status, "nothing" in message), (400, True))
    append("a", {"k": "y", "v": 9, "w": 0}, {"k": "y", "v": 9})
    see(s, "c", [("x", 2, 124), ("y", 2, 20)])
    check("no restart was needed", s.ask("GET", "/jobs/c")[1]["restarts"], 0)
    s.kill()
    s = served.Server(path("data"), "--allow-files", DIR)
    append("a", {"k": "z", "v": 4, "w": 1})
    see(s, "c", [("x", 2, 124), ("y", 2, 20), ("z", 1, 4)])
    return s


def limits(s):
    append("wide", *({"k": "key %d" % i, "v": i} for i in range(5000)))
    check("submit", submit(s, "wide", "SET max_state_bytes = '64 kB';\n" + counter("wide", "SELECT count(DISTINCT k) AS n FROM s")), 201)
    job = s.until("wide", "waits or has failed", lambda j: j["state"] in ("waiting", "failed"))
    check("why", ("more than max_state_bytes = 64000" in job["reason"], "Aggregate" in job["reason"]), (True, True))
    check("limits are shown", submit(s, "slow", "SET cpu_limit = 20; SET max_state_bytes = '1 MiB';\n" + counter("slow")), 201)
    append("slow", {"k": "x", "v": 20})
    see(s, "slow", [("x", 1, 20)])
    job = s.ask("GET", "/jobs/slow")[1]
    check("as figures", (job["cpu_limit_percent"], job["max_state_bytes"], job["cpu_seconds"] >= 0), (20, 1 << 20, True))
    for wrong, word in (("cpu_limit = 101", "cpu_limit"), ("cpu_limt = 1", "did you mean"), ("checkpoint.dir = '/tmp/x'", "data directory"),
                        ("parallelism = 0", "parallelism")):
        status, message, hint = submit(s, "wrong", "SET %s;\n" % wrong + counter("slow"))
        check("refused: " + wrong, (status, word in message + str(hint) or (message, hint)), (400, True))
    # a SET before SUBMIT JOB goes with the job
    s.sql("SET cpu_limit = 30; CREATE SOURCE d (k TEXT) WITH (connector = 'datagen', rows_per_second = 10); SUBMIT JOB with_set AS SELECT k FROM d; RESET cpu_limit")
    check("SET and SUBMIT", s.until("with_set", "runs", lambda j: j["state"] == "running")["cpu_limit_percent"], 30)
    check("dropped", [s.ask("DELETE", "/jobs/" + j)[0] for j in ("wide", "slow", "with_set")], [200, 200, 200])


WINDOWS = """SET parallelism = %d;
CREATE SOURCE s (k TEXT, v BIGINT, at TIMESTAMP) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');
SELECT window_start, k, count(*) AS n, sum(v) AS total, 60 / (sum(v) - 7) AS part FROM s GROUP BY window(at, '1 min'), k WITH WATERMARK '0 s';"""


def event(k, v, minute):
    return {"k": k, "v": v, "at": "2025-01-01T00:%02d:30Z" % minute}


def tables(s, job):
    """What can be said of a job without saying how many tasks it has."""
    seen = s.ask("GET", "/jobs/" + job)[1]
    windows = s.sql("SELECT window_start, window_end, sum(rows) AS rows, sum(keys) AS keys FROM weir.windows WHERE job = '%s' GROUP BY window_start, window_end" % job)
    nodes = [n for n in s.ask("GET", "/jobs/%s/plan" % job)[1]["nodes"] if n["kind"] != "Exchange"]
    return ([seen[f] for f in ("rows_in", "rows_out", "rows_late", "rows_bad", "lag", "watermark", "bad_by_reason")], sorted(windows, key=lambda w: w["window_start"]),
            [[n[f] for f in ("kind", "in", "out", "filtered", "late", "bad", "held", "open_windows", "watermark")] for n in nodes],
            sorted(s.ask("GET", "/jobs/%s/result" % job)[1]["rows"], key=str))


def several_tasks(s):
    """A job of three tasks says the same as one of one: its result, its figures, its windows; also after a crash, and when it goes on with two."""
    append("wins")
    for tasks in (1, 3):
        check("submit %d" % tasks, submit(s, "tasks%d" % tasks, WINDOWS % (tasks, path("wins"))), 201)

    def same(rows, late, bad):
        def now():
            return [s.ask("GET", "/jobs/tasks%d" % n)[1] for n in (1, 3)]
        proc.wait_until(lambda: all([j.get(f) for f in ("rows_in", "rows_late", "rows_bad")] == [rows, late, bad] for j in now()), "both have read it", 60, s.child)
        proc.wait_until(lambda: tables(s, "tasks1") == tables(s, "tasks3"), "%r = %r" % (tables(s, "tasks1"), tables(s, "tasks3")), 60, s.child)
    append("wins", *[event("key %d" % (i % 40), 10 + i % 40, i // 100) for i in range(500)])
    same(500, 0, 0)
    check("five windows, one of them open", [(w["window_start"], w["rows"], w["keys"]) for w in tables(s, "tasks3")[1]], [("2025-01-01T00:04:00.000Z", 100, 40)])
    append("wins", event("late", 1, 1), event("zero", 7, 4), {"k": "bad", "v": "seven"}, event("key 1", 10, 5))
    same(504, 1, 2)
    by_id = {n["id"]: n for n in s.ask("GET", "/jobs/tasks3/plan")[1]["nodes"]}
    check("three instances count", sorted((n["kind"], n["instances"]) for n in by_id.values() if n["kind"] in ("Scan", "Aggregate")), [("Aggregate", 3), ("Scan", 1)])
    check("parallelism is shown", s.ask("GET", "/jobs/tasks3")[1]["parallelism"], 3)
    whys = [[line for line in s.ask("GET", "/jobs/tasks%d/why" % n)[1]["text"].split("\n") if "next to close" in line] for n in (1, 3)]
    check("why", (len(whys[0]), whys[1]), (1, whys[0]))
    # a line written by a thread that the job started goes to the job's log
    proc.wait_until(lambda: "division" in str(s.ask("GET", "/jobs/tasks3/logs")[1]), "the log of what the second task found", 60, s.child)
    check("savepoint", s.ask("POST", "/jobs/tasks3/savepoint")[0], 200)
    s.kill()
    s = served.Server(path("data"), "--allow-files", DIR)
    append("wins", *[event("key %d" % (i % 40), 10, 5) for i in range(60)])
    total = "SELECT sum(n) AS n FROM %s_result"
    for n in (1, 3):
        proc.wait_until(lambda n=n: s.sql(total % ("tasks%d" % n)) == [{"n": 561}], "rows counted by tasks%d after the crash" % n, 60, s.child)
    check("the same result", tables(s, "tasks1")[3], tables(s, "tasks3")[3])
    check("with two tasks", submit(s, "tasks3", WINDOWS % (2, path("wins")), replace=True), 201)
    append("wins", *[event("key %d" % (i % 40), 10, 5) for i in range(60)])
    for n in (1, 3):
        proc.wait_until(lambda n=n: s.sql(total % ("tasks%d" % n)) == [{"n": 621}], "rows counted by tasks%d after it was replaced" % n, 60, s.child)
    check("the same result again", tables(s, "tasks1")[3], tables(s, "tasks3")[3])
    for n in (1, 3):
        check("drop", s.ask("DELETE", "/jobs/tasks%d" % n)[0], 200)
    return s


HOARD = """SET max_state_bytes = '1 MB'; SET cpu_limit = 60;
CREATE SOURCE f (id BIGINT) WITH (connector = 'datagen', rows_per_second = 0, columns.id.kind = 'sequence');
CREATE SINK b WITH (connector = 'blackhole');
INSERT INTO b SELECT id, count(*) FROM f GROUP BY id;"""


def isolation(s):
    """Whatever happens beside it, the steady job counts every row."""
    flood = "CREATE SOURCE f (k TEXT, v BIGINT) WITH (connector = 'datagen', rows_per_second = 0);\n"
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))       # nobody listens there
    url = "http://127.0.0.1:%d" % closed.getsockname()[1]
    append("fails", {"k": "x", "v": 20})
    with hook.Hook() as stuck:
        stuck.answer = lambda r: 503
        jobs = {"steady": counter("steady"), "flooded": flood + "CREATE SINK b WITH (connector = 'blackhole'); INSERT INTO b SELECT k, sum(v) FROM f GROUP BY k;",
                "fails": counter("fails", "CREATE SINK h WITH (connector = 'http', url = '%s', retry_timeout = '0 s'); INSERT INTO h SELECT k, v FROM s" % url),
                "hoards": HOARD, "hangs": flood + "CREATE SINK h WITH (connector = 'http', url = '%s', retry_timeout = '1 h'); INSERT INTO h SELECT k FROM f;" % stuck.url}
        for name, sql in jobs.items():
            check("submit " + name, submit(s, name, sql), 201)
        s.until("fails", "has failed", lambda j: j["state"] in ("waiting", "failed") and url in j["reason"])
        proc.wait_until(lambda: len(stuck.requests) > 2, "the hanging sink was tried again", 60, s.child)
        for i in range(1, 6):
            append("steady", {"k": "x", "v": 20})
            see(s, "steady", [("x", i, 20 * i)])
            check("savepoint %d" % i, s.ask("POST", "/jobs/steady/savepoint")[0], 200)
        # more keys than its memory: they are on disk, and it counts on
        s.until("hoards", "has far more keys than fit", lambda j: j.get("rows_in", 0) >= 150000)
        held = s.sql("SELECT sum(state_bytes) AS memory, sum(state_disk_bytes) AS disk FROM weir.operators WHERE job = 'hoards'")[0]
        # what has changed since the last flush has to stay, so it is a few times the limit; all of it would be more than 10 MB
        check("memory is bounded", (held["memory"] <= 6 << 20 or held, held["disk"] >= 3 << 20 or held), (True, True))
        check("the hoarding one runs", s.ask("GET", "/jobs/hoards")[1]["state"], "running")
        check("the flooded one runs", s.ask("GET", "/jobs/flooded")[1]["state"], "running")
        check("the hanging one runs", s.ask("GET", "/jobs/hangs")[1]["state"], "running")
        plan = s.ask("GET", "/jobs/flooded/plan")[1]["nodes"]
        check("time is known", (min(n["busy_us"] for n in plan if n["kind"] == "Aggregate") > 0, all(0 <= n["busy_share"] for n in plan)), (True, True))
        check("EXPLAIN ANALYZE has it", s.sql("EXPLAIN ANALYZE flooded")["text"].count("time ") > 0, True)
        for name in ("fails", "hangs", "flooded", "hoards"):
            check("drop " + name, s.ask("DELETE", "/jobs/" + name)[0], 200)
    append("steady", {"k": "y", "v": 20})
    see(s, "steady", [("x", 5, 100), ("y", 1, 20)])
    closed.close()


def at_once(s):
    """Stopping, resuming, replacing and asking, all at the same time: each call is answered, and the job counts on."""
    check("submit", submit(s, "busy", counter("busy")), 201)
    append("busy", *({"k": "x", "v": 20} for _ in range(3)))
    see(s, "busy", [("x", 3, 60)])
    codes, sql = [], counter("busy", "SELECT k, count(*) AS n, sum(v) AS total FROM s WHERE v > 9 GROUP BY k")

    def many(what):
        for _ in range(8):
            codes.append(what())
    asks = (lambda: s.ask("POST", "/jobs/busy/stop")[0], lambda: s.ask("POST", "/jobs/busy/resume")[0], lambda: s.ask("GET", "/jobs/busy/plan")[0],
            lambda: s.ask("POST", "/jobs", {"name": "busy", "sql": sql, "replace": True})[0], lambda: s.ask("GET", "/metrics")[0])
    threads = [threading.Thread(target=many, args=(a,), daemon=True) for a in asks]
    for t in threads:
        t.start()
    for t in threads:
        t.join(120)
    check("all were answered", (len(codes), set(codes) <= {200, 201}), (8 * len(asks), True))
    check("resume", s.ask("POST", "/jobs/busy/resume")[0], 200)
    append("busy", {"k": "x", "v": 10})
    see(s, "busy", [("x", 4, 70)])
    check("drop", s.ask("DELETE", "/jobs/busy")[0], 200)


def disk(s):
    """What a restarted job writes takes the place of what it wrote before: the file does not grow with the number of checkpoints."""
    rows = [{"k": "key %d" % i, "v": 20} for i in range(1000)]
    check("submit", submit(s, "disk", counter("disk")), 201)
    append("disk", *rows)
    s.until("disk", "all rows", lambda j: j.get("rows_in") == len(rows))
    check("savepoint before the crash", s.ask("POST", "/jobs/disk/savepoint")[0], 200)
    s.kill()
    s = served.Server(path("data"), "--allow-files", DIR)
    sizes = []
    for i in range(2, 42):
        append("disk", *rows)
        s.until("disk", "all rows", lambda j: j.get("rows_in", 0) >= len(rows) and s.sql("SELECT max(n) AS n FROM disk_result") == [{"n": i}])
        check("savepoint", s.ask("POST", "/jobs/disk/savepoint")[0], 200)
        sizes.append(os.path.getsize(os.path.join(path("data"), "jobs", "disk", "data.mdb")))
    check("size", sizes[-1] <= 2 * sizes[9] or sizes, True)
    check("drop", s.ask("DELETE", "/jobs/disk")[0], 200)
    return s


def client(s):
    """weir submit --replace, and its refusal."""
    def run(text):
        with open(path("c.sql"), "w") as f:
            f.write(text)
        done = subprocess.run([served.WEIR, "submit", path("c.sql"), "--name", "c", "--replace", "--server", "http://127.0.0.1:%d" % s.port, "--data", path("data")],
                              capture_output=True, text=True, timeout=60)
        return done.returncode, done.stderr
    code, said = run(counter("a", "SELECT k, max(v) AS n FROM s GROUP BY k"))
    check("client: refused", (code, "keeps running as it is" in said or said), (2, True))
    check("client: fits", run(counter("a", "SELECT k, count(*) AS n, sum(v) AS total FROM s WHERE v > 100 GROUP BY k"))[0], 0)


def main():
    s = served.Server(path("data"), "--allow-files", DIR)
    s = replacing(s)
    client(s)
    limits(s)
    s = several_tasks(s)
    isolation(s)
    at_once(s)
    s = disk(s)
    check("end", s.stop(), 0)
    shutil.rmtree(DIR, ignore_errors=True)
    if FAILED:
        raise SystemExit("%d failed" % len(FAILED))


main()

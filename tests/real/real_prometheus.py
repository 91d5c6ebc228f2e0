"""real_prometheus.py: /metrics as Prometheus sees them: a real one scrapes a server with jobs over a broker (weir broker), files, late and bad rows; every
query of the dashboards and of the alert rules is asked, and those of the dashboards have to answer; rules are judged by promtool over made-up series.
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
import proc
import prometheus
import served

DIR = tempfile.mkdtemp(prefix="weir-prometheus-")
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def broker():
    (port,) = proc.free_ports(1)
    child = subprocess.Popen([served.WEIR, "broker", "--port", str(port)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                             preexec_fn=proc._child(signal.SIGKILL))
    child.stdout.readline()
    return child, "127.0.0.1:%d" % port


def path(name, *rows):
    with open(os.path.join(DIR, name), "a") as f:
        f.write("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in rows))
    return os.path.join(DIR, name)


def rules():
    folder = os.path.join(proc.ROOT, "docker", "prometheus")
    prometheus.check("check", "rules", os.path.join(folder, "weir-rules.yml"))
    prometheus.check("test", "rules", os.path.join(folder, "weir-rules-test.yml"))
    path("weir-token", "x")
    shutil.copy(os.path.join(folder, "weir-rules.yml"), DIR)
    shutil.copy(os.path.join(folder, "prometheus.yml"), DIR)
    prometheus.check("check", "config", os.path.join(DIR, "prometheus.yml"))


def submit(s, name, sql):
    status, answer = s.ask("POST", "/jobs", {"name": name, "sql": sql})
    check("submit " + name, (status, answer.get("error")), (201, None))


def jobs(s, brokers):
    kafka = "WITH (connector = 'kafka', brokers = '%s', topic = 'orders', format = 'json'" % brokers
    submit(s, "writes", "CREATE SOURCE d (k TEXT, v BIGINT) WITH (connector = 'datagen', rows_per_second = 500, \"columns.k.choices\" = 'a,b,c');\n"
           "CREATE SINK t %s, create = 'true'); INSERT INTO t SELECT k, v, now() AS t FROM d;" % kafka)
    s.until("writes", "runs", lambda j: j.get("rows_out", 0) > 0)
    submit(s, "reads", "SET max_state_bytes = '1 GiB'; SET cpu_limit = 90; SET checkpoint.interval = '1 s';\nCREATE SOURCE s (k TEXT, v BIGINT, t TIMESTAMP,"
           " WATERMARK FOR t AS t - INTERVAL '1' SECOND) %s, start = 'earliest');\nSELECT window_start, k, count(*) AS n FROM s GROUP BY window(t, '10 s'), k;" % kafka)
    name = path("late", {"k": "a", "t": "2025-11-28T12:10:00Z"}, {"k": "a", "t": "2025-11-28T12:00:00Z"}, "{bad\n", {"k": "a", "t": "yesterday"})
    submit(s, "late", "SET checkpoint.interval = '1 s';\nCREATE SOURCE s (k TEXT, t TIMESTAMP, WATERMARK FOR t AS t - INTERVAL '1' SECOND) WITH (connector = 'file', path = '%s',"
           " format = 'json', follow = 'true');\nSELECT window_start, count(*) AS n FROM s GROUP BY window(t, '10 s');" % name)
    submit(s, "fails", "CREATE SOURCE s (k TEXT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true', on_error = 'fail');\nSELECT k FROM s;" % path("fails", "{bad\n"))


def more_late_and_bad():
    path("late", {"k": "a", "t": "2025-11-28T12:00:00Z"}, "{bad\n")


def dashboards(p):
    """Every query of every panel that asks Prometheus finds something."""
    found = 0
    folder = os.path.join(proc.ROOT, "docker", "grafana", "dashboards")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            dashboard = json.load(f)
        for panel in dashboard["panels"]:
            for target in panel["targets"]:
                if "expr" not in target:
                    continue
                expr = target["expr"].replace("$weir_job", ".*").replace("$__rate_interval", "30s")
                check("variables of %r" % panel["title"], "$" in expr, False)

                def look(query=expr):
                    more_late_and_bad()     # rates need something that grows between two scrapes
                    return bool(p.query(query))
                proc.wait_until(look, "%s, panel %r: %s" % (name, panel["title"], expr), 60, p.child)
                found += 1
    check("dashboards were there", found >= 20, True)


def figures(s, p):
    """What Prometheus has is what the server says."""
    check("up", p.wait('up{job="weir"} == 1')[0][1], 1)
    state = {m["weir_job"]: m["state"] for m, _ in p.wait("weir_job_state == 1")}
    check("states", {k: state[k] for k in ("writes", "reads", "late")}, {"writes": "running", "reads": "running", "late": "running"})
    check("the failing one", s.until("fails", "failed or waits", lambda j: j["state"] in ("failed", "waiting"))["reason"] != "", True)
    check("bad rows by reason", {m["reason"] for m, v in p.wait('weir_rows_bad_total{weir_job="late"} > 0')} <= {"syntax", "type", "ts_range"}, True)
    check("the label job is Prometheus' own", {m["job"] for m, _ in p.query("weir_job_state")}, {"weir"})
    check("no exported_job", p.query('{exported_job!=""}'), [])
    limit = p.query('weir_job_state_limit_bytes{weir_job="reads"}') + p.query('weir_job_cpu_limit_ratio{weir_job="reads"}')
    check("limits", [v for _, v in limit], [1 << 30, 0.9])
    check("lag by partition", {m["topic"] for m, _ in p.wait('weir_partition_lag_records{weir_job="reads"}')}, {"orders"})
    rows = s.sql("SELECT operator, rows_in FROM weir.operators WHERE job = 'late'")
    metrics = {int(m["operator"]): v for m, v in p.wait('weir_operator_rows_in_total{weir_job="late"}')}
    check("the same operators as in weir.operators", sorted(metrics), sorted(r["operator"] for r in rows))


def alerts(p):
    """The rules of docker/ are loaded by the real one, all are healthy, and those that hold at once fire."""
    groups = p.ask("rules")["groups"]
    wanted = [r["name"] for g in groups for r in g["rules"]]
    check("rules", len(wanted) >= 9, True)
    proc.wait_until(lambda: all(r["health"] == "ok" for g in p.ask("rules")["groups"] for r in g["rules"]), "all rules were evaluated", 60, p.child)
    proc.wait_until(lambda: any(a["labels"].get("alertname") in ("WeirJobFailed", "WeirJobRestarts") and a["labels"]["weir_job"] == "fails"
                                for a in p.ask("alerts")["alerts"]), "the alert about the failing job", 240, p.child)


def main():
    prometheus.programs()
    rules()
    child, brokers = broker()
    s = served.Server(os.path.join(DIR, "data"), "--allow-files", DIR)
    lint = subprocess.run(["promtool", "check", "metrics"], input=s.ask("GET", "/metrics")[1], capture_output=True, text=True, timeout=60)
    check("promtool check metrics, no jobs", (lint.returncode, lint.stdout + lint.stderr), (0, ""))
    jobs(s, brokers)
    with prometheus.Prometheus({"weir": "127.0.0.1:%d" % s.port}, s.token) as p:
        figures(s, p)
        dashboards(p)
        alerts(p)
    lint = subprocess.run(["promtool", "check", "metrics"], input=s.ask("GET", "/metrics")[1], capture_output=True, text=True, timeout=60)
    check("promtool check metrics", (lint.returncode, lint.stdout + lint.stderr), (0, ""))
    check("end", s.stop(), 0)
    proc.end(child)
    shutil.rmtree(DIR, ignore_errors=True)
    if FAILED:
        raise SystemExit("%d failed" % len(FAILED))


main()

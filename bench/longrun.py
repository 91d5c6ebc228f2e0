#!/usr/bin/env python3
"""longrun.py: all pipelines of queries/ at once on one server, with a real Kafka, PostgreSQL and Prometheus, under load, with the server killed in the
middle; at the end every table, topic and result is compared with what tests/real/real_pipelines.py computes from the topics' records by itself.

    WEIR=build/release/weir WEIR_BUILD=build/release bench/longrun.py [minutes] [rows a second]        (default 5 minutes, 2000 rows a second over all topics)

Prints once a minute what Prometheus has: rows a second, lag, memory, CPU; and at the end the greatest of each. Exit 1 when something differs, when a job
does not run at the end, or when memory or what is on disk grows by more than half in the last third of the time.
"""
import json
import os
import re
import shutil
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [os.path.join(ROOT, "tests", "fixtures"), os.path.join(ROOT, "tests", "real")]
import kafka
import postgres
import proc
import prometheus
import real_pipelines as pipelines
import served

MINUTES = float(sys.argv[1]) if len(sys.argv) > 1 else 5
RATE = int(sys.argv[2]) if len(sys.argv) > 2 else 2000
# topic: scenario, key, share of the rate
TOPICS = {"black-friday-sales": ("black-friday", "id_pedido", 5), "iot_sensors": ("iot", "sensor_id", 5), "user_activity": ("user-activity", "user_id", 3),
          "financial_transactions": ("transactions", "id_vendedor", 3), "card_transactions": ("card-bursts", "card_id", 2), "random_events": ("random-events", "id", 2)}
OUT = ("iot_alerts", "user_activity_alerts", "aggregated_transactions")
JOBS = ("black_friday", "iot_monitoring", "user_activity", "vendor_transactions", "card_bursts", "random_events")


def note(text):
    print("%s %s" % (time.strftime("%H:%M:%S"), text), flush=True)


def generator(rate):
    """One job for all topics; it takes part in the kill as any other: exactly once, so every row is in its topic once."""
    whole = sum(share for _, _, share in TOPICS.values())
    text = []
    for i, (topic, (scenario, key, share)) in enumerate(TOPICS.items()):
        text.append("""CREATE SOURCE g%d WITH (connector = 'datagen', scenario = '%s', rows_per_second = %d, rows = %d, seed = %d);
CREATE SINK t%d WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS}', topic = '%s', format = 'json', key = '%s', compression = 'gzip', delivery = 'at-least-once');
INSERT INTO t%d SELECT * FROM g%d;""" % (i, scenario, max(1, rate * share // whole), max(1, int(rate * share // whole * MINUTES * 60)), 100 + i, i, topic, key, i, i))
    return "\n".join(text)


class Watch:
    """What Prometheus has seen."""

    FIGURES = {"rows/s in": 'sum(rate(weir_operator_rows_in_total{kind="Scan"}[30s]))', "lag": "sum(weir_partition_lag_records)",
               "RSS MiB": 'process_resident_memory_bytes{job="weir"} / 1048576', "cores": 'rate(process_cpu_seconds_total{job="weir"}[30s])',
               "state MiB": "sum(weir_operator_state_bytes) / 1048576", "late": "sum(weir_operator_rows_late_total)", "bad": "sum(weir_rows_bad_total)",
               "checkpoint s": "max(weir_checkpoint_duration_seconds)"}

    def __init__(self, p, data):
        self.p, self.data, self.seen = p, data, []

    def look(self):
        now = {name: (self.p.query(expr) or [(None, float("nan"))])[0][1] for name, expr in self.FIGURES.items()}
        now["disk MiB"] = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(self.data) for f in files) / 1048576
        self.seen.append(now)
        note("  ".join("%s %.4g" % (name, v) for name, v in now.items()))

    def say(self):
        for name in (*self.FIGURES, "disk MiB"):
            values = [s[name] for s in self.seen if s[name] == s[name]]
            note("%-13s greatest %.4g, last %.4g" % (name, max(values, default=0), values[-1] if values else 0))

    def is_flat(self, name):
        """Does not grow by more than half in the last third of the time."""
        values = [s[name] for s in self.seen if s[name] == s[name]]
        values = values[len(values) * 2 // 3:]
        return len(values) < 4 or values[-1] < 1.5 * values[0]


def submit(s, name, sql):
    status, answer = s.ask("POST", "/jobs", {"name": name, "sql": sql})
    if status != 201:
        raise SystemExit("%s: %s" % (name, answer))


def result(s, name, statement):
    rows = s.ask("GET", "/jobs/%s/result?limit=1000000&statement=%d" % (name, statement), Accept="application/x-ndjson")[1]
    return rows


def settled(s, k):
    """Every reading job has read its topics to their end."""
    jobs = {j["name"]: j for j in s.ask("GET", "/jobs")[1]["jobs"]}
    for name in JOBS:
        if jobs[name]["state"] != "running" or jobs[name].get("lag") != 0:
            return False
    parts = s.sql("SELECT job, topic, \"partition\", next_offset FROM weir.partitions WHERE job <> 'generate'")
    ends = {topic: k.ends(topic) for topic in TOPICS}
    return bool(parts) and all(p["next_offset"] >= ends[p["topic"]][p["partition"]][1] for p in parts)


def answers(s):
    """The console output of real_pipelines is the server's results here: the same lines, in their final state."""
    of = {"black_friday.sql": ("black_friday", (2,)), "card_bursts.sql": ("card_bursts", (1, 2)), "random_events.sql": ("random_events", (1,))}

    def run(env, name):
        job, statements = of.get(name, (None, ()))
        return "".join(result(s, job, n) for n in statements)
    return run


def compare(s, k, pg, env):
    """real_pipelines' own comparisons, over what is there: nothing is generated, nothing is run, and no record is junk."""
    pipelines.generate = lambda *args: None
    pipelines.junk = lambda *args: None
    pipelines.JUNK = []
    pipelines.run = answers(s)
    produce, k.produce = k.produce, lambda *args, **more: None
    good = pipelines.good

    def all_good(client, topic, read):
        rows, bad = good(client, topic, read)
        if bad:
            raise SystemExit("%s: %d bad records" % (topic, bad))
        pipelines.bad_expected = bad
        return rows, Whatever()
    pipelines.good = all_good
    for check in (pipelines.black_friday, pipelines.iot, pipelines.user_activity, pipelines.vendors, pipelines.cards, pipelines.random_events):
        check(k, pg, env)
    k.produce = produce


class Whatever(int):
    """Equal to the number of records that a pipeline's test has put between: here there are none."""

    def __ne__(self, other):
        return False

    __eq__ = __hash__ = None


def main():
    prometheus.programs()
    folder = tempfile.mkdtemp(prefix="weir-longrun-")
    with kafka.Kafka() as k, postgres.Postgres() as pg:
        for topic in (*TOPICS, *OUT):
            k.create(topic, 3)
        with open(os.path.join(ROOT, "docker", "postgres", "tables.sql"), encoding="utf-8") as f:
            pg.sql(f.read())
        env = dict(os.environ, KAFKA_BROKERS=k.brokers, PG_URL=pg.url)
        data = os.path.join(folder, "data")
        (port,) = proc.free_ports(1)
        s = served.Server(data, "--listen", "127.0.0.1:%d" % port, "-v", "KAFKA_BROKERS=" + k.brokers, "-v", "PG_URL=" + pg.url, env=env)
        for name in JOBS:
            with open(os.path.join(ROOT, "queries", name + ".sql"), encoding="utf-8") as f:
                submit(s, name, f.read())
        producer = served.Server(os.path.join(folder, "producer"), env=env)     # of its own: what is under test is the reading side
        with open(os.path.join(folder, "generate.sql"), "w") as f:
            f.write(generator(RATE))
        with open(os.path.join(folder, "generate.sql")) as f:
            status, answer = producer.ask("POST", "/jobs", {"name": "generate", "sql": f.read(), "vars": {"KAFKA_BROKERS": k.brokers}})
        if status != 201:
            raise SystemExit("generate: %s" % answer)
        note("%d jobs, %d rows a second, %g minutes" % (len(JOBS), RATE, MINUTES))
        with prometheus.Prometheus({"weir": "127.0.0.1:%d" % port}, s.token) as p:
            w, end, killed = Watch(p, data), time.monotonic() + MINUTES * 60, False
            while time.monotonic() < end:
                time.sleep(min(60, MINUTES * 6))
                w.look()
                if not killed and time.monotonic() > end - MINUTES * 30:
                    killed = True
                    s.kill()
                    note("killed")
                    s = served.Server(data, "--listen", "127.0.0.1:%d" % port, "-v", "KAFKA_BROKERS=" + k.brokers, "-v", "PG_URL=" + pg.url, env=env)
                    note("started again")
            producer.until("generate", "everything is written", lambda j: j["state"] == "done")
            proc.wait_until(lambda: settled(s, k), "every job has read to the end", 300, s.child)
            w.look()
            for name in JOBS:
                status, answer = s.ask("POST", "/jobs/%s/savepoint" % name)
                if status != 200:
                    raise SystemExit("savepoint of %s: %s" % (name, answer))
            for j in s.ask("GET", "/jobs")[1]["jobs"]:
                note("%s: %s, rows in %d, late %d, bad %d, restarts %d" % (j["name"], j["state"], j["rows_in"], j["rows_late"], j["rows_bad"], j["restarts"]))
            compare(s, k, pg, env)
            w.say()
            firing = [a["labels"]["alertname"] for a in p.ask("alerts")["alerts"] if a["state"] == "firing"]
            note("alerts: %s" % (", ".join(firing) or "none"))
        grew = [name for name in ("RSS MiB", "disk MiB") if not w.is_flat(name)]
        if s.stop() or producer.stop():
            raise SystemExit("a server did not stop well")
    shutil.rmtree(folder, ignore_errors=True)
    if grew:
        raise SystemExit("%s grew" % " and ".join(grew))
    note("all agree")


main()

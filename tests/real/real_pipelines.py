"""real_pipelines.py: the pipelines of queries/, unchanged, against a real Kafka and a real PostgreSQL.

For each: weir's generator writes the topic, a few records that are no good are put between, weir runs the file up to the topic's end, and what it
left in tables, topics and on the console must equal what this program computes by itself from the records read back from the topic. Some of the
tables are those of docker/, whose dashboards' queries run at the end.
The generator's rows are at most two minutes out of order, less than each watermark's delay, so none may be late.
"""
import collections
import datetime
import decimal
import json
import math
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import kafka
import postgres
import proc

QUERIES = os.path.join(proc.ROOT, "queries")
D = decimal.Decimal
ROWS = 20000


def weir(env, *args):
    done = subprocess.run([os.environ["WEIR"], *args], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8")
    if done.returncode != 0:
        raise SystemExit("weir %s: exit %d\n%s" % (" ".join(args[:3]), done.returncode, done.stderr))
    return done.stdout


def generate(env, topic, scenario, key, seed):
    weir(env, "-X", "-c", """
        CREATE SOURCE g WITH (connector = 'datagen', scenario = '%s', rows = %d, seed = %d);
        CREATE SINK t WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS}', topic = '%s', format = 'json', key = '%s', compression = 'gzip');
        INSERT INTO t SELECT * FROM g;""" % (scenario, ROWS, seed, topic, key))


# ---- what was read back, and what this program makes of it ----

class Bad(Exception):
    pass


def need(row, name, kind):
    value = row.get(name)
    if value is None or (kind is str and not isinstance(value, str)):
        raise Bad
    return value


def number(value, digits=None):
    """An exact number, rounded to 2 digits behind the point where `digits` is given, or None."""
    if value is None:
        return None
    if isinstance(value, str):
        try:
            value = D(value)
        except decimal.InvalidOperation:
            raise Bad
    if isinstance(value, bool) or not isinstance(value, (int, D)):
        raise Bad
    value = D(value)
    if digits is not None:
        value = value.quantize(D("0.01"), decimal.ROUND_HALF_UP)
        if abs(value) >= D(10) ** (digits - 2):
            raise Bad
    return value


def moment(value):
    """Microseconds since 1970."""
    if not isinstance(value, str):
        raise Bad
    try:
        t = datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        raise Bad
    t = t if t.tzinfo else t.replace(tzinfo=datetime.timezone.utc)
    return (t - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)) // datetime.timedelta(microseconds=1)


def good(k, topic, read):
    """The records that are rows, as read() gives them, and how many are not. `read` raises Bad."""
    rows, bad = [], 0
    for record in k.consume(topic):
        try:
            value = json.loads(record["value"], parse_float=D) if record.get("value") is not None else None
            if not isinstance(value, dict):
                raise Bad
            rows.append(read(value))
        except (Bad, ValueError, KeyError):
            bad += 1
    return rows, bad


def window(us, minutes):
    size = minutes * 60 * 1000000
    start = us // size * size
    return iso(start), iso(start + size)


def iso(us):
    t = datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)
    return t.strftime("%Y-%m-%dT%H:%M:%S") + (".%06d" % t.microsecond).rstrip("0").rstrip(".")


def groups(rows, key):
    out = collections.defaultdict(list)
    for row in rows:
        out[key(row)].append(row)
    return out


def same(a, b):
    if isinstance(a, float) or isinstance(b, float):
        return a is not None and b is not None and math.isclose(float(a), float(b), rel_tol=1e-13)
    return a == b


def compare(what, wanted, got):
    """Both: {key: tuple of values}."""
    for key in sorted(set(wanted) | set(got), key=repr):
        w, g = wanted.get(key), got.get(key)
        if w is None or g is None or len(w) != len(g) or not all(map(same, w, g)):
            raise SystemExit("%s, %r:\n  wanted %r\n  got    %r" % (what, key, w, g))
    if not wanted:
        raise SystemExit("%s: nothing to compare" % what)
    print("%s: %d rows agree" % (what, len(wanted)))


def table(pg, query, n_key, kinds):
    """{key: values}; kinds: one letter a column: t text, i integer, n numeric, f float, w time."""
    read = {"t": str, "i": int, "n": D, "f": float, "w": lambda v: v.replace(" ", "T")}
    out = {}
    for row in pg.rows(query):
        cells = [None if v is None else read[k](v) for v, k in zip(row.values(), kinds)]
        out[tuple(cells[:n_key])] = tuple(cells[n_key:])
    return out


def folded(lines, n_key):
    """The final content of -o ndjson output: {query's columns: {key: values}}."""
    out = collections.defaultdict(dict)
    for line in lines.splitlines():
        row = json.loads(line, parse_float=D)
        op = row.pop("op", "+I")
        cells = [c[:-1].rstrip("0").rstrip(".") if isinstance(c, str) and c.endswith("Z") and c[4:5] == "-" else c for c in row.values()]
        key, value = tuple(cells[:n_key]), tuple(cells[n_key:])
        here = out[tuple(row)]
        if op[0] == "+":
            if key in here:
                raise SystemExit("console: %r is there twice" % (key,))
            here[key] = value
        elif here.pop(key, None) != value:
            raise SystemExit("console: %r %r was taken back, but was not there" % (key, value))
    return out


def topic_rows(k, topic, key):
    rows = []
    for record in k.consume(topic):
        value = json.loads(record["value"], parse_float=D)
        if record["key"] != value[key]:
            raise SystemExit("topic %s: key %r, but %s is %r" % (topic, record["key"], key, value[key]))
        rows.append(value)
    return rows


def bags(what, wanted, got):
    """Two lists of dicts, order ignored."""
    def flat(rows):
        return {key: (n,) for key, n in collections.Counter(tuple(sorted((k, canon(v)) for k, v in r.items())) for r in rows).items()}

    def canon(v):
        return "%s" % D(v).normalize() if isinstance(v, (int, D)) else str(v)
    compare(what, flat(wanted), flat(got))


def run(env, name):
    return weir(env, "run", os.path.join(QUERIES, name), "--until-end", "-o", "ndjson")


JUNK = ["", "not json", "[1, 2]", "{\"broken\": ", "{}", "null", "\"text\"", "{\"timestamp\": \"2025-11-28T00:00:00Z\"}"]


def junk(k, topic, more):
    """Records that are no rows, spread over the partitions."""
    k.produce(topic, [{"value": v, "partition": i % 3} for i, v in enumerate(JUNK + more)], codec="gzip")


# ---- the pipelines ----

def black_friday(k, pg, env):
    topic = "black-friday-sales"
    generate(env, topic, "black-friday", "id_pedido", 11)
    junk(k, topic, ['{"id_pedido": "x", "categoria": "Livros", "valor": "much", "timestamp": "2025-11-28T00:00:01Z"}',
                    '{"id_pedido": "x", "categoria": "Livros", "valor": 99999999999, "timestamp": "2025-11-28T00:00:01Z"}',
                    '{"id_pedido": "x", "categoria": "Livros", "valor": 1, "timestamp": "2025-13-28T00:00:01Z"}',
                    '{"id_pedido": null, "categoria": "Livros", "valor": 1, "timestamp": "2025-11-28T00:00:01Z"}'])

    def read(v):
        return need(v, "id_pedido", str), need(v, "categoria", str), number(v.get("valor"), 12), moment(need(v, "timestamp", str))
    rows, bad = good(k, topic, read)
    retries = len(rows) - len({r[0] for r in rows})
    if bad != len(JUNK) + 4 or not retries:
        raise SystemExit("black friday: %d bad records, %d retries in the topic" % (bad, retries))

    def totals(rows):
        return {(*window(key[0], 1)[:1], key[1]): (window(key[0], 1)[1], sum(r[2] for r in g), len(g))
                for key, g in groups(rows, lambda r: (r[3] // 60000000 * 60000000, r[1])).items()}
    query = "SELECT janela_inicio, categoria, janela_fim, faturamento_total, volume_vendas FROM %s"
    wanted, unique = totals(rows), totals(list({r[0]: r for r in rows}.values()))
    for turn in ("first run", "the same once more"):
        console = run(env, "black_friday.sql")
        compare("black friday, %s" % turn, wanted, table(pg, query % "faturamento_tempo_real", 2, "wtwni"))
        compare("black friday without retries, %s" % turn, unique, table(pg, query % "faturamento_sem_repeticoes", 2, "wtwni"))
        (got,) = folded(console, 3).values()
        compare("black friday on the console", {(s, v[0], c): v[1:] for (s, c), v in wanted.items()}, got)


def iot(k, pg, env):
    topic = "iot_sensors"
    generate(env, topic, "iot", "sensor_id", 12)
    # batteries of the generator end at 2 %; a few hot and empty ones more
    k.produce(topic, [{"key": "sensor_%02d" % i, "partition": i % 3,
                       "value": '{"sensor_id": "sensor_%02d", "location": "office", "temperature": %s, "humidity": 1, "pressure": 1, "battery": %s, '
                                '"timestamp": "2025-11-28T02:46:40.5Z"}' % (i, t, b)}
                      for i, (t, b) in enumerate([("30", "20"), ("30.01", "19.9"), ("35.5", "9.5"), ("null", "5"), ("36", "null")])], codec="gzip")
    junk(k, topic, ['{"sensor_id": "s", "location": "office", "temperature": "hot", "timestamp": "2025-11-28T00:00:00Z"}'])

    def real(v):
        v = number(v)
        return None if v is None else float(v)

    def read(v):
        return (need(v, "sensor_id", str), need(v, "location", str), real(v.get("temperature")), real(v.get("battery")), moment(need(v, "timestamp", str)))
    rows, bad = good(k, topic, read)
    if bad != len(JUNK) + 1:
        raise SystemExit("iot: %d bad records" % bad)
    run(env, "iot_monitoring.sql")

    wanted = {}
    for (start, place), g in groups(rows, lambda r: (r[4] // 300000000 * 300000000, r[1])).items():
        t = [r[2] for r in g if r[2] is not None]
        wanted[(window(start, 5)[0], place)] = (window(start, 5)[1], math.fsum(t) / len(t) if t else None, min(t, default=None), max(t, default=None), len(g))
    compare("iot temperature", wanted, table(
        pg, "SELECT window_start, location, window_end, avg_temperature, min_temperature, max_temperature, readings FROM iot_temperature", 2, "wtwfffi"))
    wanted = {}
    for (start, sensor), g in groups([r for r in rows if r[3] is not None], lambda r: (r[4] // 300000000 * 300000000, r[0])).items():
        b = [r[3] for r in g]
        status = "critical" if min(b) < 10 else "low" if min(b) < 20 else "fair" if min(b) < 50 else "good"
        wanted[(window(start, 5)[0], sensor)] = (window(start, 5)[1], min(b), math.fsum(b) / len(b), status)
    compare("iot battery", wanted, table(pg, "SELECT window_start, sensor_id, window_end, min_battery, avg_battery, status FROM iot_battery", 2, "wtwfft"))

    alerts = []
    for sensor, place, t, b, us in rows:
        if t is not None and t > 30:
            alerts.append((iso(us), sensor, "temperature", place, t, "critical" if t > 35 else "warning"))
        if b is not None and b < 20:
            alerts.append((iso(us), sensor, "battery", place, b, "critical" if b < 10 else "warning"))
    compare("iot alerts, table", {a[:3]: a[3:] for a in alerts}, table(
        pg, "SELECT ts, sensor_id, kind, location, reading, severity FROM iot_alerts", 3, "wtttft"))
    got = [dict(r, ts=r["ts"].rstrip("Z").rstrip("0").rstrip("."), reading=float(r["reading"])) for r in topic_rows(k, "iot_alerts", "sensor_id")]
    bags("iot alerts, topic", [dict(ts=a[0], sensor_id=a[1], location=a[3], kind=a[2], reading=a[4], severity=a[5]) for a in alerts], got)


def user_activity(k, pg, env):
    topic = "user_activity"
    # first in its partition: behind the others, whether they are late would depend on which partition is read first
    k.produce(topic, [{"value": '{"user_id": "u", "action": "login", "session_duration": %s, "timestamp": "2025-11-28T00:00:00Z"}' % d, "partition": 0}
                      for d in ("null", "0", "29", "30", "119", "120", "300", "301")])
    generate(env, topic, "user-activity", "user_id", 13)
    junk(k, topic, ['{"user_id": "u", "action": "login", "browser": "Edge", "session_duration": 1.5, "timestamp": "2025-11-28T00:00:00Z"}',
                    '{"user_id": "u", "action": "login", "browser": "Edge", "session_duration": 3000000000, "timestamp": "2025-11-28T00:00:00Z"}'])

    def read(v):
        n = number(v.get("session_duration"))
        if n is not None and (n != int(n) or abs(n) > 2 ** 31 - 1):
            raise Bad
        return (need(v, "user_id", str), need(v, "action", str), v.get("browser"), None if n is None else int(n), moment(need(v, "timestamp", str)))
    rows, bad = good(k, topic, read)
    if bad != len(JUNK) + 2:
        raise SystemExit("user activity: %d bad records" % bad)
    run(env, "user_activity.sql")

    def start(r):
        return r[4] // 300000000 * 300000000
    wanted = {}
    for (s, action, browser), g in groups(rows, lambda r: (start(r), r[1], r[2] or "unknown")).items():
        n = [r[3] for r in g if r[3] is not None]
        wanted[(window(s, 5)[0], action, browser)] = (window(s, 5)[1], len(g), sum(n) / len(n) if n else None)
    compare("user activity, counts", wanted, table(
        pg, "SELECT window_start, action, browser, window_end, events, avg_session_duration FROM user_activity_counts", 3, "wttwif"))

    def category(n):
        return "unknown" if n is None else "bounce" if n < 30 else "short" if n < 120 else "medium" if n <= 300 else "long"
    wanted = {(window(s, 5)[0], c): (window(s, 5)[1], len(g), len({r[0] for r in g}))
              for (s, c), g in groups(rows, lambda r: (start(r), category(r[3]))).items()}
    compare("user activity, durations", wanted, table(
        pg, "SELECT window_start, duration_category, window_end, sessions, users FROM user_activity_durations", 2, "wtwii"))
    wanted = [dict(user_id=r[0], action=r[1], browser=r[2] or "unknown", session_duration=r[3], timestamp=iso(r[4]),
                   message="session of %d min %d s" % divmod(r[3], 60)) for r in rows if r[3] is not None and r[3] > 300]
    got = [dict(r, timestamp=r["timestamp"].rstrip("Z").rstrip("0").rstrip(".")) for r in topic_rows(k, "user_activity_alerts", "user_id")]
    bags("user activity, alerts", wanted, got)


def vendors(k, pg, env):
    topic = "financial_transactions"
    generate(env, topic, "transactions", "id_vendedor", 14)
    junk(k, topic, ['{"id_transacao": "t", "id_vendedor": "vendedor_01"}', '{"id_transacao": "t", "id_vendedor": "vendedor_01", "valor": {}}'])

    def read(v):
        valor = number(need(v, "valor", object), 12)
        if v.get("timestamp") is not None:
            moment(v["timestamp"])
        return need(v, "id_transacao", str), need(v, "id_vendedor", str), valor
    rows, bad = good(k, topic, read)
    if bad != len(JUNK) + 2:
        raise SystemExit("vendors: %d bad records" % bad)
    run(env, "vendor_transactions.sql")
    wanted = {}
    for vendor, g in groups(rows, lambda r: r[1]).items():
        total = sum(r[2] for r in g)
        wanted[vendor] = (total, len(g), (total / len(g)).quantize(D("0.01"), decimal.ROUND_HALF_UP))
    last, partition = {}, {}
    for record in k.consume("aggregated_transactions"):
        value = json.loads(record["value"], parse_float=D)
        if record["key"] != value["id_vendedor"] or partition.setdefault(record["key"], record["partition"]) != record["partition"]:
            raise SystemExit("aggregated_transactions: key %r in partition %d: %r" % (record["key"], record["partition"], value))
        last[record["key"]] = (D(value["valor_total"]), value["transacoes"], D(value["valor_medio"]))
    compare("vendors, the last of each key", wanted, last)


def cards(k, pg, env):
    topic = "card_transactions"
    generate(env, topic, "card-bursts", "card_id", 15)
    junk(k, topic, [])

    def read(v):
        if v.get("timestamp") is not None:
            moment(v["timestamp"])
        return need(v, "transaction_id", str), need(v, "card_id", str), v.get("merchant_category"), number(v.get("amount"), 12)
    rows, bad = good(k, topic, read)
    if bad != len(JUNK):
        raise SystemExit("cards: %d bad records" % bad)
    got = folded(run(env, "card_bursts.sql"), 1)
    compare("cards, by card", {(c,): (len(g), sum(r[3] for r in g), max(r[3] for r in g)) for c, g in groups(rows, lambda r: r[1]).items()},
            got[("card_id", "payments", "total", "largest")])
    compare("cards, by category", {(c,): (len(g), sum(r[3] for r in g), len({r[1] for r in g})) for c, g in groups(rows, lambda r: r[2]).items()},
            got[("merchant_category", "payments", "total", "cards")])


def random_events(k, pg, env):
    topic = "random_events"
    generate(env, topic, "random-events", "id", 16)
    junk(k, topic, ['{"id": "x", "value": 50}', '{"id": 1.5, "value": 50}', '{"id": 1, "value": true}'])

    def read(v):
        n = number(need(v, "id", object))
        if n != int(n):
            raise Bad
        value = number(v.get("value"))
        if v.get("timestamp") is not None:
            moment(v["timestamp"])
        return int(n), None if value is None else float(value)
    rows, bad = good(k, topic, read)
    if bad != len(JUNK) + 3:
        raise SystemExit("random events: %d bad records" % bad)
    (got,) = folded(run(env, "random_events.sql"), 1).values()
    wanted = {}
    for n, g in groups([r for r in rows if r[1] is not None and r[1] >= 10], lambda r: r[0]).items():
        v = [r[1] for r in g]
        wanted[(n,)] = (len(v), math.fsum(v) / len(v), max(v), min(v))
    compare("random events", wanted, {key: (v[0], *map(float, v[1:])) for key, v in got.items()})


def dashboards(pg):
    """Grafana's queries over what the pipelines left: each is valid and finds rows."""
    found = 0
    folder = os.path.join(proc.ROOT, "docker", "grafana", "dashboards")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), encoding="utf-8") as f:
            for panel in json.load(f)["panels"]:
                for target in (t for t in panel["targets"] if "rawSql" in t):       # the others ask Prometheus: real_prometheus.py
                    query = re.sub(r"\$__timeFilter\((\w+)\)", r"(\1 BETWEEN '2025-11-28' AND '2025-11-29')", target["rawSql"])
                    if not pg.rows(query):
                        raise SystemExit("%s, panel %r: no rows\n%s" % (name, panel["title"], query))
                    found += 1
    print("dashboards: %d queries answer" % found)


def main():
    with kafka.shared() as k, postgres.shared() as pg:
        with open(os.path.join(proc.ROOT, "docker", "postgres", "tables.sql"), encoding="utf-8") as f:
            pg.sql(f.read())        # the others the jobs make themselves
        env = dict(os.environ, KAFKA_BROKERS=k.brokers, PG_URL=pg.url)
        for topic in ("black-friday-sales", "iot_sensors", "user_activity", "financial_transactions", "card_transactions", "random_events",
                      "iot_alerts", "user_activity_alerts", "aggregated_transactions"):
            k.create(topic, 3)
        for pipeline in (black_friday, iot, user_activity, vendors, cards, random_events):
            pipeline(k, pg, env)
        dashboards(pg)


if __name__ == "__main__":
    main()

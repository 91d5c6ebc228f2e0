"""nexmark_sql.py: the Nexmark queries of queries/nexmark as statements to run: over the generator or over files, to this sink or that. Used by the check
(tests/nexmark) and the benchmark (bench/nexmark)."""
import os
import re
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
COLUMNS = {
    "person": [("id", "BIGINT"), ("name", "TEXT"), ("email_address", "TEXT"), ("credit_card", "TEXT"), ("city", "TEXT"), ("state", "TEXT"),
               ("date_time", "TIMESTAMP"), ("extra", "TEXT")],
    "auction": [("id", "BIGINT"), ("item_name", "TEXT"), ("description", "TEXT"), ("initial_bid", "BIGINT"), ("reserve", "BIGINT"), ("date_time", "TIMESTAMP"),
                ("expires", "TIMESTAMP"), ("seller", "BIGINT"), ("category", "BIGINT"), ("extra", "TEXT")],
    "bid": [("auction", "BIGINT"), ("bidder", "BIGINT"), ("price", "BIGINT"), ("channel", "TEXT"), ("url", "TEXT"), ("date_time", "TIMESTAMP"), ("extra", "TEXT")],
}


def text(n):
    with open(os.path.join(ROOT, "queries", "nexmark", "q%d.sql" % n)) as f:
        return f.read()


def tables(n):
    """Which of the streams query n reads."""
    return re.findall(r"^CREATE SOURCE (person|auction|bid) ", text(n), re.M)


def statements(n, streams=None, sink="blackhole"):
    """Query n as a job: over the generator, or over files {"bid": path, ...}; to a sink of that connector, or (None) as a query that prints its rows."""
    sql = text(n)
    if streams:
        sql = re.sub(r"(CREATE SOURCE (person|auction|bid) [^;]*?\)) WITH \([^)]*\);",
                     lambda m: "%s WITH (connector = 'file', path = '%s', format = 'json');" % (m.group(1), streams[m.group(2)]), sql)
    if sink is None:
        return re.sub(r"INSERT INTO result\n", "", re.sub(r"CREATE SINK result [^;]*;\n", "", sql))
    return re.sub(r"CREATE SINK result [^;]*;", "CREATE SINK result WITH (connector = '%s');" % sink, sql)


def write_streams(weir, directory, events, rate):
    """The three streams as files of JSON lines: {"bid": path, ...}."""
    out = {}
    for name in COLUMNS:
        out[name] = os.path.join(directory, name + ".ndjson")
        with open(out[name], "w") as f:
            subprocess.run([weir, "-X", "-q", "-o", "ndjson", "-c",
                            "CREATE SOURCE s WITH (connector = 'nexmark', table = '%s', events = %d, rate = %d); SELECT * FROM s" % (name, events, rate)],
                           check=True, stdout=f)
    return out


def write_side_input(directory):
    path = os.path.join(directory, "side_input.ndjson")
    with open(path, "w") as f:
        for key in range(10000):
            f.write('{"key": %d, "val": "side-%d"}\n' % (key, key))
    return path


FLINK_TYPE = {"TEXT": "STRING", "BIGINT": "BIGINT", "TIMESTAMP": "TIMESTAMP_LTZ(3)"}
# What Flink spells otherwise: (ours, theirs).
FLINK_WORDS = [(r"\b(TUMBLE|HOP|SESSION)\((TABLE [^()]*DESCRIPTOR\(\w+\)[^()]*)\)", r"TABLE(\1(\2))"),
               (r"to_char\((\w+), 'YYYY-MM-DD'\)", r"DATE_FORMAT(\1, 'yyyy-MM-dd')"), (r"to_char\((\w+), 'HH24:MI'\)", r"DATE_FORMAT(\1, 'HH:mm')"),
               (r"\blength\(", "CHAR_LENGTH(")]


def flink(n, streams, side):
    """Query n in Flink SQL, its tables over the files, or None where Flink has no way to say it (OVER a result that changes)."""
    if n == 6:
        return None
    out = []
    json = "WITH ('connector' = 'filesystem', 'path' = '%s', 'format' = 'json', 'json.timestamp-format.standard' = 'ISO-8601')"
    for name in tables(n):
        cols = ", ".join("%s %s" % (c, FLINK_TYPE[t]) for c, t in COLUMNS[name])
        more = "ptime AS PROCTIME()" if n == 12 else "WATERMARK FOR date_time AS date_time - INTERVAL '4' SECOND"
        out.append("CREATE TABLE %s (%s, %s) %s" % (name, cols, more, json % streams[name]))
    if n == 13:
        out.append("CREATE TABLE side_input (key BIGINT, val STRING) " + json % side)
    query = text(n).split("INSERT INTO result\n")[1].strip().rstrip(";")
    for ours, theirs in FLINK_WORDS:
        query = re.sub(ours, theirs, query)
    return ";\n".join(out + [query])

"""shell_peek.py: PRINT and INFER SOURCE over an embedded broker and over files. What is expected was worked out by hand:
the disorder of the 1,000 records is 0 but for two, of 90 s and 500 s, so that the 99.9th percentile is the 999th of them in order: 90 s.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-peek-")
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s\n--- is\n%s\n--- should be\n%s" % (name, is_, should))


def path(name, text=None):
    if text is not None:
        with open(os.path.join(DIR, name), "w") as f:
            f.write(text)
    return os.path.join(DIR, name)


def weir(sql, *args, env=None):
    done = subprocess.run([WEIR, "-c", sql, *args], capture_output=True, text=True, timeout=60, env=dict(os.environ, HOME=DIR, **(env or {})))
    return done.returncode, done.stdout, done.stderr


def stamp(seconds):
    return "2025-11-28T%02d:%02d:%02dZ" % (12 + seconds // 3600, seconds // 60 % 60, seconds % 60)


def orders():
    for i in range(1000):
        at = i - {400: 91, 800: 501}.get(i, 0)
        yield {"id": i, "at": {"event_time": stamp(at)}, "price": 1.5 if i else 120.25, "mixed": i if i % 2 else "x", "note": None, "tags": ["a"],
               "paid": True, "day": "2025-11-28", "ratio": 0.123456, "created": 1764331200000 + i}


EXPECTED = """-- looked at 1000 records of 1 partition: JSON objects
-- at_event_time: 0.2 %% of the records came behind a later one of their partition,
--   99.9 %% by at most 90 s, all by at most 8 min 20 s
CREATE SOURCE peek_orders (
    id BIGINT,
    at_event_time TIMESTAMP PATH '$.at.event_time',
    price DECIMAL(12,2),
    mixed JSON,
    note TEXT,
    tags JSON,
    paid BOOLEAN,
    day DATE,
    ratio DOUBLE,
    created TIMESTAMP,
    WATERMARK FOR at_event_time AS at_event_time - INTERVAL '90' SECOND
) WITH (
    connector = 'kafka', brokers = '%s', topic = 'peek-orders',
    format = 'json', start = 'earliest'
);
"""


def topics(brokers):
    env = {"KAFKA_BROKERS": brokers}
    path("orders.ndjson", "".join(json.dumps(o) + "\n" for o in orders()))
    fill = ("CREATE SOURCE f (v TEXT) WITH (connector = 'file', path = '%s', format = 'raw');"
            "CREATE SINK k (v TEXT) WITH (connector = 'kafka', brokers = '%s', topic = 'peek-orders', format = 'raw'); INSERT INTO k SELECT v FROM f;")
    check("fill", weir(fill % (path("orders.ndjson"), brokers))[0], 0)
    code, out, err = weir("INFER SOURCE FROM 'peek-orders'", env=env)
    check("infer", (code, out, err), (0, EXPECTED % brokers, ""))
    count = "SELECT count(*) AS n, sum(price) AS price, max(at_event_time) AS t, max(created) AS c FROM peek_orders"
    check("what was inferred reads all", weir(out + count, "-o", "ndjson", "--until-end", "--final"),
          (0, '{"n":1000,"price":1618.75,"t":"2025-11-28T12:16:39.000Z","c":"2025-11-28T12:00:00.999Z"}\n', ""))
    code, out, err = weir("PRINT 'peek-orders' FROM BEGINNING LIMIT 2", env=env)
    lines = [re.sub(r" \d{4}-\d\d-\d\d [0-9:.]+ ", " TIME ", line) for line in out.splitlines()]
    first = [json.dumps(o) for o in list(orders())[:2]]
    check("print", (code, lines, err), (0, ["0:0 TIME " + first[0], "0:1 TIME " + first[1]], ""))
    code, out, err = weir("PRINT 'peek-orders' FROM BEGINNING LIMIT 1", "-o", "ndjson", env=env)
    row = json.loads(out)
    check("print as ndjson", (row["partition"], row["offset"], row["key"], row["value"]), (0, 0, None, first[0]))
    declared = "CREATE SOURCE mine (id BIGINT) WITH (connector = 'kafka', brokers = '%s', topic = 'peek-orders', format = 'json'); " % brokers
    check("brokers of a declared source", weir(declared + "PRINT 'peek-orders' FROM BEGINNING LIMIT 1")[1].startswith("0:0 "), True)
    check("name of a declared source", weir(declared + "PRINT mine FROM BEGINNING LIMIT 1")[1].startswith("0:0 "), True)
    check("empty", weir("INFER SOURCE FROM 'peek-empty'", env=env), (2, "", '-c: "peek-empty" is empty: there is nothing to look at\n'))


def files():
    csv = path("t.csv", 'id,name,at\n1,a,2025-01-01 00:00:00\n2,"b,c",2025-01-01 00:00:05\n3,,2025-01-01 00:00:02\n')
    expected = ("-- looked at 4 records: CSV\n"
                '-- "at": 33.3 %% of the records came behind a later one of their partition,\n--   99.9 %% by at most 3 s, all by at most 3 s\n'
                'CREATE SOURCE t (\n    id BIGINT,\n    name TEXT,\n    "at" TIMESTAMP,\n    WATERMARK FOR "at" AS "at" - INTERVAL \'3\' SECOND\n'
                ") WITH (\n    connector = 'file', path = '%s',\n    format = 'csv'\n);\n" % csv)
    check("csv", weir("INFER SOURCE FROM '%s'" % csv), (0, expected, ""))
    check("csv reads", weir(expected + "SELECT count(*) AS n, count(name) AS named FROM t", "-o", "ndjson", "--final"), (0, '{"n":3,"named":2}\n', ""))
    plain = path("plain.csv", "1,2.5\n2,3\n")
    code, out, err = weir("INFER SOURCE FROM '%s'" % plain)
    check("no header", out.splitlines()[1:], ["CREATE SOURCE plain (", "    column1 BIGINT,", "    column2 DECIMAL(11,1)",
                                              ") WITH (", "    connector = 'file', path = '%s'," % plain, "    format = 'csv', header = 'false'", ");"])
    odd = path("odd.txt", "hello\n\x1b[31mred\n")
    check("raw", weir("INFER SOURCE FROM '%s'" % odd)[1].splitlines()[1:3], ["CREATE SOURCE odd (", "    value TEXT"])
    check("no escape reaches the terminal", weir("PRINT '%s'" % odd)[1], "0:1 hello\n0:2 \\x1b[31mred\n")
    keys = path("keys.json", '{"a b": {"c.d": 1, "c": 2}, "a b_c": 3}\n')
    code, out, err = weir("INFER SOURCE FROM '%s'" % keys)
    check("odd names", out.splitlines()[2:5], ['    "a b_c.d" BIGINT PATH \'$."a b"."c.d"\',', '    "a b_c" BIGINT PATH \'$."a b".c\',',
                                               '    "a b_c_2" BIGINT PATH \'$."a b_c"\''])
    check("odd names read", weir(out + "SELECT * FROM keys", "-o", "ndjson")[1], '{"a b_c.d":1,"a b_c":2,"a b_c_2":3}\n')
    seconds = path("s.json", "".join('{"ts": %d, "n": %d}\n' % (1764331200 + i, i) for i in range(5)))
    code, out, err = weir("INFER SOURCE FROM '%s'" % seconds)
    check("epoch seconds", (out.count("ts TIMESTAMP"), out.count("timestamp_unit = 's'"), out.count("in order of it")), (1, 1, 1))
    check("they read", weir(out + "SELECT min(ts) AS t FROM s", "-o", "ndjson", "--final")[1], '{"t":"2025-11-28T12:00:00.000Z"}\n')


def refusals():
    check("no such file", weir("PRINT '/no/such/file' WITH (connector = 'file')"), (1, "", '-c: cannot open "/no/such/file": No such file or directory\n'))
    for sql, says in (("PRINT 'x' WITH (format = 'json')", "PRINT shows records as they are, it takes no format"),
                      ("INFER SOURCE FROM 'x' WITH (format = 'avro')", 'columns can be found in json and csv, not in "avro"'),
                      ("INFER SOURCE FROM 'x' WITH (brokrs = 'h')", 'did you mean "brokers"?'),
                      ("PRINT 'x' WITH (connector = 'datagen')", 'this statement looks into topics and files, not into connector "datagen"'),
                      ("SHOW JOBS", "jobs live on a server")):
        code, out, err = weir(sql)
        check("refused: " + sql, (code, out, says in err), (2, "", True))


def main():
    broker = subprocess.Popen([WEIR, "broker", "--port", "0", "--topics", "peek-orders,peek-empty"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        line = ""
        while not re.search(r"127\.0\.0\.1:\d+", line):
            line = broker.stdout.readline()
            assert line, "the broker did not start"
        topics(re.search(r"127\.0\.0\.1:\d+", line).group(0))
        files()
        refusals()
    finally:
        broker.kill()
        broker.wait()
        shutil.rmtree(DIR)
    sys.exit(1 if FAILED else 0)


main()

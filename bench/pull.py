#!/usr/bin/env python3
"""pull.py: how long a question for one key of a job's result takes, over one connection to a server on this machine.

    WEIR=build/release/weir bench/pull.py [rows]        (default 100000 rows in the result)

Prints median and 99th percentile, in microseconds, of 2,000 questions each; /health is what HTTP alone costs.
"""
import http.client
import json
import os
import random
import shutil
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests", "fixtures"))
import served

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 100000
JOB = """CREATE SOURCE s (k BIGINT, v BIGINT) WITH (connector = 'datagen', rows = %d, rows_per_second = 0, "columns.k.kind" = 'sequence', "columns.v.max" = '999');
SELECT k, sum(v) AS total FROM s GROUP BY k;""" % ROWS


def main():
    data = tempfile.mkdtemp(prefix="weir-pull-")
    s = served.Server(os.path.join(data, "data"))
    s.ask("POST", "/jobs", {"name": "j", "sql": JOB})
    s.until("j", "done", lambda j: j["state"] == "done")
    line = http.client.HTTPConnection("127.0.0.1", s.port)

    def ask(method, path, body=None):
        head = {"Authorization": "Bearer " + s.token, **({"Content-Type": "application/json"} if body else {})}
        line.request(method, path, body and json.dumps(body), head)
        answer = line.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return text

    def measure(name, one):
        rng, took = random.Random(1), []
        for _ in range(2200):
            k = rng.randrange(ROWS)
            start = time.perf_counter()
            one(k)
            took.append((time.perf_counter() - start) * 1e6)
        took = sorted(took[200:])
        print("%-42s %6.0f %6.0f" % (name, took[1000], took[1980]))

    print("%-42s %6s %6s" % ("%d rows, microseconds" % ROWS, "median", "99 %"))
    measure("GET /health", lambda k: ask("GET", "/health"))
    measure("GET /jobs/j/result?k=", lambda k: ask("GET", "/jobs/j/result?" + urllib.parse.urlencode({"k": k})))
    measure("SELECT total FROM j_result WHERE k = ", lambda k: ask("POST", "/sql", {"sql": "SELECT total FROM j_result WHERE k = %d" % k}))
    s.stop()
    shutil.rmtree(data, ignore_errors=True)


main()

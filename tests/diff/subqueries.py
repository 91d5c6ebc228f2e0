#!/usr/bin/env python3
"""Subqueries tied to the query around in every way, LATERAL, and subqueries in ON, against PostgreSQL: fixed queries over random small tables with NULLs.

    python3 tests/diff/subqueries.py [--seed N] [--rounds N] [--weir PATH]

Each query runs whole, row by row, and with three tasks; the changes are folded, and the content must be PostgreSQL's. Nothing may be taken back that was
not given. PG_URL names a server; without it one is started."""
import argparse, json, os, random, subprocess, sys, tempfile
from collections import Counter

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))
import postgres

QUERIES = """
SELECT id, (SELECT max(v) FROM r WHERE r.id > l.id) m FROM l;
SELECT id, (SELECT count(*) FROM r WHERE r.v < l.v) m FROM l;
SELECT id, (SELECT sum(v) FROM r WHERE r.v < l.v AND r.k = l.k) m FROM l;
SELECT id FROM l WHERE v > (SELECT min(v) FROM r WHERE r.k >= l.k);
SELECT id, (SELECT max(r.v + l.v) FROM r WHERE r.k = l.k) m FROM l;
SELECT id, (SELECT id FROM r WHERE r.k < l.k ORDER BY id DESC LIMIT 1) m FROM l;
SELECT id, (SELECT id FROM r WHERE r.k < l.k ORDER BY id DESC LIMIT 1 OFFSET 1) m FROM l;
SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND EXISTS (SELECT 1 FROM s WHERE s.v = l.v AND s.k = r.k));
SELECT id FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND NOT EXISTS (SELECT 1 FROM s WHERE s.v = l.v AND s.k = r.k));
SELECT id FROM l WHERE NOT EXISTS (SELECT 1 FROM r WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.k = l.k AND s.v = r.v));
SELECT id FROM l WHERE v > 1 OR EXISTS (SELECT 1 FROM r WHERE r.v < l.v AND r.k = l.k);
SELECT id FROM l WHERE (SELECT max(v) FROM r WHERE r.v < l.v) > 1;
SELECT id FROM l WHERE k IN (SELECT k FROM r WHERE r.v > l.v);
SELECT id FROM l WHERE k NOT IN (SELECT k FROM r WHERE r.v > l.v);
SELECT id, k IN (SELECT k FROM r WHERE r.v > l.v) FROM l;
SELECT l.id, r.id AS rid FROM l JOIN r ON l.k = r.k WHERE l.v > (SELECT avg(s.v) FROM s WHERE s.k < r.v);
SELECT l.id, r.id AS rid FROM l, r WHERE l.k = r.k AND EXISTS (SELECT 1 FROM s WHERE s.k > l.v AND s.v = r.v);
SELECT k, count(*) c FROM l GROUP BY k HAVING count(*) > (SELECT count(*) FROM r WHERE r.k > l.k);
SELECT k, (SELECT sum(v) FROM r WHERE r.k <= l.k) c FROM l GROUP BY k;
SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r WHERE l.k IN (SELECT k FROM s WHERE s.v = r.v) AND r.k = l.v);
SELECT id FROM l WHERE EXISTS (SELECT r.k FROM r WHERE r.k <> l.k GROUP BY r.k HAVING count(*) > 1);
SELECT id, (SELECT count(*) FROM r WHERE r.k = l.k AND r.v > (SELECT avg(v) FROM s WHERE s.k = l.k)) c FROM l;
SELECT id, (SELECT count(*) FROM r WHERE r.k = l.k AND r.v >= (SELECT max(v) FROM s WHERE s.k <> l.k)) c FROM l;
SELECT id, EXISTS (SELECT 1 FROM r WHERE r.v > l.v) FROM l;
SELECT id, (SELECT l.v) x FROM l;
SELECT id, (SELECT l.v + max(r.v) FROM r) x FROM l;
SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k LIMIT 1);
SELECT id FROM l WHERE EXISTS (SELECT 1 FROM r WHERE r.k = l.k AND r.v > l.v LIMIT 1 OFFSET 1);
SELECT id FROM l WHERE k IN (SELECT r.k FROM r WHERE r.v = l.v AND EXISTS (SELECT 1 FROM s WHERE s.k = l.k AND s.v > r.v AND s.id <> l.id));
SELECT l.id, x.v FROM l JOIN LATERAL (SELECT v FROM r WHERE r.k = l.k) x ON true;
SELECT l.id, x.v, x.id AS rid FROM l LEFT JOIN LATERAL (SELECT v, id FROM r WHERE r.k > l.k) x ON x.v > 1;
SELECT l.id, x.v FROM l, LATERAL (SELECT v, id FROM r WHERE r.k = l.k ORDER BY id DESC LIMIT 2) x;
SELECT l.id, x.v FROM l LEFT JOIN LATERAL (SELECT v, id FROM r WHERE r.k < l.k ORDER BY id DESC LIMIT 2) x ON true;
SELECT l.id, x.* FROM l CROSS JOIN LATERAL (SELECT count(*) AS n, max(v) AS m FROM r WHERE r.k = l.k) x;
SELECT l.id, x.* FROM l CROSS JOIN LATERAL (SELECT count(*) AS n, max(v) AS m FROM r WHERE r.k < l.k) AS x (a, b) WHERE x.a > 0;
SELECT l.id, x.* FROM l CROSS JOIN LATERAL (SELECT r.k, count(*) AS n FROM r WHERE r.v <> l.v GROUP BY r.k) x;
SELECT l.id, x.* FROM l CROSS JOIN LATERAL (SELECT l.v + 1 AS w) x;
SELECT l.id, x.w, y.n FROM l CROSS JOIN LATERAL (SELECT l.v + 1 AS w) x CROSS JOIN LATERAL (SELECT count(*) AS n FROM r WHERE r.v = x.w) y;
SELECT l.id, r.id AS rid, x.v FROM l JOIN r ON l.k = r.k JOIN LATERAL (SELECT v FROM s WHERE s.v > r.v + l.v) x ON true;
SELECT l.id, r.id AS rid FROM l JOIN r ON l.k = r.k AND r.v = (SELECT max(v) FROM r);
SELECT l.id, r.id AS rid FROM l JOIN r ON l.k = r.k AND r.v = (SELECT max(v) FROM s WHERE s.k = l.v);
SELECT l.id, r.id AS rid FROM l LEFT JOIN r ON l.k = r.k AND r.v IN (SELECT v FROM s);
SELECT l.id, r.id AS rid FROM l LEFT JOIN r ON l.k = r.k AND r.v > (SELECT min(v) FROM s WHERE s.k = r.k) AND l.v > 1;
SELECT l.id, r.id AS rid FROM r RIGHT JOIN l ON l.k = r.k AND NOT EXISTS (SELECT 1 FROM s WHERE s.v = r.v);
SELECT l.id, r.id AS rid, s.id AS sid FROM l JOIN r ON l.k = r.k AND EXISTS (SELECT 1 FROM s WHERE s.v = r.v) JOIN s ON s.k = r.k WHERE l.v > 0;
SELECT id FROM l WHERE v > ALL (SELECT v FROM r);
SELECT id FROM l WHERE v > ALL (SELECT v FROM r WHERE r.k = l.k);
SELECT id FROM l WHERE v >= ANY (SELECT v FROM r WHERE r.k = l.k);
SELECT id FROM l WHERE NOT v > ALL (SELECT v FROM r WHERE r.k = l.k);
SELECT id FROM l WHERE NOT v < ANY (SELECT v FROM r WHERE r.k = l.k);
SELECT id FROM l WHERE v <> ANY (SELECT v FROM r WHERE r.k = l.k);
SELECT id FROM l WHERE v = ALL (SELECT v FROM r WHERE r.k = l.k);
SELECT id FROM l WHERE v < ALL (SELECT max(v) FROM r GROUP BY k);
SELECT id, (SELECT v FROM r WHERE r.k = l.k AND v IS NOT NULL ORDER BY v DESC, id LIMIT 1) m FROM l
""".strip().split(";\n")
RUNS = ["", "SET batch_rows = 1;\n", "SET batch_rows = 2;\nSET parallelism = 3;\n"]


def make_tables(rng, pg, where):
    """l, r and s in PostgreSQL and as files; the declarations for weir."""
    sql = ddl = ""
    for name, most in (("l", 12), ("r", 12), ("s", 8)):
        rows = [[i] + [None if rng.random() < 0.15 else rng.randint(0, 4) for _ in range(2)] for i in range(rng.randint(0, most))]
        sql += "drop table if exists %s; create table %s (id int not null, k int, v int);\n" % (name, name)
        for r in rows:
            sql += "insert into %s values (%s);\n" % (name, ", ".join("null" if x is None else str(x) for x in r))
        path = os.path.join(where, name + ".ndjson")
        with open(path, "w") as f:
            f.writelines(json.dumps(dict(zip(("id", "k", "v"), r))) + "\n" for r in rows)
        ddl += "CREATE SOURCE %s (id INTEGER NOT NULL, k INTEGER, v INTEGER) WITH (connector = 'file', path = '%s');\n" % (name, path)
    pg.sql(sql)
    return ddl


def cell(x):
    return "%.9g" % x if isinstance(x, (int, float)) and not isinstance(x, bool) else str(x)


def folded(text):
    """The content that the changes come to, and what was taken back without having been given."""
    count, early = Counter(), []
    for line in text.splitlines():
        o = json.loads(line)
        op = o.pop("op", "+I")
        key = tuple(cell(x) for x in o.values())
        count[key] += 1 if op[0] == "+" else -1
        if count[key] < 0:
            early.append(key)
    return sorted(count.elements()), early


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--rounds", type=int, default=10)
    ap.add_argument("--weir", default=os.environ.get("WEIR", os.path.join(ROOT, "build/release/weir")))
    a = ap.parse_args()
    bad = 0
    with postgres.shared() as pg, tempfile.TemporaryDirectory() as where:
        for seed in range(a.seed, a.seed + a.rounds):
            ddl = make_tables(random.Random(seed), pg, where)
            for q in QUERIES:
                got = pg.rows("select coalesce(json_agg(row_to_json(answer)), '[]') as j from (%s) answer" % q)
                want = sorted(tuple(cell(v) for v in r.values()) for r in json.loads(got[0]["j"]))
                for run in RUNS:
                    p = subprocess.run([a.weir, "-o", "ndjson", "-c", ddl + run + q + (" EMIT CHANGES" if run else "")], capture_output=True, text=True, timeout=60)
                    have, early = folded(p.stdout)
                    if p.returncode or have != want or early:
                        bad += 1
                        print("seed %d, %s\n%s\n  PostgreSQL %s\n  weir       %s %s\n%s" % (seed, run.strip() or "whole", q, want, have, early, p.stderr[-400:]))
    print("%d rounds of %d queries, %d differences" % (a.rounds, len(QUERIES), bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

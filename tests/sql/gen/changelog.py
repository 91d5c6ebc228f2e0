"""changelog.py: writes tests/sql/changelog/*.test: queries over changing results (aggregates of aggregates, DISTINCT, HAVING, UNION), fed row by row;
what they must come to in the end is what SQLite makes of the finished table.

Run:  python3 tests/sql/gen/changelog.py       (the same files each time)
"""
import json
import os
import random
import sqlite3

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "changelog")

QUERIES = {
    "counts_of_counts": ("How many keys have each count", [
        "SELECT n, count(*) AS keys, sum(v) AS v, min(k) AS first FROM (SELECT k, count(*) AS n, sum(v) AS v FROM s GROUP BY k) AS x GROUP BY n",
        "SELECT max(n) AS most, min(n) AS least, count(DISTINCT n) AS kinds FROM (SELECT k, count(*) AS n FROM s GROUP BY k) AS x",
        "SELECT n % 3 AS r, max(v) AS hi, min(v) AS lo FROM (SELECT k, count(*) AS n, sum(v) AS v FROM s GROUP BY k) AS x GROUP BY n % 3"]),
    "extremes": ("Greatest and least of sums that rise and fall", [
        "SELECT g, max(total) AS hi, min(total) AS lo FROM (SELECT g, k, sum(v) AS total FROM s GROUP BY g, k) AS x GROUP BY g",
        "SELECT max(hi) - min(lo) AS spread FROM (SELECT k, max(v) AS hi, min(v) AS lo FROM s GROUP BY k) AS x",
        "SELECT count(*) AS n, sum(total) AS total FROM (SELECT k, sum(v) AS total FROM s GROUP BY k) AS x WHERE total > 0"]),
    "having": ("Groups that come and go with HAVING, and what is counted over them", [
        "SELECT k, sum(v) AS total FROM s GROUP BY k HAVING sum(v) > 0",
        "SELECT count(*) AS n, max(total) AS hi FROM (SELECT k, sum(v) AS total FROM s GROUP BY k HAVING sum(v) > 0) AS x",
        "SELECT g, count(*) AS n FROM (SELECT g, k FROM s GROUP BY g, k HAVING count(*) >= 2 AND min(v) < 0) AS x GROUP BY g HAVING count(*) > 1"]),
    "distinct": ("DISTINCT over rows and over changing results", [
        "SELECT DISTINCT g, v FROM s",
        "SELECT DISTINCT n FROM (SELECT k, count(*) AS n FROM s GROUP BY k) AS x",
        "SELECT count(*) AS n, sum(total) AS total FROM (SELECT DISTINCT total FROM (SELECT k, sum(v) AS total FROM s GROUP BY k) AS x) AS y",
        "SELECT count(DISTINCT total) AS n, sum(DISTINCT total) AS total FROM (SELECT k, sum(v) AS total FROM s GROUP BY k) AS x"]),
    "three_levels": ("Three levels of groups", [
        "SELECT m, count(*) AS n FROM (SELECT g, max(total) AS m FROM (SELECT g, k, sum(v) AS total FROM s GROUP BY g, k) AS x GROUP BY g) AS y GROUP BY m",
        "SELECT sum(n) AS n, max(n) AS most FROM (SELECT total, count(*) AS n FROM (SELECT g, k, sum(v) AS total FROM s GROUP BY g, k) AS x GROUP BY total) AS y"]),
    "unions": ("UNION ALL and UNION of changing and of unchanging rows", [
        "SELECT sum(v) AS v, count(*) AS n FROM (SELECT v FROM s UNION ALL SELECT max(v) FROM s GROUP BY k) AS x",
        "SELECT 'sum' AS what, g, sum(v) AS v FROM s GROUP BY g UNION ALL SELECT 'max', g, max(v) FROM s GROUP BY g",
        "SELECT k FROM s WHERE v > 3 UNION SELECT k FROM s GROUP BY k HAVING count(*) > 6",
        "SELECT v, count(*) AS n FROM (SELECT sum(v) AS v FROM s GROUP BY k UNION ALL SELECT sum(v) FROM s GROUP BY g) AS x GROUP BY v"]),
    "filters": ("FILTER and CASE over changing results", [
        "SELECT count(*) FILTER (WHERE total > 0) AS up, count(*) FILTER (WHERE total <= 0) AS down, sum(total) FILTER (WHERE n > 3) AS big "
        "FROM (SELECT k, sum(v) AS total, count(*) AS n FROM s GROUP BY k) AS x",
        "SELECT CASE WHEN total > 5 THEN 'high' WHEN total > 0 THEN 'low' ELSE 'none' END AS band, count(*) AS n, max(total) AS hi "
        "FROM (SELECT k, sum(v) AS total FROM s GROUP BY k) AS x GROUP BY CASE WHEN total > 5 THEN 'high' WHEN total > 0 THEN 'low' ELSE 'none' END",
        "SELECT g, k, total * 2 + n AS x FROM (SELECT g, k, sum(v) AS total, count(*) AS n FROM s GROUP BY g, k) AS x WHERE total % 2 = 0"]),
}


def main():
    os.makedirs(OUT, exist_ok=True)
    for seed, (name, (title, queries)) in enumerate(QUERIES.items(), 1):
        rng = random.Random(seed)
        rows = [dict(g=rng.choice(["x", "y", "z", None]), k=rng.choice("abcdefgh") if rng.random() < 0.95 else None, v=rng.choice([None, -9, -4, -2, -1, 0, 1, 2, 3, 5, 8]))
                for _ in range(60)]
        db = sqlite3.connect(":memory:")
        db.execute("CREATE TABLE s (g TEXT, k TEXT, v INTEGER)")
        db.executemany("INSERT INTO s VALUES (:g, :k, :v)", rows)
        out = [title + "; expected rows by SQLite (gen/changelog.py)", "==== sql",
               "CREATE SOURCE s (g TEXT, k TEXT, v INTEGER) WITH (connector = 'kafka', brokers = 'b', topic = 't', format = 'json');"]
        out += [q + ";" for q in queries] + ["", "==== input s"]
        out += ["@%d %s" % (rng.randrange(2), json.dumps(r)) for r in rows]
        for q in queries:
            cursor = db.execute(q)
            names = [c[0] for c in cursor.description]
            out += ["", "==== expect"] + [json.dumps(dict(zip(names, row))) for row in cursor]
        with open(os.path.join(OUT, name + ".test"), "w", encoding="utf-8") as f:
            f.write("\n".join(out) + "\n")


if __name__ == "__main__":
    main()

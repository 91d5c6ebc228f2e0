#!/usr/bin/env python3
"""Joins, subqueries and set operations against SQLite: random small tables with NULLs and duplicates, random queries over them.

    python3 tests/diff/joins.py [--seed N] [--rounds N] [--weir PATH] [--only KIND]

What SQLite (python's sqlite3, 3.39 or later) says of the same rows is what is expected."""
import re, sqlite3, sys

import scenarios


def make_tables(rng):
    tables = {}
    for i in range(3):
        rows = []
        for n in range(rng.choice([0, 1, 3, 8, 20, 40])):
            rows.append({"id": n, "ts": 1000 * rng.randrange(60), "k": rng.choice([None, 0, 1, 1, 2, 3]), "s": rng.choice([None, "a", "b", "a", ""]), "v": rng.choice([None, -2, 0, 1, 2, 3, 5])})
            if rng.random() < 0.15:
                rows.append(dict(rows[-1]))
        if rng.random() < 0.5:
            rows.sort(key=lambda r: r["ts"])
        tables["t%d" % i] = rows
    return tables


INT = ["id", "k", "v"]


class Query:
    """Text that both understand."""

    def __init__(self, rng):
        self.rng = rng

    def source(self, alias):
        """A FROM item and its columns by type."""
        rng, t = self.rng, "t%d" % self.rng.randrange(3)
        r = rng.random()
        if r < 0.65:
            return "%s AS %s" % (t, alias), {"int": ["%s.%s" % (alias, c) for c in INT], "text": [alias + ".s"]}
        if r < 0.85:
            return ("(SELECT k, count(*) AS n, max(v) AS m, min(s) AS s FROM %s GROUP BY k) AS %s" % (t, alias),
                    {"int": [alias + ".k", alias + ".n", alias + ".m"], "text": [alias + ".s"]})
        if r < 0.93:
            return "(SELECT DISTINCT k, s FROM %s WHERE v > 0) AS %s" % (t, alias), {"int": [alias + ".k"], "text": [alias + ".s"]}
        return "(SELECT k + 1 AS k, s, v FROM %s WHERE id < 9) AS %s" % (t, alias), {"int": [alias + ".k", alias + ".v"], "text": [alias + ".s"]}

    def atom(self, cols):
        rng = self.rng
        a = rng.choice(cols["int"])
        r = rng.random()
        if r < 0.25:
            return "%s IS %sNULL" % (a, rng.choice(["", "NOT "]))
        if r < 0.4:
            return "%s = '%s'" % (rng.choice(cols["text"]), rng.choice("ab"))
        return "%s %s %d" % (a, rng.choice(["=", "<>", "<", ">="]), rng.randint(-1, 3))

    def condition(self, left, right):
        rng, parts = self.rng, []
        for _ in range(rng.choice([1, 1, 1, 2])):
            if rng.random() < 0.75:
                a, b = rng.choice(left["int"]), rng.choice(right["int"])
                parts.append("%s = %s%s" % (a, b, rng.choice(["", "", " + 1"])) if rng.random() < 0.85 else "%s + 1 = %s" % (b, a))
            else:
                parts.append("%s = %s" % (rng.choice(left["text"]), rng.choice(right["text"])))
        if rng.random() < 0.3:
            parts.append("%s %s %s" % (rng.choice(left["int"]), rng.choice(["<", "<>", ">="]), rng.choice(right["int"])))
        if rng.random() < 0.2:
            parts.append(self.atom(rng.choice([left, right])))
        if rng.random() < 0.1:
            parts.append("(%s OR %s)" % (self.atom(left), self.atom(right)))
        rng.shuffle(parts)
        return " AND ".join(parts)

    def joined(self):
        rng = self.rng
        text, cols = self.source("a")
        n = rng.choice([1, 1, 2])
        where = []
        for i in range(n):
            item, more = self.source("bc"[i])
            kind = rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN", "JOIN", ","])
            if kind == ",":
                text += " CROSS JOIN " + item
                where.append(self.condition(cols, more))
            else:
                text += " %s %s ON %s" % (kind, item, self.condition(cols, more))
            cols = {t: cols[t] + more[t] for t in cols}
        return text, cols, where

    def grouped(self, text, cols, where):
        rng = self.rng
        if where:
            text += " WHERE " + " AND ".join(where)
        if rng.random() < 0.5:
            pick = [rng.choice(cols[rng.choice(["int", "int", "text"])]) for _ in range(rng.randint(1, 4))]
            return "SELECT %s%s FROM %s" % (rng.choice(["", "", "DISTINCT "]), ", ".join("%s AS c%d" % (c, i) for i, c in enumerate(pick)), text)
        key = rng.choice(cols[rng.choice(["int", "text"])])
        aggs = ["count(*)", "count(%s)" % rng.choice(cols["int"]), "sum(%s)" % rng.choice(cols["int"]), "min(%s)" % rng.choice(cols["int"]),
                "max(%s)" % rng.choice(cols["text"]), "count(DISTINCT %s)" % rng.choice(cols["int"])]
        pick = rng.sample(aggs, rng.randint(1, 3))
        having = " HAVING count(*) > %d" % rng.randint(0, 3) if rng.random() < 0.3 else ""
        if rng.random() < 0.2:
            return "SELECT %s FROM %s" % (", ".join("%s AS c%d" % (c, i) for i, c in enumerate(pick)), text)
        return "SELECT %s AS key, %s FROM %s GROUP BY %s%s" % (key, ", ".join("%s AS c%d" % (c, i) for i, c in enumerate(pick)), text, key, having)

    def join(self):
        text, cols, where = self.joined()
        if self.rng.random() < 0.4:
            where.append(self.atom(cols))
        return self.grouped(text, cols, where)

    def inner(self, alias, outer, only_equal):
        """FROM and WHERE of a subquery, tied to the columns of the query around it or not."""
        rng = self.rng
        t, where = "t%d" % rng.randrange(3), []
        cols = {"int": ["%s.%s" % (alias, c) for c in INT], "text": [alias + ".s"]}
        for _ in range(rng.choice([0, 1, 1, 2])):
            kind = rng.choice(["int", "int", "text"])
            a, b = rng.choice(cols[kind]), rng.choice(outer[kind])
            where.append("%s = %s" % ((a, b) if rng.random() < 0.6 else (b, a)) + (" + 1" if kind == "int" and rng.random() < 0.15 else ""))
        if not only_equal and rng.random() < 0.4:
            where.append("%s %s %s" % (rng.choice(cols["int"]), rng.choice(["<", "<>", ">="]), rng.choice(outer["int"])))
        if rng.random() < 0.4:
            where.append(self.atom(cols))
        rng.shuffle(where)
        return "%s AS %s%s" % (t, alias, " WHERE " + " AND ".join(where) if where else ""), cols, where

    def predicate(self, outer, alias, direct):
        """EXISTS or IN; direct: as a condition of its own."""
        rng = self.rng
        neg = rng.choice(["", "NOT "])
        plain_in = direct and neg == ""
        if rng.random() < 0.5:
            text, cols, _ = self.inner(alias, outer, not direct)
            what = rng.choice(["1", "*", "max(%s)" % cols["int"][0] if rng.random() < 0.3 else "1"])
            if what.startswith("max"):
                text, cols, _ = self.inner(alias, outer, True)
            return "%sEXISTS (SELECT %s FROM %s)" % (neg, what, text)
        text, cols, where = self.inner(alias, outer, not plain_in)
        kind = rng.choice(["int", "int", "text"])
        a, b = rng.choice(outer[kind]), rng.choice(cols[kind])
        if rng.random() < 0.2 and not where:
            return "%s %sIN (SELECT max(%s) FROM %s GROUP BY %s)" % (a, neg, b, text, rng.choice(cols["int"]))
        if plain_in and rng.random() < 0.2:
            return "(%s, %s) IN (SELECT %s, %s FROM %s)" % (a, outer["text"][0], b, cols["text"][0], text)
        return "%s %sIN (SELECT %s%s FROM %s)" % (a, neg, rng.choice(["", "", "DISTINCT "]), b, text)

    def scalar(self, outer, alias):
        rng = self.rng
        text, cols, _ = self.inner(alias, outer, True)
        agg = rng.choice(["count(*)", "count(%s)", "sum(%s)", "min(%s)", "max(%s)", "count(*) + 1", "coalesce(max(%s), -1)", "count(DISTINCT %s)"])
        return "(SELECT %s FROM %s)" % (agg % rng.choice(cols["int"]) if "%" in agg else agg, text)

    def sub(self):
        """Semi and anti joins, scalar subqueries, in every place."""
        rng = self.rng
        text, cols = self.source("a")
        if rng.random() < 0.3:
            item, more = self.source("b")
            text += " %s %s ON %s" % (rng.choice(["JOIN", "LEFT JOIN"]), item, self.condition(cols, more))
            cols = {t: cols[t] + more[t] for t in cols}
        where, names = [], iter("pqrstuvwxyz")
        for _ in range(rng.choice([0, 1, 1, 2])):
            r = rng.random()
            if r < 0.55:
                where.append(self.predicate(cols, next(names), True))
            elif r < 0.8:
                where.append("%s %s %s" % (rng.choice(cols["int"]), rng.choice(["=", "<", ">=", "<>"]), self.scalar(cols, next(names))))
            else:
                where.append("(%s OR %s)" % (self.atom(cols), self.predicate(cols, next(names), False)))
        if rng.random() < 0.3:
            where.append(self.atom(cols))
        cond = " WHERE " + " AND ".join(where) if where else ""
        if rng.random() < 0.25:
            key = rng.choice(cols["int"])
            only = {"int": [key], "text": ["'a'"]}
            having = rng.choice(["", "", " HAVING count(*) >= " + self.scalar(only, next(names)), " HAVING " + self.predicate(only, next(names), True)])
            extra = ", %s AS c1" % self.scalar(only, next(names)) if rng.random() < 0.5 else ""
            return "SELECT %s AS key, count(*) AS c0%s FROM %s%s GROUP BY %s%s" % (key, extra, text, cond, key, having)
        pick = [rng.choice(cols[rng.choice(["int", "text"])])]
        for _ in range(rng.choice([0, 1, 1, 2])):
            if rng.random() < 0.6:
                pick.append(self.scalar(cols, next(names)))
            else:
                pick.append("CASE WHEN %s THEN 1 ELSE 0 END" % self.predicate(cols, next(names), False))
        return "SELECT %s FROM %s%s" % (", ".join("%s AS c%d" % (c, i) for i, c in enumerate(pick)), text, cond)

    def interval(self):
        """Joins whose event times are so far apart: `IV(n)` is n seconds."""
        rng = self.rng
        a, b = rng.sample(["t0", "t1", "t2"], 2)
        lo, hi = sorted([rng.randint(-9, 9), rng.randint(-9, 9)])
        cond = rng.choice(["a.ts BETWEEN b.ts + IV({lo}) AND b.ts + IV({hi})", "a.ts >= b.ts + IV({lo}) AND a.ts <= b.ts + IV({hi})",
                           "b.ts <= a.ts - IV({lo}) AND a.ts - IV({hi}) <= b.ts", "a.ts > b.ts + IV({lo}) AND b.ts > a.ts - IV({hi})"]).format(lo=lo, hi=hi)
        cols = {"int": ["a.id", "a.k", "a.v"], "text": ["a.s"]}, {"int": ["b.id", "b.k", "b.v"], "text": ["b.s"]}
        if rng.random() < 0.7:
            cond += " AND a.k = b.k"
        if rng.random() < 0.3:
            cond += " AND a.v %s b.v" % rng.choice(["<", "<>"])
        if rng.random() < 0.2:
            cond += " AND " + self.atom(rng.choice(cols))
        r = rng.random()
        if r < 0.3:
            return "SELECT a.id AS x, a.s AS y FROM %s AS a WHERE %sEXISTS (SELECT 1 FROM %s AS b WHERE %s)" % (a, rng.choice(["", "NOT "]), b, cond)
        if r < 0.4:
            return "SELECT a.id AS x, b.id AS y FROM %s AS a, %s AS b WHERE %s" % (a, b, cond)
        if r < 0.5:
            return "SELECT a.k AS x, count(*) AS n, count(b.id) AS m FROM %s AS a LEFT JOIN %s AS b ON %s GROUP BY a.k" % (a, b, cond)
        return "SELECT a.id AS x, b.id AS y, b.s AS z FROM %s AS a %s JOIN %s AS b ON %s" % (a, rng.choice(["", "LEFT", "RIGHT", "FULL"]), b, cond)

    def windowed(self, t, alias):
        """Rows of windows, or one for each window and key; `@TUMBLE(t)`, `@HOP(t)`: 10 s, every 5 s."""
        rng = self.rng
        if rng.random() < 0.6:
            return "%s AS %s" % (t, alias)
        return "(SELECT window_start, window_end, k, max(id) AS id, min(s) AS s, count(*) AS v FROM %s GROUP BY window_start, window_end, k) AS %s" % (t, alias)

    def window(self):
        rng = self.rng
        form = rng.choice(["@TUMBLE(%s)", "@HOP(%s)"])
        a, b = self.windowed(form % "t0", "a"), self.windowed(form % rng.choice(["t0", "t1"]), "b")
        cond = rng.choice(["a.window_start = b.window_start", "a.window_end = b.window_end", "a.window_start = b.window_start AND a.window_end = b.window_end"])
        if rng.random() < 0.7:
            cond += " AND a.k = b.k"
        if rng.random() < 0.3:
            cond += " AND a.v %s b.v" % rng.choice(["<", "<>"])
        if rng.random() < 0.3:
            return "SELECT a.id AS x, a.s AS y FROM %s WHERE %sEXISTS (SELECT 1 FROM %s WHERE %s)" % (a, rng.choice(["", "NOT "]), b, cond)
        if rng.random() < 0.2:
            return ("SELECT a.id AS x, a.s AS y FROM %s WHERE a.k %sIN (SELECT k FROM %s WHERE a.window_end = b.window_end)" % (a, rng.choice(["", "NOT "]), b))
        return "SELECT a.id AS x, b.id AS y, b.v AS z FROM %s %s JOIN %s ON %s" % (a, rng.choice(["", "LEFT", "RIGHT", "FULL"]), b, cond)

    def setop(self):
        """UNION, INTERSECT, EXCEPT; SQLite has no ALL for the last two: rows are numbered among their equals."""
        rng = self.rng
        cols = rng.choice(["k", "k, s", "s", "v, k"])
        side = lambda: rng.choice(["SELECT %s FROM t%d" % (cols, rng.randrange(3)), "SELECT %s FROM t%d WHERE %s" % (cols, rng.randrange(3), self.atom({"int": INT, "text": ["s"]})),
                                   "SELECT %s FROM t%d GROUP BY %s HAVING count(*) > 1" % (cols, rng.randrange(3), cols)])
        op = rng.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"])
        if op in ("INTERSECT ALL", "EXCEPT ALL"):
            return "@SET(%s|%s|%s|%s)" % (cols, side(), op[:-4], side())
        text = "%s %s %s" % (side(), op, side())
        if rng.random() < 0.3:
            text = "SELECT count(*) AS n, count(k) AS m FROM (%s) AS x" % (text if "k" in cols else text.replace("SELECT s", "SELECT s AS k"))
        return text

    def using(self):
        rng = self.rng
        kind = rng.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
        cols = rng.choice(["k", "k, s", "s"])
        return "SELECT %s, a.v AS x, b.v AS y FROM t0 AS a %s t1 AS b USING (%s)" % (cols, kind, cols)


def for_weir(sql):
    sql = re.sub(r"IV\((-?\d+)\)", r"INTERVAL '\1' SECOND", sql)
    sql = re.sub(r"@TUMBLE\((\w+)\)", r"TUMBLE(TABLE \1, DESCRIPTOR(ts), INTERVAL '10' SECOND)", sql)
    if sql.startswith("@SET("):
        _, left, op, right = sql[5:-1].split("|")
        return "%s %s ALL %s" % (left, op, right)
    return re.sub(r"@HOP\((\w+)\)", r"HOP(TABLE \1, DESCRIPTOR(ts), INTERVAL '5' SECOND, INTERVAL '10' SECOND)", sql)


def for_sqlite(sql):
    of = "SELECT *, ts / {0} * {0} - {1} AS window_start, ts / {0} * {0} - {1} + 10 AS window_end FROM \\1"
    sql = re.sub(r"IV\((-?\d+)\)", r"(\1)", sql)
    sql = re.sub(r"@TUMBLE\((\w+)\)", "(" + of.format(10, 0) + ")", sql)
    if sql.startswith("@SET("):
        cols, left, op, right = sql[5:-1].split("|")
        number = "SELECT %s, row_number() OVER (PARTITION BY %s) AS nth FROM (%%s)" % (cols, cols)
        return "SELECT %s FROM (%s %s %s)" % (cols, number % left, op, number % right)
    return re.sub(r"@HOP\((\w+)\)", "(" + of.format(5, 0) + " UNION ALL " + of.format(5, 5) + ")", sql)


def in_sqlite(tables, sql):
    db = sqlite3.connect(":memory:")
    for name, rows in tables.items():
        db.execute("CREATE TABLE %s (id INTEGER, k INTEGER, s TEXT, v INTEGER, ts INTEGER)" % name)
        db.executemany("INSERT INTO %s VALUES (:id, :k, :s, :v, :ts / 1000)" % name, rows)
    cur = db.execute(for_sqlite(sql))
    names = [d[0] for d in cur.description]
    return [scenarios.line(dict(zip(names, row))) for row in cur.fetchall()]


def delay(rows):
    """Seconds that no row is late with."""
    most = late = 0
    for r in rows:
        most = max(most, r["ts"])
        late = max(late, most - r["ts"])
    return late // 1000


def of_kind(kind):
    def case(rng):
        tables = make_tables(rng)
        sql = getattr(Query(rng), kind)()
        # EXISTS over an aggregate is always true and its table is not read
        if "NOT EXISTS (SELECT max(" in sql:
            return None
        read = re.sub(r"EXISTS \(SELECT max\([^)]*\) FROM t\d", "", sql)
        used = [t for t in tables if re.search(r"\b%s\b" % t, sql)]
        text = "".join("CREATE SOURCE %s (id INTEGER, k INTEGER, s TEXT, v INTEGER, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL '%d' SECOND) "
                       "WITH (connector = 'file', path = '%s.ndjson', format = 'json');\n" % (t, delay(tables[t]), t) for t in used)
        return scenarios.make(rng, kind, text + for_weir(sql) + ";", [(t, [scenarios.line(r) for r in tables[t]]) for t in used if re.search(r"\b%s\b" % t, read)], in_sqlite(tables, sql))
    return case


KINDS = {kind: of_kind(kind) for kind in ["join", "using", "sub", "interval", "window", "setop"]} if sqlite3.sqlite_version_info >= (3, 39) else {}

if __name__ == "__main__":
    if not KINDS:
        print("this needs SQLite 3.39 for RIGHT and FULL JOIN, here is " + sqlite3.sqlite_version)
        sys.exit(77)
    sys.exit(scenarios.main("joins", KINDS))

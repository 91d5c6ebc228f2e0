#!/usr/bin/env python3
"""Ranking, OVER and GROUPING SETS against SQLite on the same rows.

    python3 tests/diff/over.py [--seed N] [--rounds N] [--weir PATH] [--only KIND]

Rows have NULLs, repeated values and disorder; ORDER BY always ends with a column that makes it total, where the function sees the order of equal rows. Rows behind the watermark are left out by definition (time < greatest time so far - delay), and counted."""
import sqlite3, sys

import scenarios

S = 1_000_000
BASE = 1764331200  # 2025-11-28 12:00:00


def iso(us):
    s, f = divmod(us, S)
    d, s = divmod(s, 86400)
    return "2025-11-%02dT%02d:%02d:%02d.%s" % (d - 20420 + 28, s // 3600, s // 60 % 60, s % 60, ("%03dZ" % (f // 1000)))


def make_rows(rng):
    t, rows = BASE * S, []
    for i in range(rng.randint(0, 50)):
        t += rng.choice([0, 0, 1, 1, 2, 5, 20]) * S
        at = t - rng.choice([0, 0, 0, 0, 1, 3, 10, 40]) * S
        rows.append({"id": i, "k": rng.choice(["a", "b", "c", None]), "g": rng.randint(0, 2), "v": rng.choice([None, 0, 1, 2, 5, -3, 7]),
                     "x": rng.choice([None, 0.5, 1.25, -2.0, 8.0]), "ts": at})
    return rows


def not_late(rows, delay):
    top, kept, late = None, [], 0
    for r in rows:
        if top is not None and r["ts"] < top - delay * S:
            late += 1
        else:
            kept.append(r)
        top = r["ts"] if top is None or r["ts"] > top else top
    return kept, late


def sqlite_rows(rows, sql, decl=""):
    db = sqlite3.connect(":memory:")
    db.execute("CREATE TABLE t (id INTEGER, k TEXT, g INTEGER, v INTEGER, x REAL, ts INTEGER)")
    db.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?, ?)", [(r["id"], r["k"], r["g"], r["v"], r["x"], r["ts"] // S) for r in rows])
    cur = db.execute(decl + sql)
    names = [c[0] for c in cur.description]
    return [scenarios.line({n: iso(v * S) if n == "window_start" else v for n, v in zip(names, r)}) for r in cur.fetchall()]


# ---- random queries: (SQL for weir, SQL for SQLite, options)

AGGS = ["count(*)", "count(v)", "sum(v)", "min(v)", "max(v)", "sum(x)", "min(x)", "count(x)", "max(x)", "count(*) FILTER (WHERE v > 0)",
        "sum(v) FILTER (WHERE x > 0)"]


def partition(rng):
    return rng.choice(["PARTITION BY k ", "PARTITION BY k ", "PARTITION BY k, g ", "PARTITION BY g ", ""])


def nulls(rng):
    return rng.choice(["", "", " NULLS FIRST", " NULLS LAST"])


def order(rng, cols):
    out = []
    for c in rng.sample(cols, rng.randint(1, min(2, len(cols)))):
        desc = rng.choice(["", " DESC"])
        n = nulls(rng)
        # weir, as PostgreSQL, has NULLs greatest; SQLite has them least: always written out for it
        out.append((f"{c}{desc}{n}", f"{c}{desc}{n or (' NULLS FIRST' if desc else ' NULLS LAST')}"))
    return out


def frame_rows(rng, following=True):
    pre = rng.choice(["UNBOUNDED PRECEDING", "0 PRECEDING", "1 PRECEDING", "2 PRECEDING", "5 PRECEDING"])
    ends = ["CURRENT ROW", "CURRENT ROW"]
    if following:
        ends += ["1 FOLLOWING", "2 FOLLOWING"]
    if pre[0] not in "01U":
        ends += ["1 PRECEDING"]
    f = rng.choice(["n", "n", "n", "f" if following else "n"])
    if f == "f":
        return f"ROWS BETWEEN 1 FOLLOWING AND {rng.choice(['1', '3'])} FOLLOWING"
    return f"ROWS BETWEEN {pre} AND {rng.choice(ends)}"


def fn(rng, full, framed):
    """A function: text, whether a frame may stand behind."""
    c = rng.choice(["agg"] * 5 + ["lag", "lead", "first", "last", "nth", "rn", "rank", "dense"] + (["ntile", "pr", "cd"] if full else []))
    if c == "agg":
        return rng.choice(AGGS)
    return {"lag": lambda: rng.choice(["lag(v)", "lag(v, 2)", "lag(k, 1, 'none')", "lag(v, 3, 99)"]),
            "lead": lambda: rng.choice(["lead(v)", "lead(v, 2)", "lead(g, 1, -1)"]),
            "first": lambda: "first_value(v)", "last": lambda: "last_value(v)", "nth": lambda: rng.choice(["nth_value(v, 2)", "nth_value(id, 3)"]),
            "rn": lambda: "row_number()", "rank": lambda: "rank()", "dense": lambda: "dense_rank()", "ntile": lambda: rng.choice(["ntile(2)", "ntile(3)", "ntile(7)"]),
            "pr": lambda: "percent_rank()", "cd": lambda: "cume_dist()"}[c]()


def wants_frame(f):
    return not f.startswith(("lag", "lead", "row_number", "rank", "dense", "ntile", "percent", "cume"))


def q_top(rng):
    """Top-N over appended rows, all functions."""
    part, o = partition(rng), order(rng, ["v", "x", "g"])
    f = rng.choice(["row_number()", "rank()", "dense_rank()"])
    if f == "row_number()":
        o.append(("id", "id"))
    cond = rng.choice(["rn <= 2", "rn = 1", "rn < 4", "rn BETWEEN 2 AND 3", "3 >= rn", "rn = 2", "rn <= 3 AND v > 0", "rn <= 5 AND rn > 1"])
    cols = rng.choice(["id, k, v, rn", "k, v, rn", "id, k, g", "k, rn"])
    inner = "SELECT id, k, g, v, x, %s OVER (%sORDER BY %s) AS rn FROM %s"
    src, lsrc = rng.choice([("t", "t"), ("(SELECT * FROM t WHERE g < 2) AS u", "(SELECT * FROM t WHERE g < 2) AS u")])
    if rng.random() < 0.3 and "AND v" not in cond:
        w = f"SELECT id, k, g, v, {f} OVER ({part}ORDER BY {', '.join(a for a, _ in o)}) AS rn FROM {src} QUALIFY {cond}"
        w = f"SELECT {cols} FROM ({w}) AS q"
    else:
        w = f"SELECT {cols} FROM ({inner % (f, part, ', '.join(a for a, _ in o), src)}) AS q WHERE {cond}"
    l = f"SELECT {cols} FROM ({inner % (f, part, ', '.join(b for _, b in o), lsrc)}) AS q WHERE {cond}"
    return w, l, {}


def q_top_updating(rng):
    """Top-N over an aggregate that changes."""
    f = rng.choice(["row_number()", "rank()", "dense_rank()"])
    by = rng.choice(["s", "n", "m"])
    desc = rng.choice(["", " DESC"])
    tail = ", g, k" if f == "row_number()" else ""
    ltail = ", g, k NULLS LAST" if f == "row_number()" else ""
    part = rng.choice(["PARTITION BY g ", ""])
    agg = "SELECT k, g, sum(v) AS s, count(*) AS n, max(v) AS m FROM t GROUP BY k, g"
    cond = rng.choice(["rn <= 2", "rn = 1", "rn BETWEEN 2 AND 3", "rn <= 4"])
    cols = rng.choice(["k, g, s, rn", "k, g, n", "g, s, rn"])
    w = f"SELECT {cols} FROM (SELECT *, {f} OVER ({part}ORDER BY {by}{desc}{tail}) AS rn FROM ({agg}) AS a) AS q WHERE {cond}"
    l = f"SELECT {cols} FROM (SELECT *, {f} OVER ({part}ORDER BY {by}{desc}{' NULLS FIRST' if desc else ' NULLS LAST'}{ltail}) AS rn FROM ({agg}) AS a) AS q WHERE {cond}"
    return w, l, {}


def q_limit(rng):
    o = order(rng, ["v", "x", "g"])
    n, off = rng.randint(1, 6), rng.choice([0, 0, 2])
    tail = f"LIMIT {n}" + (f" OFFSET {off}" if off else "")
    w = f"SELECT id, v, x, g FROM t ORDER BY {', '.join(a for a, _ in o)}, id {tail}"
    l = f"SELECT id, v, x, g FROM t ORDER BY {', '.join(b for _, b in o)}, id {tail}"
    return w, l, {"unbounded": True}


def spec_sql(rng, spec, frame, side):
    part, o = spec
    text = part + ("ORDER BY " + ", ".join(x[side] for x in o) if o else "")
    return f"{text} {frame}".strip()


def q_over(rng):
    """OVER without a watermark: over appended or changing rows."""
    updating = rng.random() < 0.4
    src = "(SELECT k, g, sum(v) AS v, sum(x) AS x, count(*) AS id FROM t GROUP BY k, g) AS u" if updating else "t"
    keys = [("k", "k NULLS LAST"), ("g", "g")] if updating else [("id", "id")]
    w, l, names = [], [], []
    for i in range(rng.randint(1, 4)):
        f = fn(rng, True, True)
        part = partition(rng)
        o = order(rng, ["v", "x", "g"])
        exact = f.startswith(("lag", "lead", "first", "last", "nth", "row_n", "ntile"))
        frame = ""
        if wants_frame(f) and rng.random() < 0.7:
            frame = rng.choice([frame_rows(rng), "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                                "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
                                "RANGE BETWEEN 2 PRECEDING AND 1 FOLLOWING", "RANGE BETWEEN 3 PRECEDING AND CURRENT ROW"])
        if "RANGE BETWEEN 2" in frame or "RANGE BETWEEN 3" in frame:
            d, n = rng.choice(["", " DESC"]), nulls(rng)
            o = [(f"g{d}{n}", f"g{d}{n}") if rng.random() < 0.5 else (f"v{d}{n}", f"v{d}{n or (' NULLS FIRST' if d else ' NULLS LAST')}")]
            exact = False
            if not f.startswith(("count", "sum", "min", "max")):
                f = "sum(v)"
        if exact or frame.startswith("ROWS"):
            o = o + keys
        if rng.random() < 0.1 and f.startswith(("count", "sum", "min", "max")) and not frame:
            o = []
        w.append(f"{f} OVER ({spec_sql(rng, (part, o), frame, 0)}) AS c{i}")
        l.append(f"{f} OVER ({spec_sql(rng, (part, o), frame, 1)}) AS c{i}")
    sel = "SELECT k, g, v, id, %s FROM %s"
    return sel % (", ".join(w), src), sel % (", ".join(l), src), {}


def q_over_time(rng):
    """OVER in order of event time with a watermark."""
    delay = rng.choice([0, 2, 10, 30])
    w, l = [], []
    parts = rng.sample(["PARTITION BY k ", "PARTITION BY g ", "", "PARTITION BY k, g "], rng.randint(1, 2))
    for i in range(rng.randint(1, 5)):
        f = fn(rng, False, True)
        part = rng.choice(parts)
        frame, lframe = "", ""
        o, lo = "ts, id", "ts, id"
        if wants_frame(f) and rng.random() < 0.8:
            if rng.random() < 0.5:
                frame = lframe = frame_rows(rng)
            elif f.startswith(("count", "sum", "min", "max")):
                n, m = rng.choice([0, 1, 3, 10, 30]), rng.choice([0, 0, 2, 5])
                o = lo = "ts"
                to, lto = (f"INTERVAL '{m}' SECOND FOLLOWING", f"{m} FOLLOWING") if m else ("CURRENT ROW", "CURRENT ROW")
                frame, lframe = f"RANGE BETWEEN INTERVAL '{n}' SECOND PRECEDING AND {to}", f"RANGE BETWEEN {n} PRECEDING AND {lto}"
        w.append(f"{f} OVER ({part}ORDER BY {o} {frame}) AS c{i}")
        l.append(f"{f} OVER ({part}ORDER BY {lo} {lframe}) AS c{i}")
    sel = "SELECT id, k, v, %s FROM t"
    return sel % ", ".join(w) + f" WITH WATERMARK '{delay} s'", sel % ", ".join(l), {"delay": delay}


def q_first_last(rng):
    """De-duplication on event time, live."""
    delay = rng.choice([0, 5, 30])
    d = rng.choice(["", " DESC"])
    cols = rng.choice(["id, k, v", "k, v", "id"])
    part = rng.choice(["PARTITION BY k ", "PARTITION BY k, g "])
    sql = f"SELECT {cols} FROM (SELECT *, row_number() OVER ({part}ORDER BY ts{d}, id{d}) AS rn FROM t) AS q WHERE rn = 1"
    return sql, sql, {}


def q_first_final(rng):
    """De-duplication on event time with EMIT FINAL: appended when the watermark has passed."""
    delay = rng.choice([0, 5, 30])
    n = rng.choice([1, 1, 3])
    sql = f"SELECT id, k, v FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY ts, id) AS rn FROM t) AS q WHERE rn <= {n}"
    return sql + f" WITH WATERMARK '{delay} s' EMIT FINAL", sql, {"delay": delay, "append": True}


def q_window_top(rng):
    """Top-N of each window, over rows or over counts."""
    delay = rng.choice([0, 5, 30])
    size = rng.choice([5, 10, 20])
    emit = rng.choice(["CHANGES", "FINAL"])
    f = rng.choice(["row_number()", "rank()"])
    tail = ", k" if f == "row_number()" else ""
    ltail = ", k NULLS LAST" if f == "row_number()" else ""
    n = rng.choice([1, 2])
    w = (f"SELECT window_start, k, n FROM (SELECT *, {f} OVER (PARTITION BY window_start, window_end ORDER BY n DESC{tail}) AS rn FROM "
         f"(SELECT window_start, window_end, k, count(*) AS n FROM TUMBLE(TABLE t, DESCRIPTOR(ts), INTERVAL '{size}' SECOND) "
         f"GROUP BY window_start, window_end, k) AS a) AS q WHERE rn <= {n} WITH WATERMARK '{delay} s' EMIT {emit}")
    l = (f"SELECT ts / {size} * {size} AS window_start, k, n FROM (SELECT *, {f} OVER (PARTITION BY ts / {size} ORDER BY n DESC{ltail}) AS rn FROM "
         f"(SELECT ts, k, count(*) AS n FROM (SELECT ts / {size} * {size} AS ts, k FROM t) GROUP BY ts, k) AS a) AS q WHERE rn <= {n}")
    return w, l, {"delay": delay, "window": size, "append": emit == "FINAL"}


def q_sets(rng):
    """GROUPING SETS, ROLLUP, CUBE as unions."""
    keys = rng.sample(["k", "g", "v"], rng.randint(1, 3))
    kind = rng.choice(["ROLLUP", "CUBE", "SETS", "MIXED"])
    if kind == "ROLLUP":
        sets, text = [keys[:i] for i in range(len(keys), -1, -1)], f"ROLLUP ({', '.join(keys)})"
    elif kind == "CUBE":
        sets = [[k for j, k in enumerate(keys) if m >> j & 1] for m in range(1 << len(keys))]
        text = f"CUBE ({', '.join(keys)})"
    elif kind == "SETS":
        sets = [rng.sample(keys, rng.randint(0, len(keys))) for _ in range(rng.randint(1, 4))]
        text = "GROUPING SETS (" + ", ".join("(" + ", ".join(s) + ")" for s in sets) + ")"
    else:
        sets = [[keys[0]] + keys[1:i] for i in range(len(keys), 0, -1)]
        text = keys[0] + (f", ROLLUP ({', '.join(keys[1:])})" if len(keys) > 1 else "")
    shown = [k for k in keys if any(k in s for s in sets)]
    aggs = "count(*) AS n, sum(x) AS s, min(v) AS lo, count(DISTINCT v) AS d"
    bits = " + ".join(f"grouping({k}) * {1 << i}" for i, k in enumerate(shown)) or "0"
    w = f"SELECT {', '.join(shown + [bits + ' AS b', aggs])} FROM t GROUP BY {text}"
    union = []
    for s in sets:
        cols = [(k if k in s else f"NULL AS {k}") for k in shown]
        b = sum(1 << i for i, k in enumerate(shown) if k not in s)
        group = f" GROUP BY {', '.join(s)}" if s else " HAVING count(*) > 0"
        union.append(f"SELECT {', '.join(cols + [f'{b} AS b', aggs])} FROM t{group}")
    return w, " UNION ALL ".join(union), {}


def of_kind(make):
    def case(rng):
        rows = make_rows(rng)
        query, ref, opts = make(rng)
        kept, late = not_late(rows, opts["delay"]) if "delay" in opts else (rows, 0)
        if "window" in opts:
            kept, late, top = [], 0, None
            for r in rows:
                end = (r["ts"] // S // opts["window"] + 1) * opts["window"] * S
                if top is not None and top - opts["delay"] * S >= end:
                    late += 1
                else:
                    kept.append(r)
                top = r["ts"] if top is None or r["ts"] > top else top
        emit = "" if "EMIT" in query else rng.choice(["", " EMIT CHANGES", " EMIT CHANGES EVERY '5 s'"])
        sql = ("CREATE SOURCE t (id INTEGER, k TEXT, g INTEGER, v INTEGER, x DOUBLE, ts TIMESTAMP) WITH (connector = 'file', path = 't.ndjson', format = 'json');\n"
               + query + emit + ";")
        if opts.get("append"):  # a sink that takes nothing back
            sql = sql.replace(query, "CREATE SINK kept WITH (connector = 'file', path = 'kept.ndjson');\nINSERT INTO kept " + query)
        text = scenarios.make(rng, make.__name__[2:], sql, [("t", [scenarios.line(dict(r, ts=iso(r["ts"]))) for r in rows])], sqlite_rows(kept, ref), late)
        return text.replace("==== expect", "==== expect kept") if opts.get("append") else text
    return case


KINDS = {f.__name__[2:]: of_kind(f) for f in (q_top, q_top_updating, q_limit, q_over, q_over_time, q_first_last, q_first_final, q_window_top, q_sets)}

if __name__ == "__main__":
    sys.exit(scenarios.main("over", KINDS))

#!/usr/bin/env python3
"""Windows against an oracle written from the definitions (docs/sql.md, "Event time"), row by row: no engine in common.

    python3 tests/diff/windows.py [--seed N] [--rounds N] [--weir PATH]

A case has rows with disorder, NULL keys and repeated times, and one random query over them (tumble, hop, cumulate, session; EMIT CHANGES, EVERY, FINAL;
LATENESS; FILTER, DISTINCT); its content and the number of late rows are what the definitions say."""
import sys
from decimal import Decimal

import scenarios

S = 1_000_000
BASE = 1764331200  # 2025-11-28 12:00:00


def iso(us):
    s, f = divmod(us, S)
    d, s = divmod(s, 86400)
    day = d - 20420 + 28
    return "2025-11-%02dT%02d:%02d:%02d.%s" % (day, s // 3600, s // 60 % 60, s % 60, ("%06d" % f)[:3] + "Z" if f % 1000 == 0 else "%06dZ" % f)


def make_rows(rng):
    n = rng.randint(0, 60)
    t, rows = BASE * S, []
    for _ in range(n):
        t += rng.choice([0, 0, 1, 1, 2, 5, 20]) * S
        at = t - rng.choice([0, 0, 0, 0, 1, 3, 10, 40, 90]) * S
        rows.append({"k": rng.choice(["a", "b", "c", None]), "v": rng.choice([None, 0, 1, 2, 5, -3, 7]), "d": rng.randint(-999, 999),
                     "ts": at})
    return rows


def windows_of(q, ts):
    """(start, end) of each window of a row, by definition."""
    kind, size, slide = q["kind"], q["size"] * S, q["slide"] * S
    if kind == "tumble":
        s = ts // size * size
        return [(s, s + size)]
    if kind == "hop":
        s, out = ts // slide * slide, []
        while s + size > ts:
            out.append((s, s + size))
            s -= slide
        return out
    s = ts // size * size
    return [(s, e) for e in range(s + slide, s + size + 1, slide) if ts < e]


def expected(q, rows):
    """Final content (dict key -> aggregates) and late rows."""
    delay, late_ok = q["delay"] * S, q["lateness"] * S
    late, groups, top = 0, {}, None
    gap = q["size"] * S
    sessions = {}  # key -> list of [start, last, rows]; closed ones are moved to done
    done = []
    for r in rows:
        w = None if top is None else top - delay
        ts = r["ts"]
        if q["kind"] == "session":
            for k, lst in sessions.items():
                for s in lst:
                    if w is not None and w >= s[1] + gap + late_ok:
                        done.append((k, s))
                sessions[k] = [s for s in lst if not (w is not None and w >= s[1] + gap + late_ok)]
            key = r["k"] if q["by_key"] else 0
            mine = [s for s in sessions.get(key, []) if s[0] - gap <= ts <= s[1] + gap]
            if not mine and w is not None and w >= ts + gap + late_ok:
                late += 1
            else:
                new = [min([ts] + [s[0] for s in mine]), max([ts] + [s[1] for s in mine]), sum([s[2] for s in mine], []) + [r]]
                sessions[key] = [s for s in sessions.get(key, []) if s not in mine] + [new]
        else:
            ws = windows_of(q, ts)
            open_ws = [x for x in ws if w is None or w < x[1] + late_ok]
            if not open_ws:
                late += 1
            for x in open_ws:
                groups.setdefault((x, r["k"] if q["by_key"] else 0), []).append(r)
        top = ts if top is None or ts > top else top
    if q["kind"] == "session":
        for k, lst in sessions.items():
            done += [(k, s) for s in lst]
        groups = {}
        for k, s in done:
            groups.setdefault(((s[0], s[1] + gap), k), []).extend(s[2])
    return groups, late


def aggregates(rows):
    vs = [r["v"] for r in rows if r["v"] is not None]
    return {
        "n": len(rows), "nv": len(vs), "s": sum(vs) if vs else None, "lo": min(vs) if vs else None, "hi": max(vs) if vs else None,
        "dv": len(set(vs)), "pos": sum(1 for r in rows if r["v"] is not None and r["v"] > 0),
        "cents": sum(Decimal(r["d"]) / 100 for r in rows).quantize(Decimal("0.01")),
    }


def case(rng):
    rows = make_rows(rng)
    kind = rng.choice(["tumble", "hop", "cumulate", "session", "session"])
    step = rng.choice([2, 5, 10])
    q = {"kind": kind, "slide": step, "size": step * rng.choice([1, 2, 3, 6]) if kind == "cumulate" else rng.choice([step, step + 3, 3 * step, 20]),
         "delay": rng.choice([0, 0, 2, 10, 30]), "lateness": rng.choice([0, 0, 5, 30]), "by_key": rng.random() < 0.7, "emit": rng.choice(["CHANGES", "FINAL", "CHANGES EVERY '5 s'"])}
    if kind == "tumble" or (kind == "hop" and q["size"] < step):
        q["size"] = max(q["size"], step)
    size, slide = "INTERVAL '%d' SECOND" % q["size"], "INTERVAL '%d' SECOND" % q["slide"]
    tvf = {"tumble": f"TUMBLE(TABLE t, DESCRIPTOR(ts), {size})", "hop": f"HOP(TABLE t, DESCRIPTOR(ts), {slide}, {size})",
           "cumulate": f"CUMULATE(TABLE t, DESCRIPTOR(ts), {slide}, {size})",
           "session": f"SESSION(TABLE t{' PARTITION BY k' if q['by_key'] else ''}, DESCRIPTOR(ts), {size})"}[kind]
    fn = {"tumble": f"window(ts, '{q['size']} s')", "hop": f"window(ts, '{q['size']} s', '{q['slide']} s')",
          "cumulate": f"cumulate(ts, '{q['slide']} s', '{q['size']} s')", "session": f"session_window(ts, '{q['size']} s')"}[kind]
    cols = ["window_start", "window_end"] + (["k"] if q["by_key"] else [])
    aggs = ("count(*) AS n, count(v) AS nv, sum(v) AS s, min(v) AS lo, max(v) AS hi, count(DISTINCT v) AS dv, "
            "count(*) FILTER (WHERE v > 0) AS pos, sum(d) AS cents")
    spelled = rng.random() < 0.5
    sql = ("CREATE SOURCE t (k TEXT, v INTEGER, d DECIMAL(10,2), ts TIMESTAMP) WITH (connector = 'file', path = 't.ndjson', format = 'json');\n"
           f"SELECT {', '.join(cols)}, {aggs} FROM {tvf if spelled else 't'} GROUP BY {', '.join(cols) if spelled else ', '.join([fn] + cols[2:])}\n"
           f"WITH WATERMARK '{q['delay']} s'" + (f" LATENESS '{q['lateness']} s'" if q["lateness"] else "") + f" EMIT {q['emit']};")
    groups, late = expected(q, rows)
    want = [scenarios.line({"window_start": iso(s), "window_end": iso(e), **({"k": k} if q["by_key"] else {}), **aggregates(rs)}) for ((s, e), k), rs in groups.items()]
    lines = [scenarios.line({"k": r["k"], "v": r["v"], "d": Decimal(r["d"]) / 100, "ts": iso(r["ts"])}) for r in rows]
    return scenarios.make(rng, "%s %s" % (kind, q["emit"]), sql, [("t", lines)], want, late)


KINDS = {"windows": case}

if __name__ == "__main__":
    sys.exit(scenarios.main("windows", KINDS))

#!/usr/bin/env python3
"""Windows against an oracle written from the definitions (docs/sql.md, "Event time"), row by row: no engine in common.

    python3 tests/diff/windows.py [--seed N] [--rounds N] [--weir PATH]

Each round makes rows with disorder, NULL keys and repeated times, and one random query over them (tumble, hop, cumulate, session; EMIT CHANGES,
FINAL; LATENESS; FILTER, DISTINCT), runs it with random batch size and tasks, folds the changes and compares the content and the number of late rows."""
import argparse, json, os, random, subprocess, sys, tempfile
from collections import Counter
from decimal import Decimal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
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
        "cents": str(sum(Decimal(r["d"]) / 100 for r in rows).quantize(Decimal("0.01"))),
    }


def run(weir, q, rows, rng, tmp):
    path = os.path.join(tmp, "rows.ndjson")
    with open(path, "w") as f:
        for r in rows:
            v = {"k": r["k"], "v": r["v"], "d": "%s%d.%02d" % ("-" if r["d"] < 0 else "", abs(r["d"]) // 100, abs(r["d"]) % 100), "ts": iso(r["ts"])}
            f.write(json.dumps(v) + "\n")
    size, slide = "INTERVAL '%d' SECOND" % q["size"], "INTERVAL '%d' SECOND" % q["slide"]
    spelled = rng.random() < 0.5
    tvf = {"tumble": f"TUMBLE(TABLE t, DESCRIPTOR(ts), {size})", "hop": f"HOP(TABLE t, DESCRIPTOR(ts), {slide}, {size})",
           "cumulate": f"CUMULATE(TABLE t, DESCRIPTOR(ts), {slide}, {size})",
           "session": f"SESSION(TABLE t{' PARTITION BY k' if q['by_key'] else ''}, DESCRIPTOR(ts), {size})"}[q["kind"]]
    fn = {"tumble": f"window(ts, '{q['size']} s')", "hop": f"window(ts, '{q['size']} s', '{q['slide']} s')",
          "cumulate": f"cumulate(ts, '{q['slide']} s', '{q['size']} s')", "session": f"session_window(ts, '{q['size']} s')"}[q["kind"]]
    cols = ["window_start", "window_end"] + (["k"] if q["by_key"] else [])
    aggs = ("count(*) AS n, count(v) AS nv, sum(v) AS s, min(v) AS lo, max(v) AS hi, count(DISTINCT v) AS dv, "
            "count(*) FILTER (WHERE v > 0) AS pos, sum(d) AS cents")
    group = ", ".join(cols) if spelled else ", ".join([fn] + cols[2:])
    sql = (f"SET batch_rows = {q['batch']}; SET parallelism = {q['tasks']};\n"
           f"CREATE SOURCE t (k TEXT, v INTEGER, d DECIMAL(10,2), ts TIMESTAMP) WITH (connector = 'file', path = '{path}', format = 'json');\n"
           f"SELECT {', '.join(cols)}, {aggs} FROM {tvf if spelled else 't'} GROUP BY {group}\n"
           f"WITH WATERMARK '{q['delay']} s'" + (f" LATENESS '{q['lateness']} s'" if q["lateness"] else "") + f" EMIT {q['emit']};")
    p = subprocess.run([weir, "-c", sql, "-o", "ndjson"], capture_output=True, text=True, timeout=60)
    return sql, p


def fold(text):
    c = Counter()
    for line in text.splitlines():
        r = json.loads(line, parse_float=str)
        op = r.pop("op", "+I")
        c[json.dumps(r, sort_keys=True)] += 1 if op[0] == "+" else -1
    bad = [k for k, n in c.items() if n < 0]
    return Counter({k: n for k, n in c.items() if n}), bad


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--rounds", type=int, default=200)
    ap.add_argument("--weir", default=os.path.join(ROOT, "build", "release", "weir"))
    a = ap.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        for i in range(a.rounds):
            rng = random.Random(a.seed * 1_000_003 + i)
            rows = make_rows(rng)
            kind = rng.choice(["tumble", "hop", "cumulate", "session"])
            slide = rng.choice([2, 5, 10])
            q = {"kind": kind, "slide": slide, "size": slide * rng.choice([1, 2, 3, 6]) if kind == "cumulate" else rng.choice([slide, slide + 3, 3 * slide, 20]),
                 "delay": rng.choice([0, 0, 2, 10, 30]), "lateness": rng.choice([0, 0, 5, 30]), "by_key": rng.random() < 0.7,
                 "emit": rng.choice(["CHANGES", "FINAL"]), "batch": rng.choice([1, 2, 3, 7, 1024]), "tasks": rng.choice([1, 1, 3])}
            if kind == "tumble" or (kind == "hop" and q["size"] < slide):
                q["size"] = max(q["size"], slide)
            groups, late = expected(q, rows)
            want = Counter()
            for ((s, e), k), rs in groups.items():
                row = {"window_start": iso(s), "window_end": iso(e), **({"k": k} if q["by_key"] else {}), **aggregates(rs)}
                want[json.dumps(row, sort_keys=True)] += 1
            sql, p = run(a.weir, q, rows, rng, tmp)
            got, wrong = fold(p.stdout) if p.returncode == 0 else (Counter(), [])
            said = next((int(l.split()[1]) for l in p.stderr.splitlines() if "late rows were left out" in l), 0)
            problem = p.returncode != 0 or wrong or got != want or said != late or "balance" in p.stderr
            if problem:
                failed += 1
                print(f"--- seed {a.seed} round {i}: {q}\n{sql}\nexit {p.returncode} {p.stderr.strip()[:600]}")
                for k in sorted(set(want) | set(got)):
                    if want[k] != got[k]:
                        print(f"  expected x{want[k]}, got x{got[k]}: {k}")
                print(f"  late expected {late}, got {said}", *(["taken back, never given: " + w for w in wrong]), sep="\n  ")
                if failed >= 5:
                    break
    print(f"{a.rounds - failed if failed < 5 else i + 1 - failed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

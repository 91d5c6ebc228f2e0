#!/usr/bin/env python3
"""MATCH_RECOGNIZE against its definition.

    python3 tests/diff/match.py [--seed N] [--rounds N] [--weir PATH]

A case has rows with NULLs, repeated times and disorder, and a random pattern with conditions and measures; expected is what a backtracking matcher says that
tries all mappings from each row, in order of preference, on the sorted rows. Rows behind the watermark are
left out by definition (time < greatest time so far - delay), and counted."""
import sys

import scenarios


def iso(s):
    return "2025-11-28T%02d:%02d:%02d.000Z" % (12 + s // 3600, s // 60 % 60, s % 60)


def make_rows(rng):
    t, rows = 0, []
    for i in range(rng.randint(0, 40)):
        t += rng.choice([0, 0, 1, 1, 2, 5, 20])
        rows.append({"id": i, "k": rng.choice(["a", "b", None]), "v": rng.choice([None, 0, 1, 2, 3, 4, 5]), "ts": max(0, t - rng.choice([0, 0, 0, 0, 1, 3, 10, 40]))})
    return rows


def not_late(rows, delay):
    top, kept, late = None, [], 0
    for r in rows:
        if top is not None and r["ts"] < top - delay:
            late += 1
        else:
            kept.append(r)
        top = r["ts"] if top is None else max(top, r["ts"])
    return kept, late


# ---- patterns: ("var", name) ("seq", [..]) ("alt", [..]) ("rep", sub, min, max or None, reluctant)

def nullable(p):
    return {"var": lambda: False, "seq": lambda: all(map(nullable, p[1])), "alt": lambda: any(map(nullable, p[1])),
            "rep": lambda: p[2] == 0 or nullable(p[1])}[p[0]]()


def make_pattern(rng, depth):
    kind = rng.choice(["var", "var", "seq", "seq", "alt", "rep", "rep"]) if depth else "var"
    if kind == "var":
        return ("var", rng.choice("ABC"))
    if kind in ("seq", "alt"):
        return (kind, [make_pattern(rng, depth - 1) for _ in range(rng.randint(2, 3))])
    sub = make_pattern(rng, depth - 1)
    lo, hi = rng.choice([(0, None), (1, None), (0, 1), (2, 2), (1, 3), (0, 2), (2, None)])
    if hi is None and nullable(sub):
        sub = ("var", rng.choice("ABC"))
    return ("rep", sub, lo, hi, rng.random() < 0.35)


def text(p):
    if p[0] == "var":
        return p[1]
    if p[0] == "seq":
        return "(" + " ".join(map(text, p[1])) + ")"
    if p[0] == "alt":
        return "(" + " | ".join(map(text, p[1])) + ")"
    q = {(0, None): "*", (1, None): "+", (0, 1): "?"}.get((p[2], p[3])) or ("{%d}" % p[2] if p[2] == p[3] else "{%d,%s}" % (p[2], "" if p[3] is None else p[3]))
    return "(" + text(p[1]) + ")" + q + ("?" if p[4] else "")


def names(p):
    return {p[1]} if p[0] == "var" else set().union(*map(names, p[1])) if p[0] in ("seq", "alt") else names(p[1])


# ---- the definition

def ways(p, run, i, taken):
    """All (next row, rows taken) in order of preference."""
    if p[0] == "var":
        if i < len(run.rows) and run.allowed(p[1], i, taken):
            yield i + 1, taken + [(i, p[1])]
    elif p[0] == "seq":
        yield from chain(p[1], run, i, taken)
    elif p[0] == "alt":
        for q in p[1]:
            yield from ways(q, run, i, taken)
    else:
        yield from repeat(p, run, i, taken, 0)


def chain(ps, run, i, taken):
    if not ps:
        yield i, taken
        return
    for j, t in ways(ps[0], run, i, taken):
        yield from chain(ps[1:], run, j, t)


def repeat(p, run, i, taken, done):
    _, sub, lo, hi, reluctant = p
    more = hi is None or done < hi

    def again():
        if more:
            for j, t in ways(sub, run, i, taken):
                yield from repeat(p, run, j, t, done + 1)
    if done < lo:
        yield from again()
    elif reluctant:
        yield i, taken
        yield from again()
    else:
        yield from again()
        yield i, taken


class Partition:
    def __init__(self, rows, define, within):
        self.rows, self.define, self.within, self.steps = rows, define, within, 0

    def allowed(self, var, i, taken):
        self.steps += 1
        if self.steps > 200000:
            raise TimeoutError
        if self.within is not None and taken and self.rows[i]["ts"] - self.rows[taken[0][0]]["ts"] > self.within:
            return False
        return var not in self.define or self.define[var](self, taken + [(i, var)]) is True

    def at(self, i, col="v"):
        return self.rows[i][col] if i is not None and 0 <= i < len(self.rows) else None

    def nth(self, taken, var, n=0, first=False):
        of = [i for i, v in taken if var is None or v == var]
        if n >= len(of):
            return None
        return of[n] if first else of[-1 - n]

    def step(self, i, by):
        return None if i is None else i + by


def lt(a, b):
    return None if a is None or b is None else a < b


def total(p, taken, var):
    got = [p.at(i) for i, v in taken if (var is None or v == var) and p.at(i) is not None]
    return sum(got) if got else None


def conditions(rng, var, others):
    o = rng.choice(others)
    return rng.choice([
        (f"{var}.v > 1", lambda p, t: lt(1, p.at(t[-1][0]))),
        (f"{var}.v < 4", lambda p, t: lt(p.at(t[-1][0]), 4)),
        (f"v <> 3", lambda p, t: None if p.at(t[-1][0]) is None else p.at(t[-1][0]) != 3),
        (f"{var}.v > PREV({var}.v)", lambda p, t: lt(p.at(t[-1][0] - 1), p.at(t[-1][0]))),
        (f"{var}.v < PREV(v, 2)", lambda p, t: lt(p.at(t[-1][0]), p.at(t[-1][0] - 2))),
        (f"{var}.v < NEXT({var}.v)", lambda p, t: lt(p.at(t[-1][0]), p.at(t[-1][0] + 1))),
        (f"{var}.v > LAST({var}.v, 1)", lambda p, t: lt(p.at(p.nth(t, var, 1)), p.at(t[-1][0]))),
        (f"coalesce({var}.v >= LAST({o}.v), true)", lambda p, t: True if (x := lt(p.at(t[-1][0]), p.at(p.nth(t, o)))) is None else not x),
        (f"{var}.v < FIRST(v)", lambda p, t: lt(p.at(t[-1][0]), p.at(p.nth(t, None, 0, True)))),
        (f"coalesce(sum(v), 0) < 9", lambda p, t: (total(p, t, None) or 0) < 9),
        (f"count(*) < 5", lambda p, t: len(t) < 5),
        (f"count({o}.*) < 2", lambda p, t: len([1 for _, v in t if v == o]) < 2),
        (f"{var}.v IS NULL OR {var}.v % 2 = 0", lambda p, t: p.at(t[-1][0]) is None or p.at(t[-1][0]) % 2 == 0),
        (f"{var}.v > PREV(FIRST(v), 1)", lambda p, t: lt(p.at(p.nth(t, None, 0, True) - 1), p.at(t[-1][0]))),
    ])


def measures(rng, vs, all_rows):
    v = rng.choice(vs)
    pool = [
        (f"FIRST({v}.id)", lambda p, t, n: p.at(p.nth(t, v, 0, True), "id")), (f"LAST({v}.id)", lambda p, t, n: p.at(p.nth(t, v), "id")),
        (f"{v}.v", lambda p, t, n: p.at(p.nth(t, v))), (f"LAST({v}.id, 1)", lambda p, t, n: p.at(p.nth(t, v, 1), "id")),
        (f"FIRST(id, 1)", lambda p, t, n: p.at(p.nth(t, None, 1, True), "id")), ("id", lambda p, t, n: p.at(t[-1][0], "id")),
        (f"PREV({v}.id)", lambda p, t, n: p.at(p.step(p.nth(t, v), -1), "id")), (f"NEXT(LAST({v}.id))", lambda p, t, n: p.at(p.step(p.nth(t, v), 1), "id")),
        (f"sum({v}.v)", lambda p, t, n: total(p, t, v)), ("sum(v * 2)", lambda p, t, n: None if (x := total(p, t, None)) is None else 2 * x),
        (f"count({v}.*)", lambda p, t, n: len([1 for _, w in t if w == v])), ("count(*)", lambda p, t, n: len(t)),
        ("MATCH_NUMBER()", lambda p, t, n: n), ("CLASSIFIER()", lambda p, t, n: t[-1][1].lower()), (f"{v}.v + 1", lambda p, t, n: None if (x := p.at(p.nth(t, v))) is None else x + 1),
        ("MATCH_ROWTIME()", lambda p, t, n: iso(p.at(t[-1][0], "ts"))),
    ]
    return [("count(*)", lambda p, t, n: len(t)), ("FIRST(id)", lambda p, t, n: p.at(t[0][0], "id"))] + rng.sample(pool, rng.randint(1, 6))


def expected(rows, pattern, define, within, skip, ms, all_rows):
    out, parts = [], {}
    for r in sorted(rows, key=lambda r: (r["ts"], r["id"])):
        parts.setdefault(r["k"], []).append(r)
    for k, rs in parts.items():
        p, s, number = Partition(rs, define, within), 0, 0
        while s < len(rs):
            got = next((t for _, t in ways(pattern, p, s, []) if t), None)
            if got is None:
                s += 1
                continue
            number += 1
            for n in range(1 if all_rows else len(got), len(got) + 1):
                t = got[:n]
                row = dict(rs[t[-1][0]], ts=iso(rs[t[-1][0]]["ts"])) if all_rows else {"k": k}
                row.update({f"m{i}": f(p, t, number) for i, (_, f) in enumerate(ms)})
                out.append(scenarios.line(row))
            of = [i for i, v in got if v == skip[1]]
            to = {"past": got[-1][0] + 1, "next": s + 1, "first": of[0] if of else -1, "last": of[-1] if of else -1}[skip[0]]
            s = to if to > s else s + 1
    return out


def one(rng, rows):
    while True:
        pattern = make_pattern(rng, 3)
        if not nullable(pattern) and len(text(pattern)) < 120:
            break
    vs = sorted(names(pattern))
    define, sql = {}, []
    for v in vs:
        if rng.random() < 0.85 or not sql:
            cond = [conditions(rng, v, vs) for _ in range(rng.choice([1, 1, 2]))]
            define[v] = lambda p, t, cond=cond: all(f(p, t) is True for _, f in cond)
            sql.append(f"{v} AS " + " AND ".join(f"({s})" for s, _ in cond))
    within = rng.choice([None, None, 0, 3, 10, 60])
    skip = rng.choice([("past", None), ("past", None), ("next", None), ("first", rng.choice(vs)), ("last", rng.choice(vs))])
    all_rows = rng.random() < 0.3
    ms = measures(rng, vs, all_rows)
    delay = rng.choice([0, 2, 10, 30])
    skip_sql = {"past": "PAST LAST ROW", "next": "TO NEXT ROW", "first": f"TO FIRST {skip[1]}", "last": f"TO LAST {skip[1]}"}[skip[0]]
    cols = ", ".join((["id", "k", "v", "ts"] if all_rows else ["k"]) + [f"m{i}" for i in range(len(ms))])
    query = (f"SELECT {cols} FROM t MATCH_RECOGNIZE (PARTITION BY k ORDER BY ts, id MEASURES {', '.join(f'{s} AS m{i}' for i, (s, _) in enumerate(ms))} "
             f"{'ALL ROWS' if all_rows else 'ONE ROW'} PER MATCH AFTER MATCH SKIP {skip_sql} PATTERN ({text(pattern)}) "
             f"{'' if within is None else f'''WITHIN INTERVAL '{within}' SECOND '''}DEFINE {', '.join(sql)}) WITH WATERMARK '{delay} s'")
    kept, late = not_late(rows, delay)
    return query, expected(kept, pattern, define, within, skip, ms, all_rows), late


def case(rng):
    rows = make_rows(rng)
    try:
        query, want, late = one(rng, rows)
    except TimeoutError:  # too many ways for the definition
        return None
    sql = "CREATE SOURCE t (id INTEGER, k TEXT, v INTEGER, ts TIMESTAMP) WITH (connector = 'file', path = 't.ndjson', format = 'json');\n%s;" % query
    return scenarios.make(rng, "match", sql, [("t", [scenarios.line(dict(r, ts=iso(r["ts"]))) for r in rows])], want, late)


KINDS = {"match": case}

if __name__ == "__main__":
    sys.exit(scenarios.main("match", KINDS))

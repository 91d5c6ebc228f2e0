#!/usr/bin/env python3
"""All Nexmark queries of queries/nexmark against SQLite on the same events.

    [WEIR=build/release/weir] python3 tests/nexmark/nexmark_check.py [--events N] [--only q5] [--files]

weir writes the three streams out once; each query then runs over the generator (with --files: over what was written), with 1 to 3 tasks, its changes are
folded, and what is left must be SQLite's answer, row for row. Times are milliseconds here; averages are compared to six decimals."""
import argparse, functools, json, os, re, sqlite3, subprocess, sys, tempfile, time
from collections import Counter
from datetime import datetime, timezone
from decimal import Decimal

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "bench"))
import nexmark_sql

STAMP = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z$")
CHANNEL_ID = re.compile(r"(?:&|^)channel_id=([^&]*)")
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


@functools.lru_cache(None)
def ms(text):
    d = datetime.fromisoformat(text[:-1] + "+00:00") - EPOCH
    return (d.days * 86400 + d.seconds) * 1000 + d.microseconds // 1000


def plain(v):
    """A value as both sides write it: a number to six decimals, a time in ms."""
    if isinstance(v, str):
        return ms(v) if v[-1:] == "Z" and v[4:5] == "-" and STAMP.match(v) else v
    if isinstance(v, (Decimal, float)):
        v = Decimal(v).quantize(Decimal("0.000001"))
        return int(v) if v == int(v) else str(v)
    return v


def fold(lines):
    """What is left of the changes; None and the row if one is taken back that was not there."""
    left = Counter()
    for line in lines:
        row = json.loads(line, parse_float=Decimal)
        op = row.pop("op", "+I")
        key = tuple(plain(v) for v in row.values())
        left[key] += 1 if op[0] == "+" else -1
        if left[key] < 0:
            return None, key
    return Counter({k: n for k, n in left.items() if n}), None


BID_AUCTION = "FROM auction a JOIN bid b ON a.id = b.auction WHERE b.t BETWEEN a.t AND a.expires"
RANKS = ("count(*), count(*) FILTER (WHERE price < 10000), count(*) FILTER (WHERE price >= 10000 AND price < 1000000), count(*) FILTER (WHERE price >= 1000000)")
DISTINCTS = ", ".join("count(DISTINCT %s), count(DISTINCT CASE WHEN price < 10000 THEN %s END), count(DISTINCT CASE WHEN price >= 10000 AND price < 1000000 THEN %s END), "
                      "count(DISTINCT CASE WHEN price >= 1000000 THEN %s END)" % (c, c, c, c) for c in ("bidder", "auction"))
DAY = "strftime('%Y-%m-%d', t / 1000, 'unixepoch')"
MINUTE = "strftime('%H:%M', t / 1000, 'unixepoch')"
HOUR = "CAST(strftime('%H', t / 1000, 'unixepoch') AS INTEGER)"

# The batch answer, written for SQLite: t is the event's time in ms, w2 a table of hop starts.
ANSWER = {
    0: "SELECT auction, bidder, price, t, extra FROM bid",
    1: "SELECT auction, bidder, milli(price * 908), t, extra FROM bid",
    2: "SELECT auction, price FROM bid WHERE auction % 123 = 0",
    3: "SELECT name, city, state, a.id FROM auction a, person p WHERE a.seller = p.id AND category = 10 AND state IN ('OR', 'ID', 'CA')",
    4: f"SELECT category, avg(m) FROM (SELECT a.id, a.category, max(b.price) AS m {BID_AUCTION} GROUP BY a.id, a.category) GROUP BY category",
    5: "WITH c AS (SELECT auction, count(*) AS n, s.ws FROM bid b JOIN starts s ON s.ws BETWEEN b.t - 9999 AND b.t GROUP BY auction, s.ws) "
       "SELECT auction, n, ws FROM (SELECT *, max(n) OVER (PARTITION BY ws) AS most FROM c) WHERE n = most",
    6: f"SELECT seller, avg(price) OVER (PARTITION BY seller ORDER BY t, id ROWS BETWEEN 9 PRECEDING AND CURRENT ROW) FROM (SELECT a.id, a.seller, b.price, b.t, "
       f"row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.t) AS rn {BID_AUCTION}) WHERE rn = 1",
    7: "SELECT b.auction, b.price, b.bidder, b.t, b.extra FROM bid b JOIN (SELECT max(price) AS m, t / 10000 * 10000 + 10000 AS e FROM bid GROUP BY t / 10000) w "
       "ON b.price = w.m AND b.t BETWEEN w.e - 10000 AND w.e",
    8: "SELECT DISTINCT p.id, p.name, p.t / 10000 * 10000 FROM person p JOIN auction a ON a.seller = p.id AND a.t / 10000 = p.t / 10000",
    9: f"SELECT id, item_name, description, initial_bid, reserve, at, expires, seller, category, auction, bidder, price, t FROM (SELECT a.id, a.item_name, a.description, "
       f"a.initial_bid, a.reserve, a.t AS at, a.expires, a.seller, a.category, b.auction, b.bidder, b.price, b.t, "
       f"row_number() OVER (PARTITION BY a.id ORDER BY b.price DESC, b.t) AS rn {BID_AUCTION}) WHERE rn = 1",
    10: f"SELECT auction, bidder, price, t, extra, {DAY}, {MINUTE} FROM bid",
    11: "SELECT bidder, count(*), min(t), max(t) + 10000 FROM (SELECT *, sum(new) OVER (PARTITION BY bidder ORDER BY t) AS visit FROM (SELECT bidder, t, "
        "ifnull(t - lag(t) OVER (PARTITION BY bidder ORDER BY t) > 10000, 1) AS new FROM bid)) GROUP BY bidder, visit",
    12: "SELECT bidder, count(*) FROM bid GROUP BY bidder",
    13: "SELECT auction, bidder, price, t, 'side-' || (auction % 10000) FROM bid",
    14: f"SELECT auction, bidder, milli(price * 908), CASE WHEN {HOUR} BETWEEN 8 AND 18 THEN 'dayTime' WHEN {HOUR} <= 6 OR {HOUR} >= 20 THEN 'nightTime' ELSE 'otherTime' END, "
        "t, extra, letters(extra, 'c') FROM bid WHERE price * 908 > 1000000000 AND price * 908 < 50000000000",
    15: f"SELECT {DAY}, {RANKS}, {DISTINCTS} FROM bid GROUP BY 1",
    16: f"SELECT channel, {DAY}, max({MINUTE}), {RANKS}, {DISTINCTS} FROM bid GROUP BY 1, 2",
    17: f"SELECT auction, {DAY}, {RANKS}, min(price), max(price), avg(price), sum(price) FROM bid GROUP BY 1, 2",
    18: "SELECT auction, bidder, price, channel, url, max(t), extra FROM bid GROUP BY bidder, auction",
    19: "SELECT auction, bidder, price, channel, url, t, extra, rn FROM (SELECT *, row_number() OVER (PARTITION BY auction ORDER BY price DESC, t) AS rn FROM bid) WHERE rn <= 10",
    20: "SELECT b.auction, b.bidder, b.price, b.channel, b.url, b.t, b.extra, a.item_name, a.description, a.initial_bid, a.reserve, a.t, a.expires, a.seller, a.category, a.extra "
        "FROM bid b JOIN auction a ON b.auction = a.id WHERE category = 10",
    21: "SELECT * FROM (SELECT auction, bidder, price, channel, CASE channel WHEN 'Apple' THEN '0' WHEN 'Google' THEN '1' WHEN 'Facebook' THEN '2' WHEN 'Baidu' THEN '3' "
        "ELSE channel_id(url) END AS id FROM bid) WHERE id IS NOT NULL",
    22: "SELECT auction, bidder, price, channel, part(url, 3), part(url, 4), part(url, 5) FROM bid",
}


def channel_id(url):
    m = CHANNEL_ID.search(url)
    return m.group(1) if m else None


def load(db, streams):
    for name, columns in nexmark_sql.COLUMNS.items():
        cols = [("t" if c == "date_time" else c) + (" INTEGER" if t in ("BIGINT", "TIMESTAMP") else " TEXT") for c, t in columns]
        db.execute("CREATE TABLE %s (%s)" % (name, ", ".join(cols)))
        with open(streams[name]) as f:
            rows = [[plain(v) for v in json.loads(line).values()] for line in f]
        db.executemany("INSERT INTO %s VALUES (%s)" % (name, ", ".join("?" * len(cols))), rows)
    db.execute("CREATE INDEX bid_auction ON bid (auction)")
    db.execute("CREATE INDEX auction_seller ON auction (seller)")
    db.execute("CREATE TABLE starts (ws INTEGER PRIMARY KEY)")
    first, last = db.execute("SELECT min(t), max(t) FROM bid").fetchone()
    db.executemany("INSERT INTO starts VALUES (?)", [(s,) for s in range(first // 2000 * 2000 - 10000, last + 1, 2000)])
    # as text with all digits: 0.908 * price has no exact double
    db.create_function("milli", 1, lambda v: "%d" % (v // 1000) if v % 1000 == 0 else "%d.%03d000" % divmod(v, 1000), deterministic=True)
    db.create_function("letters", 2, lambda s, c: s.count(c), deterministic=True)
    db.create_function("channel_id", 1, channel_id, deterministic=True)
    db.create_function("part", 2, lambda s, n: s.split("/")[n] if n < len(s.split("/")) else None, deterministic=True)


def answer(db, n):
    rows = Counter()
    for row in db.execute(ANSWER[n]):
        row = [plain(v) for v in row]
        if n in (1, 14):
            row[2] = int(row[2]) if "." not in row[2] else row[2]
        rows[tuple(row)] += 1
    return rows


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--events", type=int, default=int(os.environ.get("NEXMARK_EVENTS", "100000")))
    ap.add_argument("--only")
    ap.add_argument("--files", action="store_true")
    ap.add_argument("--weir", default=os.environ.get("WEIR", os.path.join(ROOT, "build", "release", "weir")))
    a = ap.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as tmp:
        streams = nexmark_sql.write_streams(a.weir, tmp, a.events, 1000)
        side = nexmark_sql.write_side_input(tmp)
        db = sqlite3.connect(":memory:")
        load(db, streams)
        for n in range(23):
            if a.only and a.only != "q%d" % n:
                continue
            begin = time.monotonic()
            sql = "SET parallelism = %d;\n" % (1 + n % 3) + nexmark_sql.statements(n, streams if a.files else None, sink=None)
            out = os.path.join(tmp, "out.ndjson")
            with open(out, "w") as f:
                p = subprocess.run([a.weir, "run", "-", "-q", "-o", "ndjson", "-v", "EVENTS=%d" % a.events, "-v", "SIDE_INPUT=" + side], input=sql, stdout=f,
                                   stderr=subprocess.PIPE, text=True, cwd=tmp)
            if p.returncode or p.stderr:
                print("q%d: exit %d\n%s" % (n, p.returncode, p.stderr[:2000]))
                failed += 1
                continue
            with open(out) as f:
                got, wrong = fold(f)
            want = answer(db, n)
            if n == 12 and got is not None:  # by the clock: how the bids fall into windows is chance, how many there are is not
                sums = Counter()
                for row, k in got.items():
                    sums[row[0]] += row[1] * k
                got = Counter(sums.items())
            if got != want:
                failed += 1
                print("q%d differs: %d rows, expected %d" % (n, sum((got or {}).values()), sum(want.values())))
                if wrong:
                    print("  taken back, was not there: %s" % (wrong,))
                for row in list(((got or Counter()) - want).items())[:3]:
                    print("  not expected: %s" % (row,))
                for row in list((want - (got or Counter())).items())[:3]:
                    print("  missing:      %s" % (row,))
                continue
            print("q%d: %d rows are right, %.1f s" % (n, sum(want.values()), time.monotonic() - begin), flush=True)
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())

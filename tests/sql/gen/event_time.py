"""event_time.py: writes tests/sql/oracle/*.test: random rows over three partitions, and what docs/sql.md says must become of them.

Run:  python3 tests/sql/gen/event_time.py       (the same files each time)

The engine below is written from the definitions: one row at a time, no batches, every window looked at each time.
"""
import os
import random

OUT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "oracle")
BASE = 1735689600           # 2025-01-01 00:00:00 UTC
MISSING = None


def stamp(s):
    s = s - BASE
    day, s = divmod(s, 86400)
    day += 1
    month = "2025-01"
    if day < 1:
        day, month = day + 31, "2024-12"
    return "%s-%02dT%02d:%02d:%02d.000Z" % (month, day, s // 3600, s // 60 % 60, s % 60)


class Clock:
    """The watermark of one source."""

    def __init__(self, partitions, delay, idle):
        self.delay, self.idle_after, self.now = delay, idle, 0
        self.own = [MISSING] * partitions           # W[p]
        self.greatest = [MISSING] * partitions      # M[p]
        self.idle = [False] * partitions
        self.caught_up = [False] * partitions
        self.since = [0] * partitions
        self.w = MISSING

    def settle(self):
        active = [w for w, idle in zip(self.own, self.idle) if not idle]
        if active and MISSING not in active and (self.w is MISSING or min(active) > self.w):
            self.w = min(active)

    def row(self, p, ts):
        """W just before this row."""
        before = self.w
        if self.idle[p]:
            self.idle[p] = False
            if self.w is not MISSING and (self.own[p] is MISSING or self.own[p] < self.w):
                self.own[p] = self.w
        self.caught_up[p] = False
        self.since[p] = self.now
        if self.greatest[p] is MISSING or ts > self.greatest[p]:
            self.greatest[p] = ts
            if self.own[p] is MISSING or ts - self.delay > self.own[p]:
                self.own[p] = ts - self.delay
        self.settle()
        return before

    def advance(self, seconds):
        self.now += seconds
        for p, caught in enumerate(self.caught_up):
            if not caught:
                self.since[p] = self.now
            elif self.idle_after and self.now - self.since[p] >= self.idle_after:
                self.idle[p] = True
        self.settle()


def tumble(size):
    return lambda ts: [(ts // size * size, ts // size * size + size)]


def hop(size, slide):
    def windows(ts):
        start, out = ts // slide * slide, []
        while start + size > ts:
            out.append((start, start + size))
            start -= slide
        return out
    return windows


def cumulate(step, size):
    def windows(ts):
        start = ts // size * size
        return [(start, end) for end in range(start + step, start + size + step, step) if ts < end]
    return windows


def result(rows):
    v = [r for r in rows if r is not None]
    return len(rows), sum(v) if v else None, min(v, default=None), max(v, default=None), len(set(v))


def windowed(windows, lateness):
    def run(events, clock):
        content, late = {}, []
        for e in events:
            if e[0] != "row":
                apply(clock, e)
                continue
            _, p, ts, k, v = e
            w = clock.row(p, ts)
            open_ones = [x for x in windows(ts) if w is MISSING or w < x[1] + lateness]
            for x in open_ones:
                content.setdefault((x, k), []).append(v)
            if not open_ones:
                late.append((k, v, ts))
        return {key: result(rows) for key, rows in content.items()}, late
    return run


def sessions(gap, lateness):
    def run(events, clock):
        alive, content, late = {}, {}, []

        def close(w):
            for k, list_ in alive.items():
                for s in [s for s in list_ if w is not MISSING and s[1] + gap + lateness <= w]:
                    list_.remove(s)
                    content[((s[0], s[1] + gap), k)] = result(s[2])
        for e in events:
            if e[0] != "row":
                apply(clock, e)
                continue
            _, p, ts, k, v = e
            w = clock.row(p, ts)
            close(w)
            near = [s for s in alive.setdefault(k, []) if s[0] - gap <= ts <= s[1] + gap]
            if not near and w is not MISSING and ts + gap + lateness <= w:
                late.append((k, v, ts))
                continue
            for s in near:
                alive[k].remove(s)
            alive[k].append([min([ts] + [s[0] for s in near]), max([ts] + [s[1] for s in near]), sum((s[2] for s in near), []) + [v]])
        for k, list_ in alive.items():
            for s in list_:
                content[((s[0], s[1] + gap), k)] = result(s[2])
        return content, late
    return run


def apply(clock, e):
    if e[0] == "caught":
        for p in range(len(clock.own)):
            if e[1] is None or e[1] == p:
                clock.caught_up[p] = True
    else:
        clock.advance(e[1])


def script(rng, n, spread, pause):
    """Rows of three partitions whose times run on at different speeds, with jumps ahead and laggards."""
    at, events = [0, 0, 0], []
    for _ in range(n):
        roll = rng.random()
        if pause and roll < 0.04:
            events.append(("caught", rng.choice([None, 0, 1, 2])))
        elif pause and roll < 0.10:
            events.append(("advance", rng.choice([1, 5, 9, 10, 11, 30])))
        else:
            p = rng.choice([0, 0, 1, 1, 2, 2, 2])
            at[p] += rng.choice([0, 1, 3, 7, 20, 60]) if rng.random() < 0.98 else 400
            lag = rng.choice([0, 0, 0, 5, spread // 2, spread, spread * 2])
            events.append(("row", p, BASE + at[p] - lag, rng.choice(["a", "b", "c", None]), rng.choice([None, 1, 2, 3, 5, 8, -4])))
    return events


def text_of(v):
    return "null" if v is None else '"%s"' % v if isinstance(v, str) else str(v)


def write(name, title, seed, group, run, delay, lateness=0, idle=0, n=220, emit="CHANGES"):
    rng = random.Random(seed)
    events = script(rng, n, 100, idle > 0)
    clock = Clock(3, delay, idle)
    content, late = run(events, clock)
    out = ["%s; expected rows by the definitions (gen/event_time.py)" % title, "==== sql",
           "CREATE SOURCE s (k TEXT, v INTEGER, ts TIMESTAMP) WITH (connector = 'kafka', brokers = 'b', topic = 't', format = 'json');",
           "CREATE SINK late WITH (connector = 'file', path = 'late.ndjson');"]
    clause = "WITH WATERMARK '%d s' IDLE TIMEOUT '%d s'%s EMIT %s" % (delay, idle, " LATENESS '%d s'" % lateness if lateness else "", emit)
    out += ["SELECT window_start, window_end, k, count(*) AS n, sum(v) AS v, min(v) AS lo, max(v) AS hi, count(DISTINCT v) AS d",
            "FROM s GROUP BY %s, k %s;" % (group, clause), "INSERT INTO late SELECT k, v, ts FROM s$late;", "", "==== input s"]
    if not any(e[0] == "row" and e[1] == 2 for e in events):
        raise SystemExit(name + ": partition 2 is empty")
    for e in events:
        if e[0] == "row":
            out.append('@%d {"k": %s, "v": %s, "ts": "%s"}' % (e[1], text_of(e[3]), text_of(e[4]), stamp(e[2])))
        elif e[0] == "caught":
            out.append("!caught-up" + ("" if e[1] is None else " @%d" % e[1]))
        else:
            out.append("!advance %d s" % e[1])
    out += ["", "==== expect"]
    for ((start, end), k), r in content.items():
        out.append('{"window_start": "%s", "window_end": "%s", "k": %s, "n": %d, "v": %s, "lo": %s, "hi": %s, "d": %d}' %
                   (stamp(start), stamp(end), text_of(k), r[0], *map(text_of, r[1:4]), r[4]))
    out += ["", "==== expect late"]
    for k, v, ts in late:
        out.append('{"k": %s, "v": %s, "ts": "%s"}' % (text_of(k), text_of(v), stamp(ts)))
    out += ["", "==== counts", "late = %d" % len(late)]
    with open(os.path.join(OUT, name + ".test"), "w", encoding="utf-8") as f:
        f.write("\n".join(out) + "\n")
    print("%-24s %3d results, %3d late" % (name, len(content), len(late)))


def main():
    os.makedirs(OUT, exist_ok=True)
    write("tumble", "Tumbling windows", 1, "window(ts, '1 min')", windowed(tumble(60), 0), 20)
    write("tumble_final", "Tumbling windows, EMIT FINAL", 2, "window(ts, '1 min')", windowed(tumble(60), 0), 20, emit="FINAL")
    write("tumble_lateness", "Tumbling windows with lateness", 3, "window(ts, '1 min')", windowed(tumble(60), 45), 10, lateness=45)
    write("tumble_lateness_final", "Tumbling windows with lateness, EMIT FINAL", 4, "window(ts, '1 min')", windowed(tumble(60), 45), 10, lateness=45, emit="FINAL")
    write("tumble_idle", "Tumbling windows, partitions fall idle", 5, "window(ts, '1 min')", windowed(tumble(60), 0), 10, idle=10, n=400)
    write("tumble_idle_final", "Tumbling windows, partitions fall idle, EMIT FINAL", 6, "window(ts, '1 min')", windowed(tumble(60), 0), 10, idle=10, n=400, emit="FINAL")
    write("hop", "Sliding windows", 7, "window(ts, '90 s', '30 s')", windowed(hop(90, 30), 0), 20)
    write("hop_uneven_final", "Sliding windows, size no multiple of the slide, EMIT FINAL", 8, "window(ts, '70 s', '30 s')", windowed(hop(70, 30), 0), 20, emit="FINAL")
    write("hop_lateness", "Sliding windows with lateness", 9, "window(ts, '90 s', '30 s')", windowed(hop(90, 30), 40), 5, lateness=40)
    write("cumulate", "Cumulating windows", 10, "cumulate(ts, '30 s', '2 min')", windowed(cumulate(30, 120), 0), 20)
    write("cumulate_idle_final", "Cumulating windows, partitions fall idle, EMIT FINAL", 11, "cumulate(ts, '30 s', '2 min')", windowed(cumulate(30, 120), 0), 10,
          idle=10, n=300, emit="FINAL")
    write("session", "Session windows", 12, "session_window(ts, '15 s')", sessions(15, 0), 20)
    write("session_final", "Session windows, EMIT FINAL", 13, "session_window(ts, '15 s')", sessions(15, 0), 5, emit="FINAL")
    write("session_lateness", "Session windows with lateness", 14, "session_window(ts, '15 s')", sessions(15, 30), 5, lateness=30)
    write("session_idle_final", "Session windows, partitions fall idle, EMIT FINAL", 15, "session_window(ts, '15 s')", sessions(15, 0), 5, idle=10, n=400, emit="FINAL")


if __name__ == "__main__":
    main()

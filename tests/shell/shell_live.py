"""shell_live.py: what keys do to a running query: order, chart, changes, why; and how lag and long work show. See case.py and screen.py."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import enter, main, ready

SUMS = "SELECT k, sum(v) AS total, count(*) AS n FROM f GROUP BY k"
WINDOWS = "SELECT window_start AS at, k, sum(v) AS total FROM f GROUP BY window(ts, '1 min'), k WITH WATERMARK '1 h'"


def order(case):
    """s sorts by the next column, numbers greatest first; r turns it around; the key's order comes back behind the last column."""
    with case.live(SUMS) as p:
        case.more('{"k": "a", "v": 9}', '{"k": "b", "v": 100}', '{"k": "c", "v": 20}', '{"k": "c", "v": 1}')
        p.wait_for_lines([" k │ total │ n", "───┼───────┼───", " a │     9 │ 1", " b │   100 │ 1", " c │    21 │ 2", "(3 rows)"])
        p.type("ss")
        p.wait_for_lines([" k │ ▼total │ n", "───┼────────┼───", " b │    100 │ 1", " c │     21 │ 2", " a │      9 │ 1", "(3 rows)"])
        case.more('{"k": "a", "v": 500}')
        p.wait_for_lines([" a │    509 │ 2", " b │    100 │ 1", " c │     21 │ 2", "(3 rows)"])
        p.type("r")
        p.wait_for_lines([" k │ ▲total │ n", "───┼────────┼───", " c │     21 │ 2", " b │    100 │ 1", " a │    509 │ 2", "(3 rows)"])
        p.type("SS")
        p.wait_for_lines([" k │ total │ n", "───┼───────┼───", " a │   509 │ 2", " b │   100 │ 1", " c │    21 │ 2", "(3 rows)"])
        p.type("q")
        assert p.end() == 0


def chart(case):
    """Sparklines over windows: all on one scale, 0 to 80; a window without a row is a blank."""
    rows = [(0, "a", 10), (1, "a", 20), (2, "a", 80), (0, "b", 40), (2, "b", 5)]
    with case.live(WINDOWS) as p:
        case.more(*['{"k": "%s", "v": %d, "ts": "2025-01-01T00:%02d:00Z"}' % (k, v, minute) for minute, k, v in rows])
        p.wait_for(r"^\(5 rows\)$")
        p.type("v")
        p.wait_for_lines([" total, 0 to 80, 3 windows, the last 2025-01-01 00:02:00", " a │▁▂█│ 80", " b │▄ ▁│  5"])
        p.type("q")
        assert p.end() == 0
        assert " a │▁▂█│ 80" in p.screen.text(), p.screen.text()


def chart_without_utf8(case):
    case.env["LC_ALL"] = "C"
    with case.live(SUMS, rows=12, cols=30) as p:
        case.more('{"k": "a", "v": 10}', '{"k": "b", "v": 5}')
        p.wait_for(r"^\(2 rows\)$")
        p.type("v")
        p.wait_for_lines([" total, 0 to 10", " a |" + "#" * 21 + "| 10", " b |" + "#" * 11 + " " * 10 + "|  5"])
        p.type("c")
        p.wait_for_lines([" n, 0 to 1", " a |" + "#" * 22 + "| 1", " b |" + "#" * 22 + "| 1"])
        p.type("q")
        assert p.end() == 0


def changes(case):
    """The third view: each change as it comes, and in colour where there are colours."""
    with case.live(SUMS) as p:
        case.more('{"k": "a", "v": 1}')
        p.wait_for(r"^\(1 row\)$")
        p.type("vv")
        p.wait_for(r"^ [0-9]+ rows/s")
        p.wait(lambda screen: "(1 row)" not in screen.text(), "the table gone")
        case.more('{"k": "a", "v": 2}', '{"k": "b", "v": 3}')
        p.wait_for_lines(["-a │     1 │ 1", "+a │     3 │ 2", "+b │     3 │ 1"])
        p.type("v")
        p.wait_for_lines([" a │     3 │ 2", " b │     3 │ 1", "(2 rows)"])
        p.type("q")
        assert p.end() == 0


def changes_in_colour(case):
    del case.env["NO_COLOR"]
    with case.shell() as p:
        case.write("growing.json", '{"k": "a", "v": 1}\n')
        enter(p, "CREATE SOURCE f (k TEXT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');" % case.path("growing.json"),
              "\\pset changes on", "SELECT k, sum(v) AS total FROM f GROUP BY k;")
        p.wait_raw(rb"\x1b\[32m\+a [^\n]* 1\x1b\[0m")
        case.more('{"k": "a", "v": 2}')
        p.wait_raw(rb"\x1b\[31m-a [^\n]* 1\x1b\[0m\r+\n\x1b\[32m\+a [^\n]* 3\x1b\[0m")
        p.type("q")
        ready(p)
        p.type("\x04")
        assert p.end() == 0


def why_and_help(case):
    """w: what holds the result back, afterwards also as a statement; ?: the keys."""
    with case.shell() as p:
        case.write("growing.json", '{"k": "a", "ts": "2025-01-01T00:00:30Z"}\n')
        enter(p, "CREATE SOURCE f (k TEXT, ts TIMESTAMP) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');" % case.path("growing.json"),
              "SELECT window_start, count(*) AS n FROM f GROUP BY window(ts, '1 min') WITH WATERMARK '10 s' EMIT FINAL;")
        p.wait_for("state 1 rows")
        p.type("w")
        p.wait_for("^source f: read 1, skipped 0, bad 0$")
        p.wait_for_lines(["  an event of 2025-01-01 00:01:10 or later in every active partition does it",
                          "  results are given once, when their window has closed (EMIT FINAL)"])
        p.type("?")
        p.wait(lambda screen: "source f: read" not in screen.text(), "back from why")
        p.type("?")
        p.wait_for("^any key      back$")
        p.type("x")
        p.wait(lambda screen: "any key" not in screen.text(), "back from the keys")
        p.type("q")
        ready(p)
        enter(p, "\\why")
        p.wait_for("^  an event of 2025-01-01 00:01:10 or later in every active partition does it")
        ready(p)
        enter(p, "\\lag")
        p.wait_for("^f: .*growing.json partition 0: next offset 2")
        p.type("\x04")
        assert p.end() == 0


def chart_command(case):
    """\\chart charts a query that ends, too: the picture stays."""
    case.write("ends.json", "".join('{"k": "%s", "v": %d, "ts": "2025-01-01T00:%02d:00Z"}\n' % (k, v, m) for m, k, v in
                                    [(0, "a", 1), (1, "a", 4), (2, "a", 8), (1, "b", 8)]))
    with case.shell() as p:
        enter(p, "CREATE SOURCE f (k TEXT, v BIGINT, ts TIMESTAMP) WITH (connector = 'file', path = '%s', format = 'json');" % case.path("ends.json"),
              WINDOWS + ";")
        p.wait_for(r"^\(4 rows\)$")
        enter(p, "\\chart total")
        p.wait_for_lines([" total, 0 to 8, 3 windows, the last 2025-01-01 00:02:00", " a │▁▄█│ 8", " b │ █ │ 8"])
        ready(p)
        enter(p, "\\chart k")
        p.wait_for("there are no numbers in a column \"k\"")
        ready(p)
        p.type("\x04")
        assert p.end() == 0


def small(case):
    """However small the window, the picture is never taller: nothing is left behind when it changes. Figures take as many lines as they need."""
    with case.live(WINDOWS, rows=12, cols=34) as p:
        case.more(*['{"k": "%s", "v": 1, "ts": "2025-01-01T00:00:00Z"}' % k for k in "abcdefgh"])
        p.wait_for(r"of 8 rows")
        p.type("?")
        p.wait_for("^q            stop the query")
        p.type("x")
        p.wait_for(r"of 8 rows")
        p.resize(24, 60)
        p.wait_for_lines([" at                  │ k │ total", "─────────────────────┼───┼───────"] + [" 2025-01-01 00:00:00 │ %s │     1" % k for k in "abcdefgh"] +
                         ["(8 rows)"])
        p.wait(lambda screen: screen.text().startswith(" at  ") and screen.text().count("rows/s") == 1, "one picture")
        p.type("q")
        assert p.end() == 0


main([small, order, chart, chart_without_utf8, changes, changes_in_colour, why_and_help, chart_command])

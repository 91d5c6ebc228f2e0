"""shell_pty.py: the shell and the live table as a person meets them: key strokes in, screen contents out.

The live table's source is a file that grows by what the test writes, so every picture is known to the letter.
"""
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import enter, main, ready

def statements_and_prompts(case):
    with case.shell() as p:
        enter(p, "SELECT 1 AS one, 'x' AS t;")
        p.wait_for_lines(["weir=> SELECT 1 AS one, 'x' AS t;", " one | t", "-----+---", "   1 | x", "(1 row)", "weir=>"])
        enter(p, "SELECT 'a")
        p.wait_for(r"^weir'>$")
        enter(p, "b' AS t, (2")
        p.wait_for(r"^weir\(>$")
        enter(p, "+ 3) AS n")
        p.wait_for(r"^weir->$")
        enter(p, "/* not yet")
        p.wait_for(r"^weir\*>$")
        enter(p, "*/;")
        p.wait_for_lines([" t      | n", "--------+---", " a\\x0ab | 5", "(1 row)", "weir=>"])
        enter(p, "SELECT 1,", "  nothing;")
        p.wait_for(r"^line 2:3: ")
        p.wait_for_lines(["    nothing;", "    ^"])
        ready(p)
        enter(p, "\\q")
        assert p.end() == 0


def control_c_and_d(case):
    with case.shell() as p:
        p.type("SELECT half typed")
        p.wait_for("half typed$")
        p.type("\x03")
        p.wait_for(r"\^C$")
        ready(p)
        enter(p, "SELECT 'open")
        p.wait_for(r"^weir'>$")
        p.type("\x03")
        ready(p)
        enter(p, "CREATE SOURCE g (n BIGINT) WITH (connector = 'datagen', rows_per_second = 10);", "SELECT count(*) AS rows FROM g EMIT CHANGES;")
        p.wait_for("rows/s.*q stops")
        p.type("\x03")
        p.wait_for(r"rows read in ")
        ready(p)
        enter(p, "SELECT 2 AS still_here;")
        p.wait_for("still_here")
        ready(p)
        p.type("\x04")
        assert p.end() == 0


def backslash_commands(case):
    case.write("file.sql", "CREATE SOURCE s (a BIGINT, b TEXT) WITH (connector = 'datagen', rows = 2);\nSELECT 3 AS three;\n")
    with case.shell() as p:
        enter(p, "\\i " + case.path("file.sql"))
        p.wait_for_lines([" three", "-------", "     3", "(1 row)", "weir=>"])
        enter(p, "\\d")
        p.wait_for_lines([" name | kind   | columns", "------+--------+---------", " s    | source |       2", "(1 row)", "weir=>"])
        enter(p, "\\d s")
        p.wait_for(r"^ a +\| BIGINT")
        ready(p)
        enter(p, "\\x", "SELECT 1 AS a, 2 AS bb;")
        p.wait_for_lines(["-[ RECORD 1 ]-", "a  | 1", "bb | 2", "weir=>"])
        enter(p, "\\x off", "SELECT 1 AS a, 2 AS bb \\gx")
        p.wait_for_lines(["weir=> SELECT 1 AS a, 2 AS bb \\gx", "-[ RECORD 1 ]-", "a  | 1", "bb | 2", "weir=>"])
        enter(p, "\\pset format csv", "\\g")
        p.wait_for_lines(["weir=> \\g", "a,bb", "1,2", "weir=>"])
        enter(p, "\\pset format markdown", "\\g")
        p.wait_for_lines(["| a | bb |", "| ---: | ---: |", "| 1 | 2 |", "weir=>"])
        enter(p, "\\pset format aligned", "\\o " + case.path("out.txt"), "SELECT 7 AS seven;", "\\o")
        ready(p)
        enter(p, "\\timing")
        p.wait_for("Timing is on")
        enter(p, "SELECT 8 AS eight;")
        p.wait_for(r"^Time: [0-9.]+ ms")
        ready(p)
        enter(p, "\\dss")
        p.wait_for(r"there is no command \\dss; did you mean \\ds\?")
        enter(p, "\\h drop")
        p.wait_for("DROP SOURCE | SINK")
        enter(p, "\\! echo from the shell")
        p.wait_for("^from the shell")
        enter(p, "\\q")
        assert p.end() == 0
    assert case.read("out.txt") == " seven\n-------\n     7\n(1 row)\n", case.read("out.txt")


def history_and_rc(case):
    case.write(".weirrc", "\\set TOPIC clicks\nCREATE SOURCE fromrc (a BIGINT) WITH (connector = 'datagen', rows = 1);\n")
    with case.shell() as p:
        enter(p, "\\set")
        p.wait_for("^TOPIC = 'clicks'$")
        enter(p, "SELECT", "  4 AS four;")
        p.wait_for("four$")
        ready(p)
        p.type("\x04")
        assert p.end() == 0
    assert "SELECT   4 AS four;\n" in case.read(".weir_history"), case.read(".weir_history")
    assert os.stat(case.path(".weir_history")).st_mode & 0o77 == 0
    with case.shell() as p:
        p.type("\x1b[A")
        p.wait_for(r"^weir=> SELECT   4 AS four;$")
        p.type("\r")
        p.wait_for_lines(["    4", "(1 row)", "weir=>"])
        enter(p, "\\q")
        assert p.end() == 0


def completion(case):
    with case.shell() as p:
        enter(p, "CREATE SOURCE orders (id BIGINT, amount DECIMAL(9,2)) WITH (connector = 'datagen', rows = 1);")
        ready(p)
        p.type("SEL\t")
        p.wait(lambda screen: screen.text().endswith("weir=> SELECT") and screen.col == 14, "SELECT and a blank")
        p.type("amo\t FROM ord\t")
        p.wait_for("^weir=> SELECT amount  FROM orders$")
        p.type("\x15SET stat\t")
        p.wait_for(r"^weir=> SET state\.ttl$")
        p.type("\x15\\tim\t")
        p.wait_for(r"^weir=> \\timing$")
        p.type("\x15CREATE SOURCE x (a BIGINT) WITH (connector = 'datagen', rows_p\t")
        p.wait_for("rows_per_second$")
        p.type("\x15DESCRIBE ord\t;\r")
        p.wait_for(r"^ amount +\| DECIMAL")
        ready(p)
        p.type("\x04")
        assert p.end() == 0


def live_table(case):
    with case.live("SELECT k, sum(v) AS total, count(*) AS n FROM f GROUP BY k") as p:
        p.wait_for(r"^\(0 rows\)$")
        assert not p.screen.cursor_shown
        case.more('{"k": "b", "v": 1}', '{"k": "a", "v": 2}')
        p.wait_for_lines([" k │ total │ n", "───┼───────┼───", " a │     2 │ 1", " b │     1 │ 1", "(2 rows)"])
        case.more('{"k": "b", "v": 40}', '{"k": "日本", "v": 5}', '{"k": "e\u0301", "v": 6}', '{"k": "\\u001b[2J", "v": 7}', '{"v": 8}')
        p.wait_for_lines([" k       │ total │ n", "─────────┼───────┼───", " \\x1b[2J │     7 │ 1", " a       │     2 │ 1", " b       │    41 │ 2",
                          " e\u0301       │     6 │ 1", " 日本    │     5 │ 1", "         │     8 │ 1", "(6 rows)"])
        p.wait_for("late 0 · bad 0 · state 7 rows")
        p.type("q")
        p.wait_for("7 rows read in ")
        assert p.end() == 0
        assert p.screen.cursor_shown
        assert p.screen.col == 0 and p.screen.lines()[p.screen.row] == "", "the cursor is not below the table"
    assert b"\x1b[" in p.raw and not re.search(rb"\x1b\[[0-9;]*[1-9][0-9;]*m", p.raw), "colours although NO_COLOR is set"


def live_windows(case):
    """More windows than lines: the newest are shown; arrow keys and a larger window show the rest."""
    with case.live("SELECT window_start AS at, k, count(*) AS n FROM f GROUP BY window(ts, '1 min'), k WITH WATERMARK '10 min'", rows=12, cols=60) as p:
        case.more(*['{"k": "a", "v": 1, "ts": "2025-01-01T00:%02d:00Z"}' % minute for minute in range(9)])
        p.wait_for_lines([" at                  │ k │ n", "─────────────────────┼───┼───"] +
                         [" 2025-01-01 00:%02d:00 │ a │ 1" % minute for minute in range(8, 2, -1)] + ["(6 of 9 rows, arrow keys scroll)"])
        p.type("\x1b[B\x1b[B")
        p.wait_for_lines(["─────────────────────┼───┼───"] + [" 2025-01-01 00:%02d:00 │ a │ 1" % minute for minute in range(6, 0, -1)] +
                         ["(6 of 9 rows, arrow keys scroll)"])
        p.resize(24, 30)
        p.wait_for_lines([" at                  │ k │ n", "─────────────────────┼───┼───"] +
                         [" 2025-01-01 00:%02d:00 │ a │ 1" % minute for minute in range(8, -1, -1)] + ["(9 rows)"])
        os.kill(p.pid, signal.SIGINT)
        assert p.end() == 0


def live_scrolls(case):
    """Rows that are never taken back scroll by above the status line."""
    with case.live("SELECT k, v FROM f WHERE v > 0", rows=10) as p:
        p.wait_for("rows/s")
        case.more('{"k": "first", "v": 1}', '{"k": "no", "v": 0}')
        p.wait_for_lines([" k     │ v", "───────┼───", " first │ 1"])
        case.more(*['{"k": "row", "v": %d}' % n for n in range(2, 9)])
        p.wait_for_lines([" row   │ %d" % n for n in range(2, 9)])
        p.type("q")
        assert p.end() == 0


def only_status(case):
    """A job without a console shows how it gets on, and what it did."""
    with case.live("INSERT INTO o SELECT k FROM f WHERE v > 0", before="CREATE SINK o WITH (connector = 'blackhole');") as p:
        p.wait_for(r"^ 0 rows/s · written 0 · late 0 · bad 0 · state 0 rows · q stops, \? keys$")
        case.more('{"k": "a", "v": 1}', '{"k": "b", "v": 0}', '{"k": "c", "v": 1}', "no json")
        p.wait_for(r"rows/s · written 2 · late 0 · bad 1 · state 0 rows · q stops, \? keys$")
        p.type("q")
        p.wait_for(r"^ 4 rows read in [0-9.]+ s · written 2 · late 0 · bad 1 · state 0 rows$")
        assert p.end() == 0


def narrow(case):
    """Headers and texts shrink, numbers are never cut; what does not fit is said."""
    with case.live("SELECT k AS a_long_heading, k || k AS twice, sum(v) AS sum, count(*) AS count_of_rows FROM f GROUP BY k", rows=12, cols=40) as p:
        case.more('{"k": "abcdefghijklmn", "v": 1234567890123456}')
        p.wait_for_lines([" a_long_… │ twice    │              sum", "──────────┼──────────┼──────────────────",
                          " abcdefg… │ abcdefg… │ 1234567890123456", "(1 row, 1 column not shown)"])
        p.type("q")
        assert p.end() == 0


def dumb_terminal(case):
    case.env["TERM"] = "dumb"
    with case.live("SELECT k, sum(v) AS total FROM f GROUP BY k") as p:
        case.more('{"k": "a", "v": 2}')
        p.wait_for_lines([" k | total | op", "---+-------+----", " a |     2 | +I"])
        case.more('{"k": "a", "v": 3}')
        p.wait_for_lines([" a |     2 | -U", " a |     5 | +U"])
        p.type("\x03")
        assert p.end() == 0
    assert b"\x1b" not in p.raw


main([statements_and_prompts, control_c_and_d, backslash_commands, history_and_rc, completion, live_table, live_windows, live_scrolls, only_status, narrow,
      dumb_terminal])

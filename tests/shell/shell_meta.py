"""shell_meta.py: backslash commands, typed into a pipe and, where keys matter, on a terminal. See case.py."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from case import WEIR, enter, main, ready

FILES = "CREATE SOURCE s (a BIGINT, b TEXT) WITH (connector = 'file', path = '%s', format = 'csv');\n"


def script(case, text, **more):
    done = subprocess.run([WEIR], input=text, capture_output=True, text=True, timeout=60, env=dict(case.env, **more), cwd=case.dir)
    return done.returncode, done.stdout, done.stderr


def same(is_, should):
    assert is_ == should, "\n--- is\n%s\n--- should be\n%s" % (is_, should)


def copying(case):
    """\\copy to csv, ndjson and markdown, of a name and of a query with parentheses and quotes in it; and back into a sink."""
    case.write("in.csv", "a,b\n1,x y\n2,\n")
    same(script(case, FILES % case.path("in.csv") + "\\copy s to out.csv\n\\copy (SELECT a, ')' || b AS c FROM s WHERE a IN (1, 3)) to 'out put.ndjson'\n"
                "\\copy s to t.md\n\\copy s to t.txt aligned\nSELECT a FROM s WHERE a = 2;\n"), (0, " a\n---\n 2\n(1 row)\n", ""))
    same(case.read("out.csv"), "a,b\n1,x y\n2,\n")
    same(case.read("out put.ndjson"), '{"a":1,"c":")x y"}\n')
    same(case.read("t.md"), "| a | b |\n| ---: | --- |\n| 1 | x y |\n| 2 |  |\n")
    same(case.read("t.txt"), " a | b\n---+-----\n 1 | x y\n 2 |\n(2 rows)\n")
    sink = "CREATE SINK k (a BIGINT, b TEXT) WITH (connector = 'file', path = '%s', format = 'json');\n" % case.path("sink.json")
    same(script(case, sink + "\\copy k from out.csv\nSHOW SOURCES;\n"), (0, " name | kind | connector | format | columns\n------+------+-----------+--------+---------\n(0 rows)\n", ""))
    same(case.read("sink.json"), '{"a":1,"b":"x y"}\n{"a":2,"b":null}\n')
    code, out, err = script(case, "\\copy nothing\n\\copy nix from out.csv\n" + FILES % case.path("in.csv") + "\\copy s to x.csv xml\n")
    same((code, out), (2, ""))
    same(err.splitlines(), ["weir: \\copy is written: \\copy NAME to FILE [FORMAT], \\copy (QUERY) to FILE [FORMAT], \\copy NAME from FILE [FORMAT]",
                            'weir: \\copy from needs a sink or table with declared columns; "nix" has none',
                            'weir: \\copy writes csv, ndjson, markdown or aligned, not "xml"'])


def files_in_files(case):
    """\\ir looks beside the file it stands in, \\i beside the shell."""
    os.mkdir(case.path("sub"))
    case.write("sub/outer.sql", "\\ir inner.sql\n\\echo outer\n")
    case.write("sub/inner.sql", "SELECT 1 AS inner_one;\n")
    same(script(case, "\\i sub/outer.sql\n"), (0, " inner_one\n-----------\n         1\n(1 row)\nouter\n", ""))
    same(script(case, "\\i inner.sql\n"), (2, "", 'weir: cannot open "inner.sql": No such file or directory\n'))


def formats(case):
    case.write("in.csv", "a,b\n1,%s\n22,y\n" % "one two three four five six seven eight nine ten eleven twelve")
    base = FILES % case.path("in.csv")
    same(script(case, base + "\\pset format wrapped\nSELECT a, b, a AS again FROM s;\n", COLUMNS="40")[1],
         "  a | b                         | again\n----+---------------------------+-------\n  1 | one two three four five s |     1\n"
         "    | ix seven eight nine ten e |\n    | leven twelve              |\n 22 | y                         |    22\n(2 rows)\n")
    same(script(case, base + "\\format expanded\nSELECT a FROM s;\n\\format aligned\nSELECT a FROM s WHERE a = 1;\n")[1],
         "-[ RECORD 1 ]-\na | 1\n-[ RECORD 2 ]-\na | 22\n a\n---\n 1\n(1 row)\n")
    same(script(case, "\\pset null (none)\nSELECT NULL AS n;\n\\pset\n")[1].splitlines()[-7:],
         ["(1 row)", "format      aligned", "expanded    off", "null        '(none)'", "pager       off", "tuples_only off", "changes     off"])
    same(script(case, "\\pset format xml\n\\pset pager maybe\n\\pset nix\n\\watch soon\n\\chart\n")[2].splitlines(),
         ['weir: the output format cannot be "xml" (aligned, wrapped, expanded, csv, ndjson, markdown)', 'weir: pager is "on" or "off", not "maybe"',
          'weir: there is no display option "nix" (format, expanded, null, pager, tuples_only, changes)',
          'weir: \\watch takes seconds, from 0.1 to 86400, not "soon"', "weir: there is no statement to run"])


def watching(case):
    case.write("in.csv", "a,b\n1,x\n")
    with case.shell() as p:
        enter(p, (FILES % case.path("in.csv")).strip(), "SELECT a FROM s;", "\\watch 0.1")
        p.wait_for(r"^Every 100 ms, [0-9: -]+ UTC$")
        case.write("in.csv", "a,b\n17,x\n")
        p.wait_for_lines([" 17", "(1 row)"])
        p.type("\x03")
        ready(p)
        enter(p, "SELECT 2 AS still_here;")
        p.wait_for("still_here")
        enter(p, "\\q")
        assert p.end() == 0


def inferring(case):
    """\\infer writes a statement; \\g runs it."""
    case.write("in.json", '{"id": 1, "at": "2025-01-01T00:00:00Z"}\n')
    with case.shell() as p:
        enter(p, "\\infer " + case.path("in.json"))
        p.wait_for(r"^\\g declares it, \\e edits it first\.$")
        ready(p)
        enter(p, "\\g")
        p.wait_for("^CREATE SOURCE$")
        enter(p, "SELECT id FROM \"in\";")
        p.wait_for_lines([" id", "----", "  1", "(1 row)"])
        enter(p, "\\q")
        assert p.end() == 0


def topics(case):
    broker = subprocess.Popen([WEIR, "broker", "--port", "0", "--topics", "clicks:2,orders:3"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        at = None
        while not at:
            line = broker.stdout.readline()
            assert line, "the broker did not start"
            at = re.search(r"127\.0\.0\.1:\d+", line)
        case.env["KAFKA_BROKERS"] = at.group(0)
        case.write("o.csv", "a,b\n1,x\n2,y\n")
        fill = FILES % case.path("o.csv") + "CREATE SINK k (a BIGINT) WITH (connector = 'kafka', brokers = '${KAFKA_BROKERS}', topic = 'orders', format = 'json');\n"
        same(script(case, fill + "INSERT INTO k SELECT a FROM s;\n\\topics\n\\topics ick\n"),
             (0, " topic  | partitions | records\n--------+------------+---------\n clicks |          2 |       0\n orders |          3 |       2\n(2 rows)\n"
                 " topic  | partitions | records\n--------+------------+---------\n clicks |          2 |       0\n(1 row)\n", ""))
        with case.shell() as p:
            p.type("CREATE SOURCE o (a BIGINT) WITH (connector = 'kafka', brokers = '%s', topic = 'or\t" % at.group(0))
            p.wait_for("topic = 'orders")
            p.type("\x15PRINT 'cl\t")
            p.wait_for("^weir=> PRINT 'clicks")
            p.type("\x15\x04")
            assert p.end() == 0
    finally:
        broker.kill()
        broker.wait()
        broker.stdout.close()


def connecting(case):
    same(script(case, "\\conninfo\n")[1].split(" (")[0], "weir 0.1.0, no server: queries run in this process")
    code, out, err = script(case, "\\connect http://127.0.0.1:1\n", WEIR_TOKEN="0" * 48)
    same((code, out, err.splitlines()[0].split(": C")[0]), (2, "", "weir: no answer from http://127.0.0.1:1"))
    same(script(case, "\\why\n\\lag\n\\dj\n")[2].splitlines()[-1], 'hint: "weir serve" starts one, "weir --server URL" or \\connect is the shell of one')


main([copying, files_in_files, formats, watching, inferring, topics, connecting])

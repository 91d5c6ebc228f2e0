"""shell_far.py: the shell of a server (weir --server URL): statements over HTTP, rows as they come, the live table, and a server that dies."""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from screen import Program

WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-far-")
DATA = os.path.join(DIR, "data")
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s\n--- is\n%s\n--- should be\n%s" % (name, is_, should))


def path(name, text=None, mode="w"):
    if text is not None:
        with open(os.path.join(DIR, name), mode) as f:
            f.write(text)
    return os.path.join(DIR, name)


class Server:
    def __init__(self):
        self.child = subprocess.Popen([WEIR, "serve", "--listen", "127.0.0.1:0", "--data", DATA, "--allow-files", DIR], stderr=subprocess.PIPE, text=True)
        line = self.child.stderr.readline()
        found = re.match(r"weir: listening on http://(127\.0\.0\.1:\d+)", line)
        assert found, line
        self.at = found.group(1)

    def weir(self, sql, *args, env=None):
        done = subprocess.run([WEIR, "--server", self.at, "--data", DATA, "-c", sql, *args], capture_output=True, text=True, timeout=60,
                              env=dict(os.environ, HOME=DIR, **(env or {})))
        return done.returncode, done.stdout, done.stderr

    def end(self):
        self.child.kill()
        self.child.wait()


GROW = "CREATE SOURCE grow (k TEXT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true')"


def statements(s):
    rows = path("rows.csv", "a,b\n1,x\n2,\n")
    check("declare", s.weir("CREATE SOURCE f (a BIGINT, b TEXT) WITH (connector = 'file', path = '%s', format = 'csv')" % rows), (0, "", ""))
    check("rows", s.weir("SELECT a, b FROM f", "-o", "csv"), (0, "a,b\n1,x\n2,\n", ""))
    check("table", s.weir("SELECT a, b, 1.50 AS d FROM f"), (0, " a | b |    d\n---+---+------\n 1 | x | 1.50\n 2 |   | 1.50\n", ""))
    check("null", s.weir("SET null = '-'; SELECT b FROM f WHERE a = 2"), (0, " b\n---\n -\n", ""))
    check("none", s.weir("SELECT a FROM f WHERE a > 9", "-o", "csv"), (0, "a\n", ""))
    check("show", s.weir("SHOW SOURCES", "-o", "csv")[1].splitlines()[:2], ["name,kind,connector,format,columns", "f,source,file,csv,2"])
    check("explain", s.weir("EXPLAIN SELECT a FROM f")[1].splitlines()[0][:4], "Sink")
    check("print", s.weir("PRINT '%s'" % rows), (0, "0:1 a,b\n0:2 1,x\n0:3 2,\n", ""))
    check("infer", s.weir("INFER SOURCE FROM '%s'" % rows)[1].splitlines()[1:4], ['CREATE SOURCE "rows" (', "    a BIGINT,", "    b TEXT"])
    check("several", s.weir("SELECT 1 AS one; SELECT 2 AS two", "-o", "ndjson"), (0, '{"one":1}\n{"two":2}\n', ""))


def mistakes(s):
    check("place", s.weir("SELECT 1 AS a;\nSELECT nix FROM f", "-o", "ndjson"),
          (2, '{"a":1}\n', '-c:2:8: column "nix" does not exist\n  SELECT nix FROM f\n         ^\nhint: there is a, b; text stands in single quotes: \'nix\'\n'))
    check("syntax, told here", s.weir("SELECT FROM")[0], 2)
    check("file", s.weir("PRINT '/etc/passwd'")[2].splitlines()[0], '-c:1:7: option "path": local file "/etc/passwd" is not allowed here')
    check("outside", s.weir("CREATE SOURCE outside (line TEXT) WITH (connector = 'file', path = '/etc/passwd', format = 'raw')")[0], 0)
    for sql in ("SELECT line FROM outside", "CREATE SINK hole WITH (connector = 'blackhole'); INSERT INTO hole SELECT line FROM outside"):
        at = sql.rindex("INSERT") + 1 if "INSERT" in sql else 1     # the option stands in another statement than this one
        check("not allowed", s.weir(sql)[2].splitlines()[0], '-c:1:%d: option "path": local file "/etc/passwd" is not allowed here' % at)
    check("gone", s.weir("DROP SOURCE outside; DROP SINK hole")[0], 0)
    check("setting", s.weir("SET parallelism = 2")[0], 2)
    check("token", s.weir("SELECT 1", env={"WEIR_TOKEN": "0" * 48})[0], 2)
    check("option", s.weir("SELECT 1", "-v", "A=b")[0], 2)


def jobs(s):
    path("grow.json", "\n")
    check("grow", s.weir(GROW % path("grow.json"))[0], 0)
    check("submit", s.weir("SUBMIT JOB sums AS SELECT k, sum(v) AS total FROM grow GROUP BY k"), (0, "", ""))
    check("broken", s.weir("CREATE SOURCE b (k TEXT) WITH (connector = 'file', path = '%s', format = 'json', on_error = 'fail'); SUBMIT JOB broken AS SELECT k FROM b"
                           % path("broken.json", "{\n"))[0], 0)
    with Program([WEIR, "--server", s.at, "--data", DATA], env()) as p:
        ready(p)
        p.type("SHOW JOBS;\r\\watch 1\r")
        p.wait_for(r"^broken: .*bad row")     # the reason, below the table
        p.type("\x03DROP JOB broken;\r")
        p.wait_for("^DROP JOB broken$")
        ready(p)
        p.type("\\dj\r")
        p.wait_for(r"^ sums \| (starting|running) ")
        p.wait_for(r"^ name +\| state +\| rows in +\| rows/s +\| lag +\| late +\| bad +\| watermark *$")     # no reason, so no column of reasons
        p.type("\\d sums_result\r")
        p.wait_for(r"^ total +\| DECIMAL")
        p.type("SHOW SOURCES;\r")
        p.wait_for(r"^ sums_result +\| source +\| system")
        ready(p)
        p.type("SELECT k FROM sums_re\t")
        p.wait_for("SELECT k FROM sums_result$")
        p.type("\x15")
        p.type("STOP JOB sums;\rDROP JOB sums;\r")
        p.wait_for("^DROP JOB sums$")
        p.type("\\dj\r")
        p.wait_for(r"^\(0 rows\)$")
        ready(p)                                # a Tab before the prompt is the terminal's, not readline's
        p.type("SELECT k FROM gr\t")
        p.wait_for("SELECT k FROM grow$")
        p.type("\x15DESCRIBE grow;\r")
        p.wait_for(r"^ v +\| BIGINT")
        p.type("\\connect -\r")
        p.wait_for("no server: queries run in this process .*0 objects")
        p.type("\\connect %s\r" % s.at)
        p.wait_for("^weir .*, statements go to the server at http://%s" % s.at)
        ready(p)
        p.type("\\q\r")
        check("exit", p.end(), 0)


def env():
    e = {"HOME": DIR, "TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "PATH": os.environ["PATH"], "PAGER": "cat"}
    e.update({k: v for k, v in os.environ.items() if k.endswith("SAN_OPTIONS")})
    return e


def ready(p):
    p.wait(lambda screen: re.search(r"weir@127\.0\.0\.1:\d+=>$", screen.text()), "an empty prompt")


def live(s):
    path("grow.json", "\n")
    with Program([WEIR, "--server", s.at, "--data", DATA], env()) as p:
        ready(p)
        p.type("SELECT k, sum(v) AS total FROM grow GROUP BY k;\r")
        p.wait_for(r"^\(0 rows\)$")
        path("grow.json", '{"k": "a", "v": 1}\n{"k": "b", "v": 2}\n', "a")
        p.wait_for_lines([" k │ total", "───┼───────", " a │     1", " b │     2", "(2 rows)"])
        path("grow.json", '{"k": "a", "v": 41}\n', "a")
        p.wait_for_lines([" a │    42", " b │     2", "(2 rows)"])
        p.type("ss")
        p.wait_for_lines([" k │ ▼total", "───┼────────", " a │     42", " b │      2", "(2 rows)"])
        p.type("w")
        p.wait_for(r"^source grow: read [34], skipped [01], bad 0$")
        p.type("w")
        p.wait_for(r"^ a │     42")
        path("grow.json", '{"k": "a", "v": "no number"}\n', "a")
        p.wait_for("· bad 1")
        p.type("q")
        ready(p)
        p.wait_for(r"^note: 1 bad row was left out \(SELECT \* FROM <source>\$errors shows it\)$")
        p.type("\\why\r")
        p.wait_for(r"^source grow: read [45], skipped [01], bad 1$")
        p.wait_for(r"^sink console: written \d+$")
        p.type("SELECT reason FROM grow$errors;\r")
        p.wait_for(r"^ type$")
        p.type("q")
        ready(p)
        p.type("SELECT 7 AS seven;\r")
        p.wait_for_lines([" seven", "-------", "     7", "(1 row)"])
        p.type("SELECT k FROM grow;\r")
        p.wait_for("rows/s.*q stops")
        s.end()
        p.wait_for("^the connection to http://127.0.0.1:[0-9]+ broke off")
        ready(p)
        p.type("SELECT 1;\r")
        p.wait_for("^no answer from http")
        p.type("\x04")
        check("exit", p.end(), 0)


def main():
    s = Server()
    try:
        for run in (statements, mistakes, jobs, live):
            try:
                run(s)
            except AssertionError as error:
                FAILED.append(run.__name__)
                print("FAILED", run.__name__, error)
    finally:
        s.end()
        shutil.rmtree(DIR)
    sys.exit(1 if FAILED else 0)


main()

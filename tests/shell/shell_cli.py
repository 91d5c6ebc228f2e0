"""shell_cli.py: the command line: exit codes, what goes to stdout and what to stderr, what happens when a reader leaves or a signal comes."""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile

WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-cli-")
ENV = dict(os.environ, HOME=DIR)
FAILED = []


def path(name, text=None):
    full = os.path.join(DIR, name)
    if text is not None:
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "w") as file:
            file.write(text)
    return full


def run(*args, stdin=""):
    done = subprocess.run([WEIR, *args], input=stdin, capture_output=True, text=True, env=ENV, timeout=120)
    return done.returncode, done.stdout, done.stderr


def expect(args, code, out=None, err=None, stdin=""):
    """out: all of stdout, or None; err: texts that stderr holds, "" for nothing at all."""
    got = run(*args, stdin=stdin)
    why = []
    if got[0] != code:
        why.append("exit code %d, not %d" % (got[0], code))
    if out is not None and got[1] != out:
        why.append("stdout is %r, not %r" % (got[1], out))
    if err == "" and got[2]:
        why.append("stderr is not empty")
    why += ["stderr lacks %r" % text for text in ([err] if isinstance(err, str) else err or []) if text not in got[2]]
    if why:
        FAILED.append(args)
        print("FAILED weir %s: %s\nstdout: %s\nstderr: %s" % (" ".join(args), "; ".join(why), got[1], got[2]))


def check(name, true):
    if not true:
        FAILED.append(name)
        print("FAILED", name)


def statements():
    expect(["-c", "SELECT 1 AS a, 'x' AS b"], 0, " a | b\n---+---\n 1 | x\n", "")
    expect(["-c", "SELECT 1 AS a, 'x' AS b", "-o", "ndjson"], 0, '{"a":1,"b":"x"}\n', "")
    expect(["-ocsv", "-c", "SELECT 1 AS a, 'x,y' AS b"], 0, 'a,b\n1,"x,y"\n', "")
    expect(["-c", "SELECT 1; SELEC 2"], 2, None, ["-c:1:11: ", "SELECT 1; SELEC 2", "^"])
    expect(["-c", "SELECT nothing"], 2, "", "-c:1:8: ")
    expect(["-c", "CREATE SOURCE s (a BIGINT) WITH (connector = 'datagen', rows = '${N}')", "-v", "N=3"], 0, "", "")
    expect(["-c", "CREATE SOURCE s (a BIGINT) WITH (connector = 'datagen', rows = '${NO_SUCH}')"], 2, "", "NO_SUCH")
    expect(["-c", "SELECT 1", "-v", "N"], 2, "", "NAME=VALUE")
    expect([], 0, " a\n---\n 1\n(1 row)\n b\n---\n 2\n(1 row)\n", "", stdin="SELECT 1 AS a;\nSELECT\n2 AS b")
    expect([], 2, " b\n---\n 2\n(1 row)\n", "stdin:", stdin="SELEC 1;\nSELECT 2 AS b;\n")
    expect([], 0, "a,b\n1,2\n", "", stdin="\\pset format csv\nSELECT 1 AS a, 2 AS b;\n\\q\nSELECT 3;\n")


def files():
    rows = path("rows.json", '{"k": "a", "v": 1}\n{"k": "b", "v": 2}\n{"k": "a", "v": 3}\n')
    source = "CREATE SOURCE s (k TEXT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json');\n" % rows
    job = path("job.sql", source + "SELECT k, sum(v) AS total FROM s GROUP BY k EMIT CHANGES;\n")
    expect(["run", job, "--final", "-o", "csv"], 0, "k,total\na,4\nb,2\n", "")
    expect(["check", job], 0, None, "")
    wrong = path("wrong.sql", source + "SELECT k,\n   vv FROM s;\nSELECT q FROM s;\n")
    expect(["run", wrong], 2, "", ["%s:3:4: " % wrong, "%s:4:8: " % wrong])
    expect(["check", wrong], 2, "", ["%s:3:4: " % wrong, "%s:4:8: " % wrong])
    expect(["run", path("none.sql")], 2, "", ["cannot open", "none.sql"])
    expect(["run"], 2, "", "takes one file")
    expect(["run", "-", "-o", "csv"], 0, "a\n1\n", "", stdin="SELECT 1 AS a")
    gone = path("gone.sql", "CREATE SOURCE s (k TEXT) WITH (connector = 'file', path = '%s', format = 'json');\nSELECT * FROM s;\n" % path("no-such-file"))
    expect(["run", gone], 1, "", "no-such-file")


def savepoints():
    """A finished job goes on when its input has grown; a copy of its checkpoints is the beginning of another; a changed query is told what fits."""
    rows = path("grows.json", '{"k": "a", "v": 1}\n{"k": "b", "v": 2}\n')
    source = "CREATE SOURCE s (k TEXT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json');\n" % rows
    query = source + "SELECT k, count(*) AS n, sum(v) AS t FROM s WHERE v > 0 GROUP BY k;\n"
    job, stricter = path("job1.sql", query), path("job2.sql", query.replace("v > 0", "v > 3"))
    other = path("job3.sql", query.replace("sum(v)", "max(v)"))
    ckpt, saved, fork = os.path.join(DIR, "ckpt"), os.path.join(DIR, "saved"), os.path.join(DIR, "fork")
    csv = ["-o", "csv", "-q", "--checkpoint"]
    expect(["run", job] + csv + [ckpt], 0, "k,n,t,op\na,1,1,+I\nb,1,2,+I\n", "")
    expect(["savepoint", "--checkpoint", ckpt, saved], 0, "", "savepoint of")
    expect(["savepoint", "--checkpoint", ckpt, saved], 2, "", "holds a checkpoint already")
    expect(["savepoint", "--checkpoint", os.path.join(DIR, "nothing"), fork], 2, "", "there is no checkpoint")
    expect(["savepoint", "--checkpoint", ckpt], 2, "", "one directory to copy to")
    path("grows.json", '{"k": "a", "v": 1}\n{"k": "b", "v": 2}\n{"k": "a", "v": 5}\n')
    grown = "k,n,t,op\na,1,1,-U\na,2,6,+U\n"
    expect(["run", job, "--from-savepoint", saved] + csv + [fork], 0, grown, "")
    expect(["run", job] + csv + [ckpt], 0, grown, "")
    expect(["run", job, "--from-savepoint", saved] + csv + [fork], 2, "", "holds a checkpoint already")
    expect(["run", stricter] + csv + [fork], 2, "", ["belongs to another query", "was: -> Filter (v > 0); is: -> Filter (v > 3)", "--adapt"])
    expect(["run", other, "--adapt"] + csv + [fork], 2, "", ["belongs to another query", "of 5 operators are as they were", "--reset"])
    path("grows.json", '{"k": "a", "v": 1}\n{"k": "b", "v": 2}\n{"k": "a", "v": 5}\n{"k": "a", "v": 3}\n{"k": "b", "v": 4}\n')
    expect(["run", stricter, "--adapt"] + csv + [fork], 0, "k,n,t,op\nb,1,2,-U\nb,2,6,+U\n", "")
    with open(os.path.join(fork, "lock")) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        expect(["run", stricter] + csv + [fork], 3, "", "in use by another process")
    expect(["run", other, "--reset"] + csv + [fork], 0, None, "")


def usage():
    expect(["--version"], 0, "weir 0.1.0\n", "")
    for command in [], ["run"], ["check"], ["test"], ["broker"], ["demo"]:
        code, out, err = run(*command, "--help")
        check("help of %s" % command, code == 0 and out.startswith("usage: weir " + " ".join(command)) and err == "")
    expect(["rnu", "x.sql"], 2, "", ['unknown command "rnu"', 'did you mean "weir run"?'])
    expect(["job.sql"], 2, "", "weir run job.sql")
    expect(["run", "x.sql", "--fina"], 2, "", ['unknown option "--fina"', 'did you mean "--final"?'])
    expect(["check", "x.sql", "--final"], 2, "", 'unknown option "--final"')
    expect(["-z"], 2, "", 'unknown option "-z"')
    expect(["-c"], 2, "", "needs a value")
    expect(["-c", "SELECT 1", "-c", "SELECT 2"], 2, "", "given twice")
    expect(["-c", "SELECT 1", "-o", "jsn"], 2, "", 'cannot be "jsn"')
    expect(["-c", "SELECT 1", "more"], 2, "", '"more"')
    expect(["run", "x.sql", "--every", "5 s"], 2, "", "goes with --checkpoint")
    expect(["run", "x.sql", "--from-savepoint", "d"], 2, "", "goes with --checkpoint")
    expect(["run", "x.sql", "--checkpoint", DIR, "--every", "often"], 2, "", '"often" is not a duration')
    expect(["broker", "--port", "99999"], 2, "", "99999")
    expect(["demo", "black-fridy"], 2, "", 'did you mean "black-friday"?')


def scenarios():
    good = "==== sql\nCREATE SOURCE s (v BIGINT) WITH (connector = 'file', path = 'x', format = 'json');\nSELECT v FROM s;\n==== input s\n{\"v\": 1}\n==== expect\n{\"v\": 1}\n"
    path("tests/b.test", good)
    path("tests/deep/a.test", good)
    path("tests/notes.txt", "not a test")
    expect(["test", path("tests")], 0, None, "")
    check("a directory is searched", run("test", path("tests"))[1].endswith("2 passed, 0 failed\n"))
    path("tests/c.test", good.replace('expect\n{"v": 1}', 'expect\n{"v": 2}'))
    code, out, _ = run("test", path("tests"))
    check("a failure is counted", code == 1 and out.endswith("2 passed, 1 failed\n"))
    expect(["test", path("tests/none")], 2, "", "none")
    expect(["test"], 2, "", "needs files or directories")
    path("empty/x.txt", "")
    expect(["test", path("empty")], 2, "", "no *.test files")


def signals():
    """SIGINT and SIGTERM end a job properly, exit 0; a reader that leaves ends it with 1 and without noise."""
    endless = "CREATE SOURCE g (n BIGINT) WITH (connector = 'datagen', rows_per_second = 1000); SELECT * FROM g"
    for sig in signal.SIGINT, signal.SIGTERM:
        child = subprocess.Popen([WEIR, "-c", endless, "-o", "ndjson"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
        first = child.stdout.readline()
        child.send_signal(sig)
        out = first + child.stdout.read()
        err = child.stderr.read()
        check("%s ends with 0" % sig.name, child.wait(120) == 0 and err == b"" and first.startswith(b"{") and out.endswith(b"}\n"))
        child.stdout.close()
        child.stderr.close()
    child = subprocess.Popen([WEIR, "-c", endless], stdout=subprocess.PIPE, env=ENV)
    child.stdout.readline()
    os.kill(child.pid, signal.SIGSTOP)
    os.waitpid(child.pid, os.WUNTRACED)
    for sig in signal.SIGINT, signal.SIGTERM, signal.SIGCONT:      # both wait for it: the job has no time in between
        os.kill(child.pid, sig)
    child.stdout.read()
    check("interrupted twice", child.wait(120) == 130)
    child.stdout.close()
    child = subprocess.Popen([WEIR, "-c", endless], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV)
    child.stdout.readline()
    child.stdout.close()
    err = child.stderr.read()
    check("a reader that leaves", child.wait(120) == 1 and err == b"")
    child.stderr.close()


def broker():
    if "no Kafka" in run("broker", "--port", "0", "extra")[2]:
        return
    child = subprocess.Popen([WEIR, "broker", "--port", "0", "--topics", "t:1"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=ENV, text=True)
    address = child.stdout.readline().strip()
    more = "WITH (connector = 'kafka', brokers = '%s', topic = 't', format = 'json'" % address
    job = path("broker.sql", "CREATE SOURCE g (n BIGINT) WITH (connector = 'datagen', rows = 5);\nCREATE SINK t %s);\nINSERT INTO t SELECT n FROM g;\n" % more)
    expect(["run", job], 0, "", None)
    expect(["-c", "CREATE SOURCE t (n BIGINT) %s, start = 'earliest'); SELECT count(*) AS n FROM t" % more, "--until-end", "--final", "-o", "csv"], 0, "n\n5\n", "")
    child.send_signal(signal.SIGINT)
    child.communicate(timeout=120)
    check("the broker ends with 0", child.returncode == 0)


try:
    for part in statements, files, savepoints, usage, scenarios, signals, broker:
        if len(sys.argv) < 2 or part.__name__ in sys.argv[1:]:
            part()
finally:
    shutil.rmtree(DIR)
sys.exit(1 if FAILED else 0)

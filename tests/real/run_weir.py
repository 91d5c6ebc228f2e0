"""run_weir.py: runs the weir program for the tests against real servers."""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import proc

SLOWEST_ERROR = 10     # seconds within which an error of the outside must be named


def program():
    for place in (os.environ.get("WEIR"), os.path.join(proc.ROOT, "build", "release", "weir"),
                  os.path.join(proc.ROOT, "build", "dev", "weir")):
        if place and os.path.exists(place):
            return place
    raise proc.FixtureError("weir is not built; set WEIR to the program")


def check(got, wanted, what):
    if got != wanted:
        raise SystemExit("%s:\n  got    %r\n  wanted %r" % (what, got, wanted))


class Result:
    def __init__(self, code, out, err, seconds):
        self.code, self.out, self.err, self.seconds = code, out, err, seconds

    def rows(self):
        return [json.loads(line) for line in self.out.splitlines()]


def sql_file(sql):
    f = tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False)
    with f:
        f.write(sql)
    return f.name


def run(sql, *args, env=None, timeout=120):
    """Runs the statements as a file, bounded, with NDJSON output."""
    path = sql_file(sql)
    start = time.monotonic()
    try:
        done = subprocess.run([program(), "run", path, "-o", "ndjson", "--until-end", *args], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", timeout=timeout,
                              env=dict(os.environ, **(env or {})))
    finally:
        os.unlink(path)
    return Result(done.returncode, done.stdout, done.stderr, time.monotonic() - start)


def ok(sql, *args, **more):
    r = run(sql, *args, **more)
    if r.code != 0:
        raise SystemExit("exit code %d\n%s\n%s" % (r.code, sql, r.err))
    return r


def fails(sql, code, *texts, secret=None, **more):
    """The statements fail with this exit code within the time there is; every text is in the one error message, no secret is."""
    r = run(sql, **more)
    check(r.code, code, "exit code of\n%s\n%s\n" % (sql, r.err))
    check(r.out, "", "standard output")
    for text in texts:
        if text not in r.err:
            raise SystemExit("%r is not in the message:\n%s" % (text, r.err))
    if secret and secret in r.err:
        raise SystemExit("the message has the secret in it:\n%s" % r.err)
    if "%3|" in r.err or "%4|" in r.err or "thrd:" in r.err:
        raise SystemExit("the message is the library's chatter:\n%s" % r.err)
    if r.seconds > SLOWEST_ERROR:
        raise SystemExit("the message took %.1f s:\n%s" % (r.seconds, r.err))
    return r


class Running:
    """A job that goes on until stopped; its output goes to files."""

    def __init__(self, sql, *args, env=None):
        self.path = sql_file(sql)
        self.err_path = self.path + ".err"
        with open(self.err_path, "wb") as err, open(self.path + ".out", "wb") as out:
            self.child = proc.spawn([program(), "run", self.path, "-o", "ndjson", *args], stdout=out, stderr=err,
                                    env=dict(os.environ, **(env or {})))

    def __enter__(self):
        return self

    def wait_for(self, ready, what, seconds=60):
        proc.wait_until(ready, what, seconds, self.child, self.err_path)

    def stop(self):
        """As a user stops it: SIGINT; must end well."""
        import signal
        self.child.send_signal(signal.SIGINT)
        code = self.child.wait(30)
        if code != 0:
            raise SystemExit("exit code %d after SIGINT\n%s" % (code, proc.tail(self.err_path)))

    def __exit__(self, *_):
        proc.end(self.child)
        for path in (self.path, self.path + ".out", self.err_path):
            os.unlink(path)

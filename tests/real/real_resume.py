"""real_resume.py: a job that goes on in another way than it was run before: its input was at its end and has grown, or it was followed live and is
now to end. Over files, so nothing else has to run. also: dev"""
import json
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import job
from once import check
import proc


class Case:
    def __init__(self, directory, name, query, options="", sink=""):
        self.input, self.output = os.path.join(directory, name + ".in"), os.path.join(directory, name + ".out")
        self.file, self.dir = os.path.join(directory, name + ".sql"), os.path.join(directory, name + ".ckpt")
        self.log = os.path.join(directory, name + ".log")
        with open(self.file, "w") as f:
            f.write("CREATE SOURCE s (k TEXT, v INTEGER, ts TIMESTAMP) WITH (connector = 'file', path = '%s', format = 'json'%s);\n"
                    "CREATE SINK o WITH (connector = 'file', path = '%s', format = 'json'%s);\nINSERT INTO o %s;\n" % (self.input, options, self.output, sink, query))

    def grows(self, *rows):
        """(key, value, second)"""
        with open(self.input, "a") as f:
            for k, v, second in rows:
                f.write(json.dumps({"k": k, "v": v, "ts": "2025-01-01T00:%02d:%02dZ" % divmod(second, 60)}) + "\n")

    def run(self, *more):
        done = subprocess.run([job.program(), "run", self.file, "--checkpoint", self.dir, *more], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=job.PATIENCE)
        if done.returncode:
            raise SystemExit("weir ended with %d\n%s" % (done.returncode, done.stderr))
        return self.rows()

    def live(self, wanted):
        """Follows the file until the output is what it should be, then is asked to stop."""
        with open(self.log, "wb") as log:
            child = proc.spawn([job.program(), "run", self.file, "--checkpoint", self.dir, "--every", "100 ms"], stdout=log, stderr=log)
        proc.wait_until(lambda: self.rows() == wanted, "%r" % wanted, job.PATIENCE, child, self.log)
        child.send_signal(signal.SIGTERM)
        check(child.wait(job.PATIENCE), 0, "exit code of the job that was followed")

    def rows(self):
        if not os.path.exists(self.output):
            return []
        with open(self.output) as f:
            return [list(json.loads(line).values()) for line in f if line.endswith("\n")]


def grown(d):
    """What the end of the input closed is over. Rows that come for it later open it anew, whatever the kind of window: the result counts these alone."""
    start = "CAST(extract(epoch FROM window_start) AS INTEGER) - 1735689600"
    first, more = [("a", 1, 5), ("a", 2, 15)], [("a", 4, 16), ("a", 8, 45)]
    for name, window, one, two in (
            ("tumble", "window(ts, '10 s')", [[0, 1], [10, 2]], [[10, 4], [40, 8]]),
            ("hop", "window(ts, '20 s', '10 s')", [[-10, 1], [0, 3], [10, 2]], [[0, 4], [10, 4], [30, 8], [40, 8]]),
            ("session", "session_window(ts, '12 s')", [[5, 3]], [[16, 4], [45, 8]])):
        c = Case(d, name, "SELECT %s AS f, sum(v) AS v FROM s GROUP BY %s, k WITH WATERMARK '0 s' EMIT FINAL" % (start, window))
        c.grows(*first)
        check(c.run(), one, name)
        check(c.run(), one, name + ", once more")
        c.grows(*more)
        check(c.run(), one + two, name + ", grown")
        check(c.run(), one + two, name + ", once more")
    c = Case(d, "over", "SELECT sum(v) OVER (PARTITION BY k ORDER BY ts ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) AS n, v FROM s WITH WATERMARK '0 s'")
    c.grows(*first)
    check(c.run(), [[1, 1], [3, 2]], "over")
    c.grows(*more)
    check(c.run(), [[1, 1], [3, 2], [6, 4], [12, 8]], "over, grown")


def live_then_to_its_end(d):
    """The state of a query does not depend on whether its input ends: what was followed live goes on with --until-end, and the other way round."""
    for name, query, live, ended, after in (
            ("windows", "SELECT sum(v) AS v FROM s GROUP BY window(ts, '10 s') WITH WATERMARK '0 s' EMIT FINAL", [[3]], [[3], [12], [16]], [[3], [12], [16], [32]]),
            ("rows", "SELECT k, v FROM s WHERE v > 0", [["a", 1], ["a", 2], ["b", 4]], [["a", 1], ["a", 2], ["b", 4], ["b", 8], ["a", 16]],
             [["a", 1], ["a", 2], ["b", 4], ["b", 8], ["a", 16], ["b", 32]])):
        c = Case(d, "live_" + name, query, ", follow = 'true'")
        c.grows(("a", 1, 5), ("a", 2, 7), ("b", 4, 15))
        c.live(live)
        c.grows(("b", 8, 16), ("a", 16, 27))
        check(c.run("--until-end"), ended, name + " to its end")
        c.grows(("b", 32, 45))
        check(c.run("--until-end"), after, name + ", grown")


def main():
    with tempfile.TemporaryDirectory() as d:
        for case in (grown, live_then_to_its_end):
            case(d)
            print(case.__name__, flush=True)


main()

"""real_faults_disk.py: whole jobs and the faults of disks, directories and clocks (tests/chaos/README.md has the list); nothing but files is needed.
also: dev; needs: failpoints

The job reads a file and writes two: the rows, and windows of them. Whatever is done to it, what it leaves behind in the end is what an undisturbed
run does, or it refuses with a message that names what is wrong.
"""
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import job
import proc

ROWS, KEYS = 60000, 50
SQL = """CREATE SOURCE inp (id BIGINT NOT NULL, k TEXT, ts TIMESTAMP) WITH (connector = 'file', path = '{d}/in.ndjson', format = 'json');
CREATE SINK rows WITH (connector = 'file', path = '{d}/{n}.rows', format = 'json');
CREATE SINK wins WITH (connector = 'file', path = '{d}/{n}.wins', format = 'json');
INSERT INTO rows SELECT id FROM inp WHERE id % 3 = 0;
INSERT INTO wins SELECT window_start AS w, k, count(*) AS n, sum(id) AS s FROM inp GROUP BY window(ts, '10 s'), k EMIT FINAL;
"""
EVERY = "1 ms"      # a checkpoint after nearly every round: the faults meet many


class Case:
    def __init__(self, d, name):
        self.name, self.d = name, d
        self.job = job.Job(d, name, SQL.format(d=d, n=name), EVERY)

    def content(self):
        with open(os.path.join(self.d, self.name + ".rows")) as f:
            rows = [json.loads(line)["id"] for line in f]
        with open(os.path.join(self.d, self.name + ".wins")) as f:
            wins = [json.loads(line) for line in f]
        return sorted(rows), sorted((str(w["w"]), w["k"], w["n"], int(w["s"])) for w in wins)

    def finishes(self):
        """Runs to the end of its input; then the files hold what they should."""
        self.job.start().ends(0)
        rows, wins = self.content()
        sums = {}
        for i in range(ROWS):
            n, s = sums.get((i // 1000, "k%d" % (i % KEYS)), (0, 0))
            sums[(i // 1000, "k%d" % (i % KEYS))] = (n + 1, s + i)
        if rows != [i for i in range(ROWS) if i % 3 == 0]:
            raise SystemExit("%s: %d rows, wanted %d" % (self.name, len(rows), ROWS // 3))
        if sorted((k, n, s) for _, k, n, s in wins) != sorted((k, n, s) for (_, k), (n, s) in sums.items()):
            raise SystemExit("%s: the windows are wrong" % self.name)
        if len({(w, k) for w, k, _, _ in wins}) != len(wins):
            raise SystemExit("%s: a window came twice" % self.name)
        self.job.start().ends(0)
        if self.content() != (rows, wins):
            raise SystemExit("%s: another start changed something" % self.name)


def disk_full_or_broken(d):
    """ENOSPC and EIO at every step of a checkpoint and of the file sink: no commit without a durable delta; the last checkpoint is intact."""
    for point, word in (("store.write:3:enospc", "cannot write a checkpoint: No space left on device"), ("store.write:2:eio", "Input/output error"),
                        ("store.sync:3:eio", "cannot write a checkpoint: Input/output error"), ("store.sync:1:enospc", "No space left on device"),
                        ("store.apply:2:enospc", "cannot apply a checkpoint: No space left on device"), ("store.apply:4:eio", "Input/output error"),
                        ("sink.sync:3:enospc", "to the disk: No space left on device"), ("sink.sync:4:eio", "to the disk: Input/output error")):
        c = Case(d, "disk_%s" % point.replace(".", "_").replace(":", "_"))
        with c.job:
            c.job.start(fail=point).ends(1, word)
            c.finishes()


def file_may_not_grow(d):
    """Files cannot grow (RLIMIT_FSIZE; first the checkpoint's, then with more room the sink's): a clean stop; later the exact result."""
    c = Case(d, "limit")
    with c.job:
        for size in (50000, 60000, 70000):
            c.job.start(limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))).ends(1, "cannot write")
        c.finishes()


def directory_unusable(d):
    """No directory, no right to it, a file in its place: refused before anything is done."""
    c = Case(d, "nodir")
    with c.job:
        c.job.dir = os.path.join(d, "not", "there")
        c.job.start().ends(1, "cannot make the checkpoint directory", "No such file or directory")
        c.job.dir = os.path.join(d, "in.ndjson")
        c.job.start().ends(1, "Not a directory")
        if os.path.exists(os.path.join(d, "nodir.rows")) and os.path.getsize(os.path.join(d, "nodir.rows")):
            raise SystemExit("rows without a checkpoint")


def cut_off(d):
    """A data.mdb that is shorter than it was: refused by name. (Flipped bits, other versions: tests/unit/test_store_damage.c.)"""
    c = Case(d, "cut")
    with c.job:
        c.job.start(fail="store.synced:4").ends(-signal.SIGKILL)
        path = os.path.join(c.job.dir, "data.mdb")
        shutil.copy(path, path + ".whole")
        os.truncate(path, 16384)
        c.job.start().ends(1, "\"data.mdb\" has 16384 bytes, and")
        os.truncate(path, 100)
        c.job.start().ends(1, "cannot open")
        os.rename(path + ".whole", path)
        c.finishes()


def foreign_directory(d):
    """The directory of another query, or one whose file was changed behind its back."""
    a, b = Case(d, "mine"), Case(d, "theirs")
    with a.job, b.job:
        a.job.start(fail="store.synced:4").ends(-signal.SIGKILL)
        b.job.dir = a.job.dir
        b.job.start().ends(2, "belongs to another query", "theirs.rows")
        with open(os.path.join(d, "mine.rows"), "r+") as f:
            text = f.read()
            f.seek(0)
            f.write(text.replace("0", "1"))
        a.job.start().ends(1, "mine.rows\" was changed by somebody else since the checkpoint")
        os.truncate(os.path.join(d, "mine.rows"), 0)
        a.job.start().ends(1, "mine.rows\" has 0 bytes, and")


def clock_jumps(d):
    """The wall clock goes back and forth by days while the job runs: results are by event time, checkpoints and waiting by the monotonic clock."""
    shim = os.path.join(d, "clock.so")
    with open(os.path.join(d, "clock.c"), "w") as f:
        f.write("""#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>
int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    static int calls;
    if (!real)
        real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
    int rc = real(id, t);
    if (id == CLOCK_REALTIME)
        t->tv_sec += (calls++ % 3 - 1) * 86400 * (calls % 7);
    return rc;
}
""")
    if subprocess.run(["cc", "-shared", "-fPIC", "-o", shim, os.path.join(d, "clock.c"), "-ldl"]).returncode != 0:
        raise SystemExit("cannot build the clock")
    c = Case(d, "clock")
    with c.job:
        # With a sanitizer, its library must come first.
        linked = subprocess.run(["ldd", job.program()], stdout=subprocess.PIPE, text=True).stdout
        first = re.findall(r"=> (\S*lib[a-z]*san\S*)", linked)
        env = {"LD_PRELOAD": " ".join(first + [shim])}
        c.job.start(fail="store.synced:4", env=env).ends(-signal.SIGKILL)
        days = set(re.findall(r"^(\d{4}-\d\d-\d\d)T", c.job.said(), re.M))
        if len(days) < 2:
            raise SystemExit("the clock did not jump: %r" % days)
        c.job.start(fail="store.apply:2", env=env).ends(-signal.SIGKILL)
        c.job.start(env=env).ends(0)
        c.finishes()


def reader_goes_away(d):
    """weir | head -1: a clean end, not a crash, and the reader has its line."""
    text = "SELECT id FROM inp;\n"
    path = os.path.join(d, "head.sql")
    with open(path, "w") as f:
        f.write(SQL.format(d=d, n="head").split("CREATE SINK")[0] + text)
    weir = subprocess.Popen([job.program(), "run", path, "-o", "ndjson"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            preexec_fn=proc._child(signal.SIGKILL))
    first = weir.stdout.readline()
    weir.stdout.close()
    said = weir.stderr.read()
    code = weir.wait(job.PATIENCE)
    if (first, code, "Broken pipe" in said or not said) != ("{\"id\":0}\n", code if code in (0, 1) else "0 or 1", True):
        raise SystemExit("weir | head -1: line %r, code %d, said %r" % (first, code, said))


def main():
    cases = [disk_full_or_broken, file_may_not_grow, directory_unusable, cut_off, foreign_directory, clock_jumps, reader_goes_away]
    chosen = [c for c in cases if len(sys.argv) < 2 or c.__name__ in sys.argv[1:]]
    with tempfile.TemporaryDirectory(prefix="weir-faults-") as d:
        with open(os.path.join(d, "in.ndjson"), "w") as f:
            for i in range(ROWS):
                f.write("{\"id\":%d,\"k\":\"k%d\",\"ts\":%d}\n" % (i, i % KEYS, 1764331200000 + i * 10))
        for case in chosen:
            began = time.monotonic()
            case(d)
            print("%5.1f s  %s" % (time.monotonic() - began, case.__name__), flush=True)


main()

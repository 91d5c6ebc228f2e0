"""real_poison.py: a record ends the process each time it is read: its last words name it, and the job goes on without it when its source is told to.
also: dev; needs: failpoints
"""
import os
import re
import signal
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import kafka
import once
import proc


def poison(k, d):
    """A record ends the process each time it is read: the last words say which, and the job goes on without it when its source is told to."""
    c = once.TopicCopy(k, d, "f_poison", partitions=1)
    with c.job:
        c.feed(20)
        c.job.every = "1 h"      # no checkpoint: each start begins anew
        c.job.rewrite("SET batch_rows = 1;\n" + c.sql)
        for _ in range(2):
            c.job.start(fail="source.poll:5:fault", env={"ASAN_OPTIONS": "handle_segv=0"})
            c.job.ends(-signal.SIGSEGV, "weir: ended by signal 11; the last record taken: skip = 'f_poison:0:")
        places = set(re.findall(r"skip = '(\S+)'", open(c.job.log).read()))
        if places != {"f_poison:0:4"}:
            raise SystemExit("the record: %r" % places)
        c.job.rewrite(c.sql.replace("discover =", "skip = 'f_poison:0:4', discover ="))
        c.given.remove(4)
        c.job.every = "100 ms"
        c.job.start()
        c.settles()
        if "(skipped, number 1) of inp at f_poison/0 offset 4" not in open(c.job.log).read():
            raise SystemExit("no word about the record that was left out\n" + proc.tail(c.job.log))


with kafka.shared() as k, tempfile.TemporaryDirectory(prefix="weir-poison-") as directory:
    once.run(poison, k, directory, shown=2)

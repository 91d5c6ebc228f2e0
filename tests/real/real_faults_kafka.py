"""real_faults_kafka.py: whole jobs and the faults of brokers and topics (tests/chaos/README.md has the list): each ends in the exact result, or in a
refusal that says what is wrong. also: dev
"""
import os
import re
import signal
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import job
import kafka
import once

Case = once.TopicCopy


def stopped_under_load(k, d):
    """SIGINT and SIGTERM in the middle of work: a last commit, exit code 0. A second signal does not wait for it."""
    c = Case(k, d, "f_stop")
    with c.job:
        for number in (signal.SIGINT, signal.SIGTERM) * 2:
            c.job.start()
            c.feed(3000)
            c.job.until_checkpoint(1)
            c.feed(3000)
            c.job.signal(number)
            c.job.ends(0)
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted())
        k.freeze()
        c.job.signal(signal.SIGTERM)                    # two of one kind could become one
        c.job.signal(signal.SIGINT)
        c.job.ends(130)
        k.thaw()
        c.job.start()
        c.settles()


def broker_frozen(k, d):
    """The broker stands still for longer than requests wait: what became of the transaction is asked, not guessed."""
    c = Case(k, d, "f_frozen", ms=1000, txn=10000)
    with c.job:
        c.job.start()
        c.feed(500)
        c.job.until_checkpoint()
        c.feed(500)
        k.freeze()
        c.job.until_says("kafka: sink \"out\": ")       # it gave the client up
        k.thaw()
        c.feed(500)
        c.settles()


def broker_down(k, d):
    """The broker is away for longer than a transaction may be open. Memory stays as it is; nothing has to be done when it is back."""
    c = Case(k, d, "f_down", ms=1000, txn=2000)
    with c.job:
        c.job.start()
        c.feed(5000)
        c.job.until_checkpoint(3)
        c.feed(500)
        k.stop_broker()
        rss, until = [], time.monotonic() + 8      # four times what a transaction may be open: the length of the fault, nothing is measured by it
        while time.monotonic() < until:
            rss.append(c.job.rss_kb())
            time.sleep(0.1)
        k.run()
        c.feed(500)
        c.job.until_holds(c.content, c.wanted())
        if max(rss) > rss[0] + 64 * 1024:
            raise SystemExit("memory grew from %d to %d KB while the broker was away" % (rss[0], max(rss)))
        c.settles()


def zombie(k, d):
    """A machine that slept: its job was started elsewhere from a copy of the directory; then it wakes up. It must stop with code 3, and show no row."""
    c = Case(k, d, "f_zombie")
    new = job.Job(d, "f_zombie2", c.sql)
    with c.job, new:
        c.job.start()
        c.feed(1000)
        c.job.until_holds(c.content, c.wanted()).until_checkpoint()
        c.job.signal(signal.SIGSTOP)
        c.job.copy_dir(new.dir)
        new.file = c.job.file
        c.feed(1000)
        new.start().until_holds(c.content, c.wanted())
        c.feed(1000)
        c.job.signal(signal.SIGCONT)
        c.job.ends(3, "another instance of the job has taken over sink \"out\"")
        c.settles(new)


def partition_added(k, d):
    """New partitions are found, while the job runs and while it does not, and read from their beginning."""
    c = Case(k, d, "f_parts", partitions=1)
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted())
        k.grow(c.topic, 2)
        c.feed(100, partition=1)
        c.job.until_holds(c.content, c.wanted())
        c.job.stop()
        k.grow(c.topic, 3)
        c.feed(100, partition=2)
        c.job.start()
        c.settles()


def topic_made_anew(k, d):
    """A topic that is gone, or is another one of the same name, is not read on as if nothing had happened."""
    c = Case(k, d, "f_anew", partitions=1)
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).until_checkpoint()
        k.delete(c.topic)
        c.job.ends(1, "topic \"f_anew\" is not there any more")
        k.create(c.topic, 1)
        c.job.start().ends(1, "should go on at offset 100", "the topic was deleted and made anew, or lost data")
        c.feed(200)                    # 100 to 299, where 0 to 99 stood
        c.job.start().ends(1, "topic \"f_anew\" partition 0 is not the one this job has read")
        if c.content() != [i for i in range(100) if i % 10]:
            raise SystemExit("rows of another topic")


def retention(k, d):
    """Records were deleted before they were read."""
    c = Case(k, d, "f_trim", partitions=1)
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        c.feed(100)
        k.trim(c.topic, 0, 150)
        c.job.start().ends(1, "should go on at offset 100", "partition 0, which holds 150 to 200", "deleted what was not yet read")
        k.trim(c.topic, 0, 200)
        c.job.start().ends(1, "which holds 200 to 200")


def group_forgotten(k, d):
    """The sink's group has expired, and with it which checkpoint the target has: no guess is made."""
    c = Case(k, d, "f_group")
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        with open(os.path.join(c.job.dir, "data.mdb"), "rb") as f:
            identity = re.search(rb"v\.identity([\w.]+-[0-9a-f]{12})", f.read()).group(1).decode()
        k.forget("weir.%s.out" % identity)
        c.job.start().ends(1, "sink \"out\" has checkpoint 0, and", "they do not belong together")


def twice(k, d):
    """A directory belongs to one running job."""
    c = Case(k, d, "f_twice")
    second = job.Job(d, "f_twice2", c.sql)
    second.dir = c.job.dir
    with c.job, second:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted())
        second.start().ends(3, "is in use by another process")
        c.feed(100)
        c.settles()


def changed_query(k, d):
    """A checkpoint is not used for another query: what differs is shown, and the first one goes on."""
    c = Case(k, d, "f_changed")
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        c.job.rewrite(c.sql.replace("% 10", "% 7"))
        c.job.start().ends(2, "belongs to another query", "% 7")
        c.job.rewrite(c.sql)
        c.feed(100)
        c.job.start()
        c.settles()


def monsters(k, d):
    """Records of megabytes, nested a hundred thousand deep, with a hundred thousand members: bad ones are counted, the rest goes on."""
    c = Case(k, d, "f_monsters", partitions=1)
    with c.job:
        c.job.start()
        c.feed(10)
        for text in ("{\"id\":1,\"x\":\"%s\"}" % ("y" * 5000000), "[" * 100000, "{\"id\":" + "{\"a\":" * 100000, "{\"id\":" + "9" * 500000 + "}"):
            k.produce(c.topic, [{"value": text}])
        members = ",".join("\"m%d\":%d" % (i, i) for i in range(50000))
        k.produce(c.topic, [{"value": "{%s,\"id\":%d}" % (members, len(c.given))}])   # large, and right
        c.given.append(len(c.given))
        c.feed(20)
        c.settles()
        if "4 bad rows were left out: depth 2, too_big 1, range 1" not in open(c.job.log).read():
            raise SystemExit("not four bad rows\n" + "\n".join(line[:200] for line in open(c.job.log) if "bad row" in line))


def main():
    cases = [monsters, stopped_under_load, zombie, partition_added, topic_made_anew, retention, group_forgotten, twice, changed_query, broker_frozen, broker_down]
    with kafka.Kafka() as k, tempfile.TemporaryDirectory(prefix="weir-faults-") as directory:
        for case in once.chosen(cases, sys.argv[1:]):
            once.run(case, k, directory, shown=2)


main()

"""real_eos_kafka.py: the Kafka sink is exactly once, on a real broker behind a bad network. also: dev; needs: failpoints

Each case drives one sink step by step (sinkdrv), hurts it at one place, starts it again as the engine would (recover, write what the answer says
is missing, commit) and looks at what a read_committed consumer gets.
"""
import json
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import kafka
import once
from once import check, run
import proc
import rig

LATENCY = os.environ.get("WEIR_EOS_LATENCY")


class World(once.Sinks):
    def __init__(self, k, proxy):
        self.k, self.proxy, self.n = k, proxy, 0

    def case(self, partitions=3, **config):
        """A topic and a job of its own for each case."""
        self.n += 1
        self.topic = "out%d" % self.n
        self.job = "job%d" % self.n
        self.k.create(self.topic, partitions, **config)

    def sink(self, *options, fail=None):
        return rig.Driver("kafka", "@job=" + self.job, "@key", "brokers=" + self.k.brokers, "topic=" + self.topic, *options, fail=fail)

    def keys(self, uncommitted=False):
        return sorted(r["key"] for r in self.k.consume(self.topic, uncommitted))


def steps(w):
    w.case()
    w.k.create("steps_in", 2)
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "0", "a new job")
        d.ok_all("write a 1", "write b 2")
        check(w.keys(), [], "before the commit")
        d.ok("commit 1 steps_in:0:7 steps_in:1:9 /some/file:0:5 elsewhere:0:1")
        check(w.keys(), ["a", "b"], "after the commit")
        d.ok_all("commit 2 steps_in:0:8 steps_in:1:9", "write c 3", "flush")
        check(w.keys(), ["a", "b"], "flush shows nothing")
        d.ok_all("commit 3 steps_in:0:8 steps_in:1:9", "close")
    group = "weir.%s.out" % w.job
    inputs, carrier = w.k.committed("steps_in", group), w.k.committed(w.topic, group)
    check({p: offset for p, (offset, _) in inputs.items()}, {0: 8, 1: 9}, "offsets of the input")
    check(list(carrier), [0], "the carrier")
    check({m for _, m in [*inputs.values(), *carrier.values()]}, {carrier[0][1]}, "one id on all partitions")
    check(carrier[0][1].split(";")[:2], ["w1", "3"], "the id")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "3", "the job as it was left")
        d.ok_all("write lost 1", "rows 50 lost")
        check(d.dies("crash"), -9, "kill")
    check(w.keys(), ["a", "b", "c"], "rows of a process that was killed")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "3", "after the kill")


def kill_at(w, point, ids):
    """Dies at one place of the second transaction."""
    w.case()
    with w.sink(fail=point) as d:
        d.ok_all("open", "recover", "write a 1", "commit 1")
        for line in ("write b 2", "write c 2"):
            d.tell(line)
        code = d.dies_within("commit 2")
    check(code, -9, point)
    if point == "sink.offsets:2":
        check((w.keys(), w.keys(uncommitted=True)), (["a"], ["a", "b", "c"]), "rows in the log, but in a transaction that nobody ended")
    w.resume(["b", "c"], ids)
    check(w.keys(), ["a", "b", "c", "last"], "rows after a kill at " + point)


def network_at(w, what, *options):
    """The second EndTxn (API key 26) meets the network."""
    w.case()
    with w.sink(*options) as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "write b 2")
        w.proxy.order("on 26 " + what)
        d.ok("commit 2")
        w.proxy.hit()
        check(w.keys(), ["a", "b"], "rows after " + what)
        d.ok_all("write c 3", "commit 3", "close")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "3", "checkpoint after " + what)
    check(w.keys(), ["a", "b", "c"], "rows after " + what)


def late_commit(w):
    """EndTxn is held; the sink gives it up, settles it with a new producer and commits again. The old one then arrives, in the middle of the next
    transaction, and must change nothing."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "write b 2")
        w.proxy.order("on 26 hold")
        d.ok("commit 2")
        w.proxy.hit()
        check(w.keys(), ["a", "b"], "rows with an EndTxn under way")
        d.ok_all("write c 3", "write d 3", "flush")
        w.proxy.order("release")
        check(w.keys(), ["a", "b"], "rows after the late EndTxn")
        d.ok_all("write e 3", "commit 3")
    check(w.keys(), ["a", "b", "c", "d", "e"], "rows at last")


def zombie_at(w, point):
    """One instance stops; another takes over; the first goes on and must find that it is fenced."""
    w.case()
    with w.sink(fail=point + ":2:stop") as old:
        old.ok_all("open", "recover", "write a 1", "commit 1")
        for line in ("write zombie1 2", "write zombie2 2", "commit 2"):
            old.tell(line)
        old.stopped()
        with w.sink() as new:
            new.ok("open")
            have = int(new.ok("recover"))
            check(have in (1, 2) if point == "sink.sent" else have == 1, True, "checkpoint seen by the second instance: %d" % have)
            if have == 1:
                new.ok_all("write b 2", "commit 2")
            new.ok_all("write c 3", "commit 3")
            old.go_on()
            said = old.answer()
            while said == "ok":
                said = old.answer() # of a row
            if have == 2: # its commit had arrived before it was stopped
                check(said.split()[0], "ok", "what the first instance says at " + point)
                said = old.ask("commit 3")
            check(said.split()[:2], ["error", "fenced"], "what the zombie says at " + point)
            new.ok_all("write d 4", "commit 4")
    rows = ["a", "c", "d"] + (["b"] if have == 1 else ["zombie1", "zombie2"])
    check(w.keys(), sorted(rows), "rows after a zombie at " + point)


def same_id_twice(w):
    """Two instances commit the same checkpoint id: the second may not take the first's for its own."""
    w.case()
    with w.sink(fail="sink.commit:2:stop") as old, w.sink() as new:
        old.ok_all("open", "recover", "write a 1", "commit 1", "write theirs 2")
        old.tell("commit 2")
        old.stopped()
        new.ok("open")
        check(new.ok("recover"), "1", "second instance")
        new.ok_all("write ours 2", "commit 2")
        old.go_on()
        check(old.answer().split()[:2], ["error", "fenced"], "the first")
    check(w.keys(), ["a", "ours"], "rows")


def one_of_two_survives(w):
    """The second instance has taken over but committed nothing yet when the first goes on: whichever wins, only one does."""
    w.case()
    with w.sink() as old, w.sink() as new:
        old.ok_all("open", "recover", "write a 1", "commit 1", "write b 2")
        new.ok_all("open")
        check(new.ok("recover"), "1", "second instance")
        first = old.ask("commit 2").split()[:2]
        new.ok("write b 2")
        second = new.ask("commit 2").split()[:2]
        check(sorted([first[0], second[0]]), ["error", "ok"], "one commits, the other does not")
        check(["error", "fenced"] in (first, second), True, "and knows why")
    check(w.keys(), ["a", "b"], "rows")


def ended_by_the_broker(w):
    """The broker ends a transaction that is open for too long; that looks like being fenced, and is not."""
    w.case()
    with w.sink("kafka.transaction.timeout.ms=1000", "kafka.socket.timeout.ms=900", fail="sink.commit:2:delay=4000") as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "write b 2", "commit 2", "write c 3", "commit 3")
    check(w.keys(), ["a", "b", "c"], "rows")


def too_much_to_keep(w):
    """The same, when the rows were let go: the engine is told to start again from its checkpoint."""
    w.case()
    with w.sink("kafka.transaction.timeout.ms=1000", "kafka.socket.timeout.ms=900", "transaction_buffer=100", fail="sink.commit:2:delay=4000") as d:
        d.ok_all("open", "recover", "rows 100 a", "commit 1", "rows 100 b")
        check(d.ask("commit 2").split()[:3], ["error", "limit", "retriable"], "the commit")
    check(len(w.keys()), 100, "rows before")
    w.resume(["b%d" % i for i in range(100)], [1])
    check(w.keys(), sorted(["a%d" % i for i in range(100)] + ["b%d" % i for i in range(100)] + ["last"]), "rows")


def broker_away(w, how):
    """The broker goes while rows wait, and comes back while commit is trying."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "rows 1000 b")
        how()
        d.tell("commit 2")
        w.k.run()
        check(d.answer().split()[0], "ok", "commit over a restart")
        d.ok_all("write c 3", "commit 3", "close")
    check(w.keys(), sorted(["a", "c"] + ["b%d" % i for i in range(1000)]), "rows")


def refused_records(w):
    """The topic takes no large records: they are bad rows, all others are committed, in one transaction."""
    w.case(max_message_bytes=2000)
    with w.sink("compression=none") as d:
        d.ok_all("open", "recover", "rows 200 a", "rows 2 large 3000", "rows 100 b", "commit 1")
        check(len(d.asides), 2, "bad rows")
        d.ok_all("rows 50 c", "commit 2", "close")
    check(w.keys(), sorted(["a%d" % i for i in range(200)] + ["b%d" % i for i in range(100)] + ["c%d" % i for i in range(50)]), "rows")


def letters(w):
    """on_error = 'dlq': refused records are in a topic of their own, each once for read_committed readers, in the transaction of the others."""
    w.case(max_message_bytes=2000)
    dlq = "letters%d" % w.n
    w.k.create(dlq, 1)
    how = ("compression=none", "on_error=dlq", "dlq_topic=" + dlq)
    said = lambda: [json.loads(r["value"]) for r in w.k.consume(dlq)]
    with w.sink(*how) as d:
        d.ok_all("open", "recover", "rows 20 a", "rows 2 large 3000", "rows 10 b", "commit 1")
        check([(r["topic"], r["reason"], r["partition"] in (0, 1, 2), "refuses a record of 3" in r["message"], len(bytes.fromhex(r["raw"][2:])) > 3000) for r in said()],
              [(w.topic, "sink", True, True, True)] * 2, "letters")
        check(sorted(r["key"].strip() for r in w.k.consume(dlq)), ["large0", "large1"], "their keys")
    with w.sink(*how, fail="sink.commit:1") as d:
        d.ok("open")
        check(d.ok("recover"), "1", "checkpoint")
        d.ok("rows 1 huge 3000")
        check(d.dies("commit 2"), -9, "kill")
    check(len(said()), 2, "letters of a transaction that was not committed")
    with w.sink(*how) as d:
        d.ok_all("open", "recover", "rows 1 huge 3000", "rows 1 vast 2000000", "rows 5 c", "commit 2", "commit 3", "close")
    check(sorted((r["key"] or "none").strip()[:5] for r in w.k.consume(dlq)), ["huge0", "large", "large", "none"], "keys of letters: one was too large")
    check(w.keys(), sorted(["a%d" % i for i in range(20)] + ["b%d" % i for i in range(10)] + ["c%d" % i for i in range(5)]), "rows")


def letters_loose(w):
    """The same at least once; and on_error = 'fail' ends the job."""
    w.case(max_message_bytes=2000)
    dlq = "letters%d" % w.n
    w.k.create(dlq, 1)
    with w.sink("@loose", "compression=none", "kafka.batch.num.messages=1", "on_error=dlq", "dlq_topic=" + dlq) as d:
        d.ok_all("open", "rows 20 a", "rows 2 large 3000", "flush", "rows 1 vast 2000000", "rows 10 b", "flush", "close")
        check(len(d.asides), 3, "bad rows: %r" % d.asides)
    check(sorted((r["key"] or "none").strip() for r in w.k.consume(dlq)), ["large0", "large1", "none"], "letters")
    check(w.keys(), sorted(["a%d" % i for i in range(20)] + ["b%d" % i for i in range(10)]), "rows")
    for more in ((), ("@loose",)):
        with w.sink(*more, "compression=none", "on_error=fail") as d:
            d.ok("open")
            if not more:
                d.ok("recover")
            d.tell("rows 1 large 3000")
            said = d.answer()
            while said.startswith("ok"):
                said = d.ask("flush" if more else "commit 1")
            check(said.split()[:3], ["error", "data", "final"], "what it says")
    with w.sink("on_error=dlq", "dlq_topic=nothere") as d:
        check("no topic \"nothere\"" in d.ask("open"), True, "a dlq_topic that is not there")


def topic_made_anew(w):
    """The target was replaced by an empty one: the sink says that it has nothing."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "close")
    w.k.delete(w.topic)
    w.k.create(w.topic, 1)
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "0", "checkpoint of a topic made anew")


def latency(w):
    """Not a test: figures (WEIR_EOS_LATENCY=N)."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover")
        for rows in (0, 1000, 20000):
            took = []
            for i in range(int(LATENCY)):
                if rows:
                    d.ok("rows %d x" % rows)
                w.n += 1
                took.append(int(d.ok("commit %d" % (len(took) + 1 if rows == 0 else w.n))) / 1000)
                w.proxy.order("delay 0")
            took.sort()
            print("kafka: commit after %d rows: median %.1f ms, 90%% %.1f ms, most %.1f ms"
                  % (rows, took[len(took) // 2], took[len(took) * 9 // 10], took[-1]))


def main():
    advertised, = proc.free_ports(1)
    port, = proc.free_ports(1)
    with rig.Proxy("kafka", port, advertised) as proxy, kafka.Kafka(port=port, advertised=advertised) as k:
        w = World(k, proxy)
        if LATENCY:
            latency(w)
            return
        run(steps, w)
        for point, ids in (("sink.begin:2", [1]), ("sink.rows:2", [1]), ("sink.rows:3", [1]), ("sink.offsets:2", [1]), ("sink.commit:2", [1]),
                           ("sink.sent:2", [1, 2]), ("sink.committed:2", [2])):
            run(kill_at, w, point, ids)
        run(network_at, w, "lose")
        run(network_at, w, "cut")
        run(network_at, w, "mute")
        run(late_commit, w)
        for point in ("sink.rows", "sink.offsets", "sink.commit", "sink.sent"):
            run(zombie_at, w, point)
        run(same_id_twice, w)
        run(one_of_two_survives, w)
        run(ended_by_the_broker, w)
        run(too_much_to_keep, w)
        run(refused_records, w)
        run(letters, w)
        run(letters_loose, w)
        run(topic_made_anew, w)
        run(broker_away, w, k.stop_broker)
        run(broker_away, w, k.crash)


main()

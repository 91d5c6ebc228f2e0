"""real_eos_postgres.py: the PostgreSQL sink is exactly once, on a real server behind a bad network. also: dev; needs: failpoints

Each case drives one sink step by step (sinkdrv), hurts it at one place, starts it again as the engine would (recover, write what the answer says
is missing, commit) and looks at the table. Tables are appended to, without a key: any row written twice or never shows.
"""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import postgres
import once
from once import check, run
import rig

LATENCY = os.environ.get("WEIR_EOS_LATENCY")


class World(once.Sinks):
    def __init__(self, pg, proxy):
        self.pg, self.proxy, self.n = pg, proxy, 0
        self.url = pg.url_of("weir", port=proxy.port)

    def case(self, columns="k text, v bigint"):
        """A table and a job of its own for each case."""
        self.n += 1
        self.table = "out%d" % self.n
        self.job = "job%d" % self.n
        self.pg.sql("create table %s (%s)" % (self.table, columns))

    def sink(self, *options, fail=None, url=None):
        return rig.Driver("postgres", "@job=" + self.job, "url=" + (url or self.url), "table=" + self.table, *options, fail=fail)

    def keys(self):
        return [r["k"] for r in self.pg.rows("select k from %s order by k collate \"C\"" % self.table)]

    def job_row(self):
        row, = self.pg.rows("select epoch, checkpoint_id from weir.job where id = '%s.out'" % self.job)
        return int(row["epoch"]), int(row["checkpoint_id"])


def steps(w):
    w.case()
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "0", "a new job")
        d.ok_all("write a 1", "write b 2", "flush")
        check(w.keys(), [], "before the commit")
        d.ok("commit 1 in:0:7 in:1:9 /a/file,\"odd\":0:5")
        check(w.keys(), ["a", "b"], "after the commit")
        d.ok_all("commit 2 in:0:8 in:1:9", "write c 3", "commit 3 in:0:8 in:1:9", "close")
    check(w.pg.rows("select topic, partition, next_offset from weir.part where job = '%s.out' order by 1 desc, 2" % w.job),
          [{"topic": "in", "partition": "0", "next_offset": "8"}, {"topic": "in", "partition": "1", "next_offset": "9"},
           {"topic": "/a/file,\"odd\"", "partition": "0", "next_offset": "5"}], "positions for observers")
    check(w.job_row(), (1, 3), "the job's row")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "3", "the job as it was left")
        d.ok_all("write lost 1", "rows 50 lost")
        check(d.dies("crash"), -9, "kill")
    check(w.keys(), ["a", "b", "c"], "rows of a process that was killed")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "3", "after the kill")
    check(w.job_row(), (3, 3), "the job's row")


def by_key(w):
    """Upserts and deletes of one checkpoint are folded; those of several segments keep their order."""
    w.case("k text primary key, v bigint")
    with w.sink("@key", "@updating", "primary_key=k") as d:
        d.ok_all("open", "recover", "write a 1", "write b 1", "write a 2", "delete b", "write c 3", "commit 1")
        check(w.pg.rows("select * from %s order by k" % w.table), [{"k": "a", "v": "2"}, {"k": "c", "v": "3"}], "one checkpoint")
        d.ok_all("write a 9", "rows 60000 x", "write a 5", "delete x7", "delete c", "rows 60000 y", "delete a", "write c 4", "commit 2")
    check(w.pg.rows("select count(*) n, count(*) filter (where k like 'x%%') x from %s" % w.table), [{"n": "120000", "x": "59999"}], "many rows")
    check(w.pg.rows("select * from %s where k in ('a', 'c', 'x7')" % w.table), [{"k": "c", "v": "4"}], "last changes")


def kill_at(w, point, ids):
    """Dies at one place of the second transaction."""
    w.case()
    with w.sink(fail=point) as d:
        d.ok_all("open", "recover", "write a 1", "commit 1")
        for line in ("write b 2", "write c 2"):
            d.tell(line)
        check(d.dies_within("commit 2"), -9, point)
    w.resume(["b", "c"], ids)
    check(w.keys(), ["a", "b", "c", "last"], "rows after a kill at " + point)


def network_at(w, label, what, hit=True):
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "write b 2")
        w.proxy.order("on %s %s" % (label, what))
        d.ok("commit 2")
        check(w.proxy.hit().split()[0], "hit", what)
        check(w.keys(), ["a", "b"], "rows after %s at %s" % (what, label))
        if what == "hold":
            w.proxy.order("release")
        d.ok_all("write c 3", "commit 3", "close")
    check(w.job_row(), (1, 3), "no new epoch was needed")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "3", "checkpoint after %s at %s" % (what, label))
    check(w.keys(), ["a", "b", "c"], "rows after %s at %s" % (what, label))


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
                said = old.answer()     # of a row
            check(said.split()[:2], ["error", "fenced"] if have == 1 else said.split()[:2], "what the first instance says at " + point)
            if have == 2 and said.startswith("ok"):     # its commit had arrived before it was stopped
                old.ok("write zombie3 3")
                check(old.ask("commit 3").split()[:2], ["error", "fenced"], "its next commit")
            new.ok_all("write d 4", "commit 4")
    rows = ["a", "c", "d"] + (["b"] if have == 1 else ["zombie1", "zombie2"])
    check(w.keys(), sorted(rows), "rows after a zombie at " + point)
    check(w.job_row(), (2, 4), "the job's row")


def newest_wins(w):
    """The second instance has committed nothing yet when the first goes on."""
    w.case()
    with w.sink() as old, w.sink() as new:
        old.ok_all("open", "recover", "write a 1", "commit 1", "write theirs 2")
        new.ok("open")
        check(new.ok("recover"), "1", "second instance")
        check(old.ask("commit 2").split()[:2], ["error", "fenced"], "the first")
        new.ok_all("write ours 2", "commit 2")
    check(w.keys(), ["a", "ours"], "rows")


def epoch_alone(w):
    """Another instance whose sessions could not end ours: the epoch is enough."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "write b 2")
        w.pg.sql("update weir.job set epoch = epoch + 1 where id = '%s.out'" % w.job)
        check(d.ask("commit 2").split()[:2], ["error", "fenced"], "the commit")
    check(w.keys(), ["a"], "rows")


def streamed(w, cut):
    """More rows than wait in memory: they are sent into the open transaction before the checkpoint; a cut there, or at the end, loses none."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "rows 60000 b")
        check(w.pg.value("select count(*) from pg_stat_activity where state = 'idle in transaction' and datname = 'weir'"), "1", "sent ahead")
        if cut:
            w.proxy.order("cut")
        d.ok("rows 60000 c")
        if cut:
            w.proxy.order("cut")
        d.ok("commit 2")
    check(w.pg.rows("select left(k, 1) k, count(*) n, count(distinct k) d from %s group by 1 order by 1" % w.table),
          [{"k": "a", "n": "1", "d": "1"}, {"k": "b", "n": "60000", "d": "60000"}, {"k": "c", "n": "60000", "d": "60000"}], "rows")


def too_much_to_keep(w):
    w.case()
    with w.sink("transaction_buffer=1000") as d:
        d.ok_all("open", "recover", "rows 60000 a", "commit 1", "rows 60000 b")
        w.proxy.order("cut")
        check(d.ask("commit 2").split()[:3], ["error", "limit", "retriable"], "the commit")
    with w.sink() as d:
        d.ok("open")
        check(d.ok("recover"), "1", "checkpoint")
    check(w.pg.value("select count(*) from %s" % w.table), "60000", "rows")


def server_away(w, how):
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "rows 1000 b")
        how()
        d.tell("commit 2")
        w.pg.run()
        check(d.answer().split()[0], "ok", "commit over a restart")
        d.ok_all("write c 3", "commit 3", "close")
    check(w.keys(), sorted(["a", "c"] + ["b%d" % i for i in range(1000)]), "rows")


def refused_rows(w):
    """Rows against a constraint are bad, once, also when the transaction has to be written twice; all others are there."""
    w.case("k text check (k <> 'bad' and length(k) < 20), v bigint not null")
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "write bad 1", "rows 100 b", "write c null", "rows 1 %s" % ("x" * 30), "write d 1")
        w.proxy.order("on COMMIT cut")
        d.ok("commit 1")
        w.proxy.hit()
        check(len(d.asides), 3, "bad rows: %r" % d.asides)
    check(w.keys(), sorted(["a", "d"] + ["b%d" % i for i in range(100)]), "rows")


def letters(w, *options):
    """on_error = 'dlq': refused rows are in a table of their own, each once, in the transaction of the others: also when that was lost, or written by another process."""
    w.case("k text check (k <> 'bad'), v bigint not null")
    dlq = "letters%d" % w.n
    how = ("on_error=dlq", "dlq_table=" + dlq) + options
    said = lambda: w.pg.rows("select convert_from(raw, 'UTF8') as raw, topic, reason, \"column\" as col, partition, message from %s order by raw" % dlq)
    with w.sink(*how) as d:
        d.ok_all("open", "recover", "write a 1", "write bad 1", "write %% 2", "commit 1")
        row = lambda raw, col, message: {"raw": raw, "topic": w.table, "reason": "sink", "col": col, "partition": None, "message": message}
        first = [row('{"k":"a\\u0000b","v":2}', "k", "text of PostgreSQL cannot hold a NUL byte"),
                 row('{"k":"bad","v":1}', None, said()[1]["message"])]
        check(said(), first, "letters")
        check("violates check constraint" in first[1]["message"], True, "message %r" % first[1]["message"])
        d.ok_all("write c null", "write d 1")
        w.proxy.order("on COMMIT cut")
        d.ok("commit 2")
        w.proxy.hit()
        check([r["raw"] for r in said()], ['{"k":"a\\u0000b","v":2}', '{"k":"bad","v":1}', '{"k":"c","v":null}'], "letters after a lost commit")
        check(len(d.asides), 3, "bad rows: %r" % d.asides)
    with w.sink(*how, fail="sink.commit:1") as d:
        d.ok("open")
        check(d.ok("recover"), "2", "checkpoint")
        d.ok_all("write bad 3", "write e 1")
        check(d.dies("commit 3"), -9, "kill")
    check(len(said()), 3, "letters of a transaction that was not committed")
    with w.sink(*how) as d:
        d.ok_all("open", "recover", "write bad 3", "write e 1", "commit 3", "commit 4", "close")
    check([r["raw"] for r in said()][1:3], ['{"k":"bad","v":1}', '{"k":"bad","v":3}'], "letters")
    check((len(said()), w.keys()), (4, ["a", "d", "e"]), "letters, rows")


def letters_loose(w):
    """The same at least once; and on_error = 'fail' ends the job before anything of the transaction is there."""
    w.case("k text check (k <> 'bad'), v bigint not null")
    dlq = "letters%d" % w.n
    with w.sink("@loose", "on_error=dlq", "dlq_table=" + dlq) as d:
        d.ok_all("open", "write a 1", "write bad 1", "write %% 2", "flush", "write %% 3", "flush", "write b 1", "flush", "close")
        check(len(d.asides), 3, "bad rows: %r" % d.asides)
    check([r["n"] for r in w.pg.rows("select count(*) as n from %s where reason = 'sink'" % dlq)], ["3"], "letters")
    check(w.keys(), ["a", "b"], "rows")
    for more in ((), ("@loose",)):
        with w.sink(*more, "on_error=fail") as d:
            d.ok("open")
            if not more:
                d.ok("recover")
            d.ok_all("write c 1", "write bad 1")
            check(d.ask("flush" if more else "commit 1").split()[:3], ["error", "data", "final"], "what it says")
    check(w.keys(), ["a", "b"], "rows after on_error = 'fail'")
    with w.sink("on_error=dlq") as d:
        check("does not say where to" in d.ask("open"), True, "dlq without a table")


def database_went_back(w):
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover", "write a 1", "commit 1", "write b 2", "commit 2", "write c 3")
        w.pg.sql("update weir.job set checkpoint_id = 1 where id = '%s.out'" % w.job)
        said = d.ask("commit 3")
        check((said.split()[:3], "went back in time" in said), (["error", "io", "final"], True), "the commit says %r" % said)
    check(w.keys(), ["a", "b"], "rows")


def rights(w):
    """Who may not make schema weir is told which GRANT is missing; with the schema and the grants of the hint all goes well."""
    w.case()
    admin = postgres.Client(w.pg.url_of("postgres"))
    admin.sql("create database bare; revoke create on database bare from public; create role plain login")
    bare = postgres.Client(admin.url.replace("/weir", "/bare"))
    bare.sql("create table t (k text, v bigint); grant select, insert, update, delete on t to plain")
    url = w.url.replace("weir@", "plain@").replace("/weir", "/bare")
    table, w.table = w.table, "t"
    with w.sink(url=url) as d:
        d.ok("open")
        said = d.ask("recover")
        check(("final" in said, "weir.job" in said, "42501" in said), (True, True, True), "recover says %r" % said)
    bare.sql("create schema weir; create table weir.job (id text primary key, epoch bigint not null, checkpoint_id bigint not null, plan_hash text,"
             " updated timestamptz not null default now()); create table weir.part (job text, topic text, partition int,"
             " next_offset bigint not null, primary key (job, topic, partition));"
             "grant usage on schema weir to plain; grant select, insert, update on weir.job, weir.part to plain")
    with w.sink(url=url) as d:
        d.ok_all("open", "recover", "write a 1", "commit 1 in:0:1")
    check(bare.rows("select * from t"), [{"k": "a", "v": "1"}], "rows")
    w.table = table


def latency(w):
    """Not a test: figures (WEIR_EOS_LATENCY=N)."""
    w.case()
    with w.sink() as d:
        d.ok_all("open", "recover")
        n = 0
        for rows in (0, 1000, 20000):
            took = []
            for _ in range(int(LATENCY)):
                n += 1
                if rows:
                    d.ok("rows %d x" % rows)
                took.append(int(d.ok("commit %d in:0:%d" % (n, n))) / 1000)
            took.sort()
            print("postgres: commit of %d rows: median %.1f ms, 90%% %.1f ms, most %.1f ms"
                  % (rows, took[len(took) // 2], took[len(took) * 9 // 10], took[-1]))


def main():
    with postgres.Postgres({"fsync": "on"} if LATENCY else None) as pg, rig.Proxy("pg", pg.port) as proxy:
        w = World(pg, proxy)
        if LATENCY:
            latency(w)
            return
        run(steps, w)
        run(by_key, w)
        for point, ids in (("sink.begin:2", [1]), ("sink.rows:2", [1]), ("sink.offsets:2", [1]), ("sink.commit:2", [1]), ("sink.sent:2", [1, 2]),
                           ("sink.committed:2", [2])):
            run(kill_at, w, point, ids)
        for label in ("BEGIN", "INSERT", "UPDATE", "COMMIT"):
            run(network_at, w, label, "cut")
            run(network_at, w, label, "lose")
        run(network_at, w, "COMMIT", "mute")
        run(network_at, w, "COMMIT", "hold")
        for point in ("sink.begin", "sink.rows", "sink.offsets", "sink.commit", "sink.sent"):
            run(zombie_at, w, point)
        run(newest_wins, w)
        run(epoch_alone, w)
        run(streamed, w, False)
        run(streamed, w, True)
        run(too_much_to_keep, w)
        run(refused_rows, w)
        run(letters, w)
        run(letters, w, "batch_rows=1")
        run(letters_loose, w)
        run(database_went_back, w)
        run(rights, w)
        run(server_away, w, pg.stop_server)
        run(server_away, w, pg.crash)


main()

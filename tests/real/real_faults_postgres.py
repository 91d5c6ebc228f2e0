"""real_faults_postgres.py: whole jobs and the faults of databases (tests/chaos/README.md has the list): each ends in the exact result, or in a
refusal that says what is wrong. Rows are appended, without a key: any row written twice or never shows. also: dev
"""
import os
import signal
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import job
import kafka
import once
import postgres
import proc

SQL = """CREATE SOURCE inp (id BIGINT NOT NULL, t TEXT) WITH (connector = 'kafka', brokers = '{b}', topic = '{t}', format = 'json', start = 'earliest');
CREATE SINK out WITH (connector = 'postgres', url = '{url}', table = '{t}');
INSERT INTO out SELECT id, t FROM inp WHERE id % 10 <> 0;
"""


class Case(once.Copying):
    """A topic, a table, a job that fills it."""

    def __init__(self, k, pg, directory, name, columns="id bigint, t text"):
        self.k, self.pg, self.table, self.given = k, pg, name, []
        k.create(name, 2)
        pg.sql("create table %s (%s)" % (name, columns))
        self.sql = SQL.format(b=k.brokers, t=name, url=pg.url)
        self.job = job.Job(directory, name, self.sql)

    def feed(self, n, text="x"):
        more = list(range(len(self.given), len(self.given) + n))
        self.given += more
        self.k.produce(self.table, [{"value": "{\"id\":%d,\"t\":\"%s\"}" % (i, text)} for i in more])

    def content(self):
        return [int(r["id"]) for r in self.pg.rows("select id from %s order by id" % self.table)]


def zombie(k, pg, d):
    """A machine that slept: its job was started elsewhere from a copy of the directory; then it wakes up. It must stop with code 3, and show no row."""
    c = Case(k, pg, d, "f_zombie")
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


def table_changed(k, pg, d):
    """The table is dropped, or its column gets a type that does not fit: the job stops and names it; when it is put right it goes on."""
    c = Case(k, pg, d, "f_ddl")
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).until_checkpoint()
        pg.sql("alter table f_ddl rename to f_away")
        c.feed(100)
        c.job.ends(1, "f_ddl")
        c.job.start().ends(1, "f_ddl")
        pg.sql("alter table f_away rename to f_ddl")
        c.job.start().until_holds(c.content, c.wanted()).until_checkpoint()
        pg.sql("alter table f_ddl alter column t type int using 1")
        c.feed(100)
        c.job.ends(1, "f_ddl")
        pg.sql("alter table f_ddl alter column t type text")
        c.job.start()
        c.settles()


def lock_held(k, pg, d):
    """Somebody holds a lock on the table: the job waits, its memory does not grow, and it goes on when the lock is gone."""
    c = Case(k, pg, d, "f_lock")
    with c.job:
        c.job.start()
        c.feed(2000)
        c.job.until_holds(c.content, c.wanted())
        holder = subprocess.Popen([os.path.join(postgres.bin_dir(), "psql"), "-qX", pg.url], stdin=subprocess.PIPE, text=True,
                                  preexec_fn=proc._child(signal.SIGKILL))
        holder.stdin.write("begin; lock table f_lock in exclusive mode;\n")
        holder.stdin.flush()
        proc.wait_until(lambda: pg.value("select count(*) from pg_locks where relation = 'f_lock'::regclass and mode = 'ExclusiveLock'") == "1", "lock", 30)
        before = c.job.rss_kb()
        for _ in range(10):
            c.feed(5000, text="x" * 200)
        waiting = "select count(*) from pg_locks where relation = 'f_lock'::regclass and not granted"
        c.job.until(lambda: pg.value(waiting) == "1", "waits for the lock")
        after = c.job.rss_kb()
        holder.stdin.write("rollback;\n")
        holder.stdin.close()
        holder.wait(30)
        c.settles()
        if after > before + 128 * 1024:
            raise SystemExit("memory grew from %d to %d KB while the table was locked" % (before, after))


def another_table(k, pg, d):
    """The file names another table now: half of the rows would be there, half here."""
    c = Case(k, pg, d, "f_first")
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        pg.sql("create table f_second (id bigint, t text)")
        c.job.rewrite(c.sql.replace("table = 'f_first'", "table = 'f_second'"))
        c.job.start().ends(2, "belongs to another query", "table = 'f_first'", "table = 'f_second'")
        c.job.rewrite(c.sql)
        c.feed(100)
        c.job.start()
        c.settles()


def older_database(k, pg, d):
    """The database was put back to an older state, as by a restored backup or a failover to a replica that lagged."""
    c = Case(k, pg, d, "f_older")
    with c.job:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        pg.sql("create table older_rows as select * from f_older; create table older_job as select * from weir.job")
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        pg.sql("create table newer_rows as select * from f_older; create table newer_job as select * from weir.job")

        def put(which):
            pg.sql("truncate f_older, weir.job; insert into f_older select * from %s_rows; insert into weir.job select * from %s_job" % (which, which))
        put("older")
        c.job.start().ends(1, "sink \"out\" has checkpoint", "they do not belong together")
        put("newer")
        c.job.start()
        c.settles()


def older_directory(k, pg, d):
    """The checkpoint directory was put back to an older state: the other way round."""
    c = Case(k, pg, d, "f_copy")
    old = job.Job(d, "f_copy2", c.sql)
    with c.job, old:
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).stop()
        c.job.copy_dir(old.dir)
        old.file = c.job.file
        c.job.start()
        c.feed(100)
        c.job.until_holds(c.content, c.wanted()).until_checkpoint().stop()
        old.start().ends(1, "sink \"out\" has checkpoint", "they do not belong together")
        c.job.start()
        c.settles()


def refused_rows(k, pg, d):
    """Rows against a constraint are left out and named, once; all others are there; a kill in between changes nothing."""
    c = Case(k, pg, d, "f_bad", "id bigint check (id % 7 <> 0), t text")
    with c.job:
        for _ in range(3):
            c.job.start()
            c.feed(200)
            c.job.until_checkpoint(1).kill()
        c.job.start()
        c.job.until_holds(c.content, [i for i in c.wanted() if i % 7])
        if "f_bad" not in open(c.job.log).read():
            raise SystemExit("no word about the refused rows")
        c.job.stop()


def crashes(k, pg, d):
    """The server stops and crashes under load, again and again."""
    c = Case(k, pg, d, "f_crash")
    with c.job:
        c.job.start()
        for how in (pg.crash, pg.stop_server, pg.crash):
            c.feed(1000)
            c.job.until_checkpoint(1)
            c.feed(1000)
            how()
            c.feed(1000)
            pg.run()
        c.settles()


def main():
    cases = [zombie, table_changed, another_table, lock_held, older_database, older_directory, refused_rows, crashes]
    with kafka.shared() as k, postgres.Postgres() as pg, tempfile.TemporaryDirectory(prefix="weir-faults-") as directory:
        for case in once.chosen(cases, sys.argv[1:]):
            once.run(case, k, pg, directory, shown=3)


main()

"""real_fixtures.py: the fixtures and ktool do what the other tests rely on."""
import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import kafka
import postgres
import proc


def check(got, wanted, what):
    if got != wanted:
        raise SystemExit("%s:\n  got    %r\n  wanted %r" % (what, got, wanted))


def kafka_keeps_what_it_was_given(k):
    k.create("f_plain", 3)
    k.produce("f_plain", [
        {"value": "{\"a\":1}", "key": "k", "partition": 2, "timestamp": 1234567, "headers": {"h": "x"}},
        {"value": None, "key": "k", "partition": 2, "timestamp": 5},
        {"value": b"\xff\x00a", "partition": 0, "timestamp": 6},
    ], codec="gzip")
    k.produce_lines("f_plain", "one\ntwo\n", partition=1, codec="zstd")
    got = sorted(k.consume("f_plain"), key=lambda r: (r["partition"], r["offset"]))
    for record in got:
        if record["partition"] == 1:
            del record["timestamp"]
    check(got, [
        {"partition": 0, "offset": 0, "timestamp": 6, "key": None, "value_hex": "ff0061"},
        {"partition": 1, "offset": 0, "key": None, "value": "one"},
        {"partition": 1, "offset": 1, "key": None, "value": "two"},
        {"partition": 2, "offset": 0, "timestamp": 1234567, "key": "k", "value": "{\"a\":1}", "headers": {"h": "x"}},
        {"partition": 2, "offset": 1, "timestamp": 5, "key": "k", "value": None},
    ], "records")
    check(k.ends("f_plain"), {0: (0, 1), 1: (0, 2), 2: (0, 2)}, "ends")


def kafka_hides_an_aborted_transaction(k):
    k.create("f_txn", 1)
    k.produce("f_txn", [{"value": "aborted"}], transaction="f", abort=True)
    k.produce("f_txn", [{"value": "committed"}], transaction="f")
    check([r["value"] for r in k.consume("f_txn")], ["committed"], "read committed")
    check([r["value"] for r in k.consume("f_txn", uncommitted=True)], ["aborted", "committed"], "read uncommitted")


def kafka_survives_a_crash(k):
    before = k.consume("f_txn")
    k.crash()
    k.run()
    check(k.consume("f_txn"), before, "after kill -9")
    k.stop_broker()
    k.run()
    check(k.consume("f_txn"), before, "after a clean stop")


def postgres_survives_a_crash(pg):
    pg.sql("create table f (x int, y text); insert into f values (1, null), (2, 'é')")
    wanted = [{"x": "1", "y": None}, {"x": "2", "y": "é"}]
    check(pg.rows("select * from f order by x"), wanted, "rows")
    pg.crash()
    pg.run()
    check(pg.rows("select * from f order by x"), wanted, "rows after an immediate shutdown")
    pg.stop_server()
    pg.run()
    check(pg.value("select count(*) from f"), "2", "count after a fast shutdown")


def postgres_asks_for_the_password(pg):
    right = postgres.Client(pg.url_of(postgres.PASSWORD_USER, postgres.PASSWORD))
    check(right.value("select current_user"), postgres.PASSWORD_USER, "user")
    for password in (None, "wrong"):
        try:
            postgres.Client(pg.url_of(postgres.PASSWORD_USER, password)).value("select 1")
        except proc.FixtureError:
            continue
        raise SystemExit("let in with password %r" % password)


def main():
    with kafka.Kafka() as k, postgres.Postgres() as pg:
        directories = [k.dir, pg.dir]
        children = [k.child, pg.child]
        kafka_keeps_what_it_was_given(k)
        kafka_hides_an_aborted_transaction(k)
        kafka_survives_a_crash(k)
        postgres_survives_a_crash(pg)
        postgres_asks_for_the_password(pg)
        children += [k.child, pg.child]
    check([os.path.exists(d) for d in directories], [False, False], "temporary directories left behind")
    check([c.poll() is None for c in children], [False] * 4, "processes left behind")


main()

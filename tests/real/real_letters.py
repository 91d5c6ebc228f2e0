"""real_letters.py: rows that PostgreSQL refuses, as a server's user sees them: in the table of dead letters, in weir.errors and in \\why. also: dev"""
import json
import os
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
from once import check
import postgres
import served

SQL = """CREATE SOURCE s (k TEXT, v BIGINT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');
CREATE SINK totals WITH (connector = 'postgres', url = '%s', table = 'letters_totals', primary_key = 'k', on_error = 'dlq', dlq_table = 'letters_refused');
INSERT INTO totals SELECT k, sum(v) AS v FROM s GROUP BY k;
"""


def main():
    with tempfile.TemporaryDirectory(prefix="weir-letters-") as d, postgres.shared() as pg:
        pg.sql("create table letters_totals (k text primary key, v bigint check (v < 100))")
        source = os.path.join(d, "in")
        with open(source, "w") as f:
            for k, v in (("a", 1), ("b", 70), ("b", 70), ("c", 3)):
                f.write(json.dumps({"k": k, "v": v}) + "\n")
        s = served.Server(os.path.join(d, "data"), "--allow-files", d)
        check(s.ask("POST", "/jobs", {"name": "j", "sql": SQL % (source, pg.url)})[0], 201, "submit")
        s.until("j", "has a bad row and a checkpoint", lambda _: pg.value("select to_regclass('letters_refused') is not null") == "t"
                and pg.value("select count(*) from letters_refused") == "1")
        check(pg.rows("select k, v from letters_totals order by k"), [{"k": "a", "v": "1"}, {"k": "c", "v": "3"}], "rows")
        check(pg.rows("select convert_from(raw, 'UTF8') as raw, topic, reason from letters_refused"),
              [{"raw": '{"k":"b","v":140}', "topic": "letters_totals", "reason": "sink"}], "letters")
        check(s.sql("SELECT job, source, topic, reason, raw FROM weir.errors"),
              [{"job": "j", "source": "totals", "topic": "letters_totals", "reason": "sink", "raw": '{"k":"b","v":140}'}], "weir.errors")
        why = s.ask("GET", "/jobs/j/why")[1]["text"]
        check("bad rows, sink: 1" in why, True, "why says %r" % why)
        check(s.stop(), 0, "the server")


main()

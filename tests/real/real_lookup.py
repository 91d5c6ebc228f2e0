"""real_lookup.py: rows joined with tables of a real PostgreSQL by key: one and several keys, NULLs, answers remembered, what is wrong is named;
several questions on their way at once, in as few round trips as there are batches, and again after a lost connection.
also: dev"""
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import postgres
import proc
from run_weir import check, fails

SETUP = """
create schema lk;
create table lk.products (id bigint primary key, name text, price numeric(10,2), since timestamp);
insert into lk.products values (1, 'pen "x", {\\y}', 1.50, '2025-01-01 00:00:00.25'), (2, 'cup', null, null);
create table lk.tags (id int, k text, tag text);
create table lk.many (id bigint primary key, v text);
insert into lk.many select i, 'v' || i from generate_series(1, 1999, 2) as i;
insert into lk.tags values (1, 'a', 't1'), (1, 'a', 't2'), (2, 'b', 't3'), (2, null, 't4');
"""
ROWS = [(1, "a"), (2, "b"), (None, "a"), (3, "c"), (1, "b"), (1, "a"), (2, None)]


def head(url, path):
    at = "WITH (connector = 'postgres', url = '%s', table = 'lk.%s'%s);\n"
    return ("CREATE SOURCE o (id BIGINT, p BIGINT, k TEXT) WITH (connector = 'file', path = '%s', format = 'json');\n" % path
            + "CREATE TABLE products (id BIGINT, name TEXT, price DECIMAL(10,2), since TIMESTAMP, PRIMARY KEY (id) NOT ENFORCED) " + at % (url, "products", "")
            + "CREATE TABLE tags (id BIGINT, k TEXT, tag TEXT) " + at % (url, "tags", ", cache_rows = 2")
            + "CREATE TABLE gone (id BIGINT) " + at % (url, "gone", "") + "CREATE TABLE wrong (id BIGINT, nme TEXT) " + at % (url, "products", ""))


def rows(text):
    return [json.loads(line) for line in text.splitlines() if line.startswith("{")]


def run(sql):
    with tempfile.NamedTemporaryFile("w", suffix=".sql", delete=False) as f:
        f.write(sql)
    try:
        p = subprocess.run([os.environ["WEIR"], "run", f.name, "-o", "ndjson"], capture_output=True, text=True, timeout=120)
    finally:
        os.unlink(f.name)
    if p.returncode:
        raise AssertionError(p.stderr)
    return rows(p.stdout)


def one_key(start):
    got = run(start + "SELECT o.id, p.name, p.price, p.since FROM o LEFT JOIN products FOR SYSTEM_TIME AS OF proctime() AS p ON p.id = o.p;")
    pen, cup, none = ('pen "x", {\\y}', 1.5, "2025-01-01T00:00:00.250Z"), ("cup", None, None), (None, None, None)
    want = [dict(zip(("id", "name", "price", "since"), (i,) + t)) for i, t in enumerate([pen, cup, none, none, pen, pen, cup])]
    check(got, want, "left")
    got = run(start + "SELECT o.id FROM o JOIN products FOR SYSTEM_TIME AS OF now() ON o.p = products.id AND price > 1;")
    check([r["id"] for r in got], [0, 4, 5], "inner with a condition")
    got = run(start + "SELECT p.name, count(*) AS n FROM o JOIN products FOR SYSTEM_TIME AS OF proctime() AS p ON o.p - 1 = p.id GROUP BY p.name;")
    last = {r["name"]: r["n"] for r in got if r.get("op", "+I")[0] == "+"}
    check(last, {'pen "x", {\\y}': 2, "cup": 1}, "a computed key")


def several_keys(start):
    for batch, tasks in (1, 1), (3, 1), (1024, 3):
        got = run("SET batch_rows = %d; SET parallelism = %d;\n" % (batch, tasks) + start
                  + "SELECT o.id, t.tag FROM o LEFT JOIN tags FOR SYSTEM_TIME AS OF proctime() AS t ON t.id = o.p AND t.k = o.k;")
        check(sorted((r["id"], r["tag"] or "") for r in got),
              [(0, "t1"), (0, "t2"), (1, "t3"), (2, ""), (3, ""), (4, ""), (5, "t1"), (5, "t2"), (6, "")], "two keys, batches of %d" % batch)


class Gate:
    """A TCP proxy before the server: counts questions, and how many are open at once. Answers are held back until two questions are open (or it has
    been seen that they are not: after a second). cut: the connection of that question is closed in its place; 0: none."""

    def __init__(self, url, cut=0):
        at = urllib.parse.urlparse(url)
        self.server, self.cut = (at.hostname, at.port), cut
        self.questions = self.open = self.most = 0
        self.turn = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = at._replace(netloc=at.netloc.rsplit(":", 1)[0] + ":%d" % self.listener.getsockname()[1]).geturl()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(self.server)
            asked = [0]
            for work in (self.to_server, self.to_client):
                threading.Thread(target=work, args=(client, server, asked), daemon=True).start()

    def piece(self, s, n):
        got = b""
        while len(got) < n:
            more = s.recv(n - len(got))
            if not more:
                raise OSError("closed")
            got += more
        return got

    def message(self, s):
        head = self.piece(s, 5)
        return head + self.piece(s, struct.unpack("!I", head[1:])[0] - 4)

    def hang_up(self, *ends):
        for s in ends:
            try:
                s.shutdown(socket.SHUT_RDWR) # wakes the other thread
            except OSError:
                pass

    def to_server(self, client, server, asked):
        try:
            while True: # before the first real message: requests for encryption, answered by one byte
                head = self.piece(client, 8)
                size, code = struct.unpack("!II", head)
                server.sendall(head + self.piece(client, size - 8))
                if code not in (80877103, 80877104):
                    break
            while True:
                m = self.message(client)
                if m[:1] == b"E":
                    with self.turn:
                        self.questions += 1
                        lose = self.questions == self.cut
                        if not lose:
                            asked[0] += 1
                            self.open += 1
                            self.most = max(self.most, self.open)
                            self.turn.notify_all()
                    if lose:
                        raise OSError("cut")
                server.sendall(m)
        except OSError:
            self.hang_up(client, server)

    def to_client(self, client, server, asked):
        try:
            first = True
            while True:
                kind = self.piece(server, 1)
                if first and kind in b"NSG": # what was asked for first was encryption
                    client.sendall(kind)
                    continue
                first = False
                size = self.piece(server, 4)
                m = kind + size + self.piece(server, struct.unpack("!I", size)[0] - 4)
                if kind == b"Z" and asked[0]:
                    with self.turn:
                        self.turn.wait_for(lambda: self.most > 1, timeout=1)
                        asked[0] -= 1
                        self.open -= 1
                client.sendall(m)
        except OSError:
            self.hang_up(client, server)


def several_at_once(pg, tmp):
    """2,000 keys, each twice, in batches of 100: 20 questions, of which several are open at once; rows stay in order."""
    path = os.path.join(tmp, "many.ndjson")
    with open(path, "w") as f:
        for i in range(4000):
            f.write(json.dumps({"id": i, "p": i % 2000}) + "\n")
    for cut in (0, 5):
        gate = Gate(pg.url, cut)
        got = run("SET batch_rows = 100;\nCREATE SOURCE o (id BIGINT, p BIGINT) WITH (connector = 'file', path = '%s', format = 'json');\n" % path
                  + "CREATE TABLE many (id BIGINT, v TEXT, PRIMARY KEY (id) NOT ENFORCED) WITH (connector = 'postgres', url = '%s', table = 'lk.many');\n" % gate.url
                  + "SELECT o.id, m.v FROM o LEFT JOIN many FOR SYSTEM_TIME AS OF proctime() AS m ON m.id = o.p;")
        check(got, [{"id": i, "v": "v%d" % (i % 2000) if i % 2 else None} for i in range(4000)], "many")
        check(gate.questions, 1 + 20 + (cut > 0), "questions, the one that checks the table among them") # what was lost is asked again
        check(gate.most > 1, True, "questions open at once")
        gate.listener.close()


def what_is_wrong(start):
    for sql, code, said in [("SELECT * FROM o JOIN gone FOR SYSTEM_TIME AS OF proctime() ON o.p = gone.id;", 1, 'relation "lk.gone" does not exist'),
                      ("SELECT * FROM o JOIN wrong FOR SYSTEM_TIME AS OF proctime() ON o.p = wrong.id;", 1, "nme does not exist"),
                      ("SELECT * FROM o JOIN products ON o.p = products.id;", 2, "it is asked by key"),
                      ("SELECT * FROM o JOIN products FOR SYSTEM_TIME AS OF proctime() ON o.p > products.id;", 2, "no equality with a column"),
                      ("SELECT * FROM o FULL JOIN products FOR SYSTEM_TIME AS OF proctime() ON o.p = products.id;", 2, "not supported")]:
        fails(start + sql, code, said)


def main():
    with postgres.shared() as pg, tempfile.TemporaryDirectory() as tmp:
        pg.sql("drop schema if exists lk cascade;" + SETUP)
        path = os.path.join(tmp, "o.ndjson")
        with open(path, "w") as f:
            for i, (p, k) in enumerate(ROWS):
                f.write(json.dumps({"id": i, "p": p, "k": k}) + "\n")
        start = head(pg.url, path)
        one_key(start)
        several_keys(start)
        several_at_once(pg, tmp)
        what_is_wrong(start)
        pg.sql("drop schema lk cascade")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except proc.FixtureError as e:
        print(e)
        sys.exit(77)

"""shell_tutorial.py: what docs/tutorial.md tells people to do does what it says: its files and statements, taken from the page, over the broker
and the server that it starts. Only the ports are others."""
import json
import os
import re
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build", "release", "weir"))


def check(what, condition, shown=""):
    if not condition:
        raise SystemExit("tutorial: %s\n%s" % (what, shown))


def weir(*args, **more):
    done = subprocess.run([WEIR, *args], capture_output=True, text=True, timeout=120, **more)
    check("weir %s ended with %d" % (" ".join(args)[:200], done.returncode), done.returncode == 0, done.stdout + done.stderr)
    return done.stdout


def start(*args, cwd):
    return subprocess.Popen([WEIR, *args], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=cwd)


def blocks(brokers):
    """The page's code blocks, in order, with our broker's address."""
    with open(os.path.join(ROOT, "docs", "tutorial.md"), encoding="utf-8") as f:
        return [b.replace("localhost:9092", brokers) for b in re.findall(r"^```\w*\n(.*?)\n```$", f.read(), re.M | re.S)]


def only(all_blocks, beginning):
    found = [b for b in all_blocks if b.startswith(beginning)]
    check("the page has %d blocks that begin with \"%s\"" % (len(found), beginning), len(found) == 1)
    return found[0]


def main():
    with tempfile.TemporaryDirectory() as tmp:
        broker = start("broker", "--port", "0", "--topics", "sales:2,revenue", cwd=tmp)
        server = None
        try:
            brokers = broker.stdout.readline().strip()
            page = blocks(brokers)

            # 1. generate.sql, made to end, so that what follows is the same each time
            generate = only(page, "CREATE SOURCE made").replace("rows_per_second = '50', speedup = '20', rows = '40000'", "rows = '2000', rows_per_second = '1000', speedup = '400', disorder = '0 s'")
            weir("-c", generate)

            # 2. PRINT, INFER, and the query
            look = only(page, "PRINT 'sales'")
            said = weir("-c", look)
            check("PRINT shows three records", len(re.findall(r'^[01]:\d+ .*"categoria"', said, re.M)) == 3, said)
            inferred = said[said.index("CREATE SOURCE"):]
            check("INFER gives the columns", all(w in inferred for w in ("id_pedido TEXT", "categoria TEXT", "valor DECIMAL", "WATERMARK FOR")), said)
            weir("-c", inferred + "\nSELECT count(*) FROM sales;", "--until-end")
            query = only(page, "CREATE SOURCE sales (\n")
            rows = [json.loads(line) for line in weir("-c", query, "--until-end", "--final", "-o", "ndjson").splitlines()]
            inside = sum(r["orders"] for r in rows)
            declared = query[:query.index("SELECT")]
            check("every order is in a window: %d of 2000" % inside, inside == 2000)

            # 3. a bad record
            command = only(page, "weir -c \"CREATE SINK t").replace("\\\"", "\"")
            weir("-c", command[command.index("\"") + 1:-1])
            errors = only(page, "SELECT reason")
            bad = weir("-c", declared + errors, "--until-end", "-o", "ndjson").splitlines()
            check("one record is bad", len(bad) == 1 and json.loads(bad[0])["column"] == "valor" and "a lot" in bad[0], str(bad))

            # 4. the server
            with open(os.path.join(tmp, "revenue.sql"), "w", encoding="utf-8") as f:
                f.write(only(page, "CREATE SOURCE sales (id_pedido"))
            server = start("serve", "--listen", "127.0.0.1:0", "--data", "data", cwd=tmp)
            line = server.stdout.readline()
            url = re.search(r"http://[0-9.:]+", line)
            check("the server says where it listens", url, line)
            url = url.group(0)
            weir("submit", "revenue.sql", "--server", url, "--data", "data", cwd=tmp)
            with open(os.path.join(tmp, "data", "token"), encoding="utf-8") as f:
                ask = urllib.request.Request(url + "/jobs/revenue/result?categoria=Gamer", headers={"Authorization": "Bearer " + f.read().strip()})
            want = {(r["window_start"], r["orders"]) for r in rows if r["categoria"] == "Gamer"}
            got = None
            while got != want:                  # ctest's limit ends it if that never comes
                try:
                    got = {(r["window_start"], r["orders"]) for r in json.load(urllib.request.urlopen(ask, timeout=60))["rows"]}
                except urllib.error.HTTPError as error:
                    check("the result is on its way: %s" % error, "no result yet" in error.read().decode())
            check("jobs lists it", "revenue" in weir("jobs", "--server", url, "--data", "data", cwd=tmp))
            check("why speaks of the watermark", "watermark" in weir("why", "revenue", "--server", url, "--data", "data", cwd=tmp))

            # killed, and started again
            weir("savepoint", "revenue", "--server", url, "--data", "data", cwd=tmp)
            server.kill()
            server.wait()
            server = start("serve", "--listen", "127.0.0.1:0", "--data", "data", cwd=tmp)
            again = re.search(r"http://[0-9.:]+", server.stdout.readline())
            url, state = again.group(0), ""
            while "running" not in state:       # ctest's limit ends it if that never comes
                state = weir("jobs", "--server", url, "--data", "data", cwd=tmp)
                check("it goes on", "failed" not in state and "waiting" not in state, state)
            logs = weir("logs", "revenue", "--server", url, "--data", "data", cwd=tmp)
            check("from its checkpoint", "resumed from checkpoint" in logs, logs)

            # 5. the test
            with open(os.path.join(tmp, "revenue.test"), "w", encoding="utf-8") as f:
                f.write(only(page, "Two orders of one minute") + "\n")
            check("the test passes", "1 passed, 0 failed" in weir("test", "revenue.test", cwd=tmp))
        finally:
            for p in (server, broker):
                if p:
                    p.terminate()
                    p.wait()


if __name__ == "__main__":
    sys.exit(main())

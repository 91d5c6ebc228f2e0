"""real_service.py: the server as a service: what it tells systemd (a socket of our own in NOTIFY_SOCKET, by path and by abstract name), the unit file, and
its log as JSON: one event a line, whose job it is, nothing that steers a terminal, held back where one place repeats itself. also: dev
"""
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import proc

WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-service-")
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def serve(*args, **env):
    return subprocess.Popen([WEIR, "serve", "--listen", "127.0.0.1:0", "--data", os.path.join(DIR, "data"), *args], stderr=subprocess.PIPE, text=True,
                            env=dict(os.environ, **env), preexec_fn=proc._child(signal.SIGKILL))


def told(where, name, usec, pid=None):
    """What arrives at a socket, from the start of a server to its end."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind(where)
    s.settimeout(60)
    env = {"NOTIFY_SOCKET": name, **({"WATCHDOG_USEC": str(usec)} if usec else {}), **({"WATCHDOG_PID": pid} if pid else {})}
    child, got = serve(**env), []
    want = ("WATCHDOG=1",) * 3 if usec and not pid else ("STATUS=0 of 0 jobs run",) * 2
    while sum(m == want[0] for m in got) < len(want):
        got.append(s.recv(4096).decode())
    child.terminate()
    while not got[-1].startswith("STOPPING=1"):
        got.append(s.recv(4096).decode())
    check("%s: ends" % name, child.wait(60), 0)
    child.stderr.close()
    s.close()
    return got


def notify():
    path = os.path.join(DIR, "notify")
    got = told(path, path, 200000)
    check("ready comes first", got[0], "READY=1")
    check("ready once", got.count("READY=1"), 1)
    check("its status", "STATUS=0 of 0 jobs run" in got, True)
    check("nothing else", {m.split("=")[0] for m in got}, {"READY", "STATUS", "WATCHDOG", "STOPPING"})
    abstract = "weir-test-%d" % os.getpid()
    check("abstract socket", told("\0" + abstract, "@" + abstract, 200000)[0], "READY=1")
    os.unlink(path)
    check("no watchdog was asked for", "WATCHDOG=1" in told(path, path, 0), False)
    os.unlink(path)
    check("somebody else's watchdog", "WATCHDOG=1" in told(path, path, 200000, pid="1"), False)


def unit():
    """systemd's own check of the unit file, with a program where it expects one."""
    if not shutil.which("systemd-analyze"):
        return
    with open(os.path.join(proc.ROOT, "packaging", "weir.service")) as f:
        text = f.read()
    check("notify and watchdog", ("Type=notify" in text, "WatchdogSec=" in text), (True, True))
    file = os.path.join(DIR, "weir.service")
    with open(file, "w") as f:
        f.write(text.replace("/usr/bin/weir", WEIR))
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", file], capture_output=True, text=True, timeout=60)
    about_it = [line for line in done.stderr.splitlines() if "weir" in line]
    check("systemd-analyze verify", about_it, [])


def log():
    """A job whose rows try to break the log."""
    nasty = '{"n": "\x1b[31m\\n2026-01-01T00:00:00Z error server: forged", "k": 1}\n'
    rows = os.path.join(DIR, "rows")
    with open(rows, "w") as f:
        f.write("{broken \x1b]0;title\x07\n" * 200 + nasty * 200)
    child = serve("--log", "json", "--verbose", "--allow-files", DIR)
    first = json.loads(child.stderr.readline())
    port = int(re.search(r":(\d+), data", first["msg"]).group(1))
    sql = os.path.join(DIR, "nasty.sql")
    with open(sql, "w") as f:
        f.write("CREATE SOURCE s (n BIGINT, k BIGINT) WITH (connector = 'file', path = '%s', format = 'json');\nSELECT k FROM s WHERE n > 0;\n" % rows)
    subprocess.run([WEIR, "submit", sql, "--name", "nasty", "--server", "http://127.0.0.1:%d" % port, "--data", os.path.join(DIR, "data")], check=True,
                   capture_output=True, timeout=60)
    lines = []
    while not any('"nasty\\" is done' in line for line in lines):
        lines.append(child.stderr.readline())
        if not lines[-1]:
            break
    child.terminate()
    lines += child.stderr.readlines()
    check("log: ends", child.wait(60), 0)
    events = [json.loads(line) for line in lines]
    check("each line is an event", {frozenset(e) - {"job", "more"} for e in events}, {frozenset(("ts", "level", "comp", "msg"))})
    check("levels", {e["level"] for e in events} <= {"error", "warn", "info", "debug"}, True)
    check("nothing steers a terminal", [line for line in lines if re.search(r"[\x00-\x09\x0b-\x1f\x7f]", line)], [])
    check("no forged line", [e for e in events if e["level"] == "error"], [])
    bad = [e for e in events if e["comp"] == "rows"]
    check("whose rows", {e.get("job") for e in bad}, {"nasty"})
    check("few lines for many rows", 2 <= len(bad) <= 12, True)
    with open(os.path.join(DIR, "data", "token")) as f:
        token = f.read().strip()
    check("no secret", [line for line in lines if token in line], [])


def main():
    notify()
    unit()
    log()
    shutil.rmtree(DIR, ignore_errors=True)
    if FAILED:
        raise SystemExit("%d failed" % len(FAILED))


main()

"""shell_functions.py: each line of docs/functions.md holds: the expression gives the value beside it; and SHOW FUNCTIONS lists nothing that has no line there.
The values are PostgreSQL 15's where it has the function (by that meaning), else worked out by hand."""
import csv
import io
import json
import os
import re
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build", "release", "weir"))


def weir(*args):
    done = subprocess.run([WEIR, *args], capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise SystemExit("weir %s\n%s%s" % (" ".join(args), done.stdout[-2000:], done.stderr))
    return done.stdout


def lines(page):
    """(expression, value, from what) of each line; the rows that aggregates look at stand in a VALUES of the page."""
    rows = re.search(r"`(\(VALUES .*\) AS t \(k, v, w\))`", page).group(1)
    over = ""
    for line in page.split("\n"):
        if line.startswith("## "):
            over = " FROM " + rows if line == "## Aggregates" else ""
        found = re.match(r"^\| `(.*?)` \| `(.*?)` \|", line.replace("\\|", "\0"))
        if found:
            yield found.group(1).replace("\0", "|"), found.group(2).replace("\0", "|"), over


def has_example(name, text):
    return re.search(r"(?<![a-z_0-9])%s(?![a-z_0-9])" % re.escape(name) if name[0].isalpha() else r"(?<!\S)%s(?!\S)|^%s" % (re.escape(name), re.escape(name)), text, re.M)


def main():
    with open(os.path.join(ROOT, "docs", "functions.md"), encoding="utf-8") as f:
        page = f.read()
    found, failed = list(lines(page)), 0
    said = weir("-o", "ndjson", "-c", ";\n".join("SELECT CAST((%s) AS TEXT) AS x%s" % (e, over) for e, _, over in found))
    answers = [json.loads(line) for line in said.splitlines()]
    if len(answers) != len(found):
        raise SystemExit("%d answers to %d lines" % (len(answers), len(found)))
    for (expression, value, _), answer in zip(found, answers):
        is_ = "NULL" if answer["x"] is None else answer["x"]
        if is_ != value:
            failed += 1
            print("docs/functions.md: %s gives %r, not %r" % (expression, is_, value))
    text = "\n".join(e for e, _, _ in found)
    names = [r["name"] for r in csv.DictReader(io.StringIO(weir("-o", "csv", "-c", "SHOW FUNCTIONS")))]
    for name in names:
        if not has_example(name, text):
            failed += 1
            print("docs/functions.md: no example of %s" % name)
    if len(names) < 250 or len(found) < len(names):
        raise SystemExit("only %d functions, %d examples" % (len(names), len(found)))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/env python3
"""pg_oracle.py FILE.c... [-- psql arguments]: checks the expected values of function tests against a PostgreSQL server.

Reads the tables between "/* pg */" and "};" of the test sources, runs each case's text as SELECT (text)::text and prints what
differs. Not run by ctest: it is for those who add cases. "!reason" and "?message" cases must fail there too.
A case that means to differ carries the comment /* ours: why */ in its line and is left out.
"""
import re
import subprocess
import sys

CASE = re.compile(r'^\s*\{"((?:[^"\\]|\\.)*)", "((?:[^"\\]|\\.)*)"\},?\s*(/\* ours.*)?$')


ESCAPES = {"n": "\n", "t": "\t", "\\": "\\", '"': '"'}


def c_text(raw):
    return re.sub(r"\\(.)", lambda m: ESCAPES[m.group(1)], raw)


def cases(path):
    on = False
    for number, line in enumerate(open(path, encoding="utf-8"), 1):
        if "/* pg */" in line:
            on = True
        elif line.startswith("};"):
            on = False
        elif on:
            found = CASE.match(line)
            if found and not found.group(3):
                yield number, c_text(found.group(1)), c_text(found.group(2))


def to_pg(text):
    return re.sub(r"\btry\(", "(", text)


def run(psql, text):
    done = subprocess.run(["psql", "-AtqX", "-P", "null=NULL", *psql, "-c", "SELECT " + text], capture_output=True, text=True)
    return done.returncode, done.stdout.rstrip("\n"), done.stderr


def main():
    args = sys.argv[1:]
    psql = args[args.index("--") + 1:] if "--" in args else []
    files = args[:args.index("--")] if "--" in args else args
    differ = total = 0
    for path in files:
        for number, text, expected in cases(path):
            total += 1
            code, out, err = run(psql, to_pg(text))
            wrong = code == 0 if expected[:1] in "!?" and expected else code != 0 or out != expected
            if wrong:
                differ += 1
                print("%s:%d: %s\n    here       %s\n    PostgreSQL %s" % (path, number, text, expected, out if code == 0 else err.strip()))
    print("%d cases, %d differ" % (total, differ))
    return differ != 0


sys.exit(main())

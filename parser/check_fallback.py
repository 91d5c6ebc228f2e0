#!/usr/bin/env python3
"""check_fallback.py: finds keywords that the grammar can never see as keywords.

A word in %fallback becomes a name where lemon's tables have no entry for it. Where the right action is a reduction that lemon made the state's
default (so it has no entry), and a name could be shifted, the word is taken for a name although the grammar says otherwise, and lemon reports no
conflict. Such a word needs a line in settle.c (CONTEXT in keywords.def) instead. Needs lemon. Run it after changing grammar.y.
"""
import os
import re
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
# "name PATH" in a list of columns: PATH is then taken for the column's type, and what follows it is an error, as it should be.
KNOWN = {"PATH", "METADATA", "VIRTUAL", "COMMENT"}


def main():
    grammar = open(os.path.join(HERE, "grammar.y")).read()
    words = set(re.search(r"%fallback ID(.*?)\.", grammar, re.S).group(1).split())
    template = next(p for p in ("/usr/share/lemon/lempar.c", "/usr/local/share/lemon/lempar.c") if os.path.exists(p))
    with tempfile.TemporaryDirectory() as where:
        subprocess.run(["lemon", "-c", "-d" + where, "-T" + template, os.path.join(HERE, "grammar.y")], check=True)
        report = open(os.path.join(where, "grammar.out")).read()
    bad = 0
    parts = re.split(r"^State (\d+):", report, flags=re.M)[1:]
    for number, body in zip(parts[::2], parts[1::2]):
        actions = dict()
        for m in re.finditer(r"^\s+(\S+)\s+(shift-reduce|shift|reduce)\s+(\d+)", body.split("-" * 40)[0], re.M):
            actions.setdefault(m.group(1), m.groups()[1:])
        for word in sorted(words & set(actions)):
            if "ID" in actions and actions[word][0] == "reduce" and actions[word] != actions["ID"] and word not in KNOWN:
                print("state %s: %s would be taken for a name" % (number, word))
                bad = 1
    return bad


sys.exit(main())

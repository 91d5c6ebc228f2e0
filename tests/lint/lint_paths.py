"""lint_paths.py: fails on a path that exists on one developer's machine only, and on what looks like a real secret."""
import re

import source

# Taken apart so that this file does not find itself.
MACHINE = re.compile("|".join(["/" + "home/[a-z]", "/" + "root/", "/" + "work/", "/" + "Users/", "/tmp" + "/b-", "C:" + r"\\"]))
SECRET = re.compile("BEGIN [A-Z ]*PRIVATE" + " KEY|AKIA" + "[0-9A-Z]{16}|gh[pousr]" + "_[A-Za-z0-9]{36}")


def main():
    report = source.Report()
    for path in source.files():
        for number, line in enumerate(source.lines(path), 1):
            found = MACHINE.search(line)
            if found:
                report.add(path, number, "path of one machine: %s" % found.group(0))
            if SECRET.search(line):
                report.add(path, number, "looks like a secret")
    report.end()


main()

"""lint_style.py: the part of the style card that a machine can see.

Fails on: a function over 120 lines, a file that does not begin with its name and purpose, a wrong include guard,
a typedef'd struct, a banned libc call, trailing blanks, tabs, carriage returns, a missing newline at the end.
Says, without failing, which files are longer than 600 lines.
"""
import os
import re

import source

LONGEST_FUNCTION = 120
LONG_FILE = 600
# As core/banned.h, for the builds that do not include it, and for the tests.
BANNED = re.compile(r"(?<![\w.>])(strcpy|strcat|stpcpy|sprintf|vsprintf|strncpy|strncat|strtok|gets|gmtime|localtime|ctime|"
                    r"asctime|rand|atoi|atol|atoll|atof|system|alloca)\s*\(")
NO_TABS = (".c", ".h", ".def", ".re", ".y", ".py", ".sh", ".cmake", ".json", ".yml", ".yaml", ".sql", ".md")


def functions(text):
    """(first line, length) of each function body: between a { and the next } in the first column."""
    start = None
    for number, line in enumerate(text, 1):
        if line == "{" or (line.startswith("{") and line.strip() == "{"):
            start = number
        elif line.startswith("}") and start is not None:
            yield start, number - start + 1
            start = None


def check_c(path, report):
    text = source.lines(path)
    name = os.path.basename(path)
    if name.endswith((".c", ".h", ".def")) and not text[0].startswith("/* %s: " % name):
        report.add(path, 1, 'begin with "/* %s: what it does"' % name)
    code = source.without_comments(text)
    if name.endswith(".c"):
        for start, length in functions(code):
            if length > LONGEST_FUNCTION:
                report.add(path, start, "function of %d lines (at most %d)" % (length, LONGEST_FUNCTION))
    if name.endswith(".h"):
        guard = "WR_" + re.sub(r"\W", "_", path).upper()
        if not any(line.split() == ["#ifndef", guard] for line in code):
            report.add(path, 1, "include guard should be %s" % guard)
    for number, line in enumerate(code, 1):
        if re.match(r"\s*typedef\s+(struct|union)\b[^;(]*(\{|\w+\s*;)", line):
            report.add(path, number, "typedef of a struct; write struct wr_name")
        found = BANNED.search(line)
        if found and name != "banned.h":
            report.add(path, number, "%s is banned, see core/banned.h" % found.group(1))
    if name.endswith(".c") and len(text) > LONG_FILE:
        print("note: %s has %d lines (about %d is the aim)" % (path, len(text) - 1, LONG_FILE))


def check_blanks(path, report):
    text = source.lines(path)
    for number, line in enumerate(text, 1):
        if line.endswith("\r"):
            report.add(path, number, "carriage return at the end of the line")
        elif line != line.rstrip():
            report.add(path, number, "blanks at the end of the line")
        if "\t" in line and path.endswith(NO_TABS):
            report.add(path, number, "tab")
    if text[-1] != "" and text != [""]:
        report.add(path, len(text), "no newline at the end of the file")


def main():
    report = source.Report()
    for path in source.c_files():
        check_c(path, report)
    for path in source.files(".c", under="tests") + source.files(".c", under="bench"):
        for number, line in enumerate(source.without_comments(source.lines(path)), 1):
            found = BANNED.search(line)
            if found:
                report.add(path, number, "%s is banned, see core/banned.h" % found.group(1))
    for path in source.files():
        check_blanks(path, report)
    report.end()


main()

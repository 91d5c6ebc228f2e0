"""lint_includes.py: fails on every #include that is not an arrow of docs/architecture.md.

core <- parser <- planner <- executor <- server <- shell (sees all);  connectors -> core only;
planner and executor see connectors/connector.h only; the executor sees of the planner only the finished plan.
internal.h stays in its folder, and each outside library in the folders that are about it.
"""
import os
import re

import source

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
FOLDER_SEES = {
    "core": {"core"},
    "parser": {"core", "parser"},
    "planner": {"core", "parser", "planner"},
    "executor": {"core", "executor"},
    "connectors": {"core", "connectors"},
    "server": {"core", "parser", "planner", "executor", "server"},
    "shell": set(source.FOLDERS),
}
FILE_SEES = {
    "planner": {"connectors/connector.h"},
    "server": {"connectors/connector.h"},
    "executor": {"connectors/connector.h", "planner/plan.h", "planner/expr.h", "planner/plan.def"},
}
LIBRARIES = {
    "librdkafka/": {"connectors", "shell"},
    "libpq-fe.h": {"connectors", "shell"},
    "lmdb.h": {"executor"},
    "readline/": {"shell"},
    "microhttpd.h": {"server"},
    "sqlite3.h": {"server"},
    "curl/": {"shell", "connectors"},
}
GENERATED = {"grammar.h"}      # by lemon, in the build tree; for parser/ only


def check(path, report):
    folder = path.split(os.sep)[0]
    for number, line in enumerate(source.lines(path), 1):
        m = INCLUDE.match(line)
        if not m:
            continue
        bracket, target = m.groups()
        top = target.split("/")[0]
        if bracket == "<":
            if top in source.FOLDERS:
                report.add(path, number, 'write #include "%s" for our own file' % target)
            for library, allowed in LIBRARIES.items():
                if target.startswith(library) and folder not in allowed:
                    report.add(path, number, "%s/ may not include <%s>; only %s" % (folder, target, ", ".join(sorted(allowed))))
        elif target in GENERATED and folder == "parser":
            continue
        elif "/" not in target:
            report.add(path, number, 'write includes as "folder/file.h", not "%s"' % target)
        elif os.path.basename(target) == "internal.h" and top != folder:
            report.add(path, number, "%s is private to %s/" % (target, top))
        elif top not in FOLDER_SEES[folder] and target not in FILE_SEES.get(folder, ()):
            report.add(path, number, "%s/ may not include %s" % (folder, target))


def main():
    report = source.Report()
    for path in source.c_files():
        check(path, report)
    report.end()


main()

"""lint_docs_options.py: docs/connectors.md has a line for each option of each connector and format, and for none that is not there."""
import glob
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def main():
    known = set()
    for path in glob.glob(os.path.join(ROOT, "connectors", "*.c")):
        with open(path, encoding="utf-8") as f:
            for table in re.findall(r"struct wr_optdesc \w+\[\] = \{(.*?)\n\};", f.read(), re.S):
                known |= set(re.findall(r'^    \{"([^"]+)"', table, re.M))
    with open(os.path.join(ROOT, "docs", "connectors.md"), encoding="utf-8") as f:
        told = set(re.findall(r"^\| `([^`]+)` \| (?:both|source|sink) \|", f.read(), re.M))
    for name in sorted(known - told):
        print("docs/connectors.md: nothing about the option \"%s\"" % name)
    for name in sorted(told - known):
        print("docs/connectors.md: there is no option \"%s\"" % name)
    if len(known) < 20:
        print("connectors/: only %d options found" % len(known))
    return 1 if known != told or len(known) < 20 else 0


if __name__ == "__main__":
    sys.exit(main())

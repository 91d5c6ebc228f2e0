"""lint_docs_sql.py: each SQL example of docs/sql.md stands word for word in a scenario of tests/sql/docs/, so that it is run."""
import glob
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def examples(path):
    """(line number, text) of each block marked sql."""
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if start is None and line == "```sql":
            start = number
        elif start is not None and line == "```":
            yield start + 1, "\n".join(lines[start:number - 1])
            start = None


def main():
    scenarios = []
    for path in glob.glob(os.path.join(ROOT, "tests", "sql", "docs", "*.test")):
        with open(path, encoding="utf-8") as f:
            scenarios.append(f.read())
    found = missing = 0
    for line, text in examples(os.path.join(ROOT, "docs", "sql.md")):
        found += 1
        if not any(text in s for s in scenarios):
            missing += 1
            print("docs/sql.md:%d: this example is in no file of tests/sql/docs/" % line)
    if not found:
        print("docs/sql.md: no example found")
    return 1 if missing or not found else 0


if __name__ == "__main__":
    sys.exit(main())

"""lint_docs_sql.py: each SQL example (a block marked sql) of docs/*.md stands word for word in a scenario of tests/sql/docs/, so that it is run."""
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
    for page in sorted(glob.glob(os.path.join(ROOT, "docs", "**", "*.md"), recursive=True)):
        for line, text in examples(page):
            found += 1
            if not any(text in s for s in scenarios):
                missing += 1
                print("%s:%d: this example is in no file of tests/sql/docs/" % (os.path.relpath(page, ROOT), line))
    if found < 20:
        print("docs/: only %d examples found" % found)
    return 1 if missing or found < 20 else 0


if __name__ == "__main__":
    sys.exit(main())

"""source.py: what the lint scripts share: the project's text files, and one way to report."""
import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FOLDERS = ("core", "parser", "planner", "executor", "connectors", "server", "shell")
TEXT = (".c", ".h", ".def", ".re", ".y", ".py", ".sh", ".md", ".cmake", ".txt", ".json", ".yml", ".yaml", ".sql",
        ".test", ".toml", ".supp", ".dict")
# Made by machines, or data that is meant to be odd.
SKIPPED = ("build", ".git", ".cache", "__pycache__", os.path.join("tests", "data"), os.path.join("tests", "fuzz", "corpus"))


def files(*endings, under=""):
    """Paths relative to the project, sorted. Without endings: every text file, and scripts without an ending."""
    found = []
    for folder, names, leaves in os.walk(os.path.join(ROOT, under)):
        here = os.path.relpath(folder, ROOT)
        here = "" if here == "." else here
        names[:] = [n for n in names if os.path.join(here, n) not in SKIPPED and n not in ("build", ".git", "__pycache__")]
        for leaf in leaves:
            ending = os.path.splitext(leaf)[1]
            if ending in (endings or TEXT) or (not endings and ending == "" and not leaf.startswith(".")):
                found.append(os.path.join(here, leaf))
    return sorted(found)


def c_files():
    """C of the program itself: not the tests, which may do what the program may not."""
    return [f for folder in FOLDERS for f in files(".c", ".h", ".def", ".re", ".y", under=folder)]


def lines(path):
    with open(os.path.join(ROOT, path), encoding="utf-8", errors="replace", newline="") as f:
        return f.read().split("\n")


def without_comments(text_lines):
    """The same lines with comments and the inside of strings blanked, so that a word in them is not taken for code."""
    out = []
    in_comment = False
    for line in text_lines:
        kept = []
        i = 0
        quote = None
        while i < len(line):
            two = line[i:i + 2]
            if in_comment:
                in_comment = two != "*/"
                i += 1 if in_comment else 2
            elif quote:
                if line[i] == "\\":
                    i += 1
                elif line[i] == quote:
                    kept.append(quote)
                    quote = None
                i += 1
            elif two == "/*":
                in_comment = True
                i += 2
            elif two == "//":
                break
            else:
                if line[i] in "\"'":
                    quote = line[i]
                kept.append(line[i])
                i += 1
        out.append("".join(kept))
    return out


class Report:
    """Collects findings; `end` prints them and ends the program with 0 or 1."""

    def __init__(self):
        self.found = 0

    def add(self, path, number, text):
        self.found += 1
        print("%s:%d: %s" % (path, number, text))

    def end(self):
        sys.exit(1 if self.found else 0)

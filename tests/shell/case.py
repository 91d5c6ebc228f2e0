"""case.py: what the tests of the shell share: a home directory, a program on a pseudo-terminal in it, and how cases are run."""
import os
import shutil
import sys
import tempfile
import traceback

from screen import Program

WEIR = os.environ["WEIR"]


class Case:
    """A home directory of its own and a program in it."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="weir-shell-")
        self.env = {"HOME": self.dir, "TERM": "xterm", "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "PATH": os.environ["PATH"], "PAGER": "cat"}
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TSAN_OPTIONS"):
            if name in os.environ:
                self.env[name] = os.environ[name]

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode="w"):
        with open(self.path(name), mode) as file:
            file.write(text)

    def read(self, name):
        with open(self.path(name)) as file:
            return file.read()

    def run(self, *args, **more):
        return Program([WEIR, *args], self.env, **more)

    def shell(self, **more):
        program = self.run(**more)
        ready(program)
        return program

    def live(self, select, before="", **more):
        """A query over growing.json on a terminal."""
        self.write("growing.json", "\n")      # a blank line is no record
        self.write("live.sql", "CREATE SOURCE f (k TEXT, v BIGINT, ts TIMESTAMP) WITH (connector = 'file', path = '%s', format = 'json', "
                   "follow = 'true');\n%s\n%s;\n" % (self.path("growing.json"), before, select))
        return self.run("run", self.path("live.sql"), **more)

    def more(self, *rows):
        self.write("growing.json", "".join(row + "\n" for row in rows), "a")


def ready(program):
    """The last line is an empty prompt."""
    program.wait(lambda screen: screen.text().split("\n")[-1] == "weir=>" and screen.col == 7, "an empty prompt")


def enter(program, *lines):
    for line in lines:
        program.type(line + "\r")


def main(cases):
    """Runs all, or those named on the command line."""
    failed = 0
    for run in cases:
        if len(sys.argv) > 1 and run.__name__ not in sys.argv[1:]:
            continue
        case = Case()
        try:
            run(case)
            print("ok", run.__name__)
        except AssertionError as error:
            failed += 1
            print("FAILED", run.__name__, error)
            if not str(error):
                traceback.print_exc()
        finally:
            shutil.rmtree(case.dir)
    sys.exit(1 if failed else 0)

"""screen.py: a program on a pseudo-terminal, and what a person would see on it.

Screen understands what weir and readline send: text of any width, cursor movement, erasing, scrolling. Anything else
is an error, so that a test notices what it cannot judge. Program runs a command on it and waits for what is to appear:
nothing here sleeps, and a time limit only ends a test that has failed already.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
import unicodedata

LIMIT = float(os.environ.get("WEIR_TEST_LIMIT", "60"))     # seconds until a wait counts as failed
CSI = re.compile(r"\x1b\[([?>=]?)([0-9;]*)([@-~])")
UNFINISHED = re.compile(r"\x1b(\[[?>=]?[0-9;]*)?\Z")


def width(char):
    if unicodedata.combining(char) or unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


class Screen:
    def __init__(self, rows, cols):
        self.rows, self.cols = rows, cols
        self.row = self.col = 0
        self.cell = [[" "] * cols for _ in range(rows)]
        self.cursor_shown = True
        self.rest = ""

    def lines(self):
        return ["".join(line).rstrip() for line in self.cell]

    def text(self):
        return "\n".join(self.lines()).rstrip()

    def resize(self, rows, cols):
        self.cell = [(line + [" "] * cols)[:cols] for line in self.cell]
        while len(self.cell) > rows:
            self.cell.pop(0 if self.row >= rows else -1)
            self.row = min(self.row, rows - 1)
        self.cell += [[" "] * cols for _ in range(rows - len(self.cell))]
        self.rows, self.cols, self.col = rows, cols, min(self.col, cols)

    def feed(self, text):
        text = self.rest + text
        cut = UNFINISHED.search(text)
        self.rest = text[cut.start():] if cut else ""
        text = text[:cut.start()] if cut else text
        at = 0
        while at < len(text):
            found = CSI.match(text, at)
            if found:
                self.control(*found.groups())
                at = found.end()
            else:
                self.put(text[at])
                at += 1

    def put(self, char):
        if char == "\r":
            self.col = 0
        elif char == "\n":
            self.line_feed()
        elif char == "\b":
            self.col = max(0, min(self.col, self.cols - 1) - 1)
        elif char == "\a":
            pass
        elif ord(char) < 32:
            raise AssertionError("control byte %r on the screen" % char)
        else:
            self.put_visible(char)

    def put_visible(self, char):
        wide = width(char)
        if wide == 0:
            if self.col:
                self.cell[self.row][self.col - 1] += char
            return
        if self.col + wide > self.cols:
            self.col = 0
            self.line_feed()
        self.cell[self.row][self.col] = char
        if wide == 2:
            self.cell[self.row][self.col + 1] = ""
        self.col += wide

    def line_feed(self):
        if self.row < self.rows - 1:
            self.row += 1
        else:
            self.cell.pop(0)
            self.cell.append([" "] * self.cols)

    def erase(self, row, first, last):
        for col in range(first, last):
            self.cell[row][col] = " "

    def control(self, mark, numbers, kind):
        n = [int(x or 0) for x in numbers.split(";")]
        if kind in "hl" and mark == "?":
            if n == [25]:
                self.cursor_shown = kind == "h"
        elif kind == "m" or mark == ">":
            pass
        elif kind == "A":
            self.row = max(0, self.row - max(1, n[0]))
        elif kind == "B":
            self.row = min(self.rows - 1, self.row + max(1, n[0]))
        elif kind == "C":
            self.col = min(self.cols - 1, self.col + max(1, n[0]))
        elif kind == "D":
            self.col = max(0, self.col - max(1, n[0]))
        elif kind == "H":
            self.row = min(self.rows, max(1, n[0])) - 1
            self.col = min(self.cols, max(1, n[1] if len(n) > 1 else 1)) - 1
        elif kind == "K":
            first, last = {0: (self.col, self.cols), 1: (0, self.col + 1), 2: (0, self.cols)}[n[0]]
            self.erase(self.row, first, last)
        elif kind == "J":
            self.erase_below(n[0])
        elif kind == "P":
            line = self.cell[self.row]
            del line[self.col:self.col + max(1, n[0])]
            line += [" "] * (self.cols - len(line))
        elif kind == "@":
            line = self.cell[self.row]
            self.cell[self.row] = (line[:self.col] + [" "] * max(1, n[0]) + line[self.col:])[:self.cols]
        else:
            raise AssertionError("escape sequence not known here: ESC [ %s%s%s" % (mark, numbers, kind))

    def erase_below(self, how):
        if how == 2:
            for row in range(self.rows):
                self.erase(row, 0, self.cols)
            return
        assert how == 0, "erase in display %d" % how
        self.erase(self.row, min(self.col, self.cols), self.cols)
        for row in range(self.row + 1, self.rows):
            self.erase(row, 0, self.cols)


class Program:
    """with Program([argv], env) as p: p.type("SELECT 1;\\r"); p.wait_for("1 row")"""

    def __init__(self, argv, env, rows=24, cols=80):
        self.screen = Screen(rows, cols)
        self.raw = b""
        self.code = None
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            try:
                os.execvpe(argv[0], argv, env)
            finally:
                os._exit(127)
        self.set_size(rows, cols)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self.fd)

    def set_size(self, rows, cols):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))

    def resize(self, rows, cols):
        self.screen.resize(rows, cols)
        self.set_size(rows, cols)       # the kernel sends SIGWINCH

    def type(self, text):
        os.write(self.fd, text.encode())

    def read(self, seconds):
        """Takes in what there is; False: the program has closed the terminal."""
        ready, _, _ = select.select([self.fd], [], [], seconds)
        if not ready:
            return True
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.raw += data
        whole = getattr(self, "bytes_left", b"") + data
        end = len(whole)
        while end and end > len(whole) - 4:
            try:
                self.screen.feed(whole[:end].decode())
                break
            except UnicodeDecodeError:
                end -= 1
        self.bytes_left = whole[end:]
        return bool(data)

    def wait(self, true, what):
        limit = time.monotonic() + LIMIT
        while not true(self.screen):
            if time.monotonic() > limit or not self.read(1):
                if true(self.screen):
                    return
                raise AssertionError("did not see %s; the screen is\n%s" % (what, self.screen.text()))

    def wait_for(self, text):
        """Until the text is on the screen (a regular expression, . does not match a line's end)."""
        self.wait(lambda screen: re.search(text, screen.text(), re.M), repr(text))

    def wait_for_lines(self, wanted):
        """Until these lines stand one below the other, to the letter."""
        self.wait(lambda screen: "\n" + "\n".join(wanted) + "\n" in "\n" + screen.text() + "\n", "\n" + "\n".join(wanted))

    def wait_raw(self, pattern):
        self.wait(lambda screen: re.search(pattern, self.raw), repr(pattern))

    def end(self):
        """Exit code; what the program still prints is taken in."""
        while self.read(LIMIT):
            pass
        _, status = os.waitpid(self.pid, 0)
        self.code = os.waitstatus_to_exitcode(status)
        return self.code

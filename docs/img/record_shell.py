"""record_shell.py: makes docs/img/shell.svg: a session with the shell as it is on the screen, recorded through a pseudo-terminal.

  WEIR=build/release/weir python3 docs/img/record_shell.py

A broker and a generator run beside it. Each picture is the screen's own content, taken when what it waits for has appeared; the SVG shows one after the
other, and the last where nothing moves. Nothing in it was written by hand.
"""
import html
import os
import re
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "tests", "shell"))
import screen

WEIR = os.path.abspath(os.environ["WEIR"])
ROWS, COLS, WIDTH, HEIGHT, SECONDS = 24, 80, 8.4, 18, 5
COLOR = {"32": "#4ec96b", "31": "#ff7b72", "1": "bold", "2": "dim"}


class Cell(str):
    """A character and how it looks."""
    look = ""


class Looks(screen.Screen):
    look = ""

    def control(self, mark, numbers, kind):
        if kind == "m":
            self.look = COLOR.get(numbers, "")
        super().control(mark, numbers, kind)

    def put_visible(self, char):
        cell = Cell(char)
        cell.look = self.look
        super().put_visible(cell)


def run_of(text, look, col, row):
    style = {"bold": ' style="font-weight:bold"', "dim": ' style="fill:#8b949e"', "": ""}.get(look, ' style="fill:%s"' % look)
    # The width is said, so that a font with other widths cannot shift columns.
    return '<text x="%.1f" y="%d" textLength="%.1f" lengthAdjust="spacingAndGlyphs"%s>%s</text>' % (
        12 + col * WIDTH, 34 + row * HEIGHT, len(text) * WIDTH, style, html.escape(text))


def picture(shown):
    out = []
    for row, line in enumerate(shown.cell):
        col = 0
        while col < len(line):
            if line[col].strip() == "":
                col += 1
                continue
            look, end = getattr(line[col], "look", ""), col
            while end < len(line) and getattr(line[end], "look", "") == look and not (line[end] == " " and "".join(line[end:end + 2]).strip() == ""):
                end += 1
            out.append(run_of("".join(line[col:end]), look, col, row))
            col = max(end, col + 1)
    return "\n".join(out)


def svg(pictures):
    wide, high, n = 24 + COLS * WIDTH, 44 + ROWS * HEIGHT, len(pictures)
    css = ["text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;fill:#e6edf3;white-space:pre}"]
    for i in range(n):
        last = i == n - 1
        css.append("#p%d{opacity:%d;animation:a%d %ds infinite step-end}" % (i, last, i, n * SECONDS))
        css.append("@keyframes a%d{0%%{opacity:%d}%.2f%%{opacity:1}%s}" % (i, i == 0, 100 * i / n, "" if last else "%.2f%%{opacity:0}" % (100 * (i + 1) / n)))
    css.append("@media (prefers-reduced-motion:reduce){g{animation:none!important}}")
    groups = "\n".join('<g id="p%d">\n%s\n</g>' % (i, text) for i, text in enumerate(pictures))
    return ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" role="img" aria-label="A session with the shell of weir">\n<style>\n%s\n</style>\n'
            '<rect width="%d" height="%d" rx="8" fill="#0d1117"/>\n%s\n</svg>\n') % (wide, high, "\n".join(css), wide, high, groups)


def start_broker():
    broker = subprocess.Popen([WEIR, "broker", "--port", "0", "--topics", "black-friday-sales:3"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    while True:
        line = broker.stdout.readline()
        found = re.search(r"127\.0\.0\.1:\d+", line)
        if found or not line:
            return broker, found and found.group(0)


def start_generator(brokers):
    sql = ("CREATE SOURCE g WITH (connector = 'datagen', scenario = 'black-friday', speedup = '60', rows_per_second = '400');"
           "CREATE SINK t WITH (connector = 'kafka', brokers = '%s', topic = 'black-friday-sales', format = 'json'); INSERT INTO t SELECT * FROM g;" % brokers)
    return subprocess.Popen([WEIR, "-q", "-c", sql], stdout=subprocess.DEVNULL)


def wait_for_records(brokers):
    """The generator has begun."""
    for _ in range(300):
        said = subprocess.run([WEIR], input="\\t\n\\format csv\n\\topics\n", capture_output=True, text=True, env=dict(os.environ, KAFKA_BROKERS=brokers)).stdout
        if int((said.strip() or "0").split(",")[-1]) > 1500:
            return
    raise SystemExit("no records came")


def session(home, brokers):
    env = {"HOME": home, "TERM": "xterm", "LC_ALL": "C.UTF-8", "PATH": os.environ["PATH"], "PAGER": "cat", "KAFKA_BROKERS": brokers}
    taken = []
    with screen.Program([WEIR], env, rows=ROWS, cols=COLS) as p:
        p.screen = Looks(ROWS, COLS)

        def ready():
            p.wait(lambda s: s.text().split("\n")[-1].rstrip() == "weir=>", "a prompt")

        def take():
            taken.append(picture(p.screen))

        ready()
        p.type("\\topics\r")
        p.wait_for("^ black-friday-sales ")
        ready()
        p.type("\\infer black-friday-sales\r")
        p.wait_for("^.g declares it")
        ready()
        take()
        p.type("\\g\r")
        p.wait_for("^CREATE SOURCE$")
        ready()
        p.type("SELECT window_start, categoria, sum(valor) AS total, count(*) AS vendas\r")
        p.type("FROM black_friday_sales GROUP BY window(timestamp, '1 min'), categoria;\r")
        p.wait_for("^.1[6-9] rows.$|[0-9]+ of [0-9]+ rows")
        take()
        p.type("sss")
        p.wait_for("▼total")
        take()
        p.type("SSSv")
        p.wait_for(r"total, 0 to [0-9.e+]+, (1[5-9]|[2-9][0-9]) windows")
        take()
        p.type("w")
        p.wait_for("partition does it")
        take()
        p.type("xvvq")
        p.wait_for("rows read in")
        ready()
        p.type("\\q\r")
        p.end()
    taken.append(taken.pop(1))       # where nothing moves: the table
    return [taken[0], taken[-1], *taken[1:-1], taken[-1]]


def main():
    home = tempfile.mkdtemp(prefix="weir-record-")
    broker, brokers = start_broker()
    generator = start_generator(brokers)
    try:
        wait_for_records(brokers)
        pictures = session(home, brokers)
        with open(os.path.join(HERE, "shell.svg"), "w") as f:
            f.write(svg(pictures))
    finally:
        for child in (generator, broker):
            child.kill()
            child.wait()
        shutil.rmtree(home)


main()

#!/usr/bin/env python3
"""Random queries over random tables: weir against PostgreSQL on the same rows.

    python3 tests/diff/fuzz.py [--seconds N | --queries N] [--seed N] [--weir PATH] [--avoid a,b] [--only N] [--keep DIR]

A round is one seed: three tables (disorder, NULLs, late rows in some) and a handful of queries, each written as a scenario file whose expected rows
are PostgreSQL's answer. `weir test` folds the changes and looks at every operator's row counts. Most run once, at random (docs/testing.md, vary=SEED): one to four
tasks, batches cut anywhere, half of them stopped or crashed and resumed, some with all state on disk; a few in all of a scenario's runs. What fails is made smaller, rows first, then the query, and stays in DIR as a .test file to be copied to tests/sql.
What weir refuses by saying that it is not supported counts as refused, each message once.

Each round also has scenarios of windows.py, joins.py, over.py and match.py, whose answers are SQLite's or the definitions' own.
--seed S --queries 1 --only I replays query I of round S; a case of the others, by its name MODULE_S_I, is replayed from the file that is kept."""
import argparse, collections, json, os, random, re, shutil, signal, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path[:0] = [HERE, os.path.join(ROOT, "tests", "fixtures")]
import postgres
import joins, match, over, scenarios, sqlgen, windows
from sqlgen_more import PG_FUNCTIONS

PER_ROUND = 60
OTHERS = {"windows": (windows.KINDS, 8), "joins": (joins.KINDS, 14), "over": (over.KINDS, 12), "match": (match.KINDS, 6)}  # of each so many a round
REFUSALS = re.compile(r"not supported|cannot be|can not be|needs |is not possible|not yet|would have to|only |still updated|do not end together|by equalities only|values that may be NULL|does not know which column is the event time")


class Oracle:
    """PostgreSQL, asked for many answers at a time."""

    def __init__(self, url):
        self.url = url

    def ask(self, setup, questions):
        """For each of the questions (a list of SQL) the lines of its answer, or None where it failed."""
        text = ["SET statement_timeout = '3s'; SET client_min_messages = error; SET jit = off;" + PG_FUNCTIONS, setup]
        for i, q in enumerate(questions):
            text.append("\\echo @@ %d\n%s;\n\\echo @! :ERROR" % (i, q))
        p = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-w", self.url], input="\n".join(text), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                           encoding="utf-8", env=dict(os.environ, PGTZ="UTC", PGCLIENTENCODING="UTF8"))
        out, lines, self.errors = [None] * len(questions), None, p.stderr
        for line in p.stdout.split("\n"):
            if line.startswith("@@ "):
                at, lines = int(line[3:]), []
            elif line.startswith("@! "):
                out[at], lines = (lines if line == "@! false" else None), None
            elif lines is not None and line:
                lines.append(line)
        return out


class Case:
    """One query with its tables: rendered for both, with what is expected."""

    def __init__(self, seed, index, tables, gen, body, cols, ordered, rng):
        self.seed, self.index, self.tables, self.gen, self.body, self.cols, self.ordered = seed, index, tables, gen, body, cols, ordered
        self.mix = rng.random()
        # Most queries run once, cut and interrupted at random, as many times as many queries find more; some in all of a scenario's runs.
        self.runs = "" if rng.random() < 0.03 else " vary=%d" % rng.randrange(1, 1 << 32)
        self.want, self.late, self.n_bad, self.calm = None, "0", "0", gen.calm

    def weir_text(self):
        """The query with the views before it."""
        text = self.body.text(False) + ";"
        for view in reversed(self.gen.pre):  # a piece of the query that was thrown away may have left one
            made = view.text(False)
            if re.search(r"\b%s\b" % made.split()[2], text):
                text = made + "\n" + text
        return text

    def functions(self):
        text = self.weir_text()
        return [made for name, made in sqlgen.WEIR_FUNCTIONS.items() if name + "(" in text]

    def used(self):
        text = self.weir_text()
        return [t for t in self.tables if re.search(r"\b%s\b" % t.name, text)]

    def questions(self):
        cols = ", ".join("to_char(%s, 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"') AS %s" % (n, n) if t == "t" else n for n, t in self.cols)
        late = self.gen.windowed if self.gen.windowed not in (None, "no") else "SELECT 0"
        bad = self.gen.bad.text(True) if self.gen.bad else "SELECT 0"
        return ["SELECT row_to_json(o) FROM (SELECT %s FROM (%s) AS i) AS o" % (cols, self.body.text(True)), late, bad]

    def setup(self):
        return "DROP TABLE IF EXISTS %s;\n" % ", ".join(t.name for t in self.tables) + "\n".join(t.pg() for t in self.tables)

    def answer(self, answers):
        """False: this one says nothing (PostgreSQL refuses it, or an answer too long)."""
        if None in answers or len(answers[0]) > 3000:
            return False
        self.want, self.late, self.n_bad = answers[0], answers[1][0], answers[2][0]
        if self.gen.windowed == "no" and not self.calm:
            self.late = "any"  # how many depends on what the planner puts first
        return True

    def inputs(self):
        """The rows of all tables, in an order of arrival of their own."""
        rng, out = random.Random(self.mix), []
        queue = [(t, list(t.rows)) for t in self.used()]
        while any(rows for _, rows in queue):
            t, rows = rng.choice([q for q in queue if q[1]])
            n = rng.choice([1, 2, 5, 30])
            out.append("==== input %s" % t.name)
            out += [t.json(r) for r in rows[:n]]
            del rows[:n]
        return out

    def text(self):
        first = "==== sql" + (" final=true" if self.ordered else "") + self.runs
        out = ["seed %d query %d: %s" % (self.seed, self.index, " ".join(sorted(self.gen.uses))), first]
        out += [t.weir() for t in self.used()] + self.functions() + [self.weir_text()]
        out += self.inputs() + ["==== expect"] + self.want
        return "\n".join(out + ["==== counts", "late = " + self.late, "bad = " + self.n_bad, ""])


def kind_of(why):
    """What two failures have in common that are probably one."""
    if "the error was" in why:
        m = re.search(r"the error was:\n(?:sql|[^\n:]*):?\d*:?\d*:? ?([^\n]*)", why)
        return "error: " + re.sub(r'"[^"]*"|\d+', "_", m.group(1) if m else why[:200])
    return why.split("\n")[1].strip() if "\n" in why and len(why.split("\n")) > 1 and why.startswith("FAILED") else why.split("\n")[0]


def alike(a, b):
    if a.startswith("error") or b.startswith("error"):
        return a == b
    return re.sub(r"\d+", "", a)[:12] == re.sub(r"\d+", "", b)[:12]


class Shrinker:
    def __init__(self, case, kind, oracle, weir, tmp, seconds=25):
        self.case, self.kind, self.oracle, self.weir, self.path = case, kind, oracle, weir, os.path.join(tmp, "shrink.test")
        self.until = time.monotonic() + seconds

    def fails(self):
        c = self.case
        if time.monotonic() > self.until:
            return False
        keep = c.want, c.late, c.n_bad
        if not c.answer(self.oracle.ask(c.setup(), c.questions())):
            c.want, c.late, c.n_bad = keep
            return False
        with open(self.path, "w") as f:
            f.write(c.text())
        why = scenarios.run(self.weir, [self.path], 8).get(self.path)
        if why and alike(kind_of(why), self.kind):
            self.why = why
            return True
        c.want, c.late, c.n_bad = keep
        return False

    def rows(self):
        for t in self.case.tables:
            n = max(len(t.rows) // 2, 1)
            while n:
                at = 0
                while at < len(t.rows):
                    keep = t.rows
                    t.rows = keep[:at] + keep[at + n:]
                    if not self.fails():
                        t.rows = keep
                        at += n
                n //= 2

    def query(self):
        changed = True
        while changed and time.monotonic() < self.until:
            changed = False
            for node in list(self.case.body.walk()):
                for parts in self.simpler(node):
                    keep = node.parts, node.sep
                    node.parts, node.sep = parts, node.sep if node.kind == "l" else None
                    if self.fails():
                        changed = True
                        break
                    node.parts, node.sep = keep

    @staticmethod
    def simpler(node):
        if node.kind == "o" and node.parts:
            yield []
        if node.kind == "l" and len(node.parts) > 1:
            for i in range(len(node.parts)):
                yield node.parts[:i] + node.parts[i + 1:]
        if node.kind == "e":
            size = len(node.text(False))
            for n in node.walk():
                if n is not node and n.kind == "e" and n.type == node.type and len(n.text(False)) < size:
                    yield [n]
            simple = {"b": "TRUE", "i": "1", "s": "'a'", "n": "1.5"}.get(node.type)
            if simple and size > len(simple) + 6:
                yield [simple]

    def run(self):
        self.why = None
        if not self.kind.startswith("error"):
            self.rows()
        self.query()
        self.rows()
        self.until = time.monotonic() + 30
        if self.fails():
            return self.why


def shrink_columns(case):
    """Output columns can go with their expressions: the names that stay are those that are still there."""
    names = set(re.findall(r"AS (c\d+)\b", case.body.text(False)))
    case.cols = [c for c in case.cols if c[0] in names]


def make_round(seed, avoid, only):
    tables, calm = sqlgen.make_tables(seed)
    cases = []
    for i in range(PER_ROUND):
        if only is not None and i != only:
            continue
        rng = random.Random(seed * 1000 + i)
        gen = sqlgen.Gen(rng, tables, avoid, calm)
        body, cols, ordered = gen.statement()
        cases.append(Case(seed, i, tables, gen, body, cols, ordered, rng))
    return cases


class Run:
    def __init__(self, args, oracle, tmp):
        self.args, self.oracle, self.tmp = args, oracle, tmp
        self.avoid = set(filter(None, args.avoid.split(",")))
        self.passed = self.failed = self.silent = 0
        self.clean, self.refused, self.seen = collections.Counter(), collections.Counter(), collections.Counter()

    def done(self):
        return self.passed + self.failed + self.silent + sum(self.refused.values())

    def put(self, name, text):
        path = os.path.join(self.tmp, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def generated(self, seed):
        """{path: case}: queries with PostgreSQL's answers."""
        cases = make_round(seed, self.avoid, self.args.only)
        answers = self.oracle.ask(cases[0].setup(), [q for c in cases for q in c.questions()]) if cases else []
        if self.args.show:
            print(self.oracle.errors)
        out = {}
        for i, c in enumerate(cases):
            if c.answer(answers[3 * i:3 * i + 3]):
                out[self.put("q%d.test" % c.index, c.text())] = c
            else:
                self.silent += 1
        return out

    def others(self, seed):
        """{path: kind}: queries with the answers of SQLite or of the definitions."""
        out = {}
        for module, (kinds, n) in OTHERS.items():
            for i in range(n if kinds and self.args.only is None else 0):
                kind, text = scenarios.case(module, kinds, seed, i)
                if text is None:
                    self.silent += 1
                else:
                    out[self.put("%s_%d_%d.test" % (module, seed, i), text)] = "%s %s" % (module, kind)
        return out

    def fail(self, path, kind, why, c):
        self.failed += 1
        self.seen[kind] += 1
        if self.seen[kind] > 3:
            return
        name = os.path.join(self.args.keep, os.path.basename(path) if isinstance(c, str) else "s%d_%d.test" % (c.seed, c.index))
        shutil.copy(path, name)
        small = None
        if not isinstance(c, str) and (self.seen[kind] == 1 or kind.startswith("expected")):
            small = Shrinker(c, kind, self.oracle, self.args.weir, self.tmp).run()
        if small:
            name = name.replace(".test", ".small.test")
            shutil.copy(os.path.join(self.tmp, "shrink.test"), name)
        print("--- %s\n%s\n%s" % (name, small or why, c if isinstance(c, str) else c.body.text(False)), flush=True)

    def round(self, seed):
        by_path = {**self.generated(seed), **self.others(seed)}
        why = scenarios.run(self.args.weir, list(by_path), 60) if by_path else {}
        for path, c in by_path.items():
            if path not in why:
                self.passed += 1
                self.clean.update([c] if isinstance(c, str) else sorted(c.gen.uses))
                continue
            kind = kind_of(why[path])
            if kind.startswith("error") and REFUSALS.search(kind):
                self.refused[kind] += 1
            else:
                self.fail(path, kind, why[path], c)

    def told(self):
        return "%d passed, %d failed, %d refused, %d without an answer" % (self.passed, self.failed, sum(self.refused.values()), self.silent)


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=int(time.time()) % 1_000_000)
    ap.add_argument("--seconds", type=float)
    ap.add_argument("--queries", type=int)
    ap.add_argument("--only", type=int)
    ap.add_argument("--failures", type=int, default=10, help="stop after so many different ones")
    ap.add_argument("--avoid", default="")
    ap.add_argument("--weir", default=os.environ.get("WEIR", os.path.join(ROOT, "build", "release", "weir")))
    ap.add_argument("--keep", default=os.path.join(ROOT, "build", "fuzz-sql"))
    ap.add_argument("--show", action="store_true")
    a = ap.parse_args()
    if a.seconds is None and a.queries is None:
        a.seconds = 60
    a.weir = os.path.abspath(a.weir)
    os.makedirs(a.keep, exist_ok=True)
    begin = told = time.monotonic()
    with postgres.shared() as pg, tempfile.TemporaryDirectory() as tmp:
        run, seed = Run(a, Oracle(pg.url), tmp), a.seed
        while not (a.seconds and time.monotonic() - begin > a.seconds) and not (a.queries and run.done() >= a.queries):
            run.round(seed)
            seed += 1
            if time.monotonic() - told > 30:
                told = time.monotonic()
                print("seed %d: %s, %.0f a minute" % (seed, run.told(), run.passed * 60 / (told - begin)), flush=True)
            if len(run.seen) >= a.failures or a.only is not None:
                break
    for kind, n in run.refused.most_common(30):
        print("refused %d times: %s" % (n, kind))
    for kind, n in run.seen.most_common():
        print("failed %d times: %s" % (n, kind))
    print("clean by what they use: " + ", ".join("%s %d" % kn for kn in sorted(run.clean.items())))
    print("seeds %d to %d: %s" % (a.seed, seed - 1, run.told()))
    return run.failed > 0


if __name__ == "__main__":
    sys.exit(main())

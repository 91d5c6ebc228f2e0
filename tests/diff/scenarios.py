"""scenarios.py: what the comparisons of this folder share: a random query with its rows and the answer of an independent program becomes a scenario file
(docs/testing.md) that runs once, cut and interrupted at random; many of them go through one `weir test`.

A module that has kinds of its own (windows.py, joins.py, over.py, match.py) gives functions of a random generator that make such a text, or None."""
import argparse, json, os, random, re, subprocess, sys, tempfile
from decimal import Decimal

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


def value(v):
    if isinstance(v, Decimal):
        return str(v)
    if isinstance(v, float) and v == int(v):
        return str(int(v))
    return json.dumps(v, ensure_ascii=False)


def line(row):
    """A JSON object, members in order; decimals with their digits."""
    return "{%s}" % ", ".join("%s: %s" % (json.dumps(k), value(v)) for k, v in row.items())


def make(rng, title, sql, inputs, expect, late=0):
    """inputs: [(source, [lines])], of each source in order of arrival; expect: lines."""
    vary = "" if rng.random() < 0.03 else " vary=%d" % rng.randrange(1, 1 << 32)
    out = [title, "==== sql" + vary, sql]
    queue = [(name, list(lines)) for name, lines in inputs]
    if len(queue) == 1:
        out += ["==== input %s" % queue[0][0]] + queue[0][1]
    else:
        while any(lines for _, lines in queue):
            name, lines = rng.choice([q for q in queue if q[1]])
            n = rng.choice([1, 2, 5, 30])
            out += ["==== input %s" % name] + lines[:n]
            del lines[:n]
    return "\n".join(out + ["==== expect"] + expect + ["==== counts", "late = %s" % late, ""])


def run(weir, paths, timeout):
    """{path: why it failed}; a path that is missing passed."""
    try:
        p = subprocess.run([weir, "test"] + paths, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace", timeout=timeout)
        out, rc = p.stdout, p.returncode
    except subprocess.TimeoutExpired:
        out, rc = "", None
    if rc in (0, 1) and re.search(r"^\d+ passed, \d+ failed$", out, re.M):
        failed, at = {}, None
        for text in out.split("\n"):
            m = re.match(r"(FAILED|ok    ) (\S+\.test)\b", text)
            if m:
                at = m.group(2) if m.group(1) == "FAILED" else None
                if at:
                    failed[at] = text + "\n"
            elif at:
                failed[at] += text + "\n"
        return failed
    if len(paths) == 1:
        return {paths[0]: "hangs\n" if rc is None else "ends with %s\n%s" % (rc, out[-3000:])}
    failed, half = {}, len(paths) // 2
    for some in (paths[:half], paths[half:]):
        failed.update(run(weir, some, max(timeout / 2, 4)))
    return failed


def case(module, kinds, seed, i, only=None):
    """Scenario i of a seed: the same wherever it is made."""
    rng = random.Random("%s %d %d" % (module, seed, i))
    kind = only or rng.choice(sorted(kinds))
    text = kinds[kind](rng)
    return kind, text and text.replace("\n", " (%s, seed %d, %d)\n" % (module, seed, i), 1)


def main(module, kinds):
    """--rounds N scenarios of a seed; what fails stays in --keep."""
    ap = argparse.ArgumentParser()
    ap.add_argument("--seed", type=int, default=1)
    ap.add_argument("--rounds", type=int, default=300)
    ap.add_argument("--only", choices=sorted(kinds))
    ap.add_argument("--weir", default=os.environ.get("WEIR", os.path.join(ROOT, "build", "release", "weir")))
    ap.add_argument("--keep", default=os.path.join(ROOT, "build", "fuzz-sql"))
    a = ap.parse_args()
    os.makedirs(a.keep, exist_ok=True)
    passed = failed = skipped = 0
    with tempfile.TemporaryDirectory() as tmp:
        for start in range(0, a.rounds, 60):
            texts = {}
            for i in range(start, min(start + 60, a.rounds)):
                text = case(module, kinds, a.seed, i, a.only)[1]
                if text is None:
                    skipped += 1
                    continue
                path = os.path.join(tmp, "%s_%d_%d.test" % (module, a.seed, i))
                with open(path, "w") as f:
                    f.write(text)
                texts[path] = text
            why = run(os.path.abspath(a.weir), list(texts), 60) if texts else {}
            passed += len(texts) - len(why)
            failed += len(why)
            for path, text in why.items():
                with open(os.path.join(a.keep, os.path.basename(path)), "w") as f:
                    f.write(texts[path])
                print("--- %s\n%s" % (os.path.join(a.keep, os.path.basename(path)), text))
            if failed >= 5:
                break
    print("%d passed, %d failed%s" % (passed, failed, ", %d without an answer" % skipped if skipped else ""))
    return failed > 0

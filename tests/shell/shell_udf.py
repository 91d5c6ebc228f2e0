"""shell_udf.py: functions in C: the example docs/udf/geo.c and one that misbehaves, built with the compiler at hand; a server takes none over HTTP.
Expected distances by hand: one degree of a great circle of 6371 km is 2 pi 6371 / 360 = 111.194926... km.
"""
import json
import math
import os
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))
WEIR = os.environ["WEIR"]
DIR = tempfile.mkdtemp(prefix="weir-udf-")
FAILED = []
WRONG = """
#include "weir_udf.h"
static void eval(const struct weir_udf_call *c)
{
    for (uint32_t k = 0; k < c->n_row; k++)
        ((int64_t *)c->out)[c->row[k]] = 5000000000;
}
static void text(const struct weir_udf_call *c)
{
    for (uint32_t k = 0; k < c->n_row; k++)
        ((struct weir_udf_text *)c->out)[c->row[k]] = (struct weir_udf_text){"\\xff", 1};
}
const struct weir_udf wide = {.abi = WEIR_UDF_ABI, .ret = WEIR_UDF_INTEGER, .n_arg = 1, .arg = {WEIR_UDF_BIGINT}, .eval = eval};
const struct weir_udf broken = {.abi = WEIR_UDF_ABI, .ret = WEIR_UDF_TEXT, .n_arg = 1, .arg = {WEIR_UDF_BIGINT}, .eval = text};
const struct weir_udf newer = {.abi = 99, .ret = WEIR_UDF_TEXT, .n_arg = 1, .arg = {WEIR_UDF_BIGINT}, .eval = text};
"""
GEO = """CREATE FUNCTION geo_km(a DOUBLE, b DOUBLE, c DOUBLE, d DOUBLE) RETURNS DOUBLE LANGUAGE c AS '%s/libgeo.so', 'geo_km';
CREATE FUNCTION mask(t TEXT, shown BIGINT) RETURNS TEXT LANGUAGE c AS '%s/libgeo.so', 'mask';
""" % (DIR, DIR)


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def build(cc, source, name):
    subprocess.run([cc, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-I", os.path.join(ROOT, "core"), "-o", os.path.join(DIR, name), source, "-lm"], check=True)


def weir(sql):
    done = subprocess.run([WEIR, "-o", "ndjson", "-c", sql], capture_output=True, text=True, timeout=60)
    return done.returncode, [json.loads(l) for l in done.stdout.splitlines()], done.stderr


def example():
    for batch in (1, 1024):
        code, rows, err = weir("SET batch_rows = %d;\n" % batch + GEO +
                               "SELECT id, geo_km(lat, 0, 0, 0) AS km, mask(card, 4) AS card FROM (VALUES (1, 1.0, '1234567890'), (2, NULL, NULL), (3, 90, '12'), (4, 91, 'x'))"
                               " AS t (id, lat, card);")
        degree = 2 * math.pi * 6371 / 360
        check("exit", code, 0)
        check("rows", [(r["id"], r["card"]) for r in rows], [(1, "******7890"), (2, "?"), (3, None)])
        check("km", [r["km"] if r["km"] is None else abs(r["km"] - w) < 1e-6 for r, w in zip(rows, (degree, 0, 90 * degree))], [True, None, True])
        check("the bad row is counted", "a latitude is between -90 and 90" in err, True)
    code, rows, err = weir(GEO + "CREATE VIEW v AS SELECT mask('abc', 1) AS m; SELECT m, count(*) AS n FROM v GROUP BY m;")
    check("constants, views", (code, [(r["m"], r["n"]) for r in rows]), (0, [("**c", 1)]))


def wrong():
    lib = os.path.join(DIR, "libwrong.so")
    head = "CREATE FUNCTION f(x BIGINT) RETURNS %s LANGUAGE c AS '" + lib + "', '%s'; "
    for ret, symbol, says in (("INTEGER", "wide", "the function's result is no INTEGER"), ("TEXT", "broken", "the function's result is not UTF-8")):
        code, rows, err = weir(head % (ret, symbol) + "SELECT f(x) AS y FROM (VALUES (1)) AS t (x);")
        check(symbol, (code, rows, says in err), (0, [], True))
    for sql, says in ((head % ("TEXT", "newer"), "it says ABI 99, weir has 1"), (head % ("TEXT", "nothing"), 'has no symbol "nothing"'),
                      (head % ("DOUBLE", "wide"), "the library's function is (BIGINT) RETURNS INTEGER"),
                      ("CREATE FUNCTION f(x BIGINT) RETURNS TEXT LANGUAGE c AS '/nowhere.so', 'f';", "cannot be loaded"),
                      ("CREATE FUNCTION f(x BIGINT) RETURNS TEXT LANGUAGE c AS 'x.so';", "a function in C needs library and symbol")):
        code, rows, err = weir(sql)
        check(says, (code, says in err), (2, True))


def server():
    import served
    s = served.Server(os.path.join(DIR, "data"))
    status, said = s.sql(GEO)
    check("over HTTP", (status // 100, "functions in C cannot be made here" in json.dumps(said)), (4, True))
    s.stop()


def main():
    cc = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
    if not cc:
        sys.exit(77)
    try:
        with open(os.path.join(DIR, "wrong.c"), "w") as f:
            f.write(WRONG)
        build(cc, os.path.join(ROOT, "docs", "udf", "geo.c"), "libgeo.so")
        build(cc, os.path.join(DIR, "wrong.c"), "libwrong.so")
        example()
        wrong()
        server()
    finally:
        shutil.rmtree(DIR, ignore_errors=True)
    sys.exit(1 if FAILED else 0)


main()

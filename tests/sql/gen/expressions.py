"""expressions.py: writes tests/sql/expr/*.test. Expected values come from PostgreSQL, whose meaning of expressions weir follows.

Run:  python3 tests/sql/gen/expressions.py      (needs PostgreSQL's server programs; starts its own, see tests/fixtures/postgres.py)

Each table has columns (name, type in weir, type in PostgreSQL), rows as JSON, and expressions over the columns. An expression is text that means
the same in both, or a pair (weir, PostgreSQL) where only the spelling differs.
"""
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "fixtures"))
import postgres
import proc

ICU = '%s(s COLLATE "C.utf8")'     # the server's own locale is C
OUT = os.path.join(HERE, "..", "expr")

TABLES = [
    dict(name="integers", title="Arithmetic and comparison of integers",
         columns=[("a", "BIGINT", "bigint"), ("b", "INTEGER", "int")],
         rows=[(7, 3), (-7, 3), (7, -3), (-7, -3), (0, 5), (None, 3), (4, None), (None, None), (9223372036854775807, 1), (2147483648, 2147483647)],
         exprs=["a / b", "a % b", "a - b", "b - a", "-b", "abs(b)", "a = b", "a <> b", "a < b", "a <= b", "a > b", "a >= b", "a IS NULL", "a IS NOT NULL",
                "a IS DISTINCT FROM b", "a IS NOT DISTINCT FROM b", "a BETWEEN -7 AND 7", "a NOT BETWEEN 0 AND b", "a IN (7, 0)", "a NOT IN (7, 0)",
                "a IN (7, NULL)", "coalesce(a, b, -1)", "nullif(a, 7)", "greatest(a, b)", "least(a, b, 0)", "sign(b)", "mod(a, b)",
                "a > 0 AND b > 0", "a > 0 OR b > 0", "NOT a > 0", "(a > 0) IS TRUE", "(a > 0) IS NOT TRUE",
                "(a > 0) IS FALSE", "(a > 0) IS UNKNOWN", "CASE WHEN a > b THEN 'more' WHEN a < b THEN 'less' WHEN a = b THEN 'same' END",
                "CASE b WHEN 3 THEN 'three' WHEN 5 THEN 'five' ELSE 'other' END", "1 + 2 * (b % 1000) - 4", "(1 + 2) * (b % 10)", "b - 2 - 1", "12 / 3 / 2"]),
    dict(name="decimals", title="Exact arithmetic of decimals, rounding half away from zero",
         columns=[("d", "DECIMAL(12,2)", "numeric(12,2)"), ("e", "DECIMAL(10,4)", "numeric(10,4)")],
         rows=[("10.50", "0.0001"), ("-2.50", "1.5000"), ("0.005", "2.0000"), ("9999999999.99", "999999.9999"), ("-0.01", "-0.0050"), (None, "1"), ("3", None),
               ("1.25", "0.3333")],
         exprs=["d + e", "d - e", "d * e", "round(d / nullif(e, 0), 6)", "round(d, 1)", "round(d)", "round(-d, 1)", "trunc(d, 1)", "trunc(d)", "floor(d)",
                "ceil(d)", "abs(d)", "-d", "d % 3", "sign(d)", "d = e", "d < e", "greatest(d, e)", "least(d, e)", "d * 2", "d + 1", "d > 2.5",
                "CAST(e AS DECIMAL(10,1))", "CAST(e AS BIGINT)", "CAST(d AS TEXT)", "CAST(d AS DOUBLE PRECISION)",
                "e IN (1.5, 2)", "d BETWEEN -3 AND 3", "0.1 + 0.2", "0.1 + 0.2 = 0.3", "1.10 = 1.1", "CAST('1.005' AS DECIMAL(10,2))", "d * d * d"]),
    dict(name="doubles", title="Floating point: shortest digits, infinities, NaN",
         columns=[("x", "DOUBLE", "float8"), ("y", "DOUBLE", "float8")],
         rows=[(1.5, 2.0), (0.1, 0.2), (-2.5, 3.0), (1e15, 1e-7), (1e300, 1e5), (None, 1.0), (4.0, None), (0.0, -0.5), (3.0, 1e22)],
         exprs=["x + y", "x - y", "x * 2", "x / nullif(y, 0)", "-y", "abs(x)", "floor(x)", "ceil(x)", "round(x)", "trunc(x)", "sign(x)", "x = y", "x < y",
                "sqrt(abs(y))", "power(y, 2)", "x IN (1.5, 4)", "CAST(x AS TEXT)", "CAST('NaN' AS DOUBLE PRECISION) = CAST('NaN' AS DOUBLE PRECISION)",
                "CAST('NaN' AS DOUBLE PRECISION) > x", "CAST('Infinity' AS DOUBLE PRECISION)", "CAST('-Infinity' AS DOUBLE PRECISION) < x", "CAST('NaN' AS DOUBLE PRECISION)",
                "greatest(x, y)", "least(x, y)", "degrees(pi())", "x + 1", "1 - x", "CAST(y AS DECIMAL(30,7))"]),
    dict(name="text", title="Text functions count characters, not bytes",
         columns=[("s", "TEXT", "text"), ("t", "TEXT", "text"), ("n", "INTEGER", "int")],
         rows=[("Weir", "e", 2), ("São Paulo", "ão", 3), ("", "x", 1), ("  padded  ", "d", 4), ("a,b,,c", ",", 2), (None, "x", 1), ("日本語テキスト", "本", 2),
               ("O'Brien", "'", 5), ("100%_sure", "%", 0), ("line\nbreak\ttab", "\n", 3), ("naïve café", "é", -2)],
         exprs=[("upper(s)", ICU % "upper"), ("lower(s)", ICU % "lower"), ("initcap(s)", ICU % "initcap"), "length(s)", "char_length(s)", "octet_length(s)", "s || '-' || t", "concat(s, t, n)", "concat_ws('/', s, t, NULL, n)",
                "substring(s FROM 2 FOR 3)", "substr(s, n)", "substring(s, 1, 2)", "left(s, n)", "right(s, n)", "trim(s)", "ltrim(s)", "rtrim(s)", "btrim(s, ' a')",
                "trim(LEADING 'W' FROM s)", "trim(BOTH 'a' FROM s)", "position(t IN s)", "strpos(s, t)", "replace(s, t, '_')", "reverse(s)", "repeat(t, 3)", "lpad(s, 6, '*')", "rpad(s, 6, 'xy')",
                "split_part(s, ',', 2)", "split_part(s, ',', -1)", "starts_with(s, 'W')", "s LIKE '%a%'", "s LIKE '_eir'", "s NOT LIKE '%a%'", "s ILIKE 'w%'", "s LIKE '100\\%%'",
                "s LIKE '100#%%' ESCAPE '#'", "translate(s, 'aei', 'AE')", "ascii(s)", "overlay(s PLACING 'XX' FROM 2 FOR 1)", "s < t", "s = s || ''", "coalesce(s, 'none')", "nullif(s, '')",
                "md5(s)", "chr(65 + abs(n))", "to_hex(abs(n) + 254)", "quote_literal(s)", "s > ''", "CAST(n AS TEXT) || s", "encode(sha256(CAST(t AS BYTEA)), 'hex')"],
         weir={"encode(sha256(CAST(t AS BYTEA)), 'hex')": "sha256(t)"}),
    dict(name="regex", title="Regular expressions",
         columns=[("s", "TEXT", "text")],
         rows=[("order-123",), ("Order-45 order-6",), ("none",), ("",), (None,), ("a.b.c",), ("2025-11-28",)],
         exprs=["s ~ '[0-9]+'", "s !~ '[0-9]+'", "s ~* 'ORDER'", "s !~* 'order'", "regexp_replace(s, '[0-9]+', '#')", "regexp_replace(s, '[0-9]+', '#', 'g')",
                "regexp_replace(s, '([a-z])-([0-9])', '\\2-\\1')", "substring(s FROM '[0-9]+')", "regexp_substr(s, '[0-9]+')", "regexp_count(s, '[0-9]')", "regexp_like(s, '^[a-z]')",
                "s ~ '^\\d{4}-\\d\\d-\\d\\d$'", "regexp_replace(s, '\\.', '', 'g')"]),
    dict(name="times", title="Timestamps and dates: parts, truncation, arithmetic",
         columns=[("ts", "TIMESTAMP", "timestamp"), ("u", "TIMESTAMP", "timestamp"), ("d", "DATE", "date")],
         rows=[("2025-11-28T12:34:56.789012", "2025-11-28T00:00:00", "2025-11-28"), ("1969-12-31T23:59:59.999999", "1970-01-01T00:00:00", "1969-12-31"),
               ("2024-02-29T06:00:00", "2023-02-28T06:00:00", "2024-02-29"), ("0001-01-01T00:00:00", "9999-12-31T23:59:59.999999", "0001-01-01"),
               (None, "2025-01-01T00:00:00", None), ("2020-12-31T23:59:60", "2021-01-03T00:00:00", "2020-12-31"), ("2000-01-01T00:00:00", None, "9999-12-31")],
         exprs=["extract(year FROM ts)", "extract(month FROM ts)", "extract(day FROM ts)", "extract(hour FROM ts)", "extract(minute FROM ts)", "extract(second FROM ts)",
                "extract(dow FROM ts)", "extract(isodow FROM ts)", "extract(doy FROM ts)", "extract(week FROM ts)", "extract(isoyear FROM ts)", "extract(quarter FROM ts)",
                "extract(epoch FROM ts)", "extract(milliseconds FROM ts)", "extract(microseconds FROM ts)", "extract(century FROM ts)", "extract(decade FROM ts)",
                "extract(year FROM d)", "extract(week FROM d)", "date_trunc('hour', ts)", "date_trunc('day', ts)", "date_trunc('week', ts)", "date_trunc('month', ts)",
                "date_trunc('quarter', ts)", "date_trunc('year', ts)", "date_trunc('second', ts)", "date_trunc('millisecond', ts)", "ts < u", "ts = u",
                "CAST(ts AS DATE)", "CAST(d AS TIMESTAMP)", "CAST(ts AS TIME)", "d = CAST(ts AS DATE)", "to_char(ts, 'YYYY-MM-DD HH24:MI:SS.US')",
                "to_char(ts, 'Dy DD Mon YYYY')", "to_char(ts, 'HH12:MI AM')", "to_char(ts, 'IYYY-IW')", "d - DATE '2020-01-01'", "DATE '2024-02-28' + 1", "TIMESTAMP '2025-01-31 00:00:00' + INTERVAL '1 month'",
                "TIMESTAMP '2025-03-31 00:00:00' - INTERVAL '1 month'", "TIMESTAMP '2025-01-01 00:00:00' + INTERVAL '1' DAY * 2", "DATE '2025-01-01' < DATE '2025-01-02'",
                "greatest(ts, u)", "coalesce(ts, u)", "CAST('2025-02-28 23:59:59.5' AS TIMESTAMP)", "TIMESTAMP '2025-01-01 12:00:00' BETWEEN u AND ts",
                "make_date(2025, 2, 28)", "to_date('28.11.2025', 'DD.MM.YYYY')", "age(TIMESTAMP '2025-03-01', TIMESTAMP '2024-02-29')"]),
    dict(name="zones", title="Times with a zone",
         columns=[("z", "TIMESTAMPTZ", "timestamptz"), ("ts", "TIMESTAMP", "timestamp")],
         rows=[("2025-07-01T12:00:00+02:00", "2025-07-01T12:00:00"), ("2025-03-30T00:59:59Z", "2025-03-30T02:30:00"), ("2025-03-30T01:00:00Z", "2025-03-30T03:00:00"),
               ("2025-10-26T00:30:00Z", "2025-10-26T02:30:00"), ("2025-10-26T01:30:00Z", "2025-10-26T03:30:00"), (None, None), ("1999-12-31T23:59:59.5-03:30", "1999-12-31T23:59:59.5")],
         exprs=["z AT TIME ZONE 'Europe/Berlin'", "z AT TIME ZONE 'UTC'", "z AT TIME ZONE 'America/Sao_Paulo'", "ts AT TIME ZONE 'Europe/Berlin'", "ts AT TIME ZONE 'UTC'", "z = TIMESTAMPTZ '2025-07-01 10:00:00+00'",
                "extract(epoch FROM z)", "CAST(z AS TIMESTAMP)", "date_trunc('day', z, 'Europe/Berlin')", "to_timestamp(0)", "to_timestamp(1.5)"]),
    dict(name="casts", title="Casts from text and to text",
         columns=[("s", "TEXT", "text")],
         rows=[("42",), ("-7",), ("0",), ("  12  ",), (None,), ("2147483647",)],
         exprs=["CAST(s AS INTEGER)", "CAST(s AS BIGINT) + 1", "CAST(s AS DOUBLE PRECISION) / 2", "CAST(s AS DECIMAL(12,2))", "s::INTEGER", "s::TEXT || '!'", "CAST(CAST(s AS INTEGER) AS BOOLEAN)",
                "CAST(CAST(s AS INTEGER) > 0 AS TEXT)", "CAST('t' AS BOOLEAN)", "CAST('off' AS BOOLEAN)", "CAST('yes' AS BOOLEAN)", "CAST(1.5 AS INTEGER)", "CAST(2.5 AS INTEGER)", "CAST(-2.5 AS INTEGER)",
                "CAST(CAST(2.5 AS DOUBLE PRECISION) AS INTEGER)", "CAST(CAST(3.5 AS DOUBLE PRECISION) AS INTEGER)", "CAST('abcdef' AS VARCHAR(3))", "CAST('a' AS CHAR(1))", "CAST('1e3' AS DOUBLE PRECISION)",
                "CAST(TRUE AS INTEGER)", "CAST('12:34:56' AS TIME)", "CAST('2025-01-02' AS DATE)", "CAST('{\"a\": 1}' AS JSON)", "CAST(1.10 AS TEXT)", "CAST(DATE '2025-01-02' AS TEXT)"]),
    dict(name="json_operators", title="JSON operators and functions",
         columns=[("j", "JSON", "json")],
         rows=[({"a": 1, "b": {"c": "x", "d": [1, 2, {"e": None}]}, "t": True},), ([10, "twenty", None],), ({"a": "text", "b": None},), (None,), ("plain",), (12.50,)],
         exprs=["j -> 'a'", "j ->> 'a'", "j -> 'b' -> 'c'", "j -> 'b' ->> 'c'", "j -> 0", "j ->> 1", "j -> -1", "j #> '{b,d,1}'", "j #>> '{b,d,1}'", "j ->> 'missing'", "(j ->> 'a') IS NULL",
                "json_typeof(j)", "json_typeof(j -> 'b')"]),
]


def pg_type_of(cell_type):
    return {"smallint": "int", "integer": "int", "bigint": "int", "numeric": "num", "double precision": "float", "boolean": "bool", "text": "text",
            "character varying": "text", "character": "text", "timestamp without time zone": "ts", "timestamp with time zone": "tz", "date": "date",
            "time without time zone": "time", "interval": "text", "json": "json", "jsonb": "json"}[cell_type]


def stamp(text, zone):
    """PostgreSQL's ISO form as weir prints times: milliseconds, microseconds where there are any."""
    if zone:
        assert text.endswith("+00"), text
        text = text[:-3]
    if text.endswith(" BC"):
        return None
    day, clock = text.split(" ")
    whole, _, frac = clock.partition(".")
    frac = frac.ljust(3, "0") if len(frac) <= 3 else frac.ljust(6, "0")
    return json.dumps("%sT%s.%sZ" % (day, whole, frac))


def as_weir(kind, text):
    if text is None:
        return "null"
    if kind in ("int", "num"):
        return text
    if kind == "float":
        return json.dumps(text) if text in ("NaN", "Infinity", "-Infinity") else text
    if kind == "bool":
        return "true" if text == "t" else "false"
    if kind in ("ts", "tz"):
        return stamp(text, kind == "tz")
    if kind == "json":
        return text
    return json.dumps(text, ensure_ascii=False)


def quote(v):
    return "NULL" if v is None else "'" + str(v).replace("'", "''") + "'"


def cell(v, weir_type):
    if weir_type == "JSON" and v is not None:
        return json.dumps(v)
    return v


def pg_cell(v, weir_type, pg):
    if weir_type == "JSON" and v is not None:
        v = json.dumps(v)
    return "CAST(%s AS %s)" % (quote(v), pg)


def input_value(v, weir_type):
    if v is None:
        return "null"
    if weir_type.startswith("DECIMAL"):
        return v
    return json.dumps(v, ensure_ascii=False)


def ask(pg, exprs, source):
    """Value as text and type of each expression over one row."""
    try:
        row = pg.rows("SELECT %s FROM %s" % (", ".join(
            "CAST(%s AS TEXT) AS v%d, pg_typeof(%s) AS t%d" % (e, i, e, i) for i, (_, e) in enumerate(exprs)), source))[0]
        return [{"v": row["v%d" % i], "t": row["t%d" % i]} for i in range(len(exprs))]
    except proc.FixtureError:
        for _, e in exprs:
            try:
                pg.rows("SELECT CAST(%s AS TEXT) FROM %s" % (e, source))
            except proc.FixtureError as error:
                print("%s over %s: %s" % (e, source, error), file=sys.stderr)
        raise SystemExit("an expression that PostgreSQL refuses for a row belongs into a test of bad rows")


def write(pg, t):
    exprs = [(e, e) if isinstance(e, str) else e for e in t["exprs"]]
    exprs = [(t.get("weir", {}).get(w, w), p) for w, p in exprs]
    names = ["e%02d" % i for i in range(len(exprs))]
    rows = []
    for no, row in enumerate(t["rows"]):
        source = "(SELECT %s) AS r" % ", ".join("%s AS %s" % (pg_cell(v, w, p), n) for v, (n, w, p) in zip(row, t["columns"]))
        want = ['"no": %d' % no]
        for name, got in zip(names, ask(pg, exprs, source)):
            kind = pg_type_of(got["t"].split("(")[0])
            if kind == "bool" and got["v"] is not None:
                got["v"] = got["v"][0]
            want.append('"%s": %s' % (name, as_weir(kind, got["v"])))
        rows.append("{%s}" % ", ".join(want))
    columns = ", ".join("%s %s" % (n, w) for n, w, _ in t["columns"])
    lines = ["%s; expected values by PostgreSQL (gen/expressions.py)" % t["title"], "==== sql",
             "CREATE SOURCE s (no INTEGER, %s) WITH (connector = 'kafka', brokers = 'b', topic = 't', format = 'json');" % columns,
             "SELECT no"]
    for name, (expr, _) in zip(names, exprs):
        lines.append("    , %s AS %s" % (expr, name))
    lines += ["FROM s;", "", "==== input s"]
    for no, row in enumerate(t["rows"]):
        lines.append("{%s}" % ", ".join(['"no": %d' % no] + ['"%s": %s' % (n, input_value(v, w)) for v, (n, w, _) in zip(row, t["columns"])]))
    lines += ["", "==== expect"] + rows
    with open(os.path.join(OUT, t["name"] + ".test"), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def main():
    os.makedirs(OUT, exist_ok=True)
    with postgres.shared() as pg:
        pg.sql("SET timezone = 'UTC'")
        for t in TABLES:
            write(pg, t)


if __name__ == "__main__":
    main()

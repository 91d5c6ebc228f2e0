#!/usr/bin/env python3
"""to_char, to_timestamp, to_date and AT TIME ZONE against PostgreSQL over a grid of formats, times and zones.

    python3 tests/diff/formats.py [--weir PATH] [--show N] [--only to_char|number|parse|zone]

Both compute the same expressions over the same VALUES and give the results as text. What one of them refuses the other must refuse too (there the row is
left out). Where PostgreSQL gives years before Christ (texts without a year), or two digits before the point of EEEE, weir does not follow, nor in abbreviations whose
offset has changed over the years (MSK); these are not in the grid. PG_URL names a server; without it one is started."""
import argparse, itertools, json, os, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tests", "fixtures"))
import postgres

TIMES = ["2025-11-28 12:34:56.789012", "2025-01-01 00:00:00", "1999-12-31 23:59:59.999999", "2024-02-29 13:05:09.000001", "2000-03-01 01:02:03.5",
         "1969-07-20 20:17:40", "2026-01-04 11:59:59.1", "2020-12-28 12:00:00", "0999-06-15 03:04:05"]
WORDS = ["YYYY", "YYY", "YY", "Y", "Y,YYY", "IYYY", "IYY", "IY", "I", "MM", "MON", "Mon", "mon", "MONTH", "Month", "month", "DD", "DDD", "D", "ID", "IDDD", "DAY", "Day",
         "day", "DY", "Dy", "dy", "W", "WW", "IW", "CC", "J", "Q", "RM", "rm", "HH", "HH12", "HH24", "MI", "SS", "SSSS", "SSSSS", "MS", "US", "FF1", "FF3", "FF6", "AM", "am",
         "PM", "P.M.", "a.m.", "AD", "BC", "A.D.", "FMMonth", "FMDD", "FMMM", "FMHH24", "FMYYYY", "FMDDD", "DDth", "DDTH", "FMDDth", "Dth", "YYYYth", "HH24:MI:SS",
         "YYYY-MM-DD\"T\"HH24:MI:SS.US", "\"week\" IW \"of\" IYYY", "DD/MM/YY HH12:MI AM", "FMDay, FMDD FMMonth YYYY", "Mon DD, YYYY", "YYYYMMDDHH24MISSMS", "Q\"Q\"YYYY",
         "TMMonth", "FMMS", "FMUS", "MI:SS.MS", "HH24h", "FXYYYY", "\\\"YYYY\\\"", "YYYY\\MM", "%YYYY%", "IYYY-IW-ID", "Month DD", "DayMonth", "FMDayMonth", "month", "SS.FF2"]
NUMBERS = ["0", "1", "-1", "12", "-12.5", "1234.567", "-1234567.891", "0.1", "0.05", "-0.5", "999.995", "123456789", "485", "0.00", "1e3", "99999"]
NUM_FORMATS = ["999", "9999", "999.99", "9,999.99", "0999", "0.00", "000.000", "FM999.99", "FM0.00", "FM9,999,999.00", "S999", "999S", "SG999", "MI999", "999MI", "PL999", "999PR",
               "FM999PR", "9G999D99", "L999", "9.99EEEE", "999V99", "RN", "FMRN", "999th", "FM999TH", "99999999.9999", "FM99999999.9999", "90.99", "FM90.99", "B999", "\"n=\"999",
               "S0.0", "FM9999999990", "999.", "FM999.", "9 9 9", "0,000", "$999", "FMS999D9", "999,999,999", "FM000"]
PARSE = [("2025-11-28", "YYYY-MM-DD"), ("28/11/2025 13:14:15", "DD/MM/YYYY HH24:MI:SS"), ("11/28/25", "MM/DD/YY"), ("28 Nov 2025", "DD Mon YYYY"), ("28 November 2025", "DD Month YYYY"),
         ("2025-11-28 01:02:03.456", "YYYY-MM-DD HH24:MI:SS.MS"), ("2025-11-28 01:02:03.456789", "YYYY-MM-DD HH24:MI:SS.US"), ("20251128010203", "YYYYMMDDHH24MISS"),
         ("2025 332", "YYYY DDD"), ("2025-48-5", "IYYY-IW-ID"), ("05:06 PM 2025-01-02", "HH12:MI AM YYYY-MM-DD"), ("12:00 AM 2025-01-02", "HH:MI AM YYYY-MM-DD"),
         ("2025-1-2", "YYYY-MM-DD"), (" 2025-01-02 ", "YYYY-MM-DD"), ("2025/01/02", "YYYY-MM-DD"), ("99", "YY"), ("69", "YY"), ("70", "YY"), ("1", "Y"), ("2025", "YYYY"),
         ("2025-13-01", "YYYY-MM-DD"), ("2025-02-30", "YYYY-MM-DD"), ("abc", "YYYY"), ("2025-06-15T10:20:30Z", "YYYY-MM-DD\"T\"HH24:MI:SS\"Z\""), ("2460000", "J"),
         ("2025-01-02 25:00", "YYYY-MM-DD HH24:MI"), ("2025-01-02 13:00", "YYYY-MM-DD HH12:MI"), ("VI 2025", "RM YYYY"), ("2,025-01", "Y,YYY-MM"),
         ("2025-01-02 03", "YYYY-MM-DD HH24"), ("20250102", "YYYYMMDD"), ("2025-01-02 03:04:05+02", "YYYY-MM-DD HH24:MI:SSTZH"),
         ("2025-01-02 03:04:05.1", "YYYY-MM-DD HH24:MI:SS.FF1"), ("2025Q2", "YYYY\"Q\"Q"), ("Friday 28 Nov 2025", "Day DD Mon YYYY"), ("2025-01-02 xx", "YYYY-MM-DD")]
NUMBERS_READ = [("12,454.8-", "99G999D9S"), ("-12.5", "S99.9"), ("-12.5", "99.9"), ("1,234,567.89", "9,999,999.99"), (" 42 ", "99"), ("<12>", "99PR"), ("0.5", "0.9"), ("123", "999"),
                ("0012", "0000"), ("$42", "L99"), ("1234", "9999")]
ZONES = ["UTC", "America/Sao_Paulo", "America/New_York", "Europe/Berlin", "Europe/Lisbon", "Asia/Kolkata", "Asia/Kathmandu", "Australia/Lord_Howe", "Pacific/Apia", "Pacific/Chatham",
         "Africa/Casablanca", "America/St_Johns", "Asia/Tokyo", "GMT", "Etc/GMT+5", "+03", "-05:30", "EST", "CET", "EST5EDT", "Europe/Dublin", "Antarctica/Troll",
         "CEST", "EET", "MET", "WET", "PST", "PDT", "CST", "BRT", "JST", "AEST", "NZDT", "IST", "HST"]
INSTANTS = ["2025-03-09 01:59:59", "2025-03-09 02:30:00", "2025-03-09 07:00:00", "2025-11-02 01:30:00", "2025-11-02 06:00:00", "2025-03-30 00:59:59", "2025-03-30 02:30:00", "2025-03-30 01:00:00",
            "2025-10-26 01:30:00", "2025-10-26 02:30:00", "2025-10-26 00:30:00", "2018-11-04 00:00:00", "2018-02-18 02:00:00", "2011-12-29 23:00:00", "2011-12-31 00:00:00", "1990-06-15 12:00:00",
            "2040-07-01 12:00:00", "1900-01-01 00:00:00", "2025-04-06 15:30:00", "2025-10-05 02:15:00", "2099-12-31 23:59:59.5"]


def lit(s):
    return "'" + s.replace("'", "''") + "'"


def cases(only):
    if only in (None, "to_char"):
        for t, f in itertools.product(TIMES, WORDS):
            yield "to_char", "to_char(TIMESTAMP %s, %s)" % (lit(t), lit(f))
        for i, f in itertools.product(["1 day 02:03:04", "36:15:07.5", "1 year 2 months 3 days", "00:00:00.000123"], ["HH24:MI:SS", "DD HH24:MI:SS.US", "YYYY-MM-DD", "HH12:MI", "MS", "FMHH24", "SSSS"]):
            yield "to_char", "to_char(INTERVAL %s, %s)" % (lit(i), lit(f))
    if only in (None, "number"):
        for v, f in itertools.product(NUMBERS, NUM_FORMATS):
            if f == "9.99EEEE" and v in ("999.995", "99999"):
                continue
            yield "number", "to_char(%s::%s, %s)" % (lit(v), "double precision" if "e" in v else "numeric(20,6)" if "." in v else "bigint", lit(f))
    if only in (None, "parse"):
        for s, f in PARSE:
            yield "parse", "to_timestamp(%s, %s) AT TIME ZONE 'UTC'" % (lit(s), lit(f))
            yield "parse", "to_date(%s, %s)" % (lit(s), lit(f))
        for s, f in NUMBERS_READ:
            yield "parse", "to_number(%s, %s)::double precision" % (lit(s), lit(f))
    if only in (None, "zone"):
        for t, z in itertools.product(INSTANTS, ZONES):
            yield "zone", "TIMESTAMP %s AT TIME ZONE %s AT TIME ZONE 'UTC'" % (lit(t), lit(z))
            yield "zone", "(TIMESTAMP %s AT TIME ZONE 'UTC') AT TIME ZONE %s" % (lit(t), lit(z))


def ask_postgres(pg, exprs):
    pg.sql("""create or replace function pg_temp_try(q text) returns text language plpgsql as
              $$ declare r text; begin execute 'select (' || q || ')::text' into r; return r; exception when others then return '!'; end $$""")
    out = []
    for i in range(0, len(exprs), 400):
        rows = ", ".join("(%d, %s)" % (k, lit(e)) for k, e in enumerate(exprs[i:i + 400]))
        out += [r["r"] for r in pg.rows("select pg_temp_try(q) as r from (values %s) v (i, q) order by i" % rows)]
    return out


def ask_weir(weir, exprs):
    """One SELECT for each, all of one file; a refused one is '!'."""
    out = []
    with tempfile.TemporaryDirectory() as where:
        for i in range(0, len(exprs), 40):
            part = exprs[i:i + 40]
            out += ask_part(weir, where, part)
    return out


def ask_part(weir, where, part):
    sql = " UNION ALL ".join("SELECT %d AS i, CAST(%s AS TEXT) AS r" % (k, e) for k, e in enumerate(part)) + ";"
    p = subprocess.run([weir, "-o", "ndjson", "-c", sql], capture_output=True, text=True, timeout=60)
    if p.returncode == 0:
        got = {o["i"]: o["r"] for o in map(json.loads, p.stdout.splitlines())}
        return [got.get(k, "!") for k in range(len(part))]
    if len(part) == 1:
        return ["!"]
    half = len(part) // 2
    return ask_part(weir, where, part[:half]) + ask_part(weir, where, part[half:])


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("--weir", default=os.environ.get("WEIR", os.path.join(ROOT, "build/release/weir")))
    ap.add_argument("--show", type=int, default=60)
    ap.add_argument("--only")
    a = ap.parse_args()
    kinds, exprs = zip(*cases(a.only))
    with postgres.shared() as pg:
        want = ask_postgres(pg, exprs)
    have = ask_weir(a.weir, exprs)
    bad = [(k, e, w, h) for k, e, w, h in zip(kinds, exprs, want, have) if w != h]
    for k, e, w, h in bad[:a.show]:
        print("%s\n  PostgreSQL %r\n  weir       %r" % (e, w, h))
    print("%d expressions, %d differences" % (len(exprs), len(bad)))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())

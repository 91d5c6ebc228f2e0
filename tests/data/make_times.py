#!/usr/bin/env python3
"""Writes times.txt: known answers for core/time.c from Python's datetime.

Run it in this folder to make the file anew:  python3 make_times.py > times.txt
Each line is: text, microseconds since 1970-01-01 UTC, ISO text as weir prints it. The seed is fixed."""
import random
from datetime import datetime, timedelta, timezone

rnd = random.Random(1128)
epoch = datetime(1970, 1, 1, tzinfo=timezone.utc)
low, high = datetime(1, 1, 3, tzinfo=timezone.utc), datetime(9999, 12, 29, tzinfo=timezone.utc)


def iso(t):
    text = t.strftime("%m-%dT%H:%M:%S")
    us = t.microsecond
    return "%04d-%s.%s" % (t.year, text, "%06d" % us if us % 1000 else "%03d" % (us // 1000)) + "Z"


def line(t, zone_minutes, digits, blank):
    t = t.replace(microsecond=t.microsecond // 10**(6 - digits) * 10**(6 - digits))
    local = t + timedelta(minutes=zone_minutes or 0)
    text = "%04d-%s" % (local.year, local.strftime("%m-%d" + ("_" if blank else "T") + "%H:%M:%S"))
    if digits:
        text += "." + ("%06d" % local.microsecond)[:digits]
    if zone_minutes is None:
        text += rnd.choice(["", "Z"])
    else:
        sign, z = "-" if zone_minutes < 0 else "+", abs(zone_minutes)
        forms = ["%s%02d:%02d" % (sign, z // 60, z % 60), "%s%02d%02d" % (sign, z // 60, z % 60)]
        if z % 60 == 0:
            forms.append("%s%02d" % (sign, z // 60))
        text += rnd.choice(forms)
    print(text, (t - epoch) // timedelta(microseconds=1), iso(t))


for _ in range(500):
    t = low + timedelta(microseconds=rnd.randrange((high - low) // timedelta(microseconds=1)))
    line(t, rnd.choice([None, None, 0, 60, -180, 330, -15 * 60 - 59, 14 * 60]), rnd.choice([0, 0, 3, 6, 1, 5]), rnd.random() < 0.3)
for year in [1, 4, 100, 400, 1600, 1899, 1900, 1969, 1970, 1972, 1999, 2000, 2024, 2025, 2100, 2400, 9999]:
    for month, day in [(1, 1), (2, 28), (3, 1), (12, 31)]:
        line(datetime(year, month, day, 23, 59, 59, 999999, tzinfo=timezone.utc), None, 6, False)
for year in [4, 400, 1972, 2000, 2024, 2400]:
    line(datetime(year, 2, 29, 12, tzinfo=timezone.utc), None, 0, False)

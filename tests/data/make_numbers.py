#!/usr/bin/env python3
"""Writes numbers.txt: known answers for core/decimal.c and core/number.c, computed with Python's integers, fractions and floats.

Run it in this folder to make the file anew:  python3 make_numbers.py > numbers.txt
Each line is: operation, arguments, expected result ("over": does not fit, "bad": not a number). The seed is fixed."""
import random
from fractions import Fraction

rnd = random.Random(20251128)
LIMIT = 10**38


def half_away(f):
    n, d = abs(f.numerator), f.denominator
    q = (2 * n + d) // (2 * d)
    return -q if f < 0 else q


def show(f, prec=38):
    v = half_away(f)
    return "over" if abs(v) >= 10**prec else str(v)


def some(max_digits=38):
    n = rnd.randint(0, max_digits)
    v = rnd.randint(0, 10**n - 1)
    if rnd.random() < 0.1:
        v = rnd.choice([0, 1, 10**n - 1, 10**(n - 1) if n else 1, 5 * 10**(n - 1) if n else 5, 2**64 - 1, 2**64, 2**63])
        v = min(v, LIMIT - 1)
    return -v if rnd.random() < 0.4 else v


def decimals():
    for _ in range(550):
        a, b, drop = some(), some(), rnd.choice([0, 0, 1, 2, 3, 6, 12, 19, 20, 38, 39, 45, 76])
        if rnd.random() < 0.5:
            a, b = some(20), some(18)
        print("mul", a, b, drop, show(Fraction(a * b, 10**drop)))
    for _ in range(750):
        a, b, up = some(), some(rnd.choice([38, 38, 20, 19, 10])), rnd.choice([0, 1, 2, 6, 12, 19, 20, 30, 38, 50, 76, -1, -5, -19, -38, -60])
        if b == 0:
            b = 1
        print("div", a, b, up, show(Fraction(a) * Fraction(10)**up / b))
    # quotient digits of the schoolbook division that are guessed too large: divisors just above a power of two
    for _ in range(200):
        b = min(2**rnd.randint(64, 126) + rnd.choice([0, 1, 2**32, 2**63, 2**64 - 1]), LIMIT - 1)
        a = min(b * rnd.randint(1, 9) - rnd.choice([0, 1, 2**63]), LIMIT - 1)
        up = rnd.randint(0, 38)
        print("div", a, b, up, show(Fraction(a) * 10**up / b))
    for _ in range(300):
        v, f, t = some(), rnd.randint(0, 38), rnd.randint(0, 38)
        print("rescale", v, f, t, show(Fraction(v) * Fraction(10)**(t - f)))
    for _ in range(500):
        digits = str(rnd.randint(0, 10**rnd.randint(1, 45)))
        at = rnd.randint(0, len(digits))
        text = rnd.choice(["", "-", "+", ""]) + digits[:at] + ("." + digits[at:] if rnd.random() < 0.8 else digits[at:])
        if rnd.random() < 0.3:
            text += rnd.choice("eE") + str(rnd.randint(-50, 50))
        if rnd.random() < 0.1:
            text = rnd.choice(["0" * 30, "-" + "0" * 45]) + text.lstrip("+-")
        prec = rnd.randint(1, 38)
        scale = rnd.randint(0, prec)
        print("parse", text, prec, scale, show(Fraction(text) * 10**scale, prec))
    for v, s in [(some(), rnd.randint(0, 38)) for _ in range(250)]:
        print("todouble", v, s, float(Fraction(v, 10**s)).hex())


def a_double():
    kind = rnd.random()
    if kind < 0.3:
        return rnd.randint(-10**7, 10**7) / 10**rnd.randint(0, 6)
    if kind < 0.5:
        return rnd.uniform(-100, 100)
    if kind < 0.6:
        return float(rnd.randint(0, 2**60))
    mantissa, exponent = rnd.getrandbits(52) | 1 << 52, rnd.randint(-1126, 970)
    return float(Fraction(mantissa) * Fraction(2)**exponent)


def doubles():
    for d in [a_double() for _ in range(500)] + [5e-324, 1.7976931348623157e308, 2.2250738585072014e-308, 1e15, 1e14, 0.1, 1e22, 1e23, 1e-5, 9007199254740993.0]:
        print("digits", d.hex(), repr(d))
        print("double", repr(d), d.hex())
    for _ in range(300):
        text = rnd.choice(["", "-"]) + str(rnd.randint(0, 10**rnd.randint(1, 25))) + "." + str(rnd.randint(0, 10**rnd.randint(1, 25))) + rnd.choice(["", "e%d" % rnd.randint(-290, 280)])
        print("double", text, float(text).hex())
    for d in [a_double() for _ in range(200)]:
        prec = rnd.randint(1, 38)
        scale = rnd.randint(0, prec)
        print("fromdouble", d.hex(), prec, scale, show(Fraction(repr(d)) * 10**scale, prec))


decimals()
doubles()

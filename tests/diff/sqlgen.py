"""sqlgen.py: random tables and random queries that weir and PostgreSQL both understand, for fuzz.py.

A query is a tree of nodes; where the two spell something differently a node holds both texts. Every node can be rendered at any time, so a failing
query is made smaller by putting simpler nodes in place of others and asking again.

What is kept out, because the answer is not defined or an error takes different forms: overflow, division by zero, sums of inexact doubles, orders
with ties where the order shows."""
import json
import random
from decimal import Decimal

from sqlgen_more import More, WEIR_FUNCTIONS
from sqlgen_nodes import N, e, has_column, lst, lst_fixed, only_pg, opt, x

# Types: i whole number, n decimal, d double (quarters only: sums are exact), s text, b boolean, t timestamp, D date; a: array, only given out;
# j JSON and A array of whole numbers: columns of tables that expressions take apart.
PG_TYPE = {"i": "bigint", "n": "numeric(10,2)", "d": "double precision", "s": "text", "b": "boolean", "t": "timestamp", "D": "date", "j": "json", "A": "bigint[]"}
WEIR_TYPE = {"i": "BIGINT", "n": "DECIMAL(10,2)", "d": "DOUBLE", "s": "TEXT", "b": "BOOLEAN", "t": "TIMESTAMP", "D": "DATE", "j": "JSON", "A": "ARRAY<BIGINT>"}
ORDERED = "indstD"
DAY = 1764331200  # 2025-11-28 12:00:00


# ---- tables

def stamp(s, sep="T"):
    """Milliseconds since 1970, all within a few days of DAY."""
    sec, ms = divmod(s, 1000)
    d, sec = divmod(sec, 86400)
    return "2025-11-%02d%s%02d:%02d:%02d.%03d" % (d - 20420 + 28, sep, sec // 3600, sec // 60 % 60, sec % 60, ms)


class Table:
    def __init__(self, rng, name, delay, versions=False):
        self.name, self.delay, self.versions = name, delay, versions  # delay in s: the source's watermark; versions: PRIMARY KEY (k)
        kinds = [rng.choice("iiindssbtD") for _ in range(rng.randint(1, 4))]
        self.cols = [("id", "i"), ("k", "i"), ("g", "s"), ("ts", "t")] + [("x%d" % i, k) for i, k in enumerate(kinds)]
        if rng.random() < 0.4 and not versions:
            self.cols += [("doc", "j"), ("arr", "A")]
        self.rows, self.late = [], 0
        nulls = rng.choice([0, 0.1, 0.1, 0.4])
        t, calm = DAY * 1000, rng.random() < 0.3
        for i in range(rng.choice([0, 1, 2, 5, 10, 20, 30])):
            t += rng.choice([0, 0, 1000, 1000, 2000, 5000, 20000, 500])
            ts = t - (0 if calm else rng.choice([0, 0, 0, 1000, 4000, 10000, 25000]))
            row = [i, rng.choice([0, 1, 1, 2, 3, 7]), rng.choice(["a", "b", "c", "ab", ""]), ts]
            row += [self.value(rng, k, t) for _, k in self.cols[4:]]
            for c in ([] if versions else [1]) + [2] + list(range(4, len(row))):
                if rng.random() < nulls:
                    row[c] = None
            self.rows.append(row)

    @staticmethod
    def value(rng, kind, t):
        if kind == "i":
            return rng.choice([0, 1, 2, 3, -1, -5, 10, 40])
        if kind == "n":
            return Decimal(rng.choice([0, 100, 150, 199, -250, 1, 9999])) / 100
        if kind == "d":
            return rng.choice([0.0, 0.25, 1.5, -2.75, 8.0, 100.25])
        if kind == "s":
            return rng.choice(["", "a", "B", "abc", "x y", "Zz", "€x", "a_b%", "10", "it's"])
        if kind == "b":
            return rng.random() < 0.5
        if kind == "t":
            return t - rng.choice([0, 1000, 60000, 86400000])
        if kind == "A":
            return [rng.choice([0, 1, 2, 3, 40, None]) for _ in range(rng.choice([0, 1, 2, 3]))]
        if kind == "j":
            doc = {"a": rng.choice([None, 0, 7, -2]), "b": {"s": rng.choice(["x", "", "a b"])}, "c": rng.choice(["a", "\u00e9", 'q"', 1.5, True]),
                   "items": [{"q": rng.choice([1, 2, None]), "s": rng.choice(["a", "b"])} for _ in range(rng.choice([0, 1, 3]))]}
            return {k: v for k, v in doc.items() if rng.random() < 0.8}
        return stamp(t + rng.choice([0, 86400000, -86400000]))[:10]

    def json(self, row):
        out = []
        for (name, kind), v in zip(self.cols, row):
            if v is None:
                if (row[0] + len(name)) % 3 == 0:
                    continue  # an absent member is NULL, too
                text = "null"
            elif kind in "s":
                text = '"%s"' % v.replace("\\", "\\\\").replace('"', '\\"')
            elif kind == "t":
                text = '"%sZ"' % stamp(v)
            elif kind == "D":
                text = '"%s"' % v
            elif kind == "b":
                text = "true" if v else "false"
            elif kind in "jA":
                text = json.dumps(v, ensure_ascii=False)
            else:
                text = str(v)
            out.append('"%s":%s' % (name, text))
        return "{%s}" % ",".join(out)

    def weir(self):
        cols = ", ".join("%s %s" % (n, WEIR_TYPE[k]) for n, k in self.cols)
        cols += ", PRIMARY KEY (k) NOT ENFORCED" if self.versions else ""
        return ("CREATE SOURCE %s (%s, WATERMARK FOR ts AS ts - INTERVAL '%d' SECOND) WITH (connector = 'file', path = '%s.ndjson', format = 'json');"
                % (self.name, cols, self.delay, self.name))

    def pg(self):
        out = "CREATE TEMP TABLE %s (%s);" % (self.name, ", ".join("%s %s" % (n, PG_TYPE[k]) for n, k in self.cols))
        lit = []
        for row in self.rows:
            v = []
            for (_, kind), a in zip(self.cols, row):
                if a is None:
                    v.append("NULL")
                elif kind == "t":
                    v.append("'%s'" % stamp(a, " "))
                elif kind in "sD":
                    v.append("'%s'" % a.replace("'", "''"))
                elif kind == "j":
                    v.append("'%s'" % json.dumps(a, ensure_ascii=False).replace("'", "''"))
                elif kind == "A":
                    v.append("CAST(ARRAY[%s] AS bigint[])" % ", ".join("NULL" if n is None else str(n) for n in a))
                else:
                    v.append(str(a).lower() if kind == "b" else str(a))
            lit.append("(%s)" % ", ".join(v))
        if lit:
            out += "\nINSERT INTO %s VALUES %s;" % (self.name, ", ".join(lit))
        return out + "\nANALYZE %s;" % self.name


# ---- queries

class Rel:
    """A FROM item: its text, and its columns as (name, type) under `alias`."""

    def __init__(self, node, alias, cols):
        self.node, self.alias = node, alias
        self.cols = [("%s.%s" % (alias, n), t) for n, t in cols]


class Gen(More):
    """One random query. avoid: names of constructs that are left out (what weir does not do yet)."""

    def __init__(self, rng, tables, avoid=(), calm=True):
        self.r, self.tables, self.versions, self.avoid, self.calm = rng, [t for t in tables if not t.versions], tables[-1], avoid, calm
        self.own_delay = rng.choice([30, 45] if calm else [0, 0, 2, 5, 10, 30]) if rng.random() < 0.2 else None  # WITH WATERMARK
        self.lateness = rng.choice([3, 10, 40]) if self.own_delay is not None and rng.random() < 0.5 else 0
        self.pre = []             # statements before the query: views
        self.bad = None           # how many rows have expressions that fail
        self.n_alias = 0
        self.windowed = None      # the one window over a table: its late rows count
        self.pure = True          # nothing between table and window that may take rows away first
        self.uses = set()

    def has(self, feature, p):
        if feature in self.avoid or self.r.random() >= p:
            return False
        self.uses.add(feature)
        return True

    def alias(self):
        self.n_alias += 1
        return "r%d" % self.n_alias

    # -- expressions

    def lit(self, t):
        r = self.r
        if t == "i":
            v = r.choice([0, 1, 2, 3, 5, 10, -1, -3])
            return e("i", "(%d)" % v if v < 0 else str(v))
        if t == "n":
            return e("n", r.choice(["0.5", "1.50", "2.00", "10.25", "(-3.75)"]))
        if t == "d":
            return e("d", "CAST(%s AS DOUBLE PRECISION)" % r.choice(["0", "0.5", "2.25", "-1.75"]))
        if t == "s":
            return e("s", r.choice(["'a'", "'b'", "''", "'abc'", "'x'", "'B'"]))
        if t == "b":
            return e("b", r.choice(["TRUE", "FALSE"]))
        if t == "t":
            return e("t", "TIMESTAMP '%s'" % stamp(DAY * 1000 + r.choice([0, 5000, 30000]), " "))
        return e("D", "DATE '2025-11-2%d'" % r.choice([7, 8, 9]))

    def col(self, scope, t):
        have = [n for n, k in scope if k == t]
        return e(t, self.r.choice(have)) if have else None

    def expr(self, scope, t, depth=2):
        r = self.r
        if depth <= 0 or r.random() < 0.45:
            c = self.col(scope, t) if r.random() < 0.85 else None
            if c:
                return c
            if depth <= 0 or r.random() < 0.5:
                return e(t, "CAST(NULL AS %s)" % ("DECIMAL(10,2)" if t == "n" else "DOUBLE PRECISION" if t == "d" else WEIR_TYPE[t])) if r.random() < 0.06 else self.lit(t)
        sub = lambda k: self.expr(scope, k, depth - 1)
        common = r.random()
        if common < 0.08:
            return e(t, "CASE WHEN ", sub("b"), " THEN ", sub(t), opt(" WHEN ", sub("b"), " THEN ", sub(t)), opt(" ELSE ", sub(t)), " END")
        if common < 0.14:
            return e(t, "coalesce(", sub(t), ", ", sub(t), ")")
        if common < 0.18:
            return e(t, "nullif(", sub(t), ", ", sub(t), ")")
        if common < 0.22 and t not in "b":
            return e(t, r.choice(["greatest(", "least("]), sub(t), ", ", sub(t), ")")
        if r.random() < 0.3 and t in "isbntD":
            return getattr(self, "more_" + t)(sub, scope)
        return getattr(self, "expr_" + t)(sub)

    def expr_i(self, sub):
        f = self.r.choice([
            lambda: e("i", "(", sub("i"), " + ", sub("i"), ")"), lambda: e("i", "(", sub("i"), " - ", sub("i"), ")"),
            lambda: e("i", "(", sub("i"), " * ", self.lit("i"), ")"), lambda: e("i", "(", sub("i"), " / nullif(", sub("i"), ", 0))"),
            lambda: e("i", "(", sub("i"), " % nullif(", sub("i"), ", 0))"), lambda: e("i", "abs(", sub("i"), ")"), lambda: e("i", "(- ", sub("i"), ")"),
            lambda: e("i", "length(", sub("s"), ")"), lambda: e("i", "strpos(", sub("s"), ", ", self.lit("s"), ")"),
            lambda: e("i", "CAST(extract(%s FROM " % self.r.choice(["hour", "minute", "day", "dow", "epoch", "month"]), sub("t"), ") AS BIGINT)"),
            lambda: e("i", "CAST(", sub("b"), " AS INTEGER)"), lambda: e("i", "CAST(floor(", sub("d"), ") AS BIGINT)"),
            lambda: e("i", "CAST(", sub("n"), " AS BIGINT)"), lambda: e("i", "ascii(", sub("s"), ")"),
            lambda: e("i", "(", sub("D"), " - ", sub("D"), ")"), lambda: e("i", "octet_length(", sub("s"), ")"),
        ])
        return f()

    def expr_n(self, sub):
        f = self.r.choice([
            lambda: e("n", "(", sub("n"), " + ", sub("n"), ")"), lambda: e("n", "(", sub("n"), " - ", sub("i"), ")"),
            lambda: e("n", "(", sub("n"), " * ", sub("i"), ")"), lambda: e("n", "round(", sub("n"), " * ", sub("n"), ", 3)"),
            lambda: e("n", "round(", sub("n"), " / nullif(", sub("n"), ", 0), 4)"), lambda: e("n", "round(", sub("n"), " / nullif(", sub("i"), ", 0), 3)"),
            lambda: e("n", "abs(", sub("n"), ")"), lambda: e("n", "trunc(", sub("n"), ", 1)"), lambda: e("n", "round(", sub("n"), ", ", self.r.choice(["0", "1", "-1"]), ")"),
            lambda: e("n", "CAST(", sub("i"), " AS DECIMAL(20,2))"), lambda: e("n", "floor(", sub("n"), ")"), lambda: e("n", "ceil(", sub("n"), ")"),
            lambda: e("n", "(", sub("n"), " % nullif(", sub("n"), ", 0))"), lambda: e("n", "CAST(", sub("d"), " AS DECIMAL(20,4))"),
        ])
        return f()

    def expr_d(self, sub):
        f = self.r.choice([
            lambda: e("d", "(", sub("d"), " + ", sub("d"), ")"), lambda: e("d", "(", sub("d"), " - ", sub("d"), ")"),
            lambda: e("d", "(", sub("d"), " * ", sub("i"), ")"), lambda: e("d", "(", sub("d"), " / 4)"), lambda: e("d", "abs(", sub("d"), ")"),
            lambda: e("d", "CAST(", sub("i"), " AS DOUBLE PRECISION)"), lambda: e("d", "floor(", sub("d"), ")"), lambda: e("d", "round(", sub("d"), ")"),
        ])
        return f()

    def expr_s(self, sub):
        r = self.r
        f = r.choice([
            lambda: e("s", "(", sub("s"), " || ", sub("s"), ")"), lambda: e("s", r.choice(["upper(", "lower(", "trim(", "reverse(", "initcap(", "md5(", "ltrim(", "rtrim("]), sub("s"), ")"),
            lambda: e("s", "substring(", sub("s"), " FROM ", r.choice(["1", "2", "0", "-1"]), " FOR ", r.choice(["1", "2", "5"]), ")"),
            lambda: e("s", r.choice(["left(", "right("]), sub("s"), ", ", r.choice(["1", "2", "-1"]), ")"),
            lambda: e("s", "replace(", sub("s"), ", ", self.lit("s"), ", ", self.lit("s"), ")"), lambda: e("s", "repeat(", sub("s"), ", 2)"),
            lambda: e("s", r.choice(["lpad(", "rpad("]), sub("s"), ", ", r.choice(["0", "2", "4"]), ", ", r.choice(["'xy'", "' '", "'0'"]), ")"),
            lambda: e("s", "CAST(", sub(r.choice("iiinbD")), " AS TEXT)"), lambda: e("s", "concat(", sub("s"), ", ", sub("i"), ")"),
            lambda: e("s", "split_part(", sub("s"), ", ", r.choice(["'a'", "' '", "'b'"]), ", ", r.choice(["1", "2", "-1"]), ")"),
            lambda: e("s", "translate(", sub("s"), ", 'ab', 'x')"), lambda: e("s", "to_char(", sub("t"), ", 'YYYY-MM-DD HH24:MI:SS')"),
            lambda: e("s", "concat_ws('-', ", sub("s"), ", ", sub("s"), ")"),
        ])
        return f()

    def expr_b(self, sub):
        r = self.r
        k = r.choice("iiinndsstD")
        cmp = lambda: e("b", "(", sub(k), r.choice([" = ", " <> ", " < ", " <= ", " > ", " >= "]), sub(k), ")")
        f = r.choice([
            cmp, cmp, cmp, cmp,
            lambda: e("b", "(", sub("b"), " AND ", sub("b"), ")"), lambda: e("b", "(", sub("b"), " OR ", sub("b"), ")"), lambda: e("b", "(NOT ", sub("b"), ")"),
            lambda: e("b", "(", sub(r.choice("insdbtD")), r.choice([" IS NULL)", " IS NOT NULL)"])),
            lambda: e("b", "(", sub(k), r.choice([" BETWEEN ", " NOT BETWEEN "]), sub(k), " AND ", sub(k), ")"),
            lambda: e("b", "(", sub(k), r.choice([" IN (", " NOT IN ("]), lst([self.lit(k) for _ in range(r.randint(1, 3))]), "))"),
            lambda: e("b", "(", sub("s"), r.choice([" LIKE ", " NOT LIKE "]), r.choice(["'a%'", "'%b'", "'_'", "'%'", "'a_%'"]), ")"),
            lambda: e("b", "(", sub("b"), r.choice([" IS TRUE)", " IS NOT TRUE)", " IS FALSE)", " IS UNKNOWN)"])),
            lambda: e("b", "(", sub(k), r.choice([" IS DISTINCT FROM ", " IS NOT DISTINCT FROM "]), sub(k), ")"),
            lambda: e("b", "starts_with(", sub("s"), ", ", self.lit("s"), ")"),
        ])
        return f()

    def expr_t(self, sub):
        r = self.r
        f = r.choice([
            lambda: e("t", "date_trunc('%s', " % r.choice(["minute", "hour", "day", "second", "week", "month"]), sub("t"), ")"),
            lambda: e("t", "(", sub("t"), r.choice([" + ", " - "]), "INTERVAL '%s')" % r.choice(["5 seconds", "1 day", "1 month", "90 minutes"])),
            lambda: e("t", "CAST(", sub("D"), " AS TIMESTAMP)"),
        ])
        return f()

    def expr_D(self, sub):
        f = self.r.choice([
            lambda: e("D", "CAST(", sub("t"), " AS DATE)"), lambda: e("D", "(", sub("D"), self.r.choice([" + ", " - "]), "%d)" % self.r.randint(0, 40)),
        ])
        return f()

    def kind(self):
        return self.r.choice("iiiinndsssbtD")

    # -- aggregates: (node, type)

    def agg(self, scope):
        r = self.r
        arg = lambda k: self.expr(scope, k, r.choice([0, 0, 1, 2]))
        flt = opt(" FILTER (WHERE ", self.expr(scope, "b", 2), ")") if r.random() < 0.2 else x()
        if r.random() < 0.12 and "moreagg" not in self.avoid:
            return self.more_agg(scope)
        c = r.randrange(17)
        if c == 0:
            return e("i", "count(*)", flt), "i"
        if c == 1:
            k = self.kind()
            return e("i", "count(", arg(k), ")", flt), "i"
        if c == 2:
            return e("i", "count(DISTINCT ", arg(self.kind()), ")", flt), "i"
        if c in (3, 4):
            k = r.choice("iiind")
            return e(k, "sum(", r.choice(["", "", "", "DISTINCT "]), arg(k), ")", flt), k
        if c in (5, 6, 7, 8):
            k = r.choice(ORDERED)
            return e(k, r.choice(["min(", "max("]), arg(k), ")", flt), k
        if c == 9:
            return e("n", "round(avg(", r.choice(["", "", "DISTINCT "]), arg(r.choice("in")), ")", flt, ", 6)"), "n"
        if c == 10:
            return e("n", "round(CAST(avg(", arg("d"), ")", flt, " AS DECIMAL(30,12)), 10)"), "n"
        if c == 11:
            return e("b", r.choice(["bool_and(", "bool_or("]), arg("b"), ")", flt), "b"
        if c == 12:
            return e("s", "string_agg(", *self.ordered_list(scope)), "s"
        if c == 13:
            a = arg(r.choice("is"))
            return e("a", "array_agg(", a, " ORDER BY ", a, r.choice(["", " DESC"]), ")"), "a"
        if c == 14:
            return e("n", "round(CAST(", r.choice(["stddev_pop(", "var_pop(", "stddev_samp(", "var_samp("]), arg(r.choice("id")), ")", flt, " AS DECIMAL(30,10)), 5)"), "n"
        if c == 15:
            return e("d", "percentile_cont(%s) WITHIN GROUP (ORDER BY " % r.choice(["0.5", "0.25", "0", "1"]), arg("d"), ")"), "d"
        k = r.choice(ORDERED)
        return e(k, "percentile_disc(%s) WITHIN GROUP (ORDER BY " % r.choice(["0.5", "0.75", "1"]), arg(k), ")"), k

    def ordered_list(self, scope):
        a = self.expr(scope, "s", 1)
        return [self.r.choice(["", "", "DISTINCT "]), a, ", ", "','", " ORDER BY ", a, self.r.choice(["", " DESC"]), ")"]

    # -- FROM

    def table(self):
        a = self.alias()
        if self.calm and self.has("versions", 0.04):
            v = self.versions
            latest = "(SELECT DISTINCT ON (k) * FROM %s ORDER BY k, ts DESC, id) AS %s" % (v.name, a)
            return Rel(x(("%s AS %s" % (v.name, a), latest)), a, [c for c in v.cols if c[0] != "ts"])
        t = self.r.choice(self.tables)
        # Where rows come late, what leaves them out (an order, a key, a join by event time) is a window only: others do not see the time.
        return Rel(x("%s AS %s" % (t.name, a)), a, [c for c in t.cols if self.calm or c[0] != "ts"])

    def values(self):
        r = self.r
        kinds = [r.choice("iisn") for _ in range(r.randint(1, 3))]
        a = self.alias()
        rows = [x("(", lst_fixed([self.lit(k) for k in kinds]), ")") for _ in range(r.randint(1, 4))]
        cols = [("v%d" % i, k) for i, k in enumerate(kinds)]
        return Rel(x("(VALUES ", N("l", rows, sep=", "), ") AS %s (%s)" % (a, ", ".join(n for n, _ in cols))), a, cols)

    def rel(self, depth):
        if depth <= 0 or self.r.random() < 0.5:
            return self.values() if self.has("values", 0.04) else self.table()
        self.pure = False
        body, cols = self.query(depth - 1)
        a = self.alias()
        return Rel(x("(", body, ") AS %s" % a), a, [(n, t) for n, t in cols if t != "a"] or cols)

    def equality(self, left, right):
        """left.x = right.y of the same type; None if there is none."""
        pairs = [(a, b, t) for a, t in left for b, u in right if t == u and t in "isnDbt"]
        if not pairs:
            return None
        near = [p for p in pairs if p[0].split(".")[1] == p[1].split(".")[1]]
        a, b, _ = self.r.choice(near if near and self.r.random() < 0.6 else pairs)
        return e("b", "%s %s %s" % (a, "=" if self.r.random() < 0.93 or "notdistinct" in self.avoid else "IS NOT DISTINCT FROM", b))

    def interval(self, left, right):
        """Two times at most some seconds apart: where both are event times, the join's state is freed by the watermark."""
        pairs = [(a, b) for a, t in left for b, u in right if t == u == "t"]
        if not pairs:
            return None
        named = [p for p in pairs if p[0].endswith(".ts") and p[1].endswith(".ts")]
        a, b = self.r.choice(named or pairs)
        return e("b", "%s BETWEEN %s - INTERVAL '%d' SECOND AND %s + INTERVAL '%d' SECOND" % (a, b, self.r.choice([0, 1, 5, 20]), b, self.r.choice([0, 2, 10])))

    def from_(self, depth):
        """FROM with up to two joins: node, scope."""
        r = self.r
        first = self.rel(depth)
        node, scope = [first.node], list(first.cols)
        joins = 0
        while joins < 3 and self.has("join", [0.35, 0.25, 0.15][joins]):
            self.pure = False
            joins += 1
            other = self.rel(depth - 1)
            kind = r.choice(["JOIN", "JOIN", "LEFT JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"])
            eq = self.equality(scope, other.cols)
            near = self.interval(scope, other.cols) if self.calm and self.has("interval", 0.2) else None
            if near is not None:
                eq = e("b", eq, " AND ", near) if eq is not None and r.random() < 0.6 else near
                kind = r.choice(["JOIN", "LEFT JOIN", "RIGHT JOIN"])
            if eq is None:
                if not self.has("cross", 0.3):
                    break
                node += [" CROSS JOIN ", other.node]
            else:
                more = []
                if r.random() < 0.2:
                    eq2 = self.equality(scope, other.cols)
                    more.append(opt(" AND ", eq2) if eq2 else x())
                if self.has("residual", 0.25):
                    more.append(opt(" AND ", self.expr(scope + other.cols, "b", 2)))
                node += [" %s " % kind, other.node, " ON ", eq, *more]
            scope += other.cols
        return N("x", node), scope

    # -- WHERE with subqueries

    def condition(self, scope, depth):
        r = self.r
        if depth > 0 and self.has("subquery", 0.25):
            self.pure = False
            return self.subquery(scope, depth)
        return self.expr(scope, "b", r.choice([1, 2, 3]))

    def subquery(self, scope, depth):
        r = self.r
        other = self.rel(depth - 1)
        c = r.random()
        if c < 0.06:
            return e("b", "(", self.expr(scope, "b", 1), " OR ", self.subquery(scope, depth), ")")
        if c < 0.12 and "in" not in self.avoid:
            pairs = [(m, n) for m, t in scope for n, k in other.cols if t == k and t in "isbD"]
            if len(pairs) > 1:
                self.uses.add("rowin")
                two = r.sample(pairs, 2)
                return e("b", "((%s, %s) IN (SELECT %s, %s FROM " % (two[0][0], two[1][0], two[0][1], two[1][1]), other.node, opt(" WHERE ", self.expr(other.cols, "b", 1)), "))")
        if c < 0.33 and "in" not in self.avoid:
            a, t = r.choice(scope)
            cols = [n for n, k in other.cols if k == t and t not in "jA"]
            if cols:
                self.uses.add("in")
                return e("b", "(%s" % a, r.choice([" IN ", " IN ", " NOT IN ", " NOT IN ", " = ANY ", " <> ALL "]), "(SELECT %s FROM " % r.choice(cols), other.node, opt(" WHERE ", self.expr(other.cols, "b", 1)), "))")
        if c < 0.7 and "exists" not in self.avoid:
            eq = self.equality(scope, other.cols)
            if eq:
                self.uses.add("exists")
                more = opt(" AND ", self.expr(scope + other.cols if r.random() < 0.4 else other.cols, "b", 1)) if r.random() < 0.5 else x()
                near = self.interval(scope, other.cols) if self.calm and self.has("interval", 0.25) else None
                eq = e("b", eq, " AND ", near) if near is not None else eq
                return e("b", r.choice(["EXISTS", "EXISTS", "NOT EXISTS"]), " (SELECT 1 FROM ", other.node, " WHERE ", eq, more, ")")
        k = r.choice("ind")
        if "scalar" in self.avoid:
            return self.expr(scope, "b", 2)
        self.uses.add("scalar")
        where = opt(" WHERE ", self.expr(other.cols, "b", 1))
        if self.has("correlated", 0.3):
            eq = self.equality(scope, other.cols)
            where = x(" WHERE ", eq) if eq else where
        agg = e(k, r.choice(["min(", "max(", "sum("]), self.expr(other.cols, k, 1), ")")
        return e("b", "(", self.expr(scope, k, 1), r.choice([" < ", " >= ", " = "]), "(SELECT ", agg, " FROM ", other.node, where, "))")

    # -- queries: (node, [(name, type)])

    def outputs(self, items):
        """Select list of (node, type): named c0, c1, ..."""
        return N("l", [x(n, " AS c%d" % i) for i, (n, _) in enumerate(items)], sep=", "), [("c%d" % i, t) for i, (_, t) in enumerate(items)]

    def query(self, depth, top=False):
        kinds = [("plain", 5), ("grouped", 6), ("distinct", 1), ("setop", 1.5), ("topn", 1.2), ("over", 1.2), ("window", 2.5), ("sets", 0.5), ("cte", 0.6), ("winjoin", 0.7),
                 ("session", 0.7), ("rewindow", 0.4), ("overtime", 0.9), ("asof", 0.5), ("unnest", 0.8), ("distincton", 0.3), ("limited", 0.4)]
        if top:
            kinds.append(("bad", 0.6))
        kinds = [(k, w) for k, w in kinds if k not in self.avoid]
        k = self.r.choices([k for k, _ in kinds], [w for _, w in kinds])[0]
        self.uses.add(k)
        if k not in ("window", "overtime"):
            self.pure = False
        return getattr(self, "q_" + k)(depth)

    def where(self, scope, depth):
        return opt(" WHERE ", self.condition(scope, depth)) if self.r.random() < 0.5 else x()

    def q_plain(self, depth, kinds=None):
        r, kinds_fixed = self.r, kinds is not None
        node, scope = self.from_(depth)
        kinds = kinds or [self.kind() for _ in range(self.r.randint(1, 4))]
        items = [(self.expr(scope, k, 3), k) for k in kinds]
        if depth > 0 and "scalar" not in self.avoid and r.random() < 0.08:
            self.uses.add("scalar")
            i = r.randrange(len(items))
            other = self.rel(0)
            eq = self.equality(scope, other.cols) if self.has("correlated", 0.6) else None
            k = r.choice("id") if items[i][1] not in "in" else items[i][1]
            agg = e(k, r.choice(["min(", "max(", "sum("]), self.expr(other.cols, k, 1), ")")
            if not (eq is None and self.has("count", 0.3)):
                items[i] = (e(k, "(SELECT ", agg, " FROM ", other.node, *([" WHERE ", eq] if eq else []), ")"), k)
                if kinds_fixed and items[i][1] != kinds[i]:
                    items[i] = (self.expr(scope, kinds[i], 2), kinds[i])
        sel, cols = self.outputs(items)
        return x("SELECT ", sel, " FROM ", node, self.where(scope, depth)), cols

    def q_distinct(self, depth):
        node, scope = self.from_(depth)
        kinds = [self.kind() for _ in range(self.r.randint(1, 2))]
        sel, cols = self.outputs([(self.expr(scope, k, 1), k) for k in kinds])
        return x("SELECT DISTINCT ", sel, " FROM ", node, self.where(scope, depth)), cols

    def key(self, scope):
        t = self.r.choice("iisssbnDt")
        return (self.col(scope, t) if self.r.random() < 0.7 else None) or self.expr(scope, t, 1), t

    def having(self, scope):
        if self.r.random() >= 0.25:
            return x()
        a, t = self.agg(scope)
        if t == "a":
            return x()
        return opt(" HAVING ", a if t == "b" else e("b", "(", a, self.r.choice([" > ", " <= ", " <> ", " IS DISTINCT FROM "]), self.lit(t), ")"))

    def q_grouped(self, depth):
        node, scope = self.from_(depth)
        r = self.r
        keys = [k for k in (self.key(scope) for _ in range(r.choice([0, 1, 1, 1, 2, 2, 3]))) if has_column(k[0], scope)]
        aggs = [self.agg(scope) for _ in range(r.randint(1, 4))]
        items = [k for k in keys if r.random() < 0.9] + aggs
        sel, cols = self.outputs(items)
        by = x(" GROUP BY ", lst_fixed([k for k, _ in keys])) if keys else x()
        return x("SELECT ", sel, " FROM ", node, self.where(scope, depth), by, self.having(scope)), cols

    def q_sets(self, depth):
        node, scope = self.from_(depth)
        r = self.r
        names = r.sample([c for c in scope if c[1] in "isbD"], min(r.randint(1, 3), len([c for c in scope if c[1] in "isbD"])))
        if not names:
            return self.q_plain(depth)
        n = [a for a, _ in names]
        by = r.choice(["ROLLUP (%s)" % ", ".join(n), "CUBE (%s)" % ", ".join(n), "GROUPING SETS ((%s), (%s), ())" % (", ".join(n), n[0])])
        items = [(e(t, a), t) for a, t in names] + [self.agg(scope) for _ in range(r.randint(1, 2))]
        if r.random() < 0.4:
            items.append((e("i", "grouping(%s)" % ", ".join(n)), "i"))
        sel, cols = self.outputs(items)
        return x("SELECT ", sel, " FROM ", node, self.where(scope, depth), " GROUP BY " + by, ("", " HAVING count(*) > 0")), cols  # no rows make no total

    def q_setop(self, depth):
        r = self.r
        kinds = [self.r.choice("iissnb") for _ in range(r.randint(1, 2))]
        a, cols = self.q_plain(depth - 1 if r.random() < 0.7 else 0, kinds)
        b, _ = self.q_plain(depth - 1 if r.random() < 0.3 else 0, kinds)
        ops = ["UNION ALL", "UNION ALL", "UNION"]
        if "except" not in self.avoid:
            ops += ["INTERSECT", "EXCEPT", "INTERSECT ALL", "EXCEPT ALL"]
        if r.random() < 0.2:
            c, _ = self.q_plain(0, kinds)
            return x("(", a, " %s " % r.choice(ops), b, ") %s " % r.choice(ops), c), cols
        return x(a, " %s " % r.choice(ops), b), cols

    def order(self, scope, total, n=2):
        """ORDER BY members; total: by all columns in the end, so that only equal rows tie."""
        r = self.r
        have = [c for c in scope if c[1] in ORDERED + "b"]
        some = r.sample(have, min(r.randint(1, n), len(have)))
        items = [x(a, r.choice(["", "", " DESC", " DESC NULLS LAST", " NULLS FIRST"])) for a, _ in some]
        if total:
            items += [x(a) for a, _ in have if a not in [s for s, _ in some]]
        return lst_fixed(items) if items else None

    def partition(self, scope):
        have = [a for a, t in scope if t in "isbD"]
        if not have or self.r.random() < 0.25:
            return x()
        return opt("PARTITION BY ", ", ".join(self.r.sample(have, min(self.r.randint(1, 2), len(have)))), " ")

    def q_topn(self, depth):
        r = self.r
        base = self.rel(depth)
        f = r.choice(["row_number()", "row_number()", "rank()", "dense_rank()"])
        order = self.order(base.cols, f == "row_number()")
        if order is None:
            return self.q_plain(depth)
        shown = r.sample(base.cols, min(r.randint(1, 3), len(base.cols)))
        cond = r.choice(["rn <= 2", "rn = 1", "rn < 4", "rn BETWEEN 2 AND 3", "rn <= 3 AND rn > 1"])
        a = self.alias()
        inner = x("SELECT ", base.alias, ".*, %s OVER (" % f, self.partition(base.cols), "ORDER BY ", order, ") AS rn FROM ", base.node, self.where(base.cols, 0))
        items = [(e(t, "%s.%s" % (a, n.split(".")[1])), t) for n, t in shown]
        if r.random() < 0.6:
            items.append((e("i", a + ".rn"), "i"))
        sel, cols = self.outputs(items)
        return x("SELECT ", sel, " FROM (", inner, ") AS %s WHERE %s" % (a, cond)), cols

    def q_over(self, depth):
        r = self.r
        base = self.rel(depth)
        items = []
        whole = any(n.endswith(".id") for n, _ in base.cols)  # else equal rows may change places between two functions
        for _ in range(r.randint(1, 3) if whole else 1):
            order = self.order(base.cols, True)
            if order is None:
                return self.q_plain(depth)
            k = r.choice("insd")
            c = self.expr(base.cols, k, 1)
            f, t = r.choice([("row_number()", "i"), ("rank()", "i"), ("dense_rank()", "i"), ("count(*)", "i"), (e("i", "count(", c, ")"), "i"), (e(k, "min(", c, ")"), k),
                             (e(k, "max(", c, ")"), k), (e(k, "lag(", c, ")"), k), (e(k, "lead(", c, ", 2)"), k), (e(k, "first_value(", c, ")"), k),
                             (e(k, "last_value(", c, ")"), k), (e("i", "sum(", self.expr(base.cols, "i", 1), ")"), "i")])
            frame = "" if isinstance(f, str) and f.endswith("()") or not isinstance(f, str) and f.parts[0][:3] in ("lag", "lea") else r.choice(
                ["", " ROWS BETWEEN 2 PRECEDING AND CURRENT ROW", " ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", " ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
                 " ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING", " RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW"])
            items.append((e(t, f if isinstance(f, N) else x(f), " OVER (", self.partition(base.cols), "ORDER BY ", order, frame, ")"), t))
        for n, t in r.sample(base.cols, min(2, len(base.cols))):
            items.append((e(t, n), t))
        sel, cols = self.outputs(items)
        return x("SELECT ", sel, " FROM ", base.node, self.where(base.cols, 0)), cols

    def q_cte(self, depth):
        r = self.r
        body, cols = self.query(max(depth - 1, 0))
        cols = [c for c in cols if c[1] != "a"]
        if not cols or "WITH" in body.text(True):
            return self.q_plain(depth)
        name = "w" + self.alias()
        a, b = self.alias(), self.alias()
        one = Rel(x(), a, cols)
        scope = list(one.cols)
        node = "%s AS %s" % (name, a)
        if "join" not in self.avoid and r.random() < 0.6:
            two = Rel(x(), b, cols)
            eq = self.equality(scope, two.cols)
            if eq:
                node = x(node, " JOIN %s AS %s ON " % (name, b), eq)
                scope += two.cols
        items = [(self.expr(scope, t, 2), t) for t in [self.kind() for _ in range(r.randint(1, 3))]]
        sel, out = self.outputs(items)
        if self.has("view", 0.4):
            self.pre.append(x("CREATE VIEW %s AS " % name, body, ";"))
            return x(only_pg("WITH %s AS (" % name, body, ") "), "SELECT ", sel, " FROM ", node if isinstance(node, N) else x(node), self.where(scope, 0)), out
        return x("WITH %s AS (" % name, body, ") SELECT ", sel, " FROM ", node if isinstance(node, N) else x(node), self.where(scope, 0)), out

    # -- windows over a table's event time

    def q_window(self, depth):
        r = self.r
        t = r.choice(self.tables)
        a = self.alias()
        kind = r.choice(["tumble", "tumble", "hop", "cumulate"])
        size, slide = r.choice([(10, 5), (10, 10), (60, 15), (20, 5), (30, 10), (7, 7), (12, 8)])
        if kind == "cumulate":
            size = slide * r.choice([1, 2, 4])
        if kind == "tumble":
            wins = "SELECT date_bin('%d s', s.ts, TIMESTAMP '1970-01-01') AS ws, date_bin('%d s', s.ts, TIMESTAMP '1970-01-01') + INTERVAL '%d s' AS we" % (size, size, size)
            tvf = "TUMBLE(TABLE %s, DESCRIPTOR(ts), INTERVAL '%d' SECOND)" % (t.name, size)
            fn = "%s(ts, '%d s')" % (r.choice(["window", "tumble"]), size)
        elif kind == "hop":
            wins = ("SELECT g AS ws, g + INTERVAL '%d s' AS we FROM generate_series(date_bin('%d s', s.ts, TIMESTAMP '1970-01-01'), s.ts - INTERVAL '%d s' + INTERVAL '1 us', "
                    "INTERVAL '-%d s') AS g" % (size, slide, size, slide))
            tvf = "HOP(TABLE %s, DESCRIPTOR(ts), INTERVAL '%d' SECOND, INTERVAL '%d' SECOND)" % (t.name, slide, size)
            fn = "%s" % r.choice(["window(ts, '%d s', '%d s')" % (size, slide), "hop(ts, '%d s', '%d s')" % (slide, size)])
        else:
            base = "date_bin('%d s', s.ts, TIMESTAMP '1970-01-01')" % size
            wins = ("SELECT %s AS ws, g AS we FROM generate_series(%s + INTERVAL '%d s', %s + INTERVAL '%d s', INTERVAL '%d s') AS g WHERE g > s.ts" % (base, base, slide, base, size, slide))
            tvf = "CUMULATE(TABLE %s, DESCRIPTOR(ts), INTERVAL '%d' SECOND, INTERVAL '%d' SECOND)" % (t.name, slide, size)
            fn = "cumulate(ts, '%d s', '%d s')" % (slide, size)
        marked = self.marked(t, "s")
        cols = ", ".join("s." + n for n, _ in t.cols)
        source = "(SELECT %s, w.ws AS window_start, w.we AS window_end FROM %s, LATERAL (%s) AS w WHERE s.wm IS NULL OR s.wm < w.we + INTERVAL '%d s') AS %s" % (cols, marked, wins, self.lateness, a)
        late = "SELECT count(*) FROM %s WHERE NOT EXISTS (SELECT 1 FROM (%s) AS w WHERE s.wm IS NULL OR s.wm < w.we + INTERVAL '%d s')" % (marked, wins, self.lateness)
        before = self.windowed
        self.count_late(late)
        scope = self.time_scope(t, a)
        table_form = r.random() < 0.6
        node = N("x", [(tvf + " AS " + a if table_form else "%s AS %s" % (t.name, a), source)])
        w = [("window_start", "t"), ("window_end", "t")]
        if table_form and self.calm and r.random() < 0.25:  # rows of windows: a join by window would judge which are late
            self.windowed = "no" if self.windowed == "no" else before # nothing closes without an aggregate: no row is late
            node.parts[0] = (node.parts[0][0], node.parts[0][1].replace("s.wm IS NULL OR s.wm < w.we + INTERVAL '%d s'" % self.lateness, "true"))
            items = [(self.expr(scope, k, 1), k) for k in [self.kind() for _ in range(2)]] + [(e("t", n), k) for n, k in w]
            sel, out = self.outputs(items)
            return x("SELECT ", sel, " FROM ", node), out
        keys = [k for k in (self.key(scope) for _ in range(r.choice([0, 0, 1, 2]))) if has_column(k[0], scope)]
        items = [(e("t", n), k) for n, k in w if r.random() < 0.8] + keys + [self.agg(scope) for _ in range(r.randint(1, 3))]
        sel, out = self.outputs(items)
        by = [x(("window_start, window_end" if table_form else fn, "window_start, window_end"))] + [k for k, _ in keys]
        return x("SELECT ", sel, " FROM ", node, " GROUP BY ", lst_fixed(by), self.having(scope)), out

    def q_winjoin(self, depth):
        """Two windows' results, or windowed tables, met by window."""
        r, parts = self.r, []
        if not self.calm:  # which rows are late, each of the two windows says for itself
            return self.q_window(depth)
        size = r.choice([5, 10, 20])
        for _ in range(2):
            t, a = r.choice(self.tables), self.alias()
            key = r.choice([n for n, k in t.cols if k == "i"])
            bins = "date_bin('%d s', ts, TIMESTAMP '1970-01-01')" % size
            tvf = "TUMBLE(TABLE %s, DESCRIPTOR(ts), INTERVAL '%d' SECOND)" % (t.name, size)
            pgt = "(SELECT *, %s AS window_start, %s + INTERVAL '%d s' AS window_end FROM %s) AS w" % (bins, bins, size, t.name)
            if r.random() < 0.7:
                text = "(SELECT window_start, window_end, %s AS k, count(*) AS n, max(g) AS g FROM " % key, " GROUP BY window_start, window_end, %s) AS %s" % (key, a)
                cols = [("window_start", "t"), ("window_end", "t"), ("k", "i"), ("n", "i"), ("g", "s")]
            else:
                text = "(SELECT window_start, window_end, %s AS k, id AS n, g FROM " % key, ") AS %s" % a
                cols = [("window_start", "t"), ("window_end", "t"), ("k", "i"), ("n", "i"), ("g", "s")]
            parts.append(Rel(x(text[0], (tvf, pgt), text[1]), a, cols))
        self.windowed = "no"
        a, b = parts
        on = ["%s.window_start = %s.window_start AND %s.window_end = %s.window_end" % (a.alias, b.alias, a.alias, b.alias)]
        if r.random() < 0.7:
            on.append(opt(" AND %s.k = %s.k" % (a.alias, b.alias)))
        if r.random() < 0.2:
            on.append(opt(" AND ", self.expr(a.cols + b.cols, "b", 1)))
        scope = a.cols + b.cols
        kind = r.choice(["JOIN", "JOIN", "LEFT JOIN", "RIGHT JOIN"] + (["FULL JOIN"] if len(on) < 3 else []))
        sel, out = self.outputs([(self.expr(scope, k, 1), k) for k in [self.kind() for _ in range(3)]])
        return x("SELECT ", sel, " FROM ", a.node, " %s " % kind, b.node, " ON ", *on, self.where(scope, 0)), out

    # -- the whole

    def statement(self):
        """body, columns, tail of both, ordered."""
        r = self.r
        body, cols = self.query(r.choice([0, 1, 1, 2, 2, 3]), True)
        ordered = False
        if self.windowed not in (None, "no") and not self.pure:
            self.windowed = "no"
        c = r.random()
        shown = [n for n, t in cols if t != "a"]
        # PostgreSQL before 18 sorts grouping sets wrongly by a column that a condition binds to a constant
        if "order" not in self.avoid and "sets" not in self.uses and c < 0.15 and len(shown) == len(cols) and "WITH" not in body.text(True)[:5]:
            ordered = True
            by = r.sample(shown, len(shown))
            tail = x(" ORDER BY " + ", ".join(n + r.choice(["", "", " DESC", " NULLS FIRST"]) for n in by), opt(" LIMIT %d" % r.choice([1, 3, 10]), opt(" OFFSET %d" % r.choice([1, 2]))))
        else:
            tail = x()
        mark = ""
        if self.own_delay is not None:
            timed = self.uses & {"window", "winjoin", "session", "rewindow", "overtime", "interval", "asof"}
            mark = " WITH WATERMARK '%d s'" % self.own_delay + (" LATENESS '%d s'" % self.lateness if self.lateness else "") if timed else ""
        emit = " EMIT FINAL" if 0.15 <= c < 0.3 and "final" not in self.avoid else r.choice([" EMIT CHANGES", " EMIT CHANGES EVERY '5 s'"]) if c > 0.9 else ""
        tail = x(tail, (mark + emit, ""))
        return x("SELECT * FROM (", body, ") AS top", tail) if ordered and r.random() < 0.5 else x(body, tail), cols, ordered



def make_tables(seed):
    rng = random.Random(seed)
    calm = rng.random() < 0.6
    return [Table(rng, "t%d" % i, rng.choice([30, 60]) if calm else rng.choice([0, 2, 5, 10])) for i in range(3)] + [Table(rng, "vers", 30, True)], calm

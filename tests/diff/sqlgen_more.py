"""sqlgen_more.py: the constructs of sqlgen.py that go by event time, take arrays and JSON apart, or fail for some rows; and what PostgreSQL needs to
say the same: sessions as gaps and islands, versions as LATERAL, a cast that may fail as a function."""
from sqlgen_nodes import N, e, has_column, lst, lst_fixed, only_pg, opt, x

# Functions of one connection: PostgreSQL has no TRY_CAST.
PG_FUNCTIONS = "\n".join(
    "CREATE OR REPLACE FUNCTION pg_temp.try_%s(v text) RETURNS %s LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN CAST(v AS %s); EXCEPTION WHEN others THEN RETURN NULL; END';" % a
    for a in [("i", "bigint", "bigint"), ("d", "date", "date"), ("n", "numeric", "numeric(10,2)")]) + """
CREATE OR REPLACE FUNCTION pg_temp.twice(a bigint, b bigint) RETURNS bigint LANGUAGE sql IMMUTABLE AS 'SELECT coalesce(a, 0) * 2 - b';
CREATE OR REPLACE FUNCTION pg_temp.loud(a text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT upper(a) || ''!''';"""
WEIR_FUNCTIONS = {"twice": "CREATE FUNCTION twice(a BIGINT, b BIGINT) RETURNS BIGINT AS 'coalesce(a, 0) * 2 - b';",
                  "loud": "CREATE FUNCTION loud(a TEXT) RETURNS TEXT AS $$upper(a) || '!'$$;"}


class More:
    # -- expressions over arrays and JSON, and functions of the user

    def plain_s(self, scope):
        """Text as it came: PostgreSQL reads dates in forms that weir does not ('28 Nov 2025')."""
        return self.col(scope, "s") or self.lit("s")

    def more_i(self, sub, scope):
        r, doc, arr = self.r, self.col(scope, "j"), self.col(scope, "A")
        some = [lambda: e("i", ("twice(", "pg_temp.twice("), sub("i"), ", ", sub("i"), ")"), lambda: e("i", ("TRY_CAST(", "pg_temp.try_i("), self.plain_s(scope), (" AS BIGINT)", ")")),
                lambda: e("i", "CAST(sign(", sub("n"), ") AS BIGINT)"), lambda: e("i", "gcd(CAST(", sub("i"), " AS BIGINT), ", self.lit("i"), ")"), lambda: e("i", "mod(", sub("i"), ", 3)"),
                lambda: e("i", "position(", self.lit("s"), " IN ", sub("s"), ")"), lambda: e("i", "regexp_count(", sub("s"), ", ", r.choice(["'[ab]'", "'.'", "'a|x'"]), ")"),
                lambda: e("i", "CASE ", sub("i"), " WHEN ", sub("i"), " THEN ", sub("i"), " ELSE ", sub("i"), " END"),
                lambda: e("i", "CAST(extract(%s FROM " % r.choice(["week", "doy", "quarter", "year", "isodow", "second"]), sub("t"), ") AS BIGINT)"),
                lambda: e("i", "width_bucket(", sub("n"), ", 0, 10, 4)"), lambda: e("i", "num_nulls(", sub("i"), ", ", sub("s"), ", ", sub("b"), ")"),
                lambda: e("i", "cardinality(string_to_array(", sub("s"), ", ' '))"), lambda: e("i", "CAST(extract(epoch FROM (", sub("t"), " - ", sub("t"), ")) AS BIGINT)")]
        if doc:
            some += [lambda: e("i", "CAST(", doc, " ->> 'a' AS BIGINT)"), lambda: e("i", "json_array_length(", doc, " -> 'items')"),
                     lambda: e("i", "CAST(", doc, " #>> '{items,%d,q}' AS BIGINT)" % r.choice([0, 1, 2]))] * 2
        if arr:
            some += [lambda: e("i", arr, "[", r.choice(["1", "2", "0"]), "]"), lambda: e("i", "cardinality(", arr, ")"), lambda: e("i", "array_position(", arr, ", ", sub("i"), ")"),
                     lambda: e("i", "array_length(", arr, ", 1)"), lambda: e("i", "(", arr, " || ARRAY[", sub("i"), "])[%d]" % r.choice([1, 2, 3]))] * 2
        return r.choice(some)()

    def more_s(self, sub, scope):
        r, doc, arr = self.r, self.col(scope, "j"), self.col(scope, "A")
        some = [lambda: e("s", ("loud(", "pg_temp.loud("), sub("s"), ")"), lambda: e("s", "regexp_replace(", sub("s"), ", ", r.choice(["'[ab]', 'x'", "'(a)(b)', '\\2\\1'", "'.', '-', 'g'", "'^', '>'"]), ")"),
                lambda: e("s", "overlay(", sub("s"), " PLACING ", self.lit("s"), " FROM ", r.choice(["1", "2"]), ")"), lambda: e("s", "chr(CAST(65 + abs(", sub("i"), ") % 26 AS INTEGER))"),
                lambda: e("s", "format('%s|%s', ", sub("s"), ", ", sub("i"), ")"), lambda: e("s", "encode(convert_to(", sub("s"), ", 'UTF8'), ", r.choice(["'hex'", "'base64'"]), ")"),
                lambda: e("s", "btrim(", sub("s"), ", ", r.choice(["'a'", "'ab '"]), ")"), lambda: e("s", "to_char(", sub("n"), ", 'FM99990.00')"),
                lambda: e("s", "to_char(", sub("t"), ", ", r.choice(["'Day DD Mon YYYY'", "'IYYY-IW'", "'HH12:MI AM'", "'Q DDD'", "'YY.MM.DD MS'"]), ")"),
                lambda: e("s", "(string_to_array(", sub("s"), ", 'b'))[%d]" % r.choice([1, 2])), lambda: e("s", "quote_literal(", sub("s"), ")"),
                lambda: e("s", "regexp_substr(", sub("s"), ", ", r.choice(["'[a-c]+'", "'.$'"]), ")"), lambda: e("s", "CAST(", sub("t"), " AS TEXT)"),
                lambda: e("s", "CASE ", sub("s"), " WHEN ", sub("s"), " THEN ", sub("s"), " END")]
        if doc:
            some += [lambda: e("s", "(", doc, " ->> 'c')"), lambda: e("s", "(", doc, " -> 'b' ->> 's')"), lambda: e("s", "(", doc, " #>> '{b,s}')"),
                     lambda: e("s", "json_typeof(", doc, " -> '%s')" % r.choice(["a", "b", "c", "items"]))] * 2
        if arr:
            some += [lambda: e("s", "array_to_string(", arr, ", ',')"), lambda: e("s", "array_to_string(array_remove(", arr, ", ", sub("i"), "), '+', '?')")] * 2
        return r.choice(some)()

    def more_b(self, sub, scope):
        r, arr, k = self.r, self.col(scope, "A"), self.r.choice("is")
        some = [lambda: e("b", "(", sub("s"), r.choice([" ~ ", " !~ ", " ~* "]), r.choice(["'^a'", "'b$'", "'[a-z] '", "'^.?$'"]), ")"),
                lambda: e("b", "(", sub("s"), r.choice([" ILIKE ", " NOT ILIKE "]), r.choice(["'a%'", "'%B'", "'z_'"]), ")"),
                lambda: e("b", "(", sub(k), r.choice([" = ANY (ARRAY[", " <> ALL (ARRAY["]), lst([self.lit(k) for _ in range(r.randint(1, 3))]), "]))"),
                lambda: e("b", "((", sub("i"), ", ", sub("s"), r.choice([") = (", ") <> ("]), sub("i"), ", ", sub("s"), "))"),
                lambda: e("b", "(", ("TRY_CAST(", "pg_temp.try_d("), self.plain_s(scope), (" AS DATE)", ")"), " IS NULL)"),
                lambda: e("b", "(", sub("t"), " - ", sub("t"), r.choice([" > ", " <= "]), "INTERVAL '5 seconds')")]
        if arr:
            some += [lambda: e("b", "(", sub("i"), " = ANY (", arr, "))"), lambda: e("b", "(", sub("i"), " <> ALL (", arr, "))")] * 2
        return r.choice(some)()

    def more_n(self, sub, scope):
        r = self.r
        return r.choice([lambda: e("n", "CAST(", sub("n"), " AS DECIMAL(20,1))"), lambda: e("n", ("TRY_CAST(", "pg_temp.try_n("), self.plain_s(scope), (" AS DECIMAL(10,2))", ")")),
                         lambda: e("n", "sign(", sub("n"), ")"), lambda: e("n", "mod(", sub("n"), ", 7)"), lambda: e("n", "round(CAST(", sub("i"), " AS DECIMAL(20,0)) / 3, 5)")])()

    def more_t(self, sub, scope):
        r = self.r
        return r.choice([lambda: e("t", "date_bin(INTERVAL '%s', " % r.choice(["7 seconds", "1 hour", "3 days"]), sub("t"), ", TIMESTAMP '2000-01-01 00:00:00')"),
                         lambda: e("t", "(", sub("t"), " AT TIME ZONE '%s' AT TIME ZONE 'UTC')" % r.choice(["Europe/Lisbon", "America/Sao_Paulo", "Asia/Kolkata"])),
                         lambda: e("t", "make_timestamp(2025, CAST(1 + abs(", sub("i"), ") % 12 AS INTEGER), 5, 7, 30, 1.5)")])()

    def more_D(self, sub, scope):
        return self.r.choice([lambda: e("D", "make_date(2025, CAST(1 + abs(", sub("i"), ") % 12 AS INTEGER), 28)"), lambda: e("D", "to_date(to_char(", sub("t"), ", 'YYYY-MM-DD'), 'YYYY-MM-DD')"),
                              lambda: e("D", ("TRY_CAST(", "pg_temp.try_d("), self.plain_s(scope), (" AS DATE)", ")"))])()

    # -- aggregates that PostgreSQL has not, or that take an order

    def more_agg(self, scope):
        r = self.r
        arg = lambda k: self.expr(scope, k, r.choice([0, 0, 1]))
        ids = [n for n, t in scope if n.endswith(".id")] if len({n.split(".")[0] for n, _ in scope}) == 1 else []  # else it is not unique
        c = r.randrange(7 if ids else 4)
        if c == 0:
            b = self.expr(scope, "b", 2)
            return e("i", ("count_if(", "count(*) FILTER (WHERE "), b, ")"), "i"
        if c == 1:
            k = r.choice("is")
            return e(k, "mode() WITHIN GROUP (ORDER BY ", arg(k), ")"), k
        if c == 2:
            a, n = arg("i"), r.choice([1, 2, 3])
            return e("a", ("topk(", "(array_agg("), a, only_pg(" ORDER BY ", a, " DESC) FILTER (WHERE ", a, " IS NOT NULL)"), (", %d)" % n, ")[1:%d]" % n)), "a"
        if c == 3:
            return e("i", "regr_count(", arg("d"), ", ", arg("i"), ")"), "i"
        k, i, d = r.choice("ins"), r.choice(ids), r.choice([("", "min", "first"), (" DESC", "max", "last")])
        a = arg(k)
        if c == 4:
            return e(k, ("%s_by(" % d[1], "(array_agg("), a, (", %s)" % i, " ORDER BY %s%s) FILTER (WHERE %s IS NOT NULL))[1]" % (i, d[0], i))), k
        flt = self.expr(scope, "b", 1) if r.random() < 0.3 else None
        mine = N("v", [x(" FILTER (WHERE ", flt, ")") if flt else x(), x(" FILTER (WHERE (", a, ") IS NOT NULL", *([" AND ", flt] if flt else []), ")")])  # NULLs are passed over
        return e(k, ("%s_value(" % d[2], "(array_agg("), a, (" ORDER BY %s)" % i, " ORDER BY %s%s)" % (i, d[0])), mine, ("", ")[1]")), k

    # -- event time

    def delay(self, t):
        return t.delay if self.own_delay is None else self.own_delay

    def marked(self, t, alias):
        """The table with the watermark just before each row, by definition."""
        return ("(SELECT *, max(ts) OVER (ORDER BY id ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) - INTERVAL '%d s' AS wm FROM %s) AS %s"
                % (self.delay(t), t.name, alias))

    def count_late(self, sql):
        self.windowed = sql if self.windowed is None and self.pure else "no"

    def time_scope(self, t, a):
        return [("%s.%s" % (a, n), k) for n, k in t.cols if self.calm or n != "ts"]

    def q_session(self, depth):
        """Sessions: gaps and islands."""
        r, t, a, gap = self.r, self.r.choice(self.tables), self.alias(), self.r.choice([1, 2, 5, 10])
        if not self.calm:
            return self.q_window(depth)
        keys = r.sample([n for n, k in t.cols if k in "isb" and n != "id"], r.choice([0, 1, 1, 2]))
        by = "PARTITION BY %s " % ", ".join(keys) if keys else ""
        inner = "SELECT *, CASE WHEN ts - lag(ts) OVER (%sORDER BY ts, id) <= INTERVAL '%d s' THEN 0 ELSE 1 END AS brk FROM %s" % (by, gap, t.name)
        inner = "SELECT *, sum(brk) OVER (%sORDER BY ts, id) AS sid FROM (%s) AS s1" % (by, inner)
        both = "PARTITION BY %s" % ", ".join(keys + ["sid"])
        source = "(SELECT *, min(ts) OVER (%s) AS window_start, max(ts) OVER (%s) + INTERVAL '%d s' AS window_end FROM (%s) AS s2) AS %s" % (both, both, gap, inner, a)
        table_form = r.random() < 0.5
        tvf = "SESSION(TABLE %s%s, DESCRIPTOR(ts), INTERVAL '%d' SECOND) AS %s" % (t.name, " PARTITION BY (%s)" % ", ".join(keys) if keys else "", gap, a)
        fn = "%s(ts, '%d s')" % (r.choice(["session", "session_window"]), gap)
        scope = [("%s.%s" % (a, n), k) for n, k in t.cols]
        named = [(e(k, "%s.%s" % (a, n)), k) for n, k in t.cols if n in keys]
        items = [(e("t", n), "t") for n in ("window_start", "window_end")] + named + [self.agg(scope) for _ in range(r.randint(1, 3))]
        sel, out = self.outputs(items)
        group = [x(("window_start, window_end" if table_form else fn, "window_start, window_end"))] + [k for k, _ in named]
        return x("SELECT ", sel, " FROM ", (tvf if table_form else "%s AS %s" % (t.name, a), source), " GROUP BY ", lst_fixed(group), self.having(scope)), out

    def q_rewindow(self, depth):
        """Windows of a window's results."""
        r, t = self.r, self.r.choice(self.tables)
        if not self.calm:
            return self.q_window(depth)
        size, outer, a = r.choice([2, 5, 10]), r.choice([5, 10, 30, 60]), self.alias()
        key = r.choice([n for n, k in t.cols if k in "isb" and n != "id"])
        bins = "date_bin('%d s', ts, TIMESTAMP '1970-01-01')" % size
        tvf = "TUMBLE(TABLE %s, DESCRIPTOR(ts), INTERVAL '%d' SECOND)" % (t.name, size)
        pgt = "(SELECT *, %s AS window_start, %s + INTERVAL '%d s' AS window_end, %s + INTERVAL '%d s' - INTERVAL '1 us' AS window_time FROM %s) AS w" % (bins, bins, size, bins, size, t.name)
        inner = x("(SELECT window_time, %s AS k, count(*) AS n, max(id) AS m FROM " % key, (tvf, pgt), " GROUP BY window_start, window_end, window_time, %s) AS %s" % (key, a))
        kind = dict(t.cols)[key]
        scope = [(a + ".k", kind), (a + ".n", "i"), (a + ".m", "i")]
        keys = [(e(kind, a + ".k"), kind)] if r.random() < 0.5 else []
        items = [(e("t", n), "t") for n in ("window_start", "window_end")] + keys + [self.agg(scope) for _ in range(r.randint(1, 2))]
        sel, out = self.outputs(items)
        bins = "date_bin('%d s', %s.window_time, TIMESTAMP '1970-01-01')" % (outer, a)
        # the same in PostgreSQL: the outer window as columns of a table in between
        wrapped = x("(SELECT *, %s AS window_start, %s + INTERVAL '%d s' AS window_end FROM " % (bins, bins, outer), inner, ") AS %s" % a)
        return x("SELECT ", sel, " FROM ", N("v", [inner, wrapped]), " GROUP BY ",
                 lst_fixed([x(("window(%s.window_time, '%d s')" % (a, outer), "window_start, window_end"))] + [k for k, _ in keys])), out

    def q_overtime(self, depth):
        """OVER in the order of event time: each row once, when the watermark has passed its frame; late rows are left out."""
        r, t, a = self.r, self.r.choice(self.tables), self.alias()
        late = "wm IS NOT NULL AND ts < wm - INTERVAL '%d s'" % self.lateness
        source = "(SELECT * FROM %s WHERE NOT (%s)) AS %s" % (self.marked(t, "m"), late, a)
        self.count_late("SELECT count(*) FROM %s WHERE %s" % (self.marked(t, "m"), late))
        cols = [("%s.%s" % (a, n), k) for n, k in t.cols if n != "ts"]
        parts = [self.partition(cols) for _ in range(r.randint(1, 2))]
        items = []
        for _ in range(r.randint(1, 3)):
            k = r.choice("ins")
            c = self.expr(cols, k, 1)
            f, ty, kind = r.choice([("count(*)", "i", 2), (e("i", "sum(", self.expr(cols, "i", 1), ")"), "i", 2), (e(k, "min(", c, ")"), k, 2), (e(k, "max(", c, ")"), k, 2),
                                    (e("n", "round(avg(", self.expr(cols, "i", 0), ")"), "n", 3), (e(k, "lag(", c, ")"), k, 0), (e(k, "lead(", c, ", 2)"), k, 0),
                                    (e(k, "first_value(", c, ")"), k, 1), (e(k, "last_value(", c, ")"), k, 1), (e(k, "nth_value(", c, ", 2)"), k, 1), ("row_number()", "i", 0)])
            o, frame = "ORDER BY %s.ts, %s.id" % (a, a), ""
            if kind and r.random() < 0.8:
                if kind > 1 and r.random() < 0.5:
                    o = "ORDER BY %s.ts" % a
                    to = r.choice(["CURRENT ROW", "CURRENT ROW", "INTERVAL '2' SECOND FOLLOWING"])
                    frame = " RANGE BETWEEN INTERVAL '%d' SECOND PRECEDING AND %s" % (r.choice([0, 1, 3, 10, 30]), to)
                else:
                    frame = " ROWS BETWEEN %s AND %s" % (r.choice(["UNBOUNDED PRECEDING", "1 PRECEDING", "2 PRECEDING", "5 PRECEDING"]), r.choice(["CURRENT ROW", "CURRENT ROW", "1 FOLLOWING", "2 FOLLOWING"]))
            items.append((e(ty, f if isinstance(f, N) else x(f), " OVER (", r.choice(parts), o, frame, ")", ", 4)" if kind == 3 else ""), ty))
        items += [(e(k, n), k) for n, k in r.sample(cols, min(2, len(cols)))]
        sel, out = self.outputs(items)
        return x("SELECT ", sel, " FROM ", ("%s AS %s" % (t.name, a), source)), out

    def q_asof(self, depth):
        """The version that was valid then."""
        r, t, v, a, b = self.r, self.r.choice(self.tables), self.versions, self.alias(), self.alias()
        if not self.calm:
            return self.q_plain(depth)
        key = r.choice([n for n, k in t.cols if k == "i"])
        left = [("%s.%s" % (a, n), k) for n, k in t.cols]
        right = [("%s.%s" % (b, n), k) for n, k in v.cols if n != "ts"]
        more = opt(" AND ", self.expr(left + right, "b", 1)) if r.random() < 0.3 else x()
        how = r.choice(["JOIN", "LEFT JOIN"])
        pg = "LATERAL (SELECT * FROM %s AS z WHERE z.k = %s.%s AND z.ts <= %s.ts ORDER BY z.ts DESC, z.id DESC LIMIT 1) AS %s ON TRUE" % (v.name, a, key, a, b)
        node = x("%s AS %s %s " % (t.name, a, how), ("%s FOR SYSTEM_TIME AS OF %s.ts AS %s ON %s.%s = %s.k" % (v.name, a, b, a, key, b), pg), more)
        scope = left + right
        if r.random() < 0.5:
            sel, out = self.outputs([(self.expr(scope, k, 2), k) for k in [self.kind() for _ in range(3)]])
            return x("SELECT ", sel, " FROM ", node, self.where(scope, 0)), out
        keys = [k for k in [self.key(scope)] if has_column(k[0], scope)]
        sel, out = self.outputs(keys + [self.agg(scope) for _ in range(2)])
        return x("SELECT ", sel, " FROM ", node, self.where(scope, 0), x(" GROUP BY ", keys[0][0]) if keys else x()), out

    # -- rows out of arrays and JSON

    def q_unnest(self, depth):
        r, b = self.r, self.alias()
        t = r.choice([t for t in self.tables if ("arr", "A") in t.cols] or [None])
        if t is None:
            return self.q_plain(depth)
        a = self.alias()
        scope = self.time_scope(t, a)
        how = r.choice([0, 0, 1, 2, 3])
        left = r.random() < 0.3
        join = " LEFT JOIN " if left else r.choice([" CROSS JOIN ", ", "])
        tail = " ON TRUE" if left else ""
        if how == 0:
            item, cols = "UNNEST(%s.arr) AS %s (e)" % (a, b), [("e", "i")]
        elif how == 1:
            item, cols = "UNNEST(%s.arr) WITH ORDINALITY AS %s (e, n)" % (a, b), [("e", "i"), ("n", "i")]
        elif how == 2:
            item = ("UNNEST(CAST(%s.doc -> 'items' AS ARRAY<ROW<q BIGINT, s TEXT>>)) AS %s (q, s)" % (a, b), "json_to_recordset(%s.doc -> 'items') AS %s (q bigint, s text)" % (a, b))
            cols = [("q", "i"), ("s", "s")]
        else:
            item, cols = "json_array_elements(%s.doc -> 'items') AS %s (v)" % (a, b), [("v", "j")]
        node = x("%s AS %s%s" % (t.name, a, join), item, tail)
        mine = [("%s.%s" % (b, n), k) for n, k in cols]
        if how == 3:
            mine, scope = [], [c for c in scope if not c[0].endswith(".id")]
            extra = [(e("i", "CAST(%s.v ->> 'q' AS BIGINT)" % b), "i"), (e("s", "(%s.v ->> 's')" % b), "s")]
        else:
            extra = [(e(k, n), k) for n, k in mine]
        scope += mine
        if r.random() < 0.5:
            sel, out = self.outputs(extra + [(self.expr(scope, k, 1), k) for k in [self.kind() for _ in range(2)]])
            return x("SELECT ", sel, " FROM ", node, self.where(scope, 0)), out
        sel, out = self.outputs(extra[:1] + [self.agg(scope) for _ in range(2)])
        return x("SELECT ", sel, " FROM ", node, self.where(scope, 0), " GROUP BY ", extra[0][0]), out

    # -- the first of each

    def q_distincton(self, depth):
        r, base = self.r, self.rel(depth)
        keys = [n for n, k in base.cols if k in "isbD"]
        order = self.order([c for c in base.cols], True)
        if not keys or order is None or any(k in "jA" for _, k in base.cols):
            return self.q_plain(depth)
        keys = r.sample(keys, min(len(keys), r.randint(1, 2)))
        items = [(e(k, n), k) for n, k in r.sample(base.cols, min(len(base.cols), 3))]
        sel, out = self.outputs(items)
        a = self.alias()
        return x("SELECT * FROM (SELECT DISTINCT ON (%s) " % ", ".join(keys), sel, " FROM ", base.node, self.where(base.cols, 0), " ORDER BY %s, " % ", ".join(keys), order, ") AS %s" % a), out

    def q_limited(self, depth):
        """ORDER BY ... LIMIT below something else: a Top-N without partitions."""
        r, base = self.r, self.rel(depth)
        order = self.order(base.cols, True)
        if order is None or any(k in "jA" for _, k in base.cols):
            return self.q_plain(depth)
        sel, out = self.outputs([(e(k, n), k) for n, k in r.sample(base.cols, min(len(base.cols), 3))])
        a = self.alias()
        return x("SELECT * FROM (SELECT ", sel, " FROM ", base.node, self.where(base.cols, 0), " ORDER BY ", order, " LIMIT %d%s) AS %s"
                 % (r.choice([1, 2, 5]), r.choice(["", "", " OFFSET 1"]), a)), out

    # -- rows whose expressions fail: the whole of a statement

    def failing(self, t, a):
        """An expression, when it is fine, its type."""
        r = self.r
        pick = lambda k: r.choice(["%s.%s" % (a, n) for n, c in t.cols if c == k] or [None])
        i, j, s, n = pick("i"), pick("i"), pick("s"), pick("n")
        some = [("%s / %s" % (i, j), "%s <> 0 OR %s IS NULL OR %s IS NULL" % (j, j, i), "i"), ("%s %% %s" % (i, j), "%s <> 0 OR %s IS NULL OR %s IS NULL" % (j, j, i), "i"),
                ("%s * 9223372036854775807" % i, "%s BETWEEN -1 AND 1 OR %s IS NULL" % (i, i), "i"), ("CAST(%s * 1000000000 AS INTEGER)" % i, "%s BETWEEN -2 AND 2 OR %s IS NULL" % (i, i), "i"),
                ("CAST(%s AS BIGINT)" % s, "%s IS NULL OR pg_temp.try_i(%s) IS NOT NULL" % (s, s), "i"), ("CAST(%s AS DATE)" % s, "%s IS NULL OR pg_temp.try_d(%s) IS NOT NULL" % (s, s), "D"),
                ("sqrt(CAST(%s AS DOUBLE PRECISION))" % i, "%s >= 0 OR %s IS NULL" % (i, i), "d"), ("chr(CAST(%s AS INTEGER))" % i, "%s > 0 OR %s IS NULL" % (i, i), "s")]
        if n:
            some.append(("CAST(%s AS DECIMAL(3,2))" % n, "abs(%s) < 9.995 OR %s IS NULL" % (n, n), "n"))
        return r.choice(some)

    def q_bad(self, depth):
        r, t, a = self.r, self.r.choice(self.tables), self.alias()
        scope = self.time_scope(t, a)
        fails = [self.failing(t, a) for _ in range(r.randint(1, 2))]
        ok = " AND ".join("(%s)" % f[1] for f in fails)
        where = self.expr(scope, "b", 1) if r.random() < 0.5 else x("TRUE")
        items = [(e(k, (w, "CASE WHEN %s THEN %s END" % (c, w))), k) for w, c, k in fails]
        self.bad = x("SELECT count(*) FROM %s AS %s WHERE (" % (t.name, a), where, ") AND NOT (%s)" % ok)
        if r.random() < 0.6:
            sel, out = self.outputs(items + [(self.expr(scope, k, 1), k) for k in [self.kind() for _ in range(2)]])
            return x("SELECT ", sel, " FROM %s AS %s WHERE (" % (t.name, a), where, ")", ("", " AND (%s)" % ok)), out
        k, kt = r.choice([("%s.%s" % (a, n), c) for n, c in t.cols if c in "is"])
        aggs = [(e("i" if f == "count" else k2, "%s(" % f, i, ")"), "i" if f == "count" else k2) for (i, k2), f in zip(items, [r.choice(["min", "max", "count"]) for _ in items])]
        sel, out = self.outputs([(e(kt, k), kt)] + aggs)
        return x("SELECT ", sel, " FROM %s AS %s WHERE (" % (t.name, a), where, ")", ("", " AND (%s)" % ok), " GROUP BY " + k), out

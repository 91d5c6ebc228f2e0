/* test_parser.c: SQL text -> tree: what each construct becomes, what names may be, what errors say, how far limits go; and the way back (unparse).
 * Trees are compared as text, see ast_dump.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#include "tests/unit/ast_dump.h"

/* ---- tools ---- */

static struct wr_arena arena;

static int fresh(void **state)
{
    (void)state;
    wr_arena_clear(&arena);
    return 0;
}

static const char *text_of(struct wr_buf *b)
{
    wr_buf_putc(b, 0);
    struct wr_str s = wr_arena_str(&arena, (struct wr_str){b->p, (uint32_t)b->n - 1});
    wr_buf_clear(b);
    return s.p;
}

static const char *expr_tree(const char *sql)
{
    struct wr_ast_expr *e;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_buf b = WR_BUF_INIT(0);
    if (wr_parse_expr(wr_str_c(sql), &arena, &e, &err)) {
        wr_buf_printf(&b, "error %d: %s", err.sql_off, err.msg);
        return text_of(&b);
    }
    dump_expr(&b, "", e);
    return text_of(&b) + 1; /* without the blank before it */
}

static struct wr_stmt *parse_all(struct wr_str sql)
{
    struct wr_stmt *s;
    struct wr_error err = WR_ERROR_INIT;
    if (wr_parse(sql, &arena, &s, NULL, NULL, &err)) {
        struct wr_buf b = WR_BUF_INIT(0);
        wr_parse_print_error(&b, "", sql, &err);
        fail_msg("%s", text_of(&b));
    }
    return s;
}

static const char *tree(const char *sql)
{
    struct wr_buf b = WR_BUF_INIT(0);
    dump_stmt(&b, parse_all(wr_str_c(sql)));
    return text_of(&b);
}

static const char *sql_of(const struct wr_stmt *s)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_unparse_stmt(&b, s);
    return text_of(&b);
}

static const char *rewritten(const char *sql)
{
    return sql_of(parse_all(wr_str_c(sql)));
}

static void add_error(void *ctx, const struct wr_error *err)
{
    struct wr_buf *b = ctx;
    wr_buf_printf(b, "%d: %s%s%s\n", err->sql_off, err->msg, err->hint[0] ? " | " : "", err->hint);
}

/* All errors, one a line: "offset: message | hint". */
static const char *errors(const char *sql)
{
    struct wr_stmt *s;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_buf b = WR_BUF_INIT(0);
    (void)!wr_parse(wr_str_c(sql), &arena, &s, add_error, &b, &err);
    return text_of(&b);
}

/* pattern repeated n times, between two texts */
static struct wr_str repeated(const char *before, const char *pattern, int n, const char *after)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_buf_puts(&b, before);
    for (int i = 0; i < n; i++)
        wr_buf_puts(&b, pattern);
    wr_buf_puts(&b, after);
    return wr_str_c(text_of(&b));
}

static wr_status status_of(struct wr_str sql, struct wr_error *err)
{
    struct wr_stmt *s;
    *err = (struct wr_error)WR_ERROR_INIT;
    return wr_parse(sql, &arena, &s, NULL, NULL, err);
}

/* ---- expressions ---- */

static void expressions_bind_as_in_postgresql(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"a + b * c", "a + (b * c)"}, {"a - b - c", "(a - b) - c"}, {"-a ^ b", "(-a) ^ b"}, {"a ^ b ^ c", "(a ^ b) ^ c"}, {"a * b % c / d", "((a * b) % c) / d"},
        {"a || b + c", "a || (b + c)"}, {"a = b || c", "a = (b || c)"}, {"a < b AND c > d OR e", "((a < b) AND (c > d)) OR e"}, {"NOT a = b", "NOT (a = b)"},
        {"NOT a AND b", "(NOT a) AND b"}, {"a = b IS NULL", "(a = b) IS NULL"}, {"a + 1 IS NOT NULL AND b", "((a + 1) IS NOT NULL) AND b"},
        {"a = b NOT LIKE c", "a = (b NOT LIKE c)"}, {"a LIKE b || c", "a LIKE (b || c)"}, {"a BETWEEN b AND c AND d", "(a BETWEEN b AND c) AND d"},
        {"a + b BETWEEN c - 1 AND d + 1", "(a + b) BETWEEN (c - 1) AND (d + 1)"}, {"a IN (1) = b", "(a IN (1)) = b"}, {"-a::int", "-(a::int)"},
        {"a -> b ->> c = d", "((a -> b) ->> c) = d"}, {"a AT TIME ZONE b + c", "(a AT TIME ZONE b) + c"}, {"-a AT TIME ZONE b", "(-a) AT TIME ZONE b"},
        {"a::text || b", "(a::text) || b"}, {"a IS DISTINCT FROM b AND c", "(a IS DISTINCT FROM b) AND c"}, {"a ~ b || c", "(a ~ b) || c"}, {"a * -b", "a * (-b)"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_string_equal(expr_tree(same[i][0]), expr_tree(same[i][1]));
    assert_string_equal(expr_tree("a + b * 2"), "(binary \"+\" (name [a]) (binary \"*\" (name [b]) (int \"2\")))");
    assert_string_equal(expr_tree("a.b.c"), "(name [a b c])");
    assert_string_equal(expr_tree("(a.b).c"), "(field [c] (name [a b]))");
    assert_string_equal(expr_tree("NOT x IS NOT TRUE"), "(unary \"not\" (is \"true\" not=1 (name [x])))");
}

static void special_calls_are_plain_calls(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"EXTRACT(YEAR FROM x)", "extract('year', x)"}, {"SUBSTRING(a FROM 2 FOR 3)", "substring(a, 2, 3)"}, {"SUBSTRING(a FOR 3)", "substring(a, 1, 3)"},
        {"POSITION('a' IN b || c)", "position('a', b || c)"}, {"TRIM(BOTH 'x' FROM a)", "btrim(a, 'x')"}, {"TRIM(LEADING FROM a)", "ltrim(a)"},
        {"TRIM(TRAILING 'x' FROM a)", "rtrim(a, 'x')"}, {"TRIM('x' FROM a)", "btrim(a, 'x')"}, {"OVERLAY(a PLACING b FROM 2 FOR 3)", "overlay(a, b, 2, 3)"},
        {"CURRENT_TIMESTAMP", "current_timestamp()"}, {"a::int", "CAST(a AS int)"}, {"a::int[]", "CAST(a AS ARRAY<int>)"}, {"(a, b)", "ROW(a, b)"},
        {"a != b", "a <> b"}, {"a == b", "a = b"}, {"a = SOME (b)", "a = ANY (b)"}, {"INTERVAL '5' MINUTES", "interval '5' minute"},
        {"INTERVAL 5 MINUTES", "INTERVAL '5' MINUTE"}, {"INTERVAL -'5' MINUTE", "INTERVAL '-5' MINUTE"}, {"COUNT(ALL x)", "count(x)"},
        {"sum(a) OVER (ROWS 1 PRECEDING)", "sum(a) OVER (ROWS BETWEEN 1 PRECEDING AND CURRENT ROW)"}, {"E'it\\'s'", "'it''s'"}, {"$$it's$$", "'it''s'"},
        {"E'\\u00e9\\x41\\n'", "'\u00e9A\n'"}, {"x'4142'", "X'4142'"}, {"\"abc\"", "abc"}, {"ABC", "abc"}, {"`A`", "\"A\""}, {"'a' -- x\n", "'a' /* y /* z */ */"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_string_equal(expr_tree(same[i][0]), expr_tree(same[i][1]));
    assert_string_not_equal(expr_tree("\"Abc\""), expr_tree("abc"));
    assert_string_not_equal(expr_tree("\"current_date\""), expr_tree("current_date"));
    assert_string_equal(expr_tree("\"current_date\""), "(name [current_date])");
    assert_string_equal(expr_tree("DESCRIPTOR(ts)"), "(descriptor [ts])");
    assert_string_equal(expr_tree("count(*)"), "(call [count] arg:(star))");
    assert_string_equal(expr_tree("count(DISTINCT a) FILTER (WHERE b)"), "(call [count] flag=1 arg:(name [a]) filter:(name [b]))");
    assert_string_equal(expr_tree("lag(a) IGNORE NULLS OVER w"), "(call [lag] arg:(name [a]) nulls=1 (over ref[w]))");
    assert_string_equal(expr_tree("CASE a WHEN 1 THEN 2 ELSE 3 END"), "(case (name [a]) else:(int \"3\") (int \"1\") (int \"2\"))");
    assert_string_equal(expr_tree("INTERVAL '1 2' DAY TO HOUR"), "(interval \"1 2\" unit\"DAY\" to\"HOUR\")");
    assert_string_equal(expr_tree("a BETWEEN SYMMETRIC 1 AND 2"), "(between flag=1 (name [a]) (int \"1\") c:(int \"2\"))");
    assert_string_equal(expr_tree("f(a => 1)"), "(call [f] arg:(named [a] (int \"1\")))");
    assert_string_equal(expr_tree("a <= ALL (b)"), "(quantified \"<=\" flag=1 (name [a]) (name [b]))");
}

static void types_are_read(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"decimal(12,2)", "(type DECIMAL 12 2)"}, {"varchar(20)", "(type VARCHAR 20)"}, {"double precision", "(type DOUBLE PRECISION)"}, {"timestamp(3)", "(type TIMESTAMP 3)"},
        {"timestamp with time zone", "(type TIMESTAMP zone=1)"}, {"timestamp(3) without time zone", "(type TIMESTAMP 3)"}, {"time", "(type TIME)"},
        {"timestamp with local time zone", "(type TIMESTAMP zone=1)"}, {"character varying(3)", "(type CHARACTER VARYING 3)"}, {"interval", "(type INTERVAL)"},
        {"int[]", "(type ARRAY of:(type INT))"}, {"int array", "(type ARRAY of:(type INT))"}, {"array<array<int>>", "(type ARRAY of:(type ARRAY of:(type INT)))"},
        {"row<a int, b row(c text)>", "(type ROW a (type INT) b (type ROW c (type TEXT)))"}, {"struct<a: int>", "(type ROW a (type INT))"},
        {"map<text, int>", "(type MAP  (type TEXT)  (type INT))"}, {"int[][]", "(type ARRAY of:(type ARRAY of:(type INT)))"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char sql[128], want[160];
        snprintf(sql, sizeof sql, "CAST(x AS %s)", cases[i][0]);
        snprintf(want, sizeof want, "(cast %s (name [x]))", cases[i][1]);
        assert_string_equal(expr_tree(sql), want);
    }
}

/* ---- queries and statements ---- */

static void queries_are_read(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"SELECT a b FROM t u", "SELECT a AS b FROM t AS u"}, {"SELECT * FROM a, b JOIN c ON x", "SELECT * FROM a CROSS JOIN (b JOIN c ON x)"},
        {"SELECT 1 UNION SELECT 2 INTERSECT SELECT 3", "SELECT 1 UNION (SELECT 2 INTERSECT SELECT 3)"},
        {"SELECT 1 EXCEPT SELECT 2 UNION SELECT 3", "(SELECT 1 EXCEPT SELECT 2) UNION SELECT 3"}, {"((SELECT 1))", "SELECT 1"},
        {"SELECT 1 UNION SELECT 2 ORDER BY 1", "(SELECT 1 UNION SELECT 2) ORDER BY 1"}, {"(SELECT 1 LIMIT 2) LIMIT 1", "SELECT * FROM (SELECT 1 LIMIT 2) LIMIT 1"},
        {"SELECT a FROM t FETCH FIRST 3 ROWS ONLY", "SELECT a FROM t LIMIT 3"}, {"SELECT a FROM t LIMIT ALL", "SELECT a FROM t"},
        {"SELECT a FROM t WITH WATERMARK '1' WHERE b", "SELECT a FROM t WHERE b WITH WATERMARK '1'"},
        {"SELECT a FROM t EMIT FINAL WITH WATERMARK '1' LIMIT 1", "SELECT a FROM t LIMIT 1 WITH WATERMARK '1' EMIT FINAL"},
        {"SELECT a FROM t EMIT ON WINDOW CLOSE", "SELECT a FROM t EMIT FINAL"}, {"SELECT a FROM t EMIT AFTER WINDOW CLOSE", "SELECT a FROM t EMIT FINAL"},
        {"SELECT a FROM t EMIT PERIODIC '5 s'", "SELECT a FROM t EMIT CHANGES EVERY '5 s'"}, {"SELECT a FROM t EMIT EVERY 5 SECONDS", "SELECT a FROM t EMIT CHANGES EVERY INTERVAL '5' SECOND"},
        {"SELECT * FROM TABLE(TUMBLE(TABLE t, DESCRIPTOR(a), '1'))", "SELECT * FROM tumble(TABLE t, DESCRIPTOR(a), '1')"},
        {"SELECT a FROM t GROUP BY GROUPING SETS (a, (b))", "SELECT a FROM t GROUP BY GROUPING SETS ((a), (b))"},
        {"SELECT * FROM f(TABLE t PARTITION BY (a, b))", "SELECT * FROM f(TABLE t PARTITION BY (a, b))"}, {"SELECT ALL a", "SELECT a"},
        {"EXPLAIN (ANALYZE) SELECT 1", "EXPLAIN ANALYZE SELECT 1"}, {"BEGIN STATEMENT SET; INSERT INTO a SELECT 1; END", "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END"},
        {"DESC t", "DESCRIBE t"}, {"SET a TO 1", "SET A = '1'"}, {"SET a = DEFAULT", "RESET a"}, {"CREATE STREAM s (a INT)", "CREATE SOURCE s (a INT)"},
        {"CREATE SINK s WITH (a = 'b') AS SELECT 1", "CREATE SINK s AS SELECT 1 WITH (a = 'b')"}, {"PRINT t", "PRINT 't'"},
        {"CREATE SOURCE s (a INT) WITH (a = 'b') FORMAT PLAIN ENCODE JSON", "CREATE SOURCE s (a INT) WITH (a = 'b', format = 'json')"},
        {"CREATE TABLE t (a INT) WITH ('connector' = 'kafka', x.y = z)", "CREATE TABLE t (a INT) WITH (connector = kafka, 'x.y' = 'z')"},
    };
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++)
        assert_string_equal(tree(same[i][0]), tree(same[i][1]));
    assert_string_equal(tree("SELECT a FROM t WITH WATERMARK '1' UNION ALL SELECT b FROM u WITH WATERMARK '2'"),
                        "(stmt13 (select op=1 all=1 (select (item (name [a])) (from0 [t]) (watermark (string \"1\"))) (select (item (name [b])) (from0 [u])) "
                        "(watermark (string \"2\"))))");
    assert_string_equal(tree("SELECT a FROM t, u$late x (p, q) WATERMARK p DELAY OF '1'"),
                        "(stmt13 (select (item (name [a])) (from4 join=4 (from0 [t]) (from0 [u$late] (watermark column:(name [p]) (string \"1\")) alias[x] columns[p q]))))");
}

static void create_is_read(void **state)
{
    (void)state;
    assert_string_equal(tree("CREATE SOURCE IF NOT EXISTS a.s (x INT NOT NULL PATH '$.x', y AS x + 1, k TEXT METADATA FROM 'key' VIRTUAL, PRIMARY KEY (x) NOT ENFORCED, "
                             "WATERMARK FOR t AS t - INTERVAL '1' MINUTE) COMMENT 'c' WITH (Topic = 't', rows = -1, on_error = skip)"),
                        "(stmt0 if-not-exists=1 [a s] (relation (column0 [x] (type INT) not-null=1 path\"$.x\") (column1 [y] as:(binary \"+\" (name [x]) (int \"1\"))) "
                        "(column2 [k] (type TEXT) virtual=1 meta\"key\") key[x] not-enforced=1 watermark[t] (binary \"-\" (name [t]) (interval \"1\" unit\"MINUTE\"))) "
                        "comment\"c\" option\"Topic\" =\"t\" option\"rows\" =\"-1\" option\"on_error\" =\"skip\")");
    assert_string_equal(tree("CREATE OR REPLACE FUNCTION f(a DOUBLE) RETURNS DOUBLE LANGUAGE SQL AS 'a + 1'"),
                        "(stmt4 or-replace=1 [f] param[a] (type DOUBLE) returns:(type DOUBLE) language\"sql\" body\"a + 1\")");
    assert_string_equal(tree("STOP JOB \"J\" WITH SAVEPOINT WITH DRAIN"), "(stmt19 savepoint=1 drain=1 [J])");
    assert_string_equal(tree("SHOW CREATE TABLE x; SHOW State.TTL; EXPLAIN ANALYZE j"), "(stmt7 what\"table\" [x])\n(stmt6 what\"state.ttl\")\n(stmt11 analyze=1 [j])");
}

/* A statement's place is its text without the ";". */
static void statements_know_their_place(void **state)
{
    (void)state;
    const char *sql = "  SELECT 1 ; -- x\n(SELECT 2);EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 ; INSERT INTO b SELECT 2; END ; SHOW ALL";
    static const char *const want[] = {"SELECT 1", "(SELECT 2)", "EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1 ; INSERT INTO b SELECT 2; END", "SHOW ALL"};
    struct wr_stmt *s = parse_all(wr_str_c(sql));
    struct wr_str one;
    uint32_t at = 0;
    for (int i = 0; i < 4; i++, s = s->next) {
        assert_int_equal(s->end - s->off, strlen(want[i]));
        assert_memory_equal(sql + s->off, want[i], strlen(want[i]));
        assert_true(wr_parse_next(wr_str_c(sql), &at, &one));
        assert_true(wr_str_eq_c(one, want[i]));
        if (s->kind == WR_S_STATEMENT_SET) {
            assert_memory_equal(sql + s->inner->off, "INSERT INTO a SELECT 1 ;", 24);
            assert_int_equal(s->inner->end - s->inner->off, 22);
        }
    }
    assert_null(s);
    assert_false(wr_parse_next(wr_str_c(sql), &at, &one));
}

/* ---- names ---- */

/* pattern with the word for each %s */
static const char *filled(const char *pattern, const char *word)
{
    struct wr_buf b = WR_BUF_INIT(0);
    for (const char *p = pattern; *p; p++) {
        bool here = p[0] == '%' && p[1] == 's';
        if (here)
            wr_buf_puts(&b, word);
        else
            wr_buf_putc(&b, *p);
        p += here;
    }
    return text_of(&b);
}

static void check_parses(const char *pattern, const char *word)
{
    const char *sql = filled(pattern, word), *first = errors(sql);
    if (*first)
        fail_msg("%s\n%s", sql, first);
}

static void keywords_are_names_where_they_can(void **state)
{
    (void)state;
    static const char *const any[] = {"SELECT t.%s FROM t", "SELECT \"%s\" FROM t", "SELECT 1 AS %s FROM t", "SELECT 1 AS %s, 2", "CREATE SINK s WITH (%s = 'x', y.%s = 1)",
                                      "SELECT (a).%s FROM t"};
    static const char *const free_[] = {"SELECT %s FROM t", "SELECT a, %s, b FROM t", "SELECT a + %s * 2 FROM t", "SELECT %s.a, t.%s FROM t", "SELECT a %s FROM t", "SELECT a AS %s FROM t",
                                        "SELECT * FROM %s", "SELECT * FROM t %s", "SELECT * FROM t AS %s WHERE a", "SELECT * FROM t %s JOIN u ON a", "SELECT a FROM t ORDER BY %s DESC",
                                        "SELECT a FROM t GROUP BY %s, b", "SELECT sum(%s) FROM t", "SELECT a FROM t WHERE %s = 1 AND b < %s", "CREATE TABLE t (a INT, %s INT, b TEXT)",
                                        "CREATE TABLE t (%s TEXT NOT NULL)", "WITH %s AS (SELECT 1) SELECT * FROM %s", "SELECT a FROM t WHERE %s", "INSERT INTO %s (a) SELECT 1",
                                        "CREATE VIEW v (%s) AS SELECT 1", "SELECT a FROM t JOIN u USING (%s)", "DROP TABLE a, %s"};
    bool reserved;
    const char *before = "", *word;
    int n = 0;
    for (int i = 0; (word = wr_keyword(i, &reserved)) != NULL; i++, n++) {
        assert_true(strcmp(before, word) < 0);
        before = word;
        for (size_t k = 0; k < sizeof any / sizeof any[0]; k++) {
            bool value = !strcmp(word, "null") || !strcmp(word, "true") || !strcmp(word, "false") || !strcmp(word, "select");
            if (value && strstr(any[k], "AS %s"))
                continue; /* AS NULL is a value */
            if (value && strstr(any[k], "WITH"))
                continue;
            check_parses(any[k], word);
        }
        if (reserved) {
            assert_true(*errors(filled("SELECT a FROM t JOIN %s ON b", word)));
            continue;
        }
        for (size_t k = 0; k < sizeof free_ / sizeof free_[0]; k++) {
            bool any_after = (!strcmp(word, "any") || !strcmp(word, "some")) && strstr(free_[k], "< %s");
            if (!any_after) /* a = any: the quantifier */
                check_parses(free_[k], word);
        }
    }
    assert_in_range(n, 150, 250);
    assert_null(wr_keyword(-1, NULL));
}

/* The words of topics that people have, from the dialect. */
static void common_words_are_names(void **state)
{
    (void)state;
    static const char *const words[] = {"timestamp", "date", "time", "value", "values", "key", "partition", "offset", "window", "start", "type", "action", "browser", "location", "level",
                                        "count", "sum", "min", "max", "year", "month", "day", "hour", "minute", "second", "interval", "first", "last", "source", "sink", "job", "format",
                                        "options", "topic", "name", "headers", "data", "user", "id", "state", "status", "text", "json", "uuid", "row", "rows", "watermark", "emit", "struct", "map"};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        check_parses("SELECT %s, %s FROM t", words[i]);
        check_parses("SELECT a AS %s, b %s FROM t", words[i]);
        check_parses("SELECT t.%s FROM %s t WHERE a", words[i]);
        check_parses("CREATE SOURCE s (%s TEXT, x INT) WITH (%s = 'x')", words[i]);
        check_parses("SELECT max(%s) FROM t GROUP BY %s", words[i]);
        check_parses("SELECT a FROM t WHERE %s < 5 AND 5 > %s", words[i]);
    }
    assert_string_equal(tree("SELECT window.end, end, a AS end FROM t"), "(stmt13 (select (item (name [window end])) (item (name [end])) (item (name [a]) as[end]) (from0 [t])))");
    assert_string_equal(tree("SELECT a offset FROM t OFFSET 3"), "(stmt13 (select (item (name [a]) as[offset]) (from0 [t]) offset:(int \"3\")))");
}

/* ---- back to text ---- */

static void check_round_trip(const struct wr_stmt *s)
{
    struct wr_stmt one = *s;
    one.next = NULL;
    struct wr_buf b = WR_BUF_INIT(0), c = WR_BUF_INIT(0);
    const char *sql = sql_of(&one);
    struct wr_stmt *again = parse_all(wr_str_c(sql));
    dump_stmt(&b, &one);
    dump_stmt(&c, again);
    assert_string_equal(text_of(&b), text_of(&c));
    assert_string_equal(sql, sql_of(again));
}

static void all_statements_round_trip(void **state)
{
    (void)state;
    FILE *f = fopen(WR_TEST_DATA "/../fuzz/corpus/parse/statements.sql", "rb");
    assert_non_null(f);
    char *text = malloc(1 << 20);
    size_t n = fread(text, 1, 1 << 20, f);
    fclose(f);
    int seen = 0;
    for (struct wr_stmt *s = parse_all((struct wr_str){text, (uint32_t)n}); s; s = s->next, seen++)
        check_round_trip(s);
    assert_in_range(seen, 180, 1000); /* nothing was skipped */
    free(text);
}

static void text_is_canonical(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"select A,B as \"X\" from T where not(a=1)and(b or c)", "SELECT a, b AS \"X\" FROM t WHERE NOT a = 1 AND (b OR c)"},
        {"select (a+b)*c,a+(b*c),a-(b-c),-(-a),(a)", "SELECT (a + b) * c, a + b * c, a - (b - c), -(-a), a"},
        {"select (a and b) or c, a and (b or c), (a or b) or c, a or (b or c)", "SELECT a AND b OR c, a AND (b OR c), a OR b OR c, a OR (b OR c)"},
        {"select (a=b)=c,(a is null) is null,(a in (1)) in (2),(a::int)", "SELECT (a = b) = c, (a IS NULL) IS NULL, (a IN (1)) IN (2), CAST(a AS INT)"},
        {"select window.start, \"order\", \"a b\", \"Ab\", \"select\".x, t.\"interval\"", "SELECT window.start, \"order\", \"a b\", \"Ab\", \"select\".x, t.\"interval\""},
        {"(select 1 union select 2) intersect (select 3 limit 1) limit 2", "(SELECT 1 UNION SELECT 2) INTERSECT (SELECT 3 LIMIT 1) LIMIT 2"},
        {"select 1 union (select 2 union select 3)", "SELECT 1 UNION (SELECT 2 UNION SELECT 3)"},
        {"select * from a,b left outer join c on x", "SELECT * FROM a CROSS JOIN (b LEFT JOIN c ON x)"},
        {"set a.b = 5", "SET a.b = '5'"}, {"drop table if exists A", "DROP TABLE IF EXISTS a"}, {"select extract(year from x)", "SELECT EXTRACT(YEAR FROM x)"},
        {"select 'it''s', x'0A', date '2025-01-01', interval '1' minutes", "SELECT 'it''s', x'0a', DATE '2025-01-01', INTERVAL '1' MINUTE"},
        {"create source s(a int not null,b row<c text[]>)with('connector'='kafka',\"X y\"=1)",
         "CREATE SOURCE s (\n    a INT NOT NULL,\n    b ROW(c ARRAY<TEXT>)\n) WITH (\n    connector = 'kafka',\n    'X y' = '1'\n)"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(rewritten(cases[i][0]), cases[i][1]);
}

/* ---- errors ---- */

static void errors_say_what_and_where(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"SELECT a FORM t", "14: unexpected \"t\" | did you mean FROM instead of \"FORM\"?\n"},
        {"SELCT 1", "0: unexpected \"SELCT\" | did you mean SELECT?\n"},
        {"SELECT a FROM t GROUP YB a", "22: unexpected \"YB\" | did you mean BY?\n"},
        {"SELECT a FROM t EMIT CHANGE", "21: unexpected \"CHANGE\" | did you mean CHANGES?\n"},
        {"SELECT a b c FROM t", "11: unexpected \"c\" | is a \",\" missing before it?\n"},
        {"SELECT a, FROM t", "10: unexpected \"FROM\" | there is a \",\" too many before it\n"},
        {"SELECT (a FROM t", "10: unexpected \"FROM\" | is a \")\" missing before it?\n"},
        {"SELECT a) FROM t", "8: unexpected \")\" | there is a \")\" too many\n"},
        {"SELECT order FROM t", "7: unexpected \"order\" | order is a reserved word; as a name it needs quotes: \"order\"\n"},
        {"SELECT f(a, (b, c", "12: a \"(\" is opened here and never closed\n"},
        {"SELECT 'abc FROM t;", "7: a ' is opened here and never closed | a ' inside text is written twice: 'it''s'\n"},
        {"SELECT \"abc FROM t;", "7: a \" is opened here and never closed\n"},
        {"SELECT 1 /* x /* y */", "9: a comment is opened here and never closed\n"},
        {"SELECT $a$ x $b$", "7: a dollar quote is opened here and never closed\n"},
        {"SELECT \"\"", "7: a name is empty\n"},
        {"SELECT x'1g'", "7: x'..' needs pairs of hexadecimal digits\n"},
        {"SELECT E'ab\\ud800'", "11: invalid escape in E'..'\n"},
        {"SELECT 5s", "7: letters behind the number \"5s\" | a duration is written '5 s', a name that begins with a digit \"5s\"\n"},
        {"SELECT \u201ca\u201d", "7: unexpected character \"\u201c\" | typographic quotes and dashes: text stands in '..', names in \"..\"\n"},
        {"SELECT a @ b", "9: unexpected character \"@\" | there is no @> : write x = ANY (array), array_contains(array, x), or json_exists(json, '$.a')\n"},
        {"SELECT a FROM t GROUP BY a WHERE b", "27: unexpected \"WHERE\" | the order is FROM, WHERE, GROUP BY, HAVING, WINDOW, QUALIFY, ORDER BY, LIMIT, WITH WATERMARK, EMIT\n"},
        {"SELECT a < b < c", "13: unexpected \"<\" | comparisons do not chain: write \"a < b AND b < c\"\n"},
        {"SELECT 1 ORDER BY 1 UNION SELECT 2", "20: unexpected \"UNION\" | a SELECT with ORDER BY, LIMIT or EMIT of its own needs parentheses here\n"},
        {"SELECT a FROM t LIMIT 1 LIMIT 2", "24: LIMIT is given twice\n"},
        {"SELECT a FROM t EMIT FINAL EMIT FINAL", "27: EMIT is given twice\n"},
        {"SELECT a FROM t WITH WATERMARK '1' WHERE b WITH WATERMARK '2'", "43: WITH WATERMARK is given twice\n"},
        {"WITH RECURSIVE a AS (SELECT 1) SELECT 1", "5: WITH RECURSIVE is not supported\n"},
        {"CREATE TABLE t (LIKE u)", "16: LIKE in a list of columns is not supported | write the columns out\n"},
        {"CREATE TABLE t (a)", "16: column \"a\" has no type | write \"a TEXT\", for example\n"},
        {"SELECT /*+ OPTIONS('a'='b') */ 1", "7: query hints are not supported | put options into the WITH (..) of the source\n"},
        {"ALTER TABLE t", "0: unexpected \"ALTER\" | DROP it and CREATE it anew, or CREATE OR REPLACE VIEW\n"},
        {"SELECT a FROM t WHERE", "21: the statement ends too early\n"},
        {"SHOW", "4: the statement ends too early | expected a name, ALL or CREATE\n"},
        {"CREATE SOURCE s (a INT) WITH (topic 't')", "36: unexpected \"'t'\" | expected \"=\"\n"},
        {"SELECT * FROM a JOIN b WHERE c", "23: unexpected \"WHERE\" | the order is FROM, WHERE, GROUP BY, HAVING, WINDOW, QUALIFY, ORDER BY, LIMIT, WITH WATERMARK, EMIT\n"},
        {"SELECT DESCRIPTOR(a, b)", "21: DESCRIPTOR takes one column | write DESCRIPTOR(ts)\n"},
        {"CREATE SINK s FROM v AS SELECT 1", "24: a sink has either FROM or AS SELECT\n"},
        {"SELECT 1 2", "9: unexpected \"2\" | is a \",\" missing before it?\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(errors(cases[i][0]), cases[i][1]);
}

static void all_errors_of_a_text_are_told(void **state)
{
    (void)state;
    const char *sql = "SELECT 1;\nSELECT ,;\nSELECT 2;\nSELECT (1;\nSELECT 3 FROM;\nEXECUTE STATEMENT SET BEGIN INSERT INTO a SELEC 1; INSERT INTO b SELECT 1; END;\nSELECT @;\nSELECT 4";
    struct wr_stmt *s;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_buf b = WR_BUF_INIT(0);
    assert_int_equal(wr_parse(wr_str_c(sql), &arena, &s, add_error, &b, &err), WR_ESQL);
    int lines = 0;
    for (size_t i = 0; i < b.n; i++)
        lines += b.p[i] == '\n';
    assert_int_equal(lines, 5);
    wr_buf_clear(&b);
    int good = 0;
    for (; s; s = s->next)
        good++;
    assert_int_equal(good, 3);
    assert_int_equal(err.sql_off, 17); /* the first */
    int line, col;
    wr_parse_place(wr_str_c(sql), err.sql_off, &line, &col);
    assert_int_equal(line, 2);
    assert_int_equal(col, 8);
    const char *many = errors(repeated("", "x y z;", 1000, "").p);
    for (lines = 0; *many; many++)
        lines += *many == '\n';
    assert_int_equal(lines, 100);
    struct wr_error old = WR_ERROR_INIT;
    wr_fail(&old, WR_EIO, "before");
    assert_int_equal(wr_parse(wr_str_c("x"), &arena, &s, NULL, NULL, &old), WR_ESQL);
    assert_string_equal(old.msg, "before"); /* the first error stays */
}

static const char *printed(const char *file, const char *sql, int32_t off, const char *hint)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_buf b = WR_BUF_INIT(0);
    wr_fail_at(&err, WR_ESQL, off, "wrong");
    if (hint)
        wr_hint(&err, "%s", hint);
    wr_parse_print_error(&b, file, wr_str_c(sql), &err);
    return text_of(&b);
}

static void errors_are_printed_with_a_caret(void **state)
{
    (void)state;
    assert_string_equal(printed("a.sql", "SELECT 1;\nSELECT x y z;", 19, "so"), "a.sql:2:10: wrong\n  SELECT x y z;\n           ^\nhint: so\n");
    assert_string_equal(printed("", "SELECT x", 7, NULL), "line 1:8: wrong\n  SELECT x\n         ^\n");
    assert_string_equal(printed(NULL, "", 0, NULL), "line 1:1: wrong\n");
    assert_string_equal(printed("f", "x", -1, NULL), "f: wrong\n");
    assert_string_equal(printed("f", "a\tb\tc\r\n", 4, NULL), "f:1:5: wrong\n  a\tb\tc\n   \t \t^\n");
    assert_string_equal(printed("f", "'\u00e9\u00e9' x", 7, NULL), "f:1:6: wrong\n  '\u00e9\u00e9' x\n       ^\n");
    assert_string_equal(printed("f", "'\u4e2d' x", 6, NULL), "f:1:5: wrong\n  '\u4e2d' x\n       ^\n"); /* a wide character takes two columns */
    assert_string_equal(printed("f", "a\nb", 99, NULL), "f:2:2: wrong\n  b\n   ^\n");
    const char *long_line = printed("f", repeated("", "0123456789", 100, "").p, 500, NULL);
    assert_true(strlen(long_line) < 400);
    assert_non_null(strstr(long_line, "  ...0123"));
    assert_string_equal(printed("f", "a \xff b", 4, NULL), "f:1:5: wrong\n  a \xff b\n      ^\n");
}

static void wrong_bytes_are_errors(void **state)
{
    (void)state;
    assert_string_equal(errors("SELECT '\xc3(';"), "8: byte c3 is not UTF-8 here\n");
    struct wr_error err;
    assert_int_equal(status_of((struct wr_str){"SELECT \0 1", 10}, &err), WR_ESQL);
    assert_string_equal(err.msg, "unexpected character with code 0");
    assert_int_equal(status_of((struct wr_str){"SELECT 'a\0b'", 12}, &err), WR_OK);
    assert_int_equal(status_of((struct wr_str){NULL, 0}, &err), WR_OK);
    assert_string_equal(errors(";;  ; -- x\n ;"), "");
    assert_string_equal(tree("\xef\xbb\xbfSELECT\u00a01"), "(stmt13 (select (item (int \"1\"))))"); /* a byte order mark, a no-break space */
}

/* ---- limits ---- */

static void check_limit(struct wr_str sql, wr_status want)
{
    struct wr_error err;
    assert_int_equal(status_of(sql, &err), want);
    if (want)
        assert_true(err.sql_off >= 0 && err.msg[0]);
    wr_arena_clear(&arena);
}

static struct wr_str nested(int n)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_buf_puts(&b, "SELECT ");
    for (int i = 0; i < n; i++)
        wr_buf_putc(&b, '(');
    wr_buf_putc(&b, '1');
    for (int i = 0; i < n; i++)
        wr_buf_putc(&b, ')');
    return wr_str_c(text_of(&b));
}

static void limits_are_errors(void **state)
{
    (void)state;
    check_limit(nested(200), WR_OK);
    check_limit(nested(201), WR_ELIMIT);
    check_limit(nested(400000), WR_ELIMIT);
    check_limit(repeated("SELECT ", "(", 500000, ""), WR_ELIMIT);
    check_limit(repeated("SELECT 1", " + 1", 900, ""), WR_OK);
    check_limit(repeated("SELECT 1", " + 1", 1100, ""), WR_ELIMIT);
    check_limit(repeated("SELECT a", " OR a", 200000, ""), WR_ELIMIT);
    check_limit(repeated("SELECT ", "NOT ", 150, "a"), WR_OK);
    check_limit(repeated("SELECT ", "NOT ", 210, "a"), WR_ELIMIT);
    check_limit(repeated("SELECT ", "- ", 400000, "1"), WR_ELIMIT);
    check_limit(repeated("SELECT ", "CASE WHEN ", 100000, "1"), WR_ESQL);
    check_limit(repeated("SELECT a", " IS NULL", 1000, ""), WR_ELIMIT);
    check_limit(repeated("SELECT 1", " UNION SELECT 1", 5000, ""), WR_ELIMIT);
    check_limit(repeated("SELECT * FROM t", " CROSS JOIN t", 5000, ""), WR_ELIMIT);
    check_limit(repeated("SELECT * FROM t", ", t", 500, ""), WR_OK);
    check_limit(repeated("SELECT CAST(a AS ", "ARRAY<", 100000, "INT"), WR_ESQL);
    check_limit(repeated("SELECT CAST(a AS INT", "[]", 300, ")"), WR_ELIMIT);
    check_limit(repeated("SELECT a", ", a", 999, ""), WR_OK);
    check_limit(repeated("SELECT a", ", a", 1000, ""), WR_ELIMIT);
    check_limit(repeated("CREATE TABLE t (a INT", ", a INT", 999, ")"), WR_OK);
    check_limit(repeated("CREATE TABLE t (a INT", ", a INT", 1000, ")"), WR_ELIMIT);
    check_limit(repeated("SELECT a IN (1", ", 1", 100000, ")"), WR_OK); /* lists of values are not columns */
    check_limit(repeated("VALUES (1)", ", (1)", 50000, ""), WR_OK);
    check_limit(repeated("SELECT '", "x", (1 << 20) - 9, "'"), WR_OK);
    check_limit(repeated("SELECT '", "x", (1 << 20) - 8, "'"), WR_ELIMIT);
    check_limit(repeated("SET ", "a.", 200, "b = 1"), WR_ESQL);
    check_limit(repeated("", "SELECT 1;", 10000, ""), WR_OK);
    arena.limit = 1 << 20;
    check_limit(repeated("SELECT a IN (1", ", 1", 100000, ")"), WR_ELIMIT);
    arena.limit = 0;
}

/* ---- the shell ---- */

static void text_is_complete_or_not(void **state)
{
    (void)state;
    static const struct { const char *sql; enum wr_complete want; } cases[] = {
        {"", WR_COMPLETE_EMPTY}, {"  \n-- x\n /* y */ ;", WR_COMPLETE_EMPTY}, {"SELECT 1", WR_COMPLETE_NO}, {"SELECT 1;", WR_COMPLETE_YES}, {"SELECT 1; -- x", WR_COMPLETE_YES},
        {"SELECT 1; SELECT", WR_COMPLETE_NO}, {"SELECT ';", WR_COMPLETE_QUOTE}, {"SELECT 'a;' ", WR_COMPLETE_NO}, {"SELECT \";", WR_COMPLETE_DQUOTE}, {"SELECT `;", WR_COMPLETE_DQUOTE},
        {"SELECT $$;", WR_COMPLETE_DOLLAR}, {"SELECT $a$ $$;", WR_COMPLETE_DOLLAR}, {"SELECT 1 /* ;", WR_COMPLETE_COMMENT}, {"/* ;", WR_COMPLETE_COMMENT}, {"SELECT 1; /* x", WR_COMPLETE_COMMENT},
        {"SELECT (1", WR_COMPLETE_PAREN}, {"SELECT a[1", WR_COMPLETE_PAREN}, {"SELECT (1)", WR_COMPLETE_NO}, {"SELECT (1;", WR_COMPLETE_YES}, {"SELECT @;", WR_COMPLETE_YES},
        {"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1;", WR_COMPLETE_NO}, {"EXECUTE STATEMENT SET BEGIN INSERT INTO a SELECT 1; END;", WR_COMPLETE_YES},
        {"BEGIN STATEMENT SET;", WR_COMPLETE_NO}, {"BEGIN STATEMENT SET; INSERT INTO a SELECT CASE WHEN b THEN 1 END FROM t; END;", WR_COMPLETE_YES},
        {"SELECT E'a\\';", WR_COMPLETE_QUOTE}, {"SELECT 'a'';", WR_COMPLETE_QUOTE}, {"SELECT 1; SELECT (2", WR_COMPLETE_PAREN}, {"-- it's\nSELECT 1;", WR_COMPLETE_YES},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (wr_parse_complete(wr_str_c(cases[i].sql)) != cases[i].want)
            fail_msg("%s: %d, not %d", cases[i].sql, wr_parse_complete(wr_str_c(cases[i].sql)), cases[i].want);
}

static void one_expression_and_nothing_else(void **state)
{
    (void)state;
    assert_string_equal(expr_tree("a + 1"), "(binary \"+\" (name [a]) (int \"1\"))");
    assert_string_equal(expr_tree(""), "error 0: an expression is missing");
    assert_string_equal(expr_tree("a b"), "error 2: unexpected \"b\"");
    assert_string_equal(expr_tree("a;b"), "error 2: unexpected text behind the expression");
    assert_string_equal(expr_tree("a +"), "error 3: the statement ends too early");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(expressions_bind_as_in_postgresql, fresh),
        cmocka_unit_test_setup(special_calls_are_plain_calls, fresh),
        cmocka_unit_test_setup(types_are_read, fresh),
        cmocka_unit_test_setup(queries_are_read, fresh),
        cmocka_unit_test_setup(create_is_read, fresh),
        cmocka_unit_test_setup(statements_know_their_place, fresh),
        cmocka_unit_test_setup(keywords_are_names_where_they_can, fresh),
        cmocka_unit_test_setup(common_words_are_names, fresh),
        cmocka_unit_test_setup(all_statements_round_trip, fresh),
        cmocka_unit_test_setup(text_is_canonical, fresh),
        cmocka_unit_test_setup(errors_say_what_and_where, fresh),
        cmocka_unit_test_setup(all_errors_of_a_text_are_told, fresh),
        cmocka_unit_test_setup(errors_are_printed_with_a_caret, fresh),
        cmocka_unit_test_setup(wrong_bytes_are_errors, fresh),
        cmocka_unit_test_setup(limits_are_errors, fresh),
        cmocka_unit_test_setup(text_is_complete_or_not, fresh),
        cmocka_unit_test_setup_teardown(one_expression_and_nothing_else, fresh, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

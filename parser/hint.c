/* hint.c: what a syntax error says. The token is known; here we find out what was meant, by trying: with a word spelled right, a comma put in, a name
 * quoted ..., does the grammar get further? The change that gets furthest becomes the hint.
 * Rules:  only for statements of a size that people write; no trial changes p but for its error.
 * Memory: trials use an arena of their own. */
#include "parser/internal.h"

#include "grammar.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    TRY_MAX = 2000,      /* tokens: longer statements get no trials */
    EXPECT_MAX = 5,      /* words in "expected ..." */
    WORD_MAX = 32,       /* room for a keyword */
    AHEAD = 2            /* a change must get the grammar past the wrong token and one more, or to the end */
};

/* ---- trials ---- */

/* How far the grammar gets with these tokens: the index of the first that does not fit, n + 1: all fit. */
static int reach(struct wr_parse *p, struct wr_token *tok, int n, int first)
{
    struct wr_arena a = {0};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_parse trial = {.a = &a, .sql = p->sql, .tok = tok, .n = n, .err = &err};
    int far = 0;
    wr_settle(&trial);
    if (!trial.failed) {
        wr_parse_run(&trial, first);
        far = trial.failed && !trial.syntax ? 0 : trial.at;
        wr_grammarFree(trial.lemon, free);
    }
    wr_arena_clear(&a);
    return far;
}

/* tok[i..i+cut) replaced by `with` (n_with 0 or 1 tokens). */
static int reach_with(struct wr_parse *p, int i, int cut, const struct wr_token *with, int first)
{
    int n_with = with != NULL, n = p->n - cut + n_with;
    struct wr_token *tok = wr_malloc((size_t)(n + 1) * sizeof *tok);
    memcpy(tok, p->tok, (size_t)i * sizeof *tok);
    if (with)
        tok[i] = *with;
    memcpy(tok + i + n_with, p->tok + i + cut, (size_t)(p->n - i - cut + 1) * sizeof *tok);
    int far = reach(p, tok, n, first);
    free(tok);
    return far + cut - n_with; /* in tokens of the original */
}

static bool far_enough(const struct wr_parse *p, int far)
{
    return far >= p->at + AHEAD || far > p->n;
}

/* The keyword that, in place of the word at i, gets furthest. */
static const struct wr_keyword *respelled(struct wr_parse *p, int i, int first, int *best)
{
    const struct wr_keyword *found = NULL;
    if (i < 0 || i >= p->n || !p->tok[i].word || wr_keyword_find(p->tok[i].text))
        return NULL;
    const struct wr_keyword *k;
    for (int j = 0; (k = wr_keyword_at(j)) != NULL; j++) {
        if (wr_str_nearest(p->tok[i].text, &k->text, 1).n == 0 || wr_str_eq(p->tok[i].text, k->text))
            continue;
        struct wr_token t = p->tok[i];
        t.text = k->text;
        t.raw = k->code;
        int far = reach_with(p, i, 1, &t, first);
        if (far_enough(p, far) && far > *best) {
            *best = far;
            found = k;
        }
    }
    return found;
}

static struct wr_token made(int code, const char *text, int32_t off)
{
    return (struct wr_token){.code = (int16_t)code, .raw = (int16_t)code, .text = wr_str_c(text), .off = off, .end = off};
}

static struct wr_str source(const struct wr_parse *p, int i)
{
    return (struct wr_str){p->sql.p + p->tok[i].off, (uint32_t)(p->tok[i].end - p->tok[i].off)};
}

static const char *capitals(const struct wr_keyword *k, char *out)
{
    uint32_t n = k->text.n < WORD_MAX - 1 ? k->text.n : WORD_MAX - 1;
    for (uint32_t i = 0; i < n; i++)
        out[i] = k->text.p[i] >= 'a' && k->text.p[i] <= 'z' ? (char)(k->text.p[i] - 'a' + 'A') : k->text.p[i];
    out[n] = 0;
    return out;
}

/* Sets the hint if some small change helps. */
static bool repair(struct wr_parse *p, int first)
{
    int at = p->at, best = 0;
    const struct wr_keyword *k = respelled(p, at, first, &best);
    const struct wr_keyword *k_before = respelled(p, at - 1, first, &best);
    char word[WORD_MAX];
    if (k_before) {
        wr_hint(p->err, "did you mean %s instead of \"%.*s\"?", capitals(k_before, word), WR_FMT(source(p, at - 1)));
        return true;
    }
    if (k) {
        wr_hint(p->err, "did you mean %s?", capitals(k, word));
        return true;
    }
    if (at > 0 && p->tok[at - 1].code == TK_COMMA && far_enough(p, reach_with(p, at - 1, 1, NULL, first))) {
        wr_hint(p->err, "there is a \",\" too many before it");
        return true;
    }
    if (at < p->n && p->tok[at].word && p->tok[at].code != TK_ID) {
        struct wr_token name = p->tok[at];
        name.word = false;
        name.raw = TK_ID;
        if (far_enough(p, reach_with(p, at, 1, &name, first))) {
            wr_hint(p->err, "%.*s is a reserved word; as a name it needs quotes: \"%.*s\"", WR_FMT(source(p, at)), WR_FMT(p->tok[at].text));
            return true;
        }
    }
    if (p->tok[at].code == TK_RP && far_enough(p, reach_with(p, at, 1, NULL, first))) {
        wr_hint(p->err, "there is a \")\" too many");
        return true;
    }
    static const struct { int code; const char *text; } marks[] = {{TK_COMMA, ","}, {TK_RP, ")"}, {TK_LP, "("}, {TK_AS, "AS"}};
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && at > 0; i++) {
        struct wr_token mark = made(marks[i].code, marks[i].text, p->tok[at].off);
        if (far_enough(p, reach_with(p, at, 0, &mark, first))) {
            wr_hint(p->err, "is a \"%s\" missing before it?", marks[i].text);
            return true;
        }
    }
    return false;
}

/* ---- what was expected ---- */

/* The few keywords and marks that may stand here, if they are few. Needs the generated parser as the error left it. */
static void expected(struct wr_parse *p)
{
    static const struct { int code; const char *text; } marks[] = {
        {TK_ID, "a name"}, {TK_STRING, "'text'"}, {TK_INT, "a number"}, {TK_LP, "\"(\""}, {TK_RP, "\")\""}, {TK_COMMA, "\",\""}, {TK_EQ, "\"=\""},
        {TK_DOT, "\".\""}, {TK_LBRACKET, "\"[\""}, {TK_RBRACKET, "\"]\""}, {TK_GT, "\">\""}, {TK_SEMI, "\";\""}, {0, "the end"}};
    const char *list[EXPECT_MAX + 1];
    char words[EXPECT_MAX + 1][WORD_MAX];
    int n = 0;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0] && n <= EXPECT_MAX; i++)
        if (wr_grammar_takes(p->lemon, marks[i].code))
            list[n++] = marks[i].text;
    const struct wr_keyword *k;
    int last = -1;
    for (int i = 0; (k = wr_keyword_at(i)) != NULL && n <= EXPECT_MAX; i++) {
        if (k->code != last && wr_grammar_takes(p->lemon, k->code))
            list[n] = capitals(k, words[n]), n++;
        last = k->code;
    }
    if (n == 0 || n > EXPECT_MAX)
        return;
    char text[sizeof p->err->hint];
    size_t used = 0;
    for (int i = 0; i < n && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i == 0 ? "" : i == n - 1 ? " or " : ", ", list[i]);
    wr_hint(p->err, "expected %s", text);
}

/* ---- the message ---- */

static void lexer_says(struct wr_parse *p)
{
    int32_t off = p->trouble_off;
    struct wr_str rest = {p->sql.p + off, p->sql.n - (uint32_t)off};
    struct wr_str one = {rest.p, wr_utf8_step(rest)};
    switch (p->trouble) {
    case WR_LEX_FINE: break;
    case WR_LEX_QUOTE:
        wr_b_fail(p, off, "a ' is opened here and never closed");
        wr_hint(p->err, "a ' inside text is written twice: 'it''s'");
        break;
    case WR_LEX_NAME: wr_b_fail(p, off, "a %c is opened here and never closed", rest.p[0]); break;
    case WR_LEX_DOLLAR: wr_b_fail(p, off, "a dollar quote is opened here and never closed"); break;
    case WR_LEX_COMMENT: wr_b_fail(p, off, "a comment is opened here and never closed"); break;
    case WR_LEX_ESCAPE: wr_b_fail(p, off, "invalid escape in E'..'"); break;
    case WR_LEX_HEX: wr_b_fail(p, off, "x'..' needs pairs of hexadecimal digits"); break;
    case WR_LEX_EMPTY: wr_b_fail(p, off, "a name is empty"); break;
    case WR_LEX_NUMBER:
        wr_b_fail(p, off, "letters behind the number \"%.*s\"", (int)(p->tok[p->at].end - off), rest.p);
        wr_hint(p->err, "a duration is written '5 s', a name that begins with a digit \"5s\"");
        break;
    case WR_LEX_HINT:
        wr_b_fail(p, off, "query hints are not supported");
        wr_hint(p->err, "put options into the WITH (..) of the source");
        break;
    case WR_LEX_CHAR:
        if (one.n == 1 && ((unsigned char)one.p[0] < ' ' || one.p[0] == 127))
            wr_b_fail(p, off, "unexpected character with code %d", one.p[0]);
        else
            wr_b_fail(p, off, "unexpected character \"%.*s\"", WR_FMT(one));
        if (one.n == 1 && one.p[0] == '@')
            wr_hint(p->err, "there is no @> : write x = ANY (array), array_contains(array, x), or json_exists(json, '$.a')");
        if (one.n == 3 && memcmp(one.p, "\xe2\x80", 2) == 0)
            wr_hint(p->err, "typographic quotes and dashes: text stands in '..', names in \"..\"");
        break;
    }
}

/* Statements of other systems, and what to write instead. */
static bool other_dialect(struct wr_parse *p)
{
    static const struct { const char *word, *instead; } others[] = {
        {"use", "there is one catalog; leave USE out"},
        {"add", "weir is one program; there are no JARs to add"},
        {"load", "weir is one program; there are no modules to load"},
        {"alter", "DROP it and CREATE it anew, or CREATE OR REPLACE VIEW"},
        {"delete", "a stream cannot be deleted from"},
        {"update", "a stream cannot be updated"},
        {"merge", "use INSERT INTO a sink with a primary key"},
        {"terminate", "write STOP JOB name"},
        {"cancel", "write STOP JOB name"},
        {"list", "write SHOW SOURCES, SHOW JOBS ..."},
        {"help", "write \\? in the shell"},
        {"quit", "write \\q"},
        {"exit", "write \\q"},
    };
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        if (p->at <= 1 && p->n > 0 && p->tok[0].word && wr_str_eq_c(p->tok[0].text, others[i].word)) {
            wr_hint(p->err, "%s", others[i].instead);
            return true;
        }
    return false;
}

static bool word_is(const struct wr_parse *p, int i, const char *word)
{
    return i >= 0 && i < p->n && p->tok[i].text.n > 0 && wr_str_ieq_c(p->tok[i].text, word);
}

/* What users of Flink, Spark, ksqlDB and other systems write, and what it is here. before: the word in front; NULL: any. */
static bool habit(struct wr_parse *p)
{
    static const char *const windows = "windows stand in GROUP BY: tumble(time, '5 min'), hop(time, slide, size), session(time, gap)";
    static const char *const length = "a length of time is INTERVAL '2' MINUTE; as an argument of a window '2 min' does";
    static const struct { const char *before, *word, *instead; } habits[] = {
        {"window", "tumbling", windows}, {"window", "hopping", windows}, {"window", "session", windows}, {"window", "sliding", windows},
        {NULL, "within", "the bounds go into ON: a.ts BETWEEN b.ts - INTERVAL '5' MINUTE AND b.ts + INTERVAL '5' MINUTE"},
        {NULL, "semi", "write WHERE EXISTS (SELECT ... WHERE r.k = l.k), or WHERE k IN (SELECT k FROM r)"},
        {NULL, "anti", "write WHERE NOT EXISTS (SELECT ... WHERE r.k = l.k)"},
        {NULL, "asof", "write JOIN t FOR SYSTEM_TIME AS OF l.ts ON ..., where t is a source with PRIMARY KEY"},
        {NULL, "exclude", "name the columns that are wanted"},
        {"*", "except", "name the columns that are wanted"},
        {"lateral", "view", "write FROM t CROSS JOIN UNNEST(t.array) AS x (name)"},
        {NULL, "using", "write WITH (connector = '...', ...)"},
        {NULL, "stored", "write WITH (connector = '...', format = '...')"},
        {NULL, "key", "write PRIMARY KEY; the record's own key is name TYPE METADATA FROM 'key'"},
        {NULL, "pivot", "write sum(x) FILTER (WHERE k = 'a') AS a, ... GROUP BY"},
        {NULL, "partition", "a Kafka sink is keyed by its option key = 'column'; in OVER (...) and SESSION(...) it has its place"},
        {"final", "results", "write EMIT FINAL"},
        {"like", "%", "the pattern is text, in quotes: LIKE '%a%'"},
        {NULL, ":", "write the name and the value as two arguments: json_object('a', 1)"},
        {NULL, "?", "write json_exists(json, '$.a')"},
    };
    static const char *const units[] = {"second", "seconds", "minute", "minutes", "min", "hour", "hours", "day", "days", "week", "weeks", "month", "months", "year", "years"};
    bool create = p->tok[0].raw == TK_CREATE;
    for (size_t i = 0; i < sizeof habits / sizeof habits[0]; i++) {
        bool ddl = wr_str_eq_c(wr_str_c(habits[i].word), "using") || wr_str_eq_c(wr_str_c(habits[i].word), "stored") || wr_str_eq_c(wr_str_c(habits[i].word), "key");
        if (word_is(p, p->at, habits[i].word) && (!habits[i].before || word_is(p, p->at - 1, habits[i].before)) && (!ddl || create)) {
            wr_hint(p->err, "%s", habits[i].instead);
            return true;
        }
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0] && p->at > 0 && p->tok[p->at - 1].code == TK_INT; i++)
        if (word_is(p, p->at, units[i])) {
            wr_hint(p->err, "%s", length);
            return true;
        }
    bool top = p->at > 0 && p->at < p->n && p->tok[p->at].code == TK_INT && word_is(p, p->at - 1, "top");
    if (top)
        wr_hint(p->err, "write LIMIT %.*s at the end of the query", WR_FMT(p->tok[p->at].text));
    return top;
}

/* Rules of the language that are broken often. */
static bool rule(struct wr_parse *p)
{
    int before = p->at > 0 ? p->tok[p->at - 1].raw : 0;
    if (p->tok[0].raw == TK_CREATE && p->tok[p->at].code == TK_STRING && (before == TK_PATH || before == TK_COMMENT)) {
        wr_hint(p->err, "does the column lack its type?");
        return true;
    }
    if (word_is(p, p->at, "emit") || word_is(p, p->at - 1, "emit")) {
        wr_hint(p->err, "there is EMIT CHANGES, EMIT CHANGES EVERY '5 s' and EMIT FINAL (also EMIT ON WINDOW CLOSE)");
        return true;
    }
    switch (p->tok[p->at].code) {
    case TK_WHERE:
    case TK_GROUP:
    case TK_HAVING:
    case TK_WINDOW:
    case TK_QUALIFY:
        wr_hint(p->err, "the order is FROM, WHERE, GROUP BY, HAVING, WINDOW, QUALIFY, ORDER BY, LIMIT, WITH WATERMARK, EMIT");
        return true;
    case TK_UNION:
    case TK_INTERSECT:
    case TK_EXCEPT:
        wr_hint(p->err, "a SELECT with ORDER BY, LIMIT or EMIT of its own needs parentheses here");
        return true;
    case TK_EQ:
    case TK_CMP:
    case TK_LT:
    case TK_GT:
        wr_hint(p->err, "comparisons do not chain: write \"a < b AND b < c\"");
        return true;
    default: return false;
    }
}

static int32_t after_last(const struct wr_parse *p)
{
    return p->n ? p->tok[p->n - 1].end : 0;
}

void wr_parse_explain(struct wr_parse *p, int first)
{
    struct wr_token *t = &p->tok[p->at];
    p->failed = false; /* so that wr_b_fail speaks */
    if (t->code == TK_ILLEGAL) {
        lexer_says(p);
        return;
    }
    if (p->at >= p->n && p->open >= 0) {
        const struct wr_token *o = &p->tok[p->open];
        wr_b_fail(p, o->off, "a \"%.*s\" is opened here and never closed", WR_FMT(o->text));
        return;
    }
    if (p->at >= p->n)
        wr_b_fail(p, after_last(p), "the statement ends too early");
    else
        wr_b_fail(p, t->off, "unexpected \"%.*s\"", WR_FMT(source(p, p->at)));
    if (other_dialect(p))
        return;
    bool hinted = habit(p) || (p->n <= TRY_MAX && p->trouble == WR_LEX_FINE && repair(p, first));
    if (!hinted && !rule(p))
        expected(p);
}

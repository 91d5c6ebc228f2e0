/* settle.c: decides which words are keywords, from the words around them, before the grammar sees them. So the grammar needs one token of
 * lookahead only, and nearly every word may be the name of a column.
 *
 * Rules:  - A keyword marked CONTEXT in keywords.def is a name unless a line in context() below says otherwise. These are the words that may follow an
 *           alias written without AS: there the grammar alone would take them for the alias.
 *         - RESERVED words are names behind a dot, in option lists and, followed by what ends an item, behind AS.
 *         - Only `raw` of tokens further on is looked at, but `code` of those before.
 * Memory: none. */
#include "parser/internal.h"

#include "grammar.h"

/* What a parenthesis opens. FROM_CALL: substring(, trim(, extract(, overlay(. WINDOW: behind OVER, or WINDOW w AS. */
enum paren { PLAIN, OPTIONS, POSITION, FROM_CALL, WINDOW };

struct settle {
    struct wr_parse *p;
    struct wr_token *tok;
    int i;                        /* token being decided */
    int depth;
    int8_t kind[DEPTH_MAX + 1];   /* enum paren of the open parentheses, [1] the outermost; [0]: PLAIN */
    int open[DEPTH_MAX + 1];      /* their tokens */
    int types;                    /* open "<" of types: ARRAY<ROW<.. */
};

static const struct wr_token *ahead(const struct settle *s, int k)
{
    return s->i + k < s->p->n ? &s->tok[s->i + k] : &s->tok[s->p->n];
}

static int raw(const struct settle *s, int k)
{
    return s->i + k < 0 ? 0 : ahead(s, k)->raw;
}

static int code(const struct settle *s, int back)
{
    return s->i < back ? 0 : s->tok[s->i - back].code;
}

/* Could the token be a name? */
static bool is_name(const struct wr_token *t)
{
    if (t->raw == TK_ID || !t->word)
        return t->raw == TK_ID;
    const struct wr_keyword *k = wr_keyword_find(t->text);
    return k && k->kind != WR_KW_RESERVED;
}

static bool one_of(struct wr_str word, const char *const *list)
{
    for (; *list; list++)
        if (wr_str_eq_c(word, *list))
            return true;
    return false;
}

static bool is_unit(const struct wr_token *t)
{
    static const char *const units[] = {"year", "month", "week", "day", "hour", "minute", "second", "millisecond", "microsecond", "quarter", NULL};
    if (!t->word)
        return false;
    struct wr_str w = t->text;
    if (w.n > 3 && w.p[w.n - 1] == 's')
        w.n--;
    return one_of(w, units);
}

static bool is_number(int c)
{
    return c == TK_INT || c == TK_NUM;
}

static bool is_sign(int c)
{
    return c == TK_MINUS || c == TK_PLUS;
}

/* MINUTE in INTERVAL '1' MINUTE, INTERVAL 2 MINUTES, EVERY 5 SECONDS; SECOND in DAY TO SECOND */
static bool unit_here(const struct settle *s)
{
    if (!is_unit(&s->tok[s->i]))
        return false;
    int one = code(s, 1), two = code(s, 2), three = code(s, 3);
    if (one == TK_TO)
        return two == TK_UNIT;
    if (one != TK_STRING && !is_number(one))
        return false;
    if (two == TK_INTERVAL || (is_sign(two) && three == TK_INTERVAL))
        return true;
    static const int before[] = {TK_EVERY, TK_PERIODIC, TK_DELAY, TK_TIMEOUT, TK_LATENESS, TK_WATERMARK, TK_WITHIN, TK_OF};
    for (size_t i = 0; i < sizeof before / sizeof before[0]; i++)
        if (is_number(one) && two == before[i])
            return true;
    return false;
}

static bool interval_here(const struct settle *s)
{
    int k = is_sign(raw(s, 1)) ? 2 : 1;
    return raw(s, k) == TK_STRING || (is_number(raw(s, k)) && is_unit(ahead(s, k + 1)));
}

static bool typed_literal(const struct settle *s)
{
    static const char *const types[] = {"date", "time", "timestamp", "timestamptz", "timestamp_ltz", "json", "jsonb", "uuid", NULL};
    return raw(s, 1) == TK_STRING && one_of(s->tok[s->i].text, types);
}

/* Is a type expected here, so that the "<" behind the word opens a list of members? */
static bool type_place(const struct settle *s)
{
    int before = code(s, 1);
    return raw(s, 1) == TK_LT && (before == TK_ID || before == TK_AS || before == TK_TYPECAST || before == TK_LT || before == TK_COLON || before == TK_RETURNS);
}

/* t WATERMARK a.b DELAY OF .. */
static bool table_watermark(const struct settle *s)
{
    int k = 1;
    if (!is_name(ahead(s, k)))
        return false;
    while (raw(s, k + 1) == TK_DOT)
        k += 2;
    return raw(s, k + 1) == TK_DELAY;
}

/* WITH WATERMARK '2 min' IDLE TIMEOUT '30 s': does a clause of the SELECT follow (then it belongs to this FROM), or the end of the query? */
static int watermark_with(const struct settle *s)
{
    int k = 2;
    for (;; k++) {
        int c = raw(s, k);
        bool part = c == TK_STRING || is_number(c) || is_sign(c) || c == TK_INTERVAL || c == TK_IDLE || c == TK_TIMEOUT || c == TK_LATENESS || c == TK_TO;
        if (!part && !is_unit(ahead(s, k)))
            break;
    }
    int c = raw(s, k);
    bool goes_on = c == TK_WHERE || c == TK_GROUP || c == TK_HAVING || c == TK_QUALIFY || c == TK_UNION || c == TK_INTERSECT || c == TK_EXCEPT ||
                   (c == TK_WINDOW && is_name(ahead(s, k + 1)));
    return goes_on ? TK_WITH_WM_FROM : TK_WITH_WM;
}

static int with_what(const struct settle *s)
{
    int next = raw(s, 1), then = raw(s, 2);
    if (next == TK_WATERMARK && then != TK_AS && then != TK_LP)
        return watermark_with(s);
    bool cte = then == TK_AS || then == TK_LP; /* WITH delay AS (SELECT .. */
    if (next == TK_ORDINALITY && (code(s, 1) == TK_RP || !cte))
        return TK_WITH_ORD;
    if ((next == TK_TIME && then == TK_ZONE) || (next == TK_LOCAL && then == TK_TIME))
        return TK_WITH_TIME;
    if (next == TK_DELAY && !cte)
        return TK_WITH_DELAY;
    return TK_WITH;
}

static bool emit_here(int next)
{
    return next == TK_CHANGES || next == TK_FINAL || next == TK_ON || next == TK_AFTER || next == TK_EVERY || next == TK_PERIODIC;
}

/* ROWS BETWEEN .., RANGE UNBOUNDED PRECEDING, GROUPS 1 PRECEDING in the parentheses of a window */
static bool frame_here(const struct settle *s)
{
    int next = raw(s, 1);
    bool bound = next == TK_BETWEEN || next == TK_UNBOUNDED || next == TK_CURRENT || next == TK_INTERVAL || next == TK_STRING || is_number(next);
    return s->kind[s->depth] == WINDOW && bound;
}

/* Behind these stands the name of an object, whatever it is called. */
static bool object_place(int before)
{
    return before == TK_INTO || before == TK_TABLE || before == TK_SOURCE || before == TK_SINK || before == TK_STREAM || before == TK_VIEW || before == TK_EXISTS;
}

static bool job_here(const struct settle *s)
{
    int before = code(s, 1), next = raw(s, 1);
    bool verb = before == TK_STOP || before == TK_RESUME || before == TK_PAUSE || before == TK_DROP || before == TK_SUBMIT || before == TK_DESCRIBE ||
                before == TK_DESC;
    return verb && next != TK_AS && next != TK_SEMI && next != TK_DOT && next != 0;
}

/* CONTEXT words: the keyword, or TK_ID. */
static int context(const struct settle *s, int word)
{
    int before = code(s, 1), next = raw(s, 1), then = raw(s, 2);
    bool yes = false;
    switch (word) {
    case TK_AT: yes = next == TK_TIME && then == TK_ZONE; break;
    case TK_BOTH:
    case TK_LEADING:
    case TK_TRAILING: yes = s->kind[s->depth] == FROM_CALL && before == TK_LP; break;
    case TK_CAST:
    case TK_TRY_CAST:
    case TK_VALUES:
    case TK_MATCH_RECOGNIZE: yes = next == TK_LP && !object_place(before); break;
    case TK_CONSTRAINT: yes = is_name(ahead(s, 1)) && then == TK_PRIMARY; break;
    case TK_EMIT: yes = emit_here(next); break;
    case TK_FETCH: yes = next == TK_FIRST || next == TK_NEXT; break;
    case TK_FILTER: yes = before == TK_RP && next == TK_LP; break;
    case TK_FRAME: yes = frame_here(s); break;
    case TK_GROUPING: yes = next == TK_SETS && then == TK_LP; break;
    case TK_IGNORE:
    case TK_RESPECT: yes = next == TK_NULLS; break;
    case TK_INTERVAL: yes = interval_here(s); break;
    case TK_JOB: yes = job_here(s); break;
    case TK_OFFSET: yes = next == TK_INT; break;
    case TK_OVER: yes = (before == TK_RP || before == TK_NULLS) && (next == TK_LP || is_name(ahead(s, 1))); break;
    case TK_PARTITION: yes = next == TK_BY; break;
    case TK_PRIMARY: yes = next == TK_KEY; break;
    case TK_RECURSIVE: yes = before == TK_WITH && is_name(ahead(s, 1)); break;
    case TK_SIMILAR: yes = next == TK_TO; break;
    case TK_WATERMARK: yes = before == TK_WITH_WM || before == TK_WITH_WM_FROM || next == TK_FOR || table_watermark(s); break;
    case TK_WINDOW: yes = (is_name(ahead(s, 1)) && then == TK_AS && raw(s, 3) == TK_LP) || ((before == TK_ON || before == TK_AFTER) && next == TK_CLOSE); break;
    default: WR_BUG("keyword %d is marked CONTEXT, but settle.c does not know where it is one", word);
    }
    return yes ? word : TK_ID;
}

/* Words that are always keywords, but of several kinds; and those that are names in some places. */
static int reserved(const struct settle *s, int word)
{
    int before = code(s, 1), next = raw(s, 1);
    bool ends = next == TK_COMMA || next == TK_FROM || next == TK_RP || next == TK_SEMI || next == 0;
    bool value = word == TK_NULL || word == TK_TRUE || word == TK_FALSE;
    if (before == TK_AS && ends && !value && word != TK_SELECT)
        return TK_ID;
    if ((before == TK_SET || before == TK_RESET || before == TK_SHOW) && (next == TK_DOT || next == TK_EQ || next == TK_TO))
        return TK_ID;
    if (word == TK_END)
        return before == TK_COMMA || before == TK_LP || before == TK_SELECT || before == TK_BY || before == TK_OP || before == TK_CMP || before == TK_EQ ||
                       before == TK_LT || before == TK_GT || is_sign(before) ? TK_ID : TK_END;
    if ((word == TK_LEFT || word == TK_RIGHT) && next == TK_LP)
        return TK_ID;
    if (word == TK_WITH)
        return with_what(s);
    if (word == TK_NOT && next == TK_ENFORCED)
        return TK_NOT_ENF;
    if (word == TK_NOT && (next == TK_BETWEEN || next == TK_IN || next == TK_LIKE || next == TK_ILIKE || next == TK_SIMILAR))
        return TK_NOT_LA;
    if (word == TK_IN && s->kind[s->depth] == POSITION)
        return TK_POS_IN;
    if (s->kind[s->depth] == FROM_CALL && before != TK_DISTINCT && (word == TK_FROM || word == TK_FOR))
        return word == TK_FROM ? TK_ARG_FROM : TK_ARG_FOR;
    return word;
}

static int settle_word(const struct settle *s)
{
    const struct wr_token *t = &s->tok[s->i];
    bool key = s->kind[s->depth] == OPTIONS;
    if (code(s, 1) == TK_DOT || (key && t->raw != TK_TRUE && t->raw != TK_FALSE))
        return TK_ID;
    if (key)
        return code(s, 1) == TK_EQ ? t->raw : TK_ID;
    if (unit_here(s))
        return TK_UNIT;
    if (typed_literal(s))
        return TK_TYPELIT;
    if (t->raw == TK_WITHIN && code(s, 1) == TK_RP && raw(s, 1) == TK_GROUP && raw(s, 2) == TK_LP)
        return TK_WITHIN_GROUP;
    if (t->raw == TK_ROWS && frame_here(s))
        return TK_FRAME;
    if (t->raw == TK_ROW)
        return (raw(s, 1) == TK_LP && !object_place(code(s, 1))) || type_place(s) ? TK_ROWC : TK_ROW;
    if (t->raw == TK_ID)
        return wr_str_eq_c(t->text, "struct") && type_place(s) ? TK_ROWC : wr_str_eq_c(t->text, "map") && type_place(s) ? TK_MAPC : TK_ID;
    const struct wr_keyword *k = wr_keyword_find(t->text);
    return k->kind == WR_KW_CONTEXT ? context(s, t->raw) : k->kind == WR_KW_RESERVED ? reserved(s, t->raw) : t->raw;
}

static enum paren paren_kind(const struct settle *s)
{
    static const char *const from_calls[] = {"substring", "substr", "trim", "extract", "overlay", NULL};
    if (s->i == 0 || s->tok[s->i].raw != TK_LP)
        return PLAIN;
    const struct wr_token *before = &s->tok[s->i - 1];
    int next = raw(s, 1);
    bool query = next == TK_SELECT || next == TK_LP || next == TK_WITH || next == TK_VALUES;
    bool encode = s->i > 3 && s->tok[s->i - 2].raw == TK_ENCODE && s->tok[s->i - 4].raw == TK_FORMAT;
    if (before->raw == TK_WITH || encode)
        return OPTIONS;
    if ((before->raw == TK_EXPLAIN && s->i == 1) || (before->raw == TK_ANALYZE && s->i == 2 && s->tok[0].raw == TK_EXPLAIN))
        return query ? PLAIN : OPTIONS;
    if (before->code == TK_OVER || (before->code == TK_AS && !query))
        return WINDOW;
    if (!before->word)
        return PLAIN;
    return wr_str_eq_c(before->text, "position") ? POSITION : one_of(before->text, from_calls) ? FROM_CALL : PLAIN;
}

static void open_paren(struct settle *s)
{
    if (s->depth == DEPTH_MAX) {
        if (!s->p->failed) {
            wr_fail_at(s->p->err, WR_ELIMIT, s->tok[s->i].off, "more than %d parentheses within each other", DEPTH_MAX);
            s->p->failed = true;
        }
        return;
    }
    enum paren kind = paren_kind(s);
    s->depth++;
    s->kind[s->depth] = (int8_t)kind;
    s->open[s->depth] = s->i;
}

/* ">>" is two tokens, because it also ends ARRAY<ARRAY<T>>: elsewhere the first of two that touch shifts. */
static int greater(struct settle *s)
{
    if (s->types > 0) {
        s->types--;
        return TK_GT;
    }
    return raw(s, 1) == TK_GT && ahead(s, 1)->off == s->tok[s->i].end && code(s, 1) != TK_SHR ? TK_SHR : TK_GT;
}

static void less(struct settle *s)
{
    int before = code(s, 1);
    s->types += before == TK_ARRAY || before == TK_ROWC || before == TK_MAPC;
}

void wr_settle(struct wr_parse *p)
{
    struct settle s = {.p = p, .tok = p->tok};
    for (; s.i < p->n && !p->failed; s.i++) {
        struct wr_token *t = &s.tok[s.i];
        if (t->word)
            t->code = (int16_t)settle_word(&s);
        else
            t->code = t->raw == TK_GT ? (int16_t)greater(&s) : t->raw;
        if (t->raw == TK_LT)
            less(&s);
        else if (t->raw == TK_LP || t->raw == TK_LBRACKET || t->raw == TK_LBRACE)
            open_paren(&s);
        else if ((t->raw == TK_RP || t->raw == TK_RBRACKET || t->raw == TK_RBRACE) && s.depth > 0)
            s.depth--;
    }
    p->open = s.depth ? s.open[s.depth] : -1;
}

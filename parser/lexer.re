/* lexer.re: SQL text -> tokens, one a call. White space and comments are passed over.
 * Rules:  words are folded to lower case (ASCII letters only); keywords are found in a table (keyword.c), so that the scanner stays small.
 *         Quoted things are recognised here by how they begin and read by hand below: they need unescaping anyway.
 *         Outside of quotes, white space and punctuation that word processors put in (U+00A0, U+2018 ..) are no letters.
 * Memory: see lexer.h. */
#include "parser/lexer.h"

#include "grammar.h"

static bool stop(struct wr_lexer *lx, enum wr_lex_trouble why, const char *from, const char *go_on)
{
    lx->trouble = why;
    lx->trouble_off = (int32_t)(from - lx->start);
    lx->at = go_on;
    return false;
}

static bool give(struct wr_lexer *lx, struct wr_token *t, int code, const char *from, const char *to)
{
    *t = (struct wr_token){.code = (int16_t)code, .raw = (int16_t)code, .off = (int32_t)(from - lx->start), .end = (int32_t)(to - lx->start)};
    t->text = (struct wr_str){from, (uint32_t)(to - from)};
    lx->at = to;
    return true;
}

/* The quote that ends what begins at p; a doubled quote ends nothing. NULL: there is none. */
static const char *closing(const char *p, const char *end, char q, bool backslash, bool *changed)
{
    for (; p < end; p++) {
        if (*p == q && (p + 1 >= end || p[1] != q))
            return p;
        if (*p == q || (backslash && *p == '\\')) {
            *changed = true;
            p++;
        }
    }
    return NULL;
}

/* '..', ".." or `..` */
static bool quoted(struct wr_lexer *lx, struct wr_token *t, int code, const char *from, char q)
{
    bool doubled = false;
    const char *last = closing(from + 1, lx->end, q, false, &doubled);
    if (!last)
        return stop(lx, q == '\'' ? WR_LEX_QUOTE : WR_LEX_NAME, from, lx->end);
    give(lx, t, code, from, last + 1);
    t->text = (struct wr_str){from + 1, (uint32_t)(last - from - 1)};
    t->quoted = code == TK_ID;
    if (t->quoted && t->text.n == 0)
        return stop(lx, WR_LEX_EMPTY, from, last + 1);
    if (!doubled || !lx->arena)
        return true;
    char *out = wr_arena_bytes(lx->arena, t->text.n), *w = out;
    for (const char *p = from + 1; p < last; p++) {
        *w++ = *p;
        if (*p == q)
            p++;
    }
    t->text = (struct wr_str){out, (uint32_t)(w - out)};
    return true;
}

static int hex(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static char *put_utf8(char *w, uint32_t c)
{
    if (c < 0x80) {
        *w++ = (char)c;
        return w;
    }
    int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    *w++ = (char)((more == 1 ? 0xc0 : more == 2 ? 0xe0 : 0xf0) | c >> (6 * more));
    while (more--)
        *w++ = (char)(0x80 | (c >> (6 * more) & 63));
    return w;
}

/* What follows a backslash in E'..'; *p is moved behind it. NULL: malformed. At most as long as it was in the source. */
static char *escape(const char **p, const char *end, char *w)
{
    static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
    char c = *(*p)++;
    for (int i = 0; from[i]; i++)
        if (c == from[i]) {
            *w++ = to[i];
            return w;
        }
    int digits = c == 'x' ? 2 : c == 'u' ? 4 : c == 'U' ? 8 : 0;
    if (digits == 0) {
        *w++ = c;
        return w;
    }
    uint32_t v = 0;
    int n = 0;
    for (; n < digits && *p < end && hex(**p) >= 0; n++, (*p)++)
        v = v * 16 + (uint32_t)hex(**p);
    bool wrong = n == 0 || (c != 'x' && n < digits) || (c == 'x' && v > 0x7f);
    if (wrong || v == 0 || v > 0x10ffff || (v >= 0xd800 && v < 0xe000))
        return NULL;
    return put_utf8(w, v);
}

/* E'..' */
static bool escaped(struct wr_lexer *lx, struct wr_token *t, const char *from)
{
    bool changed = false;
    const char *last = closing(from + 2, lx->end, '\'', true, &changed);
    if (!last)
        return stop(lx, WR_LEX_QUOTE, from, lx->end);
    give(lx, t, TK_STRING, from, last + 1);
    t->text = (struct wr_str){from + 2, (uint32_t)(last - from - 2)};
    if (!changed || !lx->arena)
        return true;
    char *out = wr_arena_bytes(lx->arena, t->text.n), *w = out;
    for (const char *p = from + 2; p < last;) {
        const char *esc = p;
        if (*p == '\\') {
            p++;
            w = escape(&p, last, w);
            if (!w)
                return stop(lx, WR_LEX_ESCAPE, esc, last + 1);
            continue;
        }
        p += *p == '\'';
        *w++ = *p++;
    }
    t->text = (struct wr_str){out, (uint32_t)(w - out)};
    return true;
}

/* x'..' */
static bool hex_bytes(struct wr_lexer *lx, struct wr_token *t, const char *from)
{
    bool doubled = false;
    const char *last = closing(from + 2, lx->end, '\'', false, &doubled);
    if (!last)
        return stop(lx, WR_LEX_QUOTE, from, lx->end);
    give(lx, t, TK_BYTES, from, last + 1);
    uint32_t n = (uint32_t)(last - from - 2);
    for (const char *p = from + 2; p < last; p++)
        if (hex(*p) < 0 || n % 2)
            return stop(lx, WR_LEX_HEX, from, last + 1);
    t->text = (struct wr_str){"", 0};
    if (n == 0 || !lx->arena)
        return true;
    char *out = wr_arena_bytes(lx->arena, n / 2);
    for (uint32_t i = 0; i < n / 2; i++)
        out[i] = (char)(hex(from[2 + 2 * i]) * 16 + hex(from[3 + 2 * i]));
    t->text = (struct wr_str){out, n / 2};
    return true;
}

/* $tag$ .. $tag$; from is at the first $, body behind the second. */
static bool dollar(struct wr_lexer *lx, struct wr_token *t, const char *from, const char *body)
{
    size_t n = (size_t)(body - from);
    for (const char *p = body; (size_t)(lx->end - p) >= n; p++)
        if (*p == '$' && memcmp(p, from, n) == 0) {
            give(lx, t, TK_STRING, from, p + n);
            t->text = (struct wr_str){body, (uint32_t)(p - body)};
            return true;
        }
    return stop(lx, WR_LEX_DOLLAR, from, lx->end);
}

/* Block comments nest. */
static bool comment(struct wr_lexer *lx, const char *from)
{
    int depth = 1;
    const char *p = from + 2;
    while (depth > 0) {
        if (lx->end - p < 2)
            return stop(lx, WR_LEX_COMMENT, from, lx->end);
        bool open = p[0] == '/' && p[1] == '*', close = p[0] == '*' && p[1] == '/';
        depth += open - close;
        p += open || close ? 2 : 1;
    }
    lx->at = p;
    const char *q = from + 3;
    if (from[2] == '+')
        while (q < p && *q == ' ')
            q++;
    if (from[2] == '+' && ((*q | 32) >= 'a' && (*q | 32) <= 'z'))
        return stop(lx, WR_LEX_HINT, from, p);
    return true;
}

static bool word(struct wr_lexer *lx, struct wr_token *t, const char *from, const char *to)
{
    give(lx, t, TK_ID, from, to);
    t->word = true;
    char small[32];
    bool upper = false;
    for (const char *p = from; p < to; p++)
        upper |= *p >= 'A' && *p <= 'Z';
    char *low = small;
    if (upper && lx->arena)
        low = wr_arena_bytes(lx->arena, t->text.n);
    else if (upper && t->text.n > sizeof small)
        return true; /* longer than any keyword, and nobody wants the text */
    if (upper) {
        for (uint32_t i = 0; i < t->text.n; i++)
            low[i] = from[i] >= 'A' && from[i] <= 'Z' ? (char)(from[i] + 32) : from[i];
        t->text.p = low;
    }
    const struct wr_keyword *k = wr_keyword_find(t->text);
    if (k)
        t->code = t->raw = k->code;
    if (upper && !lx->arena)
        t->text = k ? k->text : (struct wr_str){from, t->text.n};
    return true;
}

/* Behind the character at p. */
static const char *behind(const struct wr_lexer *lx, const char *p)
{
    uint32_t n = wr_utf8_step((struct wr_str){p, (uint32_t)(lx->end - p)});
    return p + (n ? n : 1);
}

/* The text may end anywhere: behind it the scanner sees zero bytes. */
#define YYCTYPE unsigned char
#define YYPEEK() (at < lx->end ? (unsigned char)*at : 0)
#define YYSKIP() at++
#define YYBACKUP() mark = at
#define YYRESTORE() at = mark

bool wr_lex(struct wr_lexer *lx, struct wr_token *t)
{
    const char *at, *mark, *from;
    lx->trouble = WR_LEX_FINE;
again:
    from = at = lx->at;
    if (from >= lx->end)
        return give(lx, t, 0, lx->end, lx->end);
    /*!re2c
        re2c:flags:input = custom;
        re2c:yyfill:enable = 0;

        tail    = [\x80-\xbf];
        space   = [ \t\r\n\f\v] | "\xc2\xa0" | "\xe2\x80" [\x80-\x8b] | "\xe2\x80\xaf" | "\xe3\x80\x80" | "\xef\xbb\xbf";
        beyond  = [\xc3-\xdf] tail | "\xc2" [\x80-\x9f\xa1-\xbf] | [\xe0\xe1\xe4-\xee] tail tail | "\xe2" [\x81-\xbf] tail
                | "\xe3" [\x81-\xbf] tail | "\xe3\x80" [\x81-\xbf] | "\xef" [\x80-\xba\xbc-\xbf] tail | "\xef\xbb" [\x80-\xbe]
                | [\xf0-\xf4] tail tail tail;
        letter  = [a-zA-Z_] | beyond;
        digit   = [0-9];
        ident   = letter (letter | digit | "$")*;
        whole   = digit+;
        exp     = [eE] [+-]? digit+;
        hexint  = "0" [xX] [0-9a-fA-F]+;
        number  = whole "." digit* exp? | "." digit+ exp? | whole exp;
        tag     = "$" (letter (letter | digit)*)? "$";

        space+                   { lx->at = at; goto again; }
        "--" [^\n\x00]*          { lx->at = at; goto again; }
        "/*"                     { if (!comment(lx, from)) return false; goto again; }
        "'"                      { return quoted(lx, t, TK_STRING, from, '\''); }
        "\""                     { return quoted(lx, t, TK_ID, from, '"'); }
        "`"                      { return quoted(lx, t, TK_ID, from, '`'); }
        [eE] "'"                 { return escaped(lx, t, from); }
        [xX] "'"                 { return hex_bytes(lx, t, from); }
        tag                      { return dollar(lx, t, from, at); }
        ident                    { return word(lx, t, from, at); }
        whole | hexint           { return give(lx, t, TK_INT, from, at); }
        number                   { return give(lx, t, TK_NUM, from, at); }
        (whole | hexint | number) ident { return stop(lx, WR_LEX_NUMBER, from, at); }

        "("   { return give(lx, t, TK_LP, from, at); }
        ")"   { return give(lx, t, TK_RP, from, at); }
        "["   { return give(lx, t, TK_LBRACKET, from, at); }
        "]"   { return give(lx, t, TK_RBRACKET, from, at); }
        "{"   { return give(lx, t, TK_LBRACE, from, at); }
        "}"   { return give(lx, t, TK_RBRACE, from, at); }
        ","   { return give(lx, t, TK_COMMA, from, at); }
        ";"   { return give(lx, t, TK_SEMI, from, at); }
        "."   { return give(lx, t, TK_DOT, from, at); }
        ":"   { return give(lx, t, TK_COLON, from, at); }
        "::"  { return give(lx, t, TK_TYPECAST, from, at); }
        "=>"  { return give(lx, t, TK_ARROW, from, at); }
        "=" | "=="                       { return give(lx, t, TK_EQ, from, at); }
        "<>" | "!=" | "<=" | ">="        { return give(lx, t, TK_CMP, from, at); }
        "<"   { return give(lx, t, TK_LT, from, at); }
        ">"   { return give(lx, t, TK_GT, from, at); }
        "+"   { return give(lx, t, TK_PLUS, from, at); }
        "-"   { return give(lx, t, TK_MINUS, from, at); }
        "*"   { return give(lx, t, TK_STAR, from, at); }
        "/"   { return give(lx, t, TK_SLASH, from, at); }
        "%"   { return give(lx, t, TK_PERCENT, from, at); }
        "^"   { return give(lx, t, TK_CARET, from, at); }
        "?"   { return give(lx, t, TK_QUESTION, from, at); }
        "|"   { return give(lx, t, TK_PIPE, from, at); }
        "~"   { return give(lx, t, TK_TILDE, from, at); }
        "||" | "->" | "->>" | "#>" | "#>>" | "~*" | "!~" | "!~*" | "&" | "#" | "<<" { return give(lx, t, TK_OP, from, at); }
        *     { return stop(lx, WR_LEX_CHAR, from, behind(lx, from)); }
    */
}

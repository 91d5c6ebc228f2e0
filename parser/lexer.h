/* lexer.h: SQL text -> tokens. Private to parser/.
 * Rules:  the text need not end with a NUL. A wrong thing is passed over, so that one can go on behind it.
 * Memory: a token's text is in the source or, where letters had to change, in the lexer's arena. Without an arena it stays empty in that case:
 *         enough for who only wants to know where things are. */
#ifndef WR_PARSER_LEXER_H
#define WR_PARSER_LEXER_H

#include "core/arena.h"
#include "core/error.h"

struct wr_token {
    struct wr_str text; /* word: lower case; quoted name, string, bytes: unescaped; number, operator: as written */
    int32_t off, end;   /* bytes of the source text */
    int16_t code;       /* TK_* of the grammar, as wr_settle() left it; 0: end of text */
    int16_t raw;        /* the same as the lexer gave it: a keyword's token for each keyword */
    bool word;          /* an unquoted word: keyword or name */
    bool quoted;        /* "name" or `name` */
};

enum wr_lex_trouble {
    WR_LEX_FINE,
    WR_LEX_QUOTE,       /* '..' has no end */
    WR_LEX_NAME,        /* ".." or `..` has no end */
    WR_LEX_DOLLAR,      /* $$..$$ has no end */
    WR_LEX_COMMENT,     /* a comment has no end */
    WR_LEX_CHAR,        /* a character that begins nothing */
    WR_LEX_ESCAPE,      /* \u12 and the like in E'..' */
    WR_LEX_HEX,         /* x'1g' */
    WR_LEX_NUMBER,      /* 12ab */
    WR_LEX_EMPTY,       /* "" */
    WR_LEX_HINT         /* a query hint: a comment that would mean something */
};

struct wr_lexer {
    const char *start, *at, *end; /* the text and how far it was read */
    struct wr_arena *arena;       /* NULL: see above */
    enum wr_lex_trouble trouble;  /* why the last call failed */
    int32_t trouble_off;          /* where the wrong thing begins */
};

/* Next token; code 0 at the end. false: trouble says what is wrong; `at` is behind it. */
bool wr_lex(struct wr_lexer *lx, struct wr_token *t);

/* keyword.c */
enum wr_kwkind { WR_KW_RESERVED, WR_KW_CONTEXT, WR_KW_FREE };
struct wr_keyword {
    struct wr_str text;
    int16_t code;
    enum wr_kwkind kind;
};
/* The i-th in order of text; NULL: no more. */
const struct wr_keyword *wr_keyword_at(int i);
/* A lower-case word; NULL: it is none. */
const struct wr_keyword *wr_keyword_find(struct wr_str word);

#endif

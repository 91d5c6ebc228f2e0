/* parse.h: SQL text -> statements. See ast.h for what comes out.
 * Limits (WR_ELIMIT): 1 MiB of text, expressions and queries nested 200 deep, 1,000 items in a select list or column list. */
#ifndef WR_PARSER_PARSE_H
#define WR_PARSER_PARSE_H

#include "core/buf.h"
#include "parser/ast.h"

/* All statements of the text, linked through next, those with errors left out. Errors: on_error is called for each (the text of the broken
 * statement is skipped up to its semicolon), until there are 100; NULL: only the first counts. Returns WR_OK, or the code of the first error, which is also in err. */
wr_status wr_parse(struct wr_str sql, struct wr_arena *a, struct wr_stmt **out, void (*on_error)(void *ctx, const struct wr_error *), void *ctx,
                   struct wr_error *err);

/* One expression, nothing behind it: bodies of SQL functions. */
wr_status wr_parse_expr(struct wr_str sql, struct wr_arena *a, struct wr_ast_expr **out, struct wr_error *err);

/* For the shell: is what was typed so far complete? */
enum wr_complete {
    WR_COMPLETE_EMPTY,    /* only blanks and comments */
    WR_COMPLETE_YES,      /* ends with a semicolon outside of everything */
    WR_COMPLETE_NO,       /* a statement has begun */
    WR_COMPLETE_QUOTE,    /* inside '..' */
    WR_COMPLETE_DQUOTE,   /* inside ".." */
    WR_COMPLETE_DOLLAR,   /* inside $$..$$ */
    WR_COMPLETE_COMMENT,  /* inside a block comment */
    WR_COMPLETE_PAREN     /* inside parentheses */
};
enum wr_complete wr_parse_complete(struct wr_str sql);
/* The next statement from byte *at on, without its ";" and the blanks and comments before it; *at moves behind its ";". false: there is none.
 * The last one may lack its ";". Use: uint32_t at = 0; while (wr_parse_next(text, &at, &one)) ... */
bool wr_parse_next(struct wr_str sql, uint32_t *at, struct wr_str *one);

/* 1-based line and column (in characters) of a byte offset. */
void wr_parse_place(struct wr_str sql, int32_t off, int *line, int *col);
/* file:line:col: message, the source line, a caret under the place, the hint; without a place only message and hint. */
void wr_parse_print_error(struct wr_buf *out, const char *file, struct wr_str sql, const struct wr_error *err);

/* AST -> SQL: canonical spelling that parses to the same AST. */
void wr_unparse_stmt(struct wr_buf *out, const struct wr_stmt *s);
void wr_unparse_select(struct wr_buf *out, const struct wr_ast_select *s);
void wr_unparse_expr(struct wr_buf *out, const struct wr_ast_expr *e);
void wr_unparse_type(struct wr_buf *out, const struct wr_ast_type *t);
/* "name" quoted if it has to be. */
void wr_unparse_ident(struct wr_buf *out, struct wr_str name);

/* Keywords in order, for completion; NULL behind the last. reserved: cannot be a name without quotes. */
const char *wr_keyword(int i, bool *reserved);

#endif

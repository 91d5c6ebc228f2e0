/* unparse.h: trees back to SQL text: SHOW CREATE, views, messages, tests.
 *
 * Rules:  canonical: keywords in capitals, names quoted only where they must be, parentheses only where they change the meaning.
 *         Parsing the text again gives an equal tree (wr_ast_dump of both is the same).
 * Memory: appends to the buffer; a full buffer sets its overflow flag. */
#ifndef WR_PARSER_UNPARSE_H
#define WR_PARSER_UNPARSE_H

#include "core/buf.h"
#include "parser/ast.h"

void wr_unparse(struct wr_buf *out, const struct wr_stmt *stmt); /* without ";" */
void wr_unparse_query(struct wr_buf *out, const struct wr_ast_query *query);
void wr_unparse_expr(struct wr_buf *out, const struct wr_ast_expr *expr);
void wr_unparse_type(struct wr_buf *out, const struct wr_ast_type *type);
void wr_unparse_path(struct wr_buf *out, const struct wr_ast_list *path); /* a.b."C" */
void wr_unparse_name(struct wr_buf *out, struct wr_str name);             /* quoted if it has to be */
void wr_unparse_string(struct wr_buf *out, struct wr_str text);           /* 'it''s' */

/* The tree as it is, for tests: (binary add (integer 1) (column a)). Places and parentheses are left out; two trees are equal if their dumps are. */
void wr_ast_dump(struct wr_buf *out, const struct wr_stmt *stmt);
void wr_ast_dump_expr(struct wr_buf *out, const struct wr_ast_expr *expr);

#endif

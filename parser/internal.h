/* internal.h: what the parser's files share with each other and with nobody else.
 *
 *   lexer.re     bytes -> tokens                          keyword.c, keywords.def   the words
 *   settle.c     which words are keywords in this place   grammar.y   rules; each action is one call of a builder
 *   ast.c        builders of expressions and lists        ast_query.c, ast_stmt.c   builders of the rest
 *   parse.c      the loop over statements and tokens      hint.c      what a syntax error says
 *   text.c       places, printed errors                   unparse.c, unparse_stmt.c   AST -> SQL
 *
 * Rules:  a builder never returns NULL for something that was there. After wr_b_fail() the parse goes on to the end of the current token and stops.
 * Memory: all in p->a. */
#ifndef WR_PARSER_INTERNAL_H
#define WR_PARSER_INTERNAL_H

#include "parser/lexer.h"
#include "parser/parse.h"

enum {
    TEXT_MAX = 1 << 20,  /* bytes */
    DEPTH_MAX = 200,     /* nested parentheses; nodes within nodes */
    CHAIN_MAX = 1000,    /* links of a chain like a + b + c, which nests to the left */
    ERRORS_MAX = 100,    /* of one text: then we stop reading */
    COLUMNS_MAX = 1000   /* items of a select list, columns of a table */
};

/* The parse of one statement. */
struct wr_parse {
    struct wr_arena *a;
    struct wr_str sql;        /* the whole text */
    struct wr_token *tok;     /* of this statement, then one with code 0 */
    int n;                    /* without that one */
    int at;                   /* the token that is being fed */
    enum wr_lex_trouble trouble; /* of the ILLEGAL token, if there is one */
    int32_t trouble_off;
    int open;                 /* innermost parenthesis that nothing closes (a token), -1: none; known after wr_settle() */
    bool failed;              /* err is set */
    bool syntax;              /* failed, because token `at` does not fit */
    struct wr_error *err;
    void *lemon;              /* the generated parser while it runs */
    struct wr_stmt *stmt;     /* result */
    struct wr_ast_expr *expr; /* result */
};

/* Decides about words that are keywords in some places only, and about nesting. Sets code of all tokens, p->open. */
void wr_settle(struct wr_parse *p);
/* Feeds the tokens to the grammar. first: 0, or TK_EXPR_ONLY. */
void wr_parse_run(struct wr_parse *p, int first);
/* Says what is wrong at token p->at, after a syntax error. first: as wr_parse_run. */
void wr_parse_explain(struct wr_parse *p, int first);
/* Would the grammar take this token now? Without falling back to a name. (grammar.y) */
bool wr_grammar_takes(void *lemon, int code);

/* unparse.c, for unparse_stmt.c */
void wr_unparse_string(struct wr_buf *out, struct wr_str text);                 /* 'it''s' */
void wr_unparse_path(struct wr_buf *out, const struct wr_ast_name *path);       /* a.b */
void wr_unparse_names(struct wr_buf *out, const struct wr_ast_name *list);      /* a, b */

/* ---- what the generated parser calls and offers ---- */

void wr_b_unexpected(struct wr_parse *p, struct wr_token *t); /* t NULL: the end */
void wr_b_overflow(struct wr_parse *p);
void *wr_grammarAlloc(void *(*alloc)(size_t), struct wr_parse *p);
void wr_grammarFree(void *lemon, void (*release)(void *));
void wr_grammar(void *lemon, int code, struct wr_token *t);

/* ---- builders. T: the token that gives a place; Z: the last token; lists are their first member, NULL: empty ---- */

void wr_b_fail(struct wr_parse *p, int32_t off, const char *fmt, ...) WR_PRINTF(3, 4);
void wr_b_refuse(struct wr_parse *p, int32_t off, const char *what, const char *hint); /* "... is not supported"; hint may be NULL */

/* Behind every node lies what only the parser needs to know of it. */
struct wr_node_head {
    void *last;               /* first member of a list: its last one; NULL: itself */
    int32_t n;                /* first member: length of the list */
    int16_t weight;           /* how high the tree under it is, at most CHAIN_MAX; see ast.c. First member: the most of the list */
    bool paren;               /* was in parentheses */
};
_Static_assert(sizeof(struct wr_node_head) == 16, "nodes stay aligned");
void *wr_b_node(struct wr_parse *p, size_t size);
static inline struct wr_node_head *wr_b_head(void *node)
{
    return (struct wr_node_head *)node - 1;
}
void wr_b_over(struct wr_parse *p, void *node, void *child);  /* child (or a list of them) lies under node; NULL: nothing happens */
void wr_b_chain(struct wr_parse *p, void *node, void *left);  /* the same for the left side of a chain */
void wr_b_limit(struct wr_parse *p, void *list, const char *what, int32_t off); /* at most COLUMNS_MAX members */
void wr_b_append(void *list, void *item); /* all of WR_APPEND but setting `next` */
/* Appends a node with a `next` field; gives the list back. */
#define WR_APPEND(list, item)                                                                                   \
    __extension__({                                                                                             \
        __typeof__(item) list_ = (list), item_ = (item);                                                        \
        void *last_ = wr_b_head(list_)->last ? wr_b_head(list_)->last : (void *)list_;                          \
        ((__typeof__(item))last_)->next = item_;                                                                \
        wr_b_append(list_, item_);                                                                              \
        list_;                                                                                                  \
    })

struct wr_ast_name *wr_b_name(struct wr_parse *p, struct wr_token *t);

/* expressions (ast.c) */
struct wr_ast_expr *wr_b_literal(struct wr_parse *p, enum wr_ast_ekind kind, struct wr_token *t);
struct wr_ast_expr *wr_b_typed(struct wr_parse *p, struct wr_token *type, struct wr_token *text);
struct wr_ast_expr *wr_b_interval(struct wr_parse *p, struct wr_token *t, struct wr_token *sign, struct wr_token *text, struct wr_token *unit,
                                  struct wr_token *unit_to);
struct wr_ast_expr *wr_b_column(struct wr_parse *p, struct wr_ast_name *name);
struct wr_ast_expr *wr_b_dot(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_name *name);
struct wr_ast_expr *wr_b_star(struct wr_parse *p, struct wr_ast_expr *of, struct wr_token *star);
struct wr_ast_expr *wr_b_paren(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *e, struct wr_token *z);
struct wr_ast_expr *wr_b_unary(struct wr_parse *p, struct wr_token *op, struct wr_ast_expr *a);
struct wr_ast_expr *wr_b_binary(struct wr_parse *p, struct wr_ast_expr *l, struct wr_token *op, struct wr_ast_expr *r);
struct wr_ast_expr *wr_b_shift(struct wr_parse *p, struct wr_ast_expr *l, struct wr_token *op, struct wr_ast_expr *r); /* l >> r */
struct wr_ast_expr *wr_b_at_zone(struct wr_parse *p, struct wr_ast_expr *l, struct wr_ast_expr *r);
struct wr_ast_expr *wr_b_is(struct wr_parse *p, struct wr_ast_expr *a, bool negated, struct wr_token *what);
struct wr_ast_expr *wr_b_distinct(struct wr_parse *p, struct wr_ast_expr *a, bool negated, struct wr_ast_expr *b);
enum { WR_B_LIKE = 0, WR_B_ILIKE = 1, WR_B_SIMILAR = 2, WR_B_NOT = 4 };
struct wr_ast_expr *wr_b_like(struct wr_parse *p, struct wr_ast_expr *a, int op, struct wr_ast_expr *b, struct wr_ast_expr *escape);
struct wr_ast_expr *wr_b_between(struct wr_parse *p, struct wr_ast_expr *a, bool negated, bool symmetric, struct wr_ast_expr *lo, struct wr_ast_expr *hi);
struct wr_ast_expr *wr_b_in(struct wr_parse *p, struct wr_ast_expr *a, bool negated, struct wr_ast_expr *list, struct wr_ast_select *q, struct wr_token *z);
struct wr_ast_expr *wr_b_quantified(struct wr_parse *p, struct wr_ast_expr *l, struct wr_token *op, bool all, struct wr_ast_expr *array,
                                    struct wr_ast_select *q, struct wr_token *z);
struct wr_ast_expr *wr_b_subquery(struct wr_parse *p, struct wr_token *exists, struct wr_ast_select *q);
struct wr_ast_expr *wr_b_when(struct wr_parse *p, struct wr_ast_expr *list, struct wr_ast_expr *cond, struct wr_ast_expr *then);
struct wr_ast_expr *wr_b_case(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *of, struct wr_ast_expr *whens, struct wr_ast_expr *otherwise,
                              struct wr_token *z);
struct wr_ast_expr *wr_b_cast(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *e, struct wr_ast_type *type, struct wr_token *z);
struct wr_ast_expr *wr_b_list(struct wr_parse *p, enum wr_ast_ekind kind, struct wr_token *t, struct wr_ast_expr *items, struct wr_token *z);
struct wr_ast_expr *wr_b_index(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_expr *index, struct wr_token *z);
/* quant: DISTINCT, ALL or NULL */
struct wr_ast_expr *wr_b_call(struct wr_parse *p, struct wr_ast_expr *f, struct wr_token *quant, struct wr_ast_expr *args, struct wr_ast_order *order,
                              struct wr_token *z);
struct wr_ast_expr *wr_b_call_from(struct wr_parse *p, struct wr_ast_expr *f, struct wr_ast_expr *x, struct wr_ast_expr *placing, struct wr_ast_expr *from,
                                   struct wr_ast_expr *count, struct wr_token *z);
struct wr_ast_expr *wr_b_call_trim(struct wr_parse *p, struct wr_ast_expr *f, struct wr_token *side, struct wr_ast_expr *chars, struct wr_ast_expr *x,
                                   struct wr_token *z);
struct wr_ast_expr *wr_b_call_in(struct wr_parse *p, struct wr_ast_expr *f, struct wr_ast_expr *a, struct wr_ast_expr *b, struct wr_token *z);
struct wr_ast_expr *wr_b_returning(struct wr_parse *p, struct wr_ast_expr *call, struct wr_ast_type *type);
struct wr_ast_expr *wr_b_within(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_ast_order *order, struct wr_token *z);
struct wr_ast_expr *wr_b_filter(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_ast_expr *filter, struct wr_token *z);
struct wr_ast_expr *wr_b_nulls(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_token *z);
struct wr_ast_expr *wr_b_over_call(struct wr_parse *p, struct wr_ast_expr *call, struct wr_token *t, struct wr_ast_over *over);
struct wr_ast_expr *wr_b_named(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_expr *value);
struct wr_ast_expr *wr_b_table_arg(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *path, struct wr_ast_select *q, struct wr_ast_expr *part,
                                   struct wr_ast_order *order);
struct wr_ast_order *wr_b_order(struct wr_parse *p, struct wr_ast_expr *e, bool desc, int nulls);
struct wr_ast_over *wr_b_over_ref(struct wr_parse *p, struct wr_ast_name *ref);
struct wr_ast_over *wr_b_over_spec(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *ref, struct wr_ast_expr *part, struct wr_ast_order *order,
                                   struct wr_ast_over *frame, struct wr_token *z);
struct wr_bound {             /* one end of a frame */
    enum wr_ast_bound kind;
    struct wr_ast_expr *n;    /* NULL: none */
};
struct wr_bound *wr_b_bound(struct wr_parse *p, enum wr_ast_bound kind, struct wr_ast_expr *n);
struct wr_ast_over *wr_b_frame(struct wr_parse *p, struct wr_token *unit, struct wr_bound *from, struct wr_bound *to);

/* types (ast.c) */
struct wr_ast_type *wr_b_type(struct wr_parse *p, struct wr_token *t, struct wr_token *second);
struct wr_ast_type *wr_b_type_param(struct wr_parse *p, struct wr_ast_type *type, struct wr_token *first, struct wr_token *second, struct wr_token *z);
struct wr_ast_type *wr_b_type_zone(struct wr_parse *p, struct wr_ast_type *type, bool with, struct wr_token *z);
struct wr_ast_type *wr_b_type_array(struct wr_parse *p, struct wr_token *t, struct wr_ast_type *elem, struct wr_token *z);
struct wr_ast_type *wr_b_type_row(struct wr_parse *p, struct wr_token *t, struct wr_ast_field *fields, struct wr_token *z);
struct wr_ast_field *wr_b_field(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_type *type);

/* queries (ast_query.c) */
struct wr_tail {              /* what may stand behind a whole query; NULL: not given */
    struct wr_ast_order *order;
    struct wr_ast_expr *limit, *offset;
    struct wr_ast_watermark *watermark;
    struct wr_ast_emit *emit;
    bool limited;             /* LIMIT, LIMIT ALL or FETCH was there */
    int32_t off, end;
};
struct wr_tail *wr_b_tail(struct wr_parse *p, struct wr_tail *t, const struct wr_tail *item, struct wr_token *first);
struct wr_ast_select *wr_b_query(struct wr_parse *p, struct wr_token *with, struct wr_ast_cte *ctes, struct wr_ast_select *q, struct wr_tail *tail);
struct wr_ast_select *wr_b_query_paren(struct wr_parse *p, struct wr_token *t, struct wr_ast_select *q, struct wr_token *z);
struct wr_ast_select *wr_b_setop(struct wr_parse *p, struct wr_ast_select *l, enum wr_ast_setop op, bool all, struct wr_ast_select *r);
struct wr_ast_select *wr_b_select(struct wr_parse *p, struct wr_token *t, bool distinct, struct wr_ast_item *items);
struct wr_ast_select *wr_b_from(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_table *from);
enum wr_clause { WR_CLAUSE_WHERE, WR_CLAUSE_HAVING, WR_CLAUSE_QUALIFY };
struct wr_ast_select *wr_b_clause(struct wr_parse *p, struct wr_ast_select *s, enum wr_clause c, struct wr_ast_expr *e);
struct wr_ast_select *wr_b_group_by(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_group *group, struct wr_token *z);
struct wr_ast_select *wr_b_windows(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_window_def *w);
struct wr_ast_select *wr_b_select_wm(struct wr_parse *p, struct wr_ast_select *s, struct wr_ast_watermark *w);
struct wr_ast_select *wr_b_values(struct wr_parse *p, struct wr_token *t, struct wr_ast_row *rows);
struct wr_ast_row *wr_b_row(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *cells, struct wr_token *z);
struct wr_ast_item *wr_b_item(struct wr_parse *p, struct wr_ast_expr *e, struct wr_ast_name *alias);
struct wr_ast_cte *wr_b_cte(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_name *columns, struct wr_ast_select *q);
struct wr_ast_group *wr_b_group(struct wr_parse *p, struct wr_ast_expr *e);
struct wr_ast_group *wr_b_group_sets(struct wr_parse *p, struct wr_token *t, struct wr_ast_group *sets);
struct wr_ast_group *wr_b_group_set(struct wr_parse *p, struct wr_ast_group *g, struct wr_token *t, struct wr_token *z);
struct wr_ast_window_def *wr_b_window_def(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_over *over);
struct wr_ast_watermark *wr_b_watermark(struct wr_parse *p, struct wr_token *t, struct wr_ast_expr *delay, struct wr_ast_expr *idle,
                                        struct wr_ast_expr *lateness);
struct wr_ast_emit *wr_b_emit(struct wr_parse *p, struct wr_token *t, enum wr_ast_emit_kind kind, struct wr_ast_expr *every, struct wr_ast_expr *delay,
                              struct wr_token *z);
struct wr_ast_table *wr_b_table_name(struct wr_parse *p, struct wr_ast_name *path);
struct wr_ast_table *wr_b_table_query(struct wr_parse *p, struct wr_ast_select *q, struct wr_token *lateral);
struct wr_ast_table *wr_b_table_call(struct wr_parse *p, struct wr_ast_name *path, struct wr_ast_expr *args, struct wr_token *lateral, struct wr_token *z);
struct wr_ast_table *wr_b_table_alias(struct wr_parse *p, struct wr_ast_table *t, struct wr_ast_name *alias, struct wr_ast_name *columns, struct wr_token *z);
struct wr_ast_table *wr_b_table_ordinality(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at);
struct wr_ast_table *wr_b_table_as_of(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at, struct wr_ast_expr *e);
struct wr_ast_table *wr_b_table_wm(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at, struct wr_ast_expr *col, struct wr_ast_expr *delay);
struct wr_ast_table *wr_b_table_match(struct wr_parse *p, struct wr_ast_table *t, struct wr_token *at, struct wr_ast_match *m, struct wr_token *z);
struct wr_ast_table *wr_b_table_paren(struct wr_parse *p, struct wr_token *t, struct wr_ast_table *in, struct wr_token *z);
struct wr_ast_table *wr_b_join(struct wr_parse *p, struct wr_ast_table *l, enum wr_ast_join how, bool natural, struct wr_ast_table *r,
                               struct wr_ast_expr *on, struct wr_ast_name *cols);
struct wr_ast_match *wr_b_match(struct wr_parse *p, struct wr_token *t);
struct wr_ast_match *wr_b_match_done(struct wr_parse *p, struct wr_ast_match *m, struct wr_token *t, struct wr_ast_pattern *pat, struct wr_ast_expr *within,
                                     struct wr_ast_named_expr *define);
struct wr_ast_named_expr *wr_b_named_expr(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_expr *e);
struct wr_ast_pattern *wr_b_pattern(struct wr_parse *p, enum wr_ast_pkind kind, struct wr_ast_pattern *list, struct wr_ast_pattern *more);
struct wr_ast_pattern *wr_b_pattern_var(struct wr_parse *p, struct wr_ast_name *name);
struct wr_ast_pattern *wr_b_repeat(struct wr_parse *p, struct wr_ast_pattern *sub, int32_t min, int32_t max, struct wr_token *reluctant);
int32_t wr_b_number(struct wr_parse *p, struct wr_token *t);

/* statements (ast_stmt.c) */
enum { WR_B_REPLACE = 1, WR_B_TEMPORARY = 2, WR_B_MATERIALIZED = 4 };
struct wr_stmt *wr_b_stmt(struct wr_parse *p, enum wr_ast_skind kind, struct wr_token *t);
struct wr_stmt *wr_b_stmt_query(struct wr_parse *p, struct wr_ast_select *q);
struct wr_stmt *wr_b_create(struct wr_parse *p, struct wr_token *t, int flags, enum wr_ast_skind kind, bool if_not_exists, struct wr_ast_name *name);
struct wr_stmt *wr_b_create_columns(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_ast_relation *r);
struct wr_stmt *wr_b_create_options(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_ast_option *options);
struct wr_ast_option *wr_b_format(struct wr_parse *p, struct wr_token *row, struct wr_token *encode, struct wr_ast_option *more);
struct wr_stmt *wr_b_create_format(struct wr_parse *p, struct wr_stmt *s, struct wr_ast_option *options);
struct wr_stmt *wr_b_create_comment(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_token *text);
struct wr_stmt *wr_b_create_from(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_ast_name *from);
struct wr_stmt *wr_b_create_query(struct wr_parse *p, struct wr_stmt *s, struct wr_ast_select *q);
struct wr_stmt *wr_b_view(struct wr_parse *p, struct wr_token *t, int flags, bool if_not_exists, struct wr_ast_name *name, struct wr_ast_name *columns,
                          struct wr_ast_select *q);
struct wr_stmt *wr_b_function(struct wr_parse *p, struct wr_token *t, int flags, bool if_not_exists, struct wr_ast_name *name, struct wr_ast_param *params,
                              struct wr_ast_type *returns);
struct wr_stmt *wr_b_function_language(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_token *language);
struct wr_stmt *wr_b_function_body(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, struct wr_token *body, struct wr_token *symbol);
struct wr_ast_param *wr_b_param(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_type *type);
struct wr_ast_relation *wr_b_relation(struct wr_parse *p);
struct wr_ast_relation *wr_b_rel_column(struct wr_parse *p, struct wr_ast_relation *r, struct wr_ast_column *c);
struct wr_ast_relation *wr_b_rel_key(struct wr_parse *p, struct wr_ast_relation *r, struct wr_token *t, struct wr_ast_name *names, bool not_enforced);
struct wr_ast_relation *wr_b_rel_watermark(struct wr_parse *p, struct wr_ast_relation *r, struct wr_token *t, struct wr_ast_name *col, struct wr_ast_expr *e);
struct wr_ast_column *wr_b_coldef(struct wr_parse *p, struct wr_ast_name *name, struct wr_ast_type *type);
struct wr_ast_column *wr_b_col_flag(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, int what, struct wr_token *z);
struct wr_ast_column *wr_b_col_path(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_token *path);
struct wr_ast_column *wr_b_col_meta(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_token *key);
struct wr_ast_column *wr_b_col_computed(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_ast_expr *e);
struct wr_ast_column *wr_b_col_default(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_ast_expr *e);
struct wr_ast_column *wr_b_col_comment(struct wr_parse *p, struct wr_ast_column *c, struct wr_token *t, struct wr_token *text);
struct wr_key {               /* an option's or a setting's name while it grows */
    struct wr_str text;
    int32_t off, end;
};
struct wr_key *wr_b_key(struct wr_parse *p, struct wr_key *k, struct wr_token *sep, struct wr_token *t);
struct wr_ast_option *wr_b_option(struct wr_parse *p, struct wr_key *key, struct wr_key *value);
struct wr_key *wr_b_value(struct wr_parse *p, struct wr_token *sign, struct wr_token *t);
struct wr_stmt *wr_b_drop(struct wr_parse *p, struct wr_token *t, const char *what, bool if_exists, struct wr_ast_name *names, bool cascade);
struct wr_stmt *wr_b_show(struct wr_parse *p, struct wr_token *t, struct wr_key *what);
struct wr_stmt *wr_b_on_name(struct wr_parse *p, enum wr_ast_skind kind, struct wr_token *t, const char *what, struct wr_ast_name *name);
struct wr_ast_name *wr_b_string_name(struct wr_parse *p, struct wr_token *t);
struct wr_stmt *wr_b_set(struct wr_parse *p, struct wr_token *t, struct wr_key *name, struct wr_key *value);
struct wr_stmt *wr_b_reset(struct wr_parse *p, struct wr_token *t, struct wr_key *name, struct wr_token *z);
struct wr_stmt *wr_b_explain(struct wr_parse *p, struct wr_token *t, bool analyze, struct wr_ast_option *options, struct wr_stmt *inner,
                             struct wr_ast_name *job);
struct wr_stmt *wr_b_insert(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *into, struct wr_ast_name *columns, struct wr_ast_select *q);
struct wr_stmt *wr_b_statement_set(struct wr_parse *p, struct wr_token *t, struct wr_stmt *list, struct wr_token *z);
struct wr_stmt *wr_b_print(struct wr_parse *p, struct wr_token *t, struct wr_token *topic, bool beginning, struct wr_ast_expr *limit,
                           struct wr_ast_option *options);
struct wr_stmt *wr_b_infer(struct wr_parse *p, struct wr_token *t, struct wr_token *from, struct wr_ast_option *options);
struct wr_stmt *wr_b_submit(struct wr_parse *p, struct wr_token *t, struct wr_ast_name *job, struct wr_stmt *inner);
struct wr_stmt *wr_b_stop(struct wr_parse *p, struct wr_stmt *s, struct wr_token *t, bool savepoint);
struct wr_stmt *wr_b_end(struct wr_parse *p, struct wr_stmt *s); /* the statement ends before token p->at */

#endif

/* expr.h: bound expressions, and their evaluation over a batch.
 *
 * An expression is a tree in the plan's arena, read-only at run time. It is evaluated column-wise: one call of a kernel a node a batch.
 * A row for which evaluation fails (overflow, division by zero, bad cast) is marked bad in the wr_eval and dropped by the operator that
 * evaluates, with its reason; it never stops the job by itself. CASE, COALESCE, AND, OR evaluate an argument only for rows that need it. */
#ifndef WR_CORE_EXPR_H
#define WR_CORE_EXPR_H

#include "core/batch.h"
#include "core/func.h"

enum wr_xkind {
    WR_X_COL,      /* u.col */
    WR_X_CONST,    /* u.val */
    WR_X_CALL,     /* u.call: kernel over the arguments */
    WR_X_AND,      /* u.call.arg[0..n): three-valued, stops early by row */
    WR_X_OR,
    WR_X_CASE,     /* u.call.arg = when1, then1, when2, then2, ..., [else]; n odd: has else. Whens are BOOLEAN */
    WR_X_COALESCE, /* u.call.arg: first that is not NULL */
    WR_X_TRY       /* u.call.arg[0]: rows that would be bad become NULL (TRY_CAST) */
};

struct wr_expr {
    enum wr_xkind kind;
    struct wr_type type;   /* of the result */
    bool nullable;         /* may be NULL */
    int32_t off;           /* place in the SQL text, -1: none */
    union {
        int col;           /* column of the input */
        struct wr_value val;
        struct {
            const struct wr_func *fn; /* CALL only */
            const void *fn_data;      /* what fn->bind prepared (compiled pattern, unit); NULL: nothing */
            int n;
            struct wr_expr **arg;
        } call;
    } u;
};

struct wr_bad_row { uint32_t row; enum wr_reason reason; int32_t off; struct wr_str msg; };

/* One evaluation's surroundings; lives in the operator and is reset for each batch. */
struct wr_eval {
    struct wr_arena *mem;      /* results and intermediate vectors go here; must live as long as the results are used */
    int64_t now_us;            /* now(), CURRENT_TIMESTAMP: set by the task once a batch */
    uint8_t *bad;              /* by row, 1: bad; NULL: none so far; `rows` long */
    struct wr_bad_row *list;   /* the bad rows, each once, first reason; malloc'd, kept over batches */
    uint32_t n_bad, cap_bad, rows;
    int32_t off;               /* off of the expression being evaluated: for messages */
};
void wr_eval_begin(struct wr_eval *ev, const struct wr_batch *in, struct wr_arena *mem);
void wr_eval_clear(struct wr_eval *ev); /* frees what the eval owns */
/* Marks a row; kernels call it and go on with the next row. msg may be NULL (then the reason's help). */
void wr_eval_bad(struct wr_eval *ev, uint32_t row, enum wr_reason why, const char *fmt, ...) WR_PRINTF(4, 5);

/* out = x over the rows sel[0..n) of `in` (sel NULL: rows 0..n-1), placed at the same row numbers; other rows are undefined.
 * A column reference borrows the column. Rows marked bad have undefined results. */
void wr_eval(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, struct wr_vec *out);
/* pick[0..*n_pick) = the rows of sel for which x is true (not NULL, not bad). pick has room for n. */
void wr_eval_pick(struct wr_eval *ev, const struct wr_expr *x, const struct wr_batch *in, const uint32_t *sel, uint32_t n, uint32_t *pick, uint32_t *n_pick);
/* A constant expression's value; false: it is bad (*why) or not constant. Text in mem. */
bool wr_eval_const(const struct wr_expr *x, struct wr_arena *mem, struct wr_value *out, struct wr_error *err);

/* Names of operators for wr_expr_call; what is not here is a function by the name users write.
 *   + - * / % ^ & | # << >> ~ (one argument: bits; two: regex)  - (one argument: minus)  = <> < <= > >=  || -> ->> #> #>>  ~* !~ !~*
 *   not(b) is_null(x) is_not_null(x) is_true(b) is_not_true(b) is_false(b) is_not_false(b) is_unknown(b) is_not_unknown(b)
 *   is_distinct(a, b) is_not_distinct(a, b)   in(x, item, ...)   like(x, pattern [, escape]) ilike(...) similar(...)
 *   extract(unit text, x)   timezone(zone, ts) for AT TIME ZONE   overlay(x, new, from [, count])   position(part, text)
 *   subscript(array, index)   field(row, constant index from 0)   array(x, ...) row(x, ...)
 *   trim: btrim, ltrim, rtrim   substring(x, from [, count]), substring(x, pattern)
 * NOT LIKE, NOT IN: not(...). BETWEEN: the planner's. AND, OR, CASE, COALESCE, TRY: node kinds above.
 *
 * Helpers that build trees (arena). wr_expr_call resolves the name over the arguments' types, inserts casts, and fails with a hint
 * (nearest name, the signatures there are). */
struct wr_expr *wr_expr_col(struct wr_arena *a, int col, struct wr_type type, bool nullable, int32_t off);
struct wr_expr *wr_expr_const(struct wr_arena *a, struct wr_value v, int32_t off);
wr_status wr_expr_call(struct wr_arena *a, struct wr_str name, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out, struct wr_error *err);
/* x itself when it is of the type already. explicit: CAST was written; otherwise only conversions that lose nothing
 * (INT→BIGINT→DECIMAL→DOUBLE, NULL→any, DATE→TIMESTAMP, and a TEXT *constant* to any type) are allowed. */
wr_status wr_expr_cast(struct wr_arena *a, struct wr_expr *x, struct wr_type to, bool explicit_cast, struct wr_expr **out, struct wr_error *err);
/* The type both sides of UNION, CASE, COALESCE, comparison convert to; false: there is none. */
bool wr_type_common(struct wr_type a, struct wr_type b, struct wr_type *out);
/* Gives arg[0..n) one type, inserting conversions: the common type of those that are not text constants; a text constant then takes that
 * type (if all are text constants or NULL: TEXT). For UNION columns, CASE results, COALESCE, IN. what: "CASE", "UNION": for the message. */
wr_status wr_expr_unify(struct wr_arena *a, struct wr_expr **arg, int n, const char *what, struct wr_type *type, struct wr_error *err);
/* True for a written text constant or NULL: it takes the type of what it meets. */
bool wr_expr_is_unknown(const struct wr_expr *x);
bool wr_expr_is_const(const struct wr_expr *x); /* no column and no volatile function below it */
/* Same tree (columns, values, functions): used to match GROUP BY expressions with the select list. */
bool wr_expr_eq(const struct wr_expr *a, const struct wr_expr *b);
/* Constant folding: replaces constant subtrees by their value; a constant that fails keeps its tree (the rows then are bad). */
struct wr_expr *wr_expr_fold(struct wr_arena *a, struct wr_expr *x);
/* SQL-like text, names from schema (NULL: $0, $1): EXPLAIN. */
void wr_expr_print(struct wr_buf *out, const struct wr_expr *x, const struct wr_schema *in);
/* Calls fn on each column reference below x. */
void wr_expr_columns(const struct wr_expr *x, void (*fn)(void *ctx, int col), void *ctx);
/* Deep copy with column c replaced by map[c]; map[c] < 0 is a broken promise. */
struct wr_expr *wr_expr_remap(struct wr_arena *a, const struct wr_expr *x, const int *map);

#endif

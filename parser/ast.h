/* ast.h: what the parser makes of SQL text: statements as written, nothing looked up.
 *
 * - Every node lives in the statement arena and is freed with it; lists are singly linked through `next`, in the order written.
 * - off is the byte offset of the node's first token in the text, end the offset behind its last one.
 * - Identifiers are folded to lower case unless quoted; `quoted` tells. Literals keep their digits and bytes. */
#ifndef WR_PARSER_AST_H
#define WR_PARSER_AST_H

#include "core/arena.h"
#include "core/error.h"
#include "core/str.h"

struct wr_ast_select;
struct wr_ast_expr;

/* One part of a name; a qualified name is a list of them. */
struct wr_ast_name {
    struct wr_str text;      /* folded */
    bool quoted;
    int32_t off, end;
    struct wr_ast_name *next;
};

struct wr_ast_type {
    struct wr_str name;      /* upper case, words joined by one blank: "DOUBLE PRECISION", "TIMESTAMP", "DECIMAL", "ARRAY", "ROW" */
    int n_param;             /* parameters in parentheses: DECIMAL(12,2) has 2 */
    int64_t param[2];
    bool with_zone;          /* WITH TIME ZONE */
    struct wr_ast_type *elem;     /* ARRAY: element type */
    struct wr_ast_field *field;   /* ROW: members */
    int32_t off, end;
};
struct wr_ast_field { struct wr_ast_name name; struct wr_ast_type *type; struct wr_ast_field *next; };

/* ---- expressions ---- */

enum wr_ast_ekind {
    WR_E_NULL, WR_E_TRUE, WR_E_FALSE,
    WR_E_INT,          /* text: digits (or 0x..) */
    WR_E_NUM,          /* text: digits with a point or an exponent */
    WR_E_STRING,       /* text: unescaped */
    WR_E_BYTES,        /* text: the bytes of x'..' */
    WR_E_INTERVAL,     /* text: '1', unit: "MINUTE", unit_to: "SECOND"; unit empty: INTERVAL '1 min 30 s' */
    WR_E_TYPED,        /* DATE '..', TIMESTAMP '..': type and text */
    WR_E_NAME,         /* name: column, table.column, window.start */
    WR_E_STAR,         /* * or t.* (name: the qualifier, NULL: none); in count(*) too */
    WR_E_UNARY,        /* op ("-", "+", "not", "~"), a */
    WR_E_BINARY,       /* op, a, b: arithmetic, comparison, "and", "or", "||", "->", "~", "at time zone", ... in lower case */
    WR_E_IS,           /* a IS [NOT] what: op = "null", "true", "false", "unknown"; not */
    WR_E_DISTINCT,     /* a IS [NOT] DISTINCT FROM b; not */
    WR_E_LIKE,         /* a [NOT] LIKE b [ESCAPE c]: op = "like", "ilike", "similar to" */
    WR_E_BETWEEN,      /* a [NOT] BETWEEN b AND c; symmetric in flag */
    WR_E_IN_LIST,      /* a [NOT] IN (args) */
    WR_E_IN_QUERY,     /* a [NOT] IN (select); a may be a ROW */
    WR_E_EXISTS,       /* EXISTS (select) */
    WR_E_QUANTIFIED,   /* a op ANY|ALL (select or array b): flag: ALL */
    WR_E_SUBQUERY,     /* (select) */
    WR_E_CASE,         /* a: operand or NULL; args: when1, then1, ...; b: ELSE or NULL */
    WR_E_CAST,         /* CAST(a AS type), a::type; flag: TRY_CAST */
    WR_E_CALL,         /* name(args): the special forms too: EXTRACT(f FROM x) is extract('f', x); SUBSTRING(x FROM a FOR b) is substring(x, a, b);
                          POSITION(a IN b) is position(a, b); TRIM(BOTH c FROM x) is btrim(x, c) / ltrim / rtrim; OVERLAY(a PLACING b FROM c FOR d) is
                          overlay(a, b, c, d); CURRENT_TIMESTAMP, CURRENT_DATE, LOCALTIMESTAMP are calls without arguments; GROUPING(..) too */
    WR_E_ARRAY,        /* ARRAY[args] */
    WR_E_ROW,          /* ROW(args), (a, b, ...) */
    WR_E_INDEX,        /* a[b] */
    WR_E_FIELD,        /* (a).name */
    WR_E_DESCRIPTOR,   /* DESCRIPTOR(name): argument of a window table function */
    WR_E_TABLE,        /* TABLE name [PARTITION BY args] [ORDER BY order]: argument of a table function */
    WR_E_NAMED         /* name => a: argument */
};

struct wr_ast_order { struct wr_ast_expr *expr; bool desc; int8_t nulls; /* 0: not said, 1: first, 2: last */ struct wr_ast_order *next; };

enum wr_ast_frame_unit { WR_FRAME_NONE, WR_FRAME_ROWS, WR_FRAME_RANGE, WR_FRAME_GROUPS };
enum wr_ast_bound { WR_BOUND_UNBOUNDED_PRECEDING, WR_BOUND_PRECEDING, WR_BOUND_CURRENT, WR_BOUND_FOLLOWING, WR_BOUND_UNBOUNDED_FOLLOWING };
struct wr_ast_over {
    struct wr_ast_name *ref;           /* OVER w, OVER (w ...); NULL: none */
    struct wr_ast_expr *partition;     /* list */
    struct wr_ast_order *order;
    enum wr_ast_frame_unit unit;
    enum wr_ast_bound from, to;
    struct wr_ast_expr *from_n, *to_n; /* n PRECEDING / FOLLOWING */
    int32_t off, end;
};

struct wr_ast_expr {
    enum wr_ast_ekind kind;
    bool flag;                     /* see the kinds; CALL: DISTINCT was written */
    bool negated;                  /* NOT IN, NOT LIKE, IS NOT ... */
    int32_t off, end;
    struct wr_str text;            /* literals; operators' spelling (BINARY, UNARY, IS, LIKE, QUANTIFIED: lower case) */
    struct wr_ast_name *name;      /* NAME, STAR, CALL, FIELD, DESCRIPTOR, TABLE, NAMED */
    struct wr_str unit, unit_to;   /* INTERVAL: upper case, singular */
    struct wr_ast_type *type;      /* CAST, TYPED; CALL json_value(.. RETURNING type) */
    struct wr_ast_expr *a, *b, *c;
    struct wr_ast_expr *args;      /* list through next */
    struct wr_ast_select *select;
    struct wr_ast_order *order;    /* CALL: ORDER BY inside, or WITHIN GROUP (ORDER BY); TABLE */
    bool within_group;             /* CALL */
    int8_t nulls;                  /* CALL: 1 IGNORE NULLS, 2 RESPECT NULLS */
    struct wr_ast_expr *filter;    /* CALL: FILTER (WHERE ..) */
    struct wr_ast_over *over;      /* CALL: OVER */
    struct wr_ast_expr *next;      /* in a list */
};

/* ---- queries ---- */

/* WITH WATERMARK 'delay' [IDLE TIMEOUT d] [LATENESS d]; Spark's `t WATERMARK ts DELAY OF d`. Durations: STRING or INTERVAL. */
struct wr_ast_watermark {
    struct wr_ast_expr *column;    /* Spark's form; else NULL */
    struct wr_ast_expr *delay, *idle, *lateness; /* NULL: not said */
    int32_t off, end;
};

enum wr_ast_emit_kind { WR_AST_EMIT_NONE, WR_AST_EMIT_CHANGES, WR_AST_EMIT_FINAL };
struct wr_ast_emit {
    enum wr_ast_emit_kind kind;
    struct wr_ast_expr *every;     /* CHANGES EVERY d, PERIODIC d, EVERY d */
    struct wr_ast_expr *delay;     /* AFTER WINDOW CLOSE WITH DELAY d */
    int32_t off, end;
};

enum wr_ast_tkind {
    WR_F_NAME,         /* name: a declared object, a CTE, source$late */
    WR_F_SELECT,       /* (select) [alias] */
    WR_F_FUNCTION,     /* call: TUMBLE(..), UNNEST(..); TABLE(TUMBLE(..)) is unwrapped */
    WR_F_VALUES,       /* select with only `values` */
    WR_F_JOIN,         /* left, right */
    WR_F_MATCH         /* left MATCH_RECOGNIZE (match) */
};
enum wr_ast_join { WR_JOIN_INNER, WR_JOIN_LEFT, WR_JOIN_RIGHT, WR_JOIN_FULL, WR_JOIN_CROSS };

struct wr_ast_table {
    enum wr_ast_tkind kind;
    int32_t off, end;
    struct wr_ast_name *name;
    struct wr_ast_name *alias;          /* NULL: none */
    struct wr_ast_name *columns;        /* alias (a, b); list; NULL: none */
    struct wr_ast_select *select;
    struct wr_ast_expr *call;           /* FUNCTION: a WR_E_CALL */
    bool ordinality, lateral;
    struct wr_ast_expr *as_of;          /* FOR SYSTEM_TIME AS OF; NULL: none */
    struct wr_ast_watermark *watermark; /* Spark's form behind a table */
    enum wr_ast_join join;
    bool natural;
    struct wr_ast_table *left, *right;
    struct wr_ast_expr *on;
    struct wr_ast_name *using_cols;     /* USING (a, b) */
    struct wr_ast_match *match;
};

/* MATCH_RECOGNIZE */
enum wr_ast_pkind { WR_PAT_VAR, WR_PAT_SEQ, WR_PAT_ALT, WR_PAT_REPEAT };
struct wr_ast_pattern {
    enum wr_ast_pkind kind;
    struct wr_ast_name *var;
    struct wr_ast_pattern *sub;         /* SEQ, ALT: first of a list through next; REPEAT: what is repeated */
    int32_t min, max;                   /* REPEAT: max -1: no limit */
    bool reluctant;
    struct wr_ast_pattern *next;
    int32_t off;
};
struct wr_ast_named_expr { struct wr_ast_name *name; struct wr_ast_expr *expr; struct wr_ast_named_expr *next; }; /* MEASURES expr AS name; DEFINE name AS expr */
enum wr_ast_skip { WR_SKIP_PAST_LAST, WR_SKIP_NEXT_ROW, WR_SKIP_FIRST, WR_SKIP_LAST };
struct wr_ast_match {
    struct wr_ast_expr *partition;
    struct wr_ast_order *order;
    struct wr_ast_named_expr *measures, *define;
    bool all_rows;
    enum wr_ast_skip skip;
    struct wr_ast_name *skip_to;
    struct wr_ast_pattern *pattern;
    struct wr_ast_expr *within;
    int32_t off, end;
};

struct wr_ast_item { struct wr_ast_expr *expr; struct wr_ast_name *alias; struct wr_ast_item *next; };

enum wr_ast_gkind { WR_G_EXPR, WR_G_SETS, WR_G_ROLLUP, WR_G_CUBE };
/* One GROUP BY item. EXPR: expr. ROLLUP, CUBE: args (a ROW is one element). SETS: a list of items, each EXPR with a ROW (may be empty). */
struct wr_ast_group { enum wr_ast_gkind kind; struct wr_ast_expr *expr, *args; struct wr_ast_group *sets, *next; int32_t off; };

struct wr_ast_window_def { struct wr_ast_name *name; struct wr_ast_over *over; struct wr_ast_window_def *next; };
struct wr_ast_row { struct wr_ast_expr *cells; int32_t off; struct wr_ast_row *next; }; /* VALUES (..), (..) */
struct wr_ast_cte { struct wr_ast_name *name, *columns; struct wr_ast_select *select; struct wr_ast_cte *next; };

enum wr_ast_setop { WR_SET_OP_NONE, WR_SET_OP_UNION, WR_SET_OP_INTERSECT, WR_SET_OP_EXCEPT };
/* A query. Either a plain select (op NONE), or VALUES (values set), or `left op [ALL] right`; the clauses from `order` on belong to the whole. */
struct wr_ast_select {
    int32_t off, end;
    struct wr_ast_cte *with;
    enum wr_ast_setop op;
    bool all;                           /* UNION ALL ... */
    struct wr_ast_select *left, *right;
    struct wr_ast_row *values;
    bool distinct;
    struct wr_ast_expr *distinct_on;    /* DISTINCT ON (list); distinct is false then */
    struct wr_ast_item *items;
    struct wr_ast_table *from;          /* NULL: no FROM; a comma is a CROSS join */
    struct wr_ast_expr *where;
    struct wr_ast_group *group;
    bool group_all;                     /* GROUP BY () or an aggregate-only GROUP BY list that is empty */
    struct wr_ast_expr *having;
    struct wr_ast_window_def *windows;
    struct wr_ast_expr *qualify;
    struct wr_ast_order *order;
    struct wr_ast_expr *limit, *offset; /* FETCH FIRST n is LIMIT n */
    struct wr_ast_watermark *watermark;
    struct wr_ast_emit *emit;
};

/* ---- statements ---- */

struct wr_ast_option { struct wr_str key; struct wr_str value; int32_t key_off, off; struct wr_ast_option *next; }; /* key as written, unquoted; dotted keys joined */

enum wr_ast_ckind { WR_C_PLAIN, WR_C_COMPUTED, WR_C_METADATA };
struct wr_ast_column {
    enum wr_ast_ckind kind;
    struct wr_ast_name *name;
    struct wr_ast_type *type;           /* NULL: computed without a type */
    bool not_null, primary_key, is_virtual;
    struct wr_str path;                 /* PATH '$.a'; p NULL: none */
    struct wr_str meta;                 /* METADATA FROM 'key'; p NULL: the column's name */
    struct wr_ast_expr *expr;           /* COMPUTED */
    struct wr_ast_expr *def;            /* DEFAULT */
    struct wr_str comment;              /* COMMENT 'text'; p NULL: none */
    int32_t off, end;
    struct wr_ast_column *next;
};
struct wr_ast_relation {                /* what is between the parentheses of CREATE SOURCE/SINK/TABLE */
    struct wr_ast_column *columns;
    struct wr_ast_name *primary_key;    /* list; NULL: none at table level */
    bool not_enforced;
    struct wr_ast_name *watermark_col;  /* WATERMARK FOR c [AS expr] */
    struct wr_ast_expr *watermark;      /* NULL with watermark_col set: no delay */
    int32_t watermark_off;
};
struct wr_ast_param { struct wr_ast_name *name; struct wr_ast_type *type; struct wr_ast_param *next; };

enum wr_ast_skind {
    WR_S_CREATE_SOURCE,   /* also STREAM */
    WR_S_CREATE_TABLE,
    WR_S_CREATE_SINK,     /* select: CREATE SINK x WITH (..) AS SELECT; from: CREATE SINK x FROM view */
    WR_S_CREATE_VIEW,     /* select; columns in `names` */
    WR_S_CREATE_FUNCTION,
    WR_S_DROP,            /* what, names */
    WR_S_SHOW,            /* what: "sources", "jobs", "all", or a setting's name in lower case */
    WR_S_SHOW_CREATE,     /* name; what: "", "source", "sink", "view", "table" */
    WR_S_DESCRIBE,        /* name; what: "" or "job" */
    WR_S_SET,             /* text: name, value */
    WR_S_RESET,           /* text: name; empty: all */
    WR_S_EXPLAIN,         /* inner, or name (a job) with analyze */
    WR_S_EXPLAIN_WHY,     /* name: job; NULL: the only one */
    WR_S_SELECT,          /* select */
    WR_S_INSERT,          /* name, names (columns), select */
    WR_S_STATEMENT_SET,   /* inner: list of INSERTs */
    WR_S_PRINT,           /* text: topic; from_beginning, limit, options */
    WR_S_INFER,           /* text: topic or path; options */
    WR_S_SUBMIT,          /* name, inner */
    WR_S_STOP_JOB,        /* name; savepoint, drain */
    WR_S_RESUME_JOB, WR_S_DROP_JOB, WR_S_PAUSE_JOB
};

struct wr_stmt {
    enum wr_ast_skind kind;
    int32_t off, end;                   /* of the statement, without the semicolon */
    bool or_replace, if_not_exists, if_exists, temporary, materialized, cascade;
    bool analyze, savepoint, drain, from_beginning;
    struct wr_str what;                 /* DROP: "source", "sink", "view", "table", "function"; see the kinds */
    struct wr_ast_name *name;           /* qualified name as a list of parts */
    struct wr_ast_name *names;          /* list of (unqualified) names: DROP a, b; view and INSERT columns */
    struct wr_ast_relation *relation;   /* CREATE SOURCE/TABLE/SINK with columns; NULL: none given */
    struct wr_ast_option *options;
    struct wr_ast_select *select;
    struct wr_ast_name *from;           /* CREATE SINK x FROM view */
    struct wr_ast_param *params;        /* CREATE FUNCTION */
    struct wr_ast_type *returns;
    struct wr_str language, body, symbol; /* language in lower case; body: AS 'expression' or the library; symbol p NULL: none */
    struct wr_str comment;              /* CREATE SOURCE/TABLE/SINK: COMMENT 'text'; p NULL: none */
    struct wr_str text, value;          /* SET, PRINT, INFER */
    int32_t text_off, value_off;
    struct wr_ast_expr *limit;          /* PRINT */
    struct wr_stmt *inner;              /* EXPLAIN, SUBMIT: one; STATEMENT_SET: list through next */
    struct wr_stmt *next;               /* next statement of the text */
};

#endif

/* catalog.h: what a session has declared: sources, sinks, tables, views, settings, variables.
 * Rules:  an object is checked when it is declared and never changes; OR REPLACE puts another one in its place. Names are unique over all kinds.
 * Memory: the catalog owns its objects; each object has an arena with its own copy of its statement's text and the AST of that copy, so that a
 *         view outlives the file it came from. Offsets in it count from the start of that text. Not for several threads. */
#ifndef WR_PLANNER_CATALOG_H
#define WR_PLANNER_CATALOG_H

#include "planner/planner.h"

struct wr_ast_expr;

struct wr_objcol {
    struct wr_coldef def;               /* computed columns: name, and type if one was written */
    const struct wr_ast_expr *computed; /* NULL: read from the record */
    struct wr_type type;                /* as users see it */
    bool nullable;
};

struct wr_object {
    enum wr_objkind kind;
    struct wr_str name;
    struct wr_str text;             /* its statement */
    const struct wr_stmt *stmt;     /* the same, parsed */
    struct wr_arena mem;            /* all of the above and below */
    int version;                    /* which declaration of the session this is: a replaced object's scans are not the new one's */

    /* SOURCE, SINK, TABLE */
    const struct wr_connector *connector;
    const struct wr_format *format; /* NULL: the connector's own */
    struct wr_opts raw;             /* as written, ${NAME} replaced */
    struct wr_opts as_source, as_sink; /* checked; where the object may be used so */
    bool reads, writes;
    int n_col;                      /* SINK: 0, the query's columns */
    struct wr_objcol *col;
    int time_col;                   /* WATERMARK FOR: index in col; -1: none */
    int64_t delay;                  /* µs */
    int n_key;                      /* PRIMARY KEY: indexes in col */
    int *key;

    const struct wr_schema *out;    /* columns as users see them; NULL: a sink without declared columns */
    const struct wr_schema *in;     /* columns that INSERT fills: without computed ones and metadata; NULL: the query's */
};

/* CREATE FUNCTION */
struct wr_udf;
struct wr_function {
    struct wr_str name, text;       /* text: its statement */
    struct wr_arena mem;            /* all of the above and below */
    int n_param;
    struct wr_str *param;
    struct wr_type *type, ret;
    struct wr_str body_text;        /* SQL: the expression, and the same parsed; offsets count from the start of body_text */
    const struct wr_ast_expr *body; /* NULL: a function in C */
    const struct wr_udf *native;
    struct wr_function *next;
};

struct wr_var { struct wr_str name, value; };

struct wr_catalog {
    int n_obj, cap_obj;
    struct wr_object **obj;         /* sorted by name */
    struct wr_function *functions;  /* in order of name */
    int n_var, cap_var;
    struct wr_var *var;             /* malloc'd texts */
    bool lenient;                   /* unknown variables stand for themselves */
    int version;                    /* declarations so far */
    struct wr_arena mem;            /* texts of settings */
    struct { bool given; int64_t i; struct wr_str text; } set[WR_SET_COUNT];
    /* Asked for a source that is not declared; may declare it now (a server's job results). NULL: nobody is asked. */
    void (*missing)(void *ctx, struct wr_catalog *c, struct wr_str name);
    void *missing_ctx;
};

struct wr_object *wr_object_find(const struct wr_catalog *c, struct wr_str name); /* NULL: none */
/* Gives the object to the catalog (its name must be free). */
void wr_object_add(struct wr_catalog *c, struct wr_object *o);
void wr_object_drop(struct wr_catalog *c, struct wr_object *o);
void wr_object_free(struct wr_object *o);
const char *wr_objkind_name(enum wr_objkind k); /* "source" */
/* The nearest name among objects of these kinds; empty: none is near. */
struct wr_str wr_object_nearest(const struct wr_catalog *c, struct wr_str name, int kinds);

struct wr_function *wr_function_find(const struct wr_catalog *c, struct wr_str name); /* NULL: none */
void wr_functions_free(struct wr_catalog *c);
/* twice(x DOUBLE) RETURNS DOUBLE */
struct wr_str wr_function_head(struct wr_arena *a, const struct wr_function *f);

/* value with ${NAME} and ${NAME:-default} replaced; in the arena. off: place of the value in the SQL text. */
wr_status wr_vars_replace(const struct wr_catalog *c, struct wr_str value, int32_t off, struct wr_arena *a, struct wr_str *out, struct wr_error *err);

/* Settings by position, for SHOW. */
bool wr_setting_find(struct wr_str name, enum wr_setting *s);
wr_status wr_setting_reset(struct wr_catalog *c, struct wr_str name, int32_t off, struct wr_error *err); /* name empty: all */
const char *wr_setting_help(enum wr_setting s);

#endif

/* bind.h: what the bind*.c files share: from AST to plan nodes, within one statement.
 *
 *   bind.c          queries: SELECT, UNION, VALUES, ORDER BY, LIMIT, EMIT
 *   bind_from.c     FROM: sources, side streams, views, CTEs, subqueries
 *   bind_window.c   windows in GROUP BY and as table functions; which watermark they close by
 *   bind_agg.c      GROUP BY and aggregates as written; bind_group.c the nodes; bind_loose.c windows over rows that may be taken back
 *   bind_expr.c     expressions; bind_name.c names in them; bind_lit.c literals, types and durations
 *   bind_where.c    WHERE and HAVING; bind_sub.c subqueries in expressions, bind_sub_join.c joins made of them, bind_domain.c names of queries around
 *   bind_sink.c     INSERT, the sink of a bare SELECT, dead letters
 *
 * Rules:  the first error ends the statement; every error about a name says where and suggests the nearest. What is not supported is refused
 *         where it is met, with a hint; nothing is skipped.
 * Memory: everything in the jobplan's arena (b->a), names too: a plan borrows nothing from the AST. */
#ifndef WR_PLANNER_BIND_H
#define WR_PLANNER_BIND_H

#include "parser/ast.h"
#include "planner/internal.h"

enum {
    MAX_COLUMNS = 1000,
    MAX_WINDOWS = 10000,  /* windows one row may belong to */
    MAX_NODES = 20000,    /* of one jobplan while binding: views that use views twice grow fast */
    MAX_DEPTH = 256,      /* queries within queries, those of views and CTEs included */
    MAX_BODIES = 1500     /* the same, each side of a UNION counted */
};

struct binder {
    struct wr_catalog *cat;
    struct job *job;
    struct wr_arena *a;           /* the jobplan's */
    const struct wr_plan_opts *o;
    bool final;                   /* --final, or a bare SELECT over bounded input: aggregates give results once, at the end */
    int calls;                    /* functions being inlined around */
    int depth, bodies;            /* queries, UNION sides being bound around */
    int32_t view_off;             /* where the statement names the view being bound; -1: in none. Offsets inside are of another text */
    struct wr_error *err;
};

/* ---- relations ---- */

struct relcol {
    struct wr_str qual, name;     /* qual: table alias; empty: none */
    bool hidden;                  /* merged into another by USING: not part of "*", found only with its table's name */
    bool outer;                   /* a column of the query around this subquery: not part of "*", found when FROM has no such name */
};
/* Rows with names: one relcol for each output column of plan. */
struct rel {
    struct wr_plan *plan;
    int n;
    struct relcol *col;
};

/* ---- what clauses around a query say ---- */

struct wmclause {                 /* WITH WATERMARK */
    int64_t delay, idle, lateness; /* µs; -1: not said */
    int32_t off;
    bool *used;                   /* set when it found the event time of a source */
};
struct clauses {
    const struct wmclause *wm;    /* of this query or the nearest around it; NULL: none */
    bool emit_given;
    enum wr_emit emit;
    int64_t every;
    int32_t emit_off;
    bool outermost;               /* EVERY holds for the outermost aggregate only */
};
struct cte {
    struct wr_str name;
    const struct wr_ast_name *columns;
    const struct wr_ast_select *select;
    const struct cte *scope;      /* those it may refer to */
    const struct cte *next;
};
struct outer;
struct env {
    const struct cte *ctes;
    struct clauses cl;
    bool versions;                /* FOR SYSTEM_TIME AS OF: the records of a source with PRIMARY KEY as they are, not the latest of each key */
    struct outer *outer;          /* this is a subquery: the query around, whose columns its WHERE may name (sub.h); NULL: it is not */
};

/* SELECT DISTINCT ON as the query it stands for (bind_first.c). */
wr_status wr_distinct_on(struct binder *b, const struct wr_ast_select *s, struct wr_ast_select *out);
wr_status wr_bind_query(struct binder *b, const struct wr_ast_select *s, const struct env *env, struct rel *out);
wr_status wr_bind_from(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out);
/* A declared object, CTE or side stream by name; alias empty: its own name. */
wr_status wr_bind_table_name(struct binder *b, const struct wr_ast_name *name, const struct env *env, struct rel *out);
/* The declared source or sink that t names; NULL: it is something else (a CTE, a view, a derived table). */
const struct wr_object *wr_bind_object(struct binder *b, const struct wr_ast_table *t, const struct env *env);
struct rel wr_rel_of(struct binder *b, struct wr_plan *plan, struct wr_str qual); /* names from plan->out */
/* The column itself, or the constant a projection puts there: text constants still take a type. */
struct wr_expr *wr_rel_expr(struct binder *b, const struct rel *r, int col);
wr_status wr_rel_rename(struct binder *b, const struct wr_ast_name *names, const char *what, struct rel *r);
struct wr_plan *wr_bind_made(struct binder *b, struct wr_plan *p); /* counts nodes */

/* ---- UNNEST (bind_unnest.c) ---- */

struct xctx;
wr_status wr_bind_quantified(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out); /* x = ANY (array): bind_array.c */
const struct wr_ast_expr *wr_row_comparison(struct binder *b, const struct wr_ast_expr *e); /* (a, b) = (c, d) by members; NULL: it is none (bind_row.c) */
bool wr_is_unnest_name(struct wr_str name);
bool wr_is_unnest(const struct wr_ast_table *t); /* UNNEST(...), json_array_elements(...), ... in FROM */
/* join: left JOIN UNNEST(arrays over left's columns); NULL: t stands alone in FROM. */
wr_status wr_bind_unnest(struct binder *b, const struct wr_ast_table *t, const struct wr_ast_table *join, const struct env *env, struct rel *left, struct rel *out);
struct wr_plan *wr_bind_one_row(struct binder *b);

/* ---- joins (bind_join.c, bind_join_free.c) ---- */

struct conj { struct wr_expr **x; int n, cap; };                  /* conditions that all hold */
void wr_conj_add(struct binder *b, struct conj *c, struct wr_expr *x);
struct wr_expr *wr_conj_all(struct binder *b, const struct conj *c); /* as one expression; NULL: there are none */
/* A column behind those of an input; returns which. */
int wr_join_append(struct binder *b, struct wr_plan *p, int side, struct wr_expr *x);
/* ---- MATCH_RECOGNIZE (bind_match.c) ---- */

wr_status wr_bind_match(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out);
wr_status wr_match_name(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
wr_status wr_match_call(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out, bool *taken); /* FIRST, PREV, sum ...; taken false: a plain function */

/* ---- joins (bind_join.c) ---- */

wr_status wr_bind_join(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out);
/* JOIN LATERAL (SELECT ...); conditions of ON with subqueries: out is the join, l and r its inputs (bind_join_sub.c). */
wr_status wr_bind_lateral(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *l, struct rel *out);
wr_status wr_join_on_subs(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *l, struct rel *r, struct rel *out);
bool wr_ast_has_sub(const struct wr_ast_expr *e);
/* JOIN with a table outside (bind_lookup.c); *is false: the right side of t is none. */
wr_status wr_bind_lookup(struct binder *b, const struct wr_ast_table *t, const struct env *env, const struct rel *l, struct rel *out, bool *is);
/* JOIN t FOR SYSTEM_TIME AS OF (bind_as_of.c): the right input. */
wr_status wr_bind_versions(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out);
wr_status wr_bind_as_of(struct binder *b, const struct wr_ast_table *t, const struct env *env, const struct rel *l, const struct rel *r, struct wr_plan *join);
struct wr_plan *wr_join_node(struct binder *b, enum wr_jkind kind, struct wr_plan *left, struct wr_plan *right, int32_t off);
/* A condition of the join itself (ON), over the left columns 0..n_left-1 as they were, then the right ones. */
void wr_join_add(struct binder *b, struct wr_plan *p, struct wr_expr *cond, int n_left);
/* WHERE over FROM: conditions go into the joins where they can, the rest stays a filter. */
void wr_join_where(struct binder *b, struct rel *from, struct wr_expr *pred);
/* After WHERE: how each join of FROM frees its rows; refuses those that never could. */
wr_status wr_join_settle(struct binder *b, struct rel *from, const struct env *env);
wr_status wr_join_settle_one(struct binder *b, struct wr_plan *p, const struct env *env);
/* Lets an interval join below go on with the event time that is column col of p; false: it is not one of its two. */
bool wr_join_time_is(struct binder *b, struct wr_plan *p, int col);

/* ---- expressions ---- */

struct grouping;
struct overs;
struct matching;
struct xctx {
    struct binder *b;
    const struct rel *rel;        /* NULL: no columns to name */
    struct rel *from;             /* the same while WHERE of a subquery is read, its joins settled: it may grow; NULL: it may not */
    struct grouping *group;       /* NULL: aggregates are not allowed here */
    const char *clause;           /* "WHERE": for messages */
    bool in_agg;                  /* inside an aggregate's arguments */
    const struct env *env;
    struct overs *over;           /* window functions are collected here; NULL: OVER is not allowed here */
    struct subs *subs;            /* subqueries are collected here (sub.h); NULL: none can stand here */
    const struct wr_ast_item *aliases; /* QUALIFY: a name that is no column may be an alias of the select list; NULL: it may not */
    const struct wr_call_args *params; /* the body of a function: names are its parameters; NULL: elsewhere */
    struct matching *match;       /* DEFINE and MEASURES: names and calls are of the match (bind_match.c); NULL: elsewhere */
};
/* Columns of bound expressions that are not FROM's: wr_regroup() makes them columns of the aggregate's output. */
enum { COL_AGG = 1 << 20, COL_WIN_START = 1 << 21, COL_WIN_END, COL_SET, COL_OVER = 1 << 22,
       COL_SUB = 1 << 23, COL_OUTER = 1 << 24 /* sub.h */ };

wr_status wr_bind_expr(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
wr_status wr_bind_column_name(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
/* Member `name` of ROW expression row. */
wr_status wr_bind_member(struct binder *b, struct wr_expr *row, struct wr_str name, int32_t off, struct wr_expr **out);
/* window_start or start, else window_end, of the window in GROUP BY. */
struct wr_expr *wr_group_bound(struct xctx *x, struct wr_str name, int32_t off);
wr_status wr_group_time(struct xctx *x, int32_t off, struct wr_expr **out); /* its window_time */
wr_status wr_bind_bool(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
wr_status wr_bind_fn(struct binder *b, const char *name, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out);
/* Column of r by name; qual empty: any table. -1: none, with err set when `must`. -2: ambiguous, err set. */
int wr_rel_find(struct binder *b, const struct rel *r, struct wr_str qual, struct wr_str name, int32_t off, bool must);
wr_status wr_bind_refuse(struct binder *b, int32_t off, const char *what, const char *hint);
/* Name of a result column as PostgreSQL derives it. */
struct wr_str wr_name_of_expr(const struct wr_ast_expr *e);
int wr_ast_len(const struct wr_ast_expr *e);

/* ---- bind_lit.c ---- */

wr_status wr_bind_literal(struct binder *b, const struct wr_ast_expr *e, bool minus, struct wr_expr **out);
wr_status wr_bind_type(struct binder *b, const struct wr_ast_type *t, struct wr_type *out);
struct wr_str wr_type_result_name(const struct wr_ast_type *t); /* of a column that is a constant cast to it: int4, timestamptz */
wr_status wr_bind_interval(struct binder *b, const struct wr_ast_expr *e, struct wr_interval *iv);
/* A positive (or, zero allowed, not negative) length of time from '1 min' or INTERVAL '1' MINUTE. what: for messages. */
wr_status wr_bind_duration(struct binder *b, const struct wr_ast_expr *e, const char *what, int least, int64_t *us); /* least 1: more than zero; 0: zero or more; -1: any */
wr_status wr_bind_count(struct binder *b, const struct wr_ast_expr *e, const char *what, int64_t *n);

/* ---- windows ---- */

bool wr_is_window_name(struct wr_str name);    /* window, tumble, hop, session, session_window, cumulate */
/* The window a call in GROUP BY asks for; time: the event-time expression over rel. */
wr_status wr_bind_window_call(struct xctx *x, const struct wr_ast_expr *call, struct wr_window *win, struct wr_expr **time);
/* tumble_start(ts, '1 min'), hop_end(...), session_rowtime(...): the bounds of the window in GROUP BY, as Flink once wrote them. *is false: no such name. */
wr_status wr_bind_window_part(struct xctx *x, const struct wr_ast_expr *call, struct wr_expr **out, bool *is);
wr_status wr_bind_window_table(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out);
/* Lets a WITH WATERMARK clause act on the sources below p. col: p's column that a window is over, -1: none. all: the clause belongs to this very query,
 * so declared event times below get its delay. Properties below p are set anew. */
void wr_watermark_apply(struct binder *b, struct wr_plan *p, const struct wmclause *wm, int col, bool all);
bool wr_event_time_is(struct binder *b, const struct rel *r, int col);
/* Is column col what the watermark below speaks about? An error with a hint if there is a watermark that is about another one. */
wr_status wr_event_time_check(struct binder *b, const struct rel *r, int col, int32_t off);
wr_status wr_bind_wmclause(struct binder *b, const struct wr_ast_watermark *w, struct wmclause *out);

/* ---- aggregates ---- */

struct aggref {
    struct wr_aggcall call;       /* columns not yet set */
    struct wr_expr *arg[4], *filter, *order[2]; /* over FROM */
};
struct grouping {
    const struct rel *from;
    int n_key;
    struct wr_expr **key;         /* over FROM */
    bool has_win;                 /* a window function among the GROUP BY items */
    struct wr_window win;
    struct wr_expr *time;
    bool loose;                   /* no watermark speaks about the times: windows that never close (bind_loose.c) */
    struct wr_str win_name;       /* alias of the window in the select list: w.start */
    int n_agg, cap_agg;
    struct aggref *agg;
    bool attached;                /* grouped by the bounds of windows assigned below */
    int start_key, end_key;       /* ATTACHED: keys; -1: none */
    int n_set;                    /* GROUPING SETS: sets of keys; 0, 1: all keys always */
    uint64_t *set;                /* bit k: key k is in it */
};
struct loose { int start, end, time; }; /* columns behind the rows': the bounds of a window, end -1: a session, that ends after its greatest time */
/* The rows of *p with the bounds of their windows; what a session's aggregate gives as its end column: max(time) -> the end. */
wr_status wr_loose_rows(struct binder *b, const struct grouping *g, const struct clauses *cl, struct wr_plan **p, struct loose *l);
wr_status wr_loose_ends(struct binder *b, const struct grouping *g, int end, struct wr_plan **p);
/* Is column col of p the window_time of the window whose end is p's win_end? */
bool wr_is_window_time(struct wr_plan *p, int col);
bool wr_has_aggregate(const struct wr_ast_expr *e);
bool wr_is_aggregate_call(const struct wr_ast_expr *e);
wr_status wr_bind_aggregate(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
/* Reads GROUP BY. g->from is set. */
wr_status wr_bind_group_by(struct xctx *x, const struct wr_ast_select *s, struct grouping *g);
/* FROM's plan -> the aggregate over it. */
wr_status wr_agg_build(struct binder *b, struct grouping *g, const struct clauses *cl, struct wr_plan **out);
/* x over FROM, aggregates and window bounds -> over the aggregate's output. */
wr_status wr_regroup(struct binder *b, const struct grouping *g, const struct wr_plan *agg, struct wr_expr *x, struct wr_expr **out);
wr_status wr_distinct_build(struct binder *b, const struct rel *in, const struct clauses *cl, struct wr_plan **out);
bool wr_is_group_window(struct xctx *x, const struct wr_ast_expr *call, bool *same); /* a window call naming the group's own window */

/* The argument, FILTER and ORDER BY of an aggregate call. retract: it has to take rows back. */
bool wr_aggref_same(const struct aggref *a, const struct aggref *b);
wr_status wr_bind_aggcall(struct xctx *x, const struct wr_ast_expr *e, bool retract, struct aggref *r);
/* emit, every, lateness as the clauses say; no keys yet. */
struct wr_plan_agg wr_agg_start(struct binder *b, const struct clauses *cl);
struct wr_plan *wr_late_filter(struct binder *b, struct wr_plan *in, const struct wr_window *win, int64_t lateness);

/* ---- OVER (bind_over.c), ranking (bind_rank.c), GROUPING SETS (bind_sets.c) ---- */

bool wr_has_over(const struct wr_ast_expr *e);
bool wr_select_has_over(const struct wr_ast_select *s);
struct overs *wr_overs_new(struct binder *b, const struct wr_ast_select *s);
wr_status wr_bind_over(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
/* The query's WITH WATERMARK finds the event time in ORDER BY of OVER. */
void wr_over_watermark(struct binder *b, const struct overs *o, const struct wmclause *wm, struct wr_plan *from);
/* Arguments over FROM -> over the aggregate's output (g NULL: not grouped), then the nodes on top of *p. Afterwards wr_over_place() makes an
 * expression with window functions one over *p. */
wr_status wr_over_build(struct binder *b, struct overs *o, const struct grouping *g, const struct clauses *cl, struct wr_plan **p);
struct wr_expr *wr_over_place(struct binder *b, const struct overs *o, const struct wr_plan *p, const struct wr_expr *x);
/* A filter that bounds a ranking function below it makes it a Top-N. *p: the filter. */
void wr_bind_top_n(struct binder *b, struct wr_plan **p, const struct clauses *cl);
/* ORDER BY ... LIMIT of input that does not end, or of each of the groups that columns part make: a result kept up to date. */
wr_status wr_bind_limit_n(struct binder *b, const struct clauses *cl, const struct wr_plan_sort *sort, const int *part, int n_part, struct wr_plan **p);

/* The grouping sets of GROUP BY; keys are added to g. */
wr_status wr_bind_sets(struct xctx *x, const struct wr_ast_select *s, struct grouping *g);
/* One GROUP BY expression (bind_agg.c): adds its keys, and their bits to *keys. */
wr_status wr_bind_group_item(struct xctx *x, const struct wr_ast_select *s, struct grouping *g, const struct wr_ast_expr *e, uint64_t *keys);
/* Key k is taken out: the keys behind it move up. Key k is new and in all sets. */
void wr_sets_drop_key(struct grouping *g, int k);
void wr_sets_add_key(struct grouping *g, int k);
/* The bounds of windows assigned below must be in every set. */
wr_status wr_sets_check(struct binder *b, const struct grouping *g);
/* The rows once for each set. The keys are columns 0 .. n_key - 1 of in. */
struct wr_plan *wr_sets_expand(struct binder *b, const struct grouping *g, struct wr_plan *in);
/* GROUPING(a, b) */
wr_status wr_bind_grouping(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
bool wr_is_grouping(struct wr_str name);

/* ---- statements (bind_sink.c) ---- */

/* The rows of a query into a declared sink; columns: the list behind the name, NULL: none. off: place of the sink's name. */
/* Final content asked for, of a query that changes its results to the end (an outer join): they are held until then. p ends. */
struct wr_plan *wr_bind_held(struct binder *b, struct wr_plan *p);
wr_status wr_bind_insert(struct binder *b, const struct wr_object *o, const struct wr_ast_name *columns, const struct rel *rows, int32_t off);
wr_status wr_bind_console(struct binder *b, const struct rel *rows, int32_t off);
/* bind_dlq.c: what a source says of bad records is checked when it is declared; the inserts are made for the scans that are new. */
wr_status wr_bind_dlq_check(struct binder *b, const struct wr_object *o);
wr_status wr_bind_dlq_check_sink(struct binder *b, const struct wr_object *o);
wr_status wr_bind_dead_letters(struct binder *b);
/* The scan of a source, made at its first use in the jobplan. */
wr_status wr_job_scan(struct binder *b, const struct wr_object *o, struct wr_plan **out);

/* ---- the jobplan with its private part ---- */

struct jobscan { int version; struct wr_plan *scan; bool dlq_open; /* on_error = 'dlq': its sink is not made yet */ };
struct job {
    struct wr_jobplan pub;        /* first: a wr_jobplan is one of these */
    struct wr_arena mem;
    int n_made;                   /* nodes so far */
    int n_scan, cap_scan;
    struct jobscan *scan;         /* malloc'd */
    int cap_sink;
};
void wr_job_add_sink(struct job *j, struct wr_plan *sink);
/* Deep copies into the arena. */
const struct wr_opts *wr_opts_copy(struct wr_arena *a, const struct wr_opts *o);
wr_status wr_object_opts_role(const struct wr_object *o, enum wr_role role, int32_t off, struct wr_error *err); /* required ones there? */


/* ---- user functions (function.c, uses.c) ---- */

struct wr_call_args { const struct wr_function *fn; struct wr_expr *const *arg; };
wr_status wr_param_name(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out);
wr_status wr_bind_user_call(struct binder *b, const struct wr_function *f, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out);
wr_status wr_function_create(struct binder *b, const struct wr_stmt *stmt, struct wr_str sql, struct wr_str *said);
wr_status wr_function_drop(struct binder *b, const struct wr_stmt *stmt);
/* Calls fn for e and each expression below it, those of subqueries too. */
void wr_ast_walk_expr(const struct wr_ast_expr *e, void (*fn)(void *ctx, const struct wr_ast_expr *e), void *ctx);
struct wr_call_of { struct wr_str name; bool found; };
void wr_call_seen(void *ctx, const struct wr_ast_expr *e); /* for wr_ast_walk_expr: does something call ctx->name? */
/* What was declared that calls the function; false: nothing. */
bool wr_function_user(const struct wr_catalog *c, struct wr_str name, struct wr_str *kind, struct wr_str *user);

/* ---- ddl.c, show.c: statements that move no rows ---- */

wr_status wr_ddl_create(struct binder *b, const struct wr_stmt *stmt, struct wr_str sql, struct wr_str *said); /* SOURCE, SINK, TABLE, VIEW */
wr_status wr_ddl_drop(struct binder *b, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_str *said);
wr_status wr_show(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err);
wr_status wr_show_create(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err);
wr_status wr_describe(struct wr_catalog *c, const struct wr_stmt *stmt, struct wr_arena *a, struct wr_answer *out, struct wr_error *err);
wr_status wr_no_object(const struct wr_catalog *c, struct wr_str name, int kinds, const char *what, int32_t off, struct wr_error *err);

#endif

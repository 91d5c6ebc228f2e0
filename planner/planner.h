/* planner.h: SQL statements -> one complete job plan, and answers to the statements that move no rows. What the shell uses.
 *
 * Use:  a catalog lives as long as a session; a jobplan as long as what it runs. For each statement of a file wr_plan_stmt(); the INSERTs and
 *       SELECTs among them add to the same jobplan. Then wr_plan_finish() once, and the plan may be run. After an error the next statement may
 *       still be planned (so that all errors of a file are reported), but the jobplan must not be finished.
 * Memory: catalog and jobplan own arenas of their own; a plan borrows nothing from the catalog or the statements. Answers live in the arena given.
 * Thread: none of this may be called from two threads at once on the same catalog or jobplan. A finished plan is read-only. */
#ifndef WR_PLANNER_PLANNER_H
#define WR_PLANNER_PLANNER_H

#include "planner/plan.h"

struct wr_stmt;    /* parser/ast.h */
struct wr_catalog; /* catalog.h */

/* ---- the session's memory: declared objects, settings, variables ---- */

struct wr_catalog *wr_catalog_new(void);
void wr_catalog_free(struct wr_catalog *c); /* NULL is allowed */
/* ${NAME} in option values: -v NAME=VALUE, before the environment. */
void wr_catalog_var(struct wr_catalog *c, struct wr_str name, struct wr_str value);
/* For `weir test` and fuzzing: an unknown ${NAME} stands for itself instead of being an error, and the environment is not read. */
void wr_catalog_var_lenient(struct wr_catalog *c);

enum wr_objkind { WR_OBJ_SOURCE = 1, WR_OBJ_SINK = 2, WR_OBJ_TABLE = 4, WR_OBJ_VIEW = 8 }; /* TABLE: source or sink */
/* The i-th declared object in order of name: for completion and \d. false: no more. */
bool wr_catalog_object(const struct wr_catalog *c, int i, enum wr_objkind *kind, struct wr_str *name);
/* Columns of a declared object as users see them; NULL: there is no such object, or its columns come from the query (sinks). */
const struct wr_schema *wr_catalog_columns(struct wr_catalog *c, struct wr_str name);

enum wr_setting {
#define WR_SETTING(id, name, kind, def, min, max, choices, synonyms, help) WR_SET_##id,
#include "planner/settings.def"
#undef WR_SETTING
    WR_SET_COUNT
};
/* SET name = value: checks name (nearest is suggested) and value. off: place of the name, -1: not from SQL (then the code is WR_EUSAGE). */
wr_status wr_setting_put(struct wr_catalog *c, struct wr_str name, struct wr_str value, int32_t off, struct wr_error *err);
int64_t wr_setting_int(const struct wr_catalog *c, enum wr_setting s);       /* INT, BOOL (0, 1), DURATION (µs), BYTES */
struct wr_str wr_setting_text(const struct wr_catalog *c, enum wr_setting s); /* as text, of any kind; ENUM: the choice */
bool wr_setting_given(const struct wr_catalog *c, enum wr_setting s);        /* SET was used */
const char *wr_setting_name(enum wr_setting s);

/* ---- planning ---- */

enum wr_final {
    WR_FINAL_NO,      /* as the query says */
    WR_FINAL_BOUNDED, /* a bare SELECT whose inputs all end gives its final content once, unless it has an EMIT clause */
    WR_FINAL_YES      /* --final: every query gives its final content once; unbounded input is refused */
};
struct wr_plan_opts {
    enum wr_final final;
    bool offline;                       /* `weir check`, tests: do not ask the connectors whether their targets exist */
    bool until_end;                     /* --until-end: sources stop at the end as of the start */
    bool native;                        /* CREATE FUNCTION ... LANGUAGE c may load libraries */
    bool exactly_once;                  /* a checkpoint directory was given */
    struct wr_str job;                  /* name of the job; empty: from its first sink */
    const struct wr_opts *console;      /* checked options of the sink of a bare SELECT; NULL: format from SET output */
    const struct wr_connector *source;  /* `weir test`: reads instead of every declared source (it knows which by spec.name); NULL: the declared one */
    const struct wr_connector *sink;    /* the same for sinks; what the declared sink accepts is still checked */
};

enum wr_answer_kind {
    WR_ANSWER_MESSAGE, /* done: text says what ("CREATE SOURCE"); also notices */
    WR_ANSWER_ROWS,    /* SHOW, DESCRIBE: rows */
    WR_ANSWER_TEXT,    /* EXPLAIN, SHOW CREATE: text of many lines, each with its newline */
    WR_ANSWER_JOB,     /* n_sink sinks were added to the jobplan, first at jobplan->sink[sink] */
    WR_ANSWER_SHELL    /* not the planner's to answer (PRINT, INFER, SUBMIT JOB ...): the shell's */
};
struct wr_rows {
    int n_col, n_row;
    struct wr_str *name;  /* n_col */
    struct wr_str *cell;  /* n_row × n_col; NULL prints as empty */
};
struct wr_answer {
    enum wr_answer_kind kind;
    struct wr_str text;
    struct wr_rows rows;
    int sink, n_sink;     /* JOB */
    bool query;           /* JOB: a bare SELECT, its rows go to the console */
    bool analyze;         /* JOB: EXPLAIN ANALYZE: run it, then print the plan with wr_plan_print and figures */
};

struct wr_jobplan *wr_jobplan_new(void);
void wr_jobplan_free(struct wr_jobplan *j); /* NULL is allowed */

/* One statement. sql: the text that the statement's offsets point into (the whole file). */
wr_status wr_plan_stmt(struct wr_catalog *c, struct wr_jobplan *j, const struct wr_plan_opts *o, const struct wr_stmt *stmt, struct wr_str sql,
                       struct wr_arena *a, struct wr_answer *out, struct wr_error *err);
/* After the last statement: shared parts merged, pruning, exchanges, ids; then asks the connectors (unless offline).
 * A jobplan without sinks is fine: nothing to run. */
wr_status wr_plan_finish(struct wr_catalog *c, struct wr_jobplan *j, const struct wr_plan_opts *o, struct wr_error *err);
/* All sinks of a finished plan as EXPLAIN prints them. */
void wr_jobplan_print(struct wr_buf *out, const struct wr_jobplan *j);

#endif

/* plan.h: the physical plan of a job: complete, typed, read-only at run time. Made by the planner, run by the executor, which sees
 * nothing else of the planner. All memory belongs to the job's arena. A node may feed several others (shared scans, CTEs used twice). */
#ifndef WR_PLANNER_PLAN_H
#define WR_PLANNER_PLAN_H

#include "connectors/connector.h"
#include "core/agg.h"
#include "core/expr.h"

enum wr_pkind {
#define WR_PLAN(id, name, member) WR_PLAN_##id,
#include "planner/plan.def"
#undef WR_PLAN
    WR_PLAN_COUNT
};

enum wr_emit {
    WR_EMIT_CHANGES, /* results as they change, at the end of each round of input */
    WR_EMIT_EVERY,   /* the same, at most once per `every` of monotonic time (and at the end) */
    WR_EMIT_FINAL    /* once, when the result can no longer change */
};

enum wr_winkind {
    WR_WIN_NONE,
    WR_WIN_TUMBLE,
    WR_WIN_HOP,      /* size, slide: a row belongs to ceil(size/slide) windows or one less */
    WR_WIN_CUMULATE, /* size = max size, slide = step: windows [s, s+step), [s, s+2 step) ... up to size */
    WR_WIN_SESSION,  /* size = gap */
    WR_WIN_ATTACHED  /* windows were assigned below: columns start_col, end_col say which; the row's window closes when W >= end */
};
struct wr_window {
    enum wr_winkind kind;
    int64_t size, slide, offset; /* µs; TUMBLE: slide = size */
    int time_col;                /* event time, input column; ATTACHED: -1 */
    int start_col, end_col;      /* ATTACHED only: input columns; start_col may be -1 */
};

/* A source as the job uses it; several SCAN nodes never exist for one declared source. */
struct wr_plan_scan {
    const struct wr_connector *connector;
    struct wr_source_spec spec;      /* bad, stop, batch_rows are filled by the executor in a copy */
    int64_t max_future_skew;         /* µs; 0: no check. Applied by WATERMARK operators over this scan */
    bool on_error_fail;
};
struct wr_plan_values { int n_row; struct wr_expr **cell; };  /* n_row × out->n constant expressions */
enum wr_side { WR_SIDE_LATE, WR_SIDE_ERRORS };
/* source$late, source$errors: rows that operators of this job put aside. LATE: `out` has the source's columns (same as the scan's, in col[])
 * followed by nothing; ERRORS: fixed columns, see wr_errors_schema. */
struct wr_plan_side { enum wr_side which; const struct wr_plan *scan; int n_col; const int *col; };
struct wr_plan_watermark {
    int time_col;                    /* -1 only while planning: event time not known (yet); such a node is gone from a finished plan */
    int64_t delay, idle;             /* µs; idle 0: never */
    const struct wr_plan *scan;
    int64_t max_future_skew;
    bool from_query;                 /* delay from the query's WITH WATERMARK, not from the source's declaration */
};
struct wr_plan_filter { const struct wr_expr *pred; };
struct wr_plan_project { int n; struct wr_expr **expr; };     /* out column i = expr[i] */
/* Input columns, then window_start, window_end, window_time (TIMESTAMP; window_time = end - 1 µs). HOP, CUMULATE: a row for each window. */
struct wr_plan_window {
    struct wr_window win;
    int n_part;                      /* planning only, SESSION: PARTITION BY columns of the input. A SESSION never stays a WINDOW node: */
    const int *part;                 /* it is merged into the aggregate above, or refused */
    int32_t off;                     /* place in the SQL text */
    bool loose;                      /* no watermark closes these windows: their bounds are columns like others */
};
/* Drops (and counts, and side-routes) rows all of whose windows have W >= end + lateness at the row. Sits below the exchange so that the
 * decision is made where the watermark is. */
struct wr_plan_late { struct wr_window win; int64_t lateness; };
/* Out: the n_key key columns, then (win.kind not NONE, not ATTACHED) window_start, window_end, then the aggregates. */
struct wr_plan_agg {
    int n_key;
    const int *key;                  /* input columns; ATTACHED: includes start/end columns where grouped by */
    int n_agg;
    struct wr_aggcall *agg;          /* bound; offset not yet set */
    struct wr_window win;
    enum wr_emit emit;
    int64_t every;                   /* µs, EMIT EVERY */
    int64_t lateness;                /* µs closed windows stay amendable */
    int64_t ttl;                     /* µs of event time (or monotonic when there is none) an untouched group is kept; 0: for ever */
    bool input_updating;             /* rows may be retracted */
};
enum wr_jkind {
    WR_J_INNER,
    WR_J_LEFT, WR_J_RIGHT, WR_J_FULL,
    WR_J_SEMI,                       /* left rows with a match: IN, EXISTS */
    WR_J_ANTI                        /* left rows without one: NOT EXISTS */
};
/* When rows a join holds are let go. */
enum wr_jfree {
    WR_JFREE_TTL,                    /* a key untouched for `ttl`; ttl 0: never */
    WR_JFREE_INTERVAL,               /* the rows of an input whose event time is past `until` match nothing: when W has passed it */
    WR_JFREE_WINDOW,                 /* both keys have the end of a window: when W reaches it */
    WR_JFREE_VERSION                 /* left rows meet the right row of their key that was the latest at their time: when W has passed both */
};
/* Two inputs, 0 left and 1 right. Columns of both together are numbered left first: 0 .. in[0]->out->n - 1, then the right ones. */
struct wr_plan_join {
    enum wr_jkind kind;
    int n_key;
    const int *key[2];               /* equal columns, of each input; same types */
    const bool *null_safe;           /* by key: NULL equals NULL (IS NOT DISTINCT FROM); else a row with a NULL key matches nothing */
    const struct wr_expr *cond;      /* further condition over both inputs' columns; NULL: none */
    const struct wr_expr *only[2];   /* rows of this input for which this is not true match nothing (ON about the kept side); NULL: all may match */
    int n_col;
    const int *col;                  /* output column i is column col[i] of both together; SEMI, ANTI: left ones only */
    enum wr_jfree free;
    int64_t ttl;                     /* µs */
    int time[2];                     /* INTERVAL, VERSION: event time, of each input */
    bool by_end[2];                  /* INTERVAL: it is the end of a window: rows come while W has not reached it */
    int64_t lo, hi;                  /* INTERVAL: left time - right time, µs; INT64_MIN, INT64_MAX: not bounded */
    int until[2];                    /* INTERVAL: own column that, with until_off, bounds the other input's event time from above */
    int64_t until_off[2];
    int end[2];                      /* WINDOW: window end, of each input; the keys say they are equal */
    int64_t lateness;                /* INTERVAL, WINDOW: rows up to this far behind W still join */
    int time_side;                   /* INTERVAL: which input's event time goes on as the output's; -1: none */
    int32_t off;                     /* place in the SQL text */
    bool as_of;                      /* planning: will be VERSION; pk: columns of the right input that the keys must have */
    int n_pk;
    const int *pk;
    bool settled;                    /* planning: free, time, end are decided; nothing more is added to its conditions */
};
/* Each row with the rows of an outside table that have its key, as the table is when the row comes. Out: input columns, then the table's. */
struct wr_plan_lookup {
    const struct wr_connector *connector;
    struct wr_lookup_spec spec;      /* stop is filled by the executor in a copy */
    const int *key;                  /* input columns, by spec.key; same types */
    bool left;                       /* rows that find nothing stay, with NULLs */
    bool unique;                     /* a key has at most one row */
    int64_t cache_rows, cache_ttl;   /* keys remembered; µs */
};
/* INTERSECT, EXCEPT of two inputs with the same columns; NULL equals NULL. all: rows count as often as they are there. */
struct wr_plan_setop { bool except, all; int64_t ttl; };
/* ---- ranking and OVER (bind_over.c, bind_rank.c) ---- */

enum wr_overkind {
    WR_OVER_AGG,
    WR_OVER_ROW_NUMBER, WR_OVER_RANK, WR_OVER_DENSE_RANK, WR_OVER_PERCENT_RANK, WR_OVER_CUME_DIST, WR_OVER_NTILE,
    WR_OVER_LAG, WR_OVER_LEAD, WR_OVER_FIRST, WR_OVER_LAST, WR_OVER_NTH
};
enum wr_edge_kind { WR_AT_START, WR_AT_PRECEDING, WR_AT_CURRENT, WR_AT_FOLLOWING, WR_AT_END }; /* of the partition; n before; this row; n behind; of the partition */
struct wr_frame {
    bool rows;                       /* ROWS; else RANGE: the current row means all rows equal to it in ORDER BY, n is a distance of ORDER BY's only column */
    enum wr_edge_kind from, to;
    int64_t from_n, to_n;            /* PRECEDING, FOLLOWING: rows; RANGE: in units of the column's 64-bit form (µs, whole numbers) */
};
/* One window function. */
struct wr_overfn {
    enum wr_overkind kind;
    struct wr_aggcall agg;           /* AGG: bound; offset not yet set */
    bool recompute;                  /* AGG over a frame whose start moves: computed anew for each row, because rows cannot be taken back one by one */
    struct wr_type ret;
    bool nullable;
    int arg, def;                    /* input columns: value, and LAG's and LEAD's default; -1: none */
    int64_t n;                       /* LAG, LEAD: distance; NTH: from 1; NTILE: buckets */
    int frame;                       /* index; -1: the function does not look at the frame */
};
/* Which rows are one partition and in which order: TopN, Over, OverTime. Rows that are equal in ORDER BY follow the other columns' values, so
 * that the order is total whatever the arrival was. */
struct wr_partby {
    int n_part;
    const int *part;                 /* input columns */
    int n_order;
    const int *order;
    const bool *desc, *nulls_first;
    struct wr_window win;            /* ATTACHED: the partitions belong to windows and go with them; else NONE */
    enum wr_emit emit;
    int64_t every, lateness, ttl;    /* µs, as in wr_plan_agg */
};
/* The rows whose number is in [lo, hi]. Out: input columns, then (with_number) the number, BIGINT. */
struct wr_plan_rank { struct wr_partby by; enum wr_overkind fn; int64_t lo, hi; bool with_number; };
/* Out: input columns, then one for each function. OVER recomputes a partition that changed and gives the differences; OVER_TIME appends each
 * row once, when the watermark has passed it: order[0] is the event time, rows are only added. */
struct wr_plan_over { struct wr_partby by; int n_frame; const struct wr_frame *frame; int n_fn; struct wr_overfn *fn; };
/* GROUPING SETS: each row once for each set, with the keys that are not in the set NULL. Out: input columns, then the set, BIGINT: bit k of it: key k
 * is not in the set; bits from n_key on: number among equal sets. */
struct wr_plan_expand { int n_key; const int *key; int n_set; const int64_t *set; };

/* A row for each element of its arrays, side by side; a shorter array gives NULL. Out: input columns, then `made`: for each array its element, or the
 * members of its element if that is a ROW; then (ordinality) the element's number from 1. */
struct wr_plan_unnest {
    int n;
    const int *col;                  /* input columns of type ARRAY */
    bool outer;                      /* a row without elements stays, with NULLs */
    bool ordinality;
    int n_made;
    const struct wr_field *made;
};

/* ---- MATCH_RECOGNIZE (bind_match.c) ---- */

enum wr_navkind {
    WR_NAV_FIRST, WR_NAV_LAST,       /* a column of the n-th row (from 0) of a variable, from the first or back from the last; then `step` rows on */
    WR_NAV_AGG,                      /* an aggregate over the rows of a variable */
    WR_NAV_NUMBER, WR_NAV_CLASSIFIER, WR_NAV_TIME /* number of the match; variable of the last row; its time */
};
/* A value of the match so far that DEFINE and MEASURES look at: one column of what they are evaluated over. */
struct wr_match_nav {
    enum wr_navkind kind;
    int var;                         /* -1: rows of any variable */
    int64_t n, step;                 /* step: -1 the row before it (PREV), 1 the next one */
    int col;                         /* FIRST, LAST: input column */
    struct wr_aggcall agg;           /* AGG: bound over input columns; offset not yet set */
};
enum wr_match_op { WR_MATCH_ROW, WR_MATCH_SPLIT, WR_MATCH_JUMP, WR_MATCH_DONE };
/* The pattern as a program. ROW: takes a row as variable a. SPLIT: goes on at a, or, less preferred, at b. JUMP: at a. */
struct wr_match_step { enum wr_match_op op; int a, b; };
struct wr_match_var {
    struct wr_str name;
    const struct wr_expr *define;    /* over navs; NULL: any row */
    bool alone;                      /* looks at the row and those at a fixed distance from it only, not at the match so far */
};
enum wr_match_skip { WR_MATCH_SKIP_PAST_LAST, WR_MATCH_SKIP_NEXT_ROW, WR_MATCH_SKIP_FIRST, WR_MATCH_SKIP_LAST };
/* Out: partition columns, then measures; all_rows: input columns, then measures. order[0] is the event time, rows are only added. */
struct wr_plan_match {
    struct wr_partby by;
    int n_var, n_step, n_nav, n_measure;
    const struct wr_match_var *var;
    const struct wr_match_step *step;
    struct wr_match_nav *nav;
    const struct wr_schema *navs;    /* names and types of nav */
    const struct wr_expr **measure;  /* over navs */
    const struct wr_field *field;    /* of the measures */
    bool all_rows;
    bool alone;                      /* all variables are */
    bool numbered;                   /* matches are numbered: partitions are kept */
    enum wr_match_skip skip;
    int skip_var;                    /* FIRST, LAST */
    int64_t within;                  /* µs from the first row to the last; -1: no limit */
    int64_t back, ahead;             /* rows that PREV looks back, NEXT ahead */
    int time_measure;                /* MATCH_ROWTIME among the measures: the output's event time; -1: none */
};

struct wr_plan_sort { int n; const int *col; const bool *desc, *nulls_first; int64_t limit, offset; }; /* limit -1: none. Holds the final content until END */
struct wr_plan_limit { int64_t limit, offset; };              /* append-only input */
struct wr_plan_exchange { int n_key; const int *key; };       /* by hash of these columns; 0 keys: gather into one */
struct wr_plan_sink {
    const struct wr_connector *connector;
    struct wr_sink_spec spec;
    int64_t emit_every;
};

/* How the rows of an input are shared out among instances: by the hash (core/key.h, seed 0) of these of its columns; n 0: one has all. */
struct wr_shares { int n; const int *col; };

struct wr_plan {
    enum wr_pkind kind;
    int id;                          /* position in wr_jobplan.node */
    int state_id;                    /* names its state in checkpoints: the same for any number of tasks; -1: an exchange, it has none */
    int n_in;
    struct wr_plan **in;
    struct wr_shares *share;         /* by input; NULL: the job has one task */
    const struct wr_schema *out;
    bool updating;                   /* may emit -U, +U, -D */
    bool bounded;                    /* ends by itself */
    int time_col;                    /* output column the watermark speaks about; -1: none */
    int win_start, win_end;          /* output columns that hold a window's bounds; -1: none */
    enum wr_winkind win_kind;        /* of these bounds */
    int n_ukey;                      /* >= 0: these output columns identify a row of the result (0: at most one row); -1: no key known */
    const int *ukey;
    bool late;                       /* W is not forwarded unchanged: EXPLAIN */
    union {
        struct wr_plan_scan scan;
        struct wr_plan_values values;
        struct wr_plan_side side;
        struct wr_plan_watermark watermark;
        struct wr_plan_filter filter;
        struct wr_plan_project project;
        struct wr_plan_window window;
        struct wr_plan_late late;
        struct wr_plan_agg agg;
        struct wr_plan_join join;
        struct wr_plan_setop setop;
        struct wr_plan_lookup lookup;
        struct wr_plan_rank rank;
        struct wr_plan_over over;
        struct wr_plan_expand expand;
        struct wr_plan_unnest unnest;
        struct wr_plan_match match;
        struct wr_plan_sort sort;
        struct wr_plan_limit limit;
        struct wr_plan_exchange exchange;
        struct wr_plan_sink sink;
    } u;
};

/* Everything one process runs together: all statements of a file that move rows. */
struct wr_jobplan {
    struct wr_str name;
    struct wr_arena *arena;
    int n_node;
    struct wr_plan **node;           /* inputs before users; id = index */
    int n_sink;
    struct wr_plan **sink;           /* the SINK nodes, in the order of the statements */
    int tasks;                       /* instances of keyed operators */
    bool bounded;                    /* all scans are */
    int64_t max_state;               /* bytes of state in memory; 0: no limit */
    int cpu_limit;                   /* percent of a core that each task may use; 0: no limit */
    int64_t checkpoint_us;           /* between checkpoints, as SET says */
    uint32_t batch_rows;             /* 0: the usual size */
};

const char *wr_plan_name(enum wr_pkind k);
/* The declared name of a SCAN's source or a SINK's sink. */
static inline struct wr_str wr_plan_outside(const struct wr_plan *p) { return p->kind == WR_PLAN_SINK ? p->u.sink.spec.name : p->u.scan.spec.name; }
/* Columns of source$errors: raw BYTES, topic TEXT, "partition" INTEGER, "offset" BIGINT, "timestamp" TIMESTAMP, reason TEXT, "column" TEXT, message TEXT. */
/* The tree of one sink as EXPLAIN prints it. `note` (may be NULL) appends to a node's line: EXPLAIN ANALYZE's figures. */
/* The job as checkpoints know it: without exchanges, so that it is the same text for any number of tasks. */
void wr_jobplan_print_state(struct wr_buf *out, const struct wr_jobplan *j);
/* The same as checkpoints know it: without exchanges, and no different for input that ends. */
void wr_plan_print_state(struct wr_buf *out, const struct wr_plan *p);
void wr_plan_print(struct wr_buf *out, const struct wr_plan *sink, void (*note)(void *ctx, const struct wr_plan *, struct wr_buf *), void *ctx);

/* The operators whose state nothing bounds, as EXPLAIN names them; false: there are none. */
bool wr_plan_growing(const struct wr_jobplan *j, struct wr_buf *out);

#endif

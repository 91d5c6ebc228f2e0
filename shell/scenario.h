/* scenario.h: a scenario test as read from its file. docs/testing.md describes the format for users.
 *
 * A file is a series of blocks. A block starts with a line `==== kind [name] [attribute=value ...]` and goes on to the next such line.
 * Lines before the first block are the description. Order of `input` blocks is order of arrival over all sources.
 * Memory: everything borrows from the file's text or lives in the arena. */
#ifndef WR_SHELL_SCENARIO_H
#define WR_SHELL_SCENARIO_H

#include "core/arena.h"
#include "core/error.h"
#include "core/str.h"

enum wr_block_kind {
    WR_BLOCK_SQL,     /* statements, inline */
    WR_BLOCK_JOB,     /* name: path of a .sql file, relative to the scenario; used unchanged */
    WR_BLOCK_INPUT,   /* name: source; lines are records, see wr_event */
    WR_BLOCK_EXPECT,  /* name: sink, or empty: the query's own rows; lines are JSON objects: the final content */
    WR_BLOCK_CHANGES, /* the same, but every change in order, with "op" (only checked with one task and whole batches) */
    WR_BLOCK_COUNTS,  /* lines "source.counter = n" */
    WR_BLOCK_ERROR    /* lines that the error output must contain */
};

/* One thing that happens to a source. */
enum wr_event_kind {
    WR_EVENT_RECORD,  /* a record arrives */
    WR_EVENT_ADVANCE, /* the monotonic clock moves on */
    WR_EVENT_CAUGHT   /* a partition is caught up (it may become idle from now on) */
};
struct wr_event {
    enum wr_event_kind kind;
    struct wr_str source;
    int32_t part;
    int64_t ts_us;         /* the record's own timestamp; INT64_MIN: none */
    int64_t us;            /* ADVANCE */
    struct wr_str key, value;
    bool has_key;
    int line;              /* in the scenario file */
};

struct wr_block {
    enum wr_block_kind kind;
    struct wr_str name, attrs, text;
    int line;              /* of its header, from 1 */
};

struct wr_scenario {
    struct wr_str path, title;
    int n_block, n_event;
    struct wr_block *block;
    struct wr_event *event;
};

/* err.msg begins with "line N: ". */
wr_status wr_scenario_parse(struct wr_str path, struct wr_str text, struct wr_arena *a, struct wr_scenario *out, struct wr_error *err);
/* attribute of a block header: value in *out; false: not given. */
bool wr_block_attr(const struct wr_block *b, const char *name, struct wr_str *out);
/* Next line of text (without its end); false: no more. Skips nothing. */
bool wr_next_line(struct wr_str *text, struct wr_str *line);

/* Runs one scenario file in all its variations and prints what differs to out. *passed says whether all agree; an error only when the file
 * cannot be read or is malformed. Variations: most rows a batch 1, 3, 1024; tasks 1, 3; and, with
 * one row a batch, stopped and resumed between batches, and crashed and resumed from the last checkpoint. */
struct wr_buf;
wr_status wr_scenario_run(const char *path, struct wr_buf *out, bool *passed, struct wr_error *err);

#endif

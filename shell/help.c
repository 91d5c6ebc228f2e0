/* help.c: \h: how each statement is written, in a few lines.
 * Rules:  a statement is a line in the table, in order of name. Square brackets: may be left out; "...": more of the same.
 * Memory: constants only. */
#include <stdio.h>

#include "shell/print.h"
#include "shell/repl.h"

struct help { const char *name, *what, *syntax; };

static const struct help table[] = {
    {"CREATE SINK", "declares where rows go",
     "CREATE SINK name [(column type [NOT NULL], ... [, PRIMARY KEY (column, ...)])]\n    WITH (connector = '...', option = '...', ...)\n    [AS SELECT ...]"},
    {"CREATE SOURCE", "declares where rows come from",
     "CREATE SOURCE name (\n    column type [NOT NULL] [PATH '$.a.b[0]'],\n    column type METADATA FROM 'key' | 'partition' | 'offset' | 'timestamp' | 'headers',\n"
     "    column [type] AS expression,\n    WATERMARK FOR column AS column - INTERVAL '2' MINUTE\n) WITH (connector = '...', option = '...', ...)"},
    {"CREATE TABLE", "declares what can be read and written", "CREATE TABLE name (column type, ..., PRIMARY KEY (column, ...) [NOT ENFORCED])\n    WITH (connector = '...', ...)"},
    {"CREATE VIEW", "gives a query a name", "CREATE [OR REPLACE] VIEW name AS SELECT ..."},
    {"DESCRIBE", "columns of a source, sink, table or view", "DESCRIBE name"},
    {"DROP", "forgets a declaration", "DROP SOURCE | SINK | TABLE | VIEW [IF EXISTS] name"},
    {"EMIT", "when a query gives its results",
     "SELECT ... EMIT CHANGES [EVERY '5 s']    as they change\nSELECT ... EMIT FINAL                     once, when they can no longer change"},
    {"EXECUTE STATEMENT SET", "several sinks in one job", "EXECUTE STATEMENT SET BEGIN\n    INSERT INTO ...;\n    INSERT INTO ...;\nEND"},
    {"EXPLAIN", "the plan of a statement, or what it did", "EXPLAIN [ANALYZE] SELECT ... | INSERT INTO ...\nEXPLAIN ANALYZE job                       figures of a running job (on a server)"},
    {"EXPLAIN WHY", "why there is no result yet: clocks, partitions, open windows",
     "EXPLAIN WHY [job]\nwithout a job: the query that ran last; while one runs, the key w"},
    {"INFER SOURCE", "writes a CREATE SOURCE from what is in a topic or a file",
     "INFER SOURCE FROM 'topic' | 'file' [WITH (brokers = '...', ...)]\n\\infer topic does the same; \\g then declares it"},
    {"INSERT", "a job: a query whose rows go to a sink", "INSERT INTO sink SELECT ..."},
    {"JOB", "jobs of a server: weir --server URL, or \\connect",
     "SUBMIT JOB name AS INSERT INTO ... | SELECT ...\nSTOP JOB name [WITH SAVEPOINT]\nRESUME JOB name\nDROP JOB [IF EXISTS] name\nDESCRIBE JOB name\nSHOW JOBS"},
    {"PRINT", "raw records of a topic, or lines of a file, as they are",
     "PRINT 'topic' [FROM BEGINNING] [LIMIT n] [WITH (brokers = '...', ...)]"},
    {"RESET", "puts a setting back", "RESET name"},
    {"SELECT", "a query; without INSERT its rows are printed",
     "[WITH name AS (SELECT ...), ...]\nSELECT [DISTINCT] expression [AS name], ...\nFROM source | view | (SELECT ...) [AS name]\n[WHERE condition]\n"
     "[GROUP BY [window(time, '1 min') | window(time, '10 min', '1 min')\n           | session_window(time, '5 min'),] expression, ...]\n[HAVING condition]\n"
     "[UNION ALL SELECT ...]\n[ORDER BY expression [DESC], ... [LIMIT n]]\n[WITH WATERMARK '2 min' [IDLE TIMEOUT '30 s'] [LATENESS '10 min']]\n[EMIT CHANGES [EVERY '5 s'] | EMIT FINAL]"},
    {"SET", "changes a setting of this session", "SET name = value\nSHOW ALL lists the settings"},
    {"SHOW", "what there is",
     "SHOW SOURCES | SINKS | TABLES | VIEWS | FUNCTIONS | CONNECTORS | JOBS | ALL\nSHOW setting\nSHOW CREATE name"},
    {"WATERMARK", "how long to wait for rows that come late",
     "SELECT ... WITH WATERMARK '2 min' [IDLE TIMEOUT '30 s'] [LATENESS '10 min']\nCREATE SOURCE s (..., WATERMARK FOR ts AS ts - INTERVAL '2' MINUTE) WITH (...)"},
    {"WINDOW", "rows by time: in GROUP BY, or around the source",
     "GROUP BY window(time, size) | window(time, size, slide) | session_window(time, gap)\nFROM TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '1' MINUTE)\n"
     "FROM HOP(TABLE t, DESCRIPTOR(time), slide, size)\nFROM CUMULATE(TABLE t, DESCRIPTOR(time), step, max)\n"
     "FROM SESSION(TABLE t [PARTITION BY key], DESCRIPTOR(time), gap)\nwindow_start and window_end are then columns"},
};
enum { N_HELP = sizeof table / sizeof table[0] };

const char *wr_help_name(int i)
{
    return i < N_HELP ? table[i].name : NULL;
}

static bool begins(const char *name, struct wr_str with)
{
    return strlen(name) >= with.n && wr_str_ieq((struct wr_str){name, with.n}, with);
}

void wr_help_statement(struct wr_repl *r, struct wr_str name)
{
    struct wr_buf out = WR_BUF_INIT(1 << 16);
    int n = 0;
    for (int i = 0; i < N_HELP; i++) {
        if (name.n == 0)
            wr_buf_printf(&out, "  %-22s %s\n", table[i].name, table[i].what);
        else if (begins(table[i].name, name))
            wr_buf_printf(&out, "%s%s: %s\n%s\n", n++ ? "\n" : "", table[i].name, table[i].what, table[i].syntax);
    }
    if (name.n && n == 0) {
        struct wr_str cand[N_HELP];
        for (int i = 0; i < N_HELP; i++)
            cand[i] = wr_str_c(table[i].name);
        struct wr_str near = wr_str_nearest(name, cand, N_HELP);
        if (near.n)
            wr_repl_fail(r, "no help for \"%.*s\"; did you mean \\h %.*s?", WR_FMT(name), WR_FMT(near));
        else
            wr_repl_fail(r, "no help for \"%.*s\" (\\h lists the statements)", WR_FMT(name));
    }
    wr_print_text(wr_buf_get(&out));
    wr_buf_clear(&out);
}

/* fuzz_plan.c: any text, parsed and planned over a few declared sources and sinks.
 * Properties: no crash, no endless loop; what was planned can be finished and printed, and a second run of the same text says the same. */
#include <stdlib.h>

#include "parser/parse.h"
#include "planner/planner.h"
#include "tests/unit/plan_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char prelude[] =
    "CREATE SOURCE s (id BIGINT NOT NULL, k TEXT, v DECIMAL(12,2), n INTEGER, x DOUBLE, ts TIMESTAMP, j JSON, WATERMARK FOR ts AS ts - INTERVAL '1' MINUTE)"
    " WITH (connector = 'kafka', brokers = 'b', topic = 't');"
    "CREATE SOURCE f (a INTEGER, b TEXT, at TIMESTAMP) WITH (connector = 'file', path = 'p');"
    "CREATE SINK o WITH (connector = 'blackhole');"
    "CREATE SINK pg (k TEXT, n BIGINT, PRIMARY KEY (k)) WITH (connector = 'postgres', url = 'u', table = 't');"
    "CREATE VIEW w AS SELECT window_start, window_end, k, sum(v) AS total FROM s GROUP BY window(ts, '1 min'), k;";

static void plan_all(struct wr_catalog *c, struct wr_jobplan *j, struct wr_str sql, struct wr_buf *said)
{
    struct wr_plan_opts o = {.offline = true, .final = WR_FINAL_BOUNDED};
    struct wr_arena a = {0};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_stmt *list = NULL;
    (void)wr_parse(sql, &a, &list, NULL, NULL, &err);
    for (const struct wr_stmt *s = list; s; s = s->next) {
        struct wr_answer ans;
        struct wr_error e = WR_ERROR_INIT;
        if (wr_plan_stmt(c, j, &o, s, sql, &a, &ans, &e))
            wr_buf_printf(said, "%d %s\n", e.sql_off, e.msg);
    }
    wr_arena_clear(&a);
}

static void run(struct wr_str sql, struct wr_buf *said)
{
    struct wr_catalog *c = wr_catalog_new();
    struct wr_jobplan *j = wr_jobplan_new();
    struct wr_plan_opts o = {.offline = true};
    struct wr_error err = WR_ERROR_INIT;
    wr_catalog_var_lenient(c);
    plan_all(c, j, WR_STR(prelude), said);
    if (said->n)
        abort();
    plan_all(c, j, sql, said);
    if (wr_plan_finish(c, j, &o, &err))
        wr_buf_printf(said, "%d %s\n", err.sql_off, err.msg);
    else
        wr_jobplan_print(said, j);
    wr_jobplan_free(j);
    wr_catalog_free(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n > 4096)
        return 0;
    struct wr_buf one = WR_BUF_INIT(64 << 20), two = WR_BUF_INIT(64 << 20);
    struct wr_str sql = {(const char *)data, (uint32_t)n};
    run(sql, &one);
    run(sql, &two);
    if (!wr_str_eq(wr_buf_get(&one), wr_buf_get(&two)))
        abort();
    wr_buf_clear(&one);
    wr_buf_clear(&two);
    return 0;
}

/* far_names.c: what a server has declared, for completion: names and columns, mirrored into the session's own catalog as sinks of those columns.
 * Rules:  asked when Tab is pressed, and again only after a statement was run since; for at most a second each. What cannot be mirrored is left out.
 * Memory: declarations in the catalog; the answers are gone when this returns. */
#include <stdio.h>
#include <stdlib.h>

#include "parser/parse.h"
#include "planner/catalog.h"
#include "shell/far.h"

enum { NAMES_MOST = 500 };

static json_t *ask(const struct wr_session *s, struct wr_str sql)
{
    json_t *body = json_pack("{s:o}", "sql", json_stringn(sql.p, sql.n)), *v = NULL;
    struct wr_ask c = {.method = "POST", .path = "/sql", .body = body ? json_dumps(body, JSON_COMPACT) : NULL, .seconds = 1};
    struct wr_error ignored = WR_ERROR_INIT;
    if (c.body && wr_peer_ask(s->far, &c, &ignored) == WR_OK)
        v = json_loadb(c.answer.p ? c.answer.p : "", c.answer.n, 0, NULL);
    json_decref(body);
    wr_ask_clear(&c);
    return v;
}

static const char *text_of(const json_t *row, const char *key)
{
    const char *s = json_string_value(json_object_get(row, key));
    return s ? s : "";
}

static void forget_all(struct wr_catalog *c)
{
    while (c->n_obj > 0)
        wr_object_drop(c, c->obj[0]);
}

static void declare(struct wr_catalog *c, const char *name, const json_t *columns)
{
    struct wr_buf sql = WR_BUF_INIT(1 << 20);
    struct wr_arena a = {0};
    struct wr_stmt *st;
    struct wr_answer answer;
    struct wr_error ignored = WR_ERROR_INIT;
    struct wr_plan_opts o = {.offline = true};
    struct wr_jobplan *plan = wr_jobplan_new();
    wr_buf_puts(&sql, "CREATE SINK ");
    wr_unparse_ident(&sql, wr_str_c(name));
    wr_buf_puts(&sql, " (");
    for (size_t i = 0; i < json_array_size(columns); i++) {
        wr_buf_puts(&sql, i ? ", " : "");
        wr_unparse_ident(&sql, wr_str_c(text_of(json_array_get(columns, i), "column")));
        wr_buf_printf(&sql, " %s", text_of(json_array_get(columns, i), "type"));
    }
    wr_buf_puts(&sql, ") WITH (connector = 'blackhole')");
    if (json_array_size(columns) > 0 && wr_parse(wr_buf_get(&sql), &a, &st, NULL, NULL, &ignored) == WR_OK && st)
        (void)wr_plan_stmt(c, plan, &o, st, wr_buf_get(&sql), &a, &answer, &ignored);
    wr_jobplan_free(plan);
    wr_arena_clear(&a);
    wr_buf_clear(&sql);
}

void wr_far_mirror(struct wr_session *s)
{
    struct wr_buf sql = WR_BUF_INIT(1 << 18);
    json_t *names = ask(s, WR_STR("SHOW TABLES"));
    const json_t *rows = json_object_get(json_array_get(json_object_get(names, "answers"), 0), "rows");
    forget_all(s->catalog);
    for (size_t i = 0; i < json_array_size(rows) && i < NAMES_MOST; i++) {
        wr_buf_puts(&sql, "DESCRIBE ");
        wr_unparse_ident(&sql, wr_str_c(text_of(json_array_get(rows, i), "name")));
        wr_buf_putc(&sql, ';');
    }
    json_t *all = sql.n ? ask(s, wr_buf_get(&sql)) : NULL;
    const json_t *answers = json_object_get(all, "answers");
    for (size_t i = 0; i < json_array_size(answers); i++)
        declare(s->catalog, text_of(json_array_get(rows, i), "name"), json_object_get(json_array_get(answers, i), "rows"));
    json_decref(all);
    json_decref(names);
    wr_buf_clear(&sql);
}

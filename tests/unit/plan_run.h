/* plan_run.h: SQL text to the text of its plan, its rows or its errors, over the connectors of plan_fake.h.
 * Include once, in the file of the program. */
#ifndef WR_TESTS_PLAN_RUN_H
#define WR_TESTS_PLAN_RUN_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "parser/parse.h"
#include "planner/planner.h"
#include "tests/unit/plan_fake.h"

struct run {
    struct wr_plan_opts o;
    int tasks;               /* 0: not set */
    const char *var, *value; /* -v */
    struct wr_buf out;
};

static void say_error(struct run *r, struct wr_str sql, const struct wr_error *err)
{
    if (err->sql_off >= 0) {
        int line, col;
        wr_parse_place(sql, err->sql_off, &line, &col);
        wr_buf_printf(&r->out, "%d:%d: ", line, col);
    }
    wr_buf_printf(&r->out, "%s\n", err->msg);
    if (err->hint[0])
        wr_buf_printf(&r->out, "hint: %s\n", err->hint);
}

static void say_rows(struct run *r, const struct wr_rows *rows)
{
    for (int i = 0; i < rows->n_row; i++)
        for (int k = 0; k < rows->n_col; k++)
            wr_buf_printf(&r->out, "%.*s%s", WR_FMT(rows->cell[i * rows->n_col + k]), k + 1 < rows->n_col ? "|" : "\n");
}

static bool ends_with(struct wr_str s, struct wr_str end)
{
    return s.n >= end.n && wr_str_eq((struct wr_str){s.p + s.n - end.n, end.n}, end);
}

static void on_parse_error(void *ctx, const struct wr_error *err)
{
    struct { struct run *r; struct wr_str sql; } *c = ctx;
    say_error(c->r, c->sql, err);
}

/* All statements of the text; what is said: errors, answers, and at the end the plan. CREATE, DROP, SET say nothing when they work. */
static const char *run(struct run *r, const char *text)
{
    struct wr_arena a = {0};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_stmt *list = NULL;
    struct wr_str sql = wr_str_c(text);
    struct wr_catalog *cat = wr_catalog_new();
    struct wr_jobplan *j = wr_jobplan_new();
    bool bad = false;
    wr_buf_reset(&r->out);
    wr_catalog_var_lenient(cat);
    if (r->var)
        wr_catalog_var(cat, wr_str_c(r->var), wr_str_c(r->value));
    if (r->tasks) {
        char n[12];
        snprintf(n, sizeof n, "%d", r->tasks);
        assert_int_equal(wr_setting_put(cat, WR_STR("parallelism"), wr_str_c(n), -1, &err), WR_OK);
    }
    struct { struct run *r; struct wr_str sql; } ctx = {r, sql};
    if (wr_parse(sql, &a, &list, on_parse_error, &ctx, &err))
        bad = true;
    r->o.offline = true;
    for (const struct wr_stmt *s = list; s; s = s->next) {
        struct wr_error e = WR_ERROR_INIT;
        struct wr_answer ans;
        if (wr_plan_stmt(cat, j, &r->o, s, sql, &a, &ans, &e)) {
            bad = true;
            say_error(r, sql, &e);
        } else if (ans.kind == WR_ANSWER_ROWS) {
            say_rows(r, &ans.rows);
        } else if (ans.kind == WR_ANSWER_TEXT) {
            wr_buf_str(&r->out, ans.text);
        } else if (ans.kind == WR_ANSWER_SHELL) {
            wr_buf_puts(&r->out, "(shell)\n");
        } else if (ends_with(ans.text, WR_STR("nothing done"))) {
            wr_buf_printf(&r->out, "%.*s\n", WR_FMT(ans.text));
        }
    }
    struct wr_error e = WR_ERROR_INIT;
    if (!bad && wr_plan_finish(cat, j, &r->o, &e))
        say_error(r, sql, &e);
    else if (!bad)
        wr_jobplan_print(&r->out, j);
    wr_jobplan_free(j);
    wr_catalog_free(cat);
    wr_arena_clear(&a);
    wr_buf_putc(&r->out, '\0');
    return r->out.p;
}

/* What is said of `sql` (behind `head`) must be just this text. */
static void must_be(const char *file, int line, struct run *r, const char *head, const char *sql, const char *want)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_buf_puts(&text, head);
    wr_buf_puts(&text, sql);
    wr_buf_putc(&text, '\0');
    const char *got = run(r, text.p);
    if (strcmp(got, want) != 0) {
        fprintf(stderr, "%s:%d: %s\n--- wanted\n%s--- got\n%s---\n", file, line, sql, want, got);
        fail();
    }
    wr_buf_clear(&text);
    wr_buf_clear(&r->out);
}
#define PLAN(head, sql, want) must_be(__FILE__, __LINE__, &(struct run){.out = WR_BUF_INIT(1 << 22)}, head, sql, want)
#define PLAN_WITH(r, head, sql, want) must_be(__FILE__, __LINE__, r, head, sql, want)

#endif

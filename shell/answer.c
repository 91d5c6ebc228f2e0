/* answer.c: see answer.h.
 * Rules:  PRINT goes on until its LIMIT, the end of a file, or Ctrl-C; each record is a line. What is only known to a server is refused with the way there.
 * Memory: plans and texts of one statement, freed before it returns. */
#include "shell/answer.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "parser/ast.h"
#include "server/peek.h"

/* ---- PRINT ---- */

struct print_sink { struct wr_sink base; const struct wr_schema *schema; struct wr_session *s; bool ndjson; };

static wr_status print_write(struct wr_sink *base, struct wr_batch *b, struct wr_error *err)
{
    struct print_sink *p = (struct print_sink *)(void *)base;
    struct wr_buf out = WR_BUF_INIT(0);
    for (uint32_t k = 0; k < b->n_live; k++) {
        struct wr_peeked r;
        wr_peek_row(p->schema, b, wr_batch_row(b, k), &r);
        wr_peek_print(&r, p->ndjson, &out);
    }
    base->rows += b->n_live;
    wr_batch_unref(b);
    bool gone = fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) != 0;
    wr_buf_clear(&out);
    if (gone && errno == EPIPE)
        return wr_fail(err, WR_ESTOP, "the reader has gone");
    return gone ? wr_fail(err, WR_EIO, "cannot write to standard output: %s", strerror(errno)) : WR_OK;
}
static wr_status print_flush(struct wr_sink *s WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static void print_close(struct wr_sink *s) { free(s); }
static const struct wr_sink_vt print_vt = {.write = print_write, .flush = print_flush, .close = print_close};

static wr_status print_open(void *ctx, const struct wr_plan *sink WR_UNUSED, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err WR_UNUSED)
{
    struct print_sink *p = wr_calloc(1, sizeof *p);
    struct wr_session *s = ctx;
    p->base.vt = &print_vt;
    p->schema = spec->schema;
    p->s = s;
    struct wr_str set = wr_setting_text(s->catalog, WR_SET_OUTPUT);
    p->ndjson = s->output == WR_OUT_NDJSON || (s->output == WR_OUT_AUTO && wr_str_eq_c(set, "ndjson"));
    *out = &p->base;
    return WR_OK;
}

static wr_status run_print(struct wr_session *s, const struct wr_jobplan *plan, struct wr_error *err)
{
    struct wr_job_opts o = {.stop = s->stop, .open_sink = print_open, .ctx = s};
    struct wr_job *job;
    WR_TRY(wr_job_open(plan, &o, &job, err));
    wr_status st = wr_job_run(job, err);
    wr_job_close(job);
    return st;
}

static wr_status peek(struct wr_session *s, const struct wr_stmt *st, struct wr_arena *a, struct wr_error *err)
{
    struct wr_peek p;
    struct wr_buf text = WR_BUF_INIT(16 << 20);
    struct wr_jobplan *plan = wr_jobplan_new();
    wr_status rc = wr_peek_plan(s->catalog, st, a, plan, &p, err);
    rc = rc ? rc : wr_plan_finish(s->catalog, plan, &(struct wr_plan_opts){0}, err);
    if (rc && err->sql_off >= 0)
        err->sql_off = st->text_off;
    if (rc == WR_OK && st->kind == WR_S_PRINT)
        rc = run_print(s, plan, err);
    else if (rc == WR_OK)
        rc = wr_infer_run(&p, plan, s->stop, &text, err);
    fwrite(text.p ? text.p : "", 1, text.n, stdout);
    if (rc == WR_OK && st->kind == WR_S_INFER) {
        wr_buf_reset(&s->proposed);
        wr_buf_str(&s->proposed, wr_buf_get(&text));
    }
    wr_buf_clear(&text);
    wr_peek_clear(&p);
    wr_jobplan_free(plan);
    return rc;
}

/* ---- the rest ---- */

static wr_status why(const struct wr_session *s, const struct wr_stmt *st, struct wr_error *err)
{
    if (st->name || s->last_why.n == 0) {
        wr_fail_at(err, WR_ESQL, st->off, st->name ? "there are no jobs without a server" : "no query has run yet");
        wr_hint(err, st->name ? "EXPLAIN WHY alone is about the query that ran last; weir --server URL has jobs" : "while a query runs, the key w tells why");
        return WR_ESQL;
    }
    fwrite(s->last_why.p, 1, s->last_why.n, stdout);
    return WR_OK;
}

wr_status wr_answer_here(struct wr_session *s, const struct wr_stmt *st, struct wr_arena *a, struct wr_error *err)
{
    wr_status rc;
    if (st->kind == WR_S_PRINT || st->kind == WR_S_INFER)
        rc = peek(s, st, a, err);
    else if (st->kind == WR_S_EXPLAIN_WHY)
        rc = why(s, st, err);
    else {
        rc = wr_fail_at(err, WR_ESQL, st->off, "this statement is about jobs, and jobs live on a server");
        wr_hint(err, "\"weir serve\" starts one, \"weir --server URL\" or \\connect is the shell of one");
    }
    fflush(stdout);
    return rc;
}

/* session.c: see session.h.
 * Memory: one arena a text (statements, answers); a job plan owns its own and is freed after the run. */
#include "shell/session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "parser/parse.h"
#include "server/watch.h"
#include "shell/answer.h"
#include "shell/far.h"
#include "shell/live.h"

enum { MAX_FAILED = 64 };

struct run {                      /* one text on its way */
    struct wr_session *s;
    const char *file;
    struct wr_str sql;
    struct wr_arena arena;
    struct wr_stmt *stmt;         /* list */
    int n_error;
    wr_status worst;
    struct wr_str failed[MAX_FAILED]; /* names whose CREATE failed: what follows from that is not reported again */
    int n_failed;
    struct wr_opts console;
};

void wr_session_init(struct wr_session *s, atomic_bool *stop)
{
    *s = (struct wr_session){.catalog = wr_catalog_new(), .stop = stop, .live = isatty(STDOUT_FILENO) == 1};
}

void wr_session_clear(struct wr_session *s)
{
    wr_catalog_free(s->catalog);
    s->catalog = NULL;
    if (s->far)
        wr_peer_clear(s->far);
    free(s->far);
    s->far = NULL;
    wr_buf_clear(&s->last_why);
    wr_buf_clear(&s->last_parts);
    wr_buf_clear(&s->proposed);
}

int wr_exit_code(wr_status st)
{
    switch (st) {
    case WR_OK: return 0;
    case WR_ESQL:
    case WR_EUSAGE: return 2;
    case WR_EFENCED: return 3;
    case WR_EDATA:
    case WR_EIO:
    case WR_ELIMIT:
    case WR_ESTOP: return 1;
    }
    return 1;
}

wr_status wr_read_file(const char *path, struct wr_arena *a, struct wr_str *out, struct wr_error *err)
{
    FILE *f = strcmp(path, "-") == 0 ? stdin : fopen(path, "rb");
    if (!f)
        return wr_fail(err, WR_EUSAGE, "cannot open \"%s\": %s", path, strerror(errno));
    struct wr_buf buf = WR_BUF_INIT(256 << 20);
    char block[65536];
    size_t n;
    while ((n = fread(block, 1, sizeof block, f)) > 0)
        wr_buf_add(&buf, block, n);
    bool failed = ferror(f) != 0;
    int why = errno;
    if (f != stdin)
        fclose(f);
    *out = wr_arena_str(a, wr_buf_get(&buf));
    bool over = buf.overflow;
    wr_buf_clear(&buf);
    if (failed)
        return wr_fail(err, WR_EIO, "cannot read \"%s\": %s", path, strerror(why));
    return over ? wr_fail(err, WR_ELIMIT, "\"%s\" is larger than 256 MiB", path) : WR_OK;
}

/* ---- errors ---- */

static void report(struct run *r, const struct wr_error *err)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_parse_print_error(&text, r->file, r->sql, err);
    fflush(stdout);
    fwrite(text.p, 1, text.n, stderr);
    wr_buf_clear(&text);
    r->n_error++;
    if (r->worst == WR_OK)
        r->worst = err->sql_off >= 0 ? WR_ESQL : err->code; /* a limit that the text passes is the text's fault */
}

static void on_parse_error(void *ctx, const struct wr_error *err) { report(ctx, err); }

/* Does this error only say that something does not exist whose own CREATE has failed? */
static bool follows_from_earlier(const struct run *r, const struct wr_error *err)
{
    for (int i = 0; i < r->n_failed; i++) {
        char quoted[140];
        snprintf(quoted, sizeof quoted, "\"%.*s\"", WR_FMT(r->failed[i]));
        if (strstr(err->msg, quoted))
            return true;
    }
    return false;
}

static void statement_failed(struct run *r, const struct wr_stmt *st, const struct wr_error *err)
{
    if (!follows_from_earlier(r, err))
        report(r, err);
    bool creates = st->kind <= WR_S_CREATE_VIEW && st->name;
    if (creates && r->n_failed < MAX_FAILED)
        r->failed[r->n_failed++] = st->name->text;
}

/* ---- answers ---- */

static void console_options(struct run *r)
{
    static const char *const name[] = {"table", "table", "ndjson", "csv"};
    if (r->s->output == WR_OUT_AUTO)
        return;
    struct wr_opt *o = WR_NEW_N(&r->arena, struct wr_opt, 2);
    o[0] = (struct wr_opt){.key = WR_STR("format"), .value = wr_str_c(name[r->s->output]), .off = -1};
    o[1] = (struct wr_opt){.key = WR_STR("null"), .value = wr_setting_text(r->s->catalog, WR_SET_NULL_TEXT), .off = -1};
    struct wr_opts raw = {2, o};
    struct wr_error err = WR_ERROR_INIT;
    const struct wr_connector *c = wr_connector_find(WR_STR("console"));
    if (!c || wr_opts_check(c, NULL, WR_AS_SINK, &raw, &r->arena, &r->console, &err))
        r->console = raw;
}

static void print_answer(struct run *r, const struct wr_answer *a)
{
    switch (a->kind) {
    case WR_ANSWER_MESSAGE:
        if (r->s->messages && a->text.n)
            printf("%.*s\n", WR_FMT(a->text));
        break;
    case WR_ANSWER_ROWS: wr_print_rows(r->s, &a->rows); break;
    case WR_ANSWER_TEXT: printf("%.*s", WR_FMT(a->text)); break;
    case WR_ANSWER_JOB:
    case WR_ANSWER_SHELL: break;
    }
    fflush(stdout);
}

/* ---- running ---- */

/* EXPLAIN ANALYZE keeps no rows. */
static wr_status null_write(struct wr_sink *s, struct wr_batch *b, struct wr_error *err WR_UNUSED)
{
    s->rows += b->n_live;
    wr_batch_unref(b);
    return WR_OK;
}
static wr_status null_flush(struct wr_sink *s WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static void null_close(struct wr_sink *s) { free(s); }
static const struct wr_sink_vt null_vt = {.write = null_write, .flush = null_flush, .close = null_close};

static wr_status null_open(void *ctx WR_UNUSED, const struct wr_plan *sink, const struct wr_sink_spec *spec WR_UNUSED, struct wr_sink **out,
                           struct wr_error *err WR_UNUSED)
{
    if (strcmp(sink->u.sink.connector->name, "console") != 0)
        return WR_OK;
    *out = wr_calloc(1, sizeof **out);
    (*out)->vt = &null_vt;
    return WR_OK;
}

void wr_say_losses(uint64_t late, uint64_t bad, struct wr_str reasons, struct wr_str source)
{
    if (late)
        fprintf(stderr, "note: %llu late row%s left out (INSERT INTO a sink SELECT * FROM %.*s$late, in the same file as the query, keeps %s)\n",
                (unsigned long long)late, late == 1 ? " was" : "s were", WR_FMT(source), late == 1 ? "it" : "them");
    if (bad)
        fprintf(stderr, "note: %llu bad row%s left out%s%.*s (SELECT * FROM %.*s$errors shows %s)\n", (unsigned long long)bad, bad == 1 ? " was" : "s were",
                reasons.n ? ": " : "", WR_FMT(reasons), WR_FMT(source), bad == 1 ? "it" : "them");
}

/* The one source that the plan reads; "<source>" where there are several, or its name needs quotes. */
static struct wr_str only_source(const struct wr_jobplan *plan)
{
    struct wr_str name = {0};
    for (int i = 0; i < plan->n_node; i++) {
        if (plan->node[i]->kind != WR_PLAN_SCAN)
            continue;
        struct wr_str s = plan->node[i]->u.scan.spec.name;
        bool plain = s.n > 0;
        for (uint32_t k = 0; k < s.n; k++)
            plain &= (s.p[k] >= 'a' && s.p[k] <= 'z') || s.p[k] == '_' || (k > 0 && s.p[k] >= '0' && s.p[k] <= '9');
        if (!plain || (name.n && !wr_str_eq(name, s)))
            return WR_STR("<source>");
        name = s;
    }
    return name.n ? name : WR_STR("<source>");
}

/* What was not in the result, once, at the end. */
static void say_losses(const struct wr_jobplan *plan, const struct wr_job *job)
{
    uint64_t late = wr_job_late(job), bad = 0;
    struct wr_buf why = WR_BUF_INIT(4096);
    for (int i = 1; i < WR_R_COUNT; i++) {
        uint64_t n = wr_job_bad_by_reason(job, (enum wr_reason)i);
        if (n)
            wr_buf_printf(&why, "%s%s %llu", why.n ? ", " : "", wr_reason_name((enum wr_reason)i), (unsigned long long)n);
        bad += n;
    }
    wr_say_losses(late, bad, wr_buf_get(&why), only_source(plan));
    wr_buf_clear(&why);
}

/* What EXPLAIN WHY and \\lag can still say when the query has ended. */
static void remember(struct wr_session *s, const struct wr_watch *w)
{
    if (!s->messages)
        return;
    wr_buf_reset(&s->last_why);
    wr_why_print(w, &s->last_why);
    wr_buf_reset(&s->last_parts);
    wr_parts_print(w, &s->last_parts);
}

/* --checkpoint, else SET checkpoint.dir; NULL: none. */
static const char *checkpoint_dir(struct run *r)
{
    if (r->s->checkpoint_dir)
        return r->s->checkpoint_dir;
    struct wr_str dir = wr_setting_text(r->s->catalog, WR_SET_CHECKPOINT_DIR);
    return dir.n ? wr_arena_str(&r->arena, dir).p : NULL;
}

/* Was the program asked to stop (SIGINT, SIGTERM, Ctrl-C)? */
static bool was_stopped(const struct wr_session *s) { return s->stop && atomic_load(s->stop); }

static wr_status run_plan(struct run *r, struct wr_jobplan *plan, bool analyze, struct wr_error *err)
{
    struct wr_live live;
    struct wr_job_opts o = {.batch_rows = (uint32_t)wr_setting_int(r->s->catalog, WR_SET_BATCH_ROWS), .stop = r->s->stop,
                             .checkpoint_dir = checkpoint_dir(r),
                             .checkpoint_us = r->s->checkpoint_us ? r->s->checkpoint_us : wr_setting_int(r->s->catalog, WR_SET_CHECKPOINT_EVERY),
                              .checkpoint_reset = r->s->checkpoint_reset, .checkpoint_adapt = r->s->checkpoint_adapt,
                             .savepoint = r->s->savepoint};
    bool redraw = r->s->live && !analyze && r->s->output <= WR_OUT_TABLE && wr_live_init(&live, plan);
    if (analyze) {
        o.open_sink = null_open;
    } else if (redraw) {
        o.open_sink = wr_live_sink;
        o.progress = wr_live_progress;
        o.ctx = &live;
    }
    struct wr_job *job;
    wr_status st = wr_job_open(plan, &o, &job, err);
    bool before = st == WR_ESTOP && was_stopped(r->s); /* nothing has begun: a proper end */
    if (st == WR_OK) {
        st = wr_job_run(job, err);
        if (redraw) {
            struct wr_gauge g;
            wr_gauge_read(&(struct wr_watch){plan, job}, &g);
            wr_live_end(&live, &g);
        }
        fflush(stdout);
        if (st == WR_OK && analyze) {
            struct wr_buf text = WR_BUF_INIT(1 << 20);
            wr_analyze_print(&(struct wr_watch){plan, job}, &text);
            fwrite(text.p, 1, text.n, stdout);
            wr_buf_clear(&text);
        }
        if (!analyze)
            say_losses(plan, job);
        remember(r->s, &(struct wr_watch){plan, job});
        struct wr_buf off = WR_BUF_INIT(65536);
        if (st == WR_OK && !wr_job_balanced(job, &off))
            wr_log(WR_LOG_ERROR, "job", "rows do not balance: %.*s", (int)off.n, off.p);
        wr_buf_clear(&off);
    }
    wr_job_close(job);
    if (redraw)
        wr_live_clear(&live);
    return before ? WR_OK : st;
}

static struct wr_plan_opts plan_opts(const struct run *r, enum wr_session_mode mode)
{
    const struct wr_session *s = r->s;
    bool interactive = mode == WR_RUN_PROMPT;
    return (struct wr_plan_opts){
        .final = s->final ? WR_FINAL_YES : interactive ? WR_FINAL_BOUNDED : WR_FINAL_NO,
        .offline = s->offline || mode == WR_RUN_CHECK,
        .until_end = s->until_end,
        .native = true,
        .console = r->console.n ? &r->console : NULL,
    };
}

/* Plans st into plan; prints its answer. */
static wr_status plan_one(struct run *r, struct wr_jobplan *plan, const struct wr_plan_opts *o, const struct wr_stmt *st, struct wr_answer *a)
{
    struct wr_error err = WR_ERROR_INIT;
    *a = (struct wr_answer){0};
    console_options(r); /* SET may have changed them */
    struct wr_plan_opts now = *o;
    now.exactly_once = checkpoint_dir(r) != NULL;
    wr_status rc = wr_plan_stmt(r->s->catalog, plan, &now, st, r->sql, &r->arena, a, &err);
    if (rc == WR_OK && a->kind == WR_ANSWER_SHELL)
        rc = wr_answer_here(r->s, st, &r->arena, &err);
    if (rc == WR_ESTOP)
        r->worst = was_stopped(r->s) ? r->worst : rc; /* else the reader of our output has gone: nothing to say */
    else if (rc)
        statement_failed(r, st, &err);
    else
        print_answer(r, a);
    return rc;
}

static void finish_and_run(struct run *r, struct wr_jobplan *plan, const struct wr_plan_opts *o, bool analyze, bool check)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_plan_opts now = *o;
    now.exactly_once = checkpoint_dir(r) != NULL;
    wr_status st = wr_plan_finish(r->s->catalog, plan, &now, &err);
    if (st == WR_ESTOP && was_stopped(r->s))
        return; /* nothing has begun: a proper end */
    if (st == WR_OK && check) {
        struct wr_buf text = WR_BUF_INIT(16 << 20);
        wr_jobplan_print(&text, plan);
        fwrite(text.p, 1, text.n, stdout);
        wr_buf_clear(&text);
    } else if (st == WR_OK && plan->n_sink > 0) {
        st = run_plan(r, plan, analyze, &err);
    }
    if (st == WR_ESTOP)
        r->worst = st; /* the reader of our output has gone: nothing to say */
    else if (st)
        report(r, &err);
}

/* All from `first` on as one job. */
static void run_together(struct run *r, const struct wr_stmt *first, enum wr_session_mode mode)
{
    struct wr_plan_opts o = plan_opts(r, mode);
    struct wr_jobplan *plan = wr_jobplan_new();
    bool analyze = false;
    for (const struct wr_stmt *st = first; st; st = st->next) {
        struct wr_answer a;
        if (plan_one(r, plan, &o, st, &a) == WR_OK)
            analyze |= a.kind == WR_ANSWER_JOB && a.analyze;
    }
    if (r->n_error == 0)
        finish_and_run(r, plan, &o, analyze, mode == WR_RUN_CHECK);
    wr_jobplan_free(plan);
}

static bool ends_by_itself(const struct wr_jobplan *plan)
{
    for (int i = 0; i < plan->n_sink; i++)
        if (!plan->sink[i]->bounded)
            return false;
    return true;
}

static void run_each(struct run *r, enum wr_session_mode mode)
{
    struct wr_plan_opts o = plan_opts(r, mode);
    for (const struct wr_stmt *st = r->stmt; st && r->n_error == 0; st = st->next) {
        struct wr_jobplan *plan = wr_jobplan_new();
        struct wr_answer a;
        bool together = false;
        if (plan_one(r, plan, &o, st, &a) == WR_OK && a.kind == WR_ANSWER_JOB) {
            together = mode == WR_RUN_EACH && st->next && !ends_by_itself(plan);
            if (!together)
                finish_and_run(r, plan, &o, a.analyze, false);
        }
        wr_jobplan_free(plan);
        if (together) {
            run_together(r, st, mode);
            return;
        }
        if (r->s->stop && atomic_load(r->s->stop))
            return;
    }
}

wr_status wr_session_run(struct wr_session *s, const char *file, struct wr_str sql, enum wr_session_mode mode)
{
    if (s->far)
        return wr_far_run(s, file, sql);
    struct run r = {.s = s, .file = file, .sql = sql};
    struct wr_error err = WR_ERROR_INIT;
    console_options(&r);
    if (wr_parse(sql, &r.arena, &r.stmt, on_parse_error, &r, &err) == WR_OK) {
        if (mode == WR_RUN_FILE || mode == WR_RUN_CHECK)
            run_together(&r, r.stmt, mode);
        else
            run_each(&r, mode);
    } else if (r.n_error == 0) {
        report(&r, &err);
    }
    wr_arena_clear(&r.arena);
    return r.worst;
}

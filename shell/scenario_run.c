/* scenario_run.c: runs a scenario in each variation and compares.
 *
 * Final content: changes are folded (+I, +U add a row; -U, -D take one away), rows are compared as sets with multiplicity; in order where
 * the query has ORDER BY. Two rows are equal when their JSON is, members in order; numbers by value of their digits (1.50 = 1.5), never
 * through floating point. What is not expected is an error: without a counts block there may be no late and no bad row, and in every run
 * each operator's rows must balance.
 * Memory: one arena a variation. */
#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/log.h"
#include "parser/parse.h"
#include "planner/planner.h"
#include "shell/scenario_tally.h"
#include "shell/scripted.h"
#include "shell/session.h"

static const struct variant {
    int batch, tasks;
    enum wr_script_break how;
    bool spill;              /* what can go to disk does */
    bool rescale;            /* each start has another number of tasks */
    uint64_t dice;           /* not 0: cut and interrupted at random */
    bool gather;             /* changes wait for a pause of the input */
} variants[] = {
    {1, 1, WR_BREAK_NONE, false, false, 0, false}, {1, 3, WR_BREAK_NONE, false, false, 0, false}, {3, 1, WR_BREAK_NONE, false, false, 0, false}, {3, 3, WR_BREAK_NONE, false, false, 0, false},
    {1024, 1, WR_BREAK_NONE, false, false, 0, false}, {1024, 3, WR_BREAK_NONE, false, false, 0, false},
    {1, 1, WR_BREAK_STOP, false, false, 0, false}, {1, 1, WR_BREAK_CRASH, false, false, 0, false},
    {1, 1, WR_BREAK_NONE, true, false, 0, false}, {3, 3, WR_BREAK_NONE, true, false, 0, false}, {1, 1, WR_BREAK_STOP, true, false, 0, false}, {1, 1, WR_BREAK_CRASH, true, false, 0, false},
    {2, 3, WR_BREAK_STOP, false, false, 0, false}, {1, 3, WR_BREAK_CRASH, true, false, 0, false}, {1, 3, WR_BREAK_STOP, false, true, 0, false},
};
static const char *const break_name[] = {"", " restart", " crash"};
static const int other_tasks[] = {2, 1};
enum { MOST_PLANS = 1 + sizeof other_tasks / sizeof *other_tasks };
enum { MOST_RESTARTS = 50 }; /* about that many in one scenario */

struct lines { struct wr_str *at; int n, cap; };

static void add_line(struct lines *l, struct wr_arena *a, struct wr_str s)
{
    if (l->n == l->cap) {
        int cap = l->cap ? l->cap * 2 : 64;
        struct wr_str *more = wr_arena_alloc(a, sizeof *more * (size_t)cap);
        if (l->n)
            memcpy(more, l->at, sizeof *more * (size_t)l->n);
        l->at = more;
        l->cap = cap;
    }
    l->at[l->n++] = s;
}

/* ---- equal rows look equal ---- */

/* 1.50 -> 1.5, 1.0 -> 1, -0 -> 0; exponents stay. */
static void put_number(struct wr_buf *out, const char *p, uint32_t n)
{
    bool point = memchr(p, '.', n) && !memchr(p, 'e', n) && !memchr(p, 'E', n);
    while (point && p[n - 1] == '0')
        n--;
    if (point && p[n - 1] == '.')
        n--;
    if (n == 2 && p[0] == '-' && p[1] == '0') {
        p++;
        n--;
    }
    wr_buf_add(out, p, n);
}

/* JSON without blanks outside of strings, numbers in one form. */
static struct wr_str canonical(struct wr_str s, struct wr_arena *a)
{
    struct wr_buf out = WR_BUF_INIT(64 << 20);
    for (uint32_t i = 0; i < s.n;) {
        char c = s.p[i];
        uint32_t from = i;
        if (c == '"') {
            for (i++; i < s.n && s.p[i] != '"'; i++)
                i += s.p[i] == '\\';
            i = i < s.n ? i + 1 : s.n;
            wr_buf_add(&out, s.p + from, i - from);
        } else if (isdigit((unsigned char)c) || (c == '-' && i + 1 < s.n && isdigit((unsigned char)s.p[i + 1]))) {
            for (i++; i < s.n && (isalnum((unsigned char)s.p[i]) || strchr("+-.", s.p[i])); i++) {
            }
            put_number(&out, s.p + from, i - from);
        } else {
            if (!isspace((unsigned char)c))
                wr_buf_putc(&out, c);
            i++;
        }
    }
    struct wr_str r = wr_arena_str(a, wr_buf_get(&out));
    wr_buf_clear(&out);
    return r;
}

static int by_text(const void *x, const void *y) { return wr_str_cmp(*(const struct wr_str *)x, *(const struct wr_str *)y); }

static void sort_lines(struct wr_str *at, int n)
{
    if (n > 1)
        qsort(at, (size_t)n, sizeof *at, by_text);
}

/* What a sink got, as canonical lines: "+I {...}" each. */
static struct lines changes_of(const struct wr_script_out *o, struct wr_arena *a)
{
    struct lines l = {0};
    struct wr_str text = wr_buf_get(&o->lines), line;
    while (wr_next_line(&text, &line)) {
        struct wr_str op = {line.p, 2}, row = canonical((struct wr_str){line.p + 3, line.n - 3}, a);
        add_line(&l, a, wr_arena_printf(a, "%.*s %.*s", WR_FMT(op), WR_FMT(row)));
    }
    return l;
}

/* The content that changes leave: additions in order of arrival, less what was taken away. false: something was taken that was not there. */
static bool fold(const struct lines *changes, struct wr_arena *a, struct lines *out, struct wr_str *wrong)
{
    struct lines gone = {0}, rows = {0};
    for (int i = 0; i < changes->n; i++) {
        struct wr_str c = changes->at[i], row = {c.p + 3, c.n - 3};
        add_line(c.p[0] == '-' ? &gone : &rows, a, row);
    }
    /* Every row taken away cancels one equal row added: by sorted merge. */
    struct wr_str *sorted = WR_NEW_N(a, struct wr_str, rows.n + 1);
    if (rows.n)
        memcpy(sorted, rows.at, sizeof *sorted * (size_t)rows.n);
    sort_lines(sorted, rows.n);
    sort_lines(gone.at, gone.n);
    if (gone.n == 0) {
        *out = rows;
        return true;
    }
    int g = 0;
    for (int i = 0; i < rows.n; i++) {
        if (g < gone.n && wr_str_eq(sorted[i], gone.at[g])) {
            g++;
            continue;
        }
        add_line(out, a, sorted[i]);
    }
    if (g < gone.n)
        *wrong = gone.at[g];
    return g == gone.n;
}

/* ---- comparing ---- */

static void expected_lines(const struct wr_block *b, struct wr_arena *a, bool with_op, struct lines *out)
{
    struct wr_str text = b->text, line;
    while (wr_next_line(&text, &line)) {
        line = wr_str_trim(line);
        if (line.n == 0 || (line.n > 1 && line.p[0] == '#' && line.p[1] == ' '))
            continue;
        if (with_op && line.n > 3)
            add_line(out, a, wr_arena_printf(a, "%.2s %.*s", line.p, WR_FMT(canonical((struct wr_str){line.p + 3, line.n - 3}, a))));
        else
            add_line(out, a, canonical(line, a));
    }
}

/* Prints what only one side has; both sorted unless in_order. */
static bool compare(struct wr_buf *out, struct lines *want, struct lines *got, bool in_order)
{
    if (!in_order) {
        sort_lines(want->at, want->n);
        sort_lines(got->at, got->n);
    }
    bool same = want->n == got->n;
    for (int i = 0; same && i < want->n; i++)
        same = wr_str_eq(want->at[i], got->at[i]);
    if (same)
        return true;
    wr_buf_printf(out, "    expected %d rows, got %d%s\n", want->n, got->n, in_order ? " (in order)" : "");
    int i = 0, k = 0, shown = 0;
    while ((i < want->n || k < got->n) && shown < 40) {
        int c = i == want->n ? 1 : k == got->n ? -1 : in_order ? (wr_str_eq(want->at[i], got->at[k]) ? 0 : 2) : wr_str_cmp(want->at[i], got->at[k]);
        if (c == 0) {
            i++;
            k++;
            continue;
        }
        if (c < 0 || c == 2) {
            wr_buf_printf(out, "    expected  %.*s\n", WR_FMT(want->at[i]));
            i++;
        }
        if (c > 0) {
            wr_buf_printf(out, "    got       %.*s\n", WR_FMT(got->at[k]));
            k++;
        }
        shown++;
    }
    return false;
}

/* ---- one variation ---- */

struct text_block { struct wr_str sql; const char *file; bool final, until_end; };

struct one {
    const struct wr_scenario *s;
    struct wr_arena arena;
    struct wr_catalog *catalog;
    struct wr_jobplan *plan;
    struct wr_buf errors;     /* what a user would read */
    struct wr_str sql;        /* text the offsets of the moment point into */
    const char *file;
    int query[64], n_query;   /* sink numbers of bare SELECTs */
    struct one *other[MOST_PLANS - 1]; /* the same with other numbers of tasks; NULL: none */
};

static void on_error(void *ctx, const struct wr_error *err)
{
    struct one *o = ctx;
    wr_parse_print_error(&o->errors, o->file, o->sql, err);
}

static bool attr_true(const struct wr_block *b, const char *name)
{
    struct wr_str v;
    return wr_block_attr(b, name, &v) && wr_str_eq_c(v, "true");
}

static void set_variables(struct one *o, const struct wr_block *b)
{
    struct wr_str rest = b->attrs;
    while (rest.n) {
        const char *end = memchr(rest.p, ' ', rest.n);
        struct wr_str w = {rest.p, end ? (uint32_t)(end - rest.p) : rest.n};
        const char *eq = memchr(w.p, '=', w.n);
        if (eq && w.p[0] >= 'A' && w.p[0] <= 'Z')
            wr_catalog_var(o->catalog, (struct wr_str){w.p, (uint32_t)(eq - w.p)}, (struct wr_str){eq + 1, w.n - (uint32_t)(eq - w.p) - 1});
        rest.p += end ? w.n + 1 : w.n;
        rest.n -= end ? w.n + 1 : w.n;
    }
}

static void plan_text(struct one *o, const struct wr_plan_opts *opts)
{
    struct wr_stmt *stmt;
    struct wr_error err = WR_ERROR_INIT;
    if (wr_parse(o->sql, &o->arena, &stmt, on_error, o, &err))
        return;
    for (; stmt; stmt = stmt->next) {
        struct wr_answer a = {0};
        struct wr_error e = WR_ERROR_INIT;
        if (wr_plan_stmt(o->catalog, o->plan, opts, stmt, o->sql, &o->arena, &a, &e))
            on_error(o, &e);
        else if (a.kind == WR_ANSWER_JOB && a.query && o->n_query < 64)
            o->query[o->n_query++] = a.sink;
    }
}

static wr_status plan_all(struct one *o, int tasks, struct wr_error *err)
{
    char n[32];
    struct wr_plan_opts opts = {.offline = true, .native = true};
    o->catalog = wr_catalog_new();
    o->plan = wr_jobplan_new();
    wr_catalog_var_lenient(o->catalog);
    snprintf(n, sizeof n, "%d", tasks);
    WR_TRY(wr_setting_put(o->catalog, WR_STR("parallelism"), wr_str_c(n), -1, err));
    for (int i = 0; i < o->s->n_block; i++) {
        const struct wr_block *b = &o->s->block[i];
        if (b->kind != WR_BLOCK_SQL && b->kind != WR_BLOCK_JOB)
            continue;
        if (attr_true(b, "final"))
            opts.final = WR_FINAL_YES;
        opts.until_end |= attr_true(b, "until_end");
        set_variables(o, b);
        o->sql = b->text;
        o->file = "sql";
        if (b->kind == WR_BLOCK_JOB) {
            const char *slash = memrchr(o->s->path.p, '/', o->s->path.n);
            struct wr_str dir = {o->s->path.p, slash ? (uint32_t)(slash - o->s->path.p) + 1 : 0};
            bool rooted = b->name.n && b->name.p[0] == '/';
            o->file = wr_arena_printf(&o->arena, "%.*s%.*s", rooted ? 0 : (int)dir.n, dir.p, WR_FMT(b->name)).p;
            WR_TRY(wr_read_file(o->file, &o->arena, &o->sql, err));
        }
        plan_text(o, &opts);
    }
    if (o->errors.n == 0) {
        struct wr_error e = WR_ERROR_INIT;
        if (wr_plan_finish(o->catalog, o->plan, &opts, &e))
            on_error(o, &e);
    }
    return WR_OK;
}

static bool check_errors(const struct one *o, struct wr_buf *out, bool *expected)
{
    bool ok = true;
    for (int i = 0; i < o->s->n_block; i++) {
        if (o->s->block[i].kind != WR_BLOCK_ERROR)
            continue;
        *expected = true;
        struct wr_str text = o->s->block[i].text, line;
        while (wr_next_line(&text, &line)) {
            line = wr_str_trim(line);
            if (line.n == 0 || (o->errors.n && memmem(o->errors.p, o->errors.n, line.p, line.n)))
                continue;
            wr_buf_printf(out, "    expected an error with  %.*s\n", WR_FMT(line));
            ok = false;
        }
    }
    if ((!ok || !*expected) && o->errors.n) {
        wr_buf_printf(out, "    the error was:\n%.*s", (int)o->errors.n, o->errors.p);
        ok = false;
    }
    return ok && (!*expected || o->errors.n > 0);
}

/* The sink an expect block speaks of: by name; without one, the next bare query. */
static const struct wr_script_out *sink_of(const struct one *o, const struct wr_script *sc, const struct wr_block *b, int *next_query)
{
    if (b->name.n == 0)
        return *next_query < o->n_query ? &sc->out[o->query[(*next_query)++]] : NULL;
    for (int i = 0; i < sc->n_out; i++)
        if (wr_str_eq(sc->out[i].name, b->name))
            return &sc->out[i];
    return NULL;
}

static bool check_rows(struct one *o, const struct wr_script *sc, const struct variant *v, struct wr_buf *out)
{
    bool ok = true;
    int next_rows = 0, next_changes = 0;
    for (int i = 0; i < o->s->n_block; i++) {
        const struct wr_block *b = &o->s->block[i];
        if (b->kind != WR_BLOCK_EXPECT && b->kind != WR_BLOCK_CHANGES)
            continue;
        bool changes = b->kind == WR_BLOCK_CHANGES;
        const struct wr_script_out *so = sink_of(o, sc, b, changes ? &next_changes : &next_rows);
        struct wr_buf diff = WR_BUF_INIT(1 << 20);
        if (!so) {
            wr_buf_printf(&diff, "    there is no sink \"%.*s\"\n", WR_FMT(b->name));
        } else if (!changes || (!v->dice && v->tasks == 1 && v->batch == 1)) {
            struct lines want = {0}, all = changes_of(so, &o->arena), got = {0};
            struct wr_str wrong = {0};
            expected_lines(b, &o->arena, changes, &want);
            if (changes)
                compare(&diff, &want, &all, true);
            else if (!fold(&all, &o->arena, &got, &wrong))
                wr_buf_printf(&diff, "    a row was taken back that was not there: %.*s\n", WR_FMT(wrong));
            else
                compare(&diff, &want, &got, so->ordered);
        }
        if (diff.n) {
            wr_buf_printf(out, "  line %d, %s %.*s:\n", b->line, changes ? "changes" : "expect", WR_FMT(b->name));
            wr_buf_str(out, wr_buf_get(&diff));
            ok = false;
        }
        wr_buf_clear(&diff);
    }
    return ok;
}

/* A directory for checkpoints, and away with it; in memory where that can be had, because every checkpoint is synced. */
static bool make_dir(char *dir, size_t n, struct wr_error *err)
{
    const char *tmp = getenv("TMPDIR");
    snprintf(dir, n, "%s/weir-test-XXXXXX", tmp && *tmp ? tmp : access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (mkdtemp(dir))
        return true;
    wr_fail(err, WR_EIO, "cannot make a directory like \"%s\"", dir);
    return false;
}

static void remove_dir(const char *dir)
{
    DIR *d = opendir(dir);
    for (const struct dirent *e; d && (e = readdir(d));) {
        char path[4400];
        snprintf(path, sizeof path, "%s/%s", dir, e->d_name);
        (void)unlink(path);
    }
    if (d)
        closedir(d);
    (void)rmdir(dir);
}

/* From opening to the end, or to where the script interrupts it. false: the job could not be run to there. */
static bool run_once(struct one *o, struct wr_script *sc, const struct wr_job_opts *opts, struct wr_tally *tally, struct wr_buf *out, struct wr_error *err)
{
    struct wr_job *job = NULL;
    sc->plan = o->plan;
    bool ok = wr_job_open(o->plan, opts, &job, err) == WR_OK;
    sc->job = job;
    ok = ok && wr_job_run(job, err) == WR_OK;
    sc->job = NULL;
    if (ok && !wr_job_balanced(job, out))
        wr_buf_puts(out, "    the rows of an operator do not balance\n");
    if (job)
        wr_tally_add(tally, job, o->plan, &o->arena);
    wr_job_close(job);
    return ok;
}

/* The whole input; interrupted, as often as the variant wants. A job that has finished is started once more: that must change nothing. */
static bool run_to_end(struct one *o, struct wr_script *sc, struct wr_job_opts *opts, struct wr_tally *tally, struct wr_buf *out, struct wr_error *err)
{
    if (sc->how == WR_BREAK_NONE)
        return run_once(o, sc, opts, tally, out, err);
    char dir[4096];
    if (!make_dir(dir, sizeof dir, err))
        return false;
    opts->checkpoint_dir = dir;
    opts->checkpoint_us = INT64_C(1) << 60; /* when the script says so */
    opts->stop = &sc->stop;
    bool ok = true, finished = false;
    for (int runs = 0; ok && !finished && runs < 100000; runs++) {
        *err = (struct wr_error)WR_ERROR_INIT;
        struct one *now = runs % MOST_PLANS && o->other[0] ? o->other[runs % MOST_PLANS - 1] : o;
        ok = run_once(now, sc, opts, tally, out, err);
        bool crashed = !ok && err->code == WR_ESTOP;
        ok |= crashed;
        finished = !crashed && !atomic_load(&sc->stop);
        wr_script_resume(sc);
    }
    if (ok && finished)
        ok = run_once(o, sc, opts, tally, out, err);
    remove_dir(dir);
    return ok;
}

static bool run_job(struct one *o, const struct variant *v, struct wr_buf *out)
{
    struct wr_script sc;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_tally tally = {0};
    wr_script_init(&sc, o->s, o->plan, &o->arena);
    sc.how = v->how;
    sc.every = o->s->n_event / v->batch / MOST_RESTARTS + 1;
    if (v->dice)
        wr_script_randomly(&sc, v->dice, o->s->n_event / v->batch / 3 + 2);
    struct wr_job_opts opts = {.batch_rows = (uint32_t)v->batch, .flush_each = !v->gather, .spill_each = v->spill, .clock = wr_script_clock, .open_source = wr_script_source,
                               .open_sink = wr_script_sink, .ctx = &sc};
    bool ok = true;
    if (!run_to_end(o, &sc, &opts, &tally, out, &err)) {
        o->file = "job";
        on_error(o, &err);
        bool expected = false;
        ok = check_errors(o, out, &expected);
    } else {
        ok = out->n == 0; /* balances */
        ok &= check_rows(o, &sc, v, out);
        if (v->how != WR_BREAK_CRASH) /* which counts rows that are read again */
            ok &= wr_tally_check(&tally, o->s, o->plan, out);
        for (int i = 0; i < o->s->n_block; i++)
            if (o->s->block[i].kind == WR_BLOCK_ERROR) {
                wr_buf_puts(out, "    expected an error, and there was none\n");
                ok = false;
            }
        if (sc.next < o->s->n_event && v->how == WR_BREAK_NONE) {
            wr_buf_printf(out, "    line %d: this and the records behind it were not read (is the source's name right? does a LIMIT end the job?)\n",
                          o->s->event[sc.next].line);
            ok &= attr_true(&o->s->block[0], "partial");
        }
    }
    wr_script_clear(&sc);
    return ok;
}

static void clear_one(struct one *o)
{
    for (int i = 0; i < MOST_PLANS - 1 && o->other[i]; i++) {
        clear_one(o->other[i]);
        free(o->other[i]);
    }
    wr_jobplan_free(o->plan);
    wr_catalog_free(o->catalog);
    wr_buf_clear(&o->errors);
    wr_arena_clear(&o->arena);
}

static wr_status plan_others(struct one *o, const struct variant *v, struct wr_error *err)
{
    wr_status st = WR_OK;
    for (int i = 0; i < MOST_PLANS - 1 && st == WR_OK; i++) {
        o->other[i] = wr_calloc(1, sizeof *o);
        *o->other[i] = (struct one){.s = o->s, .errors = {.max = 1 << 20}};
        st = plan_all(o->other[i], v->dice ? (v->tasks + i) % 4 + 1 : other_tasks[i], err);
    }
    return st;
}

static bool run_variant(const struct wr_scenario *s, const struct variant *v, struct wr_buf *out, wr_status *st, struct wr_error *err)
{
    struct one o = {.s = s, .errors = {.max = 1 << 20}};
    bool ok = false, expected = false;
    *st = plan_all(&o, v->tasks, err);
    if (*st == WR_OK && v->rescale && o.errors.n == 0)
        *st = plan_others(&o, v, err);
    if (*st == WR_OK) {
        if (o.errors.n)
            ok = check_errors(&o, out, &expected);
        else if (o.plan->n_sink == 0)
            wr_buf_puts(out, "    there is no query\n");
        else
            ok = run_job(&o, v, out);
    }
    clear_one(&o);
    return ok;
}

static bool wants_number(const struct wr_scenario *s, const char *attr, int n)
{
    struct wr_str v;
    char text[16];
    snprintf(text, sizeof text, "%d", n);
    return !wr_block_attr(&s->block[0], attr, &v) || wr_str_eq_c(v, text);
}

/* Every scenario runs at random, too: crashed or stopped, going on with another number of tasks, changes gathered or not. */
static const uint64_t always[] = {27, 39};
/* "vary=SEED": one run at random takes the place of all others. */
static struct variant random_variant(uint64_t seed)
{
    static const int rows[] = {1, 2, 3, 5, 8, 20, 100, 1024};
    static const enum wr_script_break breaks[] = {WR_BREAK_NONE, WR_BREAK_NONE, WR_BREAK_NONE, WR_BREAK_STOP, WR_BREAK_CRASH, WR_BREAK_CRASH};
    uint64_t dice = (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1;
    struct variant v = {.batch = rows[wr_script_dice(&dice, 8)], .tasks = 1 + (int)wr_script_dice(&dice, 4)};
    v.how = breaks[wr_script_dice(&dice, 6)];
    v.spill = wr_script_dice(&dice, 4) == 0;
    v.rescale = v.how != WR_BREAK_NONE && wr_script_dice(&dice, 2) == 0;
    v.gather = wr_script_dice(&dice, 4) == 0;
    v.dice = dice;
    return v;
}

/* An attribute "batch=1", "tasks=1" or "restart=no" on the first block keeps a scenario to that. */
static bool wanted(const struct wr_scenario *s, const struct variant *v)
{
    struct wr_str no;
    if (v->how != WR_BREAK_NONE && wr_block_attr(&s->block[0], "restart", &no) && wr_str_eq_c(no, "no"))
        return false;
    return (v->how != WR_BREAK_NONE || wants_number(s, "batch", v->batch)) && wants_number(s, "tasks", v->tasks) && !(v->rescale && wr_block_attr(&s->block[0], "tasks", &no));
}

static void run_and_tell(const struct wr_scenario *s, const struct variant *v, const char *path, bool *passed, struct wr_buf *out, wr_status *st,
                         struct wr_error *err)
{
    struct wr_buf diff = WR_BUF_INIT(4 << 20);
    if (!run_variant(s, v, &diff, st, err)) {
        *passed = false;
        wr_buf_printf(out, "FAILED %s (batch=%d tasks=%d%s%s%s%s%s): %.*s\n", path, v->batch, v->tasks, break_name[v->how], v->spill ? " spill" : "",
                      v->rescale ? " rescale" : "", v->gather ? " gather" : "", v->dice ? " at random" : "", WR_FMT(s->title));
        wr_buf_str(out, wr_buf_get(&diff));
    }
    wr_buf_clear(&diff);
}

wr_status wr_scenario_run(const char *path, struct wr_buf *out, bool *passed, struct wr_error *err)
{
    struct wr_arena a = {0};
    struct wr_str text;
    struct wr_scenario s;
    *passed = true;
    wr_log_set(WR_LOG_ERROR, false); /* bad rows are counted and compared, not told six times */
    wr_status st = wr_read_file(path, &a, &text, err);
    if (st == WR_OK)
        st = wr_scenario_parse(wr_str_c(path), text, &a, &s, err);
    struct wr_str vary = {0};
    bool random = st == WR_OK && wr_block_attr(&s.block[0], "vary", &vary);
    for (size_t i = 0; st == WR_OK && *passed && !random && i < sizeof variants / sizeof *variants; i++)
        if (wanted(&s, &variants[i]))
            run_and_tell(&s, &variants[i], path, passed, out, &st, err);
    uint64_t given[] = {random ? strtoull(vary.p, NULL, 10) : 0}; /* a blank or a line's end is behind the digits */
    const uint64_t *seed = random ? given : always;
    for (size_t i = 0; st == WR_OK && *passed && i < (random ? 1 : sizeof always / sizeof *always); i++) {
        struct variant v = random_variant(seed[i]);
        if (random || wanted(&s, &v))
            run_and_tell(&s, &v, path, passed, out, &st, err);
    }
    if (st == WR_OK && *passed)
        wr_buf_printf(out, "ok     %s: %.*s\n", path, WR_FMT(s.title));
    wr_arena_clear(&a);
    return st;
}

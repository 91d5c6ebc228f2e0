/* meta_more.c: backslash commands about streams, jobs and servers.
 * Rules:  what SQL can answer is asked in SQL, so that it is the same here and on a server.
 * Memory: texts of one command. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/time.h"
#include "parser/parse.h"
#include "planner/catalog.h"
#include "server/peek.h"
#include "shell/far.h"
#include "shell/meta.h"
#include "shell/print.h"
#include "shell/stop.h"

static void run(struct wr_repl *r, const char *sql, struct wr_str text, bool quoted)
{
    struct wr_buf all = WR_BUF_INIT(1 << 16);
    wr_buf_puts(&all, sql);
    if (text.n && quoted) {
        wr_buf_putc(&all, '\'');
        for (uint32_t i = 0; i < text.n; i++) {
            if (text.p[i] == '\'')
                wr_buf_putc(&all, '\'');
            wr_buf_putc(&all, text.p[i]);
        }
        wr_buf_putc(&all, '\'');
    } else if (text.n) {
        wr_unparse_ident(&all, text);
    }
    wr_buf_putc(&all, ';');
    wr_repl_run(r, wr_buf_get(&all), WR_RUN_PROMPT, (struct wr_str){0});
    wr_buf_clear(&all);
}

/* ---- again ---- */

/* false: asked to stop meanwhile. */
static bool wait_for(int64_t us)
{
    int64_t until = wr_clock_mono() + us;
    for (int64_t left; (left = until - wr_clock_mono()) > 0 && !atomic_load(wr_stop_flag());)
        (void)poll(NULL, 0, (int)(left / 1000 + 1)); /* a signal ends it */
    return !atomic_load(wr_stop_flag());
}

static void say_round(int64_t us)
{
    struct wr_buf line = WR_BUF_INIT(200);
    wr_buf_puts(&line, "Every ");
    wr_duration_print(&line, us);
    wr_buf_puts(&line, ", ");
    wr_timestamp_print(&line, wr_clock_wall() / WR_US_SEC * WR_US_SEC, false);
    printf("%.*s UTC\n", (int)line.n, line.p);
    fflush(stdout);
    wr_buf_clear(&line);
}

void wr_m_watch(struct wr_repl *r, struct wr_str *arg, int n)
{
    char text[32];
    snprintf(text, sizeof text, "%.*s", n ? (int)arg[0].n : 1, n ? arg[0].p : "2");
    char *end;
    double seconds = strtod(text, &end);
    if (*end || !(seconds >= 0.1 && seconds <= 86400)) {
        wr_repl_fail(r, "\\watch takes seconds, from 0.1 to 86400, not \"%s\"", text);
        return;
    }
    bool pager = wr_display()->pager;
    wr_display()->pager = false;
    wr_stop_reset();
    r->watching = true;
    do {
        say_round((int64_t)(seconds * 1e6));
        wr_status before = r->worst;
        r->worst = WR_OK;
        bool stopped = !wr_repl_again(r);
        bool failed = r->worst != WR_OK;
        r->worst = before ? before : r->worst;
        if (failed || stopped || r->done)
            break;
    } while (wait_for((int64_t)(seconds * 1e6)));
    r->watching = false;
    if (r->interactive && atomic_load(wr_stop_flag()))
        putchar('\n');
    if (!wr_stop_terminated())
        wr_stop_reset();
    wr_display()->pager = pager;
}

void wr_m_chart(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_display *d = wr_display();
    struct wr_buf name = WR_BUF_INIT(1000); /* the line that holds it may go */
    wr_buf_str(&name, n ? arg[0] : (struct wr_str){0});
    d->chart = wr_buf_get(&name);
    d->charts = true;
    d->charted = WR_CHART_NOT;
    wr_status before = r->worst;
    r->worst = WR_OK;
    wr_meta_again(r, (struct wr_str){0});
    if (d->charted == WR_CHART_NONE && n)
        wr_repl_fail(r, "there are no numbers in a column \"%.*s\"", WR_FMT(d->chart));
    else if (d->charted == WR_CHART_NONE)
        wr_repl_fail(r, "there is no column of numbers to chart");
    else if (d->charted == WR_CHART_NOT && r->worst == WR_OK)
        wr_repl_fail(r, "nothing was charted: that takes a query, and a terminal if the query does not end");
    r->worst = before ? before : r->worst;
    d->chart = (struct wr_str){0};
    d->charts = false;
    wr_buf_clear(&name);
}

/* ---- what goes on ---- */

void wr_m_dj(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { run(r, "SHOW JOBS", (struct wr_str){0}, false); }
void wr_m_why(struct wr_repl *r, struct wr_str *arg, int n) { run(r, n ? "EXPLAIN WHY " : "EXPLAIN WHY", n ? arg[0] : (struct wr_str){0}, false); }

void wr_m_lag(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    if (r->s.far)
        run(r, "SELECT job, source, topic, \"partition\", next_offset, end_offset, lag, caught_up FROM weir.partitions ORDER BY job, source, topic, \"partition\" LIMIT 10000",
            (struct wr_str){0}, false);
    else if (r->s.last_parts.n)
        wr_print_text(wr_buf_get(&r->s.last_parts));
    else
        wr_repl_fail(r, "no query over a source has run yet");
}

void wr_m_infer(struct wr_repl *r, struct wr_str *arg, int n)
{
    if (n == 0)
        wr_repl_fail(r, "\\infer needs the name of a topic or a file");
    else
        run(r, "INFER SOURCE FROM ", arg[0], true);
}

/* ---- topics ---- */

static void print_topics(struct wr_repl *r, const struct wr_listed *t, int n, struct wr_str with, struct wr_arena *mem)
{
    struct wr_rows rows = {.n_col = 3, .name = WR_NEW_N(mem, struct wr_str, 3), .cell = WR_NEW_N(mem, struct wr_str, n * 3 + 1)};
    rows.name[0] = WR_STR("topic");
    rows.name[1] = WR_STR("partitions");
    rows.name[2] = WR_STR("records");
    for (int i = 0; i < n; i++) {
        if (with.n && (!t[i].name.n || !memmem(t[i].name.p, t[i].name.n, with.p, with.n)))
            continue;
        struct wr_str *cell = rows.cell + 3 * rows.n_row++;
        cell[0] = t[i].name;
        cell[1] = wr_arena_printf(mem, "%d", t[i].n_part);
        cell[2] = t[i].records >= 0 ? wr_arena_printf(mem, "%lld", (long long)t[i].records) : (struct wr_str){0};
    }
    wr_print_rows(&r->s, &rows);
}

void wr_m_topics(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_arena mem = {0};
    struct wr_opts opts;
    struct wr_error err = WR_ERROR_INIT;
    struct wr_listed *topic;
    int found;
    const struct wr_connector *c = wr_connector_find(WR_STR("kafka"));
    wr_status st = c ? wr_peek_brokers(r->s.catalog, &mem, &opts, &err) : wr_fail(&err, WR_EUSAGE, "this program was built without Kafka");
    st = st ? st : c->list(&opts, false, &mem, &topic, &found, &err);
    if (st)
        wr_repl_fail(r, "%s%s%s", err.msg, err.hint[0] ? "\nhint: " : "", err.hint);
    else
        print_topics(r, topic, found, n ? arg[0] : (struct wr_str){0}, &mem);
    wr_arena_clear(&mem);
}

/* ---- where queries run ---- */

void wr_m_conninfo(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    int objects = 0;
    enum wr_objkind kind;
    struct wr_str name;
    if (r->s.far) {
        printf("weir " WEIR_VERSION ", statements go to the server at %s.\n", r->s.far->base);
        return;
    }
    while (wr_catalog_object(r->s.catalog, objects, &kind, &name))
        objects++;
    printf("weir " WEIR_VERSION ", no server: queries run in this process (%d); %d object%s declared in this session.\n", (int)getpid(), objects,
           objects == 1 ? "" : "s");
}

void wr_m_connect(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_peer *peer = NULL;
    char url[900];
    if (!(n && wr_str_eq_c(arg[0], "-"))) {
        snprintf(url, sizeof url, "%.*s", n ? (int)arg[0].n : 0, n ? arg[0].p : "");
        peer = wr_calloc(1, sizeof *peer);
        wr_status st = wr_peer_init(peer, n ? url : NULL, r->data, &err);
        st = st ? st : wr_far_check(peer, &err);
        if (st) {
            wr_repl_fail(r, "%s%s%s", err.msg, err.hint[0] ? "\nhint: " : "", err.hint);
            wr_peer_clear(peer);
            free(peer);
            return;
        }
    }
    if (r->s.far)
        wr_peer_clear(r->s.far);
    free(r->s.far);
    if (r->s.far || peer) { /* declarations of the one mean nothing to the other */
        struct wr_catalog *c = r->s.catalog;
        while (c->n_obj > 0)
            wr_object_drop(c, c->obj[0]);
    }
    r->s.far = peer;
    r->mirrored = false;
    if (r->interactive)
        wr_m_conninfo(r, arg, 0);
}

/* meta.c: the shell's backslash commands: one table.
 * Rules:  a command is a line in the table and one function; what SQL can answer is answered by SQL. An argument ends at a blank unless it is
 *         quoted with '..'; what follows the command's last argument is an error, not ignored.
 * Memory: arguments are borrowed from the line. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "parser/parse.h"
#include "planner/catalog.h"
#include "shell/meta.h"
#include "shell/print.h"
#include "shell/repl.h"

/* How a command takes what is behind it. */
enum takes { WORDS, REST };

struct meta {
    const char *name;      /* with its backslash */
    const char *args, *help;
    enum takes takes;      /* WORDS: up to two; REST: the whole line as arg[0] */
    void (*run)(struct wr_repl *r, struct wr_str *arg, int n);
};

static struct wr_str of(struct wr_str *arg, int n, int i)
{
    return i < n ? arg[i] : (struct wr_str){0};
}

static void run_sql(struct wr_repl *r, const char *fmt, struct wr_str name)
{
    struct wr_buf sql = WR_BUF_INIT(1 << 16);
    wr_buf_puts(&sql, fmt);
    if (name.n)
        wr_unparse_ident(&sql, name);
    wr_buf_putc(&sql, ';');
    wr_repl_run(r, wr_buf_get(&sql), WR_RUN_PROMPT, (struct wr_str){0});
    wr_buf_clear(&sql);
}

/* ---- what there is ---- */

static void list_objects(struct wr_repl *r)
{
    static const struct wr_str head[] = {{"name", 4}, {"kind", 4}, {"columns", 7}};
    struct wr_arena mem = {0};
    int n = 0;
    enum wr_objkind kind;
    struct wr_str name;
    while (wr_catalog_object(r->s.catalog, n, &kind, &name))
        n++;
    struct wr_rows rows = {.n_col = 3, .n_row = n, .name = WR_NEW_N(&mem, struct wr_str, 3), .cell = WR_NEW_N(&mem, struct wr_str, n * 3 + 1)};
    memcpy(rows.name, head, sizeof head);
    for (int i = 0; wr_catalog_object(r->s.catalog, i, &kind, &name); i++) {
        const struct wr_schema *s = wr_catalog_columns(r->s.catalog, name);
        rows.cell[i * 3] = name;
        rows.cell[i * 3 + 1] = wr_str_c(wr_objkind_name(kind));
        rows.cell[i * 3 + 2] = s ? wr_arena_printf(&mem, "%d", s->n) : WR_STR("the query's");
    }
    wr_print_rows(&r->s, &rows);
    wr_arena_clear(&mem);
}

static void m_d(struct wr_repl *r, struct wr_str *arg, int n)
{
    if (n)
        run_sql(r, "DESCRIBE ", arg[0]);
    else if (r->s.far)
        run_sql(r, "SHOW TABLES", (struct wr_str){0});
    else
        list_objects(r);
}

static void m_ds(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { run_sql(r, "SHOW SOURCES", (struct wr_str){0}); }
static void m_dk(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { run_sql(r, "SHOW SINKS", (struct wr_str){0}); }
static void m_dv(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { run_sql(r, "SHOW VIEWS", (struct wr_str){0}); }
static void m_dt(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { run_sql(r, "SHOW TABLES", (struct wr_str){0}); }
static void m_dc(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { run_sql(r, "SHOW CONNECTORS", (struct wr_str){0}); }

static void m_df(struct wr_repl *r, struct wr_str *arg, int n)
{
    if (n == 0) {
        run_sql(r, "SHOW FUNCTIONS", (struct wr_str){0});
        return;
    }
    int first, count = wr_func_range(arg[0], &first);
    if (count == 0)
        wr_repl_fail(r, "there is no function \"%.*s\" (\\df lists all)", WR_FMT(arg[0]));
    const char *said = NULL;
    for (int i = first; i < first + count; i++) {
        const char *help = wr_func_get(i)->help;
        if (help && (!said || strcmp(help, said) != 0))
            puts(help);
        said = help;
    }
}

/* ---- statements ---- */

/* The statement being typed, else the last one. */
static struct wr_str statement(struct wr_repl *r)
{
    struct wr_str text = wr_str_trim(wr_buf_get(&r->text));
    return text.n ? text : wr_buf_get(&r->last);
}

bool wr_repl_again(struct wr_repl *r)
{
    r->stopped = false;
    wr_meta_again(r, (struct wr_str){0});
    return !r->stopped;
}

void wr_meta_again(struct wr_repl *r, struct wr_str to)
{
    struct wr_buf sql = WR_BUF_INIT(0);
    wr_buf_str(&sql, statement(r));
    wr_buf_reset(&r->text);
    wr_buf_reset(&r->last);
    wr_buf_str(&r->last, wr_buf_get(&sql));
    if (sql.n)
        wr_repl_run(r, wr_buf_get(&sql), WR_RUN_PROMPT, to);
    else
        wr_repl_fail(r, "there is no statement to run");
    wr_buf_clear(&sql);
}

static void m_g(struct wr_repl *r, struct wr_str *arg, int n) { wr_meta_again(r, of(arg, n, 0)); }

static void m_gx(struct wr_repl *r, struct wr_str *arg, int n)
{
    bool before = wr_display()->expanded;
    wr_display()->expanded = true;
    wr_meta_again(r, of(arg, n, 0));
    wr_display()->expanded = before;
}

static void m_p(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    struct wr_str text = statement(r);
    printf("%.*s\n", WR_FMT(text));
}

static void m_r(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    wr_buf_reset(&r->text);
}

/* Runs a program with the terminal; command through the user's shell. Returns its exit status, -1: it could not be started. */
static int run_program(const char *program, const char *option, const char *last)
{
    fflush(stdout);
    pid_t child = fork();
    if (child == 0) {
        if (option)
            execlp(program, program, option, last, (char *)NULL);
        else
            execlp(program, program, last, (char *)NULL);
        _exit(127);
    }
    int status = -1;
    while (child > 0 && waitpid(child, &status, 0) < 0 && errno == EINTR)
        ;
    return child > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void run_shell(struct wr_repl *r, const char *command)
{
    const char *shell = getenv("SHELL");
    shell = shell && *shell ? shell : "/bin/sh";
    int rc = *command ? run_program(shell, "-c", command) : run_program(shell, "-i", NULL);
    if (rc == 127 || rc < 0)
        wr_repl_fail(r, "\"%s\" could not be run", *command ? command : shell);
}

static void m_shell(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_buf command = WR_BUF_INIT(1 << 16);
    wr_buf_str(&command, of(arg, n, 0));
    wr_buf_putc(&command, 0);
    run_shell(r, command.p);
    wr_buf_clear(&command);
}

/* Statement into the editor and back. */
static bool edit(struct wr_repl *r, char *path)
{
    const char *editor = getenv("VISUAL");
    editor = editor && *editor ? editor : getenv("EDITOR");
    editor = editor && *editor ? editor : "vi";
    struct wr_str text = statement(r);
    int fd = mkostemps(path, 4, O_CLOEXEC);
    if (fd < 0 || write(fd, text.p, text.n) != (ssize_t)text.n || (text.n && write(fd, "\n", 1) != 1)) {
        wr_repl_fail(r, "cannot write \"%s\": %s", path, strerror(errno));
        if (fd >= 0)
            close(fd);
        return false;
    }
    close(fd);
    struct wr_buf command = WR_BUF_INIT(1 << 16); /* EDITOR may hold options, so a shell takes it apart */
    wr_buf_printf(&command, "%s '%s'", editor, path);
    wr_buf_putc(&command, 0);
    int rc = run_program("/bin/sh", "-c", command.p);
    wr_buf_clear(&command);
    if (rc != 0)
        wr_repl_fail(r, "the editor \"%s\" ended with %d", editor, rc);
    return rc == 0;
}

static void m_e(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    char path[] = "/tmp/weir-XXXXXX.sql";
    struct wr_arena mem = {0};
    struct wr_str text;
    struct wr_error err = WR_ERROR_INIT;
    bool edited = edit(r, path);
    if (edited && wr_read_file(path, &mem, &text, &err)) {
        wr_repl_fail(r, "%s", err.msg);
        edited = false;
    }
    unlink(path);
    if (edited) {
        wr_buf_reset(&r->text);
        text = wr_str_trim(text);
        if (text.n)
            printf("%.*s\n", WR_FMT(text));
        wr_repl_line(r, text); /* runs when it is complete, else more may be typed */
    }
    wr_arena_clear(&mem);
}

/* ---- how it looks ---- */

static void m_x(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_str to = of(arg, n, 0);
    struct wr_display *d = wr_display();
    if (n && !wr_str_ieq_c(to, "on") && !wr_str_ieq_c(to, "off")) {
        wr_repl_fail(r, "\\x takes \"on\" or \"off\", not \"%.*s\"", WR_FMT(to));
        return;
    }
    d->expanded = n ? wr_str_ieq_c(to, "on") : !d->expanded;
    if (r->interactive)
        printf("Expanded display is %s.\n", d->expanded ? "on" : "off");
}

static void m_t(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    struct wr_display *d = wr_display();
    d->tuples_only = !d->tuples_only;
    if (r->interactive)
        printf("Tuples only is %s.\n", d->tuples_only ? "on" : "off");
}

static void m_timing(struct wr_repl *r, struct wr_str *arg, int n)
{
    r->timing = n ? wr_str_ieq_c(arg[0], "on") : !r->timing;
    if (r->interactive)
        printf("Timing is %s.\n", r->timing ? "on" : "off");
}

static void set_form(struct wr_repl *r, struct wr_str form)
{
    static const struct { const char *name; enum wr_output out; } forms[] = {
        {"aligned", WR_OUT_AUTO}, {"table", WR_OUT_AUTO}, {"csv", WR_OUT_CSV}, {"ndjson", WR_OUT_NDJSON}, {"json", WR_OUT_NDJSON}, {"markdown", WR_OUT_AUTO},
        {"wrapped", WR_OUT_AUTO}, {"expanded", WR_OUT_AUTO},
    };
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (wr_str_ieq_c(form, forms[i].name)) {
            r->s.output = forms[i].out;
            wr_display()->markdown = wr_str_ieq_c(form, "markdown");
            wr_display()->wrapped = wr_str_ieq_c(form, "wrapped");
            if (wr_str_ieq_c(form, "expanded") || wr_str_ieq_c(form, "aligned"))
                wr_display()->expanded = wr_str_ieq_c(form, "expanded");
            if (r->interactive)
                printf("Output format is %s.\n", forms[i].name);
            return;
        }
    wr_repl_fail(r, "the output format cannot be \"%.*s\" (aligned, wrapped, expanded, csv, ndjson, markdown)", WR_FMT(form));
}

static void show_display(const struct wr_repl *r)
{
    static const char *const outs[] = {"aligned", "aligned", "ndjson", "csv"};
    const struct wr_display *d = wr_display();
    struct wr_str null = wr_setting_text(r->s.catalog, WR_SET_NULL_TEXT);
    printf("format      %s\nexpanded    %s\nnull        '%.*s'\npager       %s\ntuples_only %s\nchanges     %s\n", d->markdown ? "markdown" : d->wrapped ? "wrapped" : outs[r->s.output],
           d->expanded ? "on" : "off", WR_FMT(null), d->pager ? "on" : "off", d->tuples_only ? "on" : "off",
           d->changes ? "on" : "off");
}

static void set_switch(struct wr_repl *r, const char *name, int n, struct wr_str value, bool *to)
{
    if (n == 2 && !wr_str_ieq_c(value, "on") && !wr_str_ieq_c(value, "off"))
        wr_repl_fail(r, "%s is \"on\" or \"off\", not \"%.*s\"", name, WR_FMT(value));
    else
        *to = n == 2 ? wr_str_ieq_c(value, "on") : !*to;
}

static void m_pset(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_str value = of(arg, n, 1);
    struct wr_display *d = wr_display();
    if (n == 0)
        show_display(r);
    else if (wr_str_ieq_c(arg[0], "format") && n == 2)
        set_form(r, value);
    else if (wr_str_ieq_c(arg[0], "expanded") || wr_str_ieq_c(arg[0], "x"))
        m_x(r, arg + 1, n - 1);
    else if (wr_str_ieq_c(arg[0], "tuples_only") || wr_str_ieq_c(arg[0], "t"))
        m_t(r, arg, 0);
    else if (wr_str_ieq_c(arg[0], "pager"))
        set_switch(r, "pager", n, value, &d->pager);
    else if (wr_str_ieq_c(arg[0], "changes"))
        set_switch(r, "changes", n, value, &d->changes);
    else if (wr_str_ieq_c(arg[0], "null")) {
        if (wr_setting_put(r->s.catalog, WR_STR("null"), value, -1, &err))
            wr_repl_fail(r, "%s", err.msg);
    } else
        wr_repl_fail(r, "there is no display option \"%.*s\" (format, expanded, null, pager, tuples_only, changes)", WR_FMT(arg[0]));
}

static void m_format(struct wr_repl *r, struct wr_str *arg, int n)
{
    if (n)
        set_form(r, arg[0]);
    else
        show_display(r);
}

static void m_o(struct wr_repl *r, struct wr_str *arg, int n)
{
    wr_buf_reset(&r->to);
    wr_buf_str(&r->to, of(arg, n, 0));
    struct wr_str to = wr_buf_get(&r->to);
    if (to.n == 0 || to.p[0] == '|')
        return;
    struct wr_buf path = WR_BUF_INIT(1 << 16);
    wr_buf_str(&path, to);
    wr_buf_putc(&path, 0);
    int fd = open(path.p, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) {
        wr_repl_fail(r, "cannot write to \"%s\": %s", path.p, strerror(errno));
        wr_buf_reset(&r->to);
    } else {
        close(fd);
    }
    wr_buf_clear(&path);
}

/* ---- the rest ---- */

static void m_set(struct wr_repl *r, struct wr_str *arg, int n)
{
    if (n == 0) {
        for (int i = 0; i < r->s.catalog->n_var; i++)
            printf("%.*s = '%.*s'\n", WR_FMT(r->s.catalog->var[i].name), WR_FMT(r->s.catalog->var[i].value));
        return;
    }
    wr_catalog_var(r->s.catalog, arg[0], of(arg, n, 1));
}

static void m_echo(struct wr_repl *r WR_UNUSED, struct wr_str *arg, int n)
{
    struct wr_str text = of(arg, n, 0);
    printf("%.*s\n", WR_FMT(text));
}

static void m_h(struct wr_repl *r, struct wr_str *arg, int n) { wr_help_statement(r, of(arg, n, 0)); }
static void m_q(struct wr_repl *r, struct wr_str *arg WR_UNUSED, int n WR_UNUSED) { r->done = true; }
static void m_help(struct wr_repl *r, struct wr_str *arg, int n);

static const struct meta table[] = {
    {"\\?", "", "this list", WORDS, m_help},
    {"\\h", "[STATEMENT]", "how a statement is written", REST, m_h},
    {"\\q", "", "leave (also Ctrl-D)", WORDS, m_q},
    {"\\d", "[NAME]", "what was declared; one object's columns", WORDS, m_d},
    {"\\ds", "", "sources", WORDS, m_ds},
    {"\\dk", "", "sinks", WORDS, m_dk},
    {"\\dt", "", "tables", WORDS, m_dt},
    {"\\dv", "", "views", WORDS, m_dv},
    {"\\df", "[NAME]", "functions; how one is called", WORDS, m_df},
    {"\\dc", "", "connectors", WORDS, m_dc},
    {"\\dj", "", "jobs", WORDS, wr_m_dj},
    {"\\g", "[FILE or |COMMAND]", "run it (again), rows to a file or a command", REST, m_g},
    {"\\gx", "[FILE or |COMMAND]", "the same with expanded output", REST, m_gx},
    {"\\watch", "[SECONDS]", "run it again and again (every 2 s), until Ctrl-C", WORDS, wr_m_watch},
    {"\\chart", "[COLUMN]", "run it, a column of numbers as a chart", WORDS, wr_m_chart},
    {"\\why", "[JOB]", "why a query has given nothing yet", WORDS, wr_m_why},
    {"\\lag", "", "where each partition stands", WORDS, wr_m_lag},
    {"\\topics", "[TEXT]", "topics of the broker, with TEXT in their names", WORDS, wr_m_topics},
    {"\\infer", "TOPIC or FILE", "a CREATE SOURCE from what is in it", REST, wr_m_infer},
    {"\\p", "", "print the statement", WORDS, m_p},
    {"\\r", "", "forget what was typed", WORDS, m_r},
    {"\\e", "", "edit the statement in $EDITOR", WORDS, m_e},
    {"\\i", "FILE", "run the statements of a file", REST, wr_m_i},
    {"\\ir", "FILE", "the same, beside the file that this stands in", REST, wr_m_ir},
    {"\\copy", "NAME or (QUERY) to FILE", "rows to a .csv, .ndjson or .md", REST, wr_m_copy},
    {"\\copy", "NAME from FILE", "rows of a file into a sink", REST, wr_m_copy},
    {"\\o", "[FILE or |COMMAND]", "all rows to a file or a command from now on", REST, m_o},
    {"\\x", "[on|off]", "a line a column instead of a line a row", WORDS, m_x},
    {"\\t", "", "rows only, without header and count", WORDS, m_t},
    {"\\format", "[FORMAT]", "aligned wrapped expanded csv ndjson markdown", WORDS, m_format},
    {"\\pset", "[OPTION [VALUE]]", "how answers look; alone: what is set", WORDS, m_pset},
    {"\\timing", "[on|off]", "say how long each statement took", WORDS, m_timing},
    {"\\set", "[NAME [VALUE]]", "a value for ${NAME} in options", WORDS, m_set},
    {"\\echo", "TEXT", "print a text", REST, m_echo},
    {"\\conninfo", "", "where queries run", WORDS, wr_m_conninfo},
    {"\\connect", "[URL | -]", "to a server; -: back to this process", WORDS, wr_m_connect},
    {"\\!", "[COMMAND]", "run a command of the system", REST, m_shell},
};
enum { N_META = sizeof table / sizeof table[0] };

const char *wr_meta_name(int i)
{
    return i < N_META ? table[i].name : NULL;
}

static void m_help(struct wr_repl *r WR_UNUSED, struct wr_str *arg WR_UNUSED, int n WR_UNUSED)
{
    struct wr_buf out = WR_BUF_INIT(1 << 16);
    for (int i = 0; i < N_META; i++) {
        char left[64];
        snprintf(left, sizeof left, "%s %s", table[i].name, table[i].args);
        wr_buf_printf(&out, "  %-28s %s\n", left, table[i].help);
    }
    wr_buf_puts(&out, "  A statement ends with a semicolon, Tab completes, Ctrl-R searches old ones.\n  Ctrl-C stops a query or drops what was typed.\n");
    wr_print_text(wr_buf_get(&out));
    wr_buf_clear(&out);
}

/* ---- taking a line apart ---- */

static struct wr_str next_arg(struct wr_str *rest)
{
    *rest = wr_str_trim(*rest);
    bool quoted = rest->n && rest->p[0] == '\'';
    uint32_t from = quoted ? 1 : 0, to = from;
    while (to < rest->n && (quoted ? rest->p[to] != '\'' : rest->p[to] != ' ' && rest->p[to] != '\t'))
        to++;
    struct wr_str arg = {rest->p + from, to - from};
    uint32_t used = quoted && to < rest->n ? to + 1 : to;
    *rest = wr_str_trim((struct wr_str){rest->p + used, rest->n - used});
    return arg;
}

static void unknown(struct wr_repl *r, struct wr_str name)
{
    struct wr_str cand[N_META];
    for (int i = 0; i < N_META; i++)
        cand[i] = wr_str_c(table[i].name);
    struct wr_str near = name.n > 2 ? wr_str_nearest(name, cand, N_META) : (struct wr_str){0};
    if (near.n)
        wr_repl_fail(r, "there is no command %.*s; did you mean %.*s?", WR_FMT(name), WR_FMT(near));
    else
        wr_repl_fail(r, "there is no command %.*s (\\? lists them)", WR_FMT(name));
}

void wr_meta_run(struct wr_repl *r, struct wr_str line)
{
    line = wr_str_trim(line);
    uint32_t n = 1;
    while (n < line.n && line.p[n] != ' ' && line.p[n] != '\t' && line.p[n] != '|' && !(n == 2 && line.p[1] == '!'))
        n++;
    struct wr_str name = {line.p, n}, rest = wr_str_trim((struct wr_str){line.p + n, line.n - n}), arg[2];
    const struct meta *m = NULL;
    for (int i = 0; i < N_META; i++)
        if (wr_str_eq_c(name, table[i].name))
            m = &table[i];
    if (!m) {
        unknown(r, name);
        return;
    }
    if (rest.n && rest.p[rest.n - 1] == ';' && strcmp(m->name, "\\!") != 0)
        rest = wr_str_trim((struct wr_str){rest.p, rest.n - 1}); /* a habit from SQL */
    int n_arg = 0;
    if (m->takes == REST && rest.n) {
        arg[n_arg++] = rest.p[0] == '\'' ? next_arg(&rest) : rest;
    } else {
        while (n_arg < 2 && rest.n)
            arg[n_arg++] = next_arg(&rest);
        if (rest.n) {
            wr_repl_fail(r, "%s takes %s, not \"%.*s\" as well", m->name, m->args[0] ? m->args : "nothing", WR_FMT(rest));
            return;
        }
    }
    if (n_arg && m->args[0] == 0)
        wr_repl_fail(r, "%s takes nothing behind it", m->name);
    else
        m->run(r, arg, n_arg);
}

/* main.c: the command line: which command, with which options, and the exit code that follows.
 * Exit:   0 done, 1 the job failed, 2 wrong usage or SQL, 3 fenced by another instance, 130 interrupted twice.
 * Rules:  rows go to stdout, everything else to stderr. A command or an option is a line in a table here. Options may stand anywhere behind
 *         the command; "--" ends them.
 * Memory: arguments are borrowed from argv. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/crash.h"
#include "core/log.h"
#include "core/time.h"
#include "shell/cmd.h"
#include "shell/far.h"
#include "shell/remote.h"
#include "shell/scenario.h"
#include "shell/stop.h"

#ifdef WEIR_JEMALLOC
/* How jemalloc is to work (its own name, read before main): few arenas, because a job has few threads that allocate at once, and what is free
 * goes back to the system after a second, so that memory seen from outside is memory used. MALLOC_CONF in the environment goes before it. */
extern const char *malloc_conf;
const char *malloc_conf = "narenas:2,dirty_decay_ms:1000,muzzy_decay_ms:0";
#endif

enum { C_SHELL = 1, C_RUN = 2, C_CHECK = 4, C_TEST = 8, C_BROKER = 16, C_DEMO = 32, C_SERVE = 64, C_SUBMIT = 128, C_JOBS = 256, C_JOB = 512, C_SAVE = 1024,
       C_QUERY = C_SHELL | C_RUN, C_CLIENT = C_SUBMIT | C_JOBS | C_JOB | C_SAVE, C_ALL = 2047 };

/* ---- commands ---- */

static int cmd_run(const struct wr_args *args);
/* Of a server's job, or of a directory. */
static int cmd_savepoint(const struct wr_args *args)
{
    struct wr_error err = WR_ERROR_INIT;
    if (!args->checkpoint)
        return wr_cmd_savepoint(args);
    if (args->n_path != 1) {
        wr_fail(&err, WR_EUSAGE, "\"weir savepoint --checkpoint DIR\" takes one directory to copy to, not %d", args->n_path);
        return wr_complain(&err);
    }
    if (wr_job_savepoint(args->checkpoint, args->path[0], &err))
        return wr_complain(&err);
    fprintf(stderr, "savepoint of \"%s\" in \"%s\"\n", args->checkpoint, args->path[0]);
    return 0;
}

static int cmd_check(const struct wr_args *args);
static int cmd_test(const struct wr_args *args);
static int cmd_savepoint(const struct wr_args *args);

struct command {
    const char *name;
    int bit;
    int (*run)(const struct wr_args *);
    const char *usage, *help;
};
static const struct command commands[] = {
    {"run", C_RUN, cmd_run, "run FILE.sql [options]",
     "Runs all statements of a file as one job, until its inputs end or Ctrl-C. \"-\" reads the statements from standard input."},
    {"check", C_CHECK, cmd_check, "check FILE.sql [options]", "Parses and plans a file, prints the plan, runs nothing."},
    {"test", C_TEST, cmd_test, "test PATH...", "Runs scenario tests: files, or directories with *.test files in them."},
    {"broker", C_BROKER, wr_cmd_broker, "broker [--port N] [--topics LIST]", "A throw-away Kafka broker in memory, for trying things."},
    {"demo", C_DEMO, wr_cmd_demo, "demo [SCENARIO]", "Broker, generator, query and live result, with nothing installed."},
    {"serve", C_SERVE, wr_cmd_serve, "serve [--listen ADDRESS:PORT] [--data DIR]", "A server that keeps jobs running: HTTP API, metrics, live page."},
    {"submit", C_SUBMIT, wr_cmd_submit, "submit FILE.sql [--name N]", "Gives a file to a server as a job."},
    {"jobs", C_JOBS, wr_cmd_jobs, "jobs", "Lists a server's jobs."},
    {"stop", C_JOB, wr_cmd_stop, "stop NAME", "Stops a job of a server, with a last checkpoint."},
    {"resume", C_JOB, wr_cmd_resume, "resume NAME", "Starts a stopped or failed job of a server where it was."},
    {"savepoint", C_SAVE, cmd_savepoint, "savepoint NAME | --checkpoint DIR TO",
     "Takes a checkpoint of a server's job now; or copies the checkpoints of a job that is not running."},
    {"logs", C_JOB, wr_cmd_logs, "logs NAME", "The last log lines of a server's job."},
    {"why", C_JOB, wr_cmd_why, "why NAME", "Why a server's job gives no output yet."},
    {"drop", C_JOB, wr_cmd_drop, "drop NAME", "Stops a job of a server and forgets it and its checkpoints."},
};
enum { N_COMMAND = sizeof commands / sizeof commands[0] };
static const struct command shell_command = {
    "", C_SHELL, wr_cmd_shell, "[options] [-c SQL]", "Streaming SQL: without a command, the interactive shell."};

/* ---- options ---- */

enum opt { O_SQL, O_OUTPUT, O_VAR, O_FINAL, O_UNTIL_END, O_CHECKPOINT, O_EVERY, O_RESET, O_ADAPT, O_SAVEPOINT, O_PORT, O_TOPICS, O_NO_RC, O_QUIET, O_VERBOSE, O_LOG, O_HELP, O_VERSION,
           O_LISTEN, O_DATA, O_SERVER, O_NAME, O_REPLACE, O_TLS, O_HOST, O_FILES };

static const struct option {
    enum opt id;
    char letter;             /* 0: none */
    const char *name, *arg;  /* long name; arg NULL: takes none */
    int commands;
    const char *help;
} options[] = {
    {O_SQL, 'c', "command", "SQL", C_SHELL, "run these statements and leave"},
    {O_OUTPUT, 'o', "output", "FORMAT", C_QUERY | C_JOBS, "how rows are printed: table, ndjson, csv"},
    {O_VAR, 'v', "var", "NAME=VALUE", C_QUERY | C_CHECK | C_DEMO | C_SERVE | C_SUBMIT, "a value for ${NAME} in options; may be repeated"},
    {O_UNTIL_END, 0, "until-end", NULL, C_QUERY, "topics end where they ended at the start"},
    {O_FINAL, 0, "final", NULL, C_QUERY, "print only the final content of the result"},
    {O_CHECKPOINT, 0, "checkpoint", "DIR", C_RUN | C_SAVE, "keep checkpoints in this directory, and resume from it"},
    {O_EVERY, 0, "every", "DURATION", C_RUN, "time between checkpoints (5 s)"},
    {O_RESET, 0, "reset", NULL, C_RUN, "forget what the checkpoint directory holds and start anew"},
    {O_SAVEPOINT, 0, "from-savepoint", "DIR", C_RUN, "begin from a copy of these checkpoints, as a job of its own"},
    {O_ADAPT, 0, "adapt", NULL, C_RUN, "go on with a changed query where its state fits"},
    {O_PORT, 0, "port", "N", C_BROKER, "port to listen on (9092; 0: any that is free)"},
    {O_TOPICS, 0, "topics", "LIST", C_BROKER, "topics to make: \"orders:3,clicks\""},
    {O_LISTEN, 0, "listen", "ADDR:PORT", C_SERVE, "where to listen (127.0.0.1:8090; port 0: any that is free)"},
    {O_DATA, 0, "data", "DIR", C_SERVE | C_CLIENT | C_SHELL, "data directory of the server; clients read the token there"},
    {O_FILES, 0, "allow-files", "DIR", C_SERVE, "SQL may name files in this directory; may be repeated"},
    {O_HOST, 0, "allow-host", "NAME", C_SERVE, "a further name that requests may have in Host; may be repeated"},
    {O_TLS, 0, "behind-tls", NULL, C_SERVE, "listen beyond this machine: something in front of us speaks TLS"},
    {O_SERVER, 0, "server", "URL", C_CLIENT | C_SHELL, "the server (http://127.0.0.1:8090); its token is in WEIR_TOKEN"},
    {O_NAME, 0, "name", "N", C_SUBMIT, "name of the job (the file's)"},
    {O_REPLACE, 0, "replace", NULL, C_SUBMIT, "take the place of the job of that name"},
    {O_NO_RC, 'X', "no-rc", NULL, C_SHELL, "do not read ~/.weirrc"},
    {O_QUIET, 'q', "quiet", NULL, C_ALL, "log errors only"},
    {O_VERBOSE, 0, "verbose", NULL, C_ALL, "log more; twice: still more"},
    {O_LOG, 0, "log", "FORM", C_ALL, "form of log lines: text, json"},
    {O_HELP, 'h', "help", NULL, C_ALL, "this text"},
    {O_VERSION, 0, "version", NULL, C_SHELL, "print the version"},
};
enum { N_OPTION = sizeof options / sizeof options[0] };

struct parsed {
    struct wr_args args;
    int verbose;             /* -1: quiet */
    bool json, help, version;
};

int wr_complain(const struct wr_error *err)
{
    fflush(stdout);
    fprintf(stderr, "weir: %s\n", err->msg);
    if (err->hint[0])
        fprintf(stderr, "hint: %s\n", err->hint);
    return wr_exit_code(err->code);
}

static wr_status unknown_option(const struct command *c, const char *word, struct wr_error *err)
{
    struct wr_str cand[N_OPTION], given = wr_str_c(word);
    int n = 0;
    for (int i = 0; i < N_OPTION; i++)
        if (options[i].commands & c->bit)
            cand[n++] = wr_str_c(options[i].name);
    while (given.n && *given.p == '-') {
        given.p++;
        given.n--;
    }
    const char *eq = given.n ? memchr(given.p, '=', given.n) : NULL;
    given.n = eq ? (uint32_t)(eq - given.p) : given.n;
    struct wr_str near = given.n > 1 ? wr_str_nearest(given, cand, n) : (struct wr_str){0};
    wr_fail(err, WR_EUSAGE, "unknown option \"%s\"", word);
    if (near.n)
        wr_hint(err, "did you mean \"--%.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "\"weir %s%s--help\" lists the options", c->name, *c->name ? " " : "");
    return WR_EUSAGE;
}

static wr_status choose(const char *what, const char *value, const char *const *words, int n, int *out, struct wr_error *err)
{
    struct wr_str cand[8];
    struct wr_buf list = WR_BUF_INIT(200);
    for (int i = 0; i < n; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            wr_buf_clear(&list);
            return WR_OK;
        }
        cand[i] = wr_str_c(words[i]);
        wr_buf_printf(&list, "%s%s", i ? ", " : "", words[i]);
    }
    struct wr_str near = wr_str_nearest(wr_str_c(value), cand, n);
    wr_fail(err, WR_EUSAGE, "%s cannot be \"%s\"", what, value);
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "it is one of %.*s", (int)list.n, list.p);
    wr_buf_clear(&list);
    return WR_EUSAGE;
}

static wr_status set_option(struct parsed *p, enum opt id, const char *value, struct wr_error *err)
{
    static const char *const forms[] = {"", "table", "ndjson", "csv"}, *const logs[] = {"text", "json"};
    int i = 0;
    switch (id) {
    case O_SQL:
        if (p->args.sql)
            return wr_fail(err, WR_EUSAGE, "option \"-c\" was given twice; put the statements into one, separated by semicolons");
        p->args.sql = value;
        return WR_OK;
    case O_OUTPUT:
        WR_TRY(choose("the output format (-o)", value, forms + 1, 3, &i, err));
        p->args.output = (enum wr_output)(i + 1);
        return WR_OK;
    case O_VAR: p->args.var[p->args.n_var++] = value; return WR_OK;
    case O_FINAL: p->args.final = true; return WR_OK;
    case O_UNTIL_END: p->args.until_end = true; return WR_OK;
    case O_CHECKPOINT: p->args.checkpoint = value; return WR_OK;
    case O_EVERY:
        if (!wr_duration_parse(wr_str_c(value), &p->args.every_us) || p->args.every_us < 1000)
            return wr_fail(err, WR_EUSAGE, "option \"--every\": \"%s\" is not a duration of at least 1 ms; write it as '5 s'", value);
        return WR_OK;
    case O_RESET: p->args.reset = true; return WR_OK;
    case O_ADAPT: p->args.adapt = true; return WR_OK;
    case O_SAVEPOINT: p->args.savepoint = value; return WR_OK;
    case O_PORT: p->args.port = value; return WR_OK;
    case O_TOPICS: p->args.topics = value; return WR_OK;
    case O_LISTEN: p->args.listen = value; return WR_OK;
    case O_DATA: p->args.data = value; return WR_OK;
    case O_SERVER: p->args.server = value; return WR_OK;
    case O_NAME: p->args.name = value; return WR_OK;
    case O_REPLACE: p->args.replace = true; return WR_OK;
    case O_TLS: p->args.behind_tls = true; return WR_OK;
    case O_HOST: p->args.host[p->args.n_host++] = value; return WR_OK;
    case O_FILES: p->args.dir[p->args.n_dir++] = value; return WR_OK;
    case O_NO_RC: p->args.no_rc = true; return WR_OK;
    case O_QUIET: p->verbose = -1; return WR_OK;
    case O_VERBOSE: p->verbose++; return WR_OK;
    case O_LOG:
        WR_TRY(choose("the form of log lines (--log)", value, logs, 2, &i, err));
        p->json = i == 1;
        return WR_OK;
    case O_HELP: p->help = true; return WR_OK;
    case O_VERSION: p->version = true; return WR_OK;
    }
    return WR_OK;
}

/* One word that begins with '-'; *at moves on by the words taken. */
static wr_status take_option(const struct command *c, struct parsed *p, int argc, char **argv, int *at, struct wr_error *err)
{
    const char *word = argv[*at];
    bool is_long = word[1] == '-';
    const char *name = word + (is_long ? 2 : 1), *eq = is_long ? strchr(name, '=') : NULL;
    size_t n = !is_long ? 1 : eq ? (size_t)(eq - name) : strlen(name);
    const struct option *o = NULL;
    for (int i = 0; i < N_OPTION && !o; i++) {
        bool hit = is_long ? strlen(options[i].name) == n && memcmp(options[i].name, name, n) == 0 : options[i].letter && options[i].letter == *name;
        if (hit && options[i].commands & c->bit)
            o = &options[i];
    }
    if (!o)
        return unknown_option(c, word, err);
    if (!o->arg) {
        if (eq || (!is_long && name[1]))
            return eq ? wr_fail(err, WR_EUSAGE, "option \"--%s\" takes no value", o->name) : unknown_option(c, word, err);
        return set_option(p, o->id, NULL, err);
    }
    const char *value = eq ? eq + 1 : !is_long && name[1] ? name + 1 : *at + 1 < argc ? argv[++*at] : NULL;
    if (!value)
        return wr_fail(err, WR_EUSAGE, "option \"--%s\" needs a value: %s", o->name, o->arg);
    return set_option(p, o->id, value, err);
}

static wr_status parse(const struct command *c, struct parsed *p, int argc, char **argv, int at, struct wr_error *err)
{
    bool words_only = false;
    for (; at < argc; at++) {
        if (words_only || argv[at][0] != '-' || argv[at][1] == 0)
            p->args.path[p->args.n_path++] = argv[at];
        else if (strcmp(argv[at], "--") == 0)
            words_only = true;
        else
            WR_TRY(take_option(c, p, argc, argv, &at, err));
    }
    const char *alone = p->args.reset ? "--reset" : p->args.every_us ? "--every" : p->args.adapt ? "--adapt" : p->args.savepoint ? "--from-savepoint" : NULL;
    if (!p->args.checkpoint && alone)
        return wr_fail(err, WR_EUSAGE, "option \"%s\" goes with --checkpoint DIR", alone);
    return WR_OK;
}

/* ---- help ---- */

static void print_options(const struct command *c)
{
    puts("\noptions");
    for (int i = 0; i < N_OPTION; i++) {
        const struct option *o = &options[i];
        if (!(o->commands & c->bit))
            continue;
        char name[40], letter[5] = "    ";
        snprintf(name, sizeof name, "--%s%s%s", o->name, o->arg ? " " : "", o->arg ? o->arg : "");
        if (o->letter)
            snprintf(letter, sizeof letter, "-%c, ", o->letter);
        printf("  %s%-22s %s\n", letter, name, o->help);
    }
}

static int print_help(const struct command *c)
{
    printf("usage: weir %s\n%s\n", c->usage, c->help);
    if (c == &shell_command) {
        puts("\ncommands");
        for (int i = 0; i < N_COMMAND; i++)
            printf("  weir %-34s %s\n", commands[i].usage, commands[i].help);
        puts("\"weir COMMAND --help\" says more about one of them.");
    }
    print_options(c);
    if (c->bit == C_TEST || c->bit == C_RUN)
        puts("\nexit code: 0 done, 1 failed, 2 wrong usage or SQL, 3 fenced by another instance, 130 interrupted twice");
    return 0;
}

/* ---- the simple commands ---- */

/* --server: what belongs to queries of this process has no place there. */
static bool far_session(const struct wr_args *args, struct wr_session *s)
{
    struct wr_error err = WR_ERROR_INIT;
    const char *wrong = args->n_var ? "-v" : args->final ? "--final" : args->until_end ? "--until-end" : NULL;
    s->far = wr_calloc(1, sizeof *s->far);
    wr_status st = wrong ? wr_fail(&err, WR_EUSAGE, "option \"%s\" is for queries that run here, not with --server", wrong) : WR_OK;
    if (wrong)
        wr_hint(&err, "weir submit takes -v; SELECT gives the rows of now where its inputs end");
    st = st ? st : wr_peer_init(s->far, args->server, args->data, &err);
    st = st ? st : wr_far_check(s->far, &err);
    if (st)
        (void)wr_complain(&err);
    return st == WR_OK;
}

bool wr_args_session(const struct wr_args *args, struct wr_session *s)
{
    wr_session_init(s, wr_stop_flag());
    if (args->server && !far_session(args, s)) {
        wr_session_clear(s);
        return false;
    }
    s->output = args->output;
    s->final = args->final;
    s->until_end = args->until_end;
    s->checkpoint_dir = args->checkpoint;
    s->checkpoint_us = args->every_us;
    s->checkpoint_reset = args->reset;
    s->checkpoint_adapt = args->adapt;
    s->savepoint = args->savepoint;
    for (int i = 0; i < args->n_var; i++) {
        const char *eq = strchr(args->var[i], '=');
        if (!eq || eq == args->var[i]) {
            fprintf(stderr, "weir: a variable (-v) is given as NAME=VALUE, not \"%s\"\n", args->var[i]);
            wr_session_clear(s);
            return false;
        }
        wr_catalog_var(s->catalog, (struct wr_str){args->var[i], (uint32_t)(eq - args->var[i])}, wr_str_c(eq + 1));
    }
    return true;
}

static int run_text(const struct wr_args *args, const char *file, struct wr_str sql, enum wr_session_mode mode)
{
    struct wr_session s;
    if (!wr_args_session(args, &s))
        return 2;
    int rc = wr_exit_code(wr_session_run(&s, file, sql, mode));
    wr_session_clear(&s);
    return rc;
}

static int run_file(const struct wr_args *args, const char *command, enum wr_session_mode mode)
{
    if (args->n_path != 1) {
        fprintf(stderr, "weir: \"weir %s\" takes one file, not %d\nhint: usage: weir %s FILE.sql [options]\n", command, args->n_path, command);
        return 2;
    }
    struct wr_arena mem = {0};
    struct wr_str sql;
    struct wr_error err = WR_ERROR_INIT;
    int rc = wr_read_file(args->path[0], &mem, &sql, &err) ? wr_complain(&err) : run_text(args, args->path[0], sql, mode);
    wr_arena_clear(&mem);
    return rc;
}

static int cmd_run(const struct wr_args *args)
{
    return run_file(args, "run", WR_RUN_FILE);
}

static int cmd_check(const struct wr_args *args)
{
    return run_file(args, "check", WR_RUN_CHECK);
}

/* ---- weir test ---- */

struct names { int n, cap; char **name; };

static void add_name(struct names *to, const char *dir, const char *name)
{
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 32;
        to->name = wr_realloc(to->name, sizeof *to->name * (size_t)to->cap);
    }
    struct wr_buf path = WR_BUF_INIT(1 << 16);
    wr_buf_printf(&path, dir ? "%s/%s" : "%s%s", dir ? dir : "", name);
    wr_buf_putc(&path, 0);
    to->name[to->n++] = path.p; /* taken over */
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);
    return n >= m && memcmp(s + n - m, end, m) == 0;
}

/* Adds path itself, or all *.test below it. */
static wr_status collect(struct names *out, const char *path, int depth, struct wr_error *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return wr_fail(err, WR_EUSAGE, "cannot read \"%s\": %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode)) {
        if (depth == 0 || ends_with(path, ".test"))
            add_name(out, NULL, path);
        return WR_OK;
    }
    DIR *dir = depth < 32 ? opendir(path) : NULL;
    if (!dir)
        return wr_fail(err, WR_EUSAGE, "cannot read directory \"%s\": %s", path, depth < 32 ? strerror(errno) : "too deep");
    struct names here = {0};
    for (const struct dirent *e; (e = readdir(dir)) != NULL;)
        if (e->d_name[0] != '.')
            add_name(&here, path, e->d_name);
    closedir(dir);
    wr_status rc = WR_OK;
    for (int i = 0; i < here.n; i++) {
        rc = rc ? rc : collect(out, here.name[i], depth + 1, err);
        free(here.name[i]);
    }
    free(here.name);
    return rc;
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool run_scenario(const char *path)
{
    struct wr_buf out = WR_BUF_INIT(64 << 20);
    struct wr_error err = WR_ERROR_INIT;
    bool passed = false;
    if (wr_scenario_run(path, &out, &passed, &err)) {
        passed = false;
        wr_buf_printf(&out, "%s: %s\n", path, err.msg);
        if (err.hint[0])
            wr_buf_printf(&out, "hint: %s\n", err.hint);
    }
    fwrite(out.p, 1, out.n, stdout);
    fflush(stdout);
    wr_buf_clear(&out);
    return passed;
}

static int cmd_test(const struct wr_args *args)
{
    struct names files = {0};
    struct wr_error err = WR_ERROR_INIT;
    wr_status rc = WR_OK;
    for (int i = 0; i < args->n_path && rc == WR_OK; i++) {
        int first = files.n;
        rc = collect(&files, args->path[i], 0, &err);
        if (files.n > first)
            qsort(files.name + first, (size_t)(files.n - first), sizeof *files.name, by_name);
    }
    if (rc == WR_OK && files.n == 0)
        rc = wr_fail(&err, WR_EUSAGE, args->n_path ? "no *.test files in \"%s\"" : "weir test needs files or directories%s", args->n_path ? args->path[0] : "");
    int n_passed = 0, n_failed = 0;
    for (int i = 0; i < files.n; i++) {
        if (rc == WR_OK && !atomic_load(wr_stop_flag()))
            *(run_scenario(files.name[i]) ? &n_passed : &n_failed) += 1;
        free(files.name[i]);
    }
    free(files.name);
    if (rc)
        return wr_complain(&err);
    printf("%d passed, %d failed\n", n_passed, n_failed);
    return n_failed ? 1 : 0;
}

/* ---- start ---- */

static const struct command *find_command(const char *word, struct wr_error *err)
{
    struct wr_str cand[N_COMMAND];
    for (int i = 0; i < N_COMMAND; i++) {
        if (strcmp(word, commands[i].name) == 0)
            return &commands[i];
        cand[i] = wr_str_c(commands[i].name);
    }
    wr_fail(err, WR_EUSAGE, "unknown command \"%s\"", word);
    struct wr_str near = wr_str_nearest(wr_str_c(word), cand, N_COMMAND);
    if (ends_with(word, ".sql"))
        wr_hint(err, "to run a file: weir run %s", word);
    else if (near.n)
        wr_hint(err, "did you mean \"weir %.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "\"weir --help\" lists the commands; SQL goes behind -c");
    return NULL;
}

static int dispatch(const struct command *c, struct parsed *p)
{
    if (p->help)
        return print_help(c);
    if (p->version) {
        puts("weir " WEIR_VERSION);
        return 0;
    }
    enum wr_level level = p->verbose < 0 ? WR_LOG_ERROR : p->verbose == 0 && c->bit != C_SERVE ? WR_LOG_WARN : p->verbose == 0 ? WR_LOG_INFO : p->verbose == 1 ? WR_LOG_INFO : WR_LOG_DEBUG;
    wr_log_set(level, p->json);
    wr_stop_install();
    wr_crash_install();
    if (p->args.sql)
        return run_text(&p->args, "-c", wr_str_c(p->args.sql), WR_RUN_EACH);
    return c->run(&p->args);
}

int main(int argc, char **argv)
{
    struct wr_error err = WR_ERROR_INIT;
    bool named = argc > 1 && argv[1][0] != '-';
    const struct command *c = named ? find_command(argv[1], &err) : &shell_command;
    if (!c)
        return wr_complain(&err);
    struct parsed p = {0};
    p.args.path = wr_calloc((size_t)argc + 1, sizeof *p.args.path);
    p.args.var = wr_calloc((size_t)argc + 1, sizeof *p.args.var);
    p.args.host = wr_calloc((size_t)argc + 1, sizeof *p.args.host);
    p.args.dir = wr_calloc((size_t)argc + 1, sizeof *p.args.dir);
    wr_status st = parse(c, &p, argc, argv, named ? 2 : 1, &err);
    if (st == WR_OK && c == &shell_command && p.args.n_path > 0) {
        st = wr_fail(&err, WR_EUSAGE, "\"%s\" is neither a command nor an option here", p.args.path[0]);
        wr_hint(&err, "the command comes first: weir run FILE.sql -o csv");
    }
    int rc = st ? wr_complain(&err) : dispatch(c, &p);
    free(p.args.path);
    free(p.args.var);
    free(p.args.host);
    free(p.args.dir);
    if (fflush(stdout) != 0 && rc == 0)
        rc = 1; /* the reader went away, or the disk is full */
    return rc;
}

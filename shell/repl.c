/* repl.c: the shell: reads lines, puts statements together, runs them.
 * Rules:  a statement ends with a semicolon or \g; the prompt says what is still open. Ctrl-C drops what was typed, or stops the query that runs,
 *         never the shell; Ctrl-D and \q leave. History: one line a statement in ~/.weir_history, readable by its owner only.
 *         Without a terminal on stdin, lines are read as they are; the exit code is that of the first failure.
 * Memory: buffers of struct wr_repl; readline's lines are freed here. */
#include "shell/repl.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "core/time.h"
#include "parser/parse.h"
#include "shell/cmd.h"
#include "shell/far.h"
#include "shell/http.h"
#include "shell/print.h"
#include "shell/stop.h"
#include "shell/term.h"

enum { TEXT_MAX = 1 << 20, HISTORY_MOST = 2000, DEPTH_MOST = 16 };

static struct wr_repl *current; /* readline's callbacks take no argument */

void wr_repl_fail(struct wr_repl *r, const char *fmt, ...)
{
    fflush(stdout);
    fputs("weir: ", stderr);
    va_list args;
    va_start(args, fmt);
    vfprintf(stderr, fmt, args);
    va_end(args);
    fputc('\n', stderr);
    if (r->worst == WR_OK)
        r->worst = WR_EUSAGE;
}

/* ---- running ---- */

/* stdout for a while: a file or a command. */
struct redirect { int saved; FILE *pipe; };

static bool redirect_begin(struct wr_repl *r, struct wr_str to, struct redirect *d)
{
    *d = (struct redirect){.saved = -1};
    if (to.n == 0)
        return true;
    struct wr_buf name = WR_BUF_INIT(1 << 16);
    bool command = to.p[0] == '|';
    wr_buf_str(&name, command ? wr_str_trim((struct wr_str){to.p + 1, to.n - 1}) : to);
    wr_buf_putc(&name, 0);
    fflush(stdout);
    d->pipe = command ? popen(name.p, "w") : NULL;
    int fd = command ? (d->pipe ? fileno(d->pipe) : -1) : open(name.p, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) {
        wr_repl_fail(r, "cannot write to \"%s\": %s", name.p, strerror(errno));
    } else {
        d->saved = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 10);
        dup2(fd, STDOUT_FILENO);
        if (!command)
            close(fd);
    }
    wr_buf_clear(&name);
    return fd >= 0;
}

static void redirect_end(struct redirect *d)
{
    if (d->saved < 0)
        return;
    fflush(stdout);
    dup2(d->saved, STDOUT_FILENO);
    close(d->saved);
    if (d->pipe)
        pclose(d->pipe);
}

static void say_time(int64_t us)
{
    printf("Time: %.3f ms", (double)us / 1000);
    if (us >= WR_US_SEC) {
        struct wr_buf text = WR_BUF_INIT(100);
        wr_duration_print(&text, us / 1000 * 1000);
        printf(" (%.*s)", (int)text.n, text.p);
        wr_buf_clear(&text);
    }
    putchar('\n');
}

/* INFER SOURCE has written a statement: \g runs it, \e changes it. */
static void take_proposal(struct wr_repl *r)
{
    wr_buf_reset(&r->last);
    wr_buf_str(&r->last, wr_str_trim(wr_buf_get(&r->s.proposed)));
    wr_buf_reset(&r->s.proposed);
    if (r->interactive)
        puts("\\g declares it, \\e edits it first.");
}

void wr_repl_run(struct wr_repl *r, struct wr_str sql, enum wr_session_mode mode, struct wr_str to)
{
    struct redirect d;
    if (!r->watching)
        wr_stop_reset();
    if (!redirect_begin(r, to.n ? to : wr_buf_get(&r->to), &d))
        return;
    int64_t start = wr_clock_mono();
    wr_status st = wr_session_run(&r->s, r->file, sql, mode);
    r->mirrored = false;
    redirect_end(&d);
    if (st && r->worst == WR_OK)
        r->worst = st;
    if (r->timing)
        say_time(wr_clock_mono() - start);
    fflush(stdout);
    r->stopped = atomic_load(wr_stop_flag());
    if (r->s.proposed.n)
        take_proposal(r);
    if (wr_stop_terminated())
        r->done = true;
    else if (!r->watching)
        wr_stop_reset();
}

/* ---- lines ---- */

/* Where a backslash command begins in the line; line.n: nowhere. */
static uint32_t find_meta(const struct wr_repl *r, struct wr_str line)
{
    struct wr_buf all = WR_BUF_INIT(2 * TEXT_MAX);
    uint32_t at = line.n;
    for (uint32_t i = 0; i + 1 < line.n && at == line.n; i++) {
        if (line.p[i] == '-' && line.p[i + 1] == '-')
            break; /* a comment; one inside quotes hides a command behind it, which nobody writes */
        if (line.p[i] != '\\')
            continue;
        wr_buf_reset(&all);
        wr_buf_str(&all, wr_buf_get(&r->text));
        wr_buf_add(&all, line.p, i);
        enum wr_complete c = wr_parse_complete(wr_buf_get(&all));
        if (c != WR_COMPLETE_QUOTE && c != WR_COMPLETE_DQUOTE && c != WR_COMPLETE_DOLLAR && c != WR_COMPLETE_COMMENT)
            at = i;
    }
    wr_buf_clear(&all);
    return at;
}

static void keep_last(struct wr_repl *r)
{
    wr_buf_reset(&r->last);
    wr_buf_str(&r->last, wr_str_trim(wr_buf_get(&r->text)));
}

void wr_repl_line(struct wr_repl *r, struct wr_str line)
{
    uint32_t at = find_meta(r, line);
    if (r->text.n || wr_str_trim((struct wr_str){line.p, at}).n) {
        if (r->text.n)
            wr_buf_putc(&r->text, '\n');
        wr_buf_str(&r->text, (struct wr_str){line.p, at});
    }
    if (r->text.n > TEXT_MAX) {
        wr_repl_fail(r, "the statement is longer than 1 MiB and was dropped");
        wr_buf_reset(&r->text);
        return;
    }
    if (wr_parse_complete(wr_buf_get(&r->text)) == WR_COMPLETE_YES) {
        keep_last(r);
        struct wr_buf sql = r->text; /* taken out: what runs may not see itself as half typed */
        r->text = (struct wr_buf)WR_BUF_INIT(2 * TEXT_MAX);
        wr_repl_run(r, wr_buf_get(&sql), WR_RUN_PROMPT, (struct wr_str){0});
        wr_buf_clear(&sql);
    } else if (wr_parse_complete(wr_buf_get(&r->text)) == WR_COMPLETE_EMPTY) {
        wr_buf_reset(&r->text);
    }
    if (at < line.n)
        wr_meta_run(r, (struct wr_str){line.p + at, line.n - at});
}

void wr_repl_text(struct wr_repl *r, const char *file, struct wr_str text)
{
    const char *outer = r->file;
    if (r->depth == DEPTH_MOST) {
        wr_repl_fail(r, "files include one another more than %d deep", DEPTH_MOST);
        return;
    }
    r->depth++;
    r->file = file;
    while (text.n && !r->done) {
        const char *nl = memchr(text.p, '\n', text.n);
        uint32_t n = nl ? (uint32_t)(nl - text.p) : text.n, used = nl ? n + 1 : n;
        struct wr_str line = {text.p, n && text.p[n - 1] == '\r' ? n - 1 : n};
        wr_repl_line(r, line);
        text.p += used;
        text.n -= used;
    }
    if (wr_parse_complete(wr_buf_get(&r->text)) != WR_COMPLETE_EMPTY && r->depth == 1 && !r->interactive && !r->done)
        wr_repl_run(r, wr_buf_get(&r->text), WR_RUN_PROMPT, (struct wr_str){0}); /* the last one needs no semicolon */
    r->file = outer;
    r->depth--;
}

/* ---- history ---- */

/* ~/name into buf; false: no home. */
static bool in_home(struct wr_buf *buf, const char *name)
{
    const char *home = getenv("HOME");
    if (!home || !*home)
        return false;
    wr_buf_printf(buf, "%s/%s", home, name);
    wr_buf_putc(buf, 0);
    return !buf->overflow;
}

/* A statement becomes one line, unless a line comment would swallow its rest: then each line is an entry. */
static void remember(struct wr_str text)
{
    struct wr_buf one = WR_BUF_INIT(TEXT_MAX);
    bool comment = false;
    for (uint32_t i = 0; i + 1 < text.n; i++)
        comment |= text.p[i] == '-' && text.p[i + 1] == '-';
    for (uint32_t i = 0; i <= text.n; i++) {
        bool end = i == text.n || (text.p[i] == '\n' && comment);
        if (!end) {
            wr_buf_putc(&one, text.p[i] == '\n' ? ' ' : text.p[i]);
            continue;
        }
        wr_buf_putc(&one, 0);
        const HIST_ENTRY *before = history_length ? history_get(history_base + history_length - 1) : NULL;
        if (one.n > 1 && (!before || strcmp(before->line, one.p) != 0))
            add_history(one.p);
        wr_buf_reset(&one);
    }
    wr_buf_clear(&one);
}

static void history_load(void)
{
    struct wr_buf path = WR_BUF_INIT(1 << 12);
    using_history();
    stifle_history(HISTORY_MOST);
    if (in_home(&path, ".weir_history"))
        read_history(path.p);
    wr_buf_clear(&path);
}

static void history_save(void)
{
    struct wr_buf path = WR_BUF_INIT(1 << 12);
    if (in_home(&path, ".weir_history")) {
        mode_t mask = umask(077);
        write_history(path.p);
        umask(mask);
    }
    wr_buf_clear(&path);
}

/* ---- completion ---- */

struct words { int n, cap; char **word; };

static void add_word(void *ctx, struct wr_str w)
{
    struct words *to = ctx;
    for (int i = 0; i < to->n; i++)
        if (wr_str_eq_c(w, to->word[i]))
            return;
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 64;
        to->word = wr_realloc(to->word, sizeof *to->word * (size_t)to->cap);
    }
    char *copy = wr_malloc(w.n + 1);
    memcpy(copy, w.p, w.n);
    copy[w.n] = 0;
    to->word[to->n++] = copy;
}

static struct words offered;

static char *offer(const char *text, int state)
{
    static int at;
    (void)text;
    if (state == 0)
        at = 0;
    return at < offered.n ? offered.word[at++] : NULL; /* readline frees it */
}

static char **complete(const char *text, int start, int end)
{
    (void)end;
    struct wr_buf before = WR_BUF_INIT(2 * TEXT_MAX);
    wr_buf_str(&before, wr_buf_get(&current->text));
    if (before.n)
        wr_buf_putc(&before, '\n');
    wr_buf_add(&before, rl_line_buffer, (size_t)start);
    offered = (struct words){0};
    if (current->s.far && !current->mirrored) {
        wr_far_mirror(&current->s);
        current->mirrored = true;
    }
    bool file = wr_complete_word(current->s.catalog, wr_buf_get(&before), wr_str_c(text), add_word, &offered);
    wr_buf_clear(&before);
    rl_attempted_completion_over = !file; /* nothing of ours fits: names of files */
    rl_completion_append_character = ' ';
    if (offered.n == 1 && offered.word[0][0] && offered.word[0][strlen(offered.word[0]) - 1] == '(')
        rl_completion_append_character = 0;
    char **out = offered.n ? rl_completion_matches(text, offer) : NULL;
    free(offered.word);
    return out;
}

/* ---- readline ---- */

static bool line_ready;
static char *line_read; /* NULL: Ctrl-D */

static void on_line(char *line)
{
    rl_callback_handler_remove();
    line_read = line;
    line_ready = true;
}

/* "weir=> ", on a server "weir@host:port=> "; what is still open stands before the ">". */
static const char *prompt(const struct wr_repl *r)
{
    static char text[120];
    const char *mark = "=";
    switch (wr_parse_complete(wr_buf_get(&r->text))) {
    case WR_COMPLETE_EMPTY:
    case WR_COMPLETE_YES: break;
    case WR_COMPLETE_NO: mark = "-"; break;
    case WR_COMPLETE_QUOTE: mark = "'"; break;
    case WR_COMPLETE_DQUOTE: mark = "\""; break;
    case WR_COMPLETE_DOLLAR: mark = "$"; break;
    case WR_COMPLETE_COMMENT: mark = "*"; break;
    case WR_COMPLETE_PAREN: mark = "("; break;
    }
    const char *host = r->s.far ? strstr(r->s.far->base, "://") : NULL;
    (void)snprintf(text, sizeof text, "weir%s%.60s%s> ", host ? "@" : "", host ? host + 3 : "", mark);
    return text;
}

/* Waits for a line. false: Ctrl-D, or the terminal is gone. */
static bool read_line(struct wr_repl *r)
{
    line_ready = false;
    line_read = NULL;
    rl_callback_handler_install(prompt(r), on_line);
    while (!line_ready) {
        struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};
        int n = poll(&in, 1, 250);
        if (n > 0)
            rl_callback_read_char();
        if (wr_term_resized())
            rl_resize_terminal();
        if (!atomic_load(wr_stop_flag()) || line_ready)
            continue;
        if (wr_stop_terminated()) {
            rl_callback_handler_remove();
            return false;
        }
        fputs("^C\n", rl_outstream);
        wr_stop_reset();
        wr_buf_reset(&r->text);
        rl_free_line_state();
        rl_replace_line("", 0);
        rl_callback_handler_remove();
        rl_callback_handler_install(prompt(r), on_line);
    }
    return line_read != NULL;
}

static void prepare_readline(struct wr_repl *r)
{
    current = r;
    rl_readline_name = "weir";
    rl_catch_signals = 0;
    rl_catch_sigwinch = 0;
    rl_attempted_completion_function = complete;
    rl_completer_word_break_characters = " \t\n'\"`()=<>;,*/+|&{}[]";
    rl_basic_word_break_characters = rl_completer_word_break_characters;
    rl_completer_quote_characters = NULL;
    wr_term_watch();
    history_load();
}

static void run_rc(struct wr_repl *r)
{
    struct wr_buf path = WR_BUF_INIT(1 << 12);
    struct wr_arena mem = {0};
    struct wr_str text;
    struct wr_error err = WR_ERROR_INIT;
    if (in_home(&path, ".weirrc") && access(path.p, R_OK) == 0) {
        if (wr_read_file(path.p, &mem, &text, &err))
            wr_repl_fail(r, "%s", err.msg);
        else
            wr_repl_text(r, path.p, text);
    }
    wr_arena_clear(&mem);
    wr_buf_clear(&path);
    wr_buf_reset(&r->text);
}

static void interact(struct wr_repl *r)
{
    printf("weir " WEIR_VERSION " - streaming SQL. \\? lists the commands, \\h helps with SQL, \\q leaves.\n");
    fflush(stdout);
    struct wr_buf entry = WR_BUF_INIT(TEXT_MAX);
    while (!r->done && read_line(r)) {
        struct wr_str line = wr_str_c(line_read);
        if (r->text.n == 0)
            wr_buf_reset(&entry); /* Ctrl-C dropped what it had */
        if (entry.n)
            wr_buf_putc(&entry, '\n');
        wr_buf_str(&entry, line);
        wr_repl_line(r, line);
        free(line_read);
        if (r->text.n == 0) {
            remember(wr_str_trim(wr_buf_get(&entry)));
            wr_buf_reset(&entry);
        }
    }
    if (!line_read && !r->done)
        putchar('\n');
    wr_buf_clear(&entry);
    history_save();
}

static void read_stdin(struct wr_repl *r)
{
    struct wr_arena mem = {0};
    struct wr_str text;
    struct wr_error err = WR_ERROR_INIT;
    if (wr_read_file("-", &mem, &text, &err))
        wr_repl_fail(r, "%s", err.msg);
    else
        wr_repl_text(r, "stdin", text);
    wr_arena_clear(&mem);
}

int wr_cmd_shell(const struct wr_args *args)
{
    struct wr_repl r = {.file = "", .text = WR_BUF_INIT(2 * TEXT_MAX), .last = WR_BUF_INIT(2 * TEXT_MAX), .to = WR_BUF_INIT(1 << 16)};
    if (!wr_args_session(args, &r.s))
        return 2;
    r.data = args->data;
    r.interactive = isatty(STDIN_FILENO) == 1;
    r.s.messages = r.interactive;
    r.s.live = true; /* wr_live_init looks at the terminal, and gathers rows for printing otherwise */
    wr_display()->collect = true;
    wr_display()->pager = r.interactive;
    wr_stop_patience(3);
    if (r.interactive)
        prepare_readline(&r);
    if (!args->no_rc && r.interactive)
        run_rc(&r);
    if (r.interactive)
        interact(&r);
    else
        read_stdin(&r);
    wr_status worst = r.worst;
    wr_buf_clear(&r.text);
    wr_buf_clear(&r.last);
    wr_buf_clear(&r.to);
    wr_session_clear(&r.s);
    return r.interactive ? 0 : wr_exit_code(worst);
}

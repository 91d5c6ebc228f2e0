/* meta_file.c: backslash commands about files: \i, \ir, \copy.
 * Rules:  \copy is made of ordinary statements: a SELECT whose rows go to a file, or an INSERT from a file that is declared for as long as that takes.
 * Memory: texts of one command. */
#include <stdio.h>
#include <stdlib.h>

#include "parser/parse.h"
#include "shell/meta.h"
#include "shell/print.h"

/* ---- \i ---- */

static void run_file(struct wr_repl *r, const char *path)
{
    struct wr_arena mem = {0};
    struct wr_str text;
    struct wr_error err = WR_ERROR_INIT;
    if (wr_read_file(path, &mem, &text, &err)) {
        wr_repl_fail(r, "%s", err.msg);
    } else if (text.n && (text.p[0] == '\\' || memmem(text.p, text.n, "\n\\", 2))) {
        wr_repl_text(r, path, text); /* it has backslash commands: line by line */
    } else {
        const char *outer = r->file;
        r->file = path;
        wr_repl_run(r, text, WR_RUN_EACH, (struct wr_str){0});
        r->file = outer;
    }
    wr_arena_clear(&mem);
}

void wr_m_i(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_arena mem = {0};
    if (n)
        run_file(r, wr_arena_str(&mem, arg[0]).p);
    else
        wr_repl_fail(r, "\\i needs the name of a file");
    wr_arena_clear(&mem);
}

void wr_m_ir(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct wr_arena mem = {0};
    const char *slash = strrchr(r->file, '/');
    if (n == 0)
        wr_repl_fail(r, "\\ir needs the name of a file");
    else if (arg[0].p[0] == '/' || !slash)
        run_file(r, wr_arena_str(&mem, arg[0]).p);
    else
        run_file(r, wr_arena_printf(&mem, "%.*s/%.*s", (int)(slash - r->file), r->file, WR_FMT(arg[0])).p);
    wr_arena_clear(&mem);
}

/* ---- \copy ---- */

struct copy { struct wr_str what, file, form; bool from; };

static struct wr_str next_word(struct wr_str *rest)
{
    *rest = wr_str_trim(*rest);
    bool quoted = rest->n && rest->p[0] == '\'';
    uint32_t from = quoted ? 1 : 0, to = from;
    while (to < rest->n && (quoted ? rest->p[to] != '\'' : rest->p[to] != ' ' && rest->p[to] != '\t'))
        to++;
    struct wr_str word = {rest->p + from, to - from};
    uint32_t used = quoted && to < rest->n ? to + 1 : to;
    *rest = (struct wr_str){rest->p + used, rest->n - used};
    return word;
}

/* "(SELECT ...)" with its parentheses, those in quotes not counted; else a word. */
static struct wr_str take_what(struct wr_str *rest)
{
    *rest = wr_str_trim(*rest);
    if (!rest->n || rest->p[0] != '(')
        return next_word(rest);
    int depth = 0;
    char quote = 0;
    for (uint32_t i = 0; i < rest->n; i++) {
        char c = rest->p[i];
        if (quote)
            quote = c == quote ? 0 : quote;
        else if (c == '\'' || c == '"')
            quote = c;
        depth += !quote && c == '(';
        if (quote || c != ')' || --depth > 0)
            continue;
        struct wr_str what = {rest->p, i + 1};
        rest->p += i + 1;
        rest->n -= i + 1;
        return what;
    }
    return (struct wr_str){0};
}

static bool ends(struct wr_str s, const char *with)
{
    size_t n = strlen(with);
    return s.n > n && wr_str_ieq_c((struct wr_str){s.p + s.n - n, (uint32_t)n}, with);
}

static bool read_copy(struct wr_str line, struct copy *c)
{
    *c = (struct copy){.what = take_what(&line)};
    struct wr_str way = next_word(&line);
    c->from = wr_str_ieq_c(way, "from");
    c->file = next_word(&line);
    c->form = next_word(&line);
    if (!c->form.n)
        c->form = ends(c->file, ".csv") ? WR_STR("csv") : ends(c->file, ".ndjson") || ends(c->file, ".json") ? WR_STR("ndjson")
                  : ends(c->file, ".md") && !c->from                                ? WR_STR("markdown")
                                                                                     : WR_STR("csv");
    return c->what.n && c->file.n && (c->from || wr_str_ieq_c(way, "to")) && wr_str_trim(line).n == 0;
}

static void copy_to(struct wr_repl *r, const struct copy *c)
{
    static const struct { const char *name; enum wr_output out; } forms[] = {{"csv", WR_OUT_CSV}, {"ndjson", WR_OUT_NDJSON}, {"json", WR_OUT_NDJSON},
                                                                             {"markdown", WR_OUT_TABLE}, {"aligned", WR_OUT_TABLE}};
    struct wr_display *d = wr_display(), before = *d;
    enum wr_output output = r->s.output;
    struct wr_buf sql = WR_BUF_INIT(1 << 20);
    bool known = false;
    for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++)
        if (wr_str_ieq_c(c->form, forms[i].name)) {
            known = true;
            r->s.output = forms[i].out;
        }
    d->expanded = d->tuples_only = d->pager = d->wrapped = false;
    d->markdown = wr_str_ieq_c(c->form, "markdown");
    if (c->what.p[0] == '(') {
        wr_buf_add(&sql, c->what.p + 1, c->what.n - 2);
    } else {
        wr_buf_puts(&sql, "SELECT * FROM ");
        wr_unparse_ident(&sql, c->what);
    }
    wr_buf_putc(&sql, ';');
    if (known)
        wr_repl_run(r, wr_buf_get(&sql), WR_RUN_PROMPT, c->file);
    else
        wr_repl_fail(r, "\\copy writes csv, ndjson, markdown or aligned, not \"%.*s\"", WR_FMT(c->form));
    r->s.output = output;
    *d = before;
    wr_buf_clear(&sql);
}

static void copy_from(struct wr_repl *r, const struct copy *c)
{
    const struct wr_schema *s = r->s.far ? NULL : wr_catalog_columns(r->s.catalog, c->what);
    struct wr_buf sql = WR_BUF_INIT(1 << 20);
    if (!s) {
        wr_repl_fail(r, r->s.far ? "\\copy from reads a file of this machine, and the sink is the server's"
                                 : "\\copy from needs a sink or table with declared columns; \"%.*s\" has none", WR_FMT(c->what));
        return;
    }
    wr_buf_puts(&sql, "CREATE SOURCE \"\\copy\" (");
    for (int i = 0; i < s->n; i++) {
        wr_buf_puts(&sql, i ? ", " : "");
        wr_unparse_ident(&sql, s->field[i].name);
        wr_buf_putc(&sql, ' ');
        wr_type_print(&sql, s->field[i].type);
    }
    wr_buf_puts(&sql, ") WITH (connector = 'file', path = '");
    for (uint32_t i = 0; i < c->file.n; i++) {
        if (c->file.p[i] == '\'')
            wr_buf_putc(&sql, '\'');
        wr_buf_putc(&sql, c->file.p[i]);
    }
    wr_buf_printf(&sql, "', format = '%s'); INSERT INTO ", wr_str_ieq_c(c->form, "csv") ? "csv" : "json");
    wr_unparse_ident(&sql, c->what);
    wr_buf_puts(&sql, " SELECT * FROM \"\\copy\";");
    bool messages = r->s.messages;
    r->s.messages = false;
    wr_repl_run(r, wr_buf_get(&sql), WR_RUN_EACH, (struct wr_str){0});
    wr_repl_run(r, WR_STR("DROP SOURCE IF EXISTS \"\\copy\";"), WR_RUN_PROMPT, (struct wr_str){0});
    r->s.messages = messages;
    wr_buf_clear(&sql);
}

void wr_m_copy(struct wr_repl *r, struct wr_str *arg, int n)
{
    struct copy c;
    if (!n || !read_copy(arg[0], &c))
        wr_repl_fail(r, "\\copy is written: \\copy NAME to FILE [FORMAT], \\copy (QUERY) to FILE [FORMAT], \\copy NAME from FILE [FORMAT]");
    else if (c.from)
        copy_from(r, &c);
    else
        copy_to(r, &c);
}

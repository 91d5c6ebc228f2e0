/* unparse_stmt.c: statements back to SQL text. Columns and options stand on lines of their own.
 * Rules:  as unparse.c. Values of options and settings are written as strings, whatever they were: they mean the same.
 * Memory: as unparse.c. */
#include "parser/internal.h"

/* Words joined by dots need no quotes as the name of a setting, if none is a keyword. In a list of options minus signs may join them too, and all words but
 * TRUE and FALSE are names. */
static bool is_plain_key(struct wr_str key, bool option)
{
    char low[256];
    uint32_t from = 0;
    if (key.n == 0 || key.n > sizeof low)
        return false;
    for (uint32_t i = 0; i < key.n; i++)
        low[i] = key.p[i] >= 'A' && key.p[i] <= 'Z' ? (char)(key.p[i] - 'A' + 'a') : key.p[i];
    for (uint32_t i = 0; i <= key.n; i++) {
        bool ends = i == key.n || low[i] == '.' || (low[i] == '-' && option);
        struct wr_str word = {low + from, i - from};
        bool keyword = option ? wr_str_eq_c(word, "true") || wr_str_eq_c(word, "false") : wr_keyword_find(word) != NULL;
        if (ends && (i == from || keyword))
            return false;
        if (ends) {
            from = i + 1;
            continue;
        }
        bool letter = (low[i] >= 'a' && low[i] <= 'z') || low[i] == '_';
        if (!letter && (i == from || low[i] < '0' || low[i] > '9'))
            return false;
    }
    return true;
}

static void string(struct wr_buf *out, const char *words, struct wr_str text)
{
    wr_buf_puts(out, words);
    wr_unparse_string(out, text);
}

static void option_list(struct wr_buf *out, const struct wr_ast_option *o, const char *before, const char *between)
{
    wr_buf_puts(out, before);
    for (; o; o = o->next) {
        if (is_plain_key(o->key, true))
            wr_buf_str(out, o->key);
        else
            wr_unparse_string(out, o->key);
        string(out, " = ", o->value);
        wr_buf_puts(out, o->next ? between : "");
    }
}

static void options(struct wr_buf *out, const struct wr_ast_option *o)
{
    if (!o)
        return;
    option_list(out, o, " WITH (", ", ");
    wr_buf_putc(out, ')');
}

/* ---- CREATE ---- */

static void column(struct wr_buf *out, const struct wr_ast_column *c)
{
    wr_unparse_ident(out, c->name->text);
    if (c->type) {
        wr_buf_putc(out, ' ');
        wr_unparse_type(out, c->type);
    }
    wr_buf_puts(out, c->not_null ? " NOT NULL" : "");
    if (c->path.p)
        string(out, " PATH ", c->path);
    if (c->kind == WR_C_METADATA)
        wr_buf_puts(out, " METADATA");
    if (c->meta.p)
        string(out, " FROM ", c->meta);
    wr_buf_puts(out, c->is_virtual ? " VIRTUAL" : "");
    wr_buf_puts(out, c->primary_key ? " PRIMARY KEY" : "");
    if (c->expr) {
        wr_buf_puts(out, " AS ");
        wr_unparse_expr(out, c->expr);
    }
    if (c->def) {
        wr_buf_puts(out, " DEFAULT ");
        wr_unparse_expr(out, c->def);
    }
    if (c->comment.p)
        string(out, " COMMENT ", c->comment);
}

static void relation(struct wr_buf *out, const struct wr_ast_relation *r)
{
    const char *before = " (\n    ";
    for (const struct wr_ast_column *c = r->columns; c; c = c->next, before = ",\n    ") {
        wr_buf_puts(out, before);
        column(out, c);
    }
    if (r->primary_key) {
        wr_buf_printf(out, "%sPRIMARY KEY (", before);
        wr_unparse_names(out, r->primary_key);
        wr_buf_puts(out, r->not_enforced ? ") NOT ENFORCED" : ")");
        before = ",\n    ";
    }
    if (r->watermark_col) {
        wr_buf_printf(out, "%sWATERMARK FOR ", before);
        wr_unparse_ident(out, r->watermark_col->text);
    }
    if (r->watermark) {
        wr_buf_puts(out, " AS ");
        wr_unparse_expr(out, r->watermark);
    }
    wr_buf_puts(out, "\n)");
}

static void create_head(struct wr_buf *out, const struct wr_stmt *s, const char *what)
{
    wr_buf_printf(out, "CREATE %s%s%s%s %s", s->or_replace ? "OR REPLACE " : "", s->temporary ? "TEMPORARY " : "", s->materialized ? "MATERIALIZED " : "",
                  what, s->if_not_exists ? "IF NOT EXISTS " : "");
    wr_unparse_path(out, s->name);
}

static void create(struct wr_buf *out, const struct wr_stmt *s, const char *what)
{
    create_head(out, s, what);
    if (s->relation)
        relation(out, s->relation);
    if (s->comment.p)
        string(out, " COMMENT ", s->comment);
    if (s->from) {
        wr_buf_puts(out, " FROM ");
        wr_unparse_path(out, s->from);
    }
    if (s->options) {
        option_list(out, s->options, " WITH (\n    ", ",\n    ");
        wr_buf_puts(out, "\n)");
    }
    if (s->select) {
        wr_buf_puts(out, " AS\n");
        wr_unparse_select(out, s->select);
    }
}

static void paren_names(struct wr_buf *out, const struct wr_ast_name *names)
{
    if (!names)
        return;
    wr_buf_puts(out, " (");
    wr_unparse_names(out, names);
    wr_buf_putc(out, ')');
}

static void view(struct wr_buf *out, const struct wr_stmt *s)
{
    create_head(out, s, "VIEW");
    paren_names(out, s->names);
    wr_buf_puts(out, " AS\n");
    wr_unparse_select(out, s->select);
}

static void function(struct wr_buf *out, const struct wr_stmt *s)
{
    create_head(out, s, "FUNCTION");
    wr_buf_putc(out, '(');
    for (const struct wr_ast_param *a = s->params; a; a = a->next) {
        wr_unparse_ident(out, a->name->text);
        wr_buf_putc(out, ' ');
        wr_unparse_type(out, a->type);
        wr_buf_puts(out, a->next ? ", " : "");
    }
    wr_buf_puts(out, ") RETURNS ");
    wr_unparse_type(out, s->returns);
    if (s->language.n) {
        wr_buf_puts(out, " LANGUAGE ");
        wr_unparse_ident(out, s->language);
    }
    if (s->body.p)
        string(out, " AS ", s->body);
    if (s->symbol.p)
        string(out, ", ", s->symbol);
}

/* ---- the others ---- */

static void on_name(struct wr_buf *out, const char *words, const struct wr_ast_name *name)
{
    wr_buf_puts(out, words);
    if (name) {
        wr_buf_putc(out, ' ');
        wr_unparse_path(out, name);
    }
}

static void upper_what(struct wr_buf *out, const char *words, struct wr_str what)
{
    wr_buf_puts(out, words);
    for (uint32_t i = 0; i < what.n; i++)
        wr_buf_putc(out, what.p[i] >= 'a' && what.p[i] <= 'z' ? (char)(what.p[i] - 'a' + 'A') : what.p[i]);
}

/* SHOW takes a name, not a string: what is no plain key stands in "". */
static void show(struct wr_buf *out, struct wr_str what)
{
    wr_buf_puts(out, "SHOW ");
    if (wr_str_eq_c(what, "all"))
        wr_buf_puts(out, "ALL");
    else if (is_plain_key(what, false))
        wr_buf_str(out, what);
    else
        wr_unparse_path(out, &(struct wr_ast_name){.text = what});
}

static void setting(struct wr_buf *out, const char *words, struct wr_str name)
{
    wr_buf_puts(out, words);
    if (is_plain_key(name, false))
        wr_buf_str(out, name);
    else
        wr_unparse_string(out, name);
}

static void explain(struct wr_buf *out, const struct wr_stmt *s)
{
    wr_buf_puts(out, s->analyze ? "EXPLAIN ANALYZE " : "EXPLAIN ");
    const char *before = "(";
    for (const struct wr_ast_option *o = s->options; o; o = o->next, before = ", ") {
        wr_buf_puts(out, before);
        if (is_plain_key(o->key, true))
            wr_buf_str(out, o->key);
        else
            wr_unparse_path(out, &(struct wr_ast_name){.text = o->key});
        string(out, " = ", o->value);
    }
    wr_buf_puts(out, s->options ? ") " : "");
    if (s->inner)
        wr_unparse_stmt(out, s->inner);
    else
        wr_unparse_path(out, s->name);
}

static void insert(struct wr_buf *out, const struct wr_stmt *s)
{
    on_name(out, "INSERT INTO", s->name);
    paren_names(out, s->names);
    wr_buf_putc(out, ' ');
    wr_unparse_select(out, s->select);
}

static void statement_set(struct wr_buf *out, const struct wr_stmt *s)
{
    wr_buf_puts(out, "EXECUTE STATEMENT SET BEGIN\n");
    for (const struct wr_stmt *i = s->inner; i; i = i->next) {
        wr_unparse_stmt(out, i);
        wr_buf_puts(out, ";\n");
    }
    wr_buf_puts(out, "END");
}

static void drop(struct wr_buf *out, const struct wr_stmt *s)
{
    upper_what(out, "DROP ", s->what);
    wr_buf_puts(out, s->if_exists ? " IF EXISTS " : " ");
    wr_unparse_names(out, s->names);
    wr_buf_puts(out, s->cascade ? " CASCADE" : "");
}

static void print(struct wr_buf *out, const struct wr_stmt *s)
{
    string(out, "PRINT ", s->text);
    wr_buf_puts(out, s->from_beginning ? " FROM BEGINNING" : "");
    if (s->limit) {
        wr_buf_puts(out, " LIMIT ");
        wr_unparse_expr(out, s->limit);
    }
    options(out, s->options);
}

static void submit(struct wr_buf *out, const struct wr_stmt *s)
{
    on_name(out, "SUBMIT JOB", s->name);
    wr_buf_puts(out, " AS ");
    wr_unparse_stmt(out, s->inner);
}

void wr_unparse_stmt(struct wr_buf *out, const struct wr_stmt *s)
{
    switch (s->kind) {
    case WR_S_CREATE_SOURCE: create(out, s, "SOURCE"); break;
    case WR_S_CREATE_TABLE: create(out, s, "TABLE"); break;
    case WR_S_CREATE_SINK: create(out, s, "SINK"); break;
    case WR_S_CREATE_VIEW: view(out, s); break;
    case WR_S_CREATE_FUNCTION: function(out, s); break;
    case WR_S_DROP: drop(out, s); break;
    case WR_S_SHOW: show(out, s->what); break;
    case WR_S_SHOW_CREATE: upper_what(out, s->what.n ? "SHOW CREATE " : "SHOW CREATE", s->what); on_name(out, "", s->name); break;
    case WR_S_DESCRIBE: on_name(out, s->what.n ? "DESCRIBE JOB" : "DESCRIBE", s->name); break;
    case WR_S_SET: setting(out, "SET ", s->text); string(out, " = ", s->value); break;
    case WR_S_RESET:
        if (s->text.n)
            setting(out, "RESET ", s->text);
        else
            wr_buf_puts(out, "RESET ALL");
        break;
    case WR_S_EXPLAIN: explain(out, s); break;
    case WR_S_EXPLAIN_WHY: on_name(out, "EXPLAIN WHY", s->name); break;
    case WR_S_SELECT: wr_unparse_select(out, s->select); break;
    case WR_S_INSERT: insert(out, s); break;
    case WR_S_STATEMENT_SET: statement_set(out, s); break;
    case WR_S_PRINT: print(out, s); break;
    case WR_S_INFER: string(out, "INFER SOURCE FROM ", s->text); options(out, s->options); break;
    case WR_S_SUBMIT: submit(out, s); break;
    case WR_S_STOP_JOB:
        on_name(out, "STOP JOB", s->name);
        wr_buf_puts(out, s->savepoint ? " WITH SAVEPOINT" : "");
        wr_buf_puts(out, s->drain ? " WITH DRAIN" : "");
        break;
    case WR_S_RESUME_JOB: on_name(out, "RESUME JOB", s->name); break;
    case WR_S_PAUSE_JOB: on_name(out, "PAUSE JOB", s->name); break;
    case WR_S_DROP_JOB: on_name(out, s->if_exists ? "DROP JOB IF EXISTS" : "DROP JOB", s->name); break;
    }
}

/* complete.c: which words may come next: from what stands before the cursor, not from the grammar.
 * Rules:  words are offered in the letter case that was begun with. The network is asked for names of topics only (complete_topic.c).
 * Memory: nothing is kept; words are handed to the caller one by one. */
#include "connectors/connector.h"
#include "core/func.h"
#include "parser/parse.h"
#include "shell/repl.h"

struct asked {
    struct wr_catalog *c;
    struct wr_str before, word;
    void (*add)(void *ctx, struct wr_str);
    void *ctx;
};

static bool is_word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '$' || ch == '.' || (unsigned char)ch >= 0x80;
}

static bool begins(struct wr_str s, struct wr_str with)
{
    return s.n >= with.n && wr_str_ieq((struct wr_str){s.p, with.n}, with);
}

static void offer(const struct asked *a, struct wr_str s)
{
    if (begins(s, a->word))
        a->add(a->ctx, s);
}

/* A keyword of the language, in the case the user writes in. */
static void offer_keyword(const struct asked *a, const char *word)
{
    char text[64];
    uint32_t n = (uint32_t)strlen(word);
    bool lower = a->word.n && a->word.p[0] >= 'a' && a->word.p[0] <= 'z';
    if (n >= sizeof text)
        return;
    for (uint32_t i = 0; i < n; i++)
        text[i] = lower && word[i] >= 'A' && word[i] <= 'Z' ? (char)(word[i] + 32) : !lower && word[i] >= 'a' && word[i] <= 'z' ? (char)(word[i] - 32) : word[i];
    offer(a, (struct wr_str){text, n});
}

/* ---- what stands before ---- */

/* Last word of s, taken off. */
static struct wr_str last_word(struct wr_str *s)
{
    while (s->n && !is_word_char(s->p[s->n - 1]))
        s->n--;
    uint32_t end = s->n;
    while (s->n && is_word_char(s->p[s->n - 1]))
        s->n--;
    return (struct wr_str){s->p + s->n, end - s->n};
}

static bool one_of(struct wr_str word, const char *const *list)
{
    for (; *list; list++)
        if (wr_str_ieq_c(word, *list))
            return true;
    return false;
}

/* Text behind the "(" of the last WITH (...) that is still open; empty: none. */
static struct wr_str open_options(struct wr_str s)
{
    int depth = 0;
    for (uint32_t i = s.n; i-- > 0;) {
        if (s.p[i] == ')')
            depth++;
        if (s.p[i] != '(' || depth-- > 0)
            continue;
        struct wr_str head = {s.p, i};
        if (wr_str_ieq_c(last_word(&head), "with"))
            return (struct wr_str){s.p + i, s.n - i};
        depth = 0;
    }
    return (struct wr_str){0};
}

/* Value of `key = '...'` in options being typed. */
static struct wr_str option_value(struct wr_str options, const char *key)
{
    for (uint32_t i = 0; i + 1 < options.n; i++) {
        struct wr_str rest = {options.p + i, options.n - i};
        if (!begins(rest, wr_str_c(key)) || (i && is_word_char(options.p[i - 1])))
            continue;
        rest.p += strlen(key);
        rest.n -= (uint32_t)strlen(key);
        while (rest.n && (*rest.p == ' ' || *rest.p == '=' || *rest.p == '\'')) {
            rest.p++;
            rest.n--;
        }
        uint32_t n = 0;
        while (n < rest.n && (is_word_char(rest.p[n]) || rest.p[n] == '-'))
            n++;
        return (struct wr_str){rest.p, n};
    }
    return (struct wr_str){0};
}

/* The whole quoted text of `key = '...'`. */
static struct wr_str option_text(struct wr_str options, const char *key)
{
    struct wr_str v = option_value(options, key);
    const char *end = options.p + options.n;
    while (v.p && v.p + v.n < end && v.p[v.n] != '\'')
        v.n++;
    return v;
}

/* ---- words ---- */

static void offer_topic(void *ctx, struct wr_str name) { offer(ctx, name); }

static void offer_topics(const struct asked *a, struct wr_str brokers)
{
    union { const struct asked *c; void *v; } ctx = {a};
    wr_complete_topics(a->c, brokers, offer_topic, ctx.v);
}

static void offer_objects(const struct asked *a)
{
    enum wr_objkind kind;
    struct wr_str name;
    for (int i = 0; wr_catalog_object(a->c, i, &kind, &name); i++)
        offer(a, name);
}

static bool mentions(struct wr_str text, struct wr_str name)
{
    for (uint32_t i = 0; i + name.n <= text.n; i++) {
        bool edge = (i == 0 || !is_word_char(text.p[i - 1])) && (i + name.n == text.n || !is_word_char(text.p[i + name.n]) || text.p[i + name.n] == '.');
        if (edge && wr_str_ieq((struct wr_str){text.p + i, name.n}, name))
            return true;
    }
    return false;
}

/* Columns of the objects that the statement names so far; of all objects while it names none. */
static void offer_columns(const struct asked *a)
{
    enum wr_objkind kind;
    struct wr_str name;
    bool any = false;
    for (int pass = 0; pass < 2 && !any; pass++)
        for (int i = 0; wr_catalog_object(a->c, i, &kind, &name); i++) {
            bool named = mentions(a->before, name);
            const struct wr_schema *s = named || pass ? wr_catalog_columns(a->c, name) : NULL;
            any |= named;
            for (int k = 0; s && k < s->n; k++)
                if (!s->field[k].hidden)
                    offer(a, s->field[k].name);
        }
}

/* "sales.va": columns of sales. */
static bool offer_qualified(const struct asked *a)
{
    const char *dot = a->word.n ? memrchr(a->word.p, '.', a->word.n) : NULL;
    if (!dot)
        return false;
    struct wr_str object = {a->word.p, (uint32_t)(dot - a->word.p)};
    const struct wr_schema *s = wr_catalog_columns(a->c, object);
    for (int i = 0; s && i < s->n; i++) {
        struct wr_buf full = WR_BUF_INIT(1 << 12);
        wr_buf_str(&full, object);
        wr_buf_putc(&full, '.');
        wr_buf_str(&full, s->field[i].name);
        offer(a, wr_buf_get(&full));
        wr_buf_clear(&full);
    }
    return s != NULL;
}

static void offer_functions(const struct asked *a)
{
    for (int i = 0; i < wr_func_count(); i++) {
        const struct wr_func *f = wr_func_get(i);
        char text[64];
        uint32_t n = (uint32_t)strlen(f->name);
        if (f->flags & WR_F_HIDDEN || !is_word_char(f->name[0]) || n + 2 > sizeof text)
            continue;
        memcpy(text, f->name, n);
        text[n] = '(';
        offer(a, (struct wr_str){text, n + 1});
    }
    static const char *const others[] = {"count(", "sum(", "avg(", "min(", "max(", "window(", "session_window(", "stddev(", "first_value(", "last_value(",
                                         "min_by(", "max_by(", NULL};
    for (int i = 0; others[i]; i++)
        offer(a, wr_str_c(others[i]));
}

static void offer_settings(const struct asked *a)
{
    for (int i = 0; i < WR_SET_COUNT; i++)
        offer(a, wr_str_c(wr_setting_name((enum wr_setting)i)));
}

static void offer_option_names(const struct asked *a, struct wr_str options)
{
    struct wr_str name = option_value(options, "connector");
    const struct wr_connector *c = name.n ? wr_connector_find(name) : NULL;
    static const char *const common[] = {"connector", "format", "on_error", NULL};
    for (int i = 0; common[i]; i++)
        offer(a, wr_str_c(common[i]));
    for (const struct wr_optdesc *o = c ? c->opts : NULL; o && o->name; o++)
        offer(a, wr_str_c(o->name));
    struct wr_str format = option_value(options, "format");
    const struct wr_format *f = format.n ? wr_format_find(format) : NULL;
    for (const struct wr_optdesc *o = f ? f->opts : NULL; o && o->name; o++)
        offer(a, wr_str_c(o->name));
}

static void offer_list(const struct asked *a, const char *words, char sep)
{
    while (words && *words) {
        const char *end = strchr(words, sep);
        uint32_t n = end ? (uint32_t)(end - words) : (uint32_t)strlen(words);
        offer(a, (struct wr_str){words, n});
        words = end ? end + 1 : NULL;
    }
}

/* Inside the quotes of `key = '`. true: the name of a file is wanted. */
static bool offer_option_values(const struct asked *a, struct wr_str options)
{
    struct wr_str head = options;
    struct wr_str key = last_word(&head), name = option_value(options, "connector");
    const struct wr_connector *c = name.n ? wr_connector_find(name) : NULL;
    if (wr_str_ieq_c(key, "connector"))
        for (int i = 0; i < wr_connector_count(); i++)
            offer(a, wr_str_c(wr_connector_get(i)->name));
    else if (wr_str_ieq_c(key, "format") && c)
        offer_list(a, c->formats, ' ');
    for (const struct wr_optdesc *o = c ? c->opts : NULL; o && o->name; o++)
        if (wr_str_ieq_c(key, o->name) && o->kind == WR_OPT_ENUM)
            offer_list(a, o->choices, '|');
    if (wr_str_ieq_c(key, "topic"))
        offer_topics(a, option_text(options, "brokers"));
    return wr_str_ieq_c(key, "path") || wr_str_ieq_c(key, "ssl_ca") || wr_str_ieq_c(key, "ssl_certificate") || wr_str_ieq_c(key, "ssl_key");
}

/* Words that cannot be names, and those that people look for among the others. */
static void offer_keywords(const struct asked *a)
{
    static const char *const others[] = {"emit", "changes", "final", "every", "watermark", "idle timeout", "lateness", "interval", "insert", "filter", "key",
                                         "path", "metadata", NULL};
    bool reserved;
    for (int i = 0; wr_keyword(i, &reserved); i++)
        if (reserved)
            offer_keyword(a, wr_keyword(i, NULL));
    for (int i = 0; others[i]; i++)
        offer_keyword(a, others[i]);
}

/* ---- by place ---- */

/* PRINT ' or INFER SOURCE FROM ' */
static bool names_a_topic(struct wr_str before)
{
    struct wr_str word = last_word(&before);
    if (wr_str_ieq_c(word, "print"))
        return true;
    return wr_str_ieq_c(word, "from") && wr_str_ieq_c(last_word(&before), "source");
}

static bool after_backslash(const struct asked *a)
{
    struct wr_str line = a->before;
    while (line.n && (*line.p == ' ' || *line.p == '\n')) {
        line.p++;
        line.n--;
    }
    if (line.n == 0) {
        for (int i = 0; wr_meta_name(i); i++)
            offer(a, wr_str_c(wr_meta_name(i)));
        return false;
    }
    uint32_t n = 1;
    while (n < line.n && line.p[n] != ' ')
        n++;
    struct wr_str name = {line.p, n};
    static const char *const takes_file[] = {"\\i", "\\ir", "\\o", "\\g", "\\gx", NULL};
    struct wr_str rest = wr_str_trim((struct wr_str){line.p + n, line.n - n});
    if (one_of(name, takes_file) || (wr_str_eq_c(name, "\\copy") && rest.n))
        return true;
    if (wr_str_eq_c(name, "\\copy"))
        offer_objects(a);
    if (wr_str_eq_c(name, "\\chart"))
        offer_columns(a);
    if (wr_str_eq_c(name, "\\infer") || wr_str_eq_c(name, "\\topics")) {
        offer_topics(a, (struct wr_str){0});
        return wr_str_eq_c(name, "\\infer");
    }
    if (wr_str_eq_c(name, "\\d"))
        offer_objects(a);
    else if (wr_str_eq_c(name, "\\df"))
        for (int i = 0; i < wr_func_count(); i++)
            offer(a, wr_str_c(wr_func_get(i)->name));
    else if (wr_str_eq_c(name, "\\h"))
        for (int i = 0; wr_help_name(i); i++)
            offer_keyword(a, wr_help_name(i));
    else if (wr_str_eq_c(name, "\\pset"))
        offer_list(a, "format expanded null pager tuples_only changes", ' ');
    if (wr_str_eq_c(name, "\\format") || wr_str_eq_c(name, "\\pset"))
        offer_list(a, "aligned wrapped expanded csv ndjson markdown", ' ');
    if (wr_str_eq_c(name, "\\x") || wr_str_eq_c(name, "\\timing"))
        offer_list(a, "on off", ' ');
    return false;
}

bool wr_complete_word(struct wr_catalog *c, struct wr_str before, struct wr_str word, void (*add)(void *ctx, struct wr_str), void *ctx)
{
    static const char *const relations[] = {"from", "join", "into", "table", "describe", "desc", "source", "sink", "view", NULL};
    static const char *const nouns[] = {"sources", "sinks", "tables", "views", "functions", "connectors", "jobs", "create", "all", NULL};
    static const char *const starts[] = {"SELECT", "INSERT INTO", "CREATE SOURCE", "CREATE SINK", "CREATE VIEW", "CREATE TABLE", "DESCRIBE", "DROP", "EXPLAIN", "EXPLAIN WHY",
                                         "EXPLAIN ANALYZE", "SET", "SHOW", "RESET", "EXECUTE STATEMENT SET", "WITH", "PRINT", "INFER SOURCE FROM", "SUBMIT JOB",
                                         "STOP JOB", "RESUME JOB", "DROP JOB", NULL};
    struct asked a = {c, before, word, add, ctx};
    struct wr_str trimmed = wr_str_trim(before), head = before, options;
    if ((trimmed.n == 0 && word.n && word.p[0] == '\\') || (trimmed.n && trimmed.p[0] == '\\'))
        return after_backslash(&a);
    struct wr_str prev = last_word(&head);
    options = open_options(before);
    bool adjacent = trimmed.n && is_word_char(trimmed.p[trimmed.n - 1]); /* nothing but blanks behind prev */
    if (options.n) {
        if (trimmed.p[trimmed.n - 1] == '\'')
            return offer_option_values(&a, options);
        else
            offer_option_names(&a, options);
    } else if (trimmed.n == 0 || trimmed.p[trimmed.n - 1] == ';') {
        for (int i = 0; starts[i]; i++)
            offer_keyword(&a, starts[i]);
    } else if (trimmed.p[trimmed.n - 1] == '\'' && names_a_topic(trimmed)) {
        offer_topics(&a, (struct wr_str){0});
        return true;
    } else if (adjacent && (wr_str_ieq_c(prev, "set") || wr_str_ieq_c(prev, "reset"))) {
        offer_settings(&a);
    } else if (adjacent && wr_str_ieq_c(prev, "show")) {
        for (int i = 0; nouns[i]; i++)
            offer_keyword(&a, nouns[i]);
        offer_settings(&a);
    } else if (adjacent && one_of(prev, relations)) {
        offer_objects(&a);
    } else if (!offer_qualified(&a)) {
        offer_columns(&a);
        offer_objects(&a);
        offer_functions(&a);
        offer_keywords(&a);
    }
    return false;
}

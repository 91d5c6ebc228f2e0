/* options.c: WITH (key = 'value', ...): which keys exist, what their values may be, and typed reading of them.
 *
 * Rules:  a key is looked for in the connector's list, then its format's, then the common ones; case does not count, synonyms become the
 *         canonical name. A name ending in '*' stands for every key with that prefix, the rest is kept. Nothing unknown is let through.
 * Memory: checked options borrow from the raw ones or live in the arena given. */
#include "connectors/connector.h"

#include <errno.h>
#include <stdlib.h>

enum { CAND_MAX = 160 }; /* names compared for "did you mean" */

static const struct wr_optdesc common_opts[] = {
    {"connector", NULL, WR_AS_ANY, WR_OPT_TEXT, false, false, NULL, NULL, "what is outside: SHOW CONNECTORS lists them"},
    {"format", "value.format", WR_AS_ANY, WR_OPT_TEXT, false, false, NULL, NULL, "how records are written: json, csv, raw"},
    {"on_error", "on.error", WR_AS_SOURCE, WR_OPT_ENUM, false, false, "skip", "skip|fail|dlq",
     "bad records: counted and left out, the end of the job, or written to dlq_topic or dlq_table"},
    {"dlq_topic", "dlq.topic", WR_AS_SOURCE, WR_OPT_TEXT, false, false, NULL, NULL, "topic that takes the bad records"},
    {"dlq_brokers", "dlq.brokers", WR_AS_SOURCE, WR_OPT_TEXT, false, false, NULL, NULL, "with dlq_topic: brokers of that topic, if not the source's own"},
    {"dlq_table", "dlq.table", WR_AS_SOURCE, WR_OPT_TEXT, false, false, NULL, NULL, "table that takes the bad records; made if it is not there"},
    {"dlq_url", "dlq.url", WR_AS_SOURCE, WR_OPT_TEXT, false, true, NULL, NULL, "with dlq_table: the PostgreSQL it is in"},
    {"max_record_bytes", "max.record.bytes", WR_AS_SOURCE, WR_OPT_BYTES, false, false, "1 MiB", NULL,
     "larger records are bad and are not even parsed"},
    {"max_future_skew", "max.future.skew", WR_AS_SOURCE, WR_OPT_DURATION, false, false, "1 h", NULL,
     "rows whose event time is further past their record's own timestamp are bad; 0: not checked"},
    {"delivery", "sink.delivery-guarantee", WR_AS_SINK, WR_OPT_ENUM, false, false, NULL, "exactly-once|at-least-once",
     "what the sink promises after a failure; default: exactly-once where there are checkpoints and it can"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

/* ---- looking up ---- */

/* If `key` is `name` (or begins with it, where name ends in '*'): true, *rest is what follows the prefix. */
static bool name_matches(struct wr_str name, struct wr_str key, struct wr_str *rest)
{
    *rest = (struct wr_str){NULL, 0};
    if (name.n == 0 || name.p[name.n - 1] != '*')
        return wr_str_ieq(name, key);
    uint32_t n = name.n - 1;
    if (key.n <= n || !wr_str_ieq((struct wr_str){name.p, n}, (struct wr_str){key.p, n}))
        return false;
    *rest = (struct wr_str){key.p + n, key.n - n};
    return true;
}

/* The next blank-separated word of *list; empty: no more. */
static struct wr_str next_word(const char **list)
{
    const char *p = *list ? *list : "";
    while (*p == ' ')
        p++;
    const char *end = p;
    while (*end && *end != ' ')
        end++;
    *list = end;
    return (struct wr_str){p, (uint32_t)(end - p)};
}

static bool desc_matches(const struct wr_optdesc *d, struct wr_str key, struct wr_str *rest)
{
    if (name_matches(wr_str_c(d->name), key, rest))
        return true;
    const char *list = d->synonyms;
    for (struct wr_str w = next_word(&list); w.n; w = next_word(&list))
        if (name_matches(w, key, rest))
            return true;
    return false;
}

static const struct wr_optdesc *find_as(const struct wr_optdesc *list, int roles, struct wr_str key, struct wr_str *rest)
{
    for (; list && list->name; list++)
        if ((list->roles & roles) && desc_matches(list, key, rest))
            return list;
    return NULL;
}

static const struct wr_optdesc *find_in(const struct wr_optdesc *list, struct wr_str key, struct wr_str *rest)
{
    return find_as(list, WR_AS_ANY, key, rest);
}

/* The three lists that apply, in order. */
struct lists {
    const struct wr_optdesc *list[3];
};

static struct lists lists_of(const struct wr_connector *c, const struct wr_format *f)
{
    return (struct lists){{c ? c->opts : NULL, f ? f->opts : NULL, common_opts}};
}

/* One for this role, if there is one: a sink's on_error is not a source's. */
static const struct wr_optdesc *find(const struct lists *l, int role, struct wr_str key, struct wr_str *rest)
{
    for (int i = 0; i < 6; i++) {
        const struct wr_optdesc *d = find_as(l->list[i % 3], i < 3 ? role : WR_AS_ANY, key, rest);
        if (d)
            return d;
    }
    return NULL;
}

/* ---- values ---- */

static bool parse_int(struct wr_str s, int64_t *out)
{
    char text[32];
    s = wr_str_trim(s);
    if (s.n == 0 || s.n >= sizeof text)
        return false;
    memcpy(text, s.p, s.n);
    text[s.n] = 0;
    char *end;
    errno = 0;
    long long v = strtoll(text, &end, 10);
    if (errno || *end || end == text)
        return false;
    *out = v;
    return true;
}

static bool parse_bool(struct wr_str s, bool *out)
{
    static const char *const yes[] = {"true", "on", "yes", "1"}, *const no[] = {"false", "off", "no", "0"};
    s = wr_str_trim(s);
    for (int i = 0; i < 4; i++) {
        if (wr_str_ieq_c(s, yes[i]) || wr_str_ieq_c(s, no[i])) {
            *out = wr_str_ieq_c(s, yes[i]);
            return true;
        }
    }
    return false;
}

/* "1000", "64kB", "16 MiB": as in PostgreSQL's settings all units are powers of 1,024. */
static bool parse_bytes(struct wr_str s, int64_t *out)
{
    static const struct {
        const char *unit;
        int shift;
    } units[] = {{"", 0},     {"b", 0},    {"k", 10},  {"kb", 10},  {"kib", 10}, {"m", 20},  {"mb", 20},
                 {"mib", 20}, {"g", 30},   {"gb", 30}, {"gib", 30}, {"t", 40},   {"tb", 40}, {"tib", 40}};
    s = wr_str_trim(s);
    uint32_t digits = 0;
    while (digits < s.n && s.p[digits] >= '0' && s.p[digits] <= '9')
        digits++;
    int64_t v;
    if (!parse_int((struct wr_str){s.p, digits}, &v))
        return false;
    struct wr_str unit = wr_str_trim((struct wr_str){s.p + digits, s.n - digits});
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (wr_str_ieq_c(unit, units[i].unit)) {
            if (v > INT64_MAX >> units[i].shift)
                return false;
            *out = v << units[i].shift;
            return true;
        }
    }
    return false;
}

/* The choice that `s` spells, as the list spells it; empty: none. */
static struct wr_str pick_choice(const char *choices, struct wr_str s)
{
    for (const char *p = choices; p && *p;) {
        const char *end = strchr(p, '|');
        struct wr_str one = {p, end ? (uint32_t)(end - p) : (uint32_t)strlen(p)};
        if (wr_str_ieq(one, s))
            return one;
        p = end ? end + 1 : NULL;
    }
    return (struct wr_str){NULL, 0};
}

static const char *kind_wants(enum wr_optkind kind)
{
    switch (kind) {
    case WR_OPT_TEXT: return "text";
    case WR_OPT_INT: return "a whole number";
    case WR_OPT_BOOL: return "true or false";
    case WR_OPT_DURATION: return "a duration such as '30 s' or '5 min'";
    case WR_OPT_BYTES: return "a size such as '64 kB' or '16 MiB'";
    case WR_OPT_ENUM: return "one of a list";
    }
    return "";
}

static wr_status check_value(const struct wr_optdesc *d, struct wr_opt *o, struct wr_error *err)
{
    int64_t i;
    bool b, good = false;
    struct wr_str choice;
    switch (d->kind) {
    case WR_OPT_TEXT: good = true; break;
    case WR_OPT_INT: good = parse_int(o->value, &i); break;
    case WR_OPT_BOOL: good = parse_bool(o->value, &b); break;
    case WR_OPT_DURATION: good = wr_duration_parse(o->value, &i); break;
    case WR_OPT_BYTES: good = parse_bytes(o->value, &i); break;
    case WR_OPT_ENUM:
        choice = pick_choice(d->choices, wr_str_trim(o->value));
        good = choice.n > 0;
        if (good)
            o->value = choice;
        break;
    }
    if (good)
        return WR_OK;
    if (d->secret)
        wr_fail_at(err, WR_ESQL, o->off, "option \"%.*s\" has a value that is not %s", WR_FMT(o->key), kind_wants(d->kind));
    else
        wr_fail_at(err, WR_ESQL, o->off, "option \"%.*s\" cannot be \"%.*s\"", WR_FMT(o->key), WR_FMT(o->value));
    if (d->kind == WR_OPT_ENUM)
        wr_hint(err, "it is one of: %s", d->choices);
    else
        wr_hint(err, "it is %s", kind_wants(d->kind));
    return WR_ESQL;
}

/* ---- checking ---- */

static const char *role_word(int roles)
{
    if (roles == WR_AS_SOURCE)
        return "sources";
    if (roles == WR_AS_SINK)
        return "sinks";
    return "lookup tables";
}

/* "unknown option", with the nearest of those that may be used here. */
static wr_status unknown(const struct wr_connector *c, const struct lists *l, enum wr_role role, const struct wr_opt *o,
                         struct wr_error *err)
{
    struct wr_str cand[CAND_MAX], rest;
    int n = 0;
    for (int i = 0; i < 3; i++) {
        for (const struct wr_optdesc *d = l->list[i]; d && d->name; d++) {
            if (!(d->roles & (int)role))
                continue;
            const char *list = d->synonyms;
            struct wr_str w = wr_str_c(d->name);
            for (; w.n && n < CAND_MAX; w = next_word(&list))
                if (w.p[w.n - 1] != '*')
                    cand[n++] = w;
        }
    }
    wr_fail_at(err, WR_ESQL, o->off, "unknown option \"%.*s\" for connector \"%s\"", WR_FMT(o->key), c->name);
    struct wr_str near = wr_str_nearest(o->key, cand, n);
    if (near.n) {
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
        return WR_ESQL;
    }
    static const char *const formats[] = {"json", "csv", "raw"};
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const struct wr_format *f = wr_format_find(wr_str_c(formats[i]));
        if (f && find_in(f->opts, o->key, &rest)) {
            wr_hint(err, "it belongs to format = '%s'", formats[i]);
            return WR_ESQL;
        }
    }
    struct wr_buf all = WR_BUF_INIT(0);
    for (const struct wr_optdesc *d = c->opts; d && d->name; d++) {
        if (d->roles & (int)role)
            wr_buf_printf(&all, "%s%s", all.n ? ", " : "", d->name);
    }
    if (all.n)
        wr_hint(err, "it has: %.*s", WR_FMT(wr_buf_get(&all)));
    wr_buf_clear(&all);
    return WR_ESQL;
}

static wr_status check_role(const struct wr_connector *c, enum wr_role role, int32_t off, struct wr_error *err)
{
    bool source = (role & WR_AS_SOURCE) && c->source, sink = (role & WR_AS_SINK) && c->sink;
    if (source || sink || (role & WR_AS_LOOKUP))
        return WR_OK;
    const char *is = c->source ? "source" : "sink", *asked = role & WR_AS_SOURCE ? "source" : "sink";
    return wr_fail_at(err, WR_ESQL, off, "connector \"%s\" is a %s, not a %s", c->name, is, asked);
}

static wr_status check_required(const struct wr_connector *c, const struct lists *l, enum wr_role role, const struct wr_opts *got,
                                int32_t off, struct wr_error *err)
{
    for (int i = 0; i < 3; i++) {
        for (const struct wr_optdesc *d = l->list[i]; d && d->name; d++) {
            struct wr_str value;
            if (!d->required || (d->roles & (int)role) != (int)role || wr_opt_text(got, d->name, &value))
                continue;
            wr_fail_at(err, WR_ESQL, off, "connector \"%s\" needs the option \"%s\"", c->name, d->name);
            wr_hint(err, "add %s = '...': %s", d->name, d->help);
            return WR_ESQL;
        }
    }
    return WR_OK;
}

static wr_status check_one(const struct wr_connector *c, const struct lists *l, enum wr_role role, const struct wr_opt *raw,
                           struct wr_arena *a, struct wr_opts *out, struct wr_opt *list, struct wr_error *err)
{
    struct wr_str rest;
    const struct wr_optdesc *d = find(l, (int)role, raw->key, &rest);
    if (!d)
        return unknown(c, l, role, raw, err);
    if (!(d->roles & (int)role))
        return wr_fail_at(err, WR_ESQL, raw->off, "option \"%.*s\" of connector \"%s\" is for %s", WR_FMT(raw->key), c->name,
                          role_word(d->roles));
    struct wr_opt o = *raw;
    o.key = wr_str_c(d->name);
    if (rest.n)
        o.key = wr_arena_printf(a, "%.*s%.*s", (int)(o.key.n - 1), o.key.p, WR_FMT(rest));
    for (int i = 0; i < out->n; i++) {
        if (wr_str_eq(list[i].key, o.key)) {
            wr_fail_at(err, WR_ESQL, raw->off, "option \"%.*s\" is given twice", WR_FMT(o.key));
            if (!wr_str_eq(o.key, raw->key))
                wr_hint(err, "\"%.*s\" is another name of it", WR_FMT(raw->key));
            return WR_ESQL;
        }
    }
    WR_TRY(check_value(d, &o, err));
    list[out->n++] = o;
    return WR_OK;
}

wr_status wr_opts_check(const struct wr_connector *c, const struct wr_format *f, enum wr_role role, const struct wr_opts *raw,
                        struct wr_arena *a, struct wr_opts *out, struct wr_error *err)
{
    struct lists l = lists_of(c, f);
    struct wr_opt *list = WR_NEW_N(a, struct wr_opt, raw->n + 1);
    int32_t off = -1; /* of the connector's name, for errors about no option in particular */
    *out = (struct wr_opts){0, list};
    for (int i = 0; i < raw->n; i++)
        if (wr_str_ieq_c(raw->opt[i].key, "connector"))
            off = raw->opt[i].off;
    WR_TRY(check_role(c, role, off, err));
    for (int i = 0; i < raw->n; i++)
        WR_TRY(check_one(c, &l, role, &raw->opt[i], a, out, list, err));
    return check_required(c, &l, role, out, off, err);
}

bool wr_opt_is_secret(const struct wr_connector *c, struct wr_str key)
{
    static const char *const words[] = {"password", "passwd", "secret", "token", "keystore", "key.pem", "credential"};
    struct lists l = lists_of(c, NULL);
    struct wr_str rest;
    const struct wr_optdesc *d = find(&l, WR_AS_ANY, key, &rest);
    if (d && d->secret)
        return true;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        uint32_t n = (uint32_t)strlen(words[i]);
        for (uint32_t at = 0; at + n <= key.n; at++)
            if (wr_str_ieq_c((struct wr_str){key.p + at, n}, words[i]))
                return true;
    }
    return false;
}

static bool allows_format(const struct wr_connector *c, struct wr_str name)
{
    const char *list = c->formats;
    for (struct wr_str w = next_word(&list); w.n; w = next_word(&list))
        if (wr_str_ieq(w, name))
            return true;
    return false;
}

wr_status wr_format_choose(const struct wr_connector *c, const struct wr_opts *raw, const struct wr_format **f, struct wr_error *err)
{
    struct wr_str rest;
    *f = NULL;
    if (find_in(c->opts, WR_STR("format"), &rest))
        return WR_OK; /* the connector's own option: the console's table, ndjson, csv */
    const char *list = c->formats;
    struct wr_opt asked = {.value = next_word(&list), .off = -1};
    const struct wr_optdesc *desc = find_in(common_opts, WR_STR("format"), &rest);
    for (int i = 0; i < raw->n; i++) {
        if (!desc_matches(desc, raw->opt[i].key, &rest))
            continue;
        asked = raw->opt[i];
        if (!c->formats)
            return wr_fail_at(err, WR_ESQL, asked.off, "connector \"%s\" takes no format", c->name);
    }
    if (!c->formats)
        return WR_OK;
    struct wr_str name = wr_str_trim(asked.value);
    *f = wr_format_find(name);
    if (!allows_format(c, *f ? wr_str_c((*f)->name) : name)) {
        *f = NULL;
        wr_fail_at(err, WR_ESQL, asked.off, "connector \"%s\" has no format \"%.*s\"", c->name, WR_FMT(name));
        wr_hint(err, "it has: %s", c->formats);
        return WR_ESQL;
    }
    if (!*f)
        return wr_fail_at(err, WR_ESQL, asked.off, "format \"%.*s\" is not built in", WR_FMT(name));
    return WR_OK;
}

/* ---- typed readers ---- */

bool wr_opt_text(const struct wr_opts *o, const char *name, struct wr_str *out)
{
    for (int i = 0; o && i < o->n; i++) {
        if (wr_str_eq_c(o->opt[i].key, name)) {
            *out = o->opt[i].value;
            return true;
        }
    }
    return false;
}

struct wr_str wr_opt_text_or(const struct wr_opts *o, const char *name, const char *def)
{
    struct wr_str s;
    return wr_opt_text(o, name, &s) ? s : wr_str_c(def);
}

int64_t wr_opt_int(const struct wr_opts *o, const char *name, int64_t def)
{
    struct wr_str s;
    int64_t v;
    return wr_opt_text(o, name, &s) && parse_int(s, &v) ? v : def;
}

bool wr_opt_bool(const struct wr_opts *o, const char *name, bool def)
{
    struct wr_str s;
    bool v;
    return wr_opt_text(o, name, &s) && parse_bool(s, &v) ? v : def;
}

int64_t wr_opt_duration(const struct wr_opts *o, const char *name, int64_t def_us)
{
    struct wr_str s;
    int64_t v;
    return wr_opt_text(o, name, &s) && wr_duration_parse(s, &v) ? v : def_us;
}

int64_t wr_opt_bytes(const struct wr_opts *o, const char *name, int64_t def)
{
    struct wr_str s;
    int64_t v;
    return wr_opt_text(o, name, &s) && parse_bytes(s, &v) ? v : def;
}

char *wr_opt_cstr(const struct wr_opts *o, const char *name, struct wr_arena *a)
{
    struct wr_str s;
    if (!wr_opt_text(o, name, &s))
        return NULL;
    char *z = wr_arena_bytes(a, (size_t)s.n + 1);
    if (s.n)
        memcpy(z, s.p, s.n);
    z[s.n] = 0;
    return z;
}

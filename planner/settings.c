/* settings.c: SET, RESET and what they set. The table is settings.def.
 * Rules:  names are case-blind, "state.ttl" and state_ttl alike where the table says so; a value is checked when it is set.
 * Memory: texts in the catalog's arena. */
#include "planner/catalog.h"
#include "core/time.h"
#include <stdlib.h>
#include <errno.h>

enum kind { INT, BOOL, DURATION, BYTES, TEXT, ENUM };
struct desc {
    const char *name;
    enum kind kind;
    const char *def;
    int64_t min, max;      /* -1: no bound */
    const char *choices;   /* ENUM: a|b */
    const char *synonyms;  /* separated by blanks */
    const char *help;
};
static const struct desc table[WR_SET_COUNT] = {
#define WR_SETTING(id, name, kind, def, min, max, choices, synonyms, help) {name, kind, def, min, max, choices, synonyms, help},
#include "planner/settings.def"
#undef WR_SETTING
};

/* Next word of a list separated by `sep`; false: no more. */
static bool next_word(const char **at, char sep, struct wr_str *word)
{
    while (**at == sep)
        ++*at;
    const char *start = *at;
    while (**at && **at != sep)
        ++*at;
    *word = (struct wr_str){start, (uint32_t)(*at - start)};
    return word->n > 0;
}

bool wr_setting_find(struct wr_str name, enum wr_setting *s)
{
    for (int i = 0; i < WR_SET_COUNT; i++) {
        const char *at = table[i].synonyms;
        struct wr_str word;
        bool hit = wr_str_ieq_c(name, table[i].name);
        while (!hit && next_word(&at, ' ', &word))
            hit = wr_str_ieq(name, word);
        if (hit) {
            *s = (enum wr_setting)i;
            return true;
        }
    }
    return false;
}

static wr_status unknown(struct wr_str name, int32_t off, struct wr_error *err)
{
    struct wr_str cand[WR_SET_COUNT * 6];
    int n = 0;
    for (int i = 0; i < WR_SET_COUNT; i++) {
        const char *at = table[i].synonyms;
        struct wr_str word;
        cand[n++] = wr_str_c(table[i].name);
        while (n < WR_SET_COUNT * 6 && next_word(&at, ' ', &word))
            cand[n++] = word;
    }
    struct wr_str near = wr_str_nearest(name, cand, n);
    wr_status code = off < 0 ? WR_EUSAGE : WR_ESQL;
    wr_fail_at(err, code, off, "there is no setting \"%.*s\"", WR_FMT(name));
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else if (wr_str_ieq_c(name, "auto.offset.reset"))
        wr_hint(err, "where reading begins is an option of the source: WITH (..., start = 'earliest')");
    else
        wr_hint(err, "SHOW ALL lists the settings");
    return code;
}

static bool parse_whole(struct wr_str v, int64_t *out)
{
    char text[32];
    if (v.n == 0 || v.n >= sizeof text)
        return false;
    memcpy(text, v.p, v.n);
    text[v.n] = 0;
    char *end;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return errno == 0 && *end == 0;
}

static bool parse_bool(struct wr_str v, int64_t *out)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "0", "1"};
    for (int i = 0; i < 8; i++)
        if (wr_str_ieq_c(v, words[i])) {
            *out = i & 1;
            return true;
        }
    return false;
}

/* "16 MiB", "64kB", "1000" */
static bool parse_bytes(struct wr_str v, int64_t *out)
{
    static const struct { const char *unit; int64_t factor; } units[] = {
        {"", 1}, {"b", 1}, {"k", 1024}, {"kb", 1000}, {"kib", 1024}, {"m", 1 << 20}, {"mb", 1000000}, {"mib", 1 << 20},
        {"g", 1 << 30}, {"gb", 1000000000}, {"gib", 1 << 30},
    };
    uint32_t digits = 0;
    while (digits < v.n && v.p[digits] >= '0' && v.p[digits] <= '9')
        digits++;
    struct wr_str unit = wr_str_trim((struct wr_str){v.p + digits, v.n - digits});
    int64_t n;
    if (!parse_whole((struct wr_str){v.p, digits}, &n))
        return false;
    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (wr_str_ieq_c(unit, units[i].unit))
            return !__builtin_mul_overflow(n, units[i].factor, out);
    return false;
}

static bool parse_choice(const char *choices, struct wr_str v, int64_t *out)
{
    struct wr_str word;
    for (int64_t i = 0; next_word(&choices, '|', &word); i++)
        if (wr_str_ieq(word, v)) {
            *out = i;
            return true;
        }
    return false;
}

static bool parse_value(const struct desc *d, struct wr_str v, int64_t *out)
{
    *out = 0;
    bool ok = false;
    switch (d->kind) {
    case INT: ok = parse_whole(v, out); break;
    case BOOL: ok = parse_bool(v, out); break;
    case DURATION: ok = wr_duration_parse(v, out); break;
    case BYTES: ok = parse_bytes(v, out); break;
    case ENUM: ok = parse_choice(d->choices, v, out); break;
    case TEXT: ok = true; break;
    }
    if (d->kind == TEXT || d->kind == ENUM)
        return ok;
    return ok && (d->min < 0 || *out >= d->min) && (d->max < 0 || *out <= d->max);
}

static wr_status bad_value(const struct desc *d, struct wr_str v, int32_t off, struct wr_error *err)
{
    static const char *const want[] = {"a whole number", "true or false", "a duration such as '30 s'", "a size such as '64 MiB'", "a text", ""};
    wr_status code = off < 0 ? WR_EUSAGE : WR_ESQL;
    wr_fail_at(err, code, off, "setting \"%s\" cannot be \"%.*s\"", d->name, WR_FMT(v));
    if (d->kind == ENUM)
        wr_hint(err, "it is one of %s", d->choices);
    else if (d->kind == INT && d->min >= 0 && d->max >= 0)
        wr_hint(err, "it is %s from %lld to %lld", want[d->kind], (long long)d->min, (long long)d->max);
    else
        wr_hint(err, "it is %s", want[d->kind]);
    return code;
}

wr_status wr_setting_put(struct wr_catalog *c, struct wr_str name, struct wr_str value, int32_t off, struct wr_error *err)
{
    enum wr_setting s;
    int64_t i;
    if (!wr_setting_find(name, &s))
        return unknown(name, off, err);
    value = wr_str_trim(value);
    if (!parse_value(&table[s], value, &i))
        return bad_value(&table[s], value, off, err);
    c->set[s].given = true;
    c->set[s].i = i;
    c->set[s].text = wr_arena_str(&c->mem, value);
    return WR_OK;
}

wr_status wr_setting_reset(struct wr_catalog *c, struct wr_str name, int32_t off, struct wr_error *err)
{
    enum wr_setting s;
    if (name.n == 0) {
        for (int i = 0; i < WR_SET_COUNT; i++)
            c->set[i].given = false;
        return WR_OK;
    }
    if (!wr_setting_find(name, &s))
        return unknown(name, off, err);
    c->set[s].given = false;
    return WR_OK;
}

int64_t wr_setting_int(const struct wr_catalog *c, enum wr_setting s)
{
    int64_t i = 0;
    if (c->set[s].given)
        return c->set[s].i;
    if (!parse_value(&table[s], wr_str_c(table[s].def), &i))
        WR_BUG("default of \"%s\" is no value of it", table[s].name);
    return i;
}

struct wr_str wr_setting_text(const struct wr_catalog *c, enum wr_setting s)
{
    if (!c->set[s].given)
        return wr_str_c(table[s].def);
    if (table[s].kind != ENUM)
        return c->set[s].text;
    const char *at = table[s].choices;
    struct wr_str word = {0};
    for (int64_t i = 0; next_word(&at, '|', &word) && i < c->set[s].i; i++)
        ;
    return word;
}

bool wr_setting_given(const struct wr_catalog *c, enum wr_setting s)
{
    return c->set[s].given;
}

const char *wr_setting_name(enum wr_setting s)
{
    return table[s].name;
}

const char *wr_setting_help(enum wr_setting s)
{
    return table[s].help;
}

/* func_json.c: taking JSON values apart and putting them together.
 * Rules:  - work is done on the text; nothing is built in memory but the result. Of a member that comes twice the last counts;
 *         - paths: $, .name, ."name", ['name'], [n] from 0, [-n] from the end; "lax" and "strict" before them change nothing. A path that
 *           leads nowhere gives NULL;
 *         - a JSON value is well-formed by its type. TEXT may be given instead of JSON to the json_* functions with a path; text that is no
 *           JSON gives NULL there.
 * Memory: parts borrow from the argument; unescaped text and what is built go to ev->mem. A constant path is prepared in the plan's arena. */
#include "core/json.h"
#include "core/kernel.h"
#include "core/nested.h"
#include "core/number.h"
#include <stdlib.h>

/* ---- steps into a value ---- */

/* Member of an object. */
static bool member(struct wr_str raw, struct wr_str name, struct wr_str *out)
{
    struct wr_json_iter it;
    struct wr_str key, value;
    bool found = false;
    if (!wr_json_iter(&it, raw) || !it.object)
        return false;
    while (wr_json_next(&it, &key, &value))
        if (wr_json_key_is(key, name)) {
            *out = value;
            found = true;
        }
    return found && !it.bad;
}

static int64_t count(struct wr_str raw)
{
    struct wr_json_iter it;
    struct wr_str key, value;
    int64_t n = 0;
    if (!wr_json_iter(&it, raw) || it.object)
        return -1;
    while (wr_json_next(&it, &key, &value))
        n++;
    return it.bad ? -1 : n;
}

/* Element of an array, from 0; negative from the end. */
static bool element(struct wr_str raw, int64_t i, struct wr_str *out)
{
    struct wr_json_iter it;
    struct wr_str key;
    if (i < 0) {
        int64_t n = count(raw);
        i = i < -n ? -1 : i + n;
    }
    if (i < 0 || !wr_json_iter(&it, raw) || it.object)
        return false;
    while (wr_json_next(&it, &key, out))
        if (i-- == 0)
            return true;
    return false;
}

/* ---- paths ---- */

struct step {
    bool index;
    int64_t i;
    struct wr_str name;
};
struct path {
    int n;
    struct step *step;
};

static bool word_char(char ch)
{
    return (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' || ch == '-' || ch == '$' || (ch & 0x80);
}

/* A name in quotes (either kind), a backslash takes the next character as it is. */
static bool quoted_name(struct wr_arena *a, struct wr_str *in, struct wr_str *name)
{
    char quote = in->p[0], *p = wr_arena_bytes(a, in->n);
    uint32_t n = 0, i = 1;
    for (; i < in->n && in->p[i] != quote; i++) {
        if (in->p[i] == '\\' && i + 1 < in->n)
            i++;
        p[n++] = in->p[i];
    }
    if (i == in->n)
        return false;
    *name = (struct wr_str){p, n};
    *in = (struct wr_str){in->p + i + 1, in->n - i - 1};
    return true;
}

static bool path_step(struct wr_arena *a, struct wr_str *in, struct step *s)
{
    bool bracket = in->p[0] == '[';
    *s = (struct step){0};
    if (!bracket && in->p[0] != '.')
        return false;
    *in = (struct wr_str){in->p + 1, in->n - 1};
    if (in->n == 0)
        return false;
    if (in->p[0] == '"' || (bracket && in->p[0] == '\'')) {
        if (!quoted_name(a, in, &s->name))
            return false;
    } else {
        uint32_t n = 0;
        while (n < in->n && word_char(in->p[n]))
            n++;
        s->name = (struct wr_str){in->p, n};
        s->index = bracket;
        bool range;
        if (n == 0 || (bracket && !wr_int_parse(s->name, &s->i, &range)))
            return false;
        *in = (struct wr_str){in->p + n, in->n - n};
    }
    if (!bracket)
        return true;
    if (in->n == 0 || in->p[0] != ']')
        return false;
    *in = (struct wr_str){in->p + 1, in->n - 1};
    return true;
}

static struct wr_str skip_word(struct wr_str s, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);
    if (s.n > n && wr_str_ieq_c((struct wr_str){s.p, n}, word) && s.p[n] == ' ')
        return wr_str_trim((struct wr_str){s.p + n, s.n - n});
    return s;
}

static bool path_read(struct wr_arena *a, struct wr_str text, struct path *p)
{
    struct wr_str in = skip_word(skip_word(wr_str_trim(text), "lax"), "strict");
    *p = (struct path){0};
    if (in.n == 0 || in.p[0] != '$')
        return false;
    in = (struct wr_str){in.p + 1, in.n - 1};
    p->step = WR_NEW_N(a, struct step, in.n / 2 + 1); /* a step takes two characters at least */
    while (in.n)
        if (!path_step(a, &in, &p->step[p->n++]))
            return false;
    return true;
}

static bool path_walk(const struct path *p, struct wr_str raw, struct wr_str *out)
{
    *out = raw;
    for (int i = 0; i < p->n; i++)
        if (!(p->step[i].index ? element(*out, p->step[i].i, out) : member(*out, p->step[i].name, out)))
            return false;
    return true;
}

static wr_status path_bind(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, const void **data,
                           struct wr_error *err)
{
    struct wr_str text;
    if (!wr_arg_text(arg[1], &text))
        return WR_OK;
    struct path *p = WR_NEW(a, struct path);
    if (!path_read(a, text, p)) {
        wr_fail_at(err, WR_ESQL, arg[1]->off, "\"%.*s\" is not a JSON path", WR_FMT(text));
        wr_hint(err, "a path looks like $.order.items[0].price");
        return WR_ESQL;
    }
    *data = p;
    return WR_OK;
}

/* Follows the row's path (argument 1) into its value (argument 0). */
static bool row_path(struct wr_eval *ev, const struct wr_call *c, uint32_t row, struct wr_str *out)
{
    struct wr_str raw = wr_str_trim(WR_ARG_S(0, row));
    struct path own;
    const struct path *p = c->data;
    if (!p) {
        if (!path_read(ev->mem, WR_ARG_S(1, row), &own)) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "\"%.*s\" is not a JSON path", WR_FMT(WR_ARG_S(1, row)));
            return false;
        }
        p = &own;
    }
    if (c->arg[0].type.id == WR_T_TEXT && !wr_json_valid(raw))
        return false;
    return path_walk(p, raw, out);
}

/* ---- what a found piece becomes ---- */

/* TEXT: a string's characters, null is NULL, all else its JSON text. */
static void put_as_text(struct wr_eval *ev, struct wr_str raw, struct wr_vec *out, uint32_t row)
{
    enum wr_json_kind kind = wr_json_kind(raw);
    if (kind == WR_JSON_NULL || kind == WR_JSON_BAD)
        wr_out_null(ev, out, row);
    else if (kind != WR_JSON_STRING)
        WR_VEC_STR(out)[row] = raw;
    else if (!wr_json_text(raw, ev->mem, &WR_VEC_STR(out)[row])) {
        wr_eval_bad(ev, row, WR_R_UTF8, "an escape in the JSON text means no character");
        WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
    }
}

static void put_found(struct wr_eval *ev, bool found, struct wr_str raw, struct wr_vec *out, uint32_t row)
{
    if (!found)
        wr_out_null(ev, out, row);
    else if (out->type.id == WR_T_JSON)
        WR_VEC_STR(out)[row] = raw;
    else
        put_as_text(ev, raw, out, row);
}

/* ---- operators ---- */

WR_KERNEL(k_member)
{
    WR_ROWS(row) {
        struct wr_str part = {NULL, 0};
        put_found(ev, member(WR_ARG_S(0, row), WR_ARG_S(1, row), &part), part, out, row);
    }
}
WR_KERNEL(k_element)
{
    WR_ROWS(row) {
        struct wr_str part = {NULL, 0};
        put_found(ev, element(WR_ARG_S(0, row), WR_ARG_I(1, row), &part), part, out, row);
    }
}

/* One key of a PostgreSQL path: a member of objects, a number into arrays. */
static bool key_step(struct wr_str *raw, struct wr_str key)
{
    int64_t i;
    bool range;
    if (wr_json_kind(*raw) == WR_JSON_ARRAY)
        return wr_int_parse(key, &i, &range) && element(*raw, i, raw);
    return member(*raw, key, raw);
}
static bool walk_array(struct wr_type type, struct wr_str keys, struct wr_str *raw)
{
    struct wr_nested_iter it;
    struct wr_value key;
    if (!wr_nested_iter(&it, type, keys))
        return false;
    while (wr_nested_next(&it, &key))
        if (key.null || !key_step(raw, key.as.s))
            return false;
    return true;
}
/* '{a,0,b}' */
static bool walk_braces(struct wr_arena *mem, struct wr_str keys, struct wr_str *raw)
{
    if (keys.n < 2 || keys.p[0] != '{' || keys.p[keys.n - 1] != '}')
        return false;
    keys = (struct wr_str){keys.p + 1, keys.n - 2};
    while (keys.n) {
        struct wr_str key;
        if (keys.p[0] == '"') {
            if (!quoted_name(mem, &keys, &key))
                return false;
        } else {
            const char *end = memchr(keys.p, ',', keys.n);
            uint32_t n = end ? (uint32_t)(end - keys.p) : keys.n;
            key = wr_str_trim((struct wr_str){keys.p, n});
            keys = (struct wr_str){keys.p + n, keys.n - n};
        }
        if (!key_step(raw, key))
            return false;
        if (keys.n)
            keys = (struct wr_str){keys.p + 1, keys.n - 1};
    }
    return true;
}
WR_KERNEL(k_keys)
{
    WR_ROWS(row) {
        struct wr_str raw = wr_str_trim(WR_ARG_S(0, row));
        bool found = c->arg[1].type.id == WR_T_ARRAY ? walk_array(c->arg[1].type, WR_ARG_S(1, row), &raw) : walk_braces(ev->mem, WR_ARG_S(1, row), &raw);
        put_found(ev, found, raw, out, row);
    }
}
/* json_extract_path(json, key, key ...) */
WR_KERNEL(k_key_list)
{
    WR_ROWS(row) {
        struct wr_str raw = wr_str_trim(WR_ARG_S(0, row));
        bool found = true;
        for (int i = 1; i < c->n_arg && found; i++)
            found = key_step(&raw, WR_ARG_S(i, row));
        put_found(ev, found, raw, out, row);
    }
}

/* ---- functions with a path ---- */

WR_KERNEL(k_extract)
{
    WR_ROWS(row) {
        struct wr_str raw = {NULL, 0};
        put_found(ev, row_path(ev, c, row, &raw), raw, out, row);
    }
}
static bool is_scalar(struct wr_str raw)
{
    enum wr_json_kind kind = wr_json_kind(raw);
    return kind != WR_JSON_ARRAY && kind != WR_JSON_OBJECT;
}
WR_KERNEL(k_value)
{
    WR_ROWS(row) {
        struct wr_str raw = {NULL, 0};
        bool found = row_path(ev, c, row, &raw);
        put_found(ev, found && is_scalar(raw), raw, out, row);
    }
}
WR_KERNEL(k_query)
{
    WR_ROWS(row) {
        struct wr_str raw = {NULL, 0};
        bool found = row_path(ev, c, row, &raw);
        put_found(ev, found && !is_scalar(raw), raw, out, row);
    }
}
WR_KERNEL(k_exists)
{
    WR_ROWS(row) {
        struct wr_str raw;
        WR_VEC_I8(out)[row] = row_path(ev, c, row, &raw);
    }
}

/* ---- about a value ---- */

WR_KERNEL(k_array_length)
{
    WR_ROWS(row) {
        int64_t n_element = count(wr_str_trim(WR_ARG_S(0, row)));
        if (n_element < 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "cannot get the array length of what is no JSON array");
        WR_VEC_I64(out)[row] = n_element;
    }
}
WR_KERNEL(k_typeof)
{
    static const char *const name[] = {"", "null", "boolean", "number", "string", "array", "object"};
    WR_ROWS(row) WR_VEC_STR(out)[row] = wr_str_c(name[wr_json_kind(wr_str_trim(WR_ARG_S(0, row)))]);
}
WR_KERNEL(k_valid)
{
    WR_ROWS(row) WR_VEC_I8(out)[row] = wr_json_valid(WR_ARG_S(0, row));
}
/* json_keys(object): ARRAY of its members' names */
WR_KERNEL(k_names)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_json_iter it;
        struct wr_str key, value;
        struct wr_nested_maker m;
        if (!wr_json_iter(&it, wr_str_trim(WR_ARG_S(0, row))) || !it.object) {
            wr_out_null(ev, out, row);
            continue;
        }
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        while (wr_json_next(&it, &key, &value)) {
            struct wr_value v = {.type = WR_TYPE_OF(TEXT)};
            v.null = !wr_json_text(key, ev->mem, &v.as.s);
            wr_nested_put(&m, &v);
        }
        wr_nested_close(&m);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

/* ---- building ---- */

static void put_value(struct wr_buf *b, const struct wr_call *c, int i, uint32_t row)
{
    if (WR_ARG_NULL(i, row))
        wr_buf_puts(b, "null");
    else
        wr_print_vec(b, &c->arg[i], WR_AT(i, row), WR_STYLE_JSON);
}
static void done(struct wr_eval *ev, struct wr_buf *b, struct wr_vec *out, uint32_t row)
{
    if (b->overflow)
        WR_BAD_TOO_LONG(ev, row);
    WR_VEC_STR(out)[row] = wr_out_text(ev, b);
}
WR_KERNEL(k_to_json)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        wr_buf_reset(&b);
        put_value(&b, c, 0, row);
        done(ev, &b, out, row);
    }
    wr_buf_clear(&b);
}
WR_KERNEL(k_build_array)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        wr_buf_reset(&b);
        wr_buf_putc(&b, '[');
        for (int i = 0; i < c->n_arg; i++) {
            if (i)
                wr_buf_puts(&b, ", ");
            put_value(&b, c, i, row);
        }
        wr_buf_putc(&b, ']');
        done(ev, &b, out, row);
    }
    wr_buf_clear(&b);
}

/* A name is always a JSON string, whatever its type. */
static void put_name(struct wr_buf *b, struct wr_buf *tmp, const struct wr_call *c, int i, uint32_t row)
{
    wr_buf_reset(tmp);
    if (c->arg[i].type.id == WR_T_BOOL)
        wr_buf_puts(tmp, WR_ARG_B(i, row) ? "true" : "false");
    else
        wr_print_vec(tmp, &c->arg[i], WR_AT(i, row), WR_STYLE_SQL);
    wr_json_quote(b, wr_buf_get(tmp));
}
WR_KERNEL(k_build_object)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX), tmp = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        wr_buf_reset(&b);
        wr_buf_putc(&b, '{');
        for (int i = 0; i + 1 < c->n_arg; i += 2) {
            if (WR_ARG_NULL(i, row)) {
                wr_eval_bad(ev, row, WR_R_ARGUMENT, "the name of a JSON member must not be NULL");
                break;
            }
            if (i)
                wr_buf_puts(&b, ", ");
            put_name(&b, &tmp, c, i, row);
            wr_buf_puts(&b, ": ");
            put_value(&b, c, i + 1, row);
        }
        wr_buf_putc(&b, '}');
        done(ev, &b, out, row);
    }
    wr_buf_clear(&b);
    wr_buf_clear(&tmp);
}
static bool ret_object(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn, struct wr_expr *const *arg WR_UNUSED, int n, struct wr_type *out,
                       struct wr_error *err)
{
    *out = WR_TYPE_OF(JSON);
    if (n % 2 == 0)
        return true;
    wr_fail_at(err, WR_ESQL, -1, "%s needs a value for each name", fn->name);
    return false;
}
static bool ret_texts(struct wr_arena *mem, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg WR_UNUSED, int n WR_UNUSED, struct wr_type *out,
                      struct wr_error *err WR_UNUSED)
{
    *out = wr_type_array(mem, WR_TYPE_OF(TEXT));
    return true;
}

static bool ret_keys(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out,
                     struct wr_error *err)
{
    *out = fn->name[2] ? WR_TYPE_OF(TEXT) : WR_TYPE_OF(JSON);
    if (arg[1]->type.sub && arg[1]->type.sub->field[0].type.id == WR_T_TEXT)
        return true;
    wr_fail_at(err, WR_ESQL, arg[1]->off, "the path of %s is an ARRAY<TEXT>", fn->name);
    return false;
}

#define M WR_F_MAYNULL
#define N (WR_F_NULLS | WR_F_NEVERNULL)
/* For JSON and for TEXT that holds it. */
#define PATH(name, ret, kernel, help) {name, "jt" ret, kernel, M, NULL, path_bind, help}, {name, "tt" ret, kernel, M, NULL, path_bind, help}
#define TWICE(name, sig, kernel, flags, ret, help) {"json_" name, sig, kernel, flags, ret, NULL, "json_" help}, {"jsonb_" name, sig, kernel, flags, ret, NULL, "jsonb_" help}
static const struct wr_func list[] = {
    {"->", "jt:j", k_member, M, NULL, NULL, "json -> name: a member; json -> n: an element, from 0"},
    {"->", "jl:j", k_element, M, NULL, NULL, "json -> n: an element, from 0; n < 0 from the end"},
    {"->>", "jt:t", k_member, M, NULL, NULL, "json ->> name: a member as text; json ->> n: an element as text"},
    {"->>", "jl:t", k_element, M, NULL, NULL, "json ->> n: an element as text"},
    {"#>", "jt:j", k_keys, M, NULL, NULL, "json #> '{a,0,b}': the value at this path"},
    {"#>", "ja:?", k_keys, M, ret_keys, NULL, "json #> array: the value at this path"},
    {"#>>", "jt:t", k_keys, M, NULL, NULL, "json #>> '{a,0,b}': the value at this path as text"},
    {"#>>", "ja:?", k_keys, M, ret_keys, NULL, "json #>> array: the value at this path as text"},
    TWICE("extract_path", "jt...:j", k_key_list, M, NULL, "extract_path(json, name, ...): the value at this path"),
    TWICE("extract_path_text", "jt...:t", k_key_list, M, NULL, "extract_path_text(json, name, ...): the value at this path as text"),
    PATH("json_value", ":t", k_value, "json_value(json, '$.path' [RETURNING type]): a number, text or boolean; NULL if there is none"),
    PATH("json_query", ":j", k_query, "json_query(json, '$.path'): an object or array; NULL if there is none"),
    PATH("json_exists", ":b", k_exists, "json_exists(json, '$.path'): does the path lead anywhere"),
    PATH("json_extract", ":j", k_extract, "json_extract(json, '$.path'): the value there"),
    PATH("json_extract_scalar", ":t", k_value, "json_extract_scalar(json, '$.path'): a number, text or boolean as text"),
    PATH("json_extract_string", ":t", k_extract, "json_extract_string(json, '$.path'): the value there as text"),
    PATH("get_json_object", ":t", k_extract, "get_json_object(json, '$.path'): the value there as text"),
    TWICE("array_length", "j:i", k_array_length, 0, NULL, "array_length(json): number of its elements"),
    TWICE("typeof", "j:t", k_typeof, 0, NULL, "typeof(json): object, array, string, number, boolean or null"),
    TWICE("keys", "j:?", k_names, M, ret_texts, "keys(json): ARRAY of an object's member names"),
    {"is_json", "t:b", k_valid, 0, NULL, NULL, "is_json(text): is it well-formed JSON"},
    {"json_valid", "t:b", k_valid, 0, NULL, NULL, "json_valid(text): is it well-formed JSON"},
    TWICE("build_object", "**...:?", k_build_object, N, ret_object, "build_object(name, value, ...): an object"),
    {"json_object", "**...:?", k_build_object, N, ret_object, NULL, "json_object(name, value, ...): an object"},
    TWICE("build_array", "*...:j", k_build_array, N, NULL, "build_array(a, b, ...): an array"),
    {"json_array", "*...:j", k_build_array, N, NULL, NULL, "json_array(a, b, ...): an array"},
    {"to_json", "*:j", k_to_json, 0, NULL, NULL, "to_json(x): as JSON"},
    {"to_jsonb", "*:j", k_to_json, 0, NULL, NULL, "to_jsonb(x): as JSON"},
    {"array_to_json", "a:j", k_to_json, 0, NULL, NULL, "array_to_json(array): as JSON"},
    {"row_to_json", "r:j", k_to_json, 0, NULL, NULL, "row_to_json(row): as a JSON object"},
};
WR_FUNC_TABLE(wr_funcs_json, list);

/* catalog.c: keeping and finding declared objects; ${NAME} in option values.
 * Rules and memory: catalog.h. */
#include "planner/catalog.h"
#include "parser/ast.h"
#include <ctype.h>
#include <stdlib.h>

struct wr_catalog *wr_catalog_new(void)
{
    return wr_calloc(1, sizeof(struct wr_catalog));
}

void wr_object_free(struct wr_object *o)
{
    if (!o)
        return;
    wr_arena_clear(&o->mem);
    free(o);
}

void wr_catalog_free(struct wr_catalog *c)
{
    if (!c)
        return;
    for (int i = 0; i < c->n_obj; i++)
        wr_object_free(c->obj[i]);
    free(c->obj);
    wr_functions_free(c);
    free(c->var);
    wr_arena_clear(&c->mem);
    free(c);
}

/* Where the name is, or would go. */
static int place_of(const struct wr_catalog *c, struct wr_str name, bool *found)
{
    int lo = 0, hi = c->n_obj;
    *found = false;
    while (lo < hi) {
        int mid = (lo + hi) / 2, cmp = wr_str_cmp(c->obj[mid]->name, name);
        if (cmp == 0) {
            *found = true;
            return mid;
        }
        if (cmp < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

struct wr_object *wr_object_find(const struct wr_catalog *c, struct wr_str name)
{
    bool found;
    int i = place_of(c, name, &found);
    return found ? c->obj[i] : NULL;
}

void wr_object_add(struct wr_catalog *c, struct wr_object *o)
{
    bool found;
    int at = place_of(c, o->name, &found);
    WR_ASSERT(!found);
    if (c->n_obj == c->cap_obj) {
        c->cap_obj = c->cap_obj ? 2 * c->cap_obj : 16;
        c->obj = wr_realloc(c->obj, sizeof(*c->obj) * (size_t)c->cap_obj);
    }
    memmove(c->obj + at + 1, c->obj + at, sizeof(*c->obj) * (size_t)(c->n_obj - at));
    c->obj[at] = o;
    c->n_obj++;
    o->version = ++c->version;
}

void wr_object_drop(struct wr_catalog *c, struct wr_object *o)
{
    bool found;
    int at = place_of(c, o->name, &found);
    WR_ASSERT(found && c->obj[at] == o);
    memmove(c->obj + at, c->obj + at + 1, sizeof(*c->obj) * (size_t)(c->n_obj - at - 1));
    c->n_obj--;
    wr_object_free(o);
}

const char *wr_objkind_name(enum wr_objkind k)
{
    switch (k) {
    case WR_OBJ_SOURCE: return "source";
    case WR_OBJ_SINK: return "sink";
    case WR_OBJ_TABLE: return "table";
    case WR_OBJ_VIEW: return "view";
    }
    return "object";
}

struct wr_str wr_object_nearest(const struct wr_catalog *c, struct wr_str name, int kinds)
{
    struct wr_str *cand = wr_malloc(sizeof(*cand) * (size_t)(c->n_obj + 1));
    int n = 0;
    for (int i = 0; i < c->n_obj; i++)
        if ((int)c->obj[i]->kind & kinds)
            cand[n++] = c->obj[i]->name;
    struct wr_str near = wr_str_nearest(name, cand, n);
    free(cand);
    return near;
}

bool wr_catalog_object(const struct wr_catalog *c, int i, enum wr_objkind *kind, struct wr_str *name)
{
    if (i < 0 || i >= c->n_obj)
        return false;
    *kind = c->obj[i]->kind;
    *name = c->obj[i]->name;
    return true;
}

const struct wr_schema *wr_catalog_columns(struct wr_catalog *c, struct wr_str name)
{
    const struct wr_object *o = wr_object_find(c, name);
    return o ? o->out : NULL;
}

/* ---- variables ---- */

void wr_catalog_var(struct wr_catalog *c, struct wr_str name, struct wr_str value)
{
    struct wr_var v = {wr_arena_str(&c->mem, name), wr_arena_str(&c->mem, value)};
    for (int i = 0; i < c->n_var; i++)
        if (wr_str_eq(c->var[i].name, name)) {
            c->var[i] = v;
            return;
        }
    if (c->n_var == c->cap_var) {
        c->cap_var = c->cap_var ? 2 * c->cap_var : 8;
        c->var = wr_realloc(c->var, sizeof(*c->var) * (size_t)c->cap_var);
    }
    c->var[c->n_var++] = v;
}

void wr_catalog_var_lenient(struct wr_catalog *c)
{
    c->lenient = true;
}

static bool var_value(const struct wr_catalog *c, struct wr_str name, struct wr_str *value)
{
    for (int i = 0; i < c->n_var; i++)
        if (wr_str_eq(c->var[i].name, name)) {
            *value = c->var[i].value;
            return true;
        }
    if (c->lenient)
        return false;
    char z[256];
    if (name.n >= sizeof z)
        return false;
    memcpy(z, name.p, name.n);
    z[name.n] = 0;
    const char *env = getenv(z);
    *value = wr_str_c(env);
    return env != NULL;
}

static bool name_char(char ch)
{
    return isalnum((unsigned char)ch) || ch == '_' || ch == '.';
}

/* One ${...} at p[*i]; moves *i behind it. */
static wr_status replace_one(const struct wr_catalog *c, struct wr_str v, uint32_t *i, int32_t off, struct wr_buf *out, struct wr_error *err)
{
    uint32_t start = *i, at = *i + 2;
    while (at < v.n && name_char(v.p[at]))
        at++;
    struct wr_str name = {v.p + start + 2, at - start - 2}, value, def = {0};
    bool has_def = at + 1 < v.n && v.p[at] == ':' && v.p[at + 1] == '-';
    uint32_t end = has_def ? at + 2 : at;
    while (has_def && end < v.n && v.p[end] != '}')
        end++;
    if (has_def)
        def = (struct wr_str){v.p + at + 2, end - at - 2};
    if (end >= v.n || v.p[end] != '}' || name.n == 0) {
        wr_fail_at(err, WR_ESQL, off, "\"${\" without a name and \"}\"");
        wr_hint(err, "write ${NAME} or ${NAME:-default}");
        return WR_ESQL;
    }
    *i = end + 1;
    if (var_value(c, name, &value)) {
        /* an empty value takes the default, as in a shell's ${NAME:-default} */
        wr_buf_str(out, has_def && value.n == 0 ? def : value);
    } else if (has_def) {
        wr_buf_str(out, def);
    } else if (c->lenient) {
        wr_buf_add(out, v.p + start, end + 1 - start);
    } else {
        wr_fail_at(err, WR_ESQL, off, "variable \"%.*s\" is not set", WR_FMT(name));
        wr_hint(err, "set it in the environment, give -v %.*s=..., or write ${%.*s:-default}", WR_FMT(name), WR_FMT(name));
        return WR_ESQL;
    }
    return WR_OK;
}

wr_status wr_vars_replace(const struct wr_catalog *c, struct wr_str value, int32_t off, struct wr_arena *a, struct wr_str *out, struct wr_error *err)
{
    *out = value;
    if (value.n < 2 || !memmem(value.p, value.n, "${", 2))
        return WR_OK;
    struct wr_buf b = WR_BUF_INIT(1 << 20);
    wr_status st = WR_OK;
    for (uint32_t i = 0; i < value.n && !st;) {
        if (value.p[i] == '$' && i + 1 < value.n && value.p[i + 1] == '{')
            st = replace_one(c, value, &i, off, &b, err);
        else
            wr_buf_putc(&b, value.p[i++]);
    }
    *out = wr_arena_str(a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return st;
}

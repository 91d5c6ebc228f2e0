/* function.c: user functions: CREATE FUNCTION, DROP FUNCTION, and what a call becomes.
 *
 *   SQL    the body is an expression over the parameters; a call is the body with the arguments in their place (inlined: nothing is left at run time)
 *   C      a shared object (core/weir_udf.h): a call of its kernel
 *
 * Rules:  a body is bound when the function is made, so that its errors have their place there; it may call functions made before it. A name of a built-in
 *         function cannot be taken. Dropped or replaced only while nothing uses it, as with views.
 * Memory: a function owns its text and AST; what a call becomes is the jobplan's. Libraries stay loaded for the life of the process. */
#include "planner/bind.h"
#include "core/udf.h"
#include "parser/parse.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MAX_CALLS = 32 }; /* functions that call functions */

struct wr_function *wr_function_find(const struct wr_catalog *c, struct wr_str name)
{
    for (struct wr_function *f = c->functions; f; f = f->next)
        if (wr_str_ieq(f->name, name))
            return f;
    return NULL;
}

static void function_free(struct wr_function *f)
{
    wr_arena_clear(&f->mem);
    free(f);
}

void wr_functions_free(struct wr_catalog *c)
{
    while (c->functions) {
        struct wr_function *next = c->functions->next;
        function_free(c->functions);
        c->functions = next;
    }
}

static void take_out(struct wr_catalog *c, const struct wr_function *f)
{
    for (struct wr_function **at = &c->functions; *at; at = &(*at)->next)
        if (*at == f) {
            struct wr_function *gone = *at;
            *at = gone->next;
            function_free(gone);
            return;
        }
}

/* In order of name, for SHOW FUNCTIONS. */
static void put_in(struct wr_catalog *c, struct wr_function *f)
{
    struct wr_function **at = &c->functions;
    while (*at && wr_str_cmp((*at)->name, f->name) < 0)
        at = &(*at)->next;
    f->next = *at;
    *at = f;
}

/* ---- shared objects ---- */

static pthread_mutex_t loaded_lock = PTHREAD_MUTEX_INITIALIZER;
static struct wr_udf *loaded; /* never freed: plans point to them */

static wr_status not_loaded(struct wr_error *err, int32_t off, const char *path, const char *why)
{
    wr_fail_at(err, WR_ESQL, off, "the library \"%s\" cannot be loaded: %s", path, why ? why : "no reason given");
    wr_hint(err, "a path without \"/\" is searched for in the system's directories only; write ./name.so");
    return WR_ESQL;
}

static wr_status load(const char *path, const char *symbol, int32_t off, const struct wr_udf **out, struct wr_error *err)
{
    struct wr_udf *u = loaded;
    while (u && (strcmp(u->path, path) != 0 || strcmp(u->symbol, symbol) != 0))
        u = u->next;
    if (!u) {
        void *lib = dlopen(path, RTLD_NOW | RTLD_LOCAL);
        if (!lib)
            return not_loaded(err, off, path, dlerror());
        const struct weir_udf *native = dlsym(lib, symbol);
        if (!native)
            return wr_fail_at(err, WR_ESQL, off, "the library \"%s\" has no symbol \"%s\"", path, symbol);
        if (native->abi != WEIR_UDF_ABI || native->n_arg > WEIR_UDF_MOST_ARGS || !native->eval) {
            wr_fail_at(err, WR_ESQL, off, "\"%s\" in \"%s\" is no function of this version: it says ABI %u, weir has %d", symbol, path, native->abi, WEIR_UDF_ABI);
            wr_hint(err, "it must be a struct weir_udf; build it with the weir_udf.h of this weir");
            return WR_ESQL;
        }
        u = wr_calloc(1, sizeof *u);
        snprintf(u->path, sizeof u->path, "%s", path);
        snprintf(u->symbol, sizeof u->symbol, "%s", symbol);
        u->native = native;
        wr_udf_wrap(u);
        u->next = loaded;
        loaded = u;
    }
    *out = u;
    return WR_OK;
}

static wr_status same_signature(struct binder *b, const struct wr_function *f, const struct weir_udf *n, int32_t off)
{
    bool same = (int)n->n_arg == f->n_param && wr_type_eq(wr_udf_type(n->ret), f->ret);
    for (int i = 0; same && i < f->n_param; i++)
        same = wr_type_eq(wr_udf_type(n->arg[i]), f->type[i]);
    if (same)
        return WR_OK;
    struct wr_buf has = WR_BUF_INIT(1024);
    for (uint32_t i = 0; i < n->n_arg; i++) {
        wr_buf_puts(&has, i ? ", " : "");
        wr_type_print(&has, wr_udf_type(n->arg[i]));
    }
    wr_buf_puts(&has, ") RETURNS ");
    wr_type_print(&has, wr_udf_type(n->ret));
    wr_fail_at(b->err, WR_ESQL, off, "the library's function is (%.*s, not what is declared here", WR_FMT(wr_buf_get(&has)));
    wr_buf_clear(&has);
    return WR_ESQL;
}

static wr_status load_native(struct binder *b, struct wr_function *f, const struct wr_stmt *stmt)
{
    char path[256], symbol[64];
    struct wr_str body;
    if (!b->o->native) {
        wr_fail_at(b->err, WR_ESQL, stmt->off, "functions in C cannot be made here: a library runs with all rights of the server");
        wr_hint(b->err, "run the statements with \"weir run\" on the machine itself");
        return WR_ESQL;
    }
    if (!stmt->symbol.n)
        return wr_fail_at(b->err, WR_ESQL, stmt->text_off, "a function in C needs library and symbol: AS './libmine.so', 'symbol'");
    WR_TRY(wr_vars_replace(b->cat, stmt->body, stmt->text_off, b->a, &body, b->err));
    if (body.n >= sizeof path || stmt->symbol.n >= sizeof symbol)
        return wr_fail_at(b->err, WR_ELIMIT, stmt->text_off, "the name of the library or the symbol is too long");
    snprintf(path, sizeof path, "%.*s", WR_FMT(body));
    snprintf(symbol, sizeof symbol, "%.*s", WR_FMT(stmt->symbol));
    pthread_mutex_lock(&loaded_lock);
    wr_status st = load(path, symbol, stmt->text_off, &f->native, b->err);
    pthread_mutex_unlock(&loaded_lock);
    return st ? st : same_signature(b, f, f->native->native, stmt->text_off);
}

/* ---- bodies ---- */

/* Place in the body -> place in the statement; with escapes in the literal only its beginning is known. */
static int32_t place(const struct wr_function *f, struct wr_str sql, int32_t off, int32_t inner)
{
    int32_t quote = sql.p[off] == '$' ? 2 : 1;
    bool plain = off + quote + (int32_t)f->body_text.n < (int32_t)sql.n && memcmp(sql.p + off + quote, f->body_text.p, f->body_text.n) == 0;
    return plain && inner >= 0 ? off + quote + inner : off;
}

static wr_status at_body(struct binder *b, const struct wr_function *f, struct wr_str sql, int32_t off, const struct wr_error *inner)
{
    wr_fail_at(b->err, inner->code, place(f, sql, off, inner->sql_off), "%s", inner->msg);
    if (inner->hint[0])
        wr_hint(b->err, "%s", inner->hint);
    return inner->code;
}

wr_status wr_param_name(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    const struct wr_call_args *c = x->params;
    for (int i = 0; i < c->fn->n_param; i++)
        if (!e->name->next && wr_str_eq(c->fn->param[i], e->name->text)) {
            *out = wr_expr_copy(x->b->a, c->arg[i]);
            return WR_OK;
        }
    wr_fail_at(x->b->err, WR_ESQL, e->off, "there is no parameter \"%.*s\"", WR_FMT(e->name->text));
    struct wr_str near = wr_str_nearest(e->name->text, c->fn->param, c->fn->n_param);
    if (near.n)
        wr_hint(x->b->err, "did you mean \"%.*s\"?", WR_FMT(near));
    return WR_ESQL;
}

static wr_status bind_body(struct binder *b, const struct wr_function *f, struct wr_expr *const *arg, struct wr_expr **out)
{
    struct wr_call_args args = {f, arg};
    struct xctx x = {.b = b, .clause = "a function", .params = &args};
    if (b->calls >= MAX_CALLS)
        return wr_fail(b->err, WR_ELIMIT, "functions that call functions more than %d deep", MAX_CALLS);
    b->calls++;
    wr_status st = wr_bind_expr(&x, f->body, out);
    b->calls--;
    return st ? st : wr_expr_cast(b->a, *out, f->ret, true, out, b->err);
}

static wr_status read_body(struct binder *b, struct wr_function *f, const struct wr_stmt *stmt, struct wr_str sql)
{
    struct wr_error *outer = b->err, inner = WR_ERROR_INIT;
    struct wr_ast_expr *body;
    struct wr_expr **arg = WR_NEW_N(b->a, struct wr_expr *, f->n_param + 1), *y;
    if (stmt->symbol.n)
        return wr_fail_at(b->err, WR_ESQL, stmt->text_off, "a second text behind AS is for functions in C: LANGUAGE c");
    f->body_text = wr_arena_str(&f->mem, stmt->body);
    for (int i = 0; i < f->n_param; i++)
        arg[i] = wr_expr_col(b->a, i, f->type[i], true, -1);
    b->err = &inner;
    wr_status st = wr_parse_expr(f->body_text, &f->mem, &body, b->err);
    f->body = body;
    if (!st)
        st = bind_body(b, f, arg, &y);
    b->err = outer;
    return st ? at_body(b, f, sql, stmt->text_off, &inner) : WR_OK;
}

/* ---- calls ---- */

static bool is_volatile(const struct wr_expr *x)
{
    if (x->kind == WR_X_COL || x->kind == WR_X_CONST)
        return false;
    if (x->kind == WR_X_CALL && (x->u.call.fn->flags & WR_F_VOLATILE))
        return true;
    for (int i = 0; i < x->u.call.n; i++)
        if (is_volatile(x->u.call.arg[i]))
            return true;
    return false;
}

struct count { struct wr_str name; int n; };
static void count_name(void *ctx, const struct wr_ast_expr *e)
{
    struct count *c = ctx;
    c->n += e->kind == WR_E_NAME && !e->name->next && wr_str_eq(e->name->text, c->name);
}

/* Messages at run time speak of the statement, not of the body. */
static void set_place(struct wr_expr *x, int32_t off)
{
    x->off = off;
    if (x->kind != WR_X_COL && x->kind != WR_X_CONST)
        for (int i = 0; i < x->u.call.n; i++)
            set_place(x->u.call.arg[i], off);
}

static wr_status wrong_count(struct binder *b, const struct wr_function *f, int n, int32_t off)
{
    struct wr_str head = wr_function_head(b->a, f);
    wr_fail_at(b->err, WR_ESQL, off, "function \"%.*s\" takes %d argument%s, not %d", WR_FMT(f->name), f->n_param, f->n_param == 1 ? "" : "s", n);
    wr_hint(b->err, "it is %.*s", WR_FMT(head));
    return WR_ESQL;
}

wr_status wr_bind_user_call(struct binder *b, const struct wr_function *f, struct wr_expr **arg, int n, int32_t off, struct wr_expr **out)
{
    if (n != f->n_param)
        return wrong_count(b, f, n, off);
    for (int i = 0; i < n; i++) { /* sum(x) has more digits than x: a DECIMAL fits a DECIMAL, as far as its value does */
        bool digits = arg[i]->type.id == WR_T_DECIMAL && f->type[i].id == WR_T_DECIMAL;
        WR_TRY(wr_expr_cast(b->a, arg[i], f->type[i], digits, &arg[i], b->err));
    }
    if (f->native) {
        struct wr_expr *y = WR_NEW(b->a, struct wr_expr);
        *y = (struct wr_expr){.kind = WR_X_CALL, .type = f->ret, .nullable = true, .off = off};
        y->u.call.fn = &f->native->func;
        y->u.call.n = n;
        y->u.call.arg = arg;
        *out = y;
        return WR_OK;
    }
    for (int i = 0; i < n; i++) {
        struct count c = {f->param[i], 0};
        wr_ast_walk_expr(f->body, count_name, &c);
        if (c.n < 2 || !is_volatile(arg[i]))
            continue;
        wr_fail_at(b->err, WR_ESQL, arg[i]->off, "function \"%.*s\" uses \"%.*s\" %d times, and each time this would be computed anew", WR_FMT(f->name),
                   WR_FMT(f->param[i]), c.n);
        wr_hint(b->err, "compute it in a subquery first");
        return WR_ESQL;
    }
    struct wr_error *outer = b->err, inner = WR_ERROR_INIT;
    b->err = &inner;
    wr_status st = bind_body(b, f, arg, out);
    b->err = outer;
    if (st) {
        wr_fail_at(b->err, inner.code, off, "in function \"%.*s\": %s", WR_FMT(f->name), inner.msg);
        return st;
    }
    set_place(*out, off);
    return WR_OK;
}

/* ---- statements ---- */

struct wr_str wr_function_head(struct wr_arena *a, const struct wr_function *f)
{
    struct wr_buf t = WR_BUF_INIT(4096);
    wr_buf_printf(&t, "%.*s(", WR_FMT(f->name));
    for (int i = 0; i < f->n_param; i++) {
        wr_buf_printf(&t, "%s%.*s ", i ? ", " : "", WR_FMT(f->param[i]));
        wr_type_print(&t, f->type[i]);
    }
    wr_buf_puts(&t, ") RETURNS ");
    wr_type_print(&t, f->ret);
    struct wr_str s = wr_arena_str(a, wr_buf_get(&t));
    wr_buf_clear(&t);
    return s;
}

static wr_status check_name(struct binder *b, const struct wr_stmt *stmt)
{
    struct wr_str n = stmt->name->text;
    static const char *const special[] = {"coalesce", "ifnull", "nvl", "nullif", "if", "iff", "first", "last", "prev", "next", "match_number", "classifier", "match_rowtime"};
    bool taken = wr_func_exists(n) || wr_agg_find(n) || wr_is_unnest_name(n) || wr_is_window_name(n) || wr_is_grouping(n);
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        taken |= wr_str_ieq_c(n, special[i]);
    if (stmt->name->next)
        return wr_bind_refuse(b, stmt->name->off, "a qualified name", "there are no schemas: write the last part only");
    if (taken)
        return wr_fail_at(b->err, WR_ESQL, stmt->name->off, "\"%.*s\" is a built-in function", WR_FMT(n));
    return WR_OK;
}

static wr_status read_signature(struct binder *b, struct wr_function *f, const struct wr_stmt *stmt)
{
    for (const struct wr_ast_param *p = stmt->params; p; p = p->next)
        f->n_param++;
    f->param = WR_NEW_N(&f->mem, struct wr_str, f->n_param + 1);
    f->type = WR_NEW_N(&f->mem, struct wr_type, f->n_param + 1);
    int n = 0;
    struct wr_arena *job = b->a;
    b->a = &f->mem; /* types live as long as the function */
    wr_status st = wr_bind_type(b, stmt->returns, &f->ret);
    for (const struct wr_ast_param *p = stmt->params; p && !st; p = p->next) {
        for (int i = 0; i < n; i++)
            if (wr_str_eq(f->param[i], p->name->text))
                st = wr_fail_at(b->err, WR_ESQL, p->name->off, "parameter \"%.*s\" is named twice", WR_FMT(p->name->text));
        if (!st)
            st = wr_bind_type(b, p->type, &f->type[n]);
        f->param[n++] = wr_arena_str(&f->mem, p->name->text);
    }
    b->a = job;
    return st;
}

static wr_status build(struct binder *b, struct wr_function *f, const struct wr_stmt *stmt, struct wr_str sql)
{
    bool native = wr_str_ieq_c(stmt->language, "c");
    f->name = wr_arena_str(&f->mem, stmt->name->text);
    f->text = wr_arena_str(&f->mem, (struct wr_str){sql.p + stmt->off, (uint32_t)(stmt->end - stmt->off)});
    WR_TRY(read_signature(b, f, stmt));
    if (!stmt->body.p)
        return wr_fail_at(b->err, WR_ESQL, stmt->off, "a function needs a body: AS 'expression'");
    if (!native && stmt->language.n && !wr_str_ieq_c(stmt->language, "sql")) {
        wr_fail_at(b->err, WR_ESQL, stmt->off, "there is no language \"%.*s\" for functions", WR_FMT(stmt->language));
        wr_hint(b->err, "there is sql and c");
        return WR_ESQL;
    }
    return native ? load_native(b, f, stmt) : read_body(b, f, stmt, sql);
}

static wr_status in_use(struct binder *b, const struct wr_function *f, int32_t off)
{
    struct wr_str kind, user;
    if (!wr_function_user(b->cat, f->name, &kind, &user))
        return WR_OK;
    wr_fail_at(b->err, WR_ESQL, off, "function \"%.*s\" is used by %.*s \"%.*s\"", WR_FMT(f->name), WR_FMT(kind), WR_FMT(user));
    wr_hint(b->err, "drop that first");
    return WR_ESQL;
}

wr_status wr_function_create(struct binder *b, const struct wr_stmt *stmt, struct wr_str sql, struct wr_str *said)
{
    const struct wr_function *old = wr_function_find(b->cat, stmt->name->text);
    *said = WR_STR("CREATE FUNCTION");
    WR_TRY(check_name(b, stmt));
    if (old && stmt->if_not_exists) {
        *said = wr_arena_printf(b->a, "function \"%.*s\" exists already, nothing done", WR_FMT(old->name));
        return WR_OK;
    }
    if (old && !stmt->or_replace) {
        wr_fail_at(b->err, WR_ESQL, stmt->name->off, "function \"%.*s\" exists already", WR_FMT(old->name));
        wr_hint(b->err, "write CREATE OR REPLACE, or DROP it first");
        return WR_ESQL;
    }
    if (old)
        WR_TRY(in_use(b, old, stmt->name->off));
    struct wr_function *f = wr_calloc(1, sizeof *f);
    wr_status st = build(b, f, stmt, sql);
    if (!st && old && f->body) { /* it may name itself: the function it takes the place of */
        struct wr_call_of call = {f->name, false};
        wr_ast_walk_expr(f->body, wr_call_seen, &call);
        if (call.found)
            st = wr_fail_at(b->err, WR_ESQL, stmt->name->off, "function \"%.*s\" would call itself", WR_FMT(f->name));
    }
    if (st) {
        function_free(f);
        return st;
    }
    if (old)
        take_out(b->cat, old);
    put_in(b->cat, f);
    return WR_OK;
}

wr_status wr_function_drop(struct binder *b, const struct wr_stmt *stmt)
{
    for (const struct wr_ast_name *n = stmt->names; n; n = n->next) {
        const struct wr_function *f = wr_function_find(b->cat, n->text);
        if (!f && stmt->if_exists)
            continue;
        if (!f) {
            wr_fail_at(b->err, WR_ESQL, n->off, "there is no function \"%.*s\" of your own", WR_FMT(n->text));
            if (wr_func_exists(n->text))
                wr_hint(b->err, "it is built in and cannot be dropped");
            return WR_ESQL;
        }
        if (stmt->cascade)
            return wr_bind_refuse(b, n->off, "CASCADE for functions", "drop what uses it first");
        WR_TRY(in_use(b, f, n->off));
        take_out(b->cat, f);
    }
    return WR_OK;
}

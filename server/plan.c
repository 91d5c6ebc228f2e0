/* plan.c: a job's text -> its plan, with the server's rules: local files only where allowed, rows of a bare SELECT to the job's result.
 * Memory: the plan owns all it needs; catalog and syntax trees are gone when this returns. */
#include <jansson.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "parser/parse.h"
#include "planner/catalog.h"
#include "server/internal.h"

/* ---- variables ---- */

void wr_catalog_vars(struct wr_catalog *c, const struct wr_server_opts *o, const char *vars)
{
    json_t *v = vars && *vars ? json_loads(vars, 0, NULL) : NULL;
    const char *key;
    json_t *value;
    json_object_foreach(v, key, value)
        if (json_is_string(value))
            wr_catalog_var(c, wr_str_c(key), wr_str_c(json_string_value(value)));
    json_decref(v);
    for (int i = 0; i < o->n_var; i++) {
        const char *eq = strchr(o->var[i], '=');
        if (eq)
            wr_catalog_var(c, (struct wr_str){o->var[i], (uint32_t)(eq - o->var[i])}, wr_str_c(eq + 1));
    }
}

/* ---- local files ---- */

static bool below(const char *dir, const char *path)
{
    size_t n = strlen(dir);
    while (n > 1 && dir[n - 1] == '/')
        n--;
    return strncmp(path, dir, n) == 0 && (path[n] == '/' || path[n] == 0 || n == 1);
}

/* The path with links and dots resolved; of one that does not exist yet, its directory's and its name. */
static bool resolve(const char *path, char out[PATH_MAX])
{
    if (realpath(path, out))
        return true;
    char dir[PATH_MAX];
    (void)snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    const char *name = slash ? slash + 1 : path;
    if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    if (slash)
        slash[slash == dir] = 0;
    char parent[PATH_MAX];
    if (!realpath(slash ? dir : ".", parent))
        return false;
    int n = snprintf(out, PATH_MAX, "%s/%s", parent, slash ? path + (slash - dir) + 1 : path);
    return n > 0 && n < PATH_MAX;
}

bool wr_path_allowed(const struct wr_server_opts *o, struct wr_str path)
{
    char given[PATH_MAX], real[PATH_MAX], dir[PATH_MAX];
    if (path.n == 0 || path.n >= sizeof given || memchr(path.p, 0, path.n))
        return false;
    memcpy(given, path.p, path.n);
    given[path.n] = 0;
    if (!resolve(given, real))
        return false;
    for (int i = 0; i < o->n_dir; i++)
        if (realpath(o->dir[i], dir) && below(dir, real))
            return true;
    return false;
}

static bool names_a_file(const struct wr_connector *c, struct wr_str key)
{
    static const char *const part[] = {"location", "keytab", "sslcert", "sslkey", "sslrootcert"};
    if (strcmp(c->name, "file") == 0 && wr_str_eq_c(key, "path"))
        return true;
    for (size_t i = 0; i < sizeof part / sizeof *part; i++)
        if (memmem(key.p, key.n, part[i], strlen(part[i])))
            return true;
    return wr_str_eq_c(key, "ssl_ca") || wr_str_eq_c(key, "ssl_certificate") || wr_str_eq_c(key, "ssl_key");
}

static wr_status check_opts(const struct wr_server_opts *o, const struct wr_connector *c, const struct wr_opts *opts, struct wr_error *err)
{
    for (int i = 0; opts && i < opts->n; i++) {
        const struct wr_opt *p = &opts->opt[i];
        if (!p->value.n || !names_a_file(c, p->key) || wr_path_allowed(o, p->value))
            continue;
        wr_fail_at(err, WR_ESQL, p->off, "option \"%.*s\": local file \"%.*s\" is not allowed here", WR_FMT(p->key), WR_FMT(p->value));
        wr_hint(err, "the server was not started with --allow-files of a directory that holds it");
        return WR_ESQL;
    }
    return WR_OK;
}

static wr_status check_tree(const struct wr_server_opts *o, const struct wr_plan *p, struct wr_error *err)
{
    if (p->kind == WR_PLAN_SCAN)
        WR_TRY(check_opts(o, p->u.scan.connector, p->u.scan.spec.opts, err));
    if (p->kind == WR_PLAN_SINK)
        WR_TRY(check_opts(o, p->u.sink.connector, p->u.sink.spec.opts, err));
    if (p->kind == WR_PLAN_SIDE && p->u.side.scan)
        WR_TRY(check_tree(o, p->u.side.scan, err));
    for (int i = 0; i < p->n_in; i++)
        WR_TRY(check_tree(o, p->in[i], err));
    return WR_OK;
}

wr_status wr_files_allowed(const struct wr_server_opts *o, const struct wr_jobplan *plan, int off, struct wr_error *err)
{
    wr_status st = WR_OK;
    for (int i = 0; i < plan->n_sink && st == WR_OK; i++)
        st = check_tree(o, plan->sink[i], err);
    if (st && off >= 0)
        err->sql_off = off;
    return st;
}

/* ---- planning ---- */

struct text { const char *name; struct wr_str sql; struct wr_buf *said; };

static void on_error(void *ctx, const struct wr_error *err)
{
    struct text *t = ctx;
    wr_parse_print_error(t->said, t->name, t->sql, err);
}

static wr_status plan_all(struct wr_jobs *m, struct wr_catalog *c, const struct text *t, bool offline, struct wr_arena *a, struct wr_jobplan *plan,
                          struct wr_error *err)
{
    struct wr_stmt *first;
    struct wr_plan_opts o = {.exactly_once = true, .offline = offline, .job = wr_str_c(t->name)};
    union { const struct text *c; void *v; } ctx = {t};
    WR_TRY(wr_parse(t->sql, a, &first, on_error, ctx.v, err));
    for (const struct wr_stmt *s = first; s; s = s->next) {
        struct wr_answer answer;
        WR_TRY(wr_plan_stmt(c, plan, &o, s, t->sql, a, &answer, err));
        if (answer.kind == WR_ANSWER_SHELL)
            return wr_fail_at(err, WR_ESQL, s->off, "this statement cannot be part of a job");
    }
    if (wr_setting_given(c, WR_SET_CHECKPOINT_DIR))
        return wr_fail(err, WR_ESQL, "checkpoint.dir has no meaning in a job of the server: its checkpoints are in the data directory");
    if (plan->n_sink == 0) {
        wr_fail(err, WR_ESQL, "the job has nothing to run");
        wr_hint(err, "it needs an INSERT INTO ... SELECT, or a SELECT whose result the server keeps");
        return WR_ESQL;
    }
    WR_TRY(wr_files_allowed(m->o, plan, -1, err));
    return wr_plan_finish(c, plan, &o, err);
}

wr_status wr_text_plan(struct wr_jobs *m, const char *name, struct wr_str sql, const char *vars, bool offline, struct wr_jobplan **out, struct wr_buf *said,
                       struct wr_error *err)
{
    struct wr_arena a = {0};
    struct wr_catalog *c = wr_catalog_new();
    struct wr_jobplan *plan = wr_jobplan_new();
    struct text t = {name, sql, said};
    wr_catalog_vars(c, m->o, vars);
    wr_status st = plan_all(m, c, &t, offline, &a, plan, err);
    if (st && said->n == 0)
        on_error(&t, err);
    if (st) {
        wr_jobplan_free(plan);
        plan = NULL;
    }
    *out = plan;
    wr_catalog_free(c);
    wr_arena_clear(&a);
    return st;
}

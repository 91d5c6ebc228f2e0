/* remote.c: the client of `weir serve`: one HTTP request a command.
 * Rules:  the server is --server URL, else the one on this machine; see http.h for the token.
 *         Exit: 0 done, 1 the server or the job failed, 2 wrong usage or SQL.
 * Memory: one answer at a time. */
#include "shell/remote.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "shell/far.h"
#include "shell/http.h"

/* ---- commands about one job ---- */

/* Sends the request; hands the parsed answer to `show`. */
static int ask(const struct wr_args *args, struct wr_ask *c, void (*show)(const json_t *))
{
    struct wr_error err = WR_ERROR_INIT;
    struct wr_peer peer;
    wr_status st = wr_peer_init(&peer, args->server, args->data, &err);
    st = st ? st : wr_peer_ask(&peer, c, &err);
    wr_peer_clear(&peer);
    if (st == WR_OK && show) {
        json_t *v = json_loadb(c->answer.p ? c->answer.p : "", c->answer.n, 0, NULL);
        show(v);
        json_decref(v);
    }
    wr_ask_clear(c);
    return st ? wr_complain(&err) : 0;
}

static bool name_ok(const char *s)
{
    return *s && strlen(s) <= 64 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(s);
}

static int about(const struct wr_args *args, const char *command, const char *method, const char *tail, void (*show)(const json_t *))
{
    struct wr_ask c = {.method = method};
    if (args->n_path != 1 || !name_ok(args->path[0])) {
        fprintf(stderr, "weir: \"weir %s\" takes the name of one job\nhint: \"weir jobs\" lists them\n", command);
        return 2;
    }
    (void)snprintf(c.path, sizeof c.path, "/jobs/%s%s", args->path[0], tail);
    return ask(args, &c, show);
}

static void print_safe(const char *s)
{
    struct wr_buf out = WR_BUF_INIT(16 << 20);
    for (const char *nl; (nl = strchr(s, '\n')) != NULL; s = nl + 1) {
        wr_buf_escape(&out, (struct wr_str){s, (uint32_t)(nl - s)}, 4000);
        wr_buf_putc(&out, '\n');
    }
    wr_buf_escape(&out, wr_str_c(s), 4000);
    fwrite(out.p ? out.p : "", 1, out.n, stdout);
    wr_buf_clear(&out);
}

static void show_state(const json_t *v)
{
    const char *reason = json_string_value(json_object_get(v, "reason"));
    printf("%s: %s%s%s\n", json_string_value(json_object_get(v, "name")), json_string_value(json_object_get(v, "state")), reason ? ": " : "", reason ? reason : "");
}
static void show_dropped(const json_t *v) { printf("%s: dropped\n", json_string_value(json_object_get(v, "name"))); }
static void show_saved(const json_t *v)
{
    printf("%s: checkpoint %lld\n", json_string_value(json_object_get(v, "name")),
           (long long)json_integer_value(json_object_get(json_object_get(v, "checkpoint"), "id")));
}
static void show_text(const json_t *v)
{
    const char *text = json_string_value(json_object_get(v, "text"));
    if (text && *text) {
        print_safe(text);
        if (text[strlen(text) - 1] != '\n')
            putchar('\n');
    }
}

int wr_cmd_stop(const struct wr_args *args) { return about(args, "stop", "POST", "/stop", show_state); }
int wr_cmd_resume(const struct wr_args *args) { return about(args, "resume", "POST", "/resume", show_state); }
int wr_cmd_savepoint(const struct wr_args *args) { return about(args, "savepoint", "POST", "/savepoint", show_saved); }
int wr_cmd_logs(const struct wr_args *args) { return about(args, "logs", "GET", "/logs", show_text); }
int wr_cmd_drop(const struct wr_args *args) { return about(args, "drop", "DELETE", "", show_dropped); }
int wr_cmd_why(const struct wr_args *args) { return about(args, "why", "GET", "/why", show_text); }

/* ---- jobs ---- */

static void show_jobs(const json_t *v)
{
    struct wr_session plain = {.output = WR_OUT_TABLE};
    wr_print_jobs(&plain, json_object_get(v, "jobs"));
}

static void show_raw(const json_t *v)
{
    const json_t *job;
    size_t i;
    json_array_foreach(json_object_get(v, "jobs"), i, job)
    {
        char *text = json_dumps(job, JSON_COMPACT | JSON_PRESERVE_ORDER);
        puts(text ? text : "{}");
        free(text);
    }
}

int wr_cmd_jobs(const struct wr_args *args)
{
    struct wr_ask c = {.method = "GET", .path = "/jobs"};
    if (args->n_path) {
        fprintf(stderr, "weir: \"weir jobs\" takes no words\n");
        return 2;
    }
    return ask(args, &c, args->output == WR_OUT_NDJSON ? show_raw : show_jobs);
}

/* ---- submit ---- */

/* FILE without directory and ".sql", where that is a job's name. */
static void name_from_file(const char *file, char *to, size_t size)
{
    const char *slash = strrchr(file, '/'), *from = slash ? slash + 1 : file, *dot = strrchr(from, '.');
    size_t n = dot && dot > from ? (size_t)(dot - from) : strlen(from);
    (void)snprintf(to, size, "%.*s", (int)(n < size ? n : size - 1), from);
    for (char *p = to; *p; p++)
        if (!name_ok((char[]){*p, 0}))
            *p = '_';
}

int wr_cmd_submit(const struct wr_args *args)
{
    struct wr_ask c = {.method = "POST", .path = "/jobs"};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_arena mem = {0};
    struct wr_str sql;
    char name[80];
    if (args->n_path != 1) {
        fprintf(stderr, "weir: \"weir submit\" takes one file\nhint: usage: weir submit FILE.sql [--name N]\n");
        return 2;
    }
    if (wr_read_file(args->path[0], &mem, &sql, &err))
        return wr_complain(&err);
    name_from_file(args->path[0], name, sizeof name);
    json_t *vars = json_object(), *text = json_stringn(sql.p, sql.n);
    for (int i = 0; i < args->n_var; i++) {
        const char *eq = strchr(args->var[i], '=');
        if (eq)
            json_object_setn_new(vars, args->var[i], (size_t)(eq - args->var[i]), json_string(eq + 1));
    }
    json_t *body = text ? json_pack("{s:s, s:o, s:o, s:b}", "name", args->name ? args->name : name, "sql", text, "vars", vars, "replace", args->replace) : NULL;
    c.body = body ? json_dumps(body, JSON_COMPACT) : NULL;
    json_decref(body);
    wr_arena_clear(&mem);
    if (!c.body) {
        fprintf(stderr, "weir: \"%s\" or a variable is no UTF-8 text\n", args->path[0]);
        return 2;
    }
    return ask(args, &c, show_state);
}

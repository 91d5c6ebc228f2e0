/* remote.c: the client of `weir serve`: one HTTP request a command.
 * Rules:  the server is --server URL, else the one on this machine; the token is WEIR_TOKEN, else the file in the data directory. Neither is printed.
 *         Exit: 0 done, 1 the server or the job failed, 2 wrong usage or SQL.
 * Memory: one answer at a time, at most 64 MiB. */
#include "shell/remote.h"

#include <curl/curl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/log.h"
#include "server/server.h"

struct call {
    const char *method;        /* GET, POST, DELETE */
    char path[256];
    char *body;                /* JSON; NULL: none */
    struct wr_buf answer;
    long status;
};

static size_t take(char *p, size_t size, size_t n, void *ctx)
{
    struct call *c = ctx;
    wr_buf_add(&c->answer, p, size * n);
    return c->answer.overflow ? 0 : size * n;
}

static wr_status find_token(const struct wr_args *args, char *token, size_t size, struct wr_error *err)
{
    const char *env = getenv("WEIR_TOKEN");
    if (env && *env) {
        (void)snprintf(token, size, "%s", env);
        return WR_OK;
    }
    wr_status st = wr_server_token(args->data, token, size, err);
    if (st)
        wr_hint(err, "set WEIR_TOKEN, or say --data DIR of a server on this machine");
    return st;
}

static wr_status perform(CURL *curl, const struct wr_args *args, struct call *c, const char *token, struct wr_error *err)
{
    char url[1024], auth[300];
    const char *base = args->server ? args->server : WR_SERVER_URL;
    size_t n = strlen(base);
    while (n > 0 && base[n - 1] == '/')
        n--;
    (void)snprintf(url, sizeof url, "%.*s%s", (int)n, base, c->path);
    (void)snprintf(auth, sizeof auth, "Authorization: Bearer %s", token);
    struct curl_slist *heads = curl_slist_append(NULL, auth);
    heads = curl_slist_append(heads, "Content-Type: application/json");
    heads = curl_slist_append(heads, "Expect:");
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, c->method);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, heads);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, take);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, c);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_NOPROXY, "localhost,127.0.0.1,::1"); /* the token goes to the server, not to a proxy */
    if (c->body) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, c->body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(c->body));
    }
    CURLcode rc = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &c->status);
    curl_slist_free_all(heads);
    explicit_bzero(auth, sizeof auth);
    if (rc == CURLE_OK)
        return WR_OK;
    wr_fail(err, WR_EIO, "no answer from %.*s: %s", (int)n, base, curl_easy_strerror(rc));
    wr_hint(err, "is the server running (weir serve)? --server URL names another one");
    return WR_EIO;
}

/* The server's own words about what is wrong. */
static wr_status take_error(struct call *c, struct wr_error *err)
{
    json_t *v = json_loadb(c->answer.p ? c->answer.p : "", c->answer.n, 0, NULL), *e = json_object_get(v, "error");
    const char *msg = json_string_value(json_object_get(e, "message")), *hint = json_string_value(json_object_get(e, "hint"));
    const char *text = json_string_value(json_object_get(e, "text"));
    wr_status code = c->status == 400 || c->status == 401 || c->status == 404 || c->status == 409 || c->status == 413 ? WR_EUSAGE : WR_EIO;
    if (text && *text) {
        fputs(text, stderr);
        wr_fail(err, code, "the server refused the job");
    } else {
        wr_fail(err, code, "%s", msg ? msg : "the server's answer is no answer of weir");
        if (hint)
            wr_hint(err, "%s", hint);
    }
    json_decref(v);
    return code;
}

static wr_status request(const struct wr_args *args, struct call *c, struct wr_error *err)
{
    char token[256];
    c->answer.max = 64 << 20;
    WR_TRY(find_token(args, token, sizeof token, err));
    CURL *curl = curl_easy_init();
    wr_status st = curl ? perform(curl, args, c, token, err) : wr_fail(err, WR_EIO, "libcurl does not start");
    curl_easy_cleanup(curl);
    explicit_bzero(token, sizeof token);
    return st == WR_OK && c->status >= 300 ? take_error(c, err) : st;
}

/* ---- commands about one job ---- */

/* Sends the request; hands the parsed answer to `show`. */
static int ask(const struct wr_args *args, struct call *c, void (*show)(const json_t *))
{
    struct wr_error err = WR_ERROR_INIT;
    wr_status st = request(args, c, &err);
    if (st == WR_OK && show) {
        json_t *v = json_loadb(c->answer.p ? c->answer.p : "", c->answer.n, 0, NULL);
        show(v);
        json_decref(v);
    }
    wr_buf_clear(&c->answer);
    free(c->body);
    return st ? wr_complain(&err) : 0;
}

static bool name_ok(const char *s)
{
    return *s && strlen(s) <= 64 && strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == strlen(s);
}

static int about(const struct wr_args *args, const char *command, const char *method, const char *tail, void (*show)(const json_t *))
{
    struct call c = {.method = method};
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

static const char *text_or(const json_t *job, const char *key)
{
    const char *s = json_string_value(json_object_get(job, key));
    return s ? s : "";
}

static void show_jobs(const json_t *v)
{
    const char *const head[] = {"name", "state", "rows in", "rows/s", "lag", "late", "bad", "watermark", "reason"};
    enum { N = 9 };
    const json_t *list = json_object_get(v, "jobs");
    struct wr_arena mem = {0};
    size_t n = json_array_size(list);
    struct wr_rows rows = {.n_col = N, .n_row = (int)n, .name = WR_NEW_N(&mem, struct wr_str, N), .cell = WR_NEW_N(&mem, struct wr_str, n * N + 1)};
    static const char *const number[] = {"rows_in", NULL, "lag", "rows_late", "rows_bad"};
    for (int i = 0; i < N; i++)
        rows.name[i] = wr_str_c(head[i]);
    for (size_t i = 0; i < n; i++) {
        const json_t *job = json_array_get(list, i);
        struct wr_str *cell = rows.cell + i * N;
        cell[0] = wr_str_c(text_or(job, "name"));
        cell[1] = wr_str_c(text_or(job, "state"));
        for (int c = 0; c < 5; c++)
            if (number[c] && json_object_get(job, number[c]))
                cell[2 + c] = wr_arena_printf(&mem, "%lld", (long long)json_integer_value(json_object_get(job, number[c])));
        if (json_object_get(job, "rows_per_second"))
            cell[3] = wr_arena_printf(&mem, "%.0f", json_number_value(json_object_get(job, "rows_per_second")));
        cell[7] = wr_str_c(text_or(job, "watermark"));
        cell[8] = wr_str_c(text_or(job, "reason"));
    }
    struct wr_session plain = {.output = WR_OUT_TABLE};
    wr_print_rows(&plain, &rows);
    wr_arena_clear(&mem);
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
    struct call c = {.method = "GET", .path = "/jobs"};
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
    struct call c = {.method = "POST", .path = "/jobs"};
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

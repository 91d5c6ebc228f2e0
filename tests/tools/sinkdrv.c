/* sinkdrv.c: opens one sink and does to it what lines on standard input say, so that a test can stop, kill and repeat a sink's protocol
 * step by step, without SQL and without the engine.
 *
 *   sinkdrv CONNECTOR [@job=J] [@name=N] [@key] [@updating] [@loose] [option=value...]
 *       columns are k TEXT, v BIGINT; @key: k is the key; @loose: not exactly once
 *   open                       opens the sink
 *   recover                    -> ok ID
 *   write K V | delete K       one row; V may be "null"; K "%%" writes a NUL byte
 *   rows N PREFIX [LENGTH]     N rows PREFIX0.., v = 0..N-1; with a length, K is padded to it
 *   commit ID [TOPIC:PART:NEXT...]   -> ok MICROSECONDS
 *   flush | close | crash | stop     crash: kill -9 of ourselves; stop: asks a waiting sink to give up (only before a call)
 *   position                   -> ok HEX
 *   seek HEX|-
 * Each line is answered by "ok ..." or "error STATUS retriable|final MESSAGE"; rows that the sink refuses come before it as "bad MESSAGE".
 * Rules:  one row, one batch: nothing waits in the driver.
 * Memory: lives until the process ends. */
#include "connectors/connector.h"

#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_OPTS = 32, MOST_POS = 64 };
static const char *const status_name[] = {"ok", "sql", "usage", "data", "io", "limit", "fenced", "stop"};

static struct wr_arena mem;
static const struct wr_connector *connector;
static struct wr_sink_spec spec;
static struct wr_sink *sink;
static struct wr_error err = WR_ERROR_INIT;
static atomic_bool stopped;

static wr_status report_bad(void *ctx WR_UNUSED, const struct wr_bad *bad, struct wr_error *e WR_UNUSED)
{
    printf("bad %s\n", bad->msg);
    return WR_OK;
}

static void answer(wr_status st, const char *more)
{
    if (st)
        printf("error %s %s %s\n", status_name[st], err.retriable ? "retriable" : "final", err.msg);
    else
        printf("ok%s%s\n", *more ? " " : "", more);
    fflush(stdout);
    err = (struct wr_error)WR_ERROR_INIT;
}

/* ---- rows ---- */

static void set_row(struct wr_builder *bl, enum wr_rowop op, struct wr_str k, const char *v)
{
    uint32_t row = wr_builder_row(bl, op);
    struct wr_value key = {.type = spec.schema->field[0].type, .null = false}, val = {.type = spec.schema->field[1].type, .null = false};
    key.as.s = wr_str_eq_c(k, "%%") ? (struct wr_str){"a\0b", 3} : k;
    wr_builder_set(bl, 0, row, &key);
    if (strcmp(v, "null") == 0) {
        wr_builder_null(bl, 1, row);
        return;
    }
    val.as.i = strtoll(v, NULL, 10);
    wr_builder_set(bl, 1, row, &val);
}

static wr_status write_one(enum wr_rowop op, const char *k, const char *v)
{
    struct wr_builder bl = {.schema = spec.schema};
    set_row(&bl, op, wr_str_c(k), v);
    return sink->vt->write(sink, wr_builder_take(&bl), &err);
}

static wr_status write_many(long n, const char *prefix, long length)
{
    struct wr_builder bl = {.schema = spec.schema};
    wr_status st = WR_OK;
    char number[24];
    for (long i = 0; i < n && !st; i++) {
        struct wr_str k = wr_arena_printf(&mem, "%s%ld%*s", prefix, i, (int)length, "");
        (void)snprintf(number, sizeof number, "%ld", i);
        set_row(&bl, WR_OP_INSERT, length && k.n > (uint32_t)length ? (struct wr_str){k.p, (uint32_t)length} : k, number);
        if (wr_builder_full(&bl))
            st = sink->vt->write(sink, wr_builder_take(&bl), &err);
    }
    struct wr_batch *last = wr_builder_take(&bl);
    if (last && !st)
        st = sink->vt->write(sink, last, &err);
    else
        wr_batch_unref(last);
    return st;
}

/* ---- lines ---- */

static char *next_word(char **line)
{
    *line += strspn(*line, " ");
    char *word = *line;
    *line += strcspn(*line, " ");
    if (**line)
        *(*line)++ = 0;
    return word;
}

static void do_commit(char *rest)
{
    struct wr_position pos[MOST_POS];
    char text[32];
    int n = 0;
    uint64_t id = strtoull(next_word(&rest), NULL, 10);
    while (*rest && n < MOST_POS) {
        char *word = next_word(&rest), *part = strchr(word, ':'), *next = part ? strchr(part + 1, ':') : NULL;
        if (!next)
            break;
        *part++ = 0;
        *next++ = 0;
        pos[n++] = (struct wr_position){WR_STR("in"), wr_str_c(word), (int32_t)strtol(part, NULL, 10), strtoll(next, NULL, 10)};
    }
    int64_t t0 = wr_clock_mono();
    wr_status st = sink->vt->commit(sink, id, pos, n, &err);
    (void)snprintf(text, sizeof text, "%" PRId64, wr_clock_mono() - t0);
    answer(st, text);
}

static void do_position(void)
{
    struct wr_buf at = WR_BUF_INIT(1 << 16), hex = WR_BUF_INIT(1 << 18);
    wr_status st = sink->vt->position(sink, &at, &err);
    for (size_t i = 0; i < at.n; i++)
        wr_buf_printf(&hex, "%02x", (unsigned char)at.p[i]);
    wr_buf_putc(&hex, 0);
    answer(st, hex.p);
    wr_buf_clear(&at);
    wr_buf_clear(&hex);
}

static void do_seek(const char *hex)
{
    struct wr_buf at = WR_BUF_INIT(1 << 16);
    for (; hex[0] && hex[0] != '-' && hex[1]; hex += 2) {
        char two[3] = {hex[0], hex[1], 0};
        wr_buf_putc(&at, (char)strtol(two, NULL, 16));
    }
    answer(sink->vt->seek(sink, wr_buf_get(&at), &err), "");
    wr_buf_clear(&at);
}

static void do_line(char *line)
{
    const char *what = next_word(&line);
    char text[32];
    if (strcmp(what, "open") == 0) {
        answer(connector->sink->open(&spec, &sink, &err), "");
    } else if (strcmp(what, "crash") == 0) {
        (void)raise(SIGKILL);
    } else if (strcmp(what, "stop") == 0) {
        atomic_store(&stopped, true);
        answer(WR_OK, "");
    } else if (!sink) {
        printf("error usage final the sink is not open\n");
        fflush(stdout);
    } else if (strcmp(what, "recover") == 0) {
        uint64_t id = 0;
        wr_status st = sink->vt->recover(sink, &id, &err);
        (void)snprintf(text, sizeof text, "%" PRIu64, id);
        answer(st, text);
    } else if (strcmp(what, "write") == 0) {
        const char *k = next_word(&line);
        answer(write_one(WR_OP_INSERT, k, next_word(&line)), "");
    } else if (strcmp(what, "delete") == 0) {
        answer(write_one(WR_OP_DELETE, next_word(&line), "null"), "");
    } else if (strcmp(what, "rows") == 0) {
        long n = strtol(next_word(&line), NULL, 10);
        const char *prefix = next_word(&line);
        answer(write_many(n, prefix, strtol(next_word(&line), NULL, 10)), "");
    } else if (strcmp(what, "commit") == 0) {
        do_commit(line);
    } else if (strcmp(what, "flush") == 0) {
        answer(sink->vt->flush(sink, &err), "");
    } else if (strcmp(what, "position") == 0) {
        do_position();
    } else if (strcmp(what, "seek") == 0) {
        do_seek(next_word(&line));
    } else if (strcmp(what, "close") == 0) {
        sink->vt->close(sink);
        sink = NULL;
        answer(WR_OK, "");
    } else {
        printf("error usage final there is no command \"%s\"\n", what);
        fflush(stdout);
    }
}

/* ---- arguments ---- */

static void read_args(int argc, char **argv, struct wr_opt *opt, struct wr_opts *raw)
{
    static int key;
    struct wr_schema *schema = wr_schema_new(&mem, 2);
    schema->field[0] = (struct wr_field){.name = WR_STR("k"), .type = {.id = WR_T_TEXT}, .nullable = true};
    schema->field[1] = (struct wr_field){.name = WR_STR("v"), .type = {.id = WR_T_BIGINT}, .nullable = true};
    static struct wr_badsink bad = {report_bad, NULL};
    spec = (struct wr_sink_spec){.name = WR_STR("out"), .job = WR_STR("drv"), .schema = schema, .exactly_once = true, .bad = &bad, .stop = &stopped};
    for (int i = 2; i < argc && raw->n < MOST_OPTS; i++) {
        char *equal = strchr(argv[i], '=');
        if (strncmp(argv[i], "@job=", 5) == 0)
            spec.job = wr_str_c(argv[i] + 5);
        else if (strncmp(argv[i], "@name=", 6) == 0)
            spec.name = wr_str_c(argv[i] + 6);
        else if (strcmp(argv[i], "@loose") == 0)
            spec.exactly_once = false;
        else if (strcmp(argv[i], "@updating") == 0)
            spec.updating = true;
        else if (strcmp(argv[i], "@key") == 0)
            spec.n_key = 1;
        else if (equal)
            opt[raw->n++] = (struct wr_opt){{argv[i], (uint32_t)(equal - argv[i])}, wr_str_c(equal + 1), -1};
    }
    spec.key = &key;
    spec.key_is_unique = spec.n_key > 0;
    struct wr_schema *keys = wr_schema_new(&mem, spec.n_key);
    if (spec.n_key)
        keys->field[0] = schema->field[0];
    spec.key_schema = keys;
}

int main(int argc, char **argv)
{
    struct wr_opt opt[MOST_OPTS];
    struct wr_opts raw = {0, opt}, opts;
    static char line[1 << 16];
    connector = argc > 1 ? wr_connector_find(wr_str_c(argv[1])) : NULL;
    if (!connector || !connector->sink) {
        fprintf(stderr, "usage: sinkdrv CONNECTOR [@...] [option=value...]\n");
        return 2;
    }
    read_args(argc, argv, opt, &raw);
    wr_status st = wr_format_choose(connector, &raw, &spec.format, &err);
    if (!st)
        st = wr_opts_check(connector, spec.format, WR_AS_SINK, &raw, &mem, &opts, &err);
    if (st) {
        fprintf(stderr, "sinkdrv: %s\n", err.msg);
        return 2;
    }
    spec.opts = &opts;
    while (fgets(line, sizeof line, stdin)) {
        line[strcspn(line, "\n")] = 0;
        if (*line)
            do_line(line);
    }
    if (sink)
        sink->vt->close(sink);
    wr_arena_clear(&mem);
    return 0;
}

/* plan_fake.h: connectors that only describe themselves, for tests of the planner.
 * Rules:  defines the whole of connectors/registry.c, so that these tests need no broker, no database and no other connector's options.
 *         Include once, in the file of the program. */
#ifndef WR_TESTS_PLAN_FAKE_H
#define WR_TESTS_PLAN_FAKE_H

#include "connectors/connector.h"

/* ---- connectors ---- */

static bool fake_bounded(const struct wr_opts *o, bool until_end)
{
    struct wr_str s;
    return until_end || wr_opt_text(o, "rows", &s) || (wr_opt_text(o, "path", &s) && !wr_opt_bool(o, "follow", false));
}
static enum wr_accepts fake_keyed(const struct wr_sink_spec *s)
{
    return s->n_key ? WR_ACCEPT_UPSERT : WR_ACCEPT_APPEND;
}
static enum wr_accepts fake_append(const struct wr_sink_spec *s WR_UNUSED)
{
    return WR_ACCEPT_APPEND;
}
static enum wr_accepts fake_changes(const struct wr_sink_spec *s WR_UNUSED)
{
    return WR_ACCEPT_CHANGES;
}
static void fake_promise(const struct wr_sink_spec *s, struct wr_buf *out)
{
    wr_buf_puts(out, s->exactly_once ? "exactly once" : "at least once");
}
static wr_status fake_columns(const struct wr_opts *o, struct wr_arena *a, struct wr_coldef **col, int *n, struct wr_error *err WR_UNUSED)
{
    struct wr_str s;
    *n = 0;
    if (!wr_opt_text(o, "scenario", &s))
        return WR_OK;
    *col = WR_NEW_N(a, struct wr_coldef, 2);
    (*col)[0] = (struct wr_coldef){.name = WR_STR("id"), .type = WR_TYPE_OF(BIGINT), .not_null = true};
    (*col)[1] = (struct wr_coldef){.name = WR_STR("at"), .type = WR_TYPE_OF(TIMESTAMP), .pos = 1};
    *n = 2;
    return WR_OK;
}

enum { SRC = WR_AS_SOURCE, SNK = WR_AS_SINK, BOTH = WR_AS_SOURCE | WR_AS_SINK };
static const struct wr_optdesc kafka_opts[] = {
    {"brokers", "properties.bootstrap.servers", BOTH, WR_OPT_TEXT, true, false, NULL, NULL, "host:port, ..."},
    {"topic", NULL, BOTH, WR_OPT_TEXT, true, false, NULL, NULL, "the topic"},
    {"start", "scan.startup.mode", SRC, WR_OPT_ENUM, false, false, "earliest", "earliest|latest", "where to begin"},
    {"key", "key.fields", SNK, WR_OPT_TEXT, false, false, NULL, NULL, "columns of the record's key"},
    {"kafka.*", "properties.*", BOTH, WR_OPT_TEXT, false, false, NULL, NULL, "librdkafka properties"},
    {0},
};
static const struct wr_optdesc postgres_opts[] = {
    {"url", NULL, SNK, WR_OPT_TEXT, true, true, NULL, NULL, "postgresql://..."},
    {"table", NULL, SNK, WR_OPT_TEXT, true, false, NULL, NULL, "the table"},
    {"primary_key", NULL, SNK, WR_OPT_TEXT, false, false, NULL, NULL, "columns"},
    {0},
};
static const struct wr_optdesc file_opts[] = {
    {"path", NULL, BOTH, WR_OPT_TEXT, true, false, NULL, NULL, "the file"},
    {"follow", NULL, SRC, WR_OPT_BOOL, false, false, "false", NULL, "wait for more"},
    {0},
};
static const struct wr_optdesc datagen_opts[] = {
    {"rows", NULL, SRC, WR_OPT_INT, false, false, NULL, NULL, "how many"},
    {"scenario", NULL, SRC, WR_OPT_TEXT, false, false, NULL, NULL, "what"},
    {0},
};
static const struct wr_optdesc console_opts[] = {
    {"format", NULL, SNK, WR_OPT_ENUM, false, false, "table", "table|ndjson|csv", "how"},
    {"null", NULL, SNK, WR_OPT_TEXT, false, false, "", NULL, "how NULL prints"},
    {0},
};
static const struct wr_optdesc no_opts[] = {{0}};

static const struct wr_source_vt fake_source = {.bounded = fake_bounded};
static const struct wr_sink_vt fake_keyed_sink = {.accepts = fake_keyed, .promise = fake_promise};
static const struct wr_sink_vt fake_append_sink = {.accepts = fake_append, .promise = fake_promise};
static const struct wr_sink_vt fake_changes_sink = {.accepts = fake_changes, .promise = fake_promise};
static const struct wr_connector fakes[] = {
    {.name = "blackhole", .help = "counts rows", .opts = no_opts, .sink = &fake_changes_sink},
    {.name = "console", .help = "rows on standard output", .opts = console_opts, .sink = &fake_changes_sink},
    {.name = "datagen", .help = "made-up rows", .opts = datagen_opts, .source = &fake_source, .columns = fake_columns},
    {.name = "file", .help = "files", .opts = file_opts, .source = &fake_source, .sink = &fake_append_sink, .formats = "json csv"},
    {.name = "kafka", .help = "topics", .opts = kafka_opts, .source = &fake_source, .sink = &fake_keyed_sink, .formats = "json csv raw"},
    {.name = "postgres", .help = "tables", .opts = postgres_opts, .sink = &fake_keyed_sink},
};
static const struct wr_format fake_formats[] = {{.name = "json", .opts = no_opts}, {.name = "csv", .opts = no_opts}, {.name = "raw", .opts = no_opts}};
enum { N_FAKES = sizeof fakes / sizeof fakes[0] };

int wr_connector_count(void)
{
    return N_FAKES;
}
const struct wr_connector *wr_connector_get(int i)
{
    return &fakes[i];
}
const struct wr_connector *wr_connector_find(struct wr_str name)
{
    for (int i = 0; i < N_FAKES; i++)
        if (wr_str_ieq_c(name, fakes[i].name))
            return &fakes[i];
    return NULL;
}
const struct wr_format *wr_format_find(struct wr_str name)
{
    for (int i = 0; i < 3; i++)
        if (wr_str_ieq_c(name, fake_formats[i].name))
            return &fake_formats[i];
    return NULL;
}
wr_status wr_connector_unknown(struct wr_str name, int32_t off, struct wr_error *err)
{
    struct wr_str cand[N_FAKES];
    for (int i = 0; i < N_FAKES; i++)
        cand[i] = wr_str_c(fakes[i].name);
    struct wr_str near = wr_str_nearest(name, cand, N_FAKES);
    wr_fail_at(err, WR_ESQL, off, "there is no connector \"%.*s\"", WR_FMT(name));
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    return WR_ESQL;
}

#endif

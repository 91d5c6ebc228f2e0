/* registry.c: the one list of connectors and the one list of formats. A new one is a new file and a line here.
 * Rules:  what a build leaves out (WEIR_NO_...) is not in the list, and is said so when it is asked for by name.
 * Memory: all constant. */
#include "connectors/connector.h"
#include "connectors/internal.h"

static const struct wr_connector *const connectors[] = {
    &wr_connector_blackhole,
    &wr_connector_console,
    &wr_connector_datagen,
    &wr_connector_file,
    &wr_connector_http,
#ifndef WEIR_NO_KAFKA
    &wr_connector_kafka,
#endif
    &wr_connector_nexmark,
#ifndef WEIR_NO_POSTGRES
    &wr_connector_postgres,
#endif
};

static const struct wr_format *const formats[] = {
    &wr_format_json,
    &wr_format_csv,
    &wr_format_raw,
};

enum { N_CONNECTOR = sizeof connectors / sizeof connectors[0], N_FORMAT = sizeof formats / sizeof formats[0] };

static const struct wr_connector *added; /* the program's own, see wr_connector_add */

void wr_connector_add(const struct wr_connector *c)
{
    added = c;
}

int wr_connector_count(void)
{
    return N_CONNECTOR;
}

const struct wr_connector *wr_connector_get(int i)
{
    return i >= 0 && i < N_CONNECTOR ? connectors[i] : NULL;
}

const struct wr_connector *wr_connector_find(struct wr_str name)
{
    for (int i = 0; i < N_CONNECTOR; i++)
        if (wr_str_ieq_c(name, connectors[i]->name))
            return connectors[i];
    return added && wr_str_ieq_c(name, added->name) ? added : NULL;
}

const struct wr_format *wr_format_find(struct wr_str name)
{
    if (wr_str_ieq_c(name, "ndjson") || wr_str_ieq_c(name, "jsonl"))
        return &wr_format_json;
    for (int i = 0; i < N_FORMAT; i++)
        if (wr_str_ieq_c(name, formats[i]->name))
            return formats[i];
    return NULL;
}

/* Known by name, but not part of this build. */
static bool left_out(struct wr_str name)
{
    (void)name;
#ifdef WEIR_NO_KAFKA
    if (wr_str_ieq_c(name, "kafka"))
        return true;
#endif
#ifdef WEIR_NO_POSTGRES
    if (wr_str_ieq_c(name, "postgres"))
        return true;
#endif
    return false;
}

wr_status wr_connector_unknown(struct wr_str name, int32_t off, struct wr_error *err)
{
    struct wr_str cand[N_CONNECTOR];
    struct wr_buf all = WR_BUF_INIT(4096);
    for (int i = 0; i < N_CONNECTOR; i++) {
        cand[i] = wr_str_c(connectors[i]->name);
        wr_buf_printf(&all, "%s%s", i ? ", " : "", connectors[i]->name);
    }
    struct wr_str near = wr_str_nearest(name, cand, N_CONNECTOR);
    if (left_out(name)) {
        wr_fail_at(err, WR_ESQL, off, "connector \"%.*s\" was left out of this build", WR_FMT(name));
    } else {
        wr_fail_at(err, WR_ESQL, off, "there is no connector \"%.*s\"", WR_FMT(name));
        if (near.n)
            wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
        else
            wr_hint(err, "there are: %.*s", WR_FMT(wr_buf_get(&all)));
    }
    wr_buf_clear(&all);
    return WR_ESQL;
}

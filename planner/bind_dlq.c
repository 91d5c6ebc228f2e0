/* bind_dlq.c: on_error = 'dlq': a source's bad records go to a topic or a table of their own.
 *
 *   source (... on_error = 'dlq', dlq_topic = 'bad')                    Kafka: the source's own brokers, or dlq_brokers
 *   source (... on_error = 'dlq', dlq_table = 'bad', dlq_url = '...')   PostgreSQL: rows are appended, the table is made if it is not there
 *
 * Rules:  it is INSERT INTO a sink SELECT * FROM source$errors, added once a job when the source is first read; the sink is called source$dlq.
 *         A sink's on_error = 'dlq' is the sink's own business, because its letters go into its transactions.
 *         What does not say where to, or says it where it has no meaning, is refused when source or sink are declared. */
#include "planner/bind.h"

static const struct wr_opt *find(const struct wr_object *o, const char *key)
{
    for (int i = 0; i < o->as_source.n; i++)
        if (wr_str_eq_c(o->as_source.opt[i].key, key))
            return &o->as_source.opt[i];
    return NULL;
}

static wr_status lacks(struct binder *b, int32_t off, const char *what, const char *hint)
{
    wr_fail_at(b->err, WR_ESQL, off, "%s", what);
    wr_hint(b->err, "%s", hint);
    return WR_ESQL;
}

wr_status wr_bind_dlq_check(struct binder *b, const struct wr_object *o)
{
    static const char *const part[] = {"dlq_topic", "dlq_brokers", "dlq_table", "dlq_url"};
    const struct wr_opt *on = find(o, "on_error"), *topic = find(o, "dlq_topic"), *table = find(o, "dlq_table");
    bool dlq = on && wr_str_eq_c(on->value, "dlq");
    for (int i = 0; i < 4; i++) {
        const struct wr_opt *opt = find(o, part[i]);
        if (opt && !dlq)
            return wr_fail_at(b->err, WR_ESQL, opt->off, "%s has no meaning without on_error = 'dlq'", part[i]);
    }
    if (!dlq)
        return WR_OK;
    if (!topic && !table)
        return lacks(b, on->off, "on_error = 'dlq' does not say where to", "add dlq_topic = '...', or dlq_table = '...' and dlq_url = 'postgres://...'");
    if (topic && table)
        return wr_fail_at(b->err, WR_ESQL, table->off, "bad records go to dlq_topic or to dlq_table, not to both");
    if (topic && !find(o, "dlq_brokers") && strcmp(o->connector->name, "kafka") != 0)
        return lacks(b, topic->off, "dlq_topic does not say on which brokers", "add dlq_brokers = 'host:port'");
    if (table && !find(o, "dlq_url"))
        return lacks(b, table->off, "dlq_table does not say in which database", "add dlq_url = 'postgres://user:password@host/database'");
    return WR_OK;
}

wr_status wr_bind_dlq_check_sink(struct binder *b, const struct wr_object *o)
{
    static const char *const part[] = {"dlq_topic", "dlq_table"};
    const struct wr_opt *on = find(o, "on_error");
    bool dlq = on && wr_str_eq_c(on->value, "dlq");
    const struct wr_opt *to = find(o, part[0]) ? find(o, part[0]) : find(o, part[1]);
    if (to && !dlq)
        return wr_fail_at(b->err, WR_ESQL, to->off, "%.*s has no meaning without on_error = 'dlq'", WR_FMT(to->key));
    if (!dlq || to)
        return WR_OK;
    if (strcmp(o->connector->name, "kafka") == 0)
        return lacks(b, on->off, "on_error = 'dlq' does not say where to", "add dlq_topic = '...', a topic on the same brokers");
    return lacks(b, on->off, "on_error = 'dlq' does not say where to", "add dlq_table = '...', a table of the same database; it is made if it is not there");
}

/* Adds the options of a Kafka source that mean the same for a sink on the same brokers (address, security). */
static int add_shared(const struct wr_object *o, struct wr_opt *opt, int n)
{
    for (int i = 0; i < o->as_source.n; i++) {
        const struct wr_opt *from = &o->as_source.opt[i];
        if (wr_str_eq_c(from->key, "topic"))
            continue;
        for (const struct wr_optdesc *d = o->connector->opts; d && d->name; d++) {
            size_t len = strlen(d->name);
            bool prefix = len && d->name[len - 1] == '*' && from->key.n >= len && memcmp(d->name, from->key.p, len - 1) == 0;
            if ((prefix || wr_str_eq_c(from->key, d->name)) && (d->roles & WR_AS_SINK) && (d->roles & WR_AS_SOURCE)) {
                opt[n++] = *from;
                break;
            }
        }
    }
    return n;
}

static struct wr_opts letter_options(struct binder *b, const struct wr_object *o)
{
    struct wr_opt *opt = WR_NEW_N(b->a, struct wr_opt, o->as_source.n + 4);
    const struct wr_opt *topic = find(o, "dlq_topic"), *brokers = find(o, "dlq_brokers");
    int n = 0;
    if (!topic) {
        opt[n++] = (struct wr_opt){WR_STR("connector"), WR_STR("postgres"), -1};
        opt[n++] = (struct wr_opt){WR_STR("table"), find(o, "dlq_table")->value, find(o, "dlq_table")->off};
        opt[n++] = (struct wr_opt){WR_STR("url"), find(o, "dlq_url")->value, find(o, "dlq_url")->off};
        opt[n++] = (struct wr_opt){WR_STR("create"), WR_STR("true"), -1};
        return (struct wr_opts){n, opt};
    }
    opt[n++] = (struct wr_opt){WR_STR("connector"), WR_STR("kafka"), -1};
    opt[n++] = (struct wr_opt){WR_STR("topic"), topic->value, topic->off};
    opt[n++] = (struct wr_opt){WR_STR("format"), WR_STR("json"), -1};
    if (brokers)
        opt[n++] = (struct wr_opt){WR_STR("brokers"), brokers->value, brokers->off};
    else
        n = add_shared(o, opt, n);
    return (struct wr_opts){n, opt};
}

static wr_status dead_letters(struct binder *b, const struct wr_object *o, struct wr_plan *scan)
{
    struct wr_object letters = {.kind = WR_OBJ_SINK, .writes = true, .time_col = -1};
    struct wr_opts raw = letter_options(b, o);
    letters.name = wr_arena_printf(b->a, "%.*s$dlq", WR_FMT(o->name));
    letters.connector = wr_connector_find(raw.opt[0].value);
    if (!letters.connector)
        return wr_connector_unknown(raw.opt[0].value, raw.opt[1].off, b->err);
    WR_TRY(wr_format_choose(letters.connector, &raw, &letters.format, b->err));
    WR_TRY(wr_opts_check(letters.connector, letters.format, WR_AS_SINK, &raw, b->a, &letters.as_sink, b->err));
    struct wr_plan *side = wr_node_new(b->a, WR_PLAN_SIDE, NULL);
    side->u.side.which = WR_SIDE_ERRORS;
    side->u.side.scan = scan;
    side->out = wr_errors_schema();
    wr_node_props(b->a, side);
    struct rel rows = wr_rel_of(b, wr_bind_made(b, side), (struct wr_str){0});
    return wr_bind_insert(b, &letters, NULL, &rows, -1);
}

wr_status wr_bind_dead_letters(struct binder *b)
{
    for (int i = 0; i < b->job->n_scan; i++) {
        struct jobscan *js = &b->job->scan[i];
        if (!js->dlq_open)
            continue;
        js->dlq_open = false;
        const struct wr_object *o = wr_object_find(b->cat, js->scan->u.scan.spec.name);
        if (o && o->version == js->version)
            WR_TRY(dead_letters(b, o, js->scan));
    }
    return WR_OK;
}

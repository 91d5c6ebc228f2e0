/* demo.c: `weir demo [SCENARIO]`: an embedded broker, a job that writes generated rows to a topic of it, and a query over that topic.
 * Rules:  nothing is short-cut: both jobs are SQL, run through ordinary sessions, and what they say is printed first. Event time runs faster than
 *         the clock, so that windows close within seconds. Without a terminal it ends by itself.
 * Memory: texts of the demo in one buffer; each job has a session of its own, the generator in its own thread. */
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

#include "connectors/kafka_broker.h"
#include "shell/cmd.h"
#include "shell/stop.h"
#include "shell/term.h"

enum { SECONDS = 25 }; /* without a terminal */

struct demo {
    const char *name, *topic;
    int partitions, rate, speedup; /* rows a second; seconds of event time in a second */
    const char *columns;           /* of the source */
    const char *query;             /* up to EMIT */
    const char *emit_live, *emit_plain; /* on a terminal; into a pipe */
};

#define WINDOWED "EMIT CHANGES", "EMIT FINAL"
#define RUNNING "EMIT CHANGES", "EMIT CHANGES EVERY '5 s'"

static const struct demo demos[] = {
    {"black-friday", "black-friday-sales", 3, 200, 30,
     "    id_pedido   TEXT NOT NULL,\n    categoria   TEXT,\n    valor       DECIMAL(12,2),\n    \"timestamp\" TIMESTAMP",
     "SELECT window_start, categoria,\n       sum(valor) AS faturamento_total, count(*) AS volume_vendas\nFROM events\nGROUP BY window(\"timestamp\", '1 min'), categoria\n"
     "WITH WATERMARK '2 min'",
     WINDOWED},
    {"iot", "iot_sensors", 2, 100, 150,
     "    sensor_id   TEXT NOT NULL,\n    location    TEXT,\n    temperature DOUBLE,\n    battery     DOUBLE,\n    \"timestamp\" TIMESTAMP",
     "SELECT window_start, location, round(avg(temperature), 2) AS average,\n       min(temperature) AS coldest, max(temperature) AS hottest, min(battery) AS battery\n"
     "FROM events\nGROUP BY window(\"timestamp\", '5 min'), location\nWITH WATERMARK '10 min'",
     WINDOWED},
    {"user-activity", "user_activity", 2, 200, 60,
     "    user_id          TEXT NOT NULL,\n    action           TEXT,\n    browser          TEXT,\n    session_duration INTEGER,\n    \"timestamp\"      TIMESTAMP",
     "SELECT window_start, action, count(*) AS events, count(DISTINCT user_id) AS users,\n       round(avg(session_duration), 1) AS seconds\nFROM events\n"
     "GROUP BY window(\"timestamp\", '5 min'), action\nWITH WATERMARK '2 min'",
     WINDOWED},
    {"transactions", "financial_transactions", 3, 100, 60,
     "    id_transacao TEXT NOT NULL,\n    id_vendedor  TEXT,\n    valor        DECIMAL(12,2),\n    \"timestamp\"  TIMESTAMP",
     "SELECT id_vendedor, sum(valor) AS total, count(*) AS transactions,\n       round(avg(valor), 2) AS average\nFROM events\nGROUP BY id_vendedor", RUNNING},
    {"card-bursts", "card_transactions", 1, 0, 60,
     "    transaction_id    TEXT NOT NULL,\n    card_id           TEXT,\n    merchant_category TEXT,\n    amount            DECIMAL(12,2),\n    \"timestamp\"       TIMESTAMP",
     "SELECT merchant_category, count(*) AS payments,\n       sum(amount) AS total, max(amount) AS highest\nFROM events\nGROUP BY merchant_category", RUNNING},
    {"random-events", "random_events", 1, 100, 60,
     "    id          BIGINT,\n    value       DOUBLE,\n    \"timestamp\" TIMESTAMP",
     "SELECT id, count(*) AS events, round(avg(value), 2) AS average,\n       min(value) AS lowest, max(value) AS highest\nFROM events\nWHERE value >= 10\nGROUP BY id", RUNNING},
};
enum { N_DEMO = sizeof demos / sizeof demos[0] };

#ifndef WEIR_NO_KAFKA

struct generator {
    struct wr_session session;
    struct wr_str sql;
    atomic_bool stop;      /* ours: it goes on until the query has ended */
    wr_status result;
    pthread_t thread;
};

static void *generate(void *arg)
{
    struct generator *g = arg;
    g->result = wr_session_run(&g->session, "generator", g->sql, WR_RUN_FILE);
    if (g->result)
        atomic_store(wr_stop_flag(), true); /* no rows will come */
    return NULL;
}

static void generator_sql(struct wr_buf *out, const struct demo *d, const char *brokers)
{
    wr_buf_printf(out, "CREATE SOURCE generator WITH (\n    connector = 'datagen', scenario = '%s', speedup = '%d'", d->name, d->speedup);
    if (d->rate)
        wr_buf_printf(out, ",\n    rows_per_second = '%d'", d->rate);
    wr_buf_printf(out, "\n);\nCREATE SINK topic WITH (\n    connector = 'kafka', brokers = '%s',\n    topic = '%s', format = 'json'\n);\n", brokers, d->topic);
    wr_buf_puts(out, "INSERT INTO topic SELECT * FROM generator;\n");
}

static void query_sql(struct wr_buf *out, const struct demo *d, const char *brokers, bool live)
{
    wr_buf_printf(out, "CREATE SOURCE events (\n%s\n) WITH (\n    connector = 'kafka', brokers = '%s',\n    topic = '%s', format = 'json', start = 'earliest'\n);\n\n", d->columns,
                  brokers, d->topic);
    wr_buf_printf(out, "%s\n%s;\n", d->query, live ? d->emit_live : d->emit_plain);
}

static int run_both(const struct demo *d, const char *brokers, const struct wr_args *args)
{
    bool live = wr_term_draws();
    struct wr_buf rows = WR_BUF_INIT(1 << 16), query = WR_BUF_INIT(1 << 16);
    generator_sql(&rows, d, brokers);
    query_sql(&query, d, brokers, live);
    fprintf(stderr, "-- rows are made up and written to a topic of a broker inside this process;\n-- event time runs %d times as fast as the clock\n%.*s\n",
            d->speedup, (int)rows.n, rows.p);
    fprintf(stderr, "-- the query\n%.*s\n", (int)query.n, query.p);
    struct generator g = {.sql = wr_buf_get(&rows)};
    struct wr_session s;
    wr_session_init(&g.session, &g.stop);
    g.session.live = false;
    int rc = 2;
    if (wr_args_session(args, &s)) {
        if (!live)
            wr_stop_after(SECONDS);
        if (pthread_create(&g.thread, NULL, generate, &g) == 0) {
            wr_status st = wr_session_run(&s, "query", wr_buf_get(&query), WR_RUN_FILE);
            atomic_store(&g.stop, true);
            pthread_join(g.thread, NULL);
            rc = wr_exit_code(st ? st : g.result);
        }
        wr_session_clear(&s);
    }
    wr_session_clear(&g.session);
    wr_buf_clear(&rows);
    wr_buf_clear(&query);
    return rc;
}

static wr_status find_demo(const struct wr_args *args, const struct demo **out, struct wr_error *err)
{
    struct wr_str cand[N_DEMO];
    struct wr_buf list = WR_BUF_INIT(1000);
    const char *name = args->n_path ? args->path[0] : demos[0].name;
    *out = NULL;
    for (int i = 0; i < N_DEMO; i++) {
        cand[i] = wr_str_c(demos[i].name);
        wr_buf_printf(&list, "%s%s", i ? ", " : "", demos[i].name);
        if (strcmp(name, demos[i].name) == 0)
            *out = &demos[i];
    }
    if (args->n_path > 1) {
        wr_fail(err, WR_EUSAGE, "weir demo shows one scenario, not %d", args->n_path);
    } else if (!*out) {
        struct wr_str near = wr_str_nearest(wr_str_c(name), cand, N_DEMO);
        wr_fail(err, WR_EUSAGE, "there is no demo \"%s\"", name);
        if (near.n)
            wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
        else
            wr_hint(err, "there are %.*s", (int)list.n, list.p);
    }
    wr_buf_clear(&list);
    return err->code;
}

int wr_cmd_demo(const struct wr_args *args)
{
    struct wr_error err = WR_ERROR_INIT;
    const struct demo *d;
    if (find_demo(args, &d, &err))
        return wr_complain(&err);
    char topics[100];
    snprintf(topics, sizeof topics, "%s:%d", d->topic, d->partitions);
    struct wr_broker *broker = NULL;
    if (wr_broker_start(0, wr_str_c(topics), &broker, &err))
        return wr_complain(&err);
    int rc = run_both(d, wr_broker_address(broker), args);
    wr_broker_stop(broker);
    return rc;
}

#else

int wr_cmd_demo(const struct wr_args *args)
{
    (void)args;
    (void)demos;
    struct wr_error err = WR_ERROR_INIT;
    wr_fail(&err, WR_EUSAGE, "the demo needs Kafka, which this build has not");
    wr_hint(&err, "configure it with -DWEIR_KAFKA=ON");
    return wr_complain(&err);
}

#endif

/* kafka_common.c: see kafka_common.h.
 * Rules:  a property that is not in `allowed` is refused by name; `refused` adds the reason where there is one worth telling.
 * Memory: see kafka_common.h. Callbacks get the client as opaque; they run in librdkafka's threads (log) or inside rd_kafka_poll (errors). */
#include "connectors/kafka_common.h"
#include "core/log.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* ---- which properties may pass ---- */

enum { SRC = WR_AS_SOURCE, SNK = WR_AS_SINK, ANY = WR_AS_SOURCE | WR_AS_SINK };

static const struct {
    const char *name;
    int roles;
} allowed[] = {
    {"client.id", ANY}, {"client.rack", ANY}, {"metadata.max.age.ms", ANY}, {"topic.metadata.refresh.interval.ms", ANY},
    {"socket.timeout.ms", ANY}, {"socket.keepalive.enable", ANY}, {"socket.nagle.disable", ANY},
    {"socket.connection.setup.timeout.ms", ANY}, {"socket.send.buffer.bytes", ANY}, {"socket.receive.buffer.bytes", ANY},
    {"broker.address.family", ANY}, {"broker.address.ttl", ANY}, {"connections.max.idle.ms", ANY},
    {"reconnect.backoff.ms", ANY}, {"reconnect.backoff.max.ms", ANY}, {"api.version.request", ANY},
    {"message.max.bytes", ANY}, {"receive.message.max.bytes", ANY}, {"retry.backoff.ms", ANY},
    {"security.protocol", ANY}, {"sasl.mechanism", ANY}, {"sasl.mechanisms", ANY}, {"sasl.username", ANY}, {"sasl.password", ANY},
    {"ssl.ca.location", ANY}, {"ssl.ca.pem", ANY}, {"ssl.certificate.location", ANY}, {"ssl.certificate.pem", ANY},
    {"ssl.key.location", ANY}, {"ssl.key.pem", ANY}, {"ssl.key.password", ANY}, {"ssl.keystore.location", ANY},
    {"ssl.keystore.password", ANY}, {"ssl.cipher.suites", ANY}, {"ssl.curves.list", ANY}, {"ssl.sigalgs.list", ANY},
    {"ssl.endpoint.identification.algorithm", ANY}, {"enable.ssl.certificate.verification", ANY},
    {"fetch.min.bytes", SRC}, {"fetch.wait.max.ms", SRC}, {"fetch.message.max.bytes", SRC}, {"max.partition.fetch.bytes", SRC},
    {"fetch.max.bytes", SRC}, {"fetch.error.backoff.ms", SRC}, {"fetch.queue.backoff.ms", SRC}, {"queued.min.messages", SRC},
    {"queued.max.messages.kbytes", SRC}, {"isolation.level", SRC}, {"auto.offset.reset", SRC},
    {"linger.ms", SNK}, {"queue.buffering.max.ms", SNK}, {"queue.buffering.max.messages", SNK}, {"queue.buffering.max.kbytes", SNK},
    {"batch.size", SNK}, {"batch.num.messages", SNK}, {"compression.type", SNK}, {"compression.codec", SNK}, {"compression.level", SNK},
    {"request.timeout.ms", SNK}, {"delivery.timeout.ms", SNK}, {"message.timeout.ms", SNK}, {"retries", SNK},
    {"message.send.max.retries", SNK}, {"max.in.flight.requests.per.connection", SNK}, {"sticky.partitioning.linger.ms", SNK},
    {"transaction.timeout.ms", SNK},
};

static const struct {
    const char *name; /* a name that ends in '*' stands for all with that prefix */
    const char *why;
} refused[] = {
    {"bootstrap.servers", "say brokers = '...'"},
    {"metadata.broker.list", "say brokers = '...'"},
    {"group.id", "say group = '...'"},
    {"sasl.kerberos.kinit.cmd", "librdkafka would run it as a shell command"},
    {"sasl.kerberos.*", "Kerberos tickets are fetched by running a program"},
    {"plugin.library.paths", "librdkafka would load it as program code"},
    {"sasl.jaas.config", "it configures a Java client: say sasl_username and sasl_password"},
    {"sasl.oauthbearer.*", "it makes weir call an address taken from SQL text"},
    {"sasl.login.*", "it configures a Java client"},
    {"sasl.client.*", "it configures a Java client"},
    {"ssl.engine.*", "librdkafka would load it as program code"},
    {"ssl.providers", "OpenSSL would load it as program code"},
    {"ssl.truststore.*", "it configures a Java client: say ssl_ca = '/path/ca.pem'"},
    {"opaque", "it is a memory address"},
    {"test.mock.*", "it is for tests of librdkafka"},
    {"debug", "it would print secrets"},
    {"log*", "weir has its own log"},
    {"enable.auto.commit", "weir keeps the read positions itself"},
    {"enable.auto.offset.store", "weir keeps the read positions itself"},
    {"auto.commit.interval.ms", "weir keeps the read positions itself"},
    {"enable.partition.eof", "weir needs it on to know that it has caught up"},
    {"check.crcs", "weir always checks them"},
    {"partition.assignment.strategy", "weir assigns partitions itself"},
    {"session.timeout.ms", "weir does not join a consumer group"},
    {"heartbeat.interval.ms", "weir does not join a consumer group"},
    {"max.poll.*", "weir does not join a consumer group: say SET batch_rows"},
    {"group.*", "weir does not join a consumer group"},
    {"acks", "weir always waits for all replicas"},
    {"request.required.acks", "weir always waits for all replicas"},
    {"enable.idempotence", "weir always sets it"},
    {"transactional.id", "weir names its transactions itself"},
    {"partitioner", "weir always uses Java's (murmur2), so that keys meet in one partition whoever wrote them"},
    {"key.*", "it configures a Java client"},
    {"value.*", "it configures a Java client"},
    {"interceptor.*", "it configures a Java client"},
};

static bool name_is(const char *pattern, struct wr_str name)
{
    size_t n = strlen(pattern);
    if (pattern[n - 1] == '*')
        return name.n >= n - 1 && memcmp(pattern, name.p, n - 1) == 0;
    return wr_str_eq_c(name, pattern);
}

static wr_status check_property(const struct wr_opt *o, struct wr_str name, enum wr_role role, struct wr_error *err)
{
    enum { N = sizeof allowed / sizeof allowed[0] };
    struct wr_str cand[N];
    for (size_t i = 0; i < N; i++) {
        cand[i] = wr_str_c(allowed[i].name);
        if (!wr_str_eq_c(name, allowed[i].name))
            continue;
        if (allowed[i].roles & (int)role)
            return WR_OK;
        return wr_fail_at(err, WR_ESQL, o->off, "Kafka property \"%.*s\" is for a %s", WR_FMT(name),
                          allowed[i].roles == SRC ? "source" : "sink");
    }
    wr_fail_at(err, WR_ESQL, o->off, "Kafka property \"%.*s\" cannot be set here", WR_FMT(name));
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
        if (name_is(refused[i].name, name))
            wr_hint(err, "%s", refused[i].why);
    struct wr_str near = wr_str_nearest(name, cand, N);
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    wr_hint(err, "only properties known to be harmless pass; docs/sql.md lists them");
    return WR_ESQL;
}

/* ---- from options to librdkafka's configuration ---- */

/* Our option names and the properties behind them. */
static const struct wr_kafka_prop option_props[] = {
    {"brokers", "bootstrap.servers"},       {"security_protocol", "security.protocol"}, {"sasl_mechanism", "sasl.mechanism"},
    {"sasl_username", "sasl.username"},     {"sasl_password", "sasl.password"},         {"ssl_ca", "ssl.ca.location"},
    {"ssl_certificate", "ssl.certificate.location"}, {"ssl_key", "ssl.key.location"},   {"ssl_key_password", "ssl.key.password"},
    {"group", "group.id"},                  {"compression", "compression.codec"},       {NULL, NULL},
};

static bool passed_through(struct wr_str key, struct wr_str *name)
{
    if (key.n <= 6 || memcmp(key.p, "kafka.", 6) != 0)
        return false;
    *name = (struct wr_str){key.p + 6, key.n - 6};
    return true;
}

/* A NUL-terminated copy on the heap. */
static char *copy(struct wr_str s)
{
    char *z = wr_malloc((size_t)s.n + 1);
    if (s.n)
        memcpy(z, s.p, s.n);
    z[s.n] = 0;
    return z;
}

static wr_status set(rd_kafka_conf_t *conf, const char *key, struct wr_str value, int32_t off, bool secret, struct wr_error *err)
{
    char why[400];
    if (memchr(value.p ? value.p : "", 0, value.n))
        return wr_fail_at(err, WR_ESQL, off, "the value of Kafka property \"%s\" has a NUL byte", key);
    char *z = copy(value);
    rd_kafka_conf_res_t res = rd_kafka_conf_set(conf, key, z, why, sizeof why);
    explicit_bzero(z, value.n);
    free(z);
    if (res == RD_KAFKA_CONF_OK)
        return WR_OK;
    wr_fail_at(err, WR_ESQL, off, "Kafka property \"%s\" cannot be \"%.*s\"", key, secret ? 3 : (int)value.n, secret ? "***" : value.p);
    if (!secret)
        wr_hint(err, "librdkafka says: %s", why);
    return WR_ESQL;
}

static wr_status set_list(rd_kafka_conf_t *conf, const struct wr_kafka_prop *list, struct wr_error *err)
{
    for (; list && list->key; list++)
        WR_TRY(set(conf, list->key, wr_str_c(list->value), -1, false, err));
    return WR_OK;
}

static wr_status set_options(rd_kafka_conf_t *conf, const struct wr_opts *opts, enum wr_role role, struct wr_error *err)
{
    for (int i = 0; i < opts->n; i++) {
        const struct wr_opt *o = &opts->opt[i];
        struct wr_str name;
        if (passed_through(o->key, &name)) {
            WR_TRY(check_property(o, name, role, err));
            if (wr_str_eq_c(name, "auto.offset.reset"))
                continue; /* read by the source itself */
            char *key = copy(name);
            wr_status st = set(conf, key, o->value, o->off, wr_opt_is_secret(&wr_connector_kafka, o->key), err);
            free(key);
            WR_TRY(st);
        }
        for (const struct wr_kafka_prop *p = option_props; p->key; p++)
            if (wr_str_eq_c(o->key, p->key))
                WR_TRY(set(conf, p->value, o->value, o->off, wr_opt_is_secret(&wr_connector_kafka, o->key), err));
    }
    return WR_OK;
}

/* What librdkafka would find out too late or tell unclearly. */
static wr_status check_login(const struct wr_opts *opts, struct wr_error *err)
{
    struct wr_str brokers = wr_opt_text_or(opts, "brokers", ""), user, protocol;
    if (wr_str_trim(brokers).n == 0) {
        wr_fail(err, WR_ESQL, "option \"brokers\" is empty");
        wr_hint(err, "it is a list such as 'localhost:9092' or 'kafka1:9092,kafka2:9092'");
        return WR_ESQL;
    }
    bool known = wr_opt_text(opts, "security_protocol", &protocol) || wr_opt_text(opts, "kafka.security.protocol", &protocol);
    if (wr_opt_text(opts, "sasl_username", &user) && (!known || protocol.n < 4 || strncasecmp(protocol.p, "sasl", 4) != 0)) {
        wr_fail(err, WR_ESQL, "option \"sasl_username\" needs a security_protocol that logs in");
        wr_hint(err, "add security_protocol = 'sasl_ssl' (or 'sasl_plaintext')");
        return WR_ESQL;
    }
    return WR_OK;
}

/* Everything a client of this role is made of, except its callbacks. */
static wr_status make_conf(const struct wr_opts *opts, enum wr_role role, const struct wr_kafka_prop *soft,
                           const struct wr_kafka_prop *hard, rd_kafka_conf_t **out, struct wr_error *err)
{
    static const struct wr_kafka_prop base[] = {
        {"client.id", "weir"},
        {"socket.nagle.disable", "true"},   /* on in librdkafka before 2.x: costs 40 ms now and then */
        {"socket.keepalive.enable", "true"},
        {"socket.timeout.ms", "20000"},     /* the default of 60 s is also how long some calls spin on a dead broker */
        {"reconnect.backoff.ms", "50"},
        {"reconnect.backoff.max.ms", "2000"},
        {"log.connection.close", "false"},
        {NULL, NULL},
    };
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    wr_status st = set_list(conf, base, err);
    if (!st) st = set_list(conf, soft, err);
    if (!st) st = set_options(conf, opts, role, err);
    if (!st) st = set_list(conf, hard, err);
    if (!st) st = check_login(opts, err);
    if (st) {
        rd_kafka_conf_destroy(conf);
        return st;
    }
    *out = conf;
    return WR_OK;
}

wr_status wr_kafka_check_opts(const struct wr_opts *opts, enum wr_role role, struct wr_error *err)
{
    rd_kafka_conf_t *conf;
    WR_TRY(make_conf(opts, role, NULL, NULL, &conf, err));
    rd_kafka_conf_destroy(conf);
    return WR_OK;
}

/* ---- callbacks ---- */

/* librdkafka's "host:9092/bootstrap: Connect to ipv4#1.2.3.4:9092 failed: Connection refused (after 0ms in state CONNECT)"
 * without what it repeats and what only its developers need. */
static void tidy(char *to, size_t size, const char *text)
{
    struct wr_str s = wr_str_c(text);
    const char *cut = strstr(text, " (after ");
    if (cut)
        s.n = (uint32_t)(cut - text);
    const char *end = s.p + s.n, *colon = memmem(s.p, s.n, ": ", 2), *failed = memmem(s.p, s.n, " failed: ", 9);
    if (strstr(text, "Connect to ") && failed)
        s.p = failed + 9;
    else if (colon && memchr(s.p, '/', (size_t)(colon - s.p)))
        s.p = colon + 2;
    s.n = (uint32_t)(end - s.p);
    struct wr_buf safe = WR_BUF_INIT(size * 4);
    wr_buf_escape(&safe, s, (uint32_t)size - 4);
    (void)snprintf(to, size, "%.*s", WR_FMT(wr_buf_get(&safe)));
    wr_buf_clear(&safe);
    if (isupper((unsigned char)to[0]) && !isupper((unsigned char)to[1]))
        to[0] = (char)tolower((unsigned char)to[0]);
}

static void on_log(const rd_kafka_t *rk WR_UNUSED, int level WR_UNUSED, const char *facility, const char *text)
{
    struct wr_buf safe = WR_BUF_INIT(4096);
    wr_buf_escape(&safe, wr_str_c(text), 1000);
    wr_log(WR_LOG_DEBUG, "kafka", "librdkafka %s: %.*s", facility, WR_FMT(wr_buf_get(&safe)));
    wr_buf_clear(&safe);
}

static void on_error(rd_kafka_t *rk, int code, const char *reason, void *opaque)
{
    struct wr_kafka *k = opaque;
    rd_kafka_resp_err_t e = (rd_kafka_resp_err_t)code;
    char text[300];
    pthread_mutex_lock(&k->lock);
    if (e == RD_KAFKA_RESP_ERR__FATAL) {
        k->fatal = rd_kafka_fatal_error(rk, text, sizeof text);
        tidy(k->why, sizeof k->why, text);
    } else if (e == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        if (!k->down_since)
            k->down_since = wr_clock_mono();
    } else if (!k->fatal && k->trouble != RD_KAFKA_RESP_ERR__AUTHENTICATION) {
        k->trouble = e;
        tidy(k->why, sizeof k->why, reason);
    }
    pthread_mutex_unlock(&k->lock);
    wr_log(WR_LOG_DEBUG, "kafka", "%s: %s", rd_kafka_err2name(e), reason);
}

static void on_delivery(rd_kafka_t *rk WR_UNUSED, const rd_kafka_message_t *m, void *opaque)
{
    struct wr_kafka *k = opaque;
    if (k->delivered)
        k->delivered(k->ctx, m);
}

/* ---- life ---- */

wr_status wr_kafka_open(const struct wr_opts *opts, enum wr_role role, const struct wr_kafka_prop *soft, const struct wr_kafka_prop *hard,
                        struct wr_kafka **out, struct wr_error *err)
{
    rd_kafka_conf_t *conf;
    char why[400];
    WR_TRY(make_conf(opts, role, soft, hard, &conf, err));
    struct wr_kafka *k = wr_calloc(1, sizeof *k);
    struct wr_str user;
    atomic_init(&k->refs, 1);
    pthread_mutex_init(&k->lock, NULL);
    k->brokers = copy(wr_str_trim(wr_opt_text_or(opts, "brokers", "")));
    if (wr_opt_text(opts, "sasl_username", &user))
        k->user = copy(user);
    rd_kafka_conf_set_opaque(conf, k);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
    if (role == WR_AS_SINK)
        rd_kafka_conf_set_dr_msg_cb(conf, on_delivery);
    k->rk = rd_kafka_new(role == WR_AS_SOURCE ? RD_KAFKA_CONSUMER : RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!k->rk) {
        rd_kafka_conf_destroy(conf);
        wr_kafka_unref(k);
        return wr_fail(err, WR_ESQL, "cannot set up a Kafka client: %s", why);
    }
    *out = k;
    return WR_OK;
}

struct wr_kafka *wr_kafka_ref(struct wr_kafka *k)
{
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
    return k;
}

/* Where a client ends: librdkafka may wait for brokers there, and has been known to wait for ever. */
struct ending {
    struct wr_kafka *k;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    bool done, left; /* finished; nobody waits any more, so the thread frees this */
};

static void free_ending(struct ending *e)
{
    pthread_mutex_destroy(&e->lock);
    pthread_cond_destroy(&e->cond);
    free(e);
}

static void *end_client(void *arg)
{
    struct ending *e = arg;
    struct wr_kafka *k = e->k;
    rd_kafka_destroy_flags(k->rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    pthread_mutex_destroy(&k->lock);
    free(k->brokers);
    free(k->user);
    free(k);
    pthread_mutex_lock(&e->lock);
    e->done = true;
    bool left = e->left;
    pthread_cond_signal(&e->cond);
    pthread_mutex_unlock(&e->lock);
    if (left)
        free_ending(e);
    return NULL;
}

void wr_kafka_unref(struct wr_kafka *k)
{
    enum { WAIT_S = 3 };
    if (!k || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (!k->rk) {
        pthread_mutex_destroy(&k->lock);
        free(k->brokers);
        free(k->user);
        free(k);
        return;
    }
    struct ending *e = wr_calloc(1, sizeof *e);
    pthread_condattr_t mono;
    pthread_t thread;
    e->k = k;
    pthread_mutex_init(&e->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&e->cond, &mono);
    pthread_condattr_destroy(&mono);
    if (pthread_create(&thread, NULL, end_client, e) != 0) {
        end_client(e);
        free_ending(e);
        return;
    }
    pthread_detach(thread);
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += WAIT_S;
    pthread_mutex_lock(&e->lock);
    int rc = 0;
    while (!e->done && rc != ETIMEDOUT)
        rc = pthread_cond_timedwait(&e->cond, &e->lock, &until);
    bool done = e->done;
    e->left = !done;
    pthread_mutex_unlock(&e->lock);
    if (done)
        free_ending(e);
    else
        wr_log(WR_LOG_DEBUG, "kafka", "a client did not close within %d s and was left behind", WAIT_S);
}

bool wr_kafka_version_at_least(int version)
{
    return rd_kafka_version() >> 8 >= version; /* the last byte is the pre-release number */
}

/* ---- troubles in words ---- */

/* Sets err from what the callbacks recorded; false: nothing was. Caller has the lock. */
static bool told(struct wr_kafka *k, struct wr_error *err)
{
    if (k->fatal) {
        wr_fail(err, WR_EIO, "the Kafka client cannot go on: %s", k->why);
        err->retriable = true;
        return true;
    }
    if (k->trouble == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
        if (k->user)
            wr_fail(err, WR_EIO, "broker \"%s\" refuses the login of \"%s\": %s", k->brokers, k->user, k->why);
        else
            wr_fail(err, WR_EIO, "broker \"%s\" refuses the login: %s", k->brokers, k->why);
        wr_hint(err, "check sasl_username, sasl_password and sasl_mechanism");
        return true;
    }
    if (k->trouble == RD_KAFKA_RESP_ERR__SSL) {
        wr_fail(err, WR_EIO, "no TLS connection to \"%s\": %s", k->brokers, k->why);
        wr_hint(err, "check security_protocol and ssl_ca");
        return true;
    }
    return false;
}

static wr_status unreachable(struct wr_kafka *k, struct wr_error *err)
{
    /* It was there, and is gone: sometimes without a reason, sometimes we notice while we still send. */
    bool hangs_up = k->down_since && (!k->trouble || strstr(k->why, "Broken pipe") || strstr(k->why, "reset by peer") || strstr(k->why, "isconnected"));
    wr_fail(err, WR_EIO, "cannot reach any broker of \"%s\": %s", k->brokers,
            hangs_up ? "it ends every connection" : k->trouble ? k->why : "no answer");
    if (hangs_up)
        wr_hint(err, "is it a Kafka broker? it may want another security_protocol, such as 'sasl_plaintext' or 'sasl_ssl'");
    else if (strstr(k->why, "resolve"))
        wr_hint(err, "check the host name in brokers, or, if that one is right, the address that the broker itself advertises");
    else if (strstr(k->why, "security.protocol"))
        wr_hint(err, "check security_protocol: the broker may want 'ssl' or 'sasl_ssl'");
    else
        wr_hint(err, "is it running, and is this its address? \"weir broker\" starts one for trying things");
    err->retriable = true;
    return WR_EIO;
}

wr_status wr_kafka_fail(struct wr_kafka *k, rd_kafka_resp_err_t code, struct wr_error *err, const char *doing, ...)
{
    char what[300];
    va_list args;
    va_start(args, doing);
    (void)vsnprintf(what, sizeof what, doing, args);
    va_end(args);
    (void)rd_kafka_poll(k->rk, 0); /* let what the broker threads know come in first */
    pthread_mutex_lock(&k->lock);
    bool net = code == RD_KAFKA_RESP_ERR__TRANSPORT || code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || code == RD_KAFKA_RESP_ERR__RESOLVE ||
               code == RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (told(k, err)) {
        /* the cause is known better than `code` says */
    } else if (net && k->trouble) {
        wr_fail(err, WR_EIO, "%s: %s", what, k->why);
        wr_hint(err, "the brokers of \"%s\" answer, but one of the addresses they advertise cannot be reached", k->brokers);
        err->retriable = true;
    } else {
        char text[200];
        tidy(text, sizeof text, rd_kafka_err2str(code));
        wr_fail(err, WR_EIO, "%s: %s", what, text);
        err->retriable = net || code == RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE || code == RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION ||
                         code == RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT || code == RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE;
    }
    pthread_mutex_unlock(&k->lock);
    return WR_EIO;
}

bool wr_kafka_hopeless(struct wr_kafka *k, int64_t started, struct wr_error *err)
{
    enum { PATIENCE = 2500000 }; /* µs that no broker may be reachable: one that is just starting gets a chance */
    (void)rd_kafka_poll(k->rk, 0);
    pthread_mutex_lock(&k->lock);
    int64_t now = wr_clock_mono();
    bool lost = told(k, err);
    if (!lost && ((k->down_since && now - started > PATIENCE) || now - started > WR_KAFKA_WAIT_MS * INT64_C(1000))) {
        unreachable(k, err);
        lost = true;
    }
    pthread_mutex_unlock(&k->lock);
    return lost;
}

/* ---- metadata ---- */

wr_status wr_kafka_metadata(struct wr_kafka *k, bool all, rd_kafka_topic_t *only, const atomic_bool *stop,
                            const struct rd_kafka_metadata **md, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    for (;;) { /* short waits first, so that a refusal is noticed soon; then longer ones, for slow lines */
        int wait = wr_clock_mono() - started < 3 * WR_US_SEC ? 500 : 2000;
        rd_kafka_resp_err_t e = rd_kafka_metadata(k->rk, all, only, md, wait);
        if (!e) {
            pthread_mutex_lock(&k->lock);
            k->down_since = 0;
            if (k->trouble != RD_KAFKA_RESP_ERR__AUTHENTICATION)
                k->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
            pthread_mutex_unlock(&k->lock);
            return WR_OK;
        }
        if (stop && atomic_load(stop))
            return wr_fail(err, WR_ESTOP, "stopped while waiting for the brokers of \"%s\"", k->brokers);
        if (wr_kafka_hopeless(k, started, err))
            return WR_EIO;
    }
}

wr_status wr_kafka_no_topic(struct wr_kafka *k, struct wr_str topic, struct wr_error *err)
{
    enum { MOST = 200 };
    const struct rd_kafka_metadata *md;
    struct wr_error ignored = WR_ERROR_INIT;
    wr_fail(err, WR_EIO, "there is no topic \"%.*s\" on \"%s\"", WR_FMT(topic), k->brokers);
    if (wr_kafka_metadata(k, true, NULL, NULL, &md, &ignored) != WR_OK)
        return WR_EIO;
    struct wr_str cand[MOST];
    int n = 0;
    for (int i = 0; i < md->topic_cnt && n < MOST; i++)
        if (!wr_str_eq_c(topic, md->topics[i].topic))
            cand[n++] = wr_str_c(md->topics[i].topic);
    struct wr_str near = wr_str_nearest(topic, cand, n);
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "the brokers know %d topics; create it, or check the name", md->topic_cnt);
    rd_kafka_metadata_destroy(md);
    return WR_EIO;
}

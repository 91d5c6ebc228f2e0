/* kafka_broker.c: see kafka_broker.h.
 * How:    the mock lives in a librdkafka handle of its own; the passing-on of a fixed port is one thread with poll().
 * Rules:  listens on 127.0.0.1 only. A full direction stops reading from its other end: nothing grows.
 * Memory: wr_broker_stop frees all; the thread ends before that. */
#include "connectors/kafka_broker.h"
#include "connectors/kafka_common.h"
#include "core/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PASS_BYTES = 64 << 10, MOST_PAIRS = 256, MOST_PARTITIONS = 1000 };

/* One direction of a connection that is passed on. */
struct flow {
    int from, to;
    size_t at, n;      /* bytes waiting: buf[at..n) */
    bool ended;        /* from has no more */
    char *buf;         /* PASS_BYTES */
};
struct pair {
    int client, mock;
    struct flow flow[2];
};

struct wr_broker {
    rd_kafka_t *rk;
    rd_kafka_mock_cluster_t *mock;
    char address[64];
    uint16_t real_port;
    int listener;      /* -1: no fixed port */
    int wake[2];       /* pipe: a byte ends the thread */
    bool running;      /* the thread was started */
    pthread_t thread;
    int n_pair;
    struct pair pair[MOST_PAIRS];
};

/* ---- passing on ---- */

static struct sockaddr_in loopback(uint16_t port)
{
    return (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static void pair_close(struct wr_broker *b, int i)
{
    struct pair *p = &b->pair[i];
    (void)close(p->client);
    (void)close(p->mock);
    free(p->flow[0].buf);
    free(p->flow[1].buf);
    *p = b->pair[--b->n_pair];
}

static void pair_accept(struct wr_broker *b)
{
    int client = accept4(b->listener, NULL, NULL, SOCK_CLOEXEC);
    if (client < 0)
        return;
    struct sockaddr_in to = loopback(b->real_port);
    int mock = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (mock < 0 || b->n_pair == MOST_PAIRS || connect(mock, (const struct sockaddr *)&to, sizeof to) != 0) {
        (void)close(client);
        if (mock >= 0)
            (void)close(mock);
        return;
    }
    (void)fcntl(client, F_SETFL, O_NONBLOCK);
    (void)fcntl(mock, F_SETFL, O_NONBLOCK);
    b->pair[b->n_pair++] = (struct pair){
        .client = client,
        .mock = mock,
        .flow = {{.from = client, .to = mock, .buf = wr_malloc(PASS_BYTES)}, {.from = mock, .to = client, .buf = wr_malloc(PASS_BYTES)}},
    };
}

static bool is_later(ssize_t n)
{
    return n < 0 && (errno == EAGAIN || errno == EINTR);
}

/* Reads if there is room, writes what waits. false: the connection is over. */
static bool flow_move(struct flow *f, bool readable)
{
    if (readable && f->n == 0 && !f->ended) {
        ssize_t got = read(f->from, f->buf, PASS_BYTES);
        if (got < 0 && !is_later(got))
            return false;
        f->ended = got == 0;
        f->n = got > 0 ? (size_t)got : 0;
        f->at = 0;
    }
    while (f->at < f->n) {
        ssize_t put = send(f->to, f->buf + f->at, f->n - f->at, MSG_NOSIGNAL);
        if (is_later(put))
            return true;
        if (put < 0)
            return false;
        f->at += (size_t)put;
    }
    f->at = f->n = 0;
    return !f->ended; /* half-closed connections have no use in Kafka's protocol */
}

static void *pass_on(void *arg)
{
    struct wr_broker *b = arg;
    struct pollfd fds[2 + 2 * MOST_PAIRS];
    for (;;) {
        int n_pair = b->n_pair;
        fds[0] = (struct pollfd){.fd = b->wake[0], .events = POLLIN};
        fds[1] = (struct pollfd){.fd = b->listener, .events = POLLIN};
        for (int i = 0; i < n_pair; i++) {
            const struct pair *p = &b->pair[i];
            short in0 = p->flow[0].n ? 0 : POLLIN, in1 = p->flow[1].n ? 0 : POLLIN;
            fds[2 + 2 * i] = (struct pollfd){.fd = p->client, .events = (short)(in0 | (p->flow[1].n ? POLLOUT : 0))};
            fds[3 + 2 * i] = (struct pollfd){.fd = p->mock, .events = (short)(in1 | (p->flow[0].n ? POLLOUT : 0))};
        }
        if (poll(fds, (nfds_t)(2 + 2 * n_pair), -1) < 0 && errno != EINTR)
            break;
        if (fds[0].revents)
            break;
        for (int i = n_pair - 1; i >= 0; i--) { /* downwards: closing moves the last one into the gap */
            struct pair *p = &b->pair[i];
            short c = fds[2 + 2 * i].revents, m = fds[3 + 2 * i].revents;
            if ((c || m) && (!flow_move(&p->flow[0], c & (POLLIN | POLLHUP | POLLERR)) || !flow_move(&p->flow[1], m & (POLLIN | POLLHUP | POLLERR))))
                pair_close(b, i);
        }
        if (fds[1].revents)
            pair_accept(b);
    }
    while (b->n_pair)
        pair_close(b, b->n_pair - 1);
    return NULL;
}

static wr_status listen_on(struct wr_broker *b, int port, struct wr_error *err)
{
    struct sockaddr_in at = loopback((uint16_t)port);
    int yes = 1;
    if (pipe2(b->wake, O_CLOEXEC) != 0)
        return wr_fail(err, WR_EIO, "cannot start the broker: %s", strerror(errno));
    b->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (b->listener >= 0)
        (void)setsockopt(b->listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (b->listener < 0 || bind(b->listener, (const struct sockaddr *)&at, sizeof at) != 0 || listen(b->listener, 64) != 0) {
        wr_fail(err, WR_EIO, "cannot listen on 127.0.0.1:%d: %s", port, strerror(errno));
        wr_hint(err, "another broker may be running there; --port 0 takes any free one");
        return WR_EIO;
    }
    if (pthread_create(&b->thread, NULL, pass_on, b) != 0)
        return wr_fail(err, WR_EIO, "cannot start a thread for the broker");
    b->running = true;
    (void)snprintf(b->address, sizeof b->address, "127.0.0.1:%d", port);
    return WR_OK;
}

/* ---- the mock ---- */

static void on_log(const rd_kafka_t *rk WR_UNUSED, int level WR_UNUSED, const char *facility, const char *text)
{
    wr_log(WR_LOG_DEBUG, "broker", "%s: %s", facility, text);
}

static wr_status start_mock(struct wr_broker *b, struct wr_error *err)
{
    char why[300];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set_log_cb(conf, on_log);
    b->rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    if (!b->rk) {
        rd_kafka_conf_destroy(conf);
        return wr_fail(err, WR_EIO, "cannot start the broker: %s", why);
    }
    b->mock = rd_kafka_mock_cluster_new(b->rk, 1);
    if (!b->mock)
        return wr_fail(err, WR_EIO, "cannot start the broker: no port could be opened on 127.0.0.1");
    const char *real = rd_kafka_mock_cluster_bootstraps(b->mock), *colon = strrchr(real, ':');
    b->real_port = colon ? (uint16_t)strtol(colon + 1, NULL, 10) : 0;
    (void)snprintf(b->address, sizeof b->address, "%s", real);
    return WR_OK;
}

wr_status wr_broker_topic(struct wr_broker *b, struct wr_str name, int partitions, struct wr_error *err)
{
    char z[250];
    if (name.n == 0 || name.n >= sizeof z)
        return wr_fail(err, WR_EUSAGE, "a topic name has 1 to 249 bytes");
    if (partitions < 1 || partitions > MOST_PARTITIONS)
        return wr_fail(err, WR_EUSAGE, "topic \"%.*s\": a topic has 1 to %d partitions here", WR_FMT(name), MOST_PARTITIONS);
    (void)snprintf(z, sizeof z, "%.*s", WR_FMT(name));
    rd_kafka_resp_err_t e = rd_kafka_mock_topic_create(b->mock, z, partitions, 1);
    if (e)
        return wr_fail(err, WR_EIO, "cannot make topic \"%s\": %s", z, rd_kafka_err2str(e));
    return WR_OK;
}

/* "orders:3,clicks" */
static wr_status make_topics(struct wr_broker *b, struct wr_str list, struct wr_error *err)
{
    while (list.n) {
        const char *comma = memchr(list.p, ',', list.n);
        uint32_t n = comma ? (uint32_t)(comma - list.p) : list.n;
        struct wr_str one = wr_str_trim((struct wr_str){list.p, n});
        const char *colon = one.n ? memchr(one.p, ':', one.n) : NULL;
        long partitions = 1;
        if (colon) {
            char digits[8], *end = digits;
            (void)snprintf(digits, sizeof digits, "%.*s", (int)(one.p + one.n - colon - 1), colon + 1);
            partitions = strtol(digits, &end, 10);
            if (*end || end == digits)
                return wr_fail(err, WR_EUSAGE, "\"%.*s\" is not topic:partitions", WR_FMT(one));
            one.n = (uint32_t)(colon - one.p);
        }
        if (one.n)
            WR_TRY(wr_broker_topic(b, one, (int)partitions, err));
        uint32_t used = comma ? n + 1 : n;
        list.p += used;
        list.n -= used;
    }
    return WR_OK;
}

wr_status wr_broker_start(int port, struct wr_str topics, struct wr_broker **out, struct wr_error *err)
{
    if (port < 0 || port > 65535)
        return wr_fail(err, WR_EUSAGE, "%d is not a port", port);
    struct wr_broker *b = wr_calloc(1, sizeof *b);
    b->listener = b->wake[0] = b->wake[1] = -1;
    wr_status st = start_mock(b, err);
    if (!st) st = make_topics(b, topics, err);
    if (!st && port) st = listen_on(b, port, err);
    if (st) {
        wr_broker_stop(b);
        return st;
    }
    *out = b;
    return WR_OK;
}

const char *wr_broker_address(const struct wr_broker *b)
{
    return b->address;
}

void *wr_broker_mock(struct wr_broker *b)
{
    return b->mock;
}

void wr_broker_stop(struct wr_broker *b)
{
    if (!b)
        return;
    if (b->running) {
        while (write(b->wake[1], "", 1) < 0 && errno == EINTR)
            ;
        (void)pthread_join(b->thread, NULL);
    }
    if (b->listener >= 0)
        (void)close(b->listener);
    if (b->wake[0] >= 0) {
        (void)close(b->wake[0]);
        (void)close(b->wake[1]);
    }
    if (b->mock)
        rd_kafka_mock_cluster_destroy(b->mock);
    if (b->rk)
        rd_kafka_destroy(b->rk);
    free(b);
}

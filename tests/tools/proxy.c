/* proxy.c: stands between weir and a server on this machine and does what a bad network does, exactly when it is told to.
 *
 *   proxy kafka|pg|raw PORT[:LISTEN]      forwards connections on LISTEN (0 or absent: a free port) to 127.0.0.1:PORT
 * It prints "listening LISTEN", then obeys lines on standard input and answers each with "ok":
 *   on LABEL[*N] cut        the N-th (1) request with that label from now on does not reach the server: both sides are closed instead
 *   on LABEL[*N] lose       it reaches the server; the answer is thrown away when it comes, and both sides are closed
 *   on LABEL[*N] mute       it reaches the server; nothing the server says on that connection comes back any more (half open)
 *   on LABEL[*N] hold       it, and all behind it on that connection, waits for "release"; also when the client has hung up meanwhile
 *   release                 held requests go on to the server; if their client is gone, the answer goes nowhere
 *   forget                  rules that have not acted yet are gone
 *   discard                 held requests are dropped, their connections closed
 *   cut                     closes all connections
 *   refuse on|off           new connections are closed at once
 *   stall on|off            nothing is forwarded in either direction, connections stay
 *   silence on|off          nothing of what the servers say is forwarded: it is thrown away
 *   delay MS                everything waits that long on its way, both ways; 0: at once
 *   count LABEL             -> ok N: requests with that label that came so far
 * A request is a frame of Kafka (label: its API key, as in 26 for EndTxn), of PostgreSQL (label: the first word of a simple query's or a
 * prepared statement's text, as in COMMIT), or whatever came in one read (raw; label: "*"). When an "on" acts it says "hit LABEL ACTION".
 * Rules:  one thread, poll; time matters only for delay, so that a test is the same each time.
 * Memory: a connection's buffers grow with what waits in them; it goes when both of its sides have. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CONNS = 512, RULES = 32, LABELS = 256, BLOCK = 65536 };
enum kind { KAFKA, PG, RAW };
enum action { CUT, LOSE, MUTE, HOLD };
static const char *const action_name[] = {"cut", "lose", "mute", "hold"};

struct bytes { char *p; size_t n, cap; };

struct piece { int64_t due; size_t n; struct piece *next; }; /* delay: the next n bytes may go at `due` */

struct side {                 /* one direction: bytes read, on their way to the other end */
    struct bytes in;          /* read, not yet cut into requests */
    struct bytes out;         /* ready to be written */
    struct piece *first, *last;
    bool ended;               /* the reader saw the end */
};

struct conn {
    int client, server;       /* -1: closed */
    struct side up, down;     /* client to server; server to client */
    bool greeted;             /* pg: the startup packet has passed */
    bool held;                /* a request waits for "release": nothing goes up */
    bool mute;                /* nothing comes down */
    bool lose;                /* close at the server's next word ... */
    int64_t lose_id;          /* ... about this request (Kafka's correlation id); -1: whatever it says */
    struct bytes answers;     /* lose: what came from the server since, cut into frames */
};

struct rule { char label[32]; long left; enum action action; bool used; };
struct tally { char label[32]; long n; };

static enum kind kind;
static int target;
static struct conn *conn[CONNS];
static struct rule rule[RULES];
static struct tally tally[LABELS];
static int n_tally;
static bool refusing, stalled, silent;
static long delay_ms;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

static int64_t now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* ---- bytes ---- */

static void add(struct bytes *b, const char *p, size_t n)
{
    if (n == 0)
        return;
    if (b->cap - b->n < n) {
        b->cap = (b->n + n) * 2;
        b->p = realloc(b->p, b->cap);
        if (!b->p)
            die("realloc");
    }
    memcpy(b->p + b->n, p, n);
    b->n += n;
}

static void drop_front(struct bytes *b, size_t n)
{
    b->n -= n;
    if (b->n && n)
        memmove(b->p, b->p + n, b->n);
}

static void pass_on(struct side *s, const char *p, size_t n)
{
    add(&s->out, p, n);
    if (delay_ms == 0 && !s->first)
        return;
    struct piece *one = calloc(1, sizeof *one);
    if (!one)
        die("calloc");
    one->due = now_ms() + delay_ms;
    one->n = n;
    if (s->last)
        s->last->next = one;
    else
        s->first = one;
    s->last = one;
}

/* How much of `out` may be written now. */
static size_t allowed(const struct side *s)
{
    size_t waiting = 0;
    for (const struct piece *p = s->first; p; p = p->next)
        if (p->due > now_ms())
            waiting += p->n;
    return s->out.n - waiting;
}

static void forget_written(struct side *s, size_t n)
{
    drop_front(&s->out, n);
    while (s->first && n >= s->first->n) {
        struct piece *old = s->first;
        n -= old->n;
        s->first = old->next;
        if (!s->first)
            s->last = NULL;
        free(old);
    }
    if (s->first)
        s->first->n -= n;
}

/* ---- requests ---- */

static uint32_t be32(const char *p)
{
    const unsigned char *u = (const unsigned char *)p;
    return (uint32_t)u[0] << 24 | (uint32_t)u[1] << 16 | (uint32_t)u[2] << 8 | u[3];
}

/* Length of the first request in b; 0: not all of it is there. Its label goes to `label`, Kafka's correlation id to *id. */
static size_t first_request(struct conn *c, const struct bytes *b, char label[32], int64_t *id)
{
    size_t n = 0;
    label[0] = 0;
    *id = -1;
    if (kind == RAW || b->n == 0) {
        snprintf(label, 32, "*");
        return b->n;
    }
    if (kind == KAFKA) {
        if (b->n < 12 || b->n < (n = 4 + (size_t)be32(b->p)))
            return 0;
        snprintf(label, 32, "%d", (int)((unsigned char)b->p[4] << 8 | (unsigned char)b->p[5]));
        *id = be32(b->p + 8);
        return n;
    }
    size_t type = c->greeted ? 1 : 0; /* the first packet has no type */
    if (b->n < 4 + type || b->n < (n = type + be32(b->p + type)))
        return 0;
    if (!c->greeted) {
        snprintf(label, 32, "startup");
        c->greeted = n < 8 || be32(b->p + 4) != 80877103; /* a question about SSL comes before it */
        return n;
    }
    const char *text = b->p + 5, *end = b->p + n;
    if (b->p[0] == 'P') { /* Parse: name, then text */
        while (text < end && *text)
            text++;
        text++;
    }
    if (b->p[0] == 'P' || b->p[0] == 'Q') {
        size_t len = 0;
        while (text + len < end && len < 31 && text[len] && !strchr(" ;\n(", text[len]))
            len++;
        memcpy(label, text, len);
        label[len] = 0;
    }
    return n;
}

static long *tally_of(const char *label)
{
    static long overflow;
    for (int i = 0; i < n_tally; i++)
        if (strcmp(tally[i].label, label) == 0)
            return &tally[i].n;
    if (n_tally == LABELS)
        return &overflow;
    snprintf(tally[n_tally].label, sizeof tally[0].label, "%s", label);
    return &tally[n_tally++].n;
}

static struct rule *rule_for(const char *label)
{
    for (int i = 0; i < RULES; i++)
        if (rule[i].used && strcmp(rule[i].label, label) == 0 && --rule[i].left == 0)
            return &rule[i];
    return NULL;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static void say(const char *what, const char *label, const char *action)
{
    printf("%s %s %s\n", what, label, action);
    fflush(stdout);
}

/* Cuts what the client sent into requests and lets them go up, unless a rule says otherwise. */
static void take_requests(struct conn *c)
{
    char label[32];
    int64_t id;
    while (!c->held && c->up.in.n) {
        size_t n = first_request(c, &c->up.in, label, &id);
        if (n == 0)
            return;
        ++*tally_of(label);
        struct rule *r = rule_for(label);
        if (!r) {
            pass_on(&c->up, c->up.in.p, n);
            drop_front(&c->up.in, n);
            continue;
        }
        r->used = false;
        switch (r->action) {
        case CUT:
            close_fd(&c->client);
            close_fd(&c->server);
            say("hit", label, "cut");
            return;
        case HOLD:
            c->held = true;
            say("hit", label, "hold");
            return;
        case LOSE:
            c->lose = true;
            c->lose_id = id;
            break;
        case MUTE:
            c->mute = true;
            say("hit", label, "mute");
            break;
        }
        pass_on(&c->up, c->up.in.p, n);
        drop_front(&c->up.in, n);
    }
}

/* Is the answer to throw away among what the server said? What comes before it is passed on. */
static bool answer_came(struct conn *c)
{
    struct bytes *b = &c->answers;
    if (c->lose_id < 0)
        return b->n > 0;
    while (b->n >= 8) {
        size_t n = 4 + (size_t)be32(b->p);
        if ((int64_t)be32(b->p + 4) == c->lose_id)
            return b->n >= n;
        if (b->n < n)
            return false;
        pass_on(&c->down, b->p, n);
        drop_front(b, n);
    }
    return false;
}

static void take_answers(struct conn *c)
{
    struct bytes *b = &c->down.in;
    if (c->lose) {
        add(&c->answers, b->p, b->n);
        if (answer_came(c)) {
            char label[32];
            snprintf(label, sizeof label, "%lld", (long long)c->lose_id);
            close_fd(&c->client);
            close_fd(&c->server);
            say("hit", label, "lost");
        }
    } else if (!c->mute && !silent) {
        pass_on(&c->down, b->p, b->n);
    }
    b->n = 0;
}

/* ---- connections ---- */

static void accept_one(int listener)
{
    int fd = accept(listener, NULL, NULL), one = 1;
    if (fd < 0)
        return;
    int i = 0;
    while (i < CONNS && conn[i])
        i++;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)target), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int server = refusing || i == CONNS ? -1 : socket(AF_INET, SOCK_STREAM, 0);
    if (server < 0 || connect(server, (struct sockaddr *)&to, sizeof to) != 0) {
        close_fd(&server);
        close(fd);
        return;
    }
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    fcntl(server, F_SETFL, O_NONBLOCK);
    conn[i] = calloc(1, sizeof **conn);
    if (!conn[i])
        die("calloc");
    conn[i]->client = fd;
    conn[i]->server = server;
}

static void read_side(int *fd, struct side *s)
{
    char block[BLOCK];
    ssize_t n = read(*fd, block, sizeof block);
    if (n > 0)
        add(&s->in, block, (size_t)n);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR))
        s->ended = true;
}

static void write_side(int *fd, struct side *s)
{
    size_t n = allowed(s);
    if (*fd < 0) { /* nobody is there to hear it */
        forget_written(s, n);
        return;
    }
    ssize_t put = n ? write(*fd, s->out.p, n) : 0;
    if (put > 0)
        forget_written(s, (size_t)put);
    else if (put < 0 && errno != EAGAIN && errno != EINTR)
        close_fd(fd);
}

static void free_conn(int i)
{
    struct conn *c = conn[i];
    close_fd(&c->client);
    close_fd(&c->server);
    c->up.out.n = c->down.out.n = 0;
    forget_written(&c->up, 0);
    struct side *side[2] = {&c->up, &c->down};
    for (int k = 0; k < 2; k++) {
        while (side[k]->first) {
            struct piece *old = side[k]->first;
            side[k]->first = old->next;
            free(old);
        }
        free(side[k]->in.p);
        free(side[k]->out.p);
    }
    free(c->answers.p);
    free(c);
    conn[i] = NULL;
}

/* Moves what can move; ends what has ended. A client that hung up while its request is held leaves the server's side open. */
static void serve(int i)
{
    struct conn *c = conn[i];
    take_requests(c);
    if (c->down.in.n)
        take_answers(c);
    if (!stalled) {
        write_side(&c->server, &c->up);
        write_side(&c->client, &c->down);
    }
    if (c->up.ended && !c->held && c->up.out.n == 0 && c->server >= 0) {
        if (c->client >= 0 && c->down.ended)
            close_fd(&c->client);
        shutdown(c->server, SHUT_WR);
        close_fd(&c->client);
        if (c->down.ended)
            close_fd(&c->server);
    } else if (c->up.ended) {
        close_fd(&c->client);
    }
    if (c->down.ended && c->down.out.n == 0) {
        close_fd(&c->server);
        close_fd(&c->client);
    }
    if (c->client < 0 && c->server < 0)
        free_conn(i);
}

/* ---- orders ---- */

static void order_on(char *rest)
{
    char label[64], action[16];
    if (sscanf(rest, "%63s %15s", label, action) != 2) {
        say("error", "on", "needs a label and an action");
        return;
    }
    char *times = strrchr(label, '*');
    long n = 1;
    if (times && times != label) {
        *times = 0;
        n = strtol(times + 1, NULL, 10);
    }
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < RULES && strcmp(action, action_name[k]) == 0; i++) {
            if (rule[i].used)
                continue;
            rule[i] = (struct rule){.left = n, .action = (enum action)k, .used = true};
            snprintf(rule[i].label, sizeof rule[i].label, "%.31s", label);
            printf("ok\n");
            return;
        }
    say("error", "on", "no such action, or too many rules");
}

static void order(char *line)
{
    char word[32] = "", rest[128] = "";
    sscanf(line, "%31s %127[^\n]", word, rest);
    bool on = strcmp(rest, "on") == 0;
    if (strcmp(word, "on") == 0) {
        order_on(rest);
        fflush(stdout);
        return;
    }
    if (strcmp(word, "refuse") == 0) {
        refusing = on;
    } else if (strcmp(word, "stall") == 0) {
        stalled = on;
    } else if (strcmp(word, "silence") == 0) {
        silent = on;
    } else if (strcmp(word, "delay") == 0) {
        delay_ms = strtol(rest, NULL, 10);
    } else if (strcmp(word, "count") == 0) {
        printf("ok %ld\n", *tally_of(rest));
        fflush(stdout);
        return;
    } else if (strcmp(word, "forget") == 0) {
        for (int i = 0; i < RULES; i++)
            rule[i].used = false;
    } else if (strcmp(word, "cut") == 0 || strcmp(word, "release") == 0 || strcmp(word, "discard") == 0) {
        for (int i = 0; i < CONNS; i++) {
            if (!conn[i])
                continue;
            if (word[0] == 'r' && conn[i]->held) {
                char label[32];
                int64_t id;
                size_t n = first_request(conn[i], &conn[i]->up.in, label, &id);
                conn[i]->held = false;
                pass_on(&conn[i]->up, conn[i]->up.in.p, n);
                drop_front(&conn[i]->up.in, n);
            } else if (word[0] == 'c' || (word[0] == 'd' && conn[i]->held)) {
                free_conn(i);
            }
        }
    } else {
        say("error", word, "is no order");
        return;
    }
    printf("ok\n");
    fflush(stdout);
}

static bool take_orders(void)
{
    static char text[4096];
    static size_t n;
    ssize_t got = read(STDIN_FILENO, text + n, sizeof text - 1 - n);
    if (got <= 0)
        return false;
    n += (size_t)got;
    text[n] = 0;
    char *end;
    while ((end = strchr(text, '\n')) != NULL) {
        *end = 0;
        order(text);
        n -= (size_t)(end + 1 - text);
        memmove(text, end + 1, n + 1);
    }
    return true;
}

/* ---- the loop ---- */

static int listen_on(int port)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof a;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (fd < 0 || bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 64) != 0)
        die("cannot listen");
    getsockname(fd, (struct sockaddr *)&a, &len);
    printf("listening %d\n", ntohs(a.sin_port));
    fflush(stdout);
    return fd;
}

static int gather(struct pollfd *p, int *whose, int listener)
{
    int n = 0;
    p[n++] = (struct pollfd){.fd = STDIN_FILENO, .events = POLLIN};
    p[n++] = (struct pollfd){.fd = listener, .events = POLLIN};
    for (int i = 0; i < CONNS; i++) {
        struct conn *c = conn[i];
        if (!c)
            continue;
        if (c->client >= 0 && !c->up.ended) {
            whose[n] = i;
            p[n++] = (struct pollfd){.fd = c->client, .events = (short)((stalled ? 0 : POLLIN) | (!stalled && allowed(&c->down) ? POLLOUT : 0))};
        }
        if (c->server >= 0 && !c->down.ended) {
            whose[n] = i;
            p[n++] = (struct pollfd){.fd = c->server, .events = (short)((stalled ? 0 : POLLIN) | (!stalled && allowed(&c->up) ? POLLOUT : 0))};
        }
    }
    return n;
}

static void round_of(const struct pollfd *p, const int *whose, int n)
{
    for (int i = 2; i < n; i++) {
        struct conn *c = conn[whose[i]];
        if (!c || !(p[i].revents & (POLLIN | POLLHUP | POLLERR)) || stalled)
            continue;
        if (p[i].fd == c->client)
            read_side(&c->client, &c->up);
        else if (p[i].fd == c->server)
            read_side(&c->server, &c->down);
    }
    for (int i = 0; i < CONNS; i++)
        if (conn[i] && !stalled)
            serve(i);
}

int main(int argc, char **argv)
{
    static struct pollfd p[2 + 2 * CONNS];
    static int whose[2 + 2 * CONNS];
    const char *port = argc == 3 ? argv[2] : "";
    char *end;
    target = (int)strtol(port, &end, 10);
    if (target <= 0 || !(strcmp(argv[1], "kafka") == 0 || strcmp(argv[1], "pg") == 0 || strcmp(argv[1], "raw") == 0)) {
        fprintf(stderr, "usage: proxy kafka|pg|raw PORT[:LISTEN]\n");
        return 2;
    }
    kind = argv[1][0] == 'k' ? KAFKA : argv[1][0] == 'p' ? PG : RAW;
    signal(SIGPIPE, SIG_IGN);
    int listener = listen_on(*end == ':' ? (int)strtol(end + 1, NULL, 10) : 0);
    for (;;) {
        int n = gather(p, whose, listener);
        if (poll(p, (nfds_t)n, delay_ms ? 1 : stalled ? 50 : -1) < 0 && errno != EINTR)
            die("poll");
        if (p[0].revents && !take_orders())
            return 0;
        if (p[1].revents & POLLIN)
            accept_one(listener);
        round_of(p, whose, n);
    }
}

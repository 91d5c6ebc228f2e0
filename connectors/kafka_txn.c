/* kafka_txn.c: makes the Kafka sink exactly once. All records between two checkpoints, the positions of the input and the checkpoint's id
 * become visible in one transaction of the broker, or none of them does.
 *
 * How:    transactional.id and consumer group are weir.JOB.SINK. The id of the checkpoint travels as metadata of a committed offset,
 *         "w1;CHECKPOINT;INSTANCE;CRC": on partition 0 of the sink's own topic, which is there whatever the job reads (the carrier, asked at a
 *         start), and on each input partition that the cluster knows, with the real offsets, for who looks at lag. Instance is a number
 *         drawn by each process, so that nobody takes another's commit for its own.
 * Rules:  fence first, then ask: a start calls init_transactions, and only then reads the carrier.
 *         A transaction that is lost before commit was called is begun anew with the rows kept since the last commit. Once commit was called
 *         it is never aborted by us: the same call is repeated while that may help, then the client is given up and a new one's
 *         init_transactions settles what the old one left; then the carrier says what happened. Return codes are never the
 *         outcome. The carrier is one of three: as it was (write again), this checkpoint by us (done), anything else (another
 *         instance has taken over: WR_EFENCED).
 *         A client is also given up when its transaction is about to outlive transaction.timeout.ms, because the broker's own abort looks
 *         the same to us as being fenced.
 * Memory: rows since the last commit are kept in `kept`, up to the option transaction_buffer. Beyond it they are let go; should that very
 *         transaction be lost, the error is retriable and the job goes on from its checkpoint. */
#include "connectors/kafka_sink.h"
#include "core/failpoint.h"
#include "core/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { SLICE_MS = 500, REQUEST_MS = 5000, PATIENCE_MS = 10000, RETRY_MS = 300000, STOP_MS = 10000, SETTLE_MS = 60000 };
enum { HAS_KEY = 1, HAS_VALUE = 2, DEAD = 4 }; /* of a kept record */

struct known_topic { char *name; bool there; };

struct wr_kafka_txn {
    char *id;                  /* transactional.id and group */
    uint64_t token;            /* this instance */
    struct wr_kafka_mark known;         /* the carrier, as last read or committed */
    bool begun;                /* a transaction is under way */
    bool lost;                 /* it cannot be committed any more */
    bool doubt;                /* commit was called: only the broker knows what became of it */
    bool single;               /* a batch was refused: records one by one from the next client on, to find out which */
    bool alone;                /* this client sends them one by one */
    bool carrier_only;         /* the cluster refused positions of input partitions */
    char why[400];             /* it was lost */
    int64_t began;             /* monotonic µs */
    int64_t timeout_us;        /* transaction.timeout.ms */
    struct wr_buf kept;        /* records since the last commit: flags, key, value */
    bool forgot;               /* there were too many to keep */
    struct known_topic *topic; /* of the input: does the sink's cluster have it? */
    int n_topic;
};

/* ---- small things ---- */

const char *wr_kafka_txn_id(const struct wr_kafka_txn *t) { return t->id; }
bool wr_kafka_txn_single(const struct wr_kafka_txn *t) { return t->single; }
bool wr_kafka_txn_alone(const struct wr_kafka_txn *t) { return t->alone; }
bool wr_kafka_txn_lost(const struct wr_kafka_out *s) { return s->txn->lost; }

static void lose(struct wr_kafka_txn *t, const char *why)
{
    if (!t->lost)
        (void)snprintf(t->why, sizeof t->why, "%s", why);
    t->lost = true;
}

/* ---- a client that may write ---- */

static wr_status fence(struct wr_kafka_out *s, struct wr_error *err)
{
    int64_t started = wr_clock_mono();
    for (;;) {
        rd_kafka_error_t *e = rd_kafka_init_transactions(s->k->rk, SLICE_MS);
        if (!e)
            return WR_OK;
        bool again = rd_kafka_error_is_retriable(e) && wr_kafka_ms_since(started) < (wr_kafka_out_stopping(s) ? STOP_MS : SETTLE_MS);
        if (!again)
            return wr_kafka_out_fail(s, e, "begin transactions", err);
        rd_kafka_error_destroy(e);
        (void)rd_kafka_poll(s->k->rk, 0);
    }
}

static wr_status fenced(struct wr_kafka_out *s, struct wr_kafka_mark now, struct wr_error *err)
{
    struct wr_kafka_txn *t = s->txn;
    if (now.ckpt < t->known.ckpt) {
        wr_fail(err, WR_EIO, "topic \"%s\" of \"%s\" has checkpoint %" PRIu64 ", and %" PRIu64 " was committed: the cluster has lost data", s->topic,
                s->k->brokers, now.ckpt, t->known.ckpt);
        wr_hint(err, "was the topic or the group \"%s\" deleted? start anew with --reset", t->id);
        return WR_EIO;
    }
    return wr_fail(err, WR_EFENCED, "another instance of the job has taken over sink \"%.*s\"", WR_FMT(s->spec.name));
}

/* Replaces the client, if need be, by one that has fenced all others and knows what is committed. goal: the checkpoint whose commit was called,
 * 0: none was; *done: it is committed. */
static wr_status settle(struct wr_kafka_out *s, uint64_t goal, bool *done, struct wr_error *err)
{
    struct wr_kafka_txn *t = s->txn;
    struct wr_kafka_mark now;
    rd_kafka_t *asker;
    wr_kafka_out_disconnect(s);
    t->begun = t->lost = false; /* doubt stays until the broker was asked */
    t->alone = t->single;
    WR_TRY(wr_kafka_out_connect(s, err));
    WR_TRY(wr_kafka_asker_open(s, &asker, err));
    wr_status st = WR_OK;
    for (int look = 0; look < 2 && !st; look++) { /* once before fencing, so that one who was fenced does not hit back */
        if (look == 1)
            st = fence(s, err);
        if (!st)
            st = wr_kafka_mark_ask(s, asker, look == 1, &now, err);
        bool same = !st && now.ckpt == t->known.ckpt && now.token == t->known.token;
        *done = !st && goal && now.ckpt == goal && now.token == t->token;
        if (!st && !same && !*done)
            st = fenced(s, now, err);
    }
    wr_kafka_asker_close(asker);
    t->doubt = st != WR_OK;
    return st;
}

/* Clusters in memory (weir broker is one) take transactions, but forget the offsets in them, and with them the mark. Said at each start. */
static void warn_of_forgetful(struct wr_kafka_out *s, rd_kafka_t *asker)
{
    char *id = rd_kafka_clusterid(asker, 1000);
    if (id && strncmp(id, "mockCluster", 11) == 0)
        wr_log(WR_LOG_WARN, "kafka", "the broker \"%s\" is one for trying things and forgets what transactions commit: the job cannot be started again from its "
               "checkpoint with exactly-once sink \"%.*s\"; delivery = 'at-least-once' can", s->k->brokers, WR_FMT(s->spec.name));
    if (id)
        rd_kafka_mem_free(asker, id);
}

wr_status wr_kafka_txn_recover(struct wr_sink *base, uint64_t *ckpt, struct wr_error *err)
{
    struct wr_kafka_out *s = (struct wr_kafka_out *)base;
    rd_kafka_t *asker;
    WR_TRY(wr_kafka_asker_open(s, &asker, err));
    wr_status st = fence(s, err);
    if (!st)
        st = wr_kafka_mark_ask(s, asker, true, &s->txn->known, err);
    if (!st && s->txn->known.ckpt == 0)
        warn_of_forgetful(s, asker);
    wr_kafka_asker_close(asker);
    *ckpt = s->txn->known.ckpt;
    return st;
}

/* ---- records ---- */

static void keep(struct wr_kafka_txn *t, const struct wr_kafka_record *rec, void **opaque)
{
    size_t at = t->kept.n;
    *opaque = NULL;
    if (t->forgot)
        return;
    wr_buf_u8(&t->kept, (uint8_t)((rec->has_key ? HAS_KEY : 0) | (rec->has_value ? HAS_VALUE : 0)));
    wr_buf_lstr(&t->kept, rec->key);
    wr_buf_lstr(&t->kept, rec->value);
    if (t->kept.overflow) {
        t->forgot = true;
        size_t max = t->kept.max;
        wr_buf_clear(&t->kept);
        t->kept.max = max;
        return;
    }
    *opaque = (void *)(uintptr_t)(at + 1);
}

static void kill_record(struct wr_kafka_txn *t, void *opaque)
{
    size_t at = (uintptr_t)opaque;
    if (opaque && !t->forgot && at <= t->kept.n)
        t->kept.p[at - 1] |= DEAD;
}

void wr_kafka_txn_undelivered(struct wr_kafka_out *s, const rd_kafka_message_t *m, bool about_record)
{
    struct wr_kafka_txn *t = s->txn;
    if (about_record && t->alone && m->_private) { /* it was alone in its batch */
        kill_record(t, m->_private);
        wr_kafka_out_refuse(s, m->err, m->partition, (struct wr_str){m->key, m->key ? (uint32_t)m->key_len : 0},
                            (struct wr_str){m->payload, m->payload ? (uint32_t)m->len : 0});
    } else if (about_record) {
        t->single = true;
    } else if (wr_kafka_permanent(m->err) && !s->failed.code) {
        wr_fail(&s->failed, WR_EIO, "records for topic \"%s\" of \"%s\" were not written: %s", s->topic, s->k->brokers, rd_kafka_err2str(m->err));
    }
    lose(t, rd_kafka_err2str(m->err));
}

static wr_status begin(struct wr_kafka_out *s, struct wr_error *err)
{
    (void)WR_FAILPOINT("sink.begin");
    rd_kafka_error_t *e = rd_kafka_begin_transaction(s->k->rk);
    if (e)
        return wr_kafka_out_fail(s, e, "begin a transaction", err);
    s->txn->begun = true;
    s->txn->began = wr_clock_mono();
    return WR_OK;
}

static wr_status add_record(struct wr_kafka_out *s, const struct wr_kafka_record *rec, void *opaque, struct wr_error *err)
{
    uint64_t refused = s->refused;
    wr_status st = wr_kafka_out_produce(s, rec, opaque, err);
    if (st) {
        lose(s->txn, err->msg);
        return st;
    }
    if (s->refused > refused && !s->txn->lost)
        kill_record(s->txn, opaque); /* by the client itself, before it was sent */
    (void)WR_FAILPOINT("sink.rows");
    return WR_OK;
}

/* All kept records into a new transaction. */
static wr_status replay(struct wr_kafka_out *s, struct wr_error *err)
{
    struct wr_kafka_txn *t = s->txn;
    struct wr_str rest = wr_buf_get(&t->kept);
    WR_TRY(begin(s, err));
    while (rest.n) {
        struct wr_kafka_record rec;
        uint8_t flags = 0;
        void *opaque = (void *)(uintptr_t)((size_t)(rest.p - t->kept.p) + 1);
        if (!wr_take_u8(&rest, &flags) || !wr_take_lstr(&rest, &rec.key) || !wr_take_lstr(&rest, &rec.value))
            WR_BUG("the kept records of a Kafka sink are damaged");
        rec.has_key = flags & HAS_KEY;
        rec.has_value = flags & HAS_VALUE;
        if (!(flags & DEAD))
            WR_TRY(add_record(s, &rec, opaque, err));
    }
    return WR_OK;
}

/* Is there any use in a new client? */
static bool mendable(const struct wr_kafka_out *s, const struct wr_error *err)
{
    return !s->failed.code && (err->retriable || s->txn->lost);
}

/* After a transaction was lost, or its commit is in doubt: settles it and, unless it is done, puts the kept rows into a new one. */
static wr_status renew(struct wr_kafka_out *s, uint64_t goal, bool *done, struct wr_error *err)
{
    struct wr_kafka_txn *t = s->txn;
    int64_t started = wr_clock_mono();
    for (int tries = 0;; tries++) {
        s->base.retries++;
        wr_log(tries || goal ? WR_LOG_DEBUG : WR_LOG_WARN, "kafka", "sink \"%.*s\": %s; %s", WR_FMT(s->spec.name), t->lost ? t->why : err->msg,
               goal ? "asking the broker for the outcome" : "writing the transaction again");
        wr_error_clear(err);
        wr_status st = settle(s, goal, done, err);
        if (!st && *done)
            return WR_OK;
        if (!st && t->forgot) {
            wr_fail(err, WR_ELIMIT, "a transaction of sink \"%.*s\" was lost, and it had more rows than transaction_buffer keeps", WR_FMT(s->spec.name));
            wr_hint(err, "the job goes on from its checkpoint when started again; take checkpoints more often, or raise transaction_buffer and kafka.transaction.timeout.ms");
            err->retriable = true;
            return WR_ELIMIT;
        }
        if (!st)
            st = replay(s, err);
        if (!st || !mendable(s, err))
            return st;
        if (wr_kafka_ms_since(started) > (wr_kafka_out_stopping(s) ? STOP_MS : RETRY_MS))
            return st;
        wr_kafka_nap(tries < 6 ? 50 << tries : 3000);
    }
}

/* Has the transaction been open for so long that the broker may end it by itself? */
static bool aged(const struct wr_kafka_txn *t)
{
    return t->begun && wr_clock_mono() - t->began > t->timeout_us / 4 * 3;
}

wr_status wr_kafka_txn_record(struct wr_kafka_out *s, const struct wr_kafka_record *rec, struct wr_error *err)
{
    struct wr_kafka_txn *t = s->txn;
    wr_status st = WR_OK;
    void *opaque;
    bool done;
    if (aged(t))
        lose(t, "the transaction is open for too long");
    bool usable = s->k && !t->lost;
    if (usable && !t->begun)
        st = begin(s, err);
    keep(t, rec, &opaque);
    if (usable && !st)
        st = add_record(s, rec, opaque, err);
    if (usable && !st)
        return WR_OK;
    if (st && !mendable(s, err))
        return st;
    return renew(s, 0, &done, err);
}

/* ---- commit ---- */

static bool valid_topic(struct wr_str s)
{
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-'))
            return false;
    }
    return s.n > 0 && s.n <= 249;
}

/* Does the sink's cluster have this topic of the input? (It may be on another cluster, or be a file.) */
static bool topic_there(struct wr_kafka_out *s, struct wr_str topic)
{
    struct wr_kafka_txn *t = s->txn;
    const struct rd_kafka_metadata *md;
    struct wr_error ignored = WR_ERROR_INIT;
    if (!valid_topic(topic))
        return false;
    for (int i = 0; i < t->n_topic; i++)
        if (wr_str_eq_c(topic, t->topic[i].name))
            return t->topic[i].there;
    if (wr_kafka_metadata(s->k, true, NULL, s->spec.stop, &md, &ignored) != WR_OK)
        return false;
    bool there = false;
    for (int i = 0; i < md->topic_cnt; i++)
        there |= wr_str_eq_c(topic, md->topics[i].topic) && !md->topics[i].err;
    rd_kafka_metadata_destroy(md);
    t->topic = wr_realloc(t->topic, (size_t)(t->n_topic + 1) * sizeof *t->topic);
    t->topic[t->n_topic].name = wr_malloc((size_t)topic.n + 1);
    memcpy(t->topic[t->n_topic].name, topic.p, topic.n);
    t->topic[t->n_topic].name[topic.n] = 0;
    t->topic[t->n_topic++].there = there;
    return there;
}

static void add_offset(const struct wr_kafka_txn *t, rd_kafka_topic_partition_list_t *l, const char *topic, int32_t part, int64_t offset, struct wr_kafka_mark m)
{
    rd_kafka_topic_partition_t *old = rd_kafka_topic_partition_list_find(l, topic, part);
    if (old) { /* two sources read one partition: the slower one; or a job reads what it writes */
        if (offset < old->offset)
            old->offset = offset;
        return;
    }
    rd_kafka_topic_partition_t *p = rd_kafka_topic_partition_list_add(l, topic, part);
    p->offset = offset;
    p->metadata = wr_kafka_mark_print(t->id, m); /* the list's destructor frees it */
    p->metadata_size = strlen(p->metadata);
}

static rd_kafka_topic_partition_list_t *offsets_of(struct wr_kafka_out *s, struct wr_kafka_mark m, const struct wr_position *pos, int n)
{
    struct wr_kafka_txn *t = s->txn;
    rd_kafka_topic_partition_list_t *l = rd_kafka_topic_partition_list_new(n + 1);
    add_offset(t, l, s->topic, 0, (int64_t)m.ckpt, m);
    for (int i = 0; i < n && !t->carrier_only; i++) {
        if (pos[i].next < 0 || !topic_there(s, pos[i].topic))
            continue;
        char name[256];
        (void)snprintf(name, sizeof name, "%.*s", WR_FMT(pos[i].topic));
        add_offset(t, l, name, pos[i].part, pos[i].next, m);
    }
    return l;
}

static wr_status send_offsets(struct wr_kafka_out *s, uint64_t ckpt, const struct wr_position *pos, int n, struct wr_error *err)
{
    struct wr_kafka_txn *t = s->txn;
    rd_kafka_topic_partition_list_t *l = offsets_of(s, (struct wr_kafka_mark){ckpt, t->token}, pos, n);
    rd_kafka_consumer_group_metadata_t *group = rd_kafka_consumer_group_metadata_new(t->id);
    int64_t started = wr_clock_mono();
    wr_status st = WR_OK;
    for (;;) {
        rd_kafka_error_t *e = rd_kafka_send_offsets_to_transaction(s->k->rk, l, group, REQUEST_MS);
        if (!e)
            break;
        rd_kafka_resp_err_t code = rd_kafka_error_code(e);
        if (rd_kafka_error_is_retriable(e) && wr_kafka_ms_since(started) < PATIENCE_MS && !aged(t)) {
            rd_kafka_error_destroy(e);
            continue;
        }
        st = wr_kafka_out_fail(s, e, "commit positions", err);
        if (!t->carrier_only && l->cnt > 1 && (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART || code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)) {
            t->carrier_only = true; /* they are only for observers */
            lose(t, rd_kafka_err2str(code));
            err->retriable = true;
        }
        break;
    }
    rd_kafka_consumer_group_metadata_destroy(group);
    rd_kafka_topic_partition_list_destroy(l);
    return st;
}

/* Everything into the transaction, then commit. *called: from there on the outcome is the broker's to tell. */
static wr_status push(struct wr_kafka_out *s, uint64_t ckpt, const struct wr_position *pos, int n, int patience_ms, bool *called, struct wr_error *err)
{
    if (!s->txn->begun)
        WR_TRY(begin(s, err));
    wr_status st = wr_kafka_letters_send(s, err);
    if (!st)
        st = wr_kafka_out_drain(s, err);
    if (st) {
        lose(s->txn, err->msg);
        return st;
    }
    WR_TRY(send_offsets(s, ckpt, pos, n, err));
    (void)WR_FAILPOINT("sink.offsets");
    (void)WR_FAILPOINT("sink.commit");
    *called = s->txn->doubt = true;
    int64_t started = wr_clock_mono();
    for (int slice = 0;; slice++) {
#ifdef WEIR_FAILPOINTS
        int wait = wr_failpoint_armed && slice == 0 ? 1 : SLICE_MS; /* comes back between request and answer, or nearly so */
#else
        int wait = SLICE_MS;
#endif
        rd_kafka_error_t *e = rd_kafka_commit_transaction(s->k->rk, wait);
        if (slice == 0)
            (void)WR_FAILPOINT("sink.sent");
        if (!e)
            return WR_OK;
        if (!rd_kafka_error_is_retriable(e) || wr_kafka_ms_since(started) > patience_ms)
            return wr_kafka_out_fail(s, e, "commit a transaction", err);
        rd_kafka_error_destroy(e);
    }
}

static void committed(struct wr_kafka_txn *t, uint64_t ckpt)
{
    t->known = (struct wr_kafka_mark){ckpt, t->token};
    t->begun = t->doubt = t->forgot = false;
    wr_buf_reset(&t->kept);
    if (t->alone)
        lose(t, "records go out one by one"); /* the next one gets a client of the usual kind */
    t->single = false;
}

wr_status wr_kafka_txn_commit(struct wr_sink *base, uint64_t ckpt, const struct wr_position *pos, int n_pos, struct wr_error *err)
{
    struct wr_kafka_out *s = (struct wr_kafka_out *)base;
    struct wr_kafka_txn *t = s->txn;
    int64_t started = wr_clock_mono();
    bool called = false, done = false;
    for (int tries = 0; !done; tries++) {
        wr_status st = WR_EIO;
        if (aged(t))
            lose(t, "the transaction is open for too long");
        if (s->k && !t->lost)
            st = push(s, ckpt, pos, n_pos, PATIENCE_MS << (tries < 3 ? tries : 3), &called, err);
        if (!st)
            break;
        WR_TRY(s->failed.code ? wr_kafka_out_state(s, err) : WR_OK);
        if (err->code && !called && !mendable(s, err))
            return st;
        if (tries && wr_kafka_ms_since(started) > (wr_kafka_out_stopping(s) ? STOP_MS : RETRY_MS)) {
            if (!err->code)
                wr_fail(err, WR_EIO, "cannot commit checkpoint %" PRIu64 " to topic \"%s\": %s", ckpt, s->topic, t->why);
            err->retriable = true;
            return WR_EIO;
        }
        WR_TRY(renew(s, called ? ckpt : 0, &done, err));
    }
    (void)WR_FAILPOINT("sink.committed");
    wr_kafka_letters_clear(s);
    committed(t, ckpt);
    return WR_OK;
}

/* ---- life ---- */

wr_status wr_kafka_txn_open(struct wr_kafka_out *s, struct wr_error *err)
{
    enum { LEAST_MS = 1000, MOST_MS = 900000 };
    struct wr_kafka_txn *t = wr_calloc(1, sizeof *t);
    s->txn = t;
    size_t room = (size_t)s->spec.job.n + s->spec.name.n + 8;
    t->id = wr_malloc(room);
    (void)snprintf(t->id, room, "weir.%.*s.%.*s", WR_FMT(s->spec.job), WR_FMT(s->spec.name));
    int64_t ms = wr_opt_int(s->spec.opts, "kafka.transaction.timeout.ms", strtol(WR_KAFKA_TXN_TIMEOUT, NULL, 10));
    if (ms < LEAST_MS || ms > MOST_MS)
        return wr_fail(err, WR_ESQL, "kafka.transaction.timeout.ms of sink \"%.*s\" must be from %d to %d", WR_FMT(s->spec.name), LEAST_MS, MOST_MS);
    t->timeout_us = ms * 1000;
    int64_t most = wr_opt_bytes(s->spec.opts, "transaction_buffer", 64 << 20);
    t->kept.max = most < 1 ? 1 : most > (INT64_C(2) << 30) ? (size_t)2 << 30 : (size_t)most;
    if (getrandom(&t->token, sizeof t->token, 0) != sizeof t->token)
        t->token = (uint64_t)wr_clock_wall();
    return WR_OK;
}

void wr_kafka_txn_abandon(struct wr_kafka_out *s)
{
    enum { ABORT_MS = 2000 };
    if (s->k && s->txn->begun && !s->txn->doubt)
        rd_kafka_error_destroy(rd_kafka_abort_transaction(s->k->rk, ABORT_MS)); /* readers need not wait for its time-out */
}

void wr_kafka_txn_close(struct wr_kafka_txn *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n_topic; i++)
        free(t->topic[i].name);
    free(t->topic);
    wr_buf_clear(&t->kept);
    free(t->id);
    free(t);
}

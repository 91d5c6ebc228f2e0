/* test_kafka_real.c: the Kafka connector against a real broker: what librdkafka's mock cannot show. Without KAFKA_BROKERS the test starts
 * itself again under the fixture (tests/fixtures/kafka.py), which has a broker of its own. */
#include "tests/unit/kafka_test.h"

#include <librdkafka/rdkafka.h>
#include <time.h>
#include <unistd.h>

static const char *brokers;

/* ---- a client of the test's own ---- */

static rd_kafka_t *client(const char *transaction, const char *codec)
{
    char why[300];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    const char *const pairs[][2] = {{"bootstrap.servers", brokers}, {"linger.ms", "5"}, {"compression.codec", codec ? codec : "none"}, {"log_level", "2"},
                                     {"enable.idempotence", "true"}}; /* else a retry may swap records, and offsets are compared with what was sent */
    for (size_t i = 0; i < sizeof pairs / sizeof pairs[0]; i++)
        assert_int_equal(rd_kafka_conf_set(conf, pairs[i][0], pairs[i][1], why, sizeof why), RD_KAFKA_CONF_OK);
    if (transaction)
        assert_int_equal(rd_kafka_conf_set(conf, "transactional.id", transaction, why, sizeof why), RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(rk);
    return rk;
}

static void put(rd_kafka_t *rk, const char *topic, int part, const char *value, int64_t ms)
{
    rd_kafka_resp_err_t e;
    do {
        e = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(part), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, strlen(value)),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(ms), RD_KAFKA_V_END);
        if (e == RD_KAFKA_RESP_ERR__QUEUE_FULL)
            rd_kafka_poll(rk, 100);
    } while (e == RD_KAFKA_RESP_ERR__QUEUE_FULL);
    assert_int_equal(e, RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void sent(rd_kafka_t *rk)
{
    assert_int_equal(rd_kafka_flush(rk, 60000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* Waits for the answer of an admin request and checks that all went well. */
static void admin_done(rd_kafka_queue_t *q)
{
    size_t n = 0;
    const rd_kafka_topic_result_t **topics = NULL;
    rd_kafka_event_t *ev = rd_kafka_queue_poll(q, 60000);
    assert_non_null(ev);
    if (rd_kafka_event_error(ev))
        fail_msg("%s", rd_kafka_event_error_string(ev));
    if (rd_kafka_event_CreateTopics_result(ev))
        topics = rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(ev), &n);
    else if (rd_kafka_event_CreatePartitions_result(ev))
        topics = rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(ev), &n);
    else if (rd_kafka_event_DeleteTopics_result(ev))
        topics = rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(ev), &n);
    for (size_t i = 0; i < n; i++)
        if (rd_kafka_topic_result_error(topics[i]))
            fail_msg("%s", rd_kafka_topic_result_error_string(topics[i]));
    rd_kafka_event_destroy(ev);
    rd_kafka_queue_destroy(q);
}

static void create(rd_kafka_t *rk, const char *topic, int partitions)
{
    char why[300];
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_NewTopic_t *t = rd_kafka_NewTopic_new(topic, partitions, 1, why, sizeof why);
    rd_kafka_CreateTopics(rk, &t, 1, NULL, q);
    admin_done(q);
    rd_kafka_NewTopic_destroy(t);
}

static void grow(rd_kafka_t *rk, const char *topic, int partitions)
{
    char why[300];
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_NewPartitions_t *t = rd_kafka_NewPartitions_new(topic, (size_t)partitions, why, sizeof why);
    rd_kafka_CreatePartitions(rk, &t, 1, NULL, q);
    admin_done(q);
    rd_kafka_NewPartitions_destroy(t);
}

static void delete_before(rd_kafka_t *rk, const char *topic, int part, int64_t offset)
{
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, part)->offset = offset;
    rd_kafka_DeleteRecords_t *d = rd_kafka_DeleteRecords_new(list);
    rd_kafka_DeleteRecords(rk, &d, 1, NULL, q);
    admin_done(q);
    rd_kafka_DeleteRecords_destroy(d);
    rd_kafka_topic_partition_list_destroy(list);
}

static void delete_topic(rd_kafka_t *rk, const char *topic)
{
    rd_kafka_queue_t *q = rd_kafka_queue_new(rk);
    rd_kafka_DeleteTopic_t *t = rd_kafka_DeleteTopic_new(topic);
    rd_kafka_DeleteTopics(rk, &t, 1, NULL, q);
    admin_done(q);
    rd_kafka_DeleteTopic_destroy(t);
}

static void transaction_begin(rd_kafka_t *rk)
{
    rd_kafka_error_t *e = rd_kafka_begin_transaction(rk);
    assert_null(e);
}

static void transaction_end(rd_kafka_t *rk, bool commit)
{
    rd_kafka_error_t *e = commit ? rd_kafka_commit_transaction(rk, 60000) : rd_kafka_abort_transaction(rk, 60000);
    if (e)
        fail_msg("%s", rd_kafka_error_string(e));
}

/* ---- tests ---- */

static void missing_topics_are_named(void **state)
{
    rd_kafka_t *rk = *state;
    char want[200];
    struct reader r;
    create(rk, "vendas-2025", 1);
    (void)snprintf(want, sizeof want, "there is no topic \"vendas-2024\" on \"%s\"", brokers);
    init(&r, brokers, "vendas-2024");
    open_fails(&r, want, "did you mean \"vendas-2025\"?");
    assert_int_equal(error.code, WR_EIO);
    struct writer w;
    writer_init(&w, brokers, "vendas-2024", 0);
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_connector_kafka.sink->check(&w.spec, &error), WR_EIO);
    assert_string_equal(error.msg, want);
    assert_string_equal(error.hint, "create it, or add create = 'true' to the sink");
}

static void sink_makes_its_topic_when_asked(void **state WR_UNUSED)
{
    struct writer w;
    struct reader r;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_DELETE, "a", 1}};
    for (int again = 0; again < 2; again++) {
        writer_init(&w, brokers, "made", 1);
        w.spec.updating = w.spec.key_is_unique = true;
        writer_opt(&w, "create", "true");
        writer_opt(&w, "partitions", "5");
        writer_opt(&w, "compression", "zstd");
        error = (struct wr_error)WR_ERROR_INIT;
        if (wr_connector_kafka.sink->check(&w.spec, &error))
            fail_msg("check: %s", error.msg);
        write_rows(&w, rows, 2);
        writer_close(&w);
    }
    int64_t now = wr_clock_wall();
    init(&r, brokers, "made");
    add_opt(&r, "tombstones", "null");
    open_ok(&r);
    assert_int_equal(r.src->n_part, 5);
    int n = 0;
    for (struct wr_batch *b = next(&r); b; b = next(&r)) {
        for (uint32_t row = 0; row < b->len; row++, n++) {
            bool null = wr_vec_null(&b->col[0], row);
            assert_int_equal(null, n % 2);
            if (!null)
                assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[0])[row], "{\"k\":\"a\",\"n\":1,\"m\":1.05}"));
            assert_true(b->rec_ts[row] > now - WR_US_HOUR && b->rec_ts[row] <= now + WR_US_SEC); /* stamped with the time of writing */
        }
        wr_batch_unref(b);
    }
    assert_int_equal(n, 4);
    close_reader(&r);
}

static void source_starts_at_a_time(void **state)
{
    rd_kafka_t *rk = *state;
    struct reader r;
    static const char *const when[] = {"1764331200000", "2025-11-28T12:00:00Z", "2025-11-28 12:00:00"};
    create(rk, "times", 3);
    for (int i = 0; i < 4; i++) {
        static const char *const v[] = {"a", "b", "c", "d"};
        put(rk, "times", 0, v[i], 1764331200000 - 2000 + i * 1000);
        put(rk, "times", 1, v[i], 1764331200000 - 9000 + i * 1000);
    }
    sent(rk);
    for (int i = 0; i < 3; i++) {
        init(&r, brokers, "times");
        add_opt(&r, "start", "timestamp");
        add_opt(&r, "start_timestamp", when[i]);
        open_ok(&r);
        expect_all(&r, "c@0:2 d@0:3 ");
        assert_int_equal(r.src->part[1].next, 4); /* nothing that late: its end */
        close_reader(&r);
    }
    init(&r, brokers, "times");
    add_opt(&r, "start", "timestamp");
    add_opt(&r, "start_timestamp", "soon");
    open_fails(&r, "start_timestamp \"soon\" is neither a time nor milliseconds since 1970", NULL);
}

/* Markers of transactions take offsets too: the end is reached without a record there. */
static void aborted_records_are_not_read(void **state)
{
    rd_kafka_t *rk = *state, *tx = client("test", NULL);
    struct reader r;
    create(rk, "tx", 3);
    rd_kafka_error_t *e = rd_kafka_init_transactions(tx, 60000);
    if (e)
        fail_msg("%s", rd_kafka_error_string(e));
    transaction_begin(tx);
    put(tx, "tx", 0, "a", 1);
    put(tx, "tx", 1, "b", 1);
    transaction_end(tx, true);
    transaction_begin(tx);
    put(tx, "tx", 0, "lost", 1);
    put(tx, "tx", 2, "lost", 1);
    sent(tx); /* else the abort would take it out of the client's queue */
    transaction_end(tx, false);
    transaction_begin(tx);
    put(tx, "tx", 0, "c", 1);
    transaction_end(tx, true);
    rd_kafka_destroy(tx);
    init(&r, brokers, "tx");
    open_ok(&r);
    expect_all(&r, "a@0:0 c@0:4 b@1:0 ");
    assert_int_equal(r.src->part[0].next, 6); /* a, commit, lost, abort, c, commit */
    assert_int_equal(r.src->part[1].next, 2);
    assert_int_equal(r.src->part[2].next, 2);
    assert_int_equal(r.src->records, 3);
    close_reader(&r);
    init(&r, brokers, "tx");
    open_ok(&r); /* going on between the markers */
    assert_int_equal(r.src->vt->seek(r.src, WR_STR("tx/0=3;tx/1=1;tx/2=2;"), &error), WR_OK);
    expect_all(&r, "c@0:4 ");
    close_reader(&r);
}

/* An open transaction: its records, and all behind them, are not there yet. */
static void open_transactions_hold_the_end_back(void **state)
{
    rd_kafka_t *rk = *state, *tx = client("open", NULL);
    struct reader r;
    create(rk, "open", 1);
    rd_kafka_error_t *e = rd_kafka_init_transactions(tx, 60000);
    assert_null(e);
    put(rk, "open", 0, "before", 1);
    sent(rk);
    transaction_begin(tx);
    put(tx, "open", 0, "inside", 1);
    sent(tx);
    put(rk, "open", 0, "behind", 1);
    sent(rk);
    init(&r, brokers, "open");
    open_ok(&r);
    expect_all(&r, "before@0:0 ");
    close_reader(&r);
    transaction_end(tx, true);
    rd_kafka_destroy(tx);
    for (bool moved = false; !moved;) { /* the broker answers a commit before it writes the marker that moves the end */
        init(&r, brokers, "open");
        open_ok(&r);
        const char *got = read_all(&r, r.spec.batch_rows);
        moved = strcmp(got, "before@0:0 ") != 0;
        if (moved)
            assert_string_equal(got, "before@0:0 inside@0:1 behind@0:2 ");
        test_free((void *)(uintptr_t)got);
        close_reader(&r);
    }
}

static void new_partitions_are_found_and_read_from_their_beginning(void **state)
{
    rd_kafka_t *rk = *state;
    struct reader r;
    create(rk, "grows", 1);
    put(rk, "grows", 0, "old", 1);
    sent(rk);
    init(&r, brokers, "grows");
    r.spec.until_end = false;
    add_opt(&r, "start", "latest");
    add_opt(&r, "discover", "50 ms");
    open_ok(&r);
    struct wr_batch *b;
    assert_int_equal(r.src->vt->poll(r.src, 0, &b, &error), WR_OK);
    assert_null(b);
    grow(rk, "grows", 3);
    rd_kafka_t *fresh = client(NULL, NULL); /* one that knows the new partitions */
    put(fresh, "grows", 2, "new", 1);
    sent(fresh);
    b = next(&r);
    assert_int_equal(b->len, 1);
    assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[0])[0], "new"));
    wr_batch_unref(b);
    assert_int_equal(r.src->n_part, 3);
    assert_int_equal(r.src->part[2].next, 1);
    put(fresh, "grows", 0, "more", 1);
    sent(fresh);
    rd_kafka_destroy(fresh);
    b = next(&r);
    assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[0])[0], "more"));
    wr_batch_unref(b);
    close_reader(&r);
}

static void deleted_records_are_noticed(void **state)
{
    rd_kafka_t *rk = *state;
    struct reader r;
    create(rk, "short", 1);
    for (int i = 0; i < 6; i++)
        put(rk, "short", 0, "v", 1);
    sent(rk);
    delete_before(rk, "short", 0, 4);
    init(&r, brokers, "short");
    open_ok(&r);
    assert_int_equal(r.src->vt->seek(r.src, WR_STR("short/0=3;"), &error), WR_EIO);
    assert_string_equal(error.msg, "source \"src\" should go on at offset 3 of topic \"short\" partition 0, which holds 4 to 6");
    assert_string_equal(error.hint, "the broker has deleted what was not yet read");
    close_reader(&r);
    init(&r, brokers, "short");
    open_ok(&r);
    delete_before(rk, "short", 0, 6); /* between finding the offsets and reading there */
    struct wr_batch *b = NULL;
    wr_status st = WR_OK;
    error = (struct wr_error)WR_ERROR_INIT;
    while (!st && !r.src->ended) {
        st = r.src->vt->poll(r.src, 100, &b, &error);
        assert_null(b);
    }
    assert_int_equal(st, WR_EIO);
    assert_string_equal(error.msg, "topic \"short\" partition 0 has no offset 4 any more");
    close_reader(&r);
}

static void a_deleted_topic_stops_the_source(void **state)
{
    rd_kafka_t *rk = *state;
    struct reader r;
    create(rk, "gone", 1);
    put(rk, "gone", 0, "a", 1);
    sent(rk);
    init(&r, brokers, "gone");
    r.spec.until_end = false;
    add_opt(&r, "discover", "50 ms");
    open_ok(&r);
    wr_batch_unref(next(&r));
    delete_topic(rk, "gone");
    struct wr_batch *b = NULL;
    wr_status st = WR_OK;
    error = (struct wr_error)WR_ERROR_INIT;
    while (!st)
        st = r.src->vt->poll(r.src, 100, &b, &error);
    assert_int_equal(st, WR_EIO);
    assert_string_equal(error.msg, "topic \"gone\" is not there any more");
    close_reader(&r);
}

/* Known answer: each record says where it should be; nothing may be missing, twice or out of order, whatever the codec. */
static void many_records_come_once_and_in_order(void **state)
{
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    static const uint32_t sizes[] = {2000, 777};
    enum { PARTS = 4, EACH = 20000 };
    create(*state, "many", PARTS);
    int64_t sum = 0, at[PARTS] = {0};
    for (int c = 0; c < 5; c++) {
        rd_kafka_t *rk = client(NULL, codecs[c]);
        for (int i = 0; i < EACH; i++) {
            char value[64];
            int part = i * 7 % PARTS;
            (void)snprintf(value, sizeof value, "%d %lld %.*s", part, (long long)at[part]++, i % 40, "........................................");
            put(rk, "many", part, value, 1);
            sum += (int64_t)strlen(value);
        }
        sent(rk);
        rd_kafka_destroy(rk);
    }
    for (int s = 0; s < 2; s++) {
        struct reader r;
        int64_t seen[PARTS] = {0};
        init(&r, brokers, "many");
        r.spec.batch_rows = sizes[s];
        open_ok(&r);
        for (struct wr_batch *b = next(&r); b; b = next(&r)) {
            for (uint32_t row = 0; row < b->len; row++) {
                struct wr_origin o;
                char want[64];
                wr_batch_origin(b, row, &o);
                int n = snprintf(want, sizeof want, "%d %lld ", o.part, (long long)o.offset);
                struct wr_str v = WR_VEC_STR(&b->col[0])[row];
                assert_int_equal(o.offset, seen[o.part]++);
                assert_true(v.n >= (uint32_t)n && memcmp(v.p, want, (size_t)n) == 0);
            }
            wr_batch_unref(b);
        }
        for (int p = 0; p < PARTS; p++)
            assert_int_equal(seen[p], at[p]);
        assert_int_equal(r.src->records, 5 * EACH);
        assert_int_equal(r.src->bytes, sum);
        close_reader(&r);
    }
}

static void sink_writes_many_rows_by_key(void **state)
{
    enum { ROWS = 2000, TIMES = 20 };
    static struct row rows[ROWS];
    static char names[ROWS][16];
    struct writer w;
    struct reader r;
    create(*state, "big", 3);
    writer_init(&w, brokers, "big", 1);
    for (int t = 0; t < TIMES; t++) {
        for (int i = 0; i < ROWS; i++) {
            (void)snprintf(names[i], sizeof names[i], "%d", i % 100);
            rows[i] = (struct row){WR_OP_INSERT, names[i], t * ROWS + i + 1};
        }
        write_rows(&w, rows, ROWS);
    }
    assert_int_equal(w.sink->rows, ROWS * TIMES);
    writer_close(&w);
    init(&r, brokers, "big");
    add_col(&r, "key", WR_TYPE_OF(TEXT), "key");
    open_ok(&r);
    int part_of[100], n = 0;
    long long last_of[100] = {0};
    memset(part_of, -1, sizeof part_of);
    for (struct wr_batch *b = next(&r); b; b = next(&r)) {
        for (uint32_t row = 0; row < b->len; row++, n++) {
            char text[80];
            long long value;
            (void)snprintf(text, sizeof text, "%.*s", WR_FMT(WR_VEC_STR(&b->col[0])[row]));
            const char *colon = strstr(text, "\"n\":");
            assert_non_null(colon);
            value = strtoll(colon + 4, NULL, 10);
            (void)snprintf(text, sizeof text, "%.*s", WR_FMT(WR_VEC_STR(&b->col[1])[row]));
            long key = strtol(text, NULL, 10);
            assert_in_range(key, 0, 99);
            int part = (int)wr_batch_part(b, row);
            assert_true(part_of[key] == -1 || part_of[key] == part); /* a key stays in one partition */
            part_of[key] = part;
            assert_true(value > last_of[key]); /* in order */
            assert_int_equal((value - 1) % 100, key);
            last_of[key] = value;
        }
        wr_batch_unref(b);
    }
    assert_int_equal(n, ROWS * TIMES);
    close_reader(&r);
}

static int setup(void **state)
{
    *state = client(NULL, NULL);
    return 0;
}

static int teardown(void **state)
{
    rd_kafka_destroy(*state);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(missing_topics_are_named),
        T(sink_makes_its_topic_when_asked),
        T(source_starts_at_a_time),
        T(aborted_records_are_not_read),
        T(open_transactions_hold_the_end_back),
        T(new_partitions_are_found_and_read_from_their_beginning),
        T(deleted_records_are_noticed),
        T(a_deleted_topic_stops_the_source),
        T(many_records_come_once_and_in_order),
        T(sink_writes_many_rows_by_key),
    };
    brokers = getenv("KAFKA_BROKERS");
    if (!brokers) {
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        self[n > 0 ? n : 0] = 0;
        (void)execlp("python3", "python3", "tests/fixtures/kafka.py", "run", "--", self, (char *)NULL);
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}

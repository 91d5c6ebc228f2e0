/* test_kafka_mock.c: the Kafka source and sink and the embedded broker against librdkafka's mock cluster, reached over TCP as any broker is.
 * What the mock cannot show (timestamps, transactions, volume) is in test_kafka_real.c. */
#include "connectors/kafka_broker.h"
#include "tests/unit/kafka_test.h"

#include <arpa/inet.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- broker, producer ---- */

struct fixture {
    struct wr_broker *broker;
    rd_kafka_t *producer;
    struct wr_arena mem;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    char why[200];
    assert_non_null(f);
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_broker_start(0, WR_STR("t:3, one:1"), &f->broker, &error), WR_OK);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", wr_broker_address(f->broker), why, sizeof why), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "linger.ms", "0", why, sizeof why), RD_KAFKA_CONF_OK);
    f->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    assert_non_null(f->producer);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    rd_kafka_destroy(f->producer);
    wr_broker_stop(f->broker);
    wr_arena_clear(&f->mem);
    free(f);
    return 0;
}

static void put(struct fixture *f, const char *topic, int part, const char *key, const char *value, int64_t ms)
{
    rd_kafka_resp_err_t e = rd_kafka_producev(
        f->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(part), RD_KAFKA_V_KEY((void *)(uintptr_t)key, key ? strlen(key) : 0),
        RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? strlen(value) : 0), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_TIMESTAMP(ms), RD_KAFKA_V_HEADER("h", "1", -1), RD_KAFKA_V_HEADER("b", "\xff\x01", 2), RD_KAFKA_V_HEADER("h", "two\"", -1),
        RD_KAFKA_V_END);
    assert_int_equal(e, RD_KAFKA_RESP_ERR_NO_ERROR);
}

static void sent(struct fixture *f)
{
    assert_int_equal(rd_kafka_flush(f->producer, 30000), RD_KAFKA_RESP_ERR_NO_ERROR);
}

/* ---- tests: reading ---- */

static void put_some(struct fixture *f)
{
    put(f, "t", 0, "k0", "a", 1000);
    put(f, "t", 0, "k1", "b", 2000);
    put(f, "t", 2, "k0", "c", 1500);
    put(f, "t", 0, NULL, "d", 3000);
    put(f, "t", 2, "", "e", 2500);
    sent(f);
}

static void source_reads_all_partitions_in_order(void **state)
{
    struct fixture *f = *state;
    static const uint32_t sizes[] = {0, 1, 3};
    put_some(f);
    for (int i = 0; i < 3; i++) {
        struct reader r;
        init(&r, wr_broker_address(f->broker), "t");
        r.spec.batch_rows = sizes[i];
        open_ok(&r);
        assert_true(r.src->bounded);
        assert_int_equal(r.src->n_part, 3);
        assert_true(r.src->part[1].ended); /* empty: over before it began */
        assert_int_equal(r.src->part[0].end, 3);
        expect_all(&r, "a@0:0 b@0:1 d@0:2 c@2:0 e@2:1 ");
        assert_int_equal(r.src->records, 5);
        assert_int_equal(r.src->bytes, 5 + 6);
        assert_int_equal(r.src->part[0].next, 3);
        assert_int_equal(r.src->part[1].next, 0);
        assert_int_equal(r.src->part[2].next, 2);
        close_reader(&r);
    }
}

static void source_gives_metadata_columns(void **state)
{
    struct fixture *f = *state;
    put_some(f);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "t");
    add_col(&r, "k", WR_TYPE_OF(TEXT), "key");
    add_col(&r, "p", WR_TYPE_OF(INT), "partition");
    add_col(&r, "offset", WR_TYPE_OF(BIGINT), "");
    add_col(&r, "ts", WR_TYPE_OF(TIMESTAMP), "timestamp");
    add_col(&r, "h", WR_TYPE_OF(JSON), "headers");
    add_col(&r, "topic", WR_TYPE_OF(TEXT), "topic");
    r.col[3].from = WR_COL_META; /* no path: the name says which */
    open_ok(&r);
    int n = 0;
    for (struct wr_batch *b = next(&r); b; b = next(&r)) {
        for (uint32_t row = 0; row < b->len; row++, n++) {
            struct wr_origin o;
            struct wr_str v = WR_VEC_STR(&b->col[0])[row], key = WR_VEC_STR(&b->col[1])[row];
            wr_batch_origin(b, row, &o);
            assert_true(wr_str_eq(o.raw, v));
            assert_true(wr_str_eq(o.key, key));
            assert_true(wr_str_eq(o.topic, WR_STR("t")));
            assert_int_equal(WR_VEC_I64(&b->col[2])[row], o.part);
            assert_int_equal(WR_VEC_I64(&b->col[3])[row], o.offset);
            assert_int_equal(WR_VEC_I64(&b->col[4])[row], o.ts_us);
            assert_int_equal(b->rec_ts[row], o.ts_us);
            assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[5])[row], "{\"h\":[\"1\",\"two\\\"\"],\"b\":\"\\\\xff01\"}"));
            assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[6])[row], "t"));
            bool null = wr_vec_null(&b->col[1], row);
            if (wr_str_eq_c(v, "d"))
                assert_true(null && o.ts_us == 3000000);
            else if (wr_str_eq_c(v, "e"))
                assert_true(!null && key.n == 0);
            else
                assert_true(!null && key.n == 2);
        }
        wr_batch_unref(b);
    }
    assert_int_equal(n, 5);
    close_reader(&r);
}

static void source_counts_bad_and_empty_records(void **state)
{
    struct fixture *f = *state;
    put(f, "one", 0, NULL, "a", 1);
    put(f, "one", 0, "k", NULL, 1);
    put(f, "one", 0, NULL, "!x", 1);
    put(f, "one", 0, NULL, "much too long", 1);
    put(f, "one", 0, NULL, "b", 1);
    put(f, "one", 0, NULL, "", 1);
    sent(f);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "one");
    add_opt(&r, "max_record_bytes", "10");
    open_ok(&r);
    expect_all(&r, "a@0:0 b@0:4 @0:5 ");
    assert_int_equal(r.src->records, 6);
    assert_int_equal(r.src->n_bad, 2);
    assert_int_equal(r.src->skipped, 1);
    assert_int_equal(r.n_bad, 2);
    assert_string_equal(r.bad_text, "too_big@one/0:3=much too long");
    close_reader(&r);

    init(&r, wr_broker_address(f->broker), "one"); /* the same with records without a value as rows */
    add_opt(&r, "tombstones", "null");
    open_ok(&r);
    expect_all(&r, "a@0:0 NULL@0:1 much too long@0:3 b@0:4 @0:5 ");
    close_reader(&r);

    init(&r, wr_broker_address(f->broker), "one"); /* NOT NULL */
    add_opt(&r, "tombstones", "null");
    r.col[0].not_null = true;
    add_col(&r, "k", WR_TYPE_OF(BYTES), "key");
    r.col[1].not_null = true;
    open_ok(&r);
    expect_all(&r, "");
    assert_int_equal(r.src->n_bad, 6);
    assert_string_equal(r.bad_text, "not_null@one/0:5=");
    close_reader(&r);
}

static void source_leaves_out_what_it_is_told(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 6; i++)
        put(f, "one", 0, NULL, "x", 1);
    sent(f);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "one");
    add_opt(&r, "skip", "one:0:4, 0:1, two:0:2,1:3, 0:99");
    open_ok(&r);
    expect_all(&r, "x@0:0 x@0:2 x@0:3 x@0:5 ");
    assert_int_equal(r.src->n_bad, 2);
    assert_string_equal(r.bad_text, "skipped@one/0:4=x");
    close_reader(&r);
    static const char *const wrong[] = {"x", "0:", ":1", "0:-1", "a:b:1", "0:1,,0:2", "0:99999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        init(&r, wr_broker_address(f->broker), "one");
        add_opt(&r, "skip", wrong[i]);
        error = (struct wr_error)WR_ERROR_INIT;
        assert_int_equal(wr_connector_kafka.source->open(&r.spec, &r.src, &error), WR_ESQL);
        assert_non_null(strstr(error.msg, "is no place of a record"));
    }
}

static void source_stops_at_a_bad_record_when_asked(void **state)
{
    struct fixture *f = *state;
    put(f, "one", 0, NULL, "a", 1);
    put(f, "one", 0, NULL, "!x", 1);
    put(f, "one", 0, NULL, "b", 1);
    sent(f);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "one");
    r.bad_answer = WR_EDATA;
    open_ok(&r);
    struct wr_batch *b = next(&r); /* what came before it goes out first */
    assert_int_equal(b->len, 1);
    wr_batch_unref(b);
    wr_status st = WR_OK;
    while (!st) {
        st = r.src->vt->poll(r.src, 100, &b, &error);
        assert_null(b);
    }
    assert_int_equal(st, WR_EDATA);
    assert_string_equal(error.msg, "bad row, asked to stop");
    close_reader(&r);
}

static void batches_outlive_their_source(void **state)
{
    struct fixture *f = *state;
    put(f, "one", 0, "key", "value", 1);
    sent(f);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "one");
    open_ok(&r);
    struct wr_batch *b = next(&r);
    close_reader(&r);
    struct wr_origin o;
    wr_batch_origin(b, 0, &o);
    assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[0])[0], "value"));
    assert_true(wr_str_eq_c(o.key, "key"));
    assert_true(wr_str_eq_c(o.topic, "one"));
    wr_batch_unref(b);
}

/* ---- tests: where reading begins and ends ---- */

static void source_starts_where_it_is_told(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    put_some(f);
    init(&r, wr_broker_address(f->broker), "t");
    add_opt(&r, "start", "latest-offset");
    open_ok(&r);
    assert_true(r.src->ended); /* until the end as of the start: nothing */
    assert_int_equal(r.src->part[0].next, 3);
    expect_all(&r, "");
    close_reader(&r);

    init(&r, wr_broker_address(f->broker), "t");
    add_opt(&r, "start", "committed");
    add_opt(&r, "group", "g");
    open_fails(&r, "group \"g\" has committed no offset for topic \"t\" partition 0",
               "start = 'earliest' reads all; kafka.auto.offset.reset = 'earliest' reads all where nothing was committed");
    add_opt(&r, "kafka.auto.offset.reset", "earliest");
    open_ok(&r);
    expect_all(&r, "a@0:0 b@0:1 d@0:2 c@2:0 e@2:1 ");
    close_reader(&r);
}

static void source_starts_at_committed_offsets(void **state)
{
    struct fixture *f = *state;
    char why[200];
    put_some(f);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", wr_broker_address(f->broker), why, sizeof why), RD_KAFKA_CONF_OK);
    assert_int_equal(rd_kafka_conf_set(conf, "group.id", "g", why, sizeof why), RD_KAFKA_CONF_OK);
    rd_kafka_t *c = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(3);
    rd_kafka_topic_partition_list_add(list, "t", 0)->offset = 2;
    rd_kafka_topic_partition_list_add(list, "t", 1)->offset = 0;
    rd_kafka_topic_partition_list_add(list, "t", 2)->offset = 1;
    assert_int_equal(rd_kafka_commit(c, list, 0), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(c);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "t");
    add_opt(&r, "start", "group-offsets");
    add_opt(&r, "group", "g");
    open_ok(&r);
    expect_all(&r, "d@0:2 e@2:1 ");
    close_reader(&r);
}

static void source_ends_where_the_topic_ended_at_open(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    put_some(f);
    init(&r, wr_broker_address(f->broker), "t");
    open_ok(&r);
    put(f, "t", 0, NULL, "later", 1);
    put(f, "t", 1, NULL, "later", 1);
    sent(f);
    expect_all(&r, "a@0:0 b@0:1 d@0:2 c@2:0 e@2:1 ");
    assert_int_equal(r.src->part[0].next, 3);
    assert_int_equal(r.src->records, 5);
    close_reader(&r);
}

/* Positions without the checksums ("~2:1a2b3c4d" is "~2" here). */
static void expect_positions(const struct wr_buf *pos, const char *want)
{
    char text[200];
    size_t n = 0;
    for (size_t i = 0; i < pos->n && n + 1 < sizeof text; i++)
        if (pos->p[i] == ':')
            i += 8;
        else
            text[n++] = pos->p[i];
    text[n] = 0;
    assert_string_equal(text, want);
}

static void position_is_where_seek_goes_on(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    struct wr_buf pos = WR_BUF_INIT(1000);
    put_some(f);
    init(&r, wr_broker_address(f->broker), "t, one");
    open_ok(&r);
    assert_int_equal(r.src->vt->position(r.src, &pos, &error), WR_OK);
    assert_true(wr_str_eq_c(wr_buf_get(&pos), "t/0=0;t/1=0;t/2=0;one/0=0;"));
    assert_int_equal(r.src->vt->seek(r.src, WR_STR("t/0=2;t/1=0;t/2=2;"), &error), WR_OK);
    expect_all(&r, "d@0:2 ");
    wr_buf_reset(&pos);
    assert_int_equal(r.src->vt->position(r.src, &pos, &error), WR_OK);
    expect_positions(&pos, "t/0=3~2;t/1=0;t/2=2;one/0=0;");
    close_reader(&r);
    open_ok(&r);
    assert_int_equal(r.src->vt->seek(r.src, wr_buf_get(&pos), &error), WR_OK);
    assert_true(r.src->ended);
    close_reader(&r);
    wr_buf_clear(&pos);
}

/* A topic of the same name with as many records, some of them others: what was read last tells them apart. */
static void another_topic_is_noticed(void **state)
{
    struct fixture *f = *state, other = {0};
    struct wr_buf pos = WR_BUF_INIT(1000);
    struct reader r, r2;
    put_some(f);
    init(&r, wr_broker_address(f->broker), "t");
    open_ok(&r);
    assert_int_equal(r.src->vt->seek(r.src, WR_STR("t/0=1;t/1=0;t/2=0;"), &error), WR_OK);
    expect_all(&r, "b@0:1 d@0:2 c@2:0 e@2:1 ");
    assert_int_equal(r.src->vt->position(r.src, &pos, &error), WR_OK);
    expect_positions(&pos, "t/0=3~2;t/1=0;t/2=2~1;");
    close_reader(&r);

    put(f, "t", 0, "k", "f", 4000); /* the same topic: goes on */
    sent(f);
    open_ok(&r);
    assert_int_equal(r.src->vt->seek(r.src, wr_buf_get(&pos), &error), WR_OK);
    expect_all(&r, "f@0:3 ");
    close_reader(&r);

    void *made = NULL;
    assert_int_equal(setup(&made), 0);
    other = *(struct fixture *)made;
    put_some(&other);
    put(&other, "t", 0, "k", "f", 4000);
    put(&other, "t", 2, "k", "g", 4000);
    sent(&other);
    init(&r2, wr_broker_address(other.broker), "t");
    open_ok(&r2);
    assert_int_equal(r2.src->vt->seek(r2.src, wr_buf_get(&pos), &error), WR_OK); /* the same records: a moved cluster */
    expect_all(&r2, "f@0:3 g@2:2 ");
    close_reader(&r2);
    open_ok(&r2);
    assert_int_equal(r2.src->vt->seek(r2.src, WR_STR("t/0=3~2:00000000;t/1=0;t/2=2;"), &error), WR_OK);
    wr_status st = WR_OK;
    for (int i = 0; i < 1000 && !st; i++) {
        struct wr_batch *b;
        st = r2.src->vt->poll(r2.src, 100, &b, &error);
        r2.rows += b ? b->len : 0; /* of partition 2 */
        wr_batch_unref(b);
    }
    assert_int_equal(st, WR_EIO);
    assert_string_equal(error.msg, "topic \"t\" partition 0 is not the one this job has read: another record stands at offset 2");
    close_reader(&r2);
    assert_int_equal(teardown(&made), 0);
    wr_buf_clear(&pos);
}

static void seek_refuses_what_is_not_there(void **state)
{
    struct fixture *f = *state;
    static const struct {
        struct wr_str pos;
        const char *msg;
    } cases[] = {
        {WR_STR("t/0=4;"), "source \"src\" should go on at offset 4 of topic \"t\" partition 0, which holds 0 to 3"},
        {WR_STR("t/7=0;"), "source \"src\" should go on in topic \"t\" partition 7, which is not there any more"},
        {WR_STR("u/0=0;"), "source \"src\" should go on in topic \"u\" partition 0, which is not there any more"},
        {WR_STR("t/0"), "source \"src\": \"t/0\" is not a position"},
        {WR_STR("t/0=-1"), "source \"src\": \"t/0=-1\" is not a position"},
        {WR_STR("t/0=1~"), "source \"src\": \"t/0=1~\" is not a position"},
        {WR_STR("t/0=1~0:12345"), "source \"src\": \"t/0=1~0:12345\" is not a position"},
        {WR_STR("t/0=1~x:12345678"), "source \"src\": \"t/0=1~x:12345678\" is not a position"},
        {WR_STR("t/0=1~0:1234567g"), "source \"src\": \"t/0=1~0:1234567g\" is not a position"},
        {WR_STR("t=0/0"), "source \"src\": \"t=0/0\" is not a position"},
        {WR_STR("t/0=99999999999999999999"), "source \"src\": \"t/0=99999999999999999999\" is not a position"},
    };
    put_some(f);
    struct reader r;
    init(&r, wr_broker_address(f->broker), "t");
    open_ok(&r);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        error = (struct wr_error)WR_ERROR_INIT;
        assert_int_equal(r.src->vt->seek(r.src, cases[i].pos, &error), WR_EIO);
        assert_string_equal(error.msg, cases[i].msg);
    }
    close_reader(&r);
}

/* ---- tests: running on ---- */

static void poll_until_rows(struct reader *r, const char *want)
{
    struct wr_batch *b = next(r);
    assert_int_equal(b->len, 1);
    assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[0])[0], want));
    wr_batch_unref(b);
}

static void source_catches_up_and_goes_on(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    put(f, "one", 0, NULL, "a", 1);
    sent(f);
    init(&r, wr_broker_address(f->broker), "one");
    r.spec.until_end = false;
    open_ok(&r);
    assert_false(r.src->bounded);
    assert_false(r.src->part[0].caught_up);
    poll_until_rows(&r, "a");
    while (!r.src->part[0].caught_up) {
        struct wr_batch *b;
        assert_int_equal(r.src->vt->poll(r.src, 100, &b, &error), WR_OK);
        assert_null(b);
    }
    put(f, "one", 0, NULL, "b", 1);
    sent(f);
    poll_until_rows(&r, "b");
    assert_int_equal(r.src->part[0].next, 2);
    assert_false(r.src->ended);
    close_reader(&r);
}

static void source_finds_topics_by_pattern_also_later(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    put(f, "one", 0, NULL, "a", 1);
    sent(f);
    init(&r, wr_broker_address(f->broker), "^(one|late.*)$");
    r.spec.until_end = false;
    add_opt(&r, "discover", "20 ms");
    open_ok(&r);
    assert_int_equal(r.src->n_part, 1);
    poll_until_rows(&r, "a");
    assert_int_equal(wr_broker_topic(f->broker, WR_STR("later"), 2, &error), WR_OK);
    put(f, "later", 1, NULL, "b", 1);
    sent(f);
    poll_until_rows(&r, "b");
    assert_int_equal(r.src->n_part, 3);
    assert_true(wr_str_eq_c(r.src->part[2].topic, "later"));
    assert_int_equal(r.src->part[2].num, 1);
    assert_int_equal(r.src->part[2].next, 1);
    put(f, "one", 0, NULL, "c", 1);
    sent(f);
    poll_until_rows(&r, "c");
    close_reader(&r);
}

static void source_reads_all_in_spite_of_broker_errors(void **state)
{
    struct fixture *f = *state;
    enum { FETCH = 1, LIST_OFFSETS = 2 };
    struct reader r;
    put_some(f);
    rd_kafka_mock_cluster_t *mock = wr_broker_mock(f->broker);
    rd_kafka_mock_push_request_errors(mock, LIST_OFFSETS, 2, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE);
    rd_kafka_mock_push_request_errors(mock, FETCH, 3, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    init(&r, wr_broker_address(f->broker), "t");
    open_ok(&r);
    expect_all(&r, "a@0:0 b@0:1 d@0:2 c@2:0 e@2:1 ");
    assert_int_equal(r.src->records, 5);
    close_reader(&r);
}

/* ---- tests: what the user got wrong ---- */

static int closed_port(void)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t n = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
    (void)close(fd);
    return ntohs(at.sin_port);
}

static void unreachable_broker_is_named(void **state WR_UNUSED)
{
    struct reader r;
    char brokers[64], want[200];
    (void)snprintf(brokers, sizeof brokers, "127.0.0.1:%d", closed_port());
    (void)snprintf(want, sizeof want, "cannot reach any broker of \"%s\": connection refused", brokers);
    init(&r, NULL, "t");
    add_opt(&r, "brokers", brokers);
    open_fails(&r, want, "is it running, and is this its address? \"weir broker\" starts one for trying things");
    assert_true(error.retriable);
    assert_int_equal(error.code, WR_EIO);
}

static void wrong_options_are_named(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *key, *value, *msg, *hint;
    } cases[] = {
        {"kafka.sasl.kerberos.kinit.cmd", "rm -rf /", "Kafka property \"sasl.kerberos.kinit.cmd\" cannot be set here",
         "librdkafka would run it as a shell command"},
        {"kafka.plugin.library.paths", "x", "Kafka property \"plugin.library.paths\" cannot be set here", "librdkafka would load it as program code"},
        {"kafka.fetch.min.byte", "1", "Kafka property \"fetch.min.byte\" cannot be set here", "did you mean \"fetch.min.bytes\"?"},
        {"kafka.linger.ms", "1", "Kafka property \"linger.ms\" is for a sink", NULL},
        {"kafka.fetch.min.bytes", "none", "Kafka property \"fetch.min.bytes\" cannot be \"none\"", NULL},
        {"sasl_username", "u", "option \"sasl_username\" needs a security_protocol that logs in",
         "add security_protocol = 'sasl_ssl' (or 'sasl_plaintext')"},
        {"start", "timestamp", "start = 'timestamp' needs a start_timestamp", NULL},
        {"topic", "", "Kafka source \"src\" needs a topic", NULL},
        {"topic", "^(", "topic pattern \"^(\" is not a regular expression: Unmatched ( or \\(", NULL},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct reader r;
        init(&r, wr_broker_address(f->broker), strcmp(cases[i].key, "topic") == 0 ? cases[i].value : "t");
        if (strcmp(cases[i].key, "topic") != 0)
            add_opt(&r, cases[i].key, cases[i].value);
        open_fails(&r, cases[i].msg, cases[i].hint);
        assert_int_equal(error.code, WR_ESQL);
    }
}

static void wrong_metadata_columns_are_named(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    init(&r, wr_broker_address(f->broker), "t");
    add_col(&r, "x", WR_TYPE_OF(TEXT), "ofset");
    open_fails(&r, "column \"x\": Kafka records have no metadata \"ofset\"", "there are: key, partition, offset, timestamp, headers, topic");
    assert_int_equal(error.sql_off, 3);
    init(&r, wr_broker_address(f->broker), "t");
    add_col(&r, "x", WR_TYPE_OF(TEXT), "offset");
    open_fails(&r, "column \"x\": the offset of a Kafka record is BIGINT", NULL);
}

/* Asked for by name, the mock would make it. */
static void missing_topics_are_named_and_not_made(void **state)
{
    struct fixture *f = *state;
    for (int look = 0; look < 2; look++) {
        struct reader r;
        init(&r, wr_broker_address(f->broker), "one, tt");
        error = (struct wr_error)WR_ERROR_INIT;
        assert_int_equal(wr_connector_kafka.source->open(&r.spec, &r.src, &error), WR_EIO);
        assert_non_null(strstr(error.msg, "there is no topic \"tt\""));
        assert_non_null(strstr(error.hint, "did you mean \"t\"?"));
    }
}

static void missing_topics_of_a_pattern_are_named(void **state)
{
    struct fixture *f = *state;
    struct reader r;
    char want[200];
    (void)snprintf(want, sizeof want, "no topic on \"%s\" matches the pattern of source \"src\"", wr_broker_address(f->broker));
    init(&r, wr_broker_address(f->broker), "^nothing");
    open_fails(&r, want, NULL);
}

/* The topic's records as "partition key=value", a line each, partition by partition; without a key "-", without a value "-". */
static void expect_topic(const struct fixture *f, const char *topic, const char *want)
{
    struct reader r;
    struct wr_buf by_part[8] = {0}, all = {0};
    init(&r, wr_broker_address(f->broker), topic);
    add_opt(&r, "tombstones", "null");
    add_col(&r, "key", WR_TYPE_OF(TEXT), "key");
    open_ok(&r);
    for (struct wr_batch *b = next(&r); b; b = next(&r)) {
        for (uint32_t row = 0; row < b->len; row++) {
            struct wr_str k = wr_vec_null(&b->col[1], row) ? WR_STR("-") : WR_VEC_STR(&b->col[1])[row];
            struct wr_str v = wr_vec_null(&b->col[0], row) ? WR_STR("-") : WR_VEC_STR(&b->col[0])[row];
            uint32_t p = wr_batch_part(b, row);
            wr_buf_printf(&by_part[p], "%d %.*s=%.*s\n", r.src->part[p].num, WR_FMT(k), WR_FMT(v));
        }
        wr_batch_unref(b);
    }
    for (int i = 0; i < r.src->n_part; i++) {
        wr_buf_str(&all, wr_buf_get(&by_part[i]));
        wr_buf_clear(&by_part[i]);
    }
    wr_buf_putc(&all, 0);
    assert_string_equal(all.p, want);
    wr_buf_clear(&all);
    close_reader(&r);
}

/* Partitions as Java's murmur2 gives them: hashes published in Apache Kafka's own UtilsTest, positive, modulo 7. */
static void sink_puts_keys_where_java_does(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    static const struct row rows[] = {{0, "21", 1}, {0, "foobar", 2}, {0, "a-little-bit-long-string", 3}, {0, "a-little-bit-longer-string", 4},
                                      {0, "abc", 5}};
    assert_int_equal(wr_broker_topic(f->broker, WR_STR("seven"), 7, &error), WR_OK);
    writer_init(&w, wr_broker_address(f->broker), "seven", 1);
    write_rows(&w, rows, 5);
    assert_int_equal(w.sink->rows, 5);
    writer_close(&w);
    expect_topic(f, "seven",
                 "0 foobar={\"k\":\"foobar\",\"n\":2,\"m\":2.05}\n"
                 "0 a-little-bit-longer-string={\"k\":\"a-little-bit-longer-string\",\"n\":4,\"m\":4.05}\n"
                 "1 a-little-bit-long-string={\"k\":\"a-little-bit-long-string\",\"n\":3,\"m\":3.05}\n"
                 "3 21={\"k\":\"21\",\"n\":1,\"m\":1.05}\n"
                 "4 abc={\"k\":\"abc\",\"n\":5,\"m\":5.05}\n");
}

static void sink_writes_upserts_in_order(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_UPDATE_BEFORE, "a", 1}, {WR_OP_UPDATE_AFTER, "a", 2}, {WR_OP_INSERT, "b", 7},
                                      {WR_OP_DELETE, "b", 7}, {WR_OP_INSERT, NULL, 9}};
    writer_init(&w, wr_broker_address(f->broker), "one", 1);
    w.spec.updating = w.spec.key_is_unique = true;
    assert_int_equal(wr_connector_kafka.sink->accepts(&w.spec), WR_ACCEPT_UPSERT);
    write_rows(&w, rows, 6);
    assert_int_equal(w.sink->rows, 5);
    write_rows(&w, rows, 1);
    writer_close(&w);
    expect_topic(f, "one", "0 a={\"k\":\"a\",\"n\":1,\"m\":1.05}\n0 a={\"k\":\"a\",\"n\":2,\"m\":2.05}\n0 b={\"k\":\"b\",\"n\":7,\"m\":7.05}\n"
                           "0 b=-\n0 ={\"k\":null,\"n\":9,\"m\":9.05}\n0 a={\"k\":\"a\",\"n\":1,\"m\":1.05}\n");
}

static void sink_takes_back_where_the_key_is_not_the_querys(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_UPDATE_BEFORE, "a", 1}, {WR_OP_UPDATE_AFTER, "b", 2}};
    writer_init(&w, wr_broker_address(f->broker), "one", 1);
    w.spec.updating = true;
    write_rows(&w, rows, 3);
    writer_close(&w);
    expect_topic(f, "one", "0 a={\"k\":\"a\",\"n\":1,\"m\":1.05}\n0 a=-\n0 b={\"k\":\"b\",\"n\":2,\"m\":2.05}\n");
}

static void sink_writes_keys_of_several_columns_as_json(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    static const struct row rows[] = {{WR_OP_INSERT, "a\"", 1}, {WR_OP_DELETE, NULL, 2}};
    writer_init(&w, wr_broker_address(f->broker), "one", 2);
    w.spec.updating = w.spec.key_is_unique = true;
    write_rows(&w, rows, 2);
    writer_close(&w);
    writer_init(&w, wr_broker_address(f->broker), "one", 1);
    writer_opt(&w, "key_format", "json");
    write_rows(&w, rows, 1);
    writer_close(&w);
    expect_topic(f, "one", "0 {\"k\":\"a\\\"\",\"n\":1}={\"k\":\"a\\\"\",\"n\":1,\"m\":1.05}\n0 {\"k\":null,\"n\":2}=-\n"
                           "0 {\"k\":\"a\\\"\"}={\"k\":\"a\\\"\",\"n\":1,\"m\":1.05}\n");
}

static void sink_appends_without_a_key(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    static const char *const codecs[] = {"none", "gzip", "snappy", "lz4", "zstd"};
    static const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, NULL, 2}};
    struct wr_buf want = {0};
    for (int i = 0; i < 5; i++) {
        writer_init(&w, wr_broker_address(f->broker), "one", 0);
        writer_opt(&w, "compression", codecs[i]);
        assert_int_equal(wr_connector_kafka.sink->accepts(&w.spec), WR_ACCEPT_APPEND);
        write_rows(&w, rows, 2);
        writer_close(&w);
        wr_buf_puts(&want, "0 -={\"k\":\"a\",\"n\":1,\"m\":1.05}\n0 -={\"k\":null,\"n\":2,\"m\":2.05}\n");
    }
    wr_buf_putc(&want, 0);
    expect_topic(f, "one", want.p);
    wr_buf_clear(&want);
}

static void sink_delivers_in_spite_of_broker_errors(void **state)
{
    struct fixture *f = *state;
    enum { PRODUCE = 0, METADATA = 3, INIT_PRODUCER_ID = 22, N = 500 };
    struct writer w;
    struct row rows[N];
    char names[N][16];
    struct wr_buf want = {0};
    rd_kafka_mock_cluster_t *mock = wr_broker_mock(f->broker);
    rd_kafka_mock_push_request_errors(mock, INIT_PRODUCER_ID, 1, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    rd_kafka_mock_push_request_errors(mock, METADATA, 1, RD_KAFKA_RESP_ERR__TRANSPORT);
    rd_kafka_mock_push_request_errors(mock, PRODUCE, 3, RD_KAFKA_RESP_ERR__TRANSPORT, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    for (int i = 0; i < N; i++) {
        (void)snprintf(names[i], sizeof names[i], "%d", i);
        rows[i] = (struct row){WR_OP_INSERT, names[i], i % 7};
        wr_buf_printf(&want, "0 %d={\"k\":\"%d\",\"n\":%d,\"m\":%d.05}\n", i, i, i % 7, i % 7);
    }
    wr_buf_putc(&want, 0);
    writer_init(&w, wr_broker_address(f->broker), "one", 1);
    writer_opt(&w, "kafka.queue.buffering.max.messages", "100"); /* write() has to wait for room as well */
    writer_opt(&w, "kafka.batch.num.messages", "50");
    write_rows(&w, rows, N);
    assert_true(w.sink->retries > 0);
    writer_close(&w);
    expect_topic(f, "one", want.p);
    wr_buf_clear(&want);
}

static void sink_reports_records_that_are_too_large(void **state)
{
    struct fixture *f = *state;
    struct writer w;
    enum { BIG = 2000 };
    static char big[BIG + 1];
    memset(big, 'x', BIG);
    const struct row rows[] = {{WR_OP_INSERT, "a", 1}, {WR_OP_INSERT, big, 2}, {WR_OP_INSERT, "c", 3}};
    writer_init(&w, wr_broker_address(f->broker), "one", 0);
    writer_opt(&w, "kafka.message.max.bytes", "1000");
    write_rows(&w, rows, 3);
    assert_int_equal(w.n_bad, 1);
    assert_string_equal(w.bad_text, "sink: topic \"one\" refuses a record of 2023 bytes: Broker: Message size too large");
    writer_close(&w);
    expect_topic(f, "one", "0 -={\"k\":\"a\",\"n\":1,\"m\":1.05}\n0 -={\"k\":\"c\",\"n\":3,\"m\":3.05}\n");
}

static void sink_names_what_is_wrong(void **state)
{
    struct fixture *f = *state;
    static const struct {
        const char *key, *value;
        int n_key;
        const char *msg;
    } cases[] = {
        {"topic", "", 0, "Kafka sink \"snk\" needs a topic"},
        {"topic", "a,b", 0, "\"a,b\" cannot be the topic of sink \"snk\""},
        {"key_format", "text", 2, "sink \"snk\": key_format = 'text' is for one key column, there are 2"},
        {"kafka.transactional.id", "x", 0, "Kafka property \"transactional.id\" cannot be set here"},
        {"kafka.fetch.min.bytes", "1", 0, "Kafka property \"fetch.min.bytes\" is for a source"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct writer w;
        writer_init(&w, wr_broker_address(f->broker), "one", cases[i].n_key);
        if (strcmp(cases[i].key, "topic") == 0)
            w.opt[1].value = wr_str_c(cases[i].value);
        else
            writer_opt(&w, cases[i].key, cases[i].value);
        error = (struct wr_error)WR_ERROR_INIT;
        assert_int_equal(wr_connector_kafka.sink->check(&w.spec, &error), WR_ESQL);
        assert_string_equal(error.msg, cases[i].msg);
    }
}

/* ---- tests: the broker ---- */

static void broker_listens_on_the_port_asked_for(void **state WR_UNUSED)
{
    struct fixture f = {0};
    char want[40], why[200];
    int port = closed_port();
    (void)snprintf(want, sizeof want, "127.0.0.1:%d", port);
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_broker_start(port, WR_STR("x:2"), &f.broker, &error), WR_OK);
    assert_string_equal(wr_broker_address(f.broker), want);
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    assert_int_equal(rd_kafka_conf_set(conf, "bootstrap.servers", want, why, sizeof why), RD_KAFKA_CONF_OK);
    f.producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why, sizeof why);
    put(&f, "x", 1, NULL, "through", 1);
    sent(&f);
    rd_kafka_destroy(f.producer);
    struct reader r;
    init(&r, wr_broker_address(f.broker), "x");
    open_ok(&r);
    expect_all(&r, "through@1:0 ");
    close_reader(&r);
    struct wr_broker *second = NULL;
    assert_int_equal(wr_broker_start(port, WR_STR(""), &second, &error), WR_EIO);
    (void)snprintf(why, sizeof why, "cannot listen on %s: Address already in use", want);
    assert_string_equal(error.msg, why);
    wr_broker_stop(f.broker);
}

static void broker_refuses_wrong_topics(void **state WR_UNUSED)
{
    struct wr_broker *b = NULL;
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_broker_start(0, WR_STR("a:0"), &b, &error), WR_EUSAGE);
    assert_string_equal(error.msg, "topic \"a\": a topic has 1 to 1000 partitions here");
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_broker_start(0, WR_STR("a:x"), &b, &error), WR_EUSAGE);
    assert_string_equal(error.msg, "\"a:x\" is not topic:partitions");
    error = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_broker_start(70000, WR_STR(""), &b, &error), WR_EUSAGE);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(source_reads_all_partitions_in_order),
        T(source_gives_metadata_columns),
        T(source_counts_bad_and_empty_records),
        T(source_leaves_out_what_it_is_told),
        T(source_stops_at_a_bad_record_when_asked),
        T(batches_outlive_their_source),
        T(source_starts_where_it_is_told),
        T(source_starts_at_committed_offsets),
        T(source_ends_where_the_topic_ended_at_open),
        T(position_is_where_seek_goes_on),
        T(another_topic_is_noticed), T(seek_refuses_what_is_not_there),
        T(source_catches_up_and_goes_on),
        T(source_finds_topics_by_pattern_also_later),
        T(source_reads_all_in_spite_of_broker_errors),
        cmocka_unit_test(unreachable_broker_is_named),
        T(wrong_options_are_named),
        T(wrong_metadata_columns_are_named),
        T(missing_topics_are_named_and_not_made),
        T(missing_topics_of_a_pattern_are_named),
        T(sink_puts_keys_where_java_does),
        T(sink_writes_upserts_in_order),
        T(sink_takes_back_where_the_key_is_not_the_querys),
        T(sink_writes_keys_of_several_columns_as_json),
        T(sink_appends_without_a_key),
        T(sink_delivers_in_spite_of_broker_errors),
        T(sink_reports_records_that_are_too_large),
        T(sink_names_what_is_wrong),
        cmocka_unit_test(broker_listens_on_the_port_asked_for),
        cmocka_unit_test(broker_refuses_wrong_topics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

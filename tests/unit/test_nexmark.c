/* test_nexmark.c: the benchmark's streams: the same rows however they are asked for, its proportions and hot keys, streams that fit together. */
#include "connectors/nexmark.h"
#include "tests/unit/format_rig.h"

static struct wr_source *open_table(struct rig *r, const char *table, const char *events, uint32_t batch)
{
    struct wr_coldef *col;
    struct wr_source *src = NULL;
    rig_init(r);
    rig_opt(r, "table", table);
    rig_opt(r, "events", events);
    r->spec.batch_rows = batch;
    assert_int_equal(wr_connector_nexmark.columns(&r->opts, &r->mem, &col, &r->spec.n_col, &r->err), WR_OK);
    memcpy(r->col, col, (size_t)r->spec.n_col * sizeof *col);
    rig_schema(r);
    assert_int_equal(wr_connector_nexmark.source->open(&r->spec, &src, &r->err), WR_OK);
    return src;
}

static void shut(struct rig *r, struct wr_source *src)
{
    src->vt->close(src);
    wr_arena_clear(&r->mem);
}

static void print_row(struct wr_buf *out, const struct wr_batch *b, uint32_t row)
{
    for (int i = 0; i < b->n_col; i++) {
        wr_buf_putc(out, i ? ' ' : '\n');
        wr_print_vec(out, &b->col[i], row, WR_STYLE_JSON);
    }
}

static void drain(struct rig *r, struct wr_source *src, struct wr_buf *out)
{
    while (!src->ended) {
        struct wr_batch *b;
        assert_int_equal(src->vt->poll(src, 0, &b, &r->err), WR_OK);
        for (uint32_t row = 0; b && row < b->len; row++)
            print_row(out, b, row);
        wr_batch_unref(b);
    }
}

static const char *const tables[] = {"person", "auction", "bid", "event"};

/* Batches of any size, and a source that takes over at any place, give the same rows. */
static void rows_do_not_depend_on_cuts(void **state WR_UNUSED)
{
    for (int t = 0; t < 4; t++) {
        struct wr_buf want = {0};
        for (int way = 0; way < 4; way++) {
            struct rig r;
            struct wr_buf got = {0}, pos = {0};
            struct wr_source *src = open_table(&r, tables[t], "1234", (uint32_t[]){0, 1, 7, 5}[way]);
            if (way == 3) {
                struct wr_batch *b;
                assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
                for (uint32_t row = 0; row < b->len; row++)
                    print_row(&got, b, row);
                wr_batch_unref(b);
                assert_int_equal(src->vt->position(src, &pos, &r.err), WR_OK);
                shut(&r, src);
                src = open_table(&r, tables[t], "1234", 64);
                assert_int_equal(src->vt->seek(src, wr_buf_get(&pos), &r.err), WR_OK);
            }
            drain(&r, src, &got);
            if (way == 0) {
                wr_buf_str(&want, wr_buf_get(&got));
                static const uint64_t rows[] = {25, 75, 1134, 1234}; /* 24 whole cycles and 34 events of the next */
                assert_int_equal(src->records, rows[t]);
                assert_true(src->bounded && src->part[0].ended);
            }
            assert_int_equal(got.n, want.n);
            assert_memory_equal(got.p, want.p, want.n);
            shut(&r, src);
            wr_buf_clear(&got);
            wr_buf_clear(&pos);
        }
        wr_buf_clear(&want);
    }
}

/* These must not change: users' seeds stand for their rows. */
static void first_rows_stay(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_buf out = {0};
    struct wr_source *src = open_table(&r, "event", "5", 0);
    struct wr_batch *b;
    assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
    static const char *const want[5][3] = {{"\"person\"", "1000", "\"Paul Bartels\""}, {"\"auction\"", "null", "null"}, {"\"auction\"", "null", "null"},
                                           {"\"auction\"", "null", "null"}, {"\"bid\"", "null", "null"}};
    static const int col[3] = {0, 2, 3};
    for (uint32_t row = 0; row < 5; row++)
        for (int i = 0; i < 3; i++) {
            wr_buf_reset(&out);
            wr_print_vec(&out, &b->col[col[i]], row, WR_STYLE_JSON);
            wr_buf_putc(&out, 0);
            assert_string_equal(out.p, want[row][i]);
        }
    wr_batch_unref(b);
    shut(&r, src);
    src = open_table(&r, "bid", "5", 0);
    wr_buf_reset(&out);
    drain(&r, src, &out);
    wr_buf_putc(&out, 0);
    static const char first[] = "\n1000 1001 72306732 \"Google\" \"https://www.nexmark.com/mrnpm/pumqa/flvzo/item.htm?query=1\" \"2025-11-28T00:00:00.000Z\" ";
    assert_memory_equal(out.p, first, sizeof first - 1);
    shut(&r, src);
    wr_buf_clear(&out);
}

/* The stream of all events is the three streams merged. */
static void streams_fit_together(void **state WR_UNUSED)
{
    struct rig all, one;
    struct wr_batch *b, *c;
    struct wr_source *src = open_table(&all, "event", "2000", 2000);
    assert_int_equal(src->vt->poll(src, 0, &b, &all.err), WR_OK);
    assert_int_equal(b->len, 2000);
    for (int t = 0; t < 3; t++) {
        struct wr_source *part = open_table(&one, tables[t], "2000", 2000);
        assert_int_equal(part->vt->poll(part, 0, &c, &one.err), WR_OK);
        uint32_t at = 0;
        for (uint32_t row = 0; row < b->len; row++) {
            if (!wr_str_eq_c(WR_VEC_STR(&b->col[0])[row], tables[t]))
                continue;
            for (int i = 0; i < one.spec.n_col; i++) {
                char name[64];
                snprintf(name, sizeof name, "%s%s%.*s", strcmp(one.col[i].name.p, "date_time") ? tables[t] : "", strcmp(one.col[i].name.p, "date_time") ? "_" : "",
                         WR_FMT(one.col[i].name));
                int k = 0;
                while (k < all.spec.n_col && !wr_str_eq_c(all.col[k].name, name))
                    k++;
                assert_true(k < all.spec.n_col);
                assert_int_equal(wr_vec_cmp(&b->col[k], row, &c->col[i], at), 0);
            }
            at++;
        }
        assert_int_equal(at, c->len);
        wr_batch_unref(c);
        shut(&one, part);
    }
    wr_batch_unref(b);
    shut(&all, src);
}

/* 500,000 events: hot keys and prices as the benchmark describes them. */
static void bids_keep_their_promises(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_batch *b;
    int64_t n = 0, hot_auction = 0, hot_bidder = 0, cheap = 0, hot_channel = 0, last = 0;
    struct wr_source *src = open_table(&r, "bid", "500000", 0);
    while (!src->ended) {
        assert_int_equal(src->vt->poll(src, 0, &b, &r.err), WR_OK);
        for (uint32_t row = 0; row < b->len; row++, n++) {
            int64_t auction = WR_VEC_I64(&b->col[0])[row], bidder = WR_VEC_I64(&b->col[1])[row], price = WR_VEC_I64(&b->col[2])[row];
            int64_t persons = n / 46 + 1, auctions = 3 * persons, ts = WR_VEC_I64(&b->col[5])[row];
            assert_true(auction >= 1000 && auction <= 1000 + auctions - 1 + 10 && auction >= 1000 + auctions - 1 - 100 - 99); /* the hot one may be 99 behind */
            assert_true(bidder >= 1000 && bidder < 1000 + persons + 10);
            assert_true(price >= 100 && price <= 100000000);
            assert_true(ts >= last && ts % 1000 == 0);
            last = ts;
            hot_auction += auction == 1000 + (auctions - 1) / 100 * 100;
            hot_bidder += bidder == 1001 + (persons - 1) / 100 * 100;
            cheap += price < 1000;
            hot_channel += WR_VEC_STR(&b->col[3])[row].p[0] != 'c';
        }
        wr_batch_unref(b);
    }
    assert_int_equal(n, 460000);
    assert_in_range(hot_auction, n / 2, n / 2 + n / 50);          /* a half, and one in 110 of the others */
    assert_in_range(hot_bidder, n / 4 * 3 - n / 100, n / 4 * 3 + n / 100);
    assert_in_range(cheap, n / 6 - n / 200, n / 6 + n / 200);     /* a sixth of the orders of magnitude */
    assert_in_range(hot_channel, n / 2 - n / 100, n / 2 + n / 100);
    shut(&r, src);
}

static void refusals(void **state WR_UNUSED)
{
    struct rig r;
    struct wr_source *src = NULL;
    rig_init(&r);
    rig_opt(&r, "table", "bid");
    rig_col(&r, "prize", (struct wr_type){.id = WR_T_BIGINT});
    rig_schema(&r);
    assert_int_equal(wr_connector_nexmark.source->check(&r.spec, &r.err), WR_ESQL);
    assert_string_equal(r.err.msg, "connector \"nexmark\" has no column \"prize\" here");
    wr_arena_clear(&r.mem);
    rig_init(&r);
    rig_opt(&r, "table", "bid");
    rig_col(&r, "price", (struct wr_type){.id = WR_T_TEXT});
    rig_schema(&r);
    assert_int_equal(wr_connector_nexmark.source->open(&r.spec, &src, &r.err), WR_ESQL);
    assert_string_equal(r.err.msg, "column \"price\" of connector \"nexmark\" has another type");
    assert_string_equal(r.err.hint, "it is BIGINT");
    wr_arena_clear(&r.mem);
    rig_init(&r);
    rig_opt(&r, "rate", "0");
    rig_schema(&r);
    assert_int_equal(wr_connector_nexmark.source->open(&r.spec, &src, &r.err), WR_ESQL);
    assert_string_equal(r.err.msg, "option \"rate\" cannot be \"0\"");
    wr_arena_clear(&r.mem);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_do_not_depend_on_cuts), cmocka_unit_test(first_rows_stay),          cmocka_unit_test(streams_fit_together),
        cmocka_unit_test(bids_keep_their_promises),   cmocka_unit_test(refusals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_file.c: the file source (lines across blocks, several files, patterns, gzip, headers, following, oversized records, positions), the
 * file sink and the console. Files live in a directory of the test's own, removed at its end. */
#include "tests/unit/format_rig.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

static char dir[] = "/tmp/weir-test-file-XXXXXX";

static const char *at(const char *name)
{
    static char path[4][512];
    static int turn;
    turn = (turn + 1) % 4;
    snprintf(path[turn], sizeof path[turn], "%s/%s", dir, name);
    return path[turn];
}

static void put_n(const char *name, const char *text, size_t n, const char *how)
{
    FILE *f = fopen(at(name), how);
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

static void put(const char *name, const char *text)
{
    put_n(name, text, strlen(text), "wb");
}

static char *slurp(const char *path)
{
    static char text[1 << 16];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = 0;
    return text;
}

/* ---- a source and what it gave ---- */

struct got {
    struct rig rig;
    struct wr_source *src;
    struct wr_badsink sink;
    struct wr_buf log;        /* "row | row | !reason@line ..." */
    int n_bad;
    bool fail_on_bad;
};

static wr_status take_bad(void *ctx, const struct wr_bad *bad, struct wr_error *err)
{
    struct got *g = ctx;
    g->n_bad++;
    wr_buf_printf(&g->log, "!%s@%d:%lld ", wr_reason_name(bad->reason), bad->from.part, (long long)bad->from.offset);
    return g->fail_on_bad ? wr_fail(err, WR_EDATA, "a bad record") : WR_OK;
}

static void got_init(struct got *g, const char *path)
{
    memset(g, 0, sizeof *g);
    rig_init(&g->rig);
    rig_opt(&g->rig, "path", path);
    g->sink = (struct wr_badsink){take_bad, g};
    g->rig.spec.bad = &g->sink;
    g->rig.spec.format = &wr_format_json;
}

static wr_status got_open(struct got *g)
{
    if (!g->rig.schema)
        rig_schema(&g->rig);
    wr_error_clear(&g->rig.err);
    return wr_connector_file.source->open(&g->rig.spec, &g->src, &g->rig.err);
}

/* One batch into the log; false: nothing came. */
static bool got_poll(struct got *g, bool origins)
{
    struct wr_batch *b;
    assert_int_equal(g->src->vt->poll(g->src, 0, &b, &g->rig.err), WR_OK);
    if (!b)
        return false;
    for (uint32_t row = 0; row < b->len; row++) {
        for (int i = 0; i < b->n_col; i++)
            wr_print_vec(&g->log, &b->col[i], row, WR_STYLE_JSON);
        struct wr_origin o;
        b->origin(b, row, &o);
        if (origins)
            wr_buf_printf(&g->log, "@%d:%lld[%.*s]", o.part, (long long)o.offset, WR_FMT(o.raw));
        wr_buf_putc(&g->log, ' ');
    }
    wr_batch_unref(b);
    return true;
}

static const char *got_log(struct got *g)
{
    wr_buf_putc(&g->log, 0);
    g->log.n--;
    return g->log.p ? g->log.p : "";
}

static void got_all(struct got *g, bool origins)
{
    assert_int_equal(got_open(g), WR_OK);
    for (int i = 0; i < 100000 && !g->src->ended; i++)
        got_poll(g, origins);
    assert_true(g->src->ended);
}

static void got_close(struct got *g)
{
    if (g->src) {
        assert_int_equal(g->src->n_bad, g->n_bad);
        g->src->vt->close(g->src);
    }
    wr_buf_clear(&g->log);
    wr_arena_clear(&g->rig.mem);
}

static void lines_of_all_kinds(void **state WR_UNUSED)
{
    struct got g;
    put("a.json", "{\"a\":1}\n\n{\"a\":2}\r\n  \r\n{\"a\":x}\n{\"a\":4}");
    got_init(&g, at("a.json"));
    rig_col(&g.rig, "a", T(INT));
    got_all(&g, true);
    assert_string_equal(got_log(&g), "!syntax@0:5 1@0:1[{\"a\":1}] 2@0:3[{\"a\":2}] 4@0:6[{\"a\":4}] ");
    assert_int_equal(g.src->records, 6);
    assert_int_equal(g.src->skipped, 2);
    assert_int_equal(g.src->n_bad, 1);
    assert_int_equal(g.src->bytes, 37);
    assert_true(g.src->part[0].ended && g.src->part[0].caught_up);
    assert_int_equal(g.src->part[0].next, 7);
    got_close(&g);
}

/* Every size of batch gives the same rows, and text stays good while batches are held and blocks go round. */
static void rows_cross_blocks(void **state WR_UNUSED)
{
    struct wr_buf text = {0};
    enum { N = 30000 };
    for (int i = 0; i < N; i++)
        wr_buf_printf(&text, "{\"a\":%d,\"t\":\"%0*d\"}\n", i, 1 + i % 90, i);
    put_n("big.json", text.p, text.n, "wb");
    wr_buf_clear(&text);
    static const uint32_t sizes[] = {0, 1000, 7};
    for (int s = 0; s < 3; s++) {
        struct got g;
        struct wr_batch *held[3] = {0}, *b;
        got_init(&g, at("big.json"));
        rig_col(&g.rig, "a", T(INT));
        rig_col(&g.rig, "t", T(TEXT));
        g.rig.spec.batch_rows = sizes[s];
        assert_int_equal(got_open(&g), WR_OK);
        int n = 0;
        for (int round = 0; !g.src->ended; round = (round + 1) % 3) {
            assert_int_equal(g.src->vt->poll(g.src, 0, &b, &g.rig.err), WR_OK);
            if (!b)
                continue;
            wr_batch_unref(held[round]);
            held[round] = b;
            for (uint32_t row = 0; row < b->len; row++, n++) {
                char want[128];
                snprintf(want, sizeof want, "%0*d", 1 + n % 90, n);
                assert_int_equal(WR_VEC_I64(&b->col[0])[row], n);
                assert_true(wr_str_eq_c(WR_VEC_STR(&b->col[1])[row], want));
            }
        }
        assert_int_equal(n, N);
        g.src->vt->close(g.src); /* batches outlive their source */
        g.src = NULL;
        for (int i = 0; i < 3; i++) {
            if (held[i] && held[i]->len)
                assert_true(WR_VEC_STR(&held[i]->col[1])[held[i]->len - 1].n > 0);
            wr_batch_unref(held[i]);
        }
        got_close(&g);
    }
}

static void files_take_turns(void **state WR_UNUSED)
{
    struct got g;
    put("p1.json", "{\"a\":11}\n{\"a\":12}\n{\"a\":13}\n");
    put("p2.json", "");
    put("p3.json", "{\"a\":31}\n");
    got_init(&g, at("p?.json"));
    rig_col(&g.rig, "a", T(INT));
    g.rig.spec.batch_rows = 2;
    got_all(&g, false);
    assert_string_equal(got_log(&g), "11 12 31 13 ");
    assert_int_equal(g.src->n_part, 3);
    assert_true(wr_str_eq_c(g.src->part[2].topic, at("p3.json")));
    got_close(&g);

    char list[600];
    snprintf(list, sizeof list, "%s, %s", at("p3.json"), at("p1.json"));
    got_init(&g, list);
    rig_col(&g.rig, "a", T(INT));
    got_all(&g, true);
    assert_string_equal(got_log(&g), "31@0:1[{\"a\":31}] 11@1:1[{\"a\":11}] 12@1:2[{\"a\":12}] 13@1:3[{\"a\":13}] ");
    got_close(&g);
}

static void csv_headers(void **state WR_UNUSED)
{
    struct got g;
    put("h1.csv", "a,b\n1,x\n\n2,\"y\nz\"\n3,w\n");
    put("h2.csv", "b,a\nq,9\n");
    got_init(&g, at("h?.csv"));
    g.rig.spec.format = &wr_format_csv;
    rig_col(&g.rig, "a", T(INT));
    rig_col(&g.rig, "b", T(TEXT));
    assert_int_equal((rig_schema(&g.rig), wr_connector_file.source->check(&g.rig.spec, &g.rig.err)), WR_OK);
    got_all(&g, true);
    assert_string_equal(got_log(&g), "1\"x\"@0:2[1,x] 2\"y\\nz\"@0:4[2,\"y\nz\"] 3\"w\"@0:6[3,w] 9\"q\"@1:2[q,9] ");
    assert_int_equal(g.src->records, 5);
    assert_int_equal(g.src->skipped, 1);
    got_close(&g);

    got_init(&g, at("h1.csv"));
    g.rig.spec.format = &wr_format_csv;
    rig_col(&g.rig, "c", T(INT));
    rig_schema(&g.rig);
    assert_int_equal(wr_connector_file.source->check(&g.rig.spec, &g.rig.err), WR_EIO);
    char want[300];
    snprintf(want, sizeof want, "file \"%s\": the header has no column \"c\"", at("h1.csv"));
    assert_string_equal(g.rig.err.msg, want);
    got_close(&g);
}

static void compressed(void **state WR_UNUSED)
{
    struct got g;
    gzFile gz = gzopen(at("z.json.gz"), "wb");
    for (int i = 0; i < 3; i++)
        gzprintf(gz, "{\"a\":%d}\n", i);
    gzclose(gz);
    got_init(&g, at("z.json.gz"));
    rig_col(&g.rig, "a", T(INT));
    got_all(&g, false);
    assert_string_equal(got_log(&g), "0 1 2 ");
    got_close(&g);

    char text[4096];
    FILE *f = fopen(at("z.json.gz"), "rb");
    size_t n = fread(text, 1, sizeof text, f);
    fclose(f);
    put_n("cut.json.gz", text, n - 6, "wb"); /* a download that broke off */
    got_init(&g, at("cut.json.gz"));
    rig_col(&g.rig, "a", T(INT));
    assert_int_equal(got_open(&g), WR_OK);
    wr_status st = WR_OK;
    struct wr_batch *b = NULL;
    for (int i = 0; i < 10 && !st && !g.src->ended; i++) {
        st = g.src->vt->poll(g.src, 0, &b, &g.rig.err);
        wr_batch_unref(b);
    }
    assert_int_equal(st, WR_EIO);
    assert_non_null(strstr(g.rig.err.msg, "cannot read"));
    got_close(&g);
}

static void oversized_records(void **state WR_UNUSED)
{
    struct got g;
    struct wr_buf text = {0};
    wr_buf_puts(&text, "{\"a\":1}\n{\"a\":\"");
    for (int i = 0; i < 10 << 20; i++)
        wr_buf_putc(&text, 'x');
    wr_buf_puts(&text, "\"}\n{\"a\":3}\n{\"a\":\"");
    for (int i = 0; i < 2000; i++)
        wr_buf_putc(&text, 'y');
    wr_buf_puts(&text, "\"}\n{\"a\":5}\n");
    for (int i = 0; i < 1 << 20; i++)
        wr_buf_putc(&text, 'z');
    put_n("huge.json", text.p, text.n, "wb");
    wr_buf_clear(&text);
    got_init(&g, at("huge.json"));
    rig_opt(&g.rig, "max_record_bytes", "1000");
    rig_col(&g.rig, "a", T(INT));
    got_all(&g, true);
    assert_string_equal(got_log(&g), "!too_big@0:2 !too_big@0:4 !too_big@0:6 1@0:1[{\"a\":1}] 3@0:3[{\"a\":3}] 5@0:5[{\"a\":5}] ");
    assert_int_equal(g.src->records, 6);
    got_close(&g);
}

static void bad_records_can_stop(void **state WR_UNUSED)
{
    struct got g;
    struct wr_batch *b;
    put("bad.json", "{\"a\":1}\nnope\n");
    got_init(&g, at("bad.json"));
    rig_col(&g.rig, "a", T(INT));
    g.fail_on_bad = true;
    assert_int_equal(got_open(&g), WR_OK);
    assert_int_equal(g.src->vt->poll(g.src, 0, &b, &g.rig.err), WR_EDATA);
    assert_null(b);
    got_close(&g);
}

static void missing_files(void **state WR_UNUSED)
{
    struct got g;
    char want[300];
    got_init(&g, at("nothing.json"));
    assert_int_equal(got_open(&g), WR_EIO);
    snprintf(want, sizeof want, "cannot open \"%s\": No such file or directory", at("nothing.json"));
    assert_string_equal(g.rig.err.msg, want);
    g.src = NULL;
    got_close(&g);
    got_init(&g, at("none*.json"));
    assert_int_equal(got_open(&g), WR_EIO);
    snprintf(want, sizeof want, "no file matches \"%s\"", at("none*.json"));
    assert_string_equal(g.rig.err.msg, want);
    got_close(&g);
    got_init(&g, dir);
    assert_int_equal(got_open(&g), WR_EIO);
    snprintf(want, sizeof want, "cannot read \"%s\": it is a directory", dir);
    assert_string_equal(g.rig.err.msg, want);
    got_close(&g);
}

static void following(void **state WR_UNUSED)
{
    struct got g;
    put("f.json", "{\"a\":1}\n{\"a\":");
    got_init(&g, at("f.json"));
    rig_opt(&g.rig, "follow", "true");
    rig_col(&g.rig, "a", T(INT));
    assert_int_equal(got_open(&g), WR_OK);
    assert_false(g.src->bounded);
    assert_true(got_poll(&g, false));
    assert_false(got_poll(&g, false)); /* half a line is no record yet */
    assert_true(g.src->part[0].caught_up);
    put_n("f.json", "2}\n{\"a\":3}\n", 11, "ab");
    assert_true(got_poll(&g, false));
    assert_false(got_poll(&g, false));
    assert_false(g.src->ended);
    assert_string_equal(got_log(&g), "1 2 3 ");
    put("f.json", "{\"a\":4}\n"); /* cut short and written anew */
    while (!got_poll(&g, true)) {
    }
    assert_string_equal(got_log(&g), "1 2 3 4@0:1[{\"a\":4}] ");
    got_close(&g);

    got_init(&g, at("f.json"));
    rig_opt(&g.rig, "follow", "true");
    g.rig.spec.until_end = true;
    rig_col(&g.rig, "a", T(INT));
    got_all(&g, false);
    assert_string_equal(got_log(&g), "4 ");
    got_close(&g);
}

static void pipes_end_when_closed(void **state WR_UNUSED)
{
    struct got g;
    int fd[2], old = dup(STDIN_FILENO);
    assert_int_equal(pipe(fd), 0);
    assert_int_equal(dup2(fd[0], STDIN_FILENO), STDIN_FILENO);
    close(fd[0]);
    got_init(&g, "-");
    rig_col(&g.rig, "a", T(INT));
    assert_int_equal(got_open(&g), WR_OK);
    assert_int_equal(write(fd[1], "{\"a\":1}\n{\"a\"", 12), 12);
    assert_true(got_poll(&g, false));
    assert_false(got_poll(&g, false));
    assert_false(g.src->ended);
    assert_int_equal(write(fd[1], ":2}", 3), 3);
    assert_false(got_poll(&g, false));
    close(fd[1]);
    while (!g.src->ended)
        got_poll(&g, false);
    assert_string_equal(got_log(&g), "1 2 ");
    got_close(&g);
    dup2(old, STDIN_FILENO);
    close(old);
}

static void checking_leaves_pipes_alone(void **state WR_UNUSED)
{
    struct got g;
    assert_int_equal(mkfifo(at("pipe"), 0600), 0);
    got_init(&g, at("pipe"));
    rig_col(&g.rig, "a", T(INT));
    rig_schema(&g.rig);
    assert_int_equal(wr_connector_file.source->check(&g.rig.spec, &g.rig.err), WR_OK); /* and does not wait for a writer */
    got_close(&g);
}

static void metadata(void **state WR_UNUSED)
{
    struct got g;
    put("m.json", "{\"a\":7}\n\n{\"a\":8}\n");
    got_init(&g, at("m.json"));
    rig_col(&g.rig, "a", T(INT));
    rig_path(&g.rig, "line", T(BIGINT), "offset")->from = WR_COL_META;
    rig_path(&g.rig, "file", T(TEXT), "topic")->from = WR_COL_META;
    got_all(&g, false);
    char want[600];
    snprintf(want, sizeof want, "71\"%s\" 83\"%s\" ", at("m.json"), at("m.json"));
    assert_string_equal(got_log(&g), want);
    got_close(&g);
    got_init(&g, at("m.json"));
    rig_path(&g.rig, "k", T(TEXT), "key")->from = WR_COL_META;
    assert_int_equal(got_open(&g), WR_ESQL);
    assert_string_equal(g.rig.err.msg, "column \"k\": a file has no \"key\"");
    got_close(&g);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The entries of a log (each ends with "] " or "@n:n "), in order. */
static char *sorted_lines(const char *log)
{
    char *copy = strdup(log), *entry[64], *save = NULL, *out = calloc(1, strlen(log) + 64);
    assert_true(copy && out);
    int n = 0;
    size_t len = 0;
    for (char *w = strtok_r(copy, " ", &save); w && n < 64; w = strtok_r(NULL, " ", &save))
        entry[n++] = w;
    qsort(entry, (size_t)n, sizeof *entry, by_text);
    for (int i = 0; i < n; i++)
        len += (size_t)snprintf(out + len, strlen(log) + 64 - len, "%s\n", entry[i]);
    free(copy);
    return out;
}

/* A position after any batch, taken up by a new source, gives the rest exactly. */
static void positions(void **state WR_UNUSED)
{
    static const char *const files[] = {"s?.json", "s?.csv", "s.json.gz"};
    put("s1.json", "{\"a\":1}\n\n{\"a\":2}\nbad\n{\"a\":3}\n{\"a\":4}");
    put("s2.json", "{\"a\":21}\r\n{\"a\":22}\r\n");
    put("s1.csv", "b,a\nx,1\n\"p\nq\",2\nx,3\n");
    put("s2.csv", "a\n21\n22\n");
    gzFile gz = gzopen(at("s.json.gz"), "wb");
    for (int i = 0; i < 5; i++)
        gzprintf(gz, "{\"a\":%d}\n", i);
    gzclose(gz);
    for (int f = 0; f < 3; f++) {
        for (int stop = 0; stop < 8; stop++) {
            struct got g, h, all;
            struct wr_buf pos = {0};
            struct got *each[] = {&all, &g, &h};
            for (int i = 0; i < 3; i++) {
                got_init(each[i], at(files[f]));
                each[i]->rig.spec.batch_rows = 1;
                each[i]->rig.spec.format = f == 1 ? &wr_format_csv : &wr_format_json;
                rig_col(&each[i]->rig, "a", T(INT));
            }
            got_all(&all, true);
            assert_int_equal(got_open(&g), WR_OK);
            for (int i = 0; i < stop; i++)
                got_poll(&g, true);
            assert_int_equal(g.src->vt->position(g.src, &pos, &g.rig.err), WR_OK);
            assert_int_equal(got_open(&h), WR_OK);
            assert_int_equal(h.src->vt->seek(h.src, wr_buf_get(&pos), &h.rig.err), WR_OK);
            /* turns begin anew, so compare what came by file */
            while (!h.src->ended)
                got_poll(&h, true);
            wr_buf_str(&g.log, wr_buf_get(&h.log));
            char *want = sorted_lines(got_log(&all)), *got = sorted_lines(got_log(&g));
            assert_string_equal(got, want);
            free(want);
            free(got);
            wr_buf_clear(&pos);
            g.n_bad = (int)g.src->n_bad;
            for (int i = 0; i < 3; i++)
                got_close(each[i]);
        }
    }
    struct got g;
    got_init(&g, at("s1.json"));
    rig_col(&g.rig, "a", T(INT));
    assert_int_equal(got_open(&g), WR_OK);
    assert_int_equal(g.src->vt->seek(g.src, WR_STR("\1\1"), &g.rig.err), WR_EIO);
    assert_string_equal(g.rig.err.msg, "source \"test\": the position in the checkpoint cannot be read");
    got_close(&g);
}

/* ---- sinks ---- */

struct drain {
    struct rig rig;
    struct wr_sink_spec spec;
    struct wr_sink *sink;
    struct wr_builder rows;
};

static void drain_open(struct drain *d, const struct wr_connector *c, bool updating)
{
    rig_schema(&d->rig);
    d->spec = (struct wr_sink_spec){.name = WR_STR("out"), .opts = &d->rig.opts, .schema = d->rig.schema, .updating = updating,
                                    .format = wr_format_find(wr_opt_text_or(&d->rig.opts, "format", "json"))};
    d->rows = (struct wr_builder){.schema = d->rig.schema};
    wr_status st = c->sink->open(&d->spec, &d->sink, &d->rig.err);
    if (st)
        print_error("%s\n", d->rig.err.msg);
    assert_int_equal(st, WR_OK);
}

/* A row of text and a decimal; text NULL: NULL. */
static void drain_row(struct drain *d, enum wr_rowop op, const char *text, int64_t cents)
{
    uint32_t row = wr_builder_row(&d->rows, op);
    struct wr_value v = {.type = T(TEXT), .null = !text};
    v.as.s = wr_str_c(text);
    wr_vec_set(&d->rows.b->col[0], row, &v, d->rows.b->cap, &d->rows.b->mem);
    v = (struct wr_value){.type = DECIMAL(12, 2), .as.dec = cents};
    wr_vec_set(&d->rows.b->col[1], row, &v, d->rows.b->cap, &d->rows.b->mem);
}

static wr_status drain_write(struct drain *d)
{
    return d->sink->vt->write(d->sink, wr_builder_take(&d->rows), &d->rig.err);
}

static void drain_init(struct drain *d)
{
    memset(d, 0, sizeof *d);
    rig_init(&d->rig);
    rig_col(&d->rig, "name", T(TEXT));
    rig_col(&d->rig, "total", DECIMAL(12, 2));
}

static void drain_close(struct drain *d)
{
    d->sink->vt->close(d->sink);
    wr_arena_clear(&d->rig.mem);
}

static void file_sink_writes(void **state WR_UNUSED)
{
    static const struct {
        const char *format, *mode, *want;
    } cases[] = {
        {"json", "truncate", "{\"name\":\"a\",\"total\":1.00}\n{\"name\":null,\"total\":2.50}\n"},
        {"json", "append", "{\"name\":\"a\",\"total\":1.00}\n{\"name\":null,\"total\":2.50}\n{\"name\":\"a\",\"total\":1.00}\n{\"name\":null,\"total\":2.50}\n"},
        {"csv", "truncate", "name,total\na,1.00\n,2.50\n"},
        {"csv", "append", "name,total\na,1.00\n,2.50\na,1.00\n,2.50\n"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct drain d;
        drain_init(&d);
        rig_opt(&d.rig, "path", at("out.txt"));
        rig_opt(&d.rig, "format", cases[i].format);
        rig_opt(&d.rig, "mode", cases[i].mode);
        drain_open(&d, &wr_connector_file, false);
        drain_row(&d, WR_OP_INSERT, "a", 100);
        drain_row(&d, WR_OP_INSERT, NULL, 250);
        assert_int_equal(drain_write(&d), WR_OK);
        assert_int_equal(d.sink->vt->flush(d.sink, &d.rig.err), WR_OK);
        assert_int_equal(d.sink->rows, 2);
        assert_string_equal(slurp(at("out.txt")), cases[i].want);
        drain_close(&d);
    }
}

static void file_sink_errors(void **state WR_UNUSED)
{
    struct drain d;
    drain_init(&d);
    rig_opt(&d.rig, "path", at("no/such/dir.txt"));
    rig_schema(&d.rig);
    d.spec = (struct wr_sink_spec){.name = WR_STR("out"), .opts = &d.rig.opts, .schema = d.rig.schema};
    assert_int_equal(wr_connector_file.sink->check(&d.spec, &d.rig.err), WR_EIO);
    char want[400];
    snprintf(want, sizeof want, "cannot create \"%s\": directory \"%s\": No such file or directory", at("no/such/dir.txt"), at("no/such"));
    assert_string_equal(d.rig.err.msg, want);
    assert_int_equal(wr_connector_file.sink->accepts(&d.spec), WR_ACCEPT_APPEND);
    wr_arena_clear(&d.rig.mem);

    drain_init(&d);
    rig_opt(&d.rig, "path", "/dev/full");
    drain_open(&d, &wr_connector_file, false);
    drain_row(&d, WR_OP_INSERT, "a", 100);
    assert_int_equal(drain_write(&d), WR_OK);
    assert_int_equal(d.sink->vt->flush(d.sink, &d.rig.err), WR_EIO);
    assert_string_equal(d.rig.err.msg, "cannot write to \"/dev/full\": No space left on device");
    drain_close(&d);
}

/* What the console prints, with standard output turned into a file for the time. */
static const char *console(const char *format, bool updating, int flush_after)
{
    struct drain d;
    fflush(stdout);
    int old = dup(STDOUT_FILENO), fd = open(at("console"), O_CREAT | O_TRUNC | O_WRONLY, 0600);
    assert_true(fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
    drain_init(&d);
    rig_opt(&d.rig, "format", format);
    drain_open(&d, &wr_connector_console, updating);
    static const struct {
        enum wr_rowop op;
        const char *text;
        int64_t cents;
    } rows[] = {{WR_OP_INSERT, "Gamer", 100},          {WR_OP_UPDATE_BEFORE, "\xE6\x9C\xAC\x1B[2J", 100}, {WR_OP_UPDATE_AFTER, NULL, 123456789},
                {WR_OP_DELETE, "a, \"longer\" one", -5}};
    wr_status st = WR_OK;
    for (int i = 0; i < 4; i++) {
        drain_row(&d, updating ? rows[i].op : WR_OP_INSERT, rows[i].text, rows[i].cents);
        st = st ? st : drain_write(&d);
        if (!st && i == flush_after)
            st = d.sink->vt->flush(d.sink, &d.rig.err);
    }
    st = st ? st : d.sink->vt->flush(d.sink, &d.rig.err);
    drain_close(&d);
    dup2(old, STDOUT_FILENO);
    close(old);
    close(fd);
    assert_int_equal(st, WR_OK);
    return slurp(at("console"));
}

static void console_styles(void **state WR_UNUSED)
{
    assert_string_equal(console("ndjson", true, -1), "{\"name\":\"Gamer\",\"total\":1.00,\"op\":\"+I\"}\n"
                                                     "{\"name\":\"\xE6\x9C\xAC\\u001b[2J\",\"total\":1.00,\"op\":\"-U\"}\n"
                                                     "{\"name\":null,\"total\":1234567.89,\"op\":\"+U\"}\n"
                                                     "{\"name\":\"a, \\\"longer\\\" one\",\"total\":-0.05,\"op\":\"-D\"}\n");
    assert_string_equal(console("csv", true, 0), "name,total,op\nGamer,1.00,+I\n\xE6\x9C\xAC\x1B[2J,1.00,-U\n,1234567.89,+U\n"
                                                 "\"a, \"\"longer\"\" one\",-0.05,-D\n");
    assert_string_equal(console("csv", false, 0), "name,total\nGamer,1.00\n\xE6\x9C\xAC\x1B[2J,1.00\n,1234567.89\n\"a, \"\"longer\"\" one\",-0.05\n");
    assert_string_equal(console("table", true, -1), " name            |      total | op\n"
                                                    "-----------------+------------+----\n"
                                                    " Gamer           |       1.00 | +I\n"
                                                    " \xE6\x9C\xAC\\x1b[2J       |       1.00 | -U\n"
                                                    "                 | 1234567.89 | +U\n"
                                                    " a, \"longer\" one |      -0.05 | -D\n");
    /* a pause after the first row: its width is taken, later rows widen */
    assert_string_equal(console("table", false, 0), " name  | total\n"
                                                    "-------+-------\n"
                                                    " Gamer |  1.00\n"
                                                    " \xE6\x9C\xAC\\x1b[2J |  1.00\n"
                                                    "           | 1234567.89\n"
                                                    " a, \"longer\" one |      -0.05\n");
}

static void console_reader_went_away(void **state WR_UNUSED)
{
    struct drain d;
    int fd[2], old = dup(STDOUT_FILENO);
    fflush(stdout);
    assert_int_equal(pipe(fd), 0);
    dup2(fd[1], STDOUT_FILENO);
    close(fd[1]);
    close(fd[0]);
    drain_init(&d);
    rig_opt(&d.rig, "format", "ndjson");
    drain_open(&d, &wr_connector_console, false);
    drain_row(&d, WR_OP_INSERT, "a", 1);
    wr_status st = drain_write(&d);
    st = st ? st : d.sink->vt->flush(d.sink, &d.rig.err);
    drain_close(&d);
    dup2(old, STDOUT_FILENO);
    close(old);
    assert_int_equal(st, WR_ESTOP);
}

/* ---- the directory ---- */

static int make_dir(void **state WR_UNUSED)
{
    signal(SIGPIPE, SIG_IGN);
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state WR_UNUSED)
{
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (e->d_name[0] != '.')
            unlink(at(e->d_name));
    closedir(d);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_of_all_kinds),   cmocka_unit_test(rows_cross_blocks), cmocka_unit_test(files_take_turns),
        cmocka_unit_test(csv_headers),          cmocka_unit_test(compressed),        cmocka_unit_test(oversized_records),
        cmocka_unit_test(bad_records_can_stop), cmocka_unit_test(missing_files),     cmocka_unit_test(following),
        cmocka_unit_test(pipes_end_when_closed), cmocka_unit_test(metadata), cmocka_unit_test(checking_leaves_pipes_alone),        cmocka_unit_test(positions),
        cmocka_unit_test(file_sink_writes),     cmocka_unit_test(file_sink_errors),  cmocka_unit_test(console_styles),
        cmocka_unit_test(console_reader_went_away),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}

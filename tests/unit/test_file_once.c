/* test_file_once.c: the file sink cut back to positions taken earlier: what a job does that was killed and starts again. Each "run" is a sink opened
 * anew on the same file; what it wrote after its last position is what a crash leaves behind. */
#include "connectors/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/weir-test-once-XXXXXX", path[100];
static struct wr_arena mem;
static struct wr_error err;
static struct wr_sink *sink;

static void open_as(const char *job, const char *format, const char *mode)
{
    static struct wr_opt opt[2];
    static struct wr_opts opts = {2, opt};
    static struct wr_sink_spec spec;
    opt[0] = (struct wr_opt){WR_STR("path"), wr_str_c(path), -1};
    opt[1] = (struct wr_opt){WR_STR("mode"), wr_str_c(mode), -1};
    struct wr_schema *schema = wr_schema_new(&mem, 1);
    schema->field[0] = (struct wr_field){.name = WR_STR("k"), .type = {.id = WR_T_TEXT}, .nullable = true};
    spec = (struct wr_sink_spec){.name = WR_STR("out"), .job = wr_str_c(job), .opts = &opts, .schema = schema, .exactly_once = true,
                                 .format = wr_format_find(wr_str_c(format))};
    err = (struct wr_error)WR_ERROR_INIT;
    assert_int_equal(wr_connector_file.sink->open(&spec, &sink, &err), WR_OK);
}

static void end(void)
{
    sink->vt->close(sink);
}

static void write_row(const char *k)
{
    struct wr_builder bl = {.schema = wr_schema_new(&mem, 1)};
    struct wr_schema *schema = wr_schema_new(&mem, 1);
    schema->field[0] = (struct wr_field){.name = WR_STR("k"), .type = {.id = WR_T_TEXT}, .nullable = true};
    bl.schema = schema;
    struct wr_value v = {.type = schema->field[0].type, .as.s = wr_str_c(k)};
    wr_builder_set(&bl, 0, wr_builder_row(&bl, WR_OP_INSERT), &v);
    assert_int_equal(sink->vt->write(sink, wr_builder_take(&bl), &err), WR_OK);
}

static struct wr_str position(void)
{
    struct wr_buf at = WR_BUF_INIT(1000);
    assert_int_equal(sink->vt->position(sink, &at, &err), WR_OK);
    struct wr_str copy = wr_arena_str(&mem, wr_buf_get(&at));
    wr_buf_clear(&at);
    return copy;
}

static wr_status seek_to(struct wr_str at)
{
    wr_error_clear(&err);
    return sink->vt->seek(sink, at, &err);
}

static void put(const char *text)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(fclose(f), 0);
}

static void check_file(const char *wanted)
{
    char text[1000];
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    text[fread(text, 1, sizeof text - 1, f)] = 0;
    fclose(f);
    assert_string_equal(text, wanted);
}

static const struct wr_str nowhere = {NULL, 0};

static void cut_back_to_the_checkpoint(void **state WR_UNUSED)
{
    put("rubbish of an earlier job\n");
    open_as("j", "csv", "truncate");
    check_file("rubbish of an earlier job\n"); /* opening decides nothing */
    assert_int_equal(seek_to(nowhere), WR_OK);
    struct wr_str empty = position();
    write_row("a");
    struct wr_str one = position();
    write_row("b");
    assert_int_equal(sink->vt->flush(sink, &err), WR_OK);
    end();
    check_file("k\na\nb\n");
    open_as("j", "csv", "truncate");
    assert_int_equal(seek_to(one), WR_OK);
    check_file("k\na\n");
    write_row("c");
    struct wr_str two = position();
    end();
    check_file("k\na\nc\n");
    open_as("j", "csv", "truncate");
    assert_int_equal(seek_to(two), WR_OK);
    end();
    check_file("k\na\nc\n");
    open_as("j", "csv", "truncate");
    assert_int_equal(seek_to(empty), WR_OK); /* the header counts: it was there */
    write_row("d");
    (void)position();
    end();
    check_file("k\nd\n");
    open_as("j", "csv", "truncate");
    assert_int_equal(seek_to(nowhere), WR_OK); /* no checkpoint came about */
    write_row("e");
    (void)position();
    end();
    check_file("k\ne\n");
}

/* A job that appends must leave what was there before it, also when it dies before its first checkpoint, twice. */
static void append_begins_where_the_job_began(void **state WR_UNUSED)
{
    put("old\n");
    for (int run = 0; run < 3; run++) {
        open_as("j1", "csv", "append");
        assert_int_equal(seek_to(nowhere), WR_OK);
        check_file("old\n");
        write_row("lost");
        (void)position(); /* on the disk, but the checkpoint it was for never was */
        end();
        check_file("old\nlost\n");
    }
    open_as("j1", "csv", "append");
    assert_int_equal(seek_to(nowhere), WR_OK);
    write_row("a");
    struct wr_str one = position();
    end();
    open_as("j1", "csv", "append");
    assert_int_equal(seek_to(one), WR_OK);
    end();
    check_file("old\na\n");
    open_as("j2", "csv", "append"); /* another job */
    assert_int_equal(seek_to(nowhere), WR_OK);
    write_row("b");
    (void)position();
    end();
    check_file("old\na\nb\n");
    open_as("j3", "csv", "append"); /* what j2 left behind means nothing to it */
    assert_int_equal(seek_to(nowhere), WR_OK);
    end();
    check_file("old\na\nb\n");
}

static void a_file_that_was_replaced_is_refused(void **state WR_UNUSED)
{
    put("");
    open_as("j", "json", "truncate");
    assert_int_equal(seek_to(nowhere), WR_OK);
    write_row("a");
    struct wr_str at = position();
    end();
    put("{\"k\":\"a\"");
    open_as("j", "json", "truncate");
    assert_int_equal(seek_to(at), WR_EIO);
    assert_non_null(strstr(err.msg, "has 8 bytes, and 10 were written up to the checkpoint"));
    end();
    check_file("{\"k\":\"a\"");
    put("{\"k\":\"b\"}\n{\"k\":\"c\"}\n");
    open_as("j", "json", "truncate");
    assert_int_equal(seek_to(at), WR_EIO);
    assert_non_null(strstr(err.msg, "was changed by somebody else"));
    assert_int_equal(seek_to(WR_STR("\1\2\3")), WR_EIO);
    assert_non_null(strstr(err.msg, "cannot be read"));
    end();
    check_file("{\"k\":\"b\"}\n{\"k\":\"c\"}\n");
    put("{\"k\":\"a\"}\n{\"k\":\"c\"}\n");
    open_as("j", "json", "truncate");
    assert_int_equal(seek_to(at), WR_OK);
    end();
    check_file("{\"k\":\"a\"}\n");
}

static void pipes_promise_less(void **state WR_UNUSED)
{
    struct wr_opt opt = {WR_STR("path"), WR_STR("-"), -1};
    struct wr_opts opts = {1, &opt};
    struct wr_sink_spec spec = {.opts = &opts, .exactly_once = true};
    struct wr_buf out = WR_BUF_INIT(1000);
    wr_connector_file.sink->promise(&spec, &out);
    assert_memory_equal(out.p, "at least once", 13);
    wr_buf_reset(&out);
    opt.value = wr_str_c(path);
    wr_connector_file.sink->promise(&spec, &out);
    assert_memory_equal(out.p, "exactly once", 12);
    wr_buf_clear(&out);
}

static int clean(void **state WR_UNUSED)
{
    char other[200];
    snprintf(other, sizeof other, "%s/.f.weir-start", dir);
    unlink(other);
    unlink(path);
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cut_back_to_the_checkpoint), cmocka_unit_test(append_begins_where_the_job_began),
        cmocka_unit_test(a_file_that_was_replaced_is_refused), cmocka_unit_test(pipes_promise_less),
    };
    if (!mkdtemp(dir))
        return 1;
    snprintf(path, sizeof path, "%s/f", dir);
    int rc = cmocka_run_group_tests(tests, NULL, clean);
    wr_arena_clear(&mem);
    return rc;
}

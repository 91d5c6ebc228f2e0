/* test_options.c: checking WITH (...) against the lists of connectors, formats and common options; typed readers; the list of connectors. */
#include "connectors/internal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct wr_arena mem;
static struct wr_error error;

/* "key=value;key=value" against a connector. Offsets are the places of the values in the text. */
static wr_status check(const char *connector, const char *format, enum wr_role role, const char *text, struct wr_opts *out)
{
    static struct wr_opt raw[16];
    struct wr_opts opts = {0, raw};
    const char *p = text;
    wr_error_clear(&error);
    while (*p) {
        const char *eq = strchr(p, '='), *end = strchr(p, ';');
        end = end ? end : p + strlen(p);
        raw[opts.n++] = (struct wr_opt){{p, (uint32_t)(eq - p)}, {eq + 1, (uint32_t)(end - eq - 1)}, (int32_t)(eq + 1 - text)};
        p = *end ? end + 1 : end;
    }
    const struct wr_format *f = format ? wr_format_find(wr_str_c(format)) : NULL;
    return wr_opts_check(wr_connector_find(wr_str_c(connector)), f, role, &opts, &mem, out, &error);
}

static void known_options_pass(void **state WR_UNUSED)
{
    struct wr_opts o;
    assert_int_equal(check("file", "csv", WR_AS_SOURCE,
                           "Connector=file;PATH=/tmp/x;value.format=csv;csv.field-delimiter=|;on_error=FAIL;max_record_bytes=64 kB;follow=on;max.future.skew=5 min", &o),
                     WR_OK);
    assert_int_equal(o.n, 8);
    struct wr_str s;
    assert_true(wr_opt_text(&o, "path", &s) && wr_str_eq_c(s, "/tmp/x"));
    assert_true(wr_opt_text(&o, "delimiter", &s) && wr_str_eq_c(s, "|"));
    assert_true(wr_opt_text(&o, "on_error", &s) && wr_str_eq_c(s, "fail"));
    assert_int_equal(wr_opt_bytes(&o, "max_record_bytes", 1), 65536);
    assert_true(wr_opt_bool(&o, "follow", false));
    assert_int_equal(wr_opt_duration(&o, "max_future_skew", 0), 300 * WR_US_SEC);
    assert_string_equal(wr_opt_cstr(&o, "format", &mem), "csv");
    assert_null(wr_opt_cstr(&o, "mode", &mem));
    assert_int_equal(wr_opt_int(&o, "rows", 7), 7);
    assert_true(wr_str_eq_c(wr_opt_text_or(&o, "null_value", "none"), "none"));
}

static void prefixes_keep_the_rest(void **state WR_UNUSED)
{
    struct wr_opts o;
    struct wr_str s;
    assert_int_equal(check("datagen", NULL, WR_AS_SOURCE, "fields.Valor.min=5;columns.b.kind=sequence;number-of-rows=3", &o), WR_OK);
    assert_true(wr_opt_text(&o, "columns.Valor.min", &s) && wr_str_eq_c(s, "5"));
    assert_true(wr_opt_text(&o, "columns.b.kind", &s) && wr_str_eq_c(s, "sequence"));
    assert_int_equal(wr_opt_int(&o, "rows", 0), 3);
}

static void fails(const char *connector, const char *format, enum wr_role role, const char *text, int32_t off, const char *msg, const char *hint)
{
    struct wr_opts o;
    assert_int_equal(check(connector, format, role, text, &o), WR_ESQL);
    assert_string_equal(error.msg, msg);
    assert_string_equal(error.hint, hint);
    assert_int_equal(error.sql_off, off);
}

static void wrong_options_are_named(void **state WR_UNUSED)
{
    fails("file", "json", WR_AS_SOURCE, "connector=file;paht=x", 20, "unknown option \"paht\" for connector \"file\"", "did you mean \"path\"?");
    fails("file", "json", WR_AS_SOURCE, "connector=file;path=x;null_value=y", 33, "unknown option \"null_value\" for connector \"file\"",
          "it belongs to format = 'csv'");
    fails("file", "json", WR_AS_SOURCE, "path=x;qqqqqqqqqq=y", 18, "unknown option \"qqqqqqqqqq\" for connector \"file\"", "it has: path, follow");
    fails("file", "json", WR_AS_SOURCE, "connector=file", 10, "connector \"file\" needs the option \"path\"",
          "add path = '...': file; '-' is standard input or output; sources also take a pattern or a list with commas");
    fails("file", "json", WR_AS_SOURCE, "path=x;mode=append", 12, "option \"mode\" of connector \"file\" is for sinks", "");
    fails("file", "json", WR_AS_SINK, "path=x;mode=both", 12, "option \"mode\" cannot be \"both\"", "it is one of: truncate|append");
    fails("file", "json", WR_AS_SOURCE, "path=x;follow=maybe", 14, "option \"follow\" cannot be \"maybe\"", "it is true or false");
    fails("file", "json", WR_AS_SOURCE, "path=x;max_record_bytes=12 parsecs", 24, "option \"max_record_bytes\" cannot be \"12 parsecs\"",
          "it is a size such as '64 kB' or '16 MiB'");
    fails("file", "json", WR_AS_SOURCE, "path=x;max_future_skew=1 mon", 23, "option \"max_future_skew\" cannot be \"1 mon\"",
          "it is a duration such as '30 s' or '5 min'");
    fails("datagen", NULL, WR_AS_SOURCE, "rows=1e3", 5, "option \"rows\" cannot be \"1e3\"", "it is a whole number");
    fails("datagen", NULL, WR_AS_SOURCE, "rows=1;number-of-rows=2", 22, "option \"rows\" is given twice", "\"number-of-rows\" is another name of it");
    fails("datagen", NULL, WR_AS_SINK, "connector=datagen", 10, "connector \"datagen\" is a source, not a sink", "");
    fails("blackhole", NULL, WR_AS_SOURCE, "connector=blackhole", 10, "connector \"blackhole\" is a sink, not a source", "");
}

static void sizes(void **state WR_UNUSED)
{
    static const struct {
        const char *text;
        int64_t bytes; /* -1: refused */
    } cases[] = {{"0", 0},        {"1000", 1000}, {"16 MiB", 16 << 20}, {"1k", 1024}, {" 2 GB ", INT64_C(2) << 30}, {"9223372036854775807", INT64_MAX},
                 {"9223372036854775808", -1}, {"8589934592 GiB", -1}, {"", -1}, {"-1", -1}, {"1.5 MB", -1}, {"MB", -1}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char text[80];
        struct wr_opts o;
        snprintf(text, sizeof text, "path=x;max_record_bytes=%s", cases[i].text);
        wr_status st = check("file", "json", WR_AS_SOURCE, text, &o);
        assert_int_equal(st, cases[i].bytes < 0 ? WR_ESQL : WR_OK);
        if (!st)
            assert_int_equal(wr_opt_bytes(&o, "max_record_bytes", -1), cases[i].bytes);
    }
}

static void formats_are_chosen(void **state WR_UNUSED)
{
    const struct wr_connector *file = wr_connector_find(WR_STR("file"));
    const struct wr_format *f;
    struct wr_opt one = {WR_STR("value.format"), WR_STR("CSV"), 7};
    struct wr_opts none = {0, NULL}, given = {1, &one};
    wr_error_clear(&error);
    assert_int_equal(wr_format_choose(file, &none, &f, &error), WR_OK);
    assert_ptr_equal(f, &wr_format_json);
    assert_int_equal(wr_format_choose(file, &given, &f, &error), WR_OK);
    assert_ptr_equal(f, &wr_format_csv);
    one.value = WR_STR("ndjson");
    assert_int_equal(wr_format_choose(file, &given, &f, &error), WR_OK);
    assert_ptr_equal(f, &wr_format_json);
    one.value = WR_STR("xml");
    assert_int_equal(wr_format_choose(file, &given, &f, &error), WR_ESQL);
    assert_string_equal(error.msg, "connector \"file\" has no format \"xml\"");
    assert_int_equal(error.sql_off, 7);
    wr_error_clear(&error);
    assert_int_equal(wr_format_choose(wr_connector_find(WR_STR("datagen")), &given, &f, &error), WR_ESQL);
    wr_error_clear(&error);
    assert_int_equal(wr_format_choose(wr_connector_find(WR_STR("console")), &given, &f, &error), WR_OK);
    assert_null(f); /* the console's format is its own option */
}

static void secrets(void **state WR_UNUSED)
{
    const struct wr_connector *file = wr_connector_find(WR_STR("file"));
    assert_true(wr_opt_is_secret(file, WR_STR("kafka.sasl.password")));
    assert_true(wr_opt_is_secret(NULL, WR_STR("API_TOKEN")));
    assert_false(wr_opt_is_secret(file, WR_STR("path")));
}

static void connectors_are_found(void **state WR_UNUSED)
{
    assert_string_equal(wr_connector_find(WR_STR("FILE"))->name, "file");
    assert_null(wr_connector_find(WR_STR("fle")));
    wr_error_clear(&error);
    assert_int_equal(wr_connector_unknown(WR_STR("datgen"), 3, &error), WR_ESQL);
    assert_string_equal(error.msg, "there is no connector \"datgen\"");
    assert_string_equal(error.hint, "did you mean \"datagen\"?");
    assert_int_equal(error.sql_off, 3);
    for (int i = 0; i < wr_connector_count(); i++) {
        const struct wr_connector *c = wr_connector_get(i);
        assert_ptr_equal(wr_connector_find(wr_str_c(c->name)), c);
        assert_true(c->source || c->sink);
        for (const struct wr_optdesc *d = c->opts; d && d->name; d++) {
            assert_true(d->roles && d->help);
            assert_int_equal(d->kind == WR_OPT_ENUM, d->choices != NULL);
        }
    }
    assert_null(wr_connector_get(-1));
    assert_null(wr_connector_get(wr_connector_count()));
}

static int teardown(void **state WR_UNUSED)
{
    wr_arena_clear(&mem);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_options_pass), cmocka_unit_test(prefixes_keep_the_rest), cmocka_unit_test(wrong_options_are_named),
        cmocka_unit_test(sizes),              cmocka_unit_test(formats_are_chosen),     cmocka_unit_test(secrets),
        cmocka_unit_test(connectors_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, teardown);
}

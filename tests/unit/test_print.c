/* test_print.c: answers as table, expanded, CSV, NDJSON and Markdown; cells cut and filled by terminal columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "shell/print.h"

#include <stdio.h>
#include <stdlib.h>

static void check(struct wr_buf *got, const char *want)
{
    struct wr_str text = wr_buf_get(got);
    if (!wr_str_eq_c(text, want))
        fail_msg("got\n%.*s\nwant\n%s", WR_FMT(text), want);
    wr_buf_clear(got);
}

/* Three columns, the second one of numbers. */
static void fill(struct wr_grid *g)
{
    static const struct wr_str name[] = {{"name", 4}, {"n", 1}, {"what", 4}};
    static bool right[] = {false, true, false};
    static const char *const cell[] = {"plain", "1", "a,b", "\xE6\x97\xA5\xE6\x9C\xAC", "-23", "say \"hi\"", "", "", "", "two\nlines", "4", "a|b\\"};
    wr_grid_begin(g, 3, name, right);
    for (size_t i = 0; i < sizeof cell / sizeof cell[0]; i++)
        wr_grid_add(g, wr_str_c(cell[i]));
}

static void check_form(enum wr_form form, struct wr_display d, const char *want)
{
    struct wr_grid g;
    struct wr_buf out = WR_BUF_INIT(0);
    fill(&g);
    wr_grid_print(&out, &g, form, &d);
    check(&out, want);
    wr_grid_clear(&g);
}

static void table_is_aligned(void **state WR_UNUSED)
{
    check_form(WR_FORM_TABLE, (struct wr_display){0},
               " name         |   n | what\n"
               "--------------+-----+----------\n"
               " plain        |   1 | a,b\n"
               " \xE6\x97\xA5\xE6\x9C\xAC         | -23 | say \"hi\"\n"
               "              |     |\n"
               " two\\x0alines |   4 | a|b\\\n"
               "(4 rows)\n");
    check_form(WR_FORM_TABLE, (struct wr_display){.tuples_only = true},
               " plain        |   1 | a,b\n"
               " \xE6\x97\xA5\xE6\x9C\xAC         | -23 | say \"hi\"\n"
               "              |     |\n"
               " two\\x0alines |   4 | a|b\\\n");
}

static void expanded_has_a_line_a_column(void **state WR_UNUSED)
{
    check_form(WR_FORM_TABLE, (struct wr_display){.expanded = true},
               "-[ RECORD 1 ]-\nname | plain\nn    | 1\nwhat | a,b\n"
               "-[ RECORD 2 ]-\nname | \xE6\x97\xA5\xE6\x9C\xAC\nn    | -23\nwhat | say \"hi\"\n"
               "-[ RECORD 3 ]-\nname |\nn    |\nwhat |\n"
               "-[ RECORD 4 ]-\nname | two\\x0alines\nn    | 4\nwhat | a|b\\\n");
}

static void other_forms_keep_the_bytes(void **state WR_UNUSED)
{
    check_form(WR_FORM_CSV, (struct wr_display){0},
               "name,n,what\nplain,1,\"a,b\"\n\xE6\x97\xA5\xE6\x9C\xAC,-23,\"say \"\"hi\"\"\"\n,,\n\"two\nlines\",4,a|b\\\n");
    check_form(WR_FORM_NDJSON, (struct wr_display){0},
               "{\"name\":\"plain\",\"n\":\"1\",\"what\":\"a,b\"}\n{\"name\":\"\xE6\x97\xA5\xE6\x9C\xAC\",\"n\":\"-23\",\"what\":\"say \\\"hi\\\"\"}\n"
               "{\"name\":\"\",\"n\":\"\",\"what\":\"\"}\n{\"name\":\"two\\nlines\",\"n\":\"4\",\"what\":\"a|b\\\\\"}\n");
    check_form(WR_FORM_MARKDOWN, (struct wr_display){0},
               "| name | n | what |\n| --- | ---: | --- |\n| plain | 1 | a,b |\n| \xE6\x97\xA5\xE6\x9C\xAC | -23 | say \"hi\" |\n|  |  |  |\n"
               "| two\\\\x0alines | 4 | a\\|b\\\\ |\n");
}

static void nothing_is_no_rows(void **state WR_UNUSED)
{
    static const struct wr_str name[] = {{"a", 1}, {"\x1b[2J", 4}};
    bool right[2] = {false, false};
    struct wr_grid g;
    struct wr_buf out = WR_BUF_INIT(0);
    struct wr_display d = {0};
    wr_grid_begin(&g, 2, name, right);
    wr_grid_print(&out, &g, WR_FORM_TABLE, &d);
    check(&out, " a | \\x1b[2J\n---+---------\n(0 rows)\n");
    d.expanded = true;
    wr_grid_print(&out, &g, WR_FORM_TABLE, &d);
    check(&out, "(0 rows)\n");
    wr_grid_clear(&g);
}

static void check_cell(const char *text, uint32_t width, bool right, bool last, const char *want)
{
    struct wr_buf out = WR_BUF_INIT(0);
    wr_put_cell(&out, wr_str_c(text), width, right, last);
    check(&out, want);
}

static void cells_are_filled_and_cut_by_columns(void **state WR_UNUSED)
{
    setenv("LC_ALL", "C.UTF-8", 1);
    check_cell("abc", 5, false, false, "abc  ");
    check_cell("abc", 5, false, true, "abc");
    check_cell("12", 5, true, true, "   12");
    check_cell("abcdef", 5, false, false, "abcd\xE2\x80\xA6");
    check_cell("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 5, false, false, "\xE6\x97\xA5\xE6\x9C\xAC\xE2\x80\xA6"); /* 2 + 2 + 1 */
    check_cell("\xE6\x97\xA5\xE6\x9C\xAC\xE8\xAA\x9E", 4, false, false, "\xE6\x97\xA5\xE2\x80\xA6 ");           /* no half of a wide one */
    check_cell("e\xCC\x81" "bc", 3, false, false, "e\xCC\x81" "bc"); /* a combining mark takes no column */
    check_cell("x", 0, false, false, "");
    setenv("LC_ALL", "C", 1);
    check_cell("abcdef", 5, false, false, "abcd~");
}

static void numbers_have_commas(void **state WR_UNUSED)
{
    static const struct { uint64_t n; const char *want; } cases[] = {
        {0, "0"}, {999, "999"}, {1000, "1,000"}, {123456, "123,456"}, {1234567, "1,234,567"}, {UINT64_MAX, "18,446,744,073,709,551,615"}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct wr_buf out = WR_BUF_INIT(0);
        wr_put_number(&out, cases[i].n);
        check(&out, cases[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_aligned),
        cmocka_unit_test(expanded_has_a_line_a_column),
        cmocka_unit_test(other_forms_keep_the_bytes),
        cmocka_unit_test(nothing_is_no_rows),
        cmocka_unit_test(cells_are_filled_and_cut_by_columns),
        cmocka_unit_test(numbers_have_commas),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

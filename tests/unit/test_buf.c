/* test_buf.c: the buffer's ceiling and encoding; borrowed text, UTF-8, nearest names; what is escaped for terminals; the log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/buf.h"
#include "core/log.h"

#include <stdio.h>
#include <unistd.h>

#define CHECK_STR(got, want)                                             \
    do {                                                                 \
        struct wr_str got_ = (got);                                      \
        if (!wr_str_eq_c(got_, (want)))                                  \
            fail_msg("got \"%.*s\", want \"%s\"", WR_FMT(got_), (want)); \
    } while (0)

static void grows_and_keeps_its_bytes(void **state WR_UNUSED)
{
    struct wr_buf b = WR_BUF_INIT(0);
    for (int i = 0; i < 10000; i++)
        wr_buf_putc(&b, (char)('a' + i % 26));
    wr_buf_printf(&b, "<%s>", "x");
    assert_false(b.overflow);
    assert_int_equal(b.n, 10003);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(b.p[i], 'a' + i % 26);
    wr_buf_clear(&b);
    assert_null(b.p);
}

static void ceiling_holds_to_the_byte(void **state WR_UNUSED)
{
    struct wr_buf b = WR_BUF_INIT(10);
    wr_buf_puts(&b, "12345678");
    wr_buf_puts(&b, "abc");
    assert_true(b.overflow);
    CHECK_STR(wr_buf_get(&b), "12345678");
    wr_buf_reset(&b);
    assert_false(b.overflow);
    wr_buf_puts(&b, "1234567890");
    assert_false(b.overflow);
    wr_buf_putc(&b, 'x');
    assert_true(b.overflow);
    wr_buf_reset(&b);
    wr_buf_printf(&b, "%010d", 7);
    assert_false(b.overflow);
    CHECK_STR(wr_buf_get(&b), "0000000007");
    wr_buf_reset(&b);
    wr_buf_lstr(&b, WR_STR("1234567")); /* length and bytes, or neither */
    assert_true(b.overflow);
    assert_int_equal(b.n, 0);
    wr_buf_clear(&b);
    assert_int_equal(b.max, 10);
}

static void long_printf_fits(void **state WR_UNUSED)
{
    char text[600];
    memset(text, 'y', sizeof text - 1);
    text[sizeof text - 1] = 0;
    struct wr_buf b = WR_BUF_INIT(599);
    wr_buf_printf(&b, "%s", text);
    assert_false(b.overflow);
    assert_int_equal(b.n, 599);
    assert_memory_equal(b.p, text, 599);
    wr_buf_clear(&b);
}

static void what_is_written_is_read(void **state WR_UNUSED)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_buf_u8(&b, 200);
    wr_buf_u32(&b, 0xDEADBEEF);
    wr_buf_i64(&b, INT64_MIN);
    wr_buf_i64(&b, -2);
    wr_buf_lstr(&b, WR_STR("abc"));
    wr_buf_lstr(&b, WR_STR(""));
    static const unsigned char want[] = {200, 0xEF, 0xBE, 0xAD, 0xDE, 0, 0, 0, 0, 0, 0, 0, 0x80};
    assert_memory_equal(b.p, want, sizeof want);
    struct wr_str in = wr_buf_get(&b), s;
    uint8_t u8;
    uint32_t u32;
    int64_t i64;
    assert_true(wr_take_u8(&in, &u8) && u8 == 200);
    assert_true(wr_take_u32(&in, &u32) && u32 == 0xDEADBEEF);
    assert_true(wr_take_i64(&in, &i64) && i64 == INT64_MIN);
    assert_true(wr_take_i64(&in, &i64) && i64 == -2);
    assert_true(wr_take_lstr(&in, &s));
    CHECK_STR(s, "abc");
    assert_true(wr_take_lstr(&in, &s) && s.n == 0);
    assert_int_equal(in.n, 0);
    assert_false(wr_take_u8(&in, &u8));
    wr_buf_clear(&b);
}

static void short_input_changes_nothing(void **state WR_UNUSED)
{
    struct wr_str in = {"\x05\0\0\0abcd", 8}, s = WR_STR("same");
    assert_false(wr_take_lstr(&in, &s));
    CHECK_STR(s, "same");
    assert_int_equal(in.n, 8);
    int64_t v = 9;
    in.n = 7;
    assert_false(wr_take_i64(&in, &v));
    assert_int_equal(v, 9);
    assert_int_equal(in.n, 7);
}

static void trim_and_compare(void **state WR_UNUSED)
{
    CHECK_STR(wr_str_trim(WR_STR(" \t\r\n a b \v\f")), "a b");
    CHECK_STR(wr_str_trim(WR_STR("  ")), "");
    CHECK_STR(wr_str_trim((struct wr_str){NULL, 0}), "");
    assert_true(wr_str_ieq_c(WR_STR("SeLeCt"), "select"));
    assert_false(wr_str_ieq_c(WR_STR("\xC3\x84"), "\xC3\xA4")); /* only ASCII has case here */
    assert_true(wr_str_cmp(WR_STR("ab"), WR_STR("abc")) < 0);
    assert_true(wr_str_cmp(WR_STR("\xFF"), WR_STR("a")) > 0);
    assert_true(wr_str_cmp((struct wr_str){NULL, 0}, WR_STR("")) == 0);
}

static void nearest_name(void **state WR_UNUSED)
{
    static const struct wr_str cand[] = {{"categoria", 9}, {"valor", 5}, {"timestamp", 9}, {"id_pedido", 9}, {"id", 2}};
    int n = sizeof cand / sizeof cand[0];
    CHECK_STR(wr_str_nearest(WR_STR("categroia"), cand, n), "categoria"); /* neighbours swapped: distance 1 */
    CHECK_STR(wr_str_nearest(WR_STR("CATEGORY"), cand, n), "categoria");
    CHECK_STR(wr_str_nearest(WR_STR("vlaor"), cand, n), "valor");
    CHECK_STR(wr_str_nearest(WR_STR("idpedido"), cand, n), "id_pedido");
    CHECK_STR(wr_str_nearest(WR_STR("timestmp"), cand, n), "timestamp");
    CHECK_STR(wr_str_nearest(WR_STR("ix"), cand, n), "id");
    CHECK_STR(wr_str_nearest(WR_STR("xy"), cand, n), "");
    CHECK_STR(wr_str_nearest(WR_STR("temperature"), cand, n), "");
    CHECK_STR(wr_str_nearest(WR_STR("vxxxr"), cand, n), ""); /* three changes of five letters */
    CHECK_STR(wr_str_nearest(WR_STR(""), cand, n), "");
    CHECK_STR(wr_str_nearest(WR_STR("x"), cand, 0), "");
    char longest[100];
    memset(longest, 'a', sizeof longest);
    CHECK_STR(wr_str_nearest((struct wr_str){longest, sizeof longest}, cand, n), "");
}

static void utf8(void **state WR_UNUSED)
{
    static const char *good[] = {"", "plain ascii text of some length", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                 "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "12345678\xC3\xA9", "1234567\xC3\xA9zz"};
    static const char *bad[] = {"\x80", "\xBF", "\xC0\x80", "\xC1\xBF", "\xC2", "\xC2\x41", "\xE0\x9F\xBF", "\xE2\x82", "\xED\xA0\x80", "\xED\xBF\xBF",
                                "\xF0\x8F\xBF\xBF", "\xF0\x90\x80", "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF", "12345678\xE2\x82", "12345678abcdefg\xC3"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(wr_utf8_valid(wr_str_c(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(wr_utf8_valid(wr_str_c(bad[i])));
    struct wr_str euro = WR_STR("a\xE2\x82\xAC\xF0\x9F\x98\x80z");
    assert_int_equal(wr_utf8_chars(euro), 4);
    assert_int_equal(wr_utf8_prefix(euro, 0), 0);
    assert_int_equal(wr_utf8_prefix(euro, 1), 1);
    assert_int_equal(wr_utf8_prefix(euro, 2), 4);
    assert_int_equal(wr_utf8_prefix(euro, 3), 8);
    assert_int_equal(wr_utf8_prefix(euro, 4), 9);
    assert_int_equal(wr_utf8_prefix(euro, 99), 9);
}

static void check_escape(struct wr_str s, uint32_t max, const char *want)
{
    struct wr_buf b = WR_BUF_INIT(0);
    wr_buf_puts(&b, ">");
    wr_buf_escape(&b, s, max);
    struct wr_str got = wr_buf_get(&b);
    CHECK_STR(((struct wr_str){got.p + 1, got.n - 1}), want);
    assert_true(got.n - 1 <= max);
    wr_buf_clear(&b);
}

static void escape_is_safe_for_terminals(void **state WR_UNUSED)
{
    check_escape(WR_STR("plain \xC3\xA9"), 100, "plain \xC3\xA9");
    check_escape(WR_STR("a\nb\x1B[31m\x7F"), 100, "a\\x0ab\\x1b[31m\\x7f");
    check_escape(WR_STR("\xC2\x9B" "x"), 100, "\\xc2\\x9bx"); /* U+009B begins a control sequence, too */
    check_escape(WR_STR("\xFF\xE2\x82"), 100, "\\xff\\xe2\\x82");
    check_escape((struct wr_str){"a\0b", 3}, 100, "a\\x00b");
    check_escape(WR_STR("1234567890"), 10, "1234567890");
    check_escape(WR_STR("12345678901"), 10, "1234567\xE2\x80\xA6");
    check_escape(WR_STR("123456\xC3\xA9\xC3\xA9\xC3\xA9"), 10, "123456\xE2\x80\xA6");
    check_escape(WR_STR("12345\n\n"), 10, "12345\xE2\x80\xA6");
    check_escape(WR_STR(""), 10, "");
}

/* What wr_log writes to standard error, without the time at its start. */
static struct wr_str logged(char *text, uint32_t size, enum wr_level level, const char *msg)
{
    FILE *f = tmpfile();
    assert_non_null(f);
    int saved = dup(STDERR_FILENO);
    assert_true(saved >= 0 && dup2(fileno(f), STDERR_FILENO) >= 0);
    wr_log(level, "test", "%s", msg);
    assert_true(dup2(saved, STDERR_FILENO) >= 0);
    close(saved);
    rewind(f);
    struct wr_str s = {text, (uint32_t)fread(text, 1, size, f)};
    fclose(f);
    return s;
}

static void log_writes_one_safe_line(void **state WR_UNUSED)
{
    static char text[4000], longest[3000];
    struct wr_str s = logged(text, sizeof text, WR_LOG_WARN, "a \"b\"\n\x1B");
    assert_true(s.n > 25 && s.p[23] == 'Z');
    CHECK_STR(((struct wr_str){s.p + 24, s.n - 24}), " warn test: a \"b\"\\x0a\\x1b\n");
    assert_int_equal(logged(text, sizeof text, WR_LOG_INFO, "not at this level").n, 0);
    wr_log_set(WR_LOG_DEBUG, true);
    s = logged(text, sizeof text, WR_LOG_DEBUG, "a \"b\"\n");
    CHECK_STR(((struct wr_str){s.p, 7}), "{\"ts\":\"");
    CHECK_STR(((struct wr_str){s.p + 7 + 24, s.n - 31}), "\",\"level\":\"debug\",\"comp\":\"test\",\"msg\":\"a \\\"b\\\"\\\\x0a\"}\n");
    memset(longest, '"', sizeof longest - 1);
    for (int json = 0; json < 2; json++) {
        wr_log_set(WR_LOG_WARN, json);
        s = logged(text, sizeof text, WR_LOG_ERROR, longest);
        assert_true(s.n > 500 && s.n <= 2000);
        assert_ptr_equal(memchr(s.p, '\n', s.n), s.p + s.n - 1);
        assert_true(!json || s.p[s.n - 2] == '}');
    }
    wr_log_set(WR_LOG_WARN, false);
}

static void a_place_that_logs_again_and_again_is_held_back(void **state WR_UNUSED)
{
    struct wr_log_gate g = {0};
    uint32_t held;
    for (int i = 0; i < WR_LOG_BURST; i++) {
        assert_true(wr_log_pass(&g, 1000 + i, &held));
        assert_int_equal(held, 0);
    }
    for (int i = 0; i < 25; i++)
        assert_false(wr_log_pass(&g, 2000 + i, &held));
    assert_false(wr_log_pass(&g, 1000 + WR_LOG_WINDOW_US - 1, &held));
    assert_true(wr_log_pass(&g, 1000 + WR_LOG_WINDOW_US, &held));
    assert_int_equal(held, 26);
    assert_true(wr_log_pass(&g, 1001 + WR_LOG_WINDOW_US, &held));
    assert_int_equal(held, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(grows_and_keeps_its_bytes),
        cmocka_unit_test(ceiling_holds_to_the_byte),
        cmocka_unit_test(long_printf_fits),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(short_input_changes_nothing),
        cmocka_unit_test(trim_and_compare),
        cmocka_unit_test(nearest_name),
        cmocka_unit_test(utf8),
        cmocka_unit_test(log_writes_one_safe_line),
        cmocka_unit_test(escape_is_safe_for_terminals),
        cmocka_unit_test(a_place_that_logs_again_and_again_is_held_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

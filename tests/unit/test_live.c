/* test_live.c: the figures below a live view, from given sums: what is known shows, long lags are bars, lines break at the terminal's width. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "core/time.h"
#include "shell/live_view.h"

static struct wr_str status(struct wr_view *v, const struct wr_gauge *g)
{
    wr_buf_reset(&v->frame);
    wr_view_status(v, g, false);
    wr_buf_putc(&v->frame, 0);
    return wr_buf_get(&v->frame);
}

static const struct wr_gauge nothing = {.wm = WR_WM_NONE, .newest = WR_WM_NONE};

static void what_is_not_known_is_left_out(void **state)
{
    (void)state;
    struct wr_view v = {.cols = 200, .start_us = wr_clock_mono()};
    assert_string_equal(status(&v, &nothing).p, " 0 rows/s | written 0 | late 0 | bad 0 | state 0 rows | q stops, ? keys\n");
    wr_buf_clear(&v.frame);
}

static void long_lags_are_bars(void **state)
{
    (void)state;
    struct wr_view v = {.cols = 200, .start_us = wr_clock_mono(), .utf8 = true};
    struct wr_gauge g = nothing;
    g.lag_known = true;
    g.lag = 999;
    assert_non_null(strstr(status(&v, &g).p, " · lag 999 · late"));
    g.records = 3000;
    g.lag = 9000;
    assert_non_null(strstr(status(&v, &g).p, " · lag 9,000 \xE2\x96\x88\xE2\x96\x88\xE2\x96\x91\xE2\x96\x91\xE2\x96\x91\xE2\x96\x91\xE2\x96\x91\xE2\x96\x91\xE2\x96\x91\xE2\x96\x91 25 %"));
    wr_buf_clear(&v.frame);
}

static void speed_says_when_it_is_caught_up(void **state)
{
    (void)state;
    struct wr_view v = {.cols = 200, .start_us = wr_clock_mono(), .n_sample = 1};
    struct wr_gauge g = nothing;
    g.lag_known = true;
    g.lag = 5000;
    v.sample[0].us = wr_clock_mono() - WR_US_SEC;
    v.sample[0].lag = 6000;
    assert_non_null(strstr(status(&v, &g).p, "| lag 5,000 [..........] 0 % | caught up in "));
    v = (struct wr_view){.cols = 200, .start_us = wr_clock_mono(), .n_sample = 1, .frame = v.frame};
    v.sample[0].us = wr_clock_mono() - WR_US_SEC;
    v.sample[0].lag = 4000;
    assert_non_null(strstr(status(&v, &g).p, " | falling behind | "));
    wr_buf_clear(&v.frame);
}

static void watermark_and_checkpoint(void **state)
{
    (void)state;
    struct wr_view v = {.cols = 200, .start_us = wr_clock_mono()};
    struct wr_gauge g = nothing;
    g.wm = 1764331200 * WR_US_SEC;
    g.newest = g.wm + 125 * WR_US_SEC;
    g.ckpt = 7;
    g.ckpt_us = wr_clock_wall() + WR_US_MIN; /* a clock that was set back is no negative age */
    g.state_bytes = 1234567;
    const char *text = status(&v, &g).p;
    assert_non_null(strstr(text, "watermark 12:00:00 (2 min 5 s behind)"));
    assert_non_null(strstr(text, "state 0 rows, 1.2 MB | checkpoint 7, 0 s ago"));
    g.newest = g.wm + 3 * WR_US_HOUR + 125 * WR_US_SEC;
    assert_non_null(strstr(status(&v, &g).p, "(3 h 2 min behind)"));
    wr_buf_clear(&v.frame);
}

static void lines_break_at_the_width(void **state)
{
    (void)state;
    struct wr_view v = {.cols = 24, .start_us = wr_clock_mono()};
    assert_string_equal(status(&v, &nothing).p, " 0 rows/s | written 0\n late 0 | bad 0\n state 0 rows\n q stops, ? keys\n");
    wr_buf_clear(&v.frame);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_known_is_left_out), cmocka_unit_test(long_lags_are_bars), cmocka_unit_test(speed_says_when_it_is_caught_up),
        cmocka_unit_test(watermark_and_checkpoint),      cmocka_unit_test(lines_break_at_the_width),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

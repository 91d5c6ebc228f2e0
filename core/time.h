/* time.h: event time is int64 microseconds since 1970-01-01 00:00 UTC, proleptic Gregorian. Nothing here reads a clock but wr_clock_*. */
#ifndef WR_CORE_TIME_H
#define WR_CORE_TIME_H

#include "core/type.h"
#include "core/buf.h"

#define WR_US_SEC INT64_C(1000000)
#define WR_US_MIN (60 * WR_US_SEC)
#define WR_US_HOUR (60 * WR_US_MIN)
#define WR_US_DAY (24 * WR_US_HOUR)
#define WR_TIME_MIN INT64_C(-62135596800000000) /* 0001-01-01 00:00 */
#define WR_TIME_MAX INT64_C(253402300799999999) /* 9999-12-31 23:59:59.999999 */
#define WR_WM_NONE INT64_MIN /* watermark: nothing known yet */
#define WR_WM_END INT64_MAX  /* watermark: no more rows */

struct wr_civil { int32_t year, month, day, hour, minute, second, us; };
int64_t wr_days_from_civil(int year, int month, int day); /* H. Hinnant's algorithm, "chrono-compatible low-level date algorithms" */
void wr_civil_from_us(int64_t us, struct wr_civil *out);
int64_t wr_us_from_civil(const struct wr_civil *c);
int wr_month_days(int year, int month); /* 28..31 */

/* ISO 8601 date and time: 'T' or blank between, seconds optional, fraction of 1..9 digits (rounded to µs), offset Z, +hh, +hhmm, +hh:mm or none (UTC).
 * A date alone is midnight. The common layouts of 19..27 bytes take a fixed-layout path. false: not a time (WR_R_CAST) or outside years 1..9999 (WR_R_RANGE
 * told apart by *range). */
bool wr_time_parse(struct wr_str s, int64_t *us, bool *range);
bool wr_date_parse(struct wr_str s, int64_t *days, bool *range);
bool wr_time_of_day_parse(struct wr_str s, int64_t *us);
/* PostgreSQL interval text ('1 day 02:03:04', '90 s', '1 min', '1 minute 30 seconds', '5s', ISO 'PT5M'); also negative and with "ago". */
bool wr_interval_parse(struct wr_str s, struct wr_interval *out);
/* A duration in µs: an interval without months; days count 24 h; must be >= 0. Needs a unit ("5" is refused, "0" is not). */
bool wr_duration_parse(struct wr_str s, int64_t *us);
void wr_duration_print(struct wr_buf *out, int64_t us); /* "1 min", "90 s", "1 h 30 min" */
void wr_timestamp_print(struct wr_buf *out, int64_t us, bool iso); /* iso: 2025-11-28T12:00:00.000Z (3 digits, 6 when needed); else 2025-11-28 12:00:00[.ffffff] */
void wr_date_print(struct wr_buf *out, int64_t days);
void wr_time_of_day_print(struct wr_buf *out, int64_t us);
void wr_interval_print(struct wr_buf *out, struct wr_interval iv); /* as PostgreSQL's default style: 1 year 2 mons 3 days 04:05:06 */
/* t + iv with PostgreSQL's month arithmetic (day clipped to the month's end). false: out of range. */
bool wr_time_add(int64_t us, struct wr_interval iv, int sign, int64_t *out);

/* Start of the last window of `slide` that contains ts: greatest s <= ts with s = offset (mod slide). slide > 0. Exact for negative times. */
static inline int64_t wr_window_start(int64_t ts, int64_t slide, int64_t offset)
{
    int64_t r = (ts - offset) % slide;
    return ts - (r < 0 ? r + slide : r);
}

int64_t wr_clock_mono(void); /* CLOCK_MONOTONIC in µs: idle times, rates */
int64_t wr_clock_wall(void); /* CLOCK_REALTIME in µs: now(), record timestamps; never event time */

#endif

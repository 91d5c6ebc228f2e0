/* func_format.c: dates and times by pattern: to_char, to_timestamp, to_date with PostgreSQL's patterns; date_format, from_unixtime with
 * those of Java (yyyy-MM-dd HH:mm:ss), as in Spark and Flink.
 * Rules:  - a pattern becomes a list of items, once if it is constant; both languages become the same items;
 *         - writing: names follow the letter case of the pattern, FM drops filling blanks and zeros, TH and th add the ending of an ordinal;
 *         - reading: blanks before a field are skipped, a separator of the pattern matches any one or none, other text as many characters
 *           as it has; a number takes as many digits as its item has unless something that is no digit follows. What is not read is the
 *           year 1, the first day, midnight. Names are English.
 * Memory: the items live in the plan's arena, or in the evaluation's for patterns that come from rows. */
#include "core/kernel.h"
#include "core/time.h"
#include "core/utf8.h"
#include <stdio.h>

enum item_kind {
    F_TEXT, F_HH12, F_HH24, F_MI, F_SS, F_MS, F_US, F_FRACTION, F_SSSS, F_AMPM, F_A_M, F_Y_YYY, F_YYYY, F_YYY, F_YY, F_Y, F_IYYY, F_IYY, F_IY, F_I,
    F_BCAD, F_B_C_A_D, F_MONTH, F_MON, F_MM, F_RM, F_DAY, F_DY, F_DDD, F_IDDD, F_DD, F_D, F_ID, F_W, F_WW, F_IW, F_CC, F_J, F_Q, F_TZ, F_TZH, F_TZM, F_OF, F_ISO_ZONE
};
enum name_case { C_UPPER, C_TITLE, C_LOWER };

struct item {
    enum item_kind kind;
    enum name_case style;
    bool fill_off;           /* FM */
    char ordinal;            /* 'T': TH, 't': th, 0: none */
    uint8_t digits;          /* F_FRACTION: how many; numbers read: at most so many if a digit may follow */
    bool quoted;             /* F_TEXT: from quotes, not a separator */
    struct wr_str text;      /* F_TEXT */
};
struct pattern {
    int n;
    struct item *item;
};

/* Longest first among those with the same beginning. */
static const struct { const char *word; enum item_kind kind; uint8_t digits; } words[] = {
    {"SSSSS", F_SSSS, 5}, {"SSSS", F_SSSS, 5}, {"SS", F_SS, 2}, {"HH24", F_HH24, 2}, {"HH12", F_HH12, 2}, {"HH", F_HH12, 2}, {"MI", F_MI, 2},
    {"MS", F_MS, 3}, {"MONTH", F_MONTH, 0}, {"MON", F_MON, 0}, {"MM", F_MM, 2}, {"US", F_US, 6}, {"FF1", F_FRACTION, 1}, {"FF2", F_FRACTION, 2},
    {"FF3", F_FRACTION, 3}, {"FF4", F_FRACTION, 4}, {"FF5", F_FRACTION, 5}, {"FF6", F_FRACTION, 6}, {"AM", F_AMPM, 0}, {"PM", F_AMPM, 0},
    {"A.M.", F_A_M, 0}, {"P.M.", F_A_M, 0}, {"A.D.", F_B_C_A_D, 0}, {"B.C.", F_B_C_A_D, 0}, {"AD", F_BCAD, 0}, {"BC", F_BCAD, 0}, {"Y,YYY", F_Y_YYY, 0}, {"YYYY", F_YYYY, 4}, {"YYY", F_YYY, 3},
    {"YY", F_YY, 2}, {"Y", F_Y, 1}, {"IYYY", F_IYYY, 4}, {"IYY", F_IYY, 3}, {"IY", F_IY, 2}, {"IDDD", F_IDDD, 3}, {"ID", F_ID, 1}, {"IW", F_IW, 2},
    {"I", F_I, 1}, {"DAY", F_DAY, 0}, {"DY", F_DY, 0}, {"DDD", F_DDD, 3}, {"DD", F_DD, 2}, {"D", F_D, 1}, {"WW", F_WW, 2}, {"W", F_W, 1},
    {"CC", F_CC, 2}, {"J", F_J, 7}, {"Q", F_Q, 1}, {"RM", F_RM, 0}, {"TZH", F_TZH, 2}, {"TZM", F_TZM, 2}, {"TZ", F_TZ, 0}, {"OF", F_OF, 0},
};

static const char *const month_name[12] = {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"};
static const char *const day_name[7] = {"Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"};
static const char *const roman[12] = {"I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX", "X", "XI", "XII"};

static bool has_prefix(struct wr_str s, uint32_t at, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);
    return s.n - at >= n && wr_str_ieq_c((struct wr_str){s.p + at, n}, word);
}
static bool is_upper(char ch) { return ch >= 'A' && ch <= 'Z'; }
static bool is_digit(char ch) { return ch >= '0' && ch <= '9'; }
static bool is_alnum(char ch) { return is_digit(ch) || is_upper(ch) || (ch >= 'a' && ch <= 'z') || (ch & 0x80); }

static enum name_case case_of(struct wr_str s, uint32_t at)
{
    if (!is_upper(s.p[at]))
        return C_LOWER;
    return at + 1 < s.n && !is_upper(s.p[at + 1]) && s.p[at + 1] != '.' ? C_TITLE : C_UPPER;
}

/* ---- PostgreSQL's language ---- */

static void put_text(struct pattern *p, const char *from, uint32_t n, bool quoted)
{
    struct item *last = p->n ? &p->item[p->n - 1] : NULL;
    if (last && last->kind == F_TEXT && last->quoted == quoted && last->text.p + last->text.n == from) {
        last->text.n += n;
        return;
    }
    p->item[p->n++] = (struct item){.kind = F_TEXT, .text = {from, n}, .quoted = quoted};
}

static uint32_t take_word(struct pattern *p, struct wr_str s, uint32_t at)
{
    struct item it = {.kind = F_TEXT};
    uint32_t from = at;
    bool translated = false; /* TM: names in the language of the server, which is English, and not filled up */
    for (;;) {
        bool fm = has_prefix(s, at, "FM"), tm = has_prefix(s, at, "TM");
        it.fill_off |= fm;
        translated |= tm;
        if (!fm && !tm && !has_prefix(s, at, "FX"))
            break;
        at += 2;
    }
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
        if (!has_prefix(s, at, words[i].word))
            continue;
        it.kind = words[i].kind;
        it.digits = words[i].digits;
        it.fill_off |= translated && (it.kind == F_MONTH || it.kind == F_DAY);
        it.style = case_of(s, at);
        at += (uint32_t)strlen(words[i].word);
        if (has_prefix(s, at, "TH")) {
            it.ordinal = s.p[at];
            at += 2;
        }
        p->item[p->n++] = it;
        return at;
    }
    return from;
}

static void pg_pattern(struct wr_arena *a, struct wr_str s, struct pattern *p)
{
    *p = (struct pattern){.item = WR_NEW_N(a, struct item, s.n + 1)};
    for (uint32_t at = 0; at < s.n;) {
        if (s.p[at] == '"') {
            for (at++; at < s.n && s.p[at] != '"'; at++) {
                at += s.p[at] == '\\' && at + 1 < s.n;
                put_text(p, s.p + at, 1, true);
            }
            at++;
            continue;
        }
        if (s.p[at] == '\\' && at + 1 < s.n && s.p[at + 1] == '"') {
            put_text(p, s.p + at + 1, 1, true);
            at += 2;
            continue;
        }
        uint32_t next = take_word(p, s, at);
        if (next == at)
            put_text(p, s.p + next++, 1, is_alnum(s.p[at]));
        at = next;
    }
}

/* ---- Java's language: a run of one letter is a field ---- */

static bool java_field(char letter, uint32_t run, struct item *it)
{
    *it = (struct item){.fill_off = run == 1, .digits = 2, .style = C_TITLE};
    switch (letter) {
    case 'y': case 'u': it->kind = run == 2 ? F_YY : F_YYYY; it->digits = run == 2 ? 2 : 4; it->fill_off = run == 1; return true;
    case 'M': case 'L': it->kind = run >= 4 ? F_MONTH : run == 3 ? F_MON : F_MM; it->fill_off = run == 1 || run >= 4; return true;
    case 'd': it->kind = F_DD; return true;
    case 'D': it->kind = F_DDD; it->digits = 3; it->fill_off = run < 3; return true;
    case 'H': it->kind = F_HH24; return true;
    case 'h': it->kind = F_HH12; return true;
    case 'm': it->kind = F_MI; return true;
    case 's': it->kind = F_SS; return true;
    case 'S': it->kind = F_FRACTION; it->digits = (uint8_t)(run > 9 ? 9 : run); return true;
    case 'a': it->kind = F_AMPM; it->style = C_UPPER; return true;
    case 'E': it->kind = run >= 4 ? F_DAY : F_DY; it->fill_off = true; return true;
    case 'Q': case 'q': it->kind = F_Q; it->digits = 1; return true;
    case 'w': it->kind = F_IW; return true;
    case 'z': it->kind = F_TZ; it->style = C_UPPER; return true;
    case 'Z': it->kind = F_ISO_ZONE; it->digits = 4; return true;                       /* +0000 */
    case 'X': case 'x': it->kind = F_ISO_ZONE; it->style = letter == 'X' ? C_UPPER : C_LOWER; it->digits = run >= 3 ? 5 : run == 2 ? 4 : 2; return true;
    }
    return false;
}

/* NULL, or what is wrong. */
static const char *java_pattern(struct wr_arena *a, struct wr_str s, struct pattern *p)
{
    *p = (struct pattern){.item = WR_NEW_N(a, struct item, s.n + 1)};
    for (uint32_t at = 0; at < s.n;) {
        char ch = s.p[at];
        if (ch == '\'') { /* quoted text; two quotes are one, inside as outside */
            bool open = !(at + 1 < s.n && s.p[at + 1] == '\'');
            at++;
            if (!open)
                put_text(p, s.p + at++, 1, true);
            while (open && at < s.n) {
                bool quote = s.p[at] == '\'', doubled = quote && at + 1 < s.n && s.p[at + 1] == '\'';
                open = !quote || doubled;
                at += doubled;
                if (open)
                    put_text(p, s.p + at, 1, true);
                at++;
            }
            continue;
        }
        uint32_t run = 1;
        while (at + run < s.n && s.p[at + run] == ch)
            run++;
        if (is_upper(ch) || (ch >= 'a' && ch <= 'z')) {
            if (!java_field(ch, run, &p->item[p->n]))
                return "unknown letter in the date pattern (yyyy, MM, dd, HH, mm, ss, SSS, a, EEE; other text in single quotes)";
            p->n++;
        } else {
            put_text(p, s.p + at, run, (ch & 0x80) != 0);
        }
        at += run;
    }
    return NULL;
}

/* ---- writing ---- */

struct moment {
    struct wr_civil c;
    int64_t day;           /* since 1970 */
    bool interval;         /* c holds an interval's parts, possibly negative; there is no day */
};

static void put_name(struct wr_buf *b, const char *name, int most, const struct item *it, int width)
{
    int n = 0;
    for (; name[n] && n < most; n++) {
        bool up = it->style == C_UPPER || (it->style == C_TITLE && n == 0);
        wr_buf_putc(b, (char)(up ? wr_char_upper((unsigned char)name[n]) : wr_char_lower((unsigned char)name[n])));
    }
    for (; n < width && !it->fill_off; n++)
        wr_buf_putc(b, ' ');
}

static void put_ordinal(struct wr_buf *b, int64_t v, char style)
{
    static const char *const end[2][4] = {{"th", "st", "nd", "rd"}, {"TH", "ST", "ND", "RD"}};
    int64_t last = v < 0 ? -v % 100 : v % 100;
    int i = last / 10 == 1 || last % 10 > 3 ? 0 : (int)(last % 10);
    if (style)
        wr_buf_puts(b, end[is_upper(style)][i]);
}

static void put_number(struct wr_buf *b, int64_t v, int width, const struct item *it)
{
    char text[24], *p = text + sizeof text;
    int n = 0, least = it->fill_off ? 1 : width;
    for (uint64_t u = v < 0 ? -(uint64_t)v : (uint64_t)v; u || n < least; u /= 10, n++)
        *--p = (char)('0' + u % 10);
    if (v < 0)
        *--p = '-';
    wr_buf_add(b, p, (size_t)(text + sizeof text - p));
    put_ordinal(b, v, it->ordinal);
}

static int64_t floor_div(int64_t a, int64_t b)
{
    int64_t q = a / b;
    return q - (a % b != 0 && (a < 0) != (b < 0));
}
static int weekday(int64_t day) { return (int)(day + 4 - floor_div(day + 4, 7) * 7); } /* 0 Sunday */

/* ISO week numbering: the year, the week, and the day counted from the first Monday. */
struct iso {
    int64_t year, week, yday;
};
static struct iso iso_of(const struct moment *m)
{
    struct wr_civil c;
    if (m->interval)
        return (struct iso){m->c.year, 0, 0};
    int64_t thursday = m->day - (weekday(m->day) + 6) % 7 + 3;
    wr_civil_from_us(thursday * WR_US_DAY, &c);
    int64_t jan4 = wr_days_from_civil(c.year, 1, 4), first = jan4 - (weekday(jan4) + 6) % 7;
    return (struct iso){c.year, (m->day - first) / 7 + 1, m->day - first + 1};
}

static int64_t year_day(const struct moment *m)
{
    return m->interval ? m->c.day + m->c.month * 30 + m->c.year * 360 : m->day - wr_days_from_civil(m->c.year, 1, 1) + 1;
}

/* Two letters have no title case. */
static void put_short(struct wr_buf *b, const char *name, int width, const struct item *it)
{
    struct item upper_or_lower = *it;
    if (it->style == C_TITLE)
        upper_or_lower.style = C_LOWER;
    put_name(b, name, 4, &upper_or_lower, width);
}

/* FM does not shorten parts of a second. */
static void put_part(struct wr_buf *b, int v, int width, const struct item *it)
{
    struct item filled = *it;
    filled.fill_off = false;
    put_number(b, v, width, &filled);
}

static void put_fraction(struct wr_buf *b, int us, int digits)
{
    char text[16];
    snprintf(text, sizeof text, "%06d000", us);
    wr_buf_add(b, text, (size_t)(digits > 9 ? 9 : digits));
}

static void put_grouped_year(struct wr_buf *b, int64_t y, const struct item *it)
{
    char text[32];
    snprintf(text, sizeof text, "%lld,%03lld", (long long)(y / 1000), (long long)(y % 1000));
    wr_buf_puts(b, text);
    put_ordinal(b, y, it->ordinal);
}

static void put_item(struct wr_buf *b, const struct item *it, const struct moment *m)
{
    const struct wr_civil *c = &m->c;
    bool named = !m->interval && c->month >= 1 && c->month <= 12;
    int wday = m->interval ? 0 : weekday(m->day), afternoon = c->hour % 24 >= 12;
    switch (it->kind) {
    case F_TEXT: wr_buf_str(b, it->text); break;
    case F_HH12: put_number(b, c->hour % 12 == 0 ? 12 : c->hour % 12, 2, it); break;
    case F_HH24: put_number(b, c->hour, 2, it); break;
    case F_MI: put_number(b, c->minute, 2, it); break;
    case F_SS: put_number(b, c->second, 2, it); break;
    case F_MS: put_part(b, c->us / 1000, 3, it); break;
    case F_US: put_part(b, c->us, 6, it); break;
    case F_FRACTION: put_fraction(b, c->us, it->digits); break;
    case F_SSSS: put_number(b, c->hour * INT64_C(3600) + c->minute * 60 + c->second, 1, it); break;
    case F_AMPM: put_short(b, afternoon ? "pm" : "am", 0, it); break;
    case F_A_M: put_short(b, afternoon ? "p.m." : "a.m.", 0, it); break;
    case F_Y_YYY: put_grouped_year(b, c->year, it); break;
    case F_YYYY: put_number(b, c->year, 4, it); break;
    case F_YYY: put_number(b, c->year % 1000, 3, it); break;
    case F_YY: put_number(b, c->year % 100, 2, it); break;
    case F_Y: put_number(b, c->year % 10, 1, it); break;
    case F_IYYY: put_number(b, iso_of(m).year, 4, it); break;
    case F_IYY: put_number(b, iso_of(m).year % 1000, 3, it); break;
    case F_IY: put_number(b, iso_of(m).year % 100, 2, it); break;
    case F_I: put_number(b, iso_of(m).year % 10, 1, it); break;
    case F_BCAD: put_short(b, "ad", 0, it); break;
    case F_B_C_A_D: put_short(b, "a.d.", 0, it); break;
    case F_MONTH: put_name(b, named ? month_name[c->month - 1] : "", 9, it, named ? 9 : 0); break;
    case F_MON: put_name(b, named ? month_name[c->month - 1] : "", 3, it, 0); break;
    case F_RM: put_short(b, named ? roman[c->month - 1] : "", named ? 4 : 0, it); break;
    case F_MM: put_number(b, c->month, 2, it); break;
    case F_DAY: put_name(b, m->interval ? "" : day_name[wday], 9, it, m->interval ? 0 : 9); break;
    case F_DY: put_name(b, m->interval ? "" : day_name[wday], 3, it, 0); break;
    case F_DDD: put_number(b, year_day(m), 3, it); break;
    case F_IDDD: put_number(b, iso_of(m).yday, 3, it); break;
    case F_DD: put_number(b, c->day, 2, it); break;
    case F_D: put_number(b, wday + 1, 1, it); break;
    case F_ID: put_number(b, wday ? wday : 7, 1, it); break;
    case F_W: put_number(b, (c->day - 1) / 7 + 1, 1, it); break;
    case F_WW: put_number(b, (year_day(m) - 1) / 7 + 1, 2, it); break;
    case F_IW: put_number(b, iso_of(m).week, 2, it); break;
    case F_CC: put_number(b, m->interval ? c->year / 100 : (c->year - 1) / 100 + 1, 2, it); break;
    case F_J: put_number(b, m->day + 2440588, 1, it); break;
    case F_Q:
        if (c->month)
            put_number(b, (c->month - 1) / 3 + 1, 1, it);
        break;
    case F_TZ: put_short(b, m->interval ? "" : "utc", 0, it); break;
    case F_TZH: wr_buf_puts(b, "+00"); break;
    case F_TZM: wr_buf_puts(b, "00"); break;
    case F_OF: wr_buf_puts(b, "+00"); break;
    case F_ISO_ZONE: wr_buf_puts(b, it->style == C_UPPER ? "Z" : it->digits == 5 ? "+00:00" : it->digits == 4 ? "+0000" : "+00"); break;
    }
}

/* ---- reading ---- */

struct reading {
    struct wr_str s;
    uint32_t at;
    int64_t year, month, day, hour, minute, second, us, yday, iso_year, iso_week, iso_day, julian, ssss; /* -1: not given */
    bool twelve, pm, bc, zone;
    int64_t zone_sign, zone_hour, zone_minute;
    const char *wrong;
};

static bool fail(struct reading *r, const char *why)
{
    if (!r->wrong)
        r->wrong = why;
    return false;
}

/* At most `most` digits. */
static bool read_number(struct reading *r, int most, int64_t *v, int *count)
{
    int n = 0;
    for (*v = 0; r->at < r->s.n && n < most && is_digit(r->s.p[r->at]); r->at++, n++)
        *v = *v * 10 + (r->s.p[r->at] - '0');
    *count = n;
    return n > 0 || fail(r, "a number is missing");
}

static bool read_name(struct reading *r, const char *const *name, int n, bool cut, int64_t *v)
{
    for (int i = 0; i < n; i++) {
        uint32_t len = cut ? 3 : (uint32_t)strlen(name[i]);
        if (r->s.n - r->at >= len && wr_str_ieq((struct wr_str){r->s.p + r->at, len}, (struct wr_str){name[i], len})) {
            r->at += len;
            *v = i;
            return true;
        }
    }
    return fail(r, "a name of a month or day is missing");
}

static bool read_half(struct reading *r, bool dots)
{
    static const char *const half[] = {"am", "pm"}, *const dotted[] = {"a.m.", "p.m."};
    int64_t v = 0;
    if (!read_name(r, dots ? dotted : half, 2, false, &v))
        return false;
    r->pm = v == 1;
    return true;
}

static bool read_sign(struct reading *r)
{
    r->zone = true;
    r->zone_sign = 1;
    if (r->at < r->s.n && (r->s.p[r->at] == '+' || r->s.p[r->at] == '-'))
        r->zone_sign = r->s.p[r->at++] == '-' ? -1 : 1;
    return true;
}
/* Z, +hh, +hhmm, +hh:mm */
static bool read_iso_zone(struct reading *r)
{
    int n;
    if (r->at < r->s.n && (r->s.p[r->at] == 'Z' || r->s.p[r->at] == 'z')) {
        r->at++;
        return true;
    }
    if (!read_sign(r) || !read_number(r, 2, &r->zone_hour, &n))
        return false;
    r->at += r->at < r->s.n && r->s.p[r->at] == ':';
    if (r->at < r->s.n && is_digit(r->s.p[r->at]))
        return read_number(r, 2, &r->zone_minute, &n);
    return true;
}

/* Two-digit and shorter years: those nearest to 2020, as PostgreSQL. */
static int64_t near_year(int64_t v, int digits)
{
    if (digits >= 4)
        return v;
    if (v < 70)
        return v + 2000;
    if (v < 100)
        return v + 1900;
    return v < 520 ? v + 2000 : v < 1000 ? v + 1000 : v;
}

static bool read_fraction(struct reading *r, int most, int64_t *us)
{
    int n;
    if (!read_number(r, most > 9 ? 9 : most, us, &n))
        return false;
    for (; n < 6; n++)
        *us *= 10;
    for (; n > 6; n--)
        *us /= 10;
    return true;
}

static bool read_item(struct reading *r, const struct item *it, bool digit_follows)
{
    int64_t v = 0;
    int n = 0, most = digit_follows || it->digits == 0 ? (it->digits ? it->digits : 9) : 9;
    while (r->at < r->s.n && (r->s.p[r->at] == ' ' || r->s.p[r->at] == '\t'))
        r->at++;
    switch (it->kind) {
    case F_TEXT: return true;
    case F_HH12: r->twelve = true; return read_number(r, most > 2 && digit_follows ? 2 : most, &r->hour, &n);
    case F_HH24: return read_number(r, most, &r->hour, &n);
    case F_MI: return read_number(r, most, &r->minute, &n);
    case F_SS: return read_number(r, most, &r->second, &n);
    case F_MS: case F_US: case F_FRACTION: return read_fraction(r, digit_follows ? it->digits : 9, &r->us);
    case F_SSSS: return read_number(r, most, &r->ssss, &n);
    case F_AMPM: r->twelve = true; return read_half(r, false);
    case F_A_M: r->twelve = true; return read_half(r, true);
    case F_Y_YYY: {
        int64_t low = 0;
        if (!read_number(r, 3, &v, &n) || r->at >= r->s.n || r->s.p[r->at] != ',')
            return fail(r, "a year like 2,025 is missing");
        r->at++;
        bool ok = read_number(r, 3, &low, &n);
        r->year = v * 1000 + low;
        return ok;
    }
    case F_YYYY: case F_YYY: case F_YY: case F_Y:
        if (!read_number(r, most, &v, &n))
            return false;
        r->year = near_year(v, it->kind == F_YYYY && n > 2 ? 4 : n);
        return true;
    case F_IYYY: case F_IYY: case F_IY: case F_I:
        if (!read_number(r, most, &v, &n))
            return false;
        r->iso_year = near_year(v, it->kind == F_IYYY && n > 2 ? 4 : n);
        return true;
    case F_BCAD:
        r->bc = has_prefix(r->s, r->at, "BC");
        if (!r->bc && !has_prefix(r->s, r->at, "AD"))
            return fail(r, "AD is missing");
        r->at += 2;
        return true;
    case F_B_C_A_D:
        r->bc = has_prefix(r->s, r->at, "B.C.");
        if (!r->bc && !has_prefix(r->s, r->at, "A.D."))
            return fail(r, "A.D. is missing");
        r->at += 4;
        return true;
    case F_MONTH: case F_MON: {
        uint32_t from = r->at;
        bool ok = it->kind == F_MONTH && read_name(r, month_name, 12, false, &v);
        r->wrong = NULL;
        r->at = ok ? r->at : from;
        if (!ok && !read_name(r, month_name, 12, true, &v))
            return false;
        r->month = v + 1;
        return true;
    }
    case F_MM: return read_number(r, most, &r->month, &n);
    case F_RM:
        for (int i = 11; i >= 0; i--) /* the long ones first */
            if (has_prefix(r->s, r->at, roman[i]) && !(i == 0 && has_prefix(r->s, r->at, "IV"))) {
                r->at += (uint32_t)strlen(roman[i]);
                r->month = i + 1;
                return true;
            }
        return fail(r, "a Roman month is missing");
    case F_DAY: return read_name(r, day_name, 7, false, &v);
    case F_DY: return read_name(r, day_name, 7, true, &v);
    case F_DDD: return read_number(r, most, &r->yday, &n);
    case F_IDDD: r->iso_day = -2; return read_number(r, most, &r->yday, &n);
    case F_DD: return read_number(r, most, &r->day, &n);
    case F_D: return read_number(r, 1, &v, &n);
    case F_ID: return read_number(r, 1, &r->iso_day, &n);
    case F_W: case F_WW: case F_CC: case F_Q: return read_number(r, most, &v, &n);
    case F_IW: return read_number(r, most, &r->iso_week, &n);
    case F_J: return read_number(r, most, &r->julian, &n);
    case F_TZ: case F_OF: case F_ISO_ZONE: return read_iso_zone(r);
    case F_TZH: return read_sign(r) && read_number(r, 2, &r->zone_hour, &n);
    case F_TZM: return read_number(r, 2, &r->zone_minute, &n);
    }
    return true;
}

/* A separator of the pattern: any separator of the text, or nothing; other text: as many characters. */
static void read_text(struct reading *r, const struct item *it)
{
    for (uint32_t i = 0; i < it->text.n;) {
        uint32_t to = wr_utf8_skip(it->text, i, 1);
        bool separator = !it->quoted && !is_alnum(it->text.p[i]);
        if (separator) {
            if (r->at < r->s.n && !is_alnum(r->s.p[r->at]) && !((r->s.p[r->at] == '-' || r->s.p[r->at] == '+') && it->text.p[i] == ' '))
                r->at++;
        } else if (r->at < r->s.n) {
            r->at = wr_utf8_skip(r->s, r->at, 1);
        }
        i = to;
    }
}

static bool reads_digit(const struct item *it)
{
    return it->kind != F_TEXT && it->digits > 0 && it->kind != F_ISO_ZONE && it->kind != F_TZH;
}

/* Days since 1970 of what was read; false: no such day. */
static bool day_of(struct reading *r, int64_t *days)
{
    if (r->julian >= 0) {
        *days = r->julian - 2440588;
        return true;
    }
    if (r->iso_year >= 0) {
        int64_t jan4 = wr_days_from_civil((int)r->iso_year, 1, 4), first = jan4 - (weekday(jan4) + 6) % 7;
        if (r->iso_week > 53 || r->iso_week == 0 || r->iso_day > 7 || r->iso_day == 0)
            return fail(r, "date field value out of range");
        if (r->iso_day == -2)
            *days = first + r->yday - 1;
        else
            *days = first + (r->iso_week < 0 ? 0 : r->iso_week - 1) * 7 + (r->iso_day < 0 ? 0 : r->iso_day - 1);
        return true;
    }
    int64_t y = r->year < 0 ? 1 : r->year, m = r->month < 0 ? 1 : r->month, d = r->day < 0 ? 1 : r->day;
    if (y < 1 || y > 9999 || r->bc)
        return fail(r, "the year is outside 1 to 9999");
    if (r->yday >= 0) {
        if (r->yday < 1 || r->yday > 365 + (wr_month_days((int)y, 2) == 29))
            return fail(r, "date field value out of range");
        *days = wr_days_from_civil((int)y, 1, 1) + r->yday - 1;
        return true;
    }
    if (m < 1 || m > 12 || d < 1 || d > wr_month_days((int)y, (int)m))
        return fail(r, "date field value out of range");
    *days = wr_days_from_civil((int)y, (int)m, (int)d);
    return true;
}

static bool clock_of(struct reading *r, int64_t *us)
{
    int64_t h = r->hour < 0 ? 0 : r->hour, m = r->minute < 0 ? 0 : r->minute, s = r->second < 0 ? 0 : r->second;
    if (r->ssss >= 0) {
        h = r->ssss / 3600;
        m = r->ssss / 60 % 60;
        s = r->ssss % 60;
    } else if (r->twelve) {
        if (r->hour >= 0 && (h < 1 || h > 12))
            return fail(r, "the hour is not one of the 12-hour clock");
        h = h % 12 + (r->pm ? 12 : 0);
    }
    if (h > 24 || m > 59 || s > 59 || (h == 24 && (m || s)))
        return fail(r, "time field value out of range");
    *us = h * WR_US_HOUR + m * WR_US_MIN + s * WR_US_SEC + (r->us < 0 ? 0 : r->us);
    return true;
}

static bool read_all(const struct pattern *p, struct wr_str s, int64_t *us, const char **wrong)
{
    struct reading r = {.s = wr_str_trim(s), .year = -1, .month = -1, .day = -1, .hour = -1, .minute = -1, .second = -1, .us = -1, .yday = -1,
                        .iso_year = -1, .iso_week = -1, .iso_day = -1, .julian = -1, .ssss = -1, .zone_sign = 1};
    int64_t days = 0, clock = 0;
    for (int i = 0; i < p->n && !r.wrong; i++) {
        if (p->item[i].kind == F_TEXT)
            read_text(&r, &p->item[i]);
        else if (r.at < r.s.n || p->item[i].kind == F_ISO_ZONE)
            read_item(&r, &p->item[i], i + 1 < p->n && reads_digit(&p->item[i + 1]));
        else
            break; /* a text shorter than its pattern leaves the rest at its least */
    }
    bool ok = !r.wrong && day_of(&r, &days) && clock_of(&r, &clock);
    *us = days * WR_US_DAY + clock - r.zone_sign * (r.zone_hour * WR_US_HOUR + r.zone_minute * WR_US_MIN);
    if (ok && (*us < WR_TIME_MIN || *us > WR_TIME_MAX))
        ok = fail(&r, "the year is outside 1 to 9999");
    *wrong = r.wrong;
    return ok;
}

/* ---- kernels ---- */

static bool is_java(const struct wr_func *fn)
{
    return strcmp(fn->name, "date_format") == 0 || strcmp(fn->name, "from_unixtime") == 0 || strcmp(fn->name, "unix_timestamp") == 0;
}

static wr_status format_bind(struct wr_arena *a, const struct wr_func *fn, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err)
{
    struct wr_str s;
    if (n < 2 || !wr_arg_text(arg[1], &s))
        return WR_OK;
    struct pattern *p = WR_NEW(a, struct pattern);
    const char *wrong = NULL;
    if (is_java(fn))
        wrong = java_pattern(a, s, p);
    else
        pg_pattern(a, s, p);
    if (wrong)
        return wr_fail_at(err, WR_ESQL, arg[1]->off, "%s", wrong);
    *data = p;
    return WR_OK;
}

/* The row's pattern, or NULL (the row is bad). */
static const struct pattern *row_pattern(struct wr_eval *ev, const struct wr_call *c, uint32_t row, struct pattern *own)
{
    if (c->data)
        return c->data;
    const char *wrong = NULL;
    struct wr_str s = c->n_arg < 2 ? WR_STR("yyyy-MM-dd HH:mm:ss") : WR_ARG_S(1, row);
    if (is_java(c->fn))
        wrong = java_pattern(ev->mem, s, own);
    else
        pg_pattern(ev->mem, s, own);
    if (wrong)
        wr_eval_bad(ev, row, WR_R_ARGUMENT, "%s", wrong);
    return wrong ? NULL : own;
}

static struct moment moment_of(const struct wr_call *c, uint32_t row)
{
    struct moment m = {0};
    if (c->arg[0].type.id == WR_T_INTERVAL) {
        struct wr_interval iv = WR_ARG_V(0, row);
        m.interval = true;
        m.c = (struct wr_civil){iv.months / 12, iv.months % 12, iv.days, (int32_t)(iv.us / WR_US_HOUR), (int32_t)(iv.us / WR_US_MIN % 60),
                                (int32_t)(iv.us / WR_US_SEC % 60), (int32_t)(iv.us % WR_US_SEC)};
        return m;
    }
    int64_t us = WR_ARG_I(0, row);
    if (strcmp(c->fn->name, "from_unixtime") == 0)
        us *= WR_US_SEC;
    wr_civil_from_us(us, &m.c);
    m.day = floor_div(us, WR_US_DAY);
    return m;
}

WR_KERNEL(k_to_char)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    bool seconds = strcmp(c->fn->name, "from_unixtime") == 0;
    WR_ROWS(row) {
        struct pattern own;
        const struct pattern *p = row_pattern(ev, c, row, &own);
        wr_buf_reset(&b);
        if (seconds && (WR_ARG_I(0, row) < WR_TIME_MIN / WR_US_SEC || WR_ARG_I(0, row) > WR_TIME_MAX / WR_US_SEC)) {
            wr_eval_bad(ev, row, WR_R_OVERFLOW, "the time is outside the years 1 to 9999");
            p = NULL;
        }
        if (p) {
            struct moment m = moment_of(c, row);
            for (int i = 0; i < p->n; i++)
                put_item(&b, &p->item[i], &m);
        }
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

static void from_text(struct wr_eval *ev, const struct wr_call *c, int64_t unit, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct pattern own;
        const char *wrong = NULL;
        int64_t us = 0;
        const struct pattern *p = row_pattern(ev, c, row, &own);
        if (p && !read_all(p, WR_ARG_S(0, row), &us, &wrong)) {
            wr_eval_bad(ev, row, WR_R_CAST, "\"%.*s\" does not follow the pattern: %s", WR_FMT(WR_ARG_S(0, row)), wrong);
            us = 0;
        }
        WR_VEC_I64(out)[row] = floor_div(us, unit);
    }
}
WR_KERNEL(k_to_timestamp) { from_text(ev, c, 1, out, sel, n); }
WR_KERNEL(k_to_date) { from_text(ev, c, WR_US_DAY, out, sel, n); }
WR_KERNEL(k_to_seconds) { from_text(ev, c, WR_US_SEC, out, sel, n); }

#define B format_bind
static const struct wr_func list[] = {
    {"to_char", "Tt:t", k_to_char, 0, NULL, B, "to_char(timestamp | interval | number, pattern): 'YYYY-MM-DD HH24:MI:SS.MS', 'FM999,990.00'"},
    {"to_char", "Zt:t", k_to_char, 0, NULL, B, "to_char(timestamptz, pattern): in UTC"},
    {"to_char", "It:t", k_to_char, 0, NULL, B, "to_char(interval, pattern)"},
    {"to_timestamp", "tt:Z", k_to_timestamp, 0, NULL, B, "to_timestamp(text, pattern): read as the pattern says, 'DD.MM.YYYY HH24:MI'"},
    {"to_date", "tt:D", k_to_date, 0, NULL, B, "to_date(text, pattern): read as the pattern says"},
    {"date_format", "Tt:t", k_to_char, 0, NULL, B, "date_format(timestamp, pattern): by a pattern of Java's kind, 'yyyy-MM-dd HH:mm:ss'"},
    {"date_format", "Zt:t", k_to_char, 0, NULL, B, "date_format(timestamptz, pattern): in UTC"},
    {"from_unixtime", "l:t", k_to_char, 0, NULL, B, "from_unixtime(seconds [, pattern]): as text, pattern of Java's kind"},
    {"from_unixtime", "lt:t", k_to_char, 0, NULL, B, "from_unixtime(seconds, pattern)"},
    {"unix_timestamp", "t:l", k_to_seconds, 0, NULL, B, "unix_timestamp(text [, pattern]): seconds since 1970, pattern of Java's kind"},
    {"unix_timestamp", "tt:l", k_to_seconds, 0, NULL, B, "unix_timestamp(text, pattern)"},
};
WR_FUNC_TABLE(wr_funcs_format, list);

/* interval.c: reading and printing INTERVAL, and durations, which are intervals of one length.
 *
 * Rules:  PostgreSQL's texts: "1 year 2 mons 3 days 04:05:06", "1.5 hours", "-1 day +02:00", "@ 5 min ago", "1-2" (years-months), a number alone
 *         is seconds, ISO 8601 "P1DT2H". Fractions go down exactly: of months to days of 30, of days to µs.
 * Memory: none. */
#include "core/time.h"

/* What is read so far, wide enough that no text of bounded length overflows before it is checked. */
struct sum {
    wr_i128 us;
    int64_t days, months;
};

/* A decimal number: whole + nano / 10^9, both of the sign that was written. */
struct number {
    int64_t whole, nano;
};

enum part { PART_US, PART_DAY, PART_MONTH };

static const struct unit {
    const char *name; /* singular; an "s" may follow if longer than 2 letters */
    enum part part;
    int64_t size;     /* µs, days or months */
} units[] = {
    {"us", PART_US, 1},
    {"usec", PART_US, 1},
    {"microsecond", PART_US, 1},
    {"ms", PART_US, 1000},
    {"msec", PART_US, 1000},
    {"millisecond", PART_US, 1000},
    {"s", PART_US, WR_US_SEC},
    {"sec", PART_US, WR_US_SEC},
    {"second", PART_US, WR_US_SEC},
    {"m", PART_US, WR_US_MIN},
    {"min", PART_US, WR_US_MIN},
    {"minute", PART_US, WR_US_MIN},
    {"h", PART_US, WR_US_HOUR},
    {"hr", PART_US, WR_US_HOUR},
    {"hrs", PART_US, WR_US_HOUR},
    {"hour", PART_US, WR_US_HOUR},
    {"d", PART_DAY, 1},
    {"day", PART_DAY, 1},
    {"w", PART_DAY, 7},
    {"week", PART_DAY, 7},
    {"mon", PART_MONTH, 1},
    {"month", PART_MONTH, 1},
    {"y", PART_MONTH, 12},
    {"yr", PART_MONTH, 12},
    {"yrs", PART_MONTH, 12},
    {"year", PART_MONTH, 12},
    {"dec", PART_MONTH, 120},
    {"decade", PART_MONTH, 120},
    {"c", PART_MONTH, 1200},
    {"cent", PART_MONTH, 1200},
    {"century", PART_MONTH, 1200},
    {"centuries", PART_MONTH, 1200},
    {"mil", PART_MONTH, 12000},
    {"millennium", PART_MONTH, 12000},
    {"millennia", PART_MONTH, 12000},
};

static const struct unit *find_unit(struct wr_str word)
{
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        struct wr_str name = wr_str_c(units[i].name);
        if (wr_str_ieq(word, name))
            return &units[i];
        bool plural = name.n > 2 && word.n == name.n + 1 && (word.p[name.n] | 0x20) == 's';
        if (plural && wr_str_ieq((struct wr_str){word.p, name.n}, name))
            return &units[i];
    }
    return NULL;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static void skip_blanks(struct wr_str *in)
{
    while (in->n && (*in->p == ' ' || (*in->p >= '\t' && *in->p <= '\r'))) {
        in->p++;
        in->n--;
    }
}

static bool take_char(struct wr_str *in, char c)
{
    if (in->n == 0 || *in->p != c)
        return false;
    in->p++;
    in->n--;
    return true;
}

static bool take_sign(struct wr_str *in)
{
    bool negative = in->n && *in->p == '-';
    if (!take_char(in, '-'))
        (void)take_char(in, '+');
    return negative;
}

/* Up to 12 digits; false: none or more. */
static bool take_whole(struct wr_str *in, int64_t *v)
{
    int n = 0;
    *v = 0;
    for (; in->n && is_digit(*in->p); in->p++, in->n--, n++)
        if (n < 12)
            *v = *v * 10 + (*in->p - '0');
    return n > 0 && n <= 12;
}

/* Digits behind a point as 10^-9; further ones are dropped. False: none. */
static bool take_nano(struct wr_str *in, int64_t *nano)
{
    int64_t v = 0;
    int n = 0;
    for (; in->n && is_digit(*in->p); in->p++, in->n--, n++)
        if (n < 9)
            v = v * 10 + (*in->p - '0');
    for (int k = n; k < 9; k++)
        v *= 10;
    *nano = v;
    return n > 0;
}

/* [+-]digits[.digits] or [+-].digits */
static bool take_number(struct wr_str *in, struct number *num, bool *negative)
{
    *num = (struct number){0, 0};
    *negative = take_sign(in);
    bool whole = in->n && is_digit(*in->p);
    if (whole && !take_whole(in, &num->whole))
        return false;
    bool fraction = take_char(in, '.');
    if (fraction && !take_nano(in, &num->nano) && !whole)
        return false;
    if (*negative) {
        num->whole = -num->whole;
        num->nano = -num->nano;
    }
    return whole || fraction;
}

/* n / d rounded half away from zero. */
static wr_i128 div_round(wr_i128 n, wr_i128 d)
{
    return n >= 0 ? (n + d / 2) / d : -((-n + d / 2) / d);
}

enum { NANO = 1000000000 };

static void add_us(struct sum *s, struct number num, int64_t size)
{
    s->us += (wr_i128)num.whole * size + div_round((wr_i128)num.nano * size, NANO);
}

/* num units of `size` days; what is left of a whole day goes to µs. */
static void add_days(struct sum *s, struct number num, int64_t size)
{
    wr_i128 part = (wr_i128)num.nano * size; /* 10^-9 days */
    s->days += num.whole * size + (int64_t)(part / NANO);
    s->us += div_round(part % NANO * WR_US_DAY, NANO);
}

static void add_months(struct sum *s, struct number num, int64_t size)
{
    wr_i128 part = (wr_i128)num.nano * size; /* 10^-9 months */
    if (size > 1) { /* a fraction of a year is whole months, as in PostgreSQL 15 */
        s->months += num.whole * size + (int64_t)div_round(part, NANO);
        return;
    }
    s->months += num.whole;
    add_days(s, (struct number){0, (int64_t)part}, 30);
}

static void add_part(struct sum *s, struct number num, enum part part, int64_t size)
{
    switch (part) {
    case PART_US: add_us(s, num, size); return;
    case PART_DAY: add_days(s, num, size); return;
    case PART_MONTH: add_months(s, num, size); return;
    }
}

/* What follows "hours:" : mm[:ss[.fraction]]. */
static bool take_clock_rest(struct wr_str *in, int64_t hours, bool negative, struct sum *s)
{
    int64_t minute, second = 0, nano = 0;
    if (!take_whole(in, &minute) || minute > 59)
        return false;
    if (take_char(in, ':')) {
        if (!take_whole(in, &second) || second > 59)
            return false;
        if (take_char(in, '.') && !take_nano(in, &nano))
            return false;
    }
    wr_i128 us = (wr_i128)(hours < 0 ? -hours : hours) * WR_US_HOUR + minute * WR_US_MIN + second * WR_US_SEC + (nano + 500) / 1000;
    s->us += negative ? -us : us;
    return true;
}

/* PnYnMnWnDTnHnMnS behind the P, in any order within its half. */
static bool parse_iso(struct wr_str in, struct sum *s)
{
    static const struct { char letter; bool time; enum part part; int64_t size; } map[] = {
        {'Y', false, PART_MONTH, 12}, {'M', false, PART_MONTH, 1}, {'W', false, PART_DAY, 7}, {'D', false, PART_DAY, 1},
        {'H', true, PART_US, WR_US_HOUR}, {'M', true, PART_US, WR_US_MIN}, {'S', true, PART_US, WR_US_SEC},
    };
    bool time = false, any = false;
    while (in.n) {
        if (!time && take_char(&in, 'T')) {
            time = true;
            any = false;
            continue;
        }
        struct number num;
        bool negative, known = false;
        if (!take_number(&in, &num, &negative) || in.n == 0)
            return false;
        for (size_t i = 0; i < sizeof map / sizeof map[0] && !known; i++) {
            known = map[i].time == time && map[i].letter == *in.p;
            if (known)
                add_part(s, num, map[i].part, map[i].size);
        }
        if (!known)
            return false;
        in.p++;
        in.n--;
        any = true;
    }
    return any;
}

static struct wr_str take_word(struct wr_str *in)
{
    struct wr_str word = {in->p, 0};
    while (in->n && is_letter(*in->p)) {
        in->p++;
        in->n--;
        word.n++;
    }
    return word;
}

static void negate(struct sum *s)
{
    s->us = -s->us;
    s->days = -s->days;
    s->months = -s->months;
}

/* One "number unit", "hh:mm:ss", "years-months" or bare number. *bare: it had no unit. */
static bool take_field(struct wr_str *in, struct sum *s, bool *bare)
{
    struct number num;
    bool negative;
    *bare = false;
    if (!take_number(in, &num, &negative))
        return false;
    if (num.nano == 0 && take_char(in, ':'))
        return take_clock_rest(in, num.whole, negative, s);
    if (num.nano == 0 && in->n > 1 && *in->p == '-' && is_digit(in->p[1])) {
        int64_t months;
        (void)take_char(in, '-');
        if (!take_whole(in, &months) || months > 11)
            return false;
        s->months += num.whole * 12 + (negative ? -months : months);
        return true;
    }
    skip_blanks(in);
    struct wr_str word = take_word(in);
    if (word.n == 0) {
        /* "1 12:59:10": days before a time; else seconds, which must be the last field */
        struct wr_str ahead = *in;
        struct number next;
        bool sign;
        bool before_time = ahead.n && take_number(&ahead, &next, &sign) && take_char(&ahead, ':');
        add_part(s, num, before_time ? PART_DAY : PART_US, before_time ? 1 : WR_US_SEC);
        *bare = !before_time;
        return before_time || in->n == 0;
    }
    const struct unit *unit = find_unit(word);
    if (!unit)
        return false;
    add_part(s, num, unit->part, unit->size);
    return true;
}

static bool parse_fields(struct wr_str in, struct sum *s, bool *bare)
{
    bool any = false;
    for (skip_blanks(&in); in.n; skip_blanks(&in)) {
        if (any && in.n == 3 && wr_str_ieq(in, WR_STR("ago"))) {
            negate(s);
            return true;
        }
        if (!take_field(&in, s, bare))
            return false;
        any = true;
    }
    return any;
}

static bool parse_interval(struct wr_str s, struct wr_interval *out, bool *bare)
{
    struct sum sum = {0};
    *bare = false;
    s = wr_str_trim(s);
    if (s.n > 200) /* keeps the sums far from their bounds */
        return false;
    if (take_char(&s, '@'))
        skip_blanks(&s);
    struct wr_str iso = s;
    bool negative = take_sign(&iso);
    if (take_char(&iso, 'P')) {
        if (!parse_iso(iso, &sum))
            return false;
        if (negative)
            negate(&sum);
    } else if (!parse_fields(s, &sum, bare)) {
        return false;
    }
    bool fits = sum.us >= INT64_MIN && sum.us <= INT64_MAX && sum.days >= INT32_MIN && sum.days <= INT32_MAX
             && sum.months >= INT32_MIN && sum.months <= INT32_MAX;
    if (fits)
        *out = (struct wr_interval){.us = (int64_t)sum.us, .days = (int32_t)sum.days, .months = (int32_t)sum.months};
    return fits;
}

bool wr_interval_parse(struct wr_str s, struct wr_interval *out)
{
    bool bare;
    return parse_interval(s, out, &bare);
}

bool wr_duration_parse(struct wr_str s, int64_t *us)
{
    struct wr_interval iv;
    bool bare;
    int64_t t;
    if (!parse_interval(s, &iv, &bare) || iv.months)
        return false;
    if (bare && (iv.us || iv.days)) /* "5" of what? */
        return false;
    if (__builtin_mul_overflow((int64_t)iv.days, WR_US_DAY, &t) || __builtin_add_overflow(t, iv.us, &t) || t < 0)
        return false;
    *us = t;
    return true;
}

/* v µs as a number of `size` with up to 6 digits behind the point. */
static void print_scaled(struct wr_buf *out, int64_t v, int64_t size, const char *unit)
{
    wr_buf_printf(out, "%lld", (long long)(v / size));
    int64_t rest = v % size;
    if (rest) {
        wr_buf_putc(out, '.');
        for (int64_t digit = size / 10; rest; digit /= 10) {
            wr_buf_putc(out, (char)('0' + rest / digit));
            rest %= digit;
        }
    }
    wr_buf_printf(out, " %s", unit);
}

void wr_duration_print(struct wr_buf *out, int64_t us)
{
    if (us < 0) {
        wr_buf_putc(out, '-');
        us = us == INT64_MIN ? INT64_MAX : -us;
    }
    if (us > 0 && us < 1000) {
        print_scaled(out, us, 1, "us");
    } else if (us > 0 && us < WR_US_SEC) {
        print_scaled(out, us, 1000, "ms");
    } else if (us < 2 * WR_US_MIN && us % WR_US_MIN) {
        print_scaled(out, us, WR_US_SEC, "s"); /* "90 s", not "1 min 30 s" */
    } else if (us == 0) {
        wr_buf_puts(out, "0 s");
    } else {
        static const struct { int64_t size; const char *one, *many; } step[] = {
            {WR_US_DAY, "day", "days"}, {WR_US_HOUR, "h", "h"}, {WR_US_MIN, "min", "min"}};
        const char *blank = "";
        for (int i = 0; i < 3; i++) {
            int64_t n = us / step[i].size;
            us %= step[i].size;
            if (n == 0)
                continue;
            wr_buf_printf(out, "%s%lld %s", blank, (long long)n, n == 1 ? step[i].one : step[i].many);
            blank = " ";
        }
        if (us) {
            wr_buf_puts(out, blank);
            print_scaled(out, us, WR_US_SEC, "s");
        }
    }
}

/* One "n unit" field in PostgreSQL's style: a plus sign where the field before was negative. */
static void print_field(struct wr_buf *out, int64_t v, const char *unit, bool *any, bool *negative)
{
    if (v == 0)
        return;
    wr_buf_printf(out, "%s%s%lld %s%s", *any ? " " : "", *negative && v > 0 ? "+" : "", (long long)v, unit, v == 1 ? "" : "s");
    *any = true;
    *negative = v < 0;
}

void wr_interval_print(struct wr_buf *out, struct wr_interval iv)
{
    bool any = false, negative = false;
    print_field(out, iv.months / 12, "year", &any, &negative);
    print_field(out, iv.months % 12, "mon", &any, &negative);
    print_field(out, iv.days, "day", &any, &negative);
    if (iv.us == 0 && any)
        return;
    uint64_t us = iv.us < 0 ? 0 - (uint64_t)iv.us : (uint64_t)iv.us;
    uint64_t hour = us / (uint64_t)WR_US_HOUR, rest = us % (uint64_t)WR_US_HOUR;
    wr_buf_printf(out, "%s%s%02llu:%02u:%02u", any ? " " : "", iv.us < 0 ? "-" : negative ? "+" : "", (unsigned long long)hour,
                  (unsigned)(rest / (uint64_t)WR_US_MIN), (unsigned)(rest % (uint64_t)WR_US_MIN / (uint64_t)WR_US_SEC));
    unsigned fraction = (unsigned)(us % (uint64_t)WR_US_SEC);
    if (fraction) {
        char digit[8];
        int n = 6;
        for (int i = 5; i >= 0; i--, fraction /= 10)
            digit[i] = (char)('0' + fraction % 10);
        while (digit[n - 1] == '0')
            n--;
        wr_buf_putc(out, '.');
        wr_buf_add(out, digit, (size_t)n);
    }
}

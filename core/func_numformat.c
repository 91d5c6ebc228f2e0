/* func_numformat.c: numbers by PostgreSQL's patterns: to_char(number, pattern), to_number(text, pattern).
 * Rules:  9 a digit or blank, 0 a digit, . and D the point, , and G a comma, FM without filling, S SG MI PL PR the sign, L $ the currency,
 *         V times ten a digit, EEEE powers of ten, RN Roman, TH th an ordinal's ending, "text" as it is. A number that has more digits
 *         than the pattern becomes ###. Locale is C: point and comma, no currency sign but a blank for L.
 * Memory: as func_format.c. */
#include "core/decimal.h"
#include "core/kernel.h"
#include "core/number.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum mark { N_DIGIT, N_ZERO, N_POINT, N_GROUP, N_TEXT, N_SIGN, N_SG, N_MI, N_PL, N_PR, N_CURRENCY, N_ORDINAL };

struct piece {
    enum mark mark;
    char style;           /* N_ORDINAL: T or t */
    struct wr_str text;   /* N_TEXT, N_CURRENCY */
};
struct numpattern {
    int n;
    struct piece *piece;
    int whole, frac;      /* digits before and behind the point */
    int first_zero;       /* place of the first 0 before the point; whole: none */
    int last_zero;        /* digits behind the point up to the last 0 */
    int last_digit;       /* piece of the last digit: a closing S stands behind it */
    int multi;            /* V: power of ten */
    bool point, fill_off, sign, sign_end, sg, mi, pl, pr, exponent, roman, roman_low;
    const char *wrong;
};

/* ---- the pattern ---- */

static bool at_word(struct wr_str s, uint32_t at, const char *word)
{
    uint32_t n = (uint32_t)strlen(word);
    return s.n - at >= n && wr_str_ieq_c((struct wr_str){s.p + at, n}, word);
}

static void add(struct numpattern *p, enum mark mark, const char *text, uint32_t n)
{
    p->piece[p->n++] = (struct piece){.mark = mark, .text = {text, n}};
}

static void add_digit(struct numpattern *p, bool zero, bool behind_v)
{
    p->last_digit = p->n;
    add(p, zero ? N_ZERO : N_DIGIT, NULL, 0);
    if (behind_v)
        p->multi++;
    if (p->point) {
        p->frac++;
        if (zero)
            p->last_zero = p->frac;
    } else {
        if (zero && p->first_zero < 0)
            p->first_zero = p->whole;
        p->whole++;
    }
}

/* Signs and words; returns how many bytes they took, 0: none of them. */
static uint32_t take_mark(struct numpattern *p, struct wr_str s, uint32_t at)
{
    static const struct { const char *word; enum mark mark; } marks[] = {{"SG", N_SG}, {"MI", N_MI}, {"PL", N_PL}, {"PR", N_PR}, {"S", N_SIGN}};
    for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
        if (!at_word(s, at, marks[i].word))
            continue;
        enum mark m = marks[i].mark;
        if (p->sign && m == N_SIGN)
            p->wrong = "cannot use \"S\" twice";
        else if (p->sign || ((p->sg || p->mi || p->pl || p->pr) && m == N_SIGN))
            p->wrong = "cannot use \"S\" and \"PL\"/\"MI\"/\"SG\"/\"PR\" together";
        if (m == N_SIGN) {
            p->sign = true;
            p->sign_end = p->whole + p->frac > 0;
        } else {
            p->sg |= m == N_SG;
            p->mi |= m == N_MI;
            p->pl |= m == N_PL;
            p->pr |= m == N_PR;
            add(p, m, NULL, 0);
        }
        return (uint32_t)strlen(marks[i].word);
    }
    return 0;
}

static uint32_t take_word(struct numpattern *p, struct wr_str s, uint32_t at, bool *behind_v)
{
    if (at_word(s, at, "FM")) {
        p->fill_off = true;
        return 2;
    }
    if (at_word(s, at, "TH")) {
        add(p, N_ORDINAL, NULL, 0);
        p->piece[p->n - 1].style = s.p[at];
        return 2;
    }
    if (at_word(s, at, "RN")) {
        p->roman = true;
        p->roman_low = s.p[at] == 'r';
        return 2;
    }
    if (at_word(s, at, "EEEE")) {
        p->exponent = true;
        return 4;
    }
    if (at_word(s, at, "V")) {
        *behind_v = true;
        return 1;
    }
    if (at_word(s, at, "L")) {
        add(p, N_CURRENCY, " ", 1);
        return 1;
    }
    if (at_word(s, at, "B"))
        return 1;
    return take_mark(p, s, at);
}

static void pattern_read(struct wr_arena *a, struct wr_str s, struct numpattern *p)
{
    bool behind_v = false;
    *p = (struct numpattern){.piece = WR_NEW_N(a, struct piece, s.n + 1), .first_zero = -1};
    for (uint32_t at = 0; at < s.n && !p->wrong;) {
        char ch = s.p[at];
        if (ch == '"') {
            uint32_t from = ++at;
            while (at < s.n && s.p[at] != '"')
                at++;
            add(p, N_TEXT, s.p + from, at - from);
            at++;
            continue;
        }
        uint32_t took = take_word(p, s, at, &behind_v);
        at += took ? took : 1;
        if (took)
            continue;
        if (ch == '9' || ch == '0')
            add_digit(p, ch == '0', behind_v);
        else if (ch == '.' || ch == 'D' || ch == 'd') {
            if (p->point)
                p->wrong = "multiple decimal points";
            p->point = true;
            add(p, N_POINT, NULL, 0);
        } else if (ch == ',' || ch == 'G' || ch == 'g')
            add(p, N_GROUP, NULL, 0);
        else
            add(p, N_TEXT, s.p + at - 1, 1);
    }
    if (p->first_zero < 0)
        p->first_zero = p->whole;
    if (p->exponent && (p->roman || p->multi || p->fill_off))
        p->wrong = p->fill_off ? NULL : "\"EEEE\" must not be used with \"V\" or \"RN\"";
}

/* ---- writing ---- */

/* A number in digits: sign, whole part without leading zeros, fraction of exactly p->frac digits. */
struct digits {
    bool minus, nan;
    char whole[64], frac[64];
    int n_whole;
};

static void digits_of_dec(wr_i128 v, int scale, const struct numpattern *p, struct digits *d)
{
    struct wr_buf b = {0};
    wr_i128 r = v;
    int to = scale > p->frac ? p->frac : scale;
    d->minus = v < 0;
    if (p->multi && !wr_dec_mul(v, wr_pow10[p->multi], 0, &v))
        v = v < 0 ? -wr_pow10[38] + 1 : wr_pow10[38] - 1;
    if (!wr_dec_rescale(v, scale, to, &r))
        r = v;
    wr_dec_print(&b, r < 0 ? -r : r, to);
    wr_buf_putc(&b, 0);
    const char *point = strchr(b.p, '.'), *from = b.p;
    d->n_whole = (int)(point ? point - from : (long)strlen(from));
    while (d->n_whole && *from == '0') {
        from++;
        d->n_whole--;
    }
    snprintf(d->whole, sizeof d->whole, "%.*s", d->n_whole, from);
    memset(d->frac, '0', sizeof d->frac);
    if (point)
        memcpy(d->frac, point + 1, (size_t)to);
    wr_buf_clear(&b);
}

/* DOUBLE: 15 digits are meant, the rest is noise. */
static void digits_of_dbl(double v, const struct numpattern *p, struct digits *d)
{
    char text[400];
    d->minus = signbit(v) && v != 0;
    d->nan = !isfinite(v);
    if (d->nan)
        return;
    v = fabs(v) * pow(10, p->multi);
    int whole = v < 1 ? 1 : (int)floor(log10(v)) + 1, frac = 15 - whole;
    frac = frac < 0 ? 0 : frac > p->frac ? p->frac : frac;
    int n = snprintf(text, sizeof text, "%.*f", frac, v);
    const char *point = memchr(text, '.', (size_t)n), *from = text;
    d->n_whole = (int)(point ? point - text : n);
    while (d->n_whole && *from == '0') {
        from++;
        d->n_whole--;
    }
    memset(d->frac, '0', sizeof d->frac);
    if (point)
        memcpy(d->frac, point + 1, (size_t)frac);
    if (d->n_whole < (int)sizeof d->whole)
        snprintf(d->whole, sizeof d->whole, "%.*s", d->n_whole, from);
}

struct writing {
    struct wr_buf *b;
    const struct numpattern *p;
    const struct digits *d;
    int place;          /* digits before the point written so far */
    int frac;           /* behind it */
    bool started;       /* a digit or the point was written */
    bool over;          /* more digits than places: # */
    int keep;           /* digits of the fraction that are written */
    bool behind;        /* the point was passed */
};

/* The sign stands before the first digit. */
static void put_leading_sign(struct writing *w)
{
    const struct numpattern *p = w->p;
    if (w->started)
        return;
    w->started = true;
    if (p->pr)
        wr_buf_puts(w->b, w->d->minus ? "<" : p->fill_off ? "" : " ");
    else if (p->sign && !p->sign_end)
        wr_buf_putc(w->b, w->d->minus ? '-' : '+');
    else if (!p->sign && !p->sg && !p->mi)
        wr_buf_puts(w->b, w->d->minus ? "-" : p->fill_off ? "" : " ");
}

static void put_whole(struct writing *w)
{
    const struct numpattern *p = w->p;
    int first = p->whole - w->d->n_whole, i = w->place++;
    bool last_needed = i == p->whole - 1 && w->d->n_whole == 0 && (p->frac == 0 || (p->fill_off && w->keep == 0));
    if (w->over || i >= first) {
        put_leading_sign(w);
        wr_buf_putc(w->b, w->over ? '#' : w->d->whole[i - first]);
    } else if (i >= p->first_zero || last_needed) {
        put_leading_sign(w);
        wr_buf_putc(w->b, '0');
    } else if (!p->fill_off) {
        wr_buf_putc(w->b, ' ');
    }
}

static void put_piece(struct writing *w, const struct piece *x)
{
    const struct numpattern *p = w->p;
    static const char *const end[2][4] = {{"th", "st", "nd", "rd"}, {"TH", "ST", "ND", "RD"}};
    bool minus = w->d->minus;
    switch (x->mark) {
    case N_DIGIT: case N_ZERO:
        if (!w->behind) {
            put_whole(w);
        } else if (w->frac++ < w->keep) {
            put_leading_sign(w);
            wr_buf_putc(w->b, w->over ? '#' : w->d->frac[w->frac - 1]);
        }
        break;
    case N_POINT:
        w->behind = true;
        put_leading_sign(w);
        if (p->frac > 0 || w->over) /* "999." is "999", but too many digits "###." */
            wr_buf_putc(w->b, '.');
        break;
    case N_GROUP:
        if (w->started || w->behind)
            wr_buf_putc(w->b, ',');
        else if (!p->fill_off)
            wr_buf_putc(w->b, ' ');
        break;
    case N_TEXT: case N_CURRENCY: wr_buf_str(w->b, x->text); break;
    case N_SG: wr_buf_putc(w->b, minus ? '-' : '+'); break;
    case N_MI: wr_buf_puts(w->b, minus ? "-" : p->fill_off ? "" : " "); break;
    case N_PL: wr_buf_puts(w->b, minus ? (p->fill_off ? "" : " ") : "+"); break;
    case N_PR: wr_buf_puts(w->b, minus ? ">" : p->fill_off ? "" : " "); break;
    case N_SIGN: break;
    case N_ORDINAL: {
        if (minus || p->frac > 0 || w->over) /* over: not all of its digits are held */
            break;
        int n = w->d->n_whole, last = n ? w->d->whole[n - 1] - '0' : 0, teen = n > 1 && w->d->whole[n - 2] == '1';
        wr_buf_puts(w->b, end[x->style == 'T'][teen || last > 3 ? 0 : last]);
        break;
    }
    }
}

static void put_number(struct wr_buf *b, const struct numpattern *p, const struct digits *d)
{
    struct digits shown = *d;
    bool zero = d->n_whole == 0;
    for (int i = 0; i < p->frac; i++)
        zero = zero && d->frac[i] == '0';
    shown.minus = d->minus && !zero;
    struct writing w = {.b = b, .p = p, .d = &shown, .over = d->nan || d->n_whole > p->whole, .keep = p->frac};
    if (p->fill_off && !w.over)
        while (w.keep > p->last_zero && d->frac[w.keep - 1] == '0')
            w.keep--;
    for (int i = 0; i < p->n; i++) {
        put_piece(&w, &p->piece[i]);
        if (p->sign && p->sign_end && i == p->last_digit)
            wr_buf_putc(b, shown.minus ? '-' : '+');
    }
}

static void put_roman(struct wr_buf *b, const struct numpattern *p, const struct digits *d)
{
    static const struct { int v; const char *up, *low; } sign[] = {
        {1000, "M", "m"}, {900, "CM", "cm"}, {500, "D", "d"}, {400, "CD", "cd"}, {100, "C", "c"}, {90, "XC", "xc"}, {50, "L", "l"},
        {40, "XL", "xl"}, {10, "X", "x"}, {9, "IX", "ix"}, {5, "V", "v"}, {4, "IV", "iv"}, {1, "I", "i"},
    };
    char text[32];
    size_t n = 0;
    long v = d->n_whole > 4 || d->nan ? 0 : strtol(d->whole, NULL, 10);
    bool fits = v >= 1 && v <= 3999 && !d->minus;
    for (size_t i = 0; i < sizeof(sign) / sizeof(sign[0]) && fits; i++)
        for (; v >= sign[i].v; v -= sign[i].v)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s", p->roman_low ? sign[i].low : sign[i].up);
    if (!fits)
        n = (size_t)snprintf(text, sizeof text, "###############");
    for (size_t i = n; i < 15 && !p->fill_off; i++)
        wr_buf_putc(b, ' ');
    wr_buf_add(b, text, n);
}

static void put_exponent(struct wr_buf *b, const struct numpattern *p, double v)
{
    char text[80];
    if (!isfinite(v)) {
        wr_buf_puts(b, " #.####");
        return;
    }
    snprintf(text, sizeof text, "%s%.*e", v < 0 ? "" : p->sign ? "+" : p->fill_off ? "" : " ", p->frac > 40 ? 40 : p->frac, v);
    wr_buf_puts(b, text);
}

/* ---- reading: to_number ---- */

/* Digits where the pattern has digits; what the pattern has besides is passed over. */
static bool number_read(struct wr_buf *b, const struct numpattern *p, struct wr_str s)
{
    bool minus = false, any = false, point = false;
    int left = p->whole;
    struct wr_buf digits = WR_BUF_INIT(256);
    for (uint32_t i = 0; i < s.n; i++) {
        char ch = s.p[i];
        if (ch >= '0' && ch <= '9') {
            if (!point && left-- <= 0)
                break;
            wr_buf_putc(&digits, ch);
            any = true;
        } else if (ch == '-' || ch == '<') {
            minus = true;
        } else if (ch == '.' && p->point && !point) {
            point = true;
            wr_buf_putc(&digits, ch);
        }
    }
    wr_buf_reset(b);
    if (minus)
        wr_buf_putc(b, '-');
    wr_buf_str(b, wr_buf_get(&digits));
    wr_buf_clear(&digits);
    return any;
}

/* ---- kernels ---- */

static wr_status num_bind(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, const void **data,
                          struct wr_error *err)
{
    struct wr_str s;
    if (!wr_arg_text(arg[1], &s))
        return WR_OK;
    struct numpattern *p = WR_NEW(a, struct numpattern);
    pattern_read(a, s, p);
    if (p->wrong || p->whole > 38 || p->frac > 38 || p->multi > 38)
        return wr_fail_at(err, WR_ESQL, arg[1]->off, "number pattern: %s", p->wrong ? p->wrong : "more than 38 digits");
    *data = p;
    return WR_OK;
}

static const struct numpattern *row_pattern(struct wr_eval *ev, const struct wr_call *c, uint32_t row, struct numpattern *own)
{
    if (c->data)
        return c->data;
    pattern_read(ev->mem, WR_ARG_S(1, row), own);
    if (!own->wrong && own->whole <= 38 && own->frac <= 38 && own->multi <= 38)
        return own;
    wr_eval_bad(ev, row, WR_R_ARGUMENT, "number pattern: %s", own->wrong ? own->wrong : "more than 38 digits");
    return NULL;
}

WR_KERNEL(k_to_char)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    bool dbl = c->arg[0].type.id == WR_T_DOUBLE;
    WR_ROWS(row) {
        struct numpattern own;
        const struct numpattern *p = row_pattern(ev, c, row, &own);
        struct digits d = {0};
        wr_buf_reset(&b);
        if (p && dbl)
            digits_of_dbl(WR_ARG_D(0, row), p, &d);
        else if (p)
            digits_of_dec(WR_ARG_N(0, row), c->arg[0].type.scale, p, &d);
        if (p && p->roman)
            put_roman(&b, p, &d);
        else if (p && p->exponent)
            put_exponent(&b, p, dbl ? WR_ARG_D(0, row) : wr_dec_to_double(WR_ARG_N(0, row), c->arg[0].type.scale));
        else if (p)
            put_number(&b, p, &d);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

static bool ret_number(struct wr_arena *mem, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out,
                       struct wr_error *err WR_UNUSED)
{
    struct wr_str s;
    int scale = 10;
    if (wr_arg_text(arg[1], &s)) {
        struct numpattern p;
        pattern_read(mem, s, &p);
        scale = p.frac > 38 ? 38 : p.frac;
    }
    *out = wr_type_decimal(38, scale);
    return true;
}
WR_KERNEL(k_to_number)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct numpattern own;
        const struct numpattern *p = row_pattern(ev, c, row, &own);
        bool range;
        WR_VEC_I128(out)[row] = 0;
        if (p && (!number_read(&b, p, WR_ARG_S(0, row)) || !wr_dec_parse(wr_buf_get(&b), out->type.prec, out->type.scale, &WR_VEC_I128(out)[row], &range)))
            wr_eval_bad(ev, row, WR_R_CAST, "\"%.*s\" does not follow the number pattern", WR_FMT(WR_ARG_S(0, row)));
    }
    wr_buf_clear(&b);
}

static const struct wr_func list[] = {
    {"to_char", "nt:t", k_to_char, 0, NULL, num_bind, "to_char(number, pattern): '999,990.00', 'FM9990', 'S999', '0.99EEEE', 'RN'"},
    {"to_char", "dt:t", k_to_char, 0, NULL, num_bind, "to_char(number, pattern): by a pattern"},
    {"to_number", "tt:?", k_to_number, 0, ret_number, num_bind, "to_number(text, pattern): the number in a text, '12,454.8-' with '99G999D9S'"},
};
WR_FUNC_TABLE(wr_funcs_numformat, list);

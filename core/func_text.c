/* func_text.c: functions of text. LIKE: func_like.c; regular expressions: func_regex.c; to_char and its kin: func_format.c.
 * Rules:  positions count characters from 1, as in PostgreSQL; arguments that are ASCII take a path by bytes.
 *         Results that are a part of an argument borrow its bytes (they live as long as the batch does).
 * Memory: new text goes to ev->mem; a scratch buffer lives for one call. */
#include "core/kernel.h"
#include "core/utf8.h"
#include <stdio.h>

static struct wr_str part(struct wr_str s, uint32_t from, uint32_t to)
{
    return from < to ? (struct wr_str){s.p + from, to - from} : (struct wr_str){s.p, 0};
}

/* ---- length, case ---- */

WR_KERNEL(k_length) { WR_ROWS(row) WR_VEC_I64(out)[row] = wr_utf8_count(WR_ARG_S(0, row)); }
WR_KERNEL(k_octets) { WR_ROWS(row) WR_VEC_I64(out)[row] = WR_ARG_S(0, row).n; }
WR_KERNEL(k_bits) { WR_ROWS(row) WR_VEC_I64(out)[row] = (int64_t)WR_ARG_S(0, row).n * 8; }

enum letter_case { TO_UPPER, TO_LOWER, TO_TITLE };

static struct wr_str case_ascii(struct wr_arena *mem, struct wr_str s, enum letter_case to)
{
    char *p = wr_arena_bytes(mem, s.n + 1);
    unsigned char first = to == TO_LOWER ? 'A' : 'a', flip;
    bool word = false;
    for (uint32_t i = 0; i < s.n && to != TO_TITLE; i++) {
        unsigned char ch = (unsigned char)s.p[i];
        flip = (unsigned char)(ch - first) < 26 ? 32 : 0;
        p[i] = (char)(ch ^ flip);
    }
    for (uint32_t i = 0; i < s.n && to == TO_TITLE; i++) {
        p[i] = (char)(word ? wr_char_lower((unsigned char)s.p[i]) : wr_char_upper((unsigned char)s.p[i]));
        word = wr_char_is_word((unsigned char)s.p[i]);
    }
    return (struct wr_str){p, s.n};
}

static struct wr_str case_any(struct wr_arena *mem, struct wr_str s, enum letter_case to)
{
    char *p = wr_arena_bytes(mem, (size_t)s.n * 3 + 4); /* a mapping may take one byte more than its letter; never three times as many */
    uint32_t n = 0;
    bool word = false;
    for (uint32_t at = 0; at < s.n;) {
        uint32_t c = wr_utf8_next(s, &at);
        bool up = to == TO_UPPER || (to == TO_TITLE && !word);
        word = wr_char_is_word(c);
        n += (uint32_t)wr_utf8_put(p + n, up ? wr_char_upper(c) : wr_char_lower(c));
    }
    return (struct wr_str){p, n};
}

static void change_case(struct wr_eval *ev, const struct wr_call *c, enum letter_case to, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        WR_VEC_STR(out)[row] = wr_utf8_is_ascii(s) ? case_ascii(ev->mem, s, to) : case_any(ev->mem, s, to);
    }
}
WR_KERNEL(k_upper) { change_case(ev, c, TO_UPPER, out, sel, n); }
WR_KERNEL(k_lower) { change_case(ev, c, TO_LOWER, out, sel, n); }
WR_KERNEL(k_initcap) { change_case(ev, c, TO_TITLE, out, sel, n); }

/* ---- trimming, padding ---- */

static bool set_has(struct wr_str set, struct wr_str ch)
{
    for (uint32_t at = 0; at < set.n;) {
        uint32_t from = at;
        wr_utf8_next(set, &at);
        if (at - from == ch.n && memcmp(set.p + from, ch.p, ch.n) == 0)
            return true;
    }
    return false;
}

static void trim(const struct wr_call *c, bool left, bool right, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), set = c->n_arg == 2 ? WR_ARG_S(1, row) : WR_STR(" ");
        while (left && s.n) {
            uint32_t at = wr_utf8_skip(s, 0, 1);
            if (!set_has(set, part(s, 0, at)))
                break;
            s = part(s, at, s.n);
        }
        while (right && s.n) {
            uint32_t at = wr_utf8_back(s, s.n, 1);
            if (!set_has(set, part(s, at, s.n)))
                break;
            s.n = at;
        }
        WR_VEC_STR(out)[row] = s;
    }
}
WR_KERNEL(k_btrim) { trim(c, true, true, out, sel, n); }
WR_KERNEL(k_ltrim) { trim(c, true, false, out, sel, n); }
WR_KERNEL(k_rtrim) { trim(c, false, true, out, sel, n); }

static void pad(struct wr_eval *ev, const struct wr_call *c, bool left, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), fill = c->n_arg == 3 ? WR_ARG_S(2, row) : WR_STR(" ");
        int64_t want = WR_ARG_I(1, row), have = wr_utf8_count(s);
        if (want <= have || fill.n == 0) {
            WR_VEC_STR(out)[row] = part(s, 0, wr_utf8_skip(s, 0, want < 0 ? 0 : (uint64_t)want));
            continue;
        }
        wr_buf_reset(&b);
        if (want > WR_TEXT_MAX)
            b.overflow = true;
        if (!left)
            wr_buf_str(&b, s);
        uint32_t at = 0;
        for (int64_t k = have; k < want && !b.overflow; k++) {
            uint32_t from = at == fill.n ? 0 : at;
            at = wr_utf8_skip(fill, from, 1);
            wr_buf_add(&b, fill.p + from, at - from);
        }
        if (left)
            wr_buf_str(&b, s);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}
WR_KERNEL(k_lpad) { pad(ev, c, true, out, sel, n); }
WR_KERNEL(k_rpad) { pad(ev, c, false, out, sel, n); }

/* ---- parts ---- */

/* Characters from..from+count-1 of s, counted from 1; what lies outside the text is cut off. */
static struct wr_str substring(struct wr_str s, int64_t from, bool counted, int64_t count)
{
    int64_t end;
    if (!counted || __builtin_add_overflow(from, count, &end))
        end = INT64_MAX;
    if (from < 1)
        from = 1;
    if (end <= from)
        return part(s, 0, 0);
    uint32_t a = wr_utf8_skip(s, 0, (uint64_t)from - 1);
    return part(s, a, wr_utf8_skip(s, a, (uint64_t)(end - from)));
}

WR_KERNEL(k_substring)
{
    WR_ROWS(row) {
        int64_t count = c->n_arg == 3 ? WR_ARG_I(2, row) : 0;
        if (count < 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "negative substring length not allowed");
        WR_VEC_STR(out)[row] = substring(WR_ARG_S(0, row), WR_ARG_I(1, row), c->n_arg == 3, count);
    }
}
WR_KERNEL(k_sub_bytes)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t from = WR_ARG_I(1, row), count = c->n_arg == 3 ? WR_ARG_I(2, row) : INT32_MAX, end;
        if (count < 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "negative substring length not allowed");
        if (__builtin_add_overflow(from, count, &end) || end > (int64_t)s.n + 1)
            end = (int64_t)s.n + 1;
        from = from < 1 ? 1 : from;
        WR_VEC_STR(out)[row] = end > from ? part(s, (uint32_t)from - 1, (uint32_t)end - 1) : part(s, 0, 0);
    }
}
WR_KERNEL(k_left)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t k = WR_ARG_I(1, row);
        WR_VEC_STR(out)[row] = part(s, 0, k >= 0 ? wr_utf8_skip(s, 0, (uint64_t)k) : wr_utf8_back(s, s.n, -(uint64_t)k));
    }
}
WR_KERNEL(k_right)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t k = WR_ARG_I(1, row);
        WR_VEC_STR(out)[row] = part(s, k >= 0 ? wr_utf8_back(s, s.n, (uint64_t)k) : wr_utf8_skip(s, 0, -(uint64_t)k), s.n);
    }
}

/* Byte offset of part in s from byte `from`, or -1. */
static int64_t find(struct wr_str s, struct wr_str what, uint32_t from)
{
    if (from > s.n)
        return -1;
    if (what.n == 0)
        return from;
    const char *p = memmem(s.p + from, s.n - from, what.p, what.n);
    return p ? p - s.p : -1;
}

static void position(const struct wr_call *c, int text, int what, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(text, row);
        int64_t at = find(s, WR_ARG_S(what, row), 0);
        WR_VEC_I64(out)[row] = at < 0 ? 0 : (int64_t)wr_utf8_count(part(s, 0, (uint32_t)at)) + 1;
    }
}
WR_KERNEL(k_position) { position(c, 1, 0, out, sel, n); }
WR_KERNEL(k_strpos) { position(c, 0, 1, out, sel, n); }
WR_KERNEL(k_contains) { WR_ROWS(row) WR_VEC_I8(out)[row] = find(WR_ARG_S(0, row), WR_ARG_S(1, row), 0) >= 0; }
WR_KERNEL(k_starts_with)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), w = WR_ARG_S(1, row);
        WR_VEC_I8(out)[row] = s.n >= w.n && (w.n == 0 || memcmp(s.p, w.p, w.n) == 0);
    }
}
WR_KERNEL(k_ends_with)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), w = WR_ARG_S(1, row);
        WR_VEC_I8(out)[row] = s.n >= w.n && (w.n == 0 || memcmp(s.p + s.n - w.n, w.p, w.n) == 0);
    }
}

/* Field k (from 1; negative: from the end) of s cut at sep. false: there is none. */
static bool field(struct wr_str s, struct wr_str sep, int64_t k, struct wr_str *out)
{
    int64_t fields = 1, at;
    if (sep.n == 0) {
        *out = s;
        return k == 1 || k == -1;
    }
    if (k < 0) {
        for (uint32_t from = 0; (at = find(s, sep, from)) >= 0; from = (uint32_t)at + sep.n)
            fields++;
        k = fields + k + 1;
        if (k < 1)
            return false;
    }
    uint32_t from = 0;
    for (at = find(s, sep, from); at >= 0 && k > 1; at = find(s, sep, from)) {
        from = (uint32_t)at + sep.n;
        k--;
    }
    *out = part(s, from, at < 0 ? s.n : (uint32_t)at);
    return k == 1;
}
WR_KERNEL(k_split_part)
{
    WR_ROWS(row) {
        int64_t k = WR_ARG_I(2, row);
        struct wr_str s = {NULL, 0};
        if (k == 0)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "field position must not be zero");
        else if (!field(WR_ARG_S(0, row), WR_ARG_S(1, row), k, &s))
            s = (struct wr_str){NULL, 0};
        WR_VEC_STR(out)[row] = s;
    }
}
WR_KERNEL(k_split_index)
{
    WR_ROWS(row) {
        int64_t k = WR_ARG_I(2, row);
        if (k < 0 || k == INT64_MAX || !field(WR_ARG_S(0, row), WR_ARG_S(1, row), k + 1, &WR_VEC_STR(out)[row]))
            wr_out_null(ev, out, row);
    }
}

/* ---- building ---- */

WR_KERNEL(k_concat2)
{
    WR_ROWS(row) {
        struct wr_str a = WR_ARG_S(0, row), b = WR_ARG_S(1, row);
        if ((uint64_t)a.n + b.n > WR_TEXT_MAX) {
            WR_BAD_TOO_LONG(ev, row);
            WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
            continue;
        }
        char *p = wr_arena_bytes(ev->mem, a.n + b.n + 1);
        if (a.n)
            memcpy(p, a.p, a.n);
        if (b.n)
            memcpy(p + a.n, b.p, b.n);
        WR_VEC_STR(out)[row] = (struct wr_str){p, a.n + b.n};
    }
}

/* Arguments from `first` on, NULLs left out, sep between. */
static void join_row(struct wr_buf *b, const struct wr_call *c, int first, struct wr_str sep, uint32_t row)
{
    bool any = false;
    for (int i = first; i < c->n_arg; i++) {
        if (WR_ARG_NULL(i, row))
            continue;
        if (any)
            wr_buf_str(b, sep);
        wr_buf_str(b, WR_ARG_S(i, row));
        any = true;
    }
}
static void join(struct wr_eval *ev, const struct wr_call *c, bool with_sep, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        if (with_sep && WR_ARG_NULL(0, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        wr_buf_reset(&b);
        join_row(&b, c, with_sep, with_sep ? WR_ARG_S(0, row) : (struct wr_str){NULL, 0}, row);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}
WR_KERNEL(k_concat) { join(ev, c, false, out, sel, n); }
WR_KERNEL(k_concat_ws) { join(ev, c, true, out, sel, n); }

WR_KERNEL(k_repeat)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t times = WR_ARG_I(1, row);
        WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
        if (times <= 0 || s.n == 0)
            continue;
        if (times > WR_TEXT_MAX / (int64_t)s.n) {
            WR_BAD_TOO_LONG(ev, row);
            continue;
        }
        char *p = wr_arena_bytes(ev->mem, s.n * (size_t)times);
        for (int64_t k = 0; k < times; k++)
            memcpy(p + k * s.n, s.p, s.n);
        WR_VEC_STR(out)[row] = (struct wr_str){p, s.n * (uint32_t)times};
    }
}

WR_KERNEL(k_reverse)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        char *p = wr_arena_bytes(ev->mem, s.n + 1);
        for (uint32_t at = 0; at < s.n;) {
            uint32_t to = wr_utf8_skip(s, at, 1);
            memcpy(p + s.n - to, s.p + at, to - at);
            at = to;
        }
        WR_VEC_STR(out)[row] = (struct wr_str){p, s.n};
    }
}

WR_KERNEL(k_replace)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), what = WR_ARG_S(1, row), by = WR_ARG_S(2, row);
        int64_t at = what.n ? find(s, what, 0) : -1;
        if (at < 0) {
            WR_VEC_STR(out)[row] = s;
            continue;
        }
        uint32_t from = 0;
        wr_buf_reset(&b);
        for (; at >= 0; at = find(s, what, from)) {
            wr_buf_add(&b, s.p + from, (uint32_t)at - from);
            wr_buf_str(&b, by);
            from = (uint32_t)at + what.n;
        }
        wr_buf_add(&b, s.p + from, s.n - from);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

/* Which character of set (counted from 0) ch is, or -1. */
static int64_t index_in(struct wr_str set, struct wr_str ch)
{
    int64_t i = 0;
    for (uint32_t at = 0; at < set.n; i++) {
        uint32_t to = wr_utf8_skip(set, at, 1);
        if (to - at == ch.n && memcmp(set.p + at, ch.p, ch.n) == 0)
            return i;
        at = to;
    }
    return -1;
}
WR_KERNEL(k_translate)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), from = WR_ARG_S(1, row), to = WR_ARG_S(2, row);
        wr_buf_reset(&b);
        for (uint32_t at = 0; at < s.n;) {
            uint32_t end = wr_utf8_skip(s, at, 1);
            struct wr_str ch = part(s, at, end);
            int64_t i = index_in(from, ch);
            if (i >= 0) { /* a character without a partner goes */
                uint32_t a = wr_utf8_skip(to, 0, (uint64_t)i);
                ch = part(to, a, wr_utf8_skip(to, a, 1));
            }
            wr_buf_str(&b, ch);
            at = end;
        }
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

WR_KERNEL(k_overlay)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), new = WR_ARG_S(1, row);
        int64_t from = WR_ARG_I(2, row), count = c->n_arg == 4 ? WR_ARG_I(3, row) : wr_utf8_count(new), end;
        wr_buf_reset(&b);
        if (from <= 0 || __builtin_add_overflow(from, count, &end)) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, from <= 0 ? "negative substring length not allowed" : "position out of range");
        } else {
            uint32_t a = wr_utf8_skip(s, 0, (uint64_t)from - 1), z = wr_utf8_skip(s, 0, end < 1 ? 0 : (uint64_t)end - 1);
            wr_buf_add(&b, s.p, a);
            wr_buf_str(&b, new);
            wr_buf_add(&b, s.p + z, s.n - z);
        }
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

WR_KERNEL(k_ascii)
{
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        uint32_t at = 0;
        WR_VEC_I64(out)[row] = s.n ? wr_utf8_next(s, &at) : 0;
    }
}
WR_KERNEL(k_chr)
{
    WR_ROWS(row) {
        int64_t code = WR_ARG_I(0, row);
        char *p = wr_arena_bytes(ev->mem, 4);
        if (code <= 0 || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "%lld is not the code of a character", (long long)code);
            code = '?';
        }
        WR_VEC_STR(out)[row] = (struct wr_str){p, (uint32_t)wr_utf8_put(p, (uint32_t)code)};
    }
}

/* ---- quoting, format ---- */

static void quote_ident(struct wr_buf *b, struct wr_str s)
{
    bool plain = s.n && (s.p[0] == '_' || (s.p[0] >= 'a' && s.p[0] <= 'z'));
    for (uint32_t i = 0; i < s.n; i++)
        plain = plain && ((s.p[i] >= 'a' && s.p[i] <= 'z') || (s.p[i] >= '0' && s.p[i] <= '9') || s.p[i] == '_');
    if (plain) {
        wr_buf_str(b, s);
        return;
    }
    wr_buf_putc(b, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '"')
            wr_buf_putc(b, '"');
        wr_buf_putc(b, s.p[i]);
    }
    wr_buf_putc(b, '"');
}

static void quote_literal(struct wr_buf *b, struct wr_str s)
{
    if (s.n && memchr(s.p, '\\', s.n))
        wr_buf_puts(b, "E");
    wr_buf_putc(b, '\'');
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] == '\'' || s.p[i] == '\\')
            wr_buf_putc(b, s.p[i]);
        wr_buf_putc(b, s.p[i]);
    }
    wr_buf_putc(b, '\'');
}

static void quoted(struct wr_eval *ev, const struct wr_call *c, void (*quote)(struct wr_buf *, struct wr_str), struct wr_vec *out, const uint32_t *sel,
                   uint32_t n)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        wr_buf_reset(&b);
        if (WR_ARG_NULL(0, row))
            wr_buf_puts(&b, "NULL");
        else
            quote(&b, WR_ARG_S(0, row));
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}
WR_KERNEL(k_quote_ident) { quoted(ev, c, quote_ident, out, sel, n); }
WR_KERNEL(k_quote_literal) { quoted(ev, c, quote_literal, out, sel, n); }

/* One %[n$][-][width]s of format(). */
struct spec {
    int64_t arg;     /* which argument, from 1; 0: the next */
    int64_t width;   /* least characters; negative: left-justified */
    int64_t width_arg; /* argument that has the width; -1: none, 0: the next */
    char kind;
};

static bool digits(struct wr_str f, uint32_t *at, int64_t *v)
{
    uint32_t from = *at;
    for (*v = 0; *at < f.n && f.p[*at] >= '0' && f.p[*at] <= '9' && *v < 100000000; ++*at)
        *v = *v * 10 + (f.p[*at] - '0');
    return *at > from;
}

static bool read_spec(struct wr_str f, uint32_t *at, struct spec *s)
{
    int64_t v;
    *s = (struct spec){.width_arg = -1};
    uint32_t from = *at;
    if (digits(f, at, &v) && *at < f.n && f.p[*at] == '$') {
        s->arg = v;
        ++*at;
        if (v == 0)
            return false;
    } else {
        *at = from;
    }
    bool minus = *at < f.n && f.p[*at] == '-';
    *at += minus;
    if (*at < f.n && f.p[*at] == '*') {
        ++*at;
        s->width_arg = 0;
        from = *at;
        if (digits(f, at, &v) && *at < f.n && f.p[*at] == '$') {
            s->width_arg = v;
            ++*at;
        } else {
            *at = from;
        }
    } else if (digits(f, at, &v)) {
        s->width = minus ? -v : v;
    }
    if (*at >= f.n)
        return false;
    s->kind = f.p[(*at)++];
    if (s->width_arg >= 0 && minus)
        s->width = -1;
    return true;
}

static void put_padded(struct wr_buf *b, struct wr_str s, int64_t width)
{
    int64_t have = wr_utf8_count(s), want = width < 0 ? -width : width;
    if (width < 0)
        wr_buf_str(b, s);
    for (; have < want && !b->overflow; have++)
        wr_buf_putc(b, ' ');
    if (width >= 0)
        wr_buf_str(b, s);
}

static const char *format_spec(struct wr_buf *b, struct wr_buf *one, const struct wr_call *c, const struct spec *s, int *next, uint32_t row)
{
    int64_t width = s->width;
    if (s->width_arg >= 0) {
        int i = s->width_arg ? (int)s->width_arg : (*next)++;
        int64_t w;
        if (i < 1 || i >= c->n_arg)
            return "too few arguments for format()";
        struct wr_str text = WR_ARG_NULL(i, row) ? WR_STR("0") : WR_ARG_S(i, row);
        uint32_t at = text.n && text.p[0] == '-';
        if (!digits(text, &at, &w) || at != text.n)
            return "a width for format() is not a number";
        width = (text.p[0] == '-') != (s->width < 0) ? -w : w;
    }
    int i = s->arg ? (int)s->arg : (*next)++;
    if (s->arg)
        *next = i + 1;
    if (i < 1 || i >= c->n_arg)
        return "too few arguments for format()";
    wr_buf_reset(one);
    bool null = WR_ARG_NULL(i, row);
    if (s->kind == 's' && !null)
        wr_buf_str(one, WR_ARG_S(i, row));
    else if (s->kind == 'I' && null)
        return "NULL cannot be formatted as an SQL identifier";
    else if (s->kind == 'I')
        quote_ident(one, WR_ARG_S(i, row));
    else if (s->kind == 'L' && null)
        wr_buf_puts(one, "NULL");
    else if (s->kind == 'L')
        quote_literal(one, WR_ARG_S(i, row));
    put_padded(b, wr_buf_get(one), width);
    return NULL;
}

/* NULL, or what is wrong. */
static const char *format_row(struct wr_buf *b, struct wr_buf *one, const struct wr_call *c, uint32_t row)
{
    struct wr_str f = WR_ARG_S(0, row);
    int next = 1;
    for (uint32_t at = 0; at < f.n;) {
        if (f.p[at] != '%') {
            wr_buf_putc(b, f.p[at++]);
            continue;
        }
        struct spec s;
        at++;
        if (at < f.n && f.p[at] == '%') {
            wr_buf_putc(b, f.p[at++]);
            continue;
        }
        if (!read_spec(f, &at, &s))
            return "unterminated format() type specifier";
        if (s.kind != 's' && s.kind != 'I' && s.kind != 'L')
            return "unrecognized format() type specifier";
        const char *wrong = format_spec(b, one, c, &s, &next, row);
        if (wrong)
            return wrong;
    }
    return NULL;
}
WR_KERNEL(k_format)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX), one = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        if (WR_ARG_NULL(0, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        wr_buf_reset(&b);
        const char *wrong = format_row(&b, &one, c, row);
        if (wrong)
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "%s", wrong);
        else if (b.overflow || one.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
    wr_buf_clear(&one);
}

#define N WR_F_NULLS
static const struct wr_func list[] = {
    {"length", "t:i", k_length, 0, NULL, NULL, "length(text): number of characters; of BYTES: bytes"},
    {"length", "y:i", k_octets, 0, NULL, NULL, "length(bytes): number of bytes"},
    {"char_length", "t:i", k_length, 0, NULL, NULL, "char_length(text): number of characters"},
    {"character_length", "t:i", k_length, 0, NULL, NULL, "character_length(text): number of characters"},
    {"octet_length", "t:i", k_octets, 0, NULL, NULL, "octet_length(text): number of bytes"},
    {"octet_length", "y:i", k_octets, 0, NULL, NULL, "octet_length(bytes): number of bytes"},
    {"bit_length", "t:i", k_bits, 0, NULL, NULL, "bit_length(text): number of bits"},
    {"bit_length", "y:i", k_bits, 0, NULL, NULL, "bit_length(bytes): number of bits"},
    {"upper", "t:t", k_upper, 0, NULL, NULL, "upper(text): in upper case"},
    {"lower", "t:t", k_lower, 0, NULL, NULL, "lower(text): in lower case"},
    {"initcap", "t:t", k_initcap, 0, NULL, NULL, "initcap(text): each word begins in upper case"},
    {"btrim", "t:t", k_btrim, 0, NULL, NULL, "btrim(text [, chars]): without these characters (blanks) at both ends"},
    {"btrim", "tt:t", k_btrim, 0, NULL, NULL, "btrim(text, chars): without these characters at both ends"},
    {"trim", "t:t", k_btrim, 0, NULL, NULL, "trim([BOTH | LEADING | TRAILING] [chars FROM] text): without these characters (blanks) at the ends"},
    {"trim", "tt:t", k_btrim, 0, NULL, NULL, "trim(text, chars): as btrim"},
    {"ltrim", "t:t", k_ltrim, 0, NULL, NULL, "ltrim(text [, chars]): without these characters (blanks) at the start"},
    {"ltrim", "tt:t", k_ltrim, 0, NULL, NULL, "ltrim(text, chars): without these characters at the start"},
    {"rtrim", "t:t", k_rtrim, 0, NULL, NULL, "rtrim(text [, chars]): without these characters (blanks) at the end"},
    {"rtrim", "tt:t", k_rtrim, 0, NULL, NULL, "rtrim(text, chars): without these characters at the end"},
    {"lpad", "tl:t", k_lpad, 0, NULL, NULL, "lpad(text, length [, fill]): filled on the left, or cut, to that many characters"},
    {"lpad", "tlt:t", k_lpad, 0, NULL, NULL, "lpad(text, length, fill)"},
    {"rpad", "tl:t", k_rpad, 0, NULL, NULL, "rpad(text, length [, fill]): filled on the right, or cut, to that many characters"},
    {"rpad", "tlt:t", k_rpad, 0, NULL, NULL, "rpad(text, length, fill)"},
    {"substring", "tl:t", k_substring, 0, NULL, NULL, "substring(text, from [, count]): part of a text, counted from 1"},
    {"substring", "tll:t", k_substring, 0, NULL, NULL, "substring(text, from, count): part of a text, counted from 1"},
    {"substring", "yl:y", k_sub_bytes, 0, NULL, NULL, "substring(bytes, from [, count]): part of bytes, counted from 1"},
    {"substring", "yll:y", k_sub_bytes, 0, NULL, NULL, "substring(bytes, from, count)"},
    {"substr", "tl:t", k_substring, 0, NULL, NULL, "substr(text, from [, count]): part of a text, counted from 1"},
    {"substr", "tll:t", k_substring, 0, NULL, NULL, "substr(text, from, count)"},
    {"left", "tl:t", k_left, 0, NULL, NULL, "left(text, n): the first n characters; n < 0: all but the last -n"},
    {"right", "tl:t", k_right, 0, NULL, NULL, "right(text, n): the last n characters; n < 0: all but the first -n"},
    {"position", "tt:i", k_position, 0, NULL, NULL, "position(part IN text): where it begins, counted from 1; 0: nowhere"},
    {"locate", "tt:i", k_position, 0, NULL, NULL, "locate(part, text): where it begins, counted from 1; 0: nowhere"},
    {"strpos", "tt:i", k_strpos, 0, NULL, NULL, "strpos(text, part): where it begins, counted from 1; 0: nowhere"},
    {"instr", "tt:i", k_strpos, 0, NULL, NULL, "instr(text, part): as strpos"},
    {"contains", "tt:b", k_contains, 0, NULL, NULL, "contains(text, part): does the text contain it"},
    {"starts_with", "tt:b", k_starts_with, 0, NULL, NULL, "starts_with(text, part): does the text begin with it"},
    {"startswith", "tt:b", k_starts_with, 0, NULL, NULL, "startswith(text, part): as starts_with"},
    {"ends_with", "tt:b", k_ends_with, 0, NULL, NULL, "ends_with(text, part): does the text end with it"},
    {"endswith", "tt:b", k_ends_with, 0, NULL, NULL, "endswith(text, part): as ends_with"},
    {"split_part", "ttl:t", k_split_part, 0, NULL, NULL, "split_part(text, separator, n): its n-th field, from 1; n < 0 counts from the end"},
    {"split_index", "ttl:t", k_split_index, WR_F_MAYNULL, NULL, NULL, "split_index(text, separator, n): its n-th field, from 0; NULL if there is none"},
    {"||", "st:t", k_concat2, 0, NULL, NULL, "a || b: texts one after the other; also arrays"},
    {"||", "ts:t", k_concat2, 0, NULL, NULL, "a || b"},
    {"||", "yy:y", k_concat2, 0, NULL, NULL, "a || b: bytes one after the other"},
    {"concat", "s...:t", k_concat, N | WR_F_NEVERNULL, NULL, NULL, "concat(a, b, ...): texts one after the other, NULLs left out"},
    {"concat_ws", "ts...:t", k_concat_ws, N, NULL, NULL, "concat_ws(separator, a, b, ...): joined with a separator, NULLs left out"},
    {"repeat", "tl:t", k_repeat, 0, NULL, NULL, "repeat(text, n): n times"},
    {"reverse", "t:t", k_reverse, 0, NULL, NULL, "reverse(text): last character first"},
    {"replace", "ttt:t", k_replace, 0, NULL, NULL, "replace(text, part, new): every occurrence replaced"},
    {"translate", "ttt:t", k_translate, 0, NULL, NULL, "translate(text, from, to): each character of from becomes the one of to at its place"},
    {"overlay", "ttl:t", k_overlay, 0, NULL, NULL, "overlay(text PLACING new FROM n [FOR count]): a part replaced"},
    {"overlay", "ttll:t", k_overlay, 0, NULL, NULL, "overlay(text PLACING new FROM n FOR count)"},
    {"ascii", "t:i", k_ascii, 0, NULL, NULL, "ascii(text): code of its first character"},
    {"chr", "l:t", k_chr, 0, NULL, NULL, "chr(code): the character of that code"},
    {"quote_ident", "t:t", k_quote_ident, 0, NULL, NULL, "quote_ident(text): as an SQL name, in quotes if it needs them"},
    {"quote_literal", "s:t", k_quote_literal, 0, NULL, NULL, "quote_literal(x): as an SQL text constant"},
    {"quote_nullable", "s:t", k_quote_literal, N | WR_F_NEVERNULL, NULL, NULL, "quote_nullable(x): as an SQL text constant, NULL as the word"},
    {"format", "t:t", k_format, N, NULL, NULL, "format(text, a, b, ...): %s text, %I SQL name, %L SQL constant, %1$s by position"},
    {"format", "ts...:t", k_format, N, NULL, NULL, "format(text, a, b, ...)"},
};
WR_FUNC_TABLE(wr_funcs_text, list);

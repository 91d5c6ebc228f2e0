/* func_like.c: LIKE and ILIKE.
 * Rules:  % is any run of characters, _ one character, the escape character (backslash, or what ESCAPE says) takes the next literally.
 *         A pattern is cut at its % into segments: the first sits at the text's start, the last at its end, those between are
 *         searched from the left. A constant pattern is prepared once; plain ones (abc, abc%, %abc, %abc%) become one comparison or search.
 *         ILIKE compares in lower case.
 * Memory: a prepared pattern lives in the plan's arena; a pattern that comes from a column is prepared row by row in ev->mem. */
#include "core/kernel.h"
#include "core/needle.h"
#include "core/utf8.h"

struct segment {
    struct wr_str text;     /* its characters; at those of `any` something else may stand */
    const uint8_t *any;     /* one byte a character, 1: it was "_"; NULL: none is */
    uint32_t chars;
};
struct like {
    bool fold;              /* ILIKE: the text is compared in lower case */
    bool open_start, open_end; /* begins, ends with % */
    int n;                  /* segments that are not empty */
    struct segment *seg;
};

static struct wr_str lower(struct wr_arena *a, struct wr_str s)
{
    char *p = wr_arena_bytes(a, (size_t)s.n * 3 + 4);
    uint32_t n = 0;
    for (uint32_t at = 0; at < s.n;) {
        if ((unsigned char)s.p[at] < 0x80)
            p[n++] = (char)wr_char_lower((unsigned char)s.p[at++]);
        else
            n += (uint32_t)wr_utf8_put(p + n, wr_char_lower(wr_utf8_next(s, &at)));
    }
    return (struct wr_str){p, n};
}

/* ---- preparing ---- */

static void segment_end(struct wr_arena *a, struct like *l, const struct wr_buf *text, const struct wr_buf *any, bool wild)
{
    if (text->n == 0)
        return;
    struct segment *s = &l->seg[l->n++];
    s->text = wr_arena_str(a, wr_buf_get(text));
    s->chars = (uint32_t)any->n;
    s->any = wild ? (const uint8_t *)wr_arena_str(a, wr_buf_get(any)).p : NULL;
}

/* false: the pattern ends with the escape character. */
static bool prepare(struct wr_arena *a, struct wr_str pattern, struct wr_str escape, bool fold, struct like *l)
{
    struct wr_buf text = {0}, any = {0};
    bool wild = false, ok = true;
    *l = (struct like){.fold = fold};
    if (fold)
        pattern = lower(a, pattern);
    uint32_t most = 1;
    for (uint32_t i = 0; i < pattern.n; i++)
        most += pattern.p[i] == '%';
    l->seg = WR_NEW_N(a, struct segment, most);
    l->open_start = pattern.n && pattern.p[0] == '%' && !(escape.n == 1 && escape.p[0] == '%');
    for (uint32_t at = 0; at < pattern.n;) {
        uint32_t from = at;
        wr_utf8_next(pattern, &at);
        struct wr_str ch = {pattern.p + from, at - from};
        bool literal = false;
        if (escape.n && wr_str_eq(ch, escape)) {
            if (at == pattern.n) {
                ok = false;
                break;
            }
            from = at;
            wr_utf8_next(pattern, &at);
            ch = (struct wr_str){pattern.p + from, at - from};
            literal = true;
        }
        l->open_end = !literal && ch.p[0] == '%';
        if (l->open_end) {
            segment_end(a, l, &text, &any, wild);
            wr_buf_reset(&text);
            wr_buf_reset(&any);
            wild = false;
            continue;
        }
        bool one = !literal && ch.p[0] == '_';
        wild |= one;
        wr_buf_str(&text, ch);
        wr_buf_putc(&any, (char)one);
    }
    segment_end(a, l, &text, &any, wild);
    wr_buf_clear(&text);
    wr_buf_clear(&any);
    return ok;
}

/* ---- matching ---- */

/* The segment stands in s at byte `at`: returns where it ends, or -1. */
static int64_t stands_at(const struct segment *g, struct wr_str s, uint32_t at)
{
    if (!g->any)
        return s.n - at >= g->text.n && memcmp(s.p + at, g->text.p, g->text.n) == 0 ? (int64_t)at + g->text.n : -1;
    uint32_t p = 0;
    for (uint32_t k = 0; k < g->chars; k++) {
        if (at >= s.n)
            return -1;
        uint32_t from = p, here = at;
        wr_utf8_next(g->text, &p);
        wr_utf8_next(s, &at);
        if (!g->any[k] && (at - here != p - from || memcmp(s.p + here, g->text.p + from, p - from) != 0))
            return -1;
    }
    return at;
}

/* memmem prepares itself for long texts, which costs more than looking at a short one. */
static const char *find(const char *s, size_t n, struct wr_str what)
{
    if (n > 128)
        return memmem(s, n, what.p, what.n);
    for (const char *last = s + n - what.n; s <= last; s++) {
        s = memchr(s, what.p[0], (size_t)(last - s) + 1);
        if (!s)
            return NULL;
        if (memcmp(s, what.p, what.n) == 0)
            return s;
    }
    return NULL;
}

/* First place at or behind `at` where the segment stands; *end is behind it. */
static bool search(const struct segment *g, struct wr_str s, uint32_t at, uint32_t *end)
{
    if (!g->any) {
        const char *p = s.n - at >= g->text.n ? find(s.p + at, s.n - at, g->text) : NULL;
        *end = p ? (uint32_t)(p - s.p) + g->text.n : 0;
        return p != NULL;
    }
    for (;;) {
        int64_t e = stands_at(g, s, at);
        if (e >= 0) {
            *end = (uint32_t)e;
            return true;
        }
        if (at >= s.n)
            return false;
        at = wr_utf8_skip(s, at, 1);
    }
}

static bool matches(const struct like *l, struct wr_str s)
{
    uint32_t at = 0;
    int i = 0, n = l->n;
    if (n == 0)
        return s.n == 0 || l->open_start;
    if (!l->open_start) {
        int64_t end = stands_at(&l->seg[0], s, 0);
        if (end < 0)
            return false;
        at = (uint32_t)end;
        i = 1;
        if (n == 1)
            return l->open_end || at == s.n;
    }
    int middle = l->open_end ? n : n - 1;
    for (; i < middle; i++)
        if (!search(&l->seg[i], s, at, &at))
            return false;
    if (l->open_end)
        return true;
    const struct segment *last = &l->seg[n - 1];
    uint32_t from = last->any ? wr_utf8_back(s, s.n, last->chars) : s.n - last->text.n;
    if (!last->any && s.n < last->text.n)
        return false;
    return from >= at && stands_at(last, s, from) == s.n;
}

/* ---- kernels ---- */

static const char bad_end[] = "LIKE pattern must not end with escape character";

static bool escape_ok(struct wr_str e)
{
    return e.n == 0 || wr_utf8_count(e) == 1;
}

static wr_status bind_like(struct wr_arena *a, struct wr_expr *const *arg, int n, bool fold, const void **data, struct wr_error *err)
{
    struct wr_str pattern, escape = WR_STR("\\");
    if (!wr_arg_text(arg[1], &pattern) || (n == 3 && !wr_arg_text(arg[2], &escape)))
        return WR_OK;
    if (!escape_ok(escape))
        return wr_fail_at(err, WR_ESQL, arg[2]->off, "ESCAPE must be empty or one character");
    struct like *l = WR_NEW(a, struct like);
    if (!prepare(a, pattern, escape, fold, l))
        return wr_fail_at(err, WR_ESQL, arg[1]->off, bad_end);
    *data = l;
    return WR_OK;
}
static wr_status like_bind(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err)
{
    return bind_like(a, arg, n, false, data, err);
}
static wr_status ilike_bind(struct wr_arena *a, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err)
{
    return bind_like(a, arg, n, true, data, err);
}

static void like_const(struct wr_eval *ev, const struct wr_call *c, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    const struct like *l = c->data;
    uint8_t *val = WR_VEC_I8(out);
    const struct segment *g = l->seg;
    bool plain = !l->fold && l->n == 1 && !g->any;
    if (plain && !l->open_start && !c->arg[0].constant) {
        const struct wr_needle w = {.what = g->text, .exact = !l->open_end};
        wr_needle_val(&w, WR_VEC_STR(&c->arg[0]), val, sel, n);
    } else if (l->fold) {
        WR_ROWS(row) val[row] = matches(l, lower(ev->mem, WR_ARG_S(0, row)));
    } else {
        WR_ROWS(row) val[row] = matches(l, WR_ARG_S(0, row));
    }
}

static void like_any(struct wr_eval *ev, const struct wr_call *c, bool fold, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    if (c->data) {
        like_const(ev, c, out, sel, n);
        return;
    }
    WR_ROWS(row) {
        struct like l;
        struct wr_str escape = c->n_arg == 3 ? WR_ARG_S(2, row) : WR_STR("\\");
        WR_VEC_I8(out)[row] = 0;
        if (!escape_ok(escape))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "ESCAPE must be empty or one character");
        else if (!prepare(ev->mem, WR_ARG_S(1, row), escape, fold, &l))
            wr_eval_bad(ev, row, WR_R_ARGUMENT, bad_end);
        else
            WR_VEC_I8(out)[row] = matches(&l, fold ? lower(ev->mem, WR_ARG_S(0, row)) : WR_ARG_S(0, row));
    }
}
WR_KERNEL(k_like) { like_any(ev, c, false, out, sel, n); }
WR_KERNEL(k_ilike) { like_any(ev, c, true, out, sel, n); }

static const struct wr_func list[] = {
    {"like", "tt:b", k_like, WR_F_HIDDEN, NULL, like_bind, ""},
    {"like", "ttt:b", k_like, WR_F_HIDDEN, NULL, like_bind, ""},
    {"ilike", "tt:b", k_ilike, WR_F_HIDDEN, NULL, ilike_bind, ""},
    {"ilike", "ttt:b", k_ilike, WR_F_HIDDEN, NULL, ilike_bind, ""},
};
WR_FUNC_TABLE(wr_funcs_like, list);

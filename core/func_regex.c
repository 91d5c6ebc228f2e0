/* func_regex.c: regular expressions, through PCRE2.
 * Rules:  - PostgreSQL's function names and arguments; the pattern language is Perl's, in which alternatives are tried from the left (PostgreSQL
 *           takes the longest). PostgreSQL's word edges \y \m \M \Y are understood. By default . matches a newline and $ only the very end;
 *         - flags: g all matches, i ignore case, c regard case, n or m newlines are special, s they are not, p . does not match one,
 *           w ^ and $ match at them, x blanks and comments in the pattern, q the pattern is plain text;
 *         - matching is limited in steps and memory: a text on which a pattern needs more makes its row bad (limit), it never hangs the job.
 * Memory: constant patterns are compiled once per process into a table that lives for ever, with machine code; it takes a bounded number.
 *         All others live in the plan's arena, or for patterns that come from rows in the evaluation's. Compiled patterns are read-only. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/kernel.h"
#include "core/nested.h"
#include "core/utf8.h"
#include <pcre2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MOST_CACHED = 256, MATCH_STEPS = 1000000, MATCH_HEAP_KB = 16384, WRONG = 200 };

struct flags {
    uint32_t options; /* PCRE2_... */
    bool global;
};
struct regex {
    const pcre2_code *code; /* NULL: the pattern is `plain` text */
    struct wr_str plain;
    uint32_t groups;        /* parentheses that capture */
    bool global;
};

/* ---- compiling ---- */

static void *arena_malloc(PCRE2_SIZE n, void *arena)
{
    return wr_arena_alloc(arena, n);
}
static void arena_free(void *p WR_UNUSED, void *arena WR_UNUSED)
{
}

static bool read_flags(struct wr_str s, struct flags *f, char *wrong)
{
    for (uint32_t i = 0; i < s.n; i++) {
        switch (s.p[i]) {
        case 'g': f->global = true; break;
        case 'i': f->options |= PCRE2_CASELESS; break;
        case 'c': f->options &= ~PCRE2_CASELESS; break;
        case 'n': case 'm': f->options = (f->options & ~PCRE2_DOTALL) | PCRE2_MULTILINE; break;
        case 'p': f->options &= ~(PCRE2_DOTALL | PCRE2_MULTILINE); break;
        case 's': f->options = (f->options | PCRE2_DOTALL) & ~PCRE2_MULTILINE; break;
        case 'w': f->options |= PCRE2_DOTALL | PCRE2_MULTILINE; break;
        case 'x': f->options |= PCRE2_EXTENDED; break;
        case 'q': f->options |= PCRE2_LITERAL; break;
        case 'e': case 't': break;
        default: snprintf(wrong, WRONG, "invalid regular expression option: \"%c\"", s.p[i]); return false;
        }
    }
    return true;
}

/* Words' edges in Perl's spelling. */
static struct wr_str translate(struct wr_arena *a, struct wr_str p)
{
    bool any = false;
    for (uint32_t i = 0; i + 1 < p.n && !any; i++)
        any = p.p[i] == '\\' && strchr("ymMY", p.p[i + 1]);
    if (!any)
        return p;
    struct wr_buf b = WR_BUF_INIT(1 << 20);
    bool set = false;
    for (uint32_t i = 0; i < p.n; i++) {
        set = p.p[i] == '[' ? true : p.p[i] == ']' ? false : set;
        if (p.p[i] != '\\' || i + 1 == p.n) {
            wr_buf_putc(&b, p.p[i]);
            continue;
        }
        char ch = p.p[++i];
        if (!set && ch == 'y')
            wr_buf_puts(&b, "\\b");
        else if (!set && ch == 'Y')
            wr_buf_puts(&b, "\\B");
        else if (!set && ch == 'm')
            wr_buf_puts(&b, "\\b(?=\\w)");
        else if (!set && ch == 'M')
            wr_buf_puts(&b, "\\b(?<=\\w)");
        else {
            wr_buf_putc(&b, '\\');
            wr_buf_putc(&b, ch);
        }
    }
    struct wr_str s = wr_arena_str(a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return s;
}

static const pcre2_code *compile_in(struct wr_arena *a, struct wr_str p, uint32_t options, char *wrong)
{
    int code = 0;
    PCRE2_SIZE at = 0;
    pcre2_general_context *general = a ? pcre2_general_context_create(arena_malloc, arena_free, a) : NULL;
    pcre2_compile_context *ctx = pcre2_compile_context_create(general);
    if (options & PCRE2_LITERAL)
        options &= PCRE2_LITERAL | PCRE2_CASELESS | PCRE2_UTF;
    pcre2_code *re = pcre2_compile((PCRE2_SPTR)(p.n ? p.p : ""), p.n, options, &code, &at, ctx);
    pcre2_compile_context_free(ctx);
    if (!re) {
        PCRE2_UCHAR text[120];
        pcre2_get_error_message(code, text, sizeof text);
        snprintf(wrong, WRONG, "invalid regular expression: %s at character %u", (const char *)text,
                 wr_utf8_count((struct wr_str){p.p, at < p.n ? (uint32_t)at : p.n}) + 1);
    }
    return re;
}

static struct cached {
    struct cached *next;
    char *pattern;
    uint32_t n, options;
    const pcre2_code *code;
} *cache;
static int n_cached;
static pthread_mutex_t cache_lock = PTHREAD_MUTEX_INITIALIZER;

/* A constant pattern: from the process's table, or compiled into it with machine code; once it is full, into the arena. */
static const pcre2_code *compile_const(struct wr_arena *a, struct wr_str p, uint32_t options, char *wrong)
{
    const pcre2_code *code = NULL;
    pthread_mutex_lock(&cache_lock);
    for (struct cached *c = cache; c && !code; c = c->next)
        if (c->options == options && c->n == p.n && memcmp(c->pattern, p.p, p.n) == 0)
            code = c->code;
    if (!code && n_cached < MOST_CACHED) {
        code = compile_in(NULL, p, options, wrong);
        if (code) {
            union { const pcre2_code *c; pcre2_code *m; } own = {code};
            pcre2_jit_compile(own.m, PCRE2_JIT_COMPLETE); /* without it matching is slower, no more */
            struct cached *c = wr_malloc(sizeof(*c));
            *c = (struct cached){.next = cache, .pattern = wr_malloc(p.n + 1), .n = p.n, .options = options, .code = code};
            memcpy(c->pattern, p.p ? p.p : "", p.n);
            cache = c;
            n_cached++;
        }
        pthread_mutex_unlock(&cache_lock);
        return code;
    }
    pthread_mutex_unlock(&cache_lock);
    return code ? code : compile_in(a, p, options, wrong);
}

static bool regex_make(struct wr_arena *a, struct wr_str pattern, struct flags f, bool constant, struct regex *re, char *wrong)
{
    *re = (struct regex){.global = f.global};
    bool plain = !(f.options & (PCRE2_CASELESS | PCRE2_EXTENDED)) && pattern.n;
    for (uint32_t i = 0; i < pattern.n && plain; i++)
        plain = !strchr("\\^$.|?*+()[]{}", pattern.p[i]) && pattern.p[i];
    if (plain) {
        re->plain = pattern;
        return true;
    }
    if (!(f.options & PCRE2_LITERAL))
        pattern = translate(a, pattern);
    re->code = constant ? compile_const(a, pattern, f.options, wrong) : compile_in(a, pattern, f.options, wrong);
    if (re->code)
        pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->groups);
    return re->code != NULL;
}

/* ---- SIMILAR TO: % and _ as in LIKE, | * + ? {m,n} ( ) [ ] as in regular expressions, the whole text must match ---- */

static struct wr_str similar_pattern(struct wr_arena *a, struct wr_str p, struct wr_str escape)
{
    struct wr_buf b = WR_BUF_INIT(1 << 20);
    bool set = false;
    wr_buf_puts(&b, "^(?:");
    for (uint32_t at = 0; at < p.n;) {
        uint32_t from = at;
        wr_utf8_next(p, &at);
        struct wr_str ch = {p.p + from, at - from};
        bool literal = escape.n && wr_str_eq(ch, escape) && at < p.n;
        if (literal) {
            from = at;
            wr_utf8_next(p, &at);
            ch = (struct wr_str){p.p + from, at - from};
        }
        char c = ch.p[0];
        if (literal && (unsigned char)c < 0x80 && !wr_char_is_word((uint32_t)c))
            wr_buf_putc(&b, '\\');
        else if (!literal && !set && (c == '.' || c == '^' || c == '$' || c == '\\'))
            wr_buf_putc(&b, '\\');
        if (!literal && !set && c == '%')
            wr_buf_puts(&b, ".*");
        else if (!literal && !set && c == '_')
            wr_buf_putc(&b, '.');
        else if (!literal && !set && c == '(')
            wr_buf_puts(&b, "(?:");
        else
            wr_buf_str(&b, ch);
        if (!literal)
            set = c == '[' ? true : c == ']' ? false : set;
    }
    wr_buf_puts(&b, ")$");
    struct wr_str s = wr_arena_str(a, wr_buf_get(&b));
    wr_buf_clear(&b);
    return s;
}

/* ---- which arguments a function has ---- */

struct shape {
    int pattern, flags;       /* arguments; -1: none */
    uint32_t options;         /* always on: "~*" */
    bool similar;
    int escape;
};
static const uint32_t usual = PCRE2_UTF | PCRE2_UCP | PCRE2_DOTALL | PCRE2_DOLLAR_ENDONLY;

/* By name and number of arguments. */
static struct shape shape_of(const struct wr_func *fn, int n)
{
    struct shape s = {.pattern = 1, .flags = -1, .escape = -1};
    const char *name = fn->name;
    s.options = strchr(name, '*') && strchr("~!", name[0]) ? PCRE2_CASELESS : 0;
    if (strcmp(name, "similar") == 0) {
        s.similar = true;
        s.escape = n == 3 ? 2 : -1;
    } else if (strcmp(name, "regexp_replace") == 0) {
        s.flags = n == 4 && fn->sig[3] == 't' ? 3 : n == 6 ? 5 : -1;
    } else if (strcmp(name, "regexp_like") == 0 || strcmp(name, "regexp_match") == 0 || strcmp(name, "regexp_split_to_array") == 0) {
        s.flags = n == 3 ? 2 : -1;
    } else if (strcmp(name, "regexp_count") == 0) {
        s.flags = n == 4 ? 3 : -1;
    } else if (strcmp(name, "regexp_substr") == 0) {
        s.flags = n >= 5 ? 4 : -1;
    } else if (strcmp(name, "regexp_instr") == 0) {
        s.flags = n >= 6 ? 5 : -1;
    }
    return s;
}

static bool regex_build(struct wr_arena *a, const struct shape *s, struct wr_str pattern, struct wr_str flags, struct wr_str escape, bool constant,
                        struct regex *re, char *wrong)
{
    struct flags f = {.options = usual | s->options};
    if (!read_flags(flags, &f, wrong))
        return false;
    if (s->similar)
        pattern = similar_pattern(a, pattern, escape);
    return regex_make(a, pattern, f, constant, re, wrong);
}

static wr_status regex_bind(struct wr_arena *a, const struct wr_func *fn, struct wr_expr *const *arg, int n, const void **data, struct wr_error *err)
{
    struct shape s = shape_of(fn, n);
    struct wr_str pattern, flags = {NULL, 0}, escape = WR_STR("\\");
    if (!wr_arg_text(arg[s.pattern], &pattern) || (s.flags >= 0 && !wr_arg_text(arg[s.flags], &flags)) ||
        (s.escape >= 0 && !wr_arg_text(arg[s.escape], &escape)))
        return WR_OK;
    char wrong[WRONG];
    struct regex *re = WR_NEW(a, struct regex);
    if (!regex_build(a, &s, pattern, flags, escape, true, re, wrong))
        return wr_fail_at(err, WR_ESQL, arg[s.pattern]->off, "%s", wrong);
    *data = re;
    return WR_OK;
}

/* ---- matching ---- */

/* One kernel call's surroundings. */
struct run {
    struct wr_eval *ev;
    const struct wr_call *c;
    struct shape shape;
    struct regex own;             /* of a pattern that comes from rows; kept while pattern and flags stay the same */
    struct wr_str own_pattern, own_flags, own_escape;
    const struct regex *re;       /* of the row at hand; NULL: bad */
    pcre2_match_data *found;
    pcre2_match_context *ctx;
    PCRE2_SIZE plain_at[2];
    const PCRE2_SIZE *at;         /* after a match: from, to of the whole and of each group */
};

static void run_begin(struct run *r, struct wr_eval *ev, const struct wr_call *c)
{
    *r = (struct run){.ev = ev, .c = c, .shape = shape_of(c->fn, c->n_arg), .re = c->data};
    r->ctx = pcre2_match_context_create(NULL);
    pcre2_set_match_limit(r->ctx, MATCH_STEPS);
    pcre2_set_heap_limit(r->ctx, MATCH_HEAP_KB);
    if (r->re && r->re->code)
        r->found = pcre2_match_data_create_from_pattern(r->re->code, NULL);
}

static void run_end(struct run *r)
{
    pcre2_match_data_free(r->found);
    pcre2_match_context_free(r->ctx);
}

/* The row's pattern; false: it is wrong, the row was marked. */
static bool run_row(struct run *r, uint32_t row)
{
    const struct wr_call *c = r->c;
    if (c->data)
        return true;
    struct wr_str pattern = WR_ARG_S(r->shape.pattern, row), flags = {NULL, 0}, escape = WR_STR("\\");
    if (r->shape.flags >= 0)
        flags = WR_ARG_S(r->shape.flags, row);
    if (r->shape.escape >= 0)
        escape = WR_ARG_S(r->shape.escape, row);
    if (r->re && wr_str_eq(pattern, r->own_pattern) && wr_str_eq(flags, r->own_flags) && wr_str_eq(escape, r->own_escape))
        return true;
    char wrong[WRONG];
    r->re = NULL;
    pcre2_match_data_free(r->found);
    r->found = NULL;
    if (!regex_build(r->ev->mem, &r->shape, pattern, flags, escape, false, &r->own, wrong)) {
        wr_eval_bad(r->ev, row, WR_R_ARGUMENT, "%s", wrong);
        return false;
    }
    r->re = &r->own;
    r->own_pattern = pattern;
    r->own_flags = flags;
    r->own_escape = escape;
    if (r->own.code)
        r->found = pcre2_match_data_create_from_pattern(r->own.code, NULL);
    return true;
}

/* First match in s at or behind byte `from`; r->at says where. A pattern that needs too much marks the row. */
static bool run_match(struct run *r, struct wr_str s, uint32_t from, uint32_t row)
{
    const char *text = s.n ? s.p : "";
    if (from > s.n)
        return false;
    if (!r->re->code) {
        const char *p = memmem(text + from, s.n - from, r->re->plain.p, r->re->plain.n);
        if (!p)
            return false;
        r->plain_at[0] = (PCRE2_SIZE)(p - text);
        r->plain_at[1] = r->plain_at[0] + r->re->plain.n;
        r->at = r->plain_at;
        return true;
    }
    uint32_t options = from ? PCRE2_NO_UTF_CHECK : 0;
    int rc = pcre2_match(r->re->code, (PCRE2_SPTR)text, s.n, from, options, r->found, r->ctx);
    if (rc == PCRE2_ERROR_JIT_STACKLIMIT)
        rc = pcre2_match(r->re->code, (PCRE2_SPTR)text, s.n, from, options | PCRE2_NO_JIT, r->found, r->ctx);
    r->at = pcre2_get_ovector_pointer(r->found);
    if (rc < 0 && rc != PCRE2_ERROR_NOMATCH)
        wr_eval_bad(r->ev, row, WR_R_LIMIT, "the regular expression needs too many steps on this text");
    return rc > 0;
}

/* Where to look for the next match: behind an empty one, a character further. */
static uint32_t run_next(const struct run *r, struct wr_str s)
{
    uint32_t to = (uint32_t)r->at[1];
    if (r->at[0] < r->at[1])
        return to;
    return to < s.n ? wr_utf8_skip(s, to, 1) : s.n + 1;
}

/* Group i of the match; false: it took no part. */
static bool run_group(const struct run *r, struct wr_str s, uint32_t i, struct wr_str *out)
{
    *out = (struct wr_str){NULL, 0};
    if (i > r->re->groups || r->at[2 * i] == PCRE2_UNSET)
        return false;
    *out = (struct wr_str){s.p + r->at[2 * i], (uint32_t)(r->at[2 * i + 1] - r->at[2 * i])};
    return true;
}

/* ---- tests ---- */

static void test(struct wr_eval *ev, const struct wr_call *c, bool want, struct wr_vec *out, const uint32_t *sel, uint32_t n)
{
    struct run r;
    run_begin(&r, ev, c);
    WR_ROWS(row) WR_VEC_I8(out)[row] = run_row(&r, row) && run_match(&r, WR_ARG_S(0, row), 0, row) == want;
    run_end(&r);
}
WR_KERNEL(k_matches) { test(ev, c, true, out, sel, n); }
WR_KERNEL(k_matches_not) { test(ev, c, false, out, sel, n); }

/* ---- parts ---- */

/* substring(text, pattern): the first group, or the whole match */
WR_KERNEL(k_substring)
{
    struct run r;
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        if (!run_row(&r, row) || !run_match(&r, s, 0, row) || !run_group(&r, s, r.re->groups > 0, &WR_VEC_STR(out)[row]))
            wr_out_null(ev, out, row);
    }
    run_end(&r);
}

/* regexp_extract(text, pattern [, group]) */
WR_KERNEL(k_extract)
{
    struct run r;
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t group = c->n_arg == 3 ? WR_ARG_I(2, row) : 0;
        bool ok = run_row(&r, row);
        if (ok && (group < 0 || group > r.re->groups)) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "the regular expression has %u groups, not %lld", r.re->groups, (long long)group);
            ok = false;
        }
        if (!ok || !run_match(&r, s, 0, row) || !run_group(&r, s, (uint32_t)group, &WR_VEC_STR(out)[row]))
            wr_out_null(ev, out, row);
    }
    run_end(&r);
}

/* The n-th match at or behind character `start`; *ok false: an argument is out of range. */
static bool nth_match(struct run *r, struct wr_str s, int64_t start, int64_t nth, uint32_t row, bool *ok)
{
    *ok = start > 0 && nth > 0;
    if (!*ok) {
        wr_eval_bad(r->ev, row, WR_R_ARGUMENT, "start and occurrence must be greater than zero");
        return false;
    }
    uint32_t from = wr_utf8_skip(s, 0, (uint64_t)start - 1);
    if (from == s.n && (int64_t)wr_utf8_count(s) < start - 1)
        return false;
    for (; run_match(r, s, from, row); from = run_next(r, s))
        if (--nth == 0)
            return true;
    return false;
}

/* regexp_substr(text, pattern [, start [, n [, flags [, group]]]]) */
WR_KERNEL(k_substr)
{
    struct run r;
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t start = c->n_arg > 2 ? WR_ARG_I(2, row) : 1, nth = c->n_arg > 3 ? WR_ARG_I(3, row) : 1, group = c->n_arg > 5 ? WR_ARG_I(5, row) : 0;
        bool ok;
        if (!run_row(&r, row) || !nth_match(&r, s, start, nth, row, &ok) || group < 0 || group > UINT16_MAX ||
            !run_group(&r, s, (uint32_t)group, &WR_VEC_STR(out)[row]))
            wr_out_null(ev, out, row);
    }
    run_end(&r);
}

/* regexp_instr(text, pattern [, start [, n [, end [, flags [, group]]]]]) */
WR_KERNEL(k_instr)
{
    struct run r;
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), part;
        int64_t start = c->n_arg > 2 ? WR_ARG_I(2, row) : 1, nth = c->n_arg > 3 ? WR_ARG_I(3, row) : 1;
        int64_t end = c->n_arg > 4 ? WR_ARG_I(4, row) : 0, group = c->n_arg > 6 ? WR_ARG_I(6, row) : 0;
        bool ok;
        WR_VEC_I64(out)[row] = 0;
        if (end != 0 && end != 1) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "the end option is 0 or 1");
            continue;
        }
        if (run_row(&r, row) && nth_match(&r, s, start, nth, row, &ok) && group >= 0 && group <= UINT16_MAX && run_group(&r, s, (uint32_t)group, &part)) {
            uint32_t at = (uint32_t)(part.p - s.p) + (end ? part.n : 0);
            WR_VEC_I64(out)[row] = (int64_t)wr_utf8_count((struct wr_str){s.p, at}) + 1;
        }
    }
    run_end(&r);
}

/* regexp_count(text, pattern [, start [, flags]]) */
WR_KERNEL(k_count)
{
    struct run r;
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t start = c->n_arg > 2 ? WR_ARG_I(2, row) : 1, found = 0;
        WR_VEC_I64(out)[row] = 0;
        if (start < 1) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "start must be greater than zero");
            continue;
        }
        if (!run_row(&r, row))
            continue;
        uint32_t from = wr_utf8_skip(s, 0, (uint64_t)start - 1);
        for (; run_match(&r, s, from, row); from = run_next(&r, s))
            found++;
        WR_VEC_I64(out)[row] = found;
    }
    run_end(&r);
}

/* ---- arrays ---- */

static void put_text(struct wr_nested_maker *m, struct wr_str s, bool null)
{
    const struct wr_value v = {.type = WR_TYPE_OF(TEXT), .null = null, .as.s = s};
    wr_nested_put(m, &v);
}

/* regexp_match(text, pattern [, flags]): the groups of the first match, or the whole of it */
WR_KERNEL(k_match)
{
    struct run r;
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), part;
        if (!run_row(&r, row) || !run_match(&r, s, 0, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        struct wr_nested_maker m;
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        for (uint32_t i = r.re->groups > 0; i <= r.re->groups; i++) {
            bool has = run_group(&r, s, i, &part);
            put_text(&m, part, !has);
        }
        wr_nested_close(&m);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
    run_end(&r);
}

/* regexp_extract_all(text, pattern [, group]) */
WR_KERNEL(k_extract_all)
{
    struct run r;
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row), part;
        int64_t group = c->n_arg == 3 ? WR_ARG_I(2, row) : 0;
        struct wr_nested_maker m;
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        for (uint32_t from = 0; run_row(&r, row) && run_match(&r, s, from, row); from = run_next(&r, s)) {
            bool has = group >= 0 && group <= UINT16_MAX && run_group(&r, s, (uint32_t)group, &part);
            put_text(&m, has ? part : (struct wr_str){NULL, 0}, !has);
        }
        wr_nested_close(&m);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
    run_end(&r);
}

/* regexp_split_to_array(text, pattern [, flags]): an empty match cuts nothing off at the ends */
WR_KERNEL(k_split)
{
    struct run r;
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    run_begin(&r, ev, c);
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        struct wr_nested_maker m;
        uint32_t begin = 0;
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        for (uint32_t from = 0; run_row(&r, row) && run_match(&r, s, from, row); from = run_next(&r, s)) {
            uint32_t a = (uint32_t)r.at[0], z = (uint32_t)r.at[1];
            if (a == z && (z == begin || a == s.n))
                continue;
            put_text(&m, (struct wr_str){s.p + begin, a - begin}, false);
            begin = z;
        }
        put_text(&m, (struct wr_str){s.p + begin, s.n - begin}, false);
        wr_nested_close(&m);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
    run_end(&r);
}

/* ---- replacing ---- */

/* \1..\9 are groups, \& the match, \\ a backslash. */
static void put_replacement(struct wr_buf *b, const struct run *r, struct wr_str s, struct wr_str by)
{
    struct wr_str part;
    for (uint32_t i = 0; i < by.n; i++) {
        if (by.p[i] != '\\' || i + 1 == by.n) {
            wr_buf_putc(b, by.p[i]);
            continue;
        }
        char ch = by.p[++i];
        if (ch >= '1' && ch <= '9') {
            if (run_group(r, s, (uint32_t)(ch - '0'), &part))
                wr_buf_str(b, part);
        } else if (ch == '&') {
            if (run_group(r, s, 0, &part))
                wr_buf_str(b, part);
        } else {
            if (ch != '\\')
                wr_buf_putc(b, '\\');
            wr_buf_putc(b, ch);
        }
    }
}

/* regexp_replace(text, pattern, new [, flags]) and (text, pattern, new, start [, n [, flags]]); n 0: all */
WR_KERNEL(k_replace)
{
    struct run r;
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    run_begin(&r, ev, c);
    bool flags3 = r.shape.flags == 3;
    WR_ROWS(row) {
        struct wr_str s = WR_ARG_S(0, row);
        int64_t start = c->n_arg > 3 && !flags3 ? WR_ARG_I(3, row) : 1, nth = c->n_arg > 4 ? WR_ARG_I(4, row) : 1, seen = 0;
        WR_VEC_STR(out)[row] = s;
        if (start < 1 || nth < 0) {
            wr_eval_bad(ev, row, WR_R_ARGUMENT, "start must be greater than zero, the occurrence not negative");
            continue;
        }
        if (!run_row(&r, row))
            continue;
        bool all = c->n_arg > 4 ? nth == 0 : r.re->global;
        uint32_t done = 0;
        wr_buf_reset(&b);
        for (uint32_t from = wr_utf8_skip(s, 0, (uint64_t)start - 1); run_match(&r, s, from, row); from = run_next(&r, s)) {
            seen++;
            if (!all && seen < nth)
                continue;
            wr_buf_add(&b, s.p + done, r.at[0] - done);
            put_replacement(&b, &r, s, WR_ARG_S(2, row));
            done = (uint32_t)r.at[1];
            if (!all)
                break;
        }
        if (b.n == 0 && done == 0)
            continue;
        wr_buf_add(&b, s.p + done, s.n - done);
        if (b.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
    run_end(&r);
}

static bool ret_texts(struct wr_arena *mem WR_UNUSED, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg WR_UNUSED, int n WR_UNUSED, struct wr_type *out,
                      struct wr_error *err WR_UNUSED)
{
    *out = wr_type_array(mem, WR_TYPE_OF(TEXT));
    return true;
}

#define RE(name, sig, kernel, flags, ret, help) {name, sig, kernel, flags, ret, regex_bind, help}
#define NUL WR_F_MAYNULL
static const struct wr_func list[] = {
    RE("~", "tt:b", k_matches, 0, NULL, "text ~ pattern: does the regular expression match"),
    RE("~*", "tt:b", k_matches, 0, NULL, "text ~* pattern: the same, whatever the letters' case"),
    RE("!~", "tt:b", k_matches_not, 0, NULL, "text !~ pattern: does the regular expression not match"),
    RE("!~*", "tt:b", k_matches_not, 0, NULL, "text !~* pattern: the same, whatever the letters' case"),
    RE("similar", "tt:b", k_matches, WR_F_HIDDEN, NULL, ""),
    RE("similar", "ttt:b", k_matches, WR_F_HIDDEN, NULL, ""),
    RE("regexp_like", "tt:b", k_matches, 0, NULL, "regexp_like(text, pattern [, flags]): does the regular expression match"),
    RE("regexp_like", "ttt:b", k_matches, 0, NULL, "regexp_like(text, pattern, flags)"),
    RE("regexp", "tt:b", k_matches, 0, NULL, "regexp(text, pattern): as regexp_like"),
    RE("rlike", "tt:b", k_matches, 0, NULL, "rlike(text, pattern): as regexp_like"),
    RE("substring", "tt:t", k_substring, NUL, NULL, "substring(text, pattern): the first group, or what the regular expression matches; NULL: nothing"),
    RE("regexp_extract", "tt:t", k_extract, NUL, NULL, "regexp_extract(text, pattern [, group]): that group of the first match, 0 (usual) the whole"),
    RE("regexp_extract", "ttl:t", k_extract, NUL, NULL, "regexp_extract(text, pattern, group)"),
    RE("regexp_substr", "tt:t", k_substr, NUL, NULL, "regexp_substr(text, pattern [, start [, n [, flags [, group]]]]): the n-th match"),
    RE("regexp_substr", "ttl:t", k_substr, NUL, NULL, "regexp_substr(text, pattern, start)"),
    RE("regexp_substr", "ttll:t", k_substr, NUL, NULL, "regexp_substr(text, pattern, start, n)"),
    RE("regexp_substr", "ttllt:t", k_substr, NUL, NULL, "regexp_substr(text, pattern, start, n, flags)"),
    RE("regexp_substr", "ttlltl:t", k_substr, NUL, NULL, "regexp_substr(text, pattern, start, n, flags, group)"),
    RE("regexp_instr", "tt:i", k_instr, 0, NULL, "regexp_instr(text, pattern [, start [, n [, end [, flags [, group]]]]]): where the n-th match begins (1: ends)"),
    RE("regexp_instr", "ttl:i", k_instr, 0, NULL, "regexp_instr(text, pattern, start)"),
    RE("regexp_instr", "ttll:i", k_instr, 0, NULL, "regexp_instr(text, pattern, start, n)"),
    RE("regexp_instr", "ttlll:i", k_instr, 0, NULL, "regexp_instr(text, pattern, start, n, end)"),
    RE("regexp_instr", "ttlllt:i", k_instr, 0, NULL, "regexp_instr(text, pattern, start, n, end, flags)"),
    RE("regexp_instr", "ttllltl:i", k_instr, 0, NULL, "regexp_instr(text, pattern, start, n, end, flags, group)"),
    RE("regexp_count", "tt:i", k_count, 0, NULL, "regexp_count(text, pattern [, start [, flags]]): how many matches"),
    RE("regexp_count", "ttl:i", k_count, 0, NULL, "regexp_count(text, pattern, start)"),
    RE("regexp_count", "ttlt:i", k_count, 0, NULL, "regexp_count(text, pattern, start, flags)"),
    RE("regexp_replace", "ttt:t", k_replace, 0, NULL, "regexp_replace(text, pattern, new [, flags]): the first match replaced, with flag g all; \\1 is a group, \\& the match"),
    RE("regexp_replace", "tttt:t", k_replace, 0, NULL, "regexp_replace(text, pattern, new, flags)"),
    RE("regexp_replace", "tttl:t", k_replace, 0, NULL, "regexp_replace(text, pattern, new, start)"),
    RE("regexp_replace", "tttll:t", k_replace, 0, NULL, "regexp_replace(text, pattern, new, start, n): the n-th match replaced, 0 all"),
    RE("regexp_replace", "tttllt:t", k_replace, 0, NULL, "regexp_replace(text, pattern, new, start, n, flags)"),
    RE("regexp_match", "tt:?", k_match, NUL, ret_texts, "regexp_match(text, pattern [, flags]): ARRAY of the first match's groups"),
    RE("regexp_match", "ttt:?", k_match, NUL, ret_texts, "regexp_match(text, pattern, flags)"),
    RE("regexp_extract_all", "tt:?", k_extract_all, 0, ret_texts, "regexp_extract_all(text, pattern [, group]): ARRAY of all matches"),
    RE("regexp_extract_all", "ttl:?", k_extract_all, 0, ret_texts, "regexp_extract_all(text, pattern, group)"),
    RE("regexp_split_to_array", "tt:?", k_split, 0, ret_texts, "regexp_split_to_array(text, pattern [, flags]): what stands between the matches"),
    RE("regexp_split_to_array", "ttt:?", k_split, 0, ret_texts, "regexp_split_to_array(text, pattern, flags)"),
};
WR_FUNC_TABLE(wr_funcs_regex, list);

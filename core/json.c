/* json.c: checking, walking, unescaping and quoting JSON text.
 * Rules:  no recursion (nesting is a bit per level), so no input can exhaust the stack; strict RFC 8259.
 * Memory: pieces are borrowed; only unescaped strings are placed in an arena. */
#include "core/json.h"

static bool is_digit(const char *p, const char *end)
{
    return p < end && *p >= '0' && *p <= '9';
}

static const char *skip_blanks(const char *p, const char *end)
{
    while (p < end && (*p == ' ' || *p == '\t' || *p == '\n' || *p == '\r'))
        p++;
    return p;
}

/* Each of these takes one thing at p and returns what is behind it; NULL: not well-formed. */

static const char *take_digits(const char *p, const char *end)
{
    if (!is_digit(p, end))
        return NULL;
    while (is_digit(p, end))
        p++;
    return p;
}

static const char *take_number(const char *p, const char *end)
{
    if (p < end && *p == '-')
        p++;
    if (p < end && *p == '0')
        p++;
    else
        p = take_digits(p, end);
    if (p && p < end && *p == '.')
        p = take_digits(p + 1, end);
    if (p && p < end && (*p == 'e' || *p == 'E')) {
        p++;
        if (p < end && (*p == '-' || *p == '+'))
            p++;
        p = take_digits(p, end);
    }
    return p;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Four hex digits at p as a number, -1: they are not. */
static int32_t hex4(const char *p, const char *end)
{
    if (end - p < 4)
        return -1;
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int d = hex_digit(p[i]);
        if (d < 0)
            return -1;
        v = v * 16 + d;
    }
    return v;
}

static const char *take_string(const char *p, const char *end)
{
    for (p++; p < end; p++) {
        if (*p == '"')
            return p + 1;
        if ((unsigned char)*p < 0x20)
            return NULL;
        if (*p != '\\')
            continue;
        if (++p == end)
            return NULL;
        if (*p == 'u') {
            if (hex4(p + 1, end) < 0)
                return NULL;
            p += 4;
        } else if (!memchr("\"\\/bfnrt", *p, 8)) {
            return NULL;
        }
    }
    return NULL;
}

static const char *take_word(const char *p, const char *end, struct wr_str word)
{
    return (size_t)(end - p) >= word.n && memcmp(p, word.p, word.n) == 0 ? p + word.n : NULL;
}

static const char *take_scalar(const char *p, const char *end)
{
    switch (*p) {
    case '"': return take_string(p, end);
    case 't': return take_word(p, end, WR_STR("true"));
    case 'f': return take_word(p, end, WR_STR("false"));
    case 'n': return take_word(p, end, WR_STR("null"));
    default: return take_number(p, end);
    }
}

/* "name" : and the blanks behind it */
static const char *take_key(const char *p, const char *end)
{
    p = skip_blanks(p, end);
    if (p == end || *p != '"')
        return NULL;
    p = take_string(p, end);
    if (!p)
        return NULL;
    p = skip_blanks(p, end);
    return p < end && *p == ':' ? skip_blanks(p + 1, end) : NULL;
}

/* One value of any kind. `object` has a bit for each open bracket: set if it is a brace. */
static const char *take_value(const char *p, const char *end)
{
    uint64_t object[WR_JSON_DEPTH / 64 + 1];
    int depth = 0;
    for (;;) {
        /* a value begins here */
        p = skip_blanks(p, end);
        if (p == end)
            return NULL;
        bool brace = *p == '{';
        if (brace || *p == '[') {
            char close = brace ? '}' : ']';
            const char *inside = skip_blanks(p + 1, end);
            if (depth == WR_JSON_DEPTH || inside == end)
                return NULL;
            if (*inside != close) {
                uint64_t bit = UINT64_C(1) << (depth & 63);
                object[depth >> 6] = ((depth & 63) ? object[depth >> 6] & ~bit : 0) | (brace ? bit : 0);
                depth++;
                p = brace ? take_key(inside, end) : inside;
                if (!p)
                    return NULL;
                continue;
            }
            p = inside + 1;
        } else {
            p = take_scalar(p, end);
            if (!p)
                return NULL;
        }
        /* a value ended here: close brackets until a comma asks for the next one */
        for (;;) {
            if (depth == 0)
                return p;
            bool in_object = object[(depth - 1) >> 6] >> ((depth - 1) & 63) & 1;
            p = skip_blanks(p, end);
            if (p == end)
                return NULL;
            char c = *p++;
            if (c == ',') {
                if (in_object)
                    p = take_key(p, end);
                if (!p)
                    return NULL;
                break;
            }
            if (c != (in_object ? '}' : ']'))
                return NULL;
            depth--;
        }
    }
}

bool wr_json_take(struct wr_str *in, struct wr_str *raw)
{
    if (in->n == 0)
        return false;
    const char *end = in->p + in->n, *start = skip_blanks(in->p, end);
    const char *p = take_value(start, end);
    if (!p)
        return false;
    *raw = (struct wr_str){start, (uint32_t)(p - start)};
    p = skip_blanks(p, end);
    *in = (struct wr_str){p, (uint32_t)(end - p)};
    return true;
}

bool wr_json_valid(struct wr_str s)
{
    struct wr_str raw;
    return wr_json_take(&s, &raw) && s.n == 0;
}

enum wr_json_kind wr_json_kind(struct wr_str raw)
{
    if (raw.n == 0)
        return WR_JSON_BAD;
    switch (raw.p[0]) {
    case '{': return WR_JSON_OBJECT;
    case '[': return WR_JSON_ARRAY;
    case '"': return WR_JSON_STRING;
    case 'n': return WR_JSON_NULL;
    case 't':
    case 'f': return WR_JSON_BOOL;
    default: return raw.p[0] == '-' || is_digit(raw.p, raw.p + 1) ? WR_JSON_NUMBER : WR_JSON_BAD;
    }
}

bool wr_json_iter(struct wr_json_iter *it, struct wr_str raw)
{
    enum wr_json_kind kind = wr_json_kind(raw);
    if (kind != WR_JSON_ARRAY && kind != WR_JSON_OBJECT)
        return false;
    *it = (struct wr_json_iter){.rest = {raw.p + 1, raw.n - 1}, .object = kind == WR_JSON_OBJECT, .first = true};
    return true;
}

bool wr_json_next(struct wr_json_iter *it, struct wr_str *key, struct wr_str *value)
{
    if (it->bad)
        return false;
    const char *end = it->rest.p + it->rest.n, *p = skip_blanks(it->rest.p, end);
    *key = (struct wr_str){NULL, 0};
    if (p < end && *p == (it->object ? '}' : ']'))
        return false;
    it->bad = true;
    if (!it->first) {
        if (p == end || *p != ',')
            return false;
        p = skip_blanks(p + 1, end);
    }
    if (it->object) {
        const char *start = p;
        p = take_key(p, end);
        if (!p)
            return false;
        *key = (struct wr_str){start, (uint32_t)(take_string(start, end) - start)};
    }
    it->rest = (struct wr_str){p, (uint32_t)(end - p)};
    it->first = false;
    it->bad = !wr_json_take(&it->rest, value);
    return !it->bad;
}

/* Character as UTF-8; returns its bytes. */
static int put_utf8(char *to, int32_t c)
{
    if (c < 0x80) {
        to[0] = (char)c;
        return 1;
    }
    if (c < 0x800) {
        to[0] = (char)(0xC0 | c >> 6);
        to[1] = (char)(0x80 | (c & 0x3F));
        return 2;
    }
    if (c < 0x10000) {
        to[0] = (char)(0xE0 | c >> 12);
        to[1] = (char)(0x80 | (c >> 6 & 0x3F));
        to[2] = (char)(0x80 | (c & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | c >> 18);
    to[1] = (char)(0x80 | (c >> 12 & 0x3F));
    to[2] = (char)(0x80 | (c >> 6 & 0x3F));
    to[3] = (char)(0x80 | (c & 0x3F));
    return 4;
}

/* The character of the \u escape whose hex digits begin at *p; *p is moved behind the escape, or behind both halves of a pair. -1: half a pair. */
static int32_t take_unicode(const char **p, const char *end)
{
    int32_t c = hex4(*p, end);
    *p += 4;
    if (c < 0xD800 || c > 0xDFFF)
        return c;
    if (c > 0xDBFF || end - *p < 6 || (*p)[0] != '\\' || (*p)[1] != 'u')
        return -1;
    int32_t low = hex4(*p + 2, end);
    if (low < 0xDC00 || low > 0xDFFF)
        return -1;
    *p += 6;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

bool wr_json_text(struct wr_str raw, struct wr_arena *mem, struct wr_str *out)
{
    if (raw.n < 2)
        return false;
    const char *p = raw.p + 1, *end = raw.p + raw.n - 1;
    *out = (struct wr_str){p, raw.n - 2};
    if (out->n == 0 || !memchr(p, '\\', out->n))
        return true;
    char *text = wr_arena_bytes(mem, out->n), *to = text; /* escapes are never shorter than what they mean */
    while (p < end) {
        if (*p != '\\') {
            *to++ = *p++;
            continue;
        }
        char c = p[1];
        p += 2;
        switch (c) {
        case 'b': *to++ = '\b'; break;
        case 'f': *to++ = '\f'; break;
        case 'n': *to++ = '\n'; break;
        case 'r': *to++ = '\r'; break;
        case 't': *to++ = '\t'; break;
        case 'u': {
            int32_t u = take_unicode(&p, end);
            if (u < 0)
                return false;
            to += put_utf8(to, u);
            break;
        }
        default: *to++ = c; break; /* quote, backslash, slash */
        }
    }
    *out = (struct wr_str){text, (uint32_t)(to - text)};
    return true;
}

bool wr_json_key_is(struct wr_str raw, struct wr_str name)
{
    if (raw.n < 2)
        return false;
    struct wr_str inside = {raw.p + 1, raw.n - 2};
    if (inside.n == 0 || !memchr(inside.p, '\\', inside.n))
        return wr_str_eq(inside, name);
    struct wr_arena mem = {0};
    struct wr_str text;
    bool is = wr_json_text(raw, &mem, &text) && wr_str_eq(text, name);
    wr_arena_clear(&mem);
    return is;
}

/* For each byte: 0 as it is, 'u' as \u00XX, else the letter behind the backslash. */
static const char escape[256] = {
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'b', 't', 'n', 'u', 'f', 'r', 'u', 'u',
    'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u', 'u',
    ['"'] = '"', ['\\'] = '\\', [0x7F] = 0,
};

void wr_json_quote(struct wr_buf *out, struct wr_str s)
{
    static const char hex[] = "0123456789abcdef";
    uint32_t from = 0;
    wr_buf_putc(out, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.p[i];
        if (!escape[c])
            continue;
        wr_buf_add(out, s.p + from, i - from);
        from = i + 1;
        char text[6] = {'\\', escape[c], '0', '0', hex[c >> 4], hex[c & 15]};
        wr_buf_add(out, text, escape[c] == 'u' ? 6 : 2);
    }
    if (s.n)
        wr_buf_add(out, s.p + from, s.n - from);
    wr_buf_putc(out, '"');
}

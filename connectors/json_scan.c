/* json_scan.c: the parts of json_scan.h that are not on every record's way: escapes, numbers in full, values stepped over. */
#include "connectors/json_scan.h"
#include "core/str.h"

const char *wr_json_fail(struct wr_json *j, enum wr_reason reason, const char *where)
{
    j->fail = reason;
    j->where = where;
    return NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four hex digits at p; -1: they are not. Stops at the first that is none, so the closing brace bounds it. */
static int32_t hex4(const char *p)
{
    int32_t v = 0;
    for (int i = 0; i < 4; i++) {
        int h = hex_digit(p[i]);
        if (h < 0)
            return -1;
        v = v << 4 | h;
    }
    return v;
}

const char *wr_json_string_rest(struct wr_json *j, const char *start, const char *p, unsigned *seen)
{
    for (;;) {
        if (p == j->end)
            return wr_json_fail(j, WR_R_SYNTAX, start - 1); /* not closed */
        if (*p == '"')
            break;
        if ((unsigned char)*p > 0x7F) {
            p = wr_json_plain(p, j->end, seen);
            continue;
        }
        if (*p != '\\')
            return wr_json_fail(j, WR_R_SYNTAX, p); /* control byte */
        *seen |= WR_JSON_ESCAPE;
        switch (p[1]) {
        case '"': case '\\': case '/': case 'b': case 'f': case 'n': case 'r': case 't':
            p += 2;
            break;
        case 'u':
            if (hex4(p + 2) < 0)
                return wr_json_fail(j, WR_R_SYNTAX, p);
            p += 6;
            break;
        default:
            return wr_json_fail(j, WR_R_SYNTAX, p);
        }
        p = wr_json_plain(p, j->end, seen);
    }
    if ((*seen & WR_JSON_HIGH) && !wr_utf8_valid((struct wr_str){start, (uint32_t)(p - start)}))
        return wr_json_fail(j, WR_R_UTF8, start);
    return p;
}

static uint32_t put_utf8(char *to, uint32_t c)
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

/* The character that the \u escape at p (behind the 'u', checked) stands for, with its second half if it is a pair. 0: not one. */
static uint32_t unicode_escape(const char *p, const char *end, uint32_t *used)
{
    uint32_t c = (uint32_t)hex4(p);
    *used = 4;
    if (c < 0xD800 || c > 0xDFFF)
        return c;
    if (c > 0xDBFF || end - p < 10 || p[4] != '\\' || p[5] != 'u')
        return 0;
    uint32_t low = (uint32_t)hex4(p + 6);
    if (low < 0xDC00 || low > 0xDFFF)
        return 0;
    *used = 10;
    return 0x10000 + ((c - 0xD800) << 10) + (low - 0xDC00);
}

bool wr_json_unescape(struct wr_str s, char *to, uint32_t *n)
{
    static const char from[] = "bfnrt", into[] = "\b\f\n\r\t";
    const char *p = s.p, *end = s.p + s.n;
    char *at = to;
    while (p < end) {
        if (*p != '\\') {
            *at++ = *p++;
            continue;
        }
        const char *letter = memchr(from, p[1], sizeof from - 1);
        if (p[1] == 'u') {
            uint32_t used, c = unicode_escape(p + 2, end, &used);
            if (c == 0)
                return false;
            at += put_utf8(at, c);
            p += 2 + used;
        } else {
            *at++ = letter ? into[letter - from] : p[1];
            p += 2;
        }
    }
    *n = (uint32_t)(at - to);
    return true;
}

static inline bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

const char *wr_json_number(struct wr_json *j, const char *p)
{
    if (*p == '-')
        p++;
    if (!is_digit(*p))
        return wr_json_fail(j, WR_R_SYNTAX, p);
    if (*p == '0' && is_digit(p[1]))
        return wr_json_fail(j, WR_R_SYNTAX, p);
    while (is_digit(*p))
        p++;
    if (*p == '.') {
        p++;
        if (!is_digit(*p))
            return wr_json_fail(j, WR_R_SYNTAX, p);
        while (is_digit(*p))
            p++;
    }
    if (*p == 'e' || *p == 'E') {
        p++;
        if (*p == '+' || *p == '-')
            p++;
        if (!is_digit(*p))
            return wr_json_fail(j, WR_R_SYNTAX, p);
        while (is_digit(*p))
            p++;
    }
    return p;
}

const char *wr_json_literal(struct wr_json *j, const char *p)
{
    const char *word = *p == 't' ? "true" : *p == 'f' ? "false" : "null", *at = p;
    for (; *word; word++, at++)
        if (*at != *word)
            return wr_json_fail(j, WR_R_SYNTAX, p);
    return at;
}

/* A value that holds no others. */
static inline const char *skip_scalar(struct wr_json *j, const char *p)
{
    unsigned seen;
    switch (*p) {
    case '"':
        p = wr_json_string(j, p + 1, &seen);
        return p ? p + 1 : NULL;
    case 't': case 'f': case 'n':
        return wr_json_literal(j, p);
    case '-': case '0': case '1': case '2': case '3': case '4': case '5': case '6': case '7': case '8': case '9':
        return wr_json_number(j, p);
    default:
        return wr_json_fail(j, WR_R_SYNTAX, p);
    }
}

/* Steps over `"key" :` and white space behind it. */
static const char *skip_key(struct wr_json *j, const char *p)
{
    unsigned seen;
    if (*p != '"')
        return wr_json_fail(j, WR_R_SYNTAX, p);
    p = wr_json_string(j, p + 1, &seen);
    if (!p)
        return NULL;
    p = wr_json_space(p + 1);
    if (*p != ':')
        return wr_json_fail(j, WR_R_SYNTAX, p);
    return wr_json_space(p + 1);
}

const char *wr_json_skip(struct wr_json *j, const char *p, int depth)
{
    if (WR_LIKELY(*p != '{' && *p != '['))
        return skip_scalar(j, p);
    uint64_t object[(WR_JSON_DEPTH + 63) / 64]; /* a bit for each open container: is it an object */
    int open = 0;                               /* containers open here */
    for (;;) {
        bool closed = false; /* a container just ended: a value as well */
        if (*p == '{' || *p == '[') {
            if (depth + open >= WR_JSON_DEPTH)
                return wr_json_fail(j, WR_R_DEPTH, p);
            bool is_object = *p == '{';
            uint64_t bit = UINT64_C(1) << (open & 63);
            object[open >> 6] = is_object ? (open & 63 ? object[open >> 6] : 0) | bit : (open & 63 ? object[open >> 6] : 0) & ~bit;
            open++;
            p = wr_json_space(p + 1);
            closed = *p == (is_object ? '}' : ']');
            if (!closed) {
                p = is_object ? skip_key(j, p) : p;
                if (!p)
                    return NULL;
                continue;
            }
        } else {
            p = skip_scalar(j, p);
            if (!p)
                return NULL;
        }
        /* Behind a value: more of the container, or its end, or its parent's. */
        for (;;) {
            bool is_object = object[(open - 1) >> 6] >> ((open - 1) & 63) & 1;
            if (!closed) {
                p = wr_json_space(p);
                if (*p == ',') {
                    p = wr_json_space(p + 1);
                    p = is_object ? skip_key(j, p) : p;
                    if (!p)
                        return NULL;
                    break;
                }
                if (*p != (is_object ? '}' : ']'))
                    return wr_json_fail(j, WR_R_SYNTAX, p);
            }
            closed = false;
            p++;
            open--;
            if (p == j->end && depth + open > 0)
                return wr_json_fail(j, WR_R_SYNTAX, p - 1); /* the text ended inside */
            if (open == 0)
                return p;
        }
    }
}

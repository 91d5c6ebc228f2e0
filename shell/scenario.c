/* scenario.c: reads a scenario file; see scenario.h.
 * Record lines of an input block:   [@partition] [key=text] [ts=time] record-bytes-to-end-of-line
 * Other lines:                      !advance 30 s      !caught-up [@partition]      # comment (only with a blank behind #)
 * Escapes in a record: none; a record is the line's bytes. `hex:` in front of it takes the bytes in hexadecimal. */
#include "shell/scenario.h"

#include <stdlib.h>

#include "core/time.h"

static const char *const block_name[] = {"sql", "job", "input", "expect", "changes", "counts", "error"};

bool wr_next_line(struct wr_str *text, struct wr_str *line)
{
    if (text->n == 0)
        return false;
    const char *nl = memchr(text->p, '\n', text->n);
    uint32_t n = nl ? (uint32_t)(nl - text->p) : text->n;
    *line = (struct wr_str){text->p, n};
    uint32_t used = nl ? n + 1 : n;
    text->p += used;
    text->n -= used;
    if (line->n && line->p[line->n - 1] == '\r')
        line->n--;
    return true;
}

/* First word of *s, taken off; blanks before it are skipped. */
static struct wr_str word(struct wr_str *s)
{
    while (s->n && (*s->p == ' ' || *s->p == '\t')) {
        s->p++;
        s->n--;
    }
    struct wr_str w = {s->p, 0};
    while (s->n && *s->p != ' ' && *s->p != '\t') {
        s->p++;
        s->n--;
        w.n++;
    }
    return w;
}

static bool starts(struct wr_str s, const char *z) { return s.n >= strlen(z) && memcmp(s.p, z, strlen(z)) == 0; }

bool wr_block_attr(const struct wr_block *b, const char *name, struct wr_str *out)
{
    struct wr_str rest = b->attrs;
    for (struct wr_str w; (w = word(&rest)).n > 0;) {
        size_t n = strlen(name);
        if (w.n > n && memcmp(w.p, name, n) == 0 && w.p[n] == '=') {
            *out = (struct wr_str){w.p + n + 1, w.n - (uint32_t)n - 1};
            return true;
        }
    }
    return false;
}

static bool parse_int(struct wr_str s, int64_t *out)
{
    int64_t v = 0;
    for (uint32_t i = 0; i < s.n; i++) {
        if (s.p[i] < '0' || s.p[i] > '9' || v > 1000000000)
            return false;
        v = v * 10 + (s.p[i] - '0');
    }
    *out = v;
    return s.n > 0;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static bool unhex(struct wr_str s, struct wr_arena *a, struct wr_str *out)
{
    char *p = wr_arena_bytes(a, s.n / 2 + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; i + 1 < s.n; i += 2) {
        int hi = hex_digit(s.p[i]), lo = hex_digit(s.p[i + 1]);
        if (hi < 0 || lo < 0)
            return false;
        p[n++] = (char)(hi * 16 + lo);
    }
    *out = (struct wr_str){p, n};
    return s.n % 2 == 0;
}

/* @n, key=, ts= in front of a record. */
static wr_status record_prefix(struct wr_str *rest, struct wr_event *e, wr_status (*fail)(struct wr_error *, int, const char *, struct wr_str),
                               struct wr_error *err)
{
    for (;;) {
        struct wr_str at = *rest, w = word(&at);
        int64_t n;
        bool range;
        if (w.n > 1 && w.p[0] == '@') {
            if (!parse_int((struct wr_str){w.p + 1, w.n - 1}, &n))
                return fail(err, e->line, "not a partition number", w);
            e->part = (int32_t)n;
        } else if (starts(w, "key=")) {
            e->key = (struct wr_str){w.p + 4, w.n - 4};
            e->has_key = true;
        } else if (starts(w, "ts=")) {
            if (!wr_time_parse((struct wr_str){w.p + 3, w.n - 3}, &e->ts_us, &range))
                return fail(err, e->line, "not a time", w);
        } else {
            break;
        }
        *rest = at;
    }
    if (rest->n && *rest->p == ' ') { /* the one blank behind a prefix */
        rest->p++;
        rest->n--;
    }
    return WR_OK;
}

static wr_status fail_line(struct wr_error *err, int line, const char *what, struct wr_str got)
{
    return wr_fail(err, WR_EUSAGE, "line %d: %s: \"%.*s\"", line, what, WR_FMT(got));
}

static wr_status directive(struct wr_str line, struct wr_event *e, struct wr_error *err)
{
    struct wr_str rest = line, w = word(&rest);
    if (wr_str_eq_c(w, "!advance")) {
        e->kind = WR_EVENT_ADVANCE;
        if (!wr_duration_parse(wr_str_trim(rest), &e->us))
            return fail_line(err, e->line, "not a duration", rest);
        return WR_OK;
    }
    if (wr_str_eq_c(w, "!caught-up")) {
        e->kind = WR_EVENT_CAUGHT;
        struct wr_str p = word(&rest);
        int64_t n = -1;
        if (p.n > 0 && (p.p[0] != '@' || !parse_int((struct wr_str){p.p + 1, p.n - 1}, &n)))
            return fail_line(err, e->line, "not a partition", p);
        e->part = (int32_t)n;
        return WR_OK;
    }
    return fail_line(err, e->line, "unknown directive (there are !advance and !caught-up)", w);
}

static wr_status parse_input(const struct wr_block *b, struct wr_arena *a, struct wr_scenario *s, struct wr_error *err)
{
    struct wr_str text = b->text, line;
    int64_t part = 0;
    struct wr_str attr;
    if (wr_block_attr(b, "partition", &attr) && !parse_int(attr, &part))
        return fail_line(err, b->line, "not a partition number", attr);
    for (int no = b->line + 1; wr_next_line(&text, &line); no++) {
        if (wr_str_trim(line).n == 0 || starts(line, "# "))
            continue;
        struct wr_event *e = &s->event[s->n_event];
        *e = (struct wr_event){.source = b->name, .part = (int32_t)part, .ts_us = INT64_MIN, .line = no};
        if (line.p[0] == '!') {
            WR_TRY(directive(line, e, err));
        } else {
            WR_TRY(record_prefix(&line, e, fail_line, err));
            e->value = line;
            if (starts(line, "hex:") && !unhex(wr_str_trim((struct wr_str){line.p + 4, line.n - 4}), a, &e->value))
                return fail_line(err, no, "not hexadecimal", line);
        }
        s->n_event++;
    }
    return WR_OK;
}

static wr_status parse_header(struct wr_str line, int no, struct wr_block *b, struct wr_error *err)
{
    struct wr_str rest = {line.p + 4, line.n - 4};
    struct wr_str kind = word(&rest);
    *b = (struct wr_block){.line = no};
    int k = 0, n = (int)(sizeof block_name / sizeof *block_name);
    while (k < n && !wr_str_eq_c(kind, block_name[k]))
        k++;
    if (k == n) {
        struct wr_str cand[sizeof block_name / sizeof *block_name];
        for (int i = 0; i < n; i++)
            cand[i] = wr_str_c(block_name[i]);
        struct wr_str near = wr_str_nearest(kind, cand, n);
        (void)fail_line(err, no, "unknown block", kind);
        if (near.n)
            wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
        return WR_EUSAGE;
    }
    b->kind = (enum wr_block_kind)k;
    struct wr_str at = rest, name = word(&at);
    if (name.n > 0 && !memchr(name.p, '=', name.n)) {
        b->name = name;
        rest = at;
    }
    b->attrs = wr_str_trim(rest);
    return WR_OK;
}

wr_status wr_scenario_parse(struct wr_str path, struct wr_str text, struct wr_arena *a, struct wr_scenario *out, struct wr_error *err)
{
    int lines = 1;
    for (uint32_t i = 0; i < text.n; i++)
        lines += text.p[i] == '\n';
    *out = (struct wr_scenario){.path = path, .block = WR_NEW_N(a, struct wr_block, lines), .event = WR_NEW_N(a, struct wr_event, lines)};
    struct wr_str rest = text, line;
    struct wr_block *b = NULL;
    for (int no = 1; wr_next_line(&rest, &line); no++) {
        if (starts(line, "====")) {
            b = &out->block[out->n_block++];
            WR_TRY(parse_header(line, no, b, err));
            b->text = (struct wr_str){rest.p, 0};
        } else if (b) {
            b->text.n = (uint32_t)(rest.p - b->text.p);
        } else if (out->title.n == 0) {
            out->title = wr_str_trim(line);
        }
    }
    for (int i = 0; i < out->n_block; i++)
        if (out->block[i].kind == WR_BLOCK_INPUT) {
            if (out->block[i].name.n == 0)
                return wr_fail(err, WR_EUSAGE, "line %d: an input block needs the name of its source", out->block[i].line);
            WR_TRY(parse_input(&out->block[i], a, out, err));
        }
    if (out->n_block == 0)
        return wr_fail(err, WR_EUSAGE, "line 1: no block found: a scenario has lines like \"==== sql\", \"==== input sales\", \"==== expect\"");
    return WR_OK;
}

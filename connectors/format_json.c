/* format_json.c: the JSON decoder (and the format's entry; json_encode.c is the other way).
 *
 * One walk through a record fills the wanted columns straight into the batch and checks all the rest on the way past. What is wanted is a
 * tree of member names and array places, made of the columns' paths when the decoder is opened. Records of a stream mostly have the same
 * members in the same order, so each object of the tree remembers the keys it saw last, and a key is first compared with the one
 * remembered for its place; only if that fails it is scanned and looked up.
 *
 * Rules:  RFC 8259 strictly, UTF-8 only, no byte order mark, nothing behind the object, at most WR_JSON_DEPTH deep. Of members of the same
 *         name the last one counts. A missing member is NULL. Half surrogate pairs and U+0000 are refused where the text is used.
 * Memory: json_decode.h; the remembered keys live in the decoder's arena and are overwritten, never grown. */
#include "connectors/json_quick.h"
#include "core/decimal.h"

#include <stdlib.h>

enum {
    KEY_SLOTS = 64,  /* members of one object that are remembered */
    KEY_MAX = 48,    /* longest text between two values that is remembered: comma, blanks, name, quotes, colon */
    LOOK_AHEAD = 4,  /* how far a record may leave out members before their place is given to another */
    STEPS_MAX = 32,  /* steps of one path */
    INDEX_MAX = 1 << 20
};

/* What stood between two values, as it is in the text: `, "name": ` with its white space; and what it leads to. */
struct slot {
    uint32_t n;                /* bytes; 0: nothing remembered here */
    const struct wr_jcol *col; /* it is this column's value and nothing else; NULL: */
    struct wr_jwant *want;     /* a wanted place in general; NULL: a member nobody wants */
    uint64_t text[2], mask[2]; /* the first 16 bytes and which of them count; mask 0 and text 1: no bytes are these */
    char full[KEY_MAX];
};

struct member {
    struct wr_str name;
    struct wr_jwant *want;
};

/* An object some of whose members are wanted. */
struct node {
    struct member *member;
    uint32_t n_member, cap;
    uint32_t *table;           /* open hashing: member number + 1; 0: empty */
    uint32_t table_mask;
    struct slot slot[KEY_SLOTS + 1]; /* by place in the record; the last stays empty */
};

struct elem {
    uint32_t at;               /* place in the array, from 0 */
    struct wr_jwant *want;
    struct elem *next;
};

/* A wanted place in the record. */
struct wr_jwant {
    uint32_t n_col;
    struct wr_jcol **col;      /* filled with the value itself */
    struct node *node;         /* wanted inside of it, if it is an object, */
    struct elem *elem;         /* or an array */
    uint64_t *below;           /* set of the columns inside; NULL: none */
};

static const char *read_value(struct wr_jdec *d, struct wr_jwant *want, const char *p);

/* ---- keys ---- */

static uint32_t hash_name(struct wr_str s)
{
    if (s.n == 0)
        return 0;
    uint32_t h = s.n * 0x9E3779B1U;
    h ^= (unsigned char)s.p[0] * 0x85EBCA77U;
    h ^= (unsigned char)s.p[s.n - 1] * 0xC2B2AE3DU;
    h ^= (unsigned char)s.p[s.n / 2] * 0x27D4EB2FU;
    return h ^ h >> 15;
}

static struct wr_jwant *find_member(const struct node *node, struct wr_str name)
{
    for (uint32_t i = hash_name(name) & node->table_mask;; i = (i + 1) & node->table_mask) {
        uint32_t m = node->table[i];
        if (m == 0)
            return NULL;
        if (wr_str_eq(node->member[m - 1].name, name))
            return node->member[m - 1].want;
    }
}

static inline bool slot_is(const struct slot *s, const char *p, const char *end)
{
    if (WR_LIKELY(end - p >= 16)) {
        uint64_t differs = ((wr_load64(p) & s->mask[0]) ^ s->text[0]) | ((wr_load64(p + 8) & s->mask[1]) ^ s->text[1]);
        if (WR_LIKELY(s->n <= 16))
            return !differs;
        return !differs && (size_t)(end - p) >= s->n && memcmp(p + 16, s->full + 16, s->n - 16) == 0;
    }
    return s->n && (size_t)(end - p) >= s->n && memcmp(p, s->full, s->n) == 0;
}

/* The column, if the place is that and nothing else. */
static inline const struct wr_jcol *only_column(const struct wr_jwant *want)
{
    return want && want->n_col == 1 && !want->below ? want->col[0] : NULL;
}

static void remember(struct slot *s, const char *text, uint32_t n, struct wr_jwant *want)
{
    char bits[16];
    memset(s->full, 0, sizeof s->full);
    memcpy(s->full, text, n);
    memset(bits, 0, sizeof bits);
    memset(bits, 0xFF, n < 16 ? n : 16);
    for (int i = 0; i < 2; i++) {
        s->text[i] = wr_load64(s->full + 8 * i);
        s->mask[i] = wr_load64(bits + 8 * i);
    }
    s->n = n;
    s->want = want;
    s->col = only_column(want);
}

/* The name in quotes at p; returns the place behind its colon and white space. *plain: it had no escapes. */
static const char *read_name(struct wr_jdec *d, struct node *node, const char *p, struct wr_jwant **want, bool *plain)
{
    unsigned seen;
    if (*p != '"')
        return wr_json_fail(&d->j, WR_R_SYNTAX, p);
    const char *q = wr_json_string(&d->j, p + 1, &seen);
    if (!q)
        return NULL;
    struct wr_str name = {p + 1, (uint32_t)(q - p - 1)};
    *plain = !(seen & WR_JSON_ESCAPE);
    bool known = true;
    if (!*plain) {
        wr_buf_reset(&d->scratch);
        known = wr_buf_room(&d->scratch, name.n) && wr_json_unescape(name, d->scratch.p, &name.n); /* no name holds half a pair */
        name.p = d->scratch.p;
    }
    *want = known ? find_member(node, name) : NULL;
    q = wr_json_space(q + 1);
    if (*q != ':')
        return wr_json_fail(&d->j, WR_R_SYNTAX, q);
    return wr_json_space(q + 1);
}

/* From behind the brace (first) or behind a value to the next value, where it is not what was expected. *want is &object_end, and the
 * place the one behind the closing brace, if the object ends here. *place moves to where the member is remembered. */
static struct wr_jwant object_end;
WR_JSON_COLD static const char *read_key(struct wr_jdec *d, struct node *node, struct slot **place, const char *p, bool first, struct wr_jwant **want)
{
    const char *from = p;
    bool plain = false;
    p = wr_json_space(p);
    if (*p == '}') {
        *want = &object_end;
        return p + 1;
    }
    struct slot *last = node->slot + KEY_SLOTS; /* stays empty */
    for (struct slot *s = *place + 1; s <= *place + LOOK_AHEAD && s < last && s->n && !first; s++) {
        if (slot_is(s, from, d->j.end)) {
            *place = s;
            *want = s->want;
            return wr_json_space(from + s->n);
        }
    }
    if (!first) {
        if (*p != ',')
            return wr_json_fail(&d->j, WR_R_SYNTAX, p);
        p = wr_json_space(p + 1);
    }
    p = read_name(d, node, p, want, &plain);
    if (p && plain && p - from <= KEY_MAX && *place < last)
        remember(*place, from, (uint32_t)(p - from), *want);
    return p;
}

/* ---- values ---- */

WR_JSON_COLD static const char *unexpected(struct wr_jdec *d, const char *p)
{
    return wr_json_fail(&d->j, WR_R_SYNTAX, p);
}

/* A column gets its value for the second time: what was wrong with the first one no longer counts. */
WR_JSON_COLD static void forget_value(struct wr_jdec *d, uint32_t word, uint64_t bits)
{
    d->seen[word] &= ~bits;
    d->failed[word] &= ~bits;
}

static const char *fill_slow(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    if (d->seen[c->word] & c->bit)
        forget_value(d, c->word, c->bit);
    d->seen[c->word] |= c->bit;
    return c->store(d, c, p);
}

/* The same on the way of most values: inlined, with the short ways. */
static inline __attribute__((always_inline)) const char *fill(struct wr_jdec *d, const struct wr_jcol *c, const char *p)
{
    if (WR_UNLIKELY(d->seen[c->word] & c->bit))
        forget_value(d, c->word, c->bit);
    d->seen[c->word] |= c->bit;
    return wr_quick_store(d, c, p);
}

/* A member nobody wants; most are strings or numbers. */
static inline const char *skip_value(struct wr_jdec *d, const char *p)
{
    if (*p == '"') {
        const char *q = wr_json_ascii(&d->j, p + 1);
        if (WR_LIKELY(q < d->j.end && *q == '"'))
            return q + 1;
    }
    return wr_json_skip(&d->j, p, d->depth);
}

/* The members of an object; p: behind its brace. Returns the place behind the closing one. */
static const char *read_object(struct wr_jdec *d, struct node *node, const char *p)
{
    const char *const end = d->j.end, *const from = p;
    for (struct slot *place = node->slot;; place++) {
        const struct wr_jcol *col;
        struct wr_jwant *want;
        if (*p == '}') /* behind the brace or behind a value: never behind a comma */
            return p + 1;
        if (WR_LIKELY(slot_is(place, p, end))) {
            p += place->n;
            col = place->col;
            want = place->want;
            if (WR_UNLIKELY((unsigned char)*p <= ' ')) /* more of it than last time */
                p = wr_json_space(p);
        } else {
            p = read_key(d, node, &place, p, p == from, &want);
            if (!p || want == &object_end)
                return p;
            col = only_column(want);
            place -= place == node->slot + KEY_SLOTS; /* the last one stays the last one */
        }
        if (WR_LIKELY(col != NULL))
            p = fill(d, col, p);
        else
            p = want ? read_value(d, want, p) : skip_value(d, p);
        if (WR_UNLIKELY(!p))
            return NULL;
    }
}

/* The elements of an array; p: behind its bracket. */
static const char *read_array(struct wr_jdec *d, struct elem *wanted, const char *p)
{
    p = wr_json_space(p);
    if (*p == ']')
        return p + 1;
    for (uint32_t at = 0;; at++) {
        struct elem *e = wanted;
        while (e && e->at != at)
            e = e->next;
        p = e ? read_value(d, e->want, p) : wr_json_skip(&d->j, p, d->depth);
        if (!p)
            return NULL;
        p = wr_json_space(p);
        if (*p == ']')
            return p + 1;
        if (*p != ',')
            return unexpected(d, p);
        p = wr_json_space(p + 1);
    }
}

/* A wanted value in general: columns of its own, columns inside of it, or both. Recursion is bounded by the length of paths. */
static const char *read_value(struct wr_jdec *d, struct wr_jwant *want, const char *p)
{
    const char *start = p;
    for (uint32_t w = 0; want->below && w < d->n_word; w++)
        if (d->seen[w] & want->below[w])
            forget_value(d, w, want->below[w]);
    bool object = *p == '{' && want->node, array = *p == '[' && want->elem;
    if (object || array) {
        if (d->depth >= WR_JSON_DEPTH)
            return wr_json_fail(&d->j, WR_R_DEPTH, p);
        d->depth++;
        p = object ? read_object(d, want->node, p + 1) : read_array(d, want->elem, p + 1);
        d->depth--;
        if (p == d->j.end && d->depth > 0) /* the brace that closed it was the text's last byte */
            return unexpected(d, p - 1);
    } else {
        p = wr_json_skip(&d->j, p, d->depth);
    }
    for (uint32_t i = 0; p && i < want->n_col; i++)
        if (!fill_slow(d, want->col[i], start))
            return NULL;
    return p;
}

/* ---- records ---- */

WR_JSON_COLD static enum wr_reason explain(const struct wr_json *j, struct wr_bad *why)
{
    struct wr_str none = {NULL, 0};
    size_t at = (size_t)(j->where - j->begin) + 1;
    if (j->fail == WR_R_UTF8)
        return wr_bad_set(why, WR_R_UTF8, none, "text at byte %zu is not valid UTF-8", at);
    if (j->fail == WR_R_DEPTH)
        return wr_bad_set(why, WR_R_DEPTH, none, "nested deeper than %d at byte %zu", WR_JSON_DEPTH, at);
    char shown[WR_QUOTE_MAX];
    uint32_t n = wr_utf8_step((struct wr_str){j->where, (uint32_t)(j->end - j->where)});
    return wr_bad_set(why, WR_R_SYNTAX, none, "unexpected %s at byte %zu", wr_bad_quote(shown, (struct wr_str){j->where, n ? n : 1}), at);
}

/* Records that do not begin with '{' and end with '}': bad in any case; the question is how. Looked at in a copy with a '}' behind it. */
WR_JSON_COLD static enum wr_reason explain_odd(struct wr_jdec *d, struct wr_str rec, struct wr_bad *why)
{
    struct wr_str none = {NULL, 0};
    uint32_t skip = 0;
    while (skip < rec.n && wr_json_is_space(rec.p[skip]))
        skip++;
    if (skip == rec.n)
        return wr_bad_set(why, WR_R_SYNTAX, none, "the record is empty");
    if (rec.n - skip >= 3 && memcmp(rec.p + skip, "\xEF\xBB\xBF", 3) == 0)
        return wr_bad_set(why, WR_R_SYNTAX, none, "the record begins with a byte order mark");
    wr_buf_reset(&d->scratch);
    wr_buf_str(&d->scratch, rec);
    wr_buf_putc(&d->scratch, '}');
    if (d->scratch.overflow)
        return wr_bad_set(why, WR_R_TOO_BIG, none, "the record has %u bytes", rec.n);
    const char *begin = d->scratch.p, *end = begin + rec.n, *p = begin + skip;
    d->j = (struct wr_json){.begin = begin, .end = end + 1};
    const char *after = wr_json_skip(&d->j, p, 0);
    if (!after && d->j.where < end)
        return explain(&d->j, why);
    if (!after || after > end)
        return wr_bad_set(why, WR_R_SYNTAX, none, "the record ends in the middle, after %u bytes", rec.n);
    after = wr_json_space(after);
    if (after < end) {
        d->j.where = after;
        d->j.fail = WR_R_SYNTAX;
        return explain(&d->j, why);
    }
    return wr_bad_set(why, WR_R_TYPE, none, "the record is %s, not an object",
                      *p == '[' ? "an array" : *p == '"' ? "a string" : *p == 'n' ? "null" : *p == 't' || *p == 'f' ? "a boolean" : "a number");
}

/* NULLs for the columns whose member did not come; then whether all columns took what they got. */
static enum wr_reason finish_row(struct wr_jdec *d, struct wr_bad *why)
{
    for (uint32_t w = 0; w < d->n_word; w++) {
        uint64_t missing = d->all[w] & ~d->seen[w];
        for (; WR_UNLIKELY(missing); missing &= missing - 1)
            wr_json_put_null(d, &d->col[w * 64 + (unsigned)__builtin_ctzll(missing)], "missing");
    }
    if (WR_LIKELY(!d->any_failed))
        return WR_R_NONE;
    for (uint32_t w = 0; w < d->n_word; w++) {
        if (!d->failed[w])
            continue;
        uint32_t i = w * 64 + (uint32_t)__builtin_ctzll(d->failed[w]);
        return wr_bad_set(why, d->fail[i].reason, d->col[i].name, "%s", d->fail[i].msg);
    }
    return WR_R_NONE;
}

static enum wr_reason json_decode(struct wr_decoder *dec, struct wr_str rec, struct wr_batch *into, uint32_t row, struct wr_bad *why)
{
    struct wr_jdec *d = (struct wr_jdec *)dec;
    const char *p = rec.p, *end = rec.p + rec.n;
    if (WR_UNLIKELY(rec.n > d->max_bytes))
        return wr_bad_set(why, WR_R_TOO_BIG, (struct wr_str){NULL, 0}, "the record has %u bytes, max_record_bytes is %llu", rec.n,
                          (unsigned long long)d->max_bytes);
    while (end > p && wr_json_is_space(end[-1]))
        end--;
    if (WR_UNLIKELY(end == p || end[-1] != '}'))
        return explain_odd(d, (struct wr_str){p, (uint32_t)(end - p)}, why);
    p = wr_json_space(p);
    if (WR_UNLIKELY(*p != '{'))
        return explain_odd(d, (struct wr_str){rec.p, (uint32_t)(end - rec.p)}, why);
    d->j.begin = rec.p;
    d->j.end = end;
    d->into = into;
    d->row = row;
    for (uint32_t w = 0; w < d->n_word; w++)
        d->seen[w] = 0;
    if (WR_UNLIKELY(d->any_failed)) {
        d->any_failed = false;
        memset(d->failed, 0, sizeof d->failed);
    }
    if (WR_LIKELY(d->root->n_col == 0 && d->root->node)) {
        d->depth = 1;
        p = read_object(d, d->root->node, p + 1);
    } else { /* nothing is wanted, or the whole of it too */
        d->depth = 0;
        p = read_value(d, d->root, p);
    }
    if (WR_UNLIKELY(!p))
        return explain(&d->j, why);
    if (WR_UNLIKELY(p != end)) {
        d->j.where = wr_json_space(p);
        d->j.fail = WR_R_SYNTAX;
        return explain(&d->j, why);
    }
    return finish_row(d, why);
}

/* ---- opening: columns' paths become the tree ---- */

static struct wr_jwant *want_new(struct wr_jdec *d)
{
    return WR_NEW(&d->mem, struct wr_jwant);
}

/* The place called `name` inside `want`, made if it is not there yet. */
static struct wr_jwant *want_member(struct wr_jdec *d, struct wr_jwant *want, struct wr_str name)
{
    if (!want->node) {
        want->node = WR_NEW(&d->mem, struct node);
        for (int i = 0; i <= KEY_SLOTS; i++)
            want->node->slot[i].text[0] = 1;
    }
    struct node *node = want->node;
    for (uint32_t i = 0; i < node->n_member; i++)
        if (wr_str_eq(node->member[i].name, name))
            return node->member[i].want;
    if (node->n_member == node->cap) {
        struct member *more = WR_NEW_N(&d->mem, struct member, node->cap * 2 + 4);
        if (node->n_member)
            memcpy(more, node->member, node->n_member * sizeof *more);
        node->member = more;
        node->cap = node->cap * 2 + 4;
    }
    struct wr_jwant *child = want_new(d);
    node->member[node->n_member++] = (struct member){wr_arena_str(&d->mem, name), child};
    return child;
}

static struct wr_jwant *want_element(struct wr_jdec *d, struct wr_jwant *want, uint32_t at)
{
    for (struct elem *e = want->elem; e; e = e->next)
        if (e->at == at)
            return e->want;
    struct elem *e = WR_NEW(&d->mem, struct elem);
    *e = (struct elem){at, want_new(d), want->elem};
    want->elem = e;
    return e->want;
}

static void want_column(struct wr_jdec *d, struct wr_jwant *want, struct wr_jcol *c)
{
    struct wr_jcol **more = WR_NEW_N(&d->mem, struct wr_jcol *, want->n_col + 1);
    if (want->n_col)
        memcpy(more, want->col, want->n_col * sizeof(struct wr_jcol *));
    more[want->n_col++] = c;
    want->col = more;
}

static bool is_name_byte(char c)
{
    return c != '.' && c != '[' && c != ']' && c != '"' && c != '\'' && (unsigned char)c > ' ';
}

/* One step of a path from *p: ".name", ".\"any name\"", "[3]", "['any name']". Exactly one of name and at is set; at -1: a name. */
static bool path_step(const char **p, const char *end, struct wr_str *name, int64_t *at)
{
    const char *s = *p;
    bool bracket = *s == '[';
    *at = -1;
    if (!bracket && *s != '.')
        return false;
    s++;
    if (s < end && (*s == '"' || *s == '\'')) {
        const char *q = memchr(s + 1, *s, (size_t)(end - s - 1));
        if (!q)
            return false;
        *name = (struct wr_str){s + 1, (uint32_t)(q - s - 1)};
        s = q + 1;
    } else if (bracket) {
        const char *from = s;
        for (*at = 0; s < end && *s >= '0' && *s <= '9' && *at <= INDEX_MAX; s++)
            *at = *at * 10 + (*s - '0');
        if (s == from || *at > INDEX_MAX)
            return false;
    } else {
        const char *from = s;
        while (s < end && is_name_byte(*s))
            s++;
        *name = (struct wr_str){from, (uint32_t)(s - from)};
        if (s == from)
            return false;
    }
    if (bracket) {
        if (s == end || *s != ']')
            return false;
        s++;
    }
    *p = s;
    return true;
}

static wr_status want_path(struct wr_jdec *d, const struct wr_coldef *def, struct wr_jwant **want, struct wr_error *err)
{
    const char *p = def->path.p, *end = p + def->path.n;
    *want = d->root;
    bool good = def->path.n && *p == '$';
    int steps = 0;
    for (p++; good && p < end; steps++) {
        struct wr_str name;
        int64_t at;
        good = steps < STEPS_MAX && path_step(&p, end, &name, &at);
        if (good)
            *want = at < 0 ? want_member(d, *want, name) : want_element(d, *want, (uint32_t)at);
    }
    if (good)
        return WR_OK;
    wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": '%.*s' is not a path that can be read", WR_FMT(def->name), WR_FMT(def->path));
    if (steps > STEPS_MAX)
        wr_hint(err, "a path has at most %d steps", STEPS_MAX);
    else
        wr_hint(err, "a path is '$' and steps such as .name, .\"any name\" and [0]: '$.order.items[0].price'");
    return WR_ESQL;
}

/* Hash tables of the members, and the sets of columns inside; returns by adding want's columns to `all`. */
static void want_finish(struct wr_jdec *d, struct wr_jwant *want, uint64_t *all)
{
    if (want->node || want->elem) {
        want->below = WR_NEW_N(&d->mem, uint64_t, d->n_word);
        for (struct elem *e = want->elem; e; e = e->next)
            want_finish(d, e->want, want->below);
    }
    if (want->node) {
        struct node *node = want->node;
        uint32_t size = 4;
        while (size < node->n_member * 4)
            size *= 2;
        node->table = WR_NEW_N(&d->mem, uint32_t, size);
        node->table_mask = size - 1;
        for (uint32_t m = 0; m < node->n_member; m++) {
            uint32_t i = hash_name(node->member[m].name) & node->table_mask;
            while (node->table[i])
                i = (i + 1) & node->table_mask;
            node->table[i] = m + 1;
            want_finish(d, node->member[m].want, want->below);
        }
    }
    for (uint32_t w = 0; want->below && w < d->n_word; w++)
        all[w] |= want->below[w];
    for (uint32_t i = 0; i < want->n_col; i++)
        all[want->col[i]->word] |= want->col[i]->bit;
}

static wr_status open_column(struct wr_jdec *d, const struct wr_coldef *def, int index, struct wr_error *err)
{
    struct wr_jcol *c = &d->col[d->n_col];
    struct wr_jwant *want;
    enum wr_quick quick;
    wr_jstore *store = wr_json_store_for(def->type, &quick);
    *c = (struct wr_jcol){
        .store = store,
        .quick = quick,
        .vec_at = offsetof(struct wr_batch, col) + (size_t)index * sizeof(struct wr_vec),
        .word = (uint32_t)d->n_col / 64,
        .bit = UINT64_C(1) << (d->n_col % 64),
        .type = def->type,
        .not_null = def->not_null,
        .name = wr_arena_str(&d->mem, def->name),
        .type_name = wr_type_name(&d->mem, def->type),
    };
    if (!c->store)
        return wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": format \"json\" cannot read a column of type %.*s", WR_FMT(def->name),
                          WR_FMT(c->type_name));
    if (def->type.id == WR_T_DECIMAL)
        c->bound = wr_pow10[def->type.prec <= 38 ? def->type.prec : 38];
    if (def->path.n)
        WR_TRY(want_path(d, def, &want, err));
    else
        want = want_member(d, d->root, def->name);
    want_column(d, want, c);
    d->all[c->word] |= c->bit;
    d->n_col++;
    return WR_OK;
}

static void json_decoder_close(struct wr_decoder *dec)
{
    struct wr_jdec *d = (struct wr_jdec *)dec;
    wr_buf_clear(&d->scratch);
    wr_arena_clear(&d->mem);
    free(d);
}

static wr_status json_decoder_open(const struct wr_source_spec *spec, struct wr_decoder **out, struct wr_error *err)
{
    if (spec->n_col > WR_JSON_COLS)
        return wr_fail(err, WR_ELIMIT, "source \"%.*s\" has %d columns, format \"json\" fills at most %d", WR_FMT(spec->name), spec->n_col, WR_JSON_COLS);
    struct wr_jdec *d = wr_calloc(1, sizeof *d);
    wr_status st = WR_OK;
    struct wr_str unit = wr_opt_text_or(spec->opts, "timestamp_unit", "ms");
    d->ts_nanos = wr_str_eq_c(unit, "ns");
    d->ts_scale = wr_str_eq_c(unit, "s") ? 6 : wr_str_eq_c(unit, "ms") ? 3 : 0;
    d->max_bytes = (uint64_t)wr_opt_bytes(spec->opts, "max_record_bytes", WR_RECORD_MAX);
    d->n_word = ((uint32_t)spec->n_col + 63) / 64;
    d->col = WR_NEW_N(&d->mem, struct wr_jcol, spec->n_col + 1);
    d->fail = WR_NEW_N(&d->mem, struct wr_jfail, spec->n_col + 1);
    d->root = want_new(d);
    for (int i = 0; i < spec->n_col && !st; i++)
        if (spec->col[i].from == WR_COL_FIELD)
            st = open_column(d, &spec->col[i], i, err);
    if (st) {
        json_decoder_close((struct wr_decoder *)d);
        return st;
    }
    uint64_t *all = WR_NEW_N(&d->mem, uint64_t, d->n_word);
    want_finish(d, d->root, all);
    *out = (struct wr_decoder *)d;
    return WR_OK;
}

static const struct wr_optdesc json_opts[] = {
    {"timestamp_unit", "timestamp.unit", WR_AS_SOURCE, WR_OPT_ENUM, false, false, "ms", "s|ms|us|ns",
     "what numbers in TIMESTAMP columns count since 1970"},
    {NULL, NULL, 0, WR_OPT_TEXT, false, false, NULL, NULL, NULL},
};

const struct wr_format wr_format_json = {
    .name = "json",
    .opts = json_opts,
    .decoder_open = json_decoder_open,
    .decode = json_decode,
    .decoder_close = json_decoder_close,
    .encoder_open = wr_json_encoder_open,
    .encode = wr_json_encode,
    .encoder_close = wr_json_encoder_close,
};

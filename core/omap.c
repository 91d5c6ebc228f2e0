/* omap.c: the B+tree of omap.h.
 *
 * Rules:  a leaf holds entries in key order and is linked to its neighbours; an inner node holds children, each with a separator that is
 *         <= every key below it and > every key before it (the first child's is empty) and the sum of the numbers below.
 *         Nodes split when full (at the very end: right of the last entry, so that ascending input fills nodes), leave when empty, and join
 *         with a neighbour when both fit into three quarters of one. Only the root may be a leaf of fewer than CAP places.
 * Memory: keys up to 20 bytes lie in the entry, longer ones in a malloc of their own whose first 12 bytes are repeated in the entry. */
#include "core/omap.h"

#include <stdlib.h>

#include "core/arena.h"

enum { CAP = 32, INLINE = 20, HEAD = 12, DEPTH = 24 };
static const uint64_t MASS = UINT64_C(1) << 61;

struct entry {
    int64_t num;         /* leaf: the number; inner: sum below the child */
    uint32_t len;        /* bytes of the key */
    uint8_t in[INLINE];  /* the key, rest zero; longer than INLINE: its first HEAD bytes, then the pointer to all of it */
};

struct wr_omap_node {
    uint16_t n, cap;                  /* entries used, allocated; cap < CAP only in a leaf that is the root */
    bool leaf;
    struct wr_omap_node *prev, *next; /* leaves only */
    struct wr_omap_node **kid;        /* inner only: behind e[] */
    struct entry e[];
};

/* Where a descent went: node and the child taken in it. */
struct step {
    struct wr_omap_node *node;
    uint32_t at;
};

static const uint8_t *key_of(const struct entry *e)
{
    const uint8_t *p = e->in;
    if (e->len > INLINE)
        memcpy(&p, e->in + HEAD, sizeof p);
    return p;
}

static uint64_t head_of(const uint8_t *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    v = __builtin_bswap64(v);
#endif
    return v;
}

/* The sought key with its first 8 bytes as a number (zero-padded): most comparisons end there. */
struct probe {
    const uint8_t *p;
    uint32_t n;
    uint64_t head;
};

static struct probe probe_of(struct wr_str key)
{
    struct probe k = {(const uint8_t *)key.p, key.n, 0};
    uint8_t first[8] = {0};
    if (key.n)
        memcpy(first, key.p, key.n < 8 ? key.n : 8);
    k.head = head_of(first);
    return k;
}

static int entry_cmp(const struct entry *e, const struct probe *k)
{
    uint64_t h = head_of(e->in);
    if (h != k->head)
        return h < k->head ? -1 : 1;
    uint32_t n = e->len < k->n ? e->len : k->n;
    int c = n > 8 ? memcmp(key_of(e) + 8, k->p + 8, n - 8) : 0;
    if (c)
        return c;
    return e->len < k->n ? -1 : e->len > k->n;
}

static void entry_set(struct wr_omap *m, struct entry *e, const uint8_t *p, uint32_t n, int64_t num)
{
    memset(e, 0, sizeof *e);
    e->num = num;
    e->len = n;
    if (n <= INLINE) {
        if (n)
            memcpy(e->in, p, n);
        return;
    }
    uint8_t *own = wr_malloc(n);
    memcpy(own, p, n);
    memcpy(e->in, p, HEAD);
    memcpy(e->in + HEAD, &own, sizeof own);
    m->heap += n;
}

/* Frees the key; the number stays. */
static void entry_drop(struct wr_omap *m, struct entry *e)
{
    if (e->len > INLINE) {
        uint8_t *own;
        memcpy(&own, e->in + HEAD, sizeof own);
        free(own);
        m->heap -= e->len;
    }
    e->len = 0;
    memset(e->in, 0, sizeof e->in);
}

static size_t node_bytes(bool leaf, uint32_t cap)
{
    return sizeof(struct wr_omap_node) + cap * (sizeof(struct entry) + (leaf ? 0 : sizeof(struct wr_omap_node *)));
}

static struct wr_omap_node *node_new(struct wr_omap *m, bool leaf, uint32_t cap)
{
    struct wr_omap_node *x = wr_malloc(node_bytes(leaf, cap));
    *x = (struct wr_omap_node){.cap = (uint16_t)cap, .leaf = leaf};
    if (!leaf)
        x->kid = (struct wr_omap_node **)(void *)(x->e + cap);
    m->heap += node_bytes(leaf, cap);
    return x;
}

static void node_free(struct wr_omap *m, struct wr_omap_node *x)
{
    m->heap -= node_bytes(x->leaf, x->cap);
    free(x);
}

static int64_t node_sum(const struct wr_omap_node *x)
{
    uint64_t s = 0;
    for (uint32_t i = 0; i < x->n; i++)
        s += (uint64_t)x->e[i].num;
    return (int64_t)s;
}

/* First entry of a leaf that is >= k; *same: it is equal. */
static uint32_t leaf_find(const struct wr_omap_node *x, const struct probe *k, bool *same)
{
    uint32_t lo = 0, hi = x->n;
    *same = false;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        int c = entry_cmp(&x->e[mid], k);
        if (c < 0) {
            lo = mid + 1;
        } else {
            hi = mid;
            *same |= c == 0;
        }
    }
    return lo;
}

/* The child of an inner node in which k belongs: the last whose separator is <= k. */
static uint32_t inner_find(const struct wr_omap_node *x, const struct probe *k)
{
    uint32_t lo = 1, hi = x->n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;
        if (entry_cmp(&x->e[mid], k) <= 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo - 1;
}

/* Down to the leaf of k; returns the number of steps (inner nodes passed). */
static uint32_t descend(const struct wr_omap *m, const struct probe *k, struct step *path, struct wr_omap_node **leaf)
{
    uint32_t d = 0;
    struct wr_omap_node *x = m->root;
    while (!x->leaf) {
        WR_ASSERT(d < DEPTH);
        uint32_t at = inner_find(x, k);
        path[d++] = (struct step){x, at};
        x = x->kid[at];
    }
    *leaf = x;
    return d;
}

static void inner_insert(struct wr_omap_node *x, uint32_t at, struct entry sep, struct wr_omap_node *kid)
{
    memmove(&x->e[at + 1], &x->e[at], (x->n - at) * sizeof *x->e);
    memmove(&x->kid[at + 1], &x->kid[at], (x->n - at) * sizeof(struct wr_omap_node *));
    x->e[at] = sep;
    x->kid[at] = kid;
    x->n++;
}

static void inner_remove(struct wr_omap *m, struct wr_omap_node *x, uint32_t at)
{
    entry_drop(m, &x->e[at]);
    x->n--;
    memmove(&x->e[at], &x->e[at + 1], (x->n - at) * sizeof *x->e);
    memmove(&x->kid[at], &x->kid[at + 1], (x->n - at) * sizeof(struct wr_omap_node *));
    if (at == 0 && x->n)
        entry_drop(m, &x->e[0]); /* the first child's separator is the empty key */
}

/* Moves the entries from `at` on into a new right neighbour. */
static struct wr_omap_node *node_split(struct wr_omap *m, struct wr_omap_node *x, uint32_t at)
{
    struct wr_omap_node *r = node_new(m, x->leaf, CAP);
    r->n = (uint16_t)(x->n - at);
    memcpy(r->e, &x->e[at], r->n * sizeof *x->e);
    if (x->leaf) {
        r->prev = x;
        r->next = x->next;
        if (x->next)
            x->next->prev = r;
        x->next = r;
    } else {
        memcpy(r->kid, &x->kid[at], r->n * sizeof(struct wr_omap_node *));
    }
    x->n = (uint16_t)at;
    return r;
}

/* A separator between two neighbouring keys: the shortest prefix of `right` (> left) that is > left. */
static void separator(struct wr_omap *m, struct entry *sep, const struct entry *left, const uint8_t *right)
{
    const uint8_t *a = key_of(left);
    uint32_t i = 0;
    while (i < left->len && a[i] == right[i]) /* right is longer where left ends */
        i++;
    entry_set(m, sep, right, i + 1, 0);
}

/* Hangs r, new right neighbour of the child taken at path[d - 1] (d 0: of the root), into the tree; splits parents as needed.
 * The sums of both children are set here. */
static void hang(struct wr_omap *m, struct step *path, uint32_t d, struct wr_omap_node *l, struct wr_omap_node *r, struct entry sep)
{
    for (;;) {
        sep.num = node_sum(r);
        if (d == 0) {
            struct wr_omap_node *root = node_new(m, false, CAP);
            root->n = 1;
            memset(&root->e[0], 0, sizeof root->e[0]);
            root->e[0].num = node_sum(l);
            root->kid[0] = l;
            inner_insert(root, 1, sep, r);
            m->root = root;
            return;
        }
        struct wr_omap_node *x = path[d - 1].node;
        uint32_t at = path[d - 1].at + 1;
        x->e[at - 1].num = node_sum(l);
        if (x->n < CAP) {
            inner_insert(x, at, sep, r);
            return;
        }
        struct wr_omap_node *right = node_split(m, x, at == CAP ? CAP - 1 : CAP / 2);
        struct entry up = right->e[0]; /* its key moves up; the number is set above */
        right->e[0].len = 0;
        memset(right->e[0].in, 0, INLINE);
        if (at > x->n)
            inner_insert(right, at - x->n, sep, r);
        else
            inner_insert(x, at, sep, r);
        l = x;
        r = right;
        sep = up;
        d--;
    }
}

/* Room for one more in the full leaf where k belongs, at `at`; the way down to k is to be found anew. */
static void leaf_make_room(struct wr_omap *m, struct step *path, uint32_t d, struct wr_omap_node *x, uint32_t at, const struct probe *k)
{
    if (x->cap < CAP) { /* the root, still small */
        uint32_t cap = x->cap * 2u;
        m->heap += node_bytes(true, cap) - node_bytes(true, x->cap);
        x = wr_realloc(x, node_bytes(true, cap));
        x->cap = (uint16_t)cap;
        m->root = x;
        return;
    }
    struct entry sep;
    bool ascending = at == CAP && !x->next; /* the new entry alone starts the right leaf */
    struct wr_omap_node *r = node_split(m, x, ascending ? CAP : CAP / 2);
    if (ascending)
        separator(m, &sep, &x->e[x->n - 1], k->p);
    else
        separator(m, &sep, &x->e[x->n - 1], key_of(&r->e[0]));
    hang(m, path, d, x, r, sep);
}

/* Joins child at + 1 of x into child at. */
static void join(struct wr_omap *m, struct wr_omap_node *x, uint32_t at)
{
    struct wr_omap_node *l = x->kid[at], *r = x->kid[at + 1];
    memcpy(&l->e[l->n], r->e, r->n * sizeof *r->e);
    if (l->leaf) {
        l->next = r->next;
        if (r->next)
            r->next->prev = l;
    } else {
        memcpy(&l->kid[l->n], r->kid, r->n * sizeof(struct wr_omap_node *));
        int64_t num = l->e[l->n].num;
        l->e[l->n] = x->e[at + 1]; /* the separator above becomes that of r's first child */
        l->e[l->n].num = num;
        x->e[at + 1].len = 0;
    }
    l->n = (uint16_t)(l->n + r->n);
    x->e[at].num = (int64_t)((uint64_t)x->e[at].num + (uint64_t)x->e[at + 1].num);
    node_free(m, r);
    inner_remove(m, x, at + 1);
}

/* After a removal below path[0..d): empty nodes leave, sparse ones join, a root with one child gives way to it. */
static void shrink(struct wr_omap *m, struct step *path, uint32_t d, struct wr_omap_node *leaf)
{
    struct wr_omap_node *child = leaf;
    while (d > 0 && child->n <= CAP / 4) {
        struct wr_omap_node *x = path[d - 1].node;
        uint32_t at = path[d - 1].at;
        if (child->n == 0) {
            if (child->leaf) {
                if (child->prev)
                    child->prev->next = child->next;
                if (child->next)
                    child->next->prev = child->prev;
            }
            node_free(m, child);
            inner_remove(m, x, at);
        } else if (at + 1 < x->n && child->n + x->kid[at + 1]->n <= CAP * 3 / 4) {
            join(m, x, at);
        } else if (at > 0 && child->n + x->kid[at - 1]->n <= CAP * 3 / 4) {
            join(m, x, at - 1);
        } else {
            break;
        }
        child = x;
        d--;
    }
    while (m->root && !m->root->leaf && m->root->n <= 1) {
        struct wr_omap_node *old = m->root;
        if (old->n == 1) {
            m->root = old->kid[0];
            entry_drop(m, &old->e[0]);
        } else {
            m->root = NULL;
        }
        node_free(m, old);
    }
    if (m->root && m->root->n == 0) {
        node_free(m, m->root);
        m->root = NULL;
    }
}

int64_t wr_omap_add(struct wr_omap *m, struct wr_str key, int64_t delta)
{
    if (!m->root)
        m->root = node_new(m, true, 2);
    struct probe k = probe_of(key);
    struct step path[DEPTH];
    struct wr_omap_node *leaf;
    bool same;
    uint32_t d = descend(m, &k, path, &leaf), at = leaf_find(leaf, &k, &same);
    int64_t old = same ? leaf->e[at].num : 0, now = (int64_t)((uint64_t)old + (uint64_t)delta);
    m->total = (int64_t)((uint64_t)m->total + (uint64_t)delta);
    m->n_neg = m->n_neg - (old < 0) + (now < 0);
    if (same) {
        leaf->e[at].num = now;
    } else if (now != 0) {
        if (leaf->n == leaf->cap) {
            leaf_make_room(m, path, d, leaf, at, &k);
            d = descend(m, &k, path, &leaf);
            at = leaf_find(leaf, &k, &same);
        }
        memmove(&leaf->e[at + 1], &leaf->e[at], (leaf->n - at) * sizeof *leaf->e);
        entry_set(m, &leaf->e[at], k.p, k.n, now);
        leaf->n++;
        m->n_key++;
    }
    for (uint32_t i = 0; i < d; i++) {
        struct entry *e = &path[i].node->e[path[i].at];
        e->num = (int64_t)((uint64_t)e->num + (uint64_t)delta);
    }
    if (now == 0 && same) {
        entry_drop(m, &leaf->e[at]);
        leaf->n--;
        memmove(&leaf->e[at], &leaf->e[at + 1], (leaf->n - at) * sizeof *leaf->e);
        m->n_key--;
    }
    if (now == 0)
        shrink(m, path, d, leaf);
    return now;
}

int64_t wr_omap_get(const struct wr_omap *m, struct wr_str key)
{
    if (!m->root)
        return 0;
    struct probe k = probe_of(key);
    struct step path[DEPTH];
    struct wr_omap_node *leaf;
    bool same;
    (void)descend(m, &k, path, &leaf);
    uint32_t at = leaf_find(leaf, &k, &same);
    return same ? leaf->e[at].num : 0;
}

static void node_clear(struct wr_omap *m, struct wr_omap_node *x)
{
    for (uint32_t i = 0; i < x->n; i++) {
        if (!x->leaf)
            node_clear(m, x->kid[i]); /* as deep as the tree: a handful of levels */
        entry_drop(m, &x->e[i]);
    }
    node_free(m, x);
}

void wr_omap_clear(struct wr_omap *m)
{
    if (m->root)
        node_clear(m, m->root);
    *m = (struct wr_omap){0};
}

void wr_omap_merge(struct wr_omap *into, const struct wr_omap *from)
{
    for (struct wr_omap_it it = wr_omap_first(from); wr_omap_valid(it); wr_omap_next(&it))
        (void)wr_omap_add(into, wr_omap_key(it), wr_omap_num(it));
}

struct wr_omap_it wr_omap_first(const struct wr_omap *m)
{
    struct wr_omap_node *x = m->root;
    while (x && !x->leaf)
        x = x->kid[0];
    return (struct wr_omap_it){x, 0};
}

struct wr_omap_it wr_omap_last(const struct wr_omap *m)
{
    struct wr_omap_node *x = m->root;
    while (x && !x->leaf)
        x = x->kid[x->n - 1];
    return (struct wr_omap_it){x, x ? x->n - 1u : 0};
}

struct wr_omap_it wr_omap_seek(const struct wr_omap *m, struct wr_str key)
{
    struct wr_omap_it it = {NULL, 0};
    if (!m->root)
        return it;
    struct probe k = probe_of(key);
    struct step path[DEPTH];
    bool same;
    (void)descend(m, &k, path, &it.leaf);
    it.at = leaf_find(it.leaf, &k, &same);
    if (it.at == it.leaf->n) {
        it.leaf = it.leaf->next;
        it.at = 0;
    }
    return it;
}

void wr_omap_next(struct wr_omap_it *it)
{
    if (++it->at == it->leaf->n) {
        it->leaf = it->leaf->next;
        it->at = 0;
    }
}

void wr_omap_prev(struct wr_omap_it *it)
{
    if (it->at > 0) {
        it->at--;
        return;
    }
    it->leaf = it->leaf->prev;
    it->at = it->leaf ? it->leaf->n - 1u : 0;
}

struct wr_str wr_omap_key(struct wr_omap_it it)
{
    const struct entry *e = &it.leaf->e[it.at];
    return (struct wr_str){(const char *)key_of(e), e->len};
}

int64_t wr_omap_num(struct wr_omap_it it)
{
    return it.leaf->e[it.at].num;
}

struct wr_omap_it wr_omap_least(const struct wr_omap *m)
{
    struct wr_omap_it it = wr_omap_first(m);
    while (wr_omap_valid(it) && wr_omap_num(it) < 0)
        wr_omap_next(&it);
    return it;
}

struct wr_omap_it wr_omap_greatest(const struct wr_omap *m)
{
    struct wr_omap_it it = wr_omap_last(m);
    while (wr_omap_valid(it) && wr_omap_num(it) < 0)
        wr_omap_prev(&it);
    return it;
}

struct wr_omap_it wr_omap_nth(const struct wr_omap *m, int64_t k)
{
    struct wr_omap_it it = {NULL, 0};
    if (k < 0 || !m->root)
        return it;
    if (m->n_neg) { /* sums of subtrees mislead: count through */
        for (it = wr_omap_first(m); wr_omap_valid(it); wr_omap_next(&it)) {
            int64_t num = wr_omap_num(it);
            if (num > k)
                break;
            k -= num > 0 ? num : 0;
        }
        return it;
    }
    if (k >= m->total)
        return it;
    struct wr_omap_node *x = m->root;
    for (;;) {
        uint32_t i = 0;
        while (k >= x->e[i].num)
            k -= x->e[i++].num;
        if (x->leaf)
            return (struct wr_omap_it){x, i};
        x = x->kid[i];
    }
}

int64_t wr_omap_held(const struct wr_omap *m)
{
    if (m->n_neg == 0)
        return m->total;
    int64_t held = 0; /* wr_omap_load bounds what a saved map can sum up to */
    for (struct wr_omap_it it = wr_omap_first(m); wr_omap_valid(it); wr_omap_next(&it))
        held += wr_omap_num(it) > 0 ? wr_omap_num(it) : 0;
    return held;
}

void wr_varint_put(struct wr_buf *out, uint64_t v)
{
    uint8_t b[10];
    uint32_t n = 0;
    for (; v >= 0x80; v >>= 7)
        b[n++] = (uint8_t)(v | 0x80);
    b[n++] = (uint8_t)v;
    wr_buf_add(out, b, n);
}

bool wr_varint_take(struct wr_str *in, uint64_t *v)
{
    uint64_t r = 0;
    for (uint32_t shift = 0; shift < 64; shift += 7) {
        uint8_t b;
        if (!wr_take_u8(in, &b) || (shift == 63 && b > 1))
            return false;
        r |= (uint64_t)(b & 0x7f) << shift;
        if (!(b & 0x80)) {
            *v = r;
            return true;
        }
    }
    return false;
}

void wr_omap_put(struct wr_buf *out, struct wr_str key, int64_t num)
{
    wr_varint_put(out, (uint64_t)num << 1 ^ (uint64_t)(num >> 63));
    wr_varint_put(out, key.n);
    wr_buf_add(out, key.p, key.n);
}

void wr_omap_save(const struct wr_omap *m, struct wr_buf *out)
{
    wr_varint_put(out, m->n_key);
    for (struct wr_omap_it it = wr_omap_first(m); wr_omap_valid(it); wr_omap_next(&it))
        wr_omap_put(out, wr_omap_key(it), wr_omap_num(it));
}

bool wr_omap_open(struct wr_omap_saved *s, struct wr_str *in)
{
    *s = (struct wr_omap_saved){.in = in, .first = true};
    return wr_varint_take(in, &s->left);
}

bool wr_omap_take(struct wr_omap_saved *s, struct wr_str *key, int64_t *num)
{
    uint64_t zig, len;
    struct wr_str *in = s->in;
    if (!wr_varint_take(in, &zig) || !wr_varint_take(in, &len) || len > in->n)
        return false;
    uint64_t size = (zig >> 1) + (zig & 1);
    *key = (struct wr_str){in->p, (uint32_t)len};
    in->p += len;
    in->n -= (uint32_t)len;
    if (size == 0 || size > MASS - s->mass || (!s->first && wr_str_cmp(s->last, *key) >= 0))
        return false;
    s->mass += size;
    s->last = *key;
    s->first = false;
    s->left--;
    *num = zig & 1 ? -(int64_t)size : (int64_t)size;
    return true;
}

bool wr_omap_load(struct wr_omap *m, struct wr_str *in)
{
    struct wr_omap_saved s;
    struct wr_str key;
    int64_t num;
    *m = (struct wr_omap){0};
    bool ok = wr_omap_open(&s, in);
    while (ok && s.left > 0) {
        ok = wr_omap_take(&s, &key, &num);
        if (ok)
            (void)wr_omap_add(m, key, num);
    }
    if (!ok)
        wr_omap_clear(m);
    return ok;
}

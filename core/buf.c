/* buf.c: growable bytes with a ceiling, and the little-endian encoding used by snapshots and keys.
 * Rules:  an append that would pass the ceiling is left out as a whole and sets `overflow`.
 * Memory: the buffer owns its bytes; readers borrow. */
#include "core/buf.h"
#include "core/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void wr_buf_clear(struct wr_buf *b)
{
    free(b->p);
    *b = (struct wr_buf){.max = b->max};
}

bool wr_buf_room(struct wr_buf *b, size_t n)
{
    size_t max = b->max ? b->max : (size_t)1 << 30;
    if (b->n > max || n > max - b->n) {
        b->overflow = true;
        return false;
    }
    if (b->cap - b->n >= n)
        return true;
    size_t cap = b->cap < 64 ? 128 : b->cap * 2;
    if (cap < b->n + n)
        cap = b->n + n;
    if (cap > max)
        cap = max;
    b->p = wr_realloc(b->p, cap);
    b->cap = cap;
    return true;
}

void wr_buf_puts(struct wr_buf *b, const char *z)
{
    wr_buf_add(b, z, strlen(z));
}

void wr_buf_printf(struct wr_buf *b, const char *fmt, ...)
{
    char small[256];
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(small, sizeof small, fmt, args);
    va_end(args);
    if (n < 0) {
        b->overflow = true;
    } else if ((size_t)n < sizeof small) {
        wr_buf_add(b, small, (size_t)n);
    } else if (wr_buf_room(b, (size_t)n)) {
        char *text = wr_malloc((size_t)n + 1); /* its NUL must not pass the ceiling */
        (void)vsnprintf(text, (size_t)n + 1, fmt, again);
        wr_buf_add(b, text, (size_t)n);
        free(text);
    }
    va_end(again);
}

void wr_buf_u8(struct wr_buf *b, uint8_t v)
{
    wr_buf_add(b, &v, 1);
}

void wr_buf_u32(struct wr_buf *b, uint32_t v)
{
    unsigned char p[4];
    for (int i = 0; i < 4; i++)
        p[i] = (unsigned char)(v >> (8 * i));
    wr_buf_add(b, p, sizeof p);
}

void wr_buf_i64(struct wr_buf *b, int64_t v)
{
    unsigned char p[8];
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)((uint64_t)v >> (8 * i));
    wr_buf_add(b, p, sizeof p);
}

void wr_buf_lstr(struct wr_buf *b, struct wr_str s)
{
    if (!wr_buf_room(b, (size_t)s.n + 4)) /* length and bytes, or neither */
        return;
    wr_buf_u32(b, s.n);
    wr_buf_str(b, s);
}

bool wr_take_bytes(struct wr_str *in, void *p, uint32_t n)
{
    if (in->n < n)
        return false;
    if (n) {
        memcpy(p, in->p, n);
        in->p += n;
        in->n -= n;
    }
    return true;
}

bool wr_take_u8(struct wr_str *in, uint8_t *v)
{
    return wr_take_bytes(in, v, 1);
}

bool wr_take_u32(struct wr_str *in, uint32_t *v)
{
    unsigned char p[4];
    if (!wr_take_bytes(in, p, sizeof p))
        return false;
    *v = p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
    return true;
}

bool wr_take_i64(struct wr_str *in, int64_t *v)
{
    unsigned char p[8];
    if (!wr_take_bytes(in, p, sizeof p))
        return false;
    uint64_t u = 0;
    for (int i = 0; i < 8; i++)
        u |= (uint64_t)p[i] << (8 * i);
    *v = (int64_t)u;
    return true;
}

bool wr_take_lstr(struct wr_str *in, struct wr_str *v)
{
    struct wr_str rest = *in;
    uint32_t n;
    if (!wr_take_u32(&rest, &n) || rest.n < n)
        return false;
    *v = (struct wr_str){rest.p, n};
    *in = (struct wr_str){n ? rest.p + n : rest.p, rest.n - n};
    return true;
}

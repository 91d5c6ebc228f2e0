/* buf.h: growable bytes with a ceiling, so that no input can make one grow without bound. Owns its bytes. */
#ifndef WR_CORE_BUF_H
#define WR_CORE_BUF_H

#include "core/error.h"
#include "core/str.h"
#include <stddef.h>

struct wr_buf {
    char *p;
    size_t n, cap;
    size_t max;    /* ceiling in bytes; 0: 1 GiB */
    bool overflow; /* an append was refused since the last reset; check once at the end of a series of appends */
};

#define WR_BUF_INIT(ceiling) {.max = (ceiling)}

void wr_buf_clear(struct wr_buf *b); /* frees */
static inline void wr_buf_reset(struct wr_buf *b)
{
    b->n = 0;
    b->overflow = false;
}
/* Makes room for n more bytes; false (and overflow set) if that passes the ceiling. */
bool wr_buf_room(struct wr_buf *b, size_t n);
static inline void wr_buf_add(struct wr_buf *b, const void *p, size_t n)
{
    if (n == 0 || (b->cap - b->n < n && !wr_buf_room(b, n)))
        return;
    memcpy(b->p + b->n, p, n);
    b->n += n;
}
static inline void wr_buf_putc(struct wr_buf *b, char c)
{
    if (b->cap == b->n && !wr_buf_room(b, 1))
        return;
    b->p[b->n++] = c;
}
static inline void wr_buf_str(struct wr_buf *b, struct wr_str s)
{
    wr_buf_add(b, s.p, s.n);
}
void wr_buf_puts(struct wr_buf *b, const char *z);
void wr_buf_printf(struct wr_buf *b, const char *fmt, ...) WR_PRINTF(2, 3);
static inline struct wr_str wr_buf_get(const struct wr_buf *b) /* borrowed until the next append */
{
    return (struct wr_str){b->p, (uint32_t)b->n};
}

/* Binary encoding for snapshots and keys: little endian, fixed width; lengths as u32. */
void wr_buf_u8(struct wr_buf *b, uint8_t v);
void wr_buf_u32(struct wr_buf *b, uint32_t v);
void wr_buf_i64(struct wr_buf *b, int64_t v);
void wr_buf_lstr(struct wr_buf *b, struct wr_str s);
/* Readers: take from the front of *in; false if it is too short (then *v is untouched). */
bool wr_take_u8(struct wr_str *in, uint8_t *v);
bool wr_take_u32(struct wr_str *in, uint32_t *v);
bool wr_take_i64(struct wr_str *in, int64_t *v);
bool wr_take_bytes(struct wr_str *in, void *p, uint32_t n);
bool wr_take_lstr(struct wr_str *in, struct wr_str *v); /* borrows from in */

#endif

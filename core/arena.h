/* arena.h: bump memory. One arena per lifetime (statement, job, batch, window); freed as a whole.
 * Running out of the machine's memory aborts the process (a restart from the checkpoint is the way back);
 * reaching `limit` is the caller's to check with wr_arena_over(). Not shared between threads; may be cleared by another thread than
 * the one that filled it. Blocks are recycled through a small store of each thread, so that short-lived arenas cost no system calls. */
#ifndef WR_CORE_ARENA_H
#define WR_CORE_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/str.h"

struct wr_block;
struct wr_arena {
    struct wr_block *head; /* newest block; NULL: nothing allocated yet */
    char *at, *end;        /* free room in the newest block */
    size_t used;           /* bytes handed out */
    size_t held;           /* bytes of all blocks */
    size_t limit;          /* 0: none */
};

/* {0} is a valid empty arena. */
void wr_arena_init(struct wr_arena *a, size_t limit);
/* Frees everything; the arena is empty and usable again. */
void wr_arena_clear(struct wr_arena *a);
/* Frees all but the newest block and starts it anew: for memory that is refilled every round. */
void wr_arena_reset(struct wr_arena *a);
static inline bool wr_arena_over(const struct wr_arena *a)
{
    return a->limit && a->held > a->limit;
}

/* Grows the arena by a block that fits n bytes; wr_arena_alloc calls it. */
void *wr_arena_more(struct wr_arena *a, size_t n);
/* n bytes, 16-byte aligned, not zeroed. Never NULL. */
static inline void *wr_arena_alloc(struct wr_arena *a, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if (!a->at || (size_t)(a->end - a->at) < n)
        return wr_arena_more(a, n);
    void *p = a->at;
    a->at += n;
    a->used += n;
    return p;
}
/* n bytes, unaligned: for text. */
static inline char *wr_arena_bytes(struct wr_arena *a, size_t n)
{
    if (!a->at || (size_t)(a->end - a->at) < n)
        return wr_arena_more(a, n);
    char *p = a->at;
    a->at += n;
    a->used += n;
    /* keep what follows aligned */
    size_t pad = (size_t)(-(uintptr_t)a->at & 15);
    if (pad <= (size_t)(a->end - a->at))
        a->at += pad;
    else
        a->at = a->end;
    return p;
}
/* Makes sure that the next n bytes come out of one block: for who knows what a batch will need. */
void wr_arena_room(struct wr_arena *a, size_t n);
void *wr_arena_zero(struct wr_arena *a, size_t n);
/* Copies; the result has a NUL behind it that n does not count. */
struct wr_str wr_arena_str(struct wr_arena *a, struct wr_str s);
struct wr_str wr_arena_printf(struct wr_arena *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define WR_NEW(arena, type) ((type *)wr_arena_zero((arena), sizeof(type)))
#define WR_NEW_N(arena, type, n) ((type *)wr_arena_zero((arena), sizeof(type) * (size_t)(n)))

/* malloc family that aborts with a message instead of returning NULL. */
void *wr_malloc(size_t n);
void *wr_malloc_lines(size_t n); /* beginning at a cache line */
void *wr_calloc(size_t n, size_t size);
void *wr_realloc(void *p, size_t n);

#endif

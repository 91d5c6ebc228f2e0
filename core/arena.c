/* arena.c: bump memory out of blocks, and the small store of free blocks that each thread keeps.
 *
 * Rules:  blocks up to BLOCK_MAX are powers of two and go back to the freeing thread's store, at most STORE_MAX bytes of them; larger blocks
 *         and all the rest go to malloc. Batches are made and freed thousands of times a second: without the store each of them would cost
 *         the kernel an mmap and its page faults. Under AddressSanitizer nothing is kept, so that it sees a use after free.
 * Memory: an arena owns its blocks; a thread's store is freed when the thread ends. */
#include "core/arena.h"
#include "core/error.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__)
#define STORE_OFF 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define STORE_OFF 1
#endif
#endif
#ifndef STORE_OFF
#define STORE_OFF 0
#endif

enum {
    CLASS_MIN = 10,              /* smallest block: 1 KiB */
    CLASS_MAX = 20,              /* largest block that is kept: 1 MiB */
    STEP_MAX = 256 << 10,        /* blocks of one arena double up to this; larger ones only for one large piece */
    STORE_MAX = 8 << 20          /* bytes a thread keeps */
};

struct wr_block {
    struct wr_block *prev; /* older block of the arena; next in the store */
    size_t size;           /* bytes behind this head */
};

struct store {
    struct wr_block *free_block[CLASS_MAX + 1]; /* by power of two of head and bytes together */
    size_t bytes;                               /* of all blocks in here */
    bool registered;                            /* the thread's end will empty it */
    bool ended;                                 /* emptied: keep nothing more */
};

static _Thread_local struct store store;
static pthread_key_t store_key;
static pthread_once_t store_once = PTHREAD_ONCE_INIT;

static void store_empty(void *p)
{
    struct store *s = p;
    s->ended = true;
    for (int c = CLASS_MIN; c <= CLASS_MAX; c++) {
        while (s->free_block[c]) {
            struct wr_block *b = s->free_block[c];
            s->free_block[c] = b->prev;
            free(b);
        }
    }
    s->bytes = 0;
}

/* The thread that returns from main ends by exit(), which runs no destructors of keys. */
static void store_empty_main(void)
{
    store_empty(&store);
}

static void store_setup(void)
{
    if (pthread_key_create(&store_key, store_empty))
        WR_BUG("no thread key for the block store");
    atexit(store_empty_main);
}

static int class_of(size_t total)
{
    int c = CLASS_MIN;
    while (((size_t)1 << c) < total)
        c++;
    return c;
}

/* A block with room for at least n bytes. */
static struct wr_block *block_get(size_t n)
{
    size_t total = n + sizeof(struct wr_block);
    if (total > (size_t)1 << CLASS_MAX) {
        struct wr_block *big = wr_malloc(total);
        big->size = n;
        return big;
    }
    int c = class_of(total);
    struct wr_block *b = store.free_block[c];
    if (b) {
        store.free_block[c] = b->prev;
        store.bytes -= (size_t)1 << c;
    } else {
        b = wr_malloc((size_t)1 << c);
    }
    b->size = ((size_t)1 << c) - sizeof(struct wr_block);
    return b;
}

static void block_put(struct wr_block *b)
{
    size_t total = b->size + sizeof(struct wr_block);
    if (STORE_OFF || total > (size_t)1 << CLASS_MAX || store.bytes + total > STORE_MAX || store.ended) {
        free(b);
        return;
    }
    if (!store.registered) {
        pthread_once(&store_once, store_setup);
        pthread_setspecific(store_key, &store);
        store.registered = true;
    }
    int c = class_of(total);
    b->prev = store.free_block[c];
    store.free_block[c] = b;
    store.bytes += total;
}

void wr_arena_init(struct wr_arena *a, size_t limit)
{
    *a = (struct wr_arena){.limit = limit};
}

void wr_arena_clear(struct wr_arena *a)
{
    struct wr_block *b = a->head;
    while (b) {
        struct wr_block *prev = b->prev;
        block_put(b);
        b = prev;
    }
    wr_arena_init(a, a->limit);
}

void wr_arena_reset(struct wr_arena *a)
{
    struct wr_block *keep = a->head;
    if (!keep)
        return;
    a->head = keep->prev;
    wr_arena_clear(a);
    keep->prev = NULL;
    a->head = keep;
    a->at = (char *)(keep + 1);
    a->end = a->at + keep->size;
    a->held = keep->size + sizeof *keep;
}

/* Puts a new block for n bytes in front and makes it the one to allocate from. */
static void push_block(struct wr_arena *a, size_t n)
{
    struct wr_block *b = block_get(n);
    b->prev = a->head;
    a->head = b;
    a->at = (char *)(b + 1);
    a->end = a->at + b->size;
    a->held += b->size + sizeof *b;
}

void *wr_arena_more(struct wr_arena *a, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    size_t step = a->held < STEP_MAX / 2 ? a->held : STEP_MAX / 2; /* about doubles what is held */
    a->used += n;
    if (a->head && n >= step && (size_t)(a->end - a->at) >= 256) {
        /* A large piece gets a block of its own behind the newest one, whose room stays in use. */
        struct wr_block *b = block_get(n);
        b->prev = a->head->prev;
        a->head->prev = b;
        a->held += b->size + sizeof *b;
        return b + 1;
    }
    push_block(a, n > step ? n : step);
    void *p = a->at;
    a->at += n;
    return p;
}

void wr_arena_room(struct wr_arena *a, size_t n)
{
    n = (n + 15) & ~(size_t)15;
    if ((size_t)(a->end - a->at) < n)
        push_block(a, n);
}

void *wr_arena_zero(struct wr_arena *a, size_t n)
{
    void *p = wr_arena_alloc(a, n);
    if (n)
        memset(p, 0, n);
    return p;
}

struct wr_str wr_arena_str(struct wr_arena *a, struct wr_str s)
{
    char *p = wr_arena_bytes(a, (size_t)s.n + 1);
    if (s.n)
        memcpy(p, s.p, s.n);
    p[s.n] = 0;
    return (struct wr_str){p, s.n};
}

struct wr_str wr_arena_printf(struct wr_arena *a, const char *fmt, ...)
{
    va_list args, again;
    va_start(args, fmt);
    va_copy(again, args);
    int n = vsnprintf(NULL, 0, fmt, args);
    va_end(args);
    if (n < 0)
        WR_BUG("bad format \"%s\"", fmt);
    char *p = wr_arena_bytes(a, (size_t)n + 1);
    (void)vsnprintf(p, (size_t)n + 1, fmt, again);
    va_end(again);
    return (struct wr_str){p, (uint32_t)n};
}

static _Noreturn void out_of_memory(size_t n)
{
    (void)fprintf(stderr, "weir: out of memory (%zu bytes asked for); the job can be resumed from its last checkpoint\n", n);
    abort();
}

void *wr_malloc(size_t n)
{
    void *p = malloc(n ? n : 1);
    if (!p)
        out_of_memory(n);
    return p;
}

void *wr_malloc_lines(size_t n)
{
    void *p = aligned_alloc(64, (n + 63) & ~(size_t)63);
    if (!p)
        out_of_memory(n);
    return p;
}

void *wr_calloc(size_t n, size_t size)
{
    void *p = calloc(n ? n : 1, size ? size : 1);
    if (!p)
        out_of_memory(n * size);
    return p;
}

void *wr_realloc(void *p, size_t n)
{
    void *q = realloc(p, n ? n : 1);
    if (!q)
        out_of_memory(n);
    return q;
}

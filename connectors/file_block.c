/* file_block.c: the blocks of bytes that the file source reads into and batches borrow from.
 * Rules:  blocks are counted: the reader has one reference, each batch with text in it another. A released block of the usual size waits
 *         for its next use, at most BLOCKS_KEPT of them. The pool lives until the source and all blocks are gone.
 * Memory: see above. Blocks are released by whichever thread is last, under the pool's lock. */
#include "connectors/file_source.h"

#include <stdlib.h>

enum { BLOCKS_KEPT = 16 };

struct wr_file_pool *wr_file_pool_new(void)
{
    struct wr_file_pool *p = wr_calloc(1, sizeof *p);
    atomic_init(&p->refs, 1);
    pthread_mutex_init(&p->lock, NULL);
    return p;
}

void wr_file_pool_unref(struct wr_file_pool *p)
{
    if (atomic_fetch_sub_explicit(&p->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (p->free_list) {
        struct wr_file_block *b = p->free_list;
        p->free_list = b->next;
        free(b);
    }
    pthread_mutex_destroy(&p->lock);
    free(p);
}

struct wr_file_block *wr_file_block_new(struct wr_file_pool *p, size_t cap)
{
    struct wr_file_block *b = NULL;
    if (cap <= WR_FILE_BLOCK) {
        cap = WR_FILE_BLOCK;
        pthread_mutex_lock(&p->lock);
        b = p->free_list;
        if (b) {
            p->free_list = b->next;
            p->n_free--;
        }
        pthread_mutex_unlock(&p->lock);
    }
    if (!b) {
        b = wr_malloc(sizeof *b + cap);
        b->cap = cap;
        b->pool = p;
    }
    atomic_fetch_add_explicit(&p->refs, 1, memory_order_relaxed);
    atomic_init(&b->refs, 1);
    return b;
}

void wr_file_block_unref(void *what)
{
    struct wr_file_block *b = what;
    struct wr_file_pool *p = b->pool;
    if (atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    pthread_mutex_lock(&p->lock);
    bool keep = b->cap == WR_FILE_BLOCK && p->n_free < BLOCKS_KEPT;
    if (keep) {
        b->next = p->free_list;
        p->free_list = b;
        p->n_free++;
    }
    pthread_mutex_unlock(&p->lock);
    if (!keep)
        free(b);
    wr_file_pool_unref(p);
}

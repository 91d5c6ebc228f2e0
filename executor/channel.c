/* channel.c: the bounded queue between tasks.
 * Rules:  order is kept per writer; a full queue blocks its writers; a closed one swallows what they send, so that nobody waits for a reader that failed.
 * Memory: the ring is malloc'd; batches in it belong to the channel until taken. */
#include "executor/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

void wr_channel_init(struct wr_channel *c, uint32_t cap)
{
    *c = (struct wr_channel){.cap = cap, .ring = wr_calloc(cap, sizeof *c->ring)};
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->not_full, &attr);
    pthread_cond_init(&c->not_empty, &attr);
    pthread_condattr_destroy(&attr);
}

void wr_channel_clear(struct wr_channel *c)
{
    if (!c->ring)
        return;
    wr_channel_close(c);
    free(c->ring);
    c->ring = NULL;
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->not_full);
    pthread_cond_destroy(&c->not_empty);
}

bool wr_channel_send(struct wr_channel *c, struct wr_msg m)
{
    pthread_mutex_lock(&c->lock);
    while (c->n == c->cap && !c->closed)
        pthread_cond_wait(&c->not_full, &c->lock);
    bool open = !c->closed;
    if (open) {
        c->ring[(c->head + c->n++) % c->cap] = m;
        pthread_cond_signal(&c->not_empty);
    }
    pthread_mutex_unlock(&c->lock);
    if (!open)
        wr_batch_unref(m.b);
    return open;
}

bool wr_channel_take(struct wr_channel *c, struct wr_msg *m, int64_t wait_us)
{
    pthread_mutex_lock(&c->lock);
    if (c->n == 0 && !c->poked && wait_us > 0) {
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t ns = until.tv_nsec + wait_us % 1000000 * 1000;
        until.tv_sec += wait_us / 1000000 + ns / 1000000000;
        until.tv_nsec = ns % 1000000000;
        int rc = 0;
        while (c->n == 0 && !c->poked && rc != ETIMEDOUT)
            rc = pthread_cond_timedwait(&c->not_empty, &c->lock, &until);
    }
    c->poked = false;
    bool any = c->n > 0;
    if (any) {
        *m = c->ring[c->head];
        c->head = (c->head + 1) % c->cap;
        c->n--;
        pthread_cond_signal(&c->not_full);
    }
    pthread_mutex_unlock(&c->lock);
    return any;
}

void wr_channel_poke(struct wr_channel *c)
{
    pthread_mutex_lock(&c->lock);
    c->poked = true;
    pthread_cond_signal(&c->not_empty);
    pthread_mutex_unlock(&c->lock);
}

void wr_channel_close(struct wr_channel *c)
{
    pthread_mutex_lock(&c->lock);
    c->closed = true;
    while (c->n > 0) {
        wr_batch_unref(c->ring[c->head].b);
        c->head = (c->head + 1) % c->cap;
        c->n--;
    }
    pthread_cond_broadcast(&c->not_full);
    pthread_mutex_unlock(&c->lock);
}

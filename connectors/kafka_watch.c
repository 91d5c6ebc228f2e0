/* kafka_watch.c: asks the brokers for end offsets (lag, catching up) and for new partitions, in a thread of its own because these calls wait.
 *
 * While records wait, it asks every few milliseconds: a broker thread of librdkafka before 2.2 that found its queues full sleeps up to a
 * second, whatever is taken out meanwhile, and any request wakes it. Measured with 5 million messages of 134 B: 0.5-0.7 million a second
 * without this, 2.2-2.6 with it. Later versions have fetch.queue.backoff.ms, and are asked once a second only.
 *
 * Memory: counted (source, thread): a thread that hangs in librdkafka is left behind with its own reference on everything it uses. */
#include "connectors/kafka_source.h"
#include "core/log.h"

#include <errno.h>
#include <stdlib.h>

enum { BUSY_MS = 5, IDLE_MS = 1000, ASK_MS = 2000 };

struct wr_kafka_watch {
    atomic_int refs;
    struct wr_kafka *k;
    bool all_topics, wakes; /* wakes: this librdkafka needs waking */
    int every_ms;
    pthread_mutex_t lock;   /* guards all below */
    pthread_cond_t cond;    /* something changed: for the thread (quit, backlog) and for the closer (ended) */
    bool quit, ended, backlog;
    rd_kafka_topic_partition_list_t *list; /* what to ask about; replaced as a whole */
    int n;                  /* answers below */
    int64_t *end;
    bool *fresh;
    const struct rd_kafka_metadata *md;    /* newest, not yet taken */
};

static void watch_unref(struct wr_kafka_watch *w)
{
    if (atomic_fetch_sub_explicit(&w->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (w->list)
        rd_kafka_topic_partition_list_destroy(w->list);
    if (w->md)
        rd_kafka_metadata_destroy(w->md);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->cond);
    wr_kafka_unref(w->k);
    free(w->end);
    free(w->fresh);
    free(w);
}

/* Waits on the condition (lock held) for at most ms. */
static void wait_ms(struct wr_kafka_watch *w, int ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ms / 1000;
    until.tv_nsec += (long)(ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    (void)pthread_cond_timedwait(&w->cond, &w->lock, &until);
}

/* One question to all leaders. The lock is not held. */
static void ask_ends(struct wr_kafka_watch *w, rd_kafka_topic_partition_list_t *ask)
{
    for (int i = 0; i < ask->cnt; i++)
        ask->elems[i].offset = RD_KAFKA_OFFSET_END; /* as a "timestamp": the end */
    if (ask->cnt == 0 || rd_kafka_offsets_for_times(w->k->rk, ask, ASK_MS))
        return;
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < ask->cnt && i < w->n; i++) {
        if (ask->elems[i].err || ask->elems[i].offset < 0)
            continue;
        w->end[i] = ask->elems[i].offset;
        w->fresh[i] = true;
    }
    pthread_mutex_unlock(&w->lock);
}

static void ask_metadata(struct wr_kafka_watch *w)
{
    const struct rd_kafka_metadata *md;
    if (rd_kafka_metadata(w->k->rk, w->all_topics, NULL, &md, ASK_MS))
        return;
    pthread_mutex_lock(&w->lock);
    if (w->md)
        rd_kafka_metadata_destroy(w->md);
    w->md = md;
    pthread_mutex_unlock(&w->lock);
}

static void *watch_run(void *arg)
{
    struct wr_kafka_watch *w = arg;
    int64_t looked = wr_clock_mono();
    pthread_mutex_lock(&w->lock);
    while (!w->quit) {
        rd_kafka_topic_partition_list_t *ask = w->list ? rd_kafka_topic_partition_list_copy(w->list) : NULL;
        pthread_mutex_unlock(&w->lock);
        if (ask) {
            ask_ends(w, ask);
            rd_kafka_topic_partition_list_destroy(ask);
        }
        if (w->every_ms && wr_clock_mono() - looked >= (int64_t)w->every_ms * 1000) {
            ask_metadata(w);
            looked = wr_clock_mono();
        }
        pthread_mutex_lock(&w->lock);
        if (w->quit)
            break;
        if (w->backlog && w->wakes)
            wait_ms(w, BUSY_MS);
        else
            wait_ms(w, w->every_ms && w->every_ms < IDLE_MS ? w->every_ms : IDLE_MS);
    }
    w->ended = true;
    pthread_cond_broadcast(&w->cond);
    pthread_mutex_unlock(&w->lock);
    watch_unref(w);
    return NULL;
}

struct wr_kafka_watch *wr_kafka_watch_new(struct wr_kafka *k, bool all_topics, int every_ms)
{
    struct wr_kafka_watch *w = wr_calloc(1, sizeof *w);
    pthread_condattr_t mono;
    pthread_t thread;
    atomic_init(&w->refs, 2);
    w->k = wr_kafka_ref(k);
    w->all_topics = all_topics;
    w->every_ms = every_ms;
    w->wakes = !wr_kafka_version_at_least(0x020200);
    w->backlog = true;
    pthread_mutex_init(&w->lock, NULL);
    pthread_condattr_init(&mono);
    pthread_condattr_setclock(&mono, CLOCK_MONOTONIC);
    pthread_cond_init(&w->cond, &mono);
    pthread_condattr_destroy(&mono);
    if (pthread_create(&thread, NULL, watch_run, w) == 0) {
        pthread_detach(thread);
    } else {
        wr_log(WR_LOG_WARN, "kafka", "no thread for asking end offsets: reading will be slower, lag unknown");
        w->ended = true;
        atomic_fetch_sub(&w->refs, 1);
    }
    return w;
}

void wr_kafka_watch_list(struct wr_kafka_watch *w, const rd_kafka_topic_partition_list_t *list)
{
    pthread_mutex_lock(&w->lock);
    if (w->list)
        rd_kafka_topic_partition_list_destroy(w->list);
    w->list = rd_kafka_topic_partition_list_copy(list);
    w->end = wr_realloc(w->end, (size_t)(list->cnt + 1) * sizeof *w->end);
    w->fresh = wr_realloc(w->fresh, (size_t)(list->cnt + 1) * sizeof *w->fresh);
    for (int i = w->n; i < list->cnt; i++) {
        w->end[i] = -1;
        w->fresh[i] = false;
    }
    w->n = list->cnt;
    pthread_mutex_unlock(&w->lock);
}

void wr_kafka_watch_backlog(struct wr_kafka_watch *w, bool backlog)
{
    pthread_mutex_lock(&w->lock);
    if (backlog && !w->backlog)
        pthread_cond_broadcast(&w->cond);
    w->backlog = backlog;
    pthread_mutex_unlock(&w->lock);
}

void wr_kafka_watch_take(struct wr_kafka_watch *w, int n, int64_t *end, bool *fresh, const struct rd_kafka_metadata **md)
{
    pthread_mutex_lock(&w->lock);
    for (int i = 0; i < n; i++) {
        fresh[i] = i < w->n && w->fresh[i];
        if (fresh[i]) {
            end[i] = w->end[i];
            w->fresh[i] = false;
        }
    }
    *md = w->md;
    w->md = NULL;
    pthread_mutex_unlock(&w->lock);
}

void wr_kafka_watch_free(struct wr_kafka_watch *w)
{
    enum { PATIENCE = 2500000 }; /* µs: a question that is under way may take ASK_MS */
    if (!w)
        return;
    int64_t started = wr_clock_mono();
    pthread_mutex_lock(&w->lock);
    w->quit = true;
    pthread_cond_broadcast(&w->cond);
    while (!w->ended && wr_clock_mono() - started < PATIENCE)
        wait_ms(w, 100);
    pthread_mutex_unlock(&w->lock);
    watch_unref(w);
}

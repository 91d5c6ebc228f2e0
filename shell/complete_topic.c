/* complete_topic.c: names of topics for Tab.
 * Rules:  the brokers are asked only where a topic is being typed, for at most a second, and not again within ten seconds, whatever they said.
 * Memory: the last answer is kept for the life of the process. */
#include "core/time.h"
#include "planner/catalog.h"
#include "server/peek.h"
#include "shell/repl.h"

enum { TOPICS_MOST = 2000 };
static const int64_t FRESH_US = 10 * WR_US_SEC;

struct known {
    struct wr_arena mem;
    struct wr_str brokers;
    struct wr_listed *topic;
    int n;
    int64_t asked_us;
};

static struct wr_str brokers_of(const struct wr_opts *o) { return wr_opt_text_or(o, "brokers", ""); }

void wr_complete_topics(struct wr_catalog *c, struct wr_str brokers, void (*add)(void *ctx, struct wr_str), void *ctx)
{
    static struct known known;
    struct wr_arena mem = {0};
    struct wr_opts opts;
    struct wr_opt one = {.key = WR_STR("brokers"), .off = -1};
    struct wr_error ignored = WR_ERROR_INIT;
    const struct wr_connector *kafka = wr_connector_find(WR_STR("kafka"));
    if (!kafka || !kafka->list || wr_peek_brokers(c, &mem, &opts, &ignored) != WR_OK)
        return;
    if (brokers.n && wr_vars_replace(c, brokers, -1, &mem, &one.value, &ignored) == WR_OK)
        opts = (struct wr_opts){1, &one};
    int64_t now = wr_clock_mono();
    if (!known.asked_us || now - known.asked_us > FRESH_US || !wr_str_eq(known.brokers, brokers_of(&opts))) {
        wr_arena_clear(&known.mem);
        known = (struct known){.asked_us = now};
        known.brokers = wr_arena_str(&known.mem, brokers_of(&opts));
        if (kafka->list(&opts, true, &known.mem, &known.topic, &known.n, &ignored) != WR_OK)
            known.n = 0;
        known.asked_us = wr_clock_mono();
    }
    for (int i = 0; i < known.n && i < TOPICS_MOST; i++)
        add(ctx, known.topic[i].name);
    wr_arena_clear(&mem);
}

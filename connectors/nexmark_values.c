/* nexmark_values.c: what the events of the Nexmark benchmark contain, as its public description and generators have it.
 *
 *   50 events: 1 person, 3 auctions, 46 bids. Ids count from 1000, categories are 10 to 14.
 *   bids are for one of the last 100 auctions (or one of the next 10, which then come); every second for the hot one, the last that is a multiple of 100
 *   bidders are one of the last 1000 persons (or next 10); three of four bids are by the hot one; three of four auctions are by the hot seller
 *   prices are 10^(0..6) in cents: as many between 1 and 10 as between 10 and 100
 *   an auction is open for as long as it takes, on average, until 100 further auctions have begun
 *   half of the bids come through one of four hot channels, the others through one of 10,000
 *
 * Rules:  a value is mix(seed, event, salt of the value): no state, so any column of any event can be made alone. Text has the benchmark's lengths.
 * Memory: see nexmark.h. */
#include "connectors/made.h"
#include "connectors/nexmark.h"

#include <math.h>

enum {
    CYCLE = 50, PERSONS = 1, AUCTIONS = 3, BIDS = 46,
    FIRST_ID = 1000, FIRST_CATEGORY = 10, CATEGORIES = 5,
    ACTIVE_PERSONS = 1000, PERSON_LEAD = 10, OPEN_AUCTIONS = 100, AUCTION_LEAD = 10,
    HOT = 100, HOT_AUCTIONS = 2, HOT_SELLERS = 4, HOT_BIDDERS = 4, HOT_CHANNELS = 2,
    N_CHANNEL = 10000, N_HOT_CHANNEL = 4,
    PERSON_BYTES = 200, AUCTION_BYTES = 500, BID_BYTES = 100
};

/* clang-format off */
#define PERSON_COLUMNS(p) \
    {p "name", WR_T_TEXT, WR_NEX_NAME, WR_NEX_PERSON}, {p "email_address", WR_T_TEXT, WR_NEX_EMAIL, WR_NEX_PERSON}, \
    {p "credit_card", WR_T_TEXT, WR_NEX_CARD, WR_NEX_PERSON}, {p "city", WR_T_TEXT, WR_NEX_CITY, WR_NEX_PERSON}, {p "state", WR_T_TEXT, WR_NEX_STATE, WR_NEX_PERSON}
#define AUCTION_COLUMNS(p) \
    {p "item_name", WR_T_TEXT, WR_NEX_ITEM, WR_NEX_AUCTION}, {p "description", WR_T_TEXT, WR_NEX_DESCRIPTION, WR_NEX_AUCTION}, \
    {p "initial_bid", WR_T_BIGINT, WR_NEX_INITIAL, WR_NEX_AUCTION}, {p "reserve", WR_T_BIGINT, WR_NEX_RESERVE, WR_NEX_AUCTION}
#define AUCTION_COLUMNS2(p) \
    {p "expires", WR_T_TIMESTAMP, WR_NEX_EXPIRES, WR_NEX_AUCTION}, {p "seller", WR_T_BIGINT, WR_NEX_SELLER, WR_NEX_AUCTION}, \
    {p "category", WR_T_BIGINT, WR_NEX_CATEGORY, WR_NEX_AUCTION}
#define BID_COLUMNS(p) \
    {p "auction", WR_T_BIGINT, WR_NEX_BID_AUCTION, WR_NEX_BID}, {p "bidder", WR_T_BIGINT, WR_NEX_BIDDER, WR_NEX_BID}, \
    {p "price", WR_T_BIGINT, WR_NEX_PRICE, WR_NEX_BID}, {p "channel", WR_T_TEXT, WR_NEX_CHANNEL, WR_NEX_BID}, {p "url", WR_T_TEXT, WR_NEX_URL, WR_NEX_BID}
#define TIME_COLUMN {"date_time", WR_T_TIMESTAMP, WR_NEX_TIME, WR_NEX_EVENT}

static const struct wr_nexcol person_columns[] = {
    {"id", WR_T_BIGINT, WR_NEX_PERSON_ID, WR_NEX_PERSON}, PERSON_COLUMNS(""), TIME_COLUMN, {"extra", WR_T_TEXT, WR_NEX_PERSON_EXTRA, WR_NEX_PERSON}, {0}};
static const struct wr_nexcol auction_columns[] = {
    {"id", WR_T_BIGINT, WR_NEX_AUCTION_ID, WR_NEX_AUCTION}, AUCTION_COLUMNS(""), TIME_COLUMN, AUCTION_COLUMNS2(""),
    {"extra", WR_T_TEXT, WR_NEX_AUCTION_EXTRA, WR_NEX_AUCTION}, {0}};
static const struct wr_nexcol bid_columns[] = {BID_COLUMNS(""), TIME_COLUMN, {"extra", WR_T_TEXT, WR_NEX_BID_EXTRA, WR_NEX_BID}, {0}};
static const struct wr_nexcol event_columns[] = {
    {"kind", WR_T_TEXT, WR_NEX_KIND, WR_NEX_EVENT}, TIME_COLUMN,
    {"person_id", WR_T_BIGINT, WR_NEX_PERSON_ID, WR_NEX_PERSON}, PERSON_COLUMNS("person_"), {"person_extra", WR_T_TEXT, WR_NEX_PERSON_EXTRA, WR_NEX_PERSON},
    {"auction_id", WR_T_BIGINT, WR_NEX_AUCTION_ID, WR_NEX_AUCTION}, AUCTION_COLUMNS("auction_"), AUCTION_COLUMNS2("auction_"),
    {"auction_extra", WR_T_TEXT, WR_NEX_AUCTION_EXTRA, WR_NEX_AUCTION},
    BID_COLUMNS("bid_"), {"bid_extra", WR_T_TEXT, WR_NEX_BID_EXTRA, WR_NEX_BID}, {0}};
/* clang-format on */

static const char *const first_names[] = {"Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter", "Walter"};
static const char *const last_names[] = {"Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris"};
static const char *const cities[] = {"Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond", "Seattle", "Kent", "Cheyenne"};
static const char *const states[] = {"AZ", "CA", "ID", "OR", "WA", "WY"};
static const char *const hot_channels[N_HOT_CHANNEL] = {"Google", "Facebook", "Baidu", "Apple"};
enum { N_FIRST = sizeof first_names / sizeof *first_names, N_LAST = sizeof last_names / sizeof *last_names };
enum { N_CITY = sizeof cities / sizeof *cities, N_STATE = sizeof states / sizeof *states };

const struct wr_nexcol *wr_nexmark_columns(enum wr_nexkind table)
{
    switch (table) {
    case WR_NEX_PERSON: return person_columns;
    case WR_NEX_AUCTION: return auction_columns;
    case WR_NEX_BID: return bid_columns;
    case WR_NEX_EVENT: return event_columns;
    }
    WR_BUG("nexmark table %d", (int)table);
}

const struct wr_nexcol *wr_nexmark_column(enum wr_nexkind table, struct wr_str name)
{
    const struct wr_nexcol *c = wr_nexmark_columns(table);
    while (c->name && !wr_str_eq_c(name, c->name))
        c++;
    return c->name ? c : NULL;
}

/* ---- events by number ---- */

static enum wr_nexkind kind_of(int64_t event)
{
    int64_t at = event % CYCLE;
    return at < PERSONS ? WR_NEX_PERSON : at < PERSONS + AUCTIONS ? WR_NEX_AUCTION : WR_NEX_BID;
}

int64_t wr_nexmark_event(enum wr_nexkind table, int64_t row)
{
    switch (table) {
    case WR_NEX_PERSON: return row * CYCLE;
    case WR_NEX_AUCTION: return row / AUCTIONS * CYCLE + PERSONS + row % AUCTIONS;
    case WR_NEX_BID: return row / BIDS * CYCLE + PERSONS + AUCTIONS + row % BIDS;
    case WR_NEX_EVENT: return row;
    }
    WR_BUG("nexmark table %d", (int)table);
}

static int64_t clamp(int64_t x, int64_t most)
{
    return x < 0 ? 0 : x < most ? x : most;
}

int64_t wr_nexmark_rows(enum wr_nexkind table, int64_t events)
{
    int64_t whole = events / CYCLE, rest = events % CYCLE;
    switch (table) {
    case WR_NEX_PERSON: return whole * PERSONS + clamp(rest, PERSONS);
    case WR_NEX_AUCTION: return whole * AUCTIONS + clamp(rest - PERSONS, AUCTIONS);
    case WR_NEX_BID: return whole * BIDS + clamp(rest - PERSONS - AUCTIONS, BIDS);
    case WR_NEX_EVENT: return events;
    }
    WR_BUG("nexmark table %d", (int)table);
}

int64_t wr_nexmark_time(const struct wr_nexgen *g, int64_t event)
{
    wr_i128 us = (wr_i128)event * WR_US_SEC / g->rate;
    wr_i128 most = (wr_i128)WR_TIME_MAX - g->start_us;
    return g->start_us + (int64_t)(us < most ? us : most) / 1000 * 1000;
}

/* The last person and auction there are at an event, counted from 0; -1: no auction yet. */
static int64_t last_person(int64_t event)
{
    return event / CYCLE;
}

static int64_t last_auction(int64_t event)
{
    return event / CYCLE * AUCTIONS + clamp(event % CYCLE - PERSONS + 1, AUCTIONS) - 1;
}

/* ---- chance ---- */

static inline uint64_t draw(const struct wr_nexgen *g, int64_t event, uint64_t salt)
{
    return wr_made_mix(g->seed + (uint64_t)event * UINT64_C(0x9E3779B97F4A7C15) + salt * UINT64_C(0xD1B54A32D192ED03));
}

/* ---- numbers ---- */

static int64_t any_person(uint64_t x, int64_t event)
{
    int64_t there = last_person(event) + 1, active = there < ACTIVE_PERSONS ? there : ACTIVE_PERSONS;
    return there - active + (int64_t)wr_made_below(x, (uint64_t)(active + PERSON_LEAD));
}

static int64_t any_auction(uint64_t x, int64_t event)
{
    int64_t last = last_auction(event), first = last < OPEN_AUCTIONS ? 0 : last - OPEN_AUCTIONS;
    return first + (int64_t)wr_made_below(x, (uint64_t)(last - first + 1 + AUCTION_LEAD));
}

static int64_t price(uint64_t x)
{
    const double ln_million = 13.815510557964274;
    return (int64_t)(exp((double)(x >> 11) * 0x1p-53 * ln_million) * 100 + 0.5);
}

static int64_t expires(const struct wr_nexgen *g, int64_t event, uint64_t x)
{
    int64_t ahead = (int64_t)OPEN_AUCTIONS * CYCLE / AUCTIONS, now = wr_nexmark_time(g, event);
    int64_t horizon_ms = (wr_nexmark_time(g, event + ahead) - now) / 1000;
    return now + (1 + (int64_t)wr_made_below(x, horizon_ms > 0 ? 2 * (uint64_t)horizon_ms : 1)) * 1000;
}

static int64_t number(const struct wr_nexgen *g, enum wr_nexvalue value, int64_t event)
{
    uint64_t x = draw(g, event, value), y = wr_made_mix(x + 1);
    switch (value) {
    case WR_NEX_TIME: return wr_nexmark_time(g, event);
    case WR_NEX_PERSON_ID: return FIRST_ID + last_person(event);
    case WR_NEX_AUCTION_ID: return FIRST_ID + last_auction(event);
    case WR_NEX_INITIAL: return price(x);
    case WR_NEX_RESERVE: return price(draw(g, event, WR_NEX_INITIAL)) + price(x);
    case WR_NEX_EXPIRES: return expires(g, event, x);
    case WR_NEX_SELLER: return FIRST_ID + (wr_made_below(x, HOT_SELLERS) ? last_person(event) / HOT * HOT : any_person(y, event));
    case WR_NEX_CATEGORY: return FIRST_CATEGORY + (int64_t)wr_made_below(x, CATEGORIES);
    case WR_NEX_BID_AUCTION: return FIRST_ID + (wr_made_below(x, HOT_AUCTIONS) ? last_auction(event) / HOT * HOT : any_auction(y, event));
    case WR_NEX_BIDDER: return FIRST_ID + (wr_made_below(x, HOT_BIDDERS) ? last_person(event) / HOT * HOT + 1 : any_person(y, event));
    case WR_NEX_PRICE: return price(x);
    case WR_NEX_KIND: case WR_NEX_NAME: case WR_NEX_EMAIL: case WR_NEX_CARD: case WR_NEX_CITY: case WR_NEX_STATE: case WR_NEX_PERSON_EXTRA:
    case WR_NEX_ITEM: case WR_NEX_DESCRIPTION: case WR_NEX_AUCTION_EXTRA: case WR_NEX_CHANNEL: case WR_NEX_URL: case WR_NEX_BID_EXTRA: break;
    }
    WR_BUG("nexmark value %d is no number", (int)value);
}

/* ---- text ---- */

/* n letters, 12 out of each draw. */
static void letters(char *p, uint64_t x, size_t n)
{
    for (size_t i = 0; i < n; x = wr_made_mix(x + 1)) {
        uint64_t bits = x;
        for (int k = 0; k < 12 && i < n; k++, bits >>= 5)
            p[i++] = (char)('a' + ((bits & 31) * 26 >> 5));
    }
}

/* least..most letters, now and then a blank inside. */
static struct wr_str words(struct wr_arena *mem, uint64_t x, uint32_t least, uint32_t most)
{
    uint32_t n = least + (uint32_t)wr_made_below(x, most - least + 1);
    char *p = wr_arena_bytes(mem, n);
    letters(p, wr_made_mix(x + 1), n);
    x = wr_made_mix(x + 2);
    for (uint32_t at = (uint32_t)wr_made_below(x, 26); at + 1 < n; at += 1 + (uint32_t)wr_made_below(x, 26)) {
        if (at > 0)
            p[at] = ' ';
        x = wr_made_mix(x);
    }
    return (struct wr_str){p, n};
}

/* What brings the event to its average size, give or take a fifth. */
static struct wr_str extra(struct wr_arena *mem, uint64_t x, uint32_t have, uint32_t want)
{
    uint32_t gap = want - have, n = gap - gap / 5 + (uint32_t)wr_made_below(x, 2 * (gap / 5) + 1);
    char *p = wr_arena_bytes(mem, n);
    letters(p, wr_made_mix(x + 1), n);
    return (struct wr_str){p, n};
}

static struct wr_str joined(struct wr_arena *mem, const char *a, const char *b)
{
    size_t n = strlen(a), m = strlen(b);
    char *p = wr_arena_bytes(mem, n + 1 + m);
    memcpy(p, a, n);
    p[n] = ' ';
    memcpy(p + n + 1, b, m);
    return (struct wr_str){p, (uint32_t)(n + 1 + m)};
}

static struct wr_str email(struct wr_arena *mem, uint64_t x)
{
    uint32_t user = 3 + (uint32_t)wr_made_below(x, 5), host = 3 + (uint32_t)wr_made_below(wr_made_mix(x + 1), 3);
    char *p = wr_arena_bytes(mem, user + host + 5);
    letters(p, wr_made_mix(x + 2), user + 1 + host);
    p[user] = '@';
    memcpy(p + user + 1 + host, ".com", 4);
    return (struct wr_str){p, user + host + 5};
}

static struct wr_str card(struct wr_arena *mem, uint64_t x)
{
    char *p = wr_arena_bytes(mem, 19);
    for (uint32_t i = 0; i < 19; i++) {
        p[i] = i % 5 == 4 ? ' ' : (char)('0' + wr_made_below(x, 10));
        x = wr_made_mix(x + 1);
    }
    return (struct wr_str){p, 19};
}

/* The bid's channel: less than N_CHANNEL an ordinary one, from there on the hot ones. */
static uint32_t channel_of(const struct wr_nexgen *g, int64_t event)
{
    uint64_t x = draw(g, event, WR_NEX_CHANNEL), y = wr_made_mix(x + 1);
    return wr_made_below(x, HOT_CHANNELS) ? N_CHANNEL + (uint32_t)wr_made_below(y, N_HOT_CHANNEL) : (uint32_t)wr_made_below(y, N_CHANNEL);
}

static struct wr_str text(const struct wr_nexgen *g, enum wr_nexvalue value, int64_t event, struct wr_arena *mem)
{
    uint64_t x = draw(g, event, value);
    switch (value) {
    case WR_NEX_KIND: {
        enum wr_nexkind k = kind_of(event);
        return k == WR_NEX_PERSON ? WR_STR("person") : k == WR_NEX_AUCTION ? WR_STR("auction") : WR_STR("bid");
    }
    case WR_NEX_NAME: return joined(mem, first_names[wr_made_below(x, N_FIRST)], last_names[wr_made_below(wr_made_mix(x + 1), N_LAST)]);
    case WR_NEX_EMAIL: return email(mem, x);
    case WR_NEX_CARD: return card(mem, x);
    case WR_NEX_CITY: return wr_str_c(cities[wr_made_below(x, N_CITY)]);
    case WR_NEX_STATE: return wr_str_c(states[wr_made_below(x, N_STATE)]);
    case WR_NEX_ITEM: return words(mem, x, 3, 20);
    case WR_NEX_DESCRIPTION: return words(mem, x, 3, 100);
    case WR_NEX_CHANNEL: return g->channel[channel_of(g, event)];
    case WR_NEX_URL: return g->url[channel_of(g, event)];
    case WR_NEX_PERSON_EXTRA: return extra(mem, x, 70, PERSON_BYTES);
    case WR_NEX_AUCTION_EXTRA: return extra(mem, x, 130, AUCTION_BYTES);
    case WR_NEX_BID_EXTRA: return extra(mem, x, 32, BID_BYTES);
    case WR_NEX_TIME: case WR_NEX_PERSON_ID: case WR_NEX_AUCTION_ID: case WR_NEX_INITIAL: case WR_NEX_RESERVE: case WR_NEX_EXPIRES: case WR_NEX_SELLER:
    case WR_NEX_CATEGORY: case WR_NEX_BID_AUCTION: case WR_NEX_BIDDER: case WR_NEX_PRICE: break;
    }
    WR_BUG("nexmark value %d is no text", (int)value);
}

/* ---- columns ---- */

static uint32_t reversed(uint32_t x)
{
    uint32_t out = 0;
    for (int i = 0; i < 32; i++, x >>= 1)
        out = out << 1 | (x & 1);
    return out;
}

/* Page of a channel: three directories by chance; nine of ten pages of ordinary channels name the channel behind. */
static struct wr_str page(const struct wr_nexgen *g, uint32_t channel, struct wr_arena *mem)
{
    char dir[3][5];
    uint64_t x = draw(g, channel, WR_NEX_URL);
    for (int i = 0; i < 3; i++)
        letters(dir[i], x = wr_made_mix(x + 1), 5);
    struct wr_str base = wr_arena_printf(mem, "https://www.nexmark.com/%.5s/%.5s/%.5s/item.htm?query=1", dir[0], dir[1], dir[2]);
    if (channel >= N_CHANNEL || wr_made_below(wr_made_mix(x), 10) == 0)
        return base;
    int32_t id = (int32_t)reversed(channel);
    return wr_arena_printf(mem, "%.*s&channel_id=%d", WR_FMT(base), id < 0 ? -id : id);
}

void wr_nexmark_init(struct wr_nexgen *g, int64_t seed, const struct wr_nexcol *const *col, int n_col, struct wr_arena *mem)
{
    g->seed = wr_made_mix((uint64_t)seed + UINT64_C(0x9E3779B97F4A7C15));
    for (int i = 0; i < n_col; i++) {
        if (col[i]->value == WR_NEX_CHANNEL && !g->channel) {
            g->channel = WR_NEW_N(mem, struct wr_str, N_CHANNEL + N_HOT_CHANNEL);
            for (int k = 0; k < N_CHANNEL + N_HOT_CHANNEL; k++)
                g->channel[k] = k < N_CHANNEL ? wr_arena_printf(mem, "channel-%d", k) : wr_str_c(hot_channels[k - N_CHANNEL]);
        } else if (col[i]->value == WR_NEX_URL && !g->url) {
            g->url = WR_NEW_N(mem, struct wr_str, N_CHANNEL + N_HOT_CHANNEL);
            for (uint32_t k = 0; k < N_CHANNEL + N_HOT_CHANNEL; k++)
                g->url[k] = page(g, k, mem);
        }
    }
}

void wr_nexmark_fill(const struct wr_nexgen *g, const struct wr_nexcol *c, const int64_t *event, uint32_t n, struct wr_vec *v, struct wr_batch *b)
{
    bool is_text = c->type == WR_T_TEXT;
    if (g->mixed && c->of != WR_NEX_EVENT) {
        uint8_t *nulls = NULL;
        for (uint32_t i = 0; i < n; i++) {
            if (kind_of(event[i]) == c->of)
                continue;
            nulls = nulls ? nulls : wr_vec_nulls(v, b->cap, &b->mem);
            nulls[i] = 1;
            if (is_text)
                WR_VEC_STR(v)[i] = (struct wr_str){0};
            else
                WR_VEC_I64(v)[i] = 0;
        }
    }
    const uint8_t *nulls = v->nulls;
    if (is_text) {
        for (uint32_t i = 0; i < n; i++)
            if (!nulls || !nulls[i])
                WR_VEC_STR(v)[i] = text(g, c->value, event[i], &b->mem);
    } else {
        for (uint32_t i = 0; i < n; i++)
            if (!nulls || !nulls[i])
                WR_VEC_I64(v)[i] = number(g, c->value, event[i]);
    }
}

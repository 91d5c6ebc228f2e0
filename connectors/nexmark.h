/* nexmark.h: the events of the Nexmark benchmark by number; nexmark_values.c makes them, nexmark.c is the source. */
#ifndef WR_CONNECTORS_NEXMARK_H
#define WR_CONNECTORS_NEXMARK_H

#include "connectors/internal.h"

enum wr_nexkind { WR_NEX_PERSON, WR_NEX_AUCTION, WR_NEX_BID, WR_NEX_EVENT };

enum wr_nexvalue {
    WR_NEX_KIND,        /* 'person', 'auction' or 'bid' */
    WR_NEX_TIME,
    WR_NEX_PERSON_ID, WR_NEX_NAME, WR_NEX_EMAIL, WR_NEX_CARD, WR_NEX_CITY, WR_NEX_STATE, WR_NEX_PERSON_EXTRA,
    WR_NEX_AUCTION_ID, WR_NEX_ITEM, WR_NEX_DESCRIPTION, WR_NEX_INITIAL, WR_NEX_RESERVE, WR_NEX_EXPIRES, WR_NEX_SELLER, WR_NEX_CATEGORY, WR_NEX_AUCTION_EXTRA,
    WR_NEX_BID_AUCTION, WR_NEX_BIDDER, WR_NEX_PRICE, WR_NEX_CHANNEL, WR_NEX_URL, WR_NEX_BID_EXTRA
};

struct wr_nexcol {
    const char *name;        /* NULL ends a list */
    enum wr_tid type;
    enum wr_nexvalue value;
    enum wr_nexkind of;      /* NULL in events of another kind; EVENT: every event has it */
};

struct wr_nexgen {
    uint64_t seed;           /* mixed */
    int64_t start_us;
    int64_t rate;            /* events a second of event time */
    bool mixed;              /* events of all kinds: a column is NULL in those of another kind */
    struct wr_str *channel;  /* names of the channels that few bid through; NULL unless a column needs them */
    struct wr_str *url;      /* their pages, and those of the hot channels behind; NULL unless needed */
};

const struct wr_nexcol *wr_nexmark_columns(enum wr_nexkind table);
const struct wr_nexcol *wr_nexmark_column(enum wr_nexkind table, struct wr_str name); /* NULL: none */
/* Number of the event that is a table's row, both from 0; how many rows of a table are among the first events. */
int64_t wr_nexmark_event(enum wr_nexkind table, int64_t row);
int64_t wr_nexmark_rows(enum wr_nexkind table, int64_t events);
int64_t wr_nexmark_time(const struct wr_nexgen *g, int64_t event);
/* start_us, rate and mixed are set by the caller; makes what the columns need, in mem. */
void wr_nexmark_init(struct wr_nexgen *g, int64_t seed, const struct wr_nexcol *const *col, int n_col, struct wr_arena *mem);
/* One column's values for n events; text in the batch's arena, or constant. */
void wr_nexmark_fill(const struct wr_nexgen *g, const struct wr_nexcol *c, const int64_t *event, uint32_t n, struct wr_vec *v, struct wr_batch *b);

#endif

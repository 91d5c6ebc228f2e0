/* rows.h: rows kept by key: what joins and set operations hold of an input. rows.c has the table, rows_state.c its checkpoints, rows_spill.c what
 * of it is on disk because it does not fit into memory.
 *
 * - A row is one block: header, null bits, fixed-size values, texts. A bucket holds the rows of one key, so all rows of a key are found with one
 *   look into the table and walked without hashing. The key is not kept apart: it is read from the bucket's first row.
 * - `counted`: equal rows are one entry with a count, found by content (retraction, semi joins). Else each row is an entry of its own.
 * - `time_col`: the rows of a bucket are in order of that column, ties by arrival; else in order of arrival, until one is taken out.
 * - What the table gives depends on what was put in, in which order, never on addresses or hash seeds.
 * Memory: malloc'd blocks owned by the table; a row stays where it is until it is dropped. One owner thread. */
#ifndef WR_EXECUTOR_ROWS_H
#define WR_EXECUTOR_ROWS_H

#include "core/batch.h"
#include "core/omap.h"
#include "executor/filter.h"
#include "executor/spill.h"

/* Where things are in a row; one for a side of an operator, shared by its tables. */
struct wr_rowlayout {
    const struct wr_schema *schema;
    int n_key;
    const int *key;         /* columns that are the key */
    uint32_t *offset;       /* by column, from the start of the data */
    enum wr_phys *phys;
    uint32_t fixed;         /* bytes of data before the texts */
    bool counted;
    int time_col;           /* -1: order of arrival */
};
void wr_rowlayout_init(struct wr_rowlayout *l, const struct wr_schema *schema, const int *key, int n_key, bool counted, int time_col, struct wr_arena *a);

enum wr_row_flag {
    WR_ROW_CHANGED = 1,     /* in the list of rows changed since the last checkpoint */
    WR_ROW_STORED = 2,      /* the last checkpoint has it */
    WR_ROW_OUT = 4          /* taken out of its bucket; the operator still holds it (wr_rows_take_out) */
};

struct wr_bucket;
struct wr_row {
    uint64_t seq;           /* number of arrival; names the row in checkpoints */
    int64_t n;              /* how often it is held, > 0 */
    int64_t mark;           /* the operator's own, 0 when the row is made: kept in checkpoints */
    struct wr_bucket *bucket;
    uint32_t at;            /* place in the bucket; not with time_col */
    uint32_t size;          /* bytes of data */
    uint32_t hash;          /* of the data; counted only */
    uint32_t listed;        /* WR_ROW_CHANGED: place in the list */
    uint8_t flags;
    _Alignas(8) char data[];
};

struct wr_rowindex;         /* rows of a large bucket by content */
struct wr_bucket {
    uint64_t hash;          /* of the key */
    int64_t total;          /* sum of its rows' n */
    int64_t touched;        /* the operator's: time of its last use, for state.ttl; or when it is wanted back from disk */
    uint32_t n, cap;        /* rows; places allocated, 0: the one row is `one` */
    uint32_t first;         /* rows stand at first .. first + n - 1 (taking out the oldest moves nothing) */
    struct wr_row *one, **many;
    struct wr_rowindex *index; /* NULL: few rows */
    uint32_t disk;          /* bytes of its copy in the spill; 0: there is none */
    bool same;              /* that copy, or the checkpoint where there is none, is as good */
    bool used;              /* second chance: set when its key is asked for */
    bool going;             /* picked to go to disk */
};
static inline struct wr_row *wr_bucket_row(const struct wr_bucket *k, uint32_t i) { return k->cap ? k->many[k->first + i] : k->one; }

struct wr_rows {
    const struct wr_rowlayout *layout;
    uint64_t *slot;         /* tagged pointers to buckets; 0: empty, 1: was removed */
    uint64_t mask, used, n; /* n: buckets */
    int64_t total;          /* rows held, counted */
    uint64_t next_seq;
    size_t bytes;           /* allocated for buckets and rows */
    struct wr_buf data;     /* the row being encoded */
    struct wr_op *op;
    bool track;             /* checkpoints are kept (rows_state.c) */
    int input;              /* of the operator, whose rows these are */
    struct wr_buf prefix;   /* of this table's keys in the store */
    struct wr_row **changed;
    uint32_t n_changed, cap_changed;
    struct wr_buf gone;     /* delta records of stored rows that were dropped since the last checkpoint */
    struct wr_omap gone_keys; /* their keys: they are still on disk and must not come back */
    bool rescaled;          /* its head must be written anew: there were more or fewer instances */
    struct wr_store_reader *reader; /* after a restart: rows come back from here when their key is asked for; NULL: all are here */
    /* max_state_bytes (rows_spill.c) */
    struct wr_spill *spill; /* the operator's; NULL: nothing goes to disk */
    struct wr_filter out;   /* keys that went there */
    uint64_t n_disk;        /* copies there */
    uint64_t n_sent;        /* buckets that ever went */
    uint64_t hand;          /* slot at which the search for buckets that can go goes on */
    bool busy;              /* being walked: nothing goes */
    const struct wr_bucket *current; /* being looked at: does not go */
    void (*came)(struct wr_op *, struct wr_rows *, struct wr_bucket *); /* NULL, or told of each bucket that comes (back) from disk */
};
void wr_rows_init(struct wr_rows *t, const struct wr_rowlayout *l);
void wr_rows_clear(struct wr_rows *t); /* frees everything (rows taken out are the operator's); nothing is written down */

/* The rows whose key equals columns col[0..n_key) of row `row`; hash: wr_hash_rows over these columns, one seed for all who ask. NULL equals NULL:
 * who does not want that does not ask. NULL: there are none. */
struct wr_bucket *wr_rows_find(struct wr_rows *t, const struct wr_batch *b, const int *col, uint32_t row, uint64_t hash);
/* The rows of t with the key of x, a row of another table; both keys have the same types. */
struct wr_bucket *wr_rows_like(struct wr_rows *t, const struct wr_rowlayout *l, const struct wr_row *x);
/* Adds a row n times. counted: the entry may have been there. */
struct wr_row *wr_rows_add(struct wr_rows *t, const struct wr_batch *b, uint32_t row, uint64_t hash, int64_t n);
/* counted: the entry equal to the row, NULL: there is none. */
struct wr_row *wr_rows_get(struct wr_rows *t, const struct wr_batch *b, uint32_t row, uint64_t hash);
/* Takes n from the row's count; at 0 the row is freed, and its bucket when that was its last row. */
void wr_rows_drop(struct wr_rows *t, struct wr_row *x, int64_t n);
/* Takes the row out of its bucket for good but leaves the block to the caller, who frees it with wr_row_free. */
void wr_rows_take_out(struct wr_rows *t, struct wr_row *x);
void wr_row_free(struct wr_row *x);
void wr_rows_drop_bucket(struct wr_rows *t, struct wr_bucket *k);
/* Rows of the bucket with lo <= time_col <= hi: *from .. *to - 1. */
void wr_bucket_range(const struct wr_rows *t, const struct wr_bucket *k, int64_t lo, int64_t hi, uint32_t *from, uint32_t *to);
/* Walk over all buckets, in no meaningful order: for freeing and counting only. Start with *at = 0; NULL at the end. Buckets may be dropped on the way. */
struct wr_bucket *wr_rows_next(const struct wr_rows *t, uint64_t *at);

/* ---- values ---- */

static inline bool wr_row_null(const struct wr_row *x, int col) { return (unsigned char)x->data[col >> 3] >> (col & 7) & 1; }
struct wr_value wr_row_get(const struct wr_rowlayout *l, const struct wr_row *x, int col); /* text borrowed from the row */
int64_t wr_row_time(const struct wr_rowlayout *l, const struct wr_row *x);                 /* time_col */
/* Column col of x[0..n) into out, rows 0..n-1; x[k] NULL: NULL. deep: text copied into mem, else borrowed from the rows. */
void wr_rows_column(const struct wr_rowlayout *l, int col, struct wr_row *const *x, uint32_t n, struct wr_vec *out, struct wr_arena *mem, bool deep);

/* ---- checkpoints ---- */

/* The table's rows, which are those of this input of the operator, go into checkpoints, where the job keeps them, and to disk, under the operator's keys
 * of this kind and `suffix` (a pane's bounds; may be empty). spill: NULL: not to disk. Before the first row. */
void wr_rows_track(struct wr_rows *t, struct wr_op *op, int input, char kind, struct wr_str suffix, struct wr_spill *spill);
/* The row's count or mark has changed (add and drop call it themselves). */
void wr_rows_changed(struct wr_rows *t, struct wr_row *x);
/* Appends what changed since the last one. */
void wr_rows_checkpoint(struct wr_rows *t, struct wr_buf *delta);
/* The table is dropped for good: all its records are deleted. Call before wr_rows_clear. */
void wr_rows_forget(struct wr_rows *t, struct wr_buf *delta);
/* After wr_rows_track on a new table: what the last checkpoint has. Rows come into memory when their key is asked for. false: damaged. */
bool wr_rows_restore(struct wr_rows *t, struct wr_store_reader *r);

/* ---- state that does not fit into memory (rows_spill.c) ---- */

uint64_t wr_rows_bytes(const struct wr_rows *t); /* memory in use */
struct wr_pick { struct wr_rows *table; struct wr_bucket *bucket; };
struct wr_picked { struct wr_pick *at; uint32_t n, cap; }; /* the caller's; at is malloc'd */
/* Picks buckets that nobody has asked for since it last came by, `want` bytes of them; returns the bytes. */
uint64_t wr_rows_pick(struct wr_rows *t, uint64_t want, struct wr_picked *to);
/* Lets a bucket go to disk: its rows are freed. It can be asked for after the next wr_spill_write. */
void wr_rows_send(struct wr_rows *t, struct wr_bucket *k);
/* The bucket with these key fields (wr_row_key_bytes) is brought back. NULL: it is in memory, or nowhere. */
struct wr_bucket *wr_rows_back(struct wr_rows *t, struct wr_str fields, uint64_t hash);
/* Calls fn for each bucket, in memory and on disk, one of these at a time, in no meaningful order. What came from disk goes back there unless fn says
 * otherwise; fn may drop the bucket (and says so), or fail. older: copies in the spill that were touched later are passed over. */
wr_status wr_rows_each(struct wr_rows *t, int64_t older, enum wr_each (*fn)(void *ctx, struct wr_bucket *k, wr_status *st, struct wr_error *err), void *ctx,
                       struct wr_error *err);
/* state.ttl: drops the buckets that were not touched for ttl (µs) as of now, and books their rows of op as passed. */
struct wr_op;
wr_status wr_rows_expire(struct wr_rows *t, struct wr_op *op, int64_t now, int64_t ttl, struct wr_error *err);
/* The table is dropped: its copies, too. */
void wr_rows_forget_disk(struct wr_rows *t);

/* Key fields of a row, in order-preserving bytes. */
void wr_row_key_bytes(const struct wr_rowlayout *l, const struct wr_row *x, struct wr_buf *out);

/* For rows_state.c and rows_spill.c. */
struct wr_row *wr_rows_put(struct wr_rows *t, uint64_t hash, struct wr_str data, uint64_t seq); /* a new row; its bucket is made if needed */
uint64_t wr_row_hash_key(const struct wr_rowlayout *l, const struct wr_row *x);
void wr_rows_fetch(struct wr_rows *t, const struct wr_batch *b, const int *col, uint32_t row, uint64_t hash);
void wr_rows_fetch_like(struct wr_rows *t, const struct wr_rowlayout *l, const struct wr_row *x);
struct wr_bucket *wr_rows_slot(const struct wr_rows *t, uint64_t i); /* NULL: empty */
struct wr_bucket *wr_rows_here(const struct wr_rows *t, struct wr_str fields, uint64_t hash); /* in memory */
size_t wr_bucket_bytes(const struct wr_bucket *k);
void wr_rows_let_go(struct wr_rows *t, struct wr_bucket *k); /* frees it; the table still counts its rows */
void wr_row_settle(struct wr_rows *t, struct wr_row *x);     /* what changed goes into the next checkpoint */
void wr_rows_fetch_fields(struct wr_rows *t, struct wr_str fields, uint64_t hash);
bool wr_rows_fetch_copy(struct wr_rows *t, struct wr_str fields, uint64_t hash);
void wr_rows_forget_copy(struct wr_rows *t, const struct wr_row *x); /* of the bucket of x, which goes */
bool wr_rows_is_ours(const struct wr_rows *t, const struct wr_row *x);
bool wr_row_valid(const struct wr_rowlayout *l, struct wr_str data);

#endif

/* batch.h: rows of columns; what flows between operators.
 *
 * - A batch is made by one owner (refs 1), filled, then emitted. Once emitted it is never changed, because others may share it;
 *   a filter or a projection makes a new header (a view) that holds the old batch and shares its columns.
 * - Row numbers stay the same through views, so that row i of a view is row i of the batch that the source made: `sel` says which are live.
 * - Thread: refs is atomic, all else belongs to who has the batch. */
#ifndef WR_CORE_BATCH_H
#define WR_CORE_BATCH_H

#include <stdatomic.h>

#include "core/vec.h"

#ifdef WEIR_HARD
enum { WR_BATCH_ROWS = 3 };    /* hostile build: what depends on batch boundaries shows */
#else
enum { WR_BATCH_ROWS = 2048 }; /* usual capacity; a source may fill less */
#endif

/* What a row is to the result before it. Order as in Flink's row kinds. */
enum wr_rowop { WR_OP_INSERT = 0, WR_OP_UPDATE_BEFORE = 1, WR_OP_UPDATE_AFTER = 2, WR_OP_DELETE = 3 };
static inline bool wr_op_is_retract(int8_t op) { return op & 1; } /* -U and -D take away; +I and +U add */

/* Where a source row came from; asked for only when a row is bad or late. */
struct wr_origin {
    struct wr_str topic;    /* topic, file name; empty: unknown */
    int32_t part;           /* partition; -1: unknown */
    int64_t offset;         /* offset, or line number from 1 in a file; -1: unknown */
    int64_t ts_us;          /* the record's own timestamp; INT64_MIN: none */
    struct wr_str raw;      /* the record's bytes; lives as long as the batch */
    struct wr_str key;      /* the record's key; empty: none */
};

struct wr_batch;
struct wr_hold { /* something a batch keeps alive */
    void (*release)(void *what);
    void *what;
    struct wr_hold *next;
};

struct wr_batch {
    atomic_int refs;
    uint32_t cap, len;       /* rows allocated, rows filled; live rows are those of sel */
    uint32_t n_live;         /* rows selected: n_sel, or len */
    const uint32_t *sel;     /* ascending row numbers that live; NULL: all of 0..len-1 */
    const int8_t *op;        /* enum wr_rowop by row; NULL: all WR_OP_INSERT */
    const int64_t *wm;       /* running watermark just before each row (µs), set by the watermark operator; NULL: wm0 for all */
    int64_t wm0;             /* INT64_MIN: no watermark yet */
    const int64_t *rec_ts;    /* the record's own timestamp by row (µs), for max_future_skew; NULL: unknown */
    const uint32_t *part;    /* source: partition slot (index into the source's parts) by row; NULL: part0 for all */
    uint32_t part0;
    void (*origin)(const struct wr_batch *src, uint32_t row, struct wr_origin *out); /* NULL: unknown. Called with the source's batch */
    const struct wr_batch *src; /* the source's batch whose row numbers these are (kept alive by holds); NULL: this one, or rows were remade */
    void *src_priv;          /* the source's own, for origin() */
    const void *scan;        /* the scan operator these rows came through (side outputs find their readers by it); NULL: rows were remade */
    struct wr_hold *holds;
    struct wr_arena mem;     /* owns this batch's vectors and text */
    int n_col;
    struct wr_vec col[];
};

/* An empty batch of n_col columns of these types with room for cap rows in each. Who fills it sets len and n_live. */
struct wr_batch *wr_batch_new(const struct wr_schema *schema, uint32_t cap);
/* A new header over n_col columns to be set by the caller (col[] zeroed); shares op, sel, wm, part, src, scan, origin and len of `in`
 * and holds it with a reference of its own (the caller keeps his). */
struct wr_batch *wr_batch_view(struct wr_batch *in, int n_col);
/* The same columns with another selection: n ascending row numbers, copied into the batch, so sel may be the caller's scratch; NULL for all.
 * Takes over `in` (consumes one reference); returns `in` itself, changed, when it is not shared, else a view. */
struct wr_batch *wr_batch_select(struct wr_batch *in, const uint32_t *sel, uint32_t n);
static inline struct wr_batch *wr_batch_ref(struct wr_batch *b)
{
    atomic_fetch_add_explicit(&b->refs, 1, memory_order_relaxed);
    return b;
}
void wr_batch_unref(struct wr_batch *b); /* NULL is allowed */
/* what is released when the last reference goes. */
void wr_batch_hold(struct wr_batch *b, void (*release)(void *), void *what);
static inline uint32_t wr_batch_row(const struct wr_batch *b, uint32_t k) { return b->sel ? b->sel[k] : k; } /* k-th live row */
static inline int8_t wr_batch_op(const struct wr_batch *b, uint32_t row) { return b->op ? b->op[row] : WR_OP_INSERT; }
static inline int64_t wr_batch_wm(const struct wr_batch *b, uint32_t row) { return b->wm ? b->wm[row] : b->wm0; }
static inline uint32_t wr_batch_part(const struct wr_batch *b, uint32_t row) { return b->part ? b->part[row] : b->part0; }
/* The origin of a row, all fields "unknown" if there is none. */
void wr_batch_origin(const struct wr_batch *b, uint32_t row, struct wr_origin *out);

/* Makes batches row by row: for sources, for operators that emit results. Full batches go to `full`. */
struct wr_builder {
    const struct wr_schema *schema;
    struct wr_batch *b;      /* being filled; NULL: none yet */
    uint32_t cap;            /* rows a batch; 0: WR_BATCH_ROWS */
    int8_t *op;              /* b->op, writable; made at the first row that is not +I */
};
/* Row number for the next row in bl->b (made if needed). Caller fills every column of it. NULL columns: wr_builder_null. */
uint32_t wr_builder_row(struct wr_builder *bl, enum wr_rowop op);
void wr_builder_null(struct wr_builder *bl, int col, uint32_t row);
void wr_builder_set(struct wr_builder *bl, int col, uint32_t row, const struct wr_value *val); /* text copied into the batch */
void wr_builder_copy(struct wr_builder *bl, int col, uint32_t row, const struct wr_vec *src, uint32_t from); /* with NULL; text copied */
bool wr_builder_full(const struct wr_builder *bl);
/* Hands over what is there (NULL if nothing) and starts anew. */
struct wr_batch *wr_builder_take(struct wr_builder *bl);

#endif

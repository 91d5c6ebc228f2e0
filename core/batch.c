/* batch.c: batches, views over them, and the builder that fills them row by row.
 *
 * Rules:  a batch lives inside its own arena, so that making one is one block and freeing it is one put back into the block store.
 *         A view has a reference on the batch below it, as the first of its holds. Holds are released in the order they were added.
 * Memory: see above; wr_batch_unref of the last reference frees all. */
#include "core/batch.h"

/* A batch header in an arena with room for `more` bytes. */
static struct wr_batch *new_header(int n_col, size_t more)
{
    struct wr_arena mem = {0};
    size_t size = sizeof(struct wr_batch) + (size_t)n_col * sizeof(struct wr_vec);
    wr_arena_room(&mem, size + 16 + more);
    struct wr_batch *b = wr_arena_zero(&mem, size);
    b->mem = mem;
    atomic_init(&b->refs, 1);
    b->wm0 = INT64_MIN;
    b->n_col = n_col;
    return b;
}

struct wr_batch *wr_batch_new(const struct wr_schema *schema, uint32_t cap)
{
    size_t bytes = 0;
    for (int c = 0; c < schema->n; c++)
        bytes += (size_t)cap * wr_phys_width(wr_type_phys((enum wr_tid)schema->field[c].type.id)) + 16;
    struct wr_batch *b = new_header(schema->n, bytes);
    b->cap = cap;
    for (int c = 0; c < schema->n; c++)
        wr_vec_init(&b->col[c], schema->field[c].type, cap, &b->mem);
    return b;
}

static void release_batch(void *b)
{
    wr_batch_unref(b);
}

struct wr_batch *wr_batch_view(struct wr_batch *in, int n_col)
{
    struct wr_batch *b = new_header(n_col, 256);
    b->cap = in->cap;
    b->len = in->len;
    b->n_live = in->n_live;
    b->sel = in->sel;
    b->op = in->op;
    b->wm = in->wm;
    b->wm0 = in->wm0;
    b->rec_ts = in->rec_ts;
    b->scan = in->scan;
    b->part = in->part;
    b->part0 = in->part0;
    b->origin = in->origin;
    b->src = in->src ? in->src : in->origin ? in : NULL;
    b->src_priv = in->src_priv;
    b->scan = in->scan;
    wr_batch_hold(b, release_batch, wr_batch_ref(in));
    return b;
}

struct wr_batch *wr_batch_select(struct wr_batch *in, const uint32_t *sel, uint32_t n)
{
    struct wr_batch *b = in;
    if (atomic_load_explicit(&in->refs, memory_order_acquire) > 1) {
        b = wr_batch_view(in, in->n_col);
        memcpy(b->col, in->col, (size_t)in->n_col * sizeof in->col[0]);
        wr_batch_unref(in);
    }
    if (!sel || n == b->len) { /* ascending and as many as there are: all */
        b->sel = NULL;
        b->n_live = b->len;
        return b;
    }
    uint32_t *own = wr_arena_alloc(&b->mem, (size_t)n * sizeof *own);
    if (n)
        memcpy(own, sel, (size_t)n * sizeof *own);
    b->sel = own;
    b->n_live = n;
    return b;
}

void wr_batch_unref(struct wr_batch *b)
{
    if (!b || atomic_fetch_sub_explicit(&b->refs, 1, memory_order_acq_rel) != 1)
        return;
    for (struct wr_hold *h = b->holds; h; h = h->next)
        h->release(h->what);
    struct wr_arena mem = b->mem; /* b itself is inside */
    wr_arena_clear(&mem);
}

void wr_batch_hold(struct wr_batch *b, void (*release)(void *), void *what)
{
    struct wr_hold *h = WR_NEW(&b->mem, struct wr_hold);
    h->release = release;
    h->what = what;
    struct wr_hold **last = &b->holds;
    while (*last)
        last = &(*last)->next;
    *last = h;
}

void wr_batch_origin(const struct wr_batch *b, uint32_t row, struct wr_origin *out)
{
    *out = (struct wr_origin){.part = -1, .offset = -1, .ts_us = INT64_MIN};
    if (b->origin)
        b->origin(b->src ? b->src : b, row, out);
}

static uint32_t builder_cap(const struct wr_builder *bl)
{
    return bl->cap ? bl->cap : WR_BATCH_ROWS;
}

uint32_t wr_builder_row(struct wr_builder *bl, enum wr_rowop op)
{
    if (!bl->b)
        bl->b = wr_batch_new(bl->schema, builder_cap(bl));
    struct wr_batch *b = bl->b;
    WR_ASSERT(b->len < b->cap);
    uint32_t row = b->len++;
    b->n_live++;
    if (op != WR_OP_INSERT && !bl->op) {
        bl->op = wr_arena_zero(&b->mem, b->cap);
        b->op = bl->op;
    }
    if (bl->op)
        bl->op[row] = (int8_t)op;
    return row;
}

void wr_builder_null(struct wr_builder *bl, int col, uint32_t row)
{
    struct wr_value null = {.null = true};
    wr_vec_set(&bl->b->col[col], row, &null, bl->b->cap, &bl->b->mem);
}

void wr_builder_set(struct wr_builder *bl, int col, uint32_t row, const struct wr_value *val)
{
    wr_vec_set(&bl->b->col[col], row, val, bl->b->cap, &bl->b->mem);
}

void wr_builder_copy(struct wr_builder *bl, int col, uint32_t row, const struct wr_vec *src, uint32_t from)
{
    struct wr_value val = wr_vec_get(src, from);
    wr_vec_set(&bl->b->col[col], row, &val, bl->b->cap, &bl->b->mem);
}

bool wr_builder_full(const struct wr_builder *bl)
{
    return bl->b && bl->b->len >= bl->b->cap;
}

struct wr_batch *wr_builder_take(struct wr_builder *bl)
{
    struct wr_batch *b = bl->b;
    bl->b = NULL;
    bl->op = NULL;
    return b;
}

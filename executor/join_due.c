/* join_due.c: the rows of one side of a join by when they leave: least first, ties by arrival.
 * Rules:  rows mostly come in that order: these stand in a line, and only the others in a heap. What was taken out of its table before its time
 *         stays here until half of the queue is such.
 * Memory: two arrays; the rows are the tables', or, when they were taken out, the queue's. */
#include <stdlib.h>

#include "executor/join.h"

static bool sooner(const struct wr_join_due *x, const struct wr_join_due *y)
{
    return x->at < y->at || (x->at == y->at && x->row->seq < y->row->seq);
}

static void line_add(struct wr_join_queue *q, struct wr_join_due due)
{
    if (q->first + q->n_line == q->cap_line) {
        if (q->first > q->cap_line / 2) {
            memmove(q->line, q->line + q->first, sizeof *q->line * q->n_line);
            q->first = 0;
        } else {
            q->cap_line = q->cap_line ? q->cap_line * 2 : 256;
            q->line = wr_realloc(q->line, sizeof *q->line * q->cap_line);
        }
    }
    q->line[q->first + q->n_line++] = due;
}

static void heap_add(struct wr_join_queue *q, struct wr_join_due due)
{
    if (q->n_heap == q->cap_heap) {
        q->cap_heap = q->cap_heap ? q->cap_heap * 2 : 256;
        q->heap = wr_realloc(q->heap, sizeof *q->heap * q->cap_heap);
    }
    uint32_t i = q->n_heap++;
    while (i > 0 && sooner(&due, &q->heap[(i - 1) / 2])) {
        q->heap[i] = q->heap[(i - 1) / 2];
        i = (i - 1) / 2;
    }
    q->heap[i] = due;
}

void wr_join_queue_add(struct wr_join_queue *q, int64_t at, struct wr_row *x)
{
    struct wr_join_due due = {at, x};
    if (q->n_line == 0 || sooner(&q->line[q->first + q->n_line - 1], &due))
        line_add(q, due);
    else
        heap_add(q, due);
}

static void heap_take(struct wr_join_queue *q)
{
    struct wr_join_due last = q->heap[--q->n_heap];
    uint32_t i = 0;
    for (uint32_t c; (c = 2 * i + 1) < q->n_heap; i = c) {
        if (c + 1 < q->n_heap && sooner(&q->heap[c + 1], &q->heap[c]))
            c++;
        if (!sooner(&q->heap[c], &last))
            break;
        q->heap[i] = q->heap[c];
    }
    if (q->n_heap)
        q->heap[i] = last;
}

struct wr_row *wr_join_queue_take(struct wr_join_queue *q, int64_t before)
{
    const struct wr_join_due *line = q->n_line ? &q->line[q->first] : NULL, *heap = q->n_heap ? &q->heap[0] : NULL;
    bool from_line = line && (!heap || sooner(line, heap));
    const struct wr_join_due *due = from_line ? line : heap;
    if (!due || due->at >= before)
        return NULL;
    struct wr_row *x = due->row;
    if (from_line) {
        q->first++;
        q->n_line--;
    } else {
        heap_take(q);
    }
    q->n_out -= x->flags & WR_ROW_OUT ? 1 : 0;
    return x;
}

static void purge(struct wr_join_queue *q, struct wr_join_op *j)
{
    uint32_t n = q->n_line, heap = q->n_heap;
    q->n_line = q->n_heap = q->n_out = 0;
    for (uint32_t i = 0; i < n; i++) {
        struct wr_join_due due = q->line[q->first + i];
        if (due.row->flags & WR_ROW_OUT)
            wr_join_bury(j, due.row);
        else
            q->line[q->first + q->n_line++] = due;
    }
    for (uint32_t i = 0; i < heap; i++) {
        struct wr_join_due due = q->heap[i];
        if (due.row->flags & WR_ROW_OUT)
            wr_join_bury(j, due.row);
        else
            heap_add(q, due);
    }
}

void wr_join_queue_out(struct wr_join_queue *q, struct wr_join_op *j)
{
    enum { FEW = 256 };
    if (++q->n_out >= FEW && q->n_out > (q->n_line + q->n_heap) / 2)
        purge(q, j);
}

static bool stays(struct wr_join_due due)
{
    struct wr_bucket *k = due.row->bucket; /* NULL: it was taken out before its time */
    if (!k || !k->going)
        return true;
    k->touched = due.at < k->touched ? due.at : k->touched;
    return false;
}

void wr_join_queue_send(struct wr_join_queue *q)
{
    uint32_t n = q->n_line, heap = q->n_heap;
    q->n_line = q->n_heap = 0;
    for (uint32_t i = 0; i < n; i++)
        if (stays(q->line[q->first + i]))
            q->line[q->first + q->n_line++] = q->line[q->first + i];
    for (uint32_t i = 0; i < heap; i++)
        if (stays(q->heap[i]))
            heap_add(q, q->heap[i]);
    if (q->cap_line / 4 > q->n_line + 256) {
        memmove(q->line, q->line + q->first, sizeof *q->line * q->n_line);
        q->first = 0;
        q->cap_line = q->n_line + 256;
        q->line = wr_realloc(q->line, sizeof *q->line * q->cap_line);
    }
    if (q->cap_heap / 4 > q->n_heap + 256) {
        q->cap_heap = q->n_heap + 256;
        q->heap = wr_realloc(q->heap, sizeof *q->heap * q->cap_heap);
    }
}

size_t wr_join_queue_bytes(const struct wr_join_queue *q) { return sizeof(struct wr_join_due) * (q->cap_line + q->cap_heap); }

void wr_join_queue_clear(struct wr_join_queue *q)
{
    for (uint32_t i = 0; i < q->n_line; i++)
        if (q->line[q->first + i].row->flags & WR_ROW_OUT)
            wr_row_free(q->line[q->first + i].row);
    for (uint32_t i = 0; i < q->n_heap; i++)
        if (q->heap[i].row->flags & WR_ROW_OUT)
            wr_row_free(q->heap[i].row);
    free(q->line);
    free(q->heap);
    *q = (struct wr_join_queue){0};
}

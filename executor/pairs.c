/* pairs.c: updates of which only one half goes on.
 * Rules:  an update is a "-U" directly followed by its "+U". A filter may pass one of the two, a row that fails to compute may be one of them, and a batch
 *         may end between them. What has lost its other half is no update any more: "-U" becomes "-D", "+U" becomes "+I". Sinks rely on it: with a unique
 *         key they leave out a "-U", because the "+U" behind it replaces the row.
 * Memory: a changed op column lives in the batch given, which must not be shared. */
#include "executor/internal.h"
#include "executor/op.h"

void wr_pairs_mend(struct wr_batch *b)
{
    int8_t *op = NULL;
    if (!b->op)
        return;
    for (uint32_t k = 0; k < b->n_live; k++) {
        uint32_t row = wr_batch_row(b, k);
        int8_t is = b->op[row];
        if (is != WR_OP_UPDATE_BEFORE && is != WR_OP_UPDATE_AFTER)
            continue;
        /* Halves stand in neighbouring rows: what is between two live rows was left out just now, or was another pair. */
        if (is == WR_OP_UPDATE_BEFORE && k + 1 < b->n_live && wr_batch_row(b, k + 1) == row + 1 && b->op[row + 1] == WR_OP_UPDATE_AFTER) {
            k++;
            continue;
        }
        if (!op) {
            op = wr_arena_alloc(&b->mem, b->len);
            memcpy(op, b->op, b->len);
        }
        op[row] = is == WR_OP_UPDATE_BEFORE ? WR_OP_DELETE : WR_OP_INSERT;
    }
    if (op)
        b->op = op;
}

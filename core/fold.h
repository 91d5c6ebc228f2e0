/* fold.h: folding one node, for who builds trees bottom-up. */
#ifndef WR_CORE_FOLD_H
#define WR_CORE_FOLD_H

#include "core/expr.h"

/* wr_expr_fold() where the arguments are folded already: building a long expression stays cheap. */
struct wr_expr *wr_expr_fold_top(struct wr_arena *a, struct wr_expr *x);

#endif

/* udf.h: a function of a shared object (weir_udf.h) as one of ours. Loading is the planner's; a loaded function stays for the life of the process,
 * because plans and batches in flight point to it. */
#ifndef WR_CORE_UDF_H
#define WR_CORE_UDF_H

#include "core/func.h"
#include "core/weir_udf.h"

struct wr_udf {
    struct wr_func func;          /* first: what an expression points to */
    const struct weir_udf *native;
    char path[256], symbol[64];
    struct wr_udf *next;
};
/* The type a library means; id WR_T_NULL: there is no such type. */
struct wr_type wr_udf_type(uint32_t t);
/* Fills func: kernel, flags, name. */
void wr_udf_wrap(struct wr_udf *u);

#endif

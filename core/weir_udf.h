/* weir_udf.h: functions of your own in C, as shared objects. This header needs nothing else of weir.
 *
 *   #include <weir_udf.h>
 *   static void eval(const struct weir_udf_call *c)
 *   {
 *       const double *x = c->arg[0].data;
 *       double *out = c->out;
 *       for (uint32_t k = 0; k < c->n_row; k++) {
 *           uint32_t r = c->row[k];
 *           out[r] = 2 * x[weir_udf_at(&c->arg[0], r)];
 *       }
 *   }
 *   const struct weir_udf twice = {.abi = WEIR_UDF_ABI, .n_arg = 1, .arg = {WEIR_UDF_DOUBLE}, .ret = WEIR_UDF_DOUBLE, .eval = eval};
 *
 *   cc -shared -fPIC -o libtwice.so twice.c
 *   CREATE FUNCTION twice(x DOUBLE) RETURNS DOUBLE LANGUAGE c AS './libtwice.so', 'twice';
 *
 * Rules:  - A call computes many rows: those numbered row[0 .. n_row). Other rows of out and null must not be touched.
 *         - Rows where an argument is NULL are left out, their result is NULL; with WEIR_UDF_NULLS they come too, see weir_udf_column.null.
 *         - It may be called from several threads at once, for different rows: no writable globals without a lock.
 *         - A result depends on the arguments only, unless WEIR_UDF_VOLATILE is set; else weir may compute it once for a constant, or again.
 *         - It runs inside weir with all its rights: one that crashes takes the job with it. A server does not take such functions over HTTP. */
#ifndef WR_CORE_WEIR_UDF_H
#define WR_CORE_WEIR_UDF_H

#include <stdint.h>

#define WEIR_UDF_ABI 1       /* weir refuses a library of another */
#define WEIR_UDF_MOST_ARGS 8

/* Type of a column, and what its data is an array of. */
enum weir_udf_type {
    WEIR_UDF_BOOLEAN = 1,    /* uint8_t, 0 or 1 */
    WEIR_UDF_INTEGER = 2,    /* int64_t; a result outside of 32 bits makes the row bad */
    WEIR_UDF_BIGINT = 3,     /* int64_t */
    WEIR_UDF_DOUBLE = 4,     /* double */
    WEIR_UDF_TEXT = 5,       /* struct weir_udf_text: UTF-8; a result that is not makes the row bad */
    WEIR_UDF_BYTES = 6,      /* struct weir_udf_text */
    WEIR_UDF_TIMESTAMP = 7,  /* int64_t: microseconds since 1970-01-01 UTC */
    WEIR_UDF_DATE = 8        /* int64_t: days since 1970-01-01 */
};
enum weir_udf_flag {
    WEIR_UDF_NULLS = 1,      /* rows with NULL arguments come too */
    WEIR_UDF_VOLATILE = 2    /* two calls with the same arguments may differ */
};

struct weir_udf_text { const char *p; uint32_t n; }; /* no NUL behind it; p may be NULL where n is 0 */

struct weir_udf_column {
    uint32_t type;           /* enum weir_udf_type */
    uint32_t constant;       /* 1: all rows have the value at 0 */
    const void *data;
    const uint8_t *null;     /* by row, 1: NULL; the pointer is NULL when no row is */
};

struct weir_udf_call {
    const struct weir_udf_column *arg; /* n_arg of them */
    uint32_t n_row;
    const uint32_t *row;
    void *out;               /* result by row, of the type declared */
    uint8_t *out_null;       /* by row: set 1 for a result that is NULL */
    void *host;              /* for the two below */
    char *(*alloc)(void *host, uint32_t n);                       /* memory for a text result; weir frees it. Never NULL */
    void (*fail)(void *host, uint32_t row, const char *message);  /* the row is bad: counted, and left out; message is copied */
};

struct weir_udf {
    uint32_t abi;            /* WEIR_UDF_ABI */
    uint32_t flags;          /* enum weir_udf_flag */
    uint32_t n_arg;
    uint32_t arg[WEIR_UDF_MOST_ARGS]; /* enum weir_udf_type */
    uint32_t ret;
    void (*eval)(const struct weir_udf_call *c);
};

/* Where the value of a row is. */
static inline uint32_t weir_udf_at(const struct weir_udf_column *c, uint32_t row) { return c->constant ? 0 : row; }
static inline int weir_udf_is_null(const struct weir_udf_column *c, uint32_t row) { return c->null && c->null[weir_udf_at(c, row)]; }

#endif

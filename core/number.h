/* number.h: integers and doubles as text, the same in every locale. */
#ifndef WR_CORE_NUMBER_H
#define WR_CORE_NUMBER_H

#include "core/buf.h"

enum { WR_DOUBLE_DIGITS = 17 }; /* most digits of a double's shortest form */

/* [+-]digits and nothing else. false: not an integer (*range false) or outside int64 (*range true). */
bool wr_int_parse(struct wr_str s, int64_t *out, bool *range);
void wr_int_print(struct wr_buf *out, int64_t v);

/* [+-]digits[.digits][e[+-]n], or NaN, [+-]Infinity, [+-]inf in any case; correctly rounded. false: not a number, or (*range true) one that
 * a double cannot hold: too large, or so small that it would become 0. */
bool wr_double_parse(struct wr_str s, double *out, bool *range);
/* PostgreSQL's form of the shortest text that reads back the same: 1, 1.5, 1e+20, NaN, -Infinity.
 * point: whole numbers get ".0", so that readers of JSON see a double. */
void wr_double_print(struct wr_buf *out, double d, bool point);
/* The digits of that shortest form, no zero at either end (one "0" for zero): |d| = d1.d2d3... * 10^exp. Returns their number. d is finite. */
int wr_double_digits(double d, char digit[WR_DOUBLE_DIGITS + 1], int *exp);

#endif

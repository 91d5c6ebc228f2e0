/* decimal.h: DECIMAL(p<=38, s) as a signed 128-bit unscaled integer. Exact; every function says when it leaves the range. */
#ifndef WR_CORE_DECIMAL_H
#define WR_CORE_DECIMAL_H

#include "core/type.h"
#include "core/buf.h"

extern const wr_i128 wr_pow10[39]; /* 10^0 .. 10^38 */

/* |v| < 10^prec */
static inline bool wr_dec_fits(wr_i128 v, int prec) { return v < wr_pow10[prec] && v > -wr_pow10[prec]; }
/* Digits -> unscaled at `scale`: [+-]digits[.digits][e[+-]n]; further digits are rounded half away from zero. false: not a number (*range false) or does not fit DECIMAL(prec,scale) (*range true). */
bool wr_dec_parse(struct wr_str s, int prec, int scale, wr_i128 *out, bool *range);
void wr_dec_print(struct wr_buf *out, wr_i128 v, int scale);
/* Change of scale, rounded half away from zero; false: does not fit in 38 digits. */
bool wr_dec_rescale(wr_i128 v, int from, int to, wr_i128 *out);
bool wr_dec_add(wr_i128 a, wr_i128 b, wr_i128 *out); /* same scale; false: over 38 digits */
bool wr_dec_mul(wr_i128 a, wr_i128 b, int drop, wr_i128 *out); /* a*b / 10^drop, rounded; 256-bit inside */
/* a * 10^up / b, rounded half away from zero; 256-bit inside; b != 0; false: over 38 digits. */
bool wr_dec_div(wr_i128 a, wr_i128 b, int up, wr_i128 *out);
double wr_dec_to_double(wr_i128 v, int scale); /* correctly rounded */
/* Nearest DECIMAL(prec,scale) to d by its shortest decimal form; false: does not fit, NaN or infinite. */
bool wr_dec_from_double(double d, int prec, int scale, wr_i128 *out);

#endif

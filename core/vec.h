/* vec.h: one column of values. A vector borrows its memory: from the batch's arena, from another batch that this one holds,
 * or (text) from the record's bytes. Who makes a vector sees to it that the memory lives as long as the batch. */
#ifndef WR_CORE_VEC_H
#define WR_CORE_VEC_H

#include "core/type.h"
#include "core/buf.h"

struct wr_vec {
    struct wr_type type;
    bool constant;   /* row 0 stands for every row: literals */
    void *data;      /* array of the physical form; at rows that are NULL the content is undefined but readable (STR: p, n are 0 or valid) */
    uint8_t *nulls;  /* one byte a row, 1: NULL; the pointer is NULL when no row is NULL */
};

#define WR_VEC_I8(v) ((uint8_t *)(v)->data)
#define WR_VEC_I64(v) ((int64_t *)(v)->data)
#define WR_VEC_F64(v) ((double *)(v)->data)
#define WR_VEC_I128(v) ((wr_i128 *)(v)->data)
#define WR_VEC_STR(v) ((struct wr_str *)(v)->data)
#define WR_VEC_IVL(v) ((struct wr_interval *)(v)->data)

static inline uint32_t wr_vec_at(const struct wr_vec *v, uint32_t row) { return v->constant ? 0 : row; }
static inline bool wr_vec_null(const struct wr_vec *v, uint32_t row) { return v->nulls && v->nulls[v->constant ? 0 : row]; }

/* data (and no nulls) for cap rows from the arena; content undefined. */
void wr_vec_init(struct wr_vec *v, struct wr_type type, uint32_t cap, struct wr_arena *mem);
/* Gives the vector a zeroed null array of cap rows if it has none yet, and returns it. */
uint8_t *wr_vec_nulls(struct wr_vec *v, uint32_t cap, struct wr_arena *mem);
/* Copies one value (and its NULL) between vectors of the same physical form; text bytes are borrowed, not copied.
 * dst->nulls must exist if the value may be NULL. */
void wr_vec_copy(struct wr_vec *dst, uint32_t to, const struct wr_vec *src, uint32_t from);
/* dst[k] = src[sel[k]] for k < n (sel NULL: 0..n-1). Text bytes are copied into mem if deep. Allocates dst from mem;
 * dst is never constant, also when src is. */
void wr_vec_gather(struct wr_vec *dst, const struct wr_vec *src, const uint32_t *sel, uint32_t n, struct wr_arena *mem, bool deep);

/* One SQL value outside a vector: literals, defaults, keys of small things. Text is borrowed. */
struct wr_value {
    struct wr_type type;
    bool null;
    union {
        uint8_t b;
        int64_t i;
        double d;
        wr_i128 dec;
        struct wr_str s;
        struct wr_interval iv;
    } as;
};
struct wr_value wr_vec_get(const struct wr_vec *v, uint32_t row); /* text borrowed */
void wr_vec_set(struct wr_vec *v, uint32_t row, const struct wr_value *val, uint32_t cap, struct wr_arena *mem); /* text deep-copied into mem */
/* A constant vector over one value, borrowing it; *null is the vector's null byte and must live as long. */
void wr_vec_of(struct wr_vec *v, const struct wr_value *val, uint8_t *null);

enum wr_style {
    WR_STYLE_SQL,  /* as psql prints it: true -> t; timestamps 2025-11-28 12:00:00 */
    WR_STYLE_JSON, /* dialect.md §5: numbers bare, timestamps "2025-11-28T12:00:00.000Z", text quoted and escaped, NULL null */
    WR_STYLE_CSV   /* as SQL, true/false written out, timestamps as in JSON without quotes; the caller quotes */
};
/* Appends the value at row; NULL prints as nothing (SQL, CSV) or null (JSON). DECIMAL with all digits of its scale; DOUBLE shortest
 * form that reads back the same (NaN and infinities: "NaN", "Infinity"; quoted in JSON). */
void wr_print_vec(struct wr_buf *out, const struct wr_vec *v, uint32_t row, enum wr_style style);
void wr_print_value(struct wr_buf *out, const struct wr_value *val, enum wr_style style);
/* Reads text as a value of `type`, as CAST(text AS type) does in PostgreSQL; surrounding blanks allowed for all but text. ARRAY and ROW are
 * read from JSON. Text longer than VARCHAR(n) is refused (WR_R_RANGE): CAST cuts it with wr_text_cut before.
 * Text results borrow from s or are placed in mem. *why says what is wrong (WR_R_CAST, WR_R_RANGE, WR_R_UTF8); returns false then. */
enum wr_reason {
#define WR_REASON(id, name, help) WR_R_##id,
#include "core/reasons.def"
#undef WR_REASON
    WR_R_COUNT
};
const char *wr_reason_name(enum wr_reason r);
const char *wr_reason_help(enum wr_reason r);
bool wr_parse_value(struct wr_type type, struct wr_str s, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why);
/* Reads one raw JSON value (json.h; well-formed, UTF-8 already checked) as a value of `type`: null is NULL; numbers and strings of digits for
 * numbers; ISO text or epoch milliseconds for timestamps; TEXT takes anything (what is no string as its JSON text). WR_R_TYPE, WR_R_RANGE. */
bool wr_parse_json(struct wr_type type, struct wr_str raw, struct wr_arena *mem, struct wr_value *out, enum wr_reason *why);
/* VARCHAR(n): s has at most n characters (true for all other types); its first n characters. */
bool wr_text_fits(struct wr_type type, struct wr_str s);
struct wr_str wr_text_cut(struct wr_type type, struct wr_str s);

/* Order of two values of the same physical form and type, as ORDER BY sees it (-1, 0, 1); NULL handling is the caller's.
 * DOUBLE: NaN equals NaN and is greater than everything, -0 = 0. TEXT: bytewise (collation C). */
int wr_vec_cmp(const struct wr_vec *a, uint32_t i, const struct wr_vec *b, uint32_t j);
int wr_value_cmp(const struct wr_value *a, const struct wr_value *b);
/* Length of an interval in µs by which intervals are ordered: months of 30 days, days of 24 h. '1 mon' and '30 days' are equal. */
wr_i128 wr_interval_span(struct wr_interval iv);

#endif

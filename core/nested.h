/* nested.h: values of type ARRAY and ROW. Physical form STR: their bytes are
 *   u32 count, then for each element (ARRAY) or field (ROW): one byte, 1: NULL, else 0 and the value in its physical form:
 *   I8 one byte; I64, F64 eight; I128, IVL sixteen; STR u32 length and bytes (again nested values included). All little endian.
 * The bytes mean something only together with the type. A ROW has as many fields as its type says. */
#ifndef WR_CORE_NESTED_H
#define WR_CORE_NESTED_H

#include "core/vec.h"

/* ---- making one */
struct wr_nested_maker {
    struct wr_buf *out;  /* where it is appended; may hold other things before */
    size_t at;           /* place of the count */
    uint32_t n;          /* elements put so far */
};
void wr_nested_open(struct wr_nested_maker *m, struct wr_buf *out);
/* Appends the next element or field; its type must be of the physical form that the nested type says. */
void wr_nested_put(struct wr_nested_maker *m, const struct wr_value *val);
void wr_nested_put_vec(struct wr_nested_maker *m, const struct wr_vec *v, uint32_t row);
/* Writes the count; the bytes from m->at to the buffer's end are the value. */
void wr_nested_close(struct wr_nested_maker *m);

/* ---- reading one; all is checked against the length, so bytes from a damaged state are refused, not followed */
struct wr_nested_iter {
    struct wr_str rest;      /* behind the last element taken */
    const struct wr_schema *sub;
    bool row;                /* field i has type sub->field[i], else all have sub->field[0] */
    uint32_t i, n;           /* elements taken, elements in all */
};
bool wr_nested_iter(struct wr_nested_iter *it, struct wr_type type, struct wr_str bytes); /* false: not a value of the type */
/* Next element, text borrowed. false: no more, or the bytes are damaged (then it->i < it->n). */
bool wr_nested_next(struct wr_nested_iter *it, struct wr_value *out);
uint32_t wr_nested_count(struct wr_str bytes);
/* Element or field i from 0. false: there is none. */
bool wr_nested_get(struct wr_type type, struct wr_str bytes, uint32_t i, struct wr_value *out);
/* The bytes are one whole value of the type. */
bool wr_nested_valid(struct wr_type type, struct wr_str bytes);

/* ---- as text, order */
/* JSON: arrays as [..], rows as {"name":..}; SQL and CSV: PostgreSQL's {1,NULL,"a b"} and (1,,"a b"). */
void wr_nested_print(struct wr_buf *out, struct wr_type type, struct wr_str bytes, enum wr_style style);
/* From JSON: an array for ARRAY, an object for ROW (members by name, in any order; missing ones are NULL, unknown ones are passed over;
 * an array by position is taken too). Members follow wr_parse_json. */
bool wr_nested_parse(struct wr_type type, struct wr_str raw, struct wr_arena *mem, struct wr_str *out, enum wr_reason *why);
/* Element by element, NULL above all values, then the shorter before the longer. */
int wr_nested_cmp(struct wr_type type, struct wr_str a, struct wr_str b);

#endif

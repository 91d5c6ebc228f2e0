/* type.h: SQL types and their physical forms. A type is a small value, copied freely; `sub` of nested types lives in the plan's arena. */
#ifndef WR_CORE_TYPE_H
#define WR_CORE_TYPE_H

#include "core/arena.h"
#include "core/error.h"
#include "core/str.h"

enum wr_tid {
#define WR_TYPE(id, name, phys) WR_T_##id,
#include "core/types.def"
#undef WR_TYPE
    WR_T_COUNT
};

/* How a value lies in memory. Kernels are written per physical form, not per SQL type. */
enum wr_phys {
    WR_P_I8,   /* uint8_t: 0 or 1 */
    WR_P_I64,  /* int64_t */
    WR_P_F64,  /* double */
    WR_P_I128, /* wr_i128, 16-byte aligned */
    WR_P_STR,  /* struct wr_str */
    WR_P_IVL   /* struct wr_interval */
};

__extension__ typedef __int128 wr_i128;
__extension__ typedef unsigned __int128 wr_u128;

/* As PostgreSQL's: three parts that do not convert into each other. */
struct wr_interval {
    int64_t us;
    int32_t days, months;
};

struct wr_schema;
struct wr_type {
    uint8_t id;        /* enum wr_tid */
    uint8_t prec;      /* DECIMAL: total digits 1..38; TIMESTAMP: fractional digits declared, 0: not said; else 0 */
    uint8_t scale;     /* DECIMAL: digits behind the point, 0..prec */
    uint8_t pad_;
    uint32_t len;      /* VARCHAR(n)/CHAR(n): most characters; 0: no limit */
    const struct wr_schema *sub; /* ARRAY, ROW: members; else NULL */
};

#define WR_TYPE_OF(tid) ((struct wr_type){.id = WR_T_##tid})

struct wr_field {
    struct wr_str name;
    struct wr_type type;
    bool nullable;
    bool hidden; /* readable by name, not part of "*" */
};
struct wr_schema {
    int n;
    struct wr_field *field;
};

enum wr_phys wr_type_phys(enum wr_tid id);
uint32_t wr_phys_width(enum wr_phys p); /* bytes of one value in a vector: 1, 8, 8, 16, 16, 16 */
static inline bool wr_type_is(struct wr_type t, enum wr_tid id) { return t.id == id; }
bool wr_type_eq(struct wr_type a, struct wr_type b); /* same id, scale and members; precision and length do not count */
bool wr_type_is_number(struct wr_type t); /* INT BIGINT DECIMAL DOUBLE */
bool wr_type_is_time(struct wr_type t);   /* TIMESTAMP TIMESTAMPTZ */
struct wr_type wr_type_decimal(int prec, int scale);
struct wr_type wr_type_array(struct wr_arena *a, struct wr_type elem);
struct wr_type wr_type_row(const struct wr_schema *fields); /* fields must outlive the type */
/* SQL spelling with parameters: DECIMAL(12,2), ARRAY<TEXT>, ROW<a BIGINT, b TEXT>. */
struct wr_str wr_type_name(struct wr_arena *a, struct wr_type t);
struct wr_buf;
void wr_type_print(struct wr_buf *out, struct wr_type t);

struct wr_schema *wr_schema_new(struct wr_arena *a, int n); /* n fields, zeroed */
/* Index of the field of exactly that name, or -1. */
int wr_schema_find(const struct wr_schema *s, struct wr_str name);

#endif

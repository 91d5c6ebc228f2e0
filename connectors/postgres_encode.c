/* postgres_encode.c: column values as PostgreSQL's binary arrays, so that thousands of rows travel as one parameter a column.
 * Rules:  network byte order; times count from 2000-01-01; NUMERIC is base 10,000 with a weight; what PostgreSQL has no binary form for
 *         here (JSON, nested values) travels as text and is cast by the statement.
 * Memory: appends to the caller's buffer, whose ceiling makes an overflow visible there. */
#include "connectors/postgres_sink.h"
#include "core/decimal.h"

#include <arpa/inet.h>
#include <endian.h>

enum { EPOCH_DAYS = 10957 }; /* 1970-01-01 to 2000-01-01 */
#define EPOCH_US (EPOCH_DAYS * WR_US_DAY)

/* ORDER TYPES. Element OID, array OID, name. */
static const struct {
    Oid elem, array;
    const char *name;
} wire[WR_T_COUNT] = {
    [WR_T_NULL] = {25, 1009, "text"},
    [WR_T_BOOL] = {16, 1000, "bool"},
    [WR_T_INT] = {20, 1016, "int8"},
    [WR_T_BIGINT] = {20, 1016, "int8"},
    [WR_T_DOUBLE] = {701, 1022, "float8"},
    [WR_T_DECIMAL] = {1700, 1231, "numeric"},
    [WR_T_TEXT] = {25, 1009, "text"},
    [WR_T_BYTES] = {17, 1001, "bytea"},
    [WR_T_JSON] = {25, 1009, "text"},
    [WR_T_DATE] = {1082, 1182, "date"},
    [WR_T_TIME] = {1083, 1183, "time"},
    [WR_T_TIMESTAMP] = {1114, 1115, "timestamp"},
    [WR_T_TIMESTAMPTZ] = {1184, 1185, "timestamptz"},
    [WR_T_INTERVAL] = {1186, 1187, "interval"},
    [WR_T_ARRAY] = {25, 1009, "text"},
    [WR_T_ROW] = {25, 1009, "text"},
};

Oid wr_pg_array_oid(struct wr_type t)
{
    return wire[t.id].array;
}

const char *wr_pg_wire_type(struct wr_type t)
{
    return wire[t.id].name;
}

static void put_i16(struct wr_buf *out, int v)
{
    uint16_t n = htons((uint16_t)v);
    wr_buf_add(out, &n, sizeof n);
}
static void put_i32(struct wr_buf *out, int32_t v)
{
    uint32_t n = htonl((uint32_t)v);
    wr_buf_add(out, &n, sizeof n);
}
static void put_i64(struct wr_buf *out, int64_t v)
{
    uint64_t n = htobe64((uint64_t)v);
    wr_buf_add(out, &n, sizeof n);
}

/* Base-10,000 digits of v, least significant first, at most 10 of them; v = sum digit[i] * 10000^i. */
static int split(wr_u128 v, uint16_t *digit)
{
    int n = 0;
    while (v > UINT64_MAX) {
        digit[n++] = (uint16_t)(v % 10000);
        v /= 10000;
    }
    for (uint64_t low = (uint64_t)v; low; low /= 10000)
        digit[n++] = (uint16_t)(low % 10000);
    return n;
}

/* NUMERIC: groups of four decimal digits on both sides of the point. The unscaled value is cut at the point, and what is behind it
 * filled up to whole groups. */
static void put_numeric(struct wr_buf *out, wr_i128 v, int scale)
{
    uint16_t whole[16], part[20], all[40];
    wr_u128 u = v < 0 ? -(wr_u128)v : (wr_u128)v;
    wr_u128 unit = (wr_u128)wr_pow10[scale], w = u / unit, f = u % unit;
    int groups = (scale + 3) / 4, fill = groups * 4 - scale, n = 0, n_whole = split(w, whole);
    /* f * 10^fill may not fit: take the last, incomplete group off first */
    int n_part = 0;
    if (groups) {
        uint64_t last = (uint64_t)(f % (wr_u128)wr_pow10[4 - fill]) * (uint64_t)wr_pow10[fill];
        part[n_part++] = (uint16_t)last;
        n_part += split(f / (wr_u128)wr_pow10[4 - fill], part + 1);
        while (n_part < groups)
            part[n_part++] = 0;
    }
    for (int i = n_whole; i-- > 0;)
        all[n++] = whole[i];
    for (int i = n_part; i-- > 0;)
        all[n++] = part[i];
    int first = 0, weight = n_whole - 1;
    while (first < n && all[first] == 0) {
        first++;
        weight--;
    }
    while (n > first && all[n - 1] == 0)
        n--;
    put_i32(out, 8 + 2 * (n - first));
    put_i16(out, n - first);
    put_i16(out, n > first ? weight : 0);
    put_i16(out, v < 0 ? 0x4000 : 0);
    put_i16(out, scale);
    for (int i = first; i < n; i++)
        put_i16(out, all[i]);
}

static void put_text(struct wr_buf *out, struct wr_str s)
{
    put_i32(out, (int32_t)s.n);
    wr_buf_str(out, s);
}

/* A nested value as its JSON text: length first, so it is patched in afterwards. */
static void put_json(struct wr_buf *out, const struct wr_vec *v, uint32_t row)
{
    size_t at = out->n;
    put_i32(out, 0);
    wr_print_vec(out, v, row, WR_STYLE_JSON);
    if (out->overflow)
        return;
    uint32_t n = htonl((uint32_t)(out->n - at - 4));
    memcpy(out->p + at, &n, sizeof n);
}

static void put_value(struct wr_buf *out, const struct wr_vec *v, uint32_t row, struct wr_type t)
{
    uint32_t at = wr_vec_at(v, row);
    switch ((enum wr_tid)t.id) {
    case WR_T_NULL: put_i32(out, -1); return;
    case WR_T_BOOL:
        put_i32(out, 1);
        wr_buf_putc(out, (char)WR_VEC_I8(v)[at]);
        return;
    case WR_T_INT:
    case WR_T_BIGINT:
    case WR_T_TIME:
        put_i32(out, 8);
        put_i64(out, WR_VEC_I64(v)[at]);
        return;
    case WR_T_DOUBLE: {
        int64_t bits;
        memcpy(&bits, &WR_VEC_F64(v)[at], sizeof bits);
        put_i32(out, 8);
        put_i64(out, bits);
        return;
    }
    case WR_T_DECIMAL: put_numeric(out, WR_VEC_I128(v)[at], t.scale); return;
    case WR_T_TEXT:
    case WR_T_BYTES:
    case WR_T_JSON: put_text(out, WR_VEC_STR(v)[at]); return;
    case WR_T_DATE:
        put_i32(out, 4);
        put_i32(out, (int32_t)(WR_VEC_I64(v)[at] - EPOCH_DAYS));
        return;
    case WR_T_TIMESTAMP:
    case WR_T_TIMESTAMPTZ:
        put_i32(out, 8);
        put_i64(out, WR_VEC_I64(v)[at] - EPOCH_US);
        return;
    case WR_T_INTERVAL:
        put_i32(out, 16);
        put_i64(out, WR_VEC_IVL(v)[at].us);
        put_i32(out, WR_VEC_IVL(v)[at].days);
        put_i32(out, WR_VEC_IVL(v)[at].months);
        return;
    case WR_T_ARRAY:
    case WR_T_ROW: put_json(out, v, row); return;
    case WR_T_COUNT: break;
    }
    WR_BUG("a type without wire form: %d", t.id);
}

void wr_pg_put_array(struct wr_buf *out, int col, struct wr_type t, const struct wr_pg_row *const *rows, uint32_t n)
{
    put_i32(out, 1); /* one dimension */
    put_i32(out, 1); /* there may be NULLs */
    put_i32(out, (int32_t)wire[t.id].elem);
    put_i32(out, (int32_t)n);
    put_i32(out, 1); /* first index */
    for (uint32_t i = 0; i < n; i++) {
        const struct wr_vec *v = &rows[i]->batch->col[col];
        if (wr_vec_null(v, rows[i]->row))
            put_i32(out, -1);
        else
            put_value(out, v, rows[i]->row, t);
    }
}

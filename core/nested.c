/* nested.c: making, reading, printing, parsing and comparing ARRAY and ROW values.
 * Rules:  see nested.h for the bytes. Readers never trust a length. Types nest to a bounded depth (the planner reads them from SQL text),
 *         so recursion over the type is bounded as well.
 * Memory: makers append to the caller's buffer, parsed values go to the caller's arena, readers borrow. */
#include "core/nested.h"
#include "core/json.h"

/* ---- making */

void wr_nested_open(struct wr_nested_maker *m, struct wr_buf *out)
{
    *m = (struct wr_nested_maker){.out = out, .at = out->n};
    wr_buf_u32(out, 0);
}

static void put_i128(struct wr_buf *out, wr_i128 v)
{
    wr_buf_i64(out, (int64_t)(uint64_t)v);
    wr_buf_i64(out, (int64_t)(v >> 64));
}

void wr_nested_put(struct wr_nested_maker *m, const struct wr_value *val)
{
    m->n++;
    wr_buf_u8(m->out, val->null);
    if (val->null)
        return;
    switch (wr_type_phys((enum wr_tid)val->type.id)) {
    case WR_P_I8: wr_buf_u8(m->out, val->as.b); return;
    case WR_P_I64: wr_buf_i64(m->out, val->as.i); return;
    case WR_P_F64: {
        int64_t bits;
        memcpy(&bits, &val->as.d, sizeof bits);
        wr_buf_i64(m->out, bits);
        return;
    }
    case WR_P_I128: put_i128(m->out, val->as.dec); return;
    case WR_P_STR: wr_buf_lstr(m->out, val->as.s); return;
    case WR_P_IVL:
        wr_buf_i64(m->out, val->as.iv.us);
        wr_buf_u32(m->out, (uint32_t)val->as.iv.days);
        wr_buf_u32(m->out, (uint32_t)val->as.iv.months);
        return;
    }
}

void wr_nested_put_vec(struct wr_nested_maker *m, const struct wr_vec *v, uint32_t row)
{
    struct wr_value val = wr_vec_get(v, row);
    wr_nested_put(m, &val);
}

void wr_nested_close(struct wr_nested_maker *m)
{
    if (m->out->overflow)
        return; /* the value is broken anyway and the caller will see it */
    size_t end = m->out->n;
    m->out->n = m->at;
    wr_buf_u32(m->out, m->n);
    m->out->n = end;
}

/* ---- reading */

bool wr_nested_iter(struct wr_nested_iter *it, struct wr_type type, struct wr_str bytes)
{
    *it = (struct wr_nested_iter){.rest = bytes, .sub = type.sub, .row = type.id == WR_T_ROW};
    if (!type.sub || !wr_take_u32(&it->rest, &it->n))
        return false;
    return !it->row || it->n == (uint32_t)type.sub->n;
}

static bool take_i128(struct wr_str *in, wr_i128 *v)
{
    int64_t low, high;
    if (!wr_take_i64(in, &low) || !wr_take_i64(in, &high))
        return false;
    *v = (wr_i128)((wr_u128)(uint64_t)high << 64 | (uint64_t)low);
    return true;
}

static bool take_interval(struct wr_str *in, struct wr_interval *iv)
{
    uint32_t days, months;
    if (!wr_take_i64(in, &iv->us) || !wr_take_u32(in, &days) || !wr_take_u32(in, &months))
        return false;
    iv->days = (int32_t)days;
    iv->months = (int32_t)months;
    return true;
}

static bool take_value(struct wr_str *in, struct wr_value *out)
{
    switch (wr_type_phys((enum wr_tid)out->type.id)) {
    case WR_P_I8: return wr_take_u8(in, &out->as.b);
    case WR_P_I64: return wr_take_i64(in, &out->as.i);
    case WR_P_F64: return wr_take_bytes(in, &out->as.d, sizeof out->as.d);
    case WR_P_I128: return take_i128(in, &out->as.dec);
    case WR_P_STR: return wr_take_lstr(in, &out->as.s);
    case WR_P_IVL: return take_interval(in, &out->as.iv);
    }
    return false;
}

bool wr_nested_next(struct wr_nested_iter *it, struct wr_value *out)
{
    if (it->i >= it->n)
        return false;
    uint8_t null;
    memset(out, 0, sizeof *out);
    out->type = it->sub->field[it->row ? it->i : 0].type;
    if (!wr_take_u8(&it->rest, &null) || null > 1)
        return false;
    out->null = null;
    if (!null && !take_value(&it->rest, out))
        return false;
    it->i++;
    return true;
}

uint32_t wr_nested_count(struct wr_str bytes)
{
    uint32_t n = 0;
    (void)wr_take_u32(&bytes, &n);
    return n;
}

bool wr_nested_get(struct wr_type type, struct wr_str bytes, uint32_t i, struct wr_value *out)
{
    struct wr_nested_iter it;
    if (!wr_nested_iter(&it, type, bytes) || i >= it.n)
        return false;
    do {
        if (!wr_nested_next(&it, out))
            return false;
    } while (it.i <= i);
    return true;
}

bool wr_nested_valid(struct wr_type type, struct wr_str bytes)
{
    struct wr_nested_iter it;
    struct wr_value val;
    if (!wr_nested_iter(&it, type, bytes))
        return false;
    while (wr_nested_next(&it, &val))
        if (val.type.sub && !val.null && !wr_nested_valid(val.type, val.as.s))
            return false;
    return it.i == it.n && it.rest.n == 0;
}

/* ---- printing */

static void print_json(struct wr_buf *out, struct wr_nested_iter *it)
{
    struct wr_value val;
    wr_buf_putc(out, it->row ? '{' : '[');
    while (wr_nested_next(it, &val)) {
        if (it->i > 1)
            wr_buf_putc(out, ',');
        if (it->row) {
            wr_json_quote(out, it->sub->field[it->i - 1].name);
            wr_buf_putc(out, ':');
        }
        wr_print_value(out, &val, WR_STYLE_JSON);
    }
    wr_buf_putc(out, it->row ? '}' : ']');
}

/* PostgreSQL quotes a member if it is empty, could be taken for NULL, or has one of these in it. */
static bool needs_quotes(struct wr_str s, bool row)
{
    if (s.n == 0 || (!row && wr_str_ieq(s, WR_STR("null"))))
        return true;
    struct wr_str special = row ? WR_STR("(),\"\\ \t\n\r\v\f") : WR_STR("{},\"\\ \t\n\r\v\f");
    for (uint32_t i = 0; i < s.n; i++)
        if (memchr(special.p, s.p[i], special.n))
            return true;
    return false;
}

static void print_member(struct wr_buf *out, struct wr_str s, bool row)
{
    if (!needs_quotes(s, row)) {
        wr_buf_str(out, s);
        return;
    }
    wr_buf_putc(out, '"');
    for (uint32_t i = 0; i < s.n; i++) {
        char c = s.p[i];
        if (c == '"' || c == '\\')
            wr_buf_putc(out, row ? c : '\\'); /* rows double them, arrays put a backslash */
        wr_buf_putc(out, c);
    }
    wr_buf_putc(out, '"');
}

static void print_sql(struct wr_buf *out, struct wr_nested_iter *it, enum wr_style style)
{
    struct wr_value val;
    struct wr_buf text = WR_BUF_INIT(0);
    wr_buf_putc(out, it->row ? '(' : '{');
    while (wr_nested_next(it, &val)) {
        if (it->i > 1)
            wr_buf_putc(out, ',');
        if (val.null) {
            if (!it->row)
                wr_buf_puts(out, "NULL");
            continue;
        }
        wr_buf_reset(&text);
        wr_print_value(&text, &val, style);
        if (!it->row && val.type.id == WR_T_ARRAY) /* arrays in arrays are not quoted */
            wr_buf_str(out, wr_buf_get(&text));
        else
            print_member(out, wr_buf_get(&text), it->row);
    }
    wr_buf_putc(out, it->row ? ')' : '}');
    wr_buf_clear(&text);
}

void wr_nested_print(struct wr_buf *out, struct wr_type type, struct wr_str bytes, enum wr_style style)
{
    struct wr_nested_iter it;
    if (!wr_nested_iter(&it, type, bytes)) /* undefined content under a NULL: nothing to show */
        return;
    if (style == WR_STYLE_JSON)
        print_json(out, &it);
    else
        print_sql(out, &it, style);
}

/* ---- parsing */

static bool put_json(struct wr_nested_maker *m, struct wr_type type, struct wr_str raw, struct wr_arena *mem, enum wr_reason *why)
{
    struct wr_value val;
    if (!wr_parse_json(type, raw, mem, &val, why))
        return false;
    wr_nested_put(m, &val);
    return true;
}

static bool parse_elements(struct wr_nested_maker *m, struct wr_type type, struct wr_str raw, struct wr_arena *mem, enum wr_reason *why)
{
    struct wr_json_iter it;
    struct wr_str key, value;
    bool row = type.id == WR_T_ROW;
    if (!wr_json_iter(&it, raw))
        return false;
    while (wr_json_next(&it, &key, &value)) {
        if (row && m->n == (uint32_t)type.sub->n)
            return false;
        if (!put_json(m, type.sub->field[row ? m->n : 0].type, value, mem, why))
            return false;
    }
    return !it.bad && (!row || m->n == (uint32_t)type.sub->n);
}

/* Members by name. The last one of a name counts, as in most readers of JSON. */
static bool parse_members(struct wr_nested_maker *m, struct wr_type type, struct wr_str raw, struct wr_arena *mem, enum wr_reason *why)
{
    struct wr_json_iter it;
    struct wr_str key, value;
    struct wr_str *member = WR_NEW_N(mem, struct wr_str, type.sub->n);
    if (!wr_json_iter(&it, raw))
        return false;
    while (wr_json_next(&it, &key, &value))
        for (int i = 0; i < type.sub->n; i++)
            if (wr_json_key_is(key, type.sub->field[i].name))
                member[i] = value;
    for (int i = 0; i < type.sub->n; i++)
        if (!put_json(m, type.sub->field[i].type, member[i].n ? member[i] : WR_STR("null"), mem, why))
            return false;
    return !it.bad;
}

bool wr_nested_parse(struct wr_type type, struct wr_str raw, struct wr_arena *mem, struct wr_str *out, enum wr_reason *why)
{
    struct wr_buf bytes = WR_BUF_INIT(0);
    struct wr_nested_maker m;
    enum wr_json_kind kind = wr_json_kind(raw);
    bool ok = false;
    *why = WR_R_CAST;
    wr_nested_open(&m, &bytes);
    if (kind == WR_JSON_ARRAY)
        ok = parse_elements(&m, type, raw, mem, why);
    else if (kind == WR_JSON_OBJECT && type.id == WR_T_ROW)
        ok = parse_members(&m, type, raw, mem, why);
    wr_nested_close(&m);
    if (!ok && *why == WR_R_NONE) /* all members were fine, their number is not */
        *why = WR_R_TYPE;
    if (ok && bytes.overflow) {
        *why = WR_R_LIMIT;
        ok = false;
    }
    if (ok)
        *out = wr_arena_str(mem, wr_buf_get(&bytes));
    wr_buf_clear(&bytes);
    return ok;
}

/* ---- order */

int wr_nested_cmp(struct wr_type type, struct wr_str a, struct wr_str b)
{
    struct wr_nested_iter x, y;
    struct wr_value p, q;
    if (!wr_nested_iter(&x, type, a) || !wr_nested_iter(&y, type, b))
        return wr_str_cmp(a, b);
    for (;;) {
        bool more_x = wr_nested_next(&x, &p), more_y = wr_nested_next(&y, &q);
        if (!more_x || !more_y)
            return (int)more_x - (int)more_y;
        if (p.null || q.null) {
            if (p.null != q.null)
                return p.null ? 1 : -1;
            continue;
        }
        int c = wr_value_cmp(&p, &q);
        if (c)
            return c;
    }
}

/* type.c: what is known of each SQL type by its id, type names, and schemas.
 * Rules:  one row a type, in the order of types.def; nothing here changes at run time.
 * Memory: names and schemas are placed in the caller's arena. */
#include "core/type.h"
#include "core/buf.h"

static const struct {
    const char *name;
    enum wr_phys phys;
} info[WR_T_COUNT] = {
#define WR_TYPE(id, name, phys) {name, WR_P_##phys},
#include "core/types.def"
#undef WR_TYPE
};

enum wr_phys wr_type_phys(enum wr_tid id)
{
    return info[id].phys;
}

uint32_t wr_phys_width(enum wr_phys p)
{
    switch (p) {
    case WR_P_I8: return 1;
    case WR_P_I64:
    case WR_P_F64: return 8;
    case WR_P_I128: return sizeof(wr_i128);
    case WR_P_STR: return sizeof(struct wr_str);
    case WR_P_IVL: return sizeof(struct wr_interval);
    }
    WR_BUG("physical form %d", (int)p);
}

bool wr_type_eq(struct wr_type a, struct wr_type b)
{
    if (a.id != b.id || a.scale != b.scale)
        return false;
    if (!a.sub || !b.sub)
        return a.sub == b.sub;
    if (a.sub == b.sub)
        return true;
    if (a.sub->n != b.sub->n)
        return false;
    for (int i = 0; i < a.sub->n; i++) {
        const struct wr_field *x = &a.sub->field[i], *y = &b.sub->field[i];
        if (a.id == WR_T_ROW && !wr_str_eq(x->name, y->name))
            return false;
        if (!wr_type_eq(x->type, y->type))
            return false;
    }
    return true;
}

bool wr_type_is_number(struct wr_type t)
{
    return t.id == WR_T_INT || t.id == WR_T_BIGINT || t.id == WR_T_DECIMAL || t.id == WR_T_DOUBLE;
}

bool wr_type_is_time(struct wr_type t)
{
    return t.id == WR_T_TIMESTAMP || t.id == WR_T_TIMESTAMPTZ;
}

struct wr_type wr_type_decimal(int prec, int scale)
{
    WR_ASSERT(prec >= 1 && prec <= 38 && scale >= 0 && scale <= prec);
    return (struct wr_type){.id = WR_T_DECIMAL, .prec = (uint8_t)prec, .scale = (uint8_t)scale};
}

struct wr_type wr_type_array(struct wr_arena *a, struct wr_type elem)
{
    struct wr_schema *s = wr_schema_new(a, 1);
    s->field[0] = (struct wr_field){.name = WR_STR("element"), .type = elem, .nullable = true};
    return (struct wr_type){.id = WR_T_ARRAY, .sub = s};
}

struct wr_type wr_type_row(const struct wr_schema *fields)
{
    return (struct wr_type){.id = WR_T_ROW, .sub = fields};
}

/* A field name as SQL reads it back: bare if it is a plain lower-case word, else quoted. */
static void put_name(struct wr_buf *out, struct wr_str name)
{
    bool bare = name.n > 0 && !(name.p[0] >= '0' && name.p[0] <= '9');
    for (uint32_t i = 0; i < name.n && bare; i++) {
        char c = name.p[i];
        bare = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    }
    if (bare) {
        wr_buf_str(out, name);
        return;
    }
    wr_buf_putc(out, '"');
    for (uint32_t i = 0; i < name.n; i++) {
        if (name.p[i] == '"')
            wr_buf_putc(out, '"');
        wr_buf_putc(out, name.p[i]);
    }
    wr_buf_putc(out, '"');
}

void wr_type_print(struct wr_buf *out, struct wr_type t)
{
    if (t.id == WR_T_TEXT && t.len) {
        wr_buf_printf(out, "VARCHAR(%u)", (unsigned)t.len);
        return;
    }
    wr_buf_puts(out, info[t.id].name);
    if (t.id == WR_T_DECIMAL && t.prec)
        wr_buf_printf(out, "(%d,%d)", (int)t.prec, (int)t.scale);
    else if (t.prec)
        wr_buf_printf(out, "(%d)", (int)t.prec);
    if (!t.sub)
        return;
    wr_buf_putc(out, '<');
    for (int i = 0; i < t.sub->n; i++) {
        if (i)
            wr_buf_puts(out, ", ");
        if (t.id == WR_T_ROW) {
            put_name(out, t.sub->field[i].name);
            wr_buf_putc(out, ' ');
        }
        wr_type_print(out, t.sub->field[i].type);
    }
    wr_buf_putc(out, '>');
}

struct wr_str wr_type_name(struct wr_arena *a, struct wr_type t)
{
    struct wr_buf text = WR_BUF_INIT(1 << 20);
    wr_type_print(&text, t);
    struct wr_str name = wr_arena_str(a, wr_buf_get(&text));
    wr_buf_clear(&text);
    return name;
}

struct wr_schema *wr_schema_new(struct wr_arena *a, int n)
{
    struct wr_schema *s = WR_NEW(a, struct wr_schema);
    s->n = n;
    s->field = WR_NEW_N(a, struct wr_field, n);
    return s;
}

int wr_schema_find(const struct wr_schema *s, struct wr_str name)
{
    for (int i = 0; i < s->n; i++)
        if (wr_str_eq(s->field[i].name, name))
            return i;
    return -1;
}

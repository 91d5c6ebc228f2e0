/* datagen_columns.c: what each column of a generated stream is filled with: from its scenario, its type and its options columns.NAME.*
 * Rules:  what a column's type cannot hold is refused when the source is opened; nothing is cut down to fit.
 * Memory: choices live in the source's arena. */
#include "connectors/datagen.h"
#include "core/decimal.h"

bool wr_gen_scaled(struct wr_str s, int scale, int64_t least, int64_t most, int64_t *out)
{
    wr_i128 v;
    bool range;
    if (!wr_dec_parse(wr_str_trim(s), 18, scale, &v, &range) || v < least || v > most)
        return false;
    *out = (int64_t)v;
    return true;
}

/* Value of columns.NAME.what, and its place. */
static bool column_option(const struct wr_opts *opts, struct wr_str name, const char *what, struct wr_str *value, int32_t *off)
{
    uint32_t n_what = (uint32_t)strlen(what);
    for (int i = 0; opts && i < opts->n; i++) {
        struct wr_str key = opts->opt[i].key;
        if (key.n != 8 + name.n + 1 + n_what || memcmp(key.p, "columns.", 8) != 0 || key.p[8 + name.n] != '.')
            continue;
        if (!wr_str_ieq((struct wr_str){key.p + 8, name.n}, name) || !wr_str_ieq_c((struct wr_str){key.p + 9 + name.n, n_what}, what))
            continue;
        *value = opts->opt[i].value;
        *off = opts->opt[i].off;
        return true;
    }
    return false;
}

static wr_status column_fail(const struct wr_coldef *def, int32_t off, const char *what, struct wr_str value, struct wr_error *err)
{
    return wr_fail_at(err, WR_ESQL, off, "column \"%.*s\": %s cannot be \"%.*s\"", WR_FMT(def->name), what, WR_FMT(value));
}

/* columns.NAME.min and the like, unscaled by the field's scale. */
static wr_status number_option(const struct wr_opts *opts, const struct wr_coldef *def, const char *what, int scale, int64_t *out,
                               struct wr_error *err)
{
    struct wr_str s;
    int32_t off;
    if (column_option(opts, def->name, what, &s, &off) && !wr_gen_scaled(s, scale, INT64_MIN / 2, INT64_MAX / 2, out))
        return column_fail(def, off, what, s, err);
    return WR_OK;
}

/* What a declared column without a scenario is filled with unless its options say otherwise. */
static bool default_field(const struct wr_coldef *def, struct wr_genfield *f)
{
    *f = (struct wr_genfield){.type = (enum wr_tid)def->type.id, .kind = WR_GEN_NUMBER, .max = 999999};
    switch ((enum wr_tid)def->type.id) {
    case WR_T_BOOL: f->kind = WR_GEN_BOOL; return true;
    case WR_T_INT: case WR_T_BIGINT: return true;
    case WR_T_DOUBLE: f->scale = 6; return true; /* 0 to 1 */
    case WR_T_DECIMAL:
        f->scale = def->type.scale <= 9 ? def->type.scale : 9;
        f->max = (int64_t)wr_pow10[def->type.prec - def->type.scale < 3 ? def->type.prec - def->type.scale + f->scale : 3 + f->scale] - 1;
        return true;
    case WR_T_TEXT: case WR_T_BYTES: f->kind = WR_GEN_LETTERS; f->max = 8; return true;
    case WR_T_DATE: case WR_T_TIME: case WR_T_TIMESTAMP: case WR_T_TIMESTAMPTZ: f->kind = WR_GEN_TIME; return true;
    case WR_T_NULL: case WR_T_JSON: case WR_T_INTERVAL: case WR_T_ARRAY: case WR_T_ROW: case WR_T_COUNT: break;
    }
    return false;
}

static const char *const column_words[] = {"kind", "min", "max", "start", "end", "length", "choices", "null_share"};

static bool has_options(const struct wr_opts *opts, struct wr_str name)
{
    struct wr_str s;
    int32_t off;
    for (size_t i = 0; i < sizeof column_words / sizeof column_words[0]; i++)
        if (column_option(opts, name, column_words[i], &s, &off))
            return true;
    return false;
}

static bool is_numeric(const struct wr_genfield *f)
{
    return f->kind == WR_GEN_NUMBER || f->kind == WR_GEN_SEQUENCE || f->kind == WR_GEN_DRAIN;
}

static wr_status apply_kind(struct wr_genfield *f, const struct wr_opts *opts, const struct wr_coldef *def, struct wr_error *err)
{
    struct wr_str s;
    int32_t off = -1;
    if (!column_option(opts, def->name, "kind", &s, &off) || wr_str_ieq_c(s, "random"))
        return WR_OK;
    if (wr_str_ieq_c(s, "uuid") && f->type == WR_T_TEXT) {
        f->kind = WR_GEN_UUID;
        return WR_OK;
    }
    if (wr_str_ieq_c(s, "sequence") && is_numeric(f)) {
        f->kind = WR_GEN_SEQUENCE;
        f->scale = 0;
        f->min = 0;
        f->max = INT64_MAX;
        return WR_OK;
    }
    column_fail(def, off, "kind", s, err);
    wr_hint(err, "it is random, sequence (of whole numbers) or uuid (TEXT)");
    return WR_ESQL;
}

/* Options columns.NAME.* into the field. */
static wr_status apply_options(struct wr_gencol *c, struct wr_arena *mem, const struct wr_opts *opts, const struct wr_coldef *def,
                               int64_t *rows, struct wr_error *err)
{
    struct wr_genfield *f = &c->field;
    struct wr_str s;
    int32_t off = def->off;
    WR_TRY(apply_kind(f, opts, def, err));
    if (is_numeric(f)) {
        bool seq = f->kind == WR_GEN_SEQUENCE;
        WR_TRY(number_option(opts, def, seq ? "start" : "min", f->scale, &f->min, err));
        WR_TRY(number_option(opts, def, seq ? "end" : "max", f->scale, &f->max, err));
        if (seq && f->max != INT64_MAX && f->max >= f->min && f->max - f->min < *rows)
            *rows = f->max - f->min + 1;
    } else if (f->kind == WR_GEN_LETTERS) {
        WR_TRY(number_option(opts, def, "length", 0, &f->max, err));
        if (f->max < 0 || f->max > 1 << 20)
            return wr_fail_at(err, WR_ESQL, off, "column \"%.*s\": length has to be 0 to 1,048,576", WR_FMT(def->name));
    }
    if (column_option(opts, def->name, "choices", &s, &off)) {
        if (f->type != WR_T_TEXT || s.n == 0)
            return column_fail(def, off, "choices", s, err);
        f->kind = WR_GEN_CHOICE;
        f->text = wr_arena_str(mem, s).p;
    }
    if (column_option(opts, def->name, "null_share", &s, &off) && !wr_gen_scaled(s, 6, 0, WR_GEN_PPM, &c->null_ppm))
        return column_fail(def, off, "null_share", s, err);
    if (f->min > f->max)
        return wr_fail_at(err, WR_ESQL, off, "column \"%.*s\": its least value is above its greatest", WR_FMT(def->name));
    return WR_OK;
}

/* Can the declared type hold what the field gives? */
static bool column_fits(const struct wr_genfield *f, struct wr_type t)
{
    if (f->kind == WR_GEN_TIME)
        return wr_type_is_time(t) || t.id == WR_T_DATE || t.id == WR_T_TIME;
    if (f->kind == WR_GEN_BOOL)
        return t.id == WR_T_BOOL;
    if (!is_numeric(f))
        return t.id == WR_T_TEXT || (t.id == WR_T_BYTES && f->kind == WR_GEN_LETTERS);
    bool open = f->kind == WR_GEN_SEQUENCE && f->max == INT64_MAX; /* a sequence without end: no type bounds it in practice */
    if (t.id == WR_T_INT)
        return f->scale == 0 && f->min >= INT32_MIN && (open || f->max <= INT32_MAX);
    if (t.id == WR_T_DECIMAL)
        return t.scale >= f->scale && t.scale - f->scale <= 19 &&
               wr_dec_fits((wr_i128)(open ? 0 : f->max) * wr_pow10[t.scale - f->scale], t.prec) &&
               wr_dec_fits((wr_i128)f->min * wr_pow10[t.scale - f->scale], t.prec);
    return t.id == WR_T_DOUBLE || (t.id == WR_T_BIGINT && f->scale == 0);
}

static void cut_choices(struct wr_gencol *c, struct wr_arena *mem)
{
    const char *p = c->field.text, cut = strchr(p, '|') ? '|' : ',';
    int n = 1;
    for (const char *s = p; *s; s++)
        n += *s == cut;
    c->choice = WR_NEW_N(mem, struct wr_str, n);
    for (;;) {
        const char *end = strchr(p, cut);
        c->choice[c->n_choice++] = end ? (struct wr_str){p, (uint32_t)(end - p)} : wr_str_c(p);
        if (!end)
            return;
        p = end + 1;
    }
}

static uint64_t salt_of(const char *name, uint32_t n)
{
    uint64_t h = UINT64_C(0xCBF29CE484222325); /* FNV-1a */
    for (uint32_t i = 0; i < n; i++)
        h = (h ^ (unsigned char)name[i]) * UINT64_C(0x100000001B3);
    return h;
}

static const struct wr_genfield *scenario_field(const struct wr_scenario *sc, struct wr_str name)
{
    for (int i = 0; sc && i < sc->n; i++)
        if (wr_str_eq_c(name, sc->field[i].name))
            return &sc->field[i];
    return NULL;
}

static wr_status no_such_field(const struct wr_scenario *sc, const struct wr_coldef *def, struct wr_error *err)
{
    struct wr_str cand[32];
    int n = 0;
    for (; n < sc->n && n < 32; n++)
        cand[n] = wr_str_c(sc->field[n].name);
    struct wr_str near = wr_str_nearest(def->name, cand, n);
    wr_fail_at(err, WR_ESQL, def->off, "scenario \"%s\" has no column \"%.*s\"", sc->name, WR_FMT(def->name));
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "leave out the column list to get its columns");
    return WR_ESQL;
}

wr_status wr_gencol_open(struct wr_gencol *c, struct wr_arena *mem, const struct wr_source_spec *spec, int i, const struct wr_scenario *sc,
                         int64_t *rows, struct wr_error *err)
{
    const struct wr_coldef *def = &spec->col[i];
    const struct wr_genfield *ready = scenario_field(sc, def->name);
    c->index = i;
    c->type = def->type;
    if (def->from == WR_COL_META || def->path.n)
        return wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": generated rows have no %s", WR_FMT(def->name),
                          def->from == WR_COL_META ? "metadata" : "paths");
    if (ready) {
        c->field = *ready;
    } else if (sc && !has_options(spec->opts, def->name)) {
        return no_such_field(sc, def, err);
    } else if (!default_field(def, &c->field)) {
        struct wr_str type = wr_type_name(mem, def->type);
        return wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": values of type %.*s cannot be generated", WR_FMT(def->name), WR_FMT(type));
    }
    WR_TRY(apply_options(c, mem, spec->opts, def, rows, err));
    if (!column_fits(&c->field, def->type)) {
        struct wr_str type = wr_type_name(mem, def->type);
        return wr_fail_at(err, WR_ESQL, def->off, "column \"%.*s\": type %.*s does not hold the generated values", WR_FMT(def->name), WR_FMT(type));
    }
    const struct wr_genfield *of = c->field.of ? scenario_field(sc, wr_str_c(c->field.of)) : NULL;
    c->of_span = of ? (uint64_t)(of->max - of->min) + 1 : 0;
    c->salt = of ? salt_of(of->name, (uint32_t)strlen(of->name)) : salt_of(def->name.p, def->name.n);
    c->null_salt = salt_of(def->name.p, def->name.n) + 1;
    if (c->field.kind == WR_GEN_CHOICE)
        cut_choices(c, mem);
    if (c->field.kind == WR_GEN_LABEL) {
        c->label = wr_str_c(c->field.text);
        for (int64_t n = c->field.max; n; n /= 10)
            c->digits++;
    }
    return WR_OK;
}

/* Names of columns may have been left out of the plan; what is said of them has to be known all the same. */
wr_status wr_gencol_check_words(const struct wr_opts *opts, struct wr_error *err)
{
    for (int i = 0; opts && i < opts->n; i++) {
        struct wr_str key = opts->opt[i].key;
        if (key.n < 8 || memcmp(key.p, "columns.", 8) != 0)
            continue;
        const char *dot = memrchr(key.p, '.', key.n);
        struct wr_str word = {dot + 1, (uint32_t)(key.p + key.n - dot - 1)};
        bool known = false;
        for (size_t k = 0; k < sizeof column_words / sizeof column_words[0]; k++)
            known |= dot > key.p + 8 && wr_str_ieq_c(word, column_words[k]);
        if (!known) {
            wr_fail_at(err, WR_ESQL, opts->opt[i].off, "unknown option \"%.*s\" for connector \"datagen\"", WR_FMT(key));
            wr_hint(err, "it is columns.NAME. and one of: kind, min, max, start, end, length, choices, null_share");
            return WR_ESQL;
        }
    }
    return WR_OK;
}

/* fuzz_json.c: any bytes as a JSON record.
 * Properties: no crash and nothing read outside of the record; a record that is taken is also valid to jansson (which is stricter only in
 * numbers too large and characters no text may hold), with the same value of the JSON column; the short ways of json_quick.h decide as the
 * general ways do; taken or not does not depend on which columns are wanted, as long as no column refuses its value. */
#include "connectors/json_decode.h"

#include <jansson.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { COLS = 10 };

struct rig {
    struct wr_arena mem;
    struct wr_coldef col[COLS];
    struct wr_source_spec spec;
    struct wr_decoder *dec;
};

static void open_rig(struct rig *r, int n_col)
{
    static const struct {
        const char *name, *path;
        uint8_t id, prec, scale;
    } cols[COLS] = {{"a", "", WR_T_JSON, 0, 0},      {"b", "", WR_T_TEXT, 0, 0},      {"n", "", WR_T_DECIMAL, 12, 2},   {"d", "", WR_T_DOUBLE, 0, 0},
                    {"i", "", WR_T_BIGINT, 0, 0},    {"t", "", WR_T_TIMESTAMP, 0, 0}, {"y", "", WR_T_BYTES, 0, 0},      {"o", "", WR_T_BOOL, 0, 0},
                    {"in", "$.c.a[1].x", WR_T_TEXT, 0, 0}, {"all", "$", WR_T_JSON, 0, 0}};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_schema *s = wr_schema_new(&r->mem, n_col);
    for (int i = 0; i < n_col; i++) {
        struct wr_type type = {.id = cols[i].id, .prec = cols[i].prec, .scale = cols[i].scale};
        r->col[i] = (struct wr_coldef){.name = wr_str_c(cols[i].name), .type = type, .path = wr_str_c(cols[i].path), .off = -1};
        s->field[i] = (struct wr_field){.name = r->col[i].name, .type = type, .nullable = true};
    }
    r->spec = (struct wr_source_spec){.name = WR_STR("fuzz"), .n_col = n_col, .col = r->col, .schema = s};
    if (wr_format_json.decoder_open(&r->spec, &r->dec, &err))
        abort();
}

static bool jansson_is_stricter(const json_error_t *why)
{
    enum json_error_code code = json_error_code(why);
    return code == json_error_numeric_overflow || code == json_error_null_character || code == json_error_null_byte_in_key ||
           strstr(why->text, "invalid Unicode") || strstr(why->text, "too big") || strstr(why->text, "overflow");
}

static void check_taken(const struct wr_batch *b, const char *text, size_t n)
{
    json_error_t why;
    json_t *doc = json_loadb(text, n, JSON_ALLOW_NUL, &why);
    if (!doc) {
        if (!jansson_is_stricter(&why))
            abort();
        return;
    }
    json_t *a = json_object_get(doc, "a");
    if (wr_vec_null(&b->col[0], 0) != (!a || json_is_null(a)))
        abort();
    if (!wr_vec_null(&b->col[0], 0)) {
        struct wr_str s = WR_VEC_STR(&b->col[0])[0];
        json_t *again = json_loadb(s.p, s.n, JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
        if (!again || !json_equal(a, again))
            abort();
        json_decref(again);
    }
    json_decref(doc);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    static struct rig full, slow, bare;
    if (!full.dec) {
        open_rig(&full, COLS);
        open_rig(&slow, COLS);
        open_rig(&bare, 0);
        for (int i = 0; i < COLS; i++)
            ((struct wr_jdec *)slow.dec)->col[i].quick = WR_QUICK_NONE;
    }
    struct wr_str rec = {(const char *)data, (uint32_t)n};
    struct wr_batch *b[3] = {wr_batch_new(full.spec.schema, 1), wr_batch_new(slow.spec.schema, 1), wr_batch_new(bare.spec.schema, 1)};
    struct rig *rig[3] = {&full, &slow, &bare};
    enum wr_reason why[3] = {0};
    for (int round = 0; round < 2; round++) { /* the second time the keys are remembered */
        struct wr_bad bad[3] = {0};
        for (int i = 0; i < 3; i++) {
            enum wr_reason now = wr_format_json.decode(rig[i]->dec, rec, b[i], 0, &bad[i]);
            if (now != bad[i].reason || (round && now != why[i]))
                abort();
            why[i] = now;
        }
        bool by_column = bad[0].column.n > 0; /* well-formed, but a column refuses its value */
        if (why[0] != why[1] || !wr_str_eq(bad[0].column, bad[1].column) || why[2] != (by_column ? WR_R_NONE : why[0]))
            abort();
    }
    if (why[0] == WR_R_NONE) {
        check_taken(b[0], rec.p, n);
        for (int i = 0; i < COLS; i++) {
            if (wr_vec_null(&b[0]->col[i], 0) != wr_vec_null(&b[1]->col[i], 0))
                abort();
            if (!wr_vec_null(&b[0]->col[i], 0) && wr_vec_cmp(&b[0]->col[i], 0, &b[1]->col[i], 0) != 0)
                abort();
        }
    }
    for (int i = 0; i < 3; i++)
        wr_batch_unref(b[i]);
    return 0;
}

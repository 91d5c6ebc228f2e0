/* fuzz_csv.c: any bytes as a CSV file; the first byte picks the delimiter and whether there is a header.
 * Properties: no crash and nothing read outside; records cover the file without gaps; split says the same of a record whether it is given
 * the whole file or only as much as it needs; a row that is taken, written and read again is the same row. */
#include "connectors/internal.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

enum { COLS = 3 };

struct run {
    struct wr_arena mem;
    struct wr_coldef col[COLS];
    struct wr_opt opt[2];
    struct wr_opts opts;
    struct wr_source_spec spec;
    struct wr_decoder *dec;
    struct wr_encoder *enc;
};

static void run_open(struct run *r, char delimiter, bool header)
{
    static const char *const name[COLS] = {"a", "b", "c"};
    static const char cut[] = ",;\t|";
    struct wr_error err = WR_ERROR_INIT;
    struct wr_schema *s = wr_schema_new(&r->mem, COLS);
    for (int i = 0; i < COLS; i++) {
        struct wr_type type = i == 0 ? WR_TYPE_OF(TEXT) : i == 1 ? wr_type_decimal(10, 3) : WR_TYPE_OF(TIMESTAMP);
        r->col[i] = (struct wr_coldef){.name = wr_str_c(name[i]), .type = type, .off = -1, .pos = i};
        s->field[i] = (struct wr_field){.name = r->col[i].name, .type = type, .nullable = true};
    }
    r->opt[0] = (struct wr_opt){WR_STR("delimiter"), wr_arena_str(&r->mem, (struct wr_str){&cut[delimiter & 3], 1}), -1};
    r->opt[1] = (struct wr_opt){WR_STR("header"), header ? WR_STR("true") : WR_STR("false"), -1};
    r->opts = (struct wr_opts){2, r->opt};
    r->spec = (struct wr_source_spec){.name = WR_STR("fuzz"), .opts = &r->opts, .n_col = COLS, .col = r->col, .schema = s};
    struct wr_sink_spec sink = {.name = WR_STR("fuzz"), .opts = &r->opts, .schema = s};
    if (wr_format_csv.decoder_open(&r->spec, &r->dec, &err) || wr_format_csv.encoder_open(&sink, &r->enc, &err))
        abort();
}

/* Written and read back without a header, which stands at another place than the columns' order. */
static void check_row(struct run *plain, const struct wr_batch *b)
{
    struct wr_buf line = {0};
    struct wr_bad bad;
    struct wr_batch *back = wr_batch_new(plain->spec.schema, 1);
    wr_format_csv.encode(plain->enc, b, 0, (int[]){0, 1, 2}, COLS, &line);
    if (wr_format_csv.decode(plain->dec, wr_buf_get(&line), back, 0, &bad))
        abort();
    for (int i = 0; i < COLS; i++) {
        if (wr_vec_null(&b->col[i], 0) != wr_vec_null(&back->col[i], 0))
            abort();
        if (!wr_vec_null(&b->col[i], 0) && wr_vec_cmp(&b->col[i], 0, &back->col[i], 0) != 0)
            abort();
    }
    wr_batch_unref(back);
    wr_buf_clear(&line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
    if (n == 0)
        return 0;
    struct run r = {0}, plain = {0};
    run_open(&r, (char)data[0], data[0] & 4);
    run_open(&plain, (char)data[0], false);
    const char *p = (const char *)data + 1, *end = (const char *)data + n;
    bool first = true;
    while (p < end) {
        size_t used = 0, used_again = 0;
        int64_t len = wr_format_csv.split(r.dec, p, (size_t)(end - p), true, &used);
        if (len < 0 || used == 0 || (size_t)len > used || used > (size_t)(end - p))
            abort();
        bool whole = used > (size_t)len && p[used - 1] == '\n'; /* not the end of the file inside of quotes */
        if (whole && (wr_format_csv.split(r.dec, p, used, false, &used_again) != len || used_again != used))
            abort();
        if (wr_format_csv.split(r.dec, p, used - 1, false, &used_again) >= 0 && used > 1)
            abort();
        struct wr_str rec = {p, (uint32_t)len};
        struct wr_error err = WR_ERROR_INIT;
        bool taken = false;
        if (first && wr_format_csv.head(r.dec, rec, &taken, &err))
            break;
        first = false;
        p += used;
        if (taken)
            continue;
        struct wr_batch *b = wr_batch_new(r.spec.schema, 1);
        struct wr_bad bad = {0};
        if (wr_format_csv.decode(r.dec, rec, b, 0, &bad) == WR_R_NONE)
            check_row(&plain, b);
        wr_batch_unref(b);
    }
    struct run *both[2] = {&r, &plain};
    for (int i = 0; i < 2; i++) {
        wr_format_csv.decoder_close(both[i]->dec);
        wr_format_csv.encoder_close(both[i]->enc);
        wr_arena_clear(&both[i]->mem);
    }
    return 0;
}

/* json_decode.c: how long one record takes to decode, beside jansson on the same records.
 *
 * The records are those of the Black Friday topic (134 bytes, four members, three of them wanted), made from a seed. Prints, for each of
 * five rounds in turns, nanoseconds a record, and the medians with their ratio. Nothing is asserted: what they gave is in docs/performance.md.
 * Build:  cmake --build DIR --target bench_json_decode     (DIR configured as Release)
 * Use:    bench_json_decode [records in thousands] */
#include "connectors/internal.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 5, COLS = 3 };

static uint64_t state = 1;
static uint64_t chance(uint64_t n)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (state >> 11) % n;
}

static void make_record(struct wr_buf *out, uint64_t row)
{
    static const char *const name[] = {"Eletronicos", "Livros", "Casa", "Gamer"};
    uint64_t cents = 1000 + chance(499001), ms = row / 20;
    wr_buf_printf(out, "{\"id_pedido\": \"%08x-%04x-4%03x-a%03x-%012llx\", ", (unsigned)chance(UINT32_MAX), (unsigned)chance(65536),
                  (unsigned)chance(4096), (unsigned)chance(4096), (unsigned long long)chance(UINT64_C(1) << 48));
    wr_buf_printf(out, "\"categoria\": \"%s\", \"valor\": %llu.%02llu, \"timestamp\": \"2025-11-28T%02llu:%02llu:%02llu\"}", name[chance(4)],
                  (unsigned long long)cents / 100, (unsigned long long)cents % 100, (unsigned long long)ms / 3600 % 24,
                  (unsigned long long)ms / 60 % 60, (unsigned long long)ms % 60);
}

static double decode_all(const struct wr_format *f, struct wr_decoder *dec, const struct wr_schema *schema, const struct wr_str *rec, uint32_t n)
{
    int64_t from = wr_clock_mono();
    struct wr_bad bad;
    wr_i128 sum = 0;
    for (uint32_t i = 0; i < n;) {
        struct wr_batch *b = wr_batch_new(schema, WR_BATCH_ROWS);
        uint32_t row = 0;
        for (; row < WR_BATCH_ROWS && i < n; row++, i++) {
            if (f->decode(dec, rec[i], b, row, &bad)) {
                fprintf(stderr, "bad record: %s\n", bad.msg);
                exit(1);
            }
        }
        sum += WR_VEC_I128(&b->col[1])[row - 1];
        wr_batch_unref(b);
    }
    if (sum == 1)
        puts("");
    return (double)(wr_clock_mono() - from) * 1000 / n;
}

static double jansson_all(const struct wr_str *rec, uint32_t n)
{
    int64_t from = wr_clock_mono();
    size_t sum = 0;
    for (uint32_t i = 0; i < n; i++) {
        json_error_t why;
        json_t *doc = json_loadb(rec[i].p, rec[i].n, 0, &why);
        sum += strlen(json_string_value(json_object_get(doc, "categoria")));
        sum += (size_t)json_real_value(json_object_get(doc, "valor"));
        sum += strlen(json_string_value(json_object_get(doc, "timestamp")));
        json_decref(doc);
    }
    if (sum == 1)
        puts("");
    return (double)(wr_clock_mono() - from) * 1000 / n;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

int main(int argc, char **argv)
{
    uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) * 1000 : 200000;
    struct wr_arena mem = {0};
    struct wr_buf text = {.max = (size_t)4 << 30};
    uint32_t *from = wr_calloc((size_t)n + 1, sizeof *from);
    struct wr_str *rec = wr_calloc(n, sizeof *rec);
    for (uint32_t i = 0; i < n; i++) {
        make_record(&text, i);
        from[i + 1] = (uint32_t)text.n;
    }
    for (uint32_t i = 0; i < n; i++)
        rec[i] = (struct wr_str){text.p + from[i], from[i + 1] - from[i]};
    struct wr_coldef col[COLS] = {
        {.name = WR_STR("categoria"), .type = WR_TYPE_OF(TEXT), .off = -1},
        {.name = WR_STR("valor"), .type = wr_type_decimal(12, 2), .off = -1},
        {.name = WR_STR("timestamp"), .type = WR_TYPE_OF(TIMESTAMP), .off = -1},
    };
    struct wr_schema *schema = wr_schema_new(&mem, COLS);
    for (int i = 0; i < COLS; i++)
        schema->field[i] = (struct wr_field){.name = col[i].name, .type = col[i].type, .nullable = true};
    struct wr_source_spec spec = {.name = WR_STR("bench"), .n_col = COLS, .col = col, .schema = schema};
    struct wr_error err = WR_ERROR_INIT;
    struct wr_decoder *dec;
    if (wr_format_json.decoder_open(&spec, &dec, &err))
        return 1;
    printf("%u records of %.1f bytes\n", n, (double)text.n / n);
    double ours[ROUNDS], theirs[ROUNDS];
    for (int i = 0; i < ROUNDS; i++) {
        ours[i] = decode_all(&wr_format_json, dec, schema, rec, n);
        theirs[i] = jansson_all(rec, n);
        printf("weir %6.1f ns   jansson %7.1f ns\n", ours[i], theirs[i]);
    }
    qsort(ours, ROUNDS, sizeof *ours, by_value);
    qsort(theirs, ROUNDS, sizeof *theirs, by_value);
    printf("median: weir %.1f ns (%.1f million records/s, %.2f GB/s), jansson %.1f ns, ratio %.0f\n", ours[ROUNDS / 2], 1000 / ours[ROUNDS / 2],
           (double)text.n / n / ours[ROUNDS / 2], theirs[ROUNDS / 2], theirs[ROUNDS / 2] / ours[ROUNDS / 2]);
    wr_format_json.decoder_close(dec);
    free(rec);
    free(from);
    wr_buf_clear(&text);
    wr_arena_clear(&mem);
    return 0;
}

/* udf.c: calls functions of shared objects: our vectors and theirs lie in memory alike, so nothing is copied.
 * Rules:  what comes back is not trusted: integers are checked for their range, texts for UTF-8, before a row goes on. */
#include "core/udf.h"
#include "core/kernel.h"

_Static_assert(sizeof(struct weir_udf_text) == sizeof(struct wr_str) && offsetof(struct weir_udf_text, n) == offsetof(struct wr_str, n), "texts must lie alike");

struct wr_type wr_udf_type(uint32_t t)
{
    switch ((enum weir_udf_type)t) {
    case WEIR_UDF_BOOLEAN: return WR_TYPE_OF(BOOL);
    case WEIR_UDF_INTEGER: return WR_TYPE_OF(INT);
    case WEIR_UDF_BIGINT: return WR_TYPE_OF(BIGINT);
    case WEIR_UDF_DOUBLE: return WR_TYPE_OF(DOUBLE);
    case WEIR_UDF_TEXT: return WR_TYPE_OF(TEXT);
    case WEIR_UDF_BYTES: return WR_TYPE_OF(BYTES);
    case WEIR_UDF_TIMESTAMP: return WR_TYPE_OF(TIMESTAMP);
    case WEIR_UDF_DATE: return WR_TYPE_OF(DATE);
    }
    return WR_TYPE_OF(NULL);
}

static char *host_alloc(void *host, uint32_t n) { return wr_arena_bytes(((struct wr_eval *)host)->mem, n ? n : 1); }

static void host_fail(void *host, uint32_t row, const char *message)
{
    struct wr_eval *ev = host;
    if (row < ev->rows)
        wr_eval_bad(ev, row, WR_R_ARGUMENT, "%.200s", message ? message : "the function failed");
}

/* Results that are not what they should be. */
static void check(struct wr_eval *ev, const struct weir_udf *f, struct wr_vec *out, const uint32_t *row, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++) {
        uint32_t r = row[k];
        if (out->nulls[r]) {
            wr_out_null(ev, out, r);
        } else if (f->ret == WEIR_UDF_BOOLEAN) {
            WR_VEC_I8(out)[r] = WR_VEC_I8(out)[r] != 0;
        } else if (f->ret == WEIR_UDF_INTEGER && WR_VEC_I64(out)[r] != (int32_t)WR_VEC_I64(out)[r]) {
            wr_eval_bad(ev, r, WR_R_OVERFLOW, "the function's result is no INTEGER");
        } else if (f->ret == WEIR_UDF_TEXT && !wr_utf8_valid(WR_VEC_STR(out)[r])) {
            wr_eval_bad(ev, r, WR_R_UTF8, "the function's result is not UTF-8");
            WR_VEC_STR(out)[r] = (struct wr_str){NULL, 0};
        }
    }
}

/* What no row asked for must not be read as a text later. */
static void clear_texts(struct wr_vec *out, const uint32_t *row, uint32_t n)
{
    for (uint32_t k = 0; k < n; k++)
        WR_VEC_STR(out)[row[k]] = (struct wr_str){NULL, 0};
}

WR_KERNEL(k_native)
{
    const struct weir_udf *f = ((const struct wr_udf *)(const void *)c->fn)->native;
    struct weir_udf_column arg[WEIR_UDF_MOST_ARGS];
    uint32_t *row = wr_arena_alloc(ev->mem, sizeof *row * (n ? n : 1));
    for (uint32_t k = 0; k < n; k++)
        row[k] = sel ? sel[k] : k;
    for (int i = 0; i < c->n_arg; i++)
        arg[i] = (struct weir_udf_column){f->arg[i], c->arg[i].constant, c->arg[i].data, c->arg[i].nulls};
    uint8_t *nulls = wr_vec_nulls(out, ev->rows, ev->mem);
    for (uint32_t k = 0; k < n; k++)
        nulls[row[k]] = 0;
    if (wr_type_phys(out->type.id) == WR_P_STR)
        clear_texts(out, row, n);
    const struct weir_udf_call call = {.arg = arg, .n_row = n, .row = row, .out = out->data, .out_null = nulls, .host = ev, .alloc = host_alloc, .fail = host_fail};
    if (n)
        f->eval(&call);
    check(ev, f, out, row, n);
}

void wr_udf_wrap(struct wr_udf *u)
{
    int flags = WR_F_MAYNULL | (u->native->flags & WEIR_UDF_NULLS ? WR_F_NULLS : 0) | (u->native->flags & WEIR_UDF_VOLATILE ? WR_F_VOLATILE : 0);
    u->func = (struct wr_func){.name = u->symbol, .sig = "", .kernel = k_native, .flags = flags, .help = ""};
}

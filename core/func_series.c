/* func_series.c: functions over arrays that compare or make many values: x op ANY|ALL (array), sequence(), json_entries().
 * Rules:  ANY and ALL as SQL has them: an empty array decides even for NULL; else NULL among what is compared makes an undecided answer NULL.
 *         A sequence longer than MOST values is a bad row, not a large one.
 * Memory: results are built in a scratch buffer and copied to ev->mem. */
#include "core/json.h"
#include "core/kernel.h"
#include "core/nested.h"
#include "core/time.h"

enum { MOST = 1000000 };

/* ---- ANY, ALL ---- */

/* As the planner numbers them: = <> < <= > >=; ALL: 8 more. */
static bool holds(int64_t op, int cmp)
{
    switch (op & 7) {
    case 0: return cmp == 0;
    case 1: return cmp != 0;
    case 2: return cmp < 0;
    case 3: return cmp <= 0;
    case 4: return cmp > 0;
    case 5: return cmp >= 0;
    }
    return false;
}

WR_KERNEL(k_quantified) /* (array, x, op) */
{
    WR_ROWS(row) {
        struct wr_nested_iter it = {0};
        struct wr_value v, what = wr_vec_get(&c->arg[1], row);
        int64_t op = WR_ARG_I(2, row);
        bool all = op & 8, decided = false, unknown = false;
        if (WR_ARG_NULL(0, row)) {
            wr_out_null(ev, out, row);
            continue;
        }
        if (!wr_nested_iter(&it, c->arg[0].type, WR_ARG_S(0, row)))
            wr_eval_bad(ev, row, WR_R_CAST, "damaged array");
        while (!decided && wr_nested_next(&it, &v)) {
            if (v.null || what.null)
                unknown = true;
            else
                decided = holds(op, wr_value_cmp(&what, &v)) != all;
        }
        WR_VEC_I8(out)[row] = decided != all;
        if (!decided && unknown)
            wr_out_null(ev, out, row);
    }
}

/* ---- sequence ---- */

static void too_many(struct wr_eval *ev, uint32_t row, struct wr_vec *out)
{
    wr_eval_bad(ev, row, WR_R_LIMIT, "the sequence would have more than %d values", MOST);
    WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
}

WR_KERNEL(k_sequence) /* (from, to [, step]) of whole numbers */
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_nested_maker m;
        struct wr_value v = {.type = WR_TYPE_OF(BIGINT), .as.i = WR_ARG_I(0, row)};
        int64_t to = WR_ARG_I(1, row), step = c->n_arg > 2 ? WR_ARG_I(2, row) : 1;
        bool more = step > 0 ? v.as.i <= to : v.as.i >= to;
        if (step == 0) {
            wr_eval_bad(ev, row, WR_R_RANGE, "the step of a sequence is 0");
            WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
            continue;
        }
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        for (; more && m.n <= MOST; more = more && (step > 0 ? v.as.i <= to : v.as.i >= to)) {
            wr_nested_put(&m, &v);
            more = !__builtin_add_overflow(v.as.i, step, &v.as.i);
        }
        wr_nested_close(&m);
        if (m.n > MOST)
            too_many(ev, row, out);
        else
            WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

WR_KERNEL(k_sequence_time) /* (from, to, step) of timestamps */
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_nested_maker m;
        struct wr_interval step = WR_ARG_V(2, row);
        struct wr_value v = {.type = c->arg[0].type, .as.i = WR_ARG_I(0, row)};
        int64_t to = WR_ARG_I(1, row);
        wr_i128 span = wr_interval_span(step);
        bool more = span > 0 ? v.as.i <= to : v.as.i >= to;
        if (span == 0) {
            wr_eval_bad(ev, row, WR_R_RANGE, "the step of a sequence is 0");
            WR_VEC_STR(out)[row] = (struct wr_str){NULL, 0};
            continue;
        }
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        for (int64_t was; more && m.n <= MOST; more = more && (span > 0 ? v.as.i <= to && v.as.i > was : v.as.i >= to && v.as.i < was)) {
            wr_nested_put(&m, &v);
            was = v.as.i;
            more = wr_time_add(was, step, 1, &v.as.i);
        }
        wr_nested_close(&m);
        if (m.n > MOST)
            too_many(ev, row, out);
        else
            WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
}

/* ---- members of a JSON object ---- */

WR_KERNEL(k_entries)
{
    struct wr_buf b = WR_BUF_INIT(WR_TEXT_MAX), one = WR_BUF_INIT(WR_TEXT_MAX);
    WR_ROWS(row) {
        struct wr_json_iter it;
        struct wr_str key, value;
        struct wr_nested_maker m, member;
        if (!wr_json_iter(&it, wr_str_trim(WR_ARG_S(0, row))) || !it.object) {
            wr_out_null(ev, out, row);
            continue;
        }
        wr_buf_reset(&b);
        wr_nested_open(&m, &b);
        while (wr_json_next(&it, &key, &value)) {
            struct wr_value k = {.type = WR_TYPE_OF(TEXT)}, v = {.type = WR_TYPE_OF(JSON), .as.s = value}, pair = {.type = {.id = WR_T_ROW}};
            k.null = !wr_json_text(key, ev->mem, &k.as.s);
            wr_buf_reset(&one);
            wr_nested_open(&member, &one);
            wr_nested_put(&member, &k);
            wr_nested_put(&member, &v);
            wr_nested_close(&member);
            pair.as.s = wr_buf_get(&one);
            wr_nested_put(&m, &pair);
        }
        wr_nested_close(&m);
        if (b.overflow || one.overflow)
            WR_BAD_TOO_LONG(ev, row);
        WR_VEC_STR(out)[row] = wr_out_text(ev, &b);
    }
    wr_buf_clear(&b);
    wr_buf_clear(&one);
}

static bool ret_entries(struct wr_arena *mem, const struct wr_func *fn WR_UNUSED, struct wr_expr *const *arg WR_UNUSED, int n WR_UNUSED, struct wr_type *out,
                        struct wr_error *err WR_UNUSED)
{
    struct wr_schema *s = wr_schema_new(mem, 2);
    s->field[0] = (struct wr_field){.name = WR_STR("key"), .type = WR_TYPE_OF(TEXT)};
    s->field[1] = (struct wr_field){.name = WR_STR("value"), .type = WR_TYPE_OF(JSON), .nullable = true};
    *out = wr_type_array(mem, wr_type_row(s));
    return true;
}

static bool ret_sequence(struct wr_arena *mem, const struct wr_func *fn, struct wr_expr *const *arg, int n WR_UNUSED, struct wr_type *out,
                         struct wr_error *err WR_UNUSED)
{
    *out = wr_type_array(mem, fn->sig[0] == 'l' ? WR_TYPE_OF(BIGINT) : arg[0]->type);
    return true;
}

static const struct wr_func list[] = {
    {"quantified", "ael:b", k_quantified, WR_F_NULLS | WR_F_HIDDEN, NULL, NULL, ""},
    {"sequence", "ll:?", k_sequence, 0, ret_sequence, NULL, "sequence(from, to [, step]): ARRAY of the numbers between; generate_series(...) in FROM"},
    {"sequence", "lll:?", k_sequence, 0, ret_sequence, NULL, "sequence(from, to, step)"},
    {"sequence", "TTI:?", k_sequence_time, 0, ret_sequence, NULL, "sequence(from, to, interval): ARRAY of the times between"},
    {"sequence", "ZZI:?", k_sequence_time, 0, ret_sequence, NULL, "sequence(from, to, interval)"},
    {"json_entries", "j:?", k_entries, WR_F_MAYNULL, ret_entries, NULL, "json_entries(json): ARRAY of an object's members, each a ROW of key and value"},
};
WR_FUNC_TABLE(wr_funcs_series, list);

/* bind_array.c: x op ANY (array), x op ALL (array).
 * Rules:  the elements and x get one type first, so that 2.5 > ANY (ARRAY[1, 2]) compares numbers. ANY (SELECT ...) is a subquery, not this. */
#include "planner/bind.h"

wr_status wr_bind_quantified(struct xctx *x, const struct wr_ast_expr *e, struct wr_expr **out)
{
    static const char *const ops[] = {"=", "<>", "<", "<=", ">", ">="}; /* numbered as core/func_series.c does */
    struct binder *b = x->b;
    struct wr_expr *arg[3];
    int op = wr_str_eq_c(e->text, "!=") ? 1 : -1;
    for (int i = 0; i < 6; i++)
        if (wr_str_eq_c(e->text, ops[i]))
            op = i;
    if (op < 0) {
        wr_fail_at(b->err, WR_ESQL, e->off, "\"%.*s\" cannot stand before ANY or ALL", WR_FMT(e->text));
        wr_hint(b->err, "there is = <> < <= > >=");
        return WR_ESQL;
    }
    WR_TRY(wr_bind_expr(x, e->a, &arg[1]));
    WR_TRY(wr_bind_expr(x, e->b, &arg[0]));
    if (arg[0]->type.id != WR_T_ARRAY) {
        struct wr_str type = wr_type_name(b->a, arg[0]->type);
        wr_fail_at(b->err, WR_ESQL, arg[0]->off, "ANY and ALL take an array, this is %.*s", WR_FMT(type));
        wr_hint(b->err, "write ARRAY[1, 2, 3], or x IN (1, 2, 3)");
        return WR_ESQL;
    }
    struct wr_type elem = arg[0]->type.sub->field[0].type, common = elem;
    if (!wr_expr_is_unknown(arg[1]) && !wr_type_common(elem, arg[1]->type, &common)) {
        struct wr_str l = wr_type_name(b->a, arg[1]->type), r = wr_type_name(b->a, elem);
        return wr_fail_at(b->err, WR_ESQL, e->off, "%.*s cannot be compared with elements of type %.*s", WR_FMT(l), WR_FMT(r));
    }
    WR_TRY(wr_expr_cast(b->a, arg[1], common, false, &arg[1], b->err));
    WR_TRY(wr_expr_cast(b->a, arg[0], wr_type_array(b->a, common), true, &arg[0], b->err));
    arg[2] = wr_expr_const(b->a, (struct wr_value){.type = WR_TYPE_OF(BIGINT), .as.i = op | (e->flag ? 8 : 0)}, e->off);
    return wr_bind_fn(b, "quantified", arg, 3, e->off, out);
}

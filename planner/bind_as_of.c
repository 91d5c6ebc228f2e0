/* bind_as_of.c: JOIN t FOR SYSTEM_TIME AS OF left_time: each left row with the row of its key that was the latest at its time.
 * Rules:  t is a source declared with PRIMARY KEY and event time: its records are versions, each valid from its time to the next one's of its key.
 *         INNER and LEFT only; the keys of the join contain the PRIMARY KEY (bind_join_free.c). */
#include "planner/bind.h"

static wr_status no_versions(struct binder *b, int32_t off)
{
    wr_fail_at(b->err, WR_ESQL, off, "FOR SYSTEM_TIME AS OF takes a source declared with a PRIMARY KEY and an event time");
    wr_hint(b->err, "CREATE SOURCE name (..., PRIMARY KEY (column) NOT ENFORCED, WATERMARK FOR column)");
    return WR_ESQL;
}

wr_status wr_bind_versions(struct binder *b, const struct wr_ast_table *t, const struct env *env, struct rel *out)
{
    const struct wr_object *o = wr_bind_object(b, t, env);
    struct wr_ast_table plain = *t;
    struct env own = *env;
    if (!o || !o->n_key || o->time_col < 0)
        return no_versions(b, t->off);
    plain.as_of = NULL;
    own.versions = true;
    return wr_bind_from(b, &plain, &own, out);
}

wr_status wr_bind_as_of(struct binder *b, const struct wr_ast_table *t, const struct env *env, const struct rel *l, const struct rel *r, struct wr_plan *join)
{
    const struct wr_object *o = wr_bind_object(b, t->right, env);
    struct xctx x = {.b = b, .rel = l, .clause = "FOR SYSTEM_TIME AS OF", .env = env};
    struct wr_plan_join *j = &join->u.join;
    struct wr_expr *when;
    if (t->join != WR_JOIN_INNER && t->join != WR_JOIN_LEFT)
        return wr_bind_refuse(b, t->right->as_of->off, "FOR SYSTEM_TIME AS OF in this kind of join", "write JOIN or LEFT JOIN");
    WR_TRY(wr_bind_expr(&x, t->right->as_of, &when));
    if (when->kind != WR_X_COL || !wr_type_is_time(when->type)) {
        wr_fail_at(b->err, WR_ESQL, t->right->as_of->off, "FOR SYSTEM_TIME AS OF takes the event time of the left input");
        wr_hint(b->err, "its name: FOR SYSTEM_TIME AS OF orders.ts");
        return WR_ESQL;
    }
    j->as_of = true;
    j->time[0] = when->u.col;
    j->time[1] = o->time_col;
    j->n_pk = o->n_key;
    j->pk = wr_ints(b->a, o->key, o->n_key);
    WR_ASSERT(r->n == o->n_col);
    return WR_OK;
}

/* func_unknown.c: what is said of a function that does not exist: what other systems' names are here, else the nearest name, aggregates among them. */
#include "core/agg.h"
#include "core/func.h"

#include <stdlib.h>

/* Functions of other systems, and what to write. */
static const struct { const char *name, *instead; } elsewhere[] = {
    {"cnt", "count(*)"}, {"len", "length(text)"}, {"datalength", "octet_length(text)"}, {"char", "chr(number)"}, {"ucase", "upper(text)"}, {"lcase", "lower(text)"},
    {"isnull", "x IS NULL"}, {"isnotnull", "x IS NOT NULL"}, {"size", "cardinality(array)"}, {"collect_set", "array_agg(DISTINCT x)"},
    {"explode", "FROM t CROSS JOIN UNNEST(t.array) AS x (name)"}, {"flatten", "FROM t CROSS JOIN UNNEST(t.array) AS x (name)"},
    {"getdate", "now()"}, {"sysdate", "now()"}, {"date_from_parts", "make_date(year, month, day)"}, {"to_unixtime", "extract(epoch FROM ts)"},
    {"convert", "CAST(x AS type)"}, {"try_convert", "TRY_CAST(x AS type)"}, {"decode", "CASE x WHEN a THEN b ELSE c END"},
    {"regexp_matches", "regexp_match(text, pattern), or regexp_extract_all(text, pattern)"}, {"array_sum", "SELECT sum(x) FROM UNNEST(array) AS t (x)"},
    {"parse_timestamp", "to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS')"}, {"stringtotimestamp", "to_timestamp(text, 'YYYY-MM-DD HH24:MI:SS')"},
    {"timestamptostring", "to_char(ts, 'YYYY-MM-DD HH24:MI:SS')"}, {"extractjsonfield", "json ->> 'member', or json_value(json, '$.a.b')"},
    {"windowstart", "window_start"}, {"windowend", "window_end"}, {"as_value", "the column itself"}, {"rowtime", "the source's column of WATERMARK FOR"},
    {"from_json", "CAST(text AS JSON), or CAST(... AS ROW<a INTEGER, ...>)"}, {"parse_json", "CAST(text AS JSON)"}, {"histogram", "topk(x, n), or GROUP BY x"},
    {"safe_cast", "TRY_CAST(x AS type)"}, {"string", "CAST(x AS TEXT)"}, {"int", "CAST(x AS INTEGER)"}, {"double", "CAST(x AS DOUBLE)"},
};

static bool is_word(struct wr_str name)
{
    return name.n && (name.p[0] == '_' || (name.p[0] | 32) >= 'a');
}

wr_status wr_func_unknown(struct wr_str name, int32_t off, struct wr_error *err)
{
    wr_fail_at(err, WR_ESQL, off, "%s \"%.*s\" does not exist", is_word(name) ? "function" : "operator", WR_FMT(name));
    for (size_t i = 0; i < sizeof elsewhere / sizeof elsewhere[0]; i++)
        if (wr_str_ieq_c(name, elsewhere[i].name)) {
            wr_hint(err, "write %s", elsewhere[i].instead);
            return WR_ESQL;
        }
    int n = wr_func_count(), m = 0;
    struct wr_str *cand = wr_malloc(sizeof(*cand) * (size_t)(n + wr_agg_count() + 1));
    for (int i = 0; i < wr_agg_count() && is_word(name); i++)
        cand[m++] = wr_str_c(wr_agg_get(i)->name);
    for (int i = 0; i < n; i++) {
        const struct wr_func *f = wr_func_get(i);
        bool first = i == 0 || strcmp(f->name, wr_func_get(i - 1)->name) != 0;
        if (first && !(f->flags & WR_F_HIDDEN))
            cand[m++] = wr_str_c(f->name);
    }
    struct wr_str near = wr_str_nearest(name, cand, m);
    if (near.n)
        wr_hint(err, "did you mean \"%.*s\"?", WR_FMT(near));
    else
        wr_hint(err, "SHOW FUNCTIONS lists what there is");
    free(cand);
    return WR_ESQL;
}

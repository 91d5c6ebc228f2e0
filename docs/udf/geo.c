/* geo.c: two functions for weir, as an example of core/weir_udf.h.
 *
 *   cc -O2 -shared -fPIC -I core -o libgeo.so docs/udf/geo.c -lm
 *
 *   CREATE FUNCTION geo_km(lat1 DOUBLE, lon1 DOUBLE, lat2 DOUBLE, lon2 DOUBLE) RETURNS DOUBLE LANGUAGE c AS './libgeo.so', 'geo_km';
 *   CREATE FUNCTION mask(t TEXT, shown BIGINT) RETURNS TEXT LANGUAGE c AS './libgeo.so', 'mask'; */
#include <math.h>
#include <string.h>
#include "weir_udf.h"

/* Great-circle distance in km (haversine, a sphere of 6371 km). A latitude outside of -90 .. 90 makes the row bad. */
static void km(const struct weir_udf_call *c)
{
    const double rad = 3.14159265358979323846 / 180;
    double *out = c->out;
    for (uint32_t k = 0; k < c->n_row; k++) {
        uint32_t r = c->row[k];
        double v[4];
        for (int i = 0; i < 4; i++)
            v[i] = ((const double *)c->arg[i].data)[weir_udf_at(&c->arg[i], r)];
        if (fabs(v[0]) > 90 || fabs(v[2]) > 90) {
            c->fail(c->host, r, "a latitude is between -90 and 90");
            continue;
        }
        double a = sin((v[2] - v[0]) * rad / 2), b = sin((v[3] - v[1]) * rad / 2);
        double h = a * a + cos(v[0] * rad) * cos(v[2] * rad) * b * b;
        out[r] = 2 * 6371 * asin(sqrt(h > 1 ? 1 : h));
    }
}

/* All but the last `shown` bytes become "*"; NULL where nothing would be hidden. Takes NULL texts, too: they are shown as "?". */
static void hide(const struct weir_udf_call *c)
{
    const struct weir_udf_text *text = c->arg[0].data;
    const int64_t *shown = c->arg[1].data;
    struct weir_udf_text *out = c->out;
    for (uint32_t k = 0; k < c->n_row; k++) {
        uint32_t r = c->row[k];
        if (weir_udf_is_null(&c->arg[0], r) || weir_udf_is_null(&c->arg[1], r)) {
            out[r] = (struct weir_udf_text){"?", 1};
            continue;
        }
        struct weir_udf_text t = text[weir_udf_at(&c->arg[0], r)];
        int64_t n = shown[weir_udf_at(&c->arg[1], r)];
        if (n < 0 || n >= t.n) {
            c->out_null[r] = 1;
            continue;
        }
        char *p = c->alloc(c->host, t.n);
        memset(p, '*', t.n - (uint32_t)n);
        memcpy(p + t.n - n, t.p + t.n - n, (size_t)n);
        out[r] = (struct weir_udf_text){p, t.n};
    }
}

const struct weir_udf geo_km = {.abi = WEIR_UDF_ABI, .n_arg = 4, .arg = {WEIR_UDF_DOUBLE, WEIR_UDF_DOUBLE, WEIR_UDF_DOUBLE, WEIR_UDF_DOUBLE},
                                .ret = WEIR_UDF_DOUBLE, .eval = km};
const struct weir_udf mask = {.abi = WEIR_UDF_ABI, .flags = WEIR_UDF_NULLS, .n_arg = 2, .arg = {WEIR_UDF_TEXT, WEIR_UDF_BIGINT}, .ret = WEIR_UDF_TEXT, .eval = hide};

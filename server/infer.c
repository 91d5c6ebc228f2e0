/* infer.c: INFER SOURCE: samples raw records and writes the CREATE SOURCE that would read them.
 *
 * Rules:  a type is proposed when every value seen fits it; null and absent members say nothing. Objects become columns of their own by path, arrays and
 *         what is of several kinds become JSON. Numbers with at most four decimals are DECIMAL (money stays exact), others DOUBLE.
 *         Event time is the TIMESTAMP column that most records have; of several, the one that is called like it, then the first.
 *         The watermark's delay is the 99.9th percentile of the disorder: how far a record's time is behind the greatest before it in its partition.
 * Memory: one arena for all that was seen, and one array of times a candidate. */
#include "server/infer.h"

#include <stdlib.h>

#include "core/log.h"
#include "core/time.h"
#include "parser/parse.h"
#include "server/peek.h"

enum { SAMPLE_BYTES = 64 << 20, PARTS_MOST = 4096 };

struct infer {
    const struct wr_peek *p;
    struct wr_arena mem;
    enum wr_infer_form form;
    struct wr_infer_field root;
    struct wr_peeked *rec;       /* what was sampled, texts in mem */
    uint32_t n_rec;
    uint64_t bytes;
    uint64_t *of_part;           /* records sampled by partition */
    int n_part;
    uint64_t lag;                /* records that were not looked at */
    uint32_t n_bad, n_null;      /* not of the form; without a value */
    atomic_bool *stop;           /* the caller's */
    atomic_bool enough;
};

/* ---- sampling ---- */

struct sample_sink { struct wr_sink base; struct infer *inf; const struct wr_schema *schema; };

static struct wr_str keep(struct wr_arena *a, struct wr_str s) { return s.p && s.n ? wr_arena_str(a, s) : s.p ? WR_STR("") : s; }

static void count_part(struct infer *inf, int64_t part)
{
    part = part < 0 || part >= PARTS_MOST ? PARTS_MOST - 1 : part;
    inf->n_part = part >= inf->n_part ? (int)part + 1 : inf->n_part;
    inf->of_part[part]++;
}

static wr_status sample_write(struct wr_sink *base, struct wr_batch *b, struct wr_error *err WR_UNUSED)
{
    struct sample_sink *s = (struct sample_sink *)(void *)base;
    struct infer *inf = s->inf;
    for (uint32_t k = 0; k < b->n_live && inf->n_rec < WR_INFER_RECORDS && inf->bytes < SAMPLE_BYTES; k++) {
        struct wr_peeked r;
        wr_peek_row(s->schema, b, wr_batch_row(b, k), &r);
        count_part(inf, r.part);
        inf->rec[inf->n_rec] = (struct wr_peeked){r.part, r.offset, r.ts_us, {0}, {0}, keep(&inf->mem, r.value)};
        inf->bytes += r.value.n;
        inf->n_rec++;
    }
    base->rows += b->n_live;
    wr_batch_unref(b);
    if (inf->n_rec == WR_INFER_RECORDS || inf->bytes >= SAMPLE_BYTES)
        atomic_store(&inf->enough, true);
    return WR_OK;
}
static wr_status sample_flush(struct wr_sink *s WR_UNUSED, struct wr_error *err WR_UNUSED) { return WR_OK; }
static void sample_close(struct wr_sink *s) { free(s); }
static const struct wr_sink_vt sample_vt = {.write = sample_write, .flush = sample_flush, .close = sample_close};

static wr_status sample_open(void *ctx, const struct wr_plan *sink WR_UNUSED, const struct wr_sink_spec *spec, struct wr_sink **out, struct wr_error *err WR_UNUSED)
{
    struct sample_sink *s = wr_calloc(1, sizeof *s);
    s->base.vt = &sample_vt;
    s->inf = ctx;
    s->schema = spec->schema;
    *out = &s->base;
    return WR_OK;
}

static void look_at_stop(void *ctx, struct wr_job *job WR_UNUSED)
{
    struct infer *inf = ctx;
    if (inf->stop && atomic_load(inf->stop))
        atomic_store(&inf->enough, true);
}

static wr_status sample(struct infer *inf, const struct wr_jobplan *plan, struct wr_error *err)
{
    struct wr_job_opts o = {.stop = &inf->enough, .open_sink = sample_open, .progress = look_at_stop, .ctx = inf};
    struct wr_job *job;
    WR_TRY(wr_job_open(plan, &o, &job, err));
    wr_status st = wr_job_run(job, err);
    struct wr_part part;
    for (int i = 0; i < plan->n_node; i++)
        for (int k = 0; wr_job_scan_part(job, i, k, &part); k++)
            inf->lag += part.end > part.next ? (uint64_t)(part.end - part.next) : 0;
    wr_job_close(job);
    return st;
}

/* ---- what the records are ---- */

static bool is_object(struct wr_str s)
{
    s = wr_str_trim(s);
    return s.n > 1 && s.p[0] == '{' && wr_json_valid(s);
}

static enum wr_infer_form form_of(const struct infer *inf)
{
    uint32_t objects = 0, values = 0;
    if (wr_str_ieq_c(inf->p->format, "json"))
        return WR_INFER_JSON;
    if (wr_str_ieq_c(inf->p->format, "csv"))
        return WR_INFER_CSV;
    for (uint32_t i = 0; i < inf->n_rec && values < 1000; i++) {
        values += inf->rec[i].value.n > 0;
        objects += is_object(inf->rec[i].value);
    }
    if (objects * 2 > values)
        return WR_INFER_JSON;
    return inf->p->file && wr_infer_is_csv(inf->rec, inf->n_rec) ? WR_INFER_CSV : WR_INFER_RAW;
}

static void take_records(struct infer *inf)
{
    struct wr_infer_csv csv = {.mem = &inf->mem};
    for (uint32_t i = 0; i < inf->n_rec; i++) {
        const struct wr_peeked *r = &inf->rec[i];
        bool ok = true;
        if (r->value.n == 0)
            inf->n_null++;
        else if (inf->form == WR_INFER_JSON)
            ok = is_object(r->value) && wr_infer_json(&inf->root, wr_str_trim(r->value), i, &inf->mem);
        else if (inf->form == WR_INFER_CSV)
            ok = wr_infer_csv(&csv, &inf->root, r->value, i);
        inf->n_bad += !ok;
    }
}

/* ---- event time ---- */

struct disorder { uint32_t n, behind; int64_t p999, most; };

static int by_size(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

/* How far each time is behind the greatest before it in its partition. */
static void measure(const struct infer *inf, const struct wr_infer_field *f, struct disorder *d)
{
    int64_t *greatest = wr_malloc(sizeof *greatest * PARTS_MOST), *behind = wr_malloc(sizeof *behind * (f->n_time + 1));
    *d = (struct disorder){.n = f->n_time};
    for (int i = 0; i < PARTS_MOST; i++)
        greatest[i] = INT64_MIN;
    for (uint32_t i = 0; i < f->n_time; i++) {
        int64_t part = inf->rec[f->time[i].rec].part, us = wr_infer_us(f, f->time[i].value);
        part = part < 0 || part >= PARTS_MOST ? PARTS_MOST - 1 : part;
        behind[i] = us < greatest[part] ? greatest[part] - us : 0;
        d->behind += behind[i] > 0;
        greatest[part] = us > greatest[part] ? us : greatest[part];
    }
    if (f->n_time) {
        qsort(behind, f->n_time, sizeof *behind, by_size);
        d->p999 = behind[(f->n_time * UINT64_C(999) + 999) / 1000 - 1]; /* nearest rank */
        d->most = behind[f->n_time - 1];
    }
    free(greatest);
    free(behind);
}

/* A delay that people write: whole seconds, from ten minutes on whole minutes. */
static int64_t round_up(int64_t us)
{
    int64_t unit = us > 10 * WR_US_MIN ? WR_US_MIN : WR_US_SEC;
    return (us + unit - 1) / unit * unit;
}

static void put_interval(struct wr_buf *out, int64_t us)
{
    bool minutes = us && us % WR_US_MIN == 0;
    wr_buf_printf(out, "INTERVAL '%lld' %s", (long long)(us / (minutes ? WR_US_MIN : WR_US_SEC)), minutes ? "MINUTE" : "SECOND");
}

/* ---- the statement ---- */

static void put_name(struct wr_buf *out, struct wr_str target)
{
    const char *slash = target.n ? memrchr(target.p, '/', target.n) : NULL;
    struct wr_str s = slash ? (struct wr_str){slash + 1, (uint32_t)(target.p + target.n - slash - 1)} : target;
    const char *dot = slash || memchr(target.p, '.', target.n) ? memchr(s.p, '.', s.n) : NULL;
    s.n = dot && slash ? (uint32_t)(dot - s.p) : s.n;
    struct wr_buf name = WR_BUF_INIT(256);
    for (uint32_t i = 0; i < s.n && i < 60; i++) {
        char c = s.p[i] >= 'A' && s.p[i] <= 'Z' ? (char)(s.p[i] + 32) : s.p[i];
        bool word = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
        if (i == 0 && c >= '0' && c <= '9')
            wr_buf_puts(&name, "t_");
        wr_buf_putc(&name, word ? c : '_');
    }
    wr_unparse_ident(out, name.n ? wr_buf_get(&name) : WR_STR("source"));
    wr_buf_clear(&name);
}

static void put_count(struct wr_buf *out, uint64_t n, const char *one, const char *many)
{
    wr_buf_printf(out, "%llu %s", (unsigned long long)n, n == 1 ? one : many);
}

static void put_seen(const struct infer *inf, struct wr_buf *out)
{
    static const char *const forms[] = {"JSON objects", "CSV", "as they are (raw)"};
    int parts = 0;
    for (int i = 0; i < inf->n_part; i++)
        parts += inf->of_part[i] > 0;
    wr_buf_puts(out, "-- looked at ");
    put_count(out, inf->n_rec, "record", "records");
    if (!inf->p->file) {
        wr_buf_puts(out, " of ");
        put_count(out, (uint64_t)parts, "partition", "partitions");
    }
    if (inf->lag)
        wr_buf_printf(out, ", %llu more were not read", (unsigned long long)inf->lag);
    wr_buf_printf(out, ": %s\n", forms[inf->form]);
    if (inf->n_bad) {
        wr_buf_puts(out, "-- ");
        put_count(out, inf->n_bad, "record is", "records are");
        wr_buf_puts(out, " of another form, and would be in its $errors\n");
    }
    if (inf->n_null && !inf->p->file) {
        wr_buf_puts(out, "-- ");
        put_count(out, inf->n_null, "record has", "records have");
        wr_buf_puts(out, " no value (tombstones), and would be skipped\n");
    }
}

static void put_disorder(const struct wr_infer_field *f, const struct disorder *d, struct wr_buf *out)
{
    wr_buf_puts(out, "-- ");
    wr_unparse_ident(out, f->name);
    if (d->behind == 0) {
        wr_buf_puts(out, ": all records came in order of it\n");
        return;
    }
    wr_buf_printf(out, ": %.1f %% of the records came behind a later one of their partition,\n--   99.9 %% by at most ", 100.0 * d->behind / d->n);
    wr_duration_print(out, d->p999);
    wr_buf_puts(out, ", all by at most ");
    wr_duration_print(out, d->most);
    wr_buf_putc(out, '\n');
}

static void put_columns(struct infer *inf, const struct wr_infer_field *time, const struct disorder *d, struct wr_buf *out)
{
    int n = 0;
    if (inf->form == WR_INFER_RAW) {
        wr_buf_printf(out, "    value %s", wr_infer_all_text(inf->rec, inf->n_rec) ? "TEXT" : "BYTES");
        n = 1;
    } else {
        wr_infer_columns(&inf->root, inf->form, &n, out);
    }
    if (!time && !inf->p->file)
        wr_buf_puts(out, ",\n    record_time TIMESTAMP METADATA FROM 'timestamp'");
    if (time) {
        wr_buf_puts(out, ",\n    WATERMARK FOR ");
        wr_unparse_ident(out, time->name);
        wr_buf_puts(out, " AS ");
        wr_unparse_ident(out, time->name);
        wr_buf_puts(out, " - ");
        put_interval(out, round_up(d->p999));
    }
}

static void put_statement(struct infer *inf, struct wr_buf *out)
{
    static const char *const formats[] = {"json", "csv", "raw"};
    const struct wr_infer_field *time = wr_infer_time(&inf->root, inf->n_rec - inf->n_null - inf->n_bad - inf->root.header);
    const char *unit = wr_infer_unit(&inf->root);
    struct disorder d = {0};
    put_seen(inf, out);
    if (time) {
        measure(inf, time, &d);
        put_disorder(time, &d, out);
    }
    wr_buf_puts(out, "CREATE SOURCE ");
    put_name(out, inf->p->target);
    wr_buf_puts(out, " (\n");
    put_columns(inf, time, &d, out);
    wr_buf_puts(out, "\n) WITH (\n    ");
    wr_buf_str(out, wr_buf_get(&inf->p->with));
    wr_buf_printf(out, ",\n    format = '%s'", formats[inf->form]);
    if (unit)
        wr_buf_printf(out, ", timestamp_unit = '%s'", unit);
    if (inf->form == WR_INFER_CSV && !wr_infer_has_header(&inf->root))
        wr_buf_puts(out, ", header = 'false'");
    wr_buf_puts(out, inf->p->file ? "\n);\n" : ", start = 'earliest'\n);\n");
}

wr_status wr_infer_run(const struct wr_peek *p, const struct wr_jobplan *plan, atomic_bool *stop, struct wr_buf *out, struct wr_error *err)
{
    struct infer inf = {.p = p, .stop = stop};
    inf.rec = wr_calloc(WR_INFER_RECORDS, sizeof *inf.rec);
    inf.of_part = wr_calloc(PARTS_MOST, sizeof *inf.of_part);
    wr_status st = sample(&inf, plan, err);
    if (st == WR_OK && inf.n_rec == 0)
        st = wr_fail(err, WR_EUSAGE, "\"%.*s\" is empty: there is nothing to look at", WR_FMT(p->target));
    if (st == WR_OK) {
        inf.form = form_of(&inf);
        take_records(&inf);
        put_statement(&inf, out);
    }
    wr_infer_free(&inf.root);
    free(inf.rec);
    free(inf.of_part);
    wr_arena_clear(&inf.mem);
    return st;
}
